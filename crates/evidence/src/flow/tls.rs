//! TLS as a layer: what can be decrypted goes up as a stream of its own, the rest is counted.

use super::Dispatch;
use crate::layer::{Conn, Layer, Out, Span};
use dyetrace_case::{ChannelKind, Endpoint, NameSource, Side, Time};
use dyetrace_tls::{Connection, Event, Reason};
use std::collections::BTreeMap;

/// Bytes of a record's header.
const RECORD_HEADER: u64 = 5;

/// One TLS connection, and what is inside of it.
pub(crate) struct Tls {
    /// The connection as the inner layer shall see it.
    conn: Conn,
    session: Connection,
    inner: Option<Box<Dispatch>>,
    answer: Answer,
    span: Span,
    hello: bool,
    keyed: bool,
    /// Time of the last early data; requests begun until then may have been replayed.
    early_until: Option<Time>,
    /// The side of which the layer inside heard of a gap last, and of no bytes since.
    gapped: Option<Side>,
    /// Bytes sent and received that could not be read, by reason.
    unread: BTreeMap<Reason, (u64, u64)>,
}

/// What the server answers in: not every server on a port of TLS speaks it. A web server without
/// TLS and the portal of a network say so in clear HTTP.
enum Answer {
    /// Nothing was heard of the server. The connection below, which a clear answer is of.
    Awaited(Box<Conn>),
    /// TLS, or nothing that can be told from it.
    Tls,
    /// Clear text.
    Clear(Box<Dispatch>),
}

/// What [`Connection::feed`] said, kept until it returns: what is inside may be TLS again and
/// needs the same secrets.
#[derive(Default)]
struct Notes {
    notes: Vec<Note>,
    bytes: Vec<u8>,
}

enum Note {
    Hello {
        sni: Option<String>,
        ech: bool,
    },
    Settled {
        version: &'static str,
        suite: String,
    },
    Alpn(Vec<u8>),
    Names(Vec<String>),
    Keyed,
    /// That many bytes of [`Notes::bytes`].
    Data {
        side: Side,
        early: bool,
        length: usize,
    },
    Closed(Side),
    Unread {
        side: Side,
        bytes: u64,
        reason: Reason,
    },
}

impl Tls {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(mut conn: Conn) -> Self {
        let below = Box::new(conn.clone());
        conn.id.push_str("/tls");
        conn.depth += 1;
        conn.alpn = None;
        conn.channel.kind = ChannelKind::Tls;
        (conn.channel.version, conn.channel.suite) = (None, None);
        Self {
            conn,
            session: Connection::new(),
            inner: None,
            answer: Answer::Awaited(below),
            span: Span::default(),
            hello: false,
            keyed: false,
            early_until: None,
            gapped: None,
            unread: BTreeMap::new(),
        }
    }

    /// What reads the bytes of this side as clear text, where they are that. `first` is the first
    /// byte of the next ones, `None` where they are lost.
    fn clear_answer(&mut self, side: Side, first: Option<u8>) -> Option<&mut Dispatch> {
        if side == Side::Request {
            return None;
        }
        if let Answer::Awaited(below) = &self.answer {
            // No text begins with a record's type, and an answer of SSL 2 has its high bit set.
            let is_clear = self.hello && first.is_some_and(|byte| !matches!(byte, 20..=24 | 0x80..));
            self.answer = if is_clear { Answer::Clear(Box::new(clear_answer(below))) } else { Answer::Tls };
        }
        if let Answer::Clear(answer) = &mut self.answer { Some(answer) } else { None }
    }

    fn act(&mut self, notes: Notes, time: Time, out: &mut Out<'_>) {
        let mut bytes = notes.bytes.as_slice();
        for note in notes.notes {
            if let Note::Data { side, early, length } = note {
                let (data, rest) = bytes.split_at(length.min(bytes.len()));
                bytes = rest;
                self.data_inside(side, early, data, time, out);
            } else if let Note::Closed(side) = note {
                self.inside(out, |inner, out| inner.side_end(side, time, out));
            } else if let Note::Unread { side, bytes, reason } = note {
                self.count_unread(side, bytes, reason, time, out);
            } else {
                self.learn(note, out);
            }
        }
    }

