//! What the judge is given, from what was read, searched and folded.

use crate::audit::Audited;
use crate::exit::Fault;
use crate::fold::{Address, Folded, Runs};
use dyetrace_case::{
    Canary, Case, DatumId, Event, Form, JudgedRun, Milestone, NameSource, Parties, Practice, Recipient, Record, Run,
    Scope, Subject, Time, Timeline,
};
use dyetrace_judge::{
    DamageFacts, DatumFacts, Evidence, Measured, OpaqueFacts, RecordingCheck, RunFacts, SpikeFacts, TrafficFacts,
};
use dyetrace_recipients::{Recipients, Seen};
use dyetrace_search::Scanner;
use dyetrace_search::spike::{Recovery, spike_by_form};
use std::collections::BTreeMap;

/// Everything that verdicts rest on, in the judge's terms.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) runs: Vec<RunFacts>,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) practices: Vec<Practice>,
    pub(crate) data: Vec<DatumFacts>,
    pub(crate) traffic: Vec<TrafficFacts>,
    pub(crate) opaque: Vec<OpaqueFacts>,
    pub(crate) damages: Vec<DamageFacts>,
    pub(crate) spikes: Vec<SpikeFacts>,
    pub(crate) measured: Vec<Measured>,
}

impl Facts {
    /// The facts of an audited case, without spikes and measured numbers.
    pub(crate) fn of(audited: &Audited, runs: &Runs, folded: &Folded, lists: &Recipients) -> Self {
        let case = audited.intake.case.as_ref();
        let numbers: BTreeMap<&Address, usize> = folded.met.keys().enumerate().map(|(at, key)| (key, at)).collect();
        let number = |address: &Address| numbers.get(address).copied().unwrap_or(0);
        Self {
            runs: run_facts(audited, runs, folded),
            recipients: recipients(case, folded, lists),
            practices: folded.practices(),
            data: data(&audited.subject),
            traffic: traffic(folded, &number),
            opaque: opaque(folded, &number),
            damages: damages(audited, folded, &number),
            spikes: Vec::new(),
            measured: Vec::new(),
        }
    }

    /// Leaves out everything of other runs. What belongs to no run stays.
    pub(crate) fn keep_run(&mut self, id: &str) -> Result<(), Fault> {
        let Some(kept) = self.runs.iter().position(|run| run.judged.id == id) else {
            let names: Vec<&str> = self.runs.iter().map(|run| run.judged.id.as_str()).collect();
            let fault = Fault::new(format!("there is no run {id}"));
            return Err(fault.hint(format!("the runs of this case are {}", names.join(", "))));
        };
        self.runs = vec![self.runs.swap_remove(kept)];
        self.practices.retain_mut(|one| keep(&mut one.key.run, kept));
        self.traffic.retain_mut(|one| keep(&mut one.run, kept));
        self.opaque.retain_mut(|one| keep(&mut one.run, kept));
        self.spikes.retain_mut(|one| keep(&mut one.run, kept));
        self.damages.retain_mut(|one| one.run.as_mut().is_none_or(|run| keep(run, kept)));
        Ok(())
    }

    /// What the judge takes.
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            runs: &self.runs,
            recipients: &self.recipients,
            practices: &self.practices,
            data: &self.data,
            traffic: &self.traffic,
            opaque: &self.opaque,
            damages: &self.damages,
            spikes: &self.spikes,
            measured: &self.measured,
            canaries: &[],
        }
    }
}

/// Is it of the run that is kept? That run is then the first.
fn keep(run: &mut usize, kept: usize) -> bool {
    let is_kept = *run == kept;
    *run = 0;
    is_kept
}

/// How often values that are hidden in copies of the records of a run are found again.
pub(crate) fn spikes(run: usize, subject: &Subject, scanner: &Scanner, records: &[Record]) -> Vec<SpikeFacts> {
    let found = spike_by_form(subject, scanner, records, &mut |_, _| {});
    let fact = |((datum, form), recovery): ((DatumId, Form), Recovery)| SpikeFacts {
        run,
        datum,
        form,
        hidden: recovery.injected,
        found: recovery.found(),
    };
    found.into_iter().map(fact).collect()
}

fn data(subject: &Subject) -> Vec<DatumFacts> {
    let facts = subject.data.iter().map(|datum| DatumFacts {
        id: datum.id.clone(),
        kind: datum.kind.clone(),
        made_up: datum.made_up,
    });
    facts.collect()
}

fn run_facts(audited: &Audited, runs: &Runs, folded: &Folded) -> Vec<RunFacts> {
    let named = audited.intake.case.as_ref().map_or(&[][..], |case| &case.file.runs);
    let facts = runs.timelines().iter().enumerate().map(|(number, timeline)| {
        let run = named.get(number);
        let seen = folded.runs.get(&number).copied().unwrap_or_default();
        let exhibits = audited.intake.exhibits.iter().enumerate();
        let mine: Vec<_> = exhibits.filter(|(at, _)| runs.run_of(*at) == number).map(|(_, opened)| opened).collect();
        let judged = JudgedRun {
            id: run.map_or_else(|| "run".to_owned(), |run| run.id.clone()),
            product: run.and_then(|run| run.product.clone()),
            timeline: timeline.clone(),
            interventions: run.map(|run| run.interventions.clone()).unwrap_or_default(),
            channels: run.map(|run| run.channels.clone()).unwrap_or_default(),
            first: seen.first,
            last: seen.last,
        };
        RunFacts {
            judged,
            held: run.map(|run| run.held.clone()).unwrap_or_default(),
            exhibits: mine.iter().map(|opened| opened.exhibit().path.clone()).collect(),
            records: seen.records,
            stored_files: stored_files(folded, number, run, timeline),
            drops: dropped(
                mine.iter().filter(|opened| !opened.exhibit().format.is_snapshot()).map(|opened| opened.dropped()),
            ),
            region: run.and_then(|run| run.region.clone()),
            apps: run.map(|run| run.apps.clone()).unwrap_or_default(),
            checks: checks(runs, folded, number),
        }
    });
    facts.collect()
}

