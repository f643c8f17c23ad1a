//! The head of an HTTP/1 message: start line and fields (RFC 9112 sections 3 to 5).
//!
//! Read as leniently as servers do, because evidence is what was sent, not what should have been:
//! bare LF ends a line, fields may be folded, any token is a method, any byte may stand in a value.

use dyetrace_case::{Protocol, Side};
use memchr::{memchr, memchr_iter};

/// A field: name and value as sent, without the white space around them.
pub(super) type Field = (Vec<u8>, Vec<u8>);

/// A parsed head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// What the start line says.
    pub(super) start: Start,
    /// HTTP/1.0, or 1.1 for every other 1.x.
    pub(super) protocol: Protocol,
    /// The fields in order.
    pub(super) fields: Vec<Field>,
    /// Bytes of fields over the limit on their number.
    pub(super) dropped: u64,
    /// Bytes of the head as sent.
    pub(super) length: usize,
}

/// A start line without its version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// `GET /path HTTP/1.1`
    Request {
        /// The method as sent.
        method: String,
        /// The target as sent, spaces inside it too.
        target: Vec<u8>,
    },
    /// `HTTP/1.1 200 OK`
    Response {
        /// The three digits.
        status: u16,
    },
}

/// No registered method is longer; binary data that starts with letters is found out early.
const LONGEST_METHOD: usize = 32;

impl Head {
    /// Parses a head up to and with its empty line, or as much of it as there is. `None` where the
    /// first line is no start line.
    pub(super) fn parse(side: Side, bytes: &[u8], most_fields: usize) -> Option<Self> {
        let (line, rest) = first_line(bytes);
        let (start, protocol) = match side {
            Side::Request => request_line(line)?,
            Side::Response => status_line(line)?,
        };
        let (fields, dropped) = parse_fields(rest, most_fields);
        Some(Self { start, protocol, fields, dropped, length: bytes.len() })
    }

    /// The values of all fields of that name.
    pub(super) fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        values(&self.fields, name)
    }
}

/// The values of all fields of that name (lower case).
pub(super) fn values<'f>(fields: &'f [Field], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    let same = move |field: &&Field| field.0.eq_ignore_ascii_case(name.as_bytes());
    fields.iter().filter(same).map(|(_, value)| value.as_slice())
}

/// The first value of that name as text, where it is text.
pub(super) fn text<'f>(fields: &'f [Field], name: &'f str) -> Option<&'f str> {
    values(fields, name).next().and_then(|value| std::str::from_utf8(value).ok())
}

/// True where the line is a start line that this side may send.
pub(super) fn is_start_line(side: Side, line: &[u8]) -> bool {
    match side {
        Side::Request => request_line(line).is_some(),
        Side::Response => status_line(line).is_some(),
    }
}

/// False where no line that begins with `prefix` is a start line.
pub(super) fn may_start_line(side: Side, prefix: &[u8]) -> bool {
    match side {
        Side::Response => prefix.iter().zip(b"HTTP/1.").all(|(byte, expected)| byte.to_ascii_uppercase() == *expected),
        Side::Request => match prefix.iter().take(LONGEST_METHOD + 1).position(|byte| !is_token(*byte)) {
            Some(end) => end > 0 && matches!(prefix.get(end), Some(b' ' | b'\t')),
            None => prefix.len() <= LONGEST_METHOD,
        },
    }
}

/// Looks for the empty line that ends a head, in bytes from `from` on. `Ok` holds the position
/// behind it, `Err` where to look once there is more.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let searched = bytes.get(from..).unwrap_or_default();
    for newline in memchr_iter(b'\n', searched).map(|at| from + at) {
        match bytes.get(newline + 1..).unwrap_or_default() {
            [b'\n', ..] => return Ok(newline + 2),
            [b'\r', b'\n', ..] => return Ok(newline + 3),
            [] | [b'\r'] => return Err(newline),
            _ => {}
        }
    }
    Err(bytes.len())
}

/// Parses field lines up to the empty one. Returns the bytes of those beyond `most` too.
pub(super) fn parse_fields(mut bytes: &[u8], most: usize) -> (Vec<Field>, u64) {
    let mut fields: Vec<Field> = Vec::with_capacity(16.min(most));
    while !bytes.is_empty() {
        let (line, rest) = first_line(bytes);
        if line.is_empty() {
            break;
        }
        if fields.len() >= most {
            return (fields, bytes.len() as u64);
        }
        match (line.first(), fields.last_mut()) {
            (Some(b' ' | b'\t'), Some((_, value))) => unfold(value, line),
            _ => fields.push(field(line)),
        }
        bytes = rest;
    }
    (fields, 0)
}

/// A folded line continues the value after one space (RFC 9112 section 5.2).
fn unfold(value: &mut Vec<u8>, line: &[u8]) {
    value.push(b' ');
    value.extend_from_slice(line.trim_ascii());
}

/// A line without a colon has no name; its text stays, as the value.
fn field(line: &[u8]) -> Field {
    match memchr(b':', line) {
        Some(colon) => {
            let (name, value) = line.split_at(colon);
            (name.trim_ascii().to_vec(), value.get(1..).unwrap_or_default().trim_ascii().to_vec())
        }
        None => (Vec::new(), line.trim_ascii().to_vec()),
    }
}

