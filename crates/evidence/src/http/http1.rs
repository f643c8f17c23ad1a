//! HTTP/1.0 and 1.1 (RFC 9112) messages.
//!
//! Each direction is read by a [`Reader`]; this layer pairs requests with responses, collects
//! bodies, and hands the connection on when a response turns it into something else. A body is
//! never joined over a gap: what follows one becomes a record of its own, `http:3/piece:1`.

mod chunked;
mod framing;
mod head;
mod pairing;
mod reader;
mod upgrade;
mod url;

use crate::coding::{decode_chain, decode_content};
use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{BlobWriter, ChannelKind, Flag, Message, Protocol, Side, Time};
use framing::{Framing, Length};
use head::{Field, Head, Start};
use pairing::{Half, Pairing};
use reader::{Event, Reader, Torn};

/// Bytes held back until the answer to an upgrade or CONNECT is seen: a TLS client's first flight
/// sent ahead of it fits.
const MOST_HELD: usize = 32 << 10;

/// HTTP/1.0 and 1.1 (RFC 9112) messages.
pub(crate) struct Http1 {
    conn: Conn,
    request: Direction,
    response: Direction,
    pairing: Pairing,
    /// Fields of 1xx responses, which precede those of the response they announce.
    interim: Vec<Field>,
    /// What the client sent after asking for an upgrade or a tunnel, until the answer decides.
    held: Option<Vec<Held>>,
    /// The client sent more ahead of an answer than is held back.
    holds_no_more: bool,
    /// What the connection became.
    inner: Option<Box<dyn Layer>>,
}

/// One direction.
struct Direction {
    reader: Reader,
    /// Time of the first byte of what is being read.
    started: Time,
    /// Time of the latest bytes.
    latest: Time,
    /// The message being read.
    open: Option<Open>,
    /// Bytes outside any message, with the time of the first.
    stray: Option<(Time, BlobWriter)>,
}

/// A message whose head was read.
struct Open {
    exchange: u64,
    has_body: bool,
    body: BlobWriter,
    /// Time of the first byte of this piece of the body.
    time: Time,
    /// Gaps the body had so far.
    pieces: u64,
    /// Transfer codings to undo.
    transfer: Vec<String>,
}

enum Held {
    Bytes(Vec<u8>, Time),
    Gap(u64, Time),
}

impl Direction {
    fn new(side: Side) -> Self {
        Self { reader: Reader::new(side), started: Time(0), latest: Time(0), open: None, stray: None }
    }

    /// Memory held, roughly.
    fn held(&self) -> usize {
        let stray = self.stray.as_ref().map_or(0, |(_, stray)| stray.held());
        self.reader.held() + self.open.as_ref().map_or(0, |open| open.body.held()) + stray
    }
}

impl Http1 {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self {
            conn,
            request: Direction::new(Side::Request),
            response: Direction::new(Side::Response),
            pairing: Pairing::default(),
            interim: Vec::new(),
            held: None,
            holds_no_more: false,
            inner: None,
        }
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    /// Reads bytes of one side until they are used up or belong to another protocol.
    fn feed(&mut self, side: Side, mut input: &[u8], time: Time, out: &mut Out<'_>) {
        loop {
            let direction = self.direction(side);
            direction.latest = time;
            if direction.reader.is_between() {
                direction.started = time;
            }
            let Some(event) = direction.reader.next(&mut input, &out.limits) else { return };
            self.event(side, event, time, out);
            let diverted = self.inner.is_some() || (side == Side::Request && self.held.is_some());
            if diverted {
                return self.data(side, input, time, out);
            }
        }
    }

    fn event(&mut self, side: Side, event: Event<'_>, time: Time, out: &mut Out<'_>) {
        match event {
            Event::Head(head) => {
                let length = self.begin(side, head, out);
                self.direction(side).reader.expect(length);
            }
            Event::PartOfHead(head) => {
                self.damage(time, head.length, "message head is longer than is read", out);
                self.part_of_head(side, head, out);
            }
            Event::Body(bytes) => self.body(side, bytes, time),
            Event::End(trailers) => self.finish(side, trailers, false, out),
            Event::Broken => {
                self.damage(time, 0, "chunked body breaks off at bytes that are no chunk", out);
                self.finish(side, Vec::new(), true, out);
            }
            Event::Stray(bytes) => self.stray(side, &bytes, out),
        }
    }

