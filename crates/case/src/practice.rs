//! What the product was seen to do with a datum: keep, copy or send it, to whom, how, and when.

use crate::{
    Channel, ChannelKind, DatumId, Flag, GuardDeed, Protocol, Record, Side, Sighting, SightingId, Strength, Time, Trail,
};
use std::collections::BTreeSet;

/// What became of the value before it was wrapped (the `forms` of a claim).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Readable once the message is parsed.
    Clear,
    /// Behind a wrapping that anyone can undo: base64, compression, reversal.
    Encoded,
    /// Behind a cipher whose key the tester has.
    KnownKey,
    /// A digest of it.
    Hashed,
    /// A part or mask of it.
    Derived,
    /// A field that follows it from run to run.
    Differential,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 6] =
        [Self::Clear, Self::Encoded, Self::KnownKey, Self::Hashed, Self::Derived, Self::Differential];

    /// The name used in claims and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Encoded => "encoded",
            Self::KnownKey => "known-key",
            Self::Hashed => "hashed",
            Self::Derived => "derived",
            Self::Differential => "differential",
        }
    }
}

/// How far a transfer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transfer {
    /// The client sent it, and the recorder's own guard stopped it or took it out. The beginning of a long message may
    /// have left.
    HeldBack,
    /// Only part of the message was seen to leave.
    Attempted,
    /// The whole message left; nobody was seen to answer.
    Sent,
    /// The other side answered.
    Answered,
    /// Nothing was transferred: it was found in a stored file or a dump.
    Kept,
}

impl Transfer {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeldBack => "held-back",
            Self::Attempted => "attempted",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Kept => "kept",
        }
    }

    /// What a record shows of the transfer of a datum that `side` sent.
    pub fn of(record: &Record, side: Side, datum: &DatumId) -> Self {
        if record.protocol == Protocol::File {
            return Self::Kept;
        }
        if let Some(guarded) = Self::guarded(record, datum).filter(|_| side == Side::Request) {
            return guarded;
        }
        let cut = record.flags.iter().any(|flag| matches!(flag, Flag::Incomplete));
        match (side, record.response.is_some()) {
            (Side::Request, true) => Self::Answered,
            (Side::Request, false) if cut => Self::Attempted,
            _ => Self::Sent,
        }
    }

    /// What a guard made of it, where one did.
    fn guarded(record: &Record, datum: &DatumId) -> Option<Self> {
        let deeds =
            || record.flags.iter().filter_map(|flag| if let Flag::Guarded(deed) = flag { Some(deed) } else { None });
        let is_withheld = deeds().any(|deed| matches!(deed, GuardDeed::Withheld(of) if of == datum));
        let is_through = deeds().any(|deed| matches!(deed, GuardDeed::LetThrough(of) if of == datum));
        let is_stopped = deeds().any(|deed| *deed == GuardDeed::Stopped);
        match () {
            () if is_withheld || is_stopped && !is_through => Some(Self::HeldBack),
            // An answer to it is the guard's.
            () if is_stopped => Some(Self::Sent),
            () => None,
        }
    }
}

/// Protection of a value on its way, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Whoever saw the bytes could read them.
    None,
    /// The evidence does not say: an archive that does not tell, bytes that were not read.
    Unknown,
    /// TLS, DTLS or QUIC up to the endpoint.
    Transport,
    /// A cipher around the value itself whose key the tester has, on a clear connection.
    Payload,
    /// A cipher around the value itself, inside a protected connection.
    PayloadAndTransport,
}

impl Protection {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Unknown => "unknown",
            Self::Transport => "transport",
            Self::Payload => "payload",
            Self::PayloadAndTransport => "payload-and-transport",
        }
    }

    /// From the channel and what was undone on the way to the value.
    pub fn of(channel: &Channel, form: Form) -> Self {
        let transport = matches!(channel.kind, ChannelKind::Tls | ChannelKind::Quic | ChannelKind::Dtls);
        match (transport, form == Form::KnownKey) {
            (true, true) => Self::PayloadAndTransport,
            (true, false) => Self::Transport,
            (false, true) => Self::Payload,
            (false, false) if channel.kind == ChannelKind::Clear => Self::None,
            (false, false) => Self::Unknown,
        }
    }
}

