//! What passes, for whoever watches: bytes as they were inside TLS, in order, off the path of the relay.
//!
//! Connections push, one thread takes. Where it falls behind by more than there is room for, connections wait for it, and
//! datagrams, which cannot wait, are lost and counted: nothing that passed goes unseen.

use crate::guard::Guarded;
use crate::journal::now;
use dyetrace_case::{Side, Time};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Bytes that wait for the watcher before connections wait for it. As much again is in its hands.
const WAITING: usize = 4 << 20;
/// Bytes beyond that until datagrams are lost: connections that wait for room must not take all of it.
const FOR_DATAGRAMS: usize = 1 << 20;
/// What an event counts beside its bytes.
const EVENT: usize = 128;
/// Waking the watcher costs as much as a small request, so it sleeps this long where little waits.
const COLLECTED: Duration = Duration::from_millis(10);
const PROMPTLY: usize = 256 << 10;

/// Something that happened on a connection.
#[derive(Debug, Clone)]
pub struct Event {
    /// The connection's number, as in the journal.
    pub connection: u64,
    /// When.
    pub time: Time,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    /// A client reached a server.
    Opened {
        /// The client.
        client: SocketAddr,
        /// The address that was connected for it.
        server: SocketAddr,
    },
    /// TLS was opened on both sides; bytes that follow were inside.
    Secured(Secured),
    /// The bytes cannot be read, and why.
    Unread(Unread),
    /// Bytes that one side sent. Where a guard stands between them: what the client sent and what it got.
    Bytes(Side, Vec<u8>),
    /// One datagram, of no connection: the event's number says nothing.
    Datagram {
        /// Who sent the first one between the two.
        client: SocketAddr,
        /// The other end.
        server: SocketAddr,
        /// Who sent this one.
        side: Side,
        /// What is in it.
        payload: Vec<u8>,
    },
    /// The guard decided about something that the client was sending.
    Guarded(Guarded),
    /// One side sends no more.
    Ended(Side),
    /// The connection is over.
    Closed,
}

/// A TLS connection that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// The name the client asked for.
    pub name: Option<String>,
    /// `TLS 1.3`.
    pub version: &'static str,
    /// The suite towards the client, as IANA names it.
    pub suite: String,
    /// The protocol both sides agreed on.
    pub alpn: Option<Vec<u8>>,
}

/// Why the bytes of a connection could not be read; they were relayed as they are, or the connection failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The name the client asked for, or the target's.
    pub name: Option<String>,
    /// Why.
    pub reason: UnreadReason,
    /// What exactly was said, such as the alert.
    pub detail: String,
}

/// Why the bytes of a connection could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnreadReason {
    /// The client did not accept our certificate: it pins the server's, or does not trust our authority.
    ClientRefused,
    /// The client did not finish the handshake in time.
    NotFinished,
    /// It had refused before; now it was relayed as it is.
    RefusedBefore,
    /// The tester asked for this name to be left alone.
    LeftAlone,
    /// The server's own certificate is not trusted here, or its TLS is not spoken here.
    ServerNotTrusted,
    /// The ClientHello could not be read.
    NotUnderstood,
    /// The server could not, or may not, be reached: nothing was sent.
    Unreachable,
}

impl UnreadReason {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ClientRefused => "the client refused our certificate",
            Self::NotFinished => "the client did not finish the handshake in time",
            Self::RefusedBefore => "the client had refused our certificate before; relayed unread",
            Self::LeftAlone => "left alone as asked; relayed unread",
            Self::ServerNotTrusted => "no TLS with the server that could be trusted; relayed unread",
            Self::Unreachable => "the server was not reached",
            Self::NotUnderstood => "the ClientHello could not be read; relayed unread",
        }
    }
}

/// The queue between connections and the watcher.
#[derive(Clone, Default)]
pub struct Watch(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    /// Bytes that may wait.
    room: usize,
    /// Datagrams that did not pass.
    lost: AtomicU64,
}

impl Default for Shared {
    fn default() -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), room: WAITING, lost: AtomicU64::new(0) }
    }
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    bytes: usize,
    closed: bool,
    wakers: Vec<Waker>,
}

impl Watch {
    /// With room for so many bytes, instead of 4 MiB.
    pub fn with_room(room: usize) -> Self {
        Self(Arc::new(Shared { room, ..Shared::default() }))
    }

    /// Tells the watcher. Waits for it where it is behind.
    pub async fn tell(&self, connection: u64, what: What) {
        std::future::poll_fn(|context| self.poll_room(context)).await;
        self.tell_now(connection, what);
    }

    /// Tells the watcher something short, without waiting.
    pub fn tell_now(&self, connection: u64, what: What) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let before = state.bytes;
        state.bytes += EVENT
            + match &what {
                What::Bytes(_, bytes) | What::Datagram { payload: bytes, .. } => bytes.len(),
                _ => 0,
            };
        let wakes = state.events.is_empty() || before < PROMPTLY && state.bytes >= PROMPTLY;
        state.events.push(Event { connection, time: now(), what });
        drop(state);
        if wakes {
            self.0.filled.notify_one();
        }
    }

    /// Takes what has happened since, waiting for it at most `patience`. False once nothing more will come.
    pub fn take(&self, events: &mut Vec<Event>, patience: Duration) -> bool {
        events.clear();
        let idle = |state: &mut State| state.events.is_empty() && !state.closed;
        let waited = self.0.filled.wait_timeout_while(self.lock(), patience, idle);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let little = |state: &mut State| !state.events.is_empty() && state.bytes < PROMPTLY && !state.closed;
        let waited = self.0.filled.wait_timeout_while(state, COLLECTED.min(patience), little);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(events, &mut state.events);
        state.bytes = 0;
        state.wakers.drain(..).for_each(Waker::wake);
        !events.is_empty() || !state.closed
    }

    /// Nothing more will be told, and whoever waits goes on.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.wakers.drain(..).for_each(Waker::wake);
        self.0.filled.notify_all();
    }

    /// Whether nobody watches any more.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the watcher is not so far behind that datagrams are lost, which cannot wait for it.
    pub(crate) fn has_room_for_datagrams(&self) -> bool {
        let state = self.lock();
        state.bytes < self.0.room + FOR_DATAGRAMS || state.closed
    }

    /// Counts a datagram that did not pass.
    pub(crate) fn lose_datagram(&self) {
        self.0.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Datagrams that did not pass until now, because disk or watcher were behind or too many waited.
    pub fn lost_datagrams(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Ready when the watcher is not behind.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.bytes < self.0.room || state.closed {
            return Poll::Ready(());
        }
        state.wakers.push(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_fill_their_room_leave_some_to_datagrams() {
        let watch = Watch::with_room(1000);
        let has_room = || watch.poll_room(&mut Context::from_waker(Waker::noop())).is_ready();
        watch.tell_now(0, What::Bytes(Side::Request, vec![0; 2000]));
        assert!(!has_room() && watch.has_room_for_datagrams());
        watch.tell_now(0, What::Bytes(Side::Request, vec![0; FOR_DATAGRAMS]));
        assert!(!watch.has_room_for_datagrams());
        watch.lose_datagram();
        assert!(watch.take(&mut Vec::new(), Duration::ZERO) && has_room() && watch.has_room_for_datagrams());
        assert_eq!(watch.lost_datagrams(), 1);
    }
}
