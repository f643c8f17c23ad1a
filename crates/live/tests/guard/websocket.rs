//! WebSocket through the guard.

use crate::toy::{BLANK, Heard, VALUE, decided, guarded, hear, holding, http_server, noise};
use crate::world::World;
use dyetrace_live::guard::{Decision, Mode};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MASK: [u8; 4] = [0x9d, 0x01, 0x7e, 0x44];

fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match content.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..0x1_0000 => out.extend([&[0xfe][..], &(length as u16).to_be_bytes()].concat()),
        length => out.extend([&[0xff][..], &(length as u64).to_be_bytes()].concat()),
    }
    out.extend_from_slice(&MASK);
    out.extend(content.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// Messages in frames: whether deflated, and the content.
fn messages(mut bytes: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let mut all: Vec<(bool, Vec<u8>)> = Vec::new();
    let mut goes_on = false;
    while let [first, second, rest @ ..] = bytes {
        let (length, wide) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes(rest[..2].try_into().unwrap())), 2),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, 8),
            length => (usize::from(length), 0),
        };
        let (mask, content) = (&rest[wide..wide + 4], &rest[wide + 4..wide + 4 + length]);
        let content: Vec<u8> = content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        match all.last_mut().filter(|_| goes_on) {
            Some((_, message)) => message.extend(content),
            None => all.push((first & 0x40 != 0, content)),
        }
        goes_on = first & 0x80 == 0;
        bytes = &rest[wide + 4 + length..];
    }
    all
}

