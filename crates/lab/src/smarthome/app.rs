//! Story 1: the app on the phone, in two builds.

use super::household::{self as home, Plug};
use super::{APP_KEY, mqtt};
use crate::client::{Client, Connection, exchange, goodbye, knock};
use crate::plan::{API, DEVICES, EVENTS};
use crate::seal;
use crate::tester::{Outcome, Pace, Performance, Tester};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_case::{ConsentChange, hex};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};

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
    /// The phone's way to the maker.
    pub client: Client,
    /// Where plugs announce themselves.
    pub beacons: UdpSocket,
}

/// `User-Agent` of the app.
pub const AGENT: &str = "ExampleHome/3.1.0 (Android 7.1)";
/// The only way of setting a plug up: at the access point that it opens.
const SOFTAP: Option<&str> = Some("softap");

impl App {
    /// Plays the story: consent, log-in, the set-up of the plug at its access point, several times and
    /// once with the Internet cut off, then quiet time.
    ///
    /// # Errors
    /// A server or the plug does not do what it is there for.
    pub fn play(&self, plug: &Plug, access_point: SocketAddr, tester: &mut dyn Tester, pace: Pace) -> Outcome<()> {
        let mut run = Performance::begin(tester, pace);
        let mut api = self.client.connect(API)?;
        self.consent(&mut api, &mut run)?;
        self.log_in(&mut api, &mut run)?;
        run.planted(&["wifi.ssid", "wifi.password"]);
        run.repeat(|run| {
            run.action("provision-device", SOFTAP, |run| {
                self.set_up(plug, access_point)?;
                self.bind(&mut api, plug, run)?;
                self.heartbeat(&mut api).map(|()| true)
            })
        })?;
        self.watch()?;
        goodbye(api.stream());
        self.set_up_cut_off(plug, access_point, &mut run)?;
        let mut api = self.client.connect(API)?;
        // What could not be sent is sent now.
        self.bind(&mut api, plug, &run)?;
        run.end(|| {
            self.heartbeat(&mut api)?;
            goodbye(api.stream());
            Ok(())
        })
    }

    fn consent(&self, api: &mut Connection, run: &mut Performance) -> Outcome<()> {
        exchange(api, &self.client.request("GET", "/v1/consent/text?lang=en", API.name))?;
        run.consent(ConsentChange::Shown);
        run.consent(ConsentChange::Given);
        self.client.post(api, API, "/v1/consent", &json!({"accepted": true, "version": "2017-06"}))
    }

    fn log_in(&self, api: &mut Connection, run: &mut Performance) -> Outcome<()> {
        run.planted(&["phone", "email", "account.password"]);
        run.action("log-in", None, |_| {
            log_in(&self.client, api)?;
            self.count("app_start").map(|()| true)
        })
    }

    /// The same set-up with the Internet cut off. It has succeeded when the plug can be switched from
    /// the phone. The app tries to reach its maker all the same.
    fn set_up_cut_off(&self, plug: &Plug, access_point: SocketAddr, run: &mut Performance) -> Outcome<()> {
        run.internet(false)?;
        run.action_under("provision-device-wan-blocked", SOFTAP, &["wan-blocked"], |run| {
            let works = self.set_up(plug, access_point).is_ok();
            if let Ok(mut api) = self.client.connect(API) {
                drop(self.bind(&mut api, plug, run));
            }
            Ok(works)
        })?;
        run.internet(true)
    }

    /// Tells the statistics service that something happened.
    fn count(&self, event: &str) -> Outcome<()> {
        let mut form = format!("ev={event}&v=3.1.0");
        if self.build == Build::Reported {
            let (phone, email) = (hex(&Sha256::digest(home::PHONE)), hex(&Md5::digest(home::EMAIL)));
            write!(form, "&uid={phone}&em={email}&aid={}", home::ANDROID_ID)?;
        }
        let mut events = self.client.connect(EVENTS)?;
        let body = self.client.request("POST", "/collect", EVENTS.name).with("application/x-www-form-urlencoded", form);
        exchange(&mut events, &body)?;
        goodbye(events.stream());
        Ok(())
    }

    /// Tells the plug the home's Wi-Fi, waits until it has joined, and switches it on.
    fn set_up(&self, plug: &Plug, access_point: SocketAddr) -> Outcome<()> {
        tell_plug(&self.client, access_point, home::SSID, home::PASSWORD)?;
        switch_on(&self.client, await_beacon(&self.beacons, plug.id)?)
    }

