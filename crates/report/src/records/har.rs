//! HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), entry by entry.

use super::body::{self, Coding};
use super::text;
use dyetrace_case::{Item, Message, Protocol, Record, Time};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The log so far: what was written and what was left out.
#[derive(Default)]
pub(super) struct HarLog {
    entries: u64,
    other_records: u64,
    opaque: u64,
    damages: u64,
    begun: bool,
}

impl HarLog {
    /// Writes the entry of an HTTP exchange; counts anything else.
    pub(super) fn item(&mut self, item: &Item, out: &mut dyn Write) -> io::Result<()> {
        match item {
            Item::Record(record) if is_http(record.protocol) => {
                self.begin(out)?;
                out.write_all(if self.entries == 0 { b"\n" } else { b",\n" })?;
                self.entries += 1;
                return entry(record, out);
            }
            Item::Record(_) => self.other_records += 1,
            Item::Opaque(_) => self.opaque += 1,
            Item::Damage(_) => self.damages += 1,
        }
        Ok(())
    }

    /// Closes the list and says what is not in it.
    pub(super) fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        let comment = format!(
            "Left out because HAR holds HTTP only: {} other records, {} unread connections, {} damages",
            self.other_records, self.opaque, self.damages
        );
        let left_out = json!({"records": self.other_records, "opaque": self.opaque, "damages": self.damages});
        write!(out, "\n],\"comment\":{},\"_dyetrace\":{{\"left_out\":{left_out}}}}}}}", json!(comment))?;
        out.write_all(b"\n")
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let creator = json!({"name": "dyetrace", "version": env!("CARGO_PKG_VERSION")});
        write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")
    }
}

fn is_http(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Http10 | Protocol::Http11 | Protocol::Http2 | Protocol::Http3)
}

fn version(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http10 => "HTTP/1.0",
        Protocol::Http2 => "HTTP/2.0",
        Protocol::Http3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn entry(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    // The format asks for a time; an unknown one is the epoch and marked as unknown.
    let started = record.time.unwrap_or(Time(0));
    let answered = record.response.as_ref().and_then(|response| response.time);
    let wait = answered.map_or(0.0, |answered| answered.0.saturating_sub(started.0).max(0) as f64 / 1e6);
    write!(out, "{{\"startedDateTime\":\"{started}\",\"time\":{},\"request\":", json!(wait))?;
    request(record, out)?;
    out.write_all(b",\"response\":")?;
    response(record, out)?;
    write!(out, ",\"cache\":{{}},\"timings\":{},", json!({"send": 0, "wait": wait, "receive": 0}))?;
    if let Some(address) = record.server.address {
        write!(out, "\"serverIPAddress\":\"{address}\",")?;
    }
    let origin = json!({
        "record": record.id.0,
        "exhibit": record.exhibit.to_string(),
        "time_known": record.time.is_some(),
        "channel": record.channel.kind.name(),
        "flags": record.flags.iter().map(dyetrace_case::Flag::name).collect::<Vec<_>>(),
    });
    write!(out, "\"_dyetrace\":{origin}")?;
    for (name, value) in private_fields(record) {
        if !value.is_null() {
            write!(out, ",\"{name}\":{value}")?;
        }
    }
    out.write_all(b"}")
}

/// What HAR has no place for, under the names other recorders use for it.
fn private_fields(record: &Record) -> [(&'static str, Value); 7] {
    let app = record.app.as_deref();
    let channel = &record.channel;
    let known = channel.version.is_some() || channel.suite.is_some();
    let security = known.then(|| json!({"protocol": channel.version, "cipher": channel.suite}));
    [
        ("_clientAddress", json!(record.client.address)),
        ("_clientPort", json!(record.client.port)),
        ("_serverPort", json!(record.server.port)),
        ("_securityDetails", json!(security)),
        ("_clientName", json!(app.and_then(|app| app.name.as_deref()))),
        ("_packageName", json!(app.and_then(|app| app.package.as_deref()))),
        ("_uid", json!(app.and_then(|app| app.uid))),
    ]
}

fn request(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let absent = Message::default();
    let message = record.request.as_ref().unwrap_or(&absent);
    let target = || message.target.as_deref().map(text).unwrap_or_default();
    let url = message.url.clone().unwrap_or_else(target);
    let query: Vec<Value> = query(&url).map(|(name, value)| json!({"name": name, "value": value})).collect();
    write!(out, "{{\"method\":{},", json!(message.method.as_deref().unwrap_or_default()))?;
    write!(out, "\"url\":{},\"httpVersion\":\"{}\",", json!(url), version(record.protocol))?;
    write!(out, "\"cookies\":[],\"headers\":{},\"queryString\":{},", fields(message), json!(query))?;
    if let Some(content) = message.content() {
        let coding = body::coding(content)?;
        write!(out, "\"postData\":{{\"mimeType\":{},\"params\":[],\"text\":", json!(media_type(message)))?;
        body::write(content, coding, out)?;
        // HAR 1.2 knows no coding of posted data; readers agree on the name it has in contents.
        out.write_all(if coding == Coding::Base64 { b",\"encoding\":\"base64\"}," } else { b"}," })?;
    }
    write!(out, "\"headersSize\":-1,\"bodySize\":{}}}", body_size(message))
}

fn response(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let absent = Message::default();
    let message = record.response.as_ref().unwrap_or(&absent);
    let location = field(message, b"location").map(text).unwrap_or_default();
    let version = if record.response.is_some() { version(record.protocol) } else { "" };
    write!(out, "{{\"status\":{},\"statusText\":\"\",", message.status.unwrap_or(0))?;
    write!(out, "\"httpVersion\":\"{version}\",\"cookies\":[],\"headers\":{},\"content\":", fields(message))?;
    let size = message.content().map_or(0, dyetrace_case::Blob::len);
    write!(out, "{{\"size\":{size},\"mimeType\":{}", json!(media_type(message)))?;
    if let Some(content) = message.content() {
        let coding = body::coding(content)?;
        out.write_all(b",\"text\":")?;
        body::write(content, coding, out)?;
        out.write_all(if coding == Coding::Base64 { b",\"encoding\":\"base64\"" } else { b"" })?;
    }
    write!(out, "}},\"redirectURL\":{},\"headersSize\":-1,\"bodySize\":{}}}", json!(location), body_size(message))
}

/// Bytes of the body as sent; 0 where there is none.
fn body_size(message: &Message) -> u64 {
    message.body.as_ref().map_or(0, dyetrace_case::Blob::len)
}

fn fields(message: &Message) -> Value {
    message.headers.iter().map(|(name, value)| json!({"name": text(name), "value": text(value)})).collect()
}

fn field<'m>(message: &'m Message, name: &[u8]) -> Option<&'m [u8]> {
    let found = message.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_slice())
}

fn media_type(message: &Message) -> String {
    field(message, b"content-type").map(text).unwrap_or_default()
}

/// The pairs behind the question mark, as they stand.
fn query(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let pairs = query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}
