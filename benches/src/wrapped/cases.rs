//! The cases: every value in every wrapping in every carrier.

use super::carrier::{Carried, Carrier};
use super::chains::{self, Class};
use super::values::Value;
use crate::random::Random;
use serde::Serialize;

/// One request that holds one value.
#[derive(Debug)]
pub(crate) struct Case {
    /// `json > base64 / phone / query`.
    pub(crate) id: String,
    /// The wrapping.
    pub(crate) wrapping: String,
    /// What the wrapping is.
    pub(crate) class: Class,
    /// The datum's name.
    pub(crate) datum: String,
    /// True where the bytes that carry the value are these and no others.
    pub(crate) exact: bool,
    /// The message.
    pub(crate) carried: Carried,
}

/// A case as `cases.jsonl` says it.
#[derive(Serialize)]
pub(crate) struct Line<'c> {
    file: String,
    id: &'c str,
    wrapping: &'c str,
    class: &'static str,
    datum: &'c str,
    part: String,
    start: usize,
    end: usize,
    exact: bool,
}

impl Case {
    /// The case, as it is written beside the requests.
    pub(crate) fn line(&self, file: String) -> Line<'_> {
        Line {
            file,
            id: &self.id,
            wrapping: &self.wrapping,
            class: self.class.name(),
            datum: &self.datum,
            part: self.carried.part.to_string(),
            start: self.carried.place.start,
            end: self.carried.place.end,
            exact: self.exact,
        }
    }
}

/// Calls `visit` for each case of each value, in an order that is always the same.
pub(crate) fn each(values: &[Value], random: &mut Random, visit: &mut dyn FnMut(Case)) {
    for value in values {
        for wrapped in chains::all(value, values) {
            for carrier in Carrier::ALL {
                let Some(carried) = carrier.carry(&wrapped.piece, random) else { continue };
                visit(Case {
                    id: format!("{} / {} / {}", wrapped.wrapping, value.id, carrier.name()),
                    wrapping: wrapped.wrapping.clone(),
                    class: wrapped.class,
                    datum: value.id.clone(),
                    exact: wrapped.piece.exact,
                    carried,
                });
            }
        }
    }
}
