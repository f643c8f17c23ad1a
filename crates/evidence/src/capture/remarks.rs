//! What `dyetrace live` did with messages, as remarks of the journal that it wrote: what its guard held back, and which
//! datagrams it refused.
//!
//! The journal holds what the client sent; a remark says what became of it. Remarks are believed only where the file
//! is one section that names `dyetrace live` as what wrote it, whose connections are numbered as they follow each
//! other, and where a remark stands on the connection that it speaks of. That keeps other tools' files and mixed
//! files out. Whoever can write such a file can also write such remarks, just as they could leave packets out: they
//! are worth as much as the exhibit's custody.

use super::Socket;
use super::bytes::Order;
use super::pcapng::Options;
use dyetrace_case::{DatumId, Endpoint, GuardDeed, Record, RecordId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What the sections that are believed name as what wrote them.
const WRITER: &[u8] = b"dyetrace live ";
/// Option `shb_userappl` (draft-ietf-opsawg-pcapng section 4.1), behind magic, version and length.
const SECTION_APPLICATION: u16 = 4;
const SECTION_OPTIONS: usize = 16;
const COMMENT: u16 = 1;
/// The protocol's number in IP.
const UDP: u8 = 17;
/// Bytes of remarks that are kept: of 100,000 decisions and more. Messages whose remarks are not count as sent.
const MOST: usize = 32 << 20;
/// Pairs of sockets whose refused datagrams are known. Others count as sent.
const MOST_PAIRS: usize = 1 << 16;
/// Letters of a host's name (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// Data of one connection whose remarks are kept.
const MOST_DATA: usize = 128;

/// Remarks of a journal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remarks {
    /// By the connection's number.
    flows: BTreeMap<u64, Flow>,
    /// Client and server of datagrams that went no further, and the name that the client asked for, where it is known.
    /// The recorder refuses all datagrams of a pair or none.
    refused: BTreeMap<(Socket, Socket), Option<String>>,
}

/// What was decided on one connection, found again in logarithmic time: a file may hold a million remarks.
#[derive(Debug, Clone, Default)]
struct Flow {
    /// Ports of the client and the server.
    ports: (u16, u16),
    /// Of requests, by the names of their records: `http:0`, `h2:5`.
    requests: BTreeMap<String, Vec<Remark>>,
    /// The first request of HTTP/1 behind which nothing went on.
    last_request: Option<u64>,
    /// Of other messages, by datum, in the order of time.
    others: BTreeMap<DatumId, Vec<(Time, Became)>>,
    /// When the guard cut what is no HTTP.
    cut: Option<Time>,
}

/// One decision.
#[derive(Debug, Clone)]
struct Remark {
    became: Became,
    data: Vec<DatumId>,
    /// Bytes of the message that had left.
    left: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// It went on, and the person was told or had allowed it.
    Passed,
    /// It went on without the values.
    Redacted,
    /// It went no further.
    Blocked,
    /// It went no further, and nothing behind it did.
    Refused,
}

/// Collects remarks from the blocks of a file.
#[derive(Debug, Default)]
pub(super) struct Collector {
    sections: u64,
    is_journal: bool,
    /// Ports of the connections that were begun, by their numbers.
    begun: Vec<(u16, u16)>,
    kept: usize,
    remarks: Remarks,
}

impl Collector {
    /// A section begins.
    pub(super) fn section(&mut self, order: Order, body: &[u8]) {
        self.sections += 1;
        let mut options = Options::new(order, body.get(SECTION_OPTIONS..).unwrap_or_default());
        let named = options.any(|(code, value)| code == SECTION_APPLICATION && value.starts_with(WRITER));
        self.is_journal = named && self.sections == 1;
        if !self.is_journal {
            self.remarks = Remarks::default();
        }
    }

    /// Whether comments of packets are of interest.
    pub(super) fn is_listening(&self) -> bool {
        self.is_journal
    }

    /// A packet with its options.
    pub(super) fn packet(&mut self, time: Option<Time>, data: &[u8], options: Options<'_>) {
        for (_, comment) in options.filter(|(code, _)| *code == COMMENT) {
            if let Some(why) = refusal(comment) {
                self.remarks.refuse(data, why);
                continue;
            }
            let (Some((flow, words)), Some(ports)) = (labelled(comment), ports(data)) else { continue };
            if words.starts_with("target=") {
                if flow != self.begun.len() as u64 {
                    return self.distrust();
                }
                self.begun.push(ports);
            } else if let Some(words) = words.strip_prefix("guard ") {
                let begun = usize::try_from(flow).ok().and_then(|flow| self.begun.get(flow));
                self.kept = self.kept.saturating_add(comment.len());
                if begun == Some(&ports) && self.kept <= MOST {
                    self.remarks
                        .flows
                        .entry(flow)
                        .or_insert_with(|| Flow { ports, ..Flow::default() })
                        .add(words, time);
                }
            }
        }
    }

