//! Following trails from the bytes of a part to the value, and the value's place back to the part.

use super::undo::{Fields, Undone, of_alphabet, undo};
use super::{Prefix, Proof, StepView, reencode, value};
use crate::codec::Typed;
use crate::codec::cipher::Keyed;
use crate::find::to_case;
use crate::needles::Needles;
use dyetrace_case::{Secret, Sighting, Step, Strength};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// Undone bytes that are remembered for other trails through them.
const MOST_REMEMBERED: usize = 64 << 20;

/// Follows trails through one part.
pub(super) struct Follower<'a> {
    needles: &'a Needles,
    keyed: Vec<&'a Keyed>,
    room: usize,
    /// Where the part's bytes at hand begin in it.
    offset: u64,
    /// Places of any step of any trail: only fields that lie there are decoded.
    places: HashSet<(usize, usize)>,
    fields: HashMap<u64, Rc<Fields>>,
    undone: HashMap<(u64, Step), Vec<(u64, Undone)>>,
    remembered: usize,
    numbers: u64,
}

/// The bytes at hand and their number; the part's is 0.
#[derive(Clone)]
struct Node {
    number: u64,
    bytes: Arc<Vec<u8>>,
    typed: Typed,
}

/// A trail on the way.
struct Way<'s> {
    sighting: &'s Sighting,
    steps: &'s [Step],
    undone: Vec<Undone>,
    /// The most steps that were undone on any way.
    deepest: Vec<Undone>,
    /// The spelling that came out or was digested.
    spelling: Option<Secret>,
}

