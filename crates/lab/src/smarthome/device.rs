//! A Wi-Fi plug: waits to be told the home's Wi-Fi, joins it, and reports to its maker.
//!
//! Its set-up interface is plain HTTP on its own access point, as in most plugs of those years.
//! In the home it is switched by plain HTTP. Its connection to the maker uses keys that never leave
//! it, unless its maker has opened it for a test.

use super::household::Plug;
use super::mqtt;
use crate::http::{HttpMessage, HttpReader};
use crate::plan::{DEVICES, Plan};
use crate::{dns, tls};
use serde_json::{Value, json};
use std::error::Error;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
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
    /// True for a plug that its maker has opened for a test: it leaves its TLS keys in the file that
    /// the environment variable `SSLKEYLOGFILE` names.
    pub leaves_keys: bool,
}

impl Device {
    /// Waits at its access point until it is set up, joins the home, reports to its maker and says in
    /// the home that it is there. Then it can be set up anew, as after a press on its reset button.
    pub fn run(self, access_point: &TcpListener, home: TcpListener) -> Result<(), Box<dyn Error>> {
        let port = home.local_addr()?.port();
        let device = Arc::new(self);
        let relay = Arc::clone(&device);
        thread::spawn(move || serve_home(relay.plug.id, &home));
        let set_ups = Arc::new(AtomicUsize::new(0));
        loop {
            while !visit(access_point, &device.about(), joinable)? {}
            let own = set_ups.fetch_add(1, Ordering::SeqCst) + 1;
            // A maker out of reach keeps no plug from joining the home.
            let maker = device.report().ok();
            announce(device.plug.id, port, device.beacon)?;
            let (device, set_ups) = (Arc::clone(&device), Arc::clone(&set_ups));
            thread::spawn(move || device.stay(maker, &|| set_ups.load(Ordering::SeqCst) == own));
        }
    }

    fn about(&self) -> Value {
        let Plug { id, model, mac, made, .. } = self.plug;
        json!({"id": id, "model": model, "mac": mac, "made": made})
    }

    /// Reports to the maker and returns once the maker has read it.
    fn report(&self) -> Result<tls::ClientStream, Box<dyn Error>> {
        let address = (dns::lookup(DEVICES.name, self.plan.dns)?, self.plan.socket_of(DEVICES).port());
        let config = tls::client(&self.authority, self.leaves_keys)?;
        let mut maker = tls::connect(&config, DEVICES.name, address.into())?;
        mqtt::write(&mut maker, &mqtt::connect(self.plug.id))?;
        mqtt::read(&mut maker)?;
        let state = json!({"id": self.plug.id, "relay": "off", "uptime_s": 1}).to_string();
        mqtt::write(&mut maker, &mqtt::publish(&format!("plug/{}/state", self.plug.id), state.as_bytes()))?;
        mqtt::write(&mut maker, &mqtt::PING)?;
        mqtt::read(&mut maker)?;
        Ok(maker)
    }

    /// Keeps in touch with the maker for as long as this set-up is the last one.
    fn stay(&self, mut maker: Option<tls::ClientStream>, last: &dyn Fn() -> bool) {
        for second in 1.. {
            thread::sleep(Duration::from_secs(1));
            if !last() {
                break;
            }
            maker = match maker {
                Some(stream) if second % 10 == 0 => still_there(stream),
                None if second % 3 == 0 => self.report().ok(),
                unchanged => unchanged,
            };
        }
        if let Some(mut stream) = maker {
            let _ = mqtt::write(&mut stream, &mqtt::GOODBYE);
            stream.conn.send_close_notify();
            // The maker may have gone already.
            drop(stream.conn.complete_io(&mut stream.sock));
        }
    }
}

fn still_there(mut maker: tls::ClientStream) -> Option<tls::ClientStream> {
    mqtt::write(&mut maker, &mqtt::PING).ok()?;
    mqtt::read(&mut maker).ok().flatten().map(|_| maker)
}

/// Lets whoever is in the home switch it.
pub(super) fn serve_home(id: &str, home: &TcpListener) {
    for socket in home.incoming().flatten() {
        let mut reader = HttpReader::new(socket);
        while let Ok(Some(_)) = reader.read() {
            let answer = HttpMessage::new("HTTP/1.1 200 OK");
            let answer = answer.with("application/json", json!({"id": id, "relay": "on"}).to_string());
            // A visitor who hangs up is no concern of the others.
            drop(answer.write(reader.stream()));
        }
    }
}

/// Serves one visitor of the access point; true when the visitor has left credentials that open the home's Wi-Fi.
pub(super) fn visit(
    access_point: &TcpListener,
    about: &Value,
    opens: impl Fn(&[u8]) -> bool,
) -> Result<bool, Box<dyn Error>> {
    let (socket, _) = access_point.accept()?;
    let mut reader = HttpReader::new(socket);
    let mut joined = false;
    while let Some(request) = reader.read()? {
        let answer = if request.start.starts_with("POST /provision ") {
            joined = opens(&request.body);
            json!({"code": i32::from(!joined)})
        } else {
            about.clone()
        };
        let answer = HttpMessage::new("HTTP/1.1 200 OK").with("application/json", answer.to_string());
        answer.write(reader.stream())?;
    }
    Ok(joined)
}

/// Says in the home that it is there.
pub(super) fn announce(id: &str, port: u16, to: SocketAddr) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_broadcast(true)?;
    socket.send_to(json!({"id": id, "state": "joined", "port": port}).to_string().as_bytes(), to)?;
    Ok(())
}

/// The plug can join when it was told a name and a password that WPA2 allows.
fn joinable(body: &[u8]) -> bool {
    let credentials: Value = serde_json::from_slice(body).unwrap_or_default();
    let length_of = |key: &str| credentials[key].as_str().map_or(0, str::len);
    (1..=32).contains(&length_of("ssid")) && (8..=63).contains(&length_of("password"))
}

/// The same for a home whose name and password are known.
pub(super) fn joinable_with(body: &[u8], ssid: &str, password: &str) -> bool {
    let credentials: Value = serde_json::from_slice(body).unwrap_or_default();
    credentials["ssid"] == ssid && credentials["password"] == password
}
