//! The guard's eyes and ears: the search of an audit, on messages that are about to leave; and what programs may
//! tell the guard while it works.

use super::LiveArguments;
use crate::exit::say;
use dyetrace_case::{DatumId, Kind, Record, Sighting, Subject, Upcoming};
use dyetrace_live::guard::{Answer, Asked, Found, Guard, Inspected, Mode, Noticed};
use dyetrace_live::{GuardSettings, Guarding};
use dyetrace_search::{Scanner, Scratch, SharedMemory, wrappings};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Questions that wait for a person at once; further ones wait in line until their patience ends.
const QUESTIONS: usize = 64;
/// The least and the most that is held back of a long message, in bytes.
const TAIL: (usize, usize) = (4 << 10, 64 << 10);
/// Forms of a value may be so many times as long as it is: each byte as `\u0041`.
const FORM: usize = 6;

/// Finds planted values in messages, as an audit does.
pub(super) struct Eyes {
    scanner: Arc<Scanner>,
    kinds: HashMap<DatumId, Kind>,
    /// Wrappings in which a place is exact to the byte.
    exact: HashSet<&'static str>,
    longest: usize,
    scratches: Mutex<Vec<Scratch>>,
    /// The watcher's, too: it searches the same messages once more.
    memory: SharedMemory,
}

impl Eyes {
    fn new(subject: &Subject, scanner: Arc<Scanner>, memory: SharedMemory) -> Self {
        let longest = subject.data.iter().map(|datum| datum.value.len()).max().unwrap_or(0);
        Self {
            scanner,
            kinds: subject.data.iter().map(|datum| (datum.id.clone(), datum.kind.clone())).collect(),
            exact: wrappings().into_iter().filter(|about| about.exact).map(|about| about.name).collect(),
            longest: longest.saturating_mul(FORM).clamp(TAIL.0, TAIL.1),
            scratches: Mutex::default(),
            memory,
        }
    }

    fn found(&self, sighting: &Sighting) -> Option<Found> {
        Some(Found {
            datum: sighting.datum.clone(),
            kind: self.kinds.get(&sighting.datum)?.clone(),
            part: sighting.place.part.clone(),
            range: sighting.place.range,
            exact: sighting.trail.0.iter().all(|step| self.exact.contains(step.codec.as_str())),
            is_sighting: !sighting.is_hint(),
        })
    }
}

impl Guard for Eyes {
    fn inspect(&self, record: &Record) -> Inspected {
        let mut scratch = lock(&self.scratches).pop().unwrap_or_else(|| Scratch::sharing(&self.memory));
        let outcome = self.scanner.search(record, &mut scratch);
        lock(&self.scratches).push(scratch);
        let found = outcome.sightings.iter().filter_map(|sighting| self.found(sighting)).collect();
        Inspected { found, is_incomplete: !outcome.limits_reached.is_empty() }
    }

    fn longest(&self) -> usize {
        self.longest
    }

    fn shown(&self, name: &str) -> String {
        self.scanner.redact(name)
    }
}

/// The guard as programs see it.
pub(super) struct Control {
    guarding: Arc<Guarding>,
    eyes: Arc<Eyes>,
    questions: Mutex<Questions>,
    /// Whether the questions are on a screen.
    is_on_screen: AtomicBool,
}

#[derive(Default)]
struct Questions {
    next: u64,
    waiting: BTreeMap<u64, Question>,
}

struct Question {
    what: Vec<Noticed>,
    /// Without values in it.
    host: String,
    answer: oneshot::Sender<Answer>,
}

impl Control {
    /// The guard that the arguments ask for, and its questions.
    pub(super) fn of(
        arguments: &LiveArguments,
        upcoming: &Upcoming,
        scanner: &Arc<Scanner>,
        memory: &SharedMemory,
    ) -> Option<(Arc<Self>, mpsc::Receiver<Asked>)> {
        let settings = GuardSettings {
            mode: arguments.guard?,
            blocks_unreadable: arguments.guard_unread,
            ..GuardSettings::default()
        };
        let nobody = Subject::default();
        let subject = upcoming.subject.as_ref().unwrap_or(&nobody);
        let (control, asked) = Self::new(Eyes::new(subject, Arc::clone(scanner), memory.clone()), settings);
        Some((Arc::new(control), asked))
    }

