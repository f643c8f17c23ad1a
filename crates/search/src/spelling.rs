//! The ways in which one value is commonly written. What kind of value it is decides.

use dyetrace_case::{Datum, Strength};
use std::collections::HashSet;

/// One way of writing a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelling {
    /// Its name in reports: `as typed`, `with +86`.
    pub(crate) form: String,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// Letters match in either case.
    pub(crate) any_case: bool,
    /// Digits beside it would make it another number.
    pub(crate) bounded: bool,
    /// How it ties to the value.
    pub(crate) strength: Strength,
}

/// Values longer than this (files) are searched for as they are only.
const LONGEST_SPELLED: usize = 4096;

/// Decimals at which coordinates are written by the programs that round them.
const DECIMALS: std::ops::RangeInclusive<usize> = 3..=7;

/// Shortest local part of an e-mail address that stands for the address.
const SHORTEST_LOCAL_PART: usize = 6;

/// All spellings of a datum, `as typed` first, each once.
pub(crate) fn spellings(datum: &Datum) -> Vec<Spelling> {
    let mut list = List::default();
    let value = datum.value.reveal();
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST_SPELLED);
    list.any_case = text.is_some_and(|text| is_caseless(datum, text));
    list.push("as typed", value);
    let Some(text) = text else { return list.all };
    let trimmed = text.trim();
    list.push("trimmed", trimmed.as_bytes());
    for part in datum.kind.as_str().split('.') {
        match part {
            "phone" | "msisdn" | "mobile" => phone(trimmed, &mut list),
            "mac" | "bssid" => mac(trimmed, &mut list),
            "imei" | "meid" => imei(trimmed, &mut list),
            "email" => email(trimmed, &mut list),
            "gps" | "location" | "coordinates" => coordinates(trimmed, &mut list),
            "card" | "pan" => card(trimmed, &mut list),
            _ => {}
        }
    }
    if is_hex_id(trimmed) && trimmed.contains('-') {
        list.push("without dashes", trimmed.replace('-', "").as_bytes());
    }
    utf16(&mut list);
    list.all
}

/// Letters of these values carry nothing in their case.
fn is_caseless(datum: &Datum, text: &str) -> bool {
    let named = |name| datum.kind.as_str().split('.').any(|part| part == name);
    let id_card = datum.kind.as_str().starts_with("id.");
    ["email", "mac", "bssid", "imei", "meid"].into_iter().any(named) || id_card || is_hex_id(text.trim())
}

/// Sixteen or more hexadecimal digits, perhaps with dashes: a device identifier or UUID.
fn is_hex_id(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_hexdigit).count() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[derive(Default)]
struct List {
    all: Vec<Spelling>,
    seen: HashSet<Vec<u8>>,
    any_case: bool,
}

impl List {
    fn push(&mut self, form: &str, bytes: &[u8]) {
        self.add(form, bytes, Strength::Exact, false);
    }

