//! The client's datagrams: names are asked of one resolver, QUIC is refused, the rest is relayed.

use super::super::{dns, quic};
use super::packet::{self, Packet};
use super::{OWN_V4, OWN_V6};
use crate::relay::Relay;
use dyetrace_case::Side;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{Receiver, Sender, channel};

const DNS: u16 = 53;
/// Pairs of client and server at once.
const FLOWS: usize = 512;
/// Datagrams that wait for a socket.
const WAITING: usize = 64;
/// How long a pair is silent before it is forgotten (RFC 4787 section 4.3 asks for two minutes), and for names.
const IDLE: Duration = Duration::from_mins(2);
const IDLE_DNS: Duration = Duration::from_secs(15);

/// Relays datagrams.
pub(super) struct Datagrams {
    relay: Arc<Relay>,
    resolver: SocketAddr,
    flows: HashMap<(SocketAddr, SocketAddr), Sender<Vec<u8>>>,
    answers: Sender<Vec<u8>>,
    names: quic::Names,
}

impl Datagrams {
    /// Packets for the client go to `answers`.
    pub(super) fn new(relay: Arc<Relay>, resolver: SocketAddr, answers: Sender<Vec<u8>>) -> Self {
        Self { relay, resolver, flows: HashMap::new(), answers, names: quic::Names::default() }
    }

    /// Takes a datagram, which came in that packet. What is to be answered at once.
    pub(super) fn take(&mut self, whole: &[u8], ends: Packet<'_>, payload: &[u8]) -> Option<Vec<u8>> {
        let (client, server) = (ends.from, ends.to);
        let relay = Arc::clone(&self.relay);
        // What cannot be written down and searched does not pass; datagrams may be lost.
        if !relay.takes_datagram() {
            return None;
        }
        let is_own = [OWN_V4.into(), OWN_V6.into()].contains(&server.ip());
        let refused = match server.port() {
            DNS => None,
            quic::HTTPS => Some(quic::remark(self.names.of(client, payload).as_deref())),
            _ if is_own => Some(refusal("nobody listens there")),
            _ => relay.policy().check(server).err().map(|denied| refusal(&denied.to_string())),
        };
        if let Some(comment) = refused {
            relay.datagram((client, server), Side::Request, payload, Some(&comment));
            return packet::port_unreachable(whole);
        }
        let Some((sender, is_new)) = self.sender(client, server) else {
            relay.lose_datagram();
            return packet::port_unreachable(whole);
        };
        if let Ok(room) = sender.try_reserve() {
            let comment = is_new.then(|| self.words(server));
            relay.datagram((client, server), Side::Request, payload, comment.as_deref());
            room.send(payload.to_vec());
        } else {
            relay.lose_datagram();
        }
        None
    }

    fn words(&self, server: SocketAddr) -> String {
        if server.port() == DNS {
            return dns::asked_of(self.resolver);
        }
        format!("dyetrace:datagram target={server}")
    }

    /// Where datagrams for a server go, and whether they are the first; `None` where there are too many already.
    fn sender(&mut self, client: SocketAddr, server: SocketAddr) -> Option<(Sender<Vec<u8>>, bool)> {
        if let Some(sender) = self.flows.get(&(client, server)).filter(|sender| !sender.is_closed()) {
            return Some((sender.clone(), false));
        }
        if self.flows.len() >= FLOWS {
            self.flows.retain(|_, sender| !sender.is_closed());
        }
        if self.flows.len() >= FLOWS {
            return None;
        }
        let (sender, waiting) = channel(WAITING);
        let is_dns = server.port() == DNS;
        let pair = Pair { relay: Arc::clone(&self.relay), answers: self.answers.clone(), client, server, is_dns };
        tokio::spawn(pair.run(if is_dns { self.resolver } else { server }, waiting));
        self.flows.insert((client, server), sender.clone());
        Some((sender, true))
    }
}

/// What the journal says of a datagram that goes nowhere.
fn refusal(why: &str) -> String {
    format!("dyetrace:datagram refused: {why}")
}

/// A client's port and a server.
struct Pair {
    relay: Arc<Relay>,
    answers: Sender<Vec<u8>>,
    client: SocketAddr,
    server: SocketAddr,
    is_dns: bool,
}

impl Pair {
    async fn run(self, to: SocketAddr, mut waiting: Receiver<Vec<u8>>) -> io::Result<()> {
        let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
        socket.connect(to).await?;
        let mut answer = vec![0; 65_536];
        loop {
            tokio::select! {
                next = waiting.recv() => match next {
                    // An error is that of an earlier datagram.
                    Some(payload) => drop(socket.send(&payload).await),
                    None => return Ok(()),
                },
                length = socket.recv(&mut answer) => {
                    self.answer(answer.get(..length?).unwrap_or_default()).await;
                }
                () = tokio::time::sleep(if self.is_dns { IDLE_DNS } else { IDLE }) => return Ok(()),
            }
        }
    }

    async fn answer(&self, payload: &[u8]) {
        if !self.relay.takes_datagram() {
            return;
        }
        let stripped = if self.is_dns { dns::strip(payload) } else { None };
        let comment = stripped.as_ref().map(dns::Stripped::remark);
        let payload = stripped.as_ref().map_or(payload, |stripped| &stripped.message);
        if let Some(packet) = packet::datagram(self.server, self.client, payload) {
            self.relay.datagram((self.client, self.server), Side::Response, payload, comment.as_deref());
            let _ = self.answers.send(packet).await;
        }
    }
}
