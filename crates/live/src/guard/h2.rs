//! HTTP/2 (RFC 9113): two connections, and each request on both of them.
//!
//! Headers are compressed for each connection alone, so a request is made anew for the server: with the same fields
//! in the same order, but for fields of one name, which stand together.

use super::decide::{Numbered, Outcome, Progress, Warden};
use super::h2_body::{Sending, failed, pipe, respond};
use super::head::Fields;
use super::message::{self, Judged};
use super::part::Part;
use super::strain::Strain;
use super::wire::{Ended, strained};
use super::{Noticed, Share, refusal};
use crate::idle::Idle;
use crate::stream::Stream;
use ::h2::client::{self, ResponseFuture};
use ::h2::server::{self, SendResponse};
use ::h2::{Reason, RecvStream, SendStream};
use bytes::Bytes;
use dyetrace_case::{Message, Protocol};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;
use tokio::io::BufWriter;

/// Requests at once on one connection.
const STREAMS: u32 = 128;
/// Bytes of a header list.
const HEADERS: u32 = 64 << 10;
/// Bytes that one side may send ahead, on one stream and on all of a connection.
const WINDOW: u32 = 256 << 10;
const WINDOWS: u32 = 1 << 20;
/// Bytes of frames that are sent together: as many as fit a record of TLS.
const WRITTEN: usize = 16 << 10;
/// As on HTTP/1; remote procedure calls speak both ways at once and wait for less.
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_OF_CALLS: Duration = Duration::from_millis(15);

