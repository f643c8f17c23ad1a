//! The table: what the folder is made of, equal results, then costs.

use super::set::Expected;
use crate::measure::Cost;
use crate::peers::Check;
use crate::results::{equality_of, today};
use std::fmt::Write as _;

/// What one command took.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What it did.
    pub(super) what: &'static str,
    /// Bytes of the files it was asked about.
    pub(super) bytes: u64,
    pub(super) cost: Cost,
}

/// Everything that is printed.
pub(super) struct Table {
    heading: String,
    pub(super) checks: Vec<Check>,
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(expected: &Expected) -> Self {
        let [first, second] = expected.bytes.map(|bytes| bytes as f64 / 1e6);
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut heading = format!(
            "# {}, {} and {} files, {first:.1} and {second:.1} MB, {cores} cores\n\n| kind | files | MB |\n|---|---:|---:|\n",
            today(),
            expected.files[0],
            expected.files[1]
        );
        for share in &expected.kinds {
            _ = writeln!(heading, "| {} | {} | {:.1} |", share.kind, share.files, share.bytes as f64 / 1e6);
        }
        Self { heading, checks: Vec::new(), rows: Vec::new() }
    }

    pub(super) fn is_right(&self) -> bool {
        self.checks.iter().all(Check::equal)
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{}\n{}",
            self.heading,
            equality_of(
                self.checks.iter().map(|check| (check.what.split_once(": ").map_or("dyetrace", |(who, _)| who), check))
            )
        );
        text +=
            "| who | what | MB | CPU s | wall s | MB per CPU second | peak MiB |\n|---|---|---:|---:|---:|---:|---:|\n";
        for Row { name, what, bytes, cost } in &self.rows {
            let megabytes = *bytes as f64 / 1e6;
            let numbers = [cost.cpu, cost.wall].map(|number| format!("{number:.2} | ")).concat();
            let (speed, peak) = (megabytes / cost.cpu, cost.peak_kib as f64 / 1024.0);
            _ = writeln!(text, "| {name} | {what} | {megabytes:.0} | {numbers}{speed:.0} | {peak:.0} |");
        }
        text
    }
}
