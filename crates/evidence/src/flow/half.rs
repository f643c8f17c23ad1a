//! One direction of a TCP connection: segments in any order to bytes in order.
//!
//! Positions are 64-bit stream offsets, so that a sequence number that wraps is no special case.
//! The first captured byte of each offset wins; nothing is ever joined across bytes that are
//! missing.

use super::history::{History, Recent};
use dyetrace_case::Time;
use std::collections::BTreeMap;

/// What comes out of a direction, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// The next bytes.
    Bytes(&'a [u8]),
    /// That many bytes are missing.
    Gap(u64),
    /// The sender's FIN: nothing follows.
    End,
}

/// Receives [`Piece`]s, each with the time its first byte was captured.
pub(crate) type Deliver<'d> = dyn FnMut(Piece<'_>, Time) + 'd;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// The initial sequence number, where a SYN was captured.
    pub(crate) initial: Option<u32>,
    /// True once the offset of the first byte is known.
    pub(crate) settled: bool,
    /// True once any sequence number of this direction is known.
    anchored: bool,
    /// Sequence number of the byte at `next`.
    sequence: u32,
    /// Offset of the next byte to deliver.
    next: u64,
    /// Offset of the first byte.
    base: u64,
    /// Segments beyond `next`, by their offset; they never overlap.
    held: BTreeMap<u64, Held>,
    /// Cost in memory of `held`.
    pub(crate) held_bytes: usize,
    /// Capture time since which `next` was missing.
    since: Option<Time>,
    /// Offset behind the last byte, where a FIN was captured.
    fin: Option<u64>,
    /// True once the FIN was delivered.
    pub(crate) ended: bool,
    /// The highest offset that the receiver acknowledged.
    acked: Option<u64>,
    recent: Recent,
    /// Retransmitted bytes that differ from those captured first.
    pub(crate) conflicts: u64,
    /// Bytes from before the first one delivered, captured too late to be put in order.
    pub(crate) late: u64,
    /// Payload far outside the window, and the sequence number expected behind it.
    pub(crate) stray: u64,
    stray_next: Option<(u32, u32)>,
}

#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// Bytes behind `bytes` that the recorder cut off.
    cut: u64,
    time: Time,
}

/// Where offsets begin: far enough from zero that an older segment has one, too.
const ORIGIN: u64 = 1 << 33;
/// Further than this from the next byte no segment belongs to the connection: the largest window
/// of RFC 7323 section 2.3.
const WINDOW: u64 = 1 << 30;
/// Within this many bytes two positions belong to the same moment of a connection.
const NEAR: u64 = 1 << 20;
/// Memory that one held segment costs beside its bytes.
const OVERHEAD: usize = 96;
/// How much must be captured behind acknowledged bytes before they count as never captured.
/// Cards with several queues deliver packets out of order, but not by so many.
const EVIDENT_SEGMENTS: usize = 32;
const EVIDENT_BYTES: usize = 64 << 10;
const EVIDENT_NANOS: i64 = 2_000_000_000;

impl Half {
    /// Settles the first byte's sequence number: from a SYN, or from the other side's first
    /// acknowledgement. Without effect where it is already settled.
    pub(crate) fn settle_at(&mut self, sequence: u32) {
        if self.settled {
            return;
        }
        self.anchor(sequence);
        let base = self.offset(sequence);
        self.begin(base);
    }

    /// Settles on the lowest offset held; where nothing is held the first segment will decide.
    pub(crate) fn settle_on_first(&mut self) {
        if let (false, Some(first)) = (self.settled, self.first_held()) {
            self.begin(first);
        }
    }

    /// Settles for a first segment at this sequence number: on what the receiver acknowledged
    /// before, unless that is far away.
    pub(crate) fn settle_for(&mut self, sequence: u32) {
        if self.settled {
            return;
        }
        self.anchor(sequence);
        let offset = self.offset(sequence);
        let near = offset >= self.next && offset - self.next < NEAR;
        self.begin(if near { self.next } else { offset });
    }

