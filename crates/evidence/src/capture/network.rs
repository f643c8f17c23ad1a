//! From packets to transport payloads: link layer, IP, fragments and tunnels, as deep as they go.

use super::bytes::{be16, be32};
use super::fragments::{Fragments, Incomplete, Seen};
use super::ip::{self, Datagram, protocol};
use super::link::{self, Frame};
use super::packets::Packet;
use super::payload::{Payload, TcpFlags, TcpSegment, UdpDatagram};
use super::tunnel;
use super::unread::{Cause, Unread};
use super::wireless::{self, Sealed};
use crate::layer::{Limits, Out, UNTIMED};
use crate::provisioning::{Heard, Path, Watch};
use dyetrace_case::{Damage, Endpoint};
use std::net::IpAddr;

/// Takes off everything below TCP and UDP.
pub(crate) struct Network {
    limits: Limits,
    fragments: Fragments,
    unread: Unread,
    provisioning: Watch,
}

/// Receives what the network layer gives, each payload with the packet it belongs to: the current
/// one, or where fragments are given up, the first of them (without its bytes).
pub(crate) type Visit<'v> = dyn FnMut(Payload<'_>, &Packet<'_>, &mut Out<'_>) + 'v;

/// The packet being taken apart.
struct At<'p, 'o, 's, 'v> {
    packet: &'p Packet<'p>,
    out: &'o mut Out<'s>,
    visit: &'o mut Visit<'v>,
    /// Tunnels around the current header.
    depth: usize,
}

