//! `dyetrace compare`: two runs of a case, or two cases, side by side.

use crate::cli::{AuditFormat, CompareArguments, JudgeArguments, JudgeFormat, WantedArguments};
use crate::exit::{Exit, Fault};
use crate::judge::{Reading, Yardsticks};
use crate::{audit, output};
use dyetrace_case::{Comparison, Direction};
use dyetrace_report::audit::Look;
use dyetrace_report::compare as report;
use std::path::PathBuf;

/// Judges both sides, each for itself and by the claims and rules of both, and says what differs. Two runs of one case
/// are read together.
pub(crate) fn run(arguments: &CompareArguments) -> Result<Exit, Fault> {
    let [before, after] = sides(arguments)?;
    let typed = [judging(arguments, &before), judging(arguments, &after)];
    let [of_before, of_after] = [Yardsticks::of(&typed[0])?, Yardsticks::of(&typed[1])?];
    let first = Reading::new(&typed[0], of_after)?;
    let other = (before.case != after.case).then(|| Reading::new(&typed[1], of_before)).transpose()?;
    let second = other.as_ref().unwrap_or(&first);
    let (before, after) = (first.of_run(before.run.as_deref())?, second.of_run(after.run.as_deref())?);
    let evidence = [before.facts.evidence(), after.facts.evidence()];
    let comparison = dyetrace_judge::compare(
        dyetrace_judge::Judged { judgement: &before.judgement, evidence: &evidence[0] },
        dyetrace_judge::Judged { judgement: &after.judgement, evidence: &evidence[1] },
    );
    write(&comparison, arguments)?;
    let readings = [Some(&first), other.as_ref()].into_iter().flatten();
    let partly: Vec<bool> =
        readings.map(|reading| audit::is_partly_read(&reading.audited.audit, &reading.audited.intake)).collect();
    Ok(exit(&comparison, partly.contains(&true)))
}

/// One side: a case, and the run of it that counts.
struct Chosen {
    case: PathBuf,
    run: Option<String>,
}

/// Two cases; or two runs of one.
fn sides(arguments: &CompareArguments) -> Result<[Chosen; 2], Fault> {
    let chosen = |case: &PathBuf, run: Option<&String>| Chosen { case: case.clone(), run: run.cloned() };
    let example = "type `dyetrace compare my-case --run before --run after`, or name two cases";
    match (&arguments.after, arguments.run.as_slice()) {
        (None, [before, after]) => {
            Ok([chosen(&arguments.before, Some(before)), chosen(&arguments.before, Some(after))])
        }
        (None, _) => Err(Fault::new("one case is compared by two of its runs").hint(example)),
        (Some(after), runs @ ([] | [_] | [_, _])) => {
            Ok([chosen(&arguments.before, runs.first()), chosen(after, runs.last())])
        }
        (Some(_), _) => Err(Fault::new("at most one run of each case can be named").hint(example)),
    }
}

fn judging(arguments: &CompareArguments, side: &Chosen) -> JudgeArguments {
    JudgeArguments {
        inputs: vec![side.case.clone()],
        reading: arguments.reading.clone(),
        wanted: WantedArguments { find: Vec::new(), subject: None, key_material: None },
        claims: arguments.claims.clone(),
        law: arguments.law.clone(),
        rules: arguments.rules.clone(),
        lists: arguments.lists.clone(),
        format: JudgeFormat::Terminal,
        output: None,
        also: Vec::new(),
        fail_on: Vec::new(),
        baseline: None,
        suppressions: None,
        date: None,
        lang: arguments.lang,
        spike_records: arguments.spike_records,
        reveal: false,
        all: arguments.all,
    }
}

fn write(comparison: &Comparison, arguments: &CompareArguments) -> Result<(), Fault> {
    let path = arguments.output.as_deref();
    let look = Look { color: output::color(path), all: arguments.all };
    output::write(path, |out| {
        let written = match arguments.format {
            AuditFormat::Terminal => report::write_terminal(comparison, look, arguments.lang.into(), out),
            AuditFormat::Json => report::write_json(comparison, env!("CARGO_PKG_VERSION"), out),
        };
        Ok(written?)
    })
}

/// What got worse stands whatever else could not be read.
fn exit(comparison: &Comparison, partly_read: bool) -> Exit {
    match comparison.direction() {
        Direction::Worse => Exit::Found,
        _ if partly_read => Exit::PartlyRead,
        Direction::Open => Exit::NothingRead,
        Direction::Better | Direction::OneSided | Direction::Same => Exit::Fine,
    }
}
