//! Real captures of other projects: each shows a quirk.

mod common;

use common::{Heard, captures, decrypt, read};
use dyetrace_tls::{Reason, Side};

fn wireshark(capture: &str, key: &str) -> Option<Vec<Heard>> {
    let root = captures()?.join("wireshark");
    Some(decrypt(&root.join(capture), &[&read(&root.join("keys").join(key))]))
}

fn with_keys(capture: &str, keys: &[u8]) -> Option<Vec<Heard>> {
    Some(decrypt(&captures()?.join(capture), &[keys]))
}

#[test]
fn early_data_is_read_with_its_secret() {
    let Some(heard) = wireshark("tls13-rfc8446.pcap", "tls13-rfc8446.keys") else { return };
    assert!(heard[0].text(Side::Client).starts_with("GET /first"));
    assert!(heard[1].text(Side::Client).starts_with("GET /early"));
    assert!(heard[1].text(Side::Client).contains("GET /second"));
    assert!(String::from_utf8_lossy(&heard[1].early).starts_with("GET /early"));
    assert!(heard.iter().all(|it| it.unreadable.is_empty()), "{heard:?}");
}

#[test]
fn without_the_early_secret_only_the_early_request_is_lost() {
    let Some(heard) = wireshark("tls13-rfc8446.pcap", "tls13-rfc8446-noearly.keys") else { return };
    assert!(heard[1].text(Side::Client).starts_with("GET /second"));
    assert!(heard[1].text(Side::Server).contains("Request for /early"));
    assert_eq!(heard[1].reasons(), [Reason::EarlySecretMissing]);
}

#[test]
fn draft_20_has_another_server_hello() {
    let Some(heard) = wireshark("tls13-20-chacha20poly1305.pcap", "tls13-20-chacha20poly1305.keys") else { return };
    assert!(heard.iter().any(|it| it.version == Some("TLS 1.3 (draft)") && it.keyed), "{heard:?}");
    assert!(heard.iter().all(|it| it.unreadable.is_empty()), "{heard:?}");
}

#[test]
fn a_pre_shared_key_opens_gcm_and_ccm() {
    for capture in ["wireshark/tls12-aes256gcm.pcap", "wireshark/tls12-aes128ccm.pcap"] {
        let Some(heard) = with_keys(capture, b"PSK * ca19e028a8a372ad2d325f950fcaceed\n") else { return };
        assert!(heard[0].text(Side::Client).starts_with("GET / "), "{heard:?}");
        assert!(heard[0].unreadable.is_empty(), "{heard:?}");
    }
}

#[test]
fn an_rsa_private_key_opens_rsa_key_exchange_and_resumption() {
    let Some(heard) = wireshark("rsasnakeoil2.pcap", "rsasnakeoil2.key") else { return };
    let requests: usize = heard.iter().map(|it| it.text(Side::Client).matches("GET ").count()).sum();
    assert!(requests >= 11, "{requests}");
    assert!(heard.iter().all(|it| it.unreadable.is_empty()), "{heard:?}");
}

#[test]
fn an_rsa_key_whose_first_prime_is_the_smaller() {
    for key in ["rsa-p-lt-q.key", "rsa-p-lt-q.p8"] {
        let Some(heard) = wireshark("rsa-p-lt-q.pcap", key) else { return };
        assert!(heard[0].text(Side::Client).starts_with("GET "), "{heard:?}");
    }
}

#[test]
fn a_request_in_one_byte_records() {
    let Some(heard) = wireshark("dhe1.pcapng.gz", "dhe1_keylog.dat") else { return };
    assert!(heard[0].text(Side::Client).starts_with("GET /test HTTP/1.0"), "{heard:?}");
}

#[test]
fn tls_in_tls_opens_the_outer_one() {
    let Some(heard) = wireshark("tls-over-tls.pcapng.gz", "tls-over-tls.key") else { return };
    assert!(heard.iter().any(|it| it.keyed), "{heard:?}");
}

#[test]
fn http2_in_tls() {
    let Some(heard) = wireshark("http2-data-reassembly.pcap", "http2-data-reassembly.keys") else { return };
    assert!(heard[0].text(Side::Client).starts_with("PRI * HTTP/2.0"));
    assert!(heard[0].unreadable.is_empty());
}

#[test]
fn secrets_inside_the_capture() {
    let Some(root) = captures() else { return };
    let heard = decrypt(&root.join("wireshark/tls12-dsb.pcapng"), &[]);
    assert_eq!(heard.iter().filter(|it| it.text(Side::Client).starts_with("HEAD ")).count(), 2, "{heard:?}");
}

#[test]
fn all_suites_of_openssl_1_0_with_compression_inside_tls() {
    let Some(root) = captures() else { return };
    let heard =
        decrypt(&root.join("lbirchler/tls2-dsb-dump.pcapng"), &[&read(&root.join("lbirchler/tls2-premaster.txt"))]);
    let requests = heard.iter().filter(|it| it.text(Side::Client).starts_with("GET ")).count();
    let unread: Vec<_> = heard
        .iter()
        .filter(|it| !it.unreadable.is_empty())
        .map(|it| (it.version, it.suite.clone(), it.unreadable.clone()))
        .collect();
    assert_eq!(requests, 73, "{unread:?}");
    let heard = decrypt(
        &root.join("lbirchler/tls3.cryptohack.org.pcapng"),
        &[&read(&root.join("lbirchler/tls3-keylogfile.txt"))],
    );
    assert!(heard.iter().any(|it| it.text(Side::Client).starts_with("PRI * HTTP/2.0")));
}

#[test]
fn without_keys_all_is_counted_and_named() {
    let Some(root) = captures() else { return };
    let names =
        ["hrr", "tls13-ech", "tls-13draft19-early-data", "tls13_psk_succesfull", "chrome-1250-tls-x25519-kyber"];
    for name in names {
        for heard in decrypt(&root.join(format!("zeek/{name}.pcap")), &[]).iter().filter(|it| it.version.is_some()) {
            assert!(
                heard.unreadable.keys().all(|(_, reason)| matches!(reason, Reason::NoKey | Reason::Truncated)),
                "{name} {heard:?}"
            );
            assert!(heard.data.iter().all(Vec::is_empty));
            assert!(heard.unreadable.values().sum::<u64>() > 0, "{name} {heard:?}");
        }
    }
}
