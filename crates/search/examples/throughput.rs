//! Prints how many megabytes per CPU second one thread searches in bodies of several kinds.
//!
//! `cargo run --release -p dyetrace-search --example throughput [-- KIND]`

#![allow(clippy::print_stdout, reason = "an example that speaks to a terminal")]

use dyetrace_case::{Blob, Channel, Endpoint, ExhibitId, Message, Protocol, Record, RecordId, Secret, Subject};
use dyetrace_search::{Options, Scanner, Scratch};
use std::fmt::Write as _;

const BODY: usize = 4 << 20;
const REPEAT: usize = 10;

/// Numbers without pattern (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", `SplitMix64`).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn word(&mut self) -> String {
        let length = 3 + self.next() % 9;
        (0..length).map(|_| char::from(b'a' + (self.next() % 26) as u8)).collect()
    }
}

fn subject(short: bool) -> Subject {
    let mut subject = Subject::default();
    let mut noise = Noise(7);
    let kinds = ["phone", "email", "imei", "device.mac", "wifi.password", "wifi.ssid", "name", "card", "id.cn", "gps"];
    for kind in kinds.into_iter().chain(kinds) {
        let number = noise.next();
        let value = match kind {
            "phone" => format!("138{:08}", number % 100_000_000),
            "email" => format!("{}.{}@example.com", noise.word(), number % 1000),
            "imei" | "card" => format!("{:015}", number % 1_000_000_000_000_000),
            "device.mac" => {
                format!("02:00:5e:{:02x}:{:02x}:{:02x}", number & 255, number >> 8 & 255, number >> 16 & 255)
            }
            "gps" => format!("31.{:07},121.{:07}", number % 10_000_000, (number >> 32) % 10_000_000),
            "id.cn" => format!("11010119900101{:03}X", number % 1000),
            _ => format!("{}{number:x}", noise.word()),
        };
        let Ok(kind) = kind.parse() else { continue };
        subject.add(kind, Secret::new(value));
    }
    if short && let Ok(kind) = "pin".parse() {
        subject.add(kind, Secret::new("4821"));
    }
    subject
}

fn json(noise: &mut Noise) -> Vec<u8> {
    let mut text = String::from("{\"events\":[");
    while text.len() < BODY {
        let (a, b, c) = (noise.next(), noise.next(), noise.next());
        let (word, other) = (noise.word(), noise.word());
        let _ = write!(
            text,
            "{{\"event_name\":\"{word}_{other}\",\"timestamp\":{},\"session_id\":\"{a:016x}\",\"properties\":{{\"screen_width\":{},\"ratio\":0.{},\"url\":\"https://{other}.example/{word}?v={}\",\"enabled\":true,\"label\":\"{word} {other}\"}}}},",
            1_600_000_000_000 + a % 1_000_000_000,
            b % 2000,
            b % 100_000,
            c % 100,
        );
    }
    text.push_str("null]}");
    text.into_bytes()
}

fn text(noise: &mut Noise) -> Vec<u8> {
    let mut text = String::new();
    while text.len() < BODY {
        let _ = write!(text, "{} ", noise.word());
    }
    text.into_bytes()
}

fn binary(noise: &mut Noise) -> Vec<u8> {
    (0..BODY / 8).flat_map(|_| noise.next().to_le_bytes()).collect()
}

fn form(noise: &mut Noise) -> Vec<u8> {
    let mut text = String::new();
    while text.len() < BODY {
        let _ = write!(text, "{}={}%20{}&", noise.word(), noise.word(), noise.next());
    }
    text.into_bytes()
}

fn base64(noise: &mut Noise) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = b"{\"blob\":\"".to_vec();
    text.extend((0..BODY).map(|_| letters[(noise.next() % 64) as usize]));
    text.extend_from_slice(b"\"}");
    text
}

fn record(body: Vec<u8>) -> Record {
    Record {
        id: RecordId("throughput".to_owned()),
        exhibit: ExhibitId([0; 32]),
        protocol: Protocol::Http11,
        time: None,
        client: Endpoint::default(),
        server: Endpoint::default(),
        channel: Channel::clear(),
        app: None,
        request: Some(Message { body: Some(Blob::from(body)), ..Message::default() }),
        response: None,
        flags: Vec::new(),
    }
}

fn measure(name: &str, scanner: &Scanner, body: Vec<u8>) {
    if std::env::args().nth(1).is_some_and(|only| only != name) {
        return;
    }
    let record = record(body);
    let bytes = record.content_bytes() as f64;
    let mut scratch = Scratch::default();
    let mut best = f64::INFINITY;
    let mut sightings = 0;
    for _ in 0..REPEAT {
        let start = cpu_seconds();
        let outcome = scanner.search(&record, &mut scratch);
        best = best.min(cpu_seconds() - start);
        sightings = outcome.sightings.len();
    }
    let (speed, each) = (bytes / best / 1e6, best * 1e9 / bytes);
    println!("{name:24} {speed:8.0} MB/CPU s {each:6.2} ns/byte  {sightings} sightings");
}

/// Time this thread has run, from Linux: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn main() {
    let mut noise = Noise(1);
    for short in [false, true] {
        let subject = subject(short);
        let scanner = Scanner::new(&subject, Options::default());
        println!("{} values, {} needles", subject.data.len(), scanner.needle_count());
        measure("json", &scanner, json(&mut noise));
        measure("text", &scanner, text(&mut noise));
        measure("binary", &scanner, binary(&mut noise));
        measure("form", &scanner, form(&mut noise));
        measure("base64 in json", &scanner, base64(&mut noise));
        measure("zeros", &scanner, vec![0; BODY]);
    }
}
