//! `dyetrace-lab`: the parts of the stories as programs for `record.sh`.

use dyetrace_lab::cast::cast;
use dyetrace_lab::client::Client;
use dyetrace_lab::cloud::Cloud;
use dyetrace_lab::finance::disk::Disk;
use dyetrace_lab::finance::{self, Edition};
use dyetrace_lab::messaging::phone::{self, Phone, Use};
use dyetrace_lab::messaging::{SERVER_KEY, owner};
use dyetrace_lab::plan::Plan;
use dyetrace_lab::smarthome::app::{self, App, Build};
use dyetrace_lab::smarthome::chips::LAMPS;
use dyetrace_lab::smarthome::device::Device;
use dyetrace_lab::smarthome::household::{self, Plug};
use dyetrace_lab::smarthome::pairing::{self, Pairing};
use dyetrace_lab::tester::{Outcome, Pace, Scribe};
use dyetrace_lab::truth::Ledger;
use dyetrace_lab::{gallery, handmade, shop, tls};
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "say: dyetrace-lab cast STORY EDITION RUN | addresses | cloud WORK | device NAME WORK | \
    phone STORY EDITION RUN WORK | subject STORY | gallery CASE | keys FILE (record.sh does this for you) | \
    handmade STORY FOLDER | shop EDITION CUSTOMERS FOLDER";
const BEACON_PORT: u16 = 6667;
const HOME_BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 24, 7, 255);
/// Where the phone of `record.sh` is in the home.
const PHONE: Ipv4Addr = Ipv4Addr::new(10, 24, 7, 21);
/// The access point of `record.sh`.
const ROUTER: [u8; 6] = [0x02, 0x00, 0x5e, 0x10, 0x00, 0x01];
/// The quiet time of a recording in seconds, where `DYETRACE_LAB_QUIET_S` does not say another.
const QUIET_SECONDS: u64 = 60;
/// How often each thing is done, where `DYETRACE_LAB_TIMES` does not say another number.
const TIMES: u64 = 3;
/// Longer than the error of the marks' clock.
const BEAT: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["cast", story, edition, run] => say(cast(story, edition, run)),
        ["cloud", work] => cloud(work.as_ref()),
        ["device", name, work] => device(name, work.as_ref()),
        ["phone", story, edition, run, work] => phone(story, edition, run, work.as_ref()),
        ["addresses"] => say(Some(Plan::recorded().addresses())),
        ["subject", "story1"] => say(Some(household::subject_yaml())),
        ["subject", "story2"] => say(Some(household::subject_yaml_2())),
        ["subject", "story4"] => say(Some(finance::owner::subject_yaml())),
        ["subject", "story5"] => say(Some(owner::subject_yaml())),
        ["gallery", case] => gallery::write(case.as_ref()),
        ["shop", edition, customers, folder] => shop(edition, customers, folder.as_ref()),
        ["keys", "server-key.pem"] => say(Some(SERVER_KEY.to_owned())),
        ["handmade", story, folder] => handmade::write(story, folder.as_ref()).map_err(Into::into),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "dyetrace-lab: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays story 3 and leaves the package, a copy and the shop's accounts in the folder.
fn shop(edition: &str, customers: &str, folder: &Path) -> Outcome<()> {
    let edition = match edition {
        "as-reported" => shop::Edition::AsReported,
        "as-promised" => shop::Edition::AsPromised,
        _ => return Err("the editions of the shop are as-reported and as-promised".into()),
    };
    fs::create_dir_all(folder)?;
    shop::play(edition, customers.parse()?, folder)
}

fn say(text: Option<String>) -> Outcome<()> {
    let text = text.ok_or("there is no such run")?;
    std::io::stdout().write_all(text.as_bytes()).map_err(Into::into)
}

