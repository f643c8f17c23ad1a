//! Reading archives of anybody's.

use super::{CENTRAL, END, END_64, IN_ZIP64, LOCAL, LOCATOR_64};
use crate::name;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Take};

/// Largest directory in bytes: half a million files.
const LARGEST_DIRECTORY: u64 = 64 << 20;

/// Folders that the files of an archive may need together. A path of 1,024 bytes can name 512.
const MOST_FOLDERS: usize = 65_536;

/// Folders inside one another.
const DEEPEST: usize = 32;

/// Why an archive is not read.
#[derive(Debug)]
pub enum ZipError {
    /// The file could not be read.
    Io(io::Error),
    /// What it holds cannot be right, or is not what bundles hold.
    Refused(String),
}

impl fmt::Display for ZipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ZipError {}

impl From<io::Error> for ZipError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn refused(reason: impl Into<String>) -> ZipError {
    ZipError::Refused(reason.into())
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path; it stays inside whatever folder it is joined to.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where its local header is.
    header: u64,
}

/// An archive whose directory was read.
#[derive(Debug)]
pub struct Archive<R> {
    file: R,
    entries: Vec<Entry>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// The file is no zip archive, is cut short, or holds what a bundle does not: compressed, encrypted or overlapping
    /// entries, names that stand twice or lead out of a folder.
    pub fn open(mut file: R) -> Result<Self, ZipError> {
        let length = file.seek(SeekFrom::End(0))?;
        let directory = directory(&mut file, length)?;
        let entries = entries(&directory)?;
        check_ranges(&entries, length)?;
        Ok(Self { file, entries })
    }

    /// The files, in the order of the directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// Reading failed or there is no file where the directory says.
    pub fn reader(&mut self, entry: &Entry) -> Result<Take<&mut R>, ZipError> {
        self.file.seek(SeekFrom::Start(entry.header))?;
        let mut header = [0; 30];
        self.file.read_exact(&mut header)?;
        if u32_at(&header, 0) != Some(LOCAL) {
            return Err(refused(format!("{} is not where the archive says", entry.name)));
        }
        let skip = i64::from(u16_at(&header, 26).unwrap_or(0)) + i64::from(u16_at(&header, 28).unwrap_or(0));
        self.file.seek(SeekFrom::Current(skip))?;
        Ok(self.file.by_ref().take(entry.bytes))
    }
}

/// The bytes of the central directory.
fn directory<R: Read + Seek>(file: &mut R, length: u64) -> Result<Vec<u8>, ZipError> {
    // The end record of 22 bytes, a comment of up to 65,535, and the Zip64 locator of 20 before them.
    let tail_length = length.min(22 + 65_535 + 20);
    let tail = bytes_at(file, length - tail_length, tail_length)?;
    let is_end = |at: &usize| {
        u32_at(&tail, *at) == Some(END)
            && u16_at(&tail, at + 20).is_some_and(|comment| at + 22 + comment as usize == tail.len())
    };
    let end = (0..tail.len().saturating_sub(21)).rev().find(is_end);
    let end = end.ok_or_else(|| refused("this is no zip archive, or its end is missing"))?;
    let (mut size, mut start) =
        (u64::from(u32_at(&tail, end + 12).unwrap_or(0)), u64::from(u32_at(&tail, end + 16).unwrap_or(0)));
    let locator = end.checked_sub(20).filter(|at| u32_at(&tail, *at) == Some(LOCATOR_64));
    if let Some(at) = locator {
        let record = u64_at(&tail, at + 8).unwrap_or(u64::MAX);
        let record = bytes_at(file, record, 56)?;
        if u32_at(&record, 0) != Some(END_64) {
            return Err(refused("the archive's Zip64 end is not where it says"));
        }
        (size, start) = (u64_at(&record, 40).unwrap_or(0), u64_at(&record, 48).unwrap_or(0));
    }
    let ends_inside = start.checked_add(size).is_some_and(|end| end <= length);
    if !ends_inside || size > LARGEST_DIRECTORY {
        return Err(refused("the archive's directory is not where it says, or too large"));
    }
    bytes_at(file, start, size)
}

fn bytes_at<R: Read + Seek>(file: &mut R, at: u64, length: u64) -> Result<Vec<u8>, ZipError> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(refused("the archive is cut short")) }
}

