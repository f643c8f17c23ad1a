//! The check service for the affected: whoever is in a dump can learn it, and which of their data is there,
//! without telling anybody who they are, and without anybody being able to read the list.
//!
//! * The [`Identifier`] that is asked for is evaluated by a verifiable oblivious pseudorandom function
//!   ([`oprf`], RFC 9497): the service sees a random group element, the client gets 64 bytes that only the holder of the
//!   key can compute.
//! * What is said of an identifier stands in a **bucket**, which a few bits of a public keyed hash choose
//!   ([`Manifest::bucket_of`]). All buckets have one size. The bits are chosen so that each holds at least `k` identifiers.
//! * In a bucket, an entry is found by bytes of the function's output, and sealed with others of them ([`record`]).
//!   Who fetches a bucket learns nothing of the entries of others, and who fetches all buckets no more.
//! * The whole index is one file, signed ([`index`]); a bucket proves by its Merkle path that it belongs to it
//!   ([`merkle`]), so a *no* is as good as a *yes*, whoever serves the file.
//!
//! Once the key of the function is destroyed, the index is noise.

pub mod client;
#[cfg(feature = "index")]
pub mod evaluate;
#[cfg(feature = "service")]
#[doc(hidden)]
pub mod fuzzing;
mod hex;
mod identifier;
#[cfg(feature = "index")]
pub mod index;
#[cfg(all(feature = "index", target_arch = "x86_64"))]
mod lanes;
pub mod manifest;
pub mod merkle;
pub mod oprf;
pub mod record;
#[cfg(feature = "service")]
pub mod service;
#[cfg(feature = "index")]
mod suite;

pub use hex::{from_hex, to_hex};
pub use identifier::{Identifier, Kind, NotAnIdentifier};
pub use manifest::{Manifest, NotTrusted, SignedManifest, Source};
