//! Checkpoints of a comparison: how many rows of the dumps were compared, and what is known of each account. They hold
//! no value and no digest of one, and are sealed all the same.

use super::{Accounts, State};
use crate::keep::{Given, Keep, identity, open};
use crate::kept::{In, Out, invalid};
use crate::key::Key;
use crate::read::Options;
use crate::scan::{Refused, ScanError};
use crate::seal::Sealed;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The first line of a checkpoint.
const MAGIC: &[u8] = concat!("dyetrace breach checkpoint stale 1 ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();

/// When the next checkpoint is due, and where it goes.
pub(super) struct Keeping<'a> {
    keep: Option<(&'a mut dyn Keep, Duration)>,
    /// What the comparison is of.
    identity: [u8; 32],
    key: Key,
    last: Instant,
    /// Whether a password was tried since, that took time.
    has_tried: bool,
    /// Rows that were compared before the comparison was stopped.
    done: u64,
}

impl<'a> Keeping<'a> {
    /// Of a comparison that is not kept.
    pub(super) fn none(key: &Key) -> Self {
        Self { keep: None, identity: [0; 32], key: key.clone(), last: Instant::now(), has_tried: false, done: 0 }
    }

    /// Of a comparison of these files.
    pub(super) fn of(
        dumps: &[PathBuf],
        accounts: &PathBuf,
        key: &Key,
        keep: Option<(&'a mut dyn Keep, Duration)>,
    ) -> Result<Self, ScanError> {
        let files = std::iter::once(accounts).chain(dumps);
        let identity = identity("files of a comparison", files, key, &Options::default());
        let identity = identity.map_err(|(path, error)| ScanError::File(path, error))?;
        Ok(Self { keep, identity, ..Self::none(key) })
    }

    /// Rows that need not be compared again.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Whether trying a password took time.
    pub(super) fn note(&mut self, took_time: bool) {
        self.has_tried |= took_time;
    }

    /// Writes a checkpoint where one is due: what took no time is soon done again.
    pub(super) fn keep(&mut self, rows: u64, accounts: &Accounts) {
        if !self.has_tried {
            return;
        }
        let Some((keep, every)) = &mut self.keep else { return };
        if self.last.elapsed() < *every {
            return;
        }
        // What cannot be kept is told by whoever keeps it; the comparison goes on.
        let _ = write(&self.identity, &self.key, rows, accounts, &mut **keep);
        (self.last, self.has_tried) = (Instant::now(), false);
    }

    /// Takes up what was known of the accounts.
    pub(super) fn resume(&mut self, from: &mut dyn Read, accounts: &mut Accounts) -> Result<(), Refused> {
        let mut opened = open(from, MAGIC, &self.key, &self.identity)?;
        self.done = read(&mut In(&mut opened), accounts).map_err(|_| Refused::NotOurs)?;
        if opened.is_at_end() { Ok(()) } else { Err(Refused::NotOurs) }
    }
}

fn write(identity: &[u8], key: &Key, rows: u64, accounts: &Accounts, keep: &mut dyn Keep) -> io::Result<()> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| io::ErrorKind::Unsupported)?;
    keep.begin()?;
    let mut given = Given(keep);
    given.write_all(MAGIC)?;
    given.write_all(&random)?;
    let mut sealed = Sealed::new(&key.of_file(&random), &mut given);
    let mut out = Out(&mut sealed);
    out.bytes(identity)?;
    out.numbers(&[rows, accounts.all.len() as u64])?;
    for account in &accounts.all {
        out.bytes(&[account.state as u8, account.tried])?;
    }
    sealed.finish()?;
    keep.end()
}

/// How many rows were compared.
fn read(from: &mut In<'_>, accounts: &mut Accounts) -> io::Result<u64> {
    let rows = from.number()?;
    if from.number()? != accounts.all.len() as u64 {
        return Err(invalid());
    }
    for account in &mut accounts.all {
        let mut known = [0; 2];
        from.bytes(&mut known)?;
        account.state = State::ALL.get(usize::from(known[0])).copied().ok_or_else(invalid)?;
        account.tried = known[1];
    }
    Ok(rows)
}
