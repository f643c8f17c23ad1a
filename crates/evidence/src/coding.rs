//! Content codings: gzip, deflate, br, zstd, and their chains (RFC 9110 section 8.4).
//!
//! A body is never lost to a coding: what cannot be undone stays as it was sent, under
//! [`Flag::Undecoded`], because a header that lies about the coding is common and the body behind
//! it is often plain.

mod brotli;
mod inflate;
mod stream;
mod zstd;

use crate::layer::Limits;
use dyetrace_case::{Blob, Flag, Message};
pub(crate) use inflate::MessageInflater;
use stream::{End, Source, Target};

/// Undoes the codings named by the message's Content-Encoding fields: sets `decoded` and
/// `codings`, and returns the flags to add to the record.
pub(crate) fn decode_content(message: &mut Message, limits: &Limits) -> Vec<Flag> {
    let Some(body) = message.body.clone().filter(|body| !body.is_empty()) else {
        return Vec::new();
    };
    let names = content_codings(&message.headers, limits.nesting);
    let (decoded, codings, flags) = decode_chain(&body, &names, limits);
    message.decoded = decoded;
    message.codings = codings;
    flags
}

/// Undoes a chain of codings, the last applied first. Returns what came out, the codings that were
/// undone (outermost first), and flags.
pub(crate) fn decode_chain(body: &Blob, applied: &[String], limits: &Limits) -> (Option<Blob>, Vec<String>, Vec<Flag>) {
    let (mut decoded, mut undone, mut flags) = (None, Vec::new(), Vec::new());
    // The ratio holds for the chain as a whole: two layers of gzip could make a million of it.
    let mut limits = *limits;
    let most = body.len().saturating_mul(limits.inflate_ratio).saturating_add(limits.inflate_free);
    limits.decoded.total = limits.decoded.total.min(most);
    for name in applied.iter().rev() {
        let (inner, flag) = decode(decoded.as_ref().unwrap_or(body), name, &limits);
        flags.extend(flag);
        match inner {
            Some(inner) => decoded = Some(inner),
            None => break,
        }
        undone.push(name.clone());
    }
    flags.sort();
    flags.dedup();
    (decoded, undone, flags)
}

/// Undoes one coding by its HTTP name; what was decoded before a fault is kept.
///
/// `Flag::Incomplete` says that the coded bytes end early or break off, `Flag::Cut` that a limit
/// ended the decoding (it counts the decoded bytes dropped and the coded bytes not read any more),
/// `Flag::Undecoded` that nothing was undone.
pub(crate) fn decode(body: &Blob, coding: &str, limits: &Limits) -> (Option<Blob>, Option<Flag>) {
    if body.is_empty() {
        return (None, None);
    }
    let mut source = Source::new(body);
    let mut target = Target::new(limits);
    let (end, recognised) = match coding {
        "gzip" | "x-gzip" => inflate::gzip(&mut source, &mut target),
        "deflate" => inflate::deflate(&mut source, &mut target),
        "br" => brotli::brotli(&mut source, &mut target),
        "zstd" => zstd::zstd(&mut source, &mut target),
        _ => (End::Corrupt, false),
    };
    // Without a magic number plain text can pass for coded bytes for a while; what came out of it
    // would hide the text from search.
    if end != End::Complete && target.is_empty() || end == End::Corrupt && !recognised {
        return (None, Some(Flag::Undecoded(coding.to_owned())));
    }
    let flag = match end {
        End::Complete => None,
        End::Truncated | End::Corrupt => Some(Flag::Incomplete),
        End::Full => Some(Flag::Cut(target.dropped().saturating_add(source.left()).max(1))),
    };
    (Some(target.finish()), flag)
}

/// The codings named by Content-Encoding fields in the order they were applied, at most `most`
/// of them beside the first unknown one. Names that say "no coding" are left out.
fn content_codings(headers: &[(Vec<u8>, Vec<u8>)], most: usize) -> Vec<String> {
    let fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
    let mut names: Vec<String> = fields.flat_map(|(_, value)| coding_list(value)).collect();
    // Each further layer multiplies what a few bytes may inflate to.
    if names.len() > most.max(1) {
        names = vec!["too many codings".to_owned()];
    }
    names
}

/// The codings in one field value, lower case, without those that change nothing.
pub(crate) fn coding_list(value: &[u8]) -> impl Iterator<Item = String> {
    let names = value.split(|b| *b == b',').map(|name| coding_name(name.trim_ascii()));
    names.filter(|name| !is_identity(name))
}

