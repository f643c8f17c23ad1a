//! The client's side of a guarded connection: the watcher is told what the client sends and what it gets.

use crate::watch::{Watch, What};
use dyetrace_case::Side;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose bytes the watcher is told.
pub(crate) struct Told<S> {
    inner: S,
    watch: Watch,
    connection: u64,
    has_ended: [bool; 2],
}

impl<S> Told<S> {
    pub(crate) fn new(inner: S, watch: Watch, connection: u64) -> Self {
        Self { inner, watch, connection, has_ended: [false; 2] }
    }

    fn ended(&mut self, side: Side) {
        let has_ended = &mut self.has_ended[usize::from(side == Side::Response)];
        if !std::mem::replace(has_ended, true) {
            self.watch.tell_now(self.connection, What::Ended(side));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Told<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.watch.poll_room(context));
        let before = out.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, out))?;
        let fresh = out.filled().get(before..).unwrap_or_default();
        if fresh.is_empty() {
            self.ended(Side::Request);
        } else {
            self.watch.tell_now(self.connection, What::Bytes(Side::Request, fresh.to_vec()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Told<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.watch.poll_room(context));
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        let bytes = bytes.get(..written).unwrap_or_default();
        self.watch.tell_now(self.connection, What::Bytes(Side::Response, bytes.to_vec()));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
        self.ended(Side::Response);
        Poll::Ready(Ok(()))
    }
}
