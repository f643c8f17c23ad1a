//! What is said of one identifier, and how it is kept: found by the first 16 bytes of the function's output, sealed
//! under its last 32.
//!
//! The output is a pseudorandom function's, so its parts are independent: who sees the tag learns nothing of the key.

use crate::oprf::Output;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

/// Bytes by which an entry is found: 128 bits, so that of 2^32 identifiers no two are taken for one another.
pub const TAG: usize = 16;
/// Bytes by which a changed entry is told.
const SEAL: usize = 16;
/// Dumps of which one index can tell.
pub const MOST_SOURCES: usize = 8;
/// Fields of which one index can tell.
pub const MOST_FIELDS: usize = 63;
/// The bit that says that somebody is in a source, also where none of its fields has a name.
const PRESENT: u64 = 1 << MOST_FIELDS;

/// Which fields of somebody are in which dump: for each of the index's sources, a bit for each of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// The fields by source, and the highest bit where the identifier is in it at all.
    pub fields: [u64; MOST_SOURCES],
}

impl Record {
    /// That these fields are in this source. `None` where there can be no such source.
    pub fn one(source: u8, fields: u64) -> Option<Self> {
        let mut record = Self::default();
        *record.fields.get_mut(usize::from(source))? = fields | PRESENT;
        Some(record)
    }

    /// Takes up what another record says.
    pub fn join(&mut self, other: &Self) {
        self.fields.iter_mut().zip(other.fields).for_each(|(mine, other)| *mine |= other);
    }
}

/// Bytes of an entry of an index with so many sources: the same for everybody.
pub fn entry_bytes(sources: usize) -> usize {
    TAG + 8 * sources + SEAL
}

/// By what the entry of an output is found.
pub fn tag(output: &Output) -> [u8; TAG] {
    let mut tag = [0; TAG];
    tag.copy_from_slice(&output[..TAG]);
    tag
}

/// The part of an output that seals.
pub fn sealing_key(output: &Output) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(&output[32..]);
    key
}

/// The entry of an identifier: tag, sealed record. The nonce is the index's own number, so that one key seals one
/// record in each index, also where the function's key was used for another index before.
///
/// `None` does not occur: the cipher fails only for records of gigabytes.
pub fn seal(index: &[u8; 16], tag: &[u8; TAG], key: &[u8; 32], record: &Record, sources: usize) -> Option<Vec<u8>> {
    let plain: Vec<u8> = record.fields.iter().take(sources).flat_map(|fields| fields.to_le_bytes()).collect();
    let sealed = cipher(key).encrypt(&nonce(index), Payload { msg: &plain, aad: tag }).ok()?;
    Some([tag.as_slice(), &sealed].concat())
}

/// An entry has the tag that was looked for, and says nothing that can be believed: this is no *not in it*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// Looks for an output's entry among the entries of a bucket. `None` where it is not there.
///
/// # Errors
/// Where it is there, but was not sealed for this output, or tells of no dump.
pub fn find(index: &[u8; 16], output: &Output, entries: &[u8], sources: usize) -> Result<Option<Record>, Unreadable> {
    let wanted = tag(output);
    let Some(entry) = entries.chunks_exact(entry_bytes(sources)).find(|entry| entry.starts_with(&wanted)) else {
        return Ok(None);
    };
    let record = open(index, output, entry).filter(|record| *record != Record::default());
    record.map(Some).ok_or(Unreadable)
}

fn open(index: &[u8; 16], output: &Output, entry: &[u8]) -> Option<Record> {
    let (tag, sealed) = entry.split_at_checked(TAG)?;
    let sealed = Payload { msg: sealed, aad: tag };
    let plain = cipher(&sealing_key(output)).decrypt(&nonce(index), sealed).ok()?;
    let mut record = Record::default();
    for (fields, bytes) in record.fields.iter_mut().zip(plain.chunks_exact(8)) {
        *fields = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    Some(record)
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key))
}

fn nonce(index: &[u8; 16]) -> Nonce {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&index[..12]);
    Nonce::from(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn output(byte: u8) -> Output {
        std::array::from_fn(|place| byte ^ place as u8)
    }

    fn entry(byte: u8, record: &Record, sources: usize) -> Vec<u8> {
        let output = output(byte);
        seal(&[9; 16], &tag(&output), &sealing_key(&output), record, sources).unwrap()
    }

    proptest! {
        #[test]
        fn who_has_the_output_reads_the_record_and_nobody_else(first: [u64; 2], second: [u64; 2]) {
            let widen = |fields: [u64; 2]| Record { fields: [fields[0] | PRESENT, fields[1], 0, 0, 0, 0, 0, 0] };
            let (first, second) = (widen(first), widen(second));
            let bucket = [entry(1, &first, 2), entry(2, &second, 2)].concat();
            prop_assert_eq!(bucket.len(), 2 * entry_bytes(2));
            prop_assert_eq!(find(&[9; 16], &output(1), &bucket, 2), Ok(Some(first)));
            prop_assert_eq!(find(&[9; 16], &output(2), &bucket, 2), Ok(Some(second)));
            prop_assert_eq!(find(&[9; 16], &output(3), &bucket, 2), Ok(None));
            prop_assert_eq!(find(&[8; 16], &output(1), &bucket, 2), Err(Unreadable));
        }
    }

    #[test]
    fn a_changed_entry_is_not_taken_for_an_absent_one() {
        let whole = entry(1, &Record::one(0, 5).unwrap(), 1);
        assert_eq!(whole.len(), entry_bytes(1));
        for place in TAG..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert_eq!(find(&[9; 16], &output(1), &changed, 1), Err(Unreadable), "byte {place}");
        }
        let empty = entry(1, &Record::default(), 1);
        assert_eq!(find(&[9; 16], &output(1), &empty, 1), Err(Unreadable), "it tells of no dump");
    }

    #[test]
    fn records_of_two_dumps_stand_side_by_side() {
        let mut record = Record::one(0, 0b101).unwrap();
        record.join(&Record::one(1, 0b010).unwrap());
        record.join(&Record::one(0, 0b010).unwrap());
        assert_eq!(record.fields[..3], [PRESENT | 0b111, PRESENT | 0b010, 0]);
        assert_eq!(Record::one(8, 1), None);
    }
}
