//! HTTP/2 (RFC 9113) seen from outside.

use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{Side, Time};

/// HTTP/2 (RFC 9113) seen from outside.
pub(crate) struct Http2 {
    conn: Conn,
}

impl Http2 {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn }
    }
}

impl Layer for Http2 {
    fn data(&mut self, _side: Side, _bytes: &[u8], _time: Time, _out: &mut Out<'_>) {
        let _ = &self.conn;
    }
    fn gap(&mut self, _side: Side, _length: u64, _time: Time, _out: &mut Out<'_>) {}
    fn end(&mut self, _out: &mut Out<'_>) {}
}