/// What a sighting says, less where exactly it is: sightings with equal keys are one practice.
/// Because the segment is part of it, nothing is folded before its timing was judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PracticeKey {
    /// Index of the run.
    pub run: usize,
    /// Index into the run's [`crate::Timeline::segments`].
    pub segment: usize,
    /// Which planted value.
    pub datum: DatumId,
    /// Index into the judged case's recipients.
    pub recipient: usize,
    /// Who sent it: only what the client sends reaches the recipient.
    pub side: Side,
    /// What became of the value.
    pub form: Form,
    /// How it was protected.
    pub protection: Protection,
    /// `TLS 1.3`, `clear`.
    pub channel: String,
    /// How far it came.
    pub transfer: Transfer,
    /// True where chance alone could explain it; such a practice contradicts nothing.
    pub hint: bool,
    /// The app that sent it, where the recorder named it.
    pub app: Option<String>,
}

/// One sighting that shows a practice.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Number of the record in the order of the evidence.
    pub record: u64,
    /// The sighting.
    pub sighting: SightingId,
    /// Time of the record.
    pub time: Option<Time>,
    /// Bits of evidence against chance.
    pub bits: f64,
    /// The wrappings, redacted: `gzip > json /user`.
    pub trail: String,
}

/// Something the product was seen to do, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Practice {
    /// What.
    pub key: PracticeKey,
    /// Sightings.
    pub count: u64,
    /// Time of the first of them.
    pub first: Option<Time>,
    /// Time of the last of them.
    pub last: Option<Time>,
    /// The first of them in the order of the evidence, at most [`Practice::SHOWN`].
    pub shown: Vec<Shown>,
}

impl Practice {
    /// Sightings kept for one practice.
    pub const SHOWN: usize = 8;

    /// A practice with nothing counted yet.
    pub fn new(key: PracticeKey) -> Self {
        Self { key, count: 0, first: None, last: None, shown: Vec::new() }
    }

    /// Counts one sighting of a record. What is shown of it is only made where it is kept.
    pub fn add_with(&mut self, record: u64, time: Option<Time>, shown: impl FnOnce() -> Shown) {
        self.count += 1;
        self.first = [self.first, time].into_iter().flatten().min();
        self.last = self.last.max(time);
        if self.shown.len() == Self::SHOWN && self.shown.last().is_some_and(|last| last.record < record) {
            return;
        }
        let shown = shown();
        let at = self.shown.partition_point(|other| order(other) < order(&shown));
        self.shown.insert(at, shown);
        self.shown.truncate(Self::SHOWN);
    }

    /// Counts one sighting.
    pub fn add(&mut self, shown: Shown) {
        let (record, time) = (shown.record, shown.time);
        self.add_with(record, time, move || shown);
    }

    /// The ways to the value, of the sightings that are shown.
    pub fn trails(&self) -> BTreeSet<&str> {
        self.shown.iter().map(|shown| shown.trail.as_str()).collect()
    }

    /// Adds what another count of the same practice found. The result does not depend on the order of merging.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.shown.extend(other.shown);
        self.shown.sort_by(|a, b| order(a).cmp(&order(b)));
        self.shown.truncate(Self::SHOWN);
    }
}

fn order(shown: &Shown) -> (u64, &SightingId) {
    (shown.record, &shown.sighting)
}

/// Codecs that say where in a message a value stands, or in which characters it is written. Whoever parses the message
/// reads the value; `docs/wrappings.md` lists every codec.
const PLAIN: [&str; 28] = [
    "bson",
    "cbor",
    "character codes",
    "cookie",
    "entity",
    "escape",
    "form",
    "fragment",
    "grpc",
    "json",
    "jwt",
    "msgpack",
    "multipart",
    "path",
    "percent",
    "plist",
    "protobuf",
    "query",
    "quoted-printable",
    "split",
    "thrift",
    "utf-16be",
    "utf-16le",
    "utf-32be",
    "utf-32le",
    "utf-7",
    "xml",
    "text",
];

