//! From an endpoint to the entity behind it.

use crate::attribute::{attribute, unanimous};
use crate::country::CountryTable;
use crate::list::{Line, ListError, OwnerList};
use crate::name::{HostName, ascending, suffix_list};
use crate::parties::case_statements;
use crate::scope::{distances, of_address, of_card};
use crate::statement::Matched;
use dyetrace_case::{Country, Endpoint, NameSource, Parties, Recipient, Said, Scope, Snapshot};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// The name under which what the wire shows is listed.
const EVIDENCE: &str = "evidence";

/// Why the country of some server is not known.
const MORE: &str = "the name was met at more addresses than were looked up";

/// What the evidence shows of one recipient: its name, and the addresses at which it was met.
#[derive(Debug, Clone, Default)]
pub struct Seen<'a> {
    /// Its name, and how that became known.
    pub name: Option<(&'a str, NameSource)>,
    /// The addresses that were seen under the name; one of what has no name.
    pub addresses: Vec<IpAddr>,
    /// There were more addresses than these.
    pub more: bool,
}

/// Everything that dated lists say of recipients.
#[derive(Debug)]
pub struct Recipients {
    domains: HashMap<String, Vec<Line>>,
    countries: Vec<CountryTable>,
    snapshots: Vec<Snapshot>,
}

impl Recipients {
    /// From lists of owners and tables of countries.
    pub fn new(lists: Vec<OwnerList>, countries: Vec<CountryTable>) -> Self {
        let mut snapshots = vec![suffix_list()];
        snapshots.extend(lists.iter().map(|list| list.snapshot.clone()));
        snapshots.extend(countries.iter().map(|table| table.snapshot().clone()));
        let mut domains: HashMap<String, Vec<Line>> = HashMap::new();
        for line in lists.into_iter().flat_map(|list| list.lines) {
            domains.entry(line.domain.clone()).or_default().push(line);
        }
        Self { domains, countries, snapshots }
    }

    /// From the lists of the folder `recipients/` alone.
    ///
    /// # Errors
    /// See [`OwnerList::shipped`].
    pub fn shipped() -> Result<Self, ListError> {
        Ok(Self::new(OwnerList::shipped()?, Vec::new()))
    }

    /// The dated lists that answers come from, for reports.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// Who is behind an endpoint, for a product of `vendor` in a case that says `parties`.
    ///
    /// Name and domain of the answer are as the evidence has them: whoever shows them redacts them.
    pub fn resolve(&self, endpoint: &Endpoint, vendor: Option<&str>, parties: &Parties) -> Recipient {
        let name = endpoint.name.as_ref().map(|(text, source)| (text.as_str(), *source));
        let addresses = endpoint.address.into_iter().collect();
        self.resolve_seen(&Seen { name, addresses, more: false }, vendor, parties)
    }

    /// Who is behind a name that was met at several addresses. What depends on the address is said only where it
    /// is the same for all of them; [`Recipient::address`] is the smallest.
    pub fn resolve_seen(&self, seen: &Seen<'_>, vendor: Option<&str>, parties: &Parties) -> Recipient {
        let named = seen.name.map(|(text, source)| (HostName::read(text), source));
        let host = named.as_ref().map(|(host, _)| host);
        let addresses = addresses_of(seen, host);
        let distance = match seen.name {
            Some((text, NameSource::Hardware)) => of_card(text),
            _ => distances(named.as_ref().map(|(host, source)| (host, *source)), &addresses, seen.more),
        };
        let address = addresses.first().copied();
        let shown = seen.name.and_then(|(text, _)| shown_name(text, host?, address));
        let mut recipient = Recipient::unknown(shown, address, distance.scope);
        recipient.domain = host.and_then(HostName::registrable).map(str::to_owned);
        recipient.said = how_known(&recipient, named.as_ref().map(|(_, source)| *source), distance.contradiction);
        let case = case_statements(parties, host, &addresses, seen.more);
        let listed = self.listed(host);
        recipient.said.extend(case.iter().chain(&listed).flat_map(|matched| matched.statement.said()));
        attribute(&mut recipient, &case, &listed, vendor);
        self.locate(&mut recipient, &addresses, seen.more);
        recipient
    }

