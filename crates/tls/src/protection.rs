//! One direction's records under the keys at hand: which key is in force, and which record number.
//!
//! A passive reader does not always know. The log may hold two secrets for one connection or lack
//! one; the server may have refused early data; records may be missing from the capture. So a
//! record is tried under everything that could be in force until one verifies; from then on only
//! that key is used, in place and without copies.

use crate::event::Reason;
use crate::legacy::LegacyKeys;
use crate::modern::ModernKeys;
use std::ops::Range;

/// Work one direction may spend on finding record numbers again, in bytes hashed.
const SEARCH_BUDGET: u64 = 16 << 20;

/// What a key protects, in the order of a TLS 1.3 connection. Older versions know only the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Early,
    Handshake,
    Application,
}

/// Keys of either kind.
pub(crate) enum Keys {
    Legacy(LegacyKeys),
    Modern(ModernKeys),
}

/// A key that may be in force, and the number of its next record.
pub(crate) struct Candidate {
    pub(crate) keys: Keys,
    pub(crate) phase: Phase,
    /// Which of the secrets it was made from.
    pub(crate) origin: usize,
    sequence: u64,
}

impl Candidate {
    pub(crate) fn new(keys: Keys, phase: Phase, origin: usize) -> Self {
        Self { keys, phase, origin, sequence: 0 }
    }
}

/// A record that was read.
pub(crate) struct Opened {
    /// Content type.
    pub(crate) kind: u8,
    /// Where in the record's body the content is.
    pub(crate) content: Range<usize>,
    pub(crate) phase: Phase,
    /// The first record that verified under its key, which came from this secret.
    pub(crate) proves: Option<usize>,
}

/// How one direction's records are protected.
pub(crate) struct Protection {
    candidates: Vec<Candidate>,
    phase: Phase,
    /// The one candidate of this phase has opened a record.
    settled: bool,
    /// How many records may be missing before the next one.
    missing: Option<u64>,
    budget: u64,
    /// Chained CBC lost the block before: the next record serves as that only.
    chain_lost: bool,
    /// Why nothing can be read where there is no candidate.
    pub(crate) lacking: Reason,
    modern: bool,
}

impl Protection {
    /// SSL 3.0 to TLS 1.2.
    pub(crate) fn legacy(candidates: Vec<Candidate>, lacking: Reason) -> Self {
        Self::new(candidates, Phase::Application, lacking, false)
    }

    /// TLS 1.3, from a phase on.
    pub(crate) fn modern(candidates: Vec<Candidate>, phase: Phase, lacking: Reason) -> Self {
        Self::new(candidates, phase, lacking, true)
    }

