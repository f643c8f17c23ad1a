//! HTTP/2 frames (RFC 9113 sections 4 and 6) out of bytes that arrive in any pieces.

use crate::resync::Fit;
use dyetrace_case::Side;
use std::borrow::Cow;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
/// RFC 7838 section 4.
const ALTSVC: u8 = 10;
/// RFC 8336 section 2.
const ORIGIN: u8 = 12;
/// RFC 9218 section 7.1.
const PRIORITY_UPDATE: u8 = 16;

const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const HAS_PRIORITY: u8 = 0x20;

/// Bytes of a frame header.
pub(super) const HEADER: usize = 9;
/// The largest payload before SETTINGS_MAX_FRAME_SIZE allows more (section 4.2).
const COMMON_LENGTH: u32 = 16_384;
/// The largest payload that a search for the next frame believes in.
const BELIEVED_LENGTH: u32 = 256 << 10;

/// A frame header (section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl FrameHeader {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, stream) = bytes.first_chunk::<HEADER>()?.split_first_chunk::<5>()?;
        let [high, middle, low, kind, flags] = *head;
        let stream = u32::from_be_bytes(*stream.first_chunk()?) & 0x7fff_ffff;
        Some(Self { length: u32::from_be_bytes([0, high, middle, low]), kind, flags, stream })
    }

    pub(super) fn end_stream(self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    pub(super) fn end_headers(self) -> bool {
        self.flags & END_HEADERS != 0
    }

    /// True for the SETTINGS that each side sends first (section 3.4).
    pub(super) fn opens_connection(self) -> bool {
        self.kind == SETTINGS && self.flags & ACK == 0
    }

    /// True where length and stream are such as section 6 asks for this kind. An unknown kind is
    /// to be ignored (section 4.1), so nothing is asked of it.
    pub(super) fn is_valid(self) -> bool {
        match self.kind {
            DATA | HEADERS | CONTINUATION => self.stream != 0,
            PUSH_PROMISE => self.stream != 0 && self.length >= 4,
            PRIORITY => self.stream != 0 && self.length == 5,
            RST_STREAM => self.stream != 0 && self.length == 4,
            SETTINGS => self.stream == 0 && self.length.is_multiple_of(6),
            PING => self.stream == 0 && self.length == 8,
            GOAWAY => self.stream == 0 && self.length >= 8,
            WINDOW_UPDATE => self.length == 4,
            _ => true,
        }
    }

    /// True for what a search may take for a frame: of a known kind, with defined flags only, no
    /// longer than is usual here, on a stream that can exist.
    fn is_plausible(self, side: Side, seen: Seen) -> bool {
        let flags = match self.kind {
            DATA => END_STREAM | PADDED,
            HEADERS => END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY,
            PUSH_PROMISE if side == Side::Response => END_HEADERS | PADDED,
            CONTINUATION => END_HEADERS,
            SETTINGS if self.flags & ACK != 0 && self.length > 0 => return false,
            SETTINGS | PING => ACK,
            PRIORITY | RST_STREAM | GOAWAY | WINDOW_UPDATE | ALTSVC => 0,
            ORIGIN | PRIORITY_UPDATE if self.stream == 0 => 0,
            _ => return false,
        };
        let last_stream = if seen.highest_stream == 0 { 1 << 24 } else { seen.highest_stream.saturating_add(4000) };
        let longest = seen.longest.clamp(COMMON_LENGTH, BELIEVED_LENGTH);
        self.flags & !flags == 0 && self.is_valid() && self.stream <= last_stream && self.length <= longest
    }
}

/// What was seen of a connection so far, by which a search judges.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// The highest stream that had a frame, 0 for none.
    pub(super) highest_stream: u32,
    /// The longest payload of a frame in this direction.
    pub(super) longest: u32,
}

