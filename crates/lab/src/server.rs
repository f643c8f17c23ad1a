//! What the servers share: listening, TLS, HTTP, and the book of what they were sent.

use crate::http::{HttpMessage, HttpReader};
use crate::tls::ServerStream;
use crate::truth::{Arrived, Ledger};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a server was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The server's name.
    pub host: &'static str,
    /// The request line, or the MQTT topic.
    pub what: String,
    /// The body after content coding.
    pub body: Vec<u8>,
}

/// Everything that all servers were sent, and the ledger of what of it was somebody's data.
#[derive(Debug, Default)]
pub struct Book {
    received: Mutex<Vec<Received>>,
    ledger: Option<Ledger>,
}

impl Book {
    /// A book whose personal data is also written down in a ledger.
    pub fn new(ledger: Option<Ledger>) -> Arc<Self> {
        Arc::new(Self { received: Mutex::default(), ledger })
    }

    /// Everything received until now.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes down what a server was sent.
    pub fn note(&self, received: Received) {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    }

    /// Writes down a planted value that a server was sent with a request. An empty one is none.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn arrived(
        &self,
        host: &str,
        request: &HttpMessage,
        kind: &str,
        form: Arrived,
        value: impl AsRef<[u8]>,
    ) -> Result<()> {
        let value = value.as_ref();
        let Some(ledger) = self.ledger.as_ref().filter(|_| !value.is_empty()) else { return Ok(()) };
        ledger.arrived(host, &what(request), kind, form, value)
    }
}

/// Method and path of a request, without what follows a question mark.
fn what(request: &HttpMessage) -> String {
    let mut words = request.start.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    format!("{method} {}", target.split('?').next().unwrap_or_default())
}

/// The path of a request.
pub fn path_of(request: &HttpMessage) -> &str {
    request.start.split([' ', '?']).nth(1).unwrap_or_default()
}

/// The answer of a site to one request.
pub type Site = fn(&HttpMessage, &Book) -> Result<Answer>;

/// An answer, whole or in chunks.
pub struct Answer {
    /// What is said.
    pub message: HttpMessage,
    /// Sent in chunks of that size.
    pub chunks: Option<usize>,
}

impl From<HttpMessage> for Answer {
    fn from(message: HttpMessage) -> Self {
        Self { message, chunks: None }
    }
}

/// Serves each visitor in a thread of its own, until the process ends.
///
/// # Errors
/// The address is taken.
pub fn listen(
    address: SocketAddr,
    serve: impl Fn(TcpStream) -> Result<()> + Clone + Send + 'static,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let serve = serve.clone();
            // A visitor who hangs up is no concern of the others.
            thread::spawn(move || socket.set_nodelay(true).and_then(|()| serve(socket)));
        }
    });
    Ok(bound)
}

/// Answers the requests of one visitor.
///
/// # Errors
/// The visitor does not speak HTTP, or hangs up in between.
pub fn converse<S: Read + Write>(stream: S, host: &'static str, site: Site, book: &Book) -> Result<()> {
    let mut reader = HttpReader::new(stream);
    while let Some(request) = reader.read()? {
        book.note(Received { host, what: request.start.clone(), body: request.decoded()? });
        let answer = site(&request, book)?;
        match answer.chunks {
            Some(most) => answer.message.write_chunked(reader.stream(), most)?,
            None => answer.message.write(reader.stream())?,
        }
    }
    Ok(())
}

/// The server's side of a TLS connection.
///
/// # Errors
/// The settings are not usable.
pub fn accept(config: &Arc<ServerConfig>, socket: TcpStream) -> Result<ServerStream> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    Ok(StreamOwned::new(connection, socket))
}
