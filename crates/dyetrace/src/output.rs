//! Where results go: the standard output, or a file that is there whole or not at all.

use crate::exit::Fault;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Writes through `write` to `path`, or to the standard output where there is none.
///
/// A file is written beside its place and moved there when it is complete. A reader that closes
/// the pipe early (`| head`) is not an error.
pub(crate) fn write(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
) -> Result<(), Fault> {
    let Some(path) = path else {
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        return match write(&mut out).and_then(|()| Ok(out.flush()?)) {
            Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(WriteError::Io(error)) => Err(Fault::new(format!("standard output: {error}"))),
            Err(WriteError::Fault(fault)) => Err(fault),
            Ok(()) => Ok(()),
        };
    };
    let partial = partial_path(path);
    let written = write_file(&partial, write).and_then(|()| Ok(std::fs::rename(&partial, path)?));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&partial);
        match error {
            WriteError::Io(error) => Fault::file(path, &error),
            WriteError::Fault(fault) => fault,
        }
    })
}

/// True where colours are wanted: on a terminal, unless `NO_COLOR` says otherwise (no-color.org).
pub(crate) fn color(path: Option<&Path>) -> bool {
    path.is_none() && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Why a result could not be written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The output could not take it.
    Io(io::Error),
    /// What was to be written could not be made.
    Fault(Fault),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for WriteError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes finished bytes to the standard output.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Fault> {
    write(None, |out| Ok(out.write_all(bytes)?))
}

fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>) -> Result<(), WriteError> {
    let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
    write(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}
