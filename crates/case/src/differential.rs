//! A field that follows a planted value from run to run, whatever it is wrapped or encrypted in.

use crate::DatumId;
use std::fmt;

/// A field whose content is equal in runs that share a planted value and different in runs that do
/// not, found by comparing runs and never by looking for the value itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Differential {
    /// The data that the field may follow. Several where the runs never differ in one without the
    /// others: it follows one of them, or some of them together.
    pub data: Vec<DatumId>,
    /// True where the field follows no datum of them alone, but all that the runs differ in taken
    /// together, as a digest of several values would.
    pub together: bool,
    /// What of the field follows.
    pub follows: Follows,
    /// Where the field is sent.
    pub shape: Shape,
    /// The field: `query uid`, `header x-device`, `body > json /user/id`.
    pub field: String,
    /// What the content is made of: `hexadecimal`, `digits` …
    pub class: &'static str,
    /// Shortest and longest content in bytes, over the contents that follow.
    pub lengths: (u64, u64),
    /// Bits that contents of this length and class could carry: few for a switch, many for an
    /// identifier.
    pub content_bits: f64,
    /// Names of the runs with equal content, block by block, in the order of the case.
    pub blocks: Vec<Vec<String>>,
    /// The chance that this one field would fall into these blocks, had the values been dealt to
    /// the runs by lot: one over the number of ways to divide the runs into blocks of these sizes.
    pub chance: f64,
    /// The chance that any field of the case would, counting every division of the runs that some
    /// field shows. Exact within fields sent in the same runs, and an upper bound over all.
    pub chance_of_any: f64,
    /// Other explanations that the plan of the runs rules out.
    pub excluded: Vec<Alternative>,
    /// Other explanations that it leaves open.
    pub open: Vec<Alternative>,
    /// Ordinary search saw a planted value in this field too.
    pub also_seen: bool,
}

/// What makes two requests of different runs the same request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Host name or address, without port; labels that look generated as `*`.
    pub host: String,
    /// Method, or the protocol's name where it has none.
    pub method: String,
    /// Path without query; segments that look generated as `*`.
    pub path: String,
}

/// What of a field follows a datum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Follows {
    /// The content.
    Value,
    /// Only the length, of a content that is never twice the same: weaker, and what encryption
    /// with a fresh initialisation vector leaves.
    Length,
}

impl Follows {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Length => "length",
        }
    }
}

/// What else than the datum could make a field differ between runs as it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alternative {
    /// Something that changed with time and did not change back.
    Time,
    /// Something that belongs to each subject as a whole, such as an account.
    Subject,
    /// A condition of the runs that `case.yaml` states, such as the installation.
    Condition(String),
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => f.write_str("something that changed with time"),
            Self::Subject => f.write_str("something else that each subject has for itself, such as an account"),
            Self::Condition(name) => write!(f, "the runs' {name}"),
        }
    }
}

impl Differential {
    /// Chance up to which a finding is more than a hint.
    pub const SOLID: f64 = 0.05;

    /// True where chance could still explain it.
    pub fn is_hint(&self) -> bool {
        self.chance_of_any > Self::SOLID
    }

    /// Bits of evidence against chance: −log2 of [`Differential::chance_of_any`].
    pub fn bits(&self) -> f64 {
        // The addition turns −0 into 0.
        -self.chance_of_any.clamp(f64::MIN_POSITIVE, 1.0).log2() + 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(chance_of_any: f64) -> Differential {
        Differential {
            data: Vec::new(),
            together: false,
            follows: Follows::Value,
            shape: Shape { host: String::new(), method: String::new(), path: String::new() },
            field: String::new(),
            class: "digits",
            lengths: (1, 1),
            content_bits: 3.0,
            blocks: Vec::new(),
            chance: chance_of_any,
            chance_of_any,
            excluded: Vec::new(),
            open: Vec::new(),
            also_seen: false,
        }
    }

    #[test]
    fn bits_are_what_is_left_against_chance() {
        assert!((finding(1.0 / 32.0).bits() - 5.0).abs() < 1e-12 && !finding(1.0 / 32.0).is_hint());
        assert!(finding(1.0).bits().abs() < 1e-12 && finding(0.1).is_hint());
    }
}
