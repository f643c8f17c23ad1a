//! `dyetrace breach scan` as a responder types it: what is told of a dump, and that none of its values is.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;
#[path = "../../report/tests/schema/mod.rs"]
mod schema;

use common::{dyetrace, stderr, stdout};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A list of members as it is resold: account, password, mail and telephone, parted by four dashes.
fn list(name: &str) -> (PathBuf, Vec<String>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (mut text, mut values) = (String::new(), Vec::new());
    for n in 0u64..3000 {
        let phone = format!("1{}{:08}", [38, 39, 50, 77, 86][(n % 5) as usize], n * 7_654_321 % 100_000_000);
        let mail = format!("member-{n}@{}", ["example.com", "example.org"][(n % 2) as usize]);
        let password = if n % 10 == 0 { "123456".to_owned() } else { format!("own-{n}-secret") };
        let _ = writeln!(text, "member{n}----{password}----{mail}----{phone}\r");
        values.extend([phone, mail, format!("member{n}----"), format!("own-{n}-secret")]);
    }
    let path = folder.join("list.txt");
    std::fs::write(&path, text).unwrap();
    (path, values)
}

#[test]
fn a_resold_list_is_counted_and_no_value_of_it_is_told() {
    let (path, values) = list("breach-list");
    let json = dyetrace(&["breach", "scan", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(json.status.code(), Some(0), "{}", stderr(&json));
    let report: Value = serde_json::from_str(&stdout(&json)).unwrap();
    let kinds: Vec<&str> = report["tables"][0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["username", "password", "email", "phone"]);
    assert_eq!(report["people"]["people"], 3000);
    assert_eq!(report["tables"][0]["columns"][3]["valid"], 3000);
    let terminal = dyetrace(&["breach", "scan", path.to_str().unwrap()]);
    for told in [stdout(&json), stderr(&json), stdout(&terminal), stderr(&terminal)] {
        assert!(values.iter().all(|value| !told.contains(value.as_str())));
    }
    assert!(stdout(&terminal).contains("People: 3,000 in 3,000 rows"), "{}", stdout(&terminal));
}

#[test]
fn a_case_gets_the_report_and_an_entry_in_its_custody_log() {
    let (path, _) = list("breach-case");
    let case = path.with_file_name("case");
    std::fs::create_dir_all(&case).unwrap();
    std::fs::write(case.join("custody.log"), "").unwrap();
    let scanned = dyetrace(&["breach", "scan", path.to_str().unwrap(), "--case", case.to_str().unwrap()]);
    assert_eq!(scanned.status.code(), Some(0), "{}", stderr(&scanned));
    assert!(case.join("report/breach.json").is_file());
    let log = std::fs::read_to_string(case.join("custody.log")).unwrap();
    assert!(log.contains("counted a dump of 1 files") && log.contains("report/breach.json"));
}

#[test]
fn a_file_that_is_no_dump_says_so() {
    let (path, _) = list("breach-none");
    std::fs::write(&path, "").unwrap();
    assert_eq!(dyetrace(&["breach", "scan", path.to_str().unwrap()]).status.code(), Some(3));
    let missing = dyetrace(&["breach", "scan", "/no/such/dump.sql"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("/no/such/dump.sql"));
}

/// What a shell command says, with the program as `$0`, in the folder of a file. The report says another path, so only
/// what is behind the entries is compared.
fn piped(path: &Path, command: &str) -> (Option<i32>, String) {
    let mut shell = Command::new("bash");
    shell.args(["-c", command, env!("CARGO_BIN_EXE_dyetrace")]).current_dir(path.parent().unwrap());
    let output = shell.output().unwrap();
    (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
}

fn without_paths(report: &str) -> Value {
    let mut report: Value = serde_json::from_str(report).unwrap_or_else(|_| panic!("{report}"));
    report.as_object_mut().unwrap().remove("entries");
    report
}

#[test]
fn pipes_are_scanned_like_files() {
    let (path, values) = list("breach-pipes");
    let (code, expected) = piped(&path, "$0 breach scan list.txt --format json");
    assert_eq!(code, Some(0));
    let commands = [
        "cat list.txt | $0 breach scan - --format json",
        "cat list.txt | $0 breach scan /dev/stdin --format json",
        "$0 breach scan - --format json < list.txt",
        "$0 breach scan /dev/stdin --format json < list.txt",
        "$0 breach scan <(cat list.txt) --format json",
        "gzip -c list.txt | $0 breach scan - --format json",
        "(head -c 5000 list.txt; sleep 0.1; tail -c +5001 list.txt) | $0 breach scan - --cores 2 --format json",
        "mkfifo pipe && (cat list.txt > pipe & $0 breach scan pipe --format json)",
    ];
    for command in commands {
        let (code, said) = piped(&path, command);
        assert_eq!((code, without_paths(&said)), (Some(0), without_paths(&expected)), "{command}");
    }
    let two = "$0 breach scan <(cat list.txt) <(cat list.txt)";
    let (code, said) = piped(&path, two);
    assert!(code == Some(0) && said.contains("6,000 rows"), "{said}");
    assert!(values.iter().all(|value| !said.contains(value.as_str())));
}

#[test]
fn a_pipe_has_no_checkpoints_and_is_read_once() {
    let (path, _) = list("breach-pipe-refused");
    std::fs::write(path.with_file_name("words"), "correct horse").unwrap();
    let kept = "cat list.txt | $0 breach scan - --key case.key --passphrase-file words --checkpoint at";
    let (code, said) = piped(&path, kept);
    assert!(code == Some(2) && said.contains("without checkpoints") && said.contains("--checkpoint"), "{said}");
    assert!(!path.with_file_name("case.key").exists(), "nothing was begun");
    let (code, said) = piped(&path, "cat list.txt | $0 breach scan - -");
    assert!(code == Some(2) && said.contains("given twice"), "{said}");
}

#[test]
fn pipes_are_compared_like_files() {
    let (path, _) = list("breach-pipes-compared");
    let shared = |said: &str| serde_json::from_str::<Value>(said).map(|report| report["pairs"].clone()).unwrap();
    let (_, files) =
        piped(&path, "head -n 2000 list.txt > half.txt; $0 breach overlap list.txt half.txt --format json");
    let (code, pipes) = piped(&path, "cat list.txt | $0 breach overlap - <(cat half.txt) --format json");
    assert_eq!((code, shared(&pipes)), (Some(0), shared(&files)));
    assert_eq!(shared(&files)[0]["shared"][0]["in_both"], 2000);
    let accounts = "printf 'email,password\nmember-1@example.org,own-1-secret\nmember-2@example.com,other\n'";
    let stale = format!("cat list.txt | $0 breach stale - --accounts <({accounts}) --format json");
    let (code, said) = piped(&path, &stale);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!((code, &report["unchanged"], &report["changed"]), (Some(1), &1.into(), &1.into()), "{said}");
}

#[test]
fn under_the_key_of_a_case_and_on_any_number_of_cores_dumps_share_the_same() {
    let (path, _) = list("breach-overlap-key");
    std::fs::write(path.with_file_name("words"), "correct horse").unwrap();
    let overlap =
        |more: &str| piped(&path, &format!("$0 breach overlap list.txt half.txt --format json {more} 2>/dev/null"));
    piped(&path, "head -n 2000 list.txt > half.txt");
    let expected = overlap("--cores 1");
    assert_eq!(expected.0, Some(0));
    assert_eq!(overlap("--cores 2"), expected);
    for _ in 0..2 {
        assert_eq!(overlap("--key case.key --passphrase-file words"), expected);
    }
    std::fs::write(path.with_file_name("words"), "wrong horse").unwrap();
    assert_eq!(overlap("--key case.key --passphrase-file words").0, Some(2));
}

#[test]
fn reports_of_a_scan_are_what_the_schema_says() {
    let text = std::fs::read_to_string(common::root().join("docs/breach.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let (path, _) = list("breach-schema");
    // A second file that is damaged, with stored passwords, times and no identifiers; a third of nothing.
    let mut orders = "CREATE TABLE `o` (`at` text, `password` text, `salt` text, `n` int);\n".to_owned();
    for n in 0..200 {
        let _ = writeln!(orders, "INSERT INTO `o` VALUES ('2014-02-03 04:05:06','{:032x}','s{n}',{n});", n * n * 7919);
    }
    orders += "INSERT INTO `o` VALUES ('2014','broken\n";
    std::fs::write(path.with_file_name("orders.sql"), orders).unwrap();
    std::fs::write(path.with_file_name("none"), "").unwrap();
    for files in ["list.txt", "list.txt orders.sql", "orders.sql --minors-on 2014-01-01", "none", "list.txt --k 100000"]
    {
        let (_, said) = piped(&path, &format!("$0 breach scan {files} --format json 2>/dev/null"));
        let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        assert_eq!(schema::faults(&schema, &report, &schema), Vec::<String>::new(), "{files}");
    }
    let (_, said) = piped(&path, "$0 breach scan orders.sql --format json 2>/dev/null");
    let mut wrong: Value = serde_json::from_str(&said).unwrap();
    assert_ne!(wrong["damages"], Value::Array(Vec::new()));
    wrong["people"]["people"] = "many".into();
    assert_eq!(schema::faults(&schema, &wrong, &schema).len(), 1, "the schema notices what is wrong");
}
