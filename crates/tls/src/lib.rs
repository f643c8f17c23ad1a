#![doc = include_str!("../README.md")]

mod cipher;
mod codec;
mod compression;
mod connection;
mod decryptor;
mod der;
mod event;
mod framing;
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod key_log;
mod legacy;
mod messages;
mod modern;
mod names;
mod negotiation;
mod prf;
mod protection;
mod rsa;
mod secrets;
mod suite;
mod version;

pub use connection::Connection;
pub use decryptor::Decryptor;
pub use event::{Event, Reason, Side};
pub use secrets::{Loaded, Secrets};
