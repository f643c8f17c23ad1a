//! Exhibits to records: the readers.

mod layer;

pub use layer::{Conn, Layer, Limits, Out, Tally};
