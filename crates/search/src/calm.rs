//! Values of stores in which there is nothing to undo: words, numbers, ids and paths.
//!
//! A database has some ten values for each row, and a search of its own for each of them costs more than everything in
//! them. Of a printable value without escapes and structure, the search asks four things: whether it is a known value or
//! digest as a whole, whether a pattern of the textual lane stands in it, and what it and the runs in it are in base64,
//! in hexadecimal and in the codings of whole fields. The first is asked of each; for the others, many values are laid
//! one behind the other, and so is what they decode to, and all are asked about together. A value in which anything is
//! seen, or may be, is searched by itself after all; of the others the same work is counted as if they had been.

use crate::batch::{Batch, FULL};
use crate::classify::{Classes, Marks};
use crate::codec::{Context, recognise};
use crate::digest;
use crate::explore::{BASE_COST, Explorer, Tally, lookups_of};
use crate::runs::leaves;
use crate::shifted_document;
use dyetrace_case::{Part, PartContent, PartName};
use std::ops::Range;

/// Fewer values are searched one by one.
const FEWEST: usize = 16;
/// Longest value that is looked at together with others.
const LONGEST: usize = 1024;

/// Values that wait to be asked about together.
#[derive(Default)]
struct Waiting {
    /// Values one behind the other, with a zero byte behind each.
    text: Vec<u8>,
    values: Vec<Value>,
    /// What they decode to.
    batch: Batch,
    classes: Classes,
}

/// A value that waits.
struct Value {
    /// The number of the part that it is.
    part: usize,
    /// Where its text is.
    text: Range<usize>,
    /// Something may be in it.
    is_awake: bool,
    /// What was done to compare it as a whole.
    spent: Tally,
}

impl Waiting {
    fn push(&mut self, part: usize, value: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(value);
        let text = start..self.text.len();
        self.text.push(0);
        self.values.push(Value { part, text, is_awake: false, spent: Tally::default() });
    }

    /// Wakes every value that the range touches.
    fn wake(&mut self, range: &Range<usize>) {
        let first = self.values.partition_point(|value| value.text.end <= range.start);
        let touched = self.values.iter_mut().skip(first).take_while(|value| value.text.start < range.end);
        touched.for_each(|value| value.is_awake = true);
    }
}

