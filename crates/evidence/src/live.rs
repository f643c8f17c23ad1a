//! Connections that are read while they last, from whoever relays them.
//!
//! What is inside TLS comes as plain bytes, since who relays has opened it. Records have the names that the same
//! connections have in a capture of them, so that what was seen live is found again in the recording.

use crate::capture::{Socket, UdpDatagram};
use crate::flow::Dispatch;
use crate::flow::udp::Datagrams;
use crate::layer::{Conn, Layer as _, Out};
use dyetrace_case::{Channel, ChannelKind, Endpoint, NameSource, Side, Time, Transport};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

/// Conversations by datagrams at once; each lookup of a name is one.
const TALKS: usize = 4096;
/// Nanoseconds that a name waits for its answer before it is shown without one.
const PATIENCE: i64 = 5_000_000_000;

/// Connections by their number, in the order in which they began.
pub struct Live {
    open: BTreeMap<u64, Open>,
    /// Bytes that the layers of all connections hold.
    held: usize,
    datagrams: Datagrams,
    /// Sockets between which something was asked, and when, in that order.
    asked: VecDeque<(Time, [Socket; 2])>,
}

impl Default for Live {
    fn default() -> Self {
        let datagrams = Datagrams::at_most(TALKS);
        Self { open: BTreeMap::new(), held: 0, datagrams, asked: VecDeque::new() }
    }
}

struct Open {
    conn: Conn,
    layer: Option<Dispatch>,
    /// Bytes that the layer holds.
    held: usize,
    /// Bytes that nobody could open are not for reading.
    unread: bool,
}

/// A TLS connection as who opened it knows it.
#[derive(Debug, Clone, Default)]
pub struct Inside {
    /// The name the client asked for.
    pub name: Option<String>,
    /// `TLS 1.3`.
    pub version: String,
    /// The suite's IANA name.
    pub suite: String,
    /// The protocol agreed on.
    pub alpn: Option<Vec<u8>>,
}

impl Live {
    /// A connection began.
    pub fn opened(&mut self, number: u64, client: SocketAddr, server: SocketAddr) {
        let endpoint =
            |end: SocketAddr| Endpoint { address: Some(end.ip().to_canonical()), port: Some(end.port()), name: None };
        let conn = Conn {
            id: format!("tcp:{number}"),
            transport: Transport::Tcp,
            client: endpoint(client),
            server: endpoint(server),
            channel: Channel::clear(),
            alpn: None,
            app: None,
            mid_stream: false,
            depth: 0,
        };
        self.open.insert(number, Open { conn, layer: None, held: 0, unread: false });
    }

    /// TLS was opened: bytes that follow were inside.
    pub fn secured(&mut self, number: u64, inside: Inside) {
        let Some(open) = self.open.get_mut(&number) else { return };
        open.conn.id.push_str("/tls");
        open.conn.depth += 1;
        open.conn.alpn = inside.alpn;
        open.conn.channel =
            Channel { kind: ChannelKind::Tls, version: Some(inside.version), suite: Some(inside.suite) };
        open.conn.server.name = inside.name.map(|name| (name, NameSource::Sni));
    }

    /// Nobody could open it: bytes that follow are left alone.
    pub fn unread(&mut self, number: u64) {
        if let Some(open) = self.open.get_mut(&number) {
            open.unread = true;
        }
    }

    /// The next bytes of one side.
    pub fn bytes(&mut self, number: u64, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let Some(open) = self.open.get_mut(&number).filter(|open| !open.unread) else { return };
        out.tally.payload += bytes.len() as u64;
        let layer = open.layer.get_or_insert_with(|| Dispatch::new(open.conn.clone()));
        layer.data(side, bytes, time, out);
        let held = layer.held();
        self.held = (self.held + held).saturating_sub(std::mem::replace(&mut open.held, held));
        self.relieve(out);
    }

    /// One datagram between a client and a server.
    pub fn datagram(
        &mut self,
        (client, server): (SocketAddr, SocketAddr),
        side: Side,
        payload: &[u8],
        time: Time,
        out: &mut Out<'_>,
    ) {
        let socket = |end: SocketAddr| (end.ip().to_canonical(), end.port());
        let (source, destination) = match side {
            Side::Request => (socket(client), socket(server)),
            Side::Response => (socket(server), socket(client)),
        };
        self.datagrams.datagram(&UdpDatagram { source, destination, payload, missing: 0 }, time, None, out);
        let sockets = [source, destination];
        if side == Side::Request && self.asked.len() < TALKS && self.datagrams.wait_for_names(sockets) {
            self.asked.push_back((time, sockets));
        }
    }

    /// Shows the names that were asked for and not answered in time.
    pub fn give_up_questions(&mut self, now: Time, out: &mut Out<'_>) {
        let until = Time(now.0.saturating_sub(PATIENCE));
        while let Some((_, sockets)) = self.asked.pop_front_if(|(time, _)| *time <= until) {
            self.datagrams.give_up_questions(sockets, until, out);
        }
    }

