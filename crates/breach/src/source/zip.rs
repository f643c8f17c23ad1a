//! zip (PKWARE APPNOTE 6.3.10), read as a stream from its local headers: a cut archive gives what it has,
//! and one within another needs no disk.

use std::io::{self, BufRead, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::bounded::Bounded;
use super::{Content, Here, Source, Visit, walk_at, workbook, zstd};
use crate::encoding::{Legacy, recode};

/// A local file header (4.3.7), after its signature.
struct Local {
    flags: u16,
    method: u16,
    sum: u32,
    packed: u64,
    unpacked: u64,
    name: String,
}

const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;

const WRONG_SUM: &str = "the file is not what was packed: its checksum differs";

/// Walks an archive that is no office file by its first name.
pub(super) fn walk(here: &Here, source: &mut dyn BufRead, visit: Visit<'_>) {
    walk_unless(here, source, |local| workbook::is_office(&local.name), visit);
}

/// Walks an archive, whatever its files are called.
pub(super) fn files(here: &Here, source: &mut dyn BufRead, visit: Visit<'_>) {
    walk_unless(here, source, |_| false, visit);
}

fn walk_unless(here: &Here, source: &mut dyn BufRead, is_refused: fn(&Local) -> bool, visit: Visit<'_>) {
    // The checksum of a file that is told behind it.
    let mut waiting = None;
    loop {
        let mut passed = Vec::new();
        let signature = next_signature(source, &mut passed);
        let is_wrong = |sum: u32| sum_behind(&passed).is_some_and(|told| told != sum);
        if signature.is_ok() && waiting.take().is_some_and(is_wrong) {
            here.tell(Content::Damaged(WRONG_SUM), visit);
        }
        match signature {
            Ok(Some(Signature::Local)) => {}
            Ok(Some(Signature::End)) => return,
            Ok(None) | Err(_) => return here.inside("?", None).unreadable("the archive is cut short", visit),
        }
        let Ok(local) = local_header(source) else {
            return here.inside("?", None).unreadable("the archive is cut short", visit);
        };
        if is_refused(&local) {
            let why = "an office file that is larger than 64 MiB within an archive, or has other files in it: unpack it first";
            return here.unreadable(why, visit);
        }
        if !local.name.ends_with('/') || local.packed > 0 {
            waiting = entry(here, &local, source, visit);
        }
    }
}

enum Signature {
    Local,
    /// Of the central directory: no more files follow.
    End,
}

/// Passes over what stands before the next header: a data descriptor, or the rest of a damaged file.
/// The first bytes of it, and the signature, go to `passed`.
fn next_signature(source: &mut dyn BufRead, passed: &mut Vec<u8>) -> io::Result<Option<Signature>> {
    let mut last = 0u32;
    let mut byte = [0; 1];
    while source.read(&mut byte)? == 1 {
        last = last << 8 | u32::from(byte[0]);
        if passed.len() < MOST_PASSED {
            passed.push(byte[0]);
        }
        match &last.to_be_bytes() {
            b"PK\x03\x04" => return Ok(Some(Signature::Local)),
            b"PK\x01\x02" | b"PK\x05\x06" | b"PK\x06\x06" => return Ok(Some(Signature::End)),
            _ => {}
        }
    }
    Ok(None)
}

/// A data descriptor of 24 bytes, a signature, and one byte that shows that there are more.
const MOST_PASSED: usize = 29;

/// The checksum in a data descriptor (4.3.9), with or without a signature, with sizes of four or eight bytes.
fn sum_behind(passed: &[u8]) -> Option<u32> {
    let descriptor = passed.get(..passed.len().checked_sub(4)?)?;
    let sum = match descriptor {
        [b'P', b'K', 7, 8, sum @ ..] if matches!(sum.len(), 12 | 20) => sum,
        sum if matches!(sum.len(), 12 | 20) => sum,
        _ => return None,
    };
    sum.first_chunk().map(|sum| u32::from_le_bytes(*sum))
}

fn local_header(source: &mut dyn BufRead) -> io::Result<Local> {
    let mut fixed = [0; 26];
    source.read_exact(&mut fixed)?;
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let (mut packed, mut unpacked) = (u64::from(long(14)), u64::from(long(18)));
    let mut name_bytes = vec![0; usize::from(short(22))];
    let mut extra = vec![0; usize::from(short(24))];
    source.read_exact(&mut name_bytes)?;
    source.read_exact(&mut extra)?;
    if let Some((large_unpacked, large_packed)) = zip64(&extra) {
        unpacked = if unpacked == u64::from(u32::MAX) { large_unpacked } else { unpacked };
        packed = if packed == u64::from(u32::MAX) { large_packed } else { packed };
    }
    Ok(Local { flags: short(2), method: short(4), sum: long(10), packed, unpacked, name: name(&name_bytes) })
}

/// The sizes of an extended field (4.5.3): unpacked, then packed.
fn zip64(mut extra: &[u8]) -> Option<(u64, u64)> {
    while let [id_low, id_high, length_low, length_high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*length_low, *length_high]));
        let field = rest.get(..length)?;
        if [*id_low, *id_high] == [1, 0] {
            let (unpacked, packed) = (field.first_chunk::<8>()?, field.get(8..)?.first_chunk::<8>()?);
            return Some((u64::from_le_bytes(*unpacked), u64::from_le_bytes(*packed)));
        }
        extra = &rest[length..];
    }
    None
}

