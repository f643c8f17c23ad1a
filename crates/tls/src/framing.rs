//! Records in one direction's bytes, also after bytes are missing.

use crate::event::Reason;

/// Length of a record's header: type, version, length.
pub(crate) const HEADER: usize = 5;
/// The longest record: 2^14 bytes and what protection may add (RFC 5246 section 6.2.3).
const LONGEST: usize = (1 << 14) + 2048;
/// The shortest encrypted record that can hold anything, for counting how many a gap may have swallowed.
const SHORTEST: u64 = HEADER as u64 + 17;

/// What comes next in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// More bytes are needed to say.
    Wait,
    /// That many bytes are no record that can be read.
    Skip(usize, Reason),
    /// A record with a body of that many bytes.
    Record([u8; HEADER], usize),
    /// A ClientHello of SSL 2.0, header included.
    Ssl2Hello(usize),
}

/// Where records start.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    /// Bytes of a broken record that are still to come.
    rest: u64,
    /// A record's start must be searched for.
    searching: bool,
    /// This is not TLS, or no longer.
    foreign: bool,
    started: bool,
}

impl Framing {
    /// What the next bytes are. Call again after the bytes it names are used.
    pub(crate) fn next(&mut self, buffer: &[u8]) -> Next {
        if self.foreign {
            return skip(buffer.len(), Reason::NotTls);
        }
        if self.rest > 0 {
            let now = self.rest.min(buffer.len() as u64);
            self.rest -= now;
            return skip(now as usize, Reason::Gap);
        }
        if self.searching {
            return self.search(buffer);
        }
        let Some((header, length)) = header(buffer) else { return Next::Wait };
        if !plausible(header) {
            return self.implausible(buffer);
        }
        self.started = true;
        if buffer.len() - HEADER < length { Next::Wait } else { Next::Record(header, length) }
    }

    /// `length` bytes are missing after `buffer`, which is dropped. Says how many records may be
    /// missing: at least, at most.
    pub(crate) fn gap(&mut self, buffer: &[u8], length: u64) -> (u64, u64) {
        let begun = match header(buffer) {
            _ if self.rest > 0 || self.searching => None,
            Some((header, body)) if plausible(header) => {
                (HEADER + body).checked_sub(buffer.len()).map(|missing| missing as u64)
            }
            _ if buffer.is_empty() => Some(0),
            _ => None,
        };
        let missing = if self.rest > 0 { Some(self.rest) } else { begun };
        // The record that the gap begins in is known to be lost: how many follow it in the gap?
        let begun = u64::from(self.rest == 0 && !buffer.is_empty());
        self.rest = 0;
        match missing.and_then(|missing| length.checked_sub(missing)) {
            Some(0) => (begun, begun),
            Some(beyond) => {
                self.searching = true;
                (begun, begun + beyond / SHORTEST + 1)
            }
            None if missing.is_some() => {
                self.rest = missing.unwrap_or(0) - length;
                (begun, begun)
            }
            None => {
                self.searching = true;
                (begun, begun + length / SHORTEST + 1)
            }
        }
    }

    fn implausible(&mut self, buffer: &[u8]) -> Next {
        if let Some(length) = ssl2_hello(buffer).filter(|_| !self.started) {
            self.started = true;
            return if buffer.len() < length { self.unstart() } else { Next::Ssl2Hello(length) };
        }
        self.foreign = true;
        skip(buffer.len(), Reason::NotTls)
    }

    fn unstart(&mut self) -> Next {
        self.started = false;
        Next::Wait
    }

    /// Looks for a header with another one (or the end of what is there) where its record ends.
    fn search(&mut self, buffer: &[u8]) -> Next {
        for (at, start) in buffer.windows(HEADER).enumerate() {
            let Some((found, length)) = header(start) else { continue };
            if !plausible(found) || found[0] == 20 && length != 1 {
                continue;
            }
            let after = buffer.get(at + HEADER + length..).unwrap_or_default();
            match header(after) {
                Some((next, _)) if !plausible(next) => {}
                None if buffer.len() < at + HEADER + length => {
                    // Cannot be told yet: what is before it is no record either way.
                    return if at > 0 { Next::Skip(at, Reason::Gap) } else { Next::Wait };
                }
                _ if at > 0 => return Next::Skip(at, Reason::Gap),
                _ => {
                    self.searching = false;
                    self.started = true;
                    return Next::Record(found, length);
                }
            }
        }
        // The last bytes may be the start of a header.
        skip(buffer.len().saturating_sub(HEADER - 1), Reason::Gap)
    }
}

fn skip(count: usize, reason: Reason) -> Next {
    if count == 0 { Next::Wait } else { Next::Skip(count, reason) }
}

fn header(buffer: &[u8]) -> Option<([u8; HEADER], usize)> {
    let header: [u8; HEADER] = *buffer.first_chunk()?;
    Some((header, usize::from(u16::from_be_bytes([header[3], header[4]]))))
}

/// Types 20 to 24 of SSL 3.0 to TLS 1.3, drafts (which wrote 0x7fxx for a while) and TLCP.
fn plausible([kind, major, minor, high, low]: [u8; HEADER]) -> bool {
    let version = match major {
        3 => minor <= 4,
        1 => minor == 1,
        0x7f => true,
        _ => false,
    };
    (20..=24).contains(&kind) && version && usize::from(u16::from_be_bytes([high, low])) <= LONGEST
}

/// Length of a ClientHello of SSL 2.0: a two-byte header with the high bit set.
fn ssl2_hello(buffer: &[u8]) -> Option<usize> {
    let [first, second, kind, major, ..] = *buffer else { return None };
    let length = usize::from(first & 0x7f) << 8 | usize::from(second);
    (first & 0x80 != 0 && kind == 1 && major == 3 && length >= 9).then_some(length + 2)
}
