//! Streams of other protocols through the guard.

use crate::toy::{BLANK, Heard, VALUE, decided, guarded, hear, listener};
use dyetrace_live::guard::{Decision, Mode};
use std::net::SocketAddr;
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
