//! Reading on one thread, searching on the others, results in the order of the evidence.
//!
//! What waits between the two is bounded in bytes, so memory does not grow with the evidence; and
//! every record carries its number, so the result does not depend on which thread took it.

use crate::again::Again;
use crate::differential::Comparison;
use crate::fold::{Address, FURTHER, FURTHER_APPS, Folded, Folding, Runs, STORED};
use crate::listed::{self, Counts, Seen, is_held_back};
use crate::pictures;
use crate::sender::Sender;
use dyetrace_case::{
    Blob, DatumId, Item, Message, PartName, Place, Protocol, Record, Side, Sighting, SightingId, Sink, Stop, Trail,
    Witness,
};
use dyetrace_report::audit::{
    Class, ClassCounts, PictureRow, Pictures, Recipient, RecipientKey, SightingRow, Summary, UnplantedRow,
};
use dyetrace_search::differential::Collector;
use dyetrace_search::{Limit, Outcome, Recognised, Scanner, Scratch, ToldAt};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What the searching threads found.
#[derive(Default)]
pub(crate) struct Found {
    /// Sightings that are listed, in the order of the evidence.
    pub(crate) sightings: Vec<SightingRow>,
    /// Personal data that nobody planted and that is listed, in the order of the evidence.
    pub(crate) unplanted: Vec<UnplantedRow>,
    /// More of it, which is only counted.
    pub(crate) unplanted_unlisted: u64,
    /// What pictures tell.
    pub(crate) pictures: Pictures,
    /// How often each planted value was seen, listed or not.
    pub(crate) counts: BTreeMap<DatumId, Counts>,
    /// Records whose recipients are not told apart, because there were too many.
    pub(crate) crowd: u64,
    /// Who was talked to.
    pub(crate) recipients: BTreeMap<RecipientKey, Recipient>,
    /// Limits of search that were reached, and in how many records.
    pub(crate) limits: BTreeMap<Limit, u64>,
    /// How often planted values and decoys were seen, by class, listed or not.
    pub(crate) classes: BTreeMap<Class, ClassCounts>,
    /// Sightings whose trail could not be followed again, and the ids of the first of them.
    pub(crate) unproved: Unproved,
    /// What was sent in which run, where runs are compared.
    pub(crate) collected: Collector,
    /// What the product was seen to do, where a case is judged.
    pub(crate) folded: Folded,
}

/// Sightings that could not be proved: there should be none.
#[derive(Default)]
pub(crate) struct Unproved {
    /// How many.
    pub(crate) count: u64,
    /// Ids by the number of their record and their place among its sightings.
    pub(crate) first: BTreeMap<(u64, usize), SightingId>,
}

/// Ids of unproved sightings that are kept.
const UNPROVED: usize = 10;

impl Unproved {
    fn add(&mut self, number: (u64, usize), id: SightingId) {
        self.count += 1;
        self.first.insert(number, id);
        if self.first.len() > UNPROVED {
            self.first.pop_last();
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        while self.first.len() > UNPROVED {
            self.first.pop_last();
        }
    }
}

/// How to search.
pub(crate) struct Plan<'a> {
    /// Searches one record.
    pub(crate) scanner: &'a Scanner,
    /// Searching threads, at least one.
    pub(crate) threads: usize,
    /// Show texts of the evidence as they are.
    pub(crate) reveal: bool,
    /// Runs to compare.
    pub(crate) comparison: Option<&'a Comparison>,
    /// The runs to fold sightings by, where a case is judged.
    pub(crate) runs: Option<&'a Runs>,
    /// Files that are the same in several snapshots, where there are several.
    pub(crate) again: Option<Again>,
}

/// Runs `read`, which pushes items for the exhibit numbered by its second argument, and searches
/// every record meanwhile. Opaque bytes and damages go to `other` in order.
pub(crate) fn run<T>(
    plan: &Plan<'_>,
    read: impl FnOnce(&mut dyn FnMut(usize, Item) -> Result<(), Stop>) -> T,
    other: &mut dyn FnMut(Item),
) -> (T, Found) {
    let (queue, rows) = (Queue::default(), Rows::new());
    let (result, parts) = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..plan.threads.max(1)).map(|_| scope.spawn(|| Worker::new(plan, &rows).work(&queue))).collect();
        let closing = CloseOnDrop(&queue);
        let (mut number, mut batch, mut seen) = (0, Batch::default(), Seen::default());
        let result = read(&mut |exhibit, item| match item {
            Item::Record(record) => {
                number += 1;
                let listed = seen.is_listed(&record);
                batch.add(Job { number, exhibit, record, listed });
                if batch.is_full() { queue.push(std::mem::take(&mut batch)) } else { Ok(()) }
            }
            item => {
                other(item);
                Ok(())
            }
        });
        // Where the queue was closed by a panic, joining its thread tells.
        let _ = queue.push(batch);
        drop(closing);
        let parts =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (result, parts.map(|worker| worker.part).collect())
    });
    (result, merge(parts, rows))
}

