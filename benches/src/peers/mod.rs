//! Those who read the same capture, one file each.

pub(crate) mod dyetrace;
pub(crate) mod tshark;

use crate::expected::{Expected, Request};
use crate::measure::Cost;
use std::collections::BTreeSet;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Who, doing what.
    pub(crate) name: &'static str,
    /// What the results were held against, and how that went.
    pub(crate) checked: Vec<Check>,
    /// What it took.
    pub(crate) cost: Cost,
}

/// A comparison of results.
#[derive(Debug)]
pub(crate) struct Check {
    /// What was compared.
    pub(crate) what: &'static str,
    /// How many should be there.
    pub(crate) wanted: usize,
    /// How many of these were there.
    pub(crate) found: usize,
    /// How many were there that should not be.
    pub(crate) extra: usize,
}

impl Check {
    /// What should be there against what was there.
    pub(crate) fn new(what: &'static str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Self {
        let common = wanted.intersection(found).count();
        Self { what, wanted: wanted.len(), found: common, extra: found.len() - common }
    }

    /// Exactly what should be there.
    pub(crate) fn equal(&self) -> bool {
        self.found == self.wanted && self.extra == 0
    }
}

/// Method, host and path in one line.
pub(crate) fn line_of(request: &Request) -> String {
    format!("{} {} {}", request.method, request.host, request.path)
}

fn lines_of(expected: &Expected) -> BTreeSet<String> {
    expected.requests.iter().map(line_of).collect()
}
