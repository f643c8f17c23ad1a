//! The recognisers asked one by one about a whole value: for tables, whose fields are told apart by whoever read them.

use super::field::{Meaning, Names};
use super::{
    RecogniseOptions, ResidentIdMode, card, checksum, company, device, named, password, person, phone, plate, resident,
};

/// What the name of a field or column says that its values are, as planted kinds are named.
pub fn kind_of_name(name: &str) -> Option<&'static str> {
    Names::known().meaning(name.as_bytes()).map(Meaning::kind)
}

/// True for digits that are a Chinese mobile number, also behind 86 or 0086.
pub fn is_mobile(digits: &[u8]) -> bool {
    phone::mobile(digits).is_some()
}

/// True for digits that, behind a plus sign, are a number of a country whose code and length exist (ITU-T E.164).
pub fn is_international(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_digit) && phone::international(digits).is_some()
}

/// True for an e-mail address in ASCII (RFC 5321 section 4.1.2).
pub fn is_email(value: &[u8]) -> bool {
    named::check(Meaning::Email, value, RecogniseOptions::default()).is_some()
}

/// `id.cn` or `id.cn.permit` for an identity number of GB 11643 that the options allow.
pub fn resident_id(value: &[u8], options: RecogniseOptions) -> Option<&'static str> {
    resident::check(value, options).map(|pass| pass.kind)
}

/// True where an identity number begins with a place that the mode allows: digits that some residents' cards have.
pub fn is_resident_place(number: &[u8; 18], mode: ResidentIdMode) -> bool {
    resident::is_place(number, mode == ResidentIdMode::Historical)
}

/// The last of 18 characters that belongs behind these 17 digits (ISO 7064 MOD 11-2).
pub fn resident_check_character(digits: &[u8]) -> char {
    crate::spelling::resident_id::check_character(crate::spelling::resident_id::check(digits))
}

/// True for digits of a payment card: issuer range, a length of it, Luhn's check digit. `named` allows lengths that
/// are cards only where a name says so.
pub fn is_card(digits: &[u8], named: bool) -> bool {
    digits.iter().all(u8::is_ascii_digit) && card::is_card(digits, named)
}

/// True where the last digit is Luhn's (ISO/IEC 7812-1 annex B).
pub fn is_luhn(digits: &[u8]) -> bool {
    checksum::luhn(digits)
}

/// True for a unified social credit code (GB 32100-2015).
pub fn is_company(value: &[u8]) -> bool {
    company::check(value).is_some()
}

/// True for a Chinese number plate (GA 36-2018).
pub fn is_plate(value: &[u8]) -> bool {
    named::check(Meaning::Plate, value, RecogniseOptions::default()).is_some()
}

/// True for the number of a Chinese passport or of a permit for Hong Kong and Macao.
pub fn is_passport(value: &[u8]) -> bool {
    plate::passport(value).is_some()
}

/// True for two to four Chinese characters with one of the commonest family names in front.
pub fn is_person_name(value: &[u8]) -> bool {
    person::name(value).is_some()
}

/// True for an IMEI with its check digit and a reporting body that exists (3GPP TS 23.003).
pub fn is_imei(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_digit) && device::imei(digits).is_some()
}

/// True for six pairs of hex digits with colons or dashes that may be one device's (IEEE 802).
pub fn is_mac(value: &[u8]) -> bool {
    device::mac(value).is_some()
}

/// True for a stored form of a password that says itself what it is (modular crypt, PHC string, LDAP scheme …).
pub fn is_password_form(value: &[u8]) -> bool {
    password::is_form(value)
}

/// True for a day of the Gregorian calendar from 1900 to the end of `latest`.
pub fn is_date(year: u16, month: u16, day: u16, latest: u16) -> bool {
    resident::is_date(year, month, day, latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_in_three_spellings_say_the_kind() {
        assert_eq!(kind_of_name("user_mobile"), Some("phone"));
        assert_eq!(kind_of_name("身份证号"), Some("id.cn"));
        assert_eq!(kind_of_name("shouji"), Some("phone"));
        assert_eq!(kind_of_name("event_name"), None);
    }

    #[test]
    fn a_whole_value_is_recognised_and_no_part_of_one() {
        assert!(is_email(b"li.lei@example.com") && !is_email(b"to li.lei@example.com"));
        assert!(is_card(b"4111111111111111", false) && !is_card(b"4111111111111112", false));
        assert!(!is_card(b"4111x11111111111", false) && !is_international(b"1800555x199"));
        assert_eq!(resident_check_character(b"11010519491231002"), 'X');
        assert!(is_plate("京A12345".as_bytes()) && !is_plate("京A12345 ".as_bytes()));
    }
}
