//! The rule packs: their examples, their words, the dates of their texts, and what is refused. `DYETRACE_BLESS=1` writes
//! docs/taxonomy.md anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;
mod schema;

use case::{Case, SECOND, consent, mark, run};
use dyetrace_case::{ConsentChange, JudgedClaim, Time, Verdict};
use dyetrace_judge::{
    Answers, PACKS, Pack, RunFacts, built_in, examine, judge_all, read_claims, read_pack, taxonomy_page,
};
use schema::misfits;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pack(name: &str) -> Pack {
    built_in(name).unwrap().unwrap_or_else(|error| panic!("{error}"))
}

fn packs() -> Vec<Pack> {
    PACKS.iter().map(|(name, _)| pack(name)).collect()
}

#[test]
fn every_rule_file_is_compiled_in_under_the_name_of_its_pack() {
    let files: BTreeSet<String> = std::fs::read_dir(root().join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let compiled: BTreeSet<String> = PACKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, compiled);
    assert!(PACKS.iter().all(|(name, _)| pack(name).id == *name));
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_rule_file_and_the_example_of_the_documents_fit_the_schema() {
    let schema: Value = serde_json::from_str(&read("docs/rules.schema.json")).unwrap();
    let docs = read("docs/rules.md");
    let example = docs.split("```yaml\n").find(|block| block.starts_with("pack:")).unwrap();
    let example = ("docs/rules.md", example.split("```").next().unwrap().to_owned());
    let files = PACKS.iter().map(|(name, _)| (*name, read(&format!("rules/{name}.yaml"))));
    for (name, text) in files.chain([example]) {
        read_pack(name, &text).unwrap_or_else(|error| panic!("{error}"));
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(misfits(&schema, &value), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_the_schema_of_rules_refuses_the_parser_refuses_too() {
    let schema: Value = serde_json::from_str(&read("docs/rules.schema.json")).unwrap();
    let good = read("rules/mastg-0206.yaml");
    let broken = [
        ("title:", "titel:"),
        ("kind: ", "kind: perhaps-"),
        ("confirmed: ", "confirmed: perhaps-"),
        ("expect: ", "expect: perhaps-"),
        ("en:", "eng:"),
    ];
    for (from, to) in broken {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from} is in the file");
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        assert_ne!(misfits(&schema, &value), Vec::<String>::new(), "{to} fits the schema");
        assert!(read_pack("x", &text).is_err(), "{to} is read");
    }
}

#[test]
fn every_rule_fires_where_it_must_and_nowhere_else() {
    let faults: Vec<String> =
        packs().iter().flat_map(|pack| &pack.rules).flat_map(|rule| examine(rule).faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rules_indicate_and_never_pass_judgement() {
    let words = ["complian", "illegal", "unlawful", "violat", "guilty"];
    for rule in packs().iter().flat_map(|pack| &pack.rules) {
        for text in [&rule.title.en, &rule.reason.en] {
            assert!(words.iter().all(|word| !text.to_lowercase().contains(word)), "{}: {text}", rule.id);
        }
        assert!(!rule.title.zh.is_ascii() && !rule.reason.zh.is_ascii(), "{} is not in Chinese", rule.id);
    }
}

#[test]
fn the_seven_and_eleven_items_that_evidence_decides_are_there() {
    let app = pack("cn-app-2019");
    for item in ["2.1", "3.1", "3.3", "3.5", "3.9", "5.1", "6.3", "1.3", "3.2", "4.2", "4.6"] {
        assert!(app.rules.iter().any(|rule| rule.id == format!("cn-app-2019/{item}")), "{item}");
    }
}

/// A run at noon of a day, with consent given at 200 s, in which the Wi-Fi password was sent at 55 s.
fn case_of(day: &str) -> Case {
    let noon: Time = format!("{day}T12:00:00Z").parse().unwrap();
    let mut case = Case::with_events(vec![mark(200, consent(ConsentChange::Given))]);
    case.see(55, |_| {});
    let shift = |run: &mut RunFacts| {
        let timeline = &mut run.judged.timeline;
        timeline.milestones.iter_mut().for_each(|milestone| milestone.at.0 += noon.0);
        run.judged.first = Some(noon);
        run.judged.last = Some(Time(noon.0 + 400 * SECOND));
    };
    case.runs.iter_mut().for_each(shift);
    case
}

fn judged(case: &Case, pack: &Pack, rule: &str, answers: &Answers) -> Vec<JudgedClaim> {
    let rules: Vec<_> = pack.rules.iter().filter(|other| other.id == rule).collect();
    judge_all(&case.evidence(), &[], &rules, answers).claims
}

#[test]
fn the_date_of_the_run_chooses_the_numbers_of_the_law() {
    let csl = pack("cn-csl");
    let cited = |day: &str| {
        let judged = judged(&case_of(day), &csl, "cn-csl/notice-and-consent", &Answers::new());
        assert_eq!(judged.len(), 1, "{day}");
        (judged[0].applies, judged[0].statement.cites[0].text.clone())
    };
    assert!(cited("2017-07-01").1.contains("第二十二条") && cited("2025-12-20").1.contains("第二十二条"));
    assert!(cited("2026-01-10").1.contains("第二十四条"));
    assert!(!cited("2017-05-20").0, "the law was not yet in force");
}

#[test]
fn on_the_eve_of_a_change_nobody_knows_which_text_applied_where_the_run_was() {
    let csl = pack("cn-csl");
    let judged = judged(&case_of("2025-12-31"), &csl, "cn-csl/notice-and-consent", &Answers::new());
    assert_eq!(judged.len(), 2);
    assert!(judged.iter().all(|claim| claim.applies && claim.verdict == Verdict::NotExercised));
}

#[test]
fn answers_take_a_case_out_of_a_rule_and_unknown_ones_are_told() {
    let pipl = pack("cn-pipl");
    let case = case_of("2024-06-01");
    let answers = |question: &str, answer: bool| {
        BTreeMap::from([("cn-pipl/13".to_owned(), BTreeMap::from([(question.to_owned(), answer)]))])
    };
    let open = judged(&case, &pipl, "cn-pipl/13", &Answers::new());
    assert_eq!((open[0].verdict, open[0].review.len()), (Verdict::Contradicted, 1));
    let out = judged(&case, &pipl, "cn-pipl/13", &answers("other-basis", true));
    assert!(!out[0].applies && out[0].review.is_empty());
    let stays = judged(&case, &pipl, "cn-pipl/13", &answers("other-basis", false));
    assert!(stays[0].applies && stays[0].review.is_empty());
    let rules: Vec<_> = pipl.rules.iter().collect();
    let notes = judge_all(&case.evidence(), &[], &rules, &answers("other-bases", true)).notes;
    assert!(notes.iter().any(|note| note.code == "answer-unused" && note.value("question") == Some("other-bases")));
}

#[test]
fn what_nobody_confirmed_is_told() {
    let app = pack("cn-app-2019");
    let rules: Vec<_> = app.rules.iter().collect();
    let notes = judge_all(&case_of("2024-06-01").evidence(), &[], &rules, &Answers::new()).notes;
    let unconfirmed: Vec<_> = notes.iter().filter(|note| note.code == "cite-unconfirmed").collect();
    assert_eq!(unconfirmed.iter().filter_map(|note| note.value("rule")).collect::<Vec<_>>(), ["cn-app-2019/4.6"]);
}

#[test]
fn rules_come_after_the_claims_and_do_not_change_them() {
    let case = Case { runs: vec![run("only", Vec::new())], ..Case::good() };
    let claims = "claims:\n  - id: a\n    says: b\n    never: { data: [wifi], reaches: [wan] }\n";
    let claims = read_claims("claims/x.yaml", claims).unwrap().claims;
    let alone = judge_all(&case.evidence(), &claims, &[], &Answers::new());
    let all = packs();
    let rules: Vec<_> = all.iter().flat_map(|pack| &pack.rules).collect();
    let together = judge_all(&case.evidence(), &claims, &rules, &Answers::new());
    assert_eq!(alone.claims[0], together.claims[0]);
    assert!(together.claims[1..].iter().all(|claim| claim.statement.pack.is_some()));
}

#[test]
fn what_is_misspelt_is_refused_with_its_place_and_the_words_allowed() {
    let text = PACKS.iter().find(|(name, _)| *name == "etsi-303645").unwrap().1;
    for (right, wrong, says) in [
        ("    never: {", "    nevre: {", "unknown key of a rule `nevre`: did you mean `never`?"),
        ("kind: provision", "kind: provison", "unknown kind of norm `provison`: did you mean `provision`?"),
        ("expect: supported", "expect: suported", "unknown verdict `suported`: did you mean `supported`?"),
        ("data: [credential]", "data: [sensitive]", "the pack does not say what that is"),
        ("confirmed: yes", "confirmed: maybe", "yes or no must stand here"),
        ("from: 2020-06-30", "from: 2020-06", "a day is written as in 2016-07-01"),
        ("id: etsi-303645/5.5-7", "id: etsi/5.5-7", "begins with its pack"),
        ("seen: [ {", "saw: [ {", "unknown key of an example `saw`"),
    ] {
        assert!(text.contains(right), "{right}");
        let error = read_pack("rules/x.yaml", &text.replacen(right, wrong, 1)).unwrap_err().to_string();
        assert!(error.starts_with("rules/x.yaml:") && error.contains(says) && error.contains('^'), "{error}");
    }
}

#[test]
fn makers_cannot_say_sensitive() {
    let text = "claims:\n  - id: a\n    says: b\n    never: { data: [sensitive] }\n";
    let error = read_claims("claims/x.yaml", text).unwrap_err().to_string();
    assert!(error.contains("claims/x.yaml:4:21: what is sensitive depends on the law and its date"), "{error}");
}

#[test]
fn a_rule_without_an_example_that_decides_nothing_is_at_fault() {
    let text = PACKS.iter().find(|(name, _)| *name == "eu-eprivacy").unwrap().1;
    let text = text.replace("      - { expect: not-exercised, region: DE }\n", "");
    let pack = read_pack("rules/x.yaml", &text).unwrap();
    assert!(examine(&pack.rules[0]).faults[0].contains("no example that is not-exercised"));
}

#[test]
fn the_pack_of_the_documents_is_read_and_its_examples_hold() {
    let docs = std::fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let text = docs.split("```yaml\n").nth(2).unwrap().split("```").next().unwrap();
    let pack = read_pack("docs/rules.md", text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(examine(&pack.rules[0]).faults, Vec::<String>::new());
    assert!(PACKS.iter().all(|(name, _)| docs.contains(&format!("`{name}`"))), "a pack is not in docs/rules.md");
}

#[test]
fn the_page_of_the_taxonomy_is_what_the_code_says() {
    let (path, page) = (root().join("docs/taxonomy.md"), taxonomy_page());
    if std::env::var_os("DYETRACE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page, "docs/taxonomy.md is out of date: run this test with DYETRACE_BLESS=1");
}
