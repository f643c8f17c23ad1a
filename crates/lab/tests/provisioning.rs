//! What apps spell in lengths is read by whoever hears them, in the air and within the network.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use dyetrace_case::{Item, Protocol, Record};
use dyetrace_evidence::{Limits, open_bytes, read};
use dyetrace_lab::provisioning::air::{self, Ear, Sound};
use dyetrace_lab::provisioning::{Credentials, Datagram, airkiss, esptouch, esptouch2, tuya_ez};
use proptest::prelude::*;
use std::net::Ipv4Addr;

const PHONE: Ipv4Addr = Ipv4Addr::new(10, 24, 7, 21);
const BSSID: [u8; 6] = [0x02, 0x1a, 0x11, 0x50, 0x60, 0x70];
const SCHEMES: [Protocol; 4] = [Protocol::EspTouch, Protocol::EspTouch2, Protocol::AirKiss, Protocol::TuyaEz];

/// What an app sends in one attempt.
fn attempt(scheme: Protocol, ssid: &[u8], password: &[u8]) -> Vec<Datagram> {
    let home = Credentials::new(ssid, password, BSSID, PHONE).unwrap();
    let token = tuya_ez::Token { region: *b"EU", token: *b"9KvP0aZ1", secret: *b"s3Cr" };
    match scheme {
        Protocol::EspTouch => esptouch::datagrams(&home).collect(),
        Protocol::EspTouch2 => esptouch2::datagrams(&home, &esptouch2::Options::default()).collect(),
        Protocol::AirKiss => airkiss::datagrams(&home, 0x5a).collect(),
        _ => tuya_ez::datagrams(&home, &token).collect(),
    }
}

/// The records of credentials in a capture.
fn spelt(file: &[u8]) -> Vec<Record> {
    let opened = open_bytes("air", file).unwrap();
    let mut tls = dyetrace_tls::Decryptor::default();
    let mut records = Vec::new();
    let mut sink = |item| {
        if let Item::Record(record) = item {
            records.push(*record);
        }
        Ok(())
    };
    read(&opened, Limits::default(), &mut tls, &mut sink, &mut |_| ());
    records.retain(|record| SCHEMES.contains(&record.protocol));
    records
}

fn field(record: &Record, name: &str) -> Option<Vec<u8>> {
    let fields = &record.request.as_ref()?.headers;
    fields.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value.clone())
}

/// Scheme, SSID and password of each record.
fn read_credentials(file: &[u8]) -> Vec<(Protocol, Vec<u8>, Vec<u8>)> {
    let of = |record: &Record, name| field(record, name).unwrap_or_default();
    spelt(file).iter().map(|record| (record.protocol, of(record, "ssid"), of(record, "password"))).collect()
}

fn ssid() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof!["[ -~]{1,32}", "[一-龥]{1,10}", "[a-zA-Z0-9_-]{1,12}[家网]{1,3}"].prop_map(String::into_bytes)
}

fn credentials() -> impl Strategy<Value = (Protocol, Vec<u8>, Vec<u8>)> {
    let password = "[ -~]{8,63}".prop_map(String::into_bytes);
    (prop::sample::select(SCHEMES.to_vec()), ssid(), password)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn within_the_network_every_credential_is_read((scheme, ssid, password) in credentials(), seed in "[a-z]{4}") {
        let ear = Ear { lost: 20, repeated: 20, swapped: 5 };
        let heard = ear.listen(attempt(scheme, &ssid, &password), &seed);
        prop_assert_eq!(read_credentials(&air::ethernet(&heard, PHONE)), [(scheme, ssid, password)]);
    }

    #[test]
    fn in_the_air_every_credential_is_read(
        (scheme, ssid, password) in credentials(), seed in "[a-z]{4}", added in 30u16..200, lost in 0u64..100,
    ) {
        let ear = Ear { lost, repeated: 20, swapped: 5 };
        let heard = ear.listen(attempt(scheme, &ssid, &password), &seed);
        prop_assert_eq!(read_credentials(&air::radiotap(&heard, added)), [(scheme, ssid, password)]);
    }

    #[test]
    fn lengths_of_chance_spell_nothing(lengths in prop::collection::vec(0u16..1200, 3000), wide in any::<bool>()) {
        let to = std::net::SocketAddrV4::new(Ipv4Addr::BROADCAST, 7001);
        let length = |length: u16| if wide { length } else { length % 512 };
        let datagram = |length| Datagram { to, length, fill: 0, pause: std::time::Duration::from_millis(8) };
        let heard = Ear::default().listen(lengths.into_iter().map(length).map(datagram), "chance");
        prop_assert_eq!(read_credentials(&air::ethernet(&heard, PHONE)), []);
        prop_assert_eq!(read_credentials(&air::radiotap(&heard, 40)), []);
    }
}

