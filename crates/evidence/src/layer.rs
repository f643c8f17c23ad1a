//! The seam between the layers of a connection: bytes in order go up, items come out.
//!
//! TCP reassembly (or a TLS session, or an HTTP CONNECT tunnel) pushes the bytes of one connection
//! into a [`Layer`]; the layer emits records through [`Out`]. Each protocol is one file with one
//! type that implements it.

use crate::capture::Remarks;
use crate::dns::Names;
use crate::snapshot::Stores;
use dyetrace_case::{
    App, BlobWriterLimits, Channel, Damage, Endpoint, ExhibitId, Flag, Item, Opaque, Protocol, Record, RecordId, Side,
    Sink, Stop, Time, Transport,
};
use std::sync::Arc;

/// Limits on what hostile input may make us hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bodies: what stays in memory, and where they are cut.
    pub body: BlobWriterLimits,
    /// Decoded bodies: as for bodies, so that a small gzip bomb ends here.
    pub decoded: BlobWriterLimits,
    /// Decoded bytes per encoded byte, above `inflate_free`.
    pub inflate_ratio: u64,
    /// Decoded bytes of one body that need no ratio: a short message may be one byte repeated.
    pub inflate_free: u64,
    /// Bytes of one message head (start line and fields), or of one HPACK field list.
    pub head: usize,
    /// Fields in one message.
    pub fields: usize,
    /// Exchanges of one connection that wait for their end at the same time.
    pub open_exchanges: usize,
    /// Nested layers (TLS in TLS, CONNECT in CONNECT) and tunnels (GRE in VXLAN …).
    pub nesting: usize,
    /// Connections tracked at the same time; the longest idle one is closed to make room.
    pub connections: usize,
    /// Bytes held out of order for one direction of one connection.
    pub out_of_order: usize,
    /// Bytes held over all connections: out of order, and as much again in fragments, and as much
    /// again in half-read messages.
    pub held: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: BlobWriterLimits { memory: 4 << 20, total: 16 << 30 },
            decoded: BlobWriterLimits { memory: 4 << 20, total: 4 << 30 },
            inflate_ratio: 250,
            inflate_free: 1 << 20,
            head: 256 << 10,
            fields: 1000,
            open_exchanges: 1000,
            nesting: 8,
            connections: 65_536,
            out_of_order: 2 << 20,
            held: 64 << 20,
        }
    }
}

/// What is known about the connection (or tunnel inside one) whose bytes a layer receives.
#[derive(Debug, Clone)]
pub struct Conn {
    /// Path of the connection, prefix of its records' names: `tcp:7`, `tcp:7/tls`.
    pub id: String,
    /// TCP or UDP underneath.
    pub transport: Transport,
    /// Who opened it.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// Protection in transit.
    pub channel: Channel,
    /// The protocol negotiated by ALPN, where the channel has one.
    pub alpn: Option<Vec<u8>>,
    /// The app, where the recorder named it.
    pub app: Option<Arc<App>>,
    /// True where the start of the connection was not captured.
    pub mid_stream: bool,
    /// How many layers lie below.
    pub depth: usize,
}

