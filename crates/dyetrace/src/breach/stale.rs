//! `dyetrace breach stale`: which accounts still have the password that leaked.

use super::confine::confined;
use super::measured::{MeasuredFile, OF_STALE, of_stale};
use super::scan::{Format, opened, say_nothing_else};
use crate::exit::{Exit, Fault, say};
use crate::output;
use clap::Args;
use dyetrace_breach::{Key, StaleReport, stale};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `breach stale`.
#[derive(Debug, Args)]
#[command(
    after_help = "The list of accounts is a table in any form that dumps have, with an e-mail address, a telephone, identity or QQ number,
the password as it is stored now, and its salt where that has a column of its own. Told are numbers of its rows, which nobody
else can resolve. Leaked passwords are tried against MD5, SHA-1, SHA-2 (also salted), phpass, bcrypt and Argon2.

Examples:
  dyetrace breach stale resold.txt --accounts accounts.csv
  dyetrace breach stale 2013.sql.gz 2016.txt --accounts accounts.csv --format json --output stale.json
  dyetrace breach stale resold.txt --accounts accounts.csv --measured my-case/measured.yaml"
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
}

/// Runs `breach stale`.
pub(crate) fn run(arguments: &StaleArguments) -> Result<Exit, Fault> {
    let streams = opened(arguments.dumps.iter().chain([&arguments.accounts]))?;
    let measured = arguments.measured.as_deref().map(MeasuredFile::open).transpose()?;
    say_nothing_else();
    let key = Key::random().map_err(|_| Fault::new("this computer gives no random bytes for a key"))?;
    let compared = confined(|confinement| (confinement, stale(&arguments.dumps, &arguments.accounts, &key, streams)));
    let (confinement, report) = compared.ok_or_else(|| Fault::new("the comparison ended by a fault of its own"))?;
    if let Some(missing) = confinement.missing() {
        say(&format!("dyetrace: note: {missing}"));
    }
    let report = report.map_err(|error| Fault::new(format!("a file could not be read: {error}")))?;
    let text = match arguments.format {
        Format::Terminal => shown(&report).into_bytes(),
        Format::Json => serde_json::to_vec_pretty(&report).map_err(Fault::new)?,
    };
    output::write(arguments.output.as_deref(), |out| Ok(out.write_all(&text)?))?;
    if let Some(measured) = measured {
        measured.write(OF_STALE, of_stale(&report, &arguments.dumps, &arguments.accounts))?;
    }
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
