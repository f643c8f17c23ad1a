//! How far away a server is.

use crate::name::HostName;
use dyetrace_case::{NameSource, Scope};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What name and address together say.
pub(crate) struct Distance {
    /// How far away it is.
    pub(crate) scope: Scope,
    /// Set where name and address contradict each other.
    pub(crate) contradiction: Option<&'static str>,
}

/// A public name that the client asked for, at an address of the home: a proxy, perhaps.
const PROXY: &str = "the client named a public server, but the address is of the machine's own or the home's network: \
a proxy, or a server at home under a public name";

/// A name with servers at home and elsewhere.
const BOTH: &str = "the name was met at addresses of the home and at public ones; it counts as far away";
/// A name at several near distances, or at addresses of which only some were kept.
const TORN: &str = "the name was met at addresses at different distances, or at more than were kept";

/// What a name and all the addresses at which it was met say. A name with one public address reaches beyond the
/// home; otherwise only distances that agree say anything, and `more` addresses than these may lie anywhere.
pub(crate) fn distances(name: Option<(&HostName, NameSource)>, addresses: &[IpAddr], more: bool) -> Distance {
    let mut each = addresses.iter().map(|address| distance(name, Some(*address)));
    let Some(first) = each.next() else { return distance(name, None) };
    let others: Vec<Scope> = each.map(|other| other.scope).collect();
    let differ = others.iter().any(|scope| *scope != first.scope);
    let far = first.scope == Scope::Wan || others.contains(&Scope::Wan);
    match (far, differ || more) {
        (true, _) => Distance { scope: Scope::Wan, contradiction: differ.then_some(BOTH) },
        (false, true) => Distance { scope: Scope::Unknown, contradiction: Some(TORN) },
        (false, false) => first,
    }
}

/// Packets go to addresses, so the address decides where there is one. But through a proxy every packet goes
/// to the proxy: where the client itself asked for a public name at an address of the home, nobody can tell.
fn distance(name: Option<(&HostName, NameSource)>, address: Option<IpAddr>) -> Distance {
    let plain = |scope| Distance { scope, contradiction: None };
    let named = name.map_or(Scope::Unknown, |(name, _)| of_name(name));
    let addressed = address.map_or(Scope::Unknown, of_address);
    let asked = matches!(name, Some((_, NameSource::Sni | NameSource::SniBesideEch | NameSource::Host)));
    match (named, addressed) {
        (_, Scope::Unknown) => plain(named),
        (Scope::Wan, Scope::Loopback | Scope::Link | Scope::Lan) if asked => {
            Distance { scope: Scope::Unknown, contradiction: Some(PROXY) }
        }
        _ => plain(addressed),
    }
}

/// What the address of a network card says: a group's (IEEE 802 section 8.2.2, the lowest bit of the first byte) is
/// everybody in reach. Any other may be a gateway's, with the whole Internet behind it.
pub(crate) fn of_card(text: &str) -> Distance {
    let first = text.split(':').next().and_then(|byte| u8::from_str_radix(byte, 16).ok());
    let scope = if first.is_some_and(|byte| byte & 1 == 1) { Scope::Link } else { Scope::Unknown };
    Distance { scope, contradiction: None }
}

fn of_name(name: &HostName) -> Scope {
    match name {
        HostName::Address(address) => of_address(*address),
        HostName::Loopback(_) => Scope::Loopback,
        HostName::Local(_) => Scope::Lan,
        HostName::Public(_) => Scope::Wan,
        HostName::Invalid => Scope::Unknown,
    }
}

