//! A run recorded live: what is said while it happens, and what an audit of the journal says afterwards.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const PASSWORD: &str = "correct horse 42 Battery";

/// A case with one run, and its planted value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dyetrace-live-case-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("case.yaml"), "format: 1\ntitle: live\nruns: [{id: first}]\n").unwrap();
        let subject = format!("data:\n  - {{kind: wifi.password, value: \"{PASSWORD}\"}}\n");
        std::fs::write(path.join("subject.yaml"), subject).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `dyetrace live`, running.
struct Live {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    proxy: String,
    marks: String,
    token: String,
}

impl Live {
    fn start(case: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        command.arg("live").arg(case).args(["--listen", "127.0.0.1:0", "--also", "127.0.0.1", "--format", "jsonl"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut said = |what: &str| lines.find(|line| line.contains(what)).unwrap();
        let proxy = said("proxy (HTTP").rsplit(' ').next().unwrap().to_owned();
        let marks = said("marks:");
        let token = marks.rsplit(' ').next().unwrap().to_owned();
        let marks = marks.split_whitespace().find(|word| word.starts_with("http:")).unwrap().trim_end_matches(',');
        let out = BufReader::new(child.stdout.take().unwrap());
        let marks = marks.to_owned();
        // Whoever keeps the other end open reads it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, out, proxy, marks, token }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn end(mut self, signal: &str) -> Vec<Value> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap();
        rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An HTTPS server of this name that answers everything, and the certificate to trust.
fn server(name: &str) -> (SocketAddr, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(params, ca_key);
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket);
            std::thread::spawn(move || answer(stream));
        }
    });
    (address, ca)
}

/// Reads one request with a body of known length, and answers it.
fn answer(mut stream: StreamOwned<ServerConnection, std::net::TcpStream>) {
    let (mut read, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text
                .to_ascii_lowercase()
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next().unwrap().parse::<usize>().ok());
            if read.len() >= end + 4 + length.unwrap_or(0) {
                break;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(length) => read.extend_from_slice(&piece[..length]),
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    stream.conn.send_close_notify();
    let _ = stream.conn.complete_io(&mut stream.sock);
}

fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").output().is_ok();
    if !found {
        println!("skipped: there is no curl here");
    }
    found
}

/// Posts through the proxy, trusting the case's authority.
fn post(live: &Live, case: &Path, server: SocketAddr, name: &str, body: &str) -> bool {
    let url = format!("https://{name}:{}/v2/bind", server.port());
    Command::new("curl")
        .args(["-sS", "--max-time", "20", "--cacert"])
        .arg(case.join("live/ca.pem"))
        .args(["-x", &format!("http://{}", live.proxy), "--connect-to", &format!("{name}:{}:{server}", server.port())])
        .args(["-H", "Content-Type: application/json", "-d", body, &url])
        .output()
        .unwrap()
        .status
        .success()
}

fn way(line: &Value) -> (String, String, String) {
    let text = |key: &str| line[key].as_str().unwrap().to_owned();
    (text("datum"), text("record"), text("trail"))
}

#[test]
fn what_is_seen_live_is_what_an_audit_of_the_journal_finds() {
    if !has_curl() {
        return;
    }
    let folder = Folder::new("agrees");
    let case = &folder.0;
    let (server, ca) = server("api.example.test");
    let ca_file = case.join("server-ca.pem");
    std::fs::write(&ca_file, ca).unwrap();
    let mut live = Live::start(case, &["--server-ca", ca_file.to_str().unwrap()]);
    let encoded = "Y29ycmVjdCBob3JzZSA0MiBCYXR0ZXJ5";
    assert!(post(&live, case, server, "api.example.test", &format!("{{\"config\":{{\"p\":\"{encoded}\"}}}}")));
    let seen = live.next();
    assert_eq!(seen["trail"], "json /config/p > base64", "{seen}");
    assert_eq!(seen["host"], "api.example.test");
    let mark = Command::new("curl")
        .args(["-sS", "-H", &format!("Authorization: Bearer {}", live.token), "-d", "{\"consent\":\"given\"}"])
        .arg(&live.marks)
        .output()
        .unwrap();
    assert!(stdout(&mark).contains("\"consent\":\"given\""), "{}", stdout(&mark));
    assert!(post(&live, case, server, "api.example.test", "{\"nothing\":\"planted\"}"));
    assert!(live.end("-INT").is_empty());
    let marks = std::fs::read_to_string(case.join("evidence/marks/first.jsonl")).unwrap();
    assert_eq!(marks.lines().count(), 1);
    let audit = dyetrace(&["audit".as_ref(), case.as_os_str(), "--format".as_ref(), "json".as_ref()]);
    let report: Value = serde_json::from_str(&stdout(&audit)).unwrap();
    let found: BTreeSet<_> = report["sightings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sighting| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&sighting["datum"]), text(&sighting["place"]["record"]), text(&sighting["trail"]))
        })
        .collect();
    assert_eq!(found, BTreeSet::from([way(&seen)]), "{report:#}");
    assert!(!stdout(&audit).contains(PASSWORD));
}

