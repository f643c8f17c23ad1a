//! Servers, clients and a relay between them, on real sockets of this machine.

use dyetrace_case::Side;
use dyetrace_live::front::{self, Front};
use dyetrace_live::watch::What;
use dyetrace_live::{Authority, Event, Journal, Policy, Relay, RelaySettings, Watch};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A relay that listens, and what is told about what passes.
pub(crate) struct World {
    pub(crate) proxy: SocketAddr,
    pub(crate) watch: Watch,
    pub(crate) journal: Arc<Journal>,
    pub(crate) journal_path: PathBuf,
    pub(crate) ours: CertificateDer<'static>,
    pub(crate) servers: Authority,
    #[allow(dead_code, reason = "not every test has a front of its own")]
    pub(crate) relay: Arc<Relay>,
    folder: PathBuf,
}

impl World {
    /// A relay whose clients may reach this machine, as the servers of the test are on it.
    pub(crate) async fn new(name: &str) -> Self {
        Self::with(name, |_| {}).await
    }

    pub(crate) async fn with(name: &str, change: impl FnOnce(&mut Policy)) -> Self {
        Self::made(name, change, |relay| relay).await
    }

    /// A relay that is made ready before it serves.
    pub(crate) async fn made(name: &str, change: impl FnOnce(&mut Policy), ready: impl FnOnce(Relay) -> Relay) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-live-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let journal_path = folder.join("journal.pcapng");
        let journal = Arc::new(Journal::create(&journal_path, "test").unwrap());
        let servers = Authority::new("the test's servers").unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&servers)).unwrap();
        let authority = Authority::in_folder(&folder.join("ca"), "dyetrace test").unwrap();
        let ours = certificate(&authority);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let mut policy = Policy { also: [Ipv4Addr::LOCALHOST.into()].into(), own: [proxy].into(), ..Policy::default() };
        change(&mut policy);
        let settings = RelaySettings { authority, roots, policy, idle: Duration::from_secs(20) };
        let watch = Watch::default();
        let relay = Arc::new(ready(Relay::new(settings, Arc::clone(&journal), watch.clone()).unwrap()));
        tokio::spawn(front::serve(listener, Front::Proxy, Arc::clone(&relay)));
        Self { proxy, watch, journal, journal_path, ours, servers, relay, folder }
    }

    /// Settings of a client that trusts both authorities.
    pub(crate) fn trusting(&self) -> ClientConfig {
        client(&[self.ours.clone(), certificate(&self.servers)], provider())
    }

    /// The same, of a client that offers this suite before others.
    #[allow(dead_code, reason = "not every test is about suites")]
    pub(crate) fn preferring(&self, suite: rustls::CipherSuite) -> ClientConfig {
        let mut provider = rustls::crypto::ring::default_provider();
        provider.cipher_suites.sort_by_key(|own| own.suite() != suite);
        client(&[self.ours.clone(), certificate(&self.servers)], Arc::new(provider))
    }

    /// Settings of a client that trusts the servers' own authority alone.
    pub(crate) fn pinning(&self) -> ClientConfig {
        client(&[certificate(&self.servers)], provider())
    }

    /// A TLS server that answers each line with the same line, of this name.
    pub(crate) async fn tls_echo(&self, name: &str, alpn: &[&str]) -> SocketAddr {
        let acceptor = self.acceptor(name, alpn);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let (mut from, mut to) = tokio::io::split(stream);
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                    let _ = to.shutdown().await;
                });
            }
        });
        address
    }

    /// TLS of a server of this name.
    pub(crate) fn acceptor(&self, name: &str, alpn: &[&str]) -> TlsAcceptor {
        let names = [dyetrace_live::authority::SanName::Dns(name.to_owned())];
        let leaf = self.servers.leaf(&names).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(One(leaf)));
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A tunnel to that address through the proxy.
    pub(crate) async fn tunnel(&self, target: &str) -> Result<TcpStream, String> {
        let mut stream = TcpStream::connect(self.proxy).await.unwrap();
        stream.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => answer.push(byte),
                Err(_) => break,
            }
        }
        let answer = String::from_utf8(answer).unwrap();
        if answer.starts_with("HTTP/1.1 200 ") { Ok(stream) } else { Err(answer) }
    }

    /// A connection through the proxy's SOCKS side.
    pub(crate) async fn socks(&self, target: SocketAddr) -> TcpStream {
        let SocketAddr::V4(target) = target else { panic!("IPv4") };
        let mut stream = TcpStream::connect(self.proxy).await.unwrap();
        stream.write_all(&[5, 1, 0]).await.unwrap();
        let mut method = [0; 2];
        stream.read_exact(&mut method).await.unwrap();
        assert_eq!(method, [5, 0]);
        let mut request = vec![5, 1, 0, 1];
        request.extend_from_slice(&target.ip().octets());
        request.extend_from_slice(&target.port().to_be_bytes());
        stream.write_all(&request).await.unwrap();
        let mut reply = [0; 10];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(reply[1], 0);
        stream
    }

    /// Everything told until now, after a while in which nothing was.
    pub(crate) fn told(&self) -> Vec<Event> {
        let (mut all, mut some) = (Vec::new(), Vec::new());
        loop {
            self.watch.take(&mut some, Duration::from_millis(300));
            if some.is_empty() {
                return all;
            }
            all.append(&mut some);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.journal.close();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What one side was heard to say.
pub(crate) fn said(events: &[Event], side: Side) -> Vec<u8> {
    events.iter().fold(Vec::new(), |mut all, event| {
        if let What::Bytes(of, bytes) = &event.what
            && *of == side
        {
            all.extend_from_slice(bytes);
        }
        all
    })
}

/// Opens TLS as a client.
pub(crate) async fn secure<S: AsyncReadExt + AsyncWriteExt + Unpin>(
    config: ClientConfig,
    name: &str,
    stream: S,
) -> std::io::Result<tokio_rustls::client::TlsStream<S>> {
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// What the operating system holds in that file.
pub(crate) fn contents(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn client(roots: &[CertificateDer<'static>], provider: Arc<rustls::crypto::CryptoProvider>) -> ClientConfig {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).unwrap();
    }
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth()
}

fn certificate(authority: &Authority) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[derive(Debug)]
struct One(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for One {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
