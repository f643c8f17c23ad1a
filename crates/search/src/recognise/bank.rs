//! International bank account numbers (ISO 13616-1).

use super::checksum::mod_97;
use super::{Checks, Pass};

/// Country, then runs of characters behind the check digits: `n` digits, `a` capitals, `c` both.
/// SWIFT IBAN Registry, and the countries outside it that use the form. In order of the country.
const STRUCTURES: &[&str] = &[
    "AD8n12c",
    "AE19n",
    "AL8n16c",
    "AO21n",
    "AT16n",
    "AX14n",
    "AZ4a20c",
    "BA16n",
    "BE12n",
    "BF2c22n",
    "BG4a6n8c",
    "BH4a14c",
    "BI23n",
    "BJ2c22n",
    "BL10n11c2n",
    "BR23n1a1c",
    "BY4c4n16c",
    "CF23n",
    "CG23n",
    "CH5n12c",
    "CI2a22n",
    "CM23n",
    "CR18n",
    "CV21n",
    "CY8n16c",
    "CZ20n",
    "DE18n",
    "DJ23n",
    "DK14n",
    "DO4c20n",
    "DZ22n",
    "EE16n",
    "EG25n",
    "ES20n",
    "FI14n",
    "FK2a12n",
    "FO14n",
    "FR10n11c2n",
    "GA23n",
    "GB4a14n",
    "GE2a16n",
    "GF10n11c2n",
    "GG4a14n",
    "GI4a15c",
    "GL14n",
    "GP10n11c2n",
    "GQ23n",
    "GR7n16c",
    "GT24c",
    "GW2c19n",
    "HN4a20n",
    "HR17n",
    "HU24n",
    "IE4a14n",
    "IL19n",
    "IM4a14n",
    "IQ4a15n",
    "IR22n",
    "IS22n",
    "IT1a10n12c",
    "JE4a14n",
    "JO4a4n18c",
    "KM23n",
    "KW4a22c",
    "KZ3n13c",
    "LB4n20c",
    "LC4a24c",
    "LI5n12c",
    "LT16n",
    "LU3n13c",
    "LV4a13c",
    "LY21n",
    "MA24n",
    "MC10n11c2n",
    "MD20c",
    "ME18n",
    "MF10n11c2n",
    "MG23n",
    "MK3n10c2n",
    "ML2c22n",
    "MN16n",
    "MQ10n11c2n",
    "MR23n",
    "MT4a5n18c",
    "MU4a19n3a",
    "MZ21n",
    "NC10n11c2n",
    "NE2a22n",
    "NI4a20n",
    "NL4a10n",
    "NO11n",
    "OM3n16c",
    "PF10n11c2n",
    "PK4a16c",
    "PL24n",
    "PM10n11c2n",
    "PS4a21c",
    "PT21n",
    "QA4a21c",
    "RE10n11c2n",
    "RO4a16c",
    "RS18n",
    "RU14n15c",
    "SA2n18c",
    "SC4a20n3a",
    "SD14n",
    "SE20n",
    "SI15n",
    "SK20n",
    "SM1a10n12c",
    "SN2a22n",
    "SO19n",
    "ST21n",
    "SV4a20n",
    "TD23n",
    "TF10n11c2n",
    "TG2a22n",
    "TL19n",
    "TN20n",
    "TR6n16c",
    "UA6n19c",
    "VA18n",
    "VG4a16n",
    "WF10n11c2n",
    "XK16n",
    "YE4a4n18c",
    "YT10n11c2n",
];

/// Longest account number, in characters.
const LONGEST: usize = 34;

/// What was found at the start of some text.
pub(super) struct Account {
    /// Bytes it takes, spaces included.
    pub(super) length: usize,
    /// What was checked.
    pub(super) pass: Pass,
}

/// An account number at the start of the text, with or without a space after each four characters.
/// The country is one of 127 out of 676 pairs of capitals, the check digits pass once in 97, and
/// the structure fixes most of the rest.
pub(super) fn iban(text: &[u8]) -> Option<Account> {
    let country = text.get(..2)?;
    let at = STRUCTURES.binary_search_by_key(&country, |structure| structure.as_bytes().get(..2).unwrap_or_default());
    let structure = STRUCTURES.get(at.ok()?)?.get(2..)?;
    let spaced = text.get(4) == Some(&b' ');
    let mut characters = [0u8; LONGEST];
    let mut taken = 0usize;
    let mut length = 0;
    for class in "nn".chars().chain(classes(structure)) {
        if spaced && (taken + 2).is_multiple_of(4) && taken > 0 {
            (text.get(2 + length) == Some(&b' ')).then_some(())?;
            length += 1;
        }
        let byte = *text.get(2 + length)?;
        let fits = match class {
            'n' => byte.is_ascii_digit(),
            'a' => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        };
        *characters.get_mut(taken).filter(|_| fits)? = byte;
        taken += 1;
        length += 1;
    }
    let all = country.iter().chain(characters.get(..taken)?).copied();
    let pass = Pass::new("iban", Checks::PREFIX.and(Checks::CHECKSUM), 20.0);
    mod_97(all).then_some(Account { length: 2 + length, pass })
}

/// The classes of a structure one by one: `2n1a` gives `nna`.
fn classes(structure: &str) -> impl Iterator<Item = char> {
    structure.split_inclusive(|c: char| c.is_ascii_lowercase()).flat_map(|run| {
        let (count, class) = run.split_at(run.len() - 1);
        let class = class.chars().next().unwrap_or('n');
        std::iter::repeat_n(class, count.parse().unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_registry() {
        for good in ["GB29NWBK60161331926819", "DE91 1000 0000 0123 4567 89", "FR7630006000011234567890189"] {
            assert_eq!(iban(good.as_bytes()).map(|account| account.length), Some(good.len()), "{good}");
        }
        for bad in ["GB29NWBK60161331926818", "GB2900006016133192681900", "XX29NWBK60161331926819", "DE91 1000"] {
            assert!(iban(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_structures_are_in_order_and_not_too_long() {
        assert!(STRUCTURES.is_sorted());
        for structure in STRUCTURES {
            assert!((11..=LONGEST - 2).contains(&(classes(&structure[2..]).count() + 2)), "{structure}");
        }
    }
}