/// A coding's name in lower case. What is no token (RFC 9110 section 5.6.2) or is longer than any
/// registered name is not repeated: it may be anything, a planted value too.
fn coding_name(name: &[u8]) -> String {
    let token = name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !token || name.len() > 24 {
        return "unnamed".to_owned();
    }
    match String::from_utf8_lossy(name).to_ascii_lowercase().as_str() {
        "x-gzip" => "gzip".to_owned(),
        other => other.to_owned(),
    }
}

/// `identity`, and what servers write in its place: none of these changes a byte.
fn is_identity(name: &str) -> bool {
    matches!(name, "" | "identity" | "none" | "binary" | "utf-8" | "utf8" | "7bit" | "8bit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A zstd frame of raw blocks (RFC 8878 section 3.1.1): magic, descriptor, window, blocks.
    fn zstd_raw(bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
        for chunk in bytes.chunks(100) {
            frame.extend_from_slice(&((chunk.len() as u32) << 3).to_le_bytes()[..3]);
            frame.extend_from_slice(chunk);
        }
        frame.extend_from_slice(&[1, 0, 0]);
        frame
    }

    fn undo(body: &[u8], coding: &str) -> (Option<Vec<u8>>, Option<Flag>) {
        let (blob, flag) = decode(&Blob::from(body.to_vec()), coding, &Limits::default());
        (blob.map(|blob| blob.as_slice().unwrap().to_vec()), flag)
    }

    fn message(codings: &[&str], body: Vec<u8>) -> Message {
        let field = |value: &&str| (b"Content-Encoding".to_vec(), value.as_bytes().to_vec());
        Message { headers: codings.iter().map(field).collect(), body: Some(Blob::from(body)), ..Message::default() }
    }

    fn text() -> Vec<u8> {
        (0..4000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect()
    }

    #[test]
    fn two_layers_of_gzip_inflate_no_further_than_one() {
        let bomb = gzip(&gzip(&vec![b'0'; 50 << 20]));
        let (decoded, _, flags) =
            decode_chain(&Blob::from(bomb.clone()), &["gzip".into(), "gzip".into()], &Limits::default());
        let most = Limits::default().inflate_free + bomb.len() as u64 * Limits::default().inflate_ratio;
        assert!(decoded.is_some_and(|decoded| decoded.len() <= most));
        assert!(matches!(flags[..], [Flag::Cut(_)]), "{flags:?}");
    }

    #[test]
    fn each_coding_is_undone() {
        let text = text();
        for (coding, body) in [
            ("gzip", gzip(&text)),
            ("x-gzip", gzip(&text)),
            ("deflate", zlib(&text)),
            ("deflate", raw_deflate(&text)),
            ("deflate", gzip(&text)),
            ("zstd", zstd_raw(&text)),
        ] {
            let (decoded, flag) = undo(&body, coding);
            assert!(decoded.as_deref() == Some(&text) && flag.is_none(), "{coding} {flag:?}");
        }
    }

    #[test]
    fn brotli_is_undone() {
        // "abc" in one uncompressed meta-block and an empty last one (RFC 7932 section 9.2).
        let stored = [0x21, 0x08, 0x00, 0x04, b'a', b'b', b'c', 0x03];
        assert_eq!(undo(&stored, "br"), (Some(b"abc".to_vec()), None));
        assert_eq!(undo(&stored[..7], "br"), (Some(b"abc".to_vec()), Some(Flag::Incomplete)));
        assert_eq!(undo(b"{\"not\": \"brotli at all\"}", "br").0, None);
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        let gzips = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(undo(&gzips, "gzip"), (Some(b"one two".to_vec()), None));
        let skippable = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        let frames = [&zstd_raw(b"one ")[..], &skippable, &zstd_raw(b"two")].concat();
        assert_eq!(undo(&frames, "zstd"), (Some(b"one two".to_vec()), None));
    }

    #[test]
    fn bytes_after_the_end_are_no_fault() {
        for tail in [&b"\0\0\0\0"[..], b"junk", b"\x1f"] {
            assert_eq!(undo(&[&gzip(b"text"), tail].concat(), "gzip"), (Some(b"text".to_vec()), None));
            assert_eq!(undo(&[&zlib(b"text"), tail].concat(), "deflate"), (Some(b"text".to_vec()), None));
        }
    }

    #[test]
    fn what_came_before_a_cut_is_kept() {
        let text = text();
        for (coding, body) in [
            ("gzip", gzip(&text)),
            ("deflate", zlib(&text)),
            ("deflate", raw_deflate(&text)),
            ("zstd", zstd_raw(&text)),
        ] {
            let (decoded, flag) = undo(&body[..body.len() / 2], coding);
            let decoded = decoded.unwrap();
            assert!(decoded.len() > 1000 && text.starts_with(&decoded), "{coding}: {} bytes", decoded.len());
            assert_eq!(flag, Some(Flag::Incomplete), "{coding}");
        }
    }

    #[test]
    fn what_came_before_a_fault_is_kept() {
        let text = text();
        let mut body = gzip(&text);
        let middle = body.len() / 2;
        body[middle..middle + 40].fill(0xff);
        let (decoded, flag) = undo(&body, "gzip");
        assert!(decoded.unwrap().len() > 1000);
        assert_eq!(flag, Some(Flag::Incomplete));
    }

    #[test]
    fn a_header_that_lies_leaves_the_body() {
        for coding in ["gzip", "deflate", "br", "zstd", "compress", "aws-chunked"] {
            let mut message = message(&[coding], b"{\"plain\": \"text, as it was sent\"}".to_vec());
            let flags = decode_content(&mut message, &Limits::default());
            assert_eq!(flags, [Flag::Undecoded(coding.to_owned())], "{coding}");
            assert!(message.decoded.is_none() && message.codings.is_empty(), "{coding}");
        }
    }

    #[test]
    fn a_chain_is_undone_from_the_last_applied() {
        let body = zlib(&gzip(b"text"));
        for fields in [&["gzip, deflate"][..], &["GZIP", "identity, Deflate"], &["x-gzip,,deflate,"]] {
            let mut message = message(fields, body.clone());
            assert_eq!(decode_content(&mut message, &Limits::default()), []);
            assert_eq!(message.decoded.unwrap().as_slice(), Some(&b"text"[..]));
            assert_eq!(message.codings, ["deflate", "gzip"]);
        }
        let mut message = message(&["unknown, gzip"], gzip(b"inner"));
        let flags = decode_content(&mut message, &Limits::default());
        assert_eq!(flags, [Flag::Undecoded("unknown".to_owned())]);
        assert_eq!((message.decoded.unwrap().as_slice(), message.codings), (Some(&b"inner"[..]), vec!["gzip".into()]));
    }

    #[test]
    fn no_coding_and_no_body_give_nothing() {
        for coding in ["", "identity", "none", "utf-8"] {
            let mut message = message(&[coding], b"text".to_vec());
            assert_eq!(decode_content(&mut message, &Limits::default()), []);
            assert!(message.decoded.is_none());
        }
        let mut message = message(&["gzip"], Vec::new());
        assert_eq!(decode_content(&mut message, &Limits::default()), []);
        assert!(message.decoded.is_none());
    }

    #[test]
    fn bombs_end_at_the_ratio_and_at_the_total() {
        let bomb = gzip(&vec![0; 8 << 20]);
        let limits = Limits { inflate_ratio: 10, ..Limits::default() };
        let (decoded, flag) = decode(&Blob::from(bomb.clone()), "gzip", &limits);
        assert!(decoded.unwrap().len() < 2 << 20);
        assert!(matches!(flag, Some(Flag::Cut(1..))));
        let mut limits = Limits::default();
        limits.decoded.total = 1000;
        let (decoded, flag) = decode(&Blob::from(bomb), "gzip", &limits);
        assert_eq!(decoded.unwrap().len(), 1000);
        assert!(matches!(flag, Some(Flag::Cut(1..))));
    }

    #[test]
    fn names_of_codings_never_repeat_what_may_be_a_value() {
        let mut message = message(&["13800000427 13800000427"], b"text".to_vec());
        assert_eq!(decode_content(&mut message, &Limits::default()), [Flag::Undecoded("unnamed".to_owned())]);
        let mut many = self::message(&["gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip"], gzip(b"text"));
        assert_eq!(decode_content(&mut many, &Limits::default()), [Flag::Undecoded("too many codings".to_owned())]);
    }

    proptest! {
        #[test]
        fn decoding_inverts_encoding(bytes in proptest::collection::vec(any::<u8>(), 1..3000)) {
            for (coding, body) in [("gzip", gzip(&bytes)), ("deflate", zlib(&bytes)), ("zstd", zstd_raw(&bytes))] {
                prop_assert_eq!(undo(&body, coding), (Some(bytes.clone()), None));
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            crate::fuzzing::coding(&bytes);
        }

        #[test]
        fn broken_codings_are_survived(kind in 0u8..8, at in 0usize..400, with in any::<u8>(), cut in 0usize..400) {
            let text = &text()[..1500];
            let mut body = match kind % 4 {
                0 => gzip(text),
                1 => zlib(text),
                2 => vec![0x21, 0x08, 0x00, 0x04, b'a', b'b', b'c', 0x03],
                _ => zstd_raw(text),
            };
            let length = body.len();
            body[at % length] = with;
            body.truncate(length - cut % length);
            body.insert(0, kind);
            crate::fuzzing::coding(&body);
        }
    }
}
