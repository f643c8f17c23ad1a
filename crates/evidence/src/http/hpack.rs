//! A passive HPACK decoder (RFC 7541): it follows the table of one direction of a connection that
//! others are having, also from the middle.
//!
//! Indices count from the newest entry, so entries inserted while we watch are named correctly
//! even where older ones were never seen; a reference to one of those yields a placeholder and
//! never a value of another entry. The peer's SETTINGS_HEADER_TABLE_SIZE need not be followed: an
//! encoder announces every change of the size it uses in the block itself (section 4.2).

use super::huffman;
use crate::layer::Limits;
use std::collections::VecDeque;

/// Fields of a list, name and value.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The dynamic table of one direction.
pub(crate) struct Decoder {
    /// Newest first.
    entries: VecDeque<(Vec<u8>, Vec<u8>)>,
    /// Size of `entries` as section 4.1 counts it: name, value and 32 for each.
    size: usize,
    /// The size the encoder may use at most.
    max_size: usize,
    /// True where the encoder may hold entries that are not in `entries`.
    partial: bool,
}

/// One decoded block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldList {
    /// The fields in order. A reference to an entry that was never seen stands here as
    /// `(unknown index 70)`, as a name or with an empty value.
    pub(crate) fields: Fields,
    /// Bytes of fields left out because the list was over the limit.
    pub(crate) cut: u64,
    /// True where a field stands for an entry that was never seen.
    pub(crate) unknown: bool,
    /// Where the block stopped making sense: bytes of it not decoded.
    pub(crate) undecoded: Option<usize>,
}

/// The table size before any update (RFC 9113 section 6.5.2).
const DEFAULT_SIZE: usize = 4096;
/// What an entry counts beside its bytes (section 4.1).
const OVERHEAD: usize = 32;

struct Malformed;

/// Name and value.
type Entry<'t> = (&'t [u8], &'t [u8]);

impl Decoder {
    /// Memory held, as section 4.1 counts it and the allocator adds.
    pub(crate) fn held(&self) -> usize {
        self.size + self.entries.len() * size_of::<(Vec<u8>, Vec<u8>)>()
    }

    /// The table of a direction seen from its start (`partial` false) or from the middle.
    pub(crate) fn new(partial: bool) -> Self {
        Self { entries: VecDeque::new(), size: 0, max_size: DEFAULT_SIZE, partial }
    }

    /// Forgets everything: a block was missed, so what each index means is not known any more.
    pub(crate) fn lose(&mut self) {
        self.entries.clear();
        self.size = 0;
        self.partial = true;
    }

    /// Decodes one complete block (HEADERS or PUSH_PROMISE with its CONTINUATIONs).
    ///
    /// After a fault the rest of the block is not decoded and the table is lost.
    pub(crate) fn decode(&mut self, block: &[u8], limits: &Limits) -> FieldList {
        let mut list = FieldList::default();
        let mut room = limits.head;
        let mut rest = block;
        while !rest.is_empty() {
            let before = rest;
            match self.representation(&mut rest, limits) {
                Ok(Some(field)) => list.add(field, &mut room, limits.fields),
                Ok(None) => {}
                Err(Malformed) => {
                    list.undecoded = Some(before.len());
                    self.lose();
                    break;
                }
            }
        }
        list
    }

