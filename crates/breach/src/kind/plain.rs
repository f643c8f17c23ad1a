//! Whether a value is valid, where its canonical form is not asked for: the spellings that nearly all values have are
//! told by a few questions to all of their bytes together, and all others are left to the [`Checker`].

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
    #[inline]
    pub(crate) fn of(text: &'a [u8], start: usize, length: usize) -> Option<Self> {
        let text = text.get(start..)?;
        (length <= text.len()).then_some(Self { text, length })
    }

    /// Its bytes.
    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.text.get(..self.length).unwrap_or_default()
    }

    /// How many.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.length
    }

    #[inline]
    fn block(self) -> Block {
        Block::before(self.text)
    }

    /// The first bytes, also of a shorter value: then with what follows it.
    #[inline]
    fn first<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.text.first_chunk()
    }
}

/// A test of one kind: as [`Checker::check`] says, of values that are not empty.
pub(crate) mod valid {
    use super::*;

    macro_rules! plainly {
        ($($name:ident, $kind:ident, $says:literal;)*) => {$(
            #[doc = concat!("True for ", $says, ".")]
            #[inline]
            pub(crate) fn $name(checker: &mut Checker, value: Value<'_>) -> bool {
                super::$name(checker, value) || other(Kind::$kind, checker, value)
            }
        )*};
    }

    plainly! {
        email, Email, "an e-mail address";
        phone, Phone, "a mobile number";
        resident_id, ResidentId, "an identity number";
        qq, Qq, "a QQ number";
        time, Time, "a moment";
        birth_date, BirthDate, "a date of birth";
        name, Name, "a person's name";
        address, Address, "a postal address";
        password_hash, PasswordHash, "a password in a stored form";
        digest, Digest, "hex digits of a digest";
        number, Number, "digits";
        username, Username, "the name of an account";
    }

    /// As the checker says.
    #[inline]
    pub(crate) fn other(kind: Kind, checker: &mut Checker, value: Value<'_>) -> bool {
        checker.check(kind, value.bytes()).is_valid()
    }
}

/// Letters, digits and few signs, at a host that was seen before.
#[inline]
fn email(checker: &mut Checker, value: Value<'_>) -> bool {
    let (block, all) = (value.block(), low(value.len()));
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

#[inline]
fn phone(_: &mut Checker, value: Value<'_>) -> bool {
    let Some(digits) = value.first::<11>() else { return false };
    value.len() == 11 && are(value.block().digits(), 11) && whole::is_mobile(digits)
}

#[inline]
fn qq(_: &mut Checker, value: Value<'_>) -> bool {
    let block = value.block();
    (5..=11).contains(&value.len()) && are(block.digits(), value.len()) && block.equal(b'0') & 1 == 0
}

#[inline]
fn resident_id(checker: &mut Checker, value: Value<'_>) -> bool {
    /// Of ISO 7064 MOD 11-2, without the 17th, which is 2.
    const WEIGHTS: [i16; 16] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4];
    let Some(id) = value.first::<18>() else { return false };
    let block = value.block();
    let sum = block.weighed(&WEIGHTS) + 2 * u32::from(id[16] & 0xF);
    value.len() == 18
        && are(block.digits(), 17)
        && b"10X98765432"[(sum % 11) as usize] == id[17]
        && (1900..=checker.year()).contains(&four(id, 6))
        && is_day(four(id, 6), two(id, 10), two(id, 12))
        && whole::is_resident_place(id, checker.resident_ids())
}

/// `2014-01-02 03:04:05` from 1990 to 2049, or as many seconds or milliseconds.
#[inline]
fn time(_: &mut Checker, value: Value<'_>) -> bool {
    let block = value.block();
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
#[inline]
fn birth_date(_: &mut Checker, value: Value<'_>) -> bool {
    const DASHES: u32 = 1 << 4 | 1 << 7;
    let block = value.block();
    let (month, day) = match value.len() {
        10 if block.digits() & low(10) | DASHES == low(10) && block.equal(b'-') & DASHES == DASHES => (5, 8),
        8 if are(block.digits(), 8) => (4, 6),
        _ => return false,
    };
    let Some(date) = value.first::<10>() else { return false };
    (1900..=2078).contains(&four(date, 0)) && is_day(four(date, 0), two(date, month), two(date, day))
}

/// Two to ten characters from U+4E00 to U+9FFF.
#[inline]
fn name(_: &mut Checker, value: Value<'_>) -> bool {
    /// Every third byte.
    const FIRSTS: u32 = 0x0924_9249;
    let (block, all) = (value.block(), low(value.len()));
    let before = block.equal(0xE4) << 1 & !block.within(0xB8, 0xBF);
    matches!(value.len(), 6 | 9 | 12 | 15 | 18 | 21 | 24 | 27 | 30)
        && block.within(0xE4, 0xE9) & all == FIRSTS & all
        && block.within(0x80, 0xBF) & all == !FIRSTS & all
        && before & all == 0
}

#[inline]
fn address(_: &mut Checker, value: Value<'_>) -> bool {
    value.len() >= 18 && value.first().is_some_and(place::begins_as_address)
}

/// As many digits as MD5 has.
#[inline]
fn password_hash(_: &mut Checker, value: Value<'_>) -> bool {
    value.len() == 32 && are(value.block().hex_digits(), 32)
}

#[inline]
fn digest(checker: &mut Checker, value: Value<'_>) -> bool {
    password_hash(checker, value)
}

#[inline]
fn number(_: &mut Checker, value: Value<'_>) -> bool {
    value.len() <= 32 && are(value.block().digits(), value.len())
}

#[inline]
fn username(_: &mut Checker, value: Value<'_>) -> bool {
    person::is_username(value.bytes())
}

/// Whether the bits of the first bytes are all set.
#[inline]
fn are(bits: u32, length: usize) -> bool {
    bits & low(length) == low(length)
}

/// Two digits as a number. What are no digits gives something.
#[inline]
fn two<const N: usize>(digits: &[u8; N], at: usize) -> u16 {
    u16::from(digits[at] & 0xF) * 10 + u16::from(digits[at + 1] & 0xF)
}

#[inline]
fn four<const N: usize>(digits: &[u8; N], at: usize) -> u16 {
    two(digits, at) * 100 + two(digits, at + 2)
}

/// Whether the Gregorian calendar has the day.
#[inline]
fn is_day(year: u16, month: u16, day: u16) -> bool {
    const LAST: [u16; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = LAST[usize::from(month & 0xF)] + u16::from(month == 2 && is_leap);
    month <= 12 && (1..=last).contains(&day)
}
