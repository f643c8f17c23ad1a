//! Captures that the world recorded, compared with what tshark found in them.

mod common;

use common::captures;
use dyetrace_case::{Format, Item};
use dyetrace_evidence::{Limits, Tally, fuzzing, open, read};
use std::path::{Path, PathBuf};

/// Every file below a folder, in a stable order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).expect("the folder of captures can be listed");
    for path in entries.map(|entry| entry.expect("its entries can be read").path()) {
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Reads a capture to its end; the damages come as `place: reason`.
fn tally(path: &Path) -> (Tally, Vec<String>) {
    let opened = open(path, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
    let mut damages = Vec::new();
    let mut sink = |item| {
        if let Item::Damage(damage) = item {
            damages.push(format!("{}: {}", damage.place, damage.reason));
        }
        Ok(())
    };
    let tally = read(&opened, Limits::default(), &mut dyetrace_tls::Decryptor::default(), &mut sink, &mut |_| ());
    (tally, damages)
}

#[test]
fn every_capture_has_the_packets_that_tshark_counts() {
    let Some(folder) = captures() else { return };
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in files(&folder.join("truth")) {
        let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let (Some(file), Some(packets)) = (truth["file"].as_str(), truth["packets"].as_u64()) else { continue };
        let (tally, damages) = tally(&folder.join(file));
        compared += 1;
        if tally.packets != packets {
            wrong.push(format!("{file}: {} packets, tshark counts {packets}; {damages:?}", tally.packets));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 100, "only {compared} captures were compared");
}

#[test]
fn every_file_that_begins_as_a_capture_opens() {
    let Some(folder) = captures() else { return };
    let mut opened = 0;
    for path in files(&folder) {
        let Ok(exhibit) = open(&path, &mut |_| ()) else { continue };
        if matches!(exhibit.exhibit().format, Format::Pcap | Format::Pcapng) {
            opened += 1;
            assert!(tally(&path).0.packets > 0 || path.ends_with("empty.pcap"), "{}", path.display());
        }
    }
    assert!(opened > 190, "only {opened} captures were opened");
}

/// Larger captures take too long in a debug build.
const SMALL: usize = 12_000;

#[test]
fn every_small_capture_cut_anywhere_or_changed_is_read_to_its_end() {
    let Some(folder) = captures() else { return };
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        // Marsaglia's xorshift: the same changes on every machine.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    for path in files(&folder).into_iter().filter(|path| open(path, &mut |_| ()).is_ok()) {
        let whole = std::fs::read(&path).unwrap();
        if whole.len() > SMALL {
            continue;
        }
        for end in (0..whole.len()).step_by(97) {
            fuzzing::capture(&whole[..end]);
        }
        for _ in 0..20 {
            let mut changed = whole.clone();
            for _ in 0..=next(30) {
                let at = next(changed.len());
                changed[at] = next(256) as u8;
            }
            fuzzing::capture(&changed);
        }
    }
}
