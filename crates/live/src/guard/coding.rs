//! Undoing content codings (RFC 9110 section 8.4) of what a client sends, all at once or as it comes.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::Read as _;

/// Bytes decoded at once.
const PIECE: usize = 32 << 10;
/// Coded bytes may become so many times as many; deflate cannot exceed 1032.
const RATIO: u64 = 1100;
/// The largest window of Zstandard accepted; HTTP allows 8 MiB (RFC 9659).
const WINDOW: u64 = 8 << 20;

/// Bytes that are not what their coding says, or grow without measure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Undoes one coding as the bytes come.
pub(super) struct Decoder {
    state: State,
    consumed: u64,
    produced: u64,
}

enum State {
    Inflate(Decompress),
    /// Behind a member of gzip: another one, or anything.
    BetweenMembers,
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    /// Behind the end of the coded bytes. What stands there is looked at as it is.
    Plain,
}

impl Decoder {
    /// For that coding, and bytes that begin so. `None` where it is not known here.
    pub(super) fn new(coding: &str, first: &[u8]) -> Option<Self> {
        let alloc = StandardAlloc::default;
        let state = match coding {
            "gzip" | "x-gzip" => State::Inflate(Decompress::new_gzip(15)),
            // deflate means zlib (RFC 9110 section 8.4.1.2), but bare deflated bytes are common.
            "deflate" => State::Inflate(Decompress::new(is_zlib(first))),
            "br" => State::Brotli(Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()))),
            _ => return None,
        };
        Some(Self { state, consumed: 0, produced: 0 })
    }

    /// For bare deflated bytes that go on where others ended (RFC 7692).
    pub(super) fn inflating(state: Decompress) -> Self {
        Self { state: State::Inflate(state), consumed: 0, produced: 0 }
    }

    /// The state that further bytes need.
    pub(super) fn into_inflating(self) -> Option<Decompress> {
        if let State::Inflate(state) = self.state { Some(state) } else { None }
    }

    /// Decodes some: bytes consumed, and what came out. Neither: more input is wanted.
    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Broken> {
        let mut buffer = vec![0; PIECE];
        let (consumed, produced) = match &mut self.state {
            State::Inflate(state) => {
                let (before_in, before_out) = (state.total_in(), state.total_out());
                let status = state.decompress(input, &mut buffer, FlushDecompress::None).map_err(|_| Broken)?;
                let counts = ((state.total_in() - before_in) as usize, (state.total_out() - before_out) as usize);
                if status == Status::StreamEnd {
                    self.state = State::BetweenMembers;
                }
                counts
            }
            State::Brotli(state) => {
                let (consumed, produced, is_over) = brotli(state, input, &mut buffer)?;
                if is_over {
                    self.state = State::Plain;
                }
                (consumed, produced)
            }
            State::BetweenMembers if input.first() == Some(&0x1f) => {
                self.state = State::Inflate(Decompress::new_gzip(15));
                return self.step(input, out);
            }
            State::BetweenMembers | State::Plain => {
                if !input.is_empty() {
                    self.state = State::Plain;
                }
                let length = input.len().min(PIECE);
                buffer[..length].copy_from_slice(&input[..length]);
                (length, length)
            }
        };
        self.consumed += consumed as u64;
        self.produced += produced as u64;
        if self.produced > self.consumed.saturating_mul(RATIO).saturating_add(1 << 20) {
            return Err(Broken);
        }
        out.extend_from_slice(buffer.get(..produced).unwrap_or_default());
        Ok(consumed)
    }

    /// Whether the coded bytes have come to their end.
    fn is_over(&self) -> bool {
        matches!(self.state, State::BetweenMembers | State::Plain)
    }
}

fn brotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    buffer: &mut [u8],
) -> Result<(usize, usize, bool), Broken> {
    let (mut available, mut consumed, mut total) = (input.len(), 0, 0);
    let (mut room, mut produced) = (buffer.len(), 0);
    let result = BrotliDecompressStream(
        &mut available,
        &mut consumed,
        input,
        &mut room,
        &mut produced,
        buffer,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => Err(Broken),
        result => Ok((consumed, produced, matches!(result, BrotliResult::ResultSuccess))),
    }
}

/// Method 8, window at most 32 KiB, check bits right (RFC 1950 section 2.2).
fn is_zlib(first: &[u8]) -> bool {
    let [method, flags, ..] = first else { return false };
    method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
}

