//! Claims and rules held against what was seen.
//!
//! The judge is a pure function of facts and claims: no clock, no files, no environment. What it
//! says is one of three values, and `supported` is the hardest to earn: see [`Verdict`](dyetrace_case::Verdict) and
//! [`Requirement`](dyetrace_case::Requirement).

mod facts;

pub use facts::{
    CanaryFacts, DamageFacts, DatumFacts, Evidence, Measured, Number, OpaqueFacts, RunFacts, SpikeFacts, TrafficFacts,
};
