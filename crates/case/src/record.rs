//! The units of evidence: what was read, what could not be read, and what was broken.

use crate::place::PartContent;
use crate::{Blob, DatumId, ExhibitId, Part, PartName, Side, Step, StoreValues, Time};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The name of a record within its exhibit: a path of protocol and number in the order of the
/// evidence, such as `tcp:7/http:0`, `tcp:3/tls/h2:5`, `udp:12`, `har:4`. The same exhibit and the
/// same keys always give the same names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub String);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a record was parsed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.0 (RFC 1945).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
    /// HTTP/3 (RFC 9114), only from recordings that decoded it themselves.
    Http3,
    /// One WebSocket message (RFC 6455).
    WebSocket,
    /// One MQTT control packet (3.1 to 5).
    Mqtt,
    /// A DNS question with its answer (RFC 1035).
    Dns,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// A clear TCP stream of no protocol known here.
    Tcp,
    /// A clear datagram of no protocol known here.
    Udp,
    /// A decrypted TLS stream of no protocol known here.
    Tls,
    /// Wi-Fi credentials that an app spelt in the lengths of datagrams: Espressif's ESP-Touch.
    EspTouch,
    /// Wi-Fi credentials spelt in lengths: ESP-Touch, version 2.
    EspTouch2,
    /// Wi-Fi credentials spelt in lengths: `WeChat`'s AirKiss.
    AirKiss,
    /// Wi-Fi credentials spelt in lengths: Tuya's EZ mode.
    TuyaEz,
    /// A stored file, of a snapshot of what a product keeps. Its `method` says what became of it since the snapshot
    /// before, its target is the path, its fields are what the file system says and what a store in it holds.
    File,
}

impl Protocol {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http10 => "http/1.0",
            Self::Http11 => "http/1.1",
            Self::Http2 => "h2",
            Self::Http3 => "h3",
            Self::WebSocket => "websocket",
            Self::Mqtt => "mqtt",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Tls => "tls",
            Self::EspTouch => "esp-touch",
            Self::EspTouch2 => "esp-touch-v2",
            Self::AirKiss => "airkiss",
            Self::TuyaEz => "tuya-ez",
            Self::File => "file",
        }
    }
}

/// TCP, UDP, or what stands in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Another protocol on IP, by its IANA number (50 is ESP). Only opaque bytes have it.
    Ip(u8),
    /// Encrypted frames of IEEE 802.11. Only opaque bytes have it.
    Wireless,
}

impl fmt::Display for Transport {
    /// `tcp`, `udp`, `802.11`, or `ip` and the protocol number: `ip 50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("tcp"),
            Self::Udp => f.write_str("udp"),
            Self::Ip(number) => write!(f, "ip {number}"),
            Self::Wireless => f.write_str("802.11"),
        }
    }
}

/// How an endpoint's name became known. Later variants are weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameSource {
    /// The Server Name Indication of the TLS handshake.
    Sni,
    /// The Server Name Indication of a handshake that also offered Encrypted Client Hello: a cover
    /// name if the server accepted it. Browsers offer it everywhere, so it is mostly the true name.
    SniBesideEch,
    /// The `Host` field or `:authority`, or the URL of an archive entry.
    Host,
    /// A name in the certificate the server presented.
    Certificate,
    /// A DNS answer earlier in the same exhibit.
    Dns,
    /// No name of a host, but the address of a network card: what encrypts a wireless network's frames leaves
    /// nothing else to see.
    Hardware,
}

/// What the wire shows of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// IP address, where the evidence has one (archives often do not).
    pub address: Option<IpAddr>,
    /// Port.
    pub port: Option<u16>,
    /// Host name, with how it became known.
    pub name: Option<(String, NameSource)>,
}

/// Kind of protection in transit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelKind {
    /// Nothing protected the bytes on this connection.
    Clear,
    /// TLS or SSL, see version and suite.
    Tls,
    /// Protected by QUIC.
    Quic,
    /// Protected by DTLS.
    Dtls,
    /// The evidence does not say.
    Unknown,
}

impl ChannelKind {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Dtls => "dtls",
            Self::Unknown => "unknown",
        }
    }
}

