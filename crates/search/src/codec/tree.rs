//! Self-describing binary documents (MessagePack, CBOR): both are a sequence of items, each a
//! value or the head of an array or a map, and are walked alike.

use super::{Coding, Field, Label, Typed, shown};
use std::fmt::Write as _;
use std::ops::{ControlFlow, Range};

/// Deeper documents are not taken for documents.
const DEEPEST: usize = 256;
/// Deeper containers are read but not named.
const DEEPEST_NAMED: usize = 64;

/// One item of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A number or anything else of a fixed width; where it lies. Empty where it is nothing to
    /// look at (null, true).
    Number(Range<usize>, Typed),
    /// A string of text or bytes; true where it should be UTF-8.
    String(Range<usize>, bool),
    /// A string in pieces.
    Chunks(Vec<Range<usize>>),
    /// An array of so many elements, or of as many as come before the break.
    Array(Option<u64>),
    /// A map of so many pairs, or of as many as come before the break.
    Map(Option<u64>),
    /// A tag before the next item.
    Tag,
    /// The end of the innermost container of unknown length.
    Break,
}

/// How a format writes items.
pub(super) trait Dialect {
    /// The name in trails.
    const NAME: &'static str;

    /// The item at `at` and the offset behind it; `None` where there is none.
    fn item(bytes: &[u8], at: usize) -> Option<(Item, usize)>;

    /// What the item at `at` announces and the offset behind it: as [`Dialect::item`] has it, with less work where
    /// the format allows that.
    fn skip(bytes: &[u8], at: usize) -> Option<(Announces, usize)> {
        let (item, next) = Self::item(bytes, at)?;
        Some((announced(&item), next))
    }
}

/// What an item says of those behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announces {
    /// So many belong to it.
    Items(u64),
    /// It belongs to the next.
    Next,
    /// A break tells how many.
    Unknown,
}

pub(super) fn announced(item: &Item) -> Announces {
    match item {
        Item::Tag => Announces::Next,
        Item::Array(Some(count)) => Announces::Items(*count),
        Item::Map(Some(pairs)) => Announces::Items(pairs.saturating_mul(2)),
        Item::Array(None) | Item::Map(None) | Item::Break => Announces::Unknown,
        Item::Number(..) | Item::String(..) | Item::Chunks(_) => Announces::Items(0),
    }
}

/// What a document holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Strings that are not empty.
    pub(super) strings: usize,
    /// Items that are no containers, keys among them.
    pub(super) leaves: usize,
    /// Keys of maps that are neither text nor numbers.
    pub(super) odd_keys: usize,
    /// Strings that should be text and are not.
    pub(super) broken: usize,
    /// Items at the top.
    pub(super) roots: usize,
}

/// One open container.
#[derive(Debug, Clone, Copy)]
struct Frame {
    is_map: bool,
    /// Items left, keys and values counted apart; `None` until a break.
    left: Option<u64>,
    /// Items seen, keys and values counted apart.
    seen: u64,
    key: Key,
}

/// The current key of a map.
#[derive(Debug, Clone, Copy)]
enum Key {
    Text(usize, usize),
    Number(i128),
    Other,
}

impl Frame {
    /// True where the next item is a key.
    fn expects_key(&self) -> bool {
        self.is_map && self.seen.is_multiple_of(2)
    }
}

/// Walks over all items. `None` where the bytes are no such document from end to end: then what
/// came before the fault has been visited.
pub(super) fn walk<D: Dialect>(bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> Option<Summary> {
    let mut walker = Walker { bytes, codec: D::NAME, frames: Vec::new(), tagged: false, summary: Summary::default() };
    let mut at = 0;
    while at < bytes.len() {
        let (item, next) = D::item(bytes, at)?;
        if walker.take(&item, visit)?.is_break() {
            return None;
        }
        at = next.max(at + 1);
    }
    (walker.frames.is_empty() && !walker.tagged).then_some(walker.summary)
}

/// False where the heads of arrays and maps announce more or fewer items than there are, told without
/// keeping any of them: all open containers together are a count of items left.
pub(super) fn may_be_whole<D: Dialect>(bytes: &[u8]) -> bool {
    let (mut at, mut left) = (0, 0u64);
    while at < bytes.len() {
        let Some((announces, next)) = D::skip(bytes, at) else { return false };
        at = next.max(at + 1);
        let items = match announces {
            Announces::Next => continue,
            Announces::Items(count) => count,
            Announces::Unknown => return true,
        };
        left = left.saturating_sub(1).saturating_add(items);
        // Each item takes a byte at least.
        if left > bytes.len().saturating_sub(at) as u64 {
            return false;
        }
    }
    left == 0
}

/// The same as [`walk`] without looking at anything.
pub(super) fn summary<D: Dialect>(bytes: &[u8]) -> Option<Summary> {
    walk::<D>(bytes, &mut |_| ControlFlow::Continue(()))
}

struct Walker<'b> {
    bytes: &'b [u8],
    codec: &'static str,
    frames: Vec<Frame>,
    /// The item before was a tag, which stands before something.
    tagged: bool,
    summary: Summary,
}

