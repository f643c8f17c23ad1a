//! Claims about what happens out of sight: how long data is kept, what for, to whom a server passes it on.

use super::coverage::{line, scope};
use super::index::Index;
use super::part::{Labels, part};
use super::scope::Group;
use super::windows::is_action;
use crate::{CanaryFacts, ServerSide, codes};
use dyetrace_case::{ActionOutcome, Fact, JudgedPart, Requirement, Time, Verdict};

const DAY: i64 = 86_400 * 1_000_000_000;

/// A planted value that comes back contradicts. Its absence supports nothing.
pub(crate) fn judge(index: &Index<'_>, claim: &ServerSide, group: &Group, labels: &Labels<'_>) -> JudgedPart {
    let data = index.selected(&claim.data);
    let meant = |canary: &&CanaryFacts| {
        let datum = data.iter().any(|&datum| index.data.get(datum).is_some_and(|(name, _, _)| *name == canary.datum.0));
        datum && canary.about.iter().any(|about| about == claim.about)
    };
    let allowed_until = allowed_until(index, claim, group);
    let (mut returned, mut early): (Vec<Fact>, Vec<Fact>) = (Vec::new(), Vec::new());
    for canary in index.evidence.canaries.iter().filter(meant) {
        let late = match (&claim.after, allowed_until, canary.at) {
            (None, _, _) => true,
            (Some(_), Some(until), Some(at)) => at > until,
            _ => false,
        };
        if late && group.unknown.is_none() {
            returned.push(codes::CANARY_RETURNED.fact([&canary.datum, &claim.about, &canary.how]));
        } else {
            early.push(codes::CANARY_TOO_EARLY.fact([&canary.datum, &canary.how]));
        }
    }
    let never = codes::NEVER_SUPPORTED.fact([&claim.about]);
    let lines = vec![scope(index.evidence, group), line(Requirement::Visible, false, vec![never.clone()])];
    if returned.is_empty() {
        early.insert(0, never);
        return part(labels, Verdict::NotExercised, early, lines, Vec::new());
    }
    part(labels, Verdict::Contradicted, returned, lines, Vec::new())
}

/// The last moment at which the maker may still have had the data, where the claim names one.
fn allowed_until(index: &Index<'_>, claim: &ServerSide, group: &Group) -> Option<Time> {
    let after = claim.after.as_ref()?;
    let runs = group.runs.iter().filter_map(|&run| index.evidence.runs.get(run));
    let actions = runs.flat_map(|run| &run.judged.timeline.actions);
    // What was tried in vain promised nothing.
    let done = actions.filter(|one| is_action(one, &after.action) && one.outcome == Some(ActionOutcome::Succeeded));
    let ended = done.filter_map(|action| {
        let error = i64::try_from(action.error).ok()?;
        Some(action.ended?.0.saturating_add(error))
    });
    let days = i64::try_from(after.days).ok()?.saturating_mul(DAY);
    ended.max().map(|ended| Time(ended.saturating_add(days)))
}
