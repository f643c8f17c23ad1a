//! `dyetrace data` as a person types it, against a server of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use rustls::pki_types::PrivatePkcs8KeyDer;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

/// A web server with a certificate that nobody knows, which answers `times` connections with a few bytes that are no
/// list. Its address, and its certificate in PEM.
fn stranger(times: usize) -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![certified.cert.der().clone()];
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key.into()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(times) {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream.unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            // A client that does not trust the certificate ends here.
            if tls.read(&mut [0; 4096]).is_ok() {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nfoo");
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    (address, certified.cert.pem())
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the command with no environment but what is given.
fn data(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
    command.arg("data").args(arguments).env_clear().envs(environment.iter().copied()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_registry_is_believed_neither_without_a_known_certificate_nor_with_another_checksum() {
    let folder = folder("data-stranger");
    let (url, pem) = stranger(2);
    let (roots, target) = (folder.join("roots.pem"), folder.join("lists"));
    std::fs::write(&roots, pem).unwrap();
    let other = folder.join("other.pem");
    std::fs::write(&other, stranger(0).1).unwrap();
    let install = |roots: &Path| {
        let environment = [("npm_config_registry", url.as_str()), ("SSL_CERT_FILE", roots.to_str().unwrap())];
        data(&["install", "third-party-web", "--to", target.to_str().unwrap()], &environment)
    };
    let unknown = install(&other);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("certificate"), "{}", stderr(&unknown));
    let known = install(&roots);
    assert_eq!(known.status.code(), Some(2));
    let expected = "/third-party-web/-/third-party-web-0.30.0.tgz: its SHA-512 is not that of third-party-web@0.30.0";
    assert!(stderr(&known).contains(expected), "{}", stderr(&known));
    assert!(!target.exists(), "nothing is written");
}

#[test]
fn an_empty_folder_is_said_to_be_empty() {
    let home = folder("data-empty");
    let environment = [("XDG_DATA_HOME", home.to_str().unwrap())];
    let verified = data(&["verify"], &environment);
    assert_eq!(verified.status.code(), Some(3));
    let listed = data(&["list"], &environment);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(listed.status.code(), Some(0));
    assert!(text.contains("public-suffix-list") && text.contains("recipients/tuya.yaml"), "{text}");
    assert!(text.contains(&home.join("dyetrace").display().to_string()), "{text}");
    let nowhere = data(&["list"], &[]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("--folder"), "{}", stderr(&nowhere));
}
