//! WebSocket messages of a client (RFC 6455), deflated or not (RFC 7692), each looked at before it goes on.
//!
//! A message passes in the frames in which it came. One that is changed, or is too long to be held, passes in others.
//! Once a deflated message was changed, the server's window is not the client's any more: the messages behind it go
//! on inflated, which needs no leave (RFC 7692 section 6).

use super::coding::Decoder;
use super::decide::{Outcome, Progress, Warden};
use super::frame::{FrameHead, unmask};
use super::h1::Http1;
use super::head::{self, Fields};
use super::redact::bytes_of;
use super::strain::Strain;
use super::wire::{Ended, Wire, send, strained};
use super::{Decision, LONG, Share, aside, close};
use dyetrace_case::Protocol;
use flate2::{Decompress, FlushDecompress, Status};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// What a sender takes off the end of each deflated message (RFC 7692 section 7.2.1).
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];
/// Inflated messages may be so many times as long as what is held.
const GROWTH: usize = 16;
/// Frames may be so many times as long as what is held: heads of short frames are longer than their content.
const FRAMES: usize = 4;
/// What a client still sends after it was told that the connection ends is read for so long, so that it reads that.
const LINGER: Duration = Duration::from_secs(1);
const CANNOT_INFLATE: &str = "a deflated message cannot be inflated";
const AFTER_CHANGE: &str = "behind a message that was changed, this one could not be read by the server";

/// What client and server agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Whether the client may deflate messages.
    deflates: bool,
    /// Whether it does so with a new window each time.
    resets: bool,
}

impl Terms {
    /// Reads them from the handshake. `None` where the protocol becomes another one than WebSocket.
    pub(super) fn agreed(request: &Fields, answer: &Fields) -> Option<Self> {
        if !is_named(request) || !is_named(answer) {
            return None;
        }
        let extensions = head::values(answer, "sec-websocket-extensions").join(&b","[..]).to_ascii_lowercase();
        let has = |word: &[u8]| extensions.split(|byte| b",;".contains(byte)).any(|found| found.trim_ascii() == word);
        Some(Self { deflates: has(b"permessage-deflate"), resets: has(b"client_no_context_takeover") })
    }
}

