//! The servers of the messaging service.

use super::SERVER_KEY;
use crate::http::HttpMessage;
use crate::plan::MESSAGES;
use crate::seal::{Envelope, KeyPair};
use crate::server::{Answer, Book, path_of};
use crate::truth::Arrived;
use serde_json::{Value, json};
use std::io::{Error, Result};

/// Who has the service: in clear and by HTTPS.
///
/// # Errors
/// What arrived cannot be written down, or was sealed for somebody else.
pub fn messages(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let body: Value = serde_json::from_slice(&request.decoded()?).unwrap_or_default();
    note(request, book, &body, &[("imei", "imei"), ("imsi", "imsi"), ("device", "android.id")])?;
    let numbers = if path_of(request).starts_with("/v2/") { open(&body)? } else { body };
    note(request, book, &numbers, &[("phone", "phone")])?;
    for contact in numbers["contacts"].as_array().into_iter().flatten() {
        note(request, book, contact, &[("phone", "phone")])?;
    }
    let answer =
        if path_of(request).ends_with("/activate") { json!({"state": "active"}) } else { json!({"online": []}) };
    Ok(HttpMessage::new("HTTP/1.1 200 OK").with("application/json", answer.to_string()).into())
}

/// The time; nobody is asked for anything.
///
/// # Errors
/// None.
pub fn clock(_request: &HttpMessage, _book: &Book) -> Result<Answer> {
    let now = json!({"now": crate::tester::now().0 / 1_000_000_000}).to_string();
    Ok(HttpMessage::new("HTTP/1.1 200 OK").with("application/json", now).into())
}

/// Writes down the fields that are there, each with the kind of what it holds.
fn note(request: &HttpMessage, book: &Book, body: &Value, fields: &[(&str, &str)]) -> Result<()> {
    fields.iter().try_for_each(|(field, kind)| {
        book.arrived(MESSAGES.name, request, kind, Arrived::Plain, body[field].as_str().unwrap_or_default())
    })
}

/// What the phone sealed for this server.
fn open(body: &Value) -> Result<Value> {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let key = KeyPair::from_pem(SERVER_KEY).ok_or_else(|| Error::other("the server's key cannot be read"))?;
    let envelope = Envelope { key: text("key"), data: text("data") };
    let plain = envelope.open(&key).ok_or_else(|| Error::other("sealed for another server"))?;
    serde_json::from_slice(&plain).map_err(Error::other)
}
