//! The client: requests through a proxy, or directly, and how long each took.

use super::content::{Content, EACH};
use super::origin::NAME;
use bytes::Bytes;
use dyetrace_case::hex;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Fault = Box<dyn Error + Send + Sync>;

/// Where requests go, and by whom.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) proxy: Option<SocketAddr>,
    pub(super) origin: SocketAddr,
    pub(super) trusted: CertificateDer<'static>,
}

/// Small requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTTP/1.1, many on each connection.
    KeepAlive,
    /// HTTP/2, one after another on each connection.
    Http2,
    /// HTTP/1.1, each on a connection of its own.
    New,
}

/// So many of them, on so many connections at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) kind: Kind,
    pub(super) count: usize,
    pub(super) at_once: usize,
    /// Which of them have a value: one in so many.
    pub(super) values: Values,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    None,
    Some,
    All,
}

impl Job {
    fn has_value(&self, number: usize) -> bool {
        match self.values {
            Values::None => false,
            Values::Some => number.is_multiple_of(EACH),
            Values::All => true,
        }
    }

    /// How many of them have a value.
    pub(super) fn planted(&self) -> usize {
        (0..self.count).filter(|number| self.has_value(*number)).count()
    }
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Requests that the server answered.
    pub(super) answered: usize,
    /// Requests that the proxy answered with 451 (RFC 7725).
    pub(super) blocked: usize,
    /// In order of length.
    pub(super) times: Vec<Duration>,
}

impl Outcome {
    fn note(&mut self, status: u16, time: Duration) -> Result<(), Fault> {
        *match status {
            200 => &mut self.answered,
            451 => &mut self.blocked,
            _ => return Err(format!("an answer with status {status}").into()),
        } += 1;
        self.times.push(time);
        Ok(())
    }

    /// The time that so many in a hundred did not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.times.len() * percent).div_ceil(100).saturating_sub(1);
        self.times.get(at).copied().unwrap_or_default()
    }
}

impl Way {
    /// Sends them all.
    pub(super) async fn run(&self, job: Job, content: &Arc<Content>) -> Result<Outcome, Fault> {
        let (next, mut clients) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for _ in 0..job.at_once {
            let client = Client { way: self.clone(), job, content: Arc::clone(content), next: Arc::clone(&next) };
            clients.spawn(client.run());
        }
        let mut all = Outcome::default();
        while let Some(done) = clients.join_next().await {
            let one = done??;
            all.answered += one.answered;
            all.blocked += one.blocked;
            all.times.extend(one.times);
        }
        all.times.sort_unstable();
        Ok(all)
    }

    /// 100 MB to the server, and 100 MB back: whether both arrived as they were sent.
    pub(super) async fn long(&self, plants: bool, content: &Content) -> Result<bool, Fault> {
        let mut stream = BufStream::new(self.connect(b"http/1.1").await?);
        let head = format!("POST /long HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {}\r\n\r\n", Content::long_length());
        stream.write_all(head.as_bytes()).await?;
        for piece in content.long(plants) {
            stream.write_all(&piece).await?;
        }
        stream.flush().await?;
        let (status, _, answer) = read_answer(&mut stream).await?;
        let up = status == 200 && answer == hex(&content.digest(plants)).as_bytes();
        stream.write_all(format!("GET /long HTTP/1.1\r\nHost: {NAME}\r\n\r\n").as_bytes()).await?;
        stream.flush().await?;
        let (_, _, length) = read_head(&mut stream).await?;
        let mut hash = Sha256::new();
        read_body(&mut stream, length, |piece| hash.update(piece)).await?;
        Ok(up && hash.finalize()[..] == content.digest(true)[..])
    }

    async fn connect(&self, protocol: &[u8]) -> Result<TlsStream<TcpStream>, Fault> {
        let mut tcp = TcpStream::connect(self.proxy.unwrap_or(self.origin)).await?;
        tcp.set_nodelay(true)?;
        if self.proxy.is_some() {
            let target = format!("{NAME}:{}", self.origin.port());
            tcp.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes()).await?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(tcp.read_u8().await?);
            }
            if answer.split(|byte| *byte == b' ').nth(1) != Some(b"200") {
                return Err("the proxy opens no tunnel".into());
            }
        }
        let connector = TlsConnector::from(Arc::new(self.config(protocol)?));
        Ok(connector.connect(ServerName::try_from(NAME)?, tcp).await?)
    }

    fn config(&self, protocol: &[u8]) -> Result<ClientConfig, Fault> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone())?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// One of those who send at the same time.