fn entries(directory: &[u8]) -> Result<Vec<Entry>, ZipError> {
    let mut entries = Vec::new();
    let (mut names, mut folders) = (BTreeSet::new(), BTreeSet::new());
    let mut rest = directory;
    while !rest.is_empty() {
        let (entry, length) = entry(rest)?;
        rest = rest.get(length..).unwrap_or_default();
        let Some(entry) = entry else { continue };
        if !names.insert(entry.name.clone()) {
            return Err(refused(format!("{} stands twice in the archive", entry.name)));
        }
        add_folders(&mut folders, &entry.name)?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Counts the folders that a file needs: unpacking makes them, though they take no room in the archive.
fn add_folders(folders: &mut BTreeSet<String>, name: &str) -> Result<(), ZipError> {
    if name.matches('/').count() > DEEPEST {
        return Err(refused(format!("refused: {} lies deeper than {DEEPEST} folders", name::shown(name))));
    }
    let above = std::iter::successors(name.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
    for (folder, _) in above {
        // Where a folder was counted, so were those above it.
        if !folders.insert(folder.to_owned()) {
            break;
        }
    }
    if folders.len() > MOST_FOLDERS {
        return Err(refused(format!("refused: the archive needs more than {MOST_FOLDERS} folders")));
    }
    Ok(())
}

/// One file of the directory and the length of what is said of it; `None` for a folder.
fn entry(bytes: &[u8]) -> Result<(Option<Entry>, usize), ZipError> {
    let broken = || refused("the archive's directory is broken");
    let short = |at| u16_at(bytes, at).map(usize::from).ok_or_else(broken);
    let long = |at| u32_at(bytes, at).ok_or_else(broken);
    if long(0)? != CENTRAL {
        return Err(broken());
    }
    let (name_length, extra_length, comment_length) = (short(28)?, short(30)?, short(32)?);
    let name = bytes.get(46..46 + name_length).ok_or_else(broken)?;
    let extra = bytes.get(46 + name_length..46 + name_length + extra_length).ok_or_else(broken)?;
    let length = 46 + name_length + extra_length + comment_length;
    let name = std::str::from_utf8(name).map_err(|_| refused("a name in the archive is not UTF-8"))?;
    let is_folder = name.ends_with('/');
    let plain = name.strip_suffix('/').unwrap_or(name);
    name::check(plain).map_err(|reason| refused(format!("refused: the name {} {reason}", name::shown(name))))?;
    if is_folder {
        return Ok((None, length));
    }
    let (flags, method, compressed, size, header) = (short(8)?, short(10)?, long(20)?, long(24)?, long(42)?);
    if method != 0 || flags & 1 != 0 {
        let reason = "is compressed or encrypted, as bundles never are: unpack the archive, and name the folder";
        return Err(refused(format!("{name} {reason}")));
    }
    let mut large = zip64(extra);
    let size = wide(size, &mut large).ok_or_else(broken)?;
    let compressed = wide(compressed, &mut large).ok_or_else(broken)?;
    let header = wide(header, &mut large).ok_or_else(broken)?;
    if compressed != size {
        return Err(broken());
    }
    Ok((Some(Entry { name: name.to_owned(), bytes: size, header }), length))
}

/// A number, or the next of the Zip64 field where it did not fit.
fn wide(number: u32, large: &mut impl Iterator<Item = u64>) -> Option<u64> {
    if number == IN_ZIP64 { large.next() } else { Some(u64::from(number)) }
}

/// The numbers of the Zip64 extra field.
fn zip64(extra: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut rest = extra;
    let mut found: &[u8] = &[];
    while let (Some(id), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let field = rest.get(4..4 + usize::from(length)).unwrap_or_default();
        if id == 1 {
            found = field;
            break;
        }
        rest = rest.get(4 + usize::from(length)..).unwrap_or_default();
    }
    found.chunks_exact(8).filter_map(|chunk| u64_at(chunk, 0))
}

/// No two files share a byte, and all lie in the archive: so they have no more bytes than the archive.
fn check_ranges(entries: &[Entry], length: u64) -> Result<(), ZipError> {
    let mut ranges: Vec<(u64, &Entry)> = entries.iter().map(|entry| (entry.header, entry)).collect();
    ranges.sort_by_key(|(start, _)| *start);
    let mut free = 0;
    for (start, entry) in ranges {
        let least = 30 + entry.name.len() as u64;
        let end = start.checked_add(least).and_then(|data| data.checked_add(entry.bytes));
        match end {
            Some(end) if start >= free && end <= length => free = end,
            _ => return Err(refused(format!("{} overlaps another file of the archive, or its end", entry.name))),
        }
    }
    Ok(())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}
