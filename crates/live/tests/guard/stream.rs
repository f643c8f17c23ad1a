//! Streams of other protocols through the guard.

use crate::toy::{BLANK, Heard, Toy, VALUE, decided, guarded, gzip, hear, listener, with};
use dyetrace_live::guard::{Decision, GuardSettings, Guarding, Mode};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that speaks first, where it has something to say, and then answers every piece with a full stop.
async fn server(greeting: &'static [u8]) -> (SocketAddr, Heard) {
    let (listener, address) = listener().await;
    let heard = Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                socket.write_all(greeting).await.unwrap();
                let mut piece = vec![0; 10_000];
                while let Ok(length @ 1..) = socket.read(&mut piece).await {
                    log.add(&piece[..length]);
                    let _ = socket.write_all(b".").await;
                }
            });
        }
    });
    (address, heard)
}

const CONNECT: &[u8] = b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04dev1";

fn publish(payload: &str) -> Vec<u8> {
    [&[0x30, (payload.len() + 3) as u8, 0, 1, b't'], payload.as_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_of_mqtt_is_cut_off_or_changed_and_the_ones_before_it_arrived() {
    let (world, guarding) = guarded("mqtt", Mode::Redact).await;
    let (address, heard) = server(b"").await;
    let mut stream = world.socks(address).await;
    stream.write_all(CONNECT).await.unwrap();
    assert_eq!(hear(&mut stream, ".").await, ".", "a packet goes on when it is whole");
    stream.write_all(&publish(VALUE)).await.unwrap();
    let before = [CONNECT, &publish(BLANK)].concat();
    assert!(heard.wait(before.len()).await == before);
    guarding.set_mode(Mode::Block);
    let packet = publish(VALUE);
    stream.write_all(&packet[..9]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(&packet[9..]).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(heard.bytes() == before, "no byte of the packet left");
    let decided: Vec<_> = decided(&world).iter().map(|guarded| guarded.decision).collect();
    assert_eq!(decided, [Decision::Redacted, Decision::Blocked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_first_is_heard_and_its_client_guarded() {
    let (world, _) = guarded("first", Mode::Block).await;
    let (address, heard) = server(b"220 ready\r\n").await;
    let mut stream = world.socks(address).await;
    assert_eq!(hear(&mut stream, "ready\r\n").await, "220 ready\r\n");
    stream.write_all(b"EHLO a.test\r\n").await.unwrap();
    assert_eq!(hear(&mut stream, ".").await, ".", "what a pause follows goes on");
    stream.write_all(format!("AUTH {VALUE}\r\n").as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(heard.text(), "EHLO a.test\r\n");
    let blocked = decided(&world).pop().unwrap();
    assert_eq!((blocked.decision, blocked.left), (Decision::Blocked, 13));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_value_that_is_sent_in_two_goes_a_prefix_leaves_and_that_is_said() {
    let (world, _) = guarded("prefix", Mode::Redact).await;
    let (address, heard) = server(b"hello").await;
    let mut stream = world.socks(address).await;
    hear(&mut stream, "hello").await;
    stream.write_all(&VALUE.as_bytes()[..4]).await.unwrap();
    assert_eq!(hear(&mut stream, ".").await, ".");
    stream.write_all(&VALUE.as_bytes()[4..]).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(heard.text(), VALUE[..4]);
    let blocked = decided(&world).pop().unwrap();
    assert_eq!((blocked.decision, blocked.left), (Decision::Blocked, 4), "it cannot be overwritten any more");
}

fn unread_is_blocked() -> Guarding {
    let settings = GuardSettings { mode: Mode::Block, blocks_unreadable: true, ..GuardSettings::default() };
    Guarding::new(Arc::new(Toy), settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_begins_within_a_stream_is_told_and_can_be_blocked() {
    let (address, heard) = server(b"220 ready\r\n").await;
    let (world, guarding) = with("starttls", unread_is_blocked()).await;
    for decision in [Decision::Blocked, Decision::Unreadable] {
        let mut stream = world.socks(address).await;
        stream.write_all(b"STARTTLS\r\n").await.unwrap();
        hear(&mut stream, ".").await;
        stream.write_all(b"\x16\x03\x01\x00\x05hello").await.unwrap();
        hear(&mut stream, if decision == Decision::Blocked { "never" } else { "." }).await;
        let decided = decided(&world).pop().unwrap();
        assert_eq!((decided.decision, decided.left), (decision, 10));
        guarding.allow_unread("127.0.0.1");
    }
    heard.wait(30).await;
    assert_eq!(heard.text(), "STARTTLS\r\nSTARTTLS\r\n\x16\x03\x01\x00\x05hello");
    assert!(guarding.unread().contains("127.0.0.1") && guarding.disallow_unread("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_an_upgrade_is_told() {
    let (world, _) = guarded("upgrade", Mode::Block).await;
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_buf(&mut Vec::with_capacity(1000)).await.unwrap();
        socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n").await.unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let mut stream = world.socks(address).await;
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").await.unwrap();
    assert!(hear(&mut stream, "\r\n\r\n").await.contains("h2c"));
    stream.write_all(VALUE.as_bytes()).await.unwrap();
    hear(&mut stream, "never").await;
    let decided: Vec<_> = decided(&world).iter().map(|guarded| guarded.decision).collect();
    assert_eq!(decided, [Decision::Unreadable, Decision::Blocked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_behind_a_greeting_an_empty_line_or_a_rare_method_is_a_request() {
    let body = gzip(VALUE.as_bytes());
    for (greeting, begin) in [(&b"hello"[..], "POST"), (b"", "\r\nPOST"), (b"\0", "QUERY"), (b"", "MERGE")] {
        let (world, _) = guarded("hidden", Mode::Block).await;
        let (address, heard) = server(greeting).await;
        let mut stream = world.socks(address).await;
        let greeting = std::str::from_utf8(greeting).unwrap();
        assert_eq!(hear(&mut stream, greeting).await, greeting);
        let opening = format!("{begin} / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[opening.as_bytes(), &body].concat()).await.unwrap();
        assert!(hear(&mut stream, "again\"}\n").await.contains(" 451 "), "{begin}");
        assert!(heard.bytes().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_for_which_there_is_no_room_are_not_held() {
    let settings = GuardSettings { mode: Mode::Block, held_in_all: 20, ..GuardSettings::default() };
    let (world, _) = with("mqtt-room", Guarding::new(Arc::new(Toy), settings)).await;
    let (address, heard) = server(b"").await;
    let mut stream = world.socks(address).await;
    stream.write_all(CONNECT).await.unwrap();
    hear(&mut stream, ".").await;
    let packet = publish(&"x".repeat(90));
    stream.write_all(&packet[..50]).await.unwrap();
    assert_eq!(heard.wait(CONNECT.len() + 50).await.len(), CONNECT.len() + 50);
    stream.write_all(VALUE.as_bytes()).await.unwrap();
    hear(&mut stream, "never").await;
    assert_eq!(heard.bytes().len(), CONNECT.len() + 50, "and it is still looked at");
}
