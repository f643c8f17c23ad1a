//! Files that LevelDB itself wrote (`data/make_leveldb.py` says how).

use dyetrace_stores::{Damaged, Form, Found, Kind, Limits, State, read, recognise};
use std::borrow::Cow;

const COMPRESSED: &[u8] = include_bytes!("data/compressed.ldb");
const PLAIN: &[u8] = include_bytes!("data/plain.ldb");
const LOG: &[u8] = include_bytes!("data/changes.log");
const MANIFEST: &[u8] = include_bytes!("data/MANIFEST-000002");

/// Place, text, state and form of a value.
type Given = (String, String, State, Form);

/// Every value and all damages. Borrowed bytes are held against the file.
fn everything(bytes: &[u8]) -> (Vec<Given>, Vec<Damaged>) {
    let (mut values, mut damages) = (Vec::new(), Vec::new());
    let kind = recognise("000003.whatever", bytes).unwrap_or(Kind::LevelDbTable);
    read(kind, bytes, &Limits::default(), &mut |found| match found {
        Found::Damage(damage) => damages.push(damage.what),
        Found::Value(value) => {
            if let (Cow::Borrowed(given), Some(at)) = (&value.bytes, &value.at) {
                assert_eq!(*given, &bytes[at.start as usize..at.end as usize]);
            }
            let text = String::from_utf8_lossy(&value.bytes).into_owned();
            values.push((value.place.to_string(), text, value.state, value.form));
        }
    });
    (values, damages)
}

/// The values under a key, with their states.
fn under<'v>(values: &'v [Given], key: &str) -> Vec<(&'v str, State)> {
    let start = format!("key {key} (change ");
    let found = values.iter().filter(|(place, _, _, form)| place.starts_with(&start) && *form != Form::Key);
    found.map(|(_, text, state, _)| (text.as_str(), *state)).collect()
}

#[test]
fn files_are_recognised_by_content() {
    assert_eq!(recognise("x", COMPRESSED), Some(Kind::LevelDbTable));
    assert_eq!(recognise("x", LOG), Some(Kind::LevelDbLog));
    assert_eq!(recognise("x", MANIFEST), Some(Kind::LevelDbLog));
}

#[test]
fn tables_with_and_without_compression_hold_the_same() {
    for table in [COMPRESSED, PLAIN] {
        let (values, damages) = everything(table);
        assert_eq!(damages, []);
        for n in (0..60).filter(|n| *n != 7 && *n != 8) {
            let expected = format!("the contact number {n}, a friend of friends of friends");
            assert_eq!(under(&values, &format!("contact-{n:03}")), [(expected.as_str(), State::Live)]);
        }
    }
    // What stands between blocks stands elsewhere in each.
    let changes = |table| everything(table).0.into_iter().filter(|value| value.3 != Form::Raw).collect::<Vec<_>>();
    assert!(changes(COMPRESSED) == changes(PLAIN));
}

#[test]
fn older_and_removed_values_are_told_from_live_ones() {
    let (values, _) = everything(COMPRESSED);
    let old = "the contact number 7, a friend of friends of friends";
    let seven = under(&values, "contact-007");
    assert_eq!(seven, [("the new number of contact 7", State::Live), (old, State::Superseded)]);
    let old = "the contact number 8, a friend of friends of friends";
    assert_eq!(under(&values, "contact-008"), [(old, State::Deleted)]);
}

#[test]
fn local_storage_is_given_as_text() {
    for file in [COMPRESSED, PLAIN, LOG] {
        let (values, _) = everything(file);
        assert_eq!(under(&values, "https://shop.example phone"), [("13800000427", State::Live)]);
    }
    let (values, _) = everything(PLAIN);
    assert_eq!(under(&values, "https://shop.example 名"), [("张伟", State::Live)]);
}

#[test]
fn a_log_gives_every_change() {
    let (values, damages) = everything(LOG);
    assert_eq!(damages, []);
    assert_eq!(under(&values, "name"), [("first name", State::Superseded), ("second name", State::Live)]);
    assert_eq!(under(&values, "gone"), [("removed later", State::Deleted)]);
    assert_eq!(under(&values, "two"), [("of two", State::Live)]);
    let long = under(&values, "long");
    assert_eq!(long[0].0.len(), 33_000, "a value over blocks is put together");
}

