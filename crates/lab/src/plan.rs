//! Where everything is: the names of the maker's servers and the addresses they answer on.

use std::net::{Ipv4Addr, SocketAddr};

/// The maker's own interface for its app. `.example` is reserved by RFC 2606.
pub const API: &str = "api.smarthome.example";
/// A statistics service that another company runs.
pub const EVENTS: &str = "collect.metrics.example";
/// Where devices report, by MQTT over TLS.
pub const DEVICES: &str = "devices.smarthome.example";

/// The addresses and ports of one installation of the cloud.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The name server.
    pub dns: SocketAddr,
    /// [`API`].
    pub api: SocketAddr,
    /// [`EVENTS`].
    pub events: SocketAddr,
    /// [`DEVICES`].
    pub devices: SocketAddr,
}

impl Plan {
    /// The addresses inside the recorder's network namespaces, from the ranges that RFC 5737
    /// reserves for documentation.
    pub fn recorded() -> Self {
        let maker = |last| Ipv4Addr::new(198, 51, 100, last);
        Self {
            dns: (maker(53), 53).into(),
            api: (maker(10), 443).into(),
            events: (Ipv4Addr::new(203, 0, 113, 20), 443).into(),
            devices: (maker(12), 8883).into(),
        }
    }

    /// Loopback with ports that the system picks.
    pub fn loopback() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { dns: any, api: any, events: any, devices: any }
    }

    /// The address of a server by its name.
    pub fn address_of(&self, name: &str) -> Option<SocketAddr> {
        match name {
            API => Some(self.api),
            EVENTS => Some(self.events),
            DEVICES => Some(self.devices),
            _ => None,
        }
    }
}
