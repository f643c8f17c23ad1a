//! What each segment of a run is to a claim: in the consent states it speaks of, inside an action
//! that it allows, in the way of doing the action that is judged.

use super::tri::Tri;
use crate::{RunFacts, When};
use dyetrace_case::{ActionRun, ConsentState, Segment, Time, Timeline};
use std::collections::BTreeSet;

/// A segment in the eyes of a claim.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// In one of the claim's consent states.
    pub(crate) when: Tri,
    /// True where the run says nothing about consent.
    pub(crate) consent_unknown: bool,
    /// Inside an action that the claim allows.
    pub(crate) allowed: Tri,
    /// Index of that action.
    pub(crate) allowed_by: Option<usize>,
    /// In the variant that is judged.
    pub(crate) variant: Tri,
}

/// Which variant of the actions is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Variant {
    /// All together.
    Any,
    /// This one.
    Named(String),
    /// What cannot be told apart between these.
    Between(Vec<String>),
}

impl Variant {
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            _ => None,
        }
    }
}

/// The windows of a run, by segment.
pub(crate) fn windows(
    run: &RunFacts,
    variants: &Variants<'_>,
    when: Option<&When>,
    unless: &[String],
    variant: &Variant,
) -> Vec<Window> {
    let timeline = &run.judged.timeline;
    let allowed: Vec<bool> =
        timeline.actions.iter().map(|action| unless.iter().any(|name| is_action_in_any_way(action, name))).collect();
    let window = |at: usize, segment: &Segment| Window {
        variant: in_variant(variants.possible(at), variant),
        ..window(segment, when, &allowed)
    };
    let windows = timeline.segments.iter().enumerate().map(|(at, segment)| window(at, segment));
    let windows: Vec<Window> = windows.collect();
    // A run without a timeline has one segment, of which nothing is known.
    if windows.is_empty() { vec![window(0, &Segment::default())] } else { windows }
}

/// The window of a segment in every variant.
fn window(segment: &Segment, when: Option<&When>, allowed: &[bool]) -> Window {
    let states = when.map(|when| (segment.consent_for(when.purpose.as_deref()), &when.states));
    let (when, consent_unknown) = match states {
        None => (Tri::Yes, false),
        Some((states, wanted)) if states.all_among(wanted) => (Tri::Yes, false),
        Some((states, wanted)) if states.any_among(wanted) => (Tri::Maybe, false),
        Some((states, _)) if states.0.is_empty() => (Tri::Maybe, true),
        Some(_) => (Tri::No, false),
    };
    let inside = segment.actions.iter().filter_map(|within| {
        let allowed = allowed.get(within.action).copied().unwrap_or(false);
        allowed.then_some((if within.certainly { Tri::Yes } else { Tri::Maybe }, within.action))
    });
    let best = inside.max_by_key(|(certainly, _)| *certainly);
    Window {
        when,
        consent_unknown,
        allowed: best.map_or(Tri::No, |(certainly, _)| certainly),
        allowed_by: best.map(|(_, action)| action),
        variant: Tri::Yes,
    }
}

/// True where a name in a claim means this action in any circumstances: what is allowed is allowed in all of them.
pub(crate) fn is_action_in_any_way(action: &ActionRun, name: &str) -> bool {
    action.action == name || is_action(action, name)
}

/// True where a name in a claim means this action. What was done in special circumstances
/// (`wan-blocked`) counts only for claims that name them: `provision-device-wan-blocked`.
pub(crate) fn is_action(action: &ActionRun, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(action.action.as_str()) else { return false };
    if rest.is_empty() {
        return action.conditions.iter().all(|condition| has_suffix(&action.action, condition));
    }
    rest == format!("-{}", action.conditions.join("-"))
}

fn has_suffix(action: &str, condition: &str) -> bool {
    action.strip_suffix(condition).is_some_and(|rest| rest.ends_with('-'))
}

