//! Bodies of any length inside a JSON string: as text where they are UTF-8, otherwise as base64.

use dyetrace_case::Blob;
use std::io::{self, Write};

/// Bytes looked at together.
const WINDOW: usize = 1 << 20;

/// How a body stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As itself.
    Text,
    /// As base64 (RFC 4648 section 4).
    Base64,
}

/// The coding a body needs.
pub(super) fn coding(blob: &Blob) -> io::Result<Coding> {
    let mut utf8 = Utf8::default();
    let mut valid = true;
    blob.windows(WINDOW, 0, |_, window| valid = valid && utf8.push(window, &mut |_| Ok(())).is_ok())?;
    Ok(if valid && utf8.waiting.is_empty() { Coding::Text } else { Coding::Base64 })
}

/// Writes a body as a JSON string, quotes included.
pub(super) fn write(blob: &Blob, coding: Coding, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut result = Ok(());
    match coding {
        Coding::Text => {
            let mut utf8 = Utf8::default();
            blob.windows(WINDOW, 0, |_, window| {
                if result.is_ok() {
                    result = utf8.push(window, &mut |text| escaped(text, out));
                }
            })?;
        }
        Coding::Base64 => {
            let mut base64 = Base64::default();
            blob.windows(WINDOW, 0, |_, window| {
                if result.is_ok() {
                    result = base64.push(window, out);
                }
            })?;
            result = result.and_then(|()| base64.finish(out));
        }
    }
    result?;
    out.write_all(b"\"")
}

fn escaped(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let quoted = serde_json::to_string(text)?;
    out.write_all(quoted.get(1..quoted.len() - 1).unwrap_or_default().as_bytes())
}

/// UTF-8 that comes in pieces.
#[derive(Default)]
struct Utf8 {
    /// The bytes of a character whose end has not come, three at most.
    waiting: Vec<u8>,
}

impl Utf8 {
    /// Shows the whole characters of the next piece. Fails where the bytes are no UTF-8.
    fn push(&mut self, piece: &[u8], show: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let mut rest = piece;
        while let (false, Some((byte, after))) = (self.waiting.is_empty(), rest.split_first()) {
            self.waiting.push(*byte);
            rest = after;
            let waiting = std::mem::take(&mut self.waiting);
            self.waiting = Self::shown(&waiting, show)?;
        }
        let waiting = Self::shown(rest, show)?;
        self.waiting.extend(waiting);
        Ok(())
    }

    /// Shows the whole characters of `bytes` and returns the start of the one behind them.
    fn shown(bytes: &[u8], show: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<Vec<u8>> {
        let (valid, incomplete) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) if error.error_len().is_none() => {
                let (valid, incomplete) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), incomplete)
            }
            Err(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "not UTF-8")),
        };
        show(valid)?;
        Ok(incomplete.to_vec())
    }
}

/// Base64 of bytes that come in pieces.
#[derive(Default)]
struct Base64 {
    /// Bytes of a group of three whose end has not come.
    waiting: Vec<u8>,
}

impl Base64 {
    fn push(&mut self, piece: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let (first, rest) = piece.split_at(piece.len().min((3 - self.waiting.len()) % 3));
        self.waiting.extend_from_slice(first);
        if self.waiting.len() < 3 && !self.waiting.is_empty() {
            return Ok(());
        }
        let groups = rest.len() / 3 * 3;
        let (whole, last) = rest.split_at(groups);
        let mut text = Vec::with_capacity(groups / 3 * 4 + 4);
        self.waiting.chunks(3).chain(whole.chunks(3)).for_each(|group| text.extend(quartet(group)));
        self.waiting = last.to_vec();
        out.write_all(&text)
    }

    fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        if self.waiting.is_empty() { Ok(()) } else { out.write_all(&quartet(&self.waiting)) }
    }
}

/// Four characters for one to three bytes.
fn quartet(group: &[u8]) -> [u8; 4] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    let character = |index: usize| ALPHABET[(bits >> (18 - 6 * index) & 63) as usize];
    let shown = |index: usize| if index <= group.len() { character(index) } else { b'=' };
    [character(0), character(1), shown(2), shown(3)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{BlobWriter, BlobWriterLimits};

    fn written(blob: &Blob) -> (Coding, String) {
        let coding = coding(blob).unwrap();
        let mut out = Vec::new();
        write(blob, coding, &mut out).unwrap();
        (coding, String::from_utf8(out).unwrap())
    }

    fn spooled(bytes: &[u8]) -> Blob {
        let mut writer = BlobWriter::new(BlobWriterLimits { memory: 1, total: 1 << 30 });
        writer.push(bytes);
        writer.finish()
    }

    #[test]
    fn text_stands_as_itself_also_where_a_character_lies_over_two_windows() {
        let long = format!("{}é😀\"\n", "x".repeat(WINDOW - 1));
        for text in ["", "é", "a\"b\\\u{1}", &long] {
            let (coding, json) = written(&spooled(text.as_bytes()));
            assert_eq!(coding, Coding::Text);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_text_becomes_base64() {
        for (bytes, base64) in
            [(&b"\xff"[..], "/w=="), (b"\xff\xfe", "//4="), (b"a\xff\xfb", "Yf/7"), (b"ab\xc3", "YWLD")]
        {
            assert_eq!(written(&Blob::from(bytes.to_vec())), (Coding::Base64, format!("\"{base64}\"")));
        }
        let mut long = vec![0xff; WINDOW];
        long.extend(b"12345");
        let whole: String = long.chunks(3).flat_map(quartet).map(char::from).collect();
        assert_eq!(written(&spooled(&long)).1, format!("\"{whole}\""));
    }
}
