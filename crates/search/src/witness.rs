//! Second witnesses: what makes a sighting of few bits more than a hint.
//!
//! A phone number has some thirty bits, and a record has enough bytes to eat half of them. But a
//! number of the same eleven digits that stands in a field called `phone`, or in the same message
//! as the planted e-mail address, is no accident of bytes.

use dyetrace_case::{DatumId, Kind, PartName, Sighting, Witness};
use std::collections::{BTreeMap, HashMap};

/// Bits that a sighting must have left before the name of its field counts.
const LEAST: f64 = 10.0;

/// Kinds, and what fields that hold them are called in the wild, in lower case without punctuation.
const FIELD_NAMES: &[(&str, &[&str])] = &[
    ("phone", &["phone", "mobile", "tel", "msisdn", "cell", "shouji"]),
    ("email", &["mail"]),
    ("wifi.ssid", &["ssid", "wifi", "wlan", "network"]),
    ("wifi.password", &["pass", "pwd", "psk", "wifikey", "secret"]),
    ("password", &["pass", "pwd", "pin", "secret"]),
    ("pin", &["pin", "code", "pass", "pwd"]),
    ("mac", &["mac", "bssid", "hwaddr"]),
    ("imei", &["imei", "meid", "deviceid"]),
    ("id.cn", &["idcard", "idno", "idnumber", "identity", "certno", "sfz"]),
    ("gps", &["lat", "lon", "lng", "gps", "loc", "coord", "geo"]),
    ("card", &["card", "pan"]),
    ("name", &["name", "user", "nick"]),
    ("qq", &["qq", "uin"]),
    ("advertising-id", &["gaid", "adid", "idfa", "oaid", "advertis"]),
    ("android.id", &["androidid", "aid", "deviceid"]),
];

/// Sets the witness of every sighting of one record that has too few bits of its own.
pub(crate) fn call(sightings: &mut [Sighting], subject: &HashMap<DatumId, Kind>) {
    if !sightings.iter().any(Sighting::is_hint) {
        return;
    }
    let strongest = strongest(sightings);
    let witness = |sighting: &Sighting| {
        let kind = || subject.get(&sighting.datum);
        beside(sighting, &strongest, sightings).or_else(|| field_name(sighting, kind()?))
    };
    let witnesses: Vec<Option<Witness>> =
        sightings.iter().map(|sighting| sighting.is_hint().then(|| witness(sighting)).flatten()).collect();
    for (sighting, witness) in sightings.iter_mut().zip(witnesses) {
        sighting.witness = witness;
    }
}

/// The sighting with most bits of each datum, by its place in the list.
fn strongest(sightings: &[Sighting]) -> BTreeMap<&DatumId, usize> {
    let mut strongest: BTreeMap<&DatumId, usize> = BTreeMap::new();
    for (index, sighting) in sightings.iter().enumerate() {
        let best = strongest.entry(&sighting.datum).or_insert(index);
        if sighting.bits > sightings[*best].bits {
            *best = index;
        }
    }
    strongest
}

/// Other planted values that stand elsewhere in the record: minted independently, so bits add up.
fn beside(sighting: &Sighting, strongest: &BTreeMap<&DatumId, usize>, sightings: &[Sighting]) -> Option<Witness> {
    let others = strongest.values().map(|index| &sightings[*index]);
    let apart = |other: &&Sighting| {
        let same_part = other.place.part == sighting.place.part;
        other.datum != sighting.datum && !(same_part && same_bytes(sighting, other))
    };
    let others: Vec<&Sighting> = others.filter(apart).collect();
    let together = sighting.bits + others.iter().map(|other| other.bits).sum::<f64>();
    let best = others.into_iter().max_by(|a, b| a.bits.total_cmp(&b.bits))?;
    (together >= Sighting::SOLID).then(|| Witness::Beside(best.datum.clone()))
}

