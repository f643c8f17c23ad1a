//! The secrets at hand, and how they are found again.

use crate::key_log::{self, Label, Line};
use crate::rsa::{self, RsaKey};
use std::collections::HashMap;

/// Secrets with one label for one connection that are kept; logs of faulty random generators name
/// several.
const MOST_PER_LABEL: usize = 8;
/// Private keys tried on one handshake.
const MOST_KEYS_TRIED: usize = 16;

/// All secrets at hand: key logs, RSA private keys, pre-shared keys.
#[derive(Default)]
pub struct Secrets {
    connections: HashMap<[u8; 32], Vec<(Label, Vec<u8>)>>,
    sessions: HashMap<Vec<u8>, Vec<u8>>,
    premasters: HashMap<[u8; 8], Vec<u8>>,
    private_keys: Vec<RsaKey>,
    pre_shared: Vec<(Option<Vec<u8>>, Vec<u8>)>,
    count: usize,
    has_premaster: bool,
}

/// What a key file gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Secrets that were new.
    pub secrets: usize,
    /// Lines that are neither comments nor known labels, and keys that could not be read (encrypted
    /// or not RSA); they are skipped.
    pub skipped: usize,
}

impl Secrets {
    /// Reads an NSS key log (lenient), or PEM with RSA private keys (PKCS#1 or PKCS#8, several in
    /// one file), told by content.
    ///
    /// Key logs may also hold `PSK <identity in hex, or *> <key in hex>` lines. Secrets that are
    /// known already are not counted again.
    pub fn load(&mut self, bytes: &[u8]) -> Loaded {
        let narrow;
        let bytes = match bytes {
            // Redirection in PowerShell writes UTF-16.
            [0xff, 0xfe, rest @ ..] => {
                narrow = rest.iter().step_by(2).copied().collect::<Vec<_>>();
                &narrow
            }
            [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            _ => bytes,
        };
        let before = self.count;
        let skipped = if is_pem(bytes) { self.load_pem(bytes) } else { self.load_log(bytes) };
        Loaded { secrets: self.count - before, skipped }
    }

    /// How many secrets there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Secrets of a connection, with their labels.
    pub(crate) fn of_connection(&self, random: &[u8; 32]) -> &[(Label, Vec<u8>)] {
        self.connections.get(random).map_or(&[], Vec::as_slice)
    }

    /// Master secret of a session, from a key log.
    pub(crate) fn of_session(&self, session: &[u8]) -> Option<&[u8]> {
        self.sessions.get(session).map(Vec::as_slice)
    }

    /// True where a premaster secret could be found from the handshake's messages.
    pub(crate) fn may_open_key_exchange(&self) -> bool {
        !self.private_keys.is_empty()
            || !self.pre_shared.is_empty()
            || !self.premasters.is_empty()
            || self.has_premaster
    }

    /// Premaster secrets that an RSA-encrypted one may stand for. The key whose modulus is in the
    /// certificate is the one; without a certificate all of fitting length are tried.
    pub(crate) fn decrypt(&self, encrypted: &[u8], certificate: Option<&[u8]>) -> Vec<Vec<u8>> {
        let logged = encrypted.first_chunk().and_then(|start| self.premasters.get(start)).cloned();
        let fitting = self.private_keys.iter().filter(|key| key.modulus().len() == encrypted.len());
        let named = fitting.clone().filter(|key| certificate.is_some_and(|it| contains(it, key.modulus())));
        let mut keys: Vec<_> = named.take(1).collect();
        if keys.is_empty() {
            keys = fitting.take(MOST_KEYS_TRIED).collect();
        }
        let decrypted = keys.into_iter().filter_map(|key| key.decrypt(encrypted)).filter(|plain| plain.len() == 48);
        logged.into_iter().chain(decrypted).collect()
    }

    /// Pre-shared keys for an identity.
    pub(crate) fn pre_shared(&self, identity: &[u8]) -> Vec<Vec<u8>> {
        let fits = |it: &Option<Vec<u8>>| it.as_deref().is_none_or(|known| known == identity);
        let keys = self.pre_shared.iter().filter(|(it, _)| fits(it));
        keys.take(MOST_KEYS_TRIED).map(|(_, key)| key.clone()).collect()
    }

    fn load_pem(&mut self, bytes: &[u8]) -> usize {
        let (keys, skipped) = rsa::private_keys(bytes);
        for key in keys {
            if self.private_keys.iter().all(|known| known.modulus() != key.modulus()) {
                self.private_keys.push(key);
                self.count += 1;
            }
        }
        skipped
    }

    fn load_log(&mut self, bytes: &[u8]) -> usize {
        let mut skipped = 0;
        // A carriage return alone ends lines too: they were once written on classic Mac OS.
        for text in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
            match key_log::line(text) {
                Ok(Some(line)) => self.count += usize::from(self.keep(line)),
                Ok(None) => {}
                Err(()) => skipped += 1,
            }
        }
        skipped
    }

    /// True where the secret was new.
    fn keep(&mut self, line: Line) -> bool {
        match line {
            Line::OfConnection { random, label, secret } => {
                let known = self.connections.entry(random).or_default();
                let same = known.iter().filter(|(other, _)| *other == label);
                if same.clone().any(|(_, other)| *other == secret) || same.count() >= MOST_PER_LABEL {
                    return false;
                }
                self.has_premaster |= label == Label::Premaster;
                known.push((label, secret));
                true
            }
            Line::OfSession { session, master } => self.sessions.insert(session, master).is_none(),
            Line::Premaster { encrypted, premaster } => self.premasters.insert(encrypted, premaster).is_none(),
            Line::PreShared { identity, key } => {
                let entry = (identity, key);
                let new = !self.pre_shared.contains(&entry);
                if new {
                    self.pre_shared.push(entry);
                }
                new
            }
            Line::Unused => false,
        }
    }
}

fn is_pem(bytes: &[u8]) -> bool {
    contains(bytes.get(..64 << 10).unwrap_or(bytes), b"-----BEGIN ")
}

/// Linear but for inputs that repeat the needle's first bytes; both are short here.
fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len().max(1)).any(|window| window == needle)
}
