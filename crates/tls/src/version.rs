//! Protocol versions, drafts of TLS 1.3 included.

/// A negotiated version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    /// Draft number; 0 for RFC 8446 itself.
    Tls13(u8),
    /// GM/T 0024: TLS 1.1's records with SM3 as the only hash.
    Tlcp,
}

impl Version {
    /// From the number on the wire.
    pub(crate) fn from_wire(number: u16) -> Option<Self> {
        Some(match number {
            0x0300 => Self::Ssl3,
            0x0301 => Self::Tls10,
            0x0302 => Self::Tls11,
            0x0303 => Self::Tls12,
            0x0304 => Self::Tls13(0),
            0x0101 => Self::Tlcp,
            // Facebook's variants of drafts 23 and 26.
            0xfb17 => Self::Tls13(23),
            0xfb1a => Self::Tls13(26),
            0x7f0e..=0x7f1c => Self::Tls13(number as u8),
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ssl3 => "SSL 3.0",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13(0) => "TLS 1.3",
            Self::Tls13(_) => "TLS 1.3 (draft)",
            Self::Tlcp => "TLCP 1.1",
        }
    }

    pub(crate) fn is_modern(self) -> bool {
        matches!(self, Self::Tls13(_))
    }

    /// CBC records start with their own IV: RFC 4346 section 6.2.3.2.
    pub(crate) fn has_explicit_iv(self) -> bool {
        !matches!(self, Self::Ssl3 | Self::Tls10)
    }
}
