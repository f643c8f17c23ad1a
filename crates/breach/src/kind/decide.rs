//! What a column is, by what share of a sample of its values each kind takes, and by its header.

use super::header::{is_thing, kind_of_header};
use super::{Checker, Kind, date, person, place};
use crate::ascii::are_digits;
use crate::password;
use dyetrace_search::whole;
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// A column to be typed.
pub(crate) struct Column<'a> {
    /// Its header, where the table has one.
    pub(crate) header: Option<&'a str>,
    /// Values of it, without null and empty ones, in the order of the dump.
    pub(crate) values: &'a [&'a [u8]],
}

/// Kinds that values show by themselves, the most telling first, with the share of values that must be valid.
const TELLING: [(Kind, f64); 12] = [
    (Kind::Email, 0.5),
    (Kind::ResidentId, 0.5),
    (Kind::Company, 0.5),
    (Kind::PasswordHash, 0.6),
    (Kind::Mac, 0.6),
    (Kind::Card, 0.6),
    (Kind::Imei, 0.6),
    (Kind::Plate, 0.5),
    (Kind::Ip, 0.6),
    (Kind::Phone, 0.5),
    (Kind::Landline, 0.5),
    (Kind::Time, 0.95),
];

/// Kinds that only a header can tell, or that need more than validity; a header is believed from this share on.
const BELIEVED: f64 = 0.3;

/// Types a column.
pub(crate) fn decide(column: &Column<'_>, checker: &mut Checker) -> Kind {
    let named = column.header.and_then(kind_of_header);
    let shares = Shares::of(column.values, checker);
    if let Some(kind) = named.and_then(|kind| believed(kind, &shares, column.values)) {
        return kind;
    }
    let thing = column.header.is_some_and(is_thing);
    let telling = TELLING.iter().find(|(kind, least)| {
        shares.of_kind(*kind) >= *least && !(thing && is_number_like(*kind)) && is_plausible(*kind, column.values)
    });
    match telling {
        Some((Kind::PasswordHash, _)) => stored_or_digest(column),
        Some((Kind::Time, _)) if is_dates_of_birth(column.values) => Kind::BirthDate,
        Some((kind, _)) => *kind,
        None => untold(column, &shares),
    }
}

/// The kinds a value shows by itself, as bits.
pub(crate) fn kinds_of(value: &[u8], checker: &mut Checker) -> u32 {
    let check =
        |(kind, _): &(Kind, f64)| (quick(*kind, value) && checker.check(*kind, value).is_valid()).then(|| kind.bit());
    TELLING.iter().filter_map(check).fold(0, |kinds, kind| kinds | kind)
}

/// What must be there for a kind, told by length and a byte.
fn quick(kind: Kind, value: &[u8]) -> bool {
    // Full-width forms, and blanks that are taken off, are left to the check.
    let begins = |signs: &[u8]| matches!(value, [first, ..] if first.is_ascii_digit() || *first >= 0x80 || *first == b' ' || signs.contains(first));
    // Lengths without signs between, and with them.
    let as_long = |digits: RangeInclusive<usize>, longest| {
        (*digits.start()..=longest).contains(&value.len()) && (digits.contains(&value.len()) || !are_digits(value))
    };
    match kind {
        Kind::Email => value.len() >= 6 && value.iter().any(|byte| *byte == b'@' || *byte >= 0x80),
        Kind::ResidentId => as_long(15..=18, 64) && begins(b""),
        Kind::Imei => as_long(15..=15, 64) && begins(b"-"),
        Kind::Phone | Kind::Landline => as_long(10..=17, 48) && begins(b"+("),
        Kind::Card => as_long(12..=19, 72) && begins(b"-"),
        Kind::PasswordHash => value.len() >= 16,
        _ => true,
    }
}

/// How many of the values each kind takes.
struct Shares {
    counts: [u32; Kind::ALL.len()],
    values: usize,
}

impl Shares {
    fn of(values: &[&[u8]], checker: &mut Checker) -> Self {
        let mut counts = [0; Kind::ALL.len()];
        for value in values {
            for kind in Kind::ALL {
                if quick(kind, value) && checker.check(kind, value).is_valid() {
                    counts[kind as usize] += 1;
                }
            }
        }
        Self { counts, values: values.len() }
    }

    fn of_kind(&self, kind: Kind) -> f64 {
        f64::from(self.counts[kind as usize]) / self.values.max(1) as f64
    }
}

