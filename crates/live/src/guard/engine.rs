//! Which protocol a client speaks, and who guards it.

use super::decide::Warden;
use super::h1::Http1;
use super::head;
use super::wire::Wire;
use super::{h2, raw};
use crate::idle::Idle;
use crate::stream::{Rewound, Stream};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a request's line, and of empty lines before it, that are waited for.
const LINE: usize = 16 << 10;
const EMPTY_LINES: usize = 1 << 10;
/// How long a client may take to make clear whether it begins a line of HTTP, and a server to end its first frame.
const UNCLEAR: Duration = Duration::from_millis(200);

/// What the first bytes of a client say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Is(Spoken),
    /// They begin as HTTP does; whoever speaks it goes on.
    Begun,
    /// They may be a request with a method that is not known here.
    Perhaps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
    Other,
}

/// Relays both ways, with the guard between them. `alpn` is what client and server agreed on in TLS.
pub(crate) async fn guard(
    warden: Warden,
    client: impl Stream,
    server: impl Stream,
    alpn: Option<&[u8]>,
    idle: Idle,
) -> io::Result<()> {
    let passing = pass(warden, (client, server), alpn, &idle);
    idle.watched(passing).await
}

async fn pass(
    warden: Warden,
    (mut client, mut server): (impl Stream, impl Stream),
    alpn: Option<&[u8]>,
    idle: &Idle,
) -> io::Result<()> {
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    let spoken = match alpn {
        Some(b"h2") => Spoken::Http2,
        Some(b"http/1.1" | b"http/1.0") => Spoken::Http1,
        Some(_) => Spoken::Other,
        None => listen(&mut client, &mut server, (&mut from_client, &mut from_server), idle).await?,
    };
    let (client, server) = (Rewound::new(from_client, client), Rewound::new(from_server, server));
    match spoken {
        Spoken::Http1 => Box::pin(halves(warden, client, server, idle.clone()).run()).await,
        Spoken::Http2 => Box::pin(h2::run(warden, client, server, idle.clone())).await,
        Spoken::Other => Box::pin(raw::run(halves(warden, client, server, idle.clone()), false)).await,
    }
}

/// Listens until it is clear what is spoken. What a server says before its client passes, so that the client goes on;
/// but not the first frame of HTTP/2.
async fn listen(
    client: &mut impl Stream,
    server: &mut impl Stream,
    (from_client, from_server): (&mut Vec<u8>, &mut Vec<u8>),
    idle: &Idle,
) -> io::Result<Spoken> {
    let mut was_greeted = false;
    loop {
        let guess = guess(from_client);
        if let Guess::Is(spoken) = guess {
            return Ok(spoken);
        }
        let is_unclear = guess == Guess::Perhaps || was_greeted && !from_client.is_empty();
        let has_begun = !from_server.is_empty() && !is_settings(from_server);
        let patience = if is_unclear || has_begun { UNCLEAR } else { idle.limit() };
        let (has_ended, is_late) = tokio::select! {
            biased;
            read = client.read_buf(from_client) => (read? == 0, false),
            read = server.read_buf(from_server), if !is_settings(from_server) => (read? == 0, false),
            () = tokio::time::sleep(patience) => (false, true),
        };
        match () {
            () if has_ended => return Ok(Spoken::Other),
            () if has_begun && is_late || was_greeted || !may_be_settings(from_server) => {
                was_greeted = true;
                client.write_all(from_server).await?;
                client.flush().await?;
                from_server.clear();
            }
            () => {}
        }
        match () {
            () if is_late && is_unclear => return Ok(Spoken::Other),
            () if is_late && !has_begun => return Err(io::ErrorKind::TimedOut.into()),
            () => {}
        }
    }
}

/// Whether a server begins with the frame that a server of HTTP/2 begins with (RFC 9113 section 6.5).
fn is_settings(first: &[u8]) -> bool {
    first.len() >= 9 && may_be_settings(first)
}

/// Whether it may turn out to be that frame: a length, the type 4, no flags, stream 0.
fn may_be_settings(first: &[u8]) -> bool {
    let is_length = first.get(2).is_none_or(|length| length.is_multiple_of(6));
    let fixed = [Some(0), Some(0), None, Some(4), Some(0), Some(0), Some(0), Some(0), Some(0)];
    is_length && first.iter().zip(fixed).all(|(byte, fixed)| fixed.is_none_or(|fixed| *byte == fixed))
}

