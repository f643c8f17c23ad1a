//! Who is who to the maker, in the words of whoever made the case: `parties:` of `case.yaml`.

use crate::{Country, Role};
use serde::{Deserialize, Deserializer, de};
use std::net::IpAddr;

/// `parties:`. A domain stands for itself and for every name below it; an address for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    /// The maker's own.
    #[serde(default, deserialize_with = "domains")]
    pub first: Vec<String>,
    /// Of companies of the maker's group.
    #[serde(default, deserialize_with = "domains")]
    pub affiliates: Vec<String>,
    /// Of whoever works for the maker and on its word.
    #[serde(default, deserialize_with = "domains")]
    pub processors: Vec<String>,
    /// Of anyone else.
    #[serde(default, deserialize_with = "domains")]
    pub third: Vec<String>,
    /// Who owns what.
    #[serde(default)]
    pub owners: Vec<Owner>,
}

/// An entity and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its domains and addresses.
    #[serde(deserialize_with = "domains")]
    pub domains: Vec<String>,
    /// Where it is at home.
    #[serde(default, deserialize_with = "country")]
    pub country: Option<Country>,
    /// What it is to the maker.
    #[serde(default, deserialize_with = "role")]
    pub role: Option<Role>,
    /// Where that is written: an address, a title.
    pub source: Option<String>,
}

/// A domain or an address in the form in which names are compared: lower case, no final dot, no `*.`.
///
/// # Errors
/// It is neither a domain nor an address, such as a URL or a name with spaces.
pub fn party_name(text: &str) -> Result<String, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let label = |label: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || !c.is_ascii();
        !label.is_empty() && label.len() <= 63 && label.chars().all(allowed)
    };
    if name.len() <= 253 && name.split('.').all(label) {
        return Ok(name);
    }
    Err(format!("{text:?} is neither a domain nor an address: write the domain alone, as in smarthome.example"))
}

fn domains<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|name| party_name(name).map_err(de::Error::custom)).collect()
}

fn country<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Country>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let country = Country::new(&text);
    country.map(Some).ok_or_else(|| de::Error::custom(format!("{text:?} is not a country: two letters, as in CN")))
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Role>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let role = Role::of(&text).map(Some);
    role.ok_or_else(|| {
        de::Error::custom(format!("{text:?} is not a role: first, affiliate, processor, third or unknown"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Parties, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn who_is_who_is_read() {
        let parties = read(
            "first: [SmartHome.example., '*.home.example']
third: [203.0.113.7]
owners: [{ name: Metrics Ltd, domains: [metrics.example], country: us, role: third }]",
        )
        .unwrap();
        assert_eq!(parties.first, ["smarthome.example", "home.example"]);
        assert_eq!(parties.third, ["203.0.113.7"]);
        assert_eq!(parties.owners[0].country, Country::new("US"));
        assert_eq!(parties.owners[0].role, Some(Role::Third));
    }

    /// A party that can never be met would read as "nobody of them received anything".
    #[test]
    fn what_no_name_can_ever_match_is_refused() {
        for text in [
            "first: ['https://smarthome.example/']",
            "first: ['smart home.example']",
            "first: ['']",
            "first: ['api.*.example']",
            "owners: [{ name: M, domains: [m.example], country: USA }]",
            "owners: [{ name: M, domains: [m.example], role: 3rd }]",
            "frist: [smarthome.example]",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
