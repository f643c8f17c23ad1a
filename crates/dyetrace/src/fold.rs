//! Sightings folded into practices while the records stream by.
//!
//! *Invariant*: every sighting is counted in a practice, also where it is not listed; and nothing
//! is folded before the segment of the run's timeline that it fell into is known.

use crate::sender::{Sender, sender};
use dyetrace_case::{
    App, Canary, Case, Damage, Endpoint, Event, FileChange, Flag, Form, Message, Milestone, NameSource, Opaque,
    PartName, Practice, PracticeKey, Protection, Record, Shown, Side, Sighting, StoredFile, Time, Timeline, Transfer,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The runs of the evidence, with what their segments are.
pub(crate) struct Runs {
    timelines: Vec<Timeline>,
    /// The run of each exhibit.
    run_of: Vec<usize>,
    /// Names and packages of the product's own apps in each run.
    apps: Vec<Vec<String>>,
}

impl Runs {
    /// One run where nothing says otherwise. Exhibits that no run names are not read in a case with runs.
    pub(crate) fn new(case: Option<&Case>, exhibits: &[&str]) -> Self {
        let runs = case.map_or(&[][..], |case| &case.file.runs);
        let number = |exhibit: &&str| {
            let id = &case?.run_of(exhibit)?.id;
            runs.iter().position(|run| run.id == *id)
        };
        let timelines = match (case, runs) {
            (Some(case), [_, ..]) => runs.iter().map(|run| case.timeline(run)).collect(),
            _ => vec![Timeline::new(Vec::new())],
        };
        let apps = runs.iter().map(|run| run.apps.clone()).collect();
        Self { timelines, apps, run_of: exhibits.iter().map(|exhibit| number(exhibit).unwrap_or(0)).collect() }
    }

    /// The run of an exhibit, by its number.
    pub(crate) fn run_of(&self, exhibit: usize) -> usize {
        self.run_of.get(exhibit).copied().unwrap_or(0)
    }

    /// The timeline of each run.
    pub(crate) fn timelines(&self) -> &[Timeline] {
        &self.timelines
    }

    /// Who sent something that is in an exhibit.
    pub(crate) fn sender(&self, exhibit: usize, app: Option<&App>) -> Sender<'_> {
        let own = self.apps.get(self.run_of(exhibit)).map_or(&[][..], Vec::as_slice);
        app.map_or(Sender::Unknown, |app| sender(own, app))
    }

    /// Does the case say which apps are the product's own?
    pub(crate) fn names_apps(&self, exhibit: usize) -> bool {
        self.apps.get(self.run_of(exhibit)).is_some_and(|own| !own.is_empty())
    }

    /// The canaries of a run, each with its number among them.
    pub(crate) fn canaries(&self, run: usize) -> impl Iterator<Item = (usize, &Milestone, &Canary)> {
        let milestones = self.timelines.get(run).map_or(&[][..], |timeline| &timeline.milestones);
        let canaries = milestones.iter().filter_map(|milestone| match &milestone.event {
            Event::Canary(canary) => Some((milestone, canary)),
            _ => None,
        });
        canaries.enumerate().map(|(number, (milestone, canary))| (number, milestone, canary))
    }

    fn segment_at(&self, run: usize, time: Option<Time>) -> usize {
        self.timelines.get(run).map_or(0, |timeline| timeline.segment_at(time))
    }

    /// The segments of the first and the last byte. Without either, nobody can tell between which the bytes lie.
    fn segments(&self, run: usize, first: Option<Time>, last: Option<Time>) -> (usize, usize) {
        let both = first.is_some() && last.is_some();
        if both { (self.segment_at(run, first.min(last)), self.segment_at(run, first.max(last))) } else { (0, 0) }
    }
}

/// Who was talked to, before anybody knows who that is: a name, or the address of what has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// Host name in lower case, redacted.
    pub(crate) name: Option<String>,
    /// Address, where there is no name.
    pub(crate) address: Option<IpAddr>,
}

