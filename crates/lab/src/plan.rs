//! Where everything is: the names of the servers and the addresses they answer on.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

/// One server. Names are under `.example` (RFC 2606), addresses from the ranges that RFC 5737 reserves for
/// documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// The host name.
    pub name: &'static str,
    /// The address inside the recorder's network namespaces.
    pub address: Ipv4Addr,
    /// The port there.
    pub port: u16,
}

impl Service {
    const fn new(name: &'static str, address: [u8; 4], port: u16) -> Self {
        let [a, b, c, d] = address;
        Self { name, address: Ipv4Addr::new(a, b, c, d), port }
    }
}

/// The smart-home maker's own interface for its app.
pub const API: Service = Service::new("api.smarthome.example", [198, 51, 100, 10], 443);
/// Where devices report, by MQTT over TLS.
pub const DEVICES: Service = Service::new("devices.smarthome.example", [198, 51, 100, 12], 8883);
/// A statistics service that another company runs.
pub const EVENTS: Service = Service::new("collect.metrics.example", [203, 0, 113, 20], 443);
/// The cloud of a partner who makes chips.
pub const PARTNER: Service = Service::new("open.chips.example", [203, 0, 113, 40], 443);
/// The messaging service as it was reported: in clear.
pub const MESSAGES_CLEAR: Service = Service::new("api.cloudmsg.example", [203, 0, 113, 60], 80);
/// The messaging service after its update.
pub const MESSAGES: Service = Service::new("api.cloudmsg.example", [203, 0, 113, 60], 443);
/// Where the phone asks for the time.
pub const CLOCK: Service = Service::new("time.cloudmsg.example", [203, 0, 113, 61], 443);
/// The finance app's interface.
pub const FINANCE: Service = Service::new("api.finance.example", [198, 51, 100, 80], 443);
/// Where its users send questions.
pub const SUPPORT: Service = Service::new("support.finance.example", [198, 51, 100, 81], 443);
/// Where its statistics go.
pub const TRACK: Service = Service::new("track.finance.example", [198, 51, 100, 82], 443);
/// Where the pictures that it shows come from.
pub const CONTENT: Service = Service::new("static.finance.example", [198, 51, 100, 83], 443);

/// Every server.
pub const SERVICES: [Service; 11] =
    [API, DEVICES, EVENTS, PARTNER, MESSAGES_CLEAR, MESSAGES, CLOCK, FINANCE, SUPPORT, TRACK, CONTENT];
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 53);

/// The addresses and ports of one installation of the cloud.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name server.
    pub dns: SocketAddr,
    bound: Vec<(Service, SocketAddr)>,
}

impl Plan {
    /// The addresses inside the recorder's network namespaces.
    pub fn recorded() -> Self {
        let bound = SERVICES.map(|service| (service, SocketAddr::from((service.address, service.port))));
        Self { dns: (NAME_SERVER, 53).into(), bound: bound.into() }
    }

    /// Loopback with ports that the system picks.
    pub fn loopback() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { dns: any, bound: SERVICES.map(|service| (service, any)).into() }
    }

    /// Where a server listens.
    pub fn socket_of(&self, service: Service) -> SocketAddr {
        let found = self.bound.iter().find(|(one, _)| *one == service);
        found.map_or_else(|| (service.address, service.port).into(), |(_, socket)| *socket)
    }

    /// Where a server listens in truth, once the system has picked a port.
    pub fn bind(&mut self, service: Service, socket: SocketAddr) {
        self.bound.retain(|(one, _)| *one != service);
        self.bound.push((service, socket));
    }

    /// Every address of the Internet, one a line.
    pub fn addresses(&self) -> String {
        let all: BTreeSet<_> = self.bound.iter().map(|(_, socket)| socket.ip()).chain([self.dns.ip()]).collect();
        all.iter().fold(String::new(), |text, address| text + &address.to_string() + "\n")
    }

    /// The address of a server by its name.
    pub fn address_of(&self, name: &str) -> Option<SocketAddr> {
        self.bound.iter().find(|(service, _)| service.name == name).map(|(_, socket)| *socket)
    }
}
