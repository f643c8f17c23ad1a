//! What a tester knows that programs mix into digests.

use dyetrace_case::Secret;

/// Known salts and keys, each under the name by which reports speak of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Material {
    /// Salts for salted digests. Empty ones are passed over.
    pub(crate) salts: Vec<(String, Secret)>,
    /// Keys for HMAC.
    pub(crate) hmac_keys: Vec<(String, Secret)>,
}
