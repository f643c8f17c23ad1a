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
use dyetrace_case::{CoverageLine, Fact, JudgedPart, Requirement, Scope, Segment, Verdict};

/// One demonstrated success supports; failures decide nothing, because the tester may have failed.
pub(crate) fn works(
    index: &Index<'_>,
    works: &Works,
    channels: &[String],
    group: &Group,
    variant: &Variant,
    labels: &Labels<'_>,
) -> JudgedPart {
    let wanted = Wanted { action: &works.action, without: &works.without_traffic_to, channels };
    let shown = successes(index, &wanted, group, variant);
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
    channels: &[String],
    group: &Group,
    variant: &Variant,
    labels: &Labels<'_>,
) -> JudgedPart {
    let wanted = Wanted { action: &needs.action, without: &needs.without_traffic_to, channels };
    let shown = successes(index, &wanted, group, variant);
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

/// The action that a claim speaks of, the traffic it does without, and the channels that must have been recorded to see
/// that there was none.
struct Wanted<'c> {
    action: &'c str,
    without: &'c [Reach],
    channels: &'c [String],
}

fn successes(index: &Index<'_>, wanted: &Wanted<'_>, group: &Group, variant: &Variant) -> Shown {
    let name = wanted.action;
    let tries = tried(index.evidence, group, name, variant, OutcomeWanted::Any).len() as u64;
    let mut shown = Shown { count: 0, tries, discounted: Vec::new() };
    for (run, action) in tried(index.evidence, group, name, variant, OutcomeWanted::Succeeded) {
        match obstacle(index, run, action, wanted) {
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
fn obstacle(index: &Index<'_>, run: usize, action: usize, wanted: &Wanted<'_>) -> Option<&'static str> {
    let without = wanted.without;
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
    recorded(index.evidence.runs.get(run)?, wanted.channels, &mut bad, &mut Vec::new());
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
    let lasting = Lasting::of(segments, action);
    let within = |first: usize, last: usize| match Stretch::of(first, last, segments.len()) {
        Some(stretch) if blocked => lasting.certainly.is_some_and(|inside| inside.holds(stretch)),
        Some(stretch) => lasting.possibly.is_some_and(|inside| inside.meets(stretch)),
        // What has no time may have happened then.
        None => !blocked,
    };
    let speaks_of = |recipient: usize| reached(index.recipient(recipient), without) != Tri::No;
    let read = evidence.traffic.iter();
    let read =
        read.map(|one| ((one.run, one.recipient), (one.segment, one.last_segment), one.sent > 0, one.received > 0));
    let unread = evidence.opaque.iter();
    let unread = unread
        .map(|one| ((one.run, one.recipient), (one.segment, one.last_segment), one.sent != Some(0), one.received > 0));
    read.chain(unread).any(|((of, recipient), (first, last), sent, received)| {
        of == run && within(first, last) && speaks_of(recipient) && (received || (sent && !blocked))
    })
}

/// From one segment to another, both included.
#[derive(Debug, Clone, Copy)]
struct Stretch(usize, usize);

impl Stretch {
    /// None where one of the two is not known.
    fn of(first: usize, last: usize, segments: usize) -> Option<Self> {
        (first > 0 && first <= last && last < segments).then_some(Self(first, last))
    }

    fn holds(self, other: Self) -> bool {
        self.0 <= other.0 && other.1 <= self.1
    }

    fn meets(self, other: Self) -> bool {
        self.0 <= other.1 && other.0 <= self.1
    }
}

/// The segments in which an action may go on, and those in which it certainly does.
struct Lasting {
    possibly: Option<Stretch>,
    certainly: Option<Stretch>,
}

impl Lasting {
    fn of(segments: &[Segment], action: usize) -> Self {
        let timed = segments.iter().enumerate().skip(1);
        let within =
            timed.filter_map(|(at, segment)| Some((at, segment.actions.iter().find(|one| one.action == action)?)));
        let mut lasting = Self { possibly: None, certainly: None };
        let grown =
            |stretch: Option<Stretch>, at| Some(stretch.map_or(Stretch(at, at), |stretch| Stretch(stretch.0, at)));
        for (at, within) in within {
            lasting.possibly = grown(lasting.possibly, at);
            if within.certainly {
                lasting.certainly = grown(lasting.certainly, at);
            }
        }
        lasting
    }
}

/// True where the tester kept the internet off while the action lasted, and the claim speaks of the internet alone.
fn is_blocked(index: &Index<'_>, run: usize, action: usize, without: &[Reach]) -> bool {
    let timeline = index.evidence.runs.get(run).map(|run| &run.judged.timeline);
    let action = timeline.and_then(|timeline| timeline.actions.get(action));
    let internet = without.iter().all(|reach| *reach == Reach::Scope(Scope::Wan));
    let named = |action: &str| action.ends_with("-wan-blocked");
    internet && action.is_some_and(|a| a.conditions.iter().any(|c| c == "wan-blocked") || named(&a.action))
}
