//! A stream of no protocol known here, which may still turn to TLS.
//!
//! SMTP, IMAP, POP3, FTP, XMPP and LDAP do so with STARTTLS, PostgreSQL and others in their own
//! words; common to all is that the server answers and then the client sends a ClientHello. Only
//! the client of MySQL does not wait: its ClientHello follows a request of its own.

use super::guess::{self, Likeness};
use super::tls::Tls;
use crate::layer::{Conn, Layer, Out};
use crate::raw::Raw;
use dyetrace_case::{Side, Time};

/// A raw stream that watches for a ClientHello at the start of each turn of the client.
pub(crate) struct Clear {
    conn: Conn,
    state: State,
    last: Option<Side>,
    /// The beginning of the client's turn, while it may be that of a ClientHello.
    turn: Vec<u8>,
    /// When that was sent.
    turned: Time,
}

enum State {
    Raw(Box<Raw>),
    Tls(Box<Tls>),
}

impl Clear {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self {
            state: State::Raw(Box::new(Raw::new(conn.clone()))),
            conn,
            last: None,
            turn: Vec::new(),
            turned: Time(0),
        }
    }

    fn layer(&mut self) -> &mut dyn Layer {
        match &mut self.state {
            State::Raw(raw) => raw.as_mut(),
            State::Tls(tls) => tls.as_mut(),
        }
    }

    /// The start of the client's turn turned out to be nothing special.
    fn flush(&mut self, out: &mut Out<'_>) {
        let turn = std::mem::take(&mut self.turn);
        if !turn.is_empty() {
            let time = self.turned;
            self.layer().data(Side::Request, &turn, time, out);
        }
    }

    fn client_turn(&mut self, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        if self.turn.is_empty() {
            self.turned = time;
        }
        self.turn.extend_from_slice(bytes);
        let (ahead, likeness) = hello_in(&self.turn);
        if likeness == Likeness::Certain {
            let hello = self.turn.split_off(ahead);
            self.flush(out);
            self.layer().end(out);
            self.turn = hello;
            self.state = State::Tls(Box::new(Tls::new(self.conn.clone())));
        }
        if likeness != Likeness::Unsure {
            self.flush(out);
        }
    }
}

/// Whether a turn of the client has a ClientHello, after how many bytes of its own words.
fn hello_in(turn: &[u8]) -> (usize, Likeness) {
    let ahead = ssl_request(turn);
    let likeness = match turn.get(ahead..) {
        Some(rest @ [22, ..]) => guess::client_hello(rest),
        Some([]) | None => Likeness::Unsure,
        Some(_) => Likeness::NotThis,
    };
    (ahead, likeness)
}

/// The length of the SSLRequest of MySQL that a turn begins with, or may; 0 for any other: 32 bytes
/// in packet 1, with the flag CLIENT_SSL (Client/Server Protocol, `Protocol::SSLRequest`).
fn ssl_request(turn: &[u8]) -> usize {
    const START: &[u8] = &[32, 0, 0, 1];
    let flagged = turn.get(5).is_none_or(|flags| flags & 8 != 0);
    if flagged && turn.iter().zip(START).all(|(byte, start)| byte == start) { START.len() + 32 } else { 0 }
}

