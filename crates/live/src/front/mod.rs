//! The ways by which connections come here.

pub mod dns;
mod http_proxy;
pub mod names;
mod one_request;
pub mod quic;
mod redirected;
mod socks;
#[cfg(feature = "wireguard")]
pub mod wireguard;

use crate::policy::Denied;
use crate::relay::{Relay, Unreachable};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Clients must say where they want to go within this.
const GREETING: Duration = Duration::from_secs(15);
/// Connections at once. Each holds some 100 KiB.
const CONNECTIONS: usize = 4096;

/// What a listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// An HTTP proxy and a SOCKS5 proxy: the first byte tells which the client wants.
    Proxy,
    /// Connections that a firewall's rule redirected here (Linux: `REDIRECT` or `TPROXY`).
    Redirected,
}

/// Serves a listener until the task is dropped.
pub async fn serve(listener: TcpListener, front: Front, relay: Arc<Relay>) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let Ok((client, peer)) = listener.accept().await else {
            // Out of descriptors, or a client that went: later ones may fare better.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if !relay.policy().admits(peer.ip()) {
            continue;
        }
        let relay = Arc::clone(&relay);
        tokio::spawn(async move {
            // What went wrong on a connection is in the journal.
            let _ = serve_one(client, peer, front, &relay).await;
            drop(permit);
        });
    }
}

async fn serve_one(client: TcpStream, peer: SocketAddr, front: Front, relay: &Relay) -> io::Result<()> {
    client.set_nodelay(true)?;
    match front {
        Front::Redirected => redirected::serve(client, peer, relay).await,
        Front::Proxy => {
            let mut first = [0];
            let peeked = tokio::time::timeout(GREETING, client.peek(&mut first)).await;
            match (peeked.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??, first) {
                (0, _) => Ok(()),
                (_, [5]) => socks::serve(client, peer, relay).await,
                _ => http_proxy::serve(client, peer, relay).await,
            }
        }
    }
}

/// Why, as proxies say it in a status of HTTP.
fn status(unreachable: &Unreachable) -> &'static str {
    match unreachable {
        Unreachable::Denied(Denied::Ourselves) => "508 Loop Detected",
        Unreachable::Denied(_) => "403 Forbidden",
        Unreachable::Failed(error) if error.kind() == io::ErrorKind::TimedOut => "504 Gateway Timeout",
        Unreachable::Failed(_) => "502 Bad Gateway",
    }
}