/// The kind a header names, or its neighbour that the values show instead: passwords plain or stored, phones mobile or
/// fixed, identity numbers or permits.
fn believed(named: Kind, shares: &Shares, values: &[&[u8]]) -> Option<Kind> {
    if values.is_empty() {
        return Some(named);
    }
    let better = |one: Kind, other: Kind| if shares.of_kind(other) > shares.of_kind(one) { other } else { one };
    let kind = match named {
        Kind::Password | Kind::PasswordHash if shares.of_kind(Kind::PasswordHash) >= 0.5 => Kind::PasswordHash,
        Kind::Password | Kind::PasswordHash if is_des_crypt(values) => Kind::PasswordHash,
        Kind::Password | Kind::PasswordHash => return Some(Kind::Password),
        Kind::Phone => better(Kind::Phone, Kind::Landline),
        Kind::ResidentId => better(Kind::ResidentId, Kind::Permit),
        Kind::Name => {
            better(Kind::Name, if shares.of_kind(Kind::Name) < BELIEVED { Kind::Username } else { Kind::Name })
        }
        Kind::Time if shares.of_kind(Kind::Time) < BELIEVED => better(Kind::Time, Kind::BirthDate),
        // Names of accounts are whatever people choose, also their telephone numbers: those who did are counted.
        Kind::Username => better_username(shares),
        kind => kind,
    };
    (shares.of_kind(kind) >= BELIEVED).then_some(kind)
}

fn better_username(shares: &Shares) -> Kind {
    let told = [Kind::Email, Kind::Phone].into_iter().find(|kind| shares.of_kind(*kind) >= 0.9);
    told.unwrap_or(Kind::Username)
}

/// Every value 13 characters of crypt(3): one alone may be a password as typed.
fn is_des_crypt(values: &[&[u8]]) -> bool {
    values.len() >= 8 && values.iter().all(|value| password::is_des_crypt(value))
}

fn is_number_like(kind: Kind) -> bool {
    matches!(kind, Kind::Phone | Kind::Landline | Kind::Card | Kind::Imei | Kind::Time | Kind::Qq | Kind::ResidentId)
}

/// Numbers that are counted up look like telephone numbers as long as they stay behind one prefix, and stamps look
/// like some: people's numbers are spread over many prefixes.
fn is_plausible(kind: Kind, values: &[&[u8]]) -> bool {
    let plain = |length: usize| {
        values.iter().filter(move |value| value.len() == length && value.iter().all(u8::is_ascii_digit))
    };
    match kind {
        Kind::Phone if values.len() >= 24 => {
            let prefixes: HashSet<_> = plain(11).filter_map(|value| value.get(..3)).collect();
            prefixes.len() >= 4 || plain(11).count() * 2 < values.len()
        }
        Kind::Card if values.len() >= 24 => !is_counted_up(values),
        _ => true,
    }
}

/// True where nearly every number is greater than the one before.
fn is_counted_up(values: &[&[u8]]) -> bool {
    let rising = values.windows(2).filter(|pair| pair[0].len() == pair[1].len() && pair[0] < pair[1]).count();
    rising * 20 >= values.len().saturating_sub(1) * 19
}

/// Hex digests are passwords where the header says so, or nothing says anything; else digests of something.
fn stored_or_digest(column: &Column<'_>) -> Kind {
    let hex = column.values.iter().filter(|value| password::is_hex_digest(value)).count();
    let unnamed = column.header.is_none();
    if unnamed || hex * 2 < column.values.len() { Kind::PasswordHash } else { Kind::Digest }
}

/// Dates alone, spread over more than twenty years, the middle one before 2008.
fn is_dates_of_birth(values: &[&[u8]]) -> bool {
    let mut years: Vec<u16> = values.iter().filter_map(|value| date::day(value)).map(date::Day::year).collect();
    years.sort_unstable();
    let (Some(first), Some(middle), Some(last)) = (years.first(), years.get(years.len() / 2), years.last()) else {
        return false;
    };
    years.len() * 10 >= values.len() * 9 && last - first > 20 && *middle < 2008
}

/// What neither header nor check tells: words, and forms that only a column as a whole has.
fn untold(column: &Column<'_>, shares: &Shares) -> Kind {
    let values = column.values;
    let share = |holds: &dyn Fn(&[u8]) -> bool| {
        values.iter().filter(|value| holds(value)).count() as f64 / values.len().max(1) as f64
    };
    if values.is_empty() {
        return Kind::Text;
    }
    if is_dates_of_birth(values) {
        return Kind::BirthDate;
    }
    if share(&person::is_gender_word) >= 0.9 {
        return Kind::Gender;
    }
    if share(&whole::is_person_name) >= 0.7 {
        return Kind::Name;
    }
    if share(&|value: &[u8]| place::province_of_text(value).is_some() && value.len() <= 24) >= 0.9 {
        return Kind::Province;
    }
    if share(&|value: &[u8]| !value.is_ascii() && place::is_address(value)) >= 0.5 {
        return Kind::Address;
    }
    if column.header.is_none() && is_qq_by_lengths(values) {
        return Kind::Qq;
    }
    if shares.of_kind(Kind::Number) >= 0.95 {
        return Kind::Number;
    }
    if share(&password::is_commonest) >= 0.01 && column.header.is_none() && values.len() >= 32 {
        return Kind::Password;
    }
    Kind::Text
}