    fn new(eyes: Eyes, settings: GuardSettings) -> (Self, mpsc::Receiver<Asked>) {
        let (asks, asked) = mpsc::channel(QUESTIONS);
        let eyes = Arc::new(eyes);
        let guarding = Arc::new(Guarding::new(Arc::<Eyes>::clone(&eyes), settings).asking(asks));
        (Self { guarding, eyes, questions: Mutex::default(), is_on_screen: AtomicBool::new(false) }, asked)
    }

    /// The guard itself.
    pub(super) fn guarding(&self) -> Arc<Guarding> {
        Arc::clone(&self.guarding)
    }

    /// Takes questions until the recording ends, and says them.
    pub(super) async fn listen(self: Arc<Self>, mut asked: mpsc::Receiver<Asked>) {
        while let Some(Asked { what, host, answer, .. }) = asked.recv().await {
            let host = self.eyes.shown(&host);
            let mut questions = lock(&self.questions);
            questions.waiting.retain(|_, question| !question.answer.is_closed());
            questions.next += 1;
            let number = questions.next;
            let question = Question { what, host, answer };
            if !self.is_on_screen.load(Ordering::Relaxed) {
                let words = question.words();
                say(&format!(
                    "Question {number}: {words}  POST /v1/guard {{\"question\":{number},\"answer\":\
                     \"once|always|redact|block\"}}"
                ));
            }
            questions.waiting.insert(number, question);
        }
    }

    /// From now on a screen shows the questions.
    pub(super) fn is_asked_here(&self) {
        self.is_on_screen.store(true, Ordering::Relaxed);
    }

    /// The first question that waits: its number, and what is asked.
    pub(super) fn question(&self) -> Option<(u64, String)> {
        let questions = lock(&self.questions);
        let waiting = questions.waiting.iter().find(|(_, question)| !question.answer.is_closed());
        waiting.map(|(number, question)| (*number, question.words()))
    }

    /// Answers a question.
    pub(super) fn answer(&self, number: u64, answer: Answer) -> Result<(), String> {
        let question = lock(&self.questions).waiting.remove(&number);
        let sent = question.and_then(|question| question.answer.send(answer).ok());
        sent.ok_or_else(|| format!("question {number} does not wait for an answer"))
    }

