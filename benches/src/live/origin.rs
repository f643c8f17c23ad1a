//! The server behind every proxy: HTTP/1.1 and HTTP/2 in TLS, on a thread of its own.

use super::content::Content;
use bytes::Bytes;
use dyetrace_case::hex;
use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Its name: every system resolves it.
pub(super) const NAME: &str = "localhost";

/// A server at work.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    pub(super) authority: CertificateDer<'static>,
    pub(super) authority_pem: String,
}

impl Origin {
    /// Starts it; it works until the program ends.
    pub(super) fn start(content: &Arc<Content>) -> Result<Self, Box<dyn Error>> {
        let (config, authority, authority_pem) = certificates()?;
        let (content, (tell, told)) = (Arc::clone(content), std::sync::mpsc::channel());
        std::thread::Builder::new().name("origin".to_owned()).spawn(move || -> io::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                // Nobody who asked is gone.
                let _ = tell.send(listener.local_addr()?);
                serve(listener, TlsAcceptor::from(Arc::new(config)), content).await
            })
        })?;
        Ok(Self { address: told.recv()?, authority, authority_pem })
    }
}

fn certificates() -> Result<(ServerConfig, CertificateDer<'static>, String), Box<dyn Error>> {
    let ca_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "the bench's authority");
    let ca = params.self_signed(&ca_key)?;
    let key = KeyPair::generate()?;
    let names = vec![NAME.to_owned(), "127.0.0.1".to_owned()];
    let mut leaf = CertificateParams::new(names)?;
    // OpenSSL wants to see who signed it (RFC 5280 section 4.2.1.1).
    leaf.use_authority_key_identifier_extension = true;
    leaf.distinguished_name.push(DnType::CommonName, NAME);
    let leaf = leaf.signed_by(&key, &Issuer::new(params, ca_key))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, ca.der().clone(), ca.pem()))
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, content: Arc<Content>) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (tls, content) = (tls.clone(), Arc::clone(&content));
        // A client that went is no fault of the server.
        tokio::spawn(async move {
            let stream = tls.accept(socket).await?;
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                return http2(stream, &content).await.map_err(io::Error::other);
            }
            http1(BufStream::new(stream), &content).await
        });
    }
}

async fn http1(mut stream: BufStream<TlsStream<TcpStream>>, content: &Content) -> io::Result<()> {
    let answer = content.small(0, false);
    loop {
        let Some((is_long, length)) = read_head(&mut stream).await? else { return Ok(()) };
        if length > 0 {
            let digest = read_body(&mut stream, length).await?;
            let answer = if is_long { digest.into_bytes() } else { answer.clone() };
            head(&mut stream, answer.len()).await?;
            stream.write_all(&answer).await?;
        } else {
            head(&mut stream, Content::long_length()).await?;
            for piece in content.long(true) {
                stream.write_all(&piece).await?;
            }
        }
        stream.flush().await?;
    }
}

/// Whether a request is for a long body, and the length of its own. `None` at the end.
async fn read_head(stream: &mut BufStream<TlsStream<TcpStream>>) -> io::Result<Option<(bool, usize)>> {
    let (mut line, mut is_long, mut length) = (String::new(), false, 0);
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        is_long |= line.contains("/long");
        let field = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        length = field.map_or(Ok(length), |(_, value)| value.trim().parse()).map_err(io::Error::other)?;
    }
    Ok(Some((is_long, length)))
}

/// The body's SHA-256.
async fn read_body(stream: &mut BufStream<TlsStream<TcpStream>>, mut length: usize) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 << 10]);
    while length > 0 {
        let most = length.min(piece.len());
        let read = stream.read(&mut piece[..most]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&piece[..read]);
        length -= read;
    }
    Ok(hex(&hash.finalize()))
}

async fn head(stream: &mut BufStream<TlsStream<TcpStream>>, length: usize) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await
}

async fn http2(stream: TlsStream<TcpStream>, content: &Content) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    let small = Bytes::from(content.small(0, false));
    while let Some(asked) = connection.accept().await {
        let (request, mut respond) = asked?;
        let small = small.clone();
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(piece) = body.data().await {
                body.flow_control().release_capacity(piece?.len())?;
            }
            let answer = http::Response::builder().header("content-type", "application/json").body(());
            let Ok(answer) = answer else { return Ok(()) };
            respond.send_response(answer, false)?.send_data(small, true)
        });
    }
    Ok(())
}
