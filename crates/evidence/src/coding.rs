//! Content codings: gzip, deflate, br, zstd, and their chains (RFC 9110 section 8.4).

use crate::layer::Limits;
use dyetrace_case::{Blob, Flag, Message};

/// Undoes the codings named by the message's Content-Encoding fields: sets `decoded` and
/// `codings`, and returns the flags to add to the record.
pub(crate) fn decode_content(message: &mut Message, limits: &Limits) -> Vec<Flag> {
    let _ = (message, limits);
    Vec::new()
}

/// Undoes one coding by its HTTP name; what was decoded before the fault is kept.
pub(crate) fn decode(body: &Blob, coding: &str, limits: &Limits) -> (Option<Blob>, Option<Flag>) {
    let _ = (body, coding, limits);
    (None, None)
}
