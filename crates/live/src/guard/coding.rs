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
    /// `deflate` means zlib (RFC 9110 section 8.4.1.2), but bare deflated bytes are common: two bytes tell them apart.
    /// Holds the first where only that one came.
    Undecided(Option<u8>),
    Inflate(Decompress),
    /// Deflated blocks of a WebSocket message, of which any may be final (RFC 7692 section 7.2.3.4).
    Blocks(Decompress),
    /// Behind a member of gzip: another one, or anything.
    BetweenMembers,
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    /// Behind the end of the coded bytes. What stands there is looked at as it is.
    Plain,
}

impl Decoder {
    /// For that coding. `None` where it is not known here.
    pub(super) fn new(coding: &str) -> Option<Self> {
        let alloc = StandardAlloc::default;
        let state = match coding {
            "gzip" | "x-gzip" => State::Inflate(Decompress::new_gzip(15)),
            "deflate" => State::Undecided(None),
            "br" => State::Brotli(Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()))),
            _ => return None,
        };
        Some(Self { state, consumed: 0, produced: 0 })
    }

    /// For bare deflated bytes that go on where others ended (RFC 7692).
    pub(super) fn inflating(state: Decompress) -> Self {
        Self { state: State::Blocks(state), consumed: 0, produced: 0 }
    }

    /// The state that further bytes need.
    pub(super) fn into_inflating(self) -> Option<Decompress> {
        if let State::Blocks(state) = self.state { Some(state) } else { None }
    }

    /// Decodes some: bytes consumed; what came out goes behind `out`. Neither: more input is wanted.
    ///
    /// # Errors
    /// Where the bytes are not what their coding says. What came out before that is behind `out`.
    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Broken> {
        let mut buffer = vec![0; PIECE];
        let step = self.step_into(input, &mut buffer);
        self.consumed += step.consumed as u64;
        self.produced += step.produced as u64;
        out.extend_from_slice(buffer.get(..step.produced).unwrap_or_default());
        let bursts = self.produced > self.consumed.saturating_mul(RATIO).saturating_add(1 << 20);
        if step.is_broken || bursts { Err(Broken) } else { Ok(step.consumed) }
    }

    fn step_into(&mut self, input: &[u8], buffer: &mut [u8]) -> Step {
        match &mut self.state {
            State::Undecided(first) => match (first.take(), input) {
                (held, []) => {
                    *first = held;
                    Step::default()
                }
                (None, [only]) => {
                    *first = Some(*only);
                    Step { consumed: 1, ..Step::default() }
                }
                (held, _) => self.decide(held, input, buffer),
            },
            State::Inflate(state) => {
                let (step, is_over) = inflate(state, input, buffer);
                if is_over {
                    self.state = State::BetweenMembers;
                }
                step
            }
            State::Blocks(state) => {
                let (step, is_over) = inflate(state, input, buffer);
                if is_over {
                    state.reset(false);
                }
                step
            }
            State::Brotli(state) => {
                let (step, is_over) = brotli(state, input, buffer);
                if is_over {
                    self.state = State::Plain;
                }
                step
            }
            State::BetweenMembers if input.first() == Some(&0x1f) => {
                self.state = State::Inflate(Decompress::new_gzip(15));
                self.step_into(input, buffer)
            }
            State::BetweenMembers | State::Plain => {
                if !input.is_empty() {
                    self.state = State::Plain;
                }
                copy(input, buffer)
            }
        }
    }

    /// Chooses between zlib and bare deflate. `held` is the first byte where that came before `input`.
    fn decide(&mut self, held: Option<u8>, input: &[u8], buffer: &mut [u8]) -> Step {
        let mut first = held.into_iter().chain(input.iter().copied());
        let mut state = Decompress::new(is_zlib([first.next().unwrap_or(0), first.next().unwrap_or(0)]));
        // No code of deflate is whole within one byte that holds a block's head too: nothing comes out of it.
        let is_broken = held.is_some_and(|byte| inflate(&mut state, &[byte], buffer).0.is_broken);
        self.state = State::Inflate(state);
        if is_broken { Step { is_broken, ..Step::default() } } else { self.step_into(input, buffer) }
    }

    /// Whether the coded bytes have come to their end.
    fn is_over(&self) -> bool {
        matches!(self.state, State::BetweenMembers | State::Plain)
    }
}

