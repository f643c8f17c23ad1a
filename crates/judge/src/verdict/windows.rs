//! What each segment of a run is to a claim: in the consent states it speaks of, inside an action
//! that it allows, in the way of doing the action that is judged.

use super::tri::Tri;
use crate::{RunFacts, When};
use dyetrace_case::{ActionRun, ConsentState, Segment, Timeline};
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
pub(crate) fn windows(run: &RunFacts, when: Option<&When>, unless: &[String], variant: &Variant) -> Vec<Window> {
    let timeline = &run.judged.timeline;
    let windows = timeline.segments.iter().map(|segment| window(timeline, segment, when, unless, variant));
    let windows: Vec<Window> = windows.collect();
    // A run without a timeline has one segment, of which nothing is known.
    if windows.is_empty() { vec![window(timeline, &Segment::default(), when, unless, variant)] } else { windows }
}

fn window(timeline: &Timeline, segment: &Segment, when: Option<&When>, unless: &[String], variant: &Variant) -> Window {
    let states = when.map(|when| (segment.consent_for(when.purpose.as_deref()), &when.states));
    let (when, consent_unknown) = match states {
        None => (Tri::Yes, false),
        Some((states, wanted)) if states.all_among(wanted) => (Tri::Yes, false),
        Some((states, wanted)) if states.any_among(wanted) => (Tri::Maybe, false),
        Some((states, _)) if states.0.is_empty() => (Tri::Maybe, true),
        Some(_) => (Tri::No, false),
    };
    let inside = segment.actions.iter().filter_map(|within| {
        let action = timeline.actions.get(within.action)?;
        let allowed = unless.iter().any(|name| is_allowed(action, name));
        allowed.then_some((if within.certainly { Tri::Yes } else { Tri::Maybe }, within.action))
    });
    let best = inside.max_by_key(|(certainly, _)| *certainly);
    Window {
        when,
        consent_unknown,
        allowed: best.map_or(Tri::No, |(certainly, _)| certainly),
        allowed_by: best.map(|(_, action)| action),
        variant: in_variant(timeline, segment, variant),
    }
}

/// An allowed action is allowed in all circumstances.
fn is_allowed(action: &ActionRun, name: &str) -> bool {
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

/// The variants that a segment may belong to: those of the actions that go on in it, else that of the
/// latest before it, because a product may wait before it sends.
fn in_variant(timeline: &Timeline, segment: &Segment, variant: &Variant) -> Tri {
    if *variant == Variant::Any {
        return Tri::Yes;
    }
    let possible = possible_variants(timeline, segment);
    match variant {
        Variant::Any => Tri::Yes,
        Variant::Named(name) if !possible.contains(name.as_str()) => Tri::of(false),
        Variant::Named(_) => {
            if possible.len() == 1 {
                Tri::Yes
            } else {
                Tri::Maybe
            }
        }
        // What lies in one variant alone is judged there; what lies in none that is marked may be anyone's.
        Variant::Between(_) if possible.is_empty() => Tri::Maybe,
        Variant::Between(names) => {
            Tri::of(possible.len() != 1 && possible.iter().all(|other| names.iter().any(|name| name == other)))
        }
    }
}

fn possible_variants<'t>(timeline: &'t Timeline, segment: &Segment) -> BTreeSet<&'t str> {
    let variant = |index: usize| timeline.actions.get(index).and_then(|action| action.variant.as_deref());
    let going_on = segment.actions.iter().filter_map(|within| variant(within.action));
    let going_on: BTreeSet<&str> = going_on.collect();
    let all: BTreeSet<&str> = timeline.actions.iter().filter_map(|action| action.variant.as_deref()).collect();
    let certainly = segment.actions.iter().any(|within| within.certainly && variant(within.action).is_some());
    if all.len() <= 1 || certainly {
        return if going_on.is_empty() { all } else { going_on };
    }
    let Some(start) = segment.start else { return if segment.end.is_none() { all } else { going_on } };
    let before = timeline.actions.iter().filter(|action| action.variant.is_some() && action.began <= start);
    let latest = before.max_by_key(|action| action.began).and_then(|action| action.variant.as_deref());
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
    use dyetrace_case::Time;

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
