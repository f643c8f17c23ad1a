//! The public face: a scanner made once for a subject, shared by all threads.

use crate::beside::{Beside, Named, ToldAt};
use crate::choose::choose;
use crate::codec::Context;
use crate::codec::cipher::Keyed;
use crate::explore::{Explorer, Node, small};
use crate::find::{Find, Seen};
use crate::keyed::with_sessions;
use crate::memory::Scratch;
use crate::needles::Needles;
use crate::recognise::RecogniseOptions;
use crate::unplanted::{Recognised, yield_to_planted};
use crate::{bits, redact, witness};
use dyetrace_case::{
    Blob, DatumId, KeyMaterial, Kind, Part, PartContent, PartName, Place, Protocol, Range, Record, Sighting, Strength,
    Subject, Trail,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Limits of the work spent on one record.
#[derive(Debug, Clone)]
pub struct Options {
    /// Wrappings undone within one another.
    pub depth: usize,
    /// Bytes searched and decoded for each byte of a record …
    pub work_per_byte: u64,
    /// … and for each record whatever its size.
    pub work_base: u64,
    /// Longest result of undoing one wrapping, in bytes.
    pub longest_unwrapped: usize,
    /// Sightings kept of one record.
    pub sightings: usize,
    /// Size in bytes of the pieces in which spooled bodies are searched.
    pub piece: usize,
    /// Bytes that two neighbouring pieces share.
    pub overlap: usize,
    /// Values of the same format for each planted one that were *not* planted and are searched for
    /// in the same pass.
    pub decoys: u32,
    /// Look also for personal data that nobody planted. The latest year of birth is that of the
    /// record where it has a time.
    pub recognise: Option<RecogniseOptions>,
    /// Bytes of parts in which nothing was seen that a [`Scratch`] remembers, so that they are not searched again. It
    /// takes up to three times as many.
    pub remembered: usize,
}

impl Default for Options {
    /// Depth 8; 16 bytes of work a byte and 1 MiB; 64 MiB unwrapped at once; 4,096 sightings;
    /// pieces of 8 MiB that share 64 KiB; one decoy for each value; nothing else is recognised; 2 MiB are remembered.
    fn default() -> Self {
        Self {
            depth: 8,
            work_per_byte: 16,
            work_base: 1 << 20,
            longest_unwrapped: 64 << 20,
            sightings: 4096,
            piece: 8 << 20,
            overlap: 64 << 10,
            decoys: 1,
            recognise: None,
            remembered: 2 << 20,
        }
    }
}

/// A limit that was reached: something may have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// There were more wrappings within one another than [`Options::depth`].
    Depth,
    /// The work budget was spent before everything was undone.
    Work,
    /// There were more sightings than [`Options::sightings`].
    Sightings,
    /// A spooled body was searched in pieces: what is wrapped across a border is not undone, and
    /// fields are named only within the first piece.
    Pieces,
    /// A spooled body could not be read back.
    Unreadable,
    /// There were more files in one body than are asked what they tell.
    Files,
}

impl Limit {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Work => "work",
            Self::Sightings => "sightings",
            Self::Pieces => "pieces",
            Self::Unreadable => "unreadable",
            Self::Files => "files",
        }
    }
}

/// What the search of one record gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Sightings, by part and then by offset.
    pub sightings: Vec<Sighting>,
    /// Limits that were reached, each once, in order.
    pub limits_reached: Vec<Limit>,
    /// What was seen of values that were not planted.
    pub decoys: Decoys,
    /// Personal data that nobody planted, where it was looked for; as many as sightings are kept.
    pub unplanted: Vec<Recognised>,
    /// Files that tell more than their bytes say, by part and then by offset; those inside such a file are not among
    /// them.
    pub told: Vec<ToldAt>,
}

