//! What the first bytes of a stream look like. No state, no connection: only bytes and ports.

use dyetrace_case::Side;

/// How sure a look at the first bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// It is this protocol.
    Certain,
    /// So far it may be; more bytes will tell.
    Unsure,
    /// It is something else.
    NotThis,
}

use Likeness::{Certain, NotThis, Unsure};

/// Who speaks first bytes like these, where that is plain.
pub(crate) fn speaker(bytes: &[u8]) -> Option<Side> {
    let sure = |likeness| likeness == Certain;
    if sure(client_hello(bytes)) || sure(http_request(bytes)) || sure(http2_preface(bytes)) || sure(mqtt_connect(bytes))
    {
        return Some(Side::Request);
    }
    let server_hello = sure(tls_record(bytes)) && matches!(bytes, [22, _, _, _, _, 2, ..]);
    (server_hello || sure(http_response(bytes))).then_some(Side::Response)
}

/// Ports on which servers of protocols with personal data listen, outside the first 1,024.
const SERVER_PORTS: &[u16] = &[
    1080, 1194, 1433, 1521, 1883, 1900, 3000, 3128, 3306, 3389, 3478, 4433, 4443, 4444, 5000, 5060, 5222, 5223, 5228,
    5269, 5353, 5355, 5432, 5671, 5672, 5683, 5684, 6379, 6667, 6697, 8000, 8008, 8080, 8081, 8086, 8088, 8090, 8118,
    8443, 8444, 8530, 8765, 8883, 8884, 8886, 8888, 9000, 9001, 9042, 9090, 9092, 9200, 9443, 11211, 15672, 27017,
    50051,
];

/// True where the first of two ports is the server's, if one must be.
pub(crate) fn is_server(port: u16, other: u16) -> bool {
    (rank(port), port) < (rank(other), other)
}

/// True where the first of two ports is known as a server's and the other is less so.
pub(crate) fn is_likelier_server(port: u16, other: u16) -> bool {
    rank(port) < rank(other)
}

fn rank(port: u16) -> u8 {
    match port {
        0..1024 => 0,
        _ if SERVER_PORTS.contains(&port) => 1,
        _ => 2,
    }
}

/// A port that carries nothing but TLS (or DTLS) by its registration.
pub(crate) fn is_tls_port(port: u16) -> bool {
    matches!(port, 443 | 465 | 563 | 636 | 853 | 989 | 990 | 992 | 993 | 995 | 5061 | 5223 | 5349 | 6697 | 8443 | 8883)
}

/// A TLS or SSL 3 record of any type (RFC 8446 section 5.1).
pub(crate) fn tls_record(bytes: &[u8]) -> Likeness {
    match bytes {
        [20..=24, 3, 0..=4, high, low, rest @ ..] => {
            let length = u16::from_be_bytes([*high, *low]);
            let plausible = match bytes[0] {
                20 => length == 1,
                21 => (2..=512).contains(&length),
                22 => rest.first().is_none_or(|kind| is_handshake(*kind)) && length >= 4,
                _ => length >= 1,
            };
            // RFC 5246 section 6.2.3: 2^14 + 2048.
            if plausible && length <= 18_432 { Certain } else { NotThis }
        }
        _ => prefix_of(bytes, &[&|b| (20..=24).contains(&b), &|b| b == 3, &|b| b <= 4, &|_| true, &|_| true]),
    }
}

fn is_handshake(kind: u8) -> bool {
    matches!(kind, 0..=6 | 8 | 11..=16 | 20..=25 | 67 | 254)
}

/// A record that begins a ClientHello, or the hello of SSL 2.
pub(crate) fn client_hello(bytes: &[u8]) -> Likeness {
    match bytes {
        // The message's length has three bytes; one above 2^17 is no hello.
        [22, 3, 0..=4, _, _, 1, 0..=1, ..] => tls_record(bytes),
        [22, ..] => prefix_of(
            bytes,
            &[&|b| b == 22, &|b| b == 3, &|b| b <= 4, &|b| b <= 72, &|_| true, &|b| b == 1, &|b| b <= 1],
        ),
        _ => ssl2_hello(bytes),
    }
}

/// The CLIENT-HELLO of SSL 2, with which old clients offer newer versions (RFC 5246 appendix E.2).
fn ssl2_hello(bytes: &[u8]) -> Likeness {
    match bytes {
        [high @ 0x80..=0xff, low, 1, 0 | 3, _, specs_high, specs_low, id_high, id_low, random_high, random_low, ..] => {
            let word = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
            let length = word(&(high & 0x7f), low);
            let (specs, id, random) =
                (word(specs_high, specs_low), word(id_high, id_low), word(random_high, random_low));
            let fits = length == 9 + specs + id + random && specs % 3 == 0 && specs > 0;
            if fits && matches!(id, 0 | 16) && (16..=32).contains(&random) { Certain } else { NotThis }
        }
        _ => prefix_of(
            bytes,
            &[
                &|b| b >= 0x80,
                &|_| true,
                &|b| b == 1,
                &|b| b == 0 || b == 3,
                &|_| true,
                &|_| true,
                &|_| true,
                &|b| b == 0,
                &|b| b == 0 || b == 16,
                &|b| b == 0,
                &|b| b <= 32,
            ],
        ),
    }
}

