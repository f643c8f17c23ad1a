//! What is written in any dialect, encoding and container is read back: as many rows, with the same fields.

mod common;

use common::dumps::{Charset, Dialect, Row, encoded, written};
use common::{Kept, Packing, gz, tar, zip};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Container {
    Plain,
    Gzip,
    Zstd,
    Zip,
    Tar,
}

fn packed(container: Container, bytes: &[u8]) -> Vec<u8> {
    match container {
        Container::Plain => bytes.to_vec(),
        Container::Gzip => gz(bytes),
        Container::Zstd => ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest),
        Container::Zip => zip(&[("a", bytes)], Packing::Deflated),
        Container::Tar => tar(&[("a", bytes)]),
    }
}

/// Rows of an account, a remark of common characters and an address.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let note = "[王小明台北市中正路一段電話大年]{4,9}";
    let row = ("[a-z]{3,8}[0-9]{1,4}", note, "[a-z]{2,8}[0-9]{0,3}")
        .prop_map(|(account, note, mail)| vec![account, note, format!("{mail}@example.com")]);
    proptest::collection::vec(row, 20..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn what_was_written_is_read_back(
        rows in rows(),
        dialect in proptest::sample::select(vec![Dialect::Sql, Dialect::Csv, Dialect::List, Dialect::Json, Dialect::Php]),
        charset in proptest::sample::select(
            vec![Charset::Utf8, Charset::Gb18030, Charset::Big5, Charset::Utf16Le, Charset::Utf16Be]
        ),
        container in proptest::sample::select(
            vec![Container::Plain, Container::Gzip, Container::Zstd, Container::Zip, Container::Tar]
        ),
    ) {
        let dump = packed(container, &encoded(charset, &written(dialect, &rows)));
        let kept = Kept::of("dump", &dump);
        let order = match dialect {
            Dialect::Json => [0, 2, 1],
            _ => [0, 1, 2],
        };
        let expected: Vec<_> = rows.iter().map(|row| order.map(|column| row[column].as_str()).join("|")).collect();
        prop_assert_eq!(kept.whats(), [""; 0]);
        prop_assert_eq!(kept.joined(), expected);
    }
}
