//! Made-up values of the kinds people plant. Those of another seed are the background: the same
//! kinds, other people.

use crate::random::Random;

/// One made-up value.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Value {
    /// Its kind, as in `subject.yaml`.
    pub(crate) kind: &'static str,
    /// Its name within the subject.
    pub(crate) id: String,
    /// The value.
    #[serde(rename = "value")]
    pub(crate) text: String,
}

/// The kinds, each once and in this order; `name` is there twice, in Chinese and in Latin letters.
pub(crate) const KINDS: [&str; 18] = [
    "phone",
    "email",
    "imei",
    "device.mac",
    "wifi.password",
    "wifi.ssid",
    "name",
    "name",
    "card",
    "id.cn",
    "gps",
    "android.id",
    "advertising-id",
    "pin",
    "qq",
    "iccid",
    "address",
    "passport",
];

/// One value of each kind.
pub(crate) fn subject(random: &mut Random) -> Vec<Value> {
    let mut seen = std::collections::HashMap::new();
    let mut value = |kind: &'static str| {
        let count = seen.entry(kind).and_modify(|count| *count += 1).or_insert(1);
        let id = if *count == 1 { kind.to_owned() } else { format!("{kind}#{count}") };
        Value { kind, id, text: mint(kind, *count, random) }
    };
    KINDS.into_iter().map(&mut value).collect()
}

/// `count` values with all kinds in turn, for measuring speed.
pub(crate) fn many(count: usize, random: &mut Random) -> Vec<Value> {
    let kinds = KINDS.iter().cycle().take(count).enumerate();
    kinds.map(|(at, kind)| Value { kind, id: format!("{kind}-{at}"), text: mint(kind, at % 2 + 1, random) }).collect()
}

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const PASSWORD: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
const FAMILY: [&str; 12] =
    ["欧阳", "司马", "诸葛", "慕容", "上官", "皇甫", "尉迟", "公孙", "令狐", "宇文", "长孙", "独孤"];
const GIVEN: [char; 24] = [
    '清', '嘉', '墨', '妍', '钧', '瑜', '珩', '昕', '霖', '璟', '翎', '岚', '骁', '瑾', '沅', '漪', '祺', '煦', '葳',
    '棠', '黎', '缨', '峤', '茗',
];
/// Characters that Big5 has, too.
const STREET: [char; 12] = ['清', '嘉', '墨', '瑜', '霖', '翎', '瑾', '祺', '棠', '黎', '茗', '昕'];
const SYLLABLES: [&str; 16] = [
    "bran", "vold", "otti", "lie", "mar", "quen", "dris", "tolf", "hal", "vern", "ossa", "ryd", "fenn", "wick", "tha",
    "lund",
];

fn mint(kind: &str, count: usize, random: &mut Random) -> String {
    let mut digits = |length: usize| random.text(length, DIGITS);
    match kind {
        "phone" => {
            format!("1{}{}", ["38", "59", "77", "86", "91"][usize::from(digits(1).as_bytes()[0] % 5)], digits(8))
        }
        "imei" => with_luhn(&format!("86{}", digits(12))),
        "card" => with_luhn(&format!("622848{}", digits(12))),
        "iccid" => with_luhn(&format!("898600{}", digits(12))),
        "id.cn" => resident(random),
        "pin" => digits(4),
        "qq" => format!("2{}", digits(9)),
        "passport" => format!("EK{}", digits(7)),
        "gps" => format!(
            "{}.{}7,{}.{}3",
            22 + random.below(18),
            random.text(6, DIGITS),
            101 + random.below(20),
            random.text(6, DIGITS)
        ),
        "email" => {
            let word = |random: &mut Random| SYLLABLES[random.below(16)];
            let name = format!("{}{}.{}{}", word(random), word(random), word(random), random.text(4, LETTERS));
            format!("{}{}@mail.example", capital(&name), random.text(2, DIGITS))
        }
        "device.mac" => format!("02:{}", [(); 5].map(|()| random.text(2, HEX)).join(":")),
        "wifi.password" => {
            format!("{}/{}+{}", random.text(5, PASSWORD), random.text(5, PASSWORD), random.text(4, PASSWORD))
        }
        "wifi.ssid" => format!("Linden {}-{}", random.text(6, LETTERS), random.text(3, DIGITS)),
        "name" if count % 2 == 1 => {
            format!("{}{}{}", FAMILY[random.below(12)], GIVEN[random.below(24)], GIVEN[random.below(24)])
        }
        "name" => {
            let mut word = || capital(&format!("{}{}", SYLLABLES[random.below(16)], SYLLABLES[random.below(16)]));
            format!("{}{} {}", word(), random.text(1, LETTERS), capital(&random.text(6, LETTERS)))
        }
        "address" => {
            let given = |random: &mut Random| STREET[random.below(12)];
            format!("{}{}路{}號{}室", given(random), given(random), 100 + random.below(900), 1000 + random.below(9000))
        }
        "android.id" => random.text(16, HEX),
        _ => {
            let part = |length, random: &mut Random| random.text(length, HEX);
            let (first, second, third) = (part(8, random), part(4, random), part(3, random));
            format!("{first}-{second}-4{third}-a{}-{}", part(3, random), part(12, random))
        }
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// GB 11643: region, birthday, order, check character.
fn resident(random: &mut Random) -> String {
    let date = format!("19{}{:02}{:02}", random.between(50, 99), random.between(1, 13), random.between(1, 29));
    let body = format!("3{}{date}{}", random.text(5, DIGITS), random.text(3, DIGITS));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = body.bytes().zip(weights).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    format!("{body}{}", char::from(b"10X98765432"[sum % 11]))
}

/// The digits with their check digit (ISO/IEC 7812-1 annex B).
fn with_luhn(digits: &str) -> String {
    let doubled = |digit: u8| digit * 2 / 10 + digit * 2 % 10;
    let places = digits.bytes().rev().map(|digit| digit - b'0').enumerate();
    let sum: u32 = places.map(|(at, digit)| u32::from(if at % 2 == 0 { doubled(digit) } else { digit })).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        assert_eq!(with_luhn("49015420323751"), "490154203237518");
        assert!(resident(&mut Random::new(1)).len() == 18);
    }

    #[test]
    fn the_same_seed_gives_the_same_people() {
        let people = |seed| subject(&mut Random::new(seed)).into_iter().map(|value| value.text).collect::<Vec<_>>();
        assert_eq!(people(1), people(1));
        assert!(people(1).iter().zip(people(2)).all(|(one, other)| *one != other));
    }
}
