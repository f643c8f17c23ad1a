//! Each trap that a careless judge falls into, as a test of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;

use case::{
    CLOUD, Case, DEVICE, NOWHERE, TRACKER, began, codes, consent, ended, failed, mark, met, one_claim, planted, run,
    three_times,
};
use dyetrace_case::{ConsentChange, DatumId, Form, Met, Protection, Requirement, Role, Scope, Side, Transfer, Verdict};
use dyetrace_judge::{DamageFacts, DatumFacts, RecordingCheck, SpikeFacts, TrafficFacts, read_claims};

/// "The Wi-Fi password is not sent to the internet", with everything that its support asks for.
const NEVER: &str = "never: { data: [wifi.password], reaches: [wan] }
exercise: { actions: [ { name: provision-device, times: 3 } ], channels: [phone-wifi], quiet_s: 60 }";

const ENCRYPTED: &str = "never: { data: [wifi], reaches: [wan], protection_below: transport }
exercise: { actions: [ { name: provision-device, times: 1 } ], quiet_s: 60 }";

#[test]
fn a_case_in_which_everything_was_done_well_supports() {
    let part = Case::good().part(NEVER);
    assert_eq!(part.verdict, Verdict::Supported, "{part:#?}");
    assert_eq!(part.reasons[0].value("tries"), Some("3"));
    let bound = part.numbers.iter().find(|fact| fact.code == "bound").unwrap();
    assert_eq!(bound.value("percent"), Some("63.2"), "no hit in three tries leaves much open");
}

#[test]
fn one_witness_contradicts() {
    let mut case = Case::good();
    let witness = case.see(55, |_| ());
    let part = case.part(NEVER);
    assert_eq!((part.verdict, part.witnesses), (Verdict::Contradicted, vec![witness]));
}

#[test]
fn encrypted_is_not_supported_when_nothing_was_sent() {
    let part = Case::good().part(ENCRYPTED);
    assert_eq!((part.verdict, met(&part, Requirement::NotVacuous)), (Verdict::NotExercised, Met::No));
    assert_eq!(codes(&part.reasons), ["vacuous"]);
    let mut case = Case::good();
    case.see(55, |_| ());
    let part = case.part(ENCRYPTED);
    assert_eq!((part.verdict, met(&part, Requirement::NotVacuous)), (Verdict::Supported, Met::Yes), "{part:#?}");
    case.see(55, |key| key.protection = Protection::None);
    assert_eq!(case.part(ENCRYPTED).verdict, Verdict::Contradicted);
}

#[test]
fn nothing_is_kept_is_not_supported_when_no_stored_file_was_read() {
    let kept = "never: { data: [wifi.ssid], reaches: [storage] }";
    let part = Case::good().part(kept);
    assert_eq!((part.verdict, met(&part, Requirement::Visible)), (Verdict::NotExercised, Met::No));
    let mut read = Case::good();
    read.see(55, |key| key.transfer = Transfer::Kept);
    assert_eq!(
        read.part(kept).verdict,
        Verdict::NotExercised,
        "what was kept before the last action ended says little"
    );
    read.runs[0].stored_files = 20;
    assert_eq!(read.part(kept).verdict, Verdict::Supported, "files were read that were collected when all was done");
}

#[test]
fn encrypted_has_two_readings_and_each_is_judged() {
    let mut case = Case::good();
    case.see(55, |_| ());
    let readings = "readings:
  - name: transport
    never: { data: [wifi], protection_below: transport }
  - name: end-to-end
    never: { data: [wifi], protection_below: end-to-end }
exercise: { actions: [provision-device] }";
    let claim = case.claim(readings);
    let verdicts: Vec<_> = claim.parts.iter().map(|part| (part.labels[0].1.as_str(), part.verdict)).collect();
    assert_eq!(verdicts, [("transport", Verdict::Supported), ("end-to-end", Verdict::Contradicted)]);
    assert!(claim.parts.iter().all(|part| codes(&part.numbers).contains(&"readings-differ")), "not in silence");
}

