//! The folder of installed lists: its index, its fixity, its contents.

use crate::exit::Fault;
use dyetrace_case::{Snapshot, hex};
use dyetrace_recipients::{CountryTable, Holds, Index, IndexedFile, IndexedPackage, Known, OwnerList};
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
    /// The index calls it a file of a package whose checksum is compiled in, and it is another.
    Forged,
    /// It is not there, or cannot be read.
    Missing,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsInstalled => "as installed",
            Self::Changed => "CHANGED since it was installed",
            Self::Forged => "NOT THE FILE OF THE PACKAGE that index.json names",
            Self::Missing => "MISSING",
        })
    }
}

/// Compares every file with the index.
pub(super) fn check(folder: &Path) -> Result<Vec<Stored>, Fault> {
    let index = index(folder)?;
    let files = index.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)));
    let stored = files.map(|(package, file)| Stored {
        state: read(folder, package, file).map_or_else(|state| state, |_| State::AsInstalled),
        path: file.path.clone(),
    });
    Ok(stored.collect())
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
        let Some(holds) = package.holds(file).filter(|holds| *holds != Holds::Papers) else { return Ok(()) };
        let path = folder.join(&file.path);
        let (bytes, snapshot) = read(folder, package, file)
            .map_err(|state| Fault::new(format!("{}: {state}", path.display())).hint("dyetrace data install"))?;
        match holds {
            Holds::Countries => self.countries.push(CountryTable::new(bytes, snapshot).map_err(Fault::new)?),
            Holds::Owners => self.owners.push(OwnerList::third_party_web(&bytes, snapshot).map_err(Fault::new)?),
            Holds::Papers => {}
        }
        Ok(())
    }
}

/// A file's bytes, where they are those that were installed, and what they are known to be. An index cannot lead out
/// of its folder, and cannot call its own file one whose checksum is compiled in.
fn read(folder: &Path, package: &IndexedPackage, file: &IndexedFile) -> Result<(Vec<u8>, Snapshot), State> {
    let inside = Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)));
    let bytes = inside.then(|| std::fs::read(folder.join(&file.path)).ok()).flatten().ok_or(State::Missing)?;
    let digest = hex(&Sha256::digest(&bytes));
    match package.known(file, &digest) {
        _ if digest != file.sha256 => Err(State::Changed),
        Known::Forged => Err(State::Forged),
        Known::Pinned(snapshot) | Known::Given(snapshot) => Ok((bytes, snapshot)),
    }
}
