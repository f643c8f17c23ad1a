//! What the servers of the lab say they were sent, against what the audit says: the same data, at the same hosts, with
//! the same requests, at the same times, no more and no less. For the shipped recordings, and for new ones.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;
mod stage;

use dyetrace_case::{Case, Time, hex};
use dyetrace_lab::finance::names::md5_base36;
use md5::Md5;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stage::{STAGES, play};
use std::collections::BTreeMap;
use std::path::Path;

/// The run, the host, the request, the datum.
type What = (String, String, String, String);
/// When each was seen, in order.
type Seen = BTreeMap<What, Vec<Time>>;

/// How far the server's note may lie from the record of the request, in nanoseconds.
const SLACK: i64 = 2_000_000_000;

#[test]
fn the_audit_of_a_shipped_recording_says_what_its_servers_say() {
    for (_, case, _) in STAGES {
        let folder = common::root().join("cases").join(case);
        let arrived = compare(&folder);
        assert!(case.contains("promised") || arrived > 0, "{case}: nothing arrived, so nothing was tested");
    }
}

#[test]
fn the_audit_of_a_new_recording_says_what_its_servers_say() {
    if let Some(obstacle) = dyetrace_lab::stage::obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let arrived: usize = play(&STAGES).iter().map(|folder| compare(&folder.0)).sum();
    assert!(arrived > 50, "{arrived}");
}

#[test]
fn a_server_that_was_sent_something_else_is_noticed() {
    let folder = common::root().join("cases/story5-messaging");
    let mut noted = noted(&folder);
    let audited = audited(&folder);
    assert!(disagreement(&noted, &audited).is_none());
    let (what, times) = noted.pop_last().unwrap();
    assert!(disagreement(&noted, &audited).is_some(), "one more in the audit");
    noted.insert(what.clone(), times.iter().map(|time| Time(time.0 + 2 * SLACK)).collect());
    assert!(disagreement(&noted, &audited).is_some(), "another time");
    noted.insert((what.0, what.1, what.2, "imsi#2".to_owned()), times);
    assert!(disagreement(&noted, &audited).is_some(), "another datum");
}

/// How many values arrived.
fn compare(folder: &Path) -> usize {
    let (noted, audited) = (noted(folder), audited(folder));
    if let Some(difference) = disagreement(&noted, &audited) {
        panic!("{}: {difference}", folder.display());
    }
    noted.values().map(Vec::len).sum()
}

/// The first thing that one of the two says and the other does not.
fn disagreement(noted: &Seen, audited: &Seen) -> Option<String> {
    let all: std::collections::BTreeSet<_> = noted.keys().chain(audited.keys()).collect();
    let times = |seen: &Seen, what: &What| seen.get(what).cloned().unwrap_or_default();
    all.into_iter().find_map(|what| {
        let (arrived, found) = (times(noted, what), times(audited, what));
        let close = |(one, other): (&Time, &Time)| one.0.abs_diff(other.0) < SLACK.unsigned_abs();
        let agree = arrived.len() == found.len() && arrived.iter().zip(&found).all(close);
        (!agree).then(|| format!("{what:?}: the servers say {arrived:?}, the audit says {found:?}"))
    })
}

/// From the servers' notes. A digest says which datum it was; one that is of no datum is a failure.
fn noted(folder: &Path) -> Seen {
    let case = Case::open(folder).unwrap();
    let mut seen = Seen::new();
    for run in &case.file.runs {
        let text = std::fs::read_to_string(folder.join("server-truth").join(format!("{}.jsonl", run.id))).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let salt = lines.next().unwrap()["salt"].as_str().unwrap().to_owned();
        let data = forms(&case, &salt);
        for line in lines {
            let word = |name: &str| line[name].as_str().unwrap().to_owned();
            let datum = data.get(&(word("form"), word("digest")));
            let datum = datum.unwrap_or_else(|| panic!("{}: {line} is of no planted value", run.id));
            let what = (run.id.clone(), word("host"), word("what"), datum.clone());
            seen.entry(what).or_default().push(word("at").parse().unwrap());
        }
    }
    in_order(seen)
}

/// The names of the planted values by the form in which a server may get them, and its salted digest.
fn forms(case: &Case, salt: &str) -> BTreeMap<(String, String), String> {
    let salted = |value: &[u8]| hex(&Sha256::new().chain_update(salt).chain_update(value).finalize());
    let mut forms = BTreeMap::new();
    for datum in &case.subject.as_ref().unwrap().data {
        let value = datum.value.reveal();
        let (md5, sha256) = (hex(&Md5::digest(value)), hex(&Sha256::digest(value)));
        for (form, value) in [("plain", value), ("md5", md5.as_bytes()), ("sha256", sha256.as_bytes())] {
            forms.insert((form.to_owned(), salted(value)), datum.id.to_string());
        }
        let Some(file) = &datum.file else { continue };
        let content = file.content.as_ref().unwrap().reveal();
        forms.insert(("plain".to_owned(), salted(content)), datum.id.to_string());
        // A smaller picture has other bytes; the app says whose copy it is of.
        for name in file.stored_as.iter().map(|source| md5_base36(source)) {
            forms.insert(("smaller".to_owned(), salted(name.as_bytes())), datum.id.to_string());
        }
    }
    forms
}

/// From the audit: what was sent into the Internet. Whatever else was seen stayed in the home, or on the phone.
fn audited(folder: &Path) -> Seen {
    let output = common::dyetrace(&["audit".as_ref(), folder.as_os_str(), "--format=json".as_ref()]);
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut seen = Seen::new();
    for sighting in audit["sightings"].as_array().unwrap() {
        let record = &sighting["record"];
        // A server may send a picture of the same template as a planted one; of that the audit says that it cannot tell.
        if sighting["direction"] == "kept" || sighting["direction"] == "received" && sighting["hint"] == true {
            continue;
        }
        let Some(host) = record["server"]["name"].as_str().filter(|name| name.ends_with(".example")) else {
            let address: std::net::Ipv4Addr = record["server"]["address"].as_str().unwrap().parse().unwrap();
            assert!(address.is_private() || address.is_broadcast() || address.is_multicast(), "{sighting}");
            continue;
        };
        assert_eq!(sighting["direction"], "sent", "no server of the lab gives values back: {sighting}");
        let path = record["url"].as_str().unwrap().splitn(4, '/').nth(3).unwrap().split('?').next().unwrap();
        let run = Path::new(sighting["place"]["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        let run = run.split('.').next().unwrap().to_owned();
        let request = format!("{} /{path}", record["method"].as_str().unwrap());
        let what = (run, host.to_owned(), request, sighting["datum"].as_str().unwrap().to_owned());
        seen.entry(what).or_default().push(record["time"].as_str().unwrap().parse().unwrap());
    }
    in_order(seen)
}

fn in_order(mut seen: Seen) -> Seen {
    for times in seen.values_mut() {
        times.sort();
    }
    seen
}