#[test]
fn the_upload_is_needed_is_contradicted_by_one_success_without_it() {
    let needs = "needs: { action: provision-device-wan-blocked, without_traffic_to: wan }";
    let tried = |outcome| {
        let blocked = case::began_under("provision-device", "wan-blocked");
        Case::with_events(vec![mark(50, blocked), mark(60, outcome)])
    };
    assert_eq!(tried(ended("provision-device")).part(needs).verdict, Verdict::Contradicted);
    let part = tried(failed("provision-device")).part(needs);
    assert_eq!((part.verdict, codes(&part.reasons)), (Verdict::NotExercised, vec!["failures-decide-nothing"]));
    let mut leaky = tried(ended("provision-device"));
    let segment = leaky.key(55).segment;
    leaky.traffic.push(TrafficFacts {
        run: 0,
        segment,
        last_segment: segment,
        recipient: CLOUD,
        records: 1,
        sent: 10,
        received: 0,
    });
    assert_eq!(leaky.part(needs).verdict, Verdict::Contradicted, "what went into a blocked network reached nobody");
    leaky.traffic[0].received = 10;
    let part = leaky.part(needs);
    assert_eq!(part.verdict, Verdict::NotExercised, "an answer shows that the network was not blocked");
    assert_eq!(part.reasons[1].value("why"), Some("traffic"));
}

#[test]
fn a_success_without_traffic_needs_a_recording_unless_the_network_was_off() {
    let needs = "needs: { action: provision-device, without_traffic_to: wan }";
    let case = Case::good();
    assert_eq!(case.part(needs).verdict, Verdict::Contradicted);
    let mut unseen = case.clone();
    unseen.runs[0].records = 0;
    assert_eq!(unseen.part(needs).verdict, Verdict::NotExercised);
    let mut unread = case.clone();
    unread.opaque(CLOUD, None);
    unread.opaque[0].segment = 0;
    assert_eq!(unread.part(needs).verdict, Verdict::NotExercised, "unread bytes without a time");
}

#[test]
fn actions_are_counted_in_each_consent_state() {
    let body = "never: { data: [wifi.password], when: [not-asked, refused] }
exercise: { actions: [ { name: provision-device, times: 1 } ] }";
    let mut events = three_times("provision-device");
    events.push(mark(30, consent(ConsentChange::Shown)));
    events.push(mark(40, consent(ConsentChange::Refused)));
    let part = Case::with_events(events).part(body);
    assert_eq!(part.verdict, Verdict::NotExercised);
    let exercised = part.coverage.iter().find(|line| line.requirement == Requirement::Exercised).unwrap();
    let cells: Vec<_> = exercised.facts.iter().map(|fact| (fact.value("state"), fact.value("done"))).collect();
    assert_eq!(
        cells,
        [(Some("not-asked"), Some("0")), (Some("refused"), Some("3"))],
        "three tries after a no are none before"
    );
}

#[test]
fn a_witness_within_the_clock_error_of_a_consent_mark_does_not_count() {
    let body = "never: { data: [wifi.password], when: [not-asked] }\nexercise: { actions: [first-start] }";
    let events = vec![
        mark(5, began("first-start")),
        mark(20, ended("first-start")),
        mark(40, consent(ConsentChange::Shown)),
        mark(50, consent(ConsentChange::Given)),
    ];
    let at = |seconds| {
        let mut case = Case::with_events(events.clone());
        case.see(seconds, |_| ());
        case.part(body)
    };
    assert_eq!(at(38).verdict, Verdict::Contradicted);
    for within in [39, 40, 41] {
        let part = at(within);
        assert_eq!(part.verdict, Verdict::NotExercised, "at {within}: neither before nor after");
        assert_eq!(part.discounted[0].1.code, "within-clock-error");
    }
    let after = at(60);
    assert_eq!((after.verdict, after.discounted[0].1.code), (Verdict::Supported, "other-state"), "{after:#?}");
}

