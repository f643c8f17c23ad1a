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

/// A list of these objects, the first of which is the top; what is between the table and the trailer; and the trailer.
fn list_of(objects: &[Vec<u8>], reference_size: u8) -> Vec<u8> {
    let (mut list, mut offsets) = (b"bplist00".to_vec(), Vec::new());
    for object in objects {
        offsets.extend((list.len() as u32).to_be_bytes());
        list.extend(object);
    }
    let table = list.len() as u64;
    list.extend(offsets);
    list.extend([0, 0, 0, 0, 0, 0, 4, reference_size]);
    for number in [objects.len() as u64, 0, table] {
        list.extend(number.to_be_bytes());
    }
    list
}

/// Each dictionary holds the next under a key of no letters, which no path names.
#[test]
fn dictionaries_under_empty_keys_do_not_exhaust_the_stack() {
    let nested = 60_000_u32;
    let dictionary = |index: u32| {
        let reference = |index: u32| index.to_be_bytes();
        [&[0xd1][..], &reference(nested), &reference((index + 1).min(nested))].concat()
    };
    let objects: Vec<Vec<u8>> = (0..nested).map(dictionary).chain([vec![0x50]]).collect();
    let (_, damages) = everything(&list_of(&objects, 4));
    assert!(damages.contains(&Damaged::Limit), "deeper ones are not followed");
}

#[test]
fn bytes_that_no_object_covers_are_given_raw() {
    // The second object is longer than it says; bytes stand behind the table and in the trailer too.
    let objects = [vec![0xa1, 1], [&[0x54][..], b"open", b"13800000427"].concat()];
    let mut list = list_of(&objects, 1);
    let table_end = list.len() - 32;
    list.splice(table_end..table_end + 6, b"pin042".iter().copied());
    list.splice(table_end..table_end, b"sesame".iter().copied());
    let (values, damages) = everything(&list);
    assert_eq!(damages, []);
    let raw: Vec<&[u8]> =
        values.values().filter(|(_, form)| *form == Form::Raw).map(|(bytes, _)| bytes.as_slice()).collect();
    assert_eq!(raw, [&b"13800000427"[..], b"sesame", b"pin042"]);
    assert_eq!(values["0"].0, b"open");
}

#[test]
fn a_list_that_is_covered_gives_nothing_raw() {
    let (values, _) = everything(PREFERENCES);
    assert!(values.values().all(|(_, form)| *form != Form::Raw));
}

#[test]
fn whole_numbers_of_sixteen_bytes_are_decimals() {
    let number = |marker: u8, value: u128| [&[marker][..], &value.to_be_bytes()].concat();
    let objects = [
        vec![0xa4, 1, 2, 3, 4],
        number(0x14, u128::from(u64::MAX)),
        number(0x14, u128::MAX),
        [&[0x13][..], &u64::MAX.to_be_bytes()].concat(),
        [&[0x87][..], &u64::MAX.to_be_bytes()].concat(),
    ];
    let (values, damages) = everything(&list_of(&objects, 1));
    assert_eq!(damages, []);
    let text = |path: &str| (String::from_utf8(values[path].0.clone()).unwrap(), values[path].1);
    assert_eq!(text("0"), ("18446744073709551615".to_owned(), Form::Integer), "as CoreFoundation keeps what is large");
    assert_eq!(text("1"), ("-1".to_owned(), Form::Integer));
    assert_eq!(text("2"), ("-1".to_owned(), Form::Integer));
    assert_eq!(text("3"), ("18446744073709551615".to_owned(), Form::Integer), "an identifier has no sign");
}