/// What one step did.
#[derive(Default)]
struct Step {
    consumed: usize,
    produced: usize,
    is_broken: bool,
}

/// Inflates some; whether the stream is over.
fn inflate(state: &mut Decompress, input: &[u8], buffer: &mut [u8]) -> (Step, bool) {
    let (before_in, before_out) = (state.total_in(), state.total_out());
    let status = state.decompress(input, buffer, FlushDecompress::None);
    let (consumed, produced) = ((state.total_in() - before_in) as usize, (state.total_out() - before_out) as usize);
    (Step { consumed, produced, is_broken: status.is_err() }, matches!(status, Ok(Status::StreamEnd)))
}

fn brotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    buffer: &mut [u8],
) -> (Step, bool) {
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
    let is_broken = matches!(result, BrotliResult::ResultFailure);
    (Step { consumed, produced, is_broken }, matches!(result, BrotliResult::ResultSuccess))
}

fn copy(input: &[u8], buffer: &mut [u8]) -> Step {
    let length = input.len().min(buffer.len());
    if let Some((to, from)) = buffer.get_mut(..length).zip(input.get(..length)) {
        to.copy_from_slice(from);
    }
    Step { consumed: length, produced: length, is_broken: false }
}

/// Method 8, window at most 32 KiB, check bits right (RFC 1950 section 2.2).
fn is_zlib([method, flags]: [u8; 2]) -> bool {
    method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

/// The codings of a body as they were applied; `identity` is none.
pub(super) fn codings(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
    let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
    let words = named.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    let words = words.map(|word| String::from_utf8_lossy(word.trim_ascii()).to_ascii_lowercase());
    words.filter(|word| !word.is_empty() && word != "identity").collect()
}

/// What a body says without its codings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// Whether nothing is missing. What breaks off or lies was decoded as far as it goes.
    pub(super) is_whole: bool,
}

/// Undoes all codings of a whole body, as far as that goes: until one is not known or not what it says, until more
/// than `most` bytes come out, or until `has_room` says that so many further bytes may not be held.
pub(super) fn decode(body: &[u8], codings: &[String], most: usize, has_room: &mut dyn FnMut(usize) -> bool) -> Decoded {
    let mut decoded = Decoded { bytes: body.to_vec(), is_whole: true };
    // More than a few codings upon one another are an attack on whoever undoes them.
    if codings.len() > 3 {
        return Decoded { is_whole: false, ..decoded };
    }
    for coding in codings.iter().rev() {
        let mut out = Out { bytes: Vec::new(), most, has_room };
        let undone = match coding.as_str() {
            "zstd" => zstd(&decoded.bytes, &mut out),
            coding => match Decoder::new(coding) {
                Some(known) => decode_one(known, &decoded.bytes, &mut out),
                None => return Decoded { is_whole: false, ..decoded },
            },
        };
        decoded = Decoded { bytes: out.bytes, is_whole: decoded.is_whole && undone.is_ok() };
    }
    decoded
}

/// Decoded bytes, and how many there may be.
struct Out<'r> {
    bytes: Vec<u8>,
    most: usize,
    has_room: &'r mut dyn FnMut(usize) -> bool,
}

impl Out<'_> {
    fn check(&mut self, fresh: usize) -> Result<(), Broken> {
        if self.bytes.len() > self.most || !(self.has_room)(fresh) { Err(Broken) } else { Ok(()) }
    }
}

fn decode_one(mut decoder: Decoder, mut input: &[u8], out: &mut Out<'_>) -> Result<(), Broken> {
    loop {
        let before = out.bytes.len();
        let consumed = decoder.step(input, &mut out.bytes)?;
        input = input.get(consumed..).unwrap_or_default();
        let fresh = out.bytes.len() - before;
        out.check(fresh)?;
        if consumed == 0 && fresh == 0 {
            return if input.is_empty() && decoder.is_over() { Ok(()) } else { Err(Broken) };
        }
    }
}

