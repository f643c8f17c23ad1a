//! The file by which other commands find a running recording, and how they ask it.

use crate::exit::Fault;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In the case folder. Only its owner may read it: it holds the token.
const FILE: &str = "live/running.json";
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const ANSWER: u64 = 4 << 20;

/// A recording that runs, or ran until it was killed.
#[derive(Debug)]
pub(crate) struct Running {
    /// The run that is recorded.
    pub(super) run: String,
    pub(crate) proxy: SocketAddr,
    control: SocketAddr,
    pub(super) ways: Ways,
    token: String,
}

/// Ways in beside the proxy.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Where redirected connections are taken.
    pub(super) redirected: Vec<SocketAddr>,
    /// Where names are answered.
    pub(super) names: Option<SocketAddr>,
    /// Where phones reach the tunnel.
    pub(super) tunnel: Option<SocketAddr>,
}

/// Removes the file when the recording ends.
pub(super) struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes the file.
pub(super) fn announce(
    case: &Path,
    run: &str,
    proxy: SocketAddr,
    control: SocketAddr,
    ways: &Ways,
    token: &str,
) -> Result<Announced, Fault> {
    let path = case.join(FILE);
    let redirected: Vec<String> = ways.redirected.iter().map(SocketAddr::to_string).collect();
    let text_of = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    let text = json!({"run": run, "pid": std::process::id(), "proxy": proxy.to_string(), "control": control.to_string(),
        "redirected": redirected, "names": text_of(ways.names), "tunnel": text_of(ways.tunnel), "token": token});
    // What a killed recording left behind is of no use to anybody.
    let _ = std::fs::remove_file(&path);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.to_string().as_bytes())
    };
    write().map_err(|error| Fault::file(&path, &error))?;
    Ok(Announced(path))
}

impl Running {
    /// Finds the recording of a case.
    pub(crate) fn read(case: &Path) -> Result<Self, Fault> {
        let path = case.join(FILE);
        let none = || {
            let fault = Fault::new(format!("no recording of {} is running", case.display()));
            fault.hint(format!("in another terminal: dyetrace live {}", case.display()))
        };
        let text = std::fs::read_to_string(&path).map_err(|_| none())?;
        let value: Value = serde_json::from_str(&text).map_err(|_| none())?;
        let address = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let redirected = value["redirected"].as_array().into_iter().flatten().filter_map(address).collect();
        let token = value["token"].as_str().unwrap_or_default().to_owned();
        let (proxy, control) = address(&value["proxy"]).zip(address(&value["control"])).ok_or_else(none)?;
        let run = value["run"].as_str().unwrap_or_default().to_owned();
        let ways = Ways { redirected, names: address(&value["names"]), tunnel: address(&value["tunnel"]) };
        let running = Self { run, proxy, control, ways, token };
        TcpStream::connect_timeout(&running.control, PATIENCE).map_err(|_| none())?;
        Ok(running)
    }

    /// The port to which a firewall redirects.
    pub(super) fn redirected_port(&self) -> Option<u16> {
        self.ways.redirected.first().map(SocketAddr::port)
    }

    /// What the recording has seen.
    pub(super) fn status(&self) -> Result<Value, Fault> {
        let answer = self.ask("GET", "/v1/status", "")?;
        serde_json::from_str(&answer).map_err(|_| Fault::new("the recording gave no answer that can be read"))
    }

    /// One request to the recording; its answer's body.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> Result<String, Fault> {
        let failed = |error: std::io::Error| Fault::new(format!("the recording does not answer: {error}"));
        let mut stream = TcpStream::connect_timeout(&self.control, PATIENCE).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let (host, token, length) = (self.control, &self.token, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut answer = String::new();
        stream.take(ANSWER).read_to_string(&mut answer).map_err(failed)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        if head.starts_with("HTTP/1.1 2") {
            return Ok(body.to_owned());
        }
        Err(Fault::new(format!("the recording said: {}", body.trim_end())))
    }
}
