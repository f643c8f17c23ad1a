//! Compression inside TLS (RFC 3749): one zlib stream for each direction, flushed at each record.

use flate2::{Decompress, FlushDecompress, Status};

/// The longest content of a record before compression: RFC 5246 section 6.2.1. Some exceed it a
/// little.
const LONGEST: usize = (1 << 14) + 1024;

/// A compression method's number: RFC 3749 section 2.
pub(crate) mod method {
    pub(crate) const DEFLATE: u8 = 1;
}

/// One direction's decompression. Every record needs all before it.
pub(crate) struct Inflate(Option<Decompress>);

impl Inflate {
    pub(crate) fn new() -> Self {
        Self(Some(Decompress::new(true)))
    }

    /// A record is missing.
    pub(crate) fn lose(&mut self) {
        self.0 = None;
    }

    /// A record's content; `None` from the first on that cannot be decompressed.
    pub(crate) fn record(&mut self, mut compressed: &[u8]) -> Option<Vec<u8>> {
        let mut stream = self.0.take()?;
        let mut out = Vec::with_capacity(LONGEST);
        while !compressed.is_empty() {
            let before = stream.total_in();
            let status = stream.decompress_vec(compressed, &mut out, FlushDecompress::Sync).ok()?;
            let used = usize::try_from(stream.total_in() - before).ok()?;
            compressed = compressed.get(used..)?;
            if status != Status::Ok || used == 0 {
                break;
            }
        }
        if !compressed.is_empty() {
            return None;
        }
        self.0 = Some(stream);
        Some(out)
    }
}
