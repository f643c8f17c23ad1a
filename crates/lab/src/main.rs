//! `dyetrace-lab cloud|device|app|subject`: the parts of the story as programs for `record.sh`.

use dyetrace_case::{Event, Mark, Time};
use dyetrace_lab::app::{App, Build, Outcome, Tester};
use dyetrace_lab::cloud::Cloud;
use dyetrace_lab::device::Device;
use dyetrace_lab::household::Plug;
use dyetrace_lab::plan::Plan;
use dyetrace_lab::{handmade, household, tls};
use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const BEACON_PORT: u16 = 6667;
const HOME_BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 24, 7, 255);
/// The quiet time of a recording in seconds, where `DYETRACE_LAB_QUIET_S` does not say another.
const QUIET_SECONDS: u64 = 60;
/// The marks are written by the clock of the recording; this is how long writing one may take.
const MARK_ERROR: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["cloud", authority] => cloud(authority),
        ["device", which, authority] => device(which, authority),
        ["app", build, which, authority, marks, internet] => app(build, which, authority, marks, internet),
        ["subject"] => std::io::stdout().write_all(household::subject_yaml().as_bytes()).map_err(Into::into),
        ["handmade", story, folder] => handmade::write(story, folder.as_ref()).map_err(Into::into),
        _ => Err("say: dyetrace-lab cloud CA-FILE | device older|newer CA-FILE | app reported|promised older|newer \
                  CA-FILE MARKS-FILE INTERNET-PROGRAM | subject (record.sh does this for you) | handmade STORY FOLDER"
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

/// The plug of that name, its access point, and its address in the home.
fn plug(which: &str) -> Result<(Plug, Ipv4Addr, Ipv4Addr), Box<dyn Error>> {
    match which {
        "older" => Ok((household::PLUG_A, Ipv4Addr::new(192, 168, 4, 1), Ipv4Addr::new(10, 24, 7, 31))),
        "newer" => Ok((household::PLUG_B, Ipv4Addr::new(192, 168, 5, 1), Ipv4Addr::new(10, 24, 7, 32))),
        _ => Err("the plugs are older and newer".into()),
    }
}

fn device(which: &str, authority: &str) -> Result<(), Box<dyn Error>> {
    let (plug, access_point, home) = plug(which)?;
    let device = Device {
        plug,
        beacon: (HOME_BROADCAST, BEACON_PORT).into(),
        plan: Plan::recorded(),
        authority: fs::read_to_string(authority)?,
        leaves_keys: std::env::var_os("SSLKEYLOGFILE").is_some(),
    };
    device.run(&TcpListener::bind((access_point, 80))?, TcpListener::bind((home, 80))?)
}

fn app(build: &str, which: &str, authority: &str, marks: &str, internet: &str) -> Result<(), Box<dyn Error>> {
    let beacons = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, BEACON_PORT))?;
    beacons.set_read_timeout(Some(Duration::from_secs(10)))?;
    let quiet = std::env::var("DYETRACE_LAB_QUIET_S").map_or(Ok(QUIET_SECONDS), |seconds| seconds.parse())?;
    let app = App {
        build: match build {
            "reported" => Build::Reported,
            "promised" => Build::Promised,
            _ => return Err("the builds are reported and promised".into()),
        },
        plan: Plan::recorded(),
        tls: tls::client(&fs::read_to_string(authority)?, true)?,
        beacons,
        pace: Duration::from_millis(300),
        quiet: Duration::from_secs(quiet),
    };
    let (plug, access_point, _) = plug(which)?;
    let mut tester = Script { marks: File::create(marks)?, internet: internet.to_owned() };
    app.play(&plug, SocketAddr::from((access_point, 80)), &mut tester)
}

/// A tester who writes a marks file and has a program for the home's connection.
struct Script {
    marks: File,
    internet: String,
}

impl Tester for Script {
    fn mark(&mut self, event: Event) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = Time::from_parts(now.as_secs() as i64, now.subsec_millis() * 1_000_000);
        let error = u64::try_from(MARK_ERROR.as_nanos()).ok();
        if let Some(at) = at {
            // A mark that is missing is seen by whoever reads the marks.
            drop(writeln!(self.marks, "{}", Mark { at, error, event }.line()));
        }
    }

    fn internet(&mut self, connected: bool) -> Outcome<()> {
        let state = if connected { "connected" } else { "cut-off" };
        let status = Command::new(&self.internet).arg(state).status()?;
        if status.success() { Ok(()) } else { Err("the Internet could not be switched".into()) }
    }
}
