//! Everything that is looked for: the spellings of all planted values, sorted into lanes.

use crate::beside::{Beside, Named};
use crate::codec::cipher::{self, Keyed};
use crate::codec::custom_base64::Alphabet;
use crate::codec::sense::makes_sense;
use crate::codec::table::About;
use crate::codec::{base32, base64, hex};
use crate::digest::{self, Digests};
use crate::filter::{Domain, Filter, Pattern, SHORTEST, SHORTEST_KEYED};
use crate::short_keyed::ShortKeyed;
use crate::spelling::{self, QUOTED, Spelling, What};
use crate::{bits, decoy};
use dyetrace_case::{Datum, DatumId, KeyMaterial, Kind, Secret, Strength, Subject};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::Arc;

/// One byte form of a datum.
#[derive(Debug)]
pub(crate) struct Needle {
    /// Which datum, by position among the planted values and decoys.
    pub(crate) datum: u32,
    /// The spelling's name.
    pub(crate) form: String,
    /// How the spelling ties to the value.
    pub(crate) strength: Strength,
    /// Bits of the spelling, before places and forms are counted.
    pub(crate) bits: f64,
    /// The bytes themselves, to tell whether letters were seen in another case.
    pub(crate) bytes: Vec<u8>,
}

/// What a pattern of the textual lane looks like beside the needle it stands for. These codings are
/// looked for as they are instead of being undone, because nothing in the text betrays them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dress {
    /// The needle's bytes.
    Plain,
    /// The base64 characters that do not depend on what stands beside the value, which begins that
    /// many bytes into a group of three.
    Base64(u8),
    /// Pairs of hexadecimal digits.
    Hex,
    /// The same with the last character first.
    ReversedBase64(u8),
    /// The same with letters moved by thirteen places.
    Rot13Base64(u8),
    /// The needle's hexadecimal digits with the last first.
    ReversedHex,
    /// The whole needle and nothing else in base32, with the number of the alphabet.
    Base32(u8),
    /// The last byte first.
    Reversed,
    /// The last character first, in UTF-8.
    ReversedText,
    /// Letters moved by thirteen places.
    Rot13,
    /// Under one unknown byte.
    Xor,
    /// With an unknown number added to each byte.
    Sum,
    /// No sighting by itself: the first or last bytes, the rest of which may be another field.
    Piece,
    /// No sighting by itself: a short value in base64 or hexadecimal, which must be a whole field.
    Candidate,
}

/// One pattern of the textual lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Textual {
    /// The needle.
    pub(crate) needle: u32,
    /// How it is dressed.
    pub(crate) dress: Dress,
    /// The case in which the needle was dressed.
    pub(crate) case: Case,
}

/// The rows of the table of wrappings for what is looked for in dress.
pub(crate) const ABOUT: [About; 4] = [
    about("reversed", "the last byte first", "anywhere"),
    about("rot13", "letters moved by thirteen places", "anywhere"),
    about("xor", "every byte XORed with the same unknown byte", KEYED_PLACE),
    about("shift", "the same unknown number added to every byte", KEYED_PLACE),
];

/// Where values under an unknown key are looked for. Eight digits under one are eight other digits.
const KEYED_PLACE: &str = "values of ten bytes or more anywhere, of eight and nine in whole fields, decoded runs and bytes that are not \
                           text; whole JSON documents, with all that is in them";

const fn about(name: &'static str, undoes: &'static str, place: &'static str) -> About {
    About { name, undoes, place, exact: true, source: "common practice" }
}

/// The letters of a needle as they were before it was dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// As in the needle.
    AsIs,
    /// All lower.
    Lower,
    /// All upper.
    Upper,
}

impl Case {
    /// The bytes in that case.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::AsIs => bytes.to_vec(),
            Self::Lower => bytes.to_ascii_lowercase(),
            Self::Upper => bytes.to_ascii_uppercase(),
        }
    }

    /// True where the bytes are in that case already.
    fn changes_nothing(self, bytes: &[u8]) -> bool {
        match self {
            Self::AsIs => true,
            Self::Lower => !bytes.iter().any(u8::is_ascii_uppercase),
            Self::Upper => !bytes.iter().any(u8::is_ascii_lowercase),
        }
    }
}

