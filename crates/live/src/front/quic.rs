//! QUIC that clients try (UDP to port 443): refused and written down, so that they take TCP, which can be read.
//!
//! Behind a gateway the firewall redirects these datagrams here. The system does not tell whom they were for, as it does
//! of TCP connections: the name is read from the client's first packets, whose keys everybody can derive (RFC 9001
//! section 5.2). The client is told that its version is not spoken (RFC 9000 section 6.1), so that it gives up at once.

use crate::relay::Relay;
use dyetrace_case::Side;
use rustls::quic::{Keys, Version};
use rustls::server::Acceptor;
use rustls::{CipherSuite, SupportedCipherSuite};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// The port of HTTP/3.
pub(super) const HTTPS: u16 = 443;
/// The longest datagram.
const DATAGRAM: usize = 65_536;
/// A server that answers to shorter ones could be used to flood others (RFC 9000 section 14.1).
const SHORTEST_ANSWERED: usize = 1200;
/// A version that stands for none (RFC 9000 section 15).
const NO_VERSION: u32 = 0x1a2a_3a4a;
/// Clients whose greeting is not complete, and bytes of one: with post-quantum keys it takes two datagrams.
const INCOMPLETE: usize = 64;
const GREETING: usize = 16 << 10;
/// Its pieces; Chromium shuffles a handful of them.
const PIECES: usize = 256;

/// Refuses what comes, until the task is dropped. In the journal, the server of these datagrams is the address that
/// stands for none.
pub async fn refuse(socket: UdpSocket, relay: Arc<Relay>) {
    let mut names = Names::default();
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut datagram).await else {
            // The error of an answer that nobody took.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if !relay.policy().admits(client.ip()) || !relay.takes_datagram() {
            continue;
        }
        let datagram = datagram.get(..length).unwrap_or_default();
        let any: IpAddr = if client.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let remark = remark(names.of(client, datagram).as_deref());
        relay.datagram((client, SocketAddr::new(any, HTTPS)), Side::Request, datagram, Some(&remark));
        if let Some(answer) = no_version(datagram) {
            // Who does not get it waits a little longer.
            let _ = socket.try_send_to(&answer, client);
        }
    }
}

/// What the journal says of a datagram that was refused, and whom it was for.
pub(super) fn remark(name: Option<&str>) -> String {
    let whom = name.map(|name| format!(" to {name}")).unwrap_or_default();
    format!("dyetrace:datagram refused: QUIC{whom}, so that the client takes what can be read")
}

/// Names that clients ask for in their greetings, put together from several datagrams.
#[derive(Default)]
pub(super) struct Names {
    /// By client and the connection's first identifier, the oldest first.
    incomplete: VecDeque<((SocketAddr, Vec<u8>), Greeting)>,
}

/// Pieces of a greeting, by their place.
#[derive(Default)]
struct Greeting {
    pieces: BTreeMap<usize, Vec<u8>>,
    held: usize,
}

impl Names {
    /// The name in the client's greeting, where this datagram completes it.
    pub(super) fn of(&mut self, client: SocketAddr, datagram: &[u8]) -> Option<String> {
        let header = LongHeader::read(datagram)?;
        let frames = header.open(datagram)?;
        let known = (client, header.destination.to_vec());
        let at = self.incomplete.iter().position(|(of, _)| *of == known);
        let mut greeting =
            at.and_then(|at| self.incomplete.remove(at)).map(|(_, greeting)| greeting).unwrap_or_default();
        greeting.add(&frames);
        if let Some(hello) = greeting.whole() {
            return name(&hello);
        }
        if self.incomplete.len() >= INCOMPLETE {
            self.incomplete.pop_front();
        }
        self.incomplete.push_back((known, greeting));
        None
    }
}

impl Greeting {
    /// Takes the pieces out of a packet's frames (RFC 9000 section 12.4, table 3).
    fn add(&mut self, frames: &[u8]) {
        let mut rest = frames;
        while let Some((kind, after)) = rest.split_first() {
            let after = match kind {
                // Padding, and a ping.
                0 | 1 => Some(after),
                2 | 3 => acknowledgement(after, *kind == 3),
                6 => self.piece(after),
                _ => None,
            };
            let Some(after) = after else { return };
            rest = after;
        }
    }

    fn piece<'a>(&mut self, frame: &'a [u8]) -> Option<&'a [u8]> {
        let (place, frame) = number(frame)?;
        let (length, frame) = number(frame)?;
        let (piece, after) = frame.split_at_checked(length)?;
        let fits = self.held + piece.len() <= GREETING && self.pieces.len() < PIECES;
        if fits && self.pieces.get(&place).is_none_or(|known| known.len() < piece.len()) {
            self.held += piece.len();
            self.pieces.insert(place, piece.to_vec());
        }
        Some(after)
    }

    /// The greeting, once no byte of it is missing. It says its own length (RFC 8446 section 4).
    fn whole(&self) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        for (place, piece) in &self.pieces {
            let fresh = whole.len().checked_sub(*place)?;
            whole.extend_from_slice(piece.get(fresh..).unwrap_or_default());
        }
        let length = u32::from_be_bytes([0, *whole.get(1)?, *whole.get(2)?, *whole.get(3)?]) as usize;
        whole.truncate(length + 4);
        (whole.len() == length + 4).then_some(whole)
    }
}

