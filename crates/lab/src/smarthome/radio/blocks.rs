//! `AirKiss` and Tuya EZ, as a device hears them: numbered blocks of four bytes, and how many there are.

use super::{Ear, Heard};
use crate::provisioning::crc8;

/// Bytes of one block.
const BLOCK: usize = 4;

/// What the two schemes have in common.
pub(super) struct Blocks {
    scheme: Kind,
    last: [u16; 4],
    total: Option<usize>,
    /// `AirKiss`: CRC of the name and length of the password.
    name: Option<u8>,
    password: Option<usize>,
    block: Vec<u16>,
    bytes: Vec<Option<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    AirKiss,
    TuyaEz,
}

impl Ear for Blocks {
    fn hear(&mut self, length: u16) -> Option<Heard> {
        self.last.rotate_left(1);
        self.last[3] = length;
        self.announced();
        if length & 0x180 == 0x80 && self.block.len() != 1 {
            self.block = vec![length];
        } else {
            self.block.push(length);
        }
        self.block.truncate(2 + BLOCK);
        self.keep();
        self.understood()
    }
}

impl Blocks {
    pub(super) fn airkiss() -> Self {
        Self::new(Kind::AirKiss)
    }

    pub(super) fn tuya_ez() -> Self {
        Self::new(Kind::TuyaEz)
    }

    fn new(scheme: Kind) -> Self {
        let (block, bytes) = (Vec::new(), Vec::new());
        Self { scheme, last: [0; 4], total: None, name: None, password: None, block, bytes }
    }

    fn announced(&mut self) {
        match self.scheme {
            Kind::AirKiss => {
                // A first length of 0 is sent as 8.
                let last = if self.last[0] == 8 { [0, self.last[1], self.last[2], self.last[3]] } else { self.last };
                if let Some((total, name)) = nibbles(last, [0, 1, 2, 3]) {
                    (self.total, self.name) = (Some(total.into()), Some(name));
                }
                let password = nibbles(self.last, [4, 5, 6, 7]).filter(|(length, crc)| *crc == crc8(&[*length]));
                self.password = password.map(|(length, _)| length.into()).or(self.password);
            }
            Kind::TuyaEz => {
                let total = nibbles(self.last, [1, 2, 3, 4]).filter(|(length, crc)| *crc == crc8(&[*length]));
                self.total = total.map(|(length, _)| length.into()).or(self.total);
            }
        }
    }

    /// A block is kept when its CRC is right. The last one may be short, in `AirKiss`.
    fn keep(&mut self) {
        let (Some(total), [crc, number, bytes @ ..]) = (self.total, &self.block[..]) else { return };
        let number = number & 0x7f;
        let start = usize::from(number) * BLOCK;
        let expected = if self.scheme == Kind::AirKiss { BLOCK.min(total.saturating_sub(start)) } else { BLOCK };
        if bytes.len() != expected || !bytes.iter().all(|length| length & 0xff00 == 0x100) || start >= total {
            return;
        }
        let bytes: Vec<u8> = bytes.iter().map(|length| *length as u8).collect();
        // The highest bit of the CRC is lost to the mark.
        if u16::from(crc8(&[&[number as u8], &bytes[..]].concat()) | 0x80) == *crc {
            self.bytes.resize(self.bytes.len().max(start + bytes.len()), None);
            self.bytes[start..start + bytes.len()].iter_mut().zip(bytes).for_each(|(place, byte)| *place = Some(byte));
        }
    }

    fn understood(&self) -> Option<Heard> {
        let bytes: Vec<u8> = self.bytes.get(..self.total?)?.iter().copied().collect::<Option<_>>()?;
        match self.scheme {
            Kind::AirKiss => {
                let (password, rest) = bytes.split_at_checked(self.password?)?;
                let (random, ssid) = rest.split_first()?;
                let right = !ssid.is_empty() && self.name == Some(crc8(ssid));
                right.then(|| Heard { ssid: ssid.to_vec(), password: password.to_vec(), random: Some(*random) })
            }
            Kind::TuyaEz => {
                let (password, rest) = with_length(&bytes)?;
                let (_token, ssid) = with_length(rest)?;
                let heard = || Heard { ssid: ssid.to_vec(), password: password.to_vec(), random: None };
                (!ssid.is_empty()).then(heard)
            }
        }
    }
}

/// Length and CRC in four lengths, each under its mark.
fn nibbles(lengths: [u16; 4], marks: [u16; 4]) -> Option<(u8, u8)> {
    let marked = lengths.iter().zip(marks).all(|(length, mark)| length >> 4 == mark);
    let [a, b, c, d] = lengths.map(|length| (length & 15) as u8);
    marked.then_some((a << 4 | b, c << 4 | d))
}

/// Bytes behind their length, and what follows.
fn with_length(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}