    /// Answers `GET /v1/guard`.
    pub(super) fn state(&self) -> String {
        let questions = lock(&self.questions);
        let waiting = questions.waiting.iter().filter(|(_, question)| !question.answer.is_closed());
        let waiting = waiting
            .map(|(number, question)| json!({"question": number, "data": data(&question.what), "host": question.host}));
        let allowed = self.guarding.allowed();
        let allowed = allowed.iter().map(|(datum, host)| json!({"datum": datum.0, "host": self.eyes.shown(host)}));
        let unread = self.guarding.unread();
        let unread = unread.iter().map(|host| self.eyes.shown(host));
        json!({
            "mode": self.guarding.mode().name(),
            "allowed": allowed.collect::<Vec<_>>(),
            "allowed_unread": unread.collect::<Vec<_>>(),
            "questions": waiting.collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// Answers `POST /v1/guard`: a mode, what may pass to whom or may not any more, or the answer to a question.
    pub(super) fn change(&self, body: &str) -> Result<String, String> {
        let body: Value = serde_json::from_str(body).map_err(|_| WORDS.to_owned())?;
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        if let Some(mode) = text("mode") {
            self.guarding.set_mode(mode.parse::<Mode>()?);
        } else if let (Some(datum), Some(host)) = (text("allow"), text("host")) {
            self.guarding.allow(DatumId(datum.to_owned()), host);
        } else if let (Some(datum), Some(host)) = (text("disallow"), text("host")) {
            self.disallow(datum, host);
        } else if let Some(host) = text("allow_unread") {
            self.guarding.allow_unread(host);
        } else if let Some(host) = text("disallow_unread") {
            self.disallow_unread(host);
        } else if let (Some(question), Some(answer)) = (body.get("question").and_then(Value::as_u64), text("answer")) {
            self.answer(question, answer_of(answer)?)?;
        } else {
            return Err(WORDS.to_owned());
        }
        Ok(self.state())
    }

    /// Takes back what was allowed towards a host, whether it is named as it is or as it is shown.
    fn disallow(&self, datum: &str, named: &str) {
        for (allowed, host) in self.guarding.allowed() {
            if allowed.0 == datum && self.is_named(&host, named) {
                self.guarding.disallow(&allowed, &host);
            }
        }
    }

    fn disallow_unread(&self, named: &str) {
        for host in self.guarding.unread().iter().filter(|host| self.is_named(host, named)) {
            self.guarding.disallow_unread(host);
        }
    }

    fn is_named(&self, host: &str, named: &str) -> bool {
        host.eq_ignore_ascii_case(named) || self.eyes.shown(host).eq_ignore_ascii_case(named)
    }
}

impl Question {
    fn words(&self) -> String {
        let data: Vec<&str> = self.what.iter().map(|noticed| noticed.datum.0.as_str()).collect();
        format!("may {} go to {}?", data.join(", "), dyetrace_report::clean(&self.host))
    }
}

fn answer_of(word: &str) -> Result<Answer, String> {
    match word {
        "once" => Ok(Answer::Once),
        "always" => Ok(Answer::Always),
        "redact" => Ok(Answer::Redact),
        "block" => Ok(Answer::Block),
        _ => Err("an answer is once, always, redact or block".to_owned()),
    }
}

const WORDS: &str =
    "JSON with mode; allow and host; disallow and host; allow_unread; disallow_unread; or question and answer";

/// Data as programs read them.
pub(super) fn data(what: &[Noticed]) -> Vec<Value> {
    let one =
        |noticed: &Noticed| json!({"datum": noticed.datum.0, "kind": noticed.kind.as_str(), "part": noticed.part});
    what.iter().map(one).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{Blob, Channel, Endpoint, ExhibitId, Message, Protocol, RecordId};
    use dyetrace_search::Options;

    const PHONE: &str = "13800000427";

    fn eyes() -> Eyes {
        let subject = Subject::from_yaml(&format!("data:\n  - {{kind: phone, value: \"{PHONE}\"}}\n")).unwrap();
        Eyes::new(&subject, Arc::new(Scanner::new(&subject, Options::default())), SharedMemory::default())
    }

    fn record(body: String) -> Record {
        let nobody = || Endpoint { address: None, port: None, name: None };
        let message = Message { body: Some(Blob::from(body.into_bytes())), ..Message::default() };
        Record {
            id: RecordId("test".to_owned()),
            exhibit: ExhibitId([0; 32]),
            protocol: Protocol::Tcp,
            time: None,
            client: nobody(),
            server: nobody(),
            channel: Channel::clear(),
            app: None,
            request: Some(message),
            response: None,
            flags: Vec::new(),
        }
    }

    #[test]
    fn a_search_that_reached_a_limit_is_not_taken_for_one_that_found_everything() {
        assert!(!eyes().inspect(&record(format!("phone={PHONE}"))).is_incomplete);
        let many = eyes().inspect(&record(format!("phone={PHONE}\n").repeat(5000)));
        assert!(many.is_incomplete && !many.found.is_empty());
    }

    #[tokio::test]
    async fn a_value_in_a_hosts_name_is_not_shown_and_what_was_allowed_there_can_be_taken_back() {
        let host = format!("u-{PHONE}.a.test");
        let (control, asked) = Control::new(eyes(), GuardSettings::default());
        let control = Arc::new(control);
        control.is_asked_here();
        let (asks, questions) = mpsc::channel(1);
        drop(asked);
        let (answer, _waits) = oneshot::channel();
        asks.send(Asked { what: Vec::new(), host: host.clone(), connection: 1, answer }).await.unwrap();
        drop(asks);
        Arc::clone(&control).listen(questions).await;
        let datum = DatumId("phone".to_owned());
        control.guarding.allow(datum, &host);
        control.guarding.allow_unread(&host);
        let (_, question) = control.question().unwrap();
        let shown = control.eyes.shown(&host);
        assert!(question.contains(&shown) && !question.contains(PHONE), "{shown}");
        let state = control.state();
        assert!(!state.contains(PHONE) && state.matches(&shown).count() == 3, "{shown}");
        control.change(&json!({"disallow": "phone", "host": shown}).to_string()).unwrap();
        control.change(&json!({"disallow_unread": shown}).to_string()).unwrap();
        assert!(control.guarding.allowed().is_empty() && control.guarding.unread().is_empty());
        control.change(&json!({"allow_unread": "B.test"}).to_string()).unwrap();
        assert!(control.guarding.unread().contains("b.test"));
    }
}
