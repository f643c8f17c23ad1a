//! Dumps of personal data: what is in them, who is hit, how passwords were kept, and which dump is a
//! copy of which.
//!
//! A dump is read as a stream: container, encoding and dialect are guessed first, then its rows come
//! in [`Batch`]es to a [`Sink`], which types and counts the columns. Nothing is unpacked to disk and no
//! raw value is ever kept: what outlives a batch is a count, a mask or a digest under the case's key.

mod ascii;
mod block;
mod column;
mod cores;
mod damages;
mod dialect;
mod encoding;
mod entry;
pub mod fuzzing;
mod hosts;
mod keep;
mod kept;
mod key;
mod kind;
mod law;
mod overlap;
mod parts;
mod password;
mod people;
mod read;
mod rows;
mod sample;
mod scan;
mod seal;
mod source;
mod stale;
mod streams;
mod text;
mod typed;
mod window;

pub use column::{ColumnReport, DistinctReport, KindRows, ShapeShare};
pub use dialect::php::{Pair as PhpPair, pairs as php_pairs};
pub use dyetrace_search::ResidentIdMode;
pub use keep::Keep;
pub use key::Key;
pub use kind::Kind;
pub use law::{Indication, SOURCE as LAW_SOURCE};
pub use overlap::{
    Copied, Dump, DumpReport, OverlapOptions, OverlapReport, PairReport, PasswordsReport, SharedKind, overlap, svg,
};
pub use parts::read_in_parts;
pub use password::{DigestOf, Family, FamilyRows, Guessing, SchemeRows, StorageReport, WorkRows};
pub use people::{Group, Groups, PeopleReport};
pub use read::{Checkpoint, Options, read, read_from};
pub use rows::{Batch, Damage, Dialect, Entry, Place, Row, Sink, Span, Table, TableId};
pub use scan::{
    DamageReport, EntryReport, Job, Refused, Report, Scan, ScanError, ScanOptions, TableReport, is_column_name,
    scan_files,
};
pub use stale::{StaleJob, StaleReport, stale};
pub use streams::Streams;
