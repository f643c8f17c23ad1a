//! Every fact that the judge may state has a sentence in each language of the reports.

use dyetrace_report::words::{Lang, codes, places};
use std::collections::BTreeSet;

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
