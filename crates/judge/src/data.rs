//! Which planted data a selector means.

use crate::Selector;
use dyetrace_case::Kind;

/// First parts of kinds that are information about a person, their devices or their home, in the broad sense of
/// PIPL article 4 and GDPR article 4(1). What is *sensitive* comes from a rule pack and its date, not from here.
const PERSONAL: [&str; 47] = [
    "account",
    "address",
    "advertising",
    "age",
    "album",
    "android",
    "bank",
    "birthday",
    "bluetooth",
    "browsing",
    "bssid",
    "calendar",
    "card",
    "chat",
    "contacts",
    "cookie",
    "coordinates",
    "device",
    "email",
    "face",
    "gps",
    "health",
    "iban",
    "iccid",
    "id",
    "idfa",
    "imei",
    "imeisv",
    "imsi",
    "ip",
    "location",
    "mac",
    "meid",
    "message",
    "mobile",
    "msisdn",
    "name",
    "oaid",
    "pan",
    "passport",
    "password",
    "person",
    "phone",
    "photo",
    "plate",
    "tel",
    "wifi",
];

/// True for kinds of personal information.
pub fn is_personal(kind: &Kind) -> bool {
    let first = kind.as_str().split('.').next().unwrap_or_default();
    PERSONAL.contains(&first)
}

impl Selector {
    /// True where data of this kind are meant: `wifi` means `wifi.password`, and not `wifi-lock`.
    pub fn covers(&self, kind: &Kind) -> bool {
        match self {
            Self::Kind(prefix) => is_below(kind.as_str(), prefix),
            Self::Personal => is_personal(kind),
            Self::Everything => true,
        }
    }
}

/// True where a dotted name is another or lies below it.
pub(crate) fn is_below(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_covers_what_lies_below_it() {
        let kind = |text: &str| text.parse::<Kind>().unwrap();
        let wifi = Selector::Kind("wifi".to_owned());
        assert!(wifi.covers(&kind("wifi.password")) && wifi.covers(&kind("wifi")));
        assert!(!wifi.covers(&kind("wifi-lock")) && !wifi.covers(&kind("phone")));
        assert!(Selector::Personal.covers(&kind("id.cn")) && !Selector::Personal.covers(&kind("firmware")));
    }

    #[test]
    fn the_table_is_sorted_and_has_nothing_twice() {
        assert!(PERSONAL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
