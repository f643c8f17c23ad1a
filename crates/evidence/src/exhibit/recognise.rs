//! What a file is, told by its first bytes and never by its name.

use super::wrapping::Wrapping;
use dyetrace_case::Format;
use std::io::Read;

/// How much of a file's start [`recognise`] wants to see. More does no harm, less may not do.
/// A zstd block of content that does not compress is 128 KiB long (RFC 8878 section 3.1.1.2).
pub const HEAD: usize = 256 << 10;

/// A format that is read here, and the compression around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The format of the content.
    pub format: Format,
    /// What the content is wrapped in.
    pub wrapping: Wrapping,
}

/// A file that is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown {
    /// What it looks like, and what to do about it.
    pub looks_like: Option<&'static str>,
}

/// Tells the format from the first bytes of a file.
///
/// # Errors
/// The bytes begin nothing that is read here.
pub fn recognise(head: &[u8]) -> Result<Kind, Unknown> {
    // Plain formats first: the digits that begin a mitmproxy flow can look like a zlib header.
    if let Some(format) = plain(head) {
        return Ok(Kind { format, wrapping: Wrapping::None });
    }
    let wrapping = Wrapping::of(head);
    if wrapping == Wrapping::None {
        return Err(Unknown { looks_like: looks_like(head) });
    }
    let mut inner = Vec::new();
    // A head cut in the middle of a compressed block ends in an error; what came before it counts.
    let _ = wrapping.undo(head).take(4096).read_to_end(&mut inner);
    let format = plain(&inner).ok_or(Unknown { looks_like: looks_like(&inner).or(wrapping.is_of_something_else()) })?;
    Ok(Kind { format, wrapping })
}

/// pcap in both byte orders, with micro- or nanoseconds, and with Kuznetzov's longer packet header.
pub(crate) const PCAP_MAGICS: [u32; 3] = [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34];

fn plain(head: &[u8]) -> Option<Format> {
    let magic = *head.first_chunk::<4>()?;
    if PCAP_MAGICS.contains(&u32::from_be_bytes(magic)) || PCAP_MAGICS.contains(&u32::from_le_bytes(magic)) {
        return Some(Format::Pcap);
    }
    if magic == [0x0a, 0x0d, 0x0d, 0x0a] {
        return Some(Format::Pcapng);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(Format::Zip);
    }
    if dyetrace_stores::ab::is_backup(head) {
        return Some(Format::AndroidBackup);
    }
    if is_tar(head) {
        return Some(Format::Tar);
    }
    if text(head).first() == Some(&b'{') || is_utf16_object(head) {
        return Some(Format::Har);
    }
    is_tnetstring_of_a_dictionary(head).then_some(Format::MitmproxyFlows)
}

/// The magic of POSIX and GNU headers, or the checksum of an older one (POSIX.1-2001 pax, ustar Header Block).
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    if header.get(257..262) == Some(b"ustar") {
        return true;
    }
    let Some(written) = header.get(148..156) else { return false };
    let digits = written.trim_ascii().strip_suffix(b"\0").unwrap_or(written).trim_ascii();
    let digits = digits.strip_suffix(b"\0").unwrap_or(digits);
    let written = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 8).ok());
    let sum = |range: std::ops::Range<usize>| {
        header.get(range).into_iter().flatten().map(|byte| u64::from(*byte)).sum::<u64>()
    };
    header.first().is_some_and(|first| *first != 0)
        && written == Some(sum(0..148) + sum(156..512) + 8 * u64::from(b' '))
}

/// The head without byte order mark and white space.
fn text(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start()
}

/// `{` in either byte order of UTF-16, as PowerShell's redirections write it.
fn is_utf16_object(head: &[u8]) -> bool {
    matches!(head, [0xff, 0xfe, b'{', 0, ..] | [0xfe, 0xff, 0, b'{', ..] | [0, b'{', 0, _, ..])
}

/// mitmproxy writes each flow as `<length>:<dictionary>}`, and a dictionary starts with the length
/// of its first key.
fn is_tnetstring_of_a_dictionary(head: &[u8]) -> bool {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let inside = head.get(digits + 1).copied().unwrap_or(0);
    (1..=12).contains(&digits) && head.get(digits) == Some(&b':') && (inside.is_ascii_digit() || inside == b'}')
}

