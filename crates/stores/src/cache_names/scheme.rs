//! How each library names files.

use md5::{Digest, Md5};
use num_bigint::BigInt;
use sha1::Sha1;
use sha2::Sha256;
use std::fmt;

/// How a library names the files of its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Universal Image Loader, as it comes: Java's `String.hashCode()` in decimal (`HashCodeFileNameGenerator`). 32
    /// bits only: a name is a hint and not a proof when there are many files.
    UniversalImageLoader,
    /// Universal Image Loader with `Md5FileNameGenerator`: the MD5 digest as a signed number, without its sign, in base
    /// 36.
    UniversalImageLoaderMd5,
    /// Glide 4, pictures as they were fetched (`DataCacheKey` of an address without signature): SHA-256 in
    /// hexadecimal.
    Glide,
    /// OkHttp and Picasso over it (`Cache.key`): MD5 in hexadecimal; `.0` holds the headers and `.1` the picture.
    OkHttp,
    /// Coil 2 and later (`DiskLruCache` by the address): SHA-256 in hexadecimal; `.0` and `.1` as above.
    Coil,
    /// Fresco (`CacheKeyUtil`, `SecureHashUtil`): SHA-1 in base64 for addresses, without padding.
    Fresco,
    /// SDWebImage (`SDDiskCacheFileNameForKey`): MD5 in hexadecimal and the address's extension.
    SdWebImage,
    /// MD5 in hexadecimal alone: Kingfisher to version 7, YYCache, xUtils, AndroidVideoCache without an extension.
    Md5,
    /// Kingfisher from version 8: SHA-256 in hexadecimal.
    Kingfisher,
    /// Volley (`DiskBasedCache.getFilenameForKey`): `hashCode()` of each half of the key, one behind the other.
    Volley,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 10] = [
        Self::UniversalImageLoader,
        Self::UniversalImageLoaderMd5,
        Self::Glide,
        Self::OkHttp,
        Self::Coil,
        Self::Fresco,
        Self::SdWebImage,
        Self::Md5,
        Self::Kingfisher,
        Self::Volley,
    ];

    /// How many bits a name has: by chance, one of so many powers of two files bears it.
    pub fn bits(self) -> u32 {
        match self {
            Self::UniversalImageLoader => 32,
            // Half of the numbers lose their sign.
            Self::UniversalImageLoaderMd5 => 127,
            Self::OkHttp | Self::SdWebImage | Self::Md5 => 128,
            Self::Fresco => 160,
            Self::Glide | Self::Coil | Self::Kingfisher => 256,
            Self::Volley => 64,
        }
    }

    /// Whether the library puts endings behind the name that say nothing of the source: `.0`, `.cnt`, `.jpg`.
    pub fn may_have_suffix(self) -> bool {
        !matches!(self, Self::UniversalImageLoader | Self::Volley)
    }

    /// The names of a source's files, without endings that say nothing of it.
    pub(super) fn names(self, source: &str) -> Vec<String> {
        let bytes = source.as_bytes();
        match self {
            Self::UniversalImageLoader => vec![hash_code(source).to_string()],
            Self::UniversalImageLoaderMd5 => vec![base_36(&Md5::digest(bytes))],
            Self::Glide | Self::Coil | Self::Kingfisher => vec![hex(&Sha256::digest(bytes))],
            Self::OkHttp | Self::Md5 => vec![hex(&Md5::digest(bytes))],
            Self::Fresco => vec![base_64(&Sha1::digest(bytes))],
            Self::SdWebImage => extension(source).map(|end| hex(&Md5::digest(bytes)) + "." + end).into_iter().collect(),
            Self::Volley => vec![halves(source)],
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UniversalImageLoader => "Universal Image Loader (hashCode)",
            Self::UniversalImageLoaderMd5 => "Universal Image Loader (MD5 in base 36)",
            Self::Glide => "Glide (SHA-256)",
            Self::OkHttp => "OkHttp or Picasso (MD5)",
            Self::Coil => "Coil (SHA-256)",
            Self::Fresco => "Fresco (SHA-1 in base64)",
            Self::SdWebImage => "SDWebImage (MD5 and extension)",
            Self::Md5 => "Kingfisher, YYCache, xUtils or AndroidVideoCache (MD5)",
            Self::Kingfisher => "Kingfisher (SHA-256)",
            Self::Volley => "Volley (hashCode of both halves)",
        })
    }
}