    fn listed(&self, host: Option<&HostName>) -> Vec<Matched<'_>> {
        let Some(HostName::Public(host)) = host else { return Vec::new() };
        let covering = |domain| self.domains.get(domain).into_iter().flatten();
        let lines = ascending(host).flat_map(covering).filter(|line| !line.exact || line.domain == *host);
        lines.map(|line| Matched { covers: line.domain.len(), statement: Cow::Borrowed(&line.statement) }).collect()
    }

    /// Only servers far away have an address that a table of countries can speak of. An address that no table has
    /// may be in any country.
    fn locate(&self, recipient: &mut Recipient, addresses: &[IpAddr], more: bool) {
        if recipient.scope != Scope::Wan {
            return;
        }
        let far = addresses.iter().filter(|address| of_address(**address) == Scope::Wan);
        let each: Vec<Vec<(&Snapshot, Country)>> = far.map(|address| self.countries_of(*address)).collect();
        let is_known = !more && each.iter().all(|found| !found.is_empty());
        let found = each.iter().flatten();
        recipient.server_country = unanimous(found.clone().map(|(_, country)| *country)).filter(|_| is_known);
        let found: BTreeSet<_> = found.collect();
        recipient.said.extend(found.into_iter().map(|(snapshot, country)| Said {
            about: "server country",
            value: country.to_string(),
            list: snapshot.name.clone(),
            dated: snapshot.dated.clone(),
            source: snapshot.from.clone(),
            confirmed: true,
        }));
        recipient.said.extend(more.then(|| seen_in_evidence("server country", MORE)));
    }

    fn countries_of(&self, address: IpAddr) -> Vec<(&Snapshot, Country)> {
        self.countries.iter().filter_map(|table| Some((table.snapshot(), table.country(address)?))).collect()
    }
}

/// The addresses of the packets, in order; where the evidence has none, the one that stands in the place of a name.
fn addresses_of(seen: &Seen<'_>, host: Option<&HostName>) -> Vec<IpAddr> {
    let canonical = seen.addresses.iter().map(IpAddr::to_canonical);
    let stated: BTreeSet<IpAddr> = canonical.filter(|address| !address.is_unspecified()).collect();
    match host {
        Some(HostName::Address(named)) if stated.is_empty() => vec![*named],
        _ => stated.into_iter().collect(),
    }
}

/// The name in lower case; absent where it only repeats the address. What is no host name stays as it is.
fn shown_name(text: &str, host: &HostName, address: Option<IpAddr>) -> Option<String> {
    let wildcard = if text.trim().starts_with("*.") { "*." } else { "" };
    match host {
        HostName::Address(named) => (Some(*named) != address).then(|| named.to_string()),
        HostName::Invalid => (!text.is_empty()).then(|| text.chars().take(253).collect()),
        _ => host.host().map(|host| format!("{wildcard}{host}")),
    }
}

fn how_known(recipient: &Recipient, source: Option<NameSource>, contradiction: Option<&str>) -> Vec<Said> {
    let name = source.filter(|_| recipient.name.is_some()).map(|source| seen_in_evidence("name", name_source(source)));
    name.into_iter().chain(contradiction.map(|reason| seen_in_evidence("scope", reason))).collect()
}

fn seen_in_evidence(about: &'static str, value: &str) -> Said {
    Said { about, value: value.to_owned(), list: EVIDENCE.to_owned(), dated: None, source: None, confirmed: true }
}

