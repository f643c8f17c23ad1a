//! Finds `log.entries` in a HAR file and hands out one entry after the other.
//!
//! Only brackets and strings are looked at, so a file that breaks off or is broken further down
//! still gives every entry before that, and memory holds one entry at a time.

use memchr::memchr2;
use std::io::Read;

/// The entries of one file.
pub(super) struct Entries<R> {
    input: Input<R>,
    /// Bytes of one entry that are kept; the rest of a longer one is passed over.
    limit: usize,
    found: bool,
    ended: bool,
    buffer: Vec<u8>,
}

/// One element of `log.entries` as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawEntry<'b> {
    /// The element's text, up to the limit or the end of the file.
    pub(super) bytes: &'b [u8],
    /// Offset of its first byte in the text of the file.
    pub(super) start: u64,
    /// Bytes that were passed over because of the limit.
    pub(super) dropped: u64,
    /// False where the file ends within the element.
    pub(super) complete: bool,
}

/// How the list of entries ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its bracket.
    Closed,
    /// The file ends within the list, or what follows at this offset is no entry.
    Broken(u64),
    /// There is no such list.
    Absent,
}

/// The file ended.
struct Ended;

impl<R: Read> Entries<R> {
    /// The entries of the text in `input`, each kept up to `limit` bytes.
    pub(super) fn new(input: R, limit: usize) -> Self {
        let input = Input { inner: input, chunk: vec![0; 64 << 10], at: 0, filled: 0, before: 0, failed: false };
        Self { input, limit, found: false, ended: false, buffer: Vec::new() }
    }

    /// The next entry, or how the list ended.
    pub(super) fn next(&mut self) -> Result<RawEntry<'_>, Ending> {
        if !self.found && !self.ended {
            self.found = self.find_entries().unwrap_or(false);
            self.ended = !self.found;
        }
        if !self.found {
            return Err(Ending::Absent);
        }
        let first = self.input.skip_separators();
        let start = self.input.offset();
        match first {
            Some(b']') => Err(Ending::Closed),
            None | Some(b'}' | b':') => Err(Ending::Broken(start)),
            Some(_) => Ok(self.collect(start)),
        }
    }

    /// True where reading failed rather than ended: broken compression or a broken disk.
    pub(super) fn read_failed(&self) -> bool {
        self.input.failed
    }

    fn collect(&mut self, start: u64) -> RawEntry<'_> {
        self.buffer.clear();
        let (buffer, limit) = (&mut self.buffer, self.limit);
        let mut dropped = 0;
        let mut keep = |piece: &[u8]| {
            let kept = piece.len().min(limit - buffer.len());
            buffer.extend_from_slice(&piece[..kept]);
            dropped += (piece.len() - kept) as u64;
        };
        let complete = self.input.value(&mut keep).is_ok();
        RawEntry { bytes: &self.buffer, start, dropped, complete }
    }

    /// Moves behind the bracket that opens the entries: `{"log":{"entries":[`, or without the log
    /// around it, as some exporters of single pages write it.
    fn find_entries(&mut self) -> Result<bool, Ended> {
        if self.input.skip_separators() != Some(b'{') {
            return Ok(false);
        }
        self.input.bump();
        loop {
            match self.input.skip_separators().ok_or(Ended)? {
                b'"' => {}
                // The log object ended; other members of the document may follow.
                b'}' => {
                    self.input.bump();
                    continue;
                }
                _ => return Ok(false),
            }
            let name = self.input.name()?;
            if self.input.skip_separators() != Some(b':') {
                return Ok(false);
            }
            self.input.bump();
            match (name.as_slice(), self.input.skip_separators().ok_or(Ended)?) {
                (b"log", b'{') => self.input.bump(),
                (b"entries", b'[') => {
                    self.input.bump();
                    return Ok(true);
                }
                _ => self.input.value(&mut |_| ())?,
            }
        }
    }
}

/// The text, a chunk at a time.
struct Input<R> {
    inner: R,
    chunk: Vec<u8>,
    at: usize,
    filled: usize,
    /// Bytes before the chunk.
    before: u64,
    failed: bool,
}

