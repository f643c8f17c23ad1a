//! ESP-Touch, the second version: groups of six bytes, bit by bit.
//!
//! Source: Espressif's public app `EsptouchForAndroid` (`EspProvisioningParams`, `TouchPacketUtils`). A
//! round begins with 1048, 1071 + the number of groups, and both again; then comes the head and then the groups,
//! each behind three times 128 + its number. Bit `b` of all six bytes together is the length
//! `b` << 7 | 64 | bits. Text below 128 has seven bits a byte and a CRC of six bits as the eighth; other
//! bytes go five to a group with a CRC as the sixth. The head is: lengths of SSID, password and reserved
//! bytes (highest bit: not all below 128), CRC of the BSSID, flags, CRC.

use super::Fields;
use super::votes::{Votes, crc8, likeliest};
use std::collections::HashMap;

const SYNC: u16 = 1048;
const SIZE: u16 = 1072;
/// Groups that the numbers can tell apart.
const GROUPS: usize = 64;
/// Bytes of the initialisation vector, and of those that are sent of it.
const VECTOR: usize = 16;
const VECTOR_SENT: usize = 20;

/// What the air may have added, learned from how a round begins.
pub(super) fn overheads(heard: &[u16]) -> Vec<u16> {
    let mut seen: HashMap<u16, u32> = HashMap::new();
    for pair in heard.windows(2) {
        let (low, high) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        let size = usize::from(high - low).checked_sub(usize::from(SIZE - SYNC));
        if low >= SYNC && size.is_some_and(|size| (1..GROUPS).contains(&size)) {
            *seen.entry(low - SYNC).or_default() += 1;
        }
    }
    likeliest(seen.into_iter().filter(|(_, count)| *count >= 2))
}

/// Reads lengths from which what the air adds was taken off.
pub(super) fn decode(lengths: &[u16]) -> Option<Fields> {
    let round = Round::listen(lengths);
    let head = round.planes(0)?;
    let head: Vec<u8> = (0..6).map(|place| byte(&head, place)).collect();
    let head = Head::read(&head)?;
    let size = usize::from(round.size.first()?);
    let sections = head.sections();
    if sections.iter().copied().map(Section::groups).sum::<usize>() != size {
        return None;
    }
    let mut at = 1;
    let mut read = Vec::new();
    for section in &sections {
        read.push(section.read(&round, at)?);
        at += section.groups();
    }
    head.fields(&read)
}

/// What was heard of one round: the head as group 0, and the numbered groups.
struct Round {
    size: Votes,
    groups: Vec<[Votes; 8]>,
}

impl Round {
    /// Within a group the bits come in order: one that does not follow belongs to a group whose number was
    /// not heard.
    fn listen(lengths: &[u16]) -> Self {
        let mut round = Self { size: Votes::default(), groups: vec![<[Votes; 8]>::default(); GROUPS + 1] };
        let (mut group, mut next) = (None, 0);
        for length in lengths {
            match *length {
                SYNC => (group, next) = (Some(0), 0),
                size if usize::from(size.saturating_sub(SIZE)).wrapping_sub(1) < GROUPS => {
                    round.size.add((size - SIZE) as u8, 1);
                    (group, next) = (Some(0), 0);
                }
                number @ 128..192 => (group, next) = (Some(usize::from(number) - 127), 0),
                plane @ 64..1024 if plane & 64 != 0 => {
                    let index = usize::from(plane >> 7);
                    if index < next {
                        // A frame heard twice is no news; another one is of a group unknown.
                        group = group.filter(|_| index + 1 == next);
                    }
                    let slot = group.and_then(|group: usize| round.groups.get_mut(group)?.get_mut(index));
                    if let Some(votes) = slot {
                        votes.add((plane & 63) as u8, 1);
                    }
                    next = index + 1;
                }
                _ => {}
            }
        }
        round
    }

    /// The bits of a group, each heard at least twice and more often than any others in its place.
    fn planes(&self, group: usize) -> Option<Vec<u8>> {
        let sure = |votes: &Votes| match votes.best(2)[..] {
            [(bits, count)] if count >= 2 => Some(bits),
            [(bits, count), (_, other)] if count >= 2 && count > other => Some(bits),
            _ => None,
        };
        self.groups.get(group)?.iter().map(sure).collect()
    }
}

/// The byte at `place` of the bits of six.
fn byte(planes: &[u8], place: usize) -> u8 {
    planes.iter().rev().fold(0, |byte, plane| byte << 1 | plane >> (5 - place) & 1)
}

/// What is said of the sections.
struct Head([u8; 6]);

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let head = *bytes.first_chunk::<6>()?;
        let [info @ .., crc] = head;
        (crc8(info) == crc).then_some(Self(head))
    }

    fn encrypted(&self) -> bool {
        self.security() != 0
    }

    fn security(&self) -> u8 {
        self.0[4] >> 1 & 3
    }

    fn password_length(&self) -> usize {
        usize::from(self.0[1] & 0x7f)
    }

    /// What is spelt together, in this order. The SSID is the last.
    fn sections(&self) -> Vec<Section> {
        let [ssid, password, reserved] = [0, 1, 2].map(|place| Section::of(self.0[place]));
        let both = password.length + reserved.length;
        let mut sections = if self.encrypted() {
            let opaque = |length| Section { length, ascii: false };
            let vector = if self.security() == 2 { VECTOR_SENT } else { 0 };
            vec![opaque((both / 16 + 1) * 16), opaque(vector)]
        } else if password.ascii && reserved.ascii {
            vec![Section { length: both, ascii: true }]
        } else {
            vec![password, reserved]
        };
        sections.push(ssid);
        sections
    }

    fn fields(&self, sections: &[Vec<u8>]) -> Option<Fields> {
        let (ssid, rest) = sections.split_last()?;
        let mut fields = Fields::default();
        fields.add("ssid", Some(ssid));
        if self.encrypted() {
            // Before the ciphertext, where a reader of ciphertexts looks for it.
            let vector = rest.get(1)?.get(..VECTOR).unwrap_or_default();
            fields.add("encrypted", Some(&[vector, rest.first()?].concat()));
        } else {
            let both = rest.concat();
            let (password, reserved) = both.split_at_checked(self.password_length())?;
            fields.add("password", Some(password));
            fields.add("reserved", (!reserved.is_empty()).then_some(reserved));
        }
        Some(fields)
    }
}

/// Bytes that are spelt together.
#[derive(Debug, Clone, Copy)]
struct Section {
    length: usize,
    ascii: bool,
}

impl Section {
    /// As the head says it.
    fn of(info: u8) -> Self {
        Self { length: usize::from(info & 0x7f), ascii: info & 0x80 == 0 }
    }

    fn width(self) -> usize {
        if self.ascii { 6 } else { 5 }
    }

    fn groups(self) -> usize {
        self.length.div_ceil(self.width())
    }

    /// The bytes, where the CRC of each of its groups from `first` on is right.
    fn read(self, round: &Round, first: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for group in first..first + self.groups() {
            let planes = round.planes(group)?;
            let (planes, crc) = if self.ascii { planes.split_at_checked(7)? } else { (&planes[..], &[][..]) };
            let group: Vec<u8> = (0..self.width()).map(|place| byte(planes, place)).collect();
            let right = match crc.first() {
                Some(crc) => crc8(group.iter().copied()) & 63 == *crc,
                None => crc8(group.iter().copied()) == byte(planes, 5),
            };
            bytes.extend(Some(group).filter(|_| right)?);
        }
        bytes.truncate(self.length);
        Some(bytes)
    }
}
