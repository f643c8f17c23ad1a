//! WebSocket frames (RFC 6455 section 5.2), piece by piece.

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The last frame of its message.
    pub(super) last: bool,
    /// RSV1: the message is compressed (RFC 7692 section 6).
    pub(super) compressed: bool,
    pub(super) opcode: u8,
    mask: Option<[u8; 4]>,
    length: u64,
}

/// The bit of an opcode that tells control frames (RFC 6455 section 5.5).
pub(super) const CONTROL: u8 = 8;

impl Header {
    /// Close, ping, pong.
    pub(super) fn is_control(self) -> bool {
        self.opcode & CONTROL != 0
    }
}

/// What came next.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame begins.
    Start(Header),
    /// Some of its payload, unmasked.
    Payload {
        /// Of a control frame.
        control: bool,
        bytes: Vec<u8>,
    },
    /// The frame ended.
    End(Header),
    /// What came is no frame. [`Frames::take_header`] gives back the bytes taken for one.
    Violation,
}

/// Reads the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// A header that is not complete.
    header: Vec<u8>,
    /// The frame whose payload is being read, and how much of it is to come.
    frame: Option<(Header, u64)>,
}

/// Most bytes in a header: two, eight of length, four of mask.
const LONGEST_HEADER: usize = 14;

impl Frames {
    /// True where the next byte is the first of a frame.
    pub(super) fn is_between(&self) -> bool {
        self.header.is_empty() && self.frame.is_none()
    }

    /// Takes the next event off `input`. `None` where more is needed.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Option<Event> {
        match self.frame {
            Some((header, 0)) => {
                self.frame = None;
                Some(Event::End(header))
            }
            Some((header, left)) => self.payload(header, left, input),
            None => self.header(input),
        }
    }

    /// Counts missing bytes of a payload. Returns the frame and how much of it is still to come,
    /// or `None` where the bytes were not all payload of one frame.
    pub(super) fn skip(&mut self, count: u64) -> Option<(Header, u64)> {
        let (header, left) = self.frame.take()?;
        let left = left.checked_sub(count)?;
        self.frame = (left > 0).then_some((header, left));
        Some((header, left))
    }

    /// The bytes held of a header.
    pub(super) fn take_header(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.header)
    }

    fn header(&mut self, input: &mut &[u8]) -> Option<Event> {
        while let Some((byte, rest)) = input.split_first() {
            self.header.push(*byte);
            *input = rest;
            match parse(&self.header) {
                Parsed::Header(header) => {
                    self.header.clear();
                    self.frame = Some((header, header.length));
                    return Some(Event::Start(header));
                }
                Parsed::No => return Some(Event::Violation),
                Parsed::More => debug_assert!(self.header.len() < LONGEST_HEADER),
            }
        }
        None
    }

    fn payload(&mut self, header: Header, left: u64, input: &mut &[u8]) -> Option<Event> {
        let length = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (payload, rest) = input.split_at(length);
        *input = rest;
        self.frame = Some((header, left - length as u64));
        let mut bytes = payload.to_vec();
        if let Some(key) = header.mask {
            unmask(&mut bytes, key, header.length - left);
        }
        (length > 0).then_some(Event::Payload { control: header.is_control(), bytes })
    }
}

enum Parsed {
    Header(Header),
    More,
    No,
}

fn parse(bytes: &[u8]) -> Parsed {
    let [first, second, rest @ ..] = bytes else { return Parsed::More };
    let opcode = first & 0x0f;
    let (short, masked) = (second & 0x7f, second & 0x80 != 0);
    let known = matches!(opcode, 0..=2 | 8..=10) && first & 0x30 == 0;
    let fragmented_control = opcode >= 8 && (first & 0x80 == 0 || short > 125);
    if !known || fragmented_control {
        return Parsed::No;
    }
    let size = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((long, rest)) = rest.split_at_checked(size) else { return Parsed::More };
    let length = match size {
        0 => u64::from(short),
        _ => long.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    let mask = match (masked, rest.first_chunk()) {
        (true, None) => return Parsed::More,
        (true, mask) => mask.copied(),
        (false, _) => None,
    };
    if length >> 63 != 0 {
        return Parsed::No;
    }
    Parsed::Header(Header { last: first & 0x80 != 0, compressed: first & 0x40 != 0, opcode, mask, length })
}

/// Undoes the mask (RFC 6455 section 5.3) for bytes that begin at that offset of the payload.
fn unmask(bytes: &mut [u8], mut key: [u8; 4], offset: u64) {
    key.rotate_left((offset % 4) as usize);
    for chunk in bytes.chunks_mut(4) {
        chunk.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    }
}

/// The name of an opcode (RFC 6455 section 11.8).
pub(crate) fn opcode_name(opcode: u8) -> &'static str {
    match opcode {
        0 => "CONTINUATION",
        1 => "TEXT",
        2 => "BINARY",
        8 => "CLOSE",
        9 => "PING",
        10 => "PONG",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_read() {
        let mut input = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58][..];
        let mut frames = Frames::default();
        assert!(matches!(frames.next(&mut input), Some(Event::Start(Header { last: true, opcode: 1, .. }))));
        assert!(matches!(frames.next(&mut input), Some(Event::Payload { bytes, .. }) if bytes == b"Hello"));
        assert!(matches!(frames.next(&mut input), Some(Event::End(_))));
        assert!(frames.is_between());
    }

    #[test]
    fn what_no_frame_starts_with_is_found_out() {
        for bytes in
            [&[0x83, 0x00][..], &[0xa1, 0x00], &[0x09, 0x00], &[0x88, 0x7e], &[0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert!(matches!(parse(bytes), Parsed::No), "{bytes:x?}");
        }
    }
}
