//! Segments, datagrams and streams of no known protocol, made of arbitrary bytes.

use super::{conn, converse, small_limits};
use crate::capture::{Payload, TcpFlags, TcpSegment, UdpDatagram};
use crate::dns;
use crate::flow::{Dispatch, Flows};
use crate::layer::{Limits, Out, Tally};
use dyetrace_case::{ExhibitId, Item, Time};
use std::net::IpAddr;

/// Reads `data` as TCP segments, each after seven bytes: control bits with the direction on top,
/// two of sequence number, two of acknowledgement, one of length, one of time. The second byte's
/// top bit makes the numbers jump far.
pub fn tcp(data: &[u8]) {
    let limits = Limits { connections: 2, out_of_order: 2000, held: 3000, ..small_limits() };
    play(data, limits, |ends, script, payload| {
        let wide = if script[1] & 0x80 == 0 { 1 } else { 1 << 17 };
        let word = |high, low| u32::from(u16::from_be_bytes([high, low])).wrapping_mul(wide);
        let (source, destination) = if script[0] & 0x80 == 0 { ends } else { (ends.1, ends.0) };
        // Most packets only carry data, or nothing would ever be held.
        let flags = if script[0] & 0x40 == 0 { TcpFlags::ACK } else { script[0] & 0x1f };
        Payload::Tcp(TcpSegment {
            source,
            destination,
            sequence: word(script[1], script[2]),
            acknowledgement: (flags & TcpFlags::ACK != 0).then(|| word(script[3], script[4])),
            flags: TcpFlags(flags),
            window: 0,
            payload,
            missing: u32::from(script[4] & 3),
        })
    });
}

/// Reads `data` as UDP datagrams, each after seven bytes as in [`tcp`].
pub fn udp(data: &[u8]) {
    play(data, Limits { connections: 2, ..small_limits() }, |ends, script, payload| {
        let port = [53, 5353, 443, 5683][usize::from(script[1] & 3)];
        let ends = (ends.0, (ends.1.0, port));
        let (source, destination) = if script[0] & 0x80 == 0 { ends } else { (ends.1, ends.0) };
        Payload::Udp(UdpDatagram { source, destination, payload, missing: u32::from(script[4] & 3) })
    });
}

/// Reads `data` as one DNS message.
pub fn dns(data: &[u8]) {
    let limits = small_limits();
    dns::is_plain_exchange(data);
    let Some(message) = dns::parse(data, &limits) else { return };
    assert!(message.questions.len() <= limits.fields && message.resources.len() <= limits.fields);
    let values: usize = message.resources.iter().map(|resource| resource.owner.len() + resource.value.len()).sum();
    assert!(values <= data.len() * 600, "a small message stays small");
}

/// Reads `data` as a connection of which nothing is known. The first byte picks the port and
/// whether the start was captured.
pub fn dispatch(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let mut conn = conn();
    conn.server.port = Some([80, 443, 1883, 53][usize::from(kind & 3)]);
    conn.mid_stream = kind & 4 != 0;
    converse(&mut Dispatch::new(conn), data);
}

type Ends = ((IpAddr, u16), (IpAddr, u16));

/// Cuts `data` into packets and feeds them.
fn play(mut data: &[u8], limits: Limits, make: impl for<'p> Fn(Ends, &[u8; 7], &'p [u8]) -> Payload<'p>) {
    let (mut tls, mut tally) = (dyetrace_tls::Decryptor::default(), Tally::default());
    let mut sink = |_: Item| Ok(());
    let mut out = Out::new(ExhibitId([0; 32]), limits, &mut tls, &mut tally, &mut sink);
    let mut flows = Flows::new();
    let mut now = 0;
    while let Some((script, rest)) = data.split_first_chunk::<7>() {
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(script[5])));
        let ends = (([10, 0, 0, 1].into(), 40_000 + u16::from(script[0] >> 5 & 1)), ([192, 0, 2, 1].into(), 80));
        now += i64::from(script[6]) * 10_000_000;
        flows.payload(make(ends, script, payload), Time(now), None, &mut out);
        assert!(flows.held() <= limits.held, "memory held out of order is bounded");
        data = rest;
    }
    flows.end(&mut out);
    assert_eq!(flows.held(), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A connection in the form of [`tcp`]'s script: SYN, SYN and ACK, a request with a hole, an answer.
    const REQUEST: &[u8] = b"\x42\0\0\0\0\0\0\xd2\0\0\0\x01\0\0\x50\0\x01\0\x01\x10\0GET / HTTP/1.1\r\n\
        \x50\0\x15\0\x01\x04\x10\r\n\r\n\x90\0\x01\0\x20\x13\x10HTTP/1.1 200 OK\r\n\r\n\x51\0\x20\0\x01\0\0";
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0\x03api\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10\xc0\x2d\0\x41\0\x01\0\0\0\x3c\0\x0a\0\x01\0\0\x01\0\x03\x02h2";

    fn mutated(bytes: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (place, value) in changes {
            let length = bytes.len();
            bytes[place % length] = *value;
        }
        bytes
    }

    fn changes() -> impl Strategy<Value = Vec<(usize, u8)>> {
        proptest::collection::vec((any::<usize>(), any::<u8>()), 0..10)
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in proptest::collection::vec(any::<u8>(), 0..1500)) {
            tcp(&data);
            udp(&data);
            dns(&data);
            dispatch(&data);
        }

        #[test]
        fn changed_segments_are_survived(changes in changes(), times in 1usize..5) {
            tcp(&mutated(&REQUEST.repeat(times), &changes));
        }

        #[test]
        fn changed_answers_are_survived(changes in changes(), port in 0u8..4) {
            let answer = mutated(ANSWER, &changes);
            dns(&answer);
            udp(&[&[0x80, port, 0, 0, 0, answer.len() as u8, 1], answer.as_slice()].concat());
        }

        #[test]
        fn changed_beginnings_are_survived(
            kind in 0u8..8,
            start in prop::sample::select(vec![
                &b"\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x03\x03"[..], b"\x05\x01\x00", b"\x04\x01\x00\x50\x00\x00\x00\x01u\x00h\x00",
                b"\x10\x10\0\x04MQTT\x05", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x07",
            ]),
            changes in changes(),
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let first = mutated(start, &changes[..changes.len().min(1)]);
            dispatch(&[&[kind, 8 * 4], first.as_slice(), &rest].concat());
        }
    }
}
