//! `dyetrace custody`: who did what to the evidence, and time stamps for it.

mod stamp;

pub(crate) use stamp::{Checked, check as check_stamps};

use crate::exit::{Exit, Fault, say};
use crate::{mark, output};
use clap::{Args, Subcommand};
use dyetrace_case::{Case, ExhibitId};
use dyetrace_custody::bag::Content;
use dyetrace_custody::log::{self, Entry, Log};
use dyetrace_custody::name;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Subcommands of `custody`.
#[derive(Debug, Subcommand)]
pub(crate) enum CustodyCommand {
    /// Add to custody.log of a case what was done, by whom
    Add(AddArguments),
    /// Print custody.log of a case and check its chain
    Show {
        /// The case folder
        case: PathBuf,
    },
    /// Ask for a time stamp (RFC 3161), or check the reply; both are files, nothing is sent
    Stamp(stamp::StampArguments),
}

/// Arguments of `custody add`.
#[derive(Debug, Args)]
#[command(
    after_help = "The entry gets the time of now and the digest of manifest-sha256.txt, and names the digest of the entry before it.
See docs/custody.md.

Examples:
  dyetrace custody add my-case --who 'A. Tester' 'collected the phone at the laboratory'
  dyetrace custody add my-case 'copied the recording from the phone' --file evidence/app.pcapng"
)]
pub(crate) struct AddArguments {
    /// The case folder
    case: PathBuf,
    /// What was done
    did: String,
    /// Who did it (default: the investigator of case.yaml)
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// A file of the case whose digest is written down, relative to the case; may be given more than once
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
}

/// Longest text of an entry in bytes.
const LONGEST: usize = 4096;

/// Runs a subcommand of `custody`.
pub(crate) fn run(command: &CustodyCommand) -> Result<Exit, Fault> {
    match command {
        CustodyCommand::Add(arguments) => add(arguments),
        CustodyCommand::Show { case } => show(case),
        CustodyCommand::Stamp(arguments) => stamp::run(arguments),
    }
}

/// The program's name and version.
pub(crate) fn tool() -> String {
    format!("dyetrace {}", env!("CARGO_PKG_VERSION"))
}

/// Adds an entry of the program's own. Gives the new head.
pub(crate) fn note(
    case: &Path,
    who: Option<String>,
    did: String,
    digests: BTreeMap<String, ExhibitId>,
) -> Result<ExhibitId, Fault> {
    let entry = Entry { at: mark::now()?, who, tool: tool(), did, digests };
    log::append(case, &entry).map_err(|error| Fault::file(&case.join(log::FILE), &error))
}

/// The log of a case that must have one.
pub(crate) fn log_of(case: &Path) -> Result<Option<Log>, Fault> {
    log::read(case).map_err(|error| Fault::file(&case.join(log::FILE), &error))
}

fn add(arguments: &AddArguments) -> Result<Exit, Fault> {
    let case = &arguments.case;
    let file = Case::open(case).map_err(Fault::new)?.file;
    let who = arguments.who.clone().or(file.investigator);
    let who = who.ok_or_else(|| Fault::new("nobody is named").hint("say --who NAME, or investigator: in case.yaml"))?;
    if arguments.did.trim().is_empty() || arguments.did.len() + who.len() > LONGEST {
        return Err(Fault::new(format!("what was done takes 1 to {LONGEST} bytes")));
    }
    let mut digests = BTreeMap::new();
    if case.join("manifest-sha256.txt").is_file() {
        digests.insert("manifest-sha256.txt".to_owned(), digest_of(case, "manifest-sha256.txt")?);
    }
    for file in &arguments.file {
        let path = file.strip_prefix(case).unwrap_or(file).to_string_lossy().replace('\\', "/");
        name::check(&path).map_err(|reason| Fault::new(format!("--file {}: the name {reason}", file.display())))?;
        digests.insert(path.clone(), digest_of(case, &path)?);
    }
    let head = note(case, Some(who), arguments.did.clone(), digests)?;
    output::print(format!("added to {}, whose head is now\n{head}\n", case.join(log::FILE).display()).as_bytes())?;
    Ok(Exit::Fine)
}

/// SHA-256 of a file of the case.
pub(crate) fn digest_of(case: &Path, path: &str) -> Result<ExhibitId, Fault> {
    let place = case.join(path);
    let measured = Content::File(place.clone()).measure().map_err(|error| Fault::file(&place, &error))?;
    Ok(measured.sha256)
}

fn show(case: &Path) -> Result<Exit, Fault> {
    let Some(log) = log_of(case)? else {
        let fault = Fault::new(format!("{} has no {}", case.display(), log::FILE));
        return Err(fault.hint(format!("begin one: dyetrace custody add {} 'what was done'", case.display())));
    };
    let mut text = String::new();
    for (index, (entry, _)) in log.entries.iter().enumerate() {
        let who = entry.who.as_deref().unwrap_or("nobody named");
        let _ = writeln!(text, "{:>4}  {}  {} ({})", index + 1, entry.at, one_line(who), one_line(&entry.tool));
        let _ = writeln!(text, "      {}", one_line(&entry.did));
        for (path, digest) in &entry.digests {
            let _ = writeln!(text, "      {digest}  {}", name::shown(path));
        }
    }
    if let Some(head) = log.head {
        let _ = writeln!(text, "head  {head}");
    }
    output::print(text.as_bytes())?;
    for fault in log.said_faults() {
        say(&format!("dyetrace: {}: {fault}", log::FILE));
    }
    Ok(if log.faults.is_empty() { Exit::Fine } else { Exit::Found })
}

/// A text that cannot steer a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
