//! Known answers of the standards, and what each cipher makes of texts.

use super::blocks;
use super::wrap::chain;
use super::*;
use proptest::prelude::*;

/// The other direction, for tests of everything that searches.
pub(crate) mod wrap {
    use super::super::wrap::{chain, padded};
    use super::{Cipher, blocks};

    /// CBC with PKCS#7 padding and the vector in front.
    pub(crate) fn cbc(cipher: Cipher, key: &[u8], iv: &[u8], text: &[u8]) -> Vec<u8> {
        let blocks = blocks::make(cipher, key).unwrap();
        let mut coded = padded(text, iv.len());
        chain(&*blocks, iv, &mut coded);
        [iv, &coded].concat()
    }

    /// ECB with PKCS#7 padding.
    pub(crate) fn ecb(cipher: Cipher, key: &[u8], text: &[u8]) -> Vec<u8> {
        let blocks = blocks::make(cipher, key).unwrap();
        let mut coded = padded(text, blocks.size());
        blocks.encrypt(&mut coded);
        coded
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn key(cipher: Cipher, secret: &[u8], iv: Iv) -> Keyed {
    Keyed::new(&CipherKey { name: "k".to_owned(), cipher, key: Secret::new(secret), iv }).unwrap()
}

fn undo(keyed: &Keyed, bytes: &[u8]) -> Option<Unwrapped> {
    let mut span = None;
    keyed.find(bytes, &Marks::default(), &mut |found| span = Some(found));
    keyed.unwrap(bytes, span?, 1 << 20)
}

/// The first block of text in SP 800-38A appendix F.
const BLOCK: &str = "6bc1bee22e409f96e93d7e117393172a";
const AES_128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const AES_192: &str = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
const AES_256: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";

#[test]
fn blocks_are_those_of_the_standards() {
    for (cipher, key, plain, text) in [
        // SP 800-38A F.1.1, F.1.3, F.1.5.
        (Cipher::AesEcb, AES_128, BLOCK, "3ad77bb40d7a3660a89ecaf32466ef97"),
        (Cipher::AesEcb, AES_192, BLOCK, "bd334f1d6e45f25ff712a214571fa5cc"),
        (Cipher::AesEcb, AES_256, BLOCK, "f3eed1bdb5d2a03c064b5a7e3db181f8"),
        // GB/T 32907-2016 appendix A.1.
        (
            Cipher::Sm4Ecb,
            "0123456789abcdeffedcba9876543210",
            "0123456789abcdeffedcba9876543210",
            "681edf34d206965e86b3e94f536e4246",
        ),
        // SP 800-67 appendix B.1.
        (
            Cipher::TripleDesEcb,
            "0123456789abcdef23456789abcdef01456789abcdef0123",
            "5468652071756663 6b2062726f776e20 666f78206a756d70",
            "a826fd8ce53b855f cce21c8112256fe6 68d5c05dd9b6b900",
        ),
        // SP 500-20 appendix A, first row of the variable plaintext test.
        (Cipher::DesEcb, "0101010101010101", "8000000000000000", "95f8a5e5dd31d900"),
    ] {
        let blocks = blocks::make(cipher, &unhex(key)).unwrap();
        let text = unhex(text);
        assert_eq!(blocks::decrypted(&*blocks, None, &text, 0..text.len()), unhex(plain), "{cipher:?}");
    }
}

#[test]
fn modes_are_those_of_the_standards() {
    // SP 800-38A F.2.1, two blocks.
    let blocks = blocks::make(Cipher::AesCbc, &unhex(AES_128)).unwrap();
    let iv = unhex("000102030405060708090a0b0c0d0e0f");
    let text = unhex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
    let plain = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    assert_eq!(blocks::decrypted(&*blocks, Some(&iv), &text, 0..32), plain);
    assert_eq!(blocks::decrypted(&*blocks, Some(&iv), &text, 16..32), plain[16..]);
    // SP 800-38A F.5.1.
    let mut text = unhex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    blocks::count(&*blocks, &unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), &mut text);
    assert_eq!(text, plain);
    // The specification of GCM (McGrew and Viega), test case 2.
    let gcm = blocks::gcm(&[0; 16]).unwrap();
    let (text, tag) = (unhex("0388dace60b6a392f328c2b971b2fe78"), unhex("ab6e47d42cec13bdf53a67b21257bddf"));
    assert_eq!(gcm.open(&[0; 12], &text, &tag), Some(vec![0; 16]));
    assert_eq!(gcm.open(&[0; 12], &text, &[0; 16]), None);
    // RFC 6229 section 2, 40 bits.
    let mut stream = vec![0; 16];
    blocks::rc4(&unhex("0102030405"), &mut stream).unwrap();
    assert_eq!(stream, unhex("b2396305f03dc027ccc3524a0a1118a8"));
}

const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
const TEXT: &[u8] = "{\"phone\":\"13800000427\",\"name\":\"张小明\"}".as_bytes();

#[test]
fn places_are_exact() {
    let coded = wrap::cbc(Cipher::AesCbc, KEY, &[7; 16], TEXT);
    let found = undo(&key(Cipher::AesCbc, KEY, Iv::Prefix), &coded).unwrap();
    assert_eq!((&found.bytes[..], found.map.outer(&(10..21)), found.cut), (TEXT, 26..37, false));
    assert_eq!(found.detail.as_deref(), Some("k"));
    assert_eq!(undo(&key(Cipher::AesCbc, KEY, Iv::Given(Secret::new([7; 16]))), &coded[16..]).unwrap().bytes, TEXT);
}

#[test]
fn zeros_and_no_padding_are_padding_too() {
    let keyed = key(Cipher::DesCbc, &KEY[..8], Iv::Key);
    let blocks = blocks::make(Cipher::DesCbc, &KEY[..8]).unwrap();
    for text in [&b"text of twenty bytes"[..], b"sixteen letters.", b"letters and a sign\n"] {
        let mut coded = text.to_vec();
        coded.resize(text.len().next_multiple_of(8), 0);
        chain(&*blocks, &KEY[..8], &mut coded);
        assert_eq!(undo(&keyed, &coded).unwrap().bytes, text);
    }
}

#[test]
fn a_tag_may_stand_on_either_side() {
    use aes_gcm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
    let gcm = aes_gcm::Aes256Gcm::new_from_slice(KEY).unwrap();
    let nonce = [9; 12];
    let mut text = vec![0xfe; 33];
    let tag = gcm.encrypt_inout_detached(&nonce.into(), &[], InOutBuf::from(&mut text[..])).unwrap();
    let keyed = key(Cipher::AesGcm, KEY, Iv::Prefix);
    let behind = undo(&keyed, &[&nonce[..], &text, &tag].concat()).unwrap();
    assert_eq!((behind.bytes, behind.map.outer(&(0..1))), (vec![0xfe; 33], 12..13));
    let before = undo(&keyed, &[&nonce[..], &tag, &text].concat()).unwrap();
    assert_eq!((before.bytes, before.map.outer(&(0..1))), (vec![0xfe; 33], 28..29));
}

/// Of 120,000 attempts.
#[test]
fn other_keys_open_next_to_nothing() {
    let all: Vec<Keyed> = Cipher::ALL
        .into_iter()
        .filter(|cipher| *cipher != Cipher::Rsa)
        .map(|cipher| match cipher {
            Cipher::DesCbc | Cipher::DesEcb => key(cipher, &KEY[..8], Iv::Zero),
            _ => key(cipher, &KEY[..16], Iv::Zero),
        })
        .collect();
    let mut opened: Vec<&str> = Vec::new();
    for seed in 0..10_000_u64 {
        let mut bytes = vec![0; 64];
        blocks::rc4(&seed.to_be_bytes(), &mut bytes).unwrap();
        opened.extend(all.iter().filter(|keyed| undo(keyed, &bytes).is_some()).map(|keyed| keyed.name));
    }
    assert!(opened.len() < 3, "{opened:?}");
}

#[test]
fn a_long_text_is_cut_at_the_room() {
    let coded = wrap::cbc(Cipher::AesCbc, KEY, &[7; 16], &TEXT.repeat(100));
    let found = key(Cipher::AesCbc, KEY, Iv::Prefix).unwrap(&coded, 0..coded.len(), 100).unwrap();
    assert_eq!((found.bytes.len(), found.cut), (100, true));
}

#[test]
fn what_openssl_encrypts_with_rsa_is_read() {
    for pem in [PKCS1, PKCS8] {
        let keyed = key(Cipher::Rsa, pem.as_bytes(), Iv::None);
        for text in ENCRYPTED {
            let found = undo(&keyed, &unhex(text)).unwrap();
            assert_eq!((&found.bytes[..], found.map), (&b"0123456789abcdef"[..], Map::Whole(0..128)));
        }
        assert_eq!(undo(&keyed, &[1; 128]), None);
        assert_eq!(undo(&keyed, &[0xff; 128]), None);
    }
    let broken = CipherKey { name: "k".into(), cipher: Cipher::Rsa, key: Secret::new("x"), iv: Iv::None };
    assert_eq!(keyed(&[broken]).1, ["k"]);
}

#[test]
fn session_keys_are_read_in_every_usual_form() {
    let opened = |plain: &[u8], coded: &[u8]| session(plain, "k").iter().any(|keyed| undo(keyed, coded).is_some());
    let coded = wrap::cbc(Cipher::AesCbc, &KEY[..16], &[7; 16], TEXT);
    assert!(opened(&KEY[..16], &coded));
    assert!(opened(dyetrace_case::hex(&KEY[..16]).as_bytes(), &coded));
    assert!(opened(b"MDEyMzQ1Njc4OWFiY2RlZg==", &coded));
    assert!(opened(&[&KEY[..16], &[7; 16]].concat(), &coded[16..]));
    assert!(!opened(&KEY[16..], &coded));
}

proptest! {
    #[test]
    fn unwrap_undoes_wrap(text in "[ -~]{1,300}") {
        let text = text.as_bytes();
        for (cipher, length, iv) in [(Cipher::AesCbc, 24, 16), (Cipher::Sm4Cbc, 16, 16), (Cipher::TripleDesCbc, 24, 8)] {
            let coded = wrap::cbc(cipher, &KEY[..length], &vec![3; iv], text);
            let found = undo(&key(cipher, &KEY[..length], Iv::Prefix), &coded).unwrap();
            prop_assert_eq!((&found.bytes[..], found.map), (text, Map::shift(iv)));
        }
        let blocks = blocks::make(Cipher::AesEcb, KEY).unwrap();
        let coded = wrap::ecb(Cipher::AesEcb, KEY, text);
        let found = undo(&key(Cipher::AesEcb, KEY, Iv::None), &coded).unwrap();
        prop_assert_eq!((&found.bytes[..], found.map), (text, Map::shift(0)));
        if text.len() >= SHORTEST_STREAM {
            let mut coded = text.to_vec();
            blocks::rc4(KEY, &mut coded).unwrap();
            prop_assert_eq!(&undo(&key(Cipher::Rc4, KEY, Iv::None), &coded).unwrap().bytes[..], text);
            let mut coded = text.to_vec();
            blocks::count(&*blocks, &[5; 16], &mut coded);
            let coded = [&[5; 16][..], &coded].concat();
            prop_assert_eq!(&undo(&key(Cipher::AesCtr, KEY, Iv::Prefix), &coded).unwrap().bytes[..], text);
        }
    }

    #[test]
    fn a_key_repeats_from_any_place_on(text in "[a-z0-9 ]{40,300}", phase in 0usize..5) {
        let found = under_repeated_key(&text, phase);
        prop_assert_eq!((found.bytes, found.map), (text.into_bytes(), Map::shift(0)));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), room in 0usize..100) {
        for cipher in Cipher::ALL.into_iter().filter(|cipher| *cipher != Cipher::Rsa) {
            let length = if matches!(cipher, Cipher::DesCbc | Cipher::DesEcb) { 8 } else { 16 };
            let keyed = key(cipher, &KEY[..length], Iv::Prefix);
            if let Some(found) = keyed.unwrap(&bytes, 0..bytes.len(), room) {
                prop_assert!(found.bytes.len() <= room);
            }
        }
    }
}

