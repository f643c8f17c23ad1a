//! A scan over all files, on several cores, from a checkpoint and with checkpoints.
//!
//! Plain files are counted in cells: threads take them from a queue, and what they counted is merged in the order of
//! the file. A part begins with what is known of the file where the last merged one ended; where that or what was known
//! of its tables turns out to be wrong, the scan itself reads it. So the report is the one of a single pass.

use super::keeping::Refused;
use super::part::{Knowledge, Part};
use super::{Scan, ScanOptions};
use crate::entry::End;
use crate::kept::{In, Out};
use crate::key::Key;
use crate::parts::{self, PlainFile, is_container_file};
use crate::read::{Checkpoint, Options, Reading};
use crate::rows::{Batch, Damage, Entry, Sink, Table, TableId};
use crate::scan::{EntryReport, Report};
use crate::seal::{Opened, Sealed};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::UNIX_EPOCH;

/// More threads than this gain nothing: what they counted is merged on one.
const MOST_CORES: usize = 16;
/// Parts that are waiting to be merged or read, beside one for each thread.
const AHEAD: usize = 2;
/// Cells that are read in one go where parts are of no use again and again.
const LONGEST_PAUSE: u64 = 16;

/// What to scan and how.
pub struct Job<'a> {
    /// The files of the dump.
    pub files: &'a [PathBuf],
    /// The key of all digests, and of checkpoints.
    pub key: &'a Key,
    /// How the dump is counted.
    pub options: ScanOptions,
    /// How it is read.
    pub reading: Options,
    /// How many threads count; at least one, and at most 16.
    pub cores: usize,
    /// Where checkpoints go, and after how many bytes read there is to be one.
    pub keep: Option<(&'a mut dyn Keep, u64)>,
    /// A checkpoint to go on from.
    pub resume: Option<&'a mut dyn Read>,
    /// Is told how many bytes of the files have been read.
    pub progress: Box<dyn FnMut(u64) + Send + 'a>,
}

/// Keeps checkpoints, each whole or not at all: what was kept last stays until the next one has ended.
pub trait Keep {
    /// The bytes of a checkpoint follow.
    ///
    /// # Errors
    /// It cannot be kept; the scan goes on without.
    fn begin(&mut self) -> io::Result<()>;

    /// Some bytes.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// These were all.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn end(&mut self) -> io::Result<()>;
}

/// Why there is no report.
#[derive(Debug)]
pub enum ScanError {
    /// A file could not be opened.
    File(PathBuf, io::Error),
    /// The scan does not go on from the checkpoint.
    Refused(Refused),
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for ScanError {}

/// Counts what is in files. However many cores count, and wherever it is stopped and goes on, the report is the same
/// under the same key.
///
/// # Errors
/// A file cannot be opened, or the checkpoint is not of this scan.
pub fn scan_files(job: Job<'_>) -> Result<Report, ScanError> {
    let Job { files, key, options, mut reading, cores, keep, resume, progress } = job;
    reading.most_damages = usize::MAX;
    reading.from = None;
    let identity = Identity::of(files, key, &reading)?;
    let (scan, from) = match resume {
        Some(from) => Position::kept(from, key, options, &identity).map_err(ScanError::Refused)?,
        None => (Scan::new(key, options), Position::default()),
    };
    let mut run = Run {
        scan,
        reading,
        cores: cores.clamp(1, MOST_CORES),
        keeping: Keeping { keep, identity, file: from.file, first: from.first, before: None, last: from.read },
        entry: from.first,
        read: sizes(files.get(..from.file).unwrap_or_default()),
        progress,
    };
    let mut at = from.at.zip(from.before);
    for (index, path) in files.iter().enumerate().skip(from.file) {
        (run.keeping.file, run.keeping.first) = (index, run.entry);
        run.file(path, at.take())?;
        if run.scan.is_reading_again().0 {
            return Err(ScanError::Refused(Refused::Files));
        }
    }
    Ok(run.scan.finish())
}

fn sizes(files: &[PathBuf]) -> u64 {
    files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|data| data.len()).sum()
}

/// A scan that runs.
struct Run<'a> {
    scan: Scan,
    reading: Options,
    cores: usize,
    keeping: Keeping<'a>,
    /// The next entry's number.
    entry: u32,
    /// Bytes of the files before this one.
    read: u64,
    progress: Box<dyn FnMut(u64) + Send + 'a>,
}

impl<'a> Run<'a> {
    /// Reads a file, or what follows a checkpoint: the point to go on from, and the one before.
    fn file(&mut self, path: &Path, from: Option<(Checkpoint, Checkpoint)>) -> Result<(), ScanError> {
        let failed = |error| ScanError::File(path.to_owned(), error);
        let size = std::fs::metadata(path).map_err(failed)?.len();
        if is_container_file(path).map_err(failed)? {
            self.container(path, from.map(|(_, before)| before)).map_err(failed)?;
        } else {
            self.plain(path, size, from).map_err(failed)?;
        }
        self.read += size;
        Ok(())
    }

