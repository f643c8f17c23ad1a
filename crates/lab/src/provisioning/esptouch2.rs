//! ESP-Touch, the second version.
//!
//! Source: Espressif's public app `EsptouchForAndroid` (`EspProvisioningParams`, `TouchPacketUtils`,
//! `TouchCRC`, `TouchAES`, `EspProvisionerImpl`).

use super::esptouch::PORT;
use super::{Credentials, Datagram, crc8, everybody, within};
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use std::time::Duration;

/// How long the app goes on sending.
pub const LASTS: Duration = Duration::from_secs(90);
/// Where the phone may wait for the device's answer; which one is said in the head. The answer is that of
/// the first version.
pub const ANSWER_PORTS: [u16; 4] = [18266, 28266, 38266, 48266];

/// For half of the time; then the app grows patient.
const QUICK: Duration = Duration::from_millis(15);
const SLOW: Duration = Duration::from_millis(100);
const SYNC: u16 = 1048;
const SIZE: u16 = 1072;

/// What an app sends besides the home's credentials.
#[derive(Clone, Default)]
pub struct Options {
    /// Bytes that the app's maker defines, at most 64.
    pub reserved: Vec<u8>,
    /// The app's key: with it, password and reserved bytes are encrypted.
    pub key: Option<[u8; 16]>,
    /// The initialisation vector, sent along (security 2); otherwise it is zero (security 1).
    pub vector: Option<[u8; 16]>,
    /// Which of [`ANSWER_PORTS`] the phone waits at.
    pub answer_port: u8,
}

/// The datagrams of one attempt.
pub fn datagrams(credentials: &Credentials, options: &Options) -> impl Iterator<Item = Datagram> + use<> {
    let round = round(credentials, options);
    let datagram = |pause| move |length| Datagram { to: everybody(PORT), length, fill: 0, pause };
    let rounds = round.into_iter().cycle();
    let quick = within(LASTS / 2, rounds.clone().map(datagram(QUICK)));
    quick.chain(within(LASTS / 2, rounds.map(datagram(SLOW))))
}

/// Bytes that are spelt together, and how.
struct Section {
    bytes: Vec<u8>,
    /// All bytes below 128: seven bits each, and six bytes to a group instead of five.
    ascii: bool,
}

impl Section {
    fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ascii: bytes.is_ascii() }
    }

    /// Groups of lengths: bit by bit, the lowest first, of all bytes of the group at once.
    fn groups(&self) -> impl Iterator<Item = Vec<u16>> {
        let width = if self.ascii { 6 } else { 5 };
        let filled = self.bytes.len().next_multiple_of(width);
        // The app fills up with random bytes below 127.
        let filling = (0..filled - self.bytes.len()).map(|place| crc8(&[place as u8, self.bytes.len() as u8]) & 63);
        let bytes: Vec<u8> = self.bytes.iter().copied().chain(filling).collect();
        let groups = bytes.chunks(width).map(|bytes| {
            let crc = crc8(bytes);
            if self.ascii {
                [planes(bytes, 7), vec![plane(7, crc)]].concat()
            } else {
                planes(&[bytes, &[crc]].concat(), 8)
            }
        });
        groups.collect::<Vec<_>>().into_iter()
    }
}

/// One length for each of the `count` lowest bits of six bytes; the first byte is the highest bit of it.
fn planes(bytes: &[u8], count: u8) -> Vec<u16> {
    let bits = |index: u8| bytes.iter().fold(0, |bits, byte| bits << 1 | byte >> index & 1);
    (0..count).map(|index| plane(index, bits(index))).collect()
}

/// Six bits and which they are. A CRC loses its two highest bits here.
fn plane(index: u8, bits: u8) -> u16 {
    u16::from(index) << 7 | 1 << 6 | u16::from(bits & 63)
}

/// One round: the head between the marks of its beginning, then the numbered groups.
fn round(credentials: &Credentials, options: &Options) -> Vec<u16> {
    let sections = sections(credentials, options);
    let groups: Vec<_> = sections.iter().flat_map(Section::groups).collect();
    let size = SIZE + groups.len() as u16;
    let mut round = vec![SYNC, size, SYNC, size];
    round.extend(planes(&head(credentials, options), 8));
    for (number, group) in (0..).zip(groups) {
        round.extend([128 + number; 3]);
        round.extend(group);
    }
    round
}

