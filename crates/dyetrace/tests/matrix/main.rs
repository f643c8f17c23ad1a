//! The matrix: everything that apps do ([`cells::CELLS`]), by every way to the recording ([`Front`]), with and
//! without a guard ([`Engine`]).
//!
//! Each cell checks what phone and server really got from each other, and what an audit of the journal says of it:
//! which value went which way under which protection, or that the client refused and nothing could be read.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod cells;
#[path = "../common/mod.rs"]
mod common;
mod names;
mod phone;
mod place;
mod recording;
mod servers;
mod tunnel;
mod wire;

use cells::{CELLS, Cell, Doing, Protection, Turn};
use phone::{Failed, Phone, Way};
use place::Place;
use recording::{Recording, Seen};
use serde_json::Value;
use servers::{Addresses, Arrived, Certificates};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::Command;
use std::time::Instant;
use tunnel::Tunnel;

/// How the phone's connections come to the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    HttpProxy,
    Socks,
    Redirect4,
    Redirect6,
    Tproxy4,
    Tunnel,
}

const FRONTS: [Front; 6] =
    [Front::HttpProxy, Front::Socks, Front::Redirect4, Front::Redirect6, Front::Tproxy4, Front::Tunnel];

impl Front {
    /// Whether the phone is a network namespace's.
    fn is_apart(self) -> bool {
        !matches!(self, Self::HttpProxy | Self::Socks)
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::HttpProxy | Self::Socks => &["--listen", "127.0.0.1:0", "--also", "127.0.0.1"],
            Self::Redirect4 | Self::Tproxy4 => {
                &["--lan", "phone0", "--listen", "10.9.1.1:0", "--redirected", "10.9.1.1:9001", "--client", "10.9.1.2"]
            }
            Self::Redirect6 => &[
                "--lan",
                "phone0",
                "--listen",
                "10.9.1.1:0",
                "--redirected",
                "[fd00:9:1::1]:9001",
                "--client",
                "fd00:9:1::2",
            ],
            Self::Tunnel => &["--listen", "127.0.0.1:0", "--wireguard", "10.9.1.1:51820", "--dns", "10.9.2.2"],
        }
    }

    fn servers_at(self) -> IpAddr {
        let address = match self {
            Self::HttpProxy | Self::Socks => "127.0.0.1",
            Self::Redirect4 | Self::Tproxy4 | Self::Tunnel => "10.9.2.2",
            Self::Redirect6 => "fd00:9:2::2",
        };
        address.parse().unwrap()
    }

    fn places(self) -> (Place, Place) {
        let redirects = |family| {
            format!(
                "chain in {{ type nat hook prerouting priority dstnat; iifname \"phone0\" meta nfproto {family} meta \
                 l4proto tcp redirect to :9001; }};"
            )
        };
        match self {
            Self::HttpProxy | Self::Socks => (Place::here(), Place::here()),
            Self::Redirect4 => place::behind_a_gateway(&redirects("ipv4"), false),
            Self::Redirect6 => place::behind_a_gateway(&redirects("ipv6"), false),
            Self::Tproxy4 => place::behind_a_gateway(
                "chain in { type filter hook prerouting priority mangle; iifname \"phone0\" meta nfproto ipv4 meta \
                 l4proto tcp tproxy ip to 10.9.1.1:9001 meta mark set 1; };",
                true,
            ),
            Self::Tunnel => {
                // Where `wg` and `wireguard-go` meet: all tunnels of this machine would meet there.
                place::command("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
                place::behind_a_gateway("", false)
            }
        }
    }
}

/// What looks at the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Tap,
    Notify,
    Block,
}

impl Engine {
    const ALL: [Self; 3] = [Self::Tap, Self::Notify, Self::Block];

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Tap => &[],
            Self::Notify => &["--guard", "notify"],
            Self::Block => &["--guard", "block"],
        }
    }

    /// What the phone does: every cell with its value, and once more without where values are blocked.
    fn turns(self) -> Vec<Turn> {
        let all = |plants| CELLS.iter().map(move |cell| Turn { cell, plants });
        if self == Self::Block { all(true).chain(all(false)).collect() } else { all(true).collect() }
    }

    fn stops(self, turn: Turn) -> bool {
        self == Self::Block && turn.plants && turn.cell.sends() && turn.cell.is_readable()
    }

    /// What the guard says of a message with a value.
    fn decision(self) -> Option<&'static str> {
        match self {
            Self::Tap => None,
            Self::Notify => Some("told"),
            Self::Block => Some("blocked"),
        }
    }
}

/// Phone and servers.
struct Ground {
    front: Front,
    phone: Place,
    addresses: Addresses,
    certificates: Certificates,
    arrived: Arrived,
    /// The servers' thread.
    _servers: Place,
}

