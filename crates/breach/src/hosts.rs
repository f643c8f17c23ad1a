//! Mail hosts by number, so that a person needs two bytes for one.

use crate::kept::{In, Out};
use crate::key::{ByDigest, ShortDigests};
use std::io;

/// Most hosts that get a number.
const MOST: usize = 20_000;
/// Longest host name kept.
const LONGEST: usize = 64;
/// Hosts that are known at once to be noted.
const RECENT: usize = 64;
/// Most hosts that are noted at once.
const MOST_NOTED: usize = 1 << 16;

/// Hosts by their digests, noted before they are given numbers in the order of the dump.
pub(crate) struct Noted {
    digests: ShortDigests,
    names: ByDigest<String>,
    /// Hosts noted last, by the last bits of their digests: most rows have one of few.
    last: [u64; RECENT],
}

impl Noted {
    /// None.
    pub(crate) fn new(digests: &ShortDigests) -> Self {
        Self { digests: *digests, names: ByDigest::default(), last: [0; RECENT] }
    }

    /// Notes a host. Gives its digest; 0 where it gets no number.
    pub(crate) fn note(&mut self, host: &[u8]) -> u64 {
        if host.len() > LONGEST {
            return 0;
        }
        let digest = self.digests.of(host).max(1);
        let last = digest as usize % RECENT;
        if self.last[last] != digest && !self.names.contains_key(&digest) {
            let Ok(name) = core::str::from_utf8(host) else { return 0 };
            if self.is_full() {
                return digest;
            }
            self.names.insert(digest, name.to_owned());
        }
        self.last[last] = digest;
        digest
    }

    /// True where a name may be missing.
    pub(crate) fn is_full(&self) -> bool {
        self.names.len() >= MOST_NOTED
    }

    /// Those noted, and no more noted here.
    pub(crate) fn take(&mut self) -> ByDigest<String> {
        self.last = [0; RECENT];
        std::mem::take(&mut self.names)
    }
}

/// Numbers of hosts, from 1.
#[derive(Default)]
pub(crate) struct Hosts {
    numbers: ByDigest<u16>,
    known: Vec<Host>,
    /// Names of hosts that rows to come may have.
    noted: ByDigest<String>,
    /// Hosts asked for last, by the last bits of their digests.
    last: Recent,
}

struct Recent([(u64, u16); RECENT]);

impl Default for Recent {
    fn default() -> Self {
        Self([(0, 0); RECENT])
    }
}

struct Host {
    digest: u64,
    /// Empty where it was not written with the counts, because few had it; the next row that has it names it again.
    name: String,
    rows: u64,
}

impl Hosts {
    /// Takes the names of hosts that the next rows have.
    pub(crate) fn learn(&mut self, noted: ByDigest<String>) {
        self.noted = noted;
        self.last = Recent::default();
    }

    /// The number of a row's host by its digest; 0 for none, or where there are too many.
    pub(crate) fn number(&mut self, digest: u64) -> u16 {
        if digest == 0 {
            return 0;
        }
        let last = digest as usize % RECENT;
        if self.last.0[last].0 != digest {
            self.last.0[last] = (digest, self.find(digest));
        }
        let number = self.last.0[last].1;
        if let Some(host) = usize::from(number).checked_sub(1).and_then(|at| self.known.get_mut(at)) {
            host.rows += 1;
        }
        number
    }

    fn find(&mut self, digest: u64) -> u16 {
        if let Some(number) = self.numbers.get(&digest) {
            if let Some(host) = self.known.get_mut(usize::from(*number) - 1).filter(|host| host.name.is_empty()) {
                host.name = self.noted.get(&digest).cloned().unwrap_or_default();
            }
            return *number;
        }
        if self.known.len() >= MOST {
            return 0;
        }
        let name = self.noted.get(&digest).cloned().unwrap_or_default();
        self.known.push(Host { digest, name, rows: 0 });
        let number = self.known.len() as u16;
        self.numbers.insert(digest, number);
        number
    }

    /// The name of a number's host, where at least so many rows have it.
    pub(crate) fn name(&self, number: u16, least: u64) -> Option<&str> {
        let host = self.known.get(usize::from(number).checked_sub(1)?)?;
        (host.rows >= least).then_some(host.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Writes them, with the names of those that at least so many rows have.
    pub(crate) fn keep(&self, out: &mut Out<'_>, least: u64) -> io::Result<()> {
        out.number(self.known.len() as u64)?;
        for host in &self.known {
            out.numbers(&[host.digest, host.rows])?;
            out.text(if host.rows >= least { &host.name } else { "" })?;
        }
        Ok(())
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let mut hosts = Self::default();
        for number in 1..=from.length(MOST)? {
            let (digest, rows) = (from.number()?, from.number()?);
            hosts.numbers.insert(digest, number as u16);
            hosts.known.push(Host { digest, name: from.text()?, rows });
        }
        Ok(hosts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn a_host_keeps_its_number_and_is_named_again_where_its_name_was_not_written() {
        let mut noted = Noted::new(&Key::from_bytes([1; 32]).short("mail host"));
        let [qq, other, again] = [&b"qq.com"[..], b"163.com", b"qq.com"].map(|host| noted.note(host));
        assert_eq!((qq, noted.note(&[b'a'; 65])), (again, 0));
        let mut hosts = Hosts::default();
        hosts.learn(noted.take());
        assert_eq!([qq, other, qq].map(|digest| hosts.number(digest)), [1, 2, 1]);
        assert_eq!([hosts.name(1, 2), hosts.name(2, 2)], [Some("qq.com"), None]);
        let mut written = Vec::new();
        hosts.keep(&mut Out(&mut written), 2).unwrap();
        assert!(
            written.windows(6).any(|bytes| bytes == b"qq.com") && !written.windows(7).any(|bytes| bytes == b"163.com")
        );
        let mut hosts = Hosts::kept(&mut In(&mut &written[..])).unwrap();
        noted.note(b"163.com");
        hosts.learn(noted.take());
        assert_eq!([other, qq].map(|digest| hosts.number(digest)), [2, 1]);
        assert_eq!(hosts.name(2, 2), Some("163.com"));
    }
}
