//! Overwriting values where they stand, without changing how long anything is.

use super::Found;
use dyetrace_case::{Blob, Message, PartName, Range, Side};

/// Overwrites what was found in a request. False where that cannot be done; the message is then no longer what it was.
pub(super) fn overwrite(message: &mut Message, found: &[Found]) -> bool {
    let mut body = None;
    let done = found.iter().all(|found| {
        found.exact
            && match &found.part {
                PartName::Url => message.target.as_mut().is_some_and(|target| blank(target, found.range)),
                PartName::Header { side: Side::Request, index, .. } => {
                    message.headers.get_mut(*index).is_some_and(|(_, value)| blank(value, found.range))
                }
                PartName::Body(Side::Request) => {
                    let bytes = body.get_or_insert_with(|| bytes_of(message));
                    blank(bytes, found.range)
                }
                _ => false,
            }
    });
    if let Some(body) = body {
        message.body = Some(Blob::from(body));
    }
    done
}

/// The bytes of a request's body, which the guard holds in memory always.
pub(super) fn bytes_of(message: &Message) -> Vec<u8> {
    message.body.as_ref().and_then(Blob::as_slice).unwrap_or_default().to_vec()
}

/// Digits become zeros and everything else the letter A: this is as good in base64, hexadecimal and percent-encoding
/// as in plain text. Where all are digits the first becomes a one, since a number of JSON begins with no zero. What is
/// no UTF-8 keeps its high bits: integers of protobuf stay as long as they are, and GBK stays GBK.
fn blank(bytes: &mut [u8], range: Range) -> bool {
    let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else { return false };
    let Some(bytes) = bytes.get_mut(start..end) else { return false };
    let is_number = bytes.iter().all(u8::is_ascii_digit);
    let kept = if std::str::from_utf8(bytes).is_ok() { 0 } else { 0x80 };
    for byte in &mut *bytes {
        *byte = if byte.is_ascii_digit() { b'0' } else { b'A' | *byte & kept };
    }
    if is_number && let Some(first) = bytes.first_mut() {
        *first = b'1';
    }
    !bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(part: PartName, start: u64, end: u64) -> Found {
        let (datum, kind) = (dyetrace_case::DatumId("phone".to_owned()), "phone".parse().unwrap());
        Found { datum, kind, part, range: Range::new(start, end), exact: true, is_sighting: true }
    }

    fn message() -> Message {
        Message {
            target: Some(b"/a?pin=4821x".to_vec()),
            headers: vec![(b"Cookie".to_vec(), b"v=Qm7".to_vec())],
            body: Some(Blob::from(b"{\"phone\":13800000427}".to_vec())),
            ..Message::default()
        }
    }

    #[test]
    fn every_part_keeps_its_length_and_loses_the_value() {
        let mut message = message();
        let header = PartName::Header { side: Side::Request, index: 0, name: "cookie".to_owned(), nth: 0 };
        let all = [found(PartName::Url, 7, 12), found(header, 2, 5), found(PartName::Body(Side::Request), 9, 20)];
        assert!(overwrite(&mut message, &all));
        assert_eq!(message.target.as_deref(), Some(&b"/a?pin=0000A"[..]));
        assert_eq!(message.headers[0].1, b"v=AA0");
        assert_eq!(bytes_of(&message), b"{\"phone\":10000000000}");
    }

    #[test]
    fn binary_values_keep_their_high_bits_and_text_becomes_text() {
        let mut varint = [0x08, 0xbb, 0xd4, 0x95, 0xb4, 0x33];
        assert!(blank(&mut varint, Range::new(1, 6)));
        assert_eq!(varint, [0x08, 0xc1, 0xc1, 0xc1, 0xc1, b'0']);
        let mut name = "小明".as_bytes().to_vec();
        assert!(blank(&mut name, Range::new(0, 6)));
        assert_eq!(name, b"AAAAAA");
    }

    #[test]
    fn what_is_not_exact_or_not_there_is_not_done() {
        let whole = Found { exact: false, ..found(PartName::Url, 0, 3) };
        assert!(!overwrite(&mut message(), &[whole]));
        for wrong in [found(PartName::Url, 5, 99), found(PartName::Url, 5, 5), found(PartName::Url, 9, 2)] {
            assert!(!overwrite(&mut message(), &[wrong]));
        }
        assert!(!overwrite(&mut message(), &[found(PartName::Body(Side::Response), 0, 1)]));
    }
}
