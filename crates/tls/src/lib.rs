//! Passive TLS decryption from a key log.

use std::fmt;

/// Who sent bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The side that sent the ClientHello.
    Client,
    /// The other side.
    Server,
}

/// All secrets at hand: key logs, RSA private keys, pre-shared keys.
#[derive(Default)]
pub struct Secrets {}

/// What a key file gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Secrets that were new.
    pub secrets: usize,
    /// Lines that are neither comments nor known labels; they are skipped.
    pub skipped: usize,
}

impl Secrets {
    /// Reads an NSS key log (lenient), or PEM with RSA private keys, told by content.
    pub fn load(&mut self, bytes: &[u8]) -> Loaded {
        let _ = bytes;
        Loaded::default()
    }
}

/// Secrets, and what is remembered across connections (sessions by id and ticket).
#[derive(Default)]
pub struct Decryptor {
    /// The secrets at hand. More may be loaded at any time.
    pub secrets: Secrets,
}

/// Something one connection's bytes gave.
#[derive(Debug)]
pub enum Event<'a> {
    /// A ClientHello was read.
    ClientHello {
        /// Server Name Indication; a cover name where `ech` is set.
        sni: Option<String>,
        /// Encrypted Client Hello was offered (GREASE looks the same).
        ech: bool,
    },
    /// Version and suite are settled (ServerHello).
    ServerHello {
        /// `TLS 1.3`.
        version: &'static str,
        /// IANA name, or `0x1234` where the suite is not known.
        suite: String,
    },
    /// The negotiated application protocol.
    Alpn(Vec<u8>),
    /// DNS names in the server's certificate.
    CertificateNames(Vec<String>),
    /// Keys for this connection were found.
    Keyed,
    /// Decrypted application bytes.
    Data {
        /// Who sent them.
        from: Side,
        /// TLS 1.3 early data.
        early: bool,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A direction was closed in order.
    Closed(Side),
    /// Bytes that could not be read.
    Unreadable {
        /// Who sent them.
        from: Side,
        /// How many.
        bytes: u64,
        /// Why.
        reason: Reason,
    },
}

/// Why bytes were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No key in the log for this connection.
    NoKey,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key in the log for this connection")
    }
}

/// One connection, fed in the order of the bytes of each side.
pub struct Connection {}

impl Connection {
    /// A connection of which nothing was seen yet.
    pub fn new() -> Self {
        Self {}
    }

    /// Feeds bytes of one side; events are pushed to `on`.
    pub fn feed(&mut self, from: Side, bytes: &[u8], with: &mut Decryptor, on: &mut dyn FnMut(Event<'_>)) {
        let _ = (from, bytes, with, on);
    }

    /// `length` bytes of that side are missing.
    pub fn gap(&mut self, from: Side, length: u64, with: &mut Decryptor, on: &mut dyn FnMut(Event<'_>)) {
        let _ = (from, length, with, on);
    }

    /// The connection ended: what is still held is given up as unreadable.
    pub fn end(&mut self, with: &mut Decryptor, on: &mut dyn FnMut(Event<'_>)) {
        let _ = (with, on);
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}
