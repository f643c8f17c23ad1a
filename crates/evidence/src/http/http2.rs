//! HTTP/2 (RFC 9113) seen from outside.
//!
//! Each direction is split into frames and its field blocks are decoded with its own table; what
//! both say about a stream meets in [`Streams`]. A direction that is picked up in the middle, or
//! that lost bytes, looks for two frames in a row and goes on from there, without the table.

use super::frames::{self, FrameHeader, HEADER, Hit, Piece, Seen, Splitter};
use super::hpack::Decoder;
use super::streams::{Streams, TooLate};
use crate::layer::{Conn, Layer, Out};
use crate::resync::{Losses, Search};
use dyetrace_case::{Side, Time};

/// HTTP/2 (RFC 9113) seen from outside.
pub(crate) struct Http2 {
    conn: Conn,
    client: Direction,
    server: Direction,
    streams: Streams,
}

/// What the client sends first (section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes handled at a time, so that a search that starts over copies little.
const SLICE: usize = 16 << 10;

const NOT_FRAMES: &str = "not HTTP/2 frames";
const NO_FIELDS: &str = "field blocks that could not be decoded";
const TOO_LATE: &str = "on streams that were over";

/// One direction of the connection.
struct Direction {
    side: Side,
    sync: Sync,
    table: Decoder,
    /// The field block in progress (section 4.3).
    block: Option<Block>,
    losses: Losses,
    seen: Seen,
    /// True while no byte of the direction was missed.
    from_start: bool,
    frame_time: Time,
}

enum Sync {
    /// So many bytes of the preface were seen.
    Preface(usize),
    Frames(Splitter),
    Searching(Search),
}

struct Block {
    header: FrameHeader,
    promised: Option<u32>,
    bytes: Vec<u8>,
    time: Time,
}

/// What a direction needs of the connection.
struct Around<'a, 's> {
    conn: &'a Conn,
    streams: &'a mut Streams,
    out: &'a mut Out<'s>,
    time: Time,
}

impl Http2 {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(conn: Conn) -> Self {
        let server =
            if conn.mid_stream { Sync::Searching(Search::default()) } else { Sync::Frames(Splitter::default()) };
        Self {
            client: Direction::new(Side::Request, Sync::Preface(0)),
            server: Direction::new(Side::Response, server),
            streams: Streams::default(),
            conn,
        }
    }

    /// What follows an upgrade from HTTP/1, whose request for `url` is answered on stream 1.
    pub(crate) fn upgraded(conn: Conn, url: Option<String>) -> Self {
        Self { streams: Streams::answering(url), ..Self::new(conn) }
    }

    fn parts<'a, 's>(
        &'a mut self,
        side: Side,
        time: Time,
        out: &'a mut Out<'s>,
    ) -> (&'a mut Direction, Around<'a, 's>) {
        let direction = if side == Side::Request { &mut self.client } else { &mut self.server };
        (direction, Around { conn: &self.conn, streams: &mut self.streams, out, time })
    }
}

impl Layer for Http2 {
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>) {
        let (direction, mut around) = self.parts(side, time, out);
        for slice in bytes.chunks(SLICE) {
            direction.data(slice, &mut around);
        }
        self.share_highest_stream();
    }

    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>) {
        let (direction, mut around) = self.parts(side, time, out);
        direction.gap(length, &mut around);
    }

    fn held(&self) -> usize {
        self.streams.held() + self.client.held() + self.server.held()
    }

    fn end(&mut self, out: &mut Out<'_>) {
        for side in [Side::Request, Side::Response] {
            let time = self.client.frame_time.max(self.server.frame_time);
            let (direction, mut around) = self.parts(side, time, out);
            direction.end(&mut around);
        }
        self.streams.finish(&self.conn, out);
        self.client.losses.tell(Side::Request, &self.conn, out);
        self.server.losses.tell(Side::Response, &self.conn, out);
    }
}

impl Http2 {
    fn share_highest_stream(&mut self) {
        let highest = self.client.seen.highest_stream.max(self.server.seen.highest_stream);
        self.client.seen.highest_stream = highest;
        self.server.seen.highest_stream = highest;
    }
}

impl Direction {
    fn new(side: Side, sync: Sync) -> Self {
        Self {
            side,
            sync,
            table: Decoder::new(false),
            block: None,
            losses: Losses::default(),
            seen: Seen::default(),
            from_start: true,
            frame_time: Time(0),
        }
    }

