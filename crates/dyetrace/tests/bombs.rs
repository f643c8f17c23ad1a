//! Evidence made to use up the readers' memory or time, given to the whole command.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it measured")]

mod cost;
mod wire;

use cost::{bounded, bounded_capture};
use std::io::Write;
use wire::{ACK, Capture, SYN, datagram, frame, ip, segment, write_words};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A length in front, as tnetstrings have it.
fn netstring(content: &[u8], kind: u8) -> Vec<u8> {
    [format!("{}:", content.len()).as_bytes(), content, &[kind]].concat()
}

#[test]
fn many_connections_with_an_unfinished_head() {
    let head = [b"GET / HTTP/1.1\r\nHost: a.example\r\nX: ".as_slice(), &[b'x'; 1300]].concat();
    bounded_capture("heads", 200_000, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1, &head);
        }
    });
}

#[test]
fn connections_side_by_side_whose_long_heads_never_end() {
    let head = [b"GET / HTTP/1.1\r\nHost: a.example\r\nX: ".as_slice(), &[b'x'; 12_000]].concat();
    bounded_capture("long-heads", 40_000, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1, &head);
        }
    });
}

#[test]
fn many_connections_with_an_unfinished_body() {
    let mut body = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    body.resize(4200, b'b');
    bounded_capture("bodies", 200_000, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1, &body);
        }
    });
}

#[test]
fn many_connections_with_a_hole() {
    bounded_capture("holes", 200_000, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1000, &[b'h'; 1400]);
        }
    });
}

#[test]
fn many_connections_that_say_nothing_or_little() {
    bounded_capture("silent", 1_000_000, |size, capture| {
        for number in 0..size {
            capture.segment(number, true, SYN, 0, b"");
            if number % 2 == 0 {
                capture.segment(number, true, ACK, 1, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03");
            }
        }
    });
}

#[test]
fn many_tls_connections_that_announce_long_messages() {
    let mut hello = vec![0x16, 3, 3, 0x40, 0, 0x01, 0xff, 0xff, 0xff];
    hello.resize(0x4005, 3);
    bounded_capture("handshakes", 8000, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1, &hello);
            capture.bytes(number, false, 1, &hello);
        }
    });
}

#[test]
fn one_tls_connection_with_an_endless_handshake() {
    let mut record = vec![0x16, 3, 3, 0x40, 0];
    record.resize(0x4005, 0);
    let first = [&[0x16, 3, 3, 0x40, 0, 0x01, 0xff, 0xff, 0xff, 3, 3][..], &vec![0; 0x4000 - 6]].concat();
    bounded_capture("endless-handshake", 4000, |size, capture| {
        capture.open(0);
        capture.bytes(0, true, 1, &first);
        for number in 0..size {
            capture.bytes(0, true, 1 + first.len() as u32 + number * record.len() as u32, &record);
        }
    });
}

#[test]
fn segments_of_one_byte_in_reverse() {
    bounded_capture("reverse", 400_000, |size, capture| {
        capture.open(0);
        for number in (0..size).rev() {
            capture.segment(0, true, ACK, 1 + number, b"r");
        }
    });
}

#[test]
fn segments_of_one_byte_with_a_hole_after_each() {
    bounded_capture("lace", 400_000, |size, capture| {
        capture.open(0);
        for number in 0..size {
            capture.segment(0, true, ACK, 1 + 2 * number, b"l");
        }
    });
}

#[test]
fn segments_of_one_byte_that_turn_into_no_protocol() {
    bounded_capture("crumbs", 800_000, |size, capture| {
        for number in 0..size / 400 {
            capture.open(number);
            for at in 0..400 {
                capture.segment(number, true, ACK, 1 + at, if at == 0 { b"\x16" } else { b"\x03" });
            }
        }
    });
}

#[test]
fn chunks_of_one_byte() {
    bounded_capture("chunks", 10_000_000, |size, capture| {
        capture.open(0);
        let head = b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        capture.bytes(0, true, 1, head);
        let block = b"1\r\na\r\n".repeat(230);
        for number in 0..size / 230 {
            capture.segment(0, true, ACK, 1 + head.len() as u32 + number * block.len() as u32, &block);
        }
    });
}

#[test]
fn pipelined_requests_that_nobody_answers() {
    let requests = b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n".repeat(38);
    bounded_capture("pipeline", 50_000, |size, capture| {
        capture.open(0);
        for number in 0..size {
            capture.segment(0, true, ACK, 1 + number * requests.len() as u32, &requests);
        }
    });
}

