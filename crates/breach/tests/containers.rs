//! Containers give their files' rows as if each file stood alone, and say what they could not give.

use std::io::{Cursor, Read, Write};

use dyetrace_breach::{Batch, Damage, Entry, Options, Sink, Table, TableId, read, read_from};

/// Keeps rows with the entry they came from, and what was damaged.
#[derive(Default)]
struct Kept {
    entries: Vec<String>,
    tables: Vec<Table>,
    rows: Vec<(u32, String)>,
    damages: Vec<String>,
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
        let entry = self.tables[table.0 as usize].entry;
        for row in batch.rows() {
            let fields = (0..row.len()).map(|column| row.field(column).unwrap_or(b"NULL"));
            self.rows.push((entry, String::from_utf8_lossy(&fields.collect::<Vec<_>>().join(&b"|"[..])).into_owned()));
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.damages.push(damage.what);
    }
}

fn kept(name: &str, mut bytes: &[u8]) -> Kept {
    let mut kept = Kept::default();
    read_from(name, &mut bytes, &Options::default(), &mut kept);
    kept
}

fn list(from: u32) -> Vec<u8> {
    let lines: Vec<String> = (from..from + 20).map(|number| format!("user{number}----{number}@b.test\n")).collect();
    lines.concat().into_bytes()
}

fn rows(from: u32) -> Vec<String> {
    (from..from + 20).map(|number| format!("user{number}|{number}@b.test")).collect()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut packed).expect("packed");
    packed
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// How a file of a zip archive is written.
#[derive(Clone, Copy, PartialEq)]
enum Packing {
    Stored,
    Deflated,
    /// Sizes stand behind the file, as streaming writers have to.
    Streamed,
    /// Sizes stand in the extended field.
    Large,
}

fn sum(content: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(content);
    sum.sum()
}

fn zip(files: &[(&str, &[u8])], packing: Packing) -> Vec<u8> {
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

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
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

fn sevenz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect("a writer");
    for (name, content) in files {
        writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*content)).expect("an entry");
    }
    writer.finish().expect("an archive").into_inner()
}

#[test]
fn each_container_gives_its_files_rows() {
    let (first, second) = (list(0), list(100));
    let files: [(&str, &[u8]); 2] = [("a/one.txt", &first), ("two.txt", &second)];
    let archives = [
        ("tar", tar(&files)),
        ("stored zip", zip(&files, Packing::Stored)),
        ("deflated zip", zip(&files, Packing::Deflated)),
        ("streamed zip", zip(&files, Packing::Streamed)),
        ("zip64", zip(&files, Packing::Large)),
        ("7z", sevenz(&files)),
    ];
    for (what, archive) in archives {
        let kept = kept("x", &archive);
        assert_eq!(kept.damages, [""; 0], "{what}");
        assert_eq!(kept.entries, ["x!a/one.txt", "x!two.txt"], "{what}");
        let given: Vec<String> = kept.rows.iter().map(|(_, row)| row.clone()).collect();
        assert_eq!(given, [rows(0), rows(100)].concat(), "{what}");
        assert_eq!((kept.rows[0].0, kept.rows[39].0), (0, 1), "{what}");
    }
}

#[test]
fn streams_of_several_members_are_one() {
    for packed in [[gz(&list(0)), gz(&list(20))].concat(), [zst(&list(0)), zst(&list(20))].concat()] {
        let kept = kept("x", &packed);
        assert_eq!(kept.rows.len(), 40);
        assert_eq!(kept.damages, [""; 0]);
    }
}

#[test]
fn containers_within_containers_to_a_depth_of_four() {
    let one = gz(&list(0));
    let two = tar(&[("list.txt.gz", &one)]);
    let three = zip(&[("inner.tar", &two)], Packing::Deflated);
    let four = zst(&three);
    let opened = kept("dump.zip.zst", &four);
    assert_eq!(opened.entries, ["dump.zip.zst!dump.zip!inner.tar!list.txt.gz!list.txt"]);
    assert_eq!(opened.rows.len(), 20);
    let too_deep = kept("dump", &gz(&four));
    assert_eq!((too_deep.rows.len(), too_deep.damages.is_empty()), (0, false));
}

#[test]
fn a_file_is_read_as_its_bytes_are() {
    let path = std::env::temp_dir().join(format!("dyetrace-breach-{}.7z", std::process::id()));
    let archive = sevenz(&[("one.txt", &list(0))]);
    std::fs::File::create(&path).and_then(|mut file| file.write_all(&archive)).expect("written");
    let mut from_file = Kept::default();
    read(std::slice::from_ref(&path), &Options::default(), &mut from_file).expect("opened");
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(from_file.rows, kept("x", &archive).rows);
}

#[test]
fn cut_at_every_byte_nothing_is_invented() {
    // Of a line cut in its separator the separator cannot be known: it is left out of what is compared.
    let letters = |row: &str| row.replace(['|', '-'], "");
    let whole: Vec<String> = rows(0).iter().map(|row| letters(row)).collect();
    let content = list(0);
    let files: [(&str, &[u8]); 1] = [("one.txt", &content)];
    let archives = [
        tar(&files),
        zip(&files, Packing::Deflated),
        zip(&files, Packing::Stored),
        sevenz(&files),
        gz(&content),
        zst(&content),
    ];
    for archive in &archives {
        for length in 0..archive.len() {
            let cut = kept("x", &archive[..length]);
            if !cut.entries.iter().any(|entry| entry.contains('!')) {
                continue; // Cut before it can be known for a container.
            }
            for (_, row) in &cut.rows {
                assert!(whole.iter().any(|known| known.starts_with(&letters(row))), "a row no one wrote: {row}");
            }
        }
    }
}

#[test]
fn a_bomb_is_given_up() {
    let zeros = vec![b'a'; 32 << 20];
    let many: Vec<u8> = std::iter::repeat_n(gz(&gz(&zeros)), 12).flatten().collect();
    let bomb = gz(&many);
    assert!(bomb.len() < 20_000, "384 MiB come out of this");
    let kept = kept("x", &bomb);
    assert!(kept.damages.iter().any(|what| what.contains("far more than a dump does")), "{:?}", kept.damages);
}

#[test]
fn a_file_of_a_zip_that_is_not_what_was_packed_is_said_and_read() {
    let (first, second) = (list(0), list(100));
    let inner = tar(&[("one.txt", &first)]);
    for packing in [Packing::Stored, Packing::Deflated, Packing::Streamed, Packing::Large] {
        for content in [&first, &inner] {
            let mut archive = zip(&[("one", content), ("two.txt", &second)], packing);
            let told = sum(content).to_le_bytes();
            let place = archive.windows(4).position(|bytes| bytes == told).expect("it is told");
            archive[place] ^= 1;
            let kept = kept("x", &archive);
            assert_eq!(kept.damages, ["the file is not what was packed: its checksum differs"]);
            assert_eq!((kept.rows.len(), kept.entries.len()), (40, 2));
        }
    }
}