    fn body(&mut self, side: Side, bytes: &[u8], time: Time) {
        if let Some(open) = &mut self.direction(side).open {
            if open.body.is_empty() {
                open.time = time;
            }
            open.body.push(bytes);
        }
    }

    /// A message begins. Returns how its body ends.
    fn begin(&mut self, side: Side, head: Head, out: &mut Out<'_>) -> Length {
        self.flush_stray(side, out);
        if head.dropped > 0 {
            let reason = format!("{} bytes of fields over the limit of {}", head.dropped, out.limits.fields);
            let time = self.direction(side).started;
            out.damage(self.conn.damage(out.exhibit, Some(time), Some(head.dropped), reason));
        }
        match head.start {
            Start::Request { .. } => self.begin_request(head, out),
            Start::Response { status: 100 | 102..=199 } => {
                let room = out.limits.fields.saturating_sub(self.interim.len());
                self.interim.extend(head.fields.into_iter().take(room));
                Length::None
            }
            Start::Response { status } => self.begin_response(status, head, out),
        }
    }

    /// A message of which only the start is known; whether it had a body is not.
    fn part_of_head(&mut self, side: Side, head: Head, out: &mut Out<'_>) {
        self.begin(side, head, out);
        if let Some(open) = &mut self.direction(side).open {
            open.has_body = false;
        }
        self.finish(side, Vec::new(), true, out);
    }

    fn begin_request(&mut self, head: Head, out: &mut Out<'_>) -> Length {
        let time = self.request.started;
        let framing = Framing::of(&head, None);
        let Start::Request { method, target } = head.start else { return Length::None };
        let host = head::values(&head.fields, "host").next();
        let url = url::url_of(&self.conn, &method, &target, host);
        let exchange = self.pairing.for_request(&self.conn, time, head.protocol);
        exchange.server = url::server_of(&self.conn, &method, &target, host);
        exchange.protocol = head.protocol;
        exchange.time = exchange.time.min(time);
        exchange.flags.extend(framing.conflicting.then_some(Flag::ConflictingLengths));
        exchange.request = Half::Open(Message {
            time: Some(time),
            method: Some(method),
            target: Some(target),
            url: Some(url),
            headers: head.fields,
            ..Message::default()
        });
        let number = exchange.number;
        self.pairing.weigh(number, head.length, None);
        self.request.open = Some(Open::new(number, &framing, time, out));
        framing.length
    }

    fn begin_response(&mut self, status: u16, head: Head, out: &mut Out<'_>) -> Length {
        let time = self.response.started;
        let exchange = self.pairing.for_response(&self.conn, time, head.protocol);
        let framing = Framing::of(&head, exchange.method());
        exchange.flags.extend(framing.conflicting.then_some(Flag::ConflictingLengths));
        let mut headers = std::mem::take(&mut self.interim);
        headers.extend(head.fields);
        exchange.response =
            Half::Open(Message { time: Some(time), status: Some(status), headers, ..Message::default() });
        self.response.open = Some(Open::new(exchange.number, &framing, time, out));
        framing.length
    }

    /// A message ended, in order or not.
    fn finish(&mut self, side: Side, trailers: Vec<Field>, incomplete: bool, out: &mut Out<'_>) {
        let Some(open) = self.direction(side).open.take() else { return };
        let (number, latest) = (open.exchange, self.direction(side).latest);
        self.close_piece(side, open, out);
        let Some(exchange) = self.pairing.get(number) else { return };
        exchange.flags.extend(incomplete.then_some(Flag::Incomplete));
        if let Some(message) = exchange.half(side).message_mut() {
            message.headers.extend(trailers);
            message.last = Some(latest);
        }
        exchange.half(side).close();
        let body = exchange.half(side).message().and_then(|message| message.body.clone());
        match side {
            Side::Request => {
                self.pairing.weigh(number, 0, body.as_ref());
                self.hold_for_answer(number);
            }
            Side::Response => self.inner = upgrade::next_layer(&self.conn, exchange, &out.limits),
        }
        self.pairing.emit(number, &self.conn, out);
        if side == Side::Response {
            self.answered(out);
        }
    }

    /// A request that asks for another protocol: what the client sends next is that protocol or
    /// HTTP/1, as the answer says.
    fn hold_for_answer(&mut self, number: u64) {
        let Some(exchange) = self.pairing.get(number) else { return };
        let unanswered = matches!(exchange.response, Half::Expected | Half::Open(_));
        if !self.holds_no_more && unanswered && exchange.request.message().is_some_and(upgrade::is_asked_for) {
            self.held = Some(Vec::new());
        }
    }

