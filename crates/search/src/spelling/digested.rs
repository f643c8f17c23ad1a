//! Which spellings are worth a digest.

use super::list::Spelling;
use dyetrace_case::Strength;
use std::collections::HashSet;

/// Digests of one value. What occurs is digests of the value as typed, in one case, and without
/// its dress; further spellings would only cost bits of every sighting.
const MOST: usize = 14;

/// What is digested, once each, most usual first: as typed, lower and upper case, digits only, the
/// spellings that are text and determine the value, and as typed in UTF-16LE and GBK, which Windows and older
/// Chinese software digest.
/// The name goes behind `sha256 of`.
pub(crate) fn digested(spellings: &[Spelling]) -> Vec<(String, Vec<u8>)> {
    let mut all = Chosen::default();
    let texts = || spellings.iter().filter(|one| one.strength == Strength::Exact && !one.binary);
    if let Some((typed, bytes)) = texts().find_map(|one| Some((one, one.bytes()?))) {
        all.push(typed.form.clone(), bytes.to_vec());
        all.cases(typed, bytes);
        let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_digit).collect();
        if digits.len() >= 6 && bytes.is_ascii() && !bytes.iter().any(u8::is_ascii_alphabetic) {
            all.push("digits only".to_owned(), digits);
        }
    }
    let charsets = ["as typed, UTF-16LE", "as typed, GBK"];
    for spelling in spellings.iter().filter(|one| charsets.contains(&one.form.as_str())) {
        all.push(spelling.form.clone(), spelling.bytes().unwrap_or_default().to_vec());
    }
    for spelling in texts() {
        let Some(bytes) = spelling.bytes() else { continue };
        all.push(spelling.form.clone(), bytes.to_vec());
        if spelling.any_case {
            all.cases(spelling, bytes);
        }
    }
    all.list
}

#[derive(Default)]
struct Chosen {
    list: Vec<(String, Vec<u8>)>,
    seen: HashSet<Vec<u8>>,
}

impl Chosen {
    fn push(&mut self, form: String, bytes: Vec<u8>) {
        if self.list.len() < MOST && self.seen.insert(bytes.clone()) {
            self.list.push((form, bytes));
        }
    }

    fn cases(&mut self, spelling: &Spelling, bytes: &[u8]) {
        let lower = std::str::from_utf8(bytes).map_or(bytes.to_ascii_lowercase(), |text| text.to_lowercase().into());
        let upper = std::str::from_utf8(bytes).map_or(bytes.to_ascii_uppercase(), |text| text.to_uppercase().into());
        self.push(cased(&spelling.form, "lower case"), lower);
        self.push(cased(&spelling.form, "upper case"), upper);
    }
}

fn cased(form: &str, case: &str) -> String {
    if form == "as typed" { case.to_owned() } else { format!("{form}, {case}") }
}
