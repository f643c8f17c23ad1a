//! What was found in pictures, by their digests, and how much may be looked at. What is found in a body depends on the
//! body alone, not on what other threads met before, until the bounds of the whole run are reached.

use super::{Account, Looked, Most};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Pictures of one body that are looked at.
const MOST_OF_A_BODY: usize = 16;
/// Pixels that are decoded in one run of the program, of damaged pictures too.
const MOST_PIXELS: u64 = 10 << 30;
/// A decoded picture counts as so many pixels at least, so that pictures that are remembered are bounded too.
const FEWEST_PIXELS: u64 = 1 << 20;
/// Pictures that were left and are told from one another.
const MOST_TOLD_APART: usize = 1 << 16;

const TOO_MANY_PIXELS: &str = "more than 10 gigapixels to decode";
const TOO_MANY_OF_A_BODY: &str = "more than 16 in one body";

type Key = [u8; 32];

/// A picture of a body.
pub(super) struct Picture<'b> {
    pub(super) file: &'b [u8],
    /// Why its head alone says that it is not looked at.
    pub(super) left: Option<&'static str>,
}

/// What became of one picture.
#[derive(Clone)]
pub(super) struct Known<T> {
    /// Absent where it was not looked at.
    pub(super) found: Option<Arc<[T]>>,
    /// Why it was not looked at, or only in part.
    pub(super) left: Option<&'static str>,
    /// That were decoded for it.
    pub(super) pixels: u64,
}

/// Remembers pictures.
pub(super) struct Memory<T> {
    state: Mutex<State<T>>,
    most: Most,
}

struct State<T> {
    known: HashMap<Key, Arc<OnceLock<Known<T>>>>,
    /// Pictures that were given to the models.
    taken: u64,
    pixels: u64,
    /// Pictures that were looked at, and what was found in them.
    looked_at: u64,
    found: u64,
    left: BTreeMap<&'static str, u64>,
    told_apart: HashSet<(Key, &'static str)>,
}

impl<T> Memory<T> {
    /// That looks at no more pictures.
    pub(super) fn new(most: Most) -> Self {
        let (known, left, told_apart) = (HashMap::new(), BTreeMap::new(), HashSet::new());
        let state = State { known, taken: 0, pixels: 0, looked_at: 0, found: 0, left, told_apart };
        Self { state: Mutex::new(state), most }
    }

    /// What is in each picture of one body. `look` looks at one; a picture that another thread is looking at is waited
    /// for.
    pub(super) fn of_body(&self, pictures: &[Picture<'_>], look: impl Fn(&[u8], usize) -> Known<T>) -> Vec<Looked<T>> {
        let mut wanted = 0;
        let of = |(at, picture): (usize, &Picture<'_>)| {
            let key = Sha256::digest(picture.file).into();
            wanted += usize::from(picture.left.is_none());
            let left = picture.left.or((wanted > MOST_OF_A_BODY).then_some(TOO_MANY_OF_A_BODY));
            let place = left.map_or_else(|| self.place(key), Err);
            match place {
                Ok(place) => {
                    let known = place.get_or_init(|| self.counted(key, look(picture.file, at)));
                    Looked { found: known.found.clone().unwrap_or_default(), pixels: known.pixels }
                }
                Err(why) => {
                    self.lock().leave(key, why);
                    Looked::default()
                }
            }
        };
        pictures.iter().enumerate().map(of).collect()
    }

    /// Asks for one more picture to be given to the models.
    ///
    /// # Errors
    /// Why none may be.
    pub(super) fn take(&self) -> Result<(), &'static str> {
        let mut state = self.lock();
        if state.taken >= self.most.pictures {
            return Err(self.most.in_words);
        }
        state.taken += 1;
        Ok(())
    }

    /// What was found so far, and what was left.
    pub(super) fn account(&self) -> Account {
        let state = self.lock();
        let left = state.left.iter().map(|(why, count)| ((*why).to_owned(), *count));
        Account { pictures: state.looked_at, found: state.found, left: left.collect() }
    }

    /// Where what is known of a picture is or comes to be.
    ///
    /// # Errors
    /// Why nothing more is looked at.
    fn place(&self, key: Key) -> Result<Arc<OnceLock<Known<T>>>, &'static str> {
        let mut state = self.lock();
        match state.known.get(&key) {
            Some(place) => Ok(Arc::clone(place)),
            None if state.taken >= self.most.pictures => Err(self.most.in_words),
            None if state.pixels >= MOST_PIXELS => Err(TOO_MANY_PIXELS),
            None => Ok(Arc::clone(state.known.entry(key).or_default())),
        }
    }

