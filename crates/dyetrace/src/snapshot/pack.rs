//! A folder as a tar archive: what is in it, as it is.

use crate::exit::Fault;
use crate::progress::Progress;
use dyetrace_case::Time;
use dyetrace_evidence::snapshot::{EVENT, INCOMPLETE, SEEN};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// The global pax record that says when the files of an archive were collected, as RFC 3339 writes it.
const COLLECTED: &str = "DYETRACE.collected";

/// Files of one folder; more are no app's.
const MOST_FILES: usize = 5_000_000;

/// What was packed.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// What is not in the archive as it was, in words.
    pub(super) warnings: Vec<String>,
    /// A file or folder could not be read: what is not in the archive may have been there all the same.
    pub(super) is_incomplete: bool,
}

impl Packed {
    fn misses(&mut self, warning: &str) {
        self.warnings.push(warning.to_owned());
        self.is_incomplete = true;
    }
}

/// Packs a folder into a new file, which is there whole or not at all.
///
/// `collected` goes into the archive's head: a folder in which nothing changed makes another exhibit all the same, for
/// that it was still so is a fact of its own.
pub(super) fn folder(source: &Path, exhibit: &Path, collected: Time) -> Result<Packed, Fault> {
    let (mut packed, mut entries) = (Packed::default(), Vec::new());
    walk(source, &mut entries, &mut packed)?;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let progress = Progress::new(entries.iter().map(|(_, data)| data.len()).sum());
    progress.begin("collecting", &source.to_string_lossy());
    let part = Part::create(exhibit)?;
    let mut builder = Builder::new(io::BufWriter::with_capacity(1 << 20, &part.file));
    say_of_archive(&mut builder, COLLECTED, &collected.to_string()).map_err(|error| Fault::file(exhibit, &error))?;
    for (path, data) in &entries {
        let name = path.strip_prefix(source).unwrap_or(path);
        let added = match entry(&mut builder, path, name, data, &[]) {
            Ok(added) => added,
            Err(Failed::Reading(error)) => {
                packed.misses(&format!("{}: {error}; it is not in the snapshot", path.display()));
                continue;
            }
            Err(Failed::Writing(error)) => return Err(Fault::file(exhibit, &error)),
        };
        if let Some(warning) = added.warning {
            packed.warnings.push(format!("{}: {warning}", path.display()));
            packed.is_incomplete |= added.is_incomplete;
        }
        packed.files += u64::from(data.is_file());
        packed.bytes += added.bytes;
        progress.at(packed.bytes);
    }
    if packed.is_incomplete {
        let said = say_of(&mut builder, Path::new("dyetrace-incomplete"), collected, INCOMPLETE);
        said.map_err(|error| Fault::file(exhibit, &error))?;
    }
    let written = builder.into_inner().and_then(|mut out| out.flush());
    written.map_err(|error| Fault::file(exhibit, &error))?;
    progress.done();
    part.finish()?;
    Ok(packed)
}

/// Copies an archive as it is; gives its bytes.
pub(super) fn copy(source: &Path, exhibit: &Path) -> Result<u64, Fault> {
    let mut from = File::open(source).map_err(|error| Fault::file(source, &error))?;
    let part = Part::create(exhibit)?;
    let bytes = io::copy(&mut from, &mut &part.file).map_err(|error| Fault::file(exhibit, &error))?;
    part.finish()?;
    Ok(bytes)
}

/// A file that gets its name when it is whole.
struct Part {
    file: File,
    path: PathBuf,
    name: PathBuf,
}

impl Part {
    fn create(name: &Path) -> Result<Self, Fault> {
        let path = name.with_extension("part");
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| Fault::file(&path, &error))?;
        Ok(Self { file, path, name: name.to_owned() })
    }

    /// An exhibit is never written over: where the name is taken, linking fails.
    fn finish(self) -> Result<(), Fault> {
        let named = self.file.sync_all().and_then(|()| fs::hard_link(&self.path, &self.name));
        named.map_err(|error| Fault::file(&self.name, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Everything below a folder; links are not followed.
fn walk(folder: &Path, entries: &mut Vec<(PathBuf, Metadata)>, packed: &mut Packed) -> Result<(), Fault> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if entries.is_empty() && folders.is_empty() => return Err(Fault::file(&folder, &error)),
            Err(error) => {
                packed.misses(&format!("{}: {error}; what is in it is not in the snapshot", folder.display()));
                continue;
            }
        };
        for listed in listed {
            let path = match listed {
                Ok(entry) => entry.path(),
                Err(error) => {
                    packed.misses(&format!("{}: {error}; not all of it is in the snapshot", folder.display()));
                    break;
                }
            };
            match fs::symlink_metadata(&path) {
                Ok(data) if data.is_dir() => folders.push(path.clone()),
                Ok(data) if data.is_file() || data.is_symlink() => entries.push((path, data)),
                Ok(data) => {
                    let what = if data.file_type().is_socket() { "a socket" } else { "a device or pipe" };
                    packed.warnings.push(format!("{}: {what}, which has no content", path.display()));
                }
                Err(error) => packed.misses(&format!("{}: {error}; it is not in the snapshot", path.display())),
            }
        }
        if entries.len() > MOST_FILES {
            let fault = Fault::new(format!("{} holds more than {MOST_FILES} files", folder.display()));
            return Err(fault.hint("name the folder of one app"));
        }
    }
    Ok(())
}

