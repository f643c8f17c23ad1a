//! Files that are made to be given as more than they hold: what formats let be repeated is charged to a limit.

use dyetrace_stores::{Damaged, Found, Kind, Limits, read};

const MADE: u64 = 1 << 20;

/// Bytes given for a file, and whether a limit was said to be reached.
fn given(kind: Kind, bytes: &[u8]) -> (u64, bool) {
    let (mut given, mut limited) = (0, false);
    let limits = Limits { made: MADE, ..Limits::default() };
    read(kind, bytes, &limits, &mut |found| match found {
        Found::Value(value) => given += value.bytes.len() as u64,
        Found::Damage(damage) => limited |= damage.what == Damaged::Limit,
    });
    (given, limited)
}

/// A page whose every pointer names the same record.
#[test]
fn a_record_is_given_once_however_many_pointers_name_it() {
    let mut file = vec![0; 65_536];
    file[..16].copy_from_slice(b"SQLite format 3\0");
    file[16..18].copy_from_slice(&1_u16.to_be_bytes());
    file[100] = 13;
    let pointers = 10_000_u16;
    file[103..105].copy_from_slice(&pointers.to_be_bytes());
    let record = 30_000_u16;
    for pointer in 0..usize::from(pointers) {
        file[108 + 2 * pointer..110 + 2 * pointer].copy_from_slice(&record.to_be_bytes());
    }
    // A record of 30,000 bytes: one text.
    let at = usize::from(record);
    file[at..at + 8].copy_from_slice(&[0x81, 0xea, 0x34, 1, 4, 0x83, 0xd4, 0x6d]);
    file[at + 8..at + 30_000].fill(b'x');
    let (given, _) = given(Kind::Sqlite, &file);
    assert!((29_000..100_000).contains(&given), "{given} bytes of a file of {}", file.len());
}

/// 20,000 keys that each share 50,000 bytes with the one before: a gigabyte in 150 kilobytes.
#[test]
fn shared_keys_are_bounded() {
    let number = |mut number: usize| {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let mut block = [number(0), number(50_000), number(0), vec![b'k'; 50_000]].concat();
    for _ in 0..20_000 {
        block.extend([number(50_000), number(0), number(0)].concat());
    }
    block.extend([0; 4]);
    let mut index = [number(0), number(1)].concat();
    let handle = [number(0), number(block.len())].concat();
    index.extend([number(handle.len()), vec![b'k'], handle, vec![0; 4]].concat());
    let at = block.len() + 5;
    let mut footer = [number(0), number(0), number(at), number(index.len())].concat();
    footer.resize(40, 0);
    footer.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    let table = [block, vec![0; 5], index, vec![0; 5], footer].concat();
    let (given, limited) = given(Kind::LevelDbTable, &table);
    assert!(limited && given < 2 * MADE, "{given}");
}

/// A text of 60,000 bytes that is written once and named 30,000 times.
#[test]
fn texts_named_again_and_again_are_bounded() {
    let mut document = b"ABX\0\x10\x34\xff\xff\xea\x60".to_vec();
    document.extend(vec![b'x'; 60_000]);
    document.extend([0x34, 0, 0].repeat(30_000));
    let (given, limited) = given(Kind::BinaryXml, &document);
    assert!(limited && given < 2 * MADE, "{given}");
}

/// An array of 60,000 references to one text of 60,000 bytes.
#[test]
fn objects_named_again_and_again_are_bounded() {
    let mut list = b"bplist00".to_vec();
    list.extend([0xaf, 0x11, 0xea, 0x60]);
    list.extend(vec![1; 60_000]);
    let text = list.len() as u32;
    list.extend([0x5f, 0x11, 0xea, 0x60]);
    list.extend(vec![b'x'; 60_000]);
    let table = list.len() as u64;
    list.extend([8_u32.to_be_bytes(), text.to_be_bytes()].concat());
    list.extend([0, 0, 0, 0, 0, 0, 4, 1]);
    for number in [2, 0, table] {
        list.extend(number.to_be_bytes());
    }
    let (given, limited) = given(Kind::Plist, &list);
    assert!(limited && (60_000..2 * MADE).contains(&given), "{given}");
}

/// What readers remember of each entry is charged too: a file of three-byte entries is not remembered twenty times over.
#[test]
fn what_is_remembered_of_small_entries_is_bounded() {
    let keys = || (0..60_000_u32).map(|n| [(n % 90) as u8 + 33, (n / 90 % 90) as u8 + 33, (n / 8100) as u8 + 33]);
    let entries: Vec<u8> = keys().flat_map(|key| [&[3][..], &key, &[0]].concat()).collect();
    let mmkv = [&(entries.len() as u32 + 1).to_le_bytes()[..], &[0], &entries].concat();
    let changes: Vec<u8> = keys().flat_map(|key| [&[0, 3][..], &key].concat()).collect();
    let batch = [&[0; 8][..], &60_000_u32.to_le_bytes(), &changes].concat();
    for (kind, file) in [(Kind::Mmkv, mmkv), (Kind::LevelDbLog, log_of(&batch))] {
        let (given, limited) = given(kind, &file);
        assert!(limited, "{kind:?}");
        assert!(given >= 3 * 60_000, "every key is given all the same: {given} of {kind:?}");
    }
    // Records of nothing: seven bytes each, of which more is remembered.
    let block = [[0, 0, 0, 0, 0, 0, 1].repeat((32 << 10) / 7), vec![0]].concat();
    let empty = block.repeat(20);
    assert!(given(Kind::LevelDbLog, &empty).1);
}

/// A log of one record, in parts of no more than a block.
fn log_of(record: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = record.chunks((32 << 10) - 7).collect();
    let last = parts.len() - 1;
    let kind = |index: usize| match index {
        0 if last == 0 => 1,
        0 => 2,
        index if index == last => 4,
        _ => 3,
    };
    let part = |(index, part): (usize, &&[u8])| {
        [&[0; 4][..], &(part.len() as u16).to_le_bytes(), &[kind(index)], part].concat()
    };
    parts.iter().enumerate().flat_map(part).collect()
}
