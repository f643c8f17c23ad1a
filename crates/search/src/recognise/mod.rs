//! Recognisers of personal data that nobody planted: by shape, checksum, assigned prefix and field
//! name.
//!
//! One pass over the bytes (`scan`) finds candidates by runs of characters: digits, an `@`, pairs of
//! hex digits, a `$`, a field name before a value. Each candidate goes to the recogniser of its
//! kind, which states what it checked and how many bits that is worth: −log2 of the chance that as
//! many random characters, of the classes the value is made of, would pass. What has no checksum
//! and no telling shape is recognised only behind a field name that says what it is.
//!
//! *Invariant*: linear time on any input. Looking around a candidate is bounded by a constant.
//!
//! *Invariant*: boundaries are those of ASCII classes on bytes. Word boundaries in the sense of
//! Unicode do not exist between a Chinese character and a digit, so `\b` misses an identity number
//! written right behind `身份证号`.
//!
//! A hit never holds the value: only its kind, place, checks and bits.

mod bank;
mod card;
mod checksum;
mod company;
mod device;
mod email;
mod field;
mod jwt;
mod named;
mod password;
mod person;
mod phone;
mod phone_lengths;
mod plate;
mod position;
mod resident;
mod scan;
mod table;
pub mod whole;

use std::ops::Range;
pub use table::{RECOGNISERS, Recogniser};

/// Which Chinese identity numbers count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResidentIdMode {
    /// 18 characters with check digit, a province in use, prefecture and county numbers as
    /// GB/T 2260 gives them out, and a date of birth that has been.
    #[default]
    Strict,
    /// Also any prefecture and county number (codes are abolished, cards stay valid), and the
    /// form of 15 digits without check digit issued until 1999.
    Historical,
    /// As strict, and also residence permits for people of Hong Kong (810000), Macao (820000) and
    /// Taiwan (830000) and the permanent residence card for foreigners of 2023 (9…).
    Permit,
}

/// What is recognised, and how strictly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecogniseOptions {
    /// Which Chinese identity numbers count.
    pub resident_ids: ResidentIdMode,
    /// The latest year of birth; the year in which the evidence was recorded.
    pub year: u16,
    /// Bits a value must show where no field name says what it is.
    pub least_bits: f32,
}

impl Default for RecogniseOptions {
    fn default() -> Self {
        Self { resident_ids: ResidentIdMode::default(), year: 2100, least_bits: 4.0 }
    }
}

/// What a recogniser checked in a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checks(u8);

impl Checks {
    /// Length and characters are those of the kind.
    pub const SHAPE: Self = Self(1);
    /// The value starts with a prefix that has been assigned.
    pub const PREFIX: Self = Self(2);
    /// A date within is one of the calendar.
    pub const DATE: Self = Self(4);
    /// The check digits are right.
    pub const CHECKSUM: Self = Self(8);
    /// Neither letter nor digit stands beside it.
    pub const ALONE: Self = Self(16);
    /// The field's name says what it is.
    pub const FIELD_NAME: Self = Self(32);

    /// True where all of `other` were made.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The checks in words.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Checks, &str); 6] = [
            (Checks::SHAPE, "shape"),
            (Checks::PREFIX, "assigned prefix"),
            (Checks::DATE, "date"),
            (Checks::CHECKSUM, "check digits"),
            (Checks::ALONE, "stands alone"),
            (Checks::FIELD_NAME, "field name"),
        ];
        NAMES.into_iter().filter(move |(check, _)| self.has(*check)).map(|(_, name)| name)
    }
}

/// A value that looks like personal data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit {
    /// What it looks like, as planted kinds are named.
    pub(crate) kind: &'static str,
    /// Where it is in the bytes searched.
    pub(crate) range: Range<usize>,
    /// What was checked.
    pub(crate) checks: Checks,
    /// −log2 of the chance that as many random characters of its classes pass these checks, the
    /// field name not counted; at most 64.
    pub(crate) bits: f32,
}

/// What a recogniser says of a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pass {
    kind: &'static str,
    checks: Checks,
    bits: f32,
}

impl Pass {
    const fn new(kind: &'static str, checks: Checks, bits: f32) -> Self {
        Self { kind, checks: checks.and(Checks::SHAPE), bits }
    }
}

/// All recognisers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recognisers {
    options: RecogniseOptions,
    names: &'static field::Names,
}

impl Recognisers {
    /// Recognisers with these options.
    pub(crate) fn new(options: RecogniseOptions) -> Self {
        Self { options, names: field::Names::known() }
    }

    /// The options.
    pub(crate) fn options(&self) -> &RecogniseOptions {
        &self.options
    }

    /// Visits everything recognised in the bytes, in order of where it ends. `field_name` is the
    /// name of the field whose value the bytes are as a whole; names of fields within the bytes
    /// (`"imei":`, `imei=`, `<imei>`) are seen without it.
    pub(crate) fn find(&self, bytes: &[u8], field_name: Option<&str>, visit: &mut dyn FnMut(Hit)) {
        match field_name.and_then(|name| self.whole(bytes, name)) {
            Some(hit) => visit(hit),
            None => scan::scan(bytes, self, visit),
        }
    }

    /// The bytes as the value of a field of that name, where the name says what they are.
    pub(crate) fn whole(&self, bytes: &[u8], field_name: &str) -> Option<Hit> {
        let pass = named::check(self.names.meaning(field_name.as_bytes())?, bytes, self.options)?;
        let checks = pass.checks.and(Checks::ALONE).and(Checks::FIELD_NAME);
        Some(Hit { kind: pass.kind, range: 0..bytes.len(), checks, bits: pass.bits })
    }
}
