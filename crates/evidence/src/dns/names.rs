//! Which name led to an address, as DNS answers earlier in the same exhibit say.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// The name most recently resolved to each address.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: HashMap<IpAddr, String>,
    order: VecDeque<IpAddr>,
}

/// Addresses remembered; the first learned is forgotten first.
const ADDRESSES: usize = 65_536;

impl Names {
    /// The name that was last resolved to an address.
    pub(crate) fn of(&self, address: IpAddr) -> Option<&str> {
        self.names.get(&address).map(String::as_str)
    }

    /// Learns that a name was resolved to an address.
    pub(crate) fn learn(&mut self, address: IpAddr, name: &[u8]) {
        // A name that is no text could not be shown as a host.
        let Ok(name) = std::str::from_utf8(name) else { return };
        if self.names.insert(address, name.to_ascii_lowercase()).is_none() {
            self.order.push_back(address);
        }
        let oldest = if self.order.len() > ADDRESSES { self.order.pop_front() } else { None };
        if let Some(oldest) = oldest {
            self.names.remove(&oldest);
        }
    }
}
