//! The audit report: what left and to whom, and what could not be read.

mod chance;
mod differential;
mod json;
mod model;
mod pictures;
mod terminal;
mod unplanted;

pub(crate) use chance::Rate;
pub use chance::{Chance, Class, ClassCounts};
pub use differential::Compared;
pub(crate) use differential::{chance as odds, recipient as followed_at, subject as followed};
pub(crate) use json::Each;
pub use json::{SCHEMA, write as write_json};
pub(crate) use model::protection;
pub use model::{
    Audit, CaseInfo, DatumRow, ExhibitRow, Fixity, KeyFile, KeyRow, Recipient, RecipientKey, SightingRow, Summary,
    Tool, redact_recorded,
};
pub use pictures::{EmbeddedPicture, FaceSeen, FacesSought, PictureNote, PictureRow, Pictures, TextRead};
pub use terminal::{Look, write as write_terminal};
pub(crate) use terminal::{Page, recipient_name, shorten, who};
pub use unplanted::{Tally, Unplanted, UnplantedRow};
