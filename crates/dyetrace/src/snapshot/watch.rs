//! `dyetrace watch`: every content that a folder's files have while a run goes on.

use super::pack::{self, Failed};
use super::{mark_taken, next_exhibit, note_custody, run_of};
use crate::exit::{Exit, Fault, say};
use crate::mark;
use clap::Args;
use dyetrace_evidence::snapshot::{EVENT, SEEN};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tar::Builder;

/// Arguments of `watch`.
#[derive(Debug, Args)]
#[command(
    after_help = "Files as they are at the start, and each content that a file has from then on, go into one exhibit with the times at
which they were seen; so a copy that is deleted again is found too. What was written stays, whatever ends the watching.
Linux only (inotify); for a device, take snapshots.

Examples:
  dyetrace watch my-case /var/lib/waydroid/data/media/0 --run first
  dyetrace watch my-case app-data --run first --seconds 600"
)]
pub(crate) struct WatchArguments {
    /// The case folder
    case: PathBuf,
    /// The folder to watch, with everything below it
    folder: PathBuf,
    /// The run that is being recorded; only where the case has several
    #[arg(long)]
    run: Option<String>,
    /// End after that many seconds (default: with Ctrl-C)
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// A file that is written is taken when nothing was written for so long, or at the latest after so long.
const SETTLED: Duration = Duration::from_millis(300);
const LATEST: Duration = Duration::from_secs(2);
/// How long to sleep where nothing happens.
const TICK: Duration = Duration::from_millis(50);

const EVENTS: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_MODIFY)
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_ONLYDIR)
    .union(AddWatchFlags::IN_DONT_FOLLOW);

/// Watches until the user or the time ends it.
pub(crate) fn run(arguments: &WatchArguments) -> Result<Exit, Fault> {
    let run = run_of(&arguments.case, arguments.run.as_deref())?;
    if !arguments.folder.is_dir() {
        return Err(Fault::new(format!("{} is not a folder", arguments.folder.display())));
    }
    pack::refuse_own_exhibits(&arguments.folder, &arguments.case)?;
    let (path, exhibit) = next_exhibit(&arguments.case, &run, "watched", "tar")?;
    let began = mark::now()?;
    let mut watching = Watching::begin(&arguments.folder, &path)?;
    mark_taken(&arguments.case, &run, &exhibit, began, None)?;
    say(&format!("Watching {} into {exhibit}; Ctrl-C ends it", arguments.folder.display()));
    let ended = on_ctrl_c()?;
    // Longer than any clock goes is as long as the user wants.
    let until = arguments.seconds.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
    while !ended.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
        watching.step()?;
    }
    let taken = watching.end()?;
    note_custody(&arguments.case, &run, &exhibit)?;
    say(&format!("Took {taken} contents of files into {exhibit}"));
    Ok(Exit::Fine)
}

/// Set when the user wants to end.
fn on_ctrl_c() -> Result<Arc<AtomicBool>, Fault> {
    let ended = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::new(format!("no threads from the system: {error}")))?;
    let set = Arc::clone(&ended);
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            match signal(SignalKind::terminate()) {
                Ok(mut terminated) => {
                    tokio::select! {
                        _ = tokio::signal::ctrl_c() => {}
                        _ = terminated.recv() => {}
                    }
                }
                Err(_) => drop(tokio::signal::ctrl_c().await),
            }
        });
        set.store(true, Ordering::Relaxed);
    });
    Ok(ended)
}

/// A folder that is watched, and the exhibit.
struct Watching {
    root: PathBuf,
    inotify: Inotify,
    folders: HashMap<WatchDescriptor, PathBuf>,
    builder: Builder<File>,
    exhibit: PathBuf,
    /// The digest of each file as it was taken last.
    taken: BTreeMap<PathBuf, [u8; 32]>,
    /// Files that are being written: since when, and when last.
    dirty: BTreeMap<PathBuf, (Instant, Instant)>,
    count: u64,
    /// What is there from now on was not there when the watching began.
    is_under_way: bool,
}

