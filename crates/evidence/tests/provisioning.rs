//! Wi-Fi credentials spelt in lengths: in captures that the world recorded there are none.

mod common;

use common::captures;
use dyetrace_case::{Item, Protocol};
use dyetrace_evidence::{Limits, open, read};
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of captures can be listed");
    let paths = entries.map(|entry| entry.expect("its entries can be read").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Protocols of the records of a capture.
fn protocols(path: &Path) -> Option<Vec<Protocol>> {
    let opened = open(path, &mut |_| ()).ok()?;
    let mut protocols = Vec::new();
    let mut sink = |item| {
        if let Item::Record(record) = item {
            protocols.push(record.protocol);
        }
        Ok(())
    };
    read(&opened, Limits::default(), &mut dyetrace_tls::Decryptor::default(), &mut sink, &mut |_| ());
    Some(protocols)
}

#[test]
fn nothing_is_read_from_the_lengths_of_other_people_s_broadcasts() {
    let Some(folder) = captures() else { return };
    let mut records = 0;
    for path in files(&folder) {
        let Some(protocols) = protocols(&path) else { continue };
        let spelt = [Protocol::EspTouch, Protocol::EspTouch2, Protocol::AirKiss, Protocol::TuyaEz];
        let wrong = protocols.iter().filter(|protocol| spelt.contains(protocol)).count();
        assert_eq!(wrong, 0, "{}", path.display());
        records += protocols.len();
    }
    assert!(records > 1000, "{records} records");
}
