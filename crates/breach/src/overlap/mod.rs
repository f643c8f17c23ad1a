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

use crate::key::Key;
use crate::read::{Options, read};
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

/// Compares dumps with one another. Groups of fewer than `k` are not told.
///
/// # Errors
/// A file cannot be opened.
pub fn overlap(dumps: &[Dump], key: &Key, k: u64) -> io::Result<OverlapReport> {
    let mut all: Vec<Collected> = Vec::new();
    let mut level = 0;
    for dump in dumps {
        let mut collector = Collector::new(key, level, room(&all, dumps.len()));
        let mut typed = Typed::new(&mut collector, ResidentIdMode::Historical);
        read(&dump.paths, &Options::default(), &mut typed)?;
        typed.finish();
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
