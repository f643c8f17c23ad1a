//! Which dump is a copy of which: what they share, what was lost, padded and cracked on the way.
//!
//! Of each dump only keyed digests are held: of its identifiers, and beside each the digest of the password that stands
//! in its row. Where there are more than memory has room for, those are kept whose digest ends in enough zero bits, in
//! all dumps the same: shares stay what they are, counts stand for that many times as many, and that is said.

mod collect;
mod compare;
mod family;
mod picture;
mod text;

pub use compare::{DumpReport, OverlapReport, PairReport, PasswordsReport, SharedKind};
pub use family::Copied;
pub use picture::svg;

use crate::cores::Cores;
use crate::key::Key;
use crate::read::Options;
use crate::streams::Streams;
use crate::typed::Typed;
use collect::{Collected, Collector};
use dyetrace_search::ResidentIdMode;
use std::io;
use std::path::PathBuf;

/// One dump: what it is called, and the files it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// What reports call it.
    pub name: String,
    /// Its files, read one after the other.
    pub paths: Vec<PathBuf>,
}

/// How dumps are compared.
#[derive(Debug)]
pub struct OverlapOptions {
    /// Groups of fewer than so many are not told.
    pub k: u64,
    /// How many threads read; at least one, and at most 16.
    pub cores: usize,
    /// How files are read.
    pub reading: Options,
    /// Files that can be read only once: each is read on one core.
    pub streams: Streams,
}

/// Compares dumps with one another: with the same report on any number of cores.
///
/// # Errors
/// A file cannot be opened.
pub fn overlap(dumps: &[Dump], key: &Key, options: OverlapOptions) -> io::Result<OverlapReport> {
    let OverlapOptions { k, cores, mut reading, mut streams } = options;
    reading.most_damages = usize::MAX;
    let mut all: Vec<Collected> = Vec::new();
    let mut level = 0;
    for dump in dumps {
        let mut collector = Collector::new(key, level, room(&all, dumps.len()));
        let typed = Typed::new(&mut collector, ResidentIdMode::Historical);
        let mut run = Cores::new(typed, reading.clone(), cores);
        for path in &dump.paths {
            match streams.take(path) {
                Some(stream) => run.stream(path, stream)?,
                None => run.file(path, None)?,
            }
        }
        run.sink.finish();
        let collected = collector.finish();
        level = level.max(collected.level);
        all.push(collected);
    }
    for collected in &mut all {
        collected.thin_to(level);
    }
    Ok(compare::compare(dumps, &all, k))
}

/// Identifiers of all dumps together that are held: 24 bytes each.
const MOST_HELD: usize = 12 << 20;

/// What is left for the next dump; each gets at least its share, and those before are thinned with it.
fn room(before: &[Collected], dumps: usize) -> usize {
    let held: usize = before.iter().map(|collected| collected.entries.len()).sum();
    MOST_HELD.saturating_sub(held).max(MOST_HELD / dumps.max(1) / 2)
}
