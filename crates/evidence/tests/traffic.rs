//! What is read from captures that the world recorded, compared with what tshark and others found.
//! A judge errs too: each known disagreement stands here with its reason.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod common;

use common::captures;
use dyetrace_case::{Blob, Damage, Item, Message, Opaque, Protocol, Record, hex};
use dyetrace_evidence::{Limits, open, read};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a capture gave.
#[derive(Default)]
struct Found {
    records: Vec<Record>,
    opaque: Vec<Opaque>,
    damages: Vec<Damage>,
}

fn find(folder: &Path, file: &str, keys: &[PathBuf]) -> Found {
    let opened = open(&folder.join(file), &mut |_| ()).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut tls = dyetrace_tls::Decryptor::default();
    for path in keys {
        tls.secrets.load(&std::fs::read(path).unwrap());
    }
    let mut found = Found::default();
    let mut sink = |item| {
        match item {
            Item::Record(record) => found.records.push(*record),
            Item::Opaque(opaque) => found.opaque.push(*opaque),
            Item::Damage(damage) => found.damages.push(damage),
        }
        Ok(())
    };
    read(&opened, Limits::default(), &mut tls, &mut sink, &mut |_| ());
    found
}

/// The truth files that have `key`, with the capture's name and the key files tshark was given.
fn truths(folder: &Path, key: &str) -> Vec<(String, Vec<PathBuf>, Value)> {
    let mut truths = Vec::new();
    let mut paths: Vec<_> =
        std::fs::read_dir(folder.join("truth")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let truth: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let file = truth["file"].as_str().unwrap_or_default().to_owned();
        let capture = ["pcap", "pcapng", "gz"].iter().any(|end| file.ends_with(end));
        if truth[key].is_array() && capture && !path.to_string_lossy().ends_with(".h3.json") {
            truths.push((file, keys(folder, &truth), truth));
        }
    }
    truths
}

fn keys(folder: &Path, truth: &Value) -> Vec<PathBuf> {
    let prefs = truth["prefs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let paths = prefs.filter_map(|pref| {
        let path = pref.strip_prefix("tls.keylog_file:").or_else(|| pref.strip_prefix("uat:rsa_keys:"))?;
        Some(folder.join(path.trim_matches('"').split('"').next()?))
    });
    // Some were not kept with their captures.
    paths.filter(|path| path.is_file()).collect()
}

fn sha256(blob: Option<&Blob>) -> Option<String> {
    blob.filter(|blob| !blob.is_empty()).map(|blob| hex(&blob.sha256().unwrap()))
}

/// Where the judge errs, or sees what is not read here. A line that is no longer needed fails.
const HTTP1_DISAGREEMENTS: &[(&str, &str)] = &[
    ("lbirchler/tls2-dsb-dump.pcapng", "compressed inside TLS, and SEED, which are not read"),
    ("wireshark/http-ooo-fuzzed.pcapng", "tshark ran without putting segments in order"),
    ("wireshark/rsa-p-lt-q.pcap", "tshark shows no answer"),
    ("wireshark/tls12-aes128ccm.pcap", "tshark was given a pre-shared key as a preference"),
    ("wireshark/tls12-aes256gcm.pcap", "tshark was given a pre-shared key as a preference"),
    ("zeek/100-continue.pcap", "an interim answer is no answer here"),
    ("zeek/entity_gap.pcap", "tshark gives up an answer with a gap; both parts of it are kept here"),
    ("zeek/tls12-decryption.pcap", "the key log was not kept"),
];
const DNS_DISAGREEMENTS: &[(&str, &str)] = &[
    ("ndpi/wechat.pcap", "LLMNR, which tshark lists apart"),
    ("pcapdroid/invalid_or_unsupported.pcap", "first fragments whose others were not captured"),
    ("wireshark/dns-mdns.pcap", "questions quoted in ICMP errors, which tshark reads once more"),
    ("wireshark/wpa-ccmp-256.pcapng.gz", "802.11 is not read"),
    ("zeek/gre-sample.pcap", "questions quoted in ICMP errors, which tshark reads once more"),
];

/// Fails on differences that are not known, and on known ones that are gone.
fn judge(wrong: &[String], known: &[(&str, &str)]) {
    let new: Vec<_> = wrong.iter().filter(|line| !known.iter().any(|(file, _)| line.starts_with(file))).collect();
    assert!(new.is_empty(), "{new:#?}");
    let gone: Vec<_> = known.iter().filter(|(file, _)| !wrong.iter().any(|line| line.starts_with(file))).collect();
    assert!(gone.is_empty(), "no longer different: {gone:#?}");
}

/// How often each text is on one list and not on the other.
fn differences(file: &str, wanted: Vec<String>, got: Vec<String>, into: &mut Vec<String>) {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let changes = wanted.into_iter().map(|text| (text, 1)).chain(got.into_iter().map(|text| (text, -1)));
    for (text, change) in changes {
        *counts.entry(text).or_default() += change;
    }
    for (text, count) in counts.into_iter().filter(|(_, count)| *count != 0) {
        let what = if count > 0 { "missing" } else { "extra" };
        into.push(format!("{file}: {} {what}: {text}", count.abs()));
    }
}

