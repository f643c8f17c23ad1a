//! A window of text that slides over an entry: bytes in, UTF-8 out, and the way back to the byte.

use std::cell::Cell;
use std::io::Read;

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

use crate::encoding::{Evidence, Legacy, after_last_hard, is_hard, recode};

/// The encoding of a stretch of bytes is decided in cells of this size, at fixed offsets of the entry,
/// so that the answer does not depend on where reading began or how much came at once.
pub(crate) const CELL: u64 = 16 << 10;

/// How much of an entry its encoding is guessed from, however little is read at once.
const HEAD: usize = 64 << 10;

/// How an entry's bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Charset {
    /// UTF-8, and where a field is not, an older encoding: this one where the field itself is too short to tell.
    Bytes {
        legacy: Legacy,
        /// Whether the entry's beginning is more of the older encoding than of UTF-8.
        mostly: bool,
    },
    Utf16Le,
    Utf16Be,
}

impl Charset {
    /// The WHATWG name of what the entry's beginning is in.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bytes { legacy, mostly: true } => legacy.name(),
            Self::Bytes { .. } => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        }
    }

    /// Guesses from an entry's first bytes: a byte-order mark, else zeros at every other place (ASCII in
    /// UTF-16), else the fields.
    pub(crate) fn of(head: &[u8]) -> Self {
        let zeros = |odd: usize| head.iter().skip(odd).step_by(2).take(512).filter(|&&byte| byte == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), head.len().min(1024) / 2);
        match head {
            [0xFF, 0xFE, ..] => Self::Utf16Le,
            [0xFE, 0xFF, ..] => Self::Utf16Be,
            _ if half >= 4 && odd * 2 > half && even * 8 < half => Self::Utf16Le,
            _ if half >= 4 && even * 2 > half && odd * 8 < half => Self::Utf16Be,
            _ => {
                let evidence = Evidence::of(&head[..after_last_hard(head).unwrap_or(head.len())]);
                Self::Bytes { legacy: evidence.legacy(Legacy::Gb18030), mostly: evidence.is_mostly_legacy() }
            }
        }
    }
}

/// Text that came from one stretch of the entry.
struct Piece {
    /// Where it begins, counted in bytes of text from the window's first byte ever.
    text: u64,
    /// Where its bytes begin in the entry.
    raw: u64,
    origin: Origin,
}

enum Origin {
    /// The text is the bytes.
    Same,
    /// The text was recoded from these bytes; hard bytes are in both in the same order.
    Recoded(Vec<u8>),
    /// Every UTF-16 unit is two bytes.
    Utf16,
}

/// How far a piece's text has been held against its bytes. Places are asked for in their order, at every row that is
/// lost: each is looked for from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    /// Which piece.
    piece: usize,
    /// Text up to here is done, as [`Piece::text`] counts.
    text: u64,
    /// Where in the text the last hard byte before it ends, or the piece begins.
    field: u64,
    /// How many of the piece's bytes stand for the text up to `field`; for UTF-16, up to `text`.
    raw: usize,
}

impl Cursor {
    fn at_start(piece: usize, text: u64) -> Self {
        Self { piece, text, field: text, raw: 0 }
    }
}

/// What could not be read while the window slid on.
pub(crate) struct Loss {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) what: &'static str,
}

/// The window. Memory grows only with what its user leaves unconsumed.
pub(crate) struct Window<'r> {
    source: &'r mut dyn Read,
    block: usize,
    buffer: Vec<u8>,
    /// Consumed up to here.
    at: usize,
    /// Text up to here.
    valid: usize,
    /// Bytes that are not text yet up to here.
    filled: usize,
    /// Bytes of text that have left the window.
    gone: u64,
    /// Where in the entry the next byte read is.
    offset: u64,
    pieces: Vec<Piece>,
    charset: Charset,
    decoder: Option<Decoder>,
    ended: bool,
    losses: Vec<Loss>,
    cursor: Cell<Cursor>,
    /// Bytes of text looked at to find places.
    #[cfg(test)]
    walked: Cell<usize>,
}

impl<'r> Window<'r> {
    /// A window on a source whose next byte is at `offset` of the entry. Without a `charset` it is guessed.
    pub(crate) fn new(source: &'r mut dyn Read, offset: u64, block: usize, charset: Option<Charset>) -> Self {
        let charset_or_any = charset.unwrap_or(Charset::Utf16Le);
        let mut window = Self {
            source,
            block: block.next_multiple_of(CELL as usize),
            buffer: Vec::new(),
            at: 0,
            valid: 0,
            filled: 0,
            gone: 0,
            offset,
            pieces: Vec::new(),
            charset: charset_or_any,
            decoder: None,
            ended: false,
            losses: Vec::new(),
            cursor: Cell::new(Cursor::at_start(0, 0)),
            #[cfg(test)]
            walked: Cell::new(0),
        };
        window.read_block();
        while charset.is_none() && window.filled < HEAD && !window.ended {
            window.read_block();
        }
        window.set_charset(charset);
        window.make_text();
        window
    }

