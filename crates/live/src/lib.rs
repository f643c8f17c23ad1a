//! An intercepting proxy that records what passes, byte for byte, and does not change it.
//!
//! Every way of getting traffic here (a [`front`]: HTTP proxy, SOCKS5, redirected connections) becomes the
//! same thing: a client, and a target that it wants to reach ([`relay`]). The target is connected first; who
//! speaks first tells server-first protocols from the others; a ClientHello is looked at before it is answered;
//! the certificate that the client gets has the names of the server's own. What the client sent and got, as it
//! was on the wire, goes into the [`journal`] with the keys to read it; what was inside TLS goes to whoever
//! watches ([`watch`]).

mod addresses;
pub mod authority;
pub mod control;
pub mod front;
pub mod guard;
mod idle;
mod journal;
pub mod policy;
pub mod relay;
mod stream;
mod upstream;
pub mod watch;

pub use authority::Authority;
pub use guard::{Guard, GuardSettings, Guarding};
pub use journal::Journal;
pub use policy::Policy;
pub use relay::{Relay, RelaySettings};
pub use stream::Stream;
pub use watch::{Event, Watch};
