//! What a connection becomes after 101 Switching Protocols or a successful CONNECT (RFC 9110
//! sections 7.8 and 9.3.6).

use super::head::{Field, text, values};
use super::pairing::Exchange;
use super::url::tunnel_end;
use crate::flow::Dispatch;
use crate::http::Http2;
use crate::layer::{Conn, Layer, Limits};
use crate::websocket::{Deflate, WebSocket};
use dyetrace_case::Message;

/// True for a request whose success makes the connection another protocol's.
pub(super) fn is_asked_for(request: &Message) -> bool {
    request.method.as_deref() == Some("CONNECT") || values(&request.headers, "upgrade").next().is_some()
}

/// The layer for the bytes behind the exchange's response, where they are no longer HTTP/1.
pub(super) fn next_layer(conn: &Conn, exchange: &Exchange, limits: &Limits) -> Option<Box<dyn Layer>> {
    let response = exchange.response.message()?;
    let request = exchange.request.message();
    let mut inner = Conn { server: exchange.server.clone(), mid_stream: false, depth: conn.depth + 1, ..conn.clone() };
    let tunnel = exchange.method() == Some("CONNECT") && response.status.is_some_and(|status| status / 100 == 2);
    if tunnel {
        inner.id.push_str("/connect");
        inner.server = tunnel_end(request.and_then(|request| request.target.as_deref()).unwrap_or_default());
        inner.alpn = None;
        return dispatch(inner, limits);
    }
    if response.status != Some(101) {
        return None;
    }
    let upgrade = upgrade_name(&response.headers).or(request.and_then(|request| upgrade_name(&request.headers)));
    match upgrade.as_deref() {
        Some("websocket") => {
            let url = request.and_then(|request| request.url.clone());
            let subprotocol = text(&response.headers, "sec-websocket-protocol");
            let websocket = WebSocket::new(inner, deflate(&response.headers), url);
            Some(Box::new(websocket.carrying(subprotocol.map(str::trim))))
        }
        Some("h2c") => Some(Box::new(Http2::upgraded(inner, request.and_then(|request| request.url.clone())))),
        _ => {
            inner.id.push_str("/upgrade");
            inner.alpn = None;
            dispatch(inner, limits)
        }
    }
}

/// Where layers are nested too deeply, the bytes stay with the HTTP layer, which makes a record
/// without structure of them.
fn dispatch(inner: Conn, limits: &Limits) -> Option<Box<dyn Layer>> {
    (inner.depth <= limits.nesting).then(|| Box::new(Dispatch::new(inner)) as Box<dyn Layer>)
}

fn upgrade_name(headers: &[Field]) -> Option<String> {
    text(headers, "upgrade").map(|name| name.trim().to_ascii_lowercase())
}

/// The parameters of permessage-deflate that the server agreed to (RFC 7692 section 7.1).
fn deflate(headers: &[Field]) -> Option<Deflate> {
    let fields = values(headers, "sec-websocket-extensions").filter_map(|value| std::str::from_utf8(value).ok());
    let mut extensions = fields
        .flat_map(|value| value.split(','))
        .map(|extension| extension.split(';').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>());
    let agreed = extensions.find(|parts| parts.first().is_some_and(|name| name == "permessage-deflate"))?;
    let has = |parameter: &str| agreed.iter().any(|part| part == parameter);
    Some(Deflate {
        client_no_context_takeover: has("client_no_context_takeover"),
        server_no_context_takeover: has("server_no_context_takeover"),
    })
}
