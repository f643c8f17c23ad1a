//! Claim files: what is refused, with which words; and that the schema, the parser and the documents agree.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;
mod schema;

use dyetrace_judge::{ClaimFile, read_claims, read_measured};
use proptest::prelude::*;
use schema::misfits;
use serde_json::Value;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every claim file of the cases, and every example of docs/claims.md.
fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(root().join("cases")).unwrap() {
        let claims = entry.unwrap().path().join("claims");
        let Ok(entries) = std::fs::read_dir(claims) else { continue };
        for file in entries {
            let path = file.unwrap().path();
            examples.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
        }
    }
    let docs = read("docs/claims.md");
    let blocks = docs.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned());
    examples
        .extend(blocks.enumerate().map(|(number, block)| (format!("docs/claims.md, example {}", number + 1), block)));
    examples
}

fn parsed(file: &str, text: &str) -> ClaimFile {
    read_claims(file, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_claims_of_the_cases_and_the_documents_are_read_and_fit_the_schema() {
    let schema: Value = serde_json::from_str(&read("docs/claims.schema.json")).unwrap();
    let examples = examples();
    assert!(examples.len() >= 6, "the examples were not found");
    for (name, text) in &examples {
        assert!(!parsed(name, text).claims.is_empty(), "{name}");
        let value: Value = serde_saphyr::from_str(text).unwrap();
        let errors = misfits(&schema, &value);
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn what_the_schema_refuses_the_parser_refuses_too() {
    let schema: Value = serde_json::from_str(&read("docs/claims.schema.json")).unwrap();
    for (text, _) in REFUSED {
        let Ok(value) = serde_saphyr::from_str::<Value>(text) else { continue };
        let refused = !misfits(&schema, &value).is_empty();
        assert!(!refused || read_claims("x", text).is_err(), "{text}");
    }
}

/// Claim files that are refused, and what is said.
const REFUSED: &[(&str, &str)] = &[
    (
        "claims:\n  - id: a\n    says: b\n    never:\n      data: [wifi]\n      protecton_below: transport\n",
        "claims/x.yaml:6:7: unknown key of never `protecton_below`: did you mean `protection_below`? allowed: \
protection_below, not_country, reaches, transfer, country, operator_country, unless, when, data, forms, not_operator_country
 6 |       protecton_below: transport
   |       ^^^^^^^^^^^^^^^",
    ),
    (
        "claims:\n  - { id: a, says: 你好, never: { data: [wifi], reaches: [wna] } }\n",
        "claims/x.yaml:2:57: unknown recipient `wna`: did you mean `wan`? allowed: wan, lan, link, first, third, \
storage, loopback, elsewhere, affiliate, processor, a domain such as example.com, { owner: NAME }
 2 |   - { id: a, says: 你好, never: { data: [wifi], reaches: [wna] } }
   |                                                           ^^^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n",
        "claims/x.yaml:2:5: nothing is checked here: write one of never, works, needs, discloses, count, ratio, \
retention, purpose, server_side
 2 |   - id: a
   |     ^^",
    ),
    (
        "claims:\n  - id: a\n    never: { data: [wifi] }\n",
        "claims/x.yaml:2:5: `says` is missing in a claim\n 2 |   - id: a\n   |     ^^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n    never: { data: [Wifi.Password] }\n",
        "claims/x.yaml:4:21: a kind is lower-case letters, digits and dashes in parts joined by dots, as in \
wifi.password; or one of the groups personal, everything, device-identifier, contact, credential, precise-location, \
official-id, picture, financial
 4 |     never: { data: [Wifi.Password] }
   |                     ^^^^^^^^^^^^^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n    never: { data: wifi }\n    exercise: { actions: [ { name: a, times: 0 } ] }\n",
        "claims/x.yaml:5:46: what is tried 0 times decides nothing: 1 or more
 5 |     exercise: { actions: [ { name: a, times: 0 } ] }
   |                                              ^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n    never: { data: wifi, when: [not_asked] }\n",
        "claims/x.yaml:4:33: unknown consent state `not_asked`: did you mean `not-asked`? allowed: not-asked, asked, \
refused, given, withdrawn
 4 |     never: { data: wifi, when: [not_asked] }
   |                                 ^^^^^^^^^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n    applies_to: { made_from: July 2016 }\n    never: { data: wifi }\n",
        "claims/x.yaml:4:30: a date is written as in 2016, 2016-07 or 2016-07-01
 4 |     applies_to: { made_from: July 2016 }
   |                              ^^^^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n    ratio: { measure: m, about: 0.05 }\n",
        "claims/x.yaml:4:12: `about` and `within` go together: about: 0.05, within: 0.02
 4 |     ratio: { measure: m, about: 0.05 }
   |            ^",
    ),
    (
        "claims:\n  - id: a\n    says: b\n    never: { data: wifi }\n    works: { action: c }\n",
        "claims/x.yaml:5:5: only one kind may stand here: use `readings` for more
 5 |     works: { action: c }
   |     ^^^^^",
    ),
];

#[test]
fn errors_name_the_place_show_the_line_and_say_what_may_stand_there() {
    for (text, expected) in REFUSED {
        let error = read_claims("claims/x.yaml", text).unwrap_err().to_string();
        assert_eq!(error, *expected, "\n{error}\n");
    }
}

#[test]
fn yaml_that_is_none_is_an_error_with_a_place() {
    for text in
        ["claims: [", "\tclaims:", "claims:\n  - id: a\n   says: b\n", "", "- a", "claims: 7", "claims:\n  a: b\n"]
    {
        let error = read_claims("claims/x.yaml", text).unwrap_err().to_string();
        assert!(error.starts_with("claims/x.yaml:"), "{error}");
    }
}

#[test]
fn an_id_stands_once() {
    let text = case::one_claim("never: { data: wifi }");
    let twice = format!("{text}{}", text.replace("claims:\n", ""));
    assert!(read_claims("x", &twice).unwrap_err().to_string().contains("another claim has the id `test`"));
}

#[test]
fn versions_keep_the_zeros_that_were_written() {
    let file = parsed("x", &case::one_claim("applies_to: { versions: [1.10, 2] }\nnever: { data: wifi }"));
    assert_eq!(file.claims[0].applies_to.versions, ["1.10", "2"]);
}

#[test]
fn the_country_of_norway_is_no_boolean() {
    let file = parsed("x", &case::one_claim("applies_to: { regions: [NO] }\nnever: { data: wifi, country: NO }"));
    assert_eq!(file.claims[0].applies_to.regions, ["NO"]);
}

#[test]
fn measured_numbers_are_read_or_refused() {
    let good = "measured:\n  - { name: m, hits: 3, of: 50, how: by hand }\n  - { name: n, low: 4 }\n";
    assert_eq!(read_measured("x", good).unwrap().len(), 2);
    for bad in
        ["{ name: m, hits: 51, of: 50 }", "{ name: m, hits: 1 }", "{ name: m, low: 3, high: 2 }", "{ nam: m, low: 1 }"]
    {
        assert!(read_measured("x", &format!("measured:\n  - {bad}\n")).is_err(), "{bad}");
    }
}

/// Every word with a meaning in a long example.
fn words(text: &str) -> Vec<(usize, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut words = Vec::new();
    let mut rest = 0;
    while let Some(start) = text[rest..].find(is_word).map(|at| rest + at) {
        let end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |at| start + at);
        words.push((start, &text[start..end]));
        rest = end;
    }
    words
}

/// Everything of the closed vocabulary; the rest are names.
const VOCABULARY: &str = "claims:
  - id: x
    says: x
    applies_to: { made_from: x, platform: [android] }
    definitions: apple-label
    never: { data: x, reaches: [loopback, third], forms: [hashed, known-key], protection_below: transport, transfer: [attempted], unless: x, when: [not-asked, withdrawn] }
    exercise: { actions: [ { name: x, times: x, outcome: succeeded } ], channels: [x], quiet_s: x, states: [refused], spike_at_least: x, opaque_at_most: x }
";

proptest! {
    #[test]
    fn a_letter_too_many_or_too_few_in_any_word_is_an_error(word in 0..60usize, at in 0..40usize, drop in any::<bool>()) {
        let filled = VOCABULARY.replace("made_from: x", "made_from: 2016").replace("times: x", "times: 2").replace("quiet_s: x", "quiet_s: 5");
        let filled = filled.replace("at_least: x", "at_least: 0.5").replace("at_most: x", "at_most: 5");
        prop_assert!(read_claims("x", &filled).is_ok(), "{}", read_claims("x", &filled).unwrap_err());
        let words: Vec<(usize, &str)> =
            words(&filled).into_iter().filter(|(_, word)| word.len() > 1 && !word.starts_with(|c: char| c.is_ascii_digit())).collect();
        let (start, text) = words[word % words.len()];
        let place = start + at % text.len();
        let mut broken = filled.clone();
        if drop { broken.remove(place); } else { broken.insert(place, 'q'); }
        prop_assert!(read_claims("x", &broken).is_err(), "{broken}");
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z:\\-{}\\[\\] \n,&*'\"|>!]{0,120}") {
        let _ = read_claims("x", &text);
        let _ = read_measured("x", &text);
    }
}
