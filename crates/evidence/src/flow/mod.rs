//! Transport payloads to bytes in order, and the guess which protocol they are.

mod dispatch;

pub(crate) use dispatch::Dispatch;
