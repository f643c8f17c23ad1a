//! ESP-Touch, the second version, as a device hears it. The lab's app has no key for it.

use super::{Ear, Heard};
use crate::provisioning::crc8;
use std::collections::BTreeMap;

const SYNC: u16 = 1048;
const SIZES: std::ops::Range<u16> = 1072..1072 + 64;
const NUMBERS: std::ops::Range<u16> = 128..192;
/// Lengths of one group.
const PLANES: usize = 8;
/// The head is heard as the group before the first.
const HEAD: u16 = u16::MAX;

/// Groups of bit planes by their number.
#[derive(Default)]
pub(super) struct EspTouch2 {
    size: u16,
    /// Nothing is known of lengths before the first number.
    current: Option<u16>,
    planes: [Option<u8>; PLANES],
    groups: BTreeMap<u16, [u8; PLANES]>,
}

impl Ear for EspTouch2 {
    fn hear(&mut self, length: u16) -> Option<Heard> {
        match length {
            SYNC => self.turn_to(HEAD),
            _ if SIZES.contains(&length) => self.size = length - SIZES.start,
            _ if NUMBERS.contains(&length) => self.turn_to(length - NUMBERS.start),
            _ if length & 64 != 0 => {
                *self.planes.get_mut(usize::from(length >> 7))? = Some((length & 63) as u8);
                self.keep();
                return self.understood();
            }
            _ => {}
        }
        None
    }
}

impl EspTouch2 {
    fn turn_to(&mut self, group: u16) {
        if self.current != Some(group) || group == HEAD {
            self.planes = [None; PLANES];
        }
        self.current = Some(group);
    }

    fn keep(&mut self) {
        if let (true, Some(group)) = (self.planes.iter().all(Option::is_some), self.current) {
            let planes = self.planes.map(Option::unwrap_or_default);
            self.groups.insert(group, planes);
            self.planes = [None; PLANES];
        }
    }

    fn understood(&self) -> Option<Heard> {
        let head = bytes(*self.groups.get(&HEAD)?, PLANES);
        let (fields, crc) = head.split_at_checked(5)?;
        if crc != [crc8(fields)] || self.groups.len() <= usize::from(self.size) {
            return None;
        }
        let [ssid, password, reserved] =
            [fields[0], fields[1], fields[2]].map(|length| (usize::from(length & 0x7f), length < 0x80));
        let mut next = 0;
        // What is ASCII as a whole is spelt as a whole.
        let before =
            if password.1 && reserved.1 { vec![(password.0 + reserved.0, true)] } else { vec![password, reserved] };
        let before: Vec<_> =
            before.into_iter().map(|section| self.section(section, &mut next)).collect::<Option<_>>()?;
        let ssid = self.section(ssid, &mut next)?;
        let password = before.concat().get(..password.0)?.to_vec();
        (next == self.size && !ssid.is_empty()).then_some(Heard { ssid, password, random: None })
    }

    /// Bytes that are spelt together: six to a group where all are ASCII, else five.
    fn section(&self, (length, is_ascii): (usize, bool), next: &mut u16) -> Option<Vec<u8>> {
        let width = if is_ascii { 6 } else { 5 };
        let mut text = Vec::new();
        while text.len() < length {
            let planes = *self.groups.get(next)?;
            let mut group = bytes(planes, if is_ascii { PLANES - 1 } else { PLANES });
            let crc = if is_ascii { planes[PLANES - 1] } else { group.pop()? };
            group.truncate(width);
            let expected = if is_ascii { crc8(&group) & 63 } else { crc8(&group) };
            if crc != expected {
                return None;
            }
            text.extend(group);
            *next += 1;
        }
        text.truncate(length);
        Some(text)
    }
}

/// Six bytes of as many bits as there are planes; the first byte is the highest bit of each plane.
fn bytes(planes: [u8; PLANES], count: usize) -> Vec<u8> {
    let bit = |byte: usize, plane: usize| (planes[plane] >> (5 - byte) & 1) << plane;
    (0..6).map(|byte| (0..count).fold(0, |value, plane| value | bit(byte, plane))).collect()
}
