//! As much of MQTT 3.1.1 (OASIS standard, 2014) as a plug needs to report.

use std::io::{Error, Read, Result, Write};

/// One control packet: its first byte and what follows the length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Packet type and flags.
    pub first: u8,
    /// Variable header and payload.
    pub rest: Vec<u8>,
}

/// CONNACK, accepted.
pub const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
/// PINGREQ.
pub const PING: [u8; 2] = [0xc0, 0];
/// PINGRESP.
pub const PONG: [u8; 2] = [0xd0, 0];
/// DISCONNECT.
pub const GOODBYE: [u8; 2] = [0xe0, 0];

/// CONNECT with a clean session and a keep-alive of 60 s.
pub fn connect(client: &str) -> Vec<u8> {
    let mut rest = string("MQTT");
    rest.extend([4, 2, 0, 60]);
    rest.extend(string(client));
    packet(0x10, &rest)
}

/// PUBLISH at most once.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut rest = string(topic);
    rest.extend(payload);
    packet(0x30, &rest)
}

/// SUBSCRIBE to one topic.
pub fn subscribe(topic: &str) -> Vec<u8> {
    let mut rest = vec![0, 1];
    rest.extend(string(topic));
    rest.push(0);
    packet(0x82, &rest)
}

/// SUBACK to [`subscribe`].
pub fn subscribed() -> Vec<u8> {
    packet(0x90, &[0, 1, 0])
}

/// The next packet, or nothing when the peer has closed.
pub fn read(stream: &mut impl Read) -> Result<Option<Packet>> {
    let mut byte = [0];
    if stream.read(&mut byte).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let first = byte[0];
    let mut length = 0_usize;
    for shift in [0, 7, 14, 21] {
        stream.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            let mut rest = vec![0; length];
            stream.read_exact(&mut rest)?;
            return Ok(Some(Packet { first, rest }));
        }
    }
    Err(Error::other("a remaining length of more than four bytes"))
}

/// The topic and payload of a PUBLISH at most once.
pub fn published(packet: &Packet) -> Option<(&[u8], &[u8])> {
    let (length, rest) = packet.rest.split_first_chunk::<2>()?;
    (packet.first == 0x30).then(|| rest.split_at_checked(u16::from_be_bytes(*length).into()))?
}

/// Writes one packet.
pub fn write(stream: &mut impl Write, packet: &[u8]) -> Result<()> {
    stream.write_all(packet)?;
    stream.flush()
}

fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = rest.len();
    loop {
        let more = if length > 0x7f { 0x80 } else { 0 };
        bytes.push(length as u8 & 0x7f | more);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    bytes.extend(rest);
    bytes
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}
