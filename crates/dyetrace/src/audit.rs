//! `dyetrace audit`: exhibits in, what left and to whom out.

use crate::again::Again;
use crate::cli::{AuditArguments, AuditFormat, FailOn, ReadingArguments, Recognise, WantedArguments};
use crate::differential::Comparison;
use crate::exit::{Exit, Fault, say};
use crate::fold::{Address, Folded, Runs};
use crate::history::History;
use crate::intake::{self, Intake};
use crate::onlooker::Models;
use crate::originals::{self, Originals};
use crate::output;
use crate::picture_faces::PictureFaces;
use crate::picture_text::PictureText;
use crate::pipeline::{self, Found, Plan};
use dyetrace_case::{Case, Damage, Endpoint, ExhibitId, Item, KeyMaterial, Kind, Opaque, Secret, Subject};
use dyetrace_evidence::{Opened, Tally};
use dyetrace_report::audit::{
    self as report, Audit, CaseInfo, Chance, DatumRow, ExhibitRow, Fixity, KeyRow, Look, Tool, Unplanted, UnplantedRow,
};
use dyetrace_search::{Limit, Options, RecogniseOptions, ResidentIdMode};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens, reads, searches, reports.
pub(crate) fn run(arguments: &AuditArguments) -> Result<Exit, Fault> {
    let asked = Asked {
        inputs: &arguments.inputs,
        reading: &arguments.reading,
        wanted: &arguments.wanted,
        options: options(arguments)?,
        reveal: arguments.reveal,
        folds: false,
    };
    let mut audited = audited(&asked)?;
    let unplanted = std::mem::take(&mut audited.unplanted);
    let audit = &mut audited.audit;
    audit.unplanted = arguments.recognise.map(|mode| Unplanted { mode: mode_name(mode), rows: unplanted });
    write(audit, arguments)?;
    Ok(verdict(audit, &audited.intake, &arguments.fail_on))
}

/// What to audit, and how.
pub(crate) struct Asked<'a> {
    /// A case folder or exhibits.
    pub(crate) inputs: &'a [PathBuf],
    /// How to read them.
    pub(crate) reading: &'a ReadingArguments,
    /// What to look for.
    pub(crate) wanted: &'a WantedArguments,
    /// How to search.
    pub(crate) options: Options,
    /// Show texts of the evidence as they are.
    pub(crate) reveal: bool,
    /// Fold sightings into practices too.
    pub(crate) folds: bool,
}

/// Evidence that was read and searched.
pub(crate) struct Audited {
    /// What was opened.
    pub(crate) intake: Intake,
    /// Every value that was looked for.
    pub(crate) subject: Subject,
    /// The files among them.
    pub(crate) originals: Option<Arc<Originals>>,
    /// The keys of the case and of the command line.
    pub(crate) material: KeyMaterial,
    /// What was found, ready for a report.
    pub(crate) audit: Audit,
    /// Personal data that nobody planted, where it was looked for.
    pub(crate) unplanted: Vec<UnplantedRow>,
    /// The runs, and what the product was seen to do in them, where that was asked for.
    pub(crate) folded: Option<(Runs, Folded)>,
}

