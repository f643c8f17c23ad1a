//! Key files: 32 bytes as hexadecimal digits, readable by their owner alone.

use crate::exit::Fault;
use dyetrace_check::{from_hex, to_hex};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The bytes of a key file.
///
/// # Errors
/// Where it cannot be read, or holds something else. What it holds is not told.
pub(super) fn read(path: &Path) -> Result<[u8; 32], Fault> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| Fault::file(path, &error))?;
    file.take(200).read_to_string(&mut text).map_err(|error| Fault::file(path, &error))?;
    from_hex(text.trim())
        .ok_or_else(|| Fault::new(format!("{}: a key file holds 64 hexadecimal digits", path.display())))
}

/// The bytes of a key file, which is made where there is none: `true` where it was.
pub(super) fn read_or_make(
    path: &Path,
    make: impl FnOnce([u8; 32]) -> Option<[u8; 32]>,
) -> Result<([u8; 32], bool), Fault> {
    let mut random = [0; 32];
    let fault = |error: &io::Error| Fault::file(path, error);
    let mut file = match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok((read(path)?, false)),
        Err(error) => return Err(fault(&error)),
    };
    getrandom::fill(&mut random).map_err(|error| fault(&error.into()))?;
    let key = make(random).ok_or_else(|| Fault::new("no key could be made"))?;
    file.write_all(format!("{}\n", to_hex(&key)).as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| fault(&error))?;
    Ok((key, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let path = std::env::temp_dir().join(format!("dyetrace-key-{}", std::process::id()));
        let (made, is_new) = read_or_make(&path, Some).unwrap();
        assert!(is_new);
        assert_eq!(read_or_make(&path, Some).unwrap(), (made, false));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "secret nonsense").unwrap();
        assert!(!read(&path).unwrap_err().to_string().contains("nonsense"));
        std::fs::remove_file(&path).unwrap();
    }
}