    /// Settles on whatever is known, at the end of the connection.
    pub(crate) fn settle_at_last(&mut self) {
        self.settle_on_first();
        if self.anchored && !self.settled {
            self.begin(self.next);
        }
    }

    fn begin(&mut self, base: u64) {
        let delta = base.wrapping_sub(self.next);
        self.sequence = self.sequence.wrapping_add(delta as u32);
        self.next = base;
        self.base = base;
        self.settled = true;
        while let Some(entry) = self.held.first_entry().filter(|entry| *entry.key() < base) {
            let held = entry.remove();
            self.held_bytes -= held.bytes.len() + OVERHEAD;
            self.late += held.bytes.len() as u64;
        }
    }

    fn anchor(&mut self, sequence: u32) {
        if !self.anchored {
            (self.sequence, self.next, self.base, self.anchored) = (sequence, ORIGIN, ORIGIN, true);
        }
    }

    fn offset(&self, sequence: u32) -> u64 {
        let delta = sequence.wrapping_sub(self.sequence) as i32;
        self.next.saturating_add_signed(i64::from(delta))
    }

    /// True where a SYN with this sequence number, or a first byte there, fits what is known.
    pub(crate) fn may_begin_at(&self, sequence: u32) -> bool {
        if !self.anchored {
            return true;
        }
        let offset = self.offset(sequence);
        if self.settled {
            return offset == self.base;
        }
        let first = self.first_held().unwrap_or(self.next);
        offset <= first && first - offset < NEAR
    }

    /// True where a segment at this sequence number may belong to the connection.
    pub(crate) fn in_window(&self, sequence: u32) -> bool {
        !self.anchored || self.offset(sequence).abs_diff(self.next) < WINDOW
    }

    /// True where the bytes of a segment lie behind the end of the stream or before its start.
    pub(crate) fn is_foreign(&self, sequence: u32) -> bool {
        self.anchored && !(self.base..self.fin.unwrap_or(self.next).max(self.next)).contains(&self.offset(sequence))
    }

    /// Notes a segment outside the window; true once several in a row continue each other, as a
    /// new connection's do whose SYN was not captured.
    pub(crate) fn note_stray(&mut self, sequence: u32, length: u32) -> bool {
        self.stray += u64::from(length);
        let in_row = match self.stray_next {
            Some((next, count)) if next == sequence => count + 1,
            _ => 1,
        };
        self.stray_next = Some((sequence.wrapping_add(length), in_row));
        in_row >= 3
    }

    /// Notes the other side's acknowledgement.
    pub(crate) fn acknowledged(&mut self, sequence: u32) {
        if !self.anchored {
            self.anchor(sequence);
            return;
        }
        let offset = self.offset(sequence);
        let highest = self.acked.unwrap_or(0).max(self.next);
        if offset > highest && offset - self.next < WINDOW {
            self.acked = Some(offset);
        }
    }

    /// Takes a segment's bytes. Once settled, whatever is in order is delivered at once.
    pub(crate) fn take(&mut self, segment: Carried<'_>, time: Time, history: &mut History, deliver: &mut Deliver<'_>) {
        self.anchor(segment.sequence);
        let offset = self.offset(segment.sequence);
        if segment.fin {
            let end = offset.saturating_add(segment.bytes.len() as u64 + u64::from(segment.cut));
            if !self.settled || end >= self.next {
                self.fin.get_or_insert(end);
            }
        }
        if self.settled && offset == self.next && self.held.is_empty() {
            self.deliver(segment.bytes, u64::from(segment.cut), time, history, deliver);
        } else {
            self.hold(offset, segment.bytes, u64::from(segment.cut), time, history);
            self.drain(history, deliver);
        }
        self.finish_in_order(time, deliver);
    }

