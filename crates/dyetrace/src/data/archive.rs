//! An npm package: a gzip-compressed tar archive whose checksum is known beforehand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_recipients::Package;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};
use std::io::Read;

/// No list that is worth having is larger, unpacked.
const LARGEST: u64 = 256 << 20;

/// The package whose archive this is.
pub(super) fn identify<'a>(archive: &[u8], packages: &[&'a Package]) -> Option<&'a Package> {
    let sha512 = STANDARD.encode(Sha512::digest(archive));
    packages.iter().find(|package| package.sha512 == sha512).copied()
}

/// The wanted files of a package, in the order of [`Package::files`], each with its path less `package/`.
///
/// # Errors
/// What is wrong with the archive.
pub(super) fn unpack(archive: &[u8], package: &Package) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
    let mut found: Vec<Option<Vec<u8>>> = vec![None; package.files.len()];
    let mut tar = tar::Archive::new(GzDecoder::new(archive).take(LARGEST));
    for entry in tar.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path_bytes().into_owned();
        let Some(at) = package.files.iter().position(|file| file.path.as_bytes() == path) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        found[at] = Some(bytes);
    }
    let file = |(wanted, bytes): (&dyetrace_recipients::WantedFile, Option<Vec<u8>>)| {
        let inside = wanted.path.strip_prefix("package/").unwrap_or(wanted.path);
        bytes.map(|bytes| (inside, bytes)).ok_or_else(|| format!("{} is not in the archive", wanted.path))
    };
    package.files.iter().zip(found).map(file).collect()
}