fn header<'m>(message: &'m Message, name: &str) -> Option<&'m [u8]> {
    let found = message.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, value)| value.as_slice())
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or("-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn http1_messages_are_those_of_tshark() {
    let Some(folder) = captures() else { return };
    let mut wrong = Vec::new();
    for (file, keys, truth) in truths(&folder, "http") {
        let found = find(&folder, &file, &keys);
        let (mut wanted, mut got) = (Vec::new(), Vec::new());
        for message in truth["http"].as_array().unwrap() {
            let body = message["body"]["sha256"].as_str().unwrap_or("-");
            if let Some(method) = message["request.method"].as_str() {
                let (uri, host) = (message["request.uri"].as_str(), message["host"].as_str());
                wanted.push(format!("{method} {} {} {body}", uri.unwrap_or("-"), host.unwrap_or("-")));
            } else {
                wanted.push(format!("{} {body}", message["response.code"].as_str().unwrap_or("-")));
            }
        }
        for record in found.records.iter().filter(|r| matches!(r.protocol, Protocol::Http10 | Protocol::Http11)) {
            if let Some(request) = &record.request {
                let (method, host) = (request.method.as_deref().unwrap_or("-"), header(request, "host"));
                let body = sha256(request.content()).unwrap_or("-".into());
                got.push(format!("{method} {} {} {body}", text(request.target.as_deref()), text(host)));
            }
            if let Some(response) = &record.response {
                let body = sha256(response.content()).unwrap_or("-".into());
                got.push(format!("{} {body}", response.status.map_or("-".into(), |status| status.to_string())));
            }
        }
        differences(&file, wanted, got, &mut wrong);
    }
    judge(&wrong, HTTP1_DISAGREEMENTS);
}

#[test]
fn dns_messages_are_those_of_tshark() {
    let Some(folder) = captures() else { return };
    let mut wrong = Vec::new();
    for (file, keys, truth) in truths(&folder, "dns") {
        let found = find(&folder, &file, &keys);
        let (mut wanted, mut got) = (Vec::new(), Vec::new());
        for message in truth["dns"].as_array().unwrap() {
            let kind = if message["response"] == "1" { "response" } else { "request" };
            wanted.push(kind.to_owned());
            wanted.extend(message["addrs"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()));
            if kind == "request" {
                wanted.push(message["names"][0].as_str().unwrap_or("-").to_owned());
            }
        }
        for record in found.records.iter().filter(|r| matches!(r.protocol, Protocol::Dns | Protocol::Mdns)) {
            if let Some(request) = &record.request {
                got.extend(["request".to_owned(), text(request.target.as_deref())]);
            }
            got.extend(record.response.iter().map(|_| "response".to_owned()));
            let messages = [&record.request, &record.response].into_iter().flatten();
            let fields = messages.flat_map(|message| &message.headers);
            let addresses = fields.filter(|(name, value)| {
                matches!(name.as_slice(), b"A" | b"AAAA") && text(Some(value)).parse::<std::net::IpAddr>().is_ok()
            });
            got.extend(addresses.map(|(_, value)| text(Some(value))));
        }
        differences(&file, wanted, got, &mut wrong);
    }
    judge(&wrong, DNS_DISAGREEMENTS);
}

#[test]
fn what_tshark_decrypts_of_the_openssl_sessions_is_decrypted() {
    let Some(folder) = captures() else { return };
    let rows: Value = serde_json::from_slice(&std::fs::read(folder.join("truth/voev-snet.json")).unwrap()).unwrap();
    let (mut compared, mut wrong) = (0, Vec::new());
    for row in rows.as_array().unwrap().iter().filter(|row| row["tshark_decrypted"] == true) {
        let (file, log) = (row["file"].as_str().unwrap(), row["keylog"].as_str().unwrap());
        let log = folder.join(file).with_file_name(log);
        if !log.is_file() {
            continue;
        }
        let found = find(&folder, file, &[log]);
        let messages = found.records.iter().flat_map(|record| [&record.request, &record.response]).flatten();
        let mut got: Vec<_> = messages.filter_map(|message| sha256(message.body.as_ref())).collect();
        // Which of the two nodes is the client differs from file to file; and two servers echo an
        // HTTP request, whose body is nothing, so that the answer alone has the bytes.
        let nodes = [("node0_bytes", "node0_sha256"), ("node1_bytes", "node1_sha256")];
        let sent = nodes.iter().filter(|(bytes, _)| row[bytes].as_u64() > Some(0));
        let mut wanted: Vec<_> = sent.map(|(_, sha256)| row[sha256].as_str().unwrap().to_owned()).collect();
        got.sort();
        wanted.sort();
        wanted.dedup();
        compared += 1;
        if got != wanted {
            wrong.push(format!("{file}: {:?}", found.opaque.iter().map(|opaque| &opaque.reason).collect::<Vec<_>>()));
        }
    }
    assert!(wrong.is_empty() && compared > 0, "{compared} compared; {wrong:#?}");
}
