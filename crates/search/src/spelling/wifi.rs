//! Wi-Fi names and the keys that devices make of name and password.

use super::list::{List, Spelling};
use dyetrace_case::{Datum, Strength, Subject};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Pairs of password and name for which keys are computed; each takes a millisecond.
const MOST_PAIRS: usize = 6;

/// Rounds of PBKDF2 (IEEE 802.11-2020 annex J.4).
const ROUNDS: usize = 4096;

/// The name's spelling between quotes.
pub(crate) const QUOTED: &str = "in quotes";

/// Android gives names in quotes.
pub(super) fn ssid(text: &str, list: &mut List) {
    list.push(QUOTED, format!("\"{}\"", text.trim_matches('"')));
    list.push("without quotes", text.trim_matches('"'));
}

/// The pre-shared key of every planted password on every planted network, with the password's
/// position in the subject. It is a digest: it takes the password and the name to compute it.
pub(crate) fn psk_forms(subject: &Subject) -> Vec<(usize, Spelling)> {
    let passwords: Vec<_> = subject.data.iter().enumerate().filter(|(_, datum)| is_password(datum)).collect();
    let names: Vec<_> = subject.data.iter().filter(|datum| has_part(datum, "ssid")).collect();
    let of_pair = |(password, name): (usize, usize)| {
        let (number, password) = passwords[password];
        forms(number, password, names[name])
    };
    pairs(passwords.len(), names.len()).take(MOST_PAIRS).flat_map(of_pair).collect()
}

/// Numbers of passwords and names: first those of the same number, which are usually of one network,
/// then neighbours.
fn pairs(passwords: usize, names: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..passwords.max(names)).flat_map(move |apart| {
        let later_name = (0..passwords.min(names.saturating_sub(apart))).map(move |at| (at, at + apart));
        let later_password = (0..names.min(passwords.saturating_sub(apart))).map(move |at| (at + apart, at));
        later_name.chain(later_password.filter(move |_| apart > 0))
    })
}

fn forms(number: usize, password: &Datum, name: &Datum) -> Vec<(usize, Spelling)> {
    let Some(key) = psk(password.value.reveal(), name.value.reveal()) else { return Vec::new() };
    let form = format!("WPA2 key for {}", name.id);
    let bits = crate::bits::of_value(password.value.reveal(), password.bits);
    let text = Spelling::text(&form, dyetrace_case::hex(&key)).any_case(true);
    let raw = Spelling { binary: true, ..Spelling::text(&form, key) };
    [text, raw].map(|one| (number, Spelling { strength: Strength::Digest, ..one.carrying(bits) })).into()
}

fn has_part(datum: &Datum, name: &str) -> bool {
    datum.kind.as_str().split('.').any(|part| part == name)
}

fn is_password(datum: &Datum) -> bool {
    let wifi = ["wifi", "wlan", "home"].into_iter().any(|name| has_part(datum, name));
    wifi && ["password", "passphrase", "psk"].into_iter().any(|name| has_part(datum, name))
}

/// PBKDF2 with HMAC-SHA-1 (RFC 8018 section 5.2), 256 bits; `None` where no passphrase has that
/// length.
fn psk(password: &[u8], name: &[u8]) -> Option<[u8; 32]> {
    if !(8..=63).contains(&password.len()) {
        return None;
    }
    let keyed = Hmac::<Sha1>::new_from_slice(password).ok()?;
    let mut key = [0; 40];
    for (number, block) in (1u32..).zip(key.chunks_exact_mut(20)) {
        let mut last = keyed.clone().chain_update(name).chain_update(number.to_be_bytes()).finalize().into_bytes();
        block.copy_from_slice(&last);
        for _ in 1..ROUNDS {
            last = keyed.clone().chain_update(last).finalize().into_bytes();
            block.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
    }
    key.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::Secret;

    /// IEEE 802.11-2020 annex J.4.2.
    #[test]
    fn known_answers() {
        for (password, name, key) in [
            ("password", "IEEE", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"),
            ("ThisIsAPassword", "ThisIsASSID", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"),
        ] {
            assert_eq!(dyetrace_case::hex(&psk(password.as_bytes(), name.as_bytes()).unwrap()), key);
        }
        assert_eq!(psk(b"short", b"IEEE"), None);
    }

    #[test]
    fn what_was_planted_together_is_paired_first() {
        assert_eq!(pairs(2, 3).collect::<Vec<_>>(), [(0, 0), (1, 1), (0, 1), (1, 2), (1, 0), (0, 2)]);
        assert_eq!(pairs(1, 2).collect::<Vec<_>>(), [(0, 0), (0, 1)]);
        assert_eq!(pairs(0, 2).count(), 0);
        assert!(pairs(1_000_000, 1_000_000).take(MOST_PAIRS).all(|(password, name)| password == name));
    }

    #[test]
    fn every_pair_of_a_subject() {
        let mut subject = Subject::default();
        for (kind, value) in [("wifi.password", "password"), ("password", "not of Wi-Fi"), ("wifi.ssid", "IEEE")] {
            subject.add(kind.parse().unwrap(), Secret::new(value));
        }
        subject.add("wifi.ssid".parse().unwrap(), Secret::new("other"));
        let forms = psk_forms(&subject);
        let named: Vec<_> = forms.iter().map(|(number, one)| (*number, one.form.as_str(), one.strength)).collect();
        assert_eq!(forms.len(), 4, "two names, as text and as bytes");
        assert_eq!(named[0], (0, "WPA2 key for wifi.ssid", Strength::Digest));
        assert_eq!(named[2], (0, "WPA2 key for wifi.ssid#2", Strength::Digest));
    }
}
