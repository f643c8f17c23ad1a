//! Whatever the bytes: no panic, no field that is not text, and the same rows however much is read at once.

use dyetrace_breach::{Batch, Damage, Options, Sink, Table, TableId, read_from};
use proptest::prelude::*;

#[derive(Default)]
struct Kept {
    rows: Vec<Vec<Option<String>>>,
}

impl Sink for Kept {
    fn table(&mut self, _: &Table) -> TableId {
        TableId(0)
    }

    fn batch(&mut self, _: TableId, batch: &Batch<'_>) {
        for row in batch.rows() {
            let text = |field: &[u8]| std::str::from_utf8(field).expect("fields are text").to_owned();
            self.rows.push((0..row.len()).map(|column| row.field(column).map(text)).collect());
        }
    }

    fn damage(&mut self, _: Damage) {}
}

fn rows(mut bytes: &[u8], block: usize) -> Vec<Vec<Option<String>>> {
    let mut kept = Kept::default();
    let options = Options { block, examine_every: 4 << 10, ..Options::default() };
    read_from("hostile", &mut bytes, &options, &mut kept);
    kept.rows
}

/// Pieces of what dumps are made of, in an order no writer would use.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"INSERT INTO `users` VALUES (",
        b"1,'a\\'b'",
        b"),(",
        b");\n",
        b"'",
        b"\\",
        b"\n",
        b"\r\n",
        b"----",
        b",",
        b"\"",
        b"\"\"",
        b"COPY a (b) FROM stdin;\n",
        b"\\.\n",
        b"\\N\t",
        b"{\"id\":1,",
        b"\"a\":{\"b\":[",
        b"]}}",
        b"a:1:{s:3:\"abc\";",
        b"}",
        b"CREATE TABLE t (a int, `b` text);",
        b"\xD5\\",
        b"\xC2\xBD",
        "张三".as_bytes(),
        b"\xFF\xFE",
        b"a\0",
        b"0x41",
        b"X'",
        b"/*",
        b"--",
        b"\x1F\x8B\x08",
        b"PK\x03\x04",
        b"7z\xBC\xAF\x27\x1C",
        b"\x28\xB5\x2F\xFD",
        b"user@b.test:pass\n",
        b"\\ud83d",
        b"NULL",
        b"(",
    ];
    let piece = prop_oneof![
        9 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_bytes_are_read(bytes in pieces(), times in 1usize..4) {
        rows(&bytes.repeat(times), 16 << 10);
    }

    #[test]
    fn any_bytes_are_scanned_and_read_as_any_dialect(bytes in pieces(), times in 1usize..60, number in any::<u8>()) {
        let bytes = bytes.repeat(times);
        dyetrace_breach::fuzzing::scan(&bytes);
        dyetrace_breach::fuzzing::dialects(&[&[number], &bytes[..]].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn blocks_make_no_difference(bytes in pieces(), times in 20usize..40) {
        let bytes = bytes.repeat(times);
        prop_assert!(rows(&bytes, 16 << 10) == rows(&bytes, 1 << 20), "rows differ");
    }
}
