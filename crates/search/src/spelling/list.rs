//! One spelling, and the list in which the spellings of a value are collected.

use crate::bits;
use dyetrace_case::Strength;
use foldhash::HashSet;
use std::fmt;

/// What stands at a place where a value stands.
#[derive(Clone, PartialEq)]
pub(crate) enum What {
    /// These bytes, wherever they stand.
    Text(Vec<u8>),
    /// A field of a typed document that holds this whole number.
    Integer(i128),
    /// A field of a typed document that holds this number.
    Float(f64),
}

/// A spelling is the planted value: it is not shown.
impl fmt::Debug for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(bytes) => write!(f, "Text({} bytes)", bytes.len()),
            Self::Integer(_) => f.write_str("Integer"),
            Self::Float(_) => f.write_str("Float"),
        }
    }
}

/// One way of writing a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spelling {
    /// Its name in reports: `as typed`, `with +86`.
    pub(crate) form: String,
    /// What is written.
    pub(crate) what: What,
    /// ASCII letters match in either case.
    pub(crate) any_case: bool,
    /// Digits beside it would make it another number.
    pub(crate) bounded: bool,
    /// Not for people to read: packed digits, machine numbers, other character sets.
    pub(crate) binary: bool,
    /// How it ties to the value.
    pub(crate) strength: Strength,
    /// Bits that it carries, where its length does not tell them.
    pub(crate) bits: Option<f64>,
}

impl Spelling {
    /// A text that determines the value.
    pub(crate) fn text(form: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(form, What::Text(bytes.as_ref().to_vec()))
    }

    /// Something that stands for the value and does not determine it.
    pub(crate) fn named(form: &str, bytes: &[u8], bits: f64) -> Self {
        Self { strength: Strength::Derived, bits: Some(bits), ..Self::text(form, bytes) }
    }

    fn new(form: impl Into<String>, what: What) -> Self {
        let (form, strength) = (form.into(), Strength::Exact);
        Self { form, what, any_case: false, bounded: false, binary: false, strength, bits: None }
    }

    /// Letters match in either case.
    pub(crate) fn any_case(self, any_case: bool) -> Self {
        Self { any_case, ..self }
    }

    /// No digit may stand beside it.
    pub(crate) fn bounded(self) -> Self {
        Self { bounded: true, ..self }
    }

    /// It does not determine the value.
    pub(crate) fn derived(self) -> Self {
        Self { strength: Strength::Derived, ..self }
    }

    /// It carries so many bits.
    pub(crate) fn carrying(self, bits: f64) -> Self {
        Self { bits: Some(bits), ..self }
    }

    /// Its bytes, where it is looked for as bytes.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.what {
            What::Text(bytes) => Some(bytes),
            What::Integer(_) | What::Float(_) => None,
        }
    }

    /// Bits of evidence before places and forms are counted, at most those the value was minted
    /// with.
    pub(crate) fn bits(&self, minted: Option<u32>) -> f64 {
        let own = self.bits.unwrap_or_else(|| match &self.what {
            What::Text(bytes) => bits::of_value(bytes, None),
            What::Integer(number) => (number.unsigned_abs() as f64 + 1.0).log2(),
            What::Float(_) => f64::from(f64::MANTISSA_DIGITS),
        });
        minted.map_or(own, |minted| own.min(f64::from(minted)))
    }
}

/// Spellings in the order of how usual they are, each once.
#[derive(Default)]
pub(super) struct List {
    pub(super) all: Vec<Spelling>,
    seen: HashSet<(u8, Vec<u8>)>,
    /// Letters of this value carry nothing in their case.
    pub(super) any_case: bool,
}

impl List {
    /// A text that determines the value.
    pub(super) fn push(&mut self, form: &str, text: impl AsRef<[u8]>) {
        self.insert(Spelling::text(form, text).any_case(self.any_case));
    }

    /// A text of digits that beside further digits would be another number.
    pub(super) fn number(&mut self, form: &str, text: impl AsRef<[u8]>) {
        self.insert(Spelling::text(form, text).bounded());
    }

    /// A text that does not determine the value.
    pub(super) fn part(&mut self, form: &str, text: impl AsRef<[u8]>) {
        self.insert(Spelling::text(form, text).any_case(self.any_case).derived());
    }

    /// Bytes that a machine writes, which determine the value and carry so many bits.
    pub(super) fn raw(&mut self, form: &str, bytes: impl AsRef<[u8]>, bits: f64) {
        self.insert(Spelling { binary: true, ..Spelling::text(form, bytes).carrying(bits) });
    }

    /// A whole number in a typed field, of so many bits.
    pub(super) fn integer(&mut self, form: &str, number: i128, bits: f64) {
        self.insert(Spelling { binary: true, ..Spelling::new(form, What::Integer(number)).carrying(bits) });
    }

    /// A number with decimals in a typed field, of so many bits.
    pub(super) fn float(&mut self, form: &str, number: f64, bits: f64, strength: Strength) {
        let spelling = Spelling::new(form, What::Float(number)).carrying(bits);
        self.insert(Spelling { binary: true, strength, ..spelling });
    }

    /// Adds a spelling unless the same was added before. Empty ones are nothing to look for.
    pub(super) fn insert(&mut self, spelling: Spelling) {
        let key = match &spelling.what {
            What::Text(bytes) if bytes.is_empty() => return,
            What::Text(bytes) if spelling.any_case => (0, bytes.to_ascii_lowercase()),
            What::Text(bytes) => (0, bytes.clone()),
            What::Integer(number) => (1, number.to_be_bytes().to_vec()),
            What::Float(number) => (2, number.to_bits().to_be_bytes().to_vec()),
        };
        if self.seen.insert(key) {
            self.all.push(spelling);
        }
    }

    /// No spelling so far carries more than so many bits, however long it is.
    pub(super) fn cap(&mut self, most: f64) {
        for spelling in &mut self.all {
            spelling.bits = Some(spelling.bits(None).min(most));
        }
    }
}
