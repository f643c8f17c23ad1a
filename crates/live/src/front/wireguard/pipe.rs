//! A connection of the tunnel's TCP as a stream: bounded both ways, so that a slow side slows the other.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Bytes that wait, in each direction.
pub(super) const WAITING: usize = 64 << 10;

/// What both ends of a pipe see.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each end of each direction ends on its own")]
pub(super) struct State {
    /// From the client.
    pub(super) up: VecDeque<u8>,
    /// To the client.
    pub(super) down: VecDeque<u8>,
    /// The client sends no more.
    pub(super) up_ended: bool,
    /// The client gets no more than what waits.
    pub(super) down_ended: bool,
    /// The client's connection was cut.
    pub(super) cut: bool,
    /// Nobody reads or writes the stream any more.
    pub(super) dropped: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl State {
    /// Lets whoever reads the stream look again.
    pub(super) fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    /// Lets whoever writes the stream look again.
    pub(super) fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }
}

/// The end that the TCP stack holds.
#[derive(Clone)]
pub(super) struct Pipe {
    state: Arc<Mutex<State>>,
    /// Tells the stack that there is something to do.
    stack: Arc<Notify>,
}

impl Pipe {
    pub(super) fn new(stack: Arc<Notify>) -> Self {
        Self { state: Arc::default(), stack }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other end; there is to be one.
    pub(super) fn stream(&self) -> PipeStream {
        PipeStream(self.clone())
    }
}

/// The end that is relayed.
pub(super) struct PipeStream(Pipe);

impl AsyncRead for PipeStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if state.up.is_empty() {
            if state.up_ended {
                return Poll::Ready(Ok(()));
            }
            if state.cut {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let was_full = state.up.len() >= WAITING;
        let taken = {
            let (front, _) = state.up.as_slices();
            let front = front.get(..out.remaining()).unwrap_or(front);
            out.put_slice(front);
            front.len()
        };
        state.up.drain(..taken);
        // The stack waits for room only where there was none.
        if was_full {
            self.0.stack.notify_one();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PipeStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        if state.cut || state.down_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = WAITING.saturating_sub(state.down.len());
        if room == 0 {
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let bytes = bytes.get(..room).unwrap_or(bytes);
        state.down.extend(bytes);
        self.0.stack.notify_one();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().down_ended = true;
        self.0.stack.notify_one();
        Poll::Ready(Ok(()))
    }
}

impl Drop for PipeStream {
    fn drop(&mut self) {
        self.0.lock().dropped = true;
        self.0.stack.notify_one();
    }
}
