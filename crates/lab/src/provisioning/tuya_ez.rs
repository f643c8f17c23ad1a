//! Tuya's EZ mode, by broadcast.
//!
//! Source: the MIT-licensed `TuyaAPI/link` and `tuya-convert` (`scripts/smartconfig/broadcast.py`).

use super::{Credentials, Datagram, block, crc8, everybody, nibbles};
use std::iter;
use std::time::Duration;

/// Where datagrams go.
pub const PORT: u16 = 30_011;

/// What the cloud gave the app for this attempt. The device shows it to the cloud to be enrolled.
#[derive(Clone)]
pub struct Token {
    /// The cloud that the device shall speak to: `AZ` America, `AY` China, `EU` Europe …
    pub region: [u8; 2],
    /// Names the account and the attempt.
    pub token: [u8; 8],
    /// Proves that the device has it from the app.
    pub secret: [u8; 4],
}

/// The datagrams of one attempt: the guide 144 times, then thirty rounds of data, ever more slowly.
pub fn datagrams(credentials: &Credentials, token: &Token) -> impl Iterator<Item = Datagram> + use<> {
    let guide = (0..144).flat_map(|turn| {
        let pauses = [0, 0, 0, turn % 8 + 33];
        [1, 3, 6, 10].into_iter().zip(pauses)
    });
    let round = round(credentials, token);
    let data = (0..30).flat_map(move |turn| {
        // 0, 3, … 27, then from 6 on again, and a rest behind each round.
        let pause = if turn < 10 { turn * 3 } else { 6 + (turn - 10) % 8 * 3 };
        let pauses = iter::repeat_n(pause, round.len() - 1).chain([pause + 200]);
        round.clone().into_iter().zip(pauses.collect::<Vec<_>>())
    });
    guide.chain(data).map(|(length, pause)| {
        let pause = Duration::from_millis(pause);
        Datagram { to: everybody(PORT), length, fill: 0, pause }
    })
}

/// Length and its CRC, then password, token and name in blocks of four, the last filled up.
fn round(credentials: &Credentials, token: &Token) -> Vec<u16> {
    let Credentials { ssid, password, .. } = credentials;
    let token = [&token.region[..], &token.token, &token.secret].concat();
    let data = [&[password.len() as u8][..], password, &[token.len() as u8], &token, ssid].concat();
    let length = data.len() as u8;
    let blocks = (0..).zip(data.chunks(4)).flat_map(|(number, bytes)| {
        let mut filled = [0; 4];
        filled.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        block(number, &filled, &filled)
    });
    nibbles(length, crc8(&[length]), [1, 2, 3, 4]).into_iter().chain(blocks).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{credentials, duration};
    use super::*;

    fn token() -> Token {
        Token { region: *b"AZ", token: *b"00000000", secret: *b"0101" }
    }

    #[test]
    fn a_round_is_what_the_public_code_makes_of_the_same_credentials() {
        // As `encode_broadcast_body("password", "ssid", "AZ000000000101")` of tuya-convert gives it.
        let home = Credentials::new("ssid", "password", [0; 6], [0; 4].into()).unwrap();
        let round = round(&home, &token());
        let [length, crc] = [28, crc8(&[28])].map(u16::from);
        assert_eq!(round[..4], [0x10 | length >> 4, 0x20 | length & 15, 0x30 | crc >> 4, 0x40 | crc & 15]);
        assert_eq!(round.len(), 4 + 7 * 6);
        assert_eq!(round[4], u16::from(crc8(b"\0\x08pas") | 0x80));
        assert_eq!(round[5..10], [0x80, 0x108, 0x170, 0x161, 0x173]);
        assert_eq!(round[11..16], [0x81, 0x173, 0x177, 0x16f, 0x172]);
        assert_eq!(round[17..22], [0x82, 0x164, 0x10e, 0x141, 0x15a], "d, 14, AZ");
        assert_eq!(round[41..46], [0x86, 0x173, 0x173, 0x169, 0x164], "ssid");
    }

    #[test]
    fn an_attempt_is_the_guide_and_thirty_rounds() {
        let all: Vec<_> = datagrams(&credentials(), &token()).collect();
        // 1 + 12 + 1 + 14 + 14 bytes are 11 blocks.
        assert_eq!(all.len(), 4 * 144 + 30 * (4 + 11 * 6));
        assert_eq!(all[..4].iter().map(|datagram| datagram.length).collect::<Vec<_>>(), [1, 3, 6, 10]);
        assert!((20..80).contains(&duration(all.into_iter()).as_secs()));
    }
}
