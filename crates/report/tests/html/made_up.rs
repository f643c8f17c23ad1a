//! A made-up judged case: every verdict, several runs, unknown recipients, texts that mean harm.

use dyetrace_case::{
    ActionOutcome, Alternative, App, Channel, ChannelKind, Citation, ConsentChange, Country, CoverageLine, Damage,
    DatumId, Differential, Endpoint, Event, Exhibit, ExhibitId, Fact, Follows, Form, Format, JudgedClaim, JudgedPart,
    JudgedRun, Judgement, Met, Milestone, NameSource, Opaque, PartName, Phase, Place, Practice, PracticeKey, Product,
    Protection, Protocol, Range, Recipient, RecordId, Requirement, Role, Said, Scope, Shape, Shown, Side, Sighting,
    Snapshot, Source, Statement, Step, Strength, Time, Timeline, Todo, Trail, Transfer, Transport, Verdict, Witness,
};
use dyetrace_report::audit::{
    Audit, CaseInfo, Chance, Class, ClassCounts, Compared, DatumRow, ExhibitRow, Fixity, KeyRow, Pictures,
    RecipientKey, SightingRow, Summary, Tally, Tool, Unplanted,
};
use dyetrace_report::html::{Excerpt, Excerpts};
use std::sync::Arc;

