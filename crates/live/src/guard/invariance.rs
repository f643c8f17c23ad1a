//! However the network cuts what a client sends: the same is found and the same arrives.

use super::decide::Warden;
use super::{Found, Guard, GuardSettings, Guarded, Guarding, Inspected, Mode, engine};
use crate::idle::Idle;
use crate::journal::Journal;
use crate::watch::{Watch, What};
use dyetrace_case::{Channel, DatumId, PartContent, Range, Record};
use proptest::prelude::*;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const VALUE: &[u8] = b"Qm7xTr2pWqLz";

struct Toy;

impl Guard for Toy {
    fn inspect(&self, record: &Record) -> Inspected {
        let mut all = Vec::new();
        for part in record.parts() {
            let bytes = match part.content {
                PartContent::Bytes(bytes) => bytes,
                PartContent::Blob(blob) => blob.as_slice().unwrap(),
            };
            for (at, _) in bytes.windows(VALUE.len()).enumerate().filter(|(_, window)| *window == VALUE) {
                let range = Range::new(at as u64, (at + VALUE.len()) as u64);
                let (datum, kind) = (DatumId("phone".to_owned()), "phone".parse().unwrap());
                all.push(Found { datum, kind, part: part.name.clone(), range, exact: true, is_sighting: true });
            }
        }
        all.into()
    }

    fn longest(&self) -> usize {
        40
    }
}

/// What arrives of bytes that are sent in pieces of these lengths, and what was decided. Time stands still, so that
/// nobody is taken to pause.
fn passed(sent: &[u8], cuts: &[usize], mode: Mode, hold_limit: usize) -> (Vec<u8>, Vec<Guarded>) {
    passed_with(sent, cuts, Duration::ZERO, mode, hold_limit)
}

/// The same with a pause behind each piece.
fn passed_with(sent: &[u8], cuts: &[usize], pause: Duration, mode: Mode, hold_limit: usize) -> (Vec<u8>, Vec<Guarded>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let name = format!("dyetrace-guard-{}-{:?}.pcapng", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let journal = Journal::create(&path, "test").unwrap();
    let (watch, ends) = (Watch::default(), ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap()));
    let recorder = Arc::new(journal.connection(ends.0, ends.1, "test"));
    let guarding =
        Arc::new(Guarding::new(Arc::new(Toy), GuardSettings { mode, hold_limit, ..GuardSettings::default() }));
    let warden = Warden::new(guarding, (watch.clone(), recorder), ends, ("a.test", Channel::clear()));
    let arrived = runtime.block_on(async {
        let (mut client, proxy_client) = tokio::io::duplex(1 << 20);
        let (proxy_server, mut server) = tokio::io::duplex(1 << 20);
        let sending = async {
            let (mut rest, mut cuts) = (sent, cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, others) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
                rest = others;
                if client.write_all(piece).await.is_err() {
                    return;
                }
                if pause.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(pause).await;
                }
            }
            let _ = client.shutdown().await;
            let _ = client.read_to_end(&mut Vec::new()).await;
        };
        let hearing = async {
            let mut heard = Vec::new();
            let mut first = [0; 1];
            if server.read_exact(&mut first).await.is_ok() {
                heard.push(first[0]);
                let _ = server.write_all(b"HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n").await;
                let _ = server.read_to_end(&mut heard).await;
            }
            drop(server);
            heard
        };
        let guarding = engine::guard(warden, proxy_client, proxy_server, None, Idle::new(Duration::from_mins(1)));
        tokio::join!(async { drop(guarding.await) }, sending, hearing).2
    });
    watch.close();
    let mut events = Vec::new();
    watch.take(&mut events, Duration::ZERO);
    journal.close().unwrap();
    std::fs::remove_file(&path).unwrap();
    let decided = |what| if let What::Guarded(guarded) = what { Some(guarded) } else { None };
    (arrived, events.into_iter().filter_map(|event| decided(event.what)).collect())
}

/// Bytes with the value at these places.
fn with_values(length: usize, places: &[usize]) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|at| b'a' + (at % 23) as u8).collect();
    for place in places.iter().filter(|_| length > VALUE.len()) {
        let at = place % (length - VALUE.len());
        bytes[at..at + VALUE.len()].copy_from_slice(VALUE);
    }
    bytes
}

