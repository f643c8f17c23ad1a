//! Databases that SQLite itself wrote (`data/make_sqlite.py` says how), read byte by byte.

use dyetrace_stores::{Damaged, Database, File, Form, Found, Limits, Place, State, read_sqlite};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

const MESSAGES: &[u8] = include_bytes!("data/messages.db");
const UTF16: &[u8] = include_bytes!("data/utf16.db");
const LOG: (&[u8], &[u8]) = (include_bytes!("data/log.db"), include_bytes!("data/log.db-wal"));
const YOUNG: (&[u8], &[u8]) = (include_bytes!("data/young.db"), include_bytes!("data/young.db-wal"));
const JOURNAL: (&[u8], &[u8]) = (include_bytes!("data/journal.db"), include_bytes!("data/journal.db-journal"));

#[derive(Debug)]
struct Given {
    place: String,
    bytes: Vec<u8>,
    text: String,
    at: Option<Range<u64>>,
    file: File,
    state: State,
    form: Form,
}

/// Everything that a reading gives. Every borrowed value is held against the file.
fn everything(database: Database<'_>) -> (Vec<Given>, Vec<(Range<u64>, Damaged)>) {
    let (mut values, mut damages) = (Vec::new(), Vec::new());
    read_sqlite(&database, &Limits::default(), &mut |found| match found {
        Found::Damage(damage) => damages.push((damage.at, damage.what)),
        Found::Value(value) => {
            let file = match value.file {
                File::Main => database.main,
                File::Wal => database.wal.unwrap_or_default(),
                File::Journal => database.journal.unwrap_or_default(),
            };
            if let (Cow::Borrowed(bytes), Some(at)) = (&value.bytes, &value.at) {
                assert_eq!(*bytes, &file[at.start as usize..at.end as usize], "{}", value.place);
                if let Place::Column { page, .. } | Place::Page { page, .. } = value.place
                    && value.file == File::Main
                {
                    assert_eq!(at.start, u64::from(page.number - 1) * 512 + u64::from(page.offset));
                }
            }
            values.push(Given {
                place: value.place.to_string(),
                text: String::from_utf8_lossy(&value.bytes).into_owned(),
                bytes: value.bytes.into_owned(),
                at: value.at,
                file: value.file,
                state: value.state,
                form: value.form,
            });
        }
    });
    (values, damages)
}

fn main_only(main: &[u8]) -> Vec<Given> {
    let (values, damages) = everything(Database { main, ..Database::default() });
    assert_eq!(damages, []);
    values
}

/// The only value whose place starts so.
fn the<'g>(values: &'g [Given], place: &str) -> &'g Given {
    let found: Vec<&Given> = values.iter().filter(|value| value.place.starts_with(place)).collect();
    assert_eq!(found.len(), 1, "{place}: {found:?}");
    found[0]
}

#[test]
fn every_column_of_a_row_has_its_name_and_place() {
    let values = main_only(MESSAGES);
    let of_row_3 = |column| the(&values, &format!("table messages, row 3, column {column} ("));
    assert_eq!(of_row_3("_id").text, "3");
    assert_eq!(of_row_3("peer").text, "peer-03");
    assert_eq!(of_row_3("rate").text, "3.25");
    assert_eq!(of_row_3("seen").text, "-3000");
    assert_eq!(of_row_3("raw").bytes, [0xf0, 3, 0xf1, 3]);
    let body = of_row_3("body");
    assert_eq!((body.text.as_str(), body.form, body.state), ("the body of message 3", Form::Text, State::Live));
    assert!(body.at.is_some());
    assert_eq!(the(&values, "table messages, row 2, column late").text, "came later");
    assert_eq!(the(&values, "table settings, column name").text, "password");
    assert_eq!(the(&values, "table settings, column value").text, "sesame");
    assert_eq!(the(&values, "table messages, row 13800000427, column _id").text, "13800000427");
}

#[test]
fn an_index_gives_its_own_copies() {
    let values = main_only(MESSAGES);
    let copies = values.iter().filter(|value| value.place.starts_with("index by_peer, column peer")).count();
    assert_eq!(copies, 12);
}

#[test]
fn a_long_value_is_put_together_from_its_overflow_pages() {
    let values = main_only(MESSAGES);
    let body = the(&values, "table messages, row 13800000427, column body");
    let parts: Vec<String> = (0..200).map(|n| format!("part {n:04};")).collect();
    assert_eq!((body.text.as_str(), &body.at), (parts.concat().as_str(), &None));
}