/// How the names of ciphers begin in trails. A XOR is obfuscation, not a cipher.
const CIPHERS: [&str; 6] = ["aes-", "des-", "3des-", "sm4-", "rc4", "rsa"];

impl Form {
    /// What became of the value of a sighting: from its strength, and from what was undone on the way.
    pub fn of(sighting: &Sighting) -> Self {
        match sighting.strength {
            Strength::Digest => Self::Hashed,
            Strength::Derived => Self::Derived,
            Strength::Differential => Self::Differential,
            Strength::Exact => Self::of_trail(&sighting.trail),
        }
    }

    fn of_trail(trail: &Trail) -> Self {
        let cipher = |codec: &str| CIPHERS.iter().any(|start| codec.starts_with(start));
        if trail.0.iter().any(|step| cipher(&step.codec)) {
            return Self::KnownKey;
        }
        let plain = trail.0.iter().all(|step| PLAIN.contains(&step.codec.as_str()));
        if plain { Self::Clear } else { Self::Encoded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Range, Step};
    use proptest::prelude::*;

    fn form(codecs: &[&str]) -> Form {
        let step = |codec: &&str| Step { codec: (*codec).to_owned(), detail: None, encoded: Range::new(0, 1) };
        Form::of_trail(&Trail(codecs.iter().map(step).collect()))
    }

    #[test]
    fn a_parsed_message_is_clear_a_wrapping_encoded_and_a_cipher_known() {
        assert_eq!(form(&[]), Form::Clear);
        assert_eq!(form(&["json", "escape"]), Form::Clear);
        assert_eq!(form(&["gzip", "json"]), Form::Encoded);
        assert_eq!(form(&["json", "base64"]), Form::Encoded);
        assert_eq!(form(&["json", "base64", "aes-128-cbc"]), Form::KnownKey);
        assert_eq!(form(&["xor"]), Form::Encoded);
    }

    #[test]
    fn a_cipher_protects_on_a_clear_connection_and_base64_does_not() {
        let clear = Channel::clear();
        let tls = Channel { kind: ChannelKind::Tls, ..clear.clone() };
        assert_eq!(Protection::of(&clear, Form::Encoded), Protection::None);
        assert_eq!(Protection::of(&clear, Form::KnownKey), Protection::Payload);
        assert_eq!(Protection::of(&tls, Form::Clear), Protection::Transport);
        assert_eq!(Protection::of(&Channel::unknown(), Form::Clear), Protection::Unknown);
    }

    fn key() -> PracticeKey {
        PracticeKey {
            run: 0,
            segment: 1,
            datum: DatumId("phone".to_owned()),
            recipient: 0,
            side: Side::Request,
            form: Form::Clear,
            protection: Protection::None,
            channel: "clear".to_owned(),
            transfer: Transfer::Sent,
            hint: false,
            app: None,
        }
    }

    fn shown(record: u64) -> Shown {
        let (sighting, trail) = (SightingId(format!("{record:016x}")), format!("json /{record}"));
        Shown { record, sighting, time: Some(Time(record as i64)), bits: 50.0, trail }
    }

    proptest! {
        #[test]
        fn a_practice_is_the_same_whatever_the_order_and_the_threads(
            mut records in proptest::collection::vec(0u64..40, 0..40),
            cut in 0usize..40,
        ) {
            let count = |records: &[u64]| {
                let mut practice = Practice::new(key());
                for record in records {
                    practice.add(shown(*record));
                }
                practice
            };
            let (left, right) = records.split_at(cut.min(records.len()));
            let mut merged = count(right);
            merged.merge(count(left));
            records.sort_unstable();
            prop_assert_eq!(merged, count(&records));
        }
    }
}
