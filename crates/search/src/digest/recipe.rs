//! What programs do with a value before they send a digest of it.

use super::algorithm::{ALGORITHMS, Algorithm, MD5, Output, SHA1, SHA3_256, SHA256, SHA512, SM3};
use super::material::Material;
use crate::codec::base64;
use std::borrow::Cow;
use std::cell::OnceCell;

/// The functions of which digests are digested again.
static INNER: [&Algorithm; 4] = [&MD5, &SHA1, &SHA256, &SHA512];
/// The functions that are used with a salt.
static SALTED: [&Algorithm; 6] = [&MD5, &SHA1, &SHA256, &SHA512, &SM3, &SHA3_256];
/// The functions that are used with a key.
static KEYED: [&Algorithm; 5] = [&MD5, &SHA1, &SHA256, &SHA512, &SM3];

/// Marks that few programs put between value and salt.
const RARE_BETWEEN: [&str; 5] = ["-", "_", "|", ".", "&"];

/// How an inner digest is written where it is digested again.
#[derive(Clone, Copy)]
pub(crate) enum Writing {
    LowerHex,
    UpperHex,
    Raw,
}

/// Where the salt stands.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Before,
    After,
    Around,
    /// Behind the hexadecimal MD5 of the value, as forum software stores passwords.
    AfterMd5,
    /// Before it.
    BeforeMd5,
    /// Behind the hexadecimal digest of the value by the same function.
    AfterSame,
}

/// How a spelling is written before it is digested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Base64,
    Hex,
    Reversed,
}

/// One way from a spelling to a digest.
#[derive(Clone, Copy)]
pub(crate) enum Recipe {
    /// The digest of the spelling itself.
    Plain(&'static Algorithm),
    /// The digest of a digest. The inner function is one of `INNER`.
    Nested { outer: &'static Algorithm, inner: usize, writing: Writing },
    /// Three times in a row, in lower-case hexadecimal between. The function is one of `INNER`.
    Thrice(usize),
    /// The digest of the spelling in another coding.
    OfCoded { outer: &'static Algorithm, coding: Coding },
    /// The digest of the spelling and a known salt, that many in the material.
    Salted { outer: &'static Algorithm, salt: usize, side: Side, between: &'static str },
    /// The HMAC under a known key, that many in the material.
    Keyed { hash: &'static Algorithm, key: usize },
}

/// All recipes that can be followed with this material.
pub(crate) fn all(material: &Material) -> Vec<Recipe> {
    let mut all: Vec<Recipe> = ALGORITHMS.iter().copied().map(Recipe::Plain).collect();
    for outer in INNER {
        for inner in 0..INNER.len() {
            let nested = |writing| Recipe::Nested { outer, inner, writing };
            all.extend([Writing::LowerHex, Writing::UpperHex, Writing::Raw].map(nested));
        }
        all.push(Recipe::OfCoded { outer, coding: Coding::Base64 });
    }
    for outer in [&MD5, &SHA1, &SHA256] {
        all.extend([Coding::Hex, Coding::Reversed].map(|coding| Recipe::OfCoded { outer, coding }));
    }
    // MD5 and SHA-256; nobody was seen to do this with the others.
    all.extend([Recipe::Thrice(0), Recipe::Thrice(2)]);
    for salt in (0..material.salts.len()).filter(|salt| !material.salts[*salt].1.is_empty()) {
        for (outer, between) in SALTED.into_iter().flat_map(|outer| [(outer, ""), (outer, ":")]) {
            let salted = |side| Recipe::Salted { outer, salt, side, between };
            all.extend([Side::Before, Side::After, Side::Around, Side::AfterMd5, Side::BeforeMd5].map(salted));
        }
        for outer in SALTED {
            let salted =
                |between| [Side::Before, Side::After].map(|side| Recipe::Salted { outer, salt, side, between });
            all.extend(RARE_BETWEEN.into_iter().flat_map(salted));
        }
        // The MD5 of the MD5 and the salt is there already.
        all.extend([&SHA1, &SHA256, &SHA512].map(|outer| Recipe::Salted {
            outer,
            salt,
            side: Side::AfterSame,
            between: "",
        }));
    }
    let keys = 0..material.hmac_keys.len();
    all.extend(keys.flat_map(|key| KEYED.map(|hash| Recipe::Keyed { hash, key })));
    all
}

impl Recipe {
    /// The function that is applied last.
    pub(crate) fn outer(&self) -> &'static Algorithm {
        match *self {
            Self::Plain(outer)
            | Self::Nested { outer, .. }
            | Self::OfCoded { outer, .. }
            | Self::Salted { outer, .. }
            | Self::Keyed { hash: outer, .. } => outer,
            Self::Thrice(inner) => INNER[inner],
        }
    }

    /// True for what costs much time at the start and is hardly ever seen: SHA-512 together with
    /// another function, and functions that few programs use.
    pub(crate) fn is_rare(&self) -> bool {
        match *self {
            Self::Plain(outer) => outer.is_rare(),
            Self::Nested { outer, inner, .. } => {
                let inner = INNER[inner].name;
                outer.name != inner && (outer.name == SHA512.name || inner == SHA512.name)
            }
            Self::Salted { between, .. } => RARE_BETWEEN.contains(&between),
            Self::OfCoded { coding, .. } => coding != Coding::Base64,
            _ => false,
        }
    }

    /// The step's name in a trail: `sha256`, `hmac-sha256`.
    pub(crate) fn step(&self) -> String {
        let name = self.outer().name;
        if matches!(self, Self::Keyed { .. }) { format!("hmac-{name}") } else { name.to_owned() }
    }

    /// In words: `md5 of hex md5 of as typed`, the spelling's name given.
    pub(crate) fn form(&self, spelling: &str, material: &Material) -> String {
        let of = |what: &str| format!("{} of {what}", self.step());
        let named = |list: &[(String, _)], index: usize| format!("{:?}", list.get(index).map_or("", |(name, _)| name));
        match *self {
            Self::Plain(_) => of(spelling),
            Self::Nested { inner, writing, .. } => {
                of(&format!("{} {} of {spelling}", writing.name(), INNER[inner].name))
            }
            Self::Thrice(inner) => {
                let hex = format!("hex {}", INNER[inner].name);
                of(&format!("{hex} of {hex} of {spelling}"))
            }
            Self::OfCoded { coding, .. } => of(&format!("{} of {spelling}", coding.name())),
            Self::Salted { salt, side, between, .. } => {
                let salt = format!("salt {}", named(&material.salts, salt));
                of(&side.joined(spelling, &salt, &plus(between)))
            }
            Self::Keyed { key, .. } => format!("{} with key {}", of(spelling), named(&material.hmac_keys, key)),
        }
    }

    /// The digest of a spelling.
    pub(crate) fn of(&self, spelling: &Prepared<'_>, material: &Material) -> Output {
        match *self {
            Self::Plain(outer) => outer.of(spelling.value),
            Self::Nested { outer, inner, writing } => outer.of(spelling.inner(inner, writing)),
            Self::Thrice(inner) => {
                let twice = INNER[inner].of(spelling.inner(inner, Writing::LowerHex));
                INNER[inner].of(&hexadecimal(twice.bytes()))
            }
            Self::OfCoded { outer, coding } => outer.of(&coding.of(spelling)),
            Self::Salted { outer, salt, side, between } => {
                let salt = material.salts.get(salt).map_or(&[][..], |(_, salt)| salt.reveal());
                outer.of(&side.message(outer, spelling, salt, between.as_bytes()))
            }
            Self::Keyed { hash, key } => {
                let key = material.hmac_keys.get(key).map_or(&[][..], |(_, key)| key.reveal());
                hash.keyed(key, spelling.value)
            }
        }
    }
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Reversed => "reversed",
        }
    }

    fn of<'v>(self, spelling: &'v Prepared<'_>) -> Cow<'v, [u8]> {
        match self {
            Self::Base64 => Cow::Borrowed(spelling.base64()),
            Self::Hex => Cow::Owned(hexadecimal(spelling.value)),
            Self::Reversed => Cow::Owned(reversed(spelling.value)),
        }
    }
}

/// The sign that joins parts of a message in words.
fn plus(between: &str) -> String {
    if between.is_empty() { " + ".to_owned() } else { format!(" + {between:?} + ") }
}

/// The last character first; of what is no text the last byte.
fn reversed(value: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(value) {
        Ok(text) => text.chars().rev().collect::<String>().into_bytes(),
        Err(_) => value.iter().rev().copied().collect(),
    }
}

impl Writing {
    fn name(self) -> &'static str {
        match self {
            Self::LowerHex => "hex",
            Self::UpperHex => "upper-case hex",
            Self::Raw => "raw",
        }
    }
}