#[test]
fn what_was_deleted_is_still_found() {
    let values = main_only(MESSAGES);
    let find = |text: &str| values.iter().filter(|value| value.text.contains(text)).collect::<Vec<_>>();
    let removed = find("the body of message 7");
    // Where its page was, and where it stood before that page was split.
    assert_eq!(removed.len(), 2, "{removed:?}");
    for value in removed {
        assert_eq!((value.state, value.form), (State::Unallocated, Form::Raw));
        assert!(value.place.starts_with("space between records of table messages"), "{}", value.place);
    }
    for n in 0..30 {
        let found = find(&format!("gone with its table, number {n:03}"));
        assert!(!found.is_empty(), "row {n} of the dropped table");
        assert!(found.iter().all(|value| value.state != State::Live));
    }
    let whole =
        values.iter().filter(|value| value.state == State::Deleted && value.text.starts_with("gone with")).count();
    assert!(whole > 10, "{whole} records stand whole on free pages");
}

#[test]
fn text_in_utf16_is_given_as_utf8() {
    let values = main_only(UTF16);
    let name = the(&values, "table people, row 1, column name");
    assert_eq!(name.text, "张伟 Zhang");
    assert_eq!(name.at.clone().map(|at| at.end - at.start), Some(16), "the place is that of the encoded text");
}

#[test]
fn the_log_overlays_the_database() {
    let (values, damages) = everything(Database { main: LOG.0, wal: Some(LOG.1), journal: None });
    assert_eq!(damages, []);
    let states = |text: &str| {
        let found = values.iter().filter(|value| value.text.starts_with(text) && value.form == Form::Text);
        found.map(|value| (value.state, value.file)).collect::<BTreeSet<_>>()
    };
    assert_eq!(states("second in the log"), [(State::Live, File::Wal), (State::Uncommitted, File::Wal)].into());
    assert_eq!(states("first in the log"), [(State::Superseded, File::Wal)].into());
    assert!(states("in the database").contains(&(State::Superseded, File::Main)), "as it stood before");
    assert!(states("in the database").contains(&(State::Live, File::Wal)));
    let unfinished = states("never finished");
    assert_eq!(unfinished, [(State::Uncommitted, File::Wal)].into());
    let live: Vec<&Given> = values.iter().filter(|value| value.state == State::Live).collect();
    assert!(live.iter().any(|value| value.place.starts_with("table t, row 2, column a (page 2 in frame 2 of the ")));
}

/// The header of the database file is older than that in the log, and says nothing of the encoding yet.
#[test]
fn the_newest_header_counts() {
    let (values, _) = everything(Database { main: YOUNG.0, wal: Some(YOUNG.1), journal: None });
    assert_eq!(the(&values, "table people, row 1, column name").text, "张伟 Zhang");
}

#[test]
fn a_log_alone_is_read_too() {
    let (values, _) = everything(Database { wal: Some(LOG.1), ..Database::default() });
    let second = values.iter().find(|value| value.text == "second in the log" && value.state == State::Live).unwrap();
    assert!(second.place.starts_with("an unknown table, row 2, column 1"), "{}", second.place);
}

#[test]
fn a_log_with_a_broken_checksum_is_not_believed() {
    let mut wal = LOG.1.to_vec();
    wal[32 + 24 + 100] ^= 1;
    let (values, _) = everything(Database { main: LOG.0, wal: Some(&wal), journal: None });
    assert!(values.iter().any(|value| value.text == "in the database" && value.state == State::Live));
    assert!(values.iter().all(|value| value.state != State::Live || value.file == File::Main));
    assert!(values.iter().any(|value| value.text == "second in the log" && value.state == State::Superseded));
}

#[test]
fn a_journal_tells_what_was_before() {
    let (values, _) = everything(Database { main: JOURNAL.0, wal: None, journal: Some(JOURNAL.1) });
    let before = values.iter().find(|value| value.text == "before the change").unwrap();
    assert_eq!((before.state, before.file), (State::Superseded, File::Journal));
    assert!(before.place.starts_with("table t, row 1, column a (page 2 in record "), "{}", before.place);
    assert!(values.iter().any(|value| value.text == "after the change!" && value.state == State::Live));
}

/// Every byte of the file that says something is in a value: only what structures pages is not.
#[test]
fn no_word_of_the_file_is_left_out() {
    let values = main_only(MESSAGES);
    let mut covered = vec![false; MESSAGES.len()];
    for at in values.iter().filter_map(|value| value.at.clone()) {
        covered[at.start as usize..at.end as usize].fill(true);
    }
    let mut run = Vec::new();
    for (byte, covered) in MESSAGES.iter().zip(covered).skip(100) {
        if !covered && (byte.is_ascii_alphabetic()) {
            run.push(*byte);
        } else {
            run.clear();
        }
        // The long value stands on three pages and has no place in one piece.
        assert!(run.len() < 6 || run.starts_with(b"part"), "{:?}", String::from_utf8_lossy(&run));
    }
}

