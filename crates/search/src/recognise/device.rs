//! Devices and SIM cards: IMEI, MEID, IMSI, ICCID, MAC addresses, identifiers for advertising.

use super::checksum::luhn;
use super::{Checks, Pass};

/// Reporting bodies in the first two digits of a type allocation code (GSMA TS.06).
const REPORTING_BODIES: [&[u8; 2]; 17] = [
    b"01", b"10", b"30", b"33", b"35", b"44", b"45", b"49", b"50", b"51", b"52", b"53", b"54", b"86", b"91", b"98",
    b"99",
];

/// 15 digits with check digit (3GPP TS 23.003 section 6.2.1) and a reporting body that exists.
/// log2(10) + log2(100/17) bits.
pub(super) fn imei(digits: &[u8]) -> Option<Pass> {
    let body = digits.get(..2)?;
    let known = digits.len() == 15 && REPORTING_BODIES.iter().any(|known| known[..] == *body);
    (known && luhn(digits)).then(|| Pass::new("imei", Checks::PREFIX.and(Checks::CHECKSUM), 5.9))
}

/// The value of a field named as an IMEI: also test codes, grouping, 14 digits without check digit
/// and 16 with software version.
pub(super) fn named_imei(value: &[u8]) -> Option<Pass> {
    let digits: Vec<u8> = value.iter().copied().filter(u8::is_ascii_digit).take(18).collect();
    let clean = value.len() <= 20 && value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'-' | b'/'));
    let blank = digits.iter().all(|digit| Some(digit) == digits.first());
    match digits.len() {
        _ if !clean || blank => None,
        15 if luhn(&digits) => imei(&digits).or(Some(Pass::new("imei", Checks::CHECKSUM, 3.3))),
        14 | 16 => Some(Pass::new("imei", Checks::default(), 0.0)),
        _ => None,
    }
}

