//! Searches what passes, while it passes, off the path of the relay.

use super::status::Status;
use super::view::{Seen, View};
use crate::mark;
use dyetrace_case::{BlobWriterLimits, ExhibitId, Item, Record, Sighting, Sink, Stop, Time};
use dyetrace_evidence::{Inside, Limits, Live, Out, Tally};
use dyetrace_live::watch::{Secured, Unread, UnreadReason, What};
use dyetrace_live::{Event, Watch};
use dyetrace_search::{Scanner, Scratch};
use dyetrace_tls::Decryptor;
use std::time::Duration;

/// Bytes of one body that stay in memory.
const IN_MEMORY: usize = 1 << 20;
/// How often a view may draw while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// Letters of what is told about a connection that cannot be read.
const DETAIL: usize = 300;

/// What was seen until now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) connections: u64,
    pub(super) records: u64,
    pub(super) sightings: u64,
    pub(super) hints: u64,
    /// Connections that could not be read.
    pub(super) unread: u64,
    /// Datagrams that did not pass, because the disk or the search was behind or too many waited.
    pub(super) lost: u64,
}

/// Watches until the relay has ended.
pub(super) fn watch(
    watch: &Watch,
    (scanner, scratch): (&Scanner, Scratch),
    status: &Status,
    view: Box<dyn View>,
) -> Totals {
    // Where the search fails, the network is not to wait for it for ever.
    let _closing = Closing(watch);
    let mut searching = Searching { scanner, status, scratch, view, totals: Totals::default() };
    let (mut tls, mut tally) = (Decryptor::default(), Tally::default());
    let mut live = Live::default();
    let mut events = Vec::new();
    let limits = limits();
    // The exhibit's digest is known when the recording has ended.
    let exhibit = ExhibitId([0; 32]);
    while watch.take(&mut events, TICK) {
        for event in events.drain(..) {
            searching.note(&event, &live);
            let mut out = Out::new(exhibit, limits, &mut tls, &mut tally, &mut searching);
            follow(&mut live, event, &mut out);
        }
        if let Ok(now) = mark::now() {
            let mut out = Out::new(exhibit, limits, &mut tls, &mut tally, &mut searching);
            live.give_up_questions(now, &mut out);
        }
        searching.count_lost(watch.lost_datagrams());
        searching.view.tick(&searching.totals);
    }
    searching.count_lost(watch.lost_datagrams());
    live.end(&mut Out::new(exhibit, limits, &mut tls, &mut tally, &mut searching));
    searching.view.tick(&searching.totals);
    searching.totals
}

/// As for an audit, but that bodies go to a file earlier: a recording runs beside what it records.
fn limits() -> Limits {
    let usual = Limits::default();
    let memory = IN_MEMORY;
    Limits {
        body: BlobWriterLimits { memory, ..usual.body },
        decoded: BlobWriterLimits { memory, ..usual.decoded },
        ..usual
    }
}

/// Lets go of whoever waits for the watcher.
struct Closing<'a>(&'a Watch);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn follow(live: &mut Live, event: Event, out: &mut Out<'_>) {
    let number = event.connection;
    match event.what {
        What::Opened { client, server } => live.opened(number, client, server),
        What::Secured(Secured { name, version, suite, alpn }) => {
            live.secured(number, Inside { name, version: version.to_owned(), suite, alpn });
        }
        What::Unread(_) => live.unread(number),
        What::Guarded(_) => {}
        What::Bytes(side, bytes) => live.bytes(number, side, &bytes, event.time, out),
        What::Datagram { client, server, side, payload } => {
            live.datagram((client, server), side, &payload, event.time, out);
        }
        What::Ended(side) => live.ended(number, side, event.time, out),
        What::Closed => live.closed(number, out),
    }
}

/// Searches each record as it comes.
struct Searching<'a> {
    scanner: &'a Scanner,
    status: &'a Status,
    scratch: Scratch,
    view: Box<dyn View>,
    totals: Totals,
}

impl Searching<'_> {
    fn count_lost(&mut self, datagrams: u64) {
        self.totals.lost = datagrams;
        self.status.lost_datagrams(datagrams);
    }

    fn note(&mut self, event: &Event, live: &Live) {
        let host = self.host_unread(event, live);
        let detail = self.detail(event);
        self.status.note(event, &host, &detail);
        match &event.what {
            What::Opened { .. } => self.totals.connections += 1,
            What::Unread(unread) => {
                self.totals.unread += u64::from(unread.reason != UnreadReason::Unreachable);
                self.view.unread(event.time, &host, &Unread { detail, ..unread.clone() });
            }
            What::Guarded(guarded) => {
                let host = self.scanner.redact(&guarded.host);
                self.view.guarded(event.time, &host, guarded);
            }
            _ => {}
        }
    }

    /// The host of a connection that cannot be read.
    fn host_unread(&self, event: &Event, live: &Live) -> String {
        let What::Unread(unread) = &event.what else { return String::new() };
        let address = live.server(event.connection).and_then(|server| server.address);
        let host = unread.name.clone().or(address.map(|address| address.to_string())).unwrap_or_default();
        self.scanner.redact(&host)
    }

    /// What was said about a connection that cannot be read: it may repeat the name that was asked for.
    fn detail(&self, event: &Event) -> String {
        let What::Unread(unread) = &event.what else { return String::new() };
        self.scanner.redact(&unread.detail).chars().take(DETAIL).collect()
    }

    /// The text that the doctor waits for.
    fn look_for_canary(&self, record: &Record) {
        let Some(text) = self.status.canary() else { return };
        let target = record.request.as_ref().and_then(|request| request.target.as_deref()).unwrap_or_default();
        if target.windows(text.len()).any(|window| window == text.as_bytes()) {
            let over = record.channel.version.as_deref().unwrap_or("no TLS");
            let time = record.time.unwrap_or(Time(0));
            self.status.arrived(time, &format!("{} over {over}", record.protocol.name()));
        }
    }

    fn seen(&self, record: &Record, sighting: &Sighting) -> Seen {
        let redact = |text: &str| dyetrace_report::clean(&self.scanner.redact(text));
        let name = record.server.name.as_ref().map(|(name, _)| redact(name));
        let address = record.server.address.map(|address| address.to_string());
        Seen {
            time: record.time,
            datum: sighting.datum.to_string(),
            side: sighting.place.part.side(),
            host: name.or(address).unwrap_or_else(|| "unknown".to_owned()),
            port: record.server.port,
            protection: record.channel.version.clone().unwrap_or_else(|| record.channel.kind.name().to_owned()),
            protocol: record.protocol.name(),
            record: record.id.to_string(),
            trail: redact(&sighting.trail.to_string()),
            form: sighting.form.clone(),
            bits: sighting.bits,
            is_hint: sighting.is_hint(),
        }
    }
}

impl Sink for Searching<'_> {
    fn take(&mut self, item: Item) -> Result<(), Stop> {
        let Item::Record(record) = item else { return Ok(()) };
        self.totals.records += 1;
        self.look_for_canary(&record);
        let outcome = self.scanner.search(&record, &mut self.scratch);
        for sighting in &outcome.sightings {
            let seen = self.seen(&record, sighting);
            *if seen.is_hint { &mut self.totals.hints } else { &mut self.totals.sightings } += 1;
            self.view.seen(&seen);
        }
        Ok(())
    }
}