async fn open(world: &World, server: SocketAddr, extension: &str, heard: &Heard) -> (TcpStream, usize) {
    let mut stream = world.socks(server).await;
    let request = format!("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{extension}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(hear(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 101 "));
    (stream, heard.bytes().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn masked_messages_pass_as_they_are_or_changed_or_not_at_all() {
    let (world, guarding) = guarded("ws", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let (mut stream, from) = open(&world, server, "", &heard).await;
    // A message in two frames with a ping between them.
    let sent = [frame(0x01, b"hel"), frame(0x89, b"ping"), frame(0x80, b"lo"), frame(0x81, b"more")].concat();
    stream.write_all(&sent).await.unwrap();
    let arrived = heard.wait(from + sent.len()).await;
    let in_order = [frame(0x89, b"ping"), frame(0x01, b"hel"), frame(0x80, b"lo"), frame(0x81, b"more")].concat();
    assert!(arrived[from..] == in_order);
    let (one, two) = VALUE.as_bytes().split_at(6);
    stream.write_all(&[frame(0x01, one), frame(0x80, two)].concat()).await.unwrap();
    let from = arrived.len();
    let arrived = heard.wait(from + 18).await;
    assert_eq!(messages(&arrived[from..]), [(false, BLANK.as_bytes().to_vec())]);
    guarding.set_mode(Mode::Block);
    stream.write_all(&frame(0x81, VALUE.as_bytes())).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(heard.bytes() == arrived, "no byte of the message left");
    // RFC 6455 section 7.4.1.
    assert_eq!(rest, [&[0x88, 27][..], &1008u16.to_be_bytes(), b"blocked by dyetrace guard"].concat());
    let decided: Vec<_> = decided(&world).iter().map(|guarded| guarded.decision).collect();
    assert_eq!(decided, [Decision::Redacted, Decision::Blocked]);
}

struct Deflater(Compress);

impl Deflater {
    fn message(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1000);
        self.0.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        out
    }
}

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn deflated_messages_share_a_window_and_the_server_can_still_read_after_one_was_changed() {
    let (world, _) = guarded("ws-deflate", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let (mut stream, from) = open(&world, server, DEFLATE, &heard).await;
    let mut deflater = Deflater(Compress::new(Compression::best(), false));
    let texts = ["a text that comes again", "a text that comes again", VALUE, "a text that comes again", "the end"];
    for text in texts {
        stream.write_all(&frame(0xc1, &deflater.message(text.as_bytes()))).await.unwrap();
    }
    stream.write_all(&frame(0x88, b"")).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = hear(&mut stream, "never").await;
    let mut window = Decompress::new(false);
    let arrived: Vec<String> = messages(&heard.bytes()[from..])
        .into_iter()
        .map(|(is_deflated, content)| {
            if !is_deflated {
                return String::from_utf8(content).unwrap();
            }
            let mut out = Vec::with_capacity(1000);
            let content = [&content, &[0, 0, 0xff, 0xff][..]].concat();
            window.decompress_vec(&content, &mut out, FlushDecompress::Sync).unwrap();
            String::from_utf8(out).unwrap()
        })
        .collect();
    let expected =
        ["a text that comes again", "a text that comes again", BLANK, "a text that comes again", "the end", ""];
    assert_eq!(arrived, expected);
    assert_eq!(decided(&world)[0].decision, Decision::Redacted);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_messages_pass_in_windows() {
    let (world, guarding) = holding("ws-long", Mode::Redact, 1000).await;
    let (server, heard) = http_server().await;
    let (mut stream, from) = open(&world, server, DEFLATE, &heard).await;
    let noise = noise(30_000);
    let mut deflater = Deflater(Compress::new(Compression::fast(), false));
    let plain = format!("{noise}{VALUE}{noise}");
    let long = deflater.message(noise.as_bytes());
    let short = deflater.message(b"short");
    stream.write_all(&frame(0x81, plain.as_bytes())).await.unwrap();
    stream.write_all(&[frame(0xc1, &long), frame(0xc1, &short)].concat()).await.unwrap();
    let arrived = heard.wait(from + plain.len() + long.len() + short.len() + 30).await;
    let arrived = messages(&arrived[from..]);
    assert!(arrived[0] == (false, plain.replace(VALUE, BLANK).into_bytes()));
    assert!(arrived[1] == (true, long) && arrived[2] == (true, short));
    guarding.set_mode(Mode::Block);
    let before = heard.bytes().len();
    stream.write_all(&frame(0xc1, &deflater.message(plain.as_bytes()))).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    let blocked = decided(&world).pop().unwrap();
    assert_eq!(blocked.decision, Decision::Blocked);
    // Four bytes are held back, which may be those that the end of a deflated message has.
    let left = heard.wait(before + blocked.left as usize - 4).await.len() - before;
    assert!(blocked.left <= left as u64 + 4 && left < plain.len() / 2, "{left} {}", blocked.left);
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_frames_without_end_are_not_held() {
    let (world, _) = holding("ws-empty", Mode::Block, 1000).await;
    let (server, heard) = http_server().await;
    let (mut stream, from) = open(&world, server, "", &heard).await;
    stream.write_all(&[frame(0x01, b""), frame(0x00, b"").repeat(2000), frame(0x80, b"end")].concat()).await.unwrap();
    let arrived = heard.wait(from + 9).await;
    assert!(messages(&arrived[from..])[0].1.starts_with(b"end"), "in frames of our own");
    assert!(arrived.len() - from < 100, "{}", arrived.len() - from);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_only_looks_deflated_is_not_overwritten() {
    let (world, _) = guarded("ws-lie", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let (mut stream, from) = open(&world, server, "", &heard).await;
    stream.write_all(&frame(0xc1, VALUE.as_bytes())).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(heard.bytes().len(), from);
    let decided: Vec<_> = decided(&world).iter().map(|guarded| guarded.decision).collect();
    assert_eq!(decided, [Decision::Unreadable, Decision::Blocked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_behind_a_changed_message_is_told() {
    let (world, _) = guarded("ws-cut", Mode::Redact).await;
    let (server, heard) = http_server().await;
    let (mut stream, _) = open(&world, server, DEFLATE, &heard).await;
    let mut deflater = Deflater(Compress::new(Compression::best(), false));
    stream.write_all(&frame(0xc1, &deflater.message(VALUE.as_bytes()))).await.unwrap();
    stream.write_all(&frame(0xc1, b"\xff\xff")).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    let decided = decided(&world);
    assert_eq!(decided.last().unwrap().decision, Decision::Blocked);
    assert!(decided.last().unwrap().why.is_some());
}
