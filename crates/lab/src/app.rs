//! The app on the phone, in two builds.

use crate::household::{self as home, Plug};
use crate::http::{HttpMessage, HttpReader};
use crate::plan::{API, DEVICES, EVENTS, Plan};
use crate::{dns, mqtt, tls};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_case::{ActionOutcome, ConsentChange, Event, Phase};
use md5::{Digest as _, Md5};
use rustls::ClientConfig;
use serde_json::{Value, json};
use sha2::Sha256;
use std::error::Error;
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// What the app does with what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// It sends the home's Wi-Fi name and password to its maker.
    Reported,
    /// It tells them to the plug alone.
    Promised,
}

/// The phone and its surroundings.
pub struct App {
    /// Which build is installed.
    pub build: Build,
    /// Where the maker is.
    pub plan: Plan,
    /// TLS settings; the recorder's phone leaves its keys.
    pub tls: Arc<ClientConfig>,
    /// Where plugs announce themselves.
    pub beacons: UdpSocket,
    /// The pause before and after each mark, longer than the error of the marks' clock.
    pub pace: Duration,
    /// How long the app is left alone at the end.
    pub quiet: Duration,
}

/// What may fail in the story.
pub type Outcome<T> = Result<T, Box<dyn Error>>;
type Connection = HttpReader<tls::ClientStream>;

/// How often the plug is set up with the Internet there.
pub const SET_UPS: usize = 3;

/// The only way of setting it up: at the access point that it opens.
const SOFTAP: Option<&str> = Some("softap");

/// Whoever holds the phone.
pub trait Tester {
    /// Writes down what happens now.
    fn mark(&mut self, event: Event);

    /// Connects the home to the Internet or cuts it off.
    fn internet(&mut self, connected: bool) -> Outcome<()>;
}

impl App {
    /// Plays the story: consent, log-in, the set-up of the plug at its access point, several times and
    /// once with the Internet cut off, then quiet time.
    pub fn play(&self, plug: &Plug, access_point: SocketAddr, tester: &mut dyn Tester) -> Outcome<()> {
        self.mark(tester, Event::Phase(Phase::RecordingBegan));
        let mut api = self.connect(API, self.plan.api.port())?;
        self.consent(&mut api, tester)?;
        self.log_in(&mut api, tester)?;
        self.mark(tester, planted(&["wifi.ssid", "wifi.password"]));
        for _ in 0..SET_UPS {
            self.mark(tester, began("provision-device", SOFTAP, &[]));
            self.set_up(plug, access_point)?;
            self.bind(&mut api, plug)?;
            self.heartbeat(&mut api)?;
            self.mark(tester, ended("provision-device", true));
        }
        self.watch()?;
        goodbye(api.stream());
        self.set_up_cut_off(plug, access_point, tester)?;
        let mut api = self.connect(API, self.plan.api.port())?;
        // What could not be sent is sent now.
        self.bind(&mut api, plug)?;
        self.leave_alone(&mut api, tester)?;
        goodbye(api.stream());
        self.mark(tester, Event::Phase(Phase::RecordingEnded));
        Ok(())
    }

    fn consent(&self, api: &mut Connection, tester: &mut dyn Tester) -> Outcome<()> {
        exchange(api, &request("GET", "/v1/consent/text?lang=en", API))?;
        self.mark(tester, Event::Consent { change: ConsentChange::Shown, purpose: None });
        self.mark(tester, Event::Consent { change: ConsentChange::Given, purpose: None });
        let accepted = json!({"accepted": true, "version": "2017-06"});
        post(api, "/v1/consent", &accepted)
    }

    fn log_in(&self, api: &mut Connection, tester: &mut dyn Tester) -> Outcome<()> {
        self.mark(tester, planted(&["phone", "email", "account.password"]));
        self.mark(tester, began("log-in", None, &[]));
        let email = home::EMAIL.replace('@', "%40");
        let digest = hex(&Md5::digest(home::ACCOUNT_PASSWORD));
        let form = format!("phone=%2B86{}&email={email}&pwd={digest}", home::PHONE);
        let login = request("POST", "/v1/account/login", API).with("application/x-www-form-urlencoded", form);
        exchange(api, &login)?;
        self.count("app_start")?;
        self.mark(tester, ended("log-in", true));
        Ok(())
    }

