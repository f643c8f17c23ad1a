//! Ciphers in the recursion: tried on whole nodes that are not text, when the tester gave keys.

use crate::classify::Marks;
use crate::codec::cipher::{self, Keyed};
use crate::codec::{Codec, Unwrapped};
use crate::explore::{Explorer, Node};
use crate::find::Find;
use crate::scanner::Limit;
use std::ops::Range;

/// Keys that one record may carry: more are a sign of something else, and each costs a try of
/// several ciphers on every node.
const MOST_SESSIONS: usize = 8;
/// Bytes that are looked at to tell text from other bytes.
const LOOKED_AT: usize = 64;

/// What was decrypted with RSA, with the name of the key, in the order met.
pub(crate) type Sessions = Vec<(String, Vec<u8>)>;

/// AES with keys that the record itself carries.
pub(crate) fn with_sessions(sessions: &Sessions) -> Vec<Keyed> {
    sessions.iter().flat_map(|(name, plain)| cipher::session(plain, name)).collect()
}

impl Explorer<'_> {
    /// Undoes every cipher that opens the bytes.
    pub(crate) fn explore_keyed(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        let (needles, sessions) = (self.needles, self.session_ciphers);
        if needles.keyed.is_empty() && sessions.is_empty() {
            return;
        }
        let is_text = is_text(bytes);
        for keyed in needles.keyed.iter().chain(sessions) {
            if is_text && !(keyed.is_xor() && node.is_field) {
                continue;
            }
            let mut fits = None;
            keyed.find(bytes, &Marks::default(), &mut |span| fits = Some(span));
            let Some(span) = fits else { continue };
            if !self.affords(keyed.cost(bytes.len())) {
                self.limits.insert(Limit::Work);
                return;
            }
            self.tally.work += keyed.cost(bytes.len());
            let opened = keyed.unwrap(bytes, span.clone(), self.room());
            if let Some(unwrapped) = opened.filter(|_| self.may_go_deeper(node)) {
                self.explore_opened(keyed, &span, unwrapped, node, finds);
            }
        }
    }

    fn explore_opened(
        &mut self,
        keyed: &Keyed,
        span: &Range<usize>,
        opened: Unwrapped,
        node: Node,
        finds: &mut Vec<Find>,
    ) {
        if opened.cut {
            self.limits.insert(Limit::Work);
        }
        let number = self.number();
        for mut find in self.explore(&opened.bytes, node.inner(node.is_field)) {
            find.through(keyed.name(), opened.detail.clone(), span, &opened.map, number);
            self.keep(find, finds);
        }
        let known = self.sessions.iter().any(|(_, plain)| *plain == opened.bytes);
        if keyed.is_rsa() && !known && self.sessions.len() < MOST_SESSIONS {
            self.sessions.push((keyed.key_name().to_owned(), opened.bytes));
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().take(LOOKED_AT).all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use crate::codec::base64;
    use crate::codec::cipher::tests::{ENCRYPTED, PKCS1, unhex, wrap};
    use crate::{Options, Outcome, Scanner, Scratch};
    use dyetrace_case::{
        Blob, Cipher, CipherKey, Iv, KeyMaterial, Message, NamedSecret, Range, Record, Secret, Subject,
    };

    const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
    const TEXT: &[u8] = b"{\"phone\":\"13800000427\",\"pin\":\"x\"}";

    fn search(name: &str, cipher: Cipher, key: &[u8], body: Vec<u8>) -> Outcome {
        let iv = if cipher.iv_length().is_some() { Iv::Prefix } else { Iv::None };
        let key = CipherKey { name: name.to_owned(), cipher, key: Secret::new(key), iv };
        search_with(&KeyMaterial { ciphers: vec![key], ..KeyMaterial::default() }, body)
    }

    fn search_with(material: &KeyMaterial, body: Vec<u8>) -> Outcome {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13800000427"));
        let scanner = Scanner::with_key_material(&subject, material, Options::default());
        let record = Record::of_request(Message { body: Some(Blob::from(body)), ..Message::default() });
        let mut scratch = Scratch::default();
        let first = scanner.search(&record, &mut scratch);
        assert_eq!(first, scanner.search(&record, &mut scratch), "what was searched before changes nothing");
        crate::proof::assert_proved(&scanner, &record, &first.sightings);
        first
    }

    fn base64(bytes: &[u8]) -> String {
        String::from_utf8(base64::wrap(bytes, false, true)).unwrap()
    }

    #[test]
    fn a_field_encrypted_with_a_known_key_is_read_to_the_byte() {
        let coded = wrap::cbc(Cipher::AesCbc, KEY, &[7; 16], TEXT);
        let body = format!("{{\"data\":\"{}\"}}", base64(&coded)).into_bytes();
        let [found] = &search("body key", Cipher::AesCbc, KEY, body.clone()).sightings[..] else { panic!("one") };
        assert_eq!(found.trail.to_string(), "json /data > base64 > aes-256-cbc body key > json /phone");
        // The number is bytes 26 to 37 of the ciphertext with its vector, so characters 34 to 50.
        assert_eq!((found.place.range, found.place.decoded), (Range::new(9 + 34, 9 + 50), Range::new(0, 11)));
        assert!(search("body key", Cipher::AesCbc, &KEY[..16], body).sightings.is_empty());
    }

    #[test]
    fn what_looks_like_an_escape_in_a_ciphertext_hides_nothing() {
        let coded = wrap::cbc(Cipher::AesCbc, KEY, &[7; 16], TEXT);
        // In the vector, where it changes the first block only.
        let body = [b"\\n\\t".as_slice(), &coded[4..]].concat();
        assert_eq!(search("body key", Cipher::AesCbc, KEY, body).sightings.len(), 1);
    }

    #[test]
    fn a_short_ciphertext_without_a_vector_is_read() {
        let blocks = wrap::ecb(Cipher::AesEcb, &KEY[..16], b"13800000427");
        for body in [format!("id={}", base64(&blocks)), format!("{{\"a\":\"{}\"}}", dyetrace_case::hex(&blocks))] {
            let found = search("k", Cipher::AesEcb, &KEY[..16], body.into_bytes()).sightings;
            assert_eq!(found.len(), 1);
            assert!(found[0].trail.to_string().ends_with("aes-128-ecb k"), "{}", found[0].trail);
        }
    }

    #[test]
    fn a_session_key_wrapped_with_rsa_opens_the_other_field() {
        let coded = wrap::cbc(Cipher::AesCbc, &KEY[..16], &[7; 16], TEXT);
        for wrapped in ENCRYPTED {
            let body = format!("{{\"body\":\"{}\",\"key\":\"{}\"}}", base64(&coded), base64(&unhex(wrapped)));
            let outcome = search("server", Cipher::Rsa, PKCS1.as_bytes(), body.into_bytes());
            let [found] = &outcome.sightings[..] else { panic!("one sighting") };
            assert_eq!(found.trail.to_string(), "json /body > base64 > aes-128-cbc server, session > json /phone");
        }
    }

    #[test]
    fn a_digest_with_a_known_salt_is_seen() {
        let salt = NamedSecret { name: "app salt".into(), value: Secret::new("pepper") };
        let material = KeyMaterial { salts: vec![salt], ..KeyMaterial::default() };
        let digest = dyetrace_case::hex(&<sha2::Sha256 as sha2::Digest>::digest("pepper13800000427"));
        let body = format!("{{\"id\":\"{digest}\"}}").into_bytes();
        let [found] = &search_with(&material, body.clone()).sightings[..] else { panic!("one sighting") };
        assert!(found.form.contains("app salt"), "{}", found.form);
        assert!(search_with(&KeyMaterial::default(), body).sightings.is_empty());
    }

    #[test]
    fn a_private_key_that_is_none_is_named() {
        let key = CipherKey { name: "server".into(), cipher: Cipher::Rsa, key: Secret::new("x"), iv: Iv::None };
        let material = KeyMaterial { ciphers: vec![key], ..KeyMaterial::default() };
        let scanner = Scanner::with_key_material(&Subject::default(), &material, Options::default());
        assert!(scanner.warnings()[0].contains("server"), "{:?}", scanner.warnings());
    }
}
