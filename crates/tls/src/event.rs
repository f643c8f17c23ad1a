//! What a connection's bytes gave, and why some gave nothing.

use std::fmt;

/// Who sent bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The side that sent the ClientHello.
    Client,
    /// The other side.
    Server,
}

impl Side {
    /// The side that receives what this one sends.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Something one connection's bytes gave.
#[derive(Debug)]
pub enum Event<'a> {
    /// A ClientHello was read: once a connection, not again for HelloRetryRequest or renegotiation.
    ClientHello {
        /// Server Name Indication; a cover name where `ech` is set.
        sni: Option<String>,
        /// Encrypted Client Hello was offered (GREASE looks the same).
        ech: bool,
    },
    /// Version and suite are settled (ServerHello). Again after each renegotiation.
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
    /// The first record was decrypted and its tag or MAC verified: the keys are the right ones.
    Keyed,
    /// Decrypted application bytes. What one side sends is in order and without joins: bytes that
    /// are missing in between were announced by [`Event::Unreadable`] at their place.
    Data {
        /// Who sent them.
        from: Side,
        /// TLS 1.3 early data.
        early: bool,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A direction was closed in order (`close_notify`).
    Closed(Side),
    /// Bytes that could not be read, given before the next readable bytes of that side or at the
    /// end of the connection.
    Unreadable {
        /// Who sent them.
        from: Side,
        /// How many, as on the wire: record headers, padding and tags included.
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
    /// There is a key for this connection, but no record verifies under it.
    WrongKey,
    /// The early secret is not in the log; it protects only what was sent before the handshake ended.
    EarlySecretMissing,
    /// Some secrets of this connection are in the log, but not the one for these bytes.
    SecretMissing,
    /// One record does not verify although those before it did.
    BadRecord,
    /// Bytes are missing before these, and the record boundary or number could not be found again.
    Gap,
    /// The handshake was not captured.
    NoHandshake,
    /// The cipher suite is not known or not implemented.
    UnknownSuite,
    /// The records are compressed inside TLS, and one that is needed is missing or broken.
    Compressed,
    /// These bytes are not TLS records.
    NotTls,
    /// The capture ended inside a record.
    Truncated,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "no key in the log for this connection",
            Self::WrongKey => "the key in the log does not fit this connection",
            Self::EarlySecretMissing => "the early secret is not in the key log",
            Self::SecretMissing => "the key log lacks this secret of the connection",
            Self::BadRecord => "record does not verify",
            Self::Gap => "bytes are missing before these",
            Self::NoHandshake => "the handshake was not captured",
            Self::UnknownSuite => "cipher suite not supported",
            Self::Compressed => "compressed inside TLS",
            Self::NotTls => "not TLS records",
            Self::Truncated => "the capture ended inside a record",
        })
    }
}
