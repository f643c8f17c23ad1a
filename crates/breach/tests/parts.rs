//! A file read in any number of parts gives exactly the rows of the file read whole.

mod common;

use common::Kept;
use dyetrace_breach::{Options, read, read_in_parts};

fn options() -> Options {
    Options { block: 16 << 10, sample: 4 << 10, examine_every: 16 << 10, ..Options::default() }
}

/// Checks every number of parts up to nine.
fn check(name: &str, bytes: &[u8], rows: usize) {
    let path = std::env::temp_dir().join(format!("dyetrace-breach-parts-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).expect("written");
    let mut whole = Kept::default();
    read(std::slice::from_ref(&path), &options(), &mut whole).expect("read");
    assert_eq!(whole.rows.len(), rows, "{name}");
    for parts in 1..10 {
        let kept = read_in_parts(&path, 0, parts, &options(), Kept::default).expect("read");
        let given: Vec<_> = kept.iter().flat_map(Kept::by_table).collect();
        assert!(given == whole.by_table(), "{name} in {parts} parts: {} rows and not {rows}", given.len());
    }
    std::fs::remove_file(&path).expect("removed");
}

fn lines(count: u32, line: impl Fn(u32) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn sql_with_several_tables_and_line_ends_in_strings() {
    let statement = |table: &str, from: u32| {
        let rows =
            lines(100, |number| format!("({},'it''s\nINSERT INTO `x` VALUES (1)','张三{number}'),", from + number));
        format!("INSERT INTO `{table}` VALUES {};\n", rows.trim_end_matches(','))
    };
    let create = |table: &str| format!("CREATE TABLE `{table}` (`id` int, `note` text, `name` text);\n");
    let first = create("users") + &lines(20, |number| statement("users", number * 100));
    let second = create("orders") + &lines(20, |number| statement("orders", number * 100));
    check("sql", (first + &second).as_bytes(), 4000);
}

#[test]
fn copy_blocks() {
    let rows = lines(5000, |number| format!("{number}\tname {number}\t\\N\n"));
    let dump = format!(
        "-- PostgreSQL database dump\nCOPY public.a (id, name, x) FROM stdin;\n{rows}\\.\n\nCOPY b (p, q, r) FROM stdin;\n{rows}\\.\n"
    );
    check("copy", dump.as_bytes(), 10_000);
}

#[test]
fn csv_whose_quotes_hold_whole_lines() {
    let dump = "id,name,note\n".to_owned()
        + &lines(3000, |number| format!("{number},\"n{number}\",\"a\n{number},x,\"\"y\"\"\n{number},z,\n\"\n"));
    check("csv", dump.as_bytes(), 3000);
}

#[test]
fn lists_joined_in_two_encodings_and_two_shapes() {
    let list = lines(3000, |number| format!("张三{number}----密码{number}----{number}@b.test\r\n"));
    let mut dump = encoding_rs::GB18030.encode(&list).0.into_owned();
    dump.extend_from_slice(list.as_bytes());
    dump.extend_from_slice(lines(3000, |number| format!("u{number}:{number}@b.test\n")).as_bytes());
    check("list", &dump, 9000);
}

#[test]
fn json_lines() {
    check("json", lines(4000, |number| format!("{{\"id\":{number},\"name\":\"\\u5f20{number}\"}}\n")).as_bytes(), 4000);
}
