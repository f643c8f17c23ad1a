//! Bodies as HAR files hold them: text, base64, or the fields of a form.

use super::{base64, json::Json};
use crate::layer::Limits;
use dyetrace_case::{Blob, BlobWriter};

/// The body of a `request` and how many of its bytes a limit dropped.
pub(super) fn request(json: &Json<'_>, limits: &Limits) -> (Option<Blob>, u64) {
    // HTTP Toolkit puts bodies that are no text into `_content`.
    let data = json.first(&["postData", "_content", "content"]);
    let Some(data) = data else { return (None, 0) };
    let form = || {
        let params = data.get("params").map_or(&[][..], Json::items);
        (!params.is_empty()).then(|| form(params, data.get("mimeType").and_then(Json::scalar).unwrap_or_default()))
    };
    let text = content(data).filter(|text| !text.is_empty());
    // Chrome writes an empty postData for some requests without a body: an empty text counts as a
    // body only where the request says that it has one of no bytes.
    let empty = || data.get("text").and_then(Json::bytes).filter(|text| text.is_empty()).map(<[u8]>::to_vec);
    let size = json.get("bodySize").and_then(Json::number);
    let empty = || if size.is_some_and(|size| size > 0.0) { None } else { empty() };
    blob(text.or_else(form).or_else(empty), limits)
}

/// The body of a `response` and how many of its bytes a limit dropped. A content of some size
/// without text was left out by the recorder: that is absent, not empty.
pub(super) fn response(json: &Json<'_>, limits: &Limits) -> (Option<Blob>, u64) {
    let Some(data) = json.get("content") else { return (None, 0) };
    let left_out = data.get("size").and_then(Json::number).is_some_and(|size| size > 0.0);
    blob(content(data).filter(|text| !text.is_empty() || !left_out), limits)
}

/// The data of a WebSocket message; that of a binary one is base64.
pub(super) fn websocket(data: &[u8], opcode: u8, limits: &Limits) -> (Blob, u64) {
    let decoded = if opcode == 1 { None } else { base64::decode(data) };
    write(&decoded.unwrap_or_else(|| data.to_vec()), limits)
}

fn blob(bytes: Option<Vec<u8>>, limits: &Limits) -> (Option<Blob>, u64) {
    match bytes {
        Some(bytes) => {
            let (blob, cut) = write(&bytes, limits);
            (Some(blob), cut)
        }
        None => (None, 0),
    }
}

fn write(bytes: &[u8], limits: &Limits) -> (Blob, u64) {
    let mut writer = BlobWriter::new(limits.body);
    writer.push(bytes);
    let dropped = writer.dropped();
    (writer.finish(), dropped)
}

/// `text` under its `encoding`. Text that claims to be base64 and is not stays as it is.
fn content(data: &Json<'_>) -> Option<Vec<u8>> {
    let text = data.get("text")?.scalar()?;
    let encoding = data.first(&["encoding", "_encoding"]).and_then(Json::scalar).unwrap_or_default();
    if !encoding.eq_ignore_ascii_case(b"base64") {
        return Some(text.to_vec());
    }
    // A text that is cut off may end within a byte.
    let without_last = || base64::decode(text.split_last()?.1);
    Some(base64::decode(text).or_else(without_last).unwrap_or_else(|| text.to_vec()))
}

/// A form put together again from its fields, because the recorder left out the text.
fn form(params: &[Json<'_>], media_type: &[u8]) -> Vec<u8> {
    let media_type = String::from_utf8_lossy(media_type);
    match media_type.split_once("boundary=") {
        Some((_, boundary)) => multipart(params, boundary.split(';').next().unwrap_or_default().trim_matches('"')),
        None => params.iter().map(|param| pair(param)).collect::<Vec<_>>().join(&b'&'),
    }
}

fn field<'p>(param: &'p Json<'_>, name: &str) -> &'p [u8] {
    param.get(name).and_then(Json::scalar).unwrap_or_default()
}

fn pair(param: &Json<'_>) -> Vec<u8> {
    let mut pair = percent_encoded(field(param, "name"));
    pair.push(b'=');
    pair.extend(percent_encoded(field(param, "value")));
    pair
}

/// Leaves what is percent-encoded already (as Chrome writes it) alone.
fn percent_encoded(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        let escape = || bytes.get(index + 1..index + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        match byte {
            b'%' if escape() => encoded.push(b'%'),
            b' ' => encoded.push(b'+'),
            b'&' | b'=' | b'+' | b'%' | b'#' | 0..=31 | 127..=255 => {
                encoded.extend(format!("%{byte:02X}").into_bytes());
            }
            _ => encoded.push(*byte),
        }
    }
    encoded
}

fn multipart(params: &[Json<'_>], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for param in params {
        body.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"").into_bytes());
        body.extend_from_slice(field(param, "name"));
        if let Some(file) = param.get("fileName").and_then(Json::scalar) {
            body.extend_from_slice(b"\"; filename=\"");
            body.extend_from_slice(file);
        }
        body.extend_from_slice(b"\"\r\n\r\n");
        body.extend_from_slice(field(param, "value"));
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    body
}
