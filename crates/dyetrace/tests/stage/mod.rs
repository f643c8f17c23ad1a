//! Plays the stories of the lab anew, in network namespaces, quickly: each thing once, a second of quiet time.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::common;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Each story and edition, the shipped case that it was recorded for, and its runs.
pub(crate) type Stage = ((&'static str, &'static str), &'static str, &'static [&'static str]);

/// Everything that is recorded.
pub(crate) const STAGES: [Stage; 9] = [
    (("story1", "reported"), "story1-wifi-password", &["older", "newer"]),
    (("story1", "promised"), "story1-as-promised", &["older", "newer"]),
    (("story2", "reported"), "story2-consent", &["first-use"]),
    (("story2", "promised"), "story2-as-promised", &["first-use"]),
    (("story4", "reported"), "story4-pictures", &["pictures"]),
    (("story4", "silent"), "story4-silent-upload", &["pictures"]),
    (("story4", "promised"), "story4-as-promised", &["pictures"]),
    (("story5", "reported"), "story5-messaging", &["before"]),
    (("story5", "promised"), "story5-updated", &["after-refused", "after-given"]),
];

/// A case folder that is taken away at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Plays every run of the stages at the same time, each on a stage of its own, and gives the case folders.
pub(crate) fn play(stages: &[Stage]) -> Vec<Folder> {
    play_with(stages, &[])
}

/// The same with variables for `record.sh`.
pub(crate) fn play_with(stages: &[Stage], variables: &[(&str, &Path)]) -> Vec<Folder> {
    let lab = lab();
    let started = stages.iter().map(|((story, edition), case, runs)| {
        let folder = prepare(case, "played");
        let start = |run: &&str| {
            let mut script = Command::new(common::root().join("crates/lab/record.sh"));
            script.args([story, edition, *run]).arg(&folder.0).env("DYETRACE_LAB", &lab);
            script.envs(variables.iter().copied());
            script.env("DYETRACE_LAB_QUIET_S", "1").env("DYETRACE_LAB_TIMES", "1");
            script.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running: Vec<_> = runs.iter().map(start).collect();
        (folder, running)
    });
    let finish = |(folder, running): (Folder, Vec<std::process::Child>)| {
        for script in running {
            let output = script.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        folder
    };
    started.collect::<Vec<_>>().into_iter().map(finish).collect()
}

/// A folder with what people wrote for the shipped case.
pub(crate) fn prepare(case: &str, name: &str) -> Folder {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{case}-{}", std::process::id()));
    let shipped = common::root().join("cases").join(case);
    std::fs::create_dir_all(folder.join("claims")).unwrap();
    std::fs::copy(shipped.join("case.yaml"), folder.join("case.yaml")).unwrap();
    for claims in std::fs::read_dir(shipped.join("claims")).unwrap() {
        let claims = claims.unwrap().path();
        std::fs::copy(&claims, folder.join("claims").join(claims.file_name().unwrap())).unwrap();
    }
    Folder(folder)
}

/// The lab's program, built where this test was.
fn lab() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_dyetrace")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "dyetrace-lab", "--target-dir"]).arg(beside.parent().unwrap());
    if beside.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.current_dir(common::root()).status().unwrap().success(), "the lab's program was not built");
    beside.join("dyetrace-lab")
}
