//! ESP-Touch, the first version.
//!
//! Source: Espressif's public app `EsptouchForAndroid` (`DataCode`, `DatumCode`, `GuideCode`,
//! `EsptouchTaskParameter`, `__EsptouchTask`), and the header `smartconfig_ack.h` of ESP-IDF.

use super::{Credentials, Datagram, crc8, everybody, within};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Where the device listens, as far as it can.
pub const PORT: u16 = 7001;
/// Where the phone waits for the device's answer.
pub const ANSWER_PORT: u16 = 18266;
/// How long the app goes on sending.
pub const LASTS: Duration = Duration::from_secs(45);

const PAUSE: Duration = Duration::from_millis(8);
/// Lengths that tell the device what the air adds to each of them.
const GUIDE: [u16; 4] = [515, 514, 513, 512];
/// Added to every length that carries data, so that none is too short to be heard.
const SHORTEST: u16 = 40;
/// The guide is sent for two seconds, then data for four: so many datagrams 8 ms apart.
const GUIDES: usize = 63;
const CODES: usize = 166;

/// The datagrams of one attempt.
pub fn datagrams(credentials: &Credentials) -> impl Iterator<Item = Datagram> + use<> {
    let codes = codes(credentials);
    let mut next = 0;
    let lengths = std::iter::repeat(()).flat_map(move |()| {
        let data: Vec<u16> = codes.iter().cycle().skip(next).take(CODES).flatten().copied().collect();
        next = (next + CODES) % codes.len();
        GUIDE.repeat(GUIDES).into_iter().chain(data)
    });
    let datagram = |length| Datagram { to: everybody(PORT), length, fill: b'1', pause: PAUSE };
    within(LASTS, lengths.map(datagram))
}

/// What a device answers once it has joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The device's own address.
    pub mac: [u8; 6],
    /// Where it is in the home.
    pub address: Ipv4Addr,
}

impl Answer {
    /// The answer to an attempt with these credentials: it begins with how long they were.
    pub fn to_bytes(self, credentials: &Credentials) -> Vec<u8> {
        [&[length(credentials)][..], &self.mac, &self.address.octets()].concat()
    }

    /// Reads an answer to an attempt with these credentials; `None` where it is none.
    pub fn read(bytes: &[u8], credentials: &Credentials) -> Option<Self> {
        let (expected, rest) = bytes.split_first()?;
        let (mac, rest) = rest.split_first_chunk()?;
        let address = *rest.first_chunk::<4>()?;
        (*expected == length(credentials)).then_some(Self { mac: *mac, address: address.into() })
    }
}

/// Bytes of the list that the codes spell, without the access point's address.
fn length(credentials: &Credentials) -> u8 {
    (9 + credentials.password.len() + credentials.ssid.len()) as u8
}

/// One round: each byte as three lengths. Every fourth is one of the access point's address.
fn codes(credentials: &Credentials) -> Vec<[u16; 3]> {
    let Credentials { ssid, password, bssid, phone } = credentials;
    let head = [length(credentials), password.len() as u8, crc8(ssid), crc8(bssid)];
    let body = [&phone.octets()[..], password, ssid].concat();
    let parity = head.iter().chain(&body).fold(0, |parity, byte| parity ^ byte);
    let list: Vec<u8> = [&head[..], &[parity], &body].concat();
    let mut codes: Vec<_> = (0..).zip(&list).map(|(index, value)| code(*value, index)).collect();
    for (number, value) in bssid.iter().enumerate() {
        let place = (5 + 4 * number).min(codes.len());
        codes.insert(place, code(*value, (list.len() + number) as u8));
    }
    codes
}

/// One byte and its place in the list: a half of the byte with a half of their CRC, the place, the
/// other halves.
fn code(value: u8, index: u8) -> [u16; 3] {
    let crc = crc8(&[value, index]);
    let (high, low) = (crc & 0xf0 | value >> 4, crc << 4 | value & 15);
    [u16::from(high), 0x100 | u16::from(index), u16::from(low)].map(|length| length + SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{credentials, duration};
    use super::*;

    #[test]
    fn a_byte_becomes_three_lengths() {
        // DataCode of the app: the halves of the CRC above the halves of the value.
        let crc = crc8(&[0x23, 0]);
        let [high, place, low] = code(0x23, 0).map(|length| length - 40);
        assert_eq!((high, place, low), (u16::from(crc & 0xf0 | 2), 0x100, u16::from(crc << 4 | 3)));
    }

    #[test]
    fn the_list_begins_with_its_length_and_its_bytes_cancel_out() {
        let codes = codes(&credentials());
        let value = |[high, _, low]: [u16; 3]| ((high - 40) & 15) << 4 | ((low - 40) & 15);
        assert_eq!((value(codes[0]), value(codes[1])), (35, 12), "5 + 4 + 12 + 14");
        let place = |[_, place, _]: [u16; 3]| place - 40 - 0x100;
        let mut list: Vec<_> = codes.iter().map(|code| (place(*code), value(*code))).collect();
        assert_eq!(list[5].0, 35, "the access point's address comes between");
        list.sort_unstable();
        assert_eq!(list.len(), 35 + 6);
        assert_eq!(list[..35].iter().fold(0, |parity, (_, value)| parity ^ value), 0);
        let text = |from: usize, to: usize| list[from..to].iter().map(|(_, value)| *value as u8).collect::<Vec<_>>();
        assert_eq!((text(5, 9), text(9, 21)), (vec![192, 168, 123, 196], b"123qweasdzxc".to_vec()));
        assert_eq!(
            (text(21, 35), text(35, 41)),
            (b"Administrators".to_vec(), vec![0xf0, 0xb4, 0x29, 0x5c, 0xea, 0x0b])
        );
    }

    #[test]
    fn an_attempt_lasts_as_long_as_the_app_s() {
        let lengths: Vec<u16> = datagrams(&credentials()).map(|datagram| datagram.length).collect();
        assert_eq!((&lengths[..5], lengths[251]), (&[515, 514, 513, 512, 515][..], 512));
        assert!(lengths[252..750].iter().all(|length| (40..424).contains(length)));
        assert_eq!(lengths[750], 515);
        assert_eq!(duration(datagrams(&credentials())).as_secs(), 45);
    }

    #[test]
    fn an_answer_is_read_as_it_was_written_and_only_by_whom_it_is_for() {
        let answer = Answer { mac: [2, 1, 2, 3, 4, 5], address: [10, 24, 7, 31].into() };
        let bytes = answer.to_bytes(&credentials());
        assert_eq!((bytes.len(), bytes[0]), (11, 35));
        assert_eq!(Answer::read(&bytes, &credentials()), Some(answer));
        let other = Credentials::new("other", "12345678", [0; 6], [10, 0, 0, 2].into()).unwrap();
        assert_eq!(Answer::read(&bytes, &other), None);
        assert_eq!(Answer::read(&bytes[..10], &credentials()), None);
    }
}
