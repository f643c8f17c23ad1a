//! What is needed before anything is recorded: sockets, authorities, the journal, a token.

use super::LiveArguments;
use super::running::{self, Announced};
use crate::exit::Fault;
use dyetrace_case::{Upcoming, hex};
use dyetrace_live::{Authority, Journal, Policy, RelaySettings};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};

/// Phones keep connections for messages open and silent for half an hour.
const IDLE: Duration = Duration::from_hours(1);

/// Sockets that are open.
pub(super) struct Listening {
    pub(super) proxy: TcpListener,
    pub(super) proxy_address: SocketAddr,
    /// Each with the socket to which QUIC is redirected.
    pub(super) redirected: Vec<(TcpListener, UdpSocket)>,
    pub(super) redirected_addresses: Vec<SocketAddr>,
    pub(super) names: Option<Names>,
    pub(super) control: TcpListener,
    pub(super) control_address: SocketAddr,
    #[cfg(feature = "wireguard")]
    pub(super) phone: Option<super::wireguard::Phone>,
}

impl Listening {
    /// Opens them, nowhere but on loopback unless an interface is named.
    pub(super) async fn open(arguments: &LiveArguments) -> Result<Self, Fault> {
        let mut listen = arguments.listen;
        if let Some(interface) = &arguments.lan {
            listen.set_ip(address_of(interface)?);
        }
        let shared = arguments
            .redirected
            .iter()
            .chain(&arguments.names)
            .chain([&listen])
            .find(|address| !address.ip().is_loopback());
        if let Some(address) = shared.filter(|_| arguments.lan.is_none()) {
            let fault = Fault::new(format!("{address} can be reached by others, who could use the proxy"));
            return Err(fault.hint("name the interface and who may: --lan wlan0 --client 192.168.1.23"));
        }
        if !arguments.control.ip().is_loopback() {
            return Err(Fault::new("the recording is asked on loopback only").hint("type --control 127.0.0.1:9000"));
        }
        let (proxy, proxy_address) = bind(listen).await?;
        let (control, control_address) = bind(arguments.control).await?;
        let (mut redirected, mut redirected_addresses) = (Vec::new(), Vec::new());
        for address in &arguments.redirected {
            let (listener, address) = bind(*address).await?;
            take_foreign(&listener);
            let quic =
                UdpSocket::bind(address).await.map_err(|error| Fault::new(format!("{address} (UDP): {error}")))?;
            redirected.push((listener, quic));
            redirected_addresses.push(address);
        }
        let names = Names::open(arguments).await?;
        #[cfg(feature = "wireguard")]
        let phone = super::wireguard::Phone::open(arguments).await?;
        Ok(Self {
            proxy,
            proxy_address,
            redirected,
            redirected_addresses,
            names,
            control,
            control_address,
            #[cfg(feature = "wireguard")]
            phone,
        })
    }

    /// Lets other commands find the recording, until what is given back is dropped.
    pub(super) fn announce(
        &self,
        arguments: &LiveArguments,
        upcoming: &Upcoming,
        token: &str,
    ) -> Result<Announced, Fault> {
        let (case, run) = (arguments.case(), &upcoming.run.id);
        #[cfg(feature = "wireguard")]
        let tunnel = self.phone.as_ref().map(|phone| phone.address);
        #[cfg(not(feature = "wireguard"))]
        let tunnel = None;
        let names = self.names.as_ref().map(|names| names.address);
        let ways = running::Ways { redirected: self.redirected_addresses.clone(), names, tunnel };
        running::announce(case, run, self.proxy_address, self.control_address, &ways, token)
    }
}

/// Where names are answered.
pub(super) struct Names {
    pub(super) socket: UdpSocket,
    pub(super) address: SocketAddr,
    pub(super) resolver: SocketAddr,
}

impl Names {
    async fn open(arguments: &LiveArguments) -> Result<Option<Self>, Fault> {
        let Some(listen) = arguments.names else { return Ok(None) };
        let resolver = arguments.dns.map_or_else(system_resolver, Ok)?;
        let opened = UdpSocket::bind(listen).await.and_then(|socket| Ok((socket.local_addr()?, socket)));
        let (address, socket) = opened.map_err(|error| Fault::new(format!("{listen}: {error}")))?;
        if is_answered_at(address, resolver) {
            let fault = Fault::new(format!("names would be asked of {resolver}, which is where they are answered"));
            return Err(fault.hint("name the resolver that knows them: --dns 192.168.1.1"));
        }
        Ok(Some(Self { socket, address, resolver }))
    }
}

/// Whether who listens at `address` gets what is sent to `resolver`.
fn is_answered_at(address: SocketAddr, resolver: SocketAddr) -> bool {
    // Nothing can be bound to an address of another machine.
    let is_own = || std::net::UdpSocket::bind((resolver.ip(), 0)).is_ok();
    resolver.port() == address.port()
        && (resolver.ip() == address.ip()
            || resolver.ip().is_unspecified()
            || address.ip().is_unspecified() && is_own())
}

/// The usual port of resolvers.
pub(super) const DNS: u16 = 53;

/// A resolver's address, with its port where that is not the usual one.
pub(super) fn resolver(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse().map(|address: IpAddr| SocketAddr::new(address, DNS)));
    address.map_err(|_| "no address of a resolver; type 192.168.1.1 or 192.168.1.1:5353".to_owned())
}

