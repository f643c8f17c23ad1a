//! What people ask for: an e-mail address, a telephone number, a resident ID or a QQ number, in one spelling.
//!
//! Whoever builds an index and whoever asks must come to the same bytes, so the rules are few and fixed: they are part
//! of the protocol (docs/check.md).

use std::fmt;
use std::str::FromStr;

/// Bytes of text that are looked at; longer text is nobody's identifier.
const LONGEST: usize = 512;

/// Kinds of identifiers, with dyetrace's names of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `email`: an e-mail address.
    Email,
    /// `phone`: a telephone number, E.164.
    Phone,
    /// `id.cn`: the number of a resident of China, GB 11643-1999.
    Resident,
    /// `qq`: a QQ number.
    Qq,
}

impl Kind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Email, Self::Phone, Self::Resident, Self::Qq];

    /// The name of the kind.
    pub fn code(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Resident => "id.cn",
            Self::Qq => "qq",
        }
    }
}

impl FromStr for Kind {
    type Err = NotAnIdentifier;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(NotAnIdentifier::Kind)
    }
}

/// One identifier in its canonical spelling. It has no `Debug` and no `Display`: it is somebody's.
#[derive(Clone, PartialEq, Eq)]
pub struct Identifier {
    kind: Kind,
    bytes: Vec<u8>,
}

impl Identifier {
    /// Brings what was typed, or what stood in a dump, into the canonical spelling.
    ///
    /// # Errors
    /// What is wrong with it, without saying what it is.
    pub fn new(kind: Kind, text: &str) -> Result<Self, NotAnIdentifier> {
        if text.len() > LONGEST {
            return Err(NotAnIdentifier::Long);
        }
        let text: String = text.chars().map(half_width).collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(NotAnIdentifier::Empty);
        }
        let canonical = match kind {
            Kind::Email => email(text),
            Kind::Phone => phone(text),
            Kind::Resident => resident(text),
            Kind::Qq => qq(text),
        }?;
        Ok(Self { kind, bytes: format!("{}:{canonical}", kind.code()).into_bytes() })
    }

    /// What kind it is of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The bytes that are hashed: the kind's name, a colon, the canonical spelling in UTF-8.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnIdentifier {
    /// The kind is none of ours.
    Kind,
    /// There is nothing.
    Empty,
    /// It is too long.
    Long,
    /// It has not the form of an e-mail address.
    Email,
    /// It has not the form of a telephone number.
    Phone,
    /// A telephone number of no country.
    Country,
    /// It has not the form of a resident ID.
    Resident,
    /// The last character of a resident ID does not fit the others.
    CheckDigit,
    /// It has not the form of a QQ number.
    Qq,
}

impl fmt::Display for NotAnIdentifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kind => "the kind is none of email, phone, id.cn and qq",
            Self::Empty => "nothing was given",
            Self::Long => "this is too long",
            Self::Email => "an e-mail address looks like name@example.org",
            Self::Phone => "a telephone number has 7 to 15 digits",
            Self::Country => "begin with + and the number of the country",
            Self::Resident => "a resident ID has 18 characters, or 15 digits",
            Self::CheckDigit => "the last character does not fit the others",
            Self::Qq => "a QQ number has 5 to 11 digits",
        })
    }
}

impl std::error::Error for NotAnIdentifier {}

/// Full-width forms (U+FF01 to U+FF5E, U+3000), as Chinese keyboards write them, become ASCII.
fn half_width(character: char) -> char {
    match u32::from(character) {
        0x3000 => ' ',
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(character),
        _ => character,
    }
}

/// Lower case in both parts: no provider in use tells `Lin@` from `lin@`.
fn email(text: &str) -> Result<String, NotAnIdentifier> {
    let text = text.to_lowercase();
    let (local, domain) = text.rsplit_once('@').ok_or(NotAnIdentifier::Email)?;
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_odd = |character: char| character.is_whitespace() || character.is_control() || character == '@';
    let right = !local.is_empty()
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
        && !local.chars().chain(domain.chars()).any(is_odd);
    right.then(|| format!("{local}@{domain}")).ok_or(NotAnIdentifier::Email)
}

/// E.164 with its plus. Where no country is named, a mobile number of mainland China is taken as such.
fn phone(text: &str) -> Result<String, NotAnIdentifier> {
    let is_ornament = |character: char| character.is_whitespace() || matches!(character, '-' | '.' | '(' | ')');
    let bare: String = text.chars().filter(|character| !is_ornament(*character)).collect();
    let international = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00"));
    let digits = international.unwrap_or(&bare);
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAnIdentifier::Phone);
    }
    if international.is_some() {
        return if digits.starts_with('0') { Err(NotAnIdentifier::Country) } else { Ok(format!("+{digits}")) };
    }
    let without = digits.strip_prefix("086").or_else(|| digits.strip_prefix("86")).unwrap_or(digits);
    let mobile = [without, digits].into_iter().find(|digits| is_chinese_mobile(digits));
    mobile.map(|digits| format!("+86{digits}")).ok_or(NotAnIdentifier::Country)
}

