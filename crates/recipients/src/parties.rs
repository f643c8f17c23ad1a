//! What the case itself says of a name: `parties:` of `case.yaml`.

use crate::name::{HostName, below};
use crate::statement::{CASE, Entity, Home, Matched, Statement};
use dyetrace_case::{Parties, Role};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// What the case says of a name; where it says nothing of the name, what it says alike of all its addresses.
/// Where there are `more` of those, nobody can tell.
pub(crate) fn case_statements<'a>(
    parties: &Parties,
    host: Option<&HostName>,
    addresses: &[IpAddr],
    more: bool,
) -> Vec<Matched<'a>> {
    let of_name = |party: &str| {
        let host = host.and_then(HostName::host)?;
        below(host, party).then_some(party.len())
    };
    let named = statements_of(parties, &of_name);
    if !named.is_empty() || more {
        return named;
    }
    let of_address = |address: &IpAddr| statements_of(parties, &|party| (party.parse() == Ok(*address)).then_some(0));
    let mut each = addresses.iter().map(of_address);
    let first = each.next().unwrap_or_default();
    let is_same =
        |other: Vec<Matched<'_>>| other.iter().map(|one| &one.statement).eq(first.iter().map(|one| &one.statement));
    if each.all(is_same) { first } else { Vec::new() }
}

fn statements_of<'a>(parties: &Parties, covers: &dyn Fn(&str) -> Option<usize>) -> Vec<Matched<'a>> {
    let roles = [
        (Role::First, &parties.first),
        (Role::Affiliate, &parties.affiliates),
        (Role::Processor, &parties.processors),
        (Role::Third, &parties.third),
    ];
    let by_role = roles.into_iter().flat_map(|(role, domains)| {
        domains.iter().filter_map(move |domain| Some((covers(domain)?, case_statement(None, Some(role), None))))
    });
    let by_owner = parties.owners.iter().flat_map(|owner| {
        let home = owner.country.map(|country| Home { country, source: owner.source.clone(), confirmed: true });
        let entity = Arc::new(Entity { name: owner.name.clone(), home, ..Entity::default() });
        owner.domains.iter().filter_map(move |domain| {
            Some((covers(domain)?, case_statement(Some(Arc::clone(&entity)), owner.role, owner.source.clone())))
        })
    });
    let matched = |(covers, statement)| Matched { covers, statement: Cow::Owned(statement) };
    by_role.chain(by_owner).map(matched).collect()
}

fn case_statement(owner: Option<Arc<Entity>>, role: Option<Role>, source: Option<String>) -> Statement {
    Statement { owner, role, what: None, list: CASE.into(), dated: None, source, confirmed: true }
}
