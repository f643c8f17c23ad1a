//! Where a packet could begin, for a direction that lost its place.

use super::packet::{CONNECT, FixedHeader, PUBLISH};
use super::reader::{Malformed, Reader};
use crate::resync::Fit;
use dyetrace_case::Side;

/// The longest topic that a search believes in.
const BELIEVED_TOPIC: usize = 1024;
/// The longest packet other than PUBLISH that a search believes in.
const BELIEVED_LENGTH: usize = 4096;

/// A CONNECT with its protocol name or a PUBLISH with a readable topic is enough; of other
/// packets, whose headers say little, three in a row, or at the end of the bytes (`last`) such as
/// end exactly there.
pub(super) fn fits(bytes: &[u8], side: Side, last: bool) -> Fit {
    let mut rest = bytes;
    for nth in 0..3 {
        if nth > 0 && rest.is_empty() && last {
            return Fit::Yes;
        }
        let header = match FixedHeader::parse(rest) {
            None => return Fit::Undecided,
            Some(Err(Malformed)) => return Fit::No,
            Some(Ok(header)) if !header.is_plausible(side) => return Fit::No,
            Some(Ok(header)) => header,
        };
        let body = rest.get(header.size..).unwrap_or_default();
        match header.kind {
            CONNECT => return connect(body),
            PUBLISH => return publish(header, body),
            _ if header.length > BELIEVED_LENGTH => return Fit::No,
            _ => match body.get(header.length..) {
                Some(after) => rest = after,
                None => return Fit::Undecided,
            },
        }
    }
    Fit::Yes
}

fn connect(body: &[u8]) -> Fit {
    let begins = |name: &[u8]| body.starts_with(name) || name.starts_with(body);
    match (begins(b"\0\x04MQTT"), begins(b"\0\x06MQIsdp")) {
        (false, false) => Fit::No,
        _ if body.len() < 8 => Fit::Undecided,
        _ => Fit::Yes,
    }
}

fn publish(header: FixedHeader, body: &[u8]) -> Fit {
    let mut rest = body;
    let Ok(length) = Reader::u16(&mut rest) else { return Fit::Undecided };
    let length = usize::from(length);
    if length == 0 || length > BELIEVED_TOPIC || length + 2 > header.length {
        return Fit::No;
    }
    let Ok(topic) = Reader::take(&mut rest, length) else { return Fit::Undecided };
    let wildcard_free = std::str::from_utf8(topic)
        .is_ok_and(|topic| topic.chars().all(|letter| !letter.is_control() && letter != '#' && letter != '+'));
    if wildcard_free { Fit::Yes } else { Fit::No }
}
