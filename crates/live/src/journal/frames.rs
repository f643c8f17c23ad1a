//! The packets that a connection would have been, as pcapng blocks.
//!
//! What passes a proxy is bytes of a socket, not packets. The journal writes them as packets that carry exactly
//! these bytes at the times they passed, so that every tool that reads captures reads it. Lengths, checksums and
//! sequence numbers are right; how the bytes were cut into segments on the wire is not known and not claimed.

use dyetrace_case::{Side, Time};
use std::net::{IpAddr, SocketAddr};

/// Bytes of payload in one packet at most, so that headers and payload fit an IPv4 packet.
pub(super) const SEGMENT: usize = 32 << 10;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;
/// `LINKTYPE_RAW`: packets begin with an IPv4 or IPv6 header.
const RAW_IP: u16 = 101;
const TLS_KEY_LOG: u32 = 0x544c_534b;
const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_RESOLUTION: u16 = 9;
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const HOPS: u8 = 64;

/// TCP flags (RFC 9293 section 3.1).
pub(super) mod flag {
    pub(in crate::journal) const FIN: u8 = 1;
    pub(in crate::journal) const SYN: u8 = 2;
    pub(in crate::journal) const RST: u8 = 4;
    pub(in crate::journal) const PSH: u8 = 8;
    pub(in crate::journal) const ACK: u8 = 16;
}

/// The two ends of a connection, both of one IP version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    client: SocketAddr,
    server: SocketAddr,
}

impl Ends {
    /// IPv4 addresses are written as IPv6 ones where the other end has such.
    pub(super) fn new(client: SocketAddr, server: SocketAddr) -> Self {
        let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        let (client, server) = (canonical(client), canonical(server));
        if client.is_ipv4() == server.is_ipv4() {
            return Self { client, server };
        }
        let mapped = |end: SocketAddr| match end.ip() {
            IpAddr::V4(address) => SocketAddr::new(address.to_ipv6_mapped().into(), end.port()),
            IpAddr::V6(_) => end,
        };
        Self { client: mapped(client), server: mapped(server) }
    }

    fn from(self, side: Side) -> (SocketAddr, SocketAddr) {
        match side {
            Side::Request => (self.client, self.server),
            Side::Response => (self.server, self.client),
        }
    }
}

/// One TCP segment that `side` sends.
pub(super) struct Segment<'a> {
    pub(super) ends: Ends,
    pub(super) side: Side,
    pub(super) sequence: u32,
    pub(super) acknowledgement: u32,
    pub(super) flags: u8,
    pub(super) payload: &'a [u8],
}

/// The blocks that a journal begins with.
pub(super) fn begin(application: &str, interface: &str) -> Vec<u8> {
    let mut out = Vec::new();
    block(&mut out, SECTION, |out| {
        out.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        out.extend_from_slice(&[1, 0, 0, 0]);
        out.extend_from_slice(&(-1_i64).to_le_bytes());
        option(out, SECTION_APPLICATION, application.as_bytes());
        option(out, OPTION_END, b"");
    });
    block(&mut out, INTERFACE, |out| {
        out.extend_from_slice(&RAW_IP.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&0_u32.to_le_bytes());
        option(out, INTERFACE_NAME, interface.as_bytes());
        option(out, INTERFACE_RESOLUTION, &[9]);
        option(out, OPTION_END, b"");
    });
    out
}

/// A Decryption Secrets Block with lines of a key log.
pub(super) fn secrets(out: &mut Vec<u8>, lines: &[u8]) {
    block(out, SECRETS, |out| {
        out.extend_from_slice(&TLS_KEY_LOG.to_le_bytes());
        out.extend_from_slice(&(lines.len() as u32).to_le_bytes());
        out.extend_from_slice(lines);
        pad(out, lines.len());
    });
}

