//! What passes: small JSON messages, long noise, and the values that stand in them.

use crate::random::Random;
use sha2::{Digest as _, Sha256};

/// Values that are searched for.
pub(super) const VALUES: usize = 100;
/// Bytes of a small message.
const SMALL: usize = 1024;
/// Bytes of a long body.
pub(super) const LONG: usize = 100_000_000;
/// Long bodies are repetitions of this, with a value once in the middle.
pub(super) const PIECE: usize = 64 << 10;
/// One small message in so many has a value, in the runs whose results are compared.
pub(super) const EACH: usize = 50;

/// The values and the noise around them; the same everywhere.
pub(super) struct Content {
    pub(super) values: Vec<String>,
    piece: Vec<u8>,
}

impl Content {
    pub(super) fn new() -> Self {
        let mut random = Random::new(11);
        let values = (0..VALUES).map(|_| format!("Plum-{:016x}", random.next())).collect();
        Self { values, piece: random.bytes(PIECE) }
    }

    /// The small message of that number, with a value or without.
    pub(super) fn small(&self, number: usize, has_value: bool) -> Vec<u8> {
        const WORDS: [&str; 8] = ["power", "ambient", "session", "update", "battery", "signal", "online", "schedule"];
        let mut random = Random::new(number as u64);
        let value = if has_value { self.values[number % VALUES].as_str() } else { "none" };
        let mut text = format!("{{\"sequence\":{number},\"note\":\"{value}\",\"events\":[");
        while text.len() < SMALL - 80 {
            let (word, at, reading) = (WORDS[random.below(8)], random.below(1 << 31), random.below(1000));
            let (whole, tenth) = (reading / 10, reading % 10);
            text.extend(["{\"name\":\"", word, "\",\"at\":"]);
            text.extend([&at.to_string(), ",\"value\":", &whole.to_string(), ".", &tenth.to_string(), "},"]);
        }
        text += "{}],\"pad\":\"";
        text += &"-".repeat((SMALL - 2).saturating_sub(text.len()));
        (text + "\"}").into_bytes()
    }

    /// The pieces of a long body.
    pub(super) fn long(&self, has_value: bool) -> impl Iterator<Item = Vec<u8>> {
        let pieces = LONG / PIECE;
        (0..pieces).map(move |number| {
            let mut piece = self.piece.clone();
            // No two are alike, so that nothing is found by looking at the first alone.
            piece[..8].copy_from_slice(&(number as u64).to_be_bytes());
            if has_value && number == pieces / 2 {
                piece[100..100 + self.values[7].len()].copy_from_slice(self.values[7].as_bytes());
            }
            piece
        })
    }

    /// Bytes of a long body.
    pub(super) fn long_length() -> usize {
        LONG / PIECE * PIECE
    }

    /// The SHA-256 of a long body.
    pub(super) fn digest(&self, has_value: bool) -> Vec<u8> {
        let mut hash = Sha256::new();
        self.long(has_value).for_each(|piece| hash.update(piece));
        hash.finalize().to_vec()
    }
}
