//! The guard: finds values in what a client is about to send, and stops it, changes it, asks, or only says so.
//!
//! Only what the client sends is looked at; answers pass through. A message is held until it was looked at as a
//! whole; one that is longer than the [`GuardSettings::hold_limit`] passes in windows, each with a tail held back that
//! is as long as the longest form of a value, so that no byte of a value has left when it is found.
//!
//! *Invariant*: every decision is told to the watcher and written into the journal, with the names of the data and
//! never with a value. What the journal holds is what the client sent; the remark says what became of it.

mod close;
mod coding;
mod decide;
mod engine;
mod frame;
mod framing;
mod h1;
mod h1_answer;
mod h2;
mod h2_body;
mod head;
#[cfg(test)]
mod invariance;
mod message;
mod mqtt;
mod part;
mod raw;
mod redact;
mod refusal;
mod sieve;
mod strain;
mod told;
mod websocket;
mod wire;

pub(crate) use decide::Warden;
pub(crate) use engine::guard;
pub(crate) use head::end_of as end_of_head;
pub(crate) use told::Told;

use dyetrace_case::{DatumId, Kind, PartName, Range, Record};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::RuntimeFlavor;
use tokio::sync::{mpsc, oneshot};

/// Finds values in messages.
pub trait Guard: Send + Sync {
    /// What is in the message that the record's request holds. Content codings of the body were undone already;
    /// `body` holds the bytes without them.
    fn inspect(&self, record: &Record) -> Inspected;

    /// Bytes of the longest form in which a value is looked for. In a message too long to be held, longer forms may
    /// be found when their first bytes have left.
    fn longest(&self) -> usize {
        4096
    }

    /// What may be shown of a name: without the values in it.
    fn shown(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// What a guard saw in a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected {
    /// The values.
    pub found: Vec<Found>,
    /// Whether there may be more, because a limit of the search was reached.
    pub is_incomplete: bool,
}

impl From<Vec<Found>> for Inspected {
    /// Of a search that was finished.
    fn from(found: Vec<Found>) -> Self {
        Self { found, is_incomplete: false }
    }
}

/// A value that was found. It never holds the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name of the datum.
    pub datum: DatumId,
    /// Its kind.
    pub kind: Kind,
    /// Where in the message.
    pub part: PartName,
    /// The bytes of that part, as the record has it.
    pub range: Range,
    /// Whether the value can be taken away by overwriting that range and nothing around it: not so where the range
    /// is a whole compressed stream.
    pub exact: bool,
    /// Whether there is evidence enough against chance. Hints are told and stop nothing.
    pub is_sighting: bool,
}

/// What to do where a value is about to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Tell the watcher, and let it pass.
    #[default]
    Notify,
    /// Answer 451 in the server's place (RFC 7725), or cut the connection where the protocol has no answers.
    Block,
    /// Overwrite the value where it stands; block where that cannot be done.
    Redact,
    /// Ask the person; block where no answer comes in time.
    Hold,
}

impl Mode {
    /// The word for it on the command line and in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Block => "block",
            Self::Redact => "redact",
            Self::Hold => "hold",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = [Self::Notify, Self::Block, Self::Redact, Self::Hold];
        let found = known.into_iter().find(|mode| mode.name() == word);
        found.ok_or_else(|| "a guard's mode is notify, block, redact or hold".to_owned())
    }
}

/// How to guard.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    /// What to do where a value is about to leave.
    pub mode: Mode,
    /// Bytes of one message that are held until it was looked at as a whole.
    pub hold_limit: usize,
    /// Bytes of all messages together that are held. Where there are more, messages pass in windows.
    pub held_in_all: usize,
    /// How long a person may think in [`Mode::Hold`].
    pub patience: Duration,
    /// Whether what cannot be read is blocked: TLS that cannot be opened, content that cannot be decoded. It is told
    /// in any case. Names that the policy leaves alone pass.
    pub blocks_unreadable: bool,
}

