//! Requests and the responses that answer them, in the order they were sent (RFC 9112 section 9.3).

use crate::layer::{Conn, Out};
use dyetrace_case::{Blob, Endpoint, Flag, Message, Protocol, Side, Time};
use std::collections::VecDeque;

/// Bytes of one connection's requests that wait for their answers.
const WAITING_BYTES: usize = 16 << 20;

/// One side of an exchange.
#[derive(Debug, Default)]
pub(super) enum Half {
    /// Not seen so far.
    #[default]
    Expected,
    /// Its head was read.
    Open(Message),
    /// It ended.
    Done(Message),
    /// It will not be seen any more.
    Missed,
}

impl Half {
    pub(super) fn message(&self) -> Option<&Message> {
        match self {
            Self::Open(message) | Self::Done(message) => Some(message),
            Self::Expected | Self::Missed => None,
        }
    }

    pub(super) fn message_mut(&mut self) -> Option<&mut Message> {
        match self {
            Self::Open(message) | Self::Done(message) => Some(message),
            Self::Expected | Self::Missed => None,
        }
    }

    pub(super) fn close(&mut self) {
        if let Self::Open(message) = self {
            *self = Self::Done(std::mem::take(message));
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Missed)
    }

    fn into_message(self) -> Option<Message> {
        match self {
            Self::Open(message) | Self::Done(message) => Some(message),
            Self::Expected | Self::Missed => None,
        }
    }
}

/// A request and its response.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) number: u64,
    pub(super) time: Time,
    pub(super) protocol: Protocol,
    /// The server with the name that the request gives it.
    pub(super) server: Endpoint,
    pub(super) request: Half,
    pub(super) response: Half,
    pub(super) flags: Vec<Flag>,
    /// The answer may have been in a gap.
    answer_torn: bool,
    weight: usize,
}

impl Exchange {
    /// One side of it.
    pub(super) fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    /// The method of the request, where it was seen.
    pub(super) fn method(&self) -> Option<&str> {
        self.request.message().and_then(|message| message.method.as_deref())
    }

    fn is_orphan(&self) -> bool {
        matches!((&self.request, &self.response), (Half::Missed, Half::Done(_)))
    }

    fn is_over(&self) -> bool {
        self.request.is_over() && self.response.is_over()
    }

    fn emit(mut self, conn: &Conn, out: &mut Out<'_>) {
        let answered_early = matches!((&self.request, &self.response), (Half::Open(_), Half::Done(_)));
        let mut record = conn.record(out.exhibit, &format!("http:{}", self.number), self.protocol, Some(self.time));
        record.server = self.server;
        record.request = self.request.into_message();
        record.response = self.response.into_message();
        if answered_early || (record.request.is_some() && record.response.is_none()) {
            self.flags.push(Flag::Unanswered);
        }
        if conn.mid_stream && self.number == 0 {
            self.flags.push(Flag::MidStream);
        }
        self.flags.sort();
        self.flags.dedup();
        record.flags = self.flags;
        out.record(record);
    }
}

/// The exchanges of one connection that are not over, and their numbering.
#[derive(Default)]
pub(super) struct Pairing {
    open: VecDeque<Exchange>,
    next: u64,
    /// Requests that were emitted without waiting for their answers, which come next.
    forfeited: u64,
    /// Requests may have been missed, so that an answer may belong to none seen.
    pub(super) requests_missed: bool,
    request_seen: bool,
    weight: usize,
}

impl Pairing {
    /// The number for the next exchange or other record.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The exchange of that number.
    pub(super) fn get(&mut self, number: u64) -> Option<&mut Exchange> {
        let index = self.open.binary_search_by_key(&number, |exchange| exchange.number).ok()?;
        self.open.get_mut(index)
    }

    /// The exchange for a request that begins: a new one, unless its answer came first because
    /// the capture put the packets in another order.
    pub(super) fn for_request(&mut self, conn: &Conn, time: Time, protocol: Protocol) -> &mut Exchange {
        self.request_seen = true;
        let early = self.open.iter().position(|exchange| matches!(exchange.request, Half::Expected));
        let index = early.unwrap_or_else(|| self.push(conn, time, protocol));
        &mut self.open[index]
    }

