//! Link layers: from a frame to the IP packet in it.
//!
//! Link types are those of tcpdump.org/linktypes.html.

use super::bytes::{Order, be16, be32};
use super::wireless::{self, Sealed};

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// An IPv4 or IPv6 packet.
    Ip(&'a [u8]),
    /// Several frames in one of IEEE 802.11, see [`wireless::aggregated`].
    Aggregate(&'a [u8]),
    /// An encrypted frame of IEEE 802.11.
    Sealed(Sealed),
    /// Nothing an application sent: ARP, spanning tree, link control.
    Control,
    /// A protocol that is not read here, with the number it goes by.
    Unread(NotRead),
    /// Headers that are cut off or make no sense; what kind of header.
    Broken(&'static str),
}

/// A protocol that is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NotRead {
    /// A link type.
    Link(u32),
    /// An EtherType.
    Ethertype(u16),
    /// A service access point of IEEE 802.2 LLC.
    ServicePoint(u8),
    /// A PPP protocol.
    Ppp(u16),
    /// A fragment of an IEEE 802.11 frame.
    WirelessFragment,
    /// A frame that the recorder's radio received with errors.
    WrongChecksum,
}

impl std::fmt::Display for NotRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(link) => match link_name(*link) {
                Some(name) => write!(f, "link type {link} ({name})"),
                None => write!(f, "link type {link}"),
            },
            Self::Ethertype(number) => write!(f, "EtherType {number:#06x}"),
            Self::ServicePoint(number) => write!(f, "LLC service access point {number:#04x}"),
            Self::Ppp(number) => write!(f, "PPP protocol {number:#06x}"),
            Self::WirelessFragment => f.write_str("a fragment of an 802.11 frame"),
            Self::WrongChecksum => f.write_str("an 802.11 frame received with a wrong checksum"),
        }
    }
}

/// Names of link types that people record and that are not read here.
fn link_name(link: u32) -> Option<&'static str> {
    Some(match link {
        187 | 201 => "Bluetooth HCI",
        189 | 220 | 249 => "USB",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        251 | 256 => "Bluetooth Low Energy",
        252 => "exported by Wireshark",
        _ => return None,
    })
}

/// Takes off the link layer.
pub(crate) fn frame(link: u32, data: &[u8]) -> Frame<'_> {
    match link {
        0 | 108 => loopback(data),
        1 => ethernet(data),
        9 => ppp(data),
        12 | 14 | 101 | 228 | 229 => ip(data),
        50 => serial_ppp(data),
        51 => pppoe(data),
        104 => cisco_hdlc(data),
        105 => wireless::plain(data),
        113 => cooked(data),
        119 | 163 => wireless::prism(data),
        127 => wireless::radiotap(data),
        192 => wireless::ppi(data),
        204 => ppp(data.get(1..).unwrap_or_default()),
        239 => nflog(data),
        276 => cooked2(data),
        _ => Frame::Unread(NotRead::Link(link)),
    }
}

/// Told by the version in the first nibble.
fn ip(data: &[u8]) -> Frame<'_> {
    match data.first().map(|byte| byte >> 4) {
        Some(4 | 6) => Frame::Ip(data),
        _ => Frame::Broken("IP header"),
    }
}

/// BSD loopback: the address family in the byte order of the recording machine, or (OpenBSD) of
/// the network. Families differ between systems.
fn loopback(data: &[u8]) -> Frame<'_> {
    let (Some(family), Some(rest)) = (be32(data, 0), data.get(4..)) else { return Frame::Broken("loopback header") };
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    match family {
        // The last two are EtherTypes, which some put in place of the family.
        2 | 10 | 24 | 28 | 30 | 0x0800 | 0x86dd => ip(rest),
        _ => Frame::Control,
    }
}

/// Ethernet II and IEEE 802.3.
pub(crate) fn ethernet(data: &[u8]) -> Frame<'_> {
    match (be16(data, 12), data.get(14..)) {
        (Some(number), Some(rest)) => ethertype(number, rest),
        _ => Frame::Broken("Ethernet header"),
    }
}

