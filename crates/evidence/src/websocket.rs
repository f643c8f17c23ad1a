//! WebSocket (RFC 6455) messages.

use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{Side, Time};

/// WebSocket (RFC 6455) messages.
pub(crate) struct WebSocket {
    conn: Conn,
}

impl WebSocket {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn }
    }
}

impl Layer for WebSocket {
    fn data(&mut self, _side: Side, _bytes: &[u8], _time: Time, _out: &mut Out<'_>) {
        let _ = &self.conn;
    }
    fn gap(&mut self, _side: Side, _length: u64, _time: Time, _out: &mut Out<'_>) {}
    fn end(&mut self, _out: &mut Out<'_>) {}
}
