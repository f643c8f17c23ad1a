//! The proxies, as processes: each searches the same values, and says at its end what it has seen.

use super::content::Content;
use super::origin::Origin;
use rcgen::{CertificateParams, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Who stands between client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Direct,
    Tap,
    Guard,
    Mitmdump,
    Hudsucker,
}

impl Peer {
    pub(super) const ALL: [Self; 5] = [Self::Direct, Self::Tap, Self::Guard, Self::Mitmdump, Self::Hudsucker];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Tap => "dyetrace live",
            Self::Guard => "dyetrace live --guard block",
            Self::Mitmdump => "mitmdump with an addon",
            Self::Hudsucker => "a proxy made with hudsucker",
        }
    }

    /// The word for it on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Tap => "tap",
            Self::Guard => "guard",
            Self::Mitmdump => "mitmdump",
            Self::Hudsucker => "hudsucker",
        }
    }

    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::Tap | Self::Guard)
    }
}

/// Programs that were made ready, and where they work.
pub(super) struct Programs {
    folder: PathBuf,
    dyetrace: PathBuf,
}

/// What a proxy says it has seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: usize,
    pub(super) found: usize,
    pub(super) blocked: usize,
}

/// A proxy at work.
pub(super) struct Running {
    peer: Peer,
    child: Child,
    folder: PathBuf,
    output: Option<JoinHandle<String>>,
    pub(super) proxy: SocketAddr,
    pub(super) trusted: CertificateDer<'static>,
}

impl Programs {
    /// Builds what is to be built and installs what is to be installed, in that folder.
    pub(super) fn ready(folder: &Path, wants: impl Fn(Peer) -> bool) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let dyetrace = crate::peers::dyetrace::program()?;
        let programs = Self { folder, dyetrace };
        if wants(Peer::Hudsucker) {
            programs.build_hudsucker()?;
        }
        if wants(Peer::Mitmdump) {
            programs.install_mitmproxy()?;
        }
        Ok(programs)
    }

    fn build_hudsucker(&self) -> Result<(), Box<dyn Error>> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/src/live/hudsucker/Cargo.toml");
        let mut command = Command::new("cargo");
        command.args(["build", "--release", "--manifest-path", manifest]);
        done(command.env("CARGO_TARGET_DIR", self.folder.join("hudsucker")))
    }

    /// From PyPI; `PYTHON` names another interpreter. It stays for later runs.
    fn install_mitmproxy(&self) -> Result<(), Box<dyn Error>> {
        let (venv, python) = (self.folder.join("venv"), std::env::var("PYTHON").unwrap_or("python3".to_owned()));
        if self.mitmdump().exists() {
            return Ok(());
        }
        done(Command::new(python).args(["-m", "venv"]).arg(&venv))?;
        done(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "mitmproxy"]))
    }

    fn mitmdump(&self) -> PathBuf {
        self.folder.join("venv/bin/mitmdump")
    }

    /// Which version of it.
    pub(super) fn version(&self, peer: Peer) -> String {
        let output = Command::new(self.mitmdump()).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        match peer {
            Peer::Mitmdump => text.lines().take(2).collect::<Vec<_>>().join(", "),
            Peer::Hudsucker => "hudsucker 0.25.0".to_owned(),
            _ => String::new(),
        }
    }

    /// Starts it, and waits until it listens.
    pub(super) fn start(&self, peer: Peer, origin: &Origin, content: &Content) -> Result<Running, Box<dyn Error>> {
        let folder = self.folder.join("work").join(peer.word());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("server-ca.pem"), &origin.authority_pem)?;
        fs::write(folder.join("values"), content.values.join("\n"))?;
        match peer {
            Peer::Mitmdump => self.start_mitmdump(folder),
            Peer::Hudsucker => self.start_hudsucker(folder),
            _ => self.start_dyetrace(peer, folder, content),
        }
    }

    fn start_dyetrace(&self, peer: Peer, folder: PathBuf, content: &Content) -> Result<Running, Box<dyn Error>> {
        fs::write(folder.join("case.yaml"), "format: 1\ntitle: bench\nruns: [{id: first}]\n")?;
        let data = content.values.iter().map(|value| format!("  - {{kind: wifi.password, value: {value}}}\n"));
        fs::write(folder.join("subject.yaml"), format!("data:\n{}", data.collect::<String>()))?;
        let mut command = Command::new(&self.dyetrace);
        command.arg("live").arg(&folder).args(["--listen", "127.0.0.1:0", "--also", "127.0.0.1", "--format", "jsonl"]);
        command.arg("--server-ca").arg(folder.join("server-ca.pem"));
        if peer == Peer::Guard {
            command.args(["--guard", "block"]);
        }
        // What it shows goes into a file, as it would to a terminal.
        command.stdout(fs::File::create(folder.join("shown"))?).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no pipe")?).lines();
        let proxy = lines
            .find_map(|line| line.ok()?.strip_prefix("  proxy (HTTP and SOCKS5):")?.trim().parse().ok())
            .ok_or("dyetrace live does not start")?;
        lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("marks:")));
        let output = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        let trusted = CertificateDer::from_pem_file(folder.join("live/ca.pem"))?;
        Ok(Running { peer, child, folder, output: Some(output), proxy, trusted })
    }

    fn start_mitmdump(&self, folder: PathBuf) -> Result<Running, Box<dyn Error>> {
        let proxy = free()?;
        let mut command = Command::new(self.mitmdump());
        command.args(["-q", "--listen-host", "127.0.0.1", "--listen-port", &proxy.port().to_string()]);
        command.args(["--set", &format!("confdir={}", folder.display())]);
        let authority = folder.join("server-ca.pem");
        command.args(["--set", &format!("ssl_verify_upstream_trusted_ca={}", authority.display())]);
        command.args(["-s", concat!(env!("CARGO_MANIFEST_DIR"), "/src/live/addon.py")]);
        command.env("BENCH_VALUES", folder.join("values")).env("BENCH_COUNTS", folder.join("counts"));
        let (child, output) = spawned(command, proxy)?;
        let trusted = CertificateDer::from_pem_file(folder.join("mitmproxy-ca-cert.pem"))?;
        Ok(Running { peer: Peer::Mitmdump, child, folder, output: Some(output), proxy, trusted })
    }

    fn start_hudsucker(&self, folder: PathBuf) -> Result<Running, Box<dyn Error>> {
        let (proxy, key) = (free()?, KeyPair::generate()?);
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key)?;
        fs::write(folder.join("ca.pem"), authority.pem())?;
        fs::write(folder.join("ca.key"), key.serialize_pem())?;
        let mut command = Command::new(self.folder.join("hudsucker/release/hudsucker-peer"));
        command.arg(proxy.to_string());
        command.args(["ca.pem", "ca.key", "server-ca.pem", "values"].map(|name| folder.join(name)));
        let (child, output) = spawned(command, proxy)?;
        let trusted = authority.der().clone();
        Ok(Running { peer: Peer::Hudsucker, child, folder, output: Some(output), proxy, trusted })
    }
}