/// Records are passed on without being searched: for `records`.
pub(crate) struct PassOn<F>(pub(crate) F);

impl<F: FnMut(&Item) -> Result<(), Stop>> Sink for PassOn<F> {
    fn take(&mut self, item: Item) -> Result<(), Stop> {
        (self.0)(&item)
    }
}

/// One record on its way to a searching thread.
struct Job {
    number: u64,
    exhibit: usize,
    record: Box<Record>,
    /// False where its recipient is one of too many.
    listed: bool,
}

/// Records that travel together: waking a thread costs as much as searching a small record.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    bytes: u64,
}

/// Bytes of records in one batch, roughly.
const BATCH: u64 = 512 << 10;

impl Batch {
    /// Adds a record.
    fn add(&mut self, job: Job) {
        self.bytes += weight(&job);
        self.jobs.push(job);
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH
    }
}

/// Bytes of records that may wait: enough to keep every thread busy while one long record is read.
const WAITING: u64 = 8 << 20;

#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    bytes: u64,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, batch: Batch) -> Result<(), Stop> {
        let full = |waiting: &mut Waiting| waiting.bytes > WAITING && !waiting.closed;
        let mut waiting = self.emptied.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(Stop);
        }
        waiting.bytes += batch.bytes;
        waiting.batches.push_back(batch);
        self.filled.notify_one();
        Ok(())
    }

    fn pop(&self) -> Option<Batch> {
        let empty = |waiting: &mut Waiting| waiting.batches.is_empty() && !waiting.closed;
        let mut waiting = self.filled.wait_while(self.lock(), empty).unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.batches.pop_front()?;
        waiting.bytes -= batch.bytes;
        self.emptied.notify_one();
        Some(batch)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }
}

/// What a record holds in memory, roughly.
fn weight(job: &Job) -> u64 {
    let messages = [&job.record.request, &job.record.response].into_iter().flatten();
    RECORD + messages.map(message_weight).sum::<u64>()
}

/// What a message holds: what was sent and, beside it, what came out of its coding, which may be a
/// thousand times as long. Spooled bodies are on disk.
fn message_weight(message: &Message) -> u64 {
    let field = |(name, value): &(Vec<u8>, Vec<u8>)| FIELD + (name.capacity() + value.capacity()) as u64;
    let body = |blob: &Blob| if let Blob::Memory(bytes) = blob { bytes.capacity() as u64 } else { 0 };
    let bodies = [&message.body, &message.decoded].into_iter().flatten();
    let target = message.target.as_ref().map_or(0, Vec::capacity) as u64;
    let values = message.values.memory() as u64;
    message.headers.iter().map(field).sum::<u64>() + values + target + bodies.map(body).sum::<u64>()
}

/// Memory of a record beside its messages' bytes.
const RECORD: u64 = 1024;

/// Memory of a field beside its bytes: two vectors and what the allocator rounds up.
const FIELD: u64 = 112;

/// Lets the other side go on when this one ends, also when it ends in a panic.
struct CloseOnDrop<'q>(&'q Queue);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Rows of all threads.
struct Rows {
    sightings: listed::Rows<SightingRow>,
    unplanted: listed::Rows<UnplantedRow>,
    pictures: listed::Rows<PictureRow>,
}

impl Rows {
    fn new() -> Self {
        Self {
            sightings: listed::Rows::new(listed::SIGHTINGS),
            unplanted: listed::Rows::new(listed::UNPLANTED),
            pictures: listed::Rows::new(listed::PICTURES),
        }
    }
}

/// One searching thread.
struct Worker<'a> {
    plan: &'a Plan<'a>,
    scratch: Scratch,
    names: HashMap<String, String>,
    rows: &'a Rows,
    part: Part,
}

/// What one searching thread found, beside the rows.
#[derive(Default)]
struct Part {
    recipients: BTreeMap<RecipientKey, Recipient>,
    limits: BTreeMap<Limit, u64>,
    counts: BTreeMap<DatumId, Counts>,
    classes: BTreeMap<Class, ClassCounts>,
    crowd: u64,
    unproved: Unproved,
    collected: Collector,
    folded: Folded,
    /// Pictures, and those that tell something.
    pictures: (u64, u64),
}

