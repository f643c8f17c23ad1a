//! Files in, batches of rows out.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::dialect::{State, sheet};
use crate::encoding::Legacy;
use crate::entry::{Bounds, EntryReader};
use crate::rows::{Damage, Place, Sink};
use crate::source::{self, Budget, Content, Counted, Found, Source};
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
    /// An entry is counted in cells of so many bytes, unpacked: a multiple of `examine_every`.
    pub cell: u64,
    /// How many damages of an entry are told one by one; of more, how many they are.
    pub most_damages: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            from: None,
            block: 256 << 10,
            sample: 256 << 10,
            examine_every: 1 << 20,
            longest_row: 16 << 20,
            cell: 8 << 20,
            most_damages: 1000,
        }
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
    /// Rows that begin before this offset end with their line.
    #[serde(default)]
    pub(crate) looked: u64,
}

impl Checkpoint {
    /// The same knowledge before a statement.
    pub(crate) fn between_statements(&self) -> Self {
        let mut checkpoint = self.clone();
        if let Some(known) = &mut checkpoint.known {
            known.state.leave_statement();
            (known.examined, known.looked) = (0, 0);
        }
        checkpoint
    }

    /// Whether reading on from the one point gives what reading on from the other does.
    pub(crate) fn goes_on_as(&self, other: &Self) -> bool {
        let (Some(known), Some(others)) = (&self.known, &other.known) else { return false };
        let ahead = |known: &Known, at: u64| (known.examined.max(at), known.looked.max(at));
        (self.entry, self.offset, known.charset) == (other.entry, other.offset, others.charset)
            && ahead(known, self.offset) == ahead(others, other.offset)
            && known.state.goes_on_as(&others.state)
    }
}

/// Reads files, one after the other.
///
/// # Errors
/// A file that cannot be opened. What cannot be read *in* a file is damage, which the sink is told.
pub fn read(paths: &[PathBuf], options: &Options, sink: &mut dyn Sink) -> io::Result<()> {
    let mut reading = Reading::new(options, sink);
    paths.iter().try_for_each(|path| reading.path(path))
}

/// Reads one dump from any reader; `name` stands for its path.
pub fn read_from(name: &str, source: &mut dyn Read, options: &Options, sink: &mut dyn Sink) {
    Reading::new(options, sink).file(name, source, None, |source| Source::Stream(source));
}

/// A reading over all files.
pub(crate) struct Reading<'a> {
    options: &'a Options,
    sink: &'a mut dyn Sink,
    /// The next entry's number.
    pub(crate) entry: u32,
    /// Bytes read of the files before this one.
    pub(crate) read: u64,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(options: &'a Options, sink: &'a mut dyn Sink) -> Self {
        Self { options, sink, entry: 0, read: 0 }
    }

    /// Reads what can be read only once; a file on disk that was opened already is one too.
    pub(crate) fn stream(&mut self, path: &Path, mut stream: File) -> io::Result<()> {
        let data = stream.metadata()?;
        let name = path.to_string_lossy();
        if data.is_file() {
            self.file(&name, &mut stream, Some(data.len()), |file| Source::File(file));
        } else {
            self.file(&name, &mut stream, None, |stream| Source::Stream(stream));
        }
        Ok(())
    }

    /// Reads a file.
    pub(crate) fn path(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        self.file(&path.to_string_lossy(), &mut file, Some(size), |file| Source::File(file));
        Ok(())
    }

    fn file<S>(&mut self, path: &str, file: S, size: Option<u64>, as_source: fn(&mut Counted<S>) -> Source<'_>) {
        let mut counted = Counted::new(file);
        let read = counted.count();
        let budget = Budget::new(counted.count());
        source::walk(path, size, as_source(&mut counted), budget, &mut |found| self.found(found, &read));
        self.read += read.get();
    }

    /// The entry before is not what it was.
    fn damaged(&mut self, why: &str) {
        let entry = self.entry.saturating_sub(1);
        if self.options.from.as_ref().is_none_or(|from| from.entry <= entry) {
            self.sink.damage(Damage { place: Place { entry, offset: 0 }, bytes: None, what: why.to_owned() });
        }
    }

    fn found(&mut self, found: Found<'_>, read: &Cell<u64>) {
        let Found { entry: told, content } = found;
        if let Content::Damaged(why) = content {
            return self.damaged(why);
        }
        let entry = self.entry;
        self.entry += 1;
        self.sink.entry(entry, &told);
        let from = self.options.from.as_ref();
        if from.is_some_and(|from| from.entry > entry) {
            return;
        }
        let from = from.filter(|from| from.entry == entry);
        match content {
            Content::Bytes(content) => {
                let from = from.cloned();
                self.rows(entry, content, from, read);
            }
            Content::Sheet(text, name) => {
                let mut sample = Vec::new();
                // An error here comes again where the rows are read.
                let _ = (&mut *text).take(self.options.sample as u64).read_to_end(&mut sample);
                let from = from.filter(|from| from.known.is_some()).cloned();
                let from = from.unwrap_or_else(|| beginning_of_sheet(entry, &sample, name));
                self.rows(entry, &mut io::Cursor::new(sample).chain(text), Some(from), read);
            }
            Content::Unreadable(why) | Content::Damaged(why) => {
                let place = Place { entry, offset: 0 };
                self.sink.damage(Damage { place, bytes: told.size, what: why.to_owned() });
            }
        }
    }

    fn rows(&mut self, entry: u32, content: &mut dyn Read, from: Option<Checkpoint>, read: &Cell<u64>) {
        let bounds = Bounds { from, until: None, placed: false };
        let before = self.read;
        let progress = || before + read.get();
        EntryReader::new(entry, content, bounds, self.options, self.sink, &progress).run();
    }
}

/// A sheet needs no guess but for its columns' names.
fn beginning_of_sheet(entry: u32, sample: &[u8], name: String) -> Checkpoint {
    let (state, skip) = sheet::begin(sample, name);
    let charset = Charset::Bytes { legacy: Legacy::Gb18030, mostly: false };
    let known = Known { charset, state, examined: u64::MAX >> 1, looked: 0 };
    Checkpoint { entry, offset: skip as u64, known: Some(known) }
}
