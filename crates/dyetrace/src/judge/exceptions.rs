//! Suppressions and the baseline: where they are read from, and what they leave of the exit code.

use super::Judged;
use crate::audit;
use crate::cli::{JudgeArguments, JudgeFailOn};
use crate::exit::{Exit, Fault};
use dyetrace_case::{Day, Finding, Suppression};
use dyetrace_judge::Exceptions;
use dyetrace_report::judgement::{Standing, read_baseline};
use std::path::PathBuf;

/// Reads `--suppressions`, else `suppressions.yaml` of the case folder, and `--baseline`.
pub(super) fn read(arguments: &JudgeArguments) -> Result<Exceptions, Fault> {
    let suppressions = match suppressions_path(arguments) {
        Some(path) => {
            let (shown, text) = super::text_of(&path, arguments)?;
            Suppression::read(&shown, &text).map_err(Fault::new)?
        }
        None => Vec::new(),
    };
    let baseline = arguments.baseline.as_ref().map(|path| {
        let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
        read_baseline(&text).map_err(|error| Fault::new(format!("{}: {error}", path.display())))
    });
    let date = arguments.date.as_deref().map(|text| {
        let example = "type --date as 2026-12-31";
        Day::of_text(text).ok_or_else(|| Fault::new(format!("--date {text}: no day of the calendar")).hint(example))
    });
    Ok(Exceptions { suppressions, baseline: baseline.transpose()?, date: date.transpose()? })
}

fn suppressions_path(arguments: &JudgeArguments) -> Option<PathBuf> {
    let of_case = || {
        let folder = arguments.inputs.iter().find(|path| path.is_dir())?;
        Some(folder.join("suppressions.yaml")).filter(|path| path.is_file())
    };
    arguments.suppressions.clone().or_else(of_case)
}

/// A contradiction comes first: it stands whatever else could not be read. Then what could not be read,
/// then what was asked for and not exercised. Who says with `--fail-on` what fails has said what does not.
pub(super) fn exit(judged: &Judged, arguments: &JudgeArguments) -> Exit {
    let judgement = &judged.judgement;
    let counted: Vec<Finding> = judgement.findings();
    let counted: Vec<(Standing, bool)> = counted
        .iter()
        .filter(|finding| judgement.suppression_of(finding).is_none())
        .filter_map(|finding| {
            let claim = judgement.claims.get(finding.claim)?;
            Some((Standing::of_part(claim, finding.verdict), judgement.is_new(finding) == Some(false)))
        })
        .collect();
    let any = |fails: &dyn Fn(Standing, bool) -> bool| counted.iter().any(|(standing, known)| fails(*standing, *known));
    let default = [if arguments.baseline.is_some() { JudgeFailOn::New } else { JudgeFailOn::Contradicted }];
    let named = if arguments.fail_on.is_empty() { &default[..] } else { &arguments.fail_on };
    let open = |standing, _| matches!(standing, Standing::NotExercised | Standing::Review);
    match () {
        () if named.iter().any(|wanted| any(&|standing, known| fails(*wanted, standing, known))) => Exit::Found,
        () if audit::is_partly_read(&judged.audited.audit, &judged.audited.intake) => Exit::PartlyRead,
        () if arguments.fail_on.is_empty() && any(&open) => Exit::NothingRead,
        () => Exit::Fine,
    }
}

fn fails(wanted: JudgeFailOn, standing: Standing, known: bool) -> bool {
    match wanted {
        JudgeFailOn::Contradicted => standing == Standing::Contradicted,
        JudgeFailOn::New => standing == Standing::Contradicted && !known,
        JudgeFailOn::NotExercised => standing == Standing::NotExercised,
        JudgeFailOn::Review => standing == Standing::Review,
        JudgeFailOn::Never => false,
    }
}
