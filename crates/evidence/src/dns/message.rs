//! One DNS message (RFC 1035 section 4).

use crate::layer::Limits;
use std::net::IpAddr;

/// What a DNS message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The number that joins question and answer.
    pub(crate) id: u16,
    /// The flags of the header, QR first.
    flags: u16,
    /// The questions: type and name.
    pub(crate) questions: Vec<(String, Vec<u8>)>,
    /// Answers, authorities and additional records: owner, type, value.
    pub(crate) resources: Vec<Resource>,
    /// Addresses in the answers, with the name that was asked for.
    pub(crate) addresses: Vec<(IpAddr, Vec<u8>)>,
    /// True where the message ended before its counts said so, or had more than the limit.
    pub(crate) incomplete: bool,
}

/// One resource record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// The name it belongs to.
    pub(crate) owner: Vec<u8>,
    /// `A`, `TXT`, or `TYPE65280` where the type is not known here.
    pub(crate) kind: String,
    /// As text where the type has one, the strings of a TXT, otherwise the bytes.
    pub(crate) value: Vec<u8>,
}

impl Parsed {
    /// True for an answer.
    pub(crate) fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The result of an answer; 0 is success.
    pub(crate) fn result(&self) -> u16 {
        self.flags & 0xf
    }
}

/// Reads a message. `None` where not even its questions can be read, or nothing was asked or said.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Option<Parsed> {
    let mut reader = Reader { message: bytes, at: 0 };
    let [id, flags, questions, answers, authorities, additional] = reader.header()?;
    let opcode = flags >> 11 & 0xf;
    // RFC 6895 section 2.2: opcodes above 6 are not assigned.
    if opcode > 6 || questions.max(answers).max(authorities).max(additional) == 0 {
        return None;
    }
    let mut parsed =
        Parsed { id, flags, questions: Vec::new(), resources: Vec::new(), addresses: Vec::new(), incomplete: false };
    for _ in 0..questions {
        let Some(question) = reader.question().filter(|_| parsed.questions.len() < limits.fields) else {
            parsed.incomplete = true;
            break;
        };
        parsed.questions.push(question);
    }
    let counts = [(answers, true), (authorities, false), (additional, false)];
    parsed.incomplete |= parsed.incomplete || read_resources(&mut reader, counts, limits.fields, &mut parsed).is_none();
    (!parsed.questions.is_empty() || !parsed.resources.is_empty()).then_some(parsed)
}

/// True for a well-formed question or answer on any port: one question in the Internet class,
/// nothing left over.
pub(crate) fn is_plain_exchange(bytes: &[u8]) -> bool {
    let [_, _, high, low, 0, 1, ..] = bytes else { return false };
    let flags = u16::from_be_bytes([*high, *low]);
    // Standard query, reserved bit clear, result below the unassigned ones.
    if flags & 0x7840 != 0 || flags & 0xf > 5 {
        return false;
    }
    let mut reader = Reader { message: bytes, at: 0 };
    let (Some([.., answers, authorities, additional]), Some((kind, name))) = (reader.header(), reader.question())
    else {
        return false;
    };
    let host = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if kind.starts_with("TYPE") || name.len() < 3 || !name.iter().all(host) || answers.max(authorities) > 200 {
        return false;
    }
    let rest = u32::from(answers) + u32::from(authorities) + u32::from(additional);
    (0..rest).all(|_| reader.resource().is_some()) && reader.at == bytes.len()
}

fn read_resources(reader: &mut Reader<'_>, counts: [(u16, bool); 3], limit: usize, parsed: &mut Parsed) -> Option<()> {
    for (count, answer) in counts {
        for _ in 0..count {
            let Some((resource, address)) = reader.resource()? else { continue };
            if parsed.resources.len() >= limit {
                return None;
            }
            if let Some(address) = address.filter(|_| answer && parsed.is_response()) {
                let asked = parsed.questions.first().map_or(&resource.owner, |(_, name)| name);
                parsed.addresses.push((address, asked.clone()));
            }
            parsed.resources.push(resource);
        }
    }
    Some(())
}

/// The data of one resource record as text, where its type has one, else as it is. Names in it must
/// not be compressed.
pub(crate) fn shown(kind: u16, data: &[u8]) -> Vec<u8> {
    Reader { message: data, at: 0 }.value(kind, data).unwrap_or_else(|| data.to_vec())
}

/// Reads on through a message; `None` at whatever is not there.
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

