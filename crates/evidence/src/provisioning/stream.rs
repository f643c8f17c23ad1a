//! One sender: keeps what was heard and tries to read it.

use super::votes::overheads;
use super::{Fields, Heard, SCHEMES, airkiss, esptouch, esptouch2, tuya_ez};
use dyetrace_case::Protocol;

/// Lengths that are kept: a minute of the fastest sender. Then the older half is forgotten.
const KEPT: usize = 8192;
/// After so many lengths reading is tried for the first time, and after each doubling again.
const FIRST_TRY: usize = 256;
/// Fewer lengths spell nothing.
const FEWEST: usize = 24;
/// Different readings of one sender that are kept.
const FOUND: usize = 32;

/// What a sender spelt.
pub(super) struct Found {
    pub(super) scheme: Protocol,
    pub(super) fields: Fields,
    /// The first and the last packet in which it was heard.
    pub(super) first: Heard,
    pub(super) last: Heard,
    /// How many packets it was read from.
    pub(super) spelt: u64,
}

/// The lengths of one sender, and what they were found to spell.
pub(super) struct Stream {
    /// In the order in which streams began.
    pub(super) number: u64,
    /// The sender's port.
    pub(super) port: Option<u16>,
    /// Lengths are those of datagrams: nothing was added to them.
    exact: bool,
    lengths: Vec<u16>,
    first: Heard,
    /// Where the newer half of what is kept began.
    middle: Heard,
    last: Heard,
    sequence: Option<u16>,
    next_try: usize,
    /// What the air may add, for each scheme: the guide may have been forgotten when the rest is understood.
    added: [Vec<u16>; 4],
    found: Vec<Found>,
}

impl Stream {
    /// A sender that was heard for the first time.
    pub(super) fn new(number: u64, port: Option<u16>, exact: bool, heard: Heard) -> Self {
        Self {
            number,
            port,
            exact,
            lengths: Vec::new(),
            first: heard,
            middle: heard,
            last: heard,
            sequence: None,
            next_try: FIRST_TRY,
            added: Default::default(),
            found: Vec::new(),
        }
    }

    /// Where it was heard last.
    pub(super) fn last(&self) -> Heard {
        self.last
    }

    /// Listens to one more length. A frame that is sent again, or was recorded twice, keeps its number.
    pub(super) fn hear(&mut self, length: u16, sequence: Option<u16>, heard: Heard) {
        let again = sequence.is_some() && self.sequence == sequence;
        self.sequence = sequence;
        self.last = heard;
        if again {
            return;
        }
        match self.lengths.len() {
            0 => self.first = heard,
            length if length == KEPT / 2 => self.middle = heard,
            _ => {}
        }
        self.lengths.push(length);
        if self.lengths.len() >= self.next_try {
            self.read();
        }
    }

    /// Reads what is left, and gives all that was spelt.
    pub(super) fn finish(&mut self) -> Vec<Found> {
        if self.lengths.len() >= FEWEST {
            self.read();
        }
        std::mem::take(&mut self.found)
    }

    /// Tries to read. What was read is kept and what it was read from forgotten: what follows may spell
    /// something else, such as a password that was mistyped before.
    fn read(&mut self) {
        let read = (0..SCHEMES.len()).find_map(|scheme| self.decode(scheme));
        if let Some((scheme, fields)) = read {
            self.keep(scheme, fields);
            self.lengths.clear();
            self.next_try = FIRST_TRY;
            return;
        }
        if self.lengths.len() >= KEPT {
            self.lengths.drain(..KEPT / 2);
            self.first = self.middle;
        }
        self.next_try = (self.lengths.len() * 2).clamp(FIRST_TRY, KEPT);
    }

    fn decode(&mut self, scheme: usize) -> Option<(Protocol, Fields)> {
        let learned = match (self.exact, SCHEMES[scheme]) {
            (true, _) => vec![0],
            (_, Protocol::EspTouch) => overheads(&self.lengths, esptouch::GUIDE),
            (_, Protocol::EspTouch2) => esptouch2::overheads(&self.lengths),
            (_, Protocol::AirKiss) => overheads(&self.lengths, airkiss::GUIDE),
            _ => overheads(&self.lengths, tuya_ez::GUIDE),
        };
        let added = self.added.get_mut(scheme)?;
        if !learned.is_empty() {
            *added = learned;
        }
        let decode = match SCHEMES[scheme] {
            Protocol::EspTouch => esptouch::decode,
            Protocol::EspTouch2 => esptouch2::decode,
            Protocol::AirKiss => airkiss::decode,
            _ => tuya_ez::decode,
        };
        added.iter().find_map(|added| {
            // What is shorter than what is added is none of the sender's.
            let lengths: Vec<u16> =
                self.lengths.iter().map(|length| length.checked_sub(*added).unwrap_or(u16::MAX)).collect();
            decode(&lengths).map(|fields| (SCHEMES[scheme], fields))
        })
    }

    fn keep(&mut self, scheme: Protocol, fields: Fields) {
        let spelt = self.lengths.len() as u64;
        let (first, last) = (self.first, self.last);
        let same = |found: &&mut Found| {
            found.scheme == scheme && (found.fields.includes(&fields) || fields.includes(&found.fields))
        };
        if let Some(found) = self.found.iter_mut().find(same) {
            (found.last, found.spelt) = (last, found.spelt + spelt);
            // One hearing may have missed what does not matter to its checksums.
            if fields.includes(&found.fields) {
                found.fields = fields;
            }
        } else if self.found.len() < FOUND {
            self.found.push(Found { scheme, fields, first, last, spelt });
        }
    }
}
