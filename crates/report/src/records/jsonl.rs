//! One JSON object a line: records, opaque bytes, damages. `docs/records.schema.json`.

use super::text;
use dyetrace_case::{
    App, Blob, Channel, Damage, Endpoint, Flag, GuardDeed, Item, Message, Opaque, Record, StoredFile, hex,
};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes the line of one item.
pub(super) fn write(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let line = match item {
        Item::Record(record) => self::record(record)?,
        Item::Opaque(opaque) => json!({"opaque": self::opaque(opaque)}),
        Item::Damage(damage) => json!({"damage": self::damage(damage)}),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn record(record: &Record) -> io::Result<Value> {
    let app = record.app.as_deref();
    Ok(json!({
        "record": record.id.0,
        "exhibit": record.exhibit.to_string(),
        "protocol": record.protocol.name(),
        "time": record.time.map(|time| time.to_string()),
        "client": client(&record.client),
        "server": server(&record.server),
        "channel": channel(&record.channel),
        "app": app.and_then(name),
        "request": record.request.as_ref().map(request).transpose()?,
        "response": record.response.as_ref().map(response).transpose()?,
        "flags": record.flags.iter().map(flag).collect::<Vec<_>>(),
        "package": app.and_then(|app| app.package.as_deref()),
        "uid": app.and_then(|app| app.uid),
    }))
}

fn opaque(opaque: &Opaque) -> Value {
    json!({
        "record": opaque.id.0,
        "exhibit": opaque.exhibit.to_string(),
        "time": opaque.time.map(|time| time.to_string()),
        "last": opaque.last.map(|time| time.to_string()),
        "transport": opaque.transport.to_string(),
        "client": client(&opaque.client),
        "server": server(&opaque.server),
        "channel": channel(&opaque.channel),
        "app": opaque.app.as_deref().and_then(name),
        "bytes_sent": opaque.bytes_sent,
        "bytes_received": opaque.bytes_received,
        "reason": opaque.reason,
    })
}

fn damage(damage: &Damage) -> Value {
    json!({
        "exhibit": damage.exhibit.to_string(),
        "place": damage.place,
        "time": damage.time.map(|time| time.to_string()),
        "server": damage.server.as_ref().map(server),
        "bytes": damage.bytes,
        "reason": damage.reason,
    })
}

/// The name people see, or the package where that is all there is.
fn name(app: &App) -> Option<&str> {
    app.name.as_deref().or(app.package.as_deref())
}

fn client(endpoint: &Endpoint) -> Value {
    json!({"address": endpoint.address.map(|address| address.to_string()), "port": endpoint.port})
}

fn server(endpoint: &Endpoint) -> Value {
    json!({
        "address": endpoint.address.map(|address| address.to_string()),
        "port": endpoint.port,
        "name": endpoint.name.as_ref().map(|(name, _)| name),
    })
}

fn channel(channel: &Channel) -> Value {
    json!({"kind": channel.kind.name(), "version": channel.version, "suite": channel.suite})
}

fn request(message: &Message) -> io::Result<Value> {
    let mut object = Map::new();
    object.insert("method".to_owned(), json!(message.method));
    object.insert("url".to_owned(), json!(message.url));
    common(message, &mut object)?;
    object.insert("target".to_owned(), json!(message.target.as_deref().map(text)));
    object.insert("time".to_owned(), json!(message.time.map(|time| time.to_string())));
    if let Some(file) = &message.file {
        object.insert("file".to_owned(), stored(file));
    }
    Ok(Value::Object(object))
}

fn stored(file: &StoredFile) -> Value {
    json!({
        "size": file.size,
        "sha256": hex(&file.sha256),
        "modified": file.modified.map(|time| time.to_string()),
        "mode": file.mode.map(|mode| format!("{mode:04o}")),
        "owner": file.owner,
        "collected": file.collected.map(|time| time.to_string()),
        "same_as": file.same_as,
    })
}

fn response(message: &Message) -> io::Result<Value> {
    let mut object = Map::new();
    object.insert("status".to_owned(), json!(message.status));
    common(message, &mut object)?;
    object.insert("time".to_owned(), json!(message.time.map(|time| time.to_string())));
    Ok(Value::Object(object))
}

fn common(message: &Message, object: &mut Map<String, Value>) -> io::Result<()> {
    let fields = message.headers.iter().map(|(name, value)| json!([text(name), text(value)]));
    let values = message.values.iter().map(|(name, value)| json!([name, text(value)]));
    let fields: Vec<Value> = fields.chain(values).collect();
    object.insert("headers".to_owned(), Value::Array(fields));
    object.insert("body".to_owned(), body(message)?);
    Ok(())
}

/// The body as sent, and after every coding that could be undone. The two are equal where nothing
/// was coded.
fn body(message: &Message) -> io::Result<Value> {
    let Some(sent) = &message.body else { return Ok(Value::Null) };
    let mut object = digest(sent)?;
    let decoded = match &message.decoded {
        Some(decoded) => digest(decoded)?,
        None => object.clone(),
    };
    object.insert("decoded".to_owned(), Value::Object(decoded));
    Ok(Value::Object(object))
}

fn digest(blob: &Blob) -> io::Result<Map<String, Value>> {
    let mut object = Map::new();
    object.insert("bytes".to_owned(), json!(blob.len()));
    object.insert("sha256".to_owned(), json!(hex(&blob.sha256()?)));
    Ok(object)
}

/// The flag's name; the bytes cut off, the coding or the datum behind a space.
fn flag(flag: &Flag) -> String {
    match flag {
        Flag::Undecoded(coding) => format!("{} {coding}", flag.name()),
        Flag::SpeltInLengths(packets) => format!("{} {packets}", flag.name()),
        Flag::Cut(bytes) => format!("{} {bytes}", flag.name()),
        Flag::Guarded(GuardDeed::Withheld(datum) | GuardDeed::LetThrough(datum)) => format!("{} {datum}", flag.name()),
        _ => flag.name().to_owned(),
    }
}
