//! Android backups that Java wrote with its own cryptography (`data/MakeBackup.java`), with a password beyond ASCII and
//! a master key whose bytes have signs.

use dyetrace_stores::ab::{Backup, BackupError, is_backup};
use std::io::Read;

const TAR: &[u8] = include_bytes!("data/backup.tar");
const OPEN: &[u8] = include_bytes!("data/open.ab");
const PASSWORD: &[u8] = include_bytes!("data/password.ab");

fn content(file: &[u8], password: Option<&str>) -> Result<Vec<u8>, BackupError> {
    let mut content = Vec::new();
    Backup::open(file, password)?.read_to_end(&mut content).map_err(BackupError::Io)?;
    Ok(content)
}

#[test]
fn an_open_backup_is_inflated() {
    assert!(is_backup(OPEN));
    assert_eq!(content(OPEN, None).unwrap(), TAR);
    let plain = [b"ANDROID BACKUP\n1\n0\nnone\n", TAR].concat();
    assert_eq!(content(&plain, None).unwrap(), TAR);
}

#[test]
fn an_encrypted_backup_is_opened_by_its_password() {
    assert_eq!(content(PASSWORD, Some("pass密码")).unwrap(), TAR);
    assert!(matches!(content(PASSWORD, None), Err(BackupError::PasswordNeeded)));
    assert!(matches!(content(PASSWORD, Some("pass")), Err(BackupError::WrongPassword)));
}

/// Versions 1 and 2 differ in how characters become bytes; devices mixed them up.
#[test]
fn the_way_of_another_version_is_tried_too() {
    let old = String::from_utf8_lossy(&PASSWORD[..20]).replace("\n5\n", "\n1\n").into_bytes();
    assert_eq!(content(&[&old, &PASSWORD[20..]].concat(), Some("pass密码")).unwrap(), TAR);
}

#[test]
fn lines_of_another_maker_before_the_header_are_skipped() {
    let xiaomi = [b"MIUI BACKUP\n2\ncom.example.shop Shop\n-1\n0\n", OPEN].concat();
    assert!(is_backup(&xiaomi));
    assert_eq!(content(&xiaomi, None).unwrap(), TAR);
}

#[test]
fn backups_that_are_none_are_refused() {
    assert!(matches!(content(b"", None), Err(BackupError::NotABackup)));
    assert!(matches!(content(&[b'\n'; 5000], None), Err(BackupError::NotABackup)));
    assert!(matches!(content(b"ANDROID BACKUP\nx\n1\nnone\n", None), Err(BackupError::Header)));
    assert!(matches!(content(b"ANDROID BACKUP\n5\n1\nDES\n", None), Err(BackupError::Header)));
    let rounds = String::from_utf8_lossy(PASSWORD).replace("\n10\n", "\n4000000000\n").into_bytes();
    assert!(matches!(content(&rounds, Some("x")), Err(BackupError::Header)), "an hour of work is refused");
}

#[test]
fn what_stands_before_a_cut_is_read() {
    let mut backup = Backup::open(&PASSWORD[..PASSWORD.len() - 40], Some("pass密码")).unwrap();
    let mut read = Vec::new();
    assert!(backup.read_to_end(&mut read).is_err());
    assert!(TAR.starts_with(&read));
    let cut = [b"ANDROID BACKUP\n1\n0\nnone\n", &TAR[..700]].concat();
    assert_eq!(content(&cut, None).unwrap(), TAR[..700]);
}
