//! The maker's cloud, the statistics service beside it, and a partner's cloud.

use super::{APP_KEY, MODULE_KEY, mqtt};
use crate::http::HttpMessage;
use crate::plan::{API, DEVICES, EVENTS, PARTNER};
use crate::seal::open_with_key;
use crate::server::{Answer, Book, Received, path_of};
use crate::tls::ServerStream;
use crate::truth::Arrived;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Result;

const CONSENT: &str = "Example Home uses your account, your devices and the state they report to run your home. ";

/// The maker's interface for its app.
///
/// # Errors
/// What arrived cannot be written down.
pub fn api(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let body = match path_of(request) {
        "/v1/consent/text" => {
            let text = json!({"version": "2017-06", "text": CONSENT.repeat(8)});
            let message = answer(&text).gzip()?;
            return Ok(Answer { message, chunks: Some(64) });
        }
        "/v1/account/login" => {
            log_in(request, book)?;
            json!({"code": 0, "token": "b6d1f0c9a2e84375", "expires_in": 86400})
        }
        "/v2/device/provision" => {
            provision(request, book)?;
            json!({"code": 0, "status": "bound"})
        }
        "/v5/pairing/network" => {
            network(request, book)?;
            json!({"ok": true})
        }
        "/v1/app/heartbeat" => {
            let net = &json_of(request)?["net"];
            book.arrived(API.name, request, "wifi.ssid", Arrived::Md5, text(&net["n"]))?;
            book.arrived(API.name, request, "wifi.ssid", Arrived::Sha256, text(&net["h"]))?;
            json!({"code": 0})
        }
        _ => json!({"code": 0}),
    };
    Ok(answer(&body).into())
}

/// The statistics service.
///
/// # Errors
/// What arrived cannot be written down.
pub fn events(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let form = form_of(request)?;
    book.arrived(EVENTS.name, request, "phone", Arrived::Sha256, value(&form, "uid"))?;
    book.arrived(EVENTS.name, request, "email", Arrived::Md5, value(&form, "em"))?;
    book.arrived(EVENTS.name, request, "android.id", Arrived::Plain, value(&form, "aid"))?;
    Ok(HttpMessage::new("HTTP/1.1 204 No Content").into())
}

/// The cloud of a partner who makes chips.
///
/// # Errors
/// What arrived cannot be written down.
pub fn partner(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let (ssid, password) = opened(MODULE_KEY, text(&json_of(request)?["m"]));
    book.arrived(PARTNER.name, request, "wifi.ssid", Arrived::Plain, &ssid)?;
    book.arrived(PARTNER.name, request, "wifi.password", Arrived::Plain, &password)?;
    Ok(answer(&json!({"ok": 1})).into())
}

/// Keeps the last report of each device and hands all of them to whoever subscribes.
///
/// # Errors
/// The visitor hangs up.
pub fn devices(mut stream: ServerStream, book: &Book) -> Result<()> {
    while let Some(packet) = mqtt::read(&mut stream)? {
        match packet.first {
            0x10 => mqtt::write(&mut stream, &mqtt::ACCEPTED)?,
            0x30 => report(book, &packet),
            0x82 => retained(&mut stream, book)?,
            0xc0 => mqtt::write(&mut stream, &mqtt::PONG)?,
            _ => break,
        }
    }
    stream.conn.send_close_notify();
    stream.conn.complete_io(&mut stream.sock).map(drop)
}

fn log_in(request: &HttpMessage, book: &Book) -> Result<()> {
    let form = form_of(request)?;
    // The account is kept under the number without its country.
    let phone = value(&form, "phone").trim_start_matches("+86");
    book.arrived(API.name, request, "phone", Arrived::Plain, phone)?;
    book.arrived(API.name, request, "email", Arrived::Plain, value(&form, "email"))?;
    book.arrived(API.name, request, "account.password", Arrived::Md5, value(&form, "pwd"))
}

fn provision(request: &HttpMessage, book: &Book) -> Result<()> {
    let body = json_of(request)?;
    book.arrived(API.name, request, "mac", Arrived::Plain, text(&body["device"]["mac"]))?;
    let (ssid, password) = config_of(text(&body["config"]));
    book.arrived(API.name, request, "wifi.ssid", Arrived::Plain, &ssid)?;
    book.arrived(API.name, request, "wifi.password", Arrived::Plain, &password)
}

fn network(request: &HttpMessage, book: &Book) -> Result<()> {
    let body = json_of(request)?;
    let (ssid, password) = match body["sealed"].as_str() {
        Some(sealed) => opened(APP_KEY, sealed),
        None => (text(&body["wifi"]["ssid"]).to_owned(), plain_of(text(&body["wifi"]["password"]))),
    };
    book.arrived(API.name, request, "wifi.ssid", Arrived::Plain, &ssid)?;
    book.arrived(API.name, request, "wifi.password", Arrived::Plain, &password)
}

/// Name and password as the app says them of an older plug, or sealed, of a newer one.
fn config_of(config: &str) -> (String, String) {
    let plain: Value = serde_json::from_str(config).unwrap_or_default();
    if plain.is_null() {
        return opened(APP_KEY, config);
    }
    (text(&plain["s"]).to_owned(), plain_of(text(&plain["p"])))
}

/// Name and password from under a cipher and base64; empty where the key does not open it.
fn opened(key: &[u8; 16], sealed: &str) -> (String, String) {
    let sealed = STANDARD.decode(sealed).unwrap_or_default();
    let plain = open_with_key(key, &sealed).unwrap_or_default();
    let plain: Value = serde_json::from_slice(&plain).unwrap_or_default();
    let either = |short: &str, long: &str| text(plain.get(long).unwrap_or(&plain[short])).to_owned();
    (either("s", "ssid"), either("p", "pwd"))
}

fn plain_of(base64: &str) -> String {
    String::from_utf8_lossy(&STANDARD.decode(base64).unwrap_or_default()).into_owned()
}

fn retained(stream: &mut ServerStream, book: &Book) -> Result<()> {
    mqtt::write(stream, &mqtt::subscribed())?;
    let received = book.received();
    let reports = received.iter().filter(|received| received.host == DEVICES.name);
    let last: BTreeMap<&str, &[u8]> = reports.map(|report| (report.what.as_str(), report.body.as_slice())).collect();
    for (topic, report) in last {
        mqtt::write(stream, &mqtt::publish(topic, report))?;
    }
    Ok(())
}

fn report(book: &Book, packet: &mqtt::Packet) {
    if let Some((topic, payload)) = mqtt::published(packet) {
        let what = String::from_utf8_lossy(topic).into_owned();
        book.note(Received { host: DEVICES.name, what, body: payload.to_vec() });
    }
}

fn answer(body: &Value) -> HttpMessage {
    let answer = HttpMessage::new("HTTP/1.1 200 OK").header("Server", "example-gateway");
    answer.with("application/json", body.to_string())
}

fn json_of(request: &HttpMessage) -> Result<Value> {
    Ok(serde_json::from_slice(&request.decoded()?).unwrap_or_default())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The fields of a form with their escapes undone.
fn form_of(request: &HttpMessage) -> Result<BTreeMap<String, String>> {
    let body = String::from_utf8_lossy(&request.decoded()?).into_owned();
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    Ok(fields.map(|(name, value)| (name.to_owned(), value.replace("%2B", "+").replace("%40", "@"))).collect())
}

fn value<'a>(form: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    form.get(name).map_or("", String::as_str)
}
