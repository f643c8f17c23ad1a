//! From a case to a bundle that somebody else can check.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{copy, dyetrace, root, stderr, stdout};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of the test's own with a copy of the first story's case.
fn case(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    copy(&root().join("cases/story1-wifi-password"), &folder.join("case"));
    folder
}

fn bundle(folder: &Path, edition: &str, output: &str) -> PathBuf {
    let (case, output) = (folder.join("case"), folder.join(output));
    let arguments = ["bundle", "--unrecorded", "--edition", edition, "--output"];
    let mut arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(std::ffi::OsStr::new).collect();
    arguments.extend([output.as_os_str(), case.as_os_str()]);
    let done = dyetrace(&arguments);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    output
}

fn verify(path: &Path) -> Output {
    dyetrace(&["verify".as_ref(), path.as_os_str()])
}

fn assert_says(output: &Output, code: i32, words: &[&str]) {
    let text = stdout(output);
    assert_eq!(output.status.code(), Some(code), "{text}{}", stderr(output));
    for word in words {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
}

/// The values of the case's subject.
fn planted(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("case/subject.yaml")).unwrap();
    let values = text.lines().filter_map(|line| line.trim().strip_prefix("value: "));
    values.map(|value| value.trim_matches('"').to_owned()).collect()
}

#[test]
fn a_sealed_bundle_is_deterministic_and_its_judgement_comes_out_again() {
    let folder = case("custody-sealed");
    let one = bundle(&folder, "sealed", "one.zip");
    let two = bundle(&folder, "sealed", "two.zip");
    assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap(), "the same case, other bytes");
    assert_says(&verify(&one), 0, &["fixity     holds", "verdicts   holds", "the same"]);
    // What `dyetrace live` keeps for itself would open the device's traffic to whoever has the bundle.
    fs::create_dir_all(folder.join("case/live")).unwrap();
    fs::write(folder.join("case/live/ca.key"), "a private key").unwrap();
    let with_recorder = bundle(&folder, "sealed", "with-recorder.zip");
    assert!(fs::read(&one).unwrap() == fs::read(&with_recorder).unwrap(), "the recorder's keys are in no bundle");
    let unpacked = bundle(&folder, "sealed", "unpacked");
    assert_says(&verify(&unpacked), 0, &["verdicts   holds"]);
    fs::write(unpacked.join("data/README.md"), "changed").unwrap();
    assert_says(&verify(&unpacked), 1, &["fixity     DIFFERS", "data/README.md was changed", "verdicts   holds"]);
    let again = dyetrace(&[
        "bundle".as_ref(),
        "--edition=sealed".as_ref(),
        "-o".as_ref(),
        one.as_os_str(),
        folder.join("case").as_os_str(),
    ]);
    assert!(stderr(&again).contains("never overwrites"), "{}", stderr(&again));
}

#[test]
fn a_judgement_that_was_forged_is_found_though_every_digest_was_made_anew() {
    let folder = case("custody-forged");
    let kept = folder.join("case/report/judgement.json");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    let judge = ["judge".as_ref(), "--format=json".as_ref(), "-o".as_ref(), kept.as_os_str()];
    assert_eq!(dyetrace(&[&judge[..], &[folder.join("case").as_os_str()]].concat()).status.code(), Some(1));
    assert_says(&verify(&folder.join("case")), 0, &["verdicts   holds"]);
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replacen("\"verdict\": \"contradicted\"", "\"verdict\": \"supported\"", 1)).unwrap();
    let said = verify(&folder.join("case"));
    assert_says(&said, 1, &["fixity     holds", "verdicts   DIFFERS", "supported then, contradicted now"]);
}