    /// Section 6: one field, or a change of the table size.
    fn representation<'t>(&'t mut self, rest: &mut &[u8], limits: &Limits) -> Result<Option<Field<'t>>, Malformed> {
        let first = *rest.first().ok_or(Malformed)?;
        if first & 0x80 != 0 {
            let index = integer(rest, 7)?;
            return self.indexed(index).map(Some);
        }
        if first & 0xe0 == 0x20 {
            let size = integer(rest, 5)?;
            self.resize(size, limits);
            return Ok(None);
        }
        let indexing = first & 0xc0 == 0x40;
        let index = integer(rest, if indexing { 6 } else { 4 })?;
        let (name, unknown) = if index == 0 { (string(rest)?, false) } else { self.name(index)? };
        let value = string(rest)?;
        if indexing {
            self.insert(name.clone(), value.clone());
        }
        Ok(Some(Field::Literal { name, value, unknown }))
    }

    fn indexed(&self, index: usize) -> Result<Field<'_>, Malformed> {
        match self.lookup(index)? {
            Some((name, value)) => Ok(Field::Indexed { name, value }),
            None => Ok(Field::Literal { name: placeholder(index), value: Vec::new(), unknown: true }),
        }
    }

    fn name(&self, index: usize) -> Result<(Vec<u8>, bool), Malformed> {
        let known = self.lookup(index)?;
        Ok(known.map_or_else(|| (placeholder(index), true), |(name, _)| (name.to_vec(), false)))
    }

    /// Section 2.3.3: the static table, then the dynamic one. `None` for an entry never seen.
    fn lookup(&self, index: usize) -> Result<Option<Entry<'_>>, Malformed> {
        let place = index.checked_sub(1).ok_or(Malformed)?;
        if let Some((name, value)) = STATIC.get(place) {
            return Ok(Some((name.as_bytes(), value.as_bytes())));
        }
        match self.entries.get(place - STATIC.len()) {
            Some((name, value)) => Ok(Some((name, value))),
            None if self.partial => Ok(None),
            None => Err(Malformed),
        }
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let size = name.len() + value.len() + OVERHEAD;
        self.evict(self.max_size.saturating_sub(size));
        if size <= self.max_size {
            self.size += size;
            self.entries.push_front((name, value));
        }
    }

    fn evict(&mut self, size: usize) {
        while self.size > size {
            let Some((name, value)) = self.entries.pop_back() else { break };
            self.size -= name.len() + value.len() + OVERHEAD;
        }
    }

    /// Section 6.3. A size over our limit is followed only so far: older entries count as never seen.
    fn resize(&mut self, size: usize, limits: &Limits) {
        self.max_size = size.min(limits.head.max(DEFAULT_SIZE));
        self.partial = size > self.max_size || (self.partial && size > 0);
        self.evict(self.max_size);
    }
}

enum Field<'t> {
    Indexed { name: &'t [u8], value: &'t [u8] },
    Literal { name: Vec<u8>, value: Vec<u8>, unknown: bool },
}

impl FieldList {
    /// Adds a field where there is room. Indexed ones are copied only then, so that a block of
    /// one-byte references cannot unfold to more than the limit.
    fn add(&mut self, field: Field<'_>, room: &mut usize, most: usize) {
        let size = match &field {
            Field::Indexed { name, value } => name.len() + value.len(),
            Field::Literal { name, value, .. } => name.len() + value.len(),
        };
        if size > *room || self.fields.len() >= most {
            self.cut += size as u64;
            return;
        }
        *room -= size;
        match field {
            Field::Indexed { name, value } => self.fields.push((name.to_vec(), value.to_vec())),
            Field::Literal { name, value, unknown } => {
                self.unknown |= unknown;
                self.fields.push((name, value));
            }
        }
    }
}

fn placeholder(index: usize) -> Vec<u8> {
    format!("(unknown index {index})").into_bytes()
}

/// Section 5.1: an integer whose first `prefix` bits are the low bits of the first byte.
fn integer(rest: &mut &[u8], prefix: u32) -> Result<usize, Malformed> {
    let (first, mut tail) = rest.split_first().ok_or(Malformed)?;
    let most = (1 << prefix) - 1;
    let mut value = u64::from(*first) & most;
    if value == most {
        // Five more bytes hold every number that a block can mean.
        for shift in [0, 7, 14, 21, 28] {
            let (byte, after) = tail.split_first().ok_or(Malformed)?;
            tail = after;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *rest = tail;
                return usize::try_from(value).map_err(|_| Malformed);
            }
        }
        return Err(Malformed);
    }
    *rest = tail;
    usize::try_from(value).map_err(|_| Malformed)
}

/// Section 5.2: a length and that many bytes, plain or in the Huffman code.
fn string(rest: &mut &[u8]) -> Result<Vec<u8>, Malformed> {
    let huffman = rest.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = integer(rest, 7)?;
    let (coded, tail) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = tail;
    if !huffman {
        return Ok(coded.to_vec());
    }
    let mut text = Vec::new();
    huffman::decode(coded, &mut text).map_err(|huffman::Malformed| Malformed)?;
    Ok(text)
}

/// RFC 7541 appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// A small encoder for tests that play a peer: literal fields, plain or Huffman, with or without
/// indexing, and references.
#[cfg(test)]
pub(crate) mod encoder {
    use super::{STATIC, huffman};

    /// How a literal is written.
    #[derive(Clone, Copy)]
    pub(crate) enum Literal {
        Indexing,
        Plain,
        HuffmanIndexing,
    }

    /// A reference to an entry (section 6.1).
    pub(crate) fn indexed(index: usize) -> Vec<u8> {
        integer(index, 7, 0x80)
    }

    /// A literal whose name refers to an entry (section 6.2).
    pub(crate) fn literal_of(index: usize, value: &[u8]) -> Vec<u8> {
        [integer(index, 6, 0x40), string(value, false)].concat()
    }