impl Outcome {
    /// The same outcome of another record with the same parts.
    #[must_use]
    pub fn of(&self, record: &Record) -> Self {
        let mut outcome = self.clone();
        let sightings = outcome.sightings.iter_mut().map(|sighting| &mut sighting.place);
        let unplanted = outcome.unplanted.iter_mut().map(|found| &mut found.place);
        let told = outcome.told.iter_mut().map(|found| &mut found.place);
        for place in sightings.chain(unplanted).chain(told) {
            (place.exhibit, place.record) = (record.exhibit, record.id.clone());
        }
        outcome
    }
}

/// How often decoys were seen: by strength, first those that would have counted as sightings, then
/// those that would have been hints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoys(pub BTreeMap<Strength, (u64, u64)>);

impl Decoys {
    /// Adds the counts of another record.
    pub fn add(&mut self, other: &Self) {
        for (strength, (sightings, hints)) in &other.0 {
            let counts = self.0.entry(*strength).or_default();
            *counts = (counts.0 + sightings, counts.1 + hints);
        }
    }
}

/// Decoys of one record that are looked at: more would be a needle that is no value at all.
const MOST_DECOYS: usize = 64;

/// Searches records for the planted values of one subject.
pub struct Scanner {
    pub(crate) needles: Needles,
    kinds: HashMap<DatumId, Kind>,
    pub(crate) options: Options,
}

impl Scanner {
    /// With someone who looks for planted files.
    #[must_use]
    pub fn beside(mut self, beside: Arc<dyn Beside>) -> Self {
        self.needles.beside = Some(beside);
        self
    }

    /// Builds the needles of all planted values.
    pub fn new(subject: &Subject, options: Options) -> Self {
        Self::with_key_material(subject, &KeyMaterial::default(), options)
    }

    /// The same with what is known of the app's own wrapping.
    pub fn with_key_material(subject: &Subject, material: &KeyMaterial, options: Options) -> Self {
        Self::with_named(subject, material, &[], options)
    }

    /// The same with further texts that stand for planted values.
    pub fn with_named(subject: &Subject, material: &KeyMaterial, named: &[Named], options: Options) -> Self {
        let needles = Needles::new(subject, material, named, options.decoys);
        let kinds = needles.data.iter().map(|sought| (sought.id.clone(), sought.kind.clone())).collect();
        Self { needles, kinds, options }
    }

    /// Number of spellings and digests looked for.
    pub fn needle_count(&self) -> usize {
        self.needles.all.len() + self.needles.digests.len()
    }

    /// Number of decoys looked for: values of the planted ones' formats that were not planted.
    pub fn decoy_count(&self) -> usize {
        self.needles.data.iter().filter(|sought| sought.is_decoy).count()
    }

    /// What the tester should know about the planted values: which are too short to be told from
    /// chance. Names data, never values.
    pub fn warnings(&self) -> &[String] {
        &self.needles.warnings
    }

    /// The text with `****` in place of everything in which a planted value is seen: in any
    /// spelling, wrapping or digest. Short values are hidden wherever they stand between
    /// characters that are neither letters nor digits.
    pub fn redact(&self, text: &str) -> String {
        redact::redact(&self.needles, &self.options, text)
    }

    /// The ranges of the bytes in which a planted value is seen, as [`Scanner::redact`] hides them, in
    /// any order; `None` where a limit was reached, so that there may be more.
    pub fn hidden(&self, bytes: &[u8]) -> Option<Vec<std::ops::Range<usize>>> {
        redact::hidden(&self.needles, &self.options, bytes)
    }

