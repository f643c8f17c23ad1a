//! Proof: a sighting's trail is followed again from the bytes of its part, apart from how it was
//! found, and what comes out is compared with the planted value.
//!
//! Each step is undone by the codec of its name and, where the coding has one encoding, written
//! again and compared with the evidence. A proved sighting needs no trust in the search: only in the
//! codecs named in its trail.

mod follow;
mod reencode;
mod undo;
mod value;

use crate::codec::cipher::Keyed;
use crate::explore::Explorer;
use crate::keyed::with_sessions;
use crate::{Scanner, Scratch};
use dyetrace_case::{Blob, Part, PartContent, PartName, Range, Record, Secret, Sighting};
use follow::Follower;
use std::sync::Arc;

/// Sightings of one record that are proved; the search keeps no more.
const MOST: usize = 4096;

/// What following a sighting's trail again gave.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The steps as far as they could be undone, outermost first. Of a digest's sighting the last
    /// step of the trail, which cannot be undone, is not among them.
    pub steps: Vec<StepView>,
    /// What stands against the sighting, in words; absent where it is proved.
    pub fault: Option<String>,
    /// The bytes of the part, or of the piece of it that was searched, as they stand in the evidence.
    pub part: Arc<Vec<u8>>,
    /// Offset of [`Proof::part`] in the part: not 0 only for a later piece of a long body.
    pub offset: u64,
    /// Where the value's encoding lies in [`Proof::part`].
    pub value: Range,
    /// The spelling that came out, or that was digested; absent where it is a number of a document or
    /// was digested with something else.
    pub spelling: Option<Secret>,
}

impl Proof {
    /// True where every step was undone again and the value came out.
    pub fn is_proved(&self) -> bool {
        self.fault.is_none()
    }

    fn failed(fault: &str) -> Self {
        let part = Arc::new(Vec::new());
        Self {
            steps: Vec::new(),
            fault: Some(fault.to_owned()),
            part,
            offset: 0,
            value: Range::new(0, 0),
            spelling: None,
        }
    }
}

/// One step of a trail, undone again.
#[derive(Clone)]
pub struct StepView {
    /// The codec's name.
    pub codec: String,
    /// What inside the wrapping was followed.
    pub detail: Option<String>,
    /// Where the encoded bytes lie in the bytes one step further out.
    pub encoded: Range,
    /// What came out.
    pub decoded: Arc<Vec<u8>>,
    /// Where in them the value lies, or what holds it.
    pub value: Range,
    /// Whether encoding again gives the bytes of the evidence.
    pub reencodes: Reencodes,
    /// True for a content coding, which was undone while the evidence was read.
    pub is_read: bool,
}

impl std::fmt::Debug for StepView {
    /// Without the bytes, which hold the value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { codec, detail, encoded, decoded, value, reencodes, .. } = self;
        let length = decoded.len();
        write!(f, "{codec} {detail:?} {encoded:?} -> {length} bytes, value {value:?}, {reencodes:?}")
    }
}

/// Whether writing the value again gives the bytes of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reencodes {
    /// It does, with case, alphabet and padding as in the evidence.
    Same,
    /// Many encodings stand for the same bytes (compression, escapes), so decoding alone was compared.
    Differs,
    /// The step was undone while the evidence was read, and not again here.
    Read,
}

impl Reencodes {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Read => "read",
        }
    }
}

impl Scanner {
    /// Follows the trail of one sighting again.
    pub fn prove(&self, record: &Record, sighting: &Sighting) -> Proof {
        self.prove_all(record, std::slice::from_ref(sighting)).pop().unwrap_or_else(|| Proof::failed("not looked at"))
    }

    /// The same for many sightings of one record, which share what they have in common. At most
    /// 4,096 are looked at, as many as the search keeps.
    pub fn prove_all(&self, record: &Record, sightings: &[Sighting]) -> Vec<Proof> {
        let sightings = sightings.get(..MOST).unwrap_or(sightings);
        let sessions = self.sessions(record, sightings);
        let parts = record.parts();
        let mut proofs: Vec<Option<Proof>> = vec![None; sightings.len()];
        for part in &parts {
            let mut of_part: Vec<usize> = Vec::new();
            of_part.extend((0..sightings.len()).filter(|at| sightings[*at].place.part == part.name));
            if !of_part.is_empty() {
                self.prove_in(record, part, &of_part, sightings, &sessions, &mut proofs);
            }
        }
        let missing = || Proof::failed("the record has no such part, or it could not be read back");
        proofs.into_iter().map(|proof| proof.unwrap_or_else(missing)).collect()
    }

