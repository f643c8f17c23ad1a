//! What is looked for beside values: planted files, by whoever knows their formats.
//!
//! The search undoes wrappings and keeps the account of places; what is in the undone bytes may need more than needles.
//! A picture that was encoded again has no byte in common with the original. And files of such formats tell things that
//! no codec gives: what a camera noted. These are *readings*, searched like what was undone.

use crate::codec::table::About;
use crate::explore::{Explorer, Node, is_text};
use crate::find::{Find, Seen};
use crate::map::Map;
use crate::scanner::Limit;
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

    /// The files in the bytes that tell more than their bytes say.
    fn read(&self, _bytes: &[u8]) -> ReadBeside {
        ReadBeside::default()
    }

    /// What one of the readings, which the files in the same bytes gave, says of what was planted and no needle finds:
    /// reading may err. Ranges are in its first way of writing, and each takes the place of what needles found there.
    fn nearly(&self, _all: &[Told], _reading: &Reading) -> Vec<SeenBeside> {
        Vec::new()
    }

    /// True where these bytes, read again, are what a form of [`Beside::nearly`] says of the datum.
    fn is_nearly(&self, _datum: &DatumId, _form: &str, _bytes: &[u8]) -> bool {
        false
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

/// The files in some bytes that tell more than their bytes say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadBeside {
    /// In order and without overlap.
    pub told: Vec<Told>,
    /// Whether there were more than are asked.
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
    /// The name in trails: one of `exif`, `xmp`, `picture text`, `thumbnail`.
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
pub(crate) const ABOUT: [About; 4] = [
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
        name: "picture text",
        undoes: "lines of text in pictures, read by models that the user installs (`dyetrace models install`)",
        place: "JPEG, PNG, WebP, GIF, BMP anywhere in bytes that are not text",
        exact: false,
        source: "PP-OCRv4",
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
        let ReadBeside { told: all, is_cut } = beside.read(bytes);
        if is_cut {
            self.limits.insert(Limit::Files);
        }
        for (number, told) in all.iter().enumerate() {
            self.tally.work = self.tally.work.saturating_add(told.work);
            self.is_reading = true;
            for reading in &told.readings {
                let nearly = beside.nearly(&all, reading);
                self.explore_reading(bytes, reading, nearly, node, finds);
            }
            self.is_reading = false;
            finds.push(Find::new(TOLD, Seen::Told((self.told.len() + number) as u32), told.range.clone()));
        }
        self.told.extend(all);
    }

    fn explore_reading(
        &mut self,
        bytes: &[u8],
        reading: &Reading,
        mut nearly: Vec<SeenBeside>,
        node: Node,
        finds: &mut Vec<Find>,
    ) {
        // All ways of writing share a number: of one value in several of them the best is kept.
        let number = self.number();
        for way in &reading.ways {
            if !self.may_go_deeper(node) {
                return;
            }
            let map = reading.map(bytes, way.reveal());
            let mut found = self.explore(way.reveal(), node.inner(true));
            self.replace(&mut found, std::mem::take(&mut nearly));
            for mut find in found {
                find.through(reading.codec, reading.detail.clone(), &reading.range, &map, number);
                self.keep(find, finds);
            }
        }
    }
}

impl Explorer<'_> {
    /// Puts what is known better in the place of what needles found there.
    fn replace(&mut self, found: &mut Vec<Find>, nearly: Vec<SeenBeside>) {
        let needles = self.needles;
        for seen in nearly {
            let Some(datum) = needles.data.iter().position(|sought| sought.id == seen.datum) else { continue };
            let overlaps = |find: &Find| find.range.start < seen.range.end && seen.range.start < find.range.end;
            found.retain(|find| find.datum != datum as u32 || !find.steps.is_empty() || !overlaps(find));
            found.push(Find::new(datum as u32, Seen::Beside(self.beside.len() as u32), seen.range.clone()));
            self.beside.push(seen);
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
    use crate::{Options, Scanner, Scratch};
    use dyetrace_case::{Blob, Message, Record, Subject};
    use std::sync::Arc;

    /// Reads one line in whatever it is given, and knows better than the needles.
    struct Reader;

    impl Beside for Reader {
        fn shortest(&self) -> usize {
            usize::MAX
        }

        fn look(&self, _bytes: &[u8]) -> LookedBeside {
            LookedBeside::default()
        }

        fn read(&self, bytes: &[u8]) -> ReadBeside {
            let line = |number: usize, text: &str| Reading {
                codec: "picture text",
                detail: Some(format!("line {number}")),
                range: 0..bytes.len(),
                ways: vec![Secret::new(text)],
            };
            let readings = vec![line(1, "tel 13800000427"), line(2, "tel 1380O0O0427")];
            let told = vec![Told { range: 0..bytes.len(), facts: Vec::new(), readings, work: 0 }];
            ReadBeside { told, is_cut: bytes.len() > 200 }
        }

        fn nearly(&self, _all: &[Told], _reading: &Reading) -> Vec<SeenBeside> {
            let (datum, form) = (DatumId("phone".to_owned()), "as read".to_owned());
            vec![SeenBeside { datum, range: 4..15, form, strength: Strength::Derived, bits: 33.0 }]
        }

        fn is_nearly(&self, datum: &DatumId, form: &str, bytes: &[u8]) -> bool {
            datum.0 == "phone" && form == "as read" && bytes.starts_with(b"1380")
        }
    }

    #[test]
    fn what_was_nearly_read_takes_the_place_of_what_needles_find_and_is_proved() {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13800000427"));
        let scanner = Scanner::new(&subject, Options::default()).beside(Arc::new(Reader));
        let request = Message { body: Some(Blob::from([0x89; 100].to_vec())), ..Message::default() };
        let record = Record::of_request(request);
        let found = scanner.search(&record, &mut Scratch::default()).sightings;
        let seen: Vec<_> = found.iter().map(|one| (one.trail.to_string(), one.form.as_str(), one.bits)).collect();
        let expected = |line: &str| (line.to_owned(), "as read", 33.0);
        assert_eq!(seen, [expected("picture text line 1"), expected("picture text line 2")]);
        for sighting in &found {
            let proof = scanner.prove(&record, sighting);
            assert!(proof.is_proved(), "{:?}", proof.fault);
            let other = dyetrace_case::Sighting { form: "as never read".to_owned(), ..sighting.clone() };
            assert!(!scanner.prove(&record, &other).is_proved());
        }
    }

    #[test]
    fn files_that_were_not_asked_are_a_limit_that_was_reached() {
        let scanner = Scanner::new(&Subject::default(), Options::default()).beside(Arc::new(Reader));
        for (length, limits) in [(200, &[][..]), (201, &[Limit::Files])] {
            let request = Message { body: Some(Blob::from(vec![0x89; length])), ..Message::default() };
            let outcome = scanner.search(&Record::of_request(request), &mut Scratch::default());
            assert_eq!((outcome.limits_reached.as_slice(), outcome.told.len()), (limits, 1));
        }
    }

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
