//! Which actions were tried, in which consent state, how often.

use super::scope::Group;
use super::windows::{Variant, happened_in, is_action};
use crate::{ActionWanted, Evidence, Exercise, Never, OutcomeWanted, When};
use dyetrace_case::{ActionOutcome, ConsentState, Time};

/// One cell of the matrix of action and consent state.
#[derive(Debug, Clone)]
pub(crate) struct Cell<'c> {
    pub(crate) wanted: &'c ActionWanted,
    pub(crate) state: Option<ConsentState>,
    /// The runs and actions that count.
    pub(crate) done: Vec<(usize, usize)>,
}

/// Consent states to try actions in: all that the claim speaks of, because what was never tried in one of them says
/// nothing of it, and any more that the exercise names.
fn states(exercise: &Exercise, when: Option<&When>) -> Vec<Option<ConsentState>> {
    let mut states: Vec<Option<ConsentState>> = Vec::new();
    for state in when.iter().flat_map(|when| &when.states).chain(&exercise.states).copied().map(Some) {
        if !states.contains(&state) {
            states.push(state);
        }
    }
    if states.is_empty() { vec![None] } else { states }
}

/// Every cell that a claim asks for. `counts` says of an action of a run whether the rest of its circumstances were right.
pub(crate) fn cells<'c>(
    evidence: &Evidence<'_>,
    group: &Group,
    exercise: &'c Exercise,
    never: &'c Never,
    variant: &Variant,
    counts: impl Fn(usize, usize) -> bool,
) -> Vec<Cell<'c>> {
    let purpose = never.when.as_ref().and_then(|when| when.purpose.as_deref());
    let states = states(exercise, never.when.as_ref());
    let mut cells = Vec::new();
    for wanted in &exercise.actions {
        let done = tried(evidence, group, &wanted.name, variant, wanted.outcome);
        let done: Vec<_> = done.into_iter().filter(|&(run, action)| counts(run, action)).collect();
        let own: Vec<_> = wanted.states.iter().copied().map(Some).collect();
        for &state in if own.is_empty() { &states } else { &own } {
            let in_state = |&(run, action): &(usize, usize)| {
                let timeline = &evidence.runs[run].judged.timeline;
                state.is_none_or(|state| happened_in(timeline, action, purpose, state))
            };
            cells.push(Cell { wanted, state, done: done.iter().copied().filter(in_state).collect() });
        }
    }
    cells
}

/// Runs and indices of the actions of that name that ended so.
pub(crate) fn tried(
    evidence: &Evidence<'_>,
    group: &Group,
    name: &str,
    variant: &Variant,
    outcome: OutcomeWanted,
) -> Vec<(usize, usize)> {
    let runs = group.runs.iter().filter_map(|&run| Some((run, evidence.runs.get(run)?)));
    let actions = runs.flat_map(|(run, facts)| {
        facts.judged.timeline.actions.iter().enumerate().map(move |(at, action)| ((run, at), action))
    });
    let actions = actions.filter(|(_, action)| is_action(action, name));
    let fits = |of: Option<&str>| variant.name().is_none_or(|variant| of == Some(variant));
    let ended = |of: Option<ActionOutcome>| match outcome {
        OutcomeWanted::Succeeded => of == Some(ActionOutcome::Succeeded),
        OutcomeWanted::Failed => of == Some(ActionOutcome::Failed),
        OutcomeWanted::Any => of.is_some(),
    };
    let counted = actions.filter(|(_, action)| fits(action.variant.as_deref()) && ended(action.outcome));
    counted.map(|(place, _)| place).collect()
}

/// When an action was over, where known.
pub(crate) fn end_of(evidence: &Evidence<'_>, run: usize, action: usize) -> Option<Time> {
    evidence.runs.get(run)?.judged.timeline.actions.get(action)?.ended
}