/// Consumes the bytes of one connection, each direction in order and without joins over gaps.
///
/// `side` says who sent the bytes. Nothing a layer is fed may make it panic, wait or hold more
/// than [`Limits`] allow.
pub trait Layer {
    /// The next bytes of one direction.
    fn data(&mut self, side: Side, bytes: &[u8], time: Time, out: &mut Out<'_>);

    /// `length` bytes of one direction are missing here (not captured, or dropped by a limit).
    fn gap(&mut self, side: Side, length: u64, time: Time, out: &mut Out<'_>);

    /// One direction ended in order (FIN, close_notify). More may come from the other.
    fn side_end(&mut self, side: Side, time: Time, out: &mut Out<'_>) {
        let _ = (side, time, out);
    }

    /// Bytes of memory this layer and those above it hold, roughly, in constant time. What is held
    /// over all connections is bounded by it.
    fn held(&self) -> usize;

    /// The connection ended, or the capture did: emit what is still held.
    fn end(&mut self, out: &mut Out<'_>);
}

/// The time of packets that were recorded without one (pcapng's Simple Packet Block). What is
/// emitted with it gets no time.
pub(crate) const UNTIMED: Time = Time(i64::MIN);

/// From when to when something was seen. Recorded times may run backwards, so neither end is that of a certain packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The earliest time; absent where nothing was seen.
    pub first: Option<Time>,
    /// The latest.
    pub last: Option<Time>,
}

impl Span {
    /// Takes in one more moment. A moment that is not known leaves the beginning unknown for good.
    pub(crate) fn add(&mut self, time: Time) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = self.last.max(Some(time));
    }
}

/// What a layer needs besides its bytes: limits, the exhibit's id, and the sink.
pub struct Out<'s> {
    /// The exhibit being read.
    pub exhibit: ExhibitId,
    /// Limits on what may be held.
    pub limits: Limits,
    /// Keys and what is remembered across TLS connections.
    pub tls: &'s mut dyetrace_tls::Decryptor,
    /// Counters for the report's end.
    pub tally: &'s mut Tally,
    /// Names that DNS answers gave to addresses.
    pub(crate) names: Names,
    /// While records of a TLS connection with early data are emitted: the time until which
    /// requests began in early data.
    pub(crate) early_until: Option<Time>,
    /// What a guard did, as the journal says that is read.
    pub(crate) remarks: Remarks,
    /// Stores that were read before.
    pub(crate) stores: Option<&'s Stores<'s>>,
    /// Decoded bytes beyond [`PLAUSIBLE_RATIO`], over all records.
    inflated: u64,
    sink: &'s mut dyn Sink,
    stopped: bool,
}

/// Decoded bytes per encoded byte that content has which is no bomb.
const PLAUSIBLE_RATIO: u64 = 50;
/// Decoded bytes beyond that ratio, over all records of an exhibit, from which on it is the limit.
/// Each such byte costs time to search, and one byte of evidence could stand for thousands.
const IMPLAUSIBLE: u64 = 256 << 20;

/// How much of the traffic was read.
///
/// `payload` is everything transport carried once (no retransmits, no headers of TCP, UDP and
/// below) and whatever of the file could not be read as far as that; `opaque` and `lost` are the
/// parts of it that gave no record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets or archive entries seen.
    pub packets: u64,
    /// Packets that carry no application data by design: ARP, ICMP, IGMP, spanning tree …
    pub control: u64,
    /// Payload bytes of TCP streams and UDP datagrams, or content bytes of archive entries; and the
    /// bytes of damage further down.
    pub payload: u64,
    /// Bytes reported as opaque.
    pub opaque: u64,
    /// Bytes reported as damage: gaps and what could not be parsed.
    pub lost: u64,
    /// Records emitted.
    pub records: u64,
    /// TLS connections seen with a handshake.
    pub tls_connections: u64,
    /// TLS connections whose keys were found.
    pub tls_keyed: u64,
}

impl<'s> Out<'s> {
    /// An outlet into `sink`.
    pub fn new(
        exhibit: ExhibitId,
        limits: Limits,
        tls: &'s mut dyetrace_tls::Decryptor,
        tally: &'s mut Tally,
        sink: &'s mut dyn Sink,
    ) -> Self {
        Self {
            exhibit,
            limits,
            tls,
            tally,
            names: Names::default(),
            early_until: None,
            remarks: Remarks::default(),
            stores: None,
            inflated: 0,
            sink,
            stopped: false,
        }
    }

