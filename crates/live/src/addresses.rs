//! Addresses of servers' names, remembered for a moment: a page's connections come many at once, and asking wakes
//! other threads for each of them.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// For so long. The system's resolver does not say how long an answer holds.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Names remembered at once.
const NAMES: usize = 4096;

/// What the system's resolver said.
#[derive(Default)]
pub(crate) struct Addresses(Mutex<HashMap<String, Answer>>);

struct Answer {
    at: Instant,
    addresses: Vec<SocketAddr>,
}

impl Addresses {
    /// The addresses of a name, with that port.
    ///
    /// # Errors
    /// What the resolver said. Only answers are remembered.
    pub(crate) async fn of(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let addresses = if let Some(addresses) = self.remembered(name) {
            addresses
        } else {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name, port)).await?.collect();
            self.remember(name, addresses.clone());
            addresses
        };
        let with_port = |mut address: SocketAddr| {
            address.set_port(port);
            address
        };
        Ok(addresses.into_iter().map(with_port).collect())
    }

    /// None of them could be reached: they may have changed.
    pub(crate) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn remembered(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let names = self.lock();
        let answer = names.get(name).filter(|answer| answer.at.elapsed() < REMEMBERED)?;
        Some(answer.addresses.clone())
    }

    fn remember(&self, name: &str, addresses: Vec<SocketAddr>) {
        let mut names = self.lock();
        if names.len() >= NAMES {
            names.clear();
        }
        names.insert(name.to_owned(), Answer { at: Instant::now(), addresses });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_serves_every_port_until_it_is_old_or_of_no_use() {
        let addresses = Addresses::default();
        addresses.remember("a.invalid", vec![([192, 0, 2, 1], 443).into()]);
        assert_eq!(addresses.of("a.invalid", 8443).await.unwrap(), [([192, 0, 2, 1], 8443).into()]);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(addresses.remembered("a.invalid"), None);
        addresses.remember("a.invalid", vec![([192, 0, 2, 1], 443).into()]);
        addresses.forget("a.invalid");
        assert_eq!(addresses.remembered("a.invalid"), None);
    }

    #[test]
    fn names_of_strangers_do_not_fill_the_memory() {
        let addresses = Addresses::default();
        for number in 0..2 * NAMES {
            addresses.remember(&format!("{number}.invalid"), Vec::new());
        }
        assert!(addresses.lock().len() <= NAMES);
    }
}