/// Passes over an ACK frame (RFC 9000 section 19.3).
fn acknowledgement(frame: &[u8], has_counts: bool) -> Option<&[u8]> {
    let (_, frame) = number(frame)?;
    let (_, frame) = number(frame)?;
    let (ranges, mut frame) = number(frame)?;
    // The first range, two numbers of each other, and three counts.
    for _ in 0..ranges.checked_mul(2)?.checked_add(if has_counts { 4 } else { 1 })? {
        (_, frame) = number(frame)?;
    }
    Some(frame)
}

/// The name in a ClientHello, which TLS over TCP has in records.
fn name(hello: &[u8]) -> Option<String> {
    let mut acceptor = Acceptor::default();
    for part in hello.chunks(1 << 14) {
        let mut record = vec![22, 3, 1];
        record.extend((part.len() as u16).to_be_bytes());
        record.extend(part);
        acceptor.read_tls(&mut record.as_slice()).ok()?;
        if let Some(accepted) = acceptor.accept().ok()? {
            return accepted.client_hello().server_name().map(str::to_owned);
        }
    }
    None
}

/// The header of a packet that begins a connection (RFC 8999 section 5.1).
struct LongHeader<'a> {
    version: u32,
    destination: &'a [u8],
    source: &'a [u8],
    /// Where what depends on the version begins.
    end: usize,
}

impl<'a> LongHeader<'a> {
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let (first, rest) = datagram.split_first()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (destination, rest) = connection_id(rest)?;
        let (source, rest) = connection_id(rest)?;
        let is_long = first & 0x80 != 0;
        is_long.then_some(Self {
            version: u32::from_be_bytes(*version),
            destination,
            source,
            end: datagram.len() - rest.len(),
        })
    }

    /// The frames of an Initial packet from a client (RFC 9000 section 17.2.2, RFC 9001 section 5).
    fn open(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (version, kind) = match self.version {
            1 => (Version::V1, 0),
            // RFC 9369 section 3.2: another number for the same packet.
            0x6b33_43cf => (Version::V2, 1),
            _ => return None,
        };
        let first = *datagram.first()?;
        if first >> 4 & 3 != kind {
            return None;
        }
        let (token, rest) = number(datagram.get(self.end..)?)?;
        let (length, rest) = number(rest.get(token..)?)?;
        let at = datagram.len() - rest.len();
        let mut packet = datagram.get(..at.checked_add(length)?)?.to_vec();
        let keys = initial_keys(version, self.destination)?.remote;
        let (start, rest) = packet.split_at_mut_checked(at)?;
        // The number has one to four bytes; how many, is masked itself (RFC 9001 section 5.4).
        let (number, rest) = rest.split_at_mut_checked(4)?;
        keys.header.decrypt_in_place(rest.first_chunk::<16>()?, start.first_mut()?, number).ok()?;
        let digits = usize::from(start.first()? & 3) + 1;
        let number = number.iter().take(digits).fold(0, |number, byte| number << 8 | u64::from(*byte));
        let (header, payload) = packet.split_at_mut_checked(at + digits)?;
        Some(keys.packet.decrypt_in_place(number, header, payload).ok()?.to_vec())
    }
}

fn initial_keys(version: Version, destination: &[u8]) -> Option<Keys> {
    let suites = rustls::crypto::ring::ALL_CIPHER_SUITES;
    let suite = suites.iter().find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256)?;
    let SupportedCipherSuite::Tls13(suite) = suite else { return None };
    Some(suite.quic_suite()?.keys(destination, rustls::Side::Server, version))
}

/// Says that the version of the packet is not spoken (RFC 9000 section 17.2.1); `None` for what is not to be answered.
fn no_version(datagram: &[u8]) -> Option<Vec<u8>> {
    let header = LongHeader::read(datagram).filter(|_| datagram.len() >= SHORTEST_ANSWERED)?;
    if header.version == 0 {
        return None;
    }
    let offered = if header.version == NO_VERSION { !NO_VERSION } else { NO_VERSION };
    let mut answer = vec![0xc0, 0, 0, 0, 0];
    for id in [header.source, header.destination] {
        answer.push(id.len() as u8);
        answer.extend(id);
    }
    answer.extend(offered.to_be_bytes());
    Some(answer)
}

