//! Collected files: what a product keeps. Each file of an archive becomes a record whose target is its path and whose
//! body is its content; of a store, the fields are what it holds.

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
        _ => opened.content().map(|content| {
            let done = content.done();
            tarball::read(content, &mut Shelf::new(out), &mut || progress(done.bytes()));
        }),
    };
    if let Err(error) = outcome {
        lost(out, "byte 0", None, format!("the file cannot be opened again: {error}"));
    }
}

fn lost(out: &mut Out<'_>, place: &str, bytes: Option<u64>, reason: String) {
    let damage = Damage { exhibit: out.exhibit, place: place.to_owned(), time: None, server: None, bytes, reason };
    out.damage_outside(damage);
}
