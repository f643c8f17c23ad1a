//! Claim files: what they may say, and reading them.

pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod kinds;
pub(crate) mod measured;
mod model;
pub(crate) mod node;
pub(crate) mod words;

pub use error::ClaimError;
pub use file::read_claims;
pub(crate) use kinds::forms_are_a_fault;
pub use measured::read_measured;
pub use model::*;