/// In tables without headers: digits of 5 to 11 in at least three lengths, mostly 7 to 10, not counted up.
fn is_qq_by_lengths(values: &[&[u8]]) -> bool {
    let shaped =
        |value: &&&[u8]| (5..=11).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) && value[0] != b'0';
    let lengths: HashSet<usize> = values.iter().filter(shaped).map(|value| value.len()).collect();
    let usual = values.iter().filter(shaped).filter(|value| matches!(value.len(), 7..=10)).count();
    values.len() >= 24 && lengths.len() >= 3 && usual * 10 >= values.len() * 8 && !is_counted_up(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_search::RecogniseOptions;

    fn decided(header: Option<&str>, values: impl IntoIterator<Item = String>) -> Kind {
        let values: Vec<String> = values.into_iter().collect();
        let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
        let mut checker = Checker::new(RecogniseOptions { year: 2026, ..RecogniseOptions::default() });
        decide(&Column { header, values: &values }, &mut checker)
    }

    /// Numbers that look random and are the same in every run (Knuth's multiplier of 64 bits).
    fn random() -> impl Iterator<Item = u64> {
        (1u64..).map(|n| {
            n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
        })
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_looked_at_is_not_valid(value in "[ (+-]?[0-9０-９HMX京A.:@x -]{1,24}|[a-z＠@]{1,6}[.]com| {0,3}1[38][0-9]{9} {0,40}") {
            let mut checker = Checker::new(RecogniseOptions { year: 2026, ..RecogniseOptions::default() });
            for kind in Kind::ALL {
                let is_valid = checker.check(kind, value.as_bytes()).is_valid();
                proptest::prop_assert!(!is_valid || quick(kind, value.as_bytes()), "{} {value}", kind.name());
            }
        }
    }

    fn mobiles() -> impl Iterator<Item = String> {
        random().map(|n| format!("1{}{:08}", [38, 39, 50, 77, 86, 99][(n % 6) as usize], n / 7 % 100_000_000))
    }

    #[test]
    fn columns_are_told_by_their_values_alone() {
        assert_eq!(decided(None, mobiles().take(200)), Kind::Phone);
        assert_eq!(decided(None, random().take(200).map(|n| format!("u{n}@example.com"))), Kind::Email);
        assert_eq!(decided(None, random().take(200).map(|n| format!("{n:032x}"))), Kind::PasswordHash);
        assert_eq!(decided(None, (0..200).map(|n| format!("10.0.{}.{n}", n % 7))), Kind::Ip);
        assert_eq!(decided(None, (0..200).map(|n| format!("2014-01-{:02} 03:04:05", n % 28 + 1))), Kind::Time);
        assert_eq!(decided(None, (0..200).map(|n| format!("{}-01-02", 1950 + n % 55))), Kind::BirthDate);
        assert_eq!(decided(None, ["李雷", "韩梅梅", "王小明", "张伟"].map(String::from)), Kind::Name);
        assert_eq!(
            decided(None, random().take(200).map(|n| (n % 10u64.pow(7 + (n % 4) as u32)).max(10_000).to_string())),
            Kind::Qq
        );
    }

    #[test]
    fn a_header_tells_what_values_cannot() {
        assert_eq!(decided(Some("qq"), random().take(50).map(|n| (10_000 + n % 3_000_000_000).to_string())), Kind::Qq);
        assert_eq!(decided(Some("passwd"), ["123456", "qwerty", "letmein"].map(String::from)), Kind::Password);
        assert_eq!(decided(Some("salt"), ["a1b2c3", "d4e5f6"].map(String::from)), Kind::Salt);
        assert_eq!(decided(Some("file_md5"), random().take(50).map(|n| format!("{n:032x}"))), Kind::Digest);
        assert_eq!(decided(Some("mobile"), Vec::new()), Kind::Phone, "an empty column is what it is called");
    }

    #[test]
    fn a_header_that_the_values_deny_is_not_believed() {
        assert_eq!(decided(Some("phone"), random().take(100).map(|n| format!("u{n}@example.com"))), Kind::Email);
        assert_eq!(decided(Some("email"), mobiles().take(100)), Kind::Phone);
    }

    #[test]
    fn columns_of_decoys_are_not_personal() {
        let stamps = (0..200).map(|n| (1_388_631_845_123u64 + n * 86_413).to_string());
        assert_eq!(decided(None, stamps), Kind::Time, "milliseconds are no telephone numbers");
        let orders = random().take(500).map(|n| format!("20140102{:010}", n % 10_000_000_000));
        assert_eq!(decided(None, orders), Kind::Number);
        let long = random().take(500).map(|n| format!("62{:017}", n % 100_000_000_000_000_000));
        assert_eq!(decided(None, long), Kind::Number, "one in ten passes the check digit: 62 alone is no card");
        let counted = (0..200).map(|n| (13_800_000_000u64 + n).to_string());
        assert_eq!(decided(None, counted), Kind::Number, "counted up behind one prefix");
        let impossible = (0..200).map(|n| format!("11010519900231{n:03}X"));
        assert_eq!(decided(None, impossible), Kind::Text, "there is no 31 February");
        assert_eq!(decided(Some("order_no"), mobiles().take(200)), Kind::Number, "the header numbers orders");
    }
}
