//! What became of collected files from one snapshot of a run to the next.

use dyetrace_case::{
    Case, Damage, Event, ExhibitId, FileChange, Item, Message, Record, RecordId, Run, Sink, Stop, StoredFile, Time,
};
use dyetrace_evidence::snapshot::{IsKnown, Stores};
use dyetrace_evidence::{Limits, Opened, Tally, read_known};
use dyetrace_tls::Decryptor;
use std::collections::{BTreeMap, HashMap};

/// Reads exhibits in their order, and remembers what was collected before in the same run.
pub(crate) struct History<'k> {
    runs: Vec<Run>,
    /// Stores that were read.
    stores: Stores<'k>,
    /// The latest snapshot of each place of each run, by the run's id; of exhibits outside a case, of all together.
    latest: BTreeMap<String, Vec<Listing>>,
}

/// The files of one snapshot.
#[derive(Default)]
struct Listing {
    collected: Option<Time>,
    files: BTreeMap<Vec<u8>, StoredFile>,
    /// The first path with that content, of files that have any.
    by_digest: HashMap<[u8; 32], Vec<u8>>,
}

impl<'k> History<'k> {
    /// Nothing was read yet.
    pub(crate) fn new(case: Option<&Case>) -> Self {
        Self::knowing(case, &|_, _| false)
    }

    /// The same. Values of stores that were read without damage are not read again where `is_known` says so.
    pub(crate) fn knowing(case: Option<&Case>, is_known: &'k IsKnown<'k>) -> Self {
        let runs = case.map(|case| case.file.runs.clone()).unwrap_or_default();
        Self { runs, stores: Stores::new(is_known), latest: BTreeMap::new() }
    }

    /// Reads an exhibit to its end.
    pub(crate) fn read(
        &mut self,
        opened: &Opened,
        tls: &mut Decryptor,
        sink: &mut dyn Sink,
        progress: &mut dyn FnMut(u64),
    ) -> Tally {
        let exhibit = opened.exhibit();
        if !exhibit.format.is_snapshot() {
            return dyetrace_evidence::read(opened, Limits::default(), tls, sink, progress);
        }
        let (run, collected) = self.collected(&exhibit.path);
        let stores = Some(&self.stores);
        let listings = self.latest.entry(run).or_default();
        let before = same_place(listings, opened).map(|at| listings.remove(at));
        let now = Listing { collected, ..Listing::default() };
        let mut comparing =
            Comparing { before: before.as_ref(), now, exhibit: exhibit.id, gone: 0, is_cut: false, sink };
        let mut tally = read_known(opened, Limits::default(), tls, stores, &mut comparing, progress);
        comparing.tell_deleted();
        tally.records += comparing.gone;
        listings.push(comparing.now);
        tally
    }

    /// The run of an exhibit, and when the marks say that it was collected.
    fn collected(&self, path: &str) -> (String, Option<Time>) {
        let milestones = self.runs.iter().flat_map(|run| run.milestones.iter().map(move |milestone| (run, milestone)));
        let mut found = milestones
            .filter(|(_, milestone)| matches!(&milestone.event, Event::Snapshot { exhibit } if exhibit == path));
        if let Some((run, milestone)) = found.next() {
            return (run.id.clone(), Some(milestone.at));
        }
        let run = self.runs.iter().find(|run| run.exhibits.iter().any(|exhibit| exhibit == path));
        (run.map(|run| run.id.clone()).unwrap_or_default(), None)
    }
}

/// The exhibits of a case in their order, with the snapshots among them in the order in which they were collected.
pub(crate) fn in_order(case: &Case) -> Vec<String> {
    let marks = case.file.runs.iter().flat_map(|run| &run.milestones);
    let taken: HashMap<&str, Time> = marks
        .filter_map(|milestone| match &milestone.event {
            Event::Snapshot { exhibit } => Some((exhibit.as_str(), milestone.at)),
            _ => None,
        })
        .collect();
    let is_taken = |path: &&String| taken.contains_key(path.as_str());
    let mut snapshots: Vec<&String> = case.exhibits.iter().filter(is_taken).collect();
    snapshots.sort_by_key(|path| taken.get(path.as_str()));
    let mut snapshots = snapshots.into_iter();
    let exhibits = case.exhibits.iter();
    exhibits.map(|path| if is_taken(&path) { snapshots.next().unwrap_or(path) } else { path }.clone()).collect()
}

/// Which of the snapshots before is of the same place: a run may have those of an app's own folder and of shared
/// storage, and a file of the one is not deleted because the other does not have it. It is the one with which most
/// paths are shared; where nothing is left to share, the only one there is.
fn same_place(before: &[Listing], opened: &Opened) -> Option<usize> {
    if before.is_empty() {
        return None;
    }
    let paths = dyetrace_evidence::snapshot::paths(opened, PATHS);
    let shared = |listing: &Listing| paths.iter().filter(|path| listing.files.contains_key(*path)).count();
    match before.iter().map(shared).enumerate().max_by_key(|(at, shared)| (*shared, *at))? {
        (at, 1..) => Some(at),
        (at, 0) => (paths.is_empty() && before.len() == 1).then_some(at),
    }
}

