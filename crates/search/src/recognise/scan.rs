//! One pass over bytes that finds what recognisers then look at.
//!
//! Sixty-four bytes at a time are compared with the few signs that candidates have, without
//! branches, and only where a bit is set is a byte looked at by itself.

use super::field::{Meaning, name_before, value_at};
use super::{Checks, Hit, Pass, Recognisers, ResidentIdMode};
use super::{bank, card, company, device, email, jwt, named, password, phone, plate, position, resident};
use crate::classify::packed;
use std::ops::Range;

/// Bits from which a value counts although a letter or digit stands right beside it.
const GLUED_BITS: f32 = 12.0;

/// What a sign may be the start or the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Nothing,
    Digit,
    At,
    /// A point behind a single digit.
    Point,
    Plus,
    /// `:` and `=`, between a name and a value, or pairs of hex digits.
    Separator,
    Dash,
    /// `>`, behind the name of an element.
    Close,
    /// `$`, `{` and `*`, in stored passwords.
    Scheme,
    /// The `J` of `eyJ`.
    Jay,
    /// The first byte of a character of the plane that provinces and full-width signs are in.
    Wide,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Nothing; 256];
    let mut byte = 0usize;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => Class::Digit,
            b'@' => Class::At,
            b'.' => Class::Point,
            b'+' => Class::Plus,
            b':' | b'=' => Class::Separator,
            b'-' => Class::Dash,
            b'>' => Class::Close,
            b'$' | b'{' | b'*' => Class::Scheme,
            b'J' => Class::Jay,
            0xe4..=0xe9 | 0xef => Class::Wide,
            _ => Class::Nothing,
        };
        byte += 1;
    }
    classes
}

/// Visits everything recognised.
pub(super) fn scan(bytes: &[u8], recognisers: &Recognisers, visit: &mut dyn FnMut(Hit)) {
    let mut scan = Scan { bytes, recognisers, visit, done: 0 };
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let mut before = 0;
    for (index, block) in blocks.iter().chain(std::iter::once(&last)).enumerate() {
        let (digits, signs) = candidates(block);
        // Runs of two digits or more; single ones mean something only before a point. Whether one
        // at the end of the block is single is seen later.
        let starts = digits & !(digits << 1 | before) & (digits >> 1 | 1 << 63);
        before = digits >> 63;
        let mut set = starts | signs;
        while set != 0 {
            scan.look(index * 64 + set.trailing_zeros() as usize);
            set &= set - 1;
        }
    }
}

/// One bit for each digit, and one for each other byte that is of a class. Comparisons without
/// branches, which compilers make into vector instructions.
fn candidates(block: &[u8; 64]) -> (u64, u64) {
    let mut digits = [0u8; 64];
    let mut signs = [0u8; 64];
    for index in 0..64 {
        let byte = block[index];
        let within = |first: u8, count: u8| u8::from(byte.wrapping_sub(first) < count);
        digits[index] = within(b'0', 10);
        signs[index] = within(b'*', 2)
            | within(b'-', 2)
            | within(b'=', 2)
            | within(0xe4, 6)
            | u8::from(byte == b':')
            | u8::from(byte == b'@')
            | u8::from(byte == b'J')
            | u8::from(byte == b'$')
            | u8::from(byte == b'{')
            | u8::from(byte == 0xef);
    }
    (packed(&digits), packed(&signs))
}

struct Scan<'a> {
    bytes: &'a [u8],
    recognisers: &'a Recognisers,
    visit: &'a mut dyn FnMut(Hit),
    /// What lies before this belongs to something that was reported.
    done: usize,
}

