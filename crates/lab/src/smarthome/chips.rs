//! Lamps with chips of several partners, each told the home's Wi-Fi in its partner's way.
//!
//! Their radio is a socket that looks at how long each datagram is and at nothing else: on the lab's Ethernet that is what
//! a device in reach of the home's Wi-Fi hears. They join only when name and password are the home's, are
//! switched over the home's network, and have no cloud of their own.

use super::device::{announce, joinable_with, serve_home, visit};
use super::radio::{Heard, Scheme};
use crate::provisioning::esptouch::Answer;
use crate::provisioning::{Credentials, airkiss, esptouch};
use crate::tester::Outcome;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

/// How a lamp is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// At the access point that it opens.
    SoftAp,
    /// By the lengths of datagrams.
    Radio(Scheme),
}

/// One lamp.
#[derive(Debug, Clone, Copy)]
pub struct Lamp {
    /// Its name.
    pub id: &'static str,
    /// How it is told.
    pub way: Way,
    /// Its address (locally administered).
    pub mac: [u8; 6],
    /// Where it is in the home once it has joined.
    pub home: Ipv4Addr,
}

const fn lamp(id: &'static str, way: Way, number: u8) -> Lamp {
    Lamp { id, way, mac: [0x5e, 0x41, 0x9c, 0x20, 0x77, number], home: Ipv4Addr::new(10, 24, 7, number) }
}

/// Every lamp of the story.
pub const LAMPS: [Lamp; 5] = [
    lamp("lamp-esp-touch", Way::Radio(Scheme::EspTouch), 41),
    lamp("lamp-esp-touch-v2", Way::Radio(Scheme::EspTouch2), 42),
    lamp("lamp-airkiss", Way::Radio(Scheme::AirKiss), 43),
    lamp("lamp-tuya-ez", Way::Radio(Scheme::TuyaEz), 44),
    lamp("lamp-softap", Way::SoftAp, 45),
];

/// The access point of the lamp that opens one.
pub const ACCESS_POINT: Ipv4Addr = Ipv4Addr::new(192, 168, 6, 1);
/// Silence after which an attempt is over.
const OVER: Duration = Duration::from_millis(250);

impl Lamp {
    /// The name of its way as marks have it.
    pub fn variant(&self) -> &'static str {
        match self.way {
            Way::SoftAp => "softap",
            Way::Radio(scheme) => scheme.name(),
        }
    }

    /// Waits to be told, joins, says so; then waits to be told anew, as after a press on its reset button.
    ///
    /// # Errors
    /// An address is taken.
    pub fn run(self, ssid: &str, password: &str, beacon: SocketAddr) -> Outcome<()> {
        let relay = TcpListener::bind((self.home, 80))?;
        let port = relay.local_addr()?.port();
        std::thread::spawn(move || serve_home(self.id, &relay));
        match self.way {
            Way::SoftAp => {
                let access_point = TcpListener::bind((ACCESS_POINT, 80))?;
                let about = json!({"id": self.id});
                loop {
                    if visit(&access_point, &about, |body| joinable_with(body, ssid, password))? {
                        announce(self.id, port, beacon)?;
                    }
                }
            }
            Way::Radio(scheme) => {
                let radio = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, scheme.port()))?;
                loop {
                    let (heard, phone) = listen(&radio, scheme)?;
                    if heard.ssid == ssid.as_bytes() && heard.password == password.as_bytes() {
                        announce(self.id, port, beacon)?;
                        self.answer(scheme, &heard, phone)?;
                    }
                    wait_until_over(&radio)?;
                }
            }
        }
    }

    /// Tells the phone in its scheme's own way. Tuya's devices tell the cloud, and the home by the beacon alone.
    fn answer(&self, scheme: Scheme, heard: &Heard, phone: Ipv4Addr) -> Outcome<()> {
        let socket = UdpSocket::bind((self.home, 0))?;
        socket.set_broadcast(true)?;
        let (bytes, to) = match scheme {
            Scheme::TuyaEz => return Ok(()),
            Scheme::AirKiss => {
                let random = heard.random.unwrap_or_default();
                (airkiss::answer(random, self.mac), SocketAddr::from((Ipv4Addr::BROADCAST, airkiss::PORT)))
            }
            Scheme::EspTouch | Scheme::EspTouch2 => {
                let told = Credentials::new(&heard.ssid, &heard.password, [0; 6], phone).ok_or("not of Wi-Fi")?;
                let answer = Answer { mac: self.mac, address: self.home }.to_bytes(&told);
                (answer, SocketAddr::from((phone, esptouch::ANSWER_PORT)))
            }
        };
        socket.send_to(&bytes, to)?;
        Ok(())
    }
}

/// Listens until a whole attempt was understood.
fn listen(radio: &UdpSocket, scheme: Scheme) -> Outcome<(Heard, Ipv4Addr)> {
    radio.set_read_timeout(None)?;
    let (mut ear, mut buffer) = (scheme.ear(), [0; 2048]);
    loop {
        let (length, from) = radio.recv_from(&mut buffer)?;
        if let (Some(heard), std::net::IpAddr::V4(phone)) = (ear.hear(length as u16), from.ip()) {
            return Ok((heard, phone));
        }
    }
}

fn wait_until_over(radio: &UdpSocket) -> Outcome<()> {
    radio.set_read_timeout(Some(OVER))?;
    let mut buffer = [0; 2048];
    while radio.recv_from(&mut buffer).is_ok() {}
    Ok(())
}
