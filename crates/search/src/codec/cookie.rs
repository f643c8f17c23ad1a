//! Cookie and Set-Cookie field values: RFC 6265 sections 4.1.1 and 4.2.1.

use super::table::About;
use super::{Coding, Field, Structure, form};
use std::ops::ControlFlow;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "cookie",
    undoes: "pairs of Cookie and Set-Cookie",
    place: "header fields",
    exact: true,
    source: "RFC 6265 sections 4.1.1 and 4.2.1",
};

/// `name=value; name=value`. Attributes of Set-Cookie are read as pairs too.
pub(crate) struct Cookie;

impl Structure for Cookie {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = form::walk_pairs("cookie", bytes, 0..bytes.len(), b';', Coding::Plain, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_named() {
        let text = b"sid=abc; phone=138; HttpOnly";
        let mut found = Vec::new();
        Cookie.walk(text, &mut |field| {
            found.push((field.label.detail(), &text[field.range.clone()]));
            ControlFlow::Continue(())
        });
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(found, [(named("sid"), &b"abc"[..]), (named("phone"), b"138"), (None, b"HttpOnly")]);
    }
}
