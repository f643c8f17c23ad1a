//! Certificates and TLS settings of the lab, made anew at each start.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls::{SupportedProtocolVersion, version};
use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A TLS connection as the client sees it.
pub type ClientStream = StreamOwned<ClientConnection, TcpStream>;
/// A TLS connection as the server sees it.
pub type ServerStream = StreamOwned<ServerConnection, TcpStream>;

/// The lab's certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, for those who are to trust it.
    pub pem: String,
}

impl Authority {
    /// Makes a key and a self-signed certificate.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "dyetrace lab");
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Settings of a server of that name.
    pub fn server(&self, name: &str, versions: Versions) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        Ok(Arc::new(config))
    }
}

/// Versions of TLS.
pub type Versions = &'static [&'static SupportedProtocolVersion];
/// Every version that the lab speaks.
pub const ALL: Versions = &[&version::TLS13, &version::TLS12];
/// Only TLS 1.2, as services that nobody has touched for years.
pub const OLD: Versions = &[&version::TLS12];

/// Settings of a client that trusts the authority, or several in one text, and of one that leaves its keys in the file
/// that the environment variable `SSLKEYLOGFILE` names.
pub fn client(authority: &str, key_log: bool) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(ALL)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if key_log {
        config.key_log = Arc::new(rustls::KeyLogFile::new());
    }
    Ok(Arc::new(config))
}

/// Connects to a server and asks for it by name.
pub fn connect(
    config: &Arc<ClientConfig>,
    name: &'static str,
    address: SocketAddr,
) -> Result<ClientStream, Box<dyn Error>> {
    over(config, name, TcpStream::connect_timeout(&address, Duration::from_secs(5))?)
}

/// The same over a connection that is there.
pub fn over(config: &Arc<ClientConfig>, name: &'static str, socket: TcpStream) -> Result<ClientStream, Box<dyn Error>> {
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    socket.set_nodelay(true)?;
    let connection = ClientConnection::new(Arc::clone(config), ServerName::try_from(name)?)?;
    Ok(StreamOwned::new(connection, socket))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
