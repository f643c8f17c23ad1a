//! Containers give their files' rows as if each file stood alone, and say what they could not give.

mod common;

use std::io::{Cursor, Write};

use common::{Kept, Packing, gz, sum, tar, zip};
use dyetrace_breach::{Options, read};

fn list(from: u32) -> Vec<u8> {
    let lines: Vec<String> = (from..from + 20).map(|number| format!("user{number}----{number}@b.test\n")).collect();
    lines.concat().into_bytes()
}

fn rows(from: u32) -> Vec<String> {
    (from..from + 20).map(|number| format!("user{number}|{number}@b.test")).collect()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
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
        let kept = Kept::of("x", &archive);
        assert_eq!(kept.whats(), [""; 0], "{what}");
        assert_eq!(kept.entries, ["x!a/one.txt", "x!two.txt"], "{what}");
        assert_eq!(kept.joined(), [rows(0), rows(100)].concat(), "{what}");
        let entries = kept.by_entry();
        assert_eq!((entries[0].0, entries[39].0), (0, 1), "{what}");
    }
}

#[test]
fn streams_of_several_members_are_one() {
    for packed in [[gz(&list(0)), gz(&list(20))].concat(), [zst(&list(0)), zst(&list(20))].concat()] {
        let kept = Kept::of("x", &packed);
        assert_eq!(kept.rows.len(), 40);
        assert_eq!(kept.whats(), [""; 0]);
    }
}

#[test]
fn containers_within_containers_to_a_depth_of_four() {
    let one = gz(&list(0));
    let two = tar(&[("list.txt.gz", &one)]);
    let three = zip(&[("inner.tar", &two)], Packing::Deflated);
    let four = zst(&three);
    let opened = Kept::of("dump.zip.zst", &four);
    assert_eq!(opened.entries, ["dump.zip.zst!dump.zip!inner.tar!list.txt.gz!list.txt"]);
    assert_eq!(opened.rows.len(), 20);
    let too_deep = Kept::of("dump", &gz(&four));
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
    assert_eq!(from_file.by_entry(), Kept::of("x", &archive).by_entry());
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
            let cut = Kept::of("x", &archive[..length]);
            if !cut.entries.iter().any(|entry| entry.contains('!')) {
                continue; // Cut before it can be known for a container.
            }
            for row in cut.joined() {
                assert!(whole.iter().any(|known| known.starts_with(&letters(&row))), "a row no one wrote: {row}");
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
    let kept = Kept::of("x", &bomb);
    assert!(kept.damaged("far more than a dump does"), "{:?}", kept.whats());
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
            let kept = Kept::of("x", &archive);
            assert_eq!(kept.whats(), ["the file is not what was packed: its checksum differs"]);
            assert_eq!((kept.rows.len(), kept.entries.len()), (40, 2));
        }
    }
}
