//! `dyetrace data`: dated lists that are too large or too short-lived to ship, in a folder of the user's.

mod archive;
pub(crate) mod fetch;
mod folder;
mod install;

use crate::cli::{DataCommand, DataFolder};
use crate::exit::{Exit, Fault};
use crate::output;
use dyetrace_case::{Case, Snapshot};
use dyetrace_recipients::{OwnerList, PACKAGES, Recipients};
use folder::{State, Stored};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Runs a subcommand of `data`.
pub(crate) fn run(command: &DataCommand) -> Result<Exit, Fault> {
    match command {
        DataCommand::Install(arguments) => install::run(arguments, PACKAGES),
        DataCommand::List(DataFolder { folder }) => list(&folder::chosen(folder.as_deref())?),
        DataCommand::Verify(DataFolder { folder }) => verify(&folder::chosen(folder.as_deref())?),
    }
}

/// The lists that are compiled in, and those of a folder: the one that was asked for, else `lists/` of the case.
///
/// What is installed for the user alone is not taken unasked: the same case must give the same answer elsewhere.
pub(crate) fn recipients(asked: Option<&Path>, inputs: &[PathBuf]) -> Result<Recipients, Fault> {
    let mut owners = OwnerList::shipped().map_err(Fault::new)?;
    let of_case = || inputs.iter().find(|input| Case::is_case(input)).map(|case| case.join("lists"));
    let installed = match asked.map(Path::to_owned).or_else(of_case) {
        Some(folder) => folder::Lists::read(&folder)?,
        None => folder::Lists::default(),
    };
    if let (Some(folder), true) = (asked, installed.owners.is_empty() && installed.countries.is_empty()) {
        let fault = Fault::new(format!("{}: no lists are installed there", folder.display()));
        return Err(fault.hint(format!("dyetrace data install --to {}", folder.display())));
    }
    owners.extend(installed.owners);
    Ok(Recipients::new(owners, installed.countries))
}

fn list(folder: &Path) -> Result<Exit, Fault> {
    let shipped = Recipients::shipped().map_err(Fault::new)?;
    let mut text = "Compiled in:\n".to_owned();
    shipped.snapshots().iter().for_each(|snapshot| line(&mut text, snapshot));
    let index = folder::index(folder)?;
    let _ = writeln!(text, "\nInstalled in {}:", folder.display());
    for package in &index.packages {
        let _ =
            writeln!(text, "  {:<38} {:<12} {} ({})", package.package, package.dated, package.version, package.licence);
    }
    if index.packages.is_empty() {
        text.push_str("  nothing\n");
    }
    let missing = PACKAGES.iter().filter(|package| !index.packages.iter().any(|other| other.package == package.name));
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        text.push_str("\nCan be installed (dyetrace data install):\n");
    }
    for package in missing {
        let _ =
            writeln!(text, "  {:<38} {:<12} {} ({})", package.name, package.dated, package.version, package.licence);
    }
    output::print(text.as_bytes())?;
    Ok(Exit::Fine)
}

fn line(text: &mut String, snapshot: &Snapshot) {
    let dated = snapshot.dated.as_deref().unwrap_or("undated");
    let version = snapshot.version.as_deref().map(|version| format!("   {version}")).unwrap_or_default();
    let _ = writeln!(text, "  {:<38} {dated}{version}", snapshot.name);
}

fn verify(folder: &Path) -> Result<Exit, Fault> {
    let stored = folder::check(folder)?;
    let mut text = String::new();
    for Stored { path, state } in &stored {
        let _ = writeln!(text, "{}: {state}", folder.join(path).display());
    }
    if stored.is_empty() {
        let _ = writeln!(text, "{}: nothing is installed", folder.display());
    }
    output::print(text.as_bytes())?;
    let all_right = stored.iter().all(|stored| stored.state == State::AsInstalled);
    Ok(if stored.is_empty() {
        Exit::NothingRead
    } else if all_right {
        Exit::Fine
    } else {
        Exit::PartlyRead
    })
}
