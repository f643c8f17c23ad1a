//! Who may use whom. The stages know the words of `case` and not each other; only the command
//! wires them together. A new arrow is a decision: it is written into ARCHITECTURE.md and here.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use std::collections::BTreeSet;

/// Crate folder, and the crates of this workspace it may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("crates/breach", &["search"]),
    ("crates/case", &[]),
    ("crates/check", &[]),
    ("crates/check-page", &["check"]),
    ("crates/custody", &["case"]),
    ("crates/tls", &[]),
    ("crates/evidence", &["case", "stores", "tls"]),
    ("crates/search", &["case"]),
    ("crates/judge", &["case"]),
    ("crates/faces", &[]),
    ("crates/ocr", &[]),
    ("crates/pictures", &[]),
    ("crates/recipients", &["case"]),
    ("crates/report", &["case"]),
    ("crates/stores", &[]),
    ("crates/live", &["case"]),
    ("crates/lab", &["case"]),
    (
        "crates/dyetrace",
        &[
            "breach",
            "case",
            "check",
            "custody",
            "evidence",
            "faces",
            "judge",
            "live",
            "ocr",
            "pictures",
            "recipients",
            "report",
            "search",
            "stores",
            "tls",
        ],
    ),
    ("benches", &["breach", "check", "case", "evidence", "faces", "judge", "lab", "pictures", "search", "tls"]),
];

/// Async runtimes belong to `live`, `check` (its service), `serve`, `fleet`, the lab, the command that runs them, and the load that is put on them.
const RUNTIMES: [&str; 3] = ["tokio", "async-std", "smol"];

/// What would make an answer depend on more than its input.
const IMPURE: [&str; 6] = ["std::fs", "std::net", "std::env", "SystemTime", "Instant::now", "std::process"];

#[test]
fn crates_use_only_whom_they_may() {
    for (folder, allowed) in ALLOWED {
        let manifest = std::fs::read_to_string(common::root().join(folder).join("Cargo.toml")).unwrap();
        let normal = manifest.split("[dev-dependencies]").next().unwrap();
        let used: BTreeSet<&str> = normal
            .lines()
            .filter_map(|line| line.strip_prefix("dyetrace-"))
            .filter_map(|rest| rest.split(['.', ' ', '=']).next())
            .collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let beyond: Vec<_> = used.difference(&allowed).collect();
        assert!(beyond.is_empty(), "{folder} uses {beyond:?}, which it may not");
        if ["crates/check", "crates/live", "crates/dyetrace", "benches"].contains(folder) {
            continue;
        }
        let runtime = RUNTIMES.iter().find(|name| normal.lines().any(|line| line.starts_with(**name)));
        assert_eq!(runtime, None, "{folder} must not depend on an async runtime");
    }
}

#[test]
fn every_crate_of_the_workspace_is_listed_here() {
    let manifest = std::fs::read_to_string(common::root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find(|line| line.starts_with("members")).unwrap();
    let members: BTreeSet<&str> = members.split('"').skip(1).step_by(2).collect();
    assert_eq!(members, ALLOWED.iter().map(|(folder, _)| *folder).collect());
}

#[test]
fn search_and_judge_read_no_clock_file_network_or_environment() {
    let mut folders = vec![common::root().join("crates/search/src"), common::root().join("crates/judge/src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let impure = IMPURE.iter().find(|word| text.contains(**word));
            assert_eq!(impure, None, "{} must be a pure function of its input", path.display());
        }
    }
    assert!(seen > 20, "the sources were not found");
}
