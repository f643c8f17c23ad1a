//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): the handshake names the true server, then the
//! connection to it follows.

use super::Dispatch;
use super::guess::Likeness;
use crate::layer::{Conn, Layer, Out};
use crate::raw::Raw;
use dyetrace_case::{Endpoint, NameSource, Side, Time};
use std::net::IpAddr;

/// A connection to a SOCKS proxy.
pub(crate) struct Socks {
    conn: Conn,
    /// The handshake itself, user name and password included, is a raw record.
    raw: Raw,
    client: Vec<u8>,
    server: Vec<u8>,
    inner: Option<Box<dyn Layer>>,
}

/// A handshake that both sides finished.
struct Tunnel {
    /// Bytes of the handshake that the client and the server sent.
    lengths: (usize, usize),
    server: Endpoint,
}

/// What a look at the handshake so far gives.
enum Handshake {
    Done(Tunnel),
    Unfinished,
    Refused,
}

use Handshake::{Done, Refused, Unfinished};

/// Longer than any handshake: greeting, user name and password, request.
const HANDSHAKE: usize = 2048;

/// Whether both sides speak SOCKS; without the server's answer nothing is certain.
pub(crate) fn likeness(client: &[u8], server: &[u8]) -> Likeness {
    let (fits, version) = match client {
        [5] => (true, 5),
        [5, count @ 1..=9, methods @ ..] => {
            let fits = methods.len() <= usize::from(*count)
                || methods.get(usize::from(*count)).is_some_and(|b| matches!(b, 1 | 5));
            (fits, 5)
        }
        [4] => (true, 4),
        [4, 1 | 2, rest @ ..] => (rest.len() <= 600 && (rest.len() < 7 || rest.contains(&0)), 4),
        _ => (false, 0),
    };
    match (fits, version, server) {
        (false, ..) => Likeness::NotThis,
        (_, _, []) | (_, 5, [5]) | (_, 4, [0]) => Likeness::Unsure,
        (_, 5, [5, method, ..]) if client.get(2..).is_some_and(|methods| methods.contains(method)) => Likeness::Certain,
        (_, 4, [0, 0x5a..=0x5d, ..]) => Likeness::Certain,
        _ => Likeness::NotThis,
    }
}

impl Socks {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { raw: Raw::new(conn.clone()), conn, client: Vec::new(), server: Vec::new(), inner: None }
    }

    fn advance(&mut self, time: Time, out: &mut Out<'_>) {
        match handshake(&self.client, &self.server) {
            Done(tunnel) => self.open(tunnel, time, out),
            Unfinished if self.client.len() + self.server.len() < HANDSHAKE => {}
            Unfinished | Refused => self.give_up(time, out),
        }
    }

    fn open(&mut self, tunnel: Tunnel, time: Time, out: &mut Out<'_>) {
        let (client, server) = (std::mem::take(&mut self.client), std::mem::take(&mut self.server));
        let (greeting, sent) = client.split_at(tunnel.lengths.0.min(client.len()));
        let (answer, received) = server.split_at(tunnel.lengths.1.min(server.len()));
        self.raw.data(Side::Request, greeting, time, out);
        self.raw.data(Side::Response, answer, time, out);
        self.raw.end(out);
        let mut conn = self.conn.clone();
        conn.id.push_str("/socks");
        conn.depth += 1;
        conn.server = tunnel.server;
        let mut inner = Box::new(Dispatch::new(conn));
        inner.data(Side::Request, sent, time, out);
        inner.data(Side::Response, received, time, out);
        self.inner = Some(inner);
    }

    /// It was no SOCKS after all, or the proxy refused: all of it is raw.
    fn give_up(&mut self, time: Time, out: &mut Out<'_>) {
        let mut raw = std::mem::replace(&mut self.raw, Raw::new(self.conn.clone()));
        raw.data(Side::Request, &std::mem::take(&mut self.client), time, out);
        raw.data(Side::Response, &std::mem::take(&mut self.server), time, out);
        self.inner = Some(Box::new(raw));
    }
}

impl Layer for Socks {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        if let Some(inner) = &mut self.inner {
            return inner.data(side, bytes, time, out);
        }
        if side == Side::Request { &mut self.client } else { &mut self.server }.extend_from_slice(bytes);
        self.advance(time, out);
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        if self.inner.is_none() {
            self.give_up(time, out);
        }
        if let Some(inner) = &mut self.inner {
            inner.gap(side, length, time, out);
        }
    }

    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        if let Some(inner) = &mut self.inner {
            inner.side_end(side, time, out);
        }
    }

    fn held(&self) -> usize {
        let inner = self.inner.as_ref().map_or(0, |inner| inner.held());
        self.client.len() + self.server.len() + self.raw.held() + inner
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if self.inner.is_none() {
            self.give_up(Time(0), out);
        }
        if let Some(inner) = &mut self.inner {
            inner.end(out);
        }
    }
}

