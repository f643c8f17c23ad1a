//! Marks: milestones as the tester writes them down, one JSON object a line or entries of YAML.

use crate::folder::stays_inside;
use crate::refusal::Refusal;
use crate::runs::Clock;
use crate::{ActionOutcome, Canary, CanaryError, ConsentChange, Datum, Event, Milestone, Phase, Subject, Time};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use serde_saphyr::Spanned;

/// A milestone by the clock of whoever wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When it happened, by that clock.
    pub at: Time,
    /// How far that clock may have been wrong, in nanoseconds; absent: as far as the run's `clock:` says.
    pub error: Option<u64>,
    /// What happened.
    pub event: Event,
}

impl Mark {
    /// The mark as a line of a marks file, without the line's end.
    pub fn line(&self) -> String {
        let mut line = Map::new();
        line.insert("at".to_owned(), json!(self.at.to_string()));
        if let Some(error) = self.error {
            line.insert("error_s".to_owned(), json!(error as f64 / NANOS));
        }
        write_event(&self.event, &mut |key, value| drop(line.insert(key.to_owned(), value)));
        Value::Object(line).to_string()
    }

    /// Reads what a program says that happened at `now`: a mark as a line of a marks file has it, without `at`.
    ///
    /// # Errors
    /// What is wrong with it. No value of the text is repeated.
    pub fn of_message(text: &str, now: Time, subject: Option<&Subject>) -> Result<Self, String> {
        let invalid = || "not a JSON object as in {\"consent\":\"given\"}".to_owned();
        let Ok(Value::Object(mut object)) = serde_json::from_str(text) else { return Err(invalid()) };
        if object.insert("at".to_owned(), json!(now.to_string())).is_some() {
            return Err("a mark gets the time at which it arrives; leave out at".to_owned());
        }
        mark_of_line(&Value::Object(object).to_string(), subject).map_err(|refusal| refusal.reason)
    }

    /// By the clock of the evidence; `None` where that is beyond what can be counted.
    pub(crate) fn milestone(self, clock: Clock) -> Option<Milestone> {
        let at = Time(self.at.0.checked_sub(clock.offset)?);
        Some(Milestone { at, error: self.error.unwrap_or(clock.error), event: self.event })
    }
}

const NANOS: f64 = 1e9;

/// More marks than a tester or a script sets in one run. Every mark cuts the run's time in pieces.
pub(crate) const MOST_MARKS: usize = 4000;

fn write_event(event: &Event, write: &mut dyn FnMut(&str, Value)) {
    match event {
        Event::Consent { change, purpose } => {
            write("consent", json!(change.name()));
            if let Some(purpose) = purpose {
                write("purpose", json!(purpose));
            }
        }
        Event::ActionBegan { action, variant, conditions } => {
            write("action", json!(action));
            write("stage", json!("began"));
            if let Some(variant) = variant {
                write("variant", json!(variant));
            }
            if !conditions.is_empty() {
                write("conditions", json!(conditions));
            }
        }
        Event::ActionEnded { action, outcome } => {
            write("action", json!(action));
            write("stage", json!("ended"));
            write("outcome", json!(outcome.name()));
        }
        Event::Planted { data } => write("planted", json!(data)),
        Event::Snapshot { exhibit } => write("snapshot", json!(exhibit)),
        Event::Canary(canary) => write("canary", json!(canary.to_string())),
        Event::Phase(phase) => write("phase", json!(phase.name())),
    }
}

/// A mark as it is written, each part with its place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkEntry {
    at: Spanned<String>,
    error_s: Option<Spanned<f64>>,
    consent: Option<Spanned<String>>,
    purpose: Option<Spanned<String>>,
    action: Option<Spanned<String>>,
    stage: Option<Spanned<String>>,
    variant: Option<Spanned<String>>,
    #[serde(default)]
    conditions: Vec<Spanned<String>>,
    outcome: Option<Spanned<String>>,
    #[serde(default)]
    planted: Vec<Spanned<String>>,
    snapshot: Option<Spanned<String>>,
    canary: Option<Spanned<String>>,
    phase: Option<Spanned<String>>,
}

