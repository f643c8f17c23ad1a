//! `dyetrace-lab cloud|device|app|subject`: the parts of the story as programs for `record.sh`.

use dyetrace_lab::app::{App, Build};
use dyetrace_lab::cloud::Cloud;
use dyetrace_lab::device::Device;
use dyetrace_lab::plan::Plan;
use dyetrace_lab::{household, tls};
use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const BEACON_PORT: u16 = 6667;
const HOME_BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 24, 7, 255);
const ACCESS_POINTS: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 4, 1), Ipv4Addr::new(192, 168, 5, 1)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["cloud", authority] => cloud(authority),
        ["device", which @ ("a" | "b"), authority] => device(which, authority),
        ["app", "reported", authority, milestones] => app(Build::Reported, authority, milestones),
        ["app", "promised", authority, milestones] => app(Build::Promised, authority, milestones),
        ["subject"] => std::io::stdout().write_all(household::subject_yaml().as_bytes()).map_err(Into::into),
        _ => Err("say: dyetrace-lab cloud CA-FILE | device a|b CA-FILE | app reported|promised CA-FILE \
                  MILESTONES-FILE | subject (record.sh does this for you)"
            .into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "dyetrace-lab: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn cloud(authority: &str) -> Result<(), Box<dyn Error>> {
    let cloud = Cloud::start(Plan::recorded())?;
    fs::write(authority, &cloud.authority)?;
    loop {
        std::thread::park();
    }
}

fn device(which: &str, authority: &str) -> Result<(), Box<dyn Error>> {
    let index = usize::from(which == "b");
    let device = Device {
        plug: [household::PLUG_A, household::PLUG_B][index],
        beacon: (HOME_BROADCAST, BEACON_PORT).into(),
        plan: Plan::recorded(),
        authority: fs::read_to_string(authority)?,
    };
    device.run(&TcpListener::bind((ACCESS_POINTS[index], 80))?)
}

fn app(build: Build, authority: &str, milestones: &str) -> Result<(), Box<dyn Error>> {
    let beacons = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, BEACON_PORT))?;
    beacons.set_read_timeout(Some(Duration::from_secs(10)))?;
    let app = App {
        build,
        plan: Plan::recorded(),
        tls: tls::client(&fs::read_to_string(authority)?, true)?,
        beacons,
        pace: Duration::from_millis(400),
    };
    let plugs = [household::PLUG_A, household::PLUG_B];
    let plugs: Vec<_> = plugs.into_iter().zip(ACCESS_POINTS.map(|ip| SocketAddr::from((ip, 80)))).collect();
    let mut file = File::create(milestones)?;
    app.play(&plugs, &mut |milestone| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        drop(writeln!(file, "{{\"unix_time\":{now:.3},\"milestone\":\"{milestone}\"}}"));
    })
}
