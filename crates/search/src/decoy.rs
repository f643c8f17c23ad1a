//! Decoys: values of the same format and checksum that were *not* planted.
//!
//! They are searched for in the same pass. Whatever is found of them is found by accident, so they
//! measure how often accidents happen in this very traffic, which the model in `bits` can only
//! assume. A decoy therefore keeps what planted values of its kind share with others (a country,
//! a domain, the maker of a device) and draws the rest anew.

mod formats;
mod source;
mod words;

use crate::spelling::identifier::is_hex_id;
use dyetrace_case::{Datum, DatumId, Secret, Subject};
use source::Source;

/// Draws before a format is taken to have no other value.
const ATTEMPTS: u32 = 16;

/// Values longer than this (files) have no decoy: nothing meets them by accident.
const LONGEST: usize = 4096;

/// A value that was not planted.
pub(crate) struct Decoy {
    /// The position in the subject of the datum that it is like.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold decoys against what they are like"))]
    pub(crate) position: usize,
    /// It, with the kind and minted bits of that datum, so that it is spelled and counted alike.
    pub(crate) datum: Datum,
    /// Bits of chance that went into it, rounded down: it is one of so many values, all equally
    /// likely, that others have it with a chance of two to the power of minus that.
    pub(crate) drawn_bits: u32,
}

/// Another value of the datum's format and the bits of chance in it; the same for the same datum and number, and never the
/// datum's own value. `None` where the format has no other value, or is not known (bytes that are
/// no text).
fn decoy(datum: &Datum, number: u32) -> Option<(Vec<u8>, u32)> {
    let value = datum.value.reveal();
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST)?;
    let mut source = Source::new(datum.kind.as_str(), value, number);
    (0..ATTEMPTS)
        .map(|_| {
            source.drawn_bits = 0;
            (draw(datum, text, &mut source).into_bytes(), source.drawn_bits)
        })
        .find(|(drawn, _)| drawn != value)
}

/// Up to so many decoys of every datum that are neither planted nor drawn twice.
pub(crate) fn decoys(subject: &Subject, per_value: u32) -> Vec<Decoy> {
    let mut taken: std::collections::HashSet<Vec<u8>> =
        subject.data.iter().map(|datum| datum.value.reveal().to_ascii_lowercase()).collect();
    let mut all = Vec::new();
    for (position, datum) in subject.data.iter().enumerate() {
        let drawn = (0..per_value.saturating_mul(2)).filter_map(|number| decoy(datum, number));
        let fresh = drawn.filter(|(value, _)| taken.insert(value.to_ascii_lowercase())).take(per_value as usize);
        all.extend(fresh.enumerate().map(|(number, (value, drawn_bits))| {
            let id = DatumId(format!("decoy {} of {}", number + 1, datum.id));
            let datum = Datum { id, value: Secret::new(value), planted: None, ..datum.clone() };
            Decoy { position, datum, drawn_bits }
        }));
    }
    all
}

/// True for a spelling of a decoy that nobody else has, though its digest would be seen: other bytes
/// never have a digest of 128 bits by accident, only other people's values do, and among so many
/// values that the chance to meet this one in a million digests is one in 65,000. To look for such
/// digests would take as long as to look for those of planted values and never find one, so that the
/// estimate of chance stays what it is. Spellings that leave out part of the value have only that
/// share of its bits.
pub(crate) fn is_nobodys(drawn_bits: u32, value: &[u8], spelling: &[u8]) -> bool {
    const LEAST_BITS: usize = 36;
    let telling = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80).count();
    let (whole, part) = (telling(value).max(1), telling(spelling));
    drawn_bits as usize * part.min(whole) / whole >= LEAST_BITS
}

/// One draw by the first part of the kind whose format the value has; else character by character.
fn draw(datum: &Datum, text: &str, source: &mut Source) -> String {
    let of_kind = datum.kind.as_str().split('.').find_map(|part| of_kind(part, text, source));
    of_kind
        .or_else(|| datum.kind.as_str().starts_with("id.").then(|| formats::resident_id(text, source))?)
        .or_else(|| is_hex_id(text).then(|| formats::identifier(text, source)))
        .unwrap_or_else(|| words::by_class(text, source))
}

