//! HTTP/1 messages and WebSocket messages of clear captures that the world recorded, compared with
//! what a second tool found in them. Where the captures are, `common` says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
mod common;

use common::{captures, truths};
use dyetrace_case::{Blob, ChannelKind, Item, Message, Protocol, Record, hex};
use dyetrace_evidence::{Limits, open, read};
use serde_json::Value;
use std::path::Path;

/// The clear records of a capture.
fn records(folder: &Path, file: &str) -> Vec<Record> {
    let opened = open(&folder.join(file), &mut |_| ()).unwrap();
    let mut records = Vec::new();
    let mut sink = |item| {
        if let Item::Record(record) = item
            && record.channel.kind == ChannelKind::Clear
        {
            records.push(*record);
        }
        Ok(())
    };
    read(&opened, Limits::default(), &mut dyetrace_tls::Decryptor::default(), &mut sink, &mut |_| ());
    records
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn digest(body: Option<&Blob>) -> Option<String> {
    body.filter(|body| !body.is_empty()).map(|body| hex(&body.sha256().unwrap()))
}

/// True where the message is the one found by the second tool, which gives a body with its content
/// coding undone or not.
fn is_same(ours: &Message, theirs: &Value) -> bool {
    let host = ours.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"host"));
    let host = host.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    let target = ours.target.as_ref().map(|target| String::from_utf8_lossy(target).into_owned());
    let body = text(&theirs["body"]["sha256"]);
    let same_body = body.is_none() || body == digest(ours.body.as_ref()) || body == digest(ours.decoded.as_ref());
    ours.method == text(&theirs["request.method"])
        && ours.status.map(|status| status.to_string()) == text(&theirs["response.code"])
        && target == text(&theirs["request.uri"])
        && (ours.method.is_none() || host == text(&theirs["host"]))
        && same_body
}

/// True where the second tool read the message from a TLS connection, or it is an interim
/// response, which is no message of its own here.
fn is_left_out(truth: &Value, message: &Value) -> bool {
    let tls = truth["tls"].as_array().into_iter().flatten();
    let interim = text(&message["response.code"]).is_some_and(|code| code.starts_with('1') && code != "101");
    interim || tls.into_iter().any(|tls| tls["stream"] == message["stream"])
}

#[test]
fn http1_messages_are_as_the_second_tool_saw_them() {
    let Some(folder) = captures() else { return };
    let (mut compared, mut missing) = (0, Vec::new());
    for (file, truth) in truths(&folder, ".json") {
        let theirs = truth["http"].as_array().filter(|list| truth["packets"].is_u64() && !list.is_empty());
        let Some(theirs) = theirs else { continue };
        let records = records(&folder, &file);
        let http = records.iter().filter(|record| matches!(record.protocol, Protocol::Http10 | Protocol::Http11));
        let mut ours: Vec<&Message> = http.flat_map(|record| [&record.request, &record.response]).flatten().collect();
        for message in theirs.iter().filter(|message| !is_left_out(&truth, message)) {
            compared += 1;
            match ours.iter().position(|ours| is_same(ours, message)) {
                Some(found) => drop(ours.swap_remove(found)),
                None => missing.push(format!("{file}: frame {}", message["frame"])),
            }
        }
    }
    assert!(missing.is_empty(), "{} of {compared} differ:\n{}", missing.len(), missing.join("\n"));
    assert!(compared > 60, "{compared} messages compared");
}

#[test]
fn websocket_messages_are_as_the_second_tool_saw_them() {
    let Some(folder) = captures() else { return };
    let (mut compared, mut wrong) = (0, Vec::new());
    for (file, truth) in truths(&folder, ".ws.json") {
        let records = records(&folder, &file);
        let websocket = records.iter().filter(|record| record.protocol == Protocol::WebSocket);
        let mut ours: Vec<(bool, Option<String>)> = websocket
            .map(|record| {
                let message = record.request.as_ref().or(record.response.as_ref()).unwrap();
                (record.request.is_some(), digest(message.content()))
            })
            .collect();
        let connections = truth["connections"].as_array().into_iter().flatten();
        for message in connections.flat_map(|connection| connection["messages"].as_array().into_iter().flatten()) {
            compared += 1;
            let wanted = (message["dir"] == "c", text(&message["sha256"]));
            match ours.iter().position(|ours| *ours == wanted) {
                Some(found) => drop(ours.remove(found)),
                None => wrong.push(format!("{file}: a message of {} bytes is missing", message["len"])),
            }
        }
        wrong.extend((!ours.is_empty()).then(|| format!("{file}: {} messages too many", ours.len())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 40, "{compared} messages compared");
}
