//! What is in a generated capture, written beside it.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, BufWriter, Result};
use std::path::{Path, PathBuf};

/// The contents of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expected {
    /// Every request, ordered by connection and by time within it.
    pub(crate) requests: Vec<Request>,
    /// The values to search for, planted or not.
    pub(crate) subject: Vec<Value>,
    /// Where which value stands.
    pub(crate) planted: Vec<Planted>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Request {
    /// HTTP method.
    pub(crate) method: String,
    /// `Host` header.
    pub(crate) host: String,
    /// Path and query. No two requests have the same.
    pub(crate) path: String,
    /// Length of the body after transfer and content coding.
    pub(crate) bytes: usize,
    /// SHA-256 of that body in hex.
    pub(crate) sha256: String,
}

/// One value to search for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Value {
    /// Dotted kind.
    pub(crate) kind: String,
    /// The value. Made up by the seed.
    pub(crate) value: String,
}

/// One value at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planted {
    /// Index into the subject.
    pub(crate) value: usize,
    /// Index into the requests.
    pub(crate) request: usize,
    /// How it is wrapped within the body's own coding.
    pub(crate) wrapping: String,
}

impl Expected {
    /// The file beside a capture.
    pub(crate) fn beside(capture: &Path) -> PathBuf {
        capture.with_extension("expected.json")
    }

    /// Reads what was written beside a capture.
    pub(crate) fn read(capture: &Path) -> Result<Self> {
        let file = BufReader::new(File::open(Self::beside(capture))?);
        Ok(serde_json::from_reader(file)?)
    }

    /// Writes it beside a capture.
    pub(crate) fn write(&self, capture: &Path) -> Result<()> {
        let file = BufWriter::new(File::create(Self::beside(capture))?);
        Ok(serde_json::to_writer(file, self)?)
    }
}
