//! The digest lane: digests of every spelling, looked up by their first eight bytes.
//!
//! Long digests (128 bits and more) are looked for wherever decoded bytes begin; chance never meets
//! them. Checksums of 32 and 64 bits are compared with whole fields only, and count for few bits.
//! The tables hold keys and numbers alone: a number says which recipe was followed from which
//! spelling, and every match is proved by following it again.

pub(crate) mod algorithm;
mod checksum;
mod field;
mod material;
mod recipe;
mod table;

pub(crate) use material::Material;

use crate::bits;
use crate::codec::Typed;
use crate::sampled::{self, STRIDE};
use algorithm::{MD5, Output, SHA1, SHA256};
use dyetrace_case::Secret;
use field::Number;
use recipe::{Prepared, Recipe};
use table::{Filter, Table};

/// Length in bytes of the shortest cut digest that is looked for.
pub(crate) const SHORTEST: usize = 8;

/// Length in bytes of the shortest digest that is looked for wherever other bytes than text stand.
pub(crate) const LONG: usize = 16;

/// Places that are looked up together.
pub(crate) const MOST_STARTS: usize = 64;

/// Lengths in bytes that digests are cut to or have, ascending.
pub(crate) const LENGTHS: [usize; 9] = [8, 12, 16, 20, 24, 28, 32, 48, 64];

/// Lengths in bytes of fields that may hold a checksum: raw, in hexadecimal or in decimal.
pub(crate) const CHECKSUM_TEXT: std::ops::RangeInclusive<usize> = 4..=20;

/// True where a digest, whole or cut as is usual, may have that many bytes.
pub(crate) fn is_length(bytes: usize) -> bool {
    LENGTHS.contains(&bytes)
}

/// One spelling of which digests are looked for.
pub(crate) struct Source {
    /// Which datum, by position in the subject.
    pub(crate) datum: u32,
    /// The spelling's name: `lower case`.
    pub(crate) form: String,
    /// The spelling itself.
    pub(crate) bytes: Secret,
    /// Only digests that chance meets, those of 32 and 64 bits, are looked for.
    pub(crate) checksums_only: bool,
}

/// A known digest at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// The digest's number.
    pub(crate) number: u32,
    /// Bytes in which they agree.
    pub(crate) length: usize,
    /// False where the digest is cut.
    pub(crate) whole: bool,
}

/// What reports say of a digest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Description {
    /// The step's name in a trail: `sha256`, `hmac-sha256`.
    pub(crate) step: String,
    /// The form: `sha256 of lower case`, `first 8 bytes of md5 of as typed`.
    pub(crate) form: String,
    /// Most bits that so much of the digest can tell.
    pub(crate) digest_bits: f64,
    /// Bits of the spelling that was digested.
    pub(crate) spelling_bits: f64,
}

/// Which part of a digest is looked up.
#[derive(Clone, Copy)]
enum View {
    /// From the start, as far as the bytes at hand go.
    Start,
    /// Bytes 4 to 12 of an MD5, which are the middle 16 of its hexadecimal characters: the "16-bit
    /// MD5" of Chinese software.
    Middle,
    /// The last eight bytes.
    Last,
}

/// Spellings of a datum from which rare recipes are followed too.
const CHIEF_SPELLINGS: usize = 6;
/// Numbers for each recipe, one a view.
const VIEWS: u32 = 3;

/// All digests looked for.
pub(crate) struct Digests {
    sources: Vec<Source>,
    recipes: Vec<Recipe>,
    material: Material,
    /// By the first eight bytes of what is looked up.
    long: Table,
    /// Eight bytes from each of the first [`STRIDE`] bytes of a long digest on.
    sampled: Filter,
    /// Of 64 bits.
    wide: Table,
    /// Of 32 bits.
    narrow: Table,
}

impl Digests {
    /// Follows every recipe from every spelling. The spellings of a datum stand together, the most
    /// likely first: rare recipes are followed only from the first of them.
    pub(crate) fn new(mut sources: Vec<Source>, material: Material) -> Self {
        let recipes = recipe::all(&material);
        // Numbers have 32 bits; a subject would need millions of values to run out of them.
        sources.truncate(u32::MAX as usize / (recipes.len() * VIEWS as usize) - 1);
        let mut entries = Entries::default();
        for (at, source) in sources.iter().enumerate() {
            let prepared = Prepared::new(source.bytes.reveal());
            let rank = sources[..at].iter().rev().take_while(|before| before.datum == source.datum).count();
            let first = at as u32 * recipes.len() as u32 * VIEWS;
            for (recipe, number) in recipes.iter().zip((first..).step_by(VIEWS as usize)) {
                let is_wanted = recipe.outer().is_short() || !source.checksums_only;
                if is_wanted && (rank < CHIEF_SPELLINGS || !recipe.is_rare()) {
                    entries.add(recipe, &recipe.of(&prepared, &material), number);
                }
            }
        }
        let (long, wide, narrow) = (Table::new(&entries.long), Table::new(&entries.wide), Table::new(&entries.narrow));
        let sampled = Filter::new(entries.sampled.into_iter());
        Self { sources, recipes, material, long, sampled, wide, narrow }
    }