impl Explorer<'_> {
    /// True at each part that holds nothing: it was searched, and the work is counted.
    pub(crate) fn calm(&mut self, parts: &[Part<'_>]) -> Vec<bool> {
        let mut calm = vec![false; parts.len()];
        let stored = parts.iter().filter(|part| matches!(part.name, PartName::Stored { .. })).count();
        if stored < FEWEST || !self.may_be_quiet() {
            return calm;
        }
        let mut waiting = Waiting::default();
        for (number, part) in parts.iter().enumerate() {
            if let (PartName::Stored { .. }, PartContent::Bytes(value)) = (&part.name, &part.content)
                && is_plain(value)
            {
                waiting.push(number, value);
            }
            if waiting.text.len() >= FULL {
                self.ask(&mut waiting, &mut calm);
            }
        }
        self.ask(&mut waiting, &mut calm);
        calm
    }

    /// Asks about all that waits, and tells the parts that hold nothing.
    fn ask(&mut self, waiting: &mut Waiting, calm: &mut [bool]) {
        self.ask_texts(waiting);
        for number in 0..waiting.values.len() {
            self.ask_as_a_whole(waiting, number);
        }
        self.ask_runs(waiting);
        self.ask_undone(waiting);
        for value in waiting.values.drain(..).filter(|value| !value.is_awake) {
            calm[value.part] = true;
        }
        waiting.text.clear();
    }

    /// Wakes values in which a pattern or a mark stands.
    fn ask_texts(&self, waiting: &mut Waiting) {
        let mut seen = Vec::new();
        self.needles.filter.scan(&waiting.text, &mut |found| seen.push(found.range));
        waiting.classes.read(&waiting.text);
        seen.extend(Marks::of(&waiting.text, &waiting.classes).candidates.into_iter().map(|found| found.span));
        // They may lie in each other: no value is woken once for each.
        seen.sort_unstable_by_key(|range| range.start);
        let mut awake = 0;
        for range in seen {
            if range.end > awake {
                awake = range.end;
                waiting.wake(&range);
            }
        }
    }

    /// Wakes the value where it is something as a whole; else decodes it as codecs of whole fields do.
    fn ask_as_a_whole(&mut self, waiting: &mut Waiting, number: usize) {
        let Waiting { text, values, batch, .. } = waiting;
        let Some(value) = values.get_mut(number).filter(|value| !value.is_awake) else { return };
        let (before, bytes) = (self.tally, &text[value.text.clone()]);
        value.is_awake = shifted_document::may_be(bytes)
            || recognise(bytes, Context::Any).is_some()
            || !self.is_nothing_as_a_whole(bytes);
        if value.is_awake {
            self.tally = before;
        } else {
            value.spent = self.tally.since(before);
            leaves(text, value.text.clone(), batch);
        }
    }

    /// Compares the whole value with everything that is compared with whole fields, and counts that.
    fn is_nothing_as_a_whole(&mut self, value: &[u8]) -> bool {
        if !self.affords(value.len() as u64 + BASE_COST) {
            return false;
        }
        self.tally.work += value.len() as u64 + BASE_COST;
        if let Some(beside) = self.needles.beside.as_ref().filter(|beside| value.len() >= beside.shortest()) {
            let looked = beside.look(value);
            if looked.is_cut || !looked.seen.is_empty() {
                return false;
            }
            self.tally.work = self.tally.work.saturating_add(looked.work);
        }
        let mut finds = Vec::new();
        self.compare_whole(value, &mut finds);
        if digest::is_length(value.len()) {
            self.look_up(value, 0, &mut finds);
        }
        finds.is_empty()
    }

    /// Decodes the runs in values that are not awake.
    fn ask_runs(&mut self, waiting: &mut Waiting) {
        let Waiting { text, values, batch, classes } = waiting;
        let is_asleep = |run: &Range<usize>| {
            let value = values.partition_point(|value| value.text.end <= run.start);
            values.get(value).is_some_and(|value| !value.is_awake)
        };
        self.runs_of_fields(text, classes, is_asleep, batch);
    }

    /// Wakes values that decode to something.
    fn ask_undone(&mut self, waiting: &mut Waiting) {
        for item in self.stirring(&waiting.batch) {
            if let Some(item) = waiting.batch.items.get(item) {
                waiting.wake(&item.encoded.clone());
            }
        }
        // Values that woke are counted when they are searched.
        let Waiting { values, batch, .. } = waiting;
        for value in values.iter_mut().filter(|value| value.is_awake) {
            let spent = std::mem::take(&mut value.spent);
            self.tally.work -= spent.work;
            self.tally.fields -= spent.fields;
            self.tally.lookups -= spent.lookups;
        }
        let is_awake = |at: usize| {
            let value = values.partition_point(|value| value.text.end <= at);
            values.get(value).is_some_and(|value| value.is_awake)
        };
        for item in batch.items.iter().filter(|item| is_awake(item.encoded.start)) {
            self.tally.work -= item.decoded.len() as u64;
            self.tally.lookups -= lookups_of(item.undo, batch.decoded(item));
        }
        batch.clear();
    }
}

