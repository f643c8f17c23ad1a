//! The lines of `dyetrace records` against their published schema, and its HAR against the format.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod schema;

use dyetrace_case::{
    App, Blob, Channel, ChannelKind, Damage, Endpoint, ExhibitId, Flag, Item, Message, NameSource, Opaque, Protocol,
    Record, RecordId, Time, Transport,
};
use dyetrace_report::records::{RecordFormat, RecordWriter};
use schema::faults;
use serde_json::Value;
use std::sync::Arc;

const EXHIBIT: ExhibitId = ExhibitId([7; 32]);

fn server() -> Endpoint {
    let name = Some(("api.example".to_owned(), NameSource::Sni));
    Endpoint { address: Some([192, 0, 2, 1].into()), port: Some(443), name }
}

/// A record with nothing in it.
fn bare(id: &str, protocol: Protocol) -> Record {
    Record {
        id: RecordId(id.to_owned()),
        exhibit: EXHIBIT,
        protocol,
        time: None,
        client: Endpoint::default(),
        server: Endpoint::default(),
        channel: Channel::unknown(),
        app: None,
        request: None,
        response: None,
        flags: Vec::new(),
    }
}

/// A POST with every fact known: a coded request, a response that is no text.
fn full() -> Record {
    let request = Message {
        time: Some(Time(1_000_000_000)),
        method: Some("POST".to_owned()),
        target: Some(b"/a?b=c&d".to_vec()),
        url: Some("https://api.example/a?b=c&d".to_owned()),
        headers: vec![(b"Content-Type".to_vec(), b"text/plain".to_vec()), (b"X".to_vec(), b"\xe9".to_vec())],
        body: Some(Blob::from(b"coded".to_vec())),
        decoded: Some(Blob::from("caf\u{e9}\n".as_bytes().to_vec())),
        codings: vec!["gzip".to_owned()],
        ..Message::default()
    };
    let response = Message {
        time: Some(Time(1_500_000_000)),
        status: Some(302),
        headers: vec![(b"Location".to_vec(), b"/next".to_vec())],
        body: Some(Blob::from(vec![0xff, 0])),
        ..Message::default()
    };
    let app = App { name: Some("Shop".to_owned()), package: Some("example.shop".to_owned()), uid: Some(10_123) };
    Record {
        time: Some(Time(1_000_000_000)),
        server: server(),
        channel: Channel { kind: ChannelKind::Tls, version: Some("TLS 1.3".to_owned()), suite: None },
        app: Some(Arc::new(app)),
        request: Some(request),
        response: Some(response),
        flags: vec![Flag::Undecoded("br".to_owned()), Flag::Cut(12)],
        ..bare("tcp:0/http:0", Protocol::Http11)
    }
}

fn items() -> Vec<Item> {
    let unread = Opaque {
        id: RecordId("tcp:9/tls".to_owned()),
        exhibit: EXHIBIT,
        time: Some(Time(0)),
        last: Some(Time(0)),
        transport: Transport::Tcp,
        client: Endpoint::default(),
        server: server(),
        channel: Channel::unknown(),
        app: None,
        bytes_sent: 10,
        bytes_received: 0,
        reason: "no key in the log for this connection".to_owned(),
    };
    let place = "tcp:4".to_owned();
    let gap = Damage {
        exhibit: EXHIBIT,
        place,
        time: None,
        server: Some(server()),
        bytes: Some(1448),
        reason: "gap".to_owned(),
    };
    let mut unanswered = bare("har:1", Protocol::Http2);
    unanswered.request = Some(Message { body: Some(Blob::from(Vec::new())), ..Message::default() });
    vec![
        Item::Record(Box::new(full())),
        Item::Record(Box::new(bare("udp:3", Protocol::Udp))),
        Item::Record(Box::new(unanswered)),
        Item::Opaque(Box::new(unread)),
        Item::Damage(gap.clone()),
        Item::Damage(Damage { server: None, bytes: None, ..gap }),
    ]
}

fn written(format: RecordFormat, items: &[Item]) -> String {
    let mut out = Vec::new();
    let mut writer = RecordWriter::new(format, &mut out);
    for item in items {
        writer.item(item).unwrap();
    }
    writer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_line_follows_the_published_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/records.schema.json")).unwrap();
    let text = written(RecordFormat::JsonLines, &items());
    assert_eq!(text.lines().count(), 6);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(faults(&schema, &line, &schema), Vec::<String>::new(), "{line}");
    }
    let wrong = serde_json::json!({"record": 7});
    assert!(!faults(&schema, &wrong, &schema).is_empty(), "the check can fail");
}

