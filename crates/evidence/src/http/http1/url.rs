//! Who a request is for: its URL and the server it names (RFC 9112 sections 3.2 and 3.3).

use crate::layer::Conn;
use dyetrace_case::{ChannelKind, Endpoint, NameSource};
use std::net::IpAddr;

/// The absolute URL that target, Host field and channel amount to. For CONNECT, the authority.
pub(super) fn url_of(conn: &Conn, method: &str, target: &[u8], host: Option<&[u8]>) -> String {
    let target = String::from_utf8_lossy(target);
    if method == "CONNECT" || is_absolute(&target) {
        return target.into_owned();
    }
    let scheme = if conn.channel.kind == ChannelKind::Tls { "https" } else { "http" };
    let host = match host.map(String::from_utf8_lossy).filter(|host| !host.is_empty()) {
        Some(host) => host.into_owned(),
        None => address_of(&conn.server, scheme),
    };
    match target.as_ref() {
        "*" => format!("{scheme}://{host}"),
        path if path.starts_with('/') => format!("{scheme}://{host}{path}"),
        other => format!("{scheme}://{host}/{other}"),
    }
}

/// The server of the connection with the name that the request gives it. The handshake's name
/// stands before the Host field, which a client may fill as it likes.
pub(super) fn server_of(conn: &Conn, method: &str, target: &[u8], host: Option<&[u8]>) -> Endpoint {
    let mut server = conn.server.clone();
    if !matches!(server.name, Some((_, NameSource::Sni))) {
        let target = String::from_utf8_lossy(target);
        let authority = if method == "CONNECT" { None } else { authority_of(&target) };
        let host = host.map(String::from_utf8_lossy);
        let named = authority.or(host.as_deref()).and_then(split_authority);
        // An address in the Host field is no name: the endpoint has the address already.
        if let Some((name, _)) = named.filter(|(name, _)| name.parse::<IpAddr>().is_err()) {
            server.name = Some((name, NameSource::Host));
        }
    }
    server
}

/// The far end of a tunnel: what the CONNECT request asks for. Its address is not on the wire
/// unless the request names it.
pub(super) fn tunnel_end(target: &[u8]) -> Endpoint {
    let target = String::from_utf8_lossy(target);
    let Some((host, port)) = split_authority(&target) else {
        return Endpoint::default();
    };
    let address = host.parse::<IpAddr>().ok();
    Endpoint { address, port, name: address.is_none().then_some((host, NameSource::Host)) }
}

fn is_absolute(target: &str) -> bool {
    authority_of(target).is_some()
}

/// The authority of a target in absolute form.
fn authority_of(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then(|| rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// Host and port of `user@host:port`; brackets around an IPv6 address are taken off. `None` for
/// what is no host: it may be anything.
fn split_authority(authority: &str) -> Option<(String, Option<u16>)> {
    let authority = authority.trim();
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
    let (host, port) = match host_port.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match host_port.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host_port, None),
        },
    };
    let is_host =
        !host.is_empty() && host.len() <= 255 && !host.contains(|c: char| c.is_whitespace() || c.is_control());
    is_host.then(|| (host.to_owned(), port.and_then(|port| port.parse().ok())))
}

fn address_of(server: &Endpoint, scheme: &str) -> String {
    let handshake_name =
        server.name.as_ref().filter(|(_, source)| *source == NameSource::Sni || server.address.is_none());
    let host = match (handshake_name, server.address) {
        (Some((name, _)), _) => name.clone(),
        (None, Some(IpAddr::V6(address))) => format!("[{address}]"),
        (None, Some(IpAddr::V4(address))) => address.to_string(),
        (None, None) => String::new(),
    };
    let default = if scheme == "https" { 443 } else { 80 };
    match server.port {
        Some(port) if port != default => format!("{host}:{port}"),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conn;

    fn url(method: &str, target: &str, host: Option<&str>) -> String {
        url_of(&conn(), method, target.as_bytes(), host.map(str::as_bytes))
    }

    fn name(method: &str, target: &str, host: Option<&str>) -> Option<String> {
        server_of(&conn(), method, target.as_bytes(), host.map(str::as_bytes)).name.map(|(name, _)| name)
    }

    #[test]
    fn urls() {
        assert_eq!(url("GET", "/a?b", Some("x.example:8080")), "http://x.example:8080/a?b");
        assert_eq!(url("GET", "http://y.example/a", Some("x.example")), "http://y.example/a");
        assert_eq!(
            url("GET", "/go?to=http://y.example/", Some("x.example")),
            "http://x.example/go?to=http://y.example/"
        );
        assert_eq!(url("OPTIONS", "*", Some("x.example")), "http://x.example");
        assert_eq!(url("CONNECT", "x.example:443", Some("x.example:443")), "x.example:443");
        assert_eq!(url("GET", "/", None), "http://192.0.2.1/");
        assert_eq!(url("GET", "/", Some("")), "http://192.0.2.1/");
    }

    #[test]
    fn the_scheme_follows_the_channel() {
        let mut conn = conn();
        conn.channel.kind = ChannelKind::Tls;
        assert_eq!(url_of(&conn, "GET", b"/", None), "https://192.0.2.1:80/");
        conn.server = Endpoint { address: Some("2001:db8::1".parse().unwrap()), port: Some(443), name: None };
        assert_eq!(url_of(&conn, "GET", b"/", None), "https://[2001:db8::1]/");
    }

    #[test]
    fn names() {
        assert_eq!(name("GET", "/", Some("x.example:8080")).as_deref(), Some("x.example"));
        assert_eq!(name("GET", "http://u:p@y.example:81/", Some("x.example")).as_deref(), Some("y.example"));
        assert_eq!(name("GET", "/", Some("[2001:db8::1]:80")), None, "an address is no name");
        assert_eq!(name("GET", "/", Some("not a host")), None);
        assert_eq!(name("GET", "/", None), None);
        let mut conn = conn();
        conn.server.name = Some(("sni.example".into(), NameSource::Sni));
        assert_eq!(server_of(&conn, "GET", b"/", Some(b"x.example")).name, conn.server.name);
    }

    #[test]
    fn tunnels_end_where_connect_says() {
        let end = tunnel_end(b"x.example:443");
        assert_eq!((end.address, end.port), (None, Some(443)));
        assert_eq!(end.name, Some(("x.example".into(), NameSource::Host)));
        assert_eq!(tunnel_end(b"192.0.2.9:8443").address, "192.0.2.9".parse().ok());
    }
}
