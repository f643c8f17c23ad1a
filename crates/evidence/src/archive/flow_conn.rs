//! Who talked to whom in a mitmproxy flow, and how the way to the server was protected.

use super::tnetstring::Value;
use super::{suites, url};
use dyetrace_case::{Channel, ChannelKind, Endpoint, NameSource};
use std::net::IpAddr;

/// Both ends of a flow and the protection between the proxy and the server.
///
/// The proxy ends the client's TLS itself, so the protection that counts is the one towards the
/// server; where the server was never reached it is what the scheme asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peers {
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) channel: Channel,
}

/// Reads `client_conn`, `server_conn` and the request's own host and scheme.
pub(super) fn peers(flow: &Value) -> Peers {
    let request = flow.get("request");
    let conn = flow.get("server_conn");
    let client = flow.get("client_conn").and_then(|conn| conn.first(&["peername", "address"])).and_then(address);
    let (address, port) = client.unwrap_or_default();
    let client = Endpoint { address: address.and_then(|text| ip(&text)), port, name: None };
    Peers { client, server: server(conn, request), channel: channel(flow, conn, request) }
}

fn server(conn: Option<&Value>, request: Option<&Value>) -> Endpoint {
    let configured = conn.and_then(|conn| conn.get("address")).and_then(address);
    // Behind an upstream proxy the peer is that proxy.
    let direct = conn.filter(|conn| conn.first(&["via", "via2"]).is_none());
    let peer = direct.and_then(|conn| conn.first(&["peername", "ip_address", "peer_address"])).and_then(address);
    let request_host = request.and_then(|request| request.get("host")?.string());
    let request_port =
        request.and_then(|request| request.get("port")?.integer()).and_then(|port| u16::try_from(port).ok());
    let (configured_host, configured_port) = configured.unwrap_or_default();
    let (peer_host, peer_port) = peer.unwrap_or_default();
    let hosts = [peer_host, configured_host.clone(), request_host.clone()];
    Endpoint {
        address: hosts.iter().flatten().find_map(|host| ip(host)),
        port: peer_port.or(configured_port).or(request_port),
        name: name(conn, request, [request_host, configured_host]),
    }
}

/// The server's name: SNI where TLS was used, else the Host field or `:authority`, else the host
/// the proxy was told.
fn name(conn: Option<&Value>, request: Option<&Value>, hosts: [Option<String>; 2]) -> Option<(String, NameSource)> {
    let sni = conn.filter(|conn| uses_tls(conn)).and_then(|conn| conn.get("sni")?.string());
    if let Some(sni) = sni.filter(|sni| ip(sni).is_none()) {
        return Some((sni, NameSource::Sni));
    }
    let authority = request.and_then(|request| request.get("authority")?.string());
    let candidates = [host_field(request), authority].into_iter().chain(hosts);
    let names = candidates.flatten().map(|text| url::host_and_port(&text).0.to_owned());
    names.into_iter().find(|name| !name.is_empty() && ip(name).is_none()).map(|name| (name, NameSource::Host))
}

fn host_field(request: Option<&Value>) -> Option<String> {
    let fields = request?.get("headers")?.items();
    fields.iter().find_map(|pair| {
        let [name, value] = pair.items() else { return None };
        let name = name.bytes()?;
        let matches = [&b"host"[..], b":authority"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if matches { value.string() } else { None }
    })
}

fn channel(flow: &Value, conn: Option<&Value>, request: Option<&Value>) -> Channel {
    let conn_tls = conn.filter(|conn| uses_tls(conn));
    let scheme = request.and_then(|request| request.get("scheme")?.string());
    let Some(conn) = conn_tls else {
        let kind = match scheme.as_deref() {
            Some("https" | "wss") => ChannelKind::Tls,
            _ => ChannelKind::Clear,
        };
        let reached = conn.is_some_and(|conn| conn.first(&["timestamp_start", "timestamp_tcp_setup"]).is_some());
        let known = scheme.is_some() || reached || flow.get("messages").is_some();
        let kind = if known { kind } else { ChannelKind::Unknown };
        return Channel { kind, version: None, suite: None };
    };
    let version = conn.get("tls_version").and_then(Value::string);
    let kind = match version.as_deref() {
        Some(text) if text.starts_with("QUIC") => ChannelKind::Quic,
        Some(text) if text.starts_with("DTLS") => ChannelKind::Dtls,
        _ => ChannelKind::Tls,
    };
    let suite = conn.first(&["cipher", "cipher_name"]).and_then(Value::string);
    Channel {
        kind,
        version: version.map(|text| version_name(&text)),
        suite: suite.map(|suite| suites::iana_name(&suite)),
    }
}

fn uses_tls(conn: &Value) -> bool {
    ["tls", "tls_established", "ssl_established"].iter().any(|name| conn.get(name).is_some_and(Value::is_true))
}

/// `TLSv1.3` becomes `TLS 1.3`; `QUIC` means TLS 1.3 (RFC 9001).
fn version_name(recorded: &str) -> String {
    match recorded.split_once('v') {
        _ if recorded.starts_with("QUIC") => "TLS 1.3".to_owned(),
        Some((name, "1")) => format!("{name} 1.0"),
        Some((name, number)) => format!("{name} {number}"),
        None => recorded.to_owned(),
    }
}

/// `[host, port, …]`, or that within a dictionary as before format 2.
fn address(value: &Value) -> Option<(Option<String>, Option<u16>)> {
    let value = value.get("address").unwrap_or(value);
    let [host, port, ..] = value.items() else { return None };
    let port = port.integer().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    Some((host.string(), port))
}

/// An IP address; one of IPv4 in IPv6 clothes is undressed.
fn ip(text: &str) -> Option<IpAddr> {
    let text = text.split('%').next().unwrap_or_default();
    text.trim_matches(['[', ']']).parse().ok().map(|ip: IpAddr| ip.to_canonical())
}