impl Ground {
    fn new(front: Front) -> Self {
        let (phone, servers) = front.places();
        let (address, arrived) = (front.servers_at(), Arrived::default());
        let certificates = std::sync::Arc::new(Certificates::new(address));
        let (theirs, notes) = (std::sync::Arc::clone(&certificates), arrived.clone());
        let addresses = servers.serve(move || async move { servers::open(address, &theirs, &notes).await });
        let certificates = Certificates::clone(&certificates);
        Self { front, phone, addresses, certificates, arrived, _servers: servers }
    }

    /// All cells with that engine; what is not as it should be.
    fn play(&self, engine: Engine) -> Vec<String> {
        let arguments = [self.front.arguments(), engine.arguments()].concat();
        let name = format!("{:?}-{engine:?}", self.front);
        let recording = Recording::start(&name, &arguments, &self.certificates.authority_pem);
        let phone = self.phone_of(&recording);
        let _tunnel = (self.front == Front::Tunnel).then(|| Tunnel::open(&self.phone, &recording.tunnel()));
        let mut wrong = Vec::new();
        for turn in engine.turns() {
            let player = phone.clone();
            let got = self.phone.run(move || async move { player.play(turn).await });
            let stopped = engine.stops(turn);
            wrong.extend(passed_wrongly(turn, stopped, &got, self.arrived.take(turn).as_deref()));
        }
        let seen = recording.end();
        wrong.extend(CELLS.iter().flat_map(|cell| seen_wrongly(cell, engine, &seen)));
        let (shown, audited) = (shown_live(&seen), audited(&seen));
        if shown != audited {
            wrong.push(format!("live and audit differ: {:?}", shown.symmetric_difference(&audited)));
        }
        wrong
    }

    fn phone_of(&self, recording: &Recording) -> Phone {
        let way = match self.front {
            Front::HttpProxy => Way::HttpProxy(recording.proxy),
            Front::Socks => Way::Socks(recording.proxy),
            _ => Way::Direct,
        };
        let pinned = self.certificates.authority.clone();
        Phone { way, servers: self.addresses, installed: recording.authority(), pinned }
    }
}

/// Whether what passed is what was sent, byte for byte; or nothing, where it was to be stopped.
fn passed_wrongly(turn: Turn, stopped: bool, got: &Result<Vec<u8>, Failed>, arrived: Option<&[u8]>) -> Option<String> {
    let is_right = match (stopped, got) {
        (false, Ok(answer)) => *answer == turn.down() && arrived == Some(&turn.up()),
        (true, Err(failed)) => arrived.is_none() && is_refusal(turn.cell.doing, failed),
        _ => false,
    };
    let got = got.as_ref().map(Vec::len);
    let arrived = arrived.map(<[u8]>::len);
    (!is_right).then(|| format!("{}: the phone got {got:?}, {arrived:?} bytes arrived", turn.key()))
}

/// What a guard tells whom it stops, in the words of the protocol.
fn is_refusal(doing: Doing, failed: &Failed) -> bool {
    match doing {
        // These have no answer for it.
        Doing::Mqtt | Doing::ServerFirst | Doing::WebSocket { .. } => matches!(failed, Failed::Cut(_)),
        // A part of the body had left already.
        Doing::LongPost => true,
        _ => *failed == Failed::Told(451),
    }
}

/// Whether each value was seen going the ways that it went, as it was protected; and what could not be read.
fn seen_wrongly(cell: &Cell, engine: Engine, seen: &Seen) -> Vec<String> {
    if !cell.is_readable() {
        return refusal_missed(cell, seen).into_iter().collect();
    }
    let mut wrong = Vec::new();
    let ways = seen.sightings().filter(|sighting| sighting["datum"] == cell.kind());
    let ways: BTreeSet<(&str, &str)> = ways
        .map(|sighting| {
            (sighting["direction"].as_str().unwrap(), sighting["record"]["channel"]["kind"].as_str().unwrap())
        })
        .collect();
    let protection = if cell.protection == Protection::Tls { "tls" } else { "clear" };
    // What the guard stopped or overwrote was tried, and that is what an audit of the journal says.
    let is_held_back = engine.decision().is_some_and(|decision| matches!(decision, "blocked" | "redacted"));
    let way = if is_held_back { "held-back" } else { "sent" };
    let sent = cell.sends().then_some((way, protection));
    let expected: BTreeSet<_> = sent.into_iter().chain(cell.gets().then_some(("received", protection))).collect();
    if ways != expected {
        wrong.push(format!("{}: seen {ways:?} and not {expected:?}", cell.name));
    }
    let decided: BTreeSet<&str> = seen.decisions(&cell.kind()).collect();
    let expected: BTreeSet<&str> = engine.decision().filter(|_| cell.sends()).into_iter().collect();
    if decided != expected {
        wrong.push(format!("{}: the guard decided {decided:?} and not {expected:?}", cell.name));
    }
    wrong
}

