//! Which protocol a client speaks, and who guards it.

use super::decide::Warden;
use super::h1::Http1;
use super::wire::Wire;
use super::{h2, raw};
use crate::idle::Idle;
use crate::stream::{Rewound, Stream};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;

/// Methods that tell HTTP from other protocols in which lines begin with a word (RFC 9110, 5789, 4918, 3253).
const METHODS: &[&[u8]] = &[
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"PROPPATCH ",
    b"MKCOL ",
    b"COPY ",
    b"MOVE ",
    b"LOCK ",
    b"UNLOCK ",
    b"REPORT ",
    b"SEARCH ",
    b"NOTIFY ",
    b"SUBSCRIBE ",
    b"UNSUBSCRIBE ",
];
/// What a client of HTTP/2 sends first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
    Other,
}

/// Relays both ways, with the guard between them. `alpn` is what client and server agreed on in TLS.
pub(crate) async fn guard(
    warden: Warden,
    mut client: impl Stream,
    mut server: impl Stream,
    alpn: Option<&[u8]>,
    idle: Idle,
) -> io::Result<()> {
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    let spoken = match alpn {
        Some(b"h2") => Spoken::Http2,
        Some(b"http/1.1" | b"http/1.0") => Spoken::Http1,
        Some(_) => Spoken::Other,
        None => listen(&mut client, &mut server, (&mut from_client, &mut from_server), &idle).await?,
    };
    let (client, server) = (Rewound::new(from_client, client), Rewound::new(from_server, server));
    let warden = Arc::new(warden);
    match spoken {
        Spoken::Http1 => Box::pin(halves(warden, client, server, idle).run()).await,
        Spoken::Http2 => Box::pin(h2::run(warden, client, server, idle)).await,
        Spoken::Other => Box::pin(raw::run(halves(warden, client, server, idle))).await,
    }
}

/// Listens until it is clear what is spoken.
async fn listen(
    client: &mut impl Stream,
    server: &mut impl Stream,
    (from_client, from_server): (&mut Vec<u8>, &mut Vec<u8>),
    idle: &Idle,
) -> io::Result<Spoken> {
    loop {
        if let Some(spoken) = spoken(from_client) {
            return Ok(spoken);
        }
        let has_ended = tokio::select! {
            biased;
            read = client.read_buf(from_client) => read? == 0,
            read = server.read_buf(from_server), if !is_settings(from_server) => read? == 0,
            () = tokio::time::sleep(idle.limit()) => return Err(io::ErrorKind::TimedOut.into()),
        };
        // A server of HTTP/2 does not wait for its client's first words.
        if has_ended || !from_server.is_empty() && !is_settings(from_server) {
            return Ok(Spoken::Other);
        }
    }
}

/// Whether a server begins with the frame that a server of HTTP/2 begins with (RFC 9113 section 6.5).
fn is_settings(first: &[u8]) -> bool {
    matches!(first, [0, 0, length, 4, 0, 0, 0, 0, 0, ..] if length % 6 == 0)
}

fn halves<C: Stream, S: Stream>(warden: Arc<Warden>, client: C, server: S, idle: Idle) -> Http1<C, S> {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    Http1 {
        warden,
        client: Wire::new(from_client, idle.clone()),
        to_client,
        server: Wire::new(from_server, idle),
        to_server,
    }
}

/// What a client that begins so speaks; `None` where more is needed to say.
fn spoken(first: &[u8]) -> Option<Spoken> {
    let begins = |with: &&[u8]| first.starts_with(with);
    let may_begin = |with: &&[u8]| with.starts_with(first);
    match () {
        () if begins(&PREFACE) => Some(Spoken::Http2),
        () if METHODS.iter().any(begins) => Some(Spoken::Http1),
        () if may_begin(&PREFACE) || METHODS.iter().any(may_begin) => None,
        () => Some(Spoken::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_by_their_first_bytes_and_not_too_early() {
        assert_eq!(spoken(b"GET / HTTP/1.1\r\n"), Some(Spoken::Http1));
        assert_eq!(spoken(PREFACE), Some(Spoken::Http2));
        assert!(is_settings(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64") && !is_settings(b"220 ready\r\n"));
        for more in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\n", b"DELETE"] {
            assert_eq!(spoken(more), None, "{more:?}");
        }
        for other in [&b"EHLO a.test\r\n"[..], b"\x10\x0c\0\x04MQTT", b"GETX", b"PRI * HTTP/1.1", b"get / "] {
            assert_eq!(spoken(other), Some(Spoken::Other), "{other:?}");
        }
    }
}
