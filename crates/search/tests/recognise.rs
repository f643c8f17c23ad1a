//! Recognisers of personal data against vectors that nobody on this project made, and against
//! chance.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "says which vectors are absent")]

use dyetrace_search::{Checks, RecogniseOptions, ResidentIdMode, fuzzing};
use proptest::prelude::*;
use serde_json::Value;
use std::path::PathBuf;

fn vectors(name: &str) -> Vec<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var_os("DYETRACE_VECTORS").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        eprintln!("skipped: {name} is not in {}", folder.display());
        return Vec::new();
    };
    // Two values are halves of surrogate pairs, which no UTF-8 text holds.
    let text = text.replace("\\ud800", "").replace("\\udc00", "");
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn options(resident_ids: ResidentIdMode) -> RecogniseOptions {
    RecogniseOptions { resident_ids, year: 2026, ..RecogniseOptions::default() }
}

fn hits(text: &[u8], name: Option<&str>) -> Vec<(&'static str, std::ops::Range<usize>, Checks, f32)> {
    fuzzing::recognise(text, name, options(ResidentIdMode::Strict))
}

/// True where the text as a whole is recognised as that kind.
fn is_whole(text: &str, name: Option<&str>, kind: &str, mode: ResidentIdMode) -> bool {
    let found = fuzzing::recognise(text.as_bytes(), name, options(mode));
    found.iter().any(|(found, range, ..)| *found == kind && *range == (0..text.len()))
}

fn texts<'v>(case: &'v Value, key: &str) -> Vec<&'v str> {
    case[key].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// Which cases of validator.js are checked, under which field name (none: the bare value), as which
/// kind, and the values judged otherwise than there.
struct Suite {
    validator: &'static str,
    argument: Option<&'static str>,
    name: Option<&'static str>,
    kind: &'static str,
    /// Valid there, not recognised here.
    missed: fn(&str) -> bool,
    /// Invalid there, recognised here.
    taken: fn(&str) -> bool,
}

const fn suite(
    validator: &'static str,
    argument: Option<&'static str>,
    name: Option<&'static str>,
    kind: &'static str,
) -> Suite {
    Suite { validator, argument, name, kind, missed: |_| false, taken: |_| false }
}

const SUITES: &[Suite] = &[
    Suite {
        // Addresses beyond ASCII and quoted local parts are not recognised: beside Chinese text,
        // where one begins cannot be told.
        missed: |text| !text.is_ascii() || text.starts_with('"'),
        ..suite("isEmail", None, None, "email")
    },
    Suite {
        // An address of a group (odd first byte) belongs to no device.
        missed: |text| u8::from_str_radix(&text[..2], 16).unwrap() % 2 == 1,
        ..suite("isMACAddress", None, Some("mac"), "mac")
    },
    suite("isIMEI", None, None, "imei"),
    suite("isCreditCard", None, Some("card_number"), "card"),
    suite("isIBAN", None, None, "iban"),
    suite("isJWT", None, None, "jwt"),
    suite("isIdentityCard", Some("zh-CN"), None, "id.cn"),
    Suite {
        // A dash behind the country's code: so people write it.
        taken: |text| text.starts_with("+86-"),
        // The numbering plan gives no number from 92 or 98 to mobiles.
        missed: |text| text.trim_start_matches("0086").starts_with('9'),
        ..suite("isMobilePhone", Some("zh-CN"), None, "phone")
    },
    suite("isPassportNumber", Some("CN"), Some("passport"), "passport.cn"),
    Suite {
        // Longitude first is as common in Chinese services as latitude first.
        taken: is_longitude_first,
        ..suite("isLatLong", None, Some("latlng"), "gps")
    },
];

fn is_longitude_first(text: &str) -> bool {
    let numbers: Vec<f64> = text.trim_matches(['(', ')']).split(',').filter_map(|n| n.trim().parse().ok()).collect();
    matches!(numbers[..], [first, second] if (90.0..=180.0).contains(&f64::abs(first)) && second.abs() <= 90.0)
}