    /// One side sends no more.
    pub fn ended(&mut self, number: u64, side: Side, time: Time, out: &mut Out<'_>) {
        if let Some(layer) = self.open.get_mut(&number).and_then(|open| open.layer.as_mut()) {
            layer.side_end(side, time, out);
        }
    }

    /// The connection is over: what is still held of it is emitted.
    pub fn closed(&mut self, number: u64, out: &mut Out<'_>) {
        let Some(open) = self.open.remove(&number) else { return };
        self.held = self.held.saturating_sub(open.held);
        if let Some(mut layer) = open.layer {
            layer.end(out);
        }
    }

    /// Nothing more will come: all connections are over.
    pub fn end(&mut self, out: &mut Out<'_>) {
        let Self { open, mut datagrams, .. } = std::mem::take(self);
        for (_, open) in open {
            if let Some(mut layer) = open.layer {
                layer.end(out);
            }
        }
        datagrams.end(out);
    }

    /// Many half-read messages must not fill the memory: the connection that holds most is read anew from here.
    fn relieve(&mut self, out: &mut Out<'_>) {
        while self.held > out.limits.held {
            let Some(open) = self.open.values_mut().max_by_key(|open| open.held) else { return };
            self.held = self.held.saturating_sub(std::mem::take(&mut open.held));
            open.conn.mid_stream = true;
            let Some(mut layer) = open.layer.take() else { return };
            layer.end(out);
        }
    }

    /// Who is at the other end of a connection: the address, and the name the client asked for.
    pub fn server(&self, number: u64) -> Option<&Endpoint> {
        self.open.get(&number).map(|open| &open.conn.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Limits;
    use crate::testing::collect;

    #[test]
    fn half_read_heads_of_many_connections_do_not_pile_up_live() {
        let head = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'x'; 1000]].concat();
        let limits = Limits { held: 100_000, ..Limits::default() };
        collect(limits, |out| {
            let mut live = Live::default();
            for number in 0..1000 {
                live.opened(number, "10.0.0.2:4000".parse().unwrap(), "192.0.2.1:80".parse().unwrap());
                live.bytes(number, Side::Request, &head, Time(1), out);
                assert!(live.held <= limits.held);
            }
            assert!(live.held > limits.held / 2, "what is held is counted");
            (0..1000).for_each(|number| live.closed(number, out));
            assert_eq!(live.held, 0);
        });
    }

    #[test]
    fn what_is_inside_tls_is_read_as_if_it_had_been_captured() {
        let got = collect(Limits::default(), |out| {
            let mut live = Live::default();
            live.opened(3, "10.0.0.2:4000".parse().unwrap(), "192.0.2.1:443".parse().unwrap());
            let name = Some("api.example.test".to_owned());
            live.secured(3, Inside { name, version: "TLS 1.3".to_owned(), ..Inside::default() });
            let request = b"POST /v1 HTTP/1.1\r\nHost: api.example.test\r\nContent-Length: 2\r\n\r\nhi";
            live.bytes(3, Side::Request, request, Time(1), out);
            live.bytes(3, Side::Response, b"HTTP/1.1 204 No Content\r\n\r\n", Time(2), out);
            live.opened(4, "10.0.0.2:4001".parse().unwrap(), "192.0.2.1:443".parse().unwrap());
            live.unread(4);
            live.bytes(4, Side::Request, b"\x16\x03\x01 what nobody can read", Time(3), out);
            live.closed(3, out);
            live.end(out);
        });
        let [record] = &got.records[..] else { panic!("one record") };
        assert_eq!((record.id.0.as_str(), record.channel.kind), ("tcp:3/tls/http:0", ChannelKind::Tls));
        assert_eq!(record.server.name, Some(("api.example.test".to_owned(), NameSource::Sni)));
    }

    #[test]
    fn a_name_that_nobody_answers_is_shown_before_the_recording_ends() {
        const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x07example\0\0\x01\0\x01";
        let (client, resolver) = ("10.0.0.2:4000".parse().unwrap(), "192.0.2.1:53".parse().unwrap());
        let mut live = Live::default();
        let mut records = |until: i64| {
            let got = collect(Limits::default(), |out| {
                if until == 0 {
                    live.datagram((client, resolver), Side::Request, QUESTION, Time(1), out);
                }
                live.give_up_questions(Time(until), out);
            });
            got.records.len()
        };
        assert_eq!((records(0), records(PATIENCE), records(PATIENCE + 1), records(i64::MAX)), (0, 0, 1, 0));
        assert!(live.asked.is_empty());
    }

    #[test]
    fn lookups_from_ever_new_ports_do_not_pile_up_live() {
        const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x07example\0\0\x01\0\x01";
        let got = collect(Limits::default(), |out| {
            let mut live = Live::default();
            for port in 1000..60_000 {
                let client = SocketAddr::new([10, 0, 0, 2].into(), port);
                live.datagram((client, "192.0.2.1:53".parse().unwrap()), Side::Request, QUESTION, Time(1), out);
                assert!(live.asked.len() <= TALKS && live.datagrams.len() <= TALKS);
            }
            live.end(out);
        });
        assert_eq!(got.records.len(), 59_000);
    }
}
