//! `TimeStampReq` (RFC 3161 section 2.4.1).

use super::der::{BOOLEAN, INTEGER, NULL, OCTET_STRING, OID, Reader, SEQUENCE, element, positive};
use super::{NotDer, oid};
use dyetrace_case::ExhibitId;

/// What a time stamp is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// SHA-256 of what is to be stamped.
    pub imprint: ExhibitId,
    /// A number that the reply must repeat, so that an old one cannot be passed off; big-endian, without leading zeros.
    pub nonce: Vec<u8>,
}

impl Request {
    /// Asks for a stamp and for the authority's certificate.
    pub fn new(imprint: ExhibitId, nonce: [u8; 16]) -> Self {
        Self { imprint, nonce: positive(&nonce).to_vec() }
    }

    /// The request in DER, as `application/timestamp-query` has it.
    pub fn to_der(&self) -> Vec<u8> {
        let algorithm = [element(OID, oid::SHA256), element(NULL, &[])].concat();
        let imprint = [element(SEQUENCE, &algorithm), element(OCTET_STRING, &self.imprint.0)].concat();
        // A leading zero keeps the number positive.
        let mut nonce = self.nonce.clone();
        if nonce.first().is_none_or(|byte| byte & 0x80 != 0) {
            nonce.insert(0, 0);
        }
        let fields =
            [element(INTEGER, &[1]), element(SEQUENCE, &imprint), element(INTEGER, &nonce), element(BOOLEAN, &[0xff])];
        element(SEQUENCE, &fields.concat())
    }

    /// Reads a request that asks for a stamp on a SHA-256.
    ///
    /// # Errors
    /// It is not one, or has no nonce.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotDer> {
        Self::read(bytes).ok_or(NotDer("a time-stamp request for a SHA-256"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Reader(bytes).next(SEQUENCE)?.inside();
        fields.next(INTEGER)?;
        let (algorithm, digest) = super::reply::imprint(fields.next(SEQUENCE)?)?;
        fields.optional(OID);
        let nonce = positive(fields.next(INTEGER)?.content).to_vec();
        let imprint = ExhibitId(digest.try_into().ok()?);
        (algorithm == oid::SHA256).then_some(Self { imprint, nonce })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(imprint: [u8; 32], nonce: [u8; 16]) {
            let request = Request::new(ExhibitId(imprint), nonce);
            prop_assert_eq!(Request::parse(&request.to_der()), Ok(request));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Request::parse(&bytes);
        }
    }
}
