//! Whether a value is valid, where its canonical form is not asked for: the spellings that nearly all values have are
//! told by a few questions to all of their bytes together, and all others are left to the [`Checker`].

#![expect(
    clippy::inline_always,
    reason = "vectors stay in registers, and what is compiled for more instructions reaches them, only where nothing is called"
)]

use super::{Checker, Kind, person, place};
use crate::ascii::eight_digits;
use crate::block::{Block, low};
use dyetrace_search::whole;

/// A value, and the text that goes on behind it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    /// From where the value begins.
    text: &'a [u8],
    length: usize,
}

impl<'a> Value<'a> {
    /// `length` bytes of the text from `start` on. `None` where it does not have them.
    #[inline(always)]
    pub(crate) fn of(text: &'a [u8], start: usize, length: usize) -> Option<Self> {
        let text = text.get(start..)?;
        (length <= text.len()).then_some(Self { text, length })
    }

    /// Its bytes.
    #[inline(always)]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.text.get(..self.length).unwrap_or_default()
    }

    /// How many.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.length
    }

    #[inline(always)]
    fn block<B: Block>(self) -> B {
        B::before(self.text)
    }

    /// The first bytes, also of a shorter value: then with what follows it.
    #[inline(always)]
    fn first<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.text.first_chunk()
    }
}

/// Tests values of one kind.
pub(crate) trait Test {
    /// As [`Checker::check`] says, of values that are not empty.
    fn is_valid<B: Block>(&self, checker: &mut Checker, value: Value<'_>) -> bool;
}

/// The tests.
pub(crate) mod tests_of {
    use super::{Block, Checker, Kind, Test, Value};

    macro_rules! plainly {
        ($($name:ident, $function:ident;)*) => {$(
            #[doc = concat!("Tests values of [`Kind::", stringify!($name), "`].")]
            pub(crate) struct $name;

            impl Test for $name {
                #[inline(always)]
                fn is_valid<B: Block>(&self, checker: &mut Checker, value: Value<'_>) -> bool {
                    super::$function::<B>(checker, value) || Other(Kind::$name).is_valid::<B>(checker, value)
                }
            }
        )*};
    }

    plainly! {
        Email, email;
        Phone, phone;
        ResidentId, resident_id;
        Qq, qq;
        Time, time;
        BirthDate, birth_date;
        Name, name;
        Address, address;
        PasswordHash, password_hash;
        Digest, digest;
        Number, number;
        Username, username;
    }

    /// Tests values of a kind whose spellings differ.
    pub(crate) struct Other(pub(crate) Kind);

    impl Test for Other {
        #[inline(always)]
        fn is_valid<B: Block>(&self, checker: &mut Checker, value: Value<'_>) -> bool {
            checker.check(self.0, value.bytes()).is_valid()
        }
    }

    /// Takes every value.
    pub(crate) struct Any;

    impl Test for Any {
        #[inline(always)]
        fn is_valid<B: Block>(&self, _: &mut Checker, _: Value<'_>) -> bool {
            true
        }
    }
}

/// Letters, digits and few signs, at a host that was seen before.
#[inline(always)]
fn email<B: Block>(checker: &mut Checker, value: Value<'_>) -> bool {
    let (block, all) = (value.block::<B>(), low(value.len()));
    let ats = block.equal(b'@') & all;
    let at = ats.trailing_zeros();
    let local = ats.wrapping_sub(1) & !ats;
    let dots = block.equal(b'.') & local;
    let letters = (block.digits() | block.letters()) & local;
    let signs = block.any([b'-', b'_']) & local;
    let is_plain = value.len() <= 32
        && ats.is_power_of_two()
        && letters & 1 == 1
        && letters | signs | dots == local
        && dots & (dots << 1 | ats >> 1) == 0;
    is_plain && checker.knows_host(value.bytes().get(at as usize + 1..).unwrap_or_default())
}

#[inline(always)]
fn phone<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    let Some(digits) = value.first::<11>() else { return false };
    value.len() == 11 && are(value.block::<B>().digits(), 11) && whole::is_mobile(digits)
}