/// What evidence may hold to do harm to whoever looks at the page.
pub(crate) const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{202e}txt.exe\u{2066}\u{0}\u{1b}[31m";

const SECOND: i64 = 1_000_000_000;
/// 2026-03-01T09:00:00Z.
const START: i64 = 1_772_355_600 * SECOND;

const DATA: [(&str, &str); 5] = [
    ("wifi.password", "VoB****giCO"),
    ("wifi.ssid", "Lin****T3GZ"),
    ("phone", "138****0427"),
    ("email", "lin****mple"),
    ("gps", "****"),
];
const HOSTS: [(Option<&str>, Scope); 6] = [
    (Some("api.smarthome.example"), Scope::Wan),
    (Some("collect.metrics.example"), Scope::Wan),
    (None, Scope::Wan),
    (Some("device.lan"), Scope::Lan),
    (Some(HOSTILE), Scope::Wan),
    (None, Scope::Unknown),
];

/// The case with that many sightings.
pub(crate) fn judged(sightings: usize) -> (Judgement, Audit, Excerpts) {
    let rows: Vec<SightingRow> = (0..sightings).map(row).collect();
    let runs = vec![run("reported", true), run("promised", false)];
    let practices = practices(&rows, &runs);
    let excerpts = rows.iter().take(40).map(|row| (row.id.clone(), vec![excerpt()])).collect();
    let judgement = Judgement {
        recipients: HOSTS.iter().enumerate().map(|(index, (name, scope))| recipient(index, *name, *scope)).collect(),
        claims: claims(&practices),
        practices,
        runs,
        snapshots: vec![Snapshot {
            name: "iptoasn-country".to_owned(),
            version: Some("2.3.2026".to_owned()),
            dated: None,
            licence: Some("PDDL-1.0".to_owned()),
            sha256: Some("ab".repeat(32)),
            from: Some(HOSTILE.to_owned()),
            note: Some("says itself that it contains errors".to_owned()),
        }],
        todo: vec![
            Todo {
                what: Fact::new("do-action")
                    .with("action", "provision-device")
                    .with("state", "refused")
                    .with("variant", "any")
                    .with("times", 2),
                claims: vec!["s1.sent-encrypted".to_owned(), "s1.nothing-stored".to_owned()],
            },
            Todo { what: Fact::new("code-of-tomorrow").with("text", HOSTILE), claims: vec![HOSTILE.to_owned()] },
        ],
        notes: vec![Fact::new("action-not-in-case").with("claim", "s1.x").with("action", HOSTILE)],
        ..Judgement::default()
    };
    (judgement, audit(rows), excerpts)
}

fn recipient(index: usize, name: Option<&str>, scope: Scope) -> Recipient {
    let address = (index != 5).then(|| [203, 0, 113, index as u8].into());
    let mut recipient = Recipient::unknown(name.map(str::to_owned), address, scope);
    if index < 2 {
        recipient.owner = Some(["Example Smart Home Co.", HOSTILE][index].to_owned());
        recipient.role = [Role::First, Role::Third][index];
        recipient.server_country = Country::new(["CN", "US"][index]);
        recipient.said = vec![Said {
            about: "owner",
            value: "Example Smart Home Co.".to_owned(),
            list: "case.yaml".to_owned(),
            dated: Some("2026-01-02".to_owned()),
            source: None,
            confirmed: true,
        }];
    }
    recipient
}

fn run(id: &str, with_consent: bool) -> JudgedRun {
    let mark = |seconds: i64, error_s: u64, event| Milestone {
        at: Time(START + seconds * SECOND),
        error: error_s * SECOND as u64,
        event,
    };
    let mut milestones = vec![
        mark(0, 0, Event::Phase(Phase::RecordingBegan)),
        mark(4, 1, Event::Planted { data: vec!["wifi.password".to_owned(), "wifi.ssid".to_owned()] }),
        mark(
            30,
            1,
            Event::ActionBegan {
                action: "provision-device".to_owned(),
                variant: Some("softap".to_owned()),
                conditions: vec!["wan-blocked".to_owned()],
            },
        ),
        mark(70, 1, Event::ActionEnded { action: "provision-device".to_owned(), outcome: ActionOutcome::Succeeded }),
        mark(80, 0, Event::Phase(Phase::QuietBegan)),
        mark(140, 0, Event::Phase(Phase::RecordingEnded)),
    ];
    if with_consent {
        for (at, change) in [(20, ConsentChange::Shown), (55, ConsentChange::Given), (110, ConsentChange::Withdrawn)] {
            milestones.push(mark(at, 3, Event::Consent { change, purpose: None }));
        }
        let purpose = Some(HOSTILE.to_owned());
        milestones.push(mark(60, 1, Event::Consent { change: ConsentChange::Refused, purpose }));
    }
    JudgedRun {
        id: id.to_owned(),
        product: Some(Product {
            vendor: Some("Example Smart Home Co.".to_owned()),
            name: "Example Home".to_owned(),
            version: Some("3.1.0".to_owned()),
            made: None,
            platform: Some("android".to_owned()),
            region: None,
            app_type: None,
        }),
        timeline: Timeline::new(milestones),
        interventions: vec!["ca-installed".to_owned(), HOSTILE.to_owned()],
        channels: vec!["phone-wifi".to_owned()],
        first: Some(Time(START)),
        last: Some(Time(START + 140 * SECOND)),
    }
}

fn row(index: usize) -> SightingRow {
    let (datum, _) = DATA[index % 4];
    let host = (index / 3) % HOSTS.len();
    let trail = match index % 3 {
        0 => vec![step("gzip", None), step("json", Some("/config")), step("base64", None)],
        1 => vec![step("json", Some(&format!("/net/{}/n", index % 17)))],
        _ => vec![step("form", Some(HOSTILE)), step("hex", None), step("md5", None)],
    };
    let sighting = Sighting {
        datum: DatumId(datum.to_owned()),
        place: Place {
            exhibit: ExhibitId([7; 32]),
            record: RecordId(format!("tcp:{}/tls/http:{index}", index / 10)),
            part: PartName::Body(Side::Request),
            range: Range::new(index as u64, index as u64 + 31),
            decoded: Range::new(4, 15),
        },
        trail: Trail(trail),
        strength: if index % 3 == 2 { Strength::Digest } else { Strength::Exact },
        form: if index % 3 == 2 { "md5 of as typed" } else { "as typed" }.to_owned(),
        bits: if index % 11 == 10 { 12.0 } else { 54.3 },
        witness: index.is_multiple_of(5).then(|| Witness::FieldName(HOSTILE.to_owned())),
    };
    SightingRow {
        id: sighting.id(),
        side: side(index),
        is_held_back: false,
        exhibit: 0,
        record: Arc::new(summary(index, host)),
        sighting,
    }
}

fn side(index: usize) -> Side {
    if index % 7 == 6 { Side::Response } else { Side::Request }
}

fn step(codec: &str, detail: Option<&str>) -> Step {
    Step { codec: codec.to_owned(), detail: detail.map(str::to_owned), encoded: Range::new(0, 198) }
}

fn summary(index: usize, host: usize) -> Summary {
    let name = HOSTS[host].0.map(|name| (name.to_owned(), NameSource::Sni));
    Summary {
        id: RecordId(format!("tcp:{}/tls/http:{index}", index / 10)),
        protocol: Protocol::Http2,
        time: (index % 13 != 12).then(|| Time(START + (index as i64 % 130) * SECOND + 123_456_789)),
        client: Endpoint::default(),
        server: Endpoint { address: Some([203, 0, 113, host as u8].into()), port: Some(443), name },
        channel: channel(host),
        app: Some(Arc::new(App { name: Some(HOSTILE.to_owned()), package: None, uid: None })),
        method: Some("POST".to_owned()),
        url: Some(format!("https://api.smarthome.example/v2/provision?{HOSTILE}")),
    }
}

fn channel(host: usize) -> Channel {
    if host % 2 == 1 {
        return Channel::clear();
    }
    Channel {
        kind: ChannelKind::Tls,
        version: Some("TLS 1.3".to_owned()),
        suite: Some("TLS_AES_128_GCM_SHA256".to_owned()),
    }
}

fn practices(rows: &[SightingRow], runs: &[JudgedRun]) -> Vec<Practice> {
    let mut practices: Vec<Practice> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let host = (index / 3) % HOSTS.len();
        let run = usize::from(index % 9 == 8);
        let timeline = &runs[run].timeline;
        let key = PracticeKey {
            run,
            segment: timeline.segment_at(row.record.time),
            datum: row.sighting.datum.clone(),
            recipient: host,
            side: row.side,
            form: if row.sighting.strength == Strength::Digest { Form::Hashed } else { Form::Encoded },
            protection: if host % 2 == 1 { Protection::None } else { Protection::Transport },
            channel: if host % 2 == 1 { "clear" } else { "TLS 1.3" }.to_owned(),
            transfer: Transfer::Answered,
            hint: row.sighting.is_hint(),
            app: None,
        };
        let shown = Shown {
            record: index as u64,
            sighting: row.id.clone(),
            time: row.record.time,
            bits: row.sighting.bits,
            trail: row.sighting.trail.to_string(),
        };
        let at = practices.iter().position(|practice| practice.key == key).unwrap_or_else(|| {
            practices.push(Practice::new(key));
            practices.len() - 1
        });
        practices[at].add(shown);
    }
    practices
}