fn sections(credentials: &Credentials, options: &Options) -> Vec<Section> {
    let Credentials { ssid, password, .. } = credentials;
    let both = [&password[..], &options.reserved].concat();
    let mut sections = match options.key {
        Some(key) if !both.is_empty() => {
            let sealed = encrypt(key, options.vector.unwrap_or_default(), &both);
            // Four bytes more than the cipher needs are sent of the vector.
            let vector = options.vector.map(|vector| [&vector[..], &[0x5a; 4]].concat());
            let opaque = |bytes| Section { bytes, ascii: false };
            [Some(opaque(sealed)), vector.map(opaque)].into_iter().flatten().collect()
        }
        _ if both.is_ascii() => vec![Section::new(&both)],
        _ => vec![Section::new(password), Section::new(&options.reserved)],
    };
    sections.push(Section::new(ssid));
    sections
}

/// Lengths, each with a mark where not all bytes are below 128; CRC of the access point's address;
/// flags; CRC.
fn head(credentials: &Credentials, options: &Options) -> [u8; 6] {
    let Credentials { ssid, password, bssid, .. } = credentials;
    let length = |bytes: &[u8]| bytes.len() as u8 | if bytes.is_ascii() { 0 } else { 0x80 };
    let security = match (&options.key, &options.vector) {
        _ if password.is_empty() && options.reserved.is_empty() => 0,
        (None, _) => 0,
        (Some(_), None) => 1,
        (Some(_), Some(_)) => 2,
    };
    // Bit 0: the phone's address is of IPv4.
    let flags = 1 | security << 1 | (options.answer_port & 3) << 3;
    let head = [length(ssid), length(password), length(&options.reserved), crc8(bssid), flags];
    [head[0], head[1], head[2], head[3], head[4], crc8(&head)]
}

/// AES-128 in CBC (NIST SP 800-38A) with the padding of PKCS #7 (RFC 5652 section 6.3).
fn encrypt(key: [u8; 16], vector: [u8; 16], bytes: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new(&key.into());
    let padding = 16 - bytes.len() % 16;
    let padded = [bytes, &vec![padding as u8; padding]].concat();
    let mut previous = vector;
    let mut sealed = Vec::with_capacity(padded.len());
    for block in padded.chunks_exact(16) {
        let mut mixed: [u8; 16] = std::array::from_fn(|place| block[place] ^ previous[place]);
        cipher.encrypt_block((&mut mixed).into());
        sealed.extend(mixed);
        previous = mixed;
    }
    sealed
}

#[cfg(test)]
mod tests {
    use super::super::tests::{credentials, duration};
    use super::*;

    #[test]
    fn the_cipher_is_the_standard_s() {
        // NIST SP 800-38A section F.2.1, first block.
        let key = *b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c";
        let vector = std::array::from_fn(|place| place as u8);
        let block = b"\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a";
        let sealed = encrypt(key, vector, block);
        assert_eq!(sealed[..16], *b"\x76\x49\xab\xac\x81\x19\xb2\x46\xce\xe9\x8e\x9b\x12\xe9\x19\x7d");
        assert_eq!(sealed.len(), 32, "a whole block of padding");
    }

    #[test]
    fn a_round_has_a_head_and_numbered_groups() {
        let round = round(&credentials(), &Options::default());
        // 12 and 14 characters of ASCII: two groups of six and three.
        assert_eq!(round[..4], [1048, 1077, 1048, 1077]);
        assert_eq!(round.len(), 12 + 5 * 11);
        assert_eq!(round[12..15], [128; 3]);
        assert_eq!(round[56..59], [132; 3]);
        // The head's first byte, 14, is the highest bit of each of the first eight lengths.
        let first = (0..8).fold(0, |byte, index| byte | (round[4 + index] >> 5 & 1) << index);
        assert_eq!(first, 14);
        assert!((0..8).all(|index| round[4 + index] >> 6 == (index as u16) << 1 | 1));
    }

    #[test]
    fn what_is_not_ascii_and_what_is_encrypted_goes_in_groups_of_five() {
        let home = Credentials::new("家里的网络", "123456789", [0; 6], [0; 4].into()).unwrap();
        // 9 characters are two groups, 15 bytes of UTF-8 three.
        assert_eq!(round(&home, &Options::default())[1], 1072 + 5);
        let options = Options { key: Some([7; 16]), ..Options::default() };
        // One block of the cipher is four groups.
        assert_eq!(round(&home, &options)[1], 1072 + 7);
        let options = Options { vector: Some([9; 16]), ..options };
        assert_eq!(round(&home, &options)[1], 1072 + 11);
        assert_eq!(head(&home, &options)[..3], [0x8f, 9, 0]);
        assert_eq!(head(&home, &options)[4], 1 | 2 << 1);
    }

    #[test]
    fn an_attempt_lasts_as_long_as_the_app_s() {
        let all: Vec<_> = datagrams(&credentials(), &Options::default()).collect();
        assert_eq!(all.len(), 3000 + 450);
        assert_eq!(duration(all.into_iter()).as_secs(), 90);
    }
}