/// The marks of a file with one JSON object a line; empty lines are passed over.
pub(crate) fn marks_of_lines(text: &str, subject: Option<&Subject>) -> Result<Vec<Mark>, Refusal> {
    let mut marks = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if marks.len() == MOST_MARKS {
            return Err(Refusal::in_line(number, 1, format!("a run has at most {MOST_MARKS} marks")));
        }
        let in_file = |refusal: Refusal| Refusal { line: Some(number), ..refusal };
        marks.push(mark_of_line(line, subject).map_err(in_file)?);
    }
    Ok(marks)
}

fn mark_of_line(line: &str, subject: Option<&Subject>) -> Result<Mark, Refusal> {
    // JSON is read as YAML for the places of its parts; what is YAML alone is refused first.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(line) {
        let column = u64::try_from(error.column()).unwrap_or(u64::MAX);
        return Err(Refusal::in_line(1, column, "not a JSON object in one line"));
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let entry: MarkEntry =
        serde_saphyr::from_str_with_options(line, options).map_err(|error| Refusal::of_yaml(&error))?;
    entry.read(subject)
}

/// The keys that belong to one kind of mark.
const COMPANIONS: [(&str, &[&str]); 7] = [
    ("consent", &["purpose"]),
    ("action", &["stage", "variant", "conditions", "outcome"]),
    ("planted", &[]),
    ("snapshot", &[]),
    ("canary", &[]),
    ("phase", &[]),
    ("a mark", &["consent", "action", "planted", "snapshot", "canary", "phase"]),
];

impl MarkEntry {
    /// The mark, its words checked.
    pub(crate) fn read(self, subject: Option<&Subject>) -> Result<Mark, Refusal> {
        let at = moment(&self.at)?;
        let error = self.error_s.as_ref().map(error_of_clock).transpose()?;
        self.refuse_strays()?;
        Ok(Mark { at, error, event: self.event(subject)? })
    }

    /// Exactly one of the six kinds, and nothing that belongs to another.
    fn refuse_strays(&self) -> Result<(), Refusal> {
        let present = self.present();
        let [.., (_, kinds)] = COMPANIONS;
        let mut found = present.iter().filter(|(key, _)| kinds.contains(key));
        let Some((kind, _)) = found.next() else {
            return Err(Refusal::at(&self.at, format!("a mark has one of the keys {}", kinds.join(", "))));
        };
        if let Some((other, refusal)) = found.next() {
            let reason = format!("`{other}` does not stand beside `{kind}`: write two marks");
            return Err(Refusal { reason, ..refusal.clone() });
        }
        let companions = COMPANIONS.iter().find(|(of, _)| of == kind).map_or(&[][..], |(_, keys)| keys);
        match present.iter().find(|(key, _)| key != kind && !companions.contains(key)) {
            Some((stray, refusal)) => {
                let reason = format!("`{stray}` does not belong to a mark of `{kind}`");
                Err(Refusal { reason, ..refusal.clone() })
            }
            None => Ok(()),
        }
    }

    /// Which keys are there, and where.
    fn present(&self) -> Vec<(&'static str, Refusal)> {
        let words = [
            ("consent", self.consent.as_ref()),
            ("action", self.action.as_ref()),
            ("planted", self.planted.first()),
            ("snapshot", self.snapshot.as_ref()),
            ("canary", self.canary.as_ref()),
            ("phase", self.phase.as_ref()),
            ("purpose", self.purpose.as_ref()),
            ("stage", self.stage.as_ref()),
            ("variant", self.variant.as_ref()),
            ("conditions", self.conditions.first()),
            ("outcome", self.outcome.as_ref()),
        ];
        words.into_iter().filter_map(|(key, word)| Some((key, Refusal::at(word?, "")))).collect()
    }

    fn event(self, subject: Option<&Subject>) -> Result<Event, Refusal> {
        if let Some(change) = &self.consent {
            let change = one_of(change, &ConsentChange::ALL.map(|change| (change.name(), change)))?;
            return Ok(Event::Consent { change, purpose: self.purpose.as_ref().map(word).transpose()? });
        }
        if let Some(phase) = &self.phase {
            return one_of(phase, &Phase::ALL.map(|phase| (phase.name(), phase))).map(Event::Phase);
        }
        if let Some(exhibit) = &self.snapshot {
            return snapshot(exhibit);
        }
        if let Some(text) = &self.canary {
            return canary(text, subject).map(Event::Canary);
        }
        if let Some(action) = &self.action {
            return self.action_event(word(action)?);
        }
        Ok(Event::Planted { data: names(&self.planted, subject)? })
    }

