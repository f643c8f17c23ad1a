//! What the two builds of the app hand to the cloud, read in the cloud's own book.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

use dyetrace_case::{ActionOutcome, Event};
use dyetrace_lab::client::Client;
use dyetrace_lab::cloud::Cloud;
use dyetrace_lab::messaging::owner;
use dyetrace_lab::messaging::phone::{self, Phone, Use};
use dyetrace_lab::plan::Plan;
use dyetrace_lab::server::Received;
use dyetrace_lab::smarthome::app::{self, App, Build};
use dyetrace_lab::smarthome::device::Device;
use dyetrace_lab::smarthome::household::{self as home, PLUG_A, PLUG_B, Plug};
use dyetrace_lab::tester::{Outcome, Pace, Tester};
use dyetrace_lab::tls;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
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

    fn collect(&mut self, _folder: &Path) -> Outcome<()> {
        Ok(())
    }
}

/// How often each thing is done.
const TIMES: usize = 3;
/// Log-in, the set-ups, and the one that would be cut off.
const ACTIONS: usize = TIMES + 2;
/// On loopback the maker is also told while cut off, and once more afterwards.
const TOLD: usize = TIMES + 2;
const PACE: Pace = Pace { beat: Duration::from_millis(20), times: TIMES, quiet: Duration::from_millis(20) };

fn client(cloud: &Cloud, agent: &'static str) -> Client {
    Client { plan: cloud.plan.clone(), tls: tls::client(&cloud.authority, false).unwrap(), agent, proxy: None }
}

fn play(build: Build, plug: Plug) -> Vec<Received> {
    let cloud = Cloud::start(Plan::loopback(), None).unwrap();
    let beacons = UdpSocket::bind("127.0.0.1:0").unwrap();
    beacons.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let [listener, home] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    let device = Device {
        plug,
        beacon: beacons.local_addr().unwrap(),
        plan: cloud.plan.clone(),
        authority: cloud.authority.clone(),
        leaves_keys: false,
    };
    thread::spawn(move || drop(device.run(&listener, home)));
    let app = App { build, client: client(&cloud, app::AGENT), beacons };
    let mut tester = Counter::default();
    app.play(&plug, address, &mut tester, PACE).unwrap();
    assert_eq!(tester.succeeded, ACTIONS);
    cloud.received()
}

/// What the messaging service's servers are sent in a use of the phone, and how many actions succeeded.
fn use_phone(used: Use) -> (Vec<Received>, usize) {
    let cloud = Cloud::start(Plan::loopback(), None).unwrap();
    let mut tester = Counter::default();
    Phone { used, client: client(&cloud, phone::AGENT) }.play(&mut tester, PACE).unwrap();
    (cloud.received(), tester.succeeded)
}

fn says(received: &[Received], text: &str) -> usize {
    received.iter().filter(|one| String::from_utf8_lossy(&one.body).contains(text)).count()
}

#[test]
fn the_reported_build_tells_the_cloud_the_wifi_at_every_set_up() {
    let received = play(Build::Reported, PLUG_A);
    assert_eq!(says(&received, home::SSID), TOLD);
    assert_eq!(says(&received, WRAPPED_PASSWORD), TOLD);
}

#[test]
fn what_the_reported_build_says_of_a_newer_plug_is_sealed() {
    let received = play(Build::Reported, PLUG_B);
    assert_eq!(says(&received, "\"config\""), TOLD);
    assert_eq!(says(&received, home::SSID) + says(&received, WRAPPED_PASSWORD), 0);
}

#[test]
fn the_promised_build_sets_up_the_plug_and_tells_the_cloud_nothing_of_the_wifi() {
    let received = play(Build::Promised, PLUG_B);
    let provisioned = received.iter().filter(|one| one.what.starts_with("POST /v2/device/provision")).count();
    assert_eq!(provisioned, TOLD);
    let states = received.iter().filter(|one| one.what.starts_with("plug/")).count();
    assert_eq!(states, TIMES + 1, "the plug joined and reported each time");
    for secret in [home::SSID, home::PASSWORD, WRAPPED_PASSWORD, PLUG_A.mac, PLUG_B.mac] {
        assert_eq!(says(&received, secret), 0);
    }
}

#[test]
fn before_the_update_the_phone_sends_its_numbers_in_clear_until_it_is_told_not_to() {
    let (received, succeeded) = use_phone(Use::Before);
    assert_eq!(succeeded, 1 + 2 * TIMES);
    for datum in [owner::NUMBER, owner::IMEI, owner::IMSI] {
        assert_eq!(says(&received, datum), 1 + TIMES);
    }
    assert_eq!(says(&received, owner::FRIEND), TIMES);
}

#[test]
fn after_the_update_a_refusal_is_respected() {
    let (received, succeeded) = use_phone(Use::AfterRefused);
    assert_eq!(succeeded, 1 + 2 * TIMES);
    assert!(received.iter().all(|one| one.what.starts_with("GET /now")), "only the time is asked");
}

#[test]
fn after_the_update_the_numbers_are_sealed() {
    let (received, succeeded) = use_phone(Use::AfterGiven);
    assert_eq!(succeeded, 1 + 3 * TIMES);
    assert_eq!(says(&received, owner::NUMBER) + says(&received, owner::FRIEND), 0);
    assert_eq!(received.iter().filter(|one| one.what.starts_with("POST /v2/online")).count(), TIMES);
}
