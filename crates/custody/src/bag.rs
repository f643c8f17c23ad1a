//! BagIt bundles (RFC 8493): a payload in `data/`, and digests of every file of it and of the bag's own.

use crate::digest::{self, Measured, measure};
use crate::{name, zip};
use dyetrace_case::{ExhibitId, Manifest};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Digests of the payload.
pub const MANIFEST: &str = "manifest-sha256.txt";

/// Digests of the other files.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";

/// Largest manifest in bytes.
const LARGEST_MANIFEST: u64 = 256 << 20;

/// Where the bytes of a file come from.
#[derive(Debug, Clone)]
pub enum Content {
    /// They are at hand.
    Bytes(Vec<u8>),
    /// They are in a file, which is read twice and must not change in between.
    File(PathBuf),
}

impl Content {
    /// Reads from the beginning.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(bytes.as_slice()),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }

    /// Measures it.
    ///
    /// # Errors
    /// Reading failed.
    pub fn measure(&self) -> io::Result<Measured> {
        measure(&mut *self.open()?, &mut |_| Ok(()))
    }
}

/// A bag whose digests are known.
#[derive(Debug)]
pub struct Bag {
    files: Vec<(String, Content, Measured)>,
    /// SHA-256 of the tag manifest, which fixes every byte of the bag.
    pub digest: ExhibitId,
}

/// Files, by their path in the payload.
pub type Payload = BTreeMap<String, (Content, Measured)>;

impl Bag {
    /// Makes a bag of a payload. `info` are lines of `bag-info.txt`, in order.
    ///
    /// # Errors
    /// A name may not stand in a bundle.
    pub fn new(payload: Payload, info: &[(&str, String)]) -> Result<Self, String> {
        let mut manifest = String::new();
        let mut bytes = 0u64;
        for (path, (_, measured)) in &payload {
            name::check(path).map_err(|reason| format!("the name {} {reason}", name::shown(path)))?;
            let _ = writeln!(manifest, "{}  data/{path}", measured.sha256);
            bytes = bytes.saturating_add(measured.bytes);
        }
        let oxum = ("Payload-Oxum", format!("{bytes}.{}", payload.len()));
        let lines = info.iter().chain([&oxum]).map(|(key, value)| format!("{key}: {}\n", one_line(value)));
        let mut files = Vec::new();
        let mut tags = String::new();
        for (path, text) in [
            ("bag-info.txt", lines.collect::<String>()),
            ("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned()),
            (MANIFEST, manifest),
        ] {
            let _ = writeln!(tags, "{}  {path}", digest::sha256(text.as_bytes()));
            files.push(tag_file(path, text));
        }
        let digest = digest::sha256(tags.as_bytes());
        files.push(tag_file(TAG_MANIFEST, tags));
        files
            .extend(payload.into_iter().map(|(path, (content, measured))| (format!("data/{path}"), content, measured)));
        Ok(Self { files, digest })
    }

    /// Writes the bag as a zip archive, below a folder `root`, as RFC 8493 section 4.2 has it.
    ///
    /// # Errors
    /// Reading or writing failed, or a file changed since it was measured.
    pub fn write_zip<W: Write>(&self, root: &str, out: W) -> io::Result<W> {
        let mut writer = zip::Writer::new(out);
        for (path, content, measured) in &self.files {
            let name = format!("{root}/{path}");
            let added = content.open().and_then(|mut bytes| writer.add(&name, measured, &mut *bytes));
            added.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        }
        writer.finish()
    }

    /// Writes the bag as a folder, which must not be there yet.
    ///
    /// # Errors
    /// As above.
    pub fn write_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)?;
        for (path, content, measured) in &self.files {
            let place = folder.join(path);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = File::create_new(&place)?;
            let written = measure(&mut *content.open()?, &mut |piece| file.write_all(piece))?;
            file.sync_all()?;
            if written != *measured {
                let reason = format!("{path}: the file changed while it was read");
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        }
        Ok(())
    }
}

fn tag_file(path: &str, text: String) -> (String, Content, Measured) {
    let bytes = text.into_bytes();
    let mut crc = flate2::Crc::new();
    crc.update(&bytes);
    let measured = Measured { sha256: digest::sha256(&bytes), crc32: crc.sum(), bytes: bytes.len() as u64 };
    (path.to_owned(), Content::Bytes(bytes), measured)
}

/// `bag-info.txt` has one line a field; longer ones would have to be folded.
fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What is wrong with a file of a bag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixityFault {
    /// It has another digest than the manifest says.
    Changed(String),
    /// A manifest names it and it is not there.
    Missing(String),
    /// It is there and no manifest names it.
    Unlisted(String),
    /// It is not a regular file, so it is not followed.
    NotAFile(String),
    /// A manifest or declaration is missing or not of its form.
    Form(String),
}

impl std::fmt::Display for FixityFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed(path) => write!(f, "{path} was changed"),
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::Unlisted(path) => write!(f, "{path} is in no manifest"),
            Self::NotAFile(path) => write!(f, "{path} is no regular file"),
            Self::Form(reason) => f.write_str(reason),
        }
    }
}

