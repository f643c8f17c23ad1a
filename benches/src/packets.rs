//! TCP segments in Ethernet frames around the bytes of a connection, with the small accidents of a
//! real network: now and then a segment comes twice, or after the one that follows it.

use crate::random::Random;
use crate::session::{Flight, Side};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Payload of a full segment: 1500 less IPv4 and TCP headers and the time-stamp option.
const SEGMENT: usize = 1448;
const RARELY: usize = 400;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PUSH_ACK: u8 = 0x18;
const FIN_ACK: u8 = 0x11;

/// The frames of one connection from SYN to FIN, each ready to be written.
pub(crate) fn frames(number: usize, flights: &[Flight], random: &mut Random) -> Vec<Vec<u8>> {
    let mut wire = Wire::new(number, random);
    wire.send(Side::Client, SYN, &[]);
    wire.send(Side::Server, SYN | ACK, &[]);
    wire.send(Side::Client, ACK, &[]);
    for flight in flights {
        wire.flight(flight, random);
    }
    for side in [Side::Client, Side::Server] {
        wire.send(side, FIN_ACK, &[]);
    }
    wire.send(Side::Client, ACK, &[]);
    wire.frames
}

struct Wire {
    addresses: [IpAddr; 2],
    ports: [u16; 2],
    /// The next sequence number of each side.
    next: [u32; 2],
    clock: u32,
    frames: Vec<Vec<u8>>,
}

impl Wire {
    fn new(number: usize, random: &mut Random) -> Self {
        let port = 20_000 + (number % 40_000) as u16;
        Self {
            addresses: addresses(number),
            ports: [port, 443],
            next: [random.next() as u32, random.next() as u32],
            clock: random.next() as u32,
            frames: Vec::new(),
        }
    }

    fn flight(&mut self, flight: &Flight, random: &mut Random) {
        let other = if flight.side == Side::Client { Side::Server } else { Side::Client };
        let mut segments = flight.bytes.chunks(SEGMENT).peekable();
        let mut count = 0;
        while let Some(segment) = segments.next() {
            let flags = if segments.peek().is_none() { PUSH_ACK } else { ACK };
            self.send(flight.side, flags, segment);
            count += 1;
            if random.once_in(RARELY) {
                self.repeat_last();
            } else if count % 2 == 0 {
                let late = random.once_in(RARELY);
                if late {
                    self.swap_last_two();
                }
                self.send(other, ACK, &[]);
            }
        }
    }

    fn repeat_last(&mut self) {
        self.frames.extend(self.frames.last().cloned());
    }

    fn swap_last_two(&mut self) {
        if let Some(at) = self.frames.len().checked_sub(2) {
            self.frames.swap(at, at + 1);
        }
    }

    fn send(&mut self, side: Side, flags: u8, payload: &[u8]) {
        let from = side as usize;
        let tcp = self.segment(from, flags, payload);
        let consumed = payload.len() as u32 + u32::from(flags & (SYN | 1) != 0);
        self.next[from] = self.next[from].wrapping_add(consumed);
        self.clock = self.clock.wrapping_add(1);
        self.frames.push(frame(self.addresses[from], self.addresses[1 - from], tcp));
    }

    fn segment(&self, from: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(32 + payload.len());
        tcp.extend(self.ports[from].to_be_bytes());
        tcp.extend(self.ports[1 - from].to_be_bytes());
        tcp.extend(self.next[from].to_be_bytes());
        let acknowledged = if flags & ACK == 0 { 0 } else { self.next[1 - from] };
        tcp.extend(acknowledged.to_be_bytes());
        tcp.extend([0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10]);
        tcp.extend(self.clock.to_be_bytes());
        tcp.extend(self.clock.wrapping_sub(1).to_be_bytes());
        tcp.extend(payload);
        tcp
    }
}

/// Every eighth connection is IPv6. All addresses are from the ranges reserved for documentation.
fn addresses(number: usize) -> [IpAddr; 2] {
    let (low, high) = (number as u8, (number >> 8) as u8);
    if number % 8 == 7 {
        let address = |net, last| Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, last).into();
        return [address(1, number as u16), address(2, number as u16 % 16 + 1)];
    }
    [Ipv4Addr::new(10, 9, high, low).into(), Ipv4Addr::new(203, 0, 113, low % 32 + 1).into()]
}

fn frame(from: IpAddr, to: IpAddr, mut tcp: Vec<u8>) -> Vec<u8> {
    let length = tcp.len() as u16;
    let sum = sum(&octets(from)) + sum(&octets(to)) + 6 + u64::from(length) + sum(&tcp);
    tcp[16..18].copy_from_slice(&checksum(sum));
    let mut frame = vec![2, 0, 0x5e, 0, 0, 1, 2, 0, 0x5e, 0, 0, 2];
    if from.is_ipv4() {
        let mut ip = vec![0x45, 0];
        ip.extend((length + 20).to_be_bytes());
        ip.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        ip.extend(octets(from));
        ip.extend(octets(to));
        let sum = self::sum(&ip);
        ip[10..12].copy_from_slice(&checksum(sum));
        frame.extend([8, 0]);
        frame.extend(ip);
    } else {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(length.to_be_bytes());
        frame.extend([6, 64]);
        frame.extend(octets(from));
        frame.extend(octets(to));
    }
    frame.extend(tcp);
    frame
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The sum of 16-bit words of RFC 1071, before folding.
fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0))).sum()
}

fn checksum(mut sum: u64) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
