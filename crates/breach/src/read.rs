//! Files in, batches of rows out.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::dialect::State;
use crate::entry::{Bounds, EntryReader};
use crate::rows::Sink;
use crate::source::{self, Counted, Found};
use crate::window::Charset;

/// How dumps are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Begin here and not at the first byte of the first file.
    pub from: Option<Checkpoint>,
    /// How many bytes are read at once.
    pub block: usize,
    /// How many bytes of text a dialect is guessed from.
    pub sample: usize,
    /// How seldom the dialect is guessed again where rows do not fit it: once in so many bytes of an entry.
    pub examine_every: u64,
    /// The longest row, in bytes of text. A longer one is damage.
    pub longest_row: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { from: None, block: 256 << 10, sample: 256 << 10, examine_every: 1 << 20, longest_row: 16 << 20 }
    }
}

/// A point between two rows at which reading can begin again: which entry, where in it, and what was
/// known there. It holds names of tables and columns, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The entry, counted from 0 over all files in their order.
    pub entry: u32,
    /// Bytes into that entry, unpacked and before any change of encoding.
    pub offset: u64,
    /// What was known at that point; `None` at an entry's beginning.
    pub(crate) known: Option<Known>,
}

/// What a reader knows at a row boundary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) charset: Charset,
    pub(crate) state: State,
    /// The dialect is not guessed again before this offset.
    pub(crate) examined: u64,
}

/// Reads files, one after the other.
///
/// # Errors
/// A file that cannot be opened. What cannot be read *in* a file is damage, which the sink is told.
pub fn read(paths: &[PathBuf], options: &Options, sink: &mut dyn Sink) -> io::Result<()> {
    let mut reading = Reading::new(options, sink);
    for path in paths {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        reading.file(&path.to_string_lossy(), &mut file, Some(size));
    }
    Ok(())
}

/// Reads one dump from any reader; `name` stands for its path.
pub fn read_from(name: &str, source: &mut dyn Read, options: &Options, sink: &mut dyn Sink) {
    Reading::new(options, sink).file(name, source, None);
}

/// A reading over all files.
struct Reading<'a> {
    options: &'a Options,
    sink: &'a mut dyn Sink,
    /// The next entry's number.
    entry: u32,
    /// Bytes read of the files before this one.
    read: u64,
}

impl<'a> Reading<'a> {
    fn new(options: &'a Options, sink: &'a mut dyn Sink) -> Self {
        Self { options, sink, entry: 0, read: 0 }
    }

    fn file(&mut self, path: &str, source: &mut dyn Read, size: Option<u64>) {
        let counted = Counted::new(source);
        let read = counted.count();
        source::walk(path, size, Box::new(counted), &mut |found| self.found(found, &read));
        self.read += read.get();
    }

    fn found(&mut self, found: Found<'_>, read: &Cell<u64>) {
        let Found { entry: told, content } = found;
        let entry = self.entry;
        self.entry += 1;
        self.sink.entry(entry, &told);
        let from = self.options.from.as_ref();
        if from.is_some_and(|from| from.entry > entry) {
            return;
        }
        let from = from.filter(|from| from.entry == entry);
        let start = Bounds { from: from.cloned(), until: None };
        let before = self.read;
        let progress = || before + read.get();
        EntryReader::new(entry, content, start, self.options, self.sink, &progress).run();
    }
}
