//! The classic capture file of libpcap (draft-ietf-opsawg-pcap).

use super::bytes::Order;
use super::packets::{Found, LONGEST, Lost, Step};
use super::window::Window;
use crate::exhibit::PCAP_MAGICS;
use dyetrace_case::Time;
use std::io::Read;

/// No recorder takes more of a packet (libpcap's `MAXIMUM_SNAPLEN`), whatever the header says.
const LARGEST_SNAPLEN: u32 = 262_144;

/// How far packets may lie apart in time for a header to be believed after damage: 10 days.
const FAR_APART: u32 = 864_000;

/// Where reading a pcap file has got to.
#[derive(Default)]
pub(super) struct Pcap {
    header: Option<Header>,
    last_seconds: Option<u32>,
    done: bool,
}

/// The file header.
#[derive(Clone, Copy)]
struct Header {
    order: Order,
    /// Units of a second in which the fraction of a time is given.
    units: u32,
    /// Length of a packet header: 16, or 24 with Kuznetzov's fields.
    per_packet: usize,
    link: u32,
    snaplen: u32,
}

/// A packet header.
#[derive(Clone, Copy)]
struct PacketHeader {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

impl Pcap {
    pub(super) fn step<R: Read>(&mut self, window: &mut Window<R>) -> Step {
        if self.done {
            return Step::End;
        }
        let header = match self.header {
            Some(header) => header,
            None => match Header::read(window) {
                Ok(header) => *self.header.insert(header),
                Err(lost) => return self.finish(Some(lost)),
            },
        };
        self.packet(header, window)
    }

    fn packet<R: Read>(&mut self, header: Header, window: &mut Window<R>) -> Step {
        let offset = window.offset();
        let head = window.peek(header.per_packet);
        if head.is_empty() {
            return self.finish(None);
        }
        let cut = head.len() as u64;
        let Some(packet) = header.packet(head) else {
            window.consume(header.per_packet);
            return self.finish(Some(lost(offset, cut, "the file ends within a packet header")));
        };
        if packet.captured > header.snaplen {
            return self.resynchronise(header, window);
        }
        let length = header.per_packet + packet.captured as usize;
        let available = window.peek(length).len();
        if available < length {
            return self.cut_packet(header, window, available);
        }
        let start = window.base() + header.per_packet;
        window.consume(length);
        self.last_seconds = Some(packet.seconds);
        let data = start..start + packet.captured as usize;
        let time = packet.time(header.units);
        Step::Packet(Found { time, link: header.link, data, original: packet.original, uid: None })
    }

    /// A packet that goes on behind the end of the file: the file was cut, or the length is wrong
    /// and other packets lie within it.
    fn cut_packet<R: Read>(&mut self, header: Header, window: &mut Window<R>, available: usize) -> Step {
        let offset = window.offset();
        match self.resynchronise(header, window) {
            Step::Lost(found) if !self.done => Step::Lost(found),
            _ => self.finish(Some(lost(offset, available as u64, "the file ends within a packet"))),
        }
    }

    /// Looks for the next packet header that makes sense together with the one after it.
    fn resynchronise<R: Read>(&mut self, header: Header, window: &mut Window<R>) -> Step {
        let offset = window.offset();
        loop {
            window.consume(1);
            let skipped = window.offset() - offset;
            let reason = "a packet header makes no sense";
            let Some(packet) = header.packet(window.peek(header.per_packet)) else {
                let rest = window.skip(u64::MAX);
                return self.finish(Some(lost(offset, skipped + rest, reason)));
            };
            if self.plausible(header, packet) && self.followed(header, packet, window) {
                return Step::Lost(lost(offset, skipped, reason));
            }
        }
    }

    fn plausible(&self, header: Header, packet: PacketHeader) -> bool {
        let near = self.last_seconds.is_none_or(|last| last.abs_diff(packet.seconds) < FAR_APART);
        near && packet.fraction < header.units
            && (1..=header.snaplen).contains(&packet.captured)
            && (packet.captured..=LARGEST_SNAPLEN).contains(&packet.original)
    }

    /// True where the packet ends with the file or before a plausible packet.
    fn followed<R: Read>(&self, header: Header, packet: PacketHeader, window: &mut Window<R>) -> bool {
        let length = header.per_packet + packet.captured as usize;
        let ahead = window.peek(length + header.per_packet);
        match ahead.get(length..) {
            None => false,
            Some([]) => true,
            Some(next) => header.packet(next).is_some_and(|next| self.plausible(header, next)),
        }
    }

    fn finish(&mut self, lost: Option<Lost>) -> Step {
        self.done = true;
        lost.map_or(Step::End, Step::Lost)
    }
}

impl Header {
    fn read<R: Read>(window: &mut Window<R>) -> Result<Self, Lost> {
        let head = window.peek(24);
        let cut = lost(0, head.len() as u64, "the file ends within its header");
        let header = Self::parse(head).ok_or(cut);
        window.consume(24);
        header
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let little = PCAP_MAGICS.contains(&Order::Little.u32(head, 0)?);
        let order = if little { Order::Little } else { Order::Big };
        let magic = order.u32(head, 0)?;
        // The upper bits say how long the frame check sequence is (section 4 of the draft).
        let link = order.u32(head, 20)? & 0x03ff_ffff;
        Some(Self {
            order,
            units: if magic == PCAP_MAGICS[1] { 1_000_000_000 } else { 1_000_000 },
            per_packet: if magic == PCAP_MAGICS[2] { 24 } else { 16 },
            link,
            snaplen: order.u32(head, 16)?.clamp(LARGEST_SNAPLEN, LONGEST as u32),
        })
    }

