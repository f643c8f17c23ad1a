//! Runs: recorded uses of a product, as `case.yaml` lists them.

use crate::mark::{MOST_MARKS, Mark, MarkEntry, error_of_clock, names, word};
use crate::refusal::Refusal;
use crate::timeline::most_at_once;
use crate::{Event, Milestone, Subject};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};

/// One recorded use of a product by the subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Its name within the case.
    pub id: String,
    /// What was tested.
    pub product: Option<Product>,
    /// The file of the subject who used it, relative to the case folder, where it is not
    /// `subject.yaml`. Runs with equal values repeat one another; runs with other values are
    /// compared with them.
    pub subject: Option<String>,
    /// What else distinguishes this run, in the tester's words: `installation: second`. It can be
    /// ruled out as an explanation where it does not go with the subject.
    pub conditions: BTreeMap<String, String>,
    /// Paths of its exhibits, relative to the case folder.
    pub exhibits: Vec<String>,
    /// Path of its marks file, relative to the case folder: the one it names, or
    /// `evidence/marks/ID.jsonl` where that is there.
    pub marks: Option<String>,
    /// What happened and when, by the clock of the evidence: from `milestones:`, then from the marks file.
    pub milestones: Vec<Milestone>,
    /// How the clock of the marks stands to that of the evidence.
    pub clock: Clock,
    /// Which of the product's channels the recording covers: `phone-wifi`, `device-wifi`, `mobile-data`.
    pub channels: Vec<String>,
    /// What the tester did to the product and its surroundings: `ca-installed`, `unpinned`, `rooted`.
    pub interventions: Vec<String>,
    /// Data that the product had from before the recording, by kind or name.
    pub held: Vec<String>,
    /// Names and packages of the product's own apps; empty: whoever sent something is taken for the product.
    pub apps: Vec<String>,
    /// Where in the world it was used: a country of ISO 3166-1 in two capital letters.
    pub region: Option<String>,
}

/// What is tested.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Maker.
    pub vendor: Option<String>,
    /// Name.
    pub name: String,
    /// Version as the maker writes it.
    pub version: Option<String>,
    /// When the thing was made (a year, month or day), where that matters.
    pub made: Option<String>,
    /// `android`, `ios` …
    pub platform: Option<String>,
    /// The market it was made for, as the maker writes it.
    pub region: Option<String>,
    /// What it is for, as rules distinguish it: `smart-home`, `camera`, `messenger`.
    pub app_type: Option<String>,
}

/// The clock that marks were written by, against that of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Nanoseconds by which it is ahead of the evidence's.
    pub offset: i64,
    /// Error in nanoseconds of every mark that does not tell its own.
    pub error: u64,
}

impl Default for Clock {
    /// One clock, and a second between an event and its mark: nobody writes faster.
    fn default() -> Self {
        Self { offset: 0, error: 1_000_000_000 }
    }
}

/// A run as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunEntry {
    pub(crate) id: Spanned<String>,
    product: Option<Product>,
    pub(crate) subject: Option<String>,
    #[serde(default)]
    conditions: BTreeMap<String, String>,
    #[serde(default)]
    exhibits: Vec<String>,
    pub(crate) marks: Option<String>,
    #[serde(default)]
    milestones: Vec<MarkEntry>,
    clock: Option<ClockEntry>,
    #[serde(default)]
    channels: Vec<Spanned<String>>,
    #[serde(default)]
    interventions: Vec<Spanned<String>>,
    #[serde(default)]
    held: Vec<Spanned<String>>,
    #[serde(default)]
    apps: Vec<Spanned<String>>,
    region: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockEntry {
    offset_s: Option<Spanned<f64>>,
    error_s: Option<Spanned<f64>>,
}

impl RunEntry {
    /// The run with its words checked; its marks file is not read yet.
    pub(crate) fn read(self, subject: Option<&Subject>) -> Result<Run, Refusal> {
        let words = |words: &[Spanned<String>]| words.iter().map(word).collect::<Result<Vec<_>, _>>();
        let clock = self.clock.as_ref().map(ClockEntry::read).transpose()?.unwrap_or_default();
        if self.milestones.len() > MOST_MARKS {
            return Err(Refusal::at(&self.id, format!("a run has at most {MOST_MARKS} milestones")));
        }
        let marks = self.milestones.into_iter().map(|entry| entry.read(subject)).collect::<Result<Vec<_>, _>>()?;
        let mut run = Run {
            product: self.product,
            subject: self.subject,
            conditions: self.conditions,
            exhibits: self.exhibits,
            marks: self.marks,
            milestones: Vec::new(),
            clock,
            channels: words(&self.channels)?,
            interventions: words(&self.interventions)?,
            held: names(&self.held, subject)?,
            apps: apps(&self.apps)?,
            region: self.region.as_ref().map(country).transpose()?,
            id: self.id.value.clone(),
        };
        run.add(marks).map_err(|reason| Refusal::at(&self.id, reason))?;
        Ok(run)
    }
}

