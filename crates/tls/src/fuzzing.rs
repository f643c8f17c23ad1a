//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::{Connection, Decryptor, Secrets, Side};

/// Reads a key log or PEM.
pub fn key_log(data: &[u8]) {
    let mut secrets = Secrets::default();
    let first = secrets.load(data);
    assert_eq!(secrets.len(), first.secrets);
    assert_eq!(secrets.load(data).secrets, 0, "nothing is new the second time");
}

/// Feeds a connection: two bytes of length and side, then the bytes, again and again; 0xffff is a
/// gap. What comes after the first zero length is the key log.
pub fn connection(data: &[u8]) {
    let mut decryptor = Decryptor::default();
    let (script, log) = data.iter().position(|byte| *byte == 0).map_or((data, &[][..]), |at| data.split_at(at));
    decryptor.secrets.load(log.get(1..).unwrap_or_default());
    let mut connection = Connection::new();
    let (mut fed, mut accounted) = (0_u64, 0_u64);
    let mut on = |event: crate::Event<'_>| match event {
        crate::Event::Data { bytes, .. } => accounted += bytes.len() as u64,
        crate::Event::Unreadable { bytes, .. } => accounted += bytes,
        _ => {}
    };
    let mut rest = if log.is_empty() { script } else { data };
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
    assert!(accounted <= fed, "no byte is given twice");
}
