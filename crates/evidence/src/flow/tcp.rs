//! TCP connections: which segment belongs to which, who is the client, and when one is over.

use super::half::{Carried, Half, Piece};
use super::history::History;
use super::table::{Pair, Table};
use super::{Dispatch, guess};
use crate::capture::{Socket, TcpSegment};
use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{App, Channel, Side, Time, Transport, grouped};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// All TCP connections of a capture.
pub(crate) struct Streams {
    table: Table<Stream>,
    history: History,
    /// Connections seen so far; each gets the count before it as its number.
    seen: u64,
    /// Memory held out of order, over all connections.
    held: usize,
    /// Memory held by layers, over all connections.
    layered: usize,
    /// Connections that began to hold bytes, in that order: slot and number.
    holders: VecDeque<(usize, u64)>,
    /// Connections that were reset, in that order, and when.
    reset: VecDeque<(Time, usize, u64)>,
}

/// One connection. Directions are indexed as by [`Pair::of`].
struct Stream {
    number: u64,
    phase: Phase,
    halves: [Half; 2],
    upper: Upper,
    /// Capture time of the first packet.
    opened: Time,
    /// Capture time of the last payload.
    last_payload: Time,
    /// Segments held while the start is not settled.
    waiting: usize,
    /// Memory its layers held after the last segment.
    layered: usize,
    /// True while the connection stands in [`Streams::reset`].
    is_reset: bool,
}

/// What is above reassembly.
struct Upper {
    number: u64,
    sockets: [Socket; 2],
    /// The direction in which the client sends, once it is known.
    client: Option<usize>,
    mid_stream: bool,
    app: Option<Arc<App>>,
    layer: Option<Box<Dispatch>>,
    gaps: [Gaps; 2],
}

/// The gaps of one direction.
#[derive(Debug, Clone, Copy, Default)]
struct Gaps {
    count: u64,
    bytes: u64,
    first: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Picked up without its SYN: the first segments wait a moment for earlier ones.
    Opening,
    /// Bytes in order are delivered at once.
    Open,
    /// Over. What is left of it tells late retransmits from a new connection.
    Ended,
}

/// How long the start of a connection without SYN waits for earlier segments.
const OPENING_SEGMENTS: usize = 16;
const OPENING_BYTES: usize = 32 << 10;
const OPENING_NANOS: i64 = 500_000_000;
/// How long after a reset bytes that were under way are still taken.
const RESET_NANOS: i64 = 2_000_000_000;

impl Streams {
    /// No connection yet.
    pub(crate) fn new() -> Self {
        let (holders, reset) = (VecDeque::new(), VecDeque::new());
        Self { table: Table::new(), history: History::new(), seen: 0, held: 0, layered: 0, holders, reset }
    }

    /// Takes one segment.
    pub(crate) fn segment(&mut self, segment: &TcpSegment<'_>, time: Time, app: Option<&Arc<App>>, out: &mut Out<'_>) {
        self.end_reset(time, out);
        let (pair, direction) = Pair::of(segment.source, segment.destination);
        let slot = self.slot_for(pair, direction, segment, time, out);
        let Some(stream) = self.table.get(slot) else { return };
        let (before, was_reset) = (stream.held(), segment.flags.rst());
        if stream.upper.app.is_none() {
            stream.upper.app = app.cloned();
        }
        stream.segment(direction, segment, time, &mut self.history, out);
        let (after, number) = (stream.held(), stream.number);
        let layered = stream.upper.layer.as_ref().map_or(0, |layer| layer.held());
        self.layered = (self.layered + layered).saturating_sub(std::mem::replace(&mut stream.layered, layered));
        if was_reset && stream.phase != Phase::Ended && !stream.is_reset {
            stream.is_reset = true;
            self.reset.push_back((time, slot, number));
        }
        self.account(before, after);
        if before == 0 && after > 0 {
            self.holders.push_back((slot, number));
            self.relieve(out);
        } else if after > before {
            self.relieve(out);
        }
        // A layer cannot give up what it holds and go on: the longest idle connections end here.
        while self.layered > out.limits.held && self.table.len() > 1 {
            let Some(stream) = self.table.remove_oldest() else { break };
            self.finish(stream, out);
        }
    }

    /// The capture ended: ends the connections in the order of their numbers.
    pub(crate) fn end(&mut self, out: &mut Out<'_>) {
        let mut streams = self.table.drain();
        streams.sort_unstable_by_key(|stream| stream.number);
        for mut stream in streams {
            stream.finish(&mut self.history, out);
        }
        (self.held, self.layered) = (0, 0);
    }

