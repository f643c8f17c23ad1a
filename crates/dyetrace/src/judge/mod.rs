//! `dyetrace judge`: what the maker says, held against what was seen.

mod exceptions;
mod excerpts;
mod facts;
mod parquet;

use crate::audit::{self, Asked, Audited};
use crate::cli::{JudgeArguments, JudgeFormat};
use crate::data;
use crate::exit::{Exit, Fault};
use crate::originals;
use crate::{output, rules, typed};
use dyetrace_case::{Case, Judgement};
use dyetrace_judge::{Answers, Claim, Exceptions, Measured, Pack, Rule};
use dyetrace_recipients::Recipients;
use dyetrace_report::audit::Look;
use dyetrace_report::html::{Excerpts, HtmlLook, Pictures};
use dyetrace_report::judgement as report;
use dyetrace_search::Options;
use excerpts::{Samples, read_again};
use facts::Facts;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Reads claims, audits, judges, reports.
///
/// What is asked for and cannot be written is told before hours of reading.
pub(crate) fn run(arguments: &JudgeArguments) -> Result<Exit, Fault> {
    let also = arguments.also.iter().map(|also| also_of(also)).collect::<Result<Vec<_>, _>>()?;
    let formats = also.iter().map(|(format, _)| *format).chain([arguments.format]);
    formats.into_iter().try_for_each(parquet::is_there)?;
    let judged = judged(arguments)?;
    write(&judged, arguments, arguments.format, arguments.output.as_deref())?;
    for (format, path) in &also {
        write(&judged, arguments, *format, Some(path))?;
    }
    Ok(exceptions::exit(&judged, arguments))
}

/// An audited case and what is said of it.
pub(crate) struct Judged {
    /// What was read and found.
    pub(crate) audited: Audited,
    /// What is said.
    pub(crate) judgement: Judgement,
    /// Bytes around the sightings that are shown.
    pub(crate) excerpts: Excerpts,
    /// Planted pictures, and what was seen of them.
    pub(crate) pictures: Pictures,
}

/// Judges all runs.
pub(crate) fn judged(arguments: &JudgeArguments) -> Result<Judged, Fault> {
    let reading = Reading::new(arguments, Yardsticks::default())?;
    let judgement = reading.judge(&reading.facts);
    let Reading { audited, excerpts, pictures, .. } = reading;
    Ok(Judged { audited, judgement, excerpts, pictures })
}

/// A case that was read, ready to be judged as a whole or run by run.
pub(crate) struct Reading {
    /// What was read and found.
    pub(crate) audited: Audited,
    given: Given,
    facts: Facts,
    excerpts: Excerpts,
    pictures: Pictures,
}

/// One run of a case, judged as if there were no other; or all of them.
pub(crate) struct JudgedRun {
    /// What is said.
    pub(crate) judgement: Judgement,
    /// What it is said of.
    pub(crate) facts: Facts,
}

impl Reading {
    /// Reads claims first, so that a mistake in them is told before hours of reading; then the evidence, twice. It is
    /// also judged by `more`, as far as the case has no claims of the same names.
    pub(crate) fn new(arguments: &JudgeArguments, more: Yardsticks) -> Result<Self, Fault> {
        let mut given = Given::new(arguments, more)?;
        let asked = Asked {
            inputs: &arguments.inputs,
            reading: &arguments.reading,
            wanted: &arguments.wanted,
            options: Options::default(),
            reveal: arguments.reveal,
            folds: true,
        };
        let mut audited = audit::audited(&asked)?;
        let folded = audited.folded.take();
        let Some((runs, folded)) = folded else { return Err(Fault::new("nothing was folded")) };
        let mut facts = Facts::of(&audited, &runs, &folded, &given.lists);
        facts.measured = std::mem::take(&mut given.measured);
        // Hidden values are looked for without decoys, which would only cost time.
        let options = Options { decoys: 0, ..Options::default() };
        let scanner = originals::scanner(&audited.subject, audited.originals.as_ref(), &audited.material, options);
        let samples = Samples::of(&audited.intake, &facts.runs, usize::from(arguments.spike_records));
        let again =
            read_again(&mut audited.intake, (&scanner, &audited.subject), &facts.practices, &samples, arguments.reveal);
        let by_run = again.samples.iter().enumerate();
        facts.spikes =
            by_run.flat_map(|(run, records)| facts::spikes(run, &audited.subject, &scanner, records)).collect();
        if !arguments.reveal {
            let suppressions = given.exceptions.suppressions.iter_mut();
            let texts = suppressions.flat_map(|one| [Some(&mut one.reason), one.who.as_mut()]);
            texts.flatten().for_each(|text| *text = scanner.redact(text));
        }
        Ok(Self { audited, given, facts, excerpts: again.excerpts, pictures: again.pictures })
    }

