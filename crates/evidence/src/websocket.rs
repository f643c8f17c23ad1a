//! WebSocket (RFC 6455) messages.
//!
//! Each message with a payload is one record, in the order the messages were complete. The payload
//! is kept as it was sent, without its mask; permessage-deflate (RFC 7692) is undone beside it.
//! Where both sides agreed on MQTT, the messages are its byte stream (MQTT 5 section 6: a packet may
//! span messages) and its packets are the records.

pub(crate) mod frame;

use crate::coding::MessageInflater;
use crate::layer::{Conn, Layer, Out, UNTIMED};
use crate::mqtt::Mqtt;
use dyetrace_case::{Blob, BlobWriter, Flag, Message, Protocol, Record, Side, Time};
use frame::{Event, Frames, Header};

/// What was agreed about permessage-deflate. The window sizes do not matter to a reader that
/// always keeps the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deflate {
    /// The client starts each message with an empty window.
    pub(crate) client_no_context_takeover: bool,
    /// The server does.
    pub(crate) server_no_context_takeover: bool,
}

/// WebSocket (RFC 6455) messages.
pub(crate) struct WebSocket {
    conn: Conn,
    deflate: Option<Deflate>,
    url: Option<String>,
    client: Direction,
    server: Direction,
    next: u64,
    /// What the messages carry, where that is a stream of its own.
    mqtt: Option<Mqtt>,
}

/// Bytes of a message given to what it carries at a time.
const SLICE: usize = 64 << 10;
/// Stands for a loss of unknown length.
const UNKNOWN: u64 = u64::MAX;

#[derive(Default)]
struct Direction {
    frames: Frames,
    /// Time of the latest bytes.
    latest: Option<Time>,
    /// Time of the current frame's first byte.
    started: Option<Time>,
    /// The message whose frames are being read.
    message: Option<Pending>,
    /// The control frame being read, which may stand between a message's frames.
    control: Option<Pending>,
    inflater: Option<MessageInflater>,
    /// The sender's window is no longer known.
    window_lost: bool,
    /// Bytes that are no frames, or whose frames cannot be told any more.
    raw: Option<Pending>,
}

/// Memory of an inflater: its window and the piece it writes to.
const INFLATER: usize = 80 << 10;

/// A message that is not complete.
struct Pending {
    opcode: u8,
    compressed: bool,
    body: BlobWriter,
    time: Time,
    /// Bytes of it are missing before or behind these.
    torn: bool,
}

impl WebSocket {
    /// A connection whose handshake is over. `url` is that of the handshake's request.
    pub(crate) fn new(conn: Conn, deflate: Option<Deflate>, url: Option<String>) -> Self {
        Self { conn, deflate, url, client: Direction::default(), server: Direction::default(), next: 0, mqtt: None }
    }