    /// Number of digests, cut ones counted too.
    pub(crate) fn len(&self) -> usize {
        self.long.len() + self.wide.len() + self.narrow.len()
    }

    /// Which datum a digest is of, by position in the subject.
    pub(crate) fn datum(&self, number: u32) -> Option<u32> {
        self.parts(number).map(|(source, _, _)| source.datum)
    }

    /// Calls `visit` for each known digest that the bytes begin with: the whole of it, or at least
    /// eight bytes of it where nothing stands behind them.
    #[inline]
    pub(crate) fn at_start(&self, bytes: &[u8], visit: &mut dyn FnMut(Match)) {
        let Some(start) = bytes.first_chunk::<SHORTEST>() else { return };
        let key = u64::from_be_bytes(*start);
        if self.long.may_hold(key) {
            self.agreements(key, bytes, visit);
        }
    }

    /// Calls `visit` with each offset at which [`LONG`] bytes of a digest that is looked for may begin, in order.
    pub(crate) fn starts(&self, bytes: &[u8], mut visit: impl FnMut(usize)) {
        let may_be_known = |eight| self.sampled.may_hold(u64::from_be_bytes(eight));
        sampled::each_place(bytes, may_be_known, |at| {
            if self.is_start(bytes, at) {
                visit(at);
            }
        });
    }

    fn is_start(&self, bytes: &[u8], at: usize) -> bool {
        let long = bytes.get(at..).and_then(<[u8]>::first_chunk::<LONG>);
        let start = long.and_then(|long| long.first_chunk()).map(|start| u64::from_be_bytes(*start));
        start.is_some_and(|start| self.long.may_hold(start) && self.long.find(start).next().is_some())
    }

    /// A bit for each of at most [`MOST_STARTS`] numbers, the first eight bytes of something: whether a digest that is
    /// looked for begins so.
    pub(crate) fn known_starts(&self, starts: &[u64]) -> u64 {
        let mut may = self.long.may_hold_of(starts.get(..MOST_STARTS).unwrap_or(starts));
        let mut known = 0;
        while may != 0 {
            let at = may.trailing_zeros();
            may &= may - 1;
            let is_known = starts.get(at as usize).is_some_and(|start| self.long.find(*start).next().is_some());
            known |= u64::from(is_known) << at;
        }
        known
    }

    /// Calls `visit` with the number of each checksum of 32 or 64 bits that the whole field holds
    /// in hexadecimal, in decimal or as raw bytes.
    pub(crate) fn of_field(&self, field: &[u8], visit: &mut dyn FnMut(u32)) {
        field::readings(field, &mut |number| self.of_number(number, visit));
    }

    /// Calls `visit` with the number of each checksum of 32 or 64 bits that the typed integer of
    /// a binary document equals.
    pub(crate) fn of_integer(&self, value: i128, visit: &mut dyn FnMut(u32)) {
        if let Some(number) = field::of_integer(value) {
            self.of_number(number, visit);
        }
    }

    /// What reports say of `length` bytes of the digest. Of a checksum in a field, give the field's.
    pub(crate) fn description(&self, number: u32, length: usize) -> Option<Description> {
        let (source, recipe, view) = self.parts(number)?;
        let outer = recipe.outer();
        let length = if outer.is_short() { outer.bits / 8 } else { length.min(outer.bits / 8) };
        let part = match view {
            View::Start if length * 8 < outer.bits => format!("first {length} bytes of "),
            View::Start => String::new(),
            View::Middle => format!("middle {length} bytes of "),
            View::Last => format!("last {length} bytes of "),
        };
        let spelling = source.bytes.reveal();
        Some(Description {
            step: recipe.step(),
            form: part + &recipe.form(&source.form, &self.material),
            digest_bits: outer.telling_bits(spelling.len()).min(length as f64 * 8.0),
            spelling_bits: bits::of_value(spelling, None),
        })
    }

    /// The bytes that a match of that number agrees with: the digest, or the part of it that is
    /// looked for. Follows the recipe again, so that a sighting can be proved.
    pub(crate) fn compute(&self, number: u32) -> Option<Vec<u8>> {
        let (source, recipe, view) = self.parts(number)?;
        let output = recipe.of(&Prepared::new(source.bytes.reveal()), &self.material);
        view.of(output.bytes()).map(<[u8]>::to_vec)
    }

