//! Reads real captures: enough of pcap, pcapng, Ethernet, IP and TCP to feed TLS.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test code, though outside of test functions")]

use dyetrace_tls::{Connection, Decryptor, Event, Reason, Side};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of real captures, where there is one.
pub fn captures() -> Option<PathBuf> {
    let path = std::env::var_os("DYETRACE_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures"), PathBuf::from);
    let found = path.is_dir().then_some(path);
    if found.is_none() {
        println!("skipped: no real captures here");
    }
    found
}

pub fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        return plain;
    }
    bytes
}

/// What one connection gave.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Heard {
    pub sni: Option<String>,
    pub version: Option<&'static str>,
    pub suite: Option<String>,
    pub alpn: Option<Vec<u8>>,
    pub names: Vec<String>,
    pub keyed: bool,
    pub data: [Vec<u8>; 2],
    pub early: Vec<u8>,
    pub closed: [bool; 2],
    pub unreadable: BTreeMap<(usize, Reason), u64>,
}

impl Heard {
    pub fn take(&mut self, event: Event<'_>) {
        match event {
            Event::ClientHello { sni, .. } => self.sni = sni,
            Event::ServerHello { version, suite } => (self.version, self.suite) = (Some(version), Some(suite)),
            Event::Alpn(protocol) => self.alpn = Some(protocol),
            Event::CertificateNames(names) => self.names = names,
            Event::Keyed => self.keyed = true,
            Event::Data { from, early, bytes } => {
                self.data[from as usize].extend_from_slice(bytes);
                if early {
                    self.early.extend_from_slice(bytes);
                }
            }
            Event::Closed(side) => self.closed[side as usize] = true,
            Event::Unreadable { from, bytes, reason } => {
                *self.unreadable.entry((from as usize, reason)).or_default() += bytes;
            }
        }
    }

    pub fn text(&self, side: Side) -> String {
        String::from_utf8_lossy(&self.data[side as usize]).into_owned()
    }

    pub fn reasons(&self) -> Vec<Reason> {
        self.unreadable.keys().map(|(_, reason)| *reason).collect()
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The segments of each TCP connection in order: who sent, what.
pub type Stream = Vec<(Side, Vec<u8>)>;

/// Decrypts a capture with the contents of key files (and the secrets inside it).
pub fn decrypt(path: &Path, keys: &[&[u8]]) -> Vec<Heard> {
    let capture = read(path);
    let mut decryptor = Decryptor::default();
    for key in keys {
        decryptor.secrets.load(key);
    }
    for secrets in secrets_blocks(&capture) {
        decryptor.secrets.load(&secrets);
    }
    streams(&capture).iter().map(|stream| hear(stream, &mut decryptor)).collect()
}

pub fn hear(stream: &Stream, decryptor: &mut Decryptor) -> Heard {
    let mut heard = Heard::default();
    let mut connection = Connection::new();
    for (side, bytes) in stream {
        connection.feed(*side, bytes, decryptor, &mut |event| heard.take(event));
    }
    connection.end(decryptor, &mut |event| heard.take(event));
    heard
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().unwrap())))
}

fn le32(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Frames with their link type. Little-endian files only: there are no others here.
fn frames(capture: &[u8]) -> Vec<(usize, &[u8])> {
    let mut out = Vec::new();
    if capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        let mut links = Vec::new();
        for (kind, body) in blocks(capture) {
            match kind {
                1 => links.push(le32(body, 0) & 0xffff),
                6 => out.push((links[le32(body, 0)], &body[20..20 + le32(body, 12)])),
                _ => {}
            }
        }
        return out;
    }
    let link = le32(capture, 20);
    let mut at = 24;
    while at + 16 <= capture.len() {
        let length = le32(capture, at + 8);
        out.push((link, &capture[at + 16..at + 16 + length]));
        at += 16 + length;
    }
    out
}

fn blocks(capture: &[u8]) -> Vec<(usize, &[u8])> {
    let mut out = Vec::new();
    let mut at = 0;
    while at + 12 <= capture.len() {
        let length = le32(capture, at + 4);
        out.push((le32(capture, at), &capture[at + 8..at + length - 4]));
        at += length;
    }
    out
}

