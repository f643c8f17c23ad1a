//! The header: lines of text.

use super::BackupError;
use std::io::{BufRead, Read};

pub(super) const MAGIC: &[u8] = b"ANDROID BACKUP\n";
pub(super) const XIAOMI: &[u8] = b"MIUI BACKUP\n";

/// Lines that Xiaomi puts before, at most.
const LINES_BEFORE: usize = 8;
/// Longest line: the master key's blob has 192 digits.
const LONGEST_LINE: u64 = 4096;

/// What the header says.
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) compressed: bool,
    pub(super) encryption: Option<Encryption>,
}

/// What encrypted backups say beside.
pub(super) struct Encryption {
    pub(super) user_salt: Vec<u8>,
    pub(super) checksum_salt: Vec<u8>,
    pub(super) rounds: u32,
    pub(super) vector: Vec<u8>,
    /// The master key, encrypted under the key that the password makes.
    pub(super) blob: Vec<u8>,
}

pub(super) fn read(reader: &mut impl BufRead, most_rounds: u32) -> Result<Header, BackupError> {
    let mut first = line(reader)?;
    for _ in 0..LINES_BEFORE {
        if first == MAGIC.trim_ascii_end() {
            break;
        }
        first = line(reader)?;
    }
    if first != MAGIC.trim_ascii_end() {
        return Err(BackupError::NotABackup);
    }
    let version = number(reader)?;
    let compressed = number(reader)? != 0;
    let encryption = match line(reader)?.as_slice() {
        b"none" => None,
        b"AES-256" => Some(encryption(reader, most_rounds)?),
        _ => return Err(BackupError::Header),
    };
    Ok(Header { version, compressed, encryption })
}

fn encryption(reader: &mut impl BufRead, most_rounds: u32) -> Result<Encryption, BackupError> {
    let (user_salt, checksum_salt) = (hex(reader)?, hex(reader)?);
    let rounds = number(reader)?;
    let (vector, blob) = (hex(reader)?, hex(reader)?);
    let right = (1..=most_rounds).contains(&rounds) && vector.len() == 16 && blob.len().is_multiple_of(16);
    right.then_some(Encryption { user_salt, checksum_salt, rounds, vector, blob }).ok_or(BackupError::Header)
}

fn line(reader: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(BackupError::Io)?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        _ => Err(BackupError::NotABackup),
    }
}

fn number(reader: &mut impl BufRead) -> Result<u32, BackupError> {
    let line = line(reader)?;
    std::str::from_utf8(&line).ok().and_then(|line| line.trim().parse().ok()).ok_or(BackupError::Header)
}

fn hex(reader: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let line = line(reader)?;
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let byte = |pair: &[u8]| Some((digit(pair.first()?)? << 4 | digit(pair.get(1)?)?) as u8);
    line.chunks(2).map(byte).collect::<Option<_>>().ok_or(BackupError::Header)
}
