//! The key of a case in a file, encrypted with age (<https://age-encryption.org/v1>).

use super::checkpoint::sync_folder;
use super::passphrase;
use crate::exit::{Fault, say};
use age::secrecy::SecretString;
use age::{scrypt, x25519};
use clap::Args;
use dyetrace_breach::Key;
use dyetrace_check::{from_hex, to_hex};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A key file, an identity file and a passphrase are no longer.
const LONGEST: u64 = 64 << 10;
/// scrypt over 2^20 blocks takes 1 GiB and some seconds; a file that asks for more is refused.
const MOST_WORK: u8 = 20;

/// How the key of a case is kept.
#[derive(Debug, Args)]
pub(super) struct CaseKey {
    /// Keep the key of all digests in this file, encrypted with age; it is made where there is none. Without --identity and
    /// --passphrase-file a passphrase is asked for on the terminal
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Open the key file with the identity in this file, as age-keygen writes it
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// Open the key file with the passphrase in the first line of this file
    #[arg(long, value_name = "FILE", requires = "key")]
    passphrase_file: Option<PathBuf>,
}

/// What opens a key file.
enum Opener {
    Identity(x25519::Identity),
    Passphrase(SecretString),
}

impl CaseKey {
    /// The key: from its file, which is made where there is none; or a new one that is forgotten in the end.
    ///
    /// # Errors
    /// A file cannot be read or made, or does not open. What files hold is not told.
    pub(super) fn key(&self) -> Result<Key, Fault> {
        self.key_at(passphrase::terminal)
    }

    fn key_at(&self, terminal: fn() -> Option<File>) -> Result<Key, Fault> {
        let Some(path) = &self.key else { return random() };
        let opener = self.opener(path, terminal)?;
        match File::open(path) {
            Ok(_) => read(path, &opener),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, &opener),
            Err(error) => Err(Fault::file(path, &error)),
        }
    }

    fn opener(&self, key: &Path, terminal: fn() -> Option<File>) -> Result<Opener, Fault> {
        if let Some(path) = &self.identity {
            let text = text(path)?;
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let identity = lines.next().and_then(|line| line.parse().ok());
            let identity = identity.filter(|_| lines.next().is_none());
            let why = "an identity file holds one line AGE-SECRET-KEY-1…, as age-keygen writes it";
            return identity.map(Opener::Identity).ok_or_else(|| Fault::new(format!("{}: {why}", path.display())));
        }
        let Some(path) = &self.passphrase_file else {
            let missing =
                || Fault::new("--key needs --identity or --passphrase-file where there is no terminal to ask at");
            let terminal = terminal().ok_or_else(missing)?;
            return passphrase::ask(&terminal, key, !key.exists()).map(Opener::Passphrase);
        };
        let text = text(path)?;
        let line = text.lines().next().filter(|line| !line.is_empty());
        let line = line.ok_or_else(|| Fault::new(format!("{}: the first line is empty", path.display())))?;
        Ok(Opener::Passphrase(SecretString::from(line.to_owned())))
    }
}

fn random() -> Result<Key, Fault> {
    Key::random().map_err(|_| Fault::new("this computer gives no random bytes for a key"))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    read.map_err(|error| Fault::file(path, &error))?;
    Ok(bytes)
}

fn text(path: &Path) -> Result<String, Fault> {
    String::from_utf8(bytes(path)?).map_err(|_| Fault::new(format!("{}: is no text", path.display())))
}

fn read(path: &Path, opener: &Opener) -> Result<Key, Fault> {
    let sealed = bytes(path)?;
    let plain = match opener {
        Opener::Identity(identity) => age::decrypt(identity, &sealed),
        Opener::Passphrase(passphrase) => {
            let mut identity = scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MOST_WORK);
            age::decrypt(&identity, &sealed)
        }
    };
    let plain = plain.map_err(|error| Fault::new(format!("{}: the key does not open: {error}", path.display())))?;
    let digits = String::from_utf8(plain).ok();
    let key = digits.and_then(|digits| from_hex(digits.trim()));
    let why = "what is encrypted is no key: 64 hexadecimal digits";
    key.map(Key::from_bytes).ok_or_else(|| Fault::new(format!("{}: {why}", path.display())))
}

