//! Files counted in cells, on several cores.
//!
//! Plain files are counted in cells: threads take them from a queue, and what they counted is merged in the order of
//! the file. A part begins with what is known of the file where the last merged one ended; where that or what was known
//! of its tables turns out to be wrong, whoever merges reads it. So the counts are those of a single pass.

use crate::entry::End;
use crate::parts::{self, PlainFile, is_container_file};
use crate::read::{Checkpoint, Options, Reading};
use crate::rows::{Entry, Sink};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

/// More threads than this gain nothing: what they counted is merged on one.
const MOST_CORES: usize = 16;
/// Parts that are waiting to be merged or read, beside one for each thread.
const AHEAD: usize = 2;
/// Cells that are read in one go where parts are of no use again and again.
const LONGEST_PAUSE: u64 = 16;

/// What counts rows in the order of a dump, and takes up parts that were counted apart.
pub(crate) trait Merging: Sink {
    /// What a part has to know of what came before.
    type Knowledge: Send + Sync;
    /// What counts a part.
    type Part: Sink + Send;

    /// What parts from here on have to know.
    fn knowledge(&mut self) -> Arc<Self::Knowledge>;

    /// Nothing counted yet.
    fn part(knowledge: Arc<Self::Knowledge>) -> Self::Part;

    /// Adds what was counted of a part that comes after all that was counted here. `false` where reading it here would
    /// count something else; then nothing is added.
    fn merge(&mut self, part: &mut Self::Part) -> bool;
}

/// Reads files, one after the other, on several cores.
pub(crate) struct Cores<S> {
    pub(crate) sink: S,
    reading: Options,
    threads: usize,
    /// The next entry's number.
    pub(crate) entry: u32,
    /// Bytes of the files before this one.
    pub(crate) read: u64,
}

impl<S: Merging> Cores<S> {
    pub(crate) fn new(sink: S, reading: Options, cores: usize) -> Self {
        Self { sink, reading, threads: cores.clamp(1, MOST_CORES), entry: 0, read: 0 }
    }

    /// Reads a file, or what follows a point in it.
    pub(crate) fn file(&mut self, path: &Path, from: Option<Checkpoint>) -> io::Result<()> {
        let size = std::fs::metadata(path)?.len();
        if is_container_file(path)? {
            self.whole(from, |reading| reading.path(path))?;
        } else {
            self.plain(path, size, from.as_ref())?;
        }
        self.read += size;
        Ok(())
    }

    /// Reads what can be read only once, on this thread.
    pub(crate) fn stream(&mut self, path: &Path, stream: File) -> io::Result<()> {
        let mut read = 0;
        self.whole(None, |reading| {
            reading.stream(path, stream)?;
            read = reading.read;
            Ok(())
        })?;
        self.read = read;
        Ok(())
    }

