//! A phone behind a gateway that records: what a firewall redirects, in network namespaces.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, root, stdout};
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
