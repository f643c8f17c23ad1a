//! Chinese number plates (GA 36-2018) and passports.

use super::{Checks, Pass};

/// The character of the province a plate starts with.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

/// Characters that may end a plate: trainers, trailers, police, Hong Kong, Macao, embassies.
const ENDINGS: &str = "学挂警港澳领使试超";

/// Bytes a plate takes at the start of the text: a province, a letter, five letters or digits (or a
/// last character with a meaning), or six for new-energy cars. At most two of the five are letters.
pub(super) fn plate(text: &[u8]) -> Option<(usize, Pass)> {
    let province = text.get(..3)?;
    if !PROVINCES.as_bytes().chunks_exact(3).any(|known| known == province) || !is_letter(*text.get(3)?) {
        return None;
    }
    let rest = text.get(4..)?;
    let separators: [&[u8]; 4] = ["·".as_bytes(), "•".as_bytes(), b" ", b"-"];
    let separator = separators.iter().find(|separator| rest.starts_with(separator)).map_or(0, |found| found.len());
    let body = rest.get(separator..)?;
    let run = body.iter().take(7).take_while(|byte| is_letter(**byte) || byte.is_ascii_digit()).count();
    let (body, after) = body.split_at(run);
    let letters = body.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let ending = ENDINGS.as_bytes().chunks_exact(3).any(|known| after.starts_with(known));
    let glued = after.first().is_some_and(u8::is_ascii_alphanumeric);
    let length = match body.len() {
        5 if letters <= 2 && !glued => run,
        4 if letters <= 1 && ending => run + 3,
        6 if is_new_energy(body) && !glued => run,
        _ => return None,
    };
    Some((4 + separator + length, Pass::new("plate.cn", Checks::PREFIX, 10.0)))
}

/// Letters on plates; I and O would be read as digits.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O')
}

/// Small cars: a letter, then five characters with digits last; large ones: five digits and D or F.
fn is_new_energy(body: &[u8]) -> bool {
    let digits = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let first = matches!(body.first(), Some(b'A'..=b'H' | b'J' | b'K'));
    (first && digits(body.get(2..))) || (digits(body.get(..5)) && matches!(body.get(5), Some(b'D' | b'F')))
}

/// The value of a field named as a passport: a Chinese ordinary, official, diplomatic or service
/// passport or Hong Kong and Macao permit (letters and seven or eight digits; E is followed by a
/// digit or a letter other than I and O).
pub(super) fn passport(value: &[u8]) -> Option<Pass> {
    let digits = |part: Option<&[u8]>, count: usize| {
        part.is_some_and(|part| part.len() == count && part.iter().all(u8::is_ascii_digit))
    };
    let first = value.first()?.to_ascii_uppercase();
    let second = value.get(1)?.to_ascii_uppercase();
    let known = match first {
        b'E' | b'G' => digits(value.get(1..), 8) || (first == b'E' && is_letter(second) && digits(value.get(2..), 7)),
        b'D' | b'P' | b'S' => matches!(second, b'E') && digits(value.get(2..), 7) || digits(value.get(1..), 8),
        b'H' | b'M' | b'C' | b'W' => digits(value.get(1..), 8) || is_letter(second) && digits(value.get(2..), 7),
        _ => false,
    };
    known.then(|| Pass::new("passport.cn", Checks::PREFIX, 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_of_cars() {
        for good in ["京A12345", "粤B·D1234", "沪AD12345", "粤B12345D", "京A1234学", "苏E-05G7K"] {
            assert_eq!(plate(good.as_bytes()).map(|(length, _)| length), Some(good.len()), "{good}");
        }
        for bad in ["京A1234", "京I12345", "中A12345", "京A123456", "京ABCDEF", "京"] {
            assert!(plate(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
