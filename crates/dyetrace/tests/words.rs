//! Every fact that the judge may state has a sentence in each language of the reports.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use dyetrace_report::words::{Lang, codes, places, reasons};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn each_code_has_a_sentence_in_both_languages_that_shows_all_of_its_values() {
    let known: BTreeSet<&str> = codes().collect();
    for (code, values) in dyetrace_judge::CODES {
        assert!(known.contains(code), "{code} has no sentence");
        for lang in Lang::ALL {
            let shown: BTreeSet<&str> = places(code, lang).into_iter().collect();
            assert_eq!(shown, values.iter().copied().collect(), "{code} in {}", lang.tag());
        }
    }
}

#[test]
fn no_sentence_is_left_that_nobody_states() {
    let stated: BTreeSet<&str> = dyetrace_judge::CODES.iter().map(|(code, _)| *code).collect();
    let left: Vec<&str> = codes().filter(|code| !stated.contains(code)).collect();
    assert_eq!(left, Vec::<&str>::new());
}

/// What readers say is known in other languages as long as they say it so: each known sentence stands in their sources.
#[test]
fn no_sentence_of_a_reader_is_known_that_no_reader_says() {
    let mut sources = String::new();
    for member in ["evidence", "tls", "dyetrace"] {
        append_sources(&common::root().join("crates").join(member).join("src"), &mut sources);
    }
    for sentence in reasons() {
        let longest = sentence.split("{}").max_by_key(|piece| piece.len()).unwrap();
        assert!(sources.contains(longest.trim().trim_end_matches(':')), "no reader says {sentence:?}");
    }
}

fn append_sources(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            append_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}
