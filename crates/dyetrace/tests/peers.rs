//! Traffic of real software, recorded while the test runs: curl asks nginx over TLS, tcpdump
//! listens on loopback. What was asked and answered is known, so the records must say the same,
//! also from captures that are compressed, cut or incomplete.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::records;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Sizes of the files that the server has, in bytes; the file's name is its size.
const SIZES: [usize; 5] = [0, 100, 9000, 200, 40_000];

/// A program that is stopped at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn what_curl_asked_of_nginx_is_what_the_records_say() {
    let Some(folder) = recorded() else { return };
    let (capture, keys) = (folder.join("capture.pcap"), folder.join("keys.log"));
    let whole = exchanges(&records(&capture, Some(&keys)));
    let expected: Vec<(usize, String)> = SIZES.iter().map(|size| (*size, digest(&content(*size)))).collect();
    assert_eq!(whole.len(), 4 * SIZES.len(), "HTTP/1.1 and HTTP/2 over TLS 1.2 and 1.3");
    for round in whole.chunks(SIZES.len()) {
        assert_eq!(round, expected, "in the order asked");
    }
    for (program, arguments, name) in [
        ("gzip", "-k capture.pcap", "capture.pcap.gz"),
        ("zstd", "-q capture.pcap", "capture.pcap.zst"),
        ("editcap", "-F pcapng capture.pcap other.pcapng", "other.pcapng"),
    ] {
        if run(&folder, program, arguments) {
            assert_eq!(exchanges(&records(&folder.join(name), Some(&keys))), whole, "{name}");
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn an_answer_is_never_given_to_another_request_where_packets_are_cut() {
    let Some(folder) = recorded() else { return };
    for length in [96, 600, 1000, 3000] {
        let name = format!("cut-{length}.pcap");
        if !run(&folder, "editcap", &format!("-F pcap -s {length} capture.pcap {name}")) {
            return;
        }
        for record in records(&folder.join(name), Some(&folder.join("keys.log"))) {
            let flagged = record["flags"].as_array().is_none_or(|flags| !flags.is_empty());
            if let Some((size, body)) = exchange(&record).filter(|_| !flagged && !record["response"].is_null()) {
                assert_eq!(body, digest(&content(size)), "cut at {length}: {record}");
            }
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// A folder with `capture.pcap` and `keys.log`; `None`, said aloud, where a program is missing.
fn recorded() -> Option<PathBuf> {
    let missing = ["nginx", "curl", "tcpdump", "openssl"].into_iter().find(|program| !installed(program));
    if let Some(program) = missing {
        println!("skipped: no {program} here");
        return None;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = std::env::temp_dir().join(format!("dyetrace-peers-{}-{port}", std::process::id()));
    std::fs::create_dir_all(folder.join("files")).unwrap();
    for size in SIZES {
        std::fs::write(folder.join("files").join(size.to_string()), content(size)).unwrap();
    }
    let _server = server(&folder, port)?;
    let listening = listener(&folder, port)?;
    for version in ["--http1.1", "--http2"] {
        for tls in ["--tls-max 1.2", "--tlsv1.3"] {
            let urls = SIZES.map(|size| format!("https://127.0.0.1:{port}/{size}")).join(" ");
            assert!(run(&folder, "curl", &format!("-s -k {version} {tls} {urls}")), "curl {version} {tls}");
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    drop(listening);
    Some(folder)
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn run(folder: &Path, program: &str, arguments: &str) -> bool {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments.split_whitespace()).env("SSLKEYLOGFILE", folder.join("keys.log"));
    let ran = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if ran.is_err() {
        println!("skipped: no {program} here");
    }
    ran.is_ok_and(|status| status.success())
}

fn server(folder: &Path, port: u16) -> Option<Running> {
    let make = "req -x509 -nodes -days 2 -subj /CN=peer.example -newkey rsa:2048 -keyout key.pem -out certificate.pem";
    run(folder, "openssl", make).then_some(())?;
    let at = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|it| format!("{it}_temp_path {at}/{it};"));
    let configuration = format!(
        "daemon off; master_process off; pid {at}/pid; error_log {at}/errors; events {{}}
        http {{ access_log off; {} server {{ listen 127.0.0.1:{port} ssl http2; root {at}/files;
        ssl_certificate {at}/certificate.pem; ssl_certificate_key {at}/key.pem; ssl_protocols TLSv1.2 TLSv1.3; }} }}",
        temporary.concat()
    );
    std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-c").arg(folder.join("nginx.conf")).stderr(Stdio::null());
    let running = Running(command.spawn().unwrap());
    let up = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(30));
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    if !up {
        println!("skipped: nginx does not start here");
    }
    up.then_some(running)
}

/// tcpdump, once it listens.
fn listener(folder: &Path, port: u16) -> Option<Running> {
    let arguments = format!("-i lo -U --immediate-mode -B 16384 -w capture.pcap tcp port {port}");
    let mut command = Command::new("tcpdump");
    command.current_dir(folder).args(["-Z", "root"]).args(arguments.split_whitespace()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let said = BufReader::new(running.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = said.skip_while(|line| !line.contains("listening on"));
    let listening = said.next().is_some();
    if !listening {
        println!("skipped: tcpdump may not listen here");
    }
    std::thread::spawn(move || said.for_each(drop));
    listening.then_some(running)
}

fn exchanges(records: &[Value]) -> Vec<(usize, String)> {
    records.iter().filter_map(exchange).collect()
}

/// The size asked for, and the digest of what was answered.
fn exchange(record: &Value) -> Option<(usize, String)> {
    let url = record["request"]["url"].as_str()?;
    let body = record["response"]["body"]["decoded"]["sha256"].as_str().map_or_else(|| digest(b""), str::to_owned);
    Some((url.rsplit('/').next()?.parse().ok()?, body))
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * at / 7 + size) as u8).collect()
}

fn digest(bytes: &[u8]) -> String {
    dyetrace_case::hex(&Sha256::digest(bytes))
}