/// The first resolver that the system asks.
pub(super) fn system_resolver() -> Result<SocketAddr, Fault> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("nameserver")?.trim().parse().ok());
    let first = lines.next().map(|address: IpAddr| SocketAddr::new(address, DNS));
    first.ok_or_else(|| Fault::new("the system names no resolver").hint("name one: --dns 192.168.1.1"))
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Fault> {
    let opened = TcpListener::bind(address).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (bound, listener) = opened.map_err(|error| {
        let fault = Fault::new(format!("{address}: {error}"));
        if error.kind() == std::io::ErrorKind::AddrInUse {
            fault.hint("another port: --listen 127.0.0.1:0")
        } else {
            fault
        }
    })?;
    Ok((listener, bound))
}

/// Lets the listener take connections that are for other addresses, as TPROXY hands them over. `REDIRECT` needs
/// none of that, and without the right to administer the network there is no TPROXY either.
fn take_foreign(listener: &TcpListener) {
    use nix::sys::socket::{setsockopt, sockopt};
    let _ = setsockopt(listener, sockopt::IpTransparent, &true);
}

fn interfaces() -> Result<impl Iterator<Item = nix::ifaddrs::InterfaceAddress>, Fault> {
    nix::ifaddrs::getifaddrs().map_err(|error| Fault::new(format!("network interfaces: {error}")))
}

/// The addresses that this machine has now.
fn machine_addresses() -> Result<BTreeSet<IpAddr>, Fault> {
    let addresses = interfaces()?.filter_map(|entry| {
        let address = entry.address?;
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| address.ip().into()))
    });
    Ok(addresses.collect())
}

/// The first address of a network interface.
fn address_of(interface: &str) -> Result<IpAddr, Fault> {
    let mut names = BTreeSet::new();
    for entry in interfaces()? {
        let address = entry
            .address
            .as_ref()
            .and_then(nix::sys::socket::SockaddrStorage::as_sockaddr_in)
            .map(nix::sys::socket::SockaddrIn::ip);
        if let Some(address) = address {
            if entry.interface_name == interface {
                return Ok(address.into());
            }
            names.insert(entry.interface_name);
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    Err(Fault::new(format!("there is no interface {interface} with an IPv4 address"))
        .hint(format!("there are: {}", names.join(", "))))
}

/// Who may be reached, whom to trust, and the case's own authority.
pub(super) fn relay_settings(
    arguments: &LiveArguments,
    upcoming: &Upcoming,
    listening: &Listening,
) -> Result<RelaySettings, Fault> {
    let folder = arguments.case().join("live");
    let authority = Authority::in_folder(&folder, &format!("dyetrace live, run {}", upcoming.run.id));
    let own = [listening.proxy_address, listening.control_address];
    let own = own.into_iter().chain(listening.redirected_addresses.iter().copied());
    let own = own.chain(listening.names.as_ref().map(|names| names.address));
    #[cfg(feature = "wireguard")]
    let own = own.chain(listening.phone.as_ref().map(|phone| phone.address));
    let policy = Policy {
        also: arguments.also.iter().copied().collect(),
        machine: machine_addresses()?,
        own: own.collect(),
        leave_alone: arguments.leave_alone.iter().map(|name| name.to_ascii_lowercase()).collect(),
        clients: arguments.client.iter().copied().collect(),
    };
    Ok(RelaySettings {
        authority: authority.map_err(Fault::new)?,
        roots: roots(&arguments.server_ca)?,
        policy,
        idle: IDLE,
    })
}

/// The authorities that the system trusts, and those named.
fn roots(named: &[std::path::PathBuf]) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for path in named {
        let no = || Fault::new(format!("{}: no certificate in PEM", path.display()));
        let text = std::fs::read(path).map_err(|error| Fault::file(path, &error))?;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            roots.add(certificate.map_err(|_| no())?).map_err(|_| no())?;
        }
    }
    Ok(roots)
}

/// Begins the exhibit.
pub(super) fn journal(exhibit: &Path, proxy: &SocketAddr) -> Result<Arc<Journal>, Fault> {
    if let Some(folder) = exhibit.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Fault::file(folder, &error))?;
    }
    let journal =
        Journal::create(exhibit, &format!("proxy at {proxy}")).map_err(|error| Fault::file(exhibit, &error))?;
    Ok(Arc::new(journal))
}

/// 128 random bits in hexadecimal.
pub(super) fn token() -> Result<Arc<str>, Fault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Fault::new(format!("no random numbers from the system: {error}")))?;
    Ok(hex(&bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_not_asked_of_who_answers_them() {
        let is = |address: &str, resolver: &str| is_answered_at(address.parse().unwrap(), resolver.parse().unwrap());
        assert!(is("127.0.0.1:53", "127.0.0.1:53") && is("0.0.0.0:53", "127.0.0.1:53"));
        assert!(!is("127.0.0.1:9053", "127.0.0.1:53") && !is("127.0.0.1:53", "127.0.0.53:53"));
        // An address of documentation (RFC 5737) is no machine's.
        assert!(!is("0.0.0.0:53", "192.0.2.1:53"));
    }
}
