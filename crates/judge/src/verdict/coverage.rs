//! What must hold before a `never` or a list may be called supported, line by line.

use super::held::Held;
use super::index::Index;
use super::scope::{Group, run_names};
use super::seen::{Found, Seen, Sought, needs_transmission};
use super::tri::Tri;
use super::tries::{Cell, cells, end_of};
use super::windows::{Variant, is_action_in_any_way};
use crate::{Evidence, Exercise, OpaqueFacts, Reach, RunFacts, SpikeFacts, codes};
use dyetrace_case::{CoverageLine, DatumId, Event, Fact, Form, Met, Phase, Requirement};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the lines are made from.
pub(crate) struct Case<'a> {
    pub(crate) seen: &'a Seen<'a>,
    pub(crate) sought: &'a Sought<'a>,
    pub(crate) group: &'a Group,
    pub(crate) exercise: &'a Exercise,
    pub(crate) variant: &'a Variant,
    pub(crate) held: &'a Held,
}

/// A line, met where every fact is good.
pub(crate) fn line(requirement: Requirement, good: bool, facts: Vec<Fact>) -> CoverageLine {
    CoverageLine { requirement, met: if good { Met::Yes } else { Met::No }, facts }
}

/// A line that this claim does not need.
pub(crate) fn not_needed(requirement: Requirement) -> CoverageLine {
    CoverageLine { requirement, met: Met::NotNeeded, facts: Vec::new() }
}

/// The most opaque recipients and damages that a line names one by one.
const NAMED: usize = 50;

impl<'a> Case<'a> {
    pub(crate) fn index(&self) -> &'a Index<'a> {
        self.seen.index
    }

    fn evidence(&self) -> &'a Evidence<'a> {
        self.seen.index.evidence
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = &'a RunFacts> {
        let runs = self.evidence().runs;
        self.group.runs.iter().filter_map(|&run| runs.get(run))
    }

    /// Every line in the order of [`Requirement::ALL`], and how often the least tried cell was tried.
    pub(crate) fn lines(&self, found: &Found) -> (Vec<CoverageLine>, u64) {
        let cells = self.cells();
        let tries = cells.iter().map(|cell| cell.done.len() as u64).min().unwrap_or(0);
        let lines = vec![
            scope(self.evidence(), self.group),
            self.held(),
            self.exercised(&cells),
            self.visible(),
            self.detectable(),
            self.positive_control(found),
            self.quiet(),
            self.undamaged(),
            self.not_vacuous(found),
        ];
        (lines, tries)
    }