    /// Everything seen in the record. The same record gives the same outcome whatever was
    /// searched before with the same scratch.
    pub fn search(&self, record: &Record, scratch: &mut Scratch) -> Outcome {
        // What is recognised by its name is told by those of stored values too.
        let is_named = record.protocol != Protocol::File || self.options.recognise.is_some();
        let parts = if is_named { record.parts() } else { record.parts_without_names() };
        let bytes = parts.iter().map(|part| length(&part.content)).sum();
        let mut explorer = Explorer::new(&self.needles, &self.options, bytes);
        explorer.recognise_as_of(record.time);
        let mut seen = self.search_parts(record, &parts, &mut explorer, scratch);
        let sessions = with_sessions(&explorer.sessions);
        if !sessions.is_empty() {
            // Which part holds the key and which what it opens is not known before.
            explorer = Explorer::new(&self.needles, &self.options, bytes);
            explorer.session_ciphers = &sessions;
            explorer.recognise_as_of(record.time);
            seen = self.search_parts(record, &parts, &mut explorer, &mut Scratch::default());
        }
        let named = if is_named || seen.is_empty() { Vec::new() } else { record.parts() };
        for (number, part, _) in &mut seen {
            *part = named.get(*number).unwrap_or(*part);
        }
        let seen = seen.into_iter().map(|(_, part, find)| (part, find));
        let (told, seen): (Vec<_>, Vec<_>) = seen.partition(|(_, find)| matches!(find.seen, Seen::Told(_)));
        let told = told_at(record, told, &explorer);
        let (recognised, mut seen): (Vec<_>, Vec<_>) =
            seen.into_iter().partition(|(_, find)| matches!(find.seen, Seen::Recognised(_)));
        let unplanted = recognised.into_iter().filter_map(|(part, find)| recognition(record, part, &find, &explorer));
        let unplanted = unplanted.collect();
        if seen.len() > self.options.sightings {
            explorer.limits.insert(Limit::Sightings);
            seen.truncate(self.options.sightings);
        }
        let (decoys, seen): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(_, find)| self.is_decoy(find));
        let sighting = |(part, find)| self.sighting(record, part, &find, &explorer);
        let mut sightings: Vec<Sighting> = seen.into_iter().filter_map(sighting).collect();
        let decoys: Vec<Sighting> = decoys.into_iter().take(MOST_DECOYS).filter_map(sighting).collect();
        // Pieces of a spooled body share bytes, and what is wrapped there is seen twice.
        sightings.dedup_by(|a, b| a.datum == b.datum && a.place == b.place && a.trail == b.trail);
        witness::call(&mut sightings, &self.kinds);
        let decoys = self.decoys(decoys, &sightings);
        Outcome { sightings, limits_reached: explorer.limits.into_iter().collect(), decoys, unplanted, told }
    }

    fn is_decoy(&self, find: &Find) -> bool {
        self.needles.data.get(find.datum as usize).is_some_and(|sought| sought.is_decoy)
    }

    /// Judges each decoy as if it had been planted, beside what was.
    fn decoys(&self, seen: Vec<Sighting>, planted: &[Sighting]) -> Decoys {
        let mut decoys = Decoys::default();
        for decoy in seen {
            let strength = decoy.strength;
            let mut judged = [planted, &[decoy]].concat();
            witness::call(&mut judged, &self.kinds);
            let counts = decoys.0.entry(strength).or_default();
            match judged.last() {
                Some(decoy) if !decoy.is_hint() => counts.0 += 1,
                _ => counts.1 += 1,
            }
        }
        decoys
    }

    pub(crate) fn search_parts<'p, 'r>(
        &self,
        record: &Record,
        parts: &'p [Part<'r>],
        explorer: &mut Explorer<'_>,
        scratch: &mut Scratch,
    ) -> Vec<(usize, &'p Part<'r>, Find)> {
        let mut seen = Vec::new();
        explorer.spare = std::mem::take(&mut scratch.spare);
        let calm = explorer.calm(parts);
        for (number, part) in parts.iter().enumerate().filter(|(number, _)| !calm[*number]) {
            let root = explorer.number();
            let node = node(&part.name, record.protocol);
            let mut finds = Vec::new();
            if let (PartName::Header { name, .. } | PartName::Stored { name, .. }, PartContent::Bytes(value)) =
                (&part.name, part.content)
            {
                explorer.recognise_named(name, value, &mut finds);
            }
            finds.append(&mut self.search_part(part, node, explorer, scratch));
            let (told, finds) = finds.into_iter().partition(|find| matches!(find.seen, Seen::Told(_)));
            let mut finds = choose(finds, root);
            yield_to_planted(&mut finds, root, |find| !self.is_decoy(find));
            seen.extend(finds.into_iter().chain(choose(told, root)).map(|find| (number, part, find)));
        }
        scratch.spare = small(std::mem::take(&mut explorer.spare));
        seen
    }

    fn search_part(
        &self,
        part: &Part<'_>,
        node: Node,
        explorer: &mut Explorer<'_>,
        scratch: &mut Scratch,
    ) -> Vec<Find> {
        match part.content {
            PartContent::Bytes(bytes) => search_bytes(bytes, node, explorer, scratch),
            PartContent::Blob(blob) => match blob.as_slice() {
                Some(bytes) => search_bytes(bytes, node, explorer, scratch),
                None => self.search_spooled(blob, node, explorer),
            },
        }
    }

    fn search_spooled(&self, blob: &Blob, node: Node, explorer: &mut Explorer<'_>) -> Vec<Find> {
        let mut finds = Vec::new();
        let read = blob.windows(self.options.piece, self.options.overlap, |offset, piece| {
            let node = if offset == 0 { node } else { Node { context: Context::Any, is_field: false, ..node } };
            for mut find in explorer.explore(piece, node) {
                find.moved_by(offset);
                finds.push(find);
            }
        });
        if blob.len() > self.options.piece as u64 {
            explorer.limits.insert(Limit::Pieces);
        }
        if read.is_err() {
            explorer.limits.insert(Limit::Unreadable);
        }
        finds
    }

    fn sighting(&self, record: &Record, part: &Part<'_>, find: &Find, explorer: &Explorer<'_>) -> Option<Sighting> {
        let (form, strength, bits) = self.describe(find, explorer)?;
        let datum = self.needles.data.get(find.datum as usize)?.id.clone();
        let (place, trail) = place(record, part, find);
        Some(Sighting { datum, place, trail, strength, form, bits, witness: None })
    }

    /// Form, strength and bits of a find.
    fn describe(&self, find: &Find, explorer: &Explorer<'_>) -> Option<(String, Strength, f64)> {
        let tally = explorer.tally;
        let sought = self.needles.data.get(find.datum as usize)?;
        Some(match find.seen {
            Seen::Text(number, recased) => {
                let needle = self.needles.all.get(number as usize)?;
                let form = if recased { format!("{}, other case", needle.form) } else { needle.form.clone() };
                (form, needle.strength, bits::left(needle.bits, tally.work, sought.forms))
            }
            Seen::Field(number) => {
                let needle = self.needles.all.get(number as usize)?;
                (needle.form.clone(), needle.strength, bits::left(needle.bits, tally.fields, sought.forms))
            }
            Seen::Digest(number) => {
                let digests = &self.needles.digests;
                let known = digests.description(number, find.decoded.len())?;
                // Either other bytes agree with one of all the digests looked for, or somebody
                // else's value, digested in the same way, is the same as this one.
                let other_bytes = bits::left(known.digest_bits, tally.lookups, digests.len());
                let same_value = bits::left(known.spelling_bits.min(sought.bits), tally.lookups, 1);
                (known.form, Strength::Digest, other_bytes.min(same_value))
            }
            Seen::Split(number, pieces) => {
                let needle = self.needles.all.get(number as usize)?;
                // Every piece may be any field.
                let places = tally.fields.saturating_pow(pieces);
                (needle.form.clone(), needle.strength, bits::left(needle.bits, places, sought.forms))
            }
            Seen::Beside(number) => {
                let seen = explorer.beside.get(number as usize)?;
                (seen.form.clone(), seen.strength, seen.bits)
            }
            Seen::Recognised(_) | Seen::Told(_) => return None,
        })
    }
}