#[test]
fn validator_js_agrees_but_for_what_is_said() {
    let cases = vectors("validatorjs.json");
    let mut wrong = Vec::new();
    for suite in SUITES {
        // Cases with other options ask for one country, or for what is no address as such.
        let chosen = cases.iter().filter(|case| {
            case["validator"] == suite.validator && case["args"].get(0).cloned() == suite.argument.map(Value::from)
        });
        let mode = ResidentIdMode::Historical;
        for (case, key, differs) in
            chosen.flat_map(|case| [(case, "valid", suite.missed), (case, "invalid", suite.taken)])
        {
            for text in texts(case, key) {
                let expected = (key == "valid") != differs(text);
                if is_whole(text, suite.name, suite.kind, mode) != expected {
                    wrong.push(format!("{} {key} {text}", suite.validator));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Regions whose invalid example has a length that other numbers behind the same code have: only the
/// full numbering plan tells.
const OF_A_LENGTH_IN_USE: &str = "AE AL AU AX BD BR BY CC CM CN CU CW CX EG FI GA GB GG GH HK HR ID IL IM IN JE JP KE \
KW LR MM MO MU MY NL NZ OM PH PK PL PY QA RS RW SE SH SI SV SY TW UY VN ZA";

#[test]
fn every_example_of_libphonenumber_is_a_phone_and_few_wrong_ones_are() {
    for case in vectors("libphonenumber_examples.json") {
        let (number, region) = (case["e164"].as_str().unwrap(), case["region"].as_str().unwrap());
        let invalid = case["type"] == "INVALID";
        // Fewer than seven digits behind a plus sign say too little.
        let expected = number.len() >= 8;
        let expected = expected && (!invalid || OF_A_LENGTH_IN_USE.split_whitespace().any(|known| known == region));
        assert_eq!(is_whole(number, None, "phone", ResidentIdMode::Strict), expected, "{region} {number}");
        if let Some(international) = case["international"].as_str().filter(|_| expected) {
            assert!(hits(international.as_bytes(), None).iter().any(|(kind, ..)| *kind == "phone"), "{international}");
        }
    }
}

/// Modes of hashcat whose form says by itself that it is a stored password. (Its own spellings
/// `SCRYPT:` and `sha256:1000:`, which no application stores, are not among them.)
const STORED_PASSWORDS: &[u64] = &[
    101, 111, 124, 400, 500, 1411, 1600, 1711, 1800, 3200, 3711, 6300, 6400, 6500, 6700, 7400, 7900, 9200, 9300, 10000,
    12001, 15100, 16400, 20200, 20300, 20400, 20711, 25600, 25800, 28400, 28600, 30000, 30120,
];

#[test]
fn hashcat_examples_are_recognised_by_their_form_or_not_at_all() {
    let mut wrong = Vec::new();
    for case in vectors("hashcat_examples.json") {
        let (Some(mode), Some(hash)) = (case["mode"].as_u64(), case["hash"].as_str()) else { continue };
        let found = hits(hash.as_bytes(), None).iter().any(|(kind, ..)| *kind == "password.hash");
        if found != STORED_PASSWORDS.contains(&mode) {
            wrong.push(format!("{mode} {} {hash} found: {found}", case["name"]));
        }
        if mode == 1000 {
            assert!(matches!(hits(hash.as_bytes(), Some("ntlm"))[..], [("password.hash", ..)]), "NTLM needs its name");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_identity_number_right_behind_chinese_text_is_found() {
    let text = "身份证号11010519491231002X，手机13812345678。";
    let found = hits(text.as_bytes(), None);
    let spots: Vec<_> = found.iter().map(|(kind, range, ..)| (*kind, &text[range.clone()])).collect();
    assert_eq!(spots, [("id.cn", "11010519491231002X"), ("phone", "13812345678")]);
    assert!(found[0].2.has(Checks::CHECKSUM.and(Checks::ALONE)) && !found[0].2.has(Checks::FIELD_NAME));
}

#[test]
fn fields_inside_a_document_are_read_with_their_names() {
    let text = r#"{"qq":"12345678","realName":"张小明","event_name":"张小明","wifi_ssid":"Home 5G","lat":31.2304,"lng":121.4737,
        "idfa":"9DEB20FE-A6E0-455C-81EA-288B009E4F6D","order":"12345678","nested":"{\"imei\":\"490154203237518\"}"}
        <passport>E12345678</passport> birthday=1990-03-07&pwd=5f4dcc3b5aa765d61d8327deb882cf99&clientIp=8.8.8.8"#;
    let found: Vec<_> = hits(text.as_bytes(), None).into_iter().map(|(kind, range, ..)| (kind, &text[range])).collect();
    let expected = [
        ("qq", "12345678"),
        ("name", "张小明"),
        ("wifi.ssid", "Home 5G"),
        ("gps", "31.2304"),
        ("gps", "121.4737"),
        ("advertising-id", "9DEB20FE-A6E0-455C-81EA-288B009E4F6D"),
        ("imei", "490154203237518"),
        ("passport.cn", "E12345678"),
        ("birth-date", "1990-03-07"),
        ("password.hash", "5f4dcc3b5aa765d61d8327deb882cf99"),
        ("ip", "8.8.8.8"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn longer_numbers_and_fractions_are_not_cut_up() {
    for text in ["138123456789", "0.13812345678", "13812345678.5", "a13812345678", "1700000000000", "20261122031457"] {
        assert!(hits(text.as_bytes(), None).is_empty(), "{text}");
    }
}

/// Pseudorandom numbers (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
fn noise(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn as_many_random_numbers_pass_as_the_bits_say() {
    let mut state = 1;
    let cases = [
        (11, "phone", 4.1),
        (13, "phone", 10.7),
        (14, "card", 8.4),
        (15, "imei", 5.9),
        (15, "imsi", 12.5),
        (15, "card", 8.9),
        (16, "card", 5.3),
    ];
    for (length, kind, said) in cases {
        let tries: u32 = 300_000;
        let mut text = Vec::new();
        for _ in 0..tries {
            text.extend((0..length).map(|_| b'0' + (noise(&mut state) % 10) as u8));
            text.push(b';');
        }
        let count = hits(&text, None).iter().filter(|(found, ..)| *found == kind).count();
        let measured = (f64::from(tries) / count.max(1) as f64).log2();
        assert!((measured - said).abs() < 0.4, "{length} digits as {kind}: {measured:.1} bits measured, {said} said");
    }
}

fn identity_number(birth: (u16, u8, u8), order: u16) -> String {
    let body = format!("110105{}{:02}{:02}{order:03}", birth.0, birth.1, birth.2);
    let all = "0123456789X".chars().map(|check| format!("{body}{check}"));
    let valid: Vec<_> = all.filter(|text| is_whole(text, None, "id.cn", ResidentIdMode::Strict)).collect();
    assert_eq!(valid.len(), 1, "one check digit of eleven is right");
    valid[0].clone()
}

fn found_at(text: &[u8], kind: &str, start: usize, length: usize) -> bool {
    hits(text, None).iter().any(|(found, range, ..)| *found == kind && *range == (start..start + length))
}

fn bytes_without(unwanted: fn(&u8) -> bool) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>().prop_filter("unwanted", move |byte| !unwanted(byte)), 0..20)
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(data in proptest::collection::vec(any::<u8>(), 0..300), name in proptest::option::of(".{0,12}")) {
        for mode in [ResidentIdMode::Strict, ResidentIdMode::Historical, ResidentIdMode::Permit] {
            fuzzing::recognise(&data, name.as_deref(), options(mode));
        }
    }

    #[test]
    fn no_text_is_too_odd(
        text in r#"([0-9]{1,20}|[-+@:=>$*.,;"\\ {]|eyJ|[A-Za-z]{1,4}|京|：|imei|phone|lat|name|\$2a\$|GB29|[0-9a-f]{2}:){0,40}"#,
        name in proptest::sample::select(vec![
            "phone", "card", "imei", "mac", "lat", "gps", "name", "birthday", "qq", "ip", "psk", "iban", "pwd", "meid", "imsi",
        ]),
    ) {
        hits(text.as_bytes(), None);
        hits(text.as_bytes(), Some(name));
    }

    #[test]
    fn an_identity_number_is_found_between_any_bytes_but_digits(
        birth in (1940u16..2020, 1u8..=12, 1u8..=28),
        order in 0u16..1000,
        before in bytes_without(u8::is_ascii_digit),
        after in bytes_without(u8::is_ascii_digit),
    ) {
        let id = identity_number(birth, order);
        let text = [&before[..], id.as_bytes(), &after[..]].concat();
        prop_assert!(found_at(&text, "id.cn", before.len(), id.len()));
    }

    #[test]
    fn a_phone_number_is_found_between_signs_of_any_kind(
        number in 0u32..100_000_000,
        // Behind a plus sign it is the number of another country.
        before in bytes_without(|byte| byte.is_ascii_alphanumeric() || *byte == b'+'),
        after in bytes_without(u8::is_ascii_alphanumeric),
    ) {
        let phone = format!("138{number:08}");
        let text = [&before[..], phone.as_bytes(), &after[..]].concat();
        prop_assert!(found_at(&text, "phone", before.len(), phone.len()));
    }
}
