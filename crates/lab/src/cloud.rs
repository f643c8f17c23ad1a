//! The maker's cloud, the statistics service beside it, and the name server that knows both.

use crate::http::{HttpMessage, HttpReader};
use crate::plan::{API, DEVICES, EVENTS, Plan};
use crate::tls::{self, Authority, ServerStream};
use crate::{dns, mqtt};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Result;
use std::net::{TcpListener, TcpStream, UdpSocket};
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

/// A running cloud. It ends with the process.
pub struct Cloud {
    /// Where it listens, with the ports that the system picked.
    pub plan: Plan,
    /// The certificate to trust.
    pub authority: String,
    book: Book,
}

type Book = Arc<Mutex<Vec<Received>>>;

impl Cloud {
    /// Starts every server of the plan.
    pub fn start(mut plan: Plan) -> std::result::Result<Self, Box<dyn Error>> {
        let authority = Authority::new()?;
        let book = Book::default();
        plan.api = listen(plan.api, authority.server(API, tls::ALL)?, &book, api)?;
        plan.events = listen(plan.events, authority.server(EVENTS, tls::OLD)?, &book, events)?;
        plan.devices = listen(plan.devices, authority.server(DEVICES, tls::ALL)?, &book, devices)?;
        let socket = UdpSocket::bind(plan.dns)?;
        plan.dns = socket.local_addr()?;
        thread::spawn(move || dns::serve(&socket, &plan));
        Ok(Self { plan, authority: authority.pem, book })
    }

    /// Everything received until now.
    pub fn received(&self) -> Vec<Received> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type Service = fn(ServerStream, &Book) -> Result<()>;

fn listen(
    address: std::net::SocketAddr,
    config: Arc<ServerConfig>,
    book: &Book,
    service: Service,
) -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let book = Arc::clone(book);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let (config, book) = (Arc::clone(&config), Arc::clone(&book));
            // A visitor who hangs up is no concern of the others.
            thread::spawn(move || service(accept(config, socket)?, &book));
        }
    });
    Ok(bound)
}

fn accept(config: Arc<ServerConfig>, socket: TcpStream) -> Result<ServerStream> {
    socket.set_nodelay(true)?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    Ok(StreamOwned::new(connection, socket))
}

fn api(stream: ServerStream, book: &Book) -> Result<()> {
    let mut reader = HttpReader::new(stream);
    while let Some(request) = reader.read()? {
        note(book, API, &request)?;
        let path = request.start.split([' ', '?']).nth(1).unwrap_or_default();
        let body = match path {
            "/v1/consent/text" => json!({"version": "2017-06", "text": CONSENT.repeat(8)}),
            "/v1/account/login" => json!({"code": 0, "token": "b6d1f0c9a2e84375", "expires_in": 86400}),
            "/v2/device/provision" => json!({"code": 0, "status": "bound"}),
            _ => json!({"code": 0}),
        };
        let answer = HttpMessage::new("HTTP/1.1 200 OK").header("Server", "example-gateway");
        let answer = answer.with("application/json", body.to_string());
        if path == "/v1/consent/text" {
            answer.gzip()?.write_chunked(reader.stream(), 64)?;
        } else {
            answer.write(reader.stream())?;
        }
    }
    Ok(())
}

const CONSENT: &str = "Example Home uses your account, your devices and the state they report to run your home. ";

fn events(stream: ServerStream, book: &Book) -> Result<()> {
    let mut reader = HttpReader::new(stream);
    while let Some(request) = reader.read()? {
        note(book, EVENTS, &request)?;
        HttpMessage::new("HTTP/1.1 204 No Content").write(reader.stream())?;
    }
    Ok(())
}

/// Keeps the last report of each plug and hands all of them to whoever subscribes.
fn devices(mut stream: ServerStream, book: &Book) -> Result<()> {
    while let Some(packet) = mqtt::read(&mut stream)? {
        match packet.first {
            0x10 => mqtt::write(&mut stream, &mqtt::ACCEPTED)?,
            0x30 => report(book, &packet),
            0x82 => retained(&mut stream, book)?,
            0xc0 => mqtt::write(&mut stream, &mqtt::PONG)?,
            _ => break,
        }
    }
    stream.conn.send_close_notify();
    stream.conn.complete_io(&mut stream.sock).map(drop)
}

fn retained(stream: &mut ServerStream, book: &Book) -> Result<()> {
    mqtt::write(stream, &mqtt::subscribed())?;
    let book = book.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let reports = book.iter().filter(|received| received.host == DEVICES);
    let last: BTreeMap<&str, &[u8]> = reports.map(|report| (report.what.as_str(), report.body.as_slice())).collect();
    for (topic, report) in last {
        mqtt::write(stream, &mqtt::publish(topic, report))?;
    }
    Ok(())
}

fn report(book: &Book, packet: &mqtt::Packet) {
    if let Some((topic, payload)) = mqtt::published(packet) {
        let what = String::from_utf8_lossy(topic).into_owned();
        let received = Received { host: DEVICES, what, body: payload.to_vec() };
        book.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    }
}

fn note(book: &Book, host: &'static str, request: &HttpMessage) -> Result<()> {
    let received = Received { host, what: request.start.clone(), body: request.decoded()? };
    book.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    Ok(())
}
