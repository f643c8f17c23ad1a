//! One pass over bytes that finds what recognisers then look at.

use super::field::{Meaning, name_before, value_at};
use super::{Checks, Hit, Pass, Recognisers, ResidentIdMode};
use super::{bank, card, company, device, email, jwt, named, password, phone, plate, position, resident};
use std::ops::Range;

/// Bits from which a value counts although a letter or digit stands right beside it.
const GLUED_BITS: f32 = 12.0;

/// What a byte may be the start or the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Nothing,
    Digit,
    At,
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
    let mut scan = Scan { bytes, recognisers, visit };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let class = CLASSES[usize::from(*byte)];
        at = if class == Class::Nothing { at + 1 } else { scan.candidate(class, at).max(at + 1) };
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    recognisers: &'a Recognisers,
    visit: &'a mut dyn FnMut(Hit),
}

impl Scan<'_> {
    /// Looks at the candidate there; returns where to go on.
    fn candidate(&mut self, class: Class, at: usize) -> usize {
        match class {
            Class::Nothing => at + 1,
            Class::Digit => self.digits(at),
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

    fn position(&mut self, start: usize) -> Option<usize> {
        let (start, length, pass) = position::at(self.bytes, start)?;
        self.report(start..start + length, pass).then_some(start + length)
    }

    /// Groups of digits with one space or dash between them.
    fn groups(&mut self, start: usize) -> Option<usize> {
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
        let name = name_before(self.bytes, at);
        let meaning = name.and_then(|name| self.recognisers.names.meaning(name));
        meaning.and_then(|meaning| self.named(meaning, at + 1)).unwrap_or(at + 1)
    }

    /// `<name>value<`
    fn element(&mut self, at: usize) -> Option<usize> {
        let name = name_before(self.bytes, at)?;
        if self.before(at - name.len()) != Some(b'<') {
            return None;
        }
        self.named(self.recognisers.names.meaning(name)?, at + 1)
    }

    fn named(&mut self, meaning: Meaning, from: usize) -> Option<usize> {
        let range = value_at(self.bytes, from, meaning == Meaning::Position)?;
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
            let meaning = name_before(self.bytes, at).and_then(|name| self.recognisers.names.meaning(name));
            return meaning.and_then(|meaning| self.named(meaning, at + 3)).unwrap_or(at + 3);
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
