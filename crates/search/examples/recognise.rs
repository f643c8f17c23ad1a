//! Prints how many megabytes per CPU second one thread looks through for personal data nobody planted.
//!
//! `cargo run --release -p dyetrace-search --example recognise`

#![allow(clippy::print_stdout, reason = "an example that speaks to a terminal")]

use dyetrace_search::{RecogniseOptions, fuzzing};
use std::fmt::Write as _;

/// Pseudorandom numbers (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn word(&mut self) -> String {
        (0..3 + self.next() % 9).map(|_| char::from(b'a' + (self.next() % 26) as u8)).collect()
    }
}

fn events(noise: &mut Noise, size: usize) -> String {
    let mut text = String::from("{\"events\":[");
    while text.len() < size {
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
    text
}

/// Often enough for a clock that moves in steps of some milliseconds.
const REPEAT: u32 = 40;

/// Time this thread has run, from Linux: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn main() {
    let noise = &mut Noise(1);
    let prose: String = std::iter::from_fn(|| Some(noise.word() + " ")).take(500_000).collect();
    let digits: String = (0..400_000).map(|_| (noise.next() % 1_000_000_000).to_string() + ",").collect();
    let base64: Vec<u8> = (0..4 << 20)
        .map(|_| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(noise.next() % 64) as usize])
        .collect();
    let binary: Vec<u8> = (0..4 << 20).map(|_| noise.next() as u8).collect();
    let inputs = [
        ("json", events(noise, 4 << 20).into_bytes()),
        ("prose", prose.into_bytes()),
        ("digits", digits.into_bytes()),
        ("base64", base64),
        ("binary", binary),
        ("eyJ.", b"eyJ.".repeat(1 << 20)),
        ("@a.bc", b"@a.bc".repeat(1 << 20)),
        ("1-1-1", b"1-".repeat(2 << 20)),
        ("+1-1-", b"+1-1".repeat(1 << 20)),
        ("GB29", b"GB29NWBK6016133192".repeat(1 << 18)),
        ("$6$a", b"$6$a".repeat(1 << 20)),
        ("imei=", b"imei=".repeat(1 << 20)),
    ];
    for (name, bytes) in inputs {
        let mut hits = 0;
        let start = cpu_seconds();
        for _ in 0..REPEAT {
            hits = fuzzing::recognise(&bytes, None, RecogniseOptions::default()).len();
        }
        let each = (cpu_seconds() - start) / f64::from(REPEAT);
        println!("{name:8} {:6.0} MB/CPU s {hits:7} hits", bytes.len() as f64 / each / 1e6);
    }
}
