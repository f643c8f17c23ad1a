//! Mints a subject: valid-looking values from reserved or unassigned ranges where those exist,
//! random enough that chance cannot produce them.

use crate::exit::Fault;
use dyetrace_case::{Kind, Secret, Subject};

/// Where random numbers come from: the system, or a fixed sequence in tests.
pub(crate) trait Dice {
    /// Fills a buffer.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Fault>;
}

/// The operating system's random numbers.
pub(crate) struct System;

impl Dice for System {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        getrandom::fill(buffer).map_err(|error| Fault::new(format!("no random numbers from the system: {error}")))
    }
}

/// A subject with one value of each kind that a person types or a phone holds.
pub(crate) fn subject(dice: &mut dyn Dice) -> Result<Subject, Fault> {
    let mut subject = Subject { title: Some("Lin Mei (made up)".to_owned()), data: Vec::new() };
    let mut add = |kind: &str, (value, bits): (String, u32), planted: &str| -> Result<(), Fault> {
        let kind: Kind = kind.parse().map_err(Fault::new)?;
        let datum = subject.add(kind, Secret::new(value));
        datum.bits = Some(bits);
        datum.planted = Some(planted.to_owned());
        Ok(())
    };
    add("wifi.ssid", prefixed(dice, "Linden-", BASE32, 13)?, "name of the test network")?;
    add("wifi.password", prefixed(dice, "", UNAMBIGUOUS, 16)?, "password of the test network")?;
    add("email", email(dice)?, "account of the app")?;
    add("phone", phone(dice)?, "phone number of the account; unassigned, it cannot receive a code")?;
    add("name", name(dice)?, "name in the profile")?;
    add("password", prefixed(dice, "", UNAMBIGUOUS, 16)?, "password of the account")?;
    add("id.cn", resident_id(dice)?, "resident ID number; its county code is unassigned")?;
    add("gps", position(dice)?, "mock location, in the South Pacific")?;
    add("imei", imei(dice)?, "IMEI of an emulator; test range")?;
    add("mac", mac(dice)?, "Wi-Fi address of the phone; locally administered")?;
    add("advertising-id", uuid(dice)?, "advertising identifier of the phone")?;
    add("message", prefixed(dice, "Blue heron ", BASE32, 13)?, "a note or message typed into the app")?;
    Ok(subject)
}

/// Crockford's alphabet: no letter is taken for a digit.
const BASE32: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters and digits that are not mistaken for one another when typed from a screen.
const UNAMBIGUOUS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const DIGITS: &[u8] = b"0123456789";

/// A number under `below`, each equally likely.
fn below(dice: &mut dyn Dice, below: u32) -> Result<u32, Fault> {
    let fair = u32::MAX - u32::MAX % below;
    loop {
        let mut bytes = [0; 4];
        dice.fill(&mut bytes)?;
        let number = u32::from_le_bytes(bytes);
        if number < fair {
            return Ok(number % below);
        }
    }
}

fn letters(dice: &mut dyn Dice, alphabet: &[u8], length: usize) -> Result<(String, u32), Fault> {
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(alphabet[below(dice, alphabet.len() as u32)? as usize]));
    }
    let bits = (alphabet.len() as f64).log2() * length as f64;
    Ok((text, bits as u32))
}

fn prefixed(dice: &mut dyn Dice, prefix: &str, alphabet: &[u8], length: usize) -> Result<(String, u32), Fault> {
    letters(dice, alphabet, length).map(|(text, bits)| (format!("{prefix}{text}"), bits))
}

/// At a domain that RFC 2606 section 3 reserves.
fn email(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    let (text, bits) = letters(dice, BASE32, 13)?;
    Ok((format!("lin.mei.{}@example.org", text.to_ascii_lowercase()), bits))
}

/// Chinese mobile numbers have 11 digits; 140 is given out only with 13 (to machines), so an
/// 11-digit number that starts with it belongs to nobody.
fn phone(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    prefixed(dice, "140", DIGITS, 8)
}

fn name(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    const SYLLABLES: [&str; 16] = [
        "qing", "shuo", "wen", "yao", "lian", "zhu", "mei", "tao", "hui", "ruo", "ning", "jia", "xuan", "bo", "fei",
        "an",
    ];
    let mut given = String::new();
    for _ in 0..3 {
        given.push_str(SYLLABLES[below(dice, 16)? as usize]);
    }
    let (initial, rest) = given.split_at(1);
    Ok((format!("Lin {}{rest}", initial.to_ascii_uppercase()), 12))
}

