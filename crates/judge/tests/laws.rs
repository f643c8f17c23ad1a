//! The laws of the three values, on random cases: what is missing never acquits, and what was seen stays seen.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;

use case::{Case, SECOND, began, began_as, consent, ended, mark, one_claim, practice, run};
use dyetrace_case::{
    ActionOutcome, ConsentChange, DatumId, Event, Form, Milestone, Practice, Protection, Role, Scope, Side, Time,
    Timeline, Transfer, Verdict,
};
use dyetrace_judge::{CanaryFacts, DamageFacts, Measured, Number};
use proptest::prelude::*;

/// Claims of every kind in which absence is what supports and presence what contradicts.
const CLAIMS: [&str; 14] = [
    "never: { data: [wifi.password], reaches: [wan] }\nexercise: { actions: [provision-device] }",
    "never: { data: [wifi, phone], reaches: [wan], forms: [clear, hashed] }\nexercise: { actions: [provision-device], opaque_at_most: 50 }",
    "never: { data: [personal], reaches: [third] }\nexercise: { actions: [provision-device] }",
    "never: { data: [wifi], reaches: [maker.example], protection_below: transport }\nexercise: { actions: [provision-device] }",
    "never: { data: [phone], when: [not-asked] }\nexercise: { actions: [first-start] }",
    "never: { data: [phone], when: [given] }\nexercise: { actions: [provision-device] }",
    "never: { data: [wifi], unless: [provision-device] }\nexercise: { actions: [first-start] }",
    "never: { data: [wifi], country: [CN] }\nexercise: { actions: [provision-device] }",
    "variants: [softap, smartconfig]\nnever: { data: [wifi] }\nexercise: { actions: [provision-device] }",
    "discloses: { list: [ { data: [phone], recipients: [first] }, { data: [wifi], recipients: [first, third] } ] }\nexercise: { actions: [provision-device] }",
    "applies_to: { made_from: \"2016-07\", versions: [\">=1.5\"] }\nnever: { data: [wifi] }\nexercise: { actions: [provision-device] }",
    "definitions: apple-label\nnever: { data: [phone] }\nexercise: { actions: [provision-device] }",
    "readings: [ { name: a, never: { data: [wifi] } }, { name: b, never: { data: [phone] } } ]\nexercise: { actions: [provision-device], quiet_s: 60 }",
    "retention: { data: [phone], after: { action: provision-device, days: 0 } }",
];

/// Something seen: when, which datum, whose, and how.
#[derive(Debug, Clone)]
struct Sight {
    second: i64,
    datum: &'static str,
    recipient: usize,
    side: Side,
    form: Form,
    protection: Protection,
    transfer: Transfer,
    hint: bool,
}

/// A random case, from which the facts are made, so that spoilt marks move what was seen into other segments.
#[derive(Debug, Clone)]
struct Draft {
    events: Vec<Milestone>,
    sights: Vec<Sight>,
    rest: Case,
}

impl Draft {
    fn case(&self) -> Case {
        let mut case = self.rest.clone();
        let timeline = &mut case.runs[0].judged.timeline;
        *timeline = Timeline::new(self.events.clone());
        case.practices = self.sights.iter().map(|sight| practice_of(&case, sight)).collect();
        case
    }
}

fn practice_of(case: &Case, sight: &Sight) -> Practice {
    let mut key = case.key(sight.second);
    key.datum = DatumId(sight.datum.to_owned());
    key.recipient = sight.recipient;
    key.side = sight.side;
    key.form = sight.form;
    key.protection = sight.protection;
    key.transfer = sight.transfer;
    key.hint = sight.hint;
    practice(key, sight.second)
}

fn sights() -> impl Strategy<Value = Sight> {
    (
        prop_oneof![0i64..60, 60i64..400],
        prop::sample::select(&["wifi.password", "wifi.ssid", "phone"][..]),
        0usize..5,
        prop::sample::select(&[Side::Request, Side::Request, Side::Request, Side::Response][..]),
        prop::sample::select(&[Form::Clear, Form::Clear, Form::Encoded, Form::Hashed][..]),
        prop::sample::select(&[Protection::None, Protection::Unknown, Protection::Transport, Protection::Payload][..]),
        prop::sample::select(&[Transfer::Answered, Transfer::Answered, Transfer::Sent, Transfer::Attempted][..]),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(second, datum, recipient, side, form, protection, transfer, hint)| Sight {
            second,
            datum,
            recipient,
            side,
            form,
            protection,
            transfer,
            hint,
        })
}

