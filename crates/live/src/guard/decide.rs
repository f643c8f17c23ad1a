//! What becomes of a message in which something was found.

use super::{
    Answer, Asked, Decision, Found, Guarded, Guarding, Inspected, Mode, Noticed, aside, may_take_long, redact,
};
use crate::journal::Recorder;
use crate::watch::{Watch, What};
use dyetrace_case::{
    Blob, Channel, Endpoint, ExhibitId, Message, NameSource, PartName, Protocol, Record, RecordId, Side,
};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Values that overlap are overwritten in turns; where something is still found after so many, it cannot be done.
const TURNS: usize = 4;

/// Where everything passes in any case, little is waited for.
const NOTIFIED: Duration = Duration::from_millis(5);

/// The guard of one connection, or of one message on it.
#[derive(Clone)]
pub(crate) struct Warden {
    pub(super) guarding: Arc<Guarding>,
    line: Arc<Line>,
    message: Option<Numbered>,
}

/// What is known of a connection.
struct Line {
    watch: Watch,
    recorder: Arc<Recorder>,
    host: String,
    client: Endpoint,
    server: Endpoint,
    channel: Channel,
}

/// A message as the records of an audit name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbered {
    /// The request with that number on a connection of HTTP/1, from 0.
    Http1(u64),
    /// The request on that stream of HTTP/2.
    Http2(u32),
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http1(number) => write!(f, "http:{number}"),
            Self::Http2(stream) => write!(f, "h2:{stream}"),
        }
    }
}

/// Whether a message may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it is.
    Pass,
    /// As the record is now.
    Changed,
    /// It may not. What was found.
    Stopped(Vec<Noticed>),
}

/// What is known of a message beside its record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// Bytes of it that have left.
    pub(super) left: u64,
    /// Bytes of this window that were looked at with the one before.
    pub(super) seen: u64,
    /// Bytes of this window that have left.
    pub(super) gone: u64,
    /// Whether it can only pass as it is.
    pub(super) is_fixed: bool,
}

impl Warden {
    /// For a connection to that host.
    pub(crate) fn new(
        guarding: Arc<Guarding>,
        (watch, recorder): (Watch, Arc<Recorder>),
        (client, server): (SocketAddr, SocketAddr),
        (host, channel): (&str, Channel),
    ) -> Self {
        let host = host.to_ascii_lowercase();
        let endpoint = |address: SocketAddr, name| Endpoint {
            address: Some(address.ip().to_canonical()),
            port: Some(address.port()),
            name,
        };
        let name = host.parse::<std::net::IpAddr>().is_err().then(|| (host.clone(), NameSource::Sni));
        let (client, server) = (endpoint(client, None), endpoint(server, name));
        let line = Arc::new(Line { watch, recorder, host, client, server, channel });
        Self { guarding, line, message: None }
    }

    /// The same for one message; what is decided of it names it.
    pub(super) fn of(&self, message: Option<Numbered>) -> Self {
        Self { message, ..self.clone() }
    }

    /// Whom the messages are for, without values in the name.
    pub(super) fn shown_host(&self) -> String {
        self.guarding.guard.shown(&self.line.host)
    }

    /// How long a sender's pause must be before what is held of its message is let go.
    pub(super) fn pause(&self, usual: Duration) -> Duration {
        if self.guarding.mode() == Mode::Notify { usual.min(NOTIFIED) } else { usual }
    }

    /// A record of one message of the client.
    pub(super) fn record(&self, protocol: Protocol, message: Message) -> Record {
        Record {
            id: RecordId("guard".to_owned()),
            exhibit: ExhibitId([0; 32]),
            protocol,
            time: None,
            client: self.line.client.clone(),
            server: self.line.server.clone(),
            channel: self.line.channel.clone(),
            app: None,
            request: Some(message),
            response: None,
            flags: Vec::new(),
        }
    }

    /// A record of bytes alone.
    pub(super) fn record_of(&self, protocol: Protocol, bytes: Vec<u8>) -> Record {
        self.record(protocol, Message { body: Some(Blob::from(bytes)), ..Message::default() })
    }

    /// Looks at a message and decides, tells the decision, and overwrites what is to be overwritten.
    pub(super) async fn judge(&self, record: &mut Record, progress: Progress) -> Outcome {
        let Inspected { found, is_incomplete } = self.inspect(record, progress.seen);
        let outcome = if found.is_empty() { Outcome::Pass } else { self.decide(record, found, progress).await };
        let is_stopped = matches!(outcome, Outcome::Stopped(_));
        if is_incomplete && !is_stopped && !self.unreadable("the search was not finished", progress.left).await {
            return Outcome::Stopped(Vec::new());
        }
        outcome
    }

