//! Which planted data a selector means.

use crate::{Selector, taxonomy};
use dyetrace_case::Kind;

/// True for kinds of personal information: those of the taxonomy. What is *sensitive* comes from a rule pack and its
/// date, not from here.
pub fn is_personal(kind: &Kind) -> bool {
    taxonomy::entry(kind).is_some()
}

impl Selector {
    /// True where data of this kind are meant: `wifi` means `wifi.password`, and not `wifi-lock`.
    pub fn covers(&self, kind: &Kind) -> bool {
        match self {
            Self::Kind(prefix) => is_below(kind.as_str(), prefix),
            Self::Personal => is_personal(kind),
            Self::Everything => true,
            Self::Group(group) => group.covers(kind),
            Self::Sensitive(kinds) => kinds.iter().any(|prefix| is_below(kind.as_str(), prefix)),
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
}
