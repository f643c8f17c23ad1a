//! Host names in the form in which lists are asked, and the domain that somebody registered.

use dyetrace_case::{Snapshot, party_name};
use psl::Psl;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The version of the `psl` crate, whose list is generated from publicsuffix.org's, and the day on
/// which that version was published. A test compares it with `Cargo.lock`.
const PSL: (&str, &str) = ("2.1.247", "2026-11-05");

/// Top-level names that home and company networks use among themselves (RFC 6762 appendix G; RFC 8375
/// for `home.arpa`; ICANN board resolution of 2024-07-29 for `internal`). The root has none of them.
const PRIVATE: [&str; 8] = ["local", "lan", "home.arpa", "internal", "intranet", "private", "corp", "home"];

/// What the name of a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostName {
    /// An address written as a name.
    Address(IpAddr),
    /// The machine itself (RFC 6761 section 6.3).
    Loopback(String),
    /// A name that only means something in the network at hand.
    Local(String),
    /// A name of the public domain name system.
    Public(String),
    /// Not a host name.
    Invalid,
}

impl HostName {
    /// Reads a name as evidence has it: `API.Example.`, `*.example`, `api.example:8443`, `[2001:db8::1]:443`.
    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some(address) = literal(text) {
            return Self::Address(address);
        }
        let port = |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
        let host = text.rsplit_once(':').filter(|(_, after)| port(after)).map_or(text, |(host, _)| host);
        readable(host).map_or(Self::Invalid, Self::classify)
    }

    fn classify(name: String) -> Self {
        if let Some(address) = literal(&name) {
            return Self::Address(address);
        }
        if below(&name, "localhost") {
            return Self::Loopback(name);
        }
        // Nobody can reach a name of one label from elsewhere, unless it is a top-level domain with an address.
        let bare = !name.contains('.') && psl::List.suffix(name.as_bytes()).is_none_or(|suffix| !suffix.is_known());
        if bare || PRIVATE.iter().any(|private| below(&name, private)) {
            return Self::Local(name);
        }
        Self::Public(name)
    }

    /// The name in lower case, without final dot, port and `*.`; absent for addresses and for what is no name.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Loopback(name) | Self::Local(name) | Self::Public(name) => Some(name),
            Self::Address(_) | Self::Invalid => None,
        }
    }

    /// The domain that somebody registered: public suffix and one label. Suffixes that the list does not
    /// have follow its rule `*`: the last label is the suffix.
    pub(crate) fn registrable(&self) -> Option<&str> {
        let Self::Public(name) = self else { return None };
        let domain = psl::List.domain(name.as_bytes())?;
        std::str::from_utf8(domain.as_bytes()).ok()
    }
}

/// The public-suffix list that is compiled in.
pub(crate) fn suffix_list() -> Snapshot {
    Snapshot {
        name: "public-suffix-list".to_owned(),
        version: Some(format!("psl {}", PSL.0)),
        dated: Some(PSL.1.to_owned()),
        licence: Some("MPL-2.0".to_owned()),
        sha256: None,
        from: Some("https://publicsuffix.org/list/".to_owned()),
        note: None,
    }
}

/// The name, and every name above it, longest first.
pub(crate) fn ascending(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |name| name.split_once('.').map(|(_, above)| above))
}

/// True for a domain itself and every name below it.
pub(crate) fn below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A name in lower case. Where planted values were hidden in it, asterisks stand in labels; without its last
/// label nobody can tell whether it is public.
fn readable(host: &str) -> Option<String> {
    let host = host.strip_prefix("*.").unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    let top = host.rsplit('.').next().unwrap_or(host);
    party_name(&host.replace('*', "x")).ok().filter(|_| !top.contains('*')).map(|_| host.to_ascii_lowercase())
}

/// `192.0.2.1`, `[2001:db8::1]:443`, `192.0.2.1:80`, `2001:db8::1`, `fe80::1%en0`, `[fe80::1%en0]:443`.
/// Only IPv6 addresses have a zone (RFC 4007 section 11), and nothing but a port follows the bracket.
fn literal(text: &str) -> Option<IpAddr> {
    let plain = || text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address: IpAddr = plain().or_else(with_port).or_else(|| zoned(text)).or_else(|| bracketed(text))?;
    Some(address.to_canonical())
}

fn zoned(text: &str) -> Option<IpAddr> {
    let (address, zone) = text.split_once('%')?;
    let is_zone = !zone.is_empty() && !zone.contains(['.', ':', ']']);
    address.parse::<Ipv6Addr>().ok().filter(|_| is_zone).map(IpAddr::V6)
}

