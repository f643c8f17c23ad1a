//! What judging costs: a million sightings folded into practices and held against a hundred claims.

use crate::random::Random;
use dyetrace_case::{
    ActionOutcome, ConsentChange, DatumId, Event, Form, JudgedRun, Milestone, Phase, Practice, PracticeKey, Product,
    Protection, Recipient, Role, Scope, Shown, Side, SightingId, Time, Timeline, Transfer, Verdict,
};
use dyetrace_judge::{Claim, DatumFacts, Evidence, Options, RunFacts, SpikeFacts, judge, read_claims};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use std::collections::HashMap;
use std::error::Error;

const SIGHTINGS: usize = 1_000_000;
const CLAIMS: usize = 100;
const RUNS: usize = 6;
const RECIPIENTS: usize = 40;
const SECOND: i64 = 1_000_000_000;
const KINDS: [&str; 12] = [
    "phone",
    "email",
    "imei",
    "mac",
    "wifi.password",
    "wifi.ssid",
    "id.cn",
    "name",
    "location.home",
    "android.id",
    "account.password",
    "photo",
];

/// Folds and judges, and says what it took.
///
/// # Errors
/// The claims were not read, or it took more than three CPU seconds.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(4);
    let (runs, recipients, data) = (runs(), recipients(), data());
    let seen: Vec<Seen> = (0..SIGHTINGS).map(|number| Seen::random(number, &mut random)).collect();
    let claims = claims()?;
    let start = cpu()?;
    let practices = fold(&runs, &data, &seen);
    let folded = cpu()?;
    let spikes: Vec<SpikeFacts> =
        (0..RUNS).flat_map(|run| data.iter().flat_map(move |datum| found_again(run, datum))).collect();
    let evidence = Evidence {
        runs: &runs,
        recipients: &recipients,
        practices: &practices,
        data: &data,
        spikes: &spikes,
        ..Evidence::default()
    };
    let judgement = judge(&evidence, &claims, &Options::default());
    let judged = cpu()?;
    let count = |verdict| judgement.claims.iter().filter(|claim| claim.verdict == verdict).count();
    crate::say(&format!(
        "{SIGHTINGS} sightings folded into {} practices in {:.2} CPU seconds\n{} claims judged in {:.2} CPU seconds: \
         {} contradicted, {} supported, {} not exercised",
        practices.len(),
        folded - start,
        claims.len(),
        judged - folded,
        count(Verdict::Contradicted),
        count(Verdict::Supported),
        count(Verdict::NotExercised),
    ));
    if judged - start > 3.0 {
        return Err("more than three CPU seconds".into());
    }
    Ok(())
}

/// The datum, nearly always found again.
fn found_again(run: usize, datum: &DatumFacts) -> [SpikeFacts; 2] {
    [Form::Clear, Form::Encoded].map(|form| SpikeFacts { run, datum: datum.id.clone(), form, hidden: 200, found: 199 })
}

fn cpu() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

/// One sighting, as small as it can be before it is folded.
struct Seen {
    number: u64,
    run: usize,
    time: Time,
    datum: usize,
    recipient: usize,
    side: Side,
    form: Form,
    protection: Protection,
    hint: bool,
}

impl Seen {
    fn random(number: usize, random: &mut Random) -> Self {
        // What an app does with a datum towards a recipient, it does the same way each time.
        let (datum, recipient) = (random.below(KINDS.len()), random.below(RECIPIENTS));
        let way = datum * 7 + recipient * 13;
        let forms = [Form::Clear, Form::Clear, Form::Encoded, Form::Hashed];
        Self {
            number: number as u64,
            run: random.below(RUNS),
            time: Time(random.below(600_000) as i64 * (SECOND / 1000)),
            datum,
            recipient,
            side: if random.once_in(4) { Side::Response } else { Side::Request },
            form: forms[way % forms.len()],
            protection: if way % 9 == 0 { Protection::None } else { Protection::Transport },
            hint: random.once_in(50),
        }
    }
}

