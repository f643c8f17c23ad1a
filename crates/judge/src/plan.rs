//! From what is missing to what the tester can do: `dyetrace plan`.

use crate::codes;
use dyetrace_case::{Fact, Form, JudgedClaim, JudgedPart, Met, Todo, Verdict};
use std::collections::BTreeMap;

/// What to do, each once, with the claims that wait for it; in the order in which a claim first asks.
pub(crate) fn todo(judged: &[JudgedClaim]) -> Vec<Todo> {
    let mut todo: Vec<Todo> = Vec::new();
    let mut places: BTreeMap<Fact, usize> = BTreeMap::new();
    for claim in judged {
        for what in wishes(claim) {
            let at = *places.entry(what.clone()).or_insert_with(|| {
                todo.push(Todo { what, claims: Vec::new() });
                todo.len() - 1
            });
            if !todo[at].claims.contains(&claim.statement.id) {
                todo[at].claims.push(claim.statement.id.clone());
            }
        }
    }
    todo
}

fn wishes(claim: &JudgedClaim) -> Vec<Fact> {
    let answers = claim.review.iter().map(|question| codes::ANSWER.fact([question]));
    let open = claim.parts.iter().filter(|part| part.verdict == Verdict::NotExercised);
    open.flat_map(wishes_of_part).chain(answers).collect()
}

fn wishes_of_part(part: &JudgedPart) -> Vec<Fact> {
    let lines = part.coverage.iter().filter(|line| line.met == Met::No).flat_map(|line| &line.facts);
    let practices = part.discounted.iter().map(|(_, fact)| fact);
    let numbers = part.reasons.iter().filter(|fact| fact.code == codes::NOT_MEASURED.name);
    let scope = part.coverage.iter().flat_map(|line| &line.facts).find(|fact| fact.code == codes::IN_SCOPE.name);
    let runs = scope.and_then(|fact| fact.value("runs")).unwrap_or_default();
    lines.chain(practices).chain(numbers).filter_map(wish).map(|what| with_runs(what, runs)).collect()
}

/// Damage that may lie in any run of a part is about all of them.
fn with_runs(what: Fact, runs: &str) -> Fact {
    let open = what.code == codes::RECORD_CLEANLY.name && what.value("run") == Some("");
    if open { codes::RECORD_CLEANLY.fact([&runs]) } else { what }
}

/// What helps against one thing that is missing.
fn wish(fact: &Fact) -> Option<Fact> {
    let value = |name: &str| fact.value(name).unwrap_or_default().to_owned();
    let code = fact.code;
    let is = |codes: &[&str]| codes.contains(&code);
    Some(if is(&[codes::EXERCISE_MISSING.name]) {
        let number = |name: &str| value(name).parse::<u64>().unwrap_or(0);
        let times = number("wanted").saturating_sub(number("done"));
        codes::DO_ACTION.fact([&value("action"), &value("state"), &value("variant"), &times])
    } else if is(&[codes::NO_EXERCISE_STATED.name]) {
        codes::STATE_EXERCISE.fact([])
    } else if is(&[codes::CHANNEL_MISSING.name]) {
        codes::RECORD_CHANNEL.fact([&value("channel")])
    } else if is(&[codes::NO_RECORDS.name, codes::STARTS_LATE.name, codes::ENDS_EARLY.name]) {
        codes::RECORD_WHOLE.fact([&value("run")])
    } else if is(&[codes::RECORDING_NOT_SHOWN.name]) {
        codes::RECORD_CANARY.fact([&value("canary"), &value("run")])
    } else if is(&[codes::DROPPED.name, codes::DAMAGE.name]) {
        codes::RECORD_CLEANLY.fact([&value("run")])
    } else if is(&[codes::OPAQUE.name, codes::OPAQUE_UNCOUNTED.name]) {
        codes::MAKE_READABLE.fact([&value("recipient"), &value("reason")])
    } else if is(&[codes::NOTHING_PLANTED.name, codes::NOT_HELD.name]) {
        codes::PLANT.fact([&value("selector")])
    } else if is(&[codes::RECOVERY_LOW.name]) || (is(&[codes::NOT_SPIKED.name]) && can_be_spiked(&value("form"))) {
        codes::RUN_SPIKE.fact([&value("form")])
    } else if is(&[codes::CONTROL_MISSING.name]) {
        codes::SHOW_PATH.fact([&value("action")])
    } else if is(&[codes::QUIET_SHORT.name, codes::QUIET_UNKNOWN.name]) {
        codes::WAIT.fact([&value("wanted")])
    } else {
        return wish_about_facts(fact, &value);
    })
}

/// The forms in which `dyetrace spike` hides values.
fn can_be_spiked(form: &str) -> bool {
    [Form::Clear, Form::Encoded].iter().any(|spiked| spiked.name() == form)
}

fn wish_about_facts(fact: &Fact, value: &impl Fn(&str) -> String) -> Option<Fact> {
    let code = fact.code;
    let is = |codes: &[&str]| codes.contains(&code);
    Some(if is(&[codes::SCOPE_UNKNOWN.name]) {
        codes::DESCRIBE_PRODUCT.fact([&value("product"), &value("condition")])
    } else if is(&[codes::OUT_OF_SCOPE.name]) {
        codes::TEST_IN_SCOPE.fact([])
    } else if is(&[codes::VACUOUS.name]) {
        codes::CAUSE_TRANSMISSION.fact([])
    } else if is(&[codes::STORAGE_UNREAD.name]) {
        codes::READ_STORAGE.fact([])
    } else if is(&[codes::RECIPIENT_UNKNOWN.name, codes::COUNTRY_UNKNOWN.name]) {
        codes::IDENTIFY.fact([&value("recipient")])
    } else if is(&[codes::WITHIN_CLOCK_ERROR.name, codes::CONSENT_UNKNOWN.name, codes::TIME_UNKNOWN.name]) {
        codes::MARK_CONSENT.fact([])
    } else if is(&[codes::HELD_BACK.name]) {
        codes::RECORD_UNGUARDED.fact([])
    } else if is(&[codes::NOT_MEASURED.name]) {
        codes::MEASURE.fact([&value("measure")])
    } else if is(&[codes::ACTOR_UNKNOWN.name]) {
        codes::NAME_APP.fact([])
    } else if is(&[
        codes::CHANCE.name,
        codes::ATTEMPTED_ONLY.name,
        codes::RECEIVED.name,
        codes::PROTECTION_UNKNOWN.name,
    ]) {
        codes::LOOK_AT.fact([&code])
    } else {
        return None;
    })
}
