//! More traps, at the edges: of time, of what is in scope, of what an action is, of rules that are judged twice.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;

use case::{
    CLOUD, Case, TRACKER, began, began_as, began_under, codes, consent, ended, failed, mark, met, one_claim, planted,
    run, three_times,
};
use dyetrace_case::{ConsentChange, Met, Protection, Requirement, Verdict};
use dyetrace_judge::{Answers, CanaryFacts, Judged, PACKS, RunFacts, judge_all, read_claims, read_pack};

#[test]
fn unread_bytes_count_in_every_consent_state_that_their_connection_lasted_through() {
    let body = "never: { data: [wifi.password], when: [refused] }
exercise: { actions: [ { name: provision-device, times: 1 } ], quiet_s: 60 }";
    let mut events = vec![mark(20, consent(ConsentChange::Given)), mark(90, consent(ConsentChange::Refused))];
    events.extend(three_times("provision-device"));
    let case = Case::with_events(events);
    assert_eq!(case.part(body).verdict, Verdict::Supported, "{:#?}", case.part(body));
    let mut over = case.clone();
    over.opaque_between(30, 60, CLOUD, Some(1_000_000));
    assert_eq!(over.part(body).verdict, Verdict::Supported, "all of it was sent while consent was given");
    for (first, last) in [(30, 200), (30, 390), (95, 100)] {
        let mut open = case.clone();
        open.opaque_between(first, last, CLOUD, Some(1_000_000));
        let part = open.part(body);
        assert_eq!(
            (part.verdict, met(&part, Requirement::Visible)),
            (Verdict::NotExercised, Met::No),
            "{first}–{last}"
        );
    }
    let mut endless = case.clone();
    endless.opaque_between(30, 60, CLOUD, Some(1_000_000));
    endless.opaque[0].last_segment = 0;
    assert_eq!(endless.part(body).verdict, Verdict::NotExercised, "nobody knows when the last byte was sent");
}

#[test]
fn unread_bytes_of_a_connection_that_outlasts_the_allowed_action_are_not_allowed() {
    let body = "never: { data: [wifi.password], unless: [send-to-support] }
exercise: { actions: [ { name: provision-device, times: 1 } ] }";
    let mut events = three_times("provision-device");
    events.extend([mark(200, began("send-to-support")), mark(210, ended("send-to-support"))]);
    let mut case = Case::with_events(events);
    case.see(205, |_| ());
    case.opaque_between(203, 207, CLOUD, Some(1_000_000));
    assert_eq!(case.part(body).verdict, Verdict::Supported);
    case.opaque_between(203, 290, CLOUD, Some(1_000_000));
    assert_eq!(case.part(body).verdict, Verdict::NotExercised);
}

#[test]
fn a_connection_from_before_the_action_may_have_carried_what_the_action_needs() {
    let needs = "needs: { action: provision-device, without_traffic_to: wan }";
    let mut case = Case::with_events(vec![mark(50, began("provision-device")), mark(60, ended("provision-device"))]);
    assert_eq!(case.part(needs).verdict, Verdict::Contradicted);
    let mut after = case.clone();
    after.opaque_between(70, 80, CLOUD, Some(500));
    assert_eq!(after.part(needs).verdict, Verdict::Contradicted);
    case.opaque_between(20, 80, CLOUD, Some(500));
    assert_eq!(case.part(needs).verdict, Verdict::NotExercised);
}

#[test]
fn an_action_whose_end_nobody_marked_allows_nothing_for_certain() {
    let body = "never: { data: [wifi.password], unless: [send-to-support] }
exercise: { actions: [ { name: provision-device, times: 1 } ] }";
    let mut events = three_times("provision-device");
    events.push(mark(200, began("send-to-support")));
    let mut case = Case::with_events(events);
    case.see(205, |_| ());
    let part = case.part(body);
    assert_eq!((part.verdict, met(&part, Requirement::PositiveControl)), (Verdict::NotExercised, Met::No), "{part:#?}");
}

#[test]
fn a_deletion_that_failed_starts_no_time_of_keeping() {
    let retention = "retention: { data: [phone], after: { action: delete-account, days: 30 } }";
    let day = 86_400;
    let tried = |outcome| {
        let mut case = Case::with_events(vec![mark(50, began("delete-account")), mark(60, outcome)]);
        case.canaries.push(CanaryFacts {
            datum: dyetrace_case::DatumId("phone".to_owned()),
            at: Some(dyetrace_case::Time(40 * day * case::SECOND)),
            about: vec!["retention".to_owned()],
            how: "a call".to_owned(),
        });
        case.part(retention).verdict
    };
    assert_eq!(tried(ended("delete-account")), Verdict::Contradicted);
    assert_eq!(tried(failed("delete-account")), Verdict::NotExercised);
}