/// What follows an EtherType. Numbers up to 1500 are the length of an LLC frame.
pub(crate) fn ethertype(number: u16, data: &[u8]) -> Frame<'_> {
    let (mut number, mut data) = (number, data);
    loop {
        match number {
            0x0800 | 0x86dd => return ip(data),
            // VLAN tags: IEEE 802.1Q, 802.1ad, and two numbers older switches use for the outer tag.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => match (be16(data, 2), data.get(4..)) {
                (Some(inner), Some(rest)) => (number, data) = (inner, rest),
                _ => return Frame::Broken("VLAN tag"),
            },
            0..=1500 => return logical_link(data),
            0x6558 => return ethernet(data),
            0x8847 | 0x8848 => return mpls(data),
            0x8864 => return pppoe(data),
            // ARP, reverse ARP, PPPoE discovery, EAP over LAN, link layer discovery, loopback test,
            // precision time.
            0x0806 | 0x8035 | 0x8863 | 0x888e | 0x88cc | 0x9000 | 0x88f7 => return Frame::Control,
            _ => return Frame::Unread(NotRead::Ethertype(number)),
        }
    }
}

/// IEEE 802.2 LLC and SNAP.
pub(super) fn logical_link(data: &[u8]) -> Frame<'_> {
    match data {
        [0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, rest @ ..] => match (be16(rest, 0), rest.get(2..)) {
            (Some(number), Some(inner)) if number > 1500 => ethertype(number, inner),
            _ => Frame::Broken("SNAP header"),
        },
        [0x06, 0x06, 0x03, rest @ ..] => ip(rest),
        // Spanning tree, vendors' discovery protocols over SNAP, and LLC's own XID and TEST frames.
        [0x42, 0x42, ..] | [0xaa, 0xaa, 0x03, ..] | [_, _, 0xaf | 0xbf | 0xe3 | 0xf3, ..] => Frame::Control,
        [point, _, _, ..] => Frame::Unread(NotRead::ServicePoint(*point)),
        _ => Frame::Broken("LLC header"),
    }
}

/// Linux cooked capture.
fn cooked(data: &[u8]) -> Frame<'_> {
    match (be16(data, 14), data.get(16..)) {
        (Some(number), Some(rest)) => cooked_protocol(number, rest),
        _ => Frame::Broken("Linux cooked header"),
    }
}

/// Linux cooked capture, version 2.
fn cooked2(data: &[u8]) -> Frame<'_> {
    match (be16(data, 0), data.get(20..)) {
        (Some(number), Some(rest)) => cooked_protocol(number, rest),
        _ => Frame::Broken("Linux cooked header"),
    }
}

/// Small numbers are Linux's own: 4 is LLC, others are CAN, PPP … Interfaces without a link layer
/// give 0.
fn cooked_protocol(number: u16, data: &[u8]) -> Frame<'_> {
    match number {
        0 => ip(data),
        5..=1500 => Frame::Unread(NotRead::Ethertype(number)),
        _ => ethertype(number, data),
    }
}

/// MPLS (RFC 3032): labels up to the one with the bottom bit. What follows is not said, so it is
/// told by its first nibble; 0 is a pseudowire's control word before Ethernet (RFC 4385).
fn mpls(data: &[u8]) -> Frame<'_> {
    let mut rest = data;
    while let Some((label, after)) = rest.split_first_chunk::<4>() {
        rest = after;
        if label[2] & 1 == 0 {
            continue;
        }
        return match rest.first().map(|byte| byte >> 4) {
            Some(4 | 6) => Frame::Ip(rest),
            Some(0) => ethernet(rest.get(4..).unwrap_or_default()),
            _ => Frame::Broken("packet behind MPLS labels"),
        };
    }
    Frame::Broken("MPLS label")
}

/// PPPoE session (RFC 2516): version and type, code, session, length, PPP.
fn pppoe(data: &[u8]) -> Frame<'_> {
    match (data.first_chunk::<2>(), data.get(6..)) {
        (Some([0x11, 0]), Some(rest)) => ppp(rest),
        (Some([0x11, _]), Some(_)) => Frame::Control,
        _ => Frame::Broken("PPPoE header"),
    }
}

/// PPP (RFC 1661), with or without HDLC's address and control, the protocol in one byte or two.
pub(crate) fn ppp(data: &[u8]) -> Frame<'_> {
    let data = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
    let (number, rest) = match data {
        [short, rest @ ..] if short & 1 == 1 => (u16::from(*short), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return Frame::Broken("PPP header"),
    };
    match number {
        0x0021 | 0x0057 => ip(rest),
        0x0281 | 0x0283 => mpls(rest),
        // Network and link control protocols (RFC 1661 section 2).
        0x8000.. => Frame::Control,
        _ => Frame::Unread(NotRead::Ppp(number)),
    }
}