    fn action_event(&self, action: String) -> Result<Event, Refusal> {
        let stages = [("began", true), ("ended", false)];
        let stage =
            self.stage.as_ref().ok_or_else(|| Refusal::at(&self.at, "`stage` is missing here: began, ended"))?;
        if one_of(stage, &stages)? {
            if let Some(outcome) = &self.outcome {
                return Err(Refusal::at(outcome, "what began has no `outcome` yet"));
            }
            let variant = self.variant.as_ref().map(word).transpose()?;
            let conditions = self.conditions.iter().map(word).collect::<Result<_, _>>()?;
            return Ok(Event::ActionBegan { action, variant, conditions });
        }
        if let Some(stray) = self.variant.as_ref().or_else(|| self.conditions.first()) {
            return Err(Refusal::at(stray, "`variant` and `conditions` stand in the mark of the beginning"));
        }
        let outcomes = ActionOutcome::ALL.map(|outcome| (outcome.name(), outcome));
        let missing = || Refusal::at(stage, "what ended has an `outcome`: succeeded, failed");
        let outcome = one_of(self.outcome.as_ref().ok_or_else(missing)?, &outcomes)?;
        Ok(Event::ActionEnded { action, outcome })
    }
}

fn one_of<T: Copy>(spanned: &Spanned<String>, allowed: &[(&str, T)]) -> Result<T, Refusal> {
    let found = allowed.iter().find(|(name, _)| *name == spanned.value);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
        Refusal::at(spanned, format!("a word that is not known here; the words are {}", words.join(", ")))
    })
}

/// A name that claims and rules can repeat: there is one way only to spell it.
pub(crate) fn word(spanned: &Spanned<String>) -> Result<String, Refusal> {
    let word = &spanned.value;
    let starts_well = word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = word.len() <= 64 && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let reason = "a name here has lower-case letters, digits and dashes, as in provision-device";
    if starts_well && fits { Ok(word.clone()) } else { Err(Refusal::at(spanned, reason)) }
}

/// Names of data: of the subject's, where there is one. A misspelt name must not silently mean that nothing was
/// planted.
pub(crate) fn names(names: &[Spanned<String>], subject: Option<&Subject>) -> Result<Vec<String>, Refusal> {
    let check = |name: &Spanned<String>| {
        let stem = name.value.split('#').next().unwrap_or_default();
        if stem.parse::<crate::Kind>().is_err() {
            return Err(Refusal::at(name, "not the name of a datum, as in wifi.password or phone#2"));
        }
        match subject.filter(|subject| !names_datum(subject, &name.value)) {
            Some(subject) => Err(Refusal::at(name, format!("names no datum of the subject: {}", all_names(subject)))),
            None => Ok(name.value.clone()),
        }
    };
    names.iter().map(check).collect()
}

/// The exhibit with the files as they were.
fn snapshot(exhibit: &Spanned<String>) -> Result<Event, Refusal> {
    if exhibit.value.is_empty() || !stays_inside(&exhibit.value) {
        return Err(Refusal::at(exhibit, "not the path of an exhibit in the case folder, as in evidence/files.tar"));
    }
    Ok(Event::Snapshot { exhibit: exhibit.value.clone() })
}

/// What every report shows must not hold what none may show.
fn canary(spanned: &Spanned<String>, subject: Option<&Subject>) -> Result<Canary, Refusal> {
    let canary = spanned.value.parse().map_err(|error: CanaryError| Refusal::at(spanned, error.to_string()))?;
    let holds = |datum: &Datum| {
        std::str::from_utf8(datum.value.reveal()).is_ok_and(|value| !value.is_empty() && spanned.value.contains(value))
    };
    if subject.is_some_and(|subject| subject.data.iter().any(holds)) {
        return Err(Refusal::at(spanned, "a canary must not hold a planted value: reports show it"));
    }
    Ok(canary)
}

