//! Collected files: what a product keeps. Each file of an archive becomes a record whose target is its path and whose
//! body is its content; of a store, the values are what it holds.

mod stored;
mod stores;
mod tarball;
mod zipped;

pub use stores::{IsKnown, Stores};
pub use tarball::{EVENT, INCOMPLETE, SEEN};

use crate::exhibit::{Content, Opened};
use crate::layer::{Limits, Out};
use dyetrace_case::{Damage, Format};
use dyetrace_stores::ab::{Backup, BackupError};
use std::collections::HashSet;
use std::io::{BufReader, Read as _};
use stored::Shelf;

/// Reads an archive of files and emits a record for each. `progress` is called with the bytes of the exhibit done.
pub(crate) fn read(opened: &Opened, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let outcome = match opened.exhibit().format {
        Format::Zip => opened.seekable().map(|file| zipped::read(file, &mut Shelf::new(opened, out), progress)),
        Format::AndroidBackup => opened.content().map(|content| backup(opened, content, out, progress)),
        _ => opened.content().map(|content| {
            let done = content.done();
            tarball::read(content, &mut Shelf::new(opened, out), &mut || progress(done.bytes()));
        }),
    };
    if let Err(error) = outcome {
        lost(out, "byte 0", None, format!("the file cannot be opened again: {error}"));
    }
}

/// The paths of the files in an archive, as many as are asked for; of what cannot be read, none. Content is skipped.
pub fn paths(opened: &Opened, most: usize) -> HashSet<Vec<u8>> {
    let reach = opened.exhibit().bytes.saturating_mul(Limits::default().inflate_ratio).saturating_add(stored::FREE);
    let found = match opened.exhibit().format {
        Format::Zip => opened.seekable().map(|file| zipped::paths(file, most)),
        Format::AndroidBackup => opened.content().map(|content| {
            let password = opened.password().and_then(|password| std::str::from_utf8(password.reveal()).ok());
            let inner = Backup::open(BufReader::new(content), password);
            inner.map(|inner| tarball::paths(inner.take(reach), most)).unwrap_or_default()
        }),
        _ => opened.content().map(|content| tarball::paths(content.take(reach), most)),
    };
    found.unwrap_or_default()
}

/// A backup is a tar archive in a wrapping of its own.
fn backup(opened: &Opened, content: Content, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let done = content.done();
    let password = opened.password().and_then(|password| std::str::from_utf8(password.reveal()).ok());
    match Backup::open(BufReader::new(content), password) {
        Ok(inner) => tarball::read(inner, &mut Shelf::new(opened, out), &mut || progress(done.bytes())),
        Err(error @ BackupError::PasswordNeeded) => {
            let hint = "write it into keys/backup.password of the case";
            lost(out, "byte 0", Some(opened.exhibit().bytes), format!("{error}: {hint}"));
        }
        Err(error) => lost(out, "byte 0", Some(opened.exhibit().bytes), format!("the backup is not read: {error}")),
    }
}

fn lost(out: &mut Out<'_>, place: &str, bytes: Option<u64>, reason: String) {
    let damage = Damage { exhibit: out.exhibit, place: place.to_owned(), time: None, server: None, bytes, reason };
    out.damage_outside(damage);
}