/// Does a segment that may belong to these variants belong to the one that is judged?
fn in_variant(possible: &BTreeSet<&str>, variant: &Variant) -> Tri {
    match variant {
        Variant::Any => Tri::Yes,
        Variant::Named(name) if !possible.contains(name.as_str()) => Tri::No,
        Variant::Named(_) if possible.len() == 1 => Tri::Yes,
        Variant::Named(_) => Tri::Maybe,
        // What lies in one variant alone is judged there; what lies in none that is marked may be anyone's.
        Variant::Between(_) if possible.is_empty() => Tri::Maybe,
        Variant::Between(names) => {
            Tri::of(possible.len() != 1 && possible.iter().all(|other| names.iter().any(|name| name == other)))
        }
    }
}

/// The variants that each segment of a run may belong to: those of the actions that go on in it, else that of the
/// latest before it, because a product may wait before it sends.
pub(crate) struct Variants<'t>(Vec<BTreeSet<&'t str>>);

impl<'t> Variants<'t> {
    pub(crate) fn of(timeline: &'t Timeline) -> Self {
        let named: Vec<(Time, &str)> =
            timeline.actions.iter().filter_map(|action| Some((action.began, action.variant.as_deref()?))).collect();
        let all: BTreeSet<&str> = named.iter().map(|(_, name)| *name).collect();
        // A run whose actions have no variants needs no table.
        let segments = if all.is_empty() { &[][..] } else { timeline.segments.as_slice() };
        Self(segments.iter().map(|segment| possible(timeline, segment, &named, &all)).collect())
    }

    fn possible(&self, segment: usize) -> &BTreeSet<&'t str> {
        const NONE: &BTreeSet<&str> = &BTreeSet::new();
        self.0.get(segment).unwrap_or(NONE)
    }
}

/// `named` are the beginnings of all actions that have a variant, in order.
fn possible<'t>(
    timeline: &'t Timeline,
    segment: &Segment,
    named: &[(Time, &'t str)],
    all: &BTreeSet<&'t str>,
) -> BTreeSet<&'t str> {
    let variant = |index: usize| timeline.actions.get(index).and_then(|action| action.variant.as_deref());
    let going_on: BTreeSet<&str> = segment.actions.iter().filter_map(|within| variant(within.action)).collect();
    let certainly = segment.actions.iter().any(|within| within.certainly && variant(within.action).is_some());
    if all.len() <= 1 || certainly {
        return if going_on.is_empty() { all.clone() } else { going_on };
    }
    let Some(start) = segment.start else { return if segment.end.is_none() { all.clone() } else { going_on } };
    let before = named.partition_point(|(began, _)| *began <= start);
    let latest = before.checked_sub(1).and_then(|at| named.get(at)).map(|(_, name)| *name);
    going_on.into_iter().chain(latest).collect()
}

/// True where the action certainly happened in that consent state from its begin to its end.
pub(crate) fn happened_in(timeline: &Timeline, action: usize, purpose: Option<&str>, state: ConsentState) -> bool {
    let mut segments = timeline
        .segments
        .iter()
        .filter(|segment| segment.actions.iter().any(|within| within.action == action && within.certainly));
    let in_state = |segment: &Segment| segment.consent_for(purpose).all_among(&[state]);
    segments.next().is_some_and(in_state) && segments.all(in_state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(name: &str, conditions: &[&str]) -> ActionRun {
        ActionRun {
            action: name.to_owned(),
            variant: None,
            conditions: conditions.iter().map(|&condition| condition.to_owned()).collect(),
            began: Time(0),
            ended: None,
            outcome: None,
            error: 0,
        }
    }

    #[test]
    fn special_circumstances_are_part_of_the_name() {
        let blocked = action("provision-device", &["wan-blocked"]);
        assert!(is_action(&blocked, "provision-device-wan-blocked") && !is_action(&blocked, "provision-device"));
        let named = action("provision-device-wan-blocked", &["wan-blocked"]);
        assert!(is_action(&named, "provision-device-wan-blocked") && !is_action(&named, "provision-device"));
        assert!(is_action(&action("log-in", &[]), "log-in") && !is_action(&action("log-in", &[]), "log-in-again"));
    }
}
