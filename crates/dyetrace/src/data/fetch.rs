//! Archives from a registry or a web server.

use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The largest archive that is taken.
const LARGEST: u64 = 64 << 20;

/// True for what is fetched rather than read.
pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// What a server gives for an address. Who serves it does not matter: the caller knows the checksum.
///
/// # Errors
/// What went wrong, in words.
pub(super) fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let mut answer = agent().get(url).call().map_err(|error| error.to_string())?;
    answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|error| error.to_string())
}

/// Trusts whom the system trusts, so that a company's own registry works.
fn agent() -> Agent {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<Certificate<'static>> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_global(Some(Duration::from_mins(10)))
        .user_agent(concat!("dyetrace/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}
