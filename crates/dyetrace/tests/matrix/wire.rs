//! Just enough of HTTP/1.1, WebSocket and MQTT for the phone and its servers, written from the standards.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};

/// A connection, in TLS or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) type Connection = Box<dyn Stream>;

/// A message of HTTP/1.1 (RFC 9112): the lines before the empty one, and a body of known length.
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) async fn read(stream: &mut Connection) -> io::Result<Self> {
        let head = until(stream, b"\r\n\r\n").await?;
        let mut message = Self { head: String::from_utf8_lossy(&head).into_owned(), body: Vec::new() };
        let length = message.field("content-length").map_or(0, |length| length.parse().unwrap());
        message.body = vec![0; length];
        stream.read_exact(&mut message.body).await?;
        Ok(message)
    }

    /// The value of that field, by its name in small letters.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The second word of the first line: the target of a request, the status of an answer.
    pub(crate) fn second_word(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// Everything up to that mark and the mark, byte by byte: what follows belongs to whoever reads next.
pub(crate) async fn until(stream: &mut Connection, mark: &[u8]) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    while !read.ends_with(mark) {
        read.push(stream.read_u8().await?);
    }
    Ok(read)
}

/// A frame of WebSocket with a whole text message (RFC 6455 section 5.2). Clients mask.
pub(crate) fn frame(content: &[u8], mask: Option<[u8; 4]>, is_deflated: bool) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    // FIN, RSV1 where deflated (RFC 7692 section 6), opcode 1.
    let mut out = vec![if is_deflated { 0xc1 } else { 0x81 }];
    match content.len() {
        length @ 0..126 => out.push(masked | length as u8),
        length => out.extend([&[masked | 0x7e][..], &u16::try_from(length).unwrap().to_be_bytes()].concat()),
    }
    out.extend(mask.into_iter().flatten());
    let mask = mask.unwrap_or_default();
    out.extend(content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The next frame: its opcode, whether it is deflated, and its content.
pub(crate) async fn read_frame(stream: &mut Connection) -> io::Result<(u8, bool, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await?;
    let length = match head[1] & 0x7f {
        126 => usize::from(stream.read_u16().await?),
        127 => stream.read_u64().await? as usize,
        length => usize::from(length),
    };
    let mut mask = [0; 4];
    if head[1] & 0x80 != 0 {
        stream.read_exact(&mut mask).await?;
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await?;
    content.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Ok((head[0] & 0xf, head[0] & 0x40 != 0, content))
}

/// What ends a deflated message and is left out (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

pub(crate) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 100);
    let mut state = Compress::new(Compression::best(), false);
    state.compress_vec(content, &mut out, FlushCompress::Sync).unwrap();
    out.strip_suffix(&TAIL).unwrap().to_vec()
}

pub(crate) fn inflated(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(100_000);
    let mut state = Decompress::new(false);
    state.decompress_vec(&[content, &TAIL].concat(), &mut out, FlushDecompress::Sync).unwrap();
    out
}

/// Control packets of MQTT 3.1.1 by the first byte (section 2.2.1).
pub(crate) mod mqtt {
    use super::{Connection, io};
    use tokio::io::AsyncReadExt as _;

    pub(crate) const CONNECT: u8 = 0x10;
    pub(crate) const CONNACK: u8 = 0x20;
    pub(crate) const PUBLISH: u8 = 0x30;

    /// Version 4, a clean session, a minute between signs of life, and the client's name (section 3.1).
    pub(crate) fn connect(client: &str) -> Vec<u8> {
        packet(CONNECT, &[b"\0\x04MQTT\x04\x02\0\x3c", &text(client)[..]].concat())
    }

    /// A message of quality 0 (section 3.3).
    pub(crate) fn publish(topic: &str, content: &[u8]) -> Vec<u8> {
        packet(PUBLISH, &[&text(topic)[..], content].concat())
    }

    pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        let mut length = body.len();
        while length >= 0x80 {
            out.push(0x80 | (length & 0x7f) as u8);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(body);
        out
    }

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
    }

    /// The next packet: its first byte and its body.
    pub(crate) async fn read(stream: &mut Connection) -> io::Result<(u8, Vec<u8>)> {
        let first = stream.read_u8().await?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let digit = stream.read_u8().await?;
            length |= usize::from(digit & 0x7f) << shift;
            shift += 7;
            if digit & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        Ok((first, body))
    }

    /// Topic and content of a message.
    pub(crate) fn published(body: &[u8]) -> (String, Vec<u8>) {
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        (String::from_utf8(body[2..2 + length].to_vec()).unwrap(), body[2 + length..].to_vec())
    }
}
