//! Lists of who owns which domain: those of the folder `recipients/`, compiled in, one file for each maker.

use crate::name::HostName;
use crate::statement::{Entity, Group, Home, Statement};
use dyetrace_case::{Country, Role, Snapshot, party_name};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// File and text of each list of the folder `recipients/`.
const SHIPPED: &[(&str, &str)] = &[
    ("recipients/aliyun.yaml", include_str!("../../../recipients/aliyun.yaml")),
    ("recipients/broadlink.yaml", include_str!("../../../recipients/broadlink.yaml")),
    ("recipients/coolkit.yaml", include_str!("../../../recipients/coolkit.yaml")),
    ("recipients/getui.yaml", include_str!("../../../recipients/getui.yaml")),
    ("recipients/huawei.yaml", include_str!("../../../recipients/huawei.yaml")),
    ("recipients/jiguang.yaml", include_str!("../../../recipients/jiguang.yaml")),
    ("recipients/orvibo.yaml", include_str!("../../../recipients/orvibo.yaml")),
    ("recipients/talkingdata.yaml", include_str!("../../../recipients/talkingdata.yaml")),
    ("recipients/tencent.yaml", include_str!("../../../recipients/tencent.yaml")),
    ("recipients/tuya.yaml", include_str!("../../../recipients/tuya.yaml")),
    ("recipients/umeng.yaml", include_str!("../../../recipients/umeng.yaml")),
    ("recipients/xiaomi.yaml", include_str!("../../../recipients/xiaomi.yaml")),
];

/// A dated list of domains and their owners.
#[derive(Debug, Clone)]
pub struct OwnerList {
    pub(crate) snapshot: Snapshot,
    pub(crate) lines: Vec<Line>,
}

/// One line of it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The domain.
    pub(crate) domain: String,
    /// True where names below the domain are not meant.
    pub(crate) exact: bool,
    /// What it says of it.
    pub(crate) statement: Statement,
}

/// A list that is not of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListError {
    /// Which list.
    pub list: String,
    /// What is wrong with it, with line and column where it has such.
    pub reason: String,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.list, self.reason)
    }
}

impl std::error::Error for ListError {}

impl ListError {
    pub(crate) fn new(list: &str, reason: impl fmt::Display) -> Self {
        Self { list: list.to_owned(), reason: reason.to_string() }
    }
}

impl OwnerList {
    /// The lists of the folder `recipients/`.
    ///
    /// # Errors
    /// A list is not of its form, which a test rules out.
    pub fn shipped() -> Result<Vec<Self>, ListError> {
        SHIPPED.iter().map(|(name, text)| Self::from_yaml(name, text)).collect()
    }

    /// Reads a list in the form of the folder `recipients/` (docs/recipients.md).
    ///
    /// # Errors
    /// It is not of that form, or says that something was read and not where or when.
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, ListError> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| ListError::new(name, error))?;
        let home =
            file.home.as_ref().map(HomeEntry::read).transpose().map_err(|reason| ListError::new(name, reason))?;
        let group = file.group.map(GroupEntry::read).transpose().map_err(|reason| ListError::new(name, reason))?;
        let role = file.role.as_deref().map(role).transpose().map_err(|reason| ListError::new(name, reason))?;
        let owner = Entity { name: file.owner, also: file.also, group, home };
        let shared = Shared { owner: Arc::new(owner), role, list: name.into(), dated: &file.dated };
        let lines =
            file.domains.into_iter().map(|line| shared.line(line).map_err(|reason| ListError::new(name, reason)));
        Ok(Self { lines: lines.collect::<Result<_, _>>()?, snapshot: snapshot(name, text, &file.dated) })
    }

    /// Which list this is.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