impl Address {
    /// The endpoint's name, redacted, or its address where it has none.
    pub(crate) fn of(endpoint: &Endpoint, redact: &dyn Fn(&str) -> String) -> Self {
        let name = endpoint.name.as_ref().map(|(name, _)| redact(name).to_ascii_lowercase());
        Self { address: endpoint.address.filter(|_| name.is_none()), name }
    }

    /// Nobody: what lies in stored files.
    pub(crate) fn stored() -> Self {
        Self { name: Some(STORED.to_owned()), address: None }
    }

    /// Where there are too many to tell apart.
    fn further() -> Self {
        Self { name: Some(FURTHER.to_owned()), address: None }
    }
}

/// What stands for a recipient where something lies in stored files. Names of the evidence are in lower case, so none of
/// them is this one.
pub(crate) const STORED: &str = "(Stored files)";

/// The name of recipients that are not told apart.
pub(crate) const FURTHER: &str = "(further recipients)";

/// The name of other apps that are not told apart.
pub(crate) const FURTHER_APPS: &str = "(further apps)";

/// Nanoseconds from the moment that a canary is marked to its request.
const CANARY_TAKES: i64 = 60_000_000_000;

/// Endpoints told apart in what could not be read.
const ENDPOINTS: usize = 20_000;

/// What was counted of an endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Met {
    /// How the name became known, the strongest way that was seen.
    pub(crate) source: Option<NameSource>,
    /// The addresses seen under the name: the smallest of them, where there are too many to keep.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// More addresses were seen than are kept.
    pub(crate) more: bool,
}

/// Addresses kept of a name.
const ADDRESSES: usize = 16;

impl Met {
    fn add(&mut self, endpoint: &Endpoint) {
        self.add_all(endpoint.name.as_ref().map(|(_, source)| *source), endpoint.address);
    }

    fn merge(&mut self, other: Self) {
        self.more |= other.more;
        self.add_all(other.source, other.addresses);
    }

    /// The smallest stay, so that neither order nor threads decide which.
    fn add_all(&mut self, source: Option<NameSource>, addresses: impl IntoIterator<Item = IpAddr>) {
        self.source = [self.source, source].into_iter().flatten().min();
        self.addresses.extend(addresses);
        while self.addresses.len() > ADDRESSES {
            self.addresses.pop_last();
            self.more = true;
        }
    }
}

/// What was read of one run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunSeen {
    /// Records.
    pub(crate) records: u64,
    /// Time of the first record.
    pub(crate) first: Option<Time>,
    /// Time of the last.
    pub(crate) last: Option<Time>,
}

impl RunSeen {
    fn add(&mut self, records: u64, times: impl IntoIterator<Item = Time>) {
        self.records += records;
        for time in times {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = self.last.max(Some(time));
        }
    }
}

/// Bytes that went one way and the other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amount {
    /// Records, connections or losses.
    pub(crate) times: u64,
    /// Bytes the product sent.
    pub(crate) sent: u64,
    /// Bytes it received.
    pub(crate) received: u64,
    /// More was sent than could be counted.
    pub(crate) uncounted: bool,
}

/// What makes unread bytes the same to a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnreadKey {
    /// The run.
    pub(crate) run: usize,
    /// The segments of its timeline in which they began and ended.
    pub(crate) segments: (usize, usize),
    /// To whom.
    pub(crate) address: Address,
    /// Protection of the connection around them.
    pub(crate) protection: Protection,
    /// Why they could not be read, in words.
    pub(crate) reason: String,
    /// Certainly another app than the product's sent and received them.
    pub(crate) others: bool,
}

/// What broke, for a run and an endpoint where it belongs to one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LossKey {
    /// The run.
    pub(crate) run: usize,
    /// To whom, where known.
    pub(crate) address: Option<Address>,
    /// What happened, in words without numbers.
    pub(crate) reason: String,
}

/// A practice before its recipient has a number.
type Key = (PracticeKey, Address);

