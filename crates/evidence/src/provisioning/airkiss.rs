//! `AirKiss`, as `WeChat` uses it.
//!
//! Source: the public Java encoder of zhchbin's `WeChatAirKiss`, and heyuanjie87's `airkissOpen`
//! (Apache-2.0). After the guide, fours of four bits say the length of all data with the CRC of the SSID, and
//! the length of the password with its own CRC. Data are the password, a random byte with which the device
//! answers, and the SSID, in blocks of four bytes.

use super::Fields;
use super::blocks::{Blocks, nibbles};
use super::votes::crc8;

/// What the app begins with.
pub(super) const GUIDE: [u16; 4] = [1, 2, 3, 4];

/// Reads lengths from which what the air adds was taken off.
pub(super) fn decode(lengths: &[u16]) -> Option<Fields> {
    let [total, ssid_crc] = announcement(lengths)?;
    let [password, crc] = nibbles(lengths, [4, 5, 6, 7])?;
    let (total, password_ends) = (usize::from(total), usize::from(password));
    let ssid_length = total.checked_sub(password_ends + 1)?;
    if crc8([password]) != crc || password_ends > 64 || !(1..=32).contains(&ssid_length) {
        return None;
    }
    let data = Blocks::listen(lengths, total).read(total, false)?;
    let ssid = data.get(password_ends + 1..)?;
    if crc8(ssid.iter().copied()) != ssid_crc {
        return None;
    }
    let mut fields = Fields::default();
    fields.add("ssid", Some(ssid));
    fields.add("password", data.get(..password_ends));
    Some(fields)
}

/// Length of all data and CRC of the SSID. The first four bits stand among the lengths of the guide, so only
/// those followed by the second count. 8 stands for 0, which could not be heard.
fn announcement(lengths: &[u16]) -> Option<[u8; 2]> {
    let is_announced = |pair: &&[u16]| pair[0] < 16 && pair[1] >> 4 == 1;
    let first = lengths.windows(2).filter(is_announced).map(|pair| if pair[0] == 8 { 0 } else { pair[0] });
    let rest = lengths.iter().copied().filter(|length| *length >= 16);
    nibbles(&first.chain(rest).collect::<Vec<_>>(), [0, 1, 2, 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a phone really sent for the password 123 and the name FAST_157, as lengths of 802.11 frames, from
    /// airkissOpen's recording `doc/时间特征.txt`: what is announced, and one round of data.
    const ANNOUNCED: [u16; 4] = [88, 108, 112, 133];
    const ROUND: [u16; 22] =
        [144, 163, 190, 194, 282, 208, 385, 386, 387, 421, 246, 209, 406, 401, 419, 420, 299, 210, 431, 385, 389, 391];
    /// What the air added to each.
    const ADDED: u16 = 80;

    fn heard(lengths: &[u16]) -> Vec<u16> {
        lengths.iter().map(|length| length - ADDED).collect()
    }

    #[test]
    fn a_recorded_phone_is_understood() {
        let lengths = heard(&[&ANNOUNCED[..], &ROUND, &ROUND].concat());
        let fields = decode(&lengths).map(|fields| fields.0).unwrap();
        assert_eq!(fields, [("ssid", b"FAST_157".to_vec()), ("password", b"123".to_vec())]);
    }

    #[test]
    fn what_was_heard_once_or_with_a_wrong_name_is_not_believed() {
        let once = heard(&[&ANNOUNCED[..], &ROUND].concat());
        assert!(decode(&once).is_none());
        let mut other = ANNOUNCED;
        other[3] += 1;
        let wrong = heard(&[&other[..], &ROUND, &ROUND].concat());
        assert!(decode(&wrong).is_none(), "the CRC of the SSID");
    }
}
