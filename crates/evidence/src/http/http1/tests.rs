use super::*;
use crate::layer::Limits;
use crate::testing::{Got, Turn, bytes, collect, conn, content, converse};
use Turn::{Client, Gap, Server};
use dyetrace_case::{NameSource, Record};
use proptest::prelude::*;

fn play(turns: &[Turn<'_>]) -> Got {
    converse(&mut Http1::new(conn()), 1 << 20, turns)
}

/// Method (or `-`), URL, request body, status, response body.
type Line = (String, String, Option<String>, u16, Option<String>);

fn lines(got: &Got) -> Vec<Line> {
    let body = |message: Option<&Message>| {
        message
            .filter(|message| message.body.is_some())
            .map(|message| String::from_utf8_lossy(&content(Some(message))).into_owned())
    };
    let line = |record: &Record| {
        let (request, response) = (record.request.as_ref(), record.response.as_ref());
        let method = request.and_then(|request| request.method.clone()).unwrap_or("-".into());
        let url = request.and_then(|request| request.url.clone()).unwrap_or_default();
        (method, url, body(request), response.and_then(|response| response.status).unwrap_or_default(), body(response))
    };
    got.records.iter().map(line).collect()
}

fn line(method: &str, url: &str, sent: Option<&str>, status: u16, received: Option<&str>) -> Line {
    (method.into(), url.into(), sent.map(Into::into), status, received.map(Into::into))
}

fn flags(got: &Got) -> Vec<&[Flag]> {
    got.records.iter().map(|record| record.flags.as_slice()).collect()
}

fn ids(got: &Got) -> Vec<&str> {
    got.records.iter().map(|record| record.id.0.as_str()).collect()
}

#[test]
fn a_request_and_its_answer_are_one_record() {
    let got = play(&[
        Client(b"POST /login?a=b HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: 5\r\n\r\nname="),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ]);
    assert_eq!(lines(&got), [line("POST", "http://shop.example:8080/login?a=b", Some("name="), 200, Some("ok"))]);
    let record = &got.records[0];
    assert_eq!(record.id.0, "tcp:0/http:0");
    assert_eq!(record.protocol, Protocol::Http11);
    assert_eq!(record.server.name, Some(("shop.example".into(), NameSource::Host)));
    assert_eq!(record.request.as_ref().unwrap().target.as_deref(), Some(&b"/login?a=b"[..]));
    assert_eq!(record.time, Some(Time(1_000_000)));
    assert_eq!(record.response.as_ref().unwrap().time, Some(Time(2_000_000)));
    assert!(record.flags.is_empty() && got.damages.is_empty());
}

#[test]
fn absent_and_empty_bodies_differ() {
    let got = play(&[
        Client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        Server(b"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(
        lines(&got),
        [line("GET", "http://a/", None, 204, None), line("POST", "http://a/", Some(""), 200, Some(""))]
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let got = play(&[
        Client(
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"),
    ]);
    let expected = [
        line("GET", "http://a/1", None, 200, Some("one")),
        line("HEAD", "http://a/2", None, 200, None),
        line("GET", "http://a/3", None, 304, None),
    ];
    assert_eq!(lines(&got), expected);
}

#[test]
fn chunks_trailers_and_codings_are_undone() {
    let got = play(&[
        Client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nSum: 9\r\n\r\n",
        ),
    ]);
    assert_eq!(lines(&got)[0].4.as_deref(), Some("Wikipedia"));
    let headers = &got.records[0].response.as_ref().unwrap().headers;
    assert_eq!(headers[1], (b"Sum".to_vec(), b"9".to_vec()));
}

#[test]
fn a_transfer_coding_is_no_content_coding() {
    let mut zipped = Vec::new();
    let mut encoder = flate2::write::GzEncoder::new(&mut zipped, flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, b"text").unwrap();
    encoder.finish().unwrap();
    let mut response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".to_vec();
    response.extend_from_slice(format!("{:x}\r\n", zipped.len()).as_bytes());
    response.extend_from_slice(&zipped);
    response.extend_from_slice(b"\r\n0\r\n\r\n");
    let got = play(&[Client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Server(&response)]);
    let response = got.records[0].response.as_ref().unwrap();
    assert_eq!(bytes(response.body.as_ref()), b"text");
    assert!(response.decoded.is_none() && response.codings.is_empty());
    let mut plain = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    plain.extend_from_slice(&zipped);
    let got = play(&[Client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Server(&plain)]);
    let response = got.records[0].response.as_ref().unwrap();
    assert_eq!((bytes(response.body.as_ref()), content(Some(response))), (zipped, b"text".to_vec()));
    assert_eq!(response.codings, ["gzip"]);
}

#[test]
fn interim_responses_are_not_the_answer() {
    let got = play(&[
        Client(b"PUT /f HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
        Server(b"HTTP/1.1 100 Continue\r\n\r\n"),
        Client(b"data"),
        Server(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(lines(&got), [line("PUT", "http://a/f", Some("data"), 201, Some(""))]);
    assert_eq!(got.records[0].response.as_ref().unwrap().headers[0].0, b"Link");
}

#[test]
fn a_body_until_close_is_complete_only_with_the_close() {
    let turns = [Client(b"GET / HTTP/1.0\r\n\r\n"), Server(b"HTTP/1.0 200 OK\r\n\r\nall of it")];
    let got = play(&turns);
    assert_eq!(lines(&got), [line("GET", "http://192.0.2.1/", None, 200, Some("all of it"))]);
    assert_eq!(flags(&got), [[Flag::Incomplete]]);
    assert_eq!(got.records[0].protocol, Protocol::Http10);
    let got = collect(Limits::default(), |out| {
        let mut layer = Http1::new(conn());
        layer.data(Side::Request, b"GET / HTTP/1.0\r\n\r\n", Time(1), out);
        layer.data(Side::Response, b"HTTP/1.0 200 OK\r\n\r\nall", Time(2), out);
        layer.side_end(Side::Response, Time(3), out);
        layer.end(out);
    });
    assert_eq!(flags(&got), [[]]);
}

#[test]
fn a_request_without_an_answer_was_sent_all_the_same() {
    let got = play(&[Client(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npart")]);
    assert_eq!(lines(&got), [line("POST", "http://a/x", Some("part"), 0, None)]);
    assert_eq!(flags(&got), [[Flag::Incomplete, Flag::Unanswered]]);
}

#[test]
fn a_head_that_breaks_off_is_kept_as_far_as_it_goes() {
    let got = play(&[Client(b"GET /x HTTP/1.1\r\nHost: a\r\nCookie: half of i")]);
    assert_eq!(lines(&got), [line("GET", "http://a/x", None, 0, None)]);
    assert_eq!(got.records[0].request.as_ref().unwrap().headers[1].1, b"half of i");
    assert_eq!(flags(&got), [[Flag::Incomplete, Flag::Unanswered]]);
}

#[test]
fn contradicting_lengths_are_flagged_and_chunks_win() {
    let got = play(&[
        Client(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
        Client(b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let bodies: Vec<_> = lines(&got).into_iter().map(|line| line.2.unwrap()).collect();
    assert_eq!(bodies, ["hi", "abc"]);
    assert_eq!(flags(&got), [[Flag::ConflictingLengths], [Flag::ConflictingLengths]]);
}

#[test]
fn a_length_too_large_to_hold_ends_with_the_connection() {
    let got = play(&[
        Client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807999\r\n\r\nabc"),
    ]);
    assert_eq!(lines(&got)[0].4.as_deref(), Some("abc"));
    assert_eq!(flags(&got), [[Flag::Incomplete]]);
}

#[test]
fn a_body_is_never_joined_over_a_gap() {
    let got = play(&[
        Client(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n1380"),
        Gap(Side::Request, 4),
        Client(b"0427GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let expected = [
        line("POST", "http://a/1", Some("0427"), 0, None),
        line("POST", "http://a/1", Some("1380"), 200, Some("")),
        line("GET", "http://a/2", None, 404, Some("")),
    ];
    assert_eq!(lines(&got), expected);
    assert_eq!(ids(&got), ["tcp:0/http:0/piece:1", "tcp:0/http:0", "tcp:0/http:1"]);
    assert_eq!(flags(&got), [&[Flag::Incomplete][..], &[Flag::Incomplete], &[]]);
}

#[test]
fn a_gap_within_a_chunk_is_counted() {
    let got = play(&[
        Client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n012"),
        Gap(Side::Response, 7),
        Server(b"\r\n3\r\nabc\r\n0\r\n\r\n"),
    ]);
    let bodies: Vec<_> = lines(&got).into_iter().map(|line| line.4.unwrap()).collect();
    assert_eq!(bodies, ["abc", "012"]);
}

#[test]
fn after_a_gap_the_next_message_is_found() {
    let got = play(&[
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\nCoo"),
        Gap(Side::Request, 100),
        Client(b"e of a lost head\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"),
    ]);
    let requests: Vec<_> = lines(&got).into_iter().map(|line| (line.1, line.2)).collect();
    let stray = (String::new(), Some("e of a lost head\r\n\r\n".into()));
    assert_eq!(requests, [stray, ("http://a/1".into(), None), ("http://a/3".into(), None)]);
    assert_eq!(got.damages.len(), 1);
    assert_eq!(got.records[0].protocol, Protocol::Tcp);
}

#[test]
fn an_answer_behind_a_gap_belongs_to_the_request_after_it() {
    let got = play(&[
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Gap(Side::Response, 500),
        Client(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(lines(&got), [line("GET", "http://a/1", None, 0, None), line("GET", "http://a/2", None, 202, Some(""))]);
    assert_eq!(flags(&got), [&[Flag::Incomplete, Flag::Unanswered][..], &[]]);
}

#[test]
fn an_answer_captured_before_its_request_belongs_to_it() {
    let got = play(&[
        Server(b"HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"),
        Client(b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"),
        Client(b"PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n2"),
        Server(b"HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let paired: Vec<_> = lines(&got).into_iter().map(|line| (line.1, line.3)).collect();
    assert_eq!(paired, [("http://a/1".into(), 201), ("http://a/2".into(), 202)]);
}

#[test]
fn the_first_answer_of_an_adopted_stream_has_no_request() {
    let mut adopted = conn();
    adopted.mid_stream = true;
    let turns = [
        Server(b"rest of a body\r\nHTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"),
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"),
    ];
    let got = converse(&mut Http1::new(adopted), 7, &turns);
    let paired: Vec<_> = lines(&got).into_iter().map(|line| (line.1, line.3)).collect();
    assert_eq!(paired, [(String::new(), 0), (String::new(), 201), ("http://a/1".into(), 202)]);
    assert_eq!(got.records[0].flags, [Flag::Incomplete, Flag::MidStream]);
}

#[test]
fn answers_that_are_no_http_are_kept_as_they_are() {
    let got = play(&[Client(b"GET / HTTP/1.0\r\n\r\n"), Server(b"ICY 200 OK\r\nicy-name: x\r\n\r\nmusic")]);
    assert_eq!(lines(&got)[0].4.as_deref(), Some("ICY 200 OK\r\nicy-name: x\r\n\r\nmusic"));
    assert_eq!(got.records[1].flags, [Flag::Unanswered]);
}

#[test]
fn a_body_longer_than_its_length_does_not_hide_the_next_message() {
    let got = play(&[
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1\nmore\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let statuses: Vec<_> = lines(&got).into_iter().map(|line| line.3).collect();
    assert_eq!(statuses, [200, 0, 404]);
}

#[test]
fn a_chunked_body_without_its_end_does_not_hide_the_next_message() {
    let got = play(&[
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nHTTP/1.1 404 No\r\n"),
        Server(b"Content-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(lines(&got)[0].4.as_deref(), Some("ab"));
    assert_eq!(lines(&got)[1].3, 404);
    assert_eq!(got.damages.len(), 1);
}

#[test]
fn other_methods_and_forms_of_target() {
    let got = play(&[
        Client(b"\r\n\r\nM-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n"),
        Client(b"propfind http://b.example/c HTTP/1.1\nHost: a\n\n"),
    ]);
    let requests: Vec<_> = lines(&got).into_iter().map(|line| (line.0, line.1)).collect();
    assert_eq!(requests, [("M-SEARCH".into(), "http://a".into()), ("propfind".into(), "http://b.example/c".into())]);
    assert_eq!(got.records[1].server.name.as_ref().unwrap().0, "b.example");
}

#[test]
fn a_head_over_the_limit_is_cut_and_said() {
    let limits = Limits { head: 64, ..Limits::default() };
    let request =
        [&b"GET / HTTP/1.1\r\nHost: a\r\nCookie: "[..], &[b'x'; 100], b"\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"].concat();
    let got = collect(limits, |out| {
        let mut layer = Http1::new(conn());
        request.chunks(10).for_each(|piece| layer.data(Side::Request, piece, Time(1), out));
        layer.end(out);
    });
    let urls: Vec<_> = lines(&got).into_iter().map(|line| line.1).collect();
    assert_eq!(urls, ["", "http://a/", "http://192.0.2.1/2"]);
    assert_eq!(got.damages.len(), 1);
    assert!(!got.damages[0].reason.contains("xx"));
}

#[test]
fn too_many_waiting_requests_are_emitted_and_their_answers_not_misplaced() {
    let limits = Limits { open_exchanges: 2, ..Limits::default() };
    let got = collect(limits, |out| {
        let mut layer = Http1::new(conn());
        for number in 1..=3 {
            layer.data(Side::Request, format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), Time(1), out);
        }
        for number in 1..=3 {
            layer.data(
                Side::Response,
                format!("HTTP/1.1 20{number} OK\r\nContent-Length: 0\r\n\r\n").as_bytes(),
                Time(2),
                out,
            );
        }
        layer.end(out);
    });
    let paired: Vec<_> = lines(&got).into_iter().map(|line| (line.1, line.3)).collect();
    let expected = [("http://a/1", 0), ("", 201), ("http://a/2", 202), ("http://a/3", 203)];
    assert_eq!(paired, expected.map(|(url, status)| (url.to_owned(), status)));
}

#[test]
fn an_upgrade_to_websocket_is_followed() {
    let got = play(&[
        Client(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        Client(b"\x81\x02early"[..4].as_ref()),
        Server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n\x81\x02hi"),
    ]);
    assert_eq!(ids(&got), ["tcp:0/http:0", "tcp:0/ws:0", "tcp:0/ws:1"]);
    assert_eq!(bytes(got.records[1].request.as_ref().unwrap().body.as_ref()), b"ea");
    assert_eq!(got.records[1].request.as_ref().unwrap().url.as_deref(), Some("http://a/ws"));
    assert_eq!(got.records[1].server.name.as_ref().unwrap().0, "a");
}

#[test]
fn the_first_answer_after_an_upgrade_to_http_2_says_what_was_asked_for() {
    let got = play(&[
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
        // SETTINGS, then `:status: 200` on stream 1.
        Server(b"HTTP/1.1 101 Go\r\nUpgrade: h2c\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x88"),
        Client(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    ]);
    assert_eq!(ids(&got), ["tcp:0/http:0", "tcp:0/h2:1"]);
    assert!(got.records[1].request.is_none(), "it was sent once");
    assert_eq!(got.records[1].response.as_ref().unwrap().url.as_deref(), Some("http://a/1"));
}

#[test]
fn an_upgrade_that_is_refused_changes_nothing() {
    let got = play(&[
        Client(b"GET /1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"),
        Client(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let paired: Vec<_> = lines(&got).into_iter().map(|line| (line.1, line.3)).collect();
    assert_eq!(paired, [("http://a/1".into(), 200), ("http://a/2".into(), 404)]);
}

#[test]
fn many_requests_for_tunnels_at_once_are_survived() {
    let requests = b"CONNECT a:1 HTTP/1.1\r\n\r\n".repeat(4000);
    let got = play(&[Client(&requests), Server(&b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n".repeat(4000))]);
    assert_eq!(got.records.iter().filter(|record| record.request.is_some()).count(), 4000);
}

fn any_turns() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let piece = prop_oneof![
        Just(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        Just(b"POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello".to_vec()),
        Just(b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".to_vec()),
        Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n".to_vec()),
        Just(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n\r\n\x81\x03abc".to_vec()),
        Just(b"GET /w HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec()),
        Just(b"junk \r\n\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..30),
    ];
    proptest::collection::vec((0u8..12, piece), 0..8)
}

fn turns(script: &[(u8, Vec<u8>)]) -> Vec<Turn<'_>> {
    let turn = |(kind, bytes): &'_ (u8, Vec<u8>)| match kind {
        0..5 => (Side::Request, true, bytes.len()),
        5..10 => (Side::Response, true, bytes.len()),
        10 => (Side::Request, false, bytes.len()),
        _ => (Side::Response, false, bytes.len()),
    };
    script
        .iter()
        .map(|entry| match turn(entry) {
            (Side::Request, true, _) => Client(&entry.1),
            (Side::Response, true, _) => Server(&entry.1),
            (side, false, length) => Gap(side, length as u64 + 1),
        })
        .collect()
}

/// Everything about the records but their times, which follow the pieces.
fn shape(got: &Got) -> Vec<String> {
    let message = |message: Option<&Message>| {
        message.map(|m| {
            (m.method.clone(), m.url.clone(), m.status, m.headers.clone(), m.body.as_ref().map(|b| bytes(Some(b))))
        })
    };
    let record = |r: &Record| {
        format!(
            "{} {:?} {:?} {:?} {:?}",
            r.id,
            r.protocol,
            r.flags,
            message(r.request.as_ref()),
            message(r.response.as_ref())
        )
    };
    got.records.iter().map(record).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_records(script in any_turns(), piece in 1usize..30) {
        let whole = play(&turns(&script));
        let split = converse(&mut Http1::new(conn()), piece, &turns(&script));
        prop_assert_eq!(shape(&split), shape(&whole));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        crate::fuzzing::http1(&bytes);
    }

    #[test]
    fn mutated_conversations_are_survived(script in any_turns(), at in any::<usize>(), with in any::<u8>()) {
        let mut data = Vec::new();
        for (kind, bytes) in &script {
            for piece in bytes.chunks(248) {
                data.push((piece.len().next_multiple_of(8) as u8) | (kind & 7));
                data.extend_from_slice(piece);
                data.resize(data.len().next_multiple_of(8), b' ');
            }
        }
        let length = data.len().max(1);
        if let Some(byte) = data.get_mut(at % length) {
            *byte = with;
        }
        crate::fuzzing::http1(&data);
    }
}
