//! Claims that something can be done, and that it cannot be done without traffic.

use super::coverage::{bound_of, line, recorded, scope};
use super::index::Index;
use super::part::{Labels, part};
use super::recipients::reached;
use super::scope::Group;
use super::tri::Tri;
use super::tries::tried;
use super::windows::Variant;
use crate::{Needs, OutcomeWanted, Reach, Works, codes};
use dyetrace_case::{CoverageLine, Fact, JudgedPart, Requirement, Scope, Segment, Verdict};

/// One demonstrated success supports; failures decide nothing, because the tester may have failed.
pub(crate) fn works(
    index: &Index<'_>,
    works: &Works,
    group: &Group,
    variant: &Variant,
    labels: &Labels<'_>,
) -> JudgedPart {
    let shown = successes(index, &works.action, &works.without_traffic_to, group, variant);
    let lines = lines(index, group, &works.action, &shown);
    if shown.count > 0 && group.unknown.is_none() {
        let reasons = vec![codes::SHOWN_TO_WORK.fact([&works.action, &shown.count])];
        return part(labels, Verdict::Supported, reasons, lines, Vec::new());
    }
    let mut reasons = vec![codes::NOT_SHOWN.fact([&works.action, &shown.tries])];
    reasons.extend(shown.discounted.iter().cloned());
    let numbers = if shown.tries > 0 { vec![bound_of(shown.tries)] } else { Vec::new() };
    part(labels, Verdict::NotExercised, reasons, lines, numbers)
}

/// One success without the traffic contradicts; failed tries without it never support that it is needed.
pub(crate) fn needs(
    index: &Index<'_>,
    needs: &Needs,
    group: &Group,
    variant: &Variant,
    labels: &Labels<'_>,
) -> JudgedPart {
    let shown = successes(index, &needs.action, &needs.without_traffic_to, group, variant);
    let lines = lines(index, group, &needs.action, &shown);
    if shown.count > 0 && group.unknown.is_none() {
        let reasons = vec![codes::SHOWN_WITHOUT.fact([&needs.action, &shown.count])];
        return part(labels, Verdict::Contradicted, reasons, lines, Vec::new());
    }
    let mut reasons = vec![match shown.tries {
        0 => codes::NOT_SHOWN.fact([&needs.action, &0]),
        tries => codes::FAILURES_DECIDE_NOTHING.fact([&needs.action, &tries]),
    }];
    reasons.extend(shown.discounted.iter().cloned());
    part(labels, Verdict::NotExercised, reasons, lines, Vec::new())
}

fn lines(index: &Index<'_>, group: &Group, action: &str, shown: &Shown) -> Vec<CoverageLine> {
    let done = shown.count > 0;
    let code = if done { &codes::EXERCISED } else { &codes::EXERCISE_MISSING };
    let mut facts = vec![code.fact([&action, &"", &"", &shown.count, &1])];
    facts.extend(shown.discounted.iter().cloned());
    vec![scope(index.evidence, group), line(Requirement::Exercised, done, facts)]
}

/// Successes of an action, and what keeps others from counting.
struct Shown {
    count: u64,
    tries: u64,
    discounted: Vec<Fact>,
}

fn successes(index: &Index<'_>, name: &str, without: &[Reach], group: &Group, variant: &Variant) -> Shown {
    let tries = tried(index.evidence, group, name, variant, OutcomeWanted::Any).len() as u64;
    let mut shown = Shown { count: 0, tries, discounted: Vec::new() };
    for (run, action) in tried(index.evidence, group, name, variant, OutcomeWanted::Succeeded) {
        match obstacle(index, run, action, without) {
            None => shown.count += 1,
            Some(why) => {
                let run = &index.evidence.runs[run].judged.id;
                shown.discounted.push(codes::SUCCESS_DISCOUNTED.fact([&name, run, &why]));
            }
        }
    }
    shown.discounted.sort();
    shown.discounted.dedup();
    shown
}

/// Why a success does not show that the action needs no traffic. Where the tester had cut the network
/// off, only an answer shows that it was not; otherwise a full recording must show that nothing was sent.
fn obstacle(index: &Index<'_>, run: usize, action: usize, without: &[Reach]) -> Option<&'static str> {
    if without.is_empty() {
        return None;
    }
    let evidence = index.evidence;
    let facts = evidence.runs.get(run)?;
    let blocked = is_blocked(index, run, action, without);
    let going_on = |segment: usize| {
        let segments = &facts.judged.timeline.segments;
        segment == 0
            || segments.get(segment).is_none_or(|segment: &Segment| segment.actions.iter().any(|w| w.action == action))
    };
    let speaks_of = |recipient: usize| reached(index.recipient(recipient), without) != Tri::No;
    let counts = |sent: bool, received: u64| received > 0 || (sent && !blocked);
    let read =
        evidence.traffic.iter().filter(|one| one.run == run && going_on(one.segment) && speaks_of(one.recipient));
    if read.into_iter().any(|one| counts(one.sent > 0, one.received)) {
        return Some("traffic");
    }
    let unread =
        evidence.opaque.iter().filter(|one| one.run == run && going_on(one.segment) && speaks_of(one.recipient));
    if unread.into_iter().any(|one| counts(one.sent != Some(0), one.received)) {
        return Some("traffic");
    }
    if blocked {
        return None;
    }
    let mut bad = Vec::new();
    recorded(facts, &[], &mut bad, &mut Vec::new());
    let damaged = evidence
        .damages
        .iter()
        .any(|damage| damage.run.is_none_or(|of| of == run) && damage.recipient.is_none_or(speaks_of));
    if !bad.is_empty() {
        return Some("not-recorded");
    }
    damaged.then_some("damage")
}

/// True where the tester kept the internet off while the action lasted, and the claim speaks of the internet alone.
fn is_blocked(index: &Index<'_>, run: usize, action: usize, without: &[Reach]) -> bool {
    let timeline = index.evidence.runs.get(run).map(|run| &run.judged.timeline);
    let action = timeline.and_then(|timeline| timeline.actions.get(action));
    let internet = without.iter().all(|reach| *reach == Reach::Scope(Scope::Wan));
    let named = |action: &str| action.ends_with("-wan-blocked");
    internet && action.is_some_and(|a| a.conditions.iter().any(|c| c == "wan-blocked") || named(&a.action))
}