    /// The same connection, whose server agreed on this subprotocol (RFC 6455 section 1.9): `mqtt`,
    /// `mqttv3.1`, or one whose messages stand for themselves.
    pub(crate) fn carrying(mut self, subprotocol: Option<&str>) -> Self {
        if subprotocol.is_some_and(|name| name.to_ascii_lowercase().starts_with("mqtt")) {
            let id = format!("{}/ws", self.conn.id);
            self.mqtt = Some(Mqtt::new(Conn { id, depth: self.conn.depth + 1, ..self.conn.clone() }));
        }
        self
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Request => &mut self.client,
            Side::Response => &mut self.server,
        }
    }

    fn event(&mut self, side: Side, event: Event, time: Time, out: &mut Out<'_>) {
        match event {
            Event::Start(header) => self.begin(side, header, time, out),
            Event::Payload { control, bytes } => {
                if let Some(pending) = self.direction(side).pending(control) {
                    pending.body.push(&bytes);
                }
            }
            Event::End(header) => self.end_frame(side, header, out),
            Event::Violation => {
                let reason = "bytes are no WebSocket frame; what follows is read without structure".to_owned();
                out.damage(self.conn.damage(out.exhibit, Some(time), None, reason));
                self.lose(side, time, out);
            }
        }
    }

    fn begin(&mut self, side: Side, header: Header, now: Time, out: &mut Out<'_>) {
        let time = self.direction(side).started.take().unwrap_or(now);
        let begins_message = header.opcode != 0 && !header.is_control();
        if begins_message {
            self.tear(side, false, out);
        }
        // A continuation of nothing continues what was lost.
        let body = BlobWriter::new(out.limits.body);
        let torn = header.opcode == 0;
        let pending = Pending { opcode: header.opcode, compressed: header.compressed, body, time, torn };
        self.direction(side).pending(header.is_control()).get_or_insert(pending);
    }

    fn end_frame(&mut self, side: Side, header: Header, out: &mut Out<'_>) {
        let direction = self.direction(side);
        let ended = match (header.is_control(), header.last) {
            (true, _) => direction.control.take().filter(|control| !control.body.is_empty()),
            (false, true) => direction.message.take().filter(|message| !(message.torn && message.body.is_empty())),
            (false, false) => None,
        };
        if let Some(pending) = ended {
            self.emit(side, pending, out);
        }
    }

    /// Emits what there is of a message or control frame whose next bytes are missing.
    fn tear(&mut self, side: Side, control: bool, out: &mut Out<'_>) {
        let torn = self.direction(side).pending(control).take();
        if let Some(pending) = torn.filter(|pending| !pending.body.is_empty()) {
            self.emit(side, Pending { torn: true, ..pending }, out);
        }
    }

    /// From here on no frame can be told from another.
    fn lose(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        self.finish_side(side, out);
        let mut body = BlobWriter::new(out.limits.body);
        let direction = self.direction(side);
        body.push(&direction.frames.take_header());
        direction.raw = Some(Pending { opcode: 0, compressed: false, body, time, torn: true });
    }

    fn emit(&mut self, side: Side, pending: Pending, out: &mut Out<'_>) {
        let mut record =
            self.conn.record(out.exhibit, &format!("ws:{}", self.next), Protocol::WebSocket, Some(pending.time));
        self.next += 1;
        let dropped = pending.body.dropped();
        record.flags.extend(pending.torn.then_some(Flag::Incomplete));
        record.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
        let method = (side == Side::Request).then(|| frame::opcode_name(pending.opcode).to_owned());
        let last = self.direction(side).latest;
        let url = self.url.clone();
        let mut message = Message { time: Some(pending.time), last, method, url, ..Message::default() };
        let body = pending.body.finish();
        if pending.compressed {
            let whole = !pending.torn && dropped == 0;
            record.flags.extend(self.inflate(side, &body, whole, &mut message, out));
        }
        message.body = Some(body);
        match side {
            Side::Request => record.request = Some(message),
            Side::Response => record.response = Some(message),
        }
        record.flags.sort();
        record.flags.dedup();
        if pending.opcode & frame::CONTROL == 0 && self.carried(&record, out) {
            return;
        }
        out.record(record);
    }

    /// Passes a message on to what it is a piece of; false where it has to stand for itself,
    /// because there is nothing it belongs to or because it is not whole.
    fn carried(&mut self, record: &Record, out: &mut Out<'_>) -> bool {
        let Some(mqtt) = &mut self.mqtt else { return false };
        let (side, message) = match (&record.request, &record.response) {
            (Some(message), _) => (Side::Request, message),
            (_, Some(message)) => (Side::Response, message),
            _ => return false,
        };
        let time = record.time.unwrap_or(UNTIMED);
        let whole = record.flags.is_empty();
        let fed = |content: &Blob| content.windows(SLICE, 0, |_, bytes| mqtt.data(side, bytes, time, out)).is_ok();
        let carried = whole && message.content().is_some_and(fed);
        if !carried {
            mqtt.gap(side, UNKNOWN, time, out);
        }
        carried
    }

    /// Undoes permessage-deflate as long as the sender's window is known.
    fn inflate(&mut self, side: Side, body: &Blob, whole: bool, message: &mut Message, out: &Out<'_>) -> Option<Flag> {
        let undecoded = |name: &str| Some(Flag::Undecoded(name.to_owned()));
        let Some(deflate) = self.deflate else { return undecoded("unknown extension") };
        let fresh_window = match side {
            Side::Request => deflate.client_no_context_takeover,
            Side::Response => deflate.server_no_context_takeover,
        };
        let direction = self.direction(side);
        if fresh_window {
            direction.inflater = None;
            direction.window_lost = false;
        }
        direction.window_lost |= !whole;
        if direction.window_lost {
            return undecoded("permessage-deflate");
        }
        let inflater = direction.inflater.get_or_insert_with(MessageInflater::new);
        let (decoded, flag) = inflater.message(body, &out.limits);
        direction.window_lost = flag.is_some();
        if decoded.is_some() {
            message.codings = vec!["permessage-deflate".to_owned()];
        }
        message.decoded = decoded;
        flag
    }

    fn finish_side(&mut self, side: Side, out: &mut Out<'_>) {
        self.tear(side, true, out);
        self.tear(side, false, out);
        if let Some(raw) = self.direction(side).raw.take().filter(|raw| !raw.body.is_empty()) {
            self.emit(side, raw, out);
        }
    }

    /// Bytes of a frame's payload are missing; `ends` where they are the last of it.
    fn tear_payload(&mut self, side: Side, header: Header, ends: bool, time: Time, out: &mut Out<'_>) {
        let control = header.is_control();
        let known = self.direction(side).pending(control).as_ref();
        let (opcode, compressed) =
            known.map_or((header.opcode, header.compressed), |pending| (pending.opcode, pending.compressed));
        self.tear(side, control, out);
        let body = BlobWriter::new(out.limits.body);
        let rest = Pending { opcode, compressed, body, time, torn: true };
        let direction = self.direction(side);
        direction.window_lost |= compressed;
        *direction.pending(control) = Some(rest);
        if ends {
            self.end_frame(side, header, out);
        }
    }
}