    /// The same set-up with the Internet cut off. It has succeeded when the plug can be switched from
    /// the phone. The app tries to reach its maker all the same.
    fn set_up_cut_off(&self, plug: &Plug, access_point: SocketAddr, tester: &mut dyn Tester) -> Outcome<()> {
        const ACTION: &str = "provision-device-wan-blocked";
        tester.internet(false)?;
        self.mark(tester, began(ACTION, SOFTAP, &["wan-blocked"]));
        let works = self.set_up(plug, access_point).is_ok();
        if let Ok(mut api) = self.connect(API, self.plan.api.port()) {
            drop(self.bind(&mut api, plug));
        }
        self.mark(tester, ended(ACTION, works));
        tester.internet(true)
    }

    fn leave_alone(&self, api: &mut Connection, tester: &mut dyn Tester) -> Outcome<()> {
        self.mark(tester, Event::Phase(Phase::QuietBegan));
        std::thread::sleep(self.quiet / 2);
        self.heartbeat(api)?;
        std::thread::sleep(self.quiet / 2);
        self.mark(tester, Event::Phase(Phase::QuietEnded));
        Ok(())
    }

    /// Nothing happens within the clock error of a mark.
    fn mark(&self, tester: &mut dyn Tester, event: Event) {
        self.pause(1);
        tester.mark(event);
        self.pause(1);
    }

    /// Tells the statistics service that something happened.
    fn count(&self, event: &str) -> Outcome<()> {
        let mut form = format!("ev={event}&v=3.1.0");
        if self.build == Build::Reported {
            let phone = hex(&Sha256::digest(home::PHONE));
            let email = hex(&Md5::digest(home::EMAIL));
            write!(form, "&uid={phone}&em={email}&aid={}", home::ANDROID_ID)?;
        }
        let mut events = self.connect(EVENTS, self.plan.events.port())?;
        exchange(&mut events, &request("POST", "/collect", EVENTS).with("application/x-www-form-urlencoded", form))?;
        goodbye(events.stream());
        Ok(())
    }