/// Paths of a snapshot by which it is told of what place it is.
const PATHS: usize = 100_000;

/// Tells each file of a snapshot what became of it.
struct Comparing<'a> {
    before: Option<&'a Listing>,
    now: Listing,
    exhibit: ExhibitId,
    gone: u64,
    /// Files of the archive may be missing that were there when it was made.
    is_cut: bool,
    sink: &'a mut dyn Sink,
}

impl Sink for Comparing<'_> {
    fn take(&mut self, item: Item) -> Result<(), Stop> {
        self.is_cut |= matches!(&item, Item::Damage(damage) if is_of_archive(damage));
        let Item::Record(mut record) = item else { return self.sink.take(item) };
        if let Some(request) = record.request.as_mut() {
            record.time = self.compare(request);
        }
        self.sink.take(Item::Record(record))
    }
}

impl Comparing<'_> {
    /// Completes what is known of a file, and gives the time at which it had this content.
    fn compare(&mut self, request: &mut Message) -> Option<Time> {
        let (Some(path), Some(file)) = (&request.target, &mut request.file) else { return None };
        let is_seen = file.collected.is_some();
        let earlier = self.now.files.get(path).filter(|_| is_seen);
        let earlier = earlier.or_else(|| self.before.and_then(|before| before.files.get(path)));
        // A store with many values has several records.
        let is_same = |known: &&StoredFile| known.sha256 == file.sha256 && known.collected == file.collected;
        if let Some(known) = self.now.files.get(path).filter(|_| is_seen).filter(is_same) {
            (file.change, file.same_as) = (known.change, known.same_as.clone());
            return self.tell(request);
        }
        file.change = match earlier {
            _ if file.change == FileChange::Deleted => FileChange::Deleted,
            None if self.before.is_none() => file.change,
            None => FileChange::Created,
            Some(earlier) if earlier.change == FileChange::Deleted => FileChange::Created,
            Some(earlier) if earlier.sha256 == file.sha256 => FileChange::Unchanged,
            Some(_) => FileChange::Changed,
        };
        file.collected = file.collected.or(self.now.collected);
        if file.same_as.is_none() && matches!(file.change, FileChange::Created | FileChange::Changed) {
            let earlier = self.before.and_then(|before| before.by_digest.get(&file.sha256));
            file.same_as =
                earlier.filter(|other| *other != path).map(|other| String::from_utf8_lossy(other).into_owned());
        }
        if file.size > 0 {
            self.now.by_digest.entry(file.sha256).or_insert_with(|| path.clone());
        }
        self.now.files.insert(path.clone(), (**file).clone());
        self.tell(request)
    }

    /// Says of a record what became of its file, and when.
    fn tell(&self, request: &mut Message) -> Option<Time> {
        let file = request.file.as_ref()?;
        let time = self.written(file);
        request.method = Some(file.change.name().to_owned());
        (request.time, request.last) = (time, time);
        time
    }

    /// When a file got its content: the file system's time counts where it lies between the snapshots, for only then
    /// it can be true. Otherwise all that is known is when it was collected.
    fn written(&self, file: &StoredFile) -> Option<Time> {
        let is_new = matches!(file.change, FileChange::Created | FileChange::Changed);
        let after = self.before.and_then(|before| before.collected);
        let modified = file.modified.filter(|modified| is_new && after.is_some_and(|after| after <= *modified));
        modified.filter(|modified| file.collected.is_some_and(|collected| *modified <= collected)).or(file.collected)
    }

    /// Records of files that were there before. What a damaged archive does not hold may have been there.
    fn tell_deleted(&mut self) {
        let Some(before) = self.before.filter(|_| !self.is_cut) else { return };
        let gone = before
            .files
            .iter()
            .filter(|(path, file)| file.change != FileChange::Deleted && !self.now.files.contains_key(*path));
        for (path, file) in gone {
            let time = self.now.collected;
            let file = StoredFile { change: FileChange::Deleted, collected: time, ..file.clone() };
            let request = Message {
                time,
                last: time,
                method: Some(file.change.name().to_owned()),
                target: Some(path.clone()),
                file: Some(Box::new(file)),
                ..Message::default()
            };
            let mut record = Record::of_request(request);
            record.id = RecordId(format!("file:gone:{}", self.gone));
            record.protocol = dyetrace_case::Protocol::File;
            record.channel = dyetrace_case::Channel::unknown();
            (record.exhibit, record.time) = (self.exhibit, time);
            self.gone += 1;
            if self.sink.take(Item::Record(Box::new(record))).is_err() {
                return;
            }
        }
    }
}

/// Damages of single files stand at their records (`file:3`).
fn is_of_archive(damage: &Damage) -> bool {
    !damage.place.starts_with("file:")
}
