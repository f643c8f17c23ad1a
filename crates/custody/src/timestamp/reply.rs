//! `TimeStampResp` (RFC 3161 section 2.4.2).

use super::der::{
    Element, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, SET, UTC_TIME, UTF8_STRING, context,
    dotted, positive,
};
use super::signature::{self, Signature, Signed};
use super::{NotDer, Request, oid};
use dyetrace_case::{Time, hex};

/// What an authority answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// `PKIStatus`: 0 granted, 1 granted with changes, others refused.
    pub status: u64,
    /// What the authority says to it.
    pub status_text: Option<String>,
    /// The stamp, where it was granted.
    pub token: Option<Token>,
}

/// A time stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The policy it was made under, as an object identifier with dots.
    pub policy: String,
    /// SHA-256 that was stamped; `None` where another digest was.
    pub imprint: Option<[u8; 32]>,
    /// The stamp's number at its authority, in hexadecimal.
    pub serial: String,
    /// When it was made, by the authority's clock.
    pub time: Time,
    /// The request's number.
    pub nonce: Option<Vec<u8>>,
    /// What the signature is worth.
    pub signature: Signature,
}

impl Reply {
    /// Reads a reply.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotDer> {
        Self::read(bytes).ok_or(NotDer("a time-stamp reply"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Reader(bytes).next(SEQUENCE)?.inside();
        let mut info = fields.next(SEQUENCE)?.inside();
        let status = info.next(INTEGER)?.content;
        let status = positive(status);
        let status = (status.len() <= 8).then(|| status.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)))?;
        let text = info.optional(SEQUENCE).and_then(|texts| texts.inside().next(UTF8_STRING));
        let status_text = text.map(|text| crate::name::shown(&String::from_utf8_lossy(text.content)));
        let token = if fields.0.is_empty() { None } else { Some(token(fields.next(SEQUENCE)?)?) };
        Some(Self { status, status_text, token })
    }

    /// Says what does not fit to the request, one sentence each; nothing where all fits.
    pub fn misfits(&self, request: &Request) -> Vec<String> {
        let Some(token) = &self.token else {
            let said = self.status_text.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
            return vec![format!("the authority made no stamp (status {}{said})", self.status)];
        };
        let mut misfits = Vec::new();
        if self.status > 1 {
            misfits.push(format!("the authority says status {}, which is not granted", self.status));
        }
        if token.imprint != Some(request.imprint.0) {
            misfits.push("it stamps another digest".to_owned());
        }
        if token.nonce.as_ref() != Some(&request.nonce) {
            misfits.push("it does not repeat the request's number (nonce)".to_owned());
        }
        if let Signature::Bad(reason) = &token.signature {
            misfits.push(format!("its signature is not good: {reason}"));
        }
        misfits
    }
}

/// `MessageImprint`: algorithm and digest.
pub(super) fn imprint(imprint: Element<'_>) -> Option<(&[u8], &[u8])> {
    let mut fields = imprint.inside();
    let algorithm = fields.next(SEQUENCE)?.inside().next(OID)?.content;
    Some((algorithm, fields.next(OCTET_STRING)?.content))
}

/// `ContentInfo` with `SignedData` (RFC 5652 sections 3 and 5) with `TSTInfo`.
fn token(content: Element<'_>) -> Option<Token> {
    let mut fields = content.inside();
    fields.next(OID).filter(|kind| kind.content == oid::SIGNED_DATA)?;
    let mut data = fields.next(context(0))?.inside().next(SEQUENCE)?.inside();
    data.next(INTEGER)?;
    data.next(SET)?;
    let mut encapsulated = data.next(SEQUENCE)?.inside();
    encapsulated.next(OID).filter(|kind| kind.content == oid::TST_INFO)?;
    let stamped = encapsulated.next(context(0))?.inside().next(OCTET_STRING)?.content;
    let certificates = data.optional(context(0)).map(Element::inside);
    data.optional(context(1));
    let signers = data.next(SET)?.inside();
    let mut token = info(Reader(stamped).next(SEQUENCE)?)?;
    let signed = Signed { content: stamped, certificates, signers, at: token.time };
    token.signature = signature::check(&signed);
    Some(token)
}

/// `TSTInfo`.
fn info(info: Element<'_>) -> Option<Token> {
    let mut fields = info.inside();
    fields.next(INTEGER)?;
    let policy = dotted(fields.next(OID)?.content)?;
    let (algorithm, digest) = imprint(fields.next(SEQUENCE)?)?;
    let serial = fields.next(INTEGER)?.content;
    let time = time(fields.next(GENERALIZED_TIME)?)?;
    // Accuracy and ordering may stand before the nonce.
    let nonce = fields.find(|field| field.tag == INTEGER).map(|nonce| positive(nonce.content).to_vec());
    Some(Token {
        policy,
        imprint: (algorithm == oid::SHA256).then(|| digest.try_into().ok()).flatten(),
        serial: hex(serial.get(..serial.len().min(40))?),
        time,
        nonce,
        signature: Signature::Unchecked("not looked at"),
    })
}

/// `GeneralizedTime` or `UTCTime` in UTC (RFC 3161 section 2.4.2, RFC 5280 section 4.1.2.5).
pub(super) fn time(element: Element<'_>) -> Option<Time> {
    let text = std::str::from_utf8(element.content).ok().filter(|text| text.is_ascii())?;
    let text = text.strip_suffix('Z')?;
    let text = match element.tag {
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        _ => text.to_owned(),
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let (date, clock) = ((part(0, 4)?, part(4, 6)?, part(6, 8)?), (part(8, 10)?, part(10, 12)?, part(12, 14)?));
    let fraction = text.get(14..)?;
    format!("{}-{}-{}T{}:{}:{}{fraction}Z", date.0, date.1, date.2, clock.0, clock.1, clock.2).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_both_kinds() {
        let of = |tag, text: &[u8]| time(Element { tag, content: text, whole: text }).map(|time| time.to_string());
        assert_eq!(of(GENERALIZED_TIME, b"20260131120000.5Z").as_deref(), Some("2026-01-31T12:00:00.500Z"));
        assert_eq!(of(UTC_TIME, b"491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(of(UTC_TIME, b"990101000000Z").as_deref(), Some("1999-01-01T00:00:00Z"));
        assert_eq!(of(GENERALIZED_TIME, b"20260131120000+0100"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Reply::parse(&bytes);
        }
    }
}
