//! One plain file read in parts at the same time, with exactly the rows that reading it whole gives.
//!
//! A part begins where a row seems to begin, with what the file's beginning says of its dialect. That is
//! a guess: a line end may stand inside of quotes. So each part tells where and in which state it ended,
//! and only if that is where and how the next one began is the next one kept; else it is read again from
//! there. The guess is nearly always right, and the answer always is.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::entry::{Bounds, End, EntryReader, start_of};
use crate::read::{Checkpoint, Options};
use crate::rows::{Batch, Damage, Sink, Table, TableId};
use crate::source::{Counted, is_container};

/// Reads a file that is no container in `parts` parts, each on a thread of its own, as the entry
/// numbered `entry`. Returns the sinks in the order of the file. A container is one part.
///
/// # Errors
/// The file cannot be opened or its length not be told.
pub fn read_in_parts<S: Sink + Send>(
    path: &Path,
    entry: u32,
    parts: usize,
    options: &Options,
    sink: impl Fn() -> S + Sync,
) -> io::Result<Vec<S>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let parts = if is_container_file(path)? { 1 } else { parts.max(1) };
    let file_of = PlainFile { path, entry, options };
    let plan = Plan { file: file_of, edges: edges(size, parts, options.examine_every.max(1)) };
    let known = plan.beginning(&mut file);
    let guessed: Vec<_> = std::thread::scope(|scope| {
        let (plan, known, sink) = (&plan, &known, &sink);
        let threads: Vec<_> =
            (0..plan.edges.len()).map(|part| scope.spawn(move || plan.guessed(part, known, sink()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))).collect()
    });
    plan.verified(guessed, &sink)
}

/// Where parts begin: at multiples of the distance at which a dialect may be guessed again.
fn edges(size: u64, parts: usize, every: u64) -> Vec<u64> {
    let mut edges: Vec<u64> =
        (0..parts as u64).map(|part| (size / parts as u64 * part).next_multiple_of(every)).collect();
    edges.dedup();
    edges.retain(|&edge| edge == 0 || edge < size);
    edges
}

/// A part that was read: from where, up to where.
pub(crate) struct Part<S> {
    pub(crate) from: Checkpoint,
    pub(crate) end: End,
    pub(crate) sink: S,
}

/// A file that is no container.
pub(crate) struct PlainFile<'a> {
    pub(crate) path: &'a Path,
    pub(crate) entry: u32,
    pub(crate) options: &'a Options,
}

impl PlainFile<'_> {
    /// Reads from the first place at or after an offset where a row seems to begin, with what is `known` of the file.
    pub(crate) fn guessed<S: Sink>(
        &self,
        offset: u64,
        until: Option<u64>,
        known: &Checkpoint,
        mut sink: S,
    ) -> io::Result<Part<S>> {
        // One byte earlier: where a line ends just before the edge, the part begins at the edge.
        let from = Checkpoint { offset: offset.saturating_sub(1), ..known.between_statements() };
        let mut file = self.open_at(&from)?;
        let bounds = Bounds { from: Some(from), until, placed: true };
        let mut reader = EntryReader::new(self.entry, &mut file, bounds, self.options, &mut sink, &|| 0);
        reader.align();
        let from = reader.checkpoint();
        let end = reader.run();
        Ok(Part { from, end, sink })
    }

    /// Reads from a point that is known for one; `None` is the beginning. Returns where reading ended.
    pub(crate) fn read(
        &self,
        from: Option<&Checkpoint>,
        until: Option<u64>,
        sink: &mut dyn Sink,
        progress: &dyn Fn(u64) -> u64,
    ) -> io::Result<End> {
        let from = from.cloned().unwrap_or(Checkpoint { entry: self.entry, offset: 0, known: None });
        let start = start_of(Some(&from));
        let mut file = Counted::new(self.open_at(&from)?);
        let count = file.count();
        let bounds = Bounds { from: Some(from), until, placed: true };
        let read = || progress(start + count.get());
        Ok(EntryReader::new(self.entry, &mut file, bounds, self.options, sink, &read).run())
    }

    fn open_at(&self, from: &Checkpoint) -> io::Result<File> {
        let mut file = File::open(self.path)?;
        file.seek(SeekFrom::Start(start_of(Some(from))))?;
        Ok(file)
    }
}

/// Whether a file is taken apart before it is read.
pub(crate) fn is_container_file(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut head)?;
    Ok(is_container(&head))
}

struct Plan<'a> {
    file: PlainFile<'a>,
    edges: Vec<u64>,
}

impl Plan<'_> {
    /// What the file's beginning says.
    fn beginning(&self, file: &mut File) -> Checkpoint {
        let bounds = Bounds { from: None, until: None, placed: false };
        EntryReader::new(self.file.entry, file, bounds, self.file.options, &mut Nobody, &|| 0).beginning()
    }

    fn until(&self, part: usize) -> Option<u64> {
        self.edges.get(part + 1).copied()
    }

    /// Reads a part from where its first row seems to begin.
    fn guessed<S: Sink>(&self, part: usize, known: &Checkpoint, sink: S) -> io::Result<Part<S>> {
        if part == 0 {
            return self.read(None, 0, sink);
        }
        let offset = self.edges.get(part).copied().unwrap_or(0);
        self.file.guessed(offset, self.until(part), known, sink)
    }

    /// Reads a part from a point that is known for one.
    fn read<S: Sink>(&self, from: Option<&Checkpoint>, part: usize, mut sink: S) -> io::Result<Part<S>> {
        let beginning = Checkpoint { entry: self.file.entry, offset: 0, known: None };
        let end = self.file.read(from, self.until(part), &mut sink, &|read| read)?;
        Ok(Part { from: from.cloned().unwrap_or(beginning), end, sink })
    }

    fn verified<S: Sink>(&self, guessed: Vec<io::Result<Part<S>>>, sink: &impl Fn() -> S) -> io::Result<Vec<S>> {
        let mut sinks = Vec::new();
        let mut end: Option<Checkpoint> = None;
        for (part, guess) in guessed.into_iter().enumerate() {
            let guess = guess?;
            let is_right = end.as_ref().is_none_or(|end| end.goes_on_as(&guess.from));
            let read = if is_right { guess } else { self.read(end.as_ref(), part, sink())? };
            end = Some(read.end.at);
            sinks.push(read.sink);
        }
        Ok(sinks)
    }
}

/// Is told nothing.
struct Nobody;

impl Sink for Nobody {
    fn table(&mut self, _: &Table) -> TableId {
        TableId(0)
    }

    fn batch(&mut self, _: TableId, _: &Batch<'_>) {}

    fn damage(&mut self, _: Damage) {}
}