    fn add(&mut self, form: &str, bytes: &[u8], strength: Strength, bounded: bool) {
        let key = if self.any_case { bytes.to_ascii_lowercase() } else { bytes.to_vec() };
        if !bytes.is_empty() && self.seen.insert(key) {
            let (form, bytes) = (form.to_owned(), bytes.to_vec());
            self.all.push(Spelling { form, bytes, any_case: self.any_case, bounded, strength });
        }
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Digits of a text that consists of nothing but digits and what is put between them.
fn number(text: &str) -> Option<String> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+'));
    plain.then(|| digits(text)).filter(|digits| !digits.is_empty())
}

/// Numbers of mainland China (11 digits beginning with 1) in every usual dress; others as digits.
fn phone(text: &str, list: &mut List) {
    let Some(all) = number(text) else { return };
    let all = all.strip_prefix("00").unwrap_or(&all);
    let national = all.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(all);
    // Mobile numbers of mainland China: 1, then 3 to 9.
    if !(national.len() == 11 && national.starts_with('1') && national[1..].starts_with(|c| c >= '3')) {
        list.push("digits only", all.as_bytes());
        list.push("with +", format!("+{all}").as_bytes());
        return;
    }
    list.push("national number", national.as_bytes());
    for (form, prefix) in [("with +86", "+86"), ("with 0086", "0086"), ("with 86", "86"), ("with 0", "0")] {
        list.push(form, format!("{prefix}{national}").as_bytes());
    }
    for (form, gap) in [("spaces", " "), ("dashes", "-")] {
        let grouped = [&national[..3], &national[3..7], &national[7..]].join(gap);
        list.push(&format!("with {form}"), grouped.as_bytes());
        list.push(&format!("with +86 and {form}"), format!("+86{gap}{grouped}").as_bytes());
        list.push(&format!("with +86 and one of {form}"), format!("+86{gap}{national}").as_bytes());
    }
    let wide: String = national.chars().filter_map(|c| char::from_u32(u32::from(c) - 0x30 + 0xFF10)).collect();
    list.push("full-width digits", wide.as_bytes());
}

fn mac(text: &str, list: &mut List) {
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    if hex.len() != 12 || text.chars().any(|c| !c.is_ascii_hexdigit() && !matches!(c, ':' | '-' | '.' | ' ')) {
        return;
    }
    let joined =
        |size: usize, gap: &str| hex.as_bytes().chunks(size).map(String::from_utf8_lossy).collect::<Vec<_>>().join(gap);
    list.push("with colons", joined(2, ":").as_bytes());
    list.push("with dashes", joined(2, "-").as_bytes());
    list.push("with dots", joined(4, ".").as_bytes());
    list.push("without separators", hex.as_bytes());
    let raw: Vec<u8> = (0..6).filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    list.any_case = false;
    list.push("six bytes", &raw);
    list.any_case = true;
}

fn imei(text: &str, list: &mut List) {
    let Some(digits) = number(text) else { return };
    list.push("digits only", digits.as_bytes());
    if digits.len() == 15 {
        list.push("without check digit", &digits.as_bytes()[..14]);
    }
    if digits.len() == 14 {
        list.push("with check digit", format!("{digits}{}", luhn(&digits)).as_bytes());
    }
    if digits.len() >= 14 {
        let groups = [&digits[..2], &digits[2..8], &digits[8..14], &digits[14..]];
        for (form, gap) in [("with spaces", " "), ("with dashes", "-")] {
            list.push(form, groups.join(gap).trim_end_matches(gap).as_bytes());
        }
    }
}

/// The digit that makes the sum of ISO/IEC 7812-1 annex B a multiple of ten.
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    (10 - sum % 10) % 10
}

fn email(text: &str, list: &mut List) {
    if let Some((local, _)) = text.rsplit_once('@').filter(|(local, _)| local.len() >= SHORTEST_LOCAL_PART) {
        list.add("local part", local.as_bytes(), Strength::Derived, false);
    }
}

/// `latitude,longitude`: each on its own, and rounded and cut to fewer decimals.
fn coordinates(text: &str, list: &mut List) {
    for (name, part) in ["latitude", "longitude"].into_iter().zip(text.split([',', ';'])) {
        let part = part.trim();
        let Some((whole, decimals)) = part.split_once('.').filter(|_| part.parse::<f64>().is_ok()) else { continue };
        list.add(name, part.as_bytes(), Strength::Exact, true);
        for kept in DECIMALS.filter(|kept| *kept < decimals.len()) {
            let rounded = part.parse::<f64>().map(|number| format!("{number:.kept$}"));
            let cut = format!("{whole}.{}", decimals.get(..kept).unwrap_or_default());
            for text in rounded.into_iter().chain([cut]) {
                list.add(&format!("{name} to {kept} decimals"), text.as_bytes(), Strength::Derived, true);
            }
        }
    }
}