fn snapshot(name: &str, text: &str, dated: &str) -> Snapshot {
    Snapshot {
        name: name.to_owned(),
        version: None,
        dated: Some(dated.to_owned()),
        licence: Some("MIT OR Apache-2.0".to_owned()),
        sha256: Some(dyetrace_case::hex(&Sha256::digest(text))),
        from: Some("compiled in".to_owned()),
        note: None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    owner: String,
    #[serde(default)]
    also: Vec<String>,
    group: Option<GroupEntry>,
    home: Option<HomeEntry>,
    role: Option<String>,
    dated: String,
    domains: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HomeEntry {
    country: String,
    source: Option<String>,
    read: Option<String>,
    confirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    name: String,
    source: Option<String>,
    read: Option<String>,
    confirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    domain: String,
    what: String,
    /// Where it differs from the owner's.
    role: Option<String>,
    source: Option<String>,
    read: Option<String>,
    confirmed: bool,
}

impl HomeEntry {
    fn read(&self) -> Result<Home, String> {
        proven(self.confirmed, self.source.as_ref(), self.read.as_ref()).map_err(|reason| format!("home: {reason}"))?;
        let country = Country::new(&self.country).ok_or("home: country: two letters, as in CN")?;
        Ok(Home { country, source: self.source.clone(), confirmed: self.confirmed })
    }
}

impl GroupEntry {
    fn read(self) -> Result<Group, String> {
        proven(self.confirmed, self.source.as_ref(), self.read.as_ref())
            .map_err(|reason| format!("group: {reason}"))?;
        Ok(Group { name: self.name, source: self.source, confirmed: self.confirmed })
    }
}

/// What all lines of one list have in common.
struct Shared<'a> {
    owner: Arc<Entity>,
    role: Option<Role>,
    list: Arc<str>,
    dated: &'a str,
}

impl Shared<'_> {
    fn line(&self, entry: Entry) -> Result<Line, String> {
        let domain = party_name(&entry.domain)?;
        if HostName::read(&domain).registrable().is_none() {
            return Err(format!("{domain}: nobody can register that"));
        }
        proven(entry.confirmed, entry.source.as_ref(), entry.read.as_ref())
            .map_err(|reason| format!("{domain}: {reason}"))?;
        let role = entry.role.as_deref().map(role).transpose()?.or(self.role);
        let statement = Statement {
            owner: Some(Arc::clone(&self.owner)),
            role,
            what: Some(entry.what),
            list: Arc::clone(&self.list),
            dated: Some(entry.read.unwrap_or_else(|| self.dated.to_owned())),
            source: entry.source,
            confirmed: entry.confirmed,
        };
        Ok(Line { domain, exact: false, statement })
    }
}

/// What is called confirmed must say where and when it was read.
fn proven(confirmed: bool, source: Option<&String>, read: Option<&String>) -> Result<(), &'static str> {
    if confirmed && (source.is_none() || read.is_none()) {
        return Err("confirmed, but not where (source) and when (read)");
    }
    Ok(())
}

/// Lists are written for every maker, so they can say only what an owner is to others than itself.
fn role(name: &str) -> Result<Role, String> {
    let role = Role::of(name).filter(|role| matches!(role, Role::Processor | Role::Third));
    role.ok_or_else(|| format!("role {name:?}: a list can say processor or third"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_the_folder_is_compiled_in_and_of_its_form() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipients");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> =
            files.filter(|name| !name.starts_with('.')).map(|name| format!("recipients/{name}")).collect();
        files.sort();
        assert_eq!(files, SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        let lists = OwnerList::shipped().unwrap();
        assert!(lists.iter().all(|list| !list.lines.is_empty()));
    }

    #[test]
    fn no_domain_is_listed_twice() {
        let lists = OwnerList::shipped().unwrap();
        let mut domains: Vec<_> = lists.iter().flat_map(|list| &list.lines).map(|line| line.domain.as_str()).collect();
        let all = domains.len();
        domains.sort_unstable();
        domains.dedup();
        assert_eq!(domains.len(), all);
    }

    #[test]
    fn what_is_confirmed_says_where_and_when() {
        let list = |line: &str| {
            let text = format!("owner: M\ndated: 2026-01-02\ndomains: [{{ domain: m.example, what: x, {line} }}]");
            OwnerList::from_yaml("m.yaml", &text)
        };
        assert!(list("confirmed: false").is_ok());
        assert!(list("confirmed: true, source: 'https://m.example/', read: 2026-01-02").is_ok());
        assert!(list("confirmed: true, source: 'https://m.example/'").is_err());
        assert!(list("confirmed: true").is_err());
        assert!(list("source: s, read: d").is_err(), "whether it was read must be said");
        assert!(list("confirmed: false, role: first").is_err());
        assert!(list("confirmed: false, rolle: third").is_err());
    }

    #[test]
    fn a_list_without_hold_is_refused() {
        for domain in ["com", "co.uk", "192.0.2.1", "nas.local", "m example"] {
            let text = format!("owner: M\ndated: d\ndomains: [{{ domain: {domain}, what: x, confirmed: false }}]");
            assert!(OwnerList::from_yaml("m.yaml", &text).is_err(), "{domain}");
        }
    }
}
