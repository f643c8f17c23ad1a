//! IP packets of the tunnel: what is read of them before the TCP stack gets them, and those that are written beside it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const HOPS: u8 = 64;
/// Bytes of a refused packet that are quoted: header and 8 bytes suffice (RFC 792), more helps.
const QUOTED: usize = 512;

/// A packet whose ends are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) what: Transport<'a>,
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport<'a> {
    /// A segment that opens a connection, of this sequence number.
    Opening(u32),
    /// Another segment.
    Segment,
    /// A datagram's payload.
    Datagram(&'a [u8]),
}

/// Reads TCP and UDP over IPv4 (RFC 791) without fragments, and IPv6 (RFC 8200) without extension headers.
pub(super) fn read(packet: &[u8]) -> Option<Packet<'_>> {
    let (from, to, protocol, rest) = match packet.first()? >> 4 {
        4 => ipv4(packet)?,
        6 => ipv6(packet)?,
        _ => return None,
    };
    let ports = rest.first_chunk::<4>()?;
    let from = SocketAddr::new(from, u16::from_be_bytes([ports[0], ports[1]]));
    let to = SocketAddr::new(to, u16::from_be_bytes([ports[2], ports[3]]));
    let what = match protocol {
        TCP => segment(rest)?,
        UDP => Transport::Datagram(rest.get(8..usize::from(u16::from_be_bytes([*rest.get(4)?, *rest.get(5)?])))?),
        _ => return None,
    };
    Some(Packet { from, to, what })
}

fn ipv4(packet: &[u8]) -> Option<(IpAddr, IpAddr, u8, &[u8])> {
    let head = packet.first_chunk::<20>()?;
    let (start, end) = (usize::from(head[0] & 15) * 4, usize::from(u16::from_be_bytes([head[2], head[3]])));
    let is_fragment = u16::from_be_bytes([head[6], head[7]]) & 0x3fff != 0;
    let from = Ipv4Addr::new(head[12], head[13], head[14], head[15]);
    let to = Ipv4Addr::new(head[16], head[17], head[18], head[19]);
    let rest = packet.get(start.max(20)..end).filter(|_| !is_fragment)?;
    Some((from.into(), to.into(), head[9], rest))
}

fn ipv6(packet: &[u8]) -> Option<(IpAddr, IpAddr, u8, &[u8])> {
    let (head, rest) = packet.split_first_chunk::<40>()?;
    let address = |at: usize| head.get(at..at + 16)?.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into());
    let rest = rest.get(..usize::from(u16::from_be_bytes([head[4], head[5]])))?;
    Some((address(8)?, address(24)?, head[6], rest))
}

fn segment(segment: &[u8]) -> Option<Transport<'static>> {
    let head = segment.first_chunk::<20>()?;
    // SYN without ACK and RST (RFC 9293 section 3.1).
    if head[13] & 0b1_0110 == 0b0_0010 {
        return Some(Transport::Opening(u32::from_be_bytes([head[4], head[5], head[6], head[7]])));
    }
    Some(Transport::Segment)
}

/// A datagram. `None` where it is too long for IP, or its ends are of two families.
pub(super) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len() + 8).ok()?;
    let mut udp = [from.port().to_be_bytes(), to.port().to_be_bytes(), length.to_be_bytes(), [0; 2]].concat();
    udp.extend_from_slice(payload);
    let sum = match transport_checksum(from.ip(), to.ip(), UDP, &udp) {
        // Zero would say that there is none (RFC 768).
        0 => 0xffff,
        sum => sum,
    };
    udp.get_mut(6..8)?.copy_from_slice(&sum.to_be_bytes());
    wrapped(from.ip(), to.ip(), UDP, &udp)
}

/// The answer to a segment that opens a connection which is not to be (RFC 9293 section 3.10.7.1).
pub(super) fn reset(from: SocketAddr, to: SocketAddr, opening: u32) -> Option<Vec<u8>> {
    let mut tcp = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    tcp.extend_from_slice(&[0; 4]);
    tcp.extend_from_slice(&opening.wrapping_add(1).to_be_bytes());
    // Five words; RST and ACK.
    tcp.extend_from_slice(&[0x50, 0x14, 0, 0, 0, 0, 0, 0]);
    let sum = transport_checksum(from.ip(), to.ip(), TCP, &tcp);
    tcp.get_mut(16..18)?.copy_from_slice(&sum.to_be_bytes());
    wrapped(from.ip(), to.ip(), TCP, &tcp)
}