    /// True once the receiver wants no more; layers may then drop what they hold.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Emits a record.
    pub fn record(&mut self, mut record: Record) {
        record.time = record.time.filter(|time| *time != UNTIMED);
        for message in [&mut record.request, &mut record.response].into_iter().flatten() {
            message.time = message.time.filter(|time| *time != UNTIMED);
            message.last = message.last.filter(|time| message.time.is_some() && *time != UNTIMED);
        }
        let began = record.request.as_ref().and_then(|request| request.time);
        if self.early_until.is_some_and(|until| began.is_some_and(|began| began <= until)) {
            record.flags.push(Flag::EarlyData);
            record.flags.sort();
        }
        let deeds = self.remarks.deeds(&record);
        if !deeds.is_empty() {
            record.flags.extend(deeds.into_iter().map(Flag::Guarded));
            record.flags.sort();
        }
        self.tally.records += 1;
        self.note_inflated(&record);
        self.take(Item::Record(Box::new(record)));
    }

    /// After too many bodies that inflated beyond reason, none may any more.
    fn note_inflated(&mut self, record: &Record) {
        for message in [&record.request, &record.response].into_iter().flatten() {
            let (Some(body), Some(decoded)) = (&message.body, &message.decoded) else { continue };
            let plausible = body.len().saturating_mul(PLAUSIBLE_RATIO);
            self.inflated = self.inflated.saturating_add(decoded.len().saturating_sub(plausible));
        }
        if self.inflated > IMPLAUSIBLE {
            self.limits.inflate_ratio = self.limits.inflate_ratio.min(PLAUSIBLE_RATIO);
            self.limits.inflate_free = self.limits.inflate_free.min(16 << 10);
        }
    }

    /// Emits unread bytes.
    pub fn opaque(&mut self, mut opaque: Opaque) {
        opaque.time = opaque.time.filter(|time| *time != UNTIMED);
        opaque.last = opaque.last.filter(|time| opaque.time.is_some() && *time != UNTIMED);
        self.tally.opaque += opaque.bytes_sent + opaque.bytes_received;
        self.take(Item::Opaque(Box::new(opaque)));
    }

    /// Emits a damage.
    pub fn damage(&mut self, mut damage: Damage) {
        damage.time = damage.time.filter(|time| *time != UNTIMED);
        self.tally.lost = self.tally.lost.saturating_add(damage.bytes.unwrap_or(0));
        self.take(Item::Damage(damage));
    }

    /// Emits a damage whose bytes were not yet counted as payload: they never got as far as a
    /// stream or an entry.
    pub(crate) fn damage_outside(&mut self, damage: Damage) {
        self.tally.payload = self.tally.payload.saturating_add(damage.bytes.unwrap_or(0));
        self.damage(damage);
    }

    fn take(&mut self, item: Item) {
        if !self.stopped && self.sink.take(item) == Err(Stop) {
            self.stopped = true;
        }
    }
}

impl Conn {
    /// A record of this connection without messages. `name` is appended to the connection's path:
    /// `http:0`.
    pub fn record(&self, exhibit: ExhibitId, name: &str, protocol: Protocol, time: Option<Time>) -> Record {
        Record {
            id: RecordId(format!("{}/{name}", self.id)),
            exhibit,
            protocol,
            time,
            client: self.client.clone(),
            server: self.server.clone(),
            channel: self.channel.clone(),
            app: self.app.clone(),
            request: None,
            response: None,
            flags: Vec::new(),
        }
    }

    /// An opaque entry for this connection.
    pub fn opaque(&self, exhibit: ExhibitId, span: Span, sent: u64, received: u64, reason: &str) -> Opaque {
        Opaque {
            id: RecordId(self.id.clone()),
            exhibit,
            time: span.first,
            last: span.last,
            transport: self.transport,
            client: self.client.clone(),
            server: self.server.clone(),
            channel: self.channel.clone(),
            app: self.app.clone(),
            bytes_sent: sent,
            bytes_received: received,
            reason: reason.to_owned(),
        }
    }

    /// A damage on this connection.
    pub fn damage(&self, exhibit: ExhibitId, time: Option<Time>, bytes: Option<u64>, reason: String) -> Damage {
        Damage { exhibit, place: self.id.clone(), time, server: Some(self.server.clone()), bytes, reason }
    }
}
