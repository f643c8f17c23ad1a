//! How Universal Image Loader names the files of its disk cache: after the URI that a picture came from.

use md5::{Digest as _, Md5};
use num_bigint::BigInt;

/// `HashCodeFileNameGenerator`: Java's `String.hashCode()` of the URI, in decimal and often negative.
pub fn hash_code(uri: &str) -> String {
    let hash = uri.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.to_string()
}

/// `Md5FileNameGenerator`: the MD5 of the URI as a signed number, without its sign, in base 36.
pub fn md5_base36(uri: &str) -> String {
    BigInt::from_signed_bytes_be(&Md5::digest(uri)).magnitude().to_str_radix(36)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first hash is what every Java prints; the others were computed with another program, after the generators'
    /// sources.
    #[test]
    fn names_are_those_that_java_computes() {
        assert_eq!(hash_code("hello"), "99162322");
        let photo = "file:///storage/emulated/0/DCIM/Camera/IMG_20190105_101112.jpg";
        assert_eq!(hash_code(photo), "1417749780");
        assert_eq!(md5_base36(photo), "3abuphzcqfeww267dqn1v84y2");
        assert_eq!(md5_base36("hello"), "5ir3t0ozoelrnauhrwyu1xfgy");
    }
}
