//! What one line of a list says of the names it covers.

use crate::entity::plain;
use dyetrace_case::{Country, Role, Said};
use std::borrow::Cow;
use std::sync::Arc;

/// The name under which statements of the case itself are listed.
pub(crate) const CASE: &str = "case.yaml";

/// A statement, and how many bytes of the name it covers: the longer, the more exactly it speaks of this name.
pub(crate) struct Matched<'a> {
    pub(crate) covers: usize,
    pub(crate) statement: Cow<'a, Statement>,
}

/// An entity, as one list has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entity {
    /// Its name.
    pub(crate) name: String,
    /// Other names of it.
    pub(crate) also: Vec<String>,
    /// The group of companies it belongs to.
    pub(crate) group: Option<Group>,
    /// Where it is at home.
    pub(crate) home: Option<Home>,
}

/// Where an entity is at home, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    /// The country.
    pub(crate) country: Country,
    /// Where that is written.
    pub(crate) source: Option<String>,
    /// True where it was read there.
    pub(crate) confirmed: bool,
}

/// A group of companies, and where it is written that a company belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The name of the group or of its head.
    pub(crate) name: String,
    /// Where that is written.
    pub(crate) source: Option<String>,
    /// True where it was read there.
    pub(crate) confirmed: bool,
}

impl Entity {
    /// The same company, or one of them is the other's group: the lists do not contradict each other.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let group_of = |one: &Self, other: &Self| one.group.as_ref().is_some_and(|group| other.is_called(&group.name));
        self.names().any(|name| other.is_called(name)) || group_of(self, other) || group_of(other, self)
    }

    /// What it is to the maker of that name: the maker itself, or of its group.
    pub(crate) fn relation_to(&self, vendor: &str) -> Option<Role> {
        if self.is_called(vendor) {
            return Some(Role::First);
        }
        let group = plain(&self.group.as_ref()?.name);
        (!group.is_empty() && group == plain(vendor)).then_some(Role::Affiliate)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.also).map(String::as_str)
    }

    fn is_called(&self, name: &str) -> bool {
        let name = plain(name);
        !name.is_empty() && self.names().any(|own| plain(own) == name)
    }
}

/// What one line of a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Who owns the name.
    pub(crate) owner: Option<Arc<Entity>>,
    /// What the owner is to makers other than itself, or to the case's maker where the case says it.
    pub(crate) role: Option<Role>,
    /// What is there.
    pub(crate) what: Option<String>,
    /// The list.
    pub(crate) list: Arc<str>,
    /// Date of the list or of its line.
    pub(crate) dated: Option<String>,
    /// Where the line has it from.
    pub(crate) source: Option<String>,
    /// True where it was read there.
    pub(crate) confirmed: bool,
}

impl Statement {
    /// Its parts, one by one.
    pub(crate) fn said(&self) -> Vec<Said> {
        let home = self.owner.as_ref().and_then(|owner| owner.home.as_ref());
        let own = |about, value: String| Said {
            about,
            value,
            list: self.list.to_string(),
            dated: self.dated.clone(),
            source: self.source.clone(),
            confirmed: self.confirmed,
        };
        let group = self.owner.as_ref().and_then(|owner| owner.group.as_ref()).map(|group| Said {
            source: group.source.clone(),
            confirmed: group.confirmed,
            ..own("group", group.name.clone())
        });
        let country = home.map(|home| Said {
            source: home.source.clone(),
            confirmed: home.confirmed,
            ..own("operator country", home.country.to_string())
        });
        [
            self.owner.as_ref().map(|owner| own("owner", owner.name.clone())),
            group,
            self.role.map(|role| own("role", role.name().to_owned())),
            self.what.clone().map(|what| own("what", what)),
            country,
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(name: &str, also: &[&str], group: Option<&str>) -> Entity {
        let also = also.iter().map(|name| (*name).to_owned()).collect();
        let group = group.map(|name| Group { name: name.to_owned(), source: None, confirmed: false });
        Entity { name: name.to_owned(), also, group, home: None }
    }

    #[test]
    fn a_company_is_known_by_each_of_its_names() {
        let tuya = entity("Tuya Inc.", &["涂鸦智能"], None);
        assert!(tuya.agrees_with(&entity("TUYA", &[], None)));
        assert!(!tuya.agrees_with(&entity("Tuya Metrics", &[], None)));
        assert_eq!(tuya.relation_to("涂鸦智能"), Some(Role::First));
        assert_eq!(tuya.relation_to("Example Lights"), None);
        assert_eq!(tuya.relation_to(""), None);
    }

    #[test]
    fn companies_of_a_group_are_affiliates_of_its_head_and_not_of_each_other() {
        let (analytics, cloud) = (entity("A", &[], Some("Group Ltd")), entity("C", &[], Some("Group Ltd")));
        assert_eq!(analytics.relation_to("Group Limited"), Some(Role::Affiliate));
        assert_eq!(analytics.relation_to("C"), None);
        assert!(analytics.agrees_with(&entity("Group", &[], None)));
        assert!(!analytics.agrees_with(&cloud));
    }
}
