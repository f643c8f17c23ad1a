//! The key log format of NSS (draft-ietf-tls-keylogfile), read leniently, and two lines beside it.
//!
//! Lines that do not parse are counted and skipped. Beside the registered labels there are
//! `RSA Session-ID:… Master-Key:…` (as OpenSSL's `s_client` prints them), `PMS_CLIENT_RANDOM` (as
//! Wireshark reads it), and our own `PSK <identity in hex or *> <key in hex>`.

/// One line's secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A secret of the connection with this client random.
    OfConnection { random: [u8; 32], label: Label, secret: Vec<u8> },
    /// Master secret of a session.
    OfSession { session: Vec<u8>, master: Vec<u8> },
    /// Premaster secret by the first eight bytes of its encrypted form.
    Premaster { encrypted: [u8; 8], premaster: Vec<u8> },
    /// A pre-shared key, for one identity or for all.
    PreShared { identity: Option<Vec<u8>>, key: Vec<u8> },
    /// Known, and of no use for records: exporter secrets, ECH secrets.
    Unused,
}

/// What a secret of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    Master,
    Premaster,
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    ClientApplication,
    ServerApplication,
}

/// Reads a line; `Ok(None)` where it is blank or a comment.
pub(crate) fn line(text: &[u8]) -> Result<Option<Line>, ()> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let Some(label) = words.next() else { return Ok(None) };
    if label.starts_with(b"#") {
        return Ok(None);
    }
    let (first, second) = (words.next().ok_or(())?, words.next().ok_or(())?);
    parse(label, first, second).map(Some).ok_or(())
}

fn parse(label: &[u8], first: &[u8], second: &[u8]) -> Option<Line> {
    match label {
        b"RSA" => return rsa(first, second),
        b"PSK" => {
            let identity = if first == b"*" { None } else { Some(hex(first)?) };
            return Some(Line::PreShared { identity, key: hex(second).filter(|key| !key.is_empty())? });
        }
        _ => {}
    }
    if is_unused(label) {
        return hex(second).map(|_| Line::Unused);
    }
    let label = connection_label(label)?;
    let secret = hex(second).filter(|secret| label.fits(secret.len()))?;
    Some(Line::OfConnection { random: hex(first)?.try_into().ok()?, label, secret })
}

fn connection_label(label: &[u8]) -> Option<Label> {
    Some(match label.strip_prefix(b"QUIC_").unwrap_or(label) {
        b"CLIENT_RANDOM" => Label::Master,
        b"PMS_CLIENT_RANDOM" => Label::Premaster,
        b"CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
        b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
        b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
        b"CLIENT_TRAFFIC_SECRET_0" => Label::ClientApplication,
        b"SERVER_TRAFFIC_SECRET_0" => Label::ServerApplication,
        _ => return None,
    })
}

/// Later generations follow from the first; the others protect no records of TLS.
fn is_unused(label: &[u8]) -> bool {
    [&b"CLIENT_TRAFFIC_SECRET_"[..], b"SERVER_TRAFFIC_SECRET_"]
        .iter()
        .any(|prefix| label.strip_prefix(*prefix).is_some_and(|number| number != b"0"))
        || label.ends_with(b"EXPORTER_SECRET")
        || label.ends_with(b"EXPORTER_MASTER_SECRET")
        || label.starts_with(b"ECH_")
}

fn rsa(first: &[u8], second: &[u8]) -> Option<Line> {
    if let (Some(session), Some(master)) = (first.strip_prefix(b"Session-ID:"), second.strip_prefix(b"Master-Key:")) {
        let master = hex(master).filter(|master| master.len() == 48)?;
        return Some(Line::OfSession { session: hex(session).filter(|id| !id.is_empty())?, master });
    }
    let premaster = hex(second).filter(|secret| secret.len() == 48)?;
    Some(Line::Premaster { encrypted: hex(first)?.try_into().ok()?, premaster })
}

impl Label {
    fn fits(self, length: usize) -> bool {
        match self {
            Self::Master => length == 48,
            Self::Premaster => (1..=2048).contains(&length),
            _ => matches!(length, 32 | 48 | 64),
        }
    }
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex_of(byte: u8, count: usize) -> String {
        format!("{byte:02x}").repeat(count)
    }

    #[test]
    fn registered_labels_are_read() {
        let text = format!("CLIENT_RANDOM {} {}", hex_of(1, 32), hex_of(2, 48));
        let expected = Line::OfConnection { random: [1; 32], label: Label::Master, secret: vec![2; 48] };
        assert_eq!(line(text.as_bytes()), Ok(Some(expected)));
    }

    #[test]
    fn blanks_carriage_returns_and_upper_case_do_not_matter() {
        let text = format!("  \tSERVER_TRAFFIC_SECRET_0  {} \t{} \r", hex_of(0xab, 32).to_uppercase(), hex_of(2, 32));
        let expected = Line::OfConnection { random: [0xab; 32], label: Label::ServerApplication, secret: vec![2; 32] };
        assert_eq!(line(text.as_bytes()), Ok(Some(expected)));
    }

    #[test]
    fn comments_and_blank_lines_are_no_errors() {
        assert_eq!(line(b"# a comment"), Ok(None));
        assert_eq!(line(b" \r"), Ok(None));
    }

    #[test]
    fn unknown_labels_and_broken_lines_are_errors() {
        for text in ["WHATEVER 00 00", "CLIENT_RANDOM", "CLIENT_RANDOM 00 00", "CLIENT_RANDOM zz 0", "RSA 00 11"] {
            assert_eq!(line(text.as_bytes()), Err(()), "{text}");
        }
    }

    #[test]
    fn a_session_line_as_openssl_prints_it() {
        let text = format!("RSA Session-ID:{} Master-Key:{}", hex_of(7, 32), hex_of(8, 48));
        assert_eq!(line(text.as_bytes()), Ok(Some(Line::OfSession { session: vec![7; 32], master: vec![8; 48] })));
    }

    #[test]
    fn a_pre_shared_key_for_all_identities() {
        assert_eq!(line(b"PSK * 0a0b"), Ok(Some(Line::PreShared { identity: None, key: vec![10, 11] })));
    }
}