impl Layer for Clear {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let new_turn = self.last == Some(Side::Response) && side == Side::Request;
        self.last = Some(side);
        let may_turn = matches!(self.state, State::Raw(_)) && self.conn.depth < out.limits.nesting;
        if may_turn && side == Side::Request && (new_turn || !self.turn.is_empty()) {
            return self.client_turn(bytes, time, out);
        }
        self.flush(out);
        self.layer().data(side, bytes, time, out);
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        self.flush(out);
        self.layer().gap(side, length, time, out);
    }

    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        self.flush(out);
        self.layer().side_end(side, time, out);
    }

    fn held(&self) -> usize {
        let inner = match &self.state {
            State::Raw(raw) => raw.held(),
            State::Tls(tls) => tls.held(),
        };
        self.turn.len() + inner
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.flush(out);
        self.layer().end(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dispatch;
    use crate::testing::{Got, Turn, bytes, conn, converse};
    use dyetrace_case::{ChannelKind, NameSource, Side, Time};

    /// A ClientHello of TLS 1.2 with one suite, for `mx.example`.
    const HELLO: &[u8] = b"\x16\x03\x01\x00\x42\x01\x00\x00\x3e\x03\x03\
        0123456789abcdef0123456789abcdef\x00\x00\x02\xc0\x2f\x01\x00\
        \x00\x13\x00\x00\x00\x0f\x00\x0d\x00\x00\x0amx.example";

    fn mail(piece: usize) -> Got {
        let turns = [
            Turn::Server(b"220 mx.example ESMTP\r\n"),
            Turn::Client(b"EHLO phone\r\n"),
            Turn::Server(b"250 STARTTLS\r\n"),
            Turn::Client(b"STARTTLS\r\n"),
            Turn::Server(b"220 go ahead\r\n"),
            Turn::Client(HELLO),
        ];
        converse(&mut Dispatch::new(conn()), piece, &turns)
    }

    #[test]
    fn mail_that_turns_to_tls_is_clear_until_then_and_opaque_after() {
        for piece in [1, 2, 5, 7, 1000] {
            let got = mail(piece);
            let [record] = &got.records[..] else { panic!("one record") };
            let request = bytes(record.request.as_ref().unwrap().body.as_ref());
            assert_eq!(String::from_utf8(request).unwrap(), "EHLO phone\r\nSTARTTLS\r\n");
            let [opaque] = &got.opaque[..] else { panic!("one opaque, pieces of {piece}") };
            assert_eq!((opaque.id.0.as_str(), opaque.channel.kind), ("tcp:0/tls", ChannelKind::Tls));
            assert_eq!(opaque.server.name, Some(("mx.example".to_owned(), NameSource::Sni)));
            assert_eq!((got.tally.tls_connections, got.tally.tls_keyed), (1, 0));
        }
    }

    #[test]
    fn the_client_of_mysql_begins_tls_without_waiting() {
        let mut login = b"\x20\0\0\x01\x85\xae\xff\0\0\0\0\x01\xff".to_vec();
        login.resize(36, 0);
        let request = login.clone();
        login.extend_from_slice(HELLO);
        for piece in [1, 5, 36, 40, 1000] {
            let turns = [Turn::Server(b"\x09\0\0\0\x0a8.0.30\0"), Turn::Client(&login)];
            let got = converse(&mut Dispatch::new(conn()), piece, &turns);
            assert_eq!(bytes(got.records[0].request.as_ref().unwrap().body.as_ref()), request, "pieces of {piece}");
            assert_eq!((got.records.len(), got.tally.tls_connections), (1, 1));
        }
    }

    #[test]
    fn what_only_begins_like_mysql_stays_in_clear() {
        for turn in [&b"\x20\0"[..], b"\x20\0\0\x01 a packet of another protocol, as long as that"] {
            let turns = [Turn::Server(b"hello"), Turn::Client(turn), Turn::Server(b"?"), Turn::Client(b"more")];
            let got = converse(&mut Dispatch::new(conn()), 3, &turns);
            let request = bytes(got.records[0].request.as_ref().unwrap().body.as_ref());
            assert_eq!(request, [turn, &b"more"[..]].concat());
        }
    }

    #[test]
    fn what_was_held_back_to_the_end_keeps_its_time() {
        let got = converse(&mut Dispatch::new(conn()), 9, &[Turn::Server(b"hello"), Turn::Client(b"\x16\x03")]);
        assert_eq!(got.records[0].request.as_ref().unwrap().time, Some(Time(2_000_000)));
    }

    #[test]
    fn a_stream_whose_first_bytes_were_lost_is_still_read() {
        let turns = [Turn::Gap(Side::Request, 100), Turn::Client(b"own protocol"), Turn::Server(b"answer")];
        let got = converse(&mut Dispatch::new(conn()), 100, &turns);
        assert_eq!(bytes(got.records[0].request.as_ref().unwrap().body.as_ref()), b"own protocol");
    }
}
