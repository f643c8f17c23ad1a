//! What is looked for beside values: planted files, by whoever knows their formats.
//!
//! The search undoes wrappings and keeps the account of places; what is in the undone bytes may need more than needles.
//! A picture that was encoded again has no byte in common with the original. And files of such formats tell things that
//! no codec gives: what a camera noted. These are *readings*, searched like what was undone.

use crate::codec::table::About;
use crate::explore::{Explorer, Node, is_text};
use crate::find::{Find, Seen};
use crate::map::Map;
use dyetrace_case::{DatumId, Place, Secret, Step, Strength, Trail};
use std::fmt;
use std::ops::Range;
use std::panic::RefUnwindSafe;

/// Looks for planted files in bytes, undone as far as they can be. The same bytes must always give the same.
pub trait Beside: Send + Sync + RefUnwindSafe {
    /// Fewer bytes are not worth a look.
    fn shortest(&self) -> usize;

    /// Everything that is seen in the bytes, and what looking cost.
    fn look(&self, bytes: &[u8]) -> LookedBeside;

    /// The files in the bytes that tell more than their bytes say, in order and without overlap.
    fn read(&self, _bytes: &[u8]) -> Vec<Told> {
        Vec::new()
    }
}

/// What a look gave. The same bytes always cost the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LookedBeside {
    /// Everything that was seen.
    pub seen: Vec<SeenBeside>,
    /// Work beside going through the bytes once, in bytes that are gone through meanwhile: pictures that were decoded.
    pub work: u64,
    /// Whether a limit left something unseen.
    pub is_cut: bool,
}

/// A file that tells more than its bytes say.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Where it lies in the bytes asked about.
    pub range: Range<usize>,
    /// What it is, as names and values that tell nothing of a person: `format`, `width`.
    pub facts: Vec<(&'static str, String)>,
    /// What it tells.
    pub readings: Vec<Reading>,
    /// Work beside going through the bytes once, as in [`LookedBeside::work`].
    pub work: u64,
}

/// One thing that a file tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The name in trails: one of `exif`, `xmp`, `thumbnail`.
    pub codec: &'static str,
    /// Which: the name of a field, or where in the picture.
    pub detail: Option<String>,
    /// The bytes that say it.
    pub range: Range<usize>,
    /// What they say, in one or more ways of writing it; the first is the usual one.
    pub ways: Vec<Secret>,
}

/// A file that tells more than its bytes say, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldAt {
    /// Where the file lies.
    pub place: Place,
    /// How it was wrapped.
    pub trail: Trail,
    /// What it tells.
    pub told: Told,
}

/// Stands for the planted value that the find of a file which tells something has not.
pub(crate) const TOLD: u32 = u32::MAX - 1;

/// Fewer bytes hold no file that tells anything.
const SHORTEST_TELLING: usize = 64;

/// What the documentation says.
pub(crate) const ABOUT: [About; 3] = [
    About {
        name: "exif",
        undoes: "what cameras note in JPEG, PNG, WebP, TIFF, DNG, HEIF and AVIF: position, time, device, serial numbers, names",
        place: "pictures anywhere in bytes that are not text",
        exact: false,
        source: "EXIF 2.32 (CIPA DC-008)",
    },
    About {
        name: "xmp",
        undoes: "the same as programs note it, in packets that need not be whole",
        place: "pictures anywhere in bytes that are not text",
        exact: false,
        source: "ISO 16684-1",
    },
    About {
        name: "thumbnail",
        undoes: "the small picture in a picture's EXIF, where it does not show what the picture shows: before cropping",
        place: "pictures anywhere in bytes that are not text",
        exact: false,
        source: "EXIF 2.32, section 4.5.8",
    },
];

impl Explorer<'_> {
    /// Asks files in the bytes what they tell, and searches that.
    pub(crate) fn read_beside(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        // What a reading holds is told once, by the file around it.
        if self.is_reading || bytes.len() < SHORTEST_TELLING || is_text(bytes) {
            return;
        }
        let Some(beside) = self.needles.beside.as_ref() else { return };
        for told in beside.read(bytes) {
            self.tally.work = self.tally.work.saturating_add(told.work);
            self.is_reading = true;
            for reading in &told.readings {
                self.explore_reading(bytes, reading, node, finds);
            }
            self.is_reading = false;
            finds.push(Find::new(TOLD, Seen::Told(self.told.len() as u32), told.range.clone()));
            self.told.push(told);
        }
    }

    fn explore_reading(&mut self, bytes: &[u8], reading: &Reading, node: Node, finds: &mut Vec<Find>) {
        // All ways of writing share a number: of one value in several of them the best is kept.
        let number = self.number();
        for way in &reading.ways {
            if !self.may_go_deeper(node) {
                return;
            }
            let map = reading.map(bytes, way.reveal());
            for mut find in self.explore(way.reveal(), node.inner(true)) {
                find.through(reading.codec, reading.detail.clone(), &reading.range, &map, number);
                self.keep(find, finds);
            }
        }
    }
}

impl Reading {
    /// True where it is what the step undoes.
    pub(crate) fn is(&self, step: &Step) -> bool {
        let range = crate::find::to_case(&self.range);
        self.codec == step.codec && self.detail == step.detail && range == step.encoded
    }

    /// Texts mostly stand in the file as they are read.
    pub(crate) fn map(&self, bytes: &[u8], way: &[u8]) -> Map {
        let stands = bytes.get(self.range.clone()) == Some(way);
        if stands { Map::shift(self.range.start) } else { Map::Whole(self.range.clone()) }
    }
}

/// A planted file, or a part or likeness of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenBeside {
    /// Which datum.
    pub datum: DatumId,
    /// Where in the bytes. Looking at these bytes alone gives the same.
    pub range: Range<usize>,
    /// What was seen, in words: `the file itself`.
    pub form: String,
    /// How it ties to the planted file.
    pub strength: Strength,
    /// Bits of evidence against chance.
    pub bits: f64,
}

/// A text or bytes that stand for a datum and that no spelling gives: the name that a cache gives to a file's copy.
#[derive(Clone, PartialEq)]
pub struct Named {
    /// Which datum.
    pub datum: DatumId,
    /// What it is, in words.
    pub form: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Bits against chance, before places and forms are counted.
    pub bits: f64,
}

impl fmt::Debug for Named {
    /// Without the bytes: they stand for what was planted.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { datum, form, bytes, bits } = self;
        write!(out, "Named({datum:?}, {form}, {} bytes, {bits} bits)", bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_datum_is_not_printed() {
        let named =
            Named { datum: DatumId("photo".into()), form: "a name".into(), bytes: b"planted".into(), bits: 56.0 };
        let printed = format!("{named:?}");
        assert!(
            printed.contains("photo") && !printed.contains("planted") && !printed.contains("112, 108"),
            "{printed}"
        );
    }
}