impl Running {
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, and asks what it has seen.
    pub(super) fn end(mut self) -> Result<Counts, Box<dyn Error>> {
        done(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        self.child.wait()?;
        let output = self.output.take().ok_or("it has ended before")?;
        let said = output.join().map_err(|_| "what it said was not read")?;
        if self.peer.is_ours() {
            return counts_of_ours(&said, &fs::read_to_string(self.folder.join("shown"))?);
        }
        let said = if self.peer == Peer::Mitmdump { fs::read_to_string(self.folder.join("counts"))? } else { said };
        let (requests, found) = said.trim().split_once(' ').ok_or("it has counted nothing")?;
        Ok(Counts { requests: requests.parse()?, found: found.parse()?, blocked: 0 })
    }
}

/// A proxy does not outlive a bench that fails.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From the last words of `dyetrace live`, and the guard's decisions among what it showed.
fn counts_of_ours(said: &str, shown: &str) -> Result<Counts, Box<dyn Error>> {
    let number = |what: &str| -> Result<usize, Box<dyn Error>> {
        let before = said.split(what).next().filter(|before| before.len() < said.len());
        let word = before.and_then(|before| before.rsplit(' ').next()).ok_or("dyetrace said nothing at its end")?;
        Ok(word.parse()?)
    };
    let blocked = shown.lines().filter(|line| line.contains("\"decision\":\"blocked\"")).count();
    Ok(Counts { requests: number(" records,")?, found: number(" sightings,")?, blocked })
}

/// An address on which nobody listens.
fn free() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Starts a proxy and waits until it listens.
fn spawned(mut command: Command, proxy: SocketAddr) -> Result<(Child, JoinHandle<String>), Box<dyn Error>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut out = child.stdout.take().ok_or("no pipe")?;
    let output = std::thread::spawn(move || {
        let mut text = String::new();
        // What cannot be read is missed where it is looked for.
        let _ = out.read_to_string(&mut text);
        text
    });
    let start = Instant::now();
    while TcpStream::connect(proxy).is_err() {
        if start.elapsed() > Duration::from_secs(30) || child.try_wait()?.is_some() {
            let _ = child.kill();
            return Err("a proxy does not start".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok((child, output))
}

fn done(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", command.get_program().display()).into()) }
}
