//! Capture files down to transport payloads: containers, link layers, IP, tunnels.

mod blocks;
mod bytes;
mod fragments;
mod ip;
mod link;
mod network;
mod packets;
mod payload;
mod pcap;
mod pcapdroid;
mod pcapng;
mod remarks;
mod tunnel;
mod unread;
mod window;
mod wireless;

pub(crate) use payload::{Payload, Socket, TcpFlags, TcpSegment, UdpDatagram};
pub(crate) use pcapdroid::Apps;
pub(crate) use pcapng::{Preview, preview};

use crate::exhibit::Opened;
use crate::flow::Flows;
use crate::layer::{Out, UNTIMED};
use dyetrace_case::{Damage, grouped};
pub(crate) use network::Network;
pub(crate) use packets::Packet;
pub(crate) use remarks::Remarks;

use packets::{Lost, Next, Packets};

/// Packets between two calls of `progress`.
const PROGRESS: u64 = 4096;

/// Reads a capture and emits what is in it. `progress` is called with the bytes of the file done.
pub(crate) fn read(opened: &Opened, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let content = match opened.content() {
        Ok(content) => content,
        Err(error) => return tell(unreadable(&error), out),
    };
    if opened.secrets_dropped() > 0 {
        tell(dropped_keys(opened.secrets_dropped()), out);
    }
    out.remarks = opened.remarks().clone();
    let done = content.done();
    let mut packets = Packets::new(content, opened.exhibit().format, opened.apps().clone());
    let mut network = Network::new(out.limits);
    let mut flows = Flows::new();
    while !out.stopped() {
        match packets.next() {
            Next::Packet(packet) => {
                if packet.number % PROGRESS == 0 {
                    progress(done.bytes());
                }
                network.packet(&packet, out, &mut |payload, packet, out| {
                    flows.payload(payload, packet.time.unwrap_or(UNTIMED), packet.app.as_ref(), out);
                });
            }
            Next::Lost(lost) => tell(lost, out),
            Next::End => break,
        }
    }
    network.end(out, &mut |payload, packet, out| {
        flows.payload(payload, packet.time.unwrap_or(UNTIMED), packet.app.as_ref(), out);
    });
    flows.end(out);
    progress(done.bytes());
}

fn unreadable(error: &std::io::Error) -> Lost {
    Lost { offset: 0, bytes: None, reason: format!("the file cannot be opened again: {error}") }
}

fn dropped_keys(bytes: u64) -> Lost {
    let reason = format!(
        "{} bytes of keys inside the capture are too many and were not used; give them with --keys",
        grouped(bytes)
    );
    Lost { offset: 0, bytes: None, reason }
}

fn tell(lost: Lost, out: &mut Out<'_>) {
    let Lost { offset, bytes, reason } = lost;
    out.damage_outside(Damage {
        exhibit: out.exhibit,
        place: format!("byte {offset}"),
        time: None,
        server: None,
        bytes,
        reason,
    });
}

#[cfg(test)]
pub(crate) mod tests {
    use super::bytes::Order;
    use super::ip::tests::{packet4, packet6};
    use super::network::tests::udp_packet;
    use super::packets::tests::{Kept, all};
    use super::*;
    use crate::exhibit::{Wrapping, open_bytes};
    use dyetrace_case::Format;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    /// A packet of raw IP in VXLAN in GRE.
    pub(crate) fn tunnelled() -> Vec<u8> {
        let inner = packet6(17, &udp_packet(53, b"question"));
        let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &[0; 12], &[0x86, 0xdd], &inner].concat();
        let outer = packet4(17, 1, 0, &udp_packet(4789, &vxlan));
        packet4(47, 1, 0, &[&[0, 0, 8, 0], outer.as_slice()].concat())
    }

    /// A small pcap file of raw IP.
    pub(crate) fn pcap_file() -> Vec<u8> {
        let fragment = |at: u16, bytes: &[u8]| packet4(17, 7, at, bytes);
        let datagram = udp_packet(9, b"a text in two fragments");
        let (first, last) = (fragment(0x2000, &datagram[..16]), fragment(2, &datagram[16..]));
        pcap::tests::file(101, &[&tunnelled(), &first, &last])
    }

    /// A small pcapng file with two sections.
    pub(crate) fn pcapng_file() -> Vec<u8> {
        let mut file = pcapng::tests::Writer::new(Order::Little);
        file.interface(101, &[(9, &[9])]);
        file.packet(0, 5, &tunnelled(), &[(1, b"u-10077")]);
        file.secrets(b"CLIENT_RANDOM 00 11");
        file.section(Order::Big);
        file.interface(101, &[]);
        file.packet(0, 6, &tunnelled(), &[]);
        file.file
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    /// The packets of an exhibit in memory, and how many damages.
    fn packets(bytes: &[u8]) -> (Vec<Kept>, usize) {
        let opened = open_bytes("test", bytes).unwrap();
        let (packets, lost) = all(opened.content().unwrap(), opened.exhibit().format, opened.apps().clone());
        (packets, lost.len())
    }

    #[test]
    fn secrets_are_found_in_compressed_files_too() {
        for bytes in [pcapng_file(), gzip(&pcapng_file())] {
            assert_eq!(open_bytes("test", &bytes).unwrap().secrets(), [b"CLIENT_RANDOM 00 11"]);
        }
    }

    #[test]
    fn a_compressed_file_that_is_cut_keeps_its_first_packets_and_says_so() {
        // Bytes that do not compress, so that the cut falls between packets.
        let noise: Vec<u8> = (0..40_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let bodies: Vec<&[u8]> = noise.chunks(1000).collect();
        let whole = gzip(&pcap::tests::file(1, &bodies));
        let (kept, lost) = packets(&whole[..whole.len() / 2]);
        assert!(!kept.is_empty() && kept.len() < bodies.len(), "{} packets", kept.len());
        assert!(lost >= 1);
        assert_eq!(kept[0].data, bodies[0]);
    }

    proptest! {
        #[test]
        fn compression_changes_nothing(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
            let plain = pcap::tests::file(1, &bodies);
            let expected = packets(&plain);
            prop_assert_eq!((expected.0.len(), expected.1), (bodies.len(), 0));
            // Members and frames may begin anywhere behind the magic number.
            let (first, second) = plain.split_at(24 + cut.index(plain.len() - 23));
            let members = [gzip(first), gzip(second)].concat();
            prop_assert_eq!(open_bytes("test", &members).unwrap().wrapping(), Wrapping::Gzip);
            prop_assert_eq!(packets(&members), expected.clone());
            let frames: Vec<u8> = [first, second].iter().flat_map(|part| compress_to_vec(*part, CompressionLevel::Fastest)).collect();
            prop_assert_eq!(open_bytes("test", &frames).unwrap().exhibit().format, Format::Pcap);
            prop_assert_eq!(packets(&frames), expected);
        }
    }
}
