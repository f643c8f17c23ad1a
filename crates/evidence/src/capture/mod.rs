//! Capture files down to transport payloads: containers, link layers, IP, tunnels.

#[expect(dead_code, reason = "read by the stream reassembly, which is being built on it")]
mod payload;

#[expect(unused_imports, reason = "read by the stream reassembly, which is being built on it")]
pub(crate) use payload::{Payload, Socket, TcpFlags, TcpSegment, UdpDatagram};
