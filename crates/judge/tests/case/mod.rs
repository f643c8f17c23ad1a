//! A small made-up case in which everything was done well, to be spoilt one thing at a time.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its part; a test may panic")]

use dyetrace_case::{
    ActionOutcome, ConsentChange, DatumId, Event, Form, JudgedClaim, JudgedPart, JudgedRun, Judgement, Met, Milestone,
    Phase, Practice, PracticeKey, Product, Protection, Recipient, Requirement, Role, Scope, Shown, Side, SightingId,
    Time, Timeline, Transfer,
};
use dyetrace_judge::{
    CanaryFacts, DamageFacts, DatumFacts, Evidence, Measured, OpaqueFacts, Options, RunFacts, SpikeFacts, TrafficFacts,
    judge, read_claims,
};

pub const SECOND: i64 = 1_000_000_000;
/// Indices of the recipients of [`Case::good`].
pub const CLOUD: usize = 0;
pub const DEVICE: usize = 1;
pub const NOWHERE: usize = 2;
pub const TRACKER: usize = 3;

#[derive(Debug, Clone, Default)]
pub struct Case {
    pub runs: Vec<RunFacts>,
    pub recipients: Vec<Recipient>,
    pub practices: Vec<Practice>,
    pub data: Vec<DatumFacts>,
    pub traffic: Vec<TrafficFacts>,
    pub opaque: Vec<OpaqueFacts>,
    pub damages: Vec<DamageFacts>,
    pub spikes: Vec<SpikeFacts>,
    pub measured: Vec<Measured>,
    pub canaries: Vec<CanaryFacts>,
}

pub fn mark(seconds: i64, event: Event) -> Milestone {
    Milestone { at: Time(seconds * SECOND), error: SECOND as u64, event }
}

pub fn began(action: &str) -> Event {
    Event::ActionBegan { action: action.to_owned(), variant: None, conditions: Vec::new() }
}

pub fn began_as(action: &str, variant: &str) -> Event {
    Event::ActionBegan { action: action.to_owned(), variant: Some(variant.to_owned()), conditions: Vec::new() }
}

pub fn began_under(action: &str, condition: &str) -> Event {
    Event::ActionBegan { action: action.to_owned(), variant: None, conditions: vec![condition.to_owned()] }
}

pub fn ended(action: &str) -> Event {
    Event::ActionEnded { action: action.to_owned(), outcome: ActionOutcome::Succeeded }
}

pub fn failed(action: &str) -> Event {
    Event::ActionEnded { action: action.to_owned(), outcome: ActionOutcome::Failed }
}

pub fn consent(change: ConsentChange) -> Event {
    Event::Consent { change, purpose: None }
}

pub fn planted() -> Event {
    Event::Planted { data: vec!["wifi".to_owned(), "phone".to_owned()] }
}

/// Recording from 0 to 400 seconds, data planted at 2, quiet from 300 to 380, and these in between.
pub fn run(id: &str, events: Vec<Milestone>) -> RunFacts {
    let mut milestones = vec![
        mark(0, Event::Phase(Phase::RecordingBegan)),
        mark(2, planted()),
        mark(300, Event::Phase(Phase::QuietBegan)),
        mark(380, Event::Phase(Phase::QuietEnded)),
        mark(400, Event::Phase(Phase::RecordingEnded)),
    ];
    milestones.extend(events);
    let product = Product {
        vendor: Some("Example Smart Home Co.".to_owned()),
        name: "Plug".to_owned(),
        version: Some("2.0".to_owned()),
        made: Some("2017-03".to_owned()),
        platform: Some("android".to_owned()),
        ..Product::default()
    };
    RunFacts {
        judged: JudgedRun {
            id: id.to_owned(),
            product: Some(product),
            timeline: Timeline::new(milestones),
            channels: vec!["phone-wifi".to_owned(), "device-wifi".to_owned()],
            first: Some(Time(0)),
            last: Some(Time(400 * SECOND)),
            ..JudgedRun::default()
        },
        records: 30,
        drops: Some(0),
        region: Some("CN".to_owned()),
        ..RunFacts::default()
    }
}

/// The action three times: at 50–60, 100–110 and 150–160 seconds.
pub fn three_times(action: &str) -> Vec<Milestone> {
    [50, 100, 150].into_iter().flat_map(|at| [mark(at, began(action)), mark(at + 10, ended(action))]).collect()
}

pub fn recipient(name: &str, scope: Scope, role: Role) -> Recipient {
    Recipient { role, ..Recipient::unknown(Some(name.to_owned()), None, scope) }
}

fn datum(kind: &str) -> DatumFacts {
    DatumFacts { id: DatumId(kind.to_owned()), kind: kind.parse().unwrap(), made_up: true }
}