/// Whether it was said that a client refused, and that its bytes were not read.
fn refusal_missed(cell: &Cell, seen: &Seen) -> Option<String> {
    let unread = seen.shown.iter().filter(|line| line["event"] == "unread");
    let reasons: Vec<&str> = unread.filter_map(|line| line["reason"].as_str()).collect();
    let refused = reasons.iter().filter(|reason| **reason == "the client refused our certificate").count();
    let again = "the client had refused our certificate before; relayed unread";
    let relayed = reasons.iter().filter(|reason| **reason == again).count();
    let opaque = seen.report["opaque"].as_array().unwrap();
    let unread = opaque.iter().filter(|entry| entry["server"]["name"] == servers::PINNED_NAME).count();
    let is_right = refused > 0
        && relayed > 0
        && unread == relayed
        && reasons.len() == refused + relayed
        && seen.journal_says_refused;
    (!is_right).then(|| format!("{}: {reasons:?}, {unread} connections unread", cell.name))
}

impl Seen {
    fn sightings(&self) -> impl Iterator<Item = &Value> {
        self.report["sightings"].as_array().unwrap().iter()
    }

    fn decisions(&self, datum: &str) -> impl Iterator<Item = &str> {
        let of_guard = self.shown.iter().filter(|line| line["event"] == "guard");
        let about =
            of_guard.filter(move |line| line["data"].as_array().unwrap().iter().any(|one| one["datum"] == datum));
        about.filter_map(|line| line["decision"].as_str())
    }
}

/// Which value was in which record, by which steps.
type Found<'a> = (&'a str, &'a str, &'a str);

fn shown_live(seen: &Seen) -> BTreeSet<Found<'_>> {
    let sightings = seen.shown.iter().filter(|line| line["event"] == "sighting");
    sightings.map(|line| ["datum", "record", "trail"].map(|key| line[key].as_str().unwrap()).into()).collect()
}

fn audited<'a>(seen: &'a Seen) -> BTreeSet<Found<'a>> {
    let found = |sighting: &'a Value| {
        [&sighting["datum"], &sighting["place"]["record"], &sighting["trail"]].map(|text| text.as_str().unwrap()).into()
    };
    seen.sightings().map(found).collect()
}

/// Plays all engines with a front.
fn play(front: Front) {
    let ground = Ground::new(front);
    for engine in Engine::ALL {
        let start = Instant::now();
        let wrong = ground.play(engine);
        let (cells, turns) = (CELLS.len(), engine.turns().len());
        println!("{front:?}, {engine:?}: {cells} cells, {turns} turns, {:.1} s", start.elapsed().as_secs_f32());
        assert!(wrong.is_empty(), "{front:?}, {engine:?}:\n{}", wrong.join("\n"));
    }
}

/// Where the inner program is told which front to play.
const INSIDE: &str = "DYETRACE_MATRIX_FRONT";

/// Plays a front in namespaces, which only a program of one thread can enter: this program, started again.
fn play_apart(front: Front) {
    start_apart(&format!("{front:?}"));
}

fn start_apart(what: &str) {
    if let Some(why) = place::impossible() {
        println!("skipped: {what}, every engine and cell: {why}");
        return;
    }
    let output = Command::new("unshare")
        .args(["-Urnm", "--kill-child"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "inside_namespaces", "--ignored", "--nocapture"])
        .env(INSIDE, what)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().filter(|line| line.starts_with(&format!("{what},"))).for_each(|line| println!("{line}"));
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "the other tests start it in namespaces of its own"]
fn inside_namespaces() {
    let Ok(name) = std::env::var(INSIDE) else { return };
    if name == NAMES {
        return names::play();
    }
    play(FRONTS.into_iter().find(|front| front.is_apart() && format!("{front:?}") == name).unwrap());
}

/// No front of the matrix: nothing but names comes by it.
const NAMES: &str = "names";

#[test]
fn what_a_firewall_redirects_of_udp_is_answered_without_http_3_and_keys_for_encrypted_hello_or_refused() {
    start_apart(NAMES);
}

#[test]
fn by_an_http_proxy() {
    play(Front::HttpProxy);
}

#[test]
fn by_socks() {
    play(Front::Socks);
}

#[test]
fn redirected_by_a_firewall() {
    play_apart(Front::Redirect4);
}

#[test]
fn redirected_by_a_firewall_on_ipv6() {
    play_apart(Front::Redirect6);
}

#[test]
fn handed_over_unchanged_by_a_firewall() {
    play_apart(Front::Tproxy4);
}

/// By `wireguard-go` and `wg`, a client that others wrote.
#[test]
fn by_wireguard_with_a_client_of_the_system() {
    match tunnel::impossible() {
        Some(why) => println!("skipped: Tunnel, every engine and cell: {why}"),
        None => play_apart(Front::Tunnel),
    }
}
