//! Counts what the network layer does not read, so that it is told once and in full at the end.

use super::ip::{Datagram, protocol};
use super::link::NotRead;
use super::packets::Packet;
use super::wireless::Sealed;
use crate::layer::{Out, Span, UNTIMED};
use crate::provisioning::card;
use dyetrace_case::{Channel, Damage, Endpoint, Opaque, RecordId, Time, Transport};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;

/// Pairs of hosts told one by one.
const MOST_PAIRS: usize = 4096;

/// Why a packet gave no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// A link layer or network protocol that is not read.
    NotRead(NotRead),
    /// Headers that are cut off or make no sense.
    Broken(&'static str),
    /// More tunnels than the limit.
    TooDeep,
    /// IP protocols and encrypted frames beyond [`MOST_PAIRS`].
    ManyPairs,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRead(what) => write!(f, "{what} is not read"),
            Self::Broken(header) => write!(f, "{header} cut off or broken"),
            Self::TooDeep => f.write_str("tunnels nested deeper than 8"),
            Self::ManyPairs => {
                write!(f, "IP protocols and frames that are not read, beyond {MOST_PAIRS} pairs of hosts")
            }
        }
    }
}

/// What was not read so far.
#[derive(Default)]
pub(super) struct Unread {
    causes: BTreeMap<Cause, Count>,
    /// By first sender and first receiver.
    pairs: HashMap<Hosts, Pair>,
}

/// Who exchanged what is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Hosts {
    /// An IP protocol.
    Ip(u8, IpAddr, IpAddr),
    /// Encrypted 802.11 frames between network cards.
    Air([u8; 6], [u8; 6]),
}

struct Count {
    packets: u64,
    bytes: u64,
    number: u64,
    time: Option<Time>,
}

struct Pair {
    sent: u64,
    received: u64,
    number: u64,
    span: Span,
}

impl Unread {
    /// Counts a packet of `bytes`.
    pub(super) fn add(&mut self, cause: Cause, packet: &Packet<'_>, bytes: u64) {
        let (number, time) = (packet.number, packet.time);
        let count = self.causes.entry(cause).or_insert(Count { packets: 0, bytes: 0, number, time });
        count.packets += 1;
        count.bytes += bytes;
    }

    /// Counts the payload of an IP protocol that is not read.
    pub(super) fn protocol(&mut self, datagram: &Datagram<'_>, packet: &Packet<'_>, bytes: u64) {
        let Datagram { protocol, source, destination, .. } = *datagram;
        self.pair(Hosts::Ip(protocol, source, destination), Hosts::Ip(protocol, destination, source), packet, bytes);
    }

    /// Counts the body of an encrypted 802.11 frame.
    pub(super) fn sealed(&mut self, frame: &Sealed, packet: &Packet<'_>, bytes: u64) {
        let Sealed { source, destination, .. } = *frame;
        self.pair(Hosts::Air(source, destination), Hosts::Air(destination, source), packet, bytes);
    }

    fn pair(&mut self, key: Hosts, back: Hosts, packet: &Packet<'_>, bytes: u64) {
        if let Some(pair) = self.pairs.get_mut(&back).filter(|_| key != back) {
            pair.received += bytes;
            pair.span.add(packet.time.unwrap_or(UNTIMED));
            return;
        }
        if self.pairs.len() >= MOST_PAIRS && !self.pairs.contains_key(&key) {
            return self.add(Cause::ManyPairs, packet, bytes);
        }
        let fresh = Pair { sent: 0, received: 0, number: packet.number, span: Span::default() };
        let pair = self.pairs.entry(key).or_insert(fresh);
        pair.sent += bytes;
        pair.span.add(packet.time.unwrap_or(UNTIMED));
    }

    /// Tells everything, in the order in which it first occurred.
    pub(super) fn tell(&mut self, out: &mut Out<'_>) {
        let mut pairs: Vec<_> = std::mem::take(&mut self.pairs).into_iter().collect();
        pairs.sort_by_key(|(key, pair)| (pair.number, *key));
        for (index, (key, pair)) in pairs.into_iter().enumerate() {
            out.tally.payload += pair.sent + pair.received;
            let opaque = opaque(index, key, &pair, out);
            out.opaque(opaque);
        }
        let mut causes: Vec<_> = std::mem::take(&mut self.causes).into_iter().collect();
        causes.sort_by_key(|(cause, count)| (count.number, *cause));
        for (cause, count) in causes {
            out.damage_outside(damage(cause, &count, out));
        }
    }
}

fn opaque(index: usize, hosts: Hosts, pair: &Pair, out: &Out<'_>) -> Opaque {
    let endpoint = |address| Endpoint { address: Some(address), port: None, name: None };
    let (id, transport, [client, server], reason) = match hosts {
        Hosts::Ip(number, client, server) => {
            let name = name(number).map(|name| format!(" ({name})")).unwrap_or_default();
            let reason = format!("IP protocol {number}{name} is not read");
            ("ip", Transport::Ip(number), [client, server].map(endpoint), reason)
        }
        Hosts::Air(client, server) => {
            let reason = "802.11 data, encrypted by the wireless network".to_owned();
            ("wireless", Transport::Wireless, [client, server].map(card), reason)
        }
    };
    Opaque {
        id: RecordId(format!("{id}:{index}")),
        exhibit: out.exhibit,
        time: pair.span.first,
        last: pair.span.last,
        transport,
        client,
        server,
        channel: Channel::unknown(),
        app: None,
        bytes_sent: pair.sent,
        bytes_received: pair.received,
        reason,
    }
}

fn damage(cause: Cause, count: &Count, out: &Out<'_>) -> Damage {
    let more = if count.packets > 1 { format!(", in {} packets", count.packets) } else { String::new() };
    Damage {
        exhibit: out.exhibit,
        place: format!("packet {}", count.number),
        time: count.time,
        server: None,
        bytes: Some(count.bytes),
        reason: format!("{cause}{more}"),
    }
}

fn name(number: u8) -> Option<&'static str> {
    Some(match number {
        protocol::ESP => "ESP",
        protocol::SCTP => "SCTP",
        protocol::UDP_LITE => "UDP-Lite",
        _ => return None,
    })
}
