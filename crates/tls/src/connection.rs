//! One connection: records in, events out.
//!
//! Each direction is read as far as it can be without the other: a ServerHello needs the
//! ClientHello's random value, the client's second flight needs the version the server chose. A
//! direction that must wait keeps its bytes, up to a limit; then it goes on with what is known.

use crate::compression::{Inflate, method};
use crate::decryptor::Decryptor;
use crate::event::{Event, Reason, Side};
use crate::framing::{Framing, HEADER, Next};
use crate::messages::{self, ClientHello, ServerHello, kind};
use crate::negotiation::Negotiation;
use crate::protection::{Phase, Protection};
use crate::suite;

/// Bytes one direction holds while it waits for the other.
const LONGEST_WAIT: usize = 256 << 10;
/// The longest handshake message that is read; longer ones are skipped.
const LONGEST_MESSAGE: usize = 256 << 10;
/// Input is taken in pieces of this size, so that a direction never holds much more.
const PIECE: usize = 16 << 10;

/// Content types: RFC 8446 section 5.1.
mod content {
    pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(super) const ALERT: u8 = 21;
    pub(super) const HANDSHAKE: u8 = 22;
    pub(super) const APPLICATION_DATA: u8 = 23;
}

/// One connection, fed in the order of the bytes of each side.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, in any combination")]
#[derive(Default)]
pub struct Connection {
    client: Direction,
    server: Direction,
    negotiation: Negotiation,
    scratch: Vec<u8>,
    greeted: bool,
    keyed: bool,
    named: bool,
    /// Neither side waits for the other any more.
    impatient: bool,
}

#[derive(Default)]
struct Direction {
    framing: Framing,
    /// What is not read yet: part of a record, or records that wait.
    buffer: Vec<u8>,
    /// `None` before encryption.
    protection: Option<Protection>,
    /// Undoes compression, where it was negotiated.
    inflate: Option<Inflate>,
    /// How often ChangeCipherSpec was sent.
    epoch: u32,
    /// Part of a handshake message.
    message: Vec<u8>,
    /// Bytes still to skip of a handshake message that is too long.
    oversized: usize,
    /// Unreadable bytes not reported yet.
    unread: Option<(u64, Reason)>,
    /// Bytes are missing since the last ChangeCipherSpec.
    gap: bool,
}

/// Memory of an inflater, mostly its window.
const INFLATER: usize = 48 << 10;

