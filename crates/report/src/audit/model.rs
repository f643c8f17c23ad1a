//! The audit as data: what the command found, before it is written in any form.

use super::chance::Chance;
use super::differential::Compared;
use super::pictures::Pictures;
use super::unplanted::{Tally, Unplanted};
use dyetrace_case::{
    App, Channel, Damage, DatumId, Endpoint, Exhibit, Kind, Message, Opaque, Protocol, Record, RecordId, Side,
    Sighting, SightingId, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Everything an audit found. Texts that come from the evidence were redacted by whoever filled
/// this in, unless the user asked to see values.
#[derive(Debug, Default)]
pub struct Audit {
    /// Which program wrote this.
    pub tool: Tool,
    /// The case, where the input was one.
    pub case: Option<CaseInfo>,
    /// The exhibits in the order they were read.
    pub exhibits: Vec<ExhibitRow>,
    /// Keys at hand and how many were of use.
    pub keys: KeyRow,
    /// The planted values, in the subject's order.
    pub subject: Vec<DatumRow>,
    /// What was seen, in the order of the evidence.
    pub sightings: Vec<SightingRow>,
    /// Fields that follow a planted value from run to run; absent where no runs were compared.
    pub differential: Option<Compared>,
    /// What decoys say of chance.
    pub chance: Chance,
    /// Personal data that nobody planted; absent where it was not looked for.
    pub unplanted: Option<Unplanted>,
    /// What pictures tell beside what they show.
    pub pictures: Pictures,
    /// Who was talked to, in order of name and address.
    pub recipients: Vec<Recipient>,
    /// What could not be read, in the order of the evidence.
    pub opaque: Vec<Opaque>,
    /// What was broken, in the order of the evidence.
    pub damages: Vec<Damage>,
    /// Limits of search that were reached, in words, each once.
    pub limits: Vec<String>,
    /// Notes about the search, in words: values too short to search for everywhere, and the like.
    pub notes: Vec<String>,
}

/// Name and version of the program.
#[derive(Debug, Clone, Default)]
pub struct Tool {
    /// `dyetrace`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What a report repeats of `case.yaml`.
#[derive(Debug, Clone)]
pub struct CaseInfo {
    /// The folder as the user gave it.
    pub path: String,
    /// Title.
    pub title: String,
    /// Question.
    pub question: Option<String>,
}

/// Does an exhibit still have the digest its manifest lists?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixity {
    /// It does.
    Matches,
    /// It does not: the exhibit was changed after it was collected.
    Differs,
    /// The manifest does not list it, or there is none.
    NotListed,
}

impl Fixity {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Differs => "differs",
            Self::NotListed => "not-listed",
        }
    }
}

/// One exhibit and how much of it was read.
#[derive(Debug, Clone)]
pub struct ExhibitRow {
    /// The exhibit.
    pub exhibit: Exhibit,
    /// Its digest against the manifest.
    pub fixity: Fixity,
    /// The product the run names, `vendor name version`.
    pub product: Option<String>,
    /// Packets, or archive entries.
    pub packets: u64,
    /// Records read.
    pub records: u64,
    /// Payload bytes of the transport, each counted once.
    pub payload: u64,
    /// Payload bytes reported as opaque.
    pub opaque: u64,
    /// Payload bytes reported as damage.
    pub lost: u64,
    /// TLS connections with a handshake.
    pub tls_connections: u64,
    /// Those whose keys were found.
    pub tls_keyed: u64,
}

/// One file that keys were read from.
#[derive(Debug, Clone)]
pub struct KeyFile {
    /// The path, or `inside` and the exhibit's path.
    pub path: String,
    /// Secrets it gave.
    pub secrets: usize,
    /// Lines skipped because they are not of a known form.
    pub skipped: usize,
}

/// Keys at hand.
#[derive(Debug, Clone, Default)]
pub struct KeyRow {
    /// Where they came from.
    pub files: Vec<KeyFile>,
    /// Secrets in all, each once.
    pub secrets: usize,
    /// Connections of the evidence that a secret belongs to.
    pub matched: u64,
}

/// One planted value and how often it was seen.
#[derive(Debug, Clone)]
pub struct DatumRow {
    /// Its name.
    pub id: DatumId,
    /// Its kind.
    pub kind: Kind,
    /// The masked value, or the value itself where the user asked for it.
    pub shown: String,
    /// Sightings in what was sent, hints left out.
    pub sent: usize,
    /// Sightings in what was received, hints left out.
    pub received: usize,
    /// Sightings in stored files, hints left out.
    pub kept: usize,
    /// Sightings in what the recording's own guard stopped, hints left out.
    pub held_back: usize,
    /// Sightings under 40 bits.
    pub hints: usize,
}

/// What a report says about the record of a sighting.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Name within the exhibit.
    pub id: RecordId,
    /// What it was parsed as.
    pub protocol: Protocol,
    /// Time of its first byte.
    pub time: Option<Time>,
    /// Who opened the connection.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// Protection in transit.
    pub channel: Channel,
    /// The app, where known.
    pub app: Option<Arc<App>>,
    /// The request's method.
    pub method: Option<String>,
    /// The request's URL or target, redacted; without a request, the URL that the answer is known
    /// to be about.
    pub url: Option<String>,
}