/// Opens, reads, searches.
pub(crate) fn audited(asked: &Asked<'_>) -> Result<Audited, Fault> {
    let (named, named_material) = named(asked.wanted)?;
    let mut intake = intake::open(asked.inputs, asked.reading)?;
    let subject = whole_subject(&intake, named);
    let material = whole_material(&intake, named_material);
    let originals = Originals::of(&subject);
    // A judgement must be the same for whoever judges the case again, whatever is installed there.
    let text = if asked.folds { Err(NOT_JUDGED.to_owned()) } else { PictureText::open() };
    let faces = if asked.folds { Err(NOT_JUDGED.to_owned()) } else { PictureFaces::open() };
    let models = Models { text: text.as_ref().ok().cloned(), faces: faces.as_ref().ok().cloned() };
    let scanner = originals::looking_scanner(&subject, originals.as_ref(), &material, asked.options.clone(), models);
    let threads = asked.reading.threads.map_or_else(cores, usize::from);
    let comparison = Comparison::planned(&intake);
    let exhibits: Vec<&str> = intake.exhibits.iter().map(|opened| opened.exhibit().path.as_str()).collect();
    let runs = asked.folds.then(|| Runs::new(intake.case.as_ref(), &exhibits));
    let snapshots = intake.exhibits.iter().filter(|opened| opened.exhibit().format.is_snapshot()).count();
    // Whether a date of birth is one depends on when a file was collected.
    let again = (snapshots > 1 && asked.options.recognise.is_none()).then(Again::default);
    let plan = Plan {
        scanner: &scanner,
        threads,
        reveal: asked.reveal,
        comparison: comparison.as_ref(),
        runs: runs.as_ref(),
        again,
    };
    let (read, mut found) = search(&mut intake, &plan);
    let unplanted = std::mem::take(&mut found.unplanted);
    let folded = std::mem::take(&mut found.folded);
    let mut audit = assemble(&intake, &subject, &plan, read, found);
    audit.notes.extend(material_in_words(&material));
    audit.pictures.text_read = text.as_ref().ok().map(|text| text.account());
    audit.pictures.text_not_examined = text.err();
    audit.pictures.faces_sought = faces.as_ref().ok().map(|faces| faces.account());
    audit.pictures.faces_not_examined = faces.err();
    Ok(Audited { intake, subject, originals, material, audit, unplanted, folded: runs.map(|runs| (runs, folded)) })
}

/// How to search.
fn options(arguments: &AuditArguments) -> Result<Options, Fault> {
    if arguments.fail_on.contains(&FailOn::Unplanted) && arguments.recognise.is_none() {
        let fault = Fault::new("--fail-on unplanted: personal data that nobody planted is not looked for");
        return Err(fault.hint("add --recognise"));
    }
    let resident_ids = |mode| match mode {
        Recognise::Strict => ResidentIdMode::Strict,
        Recognise::Historical => ResidentIdMode::Historical,
        Recognise::Permit => ResidentIdMode::Permit,
    };
    let recognise = |mode| RecogniseOptions { resident_ids: resident_ids(mode), ..RecogniseOptions::default() };
    Ok(Options { recognise: arguments.recognise.map(recognise), ..Options::default() })
}

fn mode_name(mode: Recognise) -> &'static str {
    match mode {
        Recognise::Strict => "strict",
        Recognise::Historical => "historical",
        Recognise::Permit => "permit",
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the command line names: values, and key material.
pub(crate) fn named(arguments: &WantedArguments) -> Result<(Subject, Option<KeyMaterial>), Fault> {
    let material = arguments.key_material.as_deref().map(read_key_material).transpose()?;
    Ok((named_subject(arguments)?, material))
}

/// The case's key material and what was named on the command line.
pub(crate) fn whole_material(intake: &Intake, named: Option<KeyMaterial>) -> KeyMaterial {
    let mut material = intake.case.as_ref().map(|case| case.key_material.clone()).unwrap_or_default();
    material.extend(named.unwrap_or_default());
    material
}

/// The values of `--find` and `--subject`. No error repeats a value.
fn named_subject(arguments: &WantedArguments) -> Result<Subject, Fault> {
    let mut subject = arguments.subject.as_deref().map(read_subject).transpose()?.unwrap_or_default();
    for (index, find) in arguments.find.iter().enumerate() {
        let example = "type --find KIND=VALUE, as in --find phone=13800000427 or --find wifi.password='correct horse'";
        let fault = |what: &str| Fault::new(format!("--find number {}: {what}", index + 1)).hint(example);
        let (kind, value) = find.split_once('=').ok_or_else(|| fault("there is no = between kind and value"))?;
        let kind: Kind = kind.parse().map_err(|error| fault(&format!("{error}")))?;
        if value.is_empty() {
            return Err(fault("the value is empty"));
        }
        subject.add(kind, Secret::new(value));
    }
    Ok(subject)
}

fn read_subject(path: &Path) -> Result<Subject, Fault> {
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
    Subject::from_yaml(&text).map_err(|error| Fault::new(format!("{}: {error}", path.display())))
}

/// Files that the key material names lie beside it.
fn read_key_material(path: &Path) -> Result<KeyMaterial, Fault> {
    let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, &error))?;
    let beside = |name: &str| {
        let file = path.parent().unwrap_or(Path::new("")).join(name);
        std::fs::read(&file).map_err(|error| format!("the key file {} cannot be read: {error}", file.display()))
    };
    let material = KeyMaterial::from_yaml(&text, beside).map_err(|error| format!("{}: {error}", path.display()));
    let material = material.map_err(Fault::new)?;
    material.ok_or_else(|| Fault::new(format!("{} has no `key_material:`", path.display())))
}

