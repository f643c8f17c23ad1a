//! Story 5: a phone's messaging service, before and after the update that made it opt-in.

pub mod owner;
pub mod phone;
pub mod server;

/// The key of the servers in PEM. The phone uses its public half. Made for the lab; it protects nothing.
pub const SERVER_KEY: &str = include_str!("server-key.pem");
