//! Transport payloads to bytes in order, and the guess which protocol they are.
//!
//! [`Flows`] takes the packets' payloads in the order of the capture. TCP segments are put in
//! order ([`half`], [`tcp`]) and pushed into a [`Dispatch`], which looks at the first bytes and
//! hands them on to the layer that can read them; datagrams go through [`udp`].

mod clear;
#[cfg(test)]
mod conversations;
mod dispatch;
mod guess;
mod half;
mod history;
mod sealed;
mod socks;
mod table;
mod tcp;
mod tls;
pub(crate) mod udp;

pub(crate) use dispatch::Dispatch;
pub(crate) use guess::Likeness;

use crate::capture::{Payload, Socket};
use crate::layer::Out;
use dyetrace_case::{App, Endpoint, NameSource, Time};
use std::sync::Arc;

/// Everything above IP in one capture.
pub(crate) struct Flows {
    streams: tcp::Streams,
    datagrams: udp::Datagrams,
}

impl Flows {
    /// Nothing seen yet.
    pub(crate) fn new() -> Self {
        Self { streams: tcp::Streams::new(), datagrams: udp::Datagrams::new() }
    }

    /// Takes what one packet carried. `app` is who the recorder says sent or received it.
    pub(crate) fn payload(&mut self, payload: Payload<'_>, time: Time, app: Option<&Arc<App>>, out: &mut Out<'_>) {
        match payload {
            Payload::Tcp(segment) => self.streams.segment(&segment, time, app, out),
            Payload::Udp(datagram) => self.datagrams.datagram(&datagram, time, app, out),
            Payload::Other { .. } => {}
        }
    }

    /// Memory held out of order, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.streams.held()
    }

    /// The capture ended: everything still held is emitted, in the order of the connections' numbers.
    pub(crate) fn end(&mut self, out: &mut Out<'_>) {
        self.streams.end(out);
        self.datagrams.end(out);
    }
}

/// One side as the wire shows it, with the name an earlier DNS answer gave where `named` is set.
fn endpoint(socket: Socket, named: Option<&Out<'_>>) -> Endpoint {
    let name = named.and_then(|out| out.names.of(socket.0)).map(|name| (name.to_owned(), NameSource::Dns));
    Endpoint { address: Some(socket.0), port: Some(socket.1), name }
}
