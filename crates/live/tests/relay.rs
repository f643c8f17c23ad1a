//! What clients and servers see of each other through the relay, and what the watcher is told.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic, and says what it is by its name")]

mod world;

use dyetrace_case::Side;
use dyetrace_live::watch::{UnreadReason, What};
use rustls::CipherSuite;
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use world::{World, contents, said, secure};

async fn say<S: AsyncReadExt + AsyncWriteExt + Unpin>(stream: &mut S, text: &[u8]) -> Vec<u8> {
    stream.write_all(text).await.unwrap();
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_opened_and_the_client_gets_the_protocol_that_the_server_chose() {
    let world = World::new("opened").await;
    let server = world.tls_echo("api.example.test", &["h2", "x-own"]).await;
    let mut config = world.trusting();
    config.alpn_protocols = vec![b"x-own".to_vec(), b"http/1.1".to_vec()];
    let tunnel = world.tunnel(&server.to_string()).await.unwrap();
    let mut stream = secure(config, "api.example.test", tunnel).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"x-own"[..]));
    assert_eq!(say(&mut stream, b"hello").await, b"hello");
    stream.shutdown().await.unwrap();
    drop(stream);
    let told = world.told();
    let secured =
        told.iter().find_map(|event| if let What::Secured(secured) = &event.what { Some(secured) } else { None });
    let secured = secured.unwrap();
    assert_eq!((secured.name.as_deref(), secured.version), (Some("api.example.test"), "TLS 1.3"));
    assert_eq!((said(&told, Side::Request), said(&told, Side::Response)), (b"hello".to_vec(), b"hello".to_vec()));
    assert!(told.iter().any(|event| matches!(event.what, What::Closed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_costs_no_long_hash_and_no_ticket_and_chacha_stays_where_the_client_wants_it() {
    let world = World::new("suite").await;
    let server = world.tls_echo("api.example.test", &[]).await;
    let (short, long) = (CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS13_AES_256_GCM_SHA384);
    let chacha = CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;
    for (preferred, agreed) in [(long, short), (chacha, chacha), (short, short)] {
        let tunnel = world.tunnel(&server.to_string()).await.unwrap();
        let mut stream = secure(world.preferring(preferred), "api.example.test", tunnel).await.unwrap();
        assert_eq!(say(&mut stream, b"hello").await, b"hello");
        let session = stream.get_ref().1;
        assert_eq!(session.negotiated_cipher_suite().unwrap().suite(), agreed);
        assert_eq!(session.tls13_tickets_received(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_name_is_known_by_its_address() {
    let world = World::new("address").await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            // It speaks first, as mail servers do.
            socket.write_all(b"220 ready\r\n").await.unwrap();
            let mut line = [0; 6];
            socket.read_exact(&mut line).await.unwrap();
            socket.write_all(b"bye\r\n").await.unwrap();
        }
    });
    let mut stream = world.socks(server).await;
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 ready\r\n");
    stream.write_all(b"QUIT\r\n").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye\r\n");
    let told = world.told();
    assert_eq!(said(&told, Side::Response), b"220 ready\r\nbye\r\n");
    assert_eq!(said(&told, Side::Request), b"QUIT\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pins_is_a_finding_and_is_relayed_unread_from_then_on() {
    let world = World::new("pinned").await;
    let server = world.tls_echo("pinned.example.test", &[]).await;
    let tunnel = world.tunnel(&server.to_string()).await.unwrap();
    secure(world.pinning(), "pinned.example.test", tunnel).await.unwrap_err();
    let told = world.told();
    let unread = |told: &[dyetrace_live::Event]| {
        told.iter().find_map(|event| if let What::Unread(unread) = &event.what { Some(unread.clone()) } else { None })
    };
    let refused = unread(&told).unwrap();
    assert_eq!((refused.reason, refused.name.as_deref()), (UnreadReason::ClientRefused, Some("pinned.example.test")));
    assert!(refused.detail.contains("UnknownCA") || refused.detail.contains("alert"), "{}", refused.detail);
    let tunnel = world.tunnel(&server.to_string()).await.unwrap();
    let mut stream = secure(world.pinning(), "pinned.example.test", tunnel).await.unwrap();
    assert_eq!(say(&mut stream, b"still works").await, b"still works");
    let told = world.told();
    assert_eq!(unread(&told).unwrap().reason, UnreadReason::RefusedBefore);
    assert_eq!(said(&told, Side::Request), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_nobody_here_trusts_is_left_to_the_client() {
    let world = World::new("untrusted").await;
    let other = World::new("untrusted-other").await;
    let server = other.tls_echo("private.example.test", &[]).await;
    let tunnel = world.tunnel(&server.to_string()).await.unwrap();
    let mut stream = secure(other.pinning(), "private.example.test", tunnel).await.unwrap();
    assert_eq!(say(&mut stream, b"end to end").await, b"end to end");
    let told = world.told();
    let reason =
        told.iter().find_map(|event| if let What::Unread(unread) = &event.what { Some(unread.reason) } else { None });
    assert_eq!(reason, Some(UnreadReason::ServerNotTrusted));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_a_finding_and_stands_in_the_journal() {
    let world = World::new("unreachable").await;
    // Nobody listens where a listener has gone.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(world.tunnel(&gone.to_string()).await.unwrap_err().starts_with("HTTP/1.1 50"));
    let told = world.told();
    let [dyetrace_live::Event { connection: 0, what: What::Unread(unread), .. }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((unread.reason, unread.name.as_deref()), (UnreadReason::Unreachable, Some("127.0.0.1")));
    world.journal.close().unwrap();
    let journal = String::from_utf8_lossy(&std::fs::read(&world.journal_path).unwrap()).into_owned();
    assert!(journal.contains(&format!("dyetrace:flow=0 target={gone}")));
    assert!(journal.contains("dyetrace:flow=0 unread name=127.0.0.1 reason=the server was not reached "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_is_no_way_into_this_machine_and_not_into_itself() {
    let world = World::with("policy", |policy| policy.also.clear()).await;
    let answer = world.tunnel("127.0.0.1:22").await.unwrap_err();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let answer = world.tunnel("localhost:22").await.unwrap_err();
    assert!(answer.starts_with("HTTP/1.1 403 "), "a name is no way around: {answer}");
    let answer = world.tunnel(&world.proxy.to_string()).await.unwrap_err();
    assert!(answer.starts_with("HTTP/1.1 508 "), "{answer}");
    let answer = world.tunnel("169.254.169.254:80").await.unwrap_err();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_holds_every_byte_and_the_keys() {
    let world = World::new("journal").await;
    let server = world.tls_echo("api.example.test", &[]).await;
    let mut clear = world.socks(server).await;
    clear.write_all(b"GET / not TLS at all").await.unwrap();
    clear.shutdown().await.unwrap();
    let tunnel = world.tunnel(&server.to_string()).await.unwrap();
    let mut stream = secure(world.trusting(), "api.example.test", tunnel).await.unwrap();
    let long = vec![b'x'; 100_000];
    let (mut from, mut to) = tokio::io::split(&mut stream);
    let send = async { to.write_all(&long).await.unwrap() };
    let mut back = vec![0; long.len()];
    let get = async { from.read_exact(&mut back).await.unwrap() };
    tokio::join!(send, get);
    assert!(back == long);
    world.journal.close().unwrap();
    let file = contents(&world.journal_path);
    let holds = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
    assert!(holds(b"GET / not TLS at all") && holds(b"CLIENT_TRAFFIC_SECRET_0 ") && holds(b"dyetrace:flow=1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_on_a_connection_does_not_reach_the_first_server() {
    let world = World::new("second").await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = listener.local_addr().unwrap();
    let arrived = tokio::spawn(async move {
        // It keeps the connection open though it was asked not to.
        let (mut socket, _) = listener.accept().await.unwrap();
        let (mut all, mut answered) = (Vec::new(), false);
        while socket.read_buf(&mut all).await.is_ok_and(|read| read > 0) {
            if !answered && all.ends_with(b"body") {
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                answered = true;
            }
        }
        all
    });
    let mut client = tokio::net::TcpStream::connect(world.proxy).await.unwrap();
    let first = format!("POST http://{server}/a HTTP/1.1\r\nHost: {server}\r\nContent-Length: 4\r\n\r\nbody");
    client.write_all(first.as_bytes()).await.unwrap();
    let mut answer = [0; 40];
    client.read_exact(&mut answer).await.unwrap();
    client.write_all(b"GET http://other.example.test/secret HTTP/1.1\r\n\r\n").await.unwrap();
    let arrived = String::from_utf8(arrived.await.unwrap()).unwrap();
    assert!(arrived.ends_with("\r\n\r\nbody"), "{arrived}");
}