/// First start at 10, then consent, then the device is set up twice, in two ways.
fn story(answer: ConsentChange) -> Vec<Milestone> {
    let events = vec![
        mark(10, began("first-start")),
        mark(20, ended("first-start")),
        mark(30, consent(ConsentChange::Shown)),
        mark(40, consent(answer)),
        mark(100, began_as("provision-device", "softap")),
        mark(110, ended("provision-device")),
        mark(150, began_as("provision-device", "smartconfig")),
        mark(160, ended("provision-device")),
    ];
    run("only", events).judged.timeline.milestones
}

fn drafts() -> impl Strategy<Value = Draft> {
    let answer = prop::sample::select(&[ConsentChange::Given, ConsentChange::Refused][..]);
    (answer, prop::collection::vec(sights(), 0..4), prop::collection::vec(0usize..SPOILS, 0..2)).prop_map(
        |(answer, sights, spoilt)| {
            let mut rest = Case::good();
            rest.recipients[0].server_country = dyetrace_case::Country::new("SG");
            rest.recipients[3].server_country = dyetrace_case::Country::new("CN");
            let mut draft = Draft { events: story(answer), sights, rest };
            for spoil_at in spoilt {
                spoil(&mut draft, spoil_at);
            }
            draft
        },
    )
}

/// How many ways there are to spoil a case; the first [`COVERAGE`] spoil what was covered and leave alone what was seen.
const SPOILS: usize = 20;
const COVERAGE: usize = 12;

fn spoil(draft: &mut Draft, how: usize) {
    let facts = &mut draft.rest.runs[0];
    let is = |event: &Event, began: bool| matches!(event, Event::ActionBegan { .. }) == began;
    match how {
        0 => facts.drops = Some(3),
        1 => facts.records = 0,
        2 => draft.rest.opaque(0, Some(60)),
        3 => draft.rest.opaque(3, None),
        4 => draft.rest.opaque(2, Some(1)),
        5 => draft.rest.spikes.iter_mut().for_each(|spikes| spikes.found = 10),
        6 => draft.rest.spikes.clear(),
        7 => draft.rest.damages.push(damage(None)),
        8 => draft.rest.damages.push(damage(Some(0))),
        9 => facts.judged.channels.clear(),
        10 => draft.events.retain(|milestone| !matches!(milestone.event, Event::Phase(_))),
        11 => draft.events.retain(|milestone| !matches!(milestone.event, Event::Planted { .. })),
        // From here on knowledge is lost about what was seen as well.
        12 => draft.events.iter_mut().for_each(|milestone| {
            if let Event::ActionEnded { outcome, .. } = &mut milestone.event {
                *outcome = ActionOutcome::Failed;
            }
        }),
        13 => draft.events.iter_mut().for_each(|milestone| milestone.error = 30 * SECOND as u64),
        14 => draft.events.retain(|milestone| !matches!(milestone.event, Event::Consent { .. })),
        15 => draft.rest.recipients.iter_mut().for_each(|recipient| recipient.role = Role::Unknown),
        16 => draft.rest.recipients.iter_mut().for_each(|recipient| recipient.server_country = None),
        17 => draft.rest.recipients.iter_mut().for_each(|recipient| recipient.scope = Scope::Unknown),
        18 => facts.judged.product = None,
        _ => draft.events.retain(|milestone| !is(&milestone.event, true)),
    }
}

fn damage(recipient: Option<usize>) -> DamageFacts {
    DamageFacts { run: Some(0), recipient, bytes: 7, reason: "a decoder stopped".to_owned() }
}

