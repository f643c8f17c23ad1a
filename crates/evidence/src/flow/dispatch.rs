//! Guesses the protocol of a connection from its first bytes and hands them to its layer.
//!
//! The guess looks at what both sides said first; ports and ALPN only decide where a connection
//! was picked up after its start. Whatever is no protocol known here is a raw stream.

use super::clear::Clear;
use super::guess::{self, Likeness};
use super::sealed::Sealed;
use super::socks::{self, Socks};
use super::tls::Tls;
use crate::dns;
use crate::http::{Http1, Http2};
use crate::layer::{Conn, Layer, Limits, Out};
use crate::mqtt::Mqtt;
use dyetrace_case::{ChannelKind, Side, Time};

/// A connection, or what a tunnel carries, of which only the bytes are known.
pub(crate) struct Dispatch {
    conn: Conn,
    state: State,
}

enum State {
    Sniffing(Box<Sniffed>),
    Known(Box<dyn Layer>),
}

/// What was said so far, until it is enough for a guess.
#[derive(Default)]
struct Sniffed {
    client: Vec<u8>,
    server: Vec<u8>,
    heard: Vec<(Heard, Side, Time)>,
}

#[derive(Debug, Clone, Copy)]
enum Heard {
    Bytes(usize),
    Gap(u64),
    End,
}

/// What a connection turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tls,
    Http1,
    Http2,
    Mqtt,
    Dns,
    Socks,
    /// The middle of a connection that its port says is encrypted.
    Sealed,
    /// Nothing known here.
    Clear,
}

/// Bytes after which the guess is made with what there is.
const ENOUGH: usize = 8 << 10;

impl Dispatch {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn, state: State::Sniffing(Box::default()) }
    }

    /// Hands everything heard to the layer for `kind`.
    fn become_known(&mut self, kind: Kind, out: &mut Out<'_>) {
        let mut layer = layer(kind, self.conn.clone());
        let known = State::Known(Box::new(Nothing));
        if let State::Sniffing(sniffed) = std::mem::replace(&mut self.state, known) {
            sniffed.replay(layer.as_mut(), out);
        }
        self.state = State::Known(layer);
    }

    fn sniff(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let State::Sniffing(sniffed) = &mut self.state else { return };
        if sniffed.heard.is_empty() {
            let (client, server) = if side == Side::Request { (bytes, &[][..]) } else { (&[][..], bytes) };
            if let Some(kind) = kind(&self.conn, client, server, out.limits, bytes.len() > ENOUGH) {
                let mut layer = layer(kind, self.conn.clone());
                layer.data(side, bytes, time, out);
                self.state = State::Known(layer);
                return;
            }
        }
        sniffed.push(side, bytes, time);
        let enough = sniffed.client.len() + sniffed.server.len() > ENOUGH || sniffed.heard.len() > ENOUGH;
        if let Some(kind) = kind(&self.conn, &sniffed.client, &sniffed.server, out.limits, enough) {
            self.become_known(kind, out);
        }
    }

    /// Decides with what there is.
    fn decide(&mut self, out: &mut Out<'_>) {
        if let State::Sniffing(sniffed) = &self.state {
            let kind = kind(&self.conn, &sniffed.client, &sniffed.server, out.limits, true);
            self.become_known(kind.unwrap_or(Kind::Clear), out);
        }
    }
}

impl Layer for Dispatch {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        match &mut self.state {
            State::Known(layer) => layer.data(side, bytes, time, out),
            State::Sniffing(_) if bytes.is_empty() => {}
            State::Sniffing(_) => self.sniff(side, bytes, time, out),
        }
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        if let State::Sniffing(sniffed) = &mut self.state {
            let begun = !if side == Side::Request { &sniffed.client } else { &sniffed.server }.is_empty();
            if begun {
                self.decide(out);
            } else {
                // What follows is the middle of something.
                self.conn.mid_stream = true;
                sniffed.heard.push((Heard::Gap(length), side, time));
            }
        }
        if let State::Known(layer) = &mut self.state {
            layer.gap(side, length, time, out);
        }
    }

    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        match &mut self.state {
            State::Known(layer) => layer.side_end(side, time, out),
            State::Sniffing(sniffed) => sniffed.heard.push((Heard::End, side, time)),
        }
    }

    fn held(&self) -> usize {
        match &self.state {
            State::Known(layer) => layer.held(),
            State::Sniffing(sniffed) => {
                sniffed.client.len() + sniffed.server.len() + sniffed.heard.len() * size_of::<(Heard, Side, Time)>()
            }
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.decide(out);
        if let State::Known(layer) = &mut self.state {
            layer.end(out);
        }
    }
}

