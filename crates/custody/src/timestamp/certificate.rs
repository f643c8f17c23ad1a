//! As much of a certificate (RFC 5280 section 4.1) as a time stamp's signature needs.

use super::der::{BIT_STRING, Element, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, UTF8_STRING, context};
use super::{oid, reply};
use dyetrace_case::Time;

/// A certificate.
pub(super) struct Certificate<'a> {
    /// All of it.
    pub(super) whole: &'a [u8],
    /// From when and until when it holds.
    pub(super) valid: (Time, Time),
    /// The common name of whom it is for.
    pub(super) subject: Option<String>,
    /// The key's algorithm, and its curve where it has one.
    pub(super) algorithm: (&'a [u8], Option<&'a [u8]>),
    /// The key.
    pub(super) key: &'a [u8],
    /// True where its key may sign time stamps (RFC 3161 section 2.3).
    pub(super) for_time_stamps: bool,
}

/// Reads a certificate.
pub(super) fn read(certificate: Element<'_>) -> Option<Certificate<'_>> {
    let mut fields = certificate.inside().next(SEQUENCE)?.inside();
    fields.optional(context(0));
    fields.next(INTEGER)?;
    fields.next(SEQUENCE)?;
    fields.next(SEQUENCE)?;
    let mut validity = fields.next(SEQUENCE)?.inside();
    let valid = (reply::time(validity.any()?)?, reply::time(validity.any()?)?);
    let subject = common_name(fields.next(SEQUENCE)?);
    let mut info = fields.next(SEQUENCE)?.inside();
    let mut algorithm = info.next(SEQUENCE)?.inside();
    let algorithm = (algorithm.next(OID)?.content, algorithm.optional(OID).map(|curve| curve.content));
    // The first byte says how many bits of the last are unused: none in keys.
    let key = info.next(BIT_STRING)?.content.strip_prefix(&[0])?;
    let extensions = fields.find(|field| field.tag == context(3));
    let for_time_stamps = extensions.is_some_and(|extensions| for_time_stamps(extensions).is_some());
    Some(Certificate { whole: certificate.whole, valid, subject, algorithm, key, for_time_stamps })
}

fn common_name(name: Element<'_>) -> Option<String> {
    let attributes = name.inside().flat_map(Element::inside);
    for attribute in attributes {
        let mut fields = attribute.inside();
        if fields.next(OID)?.content == oid::COMMON_NAME {
            let text = fields.any()?;
            // PrintableString and IA5String are ASCII.
            let readable = matches!(text.tag, UTF8_STRING | 0x13 | 0x16);
            return readable.then(|| crate::name::shown(&String::from_utf8_lossy(text.content)));
        }
    }
    None
}

fn for_time_stamps(extensions: Element<'_>) -> Option<()> {
    let mut extensions = extensions.inside().next(SEQUENCE)?.inside();
    let usage = extensions
        .find(|extension| extension.inside().next(OID).is_some_and(|kind| kind.content == oid::EXTENDED_KEY_USAGE))?;
    let value = usage.inside().find(|field| field.tag == OCTET_STRING)?;
    let mut purposes = Reader(value.content).next(SEQUENCE)?.inside();
    purposes.find(|purpose| purpose.content == oid::TIME_STAMPING).map(|_| ())
}