#[inline(always)]
fn qq<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    let block = value.block::<B>();
    (5..=11).contains(&value.len()) && are(block.digits(), value.len()) && block.equal(b'0') & 1 == 0
}

#[inline(always)]
fn resident_id<B: Block>(checker: &mut Checker, value: Value<'_>) -> bool {
    /// Of ISO 7064 MOD 11-2, without the 17th, which is 2.
    const WEIGHTS: [i16; 16] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4];
    let Some(id) = value.first::<18>() else { return false };
    let block = value.block::<B>();
    let sum = block.weighed(&WEIGHTS) + 2 * u32::from(id[16] & 0xF);
    value.len() == 18
        && are(block.digits(), 17)
        && b"10X98765432"[(sum % 11) as usize] == id[17]
        && (1900..=checker.year()).contains(&four(id, 6))
        && is_day(four(id, 6), two(id, 10), two(id, 12))
        && whole::is_resident_place(id, checker.resident_ids())
}

/// `2014-01-02 03:04:05` from 1990 to 2049, or as many seconds or milliseconds.
#[inline(always)]
fn time<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    let block = value.block::<B>();
    match (value.len(), value.first::<19>()) {
        (19, Some(time)) => {
            const DIGITS: u32 = 0b110_1101_1011_0110_1111;
            const DASHES: u32 = 1 << 4 | 1 << 7;
            const COLONS: u32 = 1 << 13 | 1 << 16;
            let signs = block.equal(b'-') & DASHES | block.equal(b':') & COLONS | block.any([b' ', b'T']) & 1 << 10;
            block.digits() & low(19) == DIGITS
                && signs == DASHES | COLONS | 1 << 10
                && (1990..=2049).contains(&four(time, 0))
                && is_day(four(time, 0), two(time, 5), two(time, 8))
                && two(time, 11) < 24
                && two(time, 14) < 60
                && two(time, 17) < 60
        }
        (10 | 13, Some(digits)) => {
            let seconds = eight_digits(u64::from_le_bytes(*digits.first_chunk().unwrap_or(&[0; 8]))) * 100;
            are(block.digits(), value.len())
                && block.equal(b'0') & 1 == 0
                && seconds + u64::from(two(digits, 8)) < 2_524_608_000
        }
        _ => false,
    }
}

/// `1990-01-31` or `19900131`.
#[inline(always)]
fn birth_date<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    const DASHES: u32 = 1 << 4 | 1 << 7;
    let block = value.block::<B>();
    let (month, day) = match value.len() {
        10 if block.digits() & low(10) | DASHES == low(10) && block.equal(b'-') & DASHES == DASHES => (5, 8),
        8 if are(block.digits(), 8) => (4, 6),
        _ => return false,
    };
    let Some(date) = value.first::<10>() else { return false };
    (1900..=2078).contains(&four(date, 0)) && is_day(four(date, 0), two(date, month), two(date, day))
}

/// Two to ten characters from U+4E00 to U+9FFF.
#[inline(always)]
fn name<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    /// Every third byte.
    const FIRSTS: u32 = 0x0924_9249;
    let (block, all) = (value.block::<B>(), low(value.len()));
    let before = block.equal(0xE4) << 1 & !block.within(0xB8, 0xBF);
    matches!(value.len(), 6 | 9 | 12 | 15 | 18 | 21 | 24 | 27 | 30)
        && block.within(0xE4, 0xE9) & all == FIRSTS & all
        && block.within(0x80, 0xBF) & all == !FIRSTS & all
        && before & all == 0
}

#[inline(always)]
fn address<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    matches!(value.first(), Some(first) if value.len() >= 18 && place::begins_as_address(first))
}

/// As many digits as MD5 has.
#[inline(always)]
fn password_hash<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    value.len() == 32 && are(value.block::<B>().hex_digits(), 32)
}