fn bracketed(text: &str) -> Option<IpAddr> {
    let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
    let address = || inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6).or_else(|| zoned(inside));
    match after.strip_prefix(':') {
        None if !after.is_empty() => None,
        Some(port) if port.parse::<u16>().is_err() => None,
        _ => address(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registrable(name: &str) -> Option<String> {
        HostName::read(name).registrable().map(str::to_owned)
    }

    #[test]
    fn the_registrable_domain_is_the_public_suffix_and_one_label() {
        assert_eq!(registrable("api.eu.tuyaeu.com").as_deref(), Some("tuyaeu.com"));
        assert_eq!(registrable("WWW.BBC.CO.UK.").as_deref(), Some("bbc.co.uk"));
        assert_eq!(registrable("a.b.com.cn").as_deref(), Some("b.com.cn"));
        assert_eq!(registrable("*.metrics.example:8443").as_deref(), Some("metrics.example"));
        assert_eq!(registrable("someone.github.io").as_deref(), Some("someone.github.io"));
        assert_eq!(registrable("co.uk"), None);
        assert_eq!(registrable("192.0.2.1"), None);
    }

    #[test]
    fn a_suffix_that_the_list_does_not_have_is_one_label() {
        assert_eq!(registrable("api.smarthome.example").as_deref(), Some("smarthome.example"));
        assert_eq!(registrable("collect.eu.metrics.test").as_deref(), Some("metrics.test"));
    }

    #[test]
    fn names_are_told_from_addresses() {
        let address = |text: &str| HostName::Address(text.parse().unwrap());
        assert_eq!(HostName::read("192.0.2.1"), address("192.0.2.1"));
        assert_eq!(HostName::read("192.0.2.1:8080"), address("192.0.2.1"));
        assert_eq!(HostName::read("[2001:db8::1]:443"), address("2001:db8::1"));
        assert_eq!(HostName::read("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_eq!(HostName::read("fe80::1%en0"), address("fe80::1"));
        assert_eq!(HostName::read("localhost:3000"), HostName::Loopback("localhost".to_owned()));
        assert_eq!(HostName::read("Printer.local"), HostName::Local("printer.local".to_owned()));
        assert_eq!(HostName::read("nas"), HostName::Local("nas".to_owned()));
        assert_eq!(HostName::read("ai"), HostName::Public("ai".to_owned()));
        for text in ["", " ", "a b", "..", "https://x.example/", "x\0y.example", &"a.".repeat(200)] {
            assert_eq!(HostName::read(text), HostName::Invalid, "{text:?}");
        }
    }

    /// Such a name once was an address of the home, and what it received counted as staying there.
    #[test]
    fn a_percent_sign_makes_no_address_of_a_public_name() {
        for text in ["192.168.1.1%x.collector.example", "fe80::1%x.collector.example", "[fe80::1].collector.example"] {
            assert!(!matches!(HostName::read(text), HostName::Address(_)), "{text}");
        }
        assert_eq!(HostName::read("192.168.1.1%en0"), HostName::Invalid);
        assert_eq!(HostName::read("[fe80::1%en0]:443"), HostName::Address("fe80::1".parse().unwrap()));
        assert_eq!(HostName::read("[fe80::1]"), HostName::Address("fe80::1".parse().unwrap()));
    }

    /// A value that left as part of a name must not hide who got it.
    #[test]
    fn a_name_with_a_hidden_label_is_still_below_its_domain() {
        assert_eq!(registrable("****.collect.metrics.example").as_deref(), Some("metrics.example"));
        assert_eq!(registrable("u-****-1.metrics.example").as_deref(), Some("metrics.example"));
        assert_eq!(HostName::read("****"), HostName::Invalid);
        assert_eq!(HostName::read("api.****"), HostName::Invalid);
    }

    #[test]
    fn the_date_is_that_of_the_list_that_is_built_in() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        let locked = format!("name = \"psl\"\nversion = \"{}\"\n", PSL.0);
        assert!(lock.contains(&locked), "another psl is locked: change PSL, its date with it");
    }

    proptest! {
        #[test]
        fn no_name_is_too_strange(text in ".{0,300}") {
            let name = HostName::read(&text);
            if let Some(domain) = name.registrable() {
                prop_assert!(below(name.host().unwrap(), domain));
            }
        }

        #[test]
        fn dressing_a_name_changes_nothing(name in "[a-z]{1,9}(\\.[a-z]{2,9}){1,4}", port in 1u16..) {
            let plain = HostName::read(&name);
            prop_assert_eq!(&HostName::read(&name.to_uppercase()), &plain);
            prop_assert_eq!(&HostName::read(&format!("{name}.")), &plain);
            prop_assert_eq!(&HostName::read(&format!("{name}:{port}")), &plain);
        }
    }
}
