//! The command as a person types it: exit codes, errors that say what to type, nothing half-written.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A HAR with one request that carries a phone number in its JSON body and its URL.
fn har(folder: &Path) -> PathBuf {
    let path = folder.join("trip.har");
    let text = r#"{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"entries":[{
        "startedDateTime":"2026-01-31T12:00:00.000Z","time":5,
        "request":{"method":"POST","url":"https://api.example.test/u/13800000427?x=1","httpVersion":"HTTP/1.1","headers":[],
            "postData":{"mimeType":"application/json","text":"{\"user\":{\"phone\":\"13800000427\"}}"}},
        "response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"content":{"size":2,"text":"ok"}}}]}}"#;
    std::fs::write(&path, text).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_archive_without_a_case_is_audited() {
    let folder = folder("archive");
    let har = har(&folder);
    let output = dyetrace(&["audit", text(&har), "--find", "phone=13800000427", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let seen: Vec<_> =
        audit["sightings"].as_array().unwrap().iter().map(|s| (&s["place"]["part"], &s["trail"])).collect();
    assert!(seen.contains(&(&"request.body".into(), &"json /user/phone".into())), "{seen:?}");
    assert!(!stdout(&output).contains("13800000427"), "values are masked unless --reveal is given");
    let revealed = dyetrace(&["audit", text(&har), "--find", "phone=13800000427", "--reveal"]);
    assert!(stdout(&revealed).contains("https://api.example.test/u/13800000427?x=1"));
}

#[test]
fn fail_on_makes_the_build_fail() {
    let folder = folder("fail-on");
    let har = har(&folder);
    let run = |find: &str| dyetrace(&["audit", text(&har), "--find", find, "--fail-on", "sighting"]).status.code();
    assert_eq!(run("phone=13800000427"), Some(1));
    assert_eq!(run("phone=13911112222"), Some(0));
}

#[test]
fn errors_say_what_to_type_and_never_repeat_a_value() {
    let folder = folder("errors");
    let har = har(&folder);
    let cases: [(&[&str], &str); 6] = [
        (&["audit", text(&har), "--find", "13800000427"], "--find KIND=VALUE"),
        (&["audit", text(&har), "--find", "Phone No=13800000427"], "--find phone=13800000427"),
        (&["audit", text(&har), "--find", "phone="], "value is empty"),
        (&["audit", "no-such-file.har"], "no-such-file.har"),
        (&["audit", text(&folder)], "dyetrace new my-case"),
        (&["audit", text(&har), "--keys", "no-such-keys.log"], "no-such-keys.log"),
    ];
    for (arguments, expected) in cases {
        let output = dyetrace(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(expected), "{said}");
        let shows_example_only =
            said.matches("13800000427").count() <= usize::from(said.contains("as in --find phone="));
        assert!(shows_example_only, "{said}");
    }
}

#[test]
fn one_unreadable_exhibit_does_not_hide_the_others() {
    let folder = folder("partly");
    let har = har(&folder);
    let junk = folder.join("notes.txt");
    std::fs::write(&junk, "nothing to see").unwrap();
    let output = dyetrace(&["audit", text(&junk), text(&har), "--find", "phone=13800000427"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("notes.txt"), "{}", stderr(&output));
    assert!(stdout(&output).contains("json /user/phone"), "{}", stdout(&output));
}

#[test]
fn a_changed_exhibit_is_told_by_the_manifest() {
    let folder = folder("changed");
    std::fs::create_dir(folder.join("evidence")).unwrap();
    std::fs::write(folder.join("case.yaml"), "format: 1\ntitle: changed\n").unwrap();
    har(&folder.join("evidence"));
    let listed = format!("{}  evidence/trip.har\n", "00".repeat(32));
    std::fs::write(folder.join("manifest-sha256.txt"), listed).unwrap();
    let output = dyetrace(&["audit", text(&folder)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is not the file its manifest lists"), "{}", stderr(&output));
}

#[test]
fn an_output_file_is_there_whole_or_not_at_all() {
    let folder = folder("output");
    let har = har(&folder);
    let out = folder.join("audit.json");
    let output = dyetrace(&["audit", text(&har), "--format", "json", "--output", text(&out)]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
    let _: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let nowhere = folder.join("no/such/folder/audit.json");
    assert_eq!(dyetrace(&["audit", text(&har), "--output", text(&nowhere)]).status.code(), Some(2));
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_new_case_is_made_once_and_can_be_opened() {
    let folder = folder("new").join("my case");
    let output = dyetrace(&["new", text(&folder)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let subject = std::fs::read_to_string(folder.join("subject.yaml")).unwrap();
    assert!(subject.contains("kind: wifi.password"), "{subject}");
    let again = dyetrace(&["new", text(&folder)]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("never overwrites"), "{}", stderr(&again));
    let empty = dyetrace(&["audit", text(&folder)]);
    assert!(stderr(&empty).contains("holds no exhibit"), "{}", stderr(&empty));
    har(&folder.join("evidence"));
    assert_eq!(dyetrace(&["audit", text(&folder)]).status.code(), Some(0));
}

#[test]
fn records_written_as_har_are_read_back_the_same() {
    let folder = folder("har");
    let har = har(&folder);
    let copy = folder.join("copy.har");
    assert_eq!(dyetrace(&["records", text(&har), "--format", "har", "--output", text(&copy)]).status.code(), Some(0));
    let [one, two] = [&har, &copy].map(|path| common::records(path, None));
    assert_eq!(one.len(), 1);
    for pointer in
        ["/time", "/server", "/channel", "/request/url", "/request/body", "/response/status", "/response/body"]
    {
        assert!(!one[0].pointer(pointer).unwrap().is_null(), "{pointer}");
        assert_eq!(one[0].pointer(pointer), two[0].pointer(pointer), "{pointer}");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let folder = folder("pipe");
    let har = har(&folder);
    let command = format!("{} records {} | true", env!("CARGO_BIN_EXE_dyetrace"), text(&har));
    let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    assert_eq!(stderr(&output), "");
}

#[test]
fn completions_and_help_are_there() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&dyetrace(&["completions", shell])).contains("dyetrace"));
    }
    for command in ["audit", "records", "new"] {
        assert!(stdout(&dyetrace(&[command, "--help"])).contains("Example"));
    }
}
