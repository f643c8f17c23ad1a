//! Puts fragmented IP packets together (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! Where fragments overlap, the bytes that came first stay. Of a datagram that never becomes whole,
//! the bytes up to the first hole are given back.

use super::ip::Datagram;
use dyetrace_case::{App, Time};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

/// How long the first fragment waits for the last: 60 seconds (RFC 8200).
const PATIENCE: i64 = 60_000_000_000;
/// Datagrams that wait at the same time.
const MOST_WAITING: usize = 4096;
/// No datagram is longer.
const LONGEST: u32 = 65_535;
/// What a fragment costs beside its bytes.
const OVERHEAD: usize = 64;

/// Sender, receiver, protocol (IPv6 has none in common), identification.
type Key = (IpAddr, IpAddr, u8, u32);

/// Fragments that wait for the rest of their datagram.
#[derive(Default)]
pub(crate) struct Fragments {
    waiting: HashMap<Key, Waiting>,
    /// In the order of their first fragment. Entries of finished datagrams stay until their turn.
    order: VecDeque<(Key, u64)>,
    held: usize,
}

struct Waiting {
    seen: Seen,
    protocol: u8,
    parts: BTreeMap<u32, Vec<u8>>,
    covered: u32,
    end: Option<u32>,
}

/// A datagram whose fragments were not all seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incomplete {
    /// Its first fragment.
    pub(crate) seen: Seen,
    /// Sender.
    pub(crate) source: IpAddr,
    /// Receiver.
    pub(crate) destination: IpAddr,
    /// Of the payload: IANA protocol number.
    pub(crate) protocol: u8,
    /// Bytes of it that were seen.
    pub(crate) bytes: u32,
    /// The payload up to the first hole.
    pub(crate) start: Vec<u8>,
    /// Length of the payload, where its last fragment was seen.
    pub(crate) length: Option<u32>,
}

/// When and where a fragment was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Packet number.
    pub(crate) number: u64,
    /// When it was recorded.
    pub(crate) time: Option<Time>,
    /// Whose packet it is.
    pub(crate) app: Option<Arc<App>>,
}

impl Fragments {
    /// Takes a fragment. Returns protocol and payload of the datagram it completes; datagrams
    /// given up to make room or for their age are pushed to `lost`. `most` bytes are held.
    pub(crate) fn add(
        &mut self,
        datagram: &Datagram<'_>,
        seen: &Seen,
        most: usize,
        lost: &mut Vec<Incomplete>,
    ) -> Option<(u8, Vec<u8>)> {
        let fragment = datagram.fragment?;
        let length = datagram.payload.len() as u32;
        if fragment.offset.saturating_add(length) > LONGEST {
            return None;
        }
        self.expire(seen, most, lost);
        let v6 = datagram.source.is_ipv6();
        let key = (datagram.source, datagram.destination, if v6 { 0 } else { datagram.protocol }, fragment.id);
        let waiting = self.waiting.entry(key).or_insert_with(|| {
            self.order.push_back((key, seen.number));
            Waiting::new(seen, datagram.protocol)
        });
        if fragment.offset == 0 {
            waiting.protocol = datagram.protocol;
        }
        if !fragment.more {
            waiting.end.get_or_insert(fragment.offset + length + datagram.missing);
        }
        self.held += waiting.insert(fragment.offset, datagram.payload);
        let whole = waiting.whole()?;
        let protocol = waiting.protocol;
        self.remove(&key);
        Some((protocol, whole))
    }

    /// Gives up what still waits.
    pub(crate) fn end(&mut self) -> Vec<Incomplete> {
        let mut lost = Vec::new();
        while let Some((key, number)) = self.order.pop_front() {
            self.give_up(&key, number, &mut lost);
        }
        lost
    }

    fn expire(&mut self, seen: &Seen, most: usize, lost: &mut Vec<Incomplete>) {
        while let Some((key, number)) = self.order.front().copied() {
            let waiting = self.waiting.get(&key).filter(|waiting| waiting.seen.number == number);
            let old = waiting.is_some_and(|waiting| too_old(waiting.seen.time, seen.time));
            let full = self.held > most || self.waiting.len() >= MOST_WAITING;
            if waiting.is_some() && !old && !full {
                return;
            }
            self.order.pop_front();
            self.give_up(&key, number, lost);
        }
    }