impl Sniffed {
    fn push(&mut self, side: Side, bytes: &[u8], time: Time) {
        match side {
            Side::Request => self.client.extend_from_slice(bytes),
            Side::Response => self.server.extend_from_slice(bytes),
        }
        match self.heard.last_mut() {
            Some((Heard::Bytes(length), last, _)) if *last == side => *length += bytes.len(),
            _ => self.heard.push((Heard::Bytes(bytes.len()), side, time)),
        }
    }

    fn replay(&self, layer: &mut dyn Layer, out: &mut Out<'_>) {
        let (mut client, mut server) = (self.client.as_slice(), self.server.as_slice());
        for (heard, side, time) in &self.heard {
            match heard {
                Heard::Bytes(length) => {
                    let rest = if *side == Side::Request { &mut client } else { &mut server };
                    let (bytes, after) = rest.split_at((*length).min(rest.len()));
                    *rest = after;
                    layer.data(*side, bytes, *time, out);
                }
                Heard::Gap(length) => layer.gap(*side, *length, *time, out),
                Heard::End => layer.side_end(*side, *time, out),
            }
        }
    }
}

/// Stands in while the layer is being fed what was heard before it was known.
struct Nothing;

impl Layer for Nothing {
    fn data(&mut self, _: Side, _: &[u8], _: Time, _: &mut Out<'_>) {}
    fn gap(&mut self, _: Side, _: u64, _: Time, _: &mut Out<'_>) {}
    fn held(&self) -> usize {
        0
    }
    fn end(&mut self, _: &mut Out<'_>) {}
}

fn layer(kind: Kind, conn: Conn) -> Box<dyn Layer> {
    match kind {
        Kind::Tls => Box::new(Tls::new(conn)),
        Kind::Http1 => Box::new(Http1::new(conn)),
        Kind::Http2 => Box::new(Http2::new(conn)),
        Kind::Mqtt => Box::new(Mqtt::new(conn)),
        Kind::Dns => Box::new(dns::Stream::new(conn)),
        Kind::Socks => Box::new(Socks::new(conn)),
        Kind::Sealed => Box::new(Sealed::new(conn)),
        Kind::Clear => Box::new(Clear::new(conn)),
    }
}

/// The kind of a connection by what its sides said first; `None` to wait for more, unless `now`.
fn kind(conn: &Conn, client: &[u8], server: &[u8], limits: Limits, now: bool) -> Option<Kind> {
    if conn.depth >= limits.nesting {
        return Some(Kind::Clear);
    }
    let looks = looks(conn, client, server);
    if let Some((kind, _)) = looks.iter().find(|(_, likeness)| *likeness == Likeness::Certain) {
        return Some(*kind);
    }
    let unsure = looks.iter().find(|(_, likeness)| *likeness == Likeness::Unsure);
    match unsure {
        Some(_) if !now => None,
        Some((kind, _)) if began(*kind, client, server) => Some(*kind),
        _ => Some(otherwise(conn, client, server)),
    }
}

/// Every protocol that the first bytes may be, the most telling first.
fn looks(conn: &Conn, client: &[u8], server: &[u8]) -> Vec<(Kind, Likeness)> {
    let mut looks = Vec::with_capacity(12);
    if !client.is_empty() {
        looks.push((Kind::Tls, guess::client_hello(client)));
        looks.push((Kind::Http2, guess::http2_preface(client)));
        looks.push((Kind::Http1, guess::http_request(client)));
        looks.push((Kind::Mqtt, guess::mqtt_connect(client)));
        looks.push((Kind::Dns, dns::likeness(conn, client)));
        looks.push((Kind::Socks, socks::likeness(client, server)));
    }
    if client.is_empty() || conn.mid_stream {
        let bytes = if server.is_empty() { client } else { server };
        looks.push((Kind::Http1, guess::http_response(bytes)));
        looks.push((Kind::Tls, guess::tls_record(bytes)));
        looks.push((Kind::Http2, server_settings(conn, bytes)));
    }
    if conn.mid_stream {
        looks.extend(mid_stream_looks(conn, if client.is_empty() { server } else { client }));
    }
    looks
}

/// A server of HTTP/2 may speak first (RFC 9113 section 3.4) and be asked in HTTP/1 all the same:
/// the client tells, where its start was captured.
fn server_settings(conn: &Conn, bytes: &[u8]) -> Likeness {
    match guess::http2_settings(bytes) {
        Likeness::Certain if !conn.mid_stream => Likeness::Unsure,
        likeness => likeness,
    }
}

/// What only a connection without its start is tried as, backed by its port or ALPN.
fn mid_stream_looks(conn: &Conn, bytes: &[u8]) -> Vec<(Kind, Likeness)> {
    let port = conn.server.port.unwrap_or(0);
    let alpn = conn.alpn.as_deref().unwrap_or_default();
    let mut looks = Vec::new();
    if alpn == b"h2" {
        looks.push((Kind::Http2, Likeness::Certain));
    }
    if alpn.starts_with(b"mqtt")
        || matches!(port, 1883 | 8883) && conn.channel.kind != ChannelKind::Clear
        || port == 1883
    {
        looks.push((Kind::Mqtt, guess::mqtt_packets(bytes)));
    }
    looks.push((Kind::Http2, guess::http2_frames(bytes)));
    looks
}

/// True where an unfinished beginning is telling enough to go by.
fn began(kind: Kind, client: &[u8], server: &[u8]) -> bool {
    match kind {
        Kind::Http2 if client.is_empty() => guess::http2_settings(server) == Likeness::Certain,
        Kind::Tls => client.len() >= 3 && client.starts_with(&[22, 3]),
        Kind::Http1 => client.contains(&b' ') && client.len() >= 5,
        Kind::Http2 | Kind::Mqtt => client.len() >= 5,
        _ => false,
    }
}

fn otherwise(conn: &Conn, client: &[u8], server: &[u8]) -> Kind {
    let tls_port = conn.server.port.is_some_and(guess::is_tls_port);
    let nothing = client.is_empty() && server.is_empty();
    let sealed = conn.mid_stream && tls_port && conn.channel.kind == ChannelKind::Clear && !nothing;
    if sealed { Kind::Sealed } else { Kind::Clear }
}

#[cfg(test)]
mod tests {
    use super::Dispatch;
    use crate::testing::{Turn, conn, converse};
    use dyetrace_case::Protocol;

    /// An empty SETTINGS frame.
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

    #[test]
    fn a_request_of_http_1_to_a_server_that_spoke_http_2_first_is_read() {
        let request = b"GET /?phone=1 HTTP/1.1\r\nHost: h.example\r\nUpgrade: h2c\r\n\r\n";
        for piece in [1, 5, 1000] {
            let turns = [Turn::Server(SETTINGS), Turn::Client(request)];
            let got = converse(&mut Dispatch::new(conn()), piece, &turns);
            let urls: Vec<_> =
                got.records.iter().filter_map(|record| record.request.as_ref()?.url.as_deref()).collect();
            assert_eq!(urls, ["http://h.example/?phone=1"], "pieces of {piece}");
            assert!(got.damages.is_empty());
        }
    }

    #[test]
    fn a_server_of_http_2_of_which_alone_is_heard_is_one_of_http_2() {
        // HEADERS of stream 1 that end it: `:status: 200`.
        let headers = b"\0\0\x01\x01\x05\0\0\0\x01\x88";
        let turns = [Turn::Server(SETTINGS), Turn::Server(headers)];
        let got = converse(&mut Dispatch::new(conn()), 1000, &turns);
        let [record] = &got.records[..] else { panic!("one record") };
        assert_eq!(record.protocol, Protocol::Http2);
        assert_eq!(record.response.as_ref().and_then(|response| response.status), Some(200));
    }
}