    /// A literal with its own name.
    pub(crate) fn literal(how: Literal, name: &str, value: &[u8]) -> Vec<u8> {
        let huffman = matches!(how, Literal::HuffmanIndexing);
        let first = if matches!(how, Literal::Plain) { 0x00 } else { 0x40 };
        [vec![first], string(name.as_bytes(), huffman), string(value, huffman)].concat()
    }

    /// A list without use of the dynamic table.
    pub(crate) fn list(fields: &[(&str, &str)]) -> Vec<u8> {
        let field = |(name, value): &(&str, &str)| {
            let place = STATIC.iter().position(|entry| entry == &(*name, *value));
            place.map_or_else(|| literal(Literal::Plain, name, value.as_bytes()), |place| indexed(place + 1))
        };
        fields.iter().flat_map(field).collect()
    }

    /// Section 5.1.
    pub(crate) fn integer(value: usize, prefix: u32, first: u8) -> Vec<u8> {
        let most = (1 << prefix) - 1;
        if value < most {
            return vec![first | value as u8];
        }
        let mut bytes = vec![first | most as u8];
        let mut rest = value - most;
        while rest >= 128 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    }

    fn string(text: &[u8], huffman: bool) -> Vec<u8> {
        let coded = if huffman { huffman::encode(text) } else { text.to_vec() };
        [integer(coded.len(), 7, if huffman { 0x80 } else { 0 }), coded].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::encoder::{Literal, indexed, literal, literal_of};
    use super::*;
    use proptest::prelude::*;

    fn decode(decoder: &mut Decoder, block: &[u8]) -> FieldList {
        decoder.decode(block, &Limits::default())
    }

    fn fields(decoder: &mut Decoder, block: &[u8]) -> Vec<(String, String)> {
        let list = decode(decoder, block);
        assert_eq!((list.undecoded, list.cut, list.unknown), (None, 0, false));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        list.fields.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn from_hex(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn table(decoder: &Decoder) -> Vec<String> {
        let line = |(name, value): &(Vec<u8>, Vec<u8>)| {
            format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
        };
        decoder.entries.iter().map(line).collect()
    }

    const REQUESTS: [&[(&str, &str)]; 3] = [
        &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
        &[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
            ("cache-control", "no-cache"),
        ],
        &[
            (":method", "GET"),
            (":scheme", "https"),
            (":path", "/index.html"),
            (":authority", "www.example.com"),
            ("custom-key", "custom-value"),
        ],
    ];

    fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn single_fields_of_rfc_7541_appendix_c_2() {
        let mut decoder = Decoder::new(false);
        let custom = from_hex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
        assert_eq!(fields(&mut decoder, &custom), owned(&[("custom-key", "custom-header")]));
        assert_eq!((table(&decoder), decoder.size), (vec!["custom-key: custom-header".to_owned()], 55));
        let path = from_hex("040c 2f73 616d 706c 652f 7061 7468");
        assert_eq!(fields(&mut decoder, &path), owned(&[(":path", "/sample/path")]));
        let never = from_hex("1008 7061 7373 776f 7264 0673 6563 7265 74");
        assert_eq!(fields(&mut decoder, &never), owned(&[("password", "secret")]));
        assert_eq!(fields(&mut decoder, &from_hex("82")), owned(&[(":method", "GET")]));
        assert_eq!(decoder.entries.len(), 1, "only the first of them is indexed");
    }

    #[test]
    fn requests_of_rfc_7541_appendix_c_3_and_c_4() {
        let plain = [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ];
        let huffman = [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ];
        for blocks in [plain, huffman] {
            let mut decoder = Decoder::new(false);
            for (block, expected) in blocks.iter().zip(REQUESTS) {
                assert_eq!(fields(&mut decoder, &from_hex(block)), owned(expected));
            }
            let left = ["custom-key: custom-value", "cache-control: no-cache", ":authority: www.example.com"];
            assert_eq!((table(&decoder), decoder.size), (left.map(str::to_owned).to_vec(), 164));
        }
    }

    #[test]
    fn responses_with_eviction_of_rfc_7541_appendix_c_6() {
        let mut decoder = Decoder::new(false);
        decoder.max_size = 256;
        let first = "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad \
                     1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
        let mut expected = vec![
            (":status", "302"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("location", "https://www.example.com"),
        ];
        assert_eq!(fields(&mut decoder, &from_hex(first)), owned(&expected));
        assert_eq!(decoder.size, 222);
        expected[0].1 = "307";
        assert_eq!(fields(&mut decoder, &from_hex("4883 640e ffc1 c0bf")), owned(&expected));
        assert_eq!(decoder.size, 222);
        let third = "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 \
                     e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07";
        let cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
        let expected = [
            (":status", "200"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
            ("location", "https://www.example.com"),
            ("content-encoding", "gzip"),
            ("set-cookie", cookie),
        ];
        assert_eq!(fields(&mut decoder, &from_hex(third)), owned(&expected));
        assert_eq!((decoder.size, decoder.entries.len()), (215, 3));
    }

    #[test]
    fn from_the_middle_new_entries_are_known_and_old_ones_are_placeholders() {
        let mut decoder = Decoder::new(true);
        let block = [literal(Literal::HuffmanIndexing, "x-device", b"lamp"), indexed(62), indexed(63)].concat();
        let list = decode(&mut decoder, &block);
        let lamp = (b"x-device".to_vec(), b"lamp".to_vec());
        assert_eq!(list.fields, [lamp.clone(), lamp, (b"(unknown index 63)".to_vec(), Vec::new())]);
        assert!(list.unknown);
        let list = decode(&mut decoder, &literal_of(63, b"seen"));
        assert_eq!(list.fields, [(b"(unknown index 63)".to_vec(), b"seen".to_vec())]);
        assert_eq!(decode(&mut decoder, &indexed(62)).fields, [(b"(unknown index 63)".to_vec(), b"seen".to_vec())]);
    }

    #[test]
    fn from_the_start_an_index_beyond_the_table_is_a_fault() {
        let mut decoder = Decoder::new(false);
        let list = decode(&mut decoder, &[indexed(2), indexed(62)].concat());
        assert_eq!((list.fields.len(), list.undecoded), (1, Some(1)));
        assert!(decode(&mut decoder, &indexed(62)).unknown, "after the fault the table is not known");
    }

    #[test]
    fn emptying_the_table_ends_the_ignorance_of_a_start_in_the_middle() {
        let mut decoder = Decoder::new(true);
        assert!(!decode(&mut decoder, &from_hex("20 3fe11f")).unknown);
        assert_eq!(decode(&mut decoder, &indexed(62)).undecoded, Some(1));
    }

    #[test]
    fn over_the_limit_fields_are_dropped_and_the_table_is_followed() {
        let limits = Limits { head: 20, ..Limits::default() };
        let mut decoder = Decoder::new(false);
        let block =
            [literal(Literal::Indexing, "name", b"0123456789"), literal(Literal::Indexing, "other", b"0123456789")];
        let list = decoder.decode(&block.concat(), &limits);
        assert_eq!((list.fields.len(), list.cut), (1, 15));
        assert_eq!(fields(&mut decoder, &indexed(62)), owned(&[("other", "0123456789")]));
    }

    #[test]
    fn a_block_of_references_does_not_unfold_without_bound() {
        let mut decoder = Decoder::new(false);
        decode(&mut decoder, &literal(Literal::Indexing, "n", &[b'v'; 4000]));
        let list = decode(&mut decoder, &indexed(62).repeat(100_000));
        assert_eq!(list.fields.len(), 65, "256 KiB of fields");
        assert_eq!(list.cut, (100_000 - 65) * 4001);
    }

    #[test]
    fn integers_that_do_not_end_or_overflow_are_faults() {
        for bytes in [
            &b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"[..],
            b"\xff",
            b"\x7f\xff",
            b"\x00\x7f\xff\xff\xff\xff\x7f",
        ] {
            let list = decode(&mut Decoder::new(false), bytes);
            assert_eq!(list.undecoded, Some(bytes.len()));
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(
            names in proptest::collection::vec("[a-z-]{1,20}", 0..40),
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 40),
            ways in proptest::collection::vec(0..3usize, 40),
        ) {
            let mut decoder = Decoder::new(false);
            let ways: Vec<_> = ways.iter().map(|way| [Literal::Indexing, Literal::Plain, Literal::HuffmanIndexing][*way]).collect();
            let lines = names.iter().zip(&values).zip(&ways);
            let block: Vec<u8> = lines.flat_map(|((name, value), way)| literal(*way, name, value)).collect();
            let list = decoder.decode(&block, &Limits::default());
            let expected: Fields = names.iter().zip(&values).map(|(name, value)| (name.clone().into_bytes(), value.clone())).collect();
            prop_assert_eq!(list.fields, expected);
            prop_assert!(decoder.size <= decoder.max_size);
        }

        #[test]
        fn any_bytes_are_survived(blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..6), partial: bool) {
            let mut decoder = Decoder::new(partial);
            for block in blocks {
                decoder.decode(&block, &Limits::default());
                let size: usize = decoder.entries.iter().map(|(name, value)| name.len() + value.len() + OVERHEAD).sum();
                prop_assert_eq!(decoder.size, size);
                prop_assert!(size <= decoder.max_size);
            }
        }
    }
}