#[test]
fn a_record_says_who_said_what_to_whom_and_in_which_packets() {
    let heard = Ear::default().listen(attempt(Protocol::TuyaEz, b"Linden", b"made-up-password"), "");
    let records = spelt(&air::ethernet(&heard, PHONE));
    let [record] = &records[..] else { panic!("one record") };
    assert_eq!((record.client.address, record.client.port), (Some(PHONE.into()), Some(51_000)));
    assert_eq!((record.server.address, record.server.port), (Some(Ipv4Addr::BROADCAST.into()), Some(30_011)));
    assert!(record.id.0.starts_with("tuya-ez:0/packets:1-"), "{}", record.id);
    let fields = ["ssid", "password", "region", "token", "secret"].map(|name| field(record, name).unwrap());
    assert_eq!(fields, [&b"Linden"[..], b"made-up-password", b"EU", b"9KvP0aZ1", b"s3Cr"]);
    let heard = Ear::default().listen(attempt(Protocol::EspTouch, b"Linden", b"made-up-password"), "");
    let records = spelt(&air::radiotap(&heard, 60));
    let [record] = &records[..] else { panic!("one record") };
    assert_eq!(field(record, "phone"), Some(b"10.24.7.21".to_vec()));
    assert_eq!(field(record, "bssid"), Some(b"02:1a:11:50:60:70".to_vec()));
    let name = |name: &Option<(String, _)>| name.as_ref().map(|(name, _)| name.clone()).unwrap();
    assert_eq!(name(&record.client.name), "02:6f:14:88:d2:31");
    assert_eq!(name(&record.server.name), "ff:ff:ff:ff:ff:ff");
}

#[test]
fn a_mistyped_password_and_the_right_one_are_two_readings_and_others_may_speak_between() {
    let wrong = attempt(Protocol::AirKiss, b"Linden", b"mistyped-password");
    let right = attempt(Protocol::AirKiss, b"Linden", b"made-up-password");
    let heard = Ear::default().listen(wrong.into_iter().chain(right), "");
    let passwords: Vec<_> = read_credentials(&air::radiotap(&heard, 50)).into_iter().map(|(_, _, word)| word).collect();
    assert_eq!(passwords, [&b"mistyped-password"[..], b"made-up-password"]);

    // The same phone's datagrams to another port, and another app's to the same, come between.
    let other = |sound: &Sound| Sound {
        datagram: Datagram { length: 300, to: "10.24.7.255:6667".parse().unwrap(), ..sound.datagram },
        ..*sound
    };
    let mixed: Vec<_> = heard.iter().flat_map(|sound| [*sound, other(sound)]).collect();
    assert_eq!(read_credentials(&air::ethernet(&mixed, PHONE)).len(), 2);
}

#[test]
fn an_encrypted_attempt_gives_its_ciphertext() {
    let home = Credentials::new("Linden", "made-up-password", BSSID, PHONE).unwrap();
    for (vector, length) in [(None, 32), (Some([7; 16]), 48)] {
        let options =
            esptouch2::Options { reserved: b"made-up".to_vec(), key: Some([9; 16]), vector, ..Default::default() };
        let heard = Ear { lost: 50, ..Ear::default() }.listen(esptouch2::datagrams(&home, &options), "");
        let records = spelt(&air::radiotap(&heard, 44));
        let [record] = &records[..] else { panic!("one record") };
        let sealed = field(record, "encrypted").unwrap();
        assert_eq!(
            (sealed.len(), field(record, "ssid"), field(record, "password")),
            (length, Some(b"Linden".to_vec()), None)
        );
        assert!(vector.is_none_or(|vector| sealed.starts_with(&vector)));
    }
}

/// Where the BSSID was not heard, the beginning of an SSID whose checksum was by chance the same was taken for it.
#[test]
fn an_ssid_is_not_taken_for_a_bssid_that_was_not_heard() {
    let ear = Ear { lost: 20, repeated: 20, swapped: 5 };
    let heard = ear.listen(attempt(Protocol::EspTouch, b"/%w'=<AaA 00a Ev.m:E", b"T6A0Oj&`=25"), "hlxu");
    let records = spelt(&air::ethernet(&heard, PHONE));
    let fields: Vec<_> = records.iter().map(|record| &record.request.as_ref().unwrap().headers).collect();
    assert_eq!(records.len(), 1, "{fields:?}");
}
