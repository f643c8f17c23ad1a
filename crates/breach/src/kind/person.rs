//! What tables write for a person's gender, and which names of accounts there are.

/// True for what stands for a gender: 男, 女, M, F, male, female, 0, 1, 2, and unknown.
pub(crate) fn is_gender(value: &[u8]) -> bool {
    let words: [&[u8]; 15] = [
        b"m",
        b"f",
        b"male",
        b"female",
        "男".as_bytes(),
        "女".as_bytes(),
        b"0",
        b"1",
        b"2",
        "未知".as_bytes(),
        "保密".as_bytes(),
        "先生".as_bytes(),
        "女士".as_bytes(),
        b"unknown",
        b"secret",
    ];
    value.len() <= 7 && words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// True for a gender that says so by itself, which digits do not.
pub(crate) fn is_gender_word(value: &[u8]) -> bool {
    is_gender(value) && !value.iter().all(u8::is_ascii_digit)
}

/// True for what may be the name of an account: 2 to 64 bytes without blanks at either end.
pub(crate) fn is_username(value: &[u8]) -> bool {
    (2..=64).contains(&value.len()) && value.first() != Some(&b' ') && value.last() != Some(&b' ')
}

/// A person's name: at least two letters of any script, with blanks, dots and dashes.
pub(crate) fn is_name(value: &[u8]) -> bool {
    if value.len() > 64 {
        return false;
    }
    let (characters, rest) = value.as_chunks::<3>();
    if rest.is_empty() && characters.iter().copied().all(is_ideograph) {
        return characters.len() >= 2;
    }
    let Ok(text) = core::str::from_utf8(value) else { return false };
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let signs = |letter: char| matches!(letter, ' ' | '.' | '-' | '\'' | '·');
    letters >= 2 && text.chars().all(|letter| letter.is_alphabetic() || signs(letter))
}

/// True for three bytes that are one of the characters from U+4E00 to U+9FFF in UTF-8.
fn is_ideograph([lead, second, third]: [u8; 3]) -> bool {
    let first_second = if lead == 0xe4 { 0xb8 } else { 0x80 };
    (0xe4..=0xe9).contains(&lead) && (first_second..=0xbf).contains(&second) && (0x80..=0xbf).contains(&third)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters() {
        assert!(is_name("李雷".as_bytes()) && is_name(b"Anne-Marie O'Neil") && is_name("阿依古丽·买买提".as_bytes()));
        assert!(!is_name(b"user123") && !is_name(b"a") && !is_name(b"") && !is_name(&[0xff, 0xfe, 0xfd]));
    }

    proptest::proptest! {
        /// What the recogniser of names in text takes is a name here, too, and no other bytes are.
        #[test]
        fn a_chinese_name_is_one_of_letters(text in "[㐀-䶿一-鿿䷀-䷿a-c]{1,5}", cut in 0usize..16) {
            let letters = text.chars().all(char::is_alphabetic) && text.chars().count() >= 2;
            proptest::prop_assert_eq!(is_name(text.as_bytes()), letters);
            proptest::prop_assert!(letters || !dyetrace_search::whole::is_person_name(text.as_bytes()));
            let part = text.as_bytes().get(..cut).unwrap_or_default();
            proptest::prop_assert!(core::str::from_utf8(part).is_ok() || !is_name(part));
        }
    }

    #[test]
    fn a_digit_alone_does_not_tell_a_gender() {
        assert!(is_gender(b"1") && !is_gender_word(b"1") && is_gender_word("女".as_bytes()) && is_gender_word(b"Male"));
        assert!(!is_gender(b"3") && !is_gender(b""));
    }
}
