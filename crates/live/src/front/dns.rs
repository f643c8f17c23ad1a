//! What a client is not to learn from DNS while it is recorded.
//!
//! Answers of type HTTPS and SVCB (RFC 9460) offer HTTP/3 (`alpn` with `h3`), which runs over QUIC, and carry the
//! keys for Encrypted Client Hello (`ech`, RFC 9849), which hides the server's name. Both are taken out, so that the
//! client uses what can be read. Everything else stays; signatures of DNSSEC over such records no longer hold,
//! which stub resolvers do not check.

use std::collections::BTreeSet;
use std::net::SocketAddr;

/// Bytes of a message over UDP or TCP (RFC 1035 section 4.2.2).
pub(super) const MESSAGE: usize = 65_535;
/// Bytes of an answer that every client takes (RFC 1035 section 4.2.1).
const SHORT: usize = 512;
/// The bit of the third byte that says that an answer was cut (TC, RFC 1035 section 4.1.1).
const CUT: u8 = 2;
/// Bytes of a name (RFC 1035 section 2.3.4).
const NAME: usize = 255;
/// Pointers of one name; a name of 255 bytes has no more labels than that.
const JUMPS: usize = 128;
const SVCB: u16 = 64;
const HTTPS: u16 = 65;
/// Keys of service parameters (RFC 9460 section 14.3.2).
const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const ECH: u16 = 5;

/// A message without offers of HTTP/3 and without keys for Encrypted Client Hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// The message as the client gets it.
    pub message: Vec<u8>,
    /// Protocol names of HTTP/3 that were taken out.
    pub h3: usize,
    /// Values of `ech` that were taken out.
    pub ech: usize,
}

impl Stripped {
    /// What the journal says of it.
    pub(super) fn remark(&self) -> String {
        format!("dyetrace:dns taken out of the answer: {} h3, {} ech", self.h3, self.ech)
    }
}

/// What the journal says of a question.
pub(super) fn asked_of(resolver: SocketAddr) -> String {
    format!("dyetrace:dns asked of {resolver}")
}

/// Takes `h3` and `ech` out of an answer. `None` where there is neither, or where this is no DNS message.
pub fn strip(message: &[u8]) -> Option<Stripped> {
    let header = message.get(..12)?;
    let count = |at: usize| header.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let (questions, records) = (count(4)?, u32::from(count(6)?) + u32::from(count(8)?) + u32::from(count(10)?));
    let mut out = Stripped { message: header.to_vec(), h3: 0, ech: 0 };
    let mut at = 12;
    for _ in 0..questions {
        at = name(message, at, &mut out.message)?;
        at = copy(message, at, 4, &mut out.message)?;
    }
    let asked = out.message.len();
    for _ in 0..records {
        at = record(message, at, &mut out)?;
    }
    // What was signed as a whole is no longer authentic (AD, RFC 4035 section 3.2.3).
    if let Some(flags) = out.message.get_mut(3) {
        *flags &= !0x20;
    }
    if out.h3 + out.ech == 0 {
        return None;
    }
    // Names in full may make it longer than what the client said it takes, which the resolver kept to.
    if out.message.len() > message.len().max(SHORT) {
        cut(&mut out.message, asked);
    }
    (out.message.len() <= MESSAGE).then_some(out)
}

/// Leaves header and questions, and says so: the client asks again over TCP.
fn cut(message: &mut Vec<u8>, questions_end: usize) {
    message.truncate(questions_end);
    if let Some(flags) = message.get_mut(2) {
        *flags |= CUT;
    }
    if let Some(counts) = message.get_mut(6..12) {
        counts.fill(0);
    }
}

/// One record, written without compression: what is taken out would move the places that pointers name.
fn record(message: &[u8], at: usize, out: &mut Stripped) -> Option<usize> {
    let at = name(message, at, &mut out.message)?;
    let fixed = message.get(at..at.checked_add(10)?)?;
    let kind = u16::from_be_bytes([fixed[0], fixed[1]]);
    let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let start = at + 10;
    let end = start.checked_add(length).filter(|end| *end <= message.len())?;
    out.message.extend_from_slice(&fixed[..8]);
    let length_at = out.message.len();
    out.message.extend_from_slice(&[0, 0]);
    data(message, start, end, kind, out)?;
    let written = u16::try_from(out.message.len() - length_at - 2).ok()?;
    out.message.get_mut(length_at..length_at + 2)?.copy_from_slice(&written.to_be_bytes());
    // Names grow when they are written out; many of them must not fill the memory.
    (out.message.len() <= 2 * MESSAGE).then_some(end)
}

/// A record's data. Names are compressed in the types of RFC 1035 only (RFC 3597 section 4).
fn data(message: &[u8], start: usize, end: usize, kind: u16, out: &mut Stripped) -> Option<()> {
    let (before, names) = match kind {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR.
        2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 => (0, 1),
        // SOA, MINFO.
        6 | 14 => (0, 2),
        // MX.
        15 => (2, 1),
        SVCB | HTTPS => return service(message, start, end, out),
        _ => (0, 0),
    };
    let mut at = copy(message, start, before, &mut out.message)?;
    for _ in 0..names {
        at = name(message, at, &mut out.message)?;
    }
    copy(message, at, end.checked_sub(at)?, &mut out.message).map(|_| ())
}

