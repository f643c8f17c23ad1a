//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use super::bytes::{be16, be32};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IANA protocol numbers.
pub(crate) mod protocol {
    pub(crate) const HOP_BY_HOP: u8 = 0;
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const IGMP: u8 = 2;
    pub(crate) const IPV4: u8 = 4;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const IPV6: u8 = 41;
    pub(crate) const ROUTING: u8 = 43;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const GRE: u8 = 47;
    pub(crate) const ESP: u8 = 50;
    pub(crate) const AUTHENTICATION: u8 = 51;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const NO_NEXT: u8 = 59;
    pub(crate) const DESTINATION: u8 = 60;
    pub(crate) const EIGRP: u8 = 88;
    pub(crate) const OSPF: u8 = 89;
    pub(crate) const PIM: u8 = 103;
    pub(crate) const VRRP: u8 = 112;
    pub(crate) const SCTP: u8 = 132;
    pub(crate) const MOBILITY: u8 = 135;
    pub(crate) const UDP_LITE: u8 = 136;
    pub(crate) const HIP: u8 = 139;
    pub(crate) const SHIM6: u8 = 140;
}

/// An IP packet, or a fragment of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Datagram<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// Of the payload: IANA protocol number.
    pub(crate) protocol: u8,
    /// What was recorded above the headers.
    pub(crate) payload: &'a [u8],
    /// Bytes behind `payload` that the recorder cut off.
    pub(crate) missing: u32,
    pub(crate) fragment: Option<Fragment>,
}

/// Which part of a datagram a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) id: u32,
    /// Of the payload's first byte.
    pub(crate) offset: u32,
    /// More fragments follow.
    pub(crate) more: bool,
}

/// Reads the headers up to the payload or a fragment; `None` where they are cut off or make no
/// sense. Bytes behind the packet (Ethernet's padding) are cut.
pub(crate) fn datagram(data: &[u8]) -> Option<Datagram<'_>> {
    match data.first()? >> 4 {
        4 => extensions(version4(data)?),
        6 => extensions(version6(data)?),
        _ => None,
    }
}

/// True where the bytes hold a whole packet by its own account, or (`may_be_cut`) the start of one.
pub(crate) fn fills(data: &[u8], may_be_cut: bool) -> bool {
    let length = match data.first().map(|byte| byte >> 4) {
        Some(4) => be16(data, 2).map(usize::from),
        Some(6) => be16(data, 4).map(|length| usize::from(length) + 40),
        _ => None,
    };
    let fits = |length: usize| length <= data.len() || may_be_cut;
    length.is_some_and(|length| length >= 20 && fits(length)) && datagram(data).is_some()
}

fn version4(data: &[u8]) -> Option<Datagram<'_>> {
    let header = usize::from(data.first()? & 15) * 4;
    let head = data.get(..header).filter(|head| head.len() >= 20)?;
    // Segmentation offload leaves the total length 0 where it is set by the card.
    let length = Some(usize::from(be16(head, 2)?)).filter(|length| *length != 0).unwrap_or(data.len());
    let (payload, missing) = cut(data, header, length)?;
    let bits = be16(head, 6)?;
    let (more, offset) = (bits & 0x2000 != 0, u32::from(bits & 0x1fff) * 8);
    let fragment = Fragment { id: u32::from(be16(head, 4)?), offset, more };
    Some(Datagram {
        source: Ipv4Addr::from(be32(head, 12)?).into(),
        destination: Ipv4Addr::from(be32(head, 16)?).into(),
        protocol: *head.get(9)?,
        payload,
        missing,
        fragment: (more || offset != 0).then_some(fragment),
    })
}

fn version6(data: &[u8]) -> Option<Datagram<'_>> {
    let address = |at: usize| Some(IpAddr::from(Ipv6Addr::from(*data.get(at..)?.first_chunk::<16>()?)));
    // 0 stands for a jumbogram (RFC 2675) and for segmentation offload.
    let length = Some(usize::from(be16(data, 4)?) + 40).filter(|length| *length != 40).unwrap_or(data.len());
    let (payload, missing) = cut(data, 40, length)?;
    Some(Datagram {
        source: address(8)?,
        destination: address(24)?,
        protocol: *data.get(6)?,
        payload,
        missing,
        fragment: None,
    })
}

