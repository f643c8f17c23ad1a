//! What one handshake agreed on, and the secrets that follow from it.

use crate::codec::Reader;
use crate::compression::method;
use crate::decryptor::Decryptor;
use crate::event::{Reason, Side};
use crate::key_log::Label;
use crate::legacy::{LegacyKeys, Terms};
use crate::messages::{ClientHello, ServerHello, leaf_certificate};
use crate::modern::ModernKeys;
use crate::prf::{Prf, Randoms};
use crate::protection::{Candidate, Keys, Phase, Protection};
use crate::suite::{Exchange, Suite};
use crate::version::Version;

/// Bytes of one handshake that are kept for the extended master secret; longer ones go without.
const LONGEST_TRANSCRIPT: usize = 256 << 10;

/// One handshake.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, in any combination")]
#[derive(Default)]
pub(crate) struct Negotiation {
    pub(crate) hello: Option<ClientHello>,
    pub(crate) answer: Option<ServerHello>,
    /// A HelloRetryRequest came and no second ClientHello yet.
    pub(crate) retried: bool,
    /// The server's first flight is complete.
    pub(crate) flight_done: bool,
    /// The client's Finished was seen, readable or not.
    pub(crate) client_finished: bool,
    /// Body of ClientKeyExchange.
    pub(crate) key_exchange: Option<Vec<u8>>,
    /// Body of the server's Certificate.
    pub(crate) certificate: Option<Vec<u8>>,
    /// The ticket the server gave.
    ticket: Option<Vec<u8>>,
    /// Messages up to ClientKeyExchange, each side's in order.
    transcript: [Vec<u8>; 2],
    masters: Option<Vec<Vec<u8>>>,
    matched: bool,
    remembered: bool,
}

impl Negotiation {
    /// A handshake that starts with this ClientHello.
    pub(crate) fn open(hello: ClientHello) -> Self {
        Self { hello: Some(hello), ..Self::default() }
    }

    /// Keeps a message for the session hash: RFC 7627 section 3.
    pub(crate) fn record(&mut self, side: Side, message: &[u8]) {
        if self.key_exchange.is_some() {
            return;
        }
        let held: usize = self.transcript.iter().map(Vec::len).sum();
        if held + message.len() <= LONGEST_TRANSCRIPT {
            self.transcript[side as usize].extend_from_slice(message);
        }
    }

    /// The version agreed on, where it is known.
    pub(crate) fn version(&self) -> Option<Version> {
        self.answer.as_ref().and_then(|answer| answer.version)
    }

    /// True where the version agreed on is TLS 1.3.
    pub(crate) fn is_modern(&self) -> bool {
        self.version().is_some_and(Version::is_modern)
    }

    /// True where the master secret can only be known once ClientKeyExchange was read.
    pub(crate) fn awaits_key_exchange(&self, with: &Decryptor) -> bool {
        let exchange = self.suite().map(|suite| suite.exchange);
        let derivable = exchange.is_some_and(|exchange| exchange != Exchange::Other);
        let logged = self.hello.as_ref().map(|hello| with.secrets.of_connection(&hello.random));
        let premaster_only =
            logged.is_some_and(|it| !it.is_empty() && it.iter().all(|(label, _)| *label == Label::Premaster));
        let full = self.flight_done && self.certificate.is_some() || exchange == Some(Exchange::Psk);
        self.key_exchange.is_none()
            && full
            && with.secrets.may_open_key_exchange()
            && (premaster_only || derivable && logged.is_none_or(<[_]>::is_empty))
    }

    /// Protection after ChangeCipherSpec: SSL 3.0 to TLS 1.2.
    pub(crate) fn legacy_protection(&mut self, side: Side, with: &mut Decryptor) -> Protection {
        let terms = match self.terms() {
            Ok(terms) => terms,
            Err(reason) => return Protection::legacy(Vec::new(), reason),
        };
        let masters = self.masters(&terms, with);
        let keys = masters.iter().enumerate().filter_map(|(origin, master)| {
            let keys = LegacyKeys::derive(&terms, side, master)?;
            Some(Candidate::new(Keys::Legacy(keys), Phase::Application, origin))
        });
        let unverified = LegacyKeys::unverified(&terms).map(Keys::Legacy);
        let unverified = unverified.map(|keys| Candidate::new(keys, Phase::Application, usize::MAX));
        Protection::legacy(keys.chain(unverified).collect(), Reason::NoKey)
    }