    /// The exchange for a final response that begins.
    pub(super) fn for_response(&mut self, conn: &Conn, time: Time, protocol: Protocol) -> &mut Exchange {
        let waits = |exchange: &Exchange| matches!(exchange.response, Half::Expected);
        let untorn = self.open.iter().position(|exchange| waits(exchange) && !exchange.answer_torn);
        let any = untorn.or_else(|| self.open.iter().position(waits));
        let Some(index) = any.filter(|_| self.forfeited == 0) else {
            return self.orphan(conn, time, protocol);
        };
        self.open.iter_mut().take(index).filter(|earlier| waits(earlier)).for_each(|earlier| {
            earlier.response = Half::Missed;
            earlier.flags.push(Flag::Incomplete);
        });
        &mut self.open[index]
    }

    /// A response to no request seen, or not yet seen.
    fn orphan(&mut self, conn: &Conn, time: Time, protocol: Protocol) -> &mut Exchange {
        let before_start = conn.mid_stream && !self.request_seen;
        let missed = self.requests_missed || before_start || self.forfeited > 0 || !self.open.is_empty();
        self.forfeited = self.forfeited.saturating_sub(1);
        let index = self.push(conn, time, protocol);
        if missed {
            self.open[index].request = Half::Missed;
        }
        &mut self.open[index]
    }

    fn push(&mut self, conn: &Conn, time: Time, protocol: Protocol) -> usize {
        let exchange = Exchange {
            number: self.number(),
            time,
            protocol,
            server: conn.server.clone(),
            request: Half::Expected,
            response: Half::Expected,
            flags: Vec::new(),
            answer_torn: false,
            weight: 0,
        };
        self.open.push_back(exchange);
        self.open.len() - 1
    }

    /// Answers may have been lost in a gap: those to the requests seen so far.
    pub(super) fn answers_torn(&mut self) {
        self.open.iter_mut().for_each(|exchange| exchange.answer_torn = true);
    }

    /// Memory held, roughly.
    pub(super) fn held(&self) -> usize {
        self.weight + self.open.len() * size_of::<Exchange>()
    }

    /// Says what an exchange holds in memory until it is over.
    pub(super) fn weigh(&mut self, number: u64, head: usize, body: Option<&Blob>) {
        let weight = head + body.and_then(Blob::as_slice).map_or(0, <[u8]>::len);
        if let Some(exchange) = self.get(number) {
            exchange.weight += weight;
            self.weight += weight;
        }
    }

    /// Emits the exchanges that are over now that a side of exchange `number` is, as far as none
    /// before them is still open; an answer to no request waits for nothing. Emits the oldest
    /// ones too where too many wait.
    pub(super) fn emit(&mut self, number: u64, conn: &Conn, out: &mut Out<'_>) {
        let limits = out.limits;
        if let Some(index) = self.open.iter().rposition(|exchange| exchange.number == number && exchange.is_orphan()) {
            self.emit_at(index, conn, out);
        }
        while self.open.front().is_some_and(Exchange::is_over) {
            self.emit_at(0, conn, out);
        }
        while self.open.len() > limits.open_exchanges.max(2) || (self.weight > WAITING_BYTES && self.open.len() > 2) {
            let unanswered = self.open.iter().position(|exchange| matches!(exchange.response, Half::Expected));
            self.forfeited += u64::from(unanswered.is_some());
            self.emit_at(unanswered.unwrap_or(0), conn, out);
        }
    }

    /// Emits all that is left, in order.
    pub(super) fn finish(&mut self, conn: &Conn, out: &mut Out<'_>) {
        while !self.open.is_empty() {
            self.emit_at(0, conn, out);
        }
    }

    fn emit_at(&mut self, index: usize, conn: &Conn, out: &mut Out<'_>) {
        if let Some(exchange) = self.open.remove(index) {
            self.weight = self.weight.saturating_sub(exchange.weight);
            exchange.emit(conn, out);
        }
    }
}
