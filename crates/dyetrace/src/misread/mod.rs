//! Planted values in text that was read in pictures. Reading errs: a value is found also where a character or two of it
//! differ, and its evidence is what is left then.
//!
//! Of *n* characters of *b* bits each, all but *k* agree by chance with probability of at most C(*n*, *k*) · 2^(−*b* ·
//! (*n* − *k*)) at one place, whatever stands in the others. The evidence is the value's bits, less *k* · *b* for what
//! may differ, log₂ C(*n*, *k*) for where, and log₂ of the places that were compared: of numbers the runs of letters and
//! digits that are long enough, of texts every character, in all pictures of the same bytes.
//!
//! That is against chance, and not against *neighbours*: a colleague's address and the next order's number agree with the
//! planted one in all but a character, and not by chance. Such bits count only where what was read is no neighbour: where
//! it fails the check digit that numbers of its kind have, or where all characters that differ are such as readers take
//! for one another. Otherwise it has [`NEIGHBOUR`] bits at most.

mod alike;
mod check;
mod number;
mod text;

use dyetrace_case::{Datum, DatumId};
use number::Number;
use std::ops::Range;
use text::Text;

/// Bits below which nothing is said, not even as a hint.
const LEAST: f64 = 10.0;

/// Most bits of what may as well be another value that is much like the planted one: what is least said. Three such in
/// one record do not bear each other out.
const NEIGHBOUR: f64 = LEAST;

/// How the forms of such sightings begin.
pub(crate) const AS_READ: &str = "as read in the picture";

/// A planted value as it is looked for in pictures.
pub(crate) struct Sought {
    pub(crate) datum: DatumId,
    shape: Shape,
    /// Bits against chance of the whole of it.
    bits: f64,
}

enum Shape {
    Number(Number),
    Text(Text),
}

/// How much text was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Runs of letters and digits that are long enough for a number.
    runs: u64,
    /// Characters without spaces.
    characters: u64,
}

/// A planted value in a line, character by character or nearly so.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Misread {
    /// Bytes of the line.
    pub(crate) range: Range<usize>,
    /// Characters that differ.
    pub(crate) differ: usize,
    /// Of so many.
    of: usize,
    /// What was read fails the check digit that what was planted passes.
    is_checked: bool,
    /// Another value may stand there that is much like the planted one.
    is_neighbour: bool,
    /// Bits against chance, as far as they count.
    pub(crate) bits: f64,
}

impl Sought {
    /// Absent where the planted value is no text of one line, or too short.
    pub(crate) fn of(datum: &Datum) -> Option<Self> {
        let value = std::str::from_utf8(datum.value.reveal()).ok()?;
        let (shape, modelled) = if let Some(number) = Number::of(value, &datum.kind) {
            let bits = number.bits();
            (Shape::Number(number), bits)
        } else {
            let text = Text::of(value)?;
            let bits = text.bits();
            (Shape::Text(text), bits)
        };
        let bits = datum.bits.map_or(modelled, |minted| modelled.min(f64::from(minted)));
        Some(Self { datum: datum.id.clone(), shape, bits })
    }

    /// The likeliest place in a line. `amount` is how much was read with it.
    pub(crate) fn in_line(&self, line: &str, amount: Amount) -> Option<Misread> {
        let found = match &self.shape {
            Shape::Number(number) => number.in_line(line),
            Shape::Text(text) => text.in_line(line),
        }?;
        let places = match &self.shape {
            Shape::Number(_) => amount.runs,
            Shape::Text(_) => amount.characters,
        };
        let bits = self.bits - found.lost - chosen(found.of, found.differ).log2() - (places.max(1) as f64).log2();
        let Found { range, differ, of, is_checked, is_neighbour, .. } = found;
        let counted = if is_neighbour { bits.min(NEIGHBOUR) } else { bits };
        (bits >= LEAST).then_some(Misread { range, differ, of, is_checked, is_neighbour, bits: counted })
    }
}