fn zstd(mut input: &[u8], out: &mut Out<'_>) -> Result<(), Broken> {
    let mut buffer = vec![0; PIECE];
    while !input.is_empty() {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        decoder.init(&mut input).map_err(|_| Broken)?;
        loop {
            let is_over =
                decoder.decode_blocks(&mut input, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| Broken)?;
            while let Ok(length @ 1..) = decoder.read(&mut buffer) {
                out.bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
                out.check(length)?;
            }
            if is_over {
                break;
            }
        }
    }
    Ok(())
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

    /// What comes out, and whether that is all.
    fn undone(body: &[u8], codings: &[&str]) -> (Vec<u8>, bool) {
        let Decoded { bytes, is_whole } = decode(body, &names(codings), 100, &mut |_| true);
        (bytes, is_whole)
    }

    fn whole(bytes: &[u8]) -> (Vec<u8>, bool) {
        (bytes.to_vec(), true)
    }

    const ZLIB: [u8; 9] = [0x78, 0x9c, 0x4b, 0x04, 0x00, 0x00, 0x62, 0x00, 0x62];

    #[test]
    fn members_and_what_stands_behind_them_are_read() {
        let mut body = gzip(b"one, ");
        body.extend(gzip(b"two, "));
        body.extend_from_slice(b"plain");
        assert_eq!(undone(&body, &["gzip"]), whole(b"one, two, plain"));
        assert_eq!(undone(&gzip(&gzip(b"twice")), &["gzip", "gzip"]), whole(b"twice"));
        assert_eq!(undone(&ZLIB, &["deflate"]), whole(b"a"));
        assert_eq!(undone(&ZLIB[2..5], &["deflate"]), whole(b"a"));
        // RFC 7932's shortest: an uncompressed meta-block is not needed for "a".
        assert_eq!(undone(&[0x0b, 0x00, 0x80, b'a', 0x03], &["br"]), whole(b"a"));
    }

    #[test]
    fn what_breaks_off_lies_or_bursts_is_decoded_as_far_as_it_goes_and_not_whole() {
        let text = gzip(b"some text");
        assert_eq!(undone(&text[..text.len() - 9], &["gzip"]), (b"some text".to_vec(), false));
        let wrong_sum = [&text[..text.len() - 8], &[0; 8]].concat();
        assert_eq!(undone(&wrong_sum, &["gzip"]), (b"some text".to_vec(), false));
        assert_eq!(undone(b"plain text", &["gzip"]), (Vec::new(), false));
        assert_eq!(undone(b"plain text", &["zstd"]), (Vec::new(), false));
        assert_eq!(undone(b"plain text", &["exi"]), (b"plain text".to_vec(), false));
        assert_eq!(undone(&gzip(&[0; 101]), &["gzip"]), (vec![0; 101], false));
        assert_eq!(undone(b"", &["gzip"; 4]), (Vec::new(), false));
    }

    #[test]
    fn decoded_bytes_count_among_what_is_held() {
        let mut room = 40_000;
        let mut has_room = |bytes: usize| {
            room -= bytes as i64;
            room >= 0
        };
        let decoded = decode(&gzip(&vec![b'a'; 200_000]), &names(&["gzip"]), 1 << 20, &mut has_room);
        assert!(!decoded.is_whole && decoded.bytes.len() <= 40_000 + PIECE, "{}", decoded.bytes.len());
    }

    #[test]
    fn zlib_and_bare_deflate_are_told_apart_when_two_bytes_are_there() {
        for coded in [&ZLIB[..], &ZLIB[2..5]] {
            let (mut decoder, mut out) = (Decoder::new("deflate").unwrap(), Vec::new());
            assert_eq!(decoder.step(b"", &mut out), Ok(0), "a sender may pause before the first byte");
            for byte in coded {
                decoder.step(&[*byte], &mut out).unwrap();
            }
            assert_eq!((out.as_slice(), decoder.is_over()), (&b"a"[..], true));
        }
    }

    #[test]
    fn a_final_block_of_a_websocket_message_does_not_end_it() {
        let bare = &ZLIB[2..5];
        let (mut decoder, mut out) = (Decoder::inflating(Decompress::new(false)), Vec::new());
        let blocks = [bare, bare, &[0, 0, 0, 0xff, 0xff]].concat();
        let mut input = blocks.as_slice();
        while !input.is_empty() {
            let consumed = decoder.step(input, &mut out).unwrap();
            input = &input[consumed..];
        }
        assert_eq!(out, b"aa");
        assert!(decoder.into_inflating().is_some());
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