/// What the search was given beside the planted values, by name.
fn material_in_words(material: &KeyMaterial) -> Option<String> {
    let names = material.names();
    (!names.is_empty()).then(|| format!("key material was used: {}", names.join(", ")))
}

/// The case's subject with those of its runs.
pub(crate) fn subject_of(case: Option<&Case>) -> Subject {
    with_subjects(case, Subject::default())
}

/// The case's subject, then those of its runs, then what was named on the command line; a value
/// that is there already is not added twice.
pub(crate) fn whole_subject(intake: &Intake, named: Subject) -> Subject {
    with_subjects(intake.case.as_ref(), named)
}

fn with_subjects(case: Option<&Case>, named: Subject) -> Subject {
    let mut subject = case.and_then(|case| case.subject.clone()).unwrap_or_default();
    let of_runs = case.iter().flat_map(|case| case.run_subjects.values()).flat_map(|other| other.data.clone());
    for datum in of_runs.chain(named.data) {
        let there = subject.data.iter().any(|other| other.kind == datum.kind && other.value == datum.value);
        if !there {
            let added = subject.add(datum.kind, datum.value);
            (added.planted, added.bits, added.made_up) = (datum.planted, datum.bits, datum.made_up);
        }
    }
    subject
}

/// What reading gave besides records.
#[derive(Default)]
struct Read {
    tallies: Vec<Tally>,
    opaque: Vec<Opaque>,
    damages: Vec<Damage>,
    unlisted: u64,
}

/// Opaque entries and damages that are listed one by one; hostile evidence could give millions.
const LISTED: usize = 50_000;

fn search(intake: &mut Intake, plan: &Plan<'_>) -> (Read, Found) {
    let mut read = Read::default();
    let mut unread = Folded::default();
    let (case, exhibits, progress, tls) = (intake.case.as_ref(), &intake.exhibits, &intake.progress, &mut intake.tls);
    let numbers: HashMap<_, _> = exhibits.iter().enumerate().map(|(at, opened)| (opened.exhibit().id, at)).collect();
    let snapshots = exhibits.iter().map(Opened::exhibit).filter(|exhibit| exhibit.format.is_snapshot());
    let snapshots: BTreeSet<ExhibitId> = snapshots.map(|exhibit| exhibit.id).collect();
    // A practice is told of each record anew, and so is what differs between runs.
    let again = plan.again.as_ref().filter(|_| plan.runs.is_none() && plan.comparison.is_none());
    let is_known = |store, records| again.is_some_and(|again| again.is_nothing_in(store, records));
    let (tallies, mut found) = pipeline::run(
        plan,
        |push| {
            let mut tallies = Vec::new();
            let mut history = History::knowing(case, &is_known);
            for (index, opened) in exhibits.iter().enumerate() {
                progress.begin("reading", &opened.exhibit().path);
                let mut sink = |item| push(index, item);
                let mut at = |bytes| progress.at(bytes);
                tallies.push(history.read(opened, tls, &mut sink, &mut at));
            }
            tallies
        },
        &mut |item| {
            fold_unread(&item, (&numbers, &snapshots), plan, &mut unread);
            match item {
                Item::Opaque(opaque) if read.opaque.len() < LISTED => read.opaque.push(*opaque),
                Item::Damage(damage) if read.damages.len() < LISTED => read.damages.push(damage),
                _ => read.unlisted += 1,
            }
        },
    );
    progress.done();
    read.tallies = tallies;
    found.folded.merge(unread);
    (read, found)
}

