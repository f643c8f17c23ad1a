//! Tunnels: packets in packets.

use super::bytes::{be16, be32};
use super::ip;
use super::link::{Frame, NotRead, ethernet, ethertype, ppp};

/// GRE (RFC 2784, RFC 2890), its PPTP variant (RFC 2637), and ERSPAN in it.
pub(crate) fn gre(payload: &[u8]) -> Frame<'_> {
    gre_content(payload).unwrap_or(Frame::Broken("GRE header"))
}

fn gre_content(payload: &[u8]) -> Option<Frame<'_>> {
    let (bits, number) = (be16(payload, 0)?, be16(payload, 2)?);
    let optional = |bit: u16| if bits & bit != 0 { 4 } else { 0 };
    let routing = bits & 0x4000 != 0;
    let version = bits & 7;
    if version > 1 || (routing && version == 0) {
        return None;
    }
    let (checksum, key, sequence) = (optional(0x8000), optional(0x2000), optional(0x1000));
    let acknowledgement = if version == 1 { optional(0x0080) } else { 0 };
    let content = payload.get(4 + checksum + key + sequence + acknowledgement..)?;
    Some(match number {
        0x880b if content.is_empty() => Frame::Control,
        0x880b => ppp(content),
        // ERSPAN type I has no header and no sequence number, type II has both.
        0x88be => ethernet(content.get(if sequence == 0 { 0 } else { 8 }..)?),
        // Type III: the last bit says whether a subheader follows (draft-foschiano-erspan section 4.2).
        0x22eb => ethernet(content.get(if be16(content, 10)? & 1 == 1 { 20 } else { 12 }..)?),
        0..=1500 => Frame::Unread(NotRead::Ethertype(number)),
        _ => ethertype(number, content),
    })
}

/// The packet in a datagram on one of the ports that tunnels use; `None` where it is none.
/// `cut` says that the recorder cut the datagram off.
pub(crate) fn udp(source: u16, destination: u16, payload: &[u8], cut: bool) -> Option<Frame<'_>> {
    let frame = match (source, destination) {
        (_, 4789 | 8472) => vxlan(payload)?,
        (_, 6081) => geneve(payload)?,
        (_, 3544) | (3544, _) => teredo(payload)?,
        (_, 2152) | (2152, _) => gtp(payload)?,
        _ => return None,
    };
    match frame {
        Frame::Ip(packet) => ip::fills(packet, cut).then_some(frame),
        Frame::Control => Some(frame),
        Frame::Unread(_) | Frame::Broken(_) | Frame::Aggregate(_) | Frame::Sealed(_) => None,
    }
}

/// VXLAN (RFC 7348): a flag, 24 reserved bits, network identifier, 8 reserved bits.
fn vxlan(payload: &[u8]) -> Option<Frame<'_>> {
    let valid = be32(payload, 0)? == 0x0800_0000 && *payload.get(7)? == 0;
    valid.then(|| ethernet(payload.get(8..).unwrap_or_default()))
}

/// Geneve (RFC 8926): version and length of options, flags, protocol, network identifier.
fn geneve(payload: &[u8]) -> Option<Frame<'_>> {
    let first = *payload.first()?;
    let valid = first >> 6 == 0 && *payload.get(1)? << 2 == 0;
    let content = payload.get(8 + usize::from(first & 0x3f) * 4..)?;
    let number = be16(payload, 2)?;
    (valid && number > 1500).then(|| ethertype(number, content))
}

/// Teredo (RFC 4380): authentication and origin indications, then IPv6.
fn teredo(payload: &[u8]) -> Option<Frame<'_>> {
    let mut rest = payload;
    if rest.starts_with(&[0, 1]) {
        let (id, authentication) = (usize::from(*rest.get(2)?), usize::from(*rest.get(3)?));
        rest = rest.get(13 + id + authentication..)?;
    }
    if rest.starts_with(&[0, 0]) {
        rest = rest.get(8..)?;
    }
    (rest.first()? >> 4 == 6).then_some(Frame::Ip(rest))
}

