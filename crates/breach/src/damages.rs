//! What was skipped: told in the order of the dump, the first thousand one by one, however many parts it was read in.

use crate::kept::{In, Out};
use crate::rows::Damage;
use crate::scan::DamageReport;
use std::collections::BTreeMap;
use std::io;

/// Damages told one by one.
const MOST: usize = 1000;
/// Most different words for what was wrong.
const MOST_WORDS: usize = 64;

/// Damages by what was wrong. Each of these comes in the order of the dump; all of them together may not.
#[derive(Default)]
pub(crate) struct Damages(BTreeMap<String, OfOne>);

/// Damages of one sort.
#[derive(Default)]
struct OfOne {
    /// The first of them.
    told: Vec<Skipped>,
    all: u64,
    last: Option<Skipped>,
}

/// A stretch that was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Skipped {
    entry: u32,
    offset: u64,
    bytes: Option<u64>,
}

impl Skipped {
    /// Both as one, where the other begins where this ends.
    fn with(self, next: Self) -> Option<Self> {
        let (bytes, more) = (self.bytes?, next.bytes?);
        let goes_on = self.entry == next.entry && self.offset + bytes == next.offset;
        goes_on.then_some(Self { bytes: Some(bytes + more), ..self })
    }
}

impl OfOne {
    fn add(&mut self, next: Skipped) {
        if let Some(joined) = self.last.and_then(|last| last.with(next)) {
            self.replace_last(joined);
            return;
        }
        self.all += 1;
        self.last = Some(next);
        if self.told.len() < MOST {
            self.told.push(next);
        }
    }

    fn replace_last(&mut self, joined: Skipped) {
        self.last = Some(joined);
        if self.all == self.told.len() as u64
            && let Some(last) = self.told.last_mut()
        {
            *last = joined;
        }
    }

    fn merge(&mut self, next: &Self) {
        let before = self.all;
        for skipped in &next.told {
            self.add(*skipped);
        }
        let joined = before + next.told.len() as u64 - self.all;
        if next.all > next.told.len() as u64 {
            self.all = before + next.all - joined;
            self.last = next.last;
        }
    }
}

impl Damages {
    /// Adds what was skipped.
    pub(crate) fn add(&mut self, damage: Damage) {
        let Damage { place, bytes, what } = damage;
        if let Some(of_one) = self.of(what) {
            of_one.add(Skipped { entry: place.entry, offset: place.offset, bytes });
        }
    }

    fn of(&mut self, what: String) -> Option<&mut OfOne> {
        let is_known = self.0.len() < MOST_WORDS || self.0.contains_key(&what);
        is_known.then(|| self.0.entry(what).or_default())
    }

    /// Adds what was skipped in a part that comes after this.
    pub(crate) fn merge(&mut self, part: &Self) {
        for (what, next) in &part.0 {
            if let Some(of_one) = self.of(what.clone()) {
                of_one.merge(next);
            }
        }
    }

    /// The first in the order of the dump, and how many more there are.
    pub(crate) fn report(self) -> (Vec<DamageReport>, u64) {
        let all: u64 = self.0.values().map(|of_one| of_one.all).sum();
        let of_one = |(what, of_one): (String, OfOne)| {
            of_one.told.into_iter().map(move |Skipped { entry, offset, bytes }| DamageReport {
                entry,
                offset,
                bytes,
                what: what.clone(),
            })
        };
        let mut told: Vec<DamageReport> = self.0.into_iter().flat_map(of_one).collect();
        told.sort_by(|one, other| (one.entry, one.offset, &one.what).cmp(&(other.entry, other.offset, &other.what)));
        told.truncate(MOST);
        let further = all - told.len() as u64;
        (told, further)
    }

    /// Writes them.
    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.number(self.0.len() as u64)?;
        for (what, of_one) in &self.0 {
            out.text(what)?;
            out.numbers(&[of_one.all, of_one.told.len() as u64])?;
            of_one.told.iter().chain(&of_one.last).try_for_each(|skipped| skipped.keep(out))?;
        }
        Ok(())
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let mut damages = Self::default();
        for _ in 0..from.length(MOST_WORDS)? {
            let what = from.text()?;
            let (all, count) = (from.number()?, from.length(MOST)?);
            let told = (0..count).map(|_| Skipped::kept(from)).collect::<io::Result<_>>()?;
            damages.0.insert(what, OfOne { told, all, last: Some(Skipped::kept(from)?) });
        }
        Ok(damages)
    }
}

impl Skipped {
    fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        let bytes = self.bytes.map_or(0, |bytes| bytes.saturating_add(1));
        out.numbers(&[u64::from(self.entry), self.offset, bytes])
    }

    fn kept(from: &mut In<'_>) -> io::Result<Self> {
        Ok(Self { entry: from.small()?, offset: from.number()?, bytes: from.number()?.checked_sub(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Place;
    use proptest::prelude::*;

    fn of(places: &[(u64, u64, bool)]) -> Damages {
        let mut damages = Damages::default();
        for (offset, bytes, is_one) in places {
            let what = if *is_one { "one" } else { "other" }.to_owned();
            damages.add(Damage { place: Place { entry: 0, offset: *offset }, bytes: Some(*bytes), what });
        }
        damages
    }

    proptest! {
        #[test]
        fn parts_of_any_size_say_what_the_whole_says(
            steps in proptest::collection::vec((0u64..2, 1u64..3, any::<bool>()), 0..4000), cuts in proptest::collection::vec(0usize..4000, 0..5)
        ) {
            let mut at = 0;
            let places: Vec<_> = steps.iter().map(|(gap, bytes, is_one)| {
                let offset = at + gap;
                at = offset + bytes;
                (offset, *bytes, *is_one)
            }).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(places.len())).chain([0, places.len()]).collect();
            cuts.sort_unstable();
            let mut merged = Damages::default();
            for ends in cuts.windows(2) {
                let mut written = Vec::new();
                merged.keep(&mut Out(&mut written)).unwrap();
                merged = Damages::kept(&mut In(&mut &written[..])).unwrap();
                merged.merge(&of(&places[ends[0]..ends[1]]));
            }
            prop_assert_eq!(merged.report(), of(&places).report());
        }
    }
}