impl<R: Read> Input<R> {
    fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// What is left of the chunk, after reading the next one if nothing is; empty at the end.
    fn rest(&mut self) -> &[u8] {
        while self.at >= self.filled && !self.failed {
            self.before += self.filled as u64;
            (self.at, self.filled) = (0, 0);
            match self.inner.read(&mut self.chunk) {
                Ok(0) => break,
                Ok(length) => self.filled = length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => self.failed = true,
            }
        }
        self.chunk.get(self.at..self.filled).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn bump(&mut self) {
        self.at += 1;
    }

    /// Passes white space and commas; the byte behind them.
    fn skip_separators(&mut self) -> Option<u8> {
        loop {
            let rest = self.rest();
            let length = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
            let next = rest.get(length).copied();
            let ended = rest.is_empty();
            self.at += length;
            if next.is_some() || ended {
                return next;
            }
        }
    }

    /// The member name at the cursor, its first bytes at least.
    fn name(&mut self) -> Result<Vec<u8>, Ended> {
        let mut name = Vec::new();
        self.string(&mut |piece| {
            let room = 64usize.saturating_sub(name.len());
            name.extend(piece.iter().take(room));
        })?;
        Ok(name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or_default().to_vec())
    }

    /// Passes one value, showing its bytes to `keep`.
    fn value(&mut self, keep: &mut dyn FnMut(&[u8])) -> Result<(), Ended> {
        let mut open = 0usize;
        loop {
            let rest = self.rest();
            let plain = rest.iter().take_while(|b| !b"\"{}[],".contains(b)).count();
            let stop = rest.get(plain).copied();
            let at_end = rest.is_empty();
            if open == 0 && matches!(stop, Some(b',' | b']' | b'}')) {
                keep(&rest[..plain]);
                self.at += plain;
                return Ok(());
            }
            let taken = plain + usize::from(stop.is_some_and(|b| b != b'"'));
            keep(&rest[..taken]);
            self.at += taken;
            match stop {
                Some(b'"') => self.string(keep)?,
                Some(b'{' | b'[') => open += 1,
                Some(b'}' | b']') => open -= 1,
                None if at_end => return Err(Ended),
                _ => continue,
            }
            if open == 0 && stop.is_some() {
                return Ok(());
            }
        }
    }

    /// Passes the string at the cursor, quotes included.
    fn string(&mut self, keep: &mut dyn FnMut(&[u8])) -> Result<(), Ended> {
        keep(b"\"");
        self.at += 1;
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Err(Ended);
            }
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                keep(rest);
                self.at += rest.len();
                continue;
            };
            keep(&rest[..=found]);
            let quote = rest[found] == b'"';
            self.at += found + 1;
            if quote {
                return Ok(());
            }
            let escaped = self.peek().ok_or(Ended)?;
            keep(&[escaped]);
            self.bump();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives its bytes a few at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    fn all(text: &str, piece: usize, limit: usize) -> (Vec<(String, bool)>, Ending) {
        let mut entries = Entries::new(Drip(text.as_bytes(), piece), limit);
        let mut got = Vec::new();
        loop {
            match entries.next() {
                Ok(entry) => got.push((String::from_utf8_lossy(entry.bytes).into_owned(), entry.complete)),
                Err(ending) => return (got, ending),
            }
        }
    }

    const FILE: &str = r#" {"creator":{"entries":[1]}, "log" : {"v":"]}\"","pages":[[{}]],
        "entries" : [ {"a":"}]\\\"{"} , 7 ,[{}], "x" {"b":[1,2]}] } } "#;

    #[test]
    fn entries_come_out_as_they_stand_however_the_file_is_cut_into_pieces() {
        for piece in [1, 2, 3, 7, 1000] {
            let (entries, ending) = all(FILE, piece, 1000);
            let texts: Vec<&str> = entries.iter().map(|(text, _)| text.trim()).collect();
            assert_eq!(texts, [r#"{"a":"}]\\\"{"}"#, "7", "[{}]", "\"x\"", r#"{"b":[1,2]}"#], "{piece}");
            assert_eq!(ending, Ending::Closed);
        }
    }

    #[test]
    fn a_list_outside_the_log_counts_too_and_other_files_have_none() {
        assert_eq!(all(r#"{"entries":[{}]}"#, 9, 9).0.len(), 1);
        for text in ["", "[]", "7", "{}", r#"{"log":[2,1]}"#, r#"{"log":{"entries":{}}}"#, "{\"log\"", "{\"a\" 1}"] {
            assert_eq!(all(text, 9, 9), (vec![], Ending::Absent), "{text}");
        }
    }

    #[test]
    fn a_long_entry_is_kept_up_to_the_limit() {
        let (entries, ending) = all(r#"{"entries":[{"a":"0123456789"},{"b":1}]}"#, 5, 8);
        assert_eq!(entries, [(r#"{"a":"01"#.to_owned(), true), (r#"{"b":1}"#.to_owned(), true)]);
        assert_eq!(ending, Ending::Closed);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in r#"[\{\}\[\],:"\\a ]{0,60}"#, piece in 1usize..9) {
            let (whole, ending) = all(&format!("{{\"entries\":[{text}"), 1000, 1000);
            prop_assert_eq!(all(&format!("{{\"entries\":[{text}"), piece, 1000), (whole, ending));
        }
    }
}