    /// An action counts as tried only if the product had the data by its end.
    fn cells(&self) -> Vec<Cell<'a>> {
        let counts = |run: usize, action: usize| {
            let end = end_of(self.evidence(), run, action);
            self.held.all_by(self.index(), &self.sought.never.data, run, end)
        };
        cells(self.evidence(), self.group, self.exercise, self.sought.never, self.variant, counts)
    }

    fn held(&self) -> CoverageLine {
        let mut good = true;
        let mut facts = Vec::new();
        for selector in &self.sought.never.data {
            let data: Vec<usize> =
                (0..self.index().data.len()).filter(|&datum| self.index().covers(selector, datum)).collect();
            let had = |datum: &&usize| self.group.runs.iter().any(|&run| self.held.by(run, **datum, None));
            let held = data.iter().filter(had).count();
            good &= held > 0;
            let name = selector.name();
            facts.push(match (held, data.len()) {
                (_, 0) => codes::NOTHING_PLANTED.fact([&name]),
                (0, planted) => codes::NOT_HELD.fact([&name, &planted]),
                (held, planted) => codes::HELD.fact([&name, &held, &planted]),
            });
        }
        line(Requirement::Held, good, facts)
    }

    fn exercised(&self, cells: &[Cell<'_>]) -> CoverageLine {
        if cells.is_empty() && self.stored_only() {
            return not_needed(Requirement::Exercised);
        }
        if cells.is_empty() {
            return line(Requirement::Exercised, false, vec![codes::NO_EXERCISE_STATED.fact([])]);
        }
        let enough = |cell: &Cell<'_>| cell.done.len() as u64 >= cell.wanted.times;
        let facts = cells.iter().map(|cell| {
            let code = if enough(cell) { &codes::EXERCISED } else { &codes::EXERCISE_MISSING };
            let state = cell.state.map_or("", dyetrace_case::ConsentState::name);
            let variant = self.variant.name().unwrap_or_default();
            code.fact([&cell.wanted.name, &state, &variant, &cell.done.len(), &cell.wanted.times])
        });
        line(Requirement::Exercised, cells.iter().all(enough), facts.collect())
    }

    fn visible(&self) -> CoverageLine {
        let (mut bad, mut good) = (Vec::new(), Vec::new());
        for run in self.runs().filter(|_| !self.stored_only()) {
            recorded(run, &self.exercise.channels, &mut bad, &mut good);
        }
        bad.extend(self.storage_unread());
        good.push(self.read());
        self.opaque(&mut bad, &mut good);
        let met = bad.is_empty();
        bad.append(&mut good);
        line(Requirement::Visible, met, bad)
    }

    /// A claim about stored files needs some that were read, collected when all was done.
    fn storage_unread(&self) -> Option<Fact> {
        let stored = self.sought.never.reaches.contains(&Reach::Storage);
        let unread = stored && !self.runs().all(|run| run.stored_files > 0);
        let runs = || self.runs().map(|run| run.judged.id.as_str()).collect::<Vec<_>>().join(", ");
        unread.then(|| codes::STORAGE_UNREAD.fact([&runs()]))
    }

    fn read(&self) -> Fact {
        let traffic = self.evidence().traffic.iter().filter(|traffic| self.group.runs.contains(&traffic.run));
        let traffic = traffic.filter(|traffic| self.seen.reach(traffic.recipient) != Tri::No);
        let sum = traffic.fold((0u64, 0u64, 0u64), |(records, sent, received), traffic| {
            (
                records.saturating_add(traffic.records),
                sent.saturating_add(traffic.sent),
                received.saturating_add(traffic.received),
            )
        });
        codes::READ.fact([&sum.0, &sum.1, &sum.2])
    }

    /// Outbound bytes that nobody read, to whom the claim speaks of, when it speaks of it.
    fn opaque(&self, bad: &mut Vec<Fact>, good: &mut Vec<Fact>) {
        let (mut protected, mut others) = (0u64, 0u64);
        let mut total = 0u64;
        let mut named: BTreeMap<(String, &str), (u64, u64)> = BTreeMap::new();
        let mut uncounted: BTreeMap<(String, &str), u64> = BTreeMap::new();
        for opaque in self.evidence().opaque.iter().filter(|opaque| self.matters(opaque)) {
            if opaque.other_app {
                others = others.saturating_add(opaque.sent.unwrap_or(0));
                continue;
            }
            let level = self.sought.never.protection_below;
            if level.is_some_and(|level| opaque.protection >= level) {
                protected = protected.saturating_add(opaque.sent.unwrap_or(0));
                continue;
            }
            let recipient = self.index().recipient(opaque.recipient).shown();
            let key = (recipient, opaque.reason.as_str());
            match opaque.sent {
                Some(0) => {}
                Some(sent) => {
                    total = total.saturating_add(sent);
                    let (all, times) = named.entry(key).or_default();
                    *all = all.saturating_add(sent);
                    *times = times.saturating_add(opaque.times);
                }
                None => {
                    let times = uncounted.entry(key).or_default();
                    *times = times.saturating_add(opaque.times);
                }
            }
        }
        let mut named: Vec<_> = named.into_iter().collect();
        named.sort_by_key(|(_, (sent, _))| std::cmp::Reverse(*sent));
        named.truncate(NAMED);
        let uncounted = uncounted.iter().take(NAMED);
        bad.extend(
            uncounted.map(|((recipient, reason), times)| codes::OPAQUE_UNCOUNTED.fact([recipient, times, reason])),
        );
        let list = if total > self.exercise.opaque_at_most { &mut *bad } else { &mut *good };
        list.push(codes::OPAQUE_TOTAL.fact([&total, &self.exercise.opaque_at_most]));
        let fact = |((recipient, reason), (sent, times)): &((String, &str), (u64, u64))| {
            codes::OPAQUE.fact([recipient, sent, times, reason])
        };
        list.extend(named.iter().map(fact));
        if let Some(level) = self.sought.never.protection_below.filter(|_| protected > 0) {
            good.push(codes::OPAQUE_PROTECTED.fact([&protected, &level.name()]));
        }
        if others > 0 {
            good.push(codes::OPAQUE_OTHER_APPS.fact([&others]));
        }
    }

    fn matters(&self, opaque: &OpaqueFacts) -> bool {
        let whom = [self.seen.concerns(opaque.recipient), self.seen.country(opaque.recipient)];
        let may_be = whom.iter().all(|holds| *holds != Tri::No);
        may_be && self.seen.may_speak_of(opaque.run, opaque.segment, opaque.last_segment)
    }

    /// Recovery is asked for clear and encoded values; of other forms it is told where it was measured. Each
    /// datum that the claim seeks must be found again by itself.
    fn detectable(&self) -> CoverageLine {
        let planted = self.evidence().data;
        let sought: BTreeSet<&DatumId> = self
            .index()
            .selected(&self.sought.never.data)
            .into_iter()
            .filter_map(|datum| Some(&planted.get(datum)?.id))
            .collect();
        let mut met = true;
        let mut facts = Vec::new();
        for &form in &self.sought.never.forms {
            met &= self.recovery(form, &sought, &mut facts);
        }
        // The first fact of a line that does not hold is the reason that is given.
        facts.sort_by_key(|fact| fact.code == codes::RECOVERY.name);
        line(Requirement::Detectable, met, facts)
    }

    /// True where enough of each datum was found again in this form, in the records of each run: what one recording
    /// shows says nothing of another.
    fn recovery(&self, form: Form, sought: &BTreeSet<&DatumId>, facts: &mut Vec<Fact>) -> bool {
        let here = |spikes: &&SpikeFacts| {
            spikes.form == form
                && spikes.hidden > 0
                && self.group.runs.binary_search(&spikes.run).is_ok()
                && sought.contains(&spikes.datum)
        };
        let at_least = self.exercise.spike_at_least;
        let enough = |spikes: &&SpikeFacts| spikes.found as f64 >= at_least * spikes.hidden as f64;
        let (good, low): (Vec<&SpikeFacts>, Vec<_>) = self.evidence().spikes.iter().filter(here).partition(enough);
        let hidden: BTreeSet<(usize, &DatumId)> =
            good.iter().chain(&low).map(|spikes| (spikes.run, &spikes.datum)).collect();
        let all_hidden = !hidden.is_empty() && hidden.len() == sought.len().saturating_mul(self.group.runs.len());
        let is_needed = matches!(form, Form::Clear | Form::Encoded);
        if !good.is_empty() {
            let sum = |number: fn(&SpikeFacts) -> u64| good.iter().map(|one| number(one)).fold(0, u64::saturating_add);
            let (found, hidden) = (sum(|one| one.found), sum(|one| one.hidden));
            facts.push(codes::RECOVERY.fact([&form.name(), &found, &hidden, &at_least]));
        }
        facts.extend(
            low.iter()
                .take(NAMED)
                .map(|one| codes::RECOVERY_LOW.fact([&one.datum.0, &form.name(), &one.found, &one.hidden, &at_least])),
        );
        if hidden.is_empty() || is_needed && !all_hidden {
            facts.push(codes::NOT_SPIKED.fact([&form.name()]));
        }
        low.is_empty() && (all_hidden || !is_needed)
    }

    /// Where something is allowed in an action, it must have been seen there: else nobody knows that it
    /// would have been seen elsewhere.
    fn positive_control(&self, found: &Found) -> CoverageLine {
        let unless = &self.sought.never.unless;
        if unless.is_empty() {
            return not_needed(Requirement::PositiveControl);
        }
        let mut met = true;
        let facts = unless.iter().map(|name| {
            let controls = found.controls.iter().filter(|(practice, action)| self.is_control(*practice, *action, name));
            let practices = controls.filter_map(|(practice, _)| self.index().practice(*practice));
            let sightings: u64 = practices.map(|practice| practice.count).fold(0, u64::saturating_add);
            met &= sightings > 0;
            if sightings > 0 {
                codes::CONTROL_SEEN.fact([name, &sightings])
            } else {
                codes::CONTROL_MISSING.fact([name])
            }
        });
        let facts: Vec<Fact> = facts.collect();
        line(Requirement::PositiveControl, met, facts)
    }

    fn is_control(&self, practice: usize, action: usize, name: &str) -> bool {
        let run = self.index().practice(practice).and_then(|practice| self.evidence().runs.get(practice.key.run));
        let action = run.and_then(|run| run.judged.timeline.actions.get(action));
        action.is_some_and(|action| is_action_in_any_way(action, name))
    }

    fn quiet(&self) -> CoverageLine {
        let wanted = self.exercise.quiet_s;
        if wanted == 0 || self.stored_only() {
            return not_needed(Requirement::QuietTime);
        }
        let mut met = true;
        let facts: Vec<Fact> = self
            .runs()
            .map(|run| match quiet_after_last_action(run) {
                Some(seconds) if seconds >= wanted => codes::QUIET.fact([&run.judged.id, &seconds, &wanted]),
                Some(seconds) => {
                    met = false;
                    codes::QUIET_SHORT.fact([&run.judged.id, &seconds, &wanted])
                }
                None => {
                    met = false;
                    codes::QUIET_UNKNOWN.fact([&run.judged.id, &wanted])
                }
            })
            .collect();
        line(Requirement::QuietTime, met, facts)
    }

    /// True for claims about stored files and dumps alone: nothing has to be done or waited for.
    fn stored_only(&self) -> bool {
        self.sought.never.reaches.iter().all(|reach| *reach == Reach::Storage)
    }

    fn undamaged(&self) -> CoverageLine {
        let matters = self.evidence().damages.iter().filter(|damage| {
            damage.run.is_none_or(|run| self.group.runs.contains(&run))
                && damage.recipient.is_none_or(|recipient| self.seen.concerns(recipient) != Tri::No)
        });
        let mut facts: Vec<Fact> = matters
            .map(|damage| {
                let recipient = damage.recipient.map(|recipient| self.index().recipient(recipient).shown());
                codes::DAMAGE.fact([&recipient.unwrap_or_default(), &damage.bytes, &damage.reason])
            })
            .collect();
        let met = facts.is_empty();
        if facts.len() > NAMED {
            let more = facts.len() - NAMED;
            facts.truncate(NAMED);
            facts.push(codes::DAMAGES_MORE.fact([&more]));
        }
        line(Requirement::Undamaged, met, facts)
    }

    fn not_vacuous(&self, found: &Found) -> CoverageLine {
        if !needs_transmission(self.sought.never) {
            return not_needed(Requirement::NotVacuous);
        }
        if found.judged.is_empty() {
            return line(Requirement::NotVacuous, false, vec![codes::VACUOUS.fact([])]);
        }
        let (_, sightings) = super::index::totals(self.index(), &found.judged);
        let fact = codes::JUDGED_TRANSMISSIONS.fact([&found.judged.len(), &sightings]);
        line(Requirement::NotVacuous, true, vec![fact])
    }
}

