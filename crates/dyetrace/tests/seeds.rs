//! The fuzz targets' seeds, replayed as an ordinary test: every reader takes every seed, every
//! seed cut short, and every seed with some bytes changed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it did")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Entry = fn(&[u8]);

/// Every entry of the fuzz targets, by the name of its target.
fn entries() -> BTreeMap<&'static str, Entry> {
    use dyetrace_breach::fuzzing as breach;
    use dyetrace_case::fuzzing as case;
    use dyetrace_check::fuzzing as check;
    use dyetrace_custody::fuzzing as custody;
    use dyetrace_evidence::fuzzing as evidence;
    use dyetrace_judge::fuzzing as judge;
    use dyetrace_pictures::fuzzing as pictures;
    use dyetrace_search::fuzzing as search;
    use dyetrace_stores::fuzzing as stores;
    use dyetrace_tls::fuzzing as tls;
    BTreeMap::from([
        ("breach_dialects", breach::dialects as Entry),
        ("breach_scan", breach::scan),
        ("case_marks", case::marks),
        ("case_subject", case::subject),
        ("check_index", check::index),
        ("check_request", check::request),
        ("custody_archive", custody::archive),
        ("custody_bag", custody::bag),
        ("custody_reply", custody::reply),
        ("evidence_capture", evidence::capture),
        ("evidence_coding", evidence::coding),
        ("evidence_dispatch", evidence::dispatch),
        ("evidence_dns", evidence::dns),
        ("evidence_flows", evidence::flows),
        ("evidence_har", evidence::har),
        ("evidence_hpack", evidence::hpack),
        ("evidence_http1", evidence::http1),
        ("evidence_http2", evidence::http2),
        ("evidence_mqtt", evidence::mqtt),
        ("evidence_packet", evidence::packet),
        ("evidence_provisioning", evidence::provisioning),
        ("evidence_snapshot", evidence::snapshot),
        ("evidence_tcp", evidence::tcp),
        ("evidence_udp", evidence::udp),
        ("evidence_websocket", evidence::websocket),
        ("judge_claims", judge::claims),
        ("judge_rules", judge::rules),
        ("pictures_decode", pictures::decode),
        ("search_differential", search::differential),
        ("search_keyed", search::keyed),
        ("search_redact", search::redact),
        ("search_search", |data| drop(search::search(data))),
        ("search_unplanted", search::unplanted),
        ("stores_ab", stores::ab),
        ("stores_abx", stores::abx),
        ("stores_axml", stores::axml),
        ("stores_datastore", stores::datastore),
        ("stores_leveldb_log", stores::leveldb_log),
        ("stores_leveldb_table", stores::leveldb_table),
        ("stores_mmkv", stores::mmkv),
        ("stores_names", stores::names),
        ("stores_plist", stores::plist),
        ("stores_sqlite", stores::sqlite),
        ("stores_xml", stores::xml),
        ("tls_connection", tls::connection),
        ("tls_key_log", tls::key_log),
    ])
}

#[test]
fn every_seed_is_survived_whole_and_cut_and_changed() {
    let mut runs = 0;
    for (target, entry) in entries() {
        let seeds = std::fs::read_dir(common::root().join("fuzz/seeds").join(target)).unwrap();
        for path in seeds.map(|seed| seed.unwrap().path()) {
            let seed = std::fs::read(&path).unwrap();
            println!("{}", path.display());
            entry(&seed);
            for end in (0..seed.len()).step_by(1 + seed.len() / 20) {
                entry(&seed[..end]);
                runs += 1;
            }
            for change in 1..20_usize {
                let mut changed = seed.clone();
                let at = change.wrapping_mul(0x9e37_79b9) % changed.len();
                changed[at] ^= 1 << (change % 8);
                entry(&changed);
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
}

#[test]
fn every_entry_has_a_target_and_every_target_a_seed() {
    let fuzz = common::root().join("fuzz");
    let listed: BTreeSet<String> = entries().keys().map(ToString::to_string).collect();
    assert_eq!(names(&fuzz.join("seeds")), listed, "folders of seeds");
    assert_eq!(names(&fuzz.join("targets")), listed, "targets");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for target in &listed {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target} is not in fuzz/Cargo.toml");
    }
    assert_eq!(entry_functions(), listed, "entries in the readers' code");
}

/// What a folder holds, without endings.
fn names(folder: &Path) -> BTreeSet<String> {
    let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    std::fs::read_dir(folder).unwrap().map(|entry| stem(entry.unwrap().path())).collect()
}

/// Every `pub fn NAME(data: &[u8])` in a crate's `fuzzing` module, as `crate_NAME`.
fn entry_functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for member in ["breach", "case", "check", "custody", "evidence", "judge", "pictures", "search", "stores", "tls"] {
        let source = common::root().join("crates").join(member).join("src");
        let inner = std::fs::read_dir(source.join("fuzzing")).into_iter().flatten().map(|file| file.unwrap().path());
        for file in inner.chain([source.join("fuzzing.rs")]) {
            let text = std::fs::read_to_string(file).unwrap();
            let heads = text.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split_once("(data: &[u8])"));
            found.extend(heads.map(|(name, _)| format!("{member}_{name}")));
        }
    }
    found
}