/// Protection in transit, apart from what the payload itself does (that is the trail).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Channel {
    /// None, TLS …
    pub kind: ChannelKind,
    /// `TLS 1.3`, `SSL 3.0` …
    pub version: Option<String>,
    /// The suite's IANA name, `TLS_AES_128_GCM_SHA256`.
    pub suite: Option<String>,
}

impl Channel {
    /// A connection without protection.
    pub fn clear() -> Self {
        Self { kind: ChannelKind::Clear, version: None, suite: None }
    }

    /// A connection of which the evidence does not say how it was protected.
    pub fn unknown() -> Self {
        Self { kind: ChannelKind::Unknown, version: None, suite: None }
    }
}

/// The app that sent or received, where the recorder knew it (PCAPdroid, Fiddler).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct App {
    /// The name shown to people, as recorded (PCAPdroid's trailer cuts it at 20 bytes).
    pub name: Option<String>,
    /// The package or bundle identifier.
    pub package: Option<String>,
    /// The user id on the phone.
    pub uid: Option<u32>,
}

/// Something unusual about a record that a reader should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// Several different Content-Length values, or Content-Length beside Transfer-Encoding
    /// (RFC 9112 section 6.3).
    ConflictingLengths,
    /// The message ended before its framing said so, or bytes within it were lost.
    Incomplete,
    /// The stream was picked up after its start.
    MidStream,
    /// Part of the data was sent as TLS 1.3 early data and could have been replayed.
    EarlyData,
    /// Content coding that could not be undone; the body stays as sent. Holds the coding's name.
    Undecoded(String),
    /// Body larger than the limit; the rest was dropped. Holds the bytes dropped.
    Cut(u64),
    /// The request was answered before it was complete, or not answered at all.
    Unanswered,
    /// The recorder says that this side sent a body and did not keep it.
    Unrecorded(Side),
    /// The fields were not contents: the lengths of so many packets spelt them, several times over.
    SpeltInLengths(u64),
    /// What the guard of `dyetrace live` did with what the client sent.
    Guarded(GuardDeed),
}

/// What a guard between client and server did with a message, as the journal says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardDeed {
    /// It stopped the message. Of a long one the beginning may have left. An answer is the guard's own.
    Stopped,
    /// This value did not go on: it was overwritten, or what held it was stopped.
    Withheld(DatumId),
    /// This value had gone on, told or allowed, when the rest of the message was stopped.
    LetThrough(DatumId),
}

impl Flag {
    /// The name used in JSON and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConflictingLengths => "conflicting-lengths",
            Self::Incomplete => "incomplete",
            Self::MidStream => "mid-stream",
            Self::EarlyData => "early-data",
            Self::Undecoded(_) => "undecoded",
            Self::Cut(_) => "cut",
            Self::Unanswered => "unanswered",
            Self::Unrecorded(Side::Request) => "request-body-not-recorded",
            Self::Unrecorded(Side::Response) => "response-body-not-recorded",
            Self::SpeltInLengths(_) => "spelt-in-lengths",
            Self::Guarded(GuardDeed::Stopped) => "guard-stopped",
            Self::Guarded(GuardDeed::Withheld(_)) => "guard-withheld",
            Self::Guarded(GuardDeed::LetThrough(_)) => "guard-let-through",
        }
    }
}

/// One direction of an exchange.
///
/// HTTP fills everything. For other protocols `method` is the kind of message (`PUBLISH`, `A`),
/// `target` what it is about (the MQTT topic, the DNS name), `status` the numeric result and
/// `headers` the parsed fields (`client-id`, `username`, one per DNS answer). Streams and datagrams
/// that are not parsed have a body only.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Time of the message's first byte.
    pub time: Option<Time>,
    /// Time of its last byte, or a later one; absent where that is not known.
    pub last: Option<Time>,
    /// HTTP method or the protocol's name for this kind of message. Requests only.
    pub method: Option<String>,
    /// The request target exactly as sent. Of an answer it only tells people what the answer is
    /// about; there the searched form is a field.
    pub target: Option<Vec<u8>>,
    /// The absolute URL that target, Host field and channel amount to.
    pub url: Option<String>,
    /// Status code. Responses only.
    pub status: Option<u16>,
    /// Fields in the order sent, names as sent; trailers follow the headers.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Of a stored file: the values of the store that it is.
    pub values: StoreValues,
    /// The content after transfer coding (chunks joined) and before content coding; absent where
    /// the message has none, empty where it has one of no bytes.
    pub body: Option<Blob>,
    /// The content after content coding; absent where there was no coding to undo or undoing failed.
    pub decoded: Option<Blob>,
    /// The codings that were undone to make `decoded`, outermost (last applied) first: `gzip`.
    pub codings: Vec<String>,
    /// Of a stored file: what the file system says of it, and what became of it.
    pub file: Option<Box<StoredFile>>,
}

