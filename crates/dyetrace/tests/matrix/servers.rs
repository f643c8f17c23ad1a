//! The servers: they answer each turn as it is to be answered, and remember what arrived.

use crate::cells::Turn;
use crate::wire::{Connection, Message, deflated, frame, inflated, mqtt, read_frame, until};
use bytes::Bytes;
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) const NAME: &str = "api.example.test";
pub(crate) const PINNED_NAME: &str = "pinned.example.test";

/// The certificates of the servers.
#[derive(Clone)]
pub(crate) struct Certificates {
    /// The authority, to be trusted.
    pub(crate) authority: CertificateDer<'static>,
    pub(crate) authority_pem: String,
    config: ServerConfig,
}

impl Certificates {
    /// For both names and the address.
    pub(crate) fn new(address: IpAddr) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec![NAME.to_owned(), PINNED_NAME.to_owned(), address.to_string()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &Issuer::new(params, ca_key)).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        Self { authority: ca.der().clone(), authority_pem: ca.pem(), config }
    }

    fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Where the servers listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) https: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) mqtts: SocketAddr,
    pub(crate) mqtt: SocketAddr,
    pub(crate) mail: SocketAddr,
}

/// What arrived, by the turn's key.
#[derive(Clone, Default)]
pub(crate) struct Arrived(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Arrived {
    pub(crate) fn take(&self, turn: Turn) -> Option<Vec<u8>> {
        self.0.lock().unwrap().remove(&turn.key())
    }

    fn note(&self, turn: Turn, what: Vec<u8>) {
        self.0.lock().unwrap().insert(turn.key(), what);
    }
}

#[derive(Clone, Copy)]
enum Speaks {
    Http,
    Mqtt,
    Mail,
}

/// Opens all of them on that address; they work as long as the runtime does.
pub(crate) async fn open(address: IpAddr, certificates: &Certificates, arrived: &Arrived) -> Addresses {
    let http = certificates.acceptor(&["h2", "http/1.1"]);
    let plain = certificates.acceptor(&[]);
    let start = |tls, speaks| start(address, tls, speaks, arrived.clone());
    Addresses {
        https: start(Some(http), Speaks::Http).await,
        http: start(None, Speaks::Http).await,
        mqtts: start(Some(plain), Speaks::Mqtt).await,
        mqtt: start(None, Speaks::Mqtt).await,
        mail: start(None, Speaks::Mail).await,
    }
}

async fn start(address: IpAddr, tls: Option<TlsAcceptor>, speaks: Speaks, arrived: Arrived) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let bound = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (tls, arrived) = (tls.clone(), arrived.clone());
            // What a guard cuts off is an error here, and is looked at from the phone's end.
            tokio::spawn(async move { serve(socket, tls, speaks, &arrived).await });
        }
    });
    bound
}

async fn serve(socket: TcpStream, tls: Option<TlsAcceptor>, speaks: Speaks, arrived: &Arrived) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut is_h2 = false;
    let mut stream: Connection = match tls {
        Some(tls) => {
            let stream = tls.accept(socket).await?;
            is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Box::new(stream)
        }
        None => Box::new(socket),
    };
    match speaks {
        Speaks::Http if is_h2 => return http2(stream, arrived).await.map_err(io::Error::other),
        Speaks::Http => http1(&mut stream, arrived).await?,
        Speaks::Mqtt => mqtt(&mut stream, arrived).await?,
        Speaks::Mail => mail(&mut stream, arrived).await?,
    }
    stream.shutdown().await
}

/// The turn of a target such as `/h1-get-planted?p=…`.
fn turn_of(target: &str) -> io::Result<Turn> {
    let key = target.trim_start_matches('/').split('?').next().unwrap_or_default();
    Turn::of_key(key).ok_or_else(|| io::Error::other("nobody does that"))
}

async fn http1(stream: &mut Connection, arrived: &Arrived) -> io::Result<()> {
    let request = Message::read(stream).await?;
    let target = request.second_word().to_owned();
    let turn = turn_of(&target)?;
    if request.field("upgrade").is_some() {
        return websocket(stream, &request, turn, arrived).await;
    }
    let is_get = request.head.starts_with("GET ");
    arrived.note(turn, if is_get { target.into_bytes() } else { request.body });
    let body = turn.down();
    stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}

/// Takes one message and answers with one; deflated where the client offered that.
async fn websocket(stream: &mut Connection, request: &Message, turn: Turn, arrived: &Arrived) -> io::Result<()> {
    let deflates = request.field("sec-websocket-extensions").is_some();
    let extension = if deflates { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    let answer =
        format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{extension}\r\n");
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    let (_, is_deflated, content) = read_frame(stream).await?;
    arrived.note(turn, if is_deflated { inflated(&content) } else { content });
    let down = if deflates { deflated(&turn.down()) } else { turn.down() };
    stream.write_all(&frame(&down, None, deflates)).await?;
    stream.flush().await
}

async fn http2(stream: Connection, arrived: &Arrived) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(asked) = connection.accept().await {
        let (request, mut respond) = asked?;
        let arrived = arrived.clone();
        tokio::spawn(async move {
            let target = request.uri().path_and_query().unwrap().to_string();
            let Ok(turn) = turn_of(&target) else { return Ok(()) };
            let is_get = request.method() == http::Method::GET;
            let (mut body, mut content) = (request.into_body(), Vec::new());
            while let Some(piece) = body.data().await {
                let piece = piece?;
                body.flow_control().release_capacity(piece.len())?;
                content.extend_from_slice(&piece);
            }
            arrived.note(turn, if is_get { target.into_bytes() } else { content });
            let mut answer = respond.send_response(http::Response::new(()), false)?;
            answer.send_data(Bytes::from(turn.down()), true)
        });
    }
    Ok(())
}

async fn mqtt(stream: &mut Connection, arrived: &Arrived) -> io::Result<()> {
    loop {
        match mqtt::read(stream).await? {
            (mqtt::CONNECT, _) => stream.write_all(&mqtt::packet(mqtt::CONNACK, &[0, 0])).await?,
            (mqtt::PUBLISH, body) => {
                let (topic, content) = mqtt::published(&body);
                let turn = turn_of(&topic)?;
                arrived.note(turn, content);
                stream.write_all(&mqtt::publish(&topic, &turn.down())).await?;
            }
            _ => return Ok(()),
        }
        stream.flush().await?;
    }
}

/// A protocol in which the server speaks first, as those of mail do.
async fn mail(stream: &mut Connection, arrived: &Arrived) -> io::Result<()> {
    stream.write_all(b"220 ready\r\n").await?;
    let line = String::from_utf8(until(stream, b"\r\n").await?).map_err(io::Error::other)?;
    let (key, said) = line.trim_end().strip_prefix("LOGIN ").and_then(|rest| rest.split_once(' ')).unwrap_or_default();
    let turn = turn_of(key)?;
    arrived.note(turn, said.as_bytes().to_vec());
    stream.write_all(&[b"250 ", &turn.down()[..], b"\r\n"].concat()).await
}
