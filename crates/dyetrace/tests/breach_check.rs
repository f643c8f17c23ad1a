//! Am I in this leak: an index of a dump, a running service, and the command that asks it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic")]

mod common;

use common::{dyetrace, stdout};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// A folder with a dump of 300 people; it is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dyetrace-check-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let mut dump = "name,mail,mobile,password\n".to_owned();
        for number in 0..300 {
            let password = if number == 7 { "" } else { "secret" };
            writeln!(dump, "Person {number},person{number}@example.test,138{number:08},{password}").unwrap();
        }
        std::fs::write(path.join("dump.csv"), dump).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn index(&self) -> Output {
        let (dump, key, signer, output) =
            (self.path("dump.csv"), self.path("key"), self.path("signer"), self.path("index"));
        let keys = ["--key", &key, "--signer", &signer, "--output", &output];
        dyetrace(
            &[&["breach", "index", &dump, "--name", "Example shop", "--date", "2013", "--k", "10"], &keys[..]].concat(),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A service that ends with the test.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    fn start(folder: &Folder) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_dyetrace"))
            .args(["breach", "serve", &folder.path("index"), "--key", &folder.path("key"), "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.contains("http://")).unwrap();
        let url = line.split(' ').find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { process, url }
    }

    fn check(&self, asked: &str, more: &[&str]) -> Output {
        check(&self.url, asked, more)
    }
}

/// Asks a service as the command does.
fn check(url: &str, asked: &str, more: &[&str]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_dyetrace"))
        .args([&["breach", "check", url], more].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A check that ends early reads none of it.
    let _ = process.stdin.take().unwrap().write_all(asked.as_bytes());
    process.wait_with_output().unwrap()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The addresses of the first people of the dump.
fn people(count: usize) -> String {
    (0..count).fold(String::new(), |text, number| text + &format!("person{number}@example.test\n"))
}

fn signer_of(made: &str) -> &str {
    made.split("Signed by ").nth(1).unwrap().trim_end().trim_end_matches('.')
}

#[test]
fn who_is_in_the_dump_is_told_which_fields_and_who_is_not_is_told_so() {
    let folder = Folder::new("all");
    let made = stdout(&folder.index());
    assert!(made.contains("600 identifiers of 300 rows"), "{made}");
    let running = Running::start(&folder);
    let asked = "person8@example.test\n+86 138 0000 0007\nnobody@example.test\n";
    let answer = running.check(asked, &["--signer", signer_of(&made)]);
    let expected = "1: in Example shop (2013): name, mail, mobile, password\n\
                    2: in Example shop (2013): name, mail, mobile\n\
                    3: not in it; this is proved\n";
    assert_eq!(stdout(&answer), expected, "{}", String::from_utf8_lossy(&answer.stderr));
    let unsigned = stdout(&running.check("nobody@example.test\n", &[]));
    assert_eq!(unsigned, "1: not in the index this service showed\n", "whose index it is, is not known");
    let refused = running.check(asked, &["--signer", &"00".repeat(32)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("another key"));
    let wrong = running.check("person8 example\n", &[]);
    assert!(!String::from_utf8(wrong.stderr).unwrap().contains("person8"), "what was typed is repeated");
}

#[test]
fn an_index_is_served_with_its_own_key_alone_and_holds_nothing_in_clear() {
    let folder = Folder::new("key");
    assert_eq!(folder.index().status.code(), Some(0));
    let index = std::fs::read(Path::new(&folder.path("index"))).unwrap();
    for needle in ["person8", "13800000008", "secret"] {
        assert!(!index.windows(needle.len()).any(|window| window == needle.as_bytes()), "a value is in the index");
    }
    std::fs::write(folder.path("key"), format!("01{}\n", "00".repeat(31))).unwrap();
    let refused = dyetrace(&["breach", "serve", &folder.path("index"), "--key", &folder.path("key")]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("made with another key"));
}

/// A dump in which values stand where names belong: they were published under the signature.
#[test]
fn no_value_of_a_dump_is_published_as_the_name_of_a_field() {
    let folder = Folder::new("names");
    let mut dump = String::new();
    for number in 0..300 {
        let account = 20_000_000 + number;
        writeln!(dump, r#"{{"mail":"person{number}@example.test","13800000008":"a","other8@example.test":{account}}}"#)
            .unwrap();
    }
    std::fs::write(folder.path("dump.csv"), dump).unwrap();
    let made = folder.index();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(said.contains("names of fields: mail, column 2, column 3"), "{said}");
    let index = std::fs::read(folder.path("index")).unwrap();
    for needle in ["13800000008", "other8"] {
        assert!(!index.windows(needle.len()).any(|window| window == needle.as_bytes()), "a value is in the index");
        assert!(!said.contains(needle), "a value is shown");
    }
}

/// A service that answers every request with a redirect to the address.
fn redirect(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {to}/v1/manifest\r\nContent-Length: 0\r\n\r\n");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_token_does_not_go_where_a_service_leads() {
    let folder = Folder::new("redirect");
    std::fs::write(folder.path("token"), "private-token\n").unwrap();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = redirect(&format!("http://{}", elsewhere.local_addr().unwrap()));
    let refused = check(&url, "10001\n", &["--token", &folder.path("token")]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("not followed") && !said.contains("private-token"), "{said}");
    assert_eq!(elsewhere.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "the other address was asked");
}

#[test]
fn more_than_the_service_allows_in_a_minute_is_asked_for_in_parts() {
    let folder = Folder::new("many");
    let made = stdout(&folder.index());
    let running = Running::start(&folder);
    let asked = people(17);
    let answer = running.check(&asked, &["--signer", signer_of(&made)]);
    let said = stdout(&answer);
    assert_eq!(said.lines().count(), 17, "{}", String::from_utf8_lossy(&answer.stderr));
    assert!(said.lines().all(|line| line.contains(": in Example shop (2013): name, mail, mobile")), "{said}");
}

#[test]
fn more_lines_than_are_asked_for_are_refused_and_not_left_out() {
    let folder = Folder::new("lines");
    assert_eq!(folder.index().status.code(), Some(0));
    let running = Running::start(&folder);
    let asked = "10001\n".repeat(10_001);
    let refused = running.check(&asked, &[]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("more than 10000 lines"));
}

/// Stands between a client and a service and keeps what the client sends.
fn listening_in(to: &str) -> (String, Arc<Mutex<Vec<u8>>>) {
    let (listener, heard) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(Mutex::new(Vec::new())));
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (to, kept) = (to.trim_start_matches("http://").trim_end_matches('/').to_owned(), Arc::clone(&heard));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) = (client.unwrap(), TcpStream::connect(&to).unwrap());
            let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(length @ 1..) = client.read(&mut bytes) {
                    kept.lock().unwrap().extend_from_slice(&bytes[..length]);
                    server.write_all(&bytes[..length]).unwrap();
                }
            });
        }
    });
    (url, heard)
}

#[test]
fn the_length_of_a_request_says_nothing_of_its_bucket() {
    let folder = Folder::new("length");
    assert_eq!(folder.index().status.code(), Some(0));
    let running = Running::start(&folder);
    let (url, heard) = listening_in(&running.url);
    let asked = people(12);
    let answer = check(&url, &asked, &[]);
    assert_eq!(stdout(&answer).lines().count(), 12, "{}", String::from_utf8_lossy(&answer.stderr));
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    let buckets: Vec<_> = heard.split("GET /v1/buckets/").skip(1).filter_map(|rest| rest.lines().next()).collect();
    assert_eq!(buckets.len(), 12);
    assert!(buckets.iter().all(|line| line.len() == "0000042 HTTP/1.1".len()), "{buckets:?}");
}
