#![allow(clippy::print_stderr, reason = "a test says why it is skipped")]
//! What mitmproxy itself finds in recordings of real traffic, against what is read here.

use super::{flows, har};
use crate::layer::Limits;
use crate::testing::{Got, collect};
use dyetrace_case::{Blob, Message, Protocol, hex};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn captures() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures");
    let folder = std::env::var_os("DYETRACE_CAPTURES").map_or_else(|| PathBuf::from(default), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no real captures here");
    None
}

fn read(path: &Path) -> Got {
    let Ok(opened) = crate::open(path, &mut |_| ()) else { return Got::default() };
    collect(Limits::default(), |out| super::read(&opened, out, &mut |_| ()))
}

fn read_bytes(mut data: &[u8], is_flows: bool) -> Got {
    let size = data.len() as u64;
    collect(Limits::default(), |out| {
        if is_flows {
            flows::read(&mut data, size, out, &mut |_| ());
        } else {
            har::read(&mut data, size, out, &mut |_| ());
        }
    })
}

/// Every truth file about mitmproxy's own recordings, with the recording.
fn cases(folder: &Path) -> Vec<(PathBuf, Value)> {
    let files = std::fs::read_dir(folder.join("truth")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("mitmproxy__")).collect();
    files.sort();
    let case = |path: PathBuf| {
        let truth: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        (folder.join(truth["file"].as_str().unwrap()), truth)
    };
    files.into_iter().map(case).collect()
}

/// Length and digest of a body as the truth has them; mitmproxy calls an absent body empty.
fn digest(blob: Option<&Blob>) -> (u64, String) {
    let empty = Blob::from(Vec::new());
    let blob = blob.unwrap_or(&empty);
    (blob.len(), hex(&blob.sha256().unwrap()))
}

fn compare(what: &str, blob: Option<&Blob>, truth: &Value, faults: &mut Vec<String>) {
    if truth.is_null() {
        return;
    }
    let expected = (truth["len"].as_u64().unwrap(), truth["sha256"].as_str().unwrap().to_owned());
    if digest(blob) != expected {
        faults.push(format!("{what}: {} bytes, expected {}", digest(blob).0, expected.0));
    }
}

fn compare_exchange(got: [Option<&Message>; 2], truth: &Value, is_har: bool, faults: &mut Vec<String>) {
    let request = got[0].unwrap();
    for (name, value) in [("method", &request.method), ("url", &request.url)] {
        if value.as_deref() != truth[name].as_str() {
            faults.push(format!("{name} differs"));
        }
    }
    compare("request content", request.content(), &truth["req_body"], faults);
    // Importing HAR, mitmproxy codes bodies again and writes status 0 for "no response".
    let status = got[1].and_then(|response| response.status).map(u64::from);
    let expected = truth["status"].as_u64().filter(|status| *status > 0);
    if status != expected {
        faults.push(format!("status {status:?}, expected {expected:?}"));
    }
    let response = got[1].cloned().unwrap_or_default();
    compare("response content", response.content(), &truth["resp_body"], faults);
    if !is_har {
        compare("request body", request.body.as_ref(), &truth["req_raw"], faults);
        compare("response body", response.body.as_ref(), &truth["resp_raw"], faults);
        // Importing HAR, mitmproxy adds fields such as Content-Length.
        for (name, message) in [("req_headers", request), ("resp_headers", &response)] {
            if truth[name].as_u64().is_some_and(|count| count != message.headers.len() as u64) {
                faults.push(format!("{name}: {}", message.headers.len()));
            }
        }
    }
}

#[test]
fn every_flow_mitmproxy_reads_is_read_here_with_the_same_bytes() {
    let Some(folder) = captures() else { return };
    let (mut faults, mut compared) = (Vec::new(), 0);
    for (path, truth) in cases(&folder) {
        let got = read(&path);
        let is_har = path.extension().is_none_or(|extension| extension != "mitm");
        let exchanges: Vec<_> = got.records.iter().filter(|record| record.protocol != Protocol::WebSocket).collect();
        let expected = truth["flows"].as_array().unwrap();
        let mut found = Vec::new();
        for (record, truth) in exchanges.iter().zip(expected) {
            compare_exchange([record.request.as_ref(), record.response.as_ref()], truth, is_har, &mut found);
            compared += 1;
        }
        // mitmproxy reads no packed HAR; we do.
        let packed = path.extension().is_some_and(|extension| extension == "zhar");
        if exchanges.len() != expected.len() && !packed {
            found.push(format!("{} exchanges, expected {}", exchanges.len(), expected.len()));
        }
        let refused = crate::open(&path, &mut |_| ()).is_err();
        if expected.is_empty() && !packed && got.damages.is_empty() && !refused {
            found.push("what mitmproxy refuses is read here without a word".to_owned());
        }
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(compared > 20, "{compared} exchanges compared");
}

#[test]
fn a_packed_har_gives_the_exchanges_of_the_unpacked_one() {
    let Some(folder) = captures() else { return };
    let got = read(&folder.join("mitmproxy/flows/compressed.zhar"));
    assert!(!got.records.is_empty() && got.damages.is_empty());
    assert!(got.records.iter().all(|record| record.request.as_ref().unwrap().url.is_some()));
}

#[test]
fn real_recordings_cut_anywhere_never_lose_a_flow_before_the_cut() {
    let Some(folder) = captures() else { return };
    for (path, _) in cases(&folder) {
        let data = std::fs::read(&path).unwrap();
        let is_flows = path.extension().is_some_and(|extension| extension == "mitm");
        let mut last = 0;
        for cut in (0..data.len()).step_by(997) {
            let got = read_bytes(&data[..cut], is_flows);
            assert!(got.records.len() >= last, "{} at {cut}", path.display());
            last = got.records.len();
        }
    }
}
