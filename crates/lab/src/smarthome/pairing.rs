//! Story 2: the app that sets up lamps with chips of several partners, each in its own way, in two builds.

use super::app::{Build, await_beacon, log_in, switch_on, tell_plug};
use super::chips::{ACCESS_POINT, LAMPS, Lamp, Way};
use super::household::{PASSWORD_2 as PASSWORD, SSID_2 as SSID};
use super::radio::Scheme;
use super::{APP_KEY, MODULE_KEY};
use crate::client::{Client, Connection, exchange, goodbye};
use crate::plan::{API, PARTNER};
use crate::provisioning::{self, Credentials, airkiss, esptouch, esptouch2, tuya_ez};
use crate::seal;
use crate::tester::{Outcome, Pace, Performance, Tester};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_case::ConsentChange;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// `User-Agent` of the app.
pub const AGENT: &str = "ExampleHome/6.3.0 (Android 12)";
/// What the cloud of Tuya's devices would have given the app for an attempt.
const TOKEN: tuya_ez::Token = tuya_ez::Token { region: *b"AY", token: *b"k4w9TzQe", secret: *b"d7Lm" };
/// The byte that a device of `AirKiss` answers with.
const RANDOM: u8 = 83;
const ACTION: &str = "provision-device";

/// The phone and its surroundings.
pub struct Pairing {
    /// Which build is installed.
    pub build: Build,
    /// The phone's way to the maker.
    pub client: Client,
    /// Where lamps announce themselves.
    pub beacons: UdpSocket,
    /// Where the phone is in the home.
    pub phone: Ipv4Addr,
    /// The access point's address.
    pub router: [u8; 6],
}

impl Pairing {
    /// Plays the story of the build.
    ///
    /// # Errors
    /// A server or a lamp does not do what it is there for.
    pub fn play(&self, tester: &mut dyn Tester, pace: Pace) -> Outcome<()> {
        let mut run = Performance::begin(tester, pace);
        run.planted(&["wifi.ssid", "wifi.password"]);
        let mut api = self.client.connect(API)?;
        run.action("first-start", None, |_| self.ask_for_news(&mut api).map(|()| true))?;
        match self.build {
            Build::Reported => self.play_reported(&mut api, &mut run)?,
            Build::Promised => self.play_promised(&mut api, &mut run)?,
        }
        goodbye(api.stream());
        let mut api = self.client.connect(API)?;
        run.end(|| {
            self.ask_for_news(&mut api)?;
            goodbye(api.stream());
            Ok(())
        })
    }

    /// As reported: who has logged in can set lamps up, and is asked only later. The lamp with an access point of its own was
    /// not unpacked before.
    fn play_reported(&self, api: &mut Connection, run: &mut Performance) -> Outcome<()> {
        self.log_in(api, run)?;
        for lamp in LAMPS.iter().filter(|lamp| lamp.way != Way::SoftAp) {
            self.set_up_often(lamp, run, || self.upload(api, lamp, lamp.way != Way::Radio(Scheme::TuyaEz)))?;
        }
        ask(run);
        LAMPS.iter().try_for_each(|lamp| self.set_up_often(lamp, run, || self.upload(api, lamp, true)))
    }

    /// As promised: lamps can be set up without an account and without consent. After it the maker learns which lamp there is.
    fn play_promised(&self, api: &mut Connection, run: &mut Performance) -> Outcome<()> {
        LAMPS.iter().try_for_each(|lamp| self.set_up_often(lamp, run, || Ok(())))?;
        ask(run);
        self.log_in(api, run)?;
        for lamp in &LAMPS {
            let online = json!({"device": lamp.id, "status": "online"});
            self.set_up_often(lamp, run, || self.client.post(api, API, "/v6/pairing", &online))?;
        }
        run.internet(false)?;
        for lamp in &LAMPS {
            let blocked = "provision-device-wan-blocked";
            run.action_under(blocked, Some(lamp.variant()), &["wan-blocked"], |_| Ok(self.set_up(lamp).is_ok()))?;
        }
        run.internet(true)
    }

    fn ask_for_news(&self, api: &mut Connection) -> Outcome<()> {
        exchange(api, &self.client.request("GET", "/v5/config", API.name))
    }

    fn log_in(&self, api: &mut Connection, run: &mut Performance) -> Outcome<()> {
        run.planted(&["phone", "email", "account.password"]);
        run.action("log-in", None, |_| log_in(&self.client, api).map(|()| true))
    }

