//! Real evidence, cut short and with bytes changed: no panic, bounded memory, bounded work, and
//! nothing counted twice.
//!
//! Files are cut at every n-th byte, where n is chosen for a debug build to end within a minute.
//! `DYETRACE_STRIDE=97` sets another.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it measured")]

mod common;

use dyetrace_case::{BlobWriterLimits, Item, Record, RecordId, Secret, Subject};
use dyetrace_evidence::{Limits, Tally};
use dyetrace_search::{Options, Scanner, Scratch};
use dyetrace_tls::Decryptor;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Peak memory of this process, in KiB.
const MOST_MEMORY: u64 = 512 << 10;
/// Changed copies of each file.
const CHANGED: u64 = 4;
/// Bytes of files read in one debug run, roughly; each file gets an equal share.
const DEBUG_BYTES: u64 = 60 << 20;
/// Records that one byte of evidence may give at most, beside a few for each file.
const RECORDS_PER_BYTE: u64 = 1;

#[test]
fn cut_and_changed_evidence_is_read_within_bounds() {
    let files = files();
    let faults = Mutex::new(Vec::new());
    let (next, runs, bytes) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let share = DEBUG_BYTES / files.len().max(1) as u64;
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let scanner = scanner();
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut run = |what: &str, evidence: &[u8]| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        bytes.fetch_add(evidence.len() as u64, Ordering::Relaxed);
                        let ran = std::panic::catch_unwind(|| check(evidence, path, &scanner));
                        if let Err(fault) = ran.unwrap_or_else(|_| Err("panic".to_owned())) {
                            faults.lock().unwrap().push(format!("{} {what}: {fault}", path.display()));
                        }
                    };
                    every_form(&std::fs::read(path).unwrap(), share, &mut run);
                }
            });
        }
    });
    let (runs, bytes, peak) = (runs.into_inner(), bytes.into_inner(), peak_memory());
    println!("{} files, {runs} runs, {bytes} bytes in {:?}, peak {peak} KiB", files.len(), start.elapsed());
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults[..faults.len().min(50)].join("\n"));
    assert!(peak <= MOST_MEMORY, "{peak} KiB");
}

/// Calls `run` with the file, the file cut, and the file changed.
fn every_form(file: &[u8], share: u64, run: &mut impl FnMut(&str, &[u8])) {
    run("whole", file);
    let size = file.len() as u64;
    // Cuts at every n-th byte read half of the square of the size, divided by n.
    let coarse = (size * size / 2 / share.max(1)).max(97);
    let stride = std::env::var("DYETRACE_STRIDE").map_or(coarse, |stride| stride.parse().unwrap());
    for end in (0..file.len()).step_by(usize::try_from(stride).unwrap()) {
        run(&format!("cut at {end}"), &file[..end]);
    }
    for seed in 1..=CHANGED {
        let mut changed = file.to_vec();
        let mut random = Random(seed);
        for _ in 0..(1 + size / 2000).min(200) {
            let at = random.next() % size.max(1);
            if let Some(byte) = changed.get_mut(at as usize) {
                *byte ^= 1 << (random.next() % 8);
            }
        }
        run(&format!("changed by {seed}"), &changed);
    }
}

/// Reads and searches evidence, and checks what holds for any.
fn check(evidence: &[u8], path: &Path, scanner: &Scanner) -> Result<(), String> {
    let mut tls = Decryptor::default();
    tls.secrets.load(evidence);
    for keys in keys(path) {
        tls.secrets.load(&keys);
    }
    let Ok(opened) = dyetrace_evidence::open_bytes("exhibit", evidence) else { return Ok(()) };
    let mut seen = Seen { scratch: Scratch::default(), scanner, ids: HashSet::new(), twice: None };
    let small = BlobWriterLimits { memory: 1 << 20, total: 64 << 20 };
    let limits = Limits { body: small, decoded: small, ..Limits::default() };
    let mut sink = |item| {
        if let Item::Record(record) = item {
            seen.record(&record);
        }
        Ok(())
    };
    let tally = dyetrace_evidence::read(&opened, limits, &mut tls, &mut sink, &mut |_| ());
    seen.judge(&tally, evidence.len() as u64)
}

struct Seen<'s> {
    scratch: Scratch,
    scanner: &'s Scanner,
    ids: HashSet<RecordId>,
    twice: Option<RecordId>,
}

impl Seen<'_> {
    fn record(&mut self, record: &Record) {
        self.scanner.search(record, &mut self.scratch);
        if !self.ids.insert(record.id.clone()) {
            self.twice = Some(record.id.clone());
        }
    }

    fn judge(self, tally: &Tally, size: u64) -> Result<(), String> {
        if let Some(id) = self.twice {
            return Err(format!("two records are called {id}"));
        }
        if tally.opaque.saturating_add(tally.lost) > tally.payload {
            return Err(format!("opaque {} and lost {} of {}", tally.opaque, tally.lost, tally.payload));
        }
        if tally.records > size * RECORDS_PER_BYTE + 100 {
            return Err(format!("{} records of {size} bytes", tally.records));
        }
        Ok(())
    }
}

fn scanner() -> Scanner {
    let mut subject = Subject::default();
    for (kind, value) in [("phone", "13800000427"), ("email", "someone.new@example.com"), ("pin", "4821")] {
        subject.add(kind.parse().unwrap(), Secret::new(value));
    }
    Scanner::new(&subject, Options::default())
}

/// The key files that lie beside a capture.
fn keys(path: &Path) -> Vec<Vec<u8>> {
    let folders = [path.parent().unwrap().to_owned(), path.parent().unwrap().join("keys")];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let paths = files.map(|file| file.unwrap().path());
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let is_key = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
        name.starts_with(&stem.to_lowercase())
            && [".keys", ".key", ".txt", ".log", ".pem"].iter().any(|end| name.ends_with(end))
    };
    paths.filter(is_key).map(|path| std::fs::read(path).unwrap()).collect()
}

/// Every real capture, archive and key file here, and the exhibits of the shipped cases, in order.
fn files() -> Vec<PathBuf> {
    let mut folders = vec![common::root().join("cases")];
    folders.extend(common::captures());
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("truth") => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.unwrap().trim().parse().unwrap()
}

/// Numbers that are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
