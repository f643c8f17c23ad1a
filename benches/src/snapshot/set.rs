//! The folders: made once by `make/make.py`, with what is in them in `expected.json`.

use crate::expected::Value;
use crate::{python, say};
use serde::Deserialize;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What was made.
#[derive(Debug, Deserialize)]
pub(super) struct Expected {
    /// The values to search for.
    pub(super) subject: Vec<Value>,
    /// File names of the planted photographs.
    pub(super) gallery: Vec<String>,
    /// What the first folder is made of.
    pub(super) kinds: Vec<Share>,
    /// Bytes of the files of each folder.
    pub(super) bytes: [u64; 2],
    /// Files of each folder.
    pub(super) files: [u64; 2],
    /// What is where.
    pub(super) snapshots: [Planted; 2],
    /// What became of the files from the first to the second.
    pub(super) changes: Changes,
}

/// Files of one kind.
#[derive(Debug, Deserialize)]
pub(super) struct Share {
    pub(super) kind: String,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// What is planted in one folder.
#[derive(Debug, Deserialize)]
pub(super) struct Planted {
    pub(super) values: Vec<PlantedValue>,
    pub(super) pictures: Vec<PlantedPicture>,
}

/// A file that holds a value.
#[derive(Debug, Deserialize)]
pub(super) struct PlantedValue {
    /// Of a folder, any file in it.
    pub(super) path: String,
    /// Index into the subject.
    pub(super) value: usize,
    /// How it stands there. What is in a database's log is a value of the database.
    pub(super) how: String,
    /// The bytes of the file hold it as it is.
    pub(super) raw: bool,
}

/// A file that shows a photograph of the gallery.
#[derive(Debug, Deserialize)]
pub(super) struct PlantedPicture {
    pub(super) path: String,
    /// Index into the gallery.
    pub(super) original: usize,
}

/// Paths of files, by what became of them.
#[derive(Debug, Deserialize)]
pub(super) struct Changes {
    pub(super) created: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) deleted: Vec<String>,
    /// Created or changed, with the bytes of another file.
    pub(super) copied: Vec<String>,
}

/// The folders with what is in them.
pub(super) struct Set {
    folder: PathBuf,
    pub(super) expected: Expected,
}

impl Set {
    /// Reads what is there, and makes it first where nothing is.
    pub(super) fn made(folder: &Path, small: bool, seed: &str) -> Result<Self, Box<dyn Error>> {
        let place = folder.join(format!("{}-{seed}", if small { "small" } else { "full" }));
        if !place.join("expected.json").exists() {
            say("making the app's folder: some minutes, once");
            let path = |path: &Path| path.display().to_string();
            let mut words = vec![path(&place), path(&folder.join("packages")), "--seed".to_owned(), seed.to_owned()];
            words.extend(small.then(|| "--small".to_owned()));
            python::script(folder, "snapshot/make", "make.py", &words)?;
        }
        let expected = serde_json::from_slice(&std::fs::read(place.join("expected.json"))?)?;
        Ok(Self { folder: place, expected })
    }

    /// The folder of that number.
    pub(super) fn snapshot(&self, number: usize) -> PathBuf {
        self.folder.join(if number == 0 { "first" } else { "second" })
    }

    /// The folder with the planted photographs.
    pub(super) fn gallery(&self) -> PathBuf {
        self.folder.join("gallery")
    }

    /// `subject.yaml` with the values, and with the photographs where they are asked for.
    pub(super) fn subject(&self, gallery: bool) -> Result<String, Box<dyn Error>> {
        let mut text = "data:\n".to_owned();
        for Value { kind, value } in &self.expected.subject {
            writeln!(text, "  - {{ kind: {kind}, value: \"{value}\" }}")?;
        }
        for name in self.expected.gallery.iter().filter(|_| gallery) {
            writeln!(text, "  - {{ kind: {PHOTO}, file: gallery/{name} }}")?;
        }
        Ok(text)
    }
}

/// What a planted photograph is to the subject.
pub(super) const PHOTO: &str = "photo.camera";