/// Unsure where bytes are a proper prefix of what the tests allow, and nothing else.
fn prefix_of(bytes: &[u8], tests: &[&dyn Fn(u8) -> bool]) -> Likeness {
    let fits = bytes.len() < tests.len() && bytes.iter().zip(tests).all(|(byte, test)| test(*byte));
    if fits { Unsure } else { NotThis }
}

/// The client's connection preface of HTTP/2 (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The beginning of the HTTP/2 preface; its first line is enough.
pub(crate) fn http2_preface(bytes: &[u8]) -> Likeness {
    literal(bytes, &PREFACE[..16])
}

fn literal(bytes: &[u8], text: &[u8]) -> Likeness {
    if bytes.starts_with(text) {
        Certain
    } else if text.starts_with(bytes) {
        Unsure
    } else {
        NotThis
    }
}

/// The server's connection preface of HTTP/2: a SETTINGS frame on stream 0 (RFC 9113 section 6.5).
pub(crate) fn http2_settings(bytes: &[u8]) -> Likeness {
    match bytes {
        [0, 0, length, 4, 0, 0, 0, 0, 0, ..] if length % 6 == 0 && *length <= 120 => Certain,
        _ => prefix_of(
            bytes,
            &[
                &|b| b == 0,
                &|b| b == 0,
                &|b| b % 6 == 0 && b <= 120,
                &|b| b == 4,
                &|b| b == 0,
                &|b| b == 0,
                &|b| b == 0,
                &|b| b == 0,
                &|b| b == 0,
            ],
        ),
    }
}

/// A run of HTTP/2 frames picked up on a frame's border: two headers that fit, or one frame that
/// is exactly what was sent.
pub(crate) fn http2_frames(bytes: &[u8]) -> Likeness {
    let mut rest = bytes;
    for _ in 0..2 {
        let Some((header, body)) = rest.split_first_chunk::<9>() else {
            return if rest.is_empty() && !bytes.is_empty() { Certain } else { NotThis };
        };
        if !http2_header(*header) {
            return NotThis;
        }
        let length = usize::from(header[1]) << 8 | usize::from(header[2]);
        let Some(next) = body.get(length..) else { return NotThis };
        rest = next;
    }
    Certain
}

/// RFC 9113 section 6, the fixed parts of each frame type.
fn http2_header(header: [u8; 9]) -> bool {
    let [high, middle, low, kind, flags, stream @ ..] = header;
    let length = u32::from_be_bytes([0, high, middle, low]);
    let stream = u32::from_be_bytes(stream);
    let on_stream = stream != 0 && stream < 1 << 31;
    let fits = match kind {
        0 => on_stream && flags & !0x09 == 0,
        1 => on_stream && flags & !0x2d == 0 && length > 0,
        2 => on_stream && length == 5 && flags == 0,
        3 => on_stream && length == 4 && flags == 0,
        4 => stream == 0 && length.is_multiple_of(6) && flags & !1 == 0,
        6 => stream == 0 && length == 8 && flags & !1 == 0,
        7 => stream == 0 && length >= 8 && flags == 0,
        8 => stream < 1 << 31 && length == 4 && flags == 0,
        9 => on_stream && flags & !0x04 == 0 && length > 0,
        _ => false,
    };
    fits && length <= 16_384
}

/// Methods in use (IANA HTTP Method Registry, and UPnP's).
const METHODS: &[&str] = &[
    "GET",
    "POST",
    "PUT",
    "HEAD",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "CONNECT",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "M-SEARCH",
    "MERGE",
    "PURGE",
    "BREW",
    "LINK",
    "UNLINK",
    "ACL",
    "BIND",
    "UNBIND",
    "REBIND",
    "CHECKIN",
    "CHECKOUT",
    "MKACTIVITY",
    "MKCALENDAR",
    "VERSION-CONTROL",
    "QUERY",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "SSTP_DUPLEX_POST",
    "CCM_POST",
];
/// A request line may be this long before only its method decides.
const LINE: usize = 4096;

/// A request line of HTTP/1 (RFC 9112 section 3), or of 0.9 with a path.
pub(crate) fn http_request(bytes: &[u8]) -> Likeness {
    let bytes = without_empty_lines(bytes);
    let Some(space) = bytes.iter().take(32).position(|b| *b == b' ') else {
        let token = bytes.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'));
        return if token && bytes.len() < 32 { Unsure } else { NotThis };
    };
    let (method, rest) = (&bytes[..space], &bytes[space + 1..]);
    let known = METHODS.iter().any(|name| name.as_bytes() == method);
    let token = !method.is_empty() && method.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'));
    if !token {
        return NotThis;
    }
    match rest.iter().take(LINE).position(|b| *b == b'\n') {
        Some(end) => request_line(known, rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end])),
        None if rest.len() >= LINE => {
            if known {
                Certain
            } else {
                NotThis
            }
        }
        None if rest.iter().any(|b| *b < b' ' && *b != b'\r') => NotThis,
        None => Unsure,
    }
}

