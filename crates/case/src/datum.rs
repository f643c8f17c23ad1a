//! One planted value and what kind of value it is.

use crate::Secret;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A dotted kind such as `wifi.password`, `phone`, `imei`, `id.cn`.
///
/// Any well-formed kind is accepted: the first part decides how the value is spelled and
/// normalised, and an unknown kind is searched for as typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(String);

/// A text that is not a dotted kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindError;

impl fmt::Display for KindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a kind is lower-case letters, digits and dashes in parts joined by dots, as in wifi.password")
    }
}

impl std::error::Error for KindError {}

impl Kind {
    /// The dotted text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let part_ok = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let well_formed = text.len() <= 64 && text.split('.').all(part_ok);
        if well_formed { Ok(Self(text.to_owned())) } else { Err(KindError) }
    }
}

/// The name of a datum within its subject: its kind, and `#2`, `#3` … where a kind occurs again.
/// It never contains the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatumId(pub String);

impl fmt::Display for DatumId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One planted value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datum {
    /// Its name within the subject.
    pub id: DatumId,
    /// What kind of value it is.
    pub kind: Kind,
    /// The value as typed or stored; empty where a file alone was planted.
    pub value: Secret,
    /// The file that was planted, such as a picture of the subject's gallery.
    pub file: Option<PlantedFile>,
    /// Where it was typed or stored, in the tester's words.
    pub planted: Option<String>,
    /// Bits of entropy the minting gave it, where known.
    pub bits: Option<u32>,
    /// False when the value belongs to a real person or device rather than being made up.
    pub made_up: bool,
}

impl Datum {
    /// For reports: the masked value, or the clear one where the user asked for it; of a file, its path in the case.
    pub fn shown(&self, reveal: bool) -> String {
        match &self.file {
            Some(file) if self.value.is_empty() => file.path.clone(),
            _ if reveal => String::from_utf8_lossy(self.value.reveal()).into_owned(),
            _ => self.value.mask(),
        }
    }
}

/// A planted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlantedFile {
    /// Where it lies, relative to the folder of `subject.yaml`.
    pub path: String,
    /// What the device calls it, paths and URIs: copies are named after those.
    pub stored_as: Vec<String>,
    /// Its bytes; absent until somebody who may read files loaded it.
    pub content: Option<Arc<Secret>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_dotted_lower_case() {
        assert_eq!("wifi.password".parse::<Kind>().unwrap().as_str(), "wifi.password");
        for bad in ["", "Wifi", "wifi.", ".x", "a b", "wifi..x", "1x", "x=y"] {
            assert_eq!(bad.parse::<Kind>(), Err(KindError), "{bad}");
        }
    }
}
