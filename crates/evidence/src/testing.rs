//! What the tests of the layers share: a connection, a sink that keeps everything, feeding in pieces.

use crate::layer::{Conn, Layer, Limits, Out, Tally};
use dyetrace_case::{Blob, Channel, Damage, Endpoint, ExhibitId, Item, Message, Opaque, Record, Side, Time, Transport};

/// Everything a layer emitted.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub(crate) records: Vec<Record>,
    pub(crate) opaque: Vec<Opaque>,
    pub(crate) damages: Vec<Damage>,
    pub(crate) tally: Tally,
}

/// A clear TCP connection from 10.0.0.2:40000 to 192.0.2.1:80.
pub(crate) fn conn() -> Conn {
    let endpoint = |address: [u8; 4], port| Endpoint { address: Some(address.into()), port: Some(port), name: None };
    Conn {
        id: "tcp:0".to_owned(),
        transport: Transport::Tcp,
        client: endpoint([10, 0, 0, 2], 40_000),
        server: endpoint([192, 0, 2, 1], 80),
        channel: Channel::clear(),
        alpn: None,
        app: None,
        mid_stream: false,
        depth: 0,
    }
}

/// Runs `play` with an outlet under `limits` and returns what came out.
pub(crate) fn collect(limits: Limits, play: impl FnOnce(&mut Out<'_>)) -> Got {
    let mut got = Got::default();
    let mut tally = Tally::default();
    let mut tls = dyetrace_tls::Decryptor::default();
    let mut sink = |item| {
        match item {
            Item::Record(record) => got.records.push(*record),
            Item::Opaque(opaque) => got.opaque.push(*opaque),
            Item::Damage(damage) => got.damages.push(damage),
        }
        Ok(())
    };
    play(&mut Out::new(ExhibitId([0; 32]), limits, &mut tls, &mut tally, &mut sink));
    got.tally = tally;
    got
}

/// One turn of a conversation.
pub(crate) enum Turn<'a> {
    /// The client sends.
    Client(&'a [u8]),
    /// The server sends.
    Server(&'a [u8]),
    /// That many bytes of a side are missing.
    Gap(Side, u64),
}

/// Plays a conversation in pieces of at most `piece` bytes, then ends the connection.
pub(crate) fn converse(layer: &mut dyn Layer, piece: usize, turns: &[Turn<'_>]) -> Got {
    collect(Limits::default(), |out| {
        let mut now = 0;
        for turn in turns {
            let (side, bytes) = match turn {
                Turn::Client(bytes) => (Side::Request, *bytes),
                Turn::Server(bytes) => (Side::Response, *bytes),
                Turn::Gap(side, length) => {
                    layer.gap(*side, *length, Time(now), out);
                    continue;
                }
            };
            for chunk in bytes.chunks(piece) {
                now += 1_000_000;
                layer.data(side, chunk, Time(now), out);
            }
        }
        layer.end(out);
    })
}

/// The bytes of a body in memory.
pub(crate) fn bytes(blob: Option<&Blob>) -> Vec<u8> {
    blob.and_then(Blob::as_slice).map(<[u8]>::to_vec).unwrap_or_default()
}

/// The decoded content of a message.
pub(crate) fn content(message: Option<&Message>) -> Vec<u8> {
    bytes(message.and_then(Message::content))
}
