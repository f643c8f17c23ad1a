//! A stream of no protocol known here, which may still turn to TLS.
//!
//! SMTP, IMAP, POP3, FTP, XMPP and LDAP do so with STARTTLS, PostgreSQL and others in their own
//! words; common to all is that the server answers and then the client sends a ClientHello.

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
}

enum State {
    Raw(Box<Raw>),
    Tls(Box<Tls>),
}

impl Clear {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { state: State::Raw(Box::new(Raw::new(conn.clone()))), conn, last: None, turn: Vec::new() }
    }

    fn layer(&mut self) -> &mut dyn Layer {
        match &mut self.state {
            State::Raw(raw) => raw.as_mut(),
            State::Tls(tls) => tls.as_mut(),
        }
    }

    /// The start of the client's turn turned out to be nothing special.
    fn flush(&mut self, time: Time, out: &mut Out<'_>) {
        let turn = std::mem::take(&mut self.turn);
        if !turn.is_empty() {
            self.layer().data(Side::Request, &turn, time, out);
        }
    }

    fn client_turn(&mut self, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        self.turn.extend_from_slice(bytes);
        let likeness = if self.turn.first() == Some(&22) { guess::client_hello(&self.turn) } else { Likeness::NotThis };
        if likeness == Likeness::Certain {
            self.layer().end(out);
            self.state = State::Tls(Box::new(Tls::new(self.conn.clone())));
        }
        if likeness != Likeness::Unsure {
            self.flush(time, out);
        }
    }
}

impl Layer for Clear {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let new_turn = self.last == Some(Side::Response) && side == Side::Request;
        self.last = Some(side);
        let may_turn = matches!(self.state, State::Raw(_)) && self.conn.depth < out.limits.nesting;
        if may_turn && side == Side::Request && (new_turn || !self.turn.is_empty()) {
            return self.client_turn(bytes, time, out);
        }
        self.flush(time, out);
        self.layer().data(side, bytes, time, out);
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        self.flush(time, out);
        self.layer().gap(side, length, time, out);
    }

    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        self.flush(time, out);
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
        self.flush(Time(0), out);
        self.layer().end(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dispatch;
    use crate::testing::{Got, Turn, bytes, conn, converse};
    use dyetrace_case::{ChannelKind, NameSource, Side};

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
    fn a_stream_whose_first_bytes_were_lost_is_still_read() {
        let turns = [Turn::Gap(Side::Request, 100), Turn::Client(b"own protocol"), Turn::Server(b"answer")];
        let got = converse(&mut Dispatch::new(conn()), 100, &turns);
        assert_eq!(bytes(got.records[0].request.as_ref().unwrap().body.as_ref()), b"own protocol");
    }
}
