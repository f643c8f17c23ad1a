//! The connection to the server, and TLS on it as the client would have it.

use crate::authority::provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const CONNECT: Duration = Duration::from_secs(15);
const HANDSHAKE: Duration = Duration::from_secs(15);

/// How servers are spoken to.
pub(crate) struct Upstream {
    both: ClientConfig,
    only_12: ClientConfig,
    only_13: ClientConfig,
}

/// TLS versions that a client offers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offered {
    pub(crate) tls_12: bool,
    pub(crate) tls_13: bool,
    /// Whether a suite with AES comes first, as where the processor helps with it.
    pub(crate) prefers_aes: bool,
}

impl Upstream {
    /// Trusts those authorities.
    pub(crate) fn new(roots: &Arc<RootCertStore>) -> Result<Self, rustls::Error> {
        Ok(Self {
            both: config(roots, &[&version::TLS13, &version::TLS12])?,
            only_12: config(roots, &[&version::TLS12])?,
            only_13: config(roots, &[&version::TLS13])?,
        })
    }

    /// Opens TLS with what the client offers, so that the server chooses for the client.
    pub(crate) async fn secure(
        &self,
        server: TcpStream,
        name: ServerName<'static>,
        offered: Offered,
        alpn: Vec<Vec<u8>>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut config = match offered {
            Offered { tls_12: true, tls_13: false, .. } => self.only_12.clone(),
            Offered { tls_12: false, tls_13: true, .. } => self.only_13.clone(),
            Offered { .. } => self.both.clone(),
        };
        config.alpn_protocols = alpn;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, server);
        within(HANDSHAKE, "the server did not finish the TLS handshake in time", connecting).await
    }
}

/// Connects to a server.
pub(crate) async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = within(CONNECT, "the server did not answer in time", TcpStream::connect(server)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What rustls agreed on, as people write it.
pub(crate) fn version_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS 1.3",
    }
}

/// The only versions that the client is offered: the one that the server chose.
pub(crate) fn same_version(version: Option<ProtocolVersion>) -> &'static [&'static SupportedProtocolVersion] {
    const TLS_12: &[&SupportedProtocolVersion] = &[&version::TLS12];
    const TLS_13: &[&SupportedProtocolVersion] = &[&version::TLS13];
    if version == Some(ProtocolVersion::TLSv1_2) { TLS_12 } else { TLS_13 }
}

/// The server's own certificate.
pub(crate) fn certificate(server: &TlsStream<TcpStream>) -> Option<&CertificateDer<'static>> {
    server.get_ref().1.peer_certificates()?.first()
}

pub(crate) async fn within<T>(
    limit: Duration,
    words: &'static str,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, words)))
}

fn config(
    roots: &Arc<RootCertStore>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth())
}
