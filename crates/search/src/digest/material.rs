//! What a tester knows that programs mix into digests.

use dyetrace_case::{KeyMaterial, NamedSecret, Secret};

/// Known salts and keys, each under the name by which reports speak of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Material {
    /// Salts for salted digests. Empty ones are passed over.
    pub(crate) salts: Vec<(String, Secret)>,
    /// Keys for HMAC.
    pub(crate) hmac_keys: Vec<(String, Secret)>,
}

impl From<&KeyMaterial> for Material {
    fn from(material: &KeyMaterial) -> Self {
        let named = |all: &[NamedSecret]| all.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        Self { salts: named(&material.salts), hmac_keys: named(&material.hmac_keys) }
    }
}
