use super::*;
use dyetrace_case::{Secret, Strength, Subject};
use proptest::prelude::*;

fn all(kind: &str, value: impl Into<Vec<u8>>) -> Vec<Spelling> {
    let mut subject = Subject::default();
    subject.add(kind.parse().unwrap(), Secret::new(value));
    spellings(&subject.data[0])
}

/// The spelling that finds the text; `any_case` counts as it does in the search.
fn holds(all: &[Spelling], text: &[u8]) -> bool {
    all.iter()
        .filter_map(|one| Some((one, one.bytes()?)))
        .any(|(one, bytes)| if one.any_case { bytes.eq_ignore_ascii_case(text) } else { bytes == text })
}

/// Kind, value, and texts that must be among its spellings.
const TABLE: &[(&str, &str, &[&str])] = &[
    (
        "phone",
        "+86 138-0000-0427",
        &[
            "13800000427",
            "+8613800000427",
            "008613800000427",
            "8613800000427",
            "013800000427",
            "138 0000 0427",
            "138-0000-0427",
            "138.0000.0427",
            "+86-138-0000-0427",
            "+86 13800000427",
            "138 000 00427",
            "(+86)13800000427",
            "(+86) 13800000427",
            "86-13800000427",
            "tel:+8613800000427",
            "(138) 0000-0427",
            "１３８０００００４２７",
            "138****0427",
            "138xxxx0427",
            "138XXXX0427",
            "138••••0427",
            "138####0427",
            "138 **** 0427",
            "1380000****",
        ],
    ),
    (
        "phone",
        "+1 202 555 0143",
        &["12025550143", "+12025550143", "2025550143", "202-555-0143", "(202) 555-0143", "+1 202 555 0143"],
    ),
    ("phone", "+44 7400 123456", &["+447400123456", "07400123456", "7400 123456", "00447400123456"]),
    (
        "device.mac",
        "02:00:5E:10:00:01",
        &[
            "02-00-5e-10-00-01",
            "0200.5e10.0001",
            "02005E100001",
            "02 00 5e 10 00 01",
            "2:0:5e:10:0:1",
            "0200-5E10-0001",
            "0000:5eff:fe10:0001",
            "0:5eff:fe10:1",
            "10:00:01",
            "2200601362433",
        ],
    ),
    ("imei", "490154203237518", &["49015420323751", "49-015420-323751-8", "49 015420 323751 8", "490154-20-323751-8"]),
    ("imei", "49015420323751", &["490154203237518"]),
    ("imei", "4901542032375101", &["490154203237518", "49015420323751"]),
    ("imsi", "460001357924680", &["460 00 1357924680"]),
    ("iccid", "89860012345678901233", &["8986001234567890123", "8986 0012 3456 7890 1233"]),
    (
        "id.cn",
        "11019919900307123X",
        &[
            "11019919900307123x",
            "110199 19900307 123X",
            "110199 1990 0307 123X",
            "110199900307123",
            "11019919900307123",
            "19900307",
            "1990-03-07",
            "110199********123X",
            "110***********123X",
        ],
    ),
    (
        "card",
        "6222021234567894",
        &["6222 0212 3456 7894", "6222-0212-3456-7894", "622202******7894", "6222 02** **** 7894"],
    ),
    (
        "email",
        "Some.One+shop@Gmail.com",
        &[
            "some.one+shop@gmail.com",
            "some.one@gmail.com",
            "someone@gmail.com",
            "some.one+shop at gmail.com",
            "some.one+shop[at]gmail.com",
            "some.one",
            "s***@gmail.com",
            "so***@gmail.com",
            "s***p@gmail.com",
        ],
    ),
    (
        "gps",
        "31.2304167,121.4736999",
        &[
            "31.2304167",
            "31.230",
            "31.23042",
            "31.23041",
            "121.474",
            "121.4736999",
            "121.4736999,31.2304167",
            "312304167",
            "31230417",
            "31230416",
            "31°13'49",
            "3113.8250",
            "12128.4220",
        ],
    ),
    ("gps", "-48.87600,-123.39300", &["-48.876", "-48.876000", "-48.8760000", "-488760000", "4852.5600"]),
    ("name", "Lin Mei", &["LIN MEI", "mei lin", "Mei, Lin", "LinMei", "lin.mei", "Ｌｉｎ\u{3000}Ｍｅｉ"]),
    ("wifi.ssid", "Linden-7", &["\"Linden-7\""]),
    (
        "advertising-id",
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        &["a0eebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
    ),
    ("oaid", "a0eebc999c0b4ef8bb6d6bb9bd380a11", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("android.id", "9774d56d682e549c", &["9774D56D682E549C", "10913582462901572764"]),
    (
        "birthday",
        "1990-01-31",
        &[
            "19900131",
            "1990/01/31",
            "1990.01.31",
            "31/01/1990",
            "01/31/1990",
            "1990/1/31",
            "1990年1月31日",
            "1990年01月31日",
            "633744000",
            "633744000000",
            "633715200",
            "January 31, 1990",
            "31 Jan 1990",
        ],
    ),
    ("ip", "192.0.2.235", &["192.0.2.235", "3221226219", "c00002eb"]),
    ("ip", "2001:db8::ff00:42:8329", &["2001:0db8:0000:0000:0000:ff00:0042:8329", "2001:db8:0:0:0:ff00:42:8329"]),
    ("plate", "京A·12345", &["京A12345"]),
    ("uscc", "91350100M000100Y43", &["9135 0100 M000 100Y 43"]),
    ("iban", "DE89 3704 0044 0532 0130 00", &["DE89370400440532013000"]),
    ("note", " spaced out ", &["spaced out"]),
];

#[test]
fn texts_of_every_kind() {
    for (kind, value, texts) in TABLE {
        let found = all(kind, *value);
        let missing: Vec<_> = texts.iter().filter(|text| !holds(&found, text.as_bytes())).collect();
        assert!(missing.is_empty(), "{kind}: {missing:?}");
    }
}

#[test]
fn machine_forms() {
    let phone = all("phone", "13800000427");
    for bytes in [
        &[0x01, 0x38, 0x00, 0x00, 0x04, 0x27][..],
        &[0x13, 0x80, 0x00, 0x00, 0x42, 0x7F],
        &[0x31, 0x08, 0x00, 0x00, 0x24, 0xF7],
        &13_800_000_427u64.to_le_bytes(),
        &8_613_800_000_427u64.to_be_bytes(),
    ] {
        assert!(holds(&phone, bytes), "{bytes:02x?}");
    }
    let imei = all("imei", "490154203237518");
    // 3GPP TS 24.008 section 10.5.1.4: odd number of digits, type 2.
    assert!(holds(&imei, &[0x4A, 0x09, 0x51, 0x24, 0x30, 0x32, 0x57, 0x81]));
    let mac = all("mac", "02-00-5e-10-00-01");
    assert!(holds(&mac, &[2, 0, 0x5E, 0x10, 0, 1]) && holds(&mac, &[1, 0, 0x10, 0x5E, 0, 2]));
    assert!(holds(&mac, &[0, 0, 0x5E, 0xFF, 0xFE, 0x10, 0, 1]));
    let uuid = all("uuid", "00112233-4455-6677-8899-aabbccddeeff");
    assert!(holds(&uuid, b"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF"));
    let gps = all("gps", "31.2304167,121.4736999");
    assert!(holds(&gps, &31.230_416_7f64.to_le_bytes()));
    assert!(holds(&gps, &[312_304_167i32.to_le_bytes(), 1_214_736_999i32.to_le_bytes()].concat()));
}

#[test]
fn numbers_in_typed_fields() {
    let integers = |kind: &str, value: &str| -> Vec<i128> {
        let number = |one: Spelling| if let What::Integer(number) = one.what { Some(number) } else { None };
        all(kind, value).into_iter().filter_map(number).collect()
    };
    assert_eq!(integers("phone", "+86 138 0000 0427"), [13_800_000_427, 8_613_800_000_427]);
    assert_eq!(integers("qq", "123456789"), [123_456_789]);
    assert_eq!(integers("pin", "0482"), [0; 0], "a leading zero is lost in a number");
    assert!(integers("mac", "02:00:5e:10:00:01").contains(&0x0200_5E10_0001));
    assert!(integers("birthday", "1990-01-31").contains(&633_744_000));
    assert!(integers("gps", "-48.8766721,-123.3933331").contains(&-488_766_721));
    let floats: Vec<f64> = all("gps", "31.2304167,121.4736999")
        .into_iter()
        .filter_map(|one| if let What::Float(number) = one.what { Some(number) } else { None })
        .collect();
    assert!(floats.contains(&31.230_416_7) && floats.contains(&f64::from(31.230_417_f32)));
}

#[test]
fn character_sets() {
    let name = all("name", "张小明");
    assert!(holds(&name, b"\xD5\xC5\xD0\xA1\xC3\xF7"), "GBK");
    assert!(holds(&name, b"\x20\x5F\x0F\x5C\x0E\x66"), "UTF-16LE");
    assert!(holds(&name, b"\0\0\x5F\x20\0\0\x5C\x0F\0\0\x66\x0E"), "UTF-32BE");
    assert!(holds(&all("name", "張小明"), b"\xB1i\xA4p\xA9\xFA"), "Big5");
    assert!(holds(&all("wifi.ssid", "😀 home"), b"\x94\x39\xFC\x36 home"), "GB18030");
    assert!(holds(&all("name", "José Müller"), b"Jos\xE9 M\xFCller"), "windows-1252");
    assert!(holds(&all("note", "日本語"), b"+ZeVnLIqe-"), "UTF-7");
}

/// What hides part of the value must not weigh as if it showed all of it.
#[test]
fn masks_and_parts_carry_what_they_show() {
    let phone = all("phone", "13800000427");
    let mask = phone.iter().find(|one| one.bytes() == Some(b"138****0427")).unwrap();
    assert_eq!(mask.strength, Strength::Derived);
    assert!((mask.bits(None) - 7.0 * 10f64.log2()).abs() < 1e-9);
    assert!((mask.bits(Some(10)) - 10.0).abs() < 1e-9, "never more than the value was minted with");
    let wide = phone.iter().find(|one| one.form == "as typed, UTF-16LE").unwrap();
    assert!((wide.bits(None) - 11.0 * 10f64.log2()).abs() < 1e-9, "as many bits as in ASCII");
    assert!(all("birthday", "1990-01-31").iter().all(|one| one.bits(None) <= date::BITS));
}

#[test]
fn what_is_digested_is_short_and_starts_with_what_is_usual() {
    let forms = |kind: &str, value: &str| digested(&all(kind, value));
    let texts = |kind: &str, value: &str| -> Vec<String> {
        forms(kind, value).into_iter().filter_map(|(_, bytes)| String::from_utf8(bytes).ok()).collect()
    };
    let phone = texts("phone", "+86 138 0000 0427");
    for text in ["+86 138 0000 0427", "8613800000427", "13800000427", "+8613800000427", "008613800000427"] {
        assert!(phone.iter().any(|one| one == text), "{text}");
    }
    let mac = texts("mac", "02:00:5E:10:00:01");
    for text in ["02:00:5e:10:00:01", "02:00:5E:10:00:01", "02005e100001", "02005E100001", "02-00-5E-10-00-01"] {
        assert!(mac.iter().any(|one| one == text), "{text}");
    }
    let email = texts("email", " Some.One@Example.com");
    assert!(
        ["some.one@example.com", "SOME.ONE@EXAMPLE.COM", "Some.One@Example.com"]
            .iter()
            .all(|e| email.contains(&(*e).to_owned()))
    );
    assert_eq!(forms("password", "Qm7xTr2p")[1], ("lower case".to_owned(), b"qm7xtr2p".to_vec()));
    for (kind, value) in [("phone", "13800000427"), ("gps", "31.2304167,121.4736999"), ("mac", "02:00:5e:10:00:01")] {
        assert!(forms(kind, value).len() <= 14);
    }
}

#[test]
fn no_value_in_debug_output() {
    let shown = format!("{:?}", all("phone", "13800000427"));
    assert!(!shown.contains("0427") && !shown.contains("13800000427"));
}

/// The filter slows down with every needle.
#[test]
fn not_too_many() {
    for (kind, value) in [
        ("phone", "13800000427"),
        ("phone", "+44 7400 123456"),
        ("mac", "02:00:5e:10:00:01"),
        ("imei", "490154203237518"),
        ("id.cn", "11019919900307123X"),
        ("card", "6222021234567894"),
        ("email", "some.one@example.com"),
        ("gps", "31.2304167,121.4736999"),
        ("name", "Lin Mei"),
        ("birthday", "1990-01-31"),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("wifi.password", "Qm7xTr2pKd9w"),
    ] {
        let number = all(kind, value).iter().filter(|one| one.bytes().is_some()).count();
        assert!((3..=120).contains(&number), "{kind}: {number}");
    }
}

#[test]
fn long_values_and_bytes_are_searched_as_they_are() {
    let kind = "phone.mac.imei.imsi.iccid.gps.card.email.name.ip.date";
    assert_eq!(all(kind, vec![0xFF, 0, 0x80]).len(), 1);
    assert_eq!(all(kind, vec![b'7'; 5000]).len(), 1);
}

/// North American numbers have eleven digits and begin with 1, as Chinese mobile numbers do.
#[test]
fn another_country_is_not_china() {
    let bahamas = all("phone", "+12423456789");
    assert!(holds(&bahamas, b"242-345-6789") && !holds(&bahamas, b"+8612423456789"));
    let canada = all("phone", "+1 416 555 0143");
    assert!(holds(&canada, b"(416) 555-0143") && !holds(&canada, b"+8614165550143"));
    assert!(holds(&all("phone", "14165550143"), b"+8614165550143"), "without + it may be either");
}

proptest! {
    #[test]
    fn any_text_of_any_kind_has_distinct_spellings(value in "[0-9+:. ,@xX-]{0,40}|\\PC{0,20}") {
        for kind in ["phone", "mac", "imei", "imsi", "iccid", "email", "gps", "card", "account", "name", "ssid", "date",
            "ip", "plate", "id.cn"] {
            let found = all(kind, value.as_str());
            prop_assert!(found.len() <= 150);
            let mut bytes: Vec<_> = found.iter().filter_map(|one| one.bytes()).collect();
            bytes.sort();
            let before = bytes.len();
            bytes.dedup();
            // The same letters once in either case and once as bytes are two spellings.
            prop_assert!(before - bytes.len() <= 2, "{}", kind);
        }
    }
}