    /// Judges one run as if there were no other, or all of them.
    pub(crate) fn of_run(&self, run: Option<&str>) -> Result<JudgedRun, Fault> {
        let mut facts = self.facts.clone();
        run.map_or(Ok(()), |run| facts.keep_run(run))?;
        Ok(JudgedRun { judgement: self.judge(&facts), facts })
    }

    fn judge(&self, facts: &Facts) -> Judgement {
        let Given { claims, chosen, exceptions, lists, .. } = &self.given;
        let mut judgement = dyetrace_judge::judge_all(&facts.evidence(), claims, &chosen.rules(), &chosen.answers);
        dyetrace_judge::except(&mut judgement, exceptions.clone());
        judgement.snapshots = lists.snapshots().to_vec();
        judgement
    }
}

/// What a case is held against.
#[derive(Debug, Default)]
pub(crate) struct Yardsticks {
    claims: Vec<Claim>,
    /// Names of rule packs.
    law: Vec<String>,
}

impl Yardsticks {
    /// Those of a case and of the command line.
    pub(crate) fn of(arguments: &JudgeArguments) -> Result<Self, Fault> {
        Ok(Self { claims: claims(arguments)?, law: law(arguments)?.0 })
    }
}

/// What people brought beside the evidence.
struct Given {
    claims: Vec<Claim>,
    chosen: Chosen,
    measured: Vec<Measured>,
    exceptions: Exceptions,
    lists: Recipients,
}

impl Given {
    fn new(arguments: &JudgeArguments, more: Yardsticks) -> Result<Self, Fault> {
        let mut claims = claims(arguments)?;
        let own: BTreeSet<String> = claims.iter().map(|claim| claim.statement.id.clone()).collect();
        claims.extend(more.claims.into_iter().filter(|claim| !own.contains(&claim.statement.id)));
        let chosen = chosen(arguments, more.law)?;
        if claims.is_empty() && chosen.rules().is_empty() {
            let fault = Fault::new("there is no claim to judge");
            return Err(fault.hint("write what the maker says into claims/*.yaml of the case, see docs/claims.md, name a file with --claims or a rule pack with --law"));
        }
        Ok(Self {
            claims,
            chosen,
            measured: measured(arguments)?,
            exceptions: exceptions::read(arguments)?,
            lists: data::recipients(arguments.lists.as_deref(), &arguments.inputs)?,
        })
    }
}

/// The claims named on the command line, or those of the case folder.
fn claims(arguments: &JudgeArguments) -> Result<Vec<Claim>, Fault> {
    let paths = if arguments.claims.is_empty() { below_case(arguments, "claims")? } else { arguments.claims.clone() };
    let mut claims = Vec::new();
    for path in &paths {
        let (shown, text) = text_of(path, arguments)?;
        let file = dyetrace_judge::read_claims(&shown, &text).map_err(Fault::new)?;
        claims.extend(file.claims);
    }
    each_once(&claims)?;
    Ok(claims)
}

/// Reports, answers and comparisons know a claim by its id alone.
fn each_once(claims: &[Claim]) -> Result<(), Fault> {
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for claim in claims {
        let (id, place) = (&claim.statement.id, &claim.statement.place);
        if let Some(other) = places.insert(id, place) {
            return Err(Fault::new(format!("{place}: another claim has the id `{id}`, see {other}")));
        }
    }
    Ok(())
}

/// The rules that a case is held against, and what a person said of it.
struct Chosen {
    packs: Vec<Pack>,
    answers: Answers,
}

impl Chosen {
    fn rules(&self) -> Vec<&Rule> {
        self.packs.iter().flat_map(|pack| &pack.rules).collect()
    }
}

/// The packs of `law:` in case.yaml, of the command line and of `more`, each once.
fn chosen(arguments: &JudgeArguments, more: Vec<String>) -> Result<Chosen, Fault> {
    let (mut names, answers) = law(arguments)?;
    names.extend(more);
    Ok(Chosen { packs: rules::packs(&names, &arguments.rules)?, answers })
}

