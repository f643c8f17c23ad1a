//! The words of dyetrace as types.
//!
//! A **subject** is the made-up person whose data is planted; a **datum** is one planted value.
//! An **exhibit** is one file of evidence. Readers turn exhibits into **records** (and **opaque**
//! bytes, and **damages**); search turns records into **sightings**, each at a **place** with a
//! **trail**. Every crate of the workspace speaks in these types and in no others, and none of
//! them needs to know where another got its values from.
//!
//! Two promises live here. Absent and empty are different facts, so fields are `Option` rather
//! than `""` or `0`. And a planted value has no `Display`: [`Secret`] prints as dots, and showing
//! it takes a call that is easy to find in review.

mod blob;
mod canary;
mod comparison;
mod contradictions;
mod datum;
mod differential;
mod exhibit;
mod finding;
mod folder;
#[doc(hidden)]
pub mod fuzzing;
mod key_material;
mod manifest;
mod mark;
mod marks_file;
mod milestone;
mod parties;
mod place;
mod practice;
mod recipient;
mod record;
mod refusal;
mod runs;
mod secret;
mod sighting;
mod sink;
mod spool;
mod store_values;
mod subject;
mod suppression;
mod time;
mod timeline;
mod upcoming;
mod verdict;

pub use blob::{Blob, BlobWriter, BlobWriterLimits};
pub use canary::{Canary, CanaryError};
pub use comparison::{
    Change, ClaimChange, Compared, Comparison, Direction, PartChange, Party, PracticeChange, RecipientChange,
    SeenThere, Stands, WithoutConsent,
};
pub use datum::{Datum, DatumId, Kind, KindError, PlantedFile};
pub use differential::{Alternative, Differential, Follows, Shape};
pub use exhibit::{Exhibit, ExhibitId, Format, grouped, hex};
pub use finding::{Finding, Fingerprint};
pub use folder::{Case, CaseError, CaseFile, FORMAT_VERSION};
pub use key_material::{Cipher, CipherKey, Iv, KeyMaterial, KeyMaterialError, NamedSecret};
pub use manifest::{Manifest, ManifestError};
pub use mark::Mark;
pub use marks_file::{Marked, append_mark};
pub use milestone::{ActionOutcome, ConsentChange, Event, Milestone, Phase};
pub use parties::{Owner, Parties, party_name};
pub use place::{Part, PartContent, PartName, Place, Range, Side, Step, Trail};
pub use practice::{Form, Practice, PracticeKey, Protection, Shown, Transfer};
pub use recipient::{Country, Recipient, Role, Said, Scope, Snapshot};
pub use record::{
    App, Channel, ChannelKind, Damage, Endpoint, FileChange, Flag, GuardDeed, Message, NameSource, Opaque, Protocol,
    Record, RecordId, StoredFile, Transport,
};
pub use runs::{Clock, Product, Run};
pub use secret::Secret;
pub use sighting::{Sighting, SightingId, Strength, Witness};
pub use sink::{Item, Sink, Stop};
pub use store_values::{StoreId, StoreValues};
pub use subject::{Subject, SubjectError};
pub use suppression::{Day, Suppression, SuppressionError};
pub use time::{Time, TimeError};
pub use timeline::{ActionRun, ConsentState, ConsentStates, Segment, Timeline, Within};
pub use upcoming::Upcoming;
pub use verdict::{
    Citation, CoverageLine, Fact, JudgedClaim, JudgedPart, JudgedRun, Judgement, Met, Requirement, Source, Statement,
    Todo, Verdict,
};
