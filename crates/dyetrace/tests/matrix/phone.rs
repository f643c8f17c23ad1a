//! The phone: it does what the cells say, by whatever way it reaches its servers.

use crate::cells::{Doing, Http, Protection, Turn};
use crate::servers::{Addresses, NAME, PINNED_NAME};
use crate::wire::{Connection, Message, deflated, frame, inflated, mqtt, read_frame, until};
use bytes::Bytes;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How the phone reaches its servers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// By an HTTP proxy: tunnels, and requests in absolute form for what is clear.
    HttpProxy(SocketAddr),
    /// By a SOCKS5 proxy.
    Socks(SocketAddr),
    /// It knows of nothing between them.
    Direct,
}

/// What the phone knows.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) way: Way,
    pub(crate) servers: Addresses,
    /// The authority that was installed on it.
    pub(crate) installed: CertificateDer<'static>,
    /// The authority that a pinning app accepts.
    pub(crate) pinned: CertificateDer<'static>,
}

/// Why the phone did not get what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It was told so, with that status of HTTP.
    Told(u16),
    /// The connection ended.
    Cut(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Cut(error.to_string())
    }
}

impl From<h2::Error> for Failed {
    fn from(error: h2::Error) -> Self {
        Self::Cut(error.to_string())
    }
}

const MASK: [u8; 4] = [0x9d, 0x01, 0x7e, 0x44];
const PATIENCE: Duration = Duration::from_mins(1);

impl Phone {
    /// Does it, and gives what was answered.
    pub(crate) async fn play(&self, turn: Turn) -> Result<Vec<u8>, Failed> {
        let played = tokio::time::timeout(PATIENCE, self.played(turn)).await;
        played.unwrap_or_else(|_| panic!("{}: nothing happens any more", turn.key()))
    }

    async fn played(&self, turn: Turn) -> Result<Vec<u8>, Failed> {
        let name = ServerName::try_from(NAME).unwrap();
        let is_clear = turn.cell.protection == Protection::Clear;
        match turn.cell.doing {
            Doing::Get(Http::Two) | Doing::Post(Http::Two) => {
                request2(self.secure(self.servers.https, name, "h2").await?, turn).await
            }
            Doing::Get(_) | Doing::Post(_) if is_clear => self.clear_request(turn).await,
            Doing::Get(_) | Doing::Post(_) | Doing::LongPost | Doing::LongAnswer => {
                request1(self.secure(self.servers.https, name, "http/1.1").await?, turn, "", NAME).await
            }
            Doing::PostToAddress => {
                let address = self.servers.https.ip();
                let stream = self.secure(self.servers.https, ServerName::IpAddress(address.into()), "http/1.1").await?;
                request1(stream, turn, "", &self.servers.https.to_string()).await
            }
            Doing::PostPinned => self.pinned_request(turn).await,
            Doing::Mqtt if is_clear => publish(self.reach(self.servers.mqtt).await?, turn).await,
            Doing::Mqtt => publish(self.secure(self.servers.mqtts, name, "").await?, turn).await,
            Doing::ServerFirst => log_in(self.reach(self.servers.mail).await?, turn).await,
            Doing::WebSocket { .. } if is_clear => self.clear_websocket(turn).await,
            Doing::WebSocket { .. } => {
                websocket(self.secure(self.servers.https, name, "http/1.1").await?, turn, "").await
            }
        }
    }

    /// What comes before the path where a clear request goes to an HTTP proxy, and the connection it goes by.
    async fn clear(&self) -> io::Result<(Connection, String)> {
        match self.way {
            Way::HttpProxy(proxy) => Ok((dial(proxy).await?, format!("http://{}", self.servers.http))),
            _ => Ok((self.reach(self.servers.http).await?, String::new())),
        }
    }

    async fn clear_request(&self, turn: Turn) -> Result<Vec<u8>, Failed> {
        let (stream, before) = self.clear().await?;
        request1(stream, turn, &before, &self.servers.http.to_string()).await
    }

    async fn clear_websocket(&self, turn: Turn) -> Result<Vec<u8>, Failed> {
        let (stream, before) = self.clear().await?;
        websocket(stream, turn, &before).await
    }

