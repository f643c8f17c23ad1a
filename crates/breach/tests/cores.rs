//! However many cores count a dump, and wherever a scan is stopped and goes on, the report is the one of a single pass.

mod common;

use common::dumps::{Charset, Dialect, Row, encoded, written};
use common::gz;
use dyetrace_breach::{
    Job, Keep, Key, Options, Refused, Report, Scan, ScanError, ScanOptions, Streams, read, scan_files,
};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A dump on disk, removed in the end.
struct File(PathBuf);

impl File {
    fn new(bytes: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dyetrace-breach-cores-{}-{number}", std::process::id()));
        std::fs::write(&path, bytes).expect("written");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Keeps every checkpoint.
#[derive(Default)]
struct All {
    whole: Vec<Vec<u8>>,
    begun: Vec<u8>,
}

impl Keep for All {
    fn begin(&mut self) -> io::Result<()> {
        self.begun.clear();
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.whole.push(self.begun.clone());
        Ok(())
    }
}

const CELL: u64 = 16 << 10;

fn reading() -> Options {
    Options { block: 16 << 10, sample: 4 << 10, examine_every: 4 << 10, cell: CELL, ..Options::default() }
}

fn key() -> Key {
    Key::from_bytes([9; 32])
}

fn job<'a>(files: &'a [PathBuf], key: &'a Key, cores: usize) -> Job<'a> {
    let options = ScanOptions { k: 3, ..ScanOptions::default() };
    let (streams, progress) = (Streams::default(), Box::new(|_| ()));
    Job { files, streams, key, options, reading: reading(), cores, keep: None, resume: None, progress }
}

/// The report of one pass, as a reader gives it to a scan.
fn one_pass(files: &[PathBuf]) -> Report {
    let mut scan = Scan::new(&key(), ScanOptions { k: 3, ..ScanOptions::default() });
    read(files, &Options { most_damages: usize::MAX, ..reading() }, &mut scan).expect("opened");
    scan.finish()
}

/// Checks numbers of cores, and every checkpoint.
fn check(files: &[PathBuf], what: &str, checkpoints: usize) -> Report {
    let (key, expected) = (key(), one_pass(files));
    let mut all = All::default();
    for cores in [1, 2, 3, 7, 16] {
        let keep: Option<(&mut dyn Keep, u64)> = Some((&mut all, 0));
        let report = scan_files(Job { keep, ..job(files, &key, cores) }).expect("scanned");
        assert_eq!(report, expected, "{what} on {cores} cores");
    }
    // Of the checkpoints that one and several cores wrote.
    let step = all.whole.len().checked_div(checkpoints).unwrap_or(0) + 1;
    for (number, checkpoint) in all.whole.iter().enumerate().step_by(step) {
        for cores in [1, 3] {
            let mut from = &checkpoint[..];
            let report = scan_files(Job { resume: Some(&mut from), ..job(files, &key, cores) });
            assert_eq!(report.expect("goes on"), expected, "{what} from checkpoint {number} on {cores} cores");
        }
    }
    expected
}

fn hash(n: u64) -> u64 {
    let n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ n >> 31
}

fn md5(text: &str) -> String {
    format!("{:016x}{:016x}", hash(text.len() as u64), text.bytes().fold(7, |sum, byte| hash(sum ^ u64::from(byte))))
}

/// A dump of several tables that take turns, with columns that are filled late, rows that are damaged, and passwords.
fn shop(seed: u64, rows: u64) -> String {
    let mut dump =
        "CREATE TABLE `users` (`id` int, `mail` text, `pass` text, `tel` text, `note` text, `when` text);\n".to_owned();
    for n in 0..rows {
        let r = hash(seed ^ n);
        let phone = 13_800_000_000 + r % 3000 * 7919;
        let note = if n > rows / 2 && r.is_multiple_of(2) { format!("'n{n}@late.test'") } else { "NULL".to_owned() };
        let mail = format!("u{}@{}", r % 2000, ["qq.com", "163.com", "x.test"][(r % 3) as usize]);
        let _ = writeln!(
            dump,
            "INSERT INTO `users` VALUES ({n},'{mail}','{}','{phone}',{note},'20{:02}-01-02 03:04:05');",
            md5(&(r % 50).to_string()),
            10 + r % 14
        );
        if r.is_multiple_of(97) {
            let _ = writeln!(dump, "INSERT INTO `t{}` VALUES ({n},'b{n}@rare.test');", r / 97 % 9);
        }
        if n > rows * 2 / 3 {
            let _ = writeln!(dump, "INSERT INTO `orders` VALUES ({n},'{phone}');");
        }
        if r.is_multiple_of(301) {
            dump += "INSERT INTO `users` VALUES (1,'broken\n\n";
            dump += "a line that is nothing\n";
        }
    }
    dump
}

#[test]
fn tables_that_take_turns_and_begin_late() {
    let file = File::new(shop(1, 6000).as_bytes());
    let report = check(std::slice::from_ref(&file.0), "shop", 8);
    let names: Vec<_> = report.tables.iter().filter_map(|table| table.name.as_deref()).collect();
    assert!(names.contains(&"users") && names.contains(&"orders") && names.len() > 8, "{names:?}");
    assert!(!report.damages.is_empty());
}

#[test]
fn several_files_and_containers() {
    let first = File::new(shop(2, 2500).as_bytes());
    let second = File::new(&gz(shop(3, 2500).as_bytes()));
    let third = File::new(&common::tar(&[("a.sql", shop(4, 1500).as_bytes()), ("b.sql", shop(5, 1500).as_bytes())]));
    let report = check(&[first.0.clone(), second.0.clone(), third.0.clone()], "files", 8);
    assert_eq!(report.entries.len(), 4);
}

/// The first file ends with a table of few rows, whose values are held to the end.
#[test]
fn every_checkpoint_in_a_second_file_goes_on() {
    let first = shop(8, 700) + &"INSERT INTO `few` VALUES (1,'a word','x@rare.test',NULL);\n".repeat(3);
    let (first, second) = (File::new(first.as_bytes()), File::new(shop(9, 700).as_bytes()));
    check(&[first.0.clone(), second.0.clone()], "few rows", usize::MAX);
}

#[test]
fn rows_behind_another_definition_of_their_table_have_its_columns() {
    let insert = |n: u64| format!("INSERT INTO `users` VALUES ({n},'m{n}@qq.com','{}');\n", 13_800_000_000 + n);
    let mut dump = "CREATE TABLE `users` (`id` int, `mail` text);\n".to_owned();
    (0..900).for_each(|n| dump += &insert(n));
    dump += "DROP TABLE `users`;\nCREATE TABLE `users` (`id` int, `mail` text, `tel` text);\n";
    (0..900).for_each(|n| dump += &insert(n));
    let file = File::new(dump.as_bytes());
    let report = check(std::slice::from_ref(&file.0), "definitions", usize::MAX);
    let tables: Vec<_> =
        report.tables.iter().map(|table| (table.columns.len(), table.rows, table.longer_rows)).collect();
    assert_eq!(tables.last(), Some(&(3, 900, 0)), "{tables:?}");
}

#[test]
fn quotes_over_whole_lines_and_cells() {
    let lines = |n: u32| format!("{n},\"n{n}\",\"a\n{n},x,\"\"y\"\"\n{n},z,\n\"\n");
    let mut dump = "id,name,note\n".to_owned() + &(0..4000).map(lines).collect::<String>();
    dump += &["7,\"long\",\"", &"1,2,3\n".repeat(12_000), "\"\n"].concat();
    dump += &(0..2000).map(lines).collect::<String>();
    let file = File::new(dump.as_bytes());
    check(std::slice::from_ref(&file.0), "quotes", 8);
}

#[test]
fn objects_that_get_more_columns() {
    let object = |n: u64| {
        let more: Vec<String> = (0..n / 500).map(|k| format!(",\"k{k}\":\"v{}\"", hash(n + k))).collect();
        let more = more.concat();
        format!("{{\"id\":{n},\"mail\":\"m{}@qq.com\"{more}}}\n", hash(n) % 900)
    };
    let file = File::new((0..5000).map(object).collect::<String>().as_bytes());
    check(std::slice::from_ref(&file.0), "objects", 8);
}

#[test]
fn more_damages_than_are_told_one_by_one_and_lines_that_are_nothing() {
    let line = |n: u64| match hash(n) % 3 {
        0 => format!("{{\"broken\":{n}\n"),
        _ => format!("{{\"name\":\"u{n}\",\"mail\":\"{n}@qq.com\"}}\n"),
    };
    let file = File::new((0..9000).map(line).collect::<String>().as_bytes());
    let report = check(std::slice::from_ref(&file.0), "damages", 8);
    assert!(
        report.damages.len() == 1000 && report.further_damages > 100,
        "{} {}",
        report.damages.len(),
        report.further_damages
    );
}

#[test]
fn text_in_no_encoding_at_the_ends_of_cells() {
    let mut dump = Vec::new();
    for n in 0..6000u64 {
        dump.extend_from_slice(format!("u{n}----{n}@qq.com----").as_bytes());
        dump.extend_from_slice(if n % 40 == 7 { b"\xFF\xFE\xFF\x80" } else { "张三李四".as_bytes() });
        dump.extend_from_slice(b"\n");
    }
    let file = File::new(&dump);
    let report = check(std::slice::from_ref(&file.0), "no encoding", 8);
    assert!(!report.damages.is_empty());
}

#[test]
fn a_checkpoint_is_of_one_key_its_files_and_its_options_and_holds_no_value() {
    let file = File::new(shop(6, 3000).as_bytes());
    let files = [file.0.clone()];
    let (key, mut all) = (key(), All::default());
    scan_files(Job { keep: Some((&mut all, 0)), ..job(&files, &key, 1) }).expect("scanned");
    let checkpoint = &all.whole[all.whole.len() / 2];
    let refused = |checkpoint: &[u8], files: &[PathBuf], key: &Key, k: u64| {
        let mut from = checkpoint;
        let options = ScanOptions { k, ..ScanOptions::default() };
        match scan_files(Job { resume: Some(&mut from), options, ..job(files, key, 2) }) {
            Err(ScanError::Refused(why)) => Some(why),
            Ok(_) | Err(_) => None,
        }
    };
    assert_eq!(refused(checkpoint, &files, &key, 3), None);
    assert_eq!(refused(checkpoint, &files, &Key::from_bytes([8; 32]), 3), Some(Refused::NotOurs));
    assert_eq!(refused(checkpoint, &files, &key, 4), Some(Refused::Options));
    assert_eq!(refused(b"", &files, &key, 3), Some(Refused::NotOurs));
    assert_eq!(refused(b"dyetrace breach checkpoint 9\n and more", &files, &key, 3), Some(Refused::Version));
    for at in (0..checkpoint.len()).step_by(checkpoint.len() / 50) {
        let mut changed = checkpoint.clone();
        changed[at] ^= 1;
        assert!(refused(&changed, &files, &key, 3).is_some(), "byte {at}");
        assert!(refused(&checkpoint[..at], &files, &key, 3).is_some(), "cut at {at}");
    }
    std::fs::write(&file.0, shop(7, 3000)).expect("written");
    assert_eq!(refused(checkpoint, &files, &key, 3), Some(Refused::Files));
}

/// Rows of an account, a remark of common characters and an address.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let note = "[王小明台北市中正路一段電話大年]{4,9}";
    let row = ("[a-z]{3,8}[0-9]{1,4}", note, "[a-c]{2,3}[0-9]{0,2}")
        .prop_map(|(account, note, mail)| vec![account, note, format!("{mail}@example.com")]);
    proptest::collection::vec(row, 1000..2200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn any_dialect_in_any_encoding(
        rows in rows(),
        later in rows(),
        dialects in (0usize..5, 0usize..5),
        charset in proptest::sample::select(
            vec![Charset::Utf8, Charset::Gb18030, Charset::Big5, Charset::Utf16Le, Charset::Utf16Be]
        ),
    ) {
        let dialect = |n: usize| [Dialect::Sql, Dialect::Csv, Dialect::List, Dialect::Json, Dialect::Php][n];
        let text = written(dialect(dialects.0), &rows) + &written(dialect(dialects.1), &later);
        let file = File::new(&encoded(charset, &text));
        let report = check(std::slice::from_ref(&file.0), &format!("{dialects:?} {charset:?}"), 3);
        prop_assert!(report.people.rows > 500);
    }
}
