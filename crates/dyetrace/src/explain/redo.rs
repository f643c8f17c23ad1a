//! Commands that do with ordinary tools what a step of a trail did.

use dyetrace_case::{Cipher, CipherKey, Iv, KeyMaterial, hex};
use dyetrace_search::StepView;
use std::ops::Range;

/// What stands for a secret.
const STARS: &str = "****";

/// The bytes of `range` in the file of that level.
pub(super) fn slice(level: usize, range: &Range<usize>) -> String {
    format!("tail -c +{} bytes.{level} | head -c {}", range.start + 1, range.len())
}

/// The command that makes the file of the next level; `None` where no ordinary tool does it.
pub(super) fn command(
    level: usize,
    step: &StepView,
    outer: &[u8],
    material: &KeyMaterial,
    reveal: bool,
) -> Option<String> {
    let range = step.encoded.start as usize..step.encoded.end as usize;
    let encoded = outer.get(range.clone())?;
    let slice = slice(level, &range);
    let next = level + 1;
    if encoded == step.decoded.as_slice() {
        return Some(format!("{slice} > bytes.{next}"));
    }
    let tool = match step.codec.as_str() {
        "base64" => base64(encoded),
        "json" | "escape" => return json_string(encoded).then(|| quoted(&slice, next)),
        "form" | "query" => python("urllib.parse", "urllib.parse.unquote_to_bytes(b.replace(b'+',b' '))"),
        "percent" | "path" | "cookie" if !encoded.windows(2).any(|two| two.eq_ignore_ascii_case(b"%u")) => {
            python("urllib.parse", "urllib.parse.unquote_to_bytes(b)")
        }
        name if name.starts_with("aes-") || name.starts_with("sm4-") || name.starts_with("3des-") => {
            return openssl(level, step, encoded, &range, material, reveal);
        }
        name => of_codec(name, step.detail.as_deref())?,
    };
    Some(format!("{slice} | {tool} > bytes.{next}"))
}

fn of_codec(codec: &str, detail: Option<&str>) -> Option<String> {
    Some(match codec {
        "gzip" => "gzip -dc".to_owned(),
        "zlib" => python("zlib", "zlib.decompressobj().decompress(b)"),
        "deflate" => python("zlib", "zlib.decompressobj(-15).decompress(b)"),
        "zstd" => "zstd -dc".to_owned(),
        "brotli" => "brotli -dc".to_owned(),
        "hex" => "tr -d - | xxd -r -p".to_owned(),
        "base32" if detail.is_none() => {
            python("base64", "base64.b32decode(b.rstrip(b'=')+b'='*(-len(b.rstrip(b'='))%8),True)")
        }
        "ascii85" => python("base64", "base64.a85decode(b)"),
        "base85" => python("base64", "base64.b85decode(b)"),
        "entity" => python("html", "html.unescape(b.decode()).encode()"),
        "quoted-printable" => python("quopri", "quopri.decodestring(b)"),
        "utf-7" => "iconv -f UTF-7 -t UTF-8".to_owned(),
        "utf-16le" | "utf-16be" | "utf-32le" | "utf-32be" => {
            format!("iconv -f {} -t UTF-8", codec.to_ascii_uppercase())
        }
        "separated hex" => python("re", "bytes(int(x,16) for x in re.findall(rb'[0-9a-fA-F]{2}(?![xX])',b))"),
        "reversed" => python("re", "b[::-1]"),
        "rot13" => "tr 'A-Za-z' 'N-ZA-Mn-za-m'".to_owned(),
        "xor" => python("re", &format!("bytes(x^{} for x in b)", detail?.strip_prefix("key ")?)),
        "shift" => python("re", &format!("bytes((x-({}))%256 for x in b)", detail?.strip_prefix("by ")?)),
        _ => return None,
    })
}

fn python(module: &str, expression: &str) -> String {
    format!("python3 -c \"import sys,{module}; b=sys.stdin.buffer.read(); sys.stdout.buffer.write({expression})\"")
}

/// Both alphabets, line ends and missing padding are not for `base64 -d`; a last single letter stands for
/// nothing.
fn base64(encoded: &[u8]) -> String {
    let letters = encoded.iter().filter(|byte| !matches!(byte, b'=' | b'\r' | b'\n')).count();
    let whole = letters - usize::from(letters % 4 == 1);
    let padding = "=".repeat(whole.wrapping_neg() % 4);
    format!("tr -d '\\r\\n=' | tr -- '-_' '+/' | head -c {whole} | sed 's/$/{padding}/' | base64 -d")
}

/// True for text that is the inside of a JSON string.
fn json_string(encoded: &[u8]) -> bool {
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if !bytes.next().is_some_and(|escape| br#""\/bfnrtu"#.contains(escape)) => return false,
            b'"' | 0..=0x1f => return false,
            _ => {}
        }
    }
    true
}

fn quoted(slice: &str, next: usize) -> String {
    format!("{{ printf '\"'; {slice}; printf '\"'; }} | jq -j . > bytes.{next}")
}

/// Padding is left in place: it stands behind the value and may be of any kind.
fn openssl(
    level: usize,
    step: &StepView,
    encoded: &[u8],
    range: &Range<usize>,
    material: &KeyMaterial,
    reveal: bool,
) -> Option<String> {
    let key = material.ciphers.iter().find(|key| Some(&key.name) == step.detail.as_ref())?;
    let secret = |bytes: &[u8]| if reveal { hex(bytes) } else { STARS.to_owned() };
    let cipher = match key.cipher {
        Cipher::AesCbc | Cipher::AesEcb | Cipher::AesCtr | Cipher::Sm4Cbc | Cipher::Sm4Ecb => step.codec.clone(),
        Cipher::TripleDesCbc if key.key.len() == 24 => "des-ede3-cbc".to_owned(),
        Cipher::TripleDesEcb if key.key.len() == 24 => "des-ede3".to_owned(),
        _ => return None,
    };
    let (iv, skipped) = vector(key, encoded, &secret)?;
    let slice = slice(level, &(range.start + skipped..range.end));
    let key = secret(key.key.reveal());
    Some(format!("{slice} | openssl enc -d -{cipher} -nopad -K {key}{iv} > bytes.{}", level + 1))
}

fn vector(key: &CipherKey, encoded: &[u8], secret: &dyn Fn(&[u8]) -> String) -> Option<(String, usize)> {
    let Some(length) = key.cipher.iv_length() else { return Some((String::new(), 0)) };
    let (iv, skipped) = match &key.iv {
        Iv::None => return Some((String::new(), 0)),
        Iv::Prefix => (hex(encoded.get(..length)?), length),
        Iv::Zero => (hex(&vec![0; length]), 0),
        Iv::Key => (secret(key.key.reveal().get(..length)?), 0),
        Iv::Given(iv) => (secret(iv.reveal()), 0),
    };
    Some((format!(" -iv {iv}"), skipped))
}

/// The command that digests the spelling, for functions that ordinary tools know.
pub(super) fn digest(function: &str, spelling: Option<&[u8]>, reveal: bool) -> Option<String> {
    let text = spelling.and_then(|bytes| std::str::from_utf8(bytes).ok())?;
    let text = if reveal { text.replace('\'', "'\\''") } else { STARS.to_owned() };
    let tool = match function {
        "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" => format!("{function}sum"),
        "sha3-224" | "sha3-256" | "sha3-384" | "sha3-512" | "sm3" | "ripemd160" => format!("openssl dgst -{function}"),
        _ => return None,
    };
    Some(format!("printf %s '{text}' | {tool}"))
}
