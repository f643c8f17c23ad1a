//! Requests and answers: JSON, compressed, chunked and binary bodies in the mix of an app's traffic.

use crate::expected::Request;
use crate::random::Random;
use crate::values::{gzip, hex};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Json,
    Gzip,
    Chunked,
    Binary,
}

/// A request as it is sent, and what a reader has to say about it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Head and body.
    pub(crate) bytes: Vec<u8>,
    /// Method, host, path and the decoded body's digest.
    pub(crate) request: Request,
}

/// The request of that number; `planted` is text to put inside a JSON string of its body.
pub(crate) fn request(number: usize, host: &str, planted: Option<&str>, random: &mut Random) -> Sent {
    let shape = match random.below(10) {
        0..3 => Shape::Json,
        3..6 => Shape::Gzip,
        6..8 => Shape::Chunked,
        // Only text has strings to plant in.
        _ if planted.is_some() => Shape::Json,
        _ => Shape::Binary,
    };
    let body = match shape {
        Shape::Binary => random.between(10_000, 56_000),
        Shape::Gzip => random.between(15_000, 75_000),
        Shape::Json | Shape::Chunked => random.between(4_000, 30_000),
    };
    let body = if shape == Shape::Binary { random.bytes(body) } else { document(body, planted, random) };
    let path = format!("/v3/{}/{number}?sid={:016x}", NAMES[random.below(NAMES.len())], random.next());
    let bytes = assemble(shape, host, &path, &body, random);
    let sha256 = hex(&Sha256::digest(&body));
    let request = Request { method: "POST".into(), host: host.into(), path, bytes: body.len(), sha256 };
    Sent { bytes, request }
}

/// A short answer.
pub(crate) fn answer(random: &mut Random) -> Vec<u8> {
    let length = random.between(60, 1500);
    let body = document(length, None, random);
    let mut bytes = head("HTTP/1.1 200 OK", &["Content-Type: application/json", &length_of(&body)]);
    bytes.extend(body);
    bytes
}

fn assemble(shape: Shape, host: &str, path: &str, body: &[u8], random: &mut Random) -> Vec<u8> {
    let host = format!("Host: {host}");
    let agent = "User-Agent: ExampleApp/5.2 (Android 14)";
    let kind = match shape {
        Shape::Binary => "Content-Type: application/octet-stream",
        _ => "Content-Type: application/json; charset=utf-8",
    };
    let start = format!("POST {path} HTTP/1.1");
    let (framing, payload) = match shape {
        Shape::Json | Shape::Binary => (length_of(body), body.to_vec()),
        Shape::Gzip => {
            let payload = gzip(body);
            (format!("Content-Encoding: gzip\r\n{}", length_of(&payload)), payload)
        }
        Shape::Chunked => ("Transfer-Encoding: chunked".to_owned(), chunked(body, random)),
    };
    let mut bytes = head(&start, &[&host, agent, kind, &framing]);
    bytes.extend(payload);
    bytes
}

fn length_of(body: &[u8]) -> String {
    format!("Content-Length: {}", body.len())
}

fn head(start: &str, headers: &[&str]) -> Vec<u8> {
    format!("{start}\r\n{}\r\n\r\n", headers.join("\r\n")).into_bytes()
}

fn chunked(mut body: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 256);
    while !body.is_empty() {
        let (chunk, rest) = body.split_at(random.between(1000, 9000).min(body.len()));
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
        body = rest;
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// A JSON document of about that many bytes, the planted text somewhere in its middle.
fn document(length: usize, planted: Option<&str>, random: &mut Random) -> Vec<u8> {
    let mut text = String::with_capacity(length + 512);
    let mut planted = planted;
    text.push_str("{\"events\":[");
    loop {
        event(&mut text, random);
        if let Some(planted) = planted.take_if(|_| text.len() > length / 2) {
            let _ = write!(text, ",{{\"extra\":\"{planted}\"}}");
        }
        if text.len() >= length {
            text.push_str("]}");
            return text.into_bytes();
        }
        text.push(',');
    }
}

fn event(text: &mut String, random: &mut Random) {
    let name = NAMES[random.below(NAMES.len())];
    let (id, time, small) = (random.next(), 1_700_000_000_000 + random.below(1_000_000_000), random.below(1000));
    let _ = write!(text, "{{\"id\":\"{id:016x}\",\"t\":{time},\"name\":\"{name}\",\"n\":{small},\"text\":\"");
    for _ in 0..random.between(3, 16) {
        text.push_str(WORDS[random.below(WORDS.len())]);
        text.push(' ');
    }
    let _ = write!(text, "\",\"ok\":{}}}", small % 3 == 0);
}

const NAMES: [&str; 8] = ["events", "upload", "sync", "profile", "device", "crash", "screen", "metrics"];
const WORDS: [&str; 24] = [
    "plumber", "drain", "water", "colour", "kettle", "window", "morning", "station", "paper", "lantern", "harbour",
    "ticket", "garden", "engine", "silver", "mountain", "letter", "pocket", "winter", "orange", "bridge", "market",
    "signal", "river",
];
