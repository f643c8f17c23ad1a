//! DNS, multicast DNS and LLMNR messages (RFC 1035, RFC 6762, RFC 4795), over UDP and streams.
//!
//! A question and its answer are one record: the question's type is the method, its name the
//! target, and each answer a field. Where an answer belongs to another name than the one mentioned
//! last, a field `name` says so. EDNS is passed over.

mod exchanges;
mod message;
mod names;
mod stream;

pub(crate) use exchanges::Exchanges;
pub(crate) use message::{is_plain_exchange, parse, shown, type_name};
pub(crate) use names::Names;
pub(crate) use stream::{Stream, likeness};

/// Ports of DNS, multicast DNS and LLMNR.
pub(crate) fn is_port(port: u16) -> bool {
    matches!(port, 53 | 5353 | 5355)
}
