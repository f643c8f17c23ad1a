//! Spikes: planted values hidden in copies of the evidence's own records, to measure what the search
//! would have found had it been there: the limit of detection of this evidence.
//!
//! Analytical chemistry calls this spike recovery. Nothing here is random: the same records, values
//! and options give the same numbers.

mod chain;
mod forms;
mod slot;

pub use forms::{ByForm, spike_by_form};

use crate::split_mix::{STEP, SplitMix64};
use crate::{Options, Scanner, Scratch};
use chain::{Chain, chains};
use dyetrace_case::{Datum, DatumId, PartName, Range, Record, Sighting, Subject};
use slot::{Slot, inject, slots};
use std::collections::BTreeMap;

/// How much is tried.
#[derive(Debug, Clone)]
pub struct SpikeOptions {
    /// Try all chains of three codecs and every carrier for all of two, instead of a sample.
    pub all_chains: bool,
    /// How values are searched for.
    pub search: Options,
}

impl Default for SpikeOptions {
    /// A sample of the chains of three; decoys are not looked for.
    fn default() -> Self {
        Self { all_chains: false, search: Options { decoys: 0, ..Options::default() } }
    }
}

/// How often hidden values were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Values hidden.
    pub injected: u64,
    /// Found as sightings.
    pub solid: u64,
    /// Found as hints.
    pub hints: u64,
    /// Found, sighting or hint, at bytes that all belong to what was hidden.
    pub exact: u64,
}

impl Recovery {
    fn add(&mut self, other: Self) {
        self.injected += other.injected;
        self.solid += other.solid;
        self.hints += other.hints;
        self.exact += other.exact;
    }

    /// Found in either way.
    pub fn found(self) -> u64 {
        self.solid + self.hints
    }
}

/// What spiking gave.
#[derive(Debug, Clone, Default)]
pub struct Spike {
    /// By chain of codecs, outermost first as in trails; worst first.
    pub chains: Vec<(String, Recovery)>,
    /// By carrier: `json`, `query`, `header` …
    pub carriers: BTreeMap<&'static str, Recovery>,
    /// By number of codecs.
    pub depths: BTreeMap<usize, Recovery>,
    /// All together.
    pub all: Recovery,
}

/// Hides each value behind each chain in copies of the records and searches the copies.
/// `progress` is called with what is done and what there is to do.
pub fn spike(
    subject: &Subject,
    scanner: &Scanner,
    records: &[Record],
    options: &SpikeOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Spike {
    let slots = slots(records);
    let carriers: Vec<&'static str> = slots.keys().copied().collect();
    let mut run =
        Run { scanner, records, scratch: Scratch::default(), chains: BTreeMap::new(), spike: Spike::default() };
    let jobs = jobs(subject, &carriers, options.all_chains);
    for (number, (chain, datum, carrier)) in jobs.iter().enumerate() {
        progress(number as u64, jobs.len() as u64);
        let Some(places) = slots.get(carrier).filter(|places| !places.is_empty()) else { continue };
        run.hide(chain, datum, &places[mixed(number as u64) as usize % places.len()]);
    }
    run.finish()
}

/// What is hidden behind what, in which carrier.
fn jobs<'s>(subject: &'s Subject, carriers: &[&'static str], all: bool) -> Vec<(Chain, &'s Datum, &'static str)> {
    let mut jobs = Vec::new();
    let data: Vec<&Datum> = subject.data.iter().filter(|datum| !datum.value.is_empty()).collect();
    for (number, chain) in chains(all).into_iter().enumerate() {
        for (at, datum) in data.iter().enumerate() {
            let chosen = mixed(number as u64 * 64 + at as u64) as usize;
            // Of long chains one value in each carrier would be too many.
            if chain.depth() == 3 && chosen % data.len() != at % data.len() {
                continue;
            }
            let every = chain.depth() < 2 || (all && chain.depth() == 2);
            let fitting: Vec<&'static str> = carriers.iter().copied().filter(|carrier| chain.fits(carrier)).collect();
            let wanted = fitting.iter().enumerate().filter(|(at, _)| every || *at == chosen % fitting.len());
            jobs.extend(wanted.map(|(_, carrier)| (chain.clone(), *datum, *carrier)));
        }
    }
    jobs
}

/// A choice that is spread and always the same.
fn mixed(number: u64) -> u64 {
    SplitMix64(number.wrapping_mul(STEP)).draw() >> 1
}

struct Run<'a> {
    scanner: &'a Scanner,
    records: &'a [Record],
    scratch: Scratch,
    chains: BTreeMap<(usize, String), Recovery>,
    spike: Spike,
}

impl Run<'_> {
    fn hide(&mut self, chain: &Chain, datum: &Datum, slot: &Slot) {
        let Some(wrapped) = chain.wrap(datum.value.reveal()) else { return };
        let Some((record, place)) = self.records.get(slot.record).and_then(|record| inject(record, slot, &wrapped))
        else {
            return;
        };
        let sightings = self.scanner.search(&record, &mut self.scratch).sightings;
        let here = recovered(&sightings, &datum.id, &slot.part, place);
        self.chains.entry((chain.depth(), chain.name())).or_default().add(here);
        self.spike.carriers.entry(slot.carrier).or_default().add(here);
        self.spike.depths.entry(chain.depth()).or_default().add(here);
        self.spike.all.add(here);
    }

    fn finish(mut self) -> Spike {
        let mut chains: Vec<_> = self.chains.into_iter().collect();
        let rank = |recovery: &Recovery| {
            let share = |count: u64| count * 1_000_000 / recovery.injected.max(1);
            (share(recovery.found()), share(recovery.solid))
        };
        chains.sort_by_cached_key(|((depth, name), recovery)| (rank(recovery), *depth, name.clone()));
        self.spike.chains = chains.into_iter().map(|((_, name), recovery)| (name, recovery)).collect();
        self.spike
    }
}

/// What a search found of one hidden value. The strongest sighting counts.
fn recovered(sightings: &[Sighting], datum: &DatumId, part: &PartName, place: Range) -> Recovery {
    let mut here = Recovery { injected: 1, ..Recovery::default() };
    let of_it = |sighting: &&Sighting| {
        sighting.datum == *datum && sighting.place.part == *part && sighting.place.range.overlaps(place)
    };
    let mut found = sightings.iter().filter(of_it);
    if let Some(first) = found.next() {
        let solid = std::iter::once(first).chain(found).any(|sighting| !sighting.is_hint());
        (here.solid, here.hints) = (u64::from(solid), u64::from(!solid));
        here.exact = u64::from(contains(place, first.place.range));
    }
    here
}

fn contains(outer: Range, inner: Range) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

#[cfg(test)]
mod tests;
