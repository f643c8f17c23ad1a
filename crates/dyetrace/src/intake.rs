//! From what was typed to exhibits that are open and keys that are loaded.

use crate::cli::ReadingArguments;
use crate::exit::{Fault, say};
use crate::progress::Progress;
use dyetrace_case::{Case, Secret};
use dyetrace_evidence::Opened;
use dyetrace_report::audit::{Fixity, KeyFile};
use dyetrace_tls::Decryptor;
use std::path::{Path, PathBuf};

/// Exhibits and keys, ready to be read.
pub(crate) struct Intake {
    /// The case, where a case folder was given.
    pub(crate) case: Option<Case>,
    /// The exhibits that could be opened, each once, in the order given.
    pub(crate) exhibits: Vec<Opened>,
    /// All keys.
    pub(crate) tls: Decryptor,
    /// Where the keys came from.
    pub(crate) key_files: Vec<KeyFile>,
    /// How many exhibits could not be opened; each was named on standard error.
    pub(crate) refused: usize,
    /// Progress over hashing and reading.
    pub(crate) progress: Progress,
}

/// Opens everything: exhibits are hashed and told by content, keys are loaded.
///
/// # Errors
/// The case folder or a key file that was named could not be read, or no exhibit could be opened.
pub(crate) fn open(inputs: &[PathBuf], arguments: &ReadingArguments) -> Result<Intake, Fault> {
    let case = open_case(inputs)?;
    let paths = exhibit_paths(case.as_ref(), inputs)?;
    let mut tls = Decryptor::default();
    let mut key_files = load_keys(case.as_ref(), &arguments.keys, &mut tls)?;
    let size = paths.iter().filter_map(|(path, _)| std::fs::metadata(path).ok()).map(|data| data.len()).sum::<u64>();
    let progress = Progress::new(size * 2);
    let password = case.as_ref().map(backup_password).transpose()?.flatten();
    let mut exhibits: Vec<Opened> = Vec::new();
    let mut refused = 0;
    for (path, shown) in paths {
        progress.begin("hashing", &shown);
        match dyetrace_evidence::open(&path, &mut |bytes| progress.at(bytes)) {
            Ok(opened) if exhibits.iter().any(|other| other.exhibit().id == opened.exhibit().id) => {
                say(&format!("dyetrace: {shown} has the same bytes as an exhibit before it; it is read once"));
            }
            Ok(opened) => exhibits.push(opened.named(shown).unlocked(password.clone())),
            Err(error) => {
                say(&format!("dyetrace: {error}"));
                refused += 1;
            }
        }
    }
    for opened in &exhibits {
        key_files.extend(inside_keys(opened, &mut tls));
    }
    if exhibits.is_empty() {
        progress.done();
        return Err(Fault::new("no exhibit could be opened").hint(
            "dyetrace reads pcap and pcapng (also gzip or zstd), HAR, mitmproxy flow files and archives of files; dyetrace audit --help shows examples",
        ));
    }
    Ok(Intake { case, exhibits, tls, key_files, refused, progress })
}

impl Intake {
    /// Does the exhibit still have the digest that the case's manifest lists?
    pub(crate) fn fixity(&self, opened: &Opened) -> Fixity {
        let exhibit = opened.exhibit();
        let listed = self.case.as_ref().and_then(|case| case.manifest.as_ref()?.0.get(&exhibit.path));
        match listed {
            None => Fixity::NotListed,
            Some(digest) if *digest == exhibit.id => Fixity::Matches,
            Some(_) => Fixity::Differs,
        }
    }
}

fn open_case(inputs: &[PathBuf]) -> Result<Option<Case>, Fault> {
    let Some(folder) = inputs.iter().find(|path| path.is_dir()) else {
        return Ok(None);
    };
    if !Case::is_case(folder) {
        let fault = Fault::new(format!("{} is a folder without a case.yaml", folder.display()));
        return Err(fault.hint("make a case with: dyetrace new my-case, or name the files of evidence themselves"));
    }
    if inputs.len() > 1 {
        let fault = Fault::new("a case folder stands alone: it names its own exhibits");
        return Err(fault.hint(format!("type: dyetrace audit {}", folder.display())));
    }
    Case::open(folder).map(Some).map_err(Fault::new)
}

/// Where each exhibit lies and what it is called in reports.
fn exhibit_paths(case: Option<&Case>, inputs: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, Fault> {
    let Some(case) = case else {
        return Ok(inputs.iter().map(|path| (path.clone(), path.display().to_string())).collect());
    };
    if case.exhibits.is_empty() {
        let fault = Fault::new(format!("{} holds no exhibit", case.root.display()));
        return Err(fault.hint(format!("copy recordings into {}", case.root.join("evidence").display())));
    }
    Ok(crate::history::in_order(case).into_iter().map(|path| (case.root.join(&path), path)).collect())
}

fn load_keys(case: Option<&Case>, named: &[PathBuf], tls: &mut Decryptor) -> Result<Vec<KeyFile>, Fault> {
    let mut files = Vec::new();
    for path in named {
        let file = load_key_file(path, path.display().to_string(), tls)?;
        if file.secrets == 0 {
            let (shown, skipped) = (path.display(), file.skipped);
            say(&format!("dyetrace: {shown} holds no key that is known here ({skipped} lines were skipped)"));
        }
        files.push(file);
    }
    if let Some(case) = case {
        for path in case.keys.iter().filter(|path| *path != BACKUP_PASSWORD) {
            files.push(load_key_file(&case.root.join(path), path.clone(), tls)?);
        }
    }
    Ok(files)
}

/// Where the password of Android backups stands in a case.
const BACKUP_PASSWORD: &str = "keys/backup.password";

/// The first line of the file, where the case has it.
pub(crate) fn backup_password(case: &Case) -> Result<Option<Secret>, Fault> {
    let path = case.root.join(BACKUP_PASSWORD);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().map(Secret::new)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::file(&path, &error)),
    }
}

fn load_key_file(path: &Path, shown: String, tls: &mut Decryptor) -> Result<KeyFile, Fault> {
    /// More than any key log of a day's browsing holds.
    const MOST: u64 = 1 << 30;
    let metadata = std::fs::metadata(path).map_err(|error| Fault::file(path, &error))?;
    if metadata.is_dir() || metadata.len() > MOST {
        let fault = Fault::new(format!("{} is not a key file", path.display()));
        return Err(fault.hint("--keys takes an NSS key log (SSLKEYLOGFILE) or PEM with an RSA private key"));
    }
    let bytes = std::fs::read(path).map_err(|error| Fault::file(path, &error))?;
    let loaded = tls.secrets.load(&bytes);
    Ok(KeyFile { path: shown, secrets: loaded.secrets, skipped: loaded.skipped })
}

/// Keys that a capture brings with it (Decryption Secrets Blocks).
fn inside_keys(opened: &Opened, tls: &mut Decryptor) -> Option<KeyFile> {
    let mut inside = KeyFile { path: format!("inside {}", opened.exhibit().path), secrets: 0, skipped: 0 };
    for block in opened.secrets() {
        let loaded = tls.secrets.load(block);
        inside.secrets += loaded.secrets;
        inside.skipped += loaded.skipped;
    }
    (!opened.secrets().is_empty()).then_some(inside)
}
