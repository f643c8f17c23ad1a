//! The evidence, arranged so that a hundred claims can be asked quickly.

use super::windows::Variants;
use crate::{Evidence, Selector};
use dyetrace_case::{Form, Kind, Practice, Protection, Recipient, Scope, Side, Transfer};
use std::collections::HashMap;

/// What conditions ask of a practice, side by side in memory: a hundred claims read each many times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) number: usize,
    pub(crate) run: usize,
    pub(crate) segment: usize,
    pub(crate) recipient: usize,
    pub(crate) side: Side,
    pub(crate) form: Form,
    pub(crate) protection: Protection,
    pub(crate) transfer: Transfer,
    pub(crate) hint: bool,
    pub(crate) app: Option<&'a String>,
}

impl<'a> Row<'a> {
    fn new(number: usize, practice: &'a Practice) -> Self {
        let key = &practice.key;
        Self {
            number,
            run: key.run,
            segment: key.segment,
            recipient: key.recipient,
            side: key.side,
            form: key.form,
            protection: key.protection,
            transfer: key.transfer,
            hint: key.hint,
            app: key.app.as_ref(),
        }
    }
}

/// The evidence with its practices by datum.
pub(crate) struct Index<'a> {
    /// As it was given.
    pub(crate) evidence: &'a Evidence<'a>,
    /// Name, kind and whether made up, of every datum: the planted ones, then any others that practices name.
    pub(crate) data: Vec<(&'a str, Option<Kind>, bool)>,
    /// The practices of each datum.
    pub(crate) by_datum: Vec<Vec<Row<'a>>>,
    /// The variants of the segments of each run.
    pub(crate) variants: Vec<Variants<'a>>,
    nobody: Recipient,
}

impl<'a> Index<'a> {
    pub(crate) fn new(evidence: &'a Evidence<'a>) -> Self {
        let planted = evidence.data.iter().map(|datum| (datum.id.0.as_str(), Some(datum.kind.clone()), datum.made_up));
        let mut index = Self {
            evidence,
            data: planted.collect(),
            by_datum: vec![Vec::new(); evidence.data.len()],
            variants: evidence.runs.iter().map(|run| Variants::of(&run.judged.timeline)).collect(),
            nobody: Recipient::unknown(None, None, Scope::Unknown),
        };
        let mut names: HashMap<&str, usize> =
            index.data.iter().enumerate().map(|(at, (name, _, _))| (*name, at)).collect();
        for (number, practice) in evidence.practices.iter().enumerate() {
            let name = practice.key.datum.0.as_str();
            let at = *names.entry(name).or_insert_with(|| {
                let kind = name.split('#').next().and_then(|kind| kind.parse().ok());
                index.data.push((name, kind, true));
                index.by_datum.push(Vec::new());
                index.data.len() - 1
            });
            index.by_datum[at].push(Row::new(number, practice));
        }
        index
    }

    /// Indices of the data that any of the selectors means.
    pub(crate) fn selected(&self, selectors: &[Selector]) -> Vec<usize> {
        let means = |at: &usize| selectors.iter().any(|selector| self.covers(selector, *at));
        (0..self.data.len()).filter(means).collect()
    }

    /// True where the selector means this datum. A datum of no known kind is meant by `everything` alone.
    pub(crate) fn covers(&self, selector: &Selector, datum: usize) -> bool {
        match self.data.get(datum).and_then(|(_, kind, _)| kind.as_ref()) {
            Some(kind) => selector.covers(kind),
            None => *selector == Selector::Everything,
        }
    }

    /// A recipient; one of which nothing is known where the index is wrong, so that it stays counted.
    pub(crate) fn recipient(&self, index: usize) -> &Recipient {
        self.evidence.recipients.get(index).unwrap_or(&self.nobody)
    }

    pub(crate) fn practice(&self, index: usize) -> Option<&'a Practice> {
        self.evidence.practices.get(index)
    }
}

/// Distinct recipients and all sightings of practices.
pub(crate) fn totals(index: &Index<'_>, practices: &[usize]) -> (usize, u64) {
    let practices = practices.iter().filter_map(|&at| index.practice(at));
    let mut recipients: Vec<usize> = practices.clone().map(|practice| practice.key.recipient).collect();
    recipients.sort_unstable();
    recipients.dedup();
    (recipients.len(), practices.map(|practice| practice.count).fold(0, u64::saturating_add))
}