impl Walker<'_> {
    /// `None` where the item may not stand here.
    fn take(&mut self, item: &Item, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> Option<ControlFlow<()>> {
        let tagged = std::mem::replace(&mut self.tagged, *item == Item::Tag);
        match item {
            Item::Break if tagged => return None,
            Item::Tag => return Some(ControlFlow::Continue(())),
            Item::Break => {
                self.close_unknown()?;
                self.count();
                return Some(ControlFlow::Continue(()));
            }
            Item::Array(left) => return self.open(false, *left),
            Item::Map(left) => return self.open(true, left.map(|pairs| pairs.saturating_mul(2))),
            _ => {}
        }
        self.summarise(item);
        let is_key = self.frames.last().is_some_and(Frame::expects_key);
        if is_key && let Some(frame) = self.frames.last_mut() {
            frame.key = key(item);
        }
        let flow = self.leaf(item, is_key, visit);
        self.count();
        Some(flow)
    }

    fn open(&mut self, is_map: bool, left: Option<u64>) -> Option<ControlFlow<()>> {
        if let Some(frame) = self.frames.last_mut()
            && frame.expects_key()
        {
            frame.key = Key::Other;
            self.summary.odd_keys += 1;
        }
        self.summary.roots += usize::from(self.frames.is_empty());
        if left == Some(0) {
            self.count();
        } else if self.frames.len() < DEEPEST {
            self.frames.push(Frame { is_map, left, seen: 0, key: Key::Other });
        } else {
            return None;
        }
        Some(ControlFlow::Continue(()))
    }

    /// A container of unknown length ends; not between a key and its value.
    fn close_unknown(&mut self) -> Option<()> {
        let frame = self.frames.pop()?;
        (frame.left.is_none() && (!frame.is_map || frame.expects_key())).then_some(())
    }

    /// One item is complete, and with it perhaps the containers it is the last of.
    fn count(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            frame.seen += 1;
            frame.left = frame.left.map(|left| left.saturating_sub(1));
            if frame.left != Some(0) {
                return;
            }
            self.frames.pop();
        }
    }

    fn summarise(&mut self, item: &Item) {
        let summary = &mut self.summary;
        summary.leaves += 1;
        summary.roots += usize::from(self.frames.is_empty());
        match item {
            Item::String(range, is_text) => {
                summary.strings += usize::from(!range.is_empty());
                let text = self.bytes.get(range.clone()).unwrap_or_default();
                summary.broken += usize::from(*is_text && !super::is_printable(text));
            }
            Item::Chunks(_) => summary.strings += 1,
            _ => {}
        }
    }

    fn leaf(&self, item: &Item, is_key: bool, visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let made = || self.label(is_key);
        let field = |range: &Range<usize>| Field::new(self.codec, Label::Made(&made), range.clone(), Coding::Plain);
        match item {
            Item::Number(range, typed) if !range.is_empty() => visit(&field(range).typed(*typed)),
            Item::String(range, _) if !range.is_empty() => visit(&field(range)),
            Item::Chunks(chunks) => match &chunks[..] {
                [] => ControlFlow::Continue(()),
                [only] => visit(&field(only)),
                [first, .., last] => visit(&Field { chunks, ..field(&(first.start..last.end)) }),
            },
            _ => ControlFlow::Continue(()),
        }
    }

    /// The way to the current item as a JSON pointer (RFC 6901).
    fn label(&self, is_key: bool) -> String {
        let depth = self.frames.len() - usize::from(is_key);
        let mut pointer = if is_key { "key in ".to_owned() } else { String::new() };
        for frame in self.frames.iter().take(depth.min(DEEPEST_NAMED)) {
            self.segment(frame, &mut pointer);
        }
        if depth > DEEPEST_NAMED {
            pointer.push_str("/…");
        }
        pointer.truncate(pointer.trim_end().len());
        pointer
    }

    fn segment(&self, frame: &Frame, pointer: &mut String) {
        let _ = match (frame.is_map, frame.key) {
            (false, _) => write!(pointer, "/{}", frame.seen),
            (true, Key::Number(number)) => write!(pointer, "/{number}"),
            (true, Key::Other) => write!(pointer, "/?"),
            (true, Key::Text(start, end)) => {
                let name = shown(self.bytes.get(start..end).unwrap_or_default());
                write!(pointer, "/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        };
    }
}

fn key(item: &Item) -> Key {
    match item {
        Item::String(range, _) => Key::Text(range.start, range.end),
        Item::Number(_, Typed::Integer(number)) => Key::Number(*number),
        _ => Key::Other,
    }
}

/// `length` bytes at `at`.
pub(super) fn span(bytes: &[u8], at: usize, length: u64) -> Option<Range<usize>> {
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    (end <= bytes.len()).then_some(at..end)
}

/// A number of `width` bytes, the greatest first. At most eight.
pub(super) fn big_endian(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let number = bytes.get(at..at.checked_add(width)?)?;
    Some(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
