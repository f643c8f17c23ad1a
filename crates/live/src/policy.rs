//! Who may be reached: a proxy must not be a way into the machine it runs on.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What clients may reach, and which names are left alone.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Addresses that may be reached although they are the machine's own or its link's: for tests, and for
    /// who runs the systems under test on the same machine.
    pub also: BTreeSet<IpAddr>,
    /// The machine's own addresses, which are not to be reached on any port.
    pub machine: BTreeSet<IpAddr>,
    /// Where this proxy itself listens.
    pub own: BTreeSet<SocketAddr>,
    /// Names whose TLS is relayed unread: `bank.example` and what ends in `.bank.example`.
    pub leave_alone: BTreeSet<String>,
    /// Clients that may use the proxy; empty for everybody who can reach it.
    pub clients: BTreeSet<IpAddr>,
}

/// A target that clients may not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The machine itself.
    Loopback,
    /// The machine's own link: routers' and clouds' metadata services are there.
    LinkLocal,
    /// No host has such an address.
    NoHost,
    /// This proxy.
    Ourselves,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "the target is the machine that dyetrace runs on",
            Self::LinkLocal => "the target is an address of the local link",
            Self::NoHost => "the target is no host's address",
            Self::Ourselves => "the target is dyetrace itself",
        })
    }
}

impl Policy {
    /// Whether a client may reach that address.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, target: SocketAddr) -> Result<(), Denied> {
        let address = target.ip().to_canonical();
        if self.own.iter().any(|own| own.port() == target.port() && is_same_host(own.ip(), address)) {
            return Err(Denied::Ourselves);
        }
        if self.also.contains(&address) {
            return Ok(());
        }
        let (link_local, nobody) = match address {
            IpAddr::V4(address) => {
                let nobody = address.octets()[0] == 0 || address.is_broadcast();
                (address.is_link_local(), nobody || address.is_multicast())
            }
            IpAddr::V6(address) => {
                (address.is_unicast_link_local(), address.is_unspecified() || address.is_multicast())
            }
        };
        match () {
            () if address.is_loopback() || self.machine.contains(&address) => Err(Denied::Loopback),
            () if link_local => Err(Denied::LinkLocal),
            () if nobody => Err(Denied::NoHost),
            () => Ok(()),
        }
    }

    /// Whether that client may use the proxy.
    pub fn admits(&self, client: IpAddr) -> bool {
        self.clients.is_empty() || self.clients.contains(&client.to_canonical())
    }

    /// Whether TLS to that name is relayed unread.
    pub fn leaves_alone(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let parents = name.match_indices('.').filter_map(|(at, _)| name.get(at + 1..));
        std::iter::once(name.as_str()).chain(parents).any(|name| self.leave_alone.contains(name))
    }
}

/// A socket on every address is on each of the machine's; which those are is not asked, the port decides.
fn is_same_host(own: IpAddr, address: IpAddr) -> bool {
    own.is_unspecified() || own.to_canonical() == address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(target: &str) -> Option<Denied> {
        let own = ["10.0.0.1:8080".parse().unwrap()].into();
        let policy = Policy { own, machine: ["10.0.0.9".parse().unwrap()].into(), ..Policy::default() };
        policy.check(target.parse().unwrap()).err()
    }

    #[test]
    fn the_machine_itself_cannot_be_reached_in_any_spelling() {
        for target in
            ["10.0.0.9:22", "[::ffff:10.0.0.9]:22", "127.0.0.1:80", "127.8.9.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"]
        {
            assert_eq!(denied(target), Some(Denied::Loopback), "{target}");
        }
        for target in ["169.254.169.254:80", "[fe80::1]:80"] {
            assert_eq!(denied(target), Some(Denied::LinkLocal), "{target}");
        }
        for target in ["0.0.0.0:80", "[::]:80", "255.255.255.255:80", "224.0.0.251:5353", "[ff02::fb]:5353"] {
            assert_eq!(denied(target), Some(Denied::NoHost), "{target}");
        }
        assert_eq!(denied("10.0.0.1:8080"), Some(Denied::Ourselves));
        assert_eq!(denied("10.0.0.1:443"), None);
        assert_eq!(denied("[2001:db8::1]:443"), None);
    }

    #[test]
    fn a_name_is_left_alone_with_everything_below_it() {
        let policy = Policy { leave_alone: ["bank.example".to_owned()].into(), ..Policy::default() };
        assert!(policy.leaves_alone("bank.example") && policy.leaves_alone("API.Bank.Example."));
        assert!(!policy.leaves_alone("notbank.example") && !policy.leaves_alone("example"));
    }
}
