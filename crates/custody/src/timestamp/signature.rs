//! The signature of a time stamp (RFC 5652 section 5.4, RFC 5035, RFC 3161 section 2.4.2).

use super::certificate::{self, Certificate};
use super::der::{Element, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, SET, context};
use super::oid;
use crate::digest::sha256;
use dyetrace_case::{ExhibitId, Time};
use ring::digest::{self, Algorithm};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

/// What a signature is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// It was made with the key of the certificate that the reply brings, which may sign time stamps and was valid then.
    /// Whether the certificate is whose it says was not asked.
    Good {
        /// The certificate's common name.
        subject: Option<String>,
        /// SHA-256 of the certificate: compare it with what the authority publishes.
        certificate: ExhibitId,
    },
    /// It was not.
    Bad(&'static str),
    /// It could not be checked.
    Unchecked(&'static str),
}

/// What a signature is about.
pub(super) struct Signed<'a> {
    pub(super) content: &'a [u8],
    pub(super) certificates: Option<Reader<'a>>,
    pub(super) signers: Reader<'a>,
    pub(super) at: Time,
}

/// A signer and what it signed.
struct Signer<'a> {
    digest: &'a [u8],
    attributes: Element<'a>,
    algorithm: &'a [u8],
    signature: &'a [u8],
}

/// More certificates than a chain has.
const MOST_CERTIFICATES: usize = 32;

/// Checks the one signature that a time stamp has.
pub(super) fn check(matter: &Signed<'_>) -> Signature {
    let mut signers = matter.signers.clone();
    let Some(signer) = signers.any().and_then(signer) else {
        return Signature::Bad("the signer's part cannot be read");
    };
    let Some(certificates) = matter.certificates.clone() else {
        return Signature::Unchecked("the reply brings no certificate");
    };
    verdict(matter, &signer, certificates).unwrap_or_else(|signature| signature)
}

fn verdict(matter: &Signed<'_>, signer: &Signer<'_>, certificates: Reader<'_>) -> Result<Signature, Signature> {
    if attribute(signer, oid::CONTENT_TYPE).is_none_or(|value| value.content != oid::TST_INFO) {
        return Err(Signature::Bad("it is for something else than a time stamp"));
    }
    let algorithm = hash(signer.digest).ok_or(Signature::Unchecked("its digest is not known here"))?;
    let digest = digest::digest(algorithm, matter.content);
    if attribute(signer, oid::MESSAGE_DIGEST).is_none_or(|value| value.content != digest.as_ref()) {
        return Err(Signature::Bad("the stamp was changed after it was signed"));
    }
    let mut certificates = certificates.take(MOST_CERTIFICATES).filter(|element| element.tag == SEQUENCE);
    let named = certificates.find(|certificate| is_named(signer, certificate.whole));
    let named = named.ok_or(Signature::Bad("the certificate that it names is not in the reply"))?;
    let certificate = certificate::read(named).ok_or(Signature::Unchecked("the certificate cannot be read"))?;
    if !certificate.for_time_stamps {
        return Err(Signature::Bad("the certificate is not for time stamps"));
    }
    if matter.at < certificate.valid.0 || matter.at > certificate.valid.1 {
        return Err(Signature::Bad("the certificate was not valid at that time"));
    }
    let method = method(signer, &certificate).ok_or(Signature::Unchecked("its algorithm is not known here"))?;
    // What is signed is the attributes as a SET, not with the tag they have in place.
    let mut message = vec![SET];
    message.extend(signer.attributes.whole.get(1..).unwrap_or_default());
    let key = UnparsedPublicKey::new(method, certificate.key);
    key.verify(&message, signer.signature).map_err(|_| Signature::Bad("it was not made with the certificate's key"))?;
    Ok(Signature::Good { subject: certificate.subject, certificate: sha256(certificate.whole) })
}

/// `SignerInfo`.
fn signer(info: Element<'_>) -> Option<Signer<'_>> {
    let mut fields = info.inside();
    fields.next(INTEGER)?;
    fields.any()?;
    let digest = fields.next(SEQUENCE)?.inside().next(OID)?.content;
    let attributes = fields.next(context(0))?;
    let algorithm = fields.next(SEQUENCE)?.inside().next(OID)?.content;
    let signature = fields.next(OCTET_STRING)?.content;
    Some(Signer { digest, attributes, algorithm, signature })
}

/// The only value of a signed attribute.
fn attribute<'a>(signer: &Signer<'a>, kind: &[u8]) -> Option<Element<'a>> {
    let mut attributes = signer.attributes.inside();
    let found = attributes.find(|attribute| attribute.inside().next(OID).is_some_and(|own| own.content == kind))?;
    let mut fields = found.inside();
    fields.next(OID)?;
    fields.next(SET)?.inside().any()
}

/// Is it the certificate whose digest was signed? (`SigningCertificateV2` of RFC 5035, else that of RFC 2634.)
fn is_named(signer: &Signer<'_>, certificate: &[u8]) -> bool {
    let v2 = || {
        let mut id =
            attribute(signer, oid::SIGNING_CERTIFICATE_V2)?.inside().next(SEQUENCE)?.inside().next(SEQUENCE)?.inside();
        let algorithm = match id.optional(SEQUENCE) {
            Some(algorithm) => hash(algorithm.inside().next(OID)?.content)?,
            None => &digest::SHA256,
        };
        Some(id.next(OCTET_STRING)?.content == digest::digest(algorithm, certificate).as_ref())
    };
    let v1 = || {
        let mut id =
            attribute(signer, oid::SIGNING_CERTIFICATE)?.inside().next(SEQUENCE)?.inside().next(SEQUENCE)?.inside();
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
        Some(id.next(OCTET_STRING)?.content == digest.as_ref())
    };
    v2().or_else(v1).unwrap_or(false)
}

fn hash(algorithm: &[u8]) -> Option<&'static Algorithm> {
    match algorithm {
        oid::SHA256 => Some(&digest::SHA256),
        oid::SHA384 => Some(&digest::SHA384),
        oid::SHA512 => Some(&digest::SHA512),
        oid::SHA1 => Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        _ => None,
    }
}

fn method(signer: &Signer<'_>, certificate: &Certificate<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let (key, curve) = certificate.algorithm;
    match (signer.algorithm, signer.digest, key, curve) {
        (oid::RSA_SHA256, _, oid::RSA, _) | (oid::RSA, oid::SHA256, oid::RSA, _) => {
            Some(&signature::RSA_PKCS1_2048_8192_SHA256)
        }
        (oid::RSA_SHA384, _, oid::RSA, _) | (oid::RSA, oid::SHA384, oid::RSA, _) => {
            Some(&signature::RSA_PKCS1_2048_8192_SHA384)
        }
        (oid::RSA_SHA512, _, oid::RSA, _) | (oid::RSA, oid::SHA512, oid::RSA, _) => {
            Some(&signature::RSA_PKCS1_2048_8192_SHA512)
        }
        (oid::ECDSA_SHA256, _, _, Some(oid::P256)) => Some(&signature::ECDSA_P256_SHA256_ASN1),
        (oid::ECDSA_SHA384, _, _, Some(oid::P256)) => Some(&signature::ECDSA_P256_SHA384_ASN1),
        (oid::ECDSA_SHA256, _, _, Some(oid::P384)) => Some(&signature::ECDSA_P384_SHA256_ASN1),
        (oid::ECDSA_SHA384, _, _, Some(oid::P384)) => Some(&signature::ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}