    /// Memory held, roughly.
    fn held(&self) -> usize {
        let split = match &self.sync {
            Sync::Preface(_) => 0,
            Sync::Frames(splitter) => splitter.held() as usize,
            Sync::Searching(search) => search.held(),
        };
        split + self.table.held() + self.block.as_ref().map_or(0, |block| block.bytes.len())
    }

    fn data(&mut self, bytes: &[u8], around: &mut Around<'_, '_>) {
        let mut rest = bytes;
        if let Sync::Preface(matched) = self.sync {
            rest = self.preface(matched, rest, around);
        }
        let mut searched;
        while !rest.is_empty() {
            match &mut self.sync {
                Sync::Preface(_) => return,
                Sync::Frames(_) => self.frames(&mut rest, around),
                Sync::Searching(search) => {
                    let (side, seen) = (self.side, self.seen);
                    let Some(found) = search.feed(rest, |bytes| frames::fits(bytes, side, seen, false)) else { return };
                    searched = found.rest;
                    self.found(found.skipped, &searched, around);
                    rest = &searched;
                }
            }
        }
    }

    /// Compares with the preface; returns the bytes behind it. Where it is absent, the start was
    /// not captured.
    fn preface<'b>(&mut self, matched: usize, bytes: &'b [u8], around: &mut Around<'_, '_>) -> &'b [u8] {
        let expected = PREFACE.get(matched..).unwrap_or_default();
        let length = expected.len().min(bytes.len());
        let (head, rest) = bytes.split_at(length);
        if !expected.starts_with(head) {
            self.sync = Sync::Searching(Search::default());
            self.data(PREFACE.get(..matched).unwrap_or_default(), around);
            return bytes;
        }
        let whole = length == expected.len();
        self.sync = if whole { Sync::Frames(Splitter::default()) } else { Sync::Preface(matched + length) };
        rest
    }

    /// A search succeeded. Only where nothing was skipped and the first frame is the one that
    /// opens a connection, the table is known.
    fn found(&mut self, skipped: u64, rest: &[u8], around: &Around<'_, '_>) {
        self.losses.add(NOT_FRAMES, skipped, Some(around.time));
        let opens = FrameHeader::parse(rest).is_some_and(FrameHeader::opens_connection);
        if !(self.from_start && skipped == 0 && opens) {
            self.table.lose();
        }
        self.from_start = false;
        self.sync = Sync::Frames(Splitter::default());
    }

    fn frames(&mut self, rest: &mut &[u8], around: &mut Around<'_, '_>) {
        loop {
            let Sync::Frames(splitter) = &mut self.sync else { return };
            if splitter.before_frame() {
                self.frame_time = around.time;
            }
            let Some(piece) = splitter.next(rest, around.out.limits.head) else { return };
            self.piece(piece, around);
        }
    }

    fn piece(&mut self, piece: Piece<'_>, around: &mut Around<'_, '_>) {
        if !matches!(&piece, Piece::Frame(header, _) if header.kind == frames::CONTINUATION) {
            self.drop_block(around);
        }
        match piece {
            Piece::Frame(header, payload) => {
                self.note(header);
                self.frame(header, &payload, around);
            }
            Piece::Oversized(header) => {
                self.note(header);
                self.block_lost(header, u64::from(header.length), around);
            }
            Piece::Passed(header) => self.note(header),
            Piece::Data(stream, bytes) => self.content(stream, bytes, around),
            Piece::DataEnd(header) => {
                self.note(header);
                self.content(header.stream, &[], around);
                self.end_of(header, around);
            }
            Piece::Broken(head) => self.search(&head, around),
        }
    }

    fn note(&mut self, header: FrameHeader) {
        self.seen.highest_stream = self.seen.highest_stream.max(header.stream);
        self.seen.longest = self.seen.longest.max(header.length);
    }

    fn frame(&mut self, header: FrameHeader, payload: &[u8], around: &mut Around<'_, '_>) {
        if header.kind == frames::RST_STREAM {
            return around.streams.reset(header.stream, self.side, around.conn, around.out);
        }
        let length = payload.len() as u64;
        let Some((promised, fragment)) = frames::fragment(header, payload) else {
            return self.block_lost(header, length, around);
        };
        let mut block = if header.kind == frames::CONTINUATION {
            let Some(block) = self.block.take().filter(|block| block.header.stream == header.stream) else {
                return self.block_lost(header, length, around);
            };
            block
        } else {
            Block { header, promised, bytes: Vec::new(), time: self.frame_time }
        };
        if block.bytes.len() + fragment.len() > around.out.limits.head {
            return self.block_lost(block.header, block.bytes.len() as u64 + length, around);
        }
        block.bytes.extend_from_slice(fragment);
        if header.end_headers() { self.block_complete(&block, around) } else { self.block = Some(block) }
    }

    fn block_complete(&mut self, block: &Block, around: &mut Around<'_, '_>) {
        let list = self.table.decode(&block.bytes, &around.out.limits);
        let undecoded = list.undecoded.unwrap_or(0) as u64;
        self.losses.add(NO_FIELDS, undecoded, Some(block.time));
        // A promise holds the request that the server expects (section 8.4).
        let place = block.promised.map_or((block.header.stream, self.side), |promised| (promised, Side::Request));
        let Around { conn, streams, out, .. } = around;
        if streams.fields(place, list, block.time, conn, out) == Err(TooLate) {
            self.losses.add(TOO_LATE, block.bytes.len() as u64, Some(block.time));
        }
        match block.promised {
            Some(promised) => streams.end(promised, Side::Request, conn, out),
            None => self.end_of(block.header, around),
        }
    }

    fn content(&mut self, stream: u32, bytes: &[u8], around: &mut Around<'_, '_>) {
        let Around { conn, streams, out, time } = around;
        if streams.content((stream, self.side), bytes, *time, conn, out) == Err(TooLate) {
            self.losses.add(TOO_LATE, bytes.len() as u64, Some(*time));
        }
    }

    fn end_of(&self, header: FrameHeader, around: &mut Around<'_, '_>) {
        if header.end_stream() {
            around.streams.end(header.stream, self.side, around.conn, around.out);
        }
    }

    /// A field block was missed: the stream lacks fields, and the table is not known any more.
    fn block_lost(&mut self, header: FrameHeader, bytes: u64, around: &mut Around<'_, '_>) {
        self.block = None;
        self.losses.add(NO_FIELDS, bytes.max(1), Some(self.frame_time));
        self.table.lose();
        around.streams.damage(header.stream, self.side);
        self.end_of(header, around);
    }

    /// A block that does not continue where it must (section 6.10).
    fn drop_block(&mut self, around: &mut Around<'_, '_>) {
        if let Some(block) = self.block.take() {
            self.block_lost(block.header, block.bytes.len() as u64, around);
        }
    }

    /// Frames are not where they should be: look for them from the second byte of `head` on.
    fn search(&mut self, head: &[u8; HEADER], around: &mut Around<'_, '_>) {
        self.losses.add(NOT_FRAMES, 1, Some(self.frame_time));
        self.lose_place(around);
        if let Sync::Searching(search) = &mut self.sync {
            let (_, tail) = head.split_at(1);
            // Eight bytes are too few for an answer.
            let _ = search.feed(tail, |bytes| frames::fits(bytes, self.side, self.seen, false));
        }
    }

    fn lose_place(&mut self, around: &mut Around<'_, '_>) {
        self.drop_block(around);
        self.table.lose();
        self.from_start = false;
        self.sync = Sync::Searching(Search::default());
        around.streams.all_broken(self.side, around.time, around.conn, around.out);
    }

    fn gap(&mut self, length: u64, around: &mut Around<'_, '_>) {
        let time = Some(around.time);
        let hit = match &mut self.sync {
            Sync::Preface(_) => Hit::Boundary(0),
            Sync::Searching(search) => {
                self.losses.add(NOT_FRAMES, search.unread(), time);
                Hit::Boundary(0)
            }
            Sync::Frames(splitter) => splitter.gap(length),
        };
        match hit {
            Hit::Nothing => {}
            Hit::Block(header, held) => {
                self.drop_block(around);
                self.block_lost(header, held, around);
            }
            Hit::Content(header) => {
                let Around { conn, streams, out, time } = around;
                streams.broken(header.stream, self.side, *time, conn, out);
            }
            Hit::Boundary(held) => {
                self.losses.add(NOT_FRAMES, held, time);
                self.lose_place(around);
            }
        }
    }

    fn end(&mut self, around: &mut Around<'_, '_>) {
        if let Sync::Searching(search) = &mut self.sync {
            let (side, seen) = (self.side, self.seen);
            match std::mem::take(search).finish(|bytes| frames::fits(bytes, side, seen, true)) {
                Err(skipped) => self.losses.add(NOT_FRAMES, skipped, Some(around.time)),
                Ok(found) => {
                    self.found(found.skipped, &found.rest, around);
                    self.data(&found.rest, around);
                }
            }
        }
        match &self.sync {
            Sync::Preface(matched) => self.losses.add(NOT_FRAMES, *matched as u64, None),
            Sync::Frames(splitter) => self.losses.add("a frame that was cut short", splitter.held(), Some(around.time)),
            Sync::Searching(search) => self.losses.add(NOT_FRAMES, search.unread(), Some(around.time)),
        }
        self.drop_block(around);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::hpack::encoder::{Literal, indexed, list, literal};
    use crate::layer::Limits;
    use crate::testing::{Got, Turn, bytes, collect, conn, converse};
    use dyetrace_case::{Flag, NameSource, Record};
    use frames::{CONTINUATION, DATA, GOAWAY, HEADERS, PING, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE};
    use proptest::prelude::*;

    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    const PADDED: u8 = 8;
    const PRIORITY: u8 = 0x20;
    const LAST: u8 = END_STREAM | END_HEADERS;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    fn opening() -> Vec<u8> {
        [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
    }

    const POST: [(&str, &str); 5] = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "api.example.com:8443"),
        (":path", "/v1/bind?x=1"),
        ("content-type", "text/plain"),
    ];
    const GET: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "https"), (":authority", "api.example.com"), (":path", "/")];

    fn play(turns: &[Turn<'_>]) -> Got {
        converse(&mut Http2::new(conn()), usize::MAX, turns)
    }

    fn mid_stream() -> Http2 {
        let mut conn = conn();
        conn.mid_stream = true;
        Http2::new(conn)
    }

    /// One line per record: name, what was asked, both bodies, what was answered, flags.
    fn story(got: &Got) -> Vec<String> {
        let line = |record: &Record| {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let request = record.request.as_ref().map(|message| {
                let url = message.url.clone().unwrap_or_else(|| text(message.target.clone().unwrap_or_default()));
                format!("{} {url} {:?}", message.method.as_deref().unwrap_or("?"), text(bytes(message.body.as_ref())))
            });
            let response = record
                .response
                .as_ref()
                .map(|message| format!("{} {:?}", message.status.unwrap_or(0), text(bytes(message.body.as_ref()))));
            let flags: Vec<_> = record.flags.iter().map(Flag::name).collect();
            let absent = || "nothing".to_owned();
            format!(
                "{}: {} -> {} {}",
                record.id,
                request.unwrap_or_else(absent),
                response.unwrap_or_else(absent),
                flags.join(",")
            )
            .trim_end()
            .to_owned()
        };
        got.records.iter().map(line).collect()
    }

    fn losses(got: &Got) -> Vec<&str> {
        got.damages.iter().map(|damage| damage.reason.as_str()).collect()
    }

    fn post(stream: u32, body: &[u8]) -> Vec<u8> {
        [frame(HEADERS, END_HEADERS, stream, &list(&POST)), frame(DATA, END_STREAM, stream, body)].concat()
    }

    fn ok(stream: u32, body: &[u8]) -> Vec<u8> {
        [frame(HEADERS, END_HEADERS, stream, &list(&[(":status", "200")])), frame(DATA, END_STREAM, stream, body)]
            .concat()
    }

    #[test]
    fn a_request_and_its_answer_are_a_record() {
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Server(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])),
            Turn::Client(&post(1, b"ssid=home")),
            Turn::Server(&ok(1, b"bound")),
        ]);
        let url = "https://api.example.com:8443/v1/bind?x=1";
        assert_eq!(story(&got), [format!("tcp:0/h2:1: POST {url} \"ssid=home\" -> 200 \"bound\"")]);
        let record = &got.records[0];
        let request = record.request.as_ref().unwrap();
        assert_eq!(request.headers, [(b"content-type".to_vec(), b"text/plain".to_vec())]);
        assert_eq!(request.target.as_deref(), Some(&b"/v1/bind?x=1"[..]));
        assert_eq!(record.server.name, Some(("api.example.com".to_owned(), NameSource::Host)));
        assert!(got.damages.is_empty());
    }

    #[test]
    fn no_data_frame_means_no_body_and_an_empty_one_an_empty_body() {
        let head = frame(HEADERS, LAST, 1, &list(&GET));
        let got = play(&[Turn::Client(&opening()), Turn::Client(&head), Turn::Server(&ok(1, b""))]);
        let record = &got.records[0];
        assert!(record.request.as_ref().unwrap().body.is_none());
        assert_eq!(record.response.as_ref().unwrap().body.as_ref().map(dyetrace_case::Blob::len), Some(0));
    }

    #[test]
    fn padding_and_priority_are_no_content() {
        let block = [&[3][..], &[0, 0, 0, 0, 16], &list(&GET), &[0; 3]].concat();
        let head = frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1, &block);
        let data = frame(DATA, END_STREAM | PADDED, 1, b"\x04body\0\0\0\0");
        let got =
            play(&[Turn::Client(&opening()), Turn::Client(&head), Turn::Client(&data), Turn::Server(&ok(1, b"."))]);
        assert_eq!(story(&got), ["tcp:0/h2:1: GET https://api.example.com/ \"body\" -> 200 \".\""]);
    }

    #[test]
    fn a_field_block_may_be_continued_and_end_in_trailers_after_interim_answers() {
        let block = list(&GET);
        let (a, b) = block.split_at(5);
        let request =
            [frame(HEADERS, END_STREAM, 1, a), frame(CONTINUATION, 0, 1, b), frame(CONTINUATION, END_HEADERS, 1, &[])];
        let answer = [
            frame(HEADERS, END_HEADERS, 1, &list(&[(":status", "103"), ("link", "</a.css>")])),
            frame(HEADERS, END_HEADERS, 1, &list(&[(":status", "200"), ("x", "1")])),
            frame(DATA, 0, 1, b"one "),
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]),
            frame(DATA, 0, 1, b"two"),
            frame(HEADERS, LAST, 1, &list(&[("grpc-status", "0")])),
        ];
        let got = play(&[Turn::Client(&opening()), Turn::Client(&request.concat()), Turn::Server(&answer.concat())]);
        assert_eq!(story(&got), ["tcp:0/h2:1: GET https://api.example.com/ \"\" -> 200 \"one two\""]);
        let names: Vec<_> =
            got.records[0].response.as_ref().unwrap().headers.iter().map(|field| &field.0[..]).collect();
        assert_eq!(names, [&b"link"[..], b"x", b"grpc-status"]);
    }

    #[test]
    fn streams_interleave_and_come_out_as_they_end() {
        let client = [opening(), frame(HEADERS, LAST, 1, &list(&GET)), frame(HEADERS, LAST, 3, &list(&GET))].concat();
        let got = play(&[Turn::Client(&client), Turn::Server(&ok(3, b"three")), Turn::Server(&ok(1, b"one"))]);
        let lines = [
            "tcp:0/h2:3: GET https://api.example.com/ \"\" -> 200 \"three\"",
            "tcp:0/h2:1: GET https://api.example.com/ \"\" -> 200 \"one\"",
        ];
        assert_eq!(story(&got), lines);
    }

    #[test]
    fn a_reset_stream_keeps_what_was_sent_also_after_the_reset() {
        let half = frame(HEADERS, END_HEADERS, 1, &list(&[(":status", "200")]));
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Client(&frame(HEADERS, LAST, 1, &list(&GET))),
            Turn::Server(&half),
            Turn::Client(&frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
            Turn::Server(&frame(DATA, 0, 1, b"on its way")),
        ]);
        assert_eq!(story(&got), ["tcp:0/h2:1: GET https://api.example.com/ \"\" -> 200 \"on its way\" incomplete"]);
    }

    #[test]
    fn a_request_without_answer_is_a_record_too() {
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Client(&post(1, b"secret")),
            Turn::Server(&frame(GOAWAY, 0, 0, &[0; 8])),
        ]);
        assert_eq!(
            story(&got),
            ["tcp:0/h2:1: POST https://api.example.com:8443/v1/bind?x=1 \"secret\" -> nothing unanswered"]
        );
    }

    #[test]
    fn a_pushed_answer_has_its_request_from_the_promise() {
        let promise = [&2u32.to_be_bytes()[..], &list(&GET)].concat();
        let server = [frame(PUSH_PROMISE, END_HEADERS, 1, &promise), ok(2, b"pushed"), ok(1, b"asked")].concat();
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Client(&frame(HEADERS, LAST, 1, &list(&GET))),
            Turn::Server(&server),
        ]);
        assert_eq!(story(&got)[0], "tcp:0/h2:2: GET https://api.example.com/ \"\" -> 200 \"pushed\"");
        assert_eq!(got.records.len(), 2);
    }

    #[test]
    fn connect_has_its_authority_as_target() {
        let fields = [(":method", "CONNECT"), (":authority", "mail.example.com:993")];
        let got = play(&[Turn::Client(&opening()), Turn::Client(&frame(HEADERS, END_HEADERS, 1, &list(&fields)))]);
        let request = got.records[0].request.as_ref().unwrap();
        assert_eq!((request.target.as_deref(), &request.url), (Some(&b"mail.example.com:993"[..]), &None));
    }

    #[test]
    fn after_an_upgrade_the_answer_to_stream_1_needs_no_request() {
        let got =
            play(&[Turn::Client(&opening()), Turn::Server(&frame(SETTINGS, 0, 0, &[])), Turn::Server(&ok(1, b"hi"))]);
        assert_eq!(story(&got), ["tcp:0/h2:1: nothing -> 200 \"hi\""]);
    }

    #[test]
    fn from_the_middle_reading_starts_at_the_next_frames_without_the_table() {
        let block = [list(&GET), indexed(62), literal(Literal::Indexing, "x-a", b"new"), indexed(62)].concat();
        let client =
            [b"the rest of some frame".to_vec(), frame(HEADERS, LAST, 7, &block), frame(PING, 0, 0, &[7; 8])].concat();
        let got = converse(&mut mid_stream(), usize::MAX, &[Turn::Client(&client), Turn::Server(&ok(7, b"."))]);
        assert_eq!(story(&got), ["tcp:0/h2:7: GET https://api.example.com/ \"\" -> 200 \".\" mid-stream"]);
        let headers = &got.records[0].request.as_ref().unwrap().headers;
        let new = (b"x-a".to_vec(), b"new".to_vec());
        assert_eq!(headers, &[(b"(unknown index 62)".to_vec(), Vec::new()), new.clone(), new]);
        assert_eq!(losses(&got), ["22 bytes from the client: not HTTP/2 frames"]);
    }

    #[test]
    fn a_connection_whose_handshake_alone_was_missed_is_read_in_full() {
        let block = [list(&GET), literal(Literal::Indexing, "x-a", b"new")].concat();
        let client =
            [opening(), frame(HEADERS, LAST, 1, &block), frame(HEADERS, LAST, 3, &[list(&GET), indexed(62)].concat())];
        let server = [frame(SETTINGS, 0, 0, &[]), ok(1, b"1"), ok(3, b"3")].concat();
        let got = converse(&mut mid_stream(), 7, &[Turn::Client(&client.concat()), Turn::Server(&server)]);
        assert_eq!(got.records.len(), 2);
        assert!(got.records.iter().all(|record| record.flags.is_empty()) && got.damages.is_empty());
    }

    #[test]
    fn a_gap_in_content_does_not_join_what_it_parts() {
        let data = frame(DATA, END_STREAM, 1, b"before-lost-after");
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Client(&frame(HEADERS, END_HEADERS, 1, &list(&POST))),
            Turn::Client(&data[..9 + 7]),
            Turn::Gap(Side::Request, 4),
            Turn::Client(&data[9 + 11..]),
            Turn::Client(&post(3, b"next")),
        ]);
        let url = "https://api.example.com:8443/v1/bind?x=1";
        let lines = [
            format!("tcp:0/h2:1: POST {url} \"before-\" -> nothing incomplete,unanswered"),
            "tcp:0/h2:1/piece:1: ?  \"-after\" -> nothing incomplete,mid-stream".to_owned(),
            format!("tcp:0/h2:3: POST {url} \"next\" -> nothing unanswered"),
        ];
        assert_eq!(story(&got), lines);
    }

    #[test]
    fn after_a_gap_between_frames_the_next_frames_are_found() {
        let client = [&b"tail of the frame that was lost"[..], &post(5, b"found"), &post(7, b"and this")].concat();
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Client(&post(1, b"one")),
            Turn::Gap(Side::Request, 5000),
            Turn::Client(&client),
        ]);
        let bodies: Vec<_> =
            got.records.iter().map(|record| bytes(record.request.as_ref().unwrap().body.as_ref())).collect();
        assert_eq!(bodies, [&b"one"[..], b"found", b"and this"]);
        assert_eq!(losses(&got), ["31 bytes from the client: not HTTP/2 frames"]);
    }

    #[test]
    fn a_gap_in_a_field_block_loses_the_table_and_not_the_place() {
        let head = frame(HEADERS, LAST, 1, &[list(&GET), literal(Literal::Indexing, "x-a", b"new")].concat());
        let got = play(&[
            Turn::Client(&opening()),
            Turn::Client(&head[..20]),
            Turn::Gap(Side::Request, head.len() as u64 - 20),
            Turn::Client(&frame(HEADERS, LAST, 3, &[list(&GET), indexed(62)].concat())),
        ]);
        assert_eq!(story(&got), ["tcp:0/h2:3: GET https://api.example.com/ \"\" -> nothing mid-stream,unanswered"]);
        assert_eq!(losses(&got), ["20 bytes from the client: field blocks that could not be decoded"]);
    }

    #[test]
    fn too_many_open_streams_come_out_early_and_later_bytes_are_counted() {
        let limits = Limits { open_exchanges: 2, ..Limits::default() };
        let mut http2 = Http2::new(conn());
        let mut client = opening();
        for stream in [1, 3, 5] {
            client.extend(frame(HEADERS, END_HEADERS, stream, &list(&GET)));
        }
        client.extend(frame(DATA, 0, 1, b"late"));
        let got = collect(limits, |out| {
            http2.data(Side::Request, &client, Time(1), out);
            http2.end(out);
        });
        assert_eq!(got.records.len(), 3);
        assert_eq!(losses(&got), ["4 bytes from the client: on streams that were over"]);
    }

    #[test]
    fn header_lists_of_open_streams_are_bounded() {
        let limits = Limits { head: 10_000, ..Limits::default() };
        let mut http2 = Http2::new(conn());
        let block = [list(&GET), literal(Literal::Plain, "x", &[b'a'; 9000])].concat();
        let got = collect(limits, |out| {
            http2.data(Side::Request, &opening(), Time(1), out);
            for stream in 0..100 {
                http2.data(Side::Request, &frame(HEADERS, END_HEADERS, 2 * stream + 1, &block), Time(1), out);
                assert!(http2.streams.fields_held() <= 320_000);
            }
            http2.end(out);
        });
        assert_eq!(got.records.len(), 100);
    }

    /// A conversation with everything in it, as one buffer per side.
    fn long_conversation() -> (Vec<u8>, Vec<u8>) {
        let mut client = opening();
        let mut server = frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 16, 0]);
        for stream in [1, 3, 5, 7] {
            let block =
                [list(&POST), literal(Literal::HuffmanIndexing, "x-n", &[b'0' + stream as u8]), indexed(62)].concat();
            client.extend(frame(HEADERS, END_HEADERS, stream, &block));
            client.extend(frame(DATA, PADDED, stream, &[&[5], &[b'b'; 40][..], &[0; 5]].concat()));
            client.extend(frame(DATA, END_STREAM, stream, b"end"));
            client.extend(frame(0xbb, 0, stream, b"unknown kind"));
            server.extend(ok(stream, &vec![b'r'; 100 * stream as usize]));
        }
        (client, server)
    }

    fn told(got: &Got) -> (Vec<String>, Vec<String>) {
        (story(got), losses(got).into_iter().map(str::to_owned).collect())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_records(piece in 1usize..300) {
            let (client, server) = long_conversation();
            let turns = [Turn::Client(&client), Turn::Server(&server)];
            prop_assert_eq!(told(&converse(&mut Http2::new(conn()), piece, &turns)), told(&play(&turns)));
        }

        #[test]
        fn any_split_gives_the_same_records_after_a_gap(piece in 1usize..300, cut in 0usize..600, lost in 1u64..200) {
            let (client, server) = long_conversation();
            let cut = cut.min(client.len());
            let after = &client[(cut + lost as usize).min(client.len())..];
            let turns = [
                Turn::Client(&client[..cut]),
                Turn::Gap(Side::Request, lost),
                Turn::Client(after),
                Turn::Server(&server),
            ];
            let whole = play(&turns);
            prop_assert_eq!(told(&converse(&mut Http2::new(conn()), piece, &turns)), told(&whole));
            prop_assert!(whole.records.iter().filter(|record| record.response.is_some()).count() == 4);
        }
    }
}
