//! Handshake messages, as far as decryption and naming need them (RFC 5246 section 7.4, RFC 8446
//! section 4).

use crate::codec::Reader;
use crate::der;
use crate::version::Version;

/// Message types.
pub(crate) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const NEW_SESSION_TICKET: u8 = 4;
    pub(crate) const END_OF_EARLY_DATA: u8 = 5;
    /// A message of its own until draft 21.
    pub(crate) const HELLO_RETRY_REQUEST: u8 = 6;
    pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(crate) const FINISHED: u8 = 20;
    pub(crate) const KEY_UPDATE: u8 = 24;
}

/// Extension numbers (IANA "TLS ExtensionType Values").
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const TRUNCATED_HMAC: u16 = 4;
    pub(super) const ALPN: u16 = 16;
    pub(super) const ENCRYPT_THEN_MAC: u16 = 22;
    pub(super) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(super) const SESSION_TICKET: u16 = 35;
    pub(super) const EARLY_DATA: u16 = 42;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
    /// Drafts of the same: ESNI and ECH 8 to 10.
    pub(super) const DRAFTS_OF_ECH: [u16; 4] = [0xffce, 0xfe08, 0xfe09, 0xfe0a];
}

/// The random value that marks a ServerHello as HelloRetryRequest: RFC 8446 section 4.1.3.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ClientHello.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientHello {
    pub(crate) random: [u8; 32],
    pub(crate) session: Vec<u8>,
    pub(crate) suites: Vec<u16>,
    pub(crate) sni: Option<String>,
    pub(crate) ech: bool,
    pub(crate) ticket: Option<Vec<u8>>,
    pub(crate) early_data: bool,
}

impl ClientHello {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        reader.u16()?;
        let random = reader.array()?;
        let session = reader.vector8()?.to_vec();
        let suites = reader.vector16()?.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        reader.vector8()?;
        let mut hello = Self { random, session, suites, ..Self::default() };
        for (number, content) in extensions(reader) {
            hello.extension(number, content);
        }
        Some(hello)
    }

    /// The hello of SSL 2.0 that offers later versions: RFC 5246 appendix E.2. `message` starts
    /// with its type.
    pub(crate) fn read_ssl2(message: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(message);
        if reader.u8()? != kind::CLIENT_HELLO || reader.u16()? < 0x0300 {
            return None;
        }
        let (suites, session, challenge) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let suites = reader.take(usize::from(suites))?;
        let session = reader.take(usize::from(session))?.to_vec();
        let challenge = reader.take(usize::from(challenge))?;
        let mut random = [0; 32];
        random.get_mut(32_usize.checked_sub(challenge.len())?..)?.copy_from_slice(challenge);
        let suites = suites.chunks_exact(3).filter(|three| three[0] == 0);
        let suites = suites.map(|three| u16::from_be_bytes([three[1], three[2]])).collect();
        Some(Self { random, session, suites, ..Self::default() })
    }

    fn extension(&mut self, number: u16, content: &[u8]) {
        match number {
            extension::SERVER_NAME => self.sni = server_name(content),
            extension::SESSION_TICKET => self.ticket = Some(content.to_vec()).filter(|ticket| !ticket.is_empty()),
            extension::EARLY_DATA => self.early_data = true,
            extension::ENCRYPTED_CLIENT_HELLO => self.ech = true,
            _ => self.ech |= extension::DRAFTS_OF_ECH.contains(&number),
        }
    }
}

/// A ServerHello or HelloRetryRequest.
#[derive(Debug, Clone)]
pub(crate) struct ServerHello {
    /// `None` where the version's number is not known.
    pub(crate) version: Option<Version>,
    pub(crate) random: [u8; 32],
    pub(crate) session: Vec<u8>,
    pub(crate) suite: u16,
    /// Number of the compression method.
    pub(crate) compression: u8,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) extended_master: bool,
    pub(crate) encrypt_then_mac: bool,
    pub(crate) truncated_mac: bool,
}

impl ServerHello {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let version = Version::from_wire(reader.u16()?);
        let random = reader.array()?;
        // Drafts 18 to 21 name the version here and have neither session nor compression.
        let old_layout = version.is_some_and(Version::is_modern);
        let session = if old_layout { Vec::new() } else { reader.vector8()?.to_vec() };
        let suite = reader.u16()?;
        let compression = if old_layout { 0 } else { reader.u8()? };
        let mut hello = Self {
            version,
            random,
            session,
            suite,
            compression,
            alpn: None,
            extended_master: false,
            encrypt_then_mac: false,
            truncated_mac: false,
        };
        for (number, content) in extensions(reader) {
            hello.extension(number, content);
        }
        Some(hello)
    }

    pub(crate) fn is_retry(&self) -> bool {
        self.random == RETRY
    }

    fn extension(&mut self, number: u16, content: &[u8]) {
        match number {
            extension::SUPPORTED_VERSIONS => {
                self.version = Reader::new(content).u16().and_then(Version::from_wire);
            }
            extension::ALPN => self.alpn = alpn(content),
            extension::EXTENDED_MASTER_SECRET => self.extended_master = true,
            extension::ENCRYPT_THEN_MAC => self.encrypt_then_mac = true,
            extension::TRUNCATED_HMAC => self.truncated_mac = true,
            _ => {}
        }
    }
}

/// The protocol chosen in EncryptedExtensions.
pub(crate) fn encrypted_alpn(body: &[u8]) -> Option<Vec<u8>> {
    extensions(Reader::new(body)).find(|(number, _)| *number == extension::ALPN).and_then(|(_, content)| alpn(content))
}

/// The first certificate of a Certificate message.
pub(crate) fn leaf_certificate(body: &[u8], modern: bool) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    if modern {
        reader.vector8()?;
    }
    Reader::new(reader.vector24()?).vector24()
}

/// DNS names of the first certificate of a Certificate message.
pub(crate) fn certificate_names(body: &[u8], modern: bool) -> Option<Vec<String>> {
    Some(der::certificate_names(leaf_certificate(body, modern)?)).filter(|names| !names.is_empty())
}

/// The ticket of a NewSessionTicket of TLS 1.2 and before: RFC 5077 section 3.3.
pub(crate) fn session_ticket(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    reader.take(4)?;
    reader.vector16().filter(|ticket| !ticket.is_empty())
}

/// Extensions up to the first that is cut short.
fn extensions(mut reader: Reader<'_>) -> impl Iterator<Item = (u16, &[u8])> {
    let mut list = Reader::new(reader.vector16().unwrap_or(reader.rest()));
    std::iter::from_fn(move || Some((list.u16()?, list.vector16()?)))
}

fn server_name(content: &[u8]) -> Option<String> {
    let mut names = Reader::new(Reader::new(content).vector16()?);
    while !names.is_empty() {
        let (kind, name) = (names.u8()?, names.vector16()?);
        if kind == 0 {
            return Some(String::from_utf8_lossy(name).into_owned());
        }
    }
    None
}

fn alpn(content: &[u8]) -> Option<Vec<u8>> {
    Reader::new(Reader::new(content).vector16()?).vector8().map(<[u8]>::to_vec)
}
