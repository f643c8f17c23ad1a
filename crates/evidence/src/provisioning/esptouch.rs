//! ESP-Touch, the first version: each byte as three lengths.
//!
//! Source: Espressif's public app `EsptouchForAndroid` (`DataCode`, `DatumCode`, `GuideCode`). A byte
//! `v` at place `i` of a list is sent as `high`, `i`, `low`: the lengths 40 + (CRC's high half, `v`'s high
//! half), 40 + 256 + `i`, 40 + (the low halves), where the CRC is that of `v` and `i`. The list is: its
//! length, the password's length, CRC of the SSID, CRC of the BSSID, XOR of all others, the phone's
//! IPv4 address, password, SSID; behind it the BSSID, which the length does not count.

use super::Fields;
use super::votes::{Votes, crc8};
use std::net::Ipv4Addr;

/// What the app begins with, again and again.
pub(super) const GUIDE: [u16; 4] = [515, 514, 513, 512];

/// Added to every length that carries data.
const SHORTEST: u16 = 40;
/// Places of the list.
const PLACES: usize = 128;
/// Bytes before the password.
const HEAD: usize = 9;
/// Hearings of each half of each byte without which a list that stops before the SSID is not believed:
/// the SSID may not have been sent yet.
const HEARINGS: u32 = 3;

/// Reads lengths from which what the air adds was taken off.
pub(super) fn decode(lengths: &[u16]) -> Option<Fields> {
    let list = List::listen(lengths);
    let password_ends = HEAD + usize::from(list.at(1)?);
    let ends = usize::from(list.at(0)?);
    let ssid = ends.checked_sub(password_ends).filter(|length| (1..=32).contains(length));
    if ssid.is_none() || password_ends > HEAD + 64 {
        return None;
    }
    let known = list.range(0, password_ends)?;
    let ssid = list.range(password_ends, ends).filter(|ssid| is_whole(&known, ssid));
    // Older apps leave it out where the network is not hidden.
    if ssid.is_none() && !list.stops_at(password_ends) {
        return None;
    }
    // Where the SSID is left out, the BSSID stands in its place; else the SSID would be taken for one.
    let follows = if ssid.is_some() { ends } else { password_ends };
    let bssid = list.range(ends, ends + 6).or_else(|| list.range(follows, follows + 6));
    let bssid = bssid.filter(|bssid| crc8(bssid.iter().copied()) == known[3]);
    let phone = Ipv4Addr::from(*known.get(5..)?.first_chunk::<4>()?);
    let mut fields = Fields::default();
    fields.add("ssid", ssid.as_deref());
    fields.add("password", known.get(HEAD..));
    fields.add("phone", Some(phone.to_string().as_bytes()));
    fields.address("bssid", bssid.as_deref());
    Some(fields)
}

/// True where the XOR of all bytes and the CRC of the SSID are right.
fn is_whole(known: &[u8], ssid: &[u8]) -> bool {
    let parity = known.iter().chain(ssid).fold(0, |parity, byte| parity ^ byte);
    parity == 0 && known.get(2) == Some(&crc8(ssid.iter().copied()))
}

/// What was heard of each byte: its two halves, each with a half of the CRC.
struct List(Vec<[Votes; 2]>);

impl List {
    /// A half belongs to the place that was heard next to it. Where a frame between two places is lost, one
    /// half is counted for both: rarer than it is heard right, and the CRC does not agree.
    fn listen(lengths: &[u16]) -> Self {
        let mut list = vec![<[Votes; 2]>::default(); PLACES];
        let (mut before, mut place) = (None, None);
        for length in lengths {
            match length.checked_sub(SHORTEST) {
                Some(half @ 0..=0xff) => {
                    let slot = place.take().and_then(|place: usize| list.get_mut(place));
                    if let Some([_, low]) = slot {
                        low.add(half as u8, 1);
                    }
                    before = Some(half as u8);
                }
                Some(code @ 0x100..0x180) => {
                    let index = usize::from(code - 0x100);
                    let slot = before.take().and_then(|half| Some((half, list.get_mut(index)?)));
                    if let Some((half, [high, _])) = slot {
                        high.add(half, 1);
                    }
                    place = Some(index);
                }
                _ => (before, place) = (None, None),
            }
        }
        Self(list)
    }