/// An identifier of up to 255 bytes behind its length (RFC 8999 section 5.1).
fn connection_id(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// A number of one, two, four or eight bytes (RFC 9000 section 16).
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = 1 << (bytes.first()? >> 6);
    let (written, rest) = bytes.split_at_checked(length)?;
    let number = written.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let number = number & (u64::MAX >> (66 - 8 * length.min(8)));
    Some((usize::try_from(number).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustls::ClientConfig;
    use rustls::quic::ClientConnection;

    const CLIENT: &str = "10.0.0.2:4000";
    const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    /// An Initial packet with these frames, padded, as a client protects it.
    fn initial(version: Version, number: u8, frames: &[u8]) -> Vec<u8> {
        let (first, code) = if matches!(version, Version::V1) { (0xc3, 1u32) } else { (0xd3, 0x6b33_43cf) };
        let mut packet = vec![first];
        packet.extend(code.to_be_bytes());
        packet.push(ID.len() as u8);
        packet.extend(ID);
        // No identifier of its own, no token, and the length of the rest in two bytes.
        packet.extend([0, 0, 0x44, 0x9e, 0, 0, 0, number]);
        let mut payload = frames.to_vec();
        payload.resize(1162, 0);
        let keys = {
            let suites = rustls::crypto::ring::ALL_CIPHER_SUITES;
            let aes = suites.iter().find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256).unwrap();
            let SupportedCipherSuite::Tls13(suite) = aes else { panic!("not TLS 1.3") };
            suite.quic_suite().unwrap().keys(&ID, rustls::Side::Client, version).local
        };
        let tag = keys.packet.encrypt_in_place(number.into(), &packet, &mut payload).unwrap();
        payload.extend(tag.as_ref());
        let (start, number) = packet.split_at_mut(18);
        keys.header.encrypt_in_place(&payload[..16], &mut start[0], number).unwrap();
        packet.extend(payload);
        packet
    }

    /// A CRYPTO frame.
    fn piece(hello: &[u8], from: usize, to: usize) -> Vec<u8> {
        let mut frame = vec![6];
        for number in [from, to - from] {
            frame.extend((number as u16 | 0x4000).to_be_bytes());
        }
        frame.extend(&hello[from..to]);
        frame
    }

    /// What a client of rustls greets with.
    fn hello(name: &str) -> Vec<u8> {
        let config = ClientConfig::builder_with_provider(crate::authority::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let name = name.to_owned().try_into().unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), Version::V1, name, vec![0; 40]).unwrap();
        let mut hello = Vec::new();
        connection.write_hs(&mut hello);
        hello
    }

    /// The packet of RFC 9001 appendix A.2.
    const PUBLISHED: &[u8] = include_bytes!("client_initial.bin");

    #[test]
    fn the_name_in_the_packet_of_rfc_9001_is_read() {
        let client = CLIENT.parse().unwrap();
        assert_eq!(Names::default().of(client, PUBLISHED).as_deref(), Some("example.com"));
        let frames = LongHeader::read(PUBLISHED).unwrap().open(PUBLISHED).unwrap();
        assert_eq!(initial(Version::V1, 2, &frames), PUBLISHED);
    }

    #[test]
    fn a_greeting_in_pieces_out_of_order_and_in_two_datagrams_is_put_together() {
        let (client, hello) = (CLIENT.parse().unwrap(), hello("api.example.test"));
        for version in [Version::V1, Version::V2] {
            let mut names = Names::default();
            // An acknowledgement, a ping and padding between them.
            let mut first = piece(&hello, 100, hello.len());
            first.extend([2, 5, 0, 0, 0, 1, 0, 0]);
            first.extend(piece(&hello, 0, 20));
            assert_eq!(names.of(client, &initial(version, 0, &first)), None);
            let other = "10.0.0.3:4000".parse().unwrap();
            assert_eq!(names.of(other, &initial(version, 1, &piece(&hello, 20, 100))), None, "of another client");
            let second = initial(version, 1, &piece(&hello, 10, 110));
            assert_eq!(names.of(client, &second).as_deref(), Some("api.example.test"));
        }
    }

    #[test]
    fn the_answer_names_the_ends_the_other_way_round_and_no_version_that_is_spoken() {
        let packet = initial(Version::V1, 0, &[1]);
        let answer = no_version(&packet).unwrap();
        assert_eq!(answer, [&[0xc0, 0, 0, 0, 0, 0, 8][..], &ID, &NO_VERSION.to_be_bytes()].concat());
        assert_eq!(no_version(&packet[..1199]), None, "too short to be answered");
        let negotiation = [&answer[..], &[0; 1200]].concat();
        assert_eq!(no_version(&negotiation), None, "who says that a version is not spoken is not told so");
        assert_eq!(no_version(&[0x40; 1200]), None, "no beginning of a connection");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(at in 0usize..60, with in 0u8.., cut in 0usize..1300, junk: Vec<u8>) {
            let mut packet = initial(Version::V1, 0, &junk);
            if let Some(byte) = packet.get_mut(at) {
                *byte = with;
            }
            packet.truncate(cut);
            let mut names = Names::default();
            let client = CLIENT.parse().unwrap();
            for datagram in [&packet, &junk] {
                let _ = (names.of(client, datagram), no_version(datagram));
            }
            let mut greeting = Greeting::default();
            greeting.add(&junk);
            prop_assert!(greeting.held <= GREETING && greeting.pieces.len() <= PIECES);
            let _ = (greeting.whole(), name(&junk));
        }
    }
}
