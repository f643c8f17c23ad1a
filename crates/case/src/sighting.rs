//! A datum seen at a place.

use crate::{DatumId, Place, Trail};
use sha2::{Digest, Sha256};
use std::fmt;

/// How a sighting ties to the planted value. Later variants are weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// The value itself, or one of its spellings, after undoing the trail.
    Exact,
    /// A digest of one of its spellings.
    Digest,
    /// Something computed from the value that does not determine it (a mask, a part).
    Derived,
    /// Content that follows the value from run to run ([`crate::Differential`]). No sighting of a
    /// single record has it.
    Differential,
}

impl Strength {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Digest => "digest",
            Self::Derived => "derived",
            Self::Differential => "differential",
        }
    }
}

/// The first eight bytes of a SHA-256 over datum, exhibit, place and trail, in hexadecimal: the
/// same evidence gives the same id on every machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SightingId(pub String);

impl fmt::Display for SightingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A datum seen at a place, with the trail that leads there.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Which planted value.
    pub datum: DatumId,
    /// Where.
    pub place: Place,
    /// Through which wrappings.
    pub trail: Trail,
    /// How it ties to the value.
    pub strength: Strength,
    /// Which spelling or digest was seen, in words: `as typed`, `with +86`, `sha256 of lower case`.
    pub form: String,
    /// Bits of evidence against chance.
    pub bits: f64,
    /// What bears it out where the bits alone do not.
    pub witness: Option<Witness>,
}

/// What bears out a sighting of few bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Witness {
    /// Another planted value in the same record; with it (and further ones) there are bits enough.
    Beside(DatumId),
    /// The field that holds the value is named after its kind. Holds the field's name.
    FieldName(String),
}

impl Sighting {
    /// The content-derived id.
    pub fn id(&self) -> SightingId {
        let mut hash = Sha256::new();
        let place = &self.place;
        for field in [
            self.datum.0.as_bytes(),
            &place.exhibit.0,
            place.record.0.as_bytes(),
            place.part.to_string().as_bytes(),
            &place.range.start.to_be_bytes(),
            &place.range.end.to_be_bytes(),
            &place.decoded.start.to_be_bytes(),
            &place.decoded.end.to_be_bytes(),
            self.trail.to_string().as_bytes(),
            self.form.as_bytes(),
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        SightingId(crate::hex(&hash.finalize()[..8]))
    }

    /// Bits from which on a sighting needs no witness.
    pub const SOLID: f64 = 40.0;

    /// True where chance alone could explain it: few bits, and nothing that bears it out.
    pub fn is_hint(&self) -> bool {
        self.bits < Self::SOLID && self.witness.is_none()
    }
}
