//! Python packages: the page of an index that lists them, and single files in them.

use flate2::read::DeflateDecoder;
use std::io::Read as _;

/// Largest file that is unpacked; the checksum of the archive is known before.
const LARGEST: u64 = 64 << 20;
/// Bytes of the longest end of an archive, with its remark.
const LONGEST_END: usize = 22 + 65_535;

/// The address of a file in an index's page (PEP 503), without the checksum behind it.
pub(super) fn address(page: &str, file: &str, at: &str) -> Option<String> {
    let links = page.split("href=").skip(1).filter_map(|rest| {
        let mark = rest.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
        rest.get(1..)?.split(mark).next()
    });
    let mut of_file = links
        .map(|link| link.split('#').next().unwrap_or_default())
        .filter(|link| link.split('?').next().and_then(|path| path.rsplit('/').next()) == Some(file));
    of_file.next().map(|link| resolved(link, at))
}

/// A link as seen from a page (RFC 3986, section 5.2, without what indexes do not use).
fn resolved(link: &str, at: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let (scheme, rest) = at.split_once("://").unwrap_or(("https", at));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some(path) = link.strip_prefix('/') {
        return format!("{scheme}://{host}/{path}");
    }
    let mut segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    for part in link.split('/') {
        match part {
            ".." => drop(segments.pop()),
            "." => {}
            _ => segments.push(part),
        }
    }
    format!("{scheme}://{host}/{}", segments.join("/"))
}

/// One file of a ZIP archive, by its central directory (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
///
/// # Errors
/// Why there is none, in words.
pub(super) fn entry(archive: &[u8], name: &str) -> Result<Vec<u8>, &'static str> {
    let (method, packed) = found(archive, name).unwrap_or(Err(CUT))?;
    match method {
        STORED => Ok(packed.to_vec()),
        DEFLATED => {
            let mut out = Vec::new();
            let read = DeflateDecoder::new(packed).take(LARGEST).read_to_end(&mut out);
            read.map(|_| out).map_err(|_| CUT)
        }
        _ => Err("compressed in a way that is not read"),
    }
}

const CUT: &str = "the archive is cut or damaged";
const STORED: usize = 0;
const DEFLATED: usize = 8;

/// How a file is compressed, and its bytes; absent where the archive is damaged before that can be told.
fn found<'a>(archive: &'a [u8], name: &str) -> Option<Result<(usize, &'a [u8]), &'static str>> {
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(*archive.get(at..)?.first_chunk()?)));
    let number = |at: usize| usize::try_from(u32::from_le_bytes(*archive.get(at..)?.first_chunk()?)).ok();
    let tail = archive.len().saturating_sub(LONGEST_END);
    let end = tail + archive.get(tail..)?.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let (entries, mut at) = (half(end + 10)?, number(end + 16)?);
    for _ in 0..entries {
        let (length, extra, remark) = (half(at + 28)?, half(at + 30)?, half(at + 32)?);
        if archive.get(at + 46..at + 46 + length)? == name.as_bytes() {
            let (method, packed, local) = (half(at + 10)?, number(at + 20)?, number(at + 42)?);
            let start = local + 30 + half(local + 26)? + half(local + 28)?;
            return Some(Ok((method, archive.get(start..start + packed)?)));
        }
        at += 46 + length + extra + remark;
    }
    Some(Err("the archive has no such file"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An archive of one file that is not compressed.
    pub(in crate::models) fn stored(name: &str, bytes: &[u8]) -> Vec<u8> {
        let (length, size) = ((name.len() as u16).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
        // Method, time, date and checksum, which is not looked at: SHA-256 was compared before.
        let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &size, &size, &length, &[0; 2]].concat();
        let local = [b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat();
        let central = [b"PK\x01\x02\x14\0", &common[..], &[0; 14], name.as_bytes()].concat();
        let (start, all) = ((local.len() as u32).to_le_bytes(), (central.len() as u32).to_le_bytes());
        [&local[..], &central, b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &all, &start, &[0; 2]].concat()
    }

    #[test]
    fn links_of_an_index_are_resolved() {
        let page = |link: &str| format!("<a href=\"x-1.0.tar.gz\">a</a><a href='{link}#sha256=00' data-x>b</a>");
        let at = "https://pypi.example/root/simple/x/";
        for (link, expected) in [
            ("https://files.example/p/x-1.0.whl", "https://files.example/p/x-1.0.whl"),
            ("/p/x-1.0.whl", "https://pypi.example/p/x-1.0.whl"),
            ("../../p/x-1.0.whl", "https://pypi.example/root/p/x-1.0.whl"),
            ("x-1.0.whl", "https://pypi.example/root/simple/x/x-1.0.whl"),
        ] {
            assert_eq!(address(&page(link), "x-1.0.whl", at).as_deref(), Some(expected));
        }
        assert_eq!(address(&page("y-1.0.whl"), "x-1.0.whl", at), None);
    }

    #[test]
    fn a_damaged_archive_is_refused_wherever_it_is_cut_or_changed() {
        let archive = stored("a/b.onnx", b"contents");
        assert_eq!(entry(&archive, "a/b.onnx").unwrap(), b"contents");
        assert_eq!(entry(&archive, "a/c.onnx"), Err("the archive has no such file"));
        for cut in 0..archive.len() - 6 {
            assert!(entry(&archive[..cut], "a/b.onnx").is_err(), "{cut}");
        }
        for at in 0..archive.len() {
            for value in [0, 255] {
                let mut changed = archive.clone();
                changed[at] = value;
                // Nothing but contents or an error: no panic.
                let _ = entry(&changed, "a/b.onnx");
            }
        }
        assert!(entry(b"PK\x05\x06", "a").is_err());
        assert!(entry(&[b"PK\x05\x06".as_slice(), &[255; 40]].concat(), "a").is_err());
    }
}