/// A value in a line, before its places are counted.
struct Found {
    range: Range<usize>,
    differ: usize,
    of: usize,
    is_checked: bool,
    is_neighbour: bool,
    /// Bits of the characters that differ.
    lost: f64,
}

impl Amount {
    /// Of one line.
    pub(crate) fn of(line: &str) -> Self {
        Self { runs: number::runs(line).len() as u64, characters: text::length(line) as u64 }
    }

    /// Of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { runs: self.runs + other.runs, characters: self.characters + other.characters }
    }
}

impl Misread {
    /// The form of the sighting.
    pub(crate) fn in_words(&self) -> String {
        let Self { differ, of, is_checked, is_neighbour, .. } = self;
        let why = match (is_checked, is_neighbour) {
            (true, _) => ", and what was read fails its check digit",
            (false, true) => ", as in another value that is much like it",
            (false, false) => ", which readers take for one another",
        };
        match differ {
            0 => AS_READ.to_owned(),
            _ => format!("{AS_READ}, {differ} of {of} characters different{why}"),
        }
    }
}

/// Ways to choose so many of so many.
fn chosen(of: usize, differ: usize) -> f64 {
    (0..differ.min(of)).map(|at| (of - at) as f64 / (at + 1) as f64).product()
}

#[cfg(test)]
pub(super) fn sought(kind: &str, value: &str) -> Option<Sought> {
    let mut subject = dyetrace_case::Subject::default();
    subject.add(kind.parse().ok()?, dyetrace_case::Secret::new(value));
    Sought::of(&subject.data[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: Amount = Amount { runs: 1, characters: 1 };

    #[test]
    fn more_text_and_more_differences_leave_fewer_bits() {
        let phone = sought("phone", "13800000427").unwrap();
        let found = |line, runs| phone.in_line(line, Amount { runs, ..ONE }).unwrap();
        let (right, wrong) = (found("13800000427", 1), found("1380000O427", 1));
        assert!((right.bits - 11.0 * 10_f64.log2()).abs() < 1e-9);
        assert!((right.bits - wrong.bits - 10_f64.log2() - 11_f64.log2()).abs() < 1e-9);
        assert!((right.bits - found("13800000427", 8).bits - 3.0).abs() < 1e-9);
        assert!(right.bits < dyetrace_case::Sighting::SOLID, "a hint without a witness");
    }

    /// The bits of a value where a line is all that was read.
    fn bits(kind: &str, planted: &str, line: &str) -> f64 {
        sought(kind, planted).unwrap().in_line(line, Amount::of(line)).unwrap().bits
    }

    #[test]
    fn a_colleagues_address_and_the_next_orders_number_are_no_sightings() {
        let neighbours = [
            ("email", "zhang.wei@bigcorp.example", "zhang.lei@bigcorp.example"),
            ("email", "zhang.wei@bigcorp.example", "From: zhang.wen@bigcorp.example"),
            ("order", "20260101000000012345", "20260101000000012346"),
            ("order", "202601010000001236", "Order 2026-0101-0000-001237"),
            // By accident it passes Luhn's check, which order numbers do not have, and its neighbour does not.
            ("order", "2026010112345678", "2026010112345679"),
            // The check digit is wrong: numbers like it need not have one.
            ("id.cn", "99010119900230014X", "99010119900230004X"),
            ("address", "江海市东山区和平路江海大厦2幢2012号", "江海市东山区和平路江海大厦2幢2013号"),
        ];
        for (kind, planted, read) in neighbours {
            assert!(bits(kind, planted, planted) >= dyetrace_case::Sighting::SOLID, "{planted}");
            let found = bits(kind, planted, read);
            assert!((found - NEIGHBOUR).abs() < 1e-9, "{read}: {found}");
        }
    }

    #[test]
    fn what_readers_take_for_one_another_counts_in_full() {
        let misread = [
            ("email", "zhang.wei@bigcorp.example", "zhang.weI@bigcorp.exampIe"),
            ("order", "20260101000000012345", "20260101OOOO00012345"),
            ("order", "20260101000000012345", "2026010100000O012E45"),
        ];
        let found = misread.map(|(kind, planted, read)| {
            let line = sought(kind, planted).unwrap().in_line(read, Amount::of(read));
            line.map(|found| (found.differ, found.is_neighbour, found.bits > dyetrace_case::Sighting::SOLID))
        });
        // A capital I is the small i of the planted address, and no l of it; four letters are too many; an E is like no digit.
        assert_eq!(found, [Some((1, false, true)), None, Some((2, true, false))]);
    }

    #[test]
    fn bits_that_were_minted_are_the_most_there_are() {
        let mut subject = dyetrace_case::Subject::default();
        subject.add("id.cn".parse().unwrap(), dyetrace_case::Secret::new("11010519491231002X"));
        subject.data[0].bits = Some(30);
        let id = Sought::of(&subject.data[0]).unwrap();
        assert!((id.in_line("11010519491231002X", ONE).unwrap().bits - 30.0).abs() < 1e-9);
    }

    #[test]
    fn the_bound_on_chance_holds_where_all_numbers_can_be_tried() {
        for (of, differ) in [(4_u32, 0_usize), (4, 1), (4, 2), (5, 1), (5, 2)] {
            let all = 10_u32.pow(of);
            let digits = |number: u32| (0..of).map(move |at| number / 10_u32.pow(at) % 10);
            let near = |number: &u32| digits(*number).zip(digits(1234)).filter(|(a, b)| a != b).count() <= differ;
            let chance = f64::from((0..all).filter(near).count() as u32) / f64::from(all);
            let lost = differ as f64 * 10_f64.log2() + chosen(of as usize, differ).log2();
            let bits = f64::from(of) * 10_f64.log2() - lost;
            assert!(chance <= (-bits).exp2() * (1.0 + 1e-9), "{of} {differ}: {chance}");
        }
    }

    proptest! {
        /// Whatever characters a reader puts in the places of others, the value is found where few enough differ, with
        /// fewer bits for each, and never as something it is not.
        #[test]
        fn misread_numbers_are_found_as_far_as_they_agree(
            digits in "[1-9][0-9]{16}",
            wrong in proptest::collection::btree_map(0..17_usize, "[0-9OolISBZg]", 0..4),
            runs in 1..1000_u64,
        ) {
            let planted = sought("iban", &digits).unwrap();
            let mut read: Vec<String> = digits.chars().map(String::from).collect();
            for (at, letter) in &wrong {
                read[*at].clone_from(letter);
            }
            let read = read.concat();
            let differ = read.bytes().zip(digits.bytes()).filter(|(a, b)| a != b).count();
            let found = planted.in_line(&format!("编号：{read}。"), Amount { runs, characters: 0 });
            if differ > 2 {
                prop_assert!(found.is_none());
            } else if let Some(found) = found {
                let bits = (17.0 - differ as f64) * 10_f64.log2() - chosen(17, differ).log2() - (runs as f64).log2();
                let pairs = || read.chars().zip(digits.chars()).filter(|(a, b)| a != b);
                let counted = if pairs().all(|(a, b)| alike::alike(a, b)) { bits } else { NEIGHBOUR };
                prop_assert_eq!(found.differ, differ);
                prop_assert!((found.bits - counted).abs() < 1e-9);
                prop_assert_eq!(&format!("编号：{read}。")[found.range], &read);
            } else {
                // Luhn's check holds for one number in ten: what passes it too is another number.
                let check = check::Check::of(digits.as_bytes());
                prop_assert!(differ > 0 && check.is_some_and(|check| check.holds(read.as_bytes())), "{} {}", digits, read);
            }
        }

        #[test]
        fn no_line_makes_it_panic(line in ".{0,80}", value in "\\PC{0,30}") {
            if let Some(planted) = sought("x", &value)
                && let Some(found) = planted.in_line(&line, Amount::of(&line))
            {
                prop_assert!(line.get(found.range).is_some());
            }
        }
    }
}
