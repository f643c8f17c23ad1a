//! Heads of HTTP/1 messages (RFC 9112), read strictly where a client sends them: what two readers could read
//! differently is refused.

/// Bytes of a head.
pub(super) const HEAD: usize = 64 << 10;
/// Fields of a head.
const FIELDS: usize = 256;

/// Names with their values, as sent and in that order.
pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A request's line and fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: Vec<u8>,
    pub(super) is_11: bool,
    pub(super) fields: Fields,
}

/// What of an answer's head matters for where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    pub(super) fields: Fields,
}

/// How a body's end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Nothing,
    Length(u64),
    Chunked,
    UntilEnd,
}

/// Where a head ends, which begins these bytes; `from` bytes were searched before.
pub(crate) fn end_of(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.saturating_sub(3);
    let fresh = bytes.get(from..)?;
    fresh.windows(4).position(|window| window == b"\r\n\r\n").map(|at| from + at + 4)
}

/// Where an answer's head ends. Lines of answers may end without a carriage return (RFC 9112 section 2.2).
pub(super) fn end_of_answer(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.saturating_sub(3);
    let fresh = bytes.get(from..)?;
    let crlf = fresh.windows(3).position(|window| window == b"\n\r\n").map(|at| from + at + 3);
    let bare = fresh.windows(2).position(|window| window == b"\n\n").map(|at| from + at + 2);
    [crlf, bare].into_iter().flatten().min()
}

/// Reads a request's head.
///
/// # Errors
/// What is wrong with it.
pub(super) fn request(head: &[u8]) -> Result<RequestHead, &'static str> {
    let lines = head.strip_suffix(b"\r\n\r\n").ok_or("the head does not end")?;
    let mut lines = Lines(Some(lines));
    let line = lines.next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("the request line has not three words");
    };
    let is_11 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return Err("the version is neither 1.0 nor 1.1"),
    };
    if !is_token(method) || target.is_empty() || target.iter().any(|byte| *byte <= b' ' || *byte == 127) {
        return Err("the request line has bytes that it may not have");
    }
    let fields = lines.map(field).collect::<Result<Fields, _>>()?;
    if fields.len() > FIELDS {
        return Err("there are too many fields");
    }
    let method = String::from_utf8_lossy(method).into_owned();
    Ok(RequestHead { method, target: target.to_vec(), is_11, fields })
}

/// Reads fields behind a body.
///
/// # Errors
/// What is wrong with them.
pub(super) fn trailers(lines: &[u8]) -> Result<Fields, &'static str> {
    let Some(lines) = lines.strip_suffix(b"\r\n\r\n") else { return Ok(Vec::new()) };
    let fields = Lines(Some(lines)).map(field).collect::<Result<Fields, _>>()?;
    let is_framing = |name: &[u8]| name.eq_ignore_ascii_case(b"content-length") || is_transfer_encoding(name);
    if fields.len() > FIELDS || fields.iter().any(|(name, _)| is_framing(name)) {
        return Err("there are trailers that there may not be");
    }
    Ok(fields)
}

/// Reads an answer's head, as far as it can be read.
pub(super) fn answer(head: &[u8]) -> Option<AnswerHead> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line = lines.next()?;
    let digits = line.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5))?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let fields = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        Some((name.trim_ascii().to_vec(), value.get(1..)?.trim_ascii().to_vec()))
    });
    Some(AnswerHead { status, fields: fields.collect() })
}

impl RequestHead {
    /// How the body's end is known (RFC 9112 section 6.3).
    ///
    /// # Errors
    /// Why it is not known for sure.
    pub(super) fn framing(&self) -> Result<Framing, &'static str> {
        let lengths = values(&self.fields, "content-length");
        let codings = values(&self.fields, "transfer-encoding");
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => Ok(Framing::Nothing),
            ([length], []) => number(length).map(Framing::Length).ok_or("the length is no number"),
            ([], [coding]) if self.is_11 && coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            ([], _) => Err("the transfer coding is not chunked alone"),
            (_, []) => Err("there are several lengths"),
            _ => Err("there are a length and a transfer coding"),
        }
    }

    /// Whether the client waits for leave to send the body.
    pub(super) fn expects_continue(&self) -> bool {
        self.is_11 && values(&self.fields, "expect").iter().any(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }

    /// The head as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let version: &[u8] = if self.is_11 { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" };
        let mut out = [self.method.as_bytes(), b" ", &self.target, version].concat();
        write_fields(&self.fields, &mut out);
        out.extend_from_slice(b"\r\n");
        out
    }
}

