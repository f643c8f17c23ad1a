//! One connection from its client to its target, whichever front it came by.

use crate::addresses::Addresses;
use crate::authority::{Authority, SanName, names_of, provider};
use crate::guard::{self, Guarding, Told, Warden};
use crate::idle::Idle;
use crate::journal::{Journal, Recorder};
use crate::policy::{Denied, Policy};
use crate::stream::{Recorded, Rewound, Stream};
use crate::upstream::{self, Offered, Upstream};
use crate::watch::{Secured, Unread, UnreadReason, Watch, What};
use dyetrace_case::{Channel, ChannelKind, Side};
use rustls::pki_types::ServerName;
use rustls::server::{Accepted, Acceptor, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, RootCertStore, ServerConfig};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::StartHandshake;

/// A ClientHello must be complete within this.
const HELLO: Duration = Duration::from_secs(15);
/// Bytes of a ClientHello; with post-quantum keys and many extensions they have some thousand.
const HELLO_BYTES: usize = 64 << 10;
/// Bytes read at once.
const PIECE: usize = 32 << 10;
/// Of a connection's first bytes; a usual ClientHello has fewer.
const FIRST: usize = 4 << 10;
/// Names of refusing servers, and of TLS settings, that are remembered at once.
const REMEMBERED: usize = 4096;

/// What a client must have done to be relayed unread from then on: one alert, or hanging up twice.
const SURE: u8 = 2;

/// Where a client wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host as the client named it.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// A host, named or by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A DNS name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}:{}", self.port),
            Host::Address(address) => write!(f, "{}", SocketAddr::new(*address, self.port)),
        }
    }
}

/// Why a client did not reach its target.
#[derive(Debug)]
pub enum Unreachable {
    /// The policy forbids it.
    Denied(Denied),
    /// The network said no.
    Failed(io::Error),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// How to relay.
pub struct RelaySettings {
    /// Makes certificates for servers.
    pub authority: Authority,
    /// Authorities that servers' certificates are checked against.
    pub roots: RootCertStore,
    /// Who may be reached.
    pub policy: Policy,
    /// How long nothing may pass, in either direction, before a connection is given up.
    pub idle: Duration,
}

/// Relays connections, writes them down and tells the watcher.
pub struct Relay {
    authority: Authority,
    policy: Policy,
    idle: Duration,
    journal: Arc<Journal>,
    watch: Watch,
    upstream: Upstream,
    addresses: Addresses,
    /// Servers whose certificates a client did not accept from us, by client, and how sure that is.
    refused: Mutex<HashMap<(IpAddr, String), u8>>,
    guarding: Option<Arc<Guarding>>,
    configs: Mutex<HashMap<ConfigKey, Arc<ServerConfig>>>,
    /// Held while a datagram is told of, so that journal and watcher have all in one order.
    datagrams: Mutex<()>,
}

/// What a TLS setting towards clients depends on.
#[derive(PartialEq, Eq, Hash)]
struct ConfigKey {
    names: Vec<SanName>,
    version: &'static str,
    alpn: Option<Vec<u8>>,
    prefers_aes: bool,
}

impl Relay {
    /// # Errors
    /// Where TLS cannot be set up with these authorities.
    pub fn new(settings: RelaySettings, journal: Arc<Journal>, watch: Watch) -> Result<Self, rustls::Error> {
        Ok(Self {
            upstream: Upstream::new(&Arc::new(settings.roots))?,
            authority: settings.authority,
            policy: settings.policy,
            idle: settings.idle,
            journal,
            watch,
            addresses: Addresses::default(),
            refused: Mutex::default(),
            guarding: None,
            configs: Mutex::default(),
            datagrams: Mutex::default(),
        })
    }

    /// With a guard on everything that can be read.
    #[must_use]
    pub fn guarded(mut self, guarding: Arc<Guarding>) -> Self {
        self.guarding = Some(guarding);
        self
    }

    /// Who may be reached, and by whom.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The authority that clients are to trust.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Whether a datagram may be written down and searched now, and so may pass. One that may not is counted as lost.
    pub(crate) fn takes_datagram(&self) -> bool {
        let takes = self.journal.has_room_for_datagrams() && self.watch.has_room_for_datagrams();
        if !takes {
            self.lose_datagram();
        }
        takes
    }