    fn distrust(&mut self) {
        self.is_journal = false;
        self.remarks = Remarks::default();
    }

    /// What was collected.
    pub(super) fn finish(mut self) -> Remarks {
        for flow in self.remarks.flows.values_mut() {
            flow.others.values_mut().for_each(|remarks| remarks.sort_by_key(|(time, _)| *time));
        }
        self.remarks
    }
}

/// `dyetrace:flow=7 guard …`.
fn labelled(comment: &[u8]) -> Option<(u64, &str)> {
    let (flow, words) = std::str::from_utf8(comment).ok()?.strip_prefix("dyetrace:flow=")?.split_once(' ')?;
    Some((flow.parse().ok()?, words))
}

/// Why a datagram went no further.
fn refusal(comment: &[u8]) -> Option<&str> {
    std::str::from_utf8(comment).ok()?.strip_prefix("dyetrace:datagram refused: ")
}

/// Sender and receiver of a UDP packet that begins with its IP header.
fn sockets(packet: &[u8]) -> Option<(Socket, Socket)> {
    let (from, to) = ports(packet)?;
    let v4 = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let v6 = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<16>()?));
    let is_v4 = packet.first()? >> 4 == 4;
    let (protocol, sender, receiver) =
        if is_v4 { (packet.get(9)?, v4(12)?, v4(16)?) } else { (packet.get(6)?, v6(8)?, v6(24)?) };
    (*protocol == UDP).then_some(((sender, from), (receiver, to)))
}

/// Ports of a packet that begins with its IP header, as the journal writes them: without options or extensions.
fn ports(packet: &[u8]) -> Option<(u16, u16)> {
    let header = match packet.first()? >> 4 {
        4 => 20,
        6 => 40,
        _ => return None,
    };
    let port = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    Some((port(header)?, port(header + 2)?))
}

impl Remark {
    /// From the words of a remark; with the message's name, where the guard could name it.
    fn read(words: &str) -> Option<(Self, Option<&str>)> {
        let pairs = || words.split(' ').filter_map(|word| word.split_once('='));
        let word = |key: &str| pairs().find(|(name, _)| *name == key).map(|(_, value)| value);
        let became = match word("decision")? {
            "told" | "allowed" | "unreadable" => Became::Passed,
            "redacted" => Became::Redacted,
            "blocked" => Became::Blocked,
            "refused" => Became::Refused,
            _ => return None,
        };
        let data = word("data")?.split(',').filter_map(|one| Some(DatumId(one.rsplit_once('@')?.0.to_owned())));
        let remark = Self { became, data: data.collect(), left: word("left")?.parse().ok()? };
        Some((remark, word("message").filter(|message| *message != "-")))
    }

    fn is_stop(&self) -> bool {
        matches!(self.became, Became::Blocked | Became::Refused)
    }

    /// Whether the connection ended with it.
    fn ends(&self) -> bool {
        self.became == Became::Refused || self.became == Became::Blocked && self.left > 0
    }
}

impl Flow {
    fn add(&mut self, words: &str, time: Option<Time>) {
        let Some((remark, message)) = Remark::read(words) else { return };
        if let Some(message) = message {
            if let Some(("http", number)) = numbered(message).filter(|_| remark.ends()) {
                self.last_request = Some(self.last_request.map_or(number, |last| last.min(number)));
            }
            return self.requests.entry(message.to_owned()).or_default().push(remark);
        }
        let Some(time) = time else { return };
        if remark.is_stop() {
            self.cut = Some(self.cut.map_or(time, |cut| cut.min(time)));
        }
        for datum in remark.data {
            if self.others.len() < MOST_DATA || self.others.contains_key(&datum) {
                self.others.entry(datum).or_default().push((time, remark.became));
            }
        }
    }

