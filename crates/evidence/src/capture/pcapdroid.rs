//! Which app sent a packet, as PCAPdroid writes it: in a trailer of each packet of a pcap file, or
//! in custom blocks and packet comments of a pcapng file
//! (emanuele-f.github.io/PCAPdroid/advanced_features, section "PCAPdroid extensions").

use super::bytes::{Order, be32};
use dyetrace_case::App;
use std::collections::HashMap;
use std::sync::Arc;

/// First bytes of a trailer.
const TRAILER_MAGIC: u32 = 0x0107_2021;
/// Magic number, user id, name of 20 bytes, frame check sequence.
const TRAILER: usize = 32;
/// PCAPdroid puts its trailer on frames with an Ethernet header only.
const ETHERNET: u32 = 1;
/// The private enterprise number in PCAPdroid's custom blocks.
const ENTERPRISE: u32 = 62_652;
/// Apps remembered; a phone has some hundreds.
const MOST_APPS: usize = 65_536;
/// User id of packets whose app PCAPdroid could not tell (-1).
const UNKNOWN_UID: u32 = u32::MAX;

/// The apps of a capture by user id. Cloning shares their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Apps {
    blocks: HashMap<u32, Arc<App>>,
    trailers: HashMap<u32, Arc<App>>,
}

impl Apps {
    /// True where no block named an app.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Takes in the body of a custom block; blocks of others are skipped. The first name given to
    /// a user id stays.
    pub(super) fn custom_block(&mut self, order: Order, body: &[u8]) {
        if self.blocks.len() < MOST_APPS
            && let Some((uid, app)) = custom_block(order, body)
        {
            self.blocks.entry(uid).or_insert_with(|| Arc::new(app));
        }
    }

    /// The app that a block named for this user id.
    pub(super) fn by_uid(&self, uid: u32) -> Option<Arc<App>> {
        self.blocks.get(&uid).cloned()
    }

    /// The packet without its trailer, and the app named there.
    pub(super) fn by_trailer<'a>(&mut self, link: u32, data: &'a [u8]) -> (&'a [u8], Option<Arc<App>>) {
        let trailer = if link == ETHERNET { data.split_last_chunk::<TRAILER>() } else { None };
        match trailer {
            Some((frame, trailer)) if be32(trailer, 0) == Some(TRAILER_MAGIC) && frame.len() >= 14 => {
                (frame, self.trailer(trailer))
            }
            _ => (data, None),
        }
    }

    fn trailer(&mut self, trailer: &[u8; TRAILER]) -> Option<Arc<App>> {
        let uid = be32(trailer, 4).filter(|uid| *uid != UNKNOWN_UID);
        let name = text(trailer.get(8..28)?);
        let key = uid.unwrap_or(UNKNOWN_UID);
        if let Some(app) = self.trailers.get(&key)
            && app.name == name
        {
            return Some(Arc::clone(app));
        }
        if uid.is_none() && name.is_none() {
            return None;
        }
        let app = Arc::new(App { name, package: None, uid });
        if self.trailers.len() < MOST_APPS {
            self.trailers.insert(key, Arc::clone(&app));
        }
        Some(app)
    }
}

/// The user id in a packet comment `u-10123`.
pub(super) fn uid_of_comment(comment: &[u8]) -> Option<u32> {
    let digits = comment.strip_prefix(b"u-")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Enterprise number u32, version u16 = 1, type u8 = 1, user id u32, two lengths of a byte, package,
/// name. The structure is packed: nothing is aligned.
fn custom_block(order: Order, body: &[u8]) -> Option<(u32, App)> {
    let known = order.u32(body, 0)? == ENTERPRISE && order.u16(body, 4)? == 1 && *body.get(6)? == 1;
    known.then_some(())?;
    let uid = order.u32(body, 7)?;
    let (package, name) = (usize::from(*body.get(11)?), usize::from(*body.get(12)?));
    let texts = body.get(13..)?;
    let package_text = text(texts.get(..package)?);
    let name_text = text(texts.get(package..package + name)?);
    Some((uid, App { name: name_text, package: package_text, uid: Some(uid) }))
}

/// A text up to its NUL; absent where it is empty. A name cut within a character loses the rest of
/// that character.
fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.split(|byte| *byte == 0).next()?;
    let valid = bytes.utf8_chunks().next()?.valid();
    (!valid.is_empty()).then(|| valid.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The body of a block that names an app.
    pub(crate) fn block(uid: u32, package: &str, name: &str) -> Vec<u8> {
        let mut body = ENTERPRISE.to_le_bytes().to_vec();
        body.extend([1, 0, 1]);
        body.extend(uid.to_le_bytes());
        body.extend([package.len() as u8, name.len() as u8]);
        body.extend(package.bytes().chain(name.bytes()));
        body
    }

    fn with_trailer(frame: &[u8], uid: u32, name: &[u8]) -> Vec<u8> {
        let mut packet = frame.to_vec();
        packet.extend(TRAILER_MAGIC.to_be_bytes());
        packet.extend(uid.to_be_bytes());
        packet.extend_from_slice(name);
        packet.resize(frame.len() + TRAILER, 0);
        packet
    }

    #[test]
    fn a_trailer_names_the_app_and_is_no_part_of_the_packet() {
        let mut apps = Apps::default();
        let packet = with_trailer(&[7; 60], 10_123, "Beleuchtung für alle".as_bytes().split_at(20).0);
        let (frame, app) = apps.by_trailer(ETHERNET, &packet);
        let app = app.unwrap();
        assert_eq!((frame, app.uid, app.name.as_deref()), (&[7; 60][..], Some(10_123), Some("Beleuchtung für all")));
        assert!(Arc::ptr_eq(&app, &apps.by_trailer(ETHERNET, &packet).1.unwrap()), "names are shared");
        assert_eq!(apps.by_trailer(101, &packet), (packet.as_slice(), None), "raw IP has no trailer");
        let nobody = with_trailer(&[7; 60], UNKNOWN_UID, b"");
        assert_eq!(apps.by_trailer(ETHERNET, &nobody), (&[7; 60][..], None));
    }

    #[test]
    fn a_block_names_the_app_of_a_user_id() {
        let mut apps = Apps::default();
        let body = block(10_077, "com.example.lamp", "Lamp");
        for cut in 0..body.len() {
            apps.custom_block(Order::Little, &body[..cut]);
            assert!(apps.is_empty(), "cut at {cut}");
        }
        apps.custom_block(Order::Little, &body);
        let app = apps.by_uid(uid_of_comment(b"u-10077").unwrap()).unwrap();
        assert_eq!((app.package.as_deref(), app.name.as_deref()), (Some("com.example.lamp"), Some("Lamp")));
        assert_eq!(uid_of_comment(b"u--1"), None);
    }
}