/// What is kept of each datum.
#[derive(Debug)]
pub(crate) struct Sought {
    /// Its name.
    pub(crate) id: DatumId,
    /// Its kind.
    pub(crate) kind: Kind,
    /// Bits of the value as typed.
    pub(crate) bits: f64,
    /// Spellings looked for.
    pub(crate) forms: usize,
    /// It was not planted: finding it measures chance.
    pub(crate) is_decoy: bool,
}

/// All needles of a subject.
pub(crate) struct Needles {
    /// By position in the subject; decoys behind it.
    pub(crate) data: Vec<Sought>,
    /// All needles, whatever lane they are for.
    pub(crate) all: Vec<Needle>,
    /// The patterns of the textual lane, in the filter's order.
    pub(crate) textual: Vec<Textual>,
    /// The textual lane.
    pub(crate) filter: Filter,
    /// The digest lane.
    pub(crate) digests: Digests,
    /// What the tester should know, without values.
    pub(crate) warnings: Vec<String>,
    /// The values and their base64 in lower case, of base64 the characters that do not depend on
    /// what stands beside them: names are shown in lower case, which hides nothing.
    pub(crate) folded: Vec<Finder<'static>>,
    /// Ciphers whose keys the tester has.
    pub(crate) keyed: Vec<Keyed>,
    /// Base64 alphabets that the tester has.
    pub(crate) alphabets: Vec<Alphabet>,
    numbers: Numbers,
    /// Needles too short for the keyed lanes of the filter.
    pub(crate) short_keyed: ShortKeyed,
    /// Last characters of needles that may be split over fields.
    ends: Ends,
    short: Short,
    /// Who looks for planted files.
    pub(crate) beside: Option<Arc<dyn Beside>>,
}

/// Needles that are numbers of a document.
#[derive(Default)]
struct Numbers {
    integers: foldhash::HashMap<i128, Vec<u32>>,
    doubles: foldhash::HashMap<u64, Vec<u32>>,
    singles: foldhash::HashMap<u32, Vec<u32>>,
}

/// Needles that are compared with whole fields.
struct Short {
    fields: foldhash::HashMap<Vec<u8>, Vec<u32>>,
    longest: usize,
    /// Bit *n* is set where one has *n* bytes.
    lengths: u64,
    /// They, and such of their codings as the filter cannot find.
    words: foldhash::HashSet<Vec<u8>>,
    /// One bit for each [`slot`] of them.
    slots: Box<[u64; SLOTS / 64]>,
    /// One bit for each of the words' lengths.
    word_lengths: u32,
    /// One of them is not one word.
    broken: bool,
}

impl Short {
    fn new(lanes: &mut Lanes) -> Self {
        let mut short = Self {
            fields: foldhash::HashMap::default(),
            longest: 0,
            lengths: 0,
            words: foldhash::HashSet::default(),
            slots: Box::new([0; SLOTS / 64]),
            word_lengths: 0,
            broken: false,
        };
        for (number, any_case) in std::mem::take(&mut lanes.fields) {
            let variants = variants(&lanes.all[number as usize].bytes, any_case);
            let keys: Vec<Vec<u8>> = variants.map(|(_, key)| key.into_owned()).collect();
            for key in keys {
                short.words.extend(lanes.candidates(number, &key));
                short.fields.entry(key).or_default().push(number);
            }
        }
        short.longest = short.fields.keys().map(Vec::len).max().unwrap_or(0);
        short.lengths = short.fields.keys().fold(0, |lengths, key| lengths | 1 << key.len());
        for word in &short.words {
            let slot = slot(word, 0, word.len());
            short.slots[slot >> 6] |= 1 << (slot & 63);
        }
        short.word_lengths = short.words.iter().fold(0, |lengths, word| lengths | 1 << word.len());
        let is_text = |key: &&Vec<u8>| key.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte >= 0x80);
        let texts = short.fields.keys().filter(is_text);
        short.broken = texts.flatten().any(|byte| !byte.is_ascii_alphanumeric() && *byte < 0x80);
        short
    }
}

