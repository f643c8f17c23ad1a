//! Real captures, and what a second tool found in them: every HTTP exchange must be there with the
//! same method, host, path and content. Where the judge errs, the exception stands here with its reason.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Capture, what we say instead of the judge (a part of the missing line), and why.
const JUDGE_ERRS: &[(&str, &str, &str)] = &[
    ("zeek/100-continue.pcap", "< 100 -", "the interim answer is part of the exchange whose final answer is compared"),
    ("zeek/tls12-decryption.pcap", "", "its key log is not in the folder, so its bytes are opaque"),
];

/// Keys that a capture needs, where its truth file does not name them.
const KEYS: &[(&str, &str)] = &[
    ("wireshark/rsasnakeoil2.pcap", "wireshark/keys/rsasnakeoil2.key"),
    ("wireshark/tls12-chacha20poly1305.pcap", "wireshark/keys/tls12-chacha20poly1305.keys"),
];

#[test]
fn http1_and_http2_exchanges_are_those_that_a_second_tool_found() {
    let Some(captures) = common::captures() else { return };
    let (mut compared, mut faults) = (0, Vec::new());
    for (file, truth) in truths(&captures) {
        let expected = expected_lines(&captures, &file, &truth);
        if expected.is_empty() {
            continue;
        }
        compared += expected.len();
        let got = got_lines(&captures, &file, &truth);
        for line in missing(expected, got) {
            match JUDGE_ERRS.iter().find(|(name, part, _)| *name == file && line.contains(part)) {
                Some((_, _, reason)) => println!("{file}: {line}: {reason}"),
                None => faults.push(format!("{file}: missing {line}")),
            }
        }
    }
    println!("{compared} requests and responses compared");
    assert!(compared > 150, "only {compared} were compared");
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}

/// Every truth file about a capture, by the capture's path.
fn truths(captures: &Path) -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(captures.join("truth")).unwrap().map(|entry| entry.unwrap().path());
    let mut truths = BTreeMap::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let second_route = [".h2.json", ".h3.json", ".ws.json", ".tuya.json"].iter().any(|end| name.ends_with(end));
        let truth: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if let Some(file) = truth["file"].as_str().filter(|file| !second_route && file.contains(".pcap")) {
            truths.insert(file.to_owned(), truth.clone());
        }
    }
    truths
}

/// The judge's messages as lines: `> GET host path sha256` and `< 200 sha256`.
fn expected_lines(captures: &Path, file: &str, truth: &Value) -> Vec<String> {
    let http2 = captures.join(format!("truth/{}.h2.json", file.replacen('/', "__", 1)));
    let mut lines: Vec<String> = truth["http"].as_array().into_iter().flatten().filter_map(http1_line).collect();
    if let Ok(bytes) = std::fs::read(http2) {
        let truth: Value = serde_json::from_slice(&bytes).unwrap();
        lines.extend(truth["streams"].as_array().unwrap().iter().flat_map(http2_lines));
    }
    lines
}

fn http1_line(message: &Value) -> Option<String> {
    let sha256 = message["body"]["sha256"].as_str().unwrap_or("-");
    if let Some(method) = message["request.method"].as_str() {
        let host = message["host"].as_str().unwrap_or("-");
        let path = message["request.uri"].as_str().unwrap_or("-");
        return Some(format!("> {method} {host} {path} {sha256}"));
    }
    Some(format!("< {} {sha256}", message["response.code"].as_str()?))
}

fn http2_lines(stream: &Value) -> Vec<String> {
    let field = |side: &str, name: &str| {
        let fields = stream[side].as_array().into_iter().flatten();
        fields.filter(|pair| pair[0] == name).find_map(|pair| pair[1].as_str().map(str::to_owned))
    };
    let dash = || "-".to_owned();
    let body = |name: &str| stream[name]["sha256"].as_str().unwrap_or("-").to_owned();
    let request = field("request", ":method").map(|method| {
        let (host, path) = (field("request", ":authority"), field("request", ":path"));
        format!("> {method} {} {} {}", host.unwrap_or_else(dash), path.unwrap_or_else(dash), body("request_body_raw"))
    });
    let response = field("response", ":status").map(|status| format!("< {status} {}", body("response_body_raw")));
    request.into_iter().chain(response).collect()
}

