//! Two judgements side by side, at a terminal and as JSON.

mod json;
mod terminal;

pub use json::{SCHEMA, write as write_json};
pub use terminal::write as write_terminal;