/// What was folded.
#[derive(Default)]
pub(crate) struct Folded {
    practices: BTreeMap<Key, Practice>,
    /// Who was talked to.
    pub(crate) met: BTreeMap<Address, Met>,
    /// What was read of each run.
    pub(crate) runs: BTreeMap<usize, RunSeen>,
    /// What was read, by run, the segments in which it began and ended, and endpoint.
    pub(crate) traffic: BTreeMap<(usize, (usize, usize), Address), Amount>,
    /// What could not be read.
    pub(crate) opaque: BTreeMap<UnreadKey, Amount>,
    /// What broke.
    pub(crate) losses: BTreeMap<LossKey, Amount>,
    /// Stored files that were read, by run and the time at which they were collected.
    pub(crate) files: BTreeMap<(usize, Option<Time>), u64>,
    /// Runs and canaries, by their numbers, that the recording has.
    pub(crate) canaries: BTreeSet<(usize, usize)>,
}

/// One record on its way into the fold.
pub(crate) struct Folding<'a> {
    /// The runs.
    pub(crate) runs: &'a Runs,
    /// Number of the record's exhibit.
    pub(crate) exhibit: usize,
    /// Number of the record.
    pub(crate) number: u64,
    /// The record.
    pub(crate) record: &'a Record,
    /// Who received it.
    pub(crate) address: Address,
    /// Kind and version of the channel, redacted: `TLS 1.3`.
    pub(crate) channel: String,
    /// Limits of the search that were reached in it, in words.
    pub(crate) limits: &'a [&'static str],
    /// The app that sent it, where the recorder named it, redacted.
    pub(crate) app: Option<String>,
    /// Certainly another app than the product's sent it.
    pub(crate) others: bool,
}

impl Folded {
    /// Counts a record and what was seen in it. `redact` is applied to texts of the evidence that are shown.
    pub(crate) fn add(&mut self, at: &Folding<'_>, sightings: &[Sighting], redact: &dyn Fn(&str) -> String) {
        let run = at.runs.run_of(at.exhibit);
        match stored_file(at.record) {
            // They say nothing of when traffic was recorded.
            Some(file) => {
                self.runs.entry(run).or_default().add(1, None);
                *self.files.entry((run, file.collected)).or_default() += u64::from(file.change != FileChange::Deleted);
            }
            None => self.runs.entry(run).or_default().add(1, at.record.time),
        }
        self.met.entry(at.address.clone()).or_default().add(&at.record.server);
        self.add_traffic(at, run);
        self.add_canaries(at, run);
        for sighting in sightings {
            let side = sighting.place.part.side();
            let time = sent_at(at.record, side);
            let (form, hint) = (Form::of(sighting), sighting.is_hint());
            let key = PracticeKey {
                run,
                segment: segment_of(at, run, sighting),
                datum: sighting.datum.clone(),
                recipient: 0,
                side,
                form,
                protection: Protection::of(&at.record.channel, form),
                channel: at.channel.clone(),
                transfer: Transfer::of(at.record, side, &sighting.datum),
                hint,
                app: at.app.clone(),
            };
            let practice = self.practices.entry((key.clone(), at.address.clone()));
            let practice = practice.or_insert_with(|| Practice::new(key));
            practice.add_with(at.number, time, || shown(at.number, time, sighting, redact));
        }
    }

    /// A canary counts from its moment on, for as long as a slow network may take.
    fn add_canaries(&mut self, at: &Folding<'_>, run: usize) {
        let Some(Time(sent)) = sent_at(at.record, Side::Request) else { return };
        for (number, milestone, canary) in at.runs.canaries(run) {
            let earliest = milestone.at.0.saturating_sub_unsigned(milestone.error);
            let latest = milestone.at.0.saturating_add_unsigned(milestone.error).saturating_add(CANARY_TAKES);
            if (earliest..=latest).contains(&sent) && canary.is_in(at.record) {
                self.canaries.insert((run, number));
            }
        }
    }