#[test]
fn records_that_are_no_batches_are_given_as_they_are() {
    let (values, _) = everything(MANIFEST);
    assert!(values.iter().any(|(_, text, _, form)| text.contains("leveldb.BytewiseComparator") && *form == Form::Raw));
}

#[test]
fn a_wrong_checksum_is_said_and_the_rest_is_read() {
    let mut table = PLAIN.to_vec();
    let at = table.windows(7).position(|window| window == b"friends").unwrap();
    table[at] ^= 0x20;
    let (values, damages) = everything(&table);
    assert_eq!(damages, [Damaged::Checksum]);
    assert!(values.len() > 100);
}

#[test]
fn a_block_that_lies_about_its_length_is_not_inflated() {
    // 4 GiB announced in five bytes.
    let mut table = vec![0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 0, 0, 0];
    table.extend([0, 0, 0, 5]);
    table.resize(10 + 40, 0);
    table.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    let (_, damages) = everything(&table);
    assert!(damages.contains(&Damaged::Compression), "{damages:?}");
}

#[test]
fn cut_and_changed_files_do_not_stop_the_reader() {
    for file in [COMPRESSED, PLAIN, &LOG[..2000]] {
        for at in (0..file.len()).step_by(3) {
            everything(&file[..at]);
            let mut changed = file.to_vec();
            changed[at] ^= 0xff;
            everything(&changed);
        }
    }
}

/// An entry of a block that shares nothing with the key before.
fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0, key.len() as u8, value.len() as u8], key, value].concat()
}

/// A table of one block with these entries and what stands in the place of its restarts, compressed or not. The
/// checksums are wrong.
fn table_of(entries: &[u8], restarts: &[u8], compressed: bool) -> Vec<u8> {
    let count = (restarts.len() / 4) as u32;
    let mut block = [entries, restarts, &count.to_le_bytes()].concat();
    if compressed {
        block = snap::raw::Encoder::new().compress_vec(&block).expect("any bytes can be compressed");
    }
    let length = block.len();
    let index = [entry(b"k", &[0, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8]), vec![0; 4]].concat();
    let at = length + 5;
    let mut footer = vec![0, 0, (at & 0x7f) as u8 | 0x80, (at >> 7) as u8, index.len() as u8];
    footer.resize(40, 0);
    footer.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    [block, vec![u8::from(compressed), 0, 0, 0, 0], index, vec![0; 5], footer].concat()
}

#[test]
fn entries_that_are_no_changes_are_given_and_told() {
    let removal = [&b"gone"[..], &[0, 1, 0, 0, 0, 0, 0, 0]].concat();
    let put = [&b"kept"[..], &[1, 2, 0, 0, 0, 0, 0, 0]].concat();
    let good = entry(&put, b"a value");
    for compressed in [false, true] {
        let holds = |entries: &[u8], restarts: &[u8]| {
            let (values, damages) = everything(&table_of(entries, restarts, compressed));
            let is_told = damages.iter().any(|what| *what != Damaged::Checksum);
            (values.iter().any(|(_, text, _, _)| text.contains("13800000427")), is_told)
        };
        let short_key = [good.clone(), entry(b"short", b"13800000427")].concat();
        assert_eq!(holds(&short_key, &[0; 4]), (true, true), "a key without its number");
        let with_value = [good.clone(), entry(&removal, b"13800000427")].concat();
        assert_eq!(holds(&with_value, &[0; 4]), (true, false), "a removal with a value");
        assert_eq!(holds(&good, b"13800000427;"), (true, true), "restarts that are a text");
        assert_eq!(holds(&good, &[0; 4]), (false, false));
    }
}

#[test]
fn what_stands_behind_the_index_is_given() {
    let mut table = table_of(&entry(b"kept\x01\x02\0\0\0\0\0\0", b"a value"), &[0; 4], false);
    let footer = table.len() - 48;
    table[footer + 10..footer + 21].copy_from_slice(b"13800000427");
    table.splice(footer..footer, b"sesame".iter().copied());
    let (values, _) = everything(&table);
    for expected in ["13800000427", "sesame"] {
        assert!(values.iter().any(|(_, text, _, form)| text == expected && *form == Form::Raw), "{expected}");
    }
}
