//! JSON Web Tokens: the compact serialisations of JWS (RFC 7515, section 7.1) and JWE (RFC 7516,
//! section 7.1), with disclosures (RFC 9901) behind them. Base64url is left to its own codec.

use super::table::About;
use super::{Coding, Field, Label, Structure};
use std::ops::ControlFlow;

/// One token.
pub(crate) struct Jwt;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "header, claims, signature and disclosures of signed tokens, the parts of encrypted ones",
    place: "whole bodies and whole fields",
    exact: true,
    source: "RFC 7515; RFC 7516; RFC 9901",
};

const NAME: &str = "jwt";
/// Base64url of `{"`, with which a header begins.
const BEGIN: &[u8] = b"eyJ";
/// Longest text that is taken for a token.
const LONGEST: usize = 64 << 10;
const SIGNED: [&str; 3] = ["header", "claims", "signature"];
const ENCRYPTED: [&str; 5] = ["header", "encrypted key", "initialisation vector", "ciphertext", "tag"];

/// True for three or five parts of base64url of which the first is a JSON object.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGIN) && bytes.len() <= LONGEST && names(bytes).is_some() && bytes.iter().all(|byte| in_token(*byte))
}

fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'=')
}

/// What the parts between the points are called.
fn names(bytes: &[u8]) -> Option<&'static [&'static str]> {
    match memchr::memchr_iter(b'.', bytes).count() {
        2 => Some(&SIGNED),
        4 => Some(&ENCRYPTED),
        _ => None,
    }
}

impl Structure for Jwt {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let mut names = names(bytes).unwrap_or_default().iter();
        let mut start = 0;
        for end in memchr::memchr2_iter(b'.', b'~', bytes).chain([bytes.len()]) {
            let disclosed = start > 0 && bytes.get(start - 1) == Some(&b'~');
            let name = if disclosed { Some(&"disclosure") } else { names.next() };
            let label = || (*name.unwrap_or(&"")).to_owned();
            let field = Field::new(NAME, Label::Made(&label), start..end, Coding::Plain);
            if start < end && visit(&field).is_break() {
                return;
            }
            start = end + 1;
        }
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::seen;
    use proptest::prelude::*;

    /// RFC 7515, appendix A.1, shortened signature.
    const SIGNED_EXAMPLE: &[u8] = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODB9.dBjftJeZ4CVP";

    #[test]
    fn parts_are_named() {
        assert!(begins(SIGNED_EXAMPLE));
        let found = seen(&Jwt, SIGNED_EXAMPLE);
        assert_eq!(found.iter().map(|field| field.label.as_str()).collect::<Vec<_>>(), SIGNED);
        assert_eq!(&SIGNED_EXAMPLE[found[1].range.clone()][..8], b"eyJpc3Mi");
        let encrypted = b"eyJhbGciOiJSU0EifQ.a2V5.aXY.Y2lwaGVy.dGFn";
        assert!(begins(encrypted));
        assert_eq!(seen(&Jwt, encrypted)[4].label, "tag");
        let disclosing = [SIGNED_EXAMPLE, b"~WyJhIl0~"].concat();
        assert!(begins(&disclosing));
        assert_eq!(seen(&Jwt, &disclosing)[3].label, "disclosure");
    }

    #[test]
    fn other_text_is_no_token() {
        for text in ["eyJ", "eyJhIjoxfQ", "eyJ.a", "eyJ.a b.c", "www.example.com", "eyJ.a.b.c"] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_walked_in_order(text in "[a.~]{0,40}") {
            seen(&Jwt, text.as_bytes());
        }
    }
}
