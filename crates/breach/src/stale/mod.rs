//! Which of one's own accounts still have the password that a dump gives away.

mod keeping;

use crate::column::Digests;
use crate::keep::Keep;
use crate::key::Key;
use crate::kind::{self, Checker, Kind};
use crate::password;
use crate::read::{Checkpoint, Options, Reading};
use crate::rows::{Batch, Damage, Entry, Row, Sink, Table, TableId};
use crate::scan::ScanError;
use crate::streams::Streams;
use crate::typed::{Typed, TypedRows};
use dyetrace_search::ResidentIdMode;
use keeping::Keeping;
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

/// What is told of accounts. It holds numbers of rows, which only who has the list of accounts can resolve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StaleReport {
    /// Accounts in the list.
    pub accounts: u64,
    /// Of these, with a password that can be compared.
    pub with_password: u64,
    /// Accounts that are in the dumps with a password.
    pub in_dumps: u64,
    /// Still the password of a dump.
    pub unchanged: u64,
    /// Another password.
    pub changed: u64,
    /// Nobody can tell: stored in different ways, each with a salt of its own, or by a function not known here.
    pub cannot_tell: u64,
    /// Rows of the list of accounts that still have the password of a dump, counted from 1 without the header.
    pub rows: Vec<u64>,
    /// Parts of the dumps and of the list that could not be read.
    pub damages: u64,
}

/// What to compare and how.
pub struct StaleJob<'a> {
    /// The files of the dumps.
    pub dumps: &'a [PathBuf],
    /// The list of accounts.
    pub accounts: &'a PathBuf,
    /// The key of all digests, and of checkpoints.
    pub key: &'a Key,
    /// Those of the files that can be read only once: then there are no checkpoints.
    pub streams: Streams,
    /// Where checkpoints go, and after how much time there is to be one.
    pub keep: Option<(&'a mut dyn Keep, Duration)>,
    /// A checkpoint to go on from.
    pub resume: Option<&'a mut dyn Read>,
    /// Is told how many bytes of the dumps have been read.
    pub progress: Box<dyn FnMut(u64) + Send + 'a>,
}

/// Compares the dumps' passwords with those of the accounts, on one core: of each account only so many passwords are
/// tried, in the order of the dumps. What costs time is to try passwords against slow forms: a comparison that goes on
/// from a checkpoint reads everything again, and tries nothing again.
///
/// # Errors
/// A file cannot be opened, or the checkpoint is not of these files.
pub fn stale(job: StaleJob<'_>) -> Result<StaleReport, ScanError> {
    let StaleJob { dumps, accounts, key, mut streams, keep, resume, mut progress } = job;
    let keeps = keep.is_some() || resume.is_some();
    if let Some(path) = streams.first().filter(|_| keeps) {
        return Err(ScanError::Stream(path.to_owned()));
    }
    let mut list = Accounts { digests: Digests::new(key), all: Vec::new(), by_id: HashMap::new(), damages: 0 };
    pass(std::slice::from_ref(accounts), &mut streams, &mut list, &mut |_| ())?;
    let mut keeping = if keeps { Keeping::of(dumps, accounts, key, keep)? } else { Keeping::none(key) };
    if let Some(from) = resume {
        keeping.resume(from, &mut list).map_err(ScanError::Refused)?;
    }
    let mut leaked = Leaked { accounts: &mut list, keeping, rows: 0, damages: 0 };
    pass(dumps, &mut streams, &mut leaked, &mut *progress)?;
    let damages = leaked.damages + list.damages;
    Ok(list.report(damages))
}

fn pass<T: TypedRows>(
    paths: &[PathBuf],
    streams: &mut Streams,
    rows: &mut T,
    progress: &mut dyn FnMut(u64),
) -> Result<(), ScanError> {
    let mut typed = Watched { typed: Typed::new(rows, ResidentIdMode::Historical), progress };
    let options = Options::default();
    let mut reading = Reading::new(&options, &mut typed);
    for path in paths {
        let read: io::Result<()> = match streams.take(path) {
            Some(stream) => reading.stream(path, stream),
            None => reading.path(path),
        };
        read.map_err(|error| ScanError::File(path.clone(), error))?;
    }
    typed.typed.finish();
    Ok(())
}

/// Tells how far reading is.
struct Watched<'w, 't, T: TypedRows> {
    typed: Typed<'t, T>,
    progress: &'w mut dyn FnMut(u64),
}

impl<T: TypedRows> Sink for Watched<'_, '_, T> {
    fn entry(&mut self, index: u32, entry: &Entry) {
        self.typed.entry(index, entry);
    }

    fn table(&mut self, table: &Table) -> TableId {
        self.typed.table(table)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        self.typed.batch(table, batch);
    }

    fn damage(&mut self, damage: Damage) {
        self.typed.damage(damage);
    }

    fn checkpoint(&mut self, _: &Checkpoint, read: u64) {
        (self.progress)(read);
    }
}

/// What is known of one account's password. The last wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    NotInDumps,
    CannotTell,
    Changed,
    Unchanged,
}

impl State {
    const ALL: [Self; 4] = [Self::NotInDumps, Self::CannotTell, Self::Changed, Self::Unchanged];
}

/// One's own account, in memory only.
struct Account {
    password: Vec<u8>,
    salt: Vec<u8>,
    state: State,
    /// How often a password was tried against a slow form.
    tried: u8,
}

/// One's own accounts by digests of their identifiers.
struct Accounts {
    digests: Digests,
    all: Vec<Account>,
    by_id: HashMap<u64, u32>,
    damages: u64,
}