    /// Bytes between readable ones are a gap for the layer inside.
    fn count_unread(&mut self, side: Side, bytes: u64, reason: Reason, time: Time, out: &mut Out<'_>) {
        let (sent, received) = self.unread.entry(reason).or_default();
        *if side == Side::Request { sent } else { received } += bytes;
        // The search for the next record holds the last bytes back until it comes. They belong to
        // the gap already told; told again now, it would seem to follow what the other side sent since.
        let leftover = reason == Reason::Gap && bytes < RECORD_HEADER && self.gapped == Some(side);
        if self.keyed && !leftover {
            self.gapped = Some(side);
            self.inner.get_or_insert_with(|| Box::new(Dispatch::new(self.conn.clone())));
            self.inside(out, |inner, out| inner.gap(side, bytes, time, out));
        }
    }

    fn data_inside(&mut self, side: Side, early: bool, data: &[u8], time: Time, out: &mut Out<'_>) {
        if early {
            self.early_until = Some(time);
        }
        self.gapped = self.gapped.filter(|gapped| *gapped != side);
        self.inner.get_or_insert_with(|| Box::new(Dispatch::new(self.conn.clone())));
        self.inside(out, |inner, out| inner.data(side, data, time, out));
    }

    /// Calls the inner layer; records it emits meanwhile are those of this connection.
    fn inside(&mut self, out: &mut Out<'_>, call: impl FnOnce(&mut Dispatch, &mut Out<'_>)) {
        if let Some(inner) = &mut self.inner {
            let outer = out.early_until;
            out.early_until = self.early_until.or(outer);
            call(inner, out);
            out.early_until = outer;
        }
    }

    fn learn(&mut self, note: Note, out: &mut Out<'_>) {
        match note {
            Note::Hello { sni, ech } => {
                self.count_connection(out);
                let source = if ech { NameSource::SniBesideEch } else { NameSource::Sni };
                name_server(&mut self.conn.server, sni, source);
            }
            Note::Settled { version, suite } => {
                self.count_connection(out);
                self.conn.channel.version = Some(version.to_owned());
                self.conn.channel.suite = Some(suite);
            }
            Note::Alpn(alpn) => self.conn.alpn = Some(alpn),
            Note::Names(names) => {
                name_server(&mut self.conn.server, names.into_iter().next(), NameSource::Certificate);
            }
            Note::Keyed => {
                out.tally.tls_keyed += u64::from(!std::mem::replace(&mut self.keyed, true));
            }
            Note::Data { .. } | Note::Closed(_) | Note::Unread { .. } => {}
        }
    }

    fn count_connection(&mut self, out: &mut Out<'_>) {
        out.tally.tls_connections += u64::from(!std::mem::replace(&mut self.hello, true));
    }

    fn report_unread(&mut self, out: &mut Out<'_>) {
        if self.hello && !self.keyed && self.unread.is_empty() {
            // Nothing was sent that a key would have opened.
            let reason = "the TLS handshake was not finished";
            return out.opaque(self.conn.opaque(out.exhibit, self.span, 0, 0, reason));
        }
        for (reason, (sent, received)) in std::mem::take(&mut self.unread) {
            out.opaque(self.conn.opaque(out.exhibit, self.span, sent, received, &reason.to_string()));
        }
    }
}

impl Layer for Tls {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        self.span.add(time);
        let Some(first) = bytes.first() else { return };
        if let Some(answer) = self.clear_answer(side, Some(*first)) {
            return answer.data(side, bytes, time, out);
        }
        let mut notes = Notes::default();
        self.session.feed(from_side(side), bytes, out.tls, &mut |event| notes.add(event));
        self.act(notes, time, out);
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        self.span.add(time);
        if let Some(answer) = self.clear_answer(side, None) {
            return answer.gap(side, length, time, out);
        }
        let mut notes = Notes::default();
        self.session.gap(from_side(side), length, out.tls, &mut |event| notes.add(event));
        self.act(notes, time, out);
        self.gapped = Some(side);
        self.inside(out, |inner, out| inner.gap(side, length, time, out));
    }

    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        if let Answer::Clear(answer) = &mut self.answer {
            answer.side_end(side, time, out);
        }
        self.inside(out, |inner, out| inner.side_end(side, time, out));
    }

    fn held(&self) -> usize {
        self.session.held() + self.inner.as_ref().map_or(0, |inner| inner.held())
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let mut notes = Notes::default();
        self.session.end(out.tls, &mut |event| notes.add(event));
        self.act(notes, self.span.first.unwrap_or(Time(0)), out);
        self.inside(out, Layer::end);
        self.inner = None;
        if let Answer::Clear(answer) = &mut self.answer {
            answer.end(out);
        }
        self.report_unread(out);
    }
}

