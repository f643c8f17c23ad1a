//! `third-party-web`: who is behind the domains that web pages load from others (npm, MIT licence).

use crate::list::{Line, ListError, OwnerList};
use crate::statement::{Entity, Statement};
use dyetrace_case::{Role, Snapshot, party_name};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Listed {
    name: String,
    company: Option<String>,
    category: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
}

impl OwnerList {
    /// Reads `dist/entities-nostats.json` of the package. It has no countries.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn third_party_web(json: &[u8], snapshot: Snapshot) -> Result<Self, ListError> {
        let listed: Vec<Listed> =
            serde_json::from_slice(json).map_err(|error| ListError::new(&snapshot.name, error))?;
        let name: Arc<str> = snapshot.name.as_str().into();
        let lines = listed.iter().flat_map(|entity| lines(entity, &name, snapshot.dated.as_ref())).collect();
        Ok(Self { snapshot, lines })
    }
}

/// A domain with `*.` covers what is below it; one without, itself alone.
fn lines(listed: &Listed, list: &Arc<str>, dated: Option<&String>) -> Vec<Line> {
    let statement = Statement {
        owner: Some(Arc::new(entity(listed))),
        role: listed.category.as_deref().and_then(role),
        what: listed.category.clone(),
        list: Arc::clone(list),
        dated: dated.cloned(),
        source: Some(format!("entity {}", listed.name)),
        confirmed: true,
    };
    let line = |domain: &String| {
        let exact = !domain.starts_with("*.");
        Some(Line { domain: party_name(domain).ok()?, exact, statement: statement.clone() })
    };
    listed.domains.iter().filter_map(line).collect()
}

/// The product's name is a second name of the company, so that lists that name either agree.
fn entity(listed: &Listed) -> Entity {
    let (name, also) = match &listed.company {
        Some(company) => (company.clone(), vec![listed.name.clone()]),
        None => (listed.name.clone(), Vec::new()),
    };
    Entity { name, also, group: None, home: None }
}

/// Only categories whose relation to the maker is plain.
fn role(category: &str) -> Option<Role> {
    match category {
        "ad" | "analytics" | "marketing" | "social" => Some(Role::Third),
        "cdn" | "hosting" => Some(Role::Processor),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            name: "third-party-web".to_owned(),
            version: None,
            dated: None,
            licence: None,
            sha256: None,
            from: None,
            note: None,
        }
    }

    #[test]
    fn company_category_and_domains_are_read() {
        let json = br#"[{"name":"Metrics Ads","company":"Metrics","category":"ad","domains":["*.metrics.example","ads.example"]},
            {"name":"Box","category":"utility","domains":["box.example"],"products":[{"name":"x"}]}]"#;
        let list = OwnerList::third_party_web(json, snapshot()).unwrap();
        let lines: Vec<_> = list.lines.iter().map(|line| (line.domain.as_str(), line.exact)).collect();
        assert_eq!(lines, [("metrics.example", false), ("ads.example", true), ("box.example", true)]);
        assert_eq!(list.lines[0].statement.role, Some(Role::Third));
        assert_eq!(list.lines[0].statement.owner.as_ref().unwrap().name, "Metrics");
        assert_eq!(list.lines[0].statement.source.as_deref(), Some("entity Metrics Ads"));
        assert_eq!(list.lines[2].statement.role, None);
        assert!(OwnerList::third_party_web(b"{}", snapshot()).is_err());
    }
}
