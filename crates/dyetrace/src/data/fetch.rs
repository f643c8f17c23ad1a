//! Archives from a registry or a web server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The largest archive that is taken.
const LARGEST: u64 = 64 << 20;

/// True for what is fetched rather than read.
pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// An address for others to see: without the name and password in it, and without what follows its path, where
/// registries take tokens. Of a path of this computer only the file's name.
pub(crate) fn shown(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://").filter(|_| is_url(place)) else {
        let name = Path::new(place).file_name().unwrap_or_default();
        return name.to_string_lossy().into_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// What a server gives for an address. Who serves it does not matter: the caller knows the checksum.
///
/// # Errors
/// What went wrong, in words.
pub(crate) fn fetch(url: &str) -> Result<Vec<u8>, String> {
    // Some errors repeat the address.
    let said = |error: ureq::Error| error.to_string().replace(url, &shown(url));
    let mut answer = agent(Duration::from_mins(10)).get(url).call().map_err(said)?;
    answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(said)
}

/// Trusts whom the system trusts, so that a company's own registry works. `longest` is how long a request may take.
pub(crate) fn agent(longest: Duration) -> Agent {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<Certificate<'static>> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_global(Some(longest))
        .user_agent(concat!("dyetrace/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A registry's password once stood in index.json, which may go with a case.
    #[test]
    fn what_others_see_of_an_address_has_no_password() {
        for (place, expected) in [
            ("https://lin:secret@npm.example:8443/@a/b/-/b-1.tgz?token=t#f", "https://npm.example:8443/@a/b/-/b-1.tgz"),
            ("https://a@b:secret@npm.example/x", "https://npm.example/x"),
            ("https://npm.example?token=t", "https://npm.example"),
            ("/home/lin/downloads/b-1.tgz", "b-1.tgz"),
            ("b-1.tgz", "b-1.tgz"),
        ] {
            assert_eq!(shown(place), expected);
        }
    }
}
