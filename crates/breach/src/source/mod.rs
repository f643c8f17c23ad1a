//! Containers, opened as streams and never to disk: what they hold is found one entry after the other.

mod bounded;
mod sevenz;
mod tar;
mod workbook;
mod zip;
mod zstd;

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::rows::Entry;
use bounded::Bounded;
pub(crate) use bounded::Budget;

/// An entry that is no container, or one that cannot be read.
pub(crate) struct Found<'a> {
    pub(crate) entry: Entry,
    pub(crate) content: Content<'a>,
}

/// What there is to read of an entry.
pub(crate) enum Content<'a> {
    Bytes(&'a mut dyn Read),
    /// A worksheet's rows, as [`crate::dialect::sheet`] reads them, and its name.
    Sheet(&'a mut dyn Read, String),
    /// The entry, or the rest of its container, cannot be read; why, in words for the responder.
    Unreadable(&'static str),
    /// Nothing: what was given last has been read, but is not as it was packed; why.
    Damaged(&'static str),
}

/// Who is told of entries.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(Found<'_>);

/// A file, or bytes in memory.
pub(crate) trait SeekRead: Read + Seek {}

impl<T: Read + Seek> SeekRead for T {}

/// Where a container's bytes come from.
pub(crate) enum Source<'s> {
    /// From its beginning, and again if need be.
    File(&'s mut dyn SeekRead),
    /// Once.
    Stream(&'s mut dyn Read),
}

impl Source<'_> {
    fn as_read(&mut self) -> &mut dyn Read {
        match self {
            Self::File(file) => file,
            Self::Stream(stream) => stream,
        }
    }
}

/// Counts what is read.
pub(crate) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, count: Rc::default() }
    }

    pub(crate) fn count(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let place = self.inner.seek(to)?;
        self.count.set(place);
        Ok(place)
    }
}

/// Containers within containers are opened to this depth.
const DEEPEST: usize = 4;

/// How much of a file shows what container it is: a tar header.
const HEAD: usize = 512;

/// How large a container within another may be whose index stands at its end (7z).
const MOST_IN_MEMORY: u64 = 64 << 20;

/// Where an entry is among containers.
#[derive(Clone)]
struct Here {
    path: String,
    size: Option<u64>,
    depth: usize,
    budget: Budget,
}

impl Here {
    /// An entry named in this container.
    fn inside(&self, name: &str, size: Option<u64>) -> Self {
        Self { path: format!("{}!{name}", self.path), size, depth: self.depth + 1, budget: self.budget.clone() }
    }

    /// The one thing this file was packed from: `users.sql.gz` holds `users.sql`.
    fn unpacked(&self, endings: &[&str]) -> Self {
        let file = self.path.rsplit(['/', '\\', '!']).next().unwrap_or(&self.path);
        let ending = endings.iter().find(|ending| file.to_ascii_lowercase().ends_with(*ending));
        let name = ending.map_or(file, |ending| file.get(..file.len() - ending.len()).unwrap_or(file));
        self.inside(name, None)
    }

    fn tell(&self, content: Content<'_>, visit: Visit<'_>) {
        visit(Found { entry: Entry { path: self.path.clone(), size: self.size }, content });
    }

    fn unreadable(&self, why: &'static str, visit: Visit<'_>) {
        self.tell(Content::Unreadable(why), visit);
    }
}

/// Whether a file that begins like this is taken apart before it is read.
pub(crate) fn is_container(head: &[u8]) -> bool {
    let marks: [&[u8]; 7] =
        [b"7z\xBC\xAF", b"\x1F\x8B\x08", b"\x28\xB5\x2F\xFD", b"PK\x03\x04", b"Rar!", b"BZh", b"\xFD7zXZ"];
    marks.iter().any(|mark| head.starts_with(mark)) || head.get(257..262) == Some(b"ustar")
}

/// Finds what is in a file.
pub(crate) fn walk(path: &str, size: Option<u64>, source: Source<'_>, budget: Budget, visit: Visit<'_>) {
    walk_at(&Here { path: path.to_owned(), size, depth: 0, budget }, source, visit);
}

fn walk_at(here: &Here, mut source: Source<'_>, visit: Visit<'_>) {
    let mut head = Vec::new();
    // An error here comes again where the content is read.
    let _ = source.as_read().take(HEAD as u64).read_to_end(&mut head);
    if head.starts_with(b"7z\xBC\xAF\x27\x1C") && here.depth < DEEPEST {
        return sevenz::walk(here, &head, source, visit);
    }
    if head.starts_with(b"PK\x03\x04") && here.depth < DEEPEST && workbook::may_begin(&head) {
        return workbook::walk(here, &head, source, visit);
    }
    let mut whole = io::Cursor::new(&head).chain(source.as_read());
    if here.depth >= DEEPEST {
        return here.tell(Content::Bytes(&mut whole), visit);
    }
    match head.as_slice() {
        [0x1F, 0x8B, 8, ..] => {
            let inner = here.unpacked(&[".gz", ".gzip"]);
            let members = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole));
            walk_at(&inner, Source::Stream(&mut Bounded::new(members, &here.budget)), visit);
        }
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            let inner = here.unpacked(&[".zst", ".zstd"]);
            let frames = zstd::Frames::new(BufReader::with_capacity(BUFFER, whole));
            walk_at(&inner, Source::Stream(&mut Bounded::new(frames, &here.budget)), visit);
        }
        [b'P', b'K', 3, 4, ..] => zip::walk(here, &mut BufReader::with_capacity(BUFFER, whole), visit),
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => here.unreadable(OLD_OFFICE, visit),
        [b'R', b'a', b'r', b'!', 0x1A, 7, ..] => here.unreadable("RAR archives are not read: unpack it first", visit),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => {
            here.unreadable("bzip2 is not read: unpack it first", visit);
        }
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => here.unreadable("xz is not read: unpack it first", visit),
        _ if head.get(257..262) == Some(b"ustar") => tar::walk(here, &mut whole, visit),
        _ => here.tell(Content::Bytes(&mut whole), visit),
    }
}

/// Both are compound files ([MS-CFB] 2.2): a workbook with a password is encrypted inside of one.
const OLD_OFFICE: &str =
    "old office files (.xls) and workbooks with a password are not read: save them as .xlsx without one, or as CSV";

/// How many packed bytes are read at once.
const BUFFER: usize = 64 << 10;