/// GTP-U (3GPP TS 29.281 section 5): version 1, message 255, length, tunnel, then optional fields
/// and extension headers, each of a length in units of four bytes and ending in the next type.
fn gtp(payload: &[u8]) -> Option<Frame<'_>> {
    let flags = *payload.first()?;
    if flags & 0xf0 != 0x30 || *payload.get(1)? != 0xff {
        return None;
    }
    let mut rest = payload.get(8..)?;
    if flags & 7 != 0 {
        let mut next = *rest.get(3)?;
        rest = rest.get(4..)?;
        while flags & 4 != 0 && next != 0 {
            let length = usize::from(*rest.first()?) * 4;
            next = *rest.get(length.checked_sub(1)?)?;
            rest = rest.get(length..)?;
        }
    }
    matches!(rest.first()? >> 4, 4 | 6).then_some(Frame::Ip(rest))
}

#[cfg(test)]
mod tests {
    use super::super::ip::tests::{packet4, packet6};
    use super::*;

    /// Port, tunnel header, content, and the packet within it.
    type Case<'a> = (u16, &'a [u8], &'a [u8], &'a [u8]);

    fn framed(packet: &[u8]) -> Vec<u8> {
        [&[0; 12][..], &[8, 0], packet].concat()
    }

    #[test]
    fn gre_variants_give_up_their_packet() {
        let packet = packet4(17, 1, 0, b"x");
        let frame = framed(&packet);
        let cases: [(&[u8], &[u8]); 7] = [
            (&[0, 0, 8, 0], &packet),
            (&[0xb0, 0, 8, 0, 1, 1, 0, 0, 2, 2, 2, 2, 3, 3, 3, 3], &packet),
            (&[0, 0, 0x65, 0x58], &frame),
            (&[0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21], &packet),
            (&[0, 0, 0x88, 0xbe], &frame),
            (&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8], &frame),
            (&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 0, 0], &frame),
        ];
        for (header, content) in cases {
            let tunnelled = [header, content].concat();
            assert_eq!(gre(&tunnelled), Frame::Ip(&packet), "{header:02x?}");
        }
        assert_eq!(gre(&[0, 0, 8]), Frame::Broken("GRE header"));
    }

    #[test]
    fn tunnels_over_udp_give_up_their_packet() {
        let (packet, packet6) = (packet4(17, 1, 0, b"x"), packet6(17, b"x"));
        let frame = framed(&packet);
        let cases: [Case<'_>; 6] = [
            (4789, &[8, 0, 0, 0, 0, 0, 7, 0], &frame, &packet),
            (6081, &[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 1, 1, 0], &frame, &packet),
            (6081, &[0, 0, 8, 0, 0, 0, 7, 0], &packet, &packet),
            (3544, &[0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 2, 2, 3, 3, 3, 3], &packet6, &packet6),
            (2152, &[0x30, 0xff, 0, 29, 0, 0, 0, 1], &packet, &packet),
            (2152, &[0x34, 0xff, 0, 29, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0x10, 9, 0], &packet, &packet),
        ];
        for (port, header, content, inner) in cases {
            let tunnelled = [header, content].concat();
            assert_eq!(udp(40_000, port, &tunnelled, false), Some(Frame::Ip(inner)), "port {port}");
            let chopped = &tunnelled[..tunnelled.len() - 1];
            assert_eq!(udp(40_000, port, chopped, false), None, "port {port}: an inner packet that is too long");
            assert!(udp(40_000, port, chopped, true).is_some(), "port {port}: cut by the recorder");
        }
        assert_eq!(udp(40_000, 4789, b"an application's own datagram", false), None);
        assert_eq!(udp(40_000, 9999, &[8, 0, 0, 0, 0, 0, 7, 0], false), None);
    }
}