#[test]
fn cut_and_changed_databases_do_not_stop_the_reader() {
    for (main, wal) in [(MESSAGES, None), (LOG.0, Some(LOG.1))] {
        for cut in (0..main.len()).step_by(97) {
            everything(Database { main: &main[..cut], wal, journal: None });
        }
        for change in (0..main.len()).step_by(5) {
            let mut changed = main.to_vec();
            changed[change] ^= 0xff;
            if changed[16..18] == main[16..18] && changed[..16] == main[..16] && changed[20] == main[20] {
                everything(Database { main: &changed, wal, journal: None });
            }
        }
    }
}

/// Two pages that name each other as children, and an overflow page that names itself.
#[test]
fn pages_in_a_circle_end() {
    let mut circle = MESSAGES.to_vec();
    circle[100] = 5;
    circle[108..112].copy_from_slice(&1_u32.to_be_bytes());
    let (_, damages) = everything(Database { main: &circle, ..Database::default() });
    assert!(damages.iter().any(|(_, what)| *what == Damaged::Page), "{damages:?}");
    let mut circle = MESSAGES.to_vec();
    let part = circle.windows(4).rposition(|window| window == b"part").unwrap();
    let page = part / 512;
    circle[page * 512..page * 512 + 4].copy_from_slice(&(page as u32 + 1).to_be_bytes());
    let (values, _) = everything(Database { main: &circle, ..Database::default() });
    assert!(!values.is_empty());
}

/// Whether some value holds these bytes.
fn holds(values: &[Given], bytes: &[u8]) -> bool {
    values.iter().any(|value| value.bytes.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn names_of_columns_are_charged_and_not_kept_when_refused() {
    let limits = Limits { made: 100, ..Limits::default() };
    let (mut places, mut limited) = (Vec::new(), 0);
    let database = Database { main: MESSAGES, ..Database::default() };
    read_sqlite(&database, &limits, &mut |found| match found {
        Found::Value(value) => places.push(value.place.to_string()),
        Found::Damage(damage) => limited += u32::from(damage.what == Damaged::Limit),
    });
    assert_eq!(limited, 1, "it is said once");
    assert!(places.iter().any(|place| place.starts_with("table messages, row 3, column 3 (")));
    assert!(!places.iter().any(|place| place.contains("column body")));
}

#[test]
fn a_list_of_free_pages_that_is_none_is_given_raw() {
    let trunk = u32::from_be_bytes(MESSAGES[32..36].try_into().unwrap()) as usize;
    for count in [3_u32, 200] {
        let mut main = MESSAGES.to_vec();
        let page = &mut main[(trunk - 1) * 512..trunk * 512];
        page[4..8].copy_from_slice(&count.to_be_bytes());
        page[8..20].copy_from_slice(b"13800000427;");
        let (values, damages) = everything(Database { main: &main, ..Database::default() });
        assert!(holds(&values, b"13800000427"), "{count} pages announced");
        assert!(damages.iter().any(|(_, what)| *what == Damaged::Page));
    }
}

/// A page that nothing refers to, with one whole record and pointers that are a text.
#[test]
fn pointers_of_a_leftover_page_that_lead_nowhere_are_given_raw() {
    let mut page = vec![0; 512];
    page[0] = 13;
    page[4] = 7;
    page[8..10].copy_from_slice(&400_u16.to_be_bytes());
    page[10..22].copy_from_slice(b"13800000427;");
    page[400..407].copy_from_slice(&[5, 1, 3, 15, 15, b'x', b'y']);
    let main = [MESSAGES, &page].concat();
    let (values, _) = everything(Database { main: &main, ..Database::default() });
    assert!(holds(&values, b"13800000427"));
    assert!(values.iter().any(|value| value.text == "y" && value.state == State::Deleted), "its record is one");
}

#[test]
fn what_stands_in_the_reserved_part_of_the_header_is_given() {
    let mut main = MESSAGES.to_vec();
    main[75..86].copy_from_slice(b"13800000427");
    assert!(holds(&main_only(&main), b"13800000427"));
}

#[test]
fn the_padding_of_a_journal_is_given() {
    let mut first = JOURNAL.1.to_vec();
    first[40..51].copy_from_slice(b"13800000427");
    let sectors = first.len().div_ceil(512) + 1;
    let end = first.len();
    first.resize(sectors * 512, 0);
    first[sectors * 512 - 20..sectors * 512 - 14].copy_from_slice(b"sesame");
    let one = (&first[..end], &[&b"13800000427"[..]][..]);
    let two = [first.as_slice(), JOURNAL.1].concat();
    let two = (two.as_slice(), &[&b"13800000427"[..], b"sesame"][..]);
    for (journal, expected) in [one, two] {
        let (values, _) = everything(Database { main: JOURNAL.0, wal: None, journal: Some(journal) });
        for bytes in expected {
            assert!(holds(&values, bytes), "{}", String::from_utf8_lossy(bytes));
        }
        assert!(values.iter().any(|value| value.text == "before the change"));
    }
}
