//! As much of HTTP/1.1 (RFC 9112) as the lab's programs need from each other.

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{BufRead, BufReader, Error, Read, Result, Write};

/// A request or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpMessage {
    /// `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub start: String,
    /// Header names and values in order.
    pub headers: Vec<(String, String)>,
    /// The body as sent, after transfer coding and before content coding.
    pub body: Vec<u8>,
}

impl HttpMessage {
    /// A message without a body.
    pub fn new(start: &str) -> Self {
        Self { start: start.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn with(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", kind)
    }

    /// Compresses the body.
    pub fn gzip(mut self) -> Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&self.body)?;
        self.body = encoder.finish()?;
        Ok(self.header("Content-Encoding", "gzip"))
    }

    /// The value of a header, its name in any case.
    pub fn value_of(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body after content coding.
    pub fn decoded(&self) -> Result<Vec<u8>> {
        if self.value_of("content-encoding") != Some("gzip") {
            return Ok(self.body.clone());
        }
        let mut plain = Vec::new();
        GzDecoder::new(self.body.as_slice()).read_to_end(&mut plain)?;
        Ok(plain)
    }

    /// Writes the message with a `Content-Length`.
    pub fn write(&self, out: &mut impl Write) -> Result<()> {
        let mut bytes = self.head(&format!("Content-Length: {}", self.body.len()));
        bytes.extend(&self.body);
        out.write_all(&bytes)?;
        out.flush()
    }

    /// Writes the message in chunks of at most `size` bytes.
    pub fn write_chunked(&self, out: &mut impl Write, size: usize) -> Result<()> {
        out.write_all(&self.head("Transfer-Encoding: chunked"))?;
        for chunk in self.body.chunks(size) {
            let mut bytes = format!("{:x}\r\n", chunk.len()).into_bytes();
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
            out.write_all(&bytes)?;
        }
        out.write_all(b"0\r\n\r\n")?;
        out.flush()
    }

    fn head(&self, framing: &str) -> Vec<u8> {
        let mut lines = vec![self.start.clone()];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(framing.to_owned());
        lines.extend([String::new(), String::new()]);
        lines.join("\r\n").into_bytes()
    }
}

/// Reads messages from one connection.
pub struct HttpReader<R>(BufReader<R>);

impl<R: Read> HttpReader<R> {
    /// Reads from a connection.
    pub fn new(stream: R) -> Self {
        Self(BufReader::new(stream))
    }

    /// The connection, for writing.
    pub fn stream(&mut self) -> &mut R {
        self.0.get_mut()
    }

    /// The next message, or nothing when the peer has closed.
    pub fn read(&mut self) -> Result<Option<HttpMessage>> {
        let Some(start) = self.line()? else { return Ok(None) };
        let mut message = HttpMessage::new(&start);
        loop {
            let line = self.line()?.ok_or_else(|| Error::other("closed within a head"))?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| Error::other("a header without a colon"))?;
            message.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        message.body = self.body(&message)?;
        Ok(Some(message))
    }

    fn body(&mut self, message: &HttpMessage) -> Result<Vec<u8>> {
        if message.value_of("transfer-encoding") == Some("chunked") {
            return self.chunks();
        }
        let length = message.value_of("content-length").unwrap_or("0");
        self.take(length.parse().map_err(Error::other)?)
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = self.line()?.ok_or_else(|| Error::other("closed within a body"))?;
            let chunk = self.take(u64::from_str_radix(&size, 16).map_err(Error::other)?)?;
            self.line()?;
            if chunk.is_empty() {
                return Ok(body);
            }
            body.extend(chunk);
        }
    }

    fn take(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.by_ref().take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => Ok(None),
            // A peer that hangs up without the TLS farewell has still closed.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
            Ok(_) => Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned())),
        }
    }
}