impl Default for GuardSettings {
    /// Notify; 1 MiB a message, 16 MiB in all; a minute.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            hold_limit: 1 << 20,
            held_in_all: 16 << 20,
            patience: Duration::from_mins(1),
            blocks_unreadable: false,
        }
    }
}

/// A datum in a message, as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noticed {
    /// The name of the datum.
    pub datum: DatumId,
    /// Its kind.
    pub kind: Kind,
    /// `url`, `header` or `body`.
    pub part: &'static str,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// It passed; the watcher was told.
    Told,
    /// It passed, because somebody allowed these data towards this host.
    Allowed,
    /// It did not pass: the client got an answer that says so, or its connection was cut.
    Blocked,
    /// It passed with the values overwritten.
    Redacted,
    /// It could not be read, and passed.
    Unreadable,
    /// It was not passed on, because two readers could have read it differently.
    Refused,
}

impl Decision {
    /// The word for it in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Allowed => "allowed",
            Self::Blocked => "blocked",
            Self::Redacted => "redacted",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }
}

/// A decision of the guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// What was found, each datum and part once, in order; empty where something else was the reason.
    pub data: Vec<Noticed>,
    /// Whom the message was for: the host as the client named it.
    pub host: String,
    /// The mode at that time.
    pub mode: Mode,
    /// What became of it.
    pub decision: Decision,
    /// Bytes of the message that had left before, its head among them; without frames, chunks and compressed headers.
    pub left: u64,
    /// Why, where nothing was found.
    pub why: Option<&'static str>,
}

/// A question to the person, in [`Mode::Hold`].
#[derive(Debug)]
pub struct Asked {
    /// What is about to leave.
    pub what: Vec<Noticed>,
    /// Whom it is for.
    pub host: String,
    /// The connection's number.
    pub connection: u64,
    /// Takes the answer. Dropping it blocks.
    pub answer: oneshot::Sender<Answer>,
}

/// What a person wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Let this message pass.
    Once,
    /// Let these data pass to this host from now on.
    Always,
    /// Overwrite the values.
    Redact,
    /// Block the message.
    Block,
}

/// A guard with its settings, and what was allowed since.
pub struct Guarding {
    guard: Arc<dyn Guard>,
    settings: GuardSettings,
    asks: Option<mpsc::Sender<Asked>>,
    state: Mutex<State>,
    held: Arc<AtomicUsize>,
}

struct State {
    mode: Mode,
    allowed: BTreeSet<(DatumId, String)>,
    unread: BTreeSet<String>,
}

impl Guarding {
    /// Guards with these settings.
    pub fn new(guard: Arc<dyn Guard>, settings: GuardSettings) -> Self {
        let state = Mutex::new(State { mode: settings.mode, allowed: BTreeSet::new(), unread: BTreeSet::new() });
        Self { guard, settings, asks: None, state, held: Arc::default() }
    }

    /// Where to ask in [`Mode::Hold`]. Without it, that mode blocks.
    #[must_use]
    pub fn asking(mut self, asks: mpsc::Sender<Asked>) -> Self {
        self.asks = Some(asks);
        self
    }

    /// The mode now.
    pub fn mode(&self) -> Mode {
        self.state().mode
    }

    /// Another mode from the next message on.
    pub fn set_mode(&self, mode: Mode) {
        self.state().mode = mode;
    }

    /// Lets that datum pass to that host (a name without port, or an address) from the next message on.
    pub fn allow(&self, datum: DatumId, host: &str) {
        self.state().allowed.insert((datum, host.to_ascii_lowercase()));
    }

    /// Takes that back. False where it had not been allowed.
    pub fn disallow(&self, datum: &DatumId, host: &str) -> bool {
        self.state().allowed.remove(&(datum.clone(), host.to_ascii_lowercase()))
    }

    /// What may pass to whom.
    pub fn allowed(&self) -> BTreeSet<(DatumId, String)> {
        self.state().allowed.clone()
    }

