//! gRPC messages over HTTP/2 and gRPC-Web: frames of a flag byte, a length of four bytes and a
//! message (gRPC over HTTP2, "Length-Prefixed-Message"; gRPC-Web, "Protocol differences").

use super::table::About;
use super::{Coding, Field, Label, Structure};
use std::ops::{ControlFlow, Range};

/// One frame or several that fill the bytes.
pub(crate) struct Grpc;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: "grpc",
    undoes: "length-prefixed messages of gRPC and gRPC-Web, also compressed ones, and trailers",
    place: "whole bodies and whole fields",
    exact: true,
    source: "gRPC over HTTP2; gRPC-Web",
};

const HEAD: usize = 5;
/// Flag of a compressed message. How, the header `grpc-encoding` says; the bytes tell, too.
const COMPRESSED: u8 = 1;
/// Flag of a gRPC-Web frame that holds trailers.
const TRAILERS: u8 = 0x80;

/// True where frames fill the bytes and one of them holds something.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some((_, message)) = frame(bytes, at) {
        at = message.end;
    }
    bytes.len() > HEAD && at == bytes.len()
}

/// True for a byte that begins a frame.
pub(super) const fn is_flag(byte: u8) -> bool {
    byte & !(COMPRESSED | TRAILERS) == 0
}

/// Flag and message of the frame at `at`. Flags beyond the two known ones belong to other formats.
fn frame(bytes: &[u8], at: usize) -> Option<(u8, Range<usize>)> {
    let [flag, length @ ..] = bytes.get(at..)?.first_chunk::<HEAD>()?;
    let start = at + HEAD;
    let end = start.checked_add(u32::from_be_bytes(*length) as usize)?;
    (is_flag(*flag) && end <= bytes.len()).then_some((*flag, start..end))
}

impl Structure for Grpc {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let trailers = || "trailers".to_owned();
        let (mut at, mut number) = (0, 0);
        while let Some((flag, message)) = frame(bytes, at) {
            at = message.end;
            number += 1;
            let label = if flag & TRAILERS == 0 { Label::Number(number) } else { Label::Made(&trailers) };
            if !message.is_empty() && visit(&Field::new("grpc", label, message, Coding::Plain)).is_break() {
                return;
            }
        }
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }
}

/// One frame around a message.
#[cfg(test)]
pub(crate) fn wrap(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{noise, seen};
    use proptest::prelude::*;

    #[test]
    fn other_flags_and_lengths_that_do_not_fit_are_something_else() {
        assert!(begins(b"\0\0\0\0\x02\x08\x01") && begins(b"\x80\0\0\0\x02a:"));
        assert!(!begins(b"\x02\0\0\0\x02\x08\x01") && !begins(b"\0\0\0\0\x03\x08\x01"));
        assert!(!begins(b"\0\0\0\0\0") && !begins(b"") && !begins(b"\0\0\0\0\x02\x08\x01\0"));
    }

    /// A length of four bytes that fits has odds of one in four thousand million.
    #[test]
    fn random_bytes_do_not_pass() {
        assert_eq!((0..20_000).filter(|seed| begins(&noise(*seed, 64))).count(), 0);
    }

    proptest! {
        #[test]
        fn frames_give_their_messages(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 1..5), flag in 0u8..2) {
            let bytes: Vec<u8> = messages.iter().flat_map(|message| wrap(flag, message)).collect();
            let bytes = [bytes, wrap(TRAILERS, b"grpc-status: 0")].concat();
            prop_assert!(begins(&bytes));
            let found = seen(&Grpc, &bytes);
            let (trailers, found) = found.split_last().unwrap();
            prop_assert_eq!(&trailers.label, "trailers");
            prop_assert_eq!(found.iter().map(|field| bytes[field.range.clone()].to_vec()).collect::<Vec<_>>(), messages);
            prop_assert_eq!(&found[0].label, "1");
        }

        #[test]
        fn any_bytes_are_walked_inside_their_bounds(bytes in proptest::collection::vec(0u8..3, 0..100)) {
            begins(&bytes);
            seen(&Grpc, &bytes);
        }
    }
}
