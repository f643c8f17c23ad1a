//! A scan over all files, on several cores, from a checkpoint and with checkpoints.

use super::keeping::Refused;
use super::part::{Knowledge, Part};
use super::{Scan, ScanOptions};
use crate::cores::{Cores, Merging};
use crate::keep::{Given, Keep, identity, open};
use crate::kept::{In, Out};
use crate::key::Key;
use crate::read::{Checkpoint, Options};
use crate::rows::{Batch, Damage, Entry, Sink, Table, TableId};
use crate::scan::{EntryReport, Report};
use crate::seal::Sealed;
use crate::streams::Streams;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// What to scan and how.
pub struct Job<'a> {
    /// The files of the dump.
    pub files: &'a [PathBuf],
    /// Those of them that can be read only once: each is read on one core, and there are no checkpoints.
    pub streams: Streams,
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

/// Why there is no report.
#[derive(Debug)]
pub enum ScanError {
    /// A file could not be opened.
    File(PathBuf, io::Error),
    /// A scan of what can be read only once can neither be kept nor gone on with.
    Stream(PathBuf),
    /// The scan does not go on from the checkpoint.
    Refused(Refused),
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Stream(path) => {
                write!(f, "{}: a pipe can be read only once, so there are no checkpoints", path.display())
            }
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
    let Job { files, mut streams, key, options, mut reading, cores, keep, resume, progress } = job;
    reading.most_damages = usize::MAX;
    reading.from = None;
    let keeps = keep.is_some() || resume.is_some();
    if let Some(path) = streams.first().filter(|_| keeps) {
        return Err(ScanError::Stream(path.to_owned()));
    }
    // Whoever keeps nothing needs no identity, and what is a pipe has none.
    let identity = if keeps { Identity::of(files, key, &reading)? } else { Identity::none(key) };
    let (scan, from) = match resume {
        Some(from) => Position::kept(from, key, options, &identity).map_err(ScanError::Refused)?,
        None => (Scan::new(key, options), Position::default()),
    };
    let keeping = Keeping { keep, identity, file: from.file, first: from.first, before: None, last: from.read };
    let mut run = Cores::new(Watched { scan, keeping, progress }, reading, cores);
    (run.entry, run.read) = (from.first, sizes(files.get(..from.file).unwrap_or_default()));
    // The cell before is read again for rows that were held.
    let mut before = from.at.and(from.before);
    for (index, path) in files.iter().enumerate().skip(from.file) {
        (run.sink.keeping.file, run.sink.keeping.first) = (index, run.entry);
        let read = match streams.take(path) {
            Some(stream) => run.stream(path, stream),
            None => run.file(path, before.take()),
        };
        read.map_err(|error| ScanError::File(path.clone(), error))?;
        if run.sink.scan.is_reading_again().0 {
            return Err(ScanError::Refused(Refused::Files));
        }
    }
    Ok(run.sink.scan.finish())
}

fn sizes(files: &[PathBuf]) -> u64 {
    files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|data| data.len()).sum()
}

/// A scan, with checkpoints written between its cells.
struct Watched<'a> {
    scan: Scan,
    keeping: Keeping<'a>,
    progress: Box<dyn FnMut(u64) + Send + 'a>,
}

impl Sink for Watched<'_> {
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
            self.keeping.keep(&self.scan, checkpoint, read);
        }
        self.keeping.before = Some(checkpoint.clone());
    }

    fn wants_more(&self) -> bool {
        self.scan.wants_more()
    }
}