    async fn decide(&self, record: &mut Record, found: Vec<Found>, progress: Progress) -> Outcome {
        let (sightings, hints): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.is_sighting);
        let is_allowed = |found: &Found| self.guarding.is_allowed(&found.datum, &self.line.host);
        let (allowed, stopped): (Vec<_>, Vec<_>) = sightings.into_iter().partition(is_allowed);
        self.tell_of(&hints, Decision::Told, progress).await;
        self.tell_of(&allowed, Decision::Allowed, progress).await;
        if stopped.is_empty() {
            return Outcome::Pass;
        }
        let (decision, outcome) = match self.wish(&stopped).await {
            Answer::Once if self.guarding.mode() == Mode::Notify => (Decision::Told, Outcome::Pass),
            Answer::Once | Answer::Always => (Decision::Allowed, Outcome::Pass),
            Answer::Redact if self.redact(record, &stopped, progress) => (Decision::Redacted, Outcome::Changed),
            Answer::Redact | Answer::Block => (Decision::Blocked, Outcome::Stopped(noticed(&stopped))),
        };
        self.tell_of(&stopped, decision, progress).await;
        outcome
    }

    /// Tells of something that was decided without anything having been found.
    pub(super) async fn tell_why(&self, decision: Decision, why: &'static str, left: u64) {
        self.tell(Vec::new(), decision, left, Some(why)).await;
    }

    /// What cannot be read is told; whether it may pass.
    pub(super) async fn unreadable(&self, why: &'static str, left: u64) -> bool {
        let passes = self.guarding.passes_unread(&self.line.host);
        self.tell_why(if passes { Decision::Unreadable } else { Decision::Blocked }, why, left).await;
        passes
    }

    /// Whether a connection that cannot be read is to be cut; then that is told.
    pub(crate) async fn stops_unread(&self) -> bool {
        let stops = !self.guarding.passes_unread(&self.line.host);
        if stops {
            self.tell_why(Decision::Blocked, "TLS could not be opened", 0).await;
        }
        stops
    }

    fn inspect(&self, record: &Record, seen: u64) -> Inspected {
        let body = record.request.as_ref().and_then(|message| message.body.as_ref());
        let is_long = body.and_then(Blob::as_slice).is_some_and(|body| may_take_long(body, seen > 0));
        let mut inspected = aside(is_long, || self.guarding.guard.inspect(record));
        inspected.found.retain(|found| {
            let told_before = found.exact && matches!(found.part, PartName::Body(_)) && found.range.end <= seen;
            found.part.side() == Side::Request && !told_before
        });
        inspected
    }

    async fn wish(&self, stopped: &[Found]) -> Answer {
        match self.guarding.mode() {
            Mode::Notify => Answer::Once,
            Mode::Block => Answer::Block,
            Mode::Redact => Answer::Redact,
            Mode::Hold => self.ask(stopped).await,
        }
    }

    async fn ask(&self, stopped: &[Found]) -> Answer {
        let Some(asks) = &self.guarding.asks else { return Answer::Block };
        let (answer, answered) = oneshot::channel();
        let what = noticed(stopped);
        let (host, connection) = (self.line.host.clone(), self.line.recorder.number());
        let asked = Asked { what, host, connection, answer };
        let asking = async {
            asks.send(asked).await.ok()?;
            answered.await.ok()
        };
        let answer = tokio::time::timeout(self.guarding.settings.patience, asking).await;
        let answer = answer.ok().flatten().unwrap_or(Answer::Block);
        if answer == Answer::Always {
            for found in stopped {
                self.guarding.allow(found.datum.clone(), &self.line.host);
            }
        }
        answer
    }

    /// Overwrites until nothing is found any more that may not pass. False where that cannot be done.
    fn redact(&self, record: &mut Record, stopped: &[Found], progress: Progress) -> bool {
        let mut stopped = stopped.to_vec();
        for _ in 0..TURNS {
            let has_begun = progress.is_fixed || stopped.iter().any(|found| found.range.start < progress.gone);
            let whole = record.request.as_mut().is_some_and(|message| redact::overwrite(message, &stopped));
            if has_begun || !whole {
                return false;
            }
            stopped = self.inspect(record, progress.seen).found;
            stopped.retain(|found| found.is_sighting && !self.guarding.is_allowed(&found.datum, &self.line.host));
            if stopped.is_empty() {
                return true;
            }
        }
        false
    }

    async fn tell_of(&self, found: &[Found], decision: Decision, progress: Progress) {
        if !found.is_empty() {
            self.tell(noticed(found), decision, progress.left, None).await;
        }
    }

    async fn tell(&self, data: Vec<Noticed>, decision: Decision, left: u64, why: Option<&'static str>) {
        let mode = self.guarding.mode();
        let names: Vec<String> = data.iter().map(|noticed| format!("{}@{}", noticed.datum, noticed.part)).collect();
        let names = if names.is_empty() { "-".to_owned() } else { names.join(",") };
        let message = self.message.map_or_else(|| "-".to_owned(), |message| message.to_string());
        let remark = format!(
            "guard mode={} decision={} message={message} data={names} host={} left={left} {}",
            mode.name(),
            decision.name(),
            self.shown_host(),
            why.unwrap_or_default()
        );
        self.line.recorder.remark(remark.trim_end());
        let guarded = Guarded { data, host: self.line.host.clone(), mode, decision, left, why };
        self.line.watch.tell(self.line.recorder.number(), What::Guarded(guarded)).await;
    }
}