impl Scan<'_> {
    fn look(&mut self, at: usize) {
        let Some(byte) = self.byte(at).filter(|_| at >= self.done) else { return };
        let end = self.candidate(CLASSES[usize::from(byte)], at);
        self.done = end.max(at + 1);
    }

    /// Looks at the candidate there; returns where to go on.
    fn candidate(&mut self, class: Class, at: usize) -> usize {
        match class {
            Class::Nothing => at + 1,
            Class::Digit => self.digits(at),
            Class::Point => self.single_digit(at).unwrap_or(at + 1),
            Class::At => self.found(email::around(self.bytes, at), at),
            Class::Plus => self.plus(at),
            Class::Separator => self.separator(at),
            Class::Dash => self.mac(at).unwrap_or(at + 1),
            Class::Close => self.element(at).unwrap_or(at + 1),
            Class::Scheme => self.scheme(at),
            Class::Jay => self.token(at).unwrap_or(at + 1),
            Class::Wide => self.wide(at),
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<u8> {
        self.byte(at.checked_sub(1)?)
    }

    /// Reports a value without a name, if it says enough; true if so.
    fn report(&mut self, range: Range<usize>, pass: Pass) -> bool {
        let alone = !self.is_glued(&range);
        let enough = pass.bits >= self.recognisers.options.least_bits && (alone || pass.bits >= GLUED_BITS);
        if enough {
            let checks = if alone { pass.checks.and(Checks::ALONE) } else { pass.checks };
            (self.visit)(Hit { kind: pass.kind, range, checks, bits: pass.bits });
        }
        enough
    }

    fn found(&mut self, found: Option<(Range<usize>, Pass)>, at: usize) -> usize {
        match found {
            Some((range, pass)) => {
                let end = range.end;
                if self.report(range, pass) { end } else { at + 1 }
            }
            None => at + 1,
        }
    }

    /// A letter or digit stands beside it, or it is part of a number with a point.
    fn is_glued(&self, range: &Range<usize>) -> bool {
        let letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
        let is_number = digit(self.byte(range.start)) && digit(self.before(range.end));
        let point_before =
            self.before(range.start) == Some(b'.') && range.start >= 2 && digit(self.byte(range.start - 2));
        let point_after = self.byte(range.end) == Some(b'.') && digit(self.byte(range.end + 1));
        letter(self.before(range.start)) || letter(self.byte(range.end)) || (is_number && (point_before || point_after))
    }

    fn digits(&mut self, start: usize) -> usize {
        let length = self.run(start);
        let end = start + length;
        if length >= 11
            && let Some(end) = self.long_run(start, end)
        {
            return end;
        }
        let found = match (length, self.byte(end)) {
            (1..=3, Some(b'.')) => self.position(start),
            (2..=6, Some(b' ' | b'-')) => self.groups(start),
            _ => None,
        };
        let found = found.or_else(|| if length >= 2 { self.account(start) } else { None });
        found.or_else(|| if length >= 6 { self.company(start) } else { None }).unwrap_or(end)
    }

    fn run(&self, start: usize) -> usize {
        self.bytes.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn long_run(&mut self, start: usize, end: usize) -> Option<usize> {
        let digits = self.bytes.get(start..end)?;
        let options = self.recognisers.options;
        if digits.len() == 17 && matches!(self.byte(end), Some(b'X' | b'x')) {
            let pass = resident::check(self.bytes.get(start..=end)?, options)?;
            return self.report(start..end + 1, pass).then_some(end + 1);
        }
        let candidates = match digits.len() {
            11 | 13 => [phone::mobile(digits), None, None, None],
            14 | 16 | 17 => [card::check(digits, false), None, None, None],
            15 => [
                device::imei(digits).or_else(|| device::imsi(digits)),
                card::check(digits, false),
                phone::mobile(digits),
                old_form(digits, self.recognisers),
            ],
            18 => [resident::check(digits, options), company::check(digits), card::check(digits, false), None],
            19 | 20 => [device::iccid(digits), card::check(digits, false), None, None],
            _ => return None,
        };
        let best = candidates.into_iter().flatten().max_by(|a, b| a.bits.total_cmp(&b.bits))?;
        self.report(start..end, best).then_some(end)
    }

    /// A coordinate of one digit before its point.
    fn single_digit(&mut self, point: usize) -> Option<usize> {
        let start = point.checked_sub(1).filter(|start| *start >= self.done)?;
        let digit = |at: Option<usize>| at.and_then(|at| self.byte(at)).is_some_and(|byte| byte.is_ascii_digit());
        let single = digit(Some(start)) && !digit(start.checked_sub(1));
        if single { self.position(start) } else { None }
    }

    fn position(&mut self, start: usize) -> Option<usize> {
        let (start, length, pass) = position::at(self.bytes, start)?;
        self.report(start..start + length, pass).then_some(start + length)
    }

    /// Groups of digits with one space or dash between them.
    fn groups(&mut self, start: usize) -> Option<usize> {
        let digits = |at: usize| self.bytes.get(at..at + 3).is_some_and(|next| next.iter().all(u8::is_ascii_digit));
        if !digits(start + self.run(start) + 1) {
            // No form has a second group of less than three digits.
            return None;
        }
        let (digits, lengths, end) = grouped(self.bytes.get(start..)?)?;
        let pass = match lengths.as_slice() {
            [3, 4, 4] | [2, 3, 4, 4] => phone::mobile(&digits),
            [4, 4, 4, 4] | [4, 4, 4, 4, 3] | [4, 6, 4 | 5] => card::check(&digits, false),
            [2, 6, 6, 1] => device::imei(&digits),
            [6, 8, 4] | [6, 4, 4, 4] => resident::check(&digits, self.recognisers.options),
            _ => None,
        }?;
        self.report(start..start + end, pass).then_some(start + end)
    }

    /// Two capitals and two digits start an account number.
    fn account(&mut self, digits: usize) -> Option<usize> {
        let start = digits.checked_sub(2)?;
        let capitals = self.bytes.get(start..digits)?.iter().all(u8::is_ascii_uppercase);
        if !capitals || self.before(start).is_some_and(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let account = bank::iban(self.bytes.get(start..)?)?;
        self.report(start..start + account.length, account.pass).then_some(start + account.length)
    }

    fn company(&mut self, digits: usize) -> Option<usize> {
        let before = self.bytes.get(digits.saturating_sub(2)..digits)?;
        let capitals = before.iter().rev().take_while(|byte| byte.is_ascii_uppercase()).count();
        let start = digits - capitals;
        let pass = company::check(self.bytes.get(start..start + 18)?)?;
        self.report(start..start + 18, pass).then_some(start + 18)
    }

    /// A number with a country's code, also in groups; the longest that is one counts.
    fn plus(&mut self, start: usize) -> usize {
        let glued = self.before(start).is_some_and(|byte| byte.is_ascii_alphanumeric());
        if glued || !self.byte(start + 1).is_some_and(|byte| byte.is_ascii_digit()) {
            return start + 1;
        }
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        let (digits, ends) = with_signs(rest);
        let best =
            ends.into_iter().rev().find_map(|(count, end)| Some((end, phone::international(digits.get(..count)?)?)));
        match best {
            Some((end, pass)) if self.report(start..start + 1 + end, pass) => start + 1 + end,
            _ => start + 1,
        }
    }

    fn separator(&mut self, at: usize) -> usize {
        if self.byte(at) == Some(b':')
            && let Some(end) = self.mac(at)
        {
            return end;
        }
        self.name(at).and_then(|(meaning, _)| self.named(meaning, at + 1)).unwrap_or(at + 1)
    }

    /// `<name>value<`
    fn element(&mut self, at: usize) -> Option<usize> {
        let (meaning, length) = self.name(at)?;
        if self.before(at - length) != Some(b'<') {
            return None;
        }
        self.named(meaning, at + 1)
    }

    /// What the name before that place says, and its length. Most names say nothing, which their
    /// last letters tell.
    fn name(&self, at: usize) -> Option<(Meaning, usize)> {
        let names = self.recognisers.names;
        if !names.may_end(self.bytes, at) {
            return None;
        }
        let name = name_before(self.bytes, at)?;
        Some((names.meaning(name)?, name.len()))
    }

    fn named(&mut self, meaning: Meaning, from: usize) -> Option<usize> {
        let range = value_at(self.bytes, from, meaning)?;
        let pass = named::check(meaning, self.bytes.get(range.clone())?, self.recognisers.options)?;
        let end = range.end;
        let checks = pass.checks.and(Checks::ALONE).and(Checks::FIELD_NAME);
        (self.visit)(Hit { kind: pass.kind, range, checks, bits: pass.bits });
        Some(end)
    }

    /// Six pairs of hex digits, of which the first separator is here.
    fn mac(&mut self, at: usize) -> Option<usize> {
        let separator = self.byte(at)?;
        if self.byte(at + 3) != Some(separator) {
            return None;
        }
        let range = at.checked_sub(2)?..at + 15;
        let longer = |byte: Option<u8>| byte.is_some_and(|byte| byte == separator || byte.is_ascii_hexdigit());
        let pass = device::mac(self.bytes.get(range.clone())?)?;
        let whole = !longer(self.before(range.start)) && !longer(self.byte(range.end));
        (whole && self.report(range, pass)).then_some(at + 15)
    }

    fn scheme(&mut self, at: usize) -> usize {
        if self.byte(at) == Some(b'{') && !self.byte(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic()) {
            return at + 1;
        }
        self.found(password::around(self.bytes, at), at)
    }

    fn token(&mut self, at: usize) -> Option<usize> {
        let start = at.checked_sub(2)?;
        if self.bytes.get(start..at)? != b"ey" {
            return None;
        }
        let (range, pass) = jwt::at(self.bytes, start)?;
        let end = range.end;
        self.report(range, pass).then_some(end)
    }

    fn wide(&mut self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        if rest.starts_with("：".as_bytes()) {
            return self.name(at).and_then(|(meaning, _)| self.named(meaning, at + 3)).unwrap_or(at + 3);
        }
        if !rest.get(3).is_some_and(u8::is_ascii_uppercase) {
            return at + 1;
        }
        self.found(plate::plate(rest).map(|(length, pass)| (at..at + length, pass)), at)
    }
}

fn old_form(digits: &[u8], recognisers: &Recognisers) -> Option<Pass> {
    let historical = recognisers.options.resident_ids == ResidentIdMode::Historical;
    if historical { resident::check(digits, recognisers.options) } else { None }
}

/// Most digits and groups looked at.
const DIGITS: usize = 20;
const GROUPS: usize = 6;

/// Digits without separators, the groups' lengths, and the bytes they take. The separator is the
/// one behind the first group.
fn grouped(text: &[u8]) -> Option<(Vec<u8>, Vec<usize>, usize)> {
    let mut digits = Vec::with_capacity(DIGITS);
    let mut lengths = Vec::with_capacity(GROUPS);
    let mut end = 0;
    let mut separator = None;
    loop {
        let run = text.get(end..)?.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
        digits.extend_from_slice(text.get(end..end + run)?);
        lengths.push(run);
        end += run;
        if digits.len() > DIGITS || lengths.len() > GROUPS {
            return None;
        }
        let next = text.get(end).copied();
        let same = separator.is_none() || separator == next;
        let continues = matches!(next, Some(b' ' | b'-')) && text.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !same || !continues {
            return Some((digits, lengths, end));
        }
        separator = next;
        end += 1;
    }
}

/// Digits with at most two signs between them, and after which of them, at which byte, a number may
/// end.
fn with_signs(text: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let mut digits = Vec::with_capacity(16);
    let mut ends = Vec::with_capacity(8);
    let mut at = 0;
    while digits.len() <= 15 {
        let run = text.get(at..).unwrap_or_default().iter().take(17).take_while(|byte| byte.is_ascii_digit()).count();
        digits.extend_from_slice(text.get(at..at + run).unwrap_or_default());
        at += run;
        ends.push((digits.len(), at));
        let signs =
            text.get(at..).unwrap_or_default().iter().take(2).take_while(|byte| b" -().".contains(byte)).count();
        if signs == 0 || !text.get(at + signs).is_some_and(u8::is_ascii_digit) {
            break;
        }
        at += signs;
    }
    (digits, ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognise::RecogniseOptions;
    use proptest::prelude::*;

    /// The same, byte by byte.
    fn one_by_one(bytes: &[u8], recognisers: &Recognisers, visit: &mut dyn FnMut(Hit)) {
        let mut scan = Scan { bytes, recognisers, visit, done: 0 };
        for at in 0..bytes.len() {
            let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
            match CLASSES[usize::from(bytes[at])] {
                Class::Nothing => {}
                Class::Digit if (at > 0 && digit(at - 1)) || !digit(at + 1) => {}
                _ => scan.look(at),
            }
        }
    }

    proptest! {
        #[test]
        fn sixty_four_bytes_at_a_time_are_no_other_than_one_by_one(
            text in proptest::collection::vec(proptest::sample::select(&[
                "13800000427", "li@a.bc", "\"imei\":\"", "490154203237518", "31.2304,121.4737", " ", "9.12345,", "=",
                "GB29NWBK60161331926819", "02:00:5e:10:00:01", "京A12345", "手机：", "$1$", "+44 20 7183 8750", "1", "x",
                "138 0000 0427", "*0123456789ABCDEF", "<qq>", "12345", "eyJ", "-", "\n",
            ][..]), 0..40),
        ) {
            let bytes = text.concat().into_bytes();
            let recognisers = Recognisers::new(RecogniseOptions::default());
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            scan(&bytes, &recognisers, &mut |hit| fast.push(hit));
            one_by_one(&bytes, &recognisers, &mut |hit| slow.push(hit));
            prop_assert_eq!(fast, slow);
        }
    }
}
