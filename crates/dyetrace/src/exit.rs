//! How the program ends: exit codes, and errors that say what to type.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a subcommand that could do its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain about.
    Fine,
    /// Something that `--fail-on` names was found.
    Found,
    /// Something could not be read; the rest was done.
    PartlyRead,
    /// No record was read, so nothing was looked into.
    NothingRead,
}

/// Why the work could not be done, and what to type instead.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    hint: Option<String>,
}

impl Fault {
    /// A fault with nothing better to type.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None }
    }

    /// Adds what to type.
    #[must_use]
    pub(crate) fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &io::Error) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dyetrace: {}", self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

impl std::error::Error for Fault {}

/// Turns the result of a subcommand into words on standard error and an exit code.
pub(crate) fn report(result: Result<Exit, Fault>) -> ExitCode {
    match result {
        Ok(Exit::Fine) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::from(1),
        Ok(Exit::PartlyRead) => ExitCode::from(2),
        Ok(Exit::NothingRead) => ExitCode::from(3),
        Err(fault) => {
            say(&fault);
            ExitCode::from(2)
        }
    }
}

/// A line on standard error. Where even that fails there is nobody left to tell.
pub(crate) fn say(text: &impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
