//! A WireGuard tunnel: for phones whose apps ignore the proxy that the phone is set to.
//!
//! The phone scans a code, and everything that it sends comes here. Connections are answered in the name of
//! whatever they are for ([`stack`]), once the target was reached; datagrams go their own way ([`datagrams`]).
//! Nothing of it needs rights on this machine: there is no network interface.

mod config;
mod datagrams;
mod packet;
mod pipe;
mod stack;
mod tunnel;

pub use config::{Code, Keys};

use super::http_proxy;
use crate::relay::{Host, Relay, Target, Unreachable};
use datagrams::Datagrams;
use packet::Transport;
use stack::{Ends, Stack};
use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::MissedTickBehavior;
use tunnel::{Inside, Tunnel};

/// This end of the tunnel: names are asked there, and `http://` there has the certificate to trust.
pub const OWN_V4: Ipv4Addr = Ipv4Addr::new(10, 213, 7, 1);
/// This end, in IPv6 (a local network, RFC 4193).
pub const OWN_V6: Ipv6Addr = Ipv6Addr::new(0xfd64, 0x7965, 0x7472, 0x6163, 0, 0, 0, 1);
/// The phone.
pub const CLIENT_V4: Ipv4Addr = Ipv4Addr::new(10, 213, 7, 2);
/// The phone, in IPv6.
pub const CLIENT_V6: Ipv6Addr = Ipv6Addr::new(0xfd64, 0x7965, 0x7472, 0x6163, 0, 0, 0, 2);
/// Connections at once. A busy one holds some 400 KiB.
const CONNECTIONS: usize = 512;
/// Datagrams that are taken before what they bring is worked on.
const AT_ONCE: usize = 64;
/// How often the tunnel looks what is due.
const TICK: Duration = Duration::from_millis(250);
const HTTP: u16 = 80;

/// Serves the tunnel until the task is dropped. Names are asked of `resolver`.
///
/// # Errors
/// Where the socket fails.
pub async fn serve(socket: UdpSocket, keys: &Keys, resolver: SocketAddr, relay: Arc<Relay>) -> io::Result<()> {
    let (answers, answered) = channel(AT_ONCE);
    let (reaching, reached) = channel(AT_ONCE);
    let wake = Arc::new(Notify::new());
    let front = Front {
        tunnel: Tunnel::new(socket, keys),
        stack: Stack::new(&[(OWN_V4.into(), 24), (OWN_V6.into(), 64)], Arc::clone(&wake)),
        datagrams: Datagrams::new(Arc::clone(&relay), resolver, answers),
        relay,
        wake,
        opening: HashSet::new(),
        reaching,
    };
    // The tunnel's state is large.
    Box::pin(front.run(reached, answered)).await
}

/// A connection whose target was reached, or not.
struct Reached {
    ends: Ends,
    opening: Vec<u8>,
    sequence: u32,
    server: Result<TcpStream, Unreachable>,
}

struct Front {
    tunnel: Tunnel,
    stack: Stack,
    datagrams: Datagrams,
    relay: Arc<Relay>,
    wake: Arc<Notify>,
    /// Connections whose target is being reached.
    opening: HashSet<Ends>,
    reaching: Sender<Reached>,
}

impl Front {
    async fn run(mut self, mut reached: Receiver<Reached>, mut answered: Receiver<Vec<u8>>) -> io::Result<()> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let rest = self.stack.rest().unwrap_or(TICK);
            tokio::select! {
                ready = self.tunnel.readable() => { ready?; self.receive().await; }
                Some(reached) = reached.recv() => self.begin(reached).await,
                Some(packet) = answered.recv() => self.tunnel.send(&packet).await,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(rest) => {}
                _ = ticks.tick() => self.tunnel.tick().await,
            }
            self.work().await;
        }
    }

    /// Does what there is to do, and sends what comes of it.
    async fn work(&mut self) {
        loop {
            self.stack.work();
            let mut sent = 0;
            while let Some(packet) = self.stack.next() {
                self.tunnel.send(&packet).await;
                sent += 1;
            }
            if sent < stack::PACKETS {
                return;
            }
            // Many packets for the client: it may have answered some.
            self.receive().await;
        }
    }

    async fn receive(&mut self) {
        for _ in 0..AT_ONCE {
            let Some(inside) = self.tunnel.receive() else { return };
            if let Inside::Packet(packet) = inside
                && let Some(answer) = self.take(packet)
            {
                self.tunnel.send(&answer).await;
            }
        }
    }

    /// Takes a packet; what is to be answered at once.
    fn take(&mut self, whole: Vec<u8>) -> Option<Vec<u8>> {
        let packet = packet::read(&whole)?;
        // Nobody but the phone is at the other end.
        if ![CLIENT_V4.into(), CLIENT_V6.into()].contains(&packet.from.ip()) {
            return None;
        }
        let ends = (packet.from, packet.to);
        match packet.what {
            Transport::Datagram(payload) => self.datagrams.take(&whole, packet, payload),
            Transport::Opening(sequence) if !self.stack.has(ends) => self.open(ends, sequence, whole),
            Transport::Opening(_) | Transport::Segment => {
                self.stack.take(whole);
                None
            }
        }
    }

    /// The client hears nothing before its target was reached: it is to see what it would see without us.
    fn open(&mut self, ends: Ends, sequence: u32, opening: Vec<u8>) -> Option<Vec<u8>> {
        let (client, server) = ends;
        if self.opening.contains(&ends) {
            return None;
        }
        let is_own = [OWN_V4.into(), OWN_V6.into()].contains(&server.ip());
        let is_welcome = self.opening.len() + self.stack.len() < CONNECTIONS;
        if is_own && is_welcome && server.port() == HTTP {
            let relay = Arc::clone(&self.relay);
            let stream = self.stack.accept(ends, opening)?;
            tokio::spawn(async move { http_proxy::serve(stream, client, &relay).await });
            return None;
        }
        if is_own || !is_welcome {
            return packet::reset(server, client, sequence);
        }
        self.opening.insert(ends);
        let (relay, reaching) = (Arc::clone(&self.relay), self.reaching.clone());
        tokio::spawn(async move {
            let server = relay.reach(client, &target(server)).await;
            let _ = reaching.send(Reached { ends, opening, sequence, server }).await;
        });
        None
    }

    async fn begin(&mut self, reached: Reached) {
        let Reached { ends: ends @ (client, server), opening, sequence, server: outcome } = reached;
        self.opening.remove(&ends);
        let Ok(connected) = outcome else {
            if let Some(packet) = packet::reset(server, client, sequence) {
                self.tunnel.send(&packet).await;
            }
            return;
        };
        if let Some(stream) = self.stack.accept(ends, opening) {
            let relay = Arc::clone(&self.relay);
            tokio::spawn(async move { relay.relay(stream, client, &target(server), connected).await });
        }
    }
}

fn target(server: SocketAddr) -> Target {
    Target { host: Host::Address(server.ip()), port: server.port() }
}