/// What could not be read is weighed in every verdict, so it is counted by run and endpoint, listed or not.
fn fold_unread(
    item: &Item,
    (numbers, snapshots): (&HashMap<ExhibitId, usize>, &BTreeSet<ExhibitId>),
    plan: &Plan<'_>,
    unread: &mut Folded,
) {
    let Some(runs) = plan.runs else { return };
    let is_snapshot = |exhibit: &ExhibitId| snapshots.contains(exhibit);
    let address = |server: &Endpoint| Address::of(server, &|text| plan.redact(text));
    let number = |exhibit: &ExhibitId| numbers.get(exhibit).copied().unwrap_or(0);
    match item {
        Item::Opaque(opaque) => {
            unread.add_opaque(runs, number(&opaque.exhibit), opaque, address(&opaque.server));
        }
        Item::Damage(damage) => {
            let damage = &Damage { reason: plan.redact(&damage.reason), ..damage.clone() };
            unread.add_damage(
                runs,
                number(&damage.exhibit),
                damage,
                damage.server.as_ref().map(address).or_else(|| is_snapshot(&damage.exhibit).then(Address::stored)),
            );
        }
        Item::Record(_) => {}
    }
}

/// Sightings that are not what the search says they are, as far as can be told: a fault of this program.
fn unproved_in_words(found: &Found) -> Option<String> {
    let ids: Vec<&str> = found.unproved.first.values().map(|id| id.0.as_str()).collect();
    let (count, ids) = (found.unproved.count, ids.join(", "));
    (count > 0).then(|| {
        format!("{count} sightings are unproved, because following their trail again did not give the value ({ids})")
    })
}

