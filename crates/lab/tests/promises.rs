//! What the two builds of the app hand to the cloud, read in the cloud's own book.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

use dyetrace_case::{ActionOutcome, Event};
use dyetrace_lab::app::{App, Build, Outcome, SET_UPS, Tester};
use dyetrace_lab::cloud::{Cloud, Received};
use dyetrace_lab::device::Device;
use dyetrace_lab::household::{self as home, PLUG_A, PLUG_B};
use dyetrace_lab::plan::Plan;
use dyetrace_lab::tls;
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

/// `VoB7n-3CDB9-ggiCO` in base64, as the reported build wraps it.
const WRAPPED_PASSWORD: &str = "Vm9CN24tM0NEQjktZ2dpQ08=";

/// A tester who does nothing but count what succeeded. On loopback the Internet cannot be cut off.
#[derive(Default)]
struct Counter {
    succeeded: usize,
}

impl Tester for Counter {
    fn mark(&mut self, event: Event) {
        self.succeeded += usize::from(matches!(event, Event::ActionEnded { outcome: ActionOutcome::Succeeded, .. }));
    }

    fn internet(&mut self, _connected: bool) -> Outcome<()> {
        Ok(())
    }
}

/// Log-in, the set-ups, and the one that would be cut off.
const ACTIONS: usize = SET_UPS + 2;
/// On loopback the maker is also told while cut off, and once more afterwards.
const TOLD: usize = SET_UPS + 2;

fn play(build: Build) -> Vec<Received> {
    let cloud = Cloud::start(Plan::loopback()).unwrap();
    let beacons = UdpSocket::bind("127.0.0.1:0").unwrap();
    beacons.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let [listener, home] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    let device = Device {
        plug: PLUG_B,
        beacon: beacons.local_addr().unwrap(),
        plan: cloud.plan,
        authority: cloud.authority.clone(),
        leaves_keys: false,
    };
    thread::spawn(move || drop(device.run(&listener, home)));
    let tls = tls::client(&cloud.authority, false).unwrap();
    let pace = Duration::from_millis(20);
    let app = App { build, plan: cloud.plan, tls, beacons, pace, quiet: pace };
    let mut tester = Counter::default();
    app.play(&PLUG_B, address, &mut tester).unwrap();
    assert_eq!(tester.succeeded, ACTIONS);
    cloud.received()
}

fn says(received: &[Received], text: &str) -> usize {
    received.iter().filter(|one| String::from_utf8_lossy(&one.body).contains(text)).count()
}

#[test]
fn the_reported_build_tells_the_cloud_the_wifi_at_every_set_up() {
    let received = play(Build::Reported);
    assert_eq!(says(&received, home::SSID), TOLD);
    assert_eq!(says(&received, WRAPPED_PASSWORD), TOLD);
}

#[test]
fn the_promised_build_sets_up_the_plug_and_tells_the_cloud_nothing_of_the_wifi() {
    let received = play(Build::Promised);
    let provisioned = received.iter().filter(|one| one.what.starts_with("POST /v2/device/provision")).count();
    assert_eq!(provisioned, TOLD);
    let states = received.iter().filter(|one| one.what.starts_with("plug/")).count();
    assert_eq!(states, SET_UPS + 1, "the plug joined and reported each time");
    for secret in [home::SSID, home::PASSWORD, WRAPPED_PASSWORD, PLUG_A.mac, PLUG_B.mac] {
        assert_eq!(says(&received, secret), 0);
    }
}