fn halves<C: Stream, S: Stream>(warden: Warden, client: C, server: S, idle: Idle) -> Http1<C, S> {
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

/// What a client that begins so speaks.
fn guess(first: &[u8]) -> Guess {
    let begins = |with: &&[u8]| first.starts_with(with);
    let may_begin = |with: &&[u8]| with.starts_with(first);
    match () {
        () if begins(&PREFACE) => Guess::Is(Spoken::Http2),
        () if METHODS.iter().any(begins) => Guess::Is(Spoken::Http1),
        () if may_begin(&PREFACE) || METHODS.iter().any(may_begin) => Guess::Begun,
        () => guess_line(first),
    }
}

/// Whether the first line is that of a request. Empty lines before it are ignored (RFC 9112 section 2.2).
fn guess_line(first: &[u8]) -> Guess {
    let mut rest = first;
    while let Some(behind) = rest.strip_prefix(b"\r\n") {
        rest = behind;
    }
    let has_begun = || METHODS.iter().any(|method| rest.starts_with(method));
    match rest.iter().position(|byte| *byte == b'\n').and_then(|end| rest.get(..end)) {
        _ if first.len() - rest.len() > EMPTY_LINES || has_begun() => Guess::Is(Spoken::Http1),
        Some(line) if is_request_line(line) => Guess::Is(Spoken::Http1),
        None if rest.len() <= LINE && may_be_line(rest) => Guess::Perhaps,
        _ => Guess::Is(Spoken::Other),
    }
}

/// A method, a target and a version (RFC 9112 section 3).
fn is_request_line(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ');
    let (method, version) = (words.next().unwrap_or_default(), words.next_back().unwrap_or_default());
    head::is_token(method) && words.next().is_some() && version.starts_with(b"HTTP/1.")
}

fn may_be_line(begin: &[u8]) -> bool {
    let mut words = begin.splitn(2, |byte| *byte == b' ');
    let (method, rest) = (words.next().unwrap_or_default(), words.next());
    let is_text = |rest: &[u8]| rest.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\r');
    begin.is_empty() || begin == b"\r" || head::is_token(method) && rest.is_none_or(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_by_their_first_bytes_and_not_too_early() {
        assert_eq!(guess(b"GET / HTTP/1.1\r\n"), Guess::Is(Spoken::Http1));
        assert_eq!(guess(PREFACE), Guess::Is(Spoken::Http2));
        for more in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\n", b"DELETE"] {
            assert_eq!(guess(more), Guess::Begun, "{more:?}");
        }
        for other in [&b"EHLO a.test\r\n"[..], b"\x10\x0c\0\x04MQTT", b"{\"GET\"", b"PRI *\n", b"get /\r\n", b"\n"] {
            assert_eq!(guess(other), Guess::Is(Spoken::Other), "{other:?}");
        }
    }

    #[test]
    fn requests_behind_empty_lines_or_with_rare_methods_are_requests() {
        for line in
            [&b"\r\nPOST "[..], b"\r\n\r\nQUERY /a HTTP/1.1\r\n", b"PURGE / HTTP/1.0\n", b"a-b /c d HTTP/1.1\r\n"]
        {
            assert_eq!(guess(line), Guess::Is(Spoken::Http1), "{line:?}");
        }
        assert_eq!(guess(&b"\r\n".repeat(EMPTY_LINES)), Guess::Is(Spoken::Http1));
        for more in [&b"\r"[..], b"\r\n", b"\r\nPO", b"GETX", b"QUERY /a HTTP/1.1\r", b"get / "] {
            assert_eq!(guess(more), Guess::Perhaps, "{more:?}");
        }
        assert_eq!(guess(&b"A".repeat(LINE + 1)), Guess::Is(Spoken::Other));
    }

    #[test]
    fn a_servers_first_frame_is_known_from_each_of_its_beginnings() {
        let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64";
        assert!((0..=settings.len()).all(|end| may_be_settings(&settings[..end])));
        assert!(is_settings(settings) && !is_settings(&settings[..8]));
        assert!(!may_be_settings(b"220 ready\r\n") && !may_be_settings(b"\0\0\x05"));
    }
}
