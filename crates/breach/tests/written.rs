//! What is written in any dialect, encoding and container is read back: as many rows, with the same fields.

mod common;

use common::{Kept, Packing, gz, tar, zip};
use proptest::prelude::*;

type Row = Vec<String>;

#[derive(Debug, Clone, Copy)]
enum Dialect {
    Sql,
    Csv,
    List,
    Json,
    Php,
}

#[derive(Debug, Clone, Copy)]
enum Charset {
    Utf8,
    Gb18030,
    Big5,
    Utf16Le,
    Utf16Be,
}

#[derive(Debug, Clone, Copy)]
enum Container {
    Plain,
    Gzip,
    Zstd,
    Zip,
    Tar,
}

const COLUMNS: [&str; 3] = ["account", "note", "mail"];

fn written(dialect: Dialect, rows: &[Row]) -> String {
    let line = |row: &Row| match dialect {
        Dialect::Sql => {
            let values: Vec<String> = row.iter().map(|field| format!("'{}'", field.replace('\'', "\\'"))).collect();
            format!("INSERT INTO `users` VALUES ({});\n", values.join(","))
        }
        Dialect::Csv => {
            row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\n"
        }
        Dialect::List => row.join("----") + "\r\n",
        Dialect::Json => {
            let pairs = COLUMNS.iter().zip(row).map(|(name, field)| (name, field.as_str()));
            serde_json::to_string(&pairs.collect::<std::collections::BTreeMap<_, _>>()).expect("written") + "\n"
        }
        Dialect::Php => {
            let pair =
                |(name, field): (&&str, &String)| format!("s:{}:\"{name}\";s:{}:\"{field}\";", name.len(), field.len());
            format!("a:3:{{{}}}\n", COLUMNS.iter().zip(row).map(pair).collect::<String>())
        }
    };
    let head = match dialect {
        Dialect::Sql => "CREATE TABLE `users` (`account` text, `note` text, `mail` text);\n",
        _ => "",
    };
    head.to_owned() + &rows.iter().map(line).collect::<String>()
}

fn encoded(charset: Charset, text: &str) -> Vec<u8> {
    let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes);
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Gb18030 => encoding_rs::GB18030.encode(text).0.into_owned(),
        Charset::Big5 => encoding_rs::BIG5.encode(text).0.into_owned(),
        Charset::Utf16Le => [0xFF, 0xFE].into_iter().chain(units(u16::to_le_bytes)).collect(),
        Charset::Utf16Be => [0xFE, 0xFF].into_iter().chain(units(u16::to_be_bytes)).collect(),
    }
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
