//! Decoys of values with a format.

use super::source::Source;
use super::words;
use crate::spelling::number::luhn;
use crate::spelling::{date, identifier, phone, resident_id};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The text with other digits behind the first `kept`; what stands between stays.
pub(super) fn digits_behind(text: &str, kept: usize, source: &mut Source) -> String {
    let mut seen = 0;
    text.chars()
        .map(|c| {
            if !c.is_ascii_digit() {
                return c;
            }
            seen += 1;
            if seen > kept { source.digit(seen == 1, c) } else { c }
        })
        .collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Puts these digits in the places of the text's digits.
fn with_digits(text: &str, digits: &str) -> String {
    let mut digits = digits.chars();
    text.chars().map(|c| if c.is_ascii_digit() { digits.next().unwrap_or(c) } else { c }).collect()
}

/// Keeps the country and the first three digits of the national number, but never all.
pub(super) fn phone(text: &str, source: &mut Source) -> Option<String> {
    let all = digits(text);
    let zeros = if all.starts_with("00") { 2 } else { 0 };
    let number = all.get(zeros..).filter(|number| number.len() >= 5)?;
    let chinese = number.strip_prefix("86").is_some_and(phone::is_chinese_mobile);
    let international = zeros == 2 || chinese || text.trim_start().starts_with(['+', '(']);
    let country = if international { phone::country_code(number) } else { 0 };
    let kept = (zeros + country + 3).min(all.len() - 2);
    Some(digits_behind(text, kept, source))
}

/// Keeps the first digits and whether the last one is the right check digit (ISO/IEC 7812-1); an
/// IMEI of 14 digits, and one of 16, has none.
pub(super) fn with_luhn(text: &str, kept: usize, source: &mut Source) -> Option<String> {
    let old = digits(text);
    if old.len() < kept + 3 {
        return None;
    }
    let drawn = digits_behind(text, kept, source);
    let new = digits(&drawn);
    let off = |digits: &str| -> Option<u32> {
        let (body, check) = digits.split_at_checked(digits.len() - 1)?;
        Some((check.parse::<u32>().ok()? + 10 - luhn(body.as_bytes())) % 10)
    };
    let body = &new[..new.len() - 1];
    let check = (luhn(body.as_bytes()) + off(&old)?) % 10;
    Some(with_digits(&drawn, &format!("{body}{check}")))
}

/// Keeps the place and how far the check character is from the right one; another birthday.
pub(super) fn resident_id(text: &str, source: &mut Source) -> Option<String> {
    let (body, last) = text.split_at_checked(17)?;
    let old = match last {
        "X" | "x" => 10,
        _ => last.parse::<u32>().ok().filter(|_| last.len() == 1)?,
    };
    if !body.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let birth = date(&body[6..14], source)?;
    let new = format!("{}{birth}{:03}", &body[..6], source.below(1000));
    let check = resident_id::check(new.as_bytes()) + old + 11 - resident_id::check(body.as_bytes());
    let check = resident_id::check_character(check);
    Some(format!("{new}{}", if last == "x" { check.to_ascii_lowercase() } else { check }))
}

/// Another day within ten years, written with as many digits.
pub(super) fn date(text: &str, source: &mut Source) -> Option<String> {
    let old = date::parse(text)?;
    let all = digits(text);
    let month_digits = if all.len() == 8 { 2 } else { old.month.to_string().len() };
    let (low, high) = match (all.len(), month_digits) {
        (8, _) => (1, 12),
        (_, 1) => (1, 9),
        _ => (10, 12),
    };
    let day_digits = all.len().checked_sub(4 + month_digits)?;
    let (first, last) = match (all.len(), day_digits) {
        (8, _) => (1, 28),
        (_, 1) => (1, 9),
        _ => (10, 28),
    };
    let year = source.between((old.year - 10).max(1000), (old.year + 10).min(9999));
    let (month, day) = (source.between(low, high), source.between(first, last));
    Some(with_digits(text, &format!("{year}{month:0month_digits$}{day:0day_digits$}")))
}

/// Keeps the domain and the shape of the local part.
pub(super) fn email(text: &str, source: &mut Source) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    Some(format!("{}@{domain}", words::by_class(local, source)))
}

/// Other hexadecimal digits in the case of the old ones.
fn hex_digit(old: char, upper: bool, source: &mut Source) -> char {
    match source.one_of(b"0123456789abcdef") {
        Some(drawn) if upper => char::from(drawn.to_ascii_uppercase()),
        Some(drawn) => char::from(drawn),
        None => old,
    }
}

fn hex_behind(text: &str, kept: impl Fn(usize) -> bool, source: &mut Source) -> String {
    let upper = text.bytes().any(|b| (b'A'..=b'F').contains(&b));
    let mut seen = 0;
    text.chars()
        .map(|c| {
            if !c.is_ascii_hexdigit() {
                return c;
            }
            seen += 1;
            if kept(seen - 1) { c } else { hex_digit(c, upper, source) }
        })
        .collect()
}

/// Keeps the first octet, which says whether an address is a group's or locally given.
pub(super) fn mac(text: &str, source: &mut Source) -> Option<String> {
    let plain = text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.' | ' '));
    let count = text.bytes().filter(u8::is_ascii_hexdigit).count();
    (plain && count == 12).then(|| hex_behind(text, |place| place < 2, source))
}

/// Keeps version and variant of a UUID (RFC 9562 sections 4.1 and 4.2); digits stay digits where
/// there are no letters.
pub(super) fn identifier(text: &str, source: &mut Source) -> String {
    debug_assert!(identifier::is_hex_id(text), "told by the caller");
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return words::by_class(text, source);
    }
    let uuid = text.bytes().filter(u8::is_ascii_hexdigit).count() == 32;
    hex_behind(text, |place| uuid && (place == 12 || place == 16), source)
}

/// Other decimals within the same whole degrees.
pub(super) fn coordinates(text: &str, source: &mut Source) -> Option<String> {
    let numbers = text.bytes().all(|b| b.is_ascii_digit() || b" .,;+-".contains(&b));
    if !numbers || !text.contains('.') {
        return None;
    }
    let mut decimals = false;
    let drawn = text.chars().map(|c| {
        decimals = c == '.' || decimals && c.is_ascii_digit();
        if decimals && c != '.' { source.digit(false, c) } else { c }
    });
    Some(drawn.collect())
}

/// Keeps the network: the first two numbers of IPv4, the first half of IPv6.
pub(super) fn ip(text: &str, source: &mut Source) -> Option<String> {
    let drawn: IpAddr = match text.parse().ok()? {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            Ipv4Addr::new(a, b, source.below(256) as u8, 1 + source.below(254) as u8).into()
        }
        IpAddr::V6(address) => {
            let mut groups = address.segments();
            groups[4..].fill_with(|| source.below(1 << 16) as u16);
            Ipv6Addr::from(groups).into()
        }
    };
    Some(drawn.to_string())
}
