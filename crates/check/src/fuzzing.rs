//! Entries of the fuzz targets.

use crate::service::http::{MOST_BODY, Parsed, parse};

/// Bytes that claim to be an index.
pub fn index(data: &[u8]) {
    crate::index::fuzz(data);
}

/// Bytes that claim to be a request.
pub fn request(data: &[u8]) {
    if let Parsed::Whole(request, length) = parse(data) {
        assert!(length <= data.len() && request.body.len() <= MOST_BODY, "more was read than came");
    }
}