/// The first line without its end, and what follows.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memchr(b'\n', bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn request_line(line: &[u8]) -> Option<(Start, Protocol)> {
    let line = line.trim_ascii_end();
    let method_end = line.iter().take(LONGEST_METHOD + 1).position(|byte| !is_token(*byte)).filter(|end| *end > 0)?;
    let (method, rest) = line.split_at(method_end);
    let rest = rest.strip_prefix(b" ").or(rest.strip_prefix(b"\t"))?;
    let space = memchr::memrchr(b' ', rest)?;
    let (protocol, behind) = version(rest.get(space + 1..)?)?;
    let target = rest.get(..space)?.trim_ascii();
    let start = Start::Request { method: String::from_utf8_lossy(method).into_owned(), target: target.to_vec() };
    (behind.is_empty() && !target.is_empty()).then_some((start, protocol))
}

fn status_line(line: &[u8]) -> Option<(Start, Protocol)> {
    let (protocol, rest) = version(line)?;
    let code = rest.strip_prefix(b" ")?.trim_ascii();
    let (digits, reason) = code.split_at_checked(3)?;
    let separated = reason.first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let status = digits.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u16::from(b - b'0')))?;
    (separated && status >= 100).then_some((Start::Response { status }, protocol))
}

/// `HTTP/1.` and a digit, and what follows.
fn version(text: &[u8]) -> Option<(Protocol, &[u8])> {
    let (name, rest) = text.split_at_checked(7)?;
    let (minor, rest) = rest.split_first()?;
    let known = name.eq_ignore_ascii_case(b"HTTP/1.") && minor.is_ascii_digit();
    known.then_some((if *minor == b'0' { Protocol::Http10 } else { Protocol::Http11 }, rest))
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &[u8]) -> Option<Head> {
        Head::parse(Side::Request, text, 100)
    }

    fn pairs(head: &Head) -> Vec<(&str, &str)> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        head.fields.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn a_head_is_parsed() {
        let head = request(b"GET /a?b HTTP/1.1\r\nHost: x\r\nEmpty:\r\n\r\n").unwrap();
        assert_eq!(head.start, Start::Request { method: "GET".into(), target: b"/a?b".to_vec() });
        assert_eq!(head.protocol, Protocol::Http11);
        assert_eq!(pairs(&head), [("Host", "x"), ("Empty", "")]);
    }

    #[test]
    fn quirks_are_read_as_meant() {
        let head = request(b"get  /a b  http/1.0 \nHost : x\n Folded\n\tmore\nno colon\nA:  b \n\n").unwrap();
        assert_eq!(head.start, Start::Request { method: "get".into(), target: b"/a b".to_vec() });
        assert_eq!(head.protocol, Protocol::Http10);
        assert_eq!(pairs(&head), [("Host", "x Folded more"), ("", "no colon"), ("A", "b")]);
        let status = |text: &[u8]| Head::parse(Side::Response, text, 9).map(|head| head.start);
        for line in [&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], b"HTTP/1.0 404\n\n", b"HTTP/1.1  404 \r\n\r\n"] {
            assert_eq!(status(line), Some(Start::Response { status: 404 }));
        }
    }

    #[test]
    fn other_lines_are_no_start_lines() {
        for line in
            ["GET /", "GET  HTTP/1.1", "PRI * HTTP/2.0", "G\u{e9}T / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1x"]
        {
            assert!(!is_start_line(Side::Request, line.as_bytes()), "{line}");
        }
        for line in
            ["HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000 x", "HTTP/2 200", "ICY 200 OK", "HTTP/1.1 x00"]
        {
            assert!(!is_start_line(Side::Response, line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_start_line_may_start_at_each_of_its_prefixes() {
        for (side, line) in [(Side::Request, "M-SEARCH * HTTP/1.1"), (Side::Response, "http/1.1 200 OK")] {
            for end in 0..line.len() {
                assert!(may_start_line(side, &line.as_bytes()[..end]), "{line} {end}");
            }
        }
        assert!(!may_start_line(Side::Request, b"{\"json\""));
        assert!(!may_start_line(Side::Request, &[b'a'; 33]));
        assert!(!may_start_line(Side::Response, b"HTTP/2"));
    }

    #[test]
    fn fields_over_the_limit_are_counted() {
        let head = Head::parse(Side::Request, b"GET / HTTP/1.1\r\na: 1\r\nb: 2\r\n\r\n", 1).unwrap();
        assert_eq!((head.fields.len(), head.dropped), (1, 8));
    }

    #[test]
    fn the_end_of_a_head_is_found_wherever_it_is_cut() {
        for text in [&b"GET / HTTP/1.1\r\nA: b\r\n\r\n"[..], b"GET / HTTP/1.1\nA: b\n\n", b"GET / HTTP/1.1\r\n\r\n"] {
            let mut from = 0;
            for end in 0..text.len() {
                from = head_end(&text[..end], from).unwrap_err();
            }
            assert_eq!(head_end(text, from), Ok(text.len()));
        }
    }
}