    /// Ciphers with keys that the record itself carries.
    fn sessions(&self, record: &Record, sightings: &[Sighting]) -> Vec<Keyed> {
        let used = |sighting: &Sighting| {
            let mut details = sighting.trail.0.iter().filter_map(|step| step.detail.as_ref());
            details.any(|detail| detail.ends_with(", session"))
        };
        if !sightings.iter().any(used) {
            return Vec::new();
        }
        let mut explorer = Explorer::new(&self.needles, &self.options, record.content_bytes());
        self.search_parts(record, &record.parts(), &mut explorer, &mut Scratch::default());
        with_sessions(&explorer.sessions)
    }

    fn prove_in(
        &self,
        record: &Record,
        part: &Part<'_>,
        of_part: &[usize],
        sightings: &[Sighting],
        sessions: &[Keyed],
        proofs: &mut [Option<Proof>],
    ) {
        let read = prefix_steps(record, part);
        let mut piece = |offset: u64, bytes: &Arc<Vec<u8>>| {
            let wanted = of_part.iter().map(|at| &sightings[*at]);
            let mut follower = Follower::new(&self.needles, sessions, self.options.longest_unwrapped, wanted, offset);
            for at in of_part {
                let holds = part.prefix.is_empty() || offset == 0;
                let known = proofs[*at].as_ref().is_some_and(Proof::is_proved);
                if holds && !known && lies_in(&sightings[*at], part, offset, bytes.len()) {
                    proofs[*at] = Some(follower.prove(&sightings[*at], bytes, &read));
                }
            }
        };
        match part.content {
            PartContent::Bytes(bytes) => piece(0, &Arc::new(bytes.to_vec())),
            PartContent::Blob(Blob::Memory(bytes)) => piece(0, bytes),
            PartContent::Blob(blob) => {
                let visit = |offset, window: &[u8]| piece(offset, &Arc::new(window.to_vec()));
                // What cannot be read back leaves its sightings without proof, which is said.
                let _ = blob.windows(self.options.piece, self.options.overlap, visit);
            }
        }
    }
}

/// True where the outermost step, or the value itself, lies in the piece.
fn lies_in(sighting: &Sighting, part: &Part<'_>, offset: u64, length: usize) -> bool {
    let outermost = sighting.trail.0.get(part.prefix.len());
    let range = outermost.map_or(sighting.place.decoded, |step| step.encoded);
    range.start >= offset && range.end <= offset + length as u64
}

/// The steps that the reader undid, with what they gave, as far as the bytes before them are at hand.
struct Prefix {
    steps: Vec<StepView>,
    /// The body before any of them.
    sent: Option<Arc<Vec<u8>>>,
}

fn prefix_steps(record: &Record, part: &Part<'_>) -> Prefix {
    let message = match part.name {
        PartName::Body(dyetrace_case::Side::Request) => record.request.as_ref(),
        _ => record.response.as_ref(),
    };
    let in_memory = |blob: &Blob| match blob {
        Blob::Memory(bytes) => Some(bytes.clone()),
        Blob::Spooled(_) => None,
    };
    if part.prefix.is_empty() {
        return Prefix { steps: Vec::new(), sent: None };
    }
    let sent = message.and_then(|message| message.body.as_ref()).and_then(in_memory);
    let content = message.and_then(|message| message.decoded.as_ref()).and_then(in_memory);
    Prefix { steps: undo::codings(&part.prefix, sent.as_deref(), content), sent }
}

/// Fails, without showing a value, where one of the sightings cannot be proved.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_proved(scanner: &Scanner, record: &Record, sightings: &[Sighting]) {
    for (sighting, proof) in sightings.iter().zip(scanner.prove_all(record, sightings)) {
        let Proof { steps, fault, value, .. } = &proof;
        assert!(proof.is_proved(), "{}: {fault:?}, at {value:?}: {sighting:?}\n{steps:#?}", sighting.trail);
    }
}