/// The line on scope.
pub(crate) fn scope(evidence: &Evidence<'_>, group: &Group) -> CoverageLine {
    let runs = run_names(evidence, group);
    match group.unknown {
        Some(condition) => {
            line(Requirement::Scope, false, vec![codes::SCOPE_UNKNOWN.fact([&group.product, &condition])])
        }
        None => line(Requirement::Scope, true, vec![codes::IN_SCOPE.fact([&group.product, &runs])]),
    }
}

/// Was the run recorded on every channel from before its first action to after its last?
pub(crate) fn recorded(run: &RunFacts, channels: &[String], bad: &mut Vec<Fact>, good: &mut Vec<Fact>) {
    let name = &run.judged.id;
    for channel in channels {
        let there = run.judged.channels.contains(channel);
        let code = if there { &codes::CHANNEL_RECORDED } else { &codes::CHANNEL_MISSING };
        if there { &mut *good } else { &mut *bad }.push(code.fact([channel, name]));
    }
    if run.records == 0 {
        bad.push(codes::NO_RECORDS.fact([name]));
    }
    if !starts_early(run) {
        bad.push(codes::STARTS_LATE.fact([name]));
    }
    if !ends_late(run) {
        bad.push(codes::ENDS_EARLY.fact([name]));
    }
    for check in &run.checks {
        let code = if check.recorded { &codes::RECORDING_SHOWN } else { &codes::RECORDING_NOT_SHOWN };
        if check.recorded { &mut *good } else { &mut *bad }.push(code.fact([&check.what, name]));
    }
    match run.drops {
        Some(0) => {}
        Some(packets) => bad.push(codes::DROPPED.fact([name, &packets])),
        None => good.push(codes::DROPS_UNKNOWN.fact([name])),
    }
}

