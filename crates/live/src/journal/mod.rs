//! The journal: everything that passed, as a pcapng file that grows while it is recorded.
//!
//! It is the primary exhibit. Whole blocks are written by one thread, within milliseconds after the bytes
//! passed; what was written survives the end of the process, however it ends. Nothing is dropped: where the disk
//! is slower than the network, connections wait ([`Recorder::poll_room`]); where it fails, they end.

mod frames;

use dyetrace_case::{Side, Time};
use frames::{Ends, SEGMENT, Segment, flag};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes that wait for the disk before connections have to.
const WAITING: usize = 512 << 10;
/// Bytes beyond that until datagrams, which cannot wait, are lost.
const FOR_DATAGRAMS: usize = 1 << 20;
/// What is collected before it is written, unless more than [`PROMPTLY`] waits.
const COLLECTED: Duration = Duration::from_millis(5);
const PROMPTLY: usize = 256 << 10;

/// The file and its writer. It is whole when it was closed; before that, up to the last block written.
pub struct Journal {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

struct Shared {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    blocks: Vec<u8>,
    /// Lines of a key log that come before the next block.
    secrets: Vec<u8>,
    wakers: Vec<Waker>,
    /// Connections begun.
    connections: u64,
    closed: bool,
    /// Whether the writer sleeps until something comes.
    is_at_rest: bool,
    /// Whether it was told that much waits.
    is_in_haste: bool,
    failed: Option<io::ErrorKind>,
}

impl Journal {
    /// Begins a journal in a new file that only its owner may read: it holds keys.
    ///
    /// # Errors
    /// Where the file exists already, or cannot be made.
    pub fn create(path: &Path, interface: &str) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&frames::begin(concat!("dyetrace live ", env!("CARGO_PKG_VERSION")), interface))?;
        let shared = Arc::new(Shared { state: Mutex::default(), filled: Condvar::new() });
        let writing = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn(move || writing.write(file))?;
        Ok(Self { shared, writer: Mutex::new(Some(writer)) })
    }

    /// A connection that begins now. `comment` goes with its first packet.
    pub fn connection(&self, client: SocketAddr, server: SocketAddr, comment: &str) -> Recorder {
        let mut state = self.shared.lock();
        let number = state.connections;
        state.connections += 1;
        let (shared, ends) = (Arc::clone(&self.shared), Ends::new(client, server));
        let recorder = Recorder { shared, ends, number, next: Mutex::new([0; 2]) };
        // Under the same lock: numbers are those of the order in the file.
        recorder.segment_into(&mut state, Side::Request, flag::SYN, b"", Some(&recorder.labelled(comment)));
        recorder.segment_into(&mut state, Side::Response, flag::SYN | flag::ACK, b"", None);
        recorder.segment_into(&mut state, Side::Request, flag::ACK, b"", None);
        self.shared.written(state);
        recorder
    }

    /// A connection that its server, or the network, refused. `why` goes with the refusal. Its number.
    pub fn refused(&self, client: SocketAddr, server: SocketAddr, comment: &str, why: &str) -> u64 {
        let mut state = self.shared.lock();
        let number = state.connections;
        state.connections += 1;
        let (shared, ends) = (Arc::clone(&self.shared), Ends::new(client, server));
        let recorder = Recorder { shared, ends, number, next: Mutex::new([0; 2]) };
        recorder.segment_into(&mut state, Side::Request, flag::SYN, b"", Some(&recorder.labelled(comment)));
        let why = recorder.labelled(why);
        recorder.segment_into(&mut state, Side::Response, flag::RST | flag::ACK, b"", Some(&why));
        self.shared.written(state);
        number
    }

    /// One datagram.
    pub fn datagram(&self, client: SocketAddr, server: SocketAddr, side: Side, payload: &[u8], comment: Option<&str>) {
        let mut state = self.shared.lock();
        state.flush_secrets();
        frames::udp(&mut state.blocks, now(), Ends::new(client, server), side, payload, comment);
        self.shared.written(state);
    }

    /// Whether a datagram, which cannot wait, may be written down now. Connections that wait for room leave some to them.
    pub(crate) fn has_room_for_datagrams(&self) -> bool {
        let state = self.shared.lock();
        state.failed.is_none() && state.blocks.len() < WAITING + FOR_DATAGRAMS
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// What the disk said, also if it said so long ago.
    pub fn close(&self) -> io::Result<()> {
        self.shared.lock().closed = true;
        self.shared.filled.notify_one();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match writer.map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the journal's writer ended early")),
            None => Ok(()),
        }
    }

    /// What the disk said, where it failed.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.shared.lock().failed
    }

    /// Takes the keys of TLS sessions and writes them before what they open.
    pub fn key_log(&self) -> Arc<dyn rustls::KeyLog> {
        Arc::new(KeyLog(Arc::clone(&self.shared)))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Whoever wants to know how it went has closed it.
        let _ = self.close();
    }
}