    /// Counts a datagram that does not pass.
    pub(crate) fn lose_datagram(&self) {
        self.watch.lose_datagram();
    }

    /// Writes a datagram down, and shows it to whoever watches.
    pub(crate) fn datagram(
        &self,
        (client, server): (SocketAddr, SocketAddr),
        side: Side,
        payload: &[u8],
        comment: Option<&str>,
    ) {
        let _order = self.datagrams.lock().unwrap_or_else(PoisonError::into_inner);
        self.journal.datagram(client, server, side, payload, comment);
        self.watch.tell_now(0, What::Datagram { client, server, side, payload: payload.to_vec() });
    }

    /// Connects the target for a client.
    ///
    /// # Errors
    /// Where it may not or cannot be reached; it is written down already.
    pub async fn reach(&self, peer: SocketAddr, target: &Target) -> Result<TcpStream, Unreachable> {
        let mut tried = None;
        let outcome = self.connect(target, &mut tried).await;
        if let Err(why) = &outcome {
            self.unreached(peer, target, tried, why).await;
        }
        outcome
    }

    /// Writes down that a client wanted to go where it could not.
    async fn unreached(&self, peer: SocketAddr, target: &Target, tried: Option<SocketAddr>, why: &Unreachable) {
        // A name without an address is written down with the address that stands for none (RFC 1122 section 3.2.1.3).
        let nobody = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), target.port);
        let reason = UnreadReason::Unreachable;
        let comment = format!("unread name={} reason={} {why}", target.host, reason.words());
        let number = self.journal.refused(peer, tried.unwrap_or(nobody), &format!("target={target}"), &comment);
        let unread = Unread { name: Some(target.host.to_string()), reason, detail: why.to_string() };
        self.watch.tell(number, What::Unread(unread)).await;
    }

    async fn connect(&self, target: &Target, tried: &mut Option<SocketAddr>) -> Result<TcpStream, Unreachable> {
        let addresses: Vec<SocketAddr> = match &target.host {
            Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
            Host::Name(name) => self.addresses.of(name, target.port).await.map_err(Unreachable::Failed)?,
        };
        let mut last = Unreachable::Failed(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        for address in addresses {
            *tried = Some(address);
            // Each address is checked, not the name: names of strangers may stand for this machine.
            let outcome = match self.policy.check(address) {
                Ok(()) => upstream::connect(address).await.map_err(Unreachable::Failed),
                Err(denied) => Err(Unreachable::Denied(denied)),
            };
            match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        if let Host::Name(name) = &target.host {
            self.addresses.forget(name);
        }
        Err(last)
    }

    /// Relays a client to the server that was reached for it, until both are done.
    ///
    /// # Errors
    /// What ended it early; it is written down already.
    pub async fn relay<S: Stream>(
        &self,
        client: S,
        peer: SocketAddr,
        target: &Target,
        server: TcpStream,
    ) -> io::Result<()> {
        let address = server.peer_addr()?;
        let recorder = Arc::new(self.journal.connection(peer, address, &format!("target={target}")));
        let number = recorder.number();
        self.watch.tell(number, What::Opened { client: peer, server: address }).await;
        let flow = Flow { relay: self, recorder: Arc::clone(&recorder), peer, target, address };
        // The states of both handshakes are large and short-lived.
        let outcome = Box::pin(flow.run(Recorded::new(client, Arc::clone(&recorder)), server)).await;
        self.watch.tell_now(number, What::Closed);
        outcome
    }

    fn has_refused(&self, peer: SocketAddr, name: &str) -> bool {
        self.refused().get(&(peer.ip(), name.to_owned())).is_some_and(|weight| *weight >= SURE)
    }

    /// Remembers a handshake that a client ended. One who hangs up without an alert may have had other reasons,
    /// unless it does so again.
    fn remember_refusal(&self, peer: SocketAddr, name: &str, error: &io::Error) {
        let weight = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::AlertReceived(_)) => SURE,
            _ => 1,
        };
        let mut refused = self.refused();
        let known = (peer.ip(), name.to_owned());
        if refused.len() < REMEMBERED || refused.contains_key(&known) {
            let so_far = refused.entry(known).or_default();
            *so_far = so_far.saturating_add(weight);
        }
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<(IpAddr, String), u8>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// TLS towards a client, as the server would have it.
    fn server_config(&self, key: ConfigKey, like: &rustls::ClientConnection) -> io::Result<Arc<ServerConfig>> {
        let lock = || self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = lock().get(&key) {
            return Ok(Arc::clone(config));
        }
        let leaf = self.authority.leaf(&key.names).map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(upstream::same_version(like.protocol_version()))
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Always(leaf)));
        config.alpn_protocols = key.alpn.clone().into_iter().collect();
        config.key_log = self.journal.key_log();
        // A ticket costs more than the signature that it would save.
        config.send_tls13_tickets = 0;
        // The suite of browsers and phones also for others; whoever has no AES in the processor gets what it prefers.
        config.ignore_client_order = key.prefers_aes && like.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let config = Arc::new(config);
        let mut configs = lock();
        if configs.len() >= REMEMBERED {
            configs.clear();
        }
        configs.insert(key, Arc::clone(&config));
        Ok(config)
    }
}

