//! Conversations on the wire: what the layers above see of segments in any order.

use super::tcp::Streams;
use crate::capture::{TcpFlags, TcpSegment};
use crate::layer::Limits;
use crate::testing::{Got, bytes, collect};
use dyetrace_case::{Flag, Record, Time};
use proptest::prelude::*;
use std::net::IpAddr;

/// One captured segment.
#[derive(Debug, Clone)]
struct Packet {
    from_client: bool,
    sequence: u32,
    acknowledgement: Option<u32>,
    flags: u8,
    payload: Vec<u8>,
    missing: u32,
    millis: i64,
}

/// A connection being written down, sequence numbers kept as the two ends would.
struct Wire {
    next: [u32; 2],
    packets: Vec<Packet>,
}

const CLIENT: u32 = 1000;
const SERVER: u32 = u32::MAX - 5;

impl Wire {
    /// A connection that begins with its handshake.
    fn new() -> Self {
        let mut wire = Self { next: [CLIENT, SERVER], packets: Vec::new() };
        wire.put(true, TcpFlags::SYN, b"");
        wire.put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
        wire.put(true, TcpFlags::ACK, b"");
        wire
    }

    fn put(&mut self, from_client: bool, flags: u8, payload: &[u8]) -> &mut Self {
        let (own, other) = if from_client { (0, 1) } else { (1, 0) };
        self.packets.push(Packet {
            from_client,
            sequence: self.next[own],
            acknowledgement: (flags & TcpFlags::ACK != 0).then_some(self.next[other]),
            flags,
            payload: payload.to_vec(),
            missing: 0,
            millis: self.packets.len() as i64,
        });
        let counted = u32::from(flags & (TcpFlags::SYN | TcpFlags::FIN) != 0);
        self.next[own] = self.next[own].wrapping_add(payload.len() as u32 + counted);
        self
    }

    fn client(&mut self, payload: &[u8]) -> &mut Self {
        self.put(true, TcpFlags::ACK, payload)
    }

    fn server(&mut self, payload: &[u8]) -> &mut Self {
        self.put(false, TcpFlags::ACK, payload)
    }

    fn close(&mut self) -> &mut Self {
        self.put(true, TcpFlags::ACK | TcpFlags::FIN, b"");
        self.put(false, TcpFlags::ACK | TcpFlags::FIN, b"")
    }

    fn play(&self) -> Got {
        play(&self.packets, Limits::default())
    }
}

fn play(packets: &[Packet], limits: Limits) -> Got {
    collect(limits, |out| {
        let mut streams = Streams::new();
        for packet in packets {
            let ends: [(IpAddr, u16); 2] = [([10, 0, 0, 2].into(), 50_000), ([192, 0, 2, 1].into(), 5222)];
            let [source, destination] = if packet.from_client { ends } else { [ends[1], ends[0]] };
            let segment = TcpSegment {
                source,
                destination,
                sequence: packet.sequence,
                acknowledgement: packet.acknowledgement,
                flags: TcpFlags(packet.flags),
                window: 1000,
                payload: &packet.payload,
                missing: packet.missing,
            };
            streams.segment(&segment, Time(packet.millis * 1_000_000), None, out);
        }
        streams.end(out);
    })
}

fn request(record: &Record) -> String {
    String::from_utf8(bytes(record.request.as_ref().and_then(|message| message.body.as_ref()))).unwrap()
}

fn response(record: &Record) -> String {
    String::from_utf8(bytes(record.response.as_ref().and_then(|message| message.body.as_ref()))).unwrap()
}

fn reasons(got: &Got) -> Vec<&str> {
    got.damages.iter().map(|damage| damage.reason.as_str()).collect()
}

#[test]
fn a_whole_connection() {
    let mut wire = Wire::new();
    wire.client(b"hello ").server(b"good ").client(b"world").server(b"day").close();
    let got = wire.play();
    assert_eq!(got.records.len(), 1);
    assert_eq!((request(&got.records[0]), response(&got.records[0])), ("hello world".into(), "good day".into()));
    assert_eq!(got.records[0].server.port, Some(5222));
    assert!(got.records[0].flags.is_empty() && got.damages.is_empty());
    assert_eq!(got.tally.payload, 19);
}

#[test]
fn what_was_not_captured_is_a_gap_and_nothing_is_joined_over_it() {
    let mut wire = Wire::new();
    wire.client(b"one").client(b"LOST").client(b"two").server(b"ok").close();
    wire.packets.remove(4);
    let got = wire.play();
    assert_eq!(reasons(&got), ["gap of 4 bytes from the client"]);
    assert_eq!(got.damages[0].bytes, Some(4));
    assert_eq!(got.records[0].flags, [Flag::Incomplete]);
    assert_eq!((got.tally.payload, got.tally.lost), (12, 4));
}

