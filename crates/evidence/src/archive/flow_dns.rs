//! DNS flows of mitmproxy: messages it had parsed already.

use super::flows::{FlowReader, time};
use super::tnetstring::Value;
use crate::dns;
use dyetrace_case::{Message, Protocol, Record};

/// The question and its answer.
pub(super) fn record(reader: &FlowReader<'_>) -> Option<Record> {
    let request = reader.flow.get("request")?;
    let asked_at = request.get("timestamp").and_then(time);
    let question = request.get("questions").and_then(|questions| questions.items().first());
    let name = question.and_then(|question| question.get("name")?.string());
    let kind = question.and_then(|question| number(question.get("type")?)).map(dns::type_name);
    let at = |message: &Value| message.get("timestamp").and_then(time);
    let response = reader.flow.get("response").map(|response| Message {
        time: at(response),
        last: at(response),
        status: response.get("response_code").and_then(number),
        headers: ["answers", "authorities", "additionals"].iter().flat_map(|name| answers(response, name)).collect(),
        ..Message::default()
    });
    let target = name.map(String::into_bytes);
    let request = Message { time: asked_at, last: asked_at, method: kind, target, ..Message::default() };
    Some(Record { request: Some(request), response, ..reader.record("", Protocol::Dns, asked_at) })
}

/// One field per answer: its type as the name, its data as text where it has some. mitmproxy unpacks
/// compressed names before it writes.
fn answers(response: &Value, section: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let records = response.get(section).map_or(&[][..], Value::items);
    let field = |answer: &Value| {
        let kind = number(answer.get("type")?)?;
        Some((dns::type_name(kind).into_bytes(), dns::shown(kind, answer.get("data")?.bytes()?)))
    };
    records.iter().filter_map(field).collect()
}

fn number(value: &Value) -> Option<u16> {
    u16::try_from(value.integer()?).ok()
}
