//! `dyetrace models`: models that read the text in pictures and find faces, fetched from package indexes, checked, kept for
//! the user.

mod crate_file;
mod install;
mod package;
mod place;
mod wheel;

use crate::cli::ModelsCommand;
use crate::exit::{Exit, Fault};
use crate::output;
use dyetrace_case::hex;
use dyetrace_faces::{Detector, Limits};
use package::{ALL, File, Package, SEETA_FACE};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Runs a subcommand of `models`.
pub(crate) fn run(command: &ModelsCommand) -> Result<Exit, Fault> {
    let folder = place::folder()?;
    match command {
        ModelsCommand::Install(arguments) => install::run(arguments, &folder),
        ModelsCommand::List => list(&folder),
        ModelsCommand::Remove => remove(&ALL, &folder),
    }
}

fn list(folder: &Path) -> Result<Exit, Fault> {
    let mut said = format!("{}:\n", folder.display());
    for package in ALL {
        for wanted in package.files {
            let state = match fs::read(folder.join(wanted.name)) {
                Ok(bytes) if hex(&Sha256::digest(&bytes)) == wanted.sha256 => "as installed",
                Ok(_) => "CHANGED, and not used",
                Err(_) if package.usable.is_ok() => "not installed (dyetrace models install)",
                Err(_) => "not installed",
            };
            let Package { name, version, licence, .. } = package;
            let _ = writeln!(said, "  {:<33} {name} {version} ({licence}): {state}", wanted.name);
        }
    }
    ALL.iter().filter_map(|package| package.usable.err()).for_each(|unusable| said.push_str(unusable));
    output::print(said.as_bytes())?;
    Ok(Exit::Fine)
}

/// Only what was installed is removed.
fn remove(packages: &[&Package], folder: &Path) -> Result<Exit, Fault> {
    let mut removed = 0;
    let of = |package: &&Package| package.files.iter().map(|wanted| wanted.name).chain([package.notice_name]);
    for name in packages.iter().flat_map(of) {
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
    let [detection, recognition] = package::PP_OCR.files else { return Err(MISSING.to_owned()) };
    let read = |wanted| installed(&folder, wanted, MISSING);
    let limits = dyetrace_ocr::Limits::default();
    dyetrace_ocr::Reader::new(read(detection)?, read(recognition)?, limits).map_err(|error| error.to_string())
}

/// The model, ready to look for faces.
///
/// # Errors
/// Why it cannot be used, in words, with what to type.
pub(crate) fn detector() -> Result<Detector, String> {
    use crate::picture_faces::MISSING;
    let folder = place::folder().map_err(|_| MISSING.to_owned())?;
    let model = SEETA_FACE.files.first().ok_or(MISSING)?;
    let model = installed(&folder, model, MISSING)?;
    Detector::new(&model, Limits::default()).map_err(|error| error.to_string())
}

/// A file as it was installed.
///
/// # Errors
/// `missing`, or that it was changed, with what to type.
fn installed(folder: &Path, wanted: &File, missing: &str) -> Result<Vec<u8>, String> {
    let bytes = fs::read(folder.join(wanted.name)).map_err(|_| missing.to_owned())?;
    let is_it = hex(&Sha256::digest(&bytes)) == wanted.sha256;
    let changed = || format!("{} is not the file that was installed; type: dyetrace models install", wanted.name);
    if is_it { Ok(bytes) } else { Err(changed()) }
}
