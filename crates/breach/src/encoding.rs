//! Which encoding a field is in, and its text in UTF-8.
//!
//! Chinese dumps are in UTF-8, GB18030 or Big5, and often in more than one of them, because copies of
//! different age were joined. All three write ASCII as it is, and no byte below 0x30 and none from
//! 0x3A to 0x3F is ever part of a longer character (GB 18030-2022 4.2, WHATWG Encoding 10 and 14): these
//! are the *hard* bytes. Quotes, commas, line ends, tabs, colons and dashes are among them. A *field*
//! here is a run between two hard bytes, and each is decided for itself.

use encoding_rs::{BIG5, DecoderResult, Encoding, GB18030};
use serde::{Deserialize, Serialize};

/// An encoding older than Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Legacy {
    Gb18030,
    Big5,
}

impl Legacy {
    fn encoding(self) -> &'static Encoding {
        match self {
            Self::Gb18030 => GB18030,
            Self::Big5 => BIG5,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Gb18030 => Self::Big5,
            Self::Big5 => Self::Gb18030,
        }
    }

    /// Its WHATWG name.
    pub(crate) fn name(self) -> &'static str {
        self.encoding().name()
    }
}

/// The name by which a table's encoding is told.
pub(crate) fn name_of(name: &str) -> Option<&'static str> {
    let legacy = [Legacy::Gb18030, Legacy::Big5].map(Legacy::name);
    ["UTF-8", "UTF-16LE", "UTF-16BE"].into_iter().chain(legacy).find(|known| *known == name)
}

/// Whether the byte is a character by itself in every encoding read here.
#[inline]
pub(crate) fn is_hard(byte: u8) -> bool {
    byte < 0x30 || matches!(byte, 0x3A..=0x3F)
}

/// One more than the place of the last hard byte.
pub(crate) fn after_last_hard(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|&byte| is_hard(byte)).map(|last| last + 1)
}

/// What the fields of a stretch of bytes show.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Evidence {
    /// Fields that are UTF-8 with at least one character of three bytes or more.
    utf8: usize,
    /// Fields that are UTF-8 of two-byte characters only: two characters of GB18030 may look so.
    either: usize,
    /// Fields that are no UTF-8.
    legacy: usize,
    gb18030: Commonness,
    big5: Commonness,
}

/// How many characters are among the common ones of an encoding.
#[derive(Debug, Clone, Copy, Default)]
struct Commonness {
    common: usize,
    all: usize,
}

impl Evidence {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut evidence = Self::default();
        for field in fields(bytes) {
            let field = &bytes[field.start..field.end];
            match std::str::from_utf8(field) {
                Ok(text) if text.bytes().any(|byte| byte >= 0xE0) => evidence.utf8 += 1,
                Ok(_) => evidence.either += 1,
                Err(_) => {
                    evidence.legacy += 1;
                    evidence.gb18030.count(field, |lead, trail| (0xB0..=0xD7).contains(&lead) && trail >= 0xA1);
                    evidence
                        .big5
                        .count(field, |lead, trail| (0xA4..=0xC6).contains(&lead) && !(0x7F..0xA1).contains(&trail));
                }
            }
        }
        evidence
    }

    /// The encoding of the fields that are no UTF-8; `otherwise` where they are too few to tell.
    ///
    /// Nearly all running text is of the first level of GB 2312 (leads 0xB0 to 0xD7) or of Big5's
    /// frequently used characters (leads 0xA4 to 0xC6); read in the wrong one about 60 % is.
    pub(crate) fn legacy(&self, otherwise: Legacy) -> Legacy {
        let (gb18030, big5) = (self.gb18030.percent(), self.big5.percent());
        if self.gb18030.all < 8 || gb18030.abs_diff(big5) < 5 {
            otherwise
        } else if gb18030 > big5 {
            Legacy::Gb18030
        } else {
            Legacy::Big5
        }
    }

    /// Whether more fields are surely of an older encoding than are surely UTF-8.
    pub(crate) fn is_mostly_legacy(&self) -> bool {
        self.legacy > self.utf8
    }
}

impl Commonness {
    fn count(&mut self, field: &[u8], is_common: impl Fn(u8, u8) -> bool) {
        let mut at = 0;
        while let Some(&lead) = field.get(at) {
            let Some(&trail) = field.get(at + 1) else { break };
            if lead < 0x81 {
                at += 1;
                continue;
            }
            self.all += 1;
            self.common += usize::from(is_common(lead, trail));
            at += 2;
        }
    }

    fn percent(self) -> usize {
        self.common * 100 / self.all.max(1)
    }
}

/// Writes `bytes` to `text` in UTF-8, deciding each field. Hard bytes stay as they are, so the n-th hard
/// byte of the one is the n-th of the other. Returns how many bytes were in no encoding known; each
/// became U+FFFD.
pub(crate) fn recode(bytes: &[u8], otherwise: Legacy, text: &mut Vec<u8>) -> usize {
    let evidence = Evidence::of(bytes);
    let legacy = evidence.legacy(otherwise);
    if evidence.utf8 == 0 && decode(bytes, legacy, text) {
        return 0;
    }
    let mut lost = 0;
    let mut done = 0;
    for field in fields(bytes) {
        text.extend_from_slice(&bytes[done..field.start]);
        lost += recode_field(&bytes[field.start..field.end], legacy, evidence.is_mostly_legacy(), text);
        done = field.end;
    }
    text.extend_from_slice(&bytes[done..]);
    lost
}

