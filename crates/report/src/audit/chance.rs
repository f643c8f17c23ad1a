//! What decoys say of chance: their section of the report.
//!
//! For each planted value some of the same format that nobody planted were searched for in the same
//! pass. What was seen of them was seen by accident, so it estimates how many of the planted values'
//! sightings are accidents, class by class: the target-decoy method of proteomics (Elias and Gygi,
//! Nature Methods 4, 207–214, 2007).

use super::terminal::{Page, table};
use crate::text::count;
use dyetrace_case::Strength;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

/// What was seen of planted values and of decoys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chance {
    /// Planted values that were searched for.
    pub values: u64,
    /// Decoys that were searched for.
    pub decoys: u64,
    /// What was seen, by class.
    pub classes: BTreeMap<Class, ClassCounts>,
}

/// Sightings that are counted together, because chance makes them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// How they tie to the value.
    pub strength: Strength,
    /// Hints, or sightings that count.
    pub is_hint: bool,
}

/// How often a class was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Sightings of planted values, listed or not.
    pub planted: u64,
    /// Sightings of decoys.
    pub decoys: u64,
}

/// How many of a class's sightings chance accounts for, as a share of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rate {
    /// Decoys were seen as often as this leads to expect of planted values.
    About(f64),
    /// No decoy was seen: with 95 % confidence the share is smaller.
    Under(f64),
}

/// The mean of a Poisson variable whose chance to be 0 is 5 %, rounded: the rule of three (Hanley
/// and Lippman-Hand, JAMA 249, 1743–1745, 1983).
const RULE_OF_THREE: f64 = 3.0;

impl Chance {
    /// `None` where nothing of the class was planted and seen, or no decoy was searched for.
    pub(crate) fn rate(&self, counts: ClassCounts) -> Option<Rate> {
        let searched = self.decoys as f64 / self.values as f64;
        let share = |decoys: f64| (decoys / (searched * counts.planted as f64)).min(1.0);
        match counts {
            _ if self.decoys == 0 || self.values == 0 || counts.planted == 0 => None,
            ClassCounts { decoys: 0, .. } => Some(Rate::Under(share(RULE_OF_THREE))),
            ClassCounts { decoys, .. } => Some(Rate::About(share(decoys as f64))),
        }
    }
}

/// The section at a terminal.
pub(super) fn section(chance: &Chance, page: &mut Page<'_>) -> io::Result<()> {
    if chance.values == 0 {
        return Ok(());
    }
    page.heading("Chance")?;
    if chance.decoys == 0 {
        return page.line("  The planted values are of no format that has decoys: nothing here measures chance.");
    }
    let (decoys, values) = (count(chance.decoys), count(chance.values));
    page.line(&format!(
        "  {decoys} decoys, of the same formats as the {values} planted values and planted nowhere, were searched for too."
    ))?;
    if chance.classes.is_empty() {
        return page.line("  None of them was seen.");
    }
    let rows: Vec<[String; 4]> = chance.classes.iter().map(|(class, counts)| row(chance, *class, *counts)).collect();
    table(["class", "of planted values", "of decoys", "by chance, of the planted"], &rows, page)
}

fn row(chance: &Chance, class: Class, counts: ClassCounts) -> [String; 4] {
    let hints = if class.is_hint { ", hints" } else { "" };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let rate = match chance.rate(counts) {
        None => "-".to_owned(),
        Some(Rate::About(share)) => format!("about {}", percent(share)),
        Some(Rate::Under(share)) if share < 1.0 => format!("under {} (95 % confidence)", percent(share)),
        Some(Rate::Under(_)) => "too few to tell".to_owned(),
    };
    [format!("{}{hints}", class.strength.name()), count(counts.planted), count(counts.decoys), rate]
}

/// The same in JSON.
pub(super) fn json(chance: &Chance) -> Value {
    let class = |(class, counts): (&Class, &ClassCounts)| {
        let rate = chance.rate(*counts);
        let (about, under) = match rate {
            None => (None, None),
            Some(Rate::About(share)) => (Some(share), None),
            Some(Rate::Under(share)) => (Some(0.0), Some(share)),
        };
        json!({
            "strength": class.strength.name(),
            "hint": class.is_hint,
            "planted": counts.planted,
            "decoys": counts.decoys,
            "false_discovery_rate": about.map(rounded),
            "upper_bound": under.map(rounded),
        })
    };
    json!({
        "values": chance.values,
        "decoys": chance.decoys,
        "classes": chance.classes.iter().map(class).collect::<Vec<_>>(),
    })
}

/// To six places: the estimate is not better.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(values: u64, decoys: u64, planted: u64, seen: u64) -> Option<Rate> {
        let chance = Chance { values, decoys, classes: BTreeMap::new() };
        chance.rate(ClassCounts { planted, decoys: seen })
    }

    #[test]
    fn decoys_stand_for_as_many_accidents_as_there_are_values_to_a_decoy() {
        assert_eq!(rate(10, 10, 100, 4), Some(Rate::About(0.04)));
        assert_eq!(rate(10, 20, 100, 4), Some(Rate::About(0.02)), "two decoys a value");
        assert_eq!(rate(10, 5, 100, 4), Some(Rate::About(0.08)), "only half of the values have one");
        assert_eq!(rate(10, 10, 2, 400), Some(Rate::About(1.0)), "no share is over one");
    }

    #[test]
    fn no_decoy_seen_is_no_proof_of_no_accident() {
        assert_eq!(rate(10, 10, 300, 0), Some(Rate::Under(0.01)));
        assert_eq!(rate(10, 20, 300, 0), Some(Rate::Under(0.005)));
        assert_eq!(rate(10, 10, 2, 0), Some(Rate::Under(1.0)));
    }

    #[test]
    fn nothing_is_said_where_nothing_was_counted() {
        assert_eq!(rate(10, 0, 300, 0), None);
        assert_eq!(rate(10, 10, 0, 3), None);
    }
}