fn spikes(datum: &str) -> [SpikeFacts; 2] {
    let datum = DatumId(datum.to_owned());
    [Form::Clear, Form::Encoded].map(|form| SpikeFacts { run: 0, datum: datum.clone(), form, hidden: 200, found: 199 })
}

impl Case {
    pub fn good() -> Self {
        Self {
            runs: vec![run("only", three_times("provision-device"))],
            recipients: vec![
                recipient("api.maker.example", Scope::Wan, Role::First),
                recipient("plug.lan", Scope::Lan, Role::Unknown),
                Recipient::unknown(None, None, Scope::Unknown),
                recipient("collect.tracker.example", Scope::Wan, Role::Third),
            ],
            data: vec![datum("wifi.password"), datum("wifi.ssid"), datum("phone")],
            spikes: ["wifi.password", "wifi.ssid", "phone"].into_iter().flat_map(spikes).collect(),
            ..Self::default()
        }
    }

    pub fn with_events(events: Vec<Milestone>) -> Self {
        Self { runs: vec![run("only", events)], ..Self::good() }
    }

    /// The key of a clear sighting of the Wi-Fi password, sent to the cloud over TLS at that second of the first run.
    pub fn key(&self, seconds: i64) -> PracticeKey {
        PracticeKey {
            run: 0,
            segment: self.runs[0].judged.timeline.segment_at(Some(Time(seconds * SECOND))),
            datum: DatumId("wifi.password".to_owned()),
            recipient: CLOUD,
            side: Side::Request,
            form: Form::Clear,
            protection: Protection::Transport,
            channel: "TLS 1.3".to_owned(),
            transfer: Transfer::Answered,
            hint: false,
            app: None,
        }
    }

    pub fn see(&mut self, seconds: i64, change: impl FnOnce(&mut PracticeKey)) -> usize {
        let mut key = self.key(seconds);
        change(&mut key);
        self.practices.push(practice(key, seconds));
        self.practices.len() - 1
    }

    pub fn opaque(&mut self, recipient: usize, sent: Option<u64>) {
        self.opaque_between(55, 55, recipient, sent);
    }

    /// Bytes that nobody read, the first sent at one second of the first run and the last at another.
    pub fn opaque_between(&mut self, first: i64, last: i64, recipient: usize, sent: Option<u64>) {
        let segment = |second: i64| self.runs[0].judged.timeline.segment_at(Some(Time(second * SECOND)));
        self.opaque.push(OpaqueFacts {
            run: 0,
            segment: segment(first),
            last_segment: segment(last),
            recipient,
            sent,
            received: 100,
            times: 1,
            protection: Protection::Unknown,
            reason: "no key".to_owned(),
            other_app: false,
        });
    }

    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            runs: &self.runs,
            recipients: &self.recipients,
            practices: &self.practices,
            data: &self.data,
            traffic: &self.traffic,
            opaque: &self.opaque,
            damages: &self.damages,
            spikes: &self.spikes,
            measured: &self.measured,
            canaries: &self.canaries,
        }
    }

    pub fn judge(&self, claims: &str) -> Judgement {
        let file = read_claims("claims/test.yaml", claims).unwrap_or_else(|error| panic!("{error}"));
        judge(&self.evidence(), &file.claims, &Options::default())
    }

    /// The verdict on one claim, written without its `id` and `says`.
    pub fn claim(&self, body: &str) -> JudgedClaim {
        let mut judgement = self.judge(&one_claim(body));
        assert_eq!(judgement.claims.len(), 1);
        judgement.claims.remove(0)
    }

    /// The same where the claim has one part.
    pub fn part(&self, body: &str) -> JudgedPart {
        let mut claim = self.claim(body);
        assert_eq!(claim.parts.len(), 1, "{claim:?}");
        claim.parts.remove(0)
    }
}

pub fn one_claim(body: &str) -> String {
    format!("claims:\n  - id: test\n    says: A test.\n    {}\n", body.replace('\n', "\n    "))
}

pub fn practice(key: PracticeKey, seconds: i64) -> Practice {
    let mut practice = Practice::new(key);
    practice.add(Shown {
        record: 1,
        sighting: SightingId(format!("{seconds:016x}")),
        time: Some(Time(seconds * SECOND)),
        bits: 60.0,
        trail: "json /wifi".to_owned(),
    });
    practice
}

/// Is the line met?
pub fn met(part: &JudgedPart, requirement: Requirement) -> Met {
    part.coverage.iter().find(|line| line.requirement == requirement).unwrap().met
}

pub fn codes(facts: &[dyetrace_case::Fact]) -> Vec<&'static str> {
    facts.iter().map(|fact| fact.code).collect()
}