impl<'a> Worker<'a> {
    fn new(plan: &'a Plan<'a>, rows: &'a Rows) -> Self {
        Self { plan, scratch: Scratch::default(), names: HashMap::new(), rows, part: Part::default() }
    }

    fn work(mut self, queue: &Queue) -> Self {
        let _closing = CloseOnPanic(queue);
        while let Some(batch) = queue.pop() {
            // Each record is dropped when it was searched.
            batch.jobs.into_iter().for_each(|job| self.search(&job));
        }
        self
    }

    fn search(&mut self, job: &Job) {
        let record = &*job.record;
        let mut search = || self.plan.scanner.search(record, &mut self.scratch);
        let outcome = match &self.plan.again {
            Some(again) => again.outcome(record, search),
            None => search(),
        };
        if let Some(run) = self.plan.comparison.and_then(|comparison| comparison.run_of(job.exhibit)) {
            self.part.collected.add(run, record, &outcome.sightings);
        }
        for &limit in &outcome.limits_reached {
            *self.part.limits.entry(limit).or_default() += 1;
        }
        let key = self.recipient_key(job);
        self.fold(job, &key, &outcome);
        let shared_key = (!outcome.unplanted.is_empty()).then(|| Arc::new(key.clone()));
        let recipient = self.part.recipients.entry(key).or_insert_with_key(|key| Recipient::new(key.clone()));
        recipient.add(record);
        let sent = |sighting: &&Sighting| {
            let is_sent = sighting.place.part.side() == Side::Request && !is_held_back(record, sighting);
            is_sent && !sighting.is_hint()
        };
        recipient.data.extend(outcome.sightings.iter().filter(sent).map(|sighting| sighting.datum.clone()));
        for found in &outcome.unplanted {
            recipient.unplanted.entry(found.kind).or_default().count(found.place.part.side());
        }
        Counts::count(&mut self.part.counts, record, &outcome.sightings);
        count_classes(&mut self.part.classes, &outcome);
        let telling = outcome.told.iter().filter(|found| pictures::is_telling(&found.told)).count();
        self.part.pictures.0 += outcome.told.len() as u64;
        self.part.pictures.1 += telling as u64;
        let wants_pictures = telling > 0 && self.rows.pictures.wants(job.number);
        let wants_sightings = !outcome.sightings.is_empty() && self.rows.sightings.wants(job.number);
        let wants_unplanted = !outcome.unplanted.is_empty() && self.rows.unplanted.wants(job.number);
        if !wants_sightings && !wants_unplanted && !wants_pictures {
            return;
        }
        let hidden = self.hidden(&outcome.unplanted);
        let redact = |text: &str| without(self.plan.redact(text), &hidden);
        let summary = Arc::new(Summary::of(record, &redact));
        if wants_pictures {
            let telling = outcome.told.iter().filter(|found| pictures::is_telling(&found.told));
            let rows = telling.map(|found| self.picture(found, &outcome.sightings, (job.exhibit, &summary), &hidden));
            let rows = rows.collect();
            self.rows.pictures.add(job.number, rows);
        }
        if wants_sightings {
            self.prove(job, &outcome.sightings);
            let rows = outcome.sightings.into_iter().map(|found| {
                let is_held_back = is_held_back(record, &found);
                SightingRow { is_held_back, ..self.row(found, job.exhibit, &summary, &hidden) }
            });
            let rows = rows.collect();
            self.rows.sightings.add(job.number, rows);
        }
        if let Some(key) = shared_key.filter(|_| wants_unplanted) {
            let rows =
                outcome.unplanted.iter().map(|found| self.unplanted(found, job.exhibit, &summary, &key, &hidden));
            let rows = rows.collect();
            self.rows.unplanted.add(job.number, rows);
        }
    }

    fn fold(&mut self, job: &Job, key: &RecipientKey, outcome: &Outcome) {
        let Some(runs) = self.plan.runs else { return };
        let sender = runs.sender(job.exhibit, job.record.app.as_deref());
        let app = self.app(job, sender);
        let limits: Vec<&str> = outcome.limits_reached.iter().copied().map(limit_in_words).collect();
        let folding = Folding {
            runs,
            exhibit: job.exhibit,
            number: job.number,
            record: &job.record,
            address: Address { name: key.name.clone(), address: key.address },
            channel: key.protection.clone(),
            limits: &limits,
            app,
            others: sender == Sender::Other,
        };
        self.part.folded.add(&folding, &outcome.sightings, &|text| self.plan.redact(text));
    }

