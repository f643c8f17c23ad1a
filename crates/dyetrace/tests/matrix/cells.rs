//! The rows of the matrix: what apps do, each with a planted value of its own.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::OnceLock;

/// Bytes of a long body: 100 MB where the programs are optimised. Unoptimised search takes minutes for that.
pub(crate) const LONG: usize = if cfg!(debug_assertions) { 1_300_000 } else { 100_000_000 };
/// Where in a long body the value stands: behind what a guard holds back as a whole.
const IN_LONG: usize = 1_200_000;

/// Something that apps do.
#[derive(Debug)]
pub(crate) struct Cell {
    /// What, and its name in paths and topics.
    pub(crate) name: &'static str,
    pub(crate) doing: Doing,
    pub(crate) protection: Protection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// The value is in the address, and in the answer.
    Get(Http),
    /// The value is in the body, and in the answer.
    Post(Http),
    /// POST to a server that has no name.
    PostToAddress,
    /// POST by an app that accepts its server's own certificate only.
    PostPinned,
    /// The value is published, and comes back.
    Mqtt,
    /// The server greets, the client logs in with the value, the server confirms it.
    ServerFirst,
    /// A message each way.
    WebSocket {
        deflated: bool,
    },
    LongPost,
    LongAnswer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Tls,
    Clear,
}

pub(crate) const CELLS: &[Cell] = &[
    cell("h1-get", Doing::Get(Http::One), Protection::Tls),
    cell("h1-post", Doing::Post(Http::One), Protection::Tls),
    cell("h2-get", Doing::Get(Http::Two), Protection::Tls),
    cell("h2-post", Doing::Post(Http::Two), Protection::Tls),
    cell("clear-get", Doing::Get(Http::One), Protection::Clear),
    cell("clear-post", Doing::Post(Http::One), Protection::Clear),
    cell("ip-literal", Doing::PostToAddress, Protection::Tls),
    cell("mqtt-tls", Doing::Mqtt, Protection::Tls),
    cell("mqtt-clear", Doing::Mqtt, Protection::Clear),
    cell("server-first", Doing::ServerFirst, Protection::Clear),
    cell("pinned", Doing::PostPinned, Protection::Tls),
    cell("websocket-tls", Doing::WebSocket { deflated: false }, Protection::Tls),
    cell("websocket-clear", Doing::WebSocket { deflated: false }, Protection::Clear),
    cell("websocket-deflated", Doing::WebSocket { deflated: true }, Protection::Tls),
    cell("long-up", Doing::LongPost, Protection::Tls),
    cell("long-down", Doing::LongAnswer, Protection::Tls),
];

const fn cell(name: &'static str, doing: Doing, protection: Protection) -> Cell {
    Cell { name, doing, protection }
}

impl Cell {
    /// The value that is planted for this cell alone.
    pub(crate) fn value(&self) -> String {
        let digest = Sha256::digest(self.name);
        digest.iter().take(9).fold("Plum-".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    /// Its kind, by which reports call it.
    pub(crate) fn kind(&self) -> String {
        format!("cell.{}", self.name)
    }

    /// Whether anybody between the phone and the server can read it.
    pub(crate) fn is_readable(&self) -> bool {
        self.doing != Doing::PostPinned
    }

    /// Whether the client sends the value; else only the server does.
    pub(crate) fn sends(&self) -> bool {
        self.doing != Doing::LongAnswer
    }

    /// Whether the server sends the value.
    pub(crate) fn gets(&self) -> bool {
        self.doing != Doing::LongPost
    }
}

/// One time that the phone does it: with the value in what it sends, or without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) cell: &'static Cell,
    pub(crate) plants: bool,
}

impl Turn {
    /// The path, the topic or the user's name by which the server knows it.
    pub(crate) fn key(self) -> String {
        format!("{}-{}", self.cell.name, if self.plants { "planted" } else { "clean" })
    }

    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let (name, how) = key.rsplit_once('-')?;
        let cell = CELLS.iter().find(|cell| cell.name == name)?;
        Some(Self { cell, plants: how == "planted" })
    }

    /// What the phone sends.
    pub(crate) fn up(self) -> Vec<u8> {
        let value = if self.plants && self.cell.sends() { self.cell.value() } else { "nothing".to_owned() };
        match self.cell.doing {
            Doing::Get(_) => format!("/{}?p={value}&model=plug", self.key()).into_bytes(),
            Doing::LongPost => long(&value),
            _ => format!("{{\"p\":\"{value}\",\"model\":\"plug\"}}").into_bytes(),
        }
    }

    /// What the server answers.
    pub(crate) fn down(self) -> Vec<u8> {
        let value = if self.cell.gets() { self.cell.value() } else { "nothing".to_owned() };
        match self.cell.doing {
            Doing::LongAnswer => long(&value),
            _ => format!("{{\"known\":\"{value}\"}}").into_bytes(),
        }
    }
}

/// Noise with a text within it.
fn long(text: &str) -> Vec<u8> {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    let noise = NOISE.get_or_init(|| {
        // xorshift64 (Marsaglia 2003).
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        words.take(LONG / 8).flatten().collect()
    });
    let mut out = noise.clone();
    out[IN_LONG..IN_LONG + text.len()].copy_from_slice(text.as_bytes());
    out
}