fn length_and_body(body: &[u8]) -> Vec<u8> {
    [format!("POST /a HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body]
        .concat()
}

fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    [&b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"[..], &chunked(body, size)].concat()
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

/// A content coding's name, and the body in it.
fn coded(body: &[u8], coding: i32) -> (&'static str, Vec<u8>) {
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    let mut out = Vec::new();
    let (name, read) = match coding {
        0 => ("gzip", GzEncoder::new(body, Compression::fast()).read_to_end(&mut out)),
        1 => ("deflate", ZlibEncoder::new(body, Compression::fast()).read_to_end(&mut out)),
        2 => ("deflate", DeflateEncoder::new(body, Compression::fast()).read_to_end(&mut out)),
        _ => ("identity", std::io::Read::read_to_end(&mut &*body, &mut out)),
    };
    read.unwrap();
    (name, out)
}

fn messages(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = b"GET /a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec();
    for (index, chunk) in body.chunks(size).enumerate() {
        let (is_final, opcode) = (index % 3 == 2 || (index + 1) * size >= body.len(), u8::from(index % 3 == 0));
        let mask = Some([index as u8, 7, 9, 200]);
        let head = super::frame::FrameHead { is_final, is_deflated: false, opcode, mask, length: chunk.len() as u64 };
        out.extend(head.with(chunk));
    }
    out
}

fn packets(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04dev1".to_vec();
    for chunk in body.chunks(size.min(120)) {
        out.extend([&[0x30, chunk.len() as u8], chunk].concat());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_split_finds_the_same_and_lets_the_same_pass(
        length in 0usize..200_000,
        places in proptest::collection::vec(any::<usize>(), 0..3),
        cuts in proptest::collection::vec(1usize..40_000, 1..12),
        size in 1usize..30_000,
        protocol in 0..5,
        (blocks, holds) in (any::<bool>(), any::<bool>()),
    ) {
        let body = with_values(length, &places);
        let sent = match protocol {
            0 => length_and_body(&body),
            1 => chunks(&body, size.max(50)),
            2 => messages(&body, size.max(50)),
            3 => packets(&body[..length.min(20_000)], size),
            _ => [b"\x01\x02", body.as_slice()].concat(),
        };
        let mode = if blocks { Mode::Block } else { Mode::Redact };
        let hold_limit = if holds { 1 << 20 } else { 3000 };
        let whole = passed(&sent, &[usize::MAX], mode, hold_limit);
        let split = passed(&sent, &cuts, mode, hold_limit);
        prop_assert!(whole.1 == split.1, "{:?} {:?}", whole.1, split.1);
        prop_assert!(whole.0 == split.0, "{} {}", whole.0.len(), split.0.len());
        let begins = |window: &[u8]| window == VALUE;
        prop_assert!(!whole.0.windows(VALUE.len()).any(begins), "the value arrived");
        if places.is_empty() && protocol != 1 {
            // Chunks become others; everything else passes as it was sent where it is held.
            prop_assert!(whole.0 == sent || protocol == 2 && !holds);
        }
    }

    #[test]
    fn no_pause_hides_a_value_in_coded_bytes(
        length in 20usize..3000,
        place in any::<usize>(),
        coding in 0..4,
        size in 1usize..700,
        cuts in proptest::collection::vec(1usize..200, 1..5),
    ) {
        let (name, coded) = coded(&with_values(length, &[place]), coding);
        let head = format!("POST /a HTTP/1.1\r\nContent-Encoding: {name}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let sent = [head.as_bytes(), &chunked(&coded, size)].concat();
        let (arrived, decided) = passed_with(&sent, &cuts, Duration::from_secs(3), Mode::Notify, 1 << 20);
        prop_assert!(arrived.ends_with(b"\r\n0\r\n\r\n"));
        prop_assert!(decided.iter().any(|guarded| guarded.data.len() == 1), "{:?}", decided);
        let is_broken = |why: &str| why.contains("coding");
        prop_assert!(!decided.iter().any(|guarded| guarded.why.is_some_and(is_broken)), "{:?}", decided);
    }
}
