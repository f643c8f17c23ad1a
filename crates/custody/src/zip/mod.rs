//! Zip archives (PKWARE APPNOTE 6.3.10) whose entries are stored, not compressed.
//!
//! Stored, because captures hardly shrink, because the same contents then give the same bytes with every version of
//! every library, and because the files of an archive of stored entries have no more bytes than it has.

mod read;
mod write;

pub use read::{Archive, Entry, ZipError};
pub use write::Writer;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// What stands in a 16- or 32-bit field whose value is in the Zip64 record.
const IN_ZIP64: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::measure;
    use proptest::prelude::*;
    use std::io::{Cursor, Read as _};

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (name, bytes) in files {
            let measured = measure(&mut &bytes[..], &mut |_| Ok(())).unwrap();
            writer.add(name, &measured, &mut &bytes[..]).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let files: [(&str, &[u8]); 3] = [("b/a.txt", b"abc"), ("b/empty", b""), ("数据", b"x")];
        let bytes = zipped(&files);
        assert_eq!(bytes, zipped(&files));
        let mut archive = Archive::open(Cursor::new(bytes)).unwrap();
        let entries = archive.entries().to_vec();
        assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), files.map(|(name, _)| name));
        for (entry, (_, expected)) in entries.iter().zip(files) {
            let mut read = Vec::new();
            archive.reader(entry).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn other_programs_read_it() {
        let path = std::env::temp_dir().join(format!("dyetrace-zip-{}.zip", std::process::id()));
        std::fs::write(&path, zipped(&[("a/b.txt", b"hello"), ("c", &vec![7; 70_000])])).unwrap();
        let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nassert z.read('a/b.txt') == b'hello'\nassert len(z.read('c')) == 70000\n";
        match std::process::Command::new("python3").args(["-c", script]).arg(&path).output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => assert!(std::env::var_os("CI").is_none(), "python3 is not installed"),
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["../../etc/cron.d/x", "/etc/passwd", "a\\..\\b", "a/../../b"] {
            let error = Archive::open(Cursor::new(zipped(&[(name, b"x")]))).unwrap_err().to_string();
            assert!(error.contains("refused"), "{name}: {error}");
        }
        let twice = Archive::open(Cursor::new(zipped(&[("a", b"x"), ("a", b"y")]))).unwrap_err().to_string();
        assert!(twice.contains("twice"), "{twice}");
    }

    /// Folders stand in no archive and cost the computer room all the same.
    #[test]
    fn folders_without_number_are_refused() {
        let open = |files: &[(&str, &[u8])]| Archive::open(Cursor::new(zipped(files)));
        let deep = |folders: usize| format!("{}x", "d/".repeat(folders));
        assert!(open(&[(&deep(32), b"")]).is_ok());
        assert!(open(&[(&deep(33), b"")]).unwrap_err().to_string().contains("deeper"));
        let names: Vec<String> = (0..2_200).map(|number| format!("{number}{}/x", "/d".repeat(30))).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(open(&files[..2_000]).is_ok());
        assert!(open(&files).unwrap_err().to_string().contains("more than 65536 folders"));
    }

    #[test]
    fn compressed_entries_and_overlapping_ones_are_refused() {
        let good = zipped(&[("a", b"xxxxxxxx"), ("b", b"yyyyyyyy")]);
        let central = good.windows(4).position(|four| four == CENTRAL.to_le_bytes()).unwrap();
        let mut deflated = good.clone();
        deflated[central + 10] = 8;
        assert!(Archive::open(Cursor::new(deflated)).unwrap_err().to_string().contains("compressed"));
        let mut overlapping = good.clone();
        let second = central + 47;
        overlapping[second + 42..second + 46].fill(0);
        assert!(Archive::open(Cursor::new(overlapping)).is_err());
        let mut large = good;
        large[central + 20..central + 28].fill(0x7f);
        assert!(Archive::open(Cursor::new(large)).is_err());
    }

    proptest! {
        #[test]
        fn hostile_archives_do_not_panic(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let mut bytes = zipped(&[("a", b"xxxxxxxx"), ("b/c", b"yyyyyyyy")]);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            if let Ok(mut archive) = Archive::open(Cursor::new(bytes)) {
                for entry in archive.entries().to_vec() {
                    let mut read = Vec::new();
                    if let Ok(mut reader) = archive.reader(&entry) {
                        let _ = reader.read_to_end(&mut read);
                    }
                    prop_assert!(read.len() <= length);
                }
            }
        }
    }
}
