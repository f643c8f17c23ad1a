//! Traffic that holds none of the planted values: other people's values of the same kinds in the
//! same wrappings, and noise.

use super::carrier::{Carried, Carrier};
use super::chains;
use super::piece::Piece;
use super::values::{Value, subject};
use crate::random::Random;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// Gives messages for ever.
pub(crate) struct Background {
    random: Random,
    planted: Vec<String>,
    waiting: Vec<Piece>,
}

impl Background {
    /// Of anybody but this person.
    pub(crate) fn new(seed: u64, planted: &[Value]) -> Self {
        let planted = planted.iter().map(|value| value.text.clone()).collect();
        Self { random: Random::new(seed), planted, waiting: Vec::new() }
    }

    /// The next message: three in four hold somebody's value, one holds noise.
    pub(crate) fn next(&mut self) -> Carried {
        loop {
            let piece = if self.random.once_in(4) { noise(&mut self.random) } else { self.value() };
            let carrier = Carrier::ALL[self.random.below(Carrier::ALL.len())];
            if let Some(carried) = carrier.carry(&piece, &mut self.random) {
                return carried;
            }
        }
    }

    fn value(&mut self) -> Piece {
        loop {
            if let Some(piece) = self.waiting.pop() {
                return piece;
            }
            let person = subject(&mut self.random);
            let others = person.iter().filter(|value| !self.planted.contains(&value.text));
            self.waiting = others.flat_map(|value| chains::all(value, &person)).map(|wrapped| wrapped.piece).collect();
        }
    }
}

/// Random bytes, base64, hex, numbers, JSON or text of one to four kilobytes.
fn noise(random: &mut Random) -> Piece {
    let length = random.between(1000, 4000);
    Piece::of(match random.below(6) {
        0 => random.bytes(length),
        1 => STANDARD.encode(random.bytes(length)).into_bytes(),
        2 => random.text(length, b"0123456789abcdef").into_bytes(),
        3 => random.text(length, b"0123456789").into_bytes(),
        4 => json(length, random).into_bytes(),
        _ => random.text(length, b"etaoin shrdlu cmfwyp vbgkqj").into_bytes(),
    })
}

fn json(length: usize, random: &mut Random) -> String {
    let mut text = String::from("[");
    while text.len() < length {
        let (id, number, word) = (random.next(), random.below(100_000), random.text(7, b"etaoinshrdlu"));
        let _ = write!(text, "{{\"id\":\"{id:016x}\",\"n\":{number},\"name\":\"{word}\"}},");
    }
    text.push_str("null]");
    text
}

/// A request as any app sends them: identifiers, times, counts and codes, all random.
pub(crate) fn ordinary_request(random: &mut Random) -> Carried {
    let mut text = String::from("{");
    for name in ["ts", "seq", "build", "width", "height", "free", "used", "code", "lat", "total"] {
        let digits = random.between(1, 14);
        let _ = write!(text, "\"{name}\":{},", random.below(10_usize.pow(digits as u32)));
    }
    for name in ["sid", "nonce", "trace"] {
        let _ = write!(text, "\"{name}\":\"{:016x}{:016x}\",", random.next(), random.next());
    }
    let token = STANDARD.encode(random.bytes(48));
    let _ = write!(text, "\"token\":\"{token}\",\"code\":\"{}\"}}", random.text(6, b"0123456789"));
    let piece = Piece::of(text);
    let carrier = if random.once_in(2) { Carrier::Body } else { Carrier::Form };
    let message = carrier.carry(&piece, random).or_else(|| Carrier::Body.carry(&piece, random));
    message.unwrap_or_else(|| unreachable!("a body carries any bytes"))
}
