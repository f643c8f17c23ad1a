//! How often one address may ask, and one token: buckets that fill with time, in bounded memory.

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Who is counted, at most; beyond that all others are counted as one.
const MOST: usize = 100_000;

/// Who is counted. A token is known by its digest only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// An IPv4 address, or the /64 of an IPv6 address, which one customer has.
    Address(IpAddr),
    /// A token of proof.
    Token([u8; 32]),
    /// All for whom there was no room.
    Others,
}

impl Who {
    /// The one who has this address.
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::from((u128::from(address) & (u128::MAX << 64)).to_be_bytes()),
            address @ IpAddr::V4(_) => address,
        })
    }

    /// The one who has this token.
    pub(super) fn token(token: &str) -> Self {
        Self::Token(Sha256::digest(token).into())
    }
}

/// A limit: so many at once, and the same number again in each period.
#[derive(Debug)]
pub(super) struct Limit {
    most: f64,
    period: Duration,
    left: HashMap<Who, (f64, Duration)>,
    /// When room was last made.
    swept: Option<Duration>,
}

impl Limit {
    /// So many in each period.
    pub(super) fn new(most: u32, period: Duration) -> Self {
        Self { most: f64::from(most), period, left: HashMap::new(), swept: None }
    }

    /// Takes `cost` from somebody at a time, counted from any beginning.
    ///
    /// # Errors
    /// How long it takes until there is enough.
    pub(super) fn take(&mut self, who: Who, cost: f64, now: Duration) -> Result<(), Duration> {
        let who = if self.has_room(&who, now) { who } else { Who::Others };
        let left = self.left(&who, now);
        let missing = cost - left;
        let left = if missing > 0.0 { left } else { left - cost };
        self.left.insert(who, (left, now));
        if missing > 0.0 { Err(self.period.mul_f64((missing / self.most).min(1000.0))) } else { Ok(()) }
    }

    fn left(&self, who: &Who, now: Duration) -> f64 {
        let Some((left, then)) = self.left.get(who) else { return self.most };
        let periods = now.saturating_sub(*then).as_secs_f64() / self.period.as_secs_f64();
        (left + periods * self.most).min(self.most)
    }

    /// Makes room by forgetting those who have all that they may have.
    fn has_room(&mut self, who: &Who, now: Duration) -> bool {
        if self.left.len() < MOST || self.left.contains_key(who) {
            return true;
        }
        // At most once in each tenth of a period, so that a flood of addresses does not buy a sweep with each.
        if self.swept.is_some_and(|then| now.saturating_sub(then) < self.period / 10) {
            return false;
        }
        self.swept = Some(now);
        let (most, period) = (self.most, self.period);
        self.left.retain(|_, (left, then)| {
            *left + now.saturating_sub(*then).as_secs_f64() / period.as_secs_f64() * most < most
        });
        self.left.len() < MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn who_has_asked_enough_waits_and_others_do_not() {
        let mut limit = Limit::new(2, MINUTE);
        let [first, second] = ["192.0.2.1", "192.0.2.2"].map(|address| Who::address(address.parse().unwrap()));
        assert_eq!(limit.take(first, 2.0, Duration::ZERO), Ok(()));
        assert_eq!(limit.take(first, 1.0, Duration::ZERO), Err(MINUTE / 2));
        assert_eq!(limit.take(second, 1.0, Duration::ZERO), Ok(()));
        assert_eq!(limit.take(first, 1.0, MINUTE / 2), Ok(()));
        assert!(limit.take(first, 3.0, MINUTE * 100).is_err(), "never more at once than in a period");
    }

    #[test]
    fn a_customer_is_one_whatever_address_of_their_network_they_use() {
        let who = |address: &str| Who::address(address.parse().unwrap());
        assert_eq!(who("2001:db8::1"), who("2001:db8::ffff:1"));
        assert_ne!(who("2001:db8::1"), who("2001:db8:0:1::1"));
        assert_eq!(who("::ffff:192.0.2.1"), who("192.0.2.1"));
    }

    #[test]
    fn a_flood_of_addresses_is_counted_together_and_memory_is_bounded() {
        let mut limit = Limit::new(2, MINUTE);
        let address = |number: u32| Who::address(IpAddr::from(number.to_be_bytes()));
        let refused = (0..200_000).filter(|number| limit.take(address(*number), 1.0, Duration::ZERO).is_err()).count();
        assert!(limit.left.len() <= MOST + 1 && refused > 99_000, "{} {refused}", limit.left.len());
        assert_eq!(limit.take(address(300_000), 1.0, MINUTE * 2), Ok(()), "later there is room again");
    }

    #[test]
    fn those_who_find_no_room_do_not_put_off_that_room_is_made() {
        let mut limit = Limit::new(2, MINUTE);
        let address = |number: u32| Who::address(IpAddr::from(number.to_be_bytes()));
        for number in 0..=MOST as u32 {
            assert!(limit.take(address(number), 1.0, Duration::ZERO).is_ok());
        }
        for step in 1..=24 {
            let _ = limit.take(address(1_000_000 + step), 1.0, MINUTE / 20 * step);
        }
        assert!(limit.left.len() < 100, "all of the first have what they may have: {}", limit.left.len());
    }
}
