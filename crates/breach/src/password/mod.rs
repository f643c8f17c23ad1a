//! Passwords: how each row stores one, what it would cost to guess, and whether equal passwords look equal.

mod common;
mod form;
mod stored;
mod typed;
mod verify;

#[cfg(test)]
pub(crate) use common::hex;
pub(crate) use common::is_commonest;
pub use form::{Family, Guessing};
pub(crate) use form::{form, is_des_crypt, is_hex_digest};
pub(crate) use stored::Stored;
pub use stored::{DigestOf, FamilyRows, SchemeRows, StorageReport, WorkRows};
pub(crate) use typed::{is_of, is_slow};
pub(crate) use verify::Owner;