    /// Counts what was read of a record, and what of it could not be.
    fn add_traffic(&mut self, at: &Folding<'_>, run: usize) {
        let segments = at.runs.segments(run, at.record.time, ended_at(at.record));
        let bytes = |message: &Option<Message>| message.as_ref().map_or(0, Message::content_bytes);
        let (sent, received) = (bytes(&at.record.request), bytes(&at.record.response));
        let traffic = self.traffic.entry((run, segments, at.address.clone())).or_default();
        traffic.add(sent, received);
        for flag in &at.record.flags {
            let (sent, uncounted, reason) = match flag {
                Flag::Unrecorded(Side::Request) => (0, true, "the recorder did not keep the body".to_owned()),
                Flag::Undecoded(_) => (sent, false, "a content coding could not be undone".to_owned()),
                Flag::Cut(bytes) => (*bytes, false, "a body was longer than is kept".to_owned()),
                _ => continue,
            };
            let protection = Protection::of(&at.record.channel, Form::Clear);
            let key = UnreadKey { run, segments, address: at.address.clone(), protection, reason, others: at.others };
            let unread = self.opaque.entry(key).or_default();
            unread.add(sent, 0);
            unread.uncounted |= uncounted;
        }
        for limit in at.limits {
            self.add_loss(run, Some(at.address.clone()), limit, 0);
        }
    }

    /// Counts bytes that could not be read.
    pub(crate) fn add_opaque(&mut self, runs: &Runs, exhibit: usize, opaque: &Opaque, address: Address) {
        let run = runs.run_of(exhibit);
        let address = self.told_apart(address);
        self.runs.entry(run).or_default().add(0, [opaque.time, opaque.last].into_iter().flatten());
        self.met.entry(address.clone()).or_default().add(&opaque.server);
        let (segments, reason) = (runs.segments(run, opaque.time, opaque.last), without_numbers(&opaque.reason));
        let protection = Protection::of(&opaque.channel, Form::Clear);
        let others = runs.sender(exhibit, opaque.app.as_deref()) == Sender::Other;
        let key = UnreadKey { run, segments, address, protection, reason, others };
        self.opaque.entry(key).or_default().add(opaque.bytes_sent, opaque.bytes_received);
    }

    /// Counts bytes that were lost. Whose bytes they were is not always known; then they count as sent.
    pub(crate) fn add_damage(&mut self, runs: &Runs, exhibit: usize, damage: &Damage, address: Option<Address>) {
        let address = address.map(|address| self.told_apart(address));
        if let Some(address) = &address {
            let met = self.met.entry(address.clone()).or_default();
            damage.server.iter().for_each(|server| met.add(server));
        }
        self.add_loss(runs.run_of(exhibit), address, &damage.reason, damage.bytes.unwrap_or(0));
    }

    fn add_loss(&mut self, run: usize, address: Option<Address>, reason: &str, bytes: u64) {
        let key = LossKey { run, address, reason: without_numbers(reason) };
        self.losses.entry(key).or_default().add(bytes, 0);
    }

    fn told_apart(&self, address: Address) -> Address {
        if self.met.len() < ENDPOINTS || self.met.contains_key(&address) { address } else { Address::further() }
    }

    /// Adds what another thread folded.
    pub(crate) fn merge(&mut self, other: Self) {
        for (key, practice) in other.practices {
            match self.practices.get_mut(&key) {
                Some(mine) => mine.merge(practice),
                None => drop(self.practices.insert(key, practice)),
            }
        }
        for (address, met) in other.met {
            self.met.entry(address).or_default().merge(met);
        }
        for (run, seen) in other.runs {
            self.runs.entry(run).or_default().add(seen.records, [seen.first, seen.last].into_iter().flatten());
        }
        for (key, files) in other.files {
            *self.files.entry(key).or_default() += files;
        }
        self.canaries.extend(other.canaries);
        merge_amounts(&mut self.traffic, other.traffic);
        merge_amounts(&mut self.opaque, other.opaque);
        merge_amounts(&mut self.losses, other.losses);
    }

    /// The practices, each with the number of its recipient, in order of their keys.
    pub(crate) fn practices(&self) -> Vec<Practice> {
        let numbers: BTreeMap<&Address, usize> = self.met.keys().enumerate().map(|(at, key)| (key, at)).collect();
        let mut practices: Vec<Practice> = self
            .practices
            .iter()
            .map(|((_, address), practice)| {
                let mut practice = practice.clone();
                practice.key.recipient = numbers.get(address).copied().unwrap_or(0);
                practice
            })
            .collect();
        practices.sort_by(|a, b| a.key.cmp(&b.key));
        practices
    }
}