fn fold(runs: &[RunFacts], data: &[DatumFacts], seen: &[Seen]) -> Vec<Practice> {
    let mut practices: HashMap<PracticeKey, Practice> = HashMap::new();
    for one in seen {
        let key = PracticeKey {
            run: one.run,
            segment: runs[one.run].judged.timeline.segment_at(Some(one.time)),
            datum: data[one.datum].id.clone(),
            recipient: one.recipient,
            side: one.side,
            form: one.form,
            protection: one.protection,
            channel: "TLS 1.3".to_owned(),
            transfer: Transfer::Answered,
            hint: one.hint,
            app: None,
        };
        let practice = practices.entry(key).or_insert_with_key(|key| Practice::new(key.clone()));
        practice.add_with(one.number, Some(one.time), || Shown {
            record: one.number,
            sighting: SightingId(format!("{:016x}", one.number)),
            time: Some(one.time),
            bits: 60.0,
            trail: "gzip > json /device/value".to_owned(),
        });
    }
    let mut practices: Vec<Practice> = practices.into_values().collect();
    practices.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    practices
}

fn data() -> Vec<DatumFacts> {
    let datum = |kind: &&str| {
        let kind: dyetrace_case::Kind = kind.parse().ok()?;
        Some(DatumFacts { id: DatumId(kind.to_string()), kind, made_up: true })
    };
    KINDS.iter().filter_map(datum).collect()
}

fn recipients() -> Vec<Recipient> {
    let roles = [Role::First, Role::Processor, Role::Third, Role::Unknown];
    let recipient = |number: usize| Recipient {
        role: roles[number % roles.len()],
        ..Recipient::unknown(
            Some(format!("host-{number}.example")),
            None,
            if number.is_multiple_of(10) { Scope::Lan } else { Scope::Wan },
        )
    };
    (0..RECIPIENTS).map(recipient).collect()
}

/// Runs of ten minutes: consent, then an action every minute.
fn runs() -> Vec<RunFacts> {
    let milestone = |seconds: i64, event| Milestone { at: Time(seconds * SECOND), error: SECOND as u64 / 10, event };
    let run = |number: usize| {
        let mut milestones = vec![
            milestone(0, Event::Phase(Phase::RecordingBegan)),
            milestone(1, Event::Planted { data: KINDS.map(str::to_owned).to_vec() }),
            milestone(30, Event::Consent { change: ConsentChange::Shown, purpose: None }),
            milestone(40, Event::Consent { change: ConsentChange::Given, purpose: None }),
            milestone(520, Event::Phase(Phase::QuietBegan)),
            milestone(590, Event::Phase(Phase::QuietEnded)),
            milestone(599, Event::Phase(Phase::RecordingEnded)),
        ];
        for at in (5..500).step_by(60) {
            let action = format!("action-{}", at / 60 % 5);
            let began = Event::ActionBegan { action: action.clone(), variant: None, conditions: Vec::new() };
            milestones.push(milestone(at, began));
            milestones.push(milestone(at + 8, Event::ActionEnded { action, outcome: ActionOutcome::Succeeded }));
        }
        RunFacts {
            judged: JudgedRun {
                id: format!("run-{number}"),
                product: Some(Product { name: "Plug".to_owned(), ..Product::default() }),
                timeline: Timeline::new(milestones),
                ..JudgedRun::default()
            },
            records: 100_000,
            drops: Some(0),
            ..RunFacts::default()
        }
    };
    (0..RUNS).map(run).collect()
}

/// Claims of ten forms, about one kind after the other.
fn claims() -> Result<Vec<Claim>, Box<dyn Error>> {
    const FORMS: [&str; 10] = [
        "never: { data: KIND, reaches: wan }",
        "never: { data: KIND, reaches: third }",
        "never: { data: personal, protection_below: transport }",
        "never: { data: KIND, when: not-asked }",
        "never: { data: personal, when: [not-asked, asked] }",
        "never: { data: KIND, unless: action-1 }",
        "never: { data: personal, not_country: CN, reaches: elsewhere }",
        "discloses: { list: [ { data: [KIND, wifi], recipients: first } ] }",
        "never: { data: personal, reaches: host-3.example, forms: [hashed] }",
        "never: { data: firmware, reaches: wan }",
    ];
    use std::fmt::Write as _;
    let mut text = "claims:\n".to_owned();
    for number in 0..CLAIMS {
        let form = FORMS[number % FORMS.len()].replace("KIND", KINDS[number / FORMS.len() % KINDS.len()]);
        writeln!(text, "  - id: c{number}\n    says: A claim.\n    {form}\n    exercise: {{ actions: [action-2] }}")?;
    }
    Ok(read_claims("made up", &text)?.claims)
}
