//! Streams of no protocol known here. Not parsed is not the same as not read: one record holds
//! what each side sent.

use crate::layer::{Conn, Layer, Out, Span};
use dyetrace_case::{BlobWriter, ChannelKind, Flag, Message, Protocol, Record, Side, Time};

/// Collects both directions of a stream into one record.
pub(crate) struct Raw {
    conn: Conn,
    request: Option<Sent>,
    response: Option<Sent>,
    incomplete: bool,
    ended: bool,
}

/// What one side sent.
struct Sent {
    span: Span,
    body: BlobWriter,
}

impl Raw {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn, request: None, response: None, incomplete: false, ended: false }
    }

    fn record(&mut self, out: &Out<'_>) -> Record {
        let clear = self.conn.channel.kind == ChannelKind::Clear;
        let protocol = if clear { Protocol::Tcp } else { Protocol::Tls };
        let first = [&self.request, &self.response].into_iter().flatten().filter_map(|sent| sent.span.first).min();
        let mut record = self.conn.record(out.exhibit, "raw", protocol, first);
        let dropped: u64 = [&self.request, &self.response].into_iter().flatten().map(|sent| sent.body.dropped()).sum();
        record.request = self.request.take().map(Sent::message);
        record.response = self.response.take().map(Sent::message);
        let flags = [
            self.incomplete.then_some(Flag::Incomplete),
            self.conn.mid_stream.then_some(Flag::MidStream),
            (dropped > 0).then_some(Flag::Cut(dropped)),
        ];
        record.flags.extend(flags.into_iter().flatten());
        record
    }
}

impl Layer for Raw {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        if bytes.is_empty() {
            return;
        }
        let sent = if side == Side::Request { &mut self.request } else { &mut self.response };
        let body = || BlobWriter::new(out.limits.body);
        let sent = sent.get_or_insert_with(|| Sent { span: Span::default(), body: body() });
        sent.span.add(time);
        sent.body.push(bytes);
    }

    fn gap(&mut self, _: Side, _: u64, _: Time, _: &mut Out<'_>) {
        self.incomplete = true;
    }

    fn held(&self) -> usize {
        [&self.request, &self.response].into_iter().flatten().map(|sent| sent.body.held()).sum()
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let heard = self.request.is_some() || self.response.is_some();
        if heard && !std::mem::replace(&mut self.ended, true) {
            let record = self.record(out);
            out.record(record);
        }
    }
}

impl Sent {
    fn message(self) -> Message {
        let Span { first: time, last } = self.span;
        Message { time, last, body: Some(self.body.finish()), ..Message::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Turn, bytes, conn, converse};

    #[test]
    fn a_maker_s_own_protocol_is_one_record_of_both_directions() {
        let turns = [Turn::Client(b"HELO"), Turn::Server(b"\x01\x02"), Turn::Client(b" secret"), Turn::Server(b"\x03")];
        let got = converse(&mut Raw::new(conn()), 3, &turns);
        let [record] = &got.records[..] else { panic!("one record") };
        assert_eq!((record.id.0.as_str(), record.protocol), ("tcp:0/raw", Protocol::Tcp));
        assert_eq!(bytes(record.request.as_ref().unwrap().body.as_ref()), b"HELO secret");
        assert_eq!(bytes(record.response.as_ref().unwrap().body.as_ref()), b"\x01\x02\x03");
        assert_eq!((record.time, record.flags.as_slice()), (Some(Time(1_000_000)), &[][..]));
        let ends = [&record.request, &record.response].map(|message| message.as_ref().unwrap().last);
        assert!(record.time < ends[0] && ends[0] < ends[1], "a stream is over when its last byte was sent: {ends:?}");
    }

    #[test]
    fn a_gap_is_not_hidden() {
        let turns = [Turn::Client(b"one"), Turn::Gap(Side::Request, 9), Turn::Client(b"two")];
        let got = converse(&mut Raw::new(conn()), 100, &turns);
        assert_eq!(got.records[0].flags, [Flag::Incomplete]);
        assert!(got.records[0].response.is_none(), "the server said nothing, which is not the same as nothing");
    }
}
