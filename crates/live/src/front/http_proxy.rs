//! An HTTP proxy: `CONNECT` tunnels (RFC 9110 section 9.3.6) and requests in absolute form (RFC 9112 section
//! 3.2.2), which go on in origin form, one on each connection.

use super::one_request::OneRequest;
use super::{GREETING, status};
use crate::guard::end_of_head;
use crate::relay::{Host, Relay, Target};
use crate::stream::{Rewound, Stream};
use crate::upstream::within;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Bytes of a request's head.
const HEAD: usize = 64 << 10;
/// Read at once: what most heads fit in.
const USUAL_HEAD: usize = 1 << 10;

/// What a client asks of a proxy.
enum Asked {
    Tunnel(Target),
    /// The head of a request, as the server is to get it, and the length of its body where that is known.
    Request(Target, Vec<u8>, Option<u64>),
    /// It speaks to the proxy itself.
    Ourselves(String),
    Nonsense,
}

pub(super) async fn serve(mut client: impl Stream, peer: SocketAddr, relay: &Relay) -> io::Result<()> {
    let mut read = Vec::with_capacity(USUAL_HEAD);
    let end = within(GREETING, "the client sent no whole request", read_head(&mut client, &mut read)).await?;
    let Some(end) = end else { return refuse(&mut client, "400 Bad Request", "this is no request to a proxy").await };
    let rest = read.split_off(end);
    match asked(&read) {
        Asked::Tunnel(target) => match relay.reach(peer, &target).await {
            Ok(server) => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                relay.relay(Rewound::new(rest, client), peer, &target, server).await
            }
            Err(why) => refuse(&mut client, status(&why), &why.to_string()).await,
        },
        Asked::Request(target, head, body) => match relay.reach(peer, &target).await {
            Ok(server) => {
                let body = OneRequest::new(Rewound::new(rest, client), body);
                relay.relay(Rewound::new(head, body), peer, &target, server).await
            }
            Err(why) => refuse(&mut client, status(&why), &why.to_string()).await,
        },
        Asked::Ourselves(path) => greet(&mut client, relay, &path).await,
        Asked::Nonsense => refuse(&mut client, "400 Bad Request", "this is no request to a proxy").await,
    }
}

/// Reads a request's head; `None` where there is none within the limit.
async fn read_head(client: &mut impl Stream, read: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut searched = 0;
    loop {
        if let Some(end) = end_of_head(read, searched) {
            return Ok(Some(end));
        }
        searched = read.len();
        if read.len() > HEAD || client.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

fn asked(head: &[u8]) -> Asked {
    let line_end = head.windows(2).position(|window| window == b"\r\n").unwrap_or(head.len());
    let Some((line, fields)) = head.split_at_checked(line_end) else { return Asked::Nonsense };
    let Ok(line) = std::str::from_utf8(line) else { return Asked::Nonsense };
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Asked::Nonsense;
    };
    if method == "CONNECT" {
        return Target::read(target, None).map_or(Asked::Nonsense, Asked::Tunnel);
    }
    if target.starts_with('/') {
        return if method == "GET" { Asked::Ourselves(target.to_owned()) } else { Asked::Nonsense };
    }
    let Some(rest) = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).and(target.get(7..))
    else {
        return Asked::Nonsense;
    };
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_at);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let Some(target) = Target::read(authority, Some(80)) else { return Asked::Nonsense };
    // RFC 9112 section 3.2.2: what the request line says replaces what the Host field says.
    let host = authority.to_owned();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut request = format!("{method} {slash}{path} {version}\r\n").into_bytes();
    let body = forward_fields(fields, &host, &mut request);
    Asked::Request(target, request, body)
}

