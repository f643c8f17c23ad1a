//! A PUBLISH whose payload is still arriving, and the aliases that stand for topics.

use crate::layer::{Conn, Out};
use dyetrace_case::{BlobWriter, Flag, Message, Protocol, Side, Time};
use std::collections::HashMap;

/// A PUBLISH packet after its variable header.
pub(super) struct Publication {
    name: String,
    first: Time,
    message: Message,
    payload: BlobWriter,
    flags: Vec<Flag>,
    pieces: u32,
}

impl Publication {
    /// Memory held, roughly.
    pub(super) fn held(&self) -> usize {
        size_of::<Self>() + self.message.content_bytes() as usize + self.payload.held()
    }

    pub(super) fn new(name: String, message: Message, out: &Out<'_>) -> Self {
        let first = message.time.unwrap_or(Time(0));
        let payload = BlobWriter::new(out.limits.body);
        Self { name, first, message, payload, flags: Vec::new(), pieces: 0 }
    }

    pub(super) fn flag(&mut self, flag: Flag) {
        self.flags.push(flag);
    }

    /// The next bytes of the payload.
    pub(super) fn push(&mut self, bytes: &[u8], time: Time) {
        self.message.last = Some(time);
        self.payload.push(bytes);
    }

    /// Bytes of the payload are missing: what came before is emitted, what comes next is a piece
    /// that is not joined to it.
    pub(super) fn broken(mut self, side: Side, time: Time, conn: &Conn, out: &mut Out<'_>) -> Self {
        let next = Self {
            name: self.name.clone(),
            first: time,
            message: Message { time: Some(time), last: Some(time), ..Message::default() },
            payload: BlobWriter::new(out.limits.body),
            flags: vec![Flag::Incomplete, Flag::MidStream],
            pieces: self.pieces + 1,
        };
        self.flag(Flag::Incomplete);
        self.emit(side, conn, out);
        next
    }

    /// Emits the record.
    pub(super) fn emit(mut self, side: Side, conn: &Conn, out: &mut Out<'_>) {
        if self.pieces > 0 && self.payload.is_empty() {
            return;
        }
        let name = if self.pieces == 0 { self.name } else { format!("{}/piece:{}", self.name, self.pieces) };
        let mut record = conn.record(out.exhibit, &name, Protocol::Mqtt, Some(self.first));
        let dropped = self.payload.dropped();
        self.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
        self.message.body = Some(self.payload.finish());
        record.flags = self.flags;
        match side {
            Side::Request => record.request = Some(self.message),
            Side::Response => record.response = Some(self.message),
        }
        super::emit(record, out);
    }
}

/// Topic aliases of one direction (section 3.3.2.3.4).
#[derive(Default)]
pub(super) struct Aliases {
    topics: HashMap<u16, Vec<u8>>,
    bytes: usize,
}

impl Aliases {
    /// Memory held, roughly.
    pub(super) fn held(&self) -> usize {
        self.bytes + self.topics.len() * size_of::<(u16, Vec<u8>)>()
    }

    /// Remembers a topic under its alias, or looks up the topic that an empty one stands for.
    /// False where the alias was not seen to be set.
    pub(super) fn resolve(&mut self, alias: u16, topic: &mut Vec<u8>, limit: usize) -> bool {
        if topic.is_empty() {
            let known = self.topics.get(&alias);
            topic.extend_from_slice(known.map_or(&[], Vec::as_slice));
            return known.is_some();
        }
        let old = self.topics.remove(&alias).map_or(0, |old| old.len());
        self.bytes = self.bytes - old + topic.len();
        if self.bytes > limit {
            self.forget();
        } else {
            self.topics.insert(alias, topic.clone());
        }
        true
    }

    /// Aliases may have been set anew where bytes were lost.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
