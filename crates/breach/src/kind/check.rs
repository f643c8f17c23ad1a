//! Whether a value is valid for a kind, and its canonical form.

use super::email::PlainAddresses;
use super::{Canonical, Day, Kind, date, person, phone, place};
use crate::ascii::are_digits;
use crate::password;
use core::net::IpAddr;
use dyetrace_search::{RecogniseOptions, ResidentIdMode, whole};

/// What a checker says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not of the kind, or with a wrong check digit.
    Invalid,
    /// Of the kind.
    Valid,
    /// Of the kind, and the checker holds the canonical form.
    Canonical,
}

impl Verdict {
    /// True for both kinds of valid.
    pub(crate) fn is_valid(self) -> bool {
        self != Self::Invalid
    }
}

/// Checks values. It holds the canonical form of the last one.
pub(crate) struct Checker {
    options: RecogniseOptions,
    canonical: Canonical,
    plain: PlainAddresses,
    moment: i64,
    day: Option<Day>,
}

impl Checker {
    /// A checker with these options for identity numbers and years.
    pub(crate) fn new(options: RecogniseOptions) -> Self {
        Self { options, canonical: Canonical::new(), plain: PlainAddresses::new(), moment: 0, day: None }
    }

    /// The canonical form of the value checked last, where the verdict was [`Verdict::Canonical`].
    pub(crate) fn canonical(&self) -> &[u8] {
        self.canonical.bytes()
    }

    /// The moment checked last that was one, in seconds since 1970.
    pub(crate) fn moment(&self) -> i64 {
        self.moment
    }

    /// The day of birth checked last.
    pub(crate) fn day(&self) -> Option<Day> {
        self.day
    }

    /// The latest year of birth.
    #[inline]
    pub(super) fn year(&self) -> u16 {
        self.options.year
    }

    /// Which identity numbers count.
    #[inline]
    pub(super) fn resident_ids(&self) -> ResidentIdMode {
        self.options.resident_ids
    }

    /// Whether a host is one of those that addresses were seen at.
    #[inline]
    pub(super) fn knows_host(&mut self, host: &[u8]) -> bool {
        self.plain.knows(host)
    }

    /// Checks a value that is not empty.
    #[inline]
    pub(crate) fn check(&mut self, kind: Kind, value: &[u8]) -> Verdict {
        match kind {
            Kind::Email => self.email(value),
            Kind::Phone => canonical(phone::mobile(value, &mut self.canonical)),
            Kind::Qq => self.qq(value),
            Kind::ResidentId | Kind::Permit => self.resident(kind, value),
            Kind::Landline => canonical(phone::landline(value, &mut self.canonical)),
            Kind::Card => self.digits(value, |digits| whole::is_card(digits, true)),
            Kind::Imei => self.digits(value, whole::is_imei),
            Kind::Time => {
                let moment = if begins_with_digit(value) { date::moment(value) } else { None };
                self.moment = moment.unwrap_or(self.moment);
                valid(moment.is_some())
            }
            Kind::BirthDate => {
                self.day = if begins_with_digit(value) { date::day(value) } else { None };
                valid(self.day.is_some())
            }
            _ => valid(is_of(kind, value)),
        }
    }

    #[inline]
    fn email(&mut self, value: &[u8]) -> Verdict {
        if self.plain.take(value) {
            return canonical(self.canonical.set_lower(value));
        }
        self.strange_email(value)
    }

    fn strange_email(&mut self, value: &[u8]) -> Verdict {
        if !(6..=512).contains(&value.len()) {
            return Verdict::Invalid;
        }
        let fits = if value.is_ascii() {
            self.canonical.set_lower(value.trim_ascii())
        } else {
            self.canonical.set_narrow(value) && {
                let narrow = self.canonical;
                self.canonical.set_lower(narrow.bytes())
            }
        };
        canonical(fits && whole::is_email(self.canonical.bytes()))
    }

    fn qq(&mut self, value: &[u8]) -> Verdict {
        self.digits(value, |digits| (5..=11).contains(&digits.len()) && digits.first() != Some(&b'0'))
    }

    /// A value that is digits only, in any width, with blanks and dashes between.
    fn digits(&mut self, value: &[u8], accept: impl Fn(&[u8]) -> bool) -> Verdict {
        if are_digits(value) {
            return canonical(accept(value) && self.canonical.set(value));
        }
        if value.len() > 72 || !self.canonical.set_narrow(value) {
            return Verdict::Invalid;
        }
        let narrow = self.canonical;
        self.canonical.clear();
        for byte in narrow.bytes() {
            match byte {
                b'0'..=b'9' => _ = self.canonical.push(*byte),
                b' ' | b'-' => {}
                _ => return Verdict::Invalid,
            }
        }
        canonical(accept(self.canonical.bytes()))
    }

    fn resident(&mut self, kind: Kind, value: &[u8]) -> Verdict {
        if value.len() == 18 && value.is_ascii() {
            let found = whole::resident_id(value, self.options);
            return canonical(found.is_some() && self.canonical.set_upper(value));
        }
        if value.len() > 64 || !self.canonical.set_narrow(value) {
            return Verdict::Invalid;
        }
        let narrow = self.canonical;
        let number = narrow.bytes();
        let found = whole::resident_id(number, self.options);
        if kind == Kind::Permit && found.is_none() {
            return canonical(is_travel_permit(number));
        }
        canonical(found.is_some() && self.eighteen(number))
    }

