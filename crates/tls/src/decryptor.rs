//! What is shared by all connections: the secrets, and the sessions that may be resumed.

use crate::hash::Hash;
use crate::secrets::Secrets;
use std::collections::{HashMap, VecDeque};

/// Sessions that are remembered; the oldest is forgotten first.
const MOST_SESSIONS: usize = 65_536;

/// Secrets, and what is remembered across connections (sessions by id and ticket).
#[derive(Default)]
pub struct Decryptor {
    /// The secrets at hand. More may be loaded at any time.
    pub secrets: Secrets,
    sessions: HashMap<[u8; 32], Vec<u8>>,
    order: VecDeque<[u8; 32]>,
    matched: u64,
}

impl Decryptor {
    /// How many connections found a secret of theirs: by client random in a key log, by session
    /// id, by ticket, by private or pre-shared key.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    pub(crate) fn count_match(&mut self) {
        self.matched += 1;
    }

    /// Keeps the master secret of a session under its id or ticket.
    pub(crate) fn remember(&mut self, name: &[u8], master: &[u8]) {
        let Some(name) = short(name) else { return };
        if self.sessions.insert(name, master.to_vec()).is_some() {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > MOST_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.sessions.remove(&oldest);
        }
    }

    /// The master secret kept under a session's id or ticket.
    pub(crate) fn recall(&self, name: &[u8]) -> Option<&[u8]> {
        self.sessions.get(&short(name)?).map(Vec::as_slice)
    }
}

/// Tickets are long, their digests are not.
fn short(name: &[u8]) -> Option<[u8; 32]> {
    if name.is_empty() { None } else { Hash::Sha256.digest(&[name]).try_into().ok() }
}
