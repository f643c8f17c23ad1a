//! ZIP archives (APPNOTE 6.3), by their central directory.

use super::stored::{Facts, Shelf};
use dyetrace_case::{FileChange, Time};
use std::collections::HashSet;
use std::io::{Read, Seek};
use zip::ZipArchive;
use zip::read::ZipFile;

pub(super) fn read(content: impl Read + Seek, files: &mut Shelf<'_, '_>, progress: &mut dyn FnMut(u64)) {
    let mut archive = match ZipArchive::new(content) {
        Ok(archive) => archive,
        Err(error) => return files.lost("byte 0", None, format!("no ZIP archive can be read: {error}")),
    };
    if archive.has_duplicate_names() {
        let reason = "several entries have one name; only the last of them is read".to_owned();
        files.lost("the directory", None, reason);
    }
    for index in 0..archive.len() {
        match archive.by_index(index) {
            Ok(file) if file.is_file() => {
                let (start, length) = (file.data_start().unwrap_or(0), file.compressed_size());
                one(file, files);
                progress(start.saturating_add(length));
            }
            Ok(_) => {}
            Err(error) => files.lost(&format!("entry {index}"), None, format!("an entry cannot be read: {error}")),
        }
        if files.is_done() {
            return;
        }
    }
}

/// The paths of its files, as far as it can be read.
pub(super) fn paths(content: impl Read + Seek, most: usize) -> HashSet<Vec<u8>> {
    let Ok(mut archive) = ZipArchive::new(content) else { return HashSet::new() };
    let mut paths = HashSet::new();
    for index in 0..archive.len().min(most) {
        if let Ok(file) = archive.by_index_raw(index)
            && file.is_file()
        {
            paths.insert(file.name_raw().to_vec());
        }
    }
    paths
}

fn one<R: Read>(mut file: ZipFile<'_, R>, files: &mut Shelf<'_, '_>) {
    let facts = Facts {
        path: file.name_raw().to_vec(),
        size: file.size(),
        modified: modified(&file),
        mode: file.unix_mode(),
        owner: None,
        collected: None,
        change: FileChange::Present,
        same_as: None,
    };
    files.file(facts, &mut file);
}

/// The time of a ZIP entry has no zone: it is given only where the extended timestamp (Info-ZIP, 0x5455) has it.
fn modified<R: Read>(file: &ZipFile<'_, R>) -> Option<Time> {
    let seconds = file.extra_data_fields().find_map(|field| match field {
        zip::extra_fields::ExtraField::ExtendedTimestamp(stamp) => stamp.mod_time(),
        _ => None,
    })?;
    i64::from(seconds).checked_mul(1_000_000_000).map(Time)
}