fn recode_field(field: &[u8], legacy: Legacy, mostly_legacy: bool, text: &mut Vec<u8>) -> usize {
    let utf8 = std::str::from_utf8(field);
    let surely = utf8.is_ok() && (!mostly_legacy || field.iter().any(|&byte| byte >= 0xE0));
    if surely {
        text.extend_from_slice(field);
        return 0;
    }
    if decode(field, legacy, text) || decode(field, legacy.other(), text) {
        return 0;
    }
    if utf8.is_ok() {
        text.extend_from_slice(field);
        return 0;
    }
    keep_ascii(field, text)
}

/// Bytes in no encoding known: what is ASCII stays, so that a backslash still escapes what follows it.
fn keep_ascii(field: &[u8], text: &mut Vec<u8>) -> usize {
    for &byte in field {
        if byte.is_ascii() {
            text.push(byte);
        } else {
            text.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    field.iter().filter(|byte| !byte.is_ascii()).count()
}

/// Writes `bytes` to `text`, or nothing where they are not of the encoding.
fn decode(bytes: &[u8], legacy: Legacy, text: &mut Vec<u8>) -> bool {
    let before = text.len();
    let mut decoder = legacy.encoding().new_decoder_without_bom_handling();
    let most = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(0);
    text.resize(before + most, 0);
    let (result, _, written) = decoder.decode_to_utf8_without_replacement(bytes, &mut text[before..], true);
    let whole = result == DecoderResult::InputEmpty;
    text.truncate(if whole { before + written } else { before });
    whole
}

/// The fields of `bytes` that are not all ASCII.
fn fields(bytes: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut done = 0;
    std::iter::from_fn(move || {
        let first = done + Encoding::ascii_valid_up_to(&bytes[done..]);
        if first == bytes.len() {
            return None;
        }
        let start = done + after_last_hard(&bytes[done..first]).unwrap_or(0);
        let length = bytes[first..].iter().position(|&byte| is_hard(byte));
        let end = length.map_or(bytes.len(), |length| first + length);
        done = end;
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recoded(bytes: &[u8]) -> (String, usize) {
        let mut text = Vec::new();
        let lost = recode(bytes, Legacy::Gb18030, &mut text);
        (String::from_utf8(text).unwrap(), lost)
    }

    #[test]
    fn gbk_with_a_backslash_as_second_byte() {
        // 誠 is 0xD5 0x5C: its second byte is a backslash.
        let bytes = GB18030.encode("'誠','张三','a\\'b'").0.into_owned();
        assert!(bytes.windows(2).any(|pair| pair == [0xD5, 0x5C]));
        assert_eq!(recoded(&bytes), ("'誠','张三','a\\'b'".into(), 0));
    }

    #[test]
    fn one_line_in_two_encodings() {
        let mut bytes = "张三,北京,".as_bytes().to_vec();
        bytes.extend_from_slice(&GB18030.encode("李四,上海").0);
        assert_eq!(recoded(&bytes), ("张三,北京,李四,上海".into(), 0));
    }

    #[test]
    fn two_characters_of_gbk_that_look_like_utf8_are_read_as_their_neighbours() {
        let text = "陆伟,王五,北京市,电话";
        assert!(std::str::from_utf8(&GB18030.encode("陆伟").0).is_ok(), "C2 BD CE B0");
        assert_eq!(recoded(&GB18030.encode(text).0), (text.into(), 0));
    }

    #[test]
    fn big5_is_told_by_its_common_characters() {
        let text = "王小明,台北市中正區重慶南路一段,電話號碼,會員資料";
        assert_eq!(recoded(&BIG5.encode(text).0), (text.into(), 0));
    }

    #[test]
    fn bytes_of_no_encoding_are_counted_and_keep_their_backslashes() {
        let (text, lost) = recoded(b"'\xFF\\'\xFF','ok'");
        assert_eq!((text.as_str(), lost), ("'\u{FFFD}\\'\u{FFFD}','ok'", 2));
    }

    proptest::proptest! {
        #[test]
        fn hard_bytes_stay_in_their_order(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut text = Vec::new();
            recode(&bytes, Legacy::Gb18030, &mut text);
            let hard = |bytes: &[u8]| bytes.iter().copied().filter(|&byte| is_hard(byte)).collect::<Vec<_>>();
            proptest::prop_assert!(std::str::from_utf8(&text).is_ok());
            proptest::prop_assert_eq!(hard(&bytes), hard(&text));
        }

        #[test]
        fn what_was_written_in_one_encoding_comes_back(
            names in proptest::collection::vec("[一-龠]{2,6}", 6..20), big5 in proptest::bool::ANY
        ) {
            let encoding = if big5 { BIG5 } else { GB18030 };
            let joined = names.join("----");
            let (bytes, _, failed) = encoding.encode(&joined);
            // Characters beyond the common ones say nothing of the encoding: it is given.
            let legacy = if big5 { Legacy::Big5 } else { Legacy::Gb18030 };
            let mut text = Vec::new();
            proptest::prop_assume!(!failed && std::str::from_utf8(&bytes).is_err());
            proptest::prop_assert!(decode(&bytes, legacy, &mut text));
            proptest::prop_assert_eq!(String::from_utf8(text).unwrap(), joined);
        }
    }
}
