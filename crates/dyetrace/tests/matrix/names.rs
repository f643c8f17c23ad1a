//! A device whose names, and attempts at QUIC, a firewall sends to the recording, by the rules that
//! `live doctor --firewall` prints.

use crate::cells::CELLS;
use crate::common::{dyetrace, stdout};
use crate::place;
use crate::recording::Recording;
use crate::servers::Certificates;
use crate::{audited, shown_live};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Whom the phone asks, and who really answers.
const ASKED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53)), 53);
const RESOLVER: &str = "10.9.2.2";

/// Where nobody is, and the packet with which a client of QUIC asks there for `example.com` (RFC 9001 appendix A.2).
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 44)), 443);
const GREETING: &[u8] = include_bytes!("../../../live/src/front/client_initial.bin");

/// A question for the HTTPS record of `api.example.test` (RFC 9460).
const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x07example\x04test\0\0\x41\0\x01";
const OFFERS: &[u8] = b"\0\x01\0\0\x01\0\x06\x02h3\x02h2\0\x05\0\x04KEYS";
const KEPT: &[u8] = b"\0\x01\0\0\x01\0\x03\x02h2";

/// The answer with such data, its name written out.
fn answer(data: &[u8]) -> Vec<u8> {
    let name = &QUESTION[12..QUESTION.len() - 4];
    let mut message = [&QUESTION[..2], b"\x81\x80\0\x01\0\x01\0\0\0\0", &QUESTION[12..], name].concat();
    message.extend(b"\0\x41\0\x01\0\0\x01\x2c");
    message.extend((data.len() as u16).to_be_bytes());
    message.extend(data);
    message
}

/// On the gateway of two namespaces.
pub(crate) fn play() {
    let (phone, servers) = place::behind_a_gateway("", false);
    place::command("nft", &["delete", "table", "inet", "t"]);
    let authority = Certificates::new(RESOLVER.parse().unwrap()).authority_pem;
    let arguments = [
        "--lan",
        "phone0",
        "--listen",
        "10.9.1.1:0",
        "--redirected",
        "10.9.1.1:9001",
        "--names",
        "10.9.1.1:9053",
        "--dns",
        RESOLVER,
        "--client",
        "10.9.1.2",
    ];
    let recording = Recording::start("names", &arguments, &authority);
    let rules = dyetrace(&["live", "doctor", recording.case(), "--firewall", "phone0"]);
    let script = stdout(&rules);
    let (set_up, undo) = script.split_once("# Undo:").unwrap();
    shell(set_up);
    servers.serve(|| async {
        let socket = UdpSocket::bind((RESOLVER, 53)).await.unwrap();
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                let asked = &question[..length];
                let answer = if asked == QUESTION { answer(OFFERS) } else { no_such_name(asked) };
                socket.send_to(&answer, from).await.unwrap();
            }
        });
    });
    assert_eq!(phone.run(|| ask(ASKED, QUESTION.to_vec())), answer(KEPT));
    let with_value = question_with(&CELLS[0].value());
    assert_eq!(
        phone.run({
            let question = with_value.clone();
            move || ask(ASKED, question)
        }),
        no_such_name(&with_value)
    );
    let refusal = phone.run(|| ask(NOWHERE, GREETING.to_vec()));
    // Version 0: what the client speaks is not spoken here (RFC 9000 section 17.2.1). It names the client's identifier.
    assert_eq!((&refusal[1..7], &refusal[7..15]), (&[0, 0, 0, 0, 0, 8][..], &GREETING[6..14]));
    let advice = stdout(&dyetrace(&["live", "doctor", recording.case(), "--wait", "1"]));
    assert!(advice.contains("QUIC was refused (1 datagrams)"), "{advice}");
    shell(undo);
    let remarks = recording.remarks();
    assert!(remarks.contains("dyetrace:dns asked of 10.9.2.2:53"), "{remarks}");
    assert!(remarks.contains("dyetrace:dns taken out of the answer: 1 h3, 1 ech"), "{remarks}");
    assert!(remarks.contains("dyetrace:datagram refused: QUIC to example.com"), "{remarks}");
    let seen = recording.end();
    assert_eq!(seen.report["opaque"], serde_json::json!([]), "what was refused is not what left unread");
    let (shown, audited) = (shown_live(&seen), audited(&seen));
    assert!(!audited.is_empty(), "a value in a name is seen");
    assert_eq!(shown, audited);
}

/// A question for a name that holds a value.
fn question_with(value: &str) -> Vec<u8> {
    [&QUESTION[..12], &[value.len() as u8], value.as_bytes(), &QUESTION[16..]].concat()
}

fn no_such_name(question: &[u8]) -> Vec<u8> {
    [&question[..2], b"\x81\x83", &question[4..]].concat()
}

/// Asks, and takes an answer from nobody else.
async fn ask(whom: SocketAddr, question: Vec<u8>) -> Vec<u8> {
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    socket.connect(whom).await.unwrap();
    socket.send(&question).await.unwrap();
    let mut got = vec![0; 512];
    let length = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut got)).await.unwrap().unwrap();
    got.truncate(length);
    got
}

fn shell(script: &str) {
    let mut child = Command::new("sh").arg("-e").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{script}");
}