#[test]
fn several_gaps_are_said_in_one_damage() {
    let mut wire = Wire::new();
    wire.server(b"a").server(b"LOST").server(b"b").server(b"LOST").server(b"c").close();
    wire.packets.retain(|packet| packet.payload != b"LOST");
    assert_eq!(reasons(&wire.play()), ["2 gaps, 8 bytes from the server"]);
}

#[test]
fn bytes_acknowledged_at_the_end_but_never_captured_are_a_gap() {
    let mut wire = Wire::new();
    wire.client(b"question").server(b"an answer that was not captured").client(b"thanks");
    wire.packets.remove(4);
    assert_eq!(reasons(&wire.play()), ["gap of 30 bytes from the server"], "one byte may be a FIN");
}

#[test]
fn a_hole_is_given_up_when_the_receiver_had_it_and_much_follows() {
    let mut wire = Wire::new();
    wire.server(b"LOST");
    for _ in 0..40 {
        wire.server(b"x").client(b"");
    }
    wire.packets.remove(3);
    let limits = Limits { connections: 1, ..Limits::default() };
    let got = play(&wire.packets, limits);
    assert_eq!(got.damages[0].time, Some(Time(4_000_000)), "as soon as it is evident");
    assert_eq!(response(&got.records[0]).len(), 40);
}

#[test]
fn the_first_bytes_win_and_a_conflict_is_counted() {
    let mut wire = Wire::new();
    wire.server(b"the truth").client(b"?");
    let mut forged = wire.packets[3].clone();
    forged.payload = b"the lies!".to_vec();
    wire.packets.push(forged);
    let got = wire.play();
    assert_eq!(response(&got.records[0]), "the truth");
    assert_eq!(reasons(&got), ["conflicting retransmission: 5 bytes differ from the server"]);
}

#[test]
fn a_keep_alive_is_neither_data_nor_a_conflict() {
    let mut wire = Wire::new();
    wire.client(b"abc");
    let mut probe = wire.packets[3].clone();
    (probe.sequence, probe.payload) = (CLIENT + 3, b"\0".to_vec());
    wire.packets.push(probe);
    wire.client(b"def").close();
    let got = wire.play();
    assert_eq!(request(&got.records[0]), "abcdef");
    assert!(got.damages.is_empty());
}

#[test]
fn a_reused_port_is_another_connection() {
    let mut wire = Wire::new();
    wire.client(b"first").close();
    wire.next = [90_000, 70_000];
    wire.put(true, TcpFlags::SYN, b"").put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
    wire.client(b"second").close();
    let got = wire.play();
    let seen: Vec<_> = got.records.iter().map(|record| (record.id.0.as_str(), request(record))).collect();
    assert_eq!(seen, [("tcp:0/raw", "first".to_owned()), ("tcp:1/raw", "second".to_owned())]);
}

#[test]
fn a_repeated_syn_is_not() {
    let mut wire = Wire::new();
    wire.client(b"one ");
    wire.packets.push(wire.packets[0].clone());
    wire.client(b"connection");
    let got = wire.play();
    assert_eq!(got.records.len(), 1);
    assert_eq!(request(&got.records[0]), "one connection");
}

#[test]
fn bytes_under_way_when_a_reset_passes_are_kept() {
    let mut wire = Wire::new();
    wire.server(b"abc").put(true, TcpFlags::RST, b"").server(b"def");
    assert_eq!(response(&wire.play().records[0]), "abcdef");
}

#[test]
fn a_connection_without_its_start_is_adopted_and_its_ends_told_apart() {
    let mut wire = Wire::new();
    wire.server(b"<message/>").client(b"<ack/>");
    wire.packets.drain(..3);
    let got = wire.play();
    assert_eq!((request(&got.records[0]), response(&got.records[0])), ("<ack/>".into(), "<message/>".into()));
    assert_eq!(got.records[0].flags, [Flag::MidStream]);
    assert!(got.damages.is_empty());
}

#[test]
fn a_cut_packet_leaves_a_gap() {
    let mut wire = Wire::new();
    wire.client(b"only the beginning").client(b"and the rest").close();
    wire.packets[3].payload.truncate(4);
    wire.packets[3].missing = 14;
    assert_eq!(reasons(&wire.play()), ["gap of 14 bytes from the client"]);
}

#[test]
fn the_longest_idle_connection_makes_room() {
    let mut wire = Wire::new();
    wire.client(b"kept");
    let mut packets = wire.packets.clone();
    packets.extend(wire.packets.iter().cloned().map(|mut packet| {
        packet.sequence = packet.sequence.wrapping_add(1 << 28);
        packet
    }));
    let got = play(&packets, Limits { connections: 1, ..Limits::default() });
    assert_eq!(got.records.len(), 2);
}

