//! A TLS 1.3 conversation as it would be on the wire, written without the crate's own code.

use aes_gcm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
use aes_gcm::{Aes128Gcm, Nonce};
use dyetrace_tls::Side;
use hmac::{Hmac, Mac};
use sha2::Sha256;

pub const CLIENT_RANDOM: [u8; 32] = [0x11; 32];
const SUITE: [u8; 2] = [0x13, 0x01];

/// Which secrets the key log holds.
pub const ALL: [&str; 5] = [
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
];

fn secret(label: &str) -> Vec<u8> {
    let at = ALL.iter().position(|known| *known == label).unwrap();
    vec![0x40 + at as u8; 32]
}

pub fn key_log(labels: &[&str]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    labels.iter().map(|it| format!("{it} {} {}\n", hex(&CLIENT_RANDOM), hex(&secret(it)))).collect::<Vec<_>>().concat()
}

fn expand(secret: &[u8], label: &str, length: usize) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(&(length as u16).to_be_bytes());
    mac.update(&[6 + label.len() as u8]);
    mac.update(format!("tls13 {label}").as_bytes());
    mac.update(&[0, 1]);
    mac.finalize().into_bytes()[..length].to_vec()
}

/// Seals records of one direction.
pub struct Sealer {
    secret: Vec<u8>,
    sequence: u64,
}

impl Sealer {
    pub fn new(label: &str) -> Self {
        Self { secret: secret(label), sequence: 0 }
    }

    pub fn update(&mut self) {
        *self = Self { secret: expand(&self.secret, "traffic upd", 32), sequence: 0 };
    }

    pub fn seal(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let mut text = [content, &[kind], &vec![0; padding]].concat();
        let header = [&[23, 3, 3][..], &((text.len() + 16) as u16).to_be_bytes()].concat();
        let mut nonce: [u8; 12] = expand(&self.secret, "iv", 12).try_into().unwrap();
        nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        self.sequence += 1;
        let cipher = Aes128Gcm::new_from_slice(&expand(&self.secret, "key", 16)).unwrap();
        let nonce: Nonce<_> = nonce.into();
        let tag = cipher.encrypt_inout_detached(&nonce, &header, InOutBuf::from(&mut text[..])).unwrap();
        [header, text, tag.to_vec()].concat()
    }
}

pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

pub fn plain(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(content.len() as u16).to_be_bytes(), content].concat()
}

pub fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(content.len() as u16).to_be_bytes(), content].concat()
}

pub fn client_hello(early: bool) -> Vec<u8> {
    let mut extensions = extension(0, b"\x00\x0f\x00\x00\x0cexample.test");
    extensions.extend(extension(43, &[2, 3, 4]));
    if early {
        extensions.extend(extension(42, &[]));
    }
    let head = [&[3, 3][..], &CLIENT_RANDOM, &[0, 0, 2], &SUITE, &[1, 0]].concat();
    let body = [head, (extensions.len() as u16).to_be_bytes().to_vec(), extensions].concat();
    plain(22, &message(1, &body))
}

pub fn server_hello(random: [u8; 32]) -> Vec<u8> {
    let extensions = extension(43, &[3, 4]);
    let head = [&[3, 3][..], &random, &[0], &SUITE, &[0]].concat();
    plain(22, &message(2, &[head, (extensions.len() as u16).to_be_bytes().to_vec(), extensions].concat()))
}

/// The server's encrypted first flight: EncryptedExtensions with ALPN `h2`, Certificate, Finished.
pub fn server_flight(handshake: &mut Sealer) -> Vec<u8> {
    let alpn = extension(16, b"\x00\x03\x02h2");
    let extensions = message(8, &[(alpn.len() as u16).to_be_bytes().to_vec(), alpn].concat());
    let certificate = message(11, &[&[0, 0, 1, 0x90, 0, 1, 0x8b][..], &[0x30; 0x18b], &[0, 0]].concat());
    let all = [extensions, certificate, message(20, &[9; 32])].concat();
    // Two messages begin in one record and end in another.
    let (first, second) = all.split_at(100);
    [plain(20, &[1]), handshake.seal(22, first, 0), handshake.seal(22, second, 7)].concat()
}

/// The messages of an ordinary connection; `requests` and `answers` alternate, with a KeyUpdate of
/// both sides after the first.
pub fn conversation(requests: &[&[u8]], answers: &[&[u8]]) -> Vec<(Side, Vec<u8>)> {
    let mut client = Sealer::new("CLIENT_TRAFFIC_SECRET_0");
    let mut server = Sealer::new("SERVER_TRAFFIC_SECRET_0");
    let finished = Sealer::new("CLIENT_HANDSHAKE_TRAFFIC_SECRET").seal(22, &message(20, &[7; 32]), 0);
    let mut out = vec![
        (Side::Client, client_hello(false)),
        (Side::Server, server_hello([0x22; 32])),
        (Side::Server, server_flight(&mut Sealer::new("SERVER_HANDSHAKE_TRAFFIC_SECRET"))),
        (Side::Client, [plain(20, &[1]), finished].concat()),
        (Side::Server, server.seal(22, &message(4, &[0; 40]), 0)),
    ];
    for (request, answer) in requests.iter().zip(answers) {
        out.push((Side::Client, client.seal(23, request, 0)));
        out.push((Side::Server, server.seal(23, answer, 3)));
        if out.len() < 8 {
            out.push((Side::Client, client.seal(22, &message(24, &[1]), 0)));
            client.update();
            out.push((Side::Server, server.seal(22, &message(24, &[0]), 0)));
            server.update();
        }
    }
    out.push((Side::Client, client.seal(21, &[1, 0], 0)));
    out.push((Side::Server, server.seal(21, &[1, 0], 0)));
    out
}
