//! A guard that looks for one value, and servers that write down what they hear.

use crate::world::World;
use dyetrace_case::{DatumId, PartContent, Range, Record};
use dyetrace_live::guard::{Found, Guard, GuardSettings, Guarded, Guarding, Inspected, Mode};
use dyetrace_live::watch::What;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// What is not to leave.
pub(crate) const VALUE: &str = "Qm7xTr2pWqLz";
/// What stands in its place when it was overwritten.
pub(crate) const BLANK: &str = "AA0AAA0AAAAA";

pub(crate) struct Toy;

impl Guard for Toy {
    fn inspect(&self, record: &Record) -> Inspected {
        let mut all = Vec::new();
        for part in record.parts() {
            let bytes = match part.content {
                PartContent::Bytes(bytes) => bytes,
                PartContent::Blob(blob) => blob.as_slice().unwrap(),
            };
            for at in places(bytes) {
                let range = Range::new(at as u64, (at + VALUE.len()) as u64);
                let (datum, kind) = (DatumId("wifi.password".to_owned()), "wifi.password".parse().unwrap());
                all.push(Found { datum, kind, part: part.name.clone(), range, exact: true, is_sighting: true });
            }
        }
        all.into()
    }

    fn longest(&self) -> usize {
        64
    }
}

pub(crate) fn places(bytes: &[u8]) -> Vec<usize> {
    bytes.windows(VALUE.len()).enumerate().filter(|(_, window)| *window == VALUE.as_bytes()).map(|(at, _)| at).collect()
}

/// A relay with that guard.
pub(crate) async fn guarded(name: &str, mode: Mode) -> (World, Arc<Guarding>) {
    let settings = GuardSettings { mode, patience: Duration::from_millis(400), ..GuardSettings::default() };
    with(name, Guarding::new(Arc::new(Toy), settings)).await
}

/// A relay with that guard, which holds messages of so many bytes.
pub(crate) async fn holding(name: &str, mode: Mode, hold_limit: usize) -> (World, Arc<Guarding>) {
    with(name, Guarding::new(Arc::new(Toy), GuardSettings { mode, hold_limit, ..GuardSettings::default() })).await
}

pub(crate) async fn with(name: &str, guarding: Guarding) -> (World, Arc<Guarding>) {
    let guarding = Arc::new(guarding);
    let given = Arc::clone(&guarding);
    (World::made(&format!("guard-{name}"), |_| {}, |relay| relay.guarded(given)).await, guarding)
}

/// What the guard decided, as the watcher was told.
pub(crate) fn decided(world: &World) -> Vec<Guarded> {
    let guarded = |event| if let What::Guarded(guarded) = event { Some(guarded) } else { None };
    world.told().into_iter().filter_map(|event| guarded(event.what)).collect()
}

/// What a server heard.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    pub(crate) fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }

    /// Waits until so many bytes were heard.
    pub(crate) async fn wait(&self, length: usize) -> Vec<u8> {
        for _ in 0..500 {
            if self.bytes().len() >= length {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.bytes()
    }
}

/// A server that answers requests of HTTP/1 and writes down every byte of them.
pub(crate) async fn http_server() -> (SocketAddr, Heard) {
    let (listener, address) = listener().await;
    let heard = Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, log.clone()));
        }
    });
    (address, heard)
}

pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Answers requests until the client is done.
pub(crate) async fn serve(mut socket: impl AsyncRead + AsyncWrite + Unpin, heard: Heard) {
    let (mut pending, mut is_http) = (Vec::new(), true);
    loop {
        while let Some(length) = request(&pending).filter(|_| is_http) {
            let asked = String::from_utf8_lossy(&pending[..length]).into_owned();
            pending.drain(..length);
            is_http = !asked.contains("websocket");
            if socket.write_all(answer(&asked)).await.is_err() {
                return;
            }
        }
        let mut piece = vec![0; 16 << 10];
        match socket.read(&mut piece).await {
            Ok(length @ 1..) => {
                heard.add(&piece[..length]);
                pending.extend(piece[..length].iter().filter(|_| is_http));
            }
            _ => return,
        }
    }
}

fn answer(head: &str) -> &'static [u8] {
    match () {
        () if head.starts_with("HEAD") => b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
        () if head.contains("/hints") => {
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
              2\r\nok\r\n0\r\nX-End: 1\r\n\r\n"
        }
        () if head.contains("permessage-deflate") => {
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        }
        () if head.contains("websocket") => {
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        }
        () => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    }
}

/// The length of the whole request that these bytes begin with.
fn request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    if text.contains("transfer-encoding: chunked") {
        return bytes[head..].windows(5).position(|window| window == b"0\r\n\r\n").map(|at| head + at + 5);
    }
    let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let whole = head + length.map_or(0, |length| length.parse::<usize>().unwrap());
    (bytes.len() >= whole).then_some(whole)
}

/// Text that does not compress well.
pub(crate) fn noise(words: u64) -> String {
    use std::fmt::Write as _;
    (0..words).fold(String::new(), |mut text, at| {
        write!(text, "{:x}", at.wrapping_mul(0x9E37_79B9_7F4A_7C15)).unwrap();
        text
    })
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What comes back, until the end or until these bytes are there.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin), until: &str) -> String {
    let mut all = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&all).contains(until) {
            match stream.read_buf(&mut all).await {
                Ok(1..) => {}
                _ => break,
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), reading).await;
    String::from_utf8_lossy(&all).into_owned()
}