/// Weights of the first 17 digits in the check digit: 2^(17-i) mod 11 (ISO 7064 MOD 11-2).
const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// GB 11643: six digits of place, eight of birth, three of order, and the check digit of ISO 7064
/// MOD 11-2. County 99 of Beijing is unassigned.
fn resident_id(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    let (year, month, day) = (1960 + below(dice, 40)?, 1 + below(dice, 12)?, 1 + below(dice, 28)?);
    let order = below(dice, 1000)?;
    let body = format!("110199{year}{month:02}{day:02}{order:03}");
    let sum: u32 = body.bytes().zip(ID_WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = char::from(b"10X98765432"[(sum % 11) as usize]);
    Ok((format!("{body}{check}"), 23))
}

/// Within half a degree of the point farthest from land.
fn position(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    let mut offset = || Ok::<f64, Fault>(f64::from(below(dice, 10_000_000)?) / 1e7 - 0.5);
    Ok((format!("{:.7},{:.7}", -48.876_667 + offset()?, -123.393_333 + offset()?), 46))
}

/// 3GPP TS 23.003 section 6.2.1; a TAC that starts with 00 is a test IMEI (GSMA TS.06). The last
/// digit is Luhn's.
fn imei(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    let (digits, bits) = letters(dice, DIGITS, 12)?;
    let body = format!("00{digits}");
    let doubled = |(index, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0') * if index % 2 == 1 { 2 } else { 1 };
        digit / 10 + digit % 10
    };
    let sum: u32 = body.bytes().enumerate().map(doubled).sum();
    Ok((format!("{body}{}", (10 - sum % 10) % 10), bits))
}

/// Locally administered and unicast (IEEE 802 section 8.2).
fn mac(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    let mut bytes = [0; 6];
    dice.fill(&mut bytes)?;
    bytes[0] = bytes[0] & 0xfc | 0x02;
    Ok((bytes.map(|byte| format!("{byte:02x}")).join(":"), 46))
}

/// RFC 9562 section 5.4, version 4.
fn uuid(dice: &mut dyn Dice) -> Result<(String, u32), Fault> {
    let mut bytes = [0; 16];
    dice.fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = dyetrace_case::hex(&bytes);
    Ok((format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]), 122))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts upwards.
    struct Counter(u8);

    impl Dice for Counter {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
            for byte in buffer {
                self.0 = self.0.wrapping_mul(5).wrapping_add(3);
                *byte = self.0;
            }
            Ok(())
        }
    }

    fn value(subject: &Subject, kind: &str) -> String {
        let datum = subject.data.iter().find(|datum| datum.kind.as_str() == kind).unwrap();
        String::from_utf8(datum.value.reveal().to_vec()).unwrap()
    }

    #[test]
    fn minted_values_pass_the_checks_that_apps_make() {
        let subject = subject(&mut Counter(1)).unwrap();
        let imei = value(&subject, "imei");
        let luhn: u32 = imei
            .bytes()
            .rev()
            .enumerate()
            .map(|(index, digit)| {
                let digit = u32::from(digit - b'0') * (1 + index as u32 % 2);
                digit / 10 + digit % 10
            })
            .sum();
        assert_eq!((imei.len(), luhn % 10), (15, 0));
        let id = value(&subject, "id.cn");
        let sum: u32 = id
            .bytes()
            .enumerate()
            .map(|(index, c)| if c == b'X' { 10 } else { u32::from(c - b'0') } * (1 << (17 - index)) % 11)
            .sum();
        assert_eq!((id.len(), sum % 11), (18, 1));
        assert_eq!(value(&subject, "phone").len(), 11);
        assert!(value(&subject, "email").ends_with("@example.org"));
    }

    #[test]
    fn two_subjects_share_no_value() {
        let [one, two] = [1, 2].map(|_| subject(&mut System).unwrap());
        let strong = |subject: &Subject| -> Vec<Vec<u8>> {
            let data = subject.data.iter().filter(|datum| datum.bits.unwrap() >= 40);
            data.map(|datum| datum.value.reveal().to_vec()).collect()
        };
        assert!(strong(&one).iter().all(|value| !strong(&two).contains(value)));
    }
}
