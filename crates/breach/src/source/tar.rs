//! tar (POSIX.1-2017 pax interchange format, with GNU's long names), read as a stream.

use std::io::{self, Read};

use super::{Content, Here, Source, Visit, walk_at};

const BLOCK: u64 = 512;
/// The longest name or list of attributes that is kept.
const LONGEST_NAME: u64 = 64 << 10;
/// How many files without content, or bad headers, are passed over before the archive is given up.
const MOST_ODD: usize = 100_000;

/// What the blocks before a file's header say of it.
#[derive(Default)]
struct Said {
    name: Option<String>,
    size: Option<u64>,
}

pub(super) fn walk(here: &Here, source: &mut dyn Read, visit: Visit<'_>) {
    let mut said = Said::default();
    for _ in 0..MOST_ODD {
        let mut header = [0; BLOCK as usize];
        match source.read_exact(&mut header) {
            Ok(()) if header.iter().all(|&byte| byte == 0) => return,
            Ok(()) => {}
            Err(_) => return here.inside("?", None).unreadable("the archive is cut short", visit),
        }
        let Some(length) = number(&header[124..136]).filter(|_| has_sum(&header)) else {
            return here.inside("?", None).unreadable("the archive is damaged: a header is none", visit);
        };
        let read = match header[156] {
            b'L' => long_name(source, length, &mut said),
            b'x' => attributes(source, length, &mut said),
            b'0' | 0 | b'7' => {
                let said = std::mem::take(&mut said);
                let length = said.size.unwrap_or(length);
                let name = said.name.unwrap_or_else(|| header_name(&header));
                file(&here.inside(&name, Some(length)), source, length, visit)
            }
            _ => {
                said = Said::default();
                pass(source, padded(length))
            }
        };
        if read.is_err() {
            return;
        }
    }
}

fn file(here: &Here, source: &mut dyn Read, length: u64, visit: Visit<'_>) -> io::Result<()> {
    let mut content = source.take(length);
    if length == 0 {
        here.tell(Content::Bytes(&mut io::empty()), visit);
    } else {
        let mut whole = Exact { inner: &mut content };
        walk_at(here, Source::Stream(&mut whole), visit);
    }
    let rest = content.limit();
    pass(source, rest)?;
    pass(source, padded(length) - length)
}

/// A part of known length: its early end is an error.
struct Exact<'t, R> {
    inner: &'t mut io::Take<R>,
}

impl<R: Read> Read for Exact<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.inner.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

fn padded(length: u64) -> u64 {
    length.checked_next_multiple_of(BLOCK).unwrap_or(length)
}

/// Reads and forgets so many bytes.
fn pass(source: &mut dyn Read, count: u64) -> io::Result<()> {
    let passed = io::copy(&mut source.take(count), &mut io::sink())?;
    if passed == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn kept(source: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(length.min(LONGEST_NAME)).read_to_end(&mut bytes)?;
    pass(source, padded(length).saturating_sub(bytes.len() as u64))?;
    Ok(bytes)
}

fn long_name(source: &mut dyn Read, length: u64, said: &mut Said) -> io::Result<()> {
    said.name = Some(text(&kept(source, length)?));
    Ok(())
}

/// `25 path=a/long/name\n`, one after the other.
fn attributes(source: &mut dyn Read, length: u64, said: &mut Said) -> io::Result<()> {
    for line in kept(source, length)?.split(|&byte| byte == b'\n') {
        let Some(space) = memchr::memchr(b' ', line) else { continue };
        let line = &line[space + 1..];
        if let Some(name) = line.strip_prefix(b"path=") {
            said.name = Some(text(name));
        }
        if let Some(size) = line.strip_prefix(b"size=") {
            said.size = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok());
        }
    }
    Ok(())
}

fn header_name(header: &[u8; BLOCK as usize]) -> String {
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    let is_posix = &header[257..263] == b"ustar\0";
    if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// Text up to its first zero, whatever its encoding.
fn text(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    super::zip::name(&bytes[..end])
}

/// Octal digits, or a number of eight bytes behind 0x80 (GNU).
fn number(field: &[u8]) -> Option<u64> {
    if field.first() == Some(&0x80) {
        let last = field.last_chunk::<8>()?;
        return Some(u64::from_be_bytes(*last)).filter(|&number| number < 1 << 60);
    }
    let digits =
        field.iter().copied().skip_while(|&byte| byte == b' ').take_while(|byte| (b'0'..=b'7').contains(byte)).take(20);
    Some(digits.fold(0u64, |number, digit| number << 3 | u64::from(digit - b'0')))
}

/// Whether the header's sum is right, its own field counted as spaces.
fn has_sum(header: &[u8; BLOCK as usize]) -> bool {
    let without =
        header.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u64::from(byte) });
    number(&header[148..156]) == Some(without.sum())
}
