//! What was found and what is said of it: terminal reports, HTML, JSON, JSON lines and HAR.
//!
//! Nothing here reads evidence or looks for anything: a report is a pure function of its model,
//! with no clock, no hash-map order and no locale, so the same evidence gives the same bytes.

pub mod audit;
pub mod compare;
pub mod html;
mod json;
pub mod judgement;
pub mod records;
mod text;
pub mod words;

pub use text::clean;
