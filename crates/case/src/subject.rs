//! The made-up person whose data is planted, as `subject.yaml`.

use crate::{Datum, DatumId, Kind, Secret};
use std::collections::HashMap;

/// The made-up person and the values planted for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// A name for the subject as a whole, not itself planted.
    pub title: Option<String>,
    /// The planted values, in the order of the file.
    pub data: Vec<Datum>,
}

/// Why a subject could not be read. The text holds a position, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectError(pub String);

impl std::fmt::Display for SubjectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SubjectError {}

impl Subject {
    /// Adds a value and gives it its name: the kind, then `kind#2`, `kind#3` …
    pub fn add(&mut self, kind: Kind, value: Secret) -> &mut Datum {
        let earlier = self.data.iter().filter(|datum| datum.kind == kind).count();
        let id = DatumId(if earlier == 0 { kind.to_string() } else { format!("{kind}#{}", earlier + 1) });
        self.data.push(Datum { id, kind, value, planted: None, bits: None, made_up: true });
        self.data.last_mut().unwrap_or_else(|| unreachable!("a datum was just pushed"))
    }

    /// The datum of that name.
    pub fn get(&self, id: &DatumId) -> Option<&Datum> {
        self.data.iter().find(|datum| datum.id == *id)
    }

    /// All data by name.
    pub fn by_id(&self) -> HashMap<&DatumId, &Datum> {
        self.data.iter().map(|datum| (&datum.id, datum)).collect()
    }
}