    /// The app as practices name it: strangers choose names without end, so those of the unlisted are one.
    fn app(&mut self, job: &Job, sender: Sender<'_>) -> Option<String> {
        let app = job.record.app.as_ref()?;
        let name = app.package.as_ref().or(app.name.as_ref());
        match sender {
            Sender::Own(own) => Some(own.to_owned()),
            Sender::Other if !job.listed => Some(FURTHER_APPS.to_owned()),
            Sender::Other => name.map(|name| self.redacted(name)),
            // What nobody can compare is not taken for another app: the judge takes a name for one.
            Sender::Unknown if self.plan.runs.is_some_and(|runs| runs.names_apps(job.exhibit)) => None,
            Sender::Unknown => name.filter(|_| job.listed).map(|name| self.redacted(name)),
        }
    }

    /// What is hidden in the texts of a record beside planted values: what was recognised in it by
    /// its field's name may stand there without a name.
    fn hidden(&self, unplanted: &[Recognised]) -> BTreeSet<String> {
        let unplanted = if self.plan.reveal { &[] } else { unplanted };
        let text = |found: &Recognised| std::str::from_utf8(found.value.reveal()).ok().map(str::to_owned);
        unplanted.iter().filter_map(text).filter(|text| text.len() >= SHORTEST_HIDDEN).take(MOST_HIDDEN).collect()
    }

    fn unplanted(
        &mut self,
        found: &Recognised,
        exhibit: usize,
        record: &Arc<Summary>,
        recipient: &Arc<RecipientKey>,
        hidden: &BTreeSet<String>,
    ) -> UnplantedRow {
        let (mut place, mut trail) = (found.place.clone(), found.trail.clone());
        self.redact_way(&mut place, &mut trail, hidden);
        let clear = || String::from_utf8_lossy(found.value.reveal()).into_owned();
        UnplantedRow {
            kind: found.kind,
            shown: if self.plan.reveal { clear() } else { self.plan.redact(&found.mask()) },
            checks: found.checks.names().collect(),
            bits: found.bits,
            place,
            trail,
            exhibit,
            recipient: recipient.clone(),
            record: record.clone(),
        }
    }

    fn picture(
        &mut self,
        found: &ToldAt,
        sightings: &[Sighting],
        (exhibit, record): (usize, &Arc<Summary>),
        hidden: &BTreeSet<String>,
    ) -> PictureRow {
        let mut row = pictures::row(found, sightings, self.plan, (exhibit, record));
        self.redact_way(&mut row.place, &mut row.trail, hidden);
        row
    }

    fn redact_way(&mut self, place: &mut Place, trail: &mut Trail, hidden: &BTreeSet<String>) {
        if let PartName::Header { name, .. } | PartName::Stored { name, .. } = &mut place.part {
            *name = without(self.redacted(name), hidden);
        }
        for step in &mut trail.0 {
            step.detail = step.detail.take().map(|detail| without(self.redacted(&detail), hidden));
        }
    }

    fn prove(&mut self, job: &Job, sightings: &[Sighting]) {
        let proofs = self.plan.scanner.prove_all(&job.record, sightings);
        for (at, (sighting, _)) in sightings.iter().zip(proofs).enumerate().filter(|(_, (_, proof))| !proof.is_proved())
        {
            self.part.unproved.add((job.number, at), sighting.id());
        }
    }

    fn recipient_key(&mut self, job: &Job) -> RecipientKey {
        if job.record.protocol == Protocol::File {
            return RecipientKey::new(&job.record, Some(STORED.to_owned()), &mut |text| self.redacted(text));
        }
        if job.listed {
            let name = job.record.server.name.as_ref().map(|(name, _)| self.redacted(name).to_ascii_lowercase());
            return RecipientKey::new(&job.record, name, &mut |text| self.redacted(text));
        }
        self.part.crowd += 1;
        // Archives may write any version; the crowd is divided by nothing that strangers choose.
        let kind = job.record.channel.kind.name();
        let key = RecipientKey::new(&job.record, Some(FURTHER.to_owned()), &mut |_| kind.to_owned());
        RecipientKey { port: None, ..key }
    }

    /// A host or field name or a protection, redacted; the few that occur are redacted once.
    fn redacted(&mut self, name: &str) -> String {
        if let Some(redacted) = self.names.get(name) {
            return redacted.clone();
        }
        let redacted = self.plan.redact(name);
        if self.names.len() < 10_000 {
            self.names.insert(name.to_owned(), redacted.clone());
        }
        redacted
    }

