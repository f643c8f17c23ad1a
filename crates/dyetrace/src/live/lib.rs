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
mod datum;
mod exhibit;
mod folder;
mod key_material;
mod place;
mod record;
mod secret;
mod sighting;
mod sink;
mod spool;
mod subject;
mod time;

pub use blob::{Blob, BlobWriter, BlobWriterLimits};
pub use datum::{Datum, DatumId, Kind, KindError};
pub use exhibit::{Exhibit, ExhibitId, Format, grouped, hex};
pub use folder::{Case, CaseError, CaseFile, FORMAT_VERSION, Manifest, ManifestError, Product, Run};
pub use key_material::{Cipher, CipherKey, Iv, KeyMaterial, KeyMaterialError, NamedSecret};
pub use place::{Part, PartContent, PartName, Place, Range, Side, Step, Trail};
pub use record::{
    App, Channel, ChannelKind, Damage, Endpoint, Flag, Message, NameSource, Opaque, Protocol, Record, RecordId,
    Transport,
};
pub use secret::Secret;
pub use sighting::{Sighting, SightingId, Strength, Witness};
pub use sink::{Item, Sink, Stop};
pub use subject::{Subject, SubjectError};
pub use time::{Time, TimeError};