impl Amount {
    fn add(&mut self, sent: u64, received: u64) {
        self.times += 1;
        self.sent = self.sent.saturating_add(sent);
        self.received = self.received.saturating_add(received);
    }
}

fn merge_amounts<K: Ord>(mine: &mut BTreeMap<K, Amount>, other: BTreeMap<K, Amount>) {
    for (key, amount) in other {
        let sum = mine.entry(key).or_default();
        sum.times += amount.times;
        sum.sent = sum.sent.saturating_add(amount.sent);
        sum.received = sum.received.saturating_add(amount.received);
        sum.uncounted |= amount.uncounted;
    }
}

/// Reasons differ in counts and offsets; told apart by those, hostile evidence would make millions of them.
fn without_numbers(reason: &str) -> String {
    let mut text = String::new();
    for c in reason.chars().take(120) {
        match c {
            '0'..='9' if text.ends_with('…') => {}
            '0'..='9' => text.push('…'),
            c => text.push(c),
        }
    }
    text
}

fn stored_file(record: &Record) -> Option<&StoredFile> {
    record.request.as_ref().and_then(|request| request.file.as_deref())
}

/// When that side began to send: an answer may come after consent that its request did not wait for.
fn sent_at(record: &Record, side: Side) -> Option<Time> {
    message_of(record, side).and_then(|message| message.time).or(record.time)
}

/// When the last byte of all messages was sent, where that is known of each.
fn ended_at(record: &Record) -> Option<Time> {
    let messages = || [&record.request, &record.response].into_iter().flatten();
    let ended = messages().filter_map(|message| message.last).max();
    ended.filter(|_| messages().all(|message| message.last.is_some()))
}

/// The segment that a sighting lies in. Where the body that holds it was sent over several, such as a stream that
/// stays open all day, nobody can tell in which: then it counts as without a time.
fn segment_of(at: &Folding<'_>, run: usize, sighting: &Sighting) -> usize {
    let side = sighting.place.part.side();
    let first = sent_at(at.record, side);
    let last = message_of(at.record, side).and_then(|message| message.last);
    let in_body = matches!(sighting.place.part, PartName::Body(_));
    let segment = at.runs.segment_at(run, first);
    let elsewhere = in_body && last.is_some() && at.runs.segment_at(run, last) != segment;
    if elsewhere { 0 } else { segment }
}

fn message_of(record: &Record, side: Side) -> Option<&Message> {
    match side {
        Side::Request => record.request.as_ref(),
        Side::Response => record.response.as_ref(),
    }
}

fn shown(record: u64, time: Option<Time>, sighting: &Sighting, redact: &dyn Fn(&str) -> String) -> Shown {
    let mut trail = sighting.trail.clone();
    for step in &mut trail.0 {
        step.detail = step.detail.take().map(|detail| redact(&detail));
    }
    let part = match &sighting.place.part {
        PartName::Header { name, .. } => format!("header {}", redact(name)),
        PartName::Url => "url".to_owned(),
        PartName::Body(_) | PartName::Content => String::new(),
        PartName::Path => "path".to_owned(),
        PartName::Stored { name, .. } => redact(name),
    };
    let parts = [part, trail.to_string()];
    let trail = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" > ");
    Shown { record, sighting: sighting.id(), time, bits: sighting.bits, trail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn met(addresses: &[IpAddr]) -> Met {
        let mut met = Met::default();
        for address in addresses {
            met.add_all(None, [*address]);
        }
        met
    }

    proptest! {
        /// The numerically smallest address alone once stood for all of a name's.
        #[test]
        fn all_of_a_names_addresses_are_kept_up_to_a_bound(addresses: BTreeSet<IpAddr>, cut in 0..40_usize) {
            let all: Vec<IpAddr> = addresses.iter().rev().copied().collect();
            let (one, other) = all.split_at(cut.min(all.len()));
            let mut joined = met(one);
            joined.merge(met(other));
            let kept: BTreeSet<IpAddr> = addresses.iter().take(ADDRESSES).copied().collect();
            prop_assert_eq!(&joined.addresses, &kept);
            prop_assert_eq!(joined.more, addresses.len() > ADDRESSES);
            prop_assert_eq!(met(&all).addresses, kept);
        }
    }
}