    /// An identity number in its form of 18 characters with a capital X: one of 15 was of the same person.
    fn eighteen(&mut self, number: &[u8]) -> bool {
        let (Some(place), Some(rest), true) = (number.get(..6), number.get(6..), number.len() == 15) else {
            return self.canonical.set_upper(number);
        };
        self.canonical.clear();
        let full = [place, b"19", rest].into_iter().flatten().all(|byte| self.canonical.push(*byte));
        let check = whole::resident_check_character(self.canonical.bytes());
        full && self.canonical.push(check as u8)
    }
}

fn canonical(is_valid: bool) -> Verdict {
    if is_valid { Verdict::Canonical } else { Verdict::Invalid }
}

fn valid(is_valid: bool) -> Verdict {
    if is_valid { Verdict::Valid } else { Verdict::Invalid }
}

fn begins_with_digit(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_digit)
}

/// Kinds whose values are compared as they are.
fn is_of(kind: Kind, value: &[u8]) -> bool {
    match kind {
        Kind::Passport => matches!(value.len(), 9 | 10) && whole::is_passport(value),
        Kind::Company => value.len() == 18 && whole::is_company(value),
        Kind::Plate => value.first().is_some_and(|byte| *byte >= 0x80) && whole::is_plate(value),
        Kind::Ip => is_ip(value),
        Kind::Mac => value.len() == 17 && whole::is_mac(value),
        Kind::Gender => person::is_gender(value),
        Kind::Province => {
            place::province_of_text(value).is_some() || value.len() == 2 && place::province_of_id(value).is_some()
        }
        Kind::Address => value.len() >= 6 && (value.is_ascii() || place::is_address(value)),
        Kind::Name => person::is_name(value),
        Kind::Username => person::is_username(value),
        Kind::PasswordHash => password::form(value).is_stored(),
        Kind::Digest => password::is_hex_digest(value),
        Kind::Number => are_digits(value),
        _ => true,
    }
}

fn is_ip(value: &[u8]) -> bool {
    let plausible = (3..=45).contains(&value.len())
        && value.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
    plausible && core::str::from_utf8(value).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

/// The travel permit for residents of Hong Kong (H) and Macao (M): the letter and 8 digits, or 10 with the number of
/// issues; and of Taiwan: 8 digits.
fn is_travel_permit(number: &[u8]) -> bool {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match number {
        [b'H' | b'M' | b'h' | b'm', rest @ ..] => matches!(rest.len(), 8 | 10) && digits(rest),
        _ => number.len() == 8 && digits(number),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use dyetrace_search::ResidentIdMode;

    pub(crate) fn checker(mode: ResidentIdMode) -> Checker {
        Checker::new(RecogniseOptions { resident_ids: mode, year: 2026, least_bits: 0.0 })
    }

    fn canonical_of(mode: ResidentIdMode, kind: Kind, text: &str) -> Option<String> {
        let mut checker = checker(mode);
        let verdict = checker.check(kind, text.as_bytes());
        (verdict == Verdict::Canonical).then(|| String::from_utf8(checker.canonical().to_vec()).unwrap())
    }

    #[test]
    fn canonical_forms_are_the_same_for_all_spellings() {
        let strict = ResidentIdMode::Strict;
        assert_eq!(canonical_of(strict, Kind::Email, "Li.Lei@Example.COM"), Some("li.lei@example.com".into()));
        assert_eq!(canonical_of(strict, Kind::Email, "ｌｉ＠example.com"), Some("li@example.com".into()));
        assert_eq!(canonical_of(strict, Kind::Qq, "１００００１"), Some("100001".into()));
        assert_eq!(canonical_of(strict, Kind::ResidentId, "11010519491231002x"), Some("11010519491231002X".into()));
        assert_eq!(canonical_of(strict, Kind::Card, "4111 1111 1111 1111"), Some("4111111111111111".into()));
    }

    #[test]
    fn fifteen_characters_are_the_same_person_as_eighteen_in_historical_mode_only() {
        let historical = canonical_of(ResidentIdMode::Historical, Kind::ResidentId, "110105491231002");
        assert_eq!(historical, Some("11010519491231002X".into()));
        assert_eq!(canonical_of(ResidentIdMode::Strict, Kind::ResidentId, "110105491231002"), None);
    }

    #[test]
    fn decoys_are_not_valid() {
        let mut checker = checker(ResidentIdMode::Strict);
        let decoys: [(Kind, &str); 12] = [
            (Kind::Phone, "1388631845123"),
            (Kind::Phone, "12345678901"),
            (Kind::Card, "6222021234567890124"),
            (Kind::Card, "2014010203040506"),
            (Kind::ResidentId, "110105194912310021"),
            (Kind::ResidentId, "11010519490231002X"),
            (Kind::Qq, "012345"),
            (Kind::Qq, "123456789012"),
            (Kind::Email, "li.lei@example"),
            (Kind::Email, "logo@2x.png"),
            (Kind::BirthDate, "1990-02-30"),
            (Kind::Ip, "256.1.1.1"),
        ];
        for (kind, decoy) in decoys {
            assert_eq!(checker.check(kind, decoy.as_bytes()), Verdict::Invalid, "{decoy} is no {}", kind.name());
        }
    }

    #[test]
    fn permits_of_hong_kong_macao_and_taiwan() {
        let mut checker = checker(ResidentIdMode::Permit);
        for permit in ["H12345678", "M1234567801", "12345678"] {
            assert!(checker.check(Kind::Permit, permit.as_bytes()).is_valid(), "{permit}");
        }
        assert!(!checker.check(Kind::Permit, b"X12345678").is_valid());
    }
}
