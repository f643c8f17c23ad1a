//! Two judgements side by side: what counts as a change, and what must not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;

use case::{CLOUD, Case, DEVICE, TRACKER, consent, mark, three_times};
use dyetrace_case::{
    Change, Comparison, ConsentChange, DatumId, Direction, Form, Judgement, PracticeKey, Protection, Side, Stands,
};
use dyetrace_judge::{DamageFacts, Judged};
use proptest::prelude::*;

const NEVER: &str = "claims: [ { id: c, says: Never., never: { data: [wifi.password], reaches: [wan] } } ]";

fn judgement(case: &Case) -> Judgement {
    case.judge(NEVER)
}

fn compare(before: &Case, after: &Case) -> Comparison {
    compare_judged((before, &judgement(before)), (after, &judgement(after)))
}

fn compare_judged(before: (&Case, &Judgement), after: (&Case, &Judgement)) -> Comparison {
    let evidence = [before.0.evidence(), after.0.evidence()];
    dyetrace_judge::compare(
        Judged { judgement: before.1, evidence: &evidence[0] },
        Judged { judgement: after.1, evidence: &evidence[1] },
    )
}

/// A case in which the password went to the cloud once, changed so.
fn seen(change: impl FnOnce(&mut PracticeKey)) -> Case {
    let mut case = Case::good();
    case.see(55, change);
    case
}

fn nothing() -> Case {
    Case::good()
}

fn changes(comparison: &Comparison) -> Vec<Change> {
    comparison.practices.iter().flat_map(|practice| practice.changes.clone()).collect()
}

#[test]
fn what_was_sent_before_and_not_after_vanished_and_the_other_way_round_appeared() {
    let gone = compare(&seen(|_| ()), &nothing());
    assert_eq!((changes(&gone), gone.recipients[0].is_new), (vec![Change::Vanished], false));
    let new = compare(&nothing(), &seen(|_| ()));
    assert_eq!((changes(&new), new.recipients[0].is_new), (vec![Change::Appeared], true));
    assert_eq!((new.claims[0].before, new.claims[0].after), (Stands::NotExercised, Stands::Contradicted));
    assert_eq!(new.direction(), Direction::Worse);
}

#[test]
fn what_was_not_tried_again_did_not_vanish() {
    let idle = Case::with_events(Vec::new());
    let comparison = compare(&seen(|_| ()), &idle);
    assert_eq!((changes(&comparison), comparison.direction()), (vec![Change::NotTried], Direction::Open));
}

#[test]
fn what_can_no_longer_be_read_did_not_vanish() {
    let mut unread = nothing();
    unread.opaque(CLOUD, Some(900));
    let comparison = compare(&seen(|_| ()), &unread);
    assert_eq!((changes(&comparison), comparison.direction()), (vec![Change::NotReadable], Direction::Open));
    let mut elsewhere = nothing();
    elsewhere.opaque(TRACKER, None);
    let comparison = compare(&seen(|_| ()), &elsewhere);
    assert_eq!((changes(&comparison), comparison.direction()), (vec![Change::Vanished], Direction::Open));
    let broken = DamageFacts { run: Some(0), recipient: None, bytes: 0, reason: "broken".to_owned() };
    let damaged = Case { damages: vec![broken], ..nothing() };
    let mut empty = nothing();
    empty.runs[0].records = 0;
    for after in [damaged, empty] {
        assert_eq!(changes(&compare(&seen(|_| ()), &after)), [Change::NotReadable]);
    }
}

#[test]
fn what_was_seen_with_consent_did_not_vanish_where_consent_was_never_given() {
    let run = |change| {
        let mut events = three_times("provision-device");
        events.push(mark(10, consent(change)));
        Case::with_events(events)
    };
    let mut given = run(ConsentChange::Given);
    given.see(55, |_| ());
    let refused = run(ConsentChange::Refused);
    assert_eq!(changes(&compare(&given, &refused)), [Change::NotTried]);
    let mut despite = run(ConsentChange::Refused);
    despite.see(55, |_| ());
    assert_eq!(changes(&compare(&given, &despite)), [Change::WithoutConsentNow]);
    assert_eq!(changes(&compare(&despite, &given)), [Change::WithConsentNow]);
}

#[test]
fn less_protection_is_worse_and_unknown_protection_is_neither() {
    let none = || seen(|key| key.protection = Protection::None);
    let unknown = || seen(|key| key.protection = Protection::Unknown);
    assert_eq!(changes(&compare(&seen(|_| ()), &none())), [Change::WorseProtected]);
    assert_eq!(changes(&compare(&none(), &seen(|_| ()))), [Change::BetterProtected]);
    assert_eq!(changes(&compare(&none(), &unknown())), [Change::ProtectionUnknown]);
}