impl Network {
    /// Nothing seen yet.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, fragments: Fragments::default(), unread: Unread::default(), provisioning: Watch::default() }
    }

    /// Takes a packet apart and hands on what it carries: usually one payload, none for a fragment.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>, out: &mut Out<'_>, visit: &mut Visit<'_>) {
        out.tally.packets += 1;
        let mut at = At { packet, out, visit, depth: 0 };
        self.frame(link::frame(packet.link, packet.data), u64::from(packet.original), &mut at);
    }

    /// Hands on and tells what was left over: incomplete fragments, and all that was not read.
    pub(crate) fn end(&mut self, out: &mut Out<'_>, visit: &mut Visit<'_>) {
        for incomplete in self.fragments.end() {
            self.incomplete(&incomplete, out, visit);
        }
        self.provisioning.end(out);
        self.unread.tell(out);
    }

    /// `length` is that of the frame, for counting.
    fn frame(&mut self, frame: Frame<'_>, length: u64, at: &mut At<'_, '_, '_, '_>) {
        let cause = match frame {
            Frame::Ip(_) if at.depth > self.limits.nesting => Cause::TooDeep,
            Frame::Ip(packet) => return self.ip(packet, at),
            Frame::Aggregate(frames) => return self.aggregate(frames, at),
            Frame::Sealed(sealed) => return self.sealed(&sealed, at),
            Frame::Control => {
                at.out.tally.control += 1;
                return;
            }
            Frame::Unread(what) => Cause::NotRead(what),
            Frame::Broken(header) => Cause::Broken(header),
        };
        self.unread.add(cause, at.packet, length);
    }

    fn aggregate(&mut self, frames: &[u8], at: &mut At<'_, '_, '_, '_>) {
        let mut rest = frames;
        while let Some((frame, after)) = wireless::aggregated(rest) {
            self.frame(frame, (rest.len() - after.len()) as u64, at);
            rest = after;
        }
        if !rest.is_empty() {
            self.unread.add(Cause::Broken("802.11 aggregate"), at.packet, rest.len() as u64);
        }
    }

    /// Counts an encrypted frame. How long it is may be what it says.
    fn sealed(&mut self, sealed: &Sealed, at: &mut At<'_, '_, '_, '_>) {
        let Sealed { source, destination, bssid, down, header, body, sequence } = *sealed;
        let length = body + (at.packet.original as usize).saturating_sub(at.packet.data.len());
        self.unread.sealed(sealed, at.packet, length as u64);
        if let (true, Ok(length)) = (destination[0] & 1 == 1, u16::try_from(length)) {
            let path = Path::Air { source, destination, bssid, down, header };
            self.provisioning.hear(path, None, (length, Some(sequence)), heard(at.packet), at.out);
        }
    }

    /// Listens to what is sent to a group: its length may be what it says.
    fn listen(&mut self, datagram: &UdpDatagram<'_>, at: &mut At<'_, '_, '_, '_>) {
        let length = datagram.payload.len() + datagram.missing as usize;
        if let (true, Ok(length)) = (is_group(datagram.destination.0), u16::try_from(length)) {
            let path = Path::Udp { source: datagram.source.0, destination: datagram.destination };
            self.provisioning.hear(path, Some(datagram.source.1), (length, None), heard(at.packet), at.out);
        }
    }

    fn ip(&mut self, data: &[u8], at: &mut At<'_, '_, '_, '_>) {
        let Some(datagram) = ip::datagram(data) else {
            return self.unread.add(Cause::Broken("IP header"), at.packet, data.len() as u64);
        };
        if datagram.fragment.is_none() {
            return self.transport(&datagram, at);
        }
        let seen = Seen { number: at.packet.number, time: at.packet.time, app: at.packet.app.clone() };
        let mut lost = Vec::new();
        let whole = self.fragments.add(&datagram, &seen, self.limits.held, &mut lost);
        for incomplete in &lost {
            self.incomplete(incomplete, at.out, at.visit);
        }
        if let Some((protocol, payload)) = whole {
            let whole = Datagram { protocol, payload: &payload, missing: 0, fragment: None, ..datagram };
            match ip::extensions(whole).filter(|whole| whole.fragment.is_none()) {
                Some(whole) => self.transport(&whole, at),
                None => self.unread.add(Cause::Broken("IP header"), at.packet, payload.len() as u64),
            }
        }
    }

    /// Hands on the start of a datagram whose fragments were not all seen, and tells the rest. Its
    /// missing bytes are told by the receiver as bytes cut off.
    fn incomplete(&mut self, incomplete: &Incomplete, out: &mut Out<'_>, visit: &mut Visit<'_>) {
        let Incomplete { source, destination, protocol, ref start, .. } = *incomplete;
        let readable = matches!(protocol, protocol::TCP | protocol::UDP) && start.len() >= 20;
        tell_incomplete(incomplete, readable, out);
        if !readable {
            return;
        }
        // Where the last fragment was not seen, only UDP says how long the datagram is.
        let unknown = if protocol == protocol::UDP { u32::from(u16::MAX) } else { 0 };
        let missing = incomplete.length.map_or(unknown, |length| length.saturating_sub(start.len() as u32));
        let datagram = Datagram { source, destination, protocol, payload: start, missing, fragment: None };
        let Seen { number, time, ref app } = incomplete.seen;
        let packet = Packet { number, time, link: 0, data: &[], original: 0, app: app.clone() };
        // Tunnels stay wrapped here: fragments in fragments would call this again and again.
        let mut at = At { packet: &packet, out, visit, depth: 0 };
        match protocol {
            protocol::TCP => self.deliver(tcp(&datagram).map(Payload::Tcp), "TCP header", &datagram, &mut at),
            _ => self.deliver(udp(&datagram).map(Payload::Udp), "UDP header", &datagram, &mut at),
        }
    }

    fn transport(&mut self, datagram: &Datagram<'_>, at: &mut At<'_, '_, '_, '_>) {
        let length = datagram.payload.len() as u64 + u64::from(datagram.missing);
        let tunnelled = match datagram.protocol {
            protocol::TCP => return self.deliver(tcp(datagram).map(Payload::Tcp), "TCP header", datagram, at),
            protocol::UDP => match udp(datagram) {
                Some(datagram) if datagram.tunnelled().is_some() => datagram.tunnelled(),
                whole => {
                    if let Some(datagram) = &whole {
                        self.listen(datagram, at);
                    }
                    return self.deliver(whole.map(Payload::Udp), "UDP header", datagram, at);
                }
            },
            protocol::IPV4 | protocol::IPV6 => Some(Frame::Ip(datagram.payload)),
            protocol::GRE => Some(tunnel::gre(datagram.payload)),
            _ => None,
        };
        if let Some(frame) = tunnelled {
            at.depth += 1;
            return self.frame(frame, length, at);
        }
        if is_control(datagram.protocol) {
            at.out.tally.control += 1;
        } else {
            self.unread.protocol(datagram, at.packet, length);
        }
        (at.visit)(other(datagram, length), at.packet, at.out);
    }

    /// Hands on a payload, or counts a header that is cut off.
    fn deliver(
        &mut self,
        payload: Option<Payload<'_>>,
        header: &'static str,
        datagram: &Datagram<'_>,
        at: &mut At<'_, '_, '_, '_>,
    ) {
        let length = datagram.payload.len() as u64 + u64::from(datagram.missing);
        if payload.is_none() {
            self.unread.add(Cause::Broken(header), at.packet, length);
        }
        (at.visit)(payload.unwrap_or_else(|| other(datagram, length)), at.packet, at.out);
    }
}

