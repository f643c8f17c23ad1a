//! One collected file as a record, and a store as its values.

use super::stores::store_id;
use crate::exhibit::Opened;
use crate::layer::Out;
use dyetrace_case::{
    Blob, BlobWriter, Channel, Damage, Endpoint, FileChange, Flag, Message, Protocol, Record, RecordId, StoreId,
    StoreValues, StoredFile, Time,
};
use dyetrace_stores::{Database, Found, Kind, State, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};

/// What an archive says of a file.
pub(super) struct Facts {
    pub(super) path: Vec<u8>,
    pub(super) size: u64,
    pub(super) modified: Option<Time>,
    pub(super) mode: Option<u32>,
    pub(super) owner: Option<String>,
    pub(super) collected: Option<Time>,
    pub(super) change: FileChange,
    /// Of a further name of a file: the name that stands for its content.
    pub(super) same_as: Option<String>,
}

/// Largest store that is opened; larger ones are searched as they are, and that is said.
const LARGEST_STORE: u64 = 128 << 20;
/// What readers may make of the bytes of one store beside giving them.
const MADE: u64 = 256 << 20;
/// Bytes of a store's values in one record, and values: a larger store has several records.
const BATCH: usize = 4 << 20;
const MOST_VALUES: usize = 10_000;
/// Files of one archive whose digests are remembered to tell copies.
const REMEMBERED: usize = 1 << 20;
/// Damages of one store that are told one by one.
const TOLD: usize = 100;
/// Bytes that the files of an archive may have whatever its own size.
pub(super) const FREE: u64 = 64 << 20;
/// What an entry takes though it be empty: its header (ustar, one block).
const HEADER: u64 = 512;
/// Bytes read at once, and of a file's start by which it is told what it is.
const PIECE: usize = 64 << 10;

/// Makes records of files, in the order of the archive.
pub(super) struct Shelf<'o, 's> {
    out: &'o mut Out<'s>,
    number: u64,
    /// Bytes that files may still have: archives are compressed, and one byte may stand for a thousand.
    room: u64,
    /// The first path with that content.
    first: HashMap<[u8; 32], String>,
    /// A database whose log or journal may be the next file: its path, its content, its record.
    waiting: Option<(Vec<u8>, Whole, Record)>,
    /// Where content is read into: most files are shorter.
    piece: Vec<u8>,
}

impl<'o, 's> Shelf<'o, 's> {
    pub(super) fn new(opened: &Opened, out: &'o mut Out<'s>) -> Self {
        let room = opened.exhibit().bytes.saturating_mul(out.limits.inflate_ratio).saturating_add(FREE);
        Self { out, number: 0, room, first: HashMap::new(), waiting: None, piece: vec![0; PIECE] }
    }

    /// One file with its content.
    pub(super) fn file(&mut self, facts: Facts, content: &mut dyn Read) {
        let beside = self.waiting.as_ref().and_then(|(path, ..)| facts.path.strip_prefix(path.as_slice()));
        let (is_beside, is_log) = (beside.is_some(), beside == Some(b"-wal"));
        let is_journal = beside == Some(b"-journal");
        if !is_beside {
            self.flush(None, None);
        }
        let (path, is_gone) = (facts.path.clone(), facts.change == FileChange::Deleted);
        let (record, content) = self.record(facts, content);
        let store = content.as_ref().filter(|_| !is_gone).and_then(|blob| self.store(&path, blob, &record));
        match store {
            Some((Kind::Sqlite, whole)) if !is_beside => self.waiting = Some((path, whole, record)),
            Some((_, whole)) if is_log => {
                self.flush(Some(&whole), None);
                self.out.record(record);
            }
            Some((Kind::SqliteJournal, whole)) if is_journal => {
                self.flush(None, Some(&whole));
                self.out.record(record);
            }
            Some((kind, whole)) => self.values(record, (&whole, None), &mut |take| {
                dyetrace_stores::read(kind, whole.bytes(), &limits(), take);
            }),
            None => self.out.record(with_body(record, content.filter(|_| !is_gone))),
        }
    }

    /// Something of the archive could not be read.
    pub(super) fn lost(&mut self, place: &str, bytes: Option<u64>, reason: String) {
        super::lost(self.out, place, bytes, reason);
    }

    /// Reads content that makes no record.
    pub(super) fn skip(&mut self, content: &mut dyn Read) -> io::Result<()> {
        let skipped = io::copy(&mut content.take(self.room), &mut io::sink())?;
        self.may_read(skipped);
        Ok(())
    }

    /// Takes bytes out of what may still be read; true where more may be.
    pub(super) fn may_read(&mut self, bytes: u64) -> bool {
        self.room -= bytes.min(self.room);
        self.room > 0
    }

    /// True where nobody wants more, or no more is to be read.
    pub(super) fn is_done(&self) -> bool {
        self.out.stopped() || self.room == 0
    }

