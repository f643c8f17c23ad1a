//! `dyetrace plan`: what is still to do before a case's claims can be decided.

use crate::cli::JudgeArguments;
use crate::exit::{Exit, Fault};
use crate::{judge, output};
use dyetrace_report::audit::Look;
use dyetrace_report::judgement as report;

/// Judges, and prints what is missing.
pub(crate) fn run(arguments: &JudgeArguments) -> Result<Exit, Fault> {
    let judged = judge::judged(arguments)?;
    let lang = arguments.lang.into();
    let path = arguments.output.as_deref();
    let look = Look { color: output::color(path), all: arguments.all };
    output::write(path, |out| Ok(report::write_plan(&judged.judgement, look, lang, out)?))?;
    Ok(if judged.judgement.todo.is_empty() { Exit::Fine } else { Exit::NothingRead })
}