impl Watching {
    fn begin(root: &Path, exhibit: &Path) -> Result<Self, Fault> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
            .map_err(|error| Fault::new(format!("folders cannot be watched: {error}")))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(exhibit);
        let file = file.map_err(|error| Fault::file(exhibit, &error))?;
        let mut watching = Self {
            root: root.to_owned(),
            inotify,
            folders: HashMap::new(),
            builder: Builder::new(file),
            exhibit: exhibit.to_owned(),
            taken: BTreeMap::new(),
            dirty: BTreeMap::new(),
            count: 0,
            is_under_way: false,
        };
        watching.take_all(root)?;
        watching.is_under_way = true;
        Ok(watching)
    }

    /// Watches a folder with those below it, then takes the files in them: what comes between is seen twice, not never.
    fn take_all(&mut self, folder: &Path) -> Result<(), Fault> {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            match self.inotify.add_watch(&folder, EVENTS) {
                Ok(descriptor) => drop(self.folders.insert(descriptor, folder.clone())),
                Err(nix::Error::ENOENT | nix::Error::ENOTDIR) => continue,
                Err(error) => {
                    let fault = Fault::new(format!("{} cannot be watched: {error}", folder.display()));
                    return Err(fault.hint("allow more watches: sysctl fs.inotify.max_user_watches=1048576"));
                }
            }
            let mut paths: Vec<PathBuf> =
                fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            paths.sort();
            for path in paths {
                match fs::symlink_metadata(&path) {
                    Ok(data) if data.is_dir() => folders.push(path),
                    Ok(data) if data.is_file() => self.take(&path)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Waits a little, and takes what has settled.
    fn step(&mut self) -> Result<(), Fault> {
        match self.inotify.read_events() {
            Ok(events) => {
                for event in events {
                    self.note(&event)?;
                }
            }
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => std::thread::sleep(TICK),
            Err(error) => return Err(Fault::new(format!("{}: {error}", self.root.display()))),
        }
        let now = Instant::now();
        let is_due = |(since, last): &(Instant, Instant)| now - *last >= SETTLED || now - *since >= LATEST;
        let due: Vec<PathBuf> =
            self.dirty.iter().filter(|(_, times)| is_due(times)).map(|(path, _)| path.clone()).collect();
        for path in due {
            self.dirty.remove(&path);
            self.take(&path)?;
        }
        Ok(())
    }

    fn note(&mut self, event: &InotifyEvent) -> Result<(), Fault> {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            return self.after_overflow();
        }
        let (Some(folder), Some(name)) = (self.folders.get(&event.wd), &event.name) else { return Ok(()) };
        let path = folder.join(name);
        let is_folder = event.mask.contains(AddWatchFlags::IN_ISDIR);
        let came = event.mask.intersects(AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO);
        let went = event.mask.intersects(AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM);
        match () {
            () if is_folder && came => self.take_all(&path),
            () if went => self.gone(&path),
            () if is_folder => Ok(()),
            () if event.mask.intersects(AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO) => {
                self.dirty.remove(&path);
                self.take(&path)
            }
            () => {
                let now = Instant::now();
                self.dirty.entry(path).or_insert((now, now)).1 = now;
                Ok(())
            }
        }
    }

    /// The system told of more than it keeps: everything is looked at again, and the exhibit says so.
    fn after_overflow(&mut self) -> Result<(), Fault> {
        say(&"dyetrace: more happened at once than the system tells of; what was there only briefly may be missing");
        self.say_in_exhibit(Path::new("dyetrace-lost"), "lost")?;
        let known: BTreeSet<PathBuf> = self.taken.keys().cloned().collect();
        let root = self.root.clone();
        self.take_all(&root)?;
        known.iter().filter(|path| !path.exists()).try_for_each(|path| self.gone(path))
    }

    /// Takes a file where its content is new. One that is not there any more was there too briefly.
    fn take(&mut self, path: &Path) -> Result<(), Fault> {
        let Some(data) = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file) else { return Ok(()) };
        let Ok(digest) = pack::digest(path) else { return Ok(()) };
        if self.taken.get(path) == Some(&digest) {
            return Ok(());
        }
        let mut said = vec![(SEEN, mark::now()?.to_string())];
        if self.is_under_way && !self.taken.contains_key(path) {
            said.push((EVENT, "created".to_owned()));
        }
        let name = path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        match pack::entry(&mut self.builder, path, &name, &data, &said) {
            Ok(_) => {
                self.taken.insert(path.to_owned(), digest);
                self.count += 1;
                self.flush()
            }
            Err(Failed::Reading(_)) => Ok(()),
            Err(Failed::Writing(error)) => Err(Fault::file(&self.exhibit, &error)),
        }
    }

    /// A file, or a folder with what was in it, is not there any more.
    fn gone(&mut self, path: &Path) -> Result<(), Fault> {
        self.dirty.remove(path);
        // Paths are ordered part by part: what is in a folder stands right behind it.
        let within = self.taken.range(path.to_owned()..).take_while(|(known, _)| known.starts_with(path));
        let gone: Vec<PathBuf> = within.map(|(known, _)| known.clone()).collect();
        for path in gone {
            self.taken.remove(&path);
            let name = path.strip_prefix(&self.root).unwrap_or(&path).to_owned();
            self.say_in_exhibit(&name, "deleted")?;
        }
        Ok(())
    }

    fn say_in_exhibit(&mut self, name: &Path, event: &str) -> Result<(), Fault> {
        let written = pack::say_of(&mut self.builder, name, mark::now()?, event);
        written.map_err(|error| Fault::file(&self.exhibit, &error))?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.builder.get_mut().flush().map_err(|error| Fault::file(&self.exhibit, &error))
    }

    /// Takes what was still being written, and ends the archive.
    fn end(mut self) -> Result<u64, Fault> {
        for path in std::mem::take(&mut self.dirty).into_keys() {
            self.take(&path)?;
        }
        let ended = self.builder.into_inner().and_then(|file| file.sync_all());
        ended.map_err(|error| Fault::file(&self.exhibit, &error))?;
        Ok(self.count)
    }
}
