//! The case's own certificate authority, and the certificates it makes for servers.
//!
//! The authority is short-lived and belongs to one case; its key never signs a connection. Certificates for
//! servers have a key of their own that is made at each start and forgotten at its end.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use time::{Duration, OffsetDateTime};

/// How long an authority lives; a recording campaign takes weeks, not years.
pub const AUTHORITY_DAYS: i64 = 60;
/// How long a server's certificate lives. Public ones must not live longer than 200 days since 2026
/// (CA/Browser Forum ballot SC-081), and clients may refuse those that do.
pub const LEAF_DAYS: i64 = 30;
/// Clocks of phones are off.
const BEFORE: Duration = Duration::days(2);
/// The files of an authority in its folder.
pub const CERTIFICATE_FILE: &str = "ca.pem";
/// Its key; only its owner may read it.
pub const KEY_FILE: &str = "ca.key";
/// Certificates remembered at once.
const REMEMBERED: usize = 4096;
/// Names taken over from a server's certificate.
const NAMES: usize = 256;

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
    leaf_key: KeyPair,
    leaves: Mutex<HashMap<Vec<SanName>, Arc<CertifiedKey>>>,
}

/// A name that a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SanName {
    /// A DNS name, also with a star.
    Dns(String),
    /// An address.
    Address(IpAddr),
}

/// An authority that could not be made or read. Says the file.
#[derive(Debug)]
pub struct AuthorityError(String);

impl std::fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AuthorityError {}

impl Authority {
    /// The authority in that folder; made there where there is none.
    ///
    /// # Errors
    /// Where files cannot be read or written, or are no authority that is still valid.
    pub fn in_folder(folder: &Path, name: &str) -> Result<Self, AuthorityError> {
        let (certificate, key) = (folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE));
        if !key.exists() && !certificate.exists() {
            let authority = Self::new(name)?;
            std::fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
            write_new(&key, authority.issuer.key().serialize_pem().as_bytes(), 0o600)?;
            write_new(&certificate, authority.pem.as_bytes(), 0o644)?;
            return Ok(authority);
        }
        let pem = std::fs::read_to_string(&certificate).map_err(|error| at(&certificate, &error))?;
        let secret = std::fs::read_to_string(&key).map_err(|error| at(&key, &error))?;
        // What a parser says of a key is not repeated.
        let key_pair = KeyPair::from_pem(&secret).map_err(|_| at(&key, &"this is no private key"))?;
        Self::read(&pem, key_pair).map_err(|error| at(&certificate, &error))
    }

    /// A new authority, kept in memory only.
    ///
    /// # Errors
    /// Where this machine has no randomness.
    pub fn new(name: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate().map_err(|error| AuthorityError(error.to_string()))?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named(name);
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) = (now - BEFORE, now + Duration::days(AUTHORITY_DAYS));
        let certificate = params.self_signed(&key).map_err(|error| AuthorityError(error.to_string()))?;
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self::with(Issuer::new(params, key), pem, der)
    }

    /// The certificate, for devices that are to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate in DER, as Android takes it.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// A certificate for these names, with its key. The same names get the same one.
    ///
    /// # Errors
    /// Where a name cannot stand in a certificate.
    pub fn leaf(&self, names: &[SanName]) -> Result<Arc<CertifiedKey>, AuthorityError> {
        let lock = || self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = lock().get(names) {
            return Ok(Arc::clone(leaf));
        }
        let leaf = Arc::new(self.make(names)?);
        let mut leaves = lock();
        if leaves.len() >= REMEMBERED {
            leaves.clear();
        }
        leaves.insert(names.to_vec(), Arc::clone(&leaf));
        Ok(leaf)
    }

    fn make(&self, names: &[SanName]) -> Result<CertifiedKey, AuthorityError> {
        let mut params = CertificateParams::default();
        for name in names.iter().take(NAMES) {
            params.subject_alt_names.push(match name {
                SanName::Dns(name) => {
                    SanType::DnsName(name.as_str().try_into().map_err(|_| AuthorityError("not a DNS name".into()))?)
                }
                SanName::Address(address) => SanType::IpAddress(*address),
            });
        }
        params.distinguished_name = named("dyetrace live");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) = (now - BEFORE, now + Duration::days(LEAF_DAYS));
        let wrong = |error: &dyn std::fmt::Display| AuthorityError(error.to_string());
        let certificate = params.signed_by(&self.leaf_key, &self.issuer).map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let signing = provider().key_provider.load_private_key(key).map_err(|error| wrong(&error))?;
        Ok(CertifiedKey::new(vec![certificate.der().clone(), self.der.clone()], signing))
    }

    fn read(pem: &str, key: KeyPair) -> Result<Self, AuthorityError> {
        use rustls::pki_types::pem::PemObject as _;
        let no = |what: &str| AuthorityError(what.to_owned());
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| no("this is no certificate in PEM"))?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|_| no("this is no certificate"))?;
        if certificate.public_key().subject_public_key.data != key.public_key_raw() {
            return Err(no("this is not the certificate of the key beside it"));
        }
        if !certificate.validity().is_valid() {
            return Err(no("this authority is no longer valid; remove it and its key, and one will be made anew"));
        }
        let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named(name.ok_or_else(|| no("this authority has no name"))?);
        Self::with(Issuer::new(params, key), pem.to_owned(), der)
    }

    fn with(
        issuer: Issuer<'static, KeyPair>,
        pem: String,
        der: CertificateDer<'static>,
    ) -> Result<Self, AuthorityError> {
        let leaf_key = KeyPair::generate().map_err(|error| AuthorityError(error.to_string()))?;
        Ok(Self { issuer, pem, der, leaf_key, leaves: Mutex::default() })
    }
}

/// The names that a server's certificate is for.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> Vec<SanName> {
    use x509_parser::extensions::GeneralName;
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(SanName::Dns(name.to_ascii_lowercase())),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(SanName::Address([*a, *b, *c, *d].into())),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|bytes| SanName::Address(bytes.into())),
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).take(NAMES).collect()
}

/// The cryptography that all TLS here uses.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        let mut provider = rustls::crypto::ring::default_provider();
        // As browsers and phones have it. The longer suite's SHA-384 costs a tenth of a new connection.
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
        Arc::new(provider)
    });
    Arc::clone(&PROVIDER)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

pub(crate) fn at(path: &Path, error: &dyn std::fmt::Display) -> AuthorityError {
    AuthorityError(format!("{}: {error}", path.display()))
}

pub(crate) fn write_new(path: &Path, contents: &[u8], mode: u32) -> Result<(), AuthorityError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let write = || -> io::Result<()> {
        let mut file = options.open(path)?;
        file.write_all(contents)?;
        file.sync_all()
    };
    write().map_err(|error| at(path, &error))
}
