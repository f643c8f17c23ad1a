//! Whether a password as typed is the one that a stored form was made of.

use super::common::{hex, unhex};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// Costs beyond these are not paid: a dump may state any, up to hours and all memory for one row. bcrypt's logarithm of
/// rounds, that of phpass, Argon2's KiB and passes.
const BCRYPT: u32 = 14;
const PHPASS: usize = 16;
const ARGON2: (u32, u32) = (128 << 10, 10);

/// True for a form that was made to be slow: it costs milliseconds and more to try one password.
pub(crate) fn is_slow(stored: &[u8]) -> bool {
    stored.first() == Some(&b'$')
}

/// Is the stored form one of this password? `None` where nobody can tell: the function is not known here, it costs more
/// than is paid, or a salt stands beside it and none of the usual compositions gives it.
pub(crate) fn is_of(stored: &[u8], salt: Option<&[u8]>, typed: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(stored).ok()?;
    match stored {
        [b'$', b'a', b'r', b'g', b'o', b'n', b'2', ..] => argon2(text, typed),
        [b'$', b'2', ..] => {
            let cost: u32 = text.split('$').nth(2)?.parse().ok()?;
            if cost > BCRYPT { None } else { bcrypt::verify(typed, text).ok() }
        }
        [b'$', b'P' | b'H', b'$', ..] => phpass(stored, typed),
        _ => digest(stored, salt, typed),
    }
}

fn argon2(stored: &str, typed: &[u8]) -> Option<bool> {
    use argon2::password_hash::{Error, PasswordHash, PasswordVerifier as _};
    let stored = PasswordHash::new(stored).ok().filter(|stored| stored.hash.is_some())?;
    let cost = argon2::Params::try_from(&stored).ok()?;
    if cost.m_cost() > ARGON2.0 || cost.t_cost() > ARGON2.1 {
        return None;
    }
    match argon2::Argon2::default().verify_password(typed, &stored) {
        Ok(()) => Some(true),
        Err(Error::Password) => Some(false),
        Err(_) => None,
    }
}

/// Digests of one pass, in hexadecimal digits.
fn digest(stored: &[u8], salt: Option<&[u8]>, typed: &[u8]) -> Option<bool> {
    let stored = if stored.len() <= 128 { unhex(stored)? } else { return None };
    let compute: fn(&[u8]) -> Vec<u8> = match stored.len() {
        16 => |text| Md5::digest(text).to_vec(),
        20 => |text| Sha1::digest(text).to_vec(),
        28 => |text| Sha224::digest(text).to_vec(),
        32 => |text| Sha256::digest(text).to_vec(),
        48 => |text| Sha384::digest(text).to_vec(),
        64 => |text| Sha512::digest(text).to_vec(),
        _ => return None,
    };
    let Some(salt) = salt.filter(|salt| !salt.is_empty()) else {
        let nested = hex(&compute(typed));
        let is_it = compute(typed) == stored || compute(&nested) == stored;
        // MD5 may have been what was digested, whatever is on the outside.
        return Some(is_it || compute(&hex(&Md5::digest(typed))) == stored);
    };
    let inner = hex(&Md5::digest(typed));
    let parts = [[salt, typed], [typed, salt], [&inner, salt], [salt, &inner]];
    parts.iter().any(|parts| compute(&parts.concat()) == stored).then_some(true)
}

/// The portable hash of phpass (Openwall, 2004): MD5 repeated as often as the fourth character says.
fn phpass(stored: &[u8], typed: &[u8]) -> Option<bool> {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let rounds = ALPHABET.iter().position(|letter| Some(letter) == stored.get(3))?;
    let (salt, kept) = (stored.get(4..12)?, stored.get(12..34)?);
    if !(7..=PHPASS).contains(&rounds) {
        return None;
    }
    let mut digest: [u8; 16] = Md5::digest([salt, typed].concat()).into();
    for _ in 0..1u32 << rounds {
        digest = Md5::digest([&digest[..], typed].concat()).into();
    }
    let mut coded = Vec::with_capacity(22);
    for three in digest.chunks(3) {
        let bits = three.iter().rev().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let letters = (0..=three.len()).map(|at| ALPHABET[(bits >> (6 * at) & 63) as usize]);
        coded.extend(letters);
    }
    Some(coded == kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_forms_of_the_examples_are_of_their_password_and_of_no_other() {
        // hashcat's examples: the password is "hashcat".
        let examples: [(&[u8], Option<&[u8]>); 7] = [
            (b"8743b52063cd84097a65d1633f5c74f5", None),
            (b"b89eaac7e61417341b710b727768294d0e6a277b", None),
            (b"127e6fbfe24a750e72930c220a8e138275656b8e5d8f48a98c3c92df2caba935", None),
            (b"01dfae6e5d4d90d9892622325959afbe", Some(b"7050461")),
            (b"f0fda58630310a6dd91a7d8f0a4ceda2", Some(b"4225637426")),
            (b"$P$984478476IagS59wHZvyQMArzfx58u.", None),
            (b"$2a$05$LhayLxezLhK1LhWvKxCyLOj0j1u.Kj0jZ0pEmm134uzrQlFvQJLF6", None),
        ];
        for (stored, salt) in examples {
            let name = String::from_utf8_lossy(stored);
            assert_eq!(is_of(stored, salt, b"hashcat"), Some(true), "{name}");
            assert_ne!(is_of(stored, salt, b"hashcas"), Some(true), "{name}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        assert_eq!(is_of(b"01dfae6e5d4d90d9892622325959afbe", Some(b"7050461"), b"other"), None);
        assert_eq!(is_of(b"$argon2id$broken", None, b"x"), None);
        assert_eq!(is_of(b"pbkdf2_sha256$20000$H0dPx8NeajVu$x", None, b"hashcat"), None);
    }

    /// A row of a dump could state a cost of hours, or of all memory.
    #[test]
    fn a_cost_that_nobody_should_pay_is_not_paid() {
        let costly: [&[u8]; 4] = [
            b"$2a$31$LhayLxezLhK1LhWvKxCyLOj0j1u.Kj0jZ0pEmm134uzrQlFvQJLF6",
            b"$P$M84478476IagS59wHZvyQMArzfx58u.",
            b"$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
            b"$argon2id$v=19$m=65536,t=4000000,p=1$c29tZXNhbHRzb21lc2FsdA$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
        ];
        for stored in costly {
            assert_eq!(is_of(stored, None, b"hashcat"), None, "{}", String::from_utf8_lossy(stored));
        }
    }
}