#[test]
fn without_marks_of_consent_nobody_knows_the_state() {
    let body = "never: { data: [wifi.password], when: [not-asked] }\nexercise: { actions: [provision-device] }";
    let mut case = Case::good();
    assert_eq!(case.part(body).verdict, Verdict::NotExercised, "not asked is not the same as not marked");
    case.see(55, |_| ());
    let part = case.part(body);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "consent-unknown"));
}

#[test]
fn an_unknown_recipient_does_not_vanish() {
    let mut case = Case::good();
    case.see(55, |key| key.recipient = NOWHERE);
    let part = case.part(NEVER);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "recipient-unknown"));
    let mut case = Case::good();
    case.opaque(NOWHERE, Some(10));
    assert_eq!(case.part(NEVER).verdict, Verdict::NotExercised, "unread bytes to nobody knows whom");
    let third = "never: { data: [wifi.password], reaches: [third] }\nexercise: { actions: [provision-device] }";
    let mut case = Case::good();
    case.recipients[CLOUD].role = Role::Unknown;
    case.see(55, |_| ());
    assert_eq!(case.part(third).verdict, Verdict::NotExercised, "an unknown role may be a third party's");
    let mut lost = Case::good();
    lost.see(55, |key| key.recipient = 99);
    assert_eq!(lost.part(NEVER).verdict, Verdict::NotExercised, "nor does one that no table lists");
}

#[test]
fn duplicates_are_not_folded_before_their_timing_was_judged() {
    let body = "never: { data: [wifi.password], when: [not-asked] }\nexercise: { actions: [first-start] }";
    let mut case = Case::with_events(vec![
        mark(5, began("first-start")),
        mark(20, ended("first-start")),
        mark(40, consent(ConsentChange::Shown)),
        mark(50, consent(ConsentChange::Given)),
    ]);
    let after = case.see(60, |_| ());
    let before = case.see(30, |_| ());
    assert_ne!(case.practices[after].key, case.practices[before].key, "the segment is part of the practice");
    let part = case.part(body);
    assert_eq!((part.verdict, part.witnesses), (Verdict::Contradicted, vec![before]));
}

#[test]
fn a_misspelt_key_does_not_mean_never_fires() {
    let keys = [
        "never: { data: [wifi.password], reachs: [wan] }",
        "never: { data: [wifi.password], protecton_below: transport }",
        "never: { data: [wifi.password], reaches: [wna] }",
        "never: { data: [wifi.password], forms: [hased] }",
        "never: { data: [wifi.password], when: [not_asked] }",
        "nevr: { data: [wifi.password] }",
        "never: { data: [wifi.password] }\nexcercise: { actions: [a] }",
        "never: { data: [wifi.password] }\nexercise: { action: [a] }",
        "never: { data: [Wifi Password] }",
        "never: { data: [wifi.password], reaches: [] }",
        "never: { data: [] }",
        "never: { reaches: [wan] }",
        "never:",
        "never: { data: [wifi], data: [phone] }",
        "never: { data: [wifi], country: [China] }",
        "never: { data: [wifi] }\nworks: { action: a }",
    ];
    for body in keys {
        assert!(read_claims("x.yaml", &one_claim(body)).is_err(), "{body}");
    }
}

#[test]
fn a_misspelt_datum_supports_nothing() {
    let body = NEVER.replace("wifi.password", "wifi.pasword");
    let part = Case::good().part(&body);
    assert_eq!((part.verdict, met(&part, Requirement::Held)), (Verdict::NotExercised, Met::No));
}

#[test]
fn a_misspelt_action_supports_nothing_and_is_said() {
    let judgement = Case::good().judge(&one_claim(&NEVER.replace("provision-device", "provision-devise")));
    assert_eq!(judgement.claims[0].verdict, Verdict::NotExercised);
    assert_eq!(codes(&judgement.notes), ["action-not-in-case"]);
}

