//! WireGuard itself: one peer, which its key identifies, wherever it calls from.

use super::config::Keys;
use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use nix::sys::socket::{setsockopt, sockopt};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Handshakes in a second before callers have to show that they are where they say (WireGuard paper, section 5.3).
const HANDSHAKES: u64 = 10;
/// The longest datagram, and what WireGuard adds to it.
const DATAGRAM: usize = 65_536 + 64;
/// Bytes that wait in the socket.
const RECEIVING: usize = 4 << 20;
/// The type of a message that only says "prove where you are" (WireGuard paper, section 5.4.7).
const COOKIE_REPLY: u8 = 3;

/// What was in a datagram.
pub(super) enum Inside {
    Packet(Vec<u8>),
    Nothing,
}

/// The tunnel to the client.
pub(super) struct Tunnel {
    socket: UdpSocket,
    session: Tunn,
    limiter: Arc<RateLimiter>,
    /// Where the client was when it last proved itself.
    peer: Option<SocketAddr>,
    received: Vec<u8>,
    made: Vec<u8>,
}

impl Tunnel {
    pub(super) fn new(socket: UdpSocket, keys: &Keys) -> Self {
        // A phone's windows fit in; the system may grant less.
        let _ = setsockopt(&socket, sockopt::RcvBuf, &RECEIVING);
        let own = StaticSecret::from(keys.own);
        let client = PublicKey::from(&StaticSecret::from(keys.client));
        let limiter = Arc::new(RateLimiter::new(&PublicKey::from(&own), HANDSHAKES));
        let session = Tunn::new(own, client, None, None, 0, Some(Arc::clone(&limiter)));
        Self { socket, session, limiter, peer: None, received: vec![0; DATAGRAM], made: vec![0; DATAGRAM] }
    }

    /// Waits until there may be a datagram.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Takes a datagram, and the packet inside; `None` where no datagram has come.
    pub(super) fn receive(&mut self) -> Option<Inside> {
        // An error is that of an earlier datagram, which did not arrive.
        let (length, from) = self.socket.try_recv_from(&mut self.received).ok()?;
        if length == 0 {
            return Some(Inside::Nothing);
        }
        let datagram = self.received.get(..length).unwrap_or_default();
        let packet = match self.session.decapsulate(Some(from.ip()), datagram, &mut self.made) {
            TunnResult::Err(_) => return Some(Inside::Nothing),
            TunnResult::Done => Inside::Nothing,
            TunnResult::WriteToTunnelV4(packet, _) | TunnResult::WriteToTunnelV6(packet, _) => {
                Inside::Packet(packet.to_vec())
            }
            TunnResult::WriteToNetwork(answer) => {
                let _ = self.socket.try_send_to(answer, from);
                if answer.first() == Some(&COOKIE_REPLY) {
                    return Some(Inside::Nothing);
                }
                self.peer = Some(from);
                self.send_waiting(from);
                Inside::Nothing
            }
        };
        self.peer = Some(from);
        Some(packet)
    }

    /// What had to wait for the handshake.
    fn send_waiting(&mut self, to: SocketAddr) {
        while let TunnResult::WriteToNetwork(datagram) = self.session.decapsulate(None, &[], &mut self.made) {
            let _ = self.socket.try_send_to(datagram, to);
        }
    }

    /// Sends a packet to the client, if it has called yet.
    pub(super) async fn send(&mut self, packet: &[u8]) {
        if let TunnResult::WriteToNetwork(datagram) = self.session.encapsulate(packet, &mut self.made)
            && let Some(peer) = self.peer
        {
            let _ = self.socket.send_to(datagram, peer).await;
        }
    }

    /// Does what is due: to be called some times a second.
    pub(super) async fn tick(&mut self) {
        self.limiter.reset_count();
        if let TunnResult::WriteToNetwork(datagram) = self.session.update_timers(&mut self.made)
            && let Some(peer) = self.peer
        {
            let _ = self.socket.send_to(datagram, peer).await;
        }
    }
}