#[inline(always)]
fn digest<B: Block>(checker: &mut Checker, value: Value<'_>) -> bool {
    password_hash::<B>(checker, value)
}

#[inline(always)]
fn number<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    value.len() <= 32 && are(value.block::<B>().digits(), value.len())
}

#[inline(always)]
fn username<B: Block>(_: &mut Checker, value: Value<'_>) -> bool {
    person::is_username(value.bytes())
}

/// Whether the bits of the first bytes are all set.
#[inline(always)]
fn are(bits: u32, length: usize) -> bool {
    bits & low(length) == low(length)
}

/// Two digits as a number. What are no digits gives something.
#[inline(always)]
fn two<const N: usize>(digits: &[u8; N], at: usize) -> u16 {
    u16::from(digits[at] & 0xF) * 10 + u16::from(digits[at + 1] & 0xF)
}

#[inline(always)]
fn four<const N: usize>(digits: &[u8; N], at: usize) -> u16 {
    two(digits, at) * 100 + two(digits, at + 2)
}

/// Whether the Gregorian calendar has the day.
#[inline(always)]
fn is_day(year: u16, month: u16, day: u16) -> bool {
    const LAST: [u16; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = LAST[usize::from(month & 0xF)] + u16::from(month == 2 && is_leap);
    month <= 12 && (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::checker;
    use super::*;
    use crate::block::Common;
    use dyetrace_search::ResidentIdMode;
    use proptest::prelude::*;
    use proptest::string::string_regex;
    use proptest::test_runner::TestRunner;
    use std::cell::Cell;

    type Asked = fn(&mut Checker, Value<'_>) -> bool;

    /// Each test, whether it answers without the checker, and spellings near what it takes.
    const TESTS: [(Kind, Asked, Asked, &str); 12] = [
        (
            Kind::Email,
            |checker, value| tests_of::Email.is_valid::<Common>(checker, value),
            email::<Common>,
            "[a-c0.@_-]{1,5}[A-Za-z0-9._-]{0,22}@(qq|163|q-q|a_)[.](com|cn|png)",
        ),
        (
            Kind::Phone,
            |checker, value| tests_of::Phone.is_valid::<Common>(checker, value),
            phone::<Common>,
            "1[0-9]{2}[0-9]{7}[0-9a]",
        ),
        (
            Kind::Qq,
            |checker, value| tests_of::Qq.is_valid::<Common>(checker, value),
            qq::<Common>,
            "[0-9]{4,12}|[0-9]{5}[ x][0-9]",
        ),
        (
            Kind::Time,
            |checker, value| tests_of::Time.is_valid::<Common>(checker, value),
            time::<Common>,
            "(19|20)[0-9]{2}[-/0][01][0-9][-/][0-3][0-9][ T][0-2][0-9]:[0-5][0-9][:0][0-6][0-9]|[0-9]{10}|[0-9]{13}|[0-9]{12}[:/]",
        ),
        (
            Kind::BirthDate,
            |checker, value| tests_of::BirthDate.is_valid::<Common>(checker, value),
            birth_date::<Common>,
            "(18|19|20)[0-9]{2}[-/0][01][0-9][-/0][0-3][0-9]|(19|20)[0-9]{6}",
        ),
        (
            Kind::Name,
            |checker, value| tests_of::Name.is_valid::<Common>(checker, value),
            name::<Common>,
            "[㐀-䶿一-鿿䷀-䷿]{1,11}|[a-z一-鿿]{2,3}",
        ),
        (
            Kind::Address,
            |checker, value| tests_of::Address.is_valid::<Common>(checker, value),
            address::<Common>,
            "([一-鿿]{1,3}[省市区县路一a]){1,4}[一-鿿a0]{0,3}[0-9]{0,4}",
        ),
        (
            Kind::PasswordHash,
            |checker, value| tests_of::PasswordHash.is_valid::<Common>(checker, value),
            password_hash::<Common>,
            "[0-9a-fA-F]{31,33}|[0-9a-g]{32}",
        ),
        (
            Kind::Digest,
            |checker, value| tests_of::Digest.is_valid::<Common>(checker, value),
            digest::<Common>,
            "[0-9a-fA-F]{31,33}|[0-9a-g]{32}|[0-9a-f]{40}",
        ),
        (
            Kind::Number,
            |checker, value| tests_of::Number.is_valid::<Common>(checker, value),
            number::<Common>,
            "[0-9]{1,34}|[0-9]{1,31}[/:]",
        ),
        (
            Kind::Username,
            |checker, value| tests_of::Username.is_valid::<Common>(checker, value),
            username::<Common>,
            "[a-z ]{1,66}",
        ),
        (
            Kind::ResidentId,
            |checker, value| tests_of::ResidentId.is_valid::<Common>(checker, value),
            resident_id::<Common>,
            "[1-9][0-9]{17}",
        ),
    ];

    fn agree(kind: Kind, test: Asked, bytes: &[u8], length: usize, mode: ResidentIdMode) {
        let mut checker = checker(mode);
        // A host is known from the second address on.
        for _ in 0..2 {
            let said = test(&mut checker, Value::of(bytes, 0, length).unwrap());
            let value = bytes.get(..length).unwrap();
            assert_eq!(said, checker.check(kind, value).is_valid(), "{} {value:?}", kind.name());
        }
    }

    /// With the check character that belongs to it.
    fn checked(number: &str, year: u32, month: u32, day: u32) -> String {
        let body = format!("{}{year:04}{month:02}{day:02}{}", &number[..6], &number[14..17]);
        let check = whole::resident_check_character(body.as_bytes());
        format!("{body}{check}")
    }

    #[test]
    fn what_is_told_at_once_is_what_the_checker_says() {
        for (kind, test, at_once, spelling) in TESTS {
            let answered = Cell::new(0);
            let texts = (string_regex(spelling).unwrap(), string_regex("[0-9a-f]{0,40}").unwrap());
            let held = TestRunner::new(ProptestConfig::with_cases(1000)).run(&texts, |(value, behind)| {
                let text = [value.as_bytes(), behind.as_bytes()].concat();
                agree(kind, test, &text, value.len(), ResidentIdMode::Strict);
                let mut checker = checker(ResidentIdMode::Strict);
                checker.check(kind, value.as_bytes());
                let value = Value::of(&text, 0, value.len()).unwrap();
                answered.set(answered.get() + usize::from(at_once(&mut checker, value)));
                Ok(())
            });
            held.unwrap();
            assert!(answered.get() >= 30 || kind == Kind::ResidentId, "{} is asked twice", kind.name());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn identity_numbers_are_told_as_the_checker_says_in_all_modes(
            number in "(11|44|71|81|83|91|99)[0-9]{15}", year in 1880_u32..2040, month in 0_u32..14, day in 0_u32..33,
            mode in 0..3_usize, behind in "[0-9]{0,40}", wrong in 0..60_usize,
        ) {
            let mode = [ResidentIdMode::Strict, ResidentIdMode::Historical, ResidentIdMode::Permit][mode];
            let mut id = checked(&number, year, month, day).into_bytes();
            if let Some(byte) = id.get_mut(wrong) {
                *byte ^= 1;
            }
            let text = [id.as_slice(), behind.as_bytes()].concat();
            agree(Kind::ResidentId, |checker, value| tests_of::ResidentId.is_valid::<Common>(checker, value), &text, 18, mode);
        }
    }

    #[test]
    fn identity_numbers_are_told_at_once() {
        let mut checker = checker(ResidentIdMode::Strict);
        for id in ["11010519491231002X", "440524188001010014"] {
            let text = format!("{id}','2014-01-02 03:04:05");
            let value = Value::of(text.as_bytes(), 0, 18).unwrap();
            assert_eq!(resident_id::<Common>(&mut checker, value), id.ends_with('X'), "{id}: born in the 19th century");
        }
    }
}
