//! HTTP/2 streams and MQTT packets of captures that the world recorded, compared with what a
//! second tool found in them. Where the captures are, `common` says.

#![allow(clippy::unwrap_used, reason = "a test without its files or their form cannot go on")]

mod common;

use common::{captures, truths};
use dyetrace_case::{Blob, Item, Message, Protocol, Record, hex};
use dyetrace_evidence::{Limits, open, read};
use serde_json::Value;
use std::path::Path;

/// All records of a capture, with the key logs that lie beside the captures.
fn records(folder: &Path, file: &str) -> Vec<Record> {
    let mut tls = dyetrace_tls::Decryptor::default();
    for keys in ["wireshark/keys/http2-data-reassembly.keys", "lbirchler/tls3-keylogfile.txt"] {
        tls.secrets.load(&std::fs::read(folder.join(keys)).unwrap());
    }
    let opened = open(&folder.join(file), &mut |_| ()).unwrap();
    let mut records = Vec::new();
    let mut sink = |item| {
        if let Item::Record(record) = item {
            records.push(*record);
        }
        Ok(())
    };
    read(&opened, Limits::default(), &mut tls, &mut sink, &mut |_| ());
    records
}

/// What differs, in words without values.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn same<T: PartialEq>(&mut self, what: impl Fn() -> String, ours: &T, theirs: &T) {
        if ours != theirs {
            self.0.push(what());
        }
    }

    fn body(&mut self, what: impl Fn() -> String, ours: Option<&Blob>, theirs: &Value) {
        if theirs.is_object() {
            let ours = ours.map(|body| (Some(body.len()), Some(hex(&body.sha256().unwrap()))));
            let theirs = (theirs["len"].as_u64(), theirs["sha256"].as_str().map(str::to_owned));
            self.same(what, &ours, &Some(theirs));
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

type Fields = Vec<(String, String)>;

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The pseudo-fields and the other fields of a list that the second tool decoded.
fn split(list: &Value) -> (Fields, Fields) {
    let pairs = list.as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).partition(|(name, _)| name.starts_with(':'))
}

fn message(differences: &mut Differences, what: &str, ours: Option<&Message>, theirs: &Value) {
    let Some(ours) = ours else {
        return differences.same(|| format!("{what} is absent"), &true, &theirs.is_null());
    };
    let (pseudo, fields) = split(theirs);
    let named = |name: &str| pseudo.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    differences.same(|| format!("{what}: method"), &ours.method, &named(":method"));
    differences.same(|| format!("{what}: path"), &ours.target.as_deref().map(lossy), &named(":path"));
    differences.same(|| format!("{what}: status"), &ours.status.map(|status| status.to_string()), &named(":status"));
    let url = || Some(format!("{}://{}{}", named(":scheme")?, named(":authority")?, named(":path")?));
    if ours.status.is_none() {
        // That of an answer is what HTTP/1 asked for before an upgrade; no frame says it.
        differences.same(|| format!("{what}: url"), &ours.url, &url());
    }
    let ours: Fields = ours.headers.iter().map(|(name, value)| (lossy(name), lossy(value))).collect();
    differences.same(|| format!("{what}: fields, {} beside {}", ours.len(), fields.len()), &ours, &fields);
}

#[test]
fn http2_streams_are_as_the_second_tool_saw_them() {
    let Some(folder) = captures() else { return };
    let (mut differences, mut compared) = (Differences::default(), 0);
    for (file, truth) in truths(&folder, ".h2.json") {
        let records = records(&folder, &file);
        for stream in truth["streams"].as_array().unwrap() {
            let (connection, number) = (format!("tcp:{}/", stream["tcp_stream"]), format!("/h2:{}", stream["sid"]));
            let ours =
                records.iter().find(|record| record.id.0.starts_with(&connection) && record.id.0.ends_with(&number));
            let name = format!("{file} {connection}*{number}");
            let Some(ours) = ours else {
                differences.0.push(format!("{name} is absent among {} records", records.len()));
                continue;
            };
            compared += 1;
            for (side, ours) in [("request", &ours.request), ("response", &ours.response)] {
                let what = format!("{name} {side}");
                message(&mut differences, &what, ours.as_ref(), &stream[side]);
                let raw = &stream[format!("{side}_body_raw")];
                differences.body(|| format!("{what}: body"), ours.as_ref().and_then(|ours| ours.body.as_ref()), raw);
                let decoded = &stream[format!("{side}_body_decoded")];
                differences.body(|| format!("{what}: content"), ours.as_ref().and_then(Message::content), decoded);
            }
        }
    }
    differences.none();
    assert!(compared >= 17, "only {compared} streams were compared");
}

#[test]
fn mqtt_packets_are_as_tshark_saw_them() {
    let Some(folder) = captures() else { return };
    let (mut differences, mut compared) = (Differences::default(), 0);
    for (file, truth) in truths(&folder, ".json") {
        let Some(packets) = truth["mqtt"].as_array() else { continue };
        let records = records(&folder, &file);
        let ours = records.iter().filter(|record| record.protocol == Protocol::Mqtt);
        let (connects, publishes): (Vec<_>, Vec<_>) = ours.partition(|record| {
            record.request.as_ref().and_then(|request| request.method.as_deref()) != Some("PUBLISH")
                && record.response.as_ref().is_none_or(|response| response.target.is_none())
        });
        let of_kind = |kind: &str| packets.iter().filter(|packet| packet["msgtype"] == *kind).collect::<Vec<_>>();
        for (nth, theirs) in of_kind("1").into_iter().enumerate() {
            let request = connects.iter().filter_map(|record| record.request.as_ref());
            let ours = request.filter(|request| request.method.as_deref() == Some("CONNECT")).nth(nth);
            for (field, key) in [("client-id", "clientid"), ("username", "username"), ("password", "passwd")] {
                let value = ours.and_then(|ours| ours.headers.iter().find(|(name, _)| name == field.as_bytes()));
                let value = value.map(|(_, value)| lossy(value)).filter(|value| !value.is_empty());
                let known = theirs[key].as_str().filter(|known| !known.is_empty()).map(str::to_owned);
                differences.same(|| format!("{file} CONNECT {nth}: {field}"), &value, &known);
            }
            compared += 1;
        }
        let theirs = of_kind("3");
        differences.same(|| format!("{file}: {} PUBLISH", publishes.len()), &publishes.len(), &theirs.len());
        for (nth, (ours, theirs)) in publishes.iter().zip(theirs).enumerate() {
            let ours = ours.request.as_ref().or(ours.response.as_ref()).unwrap();
            let topic = ours.target.as_deref().map(lossy);
            differences.same(|| format!("{file} PUBLISH {nth}: topic"), &topic.as_deref(), &theirs["topic"].as_str());
            differences.body(
                || format!("{file} PUBLISH {nth}: payload"),
                payload(&file, ours).as_ref(),
                &theirs["msg"],
            );
            compared += 1;
        }
    }
    differences.none();
    assert!(compared >= 8, "only {compared} packets were compared");
}

/// Without the CONNECT tshark takes the empty properties of version 5 (one byte of zero) for the
/// first byte of the payload. The CONNACK, whose length only version 5 allows, shows that they are
/// properties.
fn payload(file: &str, ours: &Message) -> Option<Blob> {
    let body = ours.body.as_ref()?;
    if !file.ends_with("mqtt-midstream-split.pcap") {
        return Some(body.clone());
    }
    Some(Blob::from([&[0], body.as_slice()?].concat()))
}