impl Side {
    fn joined(self, spelling: &str, salt: &str, plus: &str) -> String {
        match self {
            Self::Before => [salt, plus, spelling].concat(),
            Self::After => [spelling, plus, salt].concat(),
            Self::Around => [salt, plus, spelling, plus, salt].concat(),
            Self::AfterMd5 => format!("(hex md5 of {spelling}){plus}{salt}"),
            Self::BeforeMd5 => format!("{salt}{plus}(hex md5 of {spelling})"),
            Self::AfterSame => format!("(hex digest of {spelling}){plus}{salt}"),
        }
    }

    fn message(self, outer: &Algorithm, spelling: &Prepared<'_>, salt: &[u8], between: &[u8]) -> Vec<u8> {
        match self {
            Self::Before => [salt, between, spelling.value].concat(),
            Self::After => [spelling.value, between, salt].concat(),
            Self::Around => [salt, between, spelling.value, between, salt].concat(),
            Self::AfterMd5 => [spelling.inner(0, Writing::LowerHex), between, salt].concat(),
            Self::BeforeMd5 => [salt, between, spelling.inner(0, Writing::LowerHex)].concat(),
            Self::AfterSame => [&hexadecimal(outer.of(spelling.value).bytes()), between, salt].concat(),
        }
    }
}

/// A digest in all its writings.
struct Written {
    raw: Output,
    lower: Vec<u8>,
    upper: Vec<u8>,
}

/// One spelling with what several recipes need of it, computed once and only where needed.
pub(crate) struct Prepared<'v> {
    value: &'v [u8],
    inner: [OnceCell<Written>; INNER.len()],
    base64: OnceCell<Vec<u8>>,
}

impl<'v> Prepared<'v> {
    pub(crate) fn new(value: &'v [u8]) -> Self {
        Self { value, inner: Default::default(), base64: OnceCell::new() }
    }

    fn inner(&self, inner: usize, writing: Writing) -> &[u8] {
        let written = self.inner[inner].get_or_init(|| {
            let raw = INNER[inner].of(self.value);
            let lower = hexadecimal(raw.bytes());
            Written { raw, upper: lower.to_ascii_uppercase(), lower }
        });
        match writing {
            Writing::LowerHex => &written.lower,
            Writing::UpperHex => &written.upper,
            Writing::Raw => written.raw.bytes(),
        }
    }

    fn base64(&self) -> &[u8] {
        self.base64.get_or_init(|| base64::wrap(self.value, false, true))
    }
}

/// Lower-case hexadecimal.
fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    dyetrace_case::hex(bytes).into_bytes()
}