/// Passes requests and answers until one side is done.
pub(super) async fn run(warden: Warden, client: impl Stream, server: impl Stream, idle: Idle) -> io::Result<()> {
    let mut here = server::Builder::new();
    here.max_concurrent_streams(STREAMS).max_header_list_size(HEADERS);
    here.initial_window_size(WINDOW).initial_connection_window_size(WINDOWS).max_send_buffer_size(WINDOW as usize);
    let mut there = client::Builder::new();
    there.enable_push(false).max_header_list_size(HEADERS).max_send_buffer_size(WINDOW as usize);
    there.initial_window_size(WINDOW).initial_connection_window_size(WINDOWS);
    // A request is several frames, and each would be a write of its own.
    let (client, server) = (BufWriter::with_capacity(WRITTEN, client), BufWriter::with_capacity(WRITTEN, server));
    let opening = async { tokio::try_join!(here.handshake::<_, Bytes>(client), there.handshake::<_, Bytes>(server)) };
    let (mut requests, (upstream, mut connection)) = idle.within(opening).await.map_err(|_| failed())?;
    // In this task, not in tasks of their own: waking another thread for each costs more than looking at a request. And
    // each is polled only when it is woken: to look at both connections whenever anything happens costs as much again.
    let (mut here, mut there, mut exchanges) = (Part::default(), Part::default(), FuturesUnordered::new());
    let (mut is_over, mut waiting) = (false, None);
    poll_fn(move |context| {
        if let Some(mut own) = there.due()
            && !is_over
            && connection.poll_unpin(&mut own).is_ready()
        {
            is_over = true;
            requests.graceful_shutdown();
            here.wake();
        }
        while let Some(Poll::Ready(accepted)) = here.due().map(|mut own| requests.poll_accept(&mut own)) {
            // There may be more.
            here.wake();
            match accepted {
                // Requests that were given up at once may still wait for a person.
                Some(Ok(_)) if exchanges.len() > 4 * STREAMS as usize => return Poll::Ready(Err(failed())),
                Some(Ok((request, respond))) => {
                    let message = Numbered::Http2(respond.stream_id().as_u32());
                    let (warden, upstream) = (warden.of(Some(message)), upstream.clone());
                    let exchange = Exchange { warden, upstream, respond, has_begun: false, idle: idle.clone() };
                    exchanges.push(exchange.run(request));
                }
                Some(Err(_)) => return Poll::Ready(Err(failed())),
                None => return Poll::Ready(Ok(())),
            }
        }
        while let Poll::Ready(Some(())) = exchanges.poll_next_unpin(context) {}
        // What came is awaited by its exchange.
        if exchanges.is_empty() != waiting.is_some() {
            waiting = exchanges.is_empty().then(|| idle.wait());
        }
        if !(here.rests(context) & there.rests(context)) {
            // After the other connections: what several of them write one behind the other wakes their ends less often.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

/// One request and its answer.
struct Exchange {
    warden: Warden,
    upstream: client::SendRequest<Bytes>,
    respond: SendResponse<Bytes>,
    /// Whether the client got any of the answer.
    has_begun: bool,
    idle: Idle,
}

/// A body as far as it was read.
struct Body {
    stream: RecvStream,
    content: Vec<u8>,
    is_whole: bool,
    paused: bool,
    share: Share,
}

impl Exchange {
    async fn run(mut self, request: Request<RecvStream>) {
        let is_head = request.method() == http::Method::HEAD;
        match self.exchange(request).await {
            Ok(()) => {}
            Err(Ended::Stopped(what)) if !self.has_begun => self.refuse(&what, is_head),
            Err(_) => self.respond.send_reset(Reason::CANCEL),
        }
    }

    async fn exchange(&mut self, request: Request<RecvStream>) -> Result<(), Ended> {
        let (parts, stream) = request.into_parts();
        let has_body = !stream.is_end_stream();
        if parts.headers.get("expect").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
            let mut go_on = Response::new(());
            *go_on.status_mut() = StatusCode::CONTINUE;
            let _ = self.respond.send_informational(go_on);
        }
        let body = self.collect(&parts, stream).await?;
        if body.is_whole {
            self.whole(parts, body, has_body).await
        } else {
            // Not all exchanges are to be as large as what a long one holds.
            Box::pin(self.long(parts, body)).await
        }
    }

    async fn collect(&self, parts: &Parts, stream: RecvStream) -> Result<Body, Ended> {
        let share = Share::of(&self.warden.guarding);
        let mut body = Body { stream, content: Vec::new(), is_whole: false, paused: false, share };
        let pause = self.pause(parts);
        loop {
            match next(&mut body.stream, pause, &self.idle).await? {
                Next::Data(data) => {
                    body.content.extend_from_slice(&data);
                    let has_room = body.share.take(data.len());
                    if body.content.len() > self.warden.guarding.settings.hold_limit || !has_room {
                        return Ok(body);
                    }
                }
                Next::End => {
                    body.is_whole = true;
                    return Ok(body);
                }
                Next::Paused => {
                    body.paused = true;
                    return Ok(body);
                }
            }
        }
    }

    /// After which pause a body is let go; one with a length is sent in one go.
    fn pause(&self, parts: &Parts) -> Option<Duration> {
        let is_call =
            parts.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let usual = if is_call { PAUSE_OF_CALLS } else { PAUSE };
        (!parts.headers.contains_key("content-length")).then(|| self.warden.pause(usual))
    }

    async fn whole(&mut self, parts: Parts, mut body: Body, has_body: bool) -> Result<(), Ended> {
        let trailers = body.stream.trailers().await.map_err(|_| failed())?;
        let head = message_of(&parts);
        let count = head.headers.len();
        let mut message = head;
        message.headers.extend(trailers.iter().flat_map(fields));
        let content = has_body.then_some(std::mem::take(&mut body.content));
        let judged = message::judge(&self.warden, Protocol::Http2, message, content, &mut body.share).await;
        let (request, content, trailers) = match judged {
            Judged::Pass(content) => (request(parts), content, trailers),
            Judged::Changed(mut message, content, is_uncoded) => {
                let changed = message.headers.split_off(count.min(message.headers.len()));
                let trailers = trailers.map(|_| map(&changed)).transpose()?;
                let length = is_uncoded.then_some(content.len());
                (changed_request(parts, *message, length)?, content, trailers)
            }
            Judged::Stopped(what) => return Err(Ended::Stopped(what)),
        };
        let (response, stream) = self.open(request, !has_body).await?;
        let mut sending = Sending { stream, idle: self.idle.clone() };
        let up = async {
            if has_body {
                sending.whole(content.into(), trailers.is_none()).await?;
            }
            trailers.map_or(Ok(()), |trailers| sending.trailers(trailers)).map_err(Ended::from)
        };
        let down = self.answer(response);
        tokio::try_join!(up, down).map(|_| ())
    }

    /// A body that is too long to be held, or that pauses.
    async fn long(&mut self, parts: Parts, body: Body) -> Result<(), Ended> {
        let mut record = self.warden.record(Protocol::Http2, message_of(&parts));
        let pause = self.pause(&parts);
        let outcome = self.warden.judge(&mut record, Progress::default()).await;
        let message = record.request.unwrap_or_default();
        let head = length_of(&message);
        let stopped = |()| Ended::Stopped(Vec::new());
        let decoder = message::decoder(&self.warden, &message.headers).await.map_err(stopped)?;
        let request = match outcome {
            Outcome::Pass => request(parts),
            Outcome::Changed => changed_request(parts, message, None)?,
            Outcome::Stopped(what) => return Err(Ended::Stopped(what)),
        };
        let (response, stream) = self.open(request, false).await?;
        let strain = Strain::new(self.warden.guarding.guard.longest(), decoder).behind(head);
        let sending = Sending { stream, idle: self.idle.clone() };
        let mut upload = Upload { warden: self.warden.clone(), strain, sending, pause, idle: self.idle.clone() };
        let up = upload.run(body);
        let outcome = tokio::try_join!(up, self.answer(response)).map(|_| ());
        if matches!(outcome, Err(Ended::Stopped(_))) {
            upload.sending.stream.send_reset(Reason::CANCEL);
        }
        outcome
    }

    async fn open(
        &mut self,
        request: Request<()>,
        is_over: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), Ended> {
        self.idle.within(poll_fn(|context| self.upstream.poll_ready(context))).await.map_err(|_| failed())?;
        Ok(self.upstream.send_request(request, is_over).map_err(|_| failed())?)
    }

    /// Passes the answer.
    async fn answer(&mut self, response: ResponseFuture) -> Result<(), Ended> {
        let Some(response) = respond(response, &mut self.respond, &self.idle).await? else { return Ok(()) };
        self.has_begun = true;
        let (parts, body) = response.into_parts();
        let is_over = body.is_end_stream();
        let to_client = self.respond.send_response(Response::from_parts(parts, ()), is_over).map_err(|_| failed())?;
        if is_over { Ok(()) } else { Ok(pipe(body, Sending { stream: to_client, idle: self.idle.clone() }).await?) }
    }

    fn refuse(&mut self, what: &[Noticed], is_head: bool) {
        let body = refusal::body(what, &self.warden.shown_host());
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS;
        let fields = answer.headers_mut();
        fields.insert("content-type", HeaderValue::from_static("application/json"));
        fields.insert("cache-control", HeaderValue::from_static("no-store"));
        fields.insert("content-length", HeaderValue::from(body.len()));
        // Where the client has gone, nobody is to be told.
        if let Ok(mut stream) = self.respond.send_response(answer, is_head)
            && !is_head
        {
            let _ = stream.send_data(body.into(), true);
        }
    }
}

/// A long body on its way to the server.
struct Upload {
    warden: Warden,
    strain: Strain,
    sending: Sending,
    pause: Option<Duration>,
    idle: Idle,
}

impl Upload {
    async fn run(&mut self, body: Body) -> Result<(), Ended> {
        let Body { mut stream, content, mut paused, share, .. } = body;
        self.strain.push(&content);
        drop((content, share));
        loop {
            self.pass(paused).await?;
            let pause = self.pause.filter(|_| !self.strain.is_empty());
            match next(&mut stream, pause, &self.idle).await? {
                Next::Data(data) => {
                    self.strain.push(&data);
                    paused = false;
                }
                Next::Paused => paused = true,
                Next::End => break,
            }
        }
        self.pass(true).await?;
        match stream.trailers().await.map_err(|_| failed())? {
            None => self.sending.data(Bytes::new(), true).await?,
            Some(trailers) => {
                let trailers = self.judge(&trailers).await?;
                self.sending.trailers(trailers)?;
            }
        }
        Ok(())
    }

    async fn pass(&mut self, all: bool) -> Result<(), Ended> {
        while let Some(out) = strained(&self.warden, Protocol::Http2, &mut self.strain, all).await? {
            if !out.is_empty() {
                self.sending.data(out.into(), false).await?;
            }
        }
        Ok(())
    }

    async fn judge(&self, trailers: &HeaderMap) -> Result<HeaderMap, Ended> {
        let message = Message { headers: fields(trailers), ..Message::default() };
        let mut record = self.warden.record(Protocol::Http2, message);
        let progress = Progress { left: self.strain.left(), ..Progress::default() };
        match self.warden.judge(&mut record, progress).await {
            Outcome::Stopped(what) => Err(Ended::Stopped(what)),
            Outcome::Pass => Ok(trailers.clone()),
            Outcome::Changed => map(&record.request.unwrap_or_default().headers),
        }
    }
}

/// What comes next of a body.
enum Next {
    Data(Bytes),
    End,
    Paused,
}

async fn next(stream: &mut RecvStream, pause: Option<Duration>, idle: &Idle) -> Result<Next, Ended> {
    let data = idle.within(stream.data());
    let data = match pause {
        None => data.await,
        Some(pause) => match tokio::time::timeout(pause, data).await {
            Ok(data) => data,
            Err(_) => return Ok(Next::Paused),
        },
    };
    match data {
        None => Ok(Next::End),
        Some(Err(_)) => Err(failed().into()),
        Some(Ok(data)) => {
            // What is held is bounded by the limit, not by the window.
            let _ = stream.flow_control().release_capacity(data.len());
            Ok(Next::Data(data))
        }
    }
}

/// The pseudo-field stands first, as `:authority`.
fn message_of(parts: &Parts) -> Message {
    let authority = parts.uri.authority().map(|authority| (AUTHORITY.to_vec(), authority.as_str().as_bytes().to_vec()));
    Message {
        method: Some(parts.method.as_str().to_owned()),
        target: Some(parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str).as_bytes().to_vec()),
        headers: authority.into_iter().chain(fields(&parts.headers)).collect(),
        ..Message::default()
    }
}

/// Bytes that a head says, without their compression.
fn length_of(message: &Message) -> usize {
    let fields: usize = message.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    fields + message.target.as_ref().map_or(0, Vec::len) + message.method.as_ref().map_or(0, String::len)
}

const AUTHORITY: &[u8] = b":authority";

fn request(parts: Parts) -> Request<()> {
    Request::from_parts(parts, ())
}

/// The request with what was overwritten, and the length of a body that is not coded any more.
fn changed_request(mut parts: Parts, message: Message, uncoded: Option<usize>) -> Result<Request<()>, Ended> {
    let unfit = || Ended::Stopped(Vec::new());
    let mut headers = message.headers;
    let mut uri = parts.uri.into_parts();
    if headers.first().is_some_and(|(name, _)| name == AUTHORITY) {
        let (_, authority) = headers.remove(0);
        uri.authority = Some(authority.as_slice().try_into().map_err(|_| unfit())?);
    }
    if let Some(target) = message.target.filter(|target| !target.is_empty()) {
        uri.path_and_query = Some(target.as_slice().try_into().map_err(|_| unfit())?);
    }
    parts.uri = Uri::from_parts(uri).map_err(|_| unfit())?;
    parts.headers = map(&headers)?;
    if let Some(length) = uncoded {
        parts.headers.remove("content-encoding");
        if parts.headers.contains_key("content-length") {
            parts.headers.insert("content-length", HeaderValue::from(length));
        }
    }
    Ok(Request::from_parts(parts, ()))
}

fn fields(headers: &HeaderMap) -> Fields {
    headers.iter().map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn map(fields: &Fields) -> Result<HeaderMap, Ended> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let unfit = || Ended::Stopped(Vec::new());
        let name = HeaderName::from_bytes(name).map_err(|_| unfit())?;
        headers.append(name, HeaderValue::from_bytes(value).map_err(|_| unfit())?);
    }
    Ok(headers)
}
