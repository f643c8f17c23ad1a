//! What it costs to look at traffic while it passes: the same requests directly, through dyetrace, through mitmdump
//! and through a proxy made with hudsucker. Each searches the same 100 values.

mod content;
mod load;
mod origin;
mod peers;
mod table;
mod usage;

use content::Content;
use load::{Job, Kind, Outcome, Values, Way};
use origin::Origin;
use peers::{Counts, Peer, Programs, Running};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const USAGE: &str =
    "say: dyetrace-benches live [--quick] [--only direct|tap|guard|mitmdump|hudsucker] [--folder FOLDER]";

/// What one proxy did and took.
struct Measured {
    peer: Peer,
    small: Vec<Small>,
    /// One at a time.
    alone: Outcome,
    long: Option<Long>,
    /// What differs from what was to be.
    unequal: Vec<String>,
}

/// Small requests of a kind.
struct Small {
    kind: Kind,
    outcome: Outcome,
    /// Of the proxy.
    cpu: Duration,
}

/// Long bodies.
struct Long {
    cpu: Duration,
    /// MiB.
    peak: f64,
}

impl Small {
    fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.outcome.times.len() as f64
    }
}

/// Runs all, or those that were named.
///
/// # Errors
/// Where a proxy cannot be run, or the results are not equal.
pub(crate) fn run(options: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::of(options)?;
    let programs = Programs::ready(&options.folder, |peer| options.wants(peer))?;
    let content = Arc::new(Content::new());
    let origin = Origin::start(&content)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bench = Bench { options: &options, programs, content, origin, runtime };
    let mut all = Vec::new();
    for peer in Peer::ALL.into_iter().filter(|peer| options.wants(*peer)) {
        crate::say(peer.name());
        all.push(bench.measure(peer)?);
    }
    table::report(&all, &bench.programs, &options.folder)
}

struct Options {
    quick: bool,
    only: Vec<String>,
    folder: PathBuf,
}

impl Options {
    fn of(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { quick: false, only: Vec::new(), folder: PathBuf::from("target/benches/live") };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => options.quick = true,
                "--only" => options.only.push(words.next().ok_or(USAGE)?.clone()),
                "--folder" => options.folder = words.next().ok_or(USAGE)?.into(),
                _ => return Err(USAGE.into()),
            }
        }
        let known = |word: &String| Peer::ALL.iter().any(|peer| peer.word() == word);
        if options.only.iter().all(known) { Ok(options) } else { Err(USAGE.into()) }
    }

    fn wants(&self, peer: Peer) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| word == peer.word())
    }

    /// So many requests that clocks of 10 ms are fine enough; who takes a hundred times as long, or lets
    /// each wait for 44 ms, gets fewer.
    fn count(&self, peer: Peer, kind: Kind) -> usize {
        let many = if matches!(peer, Peer::Mitmdump | Peer::Hudsucker) { 2_000 } else { 20_000 };
        let many = if kind == Kind::New { many / 10 } else { many };
        if self.quick { many / 10 } else { many }
    }
}

struct Bench<'a> {
    options: &'a Options,
    programs: Programs,
    content: Arc<Content>,
    origin: Origin,
    runtime: Runtime,
}

/// Before anything is measured.
const WARM_UP: Job = Job { kind: Kind::KeepAlive, count: 200, at_once: 4, values: Values::None };
/// What a guard is to stop.
const STOPPED: Job = Job { kind: Kind::KeepAlive, count: 100, at_once: 4, values: Values::All };

impl Bench<'_> {
    fn measure(&self, peer: Peer) -> Result<Measured, Box<dyn Error>> {
        let mut measured =
            Measured { peer, small: Vec::new(), alone: Outcome::default(), long: None, unequal: Vec::new() };
        self.small(&mut measured)?;
        self.long(&mut measured)?;
        Ok(measured)
    }

    fn started(&self, peer: Peer) -> Result<Option<Running>, Box<dyn Error>> {
        if peer == Peer::Direct { Ok(None) } else { self.programs.start(peer, &self.origin, &self.content).map(Some) }
    }

    fn way(&self, running: Option<&Running>) -> Way {
        let trusted = running.map_or(&self.origin.authority, |running| &running.trusted).clone();
        Way { proxy: running.map(|running| running.proxy), origin: self.origin.address, trusted }
    }

    /// All kinds of small requests. What a guard blocks is sent apart, so that what passes is what is measured.
    fn small(&self, measured: &mut Measured) -> Result<(), Box<dyn Error>> {
        let peer = measured.peer;
        let running = self.started(peer)?;
        let way = self.way(running.as_ref());
        let send = |job| self.runtime.block_on(way.run(job, &self.content)).map_err(|error| error.to_string());
        let values = if peer == Peer::Guard { Values::None } else { Values::Some };
        let mut wanted = Counts { requests: WARM_UP.count, ..Counts::default() };
        send(WARM_UP)?;
        let used = || running.as_ref().map_or(Ok(Duration::ZERO), |running| usage::cpu_when_idle(running.process()));
        for kind in [Kind::KeepAlive, Kind::Http2, Kind::New] {
            let job = Job { kind, count: self.options.count(peer, kind), at_once: 4, values };
            let before = used()?;
            let outcome = send(job)?;
            measured.small.push(Small { kind, outcome, cpu: used()?.saturating_sub(before) });
            wanted.requests += job.count;
            wanted.found += job.planted();
        }
        let alone = Job { kind: Kind::KeepAlive, count: 500, at_once: 1, values: Values::None };
        measured.alone = send(alone)?;
        wanted.requests += alone.count;
        if peer == Peer::Guard {
            let stopped = send(STOPPED)?;
            let all = STOPPED.count;
            wanted = Counts { requests: wanted.requests + all, found: wanted.found + all, blocked: all };
            measured.hold("answered with 451", all, stopped.blocked);
        }
        let Some(running) = running else { return Ok(()) };
        measured.compare("small requests", &wanted, &running.end()?);
        Ok(())
    }

    /// 100 MB up and down, in a process that has done nothing before.
    fn long(&self, measured: &mut Measured) -> Result<(), Box<dyn Error>> {
        let peer = measured.peer;
        let running = self.started(peer)?;
        let way = self.way(running.as_ref());
        let plants = peer != Peer::Guard;
        let used = || running.as_ref().map_or(Ok(Duration::ZERO), |running| usage::cpu_when_idle(running.process()));
        let before = used()?;
        let passed = self.runtime.block_on(way.long(plants, &self.content)).map_err(|error| error.to_string())?;
        let cpu = used()?.saturating_sub(before);
        measured.hold("long bodies that arrived as they were sent", 2, if passed { 2 } else { 0 });
        let Some(running) = running else { return Ok(()) };
        measured.long = Some(Long { cpu, peak: usage::peak(running.process())? });
        let wanted = Counts { requests: 2, found: 1 + usize::from(plants), blocked: 0 };
        measured.compare("long bodies", &wanted, &running.end()?);
        Ok(())
    }
}

impl Measured {
    fn hold(&mut self, what: &str, wanted: usize, got: usize) {
        if wanted != got {
            self.unequal.push(format!("{}: {what}: {got} and not {wanted}", self.peer.name()));
        }
    }

    fn compare(&mut self, of: &str, wanted: &Counts, got: &Counts) {
        self.hold(&format!("{of}: requests seen"), wanted.requests, got.requests);
        self.hold(&format!("{of}: values found"), wanted.found, got.found);
        self.hold(&format!("{of}: requests blocked"), wanted.blocked, got.blocked);
    }
}
