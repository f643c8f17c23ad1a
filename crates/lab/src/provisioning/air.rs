//! What somebody near the phone hears of its datagrams, as a capture file.
//!
//! Radio is lossy: frames are missed, heard twice, or recorded out of order. Within a protected network
//! each is longer than its datagram by a number of bytes that depends on the cipher and the header.

use super::Datagram;
use crate::handmade::random::Random;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// How well somebody hears. Chances are in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ear {
    /// Frames that are missed.
    pub lost: u64,
    /// Frames that are heard twice.
    pub repeated: u64,
    /// Frames that are recorded behind the next.
    pub swapped: u64,
}

/// A datagram as heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// When, since the first was sent.
    pub at: Duration,
    /// What was sent.
    pub datagram: Datagram,
}

impl Ear {
    /// Listens; the same `seed` hears the same.
    pub fn listen(self, datagrams: impl IntoIterator<Item = Datagram>, seed: &str) -> Vec<Sound> {
        let mut random = Random::new(seed);
        let (mut heard, mut at) = (Vec::new(), Duration::ZERO);
        for datagram in datagrams {
            let times = match random.below(1000) {
                chance if chance < self.lost => 0,
                chance if chance < self.lost + self.repeated => 2,
                _ => 1,
            };
            heard.extend(std::iter::repeat_n(Sound { at, datagram }, times));
            at += datagram.pause;
        }
        for place in 1..heard.len() {
            if random.below(1000) < self.swapped {
                let (first, second) = (heard[place - 1].datagram, heard[place].datagram);
                (heard[place - 1].datagram, heard[place].datagram) = (second, first);
            }
        }
        heard
    }
}

const PCAP: [u8; 16] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// 2016-05-01, when plugs were set up like this.
const DAY: u64 = 1_462_060_800;
const PHONE: [u8; 6] = [0x02, 0x6f, 0x14, 0x88, 0xd2, 0x31];
const ACCESS_POINT: [u8; 6] = [0x02, 0x1a, 0x11, 0x50, 0x60, 0x70];

/// A pcap file as a neighbour's radio records it: radiotap, and frames that the access point repeats for all,
/// encrypted. Each is `added` bytes longer than its datagram, at least the 8 of the cipher's header; only the headers
/// are kept of it.
pub fn radiotap(heard: &[Sound], added: u16) -> Vec<u8> {
    // Version, length 9, flags present: none of them set.
    let recorder = [0, 0, 9, 0, 2, 0, 0, 0, 0];
    let frames = heard.iter().zip(0u16..).map(|(sound, number)| {
        // Data, from the access point, protected; to everybody, from it, for the phone.
        let control = [0x08, 0x42, 0, 0];
        let sequence = ((number & 0xfff) << 4).to_le_bytes();
        let addresses = [[0xff; 6], ACCESS_POINT, PHONE].concat();
        // The beginning of CCMP's header (IEEE 802.11-2020 section 12.5.3.2): packet number and key.
        let cipher = [number as u8, (number >> 8) as u8, 0, 0x60, 0, 0, 0, 0];
        let frame = [&recorder[..], &control, &addresses, &sequence, &cipher].concat();
        (sound.at, frame, u32::from(sound.datagram.length) + u32::from(added) + 33)
    });
    file(127, frames)
}

/// A pcap file as somebody within the network records it: Ethernet, IPv4 and UDP, whole.
pub fn ethernet(heard: &[Sound], phone: Ipv4Addr) -> Vec<u8> {
    let frames = heard.iter().map(|sound| {
        let Datagram { to, length, fill, .. } = sound.datagram;
        let payload = vec![fill; usize::from(length)];
        let frame = [&[0xff; 6][..], &PHONE, &[8, 0], &packet(phone, to, &payload)].concat();
        let original = frame.len() as u32;
        (sound.at, frame, original)
    });
    file(1, frames)
}

/// IPv4 and UDP without checksums, as cards that compute them leave them to a recorder.
fn packet(from: Ipv4Addr, to: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let length = |headers: u16| (payload.len() as u16 + headers).to_be_bytes();
    let internet =
        [&[0x45, 0][..], &length(28), &[0, 0, 0, 0, 64, 17, 0, 0], &from.octets(), &to.ip().octets()].concat();
    let datagram = [&51_000u16.to_be_bytes()[..], &to.port().to_be_bytes(), &length(8), &[0, 0], payload].concat();
    [internet, datagram].concat()
}

/// Frames with their time and their length on the wire.
fn file(link: u32, frames: impl Iterator<Item = (Duration, Vec<u8>, u32)>) -> Vec<u8> {
    let mut file = [&PCAP[..], &65535u32.to_le_bytes(), &link.to_le_bytes()].concat();
    for (at, frame, original) in frames {
        let seconds = (DAY + at.as_secs()) as u32;
        let fields = [seconds, at.subsec_micros(), frame.len() as u32, original];
        file.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
        file.extend(frame);
    }
    file
}