/// The certificate of the authority appears in the work folder once all servers listen.
fn cloud(work: &Path) -> Outcome<()> {
    let cloud = Cloud::start(Plan::recorded(), Some(Ledger::create(&work.join("truth.jsonl"))?))?;
    fs::write(work.join("ca.pem"), &cloud.authority)?;
    loop {
        std::thread::park();
    }
}

/// The plug of that name, its access point, and its address in the home.
fn plug(which: &str) -> Outcome<(Plug, Ipv4Addr, Ipv4Addr)> {
    match which {
        "older" => Ok((household::PLUG_A, Ipv4Addr::new(192, 168, 4, 1), Ipv4Addr::new(10, 24, 7, 31))),
        "newer" => Ok((household::PLUG_B, Ipv4Addr::new(192, 168, 5, 1), Ipv4Addr::new(10, 24, 7, 32))),
        _ => Err("the plugs are older and newer".into()),
    }
}

fn device(which: &str, work: &Path) -> Outcome<()> {
    if let Some(lamp) = LAMPS.iter().find(|lamp| lamp.id == which) {
        return lamp.run(household::SSID_2, household::PASSWORD_2, (HOME_BROADCAST, BEACON_PORT).into());
    }
    let (plug, access_point, home) = plug(which)?;
    let device = Device {
        plug,
        beacon: (HOME_BROADCAST, BEACON_PORT).into(),
        plan: Plan::recorded(),
        authority: fs::read_to_string(work.join("ca.pem"))?,
        leaves_keys: std::env::var_os("SSLKEYLOGFILE").is_some(),
    };
    device.run(&TcpListener::bind((access_point, 80))?, TcpListener::bind((home, 80))?)
}

fn phone(story: &str, edition: &str, run: &str, work: &Path) -> Outcome<()> {
    cast(story, edition, run).ok_or("there is no such run")?;
    let pace = Pace {
        beat: BEAT,
        times: number("DYETRACE_LAB_TIMES", TIMES)? as usize,
        quiet: Duration::from_secs(number("DYETRACE_LAB_QUIET_S", QUIET_SECONDS)?),
    };
    let program = |name: &str| work.join(name).to_string_lossy().into_owned();
    let mut tester = Scribe {
        marks: File::create(work.join("marks.jsonl"))?,
        internet: program("internet"),
        collect: program("collect"),
        exhibit: format!("evidence/{run}-files"),
        collected: 0,
    };
    let authorities = fs::read_to_string(work.join("trusted.pem"))?;
    let tls = tls::client(&authorities, true)?;
    let proxy = std::env::var("DYETRACE_LAB_PROXY").ok().map(|address| address.parse()).transpose()?;
    let client = |agent| Client { plan: Plan::recorded(), tls, agent, proxy };
    if let Some(used) = Use::of_run(run).filter(|_| story == "story5") {
        return Phone { used, client: client(phone::AGENT) }.play(&mut tester, pace);
    }
    if let Some(edition) = Edition::named(edition).filter(|_| story == "story4") {
        let (client, disk) = (client(edition.agent()), Disk::new(&work.join("disk"))?);
        return finance::app::App { edition, client, disk }.play(&mut tester, pace);
    }
    let build = if edition == "reported" { Build::Reported } else { Build::Promised };
    if story == "story2" {
        let client = client(pairing::AGENT);
        return Pairing { build, client, beacons: beacons()?, phone: PHONE, router: ROUTER }.play(&mut tester, pace);
    }
    let (plug, access_point, _) = plug(run)?;
    let app = App { build, client: client(app::AGENT), beacons: beacons()? };
    app.play(&plug, SocketAddr::from((access_point, 80)), &mut tester, pace)
}

fn beacons() -> Outcome<UdpSocket> {
    let beacons = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, BEACON_PORT))?;
    beacons.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(beacons)
}

fn number(variable: &str, usual: u64) -> Outcome<u64> {
    std::env::var(variable).map_or(Ok(usual), |text| text.parse().map_err(Into::into))
}
