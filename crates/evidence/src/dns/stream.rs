//! DNS over TCP and TLS: messages behind two bytes of length (RFC 1035 section 4.2.2, RFC 7858).

use super::exchanges::Exchanges;
use super::message::parse;
use crate::flow::Likeness;
use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{Protocol, Side, Time};

/// DNS messages in a stream.
pub(crate) struct Stream {
    conn: Conn,
    exchanges: Exchanges,
    sides: [Pending; 2],
}

/// What one side sent of a message that is not whole yet.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// Bytes lost: what follows cannot be divided into messages any more.
    lost: bool,
    unread: u64,
}

/// Whether a client's first bytes are DNS; only tried on the ports of DNS.
pub(crate) fn likeness(conn: &Conn, bytes: &[u8]) -> Likeness {
    if !matches!(conn.server.port, Some(53 | 853 | 5353)) {
        return Likeness::NotThis;
    }
    match bytes {
        // A query: standard, one question.
        [_, length, _, _, flags, _, 0, 1, ..] if *length >= 17 && flags & 0xf8 == 0 => Likeness::Certain,
        _ if bytes.len() < 8 => Likeness::Unsure,
        _ => Likeness::NotThis,
    }
}

impl Stream {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn, exchanges: Exchanges::default(), sides: Default::default() }
    }

    fn messages(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        let pending = &mut self.sides[side as usize];
        let mut rest = pending.bytes.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let Some((message, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
                break;
            };
            rest = after;
            match parse(message, &out.limits) {
                Some(parsed) => self.exchanges.message(&self.conn, Protocol::Dns, side, &parsed, time, out),
                None => pending.unread += message.len() as u64 + 2,
            }
        }
        let used = pending.bytes.len() - rest.len();
        pending.bytes.drain(..used);
    }
}

impl Layer for Stream {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let pending = &mut self.sides[side as usize];
        if pending.lost {
            pending.unread += bytes.len() as u64;
            return;
        }
        pending.bytes.extend_from_slice(bytes);
        self.messages(side, time, out);
    }

    fn gap(&mut self, side: Side, _: u64, _: Time, _: &mut Out<'_>) {
        let pending = &mut self.sides[side as usize];
        pending.lost = true;
        pending.unread += std::mem::take(&mut pending.bytes).len() as u64;
    }

    fn held(&self) -> usize {
        self.sides.iter().map(|side| side.bytes.len()).sum::<usize>() + self.exchanges.held()
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.exchanges.end(out);
        for pending in &mut self.sides {
            let unread = std::mem::take(&mut pending.unread) + std::mem::take(&mut pending.bytes).len() as u64;
            if unread > 0 {
                let text = format!("{unread} bytes could not be read as DNS");
                out.damage(self.conn.damage(out.exhibit, None, Some(unread), text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Turn, conn, converse};

    const QUESTION: &[u8] = b"\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x07example\0\0\x01\0\x01";
    const ANSWER: &[u8] = b"\0\x2d\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x03api\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

    #[test]
    fn any_division_of_the_stream_gives_the_same_exchange() {
        let mut conn = conn();
        conn.server.port = Some(53);
        for piece in 1..50 {
            let turns = [Turn::Client(QUESTION), Turn::Server(ANSWER)];
            let got = converse(&mut crate::flow::Dispatch::new(conn.clone()), piece, &turns);
            assert_eq!((got.records.len(), got.damages.len()), (1, 0), "pieces of {piece}");
            assert!(got.records[0].request.is_some() && got.records[0].response.is_some());
        }
    }
}