fn secrets_blocks(capture: &[u8]) -> Vec<Vec<u8>> {
    if !capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        return Vec::new();
    }
    let secrets = blocks(capture).into_iter().filter(|(kind, _)| *kind == 10);
    secrets.map(|(_, body)| body[8..8 + le32(body, 4)].to_vec()).collect()
}

/// TCP in an IP packet: endpoints, sequence number, SYN, payload.
#[allow(clippy::type_complexity, reason = "used once")]
fn segment(link: usize, frame: &[u8]) -> Option<(Vec<u8>, Vec<u8>, u32, bool, &[u8])> {
    let ip = match link {
        0 => frame.get(4..)?,
        1 => frame.get(if u16_at(frame, 12)? == 0x8100 { 18 } else { 14 }..)?,
        113 => frame.get(16..)?,
        276 => frame.get(20..)?,
        _ => frame,
    };
    let (tcp, from, to) = match ip.first()? >> 4 {
        4 if ip[9] == 6 => {
            let head = usize::from(ip[0] & 15) * 4;
            (ip.get(head..u16_at(ip, 2)?.max(head).min(ip.len()))?, ip.get(12..16)?, ip.get(16..20)?)
        }
        6 if ip[6] == 6 => (ip.get(40..40 + u16_at(ip, 4)?)?, ip.get(8..24)?, ip.get(24..40)?),
        _ => return None,
    };
    let sequence = u32::from_be_bytes(tcp.get(4..8)?.try_into().unwrap());
    let payload = tcp.get(usize::from(tcp[12] >> 4) * 4..)?;
    let end = |address: &[u8], port: &[u8]| [address, port].concat();
    Some((end(from, &tcp[0..2]), end(to, &tcp[2..4]), sequence, tcp[13] & 2 != 0, payload))
}

#[derive(Default)]
struct Half {
    next: Option<u32>,
    held: Vec<(u32, Vec<u8>)>,
}

impl Half {
    /// Bytes that are in order now.
    fn take(&mut self, sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
        if syn {
            self.next = Some(sequence.wrapping_add(1));
            return Vec::new();
        }
        let mut next = *self.next.get_or_insert(sequence);
        self.held.push((sequence, payload.to_vec()));
        let mut out = Vec::new();
        loop {
            let fits = |(at, bytes): &(u32, Vec<u8>)| {
                let old = next.wrapping_sub(*at) as usize;
                old < bytes.len()
            };
            let Some(index) = self.held.iter().position(fits) else { break };
            let (at, bytes) = self.held.swap_remove(index);
            out.extend_from_slice(&bytes[next.wrapping_sub(at) as usize..]);
            next = at.wrapping_add(bytes.len() as u32);
        }
        self.next = Some(next);
        out
    }
}

/// The connections of a capture; the client is who sent a ClientHello (or a SYN, or anything) first.
pub fn streams(capture: &[u8]) -> Vec<Stream> {
    let mut index: HashMap<(Vec<u8>, Vec<u8>), usize> = HashMap::new();
    let mut all: Vec<(Vec<u8>, [Half; 2], Stream)> = Vec::new();
    for (link, frame) in frames(capture) {
        let Some((from, to, sequence, syn, payload)) = segment(link, frame) else { continue };
        let name = if from < to { (from.clone(), to.clone()) } else { (to, from.clone()) };
        let at = *index.entry(name).or_insert_with(|| {
            all.push((from.clone(), Default::default(), Vec::new()));
            all.len() - 1
        });
        let (client, halves, stream) = &mut all[at];
        let side = if *client == from { Side::Client } else { Side::Server };
        let bytes = halves[side as usize].take(sequence, syn, payload);
        if !bytes.is_empty() {
            stream.push((side, bytes));
        }
    }
    all.into_iter().map(|(_, _, stream)| stream).filter(|stream| !stream.is_empty()).collect()
}