/// The value of a field named as a MEID: 14 hex digits from A0 to FF (3GPP2 S.R0048), also with
/// a check digit, or 18 decimal digits.
pub(super) fn meid(value: &[u8]) -> Option<Pass> {
    let hex = value.iter().all(u8::is_ascii_hexdigit) && matches!(value.first(), Some(b'a'..=b'f' | b'A'..=b'F'));
    let shaped = match value.len() {
        14 | 15 => hex,
        18 => value.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    shaped.then(|| Pass::new("meid", Checks::default(), 1.4))
}

/// 15 digits of a Chinese network: 460 and a network code that is in use (ITU-T E.212).
/// log2(1000) + log2(100/17) bits.
pub(super) fn imsi(digits: &[u8]) -> Option<Pass> {
    let [b'4', b'6', b'0', tens, units, ..] = digits else { return None };
    let network = (tens - b'0') * 10 + (units - b'0');
    let known = digits.len() == 15 && matches!(network, 0..=15 | 20);
    known.then(|| Pass::new("imsi", Checks::PREFIX, 12.5))
}

/// The value of a field named as an IMSI, of any country.
pub(super) fn named_imsi(value: &[u8]) -> Option<Pass> {
    let digits = matches!(value.len(), 14 | 15) && value.iter().all(u8::is_ascii_digit);
    let country = matches!(value.first(), Some(b'2'..=b'7' | b'9'));
    imsi_or(value, digits && country)
}

fn imsi_or(value: &[u8], plausible: bool) -> Option<Pass> {
    plausible.then(|| imsi(value).unwrap_or(Pass::new("imsi", Checks::default(), 0.5)))
}

/// 19 or 20 digits from 8986 with check digit: SIM cards of China (ITU-T E.118).
pub(super) fn iccid(digits: &[u8]) -> Option<Pass> {
    let known = matches!(digits.len(), 19 | 20) && digits.starts_with(b"8986");
    (known && luhn(digits)).then(|| Pass::new("iccid", Checks::PREFIX.and(Checks::CHECKSUM), 16.6))
}

/// The value of a field named as an ICCID: of any country with check digit, or of China without.
pub(super) fn named_iccid(value: &[u8]) -> Option<Pass> {
    let china = value.starts_with(b"8986") && value.iter().all(u8::is_ascii_hexdigit);
    let any = value.starts_with(b"89") && value.iter().all(u8::is_ascii_digit) && luhn(value);
    let plausible = matches!(value.len(), 19 | 20) && (china || any);
    plausible.then(|| iccid(value).unwrap_or(Pass::new("iccid", Checks::PREFIX, 10.0)))
}

/// Six pairs of hex digits with five colons or dashes, given to one device: not to a group, not all
/// zero (IEEE 802 section 8.2). Five fixed characters of 17, and the group bit.
pub(super) fn mac(value: &[u8]) -> Option<Pass> {
    let separator = *value.get(2)?;
    let shaped = value.len() == 17
        && matches!(separator, b':' | b'-')
        && value.iter().enumerate().all(|(at, byte)| match at % 3 {
            2 => *byte == separator,
            _ => byte.is_ascii_hexdigit(),
        });
    (shaped && is_individual(value)).then(|| Pass::new("mac", Checks::default(), 21.0))
}

/// The value of a field named as a MAC address: also spaces, dots (Cisco) or nothing between, and
/// 64 bits.
pub(super) fn named_mac(value: &[u8]) -> Option<Pass> {
    let hex: Vec<u8> = value.iter().copied().filter(u8::is_ascii_hexdigit).take(17).collect();
    let shaped = match value.len() - hex.len().min(value.len()) {
        0 => matches!(hex.len(), 12 | 16),
        2 | 3 => grouped(value, b'.', 4) && matches!(hex.len(), 12 | 16),
        5 | 7 => [b':', b'-', b' '].iter().any(|separator| grouped(value, *separator, 2)),
        _ => false,
    };
    (shaped && is_individual(&hex)).then(|| mac(value).unwrap_or(Pass::new("mac", Checks::default(), 1.0)))
}

fn grouped(value: &[u8], separator: u8, size: usize) -> bool {
    value.split(|byte| *byte == separator).all(|group| group.len() == size && group.iter().all(u8::is_ascii_hexdigit))
}

/// The lowest bit of the first byte is clear, and some digit is not zero.
fn is_individual(text: &[u8]) -> bool {
    let second = text.get(1).and_then(|byte| char::from(*byte).to_digit(16));
    let blank = text.iter().all(|byte| !byte.is_ascii_hexdigit() || *byte == b'0');
    // What Android and iOS say in place of the address since 2015.
    let withheld = text.eq_ignore_ascii_case(b"02:00:00:00:00:00");
    second.is_some_and(|digit| digit % 2 == 0) && !blank && !withheld
}

/// The value of a field named as an identifier for advertising or of the device: a UUID
/// (RFC 9562 section 4) that is not nil, or 16, 32 or 64 hex digits.
pub(super) fn identifier(value: &[u8], kind: &'static str) -> Option<Pass> {
    let hex = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
    let blank = value.iter().all(|byte| matches!(byte, b'0' | b'-'));
    let dashed = value.len() == 36
        && [8, 13, 18, 23].iter().all(|at| value.get(*at) == Some(&b'-'))
        && value.split(|byte| *byte == b'-').all(hex);
    let bare = matches!(value.len(), 16 | 32 | 64) && hex(value);
    (!blank && (dashed || bare)).then(|| Pass::new(kind, Checks::default(), if dashed { 16.3 } else { 0.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imei_has_a_reporting_body_and_a_check_digit() {
        assert!(imei(b"490154203237518").is_some());
        assert!(imei(b"490154203237517").is_none());
        assert!(imei(b"200154203237518").is_none());
        assert!(named_imei(b"49-015420-323751-8").is_some());
        assert!(named_imei(b"000000000000000").is_none());
    }

    #[test]
    fn addresses_of_groups_and_withheld_ones_are_nobodys() {
        assert!(mac(b"a8:c5:d4:9f:eb:d3").is_some() && mac(b"A8-C5-D4-9F-EB-D3").is_some());
        for nobody in ["ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "01:00:5e:00:00:fb", "02:00:00:00:00:00"] {
            assert!(mac(nobody.as_bytes()).is_none(), "{nobody}");
        }
        assert!(mac(b"a8:c5-d4:9f:eb:d3").is_none());
        assert!(named_mac(b"a8c5d49febd3").is_some() && named_mac(b"a8c5.d49f.ebd3").is_some());
    }

    #[test]
    fn sims_of_china() {
        assert!(imsi(b"460001234567890").is_some() && imsi(b"461001234567890").is_none());
        let digits = b"898600123456789012";
        let valid = (b'0'..=b'9').filter(|check| iccid(&[&digits[..], &[*check]].concat()).is_some()).count();
        assert_eq!(valid, 1);
    }

    #[test]
    fn a_nil_identifier_is_nobodys() {
        assert!(identifier(b"9deb20fe-a6e0-455c-81ea-288b009e4f6d", "advertising-id").is_some());
        assert!(identifier(b"00000000-0000-0000-0000-000000000000", "advertising-id").is_none());
    }
}
