//! URLs and request targets: RFC 3986 section 3, RFC 9112 section 3.2.

use super::table::About;
use super::{Coding, Field, Label, Structure, form};
use std::ops::{ControlFlow, Range};

/// The row of the table of wrappings.
pub(crate) const PATH: About = About {
    name: "path",
    undoes: "segments of a path, by number",
    place: "request targets, whole URLs",
    exact: true,
    source: "RFC 3986 section 3.3",
};

/// The row of the table of wrappings.
pub(crate) const QUERY: About = About {
    name: "query",
    undoes: "values of a query, with percent escapes and `+` for space",
    place: "request targets, whole URLs",
    exact: true,
    source: "URL Living Standard section 5.1",
};

/// The row of the table of wrappings.
pub(crate) const FRAGMENT: About = About {
    name: "fragment",
    undoes: "what follows `#`",
    place: "request targets, whole URLs",
    exact: true,
    source: "RFC 3986 section 3.5",
};

/// Path segments, then query values, then the fragment.
pub(crate) struct Url;

/// Longest scheme that is recognised.
const LONGEST_SCHEME: usize = 16;
/// Longest text that is taken for a URL.
const LONGEST: usize = 64 << 10;

/// True for text that begins with a scheme and `://`, or is a path with a query, without spaces.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let start = bytes.get(..LONGEST_SCHEME + 3).unwrap_or(bytes);
    // The first colon ends the scheme.
    let absolute = memchr::memchr(b':', start).is_some_and(|at| {
        let is_followed = start[at..].starts_with(b"://");
        is_followed
            && at > 0
            && start[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    let path = || bytes.first() == Some(&b'/') && memchr::memchr(b'?', bytes).is_some();
    bytes.len() <= LONGEST && (absolute || path()) && bytes.iter().all(|byte| *byte > b' ' && *byte != b'"')
}

impl Structure for Url {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = walk(bytes, visit);
    }

    fn plus_is_space(&self) -> bool {
        true
    }
}

fn walk(bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    let fragment = memchr::memchr(b'#', bytes).unwrap_or(bytes.len());
    let query = memchr::memchr(b'?', &bytes[..fragment]).unwrap_or(fragment);
    walk_path(bytes, path_start(&bytes[..query])..query, visit)?;
    if query < fragment {
        form::walk_pairs("query", bytes, query + 1..fragment, b'&', Coding::Form, visit)?;
    }
    let range = fragment + 1..bytes.len();
    if range.start < range.end {
        visit(&Field::new("fragment", Label::None, range, Coding::Percent))?;
    }
    ControlFlow::Continue(())
}

/// Where the path begins: behind scheme and authority, if there are any.
fn path_start(text: &[u8]) -> usize {
    let head = text.get(..LONGEST_SCHEME + 3).unwrap_or(text);
    let Some(scheme) = head.windows(3).position(|three| three == b"://").filter(|_| text.first() != Some(&b'/')) else {
        return 0;
    };
    memchr::memchr(b'/', &text[scheme + 3..]).map_or(text.len(), |at| scheme + 3 + at)
}

fn walk_path(
    bytes: &[u8],
    path: Range<usize>,
    visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut start = path.start;
    let mut number = 0;
    while start < path.end {
        let end = memchr::memchr(b'/', &bytes[start..path.end]).map_or(path.end, |at| start + at);
        if start < end {
            number += 1;
            let label = Label::Number(number);
            visit(&Field::new("path", label, start..end, Coding::Percent))?;
        }
        start = end + 1;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        Url.walk(text.as_bytes(), &mut |field| {
            let detail = field.label.detail().unwrap_or_default();
            found.push(format!("{} {detail}: {}", field.codec, &text[field.range.clone()]));
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn segments_and_queries_are_fields_and_the_authority_is_not() {
        let found = fields("https://u@h.example:1/a//b%20c?x=1&y=2&&z#frag");
        assert_eq!(found, ["path 1: a", "path 2: b%20c", "query x: 1", "query y: 2", "query : z", "fragment : frag"]);
        assert_eq!(fields("/a?u=http://b/c"), ["path 1: a", "query u: http://b/c"]);
        assert_eq!(fields("example.com:443"), ["path 1: example.com:443"]);
        assert!(fields("https://host").is_empty());
    }

    #[test]
    fn only_whole_urls_are_recognised() {
        assert!(begins(b"https://a/b") && begins(b"/x?y=1"));
        assert!(!begins(b"/usr/bin") && !begins(b"see https://a") && !begins(b"://a") && !begins(b"http://a b"));
    }
}