impl AnswerHead {
    /// How the body's end is known. Where an answer contradicts itself, it ends with the connection.
    pub(super) fn framing(&self, to_method: &str) -> Framing {
        if to_method == "HEAD" || matches!(self.status, 100..200 | 204 | 304) {
            return Framing::Nothing;
        }
        let lengths = values(&self.fields, "content-length");
        let codings = values(&self.fields, "transfer-encoding");
        match (lengths.as_slice(), codings.as_slice()) {
            ([length], []) => number(length).map_or(Framing::UntilEnd, Framing::Length),
            ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => Framing::Chunked,
            _ => Framing::UntilEnd,
        }
    }
}

/// Values of the fields of that name.
pub(super) fn values<'f>(fields: &'f Fields, name: &str) -> Vec<&'f [u8]> {
    let of_name = fields.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
    of_name.map(|(_, value)| value.trim_ascii()).collect()
}

/// Writes fields as they stand in a head.
pub(super) fn write_fields(fields: &Fields, out: &mut Vec<u8>) {
    for (name, value) in fields {
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
}

/// Lines that end with carriage return and line feed; a single one of the two stays in its line.
struct Lines<'b>(Option<&'b [u8]>);

impl<'b> Iterator for Lines<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let rest = self.0?;
        let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            self.0 = None;
            return Some(rest);
        };
        self.0 = rest.get(at + 2..);
        rest.get(..at)
    }
}

fn field(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), &'static str> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or("a field has no colon")?;
    let (name, value) = line.split_at_checked(colon).ok_or("a field has no colon")?;
    // A space before the colon, and a line that continues the one before, are read by some and not by others.
    if !is_token(name) {
        return Err("a field's name has bytes that it may not have");
    }
    let value = value.get(1..).unwrap_or_default();
    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err("a field's value has bytes that it may not have");
    }
    Ok((name.to_vec(), value.trim_ascii().to_vec()))
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

fn is_transfer_encoding(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"transfer-encoding")
}

fn number(digits: &[u8]) -> Option<u64> {
    let is_number = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_written_as_it_was_read() {
        let head = b"POST /a?b=%20 HTTP/1.1\r\nHOST: a.test\r\nX-a: 1\r\nx-A: 2\r\nContent-Length: 3\r\n\r\n";
        let read = request(head).unwrap();
        assert_eq!(read.bytes(), head);
        assert_eq!(read.framing(), Ok(Framing::Length(3)));
        assert_eq!(end_of(head, 0), Some(head.len()));
        assert_eq!(end_of(head, head.len() - 1), Some(head.len()));
    }

    fn framing(fields: &str) -> Result<Framing, &'static str> {
        request(format!("POST / HTTP/1.1\r\n{fields}\r\n").as_bytes())?.framing()
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for smuggled in [
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length: 9999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding : chunked\r\n",
            "A: b\r\n Transfer-Encoding: chunked\r\n",
            "A: b\nTransfer-Encoding: chunked\r\n",
            "A: b\rc\r\n",
            "Content-Length: \u{c}3\r\n",
            "\r\n",
            "A\r\n",
        ] {
            assert!(framing(smuggled).is_err(), "{smuggled:?}");
        }
        for line in
            ["GET /", "GET / HTTP/1.1 x", "GET  / HTTP/1.1", "GET / HTTP/2.0", "G(T / HTTP/1.1", "GET /\t HTTP/1.1"]
        {
            assert!(request(format!("{line}\r\n\r\n").as_bytes()).is_err(), "{line}");
        }
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
        assert_eq!(framing(""), Ok(Framing::Nothing));
        assert!(trailers(b"Content-Length: 3\r\n\r\n").is_err());
        assert_eq!(trailers(b"A: b\r\n\r\n").unwrap().len(), 1);
        assert!(trailers(b"\r\n").unwrap().is_empty());
    }

    #[test]
    fn an_answer_ends_where_its_fields_say_or_with_the_connection() {
        let of = |head: &str, method| answer(head.as_bytes()).unwrap().framing(method);
        assert_eq!(of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET"), Framing::Length(5));
        assert_eq!(of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"), Framing::Nothing);
        assert_eq!(of("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", "GET"), Framing::Nothing);
        assert_eq!(of("HTTP/1.0 200\nTransfer-Encoding: chunked\n\n", "GET"), Framing::Chunked);
        assert_eq!(of("HTTP/1.1 200 OK\r\n\r\n", "GET"), Framing::UntilEnd);
        assert_eq!(
            of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "GET"),
            Framing::UntilEnd
        );
        assert_eq!(answer(b"ICY 200 OK\r\n\r\n"), None);
    }
}
