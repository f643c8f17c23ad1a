//! Names that devices ask for (DNS over UDP), where a firewall sends them here or a device is told to ask here: they are
//! asked of one resolver, and answered without what would lead the client to connections that cannot be read.

use super::dns;
use crate::relay::Relay;
use dyetrace_case::Side;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Questions at once, and of one client's address.
const QUESTIONS: usize = 512;
const OF_ONE: usize = 64;
/// Bytes of a question; a name has 255.
const QUESTION: usize = 4096;
/// How long a question waits for its answer; resolvers of clients ask again after as long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves a socket until the task is dropped. In the journal, the server of these datagrams is the resolver, whomever
/// the client asked: it is who got the question.
pub async fn serve(socket: UdpSocket, resolver: SocketAddr, relay: Arc<Relay>) {
    let (socket, waiting) = (Arc::new(socket), Arc::new(Waiting::default()));
    let mut message = vec![0; dns::MESSAGE];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut message).await else {
            // The error of an answer that nobody took.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if !relay.policy().admits(client.ip()) {
            continue;
        }
        let question = message.get(..length).unwrap_or_default().to_vec();
        let Some(place) = waiting.place(client.ip()).filter(|_| length <= QUESTION) else {
            relay.lose_datagram();
            continue;
        };
        let asker = Asker { relay: Arc::clone(&relay), socket: Arc::clone(&socket), client, resolver };
        tokio::spawn(async move {
            // Who gets no answer asks again.
            let _ = tokio::time::timeout(PATIENCE, asker.ask(&question)).await;
            drop(place);
        });
    }
}

/// How many questions wait, by the address of the client.
#[derive(Default)]
struct Waiting(Mutex<HashMap<IpAddr, usize>>);

impl Waiting {
    /// A place among them, until it is dropped. Sources of datagrams prove nothing, so none may take all places.
    fn place(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let mut counts = self.lock();
        if counts.values().sum::<usize>() >= QUESTIONS {
            return None;
        }
        let count = counts.entry(client).or_default();
        if *count >= OF_ONE {
            return None;
        }
        *count += 1;
        Some(Place { waiting: Arc::clone(self), client })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One question that waits.
struct Place {
    waiting: Arc<Waiting>,
    client: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.waiting.lock();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
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
        let any = if self.resolver.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let asked = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
        asked.connect(self.resolver).await?;
        // What cannot be written down and searched does not pass; and what is written down as asked is asked.
        if !self.relay.takes_datagram() {
            return Ok(());
        }
        let comment = dns::asked_of(self.resolver);
        self.relay.datagram((self.client, self.resolver), Side::Request, question, Some(&comment));
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
        if !self.relay.takes_datagram() {
            return Ok(());
        }
        let stripped = dns::strip(answer);
        let comment = stripped.as_ref().map(dns::Stripped::remark);
        let answer = stripped.as_ref().map_or(answer, |stripped| &stripped.message);
        self.relay.datagram((self.client, self.resolver), Side::Response, answer, comment.as_deref());
        self.socket.send_to(answer, self.client).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_does_not_take_the_places_of_all() {
        let waiting = Arc::new(Waiting::default());
        let client = |number: u8| IpAddr::from([192, 0, 2, number]);
        let held: Vec<Place> = (0..OF_ONE).map(|_| waiting.place(client(1)).unwrap()).collect();
        assert!(waiting.place(client(1)).is_none());
        let others: Vec<Place> = (2..=255).cycle().map_while(|number| waiting.place(client(number))).collect();
        assert_eq!(others.len(), QUESTIONS - OF_ONE);
        drop((held, others));
        assert!(waiting.place(client(1)).is_some() && waiting.lock().is_empty());
    }
}
