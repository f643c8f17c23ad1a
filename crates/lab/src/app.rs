//! The app on the phone, in two builds.

use crate::household::{self as home, Plug};
use crate::http::{HttpMessage, HttpReader};
use crate::plan::{API, DEVICES, EVENTS, Plan};
use crate::{dns, mqtt, tls};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    /// The pause between one action and the next.
    pub pace: Duration,
}

type Outcome<T> = Result<T, Box<dyn Error>>;
type Connection = HttpReader<tls::ClientStream>;

impl App {
    /// Plays the story: consent, log-in, the set-up of each plug at its access point, quiet time.
    /// `mark` is told of each milestone as it happens.
    pub fn play(&self, plugs: &[(Plug, SocketAddr)], mark: &mut dyn FnMut(&str)) -> Outcome<()> {
        let mut api = self.connect(API, self.plan.api.port())?;
        self.consent(&mut api, mark)?;
        self.log_in(&mut api)?;
        mark("logged in");
        self.count("app_start")?;
        for (plug, access_point) in plugs {
            mark(&format!("set-up started: {}, made {}", plug.id, plug.made));
            self.set_up(&mut api, plug, *access_point)?;
            self.heartbeat(&mut api)?;
            mark(&format!("set-up finished: {}", plug.id));
        }
        self.watch(plugs.len())?;
        self.pause(1);
        mark("quiet time started");
        self.pause(5);
        self.heartbeat(&mut api)?;
        self.pause(5);
        mark("quiet time ended");
        Ok(())
    }

    fn consent(&self, api: &mut Connection, mark: &mut dyn FnMut(&str)) -> Outcome<()> {
        exchange(api, &request("GET", "/v1/consent/text?lang=en", API))?;
        mark("consent shown");
        self.pause(2);
        mark("consent given");
        let accepted = json!({"accepted": true, "version": "2017-06"});
        post(api, "/v1/consent", &accepted)
    }

    fn log_in(&self, api: &mut Connection) -> Outcome<()> {
        let email = home::EMAIL.replace('@', "%40");
        let digest = hex(&Md5::digest(home::ACCOUNT_PASSWORD));
        let form = format!("phone=%2B86{}&email={email}&pwd={digest}", home::PHONE);
        let login = request("POST", "/v1/account/login", API).with("application/x-www-form-urlencoded", form);
        exchange(api, &login)?;
        self.pause(1);
        Ok(())
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

    fn set_up(&self, api: &mut Connection, plug: &Plug, access_point: SocketAddr) -> Outcome<()> {
        tell_plug(access_point)?;
        self.await_beacon(plug)?;
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

    /// Asks the maker for the state of the plugs, until each has reported.
    fn watch(&self, plugs: usize) -> Outcome<()> {
        let address = (dns::lookup(DEVICES, self.plan.dns)?, self.plan.devices.port());
        let mut stream = tls::connect(&self.tls, DEVICES, address.into())?;
        mqtt::write(&mut stream, &mqtt::connect("app-3.1.0"))?;
        mqtt::read(&mut stream)?;
        mqtt::write(&mut stream, &mqtt::subscribe("plug/+/state"))?;
        mqtt::read(&mut stream)?;
        for _ in 0..plugs {
            mqtt::read(&mut stream)?;
        }
        mqtt::write(&mut stream, &mqtt::GOODBYE)?;
        goodbye(&mut stream);
        Ok(())
    }

    fn await_beacon(&self, plug: &Plug) -> Outcome<()> {
        let mut buffer = [0; 512];
        loop {
            let length = self.beacons.recv(&mut buffer)?;
            let beacon: Value = serde_json::from_slice(&buffer[..length])?;
            if beacon["id"] == plug.id {
                return Ok(());
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