fn claims(practices: &[Practice]) -> Vec<JudgedClaim> {
    let some = |skip: usize| (0..practices.len()).skip(skip).take(3).collect::<Vec<_>>();
    let witnessed = Fact::new("witnessed").with("practices", 3).with("sightings", 1204).with("recipients", 2);
    let mut contradicted = part(Verdict::Contradicted, vec![witnessed], &[("run", "reported"), ("variant", "softap")]);
    contradicted.witnesses = some(0);
    contradicted.discounted = some(3).into_iter().map(|index| (index, Fact::new("within-clock-error"))).collect();
    contradicted.numbers = vec![
        Fact::new("transfers").with("answered", 3).with("sent", 1).with("attempted", 0).with("kept", 0),
        Fact::new("intervention").with("run", "reported").with("what", "ca-installed"),
    ];
    let tries = Fact::new("nothing-seen").with("tries", 3);
    let mut supported = part(Verdict::Supported, vec![tries], &[]);
    supported.numbers = vec![Fact::new("bound").with("tries", 3).with("percent", "63.2")];
    for line in &mut supported.coverage {
        line.met = if line.requirement == Requirement::PositiveControl { Met::NotNeeded } else { Met::Yes };
    }
    let missing = vec![Fact::new("vacuous"), Fact::new("code-of-tomorrow").with("text", HOSTILE)];
    let open = part(Verdict::NotExercised, missing, &[("reading", "transport")]);
    vec![
        claim("s1.newer-devices-do-not-upload", Verdict::Contradicted, vec![contradicted, open.clone()]),
        claim("s1.a-local-network-suffices", Verdict::Supported, vec![supported]),
        claim("s1.sent-encrypted", Verdict::NotExercised, vec![open.clone()]),
        JudgedClaim {
            review: vec![HOSTILE.to_owned()],
            ..claim("cn-app-2019/3.1", Verdict::NotExercised, vec![open.clone()])
        },
        JudgedClaim { applies: false, ..claim(HOSTILE, Verdict::NotExercised, vec![open]) },
    ]
}

