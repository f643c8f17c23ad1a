//! `dyetrace live --guard` with the real search: the server says what arrived.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PASSWORD: &str = "correct horse 42 Battery";
const ENCODED: &str = "Y29ycmVjdCBob3JzZSA0MiBCYXR0ZXJ5";

/// Each has a folder of its own.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// `dyetrace live` with a guard, and a server behind it.
struct Guarded {
    child: Child,
    folder: PathBuf,
    events: BufReader<std::process::ChildStdout>,
    questions: Receiver<String>,
    proxy: String,
    control: String,
    token: String,
    server: SocketAddr,
    arrived: Receiver<String>,
}

impl Guarded {
    fn start(mode: &str) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("dyetrace-guard-case-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("case.yaml"), "format: 1\ntitle: guard\nruns: [{id: first}]\n").unwrap();
        let subject = format!("data:\n  - {{kind: wifi.password, value: \"{PASSWORD}\"}}\n");
        std::fs::write(folder.join("subject.yaml"), subject).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        command.arg("live").arg(&folder).args(["--listen", "127.0.0.1:0", "--also", "127.0.0.1"]);
        command.args(["--format", "jsonl", "--guard", mode]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut said = |what: &str| lines.find(|line| line.contains(what)).unwrap();
        let proxy = said("proxy (HTTP").rsplit(' ').next().unwrap().to_owned();
        let marks = said("marks:");
        let token = marks.rsplit(' ').next().unwrap().to_owned();
        let control = marks.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let (asks, questions) = channel();
        std::thread::spawn(move || {
            lines.filter(|line| line.starts_with("Question ")).for_each(|line| drop(asks.send(line)));
        });
        let events = BufReader::new(child.stdout.take().unwrap());
        let (server, arrived) = server();
        Self { child, folder, events, questions, proxy, control, token, server, arrived }
    }

    /// Sends a body through the proxy; the status and what came with it.
    fn post(&self, target: &str, body: &str) -> (String, String) {
        post(&self.proxy, self.server, target, body)
    }

    /// Tells the guard something.
    fn tell(&self, what: &Value) -> Value {
        let body = what.to_string();
        let request = format!(
            "POST /v1/guard HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.control,
            self.token,
            body.len()
        );
        let (status, answer) = talk(&self.control, &request);
        assert_eq!(status, "200", "{answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Ends the recording, and says what a command makes of the case.
    fn ended(&mut self, command: &str) -> Value {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
        let mut dyetrace = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        let output = dyetrace.arg(command).arg(&self.folder).args(["--format", "json"]).output().unwrap();
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said()))
    }

    /// The next decision of the guard that is shown.
    fn decision(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.events.read_line(&mut line).unwrap() > 0, "it ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            assert!(!line.contains(PASSWORD) && !line.contains(ENCODED), "{line}");
            if event["event"] == "guard" {
                return event;
            }
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn post(proxy: &str, server: SocketAddr, target: &str, body: &str) -> (String, String) {
    let request = format!(
        "POST http://{server}{target} HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    talk(proxy, &request)
}

fn talk(to: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

/// A server that hands on each request that it gets.
fn server() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (log, arrived) = channel();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.set_read_timeout(Some(Duration::from_millis(300)));
            let mut read = Vec::new();
            let _ = socket.read_to_end(&mut read);
            if read.is_empty() {
                continue;
            }
            let _ = log.send(String::from_utf8_lossy(&read).into_owned());
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    (address, arrived)
}

#[test]
fn an_encoded_password_is_blocked_and_then_redacted_where_it_stands() {
    let mut guarded = Guarded::start("block");
    let body = format!("{{\"config\":{{\"p\":\"{ENCODED}\"}},\"model\":\"plug\"}}");
    let (status, answer) = guarded.post("/bind", &body);
    assert_eq!(status, "451");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["data"], &answer["to"]), (&json!(["wifi.password"]), &json!("127.0.0.1")));
    let decision = guarded.decision();
    assert_eq!((&decision["decision"], &decision["left"]), (&json!("blocked"), &json!(0)), "{decision}");
    let (status, _) = guarded.post("/bind", "{\"model\":\"plug\"}");
    assert_eq!(status, "200");
    assert!(guarded.arrived.recv().unwrap().ends_with("\r\n\r\n{\"model\":\"plug\"}"), "the first never arrived");
    assert_eq!(guarded.tell(&json!({"mode": "redact"}))["mode"], "redact");
    let (status, _) = guarded.post("/bind?p=correct%20horse%2042%20Battery", &body);
    assert_eq!(status, "200");
    let arrived = guarded.arrived.recv().unwrap();
    let (head, content) = arrived.split_once("\r\n\r\n").unwrap();
    assert!(!arrived.contains(ENCODED) && !arrived.contains("horse"), "{arrived}");
    assert_eq!(content.len(), body.len());
    let content: Value = serde_json::from_str(content).unwrap();
    assert_eq!((content["config"]["p"].as_str().unwrap().len(), &content["model"]), (ENCODED.len(), &json!("plug")));
    assert!(head.starts_with("POST /bind?p=") && head.contains("HTTP/1.1"), "{head}");
    let decision = guarded.decision();
    assert_eq!(decision["decision"], "redacted");
    assert_eq!(decision["data"].as_array().unwrap().len(), 2, "{decision}");
}

#[test]
fn an_audit_says_of_what_the_guard_stopped_that_it_was_tried_and_not_that_it_was_sent() {
    let mut guarded = Guarded::start("block");
    let body = format!("{{\"p\":\"{ENCODED}\"}}");
    assert_eq!(guarded.post("/blocked", &body).0, "451");
    guarded.tell(&json!({"mode": "redact"}));
    assert_eq!(guarded.post("/redacted", &body).0, "200");
    guarded.tell(&json!({"mode": "notify"}));
    assert_eq!(guarded.post("/told", &body).0, "200");
    let audit = guarded.ended("audit");
    let sightings = audit["sightings"].as_array().unwrap();
    let said = |path: &str| {
        let of = sightings.iter().filter(|one| one["record"]["url"].as_str().unwrap().ends_with(path));
        of.map(|one| one["direction"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        (said("/blocked"), said("/redacted"), said("/told")),
        (vec!["held-back"], vec!["held-back"], vec!["sent"])
    );
    let datum = &audit["subject"][0];
    assert_eq!((&datum["held_back"], &datum["sent"]), (&json!(2), &json!(1)), "{datum}");
    let arrived: Vec<String> = guarded.arrived.try_iter().collect();
    assert_eq!(arrived.iter().filter(|request| request.contains(ENCODED)).count(), 1, "as the server says");
}

#[test]
fn what_was_held_back_contradicts_only_a_claim_that_speaks_of_attempts() {
    let mut guarded = Guarded::start("block");
    let claims = "vendor: Maker
source: { title: Statement, date: \"2026-01-01\" }
claims:
  - id: never-sent
    says: The password is never sent.
    never: { data: wifi.password, reaches: [loopback] }
    exercise: { actions: [start] }
  - id: never-tried
    says: Nobody ever tries to send the password.
    never: { data: wifi.password, reaches: [loopback], transfer: [attempted, sent, answered] }
    exercise: { actions: [start] }
";
    std::fs::create_dir_all(guarded.folder.join("claims")).unwrap();
    std::fs::write(guarded.folder.join("claims/maker.yaml"), claims).unwrap();
    assert_eq!(guarded.post("/bind", &format!("{{\"p\":\"{ENCODED}\"}}")).0, "451");
    let judged = guarded.ended("judge");
    let claim = |id: &str| {
        let claims = judged["claims"].as_array().unwrap();
        claims.iter().find(|claim| claim["statement"]["id"] == id).unwrap_or_else(|| panic!("{judged:#}"))
    };
    assert_eq!(claim("never-sent")["verdict"], "not-exercised");
    assert!(claim("never-sent").to_string().contains("\"held-back\""), "{:#}", claim("never-sent"));
    assert_eq!(claim("never-tried")["verdict"], "contradicted");
    assert_eq!(judged["practices"][0]["transfer"], "held-back");
}

#[test]
fn a_person_who_says_always_is_asked_once() {
    let mut guarded = Guarded::start("hold");
    let body = format!("{{\"p\":\"{PASSWORD}\"}}");
    let (proxy, server, sent) = (guarded.proxy.clone(), guarded.server, body.clone());
    let posting = std::thread::spawn(move || post(&proxy, server, "/bind", &sent));
    let question = guarded.questions.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(question.starts_with("Question 1: may wifi.password go to 127.0.0.1?"), "{question}");
    assert!(guarded.arrived.try_recv().is_err(), "nothing leaves while it is asked");
    guarded.tell(&json!({"question": 1, "answer": "always"}));
    assert_eq!(posting.join().unwrap().0, "200");
    let state = guarded.tell(&json!({"mode": "hold"}));
    assert_eq!(state["allowed"], json!([{"datum": "wifi.password", "host": "127.0.0.1"}]));
    assert_eq!(guarded.post("/bind", &body).0, "200");
    let decisions: Vec<Value> = (0..2).map(|_| guarded.decision()["decision"].clone()).collect();
    assert_eq!(decisions, ["allowed", "allowed"]);
}