/// Each datum and part once, in order.
fn noticed(found: &[Found]) -> Vec<Noticed> {
    let one = |found: &Found| Noticed {
        datum: found.datum.clone(),
        kind: found.kind.clone(),
        part: match found.part {
            PartName::Url => "url",
            PartName::Header { .. } => "header",
            PartName::Body(_) | PartName::Path | PartName::Content | PartName::Stored { .. } => "body",
        },
    };
    let mut all: Vec<Noticed> = found.iter().map(one).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Guard, GuardSettings, LONG};
    use crate::journal::Journal;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, mpsc};

    /// Inspects until another connection of the same runtime went on.
    struct Slow {
        began: Mutex<Option<oneshot::Sender<()>>>,
        others: Mutex<mpsc::Receiver<()>>,
        went_on: AtomicBool,
    }

    impl Guard for Slow {
        fn inspect(&self, _record: &Record) -> Inspected {
            let _ = self.began.lock().unwrap().take().unwrap().send(());
            let went_on = self.others.lock().unwrap().recv_timeout(Duration::from_secs(5)).is_ok();
            self.went_on.store(went_on, Ordering::Relaxed);
            Inspected::default()
        }
    }

    /// Whether another connection goes on while such a body is searched, on a runtime of one thread as the relay has.
    fn others_go_on(name: &str, body: &[u8]) -> bool {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let path = std::env::temp_dir().join(format!("dyetrace-aside-{name}-{}.pcapng", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let journal = Journal::create(&path, "test").unwrap();
        let ends = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let told = (Watch::default(), Arc::new(journal.connection(ends.0, ends.1, "test")));
        let ((began, beginning), (go_on, others)) = (oneshot::channel(), mpsc::channel());
        let (began, others) = (Mutex::new(Some(began)), Mutex::new(others));
        let slow = Arc::new(Slow { began, others, went_on: AtomicBool::new(false) });
        let guarding = Arc::new(Guarding::new(Arc::clone(&slow) as Arc<dyn Guard>, GuardSettings::default()));
        let warden = Warden::new(guarding, told, ends, ("a.test", Channel::clear()));
        let mut record = warden.record_of(Protocol::Tcp, body.to_vec());
        let other = runtime.spawn(async move {
            beginning.await.unwrap();
            let _ = go_on.send(());
        });
        let judged = runtime.spawn(async move { warden.judge(&mut record, Progress::default()).await });
        assert_eq!(runtime.block_on(judged).unwrap(), Outcome::Pass);
        runtime.block_on(other).unwrap();
        journal.close().unwrap();
        std::fs::remove_file(&path).unwrap();
        slow.went_on.load(Ordering::Relaxed)
    }

    #[test]
    fn others_are_not_held_up_by_the_search_of_a_picture_in_a_short_body() {
        assert!(others_go_on("bytes", &[0x89; 100]));
        let text = format!("{{\"photo\":\"iVBORw0KGgo{}\"}}", "A".repeat(100));
        assert!(others_go_on("text", text.as_bytes()));
    }

    #[test]
    fn short_text_is_searched_where_it_is() {
        let text = "{\"phone\":\"13800000427\",\"住址\":\"江海市\"}".repeat(10);
        assert!(!may_take_long(text.as_bytes(), false) && !may_take_long(&[0xFF; 63], false));
        assert!(may_take_long(&vec![b'a'; LONG + 1], false) && may_take_long(&[0xFF; 64], false));
    }

    #[test]
    fn windows_of_a_long_body_are_searched_where_they_are_unless_a_picture_begins_in_them() {
        let mut window = vec![0xA5; 64 << 10];
        assert!(!may_take_long(&window, true));
        window[5000..5003].copy_from_slice(b"\xFF\xD8\xFF");
        assert!(!may_take_long(&window, true), "no segment of JPEG follows");
        for start in [b"\x89PNG", b"\xFF\xD8\xFF\xE1", b"\x1F\x8B\x08\x00"] {
            window[5000..5004].copy_from_slice(start);
            assert!(may_take_long(&window, true));
        }
    }
}
