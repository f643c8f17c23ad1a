//! A Wi-Fi plug: waits to be told the home's Wi-Fi, joins it, and reports to its maker.
//!
//! Its set-up interface is plain HTTP on its own access point, as in most plugs of those years.
//! Its connection to the maker uses keys that never leave it.

use crate::household::Plug;
use crate::http::{HttpMessage, HttpReader};
use crate::plan::{DEVICES, Plan};
use crate::{dns, mqtt, tls};
use serde_json::{Value, json};
use std::error::Error;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

/// One plug and its surroundings.
#[derive(Debug, Clone)]
pub struct Device {
    /// Which plug.
    pub plug: Plug,
    /// Where it announces itself on the home's network.
    pub beacon: SocketAddr,
    /// Where its maker is.
    pub plan: Plan,
    /// The certificate it was made to trust.
    pub authority: String,
}

impl Device {
    /// Waits at its access point until it has been set up, then joins the home and reports.
    pub fn run(&self, listener: &TcpListener) -> Result<(), Box<dyn Error>> {
        while !self.visit(listener)? {}
        let maker = self.report()?;
        self.announce()?;
        stay(maker)
    }

    /// Serves one visitor; true when the visitor has left the home's credentials.
    fn visit(&self, listener: &TcpListener) -> Result<bool, Box<dyn Error>> {
        let (socket, _) = listener.accept()?;
        let mut reader = HttpReader::new(socket);
        let mut joined = false;
        while let Some(request) = reader.read()? {
            let answer = if request.start.starts_with("POST /provision ") {
                joined = joinable(&request.body);
                json!({"code": i32::from(!joined)})
            } else {
                json!({"id": self.plug.id, "model": self.plug.model, "mac": self.plug.mac, "made": self.plug.made})
            };
            let answer = HttpMessage::new("HTTP/1.1 200 OK").with("application/json", answer.to_string());
            answer.write(reader.stream())?;
        }
        Ok(joined)
    }

    fn announce(&self) -> Result<(), Box<dyn Error>> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.set_broadcast(true)?;
        let beacon = json!({"id": self.plug.id, "state": "joined"}).to_string();
        socket.send_to(beacon.as_bytes(), self.beacon)?;
        Ok(())
    }

    /// Reports to the maker and returns once the maker has read it.
    fn report(&self) -> Result<tls::ClientStream, Box<dyn Error>> {
        let address = dns::lookup(DEVICES, self.plan.dns)?;
        let config = tls::client(&self.authority, false)?;
        let mut maker = tls::connect(&config, DEVICES, (address, self.plan.devices.port()).into())?;
        mqtt::write(&mut maker, &mqtt::connect(self.plug.id))?;
        mqtt::read(&mut maker)?;
        let state = json!({"id": self.plug.id, "relay": "off", "uptime_s": 1}).to_string();
        mqtt::write(&mut maker, &mqtt::publish(&format!("plug/{}/state", self.plug.id), state.as_bytes()))?;
        mqtt::write(&mut maker, &mqtt::PING)?;
        mqtt::read(&mut maker)?;
        Ok(maker)
    }
}

/// Keeps the connection until the maker closes it.
fn stay(mut maker: tls::ClientStream) -> Result<(), Box<dyn Error>> {
    loop {
        std::thread::sleep(Duration::from_secs(2));
        mqtt::write(&mut maker, &mqtt::PING)?;
        if mqtt::read(&mut maker)?.is_none() {
            return Ok(());
        }
    }
}

/// The plug can join when it was told a name and a password that WPA2 allows.
fn joinable(body: &[u8]) -> bool {
    let credentials: Value = serde_json::from_slice(body).unwrap_or_default();
    let length_of = |key: &str| credentials[key].as_str().map_or(0, str::len);
    (1..=32).contains(&length_of("ssid")) && (8..=63).contains(&length_of("password"))
}
