//! One file of evidence, named by its digest.

use std::fmt;

/// The SHA-256 of an exhibit's bytes exactly as collected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExhibitId(pub [u8; 32]);

impl fmt::Display for ExhibitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ExhibitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// A number with its digits in groups of three, as people read it: `18,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What kind of file an exhibit is, told by its content and never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// libpcap's classic capture file.
    Pcap,
    /// The pcapng capture file (draft-ietf-opsawg-pcapng).
    Pcapng,
    /// HTTP Archive 1.2, JSON.
    Har,
    /// A mitmproxy flow file.
    MitmproxyFlows,
    /// Collected files in a tar archive (POSIX.1-2001 pax, GNU, ustar).
    Tar,
    /// Collected files in a ZIP archive.
    Zip,
    /// A backup as `adb backup` writes it.
    AndroidBackup,
}

impl Format {
    /// True for recordings of packets, false for archives of exchanges.
    pub fn is_capture(self) -> bool {
        matches!(self, Self::Pcap | Self::Pcapng)
    }

    /// True for collected files: what the product keeps, not what it sends.
    pub fn is_snapshot(self) -> bool {
        matches!(self, Self::Tar | Self::Zip | Self::AndroidBackup)
    }

    /// The name used in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::Pcapng => "pcapng",
            Self::Har => "har",
            Self::MitmproxyFlows => "mitmproxy-flows",
            Self::Tar => "tar",
            Self::Zip => "zip",
            Self::AndroidBackup => "android-backup",
        }
    }
}

/// An exhibit as it was found when reading began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// SHA-256 of the file.
    pub id: ExhibitId,
    /// The path as the user gave it, or relative to the case folder.
    pub path: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// What the content was recognised as.
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([grouped(7), grouped(1448), grouped(1_234_567)], ["7", "1,448", "1,234,567"]);
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }
}