    /// Tells the maker that the plug is this account's.
    fn bind(&self, api: &mut Connection, plug: &Plug, run: &Performance) -> Outcome<()> {
        let binding = match self.build {
            Build::Reported => json!({
                "device": {"id": plug.id, "mac": plug.mac, "model": plug.model},
                "home": {"tz": "Asia/Shanghai", "room": "living room"},
                "config": config(plug)?,
            }),
            Build::Promised => json!({"device": {"id": plug.id}, "status": "online"}),
        };
        let body = self.client.request("POST", "/v2/device/provision", API.name);
        exchange(api, &body.with("application/json", binding.to_string()).gzip()?)?;
        run.pause();
        self.count("device_added")
    }

    fn heartbeat(&self, api: &mut Connection) -> Outcome<()> {
        let mut body = json!({"app": "3.1.0", "foreground": true});
        if self.build == Build::Reported {
            body["net"] = json!({"n": hex(&Md5::digest(home::SSID)), "h": hex(&Sha256::digest(home::SSID))});
        }
        self.client.post(api, API, "/v1/app/heartbeat", &body)
    }

    /// Asks the maker for the state of the plug.
    fn watch(&self) -> Outcome<()> {
        let mut reader = self.client.connect(DEVICES)?;
        let stream = reader.stream();
        mqtt::write(stream, &mqtt::connect("app-3.1.0"))?;
        mqtt::read(stream)?;
        mqtt::write(stream, &mqtt::subscribe("plug/+/state"))?;
        mqtt::read(stream)?;
        mqtt::read(stream)?;
        mqtt::write(stream, &mqtt::GOODBYE)?;
        goodbye(stream);
        Ok(())
    }
}

/// Text within text: the plug's own format travels inside the cloud's; that of the newer plugs under a cipher.
fn config(plug: &Plug) -> Outcome<String> {
    if plug.seals {
        let plain = json!({"s": home::SSID, "p": home::PASSWORD, "sec": "WPA2"}).to_string();
        return Ok(STANDARD.encode(seal::with_key(APP_KEY, plain.as_bytes())?));
    }
    Ok(json!({"s": home::SSID, "p": STANDARD.encode(home::PASSWORD), "sec": "WPA2"}).to_string())
}

/// Logs in to the person's account.
pub(super) fn log_in(client: &Client, api: &mut Connection) -> Outcome<()> {
    let email = home::EMAIL.replace('@', "%40");
    let digest = hex(&Md5::digest(home::ACCOUNT_PASSWORD));
    let form = format!("phone=%2B86{}&email={email}&pwd={digest}", home::PHONE);
    let login = client.request("POST", "/v1/account/login", API.name).with("application/x-www-form-urlencoded", form);
    exchange(api, &login)
}

/// Both builds: the plug has to know the home's Wi-Fi, and is told over its own access point.
pub(super) fn tell_plug(client: &Client, access_point: SocketAddr, ssid: &str, password: &str) -> Outcome<()> {
    let host = access_point.to_string();
    let mut plug = knock(access_point)?;
    exchange(&mut plug, &client.request("GET", "/info", &host))?;
    let credentials = json!({"ssid": ssid, "password": password});
    let body = client.request("POST", "/provision", &host).with("application/json", credentials.to_string());
    exchange(&mut plug, &body)
}

/// Where in the home the device is, once it says so.
pub(super) fn await_beacon(beacons: &UdpSocket, id: &str) -> Outcome<SocketAddr> {
    let mut buffer = [0; 512];
    loop {
        let (length, mut from) = beacons.recv_from(&mut buffer)?;
        let beacon: Value = serde_json::from_slice(&buffer[..length])?;
        if beacon["id"] == id {
            let port = beacon["port"].as_u64().and_then(|port| u16::try_from(port).ok());
            from.set_port(port.ok_or("the plug does not say where it can be switched")?);
            return Ok(from);
        }
    }
}

/// Switches the device on over the home's network.
pub(super) fn switch_on(client: &Client, device: SocketAddr) -> Outcome<()> {
    let on = client.request("POST", "/relay", &device.to_string()).with("application/json", r#"{"relay":"on"}"#);
    exchange(&mut knock(device)?, &on)
}
