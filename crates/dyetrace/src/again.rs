//! Files that are the same in several snapshots, which are searched once.
//!
//! A run's snapshots are mostly the same files. The same parts give the same outcome wherever they stand, so what was
//! seen in a file is told of it again, at its new place.

use dyetrace_case::{Message, Protocol, Record, StoreId};
use dyetrace_search::Outcome;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records whose outcomes are kept.
const MOST: usize = 1 << 18;
/// Sightings and other finds of one record that are kept: what has more is searched again.
const MOST_FINDS: usize = 64;

/// Sightings and other finds of all records that are kept: some tens of megabytes.
const MOST_OF_ALL: usize = 1 << 16;

/// Outcomes of stored files by what was searched.
#[derive(Default)]
pub(crate) struct Again(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    outcomes: HashMap<Key, Option<Arc<Outcome>>>,
    finds: usize,
}

/// SHA-256 of everything that is searched of a record.
type Key = [u8; 32];

impl Again {
    /// What a search of the record gives. `search` is asked where nothing that is the same was searched before.
    pub(crate) fn outcome(&self, record: &Record, search: impl FnOnce() -> Outcome) -> Outcome {
        if record.request.as_ref().is_some_and(|request| request.values.is_unread()) {
            return Outcome::default();
        }
        let Some(key) = key(record) else { return search() };
        // Of most files there is nothing to tell.
        let known = self.kept().outcomes.get(&key).cloned();
        match known {
            Some(None) => Outcome::default(),
            Some(Some(outcome)) => outcome.of(record),
            None => {
                let outcome = search();
                self.keep(key, &outcome);
                outcome
            }
        }
    }

    /// True for a store of so many records that were all searched and have nothing to tell.
    pub(crate) fn is_nothing_in(&self, store: StoreId, records: u32) -> bool {
        let kept = self.kept();
        (0..records).all(|record| matches!(kept.outcomes.get(&key_of_values(store, record)), Some(None)))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, key: Key, outcome: &Outcome) {
        let finds = outcome.sightings.len() + outcome.told.len() + outcome.unplanted.len();
        if finds > MOST_FINDS {
            return;
        }
        let kept = (*outcome != Outcome::default()).then(|| Arc::new(outcome.clone()));
        let mut all = self.kept();
        if all.outcomes.len() < MOST && all.finds + finds <= MOST_OF_ALL {
            all.finds += finds;
            all.outcomes.insert(key, kept);
        }
    }
}

/// Absent where there is little to search, or the content is not all that its digest is of.
fn key(record: &Record) -> Option<Key> {
    let request = record.request.as_ref().filter(|_| record.protocol == Protocol::File && record.flags.is_empty())?;
    if let Some((store, number)) = request.values.of() {
        return (!request.values.is_empty()).then(|| key_of_values(store, number));
    }
    let (target, content) = (request.target.as_deref()?, request.body.as_ref().and_then(|_| content(request))?);
    let mut hash = Sha256::new();
    hash.update(b"content");
    hash.update(content);
    hash.update(target);
    Some(hash.finalize().into())
}

fn key_of_values(store: StoreId, record: u32) -> Key {
    let mut hash = Sha256::new();
    hash.update(b"values");
    hash.update(store.0);
    hash.update(record.to_le_bytes());
    hash.finalize().into()
}

/// The digest that the file's content was read with.
fn content(request: &Message) -> Option<[u8; 32]> {
    request.file.as_ref().map(|file| file.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{Blob, ExhibitId, Flag, RecordId, Secret, StoredFile, Subject};
    use dyetrace_search::{Options, Scanner, Scratch};

    fn file(number: u8, path: &str, content: &str) -> Record {
        let sha256 = Sha256::digest(content).into();
        let file = StoredFile {
            size: content.len() as u64,
            sha256,
            modified: None,
            mode: None,
            owner: None,
            collected: None,
            change: dyetrace_case::FileChange::Present,
            same_as: None,
        };
        let request = Message {
            target: Some(path.into()),
            body: Some(Blob::from(content.as_bytes().to_vec())),
            file: Some(Box::new(file)),
            ..Message::default()
        };
        let mut record = Record::of_request(request);
        (record.id, record.exhibit, record.protocol) =
            (RecordId(format!("file:{number}")), ExhibitId([number; 32]), Protocol::File);
        record
    }

    fn scanner() -> Scanner {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13800000427"));
        Scanner::new(&subject, Options::default())
    }

    #[test]
    fn a_file_that_is_the_same_again_is_not_searched_and_told_at_its_new_place() {
        let (again, scanner) = (Again::default(), scanner());
        for content in ["{\"phone\":\"13800000427\"}", "{\"phone\":\"nobody's\"}"] {
            let (first, second) = (file(1, "files/a.json", content), file(2, "files/a.json", content));
            again.outcome(&first, || scanner.search(&first, &mut Scratch::default()));
            let told = again.outcome(&second, || unreachable!("it is the same"));
            assert_eq!(told, scanner.search(&second, &mut Scratch::default()));
        }
    }

    #[test]
    fn what_is_not_the_same_is_searched() {
        let again = Again::default();
        again.outcome(&file(1, "a", "one"), Outcome::default);
        let mut cut = file(2, "a", "one");
        cut.flags = vec![Flag::Cut(1)];
        let mut store = file(2, "a", "one");
        let request = store.request.as_mut().unwrap();
        request.values.push(&"key", b"one");
        request.values = std::mem::take(&mut request.values).said_of(StoreId([7; 32]), 0);
        request.body = None;
        for other in [file(2, "a", "two"), file(2, "b", "one"), cut, store] {
            let mut is_searched = false;
            again.outcome(&other, || {
                is_searched = true;
                Outcome::default()
            });
            assert!(is_searched, "{other:?}");
        }
    }
}