#[test]
fn a_record_is_one_line_with_its_keys_in_order() {
    let text = written(RecordFormat::JsonLines, &items()[..1]);
    let sha = |bytes: &[u8]| dyetrace_case::hex(&Blob::from(bytes.to_vec()).sha256().unwrap());
    let (exhibit, sent, decoded, answer) = (EXHIBIT, sha(b"coded"), sha("café\n".as_bytes()), sha(&[0xff, 0]));
    let expected = format!(
        "{{\"record\":\"tcp:0/http:0\",\"exhibit\":\"{exhibit}\",\"protocol\":\"http/1.1\",\"time\":\"1970-01-01T00:00:01Z\",\
        \"client\":{{\"address\":null,\"port\":null}},\"server\":{{\"address\":\"192.0.2.1\",\"port\":443,\"name\":\"api.example\"}},\
        \"channel\":{{\"kind\":\"tls\",\"version\":\"TLS 1.3\",\"suite\":null}},\"app\":\"Shop\",\
        \"request\":{{\"method\":\"POST\",\"url\":\"https://api.example/a?b=c&d\",\"headers\":[[\"Content-Type\",\"text/plain\"],[\"X\",\"é\"]],\
        \"body\":{{\"bytes\":5,\"sha256\":\"{sent}\",\"decoded\":{{\"bytes\":6,\"sha256\":\"{decoded}\"}}}},\"target\":\"/a?b=c&d\",\"time\":\"1970-01-01T00:00:01Z\"}},\
        \"response\":{{\"status\":302,\"headers\":[[\"Location\",\"/next\"]],\"body\":{{\"bytes\":2,\"sha256\":\"{answer}\",\
        \"decoded\":{{\"bytes\":2,\"sha256\":\"{answer}\"}}}},\"time\":\"1970-01-01T00:00:01.500Z\"}},\
        \"flags\":[\"undecoded br\",\"cut 12\"],\"package\":\"example.shop\",\"uid\":10123}}\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn the_har_holds_the_http_and_counts_the_rest() {
    let har: Value = serde_json::from_str(&written(RecordFormat::Har, &items())).unwrap();
    let log = &har["log"];
    assert_eq!((log["version"].as_str(), log["creator"]["name"].as_str()), (Some("1.2"), Some("dyetrace")));
    assert_eq!(log["_dyetrace"]["left_out"], serde_json::json!({"records": 1, "opaque": 1, "damages": 2}));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    let entry = &entries[0];
    assert_eq!(
        (entry["startedDateTime"].as_str(), entry["time"].as_f64()),
        (Some("1970-01-01T00:00:01Z"), Some(500.0))
    );
    assert_eq!(entry["request"]["postData"]["text"], "café\n");
    assert_eq!(entry["request"]["queryString"][1], serde_json::json!({"name": "d", "value": ""}));
    let content = &entry["response"]["content"];
    assert_eq!((content["text"].as_str(), content["encoding"].as_str()), (Some("/wA="), Some("base64")));
    assert_eq!(entry["response"]["redirectURL"], "/next");
    assert_eq!((entry["_clientName"].as_str(), entry["_uid"].as_u64()), (Some("Shop"), Some(10_123)));
    assert_eq!(entry["_securityDetails"]["protocol"], "TLS 1.3");
    assert_eq!(entries[1]["response"]["status"], 0, "no response came");
}

#[test]
fn every_entry_has_what_har_1_2_requires() {
    let har: Value = serde_json::from_str(&written(RecordFormat::Har, &items())).unwrap();
    for entry in har["log"]["entries"].as_array().unwrap() {
        let has = |object: &Value, keys: &[&str]| keys.iter().all(|key| !object[key].is_null());
        assert!(has(entry, &["startedDateTime", "time", "request", "response", "cache", "timings"]));
        let both = ["httpVersion", "cookies", "headers", "headersSize", "bodySize"];
        assert!(has(&entry["request"], &both) && has(&entry["request"], &["method", "url", "queryString"]));
        assert!(has(&entry["response"], &both));
        assert!(has(&entry["response"], &["status", "statusText", "content", "redirectURL"]));
        assert!(has(&entry["response"]["content"], &["size", "mimeType"]));
    }
}

#[test]
fn a_har_without_records_is_still_a_har() {
    let har: Value = serde_json::from_str(&written(RecordFormat::Har, &[])).unwrap();
    assert_eq!(har["log"]["entries"], serde_json::json!([]));
    assert_eq!(written(RecordFormat::JsonLines, &[]), "");
}