fn other(datagram: &Datagram<'_>, bytes: u64) -> Payload<'static> {
    let Datagram { protocol, source, destination, .. } = *datagram;
    Payload::Other { protocol, source, destination, bytes }
}

fn heard(packet: &Packet<'_>) -> Heard {
    Heard { packet: packet.number, time: packet.time.unwrap_or(UNTIMED) }
}

/// True for addresses that name a group or everyone; the last address of a network mostly ends in 255.
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.octets()[3] == 255,
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Protocols by which hosts and routers speak of the network itself.
fn is_control(number: u8) -> bool {
    use protocol::{EIGRP, ICMP, ICMPV6, IGMP, NO_NEXT, OSPF, PIM, VRRP};
    matches!(number, ICMP | IGMP | ICMPV6 | NO_NEXT | EIGRP | OSPF | PIM | VRRP)
}

fn tell_incomplete(incomplete: &Incomplete, readable: bool, out: &mut Out<'_>) {
    let server = Endpoint { address: Some(incomplete.destination), port: None, name: None };
    out.damage_outside(Damage {
        exhibit: out.exhibit,
        place: format!("packet {}", incomplete.seen.number),
        time: incomplete.seen.time,
        server: Some(server),
        bytes: (!readable).then_some(u64::from(incomplete.bytes)),
        reason: "fragments of an IP packet whose other fragments are missing".to_owned(),
    });
}

/// RFC 9293 section 3.1. A header cut within its options loses its payload, not its numbers.
fn tcp<'a>(datagram: &Datagram<'a>) -> Option<TcpSegment<'a>> {
    let data = datagram.payload;
    let head = data.get(..20)?;
    let header = usize::from(head[12] >> 4) * 4;
    let length = data.len() + datagram.missing as usize;
    let content = length.checked_sub(header).filter(|_| header >= 20)?;
    let payload = data.get(header..).unwrap_or_default();
    let flags = TcpFlags(head[13]);
    let acknowledgement = be32(head, 8)?;
    Some(TcpSegment {
        source: (datagram.source, be16(head, 0)?),
        destination: (datagram.destination, be16(head, 2)?),
        sequence: be32(head, 4)?,
        acknowledgement: flags.ack().then_some(acknowledgement),
        flags,
        window: be16(head, 14)?,
        payload,
        missing: (content - payload.len()) as u32,
    })
}

/// RFC 768. Length 0 stands for a jumbogram (RFC 2675) and for segmentation offload.
fn udp<'a>(datagram: &Datagram<'a>) -> Option<UdpDatagram<'a>> {
    let data = datagram.payload;
    let recorded = data.get(8..)?;
    let length = match be16(data, 4)? {
        0 => data.len() + datagram.missing as usize,
        length => usize::from(length),
    };
    let content = length.checked_sub(8)?;
    let payload = recorded.get(..content).unwrap_or(recorded);
    Some(UdpDatagram {
        source: (datagram.source, be16(data, 0)?),
        destination: (datagram.destination, be16(data, 2)?),
        payload,
        missing: (content - payload.len()).min(datagram.missing as usize) as u32,
    })
}