/// Ten thousand connections, each with the unfinished head of a request.
#[test]
fn half_read_heads_of_many_connections_do_not_pile_up() {
    let head = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'x'; 1000]].concat();
    let limits = Limits { held: 100_000, ..Limits::default() };
    collect(limits, |out| {
        let mut streams = Streams::new();
        for number in 0..10_000_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            let segment = TcpSegment {
                source: ([a + 10, b, c, d].into(), 40_000),
                destination: ([192, 0, 2, 1].into(), 80),
                sequence: 0,
                acknowledgement: None,
                flags: TcpFlags(TcpFlags::SYN),
                window: 1000,
                payload: &head,
                missing: 0,
            };
            streams.segment(&segment, Time(0), None, out);
            assert!(streams.layered() <= limits.held);
        }
        assert!(streams.layered() > limits.held / 2, "what is held is counted");
        streams.end(out);
    });
}

/// A conversation as segments: cut at the given lengths, then some repeated, then shuffled a bit.
fn segments() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, Vec<Packet>)> {
    let side = || prop::collection::vec(any::<u8>(), 1..300);
    let cuts = prop::collection::vec((any::<bool>(), 1usize..40), 1..60);
    let moves = prop::collection::vec((any::<prop::sample::Index>(), 0usize..10, any::<bool>()), 0..20);
    (side(), side(), cuts, moves).prop_map(|(mut client, mut server, cuts, moves)| {
        // A turn of 22 could begin a ClientHello, and 4 or 5 a handshake with a proxy.
        client.iter_mut().chain(&mut server).for_each(|byte| *byte |= 0x80);
        client[0] = b'!';
        let mut wire = Wire::new();
        let (mut to_send, mut to_answer) = (client.as_slice(), server.as_slice());
        for (from_client, length) in cuts.into_iter().chain([(true, 1000), (false, 1000)]) {
            let rest = if from_client { &mut to_send } else { &mut to_answer };
            let (piece, after) = rest.split_at(length.min(rest.len()));
            *rest = after;
            if !piece.is_empty() {
                wire.put(from_client, TcpFlags::ACK, piece);
            }
        }
        wire.close();
        let mut packets = wire.packets;
        for (index, distance, repeat) in moves {
            let from = 2 + index.index(packets.len() - 2);
            let packet = if repeat { packets[from].clone() } else { packets.remove(from) };
            packets.insert((from + distance).min(packets.len()), packet);
        }
        (client, server, packets)
    })
}

proptest! {
    #[test]
    fn any_division_repetition_and_order_gives_the_same_bytes((client, server, packets) in segments()) {
        let got = play(&packets, Limits::default());
        prop_assert_eq!(got.records.len(), 1);
        let sent = |message: Option<&dyetrace_case::Message>| bytes(message.and_then(|message| message.body.as_ref()));
        prop_assert_eq!(sent(got.records[0].request.as_ref()), client);
        prop_assert_eq!(sent(got.records[0].response.as_ref()), server);
        prop_assert!(got.damages.is_empty(), "{:?}", reasons(&got));
    }

    #[test]
    fn every_captured_byte_is_read_or_accounted_for(
        (_, _, mut packets) in segments(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        for index in lost {
            if packets.len() > 3 {
                packets.remove(index.index(packets.len()));
            }
        }
        let got = play(&packets, Limits::default());
        let read: u64 = got.records.iter().map(Record::content_bytes).sum();
        prop_assert_eq!(got.tally.payload, read + got.tally.lost);
    }

    #[test]
    fn arbitrary_segments_stay_within_the_limits(
        packets in prop::collection::vec((any::<u8>(), 0u32..5000, any::<Option<u32>>(), 0usize..600, 0u32..10), 0..300)
    ) {
        let packets: Vec<_> = packets.into_iter().enumerate().map(|(number, (flags, sequence, acknowledgement, length, missing))| Packet {
            from_client: flags & 0x80 != 0,
            sequence: if flags & 0x40 != 0 { sequence.wrapping_mul(1 << 20) } else { sequence },
            acknowledgement,
            // Connections seldom begin and end, or nothing would ever be held.
            flags: if number % 17 == 0 { flags & 0x1f } else { TcpFlags::ACK },
            payload: vec![flags; length],
            missing,
            millis: number as i64 * i64::from(flags),
        }).collect();
        play(&packets, Limits { out_of_order: 2000, held: 3000, connections: 2, ..Limits::default() });
    }
}