/// Whether the protocols that an upgrade leads to have WebSocket among them (RFC 9110 section 7.8).
fn is_named(fields: &Fields) -> bool {
    let protocols = head::values(fields, "upgrade").into_iter().flat_map(|value| value.split(|byte| *byte == b','));
    protocols.into_iter().any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// Passes messages until both sides are done.
pub(super) async fn run<C, S>(both: Http1<C, S>, terms: Terms) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Send,
    S: AsyncRead + AsyncWrite + Send,
{
    let Http1 { warden, client, mut to_client, mut server, to_server } = both;
    let inflater = terms.deflates.then(|| Decompress::new(false));
    let mut messages =
        Messages { warden: &warden, client, to_server, inflater, resets: terms.resets, inflates: false, left: 0 };
    let mut answers = Answers::default();
    let down = async { answers.pass(&mut server, &mut to_client).await.map_err(Ended::from) };
    let ended = match tokio::try_join!(messages.run(), down) {
        Ok(((), ())) => return Ok(()),
        Err(ended) => ended,
    };
    let code = match &ended {
        Ended::Failed(_) => return Err(ended.into()),
        Ended::Stopped(_) => close::POLICY,
        Ended::Refused(why) => {
            warden.tell_why(Decision::Refused, why, messages.left).await;
            close::PROTOCOL
        }
    };
    if answers.is_between() {
        // The client may have gone already.
        let _ = tokio::time::timeout(LINGER, close::say(&mut to_client, &mut messages.client, code)).await;
    }
    Err(ended.into())
}

/// What the client gets of the server, and where in its frames that is: a frame of our own may only stand between them.
#[derive(Default)]
struct Answers {
    /// Of a head that is not whole.
    head: Vec<u8>,
    /// Bytes of the frame's content that are still to come.
    rest: u64,
    /// Whether that is not known any more.
    is_lost: bool,
}

impl Answers {
    async fn pass(
        &mut self,
        server: &mut Wire<impl AsyncRead + Unpin>,
        to_client: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        loop {
            if !server.bytes().is_empty() {
                // Where this is dropped while it sends, nobody knows how much was sent.
                let was_lost = std::mem::replace(&mut self.is_lost, true);
                send(to_client, server.bytes()).await?;
                self.is_lost = was_lost;
                self.passed(server.bytes());
                server.advance(usize::MAX);
            }
            if !server.fill().await? {
                // The other end may have gone already.
                let _ = to_client.shutdown().await;
                self.is_lost = true;
                return Ok(());
            }
        }
    }

    fn passed(&mut self, mut bytes: &[u8]) {
        while let [first, behind @ ..] = bytes
            && !self.is_lost
        {
            if self.rest > 0 {
                let taken = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
                self.rest -= taken as u64;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            self.head.push(*first);
            bytes = behind;
            match FrameHead::read(&self.head) {
                Ok(None) => {}
                Ok(Some((head, _))) => {
                    self.rest = head.length;
                    self.head.clear();
                }
                Err(_) => self.is_lost = true,
            }
        }
    }

    fn is_between(&self) -> bool {
        !self.is_lost && self.rest == 0 && self.head.is_empty()
    }
}

struct Messages<'a, R, W> {
    warden: &'a Warden,
    client: Wire<R>,
    to_server: W,
    /// The client's window; `None` where nothing is deflated, or it was lost.
    inflater: Option<Decompress>,
    resets: bool,
    /// Whether deflated messages go on inflated.
    inflates: bool,
    /// Bytes of the message under way that have left.
    left: u64,
}

/// A message that is not whole yet.
struct Message {
    first: FrameHead,
    content: Vec<u8>,
    /// Its frames as they came.
    frames: Vec<u8>,
    share: Share,
    /// Content of the frame that was begun.
    frame: FrameHead,
    frame_read: u64,
}

impl Message {
    fn is_whole(&self) -> bool {
        self.frame.is_final && self.frame_read == self.frame.length
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Messages<'_, R, W> {
    async fn run(&mut self) -> Result<(), Ended> {
        let mut message: Option<Message> = None;
        while let Some((head, length)) = self.frame_head().await? {
            if head.opcode >= 8 {
                self.control(head, length).await?;
                continue;
            }
            let bytes = self.client.bytes().get(..length).unwrap_or_default().to_vec();
            self.client.advance(length);
            let mut current = match (message.take(), head.opcode) {
                (Some(message), 0) => Message { frame: head, frame_read: 0, ..message },
                (None, 1..) => Message {
                    first: head,
                    content: Vec::new(),
                    frames: Vec::new(),
                    share: Share::of(&self.warden.guarding),
                    frame: head,
                    frame_read: 0,
                },
                _ => return Err(Ended::Refused("a message begins within another one")),
            };
            current.frames.extend_from_slice(&bytes);
            let most = self.warden.guarding.settings.hold_limit.saturating_mul(FRAMES);
            let has_room = current.share.take(bytes.len()) && current.frames.len() <= most;
            if !has_room || !self.collect(&mut current).await? {
                self.long(current).await?;
            } else if current.is_whole() {
                self.whole(current).await?;
            } else {
                message = Some(current);
            }
        }
        // Its peer may have gone already.
        let _ = self.to_server.shutdown().await;
        Ok(())
    }

    /// The next frame's head, and its length.
    async fn frame_head(&mut self) -> Result<Option<(FrameHead, usize)>, Ended> {
        loop {
            if let Some(found) = FrameHead::read(self.client.bytes()).map_err(Ended::Refused)? {
                return Ok(Some(found));
            }
            if !self.client.fill().await? {
                return Ok(None);
            }
        }
    }

    /// A ping, a pong or the end: short, and it may come between the frames of a message.
    async fn control(&mut self, head: FrameHead, length: usize) -> Result<(), Ended> {
        let whole = length + head.length as usize;
        while self.client.bytes().len() < whole {
            self.more().await?;
        }
        let mut frame = self.client.bytes().get(..whole).unwrap_or_default().to_vec();
        self.client.advance(whole);
        let mut content = frame.split_off(length.min(frame.len()));
        unmask(&mut content, head.mask, 0);
        let mut record = self.warden.record_of(Protocol::WebSocket, content);
        if let Outcome::Stopped(what) = self.warden.judge(&mut record, Progress::default()).await {
            return Err(Ended::Stopped(what));
        }
        let content = record.request.as_ref().map(bytes_of).unwrap_or_default();
        Ok(send(&mut self.to_server, &head.with(&content)).await?)
    }

    /// Reads the content of the frame that was begun. False where there is more than may be held.
    async fn collect(&mut self, message: &mut Message) -> Result<bool, Ended> {
        while message.frame_read < message.frame.length {
            let piece = self.content(message.frame, message.frame_read, Some(&mut message.frames)).await?;
            message.frame_read += piece.len() as u64;
            message.content.extend_from_slice(&piece);
            let has_room = message.share.take(2 * piece.len());
            if message.content.len() > self.warden.guarding.settings.hold_limit || !has_room {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Some content of a frame, unmasked; as it came it goes behind `frames`.
    async fn content(&mut self, frame: FrameHead, at: u64, frames: Option<&mut Vec<u8>>) -> Result<Vec<u8>, Ended> {
        if self.client.bytes().is_empty() {
            self.more().await?;
        }
        let left = usize::try_from(frame.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let bytes = self.client.bytes();
        let mut piece = bytes.get(..left.min(bytes.len())).unwrap_or_default().to_vec();
        if let Some(frames) = frames {
            frames.extend_from_slice(&piece);
        }
        self.client.advance(piece.len());
        unmask(&mut piece, frame.mask, at);
        Ok(piece)
    }

    async fn more(&mut self) -> Result<(), Ended> {
        if self.client.fill().await? { Ok(()) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) }
    }

    async fn whole(&mut self, message: Message) -> Result<(), Ended> {
        let Message { first, content, frames, mut share, .. } = message;
        let is_long = content.len() > LONG;
        let inflated = if first.is_deflated { aside(is_long, || self.inflate(&content, &mut share)) } else { None };
        let is_unread = first.is_deflated && inflated.is_none();
        if is_unread && !self.passes_uninflated().await {
            return Err(Ended::Stopped(Vec::new()));
        }
        let must_change = self.inflates && first.is_deflated;
        let mut record = self.warden.record_of(Protocol::WebSocket, inflated.unwrap_or(content));
        // What is deflated still cannot be overwritten.
        match self.warden.judge(&mut record, Progress { is_fixed: is_unread, ..Progress::default() }).await {
            Outcome::Pass if !must_change => return Ok(send(&mut self.to_server, &frames).await?),
            Outcome::Pass => {}
            Outcome::Changed => self.inflates |= first.is_deflated,
            Outcome::Stopped(what) => return Err(Ended::Stopped(what)),
        }
        let head = FrameHead { is_final: true, is_deflated: false, ..first };
        let content = record.request.as_ref().map(bytes_of).unwrap_or_default();
        Ok(send(&mut self.to_server, &head.with(&content)).await?)
    }

    /// Inflates a whole message. `None` where that cannot be done; then the window is lost.
    fn inflate(&mut self, content: &[u8], share: &mut Share) -> Option<Vec<u8>> {
        let most = self.warden.guarding.settings.hold_limit.saturating_mul(GROWTH);
        let mut state = self.inflater.take()?;
        let inflated = inflate(&mut state, &[content, &FLUSH].concat(), most, &mut |bytes| share.take(bytes))?;
        if self.resets {
            state.reset(false);
        }
        self.inflater = Some(state);
        Some(inflated)
    }

    /// Whether a deflated message that cannot be inflated here may pass.
    async fn passes_uninflated(&self) -> bool {
        if self.inflates {
            self.warden.tell_why(Decision::Blocked, AFTER_CHANGE, 0).await;
            return false;
        }
        self.warden.unreadable(CANNOT_INFLATE, 0).await
    }

    /// Passes a message that is too long to be held, in frames of our own.
    async fn long(&mut self, message: Message) -> Result<(), Ended> {
        let Message { first, content, mut frame, mut frame_read, frames, share } = message;
        let decoder = if first.is_deflated { self.inflater.take().map(Decoder::inflating) } else { None };
        let is_lost = first.is_deflated && (self.inflates || decoder.is_none());
        if is_lost && !self.passes_uninflated().await {
            return Err(Ended::Stopped(Vec::new()));
        }
        let trims = if decoder.is_some() { FLUSH.len() } else { 0 };
        let strain = Strain::new(self.warden.guarding.guard.longest(), decoder);
        let mut going = Going { strain, head: first, trims, waiting: Vec::new() };
        going.strain.push(&content);
        drop((content, frames, share));
        loop {
            self.pass(&mut going, false).await?;
            if frame_read < frame.length {
                let piece = self.content(frame, frame_read, None).await?;
                frame_read += piece.len() as u64;
                going.strain.push(&piece);
            } else if frame.is_final {
                break;
            } else {
                (frame, frame_read) = (self.continuation().await?, 0);
            }
        }
        if trims > 0 {
            going.strain.push(&FLUSH);
        }
        self.pass(&mut going, true).await?;
        send(&mut self.to_server, &going.last()).await?;
        self.left = 0;
        if first.is_deflated {
            self.inflater = going.strain.into_decoder().and_then(Decoder::into_inflating);
            if let Some(inflater) = self.inflater.as_mut().filter(|_| self.resets) {
                inflater.reset(false);
            }
        }
        Ok(())
    }

    /// The next frame of a long message; what comes between passes.
    async fn continuation(&mut self) -> Result<FrameHead, Ended> {
        loop {
            let ended = || Ended::from(io::Error::from(io::ErrorKind::UnexpectedEof));
            let (head, length) = self.frame_head().await?.ok_or_else(ended)?;
            match head.opcode {
                0 => {
                    self.client.advance(length);
                    return Ok(head);
                }
                8.. => self.control(head, length).await?,
                _ => return Err(Ended::Refused("a message begins within another one")),
            }
        }
    }

    async fn pass(&mut self, going: &mut Going, all: bool) -> Result<(), Ended> {
        while let Some(out) = strained(self.warden, Protocol::WebSocket, &mut going.strain, all).await? {
            if let Some(frame) = going.frame(&out) {
                send(&mut self.to_server, &frame).await?;
            }
            self.left = going.strain.left();
        }
        Ok(())
    }
}

/// A long message on its way.
struct Going {
    strain: Strain,
    /// Of the next frame.
    head: FrameHead,
    /// Bytes at the end that are not the client's.
    trims: usize,
    waiting: Vec<u8>,
}

impl Going {
    /// The next frame, where there is content for it.
    fn frame(&mut self, content: &[u8]) -> Option<Vec<u8>> {
        self.waiting.extend_from_slice(content);
        let ready: Vec<u8> = self.waiting.drain(..self.waiting.len().saturating_sub(self.trims)).collect();
        if ready.is_empty() {
            return None;
        }
        let head = FrameHead { is_final: false, ..self.head };
        self.head = FrameHead { opcode: 0, is_deflated: false, ..self.head };
        Some(head.with(&ready))
    }

    /// The frame that ends it.
    fn last(&self) -> Vec<u8> {
        FrameHead { is_final: true, ..self.head }.with(b"")
    }
}

fn inflate(
    state: &mut Decompress,
    mut input: &[u8],
    most: usize,
    has_room: &mut dyn FnMut(usize) -> bool,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        out.reserve(input.len().saturating_mul(3).clamp(512, 32 << 10));
        let (before_in, before_out) = (state.total_in(), state.total_out());
        let status = state.decompress_vec(input, &mut out, FlushDecompress::Sync).ok()?;
        let consumed = (state.total_in() - before_in) as usize;
        let produced = (state.total_out() - before_out) as usize;
        input = input.get(consumed..).unwrap_or_default();
        if out.len() > most || !has_room(produced) {
            return None;
        }
        if status == Status::StreamEnd {
            // A final block within ends the stream, and another one may follow (RFC 7692 section 7.2.3.5).
            state.reset(false);
            if input.is_empty() || input == FLUSH || input == [&[0], &FLUSH[..]].concat() {
                return Some(out);
            }
        } else if consumed == 0 && produced == 0 {
            return input.is_empty().then_some(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn terms_are_what_the_server_chose() {
        let request = fields(&[("Upgrade", "websocket")]);
        let agreed = |extensions| {
            Terms::agreed(&request, &fields(&[("upgrade", "WebSocket"), ("Sec-WebSocket-Extensions", extensions)]))
        };
        assert_eq!(agreed("x-other"), Some(Terms { deflates: false, resets: false }));
        assert_eq!(
            agreed("permessage-deflate; client_no_context_takeover; server_max_window_bits=10"),
            Some(Terms { deflates: true, resets: true })
        );
        assert_eq!(Terms::agreed(&request, &fields(&[("Upgrade", "h2c")])), None);
        let several = fields(&[("Upgrade", "x, WebSocket")]);
        assert!(Terms::agreed(&several, &request).is_some(), "one of several that the client offered");
    }

    #[test]
    fn messages_of_one_window_are_inflated_one_after_another() {
        let (mut deflater, mut inflater) = (Compress::new(Compression::best(), false), Decompress::new(false));
        for text in ["the same words, said at length", "the same words, said at length", ""] {
            let mut out = Vec::with_capacity(1000);
            deflater.compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync).unwrap();
            assert_eq!(inflate(&mut inflater, &out, 100, &mut |_| true).unwrap(), text.as_bytes());
        }
        let mut bomb = Vec::with_capacity(10_000);
        deflater.compress_vec(&vec![0; 100_000], &mut bomb, FlushCompress::Sync).unwrap();
        assert_eq!(inflate(&mut inflater, &bomb, 1000, &mut |_| true), None);
        let mut inflater = Decompress::new(false);
        assert_eq!(inflate(&mut inflater, &bomb, 1 << 20, &mut |_| false), None, "it counts among what is held");
    }
}
