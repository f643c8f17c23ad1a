//! How the shop keeps passwords: as reported, and as promised.

use super::forms::md5_hex;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use md5::{Digest as _, Md5};

/// A way to keep passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// MD5 without salt: equal passwords look equal, and the common ones are known by heart.
    Md5,
    /// Argon2id (RFC 9106) with a salt of its own each, 19 MiB and two passes.
    Argon2id,
}

impl Keeping {
    /// What is kept of a password. `whose` makes the salt, so that the same shop is made twice.
    pub fn keep(self, password: &str, whose: &str) -> String {
        match self {
            Self::Md5 => md5_hex(password),
            Self::Argon2id => {
                let salt = SaltString::encode_b64(&Md5::digest(format!("salt of {whose} {password}").as_bytes()));
                let kept = salt
                    .ok()
                    .and_then(|salt| Some(slow()?.hash_password(password.as_bytes(), &salt).ok()?.to_string()));
                kept.unwrap_or_default()
            }
        }
    }

    /// Is this what is kept of that password?
    pub fn is_of(self, kept: &str, typed: &str) -> bool {
        match self {
            Self::Md5 => kept == md5_hex(typed),
            Self::Argon2id => PasswordHash::new(kept)
                .is_ok_and(|kept| slow().is_some_and(|slow| slow.verify_password(typed.as_bytes(), &kept).is_ok())),
        }
    }
}

/// The least that OWASP's Password Storage Cheat Sheet asks for.
fn slow() -> Option<Argon2<'static>> {
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).ok()?))
}