#[test]
fn unread_bytes_that_belong_to_no_variant_keep_the_claim_open() {
    let body = "variants: [softap]\nnever: { data: [wifi.password], reaches: [wan] }
exercise: { actions: [provision-device] }";
    let mut case = Case::with_events(vec![
        mark(50, began_as("provision-device", "softap")),
        mark(60, ended("provision-device")),
        mark(100, began_as("reset", "other")),
        mark(110, ended("reset")),
    ]);
    assert_eq!(case.claim(body).verdict, Verdict::Supported, "{:#?}", case.claim(body));
    case.opaque_between(10, 20, CLOUD, Some(1_000_000));
    let claim = case.claim(body);
    assert_eq!((claim.verdict, claim.parts.len()), (Verdict::NotExercised, 2), "sent before anything was set up");
}

#[test]
fn the_order_of_runs_decides_nothing() {
    let body = "applies_to: { made_from: \"2016-07\" }
never: { data: [wifi.password] }\nexercise: { actions: [provision-device] }";
    let old = |made: Option<&str>| {
        let mut facts = run("a", three_times("provision-device"));
        facts.judged.product.as_mut().unwrap().made = made.map(str::to_owned);
        facts.judged.product.as_mut().unwrap().version = None;
        facts
    };
    let verdict = |runs: [RunFacts; 2]| Case { runs: runs.to_vec(), ..Case::good() }.claim(body).verdict;
    let runs = [old(Some("2017")), old(None)];
    let turned = [runs[1].clone(), runs[0].clone()];
    assert_eq!((verdict(runs), verdict(turned)), (Verdict::NotExercised, Verdict::NotExercised));
}

#[test]
fn a_state_that_the_claim_speaks_of_and_nobody_tried_leaves_it_open() {
    let body = "never: { data: [wifi.password], when: [refused, withdrawn] }
exercise: { actions: [provision-device], states: [refused] }";
    let mut events = vec![mark(20, consent(ConsentChange::Refused)), mark(90, consent(ConsentChange::Given))];
    events.extend([mark(50, began("provision-device")), mark(60, ended("provision-device"))]);
    let part = Case::with_events(events.clone()).part(body);
    assert_eq!((part.verdict, met(&part, Requirement::Exercised)), (Verdict::NotExercised, Met::No));
    events.push(mark(120, consent(ConsentChange::Withdrawn)));
    events.extend([mark(150, began("provision-device")), mark(160, ended("provision-device"))]);
    assert_eq!(Case::with_events(events).part(body).verdict, Verdict::Supported);
}

#[test]
fn an_exercise_that_leaves_out_a_state_or_decides_nothing_is_refused() {
    let refused = [
        "never: { data: [wifi], when: [refused, withdrawn] }\nexercise: { actions: [ { name: a, states: [refused] } ] }",
        "works: { action: a }\nexercise: { channels: [phone-wifi] }",
        "needs: { action: a, without_traffic_to: wan }\nexercise: { quiet_s: 60 }",
        "count: { measure: a, at_most: 1 }\nexercise: { actions: [a] }",
    ];
    for body in refused {
        assert!(read_claims("x.yaml", &one_claim(body)).is_err(), "{body}");
    }
}

#[test]
fn a_success_without_traffic_counts_only_where_its_channels_were_recorded() {
    let needs = "needs: { action: provision-device, without_traffic_to: wan }\nexercise: { channels: [device-wifi] }";
    let mut case = Case::good();
    assert_eq!(case.part(needs).verdict, Verdict::Contradicted);
    case.runs[0].judged.channels.retain(|channel| channel != "device-wifi");
    assert_eq!(case.part(needs).verdict, Verdict::NotExercised);
}

#[test]
fn what_was_sent_where_it_is_allowed_does_not_fill_a_promise_of_encryption() {
    let body = "never: { data: [wifi.password], protection_below: transport, unless: [send-to-support] }
exercise: { actions: [ { name: provision-device, times: 1 } ] }";
    let mut events = three_times("provision-device");
    events.extend([mark(200, began("send-to-support")), mark(210, ended("send-to-support"))]);
    let mut case = Case::with_events(events);
    case.see(205, |key| key.protection = Protection::None);
    let part = case.part(body);
    assert_eq!((part.verdict, met(&part, Requirement::NotVacuous)), (Verdict::NotExercised, Met::No), "{part:#?}");
}

#[test]
fn what_another_app_held_the_product_did_not() {
    let never = "never: { data: [wifi.password], reaches: [third] }\nexercise: { actions: [provision-device] }";
    let mut case = Case::good();
    case.runs[0].judged.timeline.milestones.retain(|milestone| milestone.event != planted());
    case.runs[0].apps = vec!["com.maker.home".to_owned()];
    let mut own = case.clone();
    own.see(10, |key| key.app = Some("com.maker.home".to_owned()));
    assert_eq!(own.part(never).verdict, Verdict::Supported, "{:#?}", own.part(never));
    case.see(10, |key| key.app = Some("com.other".to_owned()));
    let part = case.part(never);
    assert_eq!((part.verdict, met(&part, Requirement::Held)), (Verdict::NotExercised, Met::No));
}

