//! Real TLS 1.3 connections between a client and a server in memory.

use rcgen::KeyPair;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig, ServerConnection, version};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

/// Who sent a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// Bytes that one side sent before the other had its say.
#[derive(Debug)]
pub(crate) struct Flight {
    /// Who sent it.
    pub(crate) side: Side,
    /// TLS records.
    pub(crate) bytes: Vec<u8>,
}

/// Makes connections and collects their keys.
pub(crate) struct Sessions {
    clients: Vec<Arc<ClientConfig>>,
    server: Arc<ServerConfig>,
    keys: Arc<Keys>,
}

/// One connection that has shaken hands.
pub(crate) struct Session {
    client: ClientConnection,
    server: ServerConnection,
    /// What was sent until now.
    pub(crate) flights: Vec<Flight>,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

impl Sessions {
    /// A server for these names, and a client for each of the three suites of TLS 1.3.
    pub(crate) fn new(hosts: &[&str]) -> Outcome<Self> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let certificate = rcgen::CertificateParams::new(names)?.self_signed(&key)?;
        let keys = Arc::new(Keys::default());
        let suites = &ring::default_provider().cipher_suites[..3];
        let clients = suites.iter().map(|suite| client(*suite, certificate.der(), &keys)).collect::<Outcome<_>>()?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(&[&version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        Ok(Self { clients, server: Arc::new(server), keys })
    }

    /// The connection of that number: suites take turns.
    pub(crate) fn open(&self, number: usize, host: &str) -> Outcome<Session> {
        let config = Arc::clone(&self.clients[number % self.clients.len()]);
        let mut client = ClientConnection::new(config, ServerName::try_from(host.to_owned())?)?;
        let mut server = ServerConnection::new(Arc::clone(&self.server))?;
        client.set_buffer_limit(None);
        server.set_buffer_limit(None);
        let mut session = Session { client, server, flights: Vec::new() };
        while session.client.is_handshaking() || session.server.is_handshaking() {
            session.client_flight()?;
            session.server_flight()?;
        }
        Ok(session)
    }

    /// The key log of every connection until now, in the NSS format.
    pub(crate) fn key_log(&self) -> String {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Session {
    /// The client sends a request and the server answers.
    pub(crate) fn exchange(&mut self, request: &[u8], answer: &[u8]) -> Outcome<()> {
        self.client.writer().write_all(request)?;
        self.client_flight()?;
        self.server.writer().write_all(answer)?;
        self.server_flight()
    }

    /// Both say goodbye.
    pub(crate) fn close(&mut self) -> Outcome<()> {
        self.client.send_close_notify();
        self.client_flight()?;
        self.server.send_close_notify();
        self.server_flight()
    }

    fn client_flight(&mut self) -> Outcome<()> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes)?;
        }
        let mut unread = bytes.as_slice();
        while !unread.is_empty() {
            self.server.read_tls(&mut unread)?;
            let waiting = self.server.process_new_packets()?.plaintext_bytes_to_read();
            self.server.reader().read_exact(&mut vec![0; waiting])?;
        }
        self.note(Side::Client, bytes);
        Ok(())
    }

    fn server_flight(&mut self) -> Outcome<()> {
        let mut bytes = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut bytes)?;
        }
        let mut unread = bytes.as_slice();
        while !unread.is_empty() {
            self.client.read_tls(&mut unread)?;
            let waiting = self.client.process_new_packets()?.plaintext_bytes_to_read();
            self.client.reader().read_exact(&mut vec![0; waiting])?;
        }
        self.note(Side::Server, bytes);
        Ok(())
    }

    fn note(&mut self, side: Side, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.flights.push(Flight { side, bytes });
        }
    }
}

#[derive(Debug, Default)]
struct Keys(Mutex<String>);

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hex = crate::values::hex;
        let _ = writeln!(text, "{label} {} {}", hex(client_random), hex(secret));
    }
}

fn client(
    suite: rustls::SupportedCipherSuite,
    certificate: &CertificateDer<'_>,
    keys: &Arc<Keys>,
) -> Outcome<Arc<ClientConfig>> {
    let provider = CryptoProvider { cipher_suites: vec![suite], ..ring::default_provider() };
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned())?;
    let mut config = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.key_log = Arc::<Keys>::clone(keys);
    // Every connection shakes hands in full, so that none depends on another.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
