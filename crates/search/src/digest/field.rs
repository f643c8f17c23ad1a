//! The ways in which a whole field can hold a number of 32 or 64 bits.

/// A number and its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// 32 bits.
    Narrow(u32),
    /// 64 bits.
    Wide(u64),
}

/// Longest field that holds such a number: `0x` and 16 digits, or 20 decimal digits and a sign.
const LONGEST: usize = 21;

/// Calls `visit` with every number that the field can be read as: hexadecimal (either case, with
/// or without `0x`), decimal with or without a sign, and raw bytes in both orders.
pub(crate) fn readings(field: &[u8], visit: &mut dyn FnMut(Number)) {
    if !(4..=LONGEST).contains(&field.len()) {
        return;
    }
    raw(field, visit);
    // Most numbers are decimal and of lengths that no hexadecimal ones have.
    if matches!(field.len(), 9..=14 | 17..=19)
        && let Some(value) = digits(field)
    {
        return visit(u32::try_from(value).map_or(Number::Wide(value), Number::Narrow));
    }
    // Most fields are words.
    if !field.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X' | b'-')) {
        return;
    }
    let Ok(text) = std::str::from_utf8(field) else { return };
    hexadecimal(text, visit);
    decimal(field).and_then(of_integer).into_iter().for_each(visit);
}

/// The number that at most nineteen digits are: more may not fit 64 bits.
fn digits(text: &[u8]) -> Option<u64> {
    if text.len() > 19 {
        return None;
    }
    let (eights, rest) = text.as_chunks::<8>();
    let value = eights.iter().try_fold(0, |value, eight| Some(value * 100_000_000 + eight_digits(*eight)?))?;
    rest.iter().try_fold(value, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0')))
}

/// The number that eight digits are, the neighbours joined in three rounds.
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let values = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    // Adding six to a number over nine sets its fifth bit.
    if (values | values.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = (values * 10 + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

fn decimal(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // At most twenty-one digits.
    let value = digits.iter().fold(0, |value: i128, digit| value * 10 + i128::from(digit - b'0'));
    Some(if digits.len() < text.len() { -value } else { value })
}

/// The number that a typed integer stands for. Negative ones are two's complement of the shortest
/// width that holds them.
pub(crate) fn of_integer(value: i128) -> Option<Number> {
    let narrow = u32::try_from(value).or_else(|_| i32::try_from(value).map(i32::cast_unsigned));
    let wide = || u64::try_from(value).or_else(|_| i64::try_from(value).map(i64::cast_unsigned));
    narrow.map(Number::Narrow).or_else(|_| wide().map(Number::Wide)).ok()
}

fn raw(field: &[u8], visit: &mut dyn FnMut(Number)) {
    if let Ok(bytes) = <[u8; 4]>::try_from(field) {
        visit(Number::Narrow(u32::from_be_bytes(bytes)));
        visit(Number::Narrow(u32::from_le_bytes(bytes)));
    } else if let Ok(bytes) = <[u8; 8]>::try_from(field) {
        visit(Number::Wide(u64::from_be_bytes(bytes)));
        visit(Number::Wide(u64::from_le_bytes(bytes)));
    }
}

/// A leading zero is often dropped (`Integer.toHexString` of Java, `%x` of C): one digit may be
/// missing, and any number of them behind `0x`.
fn hexadecimal(text: &str, visit: &mut dyn FnMut(Number)) {
    let marked = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = marked.unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return;
    }
    let number = match digits.len() {
        7 | 8 => u32::from_str_radix(digits, 16).map(Number::Narrow),
        15 | 16 => u64::from_str_radix(digits, 16).map(Number::Wide),
        1..8 if marked.is_some() => u32::from_str_radix(digits, 16).map(Number::Narrow),
        9..16 if marked.is_some() => u64::from_str_radix(digits, 16).map(Number::Wide),
        _ => return,
    };
    number.into_iter().for_each(visit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(field: &[u8]) -> Vec<Number> {
        let mut all = Vec::new();
        readings(field, &mut |number| all.push(number));
        all
    }

    #[test]
    fn numbers_as_they_are_written() {
        assert!(all(b"cbf43926").contains(&Number::Narrow(0xcbf4_3926)));
        assert!(all(b"0XCBF43926").contains(&Number::Narrow(0xcbf4_3926)));
        assert_eq!(all(b"-873187034"), [Number::Narrow(0xcbf4_3926)]);
        assert_eq!(all(b"3421780262"), [Number::Narrow(0xcbf4_3926)]);
        assert_eq!(all(b"0x17862"), [Number::Narrow(0x17862)]);
        assert_eq!(all(b"44bc2cf5ad770999"), [Number::Wide(0x44bc_2cf5_ad77_0999)]);
        assert_eq!(all(&[1, 2, 3, 4]), [Number::Narrow(0x0102_0304), Number::Narrow(0x0403_0201)]);
    }

    #[test]
    fn what_is_no_number_has_no_reading() {
        for field in [&b""[..], b"12", b"0x", b"0xgggg", b"hello world", b"+3421780262", &[0xff; 21], &[b'9'; 40]] {
            assert!(all(field).is_empty(), "{field:?}");
        }
        assert!(all(b"99999999999999999999").is_empty(), "more than 64 bits");
        assert_eq!(of_integer(i128::MIN), None);
    }

    proptest! {
        #[test]
        fn digits_read_together_are_the_same_number(text in "[0-9]{1,19}", broken in "[0-9]{0,18}[^0-9][0-9]{0,18}") {
            prop_assert_eq!(digits(text.as_bytes()), text.parse().ok());
            prop_assert_eq!(digits(broken.as_bytes()), None);
        }

        #[test]
        fn every_writing_of_a_number_is_read_back(value in any::<u64>(), narrow in any::<u32>()) {
            for text in [format!("{value:016x}"), format!("{value:016X}"), format!("0x{value:x}")] {
                let wide = u32::try_from(value).is_err();
                prop_assert!(!wide || text.len() < 12 || all(text.as_bytes()).contains(&Number::Wide(value)));
            }
            for text in [format!("{narrow:08x}"), format!("0x{narrow:04X}"), format!("{narrow:04}"),
                format!("{:04}", narrow.cast_signed())] {
                prop_assert!(all(text.as_bytes()).contains(&Number::Narrow(narrow)), "{}", text);
            }
            prop_assert!(all(&value.to_le_bytes()).contains(&Number::Wide(value)));
            prop_assert!(all(&narrow.to_be_bytes()).contains(&Number::Narrow(narrow)));
        }
    }
}
