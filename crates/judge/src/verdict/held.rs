//! Proof that the product had the data.

use super::index::{Index, Row};
use crate::data::is_below;
use crate::{RunFacts, Selector};
use dyetrace_case::{Event, Time, Transfer};

/// From when on a run's product is known to have had each datum.
pub(crate) struct Held(Vec<Vec<Option<Time>>>);

impl Held {
    pub(crate) fn new(index: &Index<'_>) -> Self {
        let runs = index.evidence.runs.iter().enumerate();
        Self(
            runs.map(|(run, facts)| (0..index.data.len()).map(|datum| since(index, run, facts, datum)).collect())
                .collect(),
        )
    }

    /// True where the run's product had the datum by then.
    pub(crate) fn by(&self, run: usize, datum: usize, time: Option<Time>) -> bool {
        let since = self.0.get(run).and_then(|data| data.get(datum)).copied().flatten();
        since.is_some_and(|since| time.is_none_or(|time| since <= time))
    }

    /// True where it had, by then, at least one datum of every selector.
    pub(crate) fn all_by(&self, index: &Index<'_>, selectors: &[Selector], run: usize, time: Option<Time>) -> bool {
        selectors.iter().all(|selector| {
            (0..index.data.len()).any(|datum| index.covers(selector, datum) && self.by(run, datum, time))
        })
    }
}

/// What another app sent says nothing of the product; nor does a real value that anyone on the device may have sent.
fn is_of_product(index: &Index<'_>, facts: &RunFacts, datum: usize, row: &Row<'_>) -> bool {
    let made_up = index.data.get(datum).is_none_or(|(_, _, made_up)| *made_up);
    match row.app.filter(|_| !facts.apps.is_empty()) {
        Some(app) => facts.apps.contains(app),
        None => made_up || row.transfer == Transfer::Kept,
    }
}

/// Before anything that can be recorded.
const ALWAYS: Time = Time(i64::MIN);
/// The product had it, and at any given time it may not have had it yet.
const NOBODY_KNOWS_WHEN: Time = Time(i64::MAX);

fn since(index: &Index<'_>, run: usize, facts: &RunFacts, datum: usize) -> Option<Time> {
    let (name, kind, _) = index.data.get(datum)?;
    let named = |text: &str| text == *name || kind.as_ref().is_some_and(|kind| is_below(kind.as_str(), text));
    if facts.held.iter().any(|text| named(text)) {
        return Some(ALWAYS);
    }
    let planted = facts.judged.timeline.milestones.iter().filter_map(|milestone| match &milestone.event {
        Event::Planted { data } if data.iter().any(|text| named(text)) => Some(milestone.at),
        _ => None,
    });
    // What was seen, the product had; at any rate when it was seen.
    let rows = index.by_datum[datum]
        .iter()
        .filter(|row| row.run == run && !row.hint && is_of_product(index, facts, datum, row));
    let seen = rows.filter_map(|row| index.practice(row.number));
    let seen = seen.map(|practice| match practice.first {
        Some(first) if practice.key.transfer != Transfer::Kept => first,
        _ => NOBODY_KNOWS_WHEN,
    });
    planted.chain(seen).min()
}