/// A service binding: its parameters without those that are not to arrive.
fn service(message: &[u8], start: usize, end: usize, out: &mut Stripped) -> Option<()> {
    let at = copy(message, start, 2, &mut out.message)?;
    let at = name(message, at, &mut out.message)?;
    let params = parameters(message.get(at..end)?)?;
    let (mut kept, mut gone) = (Vec::new(), BTreeSet::new());
    for (key, value) in params {
        match key {
            ECH => {
                out.ech += 1;
                gone.insert(ECH);
            }
            ALPN => {
                let (value, taken) = without_h3(value)?;
                out.h3 += taken;
                if value.is_empty() {
                    // Without `alpn` there must be no `no-default-alpn` (RFC 9460 section 7.1.1).
                    gone.extend([ALPN, NO_DEFAULT_ALPN]);
                } else {
                    kept.push((ALPN, value));
                }
            }
            _ => kept.push((key, value.to_vec())),
        }
    }
    for (key, value) in kept {
        let value = if key == MANDATORY { without_keys(&value, &gone) } else { value };
        let is_empty_list = key == MANDATORY && value.is_empty();
        if !gone.contains(&key) && !is_empty_list {
            out.message.extend_from_slice(&key.to_be_bytes());
            out.message.extend_from_slice(&u16::try_from(value.len()).ok()?.to_be_bytes());
            out.message.extend_from_slice(&value);
        }
    }
    Some(())
}

/// Keys and values (RFC 9460 section 2.2).
fn parameters(mut rest: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(4)?;
        let (value, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes([head[2], head[3]])))?;
        found.push((u16::from_be_bytes([head[0], head[1]]), value));
        rest = tail;
    }
    Some(found)
}

/// The names of protocols that are not HTTP/3 (its drafts are `h3-29` and such), and how many were.
fn without_h3(mut rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut kept, mut taken) = (Vec::new(), 0);
    while let Some((length, tail)) = rest.split_first() {
        let (protocol, tail) = tail.split_at_checked(usize::from(*length))?;
        if protocol == b"h3" || protocol.starts_with(b"h3-") {
            taken += 1;
        } else {
            kept.push(*length);
            kept.extend_from_slice(protocol);
        }
        rest = tail;
    }
    Some((kept, taken))
}

fn without_keys(value: &[u8], gone: &BTreeSet<u16>) -> Vec<u8> {
    let is_kept = |pair: &&[u8]| !matches!(pair, [high, low] if gone.contains(&u16::from_be_bytes([*high, *low])));
    value.chunks(2).filter(is_kept).flatten().copied().collect()
}

/// Copies that many bytes; where they end.
fn copy(message: &[u8], at: usize, length: usize, out: &mut Vec<u8>) -> Option<usize> {
    let end = at.checked_add(length)?;
    out.extend_from_slice(message.get(at..end)?);
    Some(end)
}