impl Accounts {
    fn report(&self, damages: u64) -> StaleReport {
        let count = |state: State| self.all.iter().filter(|account| account.state == state).count() as u64;
        let rows = self.all.iter().zip(1..).filter(|(account, _)| account.state == State::Unchanged);
        let accounts = self.all.len() as u64;
        StaleReport {
            accounts,
            with_password: self.all.iter().filter(|account| !account.password.is_empty()).count() as u64,
            in_dumps: accounts - count(State::NotInDumps),
            unchanged: count(State::Unchanged),
            changed: count(State::Changed),
            cannot_tell: count(State::CannotTell),
            rows: rows.map(|(_, row)| row).collect(),
            damages,
        }
    }
}

/// Digests of a row's identifiers.
fn identifiers(row: &Row<'_>, kinds: &[Kind], checker: &mut Checker, digests: &Digests) -> Vec<u64> {
    let mut found = Vec::new();
    for (column, kind) in kinds.iter().enumerate().filter(|(_, kind)| kind.joins()) {
        let Some(value) = row.field(column).filter(|value| !value.is_empty()) else { continue };
        if checker.check(*kind, value) == kind::Verdict::Canonical {
            found.push(digests.of(*kind, checker.canonical()));
        }
    }
    found
}

/// The field of the first column of one of these kinds.
fn field<'a>(row: &Row<'a>, kinds: &[Kind], wanted: &[Kind]) -> &'a [u8] {
    let column = kinds.iter().position(|kind| wanted.contains(kind));
    column.and_then(|column| row.field(column)).unwrap_or_default()
}

/// Different passwords that are tried for one account where each costs time: a dump may name somebody in every row.
const MOST_TRIED: u8 = 32;

const PASSWORDS: [Kind; 3] = [Kind::PasswordHash, Kind::Password, Kind::Digest];

impl TypedRows for Accounts {
    fn table(&mut self, _: &[Kind]) {}

    fn row(&mut self, row: &Row<'_>, kinds: &[Kind], checker: &mut Checker) {
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        for id in identifiers(row, kinds, checker, &self.digests) {
            self.by_id.entry(id).or_insert(number);
        }
        let (password, salt) = (field(row, kinds, &PASSWORDS).to_vec(), field(row, kinds, &[Kind::Salt]).to_vec());
        self.all.push(Account { password, salt, state: State::NotInDumps, tried: 0 });
    }

    fn damage(&mut self, _: Damage) {
        self.damages += 1;
    }
}

/// The dumps' rows, held against the accounts.
struct Leaked<'a, 'k> {
    accounts: &'a mut Accounts,
    keeping: Keeping<'k>,
    /// Rows until now.
    rows: u64,
    damages: u64,
}

impl TypedRows for Leaked<'_, '_> {
    fn table(&mut self, _: &[Kind]) {}

    fn row(&mut self, row: &Row<'_>, kinds: &[Kind], checker: &mut Checker) {
        self.rows += 1;
        if self.rows > self.keeping.done() {
            self.compare(row, kinds, checker);
            self.keeping.keep(self.rows, self.accounts);
        }
    }

    fn damage(&mut self, _: Damage) {
        self.damages += 1;
    }
}

impl Leaked<'_, '_> {
    fn compare(&mut self, row: &Row<'_>, kinds: &[Kind], checker: &mut Checker) {
        let leaked = field(row, kinds, &PASSWORDS);
        if leaked.is_empty() {
            return;
        }
        let salt = field(row, kinds, &[Kind::Salt]);
        let found = identifiers(row, kinds, checker, &self.accounts.digests);
        let mut numbers: Vec<u32> = found.iter().filter_map(|id| self.accounts.by_id.get(id).copied()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            let Some(account) = self.accounts.all.get_mut(number as usize) else { continue };
            if account.state != State::Unchanged {
                let before = account.tried;
                account.state = account.state.max(compare(account, leaked, salt));
                self.keeping.note(account.tried != before);
            }
        }
    }
}

/// Is the leaked password the account's of today?
fn compare(account: &mut Account, leaked: &[u8], salt: &[u8]) -> State {
    let ours = account.password.as_slice();
    if ours.is_empty() {
        return State::CannotTell;
    }
    if password::is_slow(ours) || password::is_slow(leaked) {
        if account.tried >= MOST_TRIED && ours != leaked {
            return State::CannotTell;
        }
        account.tried = account.tried.saturating_add(1);
    }
    let (our_form, their_form) = (password::form(ours), password::form(leaked));
    let verdict = match (our_form.is_stored(), their_form.is_stored()) {
        (true, true) => stored_alike((ours, &account.salt), (leaked, salt)),
        (true, false) => password::is_of(ours, Some(&account.salt), leaked),
        (false, true) => password::is_of(leaked, Some(salt), ours),
        (false, false) => Some(ours == leaked),
    };
    match verdict {
        Some(true) => State::Unchanged,
        Some(false) => State::Changed,
        None => State::CannotTell,
    }
}

/// Two stored forms: the same, or different ones of the same function without a salt.
fn stored_alike((ours, our_salt): (&[u8], &[u8]), (theirs, their_salt): (&[u8], &[u8])) -> Option<bool> {
    if our_salt == their_salt && ours.eq_ignore_ascii_case(theirs) && (password::is_hex_digest(ours) || ours == theirs)
    {
        return Some(true);
    }
    let (one, other) = (password::form(ours), password::form(theirs));
    let unsalted = !one.salted && !other.salted;
    let same_way = unsalted && our_salt == their_salt && one.family == other.family && ours.len() == theirs.len();
    same_way.then_some(false)
}
