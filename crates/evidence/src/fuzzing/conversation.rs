//! Layers fed with a conversation made of arbitrary bytes.

use crate::http::{Http2, hpack};
use crate::layer::{Conn, Layer, Limits, Out, Tally};
use crate::mqtt::Mqtt;
use dyetrace_case::{Blob, Channel, Endpoint, ExhibitId, Item, Side, Time, Transport};

/// Reads `data` as the two directions of an HTTP/2 connection; see [`conversation`].
pub fn http2(data: &[u8]) {
    conversation(data, |conn| Box::new(Http2::new(conn)));
}

/// Reads `data` as the two directions of an MQTT connection; see [`conversation`].
pub fn mqtt(data: &[u8]) {
    conversation(data, |conn| Box::new(Mqtt::new(conn)));
}

/// Reads `data` as field blocks of one HPACK table, each after a byte that gives its length.
pub fn hpack(data: &[u8]) {
    let limits = small_limits();
    let mut decoder = hpack::Decoder::new(data.len() % 2 == 1);
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (block, tail) = after.split_at(after.len().min(usize::from(*length)));
        let list = decoder.decode(block, &limits);
        let bytes: usize = list.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= limits.head, "a field list is bounded");
        rest = tail;
    }
}

/// Feeds a layer with a script: each turn is a byte whose lowest bit is the side and whose second
/// bit asks for a gap, a byte that is the length, and that many bytes.
fn conversation(data: &[u8], layer: impl FnOnce(Conn) -> Box<dyn Layer>) {
    let mid_stream = data.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut layer = layer(connection(mid_stream));
    let mut tls = dyetrace_tls::Decryptor::default();
    let mut tally = Tally::default();
    let mut sink = |item: Item| {
        if let Item::Record(record) = item {
            let bodies =
                [&record.request, &record.response].into_iter().flatten().filter_map(|message| message.content());
            assert!(bodies.map(Blob::len).sum::<u64>() <= 1 << 20, "bodies are bounded");
        }
        Ok(())
    };
    let mut out = Out::new(ExhibitId([0; 32]), small_limits(), &mut tls, &mut tally, &mut sink);
    let mut rest = data;
    let mut now = 0;
    while let [how, length, after @ ..] = rest {
        now += 1;
        let side = if how & 1 == 0 { Side::Request } else { Side::Response };
        if how & 2 != 0 {
            layer.gap(side, u64::from(*length) + 1, Time(now), &mut out);
            rest = after;
            continue;
        }
        let (bytes, tail) = after.split_at(after.len().min(usize::from(*length)));
        layer.data(side, bytes, Time(now), &mut out);
        rest = tail;
    }
    layer.end(&mut out);
}

fn connection(mid_stream: bool) -> Conn {
    Conn {
        id: "tcp:0".to_owned(),
        transport: Transport::Tcp,
        client: Endpoint::default(),
        server: Endpoint::default(),
        channel: Channel::clear(),
        alpn: None,
        app: None,
        mid_stream,
        depth: 0,
    }
}

/// Limits small enough for a short input to reach them.
fn small_limits() -> Limits {
    Limits { head: 2000, fields: 20, open_exchanges: 4, out_of_order: 4000, held: 8000, ..Limits::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Turns of a valid conversation in the form of the script.
    fn script(turns: &[(u8, &[u8])]) -> Vec<u8> {
        let turn = |(how, bytes): &(u8, &[u8])| {
            bytes.chunks(255).flat_map(|piece| [&[*how, piece.len() as u8], piece].concat()).collect::<Vec<u8>>()
        };
        turns.iter().flat_map(turn).collect()
    }

    fn mutated(mut bytes: Vec<u8>, changes: &[(usize, u8)]) -> Vec<u8> {
        for (place, value) in changes {
            let length = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(place % length) {
                *byte = *value;
            }
        }
        bytes
    }

    const HTTP2: &[(u8, &[u8])] = &[
        (0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        (0, b"\0\0\x07\x01\x04\0\0\0\x01\x82\x87\x84\x41\x02ab\0\0\x04\0\x01\0\0\0\x01body"),
        (1, b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x05\0\x09\0\0\0\x01\x02ok\0\0"),
        (2, b""),
        (0, b"\0\0\x04\0\x01\0\0\0\x03tail\0\0\x04\x08\0\0\0\0\0\0\0\0\x01"),
    ];

    const MQTT: &[(u8, &[u8])] = &[
        (0, b"\x10\x1d\0\x04MQTT\x05\xc2\0\x3c\x03\x21\0\x0a\0\x01c\0\x01u\0\x06secret"),
        (1, b"\x20\x03\0\0\0"),
        (0, b"\x32\x12\0\x03t/1\0\x01\x03\x23\0\x01payload"),
        (0, b"\x32\x0f\0\0\0\x02\x03\x23\0\x01payload\x82\x07\0\x01\0\0\x01a\x01"),
        (1, b"\x30\x0a\0\x03cmd\0gap!\x40\x02\0\x01"),
        (2, b""),
        (0, b"lost\x30\x08\0\x03cmdend\xe0\x02\x04\0"),
    ];

    proptest! {
        #[test]
        fn mqtt_survives(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            mqtt(&data);
        }

        #[test]
        fn mqtt_survives_changes(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..8)) {
            mqtt(&mutated(script(MQTT), &changes));
        }

        #[test]
        fn http2_survives(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            http2(&data);
        }

        #[test]
        fn http2_survives_changes(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..8)) {
            http2(&mutated(script(HTTP2), &changes));
        }

        #[test]
        fn hpack_survives(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            hpack(&data);
        }
    }
}
