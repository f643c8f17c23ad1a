//! MQTT 3.1, 3.1.1 and 5 control packets as records.
//!
//! CONNECT (with its CONNACK), PUBLISH, SUBSCRIBE, UNSUBSCRIBE, AUTH and a DISCONNECT that gives a
//! reason are records; so are acknowledgements that carry properties. Other acknowledgements and
//! pings hold nothing of the subject and are passed over. Payloads of PUBLISH are never held in
//! full. Where the CONNECT was not captured, version 5 is told from the packets themselves.

mod boundary;
mod packet;
mod properties;
mod publication;
mod reader;

use crate::layer::{Conn, Layer, Out};
use crate::resync::{Losses, Search};
use dyetrace_case::{Flag, Message, Protocol, Record, Side, Time};
use packet::{
    AUTH, CONNACK, CONNECT, DISCONNECT, FixedHeader, PUBACK, PUBLISH, PublishHead, SUBACK, SUBSCRIBE, UNSUBACK,
    UNSUBSCRIBE,
};
use publication::{Aliases, Publication};
use reader::Malformed;

/// MQTT 3.1, 3.1.1 and 5 control packets.
pub(crate) struct Mqtt {
    conn: Conn,
    client: Direction,
    server: Direction,
    session: Session,
}

/// What both directions share.
#[derive(Default)]
struct Session {
    /// The protocol level: 3 for 3.1, 4 for 3.1.1, 5. Unknown until CONNECT or CONNACK.
    level: Option<u8>,
    /// Records named so far.
    named: u64,
    /// A CONNECT that waits for its CONNACK.
    connect: Option<Record>,
}

struct Direction {
    side: Side,
    state: State,
    /// The fixed header of the packet in progress.
    header: Vec<u8>,
    /// Bytes behind it, as far as they are needed in one piece.
    held: Vec<u8>,
    /// True where a search has bytes that it did not look at yet.
    searchable: bool,
    packet_time: Time,
    aliases: Aliases,
    publication: Option<Publication>,
    losses: Losses,
}

enum State {
    /// Before or within a fixed header.
    Head,
    /// Collecting a packet, or the variable header of a PUBLISH.
    Body(FixedHeader),
    /// So many bytes of the payload of a PUBLISH are to come.
    Payload(usize),
    /// So many bytes of a packet that is passed over are to come.
    Skip(usize),
    Searching(Search),
}

/// What a direction needs of the connection.
struct Around<'a, 's> {
    conn: &'a Conn,
    session: &'a mut Session,
    out: &'a mut Out<'s>,
    time: Time,
}

/// Bytes handled at a time, so that a search that starts over copies little.
const SLICE: usize = 16 << 10;

const NOT_PACKETS: &str = "not MQTT control packets";
const MALFORMED: &str = "malformed MQTT packets";
const CUT_SHORT: &str = "an MQTT packet that was cut short";

impl Mqtt {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        let (client, server) = (Direction::new(Side::Request), Direction::new(Side::Response));
        Self { conn, client, server, session: Session::default() }
    }

    fn parts<'a, 's>(
        &'a mut self,
        side: Side,
        time: Time,
        out: &'a mut Out<'s>,
    ) -> (&'a mut Direction, Around<'a, 's>) {
        let direction = if side == Side::Request { &mut self.client } else { &mut self.server };
        (direction, Around { conn: &self.conn, session: &mut self.session, out, time })
    }
}

impl Layer for Mqtt {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let (direction, mut around) = self.parts(side, time, out);
        for slice in bytes.chunks(SLICE) {
            direction.data(slice, &mut around);
        }
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        let (direction, mut around) = self.parts(side, time, out);
        direction.gap(usize::try_from(length).unwrap_or(usize::MAX), &mut around);
    }

    fn held(&self) -> usize {
        let connect =
            self.session.connect.as_ref().map_or(0, |connect| size_of_val(connect) + connect.content_bytes() as usize);
        self.client.memory() + self.server.memory() + connect
    }

    fn end(&mut self, out: &mut Out<'_>) {
        for side in [Side::Request, Side::Response] {
            let time = self.client.packet_time.max(self.server.packet_time);
            let (direction, mut around) = self.parts(side, time, out);
            direction.end(&mut around);
        }
        self.session.unanswered(out);
        self.client.losses.tell(Side::Request, &self.conn, out);
        self.server.losses.tell(Side::Response, &self.conn, out);
    }
}