    /// Of a request that remarks name.
    fn of_request(&self, message: &str, (kind, number): (&str, u64)) -> Vec<GuardDeed> {
        if kind == "http" && self.last_request.is_some_and(|last| last < number) {
            return vec![GuardDeed::Stopped];
        }
        let remarks = self.requests.get(message).map(Vec::as_slice).unwrap_or_default();
        let data = |became: Became| -> BTreeSet<&DatumId> {
            remarks.iter().filter(|remark| remark.became == became).flat_map(|remark| &remark.data).collect()
        };
        let passed = data(Became::Passed);
        if remarks.iter().any(Remark::is_stop) {
            let has_left = remarks.iter().any(|remark| remark.is_stop() && remark.left > 0);
            let let_through = passed.into_iter().filter(|_| has_left).cloned().map(GuardDeed::LetThrough);
            return std::iter::once(GuardDeed::Stopped).chain(let_through).collect();
        }
        data(Became::Redacted).difference(&passed).map(|datum| GuardDeed::Withheld((*datum).clone())).collect()
    }

    /// Of a stream that is one record: what was withheld each time.
    fn of_stream(&self) -> Vec<GuardDeed> {
        let is_withheld = |remarks: &[(Time, Became)]| remarks.iter().all(|(_, became)| *became != Became::Passed);
        let withheld = self.others.iter().filter(|(_, remarks)| is_withheld(remarks));
        withheld.map(|(datum, _)| GuardDeed::Withheld(datum.clone())).collect()
    }

    /// Of a message that no remark names, with the times of its first and last byte: what was decided next.
    fn of_message(&self, first: Time, last: Time) -> Vec<GuardDeed> {
        if self.cut.is_some_and(|cut| cut < first) {
            return vec![GuardDeed::Stopped];
        }
        let decided = |remarks: &[(Time, Became)]| {
            let next = remarks.partition_point(|(time, _)| *time < last);
            // A long message is decided upon before its end.
            let before = next.checked_sub(1).and_then(|at| remarks.get(at)).filter(|(time, _)| *time >= first);
            remarks.get(next).or(before).map(|(_, became)| *became)
        };
        let is_withheld = |remarks: &[(Time, Became)]| decided(remarks).is_some_and(|became| became != Became::Passed);
        let withheld = self.others.iter().filter(|(_, remarks)| is_withheld(remarks));
        withheld.map(|(datum, _)| GuardDeed::Withheld(datum.clone())).collect()
    }
}

impl Remarks {
    fn refuse(&mut self, packet: &[u8], why: &str) {
        let Some(pair) = sockets(packet) else { return };
        if self.refused.len() < MOST_PAIRS || self.refused.contains_key(&pair) {
            let name = why.strip_prefix("QUIC to ").and_then(|rest| rest.split(',').next());
            let name =
                name.filter(|name| name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_graphic()));
            let known = self.refused.entry(pair).or_default();
            *known = name.map(str::to_owned).or(known.take());
        }
    }

    /// Whether datagrams of this client for this server went no further.
    pub(crate) fn is_refused(&self, client: &Endpoint, server: &Endpoint) -> bool {
        pair(client, server).is_some_and(|pair| self.refused.contains_key(&pair))
    }

    /// The name that the client asked for in datagrams that went no further.
    pub(crate) fn name_refused(&self, client: &Endpoint, server: &Endpoint) -> Option<&str> {
        self.refused.get(&pair(client, server)?)?.as_deref()
    }

    /// What the guard did with what the client sent in this record.
    pub(crate) fn deeds(&self, record: &Record) -> Vec<GuardDeed> {
        if record.request.is_some() && record.id.0.starts_with("udp:") {
            let is_refused = self.is_refused(&record.client, &record.server);
            return is_refused.then_some(GuardDeed::Stopped).into_iter().collect();
        }
        let (Some((flow, message)), Some(sent)) = (place(&record.id), &record.request) else { return Vec::new() };
        let ports = record.client.port.zip(record.server.port);
        let Some(flow) = self.flows.get(&flow).filter(|flow| Some(flow.ports) == ports) else { return Vec::new() };
        if let Some(numbered) = numbered(message) {
            return flow.of_request(message, numbered);
        }
        match (message, sent.time) {
            ("raw", _) => flow.of_stream(),
            (_, Some(first)) => flow.of_message(first, sent.last.unwrap_or(first)),
            (_, None) => Vec::new(),
        }
    }
}

fn pair(client: &Endpoint, server: &Endpoint) -> Option<(Socket, Socket)> {
    let socket = |end: &Endpoint| end.address.zip(end.port);
    socket(client).zip(socket(server))
}

