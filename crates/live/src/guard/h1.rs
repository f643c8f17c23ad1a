//! HTTP/1 between a client and its server: one request after another, each looked at before it goes on.
//!
//! A request passes as the bytes that were sent, but for its chunks, which become others. The next request is read
//! when the answer is over, so that an answer of the guard stands where the client expects it.

use super::decide::{Numbered, Outcome, Progress, Warden};
use super::framing::Unframer;
use super::h1_answer::{Answered, answer};
use super::head::{self, Fields, Framing, HEAD, RequestHead};
use super::message::{self, Judged};
use super::strain::Strain;
use super::wire::{Ended, Wire, send, strained};
use super::{Decision, Noticed, Share, raw, refusal, websocket};
use dyetrace_case::{Message, Protocol};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};

/// A body without a length is let go as far as it came when its sender pauses for so long: it may wait for an answer.
const PAUSE: Duration = Duration::from_secs(2);
/// What a client still sends after it was refused is read for so long, so that it reads the refusal.
const LINGER: Duration = Duration::from_secs(1);

/// Both sides of a connection.
pub(super) struct Http1<C, S> {
    pub(super) warden: Warden,
    pub(super) client: Wire<ReadHalf<C>>,
    pub(super) to_client: WriteHalf<C>,
    pub(super) server: Wire<ReadHalf<S>>,
    pub(super) to_server: WriteHalf<S>,
}

/// A request's body as far as it was read.
struct Body {
    unframer: Unframer,
    content: Vec<u8>,
    share: Share,
    /// Whether there is more of it than may be held.
    is_long: bool,
    /// Whether the sender paused before its end.
    paused: bool,
}

