//! Names that devices ask for (DNS over UDP), where a firewall sends them here or a device is told to ask here: they are
//! asked of one resolver, and answered without what would lead the client to connections that cannot be read.

use super::dns;
use crate::relay::Relay;
use dyetrace_case::Side;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;

/// Questions at once.
const QUESTIONS: usize = 512;
/// How long a question waits for its answer; resolvers of clients ask again sooner.
const PATIENCE: Duration = Duration::from_secs(15);

/// Serves a socket until the task is dropped. In the journal, the server of these datagrams is the resolver, whomever
/// the client asked: it is who got the question.
pub async fn serve(socket: UdpSocket, resolver: SocketAddr, relay: Arc<Relay>) {
    let (socket, room) = (Arc::new(socket), Arc::new(Semaphore::new(QUESTIONS)));
    let mut message = vec![0; dns::MESSAGE];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut message).await else {
            // The error of an answer that nobody took.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // What cannot be written down and searched does not pass; datagrams may be lost.
        if !relay.policy().admits(client.ip()) || !relay.has_room() {
            continue;
        }
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
        let question = message.get(..length).unwrap_or_default().to_vec();
        let asker = Asker { relay: Arc::clone(&relay), socket: Arc::clone(&socket), client, resolver };
        tokio::spawn(async move {
            // Who gets no answer asks again.
            let _ = tokio::time::timeout(PATIENCE, asker.ask(&question)).await;
            drop(permit);
        });
    }
}

/// A client that waits for an answer.
struct Asker {
    relay: Arc<Relay>,
    socket: Arc<UdpSocket>,
    client: SocketAddr,
    resolver: SocketAddr,
}

impl Asker {
    async fn ask(&self, question: &[u8]) -> io::Result<()> {
        let comment = dns::asked_of(self.resolver);
        self.relay.datagram((self.client, self.resolver), Side::Request, question, Some(&comment));
        let any = if self.resolver.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let asked = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
        asked.connect(self.resolver).await?;
        asked.send(question).await?;
        loop {
            asked.readable().await?;
            // Only now: many questions that wait must not each hold room for the longest answer.
            let mut answer = vec![0; dns::MESSAGE];
            let length = match asked.try_recv(&mut answer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                received => received?,
            };
            let answer = answer.get(..length).unwrap_or_default();
            // The answer to another question has another number (RFC 1035 section 4.1.1).
            if answer.get(..2) == question.get(..2) {
                return self.answer(answer).await;
            }
        }
    }

    async fn answer(&self, answer: &[u8]) -> io::Result<()> {
        if !self.relay.has_room() {
            return Ok(());
        }
        let stripped = dns::strip(answer);
        let comment = stripped.as_ref().map(dns::Stripped::remark);
        let answer = stripped.as_ref().map_or(answer, |stripped| &stripped.message);
        self.relay.datagram((self.client, self.resolver), Side::Response, answer, comment.as_deref());
        self.socket.send_to(answer, self.client).await.map(drop)
    }
}