/// What is known of a stored file beside its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Bytes, also where its content was not kept.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// When it was written last, as its file system says.
    pub modified: Option<Time>,
    /// Permission bits (POSIX).
    pub mode: Option<u32>,
    /// Its owner, as the archive says: `u0_a123`, `10123`.
    pub owner: Option<String>,
    /// When it was collected.
    pub collected: Option<Time>,
    /// What became of it since the snapshot before.
    pub change: FileChange,
    /// Another file with the same bytes: the first of the same snapshot, else of the one before.
    pub same_as: Option<String>,
}

/// What became of a file since the snapshot before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileChange {
    /// There is no snapshot before.
    Present,
    /// It was not there.
    Created,
    /// It had other bytes.
    Changed,
    /// It had the same bytes.
    Unchanged,
    /// It is not there any more.
    Deleted,
}

impl FileChange {
    /// The name used in JSON and reports, in capitals as methods are.
    pub fn name(self) -> &'static str {
        match self {
            Self::Present => "PRESENT",
            Self::Created => "CREATED",
            Self::Changed => "CHANGED",
            Self::Unchanged => "UNCHANGED",
            Self::Deleted => "DELETED",
        }
    }
}

/// An exchange: request and answer on any protocol, or one stream or datagram that is not parsed.
#[derive(Debug, Clone)]
pub struct Record {
    /// Name within the exhibit.
    pub id: RecordId,
    /// The exhibit it was read from.
    pub exhibit: ExhibitId,
    /// What it was parsed as.
    pub protocol: Protocol,
    /// Time of its first byte.
    pub time: Option<Time>,
    /// Who opened the connection (or sent the first datagram).
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// Protection in transit.
    pub channel: Channel,
    /// The app, where the recorder named it.
    pub app: Option<Arc<App>>,
    /// What the client sent.
    pub request: Option<Message>,
    /// What the server sent.
    pub response: Option<Message>,
    /// What is unusual about it, sorted, each once.
    pub flags: Vec<Flag>,
}

impl Record {
    /// An HTTP/1.1 request and nothing else, of an exhibit whose digest is all zeros: for what makes
    /// records without evidence, such as generators, fuzz targets and tests.
    pub fn of_request(request: Message) -> Self {
        Self {
            id: RecordId("request:0".to_owned()),
            exhibit: ExhibitId([0; 32]),
            protocol: Protocol::Http11,
            time: None,
            client: Endpoint::default(),
            server: Endpoint::default(),
            channel: Channel::clear(),
            app: None,
            request: Some(request),
            response: None,
            flags: Vec::new(),
        }
    }

    /// The parts to search, in a fixed order: target, request fields, request body, response
    /// fields, response body. A decoded body stands in for its encoded form.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = self.parts_without_names();
        if self.protocol == Protocol::File {
            self.request.iter().for_each(|message| name_values(message, &mut parts));
        }
        parts
    }

    /// The same, in which the values of stores have no names yet: of most of them nobody asks.
    pub fn parts_without_names(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        if self.protocol == Protocol::File {
            self.request.iter().for_each(|message| file_parts(message, &mut parts));
            return parts;
        }
        for (side, message) in [(Side::Request, &self.request), (Side::Response, &self.response)] {
            if let Some(message) = message {
                message_parts(side, message, &mut parts);
            }
        }
        parts
    }

    /// Bytes of content and fields in both directions, for tallies.
    pub fn content_bytes(&self) -> u64 {
        [&self.request, &self.response].into_iter().flatten().map(Message::content_bytes).sum()
    }
}

