//! One HTTP/2 stream as an exchange: fields and content of both sides, until it becomes a record.

use super::hpack::FieldList;
use crate::coding::decode_content;
use crate::layer::{Conn, Limits, Out};
use dyetrace_case::{BlobWriter, ChannelKind, Flag, Message, NameSource, Protocol, Record, Side, Time};

/// A stream that is not finished.
pub(super) struct Exchange {
    id: u32,
    first: Time,
    request: Half,
    response: Half,
    /// Pieces of content emitted as records of their own.
    pieces: u32,
    /// What was asked for where the request was sent over HTTP/1, before an upgrade.
    asked: Option<String>,
}

/// What one side sent on a stream.
#[derive(Default)]
struct Half {
    /// Absent until the first field block.
    message: Option<Message>,
    scheme: Option<Vec<u8>>,
    authority: Option<Vec<u8>>,
    body: Option<BlobWriter>,
    /// Content behind a gap, with the time of its first byte; never joined to what came before.
    tail: Option<(Time, BlobWriter)>,
    /// Bytes are missing, or the side said it gives up.
    damaged: bool,
    ended: bool,
    /// Time of the latest fields or content.
    last: Option<Time>,
    unknown_fields: bool,
    cut: u64,
}

impl Exchange {
    pub(super) fn new(id: u32, first: Time, asked: Option<String>) -> Self {
        Self { id, first, request: Half::default(), response: Half::default(), pieces: 0, asked }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    /// A field block: the head, an interim head, or trailers.
    pub(super) fn fields(&mut self, side: Side, list: FieldList, time: Time, limits: &Limits) {
        let half = self.half(side);
        half.last = half.last.max(Some(time));
        half.unknown_fields |= list.unknown;
        half.damaged |= list.undecoded.is_some();
        half.cut += list.cut;
        let mut message = half.message.take().unwrap_or_else(|| Message { time: Some(time), ..Message::default() });
        for (name, value) in list.fields {
            half.field(&mut message, side, name, value, limits);
        }
        half.message = Some(message);
    }

    /// Content of a DATA frame; also of no bytes, which makes an empty body of an absent one.
    pub(super) fn content(&mut self, side: Side, bytes: &[u8], time: Time, limits: &Limits) {
        let half = self.half(side);
        half.last = half.last.max(Some(time));
        if let Some((first, tail)) = &mut half.tail {
            if tail.is_empty() {
                *first = time;
            }
            tail.push(bytes);
            return;
        }
        half.body.get_or_insert_with(|| BlobWriter::new(limits.body)).push(bytes);
    }

    /// That side sends no more.
    pub(super) fn end(&mut self, side: Side) {
        self.half(side).ended = true;
    }

    /// Bytes of that side are missing here. A piece of content that has now a gap on both ends is
    /// emitted.
    pub(super) fn broken(&mut self, side: Side, time: Time, conn: &Conn, out: &mut Out<'_>) {
        let fresh = (time, BlobWriter::new(out.limits.body));
        let half = self.half(side);
        if !half.is_seen() {
            return;
        }
        half.damaged = true;
        if let Some((first, piece)) = half.tail.replace(fresh) {
            self.emit_piece(side, first, piece, conn, out);
        }
    }

    /// Fields or content of that side could not be read.
    pub(super) fn damage(&mut self, side: Side) {
        self.half(side).damaged = true;
    }

    /// True where both sides ended.
    pub(super) fn is_complete(&self) -> bool {
        self.request.ended && self.response.ended
    }

    /// True where that side ended.
    pub(super) fn ended(&self, side: Side) -> bool {
        match side {
            Side::Request => self.request.ended,
            Side::Response => self.response.ended,
        }
    }

    /// True where the answer is complete and the request was not seen: it was sent before the
    /// recording began, or over HTTP/1 before an upgrade.
    pub(super) fn lacks_request(&self) -> bool {
        self.response.ended && self.request.message.is_none()
    }

    /// Emits the record, and pieces of content that could not be joined to it after it.
    pub(super) fn emit(mut self, conn: &Conn, out: &mut Out<'_>) {
        let tails = [Side::Request, Side::Response].map(|side| (side, self.half(side).tail.take()));
        let mut record = conn.record(out.exhibit, &format!("h2:{}", self.id), Protocol::Http2, Some(self.first));
        record.flags = self.flags(conn);
        self.address(&mut record, conn);
        record.request = self.request.finish(out, &mut record.flags);
        record.response = self.response.finish(out, &mut record.flags);
        if let (None, Some(response)) = (&record.request, &mut record.response) {
            response.url = self.asked.take();
        }
        record.flags.sort();
        record.flags.dedup();
        let is_something = record.request.is_some() || record.response.is_some();
        if is_something {
            out.record(record);
        }
        for (side, tail) in tails {
            if let Some((first, piece)) = tail {
                self.emit_piece(side, first, piece, conn, out);
            }
        }
    }

    fn emit_piece(&mut self, side: Side, first: Time, piece: BlobWriter, conn: &Conn, out: &mut Out<'_>) {
        if piece.is_empty() {
            return;
        }
        self.pieces += 1;
        let name = format!("h2:{}/piece:{}", self.id, self.pieces);
        let mut record = conn.record(out.exhibit, &name, Protocol::Http2, Some(first));
        let dropped = piece.dropped();
        let last = self.half(side).last;
        let message = Message { time: Some(first), last, body: Some(piece.finish()), ..Message::default() };
        record.flags = vec![Flag::Incomplete, Flag::MidStream];
        record.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
        match side {
            Side::Request => record.request = Some(message),
            Side::Response => record.response = Some(message),
        }
        out.record(record);
    }

    fn flags(&self, conn: &Conn) -> Vec<Flag> {
        let mut flags = Vec::new();
        let (request, response) = (&self.request, &self.response);
        if request.is_incomplete() || response.is_incomplete() {
            flags.push(Flag::Incomplete);
        }
        if request.unknown_fields || response.unknown_fields || (conn.mid_stream && request.message.is_none()) {
            flags.push(Flag::MidStream);
        }
        if request.is_seen() && (!response.is_seen() || (response.ended && !request.ended)) {
            flags.push(Flag::Unanswered);
        }
        let cut = request.cut + response.cut;
        flags.extend((cut > 0).then_some(Flag::Cut(cut)));
        flags
    }

    /// Sets the URL, the target of CONNECT, and the server's name where only the request has it.
    fn address(&mut self, record: &mut Record, conn: &Conn) {
        let half = &mut self.request;
        let Some(message) = &mut half.message else { return };
        let host = || message.headers.iter().find(|(name, _)| name == b"host").map(|(_, value)| value.clone());
        let authority = half.authority.take().or_else(host);
        let authority = authority.map(|authority| String::from_utf8_lossy(&authority).into_owned());
        if let Some(name) = authority.as_deref().and_then(host_of)
            && name.parse::<std::net::IpAddr>().is_err()
            && conn.server.name.as_ref().is_none_or(|(_, source)| *source > NameSource::Host)
        {
            record.server.name = Some((name.to_owned(), NameSource::Host));
        }
        if message.target.is_none() && message.method.as_deref() == Some("CONNECT") {
            message.target = authority.map(String::into_bytes);
            return;
        }
        let Some(path) = &message.target else { return };
        let authority = authority.or_else(|| conn.server.name.as_ref().map(|(name, _)| name.clone()));
        let by_channel = if conn.channel.kind == ChannelKind::Clear { "http" } else { "https" };
        let scheme = half.scheme.take().map(|scheme| String::from_utf8_lossy(&scheme).into_owned());
        let scheme = scheme.as_deref().unwrap_or(by_channel);
        message.url = authority.map(|authority| format!("{scheme}://{authority}{}", String::from_utf8_lossy(path)));
    }
}

impl Half {
    /// Sorts one field in: pseudo-fields (RFC 9113 section 8.3) have places of their own, all
    /// others, and pseudo-fields that come twice or on the wrong side, stay fields.
    fn field(&mut self, message: &mut Message, side: Side, name: Vec<u8>, value: Vec<u8>, limits: &Limits) {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        match (side, name.as_slice()) {
            (Side::Request, b":method") if message.method.is_none() => message.method = Some(text(&value)),
            (Side::Request, b":path") if message.target.is_none() => message.target = Some(value),
            (Side::Request, b":scheme") if self.scheme.is_none() => self.scheme = Some(value),
            (Side::Request, b":authority") if self.authority.is_none() => self.authority = Some(value),
            (Side::Response, b":status") if message.status.is_none_or(|status| status < 200) => {
                match status_code(&value) {
                    Some(status) => message.status = Some(status),
                    None => message.headers.push((name, value)),
                }
            }
            _ if message.headers.len() < limits.fields => message.headers.push((name, value)),
            _ => self.cut += (name.len() + value.len()) as u64,
        }
    }

    fn is_seen(&self) -> bool {
        self.message.is_some() || self.body.is_some()
    }

    fn is_incomplete(&self) -> bool {
        self.damaged || (self.is_seen() && (!self.ended || self.message.is_none()))
    }

    fn finish(&mut self, out: &Out<'_>, flags: &mut Vec<Flag>) -> Option<Message> {
        if !self.is_seen() {
            return None;
        }
        let mut message = self.message.take().unwrap_or_default();
        message.last = self.last;
        if let Some(body) = self.body.take() {
            flags.extend((body.dropped() > 0).then(|| Flag::Cut(body.dropped())));
            message.body = Some(body.finish());
            flags.extend(decode_content(&mut message, &out.limits));
        }
        Some(message)
    }
}

fn status_code(value: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() == 3)?;
    text.parse().ok()
}

/// The host of an authority, without user and port (RFC 3986 section 3.2).
fn host_of(authority: &str) -> Option<&str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_authority_has_no_user_and_no_port() {
        assert_eq!(host_of("example.com:8443"), Some("example.com"));
        assert_eq!(host_of("user@example.com"), Some("example.com"));
        assert_eq!(host_of("[2001:db8::1]:443"), Some("2001:db8::1"));
        assert_eq!(host_of(""), None);
    }
}
