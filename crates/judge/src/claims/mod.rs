//! Claim files: what they may say, and reading them.

mod error;
mod file;
mod kinds;
mod measured;
mod model;
mod node;
pub(crate) mod words;

pub use error::ClaimError;
pub use file::read_claims;
pub(crate) use kinds::forms_are_a_fault;
pub use measured::read_measured;
pub use model::*;
