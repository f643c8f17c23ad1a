//! Everything that is looked for: the spellings of all planted values, sorted into lanes.

use crate::bits;
use crate::codec::base64;
use crate::codec::cipher::{self, Keyed};
use crate::digest::{self, Digests};
use crate::filter::{Filter, Pattern, SHORTEST};
use crate::spelling::{self, Spelling, What};
use dyetrace_case::{Datum, DatumId, KeyMaterial, Secret, Strength, Subject};

/// One byte form of a datum.
#[derive(Debug)]
pub(crate) struct Needle {
    /// Which datum, by position in the subject.
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

/// What is kept of each datum.
#[derive(Debug)]
pub(crate) struct Sought {
    /// Its name.
    pub(crate) id: DatumId,
    /// Bits of the value as typed.
    pub(crate) bits: f64,
    /// Spellings looked for.
    pub(crate) forms: usize,
}

/// All needles of a subject.
pub(crate) struct Needles {
    /// By position in the subject.
    pub(crate) data: Vec<Sought>,
    /// Needles of the textual lane first, in the filter's order, then those for whole fields.
    pub(crate) all: Vec<Needle>,
    /// The textual lane.
    pub(crate) filter: Filter,
    /// The digest lane.
    pub(crate) digests: Digests,
    /// What the tester should know, without values.
    pub(crate) warnings: Vec<String>,
    /// The values and their base64 in lower case, of base64 the characters that do not depend on
    /// what stands beside them: names are shown in lower case, which hides nothing.
    pub(crate) folded: Vec<Vec<u8>>,
    /// Ciphers whose keys the tester has.
    pub(crate) keyed: Vec<Keyed>,
    integers: foldhash::HashMap<i128, Vec<u32>>,
    doubles: foldhash::HashMap<u64, Vec<u32>>,
    singles: foldhash::HashMap<u32, Vec<u32>>,
    fields: foldhash::HashMap<Vec<u8>, Vec<u32>>,
    longest_field: usize,
    /// Bit *n* is set where a value of *n* bytes is compared with whole fields.
    field_lengths: u64,
}

/// Spellings by where they are looked for.
#[derive(Default)]
struct Lanes {
    text: Vec<(Needle, Pattern)>,
    fields: Vec<(Needle, bool)>,
}

impl Needles {
    /// True where bytes this few may be a ciphertext that can be decrypted.
    pub(crate) fn may_decrypt(&self, length: usize) -> bool {
        length >= 8 && length.is_multiple_of(8) && !self.keyed.is_empty()
    }

    /// Builds the needles of all data.
    pub(crate) fn new(subject: &Subject, material: &KeyMaterial) -> Self {
        let mut lanes = Lanes::default();
        let mut sources = Vec::new();
        let (keyed, mut warnings) = keyed(material);
        let mut data = Vec::new();
        for (number, datum) in subject.data.iter().enumerate() {
            let before = lanes.text.len() + lanes.fields.len();
            warnings.extend(warning(datum));
            add(number as u32, datum, &mut lanes, &mut sources);
            let forms = lanes.text.len() + lanes.fields.len() - before;
            let bits = bits::of_value(datum.value.reveal(), datum.bits);
            data.push(Sought { id: datum.id.clone(), bits, forms });
        }
        for (number, spelling) in spelling::psk_forms(subject) {
            place(number as u32, spelling, None, &mut lanes);
        }
        let (mut all, patterns): (Vec<_>, Vec<_>) = lanes.text.into_iter().unzip();
        let mut fields: foldhash::HashMap<Vec<u8>, Vec<u32>> = foldhash::HashMap::default();
        for (needle, any_case) in lanes.fields {
            for key in variants(&needle.bytes, any_case) {
                fields.entry(key).or_default().push(all.len() as u32);
            }
            all.push(needle);
        }
        let longest_field = fields.keys().map(Vec::len).max().unwrap_or(0);
        let field_lengths = fields.keys().fold(0, |lengths, key| lengths | 1 << key.len());
        let digests = Digests::new(sources, digest::Material::from(material));
        let filter = Filter::new(patterns);
        let folded = subject.data.iter().flat_map(|datum| folded(datum.value.reveal())).collect();
        let (integers, doubles, singles) = Default::default();
        Self {
            data,
            all,
            filter,
            digests,
            warnings,
            folded,
            keyed,
            integers,
            doubles,
            singles,
            fields,
            longest_field,
            field_lengths,
        }
    }