    /// A final response ended: what the client sent ahead of it can be told now.
    fn answered(&mut self, out: &mut Out<'_>) {
        if self.inner.is_some() {
            self.flush_stray(Side::Request, out);
            let (unread, time) = (self.request.reader.take_held(), self.request.started);
            self.data(Side::Request, &unread, time, out);
        }
        self.release(out);
    }

    /// Passes on what was held back.
    fn release(&mut self, out: &mut Out<'_>) {
        for held in self.held.take().unwrap_or_default() {
            match held {
                Held::Bytes(bytes, time) => self.data(Side::Request, &bytes, time, out),
                Held::Gap(length, time) => self.gap(Side::Request, length, time, out),
            }
        }
    }

    fn hold(&mut self, piece: Held, out: &mut Out<'_>) {
        let Some(held) = &mut self.held else { return };
        held.push(piece);
        let size: usize = held.iter().map(Held::size).sum();
        if size > MOST_HELD {
            self.holds_no_more = true;
            self.release(out);
        }
    }

    /// Puts the body collected so far where it belongs: into its message, or, behind a gap, into
    /// a record of its own.
    fn close_piece(&mut self, side: Side, open: Open, out: &mut Out<'_>) {
        if !open.has_body {
            return;
        }
        let dropped = open.body.dropped();
        let mut flags = Vec::from_iter((dropped > 0).then_some(Flag::Cut(dropped)));
        let is_first = open.pieces == 0;
        if !is_first {
            return self.emit_piece(side, open, flags, out);
        }
        let coded = open.body.finish();
        let (body, _, faults) = decode_chain(&coded, &open.transfer, &out.limits);
        flags.extend(faults);
        let Some(exchange) = self.pairing.get(open.exchange) else { return };
        if let Some(message) = exchange.half(side).message_mut() {
            message.body = Some(body.unwrap_or(coded));
            flags.extend(decode_content(message, &out.limits));
        }
        exchange.flags.extend(flags);
    }

    fn emit_piece(&mut self, side: Side, open: Open, mut flags: Vec<Flag>, out: &mut Out<'_>) {
        let last = Some(self.direction(side).latest);
        let Some(exchange) = self.pairing.get(open.exchange).filter(|_| !open.body.is_empty()) else { return };
        let name = format!("http:{}/piece:{}", exchange.number, open.pieces);
        let mut record = self.conn.record(out.exhibit, &name, exchange.protocol, Some(open.time));
        record.server = exchange.server.clone();
        let whole = exchange.half(side).message();
        let message = Message {
            time: Some(open.time),
            last,
            method: whole.and_then(|message| message.method.clone()),
            url: whole.and_then(|message| message.url.clone()),
            status: whole.and_then(|message| message.status),
            body: Some(open.body.finish()),
            ..Message::default()
        };
        match side {
            Side::Request => record.request = Some(message),
            Side::Response => record.response = Some(message),
        }
        flags.push(Flag::Incomplete);
        flags.sort();
        record.flags = flags;
        out.record(record);
    }

    /// Bytes are missing within a body that goes on.
    fn tear_body(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        let Some(open) = self.direction(side).open.take() else { return };
        let next = Open {
            exchange: open.exchange,
            has_body: true,
            body: BlobWriter::new(out.limits.body),
            time,
            pieces: open.pieces.saturating_add(1),
            transfer: Vec::new(),
        };
        if let Some(exchange) = self.pairing.get(open.exchange) {
            exchange.flags.push(Flag::Incomplete);
            exchange.flags.dedup();
        }
        self.close_piece(side, open, out);
        self.direction(side).open = Some(next);
    }

    /// What a gap, or the end, tore.
    fn tear(&mut self, side: Side, torn: Torn, time: Time, out: &mut Out<'_>) {
        match torn {
            Torn::Between(held) => {
                if let Some(held) = held {
                    self.stray(side, &held, out);
                }
                self.flush_stray(side, out);
            }
            Torn::Head(head) => self.part_of_head(side, head, out),
            Torn::Body => self.tear_body(side, time, out),
            Torn::BodyEnd => self.finish(side, Vec::new(), true, out),
        }
    }

