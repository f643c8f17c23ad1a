//! Fields that follow a planted value from run to run, though nothing of the value can be read in
//! them: encrypted, or digested with an unknown key.
//!
//! Runs with equal values repeat one another and teach what is noise; runs with other values are
//! compared with them. `fields` takes requests apart, `shape` tells which requests of different
//! runs are the same, `collect` keeps which content was sent in which run, `partition` is the
//! arithmetic of the exact test and `analyse` applies it. The idea is Agrigento's (Continella et
//! al., "Obfuscation-Resilient Privacy Leak Detection for Mobile Apps Through Differential
//! Analysis", NDSS 2017); the replicated runs and the exact permutation test are not.
//!
//! No content is kept, only its digest, length and class.

mod analyse;
mod collect;
mod fields;
mod partition;
mod shape;
#[cfg(test)]
mod simulated;

pub use analyse::{Analysis, Design, RunDesign, analyse};
pub use collect::Collector;