    /// Memory held out of order, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Memory held by layers, in bytes.
    #[cfg(test)]
    pub(super) fn layered(&self) -> usize {
        self.layered
    }

    fn account(&mut self, before: usize, after: usize) {
        self.held = (self.held + after).saturating_sub(before);
    }

    /// The slot of the connection to which a segment belongs, made if it is a new one.
    fn slot_for(
        &mut self,
        pair: Pair,
        direction: usize,
        segment: &TcpSegment<'_>,
        time: Time,
        out: &mut Out<'_>,
    ) -> usize {
        if let Some(slot) = self.table.find(&pair) {
            if self.table.get(slot).is_some_and(|stream| !stream.is_reused(direction, segment)) {
                return slot;
            }
            if let Some(stream) = self.table.remove(slot) {
                self.finish(stream, out);
            }
        }
        while self.table.len() >= out.limits.connections.max(1) {
            let Some(stream) = self.table.remove_oldest() else { break };
            self.finish(stream, out);
        }
        let stream = Stream::new(self.seen, pair, time);
        self.seen += 1;
        self.table.insert(pair, stream)
    }

    fn finish(&mut self, mut stream: Stream, out: &mut Out<'_>) {
        self.account(stream.held(), 0);
        self.layered = self.layered.saturating_sub(stream.layered);
        stream.finish(&mut self.history, out);
    }

    /// Ends connections whose reset is some time ago, unless they went on regardless.
    fn end_reset(&mut self, now: Time, out: &mut Out<'_>) {
        while let Some((time, slot, number)) = self.reset.front().copied() {
            if now.0.saturating_sub(time.0) < RESET_NANOS {
                return;
            }
            self.reset.pop_front();
            let Some(stream) = self.table.get(slot).filter(|stream| stream.number == number) else { continue };
            stream.is_reset = false;
            if now.0.saturating_sub(stream.last_payload.0) >= RESET_NANOS {
                let before = stream.held();
                stream.finish(&mut self.history, out);
                self.layered = self.layered.saturating_sub(std::mem::take(&mut stream.layered));
                self.account(before, 0);
            }
        }
    }

    /// Gives up the holes that are open longest until the memory held is within the limit.
    fn relieve(&mut self, out: &mut Out<'_>) {
        while self.held > out.limits.held {
            let Some((slot, number)) = self.holders.pop_front() else { return };
            let Some(stream) = self.table.get(slot).filter(|stream| stream.number == number) else { continue };
            let before = stream.held();
            stream.give_up_all(&mut self.history, out);
            let after = stream.held();
            self.account(before, after);
        }
        // Entries of connections that hold nothing any more must not pile up.
        if self.holders.len() > 2 * self.table.len() + 64 {
            let (table, mut seen) = (&mut self.table, HashSet::new());
            self.holders.retain(|(slot, number)| {
                let holds = table.get(*slot).is_some_and(|stream| stream.number == *number && stream.held() > 0);
                holds && seen.insert(*number)
            });
        }
    }
}

impl Stream {
    fn new(number: u64, pair: Pair, time: Time) -> Self {
        let upper = Upper {
            number,
            sockets: [pair.low, pair.high],
            client: None,
            mid_stream: true,
            app: None,
            layer: None,
            gaps: [Gaps::default(); 2],
        };
        let halves = [Half::default(), Half::default()];
        let (phase, opened, last_payload) = (Phase::Opening, time, time);
        Self { number, phase, halves, upper, opened, last_payload, waiting: 0, layered: 0, is_reset: false }
    }

    fn held(&self) -> usize {
        self.halves[0].held_bytes + self.halves[1].held_bytes
    }

    /// True where a segment shows that the same two sockets began another connection.
    fn is_reused(&mut self, direction: usize, segment: &TcpSegment<'_>) -> bool {
        let half = &mut self.halves[direction];
        if segment.flags.syn() {
            return match half.initial {
                Some(initial) => initial != segment.sequence,
                None => self.phase == Phase::Ended || !half.may_begin_at(segment.sequence.wrapping_add(1)),
            };
        }
        if segment.payload.is_empty() {
            return false;
        }
        if !half.in_window(segment.sequence) {
            return half.note_stray(segment.sequence, segment.payload.len() as u32);
        }
        self.phase == Phase::Ended && half.is_foreign(segment.sequence)
    }

