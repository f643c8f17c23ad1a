//! What the statements about a recipient come to: owner, role, the owner's country.

use crate::statement::{CASE, Entity, Matched, Statement};
use dyetrace_case::{Recipient, Role, Said};

/// Owner, role and the owner's country. Statements on a longer domain are about this name more exactly than those
/// on a shorter one and replace them; among statements on the same domain, any disagreement makes unknown.
pub(crate) fn attribute(recipient: &mut Recipient, case: &[Matched<'_>], listed: &[Matched<'_>], vendor: Option<&str>) {
    let owners = most_exact(case.iter().chain(listed), |statement| statement.owner.as_deref());
    let agreed = owners.first().filter(|first| owners.iter().all(|other| first.agrees_with(other)));
    recipient.owner = agreed.map(|owner| owner.name.clone());
    if agreed.is_some() {
        let countries = owners.iter().filter_map(|owner| owner.home.as_ref()).map(|home| home.country);
        recipient.operator_country = unanimous(countries);
    }
    recipient.role = role(case, listed, &owners, vendor);
    let relation = vendor.filter(|_| recipient.role == Role::First && owners.is_empty());
    if let Some(vendor) = relation {
        recipient.owner = Some(vendor.to_owned());
        recipient.said.push(deduced("owner", vendor, "the case says that it is the maker's own"));
    } else if let Some(role) = owner_is_vendor(&owners, vendor).filter(|role| *role == recipient.role) {
        recipient.said.push(deduced("role", role.name(), "the owner is the product's vendor, or of its group"));
    }
}

fn deduced(about: &'static str, value: &str, why: &str) -> Said {
    Said {
        about,
        value: value.to_owned(),
        list: CASE.to_owned(),
        dated: None,
        source: Some(why.to_owned()),
        confirmed: true,
    }
}

/// What an owner is to the maker only the case can say; then its vendor's name; lists say what it is to most.
fn role(case: &[Matched<'_>], listed: &[Matched<'_>], owners: &[&Entity], vendor: Option<&str>) -> Role {
    let stated = most_exact(case.iter(), |statement| statement.role.as_ref());
    if !stated.is_empty() {
        return unanimous(stated.into_iter().copied()).unwrap_or(Role::Unknown);
    }
    if let Some(relation) = owner_is_vendor(owners, vendor) {
        return relation;
    }
    let usual = most_exact(listed.iter(), |statement| statement.role.as_ref());
    unanimous(usual.into_iter().copied()).unwrap_or(Role::Unknown)
}

/// What an owner is to the vendor by its name or group; unknown where lists disagree about that.
fn owner_is_vendor(owners: &[&Entity], vendor: Option<&str>) -> Option<Role> {
    let relations: Vec<_> = owners.iter().map(|owner| owner.relation_to(vendor?)).collect();
    let related = relations.iter().any(Option::is_some);
    related.then(|| unanimous(relations.into_iter()).flatten().unwrap_or(Role::Unknown))
}

/// What the statements on the longest domain say, of those that say anything of it.
fn most_exact<'a, T: ?Sized + 'a>(
    statements: impl Iterator<Item = &'a Matched<'a>>,
    part: impl Fn(&'a Statement) -> Option<&'a T>,
) -> Vec<&'a T> {
    let said: Vec<(usize, &T)> = statements.filter_map(|one| Some((one.covers, part(&one.statement)?))).collect();
    let longest = said.iter().map(|(covers, _)| *covers).max().unwrap_or(0);
    said.into_iter().filter(|(covers, _)| *covers == longest).map(|(_, part)| part).collect()
}

/// The one value of all, if there is one.
pub(crate) fn unanimous<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}
