//! A binary property list that Python's plistlib wrote (`data/make_plist.py`).

use dyetrace_stores::{Damaged, Form, Found, Kind, Limits, read, recognise};
use std::collections::BTreeMap;

const PREFERENCES: &[u8] = include_bytes!("data/preferences.plist");

/// Values by their places.
type Values = BTreeMap<String, (Vec<u8>, Form)>;

fn everything(bytes: &[u8]) -> (Values, Vec<Damaged>) {
    let (mut values, mut damages) = (BTreeMap::new(), Vec::new());
    let mut count = 0;
    read(Kind::Plist, bytes, &Limits::default(), &mut |found| match found {
        Found::Damage(damage) => damages.push(damage.what),
        Found::Value(value) => {
            count += 1;
            if value.form != Form::Key {
                values.insert(value.place.to_string(), (value.bytes.into_owned(), value.form));
            }
        }
    });
    assert!(count < 100_000, "{count} values");
    (values, damages)
}

#[test]
fn values_have_the_keys_that_lead_to_them() {
    assert_eq!(recognise("x.plist", PREFERENCES), Some(Kind::Plist));
    let (values, damages) = everything(PREFERENCES);
    assert_eq!(damages, []);
    let text = |path: &str| (String::from_utf8(values[path].0.clone()).unwrap(), values[path].1);
    assert_eq!(text("user/phone"), ("13800000427".to_owned(), Form::Text));
    assert_eq!(text("user/again"), ("13800000427".to_owned(), Form::Text), "one object under two keys");
    assert_eq!(text("user/name"), ("张伟".to_owned(), Form::Text));
    assert_eq!(text("uid"), ("8613800000427".to_owned(), Form::Integer));
    assert_eq!(text("small"), ("-1".to_owned(), Form::Integer));
    assert_eq!(text("rate"), ("1.5".to_owned(), Form::Real));
    assert_eq!(text("agreed").0, "true");
    assert_eq!(text("list/1/deep").0, "value in the list");
    assert_eq!(values["token"], (vec![0xf0, 0xf1, 0xf2, 0xf3], Form::Blob));
    assert_eq!(text("when").0.split('.').next(), Some("789015845"), "seconds since 2001");
}

#[test]
fn an_array_that_holds_itself_ends() {
    // Object 0: an array of fifteen references to object 0.
    let mut list = b"bplist00".to_vec();
    list.extend([0xaf, 0x10, 15]);
    list.extend([0; 15]);
    let table = list.len() as u64;
    list.push(8);
    list.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    for number in [1, 0, table] {
        list.extend(number.to_be_bytes());
    }
    let (values, damages) = everything(&list);
    assert!(values.is_empty());
    assert_eq!(damages, [Damaged::Reference; 15]);
}

#[test]
fn objects_that_overlap_are_bounded() {
    // 200 arrays, one byte apart, each of 255 references to the others.
    let mut list = b"bplist00".to_vec();
    list.extend([0xaf; 200].iter().flat_map(|_| [0xaf, 0x10, 0xff]));
    list.extend((0..=254).collect::<Vec<u8>>());
    list.resize(8 + 600 + 900, 3);
    let table = list.len() as u64;
    list.extend((0..200_u16).flat_map(|index| (8 + 3 * index).to_be_bytes()));
    list.extend([0, 0, 0, 0, 0, 0, 2, 1]);
    for number in [200, 0, table] {
        list.extend(number.to_be_bytes());
    }
    let (_, damages) = everything(&list);
    assert!(damages.contains(&Damaged::Reference) && damages.len() < 5000, "{}", damages.len());
}

#[test]
fn cut_and_changed_lists_do_not_stop_the_reader() {
    for at in 0..PREFERENCES.len() {
        everything(&PREFERENCES[..at]);
        for bit in [0x01, 0x80, 0xff] {
            let mut changed = PREFERENCES.to_vec();
            changed[at] ^= bit;
            everything(&changed);
        }
    }
}