#[test]
fn failures_count_only_in_runs_in_scope_and_as_the_action_that_is_named() {
    let count = "applies_to: { regions: [CN] }\ncount: { measure: failed/log-in, at_most: 0 }";
    let here = run("here", vec![mark(50, began("log-in")), mark(60, ended("log-in"))]);
    let mut abroad = run("abroad", vec![mark(50, began("log-in")), mark(60, failed("log-in"))]);
    abroad.region = Some("DE".to_owned());
    let case = Case { runs: vec![here, abroad.clone()], ..Case::good() };
    assert_eq!(case.claim(count).verdict, Verdict::Supported, "{:#?}", case.claim(count));
    let only_abroad = Case { runs: vec![abroad], ..Case::good() }.claim(count);
    assert!(!only_abroad.applies && only_abroad.verdict == Verdict::NotExercised);
    let mut cut_off = Case::with_events(vec![
        mark(50, began_under("log-in", "wan-blocked")),
        mark(60, failed("log-in")),
        mark(80, began("log-in")),
        mark(90, ended("log-in")),
    ]);
    assert_eq!(cut_off.claim(count).verdict, Verdict::Supported, "the tester had cut the network off");
    cut_off.runs[0].region = None;
    let part = cut_off.part(count);
    assert_eq!((part.verdict, met(&part, Requirement::Scope)), (Verdict::NotExercised, Met::No));
    assert_eq!(codes(&part.reasons)[0], "scope-unknown");
}

#[test]
fn questions_about_the_makers_own_claims_are_questions_about_the_rule_on_them() {
    let text = PACKS.iter().find(|(name, _)| *name == "mastg-0206").unwrap().1;
    let pack = read_pack("rules/x.yaml", text).unwrap();
    let own = "discloses: { list: [ { data: [phone], recipients: [first] } ] }
human: [Is the list the newest?]\nexercise: { actions: [provision-device] }";
    let claims = read_claims("x.yaml", &one_claim(own)).unwrap().claims;
    let rules: Vec<_> = pack.rules.iter().collect();
    let judged = judge_all(&Case::good().evidence(), &claims, &rules, &Answers::new()).claims;
    assert!(judged[1..].iter().any(|rule| rule.review.iter().any(|question| question == "Is the list the newest?")));
}

#[test]
fn a_rule_judged_under_two_texts_is_compared_as_both_together() {
    let case = Case::good();
    let text = one_claim("never: { data: [wifi.password] }\nexercise: { actions: [provision-device] }");
    let good = case.judge(&text);
    let mut twice = good.clone();
    let mut seen = Case::good();
    seen.see(55, |_| ());
    twice.claims.insert(0, seen.judge(&text).claims.remove(0));
    let evidence = case.evidence();
    let [before, after] = [&good, &twice].map(|judgement| Judged { judgement, evidence: &evidence });
    let comparison = dyetrace_judge::compare(before, after);
    assert_eq!(comparison.claims.len(), 1, "the second text does not hide that the first is contradicted");
    assert_eq!(comparison.claims[0].after, dyetrace_case::Stands::Contradicted);
}

#[test]
fn who_was_not_looked_for_again_does_not_get_nothing() {
    let judge = |case: &Case| case.judge(&one_claim("never: { data: [phone] }"));
    let mut seen = Case::good();
    seen.see(55, |key| key.recipient = TRACKER);
    let compared = |after: &Case| {
        let judgements = [judge(&seen), judge(after)];
        let evidence = [seen.evidence(), after.evidence()];
        let side = |at: usize| Judged { judgement: &judgements[at], evidence: &evidence[at] };
        dyetrace_judge::compare(side(0), side(1)).recipients.len()
    };
    assert_eq!(compared(&Case::good()), 1);
    assert_eq!(compared(&Case::with_events(Vec::new())), 0, "nothing was tried");
    let mut unread = Case::good();
    unread.opaque(TRACKER, Some(9));
    assert_eq!(compared(&unread), 0, "it may have gone where nobody could read it");
}

#[test]
fn what_is_found_again_in_one_recording_says_nothing_of_another() {
    let never = "never: { data: [wifi.password], reaches: [wan] }\nexercise: { actions: [provision-device] }";
    let runs = ["a", "b"].map(|id| run(id, three_times("provision-device"))).to_vec();
    let mut case = Case { runs, ..Case::good() };
    let part = case.part(never);
    assert_eq!((part.verdict, met(&part, Requirement::Detectable)), (Verdict::NotExercised, Met::No));
    let other = case.spikes.iter().cloned().map(|spikes| dyetrace_judge::SpikeFacts { run: 1, ..spikes });
    case.spikes.extend(other.collect::<Vec<_>>());
    assert_eq!(case.part(never).verdict, Verdict::Supported, "{:#?}", case.part(never));
}
