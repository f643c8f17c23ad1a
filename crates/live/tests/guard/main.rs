//! What leaves through the guard and what does not, on real sockets: the servers say what arrived.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic, and says what it is by its name")]

mod http1;
mod http2;
mod stream;
mod toy;
mod websocket;
#[allow(dead_code, reason = "other tests use what these do not")]
#[path = "../world/mod.rs"]
mod world;