/// Emits a record within the limits for fields, its flags in order.
fn emit(mut record: Record, out: &mut Out<'_>) {
    let mut cut = 0;
    for message in [&mut record.request, &mut record.response].into_iter().flatten() {
        let over = message.headers.drain(out.limits.fields.min(message.headers.len())..);
        cut += over.map(|(name, value)| (name.len() + value.len()) as u64).sum::<u64>();
    }
    record.flags.extend((cut > 0).then_some(Flag::Cut(cut)));
    record.flags.sort();
    record.flags.dedup();
    out.record(record);
}

impl Session {
    fn name(&mut self) -> String {
        let name = format!("mqtt:{}", self.named);
        self.named += 1;
        name
    }

    fn unanswered(&mut self, out: &mut Out<'_>) {
        if let Some(mut record) = self.connect.take() {
            record.flags.push(Flag::Unanswered);
            emit(record, out);
        }
    }
}

impl Direction {
    /// Memory held, roughly.
    fn memory(&self) -> usize {
        let searched = if let State::Searching(search) = &self.state { search.held() } else { 0 };
        let publication = self.publication.as_ref().map_or(0, Publication::held);
        self.held.len() + searched + self.aliases.held() + publication
    }

    fn new(side: Side) -> Self {
        Self {
            side,
            state: State::Head,
            header: Vec::new(),
            held: Vec::new(),
            searchable: false,
            packet_time: Time(0),
            aliases: Aliases::default(),
            publication: None,
            losses: Losses::default(),
        }
    }

