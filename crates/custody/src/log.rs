//! `custody.log`: who did what to the evidence, when and with which tool, as JSON lines.
//!
//! Each line holds the SHA-256 of the line before it (its bytes without the line's end), so a line cannot be changed,
//! put in or taken out of the middle without all later lines showing it. The last line has nobody after it: its digest,
//! the **head**, is what a bundle, a time stamp or a notebook fixes.

use crate::digest::{self, sha256};
use dyetrace_case::{ExhibitId, Time};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The log's name in a case folder.
pub const FILE: &str = "custody.log";

/// Longest line in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// Largest log in bytes: a hundred thousand entries.
const LARGEST: u64 = 64 << 20;

/// Faults of a log that are kept one by one.
pub const MOST_FAULTS: usize = 100;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, by the clock of the computer that wrote it.
    pub at: Time,
    /// Who did it; absent where nobody was named.
    pub who: Option<String>,
    /// Name and version of the program that wrote the entry.
    pub tool: String,
    /// What was done.
    pub did: String,
    /// Digests of files after it, by path relative to the case folder.
    pub digests: BTreeMap<String, ExhibitId>,
}

impl Entry {
    /// The entry as a line without its end, behind a line with the digest `prev`.
    pub fn line(&self, prev: Option<ExhibitId>) -> String {
        let digests: Map<String, Value> =
            self.digests.iter().map(|(path, digest)| (path.clone(), json!(digest.to_string()))).collect();
        json!({
            "at": self.at.to_string(),
            "who": self.who,
            "tool": self.tool,
            "did": self.did,
            "digests": digests,
            "prev": prev.map(|digest| digest.to_string()),
        })
        .to_string()
    }
}

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: String,
    who: Option<String>,
    tool: String,
    did: String,
    digests: BTreeMap<String, String>,
    prev: Option<String>,
}

impl Line {
    fn entry(self) -> Option<(Entry, Option<ExhibitId>)> {
        let digests = self.digests.into_iter().map(|(path, hex)| Some((path, digest::parse(&hex)?)));
        let digests = digests.collect::<Option<BTreeMap<_, _>>>()?;
        let prev = self.prev.map(|hex| digest::parse(&hex).ok_or(())).transpose().ok()?;
        let entry = Entry { at: self.at.parse().ok()?, who: self.who, tool: self.tool, did: self.did, digests };
        Some((entry, prev))
    }
}

/// What is wrong with a log. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFault {
    /// The line is not an entry.
    NotAnEntry(usize),
    /// The line does not name the digest of the one before it.
    Broken(usize),
    /// The first line names a line before it.
    Headless,
    /// The last line has no end: writing it was cut short, or it was cut later.
    Unfinished(usize),
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnEntry(line) => write!(f, "line {line} is not an entry"),
            Self::Broken(line) => write!(
                f,
                "line {line} does not follow line {}: one of the two was changed, or lines between them are missing",
                line.saturating_sub(1)
            ),
            Self::Headless => f.write_str("line 1 follows a line that is not there"),
            Self::Unfinished(line) => write!(f, "line {line} has no end"),
        }
    }
}

/// A log that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The entries, each with the digest of its line.
    pub entries: Vec<(Entry, ExhibitId)>,
    /// What is wrong with it, the first [`MOST_FAULTS`]. Empty: the chain holds.
    pub faults: Vec<LogFault>,
    /// How many more faults there are.
    pub more_faults: usize,
    /// The digest of the last line.
    pub head: Option<ExhibitId>,
}

impl Log {
    /// Reads a log whole, and what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        if bytes.is_empty() {
            return log;
        }
        let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
            log.add(index + 1, line);
        }
        if body.len() == bytes.len() {
            log.fault(LogFault::Unfinished(body.split(|byte| *byte == b'\n').count()));
        }
        log
    }

    fn add(&mut self, number: usize, line: &[u8]) {
        let digest = sha256(line);
        let before = self.head.replace(digest);
        let Some((entry, prev)) = serde_json::from_slice::<Line>(line).ok().and_then(Line::entry) else {
            self.fault(LogFault::NotAnEntry(number));
            return;
        };
        if prev != before {
            self.fault(if number == 1 { LogFault::Headless } else { LogFault::Broken(number) });
        }
        self.entries.push((entry, digest));
    }

    fn fault(&mut self, fault: LogFault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }

    /// The faults in words, with the number of those that are not kept.
    pub fn said_faults(&self) -> Vec<String> {
        let more = (self.more_faults > 0).then(|| format!("and {} more faults", self.more_faults));
        self.faults.iter().map(ToString::to_string).chain(more).collect()
    }

    /// What each file was last said to be, and in which entry (from 1).
    pub fn last_digests(&self) -> BTreeMap<&str, (usize, ExhibitId)> {
        let entries = self.entries.iter().enumerate();
        let all = entries.flat_map(|(at, (entry, _))| {
            entry.digests.iter().map(move |(path, digest)| (path.as_str(), (at + 1, *digest)))
        });
        all.collect()
    }
}

