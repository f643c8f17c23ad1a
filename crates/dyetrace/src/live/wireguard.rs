//! The way in for a phone that scans a code: its tunnel's socket, and what it is shown.

use super::{LiveArguments, setup};
use crate::exit::{Fault, say};
use dyetrace_live::Relay;
use dyetrace_live::front::wireguard::{self, Code, Keys, OWN_V4};
use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// For the phone's app: they hold its private key, so only their owner may read them.
const TEXT: &str = "live/wireguard-phone.conf";
const PICTURE: &str = "live/wireguard-phone.png";

/// A tunnel that waits for its phone.
pub(super) struct Phone {
    pub(super) address: SocketAddr,
    socket: UdpSocket,
    keys: Keys,
    resolver: SocketAddr,
    code: Option<Code>,
}

impl Phone {
    /// Opens the socket and writes the phone's configuration, if there is to be a tunnel. Whoever can reach the
    /// socket may: only the phone's key gets an answer.
    pub(super) async fn open(arguments: &LiveArguments) -> Result<Option<Self>, Fault> {
        let Some(listen) = arguments.wireguard else { return Ok(None) };
        if listen.ip().is_unspecified() {
            let fault = Fault::new(format!("{listen}: the phone has to be told one address that it can reach"));
            return Err(fault.hint("type this machine's address: --wireguard 192.168.1.10:51820"));
        }
        let failed = |error: std::io::Error| Fault::new(format!("{listen}: {error}"));
        let socket = UdpSocket::bind(listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let resolver = arguments.dns.map_or_else(setup::system_resolver, Ok)?;
        let keys = Keys::in_folder(&arguments.case().join("live")).map_err(Fault::new)?;
        let config = keys.client_config(address);
        let code = Code::new(&config);
        replace(&arguments.case().join(TEXT), config.reveal())?;
        if let Some(picture) = code.as_ref().and_then(Code::png) {
            replace(&arguments.case().join(PICTURE), &picture)?;
        }
        Ok(Some(Self { address, socket, keys, resolver, code }))
    }

    /// Shows the code. It goes to a terminal only: it holds the phone's key.
    pub(super) fn greet(&self, case: &Path) {
        let case = case.display();
        say(&format!("  phone, by WireGuard:      {}, {case}/{PICTURE}, {case}/{TEXT}", self.address));
        say(&format!("  certificate, in there:    http://{OWN_V4}/ca.crt"));
        if let Some(code) = self.code.as_ref().filter(|_| std::io::stderr().is_terminal()) {
            say(&code.lines());
        }
    }

    pub(super) async fn serve(self, relay: Arc<Relay>) {
        if let Err(error) = wireguard::serve(self.socket, &self.keys, self.resolver, relay).await {
            say(&format!("dyetrace: the WireGuard tunnel has ended: {error}"));
        }
    }
}

/// Writes a file anew that only its owner may read.
fn replace(path: &Path, contents: &[u8]) -> Result<(), Fault> {
    let _ = std::fs::remove_file(path);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(contents)
    };
    write().map_err(|error| Fault::file(path, &error))
}