    /// An app that accepts no other certificate, and tries again.
    async fn pinned_request(&self, turn: Turn) -> Result<Vec<u8>, Failed> {
        for _ in 0..5 {
            let name = ServerName::try_from(PINNED_NAME).unwrap();
            let tcp = self.reach(self.servers.https).await?;
            if let Ok(stream) = secure(tcp, &self.pinned, name, "http/1.1").await {
                return request1(stream, turn, "", PINNED_NAME).await;
            }
            // The refusal may still be on its way.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(Failed::Cut("it is not the server".to_owned()))
    }

    async fn secure(&self, to: SocketAddr, name: ServerName<'static>, alpn: &str) -> io::Result<Connection> {
        secure(self.reach(to).await?, &self.installed, name, alpn).await
    }

    /// A connection to that server.
    async fn reach(&self, to: SocketAddr) -> io::Result<Connection> {
        match self.way {
            Way::Direct => dial(to).await,
            Way::Socks(proxy) => socks(dial(proxy).await?, to).await,
            Way::HttpProxy(proxy) => {
                let mut stream = dial(proxy).await?;
                stream.write_all(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n").as_bytes()).await?;
                let answer = until(&mut stream, b"\r\n\r\n").await?;
                assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
                Ok(stream)
            }
        }
    }
}

async fn dial(to: SocketAddr) -> io::Result<Connection> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// RFC 1928, without authentication.
async fn socks(mut stream: Connection, to: SocketAddr) -> io::Result<Connection> {
    stream.write_all(&[5, 1, 0]).await?;
    let mut method = [0; 2];
    stream.read_exact(&mut method).await?;
    assert_eq!(method, [5, 0]);
    let IpAddr::V4(address) = to.ip() else { panic!("IPv4") };
    stream.write_all(&[&[5, 1, 0, 1][..], &address.octets(), &to.port().to_be_bytes()].concat()).await?;
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).await?;
    assert_eq!(reply[1], 0);
    Ok(stream)
}

async fn secure(
    stream: Connection,
    trusted: &CertificateDer<'static>,
    name: ServerName<'static>,
    alpn: &str,
) -> io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = Some(alpn.as_bytes().to_vec()).filter(|alpn| !alpn.is_empty()).into_iter().collect();
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

async fn request1(mut stream: Connection, turn: Turn, before: &str, host: &str) -> Result<Vec<u8>, Failed> {
    let up = turn.up();
    let (request, body) = if matches!(turn.cell.doing, Doing::Get(_)) {
        (format!("GET {before}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", String::from_utf8(up).unwrap()), Vec::new())
    } else {
        let fields = format!("Host: {host}\r\nContent-Type: application/json\r\nContent-Length: {}", up.len());
        (format!("POST {before}/{} HTTP/1.1\r\n{fields}\r\n\r\n", turn.key()), up)
    };
    stream.write_all(request.as_bytes()).await?;
    // Who is refused in the middle of a long body reads why.
    let sent = async { stream.write_all(&body).await.and(stream.flush().await) }.await;
    let answer = Message::read(&mut stream).await;
    let answer = answer.map_err(|error| sent.err().unwrap_or(error))?;
    if answer.second_word() == "200" { Ok(answer.body) } else { Err(told(answer.second_word())) }
}

async fn request2(stream: Connection, turn: Turn) -> Result<Vec<u8>, Failed> {
    let (mut client, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    let up = turn.up();
    let (method, path, body) = match turn.cell.doing {
        Doing::Get(_) => (http::Method::GET, String::from_utf8(up).unwrap(), Vec::new()),
        _ => (http::Method::POST, format!("/{}", turn.key()), up),
    };
    let request = http::Request::builder().method(method).uri(format!("https://{NAME}{path}")).body(()).unwrap();
    let (answer, mut sends) = client.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        sends.send_data(Bytes::from(body), true)?;
    }
    let answer = answer.await?;
    let status = answer.status();
    let (mut body, mut content) = (answer.into_body(), Vec::new());
    while let Some(piece) = body.data().await {
        content.extend_from_slice(&piece?);
    }
    if status == 200 { Ok(content) } else { Err(told(status.as_str())) }
}

async fn websocket(mut stream: Connection, turn: Turn, before: &str) -> Result<Vec<u8>, Failed> {
    let deflates = turn.cell.doing == Doing::WebSocket { deflated: true };
    let extension = if deflates { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    let request = format!(
        "GET {before}/{} HTTP/1.1\r\nHost: {NAME}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extension}\r\n",
        turn.key()
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let answer = Message::read(&mut stream).await?;
    assert_eq!(answer.second_word(), "101");
    let up = if deflates { deflated(&turn.up()) } else { turn.up() };
    stream.write_all(&frame(&up, Some(MASK), deflates)).await?;
    stream.flush().await?;
    match read_frame(&mut stream).await? {
        (1, true, content) => Ok(inflated(&content)),
        (1, false, content) => Ok(content),
        (opcode, ..) => Err(Failed::Cut(format!("a frame of type {opcode}"))),
    }
}

async fn publish(mut stream: Connection, turn: Turn) -> Result<Vec<u8>, Failed> {
    stream.write_all(&mqtt::connect("phone")).await?;
    stream.flush().await?;
    assert_eq!(mqtt::read(&mut stream).await?, (mqtt::CONNACK, vec![0, 0]));
    stream.write_all(&mqtt::publish(&turn.key(), &turn.up())).await?;
    stream.flush().await?;
    let (_, body) = mqtt::read(&mut stream).await?;
    let (topic, content) = mqtt::published(&body);
    assert_eq!(topic, turn.key());
    // DISCONNECT
    stream.write_all(&mqtt::packet(0xe0, &[])).await?;
    stream.shutdown().await?;
    Ok(content)
}

async fn log_in(mut stream: Connection, turn: Turn) -> Result<Vec<u8>, Failed> {
    assert_eq!(until(&mut stream, b"\r\n").await?, b"220 ready\r\n");
    stream.write_all(&[format!("LOGIN {} ", turn.key()).as_bytes(), &turn.up(), b"\r\n"].concat()).await?;
    let line = until(&mut stream, b"\r\n").await?;
    Ok(line.strip_prefix(b"250 ").and_then(|line| line.strip_suffix(b"\r\n")).unwrap().to_vec())
}

fn told(status: &str) -> Failed {
    Failed::Told(status.parse().unwrap())
}