/// What is undone of the text XORed with a key of five bytes from that one of them on.
fn under_repeated_key(text: &str, phase: usize) -> Unwrapped {
    let mask = [0x81, 0xc3, 0xa7, 0x99, 0xe5];
    let coded: Vec<u8> = text.bytes().zip(mask.iter().cycle().skip(phase)).map(|(byte, mask)| byte ^ mask).collect();
    undo(&key(Cipher::Xor, &mask, Iv::None), &coded).unwrap()
}

/// From the key's first byte on this is text, too, but with signs in it that texts seldom have.
#[test]
fn a_text_without_odd_signs_is_right_wherever_in_the_key_it_begins() {
    let text = "a0 0a 0 0     aaa 0aa  a0aaahaa0l aa l a";
    assert_eq!(under_repeated_key(text, 2).bytes, text.as_bytes());
}

/// Made for these tests with `openssl genrsa 1024`.
pub(crate) const PKCS1: &str = "-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDDoyBddAejBuyCVrPtf93f1mFipr0Ugr0km6Y6tJPfp1n2EmuU
lQrC7QBs+yjn236YEsLHJ0XSfkx8jVd9sqhyEcHPjefToKZ4lKNODuC5+M36xeRa
Y+ZomYM5Hebs8H4Kmonl6y4kgJd9EbhB3c42GoTl4w5+u8acENs9X9WHSQIDAQAB
AoGAHDTj0LWO+FFiPjSUApUh/0jgh6G0t0VWUfXjFKm+fEubq9/iBO0sPQiAvDXG
Iw/Bg9mIncAqz/uHuZmDWMsuf+skYiJ3apoAS1e14R5xHqzPJ8yi9tCLKkC1Jza9
Ih2f2fuiaWIINTaeh6pY9TyWFtxUVQlfrJ5EPNaNx+oENjUCQQDvNayN2GTRStDw
Q3Wuzm9e/gWvqxP18X0oeeb10Bp2sOowpRJMo6iTp49r392hVRF3wGpCoi1Ike/z
KzdPjYwnAkEA0V6BQpzGMzmXAcjOscbjkZuY+hSpFnl9h4ofTmqEDHSgAfSDTd6g
sfaO70bqFkplWWUbNhd2tEleT6FFw6jHDwJALAEbtRxRr46r0QcX5whixH7GXQKD
sYKzG3cRXbbip2L0Me6r5x1ULZVtdNLB2qPjirwC0C81VVxDX+BbVG8dkQJBAMc9
9yaMCPWwhWr2TPTTP7dOaor6ZFr17Kayo849AULVLXwO03GkPip9Z1J/mr7xt3cW
B4o3VAiHlY+T+s8S67MCQDGvgGRLUAZXFXla7ouj8fX+nm9JGQ/LoA85FnpOlXvL
NipLSOn7dEVxR2Min/xhaRJ9vyKbNfhCD5ECW5aCuL0=
-----END RSA PRIVATE KEY-----
";