/// The fields that concern the proxy stay here; the connection ends with the answer, unless it becomes another.
/// Gives the length of the body, where it is known.
fn forward_fields(fields: &[u8], host: &str, out: &mut Vec<u8>) -> Option<u64> {
    out.extend_from_slice(format!("Host: {host}\r\n").as_bytes());
    let lines = || fields.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let named = |line: &[u8], name: &str| {
        line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            && line.get(name.len()) == Some(&b':')
    };
    let upgrades = lines().any(|line| named(line, "Upgrade"));
    for line in lines().filter(|line| !line.is_empty()) {
        let of_proxy = named(line, "Host") || named(line, "Proxy-Connection") || named(line, "Proxy-Authorization");
        if !of_proxy && (upgrades || !named(line, "Connection")) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
    if !upgrades {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    let is_open = upgrades || lines().any(|line| named(line, "Transfer-Encoding"));
    let length =
        lines().find(|line| named(line, "Content-Length")).and_then(|line| line.split(|byte| *byte == b':').nth(1));
    let length = length.map_or(Some(0), |value| std::str::from_utf8(value).ok()?.trim().parse().ok());
    length.filter(|_| !is_open)
}

/// A phone that uses the proxy gets the authority's certificate from the proxy.
async fn greet(client: &mut impl Stream, relay: &Relay, path: &str) -> io::Result<()> {
    let (kind, body) = match path {
        "/ca.pem" => ("application/x-pem-file", relay.authority().pem().as_bytes().to_vec()),
        "/ca.crt" | "/ca.cer" => ("application/x-x509-ca-cert", relay.authority().der().to_vec()),
        "/" => ("text/html; charset=utf-8", WELCOME.as_bytes().to_vec()),
        _ => return refuse(client, "404 Not Found", "there are /, /ca.crt and /ca.pem here").await,
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(&body).await?;
    client.shutdown().await
}

const WELCOME: &str = "<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
<title>dyetrace live</title><h1>dyetrace live</h1><p>This proxy records what passes it.</p>\
<p><a href=\"/ca.crt\">The certificate of this case</a> (<a href=\"/ca.pem\">as PEM</a>) is to be trusted by the device \
under test only, and removed from it afterwards.</p>\n";

async fn refuse(client: &mut impl Stream, status: &str, why: &str) -> io::Result<()> {
    let body = format!("dyetrace live: {why}\n");
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

impl Target {
    /// `host:port`, or a host alone where there is a usual port.
    pub(crate) fn read(authority: &str, usual: Option<u16>) -> Option<Self> {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') && (!host.contains(':') || host.starts_with('[')) => {
                (host, port.parse().ok()?)
            }
            _ => (authority, usual?),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(Self { host: Host::read(bare)?, port })
    }
}

impl Host {
    /// An address or a name of letters, digits, hyphens and dots.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let fits = (1..=253).contains(&text.len()) && text.bytes().all(is_name);
        fits.then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Option<String> {
        Target::read(text, Some(80)).map(|target| target.to_string())
    }

    #[test]
    fn authorities_are_read() {
        assert_eq!(target("Example.test:443").as_deref(), Some("example.test:443"));
        assert_eq!(target("example.test").as_deref(), Some("example.test:80"));
        assert_eq!(target("[2001:db8::1]:8443").as_deref(), Some("[2001:db8::1]:8443"));
        assert_eq!(target("[2001:db8::1]").as_deref(), Some("[2001:db8::1]:80"));
        assert_eq!(target("192.0.2.1:8080").as_deref(), Some("192.0.2.1:8080"));
        for wrong in ["", ":80", "a b:80", "host:port", "host:70000", "höst:80"] {
            assert_eq!(target(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_request_goes_on_without_what_concerns_the_proxy() {
        let head = b"POST http://u:p@api.example.test:8080/a?b=c HTTP/1.1\r\nhost: another.test\r\n\
            Proxy-Connection: keep-alive\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n";
        let Asked::Request(target, request, body) = asked(head) else { panic!("a request") };
        assert_eq!(target.to_string(), "api.example.test:8080");
        let expected =
            "POST /a?b=c HTTP/1.1\r\nHost: api.example.test:8080\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
        assert_eq!(String::from_utf8(request).unwrap(), expected);
        assert_eq!(body, Some(3));
    }

    #[test]
    fn a_request_that_becomes_another_protocol_keeps_its_fields() {
        let head = b"GET http://a.test HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        let Asked::Request(_, request, body) = asked(head) else { panic!("a request") };
        assert_eq!(request, b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        assert_eq!(body, None, "what follows is the other protocol's");
    }
}
