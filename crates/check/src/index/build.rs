//! Making an index, in memory that does not grow with the people: identifiers are evaluated at once and forgotten, what
//! is left of them (bucket, tag, sealing key, record) is parted by bucket into unnamed temporary files, and each part is
//! sorted, sealed, padded and written.

use super::{MAGIC, PAGE, PREFIX, first_bucket};
use crate::evaluate::Key;
use crate::identifier::Identifier;
use crate::manifest::{FORMAT, MOST_BITS, MOST_FRAME, Manifest, SIGNED_AS, SignedManifest, Source, bucket_bits};
use crate::merkle::{self, DIGEST, Tree};
use crate::oprf::SUITE;
use crate::record::{self, MOST_FIELDS, MOST_SOURCES, Record, TAG};
use crate::to_hex;
use ed25519_dalek::{Signer as _, SigningKey};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread;

/// Temporary files. Of 200 million identifiers each holds about 50 MB.
const PARTS: usize = 256;
/// Bits of a bucket's number that do not choose its part.
const PART_SHIFT: u32 = MOST_BITS - 8;
/// Bytes of one identifier in a part: bucket, tag, sealing key, source, fields.
const ROW: usize = 4 + TAG + 32 + 1 + 8;
/// Identifiers that one thread evaluates at once.
const BATCH: usize = 512;

/// Somebody who is in a dump.
pub struct Person {
    /// By what they can ask.
    pub identifiers: Vec<Identifier>,
    /// Which of the plan's sources they are in.
    pub source: u8,
    /// A bit for each field of theirs that is in it.
    pub fields: u64,
}

/// What is decided before the first person.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The dumps, at most 8.
    pub sources: Vec<Source>,
    /// Identifiers that each bucket must hold at least.
    pub k: u32,
    /// Bits of a bucket's number, at most 20: `None` for as many as `k` allows.
    pub bits: Option<u32>,
}

/// Why there is no index.
#[derive(Debug)]
pub enum NotBuilt {
    /// Something could not be written or read.
    Io(io::Error),
    /// There are no sources or more than 8, more than 63 fields, more than 20 bits, or a person of no source.
    Plan,
    /// With that many bits the smallest bucket would hold fewer than `k`: the number it holds.
    TooFew(u32),
    /// A bucket would be larger than a client accepts.
    TooLarge,
}

impl fmt::Display for NotBuilt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the index could not be written: {error}"),
            Self::Plan => write!(
                formatter,
                "an index has 1 to {MOST_SOURCES} sources, up to {MOST_FIELDS} fields and up to {MOST_BITS} bits"
            ),
            Self::TooFew(smallest) => {
                write!(formatter, "the smallest bucket would hold {smallest} identifiers, fewer than k")
            }
            Self::TooLarge => write!(formatter, "a bucket would have more than {MOST_FRAME} bytes: allow a smaller k"),
        }
    }
}

impl std::error::Error for NotBuilt {}

impl From<io::Error> for NotBuilt {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// An index that is being made.
pub struct Builder<'a> {
    plan: Plan,
    key: &'a Key,
    bucket_key: [u8; 32],
    parts: Vec<BufWriter<File>>,
    waiting: Vec<Waiting>,
    threads: usize,
    people: u64,
}

struct Waiting {
    identifier: Identifier,
    source: u8,
    fields: u64,
}

