//! The open streams of an HTTP/2 connection, and when each becomes a record.

use super::exchange::Exchange;
use super::hpack::FieldList;
use crate::layer::{Conn, Limits, Out};
use dyetrace_case::{Side, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Streams that are probably over, kept for what may still arrive on them.
const LINGERING: usize = 32;
/// Streams remembered as emitted; of lower numbers than these, all are taken for emitted.
const REMEMBERED: usize = 4096;
/// Memory of an open stream beside its fields.
const STREAM: usize = 5 << 10;
/// Bytes of fields that open streams hold together, in units of the limit for one head.
const HEADS_HELD: usize = 32;

/// The open streams.
#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<u32, Open>,
    lingering: VecDeque<u32>,
    /// Emitted streams of even and of odd numbers.
    emitted: [Emitted; 2],
    fields_held: usize,
    /// What stream 1 answers, where HTTP/1 asked for it (RFC 7540 section 3.2).
    asked: Option<String>,
}

struct Open {
    exchange: Exchange,
    fields_held: usize,
}

#[derive(Default)]
struct Emitted {
    recent: BTreeSet<u32>,
    /// Every stream up to here was emitted or never used.
    up_to: u32,
}

/// An event on a stream that was emitted already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLate;

impl Streams {
    /// Nothing seen yet but the request over HTTP/1 that asked for the upgrade.
    pub(super) fn answering(asked: Option<String>) -> Self {
        Self { asked, ..Self::default() }
    }

    /// A field block of one side.
    pub(super) fn fields(
        &mut self,
        (stream, side): (u32, Side),
        list: FieldList,
        time: Time,
        conn: &Conn,
        out: &mut Out<'_>,
    ) -> Result<(), TooLate> {
        let limits = out.limits;
        let bytes: usize = list.fields.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        self.make_room(bytes, &limits, conn, out);
        let open = self.open(stream, time, conn, out)?;
        open.exchange.fields(side, list, time, &limits);
        open.fields_held += bytes;
        self.fields_held += bytes;
        Ok(())
    }

    /// Content of one side.
    pub(super) fn content(
        &mut self,
        (stream, side): (u32, Side),
        bytes: &[u8],
        time: Time,
        conn: &Conn,
        out: &mut Out<'_>,
    ) -> Result<(), TooLate> {
        let limits = out.limits;
        self.open(stream, time, conn, out)?.exchange.content(side, bytes, time, &limits);
        Ok(())
    }

    /// One side sends no more on a stream.
    pub(super) fn end(&mut self, stream: u32, side: Side, conn: &Conn, out: &mut Out<'_>) {
        let Some(open) = self.open.get_mut(&stream) else { return };
        open.exchange.end(side);
        if open.exchange.is_complete() {
            self.emit(stream, conn, out);
        } else if open.exchange.lacks_request() {
            self.linger(stream, conn, out);
        }
    }

    /// One side gives the stream up (RST_STREAM). The other may have sent more before it knew.
    pub(super) fn reset(&mut self, stream: u32, side: Side, conn: &Conn, out: &mut Out<'_>) {
        let Some(open) = self.open.get_mut(&stream) else { return };
        if open.exchange.ended(side.other()) {
            return self.emit(stream, conn, out);
        }
        self.linger(stream, conn, out);
    }

    /// Content of one side has a hole on this stream.
    pub(super) fn broken(&mut self, stream: u32, side: Side, time: Time, conn: &Conn, out: &mut Out<'_>) {
        if let Some(open) = self.open.get_mut(&stream) {
            open.exchange.broken(side, time, conn, out);
        }
    }

    /// Any frame of one side may be missing: no stream's content continues as it was.
    pub(super) fn all_broken(&mut self, side: Side, time: Time, conn: &Conn, out: &mut Out<'_>) {
        for open in self.open.values_mut().filter(|open| !open.exchange.ended(side)) {
            open.exchange.broken(side, time, conn, out);
        }
    }

    /// Fields of one side could not be read on this stream.
    pub(super) fn damage(&mut self, stream: u32, side: Side) {
        if let Some(open) = self.open.get_mut(&stream) {
            open.exchange.damage(side);
        }
    }

    /// Emits everything, in the order of the streams.
    pub(super) fn finish(&mut self, conn: &Conn, out: &mut Out<'_>) {
        while let Some(stream) = self.open.keys().next().copied() {
            self.emit(stream, conn, out);
        }
    }

    /// Bytes of fields that open streams hold.
    #[cfg(test)]
    pub(super) fn fields_held(&self) -> usize {
        self.fields_held
    }

    /// Memory held, at most; of content each stream keeps a little, the rest is spooled.
    pub(super) fn held(&self) -> usize {
        self.fields_held + self.open.len() * STREAM
    }

    fn open(&mut self, stream: u32, time: Time, conn: &Conn, out: &mut Out<'_>) -> Result<&mut Open, TooLate> {
        if !self.open.contains_key(&stream) {
            if self.emitted(stream).contains(stream) {
                return Err(TooLate);
            }
            if self.open.len() >= out.limits.open_exchanges {
                self.emit_oldest(conn, out);
            }
        }
        let asked = self.asked.take_if(|_| stream == 1);
        let fresh = || Open { exchange: Exchange::new(stream, time, asked), fields_held: 0 };
        Ok(self.open.entry(stream).or_insert_with(fresh))
    }

    fn emitted(&mut self, stream: u32) -> &mut Emitted {
        let [even, odd] = &mut self.emitted;
        if stream.is_multiple_of(2) { even } else { odd }
    }

    fn make_room(&mut self, bytes: usize, limits: &Limits, conn: &Conn, out: &mut Out<'_>) {
        while !self.open.is_empty() && self.fields_held + bytes > limits.head.saturating_mul(HEADS_HELD) {
            self.emit_oldest(conn, out);
        }
    }

    fn emit_oldest(&mut self, conn: &Conn, out: &mut Out<'_>) {
        if let Some(stream) = self.open.keys().next().copied() {
            self.emit(stream, conn, out);
        }
    }

    fn linger(&mut self, stream: u32, conn: &Conn, out: &mut Out<'_>) {
        self.lingering.push_back(stream);
        if self.lingering.len() > LINGERING
            && let Some(oldest) = self.lingering.pop_front()
        {
            self.emit(oldest, conn, out);
        }
    }

    fn emit(&mut self, stream: u32, conn: &Conn, out: &mut Out<'_>) {
        if let Some(open) = self.open.remove(&stream) {
            self.fields_held -= open.fields_held;
            self.emitted(stream).insert(stream);
            open.exchange.emit(conn, out);
        }
    }
}

impl Emitted {
    fn contains(&self, stream: u32) -> bool {
        stream <= self.up_to || self.recent.contains(&stream)
    }

    fn insert(&mut self, stream: u32) {
        self.recent.insert(stream);
        if self.recent.len() > REMEMBERED {
            self.up_to = self.recent.pop_first().unwrap_or(self.up_to).max(self.up_to);
        }
    }
}
