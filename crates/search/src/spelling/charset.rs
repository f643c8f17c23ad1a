//! Values in other character sets. The value is encoded, because decoding all traffic in every
//! character set would cost more and find the same.

use super::list::{List, Spelling};
use dyetrace_case::Strength;

/// So many of the most usual spellings are encoded in UTF-16 too.
const IN_UTF_16: usize = 8;

/// So many in all others.
const IN_OTHERS: usize = 2;

/// Shorter texts in UTF-16 and UTF-32 would be compared with whole fields, and fields are not in
/// these character sets where their document is not.
const SHORTEST: usize = 6;

/// All character sets, for the first spellings that determine the value and are text.
pub(super) fn push(list: &mut List) {
    let texts: Vec<Spelling> =
        list.all.iter().filter(|one| one.strength == Strength::Exact && !one.binary).take(IN_UTF_16).cloned().collect();
    for (number, spelling) in texts.iter().enumerate() {
        let Some(text) = spelling.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()) else { continue };
        if text.len() >= SHORTEST {
            encode(spelling, "UTF-16LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect(), list);
            encode(spelling, "UTF-16BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect(), list);
        }
        if number >= IN_OTHERS {
            continue;
        }
        if number == 0 && text.len() >= SHORTEST {
            encode(spelling, "UTF-32LE", text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(), list);
            encode(spelling, "UTF-32BE", text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(), list);
        }
        if !text.is_ascii() {
            beyond_ascii(spelling, text, list);
        }
    }
}

fn beyond_ascii(spelling: &Spelling, text: &str, list: &mut List) {
    let sets =
        [encoding_rs::GBK, encoding_rs::GB18030, encoding_rs::BIG5, encoding_rs::SHIFT_JIS, encoding_rs::WINDOWS_1252];
    for set in sets {
        let (bytes, _, lossy) = set.encode(text);
        if !lossy {
            encode(spelling, set.name(), bytes.into_owned(), list);
        }
    }
    encode(spelling, "UTF-7", utf7(text).into_bytes(), list);
}

fn encode(of: &Spelling, set: &str, bytes: Vec<u8>, list: &mut List) {
    let bits = of.bits(None);
    let spelling =
        Spelling::text(format!("{}, {set}", of.form), bytes).any_case(of.any_case && set.starts_with("UTF-"));
    let case_matters = set == "UTF-7";
    list.insert(Spelling { binary: true, any_case: spelling.any_case && !case_matters, ..spelling.carrying(bits) });
}

/// RFC 2152: characters of set D and spaces as they are, everything else as UTF-16BE in base64
/// between `+` and `-`.
fn utf7(text: &str) -> String {
    let direct = |c: char| c.is_ascii_alphanumeric() || "'(),-./:? \t\r\n".contains(c);
    let mut coded = String::new();
    let mut run: Vec<u8> = Vec::new();
    for c in text.chars() {
        if direct(c) {
            close(&mut run, &mut coded);
            coded.push(c);
        } else {
            run.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    close(&mut run, &mut coded);
    coded
}

fn close(run: &mut Vec<u8>, coded: &mut String) {
    if run.is_empty() {
        return;
    }
    coded.push('+');
    if run.as_slice() != [0, b'+'] {
        coded.extend(crate::codec::base64::wrap(run, false, false).iter().map(|b| char::from(*b)));
    }
    coded.push('-');
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 2152.
    #[test]
    fn utf_7() {
        assert_eq!(utf7("Hi Mom -\u{263A}-!"), "Hi Mom -+Jjo--+ACE-");
        assert_eq!(utf7("\u{65E5}\u{672C}\u{8A9E}"), "+ZeVnLIqe-");
        assert_eq!(utf7("1 + 1"), "1 +- 1");
    }
}