    /// The needles that the whole number equals.
    pub(crate) fn of_integer(&self, number: i128) -> &[u32] {
        self.integers.get(&number).map_or(&[], Vec::as_slice)
    }

    /// The needles that the binary64 number equals, bit for bit.
    pub(crate) fn of_double(&self, number: f64) -> &[u32] {
        self.doubles.get(&number.to_bits()).map_or(&[], Vec::as_slice)
    }

    /// The needles that the binary32 number equals, bit for bit.
    pub(crate) fn of_single(&self, number: f32) -> &[u32] {
        self.singles.get(&number.to_bits()).map_or(&[], Vec::as_slice)
    }

    /// Length of the longest value that is compared with whole fields; 0 where there is none.
    pub(crate) fn longest_field(&self) -> usize {
        self.longest_field
    }

    /// True where a value of that length is compared with whole fields.
    pub(crate) fn has_field_of(&self, length: usize) -> bool {
        length < SHORTEST && self.field_lengths >> length & 1 == 1
    }

    /// The needles that the whole field equals.
    pub(crate) fn of_field(&self, field: &[u8]) -> &[u32] {
        if field.len() > self.longest_field { &[] } else { self.fields.get(field).map_or(&[], Vec::as_slice) }
    }

    /// The needles that are compared with whole fields.
    pub(crate) fn short(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.keys().map(Vec::as_slice)
    }
}

fn add(number: u32, datum: &Datum, lanes: &mut Lanes, sources: &mut Vec<digest::Source>) {
    let spellings = spelling::spellings(datum);
    for (form, bytes) in spelling::digested(&spellings) {
        sources.push(digest::Source { datum: number, form, bytes: Secret::new(bytes) });
    }
    for spelling in spellings {
        place(number, spelling, datum.bits, lanes);
    }
}

fn place(datum: u32, spelling: Spelling, minted: Option<u32>, lanes: &mut Lanes) {
    let bits = spelling.bits(minted);
    let What::Text(bytes) = spelling.what else { return };
    let (form, strength) = (spelling.form, spelling.strength);
    let needle = Needle { datum, form, strength, bits, bytes: bytes.clone() };
    if bytes.len() >= SHORTEST {
        let (any_case, bounded) = (spelling.any_case, spelling.bounded);
        lanes.text.push((needle, Pattern { bytes, any_case, bounded }));
    } else if strength == Strength::Exact {
        lanes.fields.push((needle, spelling.any_case));
    }
}

/// A value and its base64 at each of the three alignments, in lower case.
fn folded(value: &[u8]) -> Vec<Vec<u8>> {
    let aligned = [0, 2, 3].into_iter().enumerate().map(|(shift, start)| {
        let text = base64::wrap(&[&[0; 2][..shift], value].concat(), false, true);
        let end = (value.len() + shift) * 8 / 6;
        text.get(start..end).unwrap_or_default().to_ascii_lowercase()
    });
    let aligned = aligned.chain([value.to_ascii_lowercase()]);
    aligned.filter(|text| text.len() >= SHORTEST).collect()
}

fn variants(bytes: &[u8], any_case: bool) -> Vec<Vec<u8>> {
    let mut all = vec![bytes.to_vec()];
    if any_case {
        all.extend([bytes.to_ascii_lowercase(), bytes.to_ascii_uppercase()]);
        all.sort();
        all.dedup();
    }
    all
}

/// The ciphers, and which keys are none.
fn keyed(material: &KeyMaterial) -> (Vec<Keyed>, Vec<String>) {
    let (keyed, unusable) = cipher::keyed(&material.ciphers);
    let warning = |name: &String| format!("the key {name} is no RSA private key in PEM that can be read");
    (keyed, unusable.iter().map(warning).collect())
}

fn warning(datum: &Datum) -> Option<String> {
    match datum.value.len() {
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
        let needles = Needles::new(&subject, &KeyMaterial::default());
        assert_eq!(needles.of_field(b"4821").len(), 1);
        assert!(needles.of_field(b"48210").is_empty() && needles.of_field(b"").is_empty());
        assert_eq!(needles.warnings.len(), 2);
        assert!(needles.warnings.iter().all(|text| !text.contains("4821")));
    }
}
