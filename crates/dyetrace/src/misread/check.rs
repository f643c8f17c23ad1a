//! Check digits, which tell a misread number from another one.

use dyetrace_case::Kind;

/// How the last digit of a number follows from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// ISO/IEC 7812-1, annex B: cards, IMEI.
    Luhn,
    /// ISO/IEC 7064, MOD 11-2: resident identity numbers (GB 11643-1999).
    Mod11,
}

impl Check {
    /// The one that a planted number passes. By accident one number in ten does; see [`Check::is_of`].
    pub(super) fn of(characters: &[u8]) -> Option<Self> {
        let applies = |check: &Self| match check {
            Self::Mod11 => characters.len() == 18,
            Self::Luhn => (14..=19).contains(&characters.len()),
        };
        [Self::Mod11, Self::Luhn].into_iter().find(|check| applies(check) && check.holds(characters))
    }

    /// True where all numbers of a kind have it, so that what fails it is none.
    pub(super) fn is_of(self, kind: &Kind) -> bool {
        let mut parts = kind.as_str().split('.');
        match self {
            Self::Mod11 => kind.as_str().starts_with("id.") || parts.any(|part| part == "resident-id"),
            Self::Luhn => parts.any(|part| matches!(part, "card" | "pan" | "imei" | "iccid")),
        }
    }

    /// True where the last digit is the right one. No number with another letter than an X at the end of MOD 11-2 passes.
    pub(super) fn holds(self, characters: &[u8]) -> bool {
        let digit = |(at, byte): (usize, &u8)| match byte {
            b'0'..=b'9' => Some(u32::from(byte - b'0')),
            b'X' | b'x' if self == Self::Mod11 && at == 0 => Some(10),
            _ => None,
        };
        let backwards: Option<Vec<u32>> = characters.iter().rev().enumerate().map(digit).collect();
        let Some(backwards) = backwards else { return false };
        let places = backwards.iter().enumerate();
        match self {
            Self::Mod11 => {
                let weight = |at: usize| (0..at).fold(1, |weight, _| weight * 2 % 11);
                places.map(|(at, digit)| digit * weight(at)).sum::<u32>() % 11 == 1
            }
            Self::Luhn => {
                let double = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
                let sum: u32 = places.map(|(at, digit)| if at % 2 == 1 { double(*digit) } else { *digit }).sum();
                sum.is_multiple_of(10)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_standards_pass_and_no_single_wrong_digit_does() {
        for (number, check) in [(b"11010519491231002X".as_slice(), Check::Mod11), (b"4111111111111111", Check::Luhn)] {
            assert_eq!(Check::of(number), Some(check));
            for at in 0..number.len() {
                for digit in (b'0'..=b'9').filter(|digit| *digit != number[at]) {
                    let mut wrong = number.to_vec();
                    wrong[at] = digit;
                    assert!(!check.holds(&wrong), "{at} {digit}");
                }
            }
        }
        assert_eq!(Check::of(b"13800000427"), None);
        assert!(!Check::Luhn.holds(b"41111111X1111111"));
        assert!(Check::Luhn.holds(b""), "nothing is wrong in nothing, and nothing so short is asked about");
    }
}