/// Says that nobody listens on that port (RFC 792: type 3, code 3; RFC 4443: type 1, code 4).
pub(super) fn port_unreachable(refused: &[u8]) -> Option<Vec<u8>> {
    let Packet { from, to, .. } = read(refused)?;
    let (protocol, head) = if from.is_ipv4() { (ICMP, [3, 3]) } else { (ICMPV6, [1, 4]) };
    let mut icmp = [&head[..], &[0; 6], refused.get(..QUOTED).unwrap_or(refused)].concat();
    let sum = if from.is_ipv4() { checksum(&[&icmp]) } else { transport_checksum(to.ip(), from.ip(), ICMPV6, &icmp) };
    icmp.get_mut(2..4)?.copy_from_slice(&sum.to_be_bytes());
    wrapped(to.ip(), from.ip(), protocol, &icmp)
}

fn wrapped(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Option<Vec<u8>> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let length = u16::try_from(payload.len() + 20).ok()?.to_be_bytes();
            let mut head = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, HOPS, protocol, 0, 0];
            head.extend_from_slice(&[from.octets(), to.octets()].concat());
            let sum = checksum(&[&head]);
            head.get_mut(10..12)?.copy_from_slice(&sum.to_be_bytes());
            Some([&head, payload].concat())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let length = u16::try_from(payload.len()).ok()?.to_be_bytes();
            let head = [0x60, 0, 0, 0, length[0], length[1], protocol, HOPS];
            Some([&head[..], &from.octets(), &to.octets(), payload].concat())
        }
        _ => None,
    }
}

/// With the pseudo header of RFC 9293 section 3.1 or RFC 8200 section 8.1; their sums are the same.
fn transport_checksum(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> u16 {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let length = (payload.len() as u32).to_be_bytes();
    checksum(&[&octets(from), &octets(to), &length, &[0, protocol], payload])
}

/// Of parts, each of which but the last has an even number of bytes (RFC 1071).
fn checksum(parts: &[&[u8]]) -> u16 {
    let word = |pair: &[u8]| u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let mut sum: u64 = parts.iter().flat_map(|part| part.chunks(2)).map(word).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends() -> [(SocketAddr, SocketAddr); 2] {
        [("10.0.0.1:53", "10.0.0.2:4000"), ("[fd00::1]:53", "[fd00::2]:4000")]
            .map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()))
    }

    #[test]
    fn a_checksum_is_that_of_the_standard() {
        // RFC 1071 section 3.
        assert_eq!(!checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), 0xddf2);
    }

    #[test]
    fn a_reset_acknowledges_what_it_refuses() {
        for (from, to) in ends() {
            let packet = reset(from, to, u32::MAX).unwrap();
            assert_eq!(read(&packet), Some(Packet { from, to, what: Transport::Segment }));
            let tcp = &packet[packet.len() - 20..];
            assert_eq!((&tcp[8..12], tcp[13]), (&[0; 4][..], 0x14));
            assert_eq!(transport_checksum(from.ip(), to.ip(), TCP, tcp), 0, "the sum over a whole segment is none");
        }
    }

    #[test]
    fn a_refusal_quotes_what_it_refuses_and_goes_back() {
        for (from, to) in ends() {
            let refused = datagram(from, to, &[7; 1200]).unwrap();
            let packet = port_unreachable(&refused).unwrap();
            let start = packet.len() - QUOTED - 8;
            assert_eq!(&packet[start + 8..], &refused[..QUOTED]);
            assert_eq!(packet[start..start + 2], if from.is_ipv4() { [3, 3] } else { [1, 4] });
        }
    }

    proptest! {
        #[test]
        fn a_datagram_is_read_as_it_was_written(payload in proptest::collection::vec(any::<u8>(), 0..1500)) {
            for (from, to) in ends() {
                let packet = datagram(from, to, &payload).unwrap();
                prop_assert_eq!(read(&packet), Some(Packet { from, to, what: Transport::Datagram(&payload) }));
            }
        }

        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), version in 0_u8..16) {
            if let Some(first) = bytes.first_mut() { *first = version << 4 | (*first & 15) }
            let _ = (read(&bytes), port_unreachable(&bytes));
        }
    }
}
