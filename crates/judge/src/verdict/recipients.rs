//! Is this recipient one that a claim speaks of?

use super::tri::Tri;
use crate::{CountryTest, Reach};
use dyetrace_case::{Recipient, Role, Scope};

/// Any of these; of a recipient of which too little is known, nobody can tell.
pub(crate) fn reached(recipient: &Recipient, reaches: &[Reach]) -> Tri {
    Tri::any(reaches.iter().map(|reach| one(recipient, reach)))
}

fn one(recipient: &Recipient, reach: &Reach) -> Tri {
    match reach {
        Reach::Storage => Tri::No,
        _ if recipient.scope == Scope::Storage => Tri::No,
        Reach::Scope(_) | Reach::Elsewhere if recipient.scope == Scope::Unknown => Tri::Maybe,
        Reach::Scope(scope) => Tri::of(recipient.scope == *scope),
        Reach::Elsewhere => Tri::of(recipient.scope != Scope::Loopback),
        Reach::Role(role) if recipient.role != Role::Unknown => Tri::of(recipient.role == *role),
        Reach::Owner(owner) if recipient.owner.is_some() => {
            Tri::of(recipient.owner.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(owner)))
        }
        Reach::Domain(domain) if recipient.name.is_some() => {
            Tri::of(recipient.name.as_ref().is_some_and(|name| is_within(name, domain)))
        }
        Reach::Role(_) | Reach::Owner(_) | Reach::Domain(_) => unknown_unless_near(recipient),
    }
}

/// What is in the home itself belongs to the household, whatever lists do not say.
fn unknown_unless_near(recipient: &Recipient) -> Tri {
    if is_near(recipient) { Tri::No } else { Tri::Maybe }
}

/// True for the same machine and its files, the same link or home network.
pub(crate) fn is_near(recipient: &Recipient) -> bool {
    matches!(recipient.scope, Scope::Loopback | Scope::Link | Scope::Lan | Scope::Storage)
}

fn is_within(name: &str, domain: &str) -> bool {
    let name = name.trim_end_matches('.').to_lowercase();
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Is the recipient's country at fault? `Yes` where the claim has no condition on it.
pub(crate) fn country_at_fault(recipient: &Recipient, tests: &[CountryTest]) -> Tri {
    tests.iter().map(|test| one_country(recipient, test)).min().unwrap_or(Tri::Yes)
}

fn one_country(recipient: &Recipient, test: &CountryTest) -> Tri {
    let country = if test.operator { recipient.operator_country } else { recipient.server_country };
    match country {
        Some(country) => Tri::of(test.countries.contains(&country) != test.outside),
        None => unknown_unless_near(recipient),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(name: &str, scope: Scope) -> Recipient {
        Recipient::unknown(Some(name.to_owned()), None, scope)
    }

    #[test]
    fn domains_end_at_a_dot() {
        let reach = [Reach::Domain("maker.example".to_owned())];
        assert_eq!(reached(&recipient("Api.Maker.example.", Scope::Wan), &reach), Tri::Yes);
        assert_eq!(reached(&recipient("notmaker.example", Scope::Wan), &reach), Tri::No);
        assert_eq!(reached(&Recipient::unknown(None, None, Scope::Wan), &reach), Tri::Maybe);
    }

    #[test]
    fn an_unknown_scope_may_be_the_internet() {
        let reach = [Reach::Scope(Scope::Wan)];
        assert_eq!(reached(&recipient("x.example", Scope::Unknown), &reach), Tri::Maybe);
        assert_eq!(reached(&recipient("x.example", Scope::Lan), &reach), Tri::No);
    }

    #[test]
    fn an_unknown_role_may_be_any_role_but_at_home() {
        let reach = [Reach::Role(Role::Third)];
        assert_eq!(reached(&recipient("x.example", Scope::Wan), &reach), Tri::Maybe);
        assert_eq!(reached(&recipient("plug.lan", Scope::Lan), &reach), Tri::No);
    }
}
