//! Frames of WebSocket (RFC 6455 section 5.2).

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) is_final: bool,
    /// Whether the message is deflated (RFC 7692); in its first frame only.
    pub(super) is_deflated: bool,
    pub(super) opcode: u8,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: u64,
}

impl FrameHead {
    /// Reads a head and says how long it is; `None` where there are not bytes enough.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, &'static str> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & 0x30 != 0 {
            return Err("a frame has reserved bits");
        }
        let wide = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let masked = if second & 0x80 == 0 { 0 } else { 4 };
        let (Some(length), Some(mask)) = (rest.get(..wide), rest.get(wide..wide + masked)) else { return Ok(None) };
        let length = match wide {
            0 => u64::from(second & 0x7f),
            _ => length.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        };
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0f);
        if length >> 63 != 0 || opcode >= 8 && (length > 125 || !is_final) {
            return Err("a frame is longer than its kind may be");
        }
        let head = Self { is_final, is_deflated: first & 0x40 != 0, opcode, mask: mask.try_into().ok(), length };
        Ok(Some((head, 2 + wide + masked)))
    }

    /// The frame with this content, which is as long as it says.
    pub(super) fn with(self, content: &[u8]) -> Vec<u8> {
        let flags = u8::from(self.is_final) << 7 | u8::from(self.is_deflated) << 6;
        let masked = u8::from(self.mask.is_some()) << 7;
        let mut out = vec![flags | self.opcode];
        match content.len() {
            length @ 0..126 => out.push(masked | length as u8),
            length @ 126..0x1_0000 => {
                out.push(masked | 0x7e);
                out.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                out.push(masked | 0x7f);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(self.mask.as_ref().map_or(&[], |mask| mask.as_slice()));
        let from = out.len();
        out.extend_from_slice(content);
        unmask(out.get_mut(from..).unwrap_or_default(), self.mask, 0);
        out
    }
}

/// Masks or unmasks content, which begins at that offset of its frame.
pub(super) fn unmask(content: &mut [u8], mask: Option<[u8; 4]>, offset: u64) {
    let Some(mask) = mask else { return };
    for (byte, at) in content.iter_mut().zip((offset % 4) as usize..) {
        *byte ^= mask[at % 4];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written(
            content in proptest::collection::vec(any::<u8>(), 0..300),
            mask in any::<Option<[u8; 4]>>(),
            times in 1usize..400,
            (is_final, is_deflated, opcode) in (any::<bool>(), any::<bool>(), 0u8..3),
        ) {
            let content = content.repeat(times);
            let length = content.len() as u64;
            let head = FrameHead { is_final, is_deflated, opcode, mask, length };
            let mut bytes = head.with(&content);
            let (read, end) = FrameHead::read(&bytes).unwrap().unwrap();
            prop_assert_eq!(read, head);
            for cut in 0..end {
                prop_assert_eq!(FrameHead::read(&bytes[..cut]), Ok(None));
            }
            unmask(&mut bytes[end..], mask, 0);
            prop_assert!(bytes[end..] == content);
        }
    }

    #[test]
    fn what_no_frame_may_be_is_refused() {
        assert!(FrameHead::read(&[0xa1, 0]).is_err(), "reserved bits");
        assert!(FrameHead::read(&[0x89, 126, 0, 126]).is_err(), "a long ping");
        assert!(FrameHead::read(&[0x09, 0]).is_err(), "a ping in pieces");
        assert!(FrameHead::read(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]).is_err(), "2^63 bytes");
    }
}
