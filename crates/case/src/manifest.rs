//! `manifest-sha256.txt`: the digests of the exhibits.

use crate::ExhibitId;
use std::collections::BTreeMap;
use std::fmt;

/// `manifest-sha256.txt` (RFC 8493 section 2.1.3; `sha256sum -c` reads it).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(pub BTreeMap<String, ExhibitId>);

/// A line of a manifest that is not of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: not a SHA-256 in hexadecimal, two spaces and a path", self.line)
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A line is not of the form.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut entries = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (digest, path) = parse_line(line).ok_or(ManifestError { line: index + 1 })?;
            entries.insert(path, digest);
        }
        Ok(Self(entries))
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(path, digest)| writeln!(f, "{digest}  {path}"))
    }
}

fn parse_line(line: &str) -> Option<(ExhibitId, String)> {
    let (digest, path) = line.split_once([' ', '\t'])?;
    let path = path.trim_start_matches([' ', '\t', '*']).trim_start_matches("./");
    let digest = digest.as_bytes();
    if digest.len() != 64 || path.is_empty() {
        return None;
    }
    let mut id = [0; 32];
    for (byte, pair) in id.iter_mut().zip(digest.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some((ExhibitId(id), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_what_sha256sum_writes() {
        let digest = "ab".repeat(32);
        let text = format!("{digest}  evidence/app.pcapng\n{digest} *./evidence/b c.har\n");
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.0.keys().collect::<Vec<_>>(), ["evidence/app.pcapng", "evidence/b c.har"]);
        assert_eq!(Manifest::parse(&manifest.to_string()).unwrap(), manifest);
        assert_eq!(Manifest::parse("xyz  a\n"), Err(ManifestError { line: 1 }));
    }
}
