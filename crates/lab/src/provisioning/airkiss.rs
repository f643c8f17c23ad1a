//! `AirKiss`, as `WeChat` uses it.
//!
//! Source: the public Java encoder of zhchbin's `WeChatAirKiss`, and heyuanjie87's `airkissOpen`
//! (Apache-2.0), which also has recordings of a phone.

use super::{Credentials, Datagram, block, crc8, everybody, nibbles};
use std::time::Duration;

/// Where datagrams go, and where the device's answer does.
pub const PORT: u16 = 10_000;

const PAUSE: Duration = Duration::from_millis(4);

/// The datagrams of one attempt: five times the guide, what there is to say, and fifteen rounds of data.
/// The device answers with `random`, which the app chooses below 127.
pub fn datagrams(credentials: &Credentials, random: u8) -> impl Iterator<Item = Datagram> + use<> {
    let guide = [1, 2, 3, 4].repeat(50);
    let announcement = announcement(credentials).repeat(20);
    let data = round(credentials, random).repeat(15);
    let lengths = [guide, announcement, data].concat().repeat(5);
    lengths.into_iter().map(|length| Datagram { to: everybody(PORT), length, fill: 0, pause: PAUSE })
}

/// What a device broadcasts once it has joined: the random byte and its own address.
pub fn answer(random: u8, mac: [u8; 6]) -> Vec<u8> {
    [&[random][..], &mac].concat()
}

/// True for an answer to the attempt with this random byte.
pub fn is_answer(bytes: &[u8], random: u8) -> bool {
    bytes.first() == Some(&random)
}

/// Length of all data and CRC of the network's name. A first length of 0 could not be heard, so it is 8.
fn announcement(credentials: &Credentials) -> [u16; 4] {
    let total = credentials.password.len() + 1 + credentials.ssid.len();
    let mut lengths = nibbles(total as u8, crc8(&credentials.ssid), [0, 1, 2, 3]);
    if lengths[0] == 0 {
        lengths[0] = 8;
    }
    lengths
}

/// Length of the password with its CRC, then password, random byte and name in blocks of four.
fn round(credentials: &Credentials, random: u8) -> Vec<u16> {
    let Credentials { ssid, password, .. } = credentials;
    let length = password.len() as u8;
    let data = [password, &[random][..], ssid].concat();
    let blocks = (0..).zip(data.chunks(4)).flat_map(|(number, bytes)| block(number, bytes, bytes));
    nibbles(length, crc8(&[length]), [4, 5, 6, 7]).into_iter().chain(blocks).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{credentials, duration};
    use super::*;

    /// What a phone really sent for the password 123 and the name FAST_157, from airkissOpen's recording
    /// `doc/时间特征.txt` of 802.11 frames, each 80 bytes longer than its datagram. The random byte was U.
    #[test]
    fn a_recorded_phone_s_lengths_are_ours() {
        let home = Credentials::new("FAST_157", "123", [0; 6], [0; 4].into()).unwrap();
        let heard = |lengths: &[u16]| lengths.iter().map(|length| length - 80).collect::<Vec<_>>();
        assert_eq!(announcement(&home).to_vec(), heard(&[88, 108, 112, 133]));
        let round = round(&home, b'U');
        assert_eq!(round[..4], heard(&[144, 163, 190, 194]));
        assert_eq!(round[4..10], heard(&[282, 208, 385, 386, 387, 421]));
        assert_eq!(round[10..16], heard(&[246, 209, 406, 401, 419, 420]));
        assert_eq!(round[16..], heard(&[299, 210, 431, 385, 389, 391]));
    }

    #[test]
    fn an_attempt_is_five_passes() {
        let all: Vec<_> = datagrams(&credentials(), 7).collect();
        // 12 + 1 + 14 bytes are 6 whole blocks and one of three.
        let pass = 200 + 80 + 15 * (4 + 6 * 6 + 5);
        assert_eq!((all.len(), &all[..pass]), (5 * pass, &all[pass..2 * pass]));
        assert_eq!(all[200].length, 0x01, "27 is 0x1b");
        assert!((15..60).contains(&duration(all.into_iter()).as_secs()));
    }

    #[test]
    fn the_device_answers_with_the_random_byte() {
        assert!(is_answer(&answer(7, [2; 6]), 7));
        assert!(!is_answer(&answer(8, [2; 6]), 7) && !is_answer(&[], 7));
    }
}
