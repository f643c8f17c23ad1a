//! Addresses as nearly all are: letters, digits and few signs, at a host that was seen before. They need no second look;
//! what is not so is asked of the recogniser.

use crate::ascii::are_alphanumeric;
use dyetrace_search::whole;

/// Hosts remembered. They are so few that most addresses of a dump are at one of them.
const HOSTS: usize = 64;
/// Longest host remembered, in bytes.
const LONGEST: usize = 16;

/// Tells plain addresses. It remembers hosts that the recogniser took.
pub(super) struct PlainAddresses {
    hosts: [Host; HOSTS],
}

/// A host of 4 to 16 bytes: the first and the last eight of them, or four, which overlap where it is shorter.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Host {
    first: u64,
    last: u64,
    length: usize,
}

impl PlainAddresses {
    pub(super) fn new() -> Self {
        Self { hosts: [Host { first: 0, last: 0, length: 0 }; HOSTS] }
    }

    /// True only for addresses; false also for some that are.
    #[inline]
    pub(super) fn take(&mut self, value: &[u8]) -> bool {
        let Some(at) = value.iter().position(|byte| *byte == b'@') else { return false };
        let (local, host) = (value.get(..at).unwrap_or_default(), value.get(at + 1..).unwrap_or_default());
        is_plain(local) && self.knows(host)
    }

    /// Whether the recogniser takes addresses at this host, of those it remembers.
    #[inline]
    pub(super) fn knows(&mut self, host: &[u8]) -> bool {
        let Some(seen) = Host::of(host) else { return false };
        match self.hosts.get_mut(seen.place()) {
            Some(known) if *known == seen => true,
            Some(place) if whole::is_email(&[b"a@", host].concat()) => {
                *place = seen;
                true
            }
            _ => false,
        }
    }
}

impl Host {
    #[inline]
    fn of(host: &[u8]) -> Option<Self> {
        let (first, last) = if let (Some(first), Some(last)) = (host.first_chunk(), host.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else {
            let half = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
            (half(host.first_chunk()?), half(host.last_chunk()?))
        };
        (host.len() <= LONGEST).then_some(Self { first, last, length: host.len() })
    }

    fn place(self) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 58) as usize
    }
}

/// What stands before the `@` of an address whatever is behind it: up to 64 letters and digits, with single dots, dashes
/// and underscores between (RFC 5321 section 4.1.2).
#[inline]
fn is_plain(local: &[u8]) -> bool {
    let (Some(first), Some(last)) = (local.first(), local.last()) else { return false };
    if local.len() <= 64 && are_alphanumeric(local) {
        return true;
    }
    if local.len() > 64 || !first.is_ascii_alphanumeric() || *last == b'.' {
        return false;
    }
    let mut before = 0;
    local.iter().all(|byte| {
        let is_doubled = *byte == b'.' && before == b'.';
        before = *byte;
        !is_doubled && (byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Also of hosts that were seen before, with which others share their place.
        #[test]
        fn what_is_taken_is_taken_by_the_recogniser(
            addresses in proptest::collection::vec("[aA0._@-]{0,4}[a9._+-]{0,3}@?[ab0.-]{0,5}(qq|163|a)[.-]?(com|c|png|xn--a0|Cn)", 1..40)
        ) {
            let mut plain = PlainAddresses::new();
            for address in addresses {
                for value in [address.clone(), format!("ab{address}"), address.replace('@', "x@")] {
                    let is_address = whole::is_email(value.as_bytes());
                    prop_assert!(is_address || !plain.take(value.as_bytes()), "{value}");
                }
            }
        }
    }

    #[test]
    fn addresses_as_most_are_need_no_second_look() {
        let mut plain = PlainAddresses::new();
        for address in ["12345@qq.com", "li.lei_1@Example.com", "a-b@mail.b.cn", "12346@qq.com", "a_@a.bc"] {
            assert!(plain.take(address.as_bytes()), "{address}");
        }
        for other in
            ["a@logo.png", "a..b@qq.com", ".a@qq.com", "a.@qq.com", "a@b", "a b@qq.com", "李@qq.com", "a@a@qq.com"]
        {
            assert!(!plain.take(other.as_bytes()), "{other}");
        }
        assert!(!plain.take([&[b'a'; 65], &b"@qq.com"[..]].concat().as_slice()));
    }
}
