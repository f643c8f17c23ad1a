//! Tar archives: POSIX.1-2001 pax, GNU and ustar.

use super::stored::{Facts, Shelf};
use dyetrace_case::{FileChange, Time};
use std::io::Read;
use tar::{Archive, Entry, EntryType};

/// The pax record in which a watched folder says when it had this content, as RFC 3339 writes it.
pub(crate) const SEEN: &str = "DYETRACE.seen";
/// The pax record that says what happened to the file: `deleted`.
pub(crate) const EVENT: &str = "DYETRACE.event";

pub(super) fn read(content: impl Read, files: &mut Shelf<'_, '_>, progress: &mut dyn FnMut()) {
    let mut archive = Archive::new(content);
    let mut at = 0;
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return files.lost("byte 0", None, format!("no tar archive can be read: {error}")),
    };
    for entry in entries {
        match entry {
            Ok(entry) => {
                at = entry.raw_file_position();
                one(entry, files);
            }
            // Where a header is broken, nothing tells where the next one is.
            Err(error) => {
                let reason = format!("the archive cannot be read from here on: {error}");
                return files.lost(&format!("behind byte {at}"), None, reason);
            }
        }
        progress();
        if files.is_done() {
            return;
        }
    }
}

fn one(mut entry: Entry<'_, impl Read>, files: &mut Shelf<'_, '_>) {
    let (seen, event) = said(&mut entry);
    let header = entry.header();
    let kind = header.entry_type();
    if !matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse) {
        return;
    }
    let name =
        |name: Option<Result<&str, _>>| name.and_then(Result::ok).filter(|name| !name.is_empty()).map(str::to_owned);
    let owner = name(header.username().transpose().map(|name| name.map_err(drop)));
    let seconds = header.mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
    let facts = Facts {
        path: entry.path_bytes().into_owned(),
        size: entry.size(),
        modified: seconds
            .filter(|seconds| *seconds > 0)
            .and_then(|seconds| seconds.checked_mul(1_000_000_000))
            .map(Time),
        mode: header.mode().ok(),
        owner: owner.or_else(|| header.uid().ok().map(|uid| uid.to_string())),
        collected: seen,
        change: if event.as_deref() == Some("deleted") { FileChange::Deleted } else { FileChange::Present },
    };
    files.file(facts, &mut entry);
}

/// What a watcher wrote beside the file.
fn said(entry: &mut Entry<'_, impl Read>) -> (Option<Time>, Option<String>) {
    let (mut seen, mut event) = (None, None);
    if let Ok(Some(extensions)) = entry.pax_extensions() {
        for extension in extensions.flatten() {
            match (extension.key(), extension.value()) {
                (Ok(SEEN), Ok(value)) => seen = value.parse().ok(),
                (Ok(EVENT), Ok(value)) => event = Some(value.to_owned()),
                _ => {}
            }
        }
    }
    (seen, event)
}
