//! Tar archives: POSIX.1-2001 pax, GNU and ustar.

use super::stored::{Facts, Shelf};
use dyetrace_case::{FileChange, Time};
use std::cell::Cell;
use std::collections::HashSet;
use std::io::{self, Read};
use std::rc::Rc;
use tar::{Archive, Entry, EntryType};

/// The pax record in which a watched folder says when it had this content, as RFC 3339 writes it.
pub const SEEN: &str = "DYETRACE.seen";
/// The pax record that says what happened to the file: `deleted`; or of the folder: `lost`.
pub const EVENT: &str = "DYETRACE.event";

/// The pax record in which an archive made here says that it does not hold all files of its folder.
pub const INCOMPLETE: &str = "incomplete";

/// What may stand before a file: its header, and names and records that are longer than a header holds.
const BEFORE_A_FILE: u64 = 1 << 20;

/// Files of the archive as records. What is not content is read through [`Bounded`]: long names, records and the maps
/// of sparse files are kept in memory whole, and a compressed archive may say that there are gigabytes of them.
pub(super) fn read(content: impl Read, files: &mut Shelf<'_, '_>, progress: &mut dyn FnMut()) {
    let left = Rc::new(Cell::new(BEFORE_A_FILE));
    let mut archive = Archive::new(Bounded { inner: content, left: Rc::clone(&left) });
    if entries(&mut archive, &left, files, progress) {
        left.set(u64::MAX);
        behind(&mut archive.into_inner(), files);
    }
}

/// The paths of its files, as far as it can be read.
pub(super) fn paths(content: impl Read, most: usize) -> HashSet<Vec<u8>> {
    let left = Rc::new(Cell::new(BEFORE_A_FILE));
    let mut archive = Archive::new(Bounded { inner: content, left: Rc::clone(&left) });
    let mut paths = HashSet::new();
    for mut entry in archive.entries().into_iter().flatten().map_while(Result::ok) {
        left.set(u64::MAX);
        if is_file(entry.header().entry_type(), entry.size()) {
            paths.insert(entry.path_bytes().into_owned());
        }
        if paths.len() >= most || io::copy(&mut entry, &mut io::sink()).is_err() {
            break;
        }
        left.set(BEFORE_A_FILE);
    }
    paths
}

/// True where the archive was read to its end.
fn entries<R: Read>(
    archive: &mut Archive<Bounded<R>>,
    left: &Cell<u64>,
    files: &mut Shelf<'_, '_>,
    progress: &mut dyn FnMut(),
) -> bool {
    let mut at = 0;
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            files.lost("byte 0", None, format!("no tar archive can be read: {}", error.kind()));
            return false;
        }
    };
    for entry in entries {
        match entry {
            Ok(mut entry) => {
                at = entry.raw_file_position();
                files.may_read(BEFORE_A_FILE.saturating_sub(left.replace(u64::MAX)));
                one(&mut entry, files);
                // What nobody wanted of it, a folder's content say: no part of what may stand before the next file.
                if let Err(error) = files.skip(&mut entry) {
                    files.lost(&format!("byte {at}"), None, format!("the content ends early: {}", error.kind()));
                    return false;
                }
                left.set(BEFORE_A_FILE);
            }
            // Where a header is broken, nothing tells where the next one is. The words of the error hold names.
            Err(error) => {
                let reason = format!("the archive cannot be read from here on: {}", error.kind());
                files.lost(&format!("behind byte {at}"), None, reason);
                return false;
            }
        }
        progress();
        if files.is_done() {
            return false;
        }
    }
    true
}

/// Bytes behind the end that the archive says it has: another archive, or anything.
fn behind(rest: &mut impl Read, files: &mut Shelf<'_, '_>) {
    let mut piece = vec![0; 64 << 10];
    let (mut bytes, mut zeros) = (0u64, 0u64);
    while let Ok(length @ 1..) = rest.read(&mut piece) {
        let empty = piece.iter().take(length).filter(|byte| **byte == 0).count();
        (bytes, zeros) = (bytes.saturating_add(length as u64), zeros.saturating_add(empty as u64));
        if !files.may_read(length as u64) {
            break;
        }
    }
    if bytes > zeros {
        files.lost("behind the end", Some(bytes), "what follows the end of the archive is not read".to_owned());
    }
}

/// Gives as many bytes as are left to give, and then an error.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("what stands before a file is too long"));
        }
        let read = self.inner.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

/// The pax record of the time with its fraction, in seconds since 1970 (POSIX.1-2001).
const WRITTEN: &str = "mtime";

fn one(entry: &mut Entry<'_, impl Read>, files: &mut Shelf<'_, '_>) {
    let Said { seen, event, written } = said(entry);
    let header = entry.header();
    let kind = header.entry_type();
    if !is_file(kind, entry.size()) {
        return;
    }
    let name =
        |name: Option<Result<&str, _>>| name.and_then(Result::ok).filter(|name| !name.is_empty()).map(str::to_owned);
    let owner = name(header.username().transpose().map(|name| name.map_err(drop)));
    let seconds = header.mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
    let lost = match event.as_deref() {
        Some("lost") => Some("more happened in the watched folder than was told"),
        Some(INCOMPLETE) => Some("not every file of the folder could be read when it was collected"),
        _ => None,
    };
    if let Some(lost) = lost {
        return files.lost(&seen.map(|time| time.to_string()).unwrap_or_default(), None, lost.to_owned());
    }
    let is_empty = entry.size() == 0;
    let same_as = if kind == EntryType::Link { entry.link_name_bytes() } else { None };
    let same_as = same_as.map(|name| String::from_utf8_lossy(&name).into_owned());
    let whole = seconds.filter(|seconds| *seconds > 0).and_then(|seconds| seconds.checked_mul(1_000_000_000)).map(Time);
    let facts = Facts {
        path: entry.path_bytes().into_owned(),
        size: entry.size(),
        modified: written.or(whole),
        mode: header.mode().ok(),
        owner: owner.or_else(|| header.uid().ok().map(|uid| uid.to_string())),
        collected: seen,
        same_as,
        change: match event.as_deref() {
            Some("deleted") if is_empty => FileChange::Deleted,
            Some("created") => FileChange::Created,
            _ => FileChange::Present,
        },
    };
    files.file(facts, entry);
}

/// Types that nobody knows are to be read as files (POSIX.1-2001, ustar); a further name of a file is told without content.
fn is_file(kind: EntryType, size: u64) -> bool {
    let is_other = kind.is_dir()
        || kind.is_symlink()
        || kind.is_fifo()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_pax_global_extensions();
    !is_other
        && (size > 0
            || matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Link))
}

/// What stands beside a file.
#[derive(Default)]
struct Said {
    seen: Option<Time>,
    event: Option<String>,
    written: Option<Time>,
}

fn said(entry: &mut Entry<'_, impl Read>) -> Said {
    let mut said = Said::default();
    if let Ok(Some(extensions)) = entry.pax_extensions() {
        for extension in extensions.flatten() {
            match (extension.key(), extension.value()) {
                (Ok(SEEN), Ok(value)) => said.seen = value.parse().ok(),
                (Ok(EVENT), Ok(value)) => said.event = Some(value.to_owned()),
                (Ok(WRITTEN), Ok(value)) => said.written = with_fraction(value),
                _ => {}
            }
        }
    }
    said
}

fn with_fraction(text: &str) -> Option<Time> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.get(..fraction.len().min(9))?;
    let nanos: i64 = format!("{digits:0<9}").parse().ok()?;
    let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Time)
}