/// Starts of files that people mistake for what is read here.
const MISTAKEN: &[(&[u8], &str)] = &[
    (b"SQLite format 3\0", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\xfd7zXZ\0", "an xz file: unpack it first"),
    (b"BZh", "a bzip2 file: unpack it first"),
    (b"\x04\x22\x4d\x18", "an lz4 file: unpack it first"),
    (b"btsnoop\0", "a Bluetooth HCI log (btsnoop)"),
    (b"snoop\0\0\0", "a Solaris snoop capture: convert it with `editcap -F pcapng`"),
    (b"GMBU", "a Microsoft Network Monitor capture: convert it with `editcap -F pcapng`"),
    (b"RTSS", "a Microsoft Network Monitor capture: convert it with `editcap -F pcapng`"),
    (b"CLIENT_RANDOM ", "a TLS key log: give it with --keys"),
    (b"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "a TLS key log: give it with --keys"),
    (b"SERVER_HANDSHAKE_TRAFFIC_SECRET ", "a TLS key log: give it with --keys"),
    (b"CLIENT_EARLY_TRAFFIC_SECRET ", "a TLS key log: give it with --keys"),
    (b"# SSL/TLS secrets log", "a TLS key log: give it with --keys"),
    (b"-----BEGIN ", "a PEM file: if it is the server's private key, give it with --keys"),
    (b"WARC/", "a web archive (WARC)"),
    (b"<?xml", "an XML file (Burp and Charles can export HAR instead)"),
    (b"[", "a JSON array, and a HAR is a JSON object"),
    (b"%PDF", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
];

fn looks_like(head: &[u8]) -> Option<&'static str> {
    let found = MISTAKEN.iter().find(|(start, _)| head.starts_with(start) || text(head).starts_with(start));
    found.map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn kind(format: Format, wrapping: Wrapping) -> Kind {
        Kind { format, wrapping }
    }

    #[test]
    fn captures_are_told_by_their_magic_number() {
        for magic in PCAP_MAGICS {
            assert_eq!(recognise(&magic.to_be_bytes()).unwrap(), kind(Format::Pcap, Wrapping::None));
            assert_eq!(recognise(&magic.to_le_bytes()).unwrap(), kind(Format::Pcap, Wrapping::None));
        }
        assert_eq!(recognise(b"\n\r\r\n....").unwrap(), kind(Format::Pcapng, Wrapping::None));
    }

    #[test]
    fn archives_are_told_by_their_shape() {
        for har in [
            &b"{\"log\":{}}"[..],
            b"\xef\xbb\xbf{\"log\"",
            b" \r\n\t{\"a\"",
            b"\xff\xfe{\0",
            b"\xfe\xff\0{",
            b"\0{\0\"",
        ] {
            assert_eq!(recognise(har).unwrap(), kind(Format::Har, Wrapping::None));
        }
        assert_eq!(recognise(b"1939:9:websocket;0:~").unwrap(), kind(Format::MitmproxyFlows, Wrapping::None));
        assert!(recognise(b"12: o'clock").is_err());
    }

    #[test]
    fn a_flow_of_eight_hundred_bytes_is_no_zlib_stream() {
        assert_eq!(Wrapping::of(b"804:9:websocket;"), Wrapping::Zlib, "the two first bytes pass zlib's check");
        assert_eq!(recognise(b"804:9:websocket;0:~").unwrap(), kind(Format::MitmproxyFlows, Wrapping::None));
    }

    #[test]
    fn what_is_inside_a_wrapping_counts() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"{\"log\":{}}").unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(recognise(&gzip).unwrap(), kind(Format::Har, Wrapping::Gzip));
        assert!(recognise(&gzip[..12]).is_err(), "cut before anything could be inflated");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"\xd4\xc3\xb2\xa1").unwrap();
        assert_eq!(recognise(&zlib.finish().unwrap()).unwrap(), kind(Format::Pcap, Wrapping::Zlib));
    }

    #[test]
    fn a_zstd_file_is_told_by_a_head_that_holds_its_first_block_only() {
        // An encrypted capture does not compress: raw blocks of the largest size (RFC 8878 section
        // 3.1.1.2), a window of 2 MiB.
        let mut file = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
        for _ in 0..3 {
            file.extend([0, 0, 0x10]);
            file.extend(b"\xd4\xc3\xb2\xa1\x02\0\x04\0");
            file.resize(file.len() + (128 << 10) - 8, 7);
        }
        assert_eq!(recognise(&file[..HEAD]).unwrap(), kind(Format::Pcap, Wrapping::Zstd));
    }

    #[test]
    fn a_mistaken_file_is_named() {
        assert_eq!(recognise(b"").unwrap_err().looks_like, None);
        assert!(recognise(b"Rar!....").unwrap_err().looks_like.unwrap().contains("RAR"));
        assert!(recognise(b"CLIENT_RANDOM 00 00").unwrap_err().looks_like.unwrap().contains("--keys"));
    }
}
