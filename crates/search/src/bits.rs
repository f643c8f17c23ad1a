//! Bits of evidence: −log2 of the chance that what was seen is an accident.
//!
//! A value of *v* bits, looked for in *f* forms at *n* places, is met by chance with probability
//! of about *n · f* / 2^v as long as that is small, so the evidence is *v* − log2(*n*) − log2(*f*),
//! never under 0. For text, the places are all bytes searched in the record, decoded ones
//! included; for values compared with whole fields, the fields; for digests, the runs looked up.
//!
//! *v* is the length times the bits of one character of the value's alphabet, and no more than the
//! bits the value was minted with. That takes the bytes around it for random, which traffic is
//! not: decoys measure what this model only assumes.

/// Bits of one character, by what the text is made of.
fn per_character(bytes: &[u8]) -> f64 {
    let all = |class: fn(&u8) -> bool| bytes.iter().all(class);
    let symbols: f64 = if all(u8::is_ascii_digit) {
        10.0
    } else if all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b' ' | b',')) {
        // Punctuation between digits is where it must be and carries nothing.
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
        return 10f64.log2() * digits as f64 / bytes.len().max(1) as f64;
    } else if all(u8::is_ascii_hexdigit) {
        16.0
    } else if all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase) {
        26.0
    } else if all(u8::is_ascii_alphanumeric) {
        62.0
    } else if all(|b| (b' '..=b'~').contains(b)) {
        64.0
    } else {
        // Raw bytes and text beyond ASCII, half of which is the same in every character.
        16.0
    };
    symbols.log2()
}

/// Bits of a value, at most those it was minted with.
pub(crate) fn of_value(bytes: &[u8], minted: Option<u32>) -> f64 {
    let modelled = per_character(bytes) * bytes.len() as f64;
    minted.map_or(modelled, |minted| modelled.min(f64::from(minted)))
}

/// Bits left after looking in so many places for so many forms.
pub(crate) fn left(value: f64, places: u64, forms: usize) -> f64 {
    (value - (places.max(1) as f64).log2() - (forms.max(1) as f64).log2()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_searching_leaves_less() {
        let phone = of_value(b"13800000427", None);
        assert!((phone - 36.5).abs() < 0.1);
        assert!((left(phone, 1024, 16) - (phone - 14.0)).abs() < 1e-9);
        assert!(left(phone, 1 << 60, 16).abs() < 1e-9);
        assert!((of_value(b"a long planted password", Some(64)) - 64.0).abs() < 1e-9);
        assert!((of_value(b"138-0000-0427", None) - phone).abs() < 1e-9);
    }
}
