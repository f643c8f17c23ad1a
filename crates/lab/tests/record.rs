//! Plays and records the story again, and reads the recording with tshark.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says why it is skipped")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// What stands in the way of recording here.
fn obstacle() -> Option<String> {
    let missing = ["tcpdump", "ip", "unshare", "nsenter", "mergecap", "editcap", "tshark"]
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_err());
    if let Some(tool) = missing {
        return Some(format!("{tool} is not installed"));
    }
    let flags = [["--net", "--"].as_slice(), &["--user", "--map-current-user", "--keep-caps", "--net", "--"]];
    let bridge = ["ip", "link", "add", "dyetrace-test", "type", "bridge"];
    let works = |flags: &&[&str]| {
        Command::new("unshare").args(*flags).args(bridge).output().is_ok_and(|output| output.status.success())
    };
    if flags.iter().any(works) { None } else { Some("network namespaces with bridges are not allowed".into()) }
}

/// Where the recording goes; taken away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("record-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn record(build: &str, folder: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/record.sh");
    let mut command = Command::new(script);
    command.arg(build).arg(folder).env("DYETRACE_LAB", env!("CARGO_BIN_EXE_dyetrace-lab"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The requests that tshark reads with the keys inside the recording: host, method and path.
fn requests(folder: &Path) -> Vec<String> {
    let fields = ["-e", "http.host", "-e", "http.request.method", "-e", "http.request.uri"];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(folder.join("evidence/app.pcapng")).args(["-Y", "http.request", "-T", "fields"]);
    let output = command.args(fields).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace('\t', " ")).collect()
}

fn provisioned(requests: &[String], host: &str, path: &str) -> usize {
    requests.iter().filter(|request| **request == format!("{host} POST {path}")).count()
}

#[test]
fn both_builds_are_recorded_with_the_keys_that_open_them() {
    if let Some(obstacle) = obstacle() {
        eprintln!("skipped: {obstacle}");
        return;
    }
    for build in ["reported", "promised"] {
        let folder = Folder::new(build);
        record(build, &folder.0);
        let requests = requests(&folder.0);
        assert_eq!(provisioned(&requests, "api.smarthome.example", "/v2/device/provision"), 2, "{build}");
        assert_eq!(provisioned(&requests, "192.168.4.1:80", "/provision"), 1, "{build}");
        assert_eq!(provisioned(&requests, "192.168.5.1:80", "/provision"), 1, "{build}");
        let mut listed = Command::new("sha256sum");
        let listed = listed.args(["-c", "manifest-sha256.txt"]).current_dir(&folder.0).output();
        assert!(listed.is_ok_and(|output| output.status.success()), "{build}: the manifest");
    }
}

#[test]
fn the_shipped_cases_plant_what_the_lab_plants() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases");
    for case in ["story1-wifi-password", "story1-as-promised"] {
        let shipped = std::fs::read_to_string(cases.join(case).join("subject.yaml")).unwrap();
        assert_eq!(shipped, dyetrace_lab::household::subject_yaml(), "{case}");
    }
}