/// Whether frames begin here: two plausible headers, each where the frame before ends. At the end
/// of the bytes (`last`) one frame that ends exactly there is enough.
pub(super) fn fits(bytes: &[u8], side: Side, seen: Seen, last: bool) -> Fit {
    let mut rest = bytes;
    for nth in 0..2 {
        if nth == 1 && rest.is_empty() && last {
            return Fit::Yes;
        }
        let Some(header) = FrameHeader::parse(rest) else { return Fit::Undecided };
        // The reserved bit is unset when sent (section 4.1).
        if rest.get(5).is_some_and(|byte| byte & 0x80 != 0) || !header.is_plausible(side, seen) {
            return Fit::No;
        }
        match rest.get(HEADER + header.length as usize..) {
            Some(after) => rest = after,
            None if nth == 1 => return Fit::Yes,
            None => return Fit::Undecided,
        }
    }
    Fit::Yes
}

/// A part of the stream of frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A HEADERS, PUSH_PROMISE, CONTINUATION or RST_STREAM frame in full.
    Frame(FrameHeader, Cow<'a, [u8]>),
    /// A frame that is over the limit and is passed over.
    Oversized(FrameHeader),
    /// Any other frame: its header, before its payload is passed over.
    Passed(FrameHeader),
    /// Content of a DATA frame, without padding.
    Data(u32, &'a [u8]),
    /// A DATA frame is complete.
    DataEnd(FrameHeader),
    /// No frame: the header breaks section 6, or a padding is longer than its frame.
    Broken([u8; HEADER]),
}

/// Splits one direction into frames. Payloads of DATA are never held.
#[derive(Default)]
pub(super) struct Splitter {
    head: [u8; HEADER],
    filled: usize,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Head,
    /// Collecting the payload of a frame that is wanted in full.
    Whole(FrameHeader, Vec<u8>),
    /// The next byte is the length of the padding.
    PadLength(FrameHeader),
    /// So many bytes of content, then of padding.
    Content(FrameHeader, u32, u32),
    Skip(u32),
}

/// What a gap hit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// The frame in progress lost its field block or part of it, and with that so many bytes that
    /// were captured.
    Block(FrameHeader, u64),
    /// The content of a DATA frame has a hole.
    Content(FrameHeader),
    /// A payload that is passed over anyway.
    Nothing,
    /// Where the next frame begins is not known any more; so many bytes of a header were held.
    Boundary(u64),
}

