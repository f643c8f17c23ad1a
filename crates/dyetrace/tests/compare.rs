//! Two runs or cases side by side, word for word as the files beside the cases say.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    common::root().join("cases").join(name)
}

/// Runs `compare`, checks terminal and JSON against the files in `beside`, and returns the exit code.
fn compared(inputs: &[PathBuf], runs: &[&str], beside: &Path) -> i32 {
    let mut codes = Vec::new();
    for (format, file) in [("terminal", "expected-comparison.txt"), ("json", "expected-comparison.json")] {
        let mut arguments = vec!["compare".into(), "--format".into(), format.into()];
        arguments.extend(inputs.iter().map(|input| input.clone().into_os_string()));
        arguments.extend(runs.iter().flat_map(|run| ["--run".into(), (*run).into()]));
        let output = common::dyetrace(&arguments);
        let path = beside.join(file);
        if std::env::var_os("DYETRACE_BLESS").is_some() {
            std::fs::write(&path, &output.stdout).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert!(common::stdout(&output) == expected, "{} differs: {}", path.display(), common::stderr(&output));
        codes.push(output.status.code().unwrap());
    }
    assert_eq!(codes[0], codes[1]);
    codes[0]
}

/// Story 5: the update makes the service opt-in and protects what is sent. Whether a rule of Taiwan's law that the
/// old version contradicted is kept now is open, and that is what the exit code says.
#[test]
fn after_the_update_nothing_is_worse_and_a_rule_is_open() {
    let [before, after] = ["story5-messaging", "story5-updated"].map(case);
    assert_eq!(compared(&[before, after.clone()], &[], &after), 3);
}

/// Story 5: two runs of one case, that in which the user said no and that in which they said yes.
#[test]
fn what_is_sent_after_a_yes_and_not_after_a_no_is_no_loss() {
    let story = case("story5-updated");
    let mut arguments = vec!["compare".into(), story.into_os_string()];
    arguments.extend(["after-refused", "after-given"].iter().flat_map(|run| ["--run".into(), (*run).into()]));
    let output = common::dyetrace(&arguments);
    assert!(common::stdout(&output).contains("consent given"), "{}", common::stdout(&output));
}

/// Story 1: in the promised build the password does not reach the maker. Nothing being sent, nobody can say any more
/// whether what is sent is encrypted.
#[test]
fn the_promised_build_leaves_open_what_it_no_longer_sends() {
    let [reported, promised] = ["story1-wifi-password", "story1-as-promised"].map(case);
    assert_eq!(compared(&[reported, promised.clone()], &[], &promised), 3);
}

/// Story 4: no picture is kept any more.
#[test]
fn the_edition_without_the_helper_keeps_no_pictures() {
    let [reported, promised] = ["story4-pictures", "story4-as-promised"].map(case);
    assert_eq!(compared(&[reported, promised.clone()], &[], &promised), 0);
}

/// Story 2, the wrong way round: from the version that waits to the one that does not.
#[test]
fn an_update_that_sends_before_consent_is_worse() {
    let [reported, promised] = ["story2-consent", "story2-as-promised"].map(case);
    assert_eq!(compared(&[promised, reported.clone()], &[], &reported), 1);
}

#[test]
fn what_cannot_be_compared_is_said_with_what_to_type() {
    let story = case("story5-updated");
    for (runs, said) in [(&["after-given"][..], "two of its runs"), (&["after-given", "later"], "no run later")] {
        let mut arguments = vec!["compare".into(), story.clone().into_os_string()];
        arguments.extend(runs.iter().flat_map(|run| ["--run".into(), (*run).into()]));
        let output = common::dyetrace(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(common::stderr(&output).contains(said), "{}", common::stderr(&output));
    }
}

/// Each run once had the whole case opened, read and searched for itself.
#[test]
fn two_runs_of_one_case_are_read_together() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare-once");
    let _ = std::fs::remove_dir_all(&folder);
    common::copy(&case("story5-updated"), &folder);
    let exhibit = folder.join("evidence/after-refused.pcapng");
    std::fs::write(&exhibit, [std::fs::read(&exhibit).unwrap(), b"\n".to_vec()].concat()).unwrap();
    let arguments =
        ["compare".as_ref(), folder.as_os_str(), "--run=after-refused".as_ref(), "--run=after-given".as_ref()];
    let said = common::stderr(&common::dyetrace(&arguments));
    assert_eq!(said.matches("after-refused.pcapng is not the file its manifest lists").count(), 1, "{said}");
}
