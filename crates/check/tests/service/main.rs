//! The service as a whole: an index is made and signed, served over HTTP, and asked by the client.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod index;
mod over_http;
mod page;

use dyetrace_check::evaluate::Key;
use dyetrace_check::index::{Builder, Index, Person, Plan};
use dyetrace_check::service::{Front, Service, Setup, serve};
use dyetrace_check::{Identifier, Kind, Source};
use ed25519_dalek::SigningKey;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The signer of all indexes here.
fn signer() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn key() -> Key {
    Key::derive(&[4; 32], b"").unwrap()
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dyetrace-check-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn identifier(kind: Kind, text: &str) -> Identifier {
    Identifier::new(kind, text).unwrap()
}

/// Person number `number`: a mail address and a telephone number; the field `password` for every second.
fn person(number: u32) -> Person {
    let email = identifier(Kind::Email, &format!("person{number}@example.test"));
    let phone = identifier(Kind::Phone, &format!("138{number:08}"));
    Person { identifiers: vec![email, phone], source: 0, fields: if number.is_multiple_of(2) { 0b11 } else { 0b01 } }
}

fn plan() -> Plan {
    let source = Source { name: "Example shop".to_owned(), date: Some("2013".to_owned()) };
    Plan { sources: vec![source], k: 5, bits: None }
}

/// An index of people 0 to `count`.
fn build(folder: &Folder, count: u32, plan: Plan) -> Index {
    let (key, path) = (key(), folder.0.join("check.index"));
    let mut builder = Builder::new(plan, &key, &folder.0).unwrap();
    (0..count).for_each(|number| builder.add(person(number)).unwrap());
    builder.finish(vec!["e-mail".to_owned(), "password".to_owned()], &signer(), &path).unwrap();
    Index::open(&path).unwrap()
}

/// What most tests want of a service.
fn setup() -> Setup {
    Setup { names: Vec::new(), each_minute: 100_000, forwarded: false, proof: None, wasm: None }
}

/// A service that runs as long as this is kept.
struct Running {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

fn start(index: Index, setup: Setup) -> Running {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let service = Arc::new(Service::new(index, key(), setup).unwrap());
    let front = runtime.block_on(Front::bind("127.0.0.1:0".parse().unwrap(), None)).unwrap();
    let address = front.address().unwrap();
    runtime.spawn(serve(front, service));
    Running { address, _runtime: runtime }
}

/// An answer as it came.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Running {
    fn get(&self, path: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    fn post(&self, path: &str, fields: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{fields}", self.address);
        self.raw(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    }

    fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }
}