fn name_source(source: NameSource) -> &'static str {
    match source {
        NameSource::Sni => "server name indication",
        NameSource::SniBesideEch => "server name indication beside an encrypted one: perhaps a cover name",
        NameSource::Host => "host field",
        NameSource::Certificate => "certificate",
        NameSource::Dns => "DNS answer",
        NameSource::Hardware => "address of a network card",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::Role;
    use proptest::prelude::*;

    const LIST: &str = "
owner: Metrics Ltd
also: [Metrics Analytics]
group: { name: Big Group, confirmed: false }
home: { country: US, confirmed: false }
role: third
dated: 2026-01-02
domains:
  - { domain: metrics.example, what: statistics, confirmed: false }
  - { domain: cdn.metrics.example, what: files, role: processor, confirmed: false }
";
    const OTHER: &str = "
owner: Another GmbH
home: { country: DE, confirmed: false }
dated: 2026-01-03
domains:
  - { domain: metrics.example, what: statistics, confirmed: false }
";

    fn lists(texts: &[&str]) -> Recipients {
        let read = |(number, text): (usize, &&str)| OwnerList::from_yaml(&format!("{number}.yaml"), text).unwrap();
        Recipients::new(texts.iter().enumerate().map(read).collect(), Vec::new())
    }

    fn at(name: &str) -> Endpoint {
        Endpoint { address: None, port: Some(443), name: Some((name.to_owned(), NameSource::Sni)) }
    }

    fn parties(edit: impl FnOnce(&mut Parties)) -> Parties {
        let mut parties = Parties::default();
        edit(&mut parties);
        parties
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn owner(name: &str, domain: &str) -> dyetrace_case::Owner {
        dyetrace_case::Owner {
            name: name.to_owned(),
            domains: names(&[domain]),
            country: None,
            role: None,
            source: None,
        }
    }

    #[test]
    fn a_listed_domain_covers_the_names_below_it() {
        let recipient = lists(&[LIST]).resolve(&at("API.eu.Metrics.example."), None, &Parties::default());
        assert_eq!(recipient.name.as_deref(), Some("api.eu.metrics.example"));
        assert_eq!(recipient.domain.as_deref(), Some("metrics.example"));
        assert_eq!(recipient.owner.as_deref(), Some("Metrics Ltd"));
        assert_eq!((recipient.role, recipient.scope), (Role::Third, Scope::Wan));
        assert_eq!(recipient.operator_country, Country::new("US"));
        assert_eq!(recipient.server_country, None);
        let said: Vec<_> =
            recipient.said.iter().map(|said| (said.about, said.value.as_str(), said.list.as_str())).collect();
        assert_eq!(said[0], ("name", "server name indication", "evidence"));
        assert!(said.contains(&("owner", "Metrics Ltd", "0.yaml")));
    }

    #[test]
    fn a_name_that_only_ends_like_a_listed_one_is_another() {
        let recipient = lists(&[LIST]).resolve(&at("notmetrics.example"), None, &Parties::default());
        assert_eq!((recipient.owner, recipient.role), (None, Role::Unknown));
    }

    #[test]
    fn lists_that_disagree_make_unknown_and_are_all_quoted() {
        let recipient = lists(&[LIST, OTHER]).resolve(&at("metrics.example"), None, &Parties::default());
        assert_eq!((recipient.owner.as_deref(), recipient.operator_country), (None, None));
        let owners: Vec<_> =
            recipient.said.iter().filter(|said| said.about == "owner").map(|said| &said.value).collect();
        assert_eq!(owners, ["Metrics Ltd", "Another GmbH"]);
    }

    #[test]
    fn a_longer_domain_speaks_more_exactly() {
        let recipient = lists(&[LIST, OTHER]).resolve(&at("x.cdn.metrics.example"), None, &Parties::default());
        assert_eq!((recipient.owner.as_deref(), recipient.role), (Some("Metrics Ltd"), Role::Processor));
    }

    #[test]
    fn what_an_owner_is_to_the_maker_depends_on_the_maker() {
        let lists = lists(&[LIST]);
        let role = |vendor| lists.resolve(&at("metrics.example"), Some(vendor), &Parties::default()).role;
        assert_eq!(role("METRICS ANALYTICS, Inc."), Role::First);
        assert_eq!(role("Big Group"), Role::Affiliate);
        assert_eq!(role("Example Home"), Role::Third);
    }

    #[test]
    fn the_case_decides_about_roles() {
        let lists = lists(&[LIST]);
        let case = parties(|parties| parties.processors = names(&["metrics.example"]));
        assert_eq!(lists.resolve(&at("a.metrics.example"), Some("Metrics"), &case).role, Role::Processor);
        let torn = parties(|parties| {
            parties.first = names(&["metrics.example"]);
            parties.third = names(&["metrics.example"]);
        });
        assert_eq!(lists.resolve(&at("a.metrics.example"), None, &torn).role, Role::Unknown);
        let nearer = parties(|parties| {
            parties.first = names(&["metrics.example"]);
            parties.third = names(&["a.metrics.example"]);
        });
        assert_eq!(lists.resolve(&at("a.metrics.example"), None, &nearer).role, Role::Third);
    }

    #[test]
    fn the_makers_own_domain_is_owned_by_the_maker() {
        let case = parties(|parties| parties.first = names(&["smarthome.example"]));
        let recipient = lists(&[]).resolve(&at("api.smarthome.example"), Some("Example Smart Home Co."), &case);
        assert_eq!((recipient.owner.as_deref(), recipient.role), (Some("Example Smart Home Co."), Role::First));
        // That a domain is used by the maker does not change whose it is.
        let case = parties(|parties| parties.first = names(&["metrics.example"]));
        let recipient = lists(&[LIST]).resolve(&at("metrics.example"), Some("Example Smart Home Co."), &case);
        assert_eq!((recipient.owner.as_deref(), recipient.role), (Some("Metrics Ltd"), Role::First));
    }

    #[test]
    fn an_owner_of_the_case_against_a_list_makes_unknown_unless_it_names_the_host() {
        let lists = lists(&[LIST]);
        let resolve = |domain: &str| {
            let case = parties(|parties| parties.owners = vec![owner("Tenant", domain)]);
            lists.resolve(&at("shop.metrics.example"), None, &case).owner
        };
        assert_eq!(resolve("metrics.example"), None);
        assert_eq!(resolve("shop.metrics.example").as_deref(), Some("Tenant"));
    }

    #[test]
    fn an_address_of_the_case_counts_where_it_says_nothing_of_the_name() {
        let case = parties(|parties| {
            parties.first = names(&["smarthome.example"]);
            parties.third = names(&["203.0.113.7"]);
        });
        let resolve = |name: Option<&str>| {
            let name = name.map(|name| (name.to_owned(), NameSource::Dns));
            let endpoint = Endpoint { address: "203.0.113.7".parse().ok(), port: None, name };
            lists(&[]).resolve(&endpoint, None, &case).role
        };
        assert_eq!(resolve(None), Role::Third);
        assert_eq!(resolve(Some("other.example")), Role::Third);
        assert_eq!(resolve(Some("smarthome.example")), Role::First);
    }

    #[test]
    fn the_servers_country_is_kept_apart_from_the_owners() {
        use crate::country::tests::{mmdb, snapshot};
        let table = |country: &str| CountryTable::new(mmdb(country), snapshot(country)).unwrap();
        let resolve = |countries: Vec<CountryTable>, address: &str| {
            let recipients = Recipients::new(vec![OwnerList::from_yaml("l.yaml", LIST).unwrap()], countries);
            let name = Some(("metrics.example".to_owned(), NameSource::Sni));
            let endpoint = Endpoint { address: address.parse().ok(), port: None, name };
            recipients.resolve(&endpoint, None, &Parties::default())
        };
        let recipient = resolve(vec![table("DE")], "203.0.113.20");
        assert_eq!((recipient.server_country, recipient.operator_country), (Country::new("DE"), Country::new("US")));
        assert_eq!(recipient.said.last().map(|said| said.about), Some("server country"));
        let torn = resolve(vec![table("DE"), table("NL")], "203.0.113.20");
        assert_eq!(torn.server_country, None);
        assert_eq!(torn.said.iter().filter(|said| said.about == "server country").count(), 2);
        assert_eq!(resolve(vec![table("DE")], "198.51.100.1").server_country, None);
    }

    /// The smallest of a name's addresses alone once decided in which country its server was.
    #[test]
    fn a_name_at_addresses_in_two_countries_has_no_country() {
        use crate::country::tests::{mmdb, snapshot};
        let table = CountryTable::new(mmdb("CN"), snapshot("CN")).unwrap();
        let recipients = Recipients::new(Vec::new(), vec![table]);
        let resolve = |addresses: &[&str], more| {
            let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            let seen = Seen { name: Some(("api.metrics.example", NameSource::Sni)), addresses, more };
            recipients.resolve_seen(&seen, None, &Parties::default())
        };
        assert_eq!(resolve(&["203.0.113.20", "203.0.113.99"], false).server_country, Country::new("CN"));
        let elsewhere = resolve(&["203.0.113.20", "210.0.0.1"], false);
        assert_eq!((elsewhere.server_country, elsewhere.scope), (None, Scope::Wan));
        assert!(elsewhere.said.iter().any(|said| said.about == "server country" && said.value == "CN"));
        let more = resolve(&["203.0.113.20"], true);
        assert_eq!(more.server_country, None);
        assert!(more.said.iter().any(|said| said.value == MORE));
    }

    #[test]
    fn what_the_case_says_of_one_address_is_not_said_of_a_name_at_two() {
        let parties = parties(|parties| parties.first = names(&["203.0.113.20"]));
        let role = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            let seen = Seen { name: Some(("nobody.test", NameSource::Sni)), addresses, more: false };
            lists(&[]).resolve_seen(&seen, None, &parties).role
        };
        assert_eq!(role(&["203.0.113.20"]), Role::First);
        assert_eq!(role(&["203.0.113.20", "203.0.113.21"]), Role::Unknown);
    }

    #[test]
    fn a_name_that_is_an_address_is_an_address() {
        let recipient = lists(&[]).resolve(&at("[2001:db8::7]:443"), None, &Parties::default());
        assert_eq!((recipient.name, recipient.address), (None, "2001:db8::7".parse().ok()));
        let recipient = lists(&[]).resolve(&Endpoint::default(), None, &Parties::default());
        assert_eq!(recipient, Recipient::unknown(None, None, Scope::Unknown));
    }

    #[test]
    fn a_name_from_a_certificate_counts_and_is_called_so() {
        let endpoint = Endpoint {
            address: "198.51.100.9".parse().ok(),
            port: None,
            name: Some(("*.metrics.example".to_owned(), NameSource::Certificate)),
        };
        let recipient = lists(&[LIST]).resolve(&endpoint, None, &Parties::default());
        assert_eq!(recipient.owner.as_deref(), Some("Metrics Ltd"));
        assert_eq!(recipient.name.as_deref(), Some("*.metrics.example"));
        assert_eq!(recipient.said[0].value, "certificate");
    }

    #[test]
    fn the_lists_that_are_compiled_in_know_their_makers() {
        let recipients = Recipients::shipped().unwrap();
        let resolve = |name, vendor| recipients.resolve(&at(name), vendor, &Parties::default());
        let tuya = resolve("a1.tuyaeu.com", Some("Example Lights"));
        assert_eq!((tuya.owner.as_deref(), tuya.role), (Some("Tuya Inc."), Role::Processor));
        assert_eq!(resolve("a1.tuyaeu.com", Some("Tuya Smart")).role, Role::First);
        assert_eq!(resolve("sg.ots.io.mi.com", Some("Xiaomi")).role, Role::First);
        assert_eq!(resolve("ulogs.umeng.com", Some("Xiaomi")).role, Role::Third);
        assert_eq!(resolve("ulogs.umeng.com", Some("Alibaba Group")).role, Role::Affiliate);
        assert!(recipients.snapshots().iter().all(|snapshot| snapshot.dated.is_some()));
    }

    fn source() -> impl Strategy<Value = NameSource> {
        use NameSource::{Certificate, Dns, Host, Sni, SniBesideEch};
        proptest::sample::select(vec![Sni, SniBesideEch, Host, Certificate, Dns])
    }

    proptest! {
        #[test]
        fn no_endpoint_is_too_strange(name in ".{0,300}", source in source(), address: Option<IpAddr>, vendor in ".{0,20}") {
            let endpoint = Endpoint { address, port: None, name: Some((name, source)) };
            lists(&[LIST, OTHER]).resolve(&endpoint, Some(&vendor), &Parties::default());
        }

        #[test]
        fn what_no_list_says_stays_unknown(label in "[a-z]{1,20}", source in source(), address: Option<IpAddr>) {
            let endpoint = Endpoint { address, port: None, name: Some((format!("{label}.nobody.test"), source)) };
            let recipient = lists(&[LIST, OTHER]).resolve(&endpoint, Some("Metrics Ltd"), &Parties::default());
            prop_assert_eq!((recipient.owner, recipient.role), (None, Role::Unknown));
            prop_assert_eq!((recipient.server_country, recipient.operator_country), (None, None));
        }

        #[test]
        fn the_order_of_addresses_decides_nothing(
            mut addresses in proptest::collection::vec(any::<IpAddr>(), 0..5), source in source(), more: bool,
        ) {
            let resolve = |addresses: Vec<IpAddr>| {
                let seen = Seen { name: Some(("api.metrics.example", source)), addresses, more };
                lists(&[LIST]).resolve_seen(&seen, None, &Parties::default())
            };
            let forward = resolve(addresses.clone());
            addresses.reverse();
            prop_assert_eq!(forward, resolve(addresses));
        }

        #[test]
        fn the_order_of_lists_decides_nothing(name in "([a-z]{1,5}\\.){0,2}(cdn\\.)?metrics\\.example", vendor in "Metrics|Another|Home") {
            let resolve = |texts: &[&str]| {
                let recipient = lists(texts).resolve(&at(&name), Some(&vendor), &Parties::default());
                (recipient.owner, recipient.role, recipient.operator_country, recipient.domain)
            };
            prop_assert_eq!(resolve(&[LIST, OTHER]), resolve(&[OTHER, LIST]));
        }
    }
}
