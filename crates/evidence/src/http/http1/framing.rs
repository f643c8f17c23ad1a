//! Where the body of an HTTP/1 message ends (RFC 9112 section 6.3).

use super::head::{Head, Start, values};
use crate::coding::coding_list;

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// There is no body.
    None,
    /// After that many bytes.
    Exact(u64),
    /// By chunked coding.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// What a head says about its body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Framing {
    pub(super) length: Length,
    /// The lengths given contradict each other.
    pub(super) conflicting: bool,
    /// Transfer codings beside chunked, in the order they were applied.
    pub(super) transfer: Vec<String>,
}

impl Framing {
    /// `asked` is the method of the request that a response answers.
    pub(super) fn of(head: &Head, asked: Option<&str>) -> Self {
        let lengths = content_lengths(head);
        let mut transfer: Vec<String> = values(&head.fields, "transfer-encoding").flat_map(coding_list).collect();
        let chunked = transfer.last().is_some_and(|last| last == "chunked");
        let differing = lengths.windows(2).any(|pair| pair.first() != pair.last());
        let conflicting = differing || (!transfer.is_empty() && !lengths.is_empty());
        let length = if never_has_body(head, asked) {
            Length::None
        } else if chunked {
            Length::Chunked
        } else if let (true, Some(Some(length))) = (transfer.is_empty(), lengths.first()) {
            Length::Exact(*length)
        } else {
            unframed(head, !transfer.is_empty())
        };
        transfer.retain(|coding| coding != "chunked");
        Self { length, conflicting, transfer }
    }
}

/// A response without framing ends with the connection, a request without any has no body.
fn unframed(head: &Head, has_transfer_coding: bool) -> Length {
    match head.start {
        Start::Request { .. } if !has_transfer_coding => Length::None,
        _ => Length::UntilClose,
    }
}

fn never_has_body(head: &Head, asked: Option<&str>) -> bool {
    match head.start {
        Start::Request { .. } => false,
        Start::Response { status } => {
            let tunnel = asked == Some("CONNECT") && (200..300).contains(&status);
            matches!(status, 100..=199 | 204 | 304) || asked == Some("HEAD") || tunnel
        }
    }
}

/// All lengths given, also several in one field. `None` for one that is no number. A number too
/// large to hold is held as the largest: no body reaches either.
fn content_lengths(head: &Head) -> Vec<Option<u64>> {
    let fields = head.values("content-length");
    fields.flat_map(|value| value.split(|byte| *byte == b',')).map(|text| decimal(text.trim_ascii())).collect()
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digit = |sum: u64, byte: &u8| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    };
    (!text.is_empty()).then(|| text.iter().try_fold(0, digit)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::Side;

    fn framing(side: Side, text: &str, asked: Option<&str>) -> Framing {
        Framing::of(&Head::parse(side, text.as_bytes(), 100).unwrap(), asked)
    }

    fn request(fields: &str) -> Framing {
        framing(Side::Request, &format!("POST / HTTP/1.1\r\n{fields}\r\n"), None)
    }

    fn response(start: &str, fields: &str, asked: &str) -> Length {
        framing(Side::Response, &format!("HTTP/1.1 {start}\r\n{fields}\r\n"), Some(asked)).length
    }

    #[test]
    fn requests() {
        assert_eq!(request("").length, Length::None);
        assert_eq!(request("Content-Length: 0\r\n").length, Length::Exact(0));
        assert_eq!(request("content-length: 12\r\n").length, Length::Exact(12));
        assert_eq!(request("Content-Length: x\r\n").length, Length::None);
        assert_eq!(request("Content-Length: 99999999999999999999999\r\n").length, Length::Exact(u64::MAX));
        assert_eq!(request("Transfer-Encoding: Chunked\r\n").length, Length::Chunked);
        assert_eq!(request("Transfer-Encoding: identity\r\nContent-Length: 3\r\n").length, Length::Exact(3));
    }

    #[test]
    fn responses() {
        assert_eq!(response("200 OK", "", "GET"), Length::UntilClose);
        assert_eq!(response("200 OK", "Content-Length: 5\r\n", "GET"), Length::Exact(5));
        assert_eq!(response("200 OK", "Content-Length: 5\r\n", "HEAD"), Length::None);
        assert_eq!(response("200 OK", "Transfer-Encoding: chunked\r\n", "CONNECT"), Length::None);
        assert_eq!(response("407 No", "Content-Length: 5\r\n", "CONNECT"), Length::Exact(5));
        assert_eq!(response("204 No Content", "Content-Length: 5\r\n", "GET"), Length::None);
        assert_eq!(response("304 Not Modified", "Content-Length: 5\r\n", "GET"), Length::None);
    }

    #[test]
    fn contradictions_are_seen() {
        assert!(!request("Content-Length: 5, 5\r\nContent-Length: 5\r\n").conflicting);
        assert!(request("Content-Length: 5\r\nContent-Length: 6\r\n").conflicting);
        let both = request("Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n");
        let expected = Framing { length: Length::Chunked, conflicting: true, transfer: vec!["gzip".into()] };
        assert_eq!(both, expected);
    }
}