/// Needles by their last characters.
struct Ends {
    all: foldhash::HashMap<Vec<u8>, Vec<u32>>,
    /// One bit for each slot of them.
    slots: Box<[u64; SLOTS / 64]>,
    /// Bit *n* is set where one has *n* bytes, at most [`SHORTEST`] − 1.
    lengths: u32,
}

impl Default for Ends {
    fn default() -> Self {
        Self { all: foldhash::HashMap::default(), slots: Box::new([0; SLOTS / 64]), lengths: 0 }
    }
}

impl Ends {
    fn add(&mut self, end: &[u8], needle: u32) {
        self.lengths |= 1 << end.len();
        let slot = slot(end, 0, end.len());
        self.slots[slot >> 6] |= 1 << (slot & 63);
        self.all.entry(end.to_vec()).or_default().push(needle);
    }

    fn of(&self, bytes: &[u8], start: usize, length: usize) -> &[u32] {
        let slot = slot(bytes, start, length);
        if self.slots[slot >> 6] >> (slot & 63) & 1 == 0 {
            return &[];
        }
        bytes.get(start..start + length).and_then(|word| self.all.get(word)).map_or(&[], Vec::as_slice)
    }
}

/// Bits that tell most words at a glance.
const SLOTS: usize = 1 << 13;

/// The slot of the word that stands there, of which only the first eight bytes count. They are read at once where
/// there are so many: this is done for most words of a text.
#[inline]
fn slot(bytes: &[u8], start: usize, length: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let word = rest.first_chunk::<8>().map_or_else(
        || rest.iter().take(length).rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        |eight| u64::from_le_bytes(*eight),
    );
    let key = word & (u64::MAX >> (64 - 8 * length.clamp(1, 8)));
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 51) as usize
}

/// Detail of the step that reverses text by its characters, not by its bytes.
pub(crate) const BY_CHARACTERS: &str = "by characters";

/// Longest spelling that is also looked for in dresses.
const LONGEST_DRESSED: usize = 96;
/// Spellings of one datum that are looked for reversed, rotated and under unknown keys.
const MOST_TRANSFORMED: usize = 12;
/// Spellings of one datum whose pieces are looked for, their lengths, and the least length of a last
/// piece that is told by itself.
const MOST_DIVIDED: usize = 3;
const DIVIDED: std::ops::RangeInclusive<usize> = 8..=64;
/// The same for text beyond ASCII.
const DIVIDED_CHINESE: std::ops::RangeInclusive<usize> = 18..=96;
const END: usize = 4;
/// Different neighbours' differences that a needle under an unknown key must have: `00000000` looks
/// like any other eight equal bytes.
const LEAST_DIFFERENCES: usize = 4;

/// Spellings by where they are looked for.
#[derive(Default)]
struct Lanes {
    all: Vec<Needle>,
    textual: Vec<Textual>,
    patterns: Vec<Made>,
    /// Bytes of the patterns, one behind the other: tens of thousands of vectors would take longer to
    /// make than to fill.
    bytes: Vec<u8>,
    fields: Vec<(u32, bool)>,
    numbers: Numbers,
    /// Spellings of the datum at hand that were transformed.
    transformed: usize,
    /// Spellings of the datum at hand whose pieces are looked for.
    divided: usize,
    /// Needles too short for the keyed lanes of the filter.
    keyed: ShortKeyed,
    /// Last characters, and the needles that end with them.
    ends: Ends,
}

/// A pattern without its bytes.
struct Made {
    /// Where its bytes end; they begin where those of the pattern before it end.
    end: usize,
    any_case: bool,
    bounded: bool,
    domain: Domain,
}

impl Needles {
    /// True where bytes this few may be a ciphertext that can be decrypted.
    pub(crate) fn may_decrypt(&self, length: usize) -> bool {
        let fits = |keyed: &Keyed| keyed.is_stream() || length.is_multiple_of(8);
        length >= 8 && self.keyed.iter().any(fits)
    }

