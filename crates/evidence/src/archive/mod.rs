//! Archives that other tools recorded: HAR, mitmproxy flow files.
//!
//! Both formats hold exchanges that are already parsed, so there are no layers here: each entry
//! becomes a record of its own. An entry that is broken or cut off costs itself only, and where
//! its request can still be read it costs less than that.

mod base64;
mod entries;
mod flow_conn;
mod flow_dns;
mod har_body;
mod har_input;
mod json;
mod suites;
mod tnetstring;
#[cfg(test)]
mod truth;
mod url;

pub(crate) mod flows;
pub(crate) mod har;

use std::io::{self, Read};

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
