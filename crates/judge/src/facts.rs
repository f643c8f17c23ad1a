//! What the judge is given: everything that was seen, and everything that could not be.
//!
//! Nothing here is optional in spirit. Whoever fills this in must put in what could not be read,
//! what broke and what was dropped, because only that keeps an empty search from looking like proof.

use dyetrace_case::{DatumId, Form, JudgedRun, Kind, Practice, Protection, Recipient, Time};

/// Everything that is known of a case, folded. Indices of runs, segments and recipients in all
/// parts mean the same things as in [`Practice`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// The runs, in the order of the case.
    pub runs: &'a [RunFacts],
    /// Everyone who was talked to, also those who got nothing planted.
    pub recipients: &'a [Recipient],
    /// What the product was seen to do with planted values.
    pub practices: &'a [Practice],
    /// The planted values.
    pub data: &'a [DatumFacts],
    /// What was sent and received and could be read.
    pub traffic: &'a [TrafficFacts],
    /// What was sent and received and could not be read.
    pub opaque: &'a [OpaqueFacts],
    /// What broke while reading or searching.
    pub damages: &'a [DamageFacts],
    /// How well hidden values were found again in this evidence.
    pub spikes: &'a [SpikeFacts],
    /// Numbers that people or other tools measured.
    pub measured: &'a [Measured],
    /// Values that came back from where they should not have been.
    pub canaries: &'a [CanaryFacts],
}

/// One run and what can be said of its recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The run as reports show it: product, timeline, interventions, channels, first and last time.
    pub judged: JudgedRun,
    /// Data (names or kinds) that the product is known to have had during the whole run, other than by
    /// milestones and sightings: a device identifier, an account that existed before.
    pub held: Vec<String>,
    /// Paths of its exhibits.
    pub exhibits: Vec<String>,
    /// Records that were read and searched.
    pub records: u64,
    /// Stored files that were read, of snapshots that were collected after the last action.
    pub stored_files: u64,
    /// Packets that the recorder says it dropped; absent where it does not say.
    pub drops: Option<u64>,
    /// Where the product was sold or used: ISO 3166-1 codes or names as in claims (`CN`).
    pub region: Option<String>,
    /// Names and packages of the product's own apps. Where given, what another named app sent is not the product's.
    pub apps: Vec<String>,
    /// Requests that the tester made on purpose, to see whether the recording works.
    pub checks: Vec<RecordingCheck>,
}

/// A request that a recording must have if it works: a canary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingCheck {
    /// What was asked for: a host, and the beginning of a path.
    pub what: String,
    /// The recording has it, readable, at the time at which it was made.
    pub recorded: bool,
}

/// One planted value, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatumFacts {
    /// Its name.
    pub id: DatumId,
    /// What kind of value it is.
    pub kind: Kind,
    /// False when it belongs to a real person or device: then others than the product may hold it too.
    pub made_up: bool,
}

/// Traffic that was read, added up for one recipient and the segments of a run that it began and ended in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficFacts {
    /// Index of the run.
    pub run: usize,
    /// Index into the run's segments, of the first byte of the records.
    pub segment: usize,
    /// Segment of the last byte; 0 where it is not known.
    pub last_segment: usize,
    /// Index of the recipient.
    pub recipient: usize,
    /// Records.
    pub records: u64,
    /// Payload bytes that went to the recipient.
    pub sent: u64,
    /// Payload bytes that came from it.
    pub received: u64,
}

/// Traffic that could not be read, added up for one recipient, reason, and the segments that it began and ended in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueFacts {
    /// Index of the run.
    pub run: usize,
    /// Index into the run's segments, of the first byte. What has no time, or no known end, is in segment 0.
    pub segment: usize,
    /// Segment of the last byte: the bytes may lie in any from the first to this one. 0 where it is not known.
    pub last_segment: usize,
    /// Index of the recipient.
    pub recipient: usize,
    /// Bytes that went to the recipient; absent where it is only known that some did (a body that the
    /// recorder did not keep).
    pub sent: Option<u64>,
    /// Bytes that came from it.
    pub received: u64,
    /// Connections, messages or bodies.
    pub times: u64,
    /// Protection of the connection around them.
    pub protection: Protection,
    /// Why they could not be read, in words.
    pub reason: String,
    /// The recorder names an app that is certainly not the product's ([`RunFacts::apps`]).
    pub other_app: bool,
}

/// Something that broke: a reader, a decoder, a limit of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageFacts {
    /// Index of the run; absent where it concerns the whole case.
    pub run: Option<usize>,
    /// Index of the recipient; absent where nobody can tell whom it concerns.
    pub recipient: Option<usize>,
    /// Bytes lost; 0 where not known.
    pub bytes: u64,
    /// What happened, in words.
    pub reason: String,
}

/// How often the search found one hidden value again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeFacts {
    /// Index of the run in whose records it was hidden.
    pub run: usize,
    /// Whose value was hidden. That others are found says nothing of this one.
    pub datum: DatumId,
    /// What became of the value before it was hidden.
    pub form: Form,
    /// Times it was hidden.
    pub hidden: u64,
    /// Times it was found again.
    pub found: u64,
}

/// A number measured outside dyetrace, or by counting records.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What was measured: `unchanged-passwords`.
    pub name: String,
    /// The number.
    pub number: Number,
    /// How it was measured, in words.
    pub how: Option<String>,
    /// The file and line it comes from.
    pub place: String,
}

/// A measured number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// So many of so many that were drawn at random.
    Sample {
        /// Those that have the property.
        hits: u64,
        /// Those that were looked at.
        of: u64,
    },
    /// A number that lies between two others, both included; no `high` where only a lower bound is known.
    Interval {
        /// At least.
        low: f64,
        /// At most.
        high: Option<f64>,
    },
}

/// A planted value that came back: mail to an address made for one product, a number that was called,
/// a value in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryFacts {
    /// Which planted value.
    pub datum: DatumId,
    /// When it came back, where known.
    pub at: Option<Time>,
    /// Which kinds of claim it speaks against: `retention`, `purpose`, `server-side`.
    pub about: Vec<String>,
    /// What happened, in words.
    pub how: String,
}
