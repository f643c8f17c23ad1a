//! Positions on the globe in decimal degrees.

use super::{Checks, Pass};

/// A decimal number at the start of some text.
#[derive(Clone, Copy)]
struct Decimal {
    /// Bytes it takes.
    length: usize,
    /// Digits behind the point.
    decimals: usize,
    /// Degrees without sign.
    degrees: f64,
}

fn decimal(text: &[u8]) -> Option<Decimal> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let run =
        |from: usize| text.get(from..).unwrap_or_default().iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    let whole = run(sign);
    let point = sign + whole;
    let decimals = if text.get(point) == Some(&b'.') { run(point + 1) } else { 0 };
    let length = if decimals > 0 { point + 1 + decimals } else { point };
    let leading_zero = whole > 1 && text.get(sign) == Some(&b'0');
    if !(1..=3).contains(&whole) || leading_zero || decimals > 16 {
        return None;
    }
    let degrees = core::str::from_utf8(text.get(sign..length)?).ok()?.parse().ok()?;
    Some(Decimal { length, decimals, degrees })
}

/// A pair at the start of the text, latitude first or longitude first. Returns the bytes it takes
/// and the fewer of the two counts of decimals.
fn pair(text: &[u8]) -> Option<(usize, usize, f64)> {
    let first = decimal(text)?;
    let rest = text.get(first.length..)?;
    let separator = match rest {
        [b',' | b';', b' ', ..] => 2,
        [b',' | b';' | b' ', ..] => 1,
        _ => return None,
    };
    let second = decimal(rest.get(separator..)?)?;
    let on_globe = |latitude: Decimal, longitude: Decimal| latitude.degrees <= 90.0 && longitude.degrees <= 180.0;
    let plausible = on_globe(first, second) || on_globe(second, first);
    let length = first.length + separator + second.length;
    plausible.then(|| (length, first.decimals.min(second.decimals), first.degrees.max(second.degrees)))
}

/// A pair without a name, at that place: four decimals or more in both (11 m), one of them 2 degrees
/// or more (shares and colours lie between 0 and 1), and not part of a longer list of numbers.
/// Three signs in fixed places among thirteen.
pub(super) fn at(bytes: &[u8], digits: usize) -> Option<(usize, usize, Pass)> {
    let previous = |at: usize| at.checked_sub(1).and_then(|before| bytes.get(before)).copied();
    let start = if matches!(previous(digits), Some(b'-' | b'+')) { digits - 1 } else { digits };
    let glued = match previous(start) {
        Some(b' ') => matches!(start.checked_sub(2).and_then(|at| bytes.get(at)), Some(b',' | b';' | b'0'..=b'9')),
        Some(byte) => byte.is_ascii_alphanumeric() || matches!(byte, b',' | b';' | b'.'),
        None => false,
    };
    if glued {
        return None;
    }
    let (length, decimals, largest) = pair(bytes.get(start..)?)?;
    let after = bytes.get(start + length..)?;
    let goes_on = match after {
        [b',' | b';', b' ', next, ..] | [b',' | b';' | b'.' | b' ', next, ..] => {
            next.is_ascii_digit() || matches!(next, b'-' | b'+')
        }
        [next, ..] => next.is_ascii_alphanumeric(),
        [] => false,
    };
    let taken = decimals >= 4 && largest >= 2.0 && !goes_on;
    taken.then(|| (start, length, Pass::new("gps", Checks::default(), 11.0)))
}

/// The value of a field named as a position: a pair, also in brackets.
pub(super) fn named_pair(value: &[u8]) -> Option<Pass> {
    let inner = match value {
        [b'(', inner @ .., b')'] | [b'[', inner @ .., b']'] => inner,
        _ => value,
    };
    let (length, _, _) = pair(inner)?;
    (length == inner.len()).then(|| Pass::new("gps", Checks::default(), 7.4))
}

/// The value of a field named as one coordinate, with two decimals or more (1 km), up to so many
/// degrees. Nought is where no position is known.
pub(super) fn named_coordinate(value: &[u8], most: f64) -> Option<Pass> {
    let number = decimal(value)?;
    let taken = number.length == value.len() && number.decimals >= 2 && number.degrees <= most && number.degrees > 0.0;
    taken.then(|| Pass::new("gps", Checks::default(), 3.7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, digits: usize) -> Option<&str> {
        at(text.as_bytes(), digits).map(|(start, length, _)| &text[start..start + length])
    }

    #[test]
    fn pairs_with_enough_decimals() {
        assert_eq!(found("at 31.2304,121.4737 now", 3), Some("31.2304,121.4737"));
        assert_eq!(found("[-0.1278, 51.5074]", 2), Some("-0.1278, 51.5074"));
        for (text, digits) in [
            ("31.23,121.47", 0),
            ("0.1234,0.5678", 0),
            ("31.2304,121.4737,9.1234", 0),
            ("9.1234,31.2304,121.4737", 7),
            ("131.2304,191.4737", 0),
            ("31.2304,121.4737.1", 0),
        ] {
            assert_eq!(found(text, digits), None, "{text}");
        }
        assert!(named_coordinate(b"31.23", 90.0).is_some() && named_coordinate(b"0.0000", 90.0).is_none());
    }
}
