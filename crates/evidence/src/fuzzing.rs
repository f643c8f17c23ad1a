//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

mod archives;
mod conversation;
mod packets;
mod provisioning;
mod transport;

use crate::coding::decode;
use crate::http::Http1;
use crate::layer::{Conn, Layer, Limits, Out, Tally};
use crate::websocket::{Deflate, WebSocket};
use dyetrace_case::{Blob, BlobWriterLimits, Channel, Endpoint, ExhibitId, Item, Side, Time, Transport};

pub use archives::{flows, har, snapshot};
pub use conversation::{hpack, http2, mqtt};
pub use packets::{capture, packet};
pub use provisioning::provisioning;
pub use transport::{dispatch, dns, tcp, udp};

/// Limits under which one run of a fuzz target stays small.
fn small_limits() -> Limits {
    let small = BlobWriterLimits { memory: 64 << 10, total: 1 << 20 };
    Limits { body: small, decoded: small, ..Limits::default() }
}

/// Undoes a content coding: the first byte picks it, the rest is the body.
pub fn coding(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let name = ["gzip", "deflate", "br", "zstd"][usize::from(kind % 4)];
    let limits = small_limits();
    let (decoded, _) = decode(&Blob::from(body.to_vec()), name, &limits);
    assert!(decoded.is_none_or(|decoded| decoded.len() <= limits.decoded.total));
}

/// A connection's pieces as a fuzz target cuts them out of `data`: a byte that says whose piece
/// follows (or that bytes are missing) and how long it is, then the piece.
fn converse(layer: &mut dyn Layer, mut data: &[u8]) {
    let (mut tls, mut tally) = (dyetrace_tls::Decryptor::default(), Tally::default());
    let mut sink = |_: Item| Ok(());
    let mut out = Out::new(ExhibitId([0; 32]), small_limits(), &mut tls, &mut tally, &mut sink);
    let mut now = 0;
    while let Some((control, rest)) = data.split_first() {
        let side = if control & 1 == 0 { Side::Request } else { Side::Response };
        let length = usize::from(control >> 3) * 8;
        let (piece, rest) = rest.split_at(length.min(rest.len()));
        now += 1;
        match control & 6 {
            6 => layer.gap(side, length as u64 + 1, Time(now), &mut out),
            4 if piece.is_empty() => layer.side_end(side, Time(now), &mut out),
            _ => layer.data(side, piece, Time(now), &mut out),
        }
        data = rest;
    }
    layer.end(&mut out);
}

/// A clear connection.
fn conn() -> Conn {
    let endpoint = |last, port| Endpoint { address: Some([192, 0, 2, last].into()), port: Some(port), name: None };
    Conn {
        id: "tcp:0".to_owned(),
        transport: Transport::Tcp,
        client: endpoint(1, 40_000),
        server: endpoint(2, 80),
        channel: Channel::clear(),
        alpn: None,
        app: None,
        mid_stream: false,
        depth: 0,
    }
}

/// Reads an HTTP/1 connection.
pub fn http1(data: &[u8]) {
    converse(&mut Http1::new(conn()), data);
}

/// Reads a WebSocket connection; the first byte says what was agreed about compression and
/// content.
pub fn websocket(data: &[u8]) {
    let Some((agreed, data)) = data.split_first() else { return };
    let deflate = Deflate { client_no_context_takeover: agreed & 2 != 0, server_no_context_takeover: agreed & 4 != 0 };
    let websocket = WebSocket::new(conn(), (agreed & 1 != 0).then_some(deflate), None);
    converse(&mut websocket.carrying((agreed & 8 != 0).then_some("mqtt")), data);
}
