//! What the transport layer carried, one packet at a time: the seam towards stream reassembly.

use std::net::IpAddr;

/// Address and port of one side.
pub(crate) type Socket = (IpAddr, u16);

/// What one packet (or reassembled IP datagram) carried above IP, tunnels undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    /// A TCP segment.
    Tcp(TcpSegment<'a>),
    /// A UDP datagram.
    Udp(UdpDatagram<'a>),
    /// Another IP protocol, or a TCP or UDP header that could not be read. Already counted by
    /// the network layer; there is nothing left to do for the receiver.
    Other {
        /// IANA protocol number of the IP header.
        protocol: u8,
        /// Sender.
        source: IpAddr,
        /// Receiver.
        destination: IpAddr,
        /// Bytes above IP.
        bytes: u64,
    },
}

/// A TCP segment (RFC 9293 section 3.1). Checksums are not looked at: offloading makes them wrong
/// in captures of the sending host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpSegment<'a> {
    /// Sender.
    pub(crate) source: Socket,
    /// Receiver.
    pub(crate) destination: Socket,
    /// Sequence number of the SYN, or else of the first payload byte.
    pub(crate) sequence: u32,
    /// The acknowledgement number, where the ACK bit is set.
    pub(crate) acknowledgement: Option<u32>,
    /// The control bits.
    pub(crate) flags: TcpFlags,
    /// The window field, unscaled.
    pub(crate) window: u16,
    /// The captured payload.
    pub(crate) payload: &'a [u8],
    /// Payload bytes behind `payload` that the recorder cut off (snapshot length).
    pub(crate) missing: u32,
}

/// The control bits of a TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TcpFlags(pub(crate) u8);

impl TcpFlags {
    /// No more data from the sender.
    pub(crate) const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub(crate) const SYN: u8 = 0x02;
    /// Reset the connection.
    pub(crate) const RST: u8 = 0x04;
    /// The acknowledgement number is meant.
    pub(crate) const ACK: u8 = 0x10;

    /// No more data from the sender.
    pub(crate) fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }

    /// Synchronise sequence numbers.
    pub(crate) fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    /// Reset the connection.
    pub(crate) fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }

    /// The acknowledgement number is meant.
    pub(crate) fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }
}

/// A UDP datagram (RFC 768).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UdpDatagram<'a> {
    /// Sender.
    pub(crate) source: Socket,
    /// Receiver.
    pub(crate) destination: Socket,
    /// The captured payload.
    pub(crate) payload: &'a [u8],
    /// Payload bytes behind `payload` that the recorder cut off (snapshot length).
    pub(crate) missing: u32,
}