impl<'a> Follower<'a> {
    /// For the sightings in one part, or in a piece of it that begins at `offset`.
    pub(super) fn new<'s>(
        needles: &'a Needles,
        sessions: &'a [Keyed],
        room: usize,
        sightings: impl Iterator<Item = &'s Sighting>,
        offset: u64,
    ) -> Self {
        let mut places = HashSet::new();
        for step in sightings.flat_map(|sighting| &sighting.trail.0) {
            // The outermost ones count from the part's start, the others from that of undone bytes.
            places.extend([0, offset].into_iter().filter_map(|offset| moved(step, offset)));
        }
        let keyed = needles.keyed.iter().chain(sessions).collect();
        let (fields, undone) = (HashMap::new(), HashMap::new());
        Self { needles, keyed, room, offset, places, fields, undone, remembered: 0, numbers: 0 }
    }

    /// Follows one trail. `part` are the bytes behind the steps that the reader undid.
    pub(super) fn prove(&mut self, sighting: &Sighting, part: &Arc<Vec<u8>>, read: &Prefix) -> Proof {
        let steps = sighting.trail.0.get(read.steps.len()..).unwrap_or_default();
        let steps: Vec<Step> = steps.iter().enumerate().map(|(at, step)| self.in_piece(at, step)).collect();
        let ends_in_digest = sighting.strength == Strength::Digest;
        let to_undo = steps.len() - usize::from(ends_in_digest && !steps.is_empty());
        let mut way =
            Way { sighting, steps: &steps[..to_undo], undone: Vec::new(), deepest: Vec::new(), spelling: None };
        let root = Node { number: 0, bytes: part.clone(), typed: Typed::Bytes };
        let found = self.follow(&root, &mut way);
        let fault = match (found, to_undo.checked_sub(way.deepest.len())) {
            (true, _) => None,
            (false, Some(1..)) => {
                let step = &steps[way.deepest.len()];
                Some(format!(
                    "step {} ({}) could not be undone again",
                    read.steps.len() + way.deepest.len() + 1,
                    step.codec
                ))
            }
            (false, _) => Some("the innermost bytes are not what the sighting names".to_owned()),
        };
        let undone = if found { way.undone } else { way.deepest };
        let proof = self.proof(sighting, part, read, &steps, &undone, fault);
        Proof { spelling: way.spelling, ..proof }
    }

    /// The outermost step counts from the start of the piece.
    fn in_piece(&self, at: usize, step: &Step) -> Step {
        let mut step = step.clone();
        if at == 0 {
            step.encoded.start = step.encoded.start.saturating_sub(self.offset);
            step.encoded.end = step.encoded.end.saturating_sub(self.offset);
        }
        step
    }

    /// Depth first: codecs that share a name are tried one after the other.
    fn follow(&mut self, node: &Node, way: &mut Way<'_>) -> bool {
        if way.undone.len() > way.deepest.len() || way.deepest.is_empty() {
            way.deepest.clone_from(&way.undone);
        }
        let Some(step) = way.steps.get(way.undone.len()) else { return self.arrived(node, way) };
        for (number, undone) in self.undo(node, step) {
            let next = Node { number, bytes: undone.bytes.clone(), typed: undone.typed };
            way.undone.push(undone);
            if self.follow(&next, way) {
                return true;
            }
            way.undone.pop();
        }
        false
    }

    fn arrived(&self, node: &Node, way: &mut Way<'_>) -> bool {
        let at_part = way.steps.is_empty();
        let decoded = self.value_range(way.sighting, at_part);
        let Some(bytes) = node.bytes.get(decoded) else { return false };
        let agreement = value::agreement(self.needles, way.sighting, bytes, node.typed);
        let found = agreement.is_some();
        way.spelling = agreement.and_then(|agreement| agreement.spelling);
        found
    }

    fn value_range(&self, sighting: &Sighting, at_part: bool) -> Range<usize> {
        let offset = if at_part { self.offset } else { 0 };
        let decoded = sighting.place.decoded;
        small(decoded.start.saturating_sub(offset))..small(decoded.end.saturating_sub(offset))
    }

    fn undo(&mut self, node: &Node, step: &Step) -> Vec<(u64, Undone)> {
        let key = (node.number, step.clone());
        if let Some(known) = self.undone.get(&key) {
            return known.clone();
        }
        let span = small(step.encoded.start)..small(step.encoded.end);
        let mut all = undo(&node.bytes, step, &span, &self.keyed, self.room);
        all.extend(of_alphabet(&node.bytes, step, &span, &self.needles.alphabets));
        if all.is_empty() {
            let places = &self.places;
            let read = || Rc::new(Fields::read(&node.bytes, places));
            all = self.fields.entry(node.number).or_insert_with(read).of(step, &span);
        }
        if all.is_empty() {
            all = self.told(&node.bytes, step);
        }
        let numbers = self.numbers + 1..;
        self.numbers += all.len() as u64;
        self.remembered += all.iter().map(|undone| undone.bytes.len()).sum::<usize>();
        let all: Vec<(u64, Undone)> = numbers.zip(all).collect();
        if self.remembered > MOST_REMEMBERED {
            self.undone.clear();
            self.fields.clear();
            self.remembered = 0;
        }
        self.undone.insert(key, all.clone());
        all
    }

    /// What files in the bytes tell.
    fn told(&self, bytes: &[u8], step: &Step) -> Vec<Undone> {
        let read = self.needles.beside.as_ref().map(|beside| beside.read(bytes)).unwrap_or_default();
        let readings = read.told.iter().flat_map(|told| &told.readings).filter(|reading| reading.is(step));
        let ways = readings.flat_map(|reading| reading.ways.iter().map(move |way| (reading, way.reveal())));
        ways.map(|(reading, way)| Undone::new(way.to_vec(), reading.map(bytes, way))).collect()
    }

    /// The views of the steps, with the value's place in each, which must lead back to the place of
    /// the sighting.
    fn proof(
        &self,
        sighting: &Sighting,
        part: &Arc<Vec<u8>>,
        read: &Prefix,
        steps: &[Step],
        undone: &[Undone],
        fault: Option<String>,
    ) -> Proof {
        let mut range = self.value_range(sighting, undone.is_empty());
        let mut views: Vec<StepView> = Vec::new();
        for (step, undone) in steps.iter().zip(undone).rev() {
            views.push(StepView {
                codec: step.codec.clone(),
                detail: step.detail.clone(),
                encoded: step.encoded,
                decoded: undone.bytes.clone(),
                value: to_case(&range),
                reencodes: super::Reencodes::Differs,
                is_read: false,
            });
            range = undone.map.outer(&range);
        }
        views.reverse();
        compare_encodings(part, &mut views);
        let inner = to_case(&range);
        let (place, offset) = (sighting.place.range, self.offset);
        let agrees = match read.steps.first() {
            Some(first) => place == first.encoded,
            None => place.start == inner.start + offset && place.end == inner.end + offset,
        };
        let misplaced = || (!agrees).then(|| "the place is not where the value came from".to_owned());
        let fault = fault.or_else(misplaced);
        let (mut value, mut bytes) = (inner, part.clone());
        if let Some(sent) = &read.sent {
            (value, bytes) = (dyetrace_case::Range::new(0, sent.len() as u64), sent.clone());
        }
        let mut all = read.steps.clone();
        if let Some(last) = all.last_mut() {
            last.value = inner;
        }
        all.extend(views);
        Proof { steps: all, fault, part: bytes, offset, value, spelling: None }
    }
}

fn compare_encodings(part: &Arc<Vec<u8>>, views: &mut [StepView]) {
    let mut outer = part.clone();
    for view in views {
        let span = small(view.encoded.start)..small(view.encoded.end);
        let value = small(view.value.start)..small(view.value.end);
        if let Some(encoded) = outer.get(span) {
            view.reencodes = reencode::reencodes(&view.codec, encoded, &view.decoded, &value);
        }
        outer = view.decoded.clone();
    }
}

fn moved(step: &Step, offset: u64) -> Option<(usize, usize)> {
    Some((small(step.encoded.start.checked_sub(offset)?), small(step.encoded.end.checked_sub(offset)?)))
}

/// An offset in bytes that are in memory; too large for any where it is none.
fn small(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