    fn row(
        &mut self,
        mut sighting: Sighting,
        exhibit: usize,
        record: &Arc<Summary>,
        hidden: &BTreeSet<String>,
    ) -> SightingRow {
        let id = sighting.id();
        let side = sighting.place.part.side();
        self.redact_way(&mut sighting.place, &mut sighting.trail, hidden);
        if let Some(Witness::FieldName(name)) = &mut sighting.witness {
            *name = without(self.redacted(name), hidden);
        }
        SightingRow { id, sighting, side, is_held_back: false, exhibit, record: record.clone() }
    }
}

/// Shortest value in bytes that is hidden wherever it stands in the texts of its record.
const SHORTEST_HIDDEN: usize = 5;
/// Most values hidden so; where there are more, the texts of a record say little about one of them.
const MOST_HIDDEN: usize = 256;

/// What a limit of the search means for what was found.
pub(crate) fn limit_in_words(limit: Limit) -> &'static str {
    match limit {
        Limit::Depth => "there were more wrappings within one another than are undone",
        Limit::Work => "the work for one record was spent before every wrapping was undone",
        Limit::Sightings => "there were more sightings in one record than are listed",
        Limit::Pieces => "a body too long for memory was searched in pieces",
        Limit::Files => "there were more pictures in one body than are asked what they tell",
        _ => "a body that was put to disk could not be read back",
    }
}

/// The text with stars for each of the values.
fn without(text: String, values: &BTreeSet<String>) -> String {
    values.iter().fold(text, |text, value| if text.contains(value) { text.replace(value, "****") } else { text })
}

/// As [`CloseOnDrop`], for a worker: only a panic ends the reading.
struct CloseOnPanic<'q>(&'q Queue);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

impl Plan<'_> {
    /// Hides planted values in a text of the evidence, unless the user asked to see them.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.reveal { text.to_owned() } else { self.scanner.redact(text) }
    }
}

/// Counts the sightings of one record, and the decoys seen in it.
fn count_classes(classes: &mut BTreeMap<Class, ClassCounts>, outcome: &Outcome) {
    for sighting in &outcome.sightings {
        let class = Class { strength: sighting.strength, is_hint: sighting.is_hint() };
        classes.entry(class).or_default().planted += 1;
    }
    for (&strength, &(sightings, hints)) in &outcome.decoys.0 {
        for (is_hint, decoys) in [(false, sightings), (true, hints)].into_iter().filter(|(_, decoys)| *decoys > 0) {
            classes.entry(Class { strength, is_hint }).or_default().decoys += decoys;
        }
    }
}

fn merge(parts: Vec<Part>, rows: Rows) -> Found {
    let (sightings, unplanted) = (rows.sightings.finish(), rows.unplanted.finish());
    let mut found = Found { sightings, unplanted, ..Found::default() };
    found.pictures.rows = rows.pictures.finish();
    for part in parts {
        found.pictures.seen += part.pictures.0;
        found.pictures.telling += part.pictures.1;
        found.crowd += part.crowd;
        found.collected.merge(part.collected);
        found.folded.merge(part.folded);
        found.unproved.merge(part.unproved);
        Counts::merge(&mut found.counts, part.counts);
        for (class, counts) in part.classes {
            let sum = found.classes.entry(class).or_default();
            *sum = ClassCounts { planted: sum.planted + counts.planted, decoys: sum.decoys + counts.decoys };
        }
        for (limit, records) in part.limits {
            *found.limits.entry(limit).or_default() += records;
        }
        for (key, recipient) in part.recipients {
            found.recipients.entry(key).or_insert_with_key(|key| Recipient::new(key.clone())).merge(recipient);
        }
    }
    let tallies = found.recipients.values().flat_map(|recipient| recipient.unplanted.values());
    let seen: u64 = tallies.map(|tally| tally.sent + tally.received).sum();
    found.unplanted_unlisted = seen.saturating_sub(found.unplanted.len() as u64);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_out_of_a_coding_counts_too() {
        let sent = Message { body: Some(Blob::from(vec![0; 100])), ..Message::default() };
        let decoded = Message { decoded: Some(Blob::from(vec![0; 100_000])), ..sent.clone() };
        assert_eq!(message_weight(&decoded) - message_weight(&sent), 100_000);
        let named = Message { headers: vec![(b"a".to_vec(), b"b".to_vec())], ..sent.clone() };
        assert!(message_weight(&named) > message_weight(&sent) + FIELD);
    }
}
