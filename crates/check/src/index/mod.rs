//! The index as one file: a signed manifest, then buckets of one size, each with its path to the signed root.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `dyecheck` |
//! | 4 | length of the head that follows, little-endian |
//! | … | the head: a [`crate::SignedManifest`] in JSON |
//! | … | zeros up to a multiple of 4096 |
//! | 2^bits × frame | bucket 0, bucket 1, …: entries (by their tags, padding among them), then the Merkle path |
//!
//! A bucket is one range of bytes: the file can be served as it is by anything that answers range requests.

mod build;
mod read;

pub use build::{Builder, NotBuilt, Person, Plan};
pub(crate) use read::fuzz;
pub use read::{Index, NotAnIndex};

/// The first bytes of the file.
const MAGIC: &[u8; 8] = b"dyecheck";
/// Bytes before the head.
const PREFIX: usize = MAGIC.len() + 4;
/// Where buckets may begin.
const PAGE: u64 = 4096;
/// Bytes of the head, at most: a manifest as a JSON string, escaped.
const MOST_HEAD: usize = 4 * crate::manifest::MOST_BYTES;

/// Where the first bucket begins behind a head of this length.
fn first_bucket(head: usize) -> u64 {
    ((PREFIX + head) as u64).next_multiple_of(PAGE)
}
