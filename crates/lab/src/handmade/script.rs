//! A run as it is written down: what the tester did, and what the proxy would have recorded.

use super::{NOTE, Random};
use dyetrace_case::{ActionOutcome, Event, Mark, Phase, Time};
use serde_json::{Value, json};

/// How far the marks may be off, in nanoseconds: a tenth of a second.
const ERROR: u64 = 100_000_000;
const MILLISECOND: i64 = 1_000_000;

/// One run.
pub(super) struct Script {
    pub(super) name: &'static str,
    pub(super) random: Random,
    now: Time,
    marks: Vec<Mark>,
    entries: Vec<Value>,
}

/// A server and what stands on its certificate.
#[derive(Clone, Copy)]
pub(super) struct Server {
    /// `https://api.maker.example`.
    pub(super) origin: &'static str,
    /// From the ranges that RFC 5737 reserves for documentation.
    pub(super) address: &'static str,
}

impl Script {
    /// A run whose recording begins at a time, as `2014-07-30T02:00:00Z`.
    pub(super) fn begin(name: &'static str, random: Random, start: &str) -> Self {
        let now = start.parse().unwrap_or(Time(0));
        let mut script = Self { name, random, now, marks: Vec::new(), entries: Vec::new() };
        script.mark(Event::Phase(Phase::RecordingBegan));
        script
    }

    fn wait(&mut self, milliseconds: i64) {
        self.now = Time(self.now.0.saturating_add(milliseconds * MILLISECOND));
    }

    fn mark(&mut self, event: Event) {
        self.marks.push(Mark { at: self.now, error: Some(ERROR), event });
        self.wait(600);
    }

    pub(super) fn planted(&mut self, data: &[&str]) {
        self.mark(Event::Planted { data: data.iter().map(|&name| name.to_owned()).collect() });
    }

    /// An action that succeeds, and what the product does in it.
    pub(super) fn action(&mut self, name: &str, product: impl FnOnce(&mut Self)) {
        self.mark(Event::ActionBegan { action: name.to_owned(), variant: None, conditions: Vec::new() });
        product(self);
        self.wait(400);
        self.mark(Event::ActionEnded { action: name.to_owned(), outcome: ActionOutcome::Succeeded });
        self.wait(900);
    }

    /// A minute without anything done, and the end of the recording.
    pub(super) fn end(mut self) -> Self {
        self.mark(Event::Phase(Phase::QuietBegan));
        self.wait(60_000);
        self.mark(Event::Phase(Phase::QuietEnded));
        self.mark(Event::Phase(Phase::RecordingEnded));
        self
    }

    /// A request that is answered with JSON.
    pub(super) fn exchange(&mut self, server: Server, target: &str, body: &Value, answer: &Value) {
        let took = 20 + self.random.below(90);
        let answer = answer.to_string();
        let request = self.request(server, target, body);
        let started = self.now.to_string();
        self.entries.push(json!({
            "startedDateTime": started,
            "time": took,
            "request": request,
            "response": {
                "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
                "headers": [{"name": "Content-Type", "value": "application/json"}],
                "content": {"size": answer.len(), "mimeType": "application/json", "text": answer},
                "redirectURL": "", "headersSize": -1, "bodySize": answer.len(),
            },
            "cache": {},
            "timings": {"send": 1, "wait": took - 2, "receive": 1},
            "serverIPAddress": server.address,
            "comment": NOTE,
        }));
        self.wait(200 + i64::from(took as u32));
    }

    fn request(&mut self, server: Server, target: &str, body: &Value) -> Value {
        let host = server.origin.split("://").nth(1).unwrap_or_default();
        let id = self.random.hex(16);
        let mut headers = vec![json!({"name": "Host", "value": host}), json!({"name": "X-Request-Id", "value": id})];
        let text = body.to_string();
        let size = text.len();
        let data = json!({"mimeType": "application/json", "text": text});
        headers.push(json!({"name": "Content-Type", "value": "application/json"}));
        json!({
            "method": "POST", "url": format!("{}{target}", server.origin), "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": headers, "queryString": [], "headersSize": -1, "bodySize": size, "postData": data,
        })
    }

    /// HAR 1.2, as a proxy would have written it.
    pub(super) fn har(&self) -> Vec<u8> {
        let creator = json!({"name": "dyetrace-lab handmade", "version": env!("CARGO_PKG_VERSION"), "comment": NOTE});
        let har = json!({"log": {"version": "1.2", "creator": creator, "entries": self.entries, "comment": NOTE}});
        let mut text = serde_json::to_string_pretty(&har).unwrap_or_default();
        text.push('\n');
        text.into_bytes()
    }

    /// The marks file.
    pub(super) fn marks(&self) -> Vec<u8> {
        self.marks.iter().flat_map(|mark| format!("{}\n", mark.line()).into_bytes()).collect()
    }
}
