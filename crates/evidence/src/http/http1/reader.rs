//! One direction of an HTTP/1 connection: bytes to heads, bodies and what lies outside of them.
//!
//! The reader knows framing only. Which response answers which request, and what becomes of the
//! pieces, is decided by its user, who tells it the framing after each head.

use super::chunked::{Chunked, Piece};
use super::framing::Length;
use super::head::{Field, Head, head_end, is_start_line, may_start_line};
use crate::layer::Limits;
use dyetrace_case::Side;
use memchr::memchr;

/// What came next.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A head, in full. [`Reader::expect`] must follow.
    Head(Head),
    /// A head that broke off. No body is read behind it.
    PartOfHead(Head),
    /// Some of a body.
    Body(&'a [u8]),
    /// The end of a message, with its trailer fields.
    End(Vec<Field>),
    /// A body broke off: what follows is no chunk.
    Broken,
    /// Bytes outside any message.
    Stray(Vec<u8>),
}

/// What a gap tore.
#[derive(Debug)]
pub(super) enum Torn {
    /// Nothing, or bytes outside any message.
    Between(Option<Vec<u8>>),
    /// A head.
    Head(Head),
    /// A body that goes on behind the gap.
    Body,
    /// A body that ended, or may have ended, within the gap.
    BodyEnd,
}

#[derive(Debug)]
enum State {
    /// At the start of a line that may be a start line. `stray` where bytes outside of messages
    /// came before.
    Line { stray: bool },
    /// Within a line that is no start line.
    RestOfLine,
    /// Within a head, in the line that begins at that offset of it.
    Head(usize),
    /// Within a body of so many more bytes.
    Exact(u64),
    /// Within a chunked body.
    Chunked(Chunked),
    /// Within a body that ends with the connection.
    UntilClose,
}

/// Reads one direction.
pub(super) struct Reader {
    side: Side,
    state: State,
    /// A line or head that is not complete.
    buffer: Vec<u8>,
}

impl Reader {
    pub(super) fn new(side: Side) -> Self {
        Self { side, state: State::Line { stray: false }, buffer: Vec::new() }
    }