#[test]
fn data_that_the_product_did_not_have_cannot_leave_it() {
    let mut case = Case::good();
    let events = &mut case.runs[0].judged.timeline.milestones;
    events.retain(|milestone| milestone.event != planted());
    let part = case.part(NEVER);
    assert_eq!((part.verdict, met(&part, Requirement::Held)), (Verdict::NotExercised, Met::No));
    case.runs[0].held = vec!["wifi".to_owned()];
    assert_eq!(case.part(NEVER).verdict, Verdict::Supported);
    case.runs[0].held.clear();
    case.see(52, |key| key.recipient = DEVICE);
    let part = case.part(NEVER);
    assert_eq!(part.verdict, Verdict::Supported, "the app gave it to the plug, so it had it {part:#?}");
}

#[test]
fn tries_before_the_data_was_planted_do_not_count() {
    let mut case = Case::good();
    case.see(105, |key| key.recipient = DEVICE);
    case.runs[0].judged.timeline.milestones.retain(|milestone| milestone.event != planted());
    let part = case.part(NEVER);
    let exercised = part.coverage.iter().find(|line| line.requirement == Requirement::Exercised).unwrap();
    assert_eq!(exercised.facts[0].value("done"), Some("2"), "the first was over before it was seen that it had them");
}

#[test]
fn unread_outbound_bytes_keep_a_claim_open_with_endpoint_and_count() {
    let mut case = Case::good();
    case.opaque(CLOUD, Some(582));
    let part = case.part(NEVER);
    assert_eq!((part.verdict, met(&part, Requirement::Visible)), (Verdict::NotExercised, Met::No));
    let visible = part.coverage.iter().find(|line| line.requirement == Requirement::Visible).unwrap();
    let opaque = visible.facts.iter().find(|fact| fact.code == "opaque").unwrap();
    assert_eq!((opaque.value("recipient"), opaque.value("sent")), (Some("api.maker.example"), Some("582")));
    assert_eq!(case.part(&NEVER.replace("quiet_s: 60", "opaque_at_most: 582")).verdict, Verdict::Supported);
    case.opaque[0].recipient = DEVICE;
    assert_eq!(case.part(NEVER).verdict, Verdict::Supported, "what stays at home is not what is claimed");
    case.opaque(CLOUD, None);
    let limit = NEVER.replace("quiet_s: 60", "opaque_at_most: 1000000");
    assert_eq!(case.part(&limit).verdict, Verdict::NotExercised, "an unknown number of bytes is above every limit");
}

#[test]
fn unread_bytes_under_tls_are_no_fault_of_encryption() {
    let mut case = Case::good();
    case.see(55, |_| ());
    case.opaque(CLOUD, Some(582));
    assert_eq!(case.part(ENCRYPTED).verdict, Verdict::NotExercised);
    case.opaque[0].protection = Protection::Transport;
    assert_eq!(case.part(ENCRYPTED).verdict, Verdict::Supported);
}

#[test]
fn drops_damage_and_poor_recovery_keep_a_claim_open() {
    type Spoil = fn(&mut Case);
    let spoil: [(Requirement, Spoil); 9] = [
        (Requirement::Visible, |case| case.runs[0].drops = Some(1)),
        (Requirement::Visible, |case| case.runs[0].records = 0),
        (Requirement::Visible, |case| case.runs[0].judged.channels.clear()),
        (Requirement::Detectable, |case| case.spikes[1].found = 100),
        (Requirement::Detectable, |case| case.spikes.clear()),
        (Requirement::Undamaged, |case| {
            case.damages.push(DamageFacts { run: None, recipient: None, bytes: 0, reason: "decoder".to_owned() });
        }),
        (Requirement::QuietTime, |case| {
            let milestones = case.runs[0].judged.timeline.milestones.iter();
            let kept = milestones.filter(|milestone| milestone.at.0 < 300 * case::SECOND).cloned().collect();
            case.runs[0].judged.timeline = dyetrace_case::Timeline::new(kept);
        }),
        (Requirement::Exercised, |case| case.runs[0] = run("only", Vec::new())),
        (Requirement::Scope, |case| case.runs[0].judged.product = None),
    ];
    for (number, (requirement, spoil)) in spoil.into_iter().enumerate() {
        let mut case = Case::good();
        spoil(&mut case);
        let part = case.part(&format!("applies_to: {{ versions: [\">=1\"] }}\n{NEVER}"));
        assert_eq!((part.verdict, met(&part, requirement)), (Verdict::NotExercised, Met::No), "{number}");
    }
}

