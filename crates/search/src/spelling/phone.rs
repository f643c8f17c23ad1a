//! Telephone numbers.

use super::list::List;
use super::mask::{self, Joined};
use super::number::{eight_bytes, grouped, integer, number, packed};

/// Numbers of mainland China (11 digits beginning with 1) in every usual dress; others by ITU-T
/// E.164.
pub(super) fn push(text: &str, list: &mut List) {
    let Some(all) = number(text) else { return };
    let international = text.trim_start_matches('(').starts_with('+') || all.starts_with("00");
    let all = all.strip_prefix("00").unwrap_or(&all);
    let chinese_form = all.strip_prefix("86").filter(|rest| rest.len() == 11);
    // +1 of North America has 11 digits too: a number with another country code is not Chinese.
    match chinese_form.or((!international).then_some(all)).filter(|national| is_chinese_mobile(national)) {
        Some(national) => chinese(national, list),
        None => foreign(all, international, list),
    }
}

/// Mobile numbers of mainland China: 1, then 3 to 9.
pub(crate) fn is_chinese_mobile(national: &str) -> bool {
    national.len() == 11 && national.starts_with('1') && national[1..].starts_with(|c| c >= '3')
}

fn chinese(national: &str, list: &mut List) {
    list.push("national number", national);
    for (form, prefix) in [("with +86", "+86"), ("with 86", "86"), ("with 0086", "0086"), ("with 0", "0")] {
        list.push(form, format!("{prefix}{national}"));
    }
    for (form, gap) in [("spaces", " "), ("dashes", "-"), ("dots", ".")] {
        let groups = grouped(national, &[3, 4, 4], gap);
        list.push(&format!("with {form}"), &groups);
        list.push(&format!("with +86 and {form}"), format!("+86{gap}{groups}"));
        list.push(&format!("with +86 and one of {form}"), format!("+86{gap}{national}"));
    }
    for (form, sizes) in [("in groups of 3, 3 and 5", [3, 3, 5]), ("in groups of 4, 4 and 3", [4, 4, 3])] {
        list.push(form, grouped(national, &sizes, " "));
        list.push(form, grouped(national, &sizes, "-"));
    }
    list.push("with parentheses", format!("({}) {}", &national[..3], grouped(&national[3..], &[4, 4], "-")));
    list.push("with (+86)", format!("(+86){national}"));
    list.push("with (+86)", format!("(+86) {national}"));
    list.push("with 86-", format!("86-{national}"));
    list.push("tel URI", format!("tel:+86{national}"));
    list.push("full-width digits", full_width(national));
    let with_country = format!("86{national}");
    machine(national, &with_country, list);
    mask::push(national, 3, 4, Joined::Closely, list);
    mask::push(national, 3, 4, Joined::BySpaces, list);
    mask::push(national, 7, 0, Joined::Closely, list);
}

fn machine(national: &str, international: &str, list: &mut List) {
    for (form, digits) in [("national number", national), ("with country code", international)] {
        integer(&format!("{form}, integer"), digits, list);
        eight_bytes(form, digits, list);
        packed(form, digits, list);
    }
}

/// E.164 section 6: country code of one to three digits, then the national number. Without `+` or
/// `00` the number is taken for a national one.
fn foreign(all: &str, international: bool, list: &mut List) {
    list.push("digits only", all);
    list.push("with +", format!("+{all}"));
    let (country, national) = if international { all.split_at(country_code(all)) } else { ("", all) };
    let national = if international { national } else { national.trim_start_matches('0') };
    if international {
        list.push("with 00", format!("00{all}"));
        list.push("tel URI", format!("tel:+{all}"));
        list.push("with + and one space", format!("+{country} {national}"));
    }
    if national.len() >= 7 {
        list.push("national number", national);
        list.push("with 0", format!("0{national}"));
        machine(national, all, list);
    }
    for (place, sizes) in usual_groups(national.len()).iter().enumerate() {
        list.push("with spaces", grouped(national, sizes, " "));
        list.push("with dashes", grouped(national, sizes, "-"));
        if place == 0 {
            most_usual(country, national, sizes, list);
        }
    }
    list.push("full-width digits", full_width(all));
    mask::push(all, all.len().saturating_sub(8).max(3), 4, Joined::Closely, list);
    mask::push(national, 3, 4, Joined::Closely, list);
}

/// Further dresses of the division that is most usual for numbers of that length.
fn most_usual(country: &str, national: &str, sizes: &[usize], list: &mut List) {
    list.push("with dots", grouped(national, sizes, "."));
    if !country.is_empty() {
        list.push("with + and spaces", format!("+{country} {}", grouped(national, sizes, " ")));
    }
    if let ([3, 3, 4], Some((area, rest))) = (sizes, national.split_at_checked(3)) {
        list.push("with parentheses", format!("({area}) {}", grouped(rest, &[3, 4], "-")));
        list.push("with parentheses", format!("({area}){}", grouped(rest, &[3, 4], "-")));
    }
}

/// How national numbers of that length are divided by libphonenumber, most usual first. It mixes
/// dashes and spaces in one number rarely.
fn usual_groups(length: usize) -> &'static [&'static [usize]] {
    match length {
        6 => &[&[2, 2, 2], &[3, 3], &[2, 4]],
        7 => &[&[3, 4], &[3, 2, 2], &[2, 2, 3], &[2, 5], &[1, 3, 3]],
        8 => &[&[4, 4], &[2, 3, 3], &[2, 2, 2, 2], &[3, 5], &[2, 6], &[3, 3, 2], &[1, 7], &[1, 3, 4], &[3, 2, 3]],
        9 => &[
            &[3, 3, 3],
            &[2, 3, 4],
            &[3, 2, 2, 2],
            &[2, 7],
            &[3, 6],
            &[1, 2, 2, 2, 2],
            &[2, 3, 2, 2],
            &[1, 4, 4],
            &[4, 5],
        ],
        10 => {
            &[&[3, 3, 4], &[2, 4, 4], &[3, 3, 2, 2], &[5, 5], &[3, 7], &[4, 6], &[4, 3, 3], &[3, 4, 3], &[1, 3, 3, 3]]
        }
        11 => &[&[3, 4, 4], &[2, 5, 4], &[4, 3, 4], &[3, 8], &[4, 7]],
        _ => &[],
    }
}

/// Length of the country code (list of ITU-T E.164 assigned country codes): one digit for the
/// zones 1 and 7, two for the codes named here, three for all others.
pub(crate) fn country_code(digits: &str) -> usize {
    const OF_TWO: [&str; 43] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95",
    ];
    let length = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [a, b, ..] if OF_TWO.iter().any(|code| code.as_bytes() == [*a, *b]) || [*a, *b] == *b"98" => 2,
        _ => 3,
    };
    length.min(digits.len())
}

/// The digits of U+FF10 to U+FF19.
fn full_width(digits: &str) -> String {
    digits.chars().filter_map(|c| char::from_u32(u32::from(c) - 0x30 + 0xFF10)).collect()
}