    /// Builds the needles of all data, and of so many decoys for each.
    pub(crate) fn new(subject: &Subject, material: &KeyMaterial, named: &[Named], decoys: u32) -> Self {
        let mut lanes = Lanes::default();
        let mut sources = Vec::new();
        let (keyed, mut warnings) = keyed(material);
        warnings.extend(subject.data.iter().filter_map(warning));
        let planted = subject.data.iter().map(|datum| (datum.clone(), None));
        let decoys = decoy::decoys(subject, decoys).into_iter().map(|decoy| (decoy.datum, Some(decoy.drawn_bits)));
        let mut data = Vec::new();
        for (number, (datum, drawn_bits)) in planted.chain(decoys).enumerate() {
            let before = lanes.all.len();
            add(number as u32, &datum, drawn_bits, &mut lanes, &mut sources);
            let forms = lanes.all.len() - before;
            let bits = bits::of_value(datum.value.reveal(), datum.bits);
            data.push(Sought { id: datum.id, kind: datum.kind, bits, forms, is_decoy: drawn_bits.is_some() });
        }
        for named in named {
            let number = subject.data.iter().position(|datum| datum.id == named.datum);
            if let Some(number) = number.filter(|_| named.bytes.len() >= SHORTEST) {
                lanes.place(number as u32, Spelling::named(&named.form, &named.bytes, named.bits), None);
            }
        }
        for (number, spelling) in spelling::psk_forms(subject) {
            lanes.place(number as u32, spelling, None);
        }
        let short = Short::new(&mut lanes);
        let material_of_digests = digest::Material::from(material);
        // The two take most of the start, and neither needs the other.
        let (filter, digests) = std::thread::scope(|scope| {
            let digests = scope.spawn(|| Digests::new(sources, material_of_digests));
            let filter = Filter::new(lanes.patterns());
            (filter, digests.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        Self {
            data,
            all: lanes.all,
            textual: lanes.textual,
            filter,
            digests,
            warnings,
            folded: subject.data.iter().flat_map(|datum| folded(datum.value.reveal())).collect(),
            keyed,
            alphabets: material.alphabets.iter().filter_map(Alphabet::new).collect(),
            numbers: lanes.numbers,
            short_keyed: lanes.keyed,
            ends: lanes.ends,
            short,
            beside: None,
        }
    }

    /// Lengths of the words that may be the end of a needle split over fields, ascending.
    pub(crate) fn end_lengths(&self) -> impl Iterator<Item = usize> {
        let lengths = self.ends.lengths;
        (1..SHORTEST).filter(move |length| lengths >> length & 1 == 1)
    }

    /// The needles that end with the word that stands there and may be split over fields.
    pub(crate) fn ending_with(&self, bytes: &[u8], start: usize, length: usize) -> &[u32] {
        self.ends.of(bytes, start, length)
    }

    /// The needles that the whole number equals.
    pub(crate) fn of_integer(&self, number: i128) -> &[u32] {
        self.numbers.integers.get(&number).map_or(&[], Vec::as_slice)
    }

    /// The needles that the binary64 number equals, bit for bit.
    pub(crate) fn of_double(&self, number: f64) -> &[u32] {
        self.numbers.doubles.get(&number.to_bits()).map_or(&[], Vec::as_slice)
    }

    /// The needles that the binary32 number equals, bit for bit.
    pub(crate) fn of_single(&self, number: f32) -> &[u32] {
        self.numbers.singles.get(&number.to_bits()).map_or(&[], Vec::as_slice)
    }

    /// Lengths of the words that may be such a value, ascending.
    pub(crate) fn word_lengths(&self) -> impl Iterator<Item = usize> {
        let lengths = self.short.word_lengths;
        (1..SHORTEST).filter(move |length| lengths >> length & 1 == 1)
    }

    /// True for a value that is compared with whole fields, and for its base64 and hexadecimal.
    pub(crate) fn is_short_word(&self, word: &[u8]) -> bool {
        self.is_short_word_at(word, 0, word.len())
    }

    /// The same for the word that stands there.
    #[inline]
    pub(crate) fn is_short_word_at(&self, bytes: &[u8], start: usize, length: usize) -> bool {
        let slot = slot(bytes, start, length);
        let may_be = self.short.slots[slot >> 6] >> (slot & 63) & 1 == 1;
        may_be && bytes.get(start..start + length).is_some_and(|word| self.short.words.contains(word))
    }

    /// True where such a value is more or less than one word, so that words do not betray it.
    pub(crate) fn has_broken_fields(&self) -> bool {
        self.short.broken
    }

    /// True where a value of that length is compared with whole fields.
    pub(crate) fn has_field_of(&self, length: usize) -> bool {
        length < SHORTEST && self.short.lengths >> length & 1 == 1
    }

    /// The needles that the whole field equals.
    pub(crate) fn of_field(&self, field: &[u8]) -> &[u32] {
        if field.len() > self.short.longest { &[] } else { self.short.fields.get(field).map_or(&[], Vec::as_slice) }
    }

    /// The needles that are compared with whole fields.
    pub(crate) fn short(&self) -> impl Iterator<Item = &[u8]> {
        self.short.fields.keys().map(Vec::as_slice)
    }
}

/// Adds a datum, or a decoy with so many bits of chance.
fn add(number: u32, datum: &Datum, drawn_bits: Option<u32>, lanes: &mut Lanes, sources: &mut Vec<digest::Source>) {
    if datum.value.is_empty() {
        return;
    }
    let spellings = spelling::spellings(datum);
    let value = datum.value.reveal();
    for (form, bytes) in spelling::digested(&spellings) {
        let checksums_only = drawn_bits.is_some_and(|bits| decoy::is_nobodys(bits, value, &bytes));
        sources.push(digest::Source { datum: number, form, bytes: Secret::new(bytes), checksums_only });
    }
    (lanes.transformed, lanes.divided) = (0, 0);
    // The name itself is found between its quotes, too.
    let is_within = |spelling: &Spelling| spelling.form == QUOTED && datum.value.len() >= SHORTEST;
    for spelling in spellings.into_iter().filter(|spelling| !is_within(spelling)) {
        lanes.place(number, spelling, datum.bits);
    }
}

impl Lanes {
    /// Sorts one spelling into its lane.
    fn place(&mut self, datum: u32, spelling: Spelling, minted: Option<u32>) {
        let bits = spelling.bits(minted);
        let needle = self.all.len() as u32;
        let Spelling { form, strength, any_case, bounded, binary, .. } = spelling;
        let bytes = match spelling.what {
            What::Text(bytes) => bytes,
            What::Integer(number) => {
                self.numbers.integers.entry(number).or_default().push(needle);
                Vec::new()
            }
            What::Float(number) => {
                self.numbers.doubles.entry(number.to_bits()).or_default().push(needle);
                self.numbers.singles.entry((number as f32).to_bits()).or_default().push(needle);
                Vec::new()
            }
        };
        if bytes.len() >= SHORTEST {
            self.base64(needle, &bytes, any_case);
            self.hex(needle, &bytes, any_case);
            if strength == Strength::Exact && self.transformed < MOST_TRANSFORMED {
                self.transformed += usize::from(self.transform(needle, &bytes, any_case));
            }
            if strength == Strength::Exact && !binary && self.divided < MOST_DIVIDED {
                self.divided += usize::from(self.divide(needle, &bytes));
            }
            self.push(needle, Dress::Plain, &bytes, any_case, bounded);
        } else if strength == Strength::Exact && !bytes.is_empty() {
            self.fields.push((needle, any_case));
        }
        self.all.push(Needle { datum, form, strength, bits, bytes });
    }

    /// The patterns so far.
    fn patterns(&self) -> impl Iterator<Item = Pattern<'_>> {
        let mut start = 0;
        self.patterns.iter().map(move |made| {
            let bytes = &self.bytes[start..made.end];
            start = made.end;
            Pattern { bytes, any_case: made.any_case, bounded: made.bounded, domain: made.domain }
        })
    }

    fn push(&mut self, needle: u32, dress: Dress, bytes: &[u8], any_case: bool, bounded: bool) {
        self.bytes.extend_from_slice(bytes);
        self.finish(Textual { needle, dress, case: Case::AsIs }, any_case, bounded, Domain::Plain);
    }

    /// The bytes behind those of the last pattern are a pattern.
    fn finish(&mut self, textual: Textual, any_case: bool, bounded: bool, domain: Domain) {
        self.textual.push(textual);
        self.patterns.push(Made { end: self.bytes.len(), any_case, bounded, domain });
    }

    /// The needle in base64 at each of the three alignments, in each alphabet that differs.
    fn base64(&mut self, needle: u32, bytes: &[u8], any_case: bool) {
        if bytes.len() > LONGEST_DRESSED {
            return;
        }
        for (case, bytes) in variants(bytes, any_case) {
            for shift in 0..3 {
                let textual = Textual { needle, dress: Dress::Base64(shift), case };
                let start = self.bytes.len();
                base64::stable_into(&bytes, shift, false, &mut self.bytes);
                let differs = self.bytes[start..].iter().any(|byte| matches!(byte, b'+' | b'/'));
                self.finish(textual, false, false, Domain::Plain);
                if differs {
                    base64::stable_into(&bytes, shift, true, &mut self.bytes);
                    self.finish(textual, false, false, Domain::Plain);
                }
            }
        }
    }

    /// The needle in hexadecimal.
    fn hex(&mut self, needle: u32, bytes: &[u8], any_case: bool) {
        if bytes.len() > LONGEST_DRESSED {
            return;
        }
        for (case, bytes) in variants(bytes, any_case) {
            hex::wrap_into(&bytes, &mut self.bytes);
            self.finish(Textual { needle, dress: Dress::Hex, case }, true, false, Domain::Plain);
        }
    }

    /// The ends of a needle that may be split over fields. True where it is fit for it.
    fn divide(&mut self, needle: u32, bytes: &[u8]) -> bool {
        // Two Chinese characters are a family name; three, and what stands behind them, are told.
        let (lengths, end) = if bytes.is_ascii() { (DIVIDED, SHORTEST) } else { (DIVIDED_CHINESE, 9) };
        let fits = lengths.contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte >= 0x80);
        if fits {
            self.push(needle, Dress::Piece, &bytes[..end], false, false);
            self.push(needle, Dress::Piece, &bytes[bytes.len() - end..], false, false);
            // Three characters are a third of eight or nine, and too common to be looked for elsewhere.
            let shortest = if bytes.len() < SHORTEST_KEYED { END - 1 } else { END };
            for length in (shortest..SHORTEST).filter(|_| bytes.is_ascii()) {
                self.ends.add(&bytes[bytes.len() - length..], needle);
            }
        }
        fits
    }

    /// Reversed, rotated and under unknown keys. True where the needle is fit for it.
    fn transform(&mut self, needle: u32, bytes: &[u8], any_case: bool) -> bool {
        if bytes.len() > LONGEST_DRESSED || differences(bytes) < LEAST_DIFFERENCES {
            return false;
        }
        self.reversed(needle, bytes, any_case);
        if self.transformed == 0 {
            self.transformed_base64(needle, bytes);
            self.base32(needle, bytes);
        }
        let rotated: Vec<u8> = bytes.iter().map(|byte| rot13(*byte)).collect();
        self.keyed.add_start(bytes);
        self.keyed.add_start(&rotated);
        self.keyed.add_start(&bytes.iter().rev().copied().collect::<Vec<u8>>());
        if rotated != bytes {
            self.push(needle, Dress::Rot13, &rotated, any_case, false);
        }
        if bytes.len() < SHORTEST_KEYED {
            self.keyed.add(needle, bytes);
            return true;
        }
        for (dress, domain) in [(Dress::Xor, Domain::Xor), (Dress::Sum, Domain::Sum)] {
            self.bytes.extend_from_slice(bytes);
            self.finish(Textual { needle, dress, case: Case::AsIs }, false, false, domain);
        }
        true
    }

    /// The last byte first, and the last character first where that differs.
    fn reversed(&mut self, needle: u32, bytes: &[u8], any_case: bool) {
        self.bytes.extend(bytes.iter().rev());
        self.finish(Textual { needle, dress: Dress::Reversed, case: Case::AsIs }, any_case, true, Domain::Plain);
        if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| !text.is_ascii()) {
            let reversed: String = text.chars().rev().collect();
            self.push(needle, Dress::ReversedText, reversed.as_bytes(), any_case, true);
        }
    }

