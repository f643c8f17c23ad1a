//! The `dyetrace` command: the only place where the stages are wired together.

mod again;
mod allocator;
mod audit;
mod breach;
mod bundle;
mod cli;
mod compare;
mod custody;
mod data;
mod differential;
mod each_picture;
mod exit;
mod explain;
mod fold;
mod history;
mod intake;
mod judge;
mod listed;
mod live;
mod mark;
mod mint;
mod misread;
mod models;
mod new;
mod onlooker;
mod originals;
mod output;
mod picture_faces;
mod picture_text;
mod pictures;
mod pipeline;
mod plan;
mod progress;
mod records;
mod rules;
mod sender;
mod snapshot;
mod spike;
mod typed;
mod verify;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use exit::{Exit, Fault};
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Breach(command) => breach::run(&command),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Judge(arguments) => judge::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Records(arguments) => records::run(&arguments),
        Command::Spike(arguments) => spike::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Mark(arguments) => mark::run(&arguments),
        Command::Snapshot(arguments) => snapshot::run(&arguments),
        Command::Watch(arguments) => snapshot::watch::run(&arguments),
        Command::Custody(command) => custody::run(&command),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Data(command) => data::run(&command),
        Command::Models(command) => models::run(&command),
        Command::Rules(command) => rules::run(&command),
        Command::Completions { shell } => completions(shell),
    };
    exit::report(result)
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dyetrace", &mut script);
    output::print(&script)?;
    Ok(Exit::Fine)
}