    /// Protection from ServerHello on, or of early data before it: TLS 1.3.
    pub(crate) fn modern_protection(&mut self, side: Side, with: &mut Decryptor) -> Protection {
        let Some(hello) = &self.hello else {
            return Protection::modern(Vec::new(), Phase::Handshake, Reason::NoHandshake);
        };
        let logged = with.secrets.of_connection(&hello.random);
        let draft = match self.version() {
            Some(Version::Tls13(draft)) => draft,
            _ => 0,
        };
        let suites = match &self.answer {
            Some(answer) => vec![answer.suite],
            None => hello.suites.clone(),
        };
        let suites: Vec<_> = suites.into_iter().filter_map(Suite::find).filter(|suite| suite.modern).take(8).collect();
        let early = side == Side::Client && hello.early_data;
        let mut candidates = Vec::new();
        for (phase, label) in labels(side) {
            for (_, secret) in logged.iter().filter(|(known, _)| *known == label && (early || phase != Phase::Early)) {
                let keys = suites.iter().filter_map(|suite| ModernKeys::derive(*suite, draft, secret));
                candidates.extend(keys.map(|keys| Candidate::new(Keys::Modern(keys), phase, 0)));
            }
        }
        let start = if early { Phase::Early } else { Phase::Handshake };
        let lacking = if self.answer.is_some() && suites.is_empty() {
            Reason::UnknownSuite
        } else if logged.is_empty() {
            Reason::NoKey
        } else if self.answer.is_none() && candidates.is_empty() {
            Reason::NoHandshake
        } else if early && !candidates.iter().any(|candidate| candidate.phase == Phase::Early) {
            Reason::EarlySecretMissing
        } else {
            Reason::SecretMissing
        };
        self.note_match(!candidates.is_empty(), with);
        Protection::modern(candidates, start, lacking)
    }

    /// The server gave a ticket. The client's keys may have been proven before: the server's follow.
    pub(crate) fn ticketed(&mut self, ticket: Option<&[u8]>) {
        self.ticket = ticket.map(<[u8]>::to_vec);
        self.remembered = false;
    }

    /// The first record verified: remembers the session for those that resume it.
    pub(crate) fn proven(&mut self, origin: usize, with: &mut Decryptor) {
        let master = self.masters.as_ref().and_then(|masters| masters.get(origin));
        let (Some(master), Some(answer), false) = (master, &self.answer, self.remembered) else { return };
        with.remember(&answer.session, master);
        if let Some(ticket) = &self.ticket {
            with.remember(ticket, master);
        }
        self.remembered = true;
    }

    fn suite(&self) -> Option<Suite> {
        Suite::find(self.answer.as_ref()?.suite)
    }

    fn terms(&self) -> Result<Terms, Reason> {
        let answer = self.answer.as_ref().ok_or(Reason::NoHandshake)?;
        let suite = self.suite().ok_or(Reason::UnknownSuite)?;
        let version = answer.version.ok_or(Reason::UnknownSuite)?;
        if answer.compression > method::DEFLATE {
            return Err(Reason::Compressed);
        }
        Ok(Terms {
            version,
            suite,
            // Without a ClientHello nothing verifies, but NULL suites can still be read.
            randoms: Randoms {
                client: self.hello.as_ref().map_or([0; 32], |hello| hello.random),
                server: answer.random,
            },
            encrypt_then_mac: answer.encrypt_then_mac,
            truncated_mac: answer.truncated_mac,
        })
    }

    /// Everything the master secret may be.
    fn masters(&mut self, terms: &Terms, with: &mut Decryptor) -> Vec<Vec<u8>> {
        if let Some(masters) = &self.masters {
            return masters.clone();
        }
        let mut masters = self.known_masters(with);
        if masters.is_empty() {
            let prf = Prf { version: terms.version, hash: terms.suite.schedule_hash() };
            let premasters = self.premasters(terms.suite.exchange, terms.version, with);
            masters = premasters.iter().filter_map(|premaster| self.master(prf, premaster, &terms.randoms)).collect();
        }
        self.note_match(!masters.is_empty(), with);
        if !masters.is_empty() || self.key_exchange.is_some() {
            self.masters = Some(masters.clone());
        }
        masters
    }