    /// Base64 that was reversed or rotated afterwards, which hides it from whoever looks for base64, and
    /// hexadecimal that was reversed.
    fn transformed_base64(&mut self, needle: u32, bytes: &[u8]) {
        let digits: Vec<u8> = hex::wrap(bytes).into_iter().rev().collect();
        self.push(needle, Dress::ReversedHex, &digits, true, false);
        for shift in 0..3 {
            let stable = base64::stable(bytes, shift, false);
            let reversed: Vec<u8> = stable.iter().rev().copied().collect();
            self.push(needle, Dress::ReversedBase64(shift), &reversed, false, false);
            let rotated: Vec<u8> = stable.iter().map(|byte| rot13(*byte)).collect();
            self.push(needle, Dress::Rot13Base64(shift), &rotated, false, false);
        }
    }

    /// Base32 of the whole value, where that is too short to be decoded.
    fn base32(&mut self, needle: u32, bytes: &[u8]) {
        if makes_sense(bytes) {
            for (alphabet, text) in base32::short(bytes) {
                self.push(needle, Dress::Base32(alphabet), &text, true, false);
            }
        }
    }

    /// What betrays a short value that is a whole field, as it is or in base64 or hexadecimal:
    /// patterns for the filter, and words that are too short for it.
    fn candidates(&mut self, needle: u32, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut words = vec![bytes.to_vec()];
        for dressed in [base64::wrap(bytes, false, false), hex::wrap(bytes)] {
            if dressed.len() >= SHORTEST {
                self.push(needle, Dress::Candidate, &dressed, true, false);
            } else {
                words.push(dressed);
            }
        }
        words
    }
}

