//! Why a file of the case was refused: a place and a reason that repeats no value of the file.

use serde_saphyr::{Error, Spanned};
use std::fmt;

/// A place in a file and what is wrong there.
///
/// Reasons name what is allowed and never what stands there: it could be a planted value that was
/// written into the wrong place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Line, from 1, where known.
    pub(crate) line: Option<u64>,
    /// Column, from 1, where known.
    pub(crate) column: Option<u64>,
    /// What is wrong and what to write instead.
    pub(crate) reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl Refusal {
    /// At a value that was read with its place.
    pub(crate) fn at<T>(spanned: &Spanned<T>, reason: impl Into<String>) -> Self {
        let place = spanned.referenced;
        Self { line: Some(place.line()), column: Some(place.column()), reason: reason.into() }
    }

    /// At a line and column.
    pub(crate) fn in_line(line: u64, column: u64, reason: impl Into<String>) -> Self {
        Self { line: Some(line), column: Some(column), reason: reason.into() }
    }

    /// The place and kind of a reader's complaint, without its words: those may quote the file.
    pub(crate) fn of_yaml(error: &Error) -> Self {
        let place = error.location();
        let reason = match error.without_snippet() {
            Error::SerdeUnknownField { expected, .. } => {
                format!("a key that is not known here; the keys are {}", expected.join(", "))
            }
            Error::SerdeMissingField { field, .. } => format!("`{field}` is missing here"),
            Error::DuplicateMappingKey { .. } => "a key that stands here twice".to_owned(),
            Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
                format!("here should be {expected}")
            }
            _ => "not of the form that docs/case-format.md describes; put quotes around texts".to_owned(),
        };
        Self { line: place.map(|at| at.line()), column: place.map(|at| at.column()), reason }
    }
}
