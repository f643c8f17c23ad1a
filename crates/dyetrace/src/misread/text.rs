//! Texts, such as names, addresses and amounts: characters in a row, without spaces, full-width letters as ordinary ones.

use super::Found;
use super::alike::alike;
use std::ops::Range;

/// Shortest text in which one character may differ, and in which two may.
const ONE_DIFFERS: usize = 8;
const TWO_DIFFER: usize = 16;
/// Shortest text of all, and of one that is nothing but ASCII.
const SHORTEST: usize = 2;
const SHORTEST_ASCII: usize = 4;
/// Longest text that a line may hold.
const LONGEST: usize = 200;
/// Bits of a character beyond ASCII: the commonest 256 of Chinese are half of what is written.
const BITS_BEYOND_ASCII: f64 = 8.0;

/// A planted text.
pub(super) struct Text {
    characters: Vec<char>,
}

impl Text {
    /// Absent where the value is too short, too long or has several lines.
    pub(super) fn of(value: &str) -> Option<Self> {
        let characters: Vec<char> = plain(value).into_iter().map(|(character, _)| character).collect();
        let shortest = if characters.iter().all(char::is_ascii) { SHORTEST_ASCII } else { SHORTEST };
        let fits = (shortest..=LONGEST).contains(&characters.len()) && !value.contains(['\n', '\r']);
        fits.then_some(Self { characters })
    }

    /// Bits of all its characters.
    pub(super) fn bits(&self) -> f64 {
        self.characters.iter().map(|character| bits(*character)).sum()
    }

    /// The place that differs least.
    pub(super) fn in_line(&self, line: &str) -> Option<Found> {
        let read = plain(line);
        let of = self.characters.len();
        let places = read.windows(of).enumerate();
        let found = places.filter_map(|(at, window)| {
            let stands_alone = |before: Option<&(char, Range<usize>)>, inner: Option<&(char, Range<usize>)>| {
                !joins(before.map(|one| one.0), inner.map(|one| one.0))
            };
            let before = at.checked_sub(1).and_then(|at| read.get(at));
            let is_whole = stands_alone(before, window.first()) && stands_alone(window.last(), read.get(at + of));
            if is_whole { self.compared(window) } else { None }
        });
        found.min_by_key(|found| (found.differ, found.is_neighbour))
    }

    fn compared(&self, window: &[(char, Range<usize>)]) -> Option<Found> {
        let of = self.characters.len();
        let most = usize::from(of >= ONE_DIFFERS) + usize::from(of >= TWO_DIFFER);
        let differing = || self.characters.iter().zip(window).filter(|(a, (b, _))| *a != b);
        let differ = differing().take(most + 1).count();
        if differ > most {
            return None;
        }
        let range = window.first()?.1.start..window.last()?.1.end;
        let lost = differing().map(|(character, _)| bits(*character)).sum();
        let is_neighbour = differing().any(|(planted, (read, _))| !alike(*planted, *read));
        Some(Found { range, differ, of, is_checked: false, is_neighbour, lost })
    }
}

/// Characters that are compared.
pub(super) fn length(line: &str) -> usize {
    line.chars().filter(|character| !character.is_whitespace()).count()
}

/// The characters with their bytes, without spaces and without the commas of thousands, in small letters of ordinary
/// width.
fn plain(text: &str) -> Vec<(char, Range<usize>)> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let is_left_out = |at: usize, character: char| {
        character.is_whitespace() || (character == ',' && is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
    };
    let all = text.char_indices().filter(|(at, character)| !is_left_out(*at, *character));
    all.map(|(at, character)| (of_ordinary_width(character).to_ascii_lowercase(), at..at + character.len_utf8()))
        .collect()
}

/// Unicode's full-width forms, U+FF01 to U+FF5E, and the yen sign of either currency.
fn of_ordinary_width(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character),
        '￥' => '¥',
        _ => character,
    }
}

/// True where two characters are of one word or number, so that a text cannot end between them.
fn joins(one: Option<char>, other: Option<char>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let both = |is: fn(&char) -> bool| is(&one) && is(&other);
    both(char::is_ascii_digit) || both(char::is_ascii_alphabetic) || (one == '.' && other.is_ascii_digit())
}

/// Bits of one character of a kind.
fn bits(character: char) -> f64 {
    match character {
        '0'..='9' => 10_f64.log2(),
        'a'..='z' => 26_f64.log2(),
        // Punctuation is mostly where it must be.
        _ if character.is_ascii() => 1.0,
        _ => BITS_BEYOND_ASCII,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Amount, Misread, sought};

    fn found(value: &str, line: &str) -> Option<Misread> {
        sought("x", value)?.in_line(line, Amount::of(line))
    }

    #[test]
    fn names_are_found_character_by_character_only() {
        let name = found("张晓明", "姓 名：张 晓明").unwrap();
        assert_eq!((name.differ, &"姓 名：张 晓明"[name.range]), (0, "张 晓明"));
        assert!((name.bits - (24.0 - 6_f64.log2())).abs() < 1e-9);
        assert_eq!(found("张晓明", "姓名：张晓朋"), None);
    }

    #[test]
    fn longer_texts_may_differ_in_one_character() {
        let address = found("江海市东山区和平路12号", "住址 江海市东山区和乎路12号").unwrap();
        assert_eq!(
            (address.differ, address.in_words().as_str()),
            (1, "as read in the picture, 1 of 12 characters different, as in another value that is much like it")
        );
        let mail = found("lin.qing@example.org", "Mail: Iin.qing@examp1e.org").unwrap();
        assert_eq!(
            (mail.differ, mail.in_words().as_str()),
            (2, "as read in the picture, 2 of 20 characters different, which readers take for one another")
        );
        assert!(mail.bits > 40.0);
    }

    #[test]
    fn amounts_are_found_with_and_without_commas_but_not_inside_others() {
        let amount = found("12,345.67", "¥12345.67").unwrap();
        assert_eq!(amount.differ, 0);
        assert_eq!(found("12345.67", "余额￥１2,345.67 元").unwrap().differ, 0, "one digit is of full width");
        for other in ["¥912,345.67", "¥12,345.678", "¥12,345.6"] {
            assert!(found("12,345.67", other).is_none_or(|found| found.differ > 0), "{other}");
        }
    }

    #[test]
    fn what_says_too_little_is_not_said() {
        assert!(sought("pin", "123").is_none());
        assert_eq!(found("4711", "4711 and so much other text that four digits say nothing"), None);
    }
}
