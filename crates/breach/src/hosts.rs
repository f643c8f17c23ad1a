//! Mail hosts by number, so that a person needs two bytes for one.

use crate::key::{Key, ShortDigests};
use std::collections::HashMap;

/// Most hosts that get a number.
const MOST: usize = 20_000;
/// Longest host name kept.
const LONGEST: usize = 64;

/// Numbers of hosts, from 1.
pub(crate) struct Hosts {
    digests: ShortDigests,
    numbers: HashMap<u64, u16>,
    names: Vec<String>,
    /// The last host asked for: many rows have the same.
    last: (u64, u16),
}

impl Hosts {
    /// No hosts.
    pub(crate) fn new(key: &Key) -> Self {
        Self { digests: key.short("mail host"), numbers: HashMap::new(), names: Vec::new(), last: (0, 0) }
    }

    /// The number of a host; 0 where it is too long or there are too many.
    pub(crate) fn number(&mut self, host: &[u8]) -> u16 {
        let digest = self.digests.of(host);
        if self.last.0 == digest {
            return self.last.1;
        }
        let number = match self.numbers.get(&digest) {
            Some(number) => *number,
            None => self.add(digest, host),
        };
        self.last = (digest, number);
        number
    }

    fn add(&mut self, digest: u64, host: &[u8]) -> u16 {
        let Ok(name) = core::str::from_utf8(host) else { return 0 };
        if self.names.len() >= MOST || name.len() > LONGEST {
            return 0;
        }
        self.names.push(name.to_owned());
        let number = self.names.len() as u16;
        self.numbers.insert(digest, number);
        number
    }

    /// The names, the host of number 1 first.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_its_number() {
        let mut hosts = Hosts::new(&Key::from_bytes([1; 32]));
        assert_eq!([&b"qq.com"[..], b"163.com", b"qq.com", b"qq.com"].map(|host| hosts.number(host)), [1, 2, 1, 1]);
        assert_eq!(hosts.names(), ["qq.com", "163.com"]);
        assert_eq!(hosts.number(&[b'a'; 65]), 0);
    }
}
