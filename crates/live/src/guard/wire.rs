//! One direction of a connection, and the ways in which a guarded connection ends.

use super::Noticed;
use super::decide::{Outcome, Progress, Warden};
use super::redact::bytes_of;
use super::strain::Strain;
use crate::idle::Idle;
use bytes::{Buf as _, BytesMut};
use dyetrace_case::Protocol;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes read at once.
const PIECE: usize = 32 << 10;

/// Why a connection does not go on.
#[derive(Debug)]
pub(super) enum Ended {
    /// The network, or a peer.
    Failed(io::Error),
    /// The guard.
    Stopped(Vec<Noticed>),
    /// The client sent what two readers could read differently.
    Refused(&'static str),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Ended> for io::Error {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Failed(error) => error,
            Ended::Stopped(_) => Self::new(io::ErrorKind::ConnectionAborted, "the guard cut the connection"),
            Ended::Refused(why) => Self::new(io::ErrorKind::InvalidData, why),
        }
    }
}

/// Bytes that come, and those of them that were not used yet.
pub(super) struct Wire<R> {
    from: R,
    buffer: BytesMut,
    idle: Idle,
}

impl<R: AsyncRead + Unpin> Wire<R> {
    pub(super) fn new(from: R, idle: Idle) -> Self {
        Self { from, buffer: BytesMut::new(), idle }
    }

    /// What came and was not used.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Uses up some of it.
    pub(super) fn advance(&mut self, length: usize) {
        self.buffer.advance(length.min(self.buffer.len()));
    }

    /// Reads more; false at the end. Nothing is lost where this is dropped before it is done.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(PIECE);
        match self.idle.within(self.from.read_buf(&mut self.buffer)).await {
            Ok(length) => Ok(length > 0),
            // A peer that closes TCP without closing TLS has said all it wanted.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads more for so long; `None` where nothing came.
    pub(super) async fn fill_for(&mut self, patience: Duration) -> io::Result<Option<bool>> {
        tokio::time::timeout(patience, self.fill()).await.map_or(Ok(None), |read| read.map(Some))
    }

    /// Passes everything on until the end.
    pub(super) async fn pass(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        loop {
            if !self.buffer.is_empty() {
                send(to, &self.buffer).await?;
                self.buffer.clear();
            }
            if !self.fill().await? {
                // The other end may have gone already.
                let _ = to.shutdown().await;
                return Ok(());
            }
        }
    }
}

/// Sends bytes at once.
pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// What may leave of a long message after its next window was looked at; `None` where more is needed first.
pub(super) async fn strained(
    warden: &Warden,
    protocol: Protocol,
    strain: &mut Strain,
    all: bool,
) -> Result<Option<Vec<u8>>, Ended> {
    let window = strain.window(all);
    if strain.broke() && !warden.unreadable("the content coding is not what it says", strain.left()).await {
        return Err(Ended::Stopped(Vec::new()));
    }
    let Some(window) = window else {
        let rest = strain.release(all);
        return Ok(Some(rest).filter(|rest| !rest.is_empty()));
    };
    let progress = Progress { left: strain.left(), seen: window.seen, gone: window.gone, is_fixed: strain.is_coded() };
    let mut record = warden.record_of(protocol, window.bytes);
    match warden.judge(&mut record, progress).await {
        Outcome::Pass => {}
        Outcome::Changed => strain.replace(&record.request.as_ref().map(bytes_of).unwrap_or_default()),
        Outcome::Stopped(what) => return Err(Ended::Stopped(what)),
    }
    // The tail stays until it is known that nothing comes behind it.
    Ok(Some(strain.release(false)))
}