impl Direction {
    /// Memory held, roughly.
    fn held(&self) -> usize {
        let pending = [&self.message, &self.control, &self.raw].into_iter().flatten();
        let inflater = self.inflater.as_ref().map_or(0, |_| INFLATER);
        pending.map(|pending| pending.body.held() + size_of::<Pending>()).sum::<usize>() + inflater
    }

    /// What the payload of a control frame, or of any other frame, belongs to.
    fn pending(&mut self, control: bool) -> &mut Option<Pending> {
        if control { &mut self.control } else { &mut self.message }
    }
}

impl Layer for WebSocket {
    fn data(&mut self, side: Side, mut bytes: &[u8], time: Time, out: &mut Out<'_>) {
        while !bytes.is_empty() && !out.stopped() {
            let direction = self.direction(side);
            direction.latest = Some(time);
            if let Some(raw) = &mut direction.raw {
                return raw.body.push(bytes);
            }
            if direction.frames.is_between() {
                direction.started = Some(time);
            }
            while let Some(event) = self.direction(side).frames.next(&mut bytes) {
                let lost = matches!(event, Event::Violation);
                let ended = matches!(event, Event::End(_));
                self.event(side, event, time, out);
                if lost || ended {
                    break;
                }
            }
        }
    }

    /// A gap within a payload leaves the frames where they were; any other hides them.
    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        match self.direction(side).frames.skip(length) {
            Some((header, left)) if self.direction(side).raw.is_none() => {
                self.tear_payload(side, header, left == 0, time, out);
            }
            _ => self.lose(side, time, out),
        }
    }

    fn held(&self) -> usize {
        self.client.held() + self.server.held() + self.mqtt.as_ref().map_or(0, Layer::held)
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.finish_side(Side::Request, out);
        self.finish_side(Side::Response, out);
        if let Some(mqtt) = &mut self.mqtt {
            mqtt.end(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Got, Turn, bytes, collect, conn, content, converse};
    use Turn::{Client, Gap, Server};
    use proptest::prelude::*;

    const BOTH: Option<Deflate> = Some(Deflate { client_no_context_takeover: true, server_no_context_takeover: true });
    const TAKEOVER: Option<Deflate> =
        Some(Deflate { client_no_context_takeover: false, server_no_context_takeover: false });

    /// A frame of the server (unmasked).
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(length as u8),
            length => {
                frame.push(126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        frame
    }

    /// A frame of the client.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let mut frame = frame(first, payload);
        let start = frame.len() - payload.len();
        frame[1] |= 0x80;
        frame[start..].iter_mut().enumerate().for_each(|(index, byte)| *byte ^= key[index % 4]);
        frame.splice(start..start, key);
        frame
    }

    fn deflated(compressor: &mut flate2::Compress, text: &[u8]) -> Vec<u8> {
        let mut coded = Vec::with_capacity(text.len() + 100);
        compressor.compress_vec(text, &mut coded, flate2::FlushCompress::Sync).unwrap();
        assert!(coded.ends_with(&[0, 0, 0xff, 0xff]));
        coded.truncate(coded.len() - 4);
        coded
    }

    fn play(deflate: Option<Deflate>, piece: usize, turns: &[Turn<'_>]) -> Got {
        converse(&mut WebSocket::new(conn(), deflate, Some("http://x.example/ws".into())), piece, turns)
    }

    /// Name, method, content and flags.
    type Shape = (String, Option<String>, Vec<u8>, Vec<Flag>);

    fn shape(got: &Got) -> Vec<Shape> {
        let of = |record: &Record| {
            let message = record.request.as_ref().or(record.response.as_ref());
            (record.id.to_string(), message.unwrap().method.clone(), content(message), record.flags.clone())
        };
        got.records.iter().map(of).collect()
    }

    #[test]
    fn messages_of_both_sides_are_records() {
        let got = play(
            None,
            3,
            &[Client(&masked(0x81, b"Hello")), Server(&frame(0x82, b"\x01\x02")), Client(&masked(0x88, b"\x03\xe8"))],
        );
        let expected = [
            ("tcp:0/ws:0".into(), Some("TEXT".into()), b"Hello".to_vec(), vec![]),
            ("tcp:0/ws:1".into(), None, b"\x01\x02".to_vec(), vec![]),
            ("tcp:0/ws:2".into(), Some("CLOSE".into()), b"\x03\xe8".to_vec(), vec![]),
        ];
        assert_eq!(shape(&got), expected);
        assert_eq!(got.records[1].response.as_ref().unwrap().url.as_deref(), Some("http://x.example/ws"));
    }

    #[test]
    fn fragments_are_joined_around_a_ping() {
        let client =
            [masked(0x01, b"one "), masked(0x89, b"ping"), masked(0x00, b"two "), masked(0x80, b"three")].concat();
        let got = play(None, 5, &[Client(&client)]);
        let texts: Vec<_> = shape(&got).into_iter().map(|(_, method, body, _)| (method.unwrap(), body)).collect();
        assert_eq!(texts, [("PING".into(), b"ping".to_vec()), ("TEXT".into(), b"one two three".to_vec())]);
    }

    #[test]
    fn empty_messages_count_and_empty_pings_do_not() {
        let got = play(None, 9, &[Server(&[frame(0x81, b""), frame(0x89, b"")].concat())]);
        assert_eq!(got.records.len(), 1);
        assert!(got.records[0].response.as_ref().unwrap().body.as_ref().unwrap().is_empty());
    }

    #[test]
    fn compressed_messages_are_inflated() {
        let mut compressor = flate2::Compress::new(flate2::Compression::default(), false);
        let (text, long) = (b"a text that repeats a text", vec![b'x'; 1000]);
        let coded =
            [deflated(&mut compressor, text), deflated(&mut compressor, text), deflated(&mut compressor, &long)];
        let frames: Vec<u8> = coded.iter().flat_map(|coded| masked(0xc1, coded)).collect();
        let got = play(TAKEOVER, 4, &[Client(&frames)]);
        let request = got.records[1].request.as_ref();
        assert_eq!((content(request), bytes(request.unwrap().body.as_ref())), (text.to_vec(), coded[1].clone()));
        assert_eq!(request.unwrap().codings, ["permessage-deflate"]);
        assert_eq!(content(got.records[2].request.as_ref()), long);
        assert!(got.records.iter().all(|record| record.flags.is_empty()));
    }

    #[test]
    fn without_takeover_each_message_stands_alone() {
        let mut frames = Vec::new();
        for text in [&b"first first"[..], b"second second"] {
            let mut compressor = flate2::Compress::new(flate2::Compression::default(), false);
            frames.extend(frame(0xc1, &deflated(&mut compressor, text)));
        }
        let got = play(BOTH, 100, &[Server(&frames)]);
        assert_eq!(content(got.records[1].response.as_ref()), b"second second");
    }

    #[test]
    fn a_lost_window_is_not_guessed() {
        let mut compressor = flate2::Compress::new(flate2::Compression::default(), false);
        let coded = [deflated(&mut compressor, b"a text, a text"), deflated(&mut compressor, b"a text, a text")];
        let first = frame(0xc1, &coded[0]);
        let (head, tail) = first.split_at(5);
        let second = frame(0xc1, &coded[1]);
        let got = play(TAKEOVER, 100, &[Server(head), Gap(Side::Response, tail.len() as u64), Server(&second)]);
        let undecoded = Flag::Undecoded("permessage-deflate".into());
        let flags: Vec<_> = got.records.iter().map(|record| record.flags.clone()).collect();
        assert_eq!(flags, [vec![Flag::Incomplete, undecoded.clone()], vec![undecoded]]);
    }

    #[test]
    fn a_gap_in_a_payload_splits_the_message_and_no_more() {
        let whole = [masked(0x81, b"before-lost-after"), masked(0x81, b"next")].concat();
        let got = play(None, 3, &[Client(&whole[..12]), Gap(Side::Request, 6), Client(&whole[18..])]);
        let incomplete = vec![Flag::Incomplete];
        let expected = [(&b"before"[..], incomplete.clone()), (&b"after"[..], incomplete), (&b"next"[..], vec![])];
        let got: Vec<_> = shape(&got).into_iter().map(|(_, _, body, flags)| (body, flags)).collect();
        assert_eq!(got, expected.map(|(body, flags)| (body.to_vec(), flags)));
    }

    #[test]
    fn packets_of_mqtt_are_records_however_messages_split_them() {
        let publish = b"\x30\x0c\x00\x04door{open}";
        let stream = [&b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04lamp"[..], publish, publish].concat();
        for length in 1..stream.len() {
            let client: Vec<u8> = stream.chunks(length).flat_map(|part| masked(0x82, part)).collect();
            let turns = [Client(&client), Server(&frame(0x82, b"\x20\x02\x00\x00")), Client(&masked(0x89, b"p"))];
            let mut layer = WebSocket::new(conn(), None, None).carrying(Some("mqttv3.1"));
            let got = converse(&mut layer, 9, &turns);
            let mut names: Vec<_> = got.records.iter().map(|record| record.id.to_string()).collect();
            names.retain(|name| name.contains("mqtt"));
            assert_eq!(names.len(), 3, "{length}: {names:?}");
            assert_eq!(got.records.len(), 4, "the ping stands for itself");
            let published = got.records.iter().filter_map(|record| record.request.as_ref());
            let published = published.filter(|request| request.method.as_deref() == Some("PUBLISH"));
            assert!(published.map(|request| content(Some(request))).all(|content| content == b"{open}"));
            assert!(got.damages.is_empty());
        }
    }

    #[test]
    fn a_torn_message_of_mqtt_is_not_joined_to_the_next() {
        let publish = b"\x30\x0c\x00\x04door{open}";
        let frames = [publish, publish, publish].map(|packet| masked(0x82, packet)).concat();
        let lost = 30..34;
        let turns = [Client(&frames[..lost.start]), Gap(Side::Request, 4), Client(&frames[lost.end..])];
        let mut layer = WebSocket::new(conn(), None, None).carrying(Some("mqtt"));
        let got = converse(&mut layer, 100, &turns);
        let of = |name: &str| got.records.iter().filter(|record| record.id.0.contains(name)).count();
        assert_eq!((of("mqtt:"), of("/ws:")), (2, 2), "{:?}", got.records);
    }

    #[test]
    fn a_gap_between_frames_leaves_plain_bytes() {
        let got = play(None, 3, &[Server(&frame(0x81, b"one")), Gap(Side::Response, 10), Server(b"rest of it")]);
        assert_eq!(shape(&got)[1].2, b"rest of it");
        assert_eq!(got.records[1].flags, [Flag::Incomplete]);
        assert_eq!(shape(&got)[0].2, b"one");
    }

    #[test]
    fn bytes_that_are_no_frame_are_kept() {
        let got = play(None, 2, &[Server(&[frame(0x81, b"one"), b"\x73 no frame".to_vec()].concat())]);
        assert_eq!(shape(&got)[1].2, b"\x73 no frame");
        assert_eq!(got.damages.len(), 1);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_records(
            messages in proptest::collection::vec((any::<bool>(), 0u8..3, proptest::collection::vec(any::<u8>(), 0..200)), 0..6),
            piece in 1usize..40,
        ) {
            let frames: Vec<(bool, Vec<u8>)> = messages.iter().map(|(client, opcode, payload)| {
                let first = [0x81, 0x82, 0x01][usize::from(*opcode)];
                (*client, if *client { masked(first, payload) } else { frame(first, payload) })
            }).collect();
            let turns: Vec<Turn<'_>> = frames.iter().map(|(client, bytes)| if *client { Client(bytes) } else { Server(bytes) }).collect();
            let whole = shape(&play(TAKEOVER, 100_000, &turns));
            prop_assert_eq!(shape(&play(TAKEOVER, piece, &turns)), whole);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            crate::fuzzing::websocket(&bytes);
        }
    }

    #[test]
    fn what_is_cut_is_still_a_record() {
        let text = masked(0x81, b"half of it");
        let got = collect(crate::layer::Limits::default(), |out| {
            let mut layer = WebSocket::new(conn(), None, None);
            layer.data(Side::Request, &text[..10], Time(1), out);
            layer.end(out);
        });
        assert_eq!((shape(&got)[0].2.as_slice(), &got.records[0].flags[..]), (&b"half"[..], &[Flag::Incomplete][..]));
    }
}