fn card(text: &str, list: &mut List) {
    let Some(digits) = number(text) else { return };
    list.push("digits only", digits.as_bytes());
    for (form, gap) in [("with spaces", " "), ("with dashes", "-")] {
        let groups: Vec<_> = digits.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        list.push(form, groups.join(gap).as_bytes());
    }
}

/// UTF-16 of every textual spelling. Values under six bytes are left out: they are compared with
/// whole fields, and fields are not UTF-16 where their document is not.
fn utf16(list: &mut List) {
    for spelling in list.all.clone() {
        let Some(text) = std::str::from_utf8(&spelling.bytes).ok().filter(|text| text.len() >= 6) else { continue };
        for (name, bytes) in [
            ("UTF-16LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            ("UTF-16BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            list.any_case = spelling.any_case;
            list.add(&format!("{}, {name}", spelling.form), &bytes, spelling.strength, false);
        }
    }
}

/// The spellings whose digests are looked for: every one that is text, also in lower and upper
/// case and reduced to its digits. The name goes behind `sha256 of`.
pub(crate) fn digested(spellings: &[Spelling]) -> Vec<(String, Vec<u8>)> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for spelling in spellings.iter().filter(|spelling| spelling.strength == Strength::Exact) {
        let bytes = &spelling.bytes;
        let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_digit).collect();
        let variants = [
            (spelling.form.clone(), bytes.clone()),
            (cased(&spelling.form, "lower case"), bytes.to_ascii_lowercase()),
            (cased(&spelling.form, "upper case"), bytes.to_ascii_uppercase()),
            ("digits only".to_owned(), if digits.len() >= 6 { digits } else { Vec::new() }),
        ];
        all.extend(variants.into_iter().filter(|(_, bytes)| !bytes.is_empty() && seen.insert(bytes.clone())));
    }
    all
}

fn cased(form: &str, case: &str) -> String {
    if form == "as typed" { case.to_owned() } else { format!("{form}, {case}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{Secret, Subject};

    fn texts(kind: &str, value: &str) -> Vec<String> {
        let mut subject = Subject::default();
        subject.add(kind.parse().unwrap(), Secret::new(value));
        let utf8 = |spelling: &Spelling| String::from_utf8(spelling.bytes.clone()).ok().filter(|t| !t.contains('\0'));
        spellings(&subject.data[0]).iter().filter_map(utf8).collect()
    }

    #[test]
    fn a_phone_number_in_its_dresses() {
        let all = texts("phone", "+86 138-0000-0427");
        for form in [
            "13800000427",
            "+8613800000427",
            "008613800000427",
            "138 0000 0427",
            "+86-138-0000-0427",
            "１３８０００００４２７",
        ] {
            assert!(all.iter().any(|text| text == form), "{form}");
        }
        assert_eq!(texts("phone", "+1 202 555 0143")[1..], ["12025550143", "+12025550143"]);
    }

    #[test]
    fn hardware_numbers() {
        let macs = texts("device.mac", "02:00:5E:10:00:01");
        assert_eq!(macs[0], "02:00:5E:10:00:01");
        assert!(["02-00-5e-10-00-01", "0200.5e10.0001", "02005e100001"].iter().all(|m| macs.iter().any(|t| t == m)));
        assert!(texts("imei", "490154203237518").contains(&"49015420323751".to_owned()));
        assert!(texts("imei", "49015420323751").contains(&"490154203237518".to_owned()));
    }

    #[test]
    fn coordinates_at_the_decimals_that_are_written() {
        let all = texts("gps", "31.2304167,121.4736999");
        for text in ["31.2304167", "31.230", "31.23042", "31.23041", "121.474", "121.4736999"] {
            assert!(all.iter().any(|form| form == text), "{text}");
        }
    }

    #[test]
    fn any_bytes_have_spellings() {
        let mut subject = Subject::default();
        subject.add("phone.mac.imei.gps.card".parse().unwrap(), Secret::new(vec![0xFF, 0, 0x80]));
        assert_eq!(spellings(&subject.data[0]).len(), 1);
    }
}
