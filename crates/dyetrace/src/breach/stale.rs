//! `dyetrace breach stale`: which accounts still have the password that leaked.

use super::case_key::CaseKey;
use super::checkpoint;
use super::confine::{Confinement, confined_beside};
use super::measured::{MeasuredFile, OF_STALE, of_stale};
use super::scan::{Format, opened, say_nothing_else, size_of_files};
use crate::exit::{Exit, Fault, say};
use crate::output;
use crate::progress::Progress;
use clap::Args;
use dyetrace_breach::{Keep, Key, StaleJob, StaleReport, Streams, stale};
use std::fmt::Write as _;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `breach stale`.
#[derive(Debug, Args)]
#[command(
    after_help = "The list of accounts is a table in any form that dumps have, with an e-mail address, a telephone, identity or QQ number,
the password as it is stored now, and its salt where that has a column of its own. Told are numbers of its rows, which nobody
else can resolve. Leaked passwords are tried against MD5, SHA-1, SHA-2 (also salted), phpass, bcrypt and Argon2.

Examples:
  dyetrace breach stale resold.txt --accounts accounts.csv
  dyetrace breach stale 2013.sql.gz 2016.txt --accounts accounts.csv --format json --output stale.json
  dyetrace breach stale resold.txt --accounts accounts.csv --measured my-case/measured.yaml
  dyetrace breach stale resold.txt --accounts accounts.csv --key case.key --identity me.txt --checkpoint stale.checkpoint"
)]
pub(crate) struct StaleArguments {
    /// Files of the dumps; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    dumps: Vec<PathBuf>,
    /// Your own accounts
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write the report to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the numbers for `dyetrace judge` into this file; only one that dyetrace breach wrote is changed, name by name
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
    #[command(flatten)]
    case_key: CaseKey,
    /// Keep checkpoints in this file, and go on from the one that is there; removed when the report is written
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Option<PathBuf>,
    /// Write a checkpoint after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "checkpoint")]
    every: u64,
    /// Begin anew although there is a checkpoint
    #[arg(long, requires = "checkpoint")]
    restart: bool,
}

/// Runs `breach stale`.
pub(crate) fn run(arguments: &StaleArguments) -> Result<Exit, Fault> {
    let streams = opened(arguments.dumps.iter().chain([&arguments.accounts]))?;
    checkpoint::refuse_streams(&streams, arguments.checkpoint.as_deref())?;
    let measured = arguments.measured.as_deref().map(MeasuredFile::open).transpose()?;
    say_nothing_else();
    let key = arguments.case_key.key()?;
    let report = compared(arguments, streams, &key)?;
    let text = match arguments.format {
        Format::Terminal => shown(&report).into_bytes(),
        Format::Json => serde_json::to_vec_pretty(&report).map_err(Fault::new)?,
    };
    output::write(arguments.output.as_deref(), |out| Ok(out.write_all(&text)?))?;
    if let Some(measured) = measured {
        measured.write(OF_STALE, of_stale(&report, &arguments.dumps, &arguments.accounts))?;
    }
    // Last: until then the comparison can go on from it.
    checkpoint::remove(arguments.checkpoint.as_deref())?;
    if report.with_password == 0 {
        say(&format!("dyetrace: no column of {} was told to hold passwords", arguments.accounts.display()));
        say(&"dyetrace: name it in a header line: password, password_hash or pwd");
        return Ok(Exit::NothingRead);
    }
    Ok(match () {
        () if report.unchanged > 0 => Exit::Found,
        () if report.damages > 0 => Exit::PartlyRead,
        () => Exit::Fine,
    })
}

fn compared(arguments: &StaleArguments, streams: Streams, key: &Key) -> Result<StaleReport, Fault> {
    let StaleArguments { dumps, accounts, every, restart, .. } = arguments;
    let checkpoint = arguments.checkpoint.as_deref();
    let mut from = checkpoint::resumed(checkpoint, *restart)?;
    let (mut sent, writer) = checkpoint.map(checkpoint::pair).transpose()?.unzip();
    let progress = Progress::new(size_of_files(dumps));
    progress.begin("comparing", &dumps.first().map_or_else(String::new, |file| file.display().to_string()));
    let bar = progress.clone();
    let work = move |confinement: Confinement| {
        let report = stale(StaleJob {
            dumps,
            accounts,
            key,
            streams,
            keep: sent.as_mut().map(|sent| (sent as &mut dyn Keep, Duration::from_secs(*every))),
            resume: from.as_mut().map(|from| from as &mut dyn Read),
            progress: Box::new(move |read| bar.at(read)),
        });
        // The writer ends when nothing more can be sent to it.
        drop(sent);
        (confinement, report)
    };
    let (compared, ()) = confined_beside(work, || writer.into_iter().for_each(checkpoint::Writer::run));
    progress.done();
    let (confinement, report) = compared.ok_or_else(|| Fault::new("the comparison ended by a fault of its own"))?;
    if let Some(missing) = confinement.missing() {
        say(&format!("dyetrace: note: {missing}"));
    }
    report.map_err(|error| checkpoint::fault(&error, checkpoint))
}

fn shown(report: &StaleReport) -> String {
    let StaleReport { accounts, in_dumps, unchanged, changed, cannot_tell, .. } = report;
    let mut text = format!(
        "Of {accounts} accounts {in_dumps} are in the dumps with a password\n\
         \x20 {unchanged} still have it\n  {changed} have another\n  {cannot_tell}: nobody can tell\n"
    );
    if !report.rows.is_empty() {
        text.push_str("\nRows of the list that still have it, counted from 1 without the header:\n");
        for row in &report.rows {
            let _ = writeln!(text, "{row}");
        }
    }
    text
}
