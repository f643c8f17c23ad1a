//! Where in a message a wrapped value travels.

use super::document::json_text;
use super::piece::Piece;
use super::text::percent_where_needed;
use crate::random::Random;
use dyetrace_case::{Blob, Message, PartName, Protocol, Record, Side};

/// The carriers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Carrier {
    Query,
    Path,
    Header,
    Cookie,
    Form,
    Json,
    Multipart,
    Binary,
    Body,
    WebSocket,
}

/// A message that carries a value.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    target: Vec<u8>,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Option<Vec<u8>>,
    web_socket: bool,
    /// The part that holds the value.
    pub(crate) part: PartName,
    /// The bytes of that part that carry it.
    pub(crate) place: std::ops::Range<usize>,
}

impl Carrier {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Query,
        Self::Path,
        Self::Header,
        Self::Cookie,
        Self::Form,
        Self::Json,
        Self::Multipart,
        Self::Binary,
        Self::Body,
        Self::WebSocket,
    ];

    /// The name in tables and identifiers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Path => "path",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Form => "form",
            Self::Json => "json",
            Self::Multipart => "multipart",
            Self::Binary => "binary",
            Self::Body => "body",
            Self::WebSocket => "websocket",
        }
    }

    /// The message, where such bytes can travel so.
    pub(crate) fn carry(self, piece: &Piece, random: &mut Random) -> Option<Carried> {
        let id = random.text(12, b"0123456789abcdef");
        match self {
            Self::Query => {
                let target = percent_where_needed(piece).between(format!("/v2/collect?sid={id}&d="), "&seq=17&ok=true");
                Some(Carried::new(target, PartName::Url))
            }
            Self::Path => {
                let target = percent_where_needed(piece).between("/api/u/", format!("/profile?sid={id}"));
                Some(Carried::new(target, PartName::Url))
            }
            Self::Header => Some(Carried::new(visible(piece)?, header("x-data"))),
            Self::Cookie => {
                let octets = |byte: &u8| byte.is_ascii_graphic() && !b"\",;\\".contains(byte);
                let value =
                    if piece.bytes.iter().all(octets) { piece.between([], []) } else { percent_where_needed(piece) };
                Some(Carried::new(value.between(format!("sid={id}; u="), "; theme=dark"), header("cookie")))
            }
            Self::Form => {
                let form = percent_where_needed(piece).between(format!("sid={id}&d="), "&seq=17");
                Some(Carried::body(form, "application/x-www-form-urlencoded"))
            }
            Self::Json => {
                let text = json_text(piece)?.between(format!("{{\"sid\":\"{id}\",\"data\":\""), "\",\"seq\":17}");
                Some(Carried::body(text, "application/json"))
            }
            Self::Multipart => {
                let head = format!(
                    "--{id}\r\nContent-Disposition: form-data; name=\"seq\"\r\n\r\n17\r\n--{id}\r\nContent-Disposition: \
                     form-data; name=\"data\"\r\n\r\n"
                );
                let body = piece.between(head, format!("\r\n--{id}--\r\n"));
                Some(Carried::body(body, "multipart/form-data")).map(|carried| carried.with_boundary(&id))
            }
            // Bytes of nobody's format, in which only what stands for itself can be found.
            Self::Binary if piece.alone => None,
            Self::Binary => {
                let (before, after) = (random.bytes(40), random.bytes(30));
                let body = piece.between([&before[..], b"\0\0"].concat(), [b"\0", &after[..]].concat());
                Some(Carried::body(body, "application/octet-stream"))
            }
            Self::Body => Some(Carried::body(piece.between([], []), "application/octet-stream")),
            Self::WebSocket => {
                let mut carried = Carried::body(piece.between([], []), "");
                carried.web_socket = true;
                Some(carried)
            }
        }
    }
}

fn header(name: &str) -> PartName {
    PartName::Header { side: Side::Request, index: 1, name: name.to_owned(), nth: 0 }
}

/// A header holds visible characters only.
fn visible(piece: &Piece) -> Option<Piece> {
    let inside = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let trimmed = piece.bytes.first() != Some(&b' ') && piece.bytes.last() != Some(&b' ');
    (trimmed && piece.bytes.iter().all(inside)).then(|| piece.between([], []))
}

impl Carried {
    fn new(piece: Piece, part: PartName) -> Self {
        let mut carried = Self {
            target: b"/v2/collect?seq=17".to_vec(),
            headers: vec![("Host", b"collect.app.example".to_vec())],
            body: None,
            web_socket: false,
            place: piece.place,
            part,
        };
        match &carried.part {
            PartName::Url => carried.target = piece.bytes,
            PartName::Header { name, .. } => {
                carried.headers.push((if name == "cookie" { "Cookie" } else { "X-Data" }, piece.bytes));
            }
            PartName::Body(_) => carried.body = Some(piece.bytes),
            // Of stored files, which are no requests.
            PartName::Path | PartName::Content | PartName::Stored { .. } => {}
        }
        carried
    }

    fn body(piece: Piece, content_type: &'static str) -> Self {
        let mut carried = Self::new(piece, PartName::Body(Side::Request));
        carried.headers.push(("Content-Type", content_type.into()));
        carried
    }

    fn with_boundary(mut self, boundary: &str) -> Self {
        if let Some((_, value)) = self.headers.last_mut() {
            value.extend(format!("; boundary={boundary}").as_bytes());
        }
        self
    }

    /// Bytes of target, fields and body.
    pub(crate) fn len(&self) -> usize {
        let fields: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.target.len() + fields + self.body.as_ref().map_or(0, Vec::len)
    }

    /// The request as it goes over the wire; a WebSocket message follows its upgrade unmasked.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let method = if self.body.is_some() && !self.web_socket { "POST" } else { "GET" };
        let mut bytes = [method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        for (name, value) in self.headers.iter().filter(|(_, value)| !value.is_empty()) {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        match &self.body {
            Some(_) if self.web_socket => bytes.extend(b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            Some(body) => bytes.extend(format!("Content-Length: {}\r\n", body.len()).as_bytes()),
            None => {}
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.iter().flatten());
        bytes
    }

    /// The same as a record.
    pub(crate) fn record(self) -> Record {
        let fields = self.headers.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value));
        let message = Message {
            method: Some(if self.body.is_some() { "POST" } else { "GET" }.to_owned()),
            target: (!self.web_socket).then_some(self.target),
            headers: if self.web_socket { Vec::new() } else { fields.collect() },
            body: self.body.map(Blob::from),
            ..Message::default()
        };
        record(message, if self.web_socket { Protocol::WebSocket } else { Protocol::Http11 })
    }
}

/// A record of one request.
pub(crate) fn record(message: Message, protocol: Protocol) -> Record {
    Record { protocol, ..Record::of_request(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_right_in_every_carrier() {
        for carrier in Carrier::ALL {
            let carried = carrier.carry(&Piece::of("13800000427"), &mut Random::new(1)).unwrap();
            let (part, place) = (carried.part.clone(), carried.place.clone());
            let message = carried.record().request.unwrap();
            let bytes = match part {
                PartName::Url => message.target.unwrap(),
                PartName::Header { index, .. } => message.headers[index].1.clone(),
                PartName::Body(_) => match message.body.unwrap() {
                    Blob::Memory(bytes) => bytes.to_vec(),
                    Blob::Spooled(_) => panic!("a short body was spooled"),
                },
                PartName::Path | PartName::Content | PartName::Stored { .. } => panic!("a request has none of these"),
            };
            assert_eq!(&bytes[place], b"13800000427", "{carrier:?}");
        }
    }
}
