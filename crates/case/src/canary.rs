//! A canary: a request that the tester makes on purpose while a run is recorded. Where the recording has it, it is
//! known to have worked at that moment; where it has not, what else is missing proves nothing.

use crate::Record;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What the tester asked for: `example.com/canary-7f3a`, or a host alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canary {
    /// Host name or address, in lower case.
    pub host: String,
    /// What the request's target begins with, from its slash on.
    pub path: Option<String>,
}

/// A text that names no canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanaryError;

impl fmt::Display for CanaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a canary is a host in lower case and the beginning of a path, as in example.com/canary-7f3a, of letters, \
             digits and . - _ ~ : /, at most 200 in all",
        )
    }
}

impl std::error::Error for CanaryError {}

/// Longest text of a canary.
const MOST: usize = 200;

impl FromStr for Canary {
    type Err = CanaryError;

    fn from_str(text: &str) -> Result<Self, CanaryError> {
        let slash = text.find('/').unwrap_or(text.len());
        let (host, path) = text.split_at_checked(slash).ok_or(CanaryError)?;
        let in_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b);
        let host_fits = host.parse::<IpAddr>().is_ok() || !host.is_empty() && host.bytes().all(in_host);
        let in_path = |b: u8| b.is_ascii_alphanumeric() || b".-_~:/".contains(&b);
        let fits = text.len() <= MOST && host_fits && path.bytes().all(in_path);
        let path = (path.len() > 1).then(|| path.to_owned());
        fits.then(|| Self { host: host.to_owned(), path }).ok_or(CanaryError)
    }
}

impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.host, self.path.as_deref().unwrap_or_default())
    }
}

impl Canary {
    /// Is this record of the request? Without a path, any request to the host is.
    pub fn is_in(&self, record: &Record) -> bool {
        let Some(request) = &record.request else { return false };
        let named = record.server.name.as_ref().is_some_and(|(name, _)| name.eq_ignore_ascii_case(&self.host));
        let addressed = || record.server.address.is_some_and(|address| address.to_string() == self.host);
        let target = || request.target.as_deref().unwrap_or_default();
        (named || addressed()) && self.path.as_ref().is_none_or(|path| target().starts_with(path.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_host_and_a_path_are_a_canary_and_other_texts_are_none() {
        let canary: Canary = "example.com/canary-7f3a".parse().unwrap();
        assert_eq!((canary.host.as_str(), canary.path.as_deref()), ("example.com", Some("/canary-7f3a")));
        assert_eq!("2001:db8::7/a".parse::<Canary>().unwrap().host, "2001:db8::7");
        assert_eq!("192.0.2.7".parse::<Canary>().unwrap().path, None);
        assert_eq!("example.com/".parse::<Canary>().unwrap().path, None, "every target begins with a slash");
        let long = "a".repeat(MOST + 1);
        for text in ["", "/canary", "Example.com", "https://example.com/", "a b", "a/b c", "a/é", "a/?q", &long] {
            assert_eq!(text.parse::<Canary>(), Err(CanaryError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-z0-9.-]{1,20}(/[a-zA-Z0-9._~:/-]{1,20})?") {
            prop_assert_eq!(text.parse::<Canary>().unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<Canary>();
        }
    }
}
