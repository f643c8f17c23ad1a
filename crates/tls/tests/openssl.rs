//! Real handshakes between OpenSSL's client and server, over every suite and option it offers.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test code, though outside of test functions")]

mod common;

use common::{Heard, Stream, hear};
use dyetrace_tls::{Decryptor, Side};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A server and its folder, removed at the end.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn openssl(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn installed() -> bool {
    let found = openssl(Path::new("."), "version").output().is_ok_and(|it| it.status.success());
    if !found {
        println!("skipped: no openssl here");
    }
    found
}

impl Server {
    /// Answers each line with its letters in reverse.
    fn start(name: &str, options: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-tls-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let make = "req -x509 -nodes -days 2 -subj /CN=device.example -addext subjectAltName=DNS:device.example";
        for kind in [
            "-newkey rsa:2048 -keyout rsa.key -out rsa.pem",
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ec.key -out ec.pem",
        ] {
            assert!(openssl(&folder, &format!("{make} {kind}")).output().unwrap().status.success());
        }
        let arguments =
            format!("s_server -accept 127.0.0.1:0 -cert rsa.pem -key rsa.key -dcert ec.pem -dkey ec.key {options}");
        let mut child = openssl(&folder, &arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("ACCEPT")).unwrap();
        let port = line.rsplit(':').next().unwrap().trim().parse().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port, folder }
    }

    /// Runs a client through a relay that records both directions in the order they are sent.
    fn talk(&self, options: &str, lines: &[&str]) -> (Stream, Vec<u8>) {
        let (port, relay) = record(self.port);
        let log = self.folder.join("keys.log");
        let _ = std::fs::remove_file(&log);
        let arguments = format!("s_client -connect 127.0.0.1:{port} -keylogfile keys.log {options}");
        let mut client = openssl(&self.folder, &arguments).spawn().unwrap();
        let mut input = client.stdin.take().unwrap();
        let mut output = client.stdout.take().unwrap();
        let heard = Arc::new(Mutex::new(String::new()));
        let collector = std::thread::spawn({
            let heard = Arc::clone(&heard);
            move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = output.read(&mut bytes) {
                    heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
                }
            }
        });
        for line in lines {
            let _ = writeln!(input, "{line}");
            let answer: String = line.chars().rev().collect();
            // Commands of the client have no answer to wait for.
            let patience = if line.len() > 1 { 200 } else { 20 };
            for _ in 0..patience {
                if line.len() > 1 && heard.lock().unwrap().contains(&answer) {
                    break;
                }
                if client.try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        drop(input);
        client.wait().unwrap();
        collector.join().unwrap();
        let stream = relay.join().unwrap();
        (stream, std::fs::read(log).unwrap_or_default())
    }
}

/// Listens for one connection, passes it on and records it.
fn record(to: u16) -> (u16, std::thread::JoinHandle<Stream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let Some(client) = accept(&listener) else { return Stream::new() };
        let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let stream = Arc::new(Mutex::new(Stream::new()));
        let pass = |side: Side, mut from: TcpStream, mut to: TcpStream| {
            let stream = Arc::clone(&stream);
            std::thread::spawn(move || {
                let mut bytes = [0; 1000];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    stream.lock().unwrap().push((side, bytes[..count].to_vec()));
                    if to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(std::net::Shutdown::Write);
            })
        };
        let up = pass(Side::Client, client.try_clone().unwrap(), server.try_clone().unwrap());
        let down = pass(Side::Server, server, client);
        up.join().unwrap();
        down.join().unwrap();
        Arc::try_unwrap(stream).unwrap().into_inner().unwrap()
    });
    (port, thread)
}