/// True for printable text in which no character begins an escape or separates fields.
fn is_plain(value: &[u8]) -> bool {
    let is_one = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'\\' | b'&' | b'=' | b'+' | b'"');
    (1..=LONGEST).contains(&value.len()) && value.iter().fold(true, |all, byte| all & is_one(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::base64;
    use crate::explore::Node;
    use crate::find::Find;
    use crate::needles::Needles;
    use crate::{Options, Scanner, Scratch};
    use dyetrace_case::{KeyMaterial, Message, Protocol, Record, Secret, Subject};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const PLANTED: [(&str, &str); 6] = [
        ("phone", "13812345427"),
        ("pin", "4821"),
        ("wifi.password", "Qm7xTr2pKd9w"),
        ("email", "lin.wei@mail.example"),
        ("android.id", "9774d56d682e549c"),
        ("street", "Linden Street 4 B"),
    ];

    static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
        let mut subject = Subject::default();
        for (kind, value) in PLANTED {
            subject.add(kind.parse().unwrap(), Secret::new(value));
        }
        subject
    });
    static NEEDLES: LazyLock<Needles> = LazyLock::new(|| Needles::new(&SUBJECT, &KeyMaterial::default(), &[], 1));

    /// A file of a store that holds the values.
    fn store(values: &[Vec<u8>]) -> Record {
        let mut message = Message { target: Some(b"a.db".to_vec()), ..Message::default() };
        for (number, value) in values.iter().enumerate() {
            message.values.push(&format_args!("table t, row {number}, column a"), value);
        }
        let mut record = Record::of_request(message);
        record.protocol = Protocol::File;
        record
    }

    /// What is seen in all values, and what it takes: together, or each by itself.
    fn explored(record: &Record, together: bool) -> (Vec<(usize, Vec<Find>)>, Tally) {
        let (parts, options) = (record.parts(), Options::default());
        let mut explorer = Explorer::new(&NEEDLES, &options, 1 << 30);
        let calm = if together { explorer.calm(&parts) } else { vec![false; parts.len()] };
        let mut seen = Vec::new();
        for (number, part) in parts.iter().enumerate().filter(|(number, _)| !calm[*number]) {
            let PartContent::Bytes(bytes) = part.content else { continue };
            let node = Node { context: Context::Any, depth: 0, is_field: true };
            let finds = explorer.explore(bytes, node);
            seen.extend((!finds.is_empty()).then_some((number, finds)));
        }
        (seen, explorer.tally)
    }

    fn same_together(values: &[Vec<u8>]) {
        let record = store(values);
        let ((seen, spent), (alone, spent_alone)) = (explored(&record, true), explored(&record, false));
        let places = |seen: &[(usize, Vec<Find>)]| -> Vec<String> {
            let place = |(number, find): (usize, &Find)| {
                format!("{number} {} {:?} {:?} {:?} {:?}", find.datum, find.seen, find.range, find.decoded, find.steps)
            };
            seen.iter().flat_map(|(number, finds)| finds.iter().map(move |find| place((*number, find)))).collect()
        };
        assert_eq!(places(&seen), places(&alone));
        assert_eq!(spent, spent_alone);
    }

    /// A planted value, plain or wrapped in one of the ways that leave no mark.
    fn planted() -> impl Strategy<Value = Vec<u8>> {
        let hex = |bytes: &[u8]| dyetrace_case::hex(bytes).into_bytes();
        let base64 = |bytes: &[u8]| String::from_utf8(base64::wrap(bytes, false, false)).unwrap();
        (0..PLANTED.len(), 0..12usize).prop_map(move |(which, way)| {
            let value = PLANTED[which].1.as_bytes();
            match way {
                0 => value.to_vec(),
                1 => hex(value),
                2 => hex(&<sha2::Sha256 as sha2::Digest>::digest(value)),
                3 => value.iter().rev().copied().collect(),
                4 => value.iter().map(|byte| byte ^ 3).collect(),
                5 => [b"it was ", value, b" as before"].concat(),
                6 => value.to_ascii_uppercase(),
                7 => base64(value).into_bytes(),
                8 => format!("files/{}.bin", base64(&[b"it was ", value, b" as before"].concat())).into_bytes(),
                9 => format!("to {} at once", base64(hex(value).as_slice())).into_bytes(),
                10 => value[value.len() / 2..].to_vec(),
                _ => [b"(", value, b")"].concat(),
            }
        })
    }

    fn other() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "[a-z]{1,9}( [a-z]{1,9}){0,12}",
            "[0-9]{1,20}",
            "[0-9a-f]{16}",
            "([0-9a-f]{2}){12,40}",
            "[A-Za-z0-9]{4,40}",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[A-Za-z0-9/_-]{16,60}",
            "(/[a-z]{1,9}){1,6}[.]txt",
            "([0-9]{1,3}[ ,;]){2,20}",
            "[A-Z2-7]{16,40}",
            "[{]'a':'[a-z0-9]{4,20}'[}]",
            "(https?:/)?(/[a-z0-9]{1,9}){1,5}[?]?",
            "[ -~]{1,60}",
        ]
        .prop_map(String::into_bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn together_the_same_is_seen_as_of_each_alone_and_the_same_work_is_counted(
            values in proptest::collection::vec(prop_oneof![1 => planted(), 6 => other()], FEWEST..120),
        ) {
            same_together(&values);
        }
    }

    #[test]
    fn words_numbers_and_ids_are_calm() {
        let values =
            ["an old friend came by", "1790000000000", "3", "9c3f61aa07d2e458", "/data/user/0/app", "0216000017"];
        let values: Vec<Vec<u8>> = values.iter().cycle().take(50).map(|value| value.as_bytes().to_vec()).collect();
        let record = store(&values);
        let calm = Explorer::new(&NEEDLES, &Options::default(), 1 << 30).calm(&record.parts());
        assert_eq!(calm.iter().filter(|calm| **calm).count(), values.len());
    }

    #[test]
    fn a_value_among_many_that_hold_nothing_is_told_where_it_stands() {
        let mut values = vec![b"an old friend came by".to_vec(); 60];
        values[41] = b"my number is 13812345427 now".to_vec();
        let found = Scanner::new(&SUBJECT, Options::default()).search(&store(&values), &mut Scratch::default());
        let [found] = found.sightings.as_slice() else { unreachable!("{:?}", found.sightings) };
        assert!(matches!(&found.place.part, PartName::Stored { index: 41, .. }), "{:?}", found.place);
    }
}