fn starts_early(run: &RunFacts) -> bool {
    let timeline = &run.judged.timeline;
    let Some(began) = timeline.actions.iter().map(|action| action.began).min() else { return true };
    let marked = timeline.milestones.iter().find(|milestone| milestone.event == Event::Phase(Phase::RecordingBegan));
    marked.map(|milestone| milestone.at).or(run.judged.first).is_some_and(|start| start <= began)
}

fn ends_late(run: &RunFacts) -> bool {
    let timeline = &run.judged.timeline;
    let Some(ended) = timeline.actions.iter().map(|action| action.ended.unwrap_or(action.began)).max() else {
        return true;
    };
    let marked = timeline
        .milestones
        .iter()
        .filter(|milestone| matches!(milestone.event, Event::Phase(Phase::RecordingEnded | Phase::QuietEnded)));
    marked.map(|milestone| milestone.at).max().or(run.judged.last).is_some_and(|end| end >= ended)
}

/// Whole seconds of quiet, where the quiet time follows every action.
fn quiet_after_last_action(run: &RunFacts) -> Option<u64> {
    let timeline = &run.judged.timeline;
    let quiet = timeline.milestones.iter().rev().find(|one| one.event == Event::Phase(Phase::QuietBegan))?;
    let disturbed = timeline.actions.iter().any(|action| action.ended.unwrap_or(action.began) > quiet.at);
    (!disturbed).then(|| timeline.quiet_time().map(|nanos| nanos / 1_000_000_000))?
}
