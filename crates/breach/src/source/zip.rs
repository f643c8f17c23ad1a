//! zip (PKWARE APPNOTE 6.3.10), read as a stream from its local headers: a cut archive gives what it has,
//! and one within another needs no disk.

use std::io::{self, BufRead, Read};

use flate2::bufread::DeflateDecoder;

use super::bounded::Bounded;
use super::{Here, Source, Visit, walk_at, zstd};
use crate::encoding::{Legacy, recode};

/// A local file header (4.3.7), after its signature.
struct Local {
    flags: u16,
    method: u16,
    packed: u64,
    unpacked: u64,
    name: String,
}

const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;

pub(super) fn walk(here: &Here, source: &mut dyn BufRead, visit: Visit<'_>) {
    loop {
        match next_signature(source) {
            Ok(Some(Signature::Local)) => {}
            Ok(Some(Signature::End)) => return,
            Ok(None) | Err(_) => return here.inside("?", None).unreadable("the archive is cut short", visit),
        }
        let Ok(local) = local_header(source) else {
            return here.inside("?", None).unreadable("the archive is cut short", visit);
        };
        if local.name == "[Content_Types].xml" {
            return here.unreadable("office files are not read: save their sheets as CSV first", visit);
        }
        if !local.name.ends_with('/') || local.packed > 0 {
            entry(here, &local, source, visit);
        }
    }
}

enum Signature {
    Local,
    /// Of the central directory: no more files follow.
    End,
}

/// Passes over what stands before the next header: a data descriptor, or the rest of a damaged file.
fn next_signature(source: &mut dyn BufRead) -> io::Result<Option<Signature>> {
    let mut last = 0u32;
    let mut byte = [0; 1];
    while source.read(&mut byte)? == 1 {
        last = last << 8 | u32::from(byte[0]);
        match &last.to_be_bytes() {
            b"PK\x03\x04" => return Ok(Some(Signature::Local)),
            b"PK\x01\x02" | b"PK\x05\x06" | b"PK\x06\x06" => return Ok(Some(Signature::End)),
            _ => {}
        }
    }
    Ok(None)
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
    Ok(Local { flags: short(2), method: short(4), packed, unpacked, name: name(&name_bytes) })
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

fn entry(here: &Here, local: &Local, source: &mut dyn BufRead, visit: Visit<'_>) {
    let follows = local.flags & SIZES_FOLLOW != 0 && local.packed == 0;
    let inner = here.inside(&local.name, (!follows).then_some(local.unpacked));
    let mut packed = source.take(if follows { u64::MAX } else { local.packed });
    match local.method {
        _ if local.flags & ENCRYPTED != 0 => inner.unreadable("the file is encrypted", visit),
        0 if follows => inner.unreadable("a stored file whose size stands behind it is not read", visit),
        0 => walk_at(&inner, Source::Stream(&mut Whole { inner: &mut packed }), visit),
        8 => walk_at(&inner, Source::Stream(&mut Bounded::new(DeflateDecoder::new(&mut packed), &here.budget)), visit),
        93 => {
            let frames = Bounded::new(zstd::Frames::new(&mut packed), &here.budget);
            walk_at(&inner, Source::Stream(&mut { frames }), visit);
        }
        _ => inner.unreadable("the file is packed by a method that is not read", visit),
    }
    if !follows {
        // An error here comes again where the next header is looked for.
        let _ = io::copy(&mut packed, &mut io::sink());
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