impl Splitter {
    /// The next piece, taken off the front of `bytes`; `None` where more bytes are needed.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8], longest: usize) -> Option<Piece<'a>> {
        match std::mem::take(&mut self.state) {
            State::Head => self.head(bytes, longest),
            State::Whole(header, payload) => self.whole(header, payload, bytes),
            State::PadLength(header) => self.pad_length(header, bytes),
            State::Content(header, 0, padding) => {
                self.state = State::Skip(padding);
                Some(Piece::DataEnd(header))
            }
            State::Content(header, content, padding) => {
                let taken = take(bytes, content);
                self.state = State::Content(header, content - taken.len() as u32, padding);
                (!taken.is_empty()).then_some(Piece::Data(header.stream, taken))
            }
            State::Skip(left) => {
                let left = left - take(bytes, left).len() as u32;
                self.state = if left > 0 { State::Skip(left) } else { State::Head };
                if left > 0 { None } else { self.next(bytes, longest) }
            }
        }
    }

    /// True where the next frame has not begun.
    pub(super) fn before_frame(&self) -> bool {
        matches!(self.state, State::Head | State::Skip(_)) && self.filled == 0
    }

    /// Bytes that are held and were not handed on.
    pub(super) fn held(&self) -> u64 {
        match &self.state {
            State::Whole(_, payload) => (HEADER + payload.len()) as u64,
            _ => self.filled as u64,
        }
    }

    /// Bytes are missing. Where the frame in progress reaches over the gap, reading goes on behind it.
    pub(super) fn gap(&mut self, length: u64) -> Hit {
        let (left, hit) = match &self.state {
            State::Head => (0, Hit::Nothing),
            State::Whole(header, payload) => {
                let left = u64::from(header.length) - payload.len() as u64;
                let captured = (HEADER + payload.len()) as u64 + left.saturating_sub(length);
                (left, Hit::Block(*header, captured))
            }
            State::PadLength(header) => (u64::from(header.length), Hit::Content(*header)),
            State::Content(header, content, padding) => {
                (u64::from(*content) + u64::from(*padding), Hit::Content(*header))
            }
            State::Skip(left) => (u64::from(*left), Hit::Nothing),
        };
        if length > left || matches!(self.state, State::Head) {
            return Hit::Boundary(self.held());
        }
        self.state = match std::mem::take(&mut self.state) {
            // How much of the rest is padding was lost too; all of it is left out.
            State::PadLength(header) => State::Content(header, 0, (left - length) as u32),
            State::Content(header, content, padding) => {
                let over = length.saturating_sub(u64::from(content)) as u32;
                State::Content(header, content.saturating_sub(length as u32), padding - over)
            }
            _ => State::Skip((left - length) as u32),
        };
        hit
    }

    fn head<'a>(&mut self, bytes: &mut &'a [u8], longest: usize) -> Option<Piece<'a>> {
        let taken = take(bytes, (HEADER - self.filled) as u32);
        self.head.get_mut(self.filled..self.filled + taken.len())?.copy_from_slice(taken);
        self.filled += taken.len();
        if self.filled < HEADER {
            return None;
        }
        self.filled = 0;
        let header = FrameHeader::parse(&self.head)?;
        if !header.is_valid() {
            return Some(Piece::Broken(self.head));
        }
        match header.kind {
            DATA if header.flags & PADDED != 0 => self.state = State::PadLength(header),
            DATA => self.state = State::Content(header, header.length, 0),
            HEADERS | PUSH_PROMISE | CONTINUATION | RST_STREAM => {
                if header.length as usize > longest {
                    self.state = State::Skip(header.length);
                    return Some(Piece::Oversized(header));
                }
                self.state = State::Whole(header, Vec::new());
            }
            _ => {
                self.state = State::Skip(header.length);
                return Some(Piece::Passed(header));
            }
        }
        self.next(bytes, longest)
    }

    fn whole<'a>(&mut self, header: FrameHeader, mut payload: Vec<u8>, bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
        let taken = take(bytes, header.length - payload.len() as u32);
        if payload.is_empty() && taken.len() == header.length as usize {
            return Some(Piece::Frame(header, Cow::Borrowed(taken)));
        }
        payload.extend_from_slice(taken);
        if payload.len() == header.length as usize {
            return Some(Piece::Frame(header, Cow::Owned(payload)));
        }
        self.state = State::Whole(header, payload);
        None
    }

    fn pad_length<'a>(&mut self, header: FrameHeader, bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
        let Some(content) = header.length.checked_sub(1) else { return Some(Piece::Broken(self.head)) };
        let Some(padding) = take(bytes, 1).first().copied().map(u32::from) else {
            self.state = State::PadLength(header);
            return None;
        };
        let Some(content) = content.checked_sub(padding) else { return Some(Piece::Broken(self.head)) };
        self.state = State::Content(header, content, padding);
        self.next(bytes, 0)
    }
}

/// The fragment of a field block in a HEADERS, PUSH_PROMISE or CONTINUATION payload, and the
/// promised stream: without padding and priority. `None` where they do not fit.
pub(super) fn fragment(header: FrameHeader, payload: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let mut rest = payload;
    if header.kind == CONTINUATION {
        return Some((None, rest));
    }
    if header.flags & PADDED != 0 {
        let (padding, after) = rest.split_first()?;
        rest = after.get(..after.len().checked_sub(usize::from(*padding))?)?;
    }
    if header.kind == PUSH_PROMISE {
        let (promised, block) = rest.split_first_chunk::<4>()?;
        return Some((Some(u32::from_be_bytes(*promised) & 0x7fff_ffff), block));
    }
    if header.flags & HAS_PRIORITY != 0 {
        rest = rest.get(5..)?;
    }
    Some((None, rest))
}

fn take<'a>(bytes: &mut &'a [u8], most: u32) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(bytes.len().min(most as usize));
    *bytes = rest;
    taken
}
