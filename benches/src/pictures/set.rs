//! The set of pictures: made once by `make/make.py`, read from its `set.jsonl`.

use crate::{python, say};
use serde::Deserialize;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Where the scripts are that make pictures.
pub(crate) const SCRIPTS: &str = "pictures/make";

/// What kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    /// A photograph.
    Photo,
    /// A screenshot of a bank's app.
    Screen,
    /// An ID card, scanned or photographed.
    Card,
}

impl Class {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 3] = [Self::Photo, Self::Screen, Self::Card];

    /// Its name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Screen => "screens",
            Self::Card => "cards",
        }
    }
}

/// A picture that may be in the gallery.
#[derive(Debug, Deserialize)]
pub(crate) struct Original {
    /// Its number.
    #[serde(rename = "original")]
    pub(crate) number: u32,
    /// What kind of picture.
    pub(crate) class: Class,
    /// What it was made after; of a photograph, where it is from.
    pub(crate) template: String,
    /// Kept out of the gallery.
    pub(crate) withheld: bool,
    /// Path in the set's folder.
    pub(crate) file: String,
    /// SHA-256 of the file, in hex.
    pub(crate) sha256: String,
}

/// What a transformation made of an original.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Query {
    /// Path in the set's folder.
    #[serde(rename = "query")]
    pub(crate) file: String,
    /// The original's number.
    pub(crate) original: u32,
    /// The transformation's name.
    pub(crate) transformation: String,
    /// Whether it still shows anything by which the original differs from others of its template.
    pub(crate) tells: bool,
    /// Another original that is the same in all that is still to be seen.
    #[serde(default)]
    pub(crate) equal: Option<u32>,
}

/// The set.
#[derive(Debug)]
pub(crate) struct Set {
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// Ordered by their numbers, which count from 0.
    pub(crate) originals: Vec<Original>,
    /// Ordered by original.
    pub(crate) queries: Vec<Query>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Query(Query),
    Original(Original),
}

impl Set {
    /// Reads the set in the folder and makes it first where there is none.
    pub(crate) fn made(folder: &Path, small: bool, seed: &str) -> Result<Self, Box<dyn Error>> {
        let place = folder.join(format!("{}-{seed}", if small { "small" } else { "full" }));
        if !place.join("set.jsonl").exists() {
            let mut words = vec![place.display().to_string(), "--seed".to_owned(), seed.to_owned()];
            words.extend(small.then(|| "--small".to_owned()));
            say("making the set of pictures: some minutes, once");
            python::script(folder, SCRIPTS, "make.py", &words)?;
        }
        Self::read(place)
    }

    fn read(folder: PathBuf) -> Result<Self, Box<dyn Error>> {
        let mut set = Self { folder, originals: Vec::new(), queries: Vec::new() };
        for line in std::fs::read_to_string(set.folder.join("set.jsonl"))?.lines() {
            match serde_json::from_str(line)? {
                Line::Original(original) => set.originals.push(original),
                Line::Query(query) => set.queries.push(query),
            }
        }
        let unchanged: Vec<Query> = set.originals.iter().map(unchanged).collect();
        set.queries.splice(0..0, unchanged);
        Ok(set)
    }

    /// The original of a query, or of a match.
    pub(crate) fn original(&self, number: u32) -> Result<&Original, Box<dyn Error>> {
        Ok(self.originals.get(number as usize).ok_or("set.jsonl names an original that it does not list")?)
    }
}

/// The byte-identical copy, which only its name could hide.
fn unchanged(original: &Original) -> Query {
    Query {
        file: original.file.clone(),
        original: original.number,
        transformation: "unchanged, renamed".to_owned(),
        tells: true,
        equal: None,
    }
}