impl Message {
    /// Bytes of target, fields and content.
    pub fn content_bytes(&self) -> u64 {
        let fields: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let target = self.target.as_ref().map_or(0, Vec::len);
        (fields + target + self.values.bytes()) as u64 + self.body.as_ref().map_or(0, Blob::len)
    }

    /// The content after every coding that could be undone.
    pub fn content(&self) -> Option<&Blob> {
        self.decoded.as_ref().or(self.body.as_ref())
    }
}

fn file_parts<'r>(message: &'r Message, parts: &mut Vec<Part<'r>>) {
    parts.reserve(message.values.len() + 2);
    let mut add = |name, content| parts.push(Part { name, prefix: Vec::new(), content });
    if let Some(path) = &message.target {
        add(PartName::Path, PartContent::Bytes(path));
    }
    for (index, value) in message.values.values().enumerate() {
        add(PartName::Stored { index, name: String::new(), nth: 0 }, PartContent::Bytes(value));
    }
    if let Some(body) = &message.body {
        add(PartName::Content, PartContent::Blob(body));
    }
}

fn name_values(message: &Message, parts: &mut [Part<'_>]) {
    let mut seen: foldhash::HashMap<&str, usize> = foldhash::HashMap::default();
    seen.reserve(message.values.len());
    for part in parts {
        if let PartName::Stored { index, name, nth } = &mut part.name
            && let Some((named, _)) = message.values.get(*index)
        {
            let count = seen.entry(named).or_default();
            (*name, *nth) = (named.to_owned(), *count);
            *count += 1;
        }
    }
}

fn message_parts<'r>(side: Side, message: &'r Message, parts: &mut Vec<Part<'r>>) {
    if let Some(target) = message.target.as_ref().filter(|_| side == Side::Request) {
        parts.push(Part { name: PartName::Url, prefix: Vec::new(), content: PartContent::Bytes(target) });
    }
    let names: Vec<String> =
        message.headers.iter().map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase()).collect();
    let mut seen = std::collections::HashMap::new();
    for (index, (_, value)) in message.headers.iter().enumerate() {
        let count: &mut usize = seen.entry(names[index].as_str()).or_default();
        let name = PartName::Header { side, index, name: names[index].clone(), nth: *count };
        *count += 1;
        parts.push(Part { name, prefix: Vec::new(), content: PartContent::Bytes(value) });
    }
    if let Some(content) = message.content() {
        let prefix = content_prefix(message);
        parts.push(Part { name: PartName::Body(side), prefix, content: PartContent::Blob(content) });
    }
}

fn content_prefix(message: &Message) -> Vec<Step> {
    let Some(body) = message.body.as_ref().filter(|_| message.decoded.is_some()) else {
        return Vec::new();
    };
    let step =
        |coding: &String| Step { codec: coding.clone(), detail: None, encoded: crate::Range::new(0, body.len()) };
    message.codings.iter().map(step).collect()
}

/// Bytes that could not be read. Never dropped, always counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// Name within the exhibit, as for records: `tcp:9/tls`.
    pub id: RecordId,
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Time of the first byte.
    pub time: Option<Time>,
    /// Time of the last byte; absent where it is not known: then the bytes may have been sent at any time.
    pub last: Option<Time>,
    /// TCP or UDP.
    pub transport: Transport,
    /// Who opened the connection.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// What is known of the protection.
    pub channel: Channel,
    /// The app, where the recorder named it.
    pub app: Option<Arc<App>>,
    /// Unread bytes the client sent.
    pub bytes_sent: u64,
    /// Unread bytes the server sent.
    pub bytes_received: u64,
    /// Why, in plain words: `no key in the log for this connection`.
    pub reason: String,
}

/// Evidence that could not be parsed: what was lost, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Where: a record or stream name (`tcp:4`), a file offset (`byte 5120`), an entry (`har:3`).
    pub place: String,
    /// Time of the loss, where known.
    pub time: Option<Time>,
    /// The connection's server, where the damage belongs to one.
    pub server: Option<Endpoint>,
    /// Bytes lost, where they can be counted.
    pub bytes: Option<u64>,
    /// What happened, in plain words: `gap of 1448 bytes`.
    pub reason: String,
}
