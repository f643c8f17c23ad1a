//! How fast the search is with 100 values of all kinds, what memory it takes and how long it takes
//! to start.

use super::bodies::{Bodies, Mix};
use super::carrier::record;
use super::{judge, values};
use crate::print;
use crate::random::Random;
use dyetrace_case::{Blob, Message, Protocol};
use dyetrace_search::{Options, Scanner, Scratch};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use std::error::Error;

/// Values searched for at once.
pub(crate) const VALUES: usize = 100;

/// Measures on so many megabytes of each mix.
pub(crate) fn run(seed: u64, megabytes: usize) -> Result<(), Box<dyn Error>> {
    let values = values::many(VALUES, &mut Random::new(seed));
    let subject = judge::subject(&values)?;
    let before = resident()?;
    let start = cpu()?;
    let scanner = Scanner::new(&subject, Options::default());
    print(&format!(
        "start with {VALUES} values: {:.1} ms of CPU, {} needles\n",
        (cpu()? - start) * 1e3,
        scanner.needle_count()
    ));
    for (name, mix) in [("text of the web", Mix::Text), ("JSON with base64 and hex", Mix::Runs)] {
        let mut bodies = Bodies::new(mix, seed);
        let mut scratch = Scratch::default();
        let (mut bytes, mut cost, mut sighted, mut limits, mut largest) = (0, 0.0, 0, 0, 0);
        while bytes < megabytes * 1_000_000 {
            let body = bodies.next();
            bytes += body.len();
            largest = largest.max(body.len());
            let message =
                Message { target: Some(b"/upload".to_vec()), body: Some(Blob::from(body)), ..Message::default() };
            let record = record(message, Protocol::Http11);
            let start = cpu()?;
            let outcome = scanner.search(&record, &mut scratch);
            cost += cpu()? - start;
            sighted += outcome.sightings.len();
            limits += outcome.limits_reached.len();
        }
        let rate = bytes as f64 / 1e6 / cost;
        print(&format!(
            "{name}: {} MB, {rate:.0} MB per CPU second; {sighted} seen, {limits} limits reached\n",
            bytes / 1_000_000
        ));
        let beside = peak()?.saturating_sub(before).saturating_sub(largest / 1024);
        print(&format!("peak so far beside the input: {:.1} MiB\n", beside as f64 / 1024.0));
    }
    Ok(())
}

/// CPU seconds of this process, user and system.
pub(crate) fn cpu() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

/// Resident memory now, in KiB.
fn resident() -> Result<usize, Box<dyn Error>> {
    status("VmRSS:")
}

/// Peak of resident memory, in KiB.
fn peak() -> Result<usize, Box<dyn Error>> {
    status("VmHWM:")
}

fn status(name: &str) -> Result<usize, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("the kernel does not say its memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
