//! What the tests of the command share: running it, and finding captures nobody here made.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod kept;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the command and returns what it did. Models that are installed here change nothing.
pub(crate) fn dyetrace<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    with_models(Path::new("/nowhere"), arguments)
}

/// The same with the models of a folder, which read the text in pictures.
pub(crate) fn with_models<S: AsRef<std::ffi::OsStr>>(models: &Path, arguments: &[S]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
    command.args(arguments).env("NO_COLOR", "1").env("DYETRACE_MODELS", models).output().unwrap()
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            std::fs::copy(&path, &place).unwrap();
        }
    }
}

/// Standard output as text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON objects of `dyetrace records`, one a line.
pub(crate) fn records(exhibit: &Path, keys: Option<&Path>) -> Vec<Value> {
    let mut arguments = vec!["records".into(), exhibit.as_os_str().to_owned()];
    if let Some(keys) = keys {
        arguments.extend(["--keys".into(), keys.as_os_str().to_owned()]);
    }
    let output = dyetrace(&arguments);
    assert!(output.status.code().is_some(), "{}: killed: {}", exhibit.display(), stderr(&output));
    assert_ne!(output.status.code(), Some(101), "{}: panicked: {}", exhibit.display(), stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The folder of real captures, or a word that the test is skipped.
pub(crate) fn captures() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let folder = std::env::var_os("DYETRACE_CAPTURES").map_or_else(beside, PathBuf::from);
    let found = folder.join("truth").is_dir();
    if !found {
        println!("skipped: no real captures here ({})", folder.display());
    }
    found.then_some(folder)
}

/// The checkout's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
