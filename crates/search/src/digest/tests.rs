use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

fn material() -> Material {
    let named = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
    Material { salts: vec![named("empty", ""), named("app", "pepper")], hmac_keys: vec![named("sign", "Jefe")] }
}

fn digests(values: &[&[u8]], material: Material) -> Digests {
    let source = |(datum, bytes): (u32, &&[u8])| Source {
        datum,
        form: if datum == 0 { "as typed".to_owned() } else { "lower case".to_owned() },
        bytes: Secret::new(*bytes),
        checksums_only: false,
    };
    Digests::new((0..).zip(values).map(source).collect(), material)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Forms of everything seen at the start of the bytes.
fn forms(digests: &Digests, bytes: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    digests.at_start(bytes, &mut |seen| forms.push(digests.description(seen.number, seen.length).unwrap().form));
    forms
}

fn field_forms(digests: &Digests, field: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    digests.of_field(field, &mut |number| forms.push(digests.description(number, field.len()).unwrap().form));
    forms
}

#[test]
fn digests_are_found_wherever_they_begin() {
    let digests = digests(&[b"13800000427"], material());
    let digest = unhex("0098a5ca2f57d3b0d8b811f7566a8aee");
    for place in [0, 1, 2, 3, 4, 63, 64, 65, 200, 253, 254, 255, 256, 257] {
        let bytes = [&vec![7; place][..], &digest, &[7; 90]].concat();
        let mut found = Vec::new();
        digests.starts(&bytes, |at| found.push(at));
        assert_eq!(found, [place]);
    }
    digests.starts(&digest[..15], |_| panic!("fifteen bytes are too few"));
}

/// Each computed with Python's hashlib and hmac, of the value `13800000427`.
#[test]
fn recipes_as_another_program_follows_them() {
    let digests = digests(&[b"13800000427"], material());
    for (hex, form) in [
        ("0098a5ca2f57d3b0d8b811f7566a8aee", "md5 of hex md5 of as typed"),
        ("ad157ad8e1c71bbef42491824f313c2c", "md5 of upper-case hex md5 of as typed"),
        ("c86fed8467cc833aa477dc0a95ebf8b3a7528d5418fce2f1db660ff176fa93ea", "sha256 of raw sha1 of as typed"),
        ("21ea8538c02c0bb6b5f86df3adf7dea7341e572910472adc946da69bb5c2a3ba", "sha256 of hex md5 of as typed"),
        ("1c468c8adc0f4faccae9947bf3c259f0b4dd5b40", "sha1 of upper-case hex sha512 of as typed"),
        ("1a662e2aef305195dd21b61b7d52896e", "md5 of hex md5 of hex md5 of as typed"),
        (
            "f56d46c37844b995aa017bcc9d4c6665444e8c72a8fe5edf89b4f5322c921540",
            "sha256 of hex sha256 of hex sha256 of as typed",
        ),
        ("c61e96ac1b41c0fc6c01bcb535133e155e6b6c8fea4e71f3f52bd450161a66a4", "sha256 of base64 of as typed"),
        ("39b19136e98c46a4a1284846a4a30999", "md5 of salt \"app\" + as typed"),
        ("eabe14dc6e978e49044d00f16f4a99d9183fd62434bf5f856a2ba5391e18244c", "sm3 of as typed + salt \"app\""),
        (
            "821400a4e4a1060114db07a2cb4ed0ca0b96abf44648a5248d2224024e34f949a0e46b54b2860b49f94c70e5dd4f18ae1d9517c533739f0e77baa82d14ab5bec",
            "sha512 of as typed + \":\" + salt \"app\"",
        ),
        (
            "17d9567c79a87589a6b9eeea7da0405c7e195b4d2df393021a7f536cc1f4c326",
            "sha3-256 of salt \"app\" + as typed + salt \"app\"",
        ),
        ("8bbf4db09ceebcd6d646485b64d0489b", "md5 of (hex md5 of as typed) + salt \"app\""),
        ("41746ff42a4a4f29e9f7134cb38a24be", "hmac-md5 of as typed with key \"sign\""),
        ("5ef34554739f4811545e3c3807f6031bb7cee08b", "hmac-sha1 of as typed with key \"sign\""),
        (
            "da715aeae4b436efebb53da4481ad2926bdf67e452a9e42de53d6b72ee4bc5e6",
            "hmac-sha256 of as typed with key \"sign\"",
        ),
        (
            "17408a99684d9cf7a8ce3fd31ca7b20bf8b2c1d4b073cca94417335adfd1f71cd9b9e96ab157565bd98eec95decf4e6ba4108ed4c094add0321f3bdab1fd628b",
            "hmac-sha512 of as typed with key \"sign\"",
        ),
        ("fb0c664d3be9b18b186295f662bb56cf1a1ed27df25be62203469f4e0e11b543", "hmac-sm3 of as typed with key \"sign\""),
    ] {
        assert_eq!(forms(&digests, &unhex(hex)), [form]);
    }
}

#[test]
fn a_digest_cut_short_is_known_where_nothing_follows() {
    let digests = digests(&[b"abc"], Material::default());
    let md5 = unhex("900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(forms(&digests, &md5), ["md5 of as typed"]);
    assert_eq!(forms(&digests, &[&md5[..], b"more"].concat()), ["md5 of as typed"]);
    assert_eq!(forms(&digests, &md5[..8]), ["first 8 bytes of md5 of as typed"]);
    assert_eq!(forms(&digests, &md5[..15]), ["first 15 bytes of md5 of as typed"]);
    assert_eq!(forms(&digests, &md5[4..12]), ["middle 8 bytes of md5 of as typed"]);
    assert_eq!(forms(&digests, &md5[8..]), ["last 8 bytes of md5 of as typed"]);
    for other in [&md5[..7], &[&md5[..12], b"other"].concat(), &md5[4..13], &[&md5[8..], b"more"].concat()] {
        assert!(forms(&digests, other).is_empty());
    }
}

#[test]
fn a_cut_digest_counts_for_the_bits_that_are_there() {
    let digests = digests(&[b"correct horse battery staple"], Material::default());
    let sha256 = SHA256.of(b"correct horse battery staple");
    let mut seen = Vec::new();
    digests.at_start(&sha256.bytes()[..8], &mut |found| seen.push(found));
    assert!(!seen[0].whole && seen[0].length == 8);
    assert!((digests.description(seen[0].number, 8).unwrap().digest_bits - 64.0).abs() < 1e-9);
}

#[test]
fn checksums_are_known_in_whole_fields_only() {
    let digests = digests(&[b"123456789"], Material::default());
    for field in [&b"cbf43926"[..], b"CBF43926", b"0xcbf43926", b"3421780262", b"-873187034", b"\xcb\xf4\x39\x26"] {
        assert_eq!(field_forms(&digests, field), ["crc32 of as typed"]);
    }
    assert_eq!(field_forms(&digests, b"995dc9bbdf1939fa"), ["crc64 of as typed"]);
    assert!(forms(&digests, &unhex("995dc9bbdf1939fa")).is_empty());
    assert!(field_forms(&digests, b"cbf4392600").is_empty());
    let mut seen = 0;
    digests.of_integer(0xcbf4_3926, &mut |_| seen += 1);
    digests.of_integer(-873_187_034, &mut |_| seen += 1);
    digests.of_integer(0xcbf4_3927, &mut |_| seen += 100);
    assert_eq!(seen, 2);
}

#[test]
fn spellings_that_agree_are_all_named() {
    let digests = digests(&[b"same", b"same"], Material::default());
    let md5 = MD5.of(b"same");
    assert_eq!(forms(&digests, md5.bytes()), ["md5 of as typed", "md5 of lower case"]);
    let mut data = Vec::new();
    digests.at_start(md5.bytes(), &mut |seen| data.push(digests.datum(seen.number).unwrap()));
    assert_eq!(data, [0, 1]);
}

#[test]
fn rare_recipes_are_followed_from_the_first_spellings_of_each_datum() {
    let source =
        |datum, text: &str| Source { datum, form: text.to_owned(), bytes: Secret::new(text), checksums_only: false };
    let sources = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"].map(|text| source(0, text));
    let digests = Digests::new(sources.into_iter().chain([source(1, "b1")]).collect(), Material::default());
    let known = |algorithm: &algorithm::Algorithm, text: &str| forms(&digests, algorithm.of(text.as_bytes()).bytes());
    for text in ["a1", "a6", "b1"] {
        assert_eq!(known(&algorithm::WHIRLPOOL, text), [format!("whirlpool of {text}")]);
    }
    assert!(known(&algorithm::WHIRLPOOL, "a7").is_empty());
    assert_eq!(known(&SHA256, "a7"), ["sha256 of a7"]);
}

#[test]
fn nothing_is_known_where_nothing_is_planted() {
    let digests = digests(&[], material());
    assert_eq!(digests.len(), 0);
    assert!(forms(&digests, &[0; 64]).is_empty() && field_forms(&digests, b"00000000").is_empty());
    assert!(digests.description(7, 16).is_none() && digests.compute(u32::MAX).is_none());
}

proptest! {
    #[test]
    fn the_digest_by_every_recipe_is_found_and_named_rightly(
        value in proptest::collection::vec(any::<u8>(), 1..40),
        behind in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        let digests = digests(&[b"another value", &value], material());
        let prepared = Prepared::new(&value);
        for (at, recipe) in digests.recipes.iter().enumerate() {
            let number = (digests.recipes.len() + at) as u32 * VIEWS;
            let digest = recipe.of(&prepared, &digests.material);
            let form = recipe.form("lower case", &digests.material);
            prop_assert_eq!(digests.compute(number).unwrap(), digest.bytes());
            let mut numbers = Vec::new();
            if recipe.outer().is_short() {
                digests.of_field(digest.bytes(), &mut |number| numbers.push(number));
            } else {
                let bytes = [digest.bytes(), &behind].concat();
                digests.at_start(&bytes, &mut |seen| {
                    assert!(seen.whole && seen.length == digest.bytes().len());
                    numbers.push(seen.number);
                });
            }
            prop_assert!(numbers.contains(&number), "{}", form);
            let description = digests.description(number, 64).unwrap();
            prop_assert_eq!(description.form, form);
            prop_assert_eq!(digests.datum(number), Some(1));
        }
    }

    #[test]
    fn any_bytes_may_be_looked_up(bytes in proptest::collection::vec(any::<u8>(), 0..80), value in any::<i128>()) {
        static DIGESTS: LazyLock<Digests> = LazyLock::new(|| digests(&[b"13800000427"], material()));
        let digests = &*DIGESTS;
        prop_assert!(forms(digests, &bytes).is_empty());
        digests.of_field(&bytes, &mut |_| {});
        digests.of_integer(value, &mut |_| {});
    }
}

#[test]
fn of_what_nobody_else_has_only_checksums_are_looked_for() {
    let bytes = b"a value of many bits";
    let source = Source { datum: 0, form: "as typed".to_owned(), bytes: Secret::new(bytes), checksums_only: true };
    let digests = Digests::new(vec![source], Material::default());
    let mut seen = 0;
    digests.at_start(SHA256.of(bytes).bytes(), &mut |_| seen += 1);
    assert_eq!(seen, 0);
    digests.of_field(algorithm::CRC32.of(bytes).bytes(), &mut |_| seen += 1);
    assert_eq!(seen, 1);
}