    fn whole(
        &mut self,
        from: Option<Checkpoint>,
        read: impl FnOnce(&mut Reading<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let options = Options { from, ..self.reading.clone() };
        let mut reading = Reading::new(&options, &mut self.sink);
        (reading.entry, reading.read) = (self.entry, self.read);
        read(&mut reading)?;
        self.entry = reading.entry;
        Ok(())
    }

    fn plain(&mut self, path: &Path, size: u64, from: Option<&Checkpoint>) -> io::Result<()> {
        let options = self.reading.clone();
        let file = PlainFile { path, entry: self.entry, options: &options };
        let told = Entry { path: path.to_string_lossy().into_owned(), size: Some(size) };
        self.sink.entry(self.entry, &told);
        self.entry += 1;
        if self.threads == 1 {
            return self.read_on(&file, from, None).map(drop);
        }
        let next = self.cell(&file, from)?;
        next.map_or(Ok(()), |at| self.cells(&file, at))
    }

    fn end_of_cell(&self, at: Option<&Checkpoint>) -> u64 {
        let cell = self.reading.cell.max(1);
        (at.map_or(0, |at| at.offset) / cell + 1) * cell
    }

    /// Reads a part into the sink itself.
    fn read_on(&mut self, file: &PlainFile<'_>, from: Option<&Checkpoint>, until: Option<u64>) -> io::Result<End> {
        let before = self.read;
        file.read(from, until, &mut self.sink, &|read| before + read)
    }

    /// Reads a cell into the sink itself, and returns where the next one begins.
    fn cell(&mut self, file: &PlainFile<'_>, from: Option<&Checkpoint>) -> io::Result<Option<Checkpoint>> {
        let end = self.read_on(file, from, Some(self.end_of_cell(from)))?;
        Ok(self.pass(end))
    }

    /// A cell has been counted.
    fn pass(&mut self, end: End) -> Option<Checkpoint> {
        let (cell, read) = (end.at.offset / self.reading.cell.max(1), self.read + end.at.offset);
        if end.is_cut {
            self.sink.checkpoint(&end.at, read);
            self.sink.edge(cell, &end.at, read);
        }
        let goes_on = end.is_cut && self.sink.wants_more();
        goes_on.then_some(end.at)
    }

    /// Reads all cells from a point on.
    fn cells(&mut self, file: &PlainFile<'_>, at: Checkpoint) -> io::Result<()> {
        let queue = Queue::<S>::default();
        std::thread::scope(|scope| {
            // Where the system gives no more threads, those that there are read, or this one alone.
            let begin = |_: &usize| Builder::new().spawn_scoped(scope, || queue.work(file)).is_ok();
            let started = (0..self.threads).take_while(begin).count();
            // Whatever happens, the threads end.
            let done = catch_unwind(AssertUnwindSafe(|| self.merge(file, at, &queue, started)));
            queue.stop();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn merge(&mut self, file: &PlainFile<'_>, mut at: Checkpoint, queue: &Queue<S>, threads: usize) -> io::Result<()> {
        let mut pause = Pause::default();
        let ahead = (self.threads + AHEAD) as u64;
        loop {
            let merged = if threads == 0 || pause.goes_on() { None } else { self.part(&at, queue, ahead, &mut pause) };
            let next = match merged {
                Some(end) => self.pass(end),
                None => self.cell(file, Some(&at))?,
            };
            match next {
                Some(next) => at = next,
                None => return Ok(()),
            }
        }
    }

    /// Merges the part that begins at a point.
    fn part(&mut self, at: &Checkpoint, queue: &Queue<S>, ahead: u64, pause: &mut Pause) -> Option<End> {
        let number = at.offset / self.reading.cell.max(1);
        let part = queue.part(number, ahead, (self.sink.knowledge(), at.clone()));
        let fitting = part.filter(|part| at.goes_on_as(&part.from));
        let merged = fitting.and_then(|mut part| self.sink.merge(&mut part.sink).then_some(part.end));
        pause.was_part_good(merged.is_some());
        if merged.is_none() {
            queue.forget();
        }
        merged
    }
}

/// Where parts are of no use, cells are read alone for a while: for longer, the more often it was so.
#[derive(Default)]
struct Pause {
    left: u64,
    length: u64,
}

impl Pause {
    /// Whether the next cell is still read alone.
    fn goes_on(&mut self) -> bool {
        let goes_on = self.left > 0;
        self.left = self.left.saturating_sub(1);
        goes_on
    }

    fn was_part_good(&mut self, good: bool) {
        self.left = if good { 0 } else { self.length };
        self.length = if good { 0 } else { (self.length * 2 + 1).min(LONGEST_PAUSE) };
    }
}

/// Cells to be counted, and parts counted of them.
struct Queue<S: Merging> {
    state: Mutex<Cells<S>>,
    changed: Condvar,
}

impl<S: Merging> Default for Queue<S> {
    fn default() -> Self {
        let cells = Cells { round: 0, next: 0, until: 0, known: None, parts: BTreeMap::new(), is_over: false };
        Self { state: Mutex::new(cells), changed: Condvar::new() }
    }
}

type Counted<S> = Option<parts::Part<<S as Merging>::Part>>;

struct Cells<S: Merging> {
    /// What was forgotten is not waited for.
    round: u64,
    next: u64,
    /// Cells before this one may be taken.
    until: u64,
    known: Option<(Arc<S::Knowledge>, Arc<Checkpoint>)>,
    parts: BTreeMap<u64, Counted<S>>,
    is_over: bool,
}

/// A cell that is counted.
struct Taken<K> {
    round: u64,
    number: u64,
    knowledge: Arc<K>,
    known: Arc<Checkpoint>,
}

impl<S: Merging> Queue<S> {
    /// What threads do.
    fn work(&self, file: &PlainFile<'_>) {
        while let Some(taken) = self.take() {
            let part = catch_unwind(AssertUnwindSafe(|| Self::count(file, &taken))).ok().flatten();
            self.give(&taken, part);
        }
    }

    fn count(file: &PlainFile<'_>, taken: &Taken<S::Knowledge>) -> Counted<S> {
        let cell = file.options.cell.max(1);
        let part = S::part(Arc::clone(&taken.knowledge));
        file.guessed(taken.number * cell, Some((taken.number + 1) * cell), &taken.known, part).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Cells<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, cells: MutexGuard<'a, Cells<S>>) -> MutexGuard<'a, Cells<S>> {
        self.changed.wait(cells).unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a cell, once it is counted. Parts up to `ahead` cells on are begun with what is now known.
    fn part(&self, number: u64, ahead: u64, (knowledge, checkpoint): (Arc<S::Knowledge>, Checkpoint)) -> Counted<S> {
        let mut cells = self.lock();
        cells.known = Some((knowledge, Arc::new(checkpoint)));
        cells.parts.retain(|cell, _| *cell >= number);
        cells.next = cells.next.max(number);
        cells.until = number + ahead;
        self.changed.notify_all();
        loop {
            if let Some(part) = cells.parts.remove(&number) {
                return part;
            }
            cells = self.wait(cells);
        }
    }

    /// A cell to count; `None` where there will be no more.
    fn take(&self) -> Option<Taken<S::Knowledge>> {
        let mut cells = self.lock();
        loop {
            if cells.is_over {
                return None;
            }
            if let Some((knowledge, known)) = cells.known.as_ref().filter(|_| cells.next < cells.until) {
                let (knowledge, known) = (Arc::clone(knowledge), Arc::clone(known));
                let taken = Taken { round: cells.round, number: cells.next, knowledge, known };
                cells.next += 1;
                return Some(taken);
            }
            cells = self.wait(cells);
        }
    }

    fn give(&self, taken: &Taken<S::Knowledge>, part: Counted<S>) {
        let mut cells = self.lock();
        if cells.round == taken.round {
            cells.parts.insert(taken.number, part);
            self.changed.notify_all();
        }
    }

    /// Parts that are counted or begun were counted with what is not so: they are begun again.
    fn forget(&self) {
        let mut cells = self.lock();
        cells.round += 1;
        cells.parts.clear();
        (cells.next, cells.until) = (0, 0);
    }

    fn stop(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }
}