    fn new(candidates: Vec<Candidate>, phase: Phase, lacking: Reason, modern: bool) -> Self {
        Self {
            candidates,
            phase,
            settled: false,
            missing: None,
            budget: SEARCH_BUDGET,
            chain_lost: false,
            lacking,
            modern,
        }
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.modern
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// The next phase begins with the next record.
    pub(crate) fn enter(&mut self, phase: Phase) {
        if phase > self.phase {
            self.phase = phase;
            self.settled = false;
            self.candidates.retain(|candidate| candidate.phase >= phase);
        }
    }

    /// A KeyUpdate was read.
    pub(crate) fn update(&mut self) {
        self.candidates.retain_mut(|candidate| {
            let Keys::Modern(keys) = &candidate.keys else { return true };
            let Some(next) = keys.next() else { return false };
            candidate.keys = Keys::Modern(next);
            candidate.sequence = 0;
            true
        });
    }

    /// Between `least` and `most` records are missing before the next one.
    pub(crate) fn skip(&mut self, least: u64, most: u64) {
        for candidate in &mut self.candidates {
            candidate.sequence = candidate.sequence.saturating_add(least);
            if let Keys::Legacy(keys) = &candidate.keys {
                self.chain_lost |= keys.chain().is_some();
            }
        }
        self.missing = Some(self.missing.unwrap_or(0).saturating_add(most.saturating_sub(least)));
        let before = self.candidates.len();
        self.candidates.retain(|candidate| !matches!(&candidate.keys, Keys::Legacy(keys) if keys.needs_every_byte()));
        if self.candidates.len() < before {
            self.lacking = Reason::Gap;
        }
    }

    /// Decrypts a record in place, or says why not. `scratch` is room for trials.
    pub(crate) fn open(&mut self, header: [u8; 5], body: &mut [u8], scratch: &mut Vec<u8>) -> Result<Opened, Reason> {
        if self.settled && self.missing.is_none() {
            return self.open_settled(header, body);
        }
        if std::mem::take(&mut self.chain_lost) {
            self.pass(body);
            return Err(Reason::Gap);
        }
        for at in 0..self.candidates.len() {
            if let Some((sequence, kind, content)) = self.attempt(at, header, body, scratch) {
                body.copy_from_slice(scratch);
                return Ok(self.settle(at, sequence, kind, content));
            }
        }
        Err(self.failed(body))
    }

    fn open_settled(&mut self, header: [u8; 5], body: &mut [u8]) -> Result<Opened, Reason> {
        let phase = self.phase;
        let candidate = self.candidates.first_mut().ok_or(self.lacking)?;
        let sequence = candidate.sequence;
        candidate.sequence = sequence.wrapping_add(1);
        let (kind, content) = candidate.keys.open(sequence, header, body).ok_or(Reason::BadRecord)?;
        Ok(Opened { kind, content, phase, proves: None })
    }

    /// Tries one candidate with every number that may be next.
    fn attempt(
        &mut self,
        at: usize,
        header: [u8; 5],
        body: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Option<(u64, u8, Range<usize>)> {
        let candidate = self.candidates.get_mut(at)?;
        let chain = candidate.keys.chain();
        for ahead in 0..=self.missing.unwrap_or(0) {
            let cost = body.len() as u64 + 256;
            if ahead > 0 {
                self.budget = self.budget.checked_sub(cost)?;
            }
            let sequence = candidate.sequence.wrapping_add(ahead);
            scratch.clear();
            scratch.extend_from_slice(body);
            candidate.keys.set_chain(chain.clone());
            if let Some((kind, content)) = candidate.keys.open(sequence, header, scratch) {
                return Some((sequence, kind, content));
            }
        }
        None
    }

    fn settle(&mut self, at: usize, sequence: u64, kind: u8, content: Range<usize>) -> Opened {
        let Some(candidate) = self.candidates.get_mut(at) else {
            return Opened { kind, content, phase: self.phase, proves: None };
        };
        candidate.sequence = sequence.wrapping_add(1);
        let (phase, origin) = (candidate.phase, candidate.origin);
        let first = !self.settled && candidate.keys.verifies();
        // Early data may end without a word where the server refused it, so its key stays one of several.
        let settled = phase > Phase::Early;
        let mut index = 0;
        self.candidates.retain(|candidate| {
            index += 1;
            index - 1 == at || candidate.phase > phase
        });
        self.phase = phase;
        self.settled = settled;
        self.missing = None;
        Opened { kind, content, phase, proves: first.then_some(origin) }
    }

    fn failed(&mut self, body: &[u8]) -> Reason {
        let lost = self.missing.is_some();
        if self.settled || lost || !self.modern {
            self.pass(body);
        }
        if lost && !self.candidates.is_empty() {
            return Reason::Gap;
        }
        if self.candidates.iter().any(|candidate| candidate.phase == self.phase) {
            // Refused or unreadable early data lies before the first record of the handshake.
            return if self.lacking == Reason::EarlySecretMissing { self.lacking } else { Reason::WrongKey };
        }
        self.lacking
    }

    fn pass(&mut self, body: &[u8]) {
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.phase == self.phase) {
            candidate.sequence = candidate.sequence.wrapping_add(1);
            if let Keys::Legacy(keys) = &mut candidate.keys {
                keys.pass(body);
            }
        }
    }
}

impl Keys {
    fn open(&mut self, sequence: u64, header: [u8; 5], body: &mut [u8]) -> Option<(u8, Range<usize>)> {
        match self {
            Self::Legacy(keys) => Some((header[0], keys.open(sequence, header, body)?)),
            Self::Modern(keys) => keys.open(sequence, header, body),
        }
    }

    fn verifies(&self) -> bool {
        match self {
            Self::Legacy(keys) => keys.verifies(),
            Self::Modern(_) => true,
        }
    }

    fn chain(&self) -> Option<Vec<u8>> {
        match self {
            Self::Legacy(keys) => keys.chain(),
            Self::Modern(_) => None,
        }
    }

    fn set_chain(&mut self, chain: Option<Vec<u8>>) {
        if let Self::Legacy(keys) = self {
            keys.set_chain(chain);
        }
    }
}