/// Files that were collected when all was done: what is not there before says nothing of what comes.
/// A snapshot is taken over a while: it counts from the moment at which its reading began.
fn stored_files(folded: &Folded, number: usize, run: Option<&Run>, timeline: &Timeline) -> u64 {
    let ended = timeline.actions.iter().map(|action| action.ended.unwrap_or(action.began)).max();
    let taken = run.iter().flat_map(|run| &run.milestones);
    let taken = taken.filter(|milestone| matches!(milestone.event, Event::Snapshot { .. }));
    let errors: BTreeMap<Time, u64> = taken.map(|taken| (taken.at, taken.error)).collect();
    let began = |collected: Time| {
        let error = errors.get(&collected).copied().unwrap_or(0);
        Time(collected.0.saturating_sub(i64::try_from(error).unwrap_or(i64::MAX)))
    };
    let late = |collected: &Option<Time>| {
        ended.is_none_or(|ended| collected.is_some_and(|collected| began(collected) >= ended))
    };
    let counts = folded.files.iter().filter(|((of, collected), _)| *of == number && late(collected));
    counts.map(|(_, files)| *files).sum()
}

/// Packets that are known to be lost, however many recordings do not say; where all that say so lost none, one that does
/// not say leaves it unknown.
fn dropped(recordings: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let (known, unknown) = recordings.fold((0u64, false), |(known, unknown), recording| match recording {
        Some(packets) => (known.saturating_add(packets), unknown),
        None => (known, true),
    });
    (known > 0 || !unknown).then_some(known)
}

fn checks(runs: &Runs, folded: &Folded, run: usize) -> Vec<RecordingCheck> {
    let check = |(number, _, canary): (usize, &Milestone, &Canary)| RecordingCheck {
        what: canary.to_string(),
        recorded: folded.canaries.contains(&(run, number)),
    };
    runs.canaries(run).map(check).collect()
}

/// Who is behind each endpoint. The maker is the one that all runs agree on.
fn recipients(case: Option<&Case>, folded: &Folded, lists: &Recipients) -> Vec<Recipient> {
    let nobody = Parties::default();
    let parties = case.map_or(&nobody, |case| &case.file.parties);
    let vendor = case.and_then(|case| vendor(&case.file.runs));
    let stored = || Recipient::unknown(None, None, Scope::Storage);
    let resolve = |(address, met): (&Address, &crate::fold::Met)| {
        if *address == Address::stored() {
            return stored();
        }
        let source = met.source.unwrap_or(NameSource::Dns);
        let name = address.name.as_deref().map(|name| (name, source));
        let addresses = address.address.into_iter().chain(met.addresses.iter().copied()).collect();
        lists.resolve_seen(&Seen { name, addresses, more: met.more }, vendor, parties)
    };
    folded.met.iter().map(resolve).collect()
}

fn vendor(runs: &[Run]) -> Option<&str> {
    let mut vendors = runs.iter().filter_map(|run| run.product.as_ref()?.vendor.as_deref());
    let first = vendors.next()?;
    vendors.all(|other| other == first).then_some(first)
}

fn traffic(folded: &Folded, number: &impl Fn(&Address) -> usize) -> Vec<TrafficFacts> {
    let facts = folded.traffic.iter().map(|((run, segments, address), amount)| TrafficFacts {
        run: *run,
        segment: segments.0,
        last_segment: segments.1,
        recipient: number(address),
        records: amount.times,
        sent: amount.sent,
        received: amount.received,
    });
    facts.collect()
}

fn opaque(folded: &Folded, number: &impl Fn(&Address) -> usize) -> Vec<OpaqueFacts> {
    let facts = folded.opaque.iter().map(|(key, amount)| OpaqueFacts {
        run: key.run,
        segment: key.segments.0,
        last_segment: key.segments.1,
        recipient: number(&key.address),
        sent: (!amount.uncounted).then_some(amount.sent),
        received: amount.received,
        times: amount.times,
        protection: key.protection,
        reason: key.reason.clone(),
        other_app: key.others,
    });
    facts.collect()
}

/// What broke, and evidence that was not there to be read.
fn damages(audited: &Audited, folded: &Folded, number: &impl Fn(&Address) -> usize) -> Vec<DamageFacts> {
    let losses = folded.losses.iter().map(|(key, amount)| DamageFacts {
        run: Some(key.run),
        recipient: key.address.as_ref().map(number),
        bytes: amount.sent,
        reason: key.reason.clone(),
    });
    let refused = (audited.intake.refused > 0).then(|| DamageFacts {
        run: None,
        recipient: None,
        bytes: 0,
        reason: "an exhibit could not be opened".to_owned(),
    });
    losses.chain(refused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_that_does_not_say_hides_no_packets_that_another_lost() {
        assert_eq!(dropped([Some(3), None, Some(4)].into_iter()), Some(7));
        assert_eq!(dropped([Some(0), None].into_iter()), None);
        assert_eq!(dropped([Some(0), Some(0)].into_iter()), Some(0));
        assert_eq!(
            dropped([Some(u64::MAX), Some(u64::MAX)].into_iter()),
            Some(u64::MAX),
            "what they claim is added up"
        );
    }
}
