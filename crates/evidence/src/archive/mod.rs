//! Archives that other tools recorded: HAR, mitmproxy flow files.
//!
//! Both formats hold exchanges that are already parsed, so there are no layers here: each entry
//! becomes a record of its own. An entry that is broken or cut off costs itself only, and where
//! its request can still be read it costs less than that.

mod base64;
mod entries;
mod flow_conn;
mod flow_dns;
pub(crate) mod flows;
pub(crate) mod har;
mod har_body;
mod har_input;
mod json;
mod suites;
mod tnetstring;
#[cfg(test)]
mod truth;
mod url;

use crate::exhibit::Opened;
use crate::layer::Out;
use dyetrace_case::{Damage, Format};
use std::io::{self, Read};

/// Reads an archive and emits what is in it. `progress` is called with the bytes of the file done.
pub(crate) fn read(opened: &Opened, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let size = opened.exhibit().bytes;
    let mut content = match opened.content() {
        Ok(content) => content,
        Err(error) => return lost(out, "byte 0", None, format!("the file cannot be opened again: {error}")),
    };
    let done = content.done();
    let mut progress = |_| progress(done.bytes());
    match opened.exhibit().format {
        Format::Har => har::read(&mut content, size, out, &mut progress),
        _ => flows::read(&mut content, size, out, &mut progress),
    }
}

/// Says that something at `place` was not read.
fn lost(out: &mut Out<'_>, place: &str, bytes: Option<u64>, reason: String) {
    let damage = Damage { exhibit: out.exhibit, place: place.to_owned(), time: None, server: None, bytes, reason };
    out.damage_outside(damage);
}

/// Entries whose damage is told one by one; beyond them it is counted, because a hostile file can
/// hold more broken entries than a report has room for.
const TOLD: u64 = 1000;

/// The damaged entries of one archive.
#[derive(Default)]
struct Losses {
    told: u64,
    /// The first entry that is only counted.
    from: Option<String>,
    untold: u64,
    bytes: u64,
}

impl Losses {
    /// Tells that an entry, or part of it, was not read.
    fn tell(&mut self, out: &mut Out<'_>, place: String, bytes: Option<u64>, reason: String) {
        if self.told < TOLD {
            self.told += 1;
            return lost(out, &place, bytes, reason);
        }
        self.from.get_or_insert(place);
        self.untold += 1;
        self.bytes = self.bytes.saturating_add(bytes.unwrap_or(0));
    }

    /// Tells how many entries were only counted.
    fn end(self, out: &mut Out<'_>) {
        if let Some(place) = self.from {
            let reason = format!("{} entries from this one on were damaged as well", self.untold);
            lost(out, &place, Some(self.bytes), reason);
        }
    }
}

/// The archive as it lies on disk, telling how many of its bytes were read.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    done: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Counted<'a> {
    fn new(inner: &'a mut dyn Read, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self { inner, done: 0, progress }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.done += length as u64;
        (self.progress)(self.done);
        Ok(length)
    }
}
