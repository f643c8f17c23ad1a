//! Connections: accepted within bounds, read within times, TLS where there is a certificate.

use super::http::{MOST_BODY, MOST_HEAD, Parsed, Request, parse};
use super::{Response, Service};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Connections at once.
const AT_ONCE: usize = 512;
/// How long a handshake, a request, an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Requests of one connection.
const MOST_REQUESTS: usize = 100;

/// Nothing of others is loaded, nothing frames the page, and the only program that runs is its own.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the service listens.
pub struct Front {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Front {
    /// Binds. Without TLS only loopback is allowed: what is asked for would be hidden even so, but who asks for which
    /// bucket would not.
    ///
    /// # Errors
    /// Where the address cannot be had, or is not loopback and there is no certificate.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> io::Result<Self> {
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "without a certificate only loopback is served"));
        }
        Ok(Self { listener: TcpListener::bind(address).await?, tls: tls.map(TlsAcceptor::from) })
    }

    /// The address that was bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Serves until the task is dropped.
pub async fn serve(front: Front, service: Arc<Service>) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, peer)) = front.listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (service, tls) = (Arc::clone(&service), front.tls.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            // Who breaks off is not told to anybody.
            let _ = match tls {
                None => converse(stream, peer.ip(), service, PATIENCE).await,
                Some(tls) => match timeout(PATIENCE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, peer.ip(), service, PATIENCE).await,
                    _ => Ok(()),
                },
            };
            drop(permit);
        });
    }
}

/// Answers one connection. Each step has its time: who reads nothing must not hold a connection's place.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    peer: IpAddr,
    service: Arc<Service>,
    patience: Duration,
) -> io::Result<()> {
    let mut read = Vec::new();
    for _ in 0..MOST_REQUESTS {
        let request = match timeout(patience, next(&mut stream, &mut read)).await {
            Ok(Ok(Some(Ok(request)))) => request,
            Ok(Ok(Some(Err(status)))) => {
                let refusal = Response::problem(status, "this request is not understood");
                return timeout(patience, write(&mut stream, &refusal, false, true)).await?;
            }
            _ => return Ok(()),
        };
        let (close, is_head) = (request.close, request.method == "HEAD");
        let service = Arc::clone(&service);
        let answer = tokio::task::spawn_blocking(move || service.answer(&request, peer));
        let response = answer.await.map_err(io::Error::other)?;
        timeout(patience, write(&mut stream, &response, is_head, close)).await??;
        if close {
            break;
        }
    }
    timeout(patience, stream.shutdown()).await?
}

/// The next request, or the status that refuses it. `None` at the end.
async fn next<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) -> io::Result<Option<Result<Request, u16>>> {
    loop {
        match parse(read) {
            Parsed::Whole(request, length) => {
                read.drain(..length);
                return Ok(Some(Ok(*request)));
            }
            Parsed::Refused(status) => return Ok(Some(Err(status))),
            Parsed::Partial => {}
        }
        // Never reached: a request that is longer is refused by its head.
        if read.len() > MOST_HEAD + MOST_BODY {
            return Ok(Some(Err(413)));
        }
        let mut more = [0; 2048];
        match stream.read(&mut more).await? {
            0 => return Ok(None),
            length => read.extend_from_slice(more.get(..length).unwrap_or_default()),
        }
    }
}

async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    response: &Response,
    is_head: bool,
    close: bool,
) -> io::Result<()> {
    stream.write_all(head(response, close).as_bytes()).await?;
    if !is_head {
        stream.write_all(&response.body).await?;
    }
    stream.flush().await
}

fn head(response: &Response, close: bool) -> String {
    let retry = response.retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
    let connection = if close { "close" } else { "keep-alive" };
    format!(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {connection}\r\n{retry}\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\nContent-Security-Policy: {POLICY}\r\n\r\n",
        response.status,
        reason(response.status),
        response.kind,
        response.body.len(),
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Key;
    use crate::index::{Builder, Index, Person, Plan};
    use crate::service::Setup;
    use crate::{Identifier, Kind, Source};
    use ed25519_dalek::SigningKey;
    use tokio::net::TcpStream;

    const SHORT: Duration = Duration::from_millis(300);

    fn service() -> Arc<Service> {
        let (folder, key) = (tempfile::tempdir().unwrap(), Key::derive(&[4; 32], b"").unwrap());
        let path = folder.path().join("check.index");
        let sources = vec![Source { name: "Example shop".to_owned(), date: None }];
        let mut builder = Builder::new(Plan { sources, k: 1, bits: None }, &key, folder.path()).unwrap();
        let identifiers = vec![Identifier::new(Kind::Qq, "10001").unwrap()];
        builder.add(Person { identifiers, source: 0, fields: 1 }).unwrap();
        builder.finish(vec!["qq".to_owned()], &SigningKey::from_bytes(&[3; 32]), &path).unwrap();
        let setup = Setup { names: Vec::new(), each_minute: 20, forwarded: false, proof: None, wasm: None };
        Arc::new(Service::new(Index::open(&path).unwrap(), key, setup).unwrap())
    }

    /// A connection on which the client has sent something and takes nothing: not one byte more fits into it.
    async fn stuffed(sent: &str) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        server.readable().await.unwrap();
        while timeout(SHORT, server.writable()).await.is_ok() {
            let _ = server.try_write(&[0; 1 << 13]);
        }
        (server, client)
    }

    #[tokio::test]
    async fn a_connection_whose_refusal_or_answer_nobody_reads_is_given_up() {
        for sent in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
            let (server, _client) = stuffed(sent).await;
            let peer = server.peer_addr().unwrap().ip();
            let ended = timeout(SHORT * 20, converse(server, peer, service(), SHORT)).await;
            assert_eq!(ended.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut, "{sent}");
        }
    }
}
