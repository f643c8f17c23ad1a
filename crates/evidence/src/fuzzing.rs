//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

mod conversation;
mod packets;

use crate::coding::decode;
use crate::layer::Limits;
use dyetrace_case::{Blob, BlobWriterLimits};

pub use conversation::{hpack, http2, mqtt};
pub use packets::{capture, packet};

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
