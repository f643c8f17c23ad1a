//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::{Connection, Decryptor, Event, Secrets, Side};

/// Reads a key log or PEM.
pub fn key_log(data: &[u8]) {
    let mut secrets = Secrets::default();
    let first = secrets.load(data);
    assert_eq!(secrets.len(), first.secrets);
    assert_eq!(secrets.load(data).secrets, 0, "nothing is new the second time");
}

/// Feeds a connection. Up to the first zero byte the data is a key log; then come, again and
/// again, two bytes that say who sends how much, and the bytes. Bit 15 is the side, bit 14 a gap.
pub fn connection(data: &[u8]) {
    let mut decryptor = Decryptor::default();
    let mut parts = data.splitn(2, |byte| *byte == 0);
    decryptor.secrets.load(parts.next().unwrap_or_default());
    let mut rest = parts.next().unwrap_or_default();
    let mut connection = Connection::new();
    let (mut fed, mut accounted) = (0_u64, 0_u64);
    let mut on = |event: Event<'_>| match event {
        Event::Data { bytes, .. } => accounted += bytes.len() as u64,
        Event::Unreadable { bytes, .. } => accounted += bytes,
        _ => {}
    };
    while let Some((&[high, low], after)) = rest.split_first_chunk() {
        let side = if high & 0x80 == 0 { Side::Client } else { Side::Server };
        let length = usize::from(u16::from_be_bytes([high & 0x3f, low]));
        if high & 0x40 != 0 {
            connection.gap(side, length as u64, &mut decryptor, &mut on);
            rest = after;
            continue;
        }
        let (now, later) = after.split_at(length.min(after.len()));
        connection.feed(side, now, &mut decryptor, &mut on);
        fed += now.len() as u64;
        rest = later;
    }
    connection.end(&mut decryptor, &mut on);
    // Decompression is the one way to more than was fed, and needs a handshake with a key.
    assert!(accounted <= fed || decryptor.matched() > 0, "no byte is given twice");
}
