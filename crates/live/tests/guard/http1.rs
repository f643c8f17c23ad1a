//! HTTP/1 through the guard.

use crate::toy::{BLANK, Toy, VALUE, decided, guarded, gzip, hear, holding, http_server, noise, serve, with};
use crate::world::{World, contents, secure};
use dyetrace_case::{DatumId, Record};
use dyetrace_live::guard::{Answer, Decision, Guard, GuardSettings, Guarding, Inspected, Mode};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

fn post(body: &str) -> String {
    format!("POST /v1/setup HTTP/1.1\r\nHost: api.test\r\nX-cAsE: kept\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn send(world: &World, server: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = world.socks(server).await;
    stream.write_all(request).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_blocked_never_arrives_and_the_next_request_does() {
    let (world, _) = guarded("block", Mode::Block).await;
    let (server, heard) = http_server().await;
    let mut stream = send(&world, server, post(&format!("{{\"password\":\"{VALUE}\"}}")).as_bytes()).await;
    let answer = hear(&mut stream, "send again\"}\n").await;
    assert!(answer.starts_with("HTTP/1.1 451 "), "{answer}");
    assert!(answer.contains("\"data\":[\"wifi.password\"],\"to\":\"127.0.0.1\""), "{answer}");
    let harmless = post("{\"password\":\"\"}");
    stream.write_all(harmless.as_bytes()).await.unwrap();
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(heard.text(), harmless, "byte for byte, and nothing else");
    let decided = decided(&world);
    assert_eq!((decided.len(), decided[0].decision, decided[0].left), (1, Decision::Blocked, 0));
    assert_eq!((decided[0].data[0].datum.0.as_str(), decided[0].data[0].part), ("wifi.password", "body"));
    world.journal.close().unwrap();
    let journal = String::from_utf8_lossy(&contents(&world.journal_path)).into_owned();
    assert!(
        journal
            .contains("guard mode=block decision=blocked message=http:0 data=wifi.password@body host=127.0.0.1 left=0")
    );
    assert_eq!(journal.matches(VALUE).count(), 1, "what the client sent, and no remark");
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_tls_as_well() {
    let (world, _) = guarded("tls", Mode::Block).await;
    let acceptor = world.acceptor("api.example.test", &["http/1.1"]);
    let (listener, server) = crate::toy::listener().await;
    let heard = crate::toy::Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        serve(acceptor.accept(socket).await.unwrap(), log).await;
    });
    let mut config = world.trusting();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tunnel = world.tunnel(&server.to_string()).await.unwrap();
    let mut stream = secure(config, "api.example.test", tunnel).await.unwrap();
    stream.write_all(post("harmless").as_bytes()).await.unwrap();
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    stream.write_all(post(VALUE).as_bytes()).await.unwrap();
    let answer = hear(&mut stream, "again\"}\n").await;
    assert!(answer.contains(" 451 ") && answer.contains("\"to\":\"api.example.test\""), "{answer}");
    assert_eq!(heard.text(), post("harmless"));
    assert_eq!(decided(&world)[0].host, "api.example.test");
}

#[tokio::test(flavor = "multi_thread")]
async fn redacted_requests_arrive_with_as_many_bytes_and_without_the_value() {
    let (world, _) = guarded("redact", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let request = format!(
        "POST /a?p={VALUE} HTTP/1.1\r\nHost: api.test\r\nCookie: v={VALUE}\r\nContent-Length: 14\r\n\r\n>{VALUE}<"
    );
    let mut stream = send(&world, server, request.as_bytes()).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(heard.text(), request.replace(VALUE, BLANK));
    let decided = decided(&world);
    assert_eq!(decided[0].decision, Decision::Redacted);
    assert_eq!(decided[0].data.iter().map(|noticed| noticed.part).collect::<Vec<_>>(), ["body", "header", "url"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coded_body_is_redacted_in_the_clear_with_its_own_length() {
    let (world, _) = guarded("gzip", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let coded = gzip(format!("some words, {VALUE}, and others").as_bytes());
    let opening = |length| {
        format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\nA: b\r\n\r\n")
    };
    let mut stream = send(&world, server, &[opening(coded.len()).as_bytes(), &coded].concat()).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    let expected = format!("some words, {BLANK}, and others");
    let plain = opening(expected.len()).replace("Content-Encoding: gzip\r\n", "");
    assert_eq!(heard.text(), plain + &expected);
    let harmless = gzip(b"nothing of that kind");
    let harmless = [opening(harmless.len()).as_bytes(), &harmless].concat();
    let before = heard.bytes().len();
    stream.write_all(&harmless).await.unwrap();
    hear(&mut stream, "ok").await;
    assert!(heard.bytes()[before..] == harmless, "as it was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_looked_at_together_and_trailers_too() {
    let (world, _) = guarded("chunked", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let (one, two) = VALUE.split_at(5);
    let opening = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = send(&world, server, format!("{opening}5;x=y\r\n{one}\r\n").as_bytes()).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    stream.write_all(format!("7\r\n{two}\r\n0\r\nX-Sum: {VALUE}\r\n\r\n").as_bytes()).await.unwrap();
    heard.wait(opening.len() + 40).await;
    assert_eq!(heard.text(), format!("{opening}c\r\n{BLANK}\r\n0\r\nX-Sum: {BLANK}\r\n\r\n"));
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn notify_changes_nothing_and_says_so() {
    let (world, _) = guarded("notify", Mode::Notify).await;
    let (server, heard) = http_server().await;
    let request = post(VALUE);
    let mut stream = send(&world, server, request.as_bytes()).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(heard.text(), request);
    assert_eq!(decided(&world)[0].decision, Decision::Told);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_passes_until_it_is_not_any_more() {
    let (world, guarding) = guarded("allow", Mode::Block).await;
    let (server, heard) = http_server().await;
    let datum = DatumId("wifi.password".to_owned());
    guarding.allow(datum.clone(), "127.0.0.1");
    let mut stream = send(&world, server, post(VALUE).as_bytes()).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert!(guarding.disallow(&datum, "127.0.0.1"));
    stream.write_all(post(VALUE).as_bytes()).await.unwrap();
    assert!(hear(&mut stream, "again\"}\n").await.starts_with("HTTP/1.1 451 "));
    assert_eq!(heard.text(), post(VALUE), "once");
    let decided: Vec<_> = decided(&world).iter().map(|guarded| guarded.decision).collect();
    assert_eq!(decided, [Decision::Allowed, Decision::Blocked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_no_answer_blocks() {
    let (asks, mut asked) = tokio::sync::mpsc::channel(4);
    let patience = std::time::Duration::from_millis(300);
    let settings = GuardSettings { mode: Mode::Hold, patience, ..GuardSettings::default() };
    let (world, guarding) = with("hold", Guarding::new(Arc::new(Toy), settings).asking(asks)).await;
    let (server, heard) = http_server().await;
    let mut stream = send(&world, server, post(VALUE).as_bytes()).await;
    let question = asked.recv().await.unwrap();
    assert_eq!((question.host.as_str(), question.what[0].kind.as_str()), ("127.0.0.1", "wifi.password"));
    assert_eq!(heard.text(), "", "nothing leaves while it is asked");
    let unanswered = question.answer;
    assert!(hear(&mut stream, "again\"}\n").await.starts_with("HTTP/1.1 451 "));
    drop(unanswered);
    stream.write_all(post(VALUE).as_bytes()).await.unwrap();
    asked.recv().await.unwrap().answer.send(Answer::Redact).unwrap();
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(heard.text(), post(BLANK));
    stream.write_all(post(VALUE).as_bytes()).await.unwrap();
    asked.recv().await.unwrap().answer.send(Answer::Always).unwrap();
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(guarding.allowed().len(), 1);
    stream.write_all(post(VALUE).as_bytes()).await.unwrap();
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "), "and is not asked again");
    assert_eq!(heard.text(), [post(BLANK), post(VALUE), post(VALUE)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_passes_as_it_is_or_ends_before_the_value() {
    let (world, guarding) = holding("long", Mode::Block, 1000).await;
    let (server, heard) = http_server().await;
    let harmless = post(&"0123456789".repeat(30_000));
    let mut stream = send(&world, server, harmless.as_bytes()).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert!(heard.text() == harmless);
    let body = format!("{}{VALUE}{}", ".".repeat(200_000), ".".repeat(100_000));
    let mut stream = send(&world, server, post(&body).as_bytes()).await;
    let answer = hear(&mut stream, "again\"}\n").await;
    assert!(answer.starts_with("HTTP/1.1 451 ") && answer.contains("Connection: close"), "{answer}");
    assert!(!heard.text()[harmless.len()..].contains(&VALUE[..3]));
    let blocked = decided(&world).pop().unwrap();
    let arrived = (heard.bytes().len() - harmless.len()) as u64;
    assert_eq!((blocked.decision, blocked.left), (Decision::Blocked, arrived));
    assert!((100_000..200_000).contains(&arrived), "{arrived}");
    guarding.set_mode(Mode::Redact);
    let before = heard.bytes().len();
    let mut stream = send(&world, server, post(&body).as_bytes()).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert!(heard.text()[before..] == post(&body).replace(VALUE, BLANK));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_coded_body_is_read_as_it_passes() {
    let (world, _) = holding("long-coded", Mode::Block, 1000).await;
    let (server, heard) = http_server().await;
    let noise = noise(60_000);
    let opening = |length| format!("PUT / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
    let coded = gzip(noise.as_bytes());
    let harmless = [opening(coded.len()).as_bytes(), &coded].concat();
    let mut stream = send(&world, server, &harmless).await;
    assert!(hear(&mut stream, "ok").await.starts_with("HTTP/1.1 200 "));
    assert!(heard.bytes() == harmless);
    let coded = gzip(format!("{noise}{VALUE}{noise}").as_bytes());
    let mut stream = send(&world, server, &[opening(coded.len()).as_bytes(), &coded].concat()).await;
    assert!(hear(&mut stream, "again\"}\n").await.starts_with("HTTP/1.1 451 "));
    let left = heard.bytes().len() - harmless.len();
    assert!(left > 10_000 && left < coded.len() / 2 + 1000, "{left} of {}", coded.len());
    assert_eq!(decided(&world).pop().unwrap().decision, Decision::Blocked);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_two_servers_could_read_differently_go_nowhere() {
    let (world, _) = guarded("smuggled", Mode::Notify).await;
    let (server, heard) = http_server().await;
    for fields in ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 6"] {
        let request = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n");
        let mut stream = send(&world, server, request.as_bytes()).await;
        let answer = hear(&mut stream, "never").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert_eq!(decided(&world)[0].decision, Decision::Refused);
    }
    let endless = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(70_000));
    let mut stream = send(&world, server, endless.as_bytes()).await;
    assert!(hear(&mut stream, "never").await.starts_with("HTTP/1.1 400 "));
    assert_eq!(heard.text(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_stand_in_the_order_of_requests_whatever_they_look_like() {
    let (world, _) = guarded("order", Mode::Block).await;
    let (server, heard) = http_server().await;
    let opening = "HEAD /a HTTP/1.1\r\n\r\n";
    let hints = "GET /hints HTTP/1.1\r\n\r\n";
    let pipelined = format!("{opening}{hints}{}{}", post(VALUE), post("harmless"));
    let mut stream = send(&world, server, pipelined.as_bytes()).await;
    let answers = hear(&mut stream, "\r\n\r\nok").await;
    let words: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| answer.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["200", "103", "200", "451", "200"], "{answers}");
    assert_eq!(heard.text(), format!("{opening}{hints}{}", post("harmless")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_leave_gets_it_and_is_looked_at() {
    let (world, _) = guarded("expect", Mode::Block).await;
    let (server, heard) = http_server().await;
    let opening = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n";
    let mut stream = send(&world, server, opening.as_bytes()).await;
    assert_eq!(hear(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(VALUE.as_bytes()).await.unwrap();
    assert!(hear(&mut stream, "again\"}\n").await.starts_with("HTTP/1.1 451 "));
    assert_eq!(heard.text(), "");
}

/// A guard whose search never comes to its end.
struct Tired;

impl Guard for Tired {
    fn inspect(&self, _: &Record) -> Inspected {
        Inspected { found: Vec::new(), is_incomplete: true }
    }

    fn shown(&self, _: &str) -> String {
        "****.test".to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_was_not_finished_is_told_and_can_be_blocked() {
    let (server, heard) = http_server().await;
    for blocks_unreadable in [true, false] {
        let settings = GuardSettings { mode: Mode::Block, blocks_unreadable, ..GuardSettings::default() };
        let (world, _) = with("tired", Guarding::new(Arc::new(Tired), settings)).await;
        let mut stream = send(&world, server, post("anything").as_bytes()).await;
        let answer = hear(&mut stream, if blocks_unreadable { "again\"}\n" } else { "ok" }).await;
        assert_eq!(answer.contains("\"to\":\"****.test\""), blocks_unreadable, "{answer}");
        assert_eq!(heard.bytes().is_empty(), blocks_unreadable);
        let expected = if blocks_unreadable { Decision::Blocked } else { Decision::Unreadable };
        let decided = decided(&world).pop().unwrap();
        assert_eq!((decided.decision, decided.why), (expected, Some("the search was not finished")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coded_body_that_breaks_off_is_looked_at_as_far_as_it_goes() {
    let (world, _) = guarded("broken-gzip", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let coded = gzip(VALUE.as_bytes());
    let coded = &coded[..coded.len() - 8];
    let opening = format!("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", coded.len());
    let mut stream = send(&world, server, &[opening.as_bytes(), coded].concat()).await;
    assert!(hear(&mut stream, "again\"}\n").await.starts_with("HTTP/1.1 451 "));
    assert_eq!(heard.text(), "");
}