    fn data(&mut self, bytes: &[u8], around: &mut Around<'_, '_>) {
        let mut rest = bytes;
        let mut searched;
        while !rest.is_empty() || std::mem::take(&mut self.searchable) {
            match &mut self.state {
                State::Head => self.head(&mut rest, around),
                State::Body(header) => {
                    let header = *header;
                    self.body(header, &mut rest, around);
                }
                State::Payload(left) => {
                    let taken = take(&mut rest, *left);
                    *left -= taken.len();
                    let finished = *left == 0;
                    self.payload(taken, finished, around);
                }
                State::Skip(left) => {
                    *left -= take(&mut rest, *left).len();
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Searching(search) => {
                    let side = self.side;
                    let Some(found) = search.feed(rest, |bytes| boundary::fits(bytes, side, false)) else { return };
                    self.losses.add(NOT_PACKETS, found.skipped, Some(around.time));
                    self.state = State::Head;
                    searched = found.rest;
                    rest = &searched;
                }
            }
        }
    }

    fn head(&mut self, rest: &mut &[u8], around: &mut Around<'_, '_>) {
        if self.header.is_empty() {
            self.packet_time = around.time;
        }
        self.header.extend_from_slice(take(rest, 1));
        match FixedHeader::parse(&self.header) {
            None => {}
            Some(Ok(header)) if header.is_plausible(self.side) => {
                self.state = State::Body(header);
                if header.length == 0 {
                    self.body(header, rest, around);
                }
            }
            Some(_) => self.misfit(around),
        }
    }

    /// Collects what is needed of a packet, and handles it once it is there.
    fn body(&mut self, header: FixedHeader, rest: &mut &[u8], around: &mut Around<'_, '_>) {
        let longest = around.out.limits.head;
        loop {
            let head = match header.kind {
                PUBLISH => packet::publish_head(header, &self.held, around.session.level, longest),
                _ => Ok(PublishHead::Needs(header.length)),
            };
            let needs = match head {
                Err(Malformed) => return self.misfit(around),
                Ok(PublishHead::Ends { at, five }) => return self.publish(header, at, five, around),
                Ok(PublishHead::Needs(needs)) => needs,
            };
            if needs > longest {
                return self.pass_over(MALFORMED, header, around);
            }
            self.held.extend_from_slice(take(rest, needs.saturating_sub(self.held.len())));
            if self.held.len() < needs {
                return;
            }
            if header.kind != PUBLISH {
                return self.packet(header, around);
            }
        }
    }

    /// Leaves the packet in progress unread.
    fn pass_over(&mut self, reason: &'static str, header: FixedHeader, around: &Around<'_, '_>) {
        self.losses.add(reason, (header.size + header.length) as u64, Some(around.time));
        self.skip(header.length - self.held.len());
    }

    fn skip(&mut self, left: usize) {
        self.header.clear();
        self.held.clear();
        self.state = if left > 0 { State::Skip(left) } else { State::Head };
    }

    /// A packet other than PUBLISH is there in full.
    fn packet(&mut self, header: FixedHeader, around: &mut Around<'_, '_>) {
        let bytes = std::mem::take(&mut self.held);
        self.skip(0);
        let five = around.session.level.is_some_and(|level| level >= 5);
        let mut message = Message { time: Some(self.packet_time), last: Some(around.time), ..Message::default() };
        if self.side == Side::Request {
            message.method = Some(packet::name(header.kind).to_owned());
        }
        let read = match header.kind {
            CONNECT => packet::connect(&bytes, &mut message, &mut around.session.level),
            CONNACK => {
                around.session.level.get_or_insert(if bytes.len() > 2 { 5 } else { 4 });
                packet::connack(&bytes, &mut message)
            }
            SUBSCRIBE | UNSUBSCRIBE => packet::subscribe(header, &bytes, &mut message, around.session.level),
            DISCONNECT | AUTH if !bytes.is_empty() => packet::reason(header, &bytes, self.side, &mut message),
            PUBACK..=SUBACK | UNSUBACK if five => packet::reason(header, &bytes, self.side, &mut message),
            _ => return,
        };
        let always_told = matches!(header.kind, CONNECT | CONNACK | SUBSCRIBE | UNSUBSCRIBE | DISCONNECT | AUTH);
        let says_more = message.headers.iter().any(|(name, _)| name != b"reason-code");
        if read.is_err() {
            self.losses.add(MALFORMED, (header.size + header.length) as u64, Some(self.packet_time));
        }
        if always_told || says_more {
            self.tell(header.kind, message, read.is_err(), around);
        }
    }

    fn tell(&mut self, kind: u8, message: Message, faulty: bool, around: &mut Around<'_, '_>) {
        let Around { conn, session, out, .. } = around;
        let flags = if faulty { vec![Flag::Incomplete] } else { Vec::new() };
        if kind == CONNACK
            && let Some(mut record) = session.connect.take()
        {
            record.response = Some(message);
            record.flags.extend(flags);
            return emit(record, out);
        }
        let mut record = conn.record(out.exhibit, &session.name(), Protocol::Mqtt, message.time);
        record.flags = flags;
        match self.side {
            Side::Request => record.request = Some(message),
            Side::Response => record.response = Some(message),
        }
        if kind == CONNECT {
            session.unanswered(out);
            session.connect = Some(record);
        } else {
            emit(record, out);
        }
    }

    /// The variable header of a PUBLISH is there.
    fn publish(&mut self, header: FixedHeader, at: usize, five: bool, around: &mut Around<'_, '_>) {
        let payload = self.held.split_off(at.min(self.held.len()));
        let head = std::mem::take(&mut self.held);
        let mut message = Message { time: Some(self.packet_time), last: Some(around.time), ..Message::default() };
        let alias = packet::publish(header, &head, five, &mut message);
        let mut name_known = true;
        if let (Ok(Some(alias)), Some(topic)) = (alias, &mut message.target) {
            name_known = self.aliases.resolve(alias, topic, around.out.limits.head);
        }
        match self.side {
            Side::Request => message.method = Some("PUBLISH".to_owned()),
            Side::Response => message.headers.extend(message.target.clone().map(|topic| (b"topic".to_vec(), topic))),
        }
        let mut publication = Publication::new(around.session.name(), message, around.out);
        if alias.is_err() {
            self.losses.add(MALFORMED, head.len() as u64, Some(self.packet_time));
            publication.flag(Flag::Incomplete);
        }
        if !name_known || around.session.level.is_none() {
            publication.flag(Flag::MidStream);
        }
        self.publication = Some(publication);
        let left = header.length.saturating_sub(head.len() + payload.len());
        self.header.clear();
        self.state = State::Payload(left);
        self.payload(&payload, left == 0, around);
    }

    fn payload(&mut self, bytes: &[u8], finished: bool, around: &mut Around<'_, '_>) {
        if let Some(publication) = &mut self.publication {
            publication.push(bytes, around.time);
        }
        if finished {
            self.skip(0);
            if let Some(publication) = self.publication.take() {
                publication.emit(self.side, around.conn, around.out);
            }
        }
    }

    /// What stands here is no packet: look for the next one from its second byte on.
    fn misfit(&mut self, around: &mut Around<'_, '_>) {
        let mut bytes = std::mem::take(&mut self.header);
        bytes.append(&mut self.held);
        self.lose_place(around);
        self.losses.add(NOT_PACKETS, 1, Some(self.packet_time));
        self.state = State::Searching(Search::starting_with(bytes.split_off(1.min(bytes.len()))));
        self.searchable = true;
    }

    /// Where the next packet begins is not known any more.
    fn lose_place(&mut self, around: &mut Around<'_, '_>) {
        self.cut_publication(around);
        self.aliases.forget();
        self.losses.add(CUT_SHORT, self.in_hand(), Some(self.packet_time));
        self.skip(0);
        self.state = State::Searching(Search::default());
    }

    /// Bytes of the packet in progress that were not handed on.
    fn in_hand(&self) -> u64 {
        match self.state {
            State::Head | State::Body(_) => (self.header.len() + self.held.len()) as u64,
            _ => 0,
        }
    }

    fn cut_publication(&mut self, around: &mut Around<'_, '_>) {
        if let Some(mut publication) = self.publication.take() {
            publication.flag(Flag::Incomplete);
            publication.emit(self.side, around.conn, around.out);
        }
    }

    fn gap(&mut self, length: usize, around: &mut Around<'_, '_>) {
        match &mut self.state {
            State::Payload(left) if *left >= length => {
                *left -= length;
                let finished = *left == 0;
                let publication = self.publication.take();
                self.publication =
                    publication.map(|publication| publication.broken(self.side, around.time, around.conn, around.out));
                self.payload(&[], finished, around);
            }
            State::Skip(left) if *left >= length => {
                *left -= length;
                let left = *left;
                self.skip(left);
            }
            State::Body(header) if header.length - self.held.len() >= length => {
                let left = header.length - self.held.len() - length;
                self.losses.add(CUT_SHORT, self.in_hand() + left as u64, Some(self.packet_time));
                self.aliases.forget();
                self.skip(left);
            }
            State::Searching(search) => {
                self.losses.add(NOT_PACKETS, search.unread(), Some(around.time));
                self.lose_place(around);
            }
            _ => self.lose_place(around),
        }
    }

    fn end(&mut self, around: &mut Around<'_, '_>) {
        if let State::Searching(search) = std::mem::replace(&mut self.state, State::Head) {
            match search.finish(|bytes| boundary::fits(bytes, self.side, true)) {
                Err(unread) => self.losses.add(NOT_PACKETS, unread, Some(around.time)),
                Ok(found) => {
                    self.losses.add(NOT_PACKETS, found.skipped, Some(around.time));
                    self.data(&found.rest, around);
                }
            }
        }
        match &self.state {
            State::Searching(search) => self.losses.add(NOT_PACKETS, search.unread(), Some(around.time)),
            _ => self.losses.add(CUT_SHORT, self.in_hand(), Some(self.packet_time)),
        }
        self.cut_publication(around);
    }
}

fn take<'a>(bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(bytes.len().min(most));
    *bytes = rest;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Got, Turn, bytes, conn, converse};
    use proptest::prelude::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
    }

    /// A packet: first byte, length, body.
    fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        let mut bytes = vec![first];
        let mut length = body.len();
        loop {
            let more = if length > 127 { 0x80 } else { 0 };
            bytes.push((length & 0x7f) as u8 | more);
            length >>= 7;
            if length == 0 {
                return [bytes, body].concat();
            }
        }
    }

    fn connect_four() -> Vec<u8> {
        packet(0x10, &[&text("MQTT"), &[4, 0xc2, 0, 60], &text("lamp-1"), &text("user"), &text("pass word")])
    }

    fn connect_five() -> Vec<u8> {
        let will = [&[0][..], &text("lamp/gone"), &text("bye")].concat();
        packet(0x10, &[&text("MQTT"), &[5, 0x0e, 0, 60], &[0], &text("lamp-5"), &will])
    }

    fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
        packet(0x30, &[&text(topic), payload])
    }

    fn play(turns: &[Turn<'_>]) -> Got {
        converse(&mut Mqtt::new(conn()), usize::MAX, turns)
    }

    fn message(message: &Message) -> String {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields: Vec<_> =
            message.headers.iter().map(|(name, value)| format!("{}={}", lossy(name), lossy(value))).collect();
        let status = message.status.map_or(String::new(), |status| status.to_string());
        format!(
            "{}{status} {} [{}] {:?}",
            message.method.as_deref().unwrap_or_default(),
            lossy(message.target.as_deref().unwrap_or_default()),
            fields.join(" "),
            message.body.as_ref().map(|body| lossy(&bytes(Some(body)))),
        )
    }

    /// One line per record: name, what each side sent, flags.
    fn story(got: &Got) -> Vec<String> {
        let line = |record: &Record| {
            let sides = [(&record.request, "client"), (&record.response, "server")];
            let said: Vec<_> = sides
                .iter()
                .filter_map(|(side, who)| side.as_ref().map(|side| format!("{who} {}", message(side))))
                .collect();
            let flags: Vec<_> = record.flags.iter().map(Flag::name).collect();
            format!("{}: {} {}", record.id, said.join(" | "), flags.join(",")).trim_end().to_owned()
        };
        got.records.iter().map(line).collect()
    }

    fn losses(got: &Got) -> Vec<&str> {
        got.damages.iter().map(|damage| damage.reason.as_str()).collect()
    }

    #[test]
    fn a_client_of_3_1_1_connects_and_publishes() {
        let got = play(&[
            Turn::Client(&connect_four()),
            Turn::Server(&[0x20, 2, 0, 0]),
            Turn::Client(&packet(0x33, &[&text("home/wifi"), &[0, 9], b"{\"ssid\":1}"])),
            Turn::Server(&[0x40, 2, 0, 9]),
            Turn::Client(&[0xc0, 0, 0xe0, 0]),
        ]);
        let lines = [
            "tcp:0/mqtt:0: client CONNECT  [protocol-level=4 clean-start=1 keep-alive=60 client-id=lamp-1 username=user \
             password=pass word] None | server 0  [session-present=0] None",
            "tcp:0/mqtt:1: client PUBLISH home/wifi [qos=1 retain=1] Some(\"{\\\"ssid\\\":1}\")",
        ];
        assert_eq!(story(&got), lines);
        assert!(got.damages.is_empty());
    }

    #[test]
    fn a_client_of_5_has_properties_a_will_and_aliases() {
        let properties = [&[0x26][..], &text("token"), &text("abc"), &[0x23, 0, 7]].concat();
        let first = packet(0x30, &[&text("t/1"), &[properties.len() as u8], &properties, b"one"]);
        let again = packet(0x30, &[&text(""), &[3, 0x23, 0, 7], b"two"]);
        let unknown = packet(0x30, &[&text(""), &[3, 0x23, 0, 8], b"three"]);
        let got = play(&[
            Turn::Client(&connect_five()),
            Turn::Server(&packet(0x20, &[&[0, 0x87], &[6, 0x1f], &text("why")])),
            Turn::Client(&[first, again, unknown].concat()),
            Turn::Client(&packet(0xe0, &[&[4, 0]])),
        ]);
        let lines = [
            "tcp:0/mqtt:0: client CONNECT  [protocol-level=5 clean-start=1 keep-alive=60 client-id=lamp-5 \
             will-topic=lamp/gone will-qos=1 will-retain=0] Some(\"bye\") | server 135  [session-present=0 \
             reason-string=why] None",
            "tcp:0/mqtt:1: client PUBLISH t/1 [qos=0 user-property:token=abc topic-alias=7] Some(\"one\")",
            "tcp:0/mqtt:2: client PUBLISH t/1 [qos=0 topic-alias=7] Some(\"two\")",
            "tcp:0/mqtt:3: client PUBLISH  [qos=0 topic-alias=8] Some(\"three\") mid-stream",
            "tcp:0/mqtt:4: client DISCONNECT  [reason-code=4] None",
        ];
        assert_eq!(story(&got), lines);
    }

    #[test]
    fn a_client_of_3_1_may_promise_a_password_it_does_not_send() {
        let bytes = packet(0x10, &[&text("MQIsdp"), &[3, 0xc2, 0, 60], &text("old"), &text("user")]);
        let got = play(&[Turn::Client(&bytes)]);
        let line = "tcp:0/mqtt:0: client CONNECT  [protocol-level=3 clean-start=1 keep-alive=60 client-id=old \
                    username=user] None unanswered";
        assert_eq!(story(&got), [line]);
    }

    #[test]
    fn what_the_server_publishes_is_an_answer() {
        let got = play(&[Turn::Client(&connect_four()), Turn::Server(&publish("cmd/lamp", b"on"))]);
        assert_eq!(story(&got)[0], "tcp:0/mqtt:1: server  cmd/lamp [qos=0 topic=cmd/lamp] Some(\"on\")");
        let parts: Vec<_> = got.records[0].parts().iter().map(|part| part.name.to_string()).collect();
        assert_eq!(parts, ["response.header:qos", "response.header:topic", "response.body"]);
    }

    #[test]
    fn topics_of_subscriptions_are_told() {
        let four = packet(0x82, &[&[0, 1], &text("a/+"), &[0], &text("b/#"), &[1]]);
        let got = play(&[Turn::Client(&connect_four()), Turn::Client(&four), Turn::Server(&[0x90, 4, 0, 1, 0, 1])]);
        assert_eq!(story(&got)[0], "tcp:0/mqtt:1: client SUBSCRIBE a/+ [qos=0 topic=b/# qos=1] None");
    }

    #[test]
    fn without_the_connect_the_version_is_told_from_the_packets() {
        let five = packet(0x30, &[&text("t/1"), &[0], b"\x89PNG"]);
        let got = play(&[Turn::Client(&five)]);
        assert_eq!(story(&got).len(), 1);
        assert_eq!(bytes(got.records[0].request.as_ref().unwrap().body.as_ref()), b"\x89PNG");
        let got = play(&[Turn::Client(&publish("t/1", b"{\"a\":1}"))]);
        assert_eq!(story(&got), ["tcp:0/mqtt:0: client PUBLISH t/1 [qos=0] Some(\"{\\\"a\\\":1}\") mid-stream"]);
        let got = play(&[
            Turn::Server(&packet(0x20, &[&[0, 0, 3, 0x22, 0, 10]])),
            Turn::Client(&packet(0x82, &[&[0, 1, 0], &text("a"), &[2]])),
        ]);
        assert_eq!(story(&got)[1], "tcp:0/mqtt:1: client SUBSCRIBE a [qos=2] None");
    }

    #[test]
    fn from_the_middle_of_a_packet_reading_starts_at_the_next() {
        let bytes = [&b"0{the rest of a payload}"[..], &publish("t/1", b"next")].concat();
        let got = play(&[Turn::Client(&bytes)]);
        assert_eq!(story(&got), ["tcp:0/mqtt:0: client PUBLISH t/1 [qos=0] Some(\"next\") mid-stream"]);
        assert_eq!(losses(&got), ["24 bytes from the client in 2 places: not MQTT control packets"]);
    }

    #[test]
    fn a_gap_in_a_payload_does_not_join_what_it_parts() {
        let bytes = publish("t/1", b"before-lost-after");
        let cut = bytes.len() - 10;
        let got = play(&[
            Turn::Client(&connect_four()),
            Turn::Client(&bytes[..cut]),
            Turn::Gap(Side::Request, 4),
            Turn::Client(&bytes[cut + 4..]),
            Turn::Client(&publish("t/2", b"next")),
        ]);
        let lines = [
            "tcp:0/mqtt:1: client PUBLISH t/1 [qos=0] Some(\"before-\") incomplete",
            "tcp:0/mqtt:1/piece:1: client   [] Some(\"-after\") incomplete,mid-stream",
            "tcp:0/mqtt:2: client PUBLISH t/2 [qos=0] Some(\"next\")",
        ];
        assert_eq!(story(&got)[..3], lines);
    }

    #[test]
    fn a_malformed_connect_keeps_what_was_read_of_it() {
        let bytes = packet(0x10, &[&text("MQTT"), &[4, 0xc2, 0, 60], &text("lamp"), &text("user"), &[0, 200, b'x']]);
        let got = play(&[Turn::Client(&bytes), Turn::Client(&publish("t", b"next"))]);
        assert_eq!(story(&got)[0], "tcp:0/mqtt:1: client PUBLISH t [qos=0] Some(\"next\")");
        assert!(story(&got)[1].contains("client-id=lamp username=user] None incomplete,unanswered"));
        assert_eq!(losses(&got), ["27 bytes from the client: malformed MQTT packets"]);
    }

    fn told(got: &Got) -> (Vec<String>, Vec<String>) {
        (story(got), losses(got).into_iter().map(str::to_owned).collect())
    }

    fn long_conversation() -> (Vec<u8>, Vec<u8>) {
        let mut client = connect_five();
        let mut server = packet(0x20, &[&[0, 0, 0]]);
        for number in 0..5u8 {
            let topic = format!("topic/{number}");
            client.extend(packet(0x32, &[&text(&topic), &[0, number], &[3, 0x23, 0, number], &vec![number; 300]]));
            client.extend(packet(0x82, &[&[0, 1, 0], &text(&topic), &[1]]));
            server.extend(packet(0x30, &[&text("cmd"), &[0], &vec![b'c'; 20 * usize::from(number)]]));
            server.extend([0x40, 2, 0, number, 0xd0, 0]);
        }
        (client, server)
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_records(piece in 1usize..400) {
            let (client, server) = long_conversation();
            let turns = [Turn::Client(&client), Turn::Server(&server)];
            let whole = told(&play(&turns));
            prop_assert_eq!(whole.0.len(), 16);
            prop_assert_eq!(told(&converse(&mut Mqtt::new(conn()), piece, &turns)), whole);
        }

        #[test]
        fn any_split_gives_the_same_records_after_a_gap(piece in 1usize..400, cut in 0usize..1700, lost in 1u64..400) {
            let (client, server) = long_conversation();
            let cut = cut.min(client.len());
            let after = &client[(cut + lost as usize).min(client.len())..];
            let turns = [
                Turn::Client(&client[..cut]),
                Turn::Gap(Side::Request, lost),
                Turn::Client(after),
                Turn::Server(&server),
            ];
            prop_assert_eq!(told(&converse(&mut Mqtt::new(conn()), piece, &turns)), told(&play(&turns)));
        }
    }
}
