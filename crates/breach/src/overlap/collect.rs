//! What is held of a dump to compare it: digests, never values.

use crate::column::Digests;
use crate::key::Key;
use crate::kind::{self, Checker, Kind};
use crate::password;
use crate::rows::{Damage, Row};
use crate::typed::{TypedParts, TypedRows};
use md5::{Digest as _, Md5};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An identifier of a row, and the password beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Keyed digest of the canonical identifier.
    pub(super) id: u64,
    /// Keyed digest of the password's stored form; of one as typed, that of its MD5, so that a cracked password is
    /// known again. 0 where there is none.
    pub(super) password: u64,
    /// Of what kind the identifier is.
    pub(super) kind: Kind,
    /// True for a password as typed.
    pub(super) is_typed: bool,
}

/// What is held of a dump.
#[derive(Default)]
pub(super) struct Collected {
    /// Sorted by digest, each identifier once.
    pub(super) entries: Vec<Entry>,
    /// Identifiers are held whose digest ends in so many zero bits.
    pub(super) level: u32,
    pub(super) rows: u64,
    /// Rows without any identifier.
    pub(super) rows_without: u64,
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) typed: u64,
    pub(super) stored: u64,
    /// Seconds since 1970.
    pub(super) newest: Option<i64>,
    pub(super) damages: u64,
}

impl Collected {
    /// Keeps only what ends in so many zero bits.
    pub(super) fn thin_to(&mut self, level: u32) {
        self.level = self.level.max(level);
        let level = self.level;
        self.entries.retain(|entry| entry.id.trailing_zeros() >= level);
    }

    fn settle(&mut self) {
        // A row with a password stands before one without.
        self.entries.sort_unstable_by_key(|entry| (entry.id, entry.password == 0, entry.is_typed, entry.password));
        self.entries.dedup_by_key(|entry| entry.id);
    }
}

/// What a part of a dump may hold.
const MOST_OF_PART: usize = (24 << 20) / size_of::<Entry>();

/// Takes the rows of a dump, or of a part of one.
pub(super) struct Collector {
    digests: Arc<Digests>,
    collected: Collected,
    room: usize,
    /// Room before sorting: what is there twice takes room twice until then.
    slack: usize,
}

impl Collector {
    pub(super) fn new(key: &Key, level: u32, room: usize) -> Self {
        let room = room.max(1024);
        let collected = Collected { level, ..Collected::default() };
        Self { digests: Arc::new(Digests::new(key)), collected, room, slack: room / 4 }
    }

    pub(super) fn finish(mut self) -> Collected {
        self.make_room();
        self.collected
    }

    fn make_room(&mut self) {
        self.collected.settle();
        while self.collected.entries.len() > self.room {
            let level = self.collected.level + 1;
            self.collected.thin_to(level);
        }
    }

    fn password(&mut self, value: &[u8]) -> (u64, bool) {
        let is_typed = !password::form(value).is_stored();
        let count = if is_typed { &mut self.collected.typed } else { &mut self.collected.stored };
        *count += 1;
        let digest = if is_typed {
            let mut hex = [0; 32];
            for (place, byte) in hex.chunks_exact_mut(2).zip(Md5::digest(value)) {
                let digit = |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit as u8);
                place.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
            self.digests.of(Kind::PasswordHash, &hex)
        } else if password::is_hex_digest(value) {
            self.digests.of(Kind::PasswordHash, &value.to_ascii_lowercase())
        } else {
            self.digests.of(Kind::PasswordHash, value)
        };
        (digest.max(1), is_typed)
    }

    fn learn_moment(&mut self, value: &[u8]) {
        self.collected.newest = self.collected.newest.max(kind::moment(value));
    }
}

impl TypedRows for Collector {
    fn table(&mut self, kinds: &[Kind]) {
        self.collected.kinds.extend(kinds.iter().filter(|kind| kind.is_personal()));
    }

    fn row(&mut self, row: &Row<'_>, kinds: &[Kind], checker: &mut Checker) {
        self.collected.rows += 1;
        let field = |column: usize| row.field(column).filter(|value| !value.is_empty());
        let is_password = |kind: &Kind| matches!(kind, Kind::Password | Kind::PasswordHash);
        let password = kinds.iter().position(is_password).and_then(field);
        let (password, is_typed) = password.map_or((0, false), |value| self.password(value));
        let mut found = 0;
        for (column, kind) in kinds.iter().enumerate() {
            let Some(value) = field(column) else { continue };
            if *kind == Kind::Time {
                self.learn_moment(value);
            }
            if !kind.joins() || checker.check(*kind, value) != kind::Verdict::Canonical {
                continue;
            }
            found += 1;
            let id = self.digests.of(*kind, checker.canonical());
            if id.trailing_zeros() >= self.collected.level {
                self.collected.entries.push(Entry { id, password, kind: *kind, is_typed });
            }
        }
        self.collected.rows_without += u64::from(found == 0);
        if self.collected.entries.len() >= self.room + self.slack {
            self.make_room();
        }
    }

    fn damage(&mut self, _: Damage) {
        self.collected.damages += 1;
    }
}

/// What a part has to know: the digests, and which identifiers are held.
#[derive(Clone)]
pub(super) struct Known {
    digests: Arc<Digests>,
    level: u32,
}

impl TypedParts for Collector {
    type Known = Known;
    type Part = Self;

    fn known(&self) -> Known {
        Known { digests: Arc::clone(&self.digests), level: self.collected.level }
    }

    fn part(known: &Known) -> Self {
        let collected = Collected { level: known.level, ..Collected::default() };
        // A part is never thinned out: that would be by what it holds and not by what the dump does.
        Self { digests: Arc::clone(&known.digests), collected, room: usize::MAX >> 1, slack: 0 }
    }

    fn is_small(part: &Self) -> bool {
        part.collected.entries.len() <= MOST_OF_PART
    }

    fn merge(&mut self, part: &mut Self) {
        let Collected { entries, rows, rows_without, typed, stored, newest, damages, .. } = &mut part.collected;
        let level = self.collected.level;
        let whole = &mut self.collected;
        whole.rows += *rows;
        whole.rows_without += *rows_without;
        whole.typed += *typed;
        whole.stored += *stored;
        whole.newest = whole.newest.max(*newest);
        whole.damages += *damages;
        whole.entries.extend(entries.drain(..).filter(|entry| entry.id.trailing_zeros() >= level));
        if whole.entries.len() >= self.room + self.slack {
            self.make_room();
        }
    }
}