    fn packet(self, head: &[u8]) -> Option<PacketHeader> {
        let head = head.get(..self.per_packet)?;
        Some(PacketHeader {
            seconds: self.order.u32(head, 0)?,
            fraction: self.order.u32(head, 4)?,
            captured: self.order.u32(head, 8)?,
            original: self.order.u32(head, 12)?,
        })
    }
}

impl PacketHeader {
    fn time(self, units: u32) -> Option<Time> {
        let nanos = u64::from(self.fraction) * u64::from(1_000_000_000 / units);
        let carried = i64::from(self.seconds) + (nanos / 1_000_000_000) as i64;
        Time::from_parts(carried, (nanos % 1_000_000_000) as u32)
    }
}

fn lost(offset: u64, bytes: u64, reason: &str) -> Lost {
    Lost { offset, bytes: Some(bytes), reason: reason.to_owned() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::packets::tests::all;
    use super::*;
    use dyetrace_case::Format;

    /// A little-endian file with microseconds of packets one second apart.
    pub(crate) fn file(link: u32, packets: &[&[u8]]) -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let mut file = words(&[PCAP_MAGICS[0], 0x0004_0002, 0, 0, 65_535, link]);
        for (index, packet) in packets.iter().enumerate() {
            let length = packet.len() as u32;
            file.extend(words(&[1_500_000_000 + index as u32, 5, length, length]));
            file.extend_from_slice(packet);
        }
        file
    }

    fn read(file: &[u8]) -> (Vec<Vec<u8>>, Vec<Lost>) {
        let (packets, lost) = all(file, Format::Pcap, super::super::Apps::default());
        (packets.into_iter().map(|packet| packet.data).collect(), lost)
    }

    #[test]
    fn both_byte_orders_and_nanoseconds_give_the_same_packets() {
        for (order, magic, fraction) in [
            (Order::Little, PCAP_MAGICS[0], 7u32),
            (Order::Big, PCAP_MAGICS[0], 7),
            (Order::Little, PCAP_MAGICS[1], 7000),
            (Order::Big, PCAP_MAGICS[1], 7000),
            (Order::Big, PCAP_MAGICS[2], 7),
        ] {
            let kuznetzov: &[u32] = if magic == PCAP_MAGICS[2] { &[1, 0] } else { &[] };
            let words = [&[magic, 0x0002_0004, 0, 0, 96, 101, 1_500_000_000, fraction, 3, 60], kuznetzov].concat();
            let bytes = |word: &u32| if order == Order::Big { word.to_be_bytes() } else { word.to_le_bytes() };
            let mut file: Vec<u8> = words.iter().flat_map(bytes).collect();
            file.extend_from_slice(b"abc");
            let (packets, lost) = all(file.as_slice(), Format::Pcap, super::super::Apps::default());
            assert!(lost.is_empty(), "{lost:?}");
            let packet = &packets[0];
            assert_eq!(packet.time.unwrap().to_string(), "2017-07-14T02:40:00.000007Z");
            assert_eq!((packet.link, packet.data.as_slice(), packet.original), (101, &b"abc"[..], 60));
        }
    }

    #[test]
    fn a_cut_file_gives_the_packets_before_the_cut() {
        let whole = file(1, &[b"first packet", b"second packet"]);
        for length in 0..whole.len() {
            let (packets, lost) = read(&whole[..length]);
            let expected = usize::from(length >= 24 + 16 + 12);
            assert_eq!(packets.len(), expected, "cut at {length}");
            let clean = [24, 24 + 16 + 12].contains(&length);
            assert_eq!(lost.len(), usize::from(!clean), "cut at {length}: {lost:?}");
        }
    }

    #[test]
    fn reading_goes_on_behind_a_broken_packet_header() {
        let bodies: Vec<Vec<u8>> = (0..20u8).map(|n| vec![n; 40 + usize::from(n)]).collect();
        let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let mut file = file(1, &slices);
        let third = 24 + (16 + 40) + (16 + 41);
        file[third + 8..third + 12].copy_from_slice(&[0xff; 4]);
        let (packets, lost) = read(&file);
        assert_eq!(packets.len(), 19);
        assert_eq!(packets[2], bodies[3]);
        let expected = Lost { offset: third as u64, bytes: Some(58), reason: lost[0].reason.clone() };
        assert_eq!(lost, [expected]);
        // A length that is possible but reaches over the end hides other packets as well.
        file[third + 8..third + 12].copy_from_slice(&60_000u32.to_le_bytes());
        assert_eq!(read(&file).0.len(), 19);
    }
}