/// One certificate, whatever the client asks for.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// One connection on its way.
struct Flow<'a> {
    relay: &'a Relay,
    recorder: Arc<Recorder>,
    peer: SocketAddr,
    target: &'a Target,
    address: SocketAddr,
}

/// What the client's first bytes are.
enum First {
    /// And how many of the bytes read it took.
    Hello(Box<Accepted>, usize),
    /// It begins like TLS and is none that can be read.
    BadHello,
    Other,
}

impl Flow<'_> {
    async fn run<S: Stream>(&self, mut client: Recorded<S>, server: TcpStream) -> io::Result<()> {
        let mut first = Vec::with_capacity(FIRST);
        tokio::select! {
            biased;
            read = client.read_buf(&mut first) => { read?; }
            ready = server.readable() => ready?,
            () = tokio::time::sleep(self.relay.idle) => return Err(io::ErrorKind::TimedOut.into()),
        }
        if first.first() != Some(&0x16) {
            return self.pass(Rewound::new(first, client), server, None).await;
        }
        let found = upstream::within(HELLO, "no whole ClientHello came", read_hello(&mut client, &mut first)).await?;
        let client = Rewound::new(first, client);
        match found {
            First::Hello(hello, length) => self.tls(*hello, length, client, server).await,
            First::Other => self.pass(client, server, None).await,
            First::BadHello => {
                self.unread(None, UnreadReason::NotUnderstood, String::new()).await;
                self.pass_unread(client, server, &self.target.host.to_string()).await
            }
        }
    }

    async fn tls<S: Stream>(
        &self,
        hello: Accepted,
        taken: usize,
        mut client: Rewound<Recorded<S>>,
        server: TcpStream,
    ) -> io::Result<()> {
        let (sni, offered, alpn) = offer(&hello);
        let named = match &self.target.host {
            Host::Name(name) => Some(name.clone()),
            Host::Address(_) => None,
        };
        let name = sni.or(named);
        let known = name.clone().unwrap_or_else(|| self.address.ip().to_canonical().to_string());
        let reason = if self.is_left_alone(&known) {
            Some(UnreadReason::LeftAlone)
        } else {
            self.relay.has_refused(self.peer, &known).then_some(UnreadReason::RefusedBefore)
        };
        if let Some(reason) = reason {
            self.unread(name, reason, String::new()).await;
            return self.pass_unread(client, server, &known).await;
        }
        let asked = name.clone().and_then(|name| ServerName::try_from(name).ok());
        let asked = asked.unwrap_or_else(|| ServerName::IpAddress(self.address.ip().to_canonical().into()));
        match self.relay.upstream.secure(server, asked, offered, alpn).await {
            Ok(server) => {
                client.skip(taken);
                self.intercept((hello, offered), client, server, name, &known).await
            }
            Err(error) => {
                self.unread(name, UnreadReason::ServerNotTrusted, error.to_string()).await;
                self.pass_unread(client, upstream::connect(self.address).await?, &known).await
            }
        }
    }

    async fn intercept<S: Stream>(
        &self,
        (hello, offered): (Accepted, Offered),
        client: Rewound<Recorded<S>>,
        server: tokio_rustls::client::TlsStream<TcpStream>,
        name: Option<String>,
        known: &str,
    ) -> io::Result<()> {
        let session = server.get_ref().1;
        let version = upstream::version_name(session.protocol_version());
        let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
        let names = self.names(&server, name.as_deref());
        let key = ConfigKey { names, version, alpn: alpn.clone(), prefers_aes: offered.prefers_aes };
        let config = self.relay.server_config(key, session)?;
        let suite = session.negotiated_cipher_suite().map(|suite| suite_name(suite.suite()));
        let opening = StartHandshake::from_parts(hello, client).into_stream(config);
        let client = match upstream::within(HELLO, "the client did not finish the handshake", opening).await {
            Ok(client) => client,
            Err(error) => {
                let reason = if error.kind() == io::ErrorKind::TimedOut {
                    UnreadReason::NotFinished
                } else {
                    self.relay.remember_refusal(self.peer, known, &error);
                    UnreadReason::ClientRefused
                };
                self.unread(name, reason, error.to_string()).await;
                return Err(error);
            }
        };
        let own_suite = client.get_ref().1.negotiated_cipher_suite().map(|suite| suite_name(suite.suite()));
        self.recorder.remark(&format!(
            "tls-with-server version={version} suite={} name={known}",
            suite.as_deref().unwrap_or("unknown")
        ));
        let secured = Secured { name, version, suite: own_suite.unwrap_or_default(), alpn };
        self.tell(What::Secured(secured.clone())).await;
        self.pass(client, server, Some((known, secured))).await
    }

    /// The server's own names, and the one that was asked for.
    fn names(&self, server: &tokio_rustls::client::TlsStream<TcpStream>, name: Option<&str>) -> Vec<SanName> {
        let mut names = upstream::certificate(server).map(names_of).unwrap_or_default();
        let asked = match name {
            Some(name) => SanName::Dns(name.trim_end_matches('.').to_ascii_lowercase()),
            None => SanName::Address(self.address.ip().to_canonical()),
        };
        if !names.contains(&asked) {
            names.insert(0, asked);
        }
        names
    }

    /// Relays both ways, and tells what passes.
    async fn pass(&self, client: impl Stream, server: impl Stream, secured: Option<(&str, Secured)>) -> io::Result<()> {
        let (host, channel, alpn) = match secured {
            Some((known, secured)) => (known.to_owned(), channel_of(&secured), secured.alpn),
            None => (self.target.host.to_string(), Channel::clear(), None),
        };
        let Some(warden) = self.warden(&host, channel) else { return self.both(client, server, true).await };
        let client = Told::new(client, self.relay.watch.clone(), self.recorder.number());
        guard::guard(warden, client, server, alpn.as_deref(), Idle::new(self.relay.idle)).await
    }

    /// The guard of this connection, where there is one.
    fn warden(&self, host: &str, channel: Channel) -> Option<Warden> {
        let guarding = Arc::clone(self.relay.guarding.as_ref()?);
        let told = (self.relay.watch.clone(), Arc::clone(&self.recorder));
        Some(Warden::new(guarding, told, (self.peer, self.address), (host, channel)))
    }

    /// Whether the tester asked for this server to be left alone. What the client says inside TLS is not enough where
    /// it also named the server to connect.
    fn is_left_alone(&self, name: &str) -> bool {
        let policy = &self.relay.policy;
        let is_target_alone = match &self.target.host {
            Host::Name(target) => policy.leaves_alone(target),
            Host::Address(_) => true,
        };
        is_target_alone && policy.leaves_alone(name)
    }

    /// Relays both ways what cannot be read.
    async fn pass_unread(&self, client: impl Stream, server: impl Stream, host: &str) -> io::Result<()> {
        if let Some(warden) = self.warden(host, Channel::unknown()).filter(|_| !self.is_left_alone(host))
            && warden.stops_unread().await
        {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the guard lets nothing pass unread"));
        }
        self.both(client, server, false).await
    }

    async fn both(&self, client: impl Stream, server: impl Stream, tells: bool) -> io::Result<()> {
        let (from_client, to_client) = tokio::io::split(client);
        let (from_server, to_server) = tokio::io::split(server);
        let idle = Idle::new(self.relay.idle);
        let up = self.pump(from_client, to_server, (Side::Request, &idle), tells);
        let down = self.pump(from_server, to_client, (Side::Response, &idle), tells);
        idle.watched(async { tokio::try_join!(up, down).map(|_| ()) }).await
    }

    async fn pump(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        (side, idle): (Side, &Idle),
        tells: bool,
    ) -> io::Result<()> {
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            match idle.within(from.read_buf(&mut piece)).await {
                Ok(_) => {}
                // A peer that closes TCP without closing TLS has said all it wanted.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
            if piece.is_empty() {
                if tells {
                    self.tell(What::Ended(side)).await;
                }
                // The other end may have gone already.
                let _ = to.shutdown().await;
                return Ok(());
            }
            if tells {
                self.tell(What::Bytes(side, piece.clone())).await;
            }
            to.write_all(&piece).await?;
            to.flush().await?;
        }
    }

    async fn tell(&self, what: What) {
        self.relay.watch.tell(self.recorder.number(), what).await;
    }

    async fn unread(&self, name: Option<String>, reason: UnreadReason, detail: String) {
        let known = name.as_deref().unwrap_or("-");
        self.recorder.remark(&format!("unread name={known} reason={} {detail}", reason.words()));
        self.tell(What::Unread(Unread { name, reason, detail })).await;
    }
}