#[test]
fn a_public_bundle_holds_no_planted_value_no_exhibit_and_no_key_and_says_what_it_cannot() {
    let folder = case("custody-public");
    let file = folder.join("case/case.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("investigator: dyetrace lab", "investigator: Ada Investigator")).unwrap();
    fs::create_dir_all(folder.join("case/keys")).unwrap();
    fs::write(folder.join("case/keys/log.txt"), "CLIENT_RANDOM 00 11\n").unwrap();
    let path = bundle(&folder, "public", "public.zip");
    let bytes = fs::read(&path).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds("Ada Investigator"), "the public edition names who investigated");
    let values = planted(&folder);
    assert!(values.len() > 5);
    for value in values {
        assert!(!holds(&value), "a planted value is in the public edition");
    }
    let salt = fs::read_to_string(folder.join("case/custody.salt")).unwrap();
    assert!(!holds(salt.trim()) && !holds("CLIENT_RANDOM") && !holds("\u{a}\u{d}\u{d}\u{a}"));
    assert_says(
        &verify(&path),
        0,
        &["fixity     holds", "re-run     not possible", "exhibits and planted values are cut"],
    );
    let unpacked = bundle(&folder, "public", "public");
    let cuts: Value = serde_json::from_slice(&fs::read(unpacked.join("data/cuts.json")).unwrap()).unwrap();
    let rows = cuts["files"].as_array().unwrap();
    for (path, in_clear) in [("evidence/newer.pcapng", true), ("keys/log.txt", false), ("subject.yaml", false)] {
        let row = rows.iter().find(|row| row["path"] == path).unwrap();
        assert_eq!(row["sha256"].is_string(), in_clear, "{path}");
        assert_eq!(row["bytes"], fs::metadata(folder.join("case").join(path)).unwrap().len(), "{path}");
        assert_eq!(row["cuts"][0]["salted_sha256"].as_str().unwrap().len(), 64, "{path}");
    }
}

#[test]
fn hostile_bundles_are_refused_without_a_trace() {
    let folder = case("custody-hostile");
    let good = fs::read(bundle(&folder, "sealed", "good.zip")).unwrap();
    let path = folder.join("bad.zip");
    let mut slipping = good.clone();
    let name = b"bundle/bag-info.txt";
    while let Some(at) = slipping.windows(name.len()).position(|window| window == name) {
        slipping[at..at + name.len()].copy_from_slice(b"../../../bag-in.txt");
    }
    for (bytes, said) in [
        (slipping, "refused: the name ../../../bag-in.txt goes up"),
        (good[..good.len() / 2].to_vec(), "no zip archive"),
        (Vec::new(), "no zip archive"),
        (vec![b'P'; 70_000], "no zip archive"),
    ] {
        fs::write(&path, bytes).unwrap();
        let output = verify(&path);
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        assert!(stderr(&output).contains(said), "{said}: {}", stderr(&output));
    }
}

#[test]
fn the_log_grows_with_what_is_done_and_shows_what_was_changed() {
    let folder = case("custody-log");
    let path = folder.join("case");
    let case = path.to_str().unwrap();
    let done = dyetrace(&["custody", "add", case, "--who", "A. Tester", "copied", "--file", "evidence/newer.pcapng"]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let marked = dyetrace(&["mark", case, "newer", "phase", "quiet-began"]);
    assert_eq!(marked.status.code(), Some(0), "{}", stderr(&marked));
    let shown = dyetrace(&["custody", "show", case]);
    assert_says(&shown, 0, &["A. Tester", "copied", "evidence/newer.pcapng", "marked run newer"]);
    let marks = path.join("evidence/marks/newer.jsonl");
    let text = fs::read_to_string(&marks).unwrap();
    fs::write(&marks, text.replacen("quiet-began", "quiet-ended", 1)).unwrap();
    assert_says(&verify(&path), 1, &["custody    DIFFERS", "newer.jsonl was changed since entry 2 was written"]);
    let log = path.join("custody.log");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("A. Tester", "B. Tester", 1)).unwrap();
    assert_says(&dyetrace(&["custody", "show", case]), 1, &["B. Tester"]);
    assert_says(&verify(&path), 1, &["line 2 does not follow line 1"]);
}

#[test]
fn a_new_case_has_a_log() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("custody-new");
    let _ = fs::remove_dir_all(&folder);
    assert_eq!(dyetrace(&["new", folder.to_str().unwrap()]).status.code(), Some(0));
    assert_says(&dyetrace(&["custody", "show", folder.to_str().unwrap()]), 0, &["made the case"]);
    let nobody = dyetrace(&["custody", "add", folder.to_str().unwrap(), "x"]);
    assert!(stderr(&nobody).contains("--who"), "{}", stderr(&nobody));
}

/// The command with the case behind its first two words.
fn dyetrace_in(case: &Path, arguments: &[&str]) -> Output {
    let mut all: Vec<std::ffi::OsString> = arguments.iter().map(Into::into).collect();
    all.insert(2, case.into());
    dyetrace(&all)
}