/// A TCP segment as one packet.
pub(super) fn tcp(out: &mut Vec<u8>, time: Time, segment: &Segment<'_>, comment: Option<&str>) {
    let (source, destination) = segment.ends.from(segment.side);
    packet(out, time, (source.ip(), destination.ip()), TCP, TCP_HEADER + segment.payload.len(), comment, |out| {
        let start = out.len();
        out.extend_from_slice(&source.port().to_be_bytes());
        out.extend_from_slice(&destination.port().to_be_bytes());
        out.extend_from_slice(&segment.sequence.to_be_bytes());
        out.extend_from_slice(&segment.acknowledgement.to_be_bytes());
        // Header of five words; a window that no segment fills; checksum to come; no urgent data.
        out.extend_from_slice(&[0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
        out.extend_from_slice(segment.payload);
        checksum(out, start, 16, (source.ip(), destination.ip()), TCP);
    });
}

/// A datagram as one packet. What is too long for UDP is cut.
pub(super) fn udp(out: &mut Vec<u8>, time: Time, ends: Ends, side: Side, payload: &[u8], comment: Option<&str>) {
    let (source, destination) = ends.from(side);
    let payload = payload.get(..SEGMENT * 2 - 64).unwrap_or(payload);
    packet(out, time, (source.ip(), destination.ip()), UDP, UDP_HEADER + payload.len(), comment, |out| {
        let start = out.len();
        out.extend_from_slice(&source.port().to_be_bytes());
        out.extend_from_slice(&destination.port().to_be_bytes());
        out.extend_from_slice(&((UDP_HEADER + payload.len()) as u16).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(payload);
        checksum(out, start, 6, (source.ip(), destination.ip()), UDP);
    });
}

fn packet(
    out: &mut Vec<u8>,
    time: Time,
    addresses: (IpAddr, IpAddr),
    protocol: u8,
    length: usize,
    comment: Option<&str>,
    write: impl FnOnce(&mut Vec<u8>),
) {
    block(out, ENHANCED_PACKET, |out| {
        let header = if addresses.0.is_ipv4() { IPV4_HEADER } else { IPV6_HEADER };
        let (captured, time) = ((header + length) as u32, time.0 as u64);
        let stamp = [0, (time >> 32) as u32, time as u32, captured, captured];
        for word in stamp {
            out.extend_from_slice(&word.to_le_bytes());
        }
        ip_header(out, addresses, protocol, length);
        write(out);
        pad(out, header + length);
        if let Some(comment) = comment {
            option(out, OPTION_COMMENT, comment.as_bytes());
            option(out, OPTION_END, b"");
        }
    });
}

fn ip_header(out: &mut Vec<u8>, addresses: (IpAddr, IpAddr), protocol: u8, length: usize) {
    let start = out.len();
    match addresses {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&((IPV4_HEADER + length) as u16).to_be_bytes());
            // Not a fragment.
            out.extend_from_slice(&[0, 0, 0x40, 0, HOPS, protocol, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
            let sum = !folded(ones_sum(out.get(start..).unwrap_or_default()));
            put(out, start + 10, sum);
        }
        (source, destination) => {
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
            out.extend_from_slice(&[protocol, HOPS]);
            out.extend_from_slice(&six(source));
            out.extend_from_slice(&six(destination));
        }
    }
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// Fills in the checksum of what begins at `start` (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1).
fn checksum(out: &mut [u8], start: usize, at: usize, addresses: (IpAddr, IpAddr), protocol: u8) {
    let contents = out.get(start..).unwrap_or_default();
    let ends = match addresses {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ones_sum(&source.octets()) + ones_sum(&destination.octets()),
        (source, destination) => ones_sum(&six(source)) + ones_sum(&six(destination)),
    };
    let sum = !folded(ones_sum(contents) + ends + u64::from(protocol) + contents.len() as u64);
    // A computed checksum of zero means none in UDP, and its complement is the same number.
    put(out, start + at, if sum == 0 && protocol == UDP { 0xffff } else { sum });
}

fn put(out: &mut [u8], at: usize, value: u16) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

/// Sum of 16-bit words, an odd last byte padded with zero (RFC 1071).
fn ones_sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let mut last = [0; 4];
    if let Some(last) = last.get_mut(..rest.len()) {
        last.copy_from_slice(rest);
    }
    // In the machine's own order, which compilers make into vector instructions, and put right at the end (RFC 1071
    // section 2 B).
    u64::from(u16::from_be(folded(sum + u64::from(u32::from_ne_bytes(last)))))
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn block(out: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = (out.len() - start + 4) as u32;
    out.extend_from_slice(&length.to_le_bytes());
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

/// Blocks and options end on a multiple of four bytes.
fn pad(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&[0; 3][..length.wrapping_neg() % 4]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071() {
        let words = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(folded(ones_sum(&words)), 0xddf2);
        assert_eq!(folded(ones_sum(&words[..7])), 0xddf2 - 0xf7);
    }

    #[test]
    fn a_packet_sums_to_nothing_when_checked() {
        let ends = Ends::new(([10, 0, 0, 2], 4000).into(), ([192, 0, 2, 1], 443).into());
        let segment =
            Segment { ends, side: Side::Request, sequence: 7, acknowledgement: 9, flags: 24, payload: b"odd" };
        let mut out = Vec::new();
        tcp(&mut out, Time(1_700_000_000_123_456_789), &segment, Some("why"));
        let packet = &out[28..28 + 43];
        assert_eq!(folded(ones_sum(&packet[..20])), 0xffff, "IPv4 header");
        let pseudo = ones_sum(&packet[12..20]) + u64::from(TCP) + 23;
        assert_eq!(folded(ones_sum(&packet[20..]) + pseudo), 0xffff, "TCP");
        assert_eq!(out.len() % 4, 0);
        assert_eq!(out[out.len() - 4..], (out.len() as u32).to_le_bytes());
    }

    #[test]
    fn ends_of_two_versions_are_written_as_version_6() {
        let ends = Ends::new("[2001:db8::1]:1".parse().unwrap(), "192.0.2.1:2".parse().unwrap());
        assert!(ends.client.is_ipv6() && ends.server.is_ipv6());
        let mapped = Ends::new("[::ffff:10.0.0.1]:1".parse().unwrap(), "192.0.2.1:2".parse().unwrap());
        assert!(mapped.client.is_ipv4());
    }
}