/// Writes one connection into the journal.
pub struct Recorder {
    shared: Arc<Shared>,
    ends: Ends,
    number: u64,
    /// Next sequence number of client and server.
    next: Mutex<[u32; 2]>,
}

impl Recorder {
    /// The connection's number, in the order in which connections began.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Bytes that one side sent.
    pub fn bytes(&self, side: Side, bytes: &[u8]) {
        for piece in bytes.chunks(SEGMENT) {
            self.segment(side, flag::PSH | flag::ACK, piece, None);
        }
    }

    /// One side will send no more.
    pub fn end(&self, side: Side) {
        self.segment(side, flag::FIN | flag::ACK, b"", None);
    }

    /// The connection was cut by that side; why, where that is known.
    pub fn reset(&self, side: Side, comment: Option<&str>) {
        self.segment(side, flag::RST | flag::ACK, b"", comment);
    }

    /// A remark on the connection: a packet of no bytes with a comment.
    pub fn remark(&self, comment: &str) {
        self.segment(Side::Request, flag::ACK, b"", Some(&self.labelled(comment)));
    }

    /// Ready when more bytes may pass.
    ///
    /// # Errors
    /// When the journal cannot be written any more.
    pub fn poll_room(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if let Some(kind) = state.failed {
            return Poll::Ready(Err(io::Error::new(kind, "the journal cannot be written")));
        }
        if state.blocks.len() < WAITING {
            return Poll::Ready(Ok(()));
        }
        state.wakers.push(context.waker().clone());
        Poll::Pending
    }

    fn labelled(&self, comment: &str) -> String {
        format!("dyetrace:flow={} {comment}", self.number)
    }

    fn segment(&self, side: Side, flags: u8, payload: &[u8], comment: Option<&str>) {
        let mut state = self.shared.lock();
        self.segment_into(&mut state, side, flags, payload, comment);
        self.shared.written(state);
    }

    /// Under the lock, so that times never go back within the file.
    fn segment_into(&self, state: &mut State, side: Side, flags: u8, payload: &[u8], comment: Option<&str>) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let (own, other) = if side == Side::Request { (0, 1) } else { (1, 0) };
        let acknowledgement = if flags & flag::ACK == 0 { 0 } else { next[other] };
        let segment = Segment { ends: self.ends, side, sequence: next[own], acknowledgement, flags, payload };
        let counted = u32::from(flags & (flag::SYN | flag::FIN) != 0);
        next[own] = next[own].wrapping_add(payload.len() as u32).wrapping_add(counted);
        state.flush_secrets();
        frames::tcp(&mut state.blocks, now(), &segment, comment);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was added. Wakes the writer where it rests or is to hurry, once and not under its lock: a wake costs
    /// as much as a small request.
    fn written(&self, mut state: MutexGuard<'_, State>) {
        let is_much = state.blocks.len() > PROMPTLY && !std::mem::replace(&mut state.is_in_haste, true);
        let wakes = std::mem::take(&mut state.is_at_rest) || is_much;
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
    }

    fn write(&self, mut file: File) -> io::Result<()> {
        let mut blocks = Vec::new();
        loop {
            let closed = self.take(&mut blocks);
            if let Err(error) = file.write_all(&blocks) {
                self.fail(error.kind());
                return Err(error);
            }
            blocks.clear();
            if closed {
                return file.sync_all();
            }
        }
    }

    /// Takes what waits; true where nothing more will come.
    fn take(&self, blocks: &mut Vec<u8>) -> bool {
        let idle = |state: &mut State| state.blocks.is_empty() && state.secrets.is_empty() && !state.closed;
        let mut state = self.lock();
        state.is_at_rest = true;
        state = self.filled.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.is_at_rest = false;
        let little = |state: &mut State| state.blocks.len() < PROMPTLY && !state.closed;
        let (mut state, _) =
            self.filled.wait_timeout_while(state, COLLECTED, little).unwrap_or_else(PoisonError::into_inner);
        state.flush_secrets();
        state.is_in_haste = false;
        std::mem::swap(blocks, &mut state.blocks);
        state.wakers.drain(..).for_each(Waker::wake);
        state.closed
    }

    fn fail(&self, kind: io::ErrorKind) {
        let mut state = self.lock();
        state.failed = Some(kind);
        state.wakers.drain(..).for_each(Waker::wake);
    }
}

impl State {
    fn flush_secrets(&mut self) {
        if !self.secrets.is_empty() {
            frames::secrets(&mut self.blocks, &self.secrets);
            self.secrets.clear();
        }
    }
}

/// Keys as lines in the format that `SSLKEYLOGFILE` has.
struct KeyLog(Arc<Shared>);

impl rustls::KeyLog for KeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut state = self.0.lock();
        let lines = &mut state.secrets;
        lines.extend_from_slice(label.as_bytes());
        for part in [client_random, secret] {
            lines.push(b' ');
            lines.extend(part.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
        }
        lines.push(b'\n');
    }
}

impl std::fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyLog")
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The time by this machine's clock.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_parts(since.as_secs() as i64, since.subsec_nanos()).unwrap_or(Time(0))
}