/// Makes a time-stamping authority in a folder; `None` where openssl is not installed.
fn authority(folder: &Path) -> Option<()> {
    let config = "[tsa]\ndefault_tsa=own\n[own]\nserial=serial\nsigner_cert=cert.pem\nsigner_key=key.pem\nsigner_digest=sha256\n\
        default_policy=1.2.3\ndigests=sha256\n[req]\ndistinguished_name=name\nprompt=no\n[name]\nCN=T\n[ext]\n\
        extendedKeyUsage=critical,timeStamping\n";
    fs::write(folder.join("ts.conf"), config).unwrap();
    fs::write(folder.join("serial"), "01").unwrap();
    let words =
        "req -x509 -nodes -days 2 -config ts.conf -extensions ext -newkey rsa:2048 -keyout key.pem -out cert.pem";
    let Ok(made) = Command::new("openssl").args(words.split(' ')).current_dir(folder).output() else {
        println!("skipped: openssl is not installed");
        return None;
    };
    assert!(made.status.success(), "{}", stderr(&made));
    Some(())
}

/// What the folder's authority answers to a request.
fn answer(folder: &Path, request: &Path) -> PathBuf {
    let words = "ts -reply -config ts.conf -section own -out reply.tsr -queryfile";
    let openssl = Command::new("openssl").args(words.split(' ')).arg(request).current_dir(folder).output().unwrap();
    assert!(openssl.status.success(), "{}", stderr(&openssl));
    folder.join("reply.tsr")
}

#[test]
fn a_case_is_stamped_and_the_reply_is_checked_and_kept() {
    let folder = case("custody-stamp");
    let case = folder.join("case");
    assert_eq!(dyetrace_in(&case, &["custody", "add", "--who=A. Tester", "sealed the phone"]).status.code(), Some(0));
    assert_eq!(dyetrace_in(&case, &["custody", "stamp"]).status.code(), Some(0));
    let request = fs::read_dir(case.join("stamps")).unwrap().next().unwrap().unwrap().path();
    let Some(()) = authority(&folder) else { return };
    let reply = answer(&folder, &request);
    let checked = dyetrace_in(&case, &["custody", "stamp", "--reply", reply.to_str().unwrap()]);
    assert_says(&checked, 0, &["policy     1.2.3", "signature  good"]);
    assert_says(&verify(&case), 0, &["stamps     holds", "covers entries 1 to 1"]);
    let mut changed = fs::read(reply).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(request.with_extension("tsr"), changed).unwrap();
    assert_says(&verify(&case), 1, &["stamps     DIFFERS", "signature is not good"]);
}

/// Without the authority's certificate nothing is proven, and `verify` once said that it holds.
#[test]
fn a_stamp_whose_signature_nobody_checked_does_not_hold() {
    let folder = case("custody-unchecked-stamp");
    let case = folder.join("case");
    assert_eq!(dyetrace_in(&case, &["custody", "add", "--who=A. Tester", "sealed the phone"]).status.code(), Some(0));
    assert_eq!(dyetrace_in(&case, &["custody", "stamp"]).status.code(), Some(0));
    let request = fs::read_dir(case.join("stamps")).unwrap().next().unwrap().unwrap().path();
    let Some(()) = authority(&folder) else { return };
    // The request's last field asks for the certificate (certReq, RFC 3161 section 2.4.1).
    let mut bytes = fs::read(&request).unwrap();
    let asks = bytes.windows(3).rposition(|three| three == [1, 1, 0xff]).unwrap();
    bytes[asks + 2] = 0;
    let without = folder.join("without.tsq");
    fs::write(&without, bytes).unwrap();
    let reply = answer(&folder, &without);
    let checked = dyetrace_in(&case, &["custody", "stamp", "--reply", reply.to_str().unwrap()]);
    assert_says(&checked, 2, &["signature  not checked"]);
    assert!(stderr(&checked).contains("nothing shows who made this stamp"), "{}", stderr(&checked));
    assert_says(&verify(&case), 2, &["stamps     not checked", "signature not checked"]);
}

/// The reply once was kept without the request it answers, and `verify` found it wrong for ever.
#[test]
fn a_request_that_lay_elsewhere_is_kept_with_its_reply() {
    let folder = case("custody-stamp-elsewhere");
    let case = folder.join("case");
    assert_eq!(dyetrace_in(&case, &["custody", "add", "--who=A. Tester", "sealed the phone"]).status.code(), Some(0));
    let request = folder.join("elsewhere.tsq");
    let request_text = request.to_str().unwrap();
    assert_eq!(dyetrace_in(&case, &["custody", "stamp", "--output", request_text]).status.code(), Some(0));
    let Some(()) = authority(&folder) else { return };
    let reply = answer(&folder, &request);
    let words = ["custody", "stamp", "--reply", reply.to_str().unwrap(), "--request", request_text];
    assert_says(&dyetrace_in(&case, &words), 0, &["signature  good"]);
    fs::remove_file(&request).unwrap();
    assert_says(&verify(&case), 0, &["stamps     holds", "covers entries 1 to 1"]);
}
