//! Values of stores in which there is nothing to undo: words, numbers and hexadecimal ids.
//!
//! A database has some ten values for each row, and a search of its own for each of them costs more than everything in
//! them. Of a value without marks, structure and runs, the search asks four things: whether it is a known value or
//! digest as a whole, whether a pattern of the textual lane stands in it, and what it is in hexadecimal and in the
//! codings of whole fields. The first is asked of each; for the others, many values and what they decode to are laid one
//! behind the other and asked about together. A value in which anything is seen, or may be, is searched by itself after
//! all; of the others the same work is counted as if they had been.

use crate::batch::{Batch, FULL, Item};
use crate::classify::{Classes, Marks, SHORTEST_RUN};
use crate::codec::{Context, base64, recognise};
use crate::digest;
use crate::explore::{BASE_COST, Explorer, Tally, lookups_of};
use crate::quiet;
use crate::runs::{CUT_DIGEST, HIDING as HIDING_RUN, SHORTEST_DECODED as LONG_RUN, SHORTEST_HEX, is_mixed, leaves};
use crate::shifted_document;
use dyetrace_case::{Part, PartContent, PartName};
use std::ops::Range;

/// Fewer values are searched one by one.
const FEWEST: usize = 16;
/// Longest value that is looked at together with others.
const LONGEST: usize = 1024;
/// Base64 characters in a row that are decoded where letters of both cases and digits are among them.
const MIXED_RUN: usize = SHORTEST_RUN;

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
    /// Where its text ends.
    end: usize,
    /// How many items of the batch there are with those that it decodes to.
    items: usize,
    /// What was done to compare it as a whole.
    spent: Tally,
}

impl Waiting {
    fn is_full(&self) -> bool {
        self.text.len() >= FULL || self.batch.is_full()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
        self.batch.clear();
    }

    /// Numbers of the values in which the range lies.
    fn values_at(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.values.partition_point(|value| value.end <= range.start);
        let last = self.values.partition_point(|value| value.end < range.end);
        first..(last + 1).min(self.values.len())
    }

    /// The number of the value that decodes to the item.
    fn value_of(&self, item: usize) -> usize {
        self.values.partition_point(|value| value.items <= item)
    }

    /// The items that a value decodes to.
    fn items_of(&self, value: usize) -> &[Item] {
        let items = |value: usize| self.values.get(value).map_or(0, |value| value.items);
        let first = value.checked_sub(1).map_or(0, items);
        self.batch.items.get(first..items(value)).unwrap_or_default()
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
            if let (PartName::Stored { .. }, PartContent::Bytes(value)) = (&part.name, &part.content) {
                calm[number] = self.takes(value, number, &mut waiting);
            }
            if waiting.is_full() {
                self.ask(&mut waiting, &mut calm);
            }
        }
        self.ask(&mut waiting, &mut calm);
        calm
    }

    /// Lays the value with the others where nothing in it stands out. What it is as a whole is asked at once.
    fn takes(&mut self, value: &[u8], part: usize, waiting: &mut Waiting) -> bool {
        let is_hex = is_hex(value);
        let stands_out = || if is_hex { shifted_document::may_be(value) } else { self.stands_out(value) };
        if !is_plain(value) || stands_out() || recognise(value, Context::Any).is_some() {
            return false;
        }
        let before = self.tally;
        if !self.is_nothing_as_a_whole(value) {
            self.tally = before;
            return false;
        }
        leaves(value, 0..value.len(), &mut waiting.batch);
        if is_hex {
            waiting.batch.hex(value, &(0..value.len()));
        }
        waiting.text.extend_from_slice(value);
        let (end, items, spent) = (waiting.text.len(), waiting.batch.items.len(), self.tally.since(before));
        waiting.values.push(Value { part, end, items, spent });
        waiting.text.push(0);
        true
    }

    /// True where the value holds runs that are decoded, or words that only a search of its own tells from others.
    fn stands_out(&self, value: &[u8]) -> bool {
        let is_decoded = |run: Range<usize>| {
            let text = &value[run];
            text.len() >= LONG_RUN
                || text.len() >= MIXED_RUN && is_mixed(text)
                || text.len() >= HIDING_RUN && self.hides_value(text)
        };
        quiet::any_run(value, base64::is_character, is_decoded) || quiet::holds_known(self.needles, value)
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

    /// Asks about all that waits, and wakes the parts that may hold something.
    fn ask(&mut self, waiting: &mut Waiting, calm: &mut [bool]) {
        let mut woken = Vec::new();
        let needles = self.needles;
        needles.filter.scan(&waiting.text, &mut |found| woken.extend(waiting.values_at(&found.range)));
        waiting.classes.read(&waiting.text);
        let mut awake = 0;
        for candidate in &Marks::of(&waiting.text, &waiting.classes).candidates {
            // They are in order of their starts, and may lie in each other: no value is named once for each.
            let values = waiting.values_at(&candidate.span);
            woken.extend(values.start.max(awake)..values.end);
            awake = awake.max(values.end);
        }
        woken.extend(self.stirring(&waiting.batch).into_iter().map(|item| waiting.value_of(item)));
        woken.sort_unstable();
        woken.dedup();
        for number in woken {
            let Some(value) = waiting.values.get(number) else { continue };
            calm[value.part] = false;
            // It is counted when it is searched.
            let items = waiting.items_of(number);
            self.tally.work -= value.spent.work + items.iter().map(|item| item.decoded.len() as u64).sum::<u64>();
            self.tally.fields -= value.spent.fields;
            let lookups = items.iter().map(|item| lookups_of(item.undo, waiting.batch.decoded(item))).sum::<u64>();
            self.tally.lookups -= value.spent.lookups + lookups;
        }
        waiting.clear();
    }
}

/// True for digits that the search decodes, and nothing else.
fn is_hex(value: &[u8]) -> bool {
    (value.len() == CUT_DIGEST || value.len() >= SHORTEST_HEX) && value.iter().all(u8::is_ascii_hexdigit)
}

/// True for printable text in which no character begins an escape or separates fields.
fn is_plain(value: &[u8]) -> bool {
    let is_one = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'\\' | b'&' | b'=' | b'+' | b'"');
    (1..=LONGEST).contains(&value.len()) && value.iter().fold(true, |all, byte| all & is_one(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let name = |number: usize| format!("table t, row {number}, column a").into_bytes();
        let headers = values.iter().enumerate().map(|(number, value)| (name(number), value.clone())).collect();
        let mut record = Record::of_request(Message { headers, target: Some(b"a.db".to_vec()), ..Message::default() });
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
        (0..PLANTED.len(), 0..7usize).prop_map(move |(which, way)| {
            let value = PLANTED[which].1.as_bytes();
            match way {
                0 => value.to_vec(),
                1 => hex(value),
                2 => hex(&<sha2::Sha256 as sha2::Digest>::digest(value)),
                3 => value.iter().rev().copied().collect(),
                4 => value.iter().map(|byte| byte ^ 3).collect(),
                5 => [b"it was ", value, b" as before"].concat(),
                _ => value.to_ascii_uppercase(),
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
            "[ -~]{1,60}",
        ]
        .prop_map(String::into_bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn together_the_same_is_seen_as_of_each_alone_and_the_same_work_is_counted(
            values in proptest::collection::vec(prop_oneof![1 => planted(), 6 => other()], FEWEST..120),
        ) {
            same_together(&values);
        }
    }

    #[test]
    fn words_numbers_and_ids_are_calm() {
        let values = ["an old friend came by", "1790000000000", "3", "9c3f61aa07d2e458", "0216000017"];
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
