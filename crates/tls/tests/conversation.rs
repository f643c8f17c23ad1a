//! What is read from a connection when all goes well, and when it does not.

#![allow(clippy::unwrap_used, reason = "test code, though outside of test functions")]

mod common;
#[path = "common/writer.rs"]
#[allow(unreachable_pub, reason = "a module of this test only")]
mod writer;

use common::{Heard, Stream, hear};
use dyetrace_tls::{Connection, Decryptor, Event, Reason, Side};
use proptest::prelude::*;
use writer::{ALL, Sealer, client_hello, conversation, key_log, message, plain, server_flight, server_hello};

const REQUESTS: [&[u8]; 3] = [b"GET /one", b"GET /two", b"GET /three"];
const ANSWERS: [&[u8]; 3] = [b"one!", b"two!", b"three!"];

fn with_log(labels: &[&str]) -> Decryptor {
    let mut decryptor = Decryptor::default();
    decryptor.secrets.load(key_log(labels).as_bytes());
    decryptor
}

fn usual() -> Stream {
    conversation(&REQUESTS, &ANSWERS)
}

/// All bytes of one side.
fn of(stream: &Stream, side: Side) -> Vec<u8> {
    stream.iter().filter(|(from, _)| *from == side).flat_map(|(_, bytes)| bytes.clone()).collect()
}

#[test]
fn everything_is_read_with_all_secrets() {
    let mut decryptor = with_log(&ALL);
    let heard = hear(&usual(), &mut decryptor);
    assert_eq!(heard.text(Side::Client), "GET /oneGET /twoGET /three");
    assert_eq!(heard.text(Side::Server), "one!two!three!");
    assert_eq!((heard.sni.as_deref(), heard.alpn.as_deref()), (Some("example.test"), Some(&b"h2"[..])));
    assert_eq!((heard.version, heard.suite.as_deref()), (Some("TLS 1.3"), Some("TLS_AES_128_GCM_SHA256")));
    assert_eq!((heard.keyed, heard.closed), (true, [true, true]));
    assert!(heard.unreadable.is_empty(), "{heard:?}");
    assert_eq!(decryptor.matched(), 1);
}

#[test]
fn the_server_may_be_seen_first() {
    let stream = usual();
    let swapped = vec![(Side::Server, of(&stream, Side::Server)), (Side::Client, of(&stream, Side::Client))];
    assert_eq!(hear(&swapped, &mut with_log(&ALL)), hear(&stream, &mut with_log(&ALL)));
}

#[test]
fn one_direction_alone_is_read() {
    let client = vec![(Side::Client, of(&usual(), Side::Client))];
    let heard = hear(&client, &mut with_log(&ALL));
    assert_eq!(heard.text(Side::Client), "GET /oneGET /twoGET /three");
    assert!(heard.unreadable.is_empty(), "{heard:?}");
}

#[test]
fn without_keys_every_record_is_counted_once() {
    let stream = usual();
    let heard = hear(&stream, &mut Decryptor::default());
    let (client, server) = (of(&stream, Side::Client), of(&stream, Side::Server));
    let clear = client_hello(false).len() + plain(20, &[1]).len();
    assert_eq!(heard.unreadable[&(0, Reason::NoKey)], (client.len() - clear) as u64);
    let clear = server_hello([0; 32]).len() + plain(20, &[1]).len();
    assert_eq!(heard.unreadable[&(1, Reason::NoKey)], (server.len() - clear) as u64);
    assert_eq!((heard.data, heard.keyed), (Default::default(), false));
}

#[test]
fn one_sides_secrets_open_one_side() {
    let heard = hear(&usual(), &mut with_log(&["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"]));
    assert_eq!(heard.text(Side::Client), "GET /oneGET /twoGET /three");
    assert_eq!(heard.text(Side::Server), "");
    assert!(heard.unreadable.keys().all(|(side, reason)| (*side, *reason) == (1, Reason::SecretMissing)));
}

