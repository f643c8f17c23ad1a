//! What several tests need: a sink that keeps all, and writers of containers.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod dumps;

use std::io::Read;

use dyetrace_breach::{Batch, Damage, Entry, Options, Sink, Table, TableId, read_from};

/// A row's fields as they are; `None` is NULL.
pub(crate) type Fields = Vec<Option<Vec<u8>>>;

/// Keeps all it is given.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) entries: Vec<String>,
    pub(crate) tables: Vec<Table>,
    /// Rows with the place of their table in `tables`.
    pub(crate) rows: Vec<(usize, Fields)>,
    pub(crate) damages: Vec<Damage>,
}

impl Sink for Kept {
    fn entry(&mut self, _: u32, entry: &Entry) {
        self.entries.push(entry.path.clone());
    }

    fn table(&mut self, table: &Table) -> TableId {
        self.tables.push(table.clone());
        TableId(self.tables.len() as u32 - 1)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        for row in batch.rows() {
            let fields = (0..row.len()).map(|column| row.field(column).map(<[u8]>::to_vec));
            self.rows.push((table.0 as usize, fields.collect()));
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.damages.push(damage);
    }
}

impl Kept {
    /// What comes of bytes under a name.
    pub(crate) fn of(name: &str, mut bytes: &[u8]) -> Self {
        let mut kept = Self::default();
        read_from(name, &mut bytes, &Options::default(), &mut kept);
        kept
    }

    /// Rows as text, fields parted by `|`.
    pub(crate) fn joined(&self) -> Vec<String> {
        let field = |field: &Option<Vec<u8>>| field.as_deref().map_or("NULL", text).to_owned();
        self.rows.iter().map(|(_, row)| row.iter().map(field).collect::<Vec<_>>().join("|")).collect()
    }

    /// Rows with the entry they came from.
    pub(crate) fn by_entry(&self) -> Vec<(u32, String)> {
        self.rows.iter().map(|(table, _)| self.tables[*table].entry).zip(self.joined()).collect()
    }

    /// Rows with the name, columns and dialect of their table.
    pub(crate) fn by_table(&self) -> Vec<(String, &Fields)> {
        let table = |table: &Table| format!("{:?} {:?} {:?}", table.name, table.columns, table.dialect);
        self.rows.iter().map(|(index, row)| (table(&self.tables[*index]), row)).collect()
    }

    /// What was wrong, in words.
    pub(crate) fn whats(&self) -> Vec<&str> {
        self.damages.iter().map(|damage| damage.what.as_str()).collect()
    }

    /// Whether something of the kind was wrong.
    pub(crate) fn damaged(&self, part: &str) -> bool {
        self.whats().iter().any(|what| what.contains(part))
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("fields are text")
}

/// Packed by gzip.
pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut packed).expect("packed");
    packed
}

/// How a file of a zip archive is written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Packing {
    Stored,
    Deflated,
    /// Sizes stand behind the file, as streaming writers have to.
    Streamed,
    /// Sizes stand in the extended field.
    Large,
}

pub(crate) fn sum(content: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(content);
    sum.sum()
}

/// A zip archive without its index.
pub(crate) fn zip(files: &[(&str, &[u8])], packing: Packing) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut packed = content.to_vec();
        if packing != Packing::Stored {
            packed.clear();
            let mut encoder = flate2::read::DeflateEncoder::new(*content, flate2::Compression::default());
            encoder.read_to_end(&mut packed).expect("packed");
        }
        let (flags, extra) = match packing {
            Packing::Streamed => (8u16, Vec::new()),
            Packing::Large => {
                let sizes = [(content.len() as u64).to_le_bytes(), (packed.len() as u64).to_le_bytes()].concat();
                (0, [vec![1, 0, 16, 0], sizes].concat())
            }
            _ => (0, Vec::new()),
        };
        let sizes = match packing {
            Packing::Streamed => [0, 0],
            Packing::Large => [u32::MAX, u32::MAX],
            _ => [packed.len() as u32, content.len() as u32],
        };
        archive.extend_from_slice(b"PK\x03\x04\x14\0");
        archive.extend_from_slice(&flags.to_le_bytes());
        archive.extend_from_slice(&[if packing == Packing::Stored { 0 } else { 8 }, 0, 0, 0, 0, 0]);
        archive.extend_from_slice(&if packing == Packing::Streamed { [0; 4] } else { sum(content).to_le_bytes() });
        archive.extend_from_slice(&sizes.map(u32::to_le_bytes).concat());
        archive.extend_from_slice(&(name.len() as u16).to_le_bytes());
        archive.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(&extra);
        archive.extend_from_slice(&packed);
        if packing == Packing::Streamed {
            archive.extend_from_slice(b"PK\x07\x08");
            let sizes = [sum(content), packed.len() as u32, content.len() as u32];
            archive.extend_from_slice(&sizes.map(u32::to_le_bytes).concat());
        }
    }
    archive.extend_from_slice(b"PK\x01\x02 and so on");
    archive
}

/// A tar archive.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}
