//! UDP: datagrams between the same two sockets belong together; each is read for itself.

use super::guess;
use super::table::{Pair, Table};
use crate::capture::{Socket, UdpDatagram};
use crate::dns;
use crate::layer::{Conn, Out, Span};
use dyetrace_case::{
    App, Blob, Channel, ChannelKind, ExhibitId, Flag, Message, NameSource, Protocol, Record, Side, Time, Transport,
};
use std::net::IpAddr;
use std::sync::Arc;

/// All UDP conversations of a capture.
pub(crate) struct Datagrams {
    table: Table<Talk>,
    seen: u64,
    /// Conversations at once, where the limits allow more.
    most: usize,
}

/// What two sockets sent each other.
struct Talk {
    number: u64,
    sockets: [Socket; 2],
    /// The direction in which the client sends.
    client: usize,
    app: Option<Arc<App>>,
    /// Records made of datagrams so far.
    records: u64,
    dns: Option<Box<dns::Exchanges>>,
    sealed: [Option<Sealed>; 2],
    /// Bytes that the recorder cut off, and when first.
    cut: Option<(u64, Time)>,
}

/// Encrypted bytes of one kind.
#[derive(Debug, Clone, Copy)]
struct Sealed {
    span: Span,
    sent: u64,
    received: u64,
}

/// The encrypted protocols over UDP, in the order of [`Talk::sealed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Quic,
    Dtls,
}

impl Default for Datagrams {
    fn default() -> Self {
        Self::new()
    }
}

impl Datagrams {
    /// No datagram yet.
    pub(crate) fn new() -> Self {
        Self { table: Table::new(), seen: 0, most: usize::MAX }
    }

    /// With so many conversations at once and no more.
    pub(crate) fn at_most(most: usize) -> Self {
        Self { most, ..Self::new() }
    }

    /// Conversations that are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes one datagram.
    pub(crate) fn datagram(
        &mut self,
        datagram: &UdpDatagram<'_>,
        time: Time,
        app: Option<&Arc<App>>,
        out: &mut Out<'_>,
    ) {
        let (pair, direction) = Pair::of(datagram.source, datagram.destination);
        let slot = match self.table.find(&pair) {
            Some(slot) => slot,
            None => self.begin(pair, direction, datagram, out),
        };
        let Some(talk) = self.table.get(slot) else { return };
        if talk.app.is_none() {
            talk.app = app.cloned();
        }
        talk.datagram(direction, datagram, time, out);
    }

    /// Whether these two sockets wait for an answer about a name.
    pub(crate) fn wait_for_names(&mut self, sockets: [Socket; 2]) -> bool {
        self.names_between(sockets).is_some_and(|dns| dns.are_waiting())
    }

    /// Emits the names that these two sockets asked for up to that time and that nobody answered.
    pub(crate) fn give_up_questions(&mut self, sockets: [Socket; 2], until: Time, out: &mut Out<'_>) {
        if let Some(dns) = self.names_between(sockets) {
            dns.give_up(until, out);
        }
    }

    fn names_between(&mut self, sockets: [Socket; 2]) -> Option<&mut dns::Exchanges> {
        let (pair, _) = Pair::of(sockets[0], sockets[1]);
        let slot = self.table.find(&pair)?;
        self.table.get(slot)?.dns.as_deref_mut()
    }

    /// The capture ended: emits what is held, in the order of the conversations.
    pub(crate) fn end(&mut self, out: &mut Out<'_>) {
        let mut talks = self.table.drain();
        talks.sort_unstable_by_key(|talk| talk.number);
        for talk in talks {
            talk.end(out);
        }
    }

    fn begin(&mut self, pair: Pair, direction: usize, datagram: &UdpDatagram<'_>, out: &mut Out<'_>) -> usize {
        while self.table.len() >= out.limits.connections.min(self.most).max(1) {
            let Some(talk) = self.table.remove_oldest() else { break };
            talk.end(out);
        }
        let answered_first =
            !is_group(datagram.destination.0) && guess::is_likelier_server(datagram.source.1, datagram.destination.1);
        let talk = Talk {
            number: self.seen,
            sockets: [pair.low, pair.high],
            client: if answered_first { 1 - direction } else { direction },
            app: None,
            records: 0,
            dns: None,
            sealed: [None; 2],
            cut: None,
        };
        self.seen += 1;
        self.table.insert(pair, talk)
    }
}

/// What a client tried to send under encryption, and the recorder refused: it reached nobody, so nobody read it.
fn attempt(conn: &Conn, exhibit: ExhibitId, sealed: Sealed) -> Record {
    let mut record = conn.record(exhibit, "refused", Protocol::Udp, sealed.span.first);
    record.request = Some(Message { time: sealed.span.first, last: sealed.span.last, ..Message::default() });
    record
}

/// True for addresses that name a group or everyone.
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.octets()[3] == 255,
        IpAddr::V6(address) => address.is_multicast(),
    }
}

