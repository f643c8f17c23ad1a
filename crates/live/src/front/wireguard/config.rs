//! Keys of a case, and what the phone has to be told: as text, and as a code that its camera reads.

use super::{CLIENT_V4, CLIENT_V6, OWN_V4, OWN_V6, stack::MTU};
use crate::authority::{AuthorityError, at, provider, write_new};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use boringtun::x25519::{PublicKey, StaticSecret};
use dyetrace_case::Secret;
use qrcode::{Color, EcLevel, QrCode};
use std::net::SocketAddr;
use std::path::Path;

const KEYS_FILE: &str = "wireguard.keys";
/// Modules that are to stay light around a code (ISO/IEC 18004 section 9.1).
const QUIET: usize = 4;
/// Pixels of a module, each way.
const PIXELS: usize = 8;

/// The private keys of both ends: the phone's is made here, so that its configuration is one code to scan.
pub struct Keys {
    pub(super) own: [u8; 32],
    pub(super) client: [u8; 32],
}

impl Keys {
    /// The keys in a folder, made where there are none. Only their owner may read the file.
    ///
    /// # Errors
    /// Where they cannot be read or made.
    pub fn in_folder(folder: &Path) -> Result<Self, AuthorityError> {
        let path = folder.join(KEYS_FILE);
        if !path.exists() {
            let keys = Self::new().ok_or_else(|| at(&path, &"this machine has no randomness"))?;
            std::fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
            let text = format!("{}\n{}\n", BASE64_STANDARD.encode(keys.own), BASE64_STANDARD.encode(keys.client));
            write_new(&path, text.as_bytes(), 0o600)?;
            return Ok(keys);
        }
        let text = std::fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
        let mut lines = text.lines().map(|line| BASE64_STANDARD.decode(line).ok()?.try_into().ok());
        let keys = lines.next().flatten().zip(lines.next().flatten());
        let (own, client) = keys.ok_or_else(|| at(&path, &"these are no two keys"))?;
        Ok(Self { own, client })
    }

    /// New keys. `None` where this machine has no randomness.
    pub fn new() -> Option<Self> {
        let mut keys = Self { own: [0; 32], client: [0; 32] };
        provider().secure_random.fill(&mut keys.own).ok()?;
        provider().secure_random.fill(&mut keys.client).ok()?;
        Some(keys)
    }

    /// The client's private key and this end's public one, for a client in the same program.
    pub fn of_client(&self) -> ([u8; 32], [u8; 32]) {
        (self.client, PublicKey::from(&StaticSecret::from(self.own)).to_bytes())
    }

    /// The phone's configuration, as wg-quick and WireGuard's apps take it. It holds the phone's private key.
    pub fn client_config(&self, endpoint: SocketAddr) -> Secret {
        let (private, public) = self.of_client();
        Secret::new(format!(
            "[Interface]\nPrivateKey = {}\nAddress = {CLIENT_V4}/32, {CLIENT_V6}/128\nDNS = {OWN_V4}, {OWN_V6}\n\
             MTU = {MTU}\n\n[Peer]\nPublicKey = {}\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = {endpoint}\n\
             PersistentKeepalive = 25\n",
            BASE64_STANDARD.encode(private),
            BASE64_STANDARD.encode(public)
        ))
    }
}

/// A text as a QR code.
pub struct Code {
    light: Vec<bool>,
    width: usize,
}

impl Code {
    /// `None` where the text is too long for a code.
    pub fn new(text: &Secret) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text.reveal(), EcLevel::L).ok()?;
        let light = code.to_colors().into_iter().map(|color| color == Color::Light).collect();
        Some(Self { light, width: code.width() })
    }

    /// For a terminal with light text on dark ground: two modules in each character.
    pub fn lines(&self) -> String {
        let size = self.width + 2 * QUIET;
        let mut text = String::new();
        for y in (0..size).step_by(2) {
            text.extend((0..size).map(|x| match (self.is_light(x, y), self.is_light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            }));
            text.push('\n');
        }
        text
    }

    /// As a PNG picture. `None` where it cannot be made.
    pub fn png(&self) -> Option<Vec<u8>> {
        let size = (self.width + 2 * QUIET) * PIXELS;
        let pixels_a_side = u32::try_from(size).ok()?;
        let pixels: Vec<u8> = (0..size * size)
            .map(|at| if self.is_light(at % size / PIXELS, at / size / PIXELS) { 255 } else { 0 })
            .collect();
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, pixels_a_side, pixels_a_side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().ok()?.write_image_data(&pixels).ok()?;
        Some(file)
    }

    /// Counted from the corner of the quiet zone; what is outside is light.
    fn is_light(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        let Some((x, y)) = inside(x).zip(inside(y)) else { return true };
        self.light.get(y * self.width + x).copied().unwrap_or(true)
    }
}
