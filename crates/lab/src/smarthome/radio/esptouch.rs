//! ESP-Touch, the first version, as a device hears it.

use super::{Ear, Heard};
use crate::provisioning::crc8;

const SHORTEST: u16 = 40;
const HEAD: usize = 9;

/// Bytes by their place in the list.
#[derive(Default)]
pub(super) struct EspTouch {
    last: [u16; 3],
    bytes: Vec<Option<u8>>,
}

impl Ear for EspTouch {
    fn hear(&mut self, length: u16) -> Option<Heard> {
        self.last = [self.last[1], self.last[2], length.checked_sub(SHORTEST).unwrap_or(u16::MAX)];
        let (place, value) = byte(self.last)?;
        if self.bytes.len() <= place {
            self.bytes.resize(place + 1, None);
        }
        self.bytes[place] = Some(value);
        understood(&self.bytes)
    }
}

/// Three lengths: a half of the byte with a half of the CRC, the place, the other halves.
fn byte([high, place, low]: [u16; 3]) -> Option<(usize, u8)> {
    let [high, low] = [u8::try_from(high).ok()?, u8::try_from(low).ok()?];
    let place = u8::try_from(place.checked_sub(0x100)?).ok()?;
    let (value, crc) = (high << 4 | low & 15, high & 0xf0 | low >> 4);
    (crc == crc8(&[value, place])).then_some((place.into(), value))
}

/// The list begins with its length, and all its bytes cancel out.
fn understood(bytes: &[Option<u8>]) -> Option<Heard> {
    let total = usize::from((*bytes.first()?)?);
    let list: Vec<u8> = bytes.get(..total)?.iter().copied().collect::<Option<_>>()?;
    let text = list.get(HEAD..)?;
    let (password, ssid) = text.split_at_checked(usize::from(list[1]))?;
    let right = list.iter().fold(0, |parity, byte| parity ^ byte) == 0 && list[2] == crc8(ssid) && !ssid.is_empty();
    right.then(|| Heard { ssid: ssid.to_vec(), password: password.to_vec(), random: None })
}
