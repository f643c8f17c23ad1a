//! Tar archives: POSIX.1-2001 pax, GNU and ustar.

use super::stored::{Facts, Shelf};
use dyetrace_case::{FileChange, Time};
use std::io::Read;
use tar::{Archive, Entry, EntryType};

/// The pax record in which a watched folder says when it had this content, as RFC 3339 writes it.
pub const SEEN: &str = "DYETRACE.seen";
/// The pax record that says what happened to the file: `deleted`; or of the folder: `lost`.
pub const EVENT: &str = "DYETRACE.event";

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

/// The pax record of the time with its fraction, in seconds since 1970 (POSIX.1-2001).
const WRITTEN: &str = "mtime";

fn one(mut entry: Entry<'_, impl Read>, files: &mut Shelf<'_, '_>) {
    let Said { seen, event, written } = said(&mut entry);
    let header = entry.header();
    let kind = header.entry_type();
    if !matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse) {
        return;
    }
    let name =
        |name: Option<Result<&str, _>>| name.and_then(Result::ok).filter(|name| !name.is_empty()).map(str::to_owned);
    let owner = name(header.username().transpose().map(|name| name.map_err(drop)));
    let seconds = header.mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
    if event.as_deref() == Some("lost") {
        let at = seen.map(|time| time.to_string()).unwrap_or_default();
        return files.lost(&at, None, "more happened in the watched folder than was told".to_owned());
    }
    let whole = seconds.filter(|seconds| *seconds > 0).and_then(|seconds| seconds.checked_mul(1_000_000_000)).map(Time);
    let facts = Facts {
        path: entry.path_bytes().into_owned(),
        size: entry.size(),
        modified: written.or(whole),
        mode: header.mode().ok(),
        owner: owner.or_else(|| header.uid().ok().map(|uid| uid.to_string())),
        collected: seen,
        change: if event.as_deref() == Some("deleted") { FileChange::Deleted } else { FileChange::Present },
    };
    files.file(facts, &mut entry);
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