fn handshake(client: &[u8], server: &[u8]) -> Handshake {
    match client.first() {
        Some(5) => socks5(client, server).unwrap_or(Unfinished),
        Some(4) => socks4(client, server).unwrap_or(Unfinished),
        Some(_) => Refused,
        None => Unfinished,
    }
}

/// `None` where bytes are missing yet.
fn socks5(client: &[u8], server: &[u8]) -> Option<Handshake> {
    let mut sent = 2 + usize::from(*client.get(1)?);
    let mut answered = 2;
    match *server.get(1)? {
        0 => {}
        // RFC 1929 section 2: version 1, user name, password; the answer has two bytes.
        2 => {
            let user = usize::from(*client.get(sent + 1)?);
            let password = usize::from(*client.get(sent + 2 + user)?);
            sent += 3 + user + password;
            answered += 2;
            if *server.get(3)? != 0 {
                return Some(Refused);
            }
        }
        _ => return Some(Refused),
    }
    let (endpoint, request) = socks5_address(client.get(sent..)?)?;
    let (_, reply) = socks5_address(server.get(answered..)?)?;
    let granted = server.get(answered + 1) == Some(&0) && client.get(sent + 1) == Some(&1);
    let lengths = (sent + request, answered + reply);
    Some(if granted { Done(Tunnel { lengths, server: endpoint }) } else { Refused })
}

/// The address in a request or a reply (RFC 1928 sections 4 to 6), and the message's length.
fn socks5_address(message: &[u8]) -> Option<(Endpoint, usize)> {
    let (kind, rest) = (*message.get(3)?, message.get(4..)?);
    let (length, address, name) = match kind {
        1 => (4, Some(IpAddr::from(*rest.first_chunk::<4>()?)), None),
        4 => (16, Some(IpAddr::from(*rest.first_chunk::<16>()?)), None),
        _ => {
            let length = usize::from(*rest.first()?);
            (1 + length, None, Some(rest.get(1..=length)?))
        }
    };
    let port = u16::from_be_bytes(*rest.get(length..)?.first_chunk()?);
    let name = name.map(|name| (String::from_utf8_lossy(name).into_owned(), NameSource::Host));
    Some((Endpoint { address, port: Some(port), name }, 4 + length + 2))
}

fn socks4(client: &[u8], server: &[u8]) -> Option<Handshake> {
    let end_of = |from: usize| Some(from + client.get(from..)?.iter().position(|b| *b == 0)?);
    let port = u16::from_be_bytes(*client.get(2..)?.first_chunk()?);
    let address: [u8; 4] = *client.get(4..)?.first_chunk()?;
    let user_end = end_of(8)?;
    let reply = server.get(..8)?;
    let mut endpoint = Endpoint { address: Some(address.into()), port: Some(port), name: None };
    let mut sent = user_end + 1;
    // SOCKS 4a: an address 0.0.0.x says that a name follows.
    if matches!(address, [0, 0, 0, 1..=255]) {
        let name_end = end_of(sent)?;
        let name = String::from_utf8_lossy(client.get(sent..name_end)?).into_owned();
        (endpoint.address, endpoint.name) = (None, Some((name, NameSource::Host)));
        sent = name_end + 1;
    }
    let granted = reply.get(1) == Some(&0x5a) && client.get(1) == Some(&1);
    Some(if granted { Done(Tunnel { lengths: (sent, 8), server: endpoint }) } else { Refused })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Got, Turn, bytes, conn, converse};

    fn talk(piece: usize) -> Got {
        let turns = [
            Turn::Client(b"\x05\x02\x00\x02"),
            Turn::Server(b"\x05\x02"),
            Turn::Client(b"\x01\x04anna\x06geheim"),
            Turn::Server(b"\x01\x00"),
            Turn::Client(b"\x05\x01\x00\x03\x0capi.vendor.x\x14\x66"),
            Turn::Server(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"),
            Turn::Client(b"\x01own protocol"),
            Turn::Server(b"\x02yes"),
        ];
        converse(&mut Dispatch::new(conn()), piece, &turns)
    }

    #[test]
    fn behind_a_proxy_the_true_server_is_named() {
        for piece in [1, 3, 1000] {
            let got = talk(piece);
            let [handshake, inside] = &got.records[..] else { panic!("two records") };
            assert!(bytes(handshake.request.as_ref().unwrap().body.as_ref()).ends_with(b"\x14\x66"));
            assert_eq!(inside.id.0, "tcp:0/socks/raw");
            assert_eq!(inside.server.name, Some(("api.vendor.x".to_owned(), NameSource::Host)));
            assert_eq!((inside.server.address, inside.server.port), (None, Some(0x1466)));
            assert_eq!(bytes(inside.request.as_ref().unwrap().body.as_ref()), b"\x01own protocol");
            assert_eq!(bytes(inside.response.as_ref().unwrap().body.as_ref()), b"\x02yes");
        }
    }
}
