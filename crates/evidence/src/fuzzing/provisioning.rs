//! Lengths of frames of any senders.

use super::small_limits;
use crate::layer::{Out, Tally};
use crate::provisioning::{Heard, Path, Watch};
use dyetrace_case::{ExhibitId, Item, Time};
use dyetrace_tls::Decryptor;

/// Listens to lengths: three bytes each, the first for the sender and how often the length follows the last
/// eight again, then the length.
pub fn provisioning(data: &[u8]) {
    let (mut tally, mut tls) = (Tally::default(), Decryptor::default());
    let mut spelt = 0_usize;
    let mut sink = |item| {
        if let Item::Record(record) = item {
            let fields = record.request.iter().flat_map(|request| &request.headers);
            spelt += fields.map(|(_, value)| value.len()).sum::<usize>();
        }
        Ok(())
    };
    let mut out = Out::new(ExhibitId([0; 32]), small_limits(), &mut tls, &mut tally, &mut sink);
    let mut watch = Watch::default();
    let mut lengths: Vec<u16> = Vec::new();
    for (number, code) in data.as_chunks::<3>().0.iter().enumerate() {
        lengths.push(u16::from_le_bytes([code[1], code[2]]) & 0x0fff);
        let again = if code[0] & 0x80 == 0 { 1 } else { usize::from(code[0] >> 2 & 31) };
        let last = lengths.get(lengths.len().saturating_sub(8)..).unwrap_or_default();
        let last = if again == 1 { last.get(last.len() - 1..).unwrap_or_default() } else { last };
        for length in std::iter::repeat_n(last, again).flatten() {
            let heard = Heard { packet: number as u64, time: Time(number as i64) };
            watch.hear(path(code[0]), None, (*length, None), heard, &mut out);
        }
    }
    watch.end(&mut out);
    // No reading is longer than what 63 frames and a token may spell.
    assert!(spelt <= data.len().max(1) * 1024);
}

fn path(sender: u8) -> Path {
    let source = [2, 0, 0, 0, 0, sender & 2];
    if sender & 1 == 0 {
        Path::Udp { source: [10, 0, 0, 2].into(), destination: ([255; 4].into(), 7001) }
    } else {
        Path::Air { source, destination: [0xff; 6], bssid: [2; 6], down: true, header: 24 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_lengths_are_listened_to(data in prop::collection::vec(any::<u8>(), 0..600)) {
            provisioning(&data);
        }
    }
}
