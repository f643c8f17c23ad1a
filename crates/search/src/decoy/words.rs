//! Decoys of names, passwords and everything without a format of its own.

use super::source::Source;

const VOWELS: &[u8] = b"aeiou";
const CONSONANTS: &[u8] = b"bcdfghjklmnpqrstvwxyz";

/// Common surnames and given names of mainland China (name reports of the Ministry of Public
/// Security), one character each.
const SURNAMES: &str =
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅鹏飞建国文辉力健永林志海波宁福生龙元全胜学祥才发武新利清彬富顺信子豪宇浩轩梓涵欣怡雨晨思佳博雅琪瑶婷雪慧莹";

/// Character by character within its class; a number that does not start with 0 still does not.
pub(super) fn by_class(text: &str, source: &mut Source) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let leads = !before.is_ascii_digit();
            before = c;
            alike(c, leads, source)
        })
        .collect()
}

fn alike(c: char, leads: bool, source: &mut Source) -> char {
    match c {
        '0'..='9' => source.digit(leads, c),
        'a'..='z' => within('a', 'z', source),
        'A'..='Z' => within('A', 'Z', source),
        'ぁ'..='ん' => within('ぁ', 'ん', source),
        'ァ'..='ン' => within('ァ', 'ン', source),
        '가'..='힣' => within('가', '힣', source),
        'а'..='я' => within('а', 'я', source),
        'А'..='Я' => within('А', 'Я', source),
        '\u{4E00}'..='\u{9FFF}' => character_of(GIVEN, c, source),
        '\u{1F600}'..='\u{1F64F}' => within('\u{1F600}', '\u{1F64F}', source),
        _ => c,
    }
}

fn within(low: char, high: char, source: &mut Source) -> char {
    let drawn = source.between(i64::from(u32::from(low)), i64::from(u32::from(high)));
    u32::try_from(drawn).ok().and_then(char::from_u32).unwrap_or(low)
}

fn character_of(list: &str, instead_of: char, source: &mut Source) -> char {
    let place = source.below(list.chars().count());
    list.chars().nth(place).unwrap_or(instead_of)
}

/// A name of the same length: vowels for vowels, consonants for consonants, a surname for a
/// surname.
pub(super) fn name(text: &str, source: &mut Source) -> String {
    text.chars()
        .enumerate()
        .map(|(place, c)| match c {
            '\u{4E00}'..='\u{9FFF}' if place == 0 => character_of(SURNAMES, c, source),
            c if c.is_ascii_alphabetic() => letter(c, source),
            c => alike(c, true, source),
        })
        .collect()
}

fn letter(c: char, source: &mut Source) -> char {
    let small = c.to_ascii_lowercase();
    let alphabet = if VOWELS.iter().any(|vowel| char::from(*vowel) == small) { VOWELS } else { CONSONANTS };
    let drawn = source.one_of(alphabet).map_or(c, char::from);
    if c.is_ascii_uppercase() { drawn.to_ascii_uppercase() } else { drawn }
}
