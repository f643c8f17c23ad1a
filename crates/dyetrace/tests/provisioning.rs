//! Wi-Fi credentials that apps spell in the lengths of datagrams: sent by real sockets and recorded by a real tcpdump,
//! and as a neighbour records encrypted frames.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use dyetrace_lab::provisioning::air::{Ear, radiotap};
use dyetrace_lab::provisioning::{self, Credentials, Datagram, airkiss, esptouch, esptouch2, tuya_ez};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const SSID: &str = "Linden-HTUMV6T5IT3GZ";
const PASSWORD: &str = "VoB7n-3CDB9-ggiCO";
const PHONE: Ipv4Addr = Ipv4Addr::new(10, 24, 7, 21);
/// The application key with which one of the recordings is encrypted.
const KEY: [u8; 16] = *b"made-up app key!";
/// Long enough for every scheme to have said all of it twice.
const SENDING: Duration = Duration::from_secs(13);

/// Names of the schemes with an attempt of each.
fn attempts() -> [(&'static str, Box<dyn Iterator<Item = Datagram> + Send>); 4] {
    let home = Credentials::new(SSID, PASSWORD, [2, 0x1a, 0x11, 0x50, 0x60, 0x70], PHONE).unwrap();
    let token = tuya_ez::Token { region: *b"EU", token: *b"9KvP0aZ1", secret: *b"s3Cr" };
    [
        ("esp-touch", Box::new(esptouch::datagrams(&home))),
        ("esp-touch-v2", Box::new(esptouch2::datagrams(&home, &esptouch2::Options::default()))),
        ("airkiss", Box::new(airkiss::datagrams(&home, 0x5a))),
        ("tuya-ez", Box::new(tuya_ez::datagrams(&home, &token))),
    ]
}

/// Audits a capture for the home's Wi-Fi.
fn audit(file: &Path, more: &[&str]) -> Value {
    let find = [format!("wifi.ssid={SSID}"), format!("wifi.password={PASSWORD}")];
    let mut arguments =
        vec!["audit", file.to_str().unwrap(), "--find", &find[0], "--find", &find[1], "--format", "json"];
    arguments.extend(more);
    let output = dyetrace(&arguments);
    assert!(!stdout(&output).contains(PASSWORD), "values are masked");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
}

/// Datum, protocol and part of each sighting that is no hint.
fn seen(audit: &Value) -> BTreeSet<[String; 3]> {
    let sightings = audit["sightings"].as_array().unwrap().iter().filter(|sighting| sighting["hint"] == false);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let seen =
        |sighting: &Value| [&sighting["datum"], &sighting["record"]["protocol"], &sighting["place"]["part"]].map(text);
    sightings.map(seen).collect()
}

fn expected(schemes: &[&str]) -> BTreeSet<[String; 3]> {
    let fields = [("wifi.password", "request.header:password"), ("wifi.ssid", "request.header:ssid")];
    let all = schemes.iter().flat_map(|scheme| fields.map(|(datum, part)| [datum, scheme, part].map(str::to_owned)));
    all.collect()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("provisioning-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn a_neighbour_s_recording_of_encrypted_frames_gives_the_password_away() {
    for (scheme, datagrams) in attempts() {
        let heard = Ear { lost: 50, repeated: 20, swapped: 5 }.listen(datagrams, scheme);
        let file = scratch(&format!("{scheme}.pcap"));
        std::fs::write(&file, radiotap(&heard, 47)).unwrap();
        let audit = audit(&file, &[]);
        assert_eq!(seen(&audit), expected(&[scheme]));
        let server = &audit["sightings"][0]["record"]["server"];
        assert_eq!(
            (server["name"].as_str(), server["name_from"].as_str()),
            (Some("ff:ff:ff:ff:ff:ff"), Some("hardware"))
        );
        assert_eq!(audit["sightings"][0]["record"]["channel"]["kind"], "clear", "lengths are not encrypted");
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn what_the_app_encrypts_itself_is_read_with_the_app_s_key() {
    let home = Credentials::new(SSID, PASSWORD, [2; 6], PHONE).unwrap();
    let options = esptouch2::Options { key: Some(KEY), ..esptouch2::Options::default() };
    let heard = Ear::default().listen(esptouch2::datagrams(&home, &options), "");
    let (file, keys) = (scratch("sealed.pcap"), scratch("keys.yaml"));
    std::fs::write(&file, radiotap(&heard, 47)).unwrap();
    std::fs::write(&keys, KEY_MATERIAL).unwrap();
    let without: BTreeSet<_> = seen(&audit(&file, &[])).into_iter().map(|[datum, ..]| datum).collect();
    assert_eq!(without, BTreeSet::from(["wifi.ssid".to_owned()]), "the name of the network is in clear");
    let with = seen(&audit(&file, &["--key-material", keys.to_str().unwrap()]));
    let place = ["wifi.password", "esp-touch-v2", "request.header:encrypted"].map(str::to_owned);
    assert!(with.contains(&place), "{with:?}");
    std::fs::remove_file(file).unwrap();
    std::fs::remove_file(keys).unwrap();
}

const KEY_MATERIAL: &str =
    "key_material:\n  ciphers:\n    - { name: app key, cipher: aes-cbc, key: { text: made-up app key! }, iv: zero }\n";

/// Plays the phone: one socket for each scheme, all at once, as long as a recording lasts.
#[test]
#[ignore = "started by the recording, in a network of its own"]
fn phone() {
    let until = Instant::now() + SENDING;
    let phones = attempts().map(|(_, datagrams)| {
        std::thread::spawn(move || {
            let socket = UdpSocket::bind((PHONE, 0)).unwrap();
            socket.set_broadcast(true).unwrap();
            provisioning::send(&socket, datagrams, &mut || Instant::now() < until).unwrap();
        })
    });
    for phone in phones {
        phone.join().unwrap();
    }
}

/// Records the phone with tcpdump on a network card that leads nowhere.
const RECORDING: &str = "set -e
ip link add air0 type dummy
ip address add 10.24.7.21/24 broadcast + dev air0
ip link set air0 up
ip route add default dev air0
tcpdump -i air0 -U -w \"$1\" 2>/dev/null &
recorder=$!
for _ in $(seq 250); do [ -s \"$1\" ] && break; sleep 0.02; done
\"$2\" --exact phone --ignored >/dev/null
sleep 0.5
kill -INT $recorder
wait $recorder || true
";

/// How to get a network of one's own here, or why there is none.
fn network() -> Result<&'static [&'static str], String> {
    let missing =
        ["tcpdump", "ip", "unshare"].into_iter().find(|tool| Command::new(tool).arg("--version").output().is_err());
    if let Some(tool) = missing {
        return Err(format!("{tool} is not installed"));
    }
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-current-user", "--keep-caps", "--net"]];
    let card = ["ip", "link", "add", "air0", "type", "dummy"];
    let works = |way: &&[&str]| {
        Command::new("unshare").args(*way).args(card).output().is_ok_and(|output| output.status.success())
    };
    ways.into_iter().find(works).ok_or_else(|| "network namespaces are not allowed".to_owned())
}

#[test]
fn a_recording_of_real_datagrams_gives_the_password_away() {
    let network = match network() {
        Ok(network) => network,
        Err(obstacle) => return println!("skipped: {obstacle}"),
    };
    let file = scratch("recorded.pcap");
    let mut recording = Command::new("unshare");
    recording
        .args(network)
        .args(["bash", "-c", RECORDING, "recording"])
        .arg(&file)
        .arg(std::env::current_exe().unwrap());
    let output = recording.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let audit = audit(&file, &[]);
    assert_eq!(seen(&audit), expected(&["airkiss", "esp-touch", "esp-touch-v2", "tuya-ez"]));
    let sighting = &audit["sightings"].as_array().unwrap().iter().find(|sighting| sighting["hint"] == false).unwrap();
    assert_eq!(sighting["record"]["client"]["address"], "10.24.7.21");
    assert_eq!(sighting["record"]["server"]["address"], "255.255.255.255");
    std::fs::remove_file(file).unwrap();
}
