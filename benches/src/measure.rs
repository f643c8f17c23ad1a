//! CPU time, wall time and peak memory of one command.
//!
//! The kernel keeps the peak of all children of a process in one number, so each command is run by
//! a fresh copy of this program, which has no other child.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The first argument that makes this program run another and measure it.
pub(crate) const WORD: &str = "run-and-measure";

/// What a command took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// CPU seconds in user mode and in the kernel, over all threads.
    pub(crate) cpu: f64,
    /// Seconds by the wall clock.
    pub(crate) wall: f64,
    /// Peak resident memory in KiB.
    pub(crate) peak_kib: i64,
    /// The command's exit code.
    pub(crate) code: i32,
}

/// Runs the command, its output into the file, and measures it.
pub(crate) fn run(command: &[&str], output: &Path) -> Result<Cost, Box<dyn Error>> {
    let report = output.with_extension("cost");
    let status = Command::new(std::env::current_exe()?)
        .arg(WORD)
        .arg(&report)
        .args(command)
        .stdout(File::create(output)?)
        .status()?;
    if !status.success() {
        return Err(format!("{} could not be run", command.first().unwrap_or(&"nothing")).into());
    }
    Ok(serde_json::from_slice(&std::fs::read(report)?)?)
}

/// The copy's side of [`run`]: the file for the report, then the command.
pub(crate) fn child(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [report, program, arguments @ ..] = arguments else { return Err("nothing to measure".into()) };
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).status()?;
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6;
    let cost = Cost { cpu, wall, peak_kib: usage.max_rss(), code: status.code().unwrap_or(-1) };
    Ok(std::fs::write(report, serde_json::to_vec(&cost)?)?)
}