    fn segment(
        &mut self,
        direction: usize,
        segment: &TcpSegment<'_>,
        time: Time,
        history: &mut History,
        out: &mut Out<'_>,
    ) {
        if self.phase == Phase::Ended {
            return;
        }
        if segment.flags.syn() {
            self.synchronise(direction, segment);
        }
        if let Some(number) = segment.acknowledgement.filter(|_| !segment.flags.rst()) {
            self.acknowledge(1 - direction, number);
        }
        let sequence = segment.sequence.wrapping_add(u32::from(segment.flags.syn()));
        let (bytes, cut, fin) = (segment.payload, segment.missing, segment.flags.fin());
        if !bytes.is_empty() || cut > 0 || fin {
            self.take(direction, Carried { sequence, bytes, cut, fin }, time, history, out);
        }
        self.advance(time, history, out);
    }

    /// Learns who is the client and where the streams begin.
    fn synchronise(&mut self, direction: usize, segment: &TcpSegment<'_>) {
        self.halves[direction].initial = Some(segment.sequence);
        self.halves[direction].settle_at(segment.sequence.wrapping_add(1));
        self.upper.mid_stream = false;
        let client = if segment.flags.ack() { 1 - direction } else { direction };
        self.upper.client.get_or_insert(client);
        if let Some(number) = segment.acknowledgement.filter(|_| segment.flags.ack()) {
            self.halves[1 - direction].settle_at(number);
        }
        if self.held() == 0 {
            self.phase = Phase::Open;
        }
    }

    fn acknowledge(&mut self, direction: usize, number: u32) {
        let other_began = self.halves[1 - direction].initial.is_some();
        let half = &mut self.halves[direction];
        // After a captured SYN the first acknowledgement is that of the other side's SYN.
        if other_began && self.phase == Phase::Open {
            half.settle_at(number);
        }
        half.acknowledged(number);
    }

    fn take(&mut self, direction: usize, carried: Carried<'_>, time: Time, history: &mut History, out: &mut Out<'_>) {
        let half = &mut self.halves[direction];
        if !half.in_window(carried.sequence) {
            return;
        }
        match self.phase {
            Phase::Opening => self.waiting += 1,
            _ => half.settle_for(carried.sequence),
        }
        self.last_payload = time;
        let upper = &mut self.upper;
        half.take(carried, time, history, &mut |piece, time| upper.piece(direction, piece, time, out));
    }

    /// Moves on as far as the segments at hand allow.
    fn advance(&mut self, now: Time, history: &mut History, out: &mut Out<'_>) {
        if self.phase == Phase::Opening && self.may_open(now) {
            self.open(history, out);
        }
        for direction in 0..2 {
            self.give_up_holes(direction, now, history, out);
        }
        if self.halves.iter().all(|half| half.ended) {
            self.finish(history, out);
        }
    }

    fn may_open(&self, now: Time) -> bool {
        self.halves.iter().all(|half| half.settled)
            || self.waiting >= OPENING_SEGMENTS
            || self.held() >= OPENING_BYTES
            || (self.waiting > 0 && now.0.saturating_sub(self.opened.0) >= OPENING_NANOS)
    }

    /// Delivers what waited, both directions in the order of capture.
    fn open(&mut self, history: &mut History, out: &mut Out<'_>) {
        self.phase = Phase::Open;
        self.halves.iter_mut().for_each(Half::settle_on_first);
        while let Some(direction) = earliest(self.halves.each_ref().map(Half::ready_time)) {
            self.step(direction, history, out);
        }
    }

    fn give_up_holes(&mut self, direction: usize, now: Time, history: &mut History, out: &mut Out<'_>) {
        loop {
            let half = &mut self.halves[direction];
            if !half.hole_is_evident(now) && half.held_bytes <= out.limits.out_of_order {
                return;
            }
            let before = half.held_bytes;
            let upper = &mut self.upper;
            half.give_up_hole(history, &mut |piece, time| upper.piece(direction, piece, time, out));
            if half.held_bytes == before {
                return;
            }
        }
    }

    fn step(&mut self, direction: usize, history: &mut History, out: &mut Out<'_>) {
        let upper = &mut self.upper;
        self.halves[direction].step(history, &mut |piece, time| upper.piece(direction, piece, time, out));
    }

    /// Delivers everything held, gaps between.
    fn give_up_all(&mut self, history: &mut History, out: &mut Out<'_>) {
        if self.phase == Phase::Opening {
            self.open(history, out);
        }
        self.halves.iter_mut().for_each(Half::settle_at_last);
        while let Some(direction) = earliest(self.halves.each_ref().map(Half::next_time)) {
            self.step(direction, history, out);
        }
    }