    /// True where the bytes, or the typed number they are, agree with the digest as it comes out when
    /// it is computed again.
    pub(crate) fn is(&self, number: u32, bytes: &[u8], typed: Typed) -> bool {
        let Some(known) = self.compute(number) else { return false };
        let is_number = |found: Number| match found {
            Number::Narrow(value) => known == value.to_be_bytes(),
            Number::Wide(value) => known == value.to_be_bytes(),
        };
        let mut same = bytes.len() >= SHORTEST && known.starts_with(bytes);
        field::readings(bytes, &mut |found| same |= is_number(found));
        if let Typed::Integer(value) = typed {
            same |= field::of_integer(value).is_some_and(is_number);
        }
        same
    }

    /// The spelling, where the digest is of nothing else.
    pub(crate) fn spelling(&self, number: u32) -> Option<&Secret> {
        let (source, recipe, _) = self.parts(number)?;
        matches!(recipe, Recipe::Plain(_)).then_some(&source.bytes)
    }

    fn of_number(&self, number: Number, visit: &mut dyn FnMut(u32)) {
        match number {
            Number::Narrow(value) => self.narrow.visit(spread(value.into()), visit),
            Number::Wide(value) => self.wide.visit(spread(value), visit),
        }
    }

    #[inline(never)]
    fn agreements(&self, key: u64, bytes: &[u8], visit: &mut dyn FnMut(Match)) {
        self.long.find(key).filter_map(|number| self.agreement(number, bytes)).for_each(visit);
    }

    fn agreement(&self, number: u32, bytes: &[u8]) -> Option<Match> {
        let (_, _, view) = self.parts(number)?;
        let known = self.compute(number)?;
        let length = known.len().min(bytes.len());
        let whole = length == known.len();
        let agrees = bytes[..length] == known[..length] && (whole || length == bytes.len());
        match view {
            View::Start => agrees.then_some(Match { number, length, whole }),
            View::Middle | View::Last => (bytes == known).then_some(Match { number, length, whole: false }),
        }
    }

    fn parts(&self, number: u32) -> Option<(&Source, &Recipe, View)> {
        let recipes = self.recipes.len() as u32;
        let (recipe, view) = (number / VIEWS % recipes, number % VIEWS);
        let view = [View::Start, View::Middle, View::Last][view as usize];
        Some((self.sources.get((number / VIEWS / recipes) as usize)?, self.recipes.get(recipe as usize)?, view))
    }
}

impl View {
    fn of(self, digest: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Start => Some(digest),
            Self::Middle => digest.get(4..12),
            Self::Last => digest.last_chunk::<8>().map(<[u8; 8]>::as_slice),
        }
    }

    /// Of which digests this part is looked for.
    fn is_used(self, recipe: &Recipe) -> bool {
        let is = |known: &[&algorithm::Algorithm]| known.iter().any(|known| known.name == recipe.outer().name);
        match self {
            Self::Start => true,
            Self::Middle => is(&[&MD5]),
            Self::Last => matches!(recipe, Recipe::Plain(_)) && is(&[&MD5, &SHA1, &SHA256]),
        }
    }
}

/// What goes into the tables.
#[derive(Default)]
struct Entries {
    long: Vec<(u64, u32)>,
    sampled: Vec<u64>,
    wide: Vec<(u64, u32)>,
    narrow: Vec<(u64, u32)>,
}

impl Entries {
    fn add(&mut self, recipe: &Recipe, output: &Output, number: u32) {
        if let Ok(bytes) = <[u8; 4]>::try_from(output.bytes()) {
            self.narrow.push((spread(u32::from_be_bytes(bytes).into()), number));
        } else if let Ok(bytes) = <[u8; 8]>::try_from(output.bytes()) {
            self.wide.push((spread(u64::from_be_bytes(bytes)), number));
        } else {
            let eights = output.bytes().array_windows().take(STRIDE).map(|eight| u64::from_be_bytes(*eight));
            self.sampled.extend(eights);
            for (view, number) in [View::Start, View::Middle, View::Last].into_iter().zip(number..) {
                let start = view.of(output.bytes()).and_then(<[u8]>::first_chunk::<8>);
                if let Some(start) = start.filter(|_| view.is_used(recipe)) {
                    self.long.push((u64::from_be_bytes(*start), number));
                }
            }
        }
    }
}

/// Spreads small numbers over all 64 bits, each to another place: multiplication by an odd number
/// (2^64 over the golden ratio, Knuth, TAOCP 3, section 6.4) can be undone.
fn spread(value: u64) -> u64 {
    value.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests;
