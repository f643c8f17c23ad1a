//! Streams that write down what passes, and streams whose first bytes were looked at already.

use crate::journal::Recorder;
use dyetrace_case::Side;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a proxy relays.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// A stream of which some bytes were read already; they are read again first.
#[derive(Debug)]
pub(crate) struct Rewound<S> {
    first: Vec<u8>,
    at: usize,
    inner: S,
}

impl<S> Rewound<S> {
    /// `first` comes before what `inner` still has to say.
    pub(crate) fn new(first: Vec<u8>, inner: S) -> Self {
        Self { first, at: 0, inner }
    }

    /// Leaves out some of the first bytes.
    pub(crate) fn skip(&mut self, length: usize) {
        self.at = self.at.saturating_add(length).min(self.first.len());
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let rest = self.first.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut self.inner).poll_read(context, out);
        }
        let taken = rest.len().min(out.remaining());
        out.put_slice(rest.get(..taken).unwrap_or_default());
        self.at += taken;
        if self.at == self.first.len() {
            (self.first, self.at) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// The client's end of a connection: what it sends and gets goes into the journal, as it stands on the wire.
pub(crate) struct Recorded<S> {
    inner: S,
    recorder: Arc<Recorder>,
    client_ended: bool,
    server_ended: bool,
}

impl<S> Recorded<S> {
    pub(crate) fn new(inner: S, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder, client_ended: false, server_ended: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorded<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.recorder.poll_room(context))?;
        let before = out.filled().len();
        let outcome = ready!(Pin::new(&mut self.inner).poll_read(context, out));
        let fresh = out.filled().get(before..).unwrap_or_default();
        match &outcome {
            Ok(()) if !fresh.is_empty() => self.recorder.bytes(Side::Request, fresh),
            Ok(()) if !self.client_ended => {
                self.client_ended = true;
                self.recorder.end(Side::Request);
            }
            Err(_) if !self.client_ended => {
                (self.client_ended, self.server_ended) = (true, true);
                self.recorder.reset(Side::Request, None);
            }
            _ => {}
        }
        Poll::Ready(outcome)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.recorder.poll_room(context))?;
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        self.recorder.bytes(Side::Response, bytes.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.recorder.poll_room(context))?;
        let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(context, slices))?;
        let mut rest = written;
        for slice in slices {
            let taken = rest.min(slice.len());
            self.recorder.bytes(Side::Response, slice.get(..taken).unwrap_or_default());
            rest -= taken;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = ready!(Pin::new(&mut self.inner).poll_shutdown(context));
        if !self.server_ended {
            self.server_ended = true;
            self.recorder.end(Side::Response);
        }
        Poll::Ready(outcome)
    }
}

impl<S> Drop for Recorded<S> {
    fn drop(&mut self) {
        if !(self.client_ended && self.server_ended) {
            self.recorder.reset(Side::Response, None);
        }
    }
}