impl Merging for Watched<'_> {
    type Knowledge = Knowledge;
    type Part = Part;

    fn knowledge(&mut self) -> Arc<Knowledge> {
        self.scan.knowledge()
    }

    fn part(knowledge: Arc<Knowledge>) -> Part {
        Part::new(knowledge)
    }

    fn merge(&mut self, part: &mut Part) -> bool {
        self.scan.merge(part)
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
const MAGIC: &[u8] = concat!("dyetrace breach checkpoint 4 ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();

impl Identity {
    fn of(files: &[PathBuf], key: &Key, reading: &Options) -> Result<Self, ScanError> {
        let digest = identity("files of a scan", files, key, reading);
        let digest = digest.map_err(|(path, error)| ScanError::File(path, error))?;
        Ok(Self { digest, key: key.clone() })
    }

    /// Of a scan that is not kept.
    fn none(key: &Key) -> Self {
        Self { digest: [0; 32], key: key.clone() }
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
        let mut opened = open(from, MAGIC, key, &identity.digest)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Opened;
    use std::fmt::Write as _;

    #[derive(Default)]
    struct Kept(Vec<Vec<u8>>);

    impl Keep for Kept {
        fn begin(&mut self) -> io::Result<()> {
            self.0.push(Vec::new());
            Ok(())
        }

        fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.last_mut().unwrap().extend_from_slice(bytes);
            Ok(())
        }

        fn end(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Customers in two tables, one of which has too few rows to be typed, and all values of them.
    fn planted() -> (String, Vec<String>) {
        let (mut dump, mut values) = (
            "CREATE TABLE `members` (`login` text, `secret` text, `mail` text, `tel` text, `street` text);\n"
                .to_owned(),
            Vec::new(),
        );
        for n in 0..3000_u64 {
            let r = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 30;
            let row = [
                format!("login{r}"),
                if n % 3 == 0 { format!("typed-{r}") } else { format!("{r:032x}") },
                format!("mail{r}@post.test"),
                (13_800_000_000 + r % 100_000_000).to_string(),
                format!("{} Long Street", r % 100_000),
            ];
            let _ = writeln!(dump, "INSERT INTO `members` VALUES ('{}');", row.join("','"));
            if n % 9 == 0 {
                let _ = writeln!(dump, "INSERT INTO `notes` VALUES ('note of {r}','{}');", row[2]);
            }
            if n % 100 == 7 {
                let _ = writeln!(dump, "INSERT INTO `members` VALUES ('broken{r}\n");
            }
            values.extend(row);
            values.extend([format!("note of {r}"), format!("broken{r}")]);
        }
        (dump, values)
    }

    #[test]
    fn what_a_checkpoint_holds_when_it_is_opened_is_no_value_of_the_dump() {
        let (dump, values) = planted();
        let path = std::env::temp_dir().join(format!("dyetrace-breach-opened-{}", std::process::id()));
        std::fs::write(&path, dump).unwrap();
        let (key, mut kept) = (Key::from_bytes([9; 32]), Kept::default());
        let cell = 32 << 10;
        let reading = Options { block: 16 << 10, sample: 4 << 10, examine_every: 4 << 10, cell, ..Options::default() };
        let done = scan_files(Job {
            files: std::slice::from_ref(&path),
            streams: Streams::default(),
            key: &key,
            options: ScanOptions { k: 3, ..ScanOptions::default() },
            reading,
            cores: 2,
            keep: Some((&mut kept, 0)),
            resume: None,
            progress: Box::new(|_| ()),
        });
        std::fs::remove_file(&path).unwrap();
        assert!(done.unwrap().people.people > 2000 && kept.0.len() > 5);
        let mut has_names = false;
        for checkpoint in &kept.0 {
            let (random, mut sealed) = checkpoint[MAGIC.len()..].split_at(16);
            let mut opened = Vec::new();
            Opened::new(&key.of_file(random), &mut sealed).read_to_end(&mut opened).unwrap();
            let holds = |bytes: &[u8]| memchr::memmem::find(&opened, bytes).is_some();
            has_names = holds(b"members") && holds(b"street") && holds(b"post.test");
            for value in &values {
                assert!(!holds(value.as_bytes()), "{value}");
                let number: Option<u64> = value.parse().ok();
                assert!(number.is_none_or(|number| !holds(&number.to_le_bytes())), "{value} as a number");
            }
        }
        assert!(has_names, "in the last one are names, so it was opened");
    }
}