    /// Ends one direction: what it was in the middle of is incomplete.
    fn finish_side(&mut self, side: Side, closed: bool, out: &mut Out<'_>) {
        let direction = self.direction(side);
        let time = direction.started;
        let complete = closed && direction.reader.ends_with_connection();
        match direction.reader.gap(u64::MAX, &out.limits) {
            Torn::Body | Torn::BodyEnd => self.finish(side, Vec::new(), !complete, out),
            torn => self.tear(side, torn, time, out),
        }
        self.direction(side).reader = Reader::new(side);
    }

    fn stray(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_>) {
        let direction = self.direction(side);
        let started = direction.started;
        let fresh = || (started, BlobWriter::new(out.limits.body));
        direction.stray.get_or_insert_with(fresh).1.push(bytes);
    }

    /// Bytes outside any message were read all the same: they are a record without structure.
    fn flush_stray(&mut self, side: Side, out: &mut Out<'_>) {
        let Some((time, stray)) = self.direction(side).stray.take() else { return };
        let dropped = stray.dropped();
        let protocol = if self.conn.channel.kind == ChannelKind::Tls { Protocol::Tls } else { Protocol::Tcp };
        let name = format!("http:{}", self.pairing.number());
        let mut record = self.conn.record(out.exhibit, &name, protocol, Some(time));
        let last = Some(self.direction(side).latest);
        let message = Message { time: Some(time), last, body: Some(stray.finish()), ..Message::default() };
        match side {
            Side::Request => record.request = Some(message),
            Side::Response => record.response = Some(message),
        }
        record.flags = vec![Flag::Incomplete];
        record.flags.extend(self.conn.mid_stream.then_some(Flag::MidStream));
        record.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
        out.record(record);
    }

    /// A fault of the messages themselves. What was read before it and after it has its records.
    fn damage(&self, time: Time, length: usize, what: &str, out: &mut Out<'_>) {
        let reason = if length == 0 { what.to_owned() } else { format!("{what}: {length} bytes") };
        out.damage(self.conn.damage(out.exhibit, Some(time), None, reason));
    }
}

impl Open {
    fn new(exchange: u64, framing: &Framing, time: Time, out: &Out<'_>) -> Self {
        Self {
            exchange,
            has_body: framing.length != Length::None,
            body: BlobWriter::new(out.limits.body),
            time,
            pieces: 0,
            transfer: framing.transfer.clone(),
        }
    }
}

impl Held {
    fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes, _) => bytes.len() + size_of::<Self>(),
            Self::Gap(..) => size_of::<Self>(),
        }
    }
}

impl Layer for Http1 {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        if bytes.is_empty() || out.stopped() {
            return;
        }
        if let Some(inner) = &mut self.inner {
            inner.data(side, bytes, time, out);
        } else if side == Side::Request && self.held.is_some() {
            self.hold(Held::Bytes(bytes.to_vec(), time), out);
        } else {
            self.feed(side, bytes, time, out);
        }
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        if let Some(inner) = &mut self.inner {
            return inner.gap(side, length, time, out);
        }
        if side == Side::Request && self.held.is_some() {
            return self.hold(Held::Gap(length, time), out);
        }
        let torn = self.direction(side).reader.gap(length, &out.limits);
        if !matches!(torn, Torn::Body) {
            match side {
                Side::Request => self.pairing.requests_missed = true,
                Side::Response => self.pairing.answers_torn(),
            }
        }
        if matches!(torn, Torn::Head(_)) {
            self.damage(time, 0, "gap in a message head", out);
        }
        self.tear(side, torn, time, out);
    }

    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        if let Some(inner) = &mut self.inner {
            return inner.side_end(side, time, out);
        }
        if self.direction(side).reader.ends_with_connection() {
            self.finish_side(side, true, out);
        }
    }

    fn held(&self) -> usize {
        let inner = self.inner.as_ref().map_or(0, |inner| inner.held());
        let diverted: usize = self.held.iter().flatten().map(Held::size).sum();
        let interim = self.interim.len() * size_of::<Field>();
        self.request.held() + self.response.held() + self.pairing.held() + interim + diverted + inner
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.release(out);
        for side in [Side::Request, Side::Response] {
            self.finish_side(side, false, out);
            self.flush_stray(side, out);
        }
        self.pairing.finish(&self.conn, out);
        if let Some(inner) = &mut self.inner {
            inner.end(out);
        }
    }
}

#[cfg(test)]
mod tests;
