//! What the two builds of the app hand to the cloud, read in the cloud's own book.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

use dyetrace_lab::app::{App, Build};
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

fn play(build: Build) -> Vec<Received> {
    let cloud = Cloud::start(Plan::loopback()).unwrap();
    let beacons = UdpSocket::bind("127.0.0.1:0").unwrap();
    beacons.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let plugs: Vec<_> = [PLUG_A, PLUG_B]
        .into_iter()
        .map(|plug| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let beacon = beacons.local_addr().unwrap();
            let device = Device { plug, beacon, plan: cloud.plan, authority: cloud.authority.clone() };
            thread::spawn(move || drop(device.run(&listener)));
            (plug, address)
        })
        .collect();
    let tls = tls::client(&cloud.authority, false).unwrap();
    let app = App { build, plan: cloud.plan, tls, beacons, pace: Duration::from_millis(20) };
    app.play(&plugs, &mut |_| ()).unwrap();
    cloud.received()
}

fn says(received: &[Received], text: &str) -> usize {
    received.iter().filter(|one| String::from_utf8_lossy(&one.body).contains(text)).count()
}

#[test]
fn the_reported_build_tells_the_cloud_the_wifi_of_both_plugs() {
    let received = play(Build::Reported);
    assert_eq!(says(&received, home::SSID), 2);
    assert_eq!(says(&received, WRAPPED_PASSWORD), 2);
}

#[test]
fn the_promised_build_sets_up_both_plugs_and_tells_the_cloud_nothing_of_the_wifi() {
    let received = play(Build::Promised);
    let provisioned = received.iter().filter(|one| one.what.starts_with("POST /v2/device/provision")).count();
    assert_eq!(provisioned, 2);
    let states = received.iter().filter(|one| one.what.starts_with("plug/")).count();
    assert_eq!(states, 2, "both plugs joined and reported");
    for secret in [home::SSID, home::PASSWORD, WRAPPED_PASSWORD, PLUG_A.mac, PLUG_B.mac] {
        assert_eq!(says(&received, secret), 0);
    }
}
