//! Capture files and packets of any bytes.

use super::small_limits;
use crate::capture::{Network, Packet};
use crate::layer::{Out, Tally};
use dyetrace_case::{ExhibitId, Time};
use dyetrace_tls::Decryptor;

/// Link types that are read, and one that is not.
const LINKS: [u32; 20] = [0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 127, 204, 228, 239, 276, 105, 119, 163, 192];

/// Reads a whole file.
pub fn capture(data: &[u8]) {
    if let Ok(opened) = crate::open_bytes("fuzz", data) {
        let mut sink = |_| Ok(());
        crate::read(&opened, small_limits(), &mut Decryptor::default(), &mut sink, &mut |_| ());
    }
}

/// Takes apart packets: the first byte picks the link type, the rest is packets of a length in two
/// bytes each.
pub fn packet(data: &[u8]) {
    let Some((kind, mut rest)) = data.split_first() else { return };
    let (mut tally, mut tls, mut sink) = (Tally::default(), Decryptor::default(), |_| Ok(()));
    let mut out = Out::new(ExhibitId([0; 32]), small_limits(), &mut tls, &mut tally, &mut sink);
    let mut network = Network::new(out.limits);
    let mut number = 0;
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (data, after) = after.split_at(length);
        (rest, number) = (after, number + 1);
        let (link, original) = (LINKS[usize::from(kind % 20)], length as u32);
        let packet = Packet { number, time: Some(Time(0)), link, data, original, app: None };
        network.packet(&packet, &mut out, &mut |_, _, _| ());
    }
    network.end(&mut out, &mut |_, _, _| ());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::tests::{pcap_file, pcapng_file, tunnelled};
    use proptest::prelude::*;

    /// Overwrites some bytes of valid input.
    fn mutated(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
        (changes, any::<prop::sample::Index>()).prop_map(move |(changes, end)| {
            let mut bytes = valid.clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len() * 4).max(bytes.len() / 2));
            bytes
        })
    }

    fn framed(link: u8, packet: &[u8]) -> Vec<u8> {
        [&[link][..], &(packet.len() as u16).to_le_bytes(), packet].concat()
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_a_file(data in prop::collection::vec(any::<u8>(), 0..600)) {
            capture(&data);
            for magic in [&[0xd4, 0xc3, 0xb2, 0xa1][..], &[0x0a, 0x0d, 0x0d, 0x0a], &[0x1f, 0x8b, 8], &[0x28, 0xb5, 0x2f, 0xfd]] {
                capture(&[magic, &data].concat());
            }
        }

        #[test]
        fn changed_files_are_read(pcap in mutated(pcap_file()), pcapng in mutated(pcapng_file())) {
            capture(&pcap);
            capture(&pcapng);
        }

        #[test]
        fn any_bytes_are_taken_apart(data in prop::collection::vec(any::<u8>(), 0..300)) {
            packet(&data);
        }

        #[test]
        fn changed_packets_are_taken_apart(data in mutated(framed(7, &tunnelled()))) {
            packet(&data);
        }
    }
}
