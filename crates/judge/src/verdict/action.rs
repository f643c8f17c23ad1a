//! Claims that something can be done, and that it cannot be done without traffic.

use super::coverage::{line, recorded, scope};
use super::index::Index;
use super::part::{Labels, part};
use super::recipients::reached;
use super::scope::Group;
use super::tri::Tri;
use super::tries::tried;
use super::windows::Variant;
use crate::{Needs, OutcomeWanted, Reach, Works, codes};
use dyetrace_case::{CoverageLine, Fact, JudgedPart, Requirement, Scope, Verdict};

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
    part(labels, Verdict::NotExercised, reasons, lines, Vec::new())
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
/// off, only an answer that certainly came while it lasted shows that it was not cut off; otherwise a full
/// recording must show that nothing can have been sent.
fn obstacle(index: &Index<'_>, run: usize, action: usize, without: &[Reach]) -> Option<&'static str> {
    if without.is_empty() {
        return None;
    }
    let blocked = is_blocked(index, run, action, without);
    if has_traffic(index, (run, action), without, blocked) {
        return Some("traffic");
    }
    if blocked {
        return None;
    }
    let mut bad = Vec::new();
    recorded(index.evidence.runs.get(run)?, &[], &mut bad, &mut Vec::new());
    let speaks_of = |recipient: usize| reached(index.recipient(recipient), without) != Tri::No;
    let mut damages = index.evidence.damages.iter().filter(|damage| damage.run.is_none_or(|of| of == run));
    if !bad.is_empty() {
        return Some("not-recorded");
    }
    damages.any(|damage| damage.recipient.is_none_or(speaks_of)).then_some("damage")
}

fn has_traffic(index: &Index<'_>, (run, action): (usize, usize), without: &[Reach], blocked: bool) -> bool {
    let evidence = index.evidence;
    let segments = evidence.runs.get(run).map(|run| run.judged.timeline.segments.as_slice()).unwrap_or_default();
    let within = |segment: usize| {
        let segment = segments.get(segment).filter(|_| segment != 0);
        let inside = segment.and_then(|segment| segment.actions.iter().find(|within| within.action == action));
        match inside {
            Some(within) => within.certainly || !blocked,
            // What has no time may have happened then.
            None => segment.is_none() && !blocked,
        }
    };
    let speaks_of = |recipient: usize| reached(index.recipient(recipient), without) != Tri::No;
    let read = evidence.traffic.iter().map(|one| (one.run, one.segment, one.recipient, one.sent > 0, one.received > 0));
    let unread = evidence.opaque.iter();
    let unread = unread.map(|one| (one.run, one.segment, one.recipient, one.sent != Some(0), one.received > 0));
    read.chain(unread).any(|(of, segment, recipient, sent, received)| {
        of == run && within(segment) && speaks_of(recipient) && (received || (sent && !blocked))
    })
}

/// True where the tester kept the internet off while the action lasted, and the claim speaks of the internet alone.
fn is_blocked(index: &Index<'_>, run: usize, action: usize, without: &[Reach]) -> bool {
    let timeline = index.evidence.runs.get(run).map(|run| &run.judged.timeline);
    let action = timeline.and_then(|timeline| timeline.actions.get(action));
    let internet = without.iter().all(|reach| *reach == Reach::Scope(Scope::Wan));
    let named = |action: &str| action.ends_with("-wan-blocked");
    internet && action.is_some_and(|a| a.conditions.iter().any(|c| c == "wan-blocked") || named(&a.action))
}