/// Eleven digits, 13 to 19 in front.
fn is_chinese_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// 18 characters; the 15 digits of before 1999 get the century 19 and their check character (GB 11643-1999).
fn resident(text: &str) -> Result<String, NotAnIdentifier> {
    let text = text.to_ascii_uppercase();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() == 15 && is_number(&text) {
        let long = format!("{}19{}", text.get(..6).unwrap_or_default(), text.get(6..).unwrap_or_default());
        return Ok(format!("{long}{}", check_character(&long)));
    }
    match text.get(..17).filter(|_| text.len() == 18) {
        Some(first) if is_number(first) && text.ends_with(check_character(first)) => Ok(text),
        Some(first) if is_number(first) => Err(NotAnIdentifier::CheckDigit),
        _ => Err(NotAnIdentifier::Resident),
    }
}

/// ISO 7064 MOD 11-2 over 17 digits.
fn check_character(digits: &str) -> char {
    let sum = digits.bytes().fold(0, |sum: u32, digit| (sum + u32::from(digit.wrapping_sub(b'0'))) * 2 % 11);
    char::from(b"10X98765432"[sum as usize % 11])
}

fn qq(text: &str) -> Result<String, NotAnIdentifier> {
    let right =
        (5..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    right.then(|| text.to_owned()).ok_or(NotAnIdentifier::Qq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(kind: Kind, text: &str) -> Result<String, NotAnIdentifier> {
        Identifier::new(kind, text).map(|identifier| String::from_utf8(identifier.bytes).unwrap())
    }

    #[test]
    fn one_person_has_one_spelling() {
        for spelling in ["Lin@Example.TEST", " lin@example.test ", "ｌｉｎ＠example.test", "lin@example.test."] {
            assert_eq!(canonical(Kind::Email, spelling).unwrap(), "email:lin@example.test");
        }
        for spelling in
            ["13800000427", "+86 138-0000-0427", "008613800000427", "8613800000427", "１３８００００ ０４２７"]
        {
            assert_eq!(canonical(Kind::Phone, spelling).unwrap(), "phone:+8613800000427");
        }
        // The example of GB 11643-1999, in both lengths.
        for spelling in ["11010519491231002x", "110105491231002"] {
            assert_eq!(canonical(Kind::Resident, spelling).unwrap(), "id.cn:11010519491231002X");
        }
        assert_eq!(canonical(Kind::Phone, "+1 (202) 555-0143").unwrap(), "phone:+12025550143");
        assert_eq!(canonical(Kind::Qq, " 10001 ").unwrap(), "qq:10001");
    }

    #[test]
    fn the_same_digits_of_another_kind_are_another_identifier() {
        assert_ne!(canonical(Kind::Qq, "13800000427"), canonical(Kind::Phone, "13800000427"));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        assert_eq!(canonical(Kind::Email, "lin"), Err(NotAnIdentifier::Email));
        assert_eq!(canonical(Kind::Email, "a b@example.test"), Err(NotAnIdentifier::Email));
        assert_eq!(canonical(Kind::Phone, "2025550143"), Err(NotAnIdentifier::Country));
        assert_eq!(canonical(Kind::Phone, "12"), Err(NotAnIdentifier::Phone));
        assert_eq!(canonical(Kind::Resident, "110105194912310021"), Err(NotAnIdentifier::CheckDigit));
        assert_eq!(canonical(Kind::Resident, "1101051949"), Err(NotAnIdentifier::Resident));
        assert_eq!(canonical(Kind::Qq, "0123456"), Err(NotAnIdentifier::Qq));
        assert_eq!(canonical(Kind::Qq, "\u{3000}"), Err(NotAnIdentifier::Empty));
        assert_eq!(canonical(Kind::Email, &"a".repeat(600)), Err(NotAnIdentifier::Long));
    }

    proptest! {
        #[test]
        fn a_canonical_spelling_stays_as_it_is(text in "\\PC{0,40}", place in 0_usize..4) {
            let kind = Kind::ALL[place];
            if let Ok(first) = canonical(kind, &text) {
                let spelling = first.split_once(':').unwrap().1.to_owned();
                prop_assert_eq!(canonical(kind, &spelling).unwrap(), first);
            }
        }

        #[test]
        fn every_chinese_mobile_is_one_identifier_in_all_spellings(number in 13_000_000_000_u64..20_000_000_000) {
            let plain = canonical(Kind::Phone, &number.to_string()).unwrap();
            prop_assert_eq!(&plain, &format!("phone:+86{number}"));
            for prefix in ["86", "+86", "0086", "086"] {
                prop_assert_eq!(&canonical(Kind::Phone, &format!("{prefix}{number}")).unwrap(), &plain);
            }
        }
    }
}