    /// The connection is over: nothing is held any more, the layer is told, damages are said.
    fn finish(&mut self, history: &mut History, out: &mut Out<'_>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.give_up_all(history, out);
        let last = self.last_payload;
        for direction in 0..2 {
            let upper = &mut self.upper;
            self.halves[direction].close(last, &mut |piece, time| upper.piece(direction, piece, time, out));
        }
        if let Some(mut layer) = self.upper.layer.take() {
            layer.end(out);
        }
        self.phase = Phase::Ended;
        self.halves.iter_mut().for_each(Half::forget);
        self.report_damages(out);
    }

    fn report_damages(&self, out: &mut Out<'_>) {
        for direction in 0..2 {
            let (half, gaps) = (&self.halves[direction], self.upper.gaps[direction]);
            // Gaps were counted as payload where they were delivered.
            out.tally.payload += half.late + half.stray;
            let losses = [
                (gaps.count, gaps.first, Some(gaps.bytes), gap_text(gaps)),
                (half.late, None, Some(half.late), format!("{} bytes captured too late to be put in order", half.late)),
                (half.stray, None, Some(half.stray), format!("{} bytes outside the connection's window", half.stray)),
                (half.conflicts, None, None, format!("conflicting retransmission: {} bytes differ", half.conflicts)),
            ];
            for (_, time, bytes, text) in losses.into_iter().filter(|(count, ..)| *count > 0) {
                let conn = self.upper.conn(out);
                let sender = if self.upper.client() == direction { "client" } else { "server" };
                out.damage(conn.damage(out.exhibit, time, bytes, format!("{text} from the {sender}")));
            }
        }
    }
}

fn gap_text(gaps: Gaps) -> String {
    match gaps.count {
        1 => format!("gap of {} bytes", grouped(gaps.bytes)),
        count => format!("{} gaps, {} bytes", grouped(count), grouped(gaps.bytes)),
    }
}

/// The direction with the earlier time.
fn earliest(times: [Option<Time>; 2]) -> Option<usize> {
    match times {
        [Some(a), Some(b)] => Some(usize::from(b < a)),
        [Some(_), None] => Some(0),
        [None, Some(_)] => Some(1),
        [None, None] => None,
    }
}

impl Upper {
    /// Passes a piece to the layer, which is made for the first one.
    fn piece(&mut self, direction: usize, piece: Piece<'_>, time: Time, out: &mut Out<'_>) {
        if self.layer.is_none() {
            if matches!(piece, Piece::End) {
                return;
            }
            self.guess_client(direction, piece);
            self.client = Some(self.client());
            self.layer = Some(Box::new(Dispatch::new(self.conn(out))));
        }
        let side = if self.client() == direction { Side::Request } else { Side::Response };
        let Some(layer) = &mut self.layer else { return };
        match piece {
            Piece::Bytes(bytes) => {
                out.tally.payload += bytes.len() as u64;
                layer.data(side, bytes, time, out);
            }
            Piece::Gap(length) => {
                out.tally.payload = out.tally.payload.saturating_add(length);
                self.gaps[direction].add(length, time);
                layer.gap(side, length, time, out);
            }
            Piece::End => layer.side_end(side, time, out),
        }
    }

    /// Without a SYN, what the first bytes are decides who is the client, or else the ports do.
    fn guess_client(&mut self, direction: usize, piece: Piece<'_>) {
        if self.client.is_some() {
            return;
        }
        let speaker = match piece {
            Piece::Bytes(bytes) => guess::speaker(bytes),
            _ => None,
        };
        self.client = speaker.map(|side| if side == Side::Request { direction } else { 1 - direction });
    }

    /// The direction of the client, by the ports where nothing better is known.
    fn client(&self) -> usize {
        self.client.unwrap_or_else(|| usize::from(guess::is_server(self.sockets[0].1, self.sockets[1].1)))
    }

    fn conn(&self, out: &Out<'_>) -> Conn {
        let client = self.client();
        Conn {
            id: format!("tcp:{}", self.number),
            transport: Transport::Tcp,
            client: super::endpoint(self.sockets[client], None),
            server: super::endpoint(self.sockets[1 - client], Some(out)),
            channel: Channel::clear(),
            alpn: None,
            app: self.app.clone(),
            mid_stream: self.mid_stream,
            depth: 0,
        }
    }
}

impl Gaps {
    fn add(&mut self, length: u64, time: Time) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(length);
        self.first.get_or_insert(time);
    }
}