struct Client {
    way: Way,
    job: Job,
    content: Arc<Content>,
    next: Arc<AtomicUsize>,
}

impl Client {
    async fn run(self) -> Result<Outcome, Fault> {
        if self.job.kind == Kind::Http2 { self.http2().await } else { self.http1().await }
    }

    /// The next body, until all were sent.
    fn next(&self) -> Option<Vec<u8>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.job.count).then(|| self.content.small(number, self.job.has_value(number)))
    }

    async fn http1(self) -> Result<Outcome, Fault> {
        let (mut outcome, mut open) = (Outcome::default(), None);
        while let Some(body) = self.next() {
            let head = format!(
                "POST /v1/events HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let start = Instant::now();
            let mut stream = match open.take() {
                Some(stream) => stream,
                None => BufStream::new(self.way.connect(b"http/1.1").await?),
            };
            stream.write_all(&[head.as_bytes(), &body].concat()).await?;
            stream.flush().await?;
            let (status, closes, _) = read_answer(&mut stream).await?;
            outcome.note(status, start.elapsed())?;
            if self.job.kind == Kind::New {
                stream.shutdown().await?;
            } else if !closes {
                open = Some(stream);
            }
        }
        Ok(outcome)
    }

    async fn http2(self) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        let (mut client, connection) = h2::client::handshake(self.way.connect(b"h2").await?).await?;
        let connection = tokio::spawn(connection);
        while let Some(body) = self.next() {
            let start = Instant::now();
            client = client.ready().await?;
            let request = http::Request::post(format!("https://{NAME}:{}/v1/events", self.way.origin.port()))
                .header("content-type", "application/json")
                .header("content-length", body.len())
                .body(())?;
            let (answer, mut sends) = client.send_request(request, false)?;
            sends.send_data(Bytes::from(body), true)?;
            let (answer, mut body) = answer.await?.into_parts();
            while let Some(piece) = body.data().await {
                body.flow_control().release_capacity(piece?.len())?;
            }
            outcome.note(answer.status.as_u16(), start.elapsed())?;
        }
        drop(client);
        // What the connection says when it ends is of no interest any more.
        let _ = connection.await?;
        Ok(outcome)
    }
}

/// Status, whether the connection ends, and the body's length; none where it comes in chunks.
async fn read_head(stream: &mut BufStream<TlsStream<TcpStream>>) -> Result<(u16, bool, Option<usize>), Fault> {
    let (mut line, mut status, mut closes, mut length) = (String::new(), 0, false, Some(0));
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err("the connection ended before an answer".into());
        }
        let lower = line.trim_end().to_ascii_lowercase();
        match lower.split_once(": ") {
            Some(("content-length", value)) => length = Some(value.parse()?),
            Some(("transfer-encoding", _)) => length = None,
            Some(("connection", value)) => closes = value == "close",
            None if status == 0 => status = lower.split(' ').nth(1).unwrap_or_default().parse()?,
            _ => {}
        }
    }
    Ok((status, closes, length))
}

/// Reads a body piece by piece, also one in chunks (RFC 9112 section 7.1).
async fn read_body(
    stream: &mut BufStream<TlsStream<TcpStream>>,
    length: Option<usize>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Fault> {
    let mut piece = vec![0; 64 << 10];
    loop {
        let (mut line, is_chunk) = (String::new(), length.is_none());
        if is_chunk {
            stream.read_line(&mut line).await?;
        }
        let mut left = match length {
            Some(length) => length,
            None => usize::from_str_radix(line.trim_end(), 16)?,
        };
        let is_last = !is_chunk || left == 0;
        while left > 0 {
            let most = left.min(piece.len());
            stream.read_exact(&mut piece[..most]).await?;
            take(&piece[..most]);
            left -= most;
        }
        if is_chunk {
            stream.read_line(&mut line).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn read_answer(stream: &mut BufStream<TlsStream<TcpStream>>) -> Result<(u16, bool, Vec<u8>), Fault> {
    let (status, closes, length) = read_head(stream).await?;
    let mut body = Vec::new();
    read_body(stream, length, |piece| body.extend_from_slice(piece)).await?;
    Ok((status, closes, body))
}