/// PPP in HDLC framing, or Cisco's framing in its place.
fn serial_ppp(data: &[u8]) -> Frame<'_> {
    match data {
        [0x0f | 0x8f, ..] => cisco_hdlc(data),
        _ => ppp(data),
    }
}

fn cisco_hdlc(data: &[u8]) -> Frame<'_> {
    match (be16(data, 2), data.get(4..)) {
        // Cisco's keep-alive.
        (Some(0x8035), Some(_)) => Frame::Control,
        (Some(number), Some(rest)) => ethertype(number, rest),
        _ => Frame::Broken("HDLC header"),
    }
}

/// Linux netfilter log: family, version, resource, then attributes in the byte order of the
/// recording machine. Attribute 9 is the packet.
fn nflog(data: &[u8]) -> Frame<'_> {
    let attributes = data.get(4..).unwrap_or_default();
    let read = |order| nflog_payload(order, attributes);
    match read(Order::Little).or_else(|| read(Order::Big)) {
        Some(packet) => ip(packet),
        None => Frame::Broken("NFLOG header"),
    }
}

fn nflog_payload(order: Order, attributes: &[u8]) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    let mut rest = attributes;
    loop {
        let length = usize::from(order.u16(rest, 0)?);
        let kind = order.u16(rest, 2)?;
        if length < 4 {
            return None;
        }
        if kind == PAYLOAD {
            // A packet cut by the snapshot length is shorter than its attribute says.
            return rest.get(4..length).or_else(|| rest.get(4..));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = &[0x45, 0, 0, 20];

    fn framed(link: u32, header: &[u8]) -> bool {
        frame(link, &[header, PACKET].concat()) == Frame::Ip(PACKET)
    }

    #[test]
    fn every_link_type_gives_up_its_ip_packet() {
        let addresses = [0u8; 12];
        let ethernet = |rest: &[u8]| [&addresses[..], rest].concat();
        assert!(framed(1, &ethernet(&[8, 0])));
        assert!(framed(1, &ethernet(&[0x81, 0, 0, 7, 8, 0])), "VLAN");
        assert!(framed(1, &ethernet(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 7, 8, 0])), "QinQ");
        assert!(framed(1, &ethernet(&[0, 12, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0])), "SNAP");
        assert!(framed(1, &ethernet(&[0, 12, 6, 6, 3])), "LLC");
        assert!(framed(1, &ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0, 0x21])), "PPPoE");
        assert!(framed(1, &ethernet(&[0x88, 0x47, 0, 1, 0, 9, 0, 1, 1, 9])), "two MPLS labels");
        assert!(framed(0, &[2, 0, 0, 0]) && framed(0, &[0, 0, 0, 2]) && framed(108, &[0, 0, 0, 2]));
        for raw in [12, 14, 101, 228, 229] {
            assert!(framed(raw, &[]));
        }
        assert!(framed(9, &[0, 0x21]) && framed(9, &[0x21]) && framed(50, &[0xff, 3, 0, 0x21]));
        assert!(framed(50, &[0x0f, 0, 8, 0]) && framed(204, &[1, 0xff, 3, 0x21]) && framed(104, &[0x0f, 0, 8, 0]));
        assert!(framed(113, &[&[0u8; 14][..], &[8, 0]].concat()));
        assert!(framed(276, &[&[8, 0][..], &[0; 18]].concat()));
        assert!(framed(239, &[2, 0, 0, 0, 5, 0, 10, 0, b'x', 0, 0, 0, 8, 0, 9, 0]), "NFLOG, little-endian");
        assert!(framed(239, &[2, 0, 0, 0, 0, 8, 0, 9]), "NFLOG, big-endian");
    }

    #[test]
    fn what_is_not_read_is_named() {
        assert_eq!(frame(1, &[[0; 12].as_slice(), &[8, 6, 0]].concat()), Frame::Control);
        assert_eq!(frame(1, &[0; 13]), Frame::Broken("Ethernet header"));
        let Frame::Unread(radio) = frame(201, &[0; 40]) else { panic!("Bluetooth is not read") };
        assert_eq!(radio.to_string(), "link type 201 (Bluetooth HCI)");
        let homeplug = [[0; 12].as_slice(), &[0x88, 0xe1, 0]].concat();
        assert_eq!(frame(1, &homeplug), Frame::Unread(NotRead::Ethertype(0x88e1)));
    }
}
