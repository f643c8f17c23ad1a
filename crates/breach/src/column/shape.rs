//! Shapes of values: what kinds of characters, how many of each in a row, and signs. Never the characters.

use super::first_seen::FirstSeen;
use crate::kept::{In, Out};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most different shapes counted for a column.
const MOST: usize = 4096;
/// Longest value whose shape is taken, in bytes.
const LONGEST: usize = 128;

/// What the shapes of all columns may take together, in bytes.
const ALL_BYTES: usize = 128 << 20;
/// What a shape takes beside its characters.
const SHAPE: usize = 64;

/// What the shapes of all columns take together. Once one did not fit, no more are taken: which are, then no longer
/// depends on the order.
#[derive(Clone, Default)]
pub(crate) struct ShapeRoom(Arc<AtomicUsize>);

impl ShapeRoom {
    /// Whether there is room for one more; then it is taken.
    fn take(&self, shape: &str) -> bool {
        let taken = self.0.load(Ordering::Relaxed);
        let now = taken.saturating_add(held(shape));
        let fits = taken != usize::MAX && now <= ALL_BYTES;
        self.0.store(if fits { now } else { usize::MAX }, Ordering::Relaxed);
        fits
    }

    /// Whether so many more bytes fit, or none is taken any more.
    pub(crate) fn does_not_mind(&self, bytes: usize) -> bool {
        let taken = self.0.load(Ordering::Relaxed);
        taken == usize::MAX || taken.saturating_add(bytes) <= ALL_BYTES
    }

    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.number(self.0.load(Ordering::Relaxed) as u64)
    }

    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        Ok(Self(Arc::new(AtomicUsize::new(from.small()?))))
    }
}

/// What a shape takes.
fn held(shape: &str) -> usize {
    shape.len() + SHAPE
}

/// Shapes of a sample of a column.
#[derive(Default)]
pub(crate) struct Shapes {
    /// `None` where all are taken, for a while.
    room: Option<ShapeRoom>,
    counts: FirstSeen<String>,
    all: u64,
    /// What the shapes take.
    pub(crate) held: usize,
    /// The shape that was written last.
    written: String,
}

impl Shapes {
    /// None, in the room that all columns share.
    pub(crate) fn new(room: ShapeRoom) -> Self {
        Self { room: Some(room), ..Self::default() }
    }

    /// Counts the shape of a value.
    pub(crate) fn add(&mut self, value: &[u8]) {
        self.all += 1;
        let mut shape = std::mem::take(&mut self.written);
        write_shape(value, &mut shape);
        self.count(&shape, 1);
        self.written = shape;
    }

    /// Counts only how long a value is: where its characters differ would tell which of the commonest it is a digest of.
    pub(crate) fn add_length(&mut self, value: &[u8]) {
        self.all += 1;
        let mut shape = std::mem::take(&mut self.written);
        shape.clear();
        push(&mut shape, ('x', value.len().min(LONGEST)));
        self.count(&shape, 1);
        self.written = shape;
    }

    fn count(&mut self, shape: &str, times: u64) {
        let is_taken = |room: &ShapeRoom, counted: usize| counted < MOST && room.take(shape);
        if self.counts.again(shape, times) {
            return;
        }
        if self.room.as_ref().is_none_or(|room| is_taken(room, self.counts.len())) {
            self.held += held(shape);
            self.counts.first(shape.to_owned(), times);
        }
    }

    /// Counts what the other counted after this.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.all += other.all;
        for (shape, times) in other.counts.in_order() {
            self.count(shape, times);
        }
    }

    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.number(self.all)?;
        self.counts.keep(out, |shape, out| out.text(shape))
    }

    pub(crate) fn kept(from: &mut In<'_>, room: ShapeRoom) -> io::Result<Self> {
        let all = from.number()?;
        let counts = FirstSeen::kept(from, MOST, text)?;
        let held = counts.iter().map(|(shape, _)| held(shape)).sum();
        Ok(Self { room: Some(room), counts, all, held, written: String::new() })
    }

    /// The shapes of at least `least` values of the sample, the most repeated first, with their share of it.
    pub(crate) fn most(&self, most: usize, least: u64) -> Vec<(String, f64)> {
        let mut shapes: Vec<_> = self.counts.iter().filter(|(_, count)| *count >= least).collect();
        shapes.sort_unstable_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
        let share = |(shape, count): (&String, u64)| (shape.clone(), count as f64 / self.all.max(1) as f64);
        shapes.into_iter().take(most).map(share).collect()
    }
}

fn text(from: &mut In<'_>) -> io::Result<String> {
    from.text()
}

/// Runs of digits and letters that may follow each other. More are a mix: which stands where would tell a digest.
const MOST_RUNS: usize = 6;