fn of_kind(part: &str, text: &str, source: &mut Source) -> Option<String> {
    match part {
        "phone" | "msisdn" | "mobile" | "tel" => formats::phone(text, source),
        "mac" | "bssid" | "bluetooth" => formats::mac(text, source),
        "imei" | "meid" => formats::with_luhn(text, 2, source),
        "card" | "pan" => formats::with_luhn(text, 6, source),
        "iccid" => formats::with_luhn(text, 7, source),
        "imsi" => Some(formats::digits_behind(text, 5, source)),
        "resident-id" => formats::resident_id(text, source),
        "email" => formats::email(text, source),
        "gps" | "location" | "coordinates" => formats::coordinates(text, source),
        "birthday" | "birth-date" | "date" => formats::date(text, source),
        "ip" | "ipv4" | "ipv6" => formats::ip(text, source),
        "name" => Some(words::name(text, source)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spelling::number::luhn;
    use crate::spelling::{date, resident_id};
    use proptest::prelude::*;

    fn drawn(kind: &str, value: &str, number: u32) -> Option<String> {
        let mut subject = Subject::default();
        subject.add(kind.parse().unwrap(), Secret::new(value));
        decoy(&subject.data[0], number).map(|(bytes, _)| String::from_utf8(bytes).unwrap())
    }

    fn digits(text: &str) -> String {
        text.chars().filter(char::is_ascii_digit).collect()
    }

    fn has_luhn(text: &str) -> bool {
        let digits = digits(text);
        luhn(&digits.as_bytes()[..digits.len() - 1]).to_string() == digits[digits.len() - 1..]
    }

    /// What stays and what is drawn, kind by kind.
    #[test]
    fn kinds_keep_what_others_share() {
        for number in 0..50 {
            let get = |kind, value| drawn(kind, value, number).unwrap();
            assert!(get("phone", "+86 138-0000-0427").starts_with("+86 138-"));
            assert!(get("phone", "13800000427").starts_with("138"));
            assert!(get("phone", "+44 7400 123456").starts_with("+44 740"));
            assert!(get("mac", "02:00:5E:10:00:01").starts_with("02:"));
            assert!(get("email", "some.one7@example.com").ends_with("@example.com"));
            assert!(get("gps", "31.2304167,121.4736999").starts_with("31."));
            assert!(get("imsi", "460001357924680").starts_with("46000"));
            assert_ne!(get("pin", "4821"), "4821");
            assert_eq!(get("name", "张小明").chars().count(), 3);
            assert!(get("name", "Lin Mei").split(' ').all(|word| word.len() == 3));
            let uuid = get("advertising-id", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
            assert!(uuid[14..].starts_with('4') && uuid[19..].starts_with('b'), "version and variant");
            let birthday = get("birthday", "1990-01-31");
            assert!(date::parse(&birthday).is_some_and(|_| birthday.len() == 10), "{birthday}");
        }
    }

    #[test]
    fn checksums_are_right_where_they_were() {
        for number in 0..50 {
            for (kind, value, kept) in [("imei", "490154203237518", 2), ("card", "6222 0212 3456 7894", 7)] {
                assert!(has_luhn(value), "the example itself is valid");
                let decoy = drawn(kind, value, number).unwrap();
                assert!(has_luhn(&decoy) && decoy[..kept] == value[..kept], "{decoy}");
            }
            assert!(!has_luhn(&drawn("imei", "490154203237510", number).unwrap()), "an invalid number stays invalid");
            let id = drawn("id.cn", "11019919900307123X", number).unwrap();
            assert!(id.starts_with("110199") && date::parse(&id[6..14]).is_some(), "{id}");
            let original = "11019919900307123X";
            let offset = |id: &str| {
                let check = id[17..].parse().unwrap_or(10);
                (check + 11 - resident_id::check(&id.as_bytes()[..17])) % 11
            };
            assert_eq!(offset(&id), offset(original), "as valid as the planted one");
        }
    }

    #[test]
    fn a_format_of_one_value_has_no_decoy() {
        for value in ["", "--", "!?"] {
            assert_eq!(drawn("note", value, 0), None);
        }
        let mut subject = Subject::default();
        subject.add("photo".parse().unwrap(), Secret::new(vec![0xFF, 0xD8]));
        assert_eq!(decoy(&subject.data[0], 0), None);
    }

    #[test]
    fn what_others_may_have_is_looked_for_as_a_digest() {
        let nobodys = |kind: &str, value: &str, spelling: &str| {
            let mut subject = Subject::default();
            subject.add(kind.parse().unwrap(), Secret::new(value));
            let decoy = &decoys(&subject, 1)[0];
            is_nobodys(decoy.drawn_bits, value.as_bytes(), spelling.as_bytes())
        };
        assert!(nobodys("mac", "02:00:5E:10:00:01", "02005e100001"));
        assert!(!nobodys("mac", "02:00:5E:10:00:01", "5e1000"), "half of it");
        assert!(nobodys("wifi.password", "Qm7xTr2p-Kw4z", "Qm7xTr2p-Kw4z"));
        for (kind, value) in
            [("phone", "13800000427"), ("pin", "4821"), ("name", "张小明"), ("id.cn", "11019919900307123X")]
        {
            assert!(!nobodys(kind, value, value), "{kind}");
        }
    }

    #[test]
    fn the_bits_of_chance_are_never_too_many() {
        let bits = |kind: &str, value: &str| {
            let mut subject = Subject::default();
            subject.add(kind.parse().unwrap(), Secret::new(value));
            decoy(&subject.data[0], 0).unwrap().1
        };
        // Digits of 3.3 bits count for three each.
        assert_eq!(bits("pin", "4821"), 12);
        assert_eq!(bits("phone", "13800000427"), 24);
        assert_eq!(bits("mac", "02:00:5E:10:00:01"), 40);
        assert!(bits("name", "Lin Mei") < 24);
        assert!(bits("id.cn", "11019919900307123X") < 23);
    }

    #[test]
    fn no_decoy_is_planted_or_drawn_twice() {
        let mut subject = Subject::default();
        for pin in 0..9 {
            subject.add("pin".parse().unwrap(), Secret::new(pin.to_string()));
        }
        subject.add("phone".parse().unwrap(), Secret::new("13800000427")).bits = Some(26);
        let all = decoys(&subject, 8);
        let values: std::collections::HashSet<_> = all.iter().map(|decoy| decoy.datum.value.reveal()).collect();
        assert_eq!(values.len(), all.len());
        assert!(subject.data.iter().all(|datum| !values.contains(datum.value.reveal())));
        let phones: Vec<_> = all.iter().filter(|decoy| decoy.position == 9).map(|decoy| &decoy.datum).collect();
        assert_eq!(phones.len(), 8);
        assert!(phones.iter().all(|datum| datum.bits == Some(26) && datum.kind.as_str() == "phone"));
    }

    proptest! {
        #[test]
        fn a_decoy_is_another_value_of_the_same_length_and_classes(
            value in "[A-Za-z0-9 ._-]{0,30}|[0-9]{1,6}|[\\u4e00-\\u9fa5]{1,4}|\\PC{0,20}",
            number in any::<u32>(),
        ) {
            for kind in ["phone", "mac", "imei", "imsi", "email", "gps", "card", "name", "password", "uuid", "id.cn", "date"] {
                let Some(decoy) = drawn(kind, &value, number) else { continue };
                prop_assert_ne!(&decoy, &value);
                prop_assert_eq!(Some(decoy.clone()), drawn(kind, &value, number), "always the same");
                prop_assert_eq!(decoy.chars().count(), value.chars().count(), "{} {}", kind, decoy);
            }
        }

        #[test]
        fn passwords_keep_the_class_of_each_character(value in "[ -~]{1,24}", number in 0..4u32) {
            let Some(decoy) = drawn("wifi.password", &value, number) else { return Ok(()) };
            if is_hex_id(&value) { return Ok(()) }
            for (a, b) in value.bytes().zip(decoy.bytes()) {
                prop_assert_eq!(a.is_ascii_digit(), b.is_ascii_digit());
                prop_assert_eq!(a.is_ascii_lowercase(), b.is_ascii_lowercase());
                prop_assert_eq!(a.is_ascii_uppercase(), b.is_ascii_uppercase());
                prop_assert!(a.is_ascii_alphanumeric() || a == b);
            }
        }
    }
}
