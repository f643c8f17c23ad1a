//! Parts in which nothing was seen, so that they are not searched again.

use crate::codec::Context;
use crate::explore::{Node, Spare, Tally};
use foldhash::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Memory of one worker thread: parts in which nothing was seen, and room to work in. It saves work and changes no
/// result. It is for one [`Scanner`](crate::Scanner): another looks for other values.
#[derive(Default)]
pub struct Scratch {
    memory: Whose,
    pub(crate) spare: Spare,
}

/// What several [`Scratch`]es of one [`Scanner`](crate::Scanner) remember together: in which nothing was seen with one of
/// them is not searched again with another.
#[derive(Clone, Default)]
pub struct SharedMemory(Arc<Mutex<Memory>>);

impl Scratch {
    /// One that remembers together with others.
    pub fn sharing(memory: &SharedMemory) -> Self {
        Self { memory: Whose::All(memory.clone()), ..Self::default() }
    }

    /// What it took to see nothing in the bytes, where that is remembered.
    pub(crate) fn recall(&mut self, node: Node, bytes: &[u8], most: usize) -> Option<Tally> {
        match &mut self.memory {
            Whose::Own(memory) => memory.recall(node, bytes, most),
            Whose::All(memory) => memory.lock().recall(node, bytes, most),
        }
    }

    /// Remembers that nothing was seen in the bytes; no more than that many bytes are remembered.
    pub(crate) fn remember(&mut self, node: Node, bytes: &[u8], spent: Tally, most: usize) {
        if bytes.len() > LONGEST {
            return;
        }
        match &mut self.memory {
            Whose::Own(memory) => memory.add(node, bytes.into(), spent, most),
            Whose::All(memory) => memory.lock().add(node, bytes.into(), spent, most),
        }
    }
}

impl SharedMemory {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longest part that is remembered, in bytes.
const LONGEST: usize = 1024;

enum Whose {
    Own(Memory),
    All(SharedMemory),
}

impl Default for Whose {
    fn default() -> Self {
        Self::Own(Memory::default())
    }
}

/// What was met of late, and what before: where there is no more room, only the latter is forgotten, so that what comes
/// again and again stays.
#[derive(Default)]
struct Memory {
    young: Remembered,
    old: Remembered,
}

#[derive(Default)]
struct Remembered {
    /// By how they were read.
    nothing_in: HashMap<(Context, bool), Parts>,
    bytes: usize,
}

/// Parts, with what searching them took.
type Parts = HashMap<Box<[u8]>, Tally>;

impl Memory {
    fn recall(&mut self, node: Node, bytes: &[u8], most: usize) -> Option<Tally> {
        if let Some(spent) = self.young.nothing_in.get(&key(node)).and_then(|parts| parts.get(bytes)) {
            return Some(*spent);
        }
        let (part, spent) = self.old.nothing_in.get_mut(&key(node))?.remove_entry(bytes)?;
        self.add(node, part, spent, most);
        Some(spent)
    }

    /// What is recalled takes room among the young, too: else it would grow by all that is recalled.
    fn add(&mut self, node: Node, part: Box<[u8]>, spent: Tally, most: usize) {
        if self.young.bytes > most / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += part.len() + size_of::<Tally>();
        self.young.nothing_in.entry(key(node)).or_default().insert(part, spent);
    }
}

fn key(node: Node) -> (Context, bool) {
    (node.context, node.is_field)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Node = Node { context: Context::Any, depth: 0, is_field: true };
    const MOST: usize = 4 << 10;
    const SPENT: Tally = Tally { work: 7, fields: 1, lookups: 2 };

    #[test]
    fn what_one_has_searched_the_others_need_not() {
        let memory = SharedMemory::default();
        let (mut one, mut other) = (Scratch::sharing(&memory), Scratch::sharing(&memory));
        one.remember(NODE, b"part", SPENT, MOST);
        assert_eq!(other.recall(NODE, b"part", MOST), Some(SPENT));
        assert_eq!(
            other.recall(Node { is_field: false, ..NODE }, b"part", MOST),
            None,
            "read otherwise, it is another part"
        );
        assert_eq!(Scratch::default().recall(NODE, b"part", MOST), None);
    }

    #[test]
    fn what_comes_again_stays_and_the_rest_is_forgotten() {
        let mut scratch = Scratch::default();
        let part = |number: u32| [number.to_le_bytes(); 16].concat();
        scratch.remember(NODE, b"again", SPENT, MOST);
        for number in 0..1000 {
            scratch.remember(NODE, &part(number), SPENT, MOST);
            assert_eq!(scratch.recall(NODE, b"again", MOST), Some(SPENT), "{number}");
        }
        let kept = (0..1000).filter(|number| scratch.recall(NODE, &part(*number), MOST).is_some()).count();
        assert!((10..60).contains(&kept), "{kept} of 4 KiB");
    }

    #[test]
    fn what_is_recalled_again_and_again_does_not_make_it_grow() {
        let mut memory = Memory::default();
        let part = |number: u32| Box::from([number.to_le_bytes(); 16].concat());
        for number in 0..400 {
            memory.add(NODE, part(number), SPENT, MOST);
            for earlier in 0..number {
                memory.recall(NODE, &part(earlier), MOST);
            }
            let kept = memory.young.bytes + memory.old.bytes;
            assert!(kept <= MOST + 1024, "{kept} bytes after {number}");
        }
    }

    #[test]
    fn long_parts_are_not_remembered() {
        let mut scratch = Scratch::default();
        for (length, is_kept) in [(LONGEST, true), (LONGEST + 1, false)] {
            scratch.remember(NODE, &vec![b'a'; length], SPENT, MOST);
            assert_eq!(scratch.recall(NODE, &vec![b'a'; length], MOST).is_some(), is_kept);
        }
    }
}