#[test]
fn that_other_data_are_found_again_does_not_support_a_claim_about_a_short_one() {
    let pin = "never: { data: [pin] }\nexercise: { actions: [provision-device] }";
    let of_pin = |form, found| SpikeFacts { run: 0, datum: DatumId("pin".to_owned()), form, hidden: 200, found };
    let mut case = Case::good();
    case.data.push(DatumFacts { id: DatumId("pin".to_owned()), kind: "pin".parse().unwrap(), made_up: true });
    case.see(55, |key| key.datum = DatumId("phone".to_owned()));
    let reason = |case: &Case| {
        let part = case.part(pin);
        let detectable = part.coverage.iter().find(|line| line.requirement == Requirement::Detectable).unwrap();
        (detectable.met, detectable.facts[0].code)
    };
    assert_eq!(reason(&case), (Met::No, "not-spiked"));
    case.spikes.extend([of_pin(Form::Clear, 200), of_pin(Form::Encoded, 40)]);
    assert_eq!(reason(&case), (Met::No, "recovery-low"));
    case.spikes.last_mut().unwrap().found = 199;
    assert_eq!(reason(&case).0, Met::Yes);
}

#[test]
fn a_hint_neither_contradicts_nor_lets_pass() {
    let mut case = Case::good();
    case.see(55, |key| key.hint = true);
    let part = case.part(NEVER);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "chance"));
}

#[test]
fn what_was_received_was_not_sent() {
    let mut case = Case::good();
    case.see(55, |key| key.side = Side::Response);
    let part = case.part(NEVER);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "received-not-sent"));
}

#[test]
fn attempted_is_not_sent_unless_the_claim_says_so() {
    let mut case = Case::good();
    case.see(55, |key| key.transfer = Transfer::Attempted);
    let part = case.part(NEVER);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "attempted-only"));
    let counts = NEVER.replace("reaches: [wan]", "reaches: [wan], transfer: [attempted, sent, answered]");
    let part = case.part(&counts);
    assert_eq!(part.verdict, Verdict::Contradicted);
    let transfers = part.numbers.iter().find(|fact| fact.code == "transfers").unwrap();
    assert_eq!((transfers.value("attempted"), transfers.value("sent")), (Some("1"), Some("0")));
}

#[test]
fn what_a_guard_held_back_is_an_attempt_and_lets_nothing_pass() {
    let mut case = Case::good();
    case.see(55, |key| key.transfer = Transfer::HeldBack);
    let part = case.part(NEVER);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "held-back"));
    let counts = NEVER.replace("reaches: [wan]", "reaches: [wan], transfer: [attempted, sent, answered]");
    let part = case.part(&counts);
    assert_eq!(part.verdict, Verdict::Contradicted);
    let transfers = part.numbers.iter().find(|fact| fact.code == "transfers").unwrap();
    assert_eq!((transfers.value("attempted"), transfers.value("sent")), (Some("1"), Some("0")));
}

#[test]
fn digests_contradict_only_where_the_claim_names_them() {
    let mut case = Case::good();
    case.see(55, |key| {
        key.form = Form::Hashed;
        key.datum = DatumId("phone".to_owned());
    });
    let phone = NEVER.replace("wifi.password", "phone");
    let part = case.part(&phone);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::Supported, "form-not-claimed"), "{part:#?}");
    let space = part.numbers.iter().find(|fact| fact.code == "digest-space").unwrap();
    assert_eq!((space.value("values"), space.value("seconds")), (Some("7000000000"), Some("700")));
    let hashed = phone.replace("reaches: [wan]", "forms: [clear, encoded, known-key, hashed]");
    assert_eq!(case.part(&hashed).verdict, Verdict::Contradicted);
}

