//! DNS flows of mitmproxy: messages it had parsed already.

use super::flows::{FlowReader, time};
use super::tnetstring::Value;
use dyetrace_case::{Message, Protocol, Record};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The question and its answer.
pub(super) fn record(reader: &FlowReader<'_>) -> Option<Record> {
    let request = reader.flow.get("request")?;
    let asked_at = request.get("timestamp").and_then(time);
    let question = request.get("questions").and_then(|questions| questions.items().first());
    let name = question.and_then(|question| question.get("name")?.string());
    let kind = question.and_then(|question| question.get("type")?.integer()).map(type_name);
    let response = reader.flow.get("response").map(|response| Message {
        time: response.get("timestamp").and_then(time),
        status: response.get("response_code").and_then(Value::integer).and_then(|code| u16::try_from(code).ok()),
        headers: ["answers", "authorities", "additionals"].iter().flat_map(|name| answers(response, name)).collect(),
        ..Message::default()
    });
    let request = Message { time: asked_at, method: kind, target: name.map(String::into_bytes), ..Message::default() };
    Some(Record { request: Some(request), response, ..reader.record("", Protocol::Dns, asked_at) })
}

/// One field per answer: its type as the name, its data as text where it has some.
fn answers(response: &Value, section: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let records = response.get(section).map_or(&[][..], Value::items);
    let field = |answer: &Value| {
        let kind = answer.get("type")?.integer()?;
        Some((type_name(kind).into_bytes(), shown(kind, answer.get("data")?.bytes()?)))
    };
    records.iter().filter_map(field).collect()
}

/// Resource record types (RFC 1035 section 3.2.2, RFC 3596, RFC 2782, RFC 9460).
fn type_name(kind: i64) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        65 => "HTTPS",
        255 => "ANY",
        _ => return format!("TYPE{kind}"),
    };
    name.to_owned()
}

fn shown(kind: i64, data: &[u8]) -> Vec<u8> {
    let text = match kind {
        1 => <[u8; 4]>::try_from(data).ok().map(|address| Ipv4Addr::from(address).to_string()),
        28 => <[u8; 16]>::try_from(data).ok().map(|address| Ipv6Addr::from(address).to_string()),
        2 | 5 | 12 => name(data),
        16 => return labels(data).concat(),
        _ => None,
    };
    text.map_or_else(|| data.to_vec(), String::into_bytes)
}

/// A name that is not compressed: mitmproxy unpacks the pointers before it writes.
fn name(data: &[u8]) -> Option<String> {
    let labels = labels(data.strip_suffix(&[0])?);
    Some(labels.iter().map(|label| String::from_utf8_lossy(label)).collect::<Vec<_>>().join("."))
}

/// Strings with their length before them.
fn labels(mut data: &[u8]) -> Vec<&[u8]> {
    let mut labels = Vec::new();
    while let Some((length, rest)) = data.split_first() {
        let (label, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        labels.push(label);
        data = rest;
    }
    labels
}