    fn set_charset(&mut self, charset: Option<Charset>) {
        let head = &self.buffer[..self.filled];
        self.charset = charset.unwrap_or_else(|| Charset::of(&head[..head.len().min(HEAD)]));
        self.decoder = match self.charset {
            Charset::Bytes { .. } => None,
            Charset::Utf16Le => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Charset::Utf16Be => Some(UTF_16BE.new_decoder_without_bom_handling()),
        };
        let mark = match (self.charset, head) {
            (Charset::Bytes { .. }, [0xEF, 0xBB, 0xBF, ..]) => 3,
            (Charset::Utf16Le, [0xFF, 0xFE, ..]) | (Charset::Utf16Be, [0xFE, 0xFF, ..]) => 2,
            _ => 0,
        };
        if mark > 0 && self.offset == self.filled as u64 {
            self.buffer.copy_within(mark..self.filled, 0);
            self.filled -= mark;
        }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.charset
    }

    /// The text, and where in it the consumed part ends.
    #[inline]
    pub(crate) fn text(&self) -> (&[u8], usize) {
        (&self.buffer[..self.valid], self.at)
    }

    /// The text, to unescape fields in place.
    #[inline]
    pub(crate) fn text_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.valid]
    }

    /// Whether all of the entry's text is in the window.
    #[inline]
    pub(crate) fn ended(&self) -> bool {
        self.ended && self.valid == self.filled
    }

    #[inline]
    pub(crate) fn consume_to(&mut self, at: usize) {
        self.at = at.clamp(self.at, self.valid);
    }

    /// How much text is unconsumed.
    pub(crate) fn remaining(&self) -> usize {
        self.valid - self.at
    }

    /// What was lost before an offset, or where the entry could not be read on, and not yet told.
    pub(crate) fn take_losses(&mut self, before: u64) -> Vec<Loss> {
        let (taken, kept) = std::mem::take(&mut self.losses)
            .into_iter()
            .partition(|loss| loss.offset < before + u64::from(loss.bytes == 0));
        self.losses = kept;
        taken
    }

    /// Forgets what was consumed and reads on. All places in the text move. `false` at the end.
    pub(crate) fn fill(&mut self) -> bool {
        if self.ended() {
            return false;
        }
        self.forget();
        if !self.ended {
            self.read_block();
        }
        self.make_text();
        true
    }

    fn forget(&mut self) {
        let raw = self.raw_offset(self.at);
        let here = self.gone + self.at as u64;
        let kept = self.pieces.partition_point(|piece| piece.text <= here).saturating_sub(1);
        self.pieces.drain(..kept);
        if let Some(first) = self.pieces.first_mut().filter(|first| first.text < here) {
            if let Origin::Recoded(bytes) = &mut first.origin {
                bytes.drain(..((raw - first.raw) as usize).min(bytes.len()));
            }
            (first.text, first.raw) = (here, raw);
        }
        self.cursor.set(Cursor::at_start(0, here));
        self.buffer.copy_within(self.at..self.filled, 0);
        self.gone = here;
        self.valid -= self.at;
        self.filled -= self.at;
        self.at = 0;
    }

    /// Reads up to the next block boundary of the entry.
    fn read_block(&mut self) {
        let block = self.block as u64;
        let wanted = (block - self.offset % block) as usize;
        let end = self.filled + wanted;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        while self.filled < end {
            match self.source.read(&mut self.buffer[self.filled..end]) {
                Ok(0) => {
                    self.ended = true;
                    return;
                }
                Ok(count) => {
                    self.filled += count;
                    self.offset += count as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    let what = match error.kind() {
                        std::io::ErrorKind::UnexpectedEof => "the entry is cut short",
                        std::io::ErrorKind::FileTooLarge => "the entry unpacks to far more than a dump does",
                        _ => "the entry could not be read on: its container is damaged here",
                    };
                    self.losses.push(Loss { offset: self.offset, bytes: 0, what });
                    return;
                }
            }
        }
    }

    fn make_text(&mut self) {
        match self.charset {
            Charset::Bytes { legacy, .. } => self.make_text_of_fields(legacy),
            Charset::Utf16Le | Charset::Utf16Be => self.make_text_of_units(),
        }
    }

    fn make_text_of_fields(&mut self, legacy: Legacy) {
        let fresh = &self.buffer[self.valid..self.filled];
        let whole = if self.ended { Some(fresh.len()) } else { after_last_hard(fresh) };
        let mut length = whole.unwrap_or(fresh.len());
        if whole.is_none()
            && let Err(error) = std::str::from_utf8(fresh)
            && error.error_len().is_none()
        {
            length = error.valid_up_to();
        }
        let raw = self.offset - fresh.len() as u64;
        if simdutf8::basic::from_utf8(&fresh[..length]).is_ok() {
            self.push_piece(self.valid, raw, Origin::Same);
            self.valid += length;
        } else {
            self.recode_cells(length, raw, legacy);
        }
    }

    fn recode_cells(&mut self, length: usize, mut raw: u64, legacy: Legacy) {
        let bytes = self.buffer[self.valid..self.valid + length].to_vec();
        let tail = self.buffer[self.valid + length..self.filled].to_vec();
        self.buffer.truncate(self.valid);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (cell, after) = rest.split_at(cell_length(rest, raw));
            let start = self.buffer.len();
            if std::str::from_utf8(cell).is_ok() {
                self.push_piece(start, raw, Origin::Same);
                self.buffer.extend_from_slice(cell);
            } else {
                self.push_piece(start, raw, Origin::Recoded(cell.to_vec()));
                let lost = recode(cell, legacy, &mut self.buffer);
                if lost > 0 {
                    let what = "text in no encoding known: neither UTF-8 nor GB18030 nor Big5";
                    self.losses.push(Loss { offset: raw, bytes: lost as u64, what });
                }
            }
            raw += cell.len() as u64;
            rest = after;
        }
        self.valid = self.buffer.len();
        self.buffer.extend_from_slice(&tail);
        self.filled = self.buffer.len();
    }

    fn make_text_of_units(&mut self) {
        let Some(decoder) = &mut self.decoder else { return };
        let bytes = self.buffer[self.valid..self.filled].to_vec();
        // Decoded by whole units, so that no half unit stays inside of the decoder.
        let whole = if self.ended { bytes.len() } else { whole_units(&bytes, self.charset) };
        let raw = self.offset - bytes.len() as u64;
        self.buffer.truncate(self.valid);
        let most = decoder.max_utf8_buffer_length(whole).unwrap_or(0);
        self.buffer.resize(self.valid + most, 0);
        let (_, _, written, _) = decoder.decode_to_utf8(&bytes[..whole], &mut self.buffer[self.valid..], self.ended);
        self.buffer.truncate(self.valid + written);
        self.push_piece(self.valid, raw, Origin::Utf16);
        self.valid += written;
        self.buffer.extend_from_slice(&bytes[whole..]);
        self.filled = self.buffer.len();
    }

    fn push_piece(&mut self, start: usize, raw: u64, origin: Origin) {
        self.pieces.push(Piece { text: self.gone + start as u64, raw, origin });
    }

    /// Where in the entry the text at `at` comes from. Exact where the byte before it is ASCII.
    pub(crate) fn raw_offset(&self, at: usize) -> u64 {
        let Some((cursor, offset)) = self.found(at) else { return self.offset };
        // What is consumed is not asked for again; what lies ahead may be.
        if at <= self.at {
            self.cursor.set(cursor);
        }
        offset
    }

    /// The text up to `at` will be changed in place: from here on only what follows is looked at.
    pub(crate) fn settle(&self, at: usize) {
        if let Some((cursor, _)) = self.found(at) {
            self.cursor.set(cursor);
        }
    }

    fn found(&self, at: usize) -> Option<(Cursor, u64)> {
        let here = self.gone + at as u64;
        let index = self.pieces.partition_point(|piece| piece.text <= here).checked_sub(1)?;
        let piece = self.pieces.get(index)?;
        let known = self.cursor.get();
        let goes_on = known.piece == index && (piece.text..=here).contains(&known.text);
        let mut cursor = if goes_on { known } else { Cursor::at_start(index, piece.text) };
        let length = match &piece.origin {
            Origin::Same => here - piece.text,
            Origin::Recoded(bytes) => self.walk_fields(&mut cursor, bytes, at) as u64,
            Origin::Utf16 => self.walk_units(&mut cursor, at) as u64,
        };
        // Half a unit at the end stands for a whole character.
        Some((cursor, (piece.raw + length).min(self.offset)))
    }

    /// The text from where the cursor is.
    fn ahead(&self, cursor: &Cursor, at: usize) -> &[u8] {
        let from = cursor.text.saturating_sub(self.gone) as usize;
        let text = self.buffer.get(from..at).unwrap_or_default();
        #[cfg(test)]
        self.walked.set(self.walked.get() + text.len());
        text
    }

    fn walk_units(&self, cursor: &mut Cursor, at: usize) -> usize {
        let units: u64 = self.ahead(cursor, at).iter().map(|&byte| units_that_begin(byte)).sum();
        cursor.raw += units as usize * 2;
        cursor.text = self.gone + at as u64;
        cursor.raw
    }

    /// How many of `bytes` the recoded text stands for: as many as have the same hard bytes, and what
    /// follows up to the next one. Never less for more text.
    fn walk_fields(&self, cursor: &mut Cursor, bytes: &[u8], at: usize) -> usize {
        let start = cursor.text;
        for (place, _) in self.ahead(cursor, at).iter().enumerate().filter(|(_, byte)| is_hard(**byte)) {
            let rest = bytes.get(cursor.raw..).unwrap_or_default();
            cursor.raw += rest.iter().position(|&byte| is_hard(byte)).map_or(rest.len(), |hard| hard + 1);
            cursor.field = start + place as u64 + 1;
        }
        cursor.text = self.gone + at as u64;
        let inside = (cursor.text - cursor.field) as usize;
        let rest = bytes.get(cursor.raw..).unwrap_or_default();
        let rest = rest.get(..inside).unwrap_or(rest);
        cursor.raw + rest.iter().position(|&byte| is_hard(byte)).unwrap_or(rest.len())
    }
}

