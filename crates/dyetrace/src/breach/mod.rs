//! `dyetrace breach`: what is in a dump of personal data, and who is hit.

mod confine;
mod overlap;
mod scan;
mod stale;

use crate::exit::{Exit, Fault};
use clap::Subcommand;

/// Subcommands of `breach`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreachCommand {
    /// Count what is in a dump: columns, people, how passwords were stored
    Scan(scan::ScanArguments),
    /// Tell which dump is a copy of which
    Overlap(overlap::OverlapArguments),
    /// List which accounts still have the password that leaked
    Stale(stale::StaleArguments),
}

/// Runs a subcommand of `breach`.
pub(crate) fn run(command: &BreachCommand) -> Result<Exit, Fault> {
    match command {
        BreachCommand::Scan(arguments) => scan::run(arguments),
        BreachCommand::Overlap(arguments) => overlap::run(arguments),
        BreachCommand::Stale(arguments) => stale::run(arguments),
    }
}
