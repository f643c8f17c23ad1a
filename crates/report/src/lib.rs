//! What was found, as a terminal report, JSON, JSON lines and HAR.
//!
//! Nothing here reads evidence or looks for anything: a report is a pure function of its model,
//! with no clock, no hash-map order and no locale, so the same evidence gives the same bytes.

pub mod audit;
pub mod records;
mod text;

pub use text::clean;