impl<C, S> Http1<C, S>
where
    C: AsyncRead + AsyncWrite + Send,
    S: AsyncRead + AsyncWrite + Send,
{
    /// Passes requests and answers until one side is done.
    pub(super) async fn run(mut self) -> io::Result<()> {
        self.warden = self.warden.of(Some(Numbered::Http1(0)));
        let mut number = 0;
        while let Some(head) = self.next_head().await? {
            let (request, read) = (head::request(&head), head);
            let answered = match request.and_then(|head| head.framing().map(|framing| (head, framing))) {
                Ok((head, framing)) => self.exchange(head, read, framing).await,
                Err(why) => Err(Ended::Refused(why)),
            };
            match answered {
                Ok(Answered::Whole) => {
                    number += 1;
                    self.warden = self.warden.of(Some(Numbered::Http1(number)));
                }
                Ok(Answered::Over) => break,
                Ok(Answered::Tunnel) => return raw::run(self.unnumbered(), false).await,
                Ok(Answered::Upgraded) if self.warden.unreadable("another protocol follows an upgrade", 0).await => {
                    return raw::run(self.unnumbered(), true).await;
                }
                Ok(Answered::Upgraded) => return Err(Ended::Stopped(Vec::new()).into()),
                Ok(Answered::WebSocket(terms)) => return websocket::run(self.unnumbered(), terms).await,
                Err(ended) => return self.end(ended).await,
            }
        }
        let _ = self.to_server.shutdown().await;
        let _ = self.to_client.shutdown().await;
        Ok(())
    }

    /// What follows is no request of this connection any more.
    fn unnumbered(mut self) -> Self {
        self.warden = self.warden.of(None);
        self
    }

    /// The next request's head with its empty line; `None` where there is none.
    async fn next_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            // An empty line before a request is ignored (RFC 9112 section 2.2).
            while searched == 0 && self.client.bytes().starts_with(b"\r\n") {
                self.client.advance(2);
            }
            if let Some(end) = head::end_of(self.client.bytes(), searched) {
                let head = self.client.bytes().get(..end).unwrap_or_default().to_vec();
                self.client.advance(end);
                return Ok(Some(head));
            }
            searched = self.client.bytes().len();
            if searched > HEAD {
                let refused = self.end(Ended::Refused("the head is too long"));
                return refused.await.map(|()| None);
            }
            tokio::select! {
                biased;
                read = self.client.fill() => if !read? { return Ok(None) },
                read = self.server.fill() => if !read? { return Ok(None) },
            }
            if !self.server.bytes().is_empty() {
                // The server says without being asked that it ends the connection (408).
                send(&mut self.to_client, self.server.bytes()).await?;
                self.server.advance(usize::MAX);
            }
        }
    }

    async fn exchange(&mut self, head: RequestHead, read: Vec<u8>, framing: Framing) -> Result<Answered, Ended> {
        if head.expects_continue() && framing != Framing::Nothing {
            send(&mut self.to_client, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let body = self.collect(framing).await?;
        if body.unframer.is_done() && !body.is_long {
            self.whole(head, read, framing, body).await
        } else {
            Box::pin(self.long(head, read, framing, body)).await
        }
    }

    /// Reads a body up to the limit.
    async fn collect(&mut self, framing: Framing) -> Result<Body, Ended> {
        let settings = &self.warden.guarding.settings;
        let (mut unframer, mut content) = (Unframer::new(framing), Vec::new());
        let mut share = Share::of(&self.warden.guarding);
        let (mut paused, mut is_long) = (false, false);
        while !unframer.is_done() && !paused && !is_long {
            if self.client.bytes().is_empty() {
                let patience = if framing == Framing::Chunked { self.warden.pause(PAUSE) } else { Duration::MAX };
                match self.client.fill_for(patience).await? {
                    Some(true) => {}
                    Some(false) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                    None => paused = true,
                }
            }
            let step = unframer.step(self.client.bytes()).map_err(Ended::Refused)?;
            content.extend_from_slice(self.client.bytes().get(step.content.clone()).unwrap_or_default());
            self.client.advance(step.consumed);
            let has_room = share.take(step.content.len());
            is_long = content.len() > settings.hold_limit || !has_room;
        }
        Ok(Body { unframer, content, share, is_long, paused })
    }

    /// A request that was held as a whole.
    async fn whole(
        &mut self,
        head: RequestHead,
        read: Vec<u8>,
        framing: Framing,
        body: Body,
    ) -> Result<Answered, Ended> {
        let Body { content, unframer, mut share, .. } = body;
        let trailers = unframer.trailers();
        let message = message(&head, head.fields.iter().chain(&trailers).cloned().collect());
        let content = (framing != Framing::Nothing).then_some(content);
        let outgoing = match message::judge(&self.warden, protocol(&head), message, content, &mut share).await {
            Judged::Pass(content) => [read, framed(framing, &content, &trailers)].concat(),
            Judged::Changed(mut message, content, is_uncoded) => {
                let trailers = message.headers.split_off(head.fields.len().min(message.headers.len()));
                let head = changed(&head, *message, is_uncoded.then_some(content.len()));
                [head.bytes(), framed(framing, &content, &trailers)].concat()
            }
            Judged::Stopped(what) => {
                let closes = !head.is_11 || is_last(&head.fields);
                send(&mut self.to_client, &refusal::answer(&what, &self.warden.shown_host(), &head.method, closes))
                    .await?;
                return Ok(if closes { Answered::Over } else { Answered::Whole });
            }
        };
        let Self { to_client, server, to_server, .. } = self;
        let up = async { send(to_server, &outgoing).await.map_err(Ended::from) };
        // A server that answers before it has read everything may end the connection.
        let mut has_begun = false;
        let down = async { answer(server, to_client, &head, &mut has_begun).await.map_err(Ended::from) };
        tokio::try_join!(up, down).map(|((), answered)| answered)
    }

    /// A request that is too long to be held, or that pauses.
    async fn long(
        &mut self,
        head: RequestHead,
        read: Vec<u8>,
        framing: Framing,
        body: Body,
    ) -> Result<Answered, Ended> {
        let mut record = self.warden.record(protocol(&head), message(&head, head.fields.clone()));
        let first = match self.warden.judge(&mut record, Progress::default()).await {
            Outcome::Pass => read,
            Outcome::Changed => changed(&head, record.request.unwrap_or_default(), None).bytes(),
            Outcome::Stopped(what) => return self.stop(&what, &head.method).await,
        };
        let Ok(decoder) = message::decoder(&self.warden, &head.fields).await else {
            return self.stop(&[], &head.method).await;
        };
        let strain = Strain::new(self.warden.guarding.guard.longest(), decoder).behind(first.len());
        let warden = self.warden.clone();
        let Self { client, to_client, server, to_server, .. } = self;
        let mut upload = Upload { warden: &warden, client, to_server, strain, framing };
        let mut has_begun = false;
        let outcome = {
            let up = upload.run(first, body);
            let down = async { answer(server, to_client, &head, &mut has_begun).await.map_err(Ended::from) };
            tokio::try_join!(up, down).map(|((), answered)| answered)
        };
        let left = upload.strain.left();
        match outcome {
            Err(Ended::Stopped(what)) if !has_begun => self.stop(&what, &head.method).await,
            Err(Ended::Refused(why)) => {
                self.warden.tell_why(Decision::Refused, why, left).await;
                if !has_begun {
                    self.refuse(&refusal::bad_request(why)).await?;
                }
                Err(Ended::Stopped(Vec::new()))
            }
            outcome => outcome,
        }
    }

    /// Answers in the server's place, and ends the connection.
    async fn stop(&mut self, what: &[Noticed], method: &str) -> Result<Answered, Ended> {
        let _ = self.to_server.shutdown().await;
        self.refuse(&refusal::answer(what, &self.warden.shown_host(), method, true)).await?;
        Err(Ended::Stopped(Vec::new()))
    }

    /// Ends the connection. What is refused here has not begun to leave.
    async fn end(&mut self, ended: Ended) -> io::Result<()> {
        if let Ended::Refused(why) = &ended {
            self.warden.tell_why(Decision::Refused, why, 0).await;
            self.refuse(&refusal::bad_request(why)).await?;
        }
        Err(ended.into())
    }

    async fn refuse(&mut self, answer: &[u8]) -> io::Result<()> {
        send(&mut self.to_client, answer).await?;
        self.to_client.shutdown().await?;
        let drain = async {
            while let Ok(true) = self.client.fill().await {
                self.client.advance(usize::MAX);
            }
        };
        let _ = tokio::time::timeout(LINGER, drain).await;
        Ok(())
    }
}

/// A long body on its way to the server.
struct Upload<'a, R, W> {
    warden: &'a Warden,
    client: &'a mut Wire<R>,
    to_server: &'a mut W,
    strain: Strain,
    framing: Framing,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Upload<'_, R, W> {
    async fn run(&mut self, first: Vec<u8>, body: Body) -> Result<(), Ended> {
        let Body { mut unframer, content, share, mut paused, .. } = body;
        send(self.to_server, &first).await?;
        self.strain.push(&content);
        drop((content, share));
        loop {
            let all = unframer.is_done() || paused;
            self.pass(all).await?;
            if unframer.is_done() {
                return self.finish(unframer).await;
            }
            paused = self.read(&mut unframer).await?;
        }
    }

    /// Reads some; true where the sender paused.
    async fn read(&mut self, unframer: &mut Unframer) -> Result<bool, Ended> {
        if self.client.bytes().is_empty() {
            let may_pause = self.framing == Framing::Chunked && !self.strain.is_empty();
            match self.client.fill_for(if may_pause { self.warden.pause(PAUSE) } else { Duration::MAX }).await? {
                Some(true) => {}
                Some(false) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                None => return Ok(true),
            }
        }
        let step = unframer.step(self.client.bytes()).map_err(Ended::Refused)?;
        self.strain.push(self.client.bytes().get(step.content).unwrap_or_default());
        self.client.advance(step.consumed);
        Ok(false)
    }

    async fn pass(&mut self, all: bool) -> Result<(), Ended> {
        while let Some(out) = strained(self.warden, Protocol::Http11, &mut self.strain, all).await? {
            if out.is_empty() {
                continue;
            }
            match self.framing {
                Framing::Chunked => send(self.to_server, &chunk(&out)).await?,
                _ => send(self.to_server, &out).await?,
            }
        }
        Ok(())
    }

    async fn finish(&mut self, unframer: Unframer) -> Result<(), Ended> {
        let trailers = unframer.trailers();
        if self.framing != Framing::Chunked {
            return Ok(());
        }
        let message = Message { headers: trailers, ..Message::default() };
        let mut record = self.warden.record(Protocol::Http11, message);
        let progress = Progress { left: self.strain.left(), ..Progress::default() };
        if let Outcome::Stopped(what) = self.warden.judge(&mut record, progress).await {
            return Err(Ended::Stopped(what));
        }
        let trailers = record.request.map(|message| message.headers).unwrap_or_default();
        Ok(send(self.to_server, &last_chunk(&trailers)).await?)
    }
}

