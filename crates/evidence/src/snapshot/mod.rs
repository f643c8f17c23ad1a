//! Collected files: what a product keeps. Each file of an archive becomes a record whose target is its path, whose
//! body is its content, and whose fields are what a store in it holds.

mod stored;
mod tarball;
mod zipped;

use crate::exhibit::Opened;
use crate::layer::Out;
use dyetrace_case::{Damage, Format};
use stored::Shelf;

/// Reads an archive of files and emits a record for each. `progress` is called with the bytes of the exhibit done.
pub(crate) fn read(opened: &Opened, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let outcome = match opened.exhibit().format {
        Format::Zip => opened.seekable().map(|file| zipped::read(file, &mut Shelf::new(out), progress)),
        Format::AndroidBackup => opened.content().map(|content| backup(content, out, progress)),
        _ => opened.content().map(|content| {
            let done = content.done();
            tarball::read(content, &mut Shelf::new(out), &mut || progress(done.bytes()));
        }),
    };
    if let Err(error) = outcome {
        lost(out, "byte 0", None, format!("the file cannot be opened again: {error}"));
    }
}

/// A backup is a tar archive in a wrapping of its own.
fn backup(content: crate::exhibit::Content, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let done = content.done();
    match dyetrace_stores::ab::open(content, None) {
        Ok(inner) => tarball::read(inner, &mut Shelf::new(out), &mut || progress(done.bytes())),
        Err(error) => lost(out, "byte 0", None, format!("the backup cannot be opened: {error}")),
    }
}

fn lost(&mut self, place: &str, bytes: Option<u64>, reason: String);

    /// True where nobody wants more.
    fn is_done(&self) -> bool;
}

fn lost(out: &mut Out<'_>, place: &str, bytes: Option<u64>, reason: String) {
    let damage = Damage { exhibit: out.exhibit, place: place.to_owned(), time: None, server: None, bytes, reason };
    out.damage_outside(damage);
}