    fn known_masters(&self, with: &Decryptor) -> Vec<Vec<u8>> {
        let session = self.answer.as_ref().map_or(&[][..], |answer| &answer.session);
        let mut masters = Vec::new();
        if let Some(hello) = &self.hello {
            let logged = with.secrets.of_connection(&hello.random).iter();
            masters.extend(logged.filter(|(label, _)| *label == Label::Master).map(|(_, master)| master.clone()));
            // An abbreviated handshake has no key exchange.
            if self.key_exchange.is_none() {
                masters.extend(hello.ticket.as_ref().and_then(|ticket| with.recall(ticket)).map(<[u8]>::to_vec));
                let resumed = Some(session).filter(|session| *session == hello.session);
                masters.extend(resumed.and_then(|session| with.recall(session)).map(<[u8]>::to_vec));
            }
        }
        masters.extend(with.secrets.of_session(session).map(<[u8]>::to_vec));
        masters
    }

    fn premasters(&self, exchange: Exchange, version: Version, with: &Decryptor) -> Vec<Vec<u8>> {
        let logged = self.hello.as_ref().map_or(&[][..], |hello| with.secrets.of_connection(&hello.random));
        let logged = logged.iter().filter(|(label, _)| *label == Label::Premaster).map(|(_, secret)| secret.clone());
        let mut found: Vec<_> = logged.collect();
        let Some(message) = &self.key_exchange else { return found };
        let mut reader = Reader::new(message);
        let identity = match exchange {
            Exchange::Psk | Exchange::RsaPsk => reader.vector16(),
            Exchange::Rsa | Exchange::Other => None,
        };
        let shared = identity.map(|identity| with.secrets.pre_shared(identity)).unwrap_or_default();
        let modern_form = (version != Version::Ssl3).then(|| reader.clone().vector16()).flatten();
        // SSL 3.0, and some who followed it in TLS 1.0, have no length here.
        let encrypted = modern_form.unwrap_or(reader.rest());
        let certificate = self.certificate.as_deref().and_then(|body| leaf_certificate(body, false));
        match exchange {
            Exchange::Rsa => found.extend(with.secrets.decrypt(encrypted, certificate)),
            Exchange::Psk => found.extend(shared.iter().map(|key| with_pre_shared(&vec![0; key.len()], key))),
            Exchange::RsaPsk => {
                for opened in with.secrets.decrypt(encrypted, certificate) {
                    found.extend(shared.iter().map(|key| with_pre_shared(&opened, key)));
                }
            }
            Exchange::Other => {}
        }
        found
    }

    fn master(&self, prf: Prf, premaster: &[u8], randoms: &Randoms) -> Option<Vec<u8>> {
        if !self.answer.as_ref()?.extended_master {
            return Some(prf.master(premaster, randoms));
        }
        let [client, server] = &self.transcript;
        // The client's hello comes before the server's flight, its other messages after.
        let hello = client.get(1..4).map(|length| Reader::new(length).u24().unwrap_or(0) + 4)?;
        let (hello, rest) = client.split_at_checked(hello)?;
        Some(prf.extended_master(premaster, &[hello, server, rest]))
    }

    fn note_match(&mut self, found: bool, with: &mut Decryptor) {
        if found && !self.matched {
            self.matched = true;
            with.count_match();
        }
    }
}

/// Which secrets protect what a side sends, in order.
fn labels(side: Side) -> [(Phase, Label); 3] {
    match side {
        Side::Client => [
            (Phase::Early, Label::ClientEarly),
            (Phase::Handshake, Label::ClientHandshake),
            (Phase::Application, Label::ClientApplication),
        ],
        Side::Server => [
            (Phase::Early, Label::ClientEarly),
            (Phase::Handshake, Label::ServerHandshake),
            (Phase::Application, Label::ServerApplication),
        ],
    }
}

/// RFC 4279 section 2: the other secret, then the pre-shared key, each with its length.
fn with_pre_shared(other: &[u8], key: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
    [&length(other)[..], other, &length(key), key].concat()
}