    /// Delivers bytes at `next` and moves on.
    fn deliver(&mut self, bytes: &[u8], cut: u64, time: Time, history: &mut History, deliver: &mut Deliver<'_>) {
        if self.ended {
            // RFC 9293 section 3.6: nothing follows a FIN. Whoever sent this, it is counted.
            self.stray += bytes.len() as u64 + cut;
            self.advance(bytes.len() as u64 + cut);
            return;
        }
        if !bytes.is_empty() {
            history.note(&mut self.recent, self.next, bytes);
            deliver(Piece::Bytes(bytes), time);
            self.advance(bytes.len() as u64);
        }
        if cut > 0 {
            deliver(Piece::Gap(cut), time);
            self.advance(cut);
        }
    }

    fn advance(&mut self, by: u64) {
        self.next += by;
        self.sequence = self.sequence.wrapping_add(by as u32);
    }

    fn finish_in_order(&mut self, time: Time, deliver: &mut Deliver<'_>) {
        if self.settled && !self.ended && self.fin.is_some_and(|fin| fin <= self.next) {
            self.ended = true;
            deliver(Piece::End, time);
        }
    }

    /// Keeps what is new of a segment.
    fn hold(&mut self, offset: u64, bytes: &[u8], cut: u64, time: Time, history: &History) {
        let (offset, bytes) = self.without_delivered(offset, bytes, history);
        let end = offset + bytes.len() as u64;
        let mut at = self.skip_overlap_before(offset, bytes);
        while at < end {
            let following = self.held.range(at..end).next().map(|(start, held)| (*start, held.end(*start)));
            let (free_to, resume) = following.unwrap_or((end, end));
            self.insert(at, &bytes[(at - offset) as usize..(free_to - offset) as usize], 0, time);
            if following.is_some() {
                self.count_conflicts(free_to, offset, bytes);
            }
            at = resume;
        }
        self.hold_cut(end, cut, time);
    }

    /// Keeps a range that the recorder cut off, unless some of it is held: then it says nothing new.
    fn hold_cut(&mut self, start: u64, cut: u64, time: Time) {
        let end = start + cut;
        let start = if self.settled { start.max(self.next) } else { start };
        let before = self.held.range(..start).next_back().map_or(0, |(at, held)| held.end(*at));
        if start < end && before <= start && self.held.range(start..end).next().is_none() {
            self.insert(start, &[], end - start, time);
        }
    }