fn message(head: &RequestHead, headers: Fields) -> Message {
    let (method, target) = (Some(head.method.clone()), Some(head.target.clone()));
    Message { method, target, headers, ..Message::default() }
}

fn protocol(head: &RequestHead) -> Protocol {
    if head.is_11 { Protocol::Http11 } else { Protocol::Http10 }
}

/// A head with what was overwritten in it, and the length of a body that is not coded any more.
fn changed(head: &RequestHead, message: Message, uncoded: Option<usize>) -> RequestHead {
    let mut fields = message.headers;
    if let Some(length) = uncoded {
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-encoding"));
        let lengths = fields.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
        lengths.for_each(|(_, value)| *value = length.to_string().into_bytes());
    }
    let target = message.target.unwrap_or_else(|| head.target.clone());
    RequestHead { target, fields, ..head.clone() }
}

fn framed(framing: Framing, content: &[u8], trailers: &Fields) -> Vec<u8> {
    match framing {
        Framing::Chunked if content.is_empty() => last_chunk(trailers),
        Framing::Chunked => [chunk(content), last_chunk(trailers)].concat(),
        _ => content.to_vec(),
    }
}

fn chunk(content: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat()
}

fn last_chunk(trailers: &Fields) -> Vec<u8> {
    let mut out = b"0\r\n".to_vec();
    head::write_fields(trailers, &mut out);
    out.extend_from_slice(b"\r\n");
    out
}

/// Whether the client will send nothing more.
fn is_last(fields: &Fields) -> bool {
    let words = head::values(fields, "connection").into_iter().flat_map(|value| value.split(|byte| *byte == b','));
    words.into_iter().any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
}