/// The bytes from `header` to `length`, and how many of them were not recorded.
fn cut(data: &[u8], header: usize, length: usize) -> Option<(&[u8], u32)> {
    let payload = data.get(header..length.min(data.len()))?;
    Some((payload, length.saturating_sub(data.len()) as u32))
}

/// Steps over extension headers (RFC 8200 section 4) and, in both versions, the Authentication
/// Header (RFC 4302). Stops at a fragment.
pub(crate) fn extensions(datagram: Datagram<'_>) -> Option<Datagram<'_>> {
    let mut datagram = datagram;
    while datagram.fragment.is_none() {
        let payload = datagram.payload;
        let length = || Some((usize::from(*payload.get(1)?) + 1) * 8);
        let length = match datagram.protocol {
            protocol::AUTHENTICATION => (usize::from(*payload.get(1)?) + 2) * 4,
            _ if datagram.source.is_ipv4() => break,
            protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::DESTINATION
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6 => length()?,
            protocol::FRAGMENT => {
                datagram.fragment = Some(fragment6(payload)?).filter(|part| part.more || part.offset != 0);
                8
            }
            _ => break,
        };
        datagram.protocol = *payload.first()?;
        datagram.payload = payload.get(length..)?;
    }
    Some(datagram)
}

/// RFC 8200 section 4.5. The fragment may be the whole packet (RFC 6946).
fn fragment6(header: &[u8]) -> Option<Fragment> {
    let bits = be16(header, 2)?;
    Some(Fragment { id: be32(header, 4)?, offset: u32::from(bits & 0xfff8), more: bits & 1 != 0 })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An IPv4 packet from 10.0.0.2 to 192.0.2.1. `bits` are flags and fragment offset.
    pub(crate) fn packet4(protocol: u8, id: u16, bits: u16, payload: &[u8]) -> Vec<u8> {
        let length = (20 + payload.len() as u16).to_be_bytes();
        let [id, bits] = [id.to_be_bytes(), bits.to_be_bytes()];
        let head = [&[0x45, 0][..], &length, &id, &bits, &[64, protocol], &[0, 0]].concat();
        [&head[..], &[10, 0, 0, 2, 192, 0, 2, 1], payload].concat()
    }

    /// An IPv6 packet from 2001:db8::1 to 2001:db8::2.
    pub(crate) fn packet6(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let address = |last: u8| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last)).octets();
        let length = (payload.len() as u16).to_be_bytes();
        [&[0x60, 0, 0, 0], &length[..], &[protocol, 64], &address(1), &address(2), payload].concat()
    }

    #[test]
    fn padding_is_cut_and_what_is_cut_off_is_counted() {
        let mut packet = packet4(17, 1, 0, b"payload");
        packet.extend([0; 10]);
        let datagram4 = datagram(&packet).unwrap();
        assert_eq!((datagram4.payload, datagram4.missing), (&b"payload"[..], 0));
        let short = datagram(&packet[..23]).unwrap();
        assert_eq!((short.payload, short.missing), (&b"pay"[..], 4));
        assert_eq!(datagram(&packet[..19]), None);
        packet[2..4].fill(0);
        assert_eq!(datagram(&packet[..27]).unwrap().payload, b"payload", "offload leaves the length 0");
    }

    #[test]
    fn extension_headers_are_stepped_over() {
        let headers = [
            &[60u8, 0, 1, 4, 0, 0, 0, 0][..],
            &[51, 0, 1, 4, 0, 0, 0, 0],
            &[44, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[6, 0, 0, 0, 0, 0, 0, 9],
            b"segment",
        ];
        let packet = packet6(0, &headers.concat());
        let whole = datagram(&packet).unwrap();
        assert_eq!((whole.protocol, whole.payload, whole.fragment), (6, &b"segment"[..], None));
        let first = packet6(44, &[6, 0, 0, 1, 0, 0, 0, 9, b'x']);
        let fragment = Some(Fragment { id: 9, offset: 0, more: true });
        assert_eq!(datagram(&first).unwrap().fragment, fragment);
    }
}