/// Reads the log of a case folder; `None` where it has none.
///
/// # Errors
/// It cannot be read, or is larger than a log can be.
pub fn read(case: &Path) -> io::Result<Option<Log>> {
    let file = match File::open(case.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too large for a custody log"));
    }
    Ok(Some(Log::parse(&bytes)))
}

/// Adds an entry to the log of a case folder, which is made where it is not there, and waits until the disk has it.
/// Gives the new head. Others that add at the same time wait.
///
/// # Errors
/// The log cannot be written, or its last line is not whole: nothing can follow that.
pub fn append(case: &Path, entry: &Entry) -> io::Result<ExhibitId> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(case.join(FILE))?;
    file.lock()?;
    let line = entry.line(last_line(&mut file)?);
    if line.len() as u64 >= LONGEST_LINE || file.metadata()?.len() >= LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too long for a custody log"));
    }
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()?;
    Ok(sha256(line.as_bytes()))
}

/// The digest of the last line.
fn last_line(file: &mut File) -> io::Result<Option<ExhibitId>> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LINE + 1)))?;
    let mut tail = Vec::new();
    file.take(LONGEST_LINE + 1).read_to_end(&mut tail)?;
    let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    let body = tail.strip_suffix(b"\n").ok_or_else(|| invalid("the last line has no end, so nothing can follow it"))?;
    let line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let parsed = serde_json::from_slice::<Line>(line).ok().and_then(Line::entry);
    parsed.map(|_| Some(sha256(line))).ok_or_else(|| invalid("the last line is not an entry, so nothing can follow it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(did: &str) -> Entry {
        let digests = BTreeMap::from([("evidence/a.har".to_owned(), sha256(did.as_bytes()))]);
        Entry {
            at: Time(1),
            who: Some("A. Tester".to_owned()),
            tool: "test 1".to_owned(),
            did: did.to_owned(),
            digests,
        }
    }

    fn written(dids: &[String]) -> Vec<u8> {
        let mut text = String::new();
        let mut prev = None;
        for did in dids {
            let line = entry(did).line(prev);
            prev = Some(sha256(line.as_bytes()));
            text.push_str(&line);
            text.push('\n');
        }
        text.into_bytes()
    }

    #[test]
    fn what_is_added_is_read_and_chained() {
        let folder = std::env::temp_dir().join(format!("dyetrace-custody-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(read(&folder).unwrap(), None);
        append(&folder, &entry("collected the phone")).unwrap();
        let head = append(&folder, &entry("copied the recording\nto the case")).unwrap();
        let log = read(&folder).unwrap().unwrap();
        assert_eq!((log.faults.as_slice(), log.head, log.entries.len()), (&[][..], Some(head), 2));
        assert_eq!(log.entries[1].0, entry("copied the recording\nto the case"));
        assert_eq!(log.last_digests()["evidence/a.har"].0, 2);
        let mut file = OpenOptions::new().append(true).open(folder.join(FILE)).unwrap();
        file.write_all(b"{\"at\":").unwrap();
        assert!(append(&folder, &entry("x")).unwrap_err().to_string().contains("no end"));
        assert_eq!(read(&folder).unwrap().unwrap().faults, [LogFault::NotAnEntry(3), LogFault::Unfinished(3)]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// A log of nothing but line ends once became a fault of 16 bytes for each byte of it.
    #[test]
    fn faults_without_number_are_counted_and_not_kept() {
        let log = Log::parse(&vec![b'\n'; 100_001]);
        assert_eq!((log.faults.len(), log.more_faults), (MOST_FAULTS, 100_001 - MOST_FAULTS));
        assert_eq!(log.said_faults().last().map(String::as_str), Some("and 99901 more faults"));
    }

    proptest! {
        /// The last line is what the head fixes; in all before it a changed byte shows by itself.
        #[test]
        fn a_flipped_byte_is_found(dids in proptest::collection::vec("[ -~]{0,20}", 2..5), at: u16, bit in 0u8..8) {
            let whole = written(&dids);
            let log = Log::parse(&whole);
            prop_assert!(log.faults.is_empty());
            let mut changed = whole.clone();
            let at = usize::from(at) % changed.len();
            changed[at] ^= 1 << bit;
            let after = Log::parse(&changed);
            let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
            prop_assert!(!after.faults.is_empty() || (at > last && after.head != log.head));
        }

        #[test]
        fn a_line_that_is_taken_out_is_missed(dids in proptest::collection::vec("[a-z]{1,9}", 3..6), which in 0usize..2) {
            let whole = written(&dids);
            let text = String::from_utf8(whole).unwrap();
            let left: Vec<&str> = text.split_inclusive('\n').enumerate().filter(|(at, _)| *at != which).map(|(_, line)| line).collect();
            let expected = if which == 0 { LogFault::Headless } else { LogFault::Broken(which + 1) };
            prop_assert_eq!(Log::parse(left.concat().as_bytes()).faults, [expected]);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Log::parse(&bytes);
        }
    }
}
