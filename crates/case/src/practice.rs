//! What the product was seen to do with a datum: keep, copy or send it, to whom, how, and when.

use crate::{Channel, ChannelKind, DatumId, Flag, Record, Side, Sighting, SightingId, Strength, Time, Trail};
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
            Self::Attempted => "attempted",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Kept => "kept",
        }
    }

    /// What a record shows of the transfer of what `side` sent.
    pub fn of(record: &Record, side: Side) -> Self {
        let cut = record.flags.iter().any(|flag| matches!(flag, Flag::Incomplete));
        match (side, record.response.is_some()) {
            (Side::Request, true) => Self::Answered,
            (Side::Request, false) if cut => Self::Attempted,
            _ => Self::Sent,
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
    /// Places in messages where it was seen, as trails, at most [`Practice::SHOWN`].
    pub trails: BTreeSet<String>,
}

impl Practice {
    /// Sightings and trails kept for one practice.
    pub const SHOWN: usize = 8;

    /// A practice with nothing counted yet.
    pub fn new(key: PracticeKey) -> Self {
        Self { key, count: 0, first: None, last: None, shown: Vec::new(), trails: BTreeSet::new() }
    }

    /// Counts one sighting.
    pub fn add(&mut self, shown: Shown) {
        self.count += 1;
        self.first = [self.first, shown.time].into_iter().flatten().min();
        self.last = self.last.max(shown.time);
        let later = self.shown.last().is_some_and(|last| order(last) <= order(&shown));
        if self.shown.len() == Self::SHOWN && later {
            return;
        }
        self.trails.insert(shown.trail.clone());
        let at = self.shown.partition_point(|other| order(other) < order(&shown));
        self.shown.insert(at, shown);
        self.cut();
    }

    /// Adds what another count of the same practice found. The result does not depend on the order of merging.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.shown.extend(other.shown);
        self.shown.sort_by(|a, b| order(a).cmp(&order(b)));
        self.cut();
    }

    fn cut(&mut self) {
        self.shown.truncate(Self::SHOWN);
        self.trails = self.shown.iter().map(|shown| shown.trail.clone()).collect();
    }
}

fn order(shown: &Shown) -> (u64, &SightingId) {
    (shown.record, &shown.sighting)
}

/// Codecs that name a place in a message rather than change the value.
const PLAIN: [&str; 12] =
    ["json", "json-escape", "form", "percent", "cookie", "multipart", "xml", "html", "header", "query", "path", "text"];

impl Form {
    /// What became of the value of a sighting: from its strength, and from what was undone on the way.
    /// `is_cipher` says whether a codec's name stands for a cipher.
    pub fn of(sighting: &Sighting, is_cipher: impl Fn(&str) -> bool) -> Self {
        match sighting.strength {
            Strength::Digest => Self::Hashed,
            Strength::Derived => Self::Derived,
            Strength::Differential => Self::Differential,
            Strength::Exact => Self::of_trail(&sighting.trail, is_cipher),
        }
    }

    fn of_trail(trail: &Trail, is_cipher: impl Fn(&str) -> bool) -> Self {
        if trail.0.iter().any(|step| is_cipher(&step.codec)) {
            return Self::KnownKey;
        }
        let plain = trail.0.iter().all(|step| PLAIN.contains(&step.codec.as_str()));
        if plain { Self::Clear } else { Self::Encoded }
    }
}