    fn watched(&mut self) -> Watched<'_, 'a> {
        Watched { scan: &mut self.scan, keeping: &mut self.keeping, progress: &mut self.progress }
    }

    fn container(&mut self, path: &Path, from: Option<Checkpoint>) -> io::Result<()> {
        let options = Options { from, ..self.reading.clone() };
        let (entry, read) = (self.entry, self.read);
        let mut watched = self.watched();
        let mut reading = Reading::new(&options, &mut watched);
        (reading.entry, reading.read) = (entry, read);
        reading.path(path)?;
        self.entry = reading.entry;
        Ok(())
    }

    fn plain(&mut self, path: &Path, size: u64, from: Option<(Checkpoint, Checkpoint)>) -> io::Result<()> {
        let options = self.reading.clone();
        let file = PlainFile { path, entry: self.entry, options: &options };
        let told = Entry { path: path.to_string_lossy().into_owned(), size: Some(size) };
        let entry = self.entry;
        self.watched().entry(entry, &told);
        self.entry += 1;
        // The cell before is read again for rows that were held.
        let from = from.map(|(_, before)| before);
        if self.cores == 1 {
            return self.read_on(&file, from.as_ref(), None).map(drop);
        }
        let next = self.cell(&file, from.as_ref())?;
        next.map_or(Ok(()), |at| self.cells(&file, at))
    }

    fn end_of_cell(&self, at: Option<&Checkpoint>) -> u64 {
        let cell = self.reading.cell.max(1);
        (at.map_or(0, |at| at.offset) / cell + 1) * cell
    }

    /// Reads a part into the scan itself.
    fn read_on(&mut self, file: &PlainFile<'_>, from: Option<&Checkpoint>, until: Option<u64>) -> io::Result<End> {
        let before = self.read;
        let mut watched = self.watched();
        file.read(from, until, &mut watched, &|read| before + read)
    }

    /// Reads a cell into the scan itself, and returns where the next one begins.
    fn cell(&mut self, file: &PlainFile<'_>, from: Option<&Checkpoint>) -> io::Result<Option<Checkpoint>> {
        let end = self.read_on(file, from, Some(self.end_of_cell(from)))?;
        Ok(self.pass(end))
    }

    /// A cell has been counted.
    fn pass(&mut self, end: End) -> Option<Checkpoint> {
        let (cell, read) = (end.at.offset / self.reading.cell.max(1), self.read + end.at.offset);
        if end.is_cut {
            let mut watched = self.watched();
            watched.checkpoint(&end.at, read);
            watched.edge(cell, &end.at, read);
        }
        let goes_on = end.is_cut && self.scan.wants_more_of_files();
        goes_on.then_some(end.at)
    }