#[test]
fn only_inside_the_allowed_action_and_seen_there() {
    let body = "never: { data: [wifi.password], unless: [send-to-support] }
exercise: { actions: [ { name: provision-device, times: 1 } ] }";
    let mut events = three_times("provision-device");
    events.extend([mark(200, began("send-to-support")), mark(210, ended("send-to-support"))]);
    let mut case = Case::with_events(events);
    let part = case.part(body);
    assert_eq!((part.verdict, met(&part, Requirement::PositiveControl)), (Verdict::NotExercised, Met::No));
    case.see(205, |_| ());
    let part = case.part(body);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::Supported, "inside-action"), "{part:#?}");
    assert_eq!(part.discounted[0].1.value("action"), Some("send-to-support"));
    let mut edge = case.clone();
    edge.see(210, |_| ());
    assert_eq!(edge.part(body).verdict, Verdict::NotExercised, "within the clock error of its end");
    case.see(220, |_| ());
    assert_eq!(case.part(body).verdict, Verdict::Contradicted);
}

#[test]
fn a_product_of_unknown_age_neither_contradicts_nor_supports() {
    let body = format!("applies_to: {{ made_from: \"2017-03-15\" }}\n{NEVER}");
    let mut case = Case::good();
    let part = case.part(&body);
    assert_eq!((part.verdict, met(&part, Requirement::Scope)), (Verdict::NotExercised, Met::No));
    case.see(55, |_| ());
    let part = case.part(&body);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "product-unknown"));
    let older = case.claim(&body.replace("2017-03-15", "2018"));
    assert!(!older.applies && older.verdict == Verdict::NotExercised);
}

#[test]
fn variants_are_judged_one_by_one() {
    let body = format!("variants: [softap, smartconfig]\n{}", NEVER.replace("times: 3", "times: 1"));
    let events = vec![
        mark(50, case::began_as("provision-device", "softap")),
        mark(60, ended("provision-device")),
        mark(100, case::began_as("provision-device", "smartconfig")),
        mark(110, ended("provision-device")),
    ];
    let mut case = Case::with_events(events);
    let late = case.see(80, |_| ());
    let claim = case.claim(&body);
    let verdicts: Vec<_> = claim.parts.iter().map(|part| part.verdict).collect();
    assert_eq!(verdicts, [Verdict::Contradicted, Verdict::Supported], "sent twenty seconds after SoftAP {claim:#?}");
    assert_eq!(claim.parts[0].witnesses, [late]);
    let mut between = Case { practices: Vec::new(), ..case.clone() };
    between.see(100, |_| ());
    let claim = between.claim(&body);
    assert_eq!(claim.verdict, Verdict::Contradicted, "it was one of the two, whichever {claim:#?}");
    assert_eq!(claim.parts.len(), 3);
}

#[test]
fn what_no_variant_can_be_blamed_for_and_is_open_keeps_the_claim_open() {
    let body = format!("variants: [softap]\n{}", NEVER.replace("times: 3", "times: 1"));
    let events = vec![mark(50, case::began_as("provision-device", "softap")), mark(60, ended("provision-device"))];
    let mut case = Case::with_events([events, vec![mark(100, case::began_as("x", "other"))]].concat());
    assert_eq!(case.claim(&body).verdict, Verdict::Supported);
    case.see(10, |key| key.recipient = NOWHERE);
    assert_eq!(
        case.claim(&body).verdict,
        Verdict::NotExercised,
        "sent before anything was set up, to nobody knows whom"
    );
}

#[test]
fn what_another_app_sent_is_not_the_products() {
    let mut case = Case::good();
    case.runs[0].apps = vec!["com.maker.home".to_owned()];
    case.see(55, |key| key.app = Some("com.other".to_owned()));
    assert_eq!(case.part(NEVER).verdict, Verdict::Supported);
    case.see(55, |key| key.app = Some("com.maker.home".to_owned()));
    assert_eq!(case.part(NEVER).verdict, Verdict::Contradicted);
    let mut real = Case::good();
    real.data[0].made_up = false;
    real.see(55, |_| ());
    let part = real.part(NEVER);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "actor-unknown"));
}

