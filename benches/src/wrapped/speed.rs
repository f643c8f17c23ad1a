//! How fast the search is with 100 values of all kinds, what memory it takes and how long it takes
//! to start.

use super::bodies::{Bodies, Mix};
use super::carrier::record;
use super::{judge, values};
use crate::print;
use crate::random::Random;
use dyetrace_case::{Blob, Message, Protocol, Record};
use dyetrace_search::{Options, Scanner, Scratch};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use std::error::Error;

/// Values searched for at once.
pub(crate) const VALUES: usize = 100;

/// Times that each slice is searched. What other work on the machine takes away differs from round to round; what the
/// search itself needs does not.
const ROUNDS: usize = 7;

/// Bytes of bodies that are made ahead and searched in one go: more than the caches near a core hold.
const SLICE: usize = 8_000_000;

/// Measures on so many megabytes of each mix.
pub(crate) fn run(seed: u64, megabytes: usize) -> Result<(), Box<dyn Error>> {
    let values = values::many(VALUES, &mut Random::new(seed));
    let subject = judge::subject(&values)?;
    let before = resident()?;
    let mut starts = Vec::new();
    for _ in 1..ROUNDS {
        let start = cpu()?;
        drop(Scanner::new(&subject, Options::default()));
        starts.push(cpu()? - start);
    }
    let start = cpu()?;
    let scanner = Scanner::new(&subject, Options::default());
    starts.push(cpu()? - start);
    let (least, middle) = least_and_middle(&mut starts);
    print(&format!(
        "start with {VALUES} values: {:.1} ms of CPU (least of {ROUNDS} rounds; {:.1} the middle one), {} needles\n",
        least * 1e3,
        middle * 1e3,
        scanner.needle_count()
    ));
    for (name, mix) in [("text of the web", Mix::Text), ("JSON with base64 and hex", Mix::Runs)] {
        let slices = slices(&mut Bodies::new(mix, seed), megabytes * 1_000_000);
        let bytes: usize = slices.iter().map(|slice| slice.bytes).sum();
        let measured = Measured::of(&scanner, &slices)?;
        let megabytes = bytes as f64 / 1e6;
        print(&format!(
            "{name}: {megabytes:.0} MB, {:.0} MB per CPU second (least of {ROUNDS} rounds; {:.0} the middle one); {} seen, {} limits reached\n",
            megabytes / measured.least,
            megabytes / measured.middle,
            measured.sighted,
            measured.limits
        ));
        let beside = peak()?.saturating_sub(before).saturating_sub(bytes / 1024);
        print(&format!("peak so far beside the input: {:.1} MiB\n", beside as f64 / 1024.0));
    }
    Ok(())
}

/// What all slices took, and what was seen in them.
#[derive(Default)]
struct Measured {
    /// CPU seconds: of each slice those of its quickest round, and of the middle one.
    least: f64,
    middle: f64,
    sighted: usize,
    limits: usize,
}

impl Measured {
    /// Rounds go over all slices, so that a slice is searched at times that lie apart.
    fn of(scanner: &Scanner, slices: &[Slice]) -> Result<Self, Box<dyn Error>> {
        let mut measured = Self::default();
        let mut costs = vec![Vec::new(); slices.len()];
        let mut scratch = Scratch::default();
        for round in 0..ROUNDS {
            for (slice, costs) in slices.iter().zip(&mut costs) {
                let start = cpu()?;
                for record in &slice.records {
                    let outcome = scanner.search(record, &mut scratch);
                    if round == 0 {
                        measured.sighted += outcome.sightings.len();
                        measured.limits += outcome.limits_reached.len();
                    }
                }
                costs.push(cpu()? - start);
            }
        }
        for costs in &mut costs {
            let (least, middle) = least_and_middle(costs);
            measured.least += least;
            measured.middle += middle;
        }
        Ok(measured)
    }
}

fn slices(bodies: &mut Bodies, bytes: usize) -> Vec<Slice> {
    (0..bytes.div_ceil(SLICE).max(1)).map(|_| Slice::of(bodies)).collect()
}

/// Requests that are searched in one go.
struct Slice {
    records: Vec<Record>,
    /// Bytes of their bodies.
    bytes: usize,
}

impl Slice {
    fn of(bodies: &mut Bodies) -> Self {
        let mut slice = Self { records: Vec::new(), bytes: 0 };
        while slice.bytes < SLICE {
            let body = bodies.next();
            slice.bytes += body.len();
            let message =
                Message { target: Some(b"/upload".to_vec()), body: Some(Blob::from(body)), ..Message::default() };
            slice.records.push(record(message, Protocol::Http11));
        }
        slice
    }
}

fn least_and_middle(costs: &mut [f64]) -> (f64, f64) {
    costs.sort_by(f64::total_cmp);
    (costs[0], costs[costs.len() / 2])
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