impl<'a> UdpDatagram<'a> {
    /// The packet inside, where this is a tunnel's.
    fn tunnelled(&self) -> Option<Frame<'a>> {
        tunnel::udp(self.source.1, self.destination.1, self.payload, self.missing > 0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::ip::tests::{packet4, packet6};
    use super::*;
    use crate::testing::{Got, collect};
    use dyetrace_case::{Time, Transport};

    /// A UDP header and `payload`.
    pub(crate) fn udp_packet(destination: u16, payload: &[u8]) -> Vec<u8> {
        let length = 8 + payload.len() as u16;
        let [destination, length] = [destination.to_be_bytes(), length.to_be_bytes()];
        [&[0x9c, 0x40], &destination[..], &length, &[0, 0], payload].concat()
    }

    /// A TCP header with ACK set and `payload`.
    pub(crate) fn tcp_packet(payload: &[u8]) -> Vec<u8> {
        let head = [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x18, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1];
        [&head, payload].concat()
    }

    /// Packets of raw IP in, texts of payloads out.
    fn payloads(packets: &[Vec<u8>]) -> (Vec<String>, Got) {
        let mut seen = Vec::new();
        let got = collect(Limits::default(), |out| {
            let mut network = Network::new(out.limits);
            for (index, data) in packets.iter().enumerate() {
                let time = Some(Time(0));
                let original = data.len() as u32;
                let packet = Packet { number: index as u64 + 1, time, link: 101, data, original, app: None };
                network.packet(&packet, out, &mut |payload, _, _| seen.push(describe(&payload)));
            }
            network.end(out, &mut |payload, _, _| seen.push(describe(&payload)));
        });
        (seen, got)
    }

    fn describe(payload: &Payload<'_>) -> String {
        let (kind, payload, missing) = match payload {
            Payload::Tcp(segment) => ("tcp", segment.payload, segment.missing),
            Payload::Udp(datagram) => ("udp", datagram.payload, datagram.missing),
            Payload::Other { protocol, bytes, .. } => return format!("protocol {protocol}, {bytes} bytes"),
        };
        let missing = if missing > 0 { format!(" and {missing} missing") } else { String::new() };
        format!("{kind} {}{missing}", String::from_utf8_lossy(payload))
    }

    #[test]
    fn transport_headers_are_taken_off() {
        let tcp = packet4(6, 1, 0, &tcp_packet(b"hello"));
        let udp = packet6(17, &udp_packet(53, b"question"));
        let (seen, got) = payloads(&[tcp.clone(), udp.clone(), tcp[..46].to_vec(), tcp[..42].to_vec()]);
        assert_eq!(seen, ["tcp hello", "udp question", "tcp he and 3 missing", "tcp  and 5 missing"]);
        assert_eq!((got.tally.packets, got.damages.len()), (4, 0));
        let (seen, got) = payloads(&[tcp[..39].to_vec(), packet4(17, 1, 0, b"short")]);
        assert_eq!(seen, ["protocol 6, 29 bytes", "protocol 17, 5 bytes"]);
        let reasons: Vec<_> = got.damages.iter().map(|damage| damage.reason.as_str()).collect();
        assert_eq!(reasons, ["TCP header cut off or broken", "UDP header cut off or broken"]);
    }

    #[test]
    fn a_udp_length_shorter_than_the_packet_cuts_it() {
        let mut packet = udp_packet(9, b"inside outside");
        packet[4..6].copy_from_slice(&14u16.to_be_bytes());
        assert_eq!(payloads(&[packet4(17, 1, 0, &packet)]).0, ["udp inside"]);
    }

    #[test]
    fn fragments_become_one_payload() {
        let datagram = udp_packet(9, b"a text in several fragments");
        let piece = |at: usize, end: usize, more: bool| {
            packet4(17, 5, (at / 8) as u16 | if more { 0x2000 } else { 0 }, &datagram[at..end])
        };
        let (seen, got) = payloads(&[piece(24, 35, false), piece(0, 8, true), piece(8, 24, true)]);
        assert_eq!((seen.as_slice(), got.damages.len()), (&["udp a text in several fragments".to_owned()][..], 0));
        let (seen, got) = payloads(&[piece(24, 35, false), piece(0, 8, true)]);
        assert_eq!((seen.len(), got.damages[0].bytes, got.damages[0].place.as_str()), (0, Some(19), "packet 1"));
    }

    #[test]
    fn of_an_incomplete_datagram_the_start_is_read() {
        let datagram = udp_packet(9, b"a text in several fragments");
        let first = packet4(17, 5, 0x2000, &datagram[..24]);
        let last = packet4(17, 5, 4, &datagram[32..]);
        let (seen, got) = payloads(&[first.clone(), last]);
        assert_eq!(seen, ["udp a text in severa and 11 missing"]);
        assert_eq!((got.damages.len(), got.damages[0].bytes), (1, None));
        assert_eq!(payloads(&[first]).0, ["udp a text in severa and 11 missing"], "UDP says its length itself");
    }

    #[test]
    fn a_fragmented_ipv6_packet_becomes_one_payload() {
        let datagram = udp_packet(9, b"sixteen bytes..!and more");
        let piece =
            |bits: u16, bytes: &[u8]| packet6(44, &[&[17, 0], &bits.to_be_bytes()[..], &[0, 0, 0, 7], bytes].concat());
        let (seen, _) = payloads(&[piece(1, &datagram[..24]), piece(24, &datagram[24..])]);
        assert_eq!(seen, ["udp sixteen bytes..!and more"]);
    }

    #[test]
    fn tunnels_in_tunnels_are_unwrapped_to_a_depth() {
        let mut packet = packet4(17, 1, 0, &udp_packet(53, b"deep"));
        for _ in 0..3 {
            packet = packet4(4, 1, 0, &packet);
            packet = packet6(47, &[&[0, 0, 8, 0], packet.as_slice()].concat());
        }
        packet = packet4(41, 1, 0, &packet);
        packet =
            packet4(17, 1, 0, &udp_packet(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &[0; 12], &[8, 0], &packet].concat()));
        assert_eq!(payloads(std::slice::from_ref(&packet)).0, ["udp deep"]);
        let (seen, got) = payloads(&[packet4(4, 1, 0, &packet)]);
        assert_eq!(seen, Vec::<String>::new());
        assert_eq!(got.damages[0].reason, "tunnels nested deeper than 8");
    }