fn verdict(case: &Case, claim: usize) -> Verdict {
    case.judge(&one_claim(CLAIMS[claim])).claims[0].verdict
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaging_coverage_never_creates_supported(draft in drafts(), claim in 0..CLAIMS.len(), how in 0..SPOILS) {
        let before = verdict(&draft.case(), claim);
        let mut spoilt = draft.clone();
        spoil(&mut spoilt, how);
        let after = verdict(&spoilt.case(), claim);
        prop_assert!(before == Verdict::Supported || after != Verdict::Supported, "{before:?} became {after:?}");
    }

    #[test]
    fn damaging_coverage_never_removes_contradicted(draft in drafts(), claim in 0..CLAIMS.len(), how in 0..COVERAGE) {
        let before = verdict(&draft.case(), claim);
        let mut spoilt = draft.clone();
        spoil(&mut spoilt, how);
        let after = verdict(&spoilt.case(), claim);
        prop_assert!(before != Verdict::Contradicted || after == Verdict::Contradicted, "{after:?}");
    }

    #[test]
    fn one_more_witness_never_removes_contradicted(draft in drafts(), more in sights(), claim in 0..CLAIMS.len()) {
        let before = verdict(&draft.case(), claim);
        let mut other = draft.clone();
        other.sights.push(more);
        let after = verdict(&other.case(), claim);
        prop_assert!(before != Verdict::Contradicted || after == Verdict::Contradicted, "{after:?}");
    }

    #[test]
    fn an_error_of_a_decoder_never_supports(draft in drafts(), claim in 0..CLAIMS.len()) {
        let mut broken = draft.case();
        broken.damages.push(damage(None));
        prop_assert_ne!(verdict(&broken, claim), Verdict::Supported);
    }

    #[test]
    fn the_order_of_facts_does_not_matter(draft in drafts(), claim in 0..CLAIMS.len(), turn in 0usize..4) {
        let case = draft.case();
        let mut turned = case.clone();
        if !turned.practices.is_empty() {
            let by = turn % turned.practices.len();
            turned.practices.rotate_left(by);
        }
        turned.opaque.reverse();
        turned.spikes.reverse();
        turned.damages.reverse();
        prop_assert_eq!(verdict(&case, claim), verdict(&turned, claim));
    }

    #[test]
    fn kleene_and_is_commutative_associative_and_never_better_than_its_parts(a in values(), b in values(), c in values()) {
        prop_assert_eq!(a.and(b), b.and(a));
        prop_assert_eq!(a.and(b).and(c), a.and(b.and(c)));
        prop_assert_eq!(a.and(b) == Verdict::Supported, a == Verdict::Supported && b == Verdict::Supported);
        prop_assert_eq!(a.and(b) == Verdict::Contradicted, a == Verdict::Contradicted || b == Verdict::Contradicted);
    }

    #[test]
    fn a_wider_interval_never_supports_more(low in 0.0..50.0, width in 0.0..20.0, more in 0.0..20.0, claimed in 0.0..50.0) {
        let body = format!("count: {{ measure: records, at_least: {claimed:.2}, at_most: {:.2} }}", claimed + 10.0);
        let judged = |low: f64, high: f64| {
            let number = Number::Interval { low, high: Some(high) };
            let measured = Measured { name: "records".to_owned(), number, how: None, place: String::new() };
            Case { measured: vec![measured], ..Case::default() }.claim(&body).verdict
        };
        let (narrow, wide) = (judged(low, low + width), judged(low - more, low + width + more));
        prop_assert!(wide == narrow || wide == Verdict::NotExercised, "{narrow:?} became {wide:?}");
    }
}

fn values() -> impl Strategy<Value = Verdict> {
    prop::sample::select(&[Verdict::Contradicted, Verdict::Supported, Verdict::NotExercised][..])
}

#[test]
fn the_random_cases_reach_every_value_for_every_claim_that_can_have_it() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = vec![std::collections::BTreeSet::new(); CLAIMS.len()];
    for _ in 0..600 {
        let case = drafts().new_tree(&mut runner).unwrap().current().case();
        for (claim, values) in seen.iter_mut().enumerate() {
            values.insert(verdict(&case, claim));
        }
    }
    for (claim, values) in seen.iter().enumerate() {
        let possible = match claim {
            // Without a canary nothing shows that data was kept, and retention is never supported.
            11 => 2,
            13 => 1,
            _ => 3,
        };
        assert_eq!(values.len(), possible, "{}: {values:?}", CLAIMS[claim]);
    }
}

#[test]
fn a_canary_contradicts_and_its_absence_supports_nothing() {
    let retention = CLAIMS[13];
    let mut case = Case::with_events(vec![mark(50, began("provision-device")), mark(60, ended("provision-device"))]);
    assert_eq!(case.part(retention).verdict, Verdict::NotExercised);
    let canary = |seconds: i64| CanaryFacts {
        datum: DatumId("phone".to_owned()),
        at: Some(Time(seconds * SECOND)),
        about: vec!["retention".to_owned()],
        how: "a call".to_owned(),
    };
    case.canaries = vec![canary(55)];
    assert_eq!(case.part(retention).verdict, Verdict::NotExercised, "it may still have been allowed to have it");
    case.canaries = vec![canary(90)];
    assert_eq!(case.part(retention).verdict, Verdict::Contradicted);
    let purpose = "purpose: { data: [phone] }";
    assert_eq!(case.part(purpose).verdict, Verdict::NotExercised, "this canary is not about the purpose");
}

#[test]
fn spikes_of_another_run_do_not_help() {
    let mut case = Case::good();
    case.spikes.iter_mut().for_each(|spikes| spikes.run = 7);
    assert_eq!(case.claim(CLAIMS[0]).verdict, Verdict::NotExercised);
}
