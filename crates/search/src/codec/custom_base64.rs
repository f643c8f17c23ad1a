//! Base64 in an alphabet of the app's own, which the tester has read out of it.

use super::base64;
use super::table::About;
use crate::map::Map;
use dyetrace_case::NamedSecret;
use std::ops::Range;

/// The name in trails; the step's detail names the alphabet.
pub(crate) const NAME: &str = "base64 own alphabet";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "base64 in the tester's alphabet, padded or not; eight characters or more",
    place: "anywhere in text",
    exact: true,
    source: "the app, by way of `key_material`",
};

/// Shortest run that is decoded: six bytes.
const SHORTEST: usize = 8;
/// Not a character of the alphabet.
const NONE: u8 = 0xff;

/// One alphabet.
pub(crate) struct Alphabet {
    /// What the tester calls it.
    pub(crate) name: String,
    values: [u8; 256],
    padding: u8,
}

impl Alphabet {
    /// `None` where the alphabet does not have 64 different characters, with or without one for padding.
    pub(crate) fn new(alphabet: &NamedSecret) -> Option<Self> {
        let characters = alphabet.value.reveal();
        let (letters, padding) = match characters {
            [letters @ .., padding] if letters.len() == 64 => (letters, *padding),
            letters if letters.len() == 64 => (letters, b'='),
            _ => return None,
        };
        let mut values = [NONE; 256];
        for (value, letter) in (0..).zip(letters) {
            let place = &mut values[usize::from(*letter)];
            if *place != NONE {
                return None;
            }
            *place = value;
        }
        Some(Self { name: alphabet.name.clone(), values, padding })
    }

    /// Calls `visit` for each run of characters of the alphabet, without padding.
    pub(crate) fn runs(&self, bytes: &[u8], mut visit: impl FnMut(Range<usize>)) {
        let mut start = 0;
        for at in 0..=bytes.len() {
            if bytes.get(at).is_none_or(|byte| self.values[usize::from(*byte)] == NONE) {
                if at - start >= SHORTEST {
                    visit(start..at);
                }
                start = at + 1;
            }
        }
    }

    /// Six bits for each character; `None` where one is not of the alphabet.
    pub(crate) fn sextets(&self, run: &[u8]) -> Option<Vec<u8>> {
        run.iter().map(|byte| Some(self.values[usize::from(*byte)]).filter(|value| *value != NONE)).collect()
    }

    /// The text without padding.
    pub(crate) fn unpadded<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let padding = text.iter().rev().take(2).take_while(|byte| **byte == self.padding).count();
        &text[..text.len() - padding]
    }

    /// The end of the padding behind a run.
    pub(crate) fn padded_end(&self, bytes: &[u8], end: usize) -> usize {
        end + bytes[end..].iter().take(2).take_while(|byte| **byte == self.padding).count()
    }
}

/// From decoded offsets to offsets of characters.
pub(crate) fn map(start: usize) -> Map {
    base64::map(start, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::Secret;
    use proptest::prelude::*;

    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fn alphabet(letters: &[u8]) -> Option<Alphabet> {
        Alphabet::new(&NamedSecret { name: "own".to_owned(), value: Secret::new(letters) })
    }

    #[test]
    fn an_alphabet_has_64_different_characters() {
        assert!(alphabet(STANDARD).is_some());
        assert!(alphabet(&STANDARD[1..]).is_none() && alphabet(&[b'x'; 64]).is_none());
        assert_eq!(alphabet(&[&STANDARD[..], b"."].concat()).unwrap().padded_end(b"ab..", 2), 4);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap(bytes in proptest::collection::vec(any::<u8>(), 6..60), turned in 0..64usize) {
            let mut letters = *STANDARD;
            letters.rotate_left(turned);
            let own = alphabet(&letters).unwrap();
            let place = |letter: u8| STANDARD.iter().position(|other| *other == letter).unwrap();
            let text: Vec<u8> = base64::wrap(&bytes, false, false).iter().map(|letter| letters[place(*letter)]).collect();
            let mut runs = Vec::new();
            own.runs(&text, |run| runs.push(run));
            prop_assert_eq!((runs.len(), runs[0].clone()), (1, 0..text.len()));
            let mut decoded = Vec::new();
            base64::pack_into(&own.sextets(&text).unwrap(), &mut decoded);
            prop_assert_eq!(decoded, bytes);
        }
    }
}