/// How many different differences neighbouring bytes have.
fn differences(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.windows(2).for_each(|pair| seen[usize::from(pair[0] ^ pair[1])] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// A letter moved by thirteen places, anything else as it is.
pub(crate) fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'm' | b'A'..=b'M' => byte + 13,
        b'n'..=b'z' | b'N'..=b'Z' => byte - 13,
        _ => byte,
    }
}

/// A value and its base64 at each of the three alignments, in lower case.
fn folded(value: &[u8]) -> Vec<Finder<'static>> {
    let aligned = (0..3).map(|shift| base64::stable(value, shift, false).to_ascii_lowercase());
    let aligned = aligned.chain([value.to_ascii_lowercase()]);
    aligned.filter(|text| text.len() >= SHORTEST).map(|text| Finder::new(&text).into_owned()).collect()
}

/// The bytes as they are and, where letters match in either case, in each case that differs.
fn variants(bytes: &[u8], any_case: bool) -> impl Iterator<Item = (Case, Cow<'_, [u8]>)> {
    let other = [Case::Lower, Case::Upper].into_iter();
    let other = other.filter(move |case| any_case && !case.changes_nothing(bytes));
    std::iter::once((Case::AsIs, Cow::Borrowed(bytes))).chain(other.map(|case| (case, Cow::Owned(case.of(bytes)))))
}