impl Run {
    /// Adds marks, by the run's clock.
    pub(crate) fn add(&mut self, marks: Vec<Mark>) -> Result<(), String> {
        if self.milestones.len() + marks.len() > MOST_MARKS {
            return Err(format!("a run has at most {MOST_MARKS} marks, in its file and in case.yaml together"));
        }
        for mark in marks {
            let milestone = mark.milestone(self.clock).ok_or("a mark's time is outside 1678 to 2262")?;
            self.milestones.push(milestone);
        }
        let purposes: BTreeSet<_> = self.milestones.iter().filter_map(purpose).collect();
        if purposes.len() > MOST_PURPOSES {
            return Err(format!("a run has at most {MOST_PURPOSES} purposes of consent"));
        }
        let canaries = self.milestones.iter().filter(|milestone| matches!(milestone.event, Event::Canary(_)));
        if canaries.count() > MOST_CANARIES {
            return Err(format!("a run has at most {MOST_CANARIES} canaries"));
        }
        if most_at_once(&self.milestones) > MOST_AT_ONCE {
            return Err(format!("at most {MOST_AT_ONCE} actions go on at the same time, the clock's error included"));
        }
        Ok(())
    }
}

/// Every stretch of a run's time knows the state of each: more would take memory without end.
const MOST_PURPOSES: usize = 64;
/// Every stretch names each action that may go on in it.
const MOST_AT_ONCE: usize = 256;

/// Every record is compared with each.
const MOST_CANARIES: usize = 16;

fn purpose(milestone: &Milestone) -> Option<&String> {
    match &milestone.event {
        Event::Consent { purpose, .. } => purpose.as_ref(),
        _ => None,
    }
}

impl ClockEntry {
    fn read(&self) -> Result<Clock, Refusal> {
        let default = Clock::default();
        let offset = self.offset_s.as_ref().map(offset).transpose()?.unwrap_or(default.offset);
        let error = self.error_s.as_ref().map(error_of_clock).transpose()?.unwrap_or(default.error);
        Ok(Clock { offset, error })
    }
}

/// Nanoseconds; a clock that was never set may be off by decades.
fn offset(spanned: &Spanned<f64>) -> Result<i64, Refusal> {
    let fits = spanned.value.abs() <= 2e9;
    let nanos = (spanned.value * 1e9).round() as i64;
    fits.then_some(nanos).ok_or_else(|| Refusal::at(spanned, "an offset is at most 2,000,000,000 seconds"))
}

/// Every record's app is compared with each.
const MOST_APPS: usize = 32;

fn apps(names: &[Spanned<String>]) -> Result<Vec<String>, Refusal> {
    if let Some(beyond) = names.get(MOST_APPS) {
        return Err(Refusal::at(beyond, format!("a run names at most {MOST_APPS} apps")));
    }
    let reason = "an app is its name or its package, as in com.example.home, of at most 200 bytes";
    let fits = |name: &&Spanned<String>| !name.value.trim().is_empty() && name.value.len() <= 200;
    match names.iter().find(|name| !fits(name)) {
        Some(name) => Err(Refusal::at(name, reason)),
        None => Ok(names.iter().map(|name| name.value.clone()).collect()),
    }
}

fn country(spanned: &Spanned<String>) -> Result<String, Refusal> {
    let fits = spanned.value.len() == 2 && spanned.value.bytes().all(|b| b.is_ascii_uppercase());
    let reason = "a region here is a country of ISO 3166-1 in two capital letters, as in CN";
    fits.then(|| spanned.value.clone()).ok_or_else(|| Refusal::at(spanned, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConsentChange, Time};

    /// A run with that many marks, each of consent to one of that many purposes.
    fn run_of(marks: usize, purposes: usize) -> Result<Run, String> {
        let mut run = Run::default();
        let mark = |index: usize| {
            let purpose = Some(format!("purpose-{}", index % purposes));
            Mark {
                at: Time(index as i64 * 1_000_000_000),
                error: None,
                event: Event::Consent { change: ConsentChange::Given, purpose },
            }
        };
        run.add((0..marks).map(mark).collect()).map(|()| run)
    }

    #[test]
    fn runs_are_limited_so_that_their_timelines_are() {
        assert!(run_of(MOST_MARKS + 1, 1).unwrap_err().contains("at most 4000 marks"));
        assert!(run_of(MOST_MARKS, MOST_PURPOSES + 1).unwrap_err().contains("at most 64 purposes"));
        let timeline = crate::Timeline::new(run_of(MOST_MARKS, MOST_PURPOSES).unwrap().milestones);
        let states: usize = timeline.segments.iter().map(|segment| segment.consent.len()).sum();
        assert!(timeline.segments.len() > MOST_MARKS && states < 1_000_000, "{states}");
    }

    #[test]
    fn thousands_of_actions_at_the_same_time_are_refused() {
        let began = |index: usize| Mark {
            at: Time(index as i64 * 1_000_000_000),
            error: Some(3_600_000_000_000),
            event: Event::ActionBegan { action: format!("a{index}"), variant: None, conditions: Vec::new() },
        };
        let run_of = |marks: usize| Run::default().add((0..marks).map(began).collect());
        assert!(run_of(MOST_MARKS).unwrap_err().contains("at most 256 actions"));
        assert_eq!(run_of(MOST_AT_ONCE), Ok(()));
    }
}
