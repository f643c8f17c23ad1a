//! A phone behind a gateway that records: what a firewall redirects, in network namespaces.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, records, root, stdout};
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const VALUE: &str = "SecretOfTheHome7391";

/// True where a program of that name is installed.
fn has(program: &str) -> bool {
    let dirs = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin"];
    dirs.iter().any(|dir| Path::new(dir).join(program).exists())
}

fn possible() -> bool {
    let missing = ["unshare", "nsenter", "ip", "nft", "curl", "openssl"].iter().find(|program| !has(program));
    if let Some(program) = missing {
        println!("skipped: there is no {program} here");
        return false;
    }
    let allowed = Command::new("unshare").args(["-Urn", "nft", "add", "table", "inet", "t"]).output().unwrap();
    if !allowed.status.success() {
        println!("skipped: no user namespaces with a firewall here: {}", String::from_utf8_lossy(&allowed.stderr));
    }
    allowed.status.success()
}

fn case(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("dyetrace-redirected-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("case.yaml"), "format: 1\ntitle: redirected\nruns: [{id: first}]\n").unwrap();
    std::fs::write(path.join("subject.yaml"), format!("data: [{{kind: wifi.password, value: {VALUE}}}]\n")).unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(path.join("server-ca.pem"), params.self_signed(&ca_key).unwrap().pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(params, ca_key);
    let leaf = CertificateParams::new(vec!["api.example.test".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(path.join("server.pem"), leaf.pem()).unwrap();
    std::fs::write(path.join("server.key"), key.serialize_pem()).unwrap();
    path
}

fn played(how: &str) {
    if !possible() {
        return;
    }
    let case = case(how);
    let play = root().join("crates/dyetrace/tests/live_redirected/play.sh");
    let output = Command::new("unshare")
        .args(["-Urn", "--kill-child"])
        .arg(play)
        .arg(how)
        .args([&case, &case.join("server.pem"), &case.join("server.key")])
        .arg(VALUE)
        .env("DYETRACE", env!("CARGO_BIN_EXE_dyetrace"))
        .output()
        .unwrap();
    let said = std::fs::read_to_string(case.join("live.txt")).unwrap_or_default();
    assert!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stderr));
    let live = std::fs::read_to_string(case.join("live.jsonl")).unwrap();
    let seen: Vec<Value> = live.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (seen.len(), &seen[0]["host"], &seen[0]["datum"]),
        (1, &"api.example.test".into(), &"wifi.password".into())
    );
    let audit = dyetrace(&["audit".as_ref(), case.as_os_str(), "--format".as_ref(), "json".as_ref()]);
    let report: Value = serde_json::from_str(&stdout(&audit)).unwrap();
    let sightings = report["sightings"].as_array().unwrap();
    assert_eq!((sightings.len(), &sightings[0]["place"]["record"]), (1, &seen[0]["record"]), "{report:#}");
    std::fs::remove_dir_all(&case).unwrap();
}

#[test]
fn what_a_firewall_redirects_is_recorded() {
    played("redirect4");
}

#[test]
fn what_a_firewall_redirects_on_ipv6_is_recorded() {
    played("redirect6");
}

#[test]
fn what_a_firewall_hands_over_unchanged_is_recorded() {
    played("tproxy4");
}

/// The server's page, as far as a browser got it.
const PAGE: &str = "<h1>page loaded</h1>";

/// `DYETRACE_PYTHON` names an interpreter with aioquic: `python3 -m venv V && V/bin/pip install aioquic`.
#[test]
#[ignore = "needs root, Chromium, certutil, nftables and DYETRACE_PYTHON, a Python with aioquic"]
fn a_browser_that_knows_http_3_falls_back_behind_a_gateway_and_the_journal_says_so() {
    let case = case("browser");
    let script = root().join("crates/dyetrace/tests/live_redirected/browser.sh");
    let output = Command::new("unshare")
        .args(["-n", "-m", "--kill-child"])
        .arg(script)
        .args([&case, &case.join("server.pem"), &case.join("server.key")])
        .env("DYETRACE", env!("CARGO_BIN_EXE_dyetrace"))
        .env("PYTHON", std::env::var_os("DYETRACE_PYTHON").unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let served = std::fs::read_to_string(case.join("server.txt")).unwrap();
    for (page, way) in [("before1", "h3"), ("before2", "h3"), ("behind1", "tcp"), ("behind2", "tcp")] {
        assert!(served.contains(&format!("{way} /{page}\n")), "{page}: {served}");
        assert!(std::fs::read_to_string(case.join(format!("page-{page}.html"))).unwrap().contains(PAGE), "{page}");
    }
    let records = records(&case.join("evidence/first.pcapng"), None);
    let seen = |page: &str| records.iter().any(|record| record.to_string().contains(page));
    assert!(seen("/behind1") && seen("/behind2"));
    let journal = std::fs::read(case.join("evidence/first.pcapng")).unwrap();
    let journal = String::from_utf8_lossy(&journal);
    for remark in ["dyetrace:dns taken out of the answer: 1 h3", "refused: QUIC to api.example.test,"] {
        assert!(journal.contains(remark), "{remark}");
    }
    std::fs::remove_dir_all(&case).unwrap();
}