impl Talk {
    fn datagram(&mut self, direction: usize, datagram: &UdpDatagram<'_>, time: Time, out: &mut Out<'_>) {
        let (bytes, cut) = (datagram.payload, u64::from(datagram.missing));
        out.tally.payload += bytes.len() as u64 + cut;
        if cut > 0 {
            let (lost, _) = self.cut.get_or_insert((0, time));
            *lost += cut;
        }
        if bytes.is_empty() {
            return;
        }
        let side = if direction == self.client { Side::Request } else { Side::Response };
        if self.domain_names(direction, side, bytes, time, out) {
            return;
        }
        match self.cipher(bytes) {
            Some(cipher) => self.seal(cipher, side, bytes.len(), time),
            None => self.record(side, bytes, cut > 0, time, out),
        }
    }

    /// Reads a DNS message; false where it is none.
    fn domain_names(&mut self, direction: usize, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) -> bool {
        let ports = [self.sockets[0].1, self.sockets[1].1];
        let expected = ports.iter().any(|port| dns::is_port(*port));
        if !expected && self.dns.is_none() && !dns::is_plain_exchange(bytes) {
            return false;
        }
        let Some(message) = dns::parse(bytes, &out.limits) else { return false };
        let multicast = ports.contains(&5353);
        let mut conn = self.conn(out);
        // Multicast answers come unasked: whoever sends one is the server.
        let answering = message.is_response() && (multicast || is_group(self.sockets[1 - direction].0));
        if answering && direction == self.client {
            std::mem::swap(&mut conn.client, &mut conn.server);
        }
        let side = if answering { Side::Response } else { side };
        let protocol = if multicast { Protocol::Mdns } else { Protocol::Dns };
        self.dns.get_or_insert_default().message(&conn, protocol, side, &message, time, out);
        true
    }

    fn cipher(&self, bytes: &[u8]) -> Option<Cipher> {
        let server = self.sockets[1 - self.client].1;
        let first = bytes.first().copied().unwrap_or(0);
        // RFC 9147 section 4: the unified header of DTLS 1.3 begins with 001.
        let known_dtls = self.sealed[Cipher::Dtls as usize].is_some() && first >> 5 == 1;
        let known_quic = self.sealed[Cipher::Quic as usize].is_some();
        if is_dtls(bytes) || known_dtls {
            Some(Cipher::Dtls)
        } else if known_quic
            || is_quic_long(bytes)
            || is_google_quic(bytes)
            || server == 443 && first & 0xc0 == 0x40 && bytes.len() > 20
        {
            Some(Cipher::Quic)
        } else {
            None
        }
    }

    fn seal(&mut self, cipher: Cipher, side: Side, length: usize, time: Time) {
        let sealed = self.sealed[cipher as usize].get_or_insert(Sealed { span: Span::default(), sent: 0, received: 0 });
        sealed.span.add(time);
        match side {
            Side::Request => sealed.sent += length as u64,
            Side::Response => sealed.received += length as u64,
        }
    }

    fn record(&mut self, side: Side, bytes: &[u8], cut: bool, time: Time, out: &mut Out<'_>) {
        let number = self.records.to_string();
        self.records += 1;
        let mut record = self.conn(out).record(out.exhibit, &number, Protocol::Udp, Some(time));
        let message = Message {
            time: Some(time),
            last: Some(time),
            body: Some(Blob::from(bytes.to_vec())),
            ..Message::default()
        };
        match side {
            Side::Request => record.request = Some(message),
            Side::Response => record.response = Some(message),
        }
        if cut {
            record.flags.push(Flag::Incomplete);
        }
        out.record(record);
    }

    fn end(self, out: &mut Out<'_>) {
        let mut conn = self.conn(out);
        if let Some(mut dns) = self.dns {
            dns.end(out);
        }
        if let Some((lost, time)) = self.cut {
            let text = format!("{lost} bytes of datagrams cut off by the recorder");
            out.damage(conn.damage(out.exhibit, Some(time), Some(lost), text));
        }
        let names =
            [(ChannelKind::Quic, "QUIC is not decrypted yet"), (ChannelKind::Dtls, "DTLS is not decrypted yet")];
        for (sealed, (kind, reason)) in self.sealed.into_iter().zip(names) {
            if let Some(sealed) = sealed {
                conn.channel.kind = kind;
                if sealed.received == 0 && out.remarks.is_refused(&conn.client, &conn.server) {
                    let name = out.remarks.name_refused(&conn.client, &conn.server);
                    conn.server.name = name.map(|name| (name.to_owned(), NameSource::Sni)).or(conn.server.name);
                    return out.record(attempt(&conn, out.exhibit, sealed));
                }
                out.opaque(conn.opaque(out.exhibit, sealed.span, sealed.sent, sealed.received, reason));
            }
        }
    }

    fn conn(&self, out: &Out<'_>) -> Conn {
        Conn {
            id: format!("udp:{}", self.number),
            transport: Transport::Udp,
            client: super::endpoint(self.sockets[self.client], None),
            server: super::endpoint(self.sockets[1 - self.client], Some(out)),
            channel: Channel::clear(),
            alpn: None,
            app: self.app.clone(),
            mid_stream: false,
            depth: 0,
        }
    }
}