    /// Reads all cells from a point on.
    fn cells(&mut self, file: &PlainFile<'_>, at: Checkpoint) -> io::Result<()> {
        let queue = Queue::default();
        let task = Task { options: self.scan.options, file };
        std::thread::scope(|scope| {
            // Where the system gives no more threads, those that there are read, or this one alone.
            let begin = |_: &usize| Builder::new().spawn_scoped(scope, || task.run(&queue)).is_ok();
            let started = (0..self.cores).take_while(begin).count();
            // Whatever happens, the threads end.
            let done = catch_unwind(AssertUnwindSafe(|| self.merge(file, at, &queue, started)));
            queue.stop();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn merge(&mut self, file: &PlainFile<'_>, mut at: Checkpoint, queue: &Queue, threads: usize) -> io::Result<()> {
        let mut pause = Pause::default();
        let ahead = (self.cores + AHEAD) as u64;
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
    fn part(&mut self, at: &Checkpoint, queue: &Queue, ahead: u64, pause: &mut Pause) -> Option<End> {
        let number = at.offset / self.reading.cell.max(1);
        let part = queue.part(number, ahead, (self.scan.knowledge(), at.clone()));
        let fitting = part.filter(|part| at.goes_on_as(&part.from));
        let merged = fitting.and_then(|mut part| self.scan.merge(&mut part.sink).then_some(part.end));
        pause.was_part_good(merged.is_some());
        if merged.is_none() {
            queue.forget();
        }
        merged
    }
}

/// Where parts are of no use, the scan reads alone for a while: for longer, the more often it was so.
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

/// What threads do.
struct Task<'a> {
    options: ScanOptions,
    file: &'a PlainFile<'a>,
}

impl Task<'_> {
    fn run(&self, queue: &Queue) {
        while let Some(taken) = queue.take() {
            let part = catch_unwind(AssertUnwindSafe(|| self.part(&taken))).ok().flatten();
            queue.give(&taken, part);
        }
    }

    fn part(&self, taken: &Taken) -> Option<parts::Part<Part>> {
        let cell = self.file.options.cell.max(1);
        let part = Part::new(&self.options, Arc::clone(&taken.knowledge));
        self.file.guessed(taken.number * cell, Some((taken.number + 1) * cell), &taken.known, part).ok()
    }
}

/// Cells to be counted, and parts counted of them.
#[derive(Default)]
struct Queue {
    state: Mutex<Cells>,
    changed: Condvar,
}

#[derive(Default)]
struct Cells {
    /// What was forgotten is not waited for.
    round: u64,
    next: u64,
    /// Cells before this one may be taken.
    until: u64,
    known: Option<(Arc<Knowledge>, Arc<Checkpoint>)>,
    parts: BTreeMap<u64, Option<parts::Part<Part>>>,
    is_over: bool,
}

/// A cell that is counted.
struct Taken {
    round: u64,
    number: u64,
    knowledge: Arc<Knowledge>,
    known: Arc<Checkpoint>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Cells> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, cells: MutexGuard<'a, Cells>) -> MutexGuard<'a, Cells> {
        self.changed.wait(cells).unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a cell, once it is counted. Parts up to `ahead` cells on are begun with what is now known.
    fn part(
        &self,
        number: u64,
        ahead: u64,
        (knowledge, checkpoint): (Arc<Knowledge>, Checkpoint),
    ) -> Option<parts::Part<Part>> {
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
    fn take(&self) -> Option<Taken> {
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

    fn give(&self, taken: &Taken, part: Option<parts::Part<Part>>) {
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

/// A scan, with checkpoints written between its cells.
struct Watched<'s, 'a> {
    scan: &'s mut Scan,
    keeping: &'s mut Keeping<'a>,
    progress: &'s mut Box<dyn FnMut(u64) + Send + 'a>,
}

impl Sink for Watched<'_, '_> {
    fn entry(&mut self, index: u32, entry: &Entry) {
        self.keeping.before = None;
        self.scan.entry(index, entry);
    }

    fn table(&mut self, table: &Table) -> TableId {
        self.scan.table(table)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        self.scan.batch(table, batch);
    }

    fn damage(&mut self, damage: Damage) {
        self.scan.damage(damage);
    }

    fn checkpoint(&mut self, _: &Checkpoint, read: u64) {
        (self.progress)(read);
    }

    fn edge(&mut self, cell: u64, checkpoint: &Checkpoint, read: u64) {
        let (was_read_again, _) = self.scan.is_reading_again();
        self.scan.edge(cell, checkpoint, read);
        if !was_read_again {
            self.keeping.keep(self.scan, checkpoint, read);
        }
        self.keeping.before = Some(checkpoint.clone());
    }

    fn wants_more(&self) -> bool {
        self.scan.wants_more()
    }
}

impl Scan {
    /// False where the dump turned out to be another than the one that was scanned before.
    fn wants_more_of_files(&self) -> bool {
        !self.is_reading_again().1
    }
}

/// Writes checkpoints.
struct Keeping<'a> {
    keep: Option<(&'a mut dyn Keep, u64)>,
    identity: Identity,
    file: usize,
    /// The number of the file's first entry.
    first: u32,
    /// Where the cell before began.
    before: Option<Checkpoint>,
    /// How much had been read at the last checkpoint.
    last: u64,
}

impl Keeping<'_> {
    fn keep(&mut self, scan: &Scan, at: &Checkpoint, read: u64) {
        let Some((keep, every)) = &mut self.keep else { return };
        if read < self.last.saturating_add(*every) {
            return;
        }
        let beginning = Checkpoint { entry: at.entry, offset: 0, known: None };
        let position = Position {
            file: self.file,
            first: self.first,
            before: Some(self.before.clone().unwrap_or(beginning)),
            at: Some(at.clone()),
            read,
        };
        self.last = read;
        // What cannot be kept is told by whoever keeps it; the scan goes on.
        let _ = position.keep(scan, &self.identity, &mut **keep);
    }
}

/// Where a scan goes on.
#[derive(Default)]
struct Position {
    file: usize,
    first: u32,
    before: Option<Checkpoint>,
    at: Option<Checkpoint>,
    /// Bytes of the files that had been read: of a container fewer than came out of it.
    read: u64,
}

/// What a scan is of.
struct Identity {
    /// Path, size, time of change and a digest of the beginning, of each file; and how it is read.
    digest: [u8; 32],
    key: Key,
}

/// The first line of a checkpoint: what another version counted by other rules is not gone on with.
const MAGIC: &[u8] = concat!("dyetrace breach checkpoint 3 ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();
/// Bytes of a file's beginning that tell it from others.
const HEAD: u64 = 64 << 10;

impl Identity {
    fn of(files: &[PathBuf], key: &Key, reading: &Options) -> Result<Self, ScanError> {
        let mut all = Vec::new();
        for path in files {
            Self::add(path, key, &mut all).map_err(|error| ScanError::File(path.clone(), error))?;
        }
        let Options { block, sample, examine_every, longest_row, cell, .. } = reading;
        for number in [*block as u64, *sample as u64, *examine_every, *longest_row as u64, *cell] {
            all.extend(number.to_le_bytes());
        }
        Ok(Self { digest: key.digest("files of a scan", &all), key: key.clone() })
    }

    fn add(path: &Path, key: &Key, all: &mut Vec<u8>) -> io::Result<()> {
        let mut file = File::open(path)?;
        let data = file.metadata()?;
        let changed = data.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head)?;
        let path = path.as_os_str().as_encoded_bytes();
        all.extend((path.len() as u64).to_le_bytes());
        all.extend(path);
        all.extend(data.len().to_le_bytes());
        all.extend(changed.to_le_bytes());
        all.extend(key.digest("beginning of a file", &head));
        Ok(())
    }
}

/// Gives bytes to who keeps them.
struct Given<'k>(&'k mut dyn Keep);

impl Write for Given<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.bytes(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Position {
    fn keep(&self, scan: &Scan, identity: &Identity, keep: &mut dyn Keep) -> io::Result<()> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| io::ErrorKind::Unsupported)?;
        keep.begin()?;
        let mut given = Given(keep);
        given.write_all(MAGIC)?;
        given.write_all(&random)?;
        let mut sealed = Sealed::new(&identity.key.of_file(&random), &mut given);
        let mut out = Out(&mut sealed);
        out.bytes(&identity.digest)?;
        scan.options.keep(&mut out)?;
        out.numbers(&[self.file as u64, u64::from(self.first), self.read])?;
        for checkpoint in [&self.before, &self.at] {
            out.text(&serde_json::to_string(checkpoint)?)?;
        }
        let entries: Vec<_> = scan.entries.iter().filter(|entry| entry.index < self.first).collect();
        out.number(entries.len() as u64)?;
        for entry in entries {
            out.number(u64::from(entry.index))?;
            out.text(&entry.path)?;
        }
        scan.keep(&mut out)?;
        sealed.finish()?;
        keep.end()
    }

    fn kept(
        from: &mut dyn Read,
        key: &Key,
        options: ScanOptions,
        identity: &Identity,
    ) -> Result<(Scan, Self), Refused> {
        let (mut magic, mut random) = ([0; MAGIC.len()], [0; 16]);
        from.read_exact(&mut magic).map_err(|_| Refused::NotOurs)?;
        if magic != *MAGIC {
            let is_other = magic.starts_with(b"dyetrace breach checkpoint ");
            return Err(if is_other { Refused::Version } else { Refused::NotOurs });
        }
        from.read_exact(&mut random).map_err(|_| Refused::NotOurs)?;
        let mut opened = Opened::new(&key.of_file(&random), from);
        let mut digest = [0; 32];
        opened.read_exact(&mut digest).map_err(|_| Refused::NotOurs)?;
        if digest != identity.digest {
            return Err(Refused::Files);
        }
        let mut from = In(&mut opened);
        let kept = ScanOptions::kept(&mut from).map_err(|_| Refused::NotOurs)?;
        // The year may have changed while the scan was stopped.
        let options = ScanOptions { year: kept.year, ..options };
        if kept != options {
            return Err(Refused::Options);
        }
        let read = Self::read(&mut from, key, options).map_err(|_| Refused::NotOurs)?;
        if opened.is_at_end() { Ok(read) } else { Err(Refused::NotOurs) }
    }

    fn read(from: &mut In<'_>, key: &Key, options: ScanOptions) -> io::Result<(Scan, Self)> {
        let (file, first, read) = (from.small()?, from.small()?, from.number()?);
        let mut checkpoint = || -> io::Result<Option<Checkpoint>> { Ok(serde_json::from_str(&from.text()?)?) };
        let (before, at) = (checkpoint()?, checkpoint()?);
        let until = at.clone().ok_or_else(crate::kept::invalid)?;
        let mut entries = Vec::new();
        for _ in 0..from.length(super::MOST_TABLES)? {
            entries.push(EntryReport { index: from.small()?, path: from.text()? });
        }
        let mut scan = Scan::kept(from, key, options, until)?;
        scan.entries = entries;
        Ok((scan, Self { file, first, before, at, read }))
    }
}