fn claim(id: &str, verdict: Verdict, parts: Vec<JudgedPart>) -> JudgedClaim {
    let statement = Statement {
        id: id.to_owned(),
        says: format!(
            "Devices made after the middle of 2016 do not send the Wi-Fi name and password. {}",
            if id == HOSTILE { HOSTILE } else { "" }
        ),
        says_zh: Some("2016 年下半年以后生产的设备不会上传 Wi-Fi 名称和密码。".to_owned()),
        vendor: Some("Example Smart Home Co.".to_owned()),
        pack: id.contains('/').then(|| "cn-app-2019".to_owned()),
        source: Some(Source {
            title: "Statement to the press about Wi-Fi credentials".to_owned(),
            date: Some("2017-08-14".to_owned()),
            url: Some("https://press.example/statement?a=1&b=\"2\"".to_owned()),
            archived: Some("javascript:alert(3)".to_owned()),
        }),
        cites: vec![Citation {
            text: "认定方法 三.1".to_owned(),
            from: Some("2019-11-28".to_owned()),
            to: None,
            confirmed: false,
        }],
        reason: Some("People must be able to say no before anything is collected.".to_owned()),
        reason_zh: Some("收集之前应当让用户能够拒绝。".to_owned()),
        kind: "never",
        place: "claims/maker.yaml:7".to_owned(),
        ..Statement::default()
    };
    JudgedClaim { statement, verdict, applies: true, review: Vec::new(), parts }
}