    /// The file without its content, and the content.
    fn record(&mut self, facts: Facts, content: &mut dyn Read) -> (Record, Option<Blob>) {
        let id = format!("file:{}", self.number);
        self.number += 1;
        let writer = BlobWriter::expecting(self.out.limits.body, facts.size.min(self.room));
        let Taken { blob, sha256, dropped, failure } = take(&mut content.take(self.room), &mut self.piece, writer);
        let read = blob.len() + dropped;
        if !self.may_read(read.saturating_add(HEADER)) {
            let reason = "the archive inflates beyond all reason; nothing behind this file is read".to_owned();
            self.lost(&format!("behind {id}"), None, reason);
        }
        self.out.tally.packets += 1;
        self.out.tally.payload += read;
        if let Some(error) = failure {
            let reason = format!("the content ends early: {error}");
            self.lost(&id, Some(facts.size.saturating_sub(read)), reason);
        }
        let path = String::from_utf8_lossy(&facts.path).into_owned();
        let same_as = facts.same_as.clone().or_else(|| self.first.get(&sha256).filter(|_| read > 0).cloned());
        if same_as.is_none() && self.first.len() < REMEMBERED {
            self.first.insert(sha256, path);
        }
        let Facts { path, size, modified, mode, owner, collected, change, same_as: _ } = facts;
        let file = StoredFile { size, sha256, modified, mode, owner, collected, change, same_as };
        let request = Message {
            time: collected,
            last: collected,
            method: Some(change.name().to_owned()),
            target: Some(path),
            file: Some(Box::new(file)),
            ..Message::default()
        };
        let record = Record {
            id: RecordId(id),
            exhibit: self.out.exhibit,
            protocol: Protocol::File,
            time: collected,
            client: Endpoint::default(),
            server: Endpoint::default(),
            channel: Channel::unknown(),
            app: None,
            request: Some(request),
            response: None,
            flags: if dropped > 0 { vec![Flag::Cut(dropped)] } else { Vec::new() },
        };
        (record, Some(blob))
    }

    /// The content in one piece, where it is a store.
    fn store(&mut self, path: &[u8], blob: &Blob, record: &Record) -> Option<(Kind, Whole)> {
        let head = start(blob)?;
        let mut tail = [0; dyetrace_stores::TAIL];
        blob.read_at(blob.len().saturating_sub(tail.len() as u64), &mut tail).ok()?;
        let kind = dyetrace_stores::recognise_ends(&String::from_utf8_lossy(path), &head, &tail, blob.len());
        // XML in general is a wrapping that the search undoes itself.
        let kind = kind.filter(|kind| *kind != Kind::Xml)?;
        if blob.len() > LARGEST_STORE {
            let most = LARGEST_STORE >> 20;
            self.tell(record, &format!("a store of more than {most} MiB is searched as it is, without its places"));
            return None;
        }
        let sha256 = record.request.as_ref()?.file.as_ref()?.sha256;
        Some((kind, Whole::of(blob, sha256)?))
    }

    /// Emits the database that waited; `log` or `journal` is the file behind it.
    fn flush(&mut self, log: Option<&Whole>, journal: Option<&Whole>) {
        let Some((_, whole, record)) = self.waiting.take() else { return };
        let database = Database { main: whole.bytes(), wal: log.map(Whole::bytes), journal: journal.map(Whole::bytes) };
        let beside = log.or(journal).map(|whole| whole.sha256);
        self.values(record, (&whole, beside), &mut |take| dyetrace_stores::read_sqlite(&database, &limits(), take));
    }

    /// Emits what a store holds. Readers give every byte of it, also between values; so it is searched as it stands
    /// only where something in it was not understood.
    fn values(&mut self, record: Record, (content, beside): (&Whole, Option<[u8; 32]>), read: &mut Reading<'_>) {
        let path = record.request.as_ref().and_then(|request| request.target.as_deref()).unwrap_or_default();
        let store = store_id(path, &content.sha256, beside.as_ref());
        let mut batch = Batch::new(record, store);
        if let Some(sizes) = self.out.stores.and_then(|stores| stores.known(store)) {
            for size in sizes {
                batch.emit_unread(size, self.out);
            }
            return;
        }
        let out = &mut *self.out;
        read(&mut |found| batch.take(&found, out));
        batch.emit(self.out);
        let Batch { record, damages, untold, sizes, .. } = batch;
        if let Some(stores) = self.out.stores.filter(|_| damages.is_empty() && untold == 0) {
            stores.remember(store, sizes);
        }
        for damage in &damages {
            self.tell(&record, damage);
        }
        if untold > 0 {
            self.tell(&record, &format!("{untold} more places of this store could not be read"));
        }
        if !damages.is_empty() {
            let mut raw = with_body(record, Some(content.blob.clone()));
            raw.id = RecordId(format!("{}/raw", raw.id));
            self.out.record(raw);
        }
    }

    fn tell(&mut self, record: &Record, reason: &str) {
        let (exhibit, place) = (self.out.exhibit, record.id.to_string());
        self.out.damage(Damage {
            exhibit,
            place,
            time: record.time,
            server: None,
            bytes: None,
            reason: reason.to_owned(),
        });
    }
}

