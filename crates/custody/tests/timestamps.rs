//! Requests that `openssl ts` reads, and replies that it made.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

use dyetrace_case::ExhibitId;
use dyetrace_custody::digest::sha256;
use dyetrace_custody::timestamp::{Reply, Request, Signature};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "
[tsa]
default_tsa = own
[own]
serial = serial
crypto_device = builtin
signer_cert = cert.pem
signer_key = key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
[req]
distinguished_name = name
prompt = no
[name]
CN = Test Authority
[ext]
extendedKeyUsage = critical,timeStamping
";

/// Runs openssl; `None` where there is none.
fn openssl(folder: &Path, arguments: &[&str]) -> Option<()> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let Ok(output) = output else {
        println!("skipped: openssl is not installed");
        return None;
    };
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// An authority with a key of that kind.
fn authority(name: &str, key: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ts.conf"), CONFIG).unwrap();
    std::fs::write(folder.join("serial"), "01").unwrap();
    let make = ["req", "-x509", "-nodes", "-days", "2", "-config", "ts.conf", "-extensions", "ext"];
    let files = ["-keyout", "key.pem", "-out", "cert.pem"];
    openssl(&folder, &[&make[..], key, &files[..]].concat())?;
    Some(folder)
}

fn reply(folder: &Path, request: &Request) -> Vec<u8> {
    std::fs::write(folder.join("request.tsq"), request.to_der()).unwrap();
    let arguments =
        ["ts", "-reply", "-config", "ts.conf", "-section", "own", "-queryfile", "request.tsq", "-out", "reply.tsr"];
    openssl(folder, &arguments).unwrap();
    std::fs::read(folder.join("reply.tsr")).unwrap()
}

#[test]
fn a_reply_is_granted_fits_its_request_and_is_signed() {
    for (name, key) in
        [("rsa", &["-newkey", "rsa:2048"][..]), ("p256", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"][..])]
    {
        let Some(folder) = authority(name, key) else { return };
        let request = Request::new(sha256(b"the head of a log"), [0x80; 16]);
        let bytes = reply(&folder, &request);
        let reply = Reply::parse(&bytes).unwrap();
        assert_eq!(reply.misfits(&request), Vec::<String>::new(), "{name}");
        let token = reply.token.as_ref().unwrap();
        assert_eq!(token.policy, "1.2.3.4.1");
        assert!(token.time.year() >= 2024);
        let Signature::Good { subject, .. } = &token.signature else { panic!("{name}: {:?}", token.signature) };
        assert_eq!(subject.as_deref(), Some("Test Authority"));
        let other = Request { imprint: ExhibitId([1; 32]), nonce: vec![1] };
        assert_eq!(reply.misfits(&other).len(), 2, "another digest, another number");
    }
}

#[test]
fn a_reply_with_a_flipped_byte_is_refused_or_says_the_same() {
    let Some(folder) = authority("flipped", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]) else { return };
    let request = Request::new(sha256(b"x"), [7; 16]);
    let bytes = reply(&folder, &request);
    let good = Reply::parse(&bytes).unwrap();
    let whole = good.token.clone().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x04;
        let Ok(read) = Reply::parse(&changed) else { continue };
        let Some(token) = read.token else { continue };
        // Bytes that nothing signs (versions, hints at the algorithm) may change; what the stamp says may not.
        if let Signature::Good { certificate, .. } = &token.signature {
            let Signature::Good { certificate: before, .. } = &whole.signature else { panic!("was good before") };
            assert_eq!((token.imprint, token.time, &token.nonce), (whole.imprint, whole.time, &whole.nonce), "at {at}");
            assert_eq!(certificate, before, "at {at}");
        }
    }
}
