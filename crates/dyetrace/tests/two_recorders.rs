//! One run, two recorders: tcpdump with the phone's keys on the home's Wi-Fi, and `dyetrace live` as the phone's proxy.
//! Both audits must say the same of what went into the Internet: which datum, to which host, in which wrapping, how often.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;
mod stage;

use serde_json::Value;
use stage::{STAGES, Stage, play_with, prepare};
use std::collections::BTreeMap;
use std::path::Path;

/// Datum, host, request and trail, and how often each was seen.
type Seen = BTreeMap<[String; 4], usize>;

#[test]
fn both_recorders_saw_the_same() {
    if let Some(obstacle) = dyetrace_lab::stage::obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    // A run in clear, and one inside TLS with ciphers of the app's own.
    let stages: Vec<&Stage> =
        STAGES.iter().filter(|(stage, ..)| [("story5", "reported"), ("story2", "reported")].contains(stage)).collect();
    assert_eq!(stages.len(), 2);
    let agree = |stage: &Stage| {
        let second = prepare(stage.1, "live");
        uncompressed(&second.0);
        let live = Path::new(env!("CARGO_BIN_EXE_dyetrace"));
        let variables = [("DYETRACE_LIVE", live), ("DYETRACE_LIVE_CASE", second.0.as_path())];
        let first = play_with(std::slice::from_ref(stage), &variables).remove(0);
        complete(&second.0, &first.0, stage.2[0]);
        let (by_tcpdump, by_live) = (audited(&first.0), audited(&second.0));
        assert!(by_tcpdump.len() > 3, "{by_tcpdump:?}");
        assert_eq!(by_tcpdump, by_live, "{}", stage.1);
    };
    std::thread::scope(|scope| stages.into_iter().for_each(|stage| drop(scope.spawn(move || agree(stage)))));
}

/// The journal is not compressed.
fn uncompressed(case: &Path) {
    let text = std::fs::read_to_string(case.join("case.yaml")).unwrap().replace(".pcapng.gz", ".pcapng");
    std::fs::write(case.join("case.yaml"), text).unwrap();
}

/// Marks and subject are those of the run.
fn complete(second: &Path, first: &Path, run: &str) {
    std::fs::create_dir_all(second.join("evidence/marks")).unwrap();
    for file in ["subject.yaml", &format!("evidence/marks/{run}.jsonl")] {
        std::fs::copy(first.join(file), second.join(file)).unwrap();
    }
}

fn audited(folder: &Path) -> Seen {
    let output = common::dyetrace(&["audit".as_ref(), folder.as_os_str(), "--format=json".as_ref()]);
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", common::stderr(&output)));
    let mut seen = Seen::new();
    for sighting in audit["sightings"].as_array().unwrap() {
        let record = &sighting["record"];
        let Some(host) = record["server"]["name"].as_str().filter(|name| name.ends_with(".example")) else { continue };
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let what = [word(&sighting["datum"]), host.to_owned(), word(&record["url"]), word(&sighting["trail"])];
        *seen.entry(what).or_default() += 1;
    }
    seen
}