impl<'a> Builder<'a> {
    /// Begins. Temporary files are made in a folder, which should be on the disk that the index is for; they have no
    /// names, so nothing is left of them whatever happens.
    pub fn new(plan: Plan, key: &'a Key, folder: &Path) -> Result<Self, NotBuilt> {
        if !(1..=MOST_SOURCES).contains(&plan.sources.len()) || plan.bits.is_some_and(|bits| bits > MOST_BITS) {
            return Err(NotBuilt::Plan);
        }
        let mut bucket_key = [0; 32];
        getrandom::fill(&mut bucket_key).map_err(io::Error::from)?;
        let part = |_| Ok(BufWriter::with_capacity(ROW * 512, tempfile::tempfile_in(folder)?));
        let parts = (0..PARTS).map(part).collect::<io::Result<_>>()?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { plan, key, bucket_key, parts, waiting: Vec::new(), threads, people: 0 })
    }

    /// Adds somebody. Who is added again, also by another identifier, has all that was said of them.
    pub fn add(&mut self, person: Person) -> Result<(), NotBuilt> {
        let Person { identifiers, source, fields } = person;
        if usize::from(source) >= self.plan.sources.len() {
            return Err(NotBuilt::Plan);
        }
        self.people += 1;
        self.waiting.extend(identifiers.into_iter().map(|identifier| Waiting { identifier, source, fields }));
        if self.waiting.len() >= BATCH * self.threads { self.evaluate() } else { Ok(()) }
    }

    /// Writes the index, signed. `fields` are the names of the bits that the people had.
    pub fn finish(mut self, fields: Vec<String>, signer: &SigningKey, path: &Path) -> Result<Manifest, NotBuilt> {
        if fields.len() > MOST_FIELDS {
            return Err(NotBuilt::Plan);
        }
        self.evaluate()?;
        let mut parts: Vec<File> = Vec::with_capacity(PARTS);
        for part in std::mem::take(&mut self.parts) {
            parts.push(part.into_inner().map_err(io::IntoInnerError::into_error)?);
        }
        let counts = counts(&mut parts)?;
        let manifest = self.shape(&counts, fields)?;
        let unfinished = Unfinished::new(path)?;
        let manifest = write(&unfinished.file, &mut parts, manifest, signer)?;
        unfinished.finish(path)?;
        Ok(manifest)
    }

    fn evaluate(&mut self) -> Result<(), NotBuilt> {
        let waiting = std::mem::take(&mut self.waiting);
        let (key, bucket_key) = (self.key, &self.bucket_key);
        let rows: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> =
                waiting.chunks(BATCH).map(|batch| scope.spawn(move || rows(batch, key, bucket_key))).collect();
            running
                .into_iter()
                .map(|thread| thread.join().map_err(|_| io::Error::other("a thread ended")))
                .collect::<io::Result<_>>()
        })?;
        for row in rows.into_iter().flatten() {
            if let Some(part) = self.parts.get_mut(row.bucket as usize >> PART_SHIFT) {
                part.write_all(&row.to_bytes())?;
            }
        }
        Ok(())
    }

    /// The manifest, without the root: how many bits, and how large buckets must be.
    fn shape(&self, counts: &[u32], fields: Vec<String>) -> Result<Manifest, NotBuilt> {
        let mut counts = counts.to_vec();
        let identifiers = counts.iter().map(|count| u64::from(*count)).sum();
        let mut bits = MOST_BITS;
        let smallest = |counts: &[u32]| counts.iter().copied().min().unwrap_or(0);
        while bits > 0 && self.plan.bits.map_or(smallest(&counts) < self.plan.k, |asked| bits > asked) {
            let (pairs, _) = counts.as_chunks::<2>();
            counts = pairs.iter().map(|[left, right]| left.saturating_add(*right)).collect();
            bits -= 1;
        }
        if smallest(&counts) < self.plan.k {
            return Err(NotBuilt::TooFew(smallest(&counts)));
        }
        let mut index = [0; 16];
        getrandom::fill(&mut index).map_err(io::Error::from)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            index: to_hex(&index),
            suite: SUITE.to_owned(),
            public_key: to_hex(&self.key.public()),
            bucket_key: to_hex(&self.bucket_key),
            bits,
            capacity: counts.iter().copied().max().unwrap_or(0).max(1),
            k: self.plan.k,
            identifiers,
            people: self.people,
            sources: self.plan.sources.clone(),
            fields,
            root: to_hex(&[0; DIGEST]),
        };
        if manifest.frame_bytes() > MOST_FRAME { Err(NotBuilt::TooLarge) } else { Ok(manifest) }
    }
}

