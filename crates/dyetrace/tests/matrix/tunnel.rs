//! A phone's tunnel by WireGuard, as a client of the system makes it: `wireguard-go` in user space, set up by `wg`.

use crate::place::{self, Place};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const DEVICE: &str = "wg0";

/// What the system keeps of a configuration for phones: the lines that `wg-quick` reads are not for `wg`.
struct Config {
    peers: String,
    addresses: Vec<String>,
}

impl Config {
    fn of(text: &str) -> Self {
        let (quick, peers): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| ["Address", "DNS", "MTU"].iter().any(|key| line.starts_with(key)));
        let addresses =
            quick.iter().filter_map(|line| line.strip_prefix("Address")?.split_once('=')).map(|pair| pair.1);
        let addresses = addresses.flat_map(|list| list.split(',')).map(|address| address.trim().to_owned()).collect();
        Self { peers: peers.join("\n"), addresses }
    }
}

/// A tunnel that is open.
pub(crate) struct Tunnel(Child);

impl Tunnel {
    /// Opens it at that place: all that the phone sends goes in.
    pub(crate) fn open(phone: &Place, config: &str) -> Self {
        let config = Config::of(config);
        let (tell, told) = channel();
        phone.run(move || async move {
            let mut command = Command::new("wireguard-go");
            command.args(["-f", DEVICE]).env("WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD", "1");
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let end = Instant::now() + Duration::from_secs(20);
            while !place::succeeds("wg", &["show", DEVICE]) {
                assert!(Instant::now() < end, "no tunnel came up: {:?}", child.try_wait());
                std::thread::sleep(Duration::from_millis(20));
                // The system may still be taking the device and the socket of the tunnel before away.
                if child.try_wait().unwrap().is_some() {
                    child = command.spawn().unwrap();
                }
            }
            tell.send(child).unwrap();
            set(&config.peers);
            for address in config.addresses {
                place::command("ip", &["address", "add", &address, "dev", DEVICE]);
            }
            place::command("ip", &["link", "set", DEVICE, "mtu", "1420", "up"]);
            place::command("ip", &["route", "replace", "default", "dev", DEVICE]);
        });
        Self(told.recv().unwrap())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn set(peers: &str) {
    let mut child = Command::new("wg").args(["setconf", DEVICE, "/dev/stdin"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(peers.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "wg setconf");
}

/// Why there can be no such client here, where there can be none.
pub(crate) fn impossible() -> Option<String> {
    if !cfg!(feature = "wireguard") {
        return Some("dyetrace was built without the feature wireguard".to_owned());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun here".to_owned());
    }
    let missing = ["wireguard-go", "wg"].into_iter().find(|program| !place::is_installed(program));
    missing.map(|program| format!("there is no {program} here"))
}
