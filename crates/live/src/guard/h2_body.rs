//! Answers and bodies on HTTP/2, which pass as they are, no faster than who reads them.

use crate::idle::Idle;
use ::h2::client::ResponseFuture;
use ::h2::server::SendResponse;
use ::h2::{RecvStream, SendStream};
use bytes::Bytes;
use http::{HeaderMap, Response};
use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;

/// Bytes of a body that the connection may keep: as many as the other side takes unasked (RFC 9113 section 6.5.2).
const SHORT: usize = 65_535;

/// A stream that data are sent on.
pub(super) struct Sending {
    pub(super) stream: SendStream<Bytes>,
    pub(super) idle: Idle,
}

impl Sending {
    /// Sends a body that is held as a whole. A short one does not wait for leave, so that it goes out together with the
    /// head; the connection keeps it until the other side gives leave.
    pub(super) async fn whole(&mut self, body: Bytes, is_last: bool) -> io::Result<()> {
        if body.len() > SHORT {
            return self.data(body, is_last).await;
        }
        self.stream.send_data(body, is_last).map_err(|_| failed())
    }

    /// Sends data as the other side gives leave.
    pub(super) async fn data(&mut self, mut data: Bytes, is_last: bool) -> io::Result<()> {
        if data.is_empty() {
            return self.stream.send_data(data, is_last).map_err(|_| failed());
        }
        while !data.is_empty() {
            self.stream.reserve_capacity(data.len());
            let room = self.idle.within(poll_fn(|context| self.stream.poll_capacity(context))).await;
            let room = room.ok_or_else(failed)?.map_err(|_| failed())?;
            let piece = data.split_to(room.min(data.len()));
            let ends = is_last && data.is_empty();
            self.stream.send_data(piece, ends).map_err(|_| failed())?;
        }
        Ok(())
    }

    /// Sends the fields behind the body.
    pub(super) fn trailers(&mut self, trailers: HeaderMap) -> io::Result<()> {
        self.stream.send_trailers(trailers).map_err(|_| failed())
    }
}

/// Passes a body and what stands behind it.
pub(super) async fn pipe(mut from: RecvStream, mut to: Sending) -> io::Result<()> {
    loop {
        let data = tokio::select! {
            data = to.idle.within(from.data()) => data,
            _ = poll_fn(|context| to.stream.poll_reset(context)) => return Err(failed()),
        };
        let Some(data) = data else { break };
        let data = data.map_err(|_| failed())?;
        let (length, is_last) = (data.len(), from.is_end_stream());
        to.data(data, is_last).await?;
        if is_last {
            return Ok(());
        }
        from.flow_control().release_capacity(length).map_err(|_| failed())?;
    }
    match from.trailers().await.map_err(|_| failed())? {
        Some(trailers) => to.trailers(trailers),
        None => to.data(Bytes::new(), true).await,
    }
}

/// Waits for the head of an answer, and passes what comes before it. `None` where the client does not want it any more.
pub(super) async fn respond(
    mut response: ResponseFuture,
    to: &mut SendResponse<Bytes>,
    idle: &Idle,
) -> io::Result<Option<Response<RecvStream>>> {
    let waiting = poll_fn(|context| {
        if to.poll_reset(context).is_ready() {
            return Poll::Ready(Ok(None));
        }
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(context) {
            let _ = to.send_informational(interim);
        }
        Pin::new(&mut response).poll(context).map(|response| response.map(Some).map_err(|_| failed()))
    });
    idle.within(waiting).await
}

/// What peers say on errors stays with them.
pub(super) fn failed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "HTTP/2 ended early")
}