    /// Cuts off what was already delivered, comparing it.
    fn without_delivered<'b>(&mut self, offset: u64, bytes: &'b [u8], history: &History) -> (u64, &'b [u8]) {
        if !self.settled || offset >= self.next {
            return (offset, bytes);
        }
        let old = ((self.next - offset) as usize).min(bytes.len());
        let (before, rest) = bytes.split_at(old);
        // A keep-alive probe repeats the last byte with any content (RFC 9293 section 3.8.4).
        let probe = bytes.len() == 1 && offset + 1 == self.next;
        if !probe {
            self.conflicts += history.differing(&self.recent, offset, before);
        }
        if offset < self.base {
            self.late += (self.base - offset).min(before.len() as u64);
        }
        (offset + old as u64, rest)
    }

    /// Where the held segment that begins at or before `offset` ends, or `offset`.
    fn skip_overlap_before(&mut self, offset: u64, bytes: &[u8]) -> u64 {
        let before = self.held.range(..offset).next_back().map(|(start, held)| (*start, held.end(*start)));
        match before {
            Some((start, end)) if end > offset => {
                self.count_conflicts(start, offset, bytes);
                end
            }
            _ => offset,
        }
    }

    /// Compares the held segment at `start` with what came again.
    fn count_conflicts(&mut self, start: u64, offset: u64, bytes: &[u8]) {
        let Some(held) = self.held.get(&start) else { return };
        let from = start.max(offset);
        let ours = held.bytes.get((from - start) as usize..).unwrap_or_default();
        let theirs = bytes.get((from - offset) as usize..).unwrap_or_default();
        self.conflicts += ours.iter().zip(theirs).filter(|(a, b)| a != b).count() as u64;
    }

    fn insert(&mut self, offset: u64, bytes: &[u8], cut: u64, time: Time) {
        if bytes.is_empty() && cut == 0 {
            return;
        }
        self.since.get_or_insert(time);
        self.held_bytes += bytes.len() + OVERHEAD;
        self.held.insert(offset, Held { bytes: bytes.to_vec(), cut, time });
    }

    /// Delivers held segments as long as they follow without a hole.
    fn drain(&mut self, history: &mut History, deliver: &mut Deliver<'_>) {
        while self.ready_time().is_some() {
            self.deliver_first(history, deliver);
        }
    }

    /// Capture time of the first held segment, where it can be delivered without a gap.
    pub(crate) fn ready_time(&self) -> Option<Time> {
        self.next_time().filter(|_| self.first_held() == Some(self.next))
    }

    /// Delivers the first held segment, which lies at `next`.
    fn deliver_first(&mut self, history: &mut History, deliver: &mut Deliver<'_>) {
        let Some((_, held)) = self.held.pop_first() else { return };
        self.held_bytes -= held.bytes.len() + OVERHEAD;
        self.since = self.held.first_key_value().map(|(_, held)| held.time);
        self.deliver(&held.bytes, held.cut, held.time, history, deliver);
        self.finish_in_order(held.time, deliver);
    }

    fn first_held(&self) -> Option<u64> {
        self.held.first_key_value().map(|(offset, _)| *offset)
    }

    /// Capture time of the first held segment, where the stream's start is settled.
    pub(crate) fn next_time(&self) -> Option<Time> {
        self.held.first_key_value().filter(|_| self.settled).map(|(_, held)| held.time)
    }

    /// Delivers the first held segment, and the gap before it if there is one.
    pub(crate) fn step(&mut self, history: &mut History, deliver: &mut Deliver<'_>) {
        let (Some(first), Some(time)) = (self.first_held(), self.next_time()) else { return };
        if first > self.next {
            deliver(Piece::Gap(first - self.next), time);
            self.advance(first - self.next);
        }
        self.deliver_first(history, deliver);
    }

    /// True where the bytes at `next` were received but evidently not captured.
    pub(crate) fn hole_is_evident(&self, now: Time) -> bool {
        let (Some(first), Some(since)) = (self.first_held().filter(|_| self.settled), self.since) else {
            return false;
        };
        first > self.next
            && self.acked.is_some_and(|acked| acked >= first)
            && (self.held.len() >= EVIDENT_SEGMENTS
                || self.held_bytes >= EVIDENT_BYTES
                || now.0.saturating_sub(since.0) >= EVIDENT_NANOS)
    }

    /// Gives up one hole and delivers what follows it without another.
    pub(crate) fn give_up_hole(&mut self, history: &mut History, deliver: &mut Deliver<'_>) {
        self.step(history, deliver);
        self.drain(history, deliver);
    }

    /// Frees what only a living connection needs.
    pub(crate) fn forget(&mut self) {
        self.recent = Recent::default();
    }

    /// The end of the connection: what was acknowledged or closed but not captured is a gap.
    pub(crate) fn close(&mut self, time: Time, deliver: &mut Deliver<'_>) {
        // A FIN that was not captured is acknowledged as one byte.
        let acked = self.acked.map_or(0, |acked| if self.fin.is_some() { acked } else { acked - 1 });
        let end = self.fin.unwrap_or(acked);
        if self.settled && !self.ended && end > self.next {
            deliver(Piece::Gap(end - self.next), time);
            self.advance(end - self.next);
        }
        self.finish_in_order(time, deliver);
    }
}

/// What a segment brings for one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carried<'a> {
    /// Sequence number of the first byte.
    pub(crate) sequence: u32,
    /// The captured bytes.
    pub(crate) bytes: &'a [u8],
    /// Bytes behind them that the recorder cut off.
    pub(crate) cut: u32,
    /// True where the FIN bit is set.
    pub(crate) fin: bool,
}

impl Held {
    fn end(&self, start: u64) -> u64 {
        start + self.bytes.len() as u64 + self.cut
    }
}
