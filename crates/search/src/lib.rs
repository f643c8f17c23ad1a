//! Search: the parts of a record in, sightings of planted values out.
//!
//! Every planted value is looked for in its usual spellings, as text in any wrapping that can be
//! undone (`codec`), as a digest, and, where it is too short for either, as a whole field. Three
//! lanes do this, because one automaton for all would be slower than each: a sampling filter for
//! text (`filter`), a table of first bytes for digests (`digest`), and exact comparison for
//! fields (`needles`). `explore` undoes wrappings recursively under a work budget; `attribute`
//! names fields afterwards, only where something was seen; `choose` keeps the most telling of
//! several ways to the same bytes.
//!
//! *Invariant*: no clock, no file system of its own, no environment, no network. The same record
//! and the same subject give the same sightings, for ever. (Spooled bodies are read through
//! [`dyetrace_case::Blob`].)
//!
//! *Invariant*: every sighting's `place.range` is exact to the byte of the part as it stands in
//! the exhibit, except behind compression, where it is the whole compressed stream. For a digest,
//! `place.decoded` and the last step's `encoded` are both the digest's bytes behind the step
//! before it.

mod attribute;
mod batch;
mod beside;
mod bits;
mod calm;
mod choose;
mod classify;
mod codec;
mod decoy;
pub mod differential;
mod digest;
mod explore;
mod filter;
mod find;
#[doc(hidden)]
pub mod fuzzing;
mod kernel;
mod keyed;
mod lookups;
mod map;
mod marked;
mod memory;
mod needles;
mod proof;
mod quiet;
mod recognise;
mod redact;
mod runs;
mod sampled;
mod scanner;
mod shifted_document;
mod short_keyed;
mod spelling;
pub mod spike;
mod split;
mod split_mix;
mod unplanted;
mod witness;
#[cfg(test)]
mod wrappings;
#[cfg(test)]
mod wrappings_binary;
#[cfg(test)]
mod wrappings_missed;
#[cfg(test)]
mod wrappings_text;

pub use beside::{Beside, LookedBeside, Named, ReadBeside, Reading, SeenBeside, Told, ToldAt};
pub use codec::table::{About, wrappings};
pub use memory::{Scratch, SharedMemory};
pub use proof::{Proof, Reencodes, StepView};
pub use recognise::{Checks, RECOGNISERS, RecogniseOptions, Recogniser, ResidentIdMode, whole};
pub use scanner::{Decoys, Limit, Options, Outcome, Scanner};
pub use unplanted::Recognised;