/// True for `wifi`, `wifi.password` and `wifi.password#2` where the subject has the latter.
fn names_datum(subject: &Subject, name: &str) -> bool {
    subject.data.iter().any(|datum| {
        let below = |kind: &str| kind.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        datum.id.0 == name || below(datum.kind.as_str())
    })
}

fn all_names(subject: &Subject) -> String {
    let names: Vec<&str> = subject.data.iter().map(|datum| datum.id.0.as_str()).collect();
    names.join(", ")
}

/// A time that says where on Earth it is: without that it could be off by hours and look exact.
fn moment(spanned: &Spanned<String>) -> Result<Time, Refusal> {
    let text = spanned.value.trim();
    let after_date = text.get(10..).unwrap_or_default();
    let placed = text.ends_with(['Z', 'z']) || after_date.contains(['+', '-']);
    let time = text.parse().ok().filter(|_| placed);
    time.ok_or_else(|| Refusal::at(spanned, "a time is written as in 2026-01-31T12:00:00.250Z, or with +08:00 for Z"))
}

/// Nanoseconds of a clock's error.
pub(crate) fn error_of_clock(spanned: &Spanned<f64>) -> Result<u64, Refusal> {
    let fits = (0.0..=86_400.0).contains(&spanned.value);
    let nanos = (spanned.value * NANOS).round() as u64;
    fits.then_some(nanos).ok_or_else(|| Refusal::at(spanned, "an error is 0 to 86400 seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(line: &str) -> String {
        marks_of_lines(line, None).unwrap_err().to_string()
    }

    fn a_word() -> impl Strategy<Value = String> {
        "[a-z0-9][a-z0-9-]{0,20}"
    }

    fn an_event() -> impl Strategy<Value = Event> {
        let purpose = || proptest::option::of(a_word());
        prop_oneof![
            (proptest::sample::select(&ConsentChange::ALL[..]), purpose())
                .prop_map(|(change, purpose)| Event::Consent { change, purpose }),
            (a_word(), purpose(), proptest::collection::vec(a_word(), 0..3))
                .prop_map(|(action, variant, conditions)| Event::ActionBegan { action, variant, conditions }),
            (a_word(), proptest::sample::select(&ActionOutcome::ALL[..]))
                .prop_map(|(action, outcome)| Event::ActionEnded { action, outcome }),
            proptest::collection::vec("[a-z]{1,5}(\\.[a-z]{1,5})?(#[2-9])?", 1..3)
                .prop_map(|data| Event::Planted { data }),
            "[a-z]{1,9}(/[a-z0-9-]{1,9})?".prop_map(|exhibit| Event::Snapshot { exhibit }),
            "[a-z.]{1,9}(/[a-z0-9-]{1,9})?".prop_map(|text| Event::Canary(text.parse().unwrap())),
            proptest::sample::select(&Phase::ALL[..]).prop_map(Event::Phase),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            at in -6_000_000_000_000_000_000i64..9_000_000_000_000_000_000,
            error in proptest::option::of(0u64..86_400_000),
            event in an_event(),
        ) {
            let mark = Mark { at: Time(at), error: error.map(|millis| millis * 1_000_000), event };
            prop_assert_eq!(marks_of_lines(&mark.line(), None), Ok(vec![mark]));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(\\{\"at\":\"2026)?.{0,60}") {
            let _ = marks_of_lines(&text, None);
        }
    }

    #[test]
    fn every_form_of_a_mark_is_read() {
        let text = r#"{"at":"2026-11-22T01:30:54.236Z","error_s":0.2,"consent":"given","purpose":"cloud"}

{"at":"2026-11-22T09:30:55+08:00","action":"provision-device","stage":"began","variant":"softap","conditions":["wan-blocked"]}
{"at":"2026-11-22T01:30:56Z","action":"provision-device","stage":"ended","outcome":"succeeded"}
{"at":"2026-11-22T01:30:57Z","planted":["wifi.password"]}
{"at":"2026-11-22T01:30:58Z","phase":"quiet-began"}
"#;
        let marks = marks_of_lines(text, None).unwrap();
        assert_eq!(marks.len(), 5);
        assert_eq!(marks[0].error, Some(200_000_000));
        assert_eq!(marks[1].at.to_string(), "2026-11-22T01:30:55Z");
        let clock = Clock { offset: 2_000_000_000, error: 7 };
        let milestone = marks[4].clone().milestone(clock).unwrap();
        assert_eq!((milestone.at.to_string().as_str(), milestone.error), ("2026-11-22T01:30:56Z", 7));
    }

    #[test]
    fn what_is_misspelt_is_refused_at_its_place_with_the_words_that_are_allowed() {
        let at = r#"{"at":"2026-11-22T01:30:54Z","#;
        let key = refusal(&format!("\n{at}\"consnt\":\"given\"}}"));
        assert!(key.starts_with("line 2, column ") && key.contains("consent, purpose, action"), "{key}");
        let word = refusal(&format!("{at}\"consent\":\"givn\"}}"));
        assert_eq!(
            word,
            "line 1, column 40: a word that is not known here; the words are shown, given, refused, withdrawn"
        );
        for (rest, reason) in [
            (r#""phase":"quiet"}"#, "quiet-began"),
            (r#""action":"log-in","stage":"begun"}"#, "began, ended"),
            (r#""action":"log-in"}"#, "`stage` is missing"),
            (r#""action":"log-in","stage":"ended"}"#, "succeeded, failed"),
            (r#""action":"log-in","stage":"began","outcome":"failed"}"#, "no `outcome` yet"),
            (r#""action":"Log in","stage":"began"}"#, "lower-case"),
            (r#""consent":"given","variant":"softap"}"#, "`variant` does not belong to a mark of `consent`"),
            (r#""consent":"given","phase":"quiet-began"}"#, "write two marks"),
            (r#""error_s":-1,"phase":"quiet-began"}"#, "0 to 86400"),
            (r#""purpose":"cloud"}"#, "one of the keys"),
            (r#""planted":[]}"#, "one of the keys"),
            (r#""phase":"quiet-began","phase":"quiet-began"}"#, "twice"),
            (r#""phase":"quiet-began""#, "not a JSON object"),
        ] {
            let refused = refusal(&format!("{at}{rest}"));
            assert!(refused.starts_with("line 1, column ") && refused.contains(reason), "{rest}: {refused}");
        }
        for time in ["2026-11-22T01:30:54", "yesterday", "2026-11-22"] {
            let refused = refusal(&format!("{{\"at\":\"{time}\",\"phase\":\"quiet-began\"}}"));
            assert!(refused.contains("column 7: a time is written as in"), "{refused}");
        }
        assert!(refusal("at: 2026-11-22T01:30:54Z").contains("not a JSON object"));
    }

    #[test]
    fn names_of_data_are_the_subjects_and_no_refusal_repeats_a_value() {
        let subject = Subject::from_yaml("data: [{kind: wifi.password, value: tr0ub4dor}]").unwrap();
        let line = |name: &str| format!(r#"{{"at":"2026-11-22T01:30:54Z","planted":["{name}"]}}"#);
        for name in ["wifi", "wifi.password"] {
            assert!(marks_of_lines(&line(name), Some(&subject)).is_ok(), "{name}");
        }
        let refused = marks_of_lines(&line("wifi.passwort"), Some(&subject)).unwrap_err().to_string();
        assert!(refused.ends_with("names no datum of the subject: wifi.password"), "{refused}");
        for (text, subject) in [(line("tr0ub4dor"), Some(&subject)), (line("Tr0ub4dor"), None)] {
            let refused = marks_of_lines(&text, subject).unwrap_err().to_string();
            assert!(!refused.contains("ub4dor"), "{refused}");
        }
        for text in [
            r#"{"at":"2026-11-22T01:30:54Z","planted":"tr0ub4dor"}"#,
            r#"{"at":"2026-11-22T01:30:54Z","tr0ub4dor":"given"}"#,
            r#"{"at":"tr0ub4dor","consent":"given"}"#,
        ] {
            assert!(!refusal(text).contains("ub4dor"), "{text}");
        }
    }
}