/// The connection's number, and the name on it: `tcp:7/tls/http:0` is `http:0` of 7.
fn place(id: &RecordId) -> Option<(u64, &str)> {
    let (flow, rest) = id.0.strip_prefix("tcp:")?.split_once('/')?;
    Some((flow.parse().ok()?, rest.strip_prefix("tls/").unwrap_or(rest)))
}

fn numbered(message: &str) -> Option<(&str, u64)> {
    let (kind, number) = message.split_once(':')?;
    Some((kind, number.parse().ok().filter(|_| matches!(kind, "http" | "h2"))?))
}

#[cfg(test)]
mod tests {
    use super::super::pcapng::preview;
    use super::super::pcapng::tests::Writer;
    use super::*;
    use dyetrace_case::Message;

    const PORTS: (u16, u16) = (4000, 443);

    /// An IPv4 packet of TCP between these ports, and nothing in it.
    fn packet((client, server): (u16, u16)) -> Vec<u8> {
        [&[0x45][..], &[0; 19], &client.to_be_bytes(), &server.to_be_bytes(), &[0; 16]].concat()
    }

    /// A journal of one connection to which these remarks were made, a second apart from 1.
    fn journal(writer: &[u8], remarks: &[&str]) -> Writer {
        let mut file = Writer::bare(Order::Little);
        file.named_section(writer);
        file.interface(101, &[(9, &[0])]);
        file.packet(0, 0, &packet(PORTS), &[(1, b"dyetrace:flow=0 target=a.test:443")]);
        for (second, remark) in remarks.iter().enumerate() {
            file.packet(0, 1 + second as u64, &packet(PORTS), &[(1, format!("dyetrace:flow=0 {remark}").as_bytes())]);
        }
        file
    }

    fn record(id: &str, (first, last): (i64, i64)) -> Record {
        let at = |second| Time::from_parts(second, 0);
        let mut record = Record::of_request(Message { time: at(first), last: at(last), ..Message::default() });
        record.id = RecordId(id.to_owned());
        (record.client.port, record.server.port) = (Some(PORTS.0), Some(PORTS.1));
        record
    }

    fn deeds(file: &Writer, id: &str, times: (i64, i64)) -> Vec<GuardDeed> {
        preview(file.file.as_slice()).remarks.deeds(&record(id, times))
    }

    fn withheld(datum: &str) -> GuardDeed {
        GuardDeed::Withheld(DatumId(datum.to_owned()))
    }

    const BLOCKED: &str = "guard mode=block decision=blocked message=http:1 data=phone@body host=a.test left=0";

    #[test]
    fn a_remark_speaks_of_the_request_that_it_names_and_of_no_other() {
        let file = journal(b"dyetrace live 0.1.0", &[BLOCKED]);
        assert_eq!(deeds(&file, "tcp:0/tls/http:1", (1, 1)), [GuardDeed::Stopped]);
        for other in ["tcp:0/tls/http:0", "tcp:0/tls/http:2", "tcp:0/tls/h2:1", "tcp:1/tls/http:1", "udp:0/http:1"] {
            assert_eq!(deeds(&file, other, (1, 1)), [], "{other}");
        }
    }

    #[test]
    fn what_other_tools_wrote_or_mixed_is_not_believed() {
        assert_eq!(deeds(&journal(b"Dumpcap (Wireshark) 4.2", &[BLOCKED]), "tcp:0/tls/http:1", (1, 1)), []);
        let mut mixed = journal(b"dyetrace live 0.1.0", &[BLOCKED]);
        mixed.named_section(b"dyetrace live 0.1.0");
        assert_eq!(deeds(&mixed, "tcp:0/tls/http:1", (1, 1)), [], "connections are not numbered anew");
        let mut skipped = journal(b"dyetrace live 0.1.0", &[BLOCKED]);
        skipped.packet(0, 9, &packet(PORTS), &[(1, b"dyetrace:flow=2 target=b.test:443")]);
        assert_eq!(deeds(&skipped, "tcp:0/tls/http:1", (1, 1)), [], "connection 1 was taken out");
        let mut elsewhere = journal(b"dyetrace live 0.1.0", &[]);
        elsewhere.packet(0, 2, &packet((4001, 443)), &[(1, format!("dyetrace:flow=0 {BLOCKED}").as_bytes())]);
        assert_eq!(deeds(&elsewhere, "tcp:0/tls/http:1", (1, 1)), [], "it stands on another connection");
    }