    /// The byte at a place: of the halves heard most those whose CRC is right.
    fn at(&self, place: usize) -> Option<u8> {
        let [high, low] = self.0.get(place)?;
        let (high, low) = (high.best(4), low.best(4));
        let pairs = high.iter().flat_map(|high| low.iter().map(move |low| (*high, *low)));
        let right = pairs.filter_map(|((high, often), (low, heard))| {
            let value = high << 4 | low & 15;
            (crc8([value, place as u8]) == high & 0xf0 | low >> 4).then_some((value, often + heard))
        });
        right.max_by_key(|(value, count)| (*count, 255 - value)).map(|(value, _)| value)
    }

    fn range(&self, from: usize, to: usize) -> Option<Vec<u8>> {
        (from..to).map(|place| self.at(place)).collect()
    }

    /// True where all before `end` was heard often, and of what would follow nothing but a BSSID.
    fn stops_at(&self, end: usize) -> bool {
        let often = |votes: &Votes| votes.best(1).first().is_some_and(|(_, count)| *count >= HEARINGS);
        let unheard = |place| self.at(place).is_none();
        self.0.iter().take(end).flatten().all(often) && (end + 6..PLACES).all(unheard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BSSID: [u8; 6] = [2, 0x1a, 0x11, 0x50, 0x60, 0x70];

    /// A list as the app makes it, with or without the SSID, and then the BSSID.
    fn lengths(ssid: &[u8], password: &[u8], sends_ssid: bool) -> Vec<u16> {
        let crc = |bytes: &[u8]| crc8(bytes.iter().copied());
        let total = (HEAD + password.len() + ssid.len()) as u8;
        let head = [total, password.len() as u8, crc(ssid), crc(&BSSID)];
        let body = [&[10, 24, 7, 21], password, ssid].concat();
        let parity = head.iter().chain(&body).fold(0, |parity, byte| parity ^ byte);
        let mut list = [&head[..], &[parity], &body].concat();
        list.truncate(if sends_ssid { list.len() } else { HEAD + password.len() });
        let spell = |(place, value): (u16, u8)| {
            let crc = crc(&[value, place as u8]);
            let halves = [u16::from(crc & 0xf0 | value >> 4), u16::from(crc << 4 | value & 15)];
            [halves[0], 256 + place, halves[1]].map(|length| length + SHORTEST)
        };
        (0..).zip(list.into_iter().chain(BSSID)).flat_map(spell).collect()
    }

    fn fields(lengths: &[u16]) -> Option<Vec<(&'static str, Vec<u8>)>> {
        decode(lengths).map(|fields| fields.0)
    }

    #[test]
    fn one_round_is_enough_where_every_checksum_is_right() {
        let read = fields(&lengths(b"Linden", b"made-up-password", true)).unwrap();
        let expected = [
            ("ssid", &b"Linden"[..]),
            ("password", b"made-up-password"),
            ("phone", b"10.24.7.21"),
            ("bssid", b"02:1a:11:50:60:70"),
        ];
        assert_eq!(read, expected.map(|(name, value)| (name, value.to_vec())));
    }

    #[test]
    fn an_app_that_keeps_the_name_of_the_network_to_itself_is_believed_after_three_rounds() {
        let round = lengths(b"Linden", b"made-up-password", false);
        let names = |rounds| {
            fields(&round.repeat(rounds)).map(|fields| fields.iter().map(|(name, _)| *name).collect::<Vec<_>>())
        };
        assert_eq!(names(2), None);
        assert_eq!(names(4), Some(vec!["password", "phone", "bssid"]));
    }

    #[test]
    fn bytes_that_were_changed_with_their_own_checksum_are_not_believed() {
        let mut round = lengths(b"Linden", b"made-up-password", true);
        let other = lengths(b"Linden", b"made-up-passwOrd", true);
        // One byte of the password, with the CRC that belongs to it: the XOR of all no longer agrees.
        let changed = 3 * (HEAD + 13)..3 * (HEAD + 14);
        round[changed.clone()].copy_from_slice(&other[changed]);
        assert!(fields(&round).is_none());
    }
}
