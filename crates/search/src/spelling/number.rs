//! Numbers as digits, packed digits and machine integers.

use super::list::List;

/// Bits of so many decimal digits.
pub(super) fn bits_of_digits(count: usize) -> f64 {
    10f64.log2() * count as f64
}

/// The ASCII digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Digits of a text that consists of nothing but digits and what is put between them.
pub(super) fn number(text: &str) -> Option<String> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+'));
    plain.then(|| digits(text)).filter(|digits| !digits.is_empty())
}

/// Pieces of the given sizes, joined; the last piece takes what is left over.
pub(super) fn grouped(text: &str, sizes: &[usize], gap: &str) -> String {
    let mut pieces = Vec::new();
    let mut rest = text;
    for size in sizes {
        let Some((piece, behind)) = rest.split_at_checked(*size) else { break };
        pieces.push(piece);
        rest = behind;
    }
    match pieces.last() {
        Some(_) if rest.is_empty() => {}
        _ => pieces.push(rest),
    }
    pieces.join(gap)
}

/// Pieces of four, as cards and accounts are printed.
pub(super) fn in_fours(text: &str, gap: &str) -> String {
    grouped(text, &vec![4; text.len().saturating_sub(1) / 4], gap)
}

/// The digits as ASCII integers in typed fields. A number with leading zeros is not one.
pub(super) fn integer(form: &str, digits: &str, list: &mut List) {
    let canonical = !digits.starts_with('0') && (1..=20).contains(&digits.len());
    if let Some(number) = digits.parse::<i128>().ok().filter(|_| canonical) {
        list.integer(form, number, bits_of_digits(digits.len()));
    }
}

/// Machine integers of eight bytes.
pub(super) fn eight_bytes(form: &str, digits: &str, list: &mut List) {
    let Some(number) = digits.parse::<u64>().ok().filter(|number| *number > u64::from(u32::MAX)) else { return };
    list.raw(&format!("{form}, 64-bit little-endian"), number.to_le_bytes(), bits_of_digits(digits.len()));
    list.raw(&format!("{form}, 64-bit big-endian"), number.to_be_bytes(), bits_of_digits(digits.len()));
}

/// Packed digits of six bytes and more: BCD with the first digit in the high half, and TBCD with
/// it in the low half (3GPP TS 29.002 section 17.7.8). An odd number of digits is filled with F at
/// the end, in BCD also with 0 at the start.
pub(super) fn packed(form: &str, digits: &str, list: &mut List) {
    if digits.len() < 11 {
        return;
    }
    let bits = bits_of_digits(digits.len());
    let halves: Vec<u8> = digits.bytes().map(|digit| digit & 0x0F).collect();
    list.raw(&format!("{form}, BCD"), pack(&halves), bits);
    list.raw(&format!("{form}, TBCD"), swapped(&pack(&halves)), bits);
    if halves.len() % 2 == 1 {
        list.raw(&format!("{form}, BCD with leading 0"), pack(&[&[0], &halves[..]].concat()), bits);
    }
}

/// A mobile identity as 3GPP TS 24.008 section 10.5.1.4 carries it: type and parity in the low
/// half of the first byte, then TBCD. Type 1 is an IMSI, 2 an IMEI.
pub(super) fn mobile_identity(kind: u8, digits: &str, list: &mut List) {
    if digits.len() < 11 {
        return;
    }
    let odd = u8::from(digits.len() % 2 == 1) << 3;
    let halves: Vec<u8> = digits.bytes().map(|digit| digit & 0x0F).collect();
    let Some((first, rest)) = halves.split_first() else { return };
    let bytes = [vec![first << 4 | odd | kind], swapped(&pack(rest))].concat();
    list.raw("mobile identity", bytes, bits_of_digits(digits.len()));
}

fn pack(halves: &[u8]) -> Vec<u8> {
    halves.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0x0F)).collect()
}

fn swapped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte.rotate_left(4)).collect()
}

/// The digit that makes the sum of ISO/IEC 7812-1 annex B a multiple of ten.
pub(crate) fn luhn(digits: &[u8]) -> u32 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0') % 10);
            match (place % 2, digit) {
                (0, ..5) => digit * 2,
                (0, _) => digit * 2 - 9,
                _ => digit,
            }
        })
        .sum();
    (10 - sum % 10) % 10
}