fn part(verdict: Verdict, reasons: Vec<Fact>, labels: &[(&'static str, &str)]) -> JudgedPart {
    let coverage = Requirement::ALL.map(|requirement| CoverageLine {
        requirement,
        met: match requirement {
            Requirement::Visible | Requirement::QuietTime => Met::No,
            Requirement::PositiveControl => Met::NotNeeded,
            _ => Met::Yes,
        },
        facts: match requirement {
            Requirement::Visible => vec![
                Fact::new("read").with("records", 18_204).with("sent", 2_400_000).with("received", 9_100_000),
                Fact::new("opaque")
                    .with("recipient", HOSTILE)
                    .with("sent", 120_000)
                    .with("times", 4)
                    .with("reason", "no key"),
            ],
            Requirement::Detectable => {
                vec![
                    Fact::new("recovery")
                        .with("form", "clear")
                        .with("found", 99)
                        .with("hidden", 100)
                        .with("at-least", "95 %"),
                ]
            }
            _ => Vec::new(),
        },
    });
    JudgedPart {
        labels: labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        verdict,
        reasons,
        witnesses: Vec::new(),
        discounted: Vec::new(),
        coverage: coverage.into(),
        numbers: Vec::new(),
    }
}

fn excerpt() -> Excerpt {
    let bytes = b"{\"user\":{\"phone\":\"***********\"},\"<script>\":1}";
    let hidden = 18..29;
    Excerpt {
        level: format!("json {HOSTILE}"),
        start: 0,
        bytes: bytes.iter().enumerate().map(|(at, byte)| (!hidden.contains(&at)).then_some(*byte)).collect(),
        value: Range::new(18, 29),
    }
}

fn audit(sightings: Vec<SightingRow>) -> Audit {
    let times = |id: &str, wanted: Side| {
        sightings
            .iter()
            .filter(|row| row.sighting.datum.0 == id && row.side == wanted && !row.sighting.is_hint())
            .count()
    };
    let datum = |(id, shown): &(&str, &str)| DatumRow {
        id: DatumId((*id).to_owned()),
        kind: id.parse().unwrap(),
        shown: (*shown).to_owned(),
        sent: times(id, Side::Request),
        received: times(id, Side::Response),
        kept: 0,
        held_back: 0,
        hints: sightings.iter().filter(|row| row.sighting.datum.0 == *id && row.sighting.is_hint()).count(),
    };
    let exhibit = Exhibit {
        id: ExhibitId([7; 32]),
        path: format!("evidence/app{HOSTILE}.pcapng"),
        bytes: 12_345_678,
        format: Format::Pcapng,
    };
    Audit {
        tool: Tool { name: "dyetrace", version: "0.1.0" },
        case: Some(CaseInfo {
            path: "my-case".to_owned(),
            title: "Smart home app and the home's Wi-Fi password".to_owned(),
            question: Some("Does the app send the home's Wi-Fi name and password to its maker?".to_owned()),
        }),
        exhibits: vec![ExhibitRow {
            exhibit,
            fixity: Fixity::Differs,
            product: None,
            packets: 31_000,
            records: 18_204,
            payload: 12_000_000,
            opaque: 120_000,
            lost: 1448,
            tls_connections: 12,
            tls_keyed: 11,
        }],
        keys: KeyRow { files: Vec::new(), secrets: 40, matched: 11 },
        subject: DATA.iter().map(datum).collect(),
        opaque: vec![opaque("no key in the log for this connection"), opaque(HOSTILE)],
        damages: vec![Damage {
            exhibit: ExhibitId([7; 32]),
            place: "tcp:4".to_owned(),
            time: None,
            server: None,
            bytes: Some(1448),
            reason: format!("gap of 1448 bytes {HOSTILE}"),
        }],
        differential: Some(Compared { findings: vec![following()], notes: vec![HOSTILE.to_owned()] }),
        unplanted: Some(Unplanted { mode: "strict", rows: Vec::new() }),
        pictures: Pictures::default(),
        recipients: vec![with_unplanted()],
        chance: Chance {
            values: 5,
            decoys: 10,
            classes: [(Class { strength: Strength::Exact, is_hint: true }, ClassCounts { planted: 12, decoys: 3 })]
                .into(),
        },
        limits: vec![format!("a limit {HOSTILE}")],
        notes: vec![format!("a note {HOSTILE}")],
        sightings,
    }
}

fn following() -> Differential {
    Differential {
        data: vec![DatumId("phone".to_owned())],
        together: false,
        follows: Follows::Value,
        shape: Shape { host: HOSTILE.to_owned(), method: "POST".to_owned(), path: "/c".to_owned() },
        field: format!("form {HOSTILE}"),
        class: "hexadecimal",
        lengths: (64, 64),
        content_bits: 256.0,
        blocks: vec![vec!["reported".to_owned()], vec!["promised".to_owned()]],
        chance: 0.01,
        chance_of_any: 0.04,
        excluded: Vec::new(),
        open: vec![Alternative::Time, Alternative::Condition(HOSTILE.to_owned())],
        also_seen: false,
    }
}

fn with_unplanted() -> dyetrace_report::audit::Recipient {
    let key = RecipientKey {
        name: Some(HOSTILE.to_owned()),
        address: None,
        port: Some(443),
        protocol: Protocol::Http2,
        protection: "TLS 1.3".to_owned(),
    };
    let mut recipient = dyetrace_report::audit::Recipient::new(key);
    recipient.unplanted.insert("phone.cn", Tally { sent: 7, received: 0 });
    recipient
}

fn opaque(reason: &str) -> Opaque {
    Opaque {
        id: RecordId("tcp:9/tls".to_owned()),
        exhibit: ExhibitId([7; 32]),
        time: Some(Time(START)),
        last: Some(Time(START)),
        transport: Transport::Tcp,
        client: Endpoint::default(),
        server: Endpoint { address: None, port: Some(443), name: Some((HOSTILE.to_owned(), NameSource::Sni)) },
        channel: Channel { kind: ChannelKind::Tls, version: Some("TLS 1.3".to_owned()), suite: None },
        app: None,
        bytes_sent: 60_000,
        bytes_received: 1000,
        reason: reason.to_owned(),
    }
}