/// The same in PKCS#8.
const PKCS8: &str = "-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAMOjIF10B6MG7IJW
s+1/3d/WYWKmvRSCvSSbpjq0k9+nWfYSa5SVCsLtAGz7KOfbfpgSwscnRdJ+THyN
V32yqHIRwc+N59OgpniUo04O4Ln4zfrF5Fpj5miZgzkd5uzwfgqaieXrLiSAl30R
uEHdzjYahOXjDn67xpwQ2z1f1YdJAgMBAAECgYAcNOPQtY74UWI+NJQClSH/SOCH
obS3RVZR9eMUqb58S5ur3+IE7Sw9CIC8NcYjD8GD2YidwCrP+4e5mYNYyy5/6yRi
IndqmgBLV7XhHnEerM8nzKL20IsqQLUnNr0iHZ/Z+6JpYgg1Np6Hqlj1PJYW3FRV
CV+snkQ81o3H6gQ2NQJBAO81rI3YZNFK0PBDda7Ob17+Ba+rE/XxfSh55vXQGnaw
6jClEkyjqJOnj2vf3aFVEXfAakKiLUiR7/MrN0+NjCcCQQDRXoFCnMYzOZcByM6x
xuORm5j6FKkWeX2Hih9OaoQMdKAB9INN3qCx9o7vRuoWSmVZZRs2F3a0SV5PoUXD
qMcPAkAsARu1HFGvjqvRBxfnCGLEfsZdAoOxgrMbdxFdtuKnYvQx7qvnHVQtlW10
0sHao+OKvALQLzVVXENf4FtUbx2RAkEAxz33JowI9bCFavZM9NM/t05qivpkWvXs
prKjzj0BQtUtfA7TcaQ+Kn1nUn+avvG3dxYHijdUCIeVj5P6zxLrswJAMa+AZEtQ
BlcVeVrui6Px9f6eb0kZD8ugDzkWek6Ve8s2KktI6ft0RXFHYyKf/GFpEn2/Ips1
+EIPkQJbloK4vQ==
-----END PRIVATE KEY-----
";