    /// True where the next byte is the first of something.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Line { .. }) && self.buffer.is_empty()
    }

    /// Says how the body behind the head ends.
    pub(super) fn expect(&mut self, length: Length) {
        self.state = match length {
            Length::None => State::Exact(0),
            Length::Exact(length) => State::Exact(length),
            Length::Chunked => State::Chunked(Chunked::default()),
            Length::UntilClose => State::UntilClose,
        };
    }

    /// Takes the next event off `input`. `None` where more is needed.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8], limits: &Limits) -> Option<Event<'a>> {
        loop {
            let event = match &mut self.state {
                State::Line { stray } => {
                    let stray = *stray;
                    self.line(stray, input, limits)
                }
                State::RestOfLine => self.rest_of_line(input),
                State::Head(line) => {
                    let line = *line;
                    self.head(line, input, limits)
                }
                State::Exact(0) => Some(self.end(Vec::new())),
                State::Exact(left) => exact(left, input),
                State::Chunked(_) => self.chunked(input, limits),
                State::UntilClose => (!input.is_empty()).then(|| Event::Body(std::mem::take(input))),
            };
            if event.is_some() || input.is_empty() {
                return event;
            }
        }
    }

    /// Counts missing bytes and says what they tore.
    pub(super) fn gap(&mut self, length: u64, limits: &Limits) -> Torn {
        let left = match &mut self.state {
            State::Line { .. } | State::RestOfLine | State::Head(_) => return self.tear_head(limits),
            State::UntilClose => return Torn::Body,
            State::Exact(left) => Some(*left),
            State::Chunked(chunked) => chunked.data_left(),
        };
        match (left, &mut self.state) {
            (Some(left), State::Exact(rest)) if length < left => *rest = left - length,
            (Some(left), State::Chunked(chunked)) if length <= left => chunked.skip(length),
            _ => {
                self.state = State::Line { stray: false };
                return Torn::BodyEnd;
            }
        }
        Torn::Body
    }

    /// True within a body that the end of the connection completes.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::UntilClose)
    }

    /// Memory held, in bytes.
    pub(super) fn held(&self) -> usize {
        let line = if let State::Chunked(chunked) = &self.state { chunked.held() } else { 0 };
        self.buffer.capacity() + line
    }

    /// What is held of a line or head, given up.
    pub(super) fn take_held(&mut self) -> Vec<u8> {
        self.state = State::Line { stray: false };
        std::mem::take(&mut self.buffer)
    }

    fn end<'a>(&mut self, trailers: Vec<Field>) -> Event<'a> {
        self.state = State::Line { stray: false };
        Event::End(trailers)
    }

    /// Empty lines before a start line are ignored (RFC 9112 section 2.2).
    fn line<'a>(&mut self, stray: bool, input: &mut &'a [u8], limits: &Limits) -> Option<Event<'a>> {
        if self.buffer.ends_with(b"\n") {
            return self.judge_line(true, limits.head);
        }
        if self.buffer.is_empty() && !stray {
            let empty = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            *input = input.get(empty..).unwrap_or_default();
            if let Some(event) = self.whole_head(input, limits) {
                return Some(event);
            }
        }
        let complete = self.take_line(input, limits.head);
        self.judge_line(complete, limits.head)
    }

    /// Moves bytes up to a line end to the buffer, which holds at most `limit` bytes. True where
    /// the line is complete.
    fn take_line(&mut self, input: &mut &[u8], limit: usize) -> bool {
        let window = input.get(..limit.saturating_sub(self.buffer.len())).unwrap_or(input);
        let newline = memchr(b'\n', window);
        let (taken, rest) = input.split_at(newline.map_or(window.len(), |at| at + 1));
        self.buffer.extend_from_slice(taken);
        *input = rest;
        newline.is_some()
    }

    /// The line in the buffer, or what there is of it, decides what it belongs to.
    fn judge_line<'a>(&mut self, complete: bool, longest: usize) -> Option<Event<'a>> {
        let stray = if complete {
            !is_start_line(self.side, &self.buffer)
        } else {
            !may_start_line(self.side, &self.buffer) || self.buffer.len() >= longest
        };
        if !stray {
            if complete {
                self.state = State::Head(self.buffer.len());
            }
            return None;
        }
        self.state = if complete { State::Line { stray: true } } else { State::RestOfLine };
        Some(Event::Stray(std::mem::take(&mut self.buffer)))
    }

    /// The common case: all of a head lies in `input`, and nothing is copied.
    fn whole_head<'a>(&mut self, input: &mut &'a [u8], limits: &Limits) -> Option<Event<'a>> {
        if !may_start_line(self.side, input) {
            return None;
        }
        let window = input.get(..limits.head).unwrap_or(input);
        let end = head_end(window, 0).ok()?;
        let head = Head::parse(self.side, window.get(..end)?, limits.fields)?;
        *input = input.get(end..).unwrap_or_default();
        Some(Event::Head(head))
    }

    fn rest_of_line<'a>(&mut self, input: &mut &'a [u8]) -> Option<Event<'a>> {
        if !self.buffer.is_empty() {
            return Some(Event::Stray(std::mem::take(&mut self.buffer)));
        }
        let newline = memchr(b'\n', input);
        let (taken, rest) = input.split_at(newline.map_or(input.len(), |at| at + 1));
        *input = rest;
        if newline.is_some() {
            self.state = State::Line { stray: true };
        }
        (!taken.is_empty()).then(|| Event::Stray(taken.to_vec()))
    }

    fn head<'a>(&mut self, line: usize, input: &mut &'a [u8], limits: &Limits) -> Option<Event<'a>> {
        let complete = self.take_line(input, limits.head);
        if complete && matches!(self.buffer.get(line..), Some(b"\r\n" | b"\n")) {
            return self.parsed(limits).map(Event::Head);
        }
        if self.buffer.len() >= limits.head {
            let head = self.parsed(limits).map(Event::PartOfHead);
            self.state = if complete { State::Line { stray: true } } else { State::RestOfLine };
            return head;
        }
        if complete {
            self.state = State::Head(self.buffer.len());
        }
        None
    }

    /// Parses and gives up the buffer, which begins with a start line.
    fn parsed(&mut self, limits: &Limits) -> Option<Head> {
        self.state = State::Line { stray: false };
        let head = Head::parse(self.side, &self.buffer, limits.fields);
        self.buffer.clear();
        self.buffer.shrink_to(4096);
        head
    }

    fn chunked<'a>(&mut self, input: &mut &'a [u8], limits: &Limits) -> Option<Event<'a>> {
        let State::Chunked(chunked) = &mut self.state else { return None };
        match chunked.next(input, limits.head, limits.fields)? {
            Piece::Data(data) => Some(Event::Body(data)),
            Piece::End(trailers) => Some(self.end(trailers)),
            Piece::Bad(bytes) => {
                // One line may be the start line that follows a body without its end.
                let one_line = memchr(b'\n', &bytes).is_none_or(|at| at + 1 == bytes.len());
                self.buffer = bytes;
                self.state = if one_line { State::Line { stray: true } } else { State::RestOfLine };
                Some(Event::Broken)
            }
        }
    }

    fn tear_head(&mut self, limits: &Limits) -> Torn {
        let in_head = matches!(self.state, State::Head(_));
        if in_head && let Some(head) = self.parsed(limits) {
            return Torn::Head(head);
        }
        let held = self.take_held();
        Torn::Between((!held.is_empty()).then_some(held))
    }
}

fn exact<'a>(left: &mut u64, input: &mut &'a [u8]) -> Option<Event<'a>> {
    if input.is_empty() {
        return None;
    }
    let length = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    let (body, rest) = input.split_at(length);
    *input = rest;
    *left -= length as u64;
    Some(Event::Body(body))
}
