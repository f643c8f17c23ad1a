//! The middle of a connection that its port says is encrypted: nothing to read, all to count.

use crate::layer::{Conn, Layer, Out, Span};
use dyetrace_case::{ChannelKind, Side, Time};

/// Counts the bytes of an encrypted connection without its start.
pub(crate) struct Sealed {
    conn: Conn,
    span: Span,
    sent: u64,
    received: u64,
}

impl Sealed {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(mut conn: Conn) -> Self {
        conn.channel.kind = ChannelKind::Tls;
        conn.id.push_str("/tls");
        Self { conn, span: Span::default(), sent: 0, received: 0 }
    }
}

impl Layer for Sealed {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, _: &mut Out<'_>) {
        self.span.add(time);
        match side {
            Side::Request => self.sent += bytes.len() as u64,
            Side::Response => self.received += bytes.len() as u64,
        }
    }

    fn gap(&mut self, _: Side, _: u64, _: Time, _: &mut Out<'_>) {}

    fn held(&self) -> usize {
        0
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let reason = "picked up in the middle of an encrypted connection";
        out.opaque(self.conn.opaque(out.exhibit, self.span, self.sent, self.received, reason));
    }
}
