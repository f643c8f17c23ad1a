//! How phones tell a device the home's Wi-Fi before it has joined: by the lengths of datagrams.
//!
//! The device cannot read what the home's network encrypts, but it can hear how long each frame is.
//! So an app broadcasts datagrams whose contents mean nothing and whose lengths spell the network's
//! name and password, again and again until the device has joined and answers. Everybody else in
//! reach hears the same lengths ("Passwords in the Air", WiSec 2018).
//!
//! Each scheme gives the datagrams of one attempt, as long as its real app goes on:
//!
//! ```no_run
//! # use dyetrace_lab::provisioning::{self, Credentials, esptouch};
//! let socket = std::net::UdpSocket::bind("10.24.7.21:0")?;
//! socket.set_broadcast(true)?;
//! let home = Credentials::new("Linden", "made-up-password", [2, 0, 0, 0, 0, 1], [10, 24, 7, 21].into()).unwrap();
//! provisioning::send(&socket, esptouch::datagrams(&home), &mut || true)?;
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod air;
pub mod airkiss;
pub mod esptouch;
pub mod esptouch2;
pub mod tuya_ez;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::thread;
use std::time::Duration;

/// The home's Wi-Fi as typed into an app, and where the phone is in it.
#[derive(Clone)]
pub struct Credentials {
    ssid: Vec<u8>,
    password: Vec<u8>,
    bssid: [u8; 6],
    phone: Ipv4Addr,
}

impl Credentials {
    /// Credentials of lengths that Wi-Fi allows: a name of 1 to 32 bytes, and a password of at most 64
    /// (of none, where the network is open). `bssid` is the access point's address.
    pub fn new(ssid: impl AsRef<[u8]>, password: impl AsRef<[u8]>, bssid: [u8; 6], phone: Ipv4Addr) -> Option<Self> {
        let (ssid, password) = (ssid.as_ref().to_vec(), password.as_ref().to_vec());
        let allowed = (1..=32).contains(&ssid.len()) && password.len() <= 64;
        allowed.then_some(Self { ssid, password, bssid, phone })
    }
}

/// One datagram to be sent. Only its length means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram {
    /// Where to: mostly everybody.
    pub to: SocketAddrV4,
    /// Bytes of payload.
    pub length: u16,
    /// The byte that the payload consists of.
    pub fill: u8,
    /// How long the app waits before the next one.
    pub pause: Duration,
}

/// Sends datagrams at their pace for as long as `wanted` says so.
pub fn send(
    socket: &UdpSocket,
    datagrams: impl IntoIterator<Item = Datagram>,
    wanted: &mut dyn FnMut() -> bool,
) -> io::Result<()> {
    for Datagram { to, length, fill, pause } in datagrams {
        if !wanted() {
            break;
        }
        socket.send_to(&vec![fill; usize::from(length)], to)?;
        thread::sleep(pause);
    }
    Ok(())
}

/// To everybody on the local network.
const fn everybody(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::BROADCAST, port)
}

/// CRC-8 as all four schemes use it: the polynomial x^8 + x^5 + x^4 + 1, lowest bit first, starting at 0
/// (CRC-8/MAXIM-DOW in Greg Cook's catalogue).
pub(crate) fn crc8(bytes: &[u8]) -> u8 {
    let step = |crc: u8, _| if crc & 1 == 1 { crc >> 1 ^ 0x8c } else { crc >> 1 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ byte, step))
}

/// Those that are sent before `time` is over.
fn within(time: Duration, datagrams: impl Iterator<Item = Datagram>) -> impl Iterator<Item = Datagram> {
    let mut spent = Duration::ZERO;
    datagrams.take_while(move |datagram| {
        let in_time = spent < time;
        spent += datagram.pause;
        in_time
    })
}

/// Length and CRC in four lengths, four bits in each, marked by `marks` in the higher bits.
fn nibbles(length: u8, crc: u8, marks: [u16; 4]) -> [u16; 4] {
    let nibbles = [length >> 4, length & 15, crc >> 4, crc & 15];
    std::array::from_fn(|place| marks[place] << 4 | u16::from(nibbles[place]))
}

/// A block of four bytes (or the last ones): CRC, number, bytes, told apart by the highest two of nine
/// bits. `AirKiss` and Tuya EZ have it in common; they differ in what the CRC of a short block covers.
fn block(number: u8, bytes: &[u8], covered: &[u8]) -> Vec<u16> {
    let crc = crc8(&[&[number], covered].concat());
    let head = [crc | 0x80, number | 0x80].map(u16::from);
    head.into_iter().chain(bytes.iter().map(|byte| u16::from(*byte) | 0x100)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The home that the known answers of the schemes were computed for.
    pub(super) fn credentials() -> Credentials {
        let bssid = [0xf0, 0xb4, 0x29, 0x5c, 0xea, 0x0b];
        Credentials::new("Administrators", "123qweasdzxc", bssid, [192, 168, 123, 196].into()).unwrap()
    }

    /// How long an attempt takes.
    pub(super) fn duration(datagrams: impl Iterator<Item = Datagram>) -> Duration {
        datagrams.map(|datagram| datagram.pause).sum()
    }

    #[test]
    fn the_crc_is_the_catalogue_s() {
        assert_eq!(crc8(b"123456789"), 0xa1);
    }

    #[test]
    fn what_wi_fi_does_not_allow_is_not_made() {
        let bssid = [0; 6];
        let made =
            |ssid: &[u8], password: &[u8]| Credentials::new(ssid, password, bssid, Ipv4Addr::LOCALHOST).is_some();
        assert!(made(b"x", b"") && made(&[0xe5; 32], &[b'x'; 64]));
        assert!(!made(b"", b"12345678") && !made(&[b'x'; 33], b"12345678") && !made(b"x", &[b'x'; 65]));
    }

    #[test]
    fn datagrams_are_sent_as_long_as_they_are_and_until_nobody_wants_more() {
        let (phone, device) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        device.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let std::net::SocketAddr::V4(to) = device.local_addr().unwrap() else { panic!("bound to IPv4") };
        let datagrams = [3, 0, 515].map(|length| Datagram { to, length, fill: b'1', pause: Duration::ZERO });
        let mut asked = 0;
        let mut wanted = || {
            asked += 1;
            asked < 6
        };
        send(&phone, datagrams.into_iter().cycle(), &mut wanted).unwrap();
        let mut buffer = [0; 600];
        for length in [3, 0, 515, 3, 0] {
            assert_eq!(device.recv(&mut buffer).unwrap(), length);
            assert!(buffer[..length].iter().all(|byte| *byte == b'1'));
        }
    }
}
