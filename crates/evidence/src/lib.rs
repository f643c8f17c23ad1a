//! Exhibits to records: the readers.
//!
//! [`layer`]'s `Layer` is the seam: `capture` turns a file into transport payloads, `flow` puts
//! them in order and guesses the protocol, `http` and its neighbours turn bytes into records.

mod archive;
mod capture;
mod coding;
mod dns;
mod flow;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod layer;
mod mqtt;
mod resync;
#[cfg(test)]
mod testing;
mod websocket;

pub use layer::{Conn, Layer, Limits, Out, Tally};
