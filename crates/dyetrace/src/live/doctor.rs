//! `dyetrace live doctor`: why nothing arrives, step by step.

use super::running::Running;
use crate::exit::{Exit, Fault};
use crate::output;
use clap::Args;
use dyetrace_case::{Canary, Event, Mark, Time, append_mark};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `live doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Run it while `dyetrace live` records the case. It asks the recording what it has seen, and has you open one
address on the device under test. Only when that has been read is it said that the recording captures; a canary is
then added to the run's marks.

Exit codes: 0 the canary was read, 3 it was not, 2 there is no recording to ask.

Examples:
  dyetrace live doctor my-case
  dyetrace live doctor my-case --canary https://example.org --wait 120
  dyetrace live doctor my-case --firewall wlan0"
)]
pub(crate) struct DoctorArguments {
    /// The case folder
    case: PathBuf,
    /// A site that the device can open; a made-up path is added to it
    #[arg(long, value_name = "URL", default_value = "https://example.org")]
    canary: String,
    /// How long to wait for the device, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Print the firewall's rules for a gateway whose clients are behind this interface, and their undoing
    #[arg(long, value_name = "INTERFACE")]
    firewall: Option<String>,
}

/// Asks, waits, and says what to do.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<Exit, Fault> {
    let running = Running::read(&arguments.case)?;
    if let Some(interface) = &arguments.firewall {
        output::print(firewall(interface, &running)?.as_bytes())?;
        return Ok(Exit::Fine);
    }
    let text = canary_text()?;
    running.ask("POST", "/v1/canary", &text)?;
    let address = format!("{}/{text}", arguments.canary.trim_end_matches('/'));
    let say = |text: &str| output::print(format!("{text}\n").as_bytes());
    say(&format!(
        "On the device under test, open:\n\n    {address}\n\n(an error page is fine; waiting {} s)",
        arguments.wait
    ))?;
    let end = Instant::now() + Duration::from_secs(arguments.wait);
    let status = loop {
        let status = running.status()?;
        let seen = status["canary"]["seen"].is_string();
        if seen || Instant::now() >= end {
            break status;
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    let findings = Findings::of(&status, &running);
    say(&findings.text(&running))?;
    if let Some(seen) = status["canary"]["seen"].as_str() {
        say(&mark(arguments, &running.run, &address, seen)?)?;
    }
    Ok(if findings.captures { Exit::Fine } else { Exit::NothingRead })
}

/// Writes down that the canary was sent: a run that has one counts as captured only where its recording holds it.
fn mark(arguments: &DoctorArguments, run: &str, address: &str, seen: &str) -> Result<String, Fault> {
    let at: Time = seen.parse().map_err(|_| Fault::new("the recording gave no time that can be read"))?;
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let canary: Canary = format!("{host}/{path}").parse().map_err(Fault::new)?;
    let mark = Mark { at, error: None, event: Event::Canary(canary) };
    append_mark(&arguments.case, run, &mark).map(|marked| marked.line).map_err(Fault::new)
}

/// What the recording says, as answers to the questions that a tester has.
struct Findings {
    captures: bool,
    how: String,
    clients: Vec<String>,
    opened: u64,
    connections: u64,
    /// Questions for names, where names come this way.
    names: Option<u64>,
    /// Datagrams of QUIC that were refused.
    quic: u64,
    /// Datagrams that did not pass.
    lost: u64,
    unread: Vec<(String, String, String)>,
}

impl Findings {
    fn of(status: &Value, running: &Running) -> Self {
        let list = |key: &str| status[key].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let clients = list("clients");
        let sum = |key: &str| clients.iter().filter_map(|client| client[key].as_u64()).sum();
        let unread = list("unread");
        let unread =
            unread.iter().map(|entry| (text(&entry["host"]), text(&entry["code"]), text(&entry["detail"]))).collect();
        Self {
            captures: status["canary"]["seen"].is_string(),
            how: text(&status["canary"]["how"]),
            opened: sum("tls_opened"),
            connections: sum("connections"),
            names: running.ways.names.or(running.ways.tunnel).map(|_| status["names"].as_u64().unwrap_or_default()),
            quic: status["refused_quic"].as_u64().unwrap_or_default(),
            lost: status["lost_datagrams"].as_u64().unwrap_or_default(),
            clients: clients.iter().map(|client| text(&client["client"])).collect(),
            unread,
        }
    }

    fn text(&self, running: &Running) -> String {
        let mut text = String::new();
        let mut step = |good: bool, line: &str| {
            let _ = writeln!(text, "{} {line}", if good { "✓" } else { "✕" });
        };
        step(true, "a recording is running");
        if let Some(names) = self.names {
            step(names > 0, &format!("{names} names were asked for"));
        }
        if self.quic > 0 {
            step(true, &format!("QUIC was refused ({} datagrams), so that apps take TCP", self.quic));
        }
        if self.lost > 0 {
            let why = "the disk or the search was behind, or too many waited";
            step(false, &format!("{} datagrams did not pass: {why}", self.lost));
        }
        if self.connections == 0 {
            step(false, "no connection has come from any client");
            return text + &nothing_came(running);
        }
        step(true, &format!("{} connections came, from {}", self.connections, self.clients.join(", ")));
        step(self.opened > 0, &format!("{} TLS connections could be opened", self.opened));
        for (host, code, detail) in &self.unread {
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            step(false, &format!("{host}: {code}{detail}"));
        }
        if self.captures {
            step(true, &format!("the canary was read: {}", self.how));
            return text + "\nThe recording captures.\n";
        }
        step(false, "the canary was not read");
        if self.unread.iter().any(|(_, code, _)| code == "client-refused") || self.opened == 0 {
            text += &refused(running);
        }
        text + "\nUntil the canary is read, nothing that is not seen means anything.\n"
    }
}

fn nothing_came(running: &Running) -> String {
    let tunnel = running.ways.tunnel.map_or_else(String::new, nothing_came_by_tunnel);
    format!(
        "
What to do:
  Android  Settings, network, the Wi-Fi's details, proxy: manual, {proxy}. Apps may ignore it (Flutter, native code, UDP):
           then redirect on the gateway (--firewall), which no app can ignore.
  iOS      Settings, Wi-Fi, (i), Configure Proxy: manual, {proxy}.
  Both     `--listen 127.0.0.1:…` can be reached by this machine only: record with --lan INTERFACE --client ADDRESS.
           A firewall of this machine may drop the port; a Wi-Fi may keep its clients apart.
{tunnel}",
        proxy = running.proxy
    )
}

fn nothing_came_by_tunnel(address: SocketAddr) -> String {
    format!(
        "  Tunnel   the phone's WireGuard app must show a handshake with {address}: scan the code of this recording again (an
           older one has other keys if the case is another), switch the tunnel on, and let UDP port {port} of this machine
           through its firewall. A private DNS server set on the phone does not matter: names then come over TLS.
",
        port = address.port()
    )
}

fn refused(running: &Running) -> String {
    let (trust, way) = match running.ways.tunnel {
        Some(_) => ("10.213.7.1".to_owned(), "tunnel"),
        None => (running.proxy.to_string(), "proxy"),
    };
    format!(
        "
TLS was refused, or nobody tried. What to do:
  Trust    open http://{trust}/ on the device through the {way} and install the certificate.
  Android  Settings, security, more, install a certificate, CA certificate. Since Android 7, apps trust it only where
           their own network security configuration says so: browsers do, most apps do not. A build of the app for
           testing, or a device whose system store can be changed, is needed for the others; since Android 14 that
           store lies in an APEX module that is mounted anew at each start.
  iOS      install the profile, then Settings, General, About, Certificate Trust Settings: switch it on.
  Pinning  an app that compares certificates itself refuses whatever is installed. dyetrace ships nothing that
           bypasses that; its connections are relayed unread and counted as opaque.
"
    )
}

/// Rules of nftables, with the drop that keeps them from failing open.
fn firewall(interface: &str, running: &Running) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if interface.is_empty() || !interface.bytes().all(plain) {
        return Err(Fault::new("this is no name of a network interface"));
    }
    let Some(port) = running.redirected_port() else {
        let fault = Fault::new("the recording takes no redirected connections");
        return Err(fault.hint(format!(
            "record with: dyetrace live CASE --redirected ADDRESS:9001 --lan {interface} --client ADDRESS"
        )));
    };
    let (to_names, kept) = match running.ways.names {
        Some(names) => (format!("    iifname \"{interface}\" udp dport 53 redirect to :{}\n", names.port()), "123"),
        None => (String::new(), "{ 53, 123 }"),
    };
    let advice = match running.ways.names {
        Some(_) => "",
        None => {
            "# Names go out unrecorded, and their answers offer HTTP/3 and Encrypted Client Hello: record with --names ADDRESS:9053.\n"
        }
    };
    Ok(format!(
        "# To be run as root on the gateway. Everything that is not redirected is dropped, not forwarded: should the
# recording end, clients lose the network instead of going out unseen.
{advice}nft -f - <<'RULES'
table inet dyetrace {{
  chain incoming {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname \"{interface}\" meta l4proto tcp redirect to :{port}
    iifname \"{interface}\" udp dport 443 redirect to :{port}
{to_names}  }}
  chain forwarded {{
    type filter hook forward priority filter; policy accept;
    iifname \"{interface}\" udp dport {kept} accept
    iifname \"{interface}\" drop
  }}
}}
RULES

# Undo:
nft delete table inet dyetrace
"
    ))
}

fn canary_text() -> Result<String, Fault> {
    Ok(format!("dyetrace-canary-{}", super::setup::token()?))
}