impl Drop for Shelf<'_, '_> {
    fn drop(&mut self) {
        self.flush(None, None);
    }
}

/// The first bytes, by which it is told what the file is.
fn start(blob: &Blob) -> Option<Cow<'_, [u8]>> {
    if let Some(bytes) = blob.as_slice() {
        return Some(bytes.get(..PIECE).unwrap_or(bytes).into());
    }
    let mut head = vec![0; PIECE];
    let length = blob.read_at(0, &mut head).ok()?;
    head.truncate(length);
    Some(head.into())
}

/// Content in one piece.
struct Whole {
    blob: Blob,
    sha256: [u8; 32],
    /// Where it is not in memory as it is.
    read: Option<Vec<u8>>,
}

impl Whole {
    /// Absent where it could not be read again.
    fn of(blob: &Blob, sha256: [u8; 32]) -> Option<Self> {
        let mut read = None;
        if blob.as_slice().is_none() {
            let mut bytes = Vec::with_capacity(usize::try_from(blob.len()).ok()?);
            blob.windows(1 << 20, 0, |_, window| bytes.extend_from_slice(window)).ok()?;
            read = Some(bytes);
        }
        Some(Self { blob: blob.clone(), sha256, read })
    }

    fn bytes(&self) -> &[u8] {
        self.read.as_deref().or_else(|| self.blob.as_slice()).unwrap_or_default()
    }
}

/// Calls back with what a store holds.
type Reading<'r> = dyn FnMut(&mut dyn FnMut(Found<'_>)) + 'r;

/// Values of a store on their way into records.
struct Batch {
    /// The file, without content and values.
    record: Record,
    store: StoreId,
    values: StoreValues,
    /// Bytes of the values in each record so far.
    sizes: Vec<usize>,
    damages: Vec<String>,
    untold: u64,
}

impl Batch {
    fn new(record: Record, store: StoreId) -> Self {
        let (values, sizes, damages) = Default::default();
        Self { record, store, values, sizes, damages, untold: 0 }
    }

    fn take(&mut self, found: &Found<'_>, out: &mut Out<'_>) {
        match found {
            Found::Value(value) => self.add(value, out),
            Found::Damage(damage) if self.damages.len() < TOLD => {
                self.damages.push(format!("bytes {} to {}: {}", damage.at.start, damage.at.end, damage.what));
            }
            Found::Damage(_) => self.untold += 1,
        }
    }

    fn add(&mut self, value: &Value<'_>, out: &mut Out<'_>) {
        self.values.push(&Named(value), value.bytes.as_ref());
        if self.values.bytes() >= BATCH || self.values.len() >= MOST_VALUES {
            let next = StoreValues::with_room_of(&self.values);
            self.emit(out);
            self.values = next;
        }
    }

    /// The first record has the file's own name, also where it has no values.
    fn emit(&mut self, out: &mut Out<'_>) {
        if self.values.is_empty() && !self.sizes.is_empty() {
            return;
        }
        let values = std::mem::take(&mut self.values);
        self.emit_values(values, out);
    }

    /// The same in place of values that are not read again.
    fn emit_unread(&mut self, bytes: usize, out: &mut Out<'_>) {
        self.emit_values(StoreValues::unread(bytes), out);
    }

    fn emit_values(&mut self, values: StoreValues, out: &mut Out<'_>) {
        let number = self.sizes.len();
        self.sizes.push(values.bytes());
        let mut record = self.record.clone();
        if number > 0 {
            record.id = RecordId(format!("{}/{number}", record.id));
        }
        if let Some(request) = record.request.as_mut() {
            request.values = values.said_of(self.store, u32::try_from(number).unwrap_or(u32::MAX));
        }
        out.record(record);
    }
}

/// Where a value is in its store, and whether the product would still see it.
struct Named<'v>(&'v Value<'v>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.0.state {
            State::Live => "",
            State::Superseded => " (superseded)",
            State::Uncommitted => " (never committed)",
            State::Deleted => " (deleted)",
            State::Unallocated => " (unallocated)",
        };
        self.0.place.fmt(f)?;
        f.write_str(state)
    }
}

fn limits() -> dyetrace_stores::Limits {
    dyetrace_stores::Limits { made: MADE, ..dyetrace_stores::Limits::default() }
}

fn with_body(mut record: Record, content: Option<Blob>) -> Record {
    if let Some(request) = record.request.as_mut() {
        request.body = content;
    }
    record
}

/// A file's content as it was read.
struct Taken {
    blob: Blob,
    sha256: [u8; 32],
    dropped: u64,
    failure: Option<io::Error>,
}

fn take(content: &mut dyn Read, piece: &mut [u8], mut writer: BlobWriter) -> Taken {
    let mut hash = Sha256::new();
    let failure = loop {
        match content.read(piece) {
            Ok(0) => break None,
            Ok(length) => {
                let bytes = piece.get(..length).unwrap_or_default();
                hash.update(bytes);
                writer.push(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    let dropped = writer.dropped();
    Taken { blob: writer.finish(), sha256: hash.finalize().into(), dropped, failure }
}