fn make(path: &Path, opener: &Opener) -> Result<Key, Fault> {
    let key = random()?;
    let digits = format!("{}\n", to_hex(key.bytes()));
    let sealed = match opener {
        Opener::Identity(identity) => age::encrypt(&identity.to_public(), digits.as_bytes()),
        Opener::Passphrase(passphrase) => age::encrypt(&scrypt::Recipient::new(passphrase.clone()), digits.as_bytes()),
    };
    let sealed = sealed.map_err(|error| Fault::new(format!("{}: {error}", path.display())))?;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| Fault::file(path, &error))?;
    let written = file.write_all(&sealed).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    if let Err(error) = written {
        // Half a key would be taken for one that does not open.
        let _ = std::fs::remove_file(path);
        return Err(Fault::file(path, &error));
    }
    say(&format!(
        "dyetrace: the key of the case is in {}, encrypted; dyetrace breach burn destroys it",
        path.display()
    ));
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dyetrace-case-key-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn with_identity(folder: &Path, name: &str) -> CaseKey {
        let path = folder.join(name);
        if !path.exists() {
            let identity = x25519::Identity::generate();
            let text = format!("# created\n{}\n", identity.to_string().expose_secret());
            std::fs::write(&path, text).unwrap();
        }
        CaseKey { key: Some(folder.join("case.key")), identity: Some(path), passphrase_file: None }
    }

    #[test]
    fn a_key_is_made_once_encrypted_and_opens_for_its_identity_alone() {
        let folder = folder("identity");
        let made = with_identity(&folder, "me.txt").key().unwrap();
        assert!(with_identity(&folder, "me.txt").key().unwrap() == made);
        assert!(with_identity(&folder, "another.txt").key().is_err());
        let file = std::fs::read(folder.join("case.key")).unwrap();
        assert!(file.starts_with(b"age-encryption.org/v1\n"));
        let digits = to_hex(made.bytes());
        assert!(!file.windows(64).any(|bytes| bytes == digits.as_bytes()));
        assert_eq!(std::fs::metadata(folder.join("case.key")).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_passphrase_opens_and_a_file_that_asks_for_endless_work_is_refused() {
        let folder = folder("passphrase");
        let (passphrase, key) = (folder.join("passphrase"), folder.join("case.key"));
        std::fs::write(&passphrase, "correct horse\nnot this\n").unwrap();
        let case = CaseKey { key: Some(key.clone()), identity: None, passphrase_file: Some(passphrase.clone()) };
        let mut recipient = scrypt::Recipient::new(SecretString::from("correct horse".to_owned()));
        recipient.set_work_factor(4);
        std::fs::write(&key, age::encrypt(&recipient, to_hex(&[7; 32]).as_bytes()).unwrap()).unwrap();
        assert!(case.key().unwrap() == Key::from_bytes([7; 32]));
        let sealed = String::from_utf8_lossy(&std::fs::read(&key).unwrap()).into_owned();
        let line = sealed.lines().find(|line| line.starts_with("-> scrypt")).unwrap().to_owned();
        let endless = line.strip_suffix(" 4").unwrap().to_owned() + " 30";
        std::fs::write(&key, sealed.replace(&line, &endless)).unwrap();
        assert!(case.key().is_err(), "2^30 blocks would take a terabyte");
        std::fs::write(&passphrase, "wrong horse").unwrap();
        let refused = case.key().unwrap_err().to_string();
        assert!(!refused.contains("wrong horse"), "{refused}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_key_needs_what_opens_it() {
        let case = CaseKey { key: Some(PathBuf::from("case.key")), identity: None, passphrase_file: None };
        assert!(case.key_at(|| None).unwrap_err().to_string().contains("--identity"));
    }
}