    /// Lets what cannot be read pass to that host, where others' is blocked.
    pub fn allow_unread(&self, host: &str) {
        self.state().unread.insert(host.to_ascii_lowercase());
    }

    /// Takes that back. False where it had not been allowed.
    pub fn disallow_unread(&self, host: &str) -> bool {
        self.state().unread.remove(&host.to_ascii_lowercase())
    }

    /// To whom what cannot be read may pass.
    pub fn unread(&self) -> BTreeSet<String> {
        self.state().unread.clone()
    }

    /// Whether what cannot be read may pass to that host.
    fn passes_unread(&self, host: &str) -> bool {
        let state = self.state();
        !self.settings.blocks_unreadable || state.mode == Mode::Notify || state.unread.contains(host)
    }

    fn is_allowed(&self, datum: &DatumId, host: &str) -> bool {
        let state = self.state();
        !state.allowed.is_empty() && state.allowed.contains(&(datum.clone(), host.to_owned()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a message whose decoding and search may take longer than others on the same thread should wait.
const LONG: usize = 128 << 10;

/// Bytes that are too few for a picture with anything in it.
const SHORT: usize = 64;

/// How pictures begin that are decoded where they lie in text, mostly as base64: JPEG, PNG, WebP.
const PICTURES_IN_TEXT: [&str; 5] = ["/9j/", "_9j_", "iVBORw0", "UklGR", "RIFF"];

/// Whether a picture, or what one may be packed in, seems to begin in bytes that are no text: JPEG with a segment that
/// comes first (ITU-T T.81), PNG, WebP, zip, gzip with known flags (RFC 1952), Zstandard.
fn shows_a_file(bytes: &[u8]) -> bool {
    const WHOLE: [&[u8]; 4] = [b"\x89PNG", b"RIFF", b"PK\x03\x04", b"\x28\xB5\x2F\xFD"];
    let shows = |start: &[u8], goes_on: fn(u8) -> bool| {
        memchr::memmem::find_iter(bytes, start).any(|at| bytes.get(at + start.len()).is_none_or(|next| goes_on(*next)))
    };
    WHOLE.iter().any(|start| memchr::memmem::find(bytes, start).is_some())
        || shows(b"\xFF\xD8\xFF", |next| matches!(next, 0xC0 | 0xC2 | 0xC4 | 0xDB | 0xE0..=0xEF | 0xFE))
        || shows(b"\x1F\x8B\x08", |next| next < 0x20)
}

/// Whether the search of a body may take longer than others on the same thread should wait. A short one takes little,
/// unless it holds a picture: a few kilobytes may speak of a hundred megapixels. What is no text may hold one behind
/// any wrapping. Of a body that goes on, only what begins in a window is unwrapped there; to have each window of it
/// searched by another thread would cost the memory of these threads.
fn may_take_long(body: &[u8], goes_on: bool) -> bool {
    let may_hold_picture = || match std::str::from_utf8(body) {
        Ok(text) => PICTURES_IN_TEXT.iter().any(|begin| text.contains(begin)),
        Err(_) if goes_on => shows_a_file(body),
        Err(_) => true,
    };
    body.len() > LONG || (body.len() >= SHORT && may_hold_picture())
}

/// Does work that may take long, without holding up other connections where other threads can take them.
fn aside<T>(is_long: bool, work: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Handle::try_current();
    let has_threads = runtime.is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_long && has_threads { tokio::task::block_in_place(work) } else { work() }
}

/// Bytes that a message holds of what all together may hold; given back when it is dropped.
struct Share {
    held: Arc<AtomicUsize>,
    most: usize,
    own: usize,
}

impl Share {
    fn of(guarding: &Guarding) -> Self {
        Self { held: Arc::clone(&guarding.held), most: guarding.settings.held_in_all, own: 0 }
    }

    /// Takes more; false where there is no room for it.
    fn take(&mut self, bytes: usize) -> bool {
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        self.own += bytes;
        before.saturating_add(bytes) <= self.most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.fetch_sub(self.own, Ordering::Relaxed);
    }
}
