//! Planted files, and how the search finds them: as they are, in pieces, under a key, as pictures that show them, by the
//! names that caches give to their copies, and by their digests.

use crate::onlooker::{Models, Onlooker};
use dyetrace_case::{Datum, DatumId, KeyMaterial, Strength, Subject};
use dyetrace_pictures::{Finder, Likeness, Match, Piece, SHORTEST, Sight, What};
use dyetrace_search::{LookedBeside, Named, Options, Scanner, SeenBeside};
use dyetrace_stores::cache_names::{self, CacheName};
use md5::Digest as _;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Longest text that may be the name of a file.
const LONGEST_NAME: usize = 255;
/// Bits of a find that is exact; more bytes say no more.
const CERTAIN: f64 = 256.0;
/// Bits of a picture that was told by its looks: those of the hash or the corners that led to it, and of each tile with
/// contents that agrees. Neighbouring tiles depend on one another, so each counts as less than one bit.
const LOOKS: f64 = 13.0;
const TILE: f64 = 0.4;
const MOST_OF_LOOKS: f64 = 120.0;
/// Bits of what the pictures of one template share: never enough to stand alone.
const TEMPLATE: f64 = 10.0;

/// The planted files of a subject.
pub(crate) struct Originals {
    finder: Finder,
    ids: Vec<DatumId>,
    /// File names of caches, and what would be called so: libraries share schemes.
    names: HashMap<String, Vec<(u32, CacheName)>>,
}

impl Originals {
    /// Absent where no file was planted.
    pub(crate) fn of(subject: &Subject) -> Option<Arc<Self>> {
        let (mut finder, mut ids) = (Finder::new(), Vec::new());
        let mut names: HashMap<String, Vec<(u32, CacheName)>> = HashMap::new();
        for datum in &subject.data {
            let Some((file, content)) = datum.file.as_ref().and_then(|file| Some((file, file.content.as_ref()?)))
            else {
                continue;
            };
            let number = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            finder.add(number, content.reveal().into());
            ids.push(datum.id.clone());
            for source in file.stored_as.iter().flat_map(|path| cache_names::sources(path)) {
                for name in cache_names::names(&source) {
                    let known = names.entry(name.name.clone()).or_default();
                    if !known.contains(&(number, name.clone())) {
                        known.push((number, name));
                    }
                }
            }
        }
        (!ids.is_empty()).then(|| Arc::new(Self { finder, ids, names }))
    }

    fn id(&self, number: u32) -> DatumId {
        self.ids.get(number as usize).cloned().unwrap_or_else(|| DatumId(String::new()))
    }

    /// The last part of a path, where caches would call a copy so: once for each planted file of that name.
    fn named(&self, path: &[u8]) -> Vec<SeenBeside> {
        let Ok(text) = std::str::from_utf8(path) else { return Vec::new() };
        let start = text.rfind(['/', '\\']).map_or(0, |at| at + 1);
        let file = text.get(start..).unwrap_or_default();
        // The longest name says most: one with an extension is not also one without.
        let stems = file.rmatch_indices('.').filter_map(|(at, _)| file.get(..at));
        let known = std::iter::once(file).chain(stems).find_map(|name| {
            let known = self.names.get(name)?.iter().filter(|(_, known)| known.is_of(file));
            let by_number = known.map(|(number, name)| (*number, name)).collect::<Vec<_>>();
            (!by_number.is_empty()).then_some((name.len(), by_number))
        });
        let Some((length, known)) = known else { return Vec::new() };
        let seen = |group: &[(u32, &CacheName)]| {
            let number = group.first()?.0;
            let bits = group.iter().map(|(_, name)| name.scheme.bits()).min()?;
            Some(SeenBeside {
                datum: self.id(number),
                range: start..start + length,
                form: format!("the name that {} gives to a copy of it", any_of(group)),
                strength: Strength::Derived,
                bits: f64::from(bits) - (self.names.len() as f64).log2(),
            })
        };
        known.chunk_by(|one, other| one.0 == other.0).filter_map(seen).collect()
    }
}

/// Which libraries give that name.
fn any_of(known: &[(u32, &CacheName)]) -> String {
    let schemes: Vec<String> = known.iter().map(|(_, name)| name.scheme.to_string()).collect();
    schemes.join(", or ")
}

impl Originals {
    /// Everything of the planted files that is in the bytes.
    pub(crate) fn look(&self, bytes: &[u8]) -> LookedBeside {
        if bytes.len() < SHORTEST {
            let seen = if bytes.len() <= LONGEST_NAME { self.named(bytes) } else { Vec::new() };
            return LookedBeside { seen, ..LookedBeside::default() };
        }
        let seen = |sight: Sight| {
            let (form, strength, bits) = in_words(&sight);
            SeenBeside { datum: self.id(sight.original), range: sight.range, form, strength, bits }
        };
        let found = self.finder.find(bytes);
        LookedBeside { seen: found.sights.into_iter().map(seen).collect(), work: found.work, is_cut: found.is_cut }
    }
}