/// The codings of a body as they were applied; `identity` is none.
pub(super) fn codings(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
    let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
    let words = named.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    let words = words.map(|word| String::from_utf8_lossy(word.trim_ascii()).to_ascii_lowercase());
    words.filter(|word| !word.is_empty() && word != "identity").collect()
}

/// Undoes all codings of a whole body.
///
/// # Errors
/// Where one is not known or not what it says, or where more than `most` bytes come out.
pub(super) fn decode(body: &[u8], codings: &[String], most: usize) -> Result<Vec<u8>, Broken> {
    // More than a few codings upon one another are an attack on whoever undoes them.
    if codings.len() > 3 {
        return Err(Broken);
    }
    codings.iter().rev().try_fold(body.to_vec(), |bytes, coding| match coding.as_str() {
        "zstd" => zstd(&bytes, most),
        coding => decode_one(&bytes, coding, most),
    })
}

fn decode_one(mut input: &[u8], coding: &str, most: usize) -> Result<Vec<u8>, Broken> {
    let mut decoder = Decoder::new(coding, input).ok_or(Broken)?;
    let mut out = Vec::new();
    loop {
        let before = out.len();
        let consumed = decoder.step(input, &mut out)?;
        input = input.get(consumed..).unwrap_or_default();
        if out.len() > most {
            return Err(Broken);
        }
        if consumed == 0 && out.len() == before {
            // A body that ends early is looked at as far as it goes, and as it stands.
            return if input.is_empty() && decoder.is_over() { Ok(out) } else { Err(Broken) };
        }
    }
}

fn zstd(mut input: &[u8], most: usize) -> Result<Vec<u8>, Broken> {
    let (mut out, mut buffer) = (Vec::new(), vec![0; PIECE]);
    while !input.is_empty() {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        decoder.init(&mut input).map_err(|_| Broken)?;
        loop {
            let is_over =
                decoder.decode_blocks(&mut input, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| Broken)?;
            while let Ok(length @ 1..) = decoder.read(&mut buffer) {
                out.extend_from_slice(buffer.get(..length).unwrap_or_default());
                if out.len() > most {
                    return Err(Broken);
                }
            }
            if is_over {
                break;
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn members_and_what_stands_behind_them_are_read() {
        let mut body = gzip(b"one, ");
        body.extend(gzip(b"two, "));
        body.extend_from_slice(b"plain");
        assert_eq!(decode(&body, &names(&["gzip"]), 100).unwrap(), b"one, two, plain");
        assert_eq!(decode(&gzip(&gzip(b"twice")), &names(&["gzip", "gzip"]), 100).unwrap(), b"twice");
        let zlib = [0x78, 0x9c, 0x4b, 0x04, 0x00, 0x00, 0x62, 0x00, 0x62];
        assert_eq!(decode(&zlib, &names(&["deflate"]), 100).unwrap(), b"a");
        assert_eq!(decode(&zlib[2..5], &names(&["deflate"]), 100).unwrap(), b"a");
        // RFC 7932's shortest: an uncompressed meta-block is not needed for "a".
        assert_eq!(decode(&[0x0b, 0x00, 0x80, b'a', 0x03], &names(&["br"]), 100).unwrap(), b"a");
    }

    #[test]
    fn what_breaks_off_lies_or_bursts_is_not_decoded() {
        let whole = gzip(b"some text");
        assert_eq!(decode(&whole[..whole.len() - 9], &names(&["gzip"]), 100), Err(Broken));
        assert_eq!(decode(b"plain text", &names(&["gzip"]), 100), Err(Broken));
        assert_eq!(decode(b"plain text", &names(&["zstd"]), 100), Err(Broken));
        assert_eq!(decode(b"plain text", &names(&["exi"]), 100), Err(Broken));
        assert_eq!(decode(&gzip(&[0; 101]), &names(&["gzip"]), 100), Err(Broken));
        assert_eq!(decode(b"", &names(&["gzip"; 4]), 100), Err(Broken));
    }

    #[test]
    fn codings_are_listed_in_the_order_in_which_they_were_applied() {
        let fields = [
            (b"Content-Encoding".to_vec(), b"GZIP, identity".to_vec()),
            (b"content-encoding".to_vec(), b" br ,".to_vec()),
        ];
        assert_eq!(codings(&fields), ["gzip", "br"]);
    }
}