/// What is left of an identifier.
struct Row {
    bucket: u32,
    tag: [u8; TAG],
    key: [u8; 32],
    source: u8,
    fields: u64,
}

impl Row {
    fn to_bytes(&self) -> [u8; ROW] {
        let mut bytes = [0; ROW];
        let parts = [&self.bucket.to_be_bytes()[..], &self.tag, &self.key, &[self.source], &self.fields.to_le_bytes()];
        for (byte, value) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *byte = *value;
        }
        bytes
    }
}

fn rows(batch: &[Waiting], key: &Key, bucket_key: &[u8; 32]) -> Vec<Row> {
    let inputs: Vec<&[u8]> = batch.iter().map(|waiting| waiting.identifier.bytes()).collect();
    let row = |(waiting, output): (&Waiting, _)| Row {
        bucket: bucket_bits(bucket_key, &waiting.identifier),
        tag: record::tag(&output),
        key: record::sealing_key(&output),
        source: waiting.source,
        fields: waiting.fields,
    };
    batch.iter().zip(key.outputs(&inputs)).map(row).collect()
}

/// An identifier with all that was said of it.
struct Entry {
    bucket: u32,
    tag: [u8; TAG],
    key: [u8; 32],
    record: Record,
}

/// The identifiers of a part, by bucket and tag, each once.
fn entries(part: &mut File) -> io::Result<Vec<Entry>> {
    part.rewind()?;
    let mut bytes = Vec::new();
    BufReader::new(part).read_to_end(&mut bytes)?;
    let (rows, _) = bytes.as_chunks_mut::<ROW>();
    // Bucket and tag are the first bytes, in the order in which they sort.
    rows.sort_unstable();
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for entry in rows.iter().filter_map(entry) {
        match entries.last_mut() {
            Some(last) if last.bucket == entry.bucket && last.tag == entry.tag => last.record.join(&entry.record),
            _ => entries.push(entry),
        }
    }
    Ok(entries)
}

fn entry(row: &[u8; ROW]) -> Option<Entry> {
    let (bucket, rest) = row.split_first_chunk()?;
    let (tag, rest) = rest.split_first_chunk()?;
    let (key, rest) = rest.split_first_chunk()?;
    let (source, fields) = rest.split_first()?;
    let record = Record::one(*source, u64::from_le_bytes(fields.try_into().ok()?))?;
    Some(Entry { bucket: u32::from_be_bytes(*bucket), tag: *tag, key: *key, record })
}

/// Identifiers in each of the 2^20 smallest buckets.
fn counts(parts: &mut [File]) -> io::Result<Vec<u32>> {
    let mut counts = vec![0_u32; 1 << MOST_BITS];
    for part in parts {
        for entry in entries(part)? {
            if let Some(count) = counts.get_mut(entry.bucket as usize) {
                *count = count.saturating_add(1);
            }
        }
    }
    Ok(counts)
}

/// Writes buckets, then paths, then the head, whose length is known before its contents are.
fn write(file: &File, parts: &mut [File], mut manifest: Manifest, signer: &SigningKey) -> Result<Manifest, NotBuilt> {
    let first = first_bucket(head(&manifest, signer)?.len());
    let mut buckets = Buckets::new(file, first, &manifest)?;
    for part in parts {
        for entry in entries(part)? {
            buckets.push(&entry)?;
        }
    }
    let tree = Tree::new(buckets.finish()?);
    let (frame, entries) = (manifest.frame_bytes() as u64, manifest.entries_bytes() as u64);
    for number in 0..manifest.buckets() {
        file.write_all_at(&tree.path(number), first + u64::from(number) * frame + entries)?;
    }
    manifest.root = to_hex(&tree.root());
    let head = head(&manifest, signer)?;
    debug_assert_eq!(first, first_bucket(head.len()), "the head's length does not depend on the root");
    let length = u32::try_from(head.len()).map_err(|_| NotBuilt::Plan)?;
    file.write_all_at(&[MAGIC.as_slice(), &length.to_le_bytes(), &head].concat(), 0)?;
    Ok(manifest)
}

