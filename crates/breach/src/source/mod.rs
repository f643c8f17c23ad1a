//! Containers, opened as streams and never to disk: what they hold is found one entry after the other.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use crate::rows::Entry;

/// An entry that is no container.
pub(crate) struct Found<'a> {
    pub(crate) entry: Entry,
    pub(crate) content: &'a mut dyn Read,
}

/// Counts what is read.
pub(crate) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Counted<R> {
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

/// Containers within containers are opened to this depth.
const DEEPEST: usize = 4;

/// Finds what is in a file.
pub(crate) fn walk(path: &str, size: Option<u64>, source: Box<dyn Read + '_>, found: &mut dyn FnMut(Found<'_>)) {
    walk_at(path.to_owned(), size, source, found, 0);
}

fn walk_at(
    path: String,
    size: Option<u64>,
    mut source: Box<dyn Read + '_>,
    found: &mut dyn FnMut(Found<'_>),
    depth: usize,
) {
    let mut head = Vec::new();
    // An error here comes again where the content is read.
    let _ = source.as_mut().take(HEAD as u64).read_to_end(&mut head);
    let is_gzip = head.starts_with(&[0x1F, 0x8B, 8]);
    let mut whole = io::Cursor::new(head).chain(source);
    if is_gzip && depth < DEEPEST {
        let inner = inner_name(&path, &[".gz", ".gzip", ".tgz"]);
        walk_at(inner, None, Box::new(MultiGzDecoder::new(whole)), found, depth + 1);
    } else {
        found(Found { entry: Entry { path, size }, content: &mut whole });
    }
}

/// How much of a file shows what container it is: a tar header.
const HEAD: usize = 512;

/// `users.sql.gz` holds `users.sql`.
fn inner_name(path: &str, endings: &[&str]) -> String {
    let file = path.rsplit(['/', '\\', '!']).next().unwrap_or(path);
    let ending = endings.iter().find(|ending| file.to_ascii_lowercase().ends_with(*ending));
    format!("{path}!{}", ending.map_or(file, |ending| &file[..file.len() - ending.len()]))
}
