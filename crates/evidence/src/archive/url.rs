//! The pieces of an absolute URL (RFC 3986) that a record needs.

use dyetrace_case::{Endpoint, NameSource};
use std::net::IpAddr;

/// The pieces of a URL, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// `https`, as written.
    pub(super) scheme: &'a str,
    /// Host without brackets and user information; empty where there is none.
    pub(super) host: &'a str,
    /// The port, where one is written.
    pub(super) port: Option<u16>,
    /// Path and query, without the fragment, which is never sent.
    pub(super) target: &'a str,
}

/// Splits a URL with an authority. `None` for `data:`, `blob:`, relative and other URLs.
pub(super) fn split(url: &str) -> Option<Url<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority.rsplit('@').next().unwrap_or_default());
    is_scheme.then_some(Url { scheme, host, port, target })
}

/// `example.com:443`, `[::1]:443`, `::1`.
pub(super) fn host_and_port(text: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => (text, None),
        Some((host, port)) => (host, port.parse().ok()),
        None => (text, None),
    }
}

impl Url<'_> {
    /// The port written or meant.
    pub(super) fn effective_port(&self) -> Option<u16> {
        self.port.or(match () {
            () if self.is_secure() => Some(443),
            () if self.is_clear() => Some(80),
            () => None,
        })
    }

    /// `https` or `wss`.
    pub(super) fn is_secure(&self) -> bool {
        ["https", "wss"].iter().any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }

    /// `http` or `ws`.
    pub(super) fn is_clear(&self) -> bool {
        ["http", "ws"].iter().any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }

    /// The server this URL names.
    pub(super) fn endpoint(&self) -> Endpoint {
        let address: Option<IpAddr> = self.host.parse().ok();
        let named = address.is_none() && !self.host.is_empty();
        let name = named.then(|| (self.host.to_owned(), NameSource::Host));
        Endpoint { address, port: self.effective_port(), name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_fall_into_their_pieces() {
        let cases = [
            ("https://example.com/a?b=c#d", Some(("https", "example.com", None, "/a?b=c"))),
            ("http://u:p@example.com:8080?x@y", Some(("http", "example.com", Some(8080), "?x@y"))),
            ("wss://[2001:db8::1]:8443/", Some(("wss", "2001:db8::1", Some(8443), "/"))),
            ("https://example.com", Some(("https", "example.com", None, ""))),
            ("data:text/plain,a://b", None),
            ("/relative", None),
        ];
        for (url, pieces) in cases {
            let split = split(url).map(|url| (url.scheme, url.host, url.port, url.target));
            assert_eq!(split, pieces, "{url}");
        }
    }

    #[test]
    fn a_url_with_an_address_names_no_host() {
        let endpoint = split("http://192.0.2.1/").unwrap().endpoint();
        assert_eq!((endpoint.address, endpoint.port), (Some([192, 0, 2, 1].into()), Some(80)));
        assert_eq!(endpoint.name, None);
    }
}
