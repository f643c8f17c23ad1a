//! Server truth: what really arrived, written down by the servers themselves.
//!
//! A server knows its own interface: it says what each field means and undoes its own wrapping. It writes no values,
//! only salted digests, so that whoever has the planted values can check each line and nobody else learns anything.

use crate::tester::now;
use dyetrace_case::hex;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Result, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// In which form a value arrived, after the server has undone what it can undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// The value itself.
    Plain,
    /// Its MD5 in hexadecimal.
    Md5,
    /// Its SHA-256 in hexadecimal.
    Sha256,
    /// A smaller picture of a planted one; the value is the name of the app's copy.
    Smaller,
}

impl Arrived {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Smaller => "smaller",
        }
    }
}

/// The file of all servers of one run: a line with the salt, then a line for each value that arrived.
#[derive(Debug)]
pub struct Ledger {
    salt: String,
    lines: Mutex<File>,
}

impl Ledger {
    /// A new file with a new salt.
    ///
    /// # Errors
    /// The file cannot be written, or the system gives no random bytes.
    pub fn create(path: &Path) -> Result<Self> {
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).map_err(|_| std::io::Error::other("no random bytes"))?;
        let salt = hex(&salt);
        let mut file = File::create(path)?;
        writeln!(
            file,
            "{}",
            json!({"salt": salt, "digest": "SHA-256 of the salt's text and the value as it arrived"})
        )?;
        Ok(Self { salt, lines: Mutex::new(file) })
    }

    /// Writes down that a value of a kind arrived at a host with a request.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn arrived(&self, host: &str, what: &str, kind: &str, form: Arrived, value: &[u8]) -> Result<()> {
        let digest = hex(&Sha256::new().chain_update(&self.salt).chain_update(value).finalize());
        let at = now().to_string();
        let line = json!({"at": at, "host": host, "what": what, "kind": kind, "form": form.name(), "digest": digest});
        writeln!(self.lines.lock().unwrap_or_else(PoisonError::into_inner), "{line}")
    }
}