/// A file's name; archives of Chinese Windows have it in GBK.
pub(super) fn name(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    recode(bytes, Legacy::Gb18030, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Returns the checksum of what was read, where the told one is still to come.
fn entry(here: &Here, local: &Local, source: &mut dyn BufRead, visit: Visit<'_>) -> Option<u32> {
    let follows = local.flags & SIZES_FOLLOW != 0 && local.packed == 0;
    let inner = here.inside(&local.name, (!follows).then_some(local.unpacked));
    let mut packed = source.take(if follows { u64::MAX } else { local.packed });
    let sum = match local.method {
        _ if local.flags & ENCRYPTED != 0 => refused(&inner, "the file is encrypted", visit),
        0 if follows => refused(&inner, "a stored file whose size stands behind it is not read", visit),
        0 => summed(&inner, Whole { inner: &mut packed }, visit),
        8 => summed(&inner, Bounded::new(DeflateDecoder::new(&mut packed), &here.budget), visit),
        93 => summed(&inner, Bounded::new(zstd::Frames::new(&mut packed), &here.budget), visit),
        _ => refused(&inner, "the file is packed by a method that is not read", visit),
    };
    if !follows {
        // An error here comes again where the next header is looked for.
        let _ = io::copy(&mut packed, &mut io::sink());
    }
    if local.flags & SIZES_FOLLOW != 0 {
        return sum;
    }
    if sum.is_some_and(|sum| sum != local.sum) {
        inner.tell(Content::Damaged(WRONG_SUM), visit);
    }
    None
}

fn refused(inner: &Here, why: &'static str, visit: Visit<'_>) -> Option<u32> {
    inner.unreadable(why, visit);
    None
}

/// Reads a file to its end, and returns the checksum of what came out; `None` where it could not be read, which has
/// been said.
fn summed(inner: &Here, content: impl Read, visit: Visit<'_>) -> Option<u32> {
    let mut content = Summed { content, sum: Crc::new(), is_whole: true };
    walk_at(inner, Source::Stream(&mut content), visit);
    // What a container leaves unread behind its last entry.
    let _ = io::copy(&mut content, &mut io::sink());
    content.is_whole.then(|| content.sum.sum())
}

struct Summed<R> {
    content: R,
    sum: Crc,
    is_whole: bool,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer).inspect_err(|_| self.is_whole = false)?;
        self.sum.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// A part of known length: its early end is an error.
struct Whole<'t, R> {
    inner: &'t mut io::Take<R>,
}

impl<R: Read> Read for Whole<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.inner.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}