fn request_line(known: bool, target_and_version: &[u8]) -> Likeness {
    let mut words = target_and_version.rsplitn(2, |b| *b == b' ');
    let version = words.next().unwrap_or_default();
    let old = words.next().is_none() && known && version.starts_with(b"/");
    if version.starts_with(b"HTTP/1.") || version == b"HTTP/0.9" || old { Certain } else { NotThis }
}

/// RFC 9112 section 2.2: a server should ignore empty lines before a request line.
fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let empty = bytes.iter().take(8).take_while(|b| matches!(b, b'\r' | b'\n')).count();
    &bytes[empty..]
}

/// A status line of HTTP/1 (RFC 9112 section 4).
pub(crate) fn http_response(bytes: &[u8]) -> Likeness {
    literal(bytes, b"HTTP/1.")
}

/// MQTT's CONNECT packet, versions 3.1 to 5.
pub(crate) fn mqtt_connect(bytes: &[u8]) -> Likeness {
    let [0x10, rest @ ..] = bytes else {
        return if bytes.is_empty() { Unsure } else { NotThis };
    };
    let digits = rest.iter().take(4).take_while(|b| **b & 0x80 != 0).count();
    if digits == 4 {
        return NotThis;
    }
    let Some(name) = rest.get(digits + 1..) else { return Unsure };
    match (literal(name, b"\0\x04MQTT"), literal(name, b"\0\x06MQIsdp")) {
        (Certain, _) | (_, Certain) => Certain,
        (NotThis, NotThis) => NotThis,
        _ => Unsure,
    }
}

/// A run of MQTT packets picked up on a packet's border, which a known port must back.
pub(crate) fn mqtt_packets(bytes: &[u8]) -> Likeness {
    let [first, rest @ ..] = bytes else { return Unsure };
    // MQTT 5 section 2.1.3: the flags of each type.
    let flags_fit = match (first >> 4, first & 0x0f) {
        (0, _) => false,
        (3, flags) => flags & 0x06 != 0x06,
        (6 | 8 | 10, flags) => flags == 2,
        (_, flags) => flags == 0,
    };
    let digits = rest.iter().take(4).take_while(|b| **b & 0x80 != 0).count();
    match flags_fit && digits < 4 {
        false => NotThis,
        true if rest.len() > digits => Certain,
        true => Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Look = fn(&[u8]) -> Likeness;
    const LOOKS: &[Look] =
        &[tls_record, client_hello, http2_preface, http2_settings, http_request, http_response, mqtt_connect];

    #[test]
    fn known_beginnings() {
        let samples: &[(Look, &[u8])] = &[
            (client_hello, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            (client_hello, b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x00\x00\x04"),
            (tls_record, b"\x17\x03\x03\x00\x20zzzz"),
            (http2_preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            (http2_settings, b"\0\0\x12\x04\0\0\0\0\0\0\x03"),
            (http2_frames, b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01"),
            (http_request, b"GET / HTTP/1.1\r\n"),
            (http_request, b"\r\nSSTP_DUPLEX_POST /x HTTP/1.1\r\n"),
            (http_request, b"M-SEARCH * HTTP/1.1\r\n"),
            (http_response, b"HTTP/1.0 200 OK"),
            (mqtt_connect, b"\x10\x20\0\x04MQTT\x05"),
            (mqtt_connect, b"\x10\xa0\x01\0\x06MQIsdp\x03"),
        ];
        for (look, bytes) in samples {
            assert_eq!(look(bytes), Certain, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn neighbours_are_told_apart() {
        assert_eq!(http_request(b"OPTIONS rtsp://camera/ RTSP/1.0\r\n"), NotThis);
        assert_eq!(http_request(b"INVITE sip:a@b SIP/2.0\r\n"), NotThis);
        assert_eq!(http_request(b"GET key\r\n"), NotThis, "an inline command of Redis");
        assert_eq!(client_hello(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76"), NotThis, "a ServerHello");
        assert!(is_server(443, 50_000) && is_server(8883, 2000) && !is_server(50_000, 8080));
    }

    proptest! {
        /// What is certain of the whole was never refused of its beginning.
        #[test]
        fn no_look_changes_from_no_to_yes(
            which in 0..LOOKS.len(),
            start in prop::sample::select(vec![
                &b""[..], b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"\x10\x10\0\x04MQTT", b"PRI * HTTP/2.0\r\n\r\n",
                b"\0\0\x12\x04\0\0\0\0\0", b"HTTP/1.1 200", b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", b"\x17\x03\x03\x01\x01",
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let bytes = [start, &rest].concat();
            if LOOKS[which](&bytes) == Certain {
                for length in 1..bytes.len() {
                    prop_assert_ne!(LOOKS[which](&bytes[..length]), NotThis, "{}", length);
                }
            }
        }
    }
}