    /// Tells the plug the home's Wi-Fi, waits until it has joined, and switches it on.
    fn set_up(&self, plug: &Plug, access_point: SocketAddr) -> Outcome<()> {
        tell_plug(access_point)?;
        let home = self.await_beacon(plug)?;
        let mut relay = HttpReader::new(TcpStream::connect_timeout(&home, Duration::from_secs(5))?);
        let on = request("POST", "/relay", &home.to_string()).with("application/json", r#"{"relay":"on"}"#);
        exchange(&mut relay, &on)
    }

    /// Tells the maker that the plug is this account's.
    fn bind(&self, api: &mut Connection, plug: &Plug) -> Outcome<()> {
        let binding = match self.build {
            Build::Reported => json!({
                "device": {"id": plug.id, "mac": plug.mac, "model": plug.model},
                "home": {"tz": "Asia/Shanghai", "room": "living room"},
                // Text within text: the plug's own format travels inside the cloud's.
                "config": json!({"s": home::SSID, "p": STANDARD.encode(home::PASSWORD), "sec": "WPA2"}).to_string(),
            }),
            Build::Promised => json!({"device": {"id": plug.id}, "status": "online"}),
        };
        let body = request("POST", "/v2/device/provision", API).with("application/json", binding.to_string());
        exchange(api, &body.gzip()?)?;
        self.pause(1);
        self.count("device_added")
    }

    fn heartbeat(&self, api: &mut Connection) -> Outcome<()> {
        let mut body = json!({"app": "3.1.0", "foreground": true});
        if self.build == Build::Reported {
            body["net"] = json!({"n": hex(&Md5::digest(home::SSID)), "h": hex(&Sha256::digest(home::SSID))});
        }
        post(api, "/v1/app/heartbeat", &body)
    }

    /// Asks the maker for the state of the plug.
    fn watch(&self) -> Outcome<()> {
        let address = (dns::lookup(DEVICES, self.plan.dns)?, self.plan.devices.port());
        let mut stream = tls::connect(&self.tls, DEVICES, address.into())?;
        mqtt::write(&mut stream, &mqtt::connect("app-3.1.0"))?;
        mqtt::read(&mut stream)?;
        mqtt::write(&mut stream, &mqtt::subscribe("plug/+/state"))?;
        mqtt::read(&mut stream)?;
        mqtt::read(&mut stream)?;
        mqtt::write(&mut stream, &mqtt::GOODBYE)?;
        goodbye(&mut stream);
        Ok(())
    }

    /// Where in the home the plug is.
    fn await_beacon(&self, plug: &Plug) -> Outcome<SocketAddr> {
        let mut buffer = [0; 512];
        loop {
            let (length, mut from) = self.beacons.recv_from(&mut buffer)?;
            let beacon: Value = serde_json::from_slice(&buffer[..length])?;
            if beacon["id"] == plug.id {
                let port = beacon["port"].as_u64().and_then(|port| u16::try_from(port).ok());
                from.set_port(port.ok_or("the plug does not say where it can be switched")?);
                return Ok(from);
            }
        }
    }

    fn connect(&self, name: &'static str, port: u16) -> Outcome<Connection> {
        let address = dns::lookup(name, self.plan.dns)?;
        Ok(HttpReader::new(tls::connect(&self.tls, name, (address, port).into())?))
    }

    fn pause(&self, beats: u32) {
        std::thread::sleep(self.pace * beats);
    }
}

fn planted(data: &[&str]) -> Event {
    Event::Planted { data: data.iter().map(|&name| name.to_owned()).collect() }
}

fn began(action: &str, variant: Option<&str>, conditions: &[&str]) -> Event {
    let conditions = conditions.iter().map(|&condition| condition.to_owned()).collect();
    Event::ActionBegan { action: action.to_owned(), variant: variant.map(str::to_owned), conditions }
}

fn ended(action: &str, succeeded: bool) -> Event {
    let outcome = if succeeded { ActionOutcome::Succeeded } else { ActionOutcome::Failed };
    Event::ActionEnded { action: action.to_owned(), outcome }
}

/// Both builds: the plug has to know the home's Wi-Fi, and is told over its own access point.
fn tell_plug(access_point: SocketAddr) -> Outcome<()> {
    let host = access_point.to_string();
    let mut plug = HttpReader::new(TcpStream::connect_timeout(&access_point, Duration::from_secs(5))?);
    exchange(&mut plug, &request("GET", "/info", &host))?;
    let credentials = json!({"ssid": home::SSID, "password": home::PASSWORD});
    let body = request("POST", "/provision", &host).with("application/json", credentials.to_string());
    exchange(&mut plug, &body)
}

fn post(api: &mut Connection, path: &str, body: &Value) -> Outcome<()> {
    exchange(api, &request("POST", path, API).with("application/json", body.to_string()))
}

fn request(method: &str, path: &str, host: &str) -> HttpMessage {
    HttpMessage::new(&format!("{method} {path} HTTP/1.1"))
        .header("Host", host)
        .header("User-Agent", "ExampleHome/3.1.0 (Android 7.1)")
        .header("Accept", "application/json")
}

fn exchange<S: std::io::Read + std::io::Write>(peer: &mut HttpReader<S>, request: &HttpMessage) -> Outcome<()> {
    request.write(peer.stream())?;
    let answer = peer.read()?.ok_or("the peer closed without an answer")?;
    if answer.start.starts_with("HTTP/1.1 2") { Ok(()) } else { Err("the peer refused".into()) }
}

fn goodbye(stream: &mut tls::ClientStream) {
    stream.conn.send_close_notify();
    // The peer may have gone already.
    drop(stream.conn.complete_io(&mut stream.sock));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