    /// Sets a lamp up as often as the run is paced for; what the app tells afterwards belongs to the action.
    fn set_up_often(&self, lamp: &Lamp, run: &mut Performance, mut tell: impl FnMut() -> Outcome<()>) -> Outcome<()> {
        run.repeat(|run| {
            run.action(ACTION, Some(lamp.variant()), |_| {
                self.set_up(lamp)?;
                tell().map(|()| true)
            })
        })
    }

    /// Tells the lamp the home's Wi-Fi, waits until it has joined, and switches it on.
    fn set_up(&self, lamp: &Lamp) -> Outcome<()> {
        match lamp.way {
            Way::SoftAp => tell_plug(&self.client, SocketAddr::from((ACCESS_POINT, 80)), SSID, PASSWORD)?,
            Way::Radio(scheme) => self.broadcast(scheme)?,
        }
        switch_on(&self.client, await_beacon(&self.beacons, lamp.id)?)
    }

    /// Sends as the scheme's app does, until the device answers.
    fn broadcast(&self, scheme: Scheme) -> Outcome<()> {
        let home = Credentials::new(SSID, PASSWORD, self.router, self.phone).ok_or("not of Wi-Fi")?;
        let socket = UdpSocket::bind((self.phone, 0))?;
        socket.set_broadcast(true)?;
        match scheme {
            Scheme::EspTouch => until_answered(&socket, esptouch::datagrams(&home), esptouch::ANSWER_PORT, &|bytes| {
                esptouch::Answer::read(bytes, &home).is_some()
            }),
            Scheme::EspTouch2 => {
                let datagrams = esptouch2::datagrams(&home, &esptouch2::Options::default());
                let port = esptouch2::ANSWER_PORTS[0];
                until_answered(&socket, datagrams, port, &|bytes| esptouch::Answer::read(bytes, &home).is_some())
            }
            Scheme::AirKiss => {
                let datagrams = airkiss::datagrams(&home, RANDOM);
                // The phone hears its own broadcasts too; they consist of zeros.
                let is_answer = |bytes: &[u8]| airkiss::is_answer(bytes, RANDOM);
                until_answered(&socket, datagrams, airkiss::PORT, &is_answer)
            }
            // Only the beacon says that the device has joined.
            Scheme::TuyaEz => {
                self.beacons.set_nonblocking(true)?;
                let mut wanted = || self.beacons.peek_from(&mut [0; 512]).is_err();
                let sent = provisioning::send(&socket, tuya_ez::datagrams(&home, &TOKEN), &mut wanted);
                self.beacons.set_nonblocking(false)?;
                sent.map_err(Into::into)
            }
        }
    }

    /// As reported: what the maker is told of the home's Wi-Fi, or a partner.
    fn upload(&self, api: &mut Connection, lamp: &Lamp, uploads: bool) -> Outcome<()> {
        let variant = lamp.variant();
        self.client.post(api, API, "/v5/pairing", &json!({"variant": variant, "device": lamp.id}))?;
        let plain = json!({"ssid": SSID, "pwd": PASSWORD}).to_string();
        let sealed = |key| seal::with_key(key, plain.as_bytes()).map(|sealed| STANDARD.encode(sealed));
        let body = match lamp.way {
            _ if !uploads => return Ok(()),
            Way::Radio(Scheme::AirKiss) => return self.tell_partner(&sealed(MODULE_KEY)?),
            Way::Radio(Scheme::EspTouch2 | Scheme::TuyaEz) => json!({"variant": variant, "sealed": sealed(APP_KEY)?}),
            Way::Radio(Scheme::EspTouch) | Way::SoftAp => {
                json!({"variant": variant, "wifi": {"ssid": SSID, "password": STANDARD.encode(PASSWORD)}})
            }
        };
        self.client.post(api, API, "/v5/pairing/network", &body)
    }

    fn tell_partner(&self, sealed: &str) -> Outcome<()> {
        let mut partner = self.client.connect(PARTNER)?;
        self.client.post(&mut partner, PARTNER, "/module/pair", &json!({"m": sealed}))?;
        goodbye(partner.stream());
        Ok(())
    }
}

fn ask(run: &mut Performance) {
    run.consent(ConsentChange::Shown);
    run.consent(ConsentChange::Given);
}

fn until_answered(
    socket: &UdpSocket,
    datagrams: impl Iterator<Item = provisioning::Datagram>,
    port: u16,
    is_answer: &dyn Fn(&[u8]) -> bool,
) -> Outcome<()> {
    let answers = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
    answers.set_nonblocking(true)?;
    let mut buffer = [0; 2048];
    let mut wanted = || {
        while let Ok((length, _)) = answers.recv_from(&mut buffer) {
            if is_answer(&buffer[..length]) {
                return false;
            }
        }
        true
    };
    provisioning::send(socket, datagrams, &mut wanted).map_err(Into::into)
}
