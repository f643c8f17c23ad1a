//! The little of DER that is needed: names in certificates, numbers in private keys (X.690,
//! RFC 5280, RFC 8017 appendix A.1.2, RFC 5208).

use crate::codec::Reader;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[2]`, a dNSName in GeneralNames.
const DNS_NAME: u8 = 0x82;
/// `[3]`, the extensions of a certificate.
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 1.2.840.113549.1.1.1.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Names that one certificate may give.
const MOST_NAMES: usize = 1000;

/// The dNSNames of a certificate, or where it has none its common name if that can be a host's.
pub(crate) fn certificate_names(certificate: &[u8]) -> Vec<String> {
    let Some(fields) = to_be_signed(certificate) else { return Vec::new() };
    let mut names: Vec<String> = extensions(fields)
        .filter(|(id, _)| *id == SUBJECT_ALT_NAME)
        .flat_map(|(_, value)| elements(inside(value, SEQUENCE).unwrap_or_default()))
        .filter(|(tag, _)| *tag == DNS_NAME)
        .map(|(_, name)| String::from_utf8_lossy(name).into_owned())
        .take(MOST_NAMES)
        .collect();
    if names.is_empty() {
        names.extend(common_name(fields));
    }
    names
}

/// Modulus and private exponent of an RSA key in PKCS#1 or PKCS#8.
pub(crate) fn rsa_private_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = elements(inside(der, SEQUENCE)?);
    let _version = fields.next().filter(|(tag, _)| *tag == INTEGER)?;
    match fields.next()? {
        (INTEGER, modulus) => {
            let _public_exponent = fields.next().filter(|(tag, _)| *tag == INTEGER)?;
            let (_, exponent) = fields.next().filter(|(tag, _)| *tag == INTEGER)?;
            Some((unsigned(modulus), unsigned(exponent)))
        }
        (SEQUENCE, algorithm) => {
            elements(algorithm).next().filter(|element| *element == (OBJECT_IDENTIFIER, RSA_ENCRYPTION))?;
            let (_, key) = fields.next().filter(|(tag, _)| *tag == OCTET_STRING)?;
            // One level only: a PKCS#8 inside a PKCS#8 is no key.
            elements(inside(key, SEQUENCE)?).nth(1).filter(|(tag, _)| *tag == INTEGER)?;
            rsa_private_key(key)
        }
        _ => None,
    }
}

fn unsigned(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

fn to_be_signed(certificate: &[u8]) -> Option<&[u8]> {
    inside(inside(certificate, SEQUENCE)?, SEQUENCE)
}

/// Identifier and value of each extension of a certificate.
fn extensions(fields: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let list = elements(fields).find(|(tag, _)| *tag == EXTENSIONS).and_then(|(_, list)| inside(list, SEQUENCE));
    elements(list.unwrap_or_default()).filter_map(|(_, extension)| {
        let mut parts = elements(extension);
        let (_, id) = parts.next().filter(|(tag, _)| *tag == OBJECT_IDENTIFIER)?;
        let (_, value) = parts.find(|(tag, _)| *tag == OCTET_STRING)?;
        Some((id, value))
    })
}

/// The subject is the fourth sequence: after signature, issuer and validity.
fn common_name(fields: &[u8]) -> Option<String> {
    let (_, subject) = elements(fields).filter(|(tag, _)| *tag == SEQUENCE).nth(3)?;
    elements(subject).filter(|(tag, _)| *tag == SET).find_map(|(_, set)| {
        let mut parts = elements(inside(set, SEQUENCE)?);
        let (_, id) = parts.next()?;
        let (_, value) = parts.next()?;
        let name = std::str::from_utf8(value).ok().filter(|_| id == COMMON_NAME)?;
        (name.contains('.') && !name.contains(' ')).then(|| name.to_owned())
    })
}

/// The content of the first element, if it has this tag.
fn inside(der: &[u8], tag: u8) -> Option<&[u8]> {
    elements(der).next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
}

/// Tags and contents, up to the first element that is cut short.
fn elements(der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut reader = Reader::new(der);
    std::iter::from_fn(move || {
        let tag = reader.u8()?;
        let length = match reader.u8()? {
            short @ 0..=0x7f => usize::from(short),
            0x81 => usize::from(reader.u8()?),
            0x82 => usize::from(reader.u16()?),
            0x83 => reader.u24()?,
            _ => return None,
        };
        Some((tag, reader.take(length)?))
    })
}