/// The client, unless it gave up before it connected.
fn accept(listener: &TcpListener) -> Option<TcpStream> {
    listener.set_nonblocking(true).unwrap();
    for _ in 0..500 {
        if let Ok((client, _)) = listener.accept() {
            client.set_nonblocking(false).unwrap();
            return Some(client);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    None
}

/// True where both sides' words were read, and nothing is left unread.
fn understood(heard: &Heard, lines: &[&str]) -> bool {
    let words = lines.iter().filter(|line| line.len() > 1);
    let sent = words.clone().all(|line| heard.text(Side::Client).contains(line));
    let answered = words.clone().all(|line| heard.text(Side::Server).contains(&line.chars().rev().collect::<String>()));
    sent && answered && heard.unreadable.is_empty()
}

fn decryptor(keys: &[u8]) -> Decryptor {
    let mut decryptor = Decryptor::default();
    decryptor.secrets.load(keys);
    decryptor
}

const WORDS: [&str; 2] = ["wifi-password", "hunter2-again"];

#[test]
fn every_suite_of_openssl() {
    if !installed() {
        return;
    }
    let server = Server::start(
        "suites",
        "-rev -psk 1a2b3c4d -cipher ALL:COMPLEMENTOFALL:@SECLEVEL=0 -ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
    );
    let (mut tried, mut wrong) = (0, Vec::new());
    for version in ["tls1", "tls1_1", "tls1_2", "tls1_3"] {
        let list = openssl(&server.folder, &format!("ciphers -s -{version} -psk ALL:COMPLEMENTOFALL:@SECLEVEL=0"))
            .output()
            .unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        let modern = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";
        for suite in if version == "tls1_3" { modern } else { list.trim() }
            .split(':')
            .filter(|it| version == "tls1_3" || !it.starts_with("TLS_"))
        {
            let choice = if version == "tls1_3" {
                format!("-ciphersuites {suite}")
            } else {
                format!("-cipher {suite}:@SECLEVEL=0")
            };
            // OpenSSL would offer a pre-shared key in TLS 1.3 too.
            let psk = if suite.contains("PSK") { "-psk 1a2b3c4d" } else { "" };
            let (stream, log) = server.talk(&format!("-{version} {psk} {choice}"), &WORDS[..1]);
            let heard = hear(&stream, &mut decryptor(&log));
            // No certificate or parameters for this suite: the server refused.
            if heard.version.is_none() {
                continue;
            }
            tried += 1;
            if !understood(&heard, &WORDS[..1]) {
                wrong.push(format!("{version} {suite}: {heard:?}"));
            }
        }
    }
    println!("{tried} handshakes");
    assert!(wrong.is_empty() && tried > 100, "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_option_that_changes_the_records() {
    if !installed() {
        return;
    }
    let server =
        Server::start("options", "-rev -cipher ALL:@SECLEVEL=0 -groups P-256 -max_early_data 1000 -record_padding 300");
    let lines = ["before-it", "K", "after-it", "k", "and-more"];
    for options in [
        "-tls1_3",
        "-tls1_3 -groups X25519:P-256",
        "-tls1_3 -max_send_frag 512",
        "-tls1_2 -cipher AES128-SHA256:@SECLEVEL=0",
        "-tls1_2 -no_etm -cipher AES256-SHA256:@SECLEVEL=0",
        "-tls1_1 -no_etm -cipher ALL:@SECLEVEL=0",
        "-tls1 -cipher ALL:@SECLEVEL=0",
    ] {
        let lines = if options.contains("tls1_3") { &lines[..] } else { &WORDS[..] };
        let (stream, log) = server.talk(options, lines);
        let heard = hear(&stream, &mut decryptor(&log));
        assert!(understood(&heard, lines), "{options}: {heard:?}");
        assert_eq!(
            heard.names,
            ["device.example"].iter().take(heard.names.len()).map(ToString::to_string).collect::<Vec<_>>()
        );
    }
}

#[test]
fn renegotiation_inside_the_encrypted_channel() {
    if !installed() {
        return;
    }
    let server = Server::start("renegotiation", "-rev -cipher ALL:@SECLEVEL=0 -client_renegotiation -verify 1");
    let lines = ["before-it", "R", "after-it"];
    for suite in ["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA", "CAMELLIA256-SHA", "ECDHE-RSA-CHACHA20-POLY1305"] {
        let options = format!("-tls1_2 -cert rsa.pem -key rsa.key -cipher {suite}:@SECLEVEL=0");
        let (stream, log) = server.talk(&options, &lines);
        let heard = hear(&stream, &mut decryptor(&log));
        assert!(understood(&heard, &lines), "{suite}: {heard:?}");
    }
}

#[test]
fn an_rsa_key_or_a_pre_shared_key_instead_of_a_log() {
    if !installed() {
        return;
    }
    let server = Server::start("private", "-rev -psk 1a2b3c4d -cipher ALL:@SECLEVEL=0");
    let rsa = std::fs::read(server.folder.join("rsa.key")).unwrap();
    let both = [&b"PSK * 1a2b3c4d\n"[..]].concat();
    for (version, suite) in [
        ("tls1_2", "AES128-GCM-SHA256"),
        ("tls1_2", "AES256-SHA"),
        ("tls1_1", "AES128-SHA"),
        ("tls1", "AES128-SHA"),
        ("tls1", "CAMELLIA128-SHA"),
        ("tls1_2", "PSK-AES128-GCM-SHA256"),
        ("tls1_1", "PSK-AES128-CBC-SHA"),
        ("tls1_2", "RSA-PSK-AES128-GCM-SHA256"),
    ] {
        let (stream, _) = server.talk(&format!("-{version} -psk 1a2b3c4d -cipher {suite}:@SECLEVEL=0"), &WORDS);
        let mut decryptor = decryptor(&rsa);
        decryptor.secrets.load(&both);
        let heard = hear(&stream, &mut decryptor);
        assert!(understood(&heard, &WORDS), "{version} {suite}: {heard:?}");
    }
}

#[test]
fn resumed_sessions_without_a_log_entry_of_their_own() {
    if !installed() {
        return;
    }
    for how in ["", "-no_ticket"] {
        let server = Server::start(&format!("resumption{how}"), &format!("-rev -cipher ALL:@SECLEVEL=0 {how}"));
        let options = "-tls1_2 -cipher AES128-GCM-SHA256:@SECLEVEL=0";
        let (first, _) = server.talk(&format!("{options} -sess_out session.pem"), &WORDS);
        let (second, _) = server.talk(&format!("{options} -sess_in session.pem"), &WORDS);
        let mut decryptor = decryptor(&std::fs::read(server.folder.join("rsa.key")).unwrap());
        assert!(understood(&hear(&first, &mut decryptor), &WORDS));
        let heard = hear(&second, &mut decryptor);
        assert!(understood(&heard, &WORDS), "{how} {heard:?}");
        assert!(heard.names.is_empty(), "a resumed session shows no certificate");
    }
}

#[test]
fn early_data_as_openssl_sends_it() {
    if !installed() {
        return;
    }
    let server = Server::start("early", "-early_data -max_early_data 1000");
    std::fs::write(server.folder.join("early.txt"), "early-words\n").unwrap();
    let (_, _) = server.talk("-tls1_3 -sess_out session.pem", &["K"]);
    let (second, log) = server.talk("-tls1_3 -sess_in session.pem -early_data early.txt", &["K"]);
    let heard = hear(&second, &mut decryptor(&log));
    assert_eq!(String::from_utf8_lossy(&heard.early), "early-words\n", "{heard:?}");
    assert!(heard.unreadable.is_empty());
}
