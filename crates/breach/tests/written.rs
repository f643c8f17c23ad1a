//! What is written in any dialect, encoding and container is read back: as many rows, with the same fields.

use std::io::Read;

use dyetrace_breach::{Batch, Damage, Options, Sink, Table, TableId, read_from};
use proptest::prelude::*;

type Row = Vec<String>;

#[derive(Default)]
struct Kept {
    rows: Vec<Row>,
    damages: Vec<String>,
}

impl Sink for Kept {
    fn table(&mut self, _: &Table) -> TableId {
        TableId(0)
    }

    fn batch(&mut self, _: TableId, batch: &Batch<'_>) {
        for row in batch.rows() {
            let text = |column| String::from_utf8_lossy(row.field(column).unwrap_or(b"NULL")).into_owned();
            self.rows.push((0..row.len()).map(text).collect());
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.damages.push(damage.what);
    }
}

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
    let level = flate2::Compression::default();
    let mut packed = Vec::new();
    match container {
        Container::Plain => packed.extend_from_slice(bytes),
        Container::Gzip => drop(flate2::read::GzEncoder::new(bytes, level).read_to_end(&mut packed).expect("packed")),
        Container::Zstd => {
            packed = ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
        }
        Container::Zip => packed = zip(bytes),
        Container::Tar => packed = tar(bytes),
    }
    packed
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let (mut sum, mut packed) = (flate2::Crc::new(), Vec::new());
    sum.update(bytes);
    flate2::read::DeflateEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut packed).expect("packed");
    let sizes = [sum.sum(), packed.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
    [b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0", &sizes[..], b"\x01\0\0\0a", &packed, b"PK\x01\x02"].concat()
}

fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[0] = b'a';
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut archive = [&header[..], bytes].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
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
        let mut kept = Kept::default();
        read_from("dump", &mut &dump[..], &Options::default(), &mut kept);
        let order = match dialect {
            Dialect::Json => [0, 2, 1],
            _ => [0, 1, 2],
        };
        let expected: Vec<Row> = rows.iter().map(|row| order.map(|column| row[column].clone()).to_vec()).collect();
        prop_assert_eq!(kept.damages, Vec::<String>::new());
        prop_assert_eq!(kept.rows, expected);
    }
}
