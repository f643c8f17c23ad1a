//! Captures written by hand: a pcap file, IPv4 packets, and TCP connections in them.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::Write;

/// Bits of a TCP header.
pub(crate) const SYN: u8 = 0x02;
/// SYN and ACK.
pub(crate) const SYN_ACK: u8 = 0x12;
/// ACK alone.
pub(crate) const ACK: u8 = 0x10;

/// A pcap file (raw IP, link type 101) being written.
pub(crate) struct Capture<W> {
    out: W,
    packets: u32,
}

impl<W: Write> Capture<W> {
    /// Writes the file header.
    pub(crate) fn new(mut out: W) -> Self {
        let words = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 101];
        write_words(&mut out, &words);
        Self { out, packets: 0 }
    }

    /// Writes one IP packet, 10 microseconds after the one before it.
    pub(crate) fn packet(&mut self, ip: &[u8]) {
        let micros = self.packets * 10;
        let length = ip.len() as u32;
        let words = [1_700_000_000 + micros / 1_000_000, micros % 1_000_000, length, length];
        write_words(&mut self.out, &words);
        self.out.write_all(ip).unwrap();
        self.packets += 1;
    }

    /// Writes one TCP segment of connection `number`.
    pub(crate) fn segment(&mut self, number: u32, from_client: bool, flags: u8, at: u32, payload: &[u8]) {
        self.packet(&segment(number, 80, from_client, flags, at, payload));
    }

    /// Opens connection `number`: three packets. Payload begins at 1 on both sides.
    pub(crate) fn open(&mut self, number: u32) {
        self.segment(number, true, SYN, 0, b"");
        self.segment(number, false, SYN_ACK, 0, b"");
    }

    /// Writes one side's bytes from sequence number `at` on, in segments of 1400.
    pub(crate) fn bytes(&mut self, number: u32, from_client: bool, at: u32, bytes: &[u8]) {
        for (index, piece) in bytes.chunks(1400).enumerate() {
            self.segment(number, from_client, ACK, at + index as u32 * 1400, piece);
        }
    }

    /// The file, all of it written.
    pub(crate) fn finish(mut self) -> W {
        self.out.flush().unwrap();
        self.out
    }
}

/// Writes numbers of 32 bits, little-endian.
pub(crate) fn write_words(out: &mut impl Write, words: &[u32]) {
    for word in words {
        out.write_all(&word.to_le_bytes()).unwrap();
    }
}

/// An IPv4 packet from 10.x to 192.0.2.1, or back.
pub(crate) fn ip(number: u32, from_client: bool, protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let host = [10, (number >> 16) as u8, (number >> 8) as u8, number as u8];
    let (source, target) = if from_client { (host, [192, 0, 2, 1]) } else { ([192, 0, 2, 1], host) };
    let length = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0, (length >> 8) as u8, length as u8, 0, 1];
    packet.extend_from_slice(&fragment.to_be_bytes());
    packet.extend_from_slice(&[64, protocol, 0, 0]);
    packet.extend_from_slice(&source);
    packet.extend_from_slice(&target);
    packet.extend_from_slice(payload);
    packet
}

/// A TCP segment in its packet; every connection has an address of its own.
pub(crate) fn segment(number: u32, port: u16, from_client: bool, flags: u8, at: u32, payload: &[u8]) -> Vec<u8> {
    let (source, target) = if from_client { (40_000, port) } else { (port, 40_000) };
    let mut tcp = Vec::with_capacity(20 + payload.len());
    tcp.extend_from_slice(&u16::to_be_bytes(source));
    tcp.extend_from_slice(&u16::to_be_bytes(target));
    tcp.extend_from_slice(&at.to_be_bytes());
    tcp.extend_from_slice(&1_u32.to_be_bytes());
    tcp.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    tcp.extend_from_slice(payload);
    ip(number, from_client, 6, 0, &tcp)
}

/// A UDP datagram in its packet.
pub(crate) fn datagram(number: u32, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut udp = Vec::with_capacity(8 + payload.len());
    udp.extend_from_slice(&40_000_u16.to_be_bytes());
    udp.extend_from_slice(&port.to_be_bytes());
    udp.extend_from_slice(&((8 + payload.len()) as u16).to_be_bytes());
    udp.extend_from_slice(&[0, 0]);
    udp.extend_from_slice(payload);
    ip(number, true, 17, 0, &udp)
}

/// An HTTP/2 frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}