#[test]
fn requests_of_a_thousand_tiny_fields() {
    let request = [b"GET /a HTTP/1.1\r\n".as_slice(), &b"a:\n".repeat(990), b"\r\n"].concat();
    bounded_capture("fields", 20_000, |size, capture| {
        capture.open(0);
        for number in 0..size {
            capture.bytes(0, true, 1 + number * request.len() as u32, &request);
        }
    });
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// `:method GET`, `:path /`, `:scheme https`, `:authority a.example`.
const HEADERS: &[u8] = b"\x82\x84\x87\x41\x09a.example";

#[test]
fn a_hundred_thousand_open_streams() {
    bounded_capture("streams", 100_000, |size, capture| {
        capture.open(0);
        let mut bytes = PREFACE.to_vec();
        for number in 0..size {
            bytes.extend(frame(1, 4, 2 * number + 1, HEADERS));
            bytes.extend(frame(0, 0, 2 * number + 1, &[b'd'; 100]));
        }
        capture.bytes(0, true, 1, &bytes);
    });
}

#[test]
fn field_blocks_that_repeat_one_large_field() {
    // A literal of 4,000 bytes enters the table, then each byte 0xbe repeats it.
    let literal = [b"\x40\x01x\x7f\xa1\x1e".as_slice(), &[b'v'; 4000]].concat();
    let bomb = [HEADERS, &literal, &[0xbe; 8000]].concat();
    let repeat = vec![0xbe; 8000];
    bounded_capture("hpack", 2000, |size, capture| {
        capture.open(0);
        let mut bytes = [PREFACE, &frame(1, 4, 1, &bomb)].concat();
        for number in 1..size {
            bytes.extend(frame(1, 4, 2 * number + 1, &repeat));
        }
        capture.bytes(0, true, 1, &bytes);
    });
}

#[test]
fn many_connections_with_full_tables_and_open_streams() {
    let literal = [b"\x40\x01x\x7f\xa1\x1e".as_slice(), &[b'v'; 4000]].concat();
    let block = [HEADERS, &literal, &[0xbe; 20]].concat();
    let bytes = [PREFACE, &frame(1, 4, 1, &block)].concat();
    bounded_capture("tables", 40_000, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1, &bytes);
        }
    });
}

#[test]
fn bodies_that_inflate_a_thousandfold() {
    let bomb = gzip(&vec![b'0'; 100 << 20]);
    for (name, coding, bomb) in [("gzip", "gzip", bomb.clone()), ("gzip-gzip", "gzip, gzip", gzip(&bomb))] {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
            bomb.len()
        );
        let body = [head.as_bytes(), &bomb].concat();
        bounded_capture(name, 20, |size, capture| {
            for number in 0..size {
                capture.open(number);
                capture.bytes(number, true, 1, &body);
            }
        });
    }
}

#[test]
fn websocket_messages_that_inflate_a_thousandfold() {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'0'; 100 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let ask = b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let message = [&[0xc1, 127][..], &(bomb.len() as u64).to_be_bytes(), &bomb].concat();
    bounded_capture("websocket", 20, |size, capture| {
        for number in 0..size {
            capture.open(number);
            capture.bytes(number, true, 1, ask);
            capture.bytes(number, false, 1, answer);
            capture.bytes(number, false, 1 + answer.len() as u32, &message);
        }
    });
}

#[test]
fn a_compressed_capture_of_empty_packets() {
    bounded("packets.gz", 40_000_000, |size, mut file| {
        let mut encoder = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
        Capture::new(&mut encoder).finish();
        let zeros = [0; 16_000];
        (0..size / 1000).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap();
    });
}

#[test]
fn an_archive_with_one_endless_string() {
    bounded("string.har", 200, |size, mut file| {
        file.write_all(b"{\"log\":{\"version\":\"1.2\",\"entries\":[{\"request\":{\"method\":\"GET\",\"url\":\"")
            .unwrap();
        (0..size).for_each(|_| file.write_all(&vec![b's'; 1 << 20]).unwrap());
    });
}

#[test]
fn an_archive_with_one_endless_body() {
    bounded("body.har", 200, |size, mut file| {
        file.write_all(b"{\"log\":{\"version\":\"1.2\",\"entries\":[{\"request\":{\"method\":\"POST\",\"url\":\"http://a.example/\",\
            \"postData\":{\"text\":\"").unwrap();
        (0..size).for_each(|_| file.write_all(&vec![b's'; 1 << 20]).unwrap());
        file.write_all(b"\"}}}]}}").unwrap();
    });
}