#[test]
fn what_other_apps_sent_unread_is_no_hole_and_is_said() {
    let mut case = Case::good();
    case.opaque(CLOUD, Some(7_000));
    assert_eq!(case.part(NEVER).verdict, Verdict::NotExercised);
    case.opaque[0].other_app = true;
    let part = case.part(NEVER);
    let others = part.coverage.iter().flat_map(|line| &line.facts).find(|fact| fact.code == "opaque-other-apps");
    assert_eq!((part.verdict, others.and_then(|fact| fact.value("sent"))), (Verdict::Supported, Some("7000")));
}

#[test]
fn a_recording_without_the_testers_own_request_supports_nothing() {
    let mut case = Case::good();
    let canary = |recorded| RecordingCheck { what: "example.com/canary-7f3a".to_owned(), recorded };
    case.runs[0].checks = vec![canary(true)];
    let part = case.part(NEVER);
    let shown = part.coverage.iter().flat_map(|line| &line.facts).any(|fact| fact.code == "recording-shown");
    assert_eq!((part.verdict, shown), (Verdict::Supported, true));
    case.runs[0].checks.push(canary(false));
    let judgement = case.judge(&one_claim(NEVER));
    assert_eq!(judgement.claims[0].verdict, Verdict::NotExercised);
    assert!(judgement.todo.iter().any(|todo| todo.what.code == "record-canary"), "{:?}", judgement.todo);
    case.see(55, |_| ());
    assert_eq!(case.part(NEVER).verdict, Verdict::Contradicted, "what was seen was seen");
}

#[test]
fn an_unknown_country_is_not_a_good_one() {
    let body = "never: { data: [wifi.password], not_country: [SG] }\nexercise: { actions: [provision-device] }";
    let mut case = Case::good();
    case.see(55, |_| ());
    let part = case.part(body);
    assert_eq!((part.verdict, part.discounted[0].1.code), (Verdict::NotExercised, "country-unknown"));
    case.recipients[CLOUD].server_country = dyetrace_case::Country::new("SG");
    assert_eq!(case.part(body).verdict, Verdict::Supported);
    case.recipients[CLOUD].server_country = dyetrace_case::Country::new("CN");
    assert_eq!(case.part(body).verdict, Verdict::Contradicted);
}

#[test]
fn the_tester_is_told_what_to_do_once() {
    let mut case = Case::good();
    case.runs[0] = run("only", Vec::new());
    let text =
        format!("{}{}", one_claim(NEVER), one_claim(NEVER).replace("claims:\n", "").replace("id: test", "id: other"));
    let judgement = case.judge(&text);
    let wishes: Vec<_> = judgement.todo.iter().filter(|todo| todo.what.code == "do-action").collect();
    assert_eq!(wishes.len(), 1);
    assert_eq!(
        (wishes[0].what.value("times"), &wishes[0].claims[..]),
        (Some("3"), &["test".to_owned(), "other".to_owned()][..])
    );
}

#[test]
fn a_list_of_recipients_is_complete_or_not() {
    let body = "discloses:
  among: [personal]
  list:
    - { data: [phone], recipients: [first] }
    - { data: [wifi], recipients: [maker.example] }
exercise: { actions: [provision-device] }";
    let mut case = Case::good();
    case.see(55, |_| ());
    assert_eq!(case.part(body).verdict, Verdict::Supported, "{:#?}", case.part(body));
    case.see(55, |key| key.recipient = TRACKER);
    assert_eq!(case.part(body).verdict, Verdict::Contradicted);
    let mut unknown = Case::good();
    unknown.recipients[CLOUD].name = None;
    unknown.see(55, |_| ());
    assert_eq!(unknown.part(body).verdict, Verdict::NotExercised, "a nameless server may be on the list");
    assert_eq!(unknown.recipients[CLOUD].scope, Scope::Wan);
}
