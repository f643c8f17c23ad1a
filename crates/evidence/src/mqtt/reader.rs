//! The data types of MQTT (5.0, section 1.5), taken off the front of a slice.

/// Bytes that end too early, or a number written too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads data types; on an error the slice is left where it was.
pub(super) struct Reader;

impl Reader {
    pub(super) fn byte(rest: &mut &[u8]) -> Result<u8, Malformed> {
        Self::array(rest).map(|[byte]| byte)
    }

    pub(super) fn u16(rest: &mut &[u8]) -> Result<u16, Malformed> {
        Self::array(rest).map(u16::from_be_bytes)
    }

    pub(super) fn u32(rest: &mut &[u8]) -> Result<u32, Malformed> {
        Self::array(rest).map(u32::from_be_bytes)
    }

    /// Variable byte integer (section 1.5.5): at most four bytes.
    pub(super) fn varint(rest: &mut &[u8]) -> Result<u32, Malformed> {
        let mut value = 0;
        for (place, byte) in rest.iter().take(4).enumerate() {
            value |= u32::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                *rest = rest.get(place + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    /// A string or binary data: two bytes of length and that many bytes.
    pub(super) fn binary<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(Malformed)?;
        Self::split(rest, after, usize::from(u16::from_be_bytes(*length)))
    }

    /// That many bytes.
    pub(super) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
        let all = *rest;
        Self::split(rest, all, length)
    }

    fn split<'a>(rest: &mut &'a [u8], after: &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, after) = after.split_at_checked(length).ok_or(Malformed)?;
        *rest = after;
        Ok(taken)
    }

    fn array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
        let (bytes, after) = rest.split_first_chunk::<N>().ok_or(Malformed)?;
        *rest = after;
        Ok(*bytes)
    }
}