/// EDNS' pseudo record (RFC 6891 section 6.1).
const OPT: u16 = 41;

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.message.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    fn word(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn header(&mut self) -> Option<[u16; 6]> {
        let mut words = [0; 6];
        for word in &mut words {
            *word = self.word()?;
        }
        Some(words)
    }

    fn question(&mut self) -> Option<(String, Vec<u8>)> {
        let name = self.name()?;
        let kind = self.word()?;
        self.word()?;
        Some((type_name(kind), name))
    }

    /// A resource record with its address if it has one; inner `None` for EDNS.
    #[expect(clippy::option_option, reason = "unreadable, and read but not to be shown, are different")]
    fn resource(&mut self) -> Option<Option<(Resource, Option<IpAddr>)>> {
        let owner = self.name()?;
        let kind = self.word()?;
        self.take(6)?;
        let length = usize::from(self.word()?);
        let start = self.at;
        let data = self.take(length)?;
        if kind == OPT {
            return Some(None);
        }
        let mut inner = Reader { message: self.message.get(..start + length)?, at: start };
        let value = inner.value(kind, data).unwrap_or_else(|| data.to_vec());
        let address = match kind {
            1 => data.try_into().ok().map(|bytes: [u8; 4]| IpAddr::from(bytes)),
            28 => data.try_into().ok().map(|bytes: [u8; 16]| IpAddr::from(bytes)),
            _ => None,
        };
        Some(Some((Resource { owner, kind: type_name(kind), value }, address)))
    }

    /// A name as text with dots (RFC 1035 section 4.1.4). A pointer must lead further back than
    /// everything read so far for this name, so none can go in circles.
    fn name(&mut self) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        let (mut at, mut lowest, mut after) = (self.at, self.at, None);
        loop {
            let length = *self.message.get(at)?;
            match length {
                0 => break,
                1..=63 => {
                    let label = self.message.get(at + 1..=at + usize::from(length))?;
                    if !name.is_empty() {
                        name.push(b'.');
                    }
                    name.extend_from_slice(label);
                    at += 1 + label.len();
                }
                0xc0.. => {
                    let low = *self.message.get(at + 1)?;
                    after.get_or_insert(at + 2);
                    at = usize::from(length & 0x3f) << 8 | usize::from(low);
                    if at >= lowest {
                        return None;
                    }
                    lowest = at;
                }
                _ => return None,
            }
            if name.len() > 255 {
                return None;
            }
        }
        self.at = after.unwrap_or(at + 1);
        Some(name)
    }

    /// The data of a record as text, where its type has one.
    fn value(&mut self, kind: u16, data: &[u8]) -> Option<Vec<u8>> {
        match kind {
            1 => <[u8; 4]>::try_from(data).ok().map(|bytes| IpAddr::from(bytes).to_string().into_bytes()),
            28 => <[u8; 16]>::try_from(data).ok().map(|bytes| IpAddr::from(bytes).to_string().into_bytes()),
            2 | 5 | 12 | 39 => self.name(),
            15 => self.numbers_and_name(1),
            33 => self.numbers_and_name(3),
            6 => {
                let (server, mailbox) = (self.name()?, self.name()?);
                Some([server, mailbox].join(&b' '))
            }
            16 => self.strings(),
            64 | 65 => self.service(),
            _ => None,
        }
    }

    /// MX (one number) and SRV (three).
    fn numbers_and_name(&mut self, numbers: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for _ in 0..numbers {
            text.extend_from_slice(format!("{} ", self.word()?).as_bytes());
        }
        text.extend(self.name()?);
        Some(text)
    }

    /// The strings of a TXT record, one a line.
    fn strings(&mut self) -> Option<Vec<u8>> {
        let mut strings = Vec::new();
        while self.at < self.message.len() {
            let length = usize::from(*self.take(1)?.first()?);
            strings.push(self.take(length)?);
        }
        Some(strings.join(&b'\n'))
    }

    /// SVCB and HTTPS (RFC 9460 section 2): priority, target, parameters.
    fn service(&mut self) -> Option<Vec<u8>> {
        let mut text = format!("{} ", self.word()?).into_bytes();
        let target = self.name()?;
        text.extend(if target.is_empty() { b".".to_vec() } else { target });
        while self.at < self.message.len() {
            let key = self.word()?;
            let length = usize::from(self.word()?);
            let value = self.take(length)?;
            text.push(b' ');
            text.extend(parameter(key, value));
        }
        Some(text)
    }
}

