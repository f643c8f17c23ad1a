//! One file of evidence: recognised, digested, and opened for reading as often as needed.
//!
//! Opening reads the file once from end to end, for its SHA-256 and for what may stand anywhere in
//! a capture but is needed from its first packet on: TLS secrets and the names of apps.

mod recognise;
mod wrapping;

pub use recognise::{HEAD, Kind, Unknown, recognise};
pub use wrapping::Wrapping;

pub(crate) use recognise::PCAP_MAGICS;

use crate::capture::{Apps, Preview, Remarks, preview};
use dyetrace_case::{Exhibit, ExhibitId, Format, Secret};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a file could not be opened as an exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// The byte at which reading failed, where it got that far.
    pub offset: Option<u64>,
    /// What is wrong, and what would help.
    pub reason: String,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        if let Some(offset) = self.offset {
            write!(f, "byte {offset}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for OpenError {}

/// An exhibit whose format is known and whose digest was taken.
#[derive(Debug, Clone)]
pub struct Opened {
    source: Source,
    exhibit: Exhibit,
    wrapping: Wrapping,
    secrets: Vec<Vec<u8>>,
    secrets_dropped: u64,
    remarks: Remarks,
    dropped: Option<u64>,
    apps: Apps,
    password: Option<Secret>,
}

#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

impl Opened {
    /// Digest, path, size and format.
    pub fn exhibit(&self) -> &Exhibit {
        &self.exhibit
    }

    /// The same exhibit under the name it shall have in reports.
    #[must_use]
    pub fn named(mut self, name: String) -> Self {
        self.exhibit.path = name;
        self
    }

    /// The same exhibit with the password that an encrypted backup was made with.
    #[must_use]
    pub fn unlocked(mut self, password: Option<Secret>) -> Self {
        self.password = password;
        self
    }

    /// The password, where one was given.
    pub(crate) fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// The compression around the content.
    pub fn wrapping(&self) -> Wrapping {
        self.wrapping
    }

    /// TLS key logs found inside (pcapng Decryption Secrets Blocks), in the order of the file.
    pub fn secrets(&self) -> &[Vec<u8>] {
        &self.secrets
    }

    /// What a guard did, where this is a journal of dyetrace.
    pub(crate) fn remarks(&self) -> &Remarks {
        &self.remarks
    }

    /// Bytes of key logs inside that were too many to keep.
    pub(crate) fn secrets_dropped(&self) -> u64 {
        self.secrets_dropped
    }

    /// Packets that the recorder of a capture says it dropped; absent where it does not say.
    pub fn dropped(&self) -> Option<u64> {
        self.dropped
    }

    /// Apps named by blocks of the capture.
    pub(crate) fn apps(&self) -> &Apps {
        &self.apps
    }

    /// Opens the file as it lies on disk.
    pub(crate) fn seekable(&self) -> io::Result<Box<dyn Seekable>> {
        Ok(match &self.source {
            Source::File(path) => Box::new(io::BufReader::new(File::open(path)?)),
            Source::Memory(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
        })
    }

    /// Opens the content, its compression undone, from its start.
    pub(crate) fn content(&self) -> io::Result<Content> {
        let done = Arc::new(AtomicU64::new(0));
        let reader: Box<dyn Read> = match &self.source {
            Source::File(path) => self.wrapping.undo(Counted { inner: File::open(path)?, done: Arc::clone(&done) }),
            Source::Memory(bytes) => {
                let inner = io::Cursor::new(Arc::clone(bytes));
                self.wrapping.undo(Counted { inner, done: Arc::clone(&done) })
            }
        };
        Ok(Content { reader, done })
    }
}

/// A file, or bytes that stand for one.
pub(crate) trait Seekable: Read + Seek {}

impl<T: Read + Seek> Seekable for T {}

/// The content of an exhibit as a stream.
pub(crate) struct Content {
    reader: Box<dyn Read>,
    done: Arc<AtomicU64>,
}

/// Tells how far into the file (as it lies on disk) a [`Content`] has been read.
#[derive(Clone)]
pub(crate) struct Done(Arc<AtomicU64>);

impl Content {
    /// The counter of bytes read from disk, which stays valid when the content is given away.
    pub(crate) fn done(&self) -> Done {
        Done(Arc::clone(&self.done))
    }
}

impl Done {
    /// Bytes of the file that were read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

struct Counted<R> {
    inner: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens a file: tells its format, takes its digest, and collects the secrets inside. `progress`
/// is called with the bytes done so far.
///
/// # Errors
/// The file cannot be read, or is of no format that is read here.
pub fn open(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Opened, OpenError> {
    let fail = |reason: String| OpenError { path: path.to_owned(), offset: None, reason };
    let metadata = std::fs::metadata(path).map_err(|error| fail(plain_words(&error)))?;
    if metadata.is_dir() {
        return Err(fail("is a folder, not a capture or archive".to_owned()));
    }
    if !metadata.is_file() {
        return Err(fail("is not a regular file; exhibits are read twice, so save it to a file first".to_owned()));
    }
    let mut file = File::open(path).map_err(|error| fail(plain_words(&error)))?;
    let shown = path.to_string_lossy().into_owned();
    let result = survey(&mut file, progress);
    let surveyed = result.map_err(|(offset, reason)| OpenError { path: path.to_owned(), offset, reason })?;
    Ok(surveyed.opened(Source::File(path.to_owned()), shown))
}

/// As [`open`], for bytes in memory. `name` stands for the path.
///
/// # Errors
/// The bytes are of no format that is read here.
pub fn open_bytes(name: &str, bytes: &[u8]) -> Result<Opened, OpenError> {
    let result = survey(&mut io::Cursor::new(bytes), &mut |_| ());
    let surveyed = result.map_err(|(offset, reason)| OpenError { path: name.into(), offset, reason })?;
    Ok(surveyed.opened(Source::Memory(bytes.into()), name.to_owned()))
}

/// What the first pass over a file gave.
struct Survey {
    kind: Kind,
    digest: [u8; 32],
    bytes: u64,
    preview: Preview,
}

impl Survey {
    fn opened(self, source: Source, path: String) -> Opened {
        let id = ExhibitId(self.digest);
        let exhibit = Exhibit { id, path, bytes: self.bytes, format: self.kind.format };
        let Preview { secrets, secrets_dropped, apps, dropped, remarks } = self.preview;
        Opened {
            source,
            exhibit,
            wrapping: self.kind.wrapping,
            secrets,
            secrets_dropped,
            apps,
            dropped,
            remarks,
            password: None,
        }
    }
}

/// The first pass. Errors are an offset and a reason.
fn survey(file: &mut (impl Read + Seek), progress: &mut dyn FnMut(u64)) -> Result<Survey, (Option<u64>, String)> {
    let mut head = Vec::new();
    let read = file.take(HEAD as u64).read_to_end(&mut head).and_then(|_| file.seek(SeekFrom::Start(0)));
    read.map_err(|error| (Some(head.len() as u64), plain_words(&error)))?;
    let kind = recognise(&head).map_err(|unknown| (None, not_read(&head, unknown)))?;
    let mut tee = Tee { inner: file, hash: Sha256::new(), bytes: 0, progress };
    let preview = match kind.format {
        Format::Pcapng => preview(kind.wrapping.undo(&mut tee)),
        _ => Preview::default(),
    };
    let mut buffer = vec![0; 128 << 10];
    loop {
        match tee.read(&mut buffer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((Some(tee.bytes), plain_words(&error))),
        }
    }
    Ok(Survey { kind, digest: tee.hash.finalize().into(), bytes: tee.bytes, preview })
}

fn not_read(head: &[u8], unknown: Unknown) -> String {
    const READ: &str = "dyetrace reads pcap and pcapng (plain, gzip or zstd), HAR 1.2, mitmproxy flow files, and collected files in \
                        tar, ZIP and Android backups";
    match unknown.looks_like {
        _ if head.is_empty() => format!("the file is empty; {READ}"),
        Some(what) => format!("looks like {what}; {READ}"),
        None => format!("is of no format known here; {READ}"),
    }
}

fn plain_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read (permission denied)".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// Digests what passes through.
struct Tee<'a, R> {
    inner: &'a mut R,
    hash: Sha256,
    bytes: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        (self.progress)(self.bytes);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file_and_what_would_help() {
        let missing = open(Path::new("/no/such/file"), &mut |_| ()).unwrap_err();
        assert_eq!(missing.to_string(), "/no/such/file: there is no such file");
        let folder = open(Path::new("/"), &mut |_| ()).unwrap_err();
        assert_eq!(folder.reason, "is a folder, not a capture or archive");
        let rar = open_bytes("trip.rar", b"Rar!........").unwrap_err();
        assert!(rar.reason.starts_with("looks like a RAR archive") && rar.reason.contains("HAR"), "{rar}");
        let empty = open_bytes("empty", b"").unwrap_err();
        assert!(empty.reason.starts_with("the file is empty"), "{empty}");
    }

    #[test]
    fn the_digest_is_of_the_file_as_it_lies_on_disk() {
        let opened = open_bytes("a.har", b"{\"log\":{}}").unwrap();
        let expected: [u8; 32] = Sha256::digest(b"{\"log\":{}}").into();
        assert_eq!((opened.exhibit().id, opened.exhibit().bytes), (ExhibitId(expected), 10));
        assert_eq!(opened.exhibit().format, Format::Har);
        let mut content = Vec::new();
        let mut reader = opened.content().unwrap();
        reader.read_to_end(&mut content).unwrap();
        assert_eq!((content.as_slice(), reader.done().bytes()), (&b"{\"log\":{}}"[..], 10));
    }
}
