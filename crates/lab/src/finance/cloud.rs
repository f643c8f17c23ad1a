//! The maker's servers: the app's interface, support, the pictures that the app shows, and statistics.

use super::multipart;
use crate::gallery;
use crate::http::HttpMessage;
use crate::plan::{FINANCE, SUPPORT, TRACK};
use crate::server::{Answer, Book, path_of};
use crate::truth::Arrived;
use serde_json::{Value, json};
use std::io::{Error, Result};

/// The app's own interface.
///
/// # Errors
/// What arrived cannot be written down.
pub fn api(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let body: Value = serde_json::from_slice(&request.decoded()?).unwrap_or_default();
    let phone = body["phone"].as_str().unwrap_or_default();
    book.arrived(FINANCE.name, request, "phone", Arrived::Plain, phone)?;
    Ok(answer(&json!({"state": "ok"})))
}

/// Questions with pictures.
///
/// # Errors
/// What arrived cannot be written down.
pub fn support(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let body = request.decoded()?;
    let picture = multipart::picture(&body).unwrap_or_default();
    book.arrived(SUPPORT.name, request, "photo", Arrived::Plain, picture)?;
    Ok(answer(&json!({"ticket": 40_117})))
}

/// What the app shows of its own.
///
/// # Errors
/// A picture could not be encoded.
pub fn content(request: &HttpMessage, _book: &Book) -> Result<Answer> {
    let picture = gallery::content(path_of(request)).map_err(|error| Error::other(error.to_string()))?;
    Ok(match picture {
        Some(picture) => HttpMessage::new("HTTP/1.1 200 OK").with(multipart::kind_of(&picture), picture).into(),
        None => HttpMessage::new("HTTP/1.1 404 Not Found").into(),
    })
}

/// Statistics, and whatever the app sends with them. A picture is known by the name of the app's copy.
///
/// # Errors
/// What arrived cannot be written down.
pub fn track(request: &HttpMessage, book: &Book) -> Result<Answer> {
    let body: Value = serde_json::from_slice(&request.decoded()?).unwrap_or_default();
    if body["d"].is_string() {
        book.arrived(TRACK.name, request, "photo", Arrived::Smaller, body["id"].as_str().unwrap_or_default())?;
    }
    Ok(HttpMessage::new("HTTP/1.1 204 No Content").into())
}

fn answer(body: &Value) -> Answer {
    HttpMessage::new("HTTP/1.1 200 OK").with("application/json", body.to_string()).into()
}
