//! Connections that the firewall redirected here: where they were going is asked of the system (Linux).

use crate::relay::{Host, Relay, Target};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpStream;

pub(super) async fn serve(client: TcpStream, peer: SocketAddr, relay: &Relay) -> io::Result<()> {
    let going = original(&client)?;
    let target = Target { host: Host::Address(going.ip()), port: going.port() };
    match relay.reach(peer, &target).await {
        Ok(server) => relay.relay(client, peer, &target, server).await,
        // The client sees its connection reset, as without us.
        Err(_) => client.set_zero_linger(),
    }
}

/// `REDIRECT` rewrites the address and remembers the old one; `TPROXY` leaves it, so that it is our own.
#[cfg(target_os = "linux")]
fn original(client: &TcpStream) -> io::Result<SocketAddr> {
    use nix::sys::socket::{getsockopt, sockopt};
    if let Ok(found) = getsockopt(client, sockopt::OriginalDst) {
        let address = Ipv4Addr::from(u32::from_be(found.sin_addr.s_addr));
        return Ok(SocketAddr::new(address.into(), u16::from_be(found.sin_port)));
    }
    if let Ok(found) = getsockopt(client, sockopt::Ip6tOriginalDst) {
        let address = Ipv6Addr::from(found.sin6_addr.s6_addr);
        return Ok(SocketAddr::new(address.to_canonical(), u16::from_be(found.sin6_port)));
    }
    client.local_addr()
}

#[cfg(not(target_os = "linux"))]
fn original(_: &TcpStream) -> io::Result<SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "redirected connections can be taken on Linux only"))
}
