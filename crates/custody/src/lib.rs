//! Evidence that survives: what was done to it by whom, bundles that others can check, and time stamps.
//!
//! * [`log`]: `custody.log`, JSON lines of which each names the digest of the one before.
//! * [`bag`]: BagIt bundles (RFC 8493), as a folder or a zip archive, the same bytes for the same contents.
//! * [`cuts`]: what a public edition leaves out, by range and salted digest.
//! * [`crate_metadata`]: RO-Crate 1.1.
//! * [`timestamp`]: RFC 3161 requests and replies, as files.
//!
//! Bundles and replies come from anybody: nothing here follows a link, leaves its folder, believes a length or inflates.

pub mod bag;
pub mod crate_metadata;
pub mod cuts;
pub mod digest;
#[doc(hidden)]
pub mod fuzzing;
pub mod log;
pub mod name;
pub mod timestamp;
pub mod zip;