    /// A datagram from 10.0.0.2 to 192.0.2.9 over IPv4.
    fn datagram((client, server): (u16, u16)) -> Vec<u8> {
        let mut packet = [packet((client, server)), vec![7; 20]].concat();
        packet[9] = UDP;
        packet[12..20].copy_from_slice(&[10, 0, 0, 2, 192, 0, 2, 9]);
        packet
    }

    #[test]
    fn refused_datagrams_are_stopped_and_their_servers_have_the_name_that_was_asked_for() {
        let mut file = journal(b"dyetrace live 0.1.0", &[]);
        let refused = |why: &str| format!("dyetrace:datagram refused: {why}").into_bytes();
        file.packet(0, 1, &datagram((4000, 443)), &[(1, &refused("QUIC, so that the client takes what can be read"))]);
        file.packet(0, 2, &datagram((4000, 443)), &[(1, &refused("QUIC to a.test, so that the client takes"))]);
        file.packet(0, 3, &datagram((4000, 443)), &[(1, &refused("QUIC, so that the client takes what can be read"))]);
        file.packet(0, 4, &datagram((4001, 99)), &[(1, &refused("nobody listens there"))]);
        let remarks = preview(file.file.as_slice()).remarks;
        let end = |address: [u8; 4], port| Endpoint { address: Some(address.into()), port: Some(port), name: None };
        let (phone, server) = (|port| end([10, 0, 0, 2], port), |port| end([192, 0, 2, 9], port));
        assert_eq!(remarks.name_refused(&phone(4000), &server(443)), Some("a.test"));
        let longest = format!("QUIC to {}, so that", "a".repeat(LONGEST_NAME + 1));
        file.packet(0, 5, &datagram((4003, 443)), &[(1, &refused(&longest))]);
        let of_long = preview(file.file.as_slice()).remarks;
        assert!(of_long.is_refused(&phone(4003), &server(443)));
        assert_eq!(of_long.name_refused(&phone(4003), &server(443)), None, "no host has such a name");
        assert!(remarks.is_refused(&phone(4001), &server(99)));
        assert_eq!(remarks.name_refused(&phone(4001), &server(99)), None);
        assert!(!remarks.is_refused(&phone(4002), &server(443)), "of another socket");
        let mut record = record("udp:0/0", (4, 4));
        (record.client, record.server) = (phone(4001), server(99));
        assert_eq!(remarks.deeds(&record), [GuardDeed::Stopped]);
        record.client.port = Some(4002);
        assert_eq!(remarks.deeds(&record), []);
    }

    #[test]
    fn of_a_request_that_had_begun_to_leave_what_was_allowed_did_leave() {
        let file = journal(
            b"dyetrace live 0.1.0",
            &[
                "guard mode=block decision=allowed message=http:0 data=email@header host=a.test left=0",
                "guard mode=block decision=blocked message=http:0 data=phone@body host=a.test left=1048576",
            ],
        );
        let email = GuardDeed::LetThrough(DatumId("email".to_owned()));
        assert_eq!(deeds(&file, "tcp:0/tls/http:0", (1, 2)), [GuardDeed::Stopped, email]);
        assert_eq!(deeds(&file, "tcp:0/tls/http:1", (2, 2)), [GuardDeed::Stopped], "the connection was cut before it");
    }

    #[test]
    fn what_was_redacted_is_withheld_and_nothing_else() {
        let redacted = "guard mode=redact decision=redacted message=h2:5 data=phone@url,phone@body host=a.test left=0";
        let file = journal(b"dyetrace live 0.1.0", &[redacted]);
        assert_eq!(deeds(&file, "tcp:0/tls/h2:5", (1, 1)), [withheld("phone")]);
    }

    #[test]
    fn of_messages_without_names_the_next_decision_counts_and_nothing_follows_a_cut() {
        let file = journal(
            b"dyetrace live 0.1.0",
            &[
                "guard mode=notify decision=told message=- data=phone@body host=a.test left=0",
                "guard mode=block decision=blocked message=- data=phone@body host=a.test left=0",
            ],
        );
        assert_eq!(deeds(&file, "tcp:0/tls/ws:0", (0, 0)), [], "told at 1");
        assert_eq!(deeds(&file, "tcp:0/tls/ws:3", (2, 2)), [withheld("phone")], "blocked at 2");
        assert_eq!(deeds(&file, "tcp:0/tls/ws:4", (3, 3)), [GuardDeed::Stopped]);
        assert_eq!(deeds(&file, "tcp:0/tls/raw", (0, 3)), [], "once it had left");
    }
}