    fn counted(&self, key: Key, known: Known<T>) -> Known<T> {
        let mut state = self.lock();
        state.pixels = state.pixels.saturating_add(known.pixels.max(FEWEST_PIXELS));
        state.looked_at += u64::from(known.found.is_some());
        state.found += known.found.as_ref().map_or(0, |found| found.len() as u64);
        if let Some(why) = known.left {
            state.leave(key, why);
        }
        known
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Counts a picture that is left: once for each reason, while there is room to remember that.
    fn leave(&mut self, key: Key, why: &'static str) {
        let is_known = self.told_apart.contains(&(key, why));
        if !is_known {
            *self.left.entry(why).or_default() += 1;
        }
        if self.told_apart.len() < MOST_TOLD_APART {
            self.told_apart.insert((key, why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Files that differ, as many as there are numbers.
    fn files(numbers: std::ops::Range<u32>) -> Vec<[u8; 4]> {
        numbers.map(u32::to_be_bytes).collect()
    }

    fn pictures(files: &[[u8; 4]]) -> Vec<Picture<'_>> {
        files.iter().map(|file| Picture { file, left: None }).collect()
    }

    const TOO_MANY: &str = "more than 500";

    fn memory() -> Memory<String> {
        Memory::new(Most { pictures: 500, in_words: TOO_MANY })
    }

    /// One line that says which file it is.
    fn one_line(file: &[u8], _at: usize) -> Known<String> {
        Known { found: Some(Arc::new([format!("{file:?}")])), left: None, pixels: 7 }
    }

    fn left(memory: &Memory<String>, why: &str) -> u64 {
        memory.account().left.iter().find(|(other, _)| other == why).map_or(0, |(_, count)| *count)
    }

    #[test]
    fn what_is_read_of_a_body_does_not_depend_on_which_body_came_first() {
        let (long, short) = (files(0..17), files(16..17));
        let counts =
            |read: Vec<Looked<String>>| read.iter().map(|one| (one.found.len(), one.pixels)).collect::<Vec<_>>();
        let in_order = |is_long_first: bool| {
            let memory = memory();
            let read = |files| counts(memory.of_body(&pictures(files), one_line));
            let both = if is_long_first {
                let of_long = read(&long);
                (of_long, read(&short))
            } else {
                let of_short = read(&short);
                (read(&long), of_short)
            };
            (both, memory.account())
        };
        let ((of_long, of_short), account) = in_order(true);
        assert_eq!((&of_long[..16], of_long[16], &of_short[..]), (&[(1, 7); 16][..], (0, 0), &[(1, 7)][..]));
        assert_eq!(account.left, [(TOO_MANY_OF_A_BODY.to_owned(), 1)], "there it was left");
        assert_eq!(in_order(false), ((of_long, of_short), account));
    }

    #[test]
    fn a_picture_that_several_threads_meet_is_read_once_and_waited_for() {
        let (memory, times, barrier) = (memory(), AtomicU64::new(0), Barrier::new(8));
        let file = files(0..1);
        let read = |bytes: &[u8], at: usize| {
            times.fetch_add(1, Ordering::Relaxed);
            std::thread::yield_now();
            one_line(bytes, at)
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    assert_eq!(memory.of_body(&pictures(&file), read)[0].found.len(), 1);
                });
            }
        });
        assert_eq!((times.into_inner(), memory.account().pictures), (1, 1));
    }

    #[test]
    fn pictures_that_are_decoded_in_vain_come_to_an_end() {
        for (pixels, most) in [(100_000_000, 108), (0, 10 << 10)] {
            let (memory, times) = (memory(), AtomicU64::new(0));
            let damaged = |_: &[u8], _: usize| {
                times.fetch_add(1, Ordering::Relaxed);
                Known { found: None, left: Some("damaged"), pixels }
            };
            for number in 0..most + 100 {
                let read = memory.of_body(&pictures(&files(number..number + 1)), damaged);
                assert_eq!(read[0].pixels, if number < most { pixels } else { 0 });
            }
            // Once more: they are known, and counted already.
            memory.of_body(&pictures(&files(0..1)), damaged);
            assert_eq!(times.into_inner(), u64::from(most));
            assert_eq!((left(&memory, "damaged"), left(&memory, TOO_MANY_PIXELS)), (u64::from(most), 100));
            assert_eq!(memory.lock().known.len(), most as usize);
        }
    }

    #[test]
    fn five_hundred_are_read_and_damaged_and_small_ones_take_none_of_their_places() {
        let memory = memory();
        let damaged = |_: &[u8], _: usize| Known { found: None, left: Some("damaged"), pixels: 0 };
        let read = |file: &[u8], at: usize| {
            if memory.take().is_ok() { one_line(file, at) } else { unreachable!("asked before") }
        };
        for number in 0..600 {
            let [wanted, broken] = [files(number..number + 1), files(10_000 + number..10_001 + number)];
            memory.of_body(&pictures(&broken), damaged);
            let icons = files(20_000..20_030);
            let icons = icons.iter().map(|file| Picture { file, left: Some("small") });
            let body: Vec<_> = icons.chain(pictures(&wanted)).collect();
            assert_eq!(memory.of_body(&body, read)[30].found.len(), usize::from(number < 500), "{number}");
        }
        let account = memory.account();
        assert_eq!((account.pictures, account.found), (500, 500));
        assert_eq!((left(&memory, "small"), left(&memory, TOO_MANY)), (30, 100 + 100));
    }

    #[test]
    fn what_is_left_is_counted_without_being_remembered_for_ever() {
        let memory = memory();
        let (most, file) = (MOST_TOLD_APART as u32, files(0..1));
        let all = files(0..most + 1000);
        let small: Vec<_> = all.iter().map(|file| Picture { file, left: Some("small") }).collect();
        memory.of_body(&small, one_line);
        memory.of_body(&[Picture { file: &file[0], left: Some("small") }], one_line);
        assert_eq!(left(&memory, "small"), u64::from(most) + 1000);
        let state = memory.lock();
        assert_eq!((state.told_apart.len(), state.known.len()), (MOST_TOLD_APART, 0));
    }
}