type On<'a> = &'a mut dyn FnMut(Event<'_>);

impl Connection {
    /// A connection of which nothing was seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Feeds bytes of one side, in pieces of any size; events are pushed to `on`.
    ///
    /// Holds at most about 300 KB for each side, whatever the input.
    pub fn feed(&mut self, from: Side, bytes: &[u8], with: &mut Decryptor, on: &mut dyn FnMut(Event<'_>)) {
        // What is missing of the other side was sent before these bytes, and is told before them:
        // an answer lost is none to the next question.
        if self.direction(from.other()).unread.is_some_and(|(_, reason)| reason == Reason::Gap) {
            self.flush(from.other(), on);
        }
        for piece in bytes.chunks(PIECE) {
            self.direction(from).buffer.extend_from_slice(piece);
            self.advance(from, with, on);
        }
    }

    /// `length` bytes of that side are missing.
    ///
    /// Missing bytes are not counted as unreadable: only what was fed is.
    pub fn gap(&mut self, from: Side, length: u64, with: &mut Decryptor, on: &mut dyn FnMut(Event<'_>)) {
        if length == 0 {
            return;
        }
        // What the other side waits for may be lost.
        self.hurry(with, on);
        let direction = self.direction(from);
        let held = std::mem::take(&mut direction.buffer);
        let (least, most) = direction.framing.gap(&held, length);
        direction.message = Vec::new();
        direction.oversized = 0;
        direction.gap = true;
        if let Some(protection) = &mut direction.protection {
            protection.skip(least, most);
        }
        if let Some(inflate) = &mut direction.inflate {
            inflate.lose();
        }
        self.unreadable(from, held.len(), Reason::Gap, on);
        // A gap stands between two stretches of data even where nothing that was fed is lost.
        self.flush(from, on);
    }

    /// Memory held for unfinished records and messages, in bytes.
    pub fn held(&self) -> usize {
        let of = |direction: &Direction| {
            let inflate = direction.inflate.as_ref().map_or(0, |_| INFLATER);
            direction.buffer.capacity() + direction.message.capacity() + inflate
        };
        of(&self.client) + of(&self.server) + self.scratch.capacity()
    }

    /// The connection ended: what is still held is given up as unreadable.
    pub fn end(&mut self, with: &mut Decryptor, on: &mut dyn FnMut(Event<'_>)) {
        self.hurry(with, on);
        for side in [Side::Client, Side::Server] {
            let held = std::mem::take(&mut self.direction(side).buffer);
            let counts = self.direction(side).protection.is_some() || held.first() != Some(&content::HANDSHAKE);
            if counts {
                self.unreadable(side, held.len(), Reason::Truncated, on);
            }
            self.flush(side, on);
        }
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Reads both directions as far as possible.
    fn advance(&mut self, from: Side, with: &mut Decryptor, on: On<'_>) {
        let mut side = from;
        let mut fruitless = 0;
        while fruitless < 2 {
            fruitless = if self.drain(side, with, on) { 0 } else { fruitless + 1 };
            side = side.other();
        }
    }

    /// Reads what waits, with what is known.
    fn hurry(&mut self, with: &mut Decryptor, on: On<'_>) {
        let patient = !std::mem::replace(&mut self.impatient, true);
        self.advance(Side::Client, with, on);
        // Waiting makes sense again for the next messages where both hellos are known.
        self.impatient = !(patient && self.negotiation.answer.is_some());
    }

    /// Reads one direction as far as possible; true where anything was read.
    fn drain(&mut self, side: Side, with: &mut Decryptor, on: On<'_>) -> bool {
        let mut buffer = std::mem::take(&mut self.direction(side).buffer);
        let mut at = 0;
        while let Some(rest) = buffer.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match self.direction(side).framing.next(rest) {
                Next::Wait => break,
                Next::Skip(count, reason) => {
                    self.unreadable(side, count, reason, on);
                    at += count;
                }
                Next::Ssl2Hello(length) => {
                    self.ssl2_hello(rest.get(2..length).unwrap_or_default(), on);
                    at += length;
                }
                Next::Record(header, length) => {
                    if self.must_wait(side, header, rest.len(), with) {
                        break;
                    }
                    let body = rest.get_mut(HEADER..HEADER + length).unwrap_or_default();
                    self.record(side, header, body, with, on);
                    at += HEADER + length;
                }
            }
        }
        buffer.drain(..at);
        if buffer.capacity() > 4 * buffer.len() + 4096 {
            buffer.shrink_to_fit();
        }
        self.direction(side).buffer = buffer;
        at > 0
    }

    /// True where a record cannot be understood before the other side's next one.
    fn must_wait(&self, side: Side, header: [u8; HEADER], held: usize, with: &Decryptor) -> bool {
        if self.impatient || held > LONGEST_WAIT {
            return false;
        }
        let negotiation = &self.negotiation;
        match side {
            Side::Server => {
                negotiation.hello.is_none()
                    || header[0] == content::CHANGE_CIPHER_SPEC && negotiation.awaits_key_exchange(with)
            }
            Side::Client if negotiation.hello.is_none() => false,
            Side::Client if negotiation.answer.is_none() && !negotiation.retried => {
                self.client.protection.is_none() && header[0] != content::ALERT || header[0] == content::HANDSHAKE
            }
            Side::Client if negotiation.is_modern() || header[0] != content::HANDSHAKE => false,
            Side::Client if self.client.protection.is_some() => {
                negotiation.client_finished && self.server.epoch < self.client.epoch
            }
            Side::Client => !negotiation.flight_done && with.secrets.may_open_key_exchange(),
        }
    }

    fn record(&mut self, side: Side, header: [u8; HEADER], body: &mut [u8], with: &mut Decryptor, on: On<'_>) {
        let [outer, ..] = header;
        if self.direction(side).protection.is_none() && outer == content::APPLICATION_DATA {
            self.assume_protection(side, with);
        }
        let Some(mut protection) = self.direction(side).protection.take() else {
            return self.content(side, outer, body, false, with, on);
        };
        if protection.is_modern() && outer != content::APPLICATION_DATA {
            // ChangeCipherSpec for middleboxes, alerts and hellos in clear: RFC 8446 appendix D.4.
            self.direction(side).protection = Some(protection);
            if outer != content::CHANGE_CIPHER_SPEC {
                self.content(side, outer, body, false, with, on);
            }
            return;
        }
        let opened = protection.open(header, body, &mut self.scratch);
        self.direction(side).protection = Some(protection);
        match opened {
            Ok(opened) => {
                if let Some(origin) = opened.proves {
                    self.proven(side, origin, opened.phase, with, on);
                }
                let length = body.len();
                let content = body.get(opened.content).unwrap_or_default();
                let Some(inflate) = &mut self.direction(side).inflate else {
                    return self.content(side, opened.kind, content, opened.phase == Phase::Early, with, on);
                };
                match inflate.record(content) {
                    Some(content) => self.content(side, opened.kind, &content, false, with, on),
                    None => self.unopened(side, outer, length, Reason::Compressed, on),
                }
            }
            Err(reason) => {
                if let Some(inflate) = &mut self.direction(side).inflate {
                    inflate.lose();
                }
                self.unopened(side, outer, body.len(), reason, on);
            }
        }
    }

    fn unopened(&mut self, side: Side, outer: u8, length: usize, reason: Reason, on: On<'_>) {
        if outer == content::APPLICATION_DATA {
            self.unreadable(side, HEADER + length, reason, on);
        }
        if outer == content::HANDSHAKE && side == Side::Client {
            self.negotiation.client_finished = true;
        }
    }

    /// A record verified for the first time under its key.
    fn proven(&mut self, side: Side, origin: usize, phase: Phase, with: &mut Decryptor, on: On<'_>) {
        self.negotiation.proven(origin, with);
        if !std::mem::replace(&mut self.keyed, true) {
            on(Event::Keyed);
        }
        // Records before the first of TLS 1.3's application data were handshake, not data, unless
        // early data was among them.
        let early = self.negotiation.hello.as_ref().is_some_and(|hello| hello.early_data);
        let direction = self.direction(side);
        let handshake = direction.unread.is_some_and(|(_, reason)| reason == Reason::SecretMissing);
        if phase == Phase::Application && handshake && !early && !direction.gap {
            direction.unread = None;
        }
    }

    /// Application data came although no message announced encryption.
    fn assume_protection(&mut self, side: Side, with: &mut Decryptor) {
        let negotiation = &mut self.negotiation;
        let legacy = negotiation.answer.is_some() && !negotiation.is_modern();
        let mut protection = if negotiation.hello.is_none() && negotiation.answer.is_none() {
            Protection::legacy(Vec::new(), Reason::NoHandshake)
        } else if legacy {
            negotiation.legacy_protection(side, with)
        } else {
            negotiation.modern_protection(side, with)
        };
        if self.direction(side).gap {
            // The Finished message, and how much more, is missing.
            protection.skip(0, 64);
        }
        self.direction(side).protection = Some(protection);
    }

    fn content(&mut self, side: Side, kind: u8, bytes: &[u8], early: bool, with: &mut Decryptor, on: On<'_>) {
        match kind {
            content::CHANGE_CIPHER_SPEC => self.change_cipher(side, with),
            // Level, then description; 0 is close_notify.
            content::ALERT if bytes.len() == 2 && bytes.last() == Some(&0) => {
                self.flush(side, on);
                on(Event::Closed(side));
            }
            content::HANDSHAKE => self.handshake(side, bytes, with, on),
            content::APPLICATION_DATA if !bytes.is_empty() => {
                self.flush(side, on);
                on(Event::Data { from: side, early, bytes });
            }
            _ => {}
        }
    }

    fn change_cipher(&mut self, side: Side, with: &mut Decryptor) {
        // Without the server's answer it may as well be TLS 1.3's, which means nothing.
        if self.negotiation.answer.is_none() && self.negotiation.hello.is_some() || self.negotiation.is_modern() {
            return;
        }
        if side == Side::Server {
            self.negotiation.flight_done = true;
        }
        let protection = self.negotiation.legacy_protection(side, with);
        let answer = self.negotiation.answer.as_ref();
        let deflate = answer.is_some_and(|answer| answer.compression == method::DEFLATE);
        let direction = self.direction(side);
        direction.protection = Some(protection);
        direction.inflate = deflate.then(Inflate::new);
        direction.epoch += 1;
        direction.gap = false;
        direction.message.clear();
    }

    /// Takes the content of a handshake record apart.
    fn handshake(&mut self, side: Side, bytes: &[u8], with: &mut Decryptor, on: On<'_>) {
        let direction = self.direction(side);
        let skipped = direction.oversized.min(bytes.len());
        direction.oversized -= skipped;
        let mut held = std::mem::take(&mut direction.message);
        held.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
        let mut rest = held.as_slice();
        while let Some((message, after)) = first_message(rest) {
            rest = after;
            self.message(side, message, with, on);
        }
        let direction = self.direction(side);
        match message_length(rest) {
            Some(length) if length > LONGEST_MESSAGE => direction.oversized = length - rest.len(),
            _ => direction.message = rest.to_vec(),
        }
    }

    /// `message` is whole, with its header.
    fn message(&mut self, side: Side, message: &[u8], with: &mut Decryptor, on: On<'_>) {
        let (Some(&kind), Some(body)) = (message.first(), message.get(4..)) else { return };
        if kind != kind::CLIENT_HELLO && kind != 0 && with.secrets.may_open_key_exchange() {
            self.negotiation.record(side, message);
        }
        match (side, kind) {
            (Side::Client, kind::CLIENT_HELLO) => self.client_hello(message, body, with, on),
            (Side::Client, kind::CLIENT_KEY_EXCHANGE) => self.negotiation.key_exchange = Some(body.to_vec()),
            (Side::Client, kind::END_OF_EARLY_DATA) => self.enter(side, Phase::Handshake),
            (Side::Server, kind::SERVER_HELLO) => self.server_hello(body, with, on),
            (Side::Server, kind::HELLO_RETRY_REQUEST) => self.retry(with),
            (Side::Server, kind::ENCRYPTED_EXTENSIONS) => {
                if let Some(protocol) = messages::encrypted_alpn(body) {
                    on(Event::Alpn(protocol));
                }
            }
            (Side::Server, kind::CERTIFICATE) => self.certificate(body, with, on),
            (Side::Server, kind::SERVER_HELLO_DONE) => self.negotiation.flight_done = true,
            (Side::Server, kind::NEW_SESSION_TICKET) => {
                self.negotiation.ticketed(messages::session_ticket(body));
            }
            (_, kind::FINISHED) => self.finished(side),
            (_, kind::KEY_UPDATE) => {
                if let Some(protection) = &mut self.direction(side).protection {
                    protection.update();
                }
            }
            _ => {}
        }
    }

    fn client_hello(&mut self, message: &[u8], body: &[u8], with: &Decryptor, on: On<'_>) {
        let Some(hello) = ClientHello::read(body) else { return };
        self.greet(&hello, on);
        if self.negotiation.retried {
            // The second hello repeats the first one's random value; early data ended with the first.
            self.negotiation.retried = false;
            self.client.protection = None;
            let early_data = self.negotiation.hello.as_ref().is_some_and(|first| first.early_data);
            self.negotiation.hello = Some(ClientHello { early_data, ..hello });
            return;
        }
        self.negotiation = Negotiation::open(hello);
        if with.secrets.may_open_key_exchange() {
            self.negotiation.record(Side::Client, message);
        }
    }

    fn ssl2_hello(&mut self, message: &[u8], on: On<'_>) {
        if let Some(hello) = ClientHello::read_ssl2(message) {
            self.greet(&hello, on);
            self.negotiation = Negotiation::open(hello);
        }
    }

    fn greet(&mut self, hello: &ClientHello, on: On<'_>) {
        if !std::mem::replace(&mut self.greeted, true) {
            on(Event::ClientHello { sni: hello.sni.clone(), ech: hello.ech });
        }
    }

    fn server_hello(&mut self, body: &[u8], with: &mut Decryptor, on: On<'_>) {
        let Some(answer) = ServerHello::read(body) else { return };
        if answer.is_retry() {
            return self.retry(with);
        }
        let version = answer.version.map_or("TLS (unknown version)", |version| version.name());
        let suite = suite::name(answer.suite).map_or_else(|| format!("0x{:04x}", answer.suite), str::to_owned);
        on(Event::ServerHello { version, suite });
        if let Some(protocol) = answer.alpn.clone() {
            on(Event::Alpn(protocol));
        }
        self.negotiation.answer = Some(answer);
        if self.negotiation.is_modern() {
            self.server.protection = Some(self.negotiation.modern_protection(Side::Server, with));
            self.client.protection = Some(self.negotiation.modern_protection(Side::Client, with));
        }
    }

    /// HelloRetryRequest: what the client sent after its first hello is early data.
    fn retry(&mut self, with: &mut Decryptor) {
        self.negotiation.retried = true;
        if self.negotiation.hello.as_ref().is_some_and(|hello| hello.early_data) {
            self.client.protection = Some(self.negotiation.modern_protection(Side::Client, with));
        }
    }

    fn certificate(&mut self, body: &[u8], with: &Decryptor, on: On<'_>) {
        let modern = self.negotiation.is_modern();
        if let Some(names) = messages::certificate_names(body, modern).filter(|_| !self.named) {
            self.named = true;
            on(Event::CertificateNames(names));
        }
        if !modern && with.secrets.may_open_key_exchange() {
            self.negotiation.certificate = Some(body.to_vec());
        }
    }

    fn finished(&mut self, side: Side) {
        if self.direction(side).protection.as_ref().is_some_and(Protection::is_modern) {
            self.enter(side, Phase::Application);
        } else if side == Side::Client {
            self.negotiation.client_finished = true;
        }
    }

    fn enter(&mut self, side: Side, phase: Phase) {
        if let Some(protection) = &mut self.direction(side).protection
            && protection.is_modern()
            && protection.phase() < phase
        {
            protection.enter(phase);
        }
    }

    fn unreadable(&mut self, side: Side, count: usize, reason: Reason, on: On<'_>) {
        if count == 0 {
            return;
        }
        if self.direction(side).unread.is_some_and(|(_, other)| other != reason) {
            self.flush(side, on);
        }
        self.direction(side).unread.get_or_insert((0, reason)).0 += count as u64;
    }

    fn flush(&mut self, side: Side, on: On<'_>) {
        if let Some((bytes, reason)) = self.direction(side).unread.take() {
            on(Event::Unreadable { from: side, bytes, reason });
        }
    }
}

/// Length of the message that starts here, with its header.
fn message_length(bytes: &[u8]) -> Option<usize> {
    let [_, high, middle, low] = *bytes.first_chunk()?;
    Some(u32::from_be_bytes([0, high, middle, low]) as usize + 4)
}

fn first_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(message_length(bytes)?)
}