fn in_words(sight: &Sight) -> (String, Strength, f64) {
    let (form, strength, bits) = match &sight.what {
        What::File => ("the file itself".to_owned(), Strength::Exact, CERTAIN),
        What::Pixels => ("all its pixels, with another head".to_owned(), Strength::Exact, CERTAIN),
        What::Piece(piece) => in_part(*piece),
        What::Beginning => {
            ("its beginning, which pictures of one template share".to_owned(), Strength::Derived, TEMPLATE)
        }
        What::Picture(found) if found.likeness == Likeness::Same => (look(found), Strength::Exact, bits_of(found)),
        What::Picture(_) => {
            ("a picture of the same template: it cannot be told".to_owned(), Strength::Derived, TEMPLATE)
        }
    };
    match sight.key {
        0 => (form, strength, bits),
        1 => (format!("{form}, XORed with one byte"), strength, bits),
        length => (format!("{form}, XORed with {length} repeating bytes"), strength, bits),
    }
}

fn in_part(piece: Piece) -> (String, Strength, f64) {
    let Piece { bytes, of, .. } = piece;
    match (piece.are_pixels, piece.are_its_own) {
        (true, true) => (format!("a piece: {bytes} of {of} bytes of its pixels"), Strength::Exact, CERTAIN),
        (true, false) => {
            let form =
                format!("a piece: {bytes} of {of} bytes of its pixels, which pictures of one template may share");
            (form, Strength::Derived, TEMPLATE)
        }
        (false, true) => (format!("a piece: {bytes} of its {of} bytes"), Strength::Exact, CERTAIN),
        (false, false) => {
            let form = format!("a piece: {bytes} of its {of} bytes, which may be a font or a profile of others too");
            (form, Strength::Derived, TEMPLATE)
        }
    }
}

fn look(found: &Match) -> String {
    let view = &found.view;
    let mut form = "the same picture, encoded again".to_owned();
    if view.mirrored {
        form.push_str(", mirrored");
    }
    if view.degrees.abs() >= 0.5 {
        let _ = write!(form, ", turned by {:.0}°", view.degrees);
    }
    if view.shown < 0.93 {
        let _ = write!(form, ", {:.0} % of it", view.shown * 100.0);
    }
    if view.filled < 0.85 {
        let _ = write!(form, ", on {:.0} % of another", view.filled * 100.0);
    }
    form
}

fn bits_of(found: &Match) -> f64 {
    let agreeing = f64::from(found.tiles) * (1.0 - f64::from(found.bad_tiles));
    (LOOKS + TILE * agreeing).min(MOST_OF_LOOKS)
}

/// A scanner for planted values and files, and for what picture files tell.
pub(crate) fn scanner(
    subject: &Subject,
    originals: Option<&Arc<Originals>>,
    material: &KeyMaterial,
    options: Options,
) -> Scanner {
    looking_scanner(subject, originals, material, options, Models::default())
}

/// The same, and pictures are looked at with models.
pub(crate) fn looking_scanner(
    subject: &Subject,
    originals: Option<&Arc<Originals>>,
    material: &KeyMaterial,
    options: Options,
    models: Models,
) -> Scanner {
    let named: Vec<Named> = subject.data.iter().flat_map(digests).collect();
    let onlooker = Onlooker::new(subject, originals.cloned(), models);
    Scanner::with_named(subject, material, &named, options).beside(Arc::new(onlooker))
}

/// What stands for a file where somebody keeps a list of known ones.
fn digests(datum: &Datum) -> Vec<Named> {
    let Some(content) = datum.file.as_ref().and_then(|file| file.content.as_ref()) else { return Vec::new() };
    let bytes = content.reveal();
    let digests = [
        ("MD5 of the file", md5::Md5::digest(bytes).to_vec()),
        ("SHA-1 of the file", sha1::Sha1::digest(bytes).to_vec()),
        ("SHA-256 of the file", sha2::Sha256::digest(bytes).to_vec()),
    ];
    let named = |(form, bytes): (&str, Vec<u8>)| Named {
        datum: datum.id.clone(),
        form: form.to_owned(),
        bits: (bytes.len() * 8) as f64,
        bytes,
    };
    digests.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &str = "https://shop.example/a.jpg";

    fn originals() -> Originals {
        let mut names: HashMap<String, Vec<(u32, CacheName)>> = HashMap::new();
        for name in cache_names::names(PICTURE) {
            names.entry(name.name.clone()).or_default().push((0, name));
        }
        Originals { finder: Finder::new(), ids: vec![DatumId("photo".to_owned())], names }
    }

    fn forms(file: &str) -> Vec<String> {
        originals().named(file.as_bytes()).into_iter().map(|seen| seen.form).collect()
    }

    #[test]
    fn a_name_that_libraries_share_names_them_all() {
        let sha256 = "d5391c65ed48988d9f52d12941cf4a5f12ea00d90fd28f6d641d3102cc7daded.0";
        let [form] = forms(sha256).try_into().expect("one sighting");
        assert!(form.contains("Glide") && form.contains("Coil") && form.contains("Kingfisher"), "{form}");
        let [form] = forms("73a81b663d75dd863dcb81fd36fb365a").try_into().expect("one sighting");
        assert!(form.contains("OkHttp") && form.contains("Kingfisher"), "{form}");
    }

    #[test]
    fn a_suffix_is_one_that_caches_put_there() {
        let md5 = "cache/73a81b663d75dd863dcb81fd36fb365a";
        assert_eq!(forms(&format!("{md5}.0")).len(), 1);
        assert_eq!(forms(&format!("{md5}.some-other-thing")), Vec::<String>::new());
        let seen = originals().named(format!("{md5}.jpg").as_bytes());
        assert!(seen.iter().all(|seen| seen.form.contains("SDWebImage") && seen.range.end == md5.len() + 4));
        assert_eq!(forms("-1388711930.jpg"), Vec::<String>::new(), "Universal Image Loader puts none there");
    }
}
