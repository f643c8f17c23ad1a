//! What the matcher says about every query.

use super::set::{Query, Set};
use dyetrace_pictures::{Gallery, Likeness};
use std::error::Error;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An original that an answer names.
#[derive(Debug)]
pub(crate) struct Named {
    /// Its number.
    pub(crate) original: u32,
    /// Said to be the same, not only made after the same template.
    pub(crate) same: bool,
    /// All that the matcher said of it.
    pub(crate) reason: String,
}

/// What is named, or why the picture was not read.
pub(crate) type Answer = Result<Vec<Named>, String>;

/// The gallery of all originals that are not withheld.
pub(crate) fn gallery(set: &Set) -> Result<Gallery, Box<dyn Error>> {
    let mut gallery = Gallery::new();
    for original in set.originals.iter().filter(|original| !original.withheld) {
        let file = std::fs::read(set.folder.join(&original.file))?;
        gallery.add(original.number, &file).map_err(|error| format!("{}: {error}", original.file))?;
    }
    Ok(gallery)
}

/// The answer to each query, in their order.
pub(crate) fn answers(set: &Set, gallery: &Gallery, queries: &[Query]) -> Result<Vec<Answer>, Box<dyn Error>> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, query)) = following(&next, queries) {
                    let answer = answer(set, gallery, query);
                    if let Ok(mut found) = found.lock() {
                        found.push((at, answer));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().map_err(|_| "a thread panicked")?;
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, answer)| Ok(answer?)).collect()
}

fn following<'a>(next: &AtomicUsize, queries: &'a [Query]) -> Option<(usize, &'a Query)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    queries.get(at).map(|query| (at, query))
}

fn answer(set: &Set, gallery: &Gallery, query: &Query) -> Result<Answer, std::io::Error> {
    let file = std::fs::read(set.folder.join(&query.file))?;
    Ok(looked(gallery, &file))
}

/// What the matcher says about a file.
pub(crate) fn looked(gallery: &Gallery, file: &[u8]) -> Answer {
    let matches = gallery.look_at(file).map_err(|error| error.to_string())?;
    let named = matches.into_iter().map(|found| Named {
        original: found.original,
        same: found.likeness == Likeness::Same,
        reason: format!("{found:?}"),
    });
    Ok(named.collect())
}

/// Numbers of the originals that the picture is said to be.
pub(crate) fn said_same(named: &[Named]) -> impl Iterator<Item = u32> {
    named.iter().filter(|named| named.same).map(|named| named.original)
}