/// The ciphers, and which keys are none.
fn keyed(material: &KeyMaterial) -> (Vec<Keyed>, Vec<String>) {
    let (keyed, unusable) = cipher::keyed(&material.ciphers);
    let warning = |name: &String| format!("the key {name} is no RSA private key in PEM that can be read");
    (keyed, unusable.iter().map(warning).collect())
}

fn warning(datum: &Datum) -> Option<String> {
    match datum.value.len() {
        0 if datum.file.is_some() => None,
        0 => Some(format!("{} is empty: nothing is searched for", datum.id)),
        1..SHORTEST => {
            Some(format!("{} is shorter than {SHORTEST} bytes: it is compared with whole fields only", datum.id))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_are_for_whole_fields_and_say_so() {
        let mut subject = Subject::default();
        subject.add("pin".parse().unwrap(), Secret::new("4821"));
        subject.add("wifi.password".parse().unwrap(), Secret::new("Qm7xTr2p"));
        subject.add("note".parse().unwrap(), Secret::new(""));
        let needles = Needles::new(&subject, &KeyMaterial::default(), &[], 0);
        assert_eq!(needles.of_field(b"4821").len(), 1);
        assert!(needles.of_field(b"48210").is_empty() && needles.of_field(b"").is_empty());
        assert_eq!(needles.warnings.len(), 2);
        assert!(needles.warnings.iter().all(|text| !text.contains("4821")));
    }
}
