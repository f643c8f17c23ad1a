//! Requests of HTTP/1.1 (RFC 9112), read strictly: what could be understood in two ways is refused.

/// Bytes of a request's line and fields.
pub const MOST_HEAD: usize = 8 << 10;
/// Bytes of a request's body: 64 elements in hexadecimal need five thousand.
pub const MOST_BODY: usize = 16 << 10;

/// What is needed of a request. It has no `Debug`: a token is in it.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, without what follows a question mark.
    pub path: String,
    /// The host that was asked for, without port, in lower case.
    pub host: String,
    /// Who the proxy says has asked: the last address of `X-Forwarded-For`.
    pub forwarded: Option<String>,
    /// What shows that the client controls what it asks for.
    pub proof_token: Option<String>,
    /// Whether the client will close the connection.
    pub close: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// What became of the bytes that have come.
pub enum Parsed {
    /// More are needed.
    Partial,
    /// The status that refuses them; the connection cannot be read further.
    Refused(u16),
    /// A request, and how many bytes it took.
    Whole(Box<Request>, usize),
}

/// Reads one request from the beginning of what has come.
pub fn parse(bytes: &[u8]) -> Parsed {
    let window = bytes.get(..MOST_HEAD.min(bytes.len())).unwrap_or(bytes);
    let Some(end) = window.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() >= MOST_HEAD { Parsed::Refused(431) } else { Parsed::Partial };
    };
    let (mut request, length) = match std::str::from_utf8(window.get(..end).unwrap_or_default()).map(head) {
        Ok(Ok(head)) => head,
        Ok(Err(status)) => return Parsed::Refused(status),
        Err(_) => return Parsed::Refused(400),
    };
    let whole = end + 4 + length;
    let Some(body) = bytes.get(end + 4..whole) else { return Parsed::Partial };
    request.body = body.to_vec();
    Parsed::Whole(Box::new(request), whole)
}

/// The request without its body, and the body's length.
fn head(text: &str) -> Result<(Request, usize), u16> {
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(505);
    }
    let path = target.split('?').next().unwrap_or_default();
    if !path.starts_with('/') || method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(400);
    }
    let mut request = Request { method: method.to_owned(), path: path.to_owned(), ..Request::default() };
    request.close = version == "HTTP/1.0";
    let (mut length, mut hosts) = (None, 0);
    for line in lines {
        // No white space stands before the colon, and no line goes on in the next (RFC 9112, section 5).
        let (name, value) = line.split_once(':').ok_or(400_u16)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(400);
        }
        let value = value.trim_matches([' ', '\t']);
        if value.chars().any(char::is_control) {
            return Err(400);
        }
        match name.to_ascii_lowercase().as_str() {
            "host" => {
                hosts += 1;
                request.host = host(value).to_ascii_lowercase();
            }
            "content-length" if length.is_some() => return Err(400),
            "content-length" => length = Some(content_length(value)?),
            "transfer-encoding" => return Err(501),
            "x-forwarded-for" => {
                request.forwarded = value.rsplit(',').next().map(|last| last.trim().to_owned());
            }
            "proof-token" => request.proof_token = Some(value.to_owned()),
            "connection" => request.close |= value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    if hosts == 1 { Ok((request, length.unwrap_or(0))) } else { Err(400) }
}

/// A host without its port; an IPv6 address keeps its brackets.
fn host(value: &str) -> &str {
    match value.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => value,
    }
}

fn content_length(value: &str) -> Result<usize, u16> {
    if value.is_empty() || value.len() > 18 || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(400);
    }
    value.parse().ok().filter(|length| *length <= MOST_BODY).ok_or(413)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Option<(Request, usize)> {
        match parse(text.as_bytes()) {
            Parsed::Whole(request, length) => Some((*request, length)),
            _ => None,
        }
    }

    fn refused(text: &str) -> Option<u16> {
        match parse(text.as_bytes()) {
            Parsed::Refused(status) => Some(status),
            _ => None,
        }
    }

    #[test]
    fn a_request_is_read_when_it_is_whole_and_what_follows_is_left() {
        let text = "POST /v1/evaluate?x HTTP/1.1\r\nHost: [::1]:80\r\nproof-token: abc\r\nContent-Length: 2\r\n\r\n{}";
        assert!((0..text.len()).all(|length| matches!(parse(&text.as_bytes()[..length]), Parsed::Partial)));
        let (request, length) = whole(&format!("{text}GET /")).unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str(), request.host.as_str()),
            ("POST", "/v1/evaluate", "[::1]")
        );
        assert_eq!(
            (request.body.as_slice(), request.proof_token.as_deref(), length),
            (&b"{}"[..], Some("abc"), text.len())
        );
        assert!(!request.close);
    }

    #[test]
    fn what_two_servers_could_read_differently_is_refused() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: +1",
            "Content-Length : 1",
            " a: b",
            "A",
            "B: \u{0}",
        ] {
            assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n")), Some(400), "{fields:?}");
        }
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), Some(501));
        assert_eq!(refused("GET / HTTP/1.1\r\n\r\n"), Some(400), "no host");
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), Some(400));
        assert_eq!(refused("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), Some(400));
        assert_eq!(refused("GET / HTTP/2\r\nHost: a\r\n\r\n"), Some(505));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_has_come() {
        assert_eq!(refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n"), Some(413));
        assert_eq!(refused(&"a".repeat(MOST_HEAD)), Some(431));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_or_read_beyond_them(bytes: Vec<u8>, text in "[A-Z /:\r\n0-9a-z.-]{0,80}") {
            for bytes in [bytes, format!("GET / HTTP/1.1\r\nHost: a\r\n{text}\r\n\r\n{text}").into_bytes()] {
                if let Parsed::Whole(request, length) = parse(&bytes) {
                    prop_assert!(length <= bytes.len() && request.body.len() <= MOST_BODY);
                }
            }
        }
    }
}