/// What is only counted, in words.
fn unlisted_in_words(read: &Read, found: &Found) -> Vec<String> {
    let seen: usize = found.counts.values().map(|counts| counts.total()).sum();
    let counted = [
        ((seen - found.sightings.len().min(seen)) as u64, "more sightings are counted but not listed"),
        (found.crowd, "records went to more recipients than are told apart; those stand together"),
        (found.unplanted_unlisted, "more values that nobody planted are counted but not listed"),
        (read.unlisted, "more unread connections and damages are counted but not listed"),
    ];
    counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

fn assemble(intake: &Intake, subject: &Subject, plan: &Plan<'_>, read: Read, found: Found) -> Audit {
    let mut unlisted = unlisted_in_words(&read, &found);
    unlisted.extend(unproved_in_words(&found));
    let exhibit = |(opened, tally)| exhibit_row(intake, opened, tally);
    let mut audit = Audit {
        tool: Tool { name: "dyetrace", version: env!("CARGO_PKG_VERSION") },
        case: intake.case.as_ref().map(|case| CaseInfo {
            path: case.root.display().to_string(),
            title: case.file.title.clone(),
            question: case.file.question.clone(),
        }),
        exhibits: intake.exhibits.iter().zip(read.tallies).map(exhibit).collect(),
        keys: KeyRow {
            files: intake.key_files.clone(),
            secrets: intake.tls.secrets.len(),
            matched: intake.tls.matched(),
        },
        subject: subject.data.iter().map(|datum| datum_row(datum, &found, plan.reveal)).collect(),
        sightings: found.sightings,
        unplanted: None,
        pictures: found.pictures,
        differential: plan.comparison.map(|comparison| comparison.compared(&found.collected, plan)),
        chance: Chance {
            values: subject.data.len() as u64,
            decoys: plan.scanner.decoy_count() as u64,
            classes: found.classes,
        },
        recipients: found.recipients.into_values().collect(),
        opaque: read.opaque,
        damages: read.damages,
        limits: found.limits.iter().map(limited).collect(),
        notes: plan.scanner.warnings().to_vec(),
    };
    audit.notes.extend(unlisted);
    let unnamed = intake.case.iter().flat_map(|case| &case.unnamed);
    audit.notes.extend(unnamed.map(|path| format!("{path} is named by no run of case.yaml and was not read")));
    audit.notes.extend(intake.case.iter().flat_map(Case::remarks));
    redact_unread(&mut audit, plan);
    audit
}

/// Why a judgement reads no text in pictures and looks for no faces.
const NOT_JUDGED: &str = "judgements do not rest on models that are installed; dyetrace audit does";

fn limited((limit, records): (&Limit, &u64)) -> String {
    let what = pipeline::limit_in_words(*limit);
    format!("limit reached in {records} records: {what}; something may have been missed there")
}

/// Names that strangers chose may hold a planted value also where nothing could be read.
fn redact_unread(audit: &mut Audit, plan: &Plan<'_>) {
    let redact = |text: &str| plan.redact(text);
    for opaque in &mut audit.opaque {
        let endpoints = [&mut opaque.client, &mut opaque.server];
        report::redact_recorded(endpoints, Some(&mut opaque.channel), Some(&mut opaque.app), &redact);
    }
    for damage in &mut audit.damages {
        (damage.place, damage.reason) = (plan.redact(&damage.place), plan.redact(&damage.reason));
    }
    report::redact_recorded(audit.damages.iter_mut().filter_map(|damage| damage.server.as_mut()), None, None, &redact);
}

fn exhibit_row(intake: &Intake, opened: &Opened, tally: Tally) -> ExhibitRow {
    let exhibit = opened.exhibit();
    let product = intake.case.as_ref().and_then(|case| case.run_of(&exhibit.path)?.product.as_ref());
    ExhibitRow {
        exhibit: exhibit.clone(),
        fixity: intake.fixity(opened),
        product: product.map(|product| {
            let parts = [product.vendor.as_ref(), Some(&product.name), product.version.as_ref()];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
        }),
        packets: tally.packets,
        records: tally.records,
        payload: tally.payload,
        opaque: tally.opaque,
        lost: tally.lost,
        tls_connections: tally.tls_connections,
        tls_keyed: tally.tls_keyed,
    }
}

fn datum_row(datum: &dyetrace_case::Datum, found: &Found, reveal: bool) -> DatumRow {
    let counts = found.counts.get(&datum.id).copied().unwrap_or_default();
    DatumRow {
        id: datum.id.clone(),
        kind: datum.kind.clone(),
        shown: datum.shown(reveal),
        sent: counts.sent,
        received: counts.received,
        kept: counts.kept,
        held_back: counts.held_back,
        hints: counts.hints,
    }
}

fn write(audit: &Audit, arguments: &AuditArguments) -> Result<(), Fault> {
    let path = arguments.output.as_deref();
    let color = output::color(path);
    output::write(path, |out| {
        let written = match arguments.format {
            AuditFormat::Terminal => report::write_terminal(audit, Look { color, all: arguments.all }, out),
            AuditFormat::Json => report::write_json(audit, out),
        };
        Ok(written?)
    })
}

/// Damage and changed exhibits come before what was found: a report on broken evidence must not
/// look like a clean one. `--fail-on` comes before both, because it was asked for.
fn verdict(audit: &Audit, intake: &Intake, fail_on: &[FailOn]) -> Exit {
    let sent = audit.subject.iter().any(|row| row.sent + row.kept > 0);
    let found = fail_on.iter().any(|what| match what {
        FailOn::Sighting => sent,
        FailOn::Opaque => !audit.opaque.is_empty(),
        FailOn::Damage => !audit.damages.is_empty(),
        FailOn::Unplanted => audit.recipients.iter().flat_map(|row| row.unplanted.values()).any(|tally| tally.sent > 0),
    });
    let partly = is_partly_read(audit, intake);
    match () {
        () if found => Exit::Found,
        () if partly => Exit::PartlyRead,
        () if audit.records() == 0 => Exit::NothingRead,
        () => Exit::Fine,
    }
}

/// True where evidence is missing, damaged or changed. What was changed is named on standard error.
pub(crate) fn is_partly_read(audit: &Audit, intake: &Intake) -> bool {
    let exhibits = audit.exhibits.iter().filter(|row| row.fixity == Fixity::Differs);
    let exhibits = exhibits.map(|row| row.exhibit.path.as_str());
    let changed: Vec<&str> = exhibits.chain(intake.case.iter().flat_map(Case::changed_marks)).collect();
    for path in &changed {
        say(&format!("dyetrace: {path} is not the file its manifest lists"));
    }
    intake.refused > 0 || !changed.is_empty() || !audit.damages.is_empty()
}
