//! Archive readers fed with arbitrary bytes.

use super::small_limits;
use crate::archive;
use crate::layer::{Out, Tally};
use dyetrace_case::{ExhibitId, Item};

/// Reads a HAR file.
pub fn har(data: &[u8]) {
    with_outlet(|out| archive::har::read(&mut &*data, data.len() as u64, out, &mut |_| ()));
}

/// Reads a mitmproxy flow file.
pub fn flows(data: &[u8]) {
    with_outlet(|out| archive::flows::read(&mut &*data, data.len() as u64, out, &mut |_| ()));
}

/// Reads collected files: tar, ZIP or an Android backup, whichever the bytes begin like; nothing where they begin like
/// something else.
pub fn snapshot(data: &[u8]) {
    let Ok(opened) = crate::open_bytes("fuzzed", data) else { return };
    if opened.exhibit().format.is_snapshot() {
        with_outlet(|out| crate::snapshot::read(&opened, out, &mut |_| ()));
    }
}

/// Runs a reader under small limits and checks what holds for every item.
fn with_outlet(read: impl FnOnce(&mut Out<'_>)) {
    let mut tally = Tally::default();
    let mut tls = dyetrace_tls::Decryptor::default();
    let mut sink = |item| {
        if let Item::Record(record) = item {
            assert!(record.flags.is_sorted());
            assert!(record.request.is_some() || record.response.is_some());
        }
        Ok(())
    };
    read(&mut Out::new(ExhibitId([0; 32]), small_limits(), &mut tls, &mut tally, &mut sink));
}
