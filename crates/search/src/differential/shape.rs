//! What makes two requests of different runs the same request: host, method, and a path in which
//! segments that look generated stand as `*`.

use crate::codec::shown;
use dyetrace_case::{Protocol, Record, Shape};
use std::ops::Range;

/// What stands for a generated part of a name.
pub(super) const GENERATED: &str = "*";

/// Longest name kept, in bytes.
const LONGEST: usize = 512;

/// A name with its generated parts replaced, and where those lie.
pub(super) struct Template {
    /// The name with `*`.
    pub(super) text: String,
    /// Number (from 1) and place of each part that was replaced.
    pub(super) generated: Vec<(usize, Range<usize>)>,
}

/// The template of a text whose parts are separated by one byte.
pub(super) fn template(text: &[u8], separator: u8) -> Template {
    let mut template = Template { text: String::new(), generated: Vec::new() };
    let (mut start, mut number) = (0, 0);
    for (index, part) in text.split(|byte| *byte == separator).enumerate() {
        if index > 0 {
            template.text.push(char::from(separator));
        }
        number += usize::from(!part.is_empty());
        if is_generated(part) {
            template.generated.push((number, start..start + part.len()));
            template.text.push_str(GENERATED);
        } else {
            template.text.push_str(&shown(part));
        }
        start += part.len() + 1;
        if template.text.len() > LONGEST {
            template.text.push('…');
            break;
        }
    }
    template
}

/// Shortest text that its length alone gives away as generated, if it is not made of words.
const LONG: usize = 20;

/// True for a text that a program made rather than a person: a number, an identifier, a digest, a
/// date, an escape. Versions (`v1`, `api2`) and words with dashes are names.
pub(super) fn is_generated(text: &[u8]) -> bool {
    let count = |class: fn(&u8) -> bool| text.iter().filter(|byte| class(byte)).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let joints = text.iter().filter(|byte| matches!(byte, b'-' | b'_' | b'.' | b'~' | b'$' | b'!')).count();
    let others = text.len() - digits - upper - lower - joints;
    let words = digits == 0 && (upper == 0 || lower == 0 || joints > 0);
    match text.len() {
        0 => false,
        _ if others > 0 => true,
        length if digits + joints == length => digits > 0,
        length if length >= 8 && digits > 0 && text.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') => {
            true
        }
        length if length >= LONG => !words,
        length => length >= 6 && digits * 3 >= length,
    }
}

/// The part of a request target that is the path: without scheme, authority, query and fragment.
pub(super) fn path_of(target: &[u8]) -> Range<usize> {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let head = target.get(..end).unwrap_or(target);
    let authority = memchr::memmem::find(head, b"://").filter(|_| head.first() != Some(&b'/')).map(|at| at + 3);
    let start = authority.map_or(0, |from| memchr::memchr(b'/', &head[from..]).map_or(end, |at| from + at));
    start..end
}

/// The host's name in lower case, or its address.
pub(super) fn host_of(record: &Record) -> String {
    match (&record.server.name, record.server.address) {
        (Some((name, _)), _) => name.to_ascii_lowercase(),
        (None, Some(address)) => address.to_string(),
        (None, None) => "unknown".to_owned(),
    }
}

/// The separator between the parts of a target.
pub(super) fn separator(protocol: Protocol) -> u8 {
    if matches!(protocol, Protocol::Dns | Protocol::Mdns) { b'.' } else { b'/' }
}

/// The shape of a record.
pub(super) fn shape_of(record: &Record) -> Shape {
    let request = record.request.as_ref();
    let target = request.and_then(|request| request.target.as_deref()).unwrap_or_default();
    let path = match separator(record.protocol) {
        b'.' => target,
        _ => &target[path_of(target)],
    };
    let host = host_of(record);
    let host = if record.server.name.is_some() { template(host.as_bytes(), b'.').text } else { host };
    let method = request.and_then(|request| request.method.as_deref());
    Shape {
        host,
        method: method.map_or_else(|| record.protocol.name().to_owned(), |method| shown(method.as_bytes())),
        path: template(path, separator(record.protocol)).text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_generated_and_names_are_not() {
        for text in [
            "13800000427",
            "42",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "550e8400-e29b-41d4-a716-446655440000",
            "lin%40example.test",
            "2026-01-31",
            "aGVsbG8gd29ybGQgaGVsbG8",
            "a1b2c3d4",
        ] {
            assert!(is_generated(text.as_bytes()), "{text}");
        }
        for text in
            ["", "v1", "api2", "getUserInfo", "user-preferences-and-settings", "report_device_info.json", "v2.3"]
        {
            assert!(!is_generated(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn paths_lose_what_is_generated_and_say_where_it_was() {
        let target = b"https://h.example:1/v1/users/13800000427/photos?x=/1";
        let found = template(&target[path_of(target)], b'/');
        assert_eq!(found.text, "/v1/users/*/photos");
        assert_eq!(found.generated, [(3, 10..21)]);
        assert_eq!(path_of(b"/a?b#c"), 0..2);
        assert_eq!(path_of(b"/r/http://x/y"), 0..13);
    }
}