/// True where two sightings are of the same bytes: a name inside an e-mail address proves nothing
/// more. Behind compression every range is the whole stream; there the field and the decoded bytes tell.
fn same_bytes(one: &Sighting, other: &Sighting) -> bool {
    let fields = |sighting: &Sighting| -> Vec<Option<String>> {
        sighting.trail.0.iter().map(|step| step.detail.clone()).collect()
    };
    one.place.range.overlaps(other.place.range)
        && fields(one) == fields(other)
        && one.place.decoded.overlaps(other.place.decoded)
}

/// The name of the field that holds the value, where it says what kind of value it is.
fn field_name(sighting: &Sighting, kind: &Kind) -> Option<Witness> {
    if sighting.bits < LEAST {
        return None;
    }
    let header = match &sighting.place.part {
        PartName::Header { name, .. } | PartName::Stored { name, .. } => Some(name.as_str()),
        _ => None,
    };
    let steps = sighting.trail.0.iter().rev().filter_map(|step| step.detail.as_deref());
    let name = steps.chain(header).find(|name| name.chars().any(char::is_alphabetic))?;
    let last = name.rsplit('/').find(|segment| segment.chars().any(char::is_alphabetic))?;
    let plain: String = last.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    names_of(kind).any(|word| plain.contains(word)).then(|| Witness::FieldName(last.to_owned()))
}

/// Words for a kind: those of the table for it, for what it begins with and ends in, and its own last part.
fn names_of(kind: &Kind) -> impl Iterator<Item = &str> {
    let text = kind.as_str();
    let last = text.rsplit('.').next().unwrap_or(text);
    let first = text.split('.').next().unwrap_or(text);
    let exact = FIELD_NAMES.iter().find(|(name, _)| *name == text);
    let near = FIELD_NAMES.iter().find(|(name, _)| *name == last || *name == first);
    let words = exact.or(near).map_or(&[][..], |(_, words)| words);
    words.iter().copied().chain(std::iter::once(last).filter(|last| last.len() > 2))
}

#[cfg(test)]
mod tests {
    use crate::{Options, Scanner, Scratch};
    use dyetrace_case::{Blob, Message, Record, Secret, Sighting, Subject, Witness};

    fn search(data: &[(&str, &str)], body: &str) -> Vec<Sighting> {
        let mut subject = Subject::default();
        for (kind, value) in data {
            subject.add(kind.parse().unwrap(), Secret::new(*value));
        }
        let request = Message { body: Some(Blob::from(body.as_bytes().to_vec())), ..Message::default() };
        let record = Record::of_request(request);
        Scanner::new(&subject, Options::default()).search(&record, &mut Scratch::default()).sightings
    }

    #[test]
    fn a_phone_number_in_a_field_named_after_it_is_no_hint() {
        let found = search(&[("phone", "13800000427")], r#"{"user":{"Mobile_No":"13800000427"}}"#);
        assert_eq!(found[0].witness, Some(Witness::FieldName("Mobile_No".to_owned())));
        assert!(!found[0].is_hint());
    }

    #[test]
    fn a_phone_number_alone_among_other_digits_stays_a_hint() {
        let found = search(&[("phone", "13800000427")], r#"{"seq":"13800000427"}"#);
        assert!(found[0].is_hint(), "{found:?}");
    }

    #[test]
    fn two_planted_values_in_one_message_bear_each_other_out() {
        let data = [("phone", "13800000427"), ("imei", "490154203237518")];
        let found = search(&data, r#"{"a":"13800000427","b":"490154203237518"}"#);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|sighting| !sighting.is_hint()), "{found:?}");
    }

    #[test]
    fn the_same_bytes_are_not_their_own_witness() {
        let data = [("x.a", "8000042"), ("x.b", "80000427")];
        let found = search(&data, r#"{"q":"80000427"}"#);
        assert!(found.iter().all(Sighting::is_hint), "{found:?}");
    }
}