    /// `number` tells a datagram from a later one under the same key.
    fn give_up(&mut self, key: &Key, number: u64, lost: &mut Vec<Incomplete>) {
        if self.waiting.get(key).is_none_or(|waiting| waiting.seen.number != number) {
            return;
        }
        if let Some(waiting) = self.remove(key) {
            let (start, length) = (waiting.start(), waiting.end);
            let Waiting { seen, protocol, covered: bytes, .. } = waiting;
            lost.push(Incomplete { seen, source: key.0, destination: key.1, protocol, bytes, start, length });
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Waiting> {
        let waiting = self.waiting.remove(key)?;
        let cost: usize = waiting.parts.values().map(|part| part.len() + OVERHEAD).sum();
        self.held -= cost.min(self.held);
        Some(waiting)
    }
}

fn too_old(first: Option<Time>, now: Option<Time>) -> bool {
    matches!((first, now), (Some(first), Some(now)) if now.0.saturating_sub(first.0) > PATIENCE)
}

impl Waiting {
    fn new(seen: &Seen, protocol: u8) -> Self {
        Self { seen: seen.clone(), protocol, parts: BTreeMap::new(), covered: 0, end: None }
    }

    /// Fills the holes that `bytes` covers; returns what that costs.
    fn insert(&mut self, offset: u32, bytes: &[u8]) -> usize {
        let stop = offset + bytes.len() as u32;
        let (mut at, mut cost) = (offset, 0);
        while at < stop {
            let before = self.parts.range(..=at).next_back().map_or(0, |(start, part)| start + part.len() as u32);
            if before > at {
                at = before;
                continue;
            }
            let next = self.parts.range(at..).next().map_or(stop, |(start, _)| stop.min(*start));
            let piece = bytes.get((at - offset) as usize..(next - offset) as usize).unwrap_or_default();
            self.covered += piece.len() as u32;
            cost += piece.len() + OVERHEAD;
            self.parts.insert(at, piece.to_vec());
            at = next;
        }
        cost
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let end = self.end.filter(|end| self.covered >= *end)?;
        let mut whole = self.reaches(end).then(|| self.start())?;
        whole.truncate(end as usize);
        Some(whole)
    }

    /// True where there is no hole before `end`.
    fn reaches(&self, end: u32) -> bool {
        let step = |at, (start, part): (&u32, &Vec<u8>)| (*start == at).then_some(at + part.len() as u32);
        self.parts.range(..end).try_fold(0, step).is_some_and(|at| at >= end)
    }

    /// The bytes up to the first hole.
    fn start(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (start, part) in &self.parts {
            if *start as usize != bytes.len() {
                break;
            }
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::ip::{datagram, tests::packet4};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Fragments of a datagram: offset and bytes.
    fn play(fragments: &[(u32, &[u8], bool)]) -> (Option<Vec<u8>>, Vec<Incomplete>) {
        let (mut waiting, mut lost, mut whole) = (Fragments::default(), Vec::new(), None);
        for (number, (offset, bytes, more)) in fragments.iter().enumerate() {
            let packet = packet4(17, 7, (offset / 8) as u16 | if *more { 0x2000 } else { 0 }, bytes);
            let seen = Seen { number: number as u64, time: Some(Time(0)), app: None };
            let done = waiting.add(&datagram(&packet).unwrap(), &seen, 1 << 20, &mut lost);
            whole = whole.or(done.map(|(_, bytes)| bytes));
        }
        lost.extend(waiting.end());
        assert_eq!(waiting.held, 0);
        (whole, lost)
    }

    #[test]
    fn the_first_bytes_win_where_fragments_overlap() {
        let (whole, _) = play(&[(8, b"BBBBBBBB", true), (0, b"aaaaaaaaaaaaaaaa", true), (8, b"ccccccccd", false)]);
        assert_eq!(whole.unwrap(), b"aaaaaaaaBBBBBBBBd");
    }

    #[test]
    fn an_incomplete_datagram_is_told_with_its_bytes() {
        let (whole, lost) = play(&[(0, b"aaaaaaaa", true), (16, b"cc", false)]);
        assert_eq!(whole, None);
        assert_eq!((lost.len(), lost[0].bytes), (1, 10));
        assert_eq!((lost[0].start.as_slice(), lost[0].length), (&b"aaaaaaaa"[..], Some(18)));
    }

    #[test]
    fn the_oldest_make_room_for_the_newest() {
        let (mut waiting, mut lost) = (Fragments::default(), Vec::new());
        for id in 0..5000u16 {
            let packet = packet4(17, id, 0x2000, &[0; 800]);
            let seen = Seen { number: u64::from(id), time: None, app: None };
            waiting.add(&datagram(&packet).unwrap(), &seen, 1 << 20, &mut lost);
            assert!(waiting.held < (1 << 20) + 1000);
        }
        assert_eq!(lost.len() + waiting.end().len(), 5000);
        assert_eq!(lost[0].seen.number, 0);
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_gives_the_datagram(
            bytes in prop::collection::vec(any::<u8>(), 9..400),
            cuts in prop::collection::btree_set(1usize..50, 0..8),
            shuffle in prop::collection::vec(any::<prop::sample::Index>(), 30),
        ) {
            // One cut at least: a packet that is whole from the start is no fragment.
            let mut ends: Vec<usize> = std::iter::once(1).chain(cuts).collect::<BTreeSet<_>>().into_iter().map(|cut| cut * 8).filter(|cut| *cut < bytes.len()).collect();
            ends.push(bytes.len());
            let mut start = 0;
            let mut fragments = Vec::new();
            for end in ends {
                fragments.push((start as u32, &bytes[start..end], end < bytes.len()));
                start = end;
            }
            let mut order: Vec<_> = shuffle.iter().map(|index| fragments[index.index(fragments.len())]).collect();
            order.extend(fragments);
            prop_assert_eq!(play(&order).0, Some(bytes.clone()));
        }
    }
}