#[test]
fn what_was_written_before_a_kill_is_there() {
    if !has_curl() {
        return;
    }
    let folder = Folder::new("killed");
    let case = &folder.0;
    let (server, ca) = server("api.example.test");
    let ca_file = case.join("server-ca.pem");
    std::fs::write(&ca_file, ca).unwrap();
    let mut live = Live::start(case, &["--server-ca", ca_file.to_str().unwrap()]);
    assert!(post(&live, case, server, "api.example.test", &format!("{{\"p\":\"{PASSWORD}\"}}")));
    live.next();
    // The journal is written within milliseconds; a kill leaves what was written.
    std::thread::sleep(std::time::Duration::from_millis(200));
    live.end("-KILL");
    let audit = dyetrace(&["audit".as_ref(), case.as_os_str(), "--format".as_ref(), "json".as_ref()]);
    let report: Value = serde_json::from_str(&stdout(&audit)).unwrap();
    assert_eq!(report["sightings"].as_array().unwrap().len(), 1, "{}", stderr(&audit));
    let again = Command::new(env!("CARGO_BIN_EXE_dyetrace")).arg("live").arg(case).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("recorded already"), "{}", stderr(&again));
}

#[test]
fn the_doctor_says_that_nothing_came_and_that_the_canary_was_read() {
    if !has_curl() {
        return;
    }
    let folder = Folder::new("doctor");
    let case = &folder.0;
    let doctor = |wait: &str, canary: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
        command.args(["live", "doctor"]).arg(case).args(["--wait", wait, "--canary", canary]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let nobody = doctor("0", "https://example.org").wait_with_output().unwrap();
    assert!(stderr(&nobody).contains("no recording"), "{}", stderr(&nobody));
    let (server, ca) = server("api.example.test");
    let ca_file = case.join("server-ca.pem");
    std::fs::write(&ca_file, ca).unwrap();
    let live = Live::start(case, &["--server-ca", ca_file.to_str().unwrap()]);
    let nothing = doctor("0", "https://example.org").wait_with_output().unwrap();
    assert_eq!(nothing.status.code(), Some(3));
    assert!(stdout(&nothing).contains("no connection has come") && stdout(&nothing).contains("iOS"));
    let url = format!("https://api.example.test:{}", server.port());
    let mut waiting = doctor("20", &url);
    let mut out = BufReader::new(waiting.stdout.take().unwrap());
    let mut asked = String::new();
    while !asked.contains("dyetrace-canary-") {
        asked.clear();
        assert!(out.read_line(&mut asked).unwrap() > 0);
    }
    let opened = Command::new("curl")
        .args(["-sS", "--cacert"])
        .arg(case.join("live/ca.pem"))
        .args(["-x", &format!("http://{}", live.proxy), "--connect-to"])
        .arg(format!("api.example.test:{}:{server}", server.port()))
        .arg(asked.trim())
        .status()
        .unwrap();
    assert!(opened.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("✓ the canary was read: http/1.1 over TLS 1.3"), "{rest}");
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
    let marks = std::fs::read_to_string(case.join("evidence/marks/first.jsonl")).unwrap();
    assert!(marks.contains("\"canary\":\"api.example.test/dyetrace-canary-"), "{marks}");
    live.end("-TERM");
    assert!(!case.join("live/running.json").exists(), "nothing is left that would lead anybody astray");
}

#[test]
fn nobody_else_can_use_the_proxy_unless_named() {
    let folder = Folder::new("open");
    let open = dyetrace(&["live".as_ref(), folder.0.as_os_str(), "--listen".as_ref(), "0.0.0.0:0".as_ref()]);
    assert_eq!(open.status.code(), Some(2));
    assert!(stderr(&open).contains("--lan") && stderr(&open).contains("--client"), "{}", stderr(&open));
    assert!(!folder.0.join("evidence/first.pcapng").exists());
}