/// Reads until there is a whole ClientHello, or none will come.
async fn read_hello(client: &mut (impl AsyncRead + Unpin), first: &mut Vec<u8>) -> io::Result<First> {
    let mut acceptor = Acceptor::default();
    let mut fed = 0;
    loop {
        if first.get(1).is_some_and(|version| *version != 3) {
            return Ok(First::Other);
        }
        let mut fresh = first.get(fed..).unwrap_or_default();
        while !fresh.is_empty() {
            match acceptor.read_tls(&mut fresh) {
                Ok(0) | Err(_) => return Ok(First::BadHello),
                Ok(_) => {}
            }
            match acceptor.accept() {
                Ok(Some(accepted)) => {
                    let taken = first.len() - fresh.len();
                    return Ok(First::Hello(Box::new(accepted), taken));
                }
                Ok(None) => {}
                Err(_) => return Ok(First::BadHello),
            }
        }
        fed = first.len();
        if fed > HELLO_BYTES {
            return Ok(First::BadHello);
        }
        if client.read_buf(first).await? == 0 {
            return Ok(First::Other);
        }
    }
}

fn offer(hello: &Accepted) -> (Option<String>, Offered, Vec<Vec<u8>>) {
    let hello = hello.client_hello();
    // The suites of TLS 1.3 are numbered 0x13.. (RFC 8446 appendix B.4).
    let is_13 = |suite: &rustls::CipherSuite| u16::from(*suite) >> 8 == 0x13;
    let signals = [0x00ff, 0x5600];
    let is_12 = |suite: &rustls::CipherSuite| !is_13(suite) && !signals.contains(&u16::from(*suite));
    let suites = hello.cipher_suites();
    let first = suites.iter().find(|suite| is_13(suite));
    let offered = Offered {
        tls_12: suites.iter().any(is_12),
        tls_13: first.is_some(),
        prefers_aes: first != Some(&rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    };
    let alpn = hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
    (hello.server_name().map(str::to_owned), offered, alpn)
}

fn channel_of(secured: &Secured) -> Channel {
    Channel { kind: ChannelKind::Tls, version: Some(secured.version.to_owned()), suite: Some(secured.suite.clone()) }
}

fn suite_name(suite: rustls::CipherSuite) -> String {
    // IANA writes TLS 1.3's suites without the 13 that rustls adds.
    format!("{suite:?}").replace("TLS13_", "TLS_")
}
