//! Names of accounts in lists without headers: nothing in one of them tells it from another word, a column of them does.

use super::Kind;
use super::person::is_username;
use std::collections::HashSet;

/// Fewer values say nothing of a column.
const FEWEST: usize = 16;
/// The longest name, in bytes.
const LONGEST: usize = 32;

/// The column of names among columns of a table without headers, which have been typed by their values: the first text
/// that looks like it, where there is also a password and an address or number it is of. `values` gives a column's.
pub(crate) fn column_of_names<'v>(kinds: &[Kind], values: impl Fn(usize) -> Vec<&'v [u8]>) -> Option<usize> {
    let has = |wanted: &[Kind]| kinds.iter().any(|kind| wanted.contains(kind));
    if !has(&[Kind::Email, Kind::Phone]) || !has(&[Kind::Password, Kind::PasswordHash]) {
        return None;
    }
    let texts = kinds.iter().enumerate().filter(|(_, kind)| **kind == Kind::Text);
    texts.map(|(column, _)| column).find(|column| are_names(&values(*column)))
}

/// Short words without blanks, nearly all different. What is all of one length is a salt or a token, and what is mostly
/// digits numbers things.
fn are_names(values: &[&[u8]]) -> bool {
    let share = |holds: &dyn Fn(&[u8]) -> bool| values.iter().filter(|value| holds(value)).count() * 100 / values.len();
    if values.len() < FEWEST {
        return false;
    }
    let different = values.iter().collect::<HashSet<_>>().len();
    let mut lengths: Vec<usize> = values.iter().map(|value| value.len()).collect();
    lengths.sort_unstable();
    let alike = lengths.chunk_by(|one, other| one == other).map(<[usize]>::len).max().unwrap_or(0);
    different * 100 >= values.len() * 85
        && alike * 100 < values.len() * 95
        && share(&is_word) >= 95
        && (share(&is_numbered) < 50 || have_many_beginnings(values))
}

/// Numbered things begin alike; people who add digits to their name do not.
fn have_many_beginnings(values: &[&[u8]]) -> bool {
    let letters = |value: &&[u8]| value.iter().take_while(|byte| !byte.is_ascii_digit()).count();
    let mut beginnings: Vec<&[u8]> = values.iter().filter_map(|value| value.get(..letters(value))).collect();
    beginnings.sort_unstable();
    let most = beginnings.chunk_by(|one, other| one == other).map(<[&[u8]]>::len).max().unwrap_or(0);
    most * 5 < values.len()
}

fn is_word(value: &[u8]) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '@');
    value.len() <= LONGEST
        && is_username(value)
        && core::str::from_utf8(value).is_ok_and(|text| text.chars().all(is_part))
}

/// Eight digits or more, and hardly anything else: `SN2014010200417`.
fn is_numbered(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits >= 8 && digits * 3 >= value.len() * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kinds: &[Kind], values: &[String]) -> Option<usize> {
        column_of_names(kinds, |_| values.iter().map(String::as_bytes).collect())
    }

    const LIST: [Kind; 3] = [Kind::Text, Kind::PasswordHash, Kind::Email];

    fn made(one: impl Fn(u64) -> String) -> Vec<String> {
        (0..300).map(one).collect()
    }

    #[test]
    fn names_beside_a_password_and_an_address_are_those_of_accounts() {
        let stems = ["li", "wang.wei", "小雨", "Dragon_", "xx-", "陈"];
        let names = made(|n| format!("{}{}", stems[(n % 6) as usize], n * 37 % 10_000));
        assert_eq!(found(&LIST, &names), Some(0));
        assert_eq!(found(&[Kind::Phone, Kind::Password, Kind::Text], &names), Some(2));
        assert_eq!(found(&[Kind::Text, Kind::Email], &names), None, "no password");
        assert_eq!(found(&[Kind::Text, Kind::Password], &names), None, "nobody's");
        assert_eq!(found(&LIST, &names[..10]), None, "too few");
    }

    #[test]
    fn names_that_end_in_many_digits_were_taken_for_numbers_of_things() {
        let stems = ["hao", "ming", "jing", "xiaoli", "wei", "zhang.q"];
        let names = made(|n| format!("{}{}", stems[(n % 6) as usize], 137_986_596 + n * 77_777));
        assert_eq!(found(&LIST, &names), Some(0));
    }

    #[test]
    fn other_texts_of_a_list_are_no_names() {
        let texts = [
            made(|n| format!("likes number {n} and blue")),
            made(|n| format!("今天，天气很好{n}。")),
            made(|n| format!("SN{:014}", 20_140_102_000_000 + n * 7919)),
            made(|n| format!("A{}", 10u64.pow(8 + (n % 4) as u32) + n)),
            made(|n| ["Shenzhen", "Guangzhou", "Beijing", "Wuhan"][(n % 4) as usize].to_owned()),
            made(|n| format!("{:06x}", n * 54_321 % (1 << 24))),
            made(|n| format!("/images/{n}.jpg?x=1")),
            made(|n| "long".repeat(9 + (n % 3) as usize) + &n.to_string()),
        ];
        for text in texts {
            assert_eq!(found(&LIST, &text), None, "{}", text[7]);
        }
    }
}