    #[test]
    fn what_is_no_tunnel_on_a_tunnels_port_is_a_datagram() {
        assert_eq!(payloads(&[packet4(17, 1, 0, &udp_packet(4789, b"hello"))]).0, ["udp hello"]);
    }

    /// 802.11 frames in, what came out.
    fn wireless_frames(frames: &[Vec<u8>]) -> Got {
        collect(Limits::default(), |out| {
            let mut network = Network::new(out.limits);
            for (index, data) in frames.iter().enumerate() {
                let (number, original) = (index as u64 + 1, data.len() as u32);
                let packet = Packet { number, time: Some(Time(0)), link: 105, data, original, app: None };
                network.packet(&packet, out, &mut |_, _, _| ());
            }
            network.end(out, &mut |_, _, _| ());
        })
    }

    #[test]
    fn encrypted_wireless_frames_are_opaque_between_two_cards() {
        let (one, other, point) = ([2u8, 0, 0, 0, 0, 1], [2u8, 0, 0, 0, 0, 2], [2u8, 0, 0, 0, 0, 3]);
        let frame = |to: [u8; 6], from: [u8; 6], length| {
            [&[8, 0x42, 0, 0][..], &to, &point, &from, &[0, 0], &vec![7; length]].concat()
        };
        let got = wireless_frames(&[frame(other, one, 100), frame(one, other, 30), frame(other, one, 5)]);
        let [opaque] = got.opaque.as_slice() else { panic!("both directions are one: {:?}", got.opaque) };
        assert_eq!((opaque.bytes_sent, opaque.bytes_received, opaque.transport), (105, 30, Transport::Wireless));
        let name = opaque.client.name.as_ref().map(|(name, _)| name.as_str());
        assert_eq!((name, opaque.id.0.as_str()), (Some("02:00:00:00:00:01"), "wireless:0"));
        assert_eq!(got.tally.payload, got.tally.opaque);
        assert!(wireless_frames(&[vec![8, 0x42, 0]]).damages[0].reason.starts_with("802.11 header"));
    }

    #[test]
    fn other_protocols_are_opaque_and_control_is_counted() {
        let mut answer = packet4(50, 1, 0, &[0; 30]);
        answer[12..20].rotate_left(4);
        let (seen, got) = payloads(&[packet4(50, 1, 0, &[0; 100]), answer, packet4(1, 1, 0, b"ping")]);
        assert_eq!(seen.len(), 3);
        assert_eq!(got.tally.control, 1);
        let [opaque] = got.opaque.as_slice() else { panic!("both directions are one: {:?}", got.opaque) };
        assert_eq!((opaque.bytes_sent, opaque.bytes_received, opaque.transport), (100, 30, Transport::Ip(50)));
        assert_eq!(opaque.reason, "IP protocol 50 (ESP) is not read");
    }
}
