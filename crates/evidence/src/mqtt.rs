//! MQTT 3.1, 3.1.1 and 5 control packets.

use crate::layer::{Conn, Layer, Out};
use dyetrace_case::{Side, Time};

/// MQTT 3.1, 3.1.1 and 5 control packets.
pub(crate) struct Mqtt {
    conn: Conn,
}

impl Mqtt {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        Self { conn }
    }
}

impl Layer for Mqtt {
    fn data(&mut self, _side: Side, _bytes: &[u8], _time: Time, _out: &mut Out<'_>) {
        let _ = &self.conn;
    }
    fn gap(&mut self, _side: Side, _length: u64, _time: Time, _out: &mut Out<'_>) {}
    fn end(&mut self, _out: &mut Out<'_>) {}
}