/// What a check of every file found.
#[derive(Debug, Default)]
pub struct Fixity {
    /// Files whose digest is that of the manifest.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong, by path.
    pub faults: BTreeSet<FixityFault>,
    /// SHA-256 of the tag manifest, which fixes all of it.
    pub digest: Option<ExhibitId>,
}

/// Checks every file of a bag in a folder. No link is followed.
///
/// # Errors
/// A file cannot be read.
pub fn check(root: &Path) -> io::Result<Fixity> {
    let mut fixity = Fixity::default();
    let (found, odd) = files_below(root)?;
    fixity.faults.extend(odd.into_iter().map(FixityFault::NotAFile));
    let (payload, others): (BTreeSet<String>, BTreeSet<String>) =
        found.into_iter().partition(|path| path.starts_with("data/"));
    let declared = read_text(root, "bagit.txt", &others, 1 << 10)?;
    if !declared.is_some_and(|text| text.starts_with("BagIt-Version: 1.0\n")) {
        fixity.faults.insert(FixityFault::Form("bagit.txt does not say BagIt-Version: 1.0".to_owned()));
    }
    check_manifest(root, MANIFEST, &payload, &others, &mut fixity)?;
    let mut tags = others.clone();
    tags.remove(TAG_MANIFEST);
    check_manifest(root, TAG_MANIFEST, &tags, &others, &mut fixity)?;
    fixity.digest =
        read_text(root, TAG_MANIFEST, &others, LARGEST_MANIFEST)?.map(|text| digest::sha256(text.as_bytes()));
    Ok(fixity)
}

fn check_manifest(
    root: &Path,
    manifest: &str,
    expected: &BTreeSet<String>,
    readable: &BTreeSet<String>,
    fixity: &mut Fixity,
) -> io::Result<()> {
    let Some(text) = read_text(root, manifest, readable, LARGEST_MANIFEST)? else {
        fixity.faults.insert(FixityFault::Form(format!("{manifest} is missing or no text")));
        return Ok(());
    };
    let listed = match Manifest::parse(&text) {
        Ok(listed) => listed,
        Err(error) => {
            fixity.faults.insert(FixityFault::Form(format!("{manifest}: {error}")));
            return Ok(());
        }
    };
    for path in expected.iter().filter(|path| !listed.0.contains_key(*path)) {
        fixity.faults.insert(FixityFault::Unlisted(path.clone()));
    }
    for (path, digest) in &listed.0 {
        if !expected.contains(path) {
            fixity.faults.insert(FixityFault::Missing(name::shown(path)));
            continue;
        }
        let measured = Content::File(root.join(path)).measure()?;
        if measured.sha256 == *digest {
            fixity.files += 1;
            fixity.bytes = fixity.bytes.saturating_add(measured.bytes);
        } else {
            fixity.faults.insert(FixityFault::Changed(path.clone()));
        }
    }
    Ok(())
}

/// A text file that is there, is text and is no larger than it may be.
fn read_text(root: &Path, path: &str, found: &BTreeSet<String>, most: u64) -> io::Result<Option<String>> {
    if !found.contains(path) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(root.join(path))?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then(|| String::from_utf8(bytes).ok()).flatten())
}

/// Regular files below a folder, as relative paths with `/`, and what is neither file nor folder or has no name in
/// UTF-8.
///
/// # Errors
/// A folder cannot be read.
pub fn files_below(root: &Path) -> io::Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (mut files, mut odd) = (BTreeSet::new(), BTreeSet::new());
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                odd.insert(name::shown(&format!("{folder}{}", entry.file_name().to_string_lossy())));
                continue;
            };
            let path = format!("{folder}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(format!("{path}/"));
            } else if kind.is_file() {
                files.insert(path);
            } else {
                odd.insert(name::shown(&path));
            }
        }
    }
    Ok((files, odd))
}

/// Unpacks an archive into a folder and gives the folder of the bag in it. No file is written over.
///
/// # Errors
/// The archive is refused or cannot be read, or the folder cannot be written.
pub fn unpack(archive: &Path, folder: &Path) -> Result<PathBuf, zip::ZipError> {
    let mut archive = zip::Archive::open(File::open(archive)?)?;
    let entries = archive.entries().to_vec();
    for entry in &entries {
        let place = folder.join(&entry.name);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create_new(&place)?;
        let written = io::copy(&mut archive.reader(entry)?, &mut file)?;
        if written != entry.bytes {
            return Err(zip::ZipError::Refused(format!("{} is cut short", entry.name)));
        }
    }
    let roots: BTreeSet<&str> = entries.iter().map(|entry| entry.name.split('/').next().unwrap_or_default()).collect();
    let only = roots.first().filter(|_| roots.len() == 1).filter(|_| !folder.join("bagit.txt").is_file());
    Ok(only.map_or_else(|| folder.to_owned(), |only| folder.join(only)))
}