#[test]
fn application_secrets_alone_suffice() {
    let heard = hear(&usual(), &mut with_log(&["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]));
    assert_eq!(heard.text(Side::Client), "GET /oneGET /twoGET /three");
    assert!(heard.unreadable.is_empty(), "the handshake holds no data: {heard:?}");
}

#[test]
fn a_wrong_secret_gives_no_data() {
    let log = key_log(&ALL).replace("4343", "9999").replace("4444", "9999");
    let mut decryptor = Decryptor::default();
    decryptor.secrets.load(log.as_bytes());
    let heard = hear(&usual(), &mut decryptor);
    assert_eq!(heard.data, <[Vec<u8>; 2]>::default());
    assert_eq!(heard.reasons(), [Reason::WrongKey, Reason::WrongKey]);
}

#[test]
fn two_secrets_for_one_connection_are_both_tried() {
    let mut decryptor = Decryptor::default();
    decryptor.secrets.load(key_log(&ALL).replace("4343", "9999").as_bytes());
    decryptor.secrets.load(key_log(&ALL).as_bytes());
    assert_eq!(hear(&usual(), &mut decryptor).text(Side::Client), "GET /oneGET /twoGET /three");
}

/// ClientHello with early data, HelloRetryRequest, second ClientHello, handshake, one request.
fn refused_early_data(retry: bool) -> Stream {
    let early = Sealer::new("CLIENT_EARLY_TRAFFIC_SECRET").seal(23, b"GET /early", 0);
    let finished = Sealer::new("CLIENT_HANDSHAKE_TRAFFIC_SECRET").seal(22, &message(20, &[7; 32]), 0);
    let mut stream = vec![(Side::Client, client_hello(true)), (Side::Client, early)];
    if retry {
        let random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
        let random: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&random[2 * at..2 * at + 2], 16).unwrap()).collect();
        stream.push((Side::Server, server_hello(random.try_into().unwrap())));
        stream.push((Side::Client, [plain(20, &[1]), client_hello(false)].concat()));
    }
    stream.push((Side::Server, server_hello([0x22; 32])));
    stream.push((Side::Server, server_flight(&mut Sealer::new("SERVER_HANDSHAKE_TRAFFIC_SECRET"))));
    stream.push((Side::Client, finished));
    stream.push((Side::Client, Sealer::new("CLIENT_TRAFFIC_SECRET_0").seal(23, b"GET /again", 0)));
    stream
}

#[test]
fn refused_early_data_is_read_and_what_follows_too() {
    for retry in [false, true] {
        let heard = hear(&refused_early_data(retry), &mut with_log(&ALL));
        assert_eq!(heard.text(Side::Client), "GET /earlyGET /again", "retry {retry} {heard:?}");
        assert_eq!(heard.early, b"GET /early");
        assert!(heard.unreadable.is_empty(), "{heard:?}");
    }
}

#[test]
fn refused_early_data_without_its_secret_is_counted() {
    for retry in [false, true] {
        let heard = hear(&refused_early_data(retry), &mut with_log(&ALL[1..]));
        assert_eq!(heard.text(Side::Client), "GET /again", "retry {retry} {heard:?}");
        assert_eq!(heard.reasons(), [Reason::EarlySecretMissing]);
    }
}

/// The conversation with bytes of the server's direction missing.
fn with_gap(requests: &[&[u8]], answers: &[&[u8]], lost: std::ops::Range<usize>) -> (Heard, u64) {
    let stream = conversation(requests, answers);
    let (client, server) = (of(&stream, Side::Client), of(&stream, Side::Server));
    let mut heard = Heard::default();
    let mut decryptor = with_log(&ALL);
    let mut connection = Connection::new();
    let mut on = |event: Event<'_>| heard.take(event);
    connection.feed(Side::Client, &client, &mut decryptor, &mut on);
    connection.feed(Side::Server, &server[..lost.start], &mut decryptor, &mut on);
    connection.gap(Side::Server, lost.len() as u64, &mut decryptor, &mut on);
    connection.feed(Side::Server, &server[lost.end..], &mut decryptor, &mut on);
    connection.end(&mut decryptor, &mut on);
    (heard, server.len() as u64)
}

#[test]
fn after_a_gap_reading_goes_on() {
    let answers: Vec<Vec<u8>> = (0..40_u8).map(|number| vec![number; 100]).collect();
    let answers: Vec<&[u8]> = answers.iter().map(Vec::as_slice).collect();
    let requests = vec![&b"GET"[..]; 40];
    let (whole, length) = with_gap(&requests, &answers, 0..0);
    let length = length as usize;
    // From the middle of a record, over several, to the middle of another.
    for lost in [length - 3000..length - 2990, length - 3000..length - 2000, length - 3000..length - 1000] {
        let (heard, _) = with_gap(&requests, &answers, lost.clone());
        let (got, all) = (&heard.data[1], &whole.data[1]);
        assert!(all.ends_with(&got[got.len() - 500..]), "{lost:?} {heard:?}");
        assert!(got.len() + lost.len() + 400 > all.len(), "{lost:?}: {} of {}", got.len(), all.len());
        assert_eq!(heard.data[0], whole.data[0]);
    }
}

#[test]
fn a_gap_in_the_servers_hello_leaves_the_client_readable() {
    let (heard, _) = with_gap(&REQUESTS, &ANSWERS, 3..60);
    assert_eq!(heard.text(Side::Client), "GET /oneGET /twoGET /three");
}

#[test]
fn a_lost_answer_is_told_before_the_next_question() {
    let stream = conversation(&[b"GET /one", b"GET /two"], &[&[7; 500], b"two!"]);
    let cut = stream.iter().rposition(|(side, bytes)| *side == Side::Server && bytes.len() > 500).unwrap();
    let (mut decryptor, mut connection, mut order) = (with_log(&ALL), Connection::new(), Vec::new());
    for (at, (side, bytes)) in stream.iter().enumerate() {
        let mut on = |event: Event<'_>| match event {
            Event::Unreadable { bytes, .. } => order.push(format!("{bytes} bytes lost")),
            Event::Data { bytes, .. } => order.push(String::from_utf8_lossy(&bytes[..bytes.len().min(8)]).into_owned()),
            _ => {}
        };
        if at == cut {
            // The record's end comes behind the gap and cannot be read.
            connection.feed(*side, &bytes[..100], &mut decryptor, &mut on);
            connection.gap(*side, 300, &mut decryptor, &mut on);
            connection.feed(*side, &bytes[400..], &mut decryptor, &mut on);
        } else {
            connection.feed(*side, bytes, &mut decryptor, &mut on);
        }
    }
    let rest = format!("{} bytes lost", stream[cut].1.len() - 400);
    assert_eq!(order, ["GET /one", "100 bytes lost", &rest, "GET /two", "two!"]);
}

