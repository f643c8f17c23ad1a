//! A phone that sends everything through the tunnel, and what becomes of it.

#![cfg(feature = "wireguard")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic, and says what it is by its name")]

mod phone;
#[path = "../world/mod.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod world;

use dyetrace_case::Side;
use dyetrace_live::front::wireguard::{self, CLIENT_V4, Code, Keys, OWN_V4};
use dyetrace_live::watch::What;
use phone::Phone;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use world::{World, contents, said, secure};

/// A tunnel to that world, whose names are asked of `resolver`.
async fn phone(world: &World, resolver: SocketAddr) -> Phone {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let keys = Keys::new().unwrap();
    let phone = Phone::new(address, &keys).await;
    let relay = Arc::clone(&world.relay);
    tokio::spawn(async move { wireguard::serve(socket, &keys, resolver, relay).await });
    phone
}

fn nowhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 9).into()
}

/// An IPv4 packet with a UDP datagram; UDP may go without a checksum (RFC 768).
fn datagram(port: u16, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let SocketAddr::V4(to) = to else { panic!("IPv4") };
    let length = (payload.len() + 28) as u16;
    let mut packet = vec![0x45, 0, (length >> 8) as u8, length as u8, 0, 0, 0, 0, 64, 17, 0, 0];
    packet.extend([CLIENT_V4.octets(), to.ip().octets()].concat());
    packet.extend([port.to_be_bytes(), to.port().to_be_bytes(), (length - 20).to_be_bytes(), [0; 2]].concat());
    packet.extend(payload);
    packet
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_through_the_tunnel_is_opened_and_recorded() {
    let world = World::new("wg-tls").await;
    let server = world.tls_echo("api.example.test", &[]).await;
    let phone = phone(&world, nowhere()).await;
    let mut stream = secure(world.trusting(), "api.example.test", phone.connect(server)).await.unwrap();
    let request = b"POST /v1/login HTTP/1.1\r\nHost: api.example.test\r\nContent-Length: 6\r\n\r\nsecret";
    stream.write_all(request).await.unwrap();
    let mut answer = vec![0; request.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, request);
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let told = world.told();
    assert_eq!((said(&told, Side::Request), said(&told, Side::Response)), (request.to_vec(), request.to_vec()));
    world.journal.close().unwrap();
    assert!(holds(&contents(&world.journal_path), &CLIENT_V4.octets()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bytes_pass_both_ways_at_once() {
    let world = World::new("wg-bytes").await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = socket.into_split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    let phone = phone(&world, nowhere()).await;
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (mut from, mut to) = tokio::io::split(phone.connect(server));
    let watch = world.watch.clone();
    // Somebody has to listen: who does not slows the phone down.
    let listening = std::thread::spawn(move || {
        let (mut some, mut ended) = (Vec::new(), false);
        while !ended {
            watch.take(&mut some, Duration::from_millis(20));
            ended = some.drain(..).any(|event| matches!(event.what, What::Closed));
        }
    });
    let mut back = Vec::new();
    let up = async {
        to.write_all(&bytes).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let down = async { from.read_to_end(&mut back).await.unwrap() };
    tokio::time::timeout(Duration::from_mins(2), async { tokio::join!(up, down) }).await.unwrap();
    assert!(back == bytes, "{} of {} bytes came back", back.len(), bytes.len());
    listening.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_or_may_not_be_reached_is_refused() {
    let world = World::new("wg-refused").await;
    let phone = phone(&world, nowhere()).await;
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    for target in [unused, world.proxy, "169.254.169.254:80".parse().unwrap(), (OWN_V4, 22).into()] {
        let mut nothing = Vec::new();
        let mut stream = phone.connect(target);
        let refused = stream.read_to_end(&mut nothing);
        let refused = tokio::time::timeout(Duration::from_secs(10), refused).await;
        assert_eq!(refused.unwrap().unwrap(), 0, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_to_trust_is_at_the_end_of_the_tunnel() {
    let world = World::new("wg-welcome").await;
    let phone = phone(&world, nowhere()).await;
    let mut stream = phone.connect((OWN_V4, 80).into());
    stream.write_all(b"GET /ca.crt HTTP/1.1\r\nHost: 10.213.7.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(&world.ours));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_answered_without_http_3_and_encrypted_hello() {
    let world = World::new("wg-dns").await;
    let resolver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = resolver.local_addr().unwrap();
    let question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x41\x00\x01";
    tokio::spawn(async move {
        let mut asked = [0; 512];
        let (length, from) = resolver.recv_from(&mut asked).await.unwrap();
        let mut answer = asked[..length].to_vec();
        (answer[2], answer[7]) = (0x81, 1);
        // Priority 1, the same name; alpn=h3,h2; ech.
        answer.extend(b"\xc0\x0c\x00\x41\x00\x01\x00\x00\x00\x3c\x00\x15\x00\x01\x00");
        answer.extend(b"\x00\x01\x00\x06\x02h3\x02h2\x00\x05\x00\x04SEAL");
        resolver.send_to(&answer, from).await.unwrap();
    });
    let phone = phone(&world, address).await;
    let answer = phone.ask(datagram(5000, (OWN_V4, 53).into(), question)).await;
    assert!(answer.ends_with(b"\x00\x01\x00\x00\x01\x00\x03\x02h2"), "{answer:02x?}");
    assert_eq!(&answer[12..16], &OWN_V4.octets(), "it comes from where it was asked");
    world.journal.close().unwrap();
    let file = contents(&world.journal_path);
    assert!(holds(&file, question) && holds(&file, b"taken out of the answer: 1 h3, 1 ech"));
}

#[tokio::test(flavor = "multi_thread")]
async fn quic_is_refused_and_other_datagrams_are_relayed_and_recorded() {
    let world = World::new("wg-udp").await;
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut asked = [0; 512];
        while let Ok((length, from)) = server.recv_from(&mut asked).await {
            server.send_to(&asked[..length], from).await.unwrap();
        }
    });
    let phone = phone(&world, nowhere()).await;
    assert!(phone.ask(datagram(5001, address, b"what time is it")).await.ends_with(b"what time is it"));
    for refused in [(Ipv4Addr::LOCALHOST, 443), (Ipv4Addr::new(224, 0, 0, 251), 5353), (OWN_V4, 1900)] {
        let answer = phone.ask(datagram(5002, refused.into(), b"a first packet")).await;
        assert_eq!((answer[9], &answer[20..22]), (1, &[3, 3][..]), "port unreachable (RFC 792)");
    }
    world.journal.close().unwrap();
    let file = contents(&world.journal_path);
    assert!(holds(&file, b"what time is it") && holds(&file, b"refused: QUIC"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_the_key_gets_no_answer() {
    let world = World::new("wg-stranger").await;
    let server = world.tls_echo("api.example.test", &[]).await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let relay = Arc::clone(&world.relay);
    tokio::spawn(async move { wireguard::serve(socket, &Keys::new().unwrap(), nowhere(), relay).await });
    let stranger = Phone::new(address, &Keys::new().unwrap()).await;
    let mut stream = stranger.connect(server);
    let answer = tokio::time::timeout(Duration::from_secs(2), stream.read_u8()).await;
    assert!(answer.is_err(), "the connection is neither opened nor refused");
    assert!(world.told().is_empty());
}

#[test]
fn keys_are_kept_and_the_phone_scans_them() {
    let folder = std::env::temp_dir().join(format!("dyetrace-live-{}-wg-keys", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let endpoint = "192.0.2.7:51820".parse().unwrap();
    let config = |keys: &Keys| String::from_utf8(keys.client_config(endpoint).reveal().to_vec()).unwrap();
    let (made, kept) = (Keys::in_folder(&folder).unwrap(), Keys::in_folder(&folder).unwrap());
    assert_eq!(config(&made), config(&kept));
    assert!(config(&made).contains("Endpoint = 192.0.2.7:51820\n"));
    let code = Code::new(&made.client_config(endpoint)).unwrap();
    let picture = code.png().unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    let (lines, first) = (code.lines(), code.lines().lines().next().unwrap().chars().count());
    assert!(lines.lines().all(|line| line.chars().count() == first), "a code is a rectangle");
    assert_eq!(lines.lines().count(), first.div_ceil(2), "and a square, two modules in each character's height");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let rights = std::fs::metadata(folder.join("wireguard.keys")).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