/// `#` a digit, `a` and `A` letters, `x` a mix of them, `字` any other character, each with how many of it stand in a
/// row; ASCII signs as they are. `+86 138…` is `+#{2} #{3}…`.
fn write_shape(value: &[u8], shape: &mut String) {
    let value = value.get(..value.len().min(LONGEST)).unwrap_or_default();
    shape.clear();
    let mut writer = Writer { shape, from: 0, runs: 0, length: 0 };
    let mut run: (char, usize) = ('\0', 0);
    for byte in value {
        let class = match byte {
            b'0'..=b'9' => '#',
            b'a'..=b'z' => 'a',
            b'A'..=b'Z' => 'A',
            // The later bytes of a character.
            0x80..=0xbf => continue,
            0xc0.. => '字',
            b' '..=b'~' => char::from(*byte),
            _ => '·',
        };
        if class == run.0 {
            run.1 += 1;
        } else {
            writer.run(run);
            run = (class, 1);
        }
    }
    writer.run(run);
    writer.end_stretch();
}

/// Writes a shape, and knows the stretch of digits and letters that it ends with.
struct Writer<'s> {
    shape: &'s mut String,
    /// Where the stretch begins in the shape.
    from: usize,
    runs: usize,
    /// Characters of the value.
    length: usize,
}

impl Writer<'_> {
    fn run(&mut self, (class, count): (char, usize)) {
        if !matches!(class, '#' | 'a' | 'A') {
            self.end_stretch();
            return push(self.shape, (class, count));
        }
        if self.runs == 0 {
            self.from = self.shape.len();
        }
        self.runs += 1;
        self.length += count;
        if self.runs <= MOST_RUNS {
            push(self.shape, (class, count));
        }
    }

    fn end_stretch(&mut self) {
        if self.runs > MOST_RUNS {
            self.shape.truncate(self.from);
            push(self.shape, ('x', self.length));
        }
        (self.runs, self.length) = (0, 0);
    }
}

fn push(shape: &mut String, (class, count): (char, usize)) {
    if count > 0 {
        shape.push(class);
    }
    if count > 1 {
        let digit = |number: usize| char::from(b'0' + (number % 10) as u8);
        shape.push('{');
        if count >= 100 {
            shape.push(digit(count / 100));
        }
        if count >= 10 {
            shape.push(digit(count / 10));
        }
        shape.push(digit(count));
        shape.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(value: &[u8]) -> String {
        let mut shape = String::new();
        write_shape(value, &mut shape);
        shape
    }

    #[test]
    fn shapes_hold_classes_and_signs() {
        assert_eq!(shape(b"13812345678"), "#{11}");
        assert_eq!(shape(b"li.lei@Example.com"), "a{2}.a{3}@Aa{6}.a{3}");
        assert_eq!(shape("李雷".as_bytes()), "字{2}");
        assert_eq!(shape(b""), "");
        assert_eq!(shape(b"11010519491231002X"), "#{17}A");
        assert_eq!(shape(&[b'7'; 200]), "#{128}");
    }

    #[test]
    fn the_shape_of_a_common_passwords_digest_told_which_it_was() {
        assert_eq!(shape(b"e10adc3949ba59abbe56e057f20f883e"), "x{32}");
        assert_eq!(shape(b"e10adc3949ba59abbe56e057f20f883e:Ab1"), "x{32}:Aa#");
        assert_eq!(shape(b"ab1c2d3-e10adc3949ba59abbe56e057f20f883e"), "a{2}#a#a#-x{32}");
    }

    #[test]
    fn of_digests_only_the_length_is_told() {
        let mut shapes = Shapes::default();
        shapes.add_length(b"4QrcOUm6Wau+VuBX8g+IPg==");
        assert_eq!(shapes.most(5, 1), [("x{24}".to_owned(), 1.0)]);
    }

    #[test]
    fn shapes_of_few_are_not_told() {
        let mut shapes = Shapes::default();
        (0..20).for_each(|_| shapes.add(b"123"));
        (0..3).for_each(|_| shapes.add(b"unusual!"));
        assert_eq!(shapes.most(5, 10).iter().map(|(shape, _)| shape.as_str()).collect::<Vec<_>>(), ["#{3}"]);
    }

    #[test]
    fn shapes_of_all_columns_share_their_room() {
        let room = ShapeRoom::default();
        room.0.store(ALL_BYTES - 100, Ordering::Relaxed);
        let mut columns = [Shapes::new(room.clone()), Shapes::new(room)];
        columns[0].add(b"123");
        columns[1].add(b"abc");
        columns[0].add(b"456");
        columns[0].add(b"78-9");
        assert_eq!((columns[0].counts.len(), columns[1].counts.len()), (1, 0));
    }

    proptest! {
        #[test]
        fn a_shape_holds_no_letter_and_no_digit_of_the_value(value in "[b-wyzB-Z0-9]{1,40}") {
            let shape = shape(value.as_bytes());
            let outside: String = shape.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
            prop_assert!(outside.chars().all(|letter| matches!(letter, '#' | 'a' | 'A' | 'x')));
        }
    }
}
