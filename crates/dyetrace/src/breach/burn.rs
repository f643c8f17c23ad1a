//! `dyetrace breach burn`: the end of a case's key.

use super::checkpoint::sync_folder;
use crate::custody;
use crate::exit::{Exit, Fault, say};
use clap::Args;
use dyetrace_check::from_hex;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Arguments of `breach burn`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without the key nobody can tell whether a value is in digests made under it, and checkpoints cannot be opened. The file is
overwritten, synchronised and removed. That does not reach copies: backups, snapshots, file systems that write anew instead of over
(Btrfs, ZFS, APFS), blocks that a flash disk has set aside. What is left there is encrypted: destroy the age identity or passphrase too.

Examples:
  dyetrace breach burn case.key
  dyetrace breach burn keys/case.key --case my-case"
)]
pub(crate) struct BurnArguments {
    /// The key file
    #[arg(value_name = "KEYFILE")]
    file: PathBuf,
    /// Note it in the custody log of this case (default: of the folder the file is in, where it has one)
    #[arg(long, value_name = "DIR")]
    case: Option<PathBuf>,
}

/// A key file is no longer.
const LONGEST: u64 = 64 << 10;

/// Runs `breach burn`.
pub(crate) fn run(arguments: &BurnArguments) -> Result<Exit, Fault> {
    let path = &arguments.file;
    let links = burn(path)?;
    if let Some(case) = case_of(arguments) {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        custody::note(&case, None, format!("destroyed the key file {name}"), [].into())?;
    }
    say(&format!(
        "dyetrace: {} is overwritten and removed. Copies are not reached: backups, snapshots, copy-on-write file systems, blocks set aside by flash disks",
        path.display()
    ));
    if links > 1 {
        say(&format!("dyetrace: note: the file had {links} names; what it held is gone under all of them"));
    }
    Ok(Exit::Fine)
}

/// The case that has a custody log to note it in.
fn case_of(arguments: &BurnArguments) -> Option<PathBuf> {
    let beside =
        || arguments.file.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let case = arguments.case.as_deref().or_else(beside)?;
    case.join(dyetrace_custody::log::FILE).is_file().then(|| case.to_owned())
}

/// Overwrites and removes a key file; gives how many names it had.
fn burn(path: &Path) -> Result<u64, Fault> {
    let fault = |error: io::Error| Fault::file(path, &error);
    let data = std::fs::symlink_metadata(path).map_err(fault)?;
    let is_key = data.is_file() && data.len() <= LONGEST && is_key_file(path).map_err(fault)?;
    if !is_key {
        let why = "is no key file (a file encrypted with age, or 64 hexadecimal digits): nothing was changed";
        return Err(Fault::new(format!("{}: {why}", path.display())));
    }
    overwrite(path, data.len()).map_err(fault)?;
    Ok(data.nlink())
}

fn is_key_file(path: &Path) -> io::Result<bool> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    let is_plain = || std::str::from_utf8(&bytes).is_ok_and(|text| from_hex::<32>(text.trim()).is_some());
    Ok(bytes.starts_with(b"age-encryption.org/v1\n") || is_plain())
}

fn overwrite(path: &Path, length: u64) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let mut random = vec![0; length as usize];
    getrandom::fill(&mut random).map_err(|_| io::ErrorKind::Unsupported)?;
    for bytes in [random, vec![0; length as usize]] {
        file.rewind()?;
        file.write_all(&bytes)?;
        file.sync_all()?;
    }
    std::fs::remove_file(path)?;
    sync_folder(path)
}