/// By the IANA registries of special-purpose addresses (RFC 6890).
pub(crate) fn of_address(address: IpAddr) -> Scope {
    match address.to_canonical() {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

/// Addresses for documentation (RFC 5737) count as far away, since they stand for such; so do those that
/// carriers share among customers (RFC 6598), since what goes there has left the home.
fn of_v4(address: Ipv4Addr) -> Scope {
    match address {
        _ if address.octets()[0] == 0 => Scope::Unknown,
        _ if address.is_loopback() => Scope::Loopback,
        _ if address.is_link_local() || address.is_multicast() || address.is_broadcast() => Scope::Link,
        _ if address.is_private() => Scope::Lan,
        _ => Scope::Wan,
    }
}

fn of_v6(address: Ipv6Addr) -> Scope {
    // Site-local addresses (RFC 3879) are long deprecated, and some plugs still have them.
    let site_local = address.segments()[0] & 0xffc0 == 0xfec0;
    match address {
        _ if address.is_unspecified() => Scope::Unknown,
        _ if address.is_loopback() => Scope::Loopback,
        _ if address.is_unicast_link_local() || address.is_multicast() => Scope::Link,
        _ if address.is_unique_local() || site_local => Scope::Lan,
        _ => Scope::Wan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(address: &str) -> Scope {
        of_address(address.parse().unwrap())
    }

    fn named(name: &str, source: NameSource, address: Option<&str>) -> Scope {
        distance(Some((&HostName::read(name), source)), address.map(|text| text.parse().unwrap())).scope
    }

    #[test]
    fn a_card_s_address_tells_only_whether_everybody_is_meant() {
        assert_eq!(of_card("ff:ff:ff:ff:ff:ff").scope, Scope::Link);
        assert_eq!(of_card("01:00:5e:01:01:01").scope, Scope::Link);
        assert_eq!(of_card("02:6f:14:88:d2:31").scope, Scope::Unknown);
        assert_eq!(of_card("nonsense").scope, Scope::Unknown);
    }

    #[test]
    fn addresses_by_the_registries() {
        for (address, scope) in [
            ("127.0.0.53", Scope::Loopback),
            ("::1", Scope::Loopback),
            ("::ffff:127.0.0.1", Scope::Loopback),
            ("169.254.1.1", Scope::Link),
            ("fe80::1", Scope::Link),
            ("224.0.0.251", Scope::Link),
            ("239.255.255.250", Scope::Link),
            ("ff02::fb", Scope::Link),
            ("255.255.255.255", Scope::Link),
            ("10.24.7.255", Scope::Lan),
            ("172.16.0.1", Scope::Lan),
            ("172.32.0.1", Scope::Wan),
            ("192.168.4.1", Scope::Lan),
            ("::ffff:192.168.4.1", Scope::Lan),
            ("fd00::1", Scope::Lan),
            ("fec0::1", Scope::Lan),
            ("100.64.0.1", Scope::Wan),
            ("192.0.2.1", Scope::Wan),
            ("198.51.100.10", Scope::Wan),
            ("203.0.113.20", Scope::Wan),
            ("2001:db8::1", Scope::Wan),
            ("8.8.8.8", Scope::Wan),
            ("0.0.0.0", Scope::Unknown),
            ("::", Scope::Unknown),
        ] {
            assert_eq!(of(address), scope, "{address}");
        }
    }

    #[test]
    fn names_alone() {
        for (name, scope) in [
            ("api.smarthome.example", Scope::Wan),
            ("plug.local", Scope::Lan),
            ("router.lan", Scope::Lan),
            ("nas.home.arpa", Scope::Lan),
            ("notlan", Scope::Lan),
            ("my.notlocal", Scope::Wan),
            ("localhost", Scope::Loopback),
            ("192.168.4.1", Scope::Lan),
            ("", Scope::Unknown),
        ] {
            assert_eq!(named(name, NameSource::Host, None), scope, "{name}");
        }
        assert_eq!(distance(None, None).scope, Scope::Unknown);
    }

    /// A recording made through a proxy would otherwise show every upload as traffic at home.
    #[test]
    fn a_public_name_at_an_address_of_the_home_is_unknown() {
        let name = "api.smarthome.example";
        assert_eq!(named(name, NameSource::Host, Some("127.0.0.1")), Scope::Unknown);
        assert_eq!(named(name, NameSource::Sni, Some("192.168.1.5")), Scope::Unknown);
        assert_eq!(named(name, NameSource::Host, Some("0.0.0.0")), Scope::Wan);
        assert_eq!(named(name, NameSource::Sni, Some("203.0.113.20")), Scope::Wan);
        // The network's own answer, or the server's certificate, says who is at that address.
        assert_eq!(named(name, NameSource::Dns, Some("192.168.1.5")), Scope::Lan);
        assert_eq!(named(name, NameSource::Certificate, Some("192.168.1.5")), Scope::Lan);
        assert_eq!(named("nas.lan", NameSource::Host, Some("192.168.1.5")), Scope::Lan);
    }

    /// The smallest address alone once decided, and uploads to a maker counted as staying at home.
    #[test]
    fn a_name_seen_once_at_home_is_still_far_away() {
        let of = |name: &str, source, addresses: &[&str], more| {
            let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            distances(Some((&HostName::read(name), source)), &addresses, more)
        };
        let (name, both) = ("api.smarthome.example", ["192.168.1.5", "203.0.113.20"]);
        assert_eq!(of(name, NameSource::Dns, &both, false).scope, Scope::Wan);
        assert_eq!(of(name, NameSource::Dns, &both, false).contradiction, Some(BOTH));
        assert_eq!(of(name, NameSource::Sni, &both, false).scope, Scope::Wan);
        assert_eq!(of("nas.lan", NameSource::Dns, &["127.0.0.1", "192.168.1.5"], false).scope, Scope::Unknown);
        assert_eq!(of("nas.lan", NameSource::Dns, &["192.168.1.5", "192.168.1.6"], false).scope, Scope::Lan);
        assert_eq!(of("nas.lan", NameSource::Dns, &["192.168.1.5"], true).scope, Scope::Unknown);
        assert_eq!(of("nas.lan", NameSource::Dns, &[], false).scope, Scope::Lan);
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_the_address(bits: u32) {
            let address = Ipv4Addr::from(bits);
            prop_assert_eq!(of_address(address.into()), of_address(address.to_ipv6_mapped().into()));
        }
    }
}