/// A parameter of SVCB as `key=value` (RFC 9460 section 14.3.2).
fn parameter(key: u16, value: &[u8]) -> Vec<u8> {
    let name = match key {
        0 => "mandatory",
        1 => "alpn",
        2 => "no-default-alpn",
        3 => "port",
        4 => "ipv4hint",
        5 => "ech",
        6 => "ipv6hint",
        7 => "dohpath",
        other => return [format!("key{other}=").as_bytes(), value].concat(),
    };
    let value = match key {
        1 => alpn_list(value),
        3 => value.try_into().map(|bytes| u16::from_be_bytes(bytes).to_string().into_bytes()).unwrap_or_default(),
        4 => addresses(value.as_chunks::<4>().0.iter().map(|bytes| IpAddr::from(*bytes))),
        6 => addresses(value.as_chunks::<16>().0.iter().map(|bytes| IpAddr::from(*bytes))),
        _ => value.to_vec(),
    };
    [name.as_bytes(), b"=", &value].concat()
}

fn alpn_list(mut value: &[u8]) -> Vec<u8> {
    let mut names = Vec::new();
    while let Some((length, rest)) = value.split_first() {
        let (name, after) = rest.split_at(usize::from(*length).min(rest.len()));
        names.push(name);
        value = after;
    }
    names.join(&b',')
}

fn addresses(list: impl Iterator<Item = IpAddr>) -> Vec<u8> {
    list.map(|address| address.to_string()).collect::<Vec<_>>().join(",").into_bytes()
}

/// IANA's names of the types in use.
pub(crate) fn type_name(kind: u16) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        39 => "DNAME",
        43 => "DS",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        50 => "NSEC3",
        52 => "TLSA",
        64 => "SVCB",
        65 => "HTTPS",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        other => return format!("TYPE{other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\x01\x03api\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10\
        \xc0\x2d\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07\
        \0\0\x29\x04\xd0\0\0\0\0\0\0";

    #[test]
    fn an_answer_over_an_alias() {
        let parsed = parse(ANSWER, &Limits::default()).unwrap();
        assert!(parsed.is_response() && !parsed.incomplete);
        assert_eq!(parsed.questions, [("A".to_owned(), b"api.example".to_vec())]);
        let fields: Vec<_> = parsed.resources.iter().map(|r| (r.kind.as_str(), r.value.as_slice())).collect();
        assert_eq!(fields, [("CNAME", &b"cdn.example"[..]), ("A", b"192.0.2.7")]);
        assert_eq!(parsed.addresses, [([192, 0, 2, 7].into(), b"api.example".to_vec())]);
        assert!(is_plain_exchange(ANSWER));
    }

    #[test]
    fn a_service_record_is_shown_with_its_parameters() {
        let answer = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x01x\0\0\x41\0\x01\0\0\0\x05\0\x11\
            \0\x01\0\0\x01\0\x06\x02h2\x02h3\0\x05\0\0";
        let parsed = parse(answer, &Limits::default()).unwrap();
        assert_eq!(parsed.resources[0].value, b"1 . alpn=h2,h3 ech=");
    }

    #[test]
    fn names_that_point_at_themselves_end() {
        for pointer in [b"\xc0\x0c", b"\xc0\x0e", b"\xff\xff"] {
            let message = [b"\0\0\0\0\0\x01\0\0\0\0\0\0".as_slice(), pointer, b"\0\x01\0\x01"].concat();
            assert_eq!(parse(&message, &Limits::default()), None);
        }
    }

    #[test]
    fn counts_near_their_largest_value_are_not_added_up() {
        let message = [b"\0\0\x81\x80\0\x01\xff\xff\xff\xff\xff\xff".as_slice(), &ANSWER[12..]].concat();
        assert!(!is_plain_exchange(&message));
        assert!(parse(&message, &Limits::default()).unwrap().incomplete);
    }

    proptest! {
        #[test]
        fn a_cut_answer_keeps_what_was_whole(length in 0..ANSWER.len()) {
            if let Some(parsed) = parse(&ANSWER[..length], &Limits::default()) {
                prop_assert!(parsed.incomplete);
                prop_assert!(parsed.questions.len() + parsed.resources.len() > 0);
            }
            prop_assert!(!is_plain_exchange(&ANSWER[..length]));
        }
    }
}