/// A DTLS record with the long header (RFC 6347 section 4.1; RFC 9146 for the connection id).
fn is_dtls(bytes: &[u8]) -> bool {
    match bytes {
        [20..=26, 0xfe, 0xff | 0xfd | 0xfc, _, _, _, _, _, _, _, _, high, low, ..]
        | [20..=26, 0x01, 0x00, _, _, _, _, _, _, _, _, high, low, ..] => {
            bytes[0] == 25 || usize::from(u16::from_be_bytes([*high, *low])) <= bytes.len() - 13
        }
        _ => false,
    }
}

/// A QUIC packet with the long header (RFC 8999 section 5.1), of a version seen in the world.
fn is_quic_long(bytes: &[u8]) -> bool {
    let [first @ 0x80..=0xff, a, b, c, d, length, rest @ ..] = bytes else { return false };
    let version = u32::from_be_bytes([*a, *b, *c, *d]);
    let ids_fit = rest.get(usize::from(*length)).is_some_and(|second| {
        *length <= 20 && *second <= 20 && rest.len() > usize::from(*length) + usize::from(*second)
    });
    let fixed_bit = first & 0x40 != 0;
    let known = match version {
        0 => true,
        1 | 0x6b33_43cf | 0x709a_50c4 => fixed_bit,
        // Drafts of the IETF, Facebook's, versions to exercise negotiation.
        _ => version >> 16 == 0xff00 || version >> 8 == 0x00fa_ceb0 || version & 0x0f0f_0f0f == 0x0a0a_0a0a,
    };
    ids_fit && known || is_google_version([*a, *b, *c, *d])
}

/// Google's versions before the IETF's: Q009 to Q050, T050 and T051.
fn is_google_version(version: [u8; 4]) -> bool {
    matches!(version, [b'Q' | b'T', b'0', b'0'..=b'9', b'0'..=b'9'])
}

/// The header of Google's QUIC up to Q043, as a client begins with it: version and connection id.
fn is_google_quic(bytes: &[u8]) -> bool {
    matches!(bytes, [flags, _, _, _, _, _, _, _, _, a, b, c, d, ..]
        if flags & 0xc9 == 0x09 && is_google_version([*a, *b, *c, *d]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Limits;
    use crate::testing::{Got, bytes, collect};

    type Address = ([u8; 4], u16);
    const PHONE: Address = ([10, 0, 0, 2], 40_000);
    const CLOUD: Address = ([192, 0, 2, 9], 5683);

    fn send(turns: &[(Address, Address, &[u8])]) -> Got {
        collect(Limits::default(), |out| {
            let mut datagrams = Datagrams::new();
            for (number, (source, destination, payload)) in turns.iter().enumerate() {
                let socket = |(address, port): Address| (IpAddr::from(address), port);
                let (source, destination) = (socket(*source), socket(*destination));
                let datagram = UdpDatagram { source, destination, payload, missing: 0 };
                datagrams.datagram(&datagram, Time(number as i64), None, out);
            }
            datagrams.end(out);
        })
    }

    #[test]
    fn each_datagram_of_an_unknown_protocol_is_a_record() {
        let got = send(&[(PHONE, CLOUD, b"\x40\x01\x00\x01"), (CLOUD, PHONE, b"\x60\x45\x00\x01")]);
        let ids: Vec<_> = got.records.iter().map(|record| record.id.0.as_str()).collect();
        assert_eq!(ids, ["udp:0/0", "udp:0/1"]);
        assert_eq!(bytes(got.records[0].request.as_ref().unwrap().body.as_ref()), b"\x40\x01\x00\x01");
        assert_eq!(bytes(got.records[1].response.as_ref().unwrap().body.as_ref()), b"\x60\x45\x00\x01");
    }

    #[test]
    fn an_answer_captured_first_does_not_make_its_sender_the_client() {
        let got = send(&[(CLOUD, PHONE, b"\x60\x45\x00\x01")]);
        assert_eq!(got.records[0].server.port, Some(5683));
        assert!(got.records[0].request.is_none());
    }

    #[test]
    fn quic_is_counted_once_per_conversation() {
        let mut initial = b"\xc3\x00\x00\x00\x01\x08abcdefgh\x00\x00".to_vec();
        initial.resize(1200, 7);
        let quic = ([192, 0, 2, 9], 443);
        let got = send(&[(PHONE, quic, &initial), (quic, PHONE, b"\x41short header"), (PHONE, quic, b"\x50more")]);
        let [opaque] = &got.opaque[..] else { panic!("one opaque") };
        assert_eq!((opaque.bytes_sent, opaque.bytes_received), (1205, 13));
        assert_eq!((opaque.time, opaque.last), (Some(Time(0)), Some(Time(2))), "from the first byte to the last");
        assert_eq!(opaque.channel.kind, ChannelKind::Quic);
        assert!(got.records.is_empty());
        assert_eq!(got.tally.payload, got.tally.opaque);
    }
}