/// `0123456789abcdef` as `openssl pkeyutl -encrypt` writes it: PKCS#1 v1.5, OAEP with SHA-1, with
/// SHA-256, and with SHA-256 and a mask of SHA-1.
pub(crate) const ENCRYPTED: [&str; 4] = [
    "598b61b31aabc18ecd29b0ed511b2268830ed32196ad1eb499c202be21552f6e4f450c68acbe4c9f8c95a2ea20571bd94ef87a1751d3d51ac8aef18c6e1d1f32d3c71a934fa7a7a105c9d0936c9bb6e267c0ab5575a47400c02dea7249941e4498d281992f8c72fee713e9edbe87ee1f8c916155493ec406b7e74b9538ca22b8",
    "b76f4d888db4ffbe4c112bb4c7ad33e595252ec8d69121074068a68283cc12413f4b64f5e2027583faa4ac207edee9af8199e3c8edfaf6056a60862d7b99d6955835cdf5c6d074f06504454e350e3731c80034b03b55c1f9e31dfa138bd9479d84d9d6b122cbd8a27253271901abbc6e2194783dcf364b4aaab82909415d8b49",
    "2cd70aa506a61e3b5fc4d1d71e08ac745daee180c0eda23fd0da3306949f28519aa5b30877f4127bf0fbef2d30095aeba5abe7ecf4c617acfd436e5b11a7e63ecdb50b2a277096d3843ee3a77ef5ecadb29ad6a9932352cda7b09f096a0a8bd998312ff317a36da6bb75d24666b1bbd0369b20906dd7eeb94035a6d9bf4ef90a",
    "673b554c6de209a883ce7548a9062f9fda2b2e69b10a3e7113840579b6e2afea55ed789be8334ac79d19100758901dc83dbbda77aaba1db65b1493026f683f0377c310a3171f5d59668370f3ba145098995fb789763ca2cb1c1b14bc412fe113a9df686c1ff855ef948795969b434544e000c03d9b02d3384df1ad1cfece8920",
];