impl Summary {
    /// Summarises a record; `redact` is applied to every text that the sender chose.
    pub fn of(record: &Record, redact: &dyn Fn(&str) -> String) -> Self {
        let request = record.request.as_ref();
        let target = || request.and_then(|r| r.target.as_ref()).map(|t| String::from_utf8_lossy(t).into_owned());
        let answered = || record.response.as_ref().and_then(|response| response.url.clone());
        let url = request.and_then(|r| r.url.clone()).or_else(target).or_else(answered);
        let (mut client, mut server) = (record.client.clone(), record.server.clone());
        let (mut channel, mut app) = (record.channel.clone(), record.app.clone());
        redact_recorded([&mut client, &mut server], Some(&mut channel), Some(&mut app), redact);
        Self {
            id: record.id.clone(),
            protocol: record.protocol,
            time: record.time,
            client,
            server,
            channel,
            app,
            method: request.and_then(|r| r.method.as_deref()).map(redact),
            url: url.as_deref().map(redact),
        }
    }
}

/// Applies `redact` to the texts that a recording holds about a connection: names, and in archives
/// also version, suite and app, which any program may have written.
pub fn redact_recorded<'e>(
    endpoints: impl IntoIterator<Item = &'e mut Endpoint>,
    channel: Option<&mut Channel>,
    app: Option<&mut Option<Arc<App>>>,
    redact: &dyn Fn(&str) -> String,
) {
    let names = endpoints.into_iter().filter_map(|endpoint| endpoint.name.as_mut()).map(|(name, _)| name);
    let channel = channel.into_iter().flat_map(|channel| [&mut channel.version, &mut channel.suite]).flatten();
    let app = app.into_iter().flatten().map(Arc::make_mut);
    let app = app.flat_map(|app| [&mut app.name, &mut app.package]).flatten();
    names.chain(channel).chain(app).for_each(|text| *text = redact(text));
}

/// One sighting with what a reader needs to know about its record.
#[derive(Debug, Clone)]
pub struct SightingRow {
    /// Its id, made before anything was redacted.
    pub id: SightingId,
    /// The sighting, with a redacted trail.
    pub sighting: Sighting,
    /// Who sent the part it was seen in.
    pub side: Side,
    /// Whether the recording's own guard kept it from going on.
    pub is_held_back: bool,
    /// Index into [`Audit::exhibits`].
    pub exhibit: usize,
    /// The record.
    pub record: Arc<Summary>,
}

/// What makes two records go to the same recipient: name or address, port, protection, protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecipientKey {
    /// Host name, where known.
    pub name: Option<String>,
    /// Address, where known and no name is.
    pub address: Option<IpAddr>,
    /// Port.
    pub port: Option<u16>,
    /// Protocol.
    pub protocol: Protocol,
    /// Kind and version of the channel: `TLS 1.3`, `clear`.
    pub protection: String,
}

impl RecipientKey {
    /// The recipient of a record, under a name and a protection that may have been redacted.
    pub fn new(record: &Record, name: Option<String>, redact: &mut dyn FnMut(&str) -> String) -> Self {
        Self {
            address: record.server.address.filter(|_| name.is_none()),
            name,
            port: record.server.port,
            protocol: record.protocol,
            protection: redact(&protection(&record.channel)),
        }
    }
}

/// `TLS 1.3`, `clear`, `unknown`.
pub(crate) fn protection(channel: &Channel) -> String {
    channel.version.clone().unwrap_or_else(|| channel.kind.name().to_owned())
}

/// One recipient and what went there.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Who.
    pub key: RecipientKey,
    /// Addresses seen for a named recipient, and the address of an unnamed one.
    pub addresses: BTreeSet<IpAddr>,
    /// Records.
    pub records: u64,
    /// Content and field bytes sent there.
    pub sent: u64,
    /// Content and field bytes received from there.
    pub received: u64,
    /// Planted values sent there, hints left out.
    pub data: BTreeSet<DatumId>,
    /// Personal data that nobody planted, by kind.
    pub unplanted: BTreeMap<&'static str, Tally>,
}

impl Recipient {
    /// A recipient that nothing was counted for yet.
    pub fn new(key: RecipientKey) -> Self {
        let (addresses, data, unplanted) = Default::default();
        Self { key, addresses, records: 0, sent: 0, received: 0, data, unplanted }
    }

    /// Counts one record that went there.
    pub fn add(&mut self, record: &Record) {
        let bytes = |message: &Option<Message>| message.as_ref().map_or(0, Message::content_bytes);
        self.records += 1;
        self.sent += bytes(&record.request);
        self.received += bytes(&record.response);
        if let Some(address) = record.server.address.filter(|_| self.addresses.len() < MOST_ADDRESSES) {
            self.addresses.insert(address);
        }
    }

    /// Adds what another count of the same recipient found.
    pub fn merge(&mut self, other: Self) {
        self.addresses.extend(other.addresses);
        self.records += other.records;
        self.sent += other.sent;
        self.received += other.received;
        self.data.extend(other.data);
        for (kind, tally) in other.unplanted {
            self.unplanted.entry(kind).or_default().add(tally);
        }
    }
}

/// Addresses kept for one recipient.
const MOST_ADDRESSES: usize = 64;

impl Audit {
    /// Payload, opaque and lost bytes over all exhibits.
    pub fn totals(&self) -> (u64, u64, u64) {
        self.exhibits.iter().fold((0, 0, 0), |sum, row| (sum.0 + row.payload, sum.1 + row.opaque, sum.2 + row.lost))
    }

    /// Records over all exhibits.
    pub fn records(&self) -> u64 {
        self.exhibits.iter().map(|row| row.records).sum()
    }
}