/// A record about the whole archive: a global extended header (POSIX.1-2001, pax, typeflag `g`).
fn say_of_archive<W: Write>(builder: &mut Builder<W>, key: &str, value: &str) -> io::Result<()> {
    // The record begins with its own length, which counts its own digits.
    let rest = format!(" {key}={value}\n");
    let length =
        (1..=3).map(|digits| rest.len() + digits).find(|length| length.to_string().len() + rest.len() == *length);
    let record = format!("{}{rest}", length.unwrap_or(rest.len()));
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XGlobalHeader);
    header.set_path("pax_global_header")?;
    header.set_size(record.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    builder.append(&header, record.as_bytes())
}

/// A file without content that says what happened, and when.
pub(super) fn say_of<W: Write>(builder: &mut Builder<W>, name: &Path, seen: Time, event: &str) -> io::Result<()> {
    let seen = seen.to_string();
    builder.append_pax_extensions([(SEEN, seen.as_bytes()), (EVENT, event.as_bytes())])?;
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o600);
    builder.append_data(&mut header, name, io::empty())
}

/// Opens a file that may have become a link, a pipe or a device since it was looked at: links are not followed, and
/// nothing waits for a writer.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file any more")) }
}

/// Refuses a folder into which the exhibits themselves are written: it would hold them, and grow by what it holds.
pub(super) fn refuse_own_exhibits(folder: &Path, case: &Path) -> Result<(), Fault> {
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| Fault::file(path, &error));
    if !real(case)?.join("evidence").starts_with(real(folder)?) {
        return Ok(());
    }
    let fault =
        Fault::new(format!("{} holds the case, whose exhibits would become part of the exhibit", folder.display()));
    Err(fault.hint("name the product's own folder, or move the case elsewhere"))
}

/// What was added for one file.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) bytes: u64,
    /// What is not as it was.
    pub(super) warning: Option<String>,
    /// Bytes of it are missing.
    pub(super) is_incomplete: bool,
}

/// Why a file was not added.
#[derive(Debug)]
pub(super) enum Failed {
    /// It could not be read; the archive is as it was before.
    Reading(io::Error),
    /// The archive could not be written.
    Writing(io::Error),
}

/// Adds one file with what the file system says of it. `said` are further pax records.
pub(super) fn entry<W: Write>(
    builder: &mut Builder<W>,
    path: &Path,
    name: &Path,
    data: &Metadata,
    said: &[(&str, String)],
) -> Result<Added, Failed> {
    let mut header = Header::new_gnu();
    header.set_mode(data.mode() & 0o7777);
    header.set_uid(data.uid().into());
    header.set_gid(data.gid().into());
    header.set_mtime(data.mtime().max(0).unsigned_abs());
    if data.is_symlink() {
        let target = fs::read_link(path).map_err(Failed::Reading)?;
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, name, target).map_err(Failed::Writing)?;
        return Ok(Added { bytes: 0, warning: None, is_incomplete: false });
    }
    let file = open_file(path).map_err(Failed::Reading)?;
    let size = file.metadata().map_err(Failed::Reading)?.len();
    let written = format!("{}.{:09}", data.mtime(), data.mtime_nsec());
    let records = [("mtime", written.as_bytes())].into_iter();
    let records = records.chain(said.iter().map(|(key, value)| (*key, value.as_bytes())));
    builder.append_pax_extensions(records).map_err(Failed::Writing)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    let mut content = Exactly { inner: file, left: size, missing: 0, failed: None };
    builder.append_data(&mut header, name, &mut content).map_err(Failed::Writing)?;
    let Exactly { mut inner, missing, failed, .. } = content;
    let is_incomplete = failed.is_some();
    let warning = match failed {
        Some(error) => Some(format!("{error}; {missing} bytes of it are zeros in the snapshot")),
        None if missing > 0 => Some(format!("it became shorter while it was read; {missing} bytes of it are zeros")),
        None if inner.read(&mut [0]).is_ok_and(|more| more > 0) => {
            Some("it became longer while it was read".to_owned())
        }
        None => None,
    };
    Ok(Added { bytes: size, warning, is_incomplete })
}

/// As many bytes as the header says, whatever the file does meanwhile.
struct Exactly {
    inner: File,
    left: u64,
    missing: u64,
    failed: Option<io::Error>,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let read = if self.missing > 0 { Ok(0) } else { self.inner.read(buffer) };
        let read = read.unwrap_or_else(|error| {
            self.failed = Some(error);
            0
        });
        if read == 0 {
            buffer.fill(0);
            self.missing += buffer.len() as u64;
        }
        let given = if read == 0 { buffer.len() } else { read };
        self.left -= given as u64;
        Ok(given)
    }
}

/// SHA-256 of a file.
pub(super) fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    io::copy(&mut open_file(path)?, &mut Writes(&mut hash))?;
    Ok(hash.finalize().into())
}

/// A digest that is written to.
struct Writes<'a>(&'a mut Sha256);

impl Write for Writes<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