/// Writes a name out; where it ends in the message.
fn name(message: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let (mut at, mut end, mut jumps) = (at, None, 0);
    let begun = out.len();
    loop {
        let length = usize::from(*message.get(at)?);
        match length >> 6 {
            0 => {
                at = copy(message, at, length + 1, out)?;
                if out.len() - begun > NAME {
                    return None;
                }
                if length == 0 {
                    return Some(end.unwrap_or(at));
                }
            }
            3 => {
                let low = usize::from(*message.get(at + 1)?);
                end = end.or(Some(at + 2));
                (at, jumps) = ((length & 0x3f) << 8 | low, jumps + 1);
                if jumps > JUMPS {
                    return None;
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parameters = Vec<(u16, Vec<u8>)>;

    fn alpn(names: &[&str]) -> Vec<u8> {
        names.iter().flat_map(|name| [&[name.len() as u8], name.as_bytes()].concat()).collect()
    }

    /// An answer with these parameters in an HTTPS record, before an A record whose name is a pointer to a name
    /// that is written in the data of the record before it.
    fn answer(params: &Parameters) -> Vec<u8> {
        let mut data = [&1_u16.to_be_bytes()[..], b"\x03svc\x00"].concat();
        for (key, value) in params {
            data.extend_from_slice(&key.to_be_bytes());
            data.extend_from_slice(&(value.len() as u16).to_be_bytes());
            data.extend_from_slice(value);
        }
        let mut message =
            b"\x12\x34\x81\xa0\x00\x01\x00\x02\x00\x00\x00\x00\x07example\x04test\x00\x00\x41\x00\x01".to_vec();
        message.extend_from_slice(b"\xc0\x0c\x00\x41\x00\x01\x00\x00\x01\x2c");
        message.extend_from_slice(&(data.len() as u16).to_be_bytes());
        let svc = (message.len() + 2) as u16;
        message.extend_from_slice(&data);
        message.extend_from_slice(&(0xc000 | svc).to_be_bytes());
        message.extend_from_slice(b"\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x01");
        message
    }

    /// The same, as it is to be written: names in full, and not authentic.
    fn written(params: &Parameters) -> Vec<u8> {
        let mut message = answer(params);
        message[3] &= !0x20;
        let name = b"\x07example\x04test\x00";
        message.splice(12 + name.len() + 4..12 + name.len() + 6, *name);
        let tail = message.len() - 16;
        message.splice(tail..tail + 2, *b"\x03svc\x00");
        message
    }

    #[test]
    fn http_3_and_encrypted_hello_are_taken_out_and_the_rest_stays() {
        let hints = (4, vec![192, 0, 2, 1]);
        let offered = vec![(1, alpn(&["h3", "h2", "h3-29"])), hints.clone(), (5, vec![7; 40])];
        let stripped = strip(&answer(&offered)).unwrap();
        assert_eq!((stripped.h3, stripped.ech), (2, 1));
        assert_eq!(stripped.message, written(&vec![(1, alpn(&["h2"])), hints]));
    }

    #[test]
    fn parameters_that_depend_on_what_is_gone_go_too() {
        let offered = vec![(0, vec![0, 1, 0, 5]), (1, alpn(&["h3"])), (2, vec![]), (3, vec![0x20, 0xfb]), (5, vec![1])];
        let stripped = strip(&answer(&offered)).unwrap();
        assert_eq!(stripped.message, written(&vec![(3, vec![0x20, 0xfb])]));
    }

    #[test]
    fn an_answer_without_either_is_left_as_it_is() {
        assert_eq!(strip(&answer(&vec![(1, alpn(&["h2", "http/1.1", "h3x"]))])), None);
    }

    #[test]
    fn an_answer_that_would_be_longer_than_the_client_takes_is_cut_as_resolvers_cut() {
        let mut message = answer(&vec![(1, alpn(&["h3"]))]);
        let before = message.len();
        // Names of the questions, in two bytes each.
        for _ in 0..40 {
            message.extend_from_slice(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x02\xc0\x0c");
        }
        message[7] = 42;
        assert!(message.len() > SHORT && strip(&message[..before]).is_none(), "fewer records than are announced");
        let stripped = strip(&message).unwrap();
        let question = b"\x12\x34\x83\x80\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x04test\x00\x00\x41\x00\x01";
        assert_eq!((stripped.h3, &stripped.message[..]), (1, &question[..]));
    }

    #[test]
    fn a_name_that_points_to_itself_is_no_name() {
        assert_eq!(strip(b"\0\0\x81\x80\0\x01\0\0\0\0\0\0\xc0\x0c\0\x41\0\x01"), None);
    }

    fn any_parameters() -> impl Strategy<Value = Parameters> {
        let protocols =
            proptest::collection::vec(prop_oneof!["h3", "h2", "http/1.1", "h3-[0-9]{2}", "[a-z]{1,9}"], 1..5);
        let others = proptest::collection::btree_map(6_u16..100, proptest::collection::vec(any::<u8>(), 0..20), 0..4);
        (protocols, proptest::option::of(proptest::collection::vec(any::<u8>(), 1..60)), others).prop_map(
            |(protocols, ech, others)| {
                let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
                let ech = ech.map(|value| (5, value));
                [(1, alpn(&protocols))].into_iter().chain(ech).chain(others).collect()
            },
        )
    }

    proptest! {
        #[test]
        fn nothing_but_http_3_and_encrypted_hello_is_taken_out(params in any_parameters()) {
            let is_h3 = |name: &[u8]| name == b"h3" || name.starts_with(b"h3-");
            let mut expected = Parameters::new();
            let mut changed = false;
            for (key, value) in &params {
                let mut rest: &[u8] = value;
                let mut kept = Vec::new();
                while let (1, Some((length, tail))) = (*key, rest.split_first()) {
                    let (name, tail) = tail.split_at(usize::from(*length));
                    if is_h3(name) { changed = true } else { kept.extend([&[*length], name].concat()) }
                    rest = tail;
                }
                match key {
                    5 => changed = true,
                    1 if kept.is_empty() => {}
                    1 => expected.push((1, kept)),
                    _ => expected.push((*key, value.clone())),
                }
            }
            let stripped = strip(&answer(&params));
            prop_assert_eq!(stripped.is_some(), changed);
            if let Some(stripped) = stripped {
                prop_assert_eq!(&stripped.message, &written(&expected));
                prop_assert_eq!(strip(&stripped.message), None, "nothing is left to take out");
            }
        }

        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..400, byte: u8) {
            let _ = strip(&bytes);
            let mut near = answer(&vec![(1, alpn(&["h3", "h2"])), (5, bytes.split_off(bytes.len() / 2))]);
            if let Some(hit) = near.get_mut(at) { *hit = byte }
            if let Some(stripped) = strip(&near) {
                prop_assert!(stripped.message.len() <= MESSAGE);
                prop_assert_eq!(strip(&stripped.message), None);
            }
        }
    }
}
