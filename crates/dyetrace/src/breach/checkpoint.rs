//! Checkpoints of a scan or a comparison on disk: a file that is there whole or not at all, for its owner alone.
//!
//! The scan runs on threads that may not write files, so they only send the sealed bytes; the thread that waits for
//! the scan writes them.

use crate::exit::{Fault, say};
use dyetrace_breach::{Keep, ScanError, Streams};
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What is sent of a checkpoint.
enum Message {
    Begin,
    Bytes(Vec<u8>),
    End,
}

/// Pieces that wait to be written.
const WAITING: usize = 16;

/// Where the scan sends checkpoints.
pub(super) struct Sent {
    to: SyncSender<Message>,
    has_failed: Arc<AtomicBool>,
}

/// Writes what is sent.
pub(super) struct Writer {
    path: PathBuf,
    from: Receiver<Message>,
    has_failed: Arc<AtomicBool>,
}

/// Both ends, once it is certain that the file can be written.
///
/// # Errors
/// The file cannot be made where it shall be.
pub(super) fn pair(path: &Path) -> Result<(Sent, Writer), Fault> {
    begin(&partial(path)).map_err(|error| Fault::file(path, &error))?;
    std::fs::remove_file(partial(path)).map_err(|error| Fault::file(path, &error))?;
    let (to, from) = sync_channel(WAITING);
    let has_failed = Arc::new(AtomicBool::new(false));
    let sent = Sent { to, has_failed: Arc::clone(&has_failed) };
    Ok((sent, Writer { path: path.to_owned(), from, has_failed }))
}

/// Refuses what can be read only once where there are to be checkpoints.
pub(super) fn refuse_streams(streams: &Streams, checkpoint: Option<&Path>) -> Result<(), Fault> {
    let Some(path) = streams.first().filter(|_| checkpoint.is_some()) else { return Ok(()) };
    let fault = Fault::new(format!("{}: what can be read only once is read without checkpoints", path.display()));
    Err(fault.hint("leave out --checkpoint, or write it into a file first"))
}

/// The checkpoint to go on from, unless all is to begin anew.
pub(super) fn resumed(path: Option<&Path>, restart: bool) -> Result<Option<BufReader<File>>, Fault> {
    let Some(path) = path else { return Ok(None) };
    if path.exists() && !is_one(path) {
        let fault = Fault::new(format!("{}: it is no checkpoint, and stays as it is", path.display()));
        return Err(fault.hint("name a file that is not there yet, or a checkpoint"));
    }
    if restart {
        return Ok(None);
    }
    match File::open(path) {
        Ok(file) => {
            say(&format!("dyetrace: going on from {}", path.display()));
            Ok(Some(BufReader::new(file)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::file(path, &error)),
    }
}

/// What is said of an error: of a checkpoint that is refused, what to type.
pub(super) fn fault(error: &ScanError, checkpoint: Option<&Path>) -> Fault {
    match (error, checkpoint) {
        (ScanError::Refused(why), Some(path)) => {
            Fault::new(format!("{}: {why}. --restart begins anew", path.display()))
        }
        _ => Fault::new(error),
    }
}

/// Removes the checkpoint of what is done.
pub(super) fn remove(path: Option<&Path>) -> Result<(), Fault> {
    let Some(path) = path.filter(|path| is_one(path)) else { return Ok(()) };
    std::fs::remove_file(path).map_err(|error| Fault::file(path, &error))
}

/// How every checkpoint begins, of whatever version.
const MAGIC: &[u8] = b"dyetrace breach checkpoint ";

/// Whether the file is a checkpoint: nothing else is replaced or removed.
fn is_one(path: &Path) -> bool {
    begins(path).is_ok_and(|start| start == MAGIC)
}

/// As many bytes as tell.
fn begins(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// A new file in place of a partial one that was left.
fn begin(partial: &Path) -> io::Result<File> {
    match begins(partial) {
        // It may have been stopped anywhere.
        Ok(start) if MAGIC.starts_with(&start) => std::fs::remove_file(partial)?,
        Ok(_) => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is in the way", partial.display())));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    File::options().write(true).create_new(true).mode(0o600).open(partial)
}

impl Sent {
    fn send(&self, message: Message) -> io::Result<()> {
        if self.has_failed.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.to.send(message).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Keep for Sent {
    fn begin(&mut self) -> io::Result<()> {
        self.send(Message::Begin)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send(Message::Bytes(bytes.to_vec()))
    }

    fn end(&mut self) -> io::Result<()> {
        self.send(Message::End)
    }
}

impl Writer {
    /// Writes until the scan ends. What cannot be written is said once; the scan goes on.
    pub(super) fn run(self) {
        if let Err(error) = self.write() {
            self.has_failed.store(true, Ordering::Relaxed);
            let _ = std::fs::remove_file(partial(&self.path));
            say(&format!("dyetrace: note: no more checkpoints, the work goes on: {}: {error}", self.path.display()));
            while self.from.recv().is_ok() {}
        }
    }

    fn write(&self) -> io::Result<()> {
        let mut file: Option<File> = None;
        for message in &self.from {
            match (message, &mut file) {
                (Message::Begin, _) => file = Some(begin(&partial(&self.path))?),
                (Message::Bytes(bytes), Some(file)) => file.write_all(&bytes)?,
                (Message::End, Some(whole)) => {
                    self.put(whole)?;
                    file = None;
                }
                _ => {}
            }
        }
        if file.is_some() { std::fs::remove_file(partial(&self.path)) } else { Ok(()) }
    }

    /// The checkpoint takes the place of the one before.
    fn put(&self, whole: &File) -> io::Result<()> {
        whole.sync_all()?;
        std::fs::rename(partial(&self.path), &self.path)?;
        sync_folder(&self.path)
    }
}

/// What was renamed or removed stays so.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