/// Reads a clear answer to a ClientHello.
fn clear_answer(below: &Conn) -> Dispatch {
    let id = format!("{}/clear", below.id);
    Dispatch::new(Conn { id, alpn: None, mid_stream: false, depth: below.depth + 1, ..below.clone() })
}

/// Names the server unless a better source already did.
fn name_server(server: &mut Endpoint, name: Option<String>, source: NameSource) {
    if let Some(name) = name.filter(|_| server.name.as_ref().is_none_or(|(_, known)| *known > source)) {
        server.name = Some((name, source));
    }
}

impl Notes {
    fn add(&mut self, event: Event<'_>) {
        let note = match event {
            Event::ClientHello { sni, ech } => Note::Hello { sni, ech },
            Event::ServerHello { version, suite } => Note::Settled { version, suite },
            Event::Alpn(alpn) => Note::Alpn(alpn),
            Event::CertificateNames(names) => Note::Names(names),
            Event::Keyed => Note::Keyed,
            Event::Data { from, early, bytes } => {
                self.bytes.extend_from_slice(bytes);
                Note::Data { side: to_side(from), early, length: bytes.len() }
            }
            Event::Closed(from) => Note::Closed(to_side(from)),
            Event::Unreadable { from, bytes, reason } => Note::Unread { side: to_side(from), bytes, reason },
        };
        self.notes.push(note);
    }
}

fn from_side(side: Side) -> dyetrace_tls::Side {
    match side {
        Side::Request => dyetrace_tls::Side::Client,
        Side::Response => dyetrace_tls::Side::Server,
    }
}

fn to_side(side: dyetrace_tls::Side) -> Side {
    match side {
        dyetrace_tls::Side::Client => Side::Request,
        dyetrace_tls::Side::Server => Side::Response,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dispatch;
    use crate::testing::{Turn, bytes, conn, converse};
    use dyetrace_case::ChannelKind;

    /// A ClientHello of TLS 1.2 with one suite.
    const HELLO: &[u8] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\
        0123456789abcdef0123456789abcdef\x00\x00\x02\xc0\x2f\x01\x00";

    #[test]
    fn a_server_without_tls_answers_a_client_hello_in_clear_and_is_read() {
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\nplain HTTP";
        // What curl says then: unexpected_message.
        let alert = b"\x15\x03\x01\x00\x02\x02\x0a";
        for piece in [1, 7, 1000] {
            let turns = [Turn::Client(HELLO), Turn::Server(answer), Turn::Client(alert)];
            let got = converse(&mut Dispatch::new(conn()), piece, &turns);
            let [record] = &got.records[..] else { panic!("one record, pieces of {piece}") };
            assert_eq!((record.id.0.as_str(), record.channel.kind), ("tcp:0/clear/http:0", ChannelKind::Clear));
            let response = record.response.as_ref().unwrap();
            assert_eq!((response.status, bytes(response.body.as_ref())), (Some(400), b"plain HTTP".to_vec()));
            let reasons: Vec<_> = got.opaque.iter().map(|opaque| opaque.reason.as_str()).collect();
            assert_eq!(reasons, ["the TLS handshake was not finished"]);
            assert!(got.damages.is_empty());
        }
    }

    #[test]
    fn any_other_clear_answer_is_a_record_too() {
        let turns = [Turn::Client(HELLO), Turn::Server(b"SSH-2.0-"), Turn::Server(b"example\r\n")];
        let got = converse(&mut Dispatch::new(conn()), 1000, &turns);
        assert_eq!(bytes(got.records[0].response.as_ref().unwrap().body.as_ref()), b"SSH-2.0-example\r\n");
    }
}
