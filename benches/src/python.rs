//! Scripts that make inputs with other people's libraries.

use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Runs a script of a folder below `src/` in a Python environment of its own, with the packages pinned beside the script.
pub(crate) fn script(folder: &Path, scripts: &str, name: &str, words: &[String]) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(scripts);
    let environment = folder.join("venv");
    if !environment.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let requirements = scripts.join("requirements.txt");
        run(Command::new(environment.join("bin/pip")).args(["install", "-q", "-r"]).arg(requirements))?;
    }
    run(Command::new(environment.join("bin/python")).arg(scripts.join(name)).args(words))
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", command.get_program().display()).into()) }
}