#[test]
fn what_is_no_tls_is_counted() {
    let heard = hear(&vec![(Side::Client, b"GET / HTTP/1.1\r\n\r\n".to_vec())], &mut Decryptor::default());
    assert_eq!(heard.unreadable[&(0, Reason::NotTls)], 18);
}

#[test]
fn a_capture_that_starts_in_the_middle() {
    let record = Sealer::new("SERVER_TRAFFIC_SECRET_0").seal(23, b"late", 0);
    let heard = hear(&vec![(Side::Server, record.clone())], &mut with_log(&ALL));
    assert_eq!(heard.unreadable[&(1, Reason::NoHandshake)], record.len() as u64);
}

#[test]
fn a_capture_that_ends_in_a_record() {
    let record = Sealer::new("SERVER_TRAFFIC_SECRET_0").seal(23, b"cut", 0);
    let heard =
        hear(&vec![(Side::Client, client_hello(false)), (Side::Server, record[..12].to_vec())], &mut with_log(&ALL));
    assert_eq!(heard.unreadable[&(1, Reason::Truncated)], 12);
}

/// Cuts each message of a stream at the given fractions.
fn cut(stream: &Stream, cuts: &[prop::sample::Index]) -> Stream {
    let mut out = Stream::new();
    let mut cuts = cuts.iter().cycle();
    for (side, bytes) in stream {
        let at = cuts.next().map_or(0, |cut| cut.index(bytes.len() + 1));
        out.push((*side, bytes[..at].to_vec()));
        out.push((*side, bytes[at..].to_vec()));
    }
    out
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
        let whole = hear(&usual(), &mut with_log(&ALL));
        prop_assert_eq!(hear(&cut(&usual(), &cuts), &mut with_log(&ALL)), whole);
    }

    #[test]
    fn single_bytes_and_any_order_of_sides_give_the_same(order in prop::collection::vec(any::<bool>(), 0..3000)) {
        let stream = usual();
        let mut halves = [of(&stream, Side::Client).into_iter(), of(&stream, Side::Server).into_iter()];
        let mut fed = Stream::new();
        for first in order {
            let side = if first { Side::Client } else { Side::Server };
            fed.extend(halves[side as usize].next().map(|byte| (side, vec![byte])));
        }
        fed.extend([Side::Server, Side::Client].map(|side| (side, halves[side as usize].clone().collect())));
        prop_assert_eq!(hear(&fed, &mut with_log(&ALL)), hear(&stream, &mut with_log(&ALL)));
    }

    #[test]
    fn changed_bytes_give_no_data_that_was_not_sent(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..5),
    ) {
        let mut stream = usual();
        for (at, change) in &changes {
            let message = at.index(stream.len());
            let place = at.index(stream[message].1.len());
            stream[message].1[place] ^= change;
        }
        let heard = hear(&stream, &mut with_log(&ALL));
        let pieces = |text: &str, parts: [&[u8]; 3]| {
            parts.iter().fold(text.to_owned(), |rest, part| rest.replacen(std::str::from_utf8(part).unwrap(), "", 1))
        };
        prop_assert_eq!(pieces(&heard.text(Side::Client), REQUESTS), "");
        prop_assert_eq!(pieces(&heard.text(Side::Server), ANSWERS), "");
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        dyetrace_tls::fuzzing::connection(&bytes);
        dyetrace_tls::fuzzing::key_log(&bytes);
    }

    #[test]
    fn no_changed_conversation_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut script = Vec::new();
        for (side, bytes) in usual() {
            let side = if side == Side::Client { 0 } else { 0x8000_u16 };
            script.extend((side | bytes.len() as u16).to_be_bytes());
            script.extend(bytes);
        }
        for (at, change) in changes {
            let place = at.index(script.len());
            script[place] ^= change;
        }
        script.truncate(cut.index(script.len()));
        dyetrace_tls::fuzzing::connection(&[&key_log(&ALL).into_bytes()[..], &[0], &script].concat());
    }
}