/// Java's `String.hashCode()`: over units of UTF-16.
fn hash_code(text: &str) -> i32 {
    hash_of(&mut text.encode_utf16())
}

fn hash_of(units: &mut dyn Iterator<Item = u16>) -> i32 {
    units.fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn halves(source: &str) -> String {
    let units: Vec<u16> = source.encode_utf16().collect();
    let (first, second) = units.split_at(units.len() / 2);
    let hash = |units: &[u16]| hash_of(&mut units.iter().copied()).to_string();
    hash(first) + &hash(second)
}

/// `new BigInteger(digest).abs().toString(36)`.
fn base_36(digest: &[u8]) -> String {
    BigInt::from_signed_bytes_be(digest).magnitude().to_str_radix(36)
}

fn hex(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]));
    digest.iter().flat_map(digits).collect()
}

/// Base64 for addresses, without padding (RFC 4648, section 5).
fn base_64(digest: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in digest.chunks(3) {
        let number = (0..3).fold(0_u32, |number, at| number << 8 | group.get(at).copied().map_or(0, u32::from));
        let digits = (0..=group.len()).map(|at| DIGITS[(number >> (18 - 6 * at) & 63) as usize]);
        text.extend(digits.map(char::from));
    }
    text
}

/// Longest extension that goes into a name: 255 bytes less a digest and a dot.
const LONGEST_EXTENSION: usize = 222;

/// The extension of an address's last part, without its query.
fn extension(source: &str) -> Option<&str> {
    let path = source.split(['?', '#']).next()?;
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    (!extension.is_empty() && extension.len() <= LONGEST_EXTENSION).then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Java itself (`tests/data/MakeBackup.java` prints them).
    #[test]
    fn names_as_java_computes_them() {
        let camera = "file:///storage/emulated/0/DCIM/Camera/IMG_20260102_030405.jpg";
        assert_eq!(hash_code(camera), -416_593_913);
        assert_eq!(base_36(&Md5::digest(camera)), "6hjkpjr7q7f6if08daxi6aowb");
        assert_eq!(halves(camera), "672604251-520113214");
        let shop = "https://shop.example/a.jpg";
        assert_eq!(hash_code(shop), -1_388_711_930);
        assert_eq!(base_36(&Md5::digest(shop)), "6uhwuj3t6lvp3m9sdw1xm5v16");
        assert_eq!(hash_code("中文"), 646_394);
        assert_eq!(base_36(&Md5::digest("中文")), "584o4kf9sk3d1s2stnbjob8xl", "a negative number");
    }

    #[test]
    fn digests_in_their_spellings() {
        let only = |scheme: Scheme| scheme.names("https://shop.example/a.jpg").join(" ");
        assert_eq!(only(Scheme::OkHttp), "73a81b663d75dd863dcb81fd36fb365a");
        assert_eq!(only(Scheme::SdWebImage), "73a81b663d75dd863dcb81fd36fb365a.jpg");
        assert_eq!(only(Scheme::Glide), "d5391c65ed48988d9f52d12941cf4a5f12ea00d90fd28f6d641d3102cc7daded");
        assert_eq!(only(Scheme::Fresco), "fOIiUJiR4zfQK8zdQdaMD9mmoBw");
    }

    #[test]
    fn extensions_are_those_of_the_path() {
        assert_eq!(extension("https://a.example/b.png?x=c.gif"), Some("png"));
        assert_eq!(extension("https://a.example/b"), None);
        assert_eq!(extension("/storage/a.b/c.jpeg"), Some("jpeg"));
    }
}