/// The names of the packs of `law:` in case.yaml and of the command line, and a person's answers.
fn law(arguments: &JudgeArguments) -> Result<(Vec<String>, Answers), Fault> {
    let case = arguments.inputs.iter().find(|path| Case::is_case(path));
    let case = case.map(|folder| Case::open(folder)).transpose().map_err(Fault::new)?;
    let (mut names, answers) = case.map(|case| (case.file.law, case.file.answers)).unwrap_or_default();
    names.extend(arguments.law.iter().cloned());
    Ok((names, answers))
}

/// Numbers that were measured outside: `measured.yaml` of the case folder.
fn measured(arguments: &JudgeArguments) -> Result<Vec<Measured>, Fault> {
    let Some(folder) = arguments.inputs.iter().find(|path| path.is_dir()) else { return Ok(Vec::new()) };
    let path = folder.join("measured.yaml");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let (shown, text) = text_of(&path, arguments)?;
    dyetrace_judge::read_measured(&shown, &text).map_err(Fault::new)
}

/// The YAML files in a folder of the case, by name.
fn below_case(arguments: &JudgeArguments, name: &str) -> Result<Vec<PathBuf>, Fault> {
    let folder = arguments.inputs.iter().find(|path| path.is_dir());
    folder.map_or_else(|| Ok(Vec::new()), |folder| below(folder, name))
}

/// The YAML files in a folder of this case folder, by name.
pub(crate) fn below(case: &Path, name: &str) -> Result<Vec<PathBuf>, Fault> {
    let folder = case.join(name);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(|error| Fault::file(&folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Fault::file(&folder, &error))?.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        paths.extend(is_yaml.then_some(path));
    }
    paths.sort();
    Ok(paths)
}

/// The text of a file and its name in reports: relative to the case folder where it lies in it, so that
/// reports do not depend on where the folder is.
fn text_of(path: &Path, arguments: &JudgeArguments) -> Result<(String, String), Fault> {
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
    let folder = arguments.inputs.iter().find(|input| input.is_dir());
    let inside = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
    Ok((inside.display().to_string().replace('\\', "/"), text))
}

/// `FORMAT=FILE` of `--also`.
fn also_of(also: &str) -> Result<(JudgeFormat, PathBuf), Fault> {
    let example = "type --also FORMAT=FILE, as in --also html=report.html";
    let (format, path) = also.split_once('=').ok_or_else(|| Fault::new(format!("--also {also}")).hint(example))?;
    let format = <JudgeFormat as clap::ValueEnum>::from_str(format, false);
    let format = format.map_err(|_| Fault::new(format!("--also {also}: no such format")).hint(example))?;
    Ok((format, PathBuf::from(path)))
}

fn write(judged: &Judged, arguments: &JudgeArguments, format: JudgeFormat, path: Option<&Path>) -> Result<(), Fault> {
    let (judgement, audit) = (&judged.judgement, &judged.audited.audit);
    let look = Look { color: output::color(path), all: arguments.all };
    let lang = arguments.lang.into();
    let command = typed::command_line();
    let machine = report::MachineLook { lang, command: Some(&command) };
    let html = HtmlLook {
        lang,
        reveal: arguments.reveal,
        command: Some(&command),
        excerpts: Some(&judged.excerpts),
        pictures: Some(&judged.pictures),
    };
    output::write(path, |out| {
        let written = match format {
            JudgeFormat::Terminal => report::write_terminal(judgement, audit, look, lang, out),
            JudgeFormat::Junit => report::write_junit(judgement, audit, machine, out),
            JudgeFormat::Markdown => report::write_markdown(judgement, audit, machine, out),
            JudgeFormat::Github => report::write_github(judgement, audit, machine, out),
            JudgeFormat::Csv => report::write_csv_verdicts(judgement, lang, out),
            JudgeFormat::CsvPractices => report::write_csv_practices(judgement, out),
            JudgeFormat::Parquet => return parquet::write_verdicts(judgement, lang, out),
            JudgeFormat::ParquetPractices => return parquet::write_practices(judgement, out),
            JudgeFormat::Sarif => report::write_sarif(judgement, audit, machine, out),
            JudgeFormat::Json => report::write_json(judgement, audit, out),
            JudgeFormat::Html => dyetrace_report::html::write_html(judgement, audit, html, out),
        };
        Ok(written?)
    })
}