/// Place and trail of a find.
fn place(record: &Record, part: &Part<'_>, find: &Find) -> (Place, Trail) {
    let mut steps = part.prefix.clone();
    steps.extend(find.steps.iter().rev().cloned());
    let range = part.prefix.first().map_or(crate::find::to_case(&find.range), |outermost| outermost.encoded);
    let place = Place {
        exhibit: record.exhibit,
        record: record.id.clone(),
        part: part.name.clone(),
        range,
        decoded: crate::find::to_case(&find.decoded),
    };
    (place, Trail(steps))
}

fn told_at(record: &Record, told: Vec<(&Part<'_>, Find)>, explorer: &Explorer<'_>) -> Vec<ToldAt> {
    let at = |(part, find): (&Part<'_>, Find)| {
        let Seen::Told(number) = find.seen else { return None };
        let (place, trail) = place(record, part, &find);
        Some(ToldAt { place, trail, told: explorer.told.get(number as usize)?.clone() })
    };
    let mut all: Vec<ToldAt> = told.into_iter().filter_map(at).collect();
    // Pieces of a spooled body share bytes.
    all.dedup_by(|a, b| a.place == b.place && a.trail == b.trail);
    all
}

fn recognition(record: &Record, part: &Part<'_>, find: &Find, explorer: &Explorer<'_>) -> Option<Recognised> {
    let Seen::Recognised(number) = find.seen else { return None };
    let (place, trail) = place(record, part, find);
    Some(explorer.recognitions.get(number as usize)?.at(place, trail))
}

fn search_bytes(bytes: &[u8], node: Node, explorer: &mut Explorer<'_>, scratch: &mut Scratch) -> Vec<Find> {
    // Nothing may be seen in a part, and yet it may hold the key of another.
    if explorer.needles.keyed.iter().any(Keyed::is_rsa) {
        return explorer.explore(bytes, node);
    }
    let remembered = explorer.options.remembered;
    if let Some(spent) = scratch.recall(node, bytes, remembered).filter(|spent| explorer.affords(spent.work)) {
        explorer.tally.work += spent.work;
        explorer.tally.fields += spent.fields;
        explorer.tally.lookups += spent.lookups;
        return Vec::new();
    }
    let (before, limits) = (explorer.tally, std::mem::take(&mut explorer.limits));
    let finds = explorer.explore(bytes, node);
    if finds.is_empty() && explorer.limits.is_empty() {
        scratch.remember(node, bytes, explorer.tally.since(before), remembered);
    }
    explorer.limits.extend::<BTreeSet<Limit>>(limits);
    finds
}

fn length(content: &PartContent<'_>) -> u64 {
    match content {
        PartContent::Bytes(bytes) => bytes.len() as u64,
        PartContent::Blob(blob) => blob.len(),
    }
}

/// How a part is to be read.
fn node(name: &PartName, protocol: Protocol) -> Node {
    let context = match name {
        PartName::Url if !matches!(protocol, Protocol::Dns | Protocol::Mdns) => Context::Url,
        PartName::Header { name, .. } if name == "cookie" || name == "set-cookie" => Context::Cookie,
        _ => Context::Any,
    };
    Node { context, depth: 0, is_field: true }
}

/// A range of a text's bytes, for redaction.
pub(crate) fn text_ranges(needles: &Needles, options: &Options, text: &[u8]) -> Option<Vec<Range>> {
    let mut explorer = Explorer::new(needles, options, text.len() as u64);
    let mut ranges = Vec::new();
    for context in [Context::Any, Context::Url] {
        let finds = explorer.explore(text, Node { context, depth: 0, is_field: true });
        // What is seen of files tells no value.
        let values = finds.iter().filter(|find| !matches!(find.seen, Seen::Beside(_) | Seen::Told(_)));
        ranges.extend(values.map(|find| crate::find::to_case(&find.range)));
    }
    explorer.limits.is_empty().then_some(ranges)
}