fn head(manifest: &Manifest, signer: &SigningKey) -> Result<Vec<u8>, NotBuilt> {
    let text = serde_json::to_string(manifest).map_err(|_| NotBuilt::Plan)?;
    let signature = signer.sign(&[SIGNED_AS, text.as_bytes()].concat());
    let head = SignedManifest {
        manifest: text,
        signer: to_hex(signer.verifying_key().as_bytes()),
        signature: to_hex(&signature.to_bytes()),
    };
    // What would not be believed by a client is not written.
    head.trusted(None).map_err(|_| NotBuilt::Plan)?;
    serde_json::to_vec(&head).map_err(|_| NotBuilt::Plan)
}

/// Writes bucket after bucket, padded.
struct Buckets<'a> {
    out: BufWriter<&'a File>,
    manifest: &'a Manifest,
    index: [u8; 16],
    number: u32,
    /// The entries of the bucket that is being filled.
    filled: Vec<Vec<u8>>,
    leaves: Vec<merkle::Digest>,
}

impl<'a> Buckets<'a> {
    fn new(mut file: &'a File, first: u64, manifest: &'a Manifest) -> Result<Self, NotBuilt> {
        file.set_len(first)?;
        file.seek(io::SeekFrom::Start(first))?;
        let out = BufWriter::with_capacity(1 << 20, file);
        let index = manifest.id().ok_or(NotBuilt::Plan)?;
        Ok(Self { out, manifest, index, number: 0, filled: Vec::new(), leaves: Vec::new() })
    }

    fn push(&mut self, entry: &Entry) -> Result<(), NotBuilt> {
        let bucket = entry.bucket >> (MOST_BITS - self.manifest.bits);
        while self.number < bucket {
            self.close()?;
        }
        let sources = self.manifest.sources.len();
        let sealed = record::seal(&self.index, &entry.tag, &entry.key, &entry.record, sources).ok_or(NotBuilt::Plan)?;
        self.filled.push(sealed);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<merkle::Digest>, NotBuilt> {
        while self.number < self.manifest.buckets() {
            self.close()?;
        }
        self.out.flush()?;
        Ok(self.leaves)
    }

    /// Pads the bucket with entries that nobody's output finds, and sorts: real ones and others cannot be told apart.
    fn close(&mut self) -> Result<(), NotBuilt> {
        let missing = (self.manifest.capacity as usize).checked_sub(self.filled.len()).ok_or(NotBuilt::TooLarge)?;
        let mut padding = vec![0; missing * record::entry_bytes(self.manifest.sources.len())];
        getrandom::fill(&mut padding).map_err(io::Error::from)?;
        let padding = padding.chunks(record::entry_bytes(self.manifest.sources.len())).map(<[u8]>::to_vec);
        self.filled.extend(padding);
        self.filled.sort_unstable();
        let bucket = self.filled.concat();
        self.filled.clear();
        self.leaves.push(merkle::leaf(&bucket));
        self.out.write_all(&bucket)?;
        self.out.write_all(&vec![0; self.manifest.bits as usize * DIGEST])?;
        self.number += 1;
        Ok(())
    }
}

/// A file that gets its name when it is whole, and is removed when it never is.
struct Unfinished {
    file: File,
    path: PathBuf,
}

impl Unfinished {
    fn new(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        let path = path.with_file_name(name);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        Ok(Self { file, path })
    }

    fn finish(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the renaming there is nothing of this name.
        let _ = std::fs::remove_file(&self.path);
    }
}

const _: () = assert!(PAGE as usize > PREFIX && PARTS << PART_SHIFT == 1 << MOST_BITS);