#[test]
fn a_digest_in_place_of_the_value_is_no_new_practice() {
    let digest = || seen(|key| key.form = Form::Hashed);
    let comparison = compare(&seen(|_| ()), &digest());
    assert_eq!(changes(&comparison), [Change::NotInThisForm, Change::LessReadable]);
    assert!(comparison.recipients.is_empty());
    assert_eq!(changes(&compare(&digest(), &seen(|_| ()))), [Change::MoreReadable, Change::NotInThisForm]);
}

#[test]
fn values_addresses_and_knowledge_of_one_side_do_not_look_like_changes() {
    let second = seen(|key| key.datum = DatumId("wifi.password#2".to_owned()));
    assert_eq!(changes(&compare(&seen(|_| ()), &second)), [], "another value of the same kind");
    let at_home = |name: &str| {
        let mut case = Case::good();
        case.recipients[DEVICE].name = Some(name.to_owned());
        case.see(55, |key| key.recipient = DEVICE);
        case
    };
    assert_eq!(changes(&compare(&at_home("plug.lan"), &at_home("plug-2.lan"))), [], "another address at home");
    let mut known = Case::good();
    known.recipients[CLOUD].domain = Some("maker.example".to_owned());
    let mut unknown = known.clone();
    known.recipients[CLOUD].owner = Some("Example Maker".to_owned());
    unknown.recipients[CLOUD].role = dyetrace_case::Role::Unknown;
    for case in [&mut known, &mut unknown] {
        case.see(55, |_| ());
    }
    assert_eq!(changes(&compare(&unknown, &known)), [], "an owner that one side alone knows");
}

#[test]
fn hints_and_what_came_back_are_not_compared() {
    let hint = seen(|key| key.hint = true);
    let comparison = compare(&nothing(), &hint);
    assert_eq!((changes(&comparison), comparison.after.hints), (vec![], 1));
    assert_eq!(changes(&compare(&nothing(), &seen(|key| key.side = Side::Response))), []);
}

#[test]
fn a_claim_of_one_side_alone_is_neither_better_nor_worse() {
    let case = nothing();
    let other = case.judge("claims: [ { id: d, says: Works., works: { action: provision-device } } ]");
    let comparison = compare_judged((&case, &other), (&case, &judgement(&case)));
    assert!(comparison.claims.iter().all(|claim| claim.direction() == Direction::OneSided));
    assert_eq!((comparison.claims.len(), comparison.direction()), (2, Direction::OneSided));
}

prop_compose! {
    fn some_practices()(all in proptest::collection::vec((0usize..3, 0usize..3, 0usize..6, 0usize..4, any::<bool>()), 0..12))
        -> Case
    {
        let mut case = Case::good();
        for (datum, recipient, form, protection, hint) in all {
            case.see(55, |key| {
                key.datum = DatumId(["wifi.password", "wifi.ssid", "phone"][datum].to_owned());
                key.recipient = [CLOUD, DEVICE, TRACKER][recipient];
                key.form = Form::ALL[form];
                key.protection =
                    [Protection::None, Protection::Unknown, Protection::Transport, Protection::Payload][protection];
                key.hint = hint;
            });
        }
        case
    }
}

proptest! {
    #[test]
    fn nothing_changes_against_itself(side in some_practices()) {
        let comparison = compare(&side, &side);
        prop_assert_eq!(comparison.direction(), Direction::Same);
        prop_assert!(changes(&comparison).is_empty() && comparison.claims.is_empty() && comparison.recipients.is_empty());
    }

    #[test]
    fn turned_round_what_appeared_vanished_and_better_is_worse(one in some_practices(), other in some_practices()) {
        let there = compare(&one, &other);
        let back = compare(&other, &one);
        let count = |comparison: &Comparison, change| changes(comparison).iter().filter(|one| **one == change).count();
        prop_assert_eq!(count(&there, Change::Appeared), count(&back, Change::Vanished));
        let both = |comparison: &Comparison, wanted| {
            let same_form = comparison.practices.iter().filter(|one| one.before.is_some() && one.after.is_some());
            same_form.filter(|one| one.changes.contains(&wanted)).count()
        };
        prop_assert_eq!(both(&there, Change::BetterProtected), both(&back, Change::WorseProtected));
        prop_assert_eq!(there.recipients.len(), back.recipients.len());
    }

    #[test]
    fn every_sighting_that_is_no_hint_is_counted_once(one in some_practices(), other in some_practices()) {
        let comparison = compare(&one, &other);
        let counted = |seen: Vec<u64>| seen.into_iter().sum::<u64>();
        let before = counted(comparison.practices.iter().filter_map(|p| Some(p.before.as_ref()?.sightings)).collect());
        let after = counted(comparison.practices.iter().filter_map(|p| Some(p.after.as_ref()?.sightings)).collect());
        let all = |side: &Case| side.practices.iter().filter(|p| !p.key.hint).map(|p| p.count).sum::<u64>();
        prop_assert_eq!((before, after), (all(&one), all(&other)));
    }
}
