//! Check digits.

use crate::spelling::{number, resident_id};

/// True where the last digit is right (ISO/IEC 7812-1 annex B, "Luhn"). One random number in ten
/// passes.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let Some((last, body)) = digits.split_last() else { return false };
    u32::from(last.wrapping_sub(b'0')) == number::luhn(body)
}

/// True where the last of 18 characters is right (ISO 7064 MOD 11-2, GB 11643-1999). One in eleven
/// passes.
pub(super) fn mod_11_2(characters: &[u8]) -> bool {
    let Some((last, body)) = characters.split_last() else { return false };
    char::from(last.to_ascii_uppercase()) == resident_id::check_character(resident_id::check(body))
}

/// True where the two check digits of an account number are right (ISO 7064 MOD 97-10 as
/// ISO 13616-1 uses it: country and check digits moved to the end). One in 97 passes.
pub(super) fn mod_97(characters: impl Iterator<Item = u8> + Clone) -> bool {
    let moved = characters.clone().skip(4).chain(characters.take(4));
    let rest = moved.fold(0u32, |rest, character| match character {
        b'0'..=b'9' => (rest * 10 + u32::from(character - b'0')) % 97,
        _ => (rest * 100 + u32::from(character.wrapping_sub(b'A') % 26) + 10) % 97,
    });
    rest == 1
}

/// The value of each ASCII character in GB 32100-2015, 0 to 30; of those it does not use, more.
const VALUES_31: [u8; 128] = {
    let alphabet = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let (mut values, mut value) = ([u8::MAX; 128], 0);
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// True where the last of the characters is right (GB 32100-2015 annex B, modulus 31). One in 31
/// passes.
pub(super) fn mod_31(characters: &[u8]) -> bool {
    let value = |character: &u8| match VALUES_31.get(usize::from(*character)) {
        Some(value @ 0..31) => Some(usize::from(*value)),
        _ => None,
    };
    let Some((last, body)) = characters.split_last() else { return false };
    let mut weight = 1;
    let mut sum = 0;
    for character in body {
        let Some(value) = value(character) else { return false };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    value(last) == Some((31 - sum % 31) % 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_examples_of_the_standards() {
        assert!(luhn(b"49927398716") && !luhn(b"49927398717"));
        // GB 11643-1999 section 5 gives these two.
        assert!(mod_11_2(b"11010519491231002X") && mod_11_2(b"440524188001010014"));
        assert!(!mod_11_2(b"110105194912310021"));
        assert!(mod_97(b"GB82WEST12345698765432".iter().copied()));
        assert!(!mod_97(b"GB82WEST12345698765423".iter().copied()));
        // GB 32100-2015 annex B.
        assert!(mod_31(b"91350100M000100Y43") && !mod_31(b"91350100M000100Y44"));
    }

    #[test]
    fn no_input_is_too_odd() {
        for bytes in [&b""[..], &[0xff; 40], b"\0", b"@@@@@@@@@@@@@@@@@@"] {
            let _ = (luhn(bytes), mod_11_2(bytes), mod_97(bytes.iter().copied()), mod_31(bytes));
        }
    }
}