/// Our messages, each as every line that would satisfy the judge: the body as sent or decoded, the
/// host from the field or absent.
fn got_lines(captures: &Path, file: &str, truth: &Value) -> Vec<Vec<String>> {
    let mut named = truth["prefs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let named = named.find_map(key_file);
    let listed = KEYS.iter().find(|(name, _)| *name == file).map(|(_, keys)| (*keys).to_owned());
    let keys = named.or(listed).map(|path| captures.join(path)).filter(|path| path.is_file());
    let keys = keys.or_else(|| preshared(truth));
    let records = common::records(&captures.join(file), keys.as_deref());
    records.iter().filter(|record| is_http(record)).flat_map(message_lines).collect()
}

/// A key file with the pre-shared key that the judge was given.
fn preshared(truth: &Value) -> Option<std::path::PathBuf> {
    let mut prefs = truth["prefs"].as_array()?.iter().filter_map(Value::as_str);
    let key = prefs.find_map(|pref| pref.strip_prefix("tls.psk:"))?;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{key}.psk"));
    std::fs::write(&path, format!("PSK * {key}\n")).unwrap();
    Some(path)
}

/// `tls.keylog_file:PATH` or `uat:rsa_keys:"PATH",""`.
fn key_file(pref: &str) -> Option<String> {
    let path =
        pref.strip_prefix("tls.keylog_file:").or_else(|| pref.strip_prefix("uat:rsa_keys:\"")?.split('"').next())?;
    Some(path.to_owned())
}

fn is_http(record: &Value) -> bool {
    matches!(record["protocol"].as_str(), Some("http/1.0" | "http/1.1" | "h2"))
}

fn message_lines(record: &Value) -> Vec<Vec<String>> {
    let (request, response) = (&record["request"], &record["response"]);
    let mut messages = Vec::new();
    if let Some(method) = request["method"].as_str() {
        let url = request["url"].as_str().unwrap_or("-");
        let (authority, path) = split_url(url);
        let host = header(request, "host").unwrap_or_else(|| authority.to_owned());
        let mut lines = Vec::new();
        for body in bodies(request) {
            for host in [host.as_str(), authority, "-"] {
                for path in [path, url] {
                    lines.push(format!("> {method} {host} {path} {body}"));
                }
            }
        }
        messages.push(lines);
    }
    if let Some(status) = response["status"].as_u64() {
        messages.push(bodies(response).iter().map(|body| format!("< {status} {body}")).collect());
    }
    messages
}

fn split_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '*']).map_or((rest, ""), |at| rest.split_at(at))
}

fn header(message: &Value, name: &str) -> Option<String> {
    let fields = message["headers"].as_array()?.iter();
    fields
        .filter(|pair| pair[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)))
        .find_map(|p| p[1].as_str().map(str::to_owned))
}

/// The digests that stand for this body; `-` where it is absent or empty.
fn bodies(message: &Value) -> Vec<String> {
    let body = &message["body"];
    let digests = [&body["sha256"], &body["decoded"]["sha256"]];
    let mut found: Vec<String> = digests.iter().filter_map(|digest| digest.as_str().map(str::to_owned)).collect();
    if body["bytes"].as_u64().unwrap_or(0) == 0 {
        found.push("-".to_owned());
    }
    found
}

/// Takes each expected line out of what we have; returns those that are not there. A line without
/// a digest says nothing about the body: the judge did not always look.
fn missing(expected: Vec<String>, mut got: Vec<Vec<String>>) -> Vec<String> {
    let mut missing = Vec::new();
    for line in expected {
        let open = line.strip_suffix(" -");
        let fits = |candidate: &String| {
            *candidate == line || open.is_some_and(|open| candidate.rsplit_once(' ').unwrap().0 == open)
        };
        match got.iter().position(|message| message.iter().any(fits)) {
            Some(at) => drop(got.swap_remove(at)),
            None => missing.push(line),
        }
    }
    missing
}
