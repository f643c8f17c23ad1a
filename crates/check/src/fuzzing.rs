//! Entries of the fuzz targets.

use crate::service::http::{MOST_BODY, Parsed, parse};

/// Bytes that claim to be an index.
pub fn index(bytes: &[u8]) {
    crate::index::fuzz(bytes);
}

/// Bytes that claim to be a request.
pub fn request(bytes: &[u8]) {
    if let Parsed::Whole(request, length) = parse(bytes) {
        assert!(length <= bytes.len() && request.body.len() <= MOST_BODY, "more was read than came");
    }
}