#[test]
fn an_archive_of_nothing_but_brackets() {
    bounded("brackets.har", 100, |size, mut file| {
        file.write_all(b"{\"log\":{\"version\":\"1.2\",\"entries\":").unwrap();
        (0..size).for_each(|_| file.write_all(&vec![b'['; 1 << 20]).unwrap());
    });
}

#[test]
fn an_archive_of_a_million_broken_entries() {
    bounded("broken.har", 4_000_000, |size, mut file| {
        file.write_all(b"{\"log\":{\"version\":\"1.2\",\"entries\":[0").unwrap();
        (0..size).for_each(|_| file.write_all(b",{\"request\":7}").unwrap());
        file.write_all(b"]}}").unwrap();
    });
}

#[test]
fn a_flow_file_of_nested_lists() {
    bounded("nested.flows", 20_000, |size, mut file| {
        let mut list = Vec::new();
        for _ in 0..size.min(12_000) {
            list = netstring(&list, b']');
        }
        let state = [netstring(b"version", b';'), netstring(b"21", b'#'), netstring(b"request", b';'), list].concat();
        let flow = netstring(&state, b'}');
        (0..size / 100).for_each(|_| file.write_all(&flow).unwrap());
    });
}

#[test]
fn names_that_point_at_names() {
    let mut message = b"\x12\x34\x81\x80\0\x01\x0b\xb8\0\0\0\0".to_vec();
    message.extend_from_slice(b"\xc0\x0c\0\x01\0\x01");
    let mut chain = message.clone();
    for number in 0..3000_u16 {
        let target = if number == 0 { 0x0c } else { 18 + (number - 1) * 12 };
        chain.extend_from_slice(&(0xc000 | target.min(0x3fff)).to_be_bytes());
        chain.extend_from_slice(b"\0\x01\0\x01\0\0\0\0\0\0");
    }
    bounded_capture("pointers", 4000, |size, capture| {
        (0..size).for_each(|number| capture.packet(&datagram(number, 53, &chain)));
    });
}

#[test]
fn a_million_datagrams_to_a_million_sockets() {
    bounded_capture("datagrams", 1_000_000, |size, capture| {
        (0..size).for_each(|number| capture.packet(&datagram(number, 5683, b"\x40\x01\0\x01")));
    });
}

#[test]
fn a_million_fragments_that_never_fit() {
    bounded_capture("fragments", 1_000_000, |size, capture| {
        (0..size).for_each(|number| capture.packet(&ip(number, true, 17, 0x2000 | (number % 4096) as u16, &[b'f'; 8])));
    });
}

#[test]
fn a_file_of_blocks_with_the_longest_length() {
    bounded("blocks.pcapng", 4_000_000, |size, mut file| {
        let words = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28];
        write_words(&mut file, &words);
        for _ in 0..size {
            file.write_all(&[6, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff]).unwrap();
        }
    });
}

#[test]
fn blocks_that_look_like_blocks_until_their_end() {
    bounded("almost.pcapng", 4_000_000, |size, mut file| {
        let words = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28];
        write_words(&mut file, &words);
        for _ in 0..size {
            file.write_all(&[6, 0, 0, 0, 0, 0, 0xf, 0]).unwrap();
        }
    });
}

#[test]
fn a_capture_full_of_secrets_and_app_names() {
    bounded("secrets.pcapng", 400_000, |size, mut file| {
        let words = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28];
        write_words(&mut file, &words);
        for number in 0..size {
            let mut lines = format!("CLIENT_RANDOM {number:064x} {number:096x}\n").repeat(2);
            lines.push_str(&" ".repeat((4 - lines.len() % 4) % 4));
            let length = 12 + 8 + lines.len() as u32;
            let words = [10_u32, length, 0x544c_534b, lines.len() as u32];
            write_words(&mut file, &words);
            file.write_all(lines.as_bytes()).unwrap();
            file.write_all(&length.to_le_bytes()).unwrap();
        }
    });
}

#[test]
fn a_value_repeated_a_million_times() {
    let body = b"{\"p\":\"13800000427\"},".repeat(60);
    bounded_capture("repeated", 30_000, |size, capture| {
        for number in 0..size {
            capture.packet(&segment(number, 5222, true, SYN, 0, b""));
            capture.packet(&segment(number, 5222, true, ACK, 1, &body));
        }
    });
}

#[test]
fn a_million_hosts() {
    bounded_capture("hosts", 1_000_000, |size, capture| {
        capture.open(0);
        let mut at = 1;
        for number in 0..size {
            let request = format!("GET / HTTP/1.1\r\nHost: a-host-with-a-name-of-some-length-{number}.example\r\n\r\n");
            capture.segment(0, true, ACK, at, request.as_bytes());
            at += request.len() as u32;
        }
    });
}
