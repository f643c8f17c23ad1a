//! What the programs on the phone share: finding a server by name and talking HTTP with it.

use crate::http::{HttpMessage, HttpReader};
use crate::plan::{Plan, Service};
use crate::tester::Outcome;
use crate::{dns, tls};
use rustls::ClientConfig;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// An HTTPS connection.
pub type Connection = HttpReader<tls::ClientStream>;

/// The phone's way to its servers.
pub struct Client {
    /// Where they are.
    pub plan: Plan,
    /// TLS settings; the recorder's phone leaves its keys.
    pub tls: Arc<ClientConfig>,
    /// `User-Agent`.
    pub agent: &'static str,
    /// The HTTP proxy in the phone's settings.
    pub proxy: Option<SocketAddr>,
}

impl Client {
    /// Asks the name server for the address, then connects.
    ///
    /// # Errors
    /// Nobody answers, or not with a certificate for that name.
    pub fn connect(&self, service: Service) -> Outcome<Connection> {
        Ok(HttpReader::new(tls::over(&self.tls, service.name, self.reach(service)?)?))
    }

    /// The same without TLS.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn connect_in_clear(&self, service: Service) -> Outcome<HttpReader<TcpStream>> {
        Ok(HttpReader::new(self.reach(service)?))
    }

    /// A connection to the server, by the proxy where there is one (RFC 9110 section 9.3.6).
    fn reach(&self, service: Service) -> Outcome<TcpStream> {
        let address = self.find(service)?;
        let mut socket = TcpStream::connect_timeout(&self.proxy.unwrap_or(address), Duration::from_secs(5))?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        socket.set_nodelay(true)?;
        if self.proxy.is_some() {
            HttpMessage::new(&format!("CONNECT {address} HTTP/1.1"))
                .header("Host", &address.to_string())
                .write(&mut socket)?;
            skip_head(&mut socket)?;
        }
        Ok(socket)
    }

    /// Where the name server says that the server is.
    ///
    /// # Errors
    /// The name server does not answer, or knows no such name.
    pub fn find(&self, service: Service) -> Outcome<SocketAddr> {
        Ok((dns::lookup(service.name, self.plan.dns)?, self.plan.socket_of(service).port()).into())
    }

    /// A request of this phone.
    pub fn request(&self, method: &str, path: &str, host: &str) -> HttpMessage {
        HttpMessage::new(&format!("{method} {path} HTTP/1.1"))
            .header("Host", host)
            .header("User-Agent", self.agent)
            .header("Accept", "application/json")
    }

    /// Sends JSON on a connection.
    ///
    /// # Errors
    /// The server refuses or does not answer.
    pub fn post<S: Read + Write>(
        &self,
        peer: &mut HttpReader<S>,
        service: Service,
        path: &str,
        body: &Value,
    ) -> Outcome<()> {
        exchange(peer, &self.request("POST", path, service.name).with("application/json", body.to_string()))
    }
}

/// Connects to an HTTP server in clear.
///
/// # Errors
/// Nobody answers.
pub fn knock(address: SocketAddr) -> Outcome<HttpReader<TcpStream>> {
    let socket = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(HttpReader::new(socket))
}

/// Reads the proxy's answer and not a byte more.
fn skip_head(socket: &mut TcpStream) -> Outcome<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    if head.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err("the proxy refuses".into()) }
}

/// Sends a request and waits for an answer that accepts it.
///
/// # Errors
/// The server refuses or does not answer.
pub fn exchange<S: Read + Write>(peer: &mut HttpReader<S>, request: &HttpMessage) -> Outcome<()> {
    ask(peer, request).map(drop)
}

/// The same, for who wants to read the answer.
///
/// # Errors
/// The server refuses or does not answer.
pub fn ask<S: Read + Write>(peer: &mut HttpReader<S>, request: &HttpMessage) -> Outcome<HttpMessage> {
    request.write(peer.stream())?;
    let answer = peer.read()?.ok_or("the peer closed without an answer")?;
    if answer.start.starts_with("HTTP/1.1 2") { Ok(answer) } else { Err("the peer refused".into()) }
}

/// Closes a TLS connection as the standard wants it.
pub fn goodbye(stream: &mut tls::ClientStream) {
    stream.conn.send_close_notify();
    // The peer may have gone already.
    drop(stream.conn.complete_io(&mut stream.sock));
}
