//! The folder of installed lists: its index, its fixity, its contents.

use crate::exit::Fault;
use dyetrace_case::{Snapshot, hex};
use dyetrace_recipients::{CountryTable, Holds, Index, IndexedFile, IndexedPackage, OwnerList, Package};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// The name of the index.
pub(super) const INDEX: &str = "index.json";

/// The folder that was asked for; without one, `$XDG_DATA_HOME/dyetrace` (XDG Base Directory Specification 0.8).
pub(super) fn chosen(folder: Option<&Path>) -> Result<PathBuf, Fault> {
    if let Some(folder) = folder {
        return Ok(folder.to_owned());
    }
    // The specification says that relative paths are invalid.
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join("dyetrace")).ok_or_else(|| {
        Fault::new("neither XDG_DATA_HOME nor HOME names a folder").hint("name one: --to FOLDER, --folder FOLDER")
    })
}

/// Reads the index; an empty one where there is none.
pub(super) fn index(folder: &Path) -> Result<Index, Fault> {
    let path = folder.join(INDEX);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Index::default());
        }
        Err(error) => return Err(Fault::file(&path, &error)),
    };
    let index: Index = serde_json::from_slice(&text)
        .map_err(|error| Fault::new(format!("{}: {error}", path.display())).hint("dyetrace data install"))?;
    if index.format > Index::FORMAT {
        let fault = Fault::new(format!("{}: written by a newer dyetrace", path.display()));
        return Err(fault.hint("use a newer one, or another folder: --folder FOLDER"));
    }
    Ok(index)
}

/// A file of the index.
pub(super) struct Stored {
    /// Its path relative to the folder.
    pub(super) path: String,
    /// Is it as it was installed?
    pub(super) state: State,
}

/// Fixity of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its digest is that of the index.
    AsInstalled,
    /// It is not.
    Changed,
    /// It is not there, or cannot be read.
    Missing,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsInstalled => "as installed",
            Self::Changed => "CHANGED since it was installed",
            Self::Missing => "MISSING",
        })
    }
}

/// Compares every file with the index.
pub(super) fn check(folder: &Path) -> Result<Vec<Stored>, Fault> {
    let index = index(folder)?;
    let files = index.packages.into_iter().flat_map(|package| package.files);
    Ok(files
        .map(|file| Stored {
            state: read(folder, &file).map_or_else(|state| state, |_| State::AsInstalled),
            path: file.path,
        })
        .collect())
}

/// Lists that are installed and as they were installed.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Domains and owners.
    pub(super) owners: Vec<OwnerList>,
    /// Addresses and countries.
    pub(super) countries: Vec<CountryTable>,
}

impl Lists {
    /// Reads the folder.
    ///
    /// # Errors
    /// A file is not as it was installed: what it says could be anybody's.
    pub(super) fn read(folder: &Path) -> Result<Self, Fault> {
        let mut lists = Self::default();
        for package in &index(folder)?.packages {
            for file in &package.files {
                lists.add(folder, package, file)?;
            }
        }
        Ok(lists)
    }

    fn add(&mut self, folder: &Path, package: &IndexedPackage, file: &IndexedFile) -> Result<(), Fault> {
        let Some(holds) = holds(package, file).filter(|holds| *holds != Holds::Papers) else { return Ok(()) };
        let path = folder.join(&file.path);
        let bytes = read(folder, file)
            .map_err(|state| Fault::new(format!("{}: {state}", path.display())).hint("dyetrace data install"))?;
        match holds {
            Holds::Countries => {
                self.countries.push(CountryTable::new(bytes, snapshot(package, file)).map_err(Fault::new)?);
            }
            Holds::Owners => {
                self.owners.push(OwnerList::third_party_web(&bytes, snapshot(package, file)).map_err(Fault::new)?);
            }
            Holds::Papers => {}
        }
        Ok(())
    }
}

fn holds(package: &IndexedPackage, file: &IndexedFile) -> Option<Holds> {
    let known = Package::named(&package.package)?;
    let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    known.files.iter().find(|wanted| name(wanted.path) == name(&file.path)).map(|wanted| wanted.holds)
}

fn snapshot(package: &IndexedPackage, file: &IndexedFile) -> Snapshot {
    Snapshot {
        name: package.package.clone(),
        version: Some(package.version.clone()),
        dated: Some(package.dated.clone()),
        licence: Some(package.licence.clone()),
        sha256: Some(file.sha256.clone()),
        from: Some(format!("npm {}@{}", package.package, package.version)),
        note: Package::named(&package.package).and_then(|known| known.note).map(str::to_owned),
    }
}

/// A file's bytes, where they are those that were installed. An index cannot lead out of its folder.
fn read(folder: &Path, file: &IndexedFile) -> Result<Vec<u8>, State> {
    let inside = Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)));
    let bytes = inside.then(|| std::fs::read(folder.join(&file.path)).ok()).flatten().ok_or(State::Missing)?;
    if hex(&Sha256::digest(&bytes)) == file.sha256 { Ok(bytes) } else { Err(State::Changed) }
}
