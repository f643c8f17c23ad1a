//! Kinds of claim that are not about absence: something works, a number, and what each can and cannot get.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;

use case::{CLOUD, Case, SECOND, began, codes, ended, failed, mark, one_claim};
use dyetrace_case::{DatumId, Form, Time, Transfer, Verdict};
use dyetrace_judge::{CODES, CanaryFacts, Measured, Number, Options, TrafficFacts, judge, read_claims};

fn measured(number: Number) -> Case {
    let measured = Measured { name: "unchanged".to_owned(), number, how: None, place: "measured.yaml:2".to_owned() };
    Case { measured: vec![measured], ..Case::good() }
}

#[test]
fn one_success_shows_that_something_works_and_failures_show_nothing() {
    let works = "works: { action: provision-device }";
    assert_eq!(Case::good().part(works).verdict, Verdict::Supported);
    let broken = Case::with_events(vec![mark(50, began("provision-device")), mark(60, failed("provision-device"))]);
    let part = broken.part(works);
    assert_eq!((part.verdict, part.reasons[0].value("tries")), (Verdict::NotExercised, Some("1")));
}

#[test]
fn works_without_the_internet_is_shown_by_a_success_without_traffic() {
    let works = "works: { action: provision-device, without_traffic_to: wan }";
    let mut case = Case::good();
    assert_eq!(case.part(works).verdict, Verdict::Supported);
    for second in [55, 105, 155] {
        let segment = case.key(second).segment;
        case.traffic.push(TrafficFacts {
            run: 0,
            segment,
            last_segment: segment,
            recipient: CLOUD,
            records: 1,
            sent: 1,
            received: 1,
        });
    }
    assert_eq!(case.part(works).verdict, Verdict::NotExercised, "each success had traffic");
    case.traffic.pop();
    assert_eq!(case.part(works).verdict, Verdict::Supported, "the third had none");
}

#[test]
fn a_share_is_contradicted_only_by_an_interval_outside_of_it() {
    let few = "ratio: { measure: unchanged, at_most: 0.05 }";
    let verdict = |hits, of| measured(Number::Sample { hits, of }).part(few).verdict;
    assert_eq!(verdict(50, 100), Verdict::Contradicted);
    assert_eq!(verdict(0, 100), Verdict::Supported);
    assert_eq!(verdict(1, 10), Verdict::NotExercised, "one of ten is 0.3 % to 45 %");
    assert_eq!(verdict(0, 0), Verdict::NotExercised);
    let part = measured(Number::Sample { hits: 50, of: 100 }).part(few);
    assert_eq!((part.numbers[0].value("hits"), part.numbers[0].value("low")), (Some("50"), Some("0.3983")));
}

#[test]
fn a_lower_bound_contradicts_what_is_less_and_supports_at_least() {
    let at_least = Number::Interval { low: 3000.0, high: None };
    assert_eq!(measured(at_least).part("count: { measure: unchanged, at_most: 2000 }").verdict, Verdict::Contradicted);
    assert_eq!(measured(at_least).part("count: { measure: unchanged, at_least: 2000 }").verdict, Verdict::Supported);
    assert_eq!(measured(at_least).part("count: { measure: unchanged, exactly: 5000 }").verdict, Verdict::NotExercised);
}

#[test]
fn what_nobody_measured_is_on_the_list_of_what_to_do() {
    let judgement = Case::good().judge(&one_claim("count: { measure: records, at_most: 5 }"));
    assert_eq!(judgement.claims[0].verdict, Verdict::NotExercised);
    assert_eq!((judgement.todo[0].what.code, judgement.todo[0].what.value("measure")), ("measure", Some("records")));
}

