//! Cipher suites under OpenSSL's names, as mitmproxy records them, to IANA's.

/// The IANA name of a suite; a name that fits no pattern stays as it is.
pub(super) fn iana_name(recorded: &str) -> String {
    if recorded.starts_with("TLS_") {
        return recorded.to_owned();
    }
    // aioquic leaves the prefix away: AES_128_GCM_SHA256.
    if recorded.contains('_') {
        return format!("TLS_{recorded}");
    }
    suite(recorded).unwrap_or_else(|| recorded.to_owned())
}

fn suite(name: &str) -> Option<String> {
    const EXCHANGES: [(&str, &str); 9] = [
        ("ECDHE-RSA-", "ECDHE_RSA"),
        ("ECDHE-ECDSA-", "ECDHE_ECDSA"),
        ("ECDHE-ARIA", "ECDHE_RSA"),
        ("DHE-RSA-", "DHE_RSA"),
        ("DHE-DSS-", "DHE_DSS"),
        ("ADH-", "DH_anon"),
        ("AECDH-", "ECDH_anon"),
        ("PSK-", "PSK"),
        ("ECDHE-PSK-", "ECDHE_PSK"),
    ];
    let known = EXCHANGES.iter().find(|(prefix, _)| name.starts_with(prefix));
    let (exchange, cipher) = match known {
        Some(("ECDHE-ARIA", iana)) => (*iana, name.strip_prefix("ECDHE-")?),
        Some((prefix, iana)) => (*iana, name.strip_prefix(prefix)?),
        None => ("RSA", name),
    };
    Some(format!("TLS_{exchange}_WITH_{}", cipher_and_hash(cipher)?))
}

fn cipher_and_hash(cipher: &str) -> Option<String> {
    let simple = match cipher {
        "CHACHA20-POLY1305" => "CHACHA20_POLY1305_SHA256",
        "DES-CBC3-SHA" => "3DES_EDE_CBC_SHA",
        "RC4-SHA" => "RC4_128_SHA",
        "RC4-MD5" => "RC4_128_MD5",
        "NULL-SHA" => "NULL_SHA",
        "NULL-SHA256" => "NULL_SHA256",
        _ => "",
    };
    if !simple.is_empty() {
        return Some(simple.to_owned());
    }
    let (block, rest) = cipher.split_once('-')?;
    let family = ["AES", "CAMELLIA", "ARIA"].into_iter().find(|family| block.starts_with(family))?;
    let bits = block.strip_prefix(family).filter(|bits| ["128", "256"].contains(bits))?;
    let mode = match rest {
        "CCM" => "CCM".to_owned(),
        "CCM8" => "CCM_8".to_owned(),
        "GCM-SHA256" | "GCM-SHA384" => rest.replace('-', "_"),
        "SHA" | "SHA256" | "SHA384" => format!("CBC_{rest}"),
        _ => return None,
    };
    Some(format!("{family}_{bits}_{mode}"))
}

#[cfg(test)]
mod tests {
    use super::iana_name;

    #[test]
    fn openssl_names_become_iana_names() {
        for (openssl, iana) in [
            ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
            ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
            ("DHE-RSA-AES128-CCM8", "TLS_DHE_RSA_WITH_AES_128_CCM_8"),
            ("ECDHE-ARIA256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384"),
            ("DES-CBC3-SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
            ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
            ("AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
            ("GOST2012-MAGMA", "GOST2012-MAGMA"),
        ] {
            assert_eq!(iana_name(openssl), iana);
        }
    }
}
