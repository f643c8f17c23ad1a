//! Android backups (`adb backup`): a text header, then a tar archive, compressed or not, encrypted or not.
//!
//! From AOSP's `BackupManagerService` (`PasswordManagerImpl`, `PerformFullTransportBackupTask` in later versions). The
//! key is made of a password by PBKDF2 with HMAC-SHA-1 (RFC 8018, section 5.2) and opens a *master key*, whose checksum
//! is PBKDF2 again, of the master key taken for a password: each byte becomes a Java `char` with its sign, so that
//! `0x80` is `U+FF80`, and the text becomes bytes either as UTF-8 (from version 2) or by dropping the high half
//! (before).

mod decrypt;
mod header;
mod key;

use decrypt::Decrypted;
use flate2::read::ZlibDecoder;
use std::fmt;
use std::io::{BufRead, Read};

/// What stops the reading of a backup at its start.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// The first line is not that of a backup.
    NotABackup,
    /// A line of the header says what cannot be.
    Header,
    /// The backup is encrypted, and no password was given.
    PasswordNeeded,
    /// The password opens nothing.
    WrongPassword,
    /// The header could not be read.
    Io(std::io::Error),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABackup => f.write_str("this is not an Android backup"),
            Self::Header => f.write_str("the header of this Android backup says what cannot be"),
            Self::PasswordNeeded => f.write_str("this Android backup is encrypted, and no password was given"),
            Self::WrongPassword => f.write_str("the password does not open this Android backup"),
            Self::Io(error) => write!(f, "the header of this Android backup cannot be read: {error}"),
        }
    }
}

impl std::error::Error for BackupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether a file starts as a backup does. Xiaomi puts lines of its own before.
pub fn is_backup(start: &[u8]) -> bool {
    start.starts_with(header::MAGIC) || start.starts_with(header::XIAOMI)
}

/// A tar archive inside a backup. Reading it ends with an error where the backup was cut off; what stood before that is
/// given first. How much it inflates to is not bounded here: whoever reads it counts.
pub struct Backup<R> {
    content: Content<R>,
    /// The version of the format, 1 to 5 so far.
    pub version: u32,
    /// Whether the archive was compressed.
    pub compressed: bool,
    /// Whether the archive was encrypted.
    pub encrypted: bool,
}

/// Most rounds of key derivation: a hundred times what Android does, and a second of work.
const MOST_ROUNDS: u32 = 1_000_000;

enum Content<R> {
    Plain(R),
    Compressed(ZlibDecoder<R>),
    Encrypted(Decrypted<R>),
    CompressedEncrypted(ZlibDecoder<Decrypted<R>>),
}

impl<R: BufRead> Backup<R> {
    /// Reads the header and makes the keys. The password is needed only where [`BackupError::PasswordNeeded`] says so.
    pub fn open(reader: R, password: Option<&str>) -> Result<Self, BackupError> {
        Self::open_with(reader, password, MOST_ROUNDS)
    }

    /// As [`Self::open`], with another bound of the rounds of key derivation.
    pub(crate) fn open_with(mut reader: R, password: Option<&str>, most_rounds: u32) -> Result<Self, BackupError> {
        let header = header::read(&mut reader, most_rounds)?;
        let encrypted = header.encryption.is_some();
        let content = match (header.encryption, header.compressed) {
            (None, false) => Content::Plain(reader),
            (None, true) => Content::Compressed(ZlibDecoder::new(reader)),
            (Some(encryption), compressed) => {
                let password = password.ok_or(BackupError::PasswordNeeded)?;
                let master = key::master(&encryption, password, header.version).ok_or(BackupError::WrongPassword)?;
                let decrypted = Decrypted::new(reader, &master).ok_or(BackupError::Header)?;
                if compressed {
                    Content::CompressedEncrypted(ZlibDecoder::new(decrypted))
                } else {
                    Content::Encrypted(decrypted)
                }
            }
        };
        Ok(Self { content, version: header.version, compressed: header.compressed, encrypted })
    }
}

impl<R: BufRead> Read for Backup<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.content {
            Content::Plain(reader) => reader.read(buffer),
            Content::Compressed(reader) => reader.read(buffer),
            Content::Encrypted(reader) => reader.read(buffer),
            Content::CompressedEncrypted(reader) => reader.read(buffer),
        }
    }
}