#[test]
fn stored_passwords_are_judged_without_actions_or_quiet_time() {
    let hashed = "never: { data: phone, reaches: storage, forms: [clear, encoded] }";
    let mut case = Case::good();
    let kept = |key: &mut dyetrace_case::PracticeKey| {
        key.datum = DatumId("phone".to_owned());
        key.transfer = Transfer::Kept;
        key.form = Form::Hashed;
    };
    assert_eq!(case.part(hashed).verdict, Verdict::NotExercised, "nothing stored was seen: vacuous");
    case.runs[0].stored_files = 1;
    case.see(0, kept);
    assert_eq!(case.part(hashed).verdict, Verdict::Supported, "{:#?}", case.part(hashed));
    case.see(0, |key| {
        kept(key);
        key.form = Form::Clear;
    });
    assert_eq!(case.part(hashed).verdict, Verdict::Contradicted);
}

#[test]
fn apples_definition_needs_proof_that_data_was_kept() {
    let body = "definitions: apple-label\nnever: { data: wifi.password }\nexercise: { actions: [provision-device] }";
    let mut case = Case::good();
    case.see(55, |_| ());
    let part = case.part(body);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "keeping-unknown"));
    case.canaries.push(CanaryFacts {
        datum: DatumId("wifi.password".to_owned()),
        at: Some(Time(300 * SECOND)),
        about: vec!["retention".to_owned()],
        how: "a log-in at the access point".to_owned(),
    });
    assert_eq!(case.part(body).verdict, Verdict::Contradicted);
}

#[test]
fn questions_stay_at_review_until_they_are_answered() {
    let text = one_claim("never: { data: wifi }\nhuman: [Is it needed?]\nexercise: { actions: [provision-device] }");
    let claims = read_claims("x", &text).unwrap().claims;
    let case = Case::good();
    let mut options = Options::default();
    assert_eq!(judge(&case.evidence(), &claims, &options).claims[0].review, ["Is it needed?"]);
    options.answered.insert(("test".to_owned(), "Is it needed?".to_owned()));
    assert!(judge(&case.evidence(), &claims, &options).claims[0].review.is_empty());
}

#[test]
fn an_empty_case_decides_nothing() {
    let bodies =
        ["never: { data: wifi }", "works: { action: a }", "discloses: { list: [ { data: wifi, recipients: first } ] }"];
    for body in bodies {
        let claim = Case::default().claim(body);
        assert!(!claim.applies && claim.verdict == Verdict::NotExercised, "{body}");
    }
}

#[test]
fn indices_that_point_nowhere_are_no_panic() {
    let mut case = Case::with_events(vec![mark(50, began("a")), mark(60, ended("a"))]);
    case.see(55, |key| {
        key.run = 9;
        key.segment = 9999;
        key.recipient = 9999;
    });
    case.see(55, |key| key.segment = 9999);
    case.see(55, |key| key.datum = DatumId("??#".to_owned()));
    case.opaque(9999, Some(u64::MAX));
    case.opaque(9999, Some(u64::MAX));
    case.opaque[0].run = 77;
    let judged = case.judge(&one_claim("never: { data: everything }\nexercise: { actions: [a] }"));
    assert_eq!(judged.claims[0].verdict, Verdict::Contradicted, "what has no known kind is part of everything");
}

#[test]
fn every_fact_that_is_stated_is_listed_with_its_values() {
    let mut case = Case::good();
    for second in [55, 105] {
        case.see(second, |_| ());
    }
    case.opaque(CLOUD, Some(5));
    let text = one_claim("never: { data: [wifi, phone], unless: [x], when: [given] }\nexercise: { actions: [y] }");
    let judgement = case.judge(&text);
    let part = &judgement.claims[0].parts[0];
    let lines = part.coverage.iter().flat_map(|line| &line.facts);
    let facts = lines.chain(&part.reasons).chain(&part.numbers).chain(&judgement.notes);
    let all: Vec<_> = facts.chain(judgement.todo.iter().map(|todo| &todo.what)).collect();
    assert!(all.len() > 10, "{:?}", codes(&part.reasons));
    for fact in all {
        let (_, values) = CODES.iter().find(|(code, _)| *code == fact.code).unwrap();
        assert_eq!(fact.values.iter().map(|(name, _)| *name).collect::<Vec<_>>(), *values, "{}", fact.code);
    }
}