/// How many UTF-16 units the character has that begins with this byte of UTF-8.
fn units_that_begin(byte: u8) -> u64 {
    match byte {
        0x80..=0xBF => 0,
        0xF0.. => 2,
        _ => 1,
    }
}

/// The length of `bytes` without a half unit and without half of a surrogate pair at the end.
fn whole_units(bytes: &[u8], charset: Charset) -> usize {
    let length = bytes.len() & !1;
    let high = length.checked_sub(if charset == Charset::Utf16Le { 1 } else { 2 }).and_then(|at| bytes.get(at));
    if high.is_some_and(|high| (0xD8..=0xDB).contains(high)) { length - 2 } else { length }
}

/// The bytes of `rest` that end in the cell in which they begin: up to the last hard byte before the
/// next cell.
fn cell_length(rest: &[u8], raw: u64) -> usize {
    let mut until = (CELL - raw % CELL) as usize;
    while until < rest.len() {
        if let Some(length) = after_last_hard(&rest[..until]) {
            return length;
        }
        until += CELL as usize;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::GB18030;
    use proptest::prelude::*;

    fn place_after_place(bytes: &[u8], charset: Option<Charset>) -> (Vec<u64>, usize, usize) {
        let mut source = bytes;
        let mut window = Window::new(&mut source, 0, 1 << 20, charset);
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', window.text().0).map(|place| place + 1).collect();
        let mut offsets = Vec::new();
        for end in ends {
            window.consume_to(end);
            offsets.push(window.raw_offset(end));
        }
        (offsets, window.walked.get(), window.text().0.len())
    }

    #[test]
    fn a_place_is_looked_for_from_the_one_before() {
        let list: String = (0..40_000).map(|number| format!("张{number}----北京\n")).collect::<Vec<_>>().concat();
        let gbk = GB18030.encode(&list).0.into_owned();
        let utf16: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, charset) in [(gbk, None), (utf16, Some(Charset::Utf16Le))] {
            let (offsets, walked, length) = place_after_place(&bytes, charset);
            assert!(offsets.len() > 20_000);
            let ends = |offset: &u64| {
                bytes[..*offset as usize].ends_with(b"\n") || bytes[..*offset as usize].ends_with(b"\n\0")
            };
            assert!(offsets.iter().all(ends));
            assert!(walked <= 2 * length, "{walked} bytes looked at in {length}");
        }
    }

    proptest! {
        #[test]
        fn places_found_one_after_the_other_are_those_found_alone(
            pieces in proptest::collection::vec("[a-z,\n]{0,3}[一-龠]{0,4}", 1..60), steps in proptest::collection::vec(1usize..20, 1..60)
        ) {
            let bytes = GB18030.encode(&pieces.concat()).0.into_owned();
            let (mut first, mut second) = (&bytes[..], &bytes[..]);
            let mut window = Window::new(&mut first, 0, 1 << 14, None);
            let mut at = 0;
            for step in steps {
                at = (at + step).min(window.text().0.len());
                window.consume_to(at);
                let alone = Window::new(&mut second, 0, 1 << 14, None).raw_offset(at);
                prop_assert_eq!(window.raw_offset(at), alone);
                second = &bytes[..];
            }
        }
    }
}
