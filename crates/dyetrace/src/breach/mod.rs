//! `dyetrace breach`: what is in dumps of personal data, who is hit, and what is owed to those who are in them.

mod burn;
mod case_key;
mod check;
mod checkpoint;
mod columns;
mod confine;
mod index;
mod keys;
mod measured;
mod overlap;
mod passphrase;
mod scan;
mod serve;
mod stale;

use crate::exit::{Exit, Fault};
use clap::Subcommand;

/// Subcommands of `breach`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreachCommand {
    /// Count what is in a dump: columns, people, how passwords were stored
    Scan(scan::ScanArguments),
    /// Destroy the key of a case, and with it the worth of all digests and checkpoints made under it
    Burn(burn::BurnArguments),
    /// Tell which dump is a copy of which
    Overlap(overlap::OverlapArguments),
    /// List which accounts still have the password that leaked
    Stale(stale::StaleArguments),
    /// Make the index of a check service for those who are in a dump: one signed file without anybody's data in clear
    Index(index::IndexArguments),
    /// Answer, by an index, whether somebody is in a dump, without learning who asks
    Serve(serve::ServeArguments),
    /// Ask a check service whether an identifier is in a dump, without telling it which
    Check(check::CheckArguments),
}

/// Runs a subcommand of `breach`.
pub(crate) fn run(command: &BreachCommand) -> Result<Exit, Fault> {
    match command {
        BreachCommand::Scan(arguments) => scan::run(arguments),
        BreachCommand::Burn(arguments) => burn::run(arguments),
        BreachCommand::Overlap(arguments) => overlap::run(arguments),
        BreachCommand::Stale(arguments) => stale::run(arguments),
        BreachCommand::Index(arguments) => index::run(arguments),
        BreachCommand::Serve(arguments) => serve::run(arguments),
        BreachCommand::Check(arguments) => check::run(arguments),
    }
}
