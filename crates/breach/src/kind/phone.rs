//! Telephone numbers in the spellings that tables have: blanks, dashes, brackets, `+86`, `0086`, full-width digits.

use super::Canonical;
use crate::ascii::are_digits;
use dyetrace_search::whole;

/// Puts the number's E.164 digits (country code first, no plus sign) into `canonical`, for mobiles of China and Taiwan
/// and for numbers behind a plus sign or `00`. False where it is none.
pub(crate) fn mobile(value: &[u8], canonical: &mut Canonical) -> bool {
    if value.len() == 11 && value.first() == Some(&b'1') && are_digits(value) {
        return whole::is_mobile(value) && with_code(value, canonical);
    }
    if !(10..=48).contains(&value.len()) || !narrow_digits(value, canonical) {
        return false;
    }
    let digits = *canonical;
    match digits.bytes() {
        // Mobiles of Taiwan are 09 and eight digits within it (numbering plan of its National Communications Commission).
        [b'0', rest @ ..] if rest.len() == 9 && rest.first() == Some(&b'9') => canonical.set_joined(b"886", rest),
        [b'+', rest @ ..] | [b'0', b'0', rest @ ..] => international(rest, canonical),
        [b'8', b'6', rest @ ..] | [b'0', rest @ ..] if rest.len() == 11 => {
            whole::is_mobile(rest) && with_code(rest, canonical)
        }
        rest => rest.len() == 11 && whole::is_mobile(rest) && with_code(rest, canonical),
    }
}

fn international(digits: &[u8], canonical: &mut Canonical) -> bool {
    // Behind the code of the country some write the 0 that is dialled within it.
    if let [b'8', b'6', b'0', rest @ ..] = digits
        && whole::is_mobile(rest)
    {
        return with_code(rest, canonical);
    }
    whole::is_international(digits) && canonical.set(digits)
}

fn with_code(national: &[u8], canonical: &mut Canonical) -> bool {
    canonical.set_joined(b"86", national)
}

/// A fixed line of China: area code (010, 02x, or 03xx to 09xx), 7 or 8 digits not from 0 or 1, also with 86 in front
/// and an extension behind (numbering plan of the Ministry of Industry and Information Technology). The canonical form
/// is that of E.164, without the extension.
pub(crate) fn landline(value: &[u8], canonical: &mut Canonical) -> bool {
    let (value, _) = split_extension(value);
    if !(10..=48).contains(&value.len()) || !narrow_digits(value, canonical) {
        return false;
    }
    let digits = *canonical;
    let digits = digits.bytes();
    let rest = match digits {
        [b'+', b'8', b'6', rest @ ..] | [b'0', b'0', b'8', b'6', rest @ ..] => rest,
        _ => digits,
    };
    let has_code = rest.len() != digits.len();
    let Some(national) = rest.strip_prefix(b"0").or(has_code.then_some(rest)) else { return false };
    let area = match national {
        [b'1', b'0', ..] | [b'2', ..] => 2,
        [b'3'..=b'9', second, ..] if *second != b'0' => 3,
        _ => return false,
    };
    let known_area = area == 3 || matches!(national.get(..2), Some(b"10" | b"20" | [b'2', b'1'..=b'5' | b'7'..=b'9']));
    let line = national.get(area..).unwrap_or_default();
    let shaped =
        matches!(line.len(), 7 | 8) && matches!(line.first(), Some(b'2'..=b'9')) && (area == 3 || line.len() == 8);
    known_area && shaped && canonical.set_joined(b"86", national)
}

/// What stands before an extension, and the extension: `010-62345678-801`, `…转801`, `…x801`.
fn split_extension(value: &[u8]) -> (&[u8], &[u8]) {
    let digits = value.iter().rev().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    let at = value.len() - digits;
    let (before, extension) = value.split_at(at);
    let signs: [&[u8]; 4] = ["转".as_bytes(), b"x", b"ext", b"#"];
    let trimmed = signs.iter().find_map(|sign| before.strip_suffix(*sign));
    let short = (1..=5).contains(&digits) && before.split(|byte| *byte == b'-').count() > 2;
    let parted = if short { before.strip_suffix(b"-") } else { None };
    match trimmed.or(parted) {
        Some(before) if !extension.is_empty() => (before, extension),
        _ => (value, &[]),
    }
}

/// The digits of the value and a plus sign in front. False where something stands there that numbers do not have.
fn narrow_digits(value: &[u8], canonical: &mut Canonical) -> bool {
    if !canonical.set_narrow(value) {
        return false;
    }
    let text = *canonical;
    canonical.clear();
    for (index, byte) in text.bytes().iter().enumerate() {
        let kept = match byte {
            b'0'..=b'9' => canonical.push(*byte),
            b'+' if canonical.bytes().is_empty() => canonical.push(b'+'),
            b'(' => true,
            b' ' | b'-' | b')' | b'.' => index > 0,
            _ => false,
        };
        if !kept {
            return false;
        }
    }
    (7..=19).contains(&canonical.bytes().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical_of(recognise: fn(&[u8], &mut Canonical) -> bool, text: &str) -> Option<String> {
        let mut canonical = Canonical::new();
        recognise(text.as_bytes(), &mut canonical).then(|| String::from_utf8(canonical.bytes().to_vec()).unwrap())
    }

    #[test]
    fn one_mobile_has_one_canonical_form_in_all_spellings() {
        for spelling in [
            "13812345678",
            "138 1234 5678",
            "138-1234-5678",
            "+8613812345678",
            "+86 138 1234 5678",
            "008613812345678",
            "8613812345678",
            "(+86)13812345678",
            "１３８１２３４５６７８",
            "+86-013812345678",
            "013812345678",
        ] {
            assert_eq!(canonical_of(mobile, spelling).as_deref(), Some("8613812345678"), "{spelling}");
        }
        assert_eq!(canonical_of(mobile, "+1 212 555 0123").as_deref(), Some("12125550123"));
        for spelling in ["0912345678", "0912-345-678", "+886 912 345 678"] {
            assert_eq!(canonical_of(mobile, spelling).as_deref(), Some("886912345678"), "{spelling}");
        }
    }

    #[test]
    fn stamps_orders_and_prefixes_that_nobody_has_are_no_mobiles() {
        for decoy in
            ["1385012345678", "1700000000000", "12345678901", "1381234567", "138123456789", "1.3812345678e10", ""]
        {
            assert_eq!(canonical_of(mobile, decoy), None, "{decoy}");
        }
    }

    #[test]
    fn a_fixed_line_has_an_area_code_and_may_have_an_extension() {
        for spelling in [
            "010-62345678",
            "01062345678",
            "(010)62345678",
            "+86 10 6234 5678",
            "010-62345678-801",
            "010-62345678转801",
        ] {
            assert_eq!(canonical_of(landline, spelling).as_deref(), Some("861062345678"), "{spelling}");
        }
        assert_eq!(canonical_of(landline, "0571-7654321").as_deref(), Some("865717654321"));
        for decoy in ["62345678", "010-12345678", "13812345678", "2014-01-02 03:04", "0000000000"] {
            assert_eq!(canonical_of(landline, decoy), None, "{decoy}");
        }
    }
}
