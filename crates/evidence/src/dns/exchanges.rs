//! Questions and answers joined to records.

use super::message::Parsed;
use crate::layer::{Conn, Out};
use dyetrace_case::{Flag, Message, Protocol, Record, Side, Time};
use std::collections::VecDeque;

/// The DNS exchanges between two sockets.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    /// Records numbered so far.
    seen: u64,
    waiting: VecDeque<Question>,
}

/// A question without an answer yet.
#[derive(Debug)]
struct Question {
    id: u16,
    name: Vec<u8>,
    record: Record,
}

/// Questions that wait at the same time; the first one then counts as unanswered.
const WAITING: usize = 64;

impl Exchanges {
    /// Takes one message of `side`.
    pub(crate) fn message(
        &mut self,
        conn: &Conn,
        protocol: Protocol,
        side: Side,
        message: &Parsed,
        time: Time,
        out: &mut Out<'_>,
    ) {
        for (address, name) in &message.addresses {
            out.names.learn(*address, name);
        }
        if message.is_response() || side == Side::Response {
            self.answer(conn, protocol, message, time, out);
        } else {
            self.question(conn, protocol, message, time, out);
        }
    }

    /// Memory held, roughly.
    pub(super) fn held(&self) -> usize {
        self.waiting.len() * size_of::<Record>()
    }

    /// Whether a question has no answer yet.
    pub(crate) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Emits the questions nobody answered.
    pub(crate) fn end(&mut self, out: &mut Out<'_>) {
        self.give_up(Time(i64::MAX), out);
    }

    /// Emits the questions up to that time that nobody answered.
    pub(crate) fn give_up(&mut self, until: Time, out: &mut Out<'_>) {
        while let Some(question) = self.waiting.pop_front_if(|question| question.record.time <= Some(until)) {
            emit_unanswered(question, out);
        }
        self.let_go();
    }

    /// Sockets that asked once are many: what was made for their questions is given back.
    fn let_go(&mut self) {
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    fn record(&mut self, conn: &Conn, protocol: Protocol, time: Time, incomplete: bool, out: &Out<'_>) -> Record {
        let mut record = conn.record(out.exhibit, &format!("dns:{}", self.seen), protocol, Some(time));
        self.seen += 1;
        if incomplete {
            record.flags.push(Flag::Incomplete);
        }
        record
    }

    fn question(&mut self, conn: &Conn, protocol: Protocol, message: &Parsed, time: Time, out: &mut Out<'_>) {
        let mut record = self.record(conn, protocol, time, message.incomplete, out);
        let id = message.id;
        let mut questions = message.questions.iter();
        let first = questions.next();
        let name = first.map(|(_, name)| name.clone());
        let mut headers: Vec<_> = questions.map(|(kind, name)| (kind.as_bytes().to_vec(), name.clone())).collect();
        add_resources(message, name.as_deref(), &mut headers);
        record.request = Some(Message {
            time: Some(time),
            last: Some(time),
            method: first.map(|(kind, _)| kind.clone()),
            target: name.clone(),
            headers,
            ..Message::default()
        });
        if protocol == Protocol::Mdns {
            // RFC 6762 section 6: answers go to everyone and name no question.
            return out.record(record);
        }
        self.waiting.push_back(Question { id, name: name.unwrap_or_default(), record });
        let oldest = if self.waiting.len() > WAITING { self.waiting.pop_front() } else { None };
        if let Some(oldest) = oldest {
            emit_unanswered(oldest, out);
        }
    }

    fn answer(&mut self, conn: &Conn, protocol: Protocol, message: &Parsed, time: Time, out: &mut Out<'_>) {
        let asked = message.questions.first().map(|(_, name)| name.as_slice());
        let matches = |question: &Question| {
            question.id == message.id && asked.is_none_or(|name| name.eq_ignore_ascii_case(&question.name))
        };
        let found = self.waiting.iter().position(matches).and_then(|position| self.waiting.remove(position));
        self.let_go();
        let mut headers = Vec::new();
        let mut record = if let Some(question) = found {
            add_resources(message, Some(&question.name), &mut headers);
            let mut record = question.record;
            if message.incomplete && !record.flags.contains(&Flag::Incomplete) {
                record.flags.push(Flag::Incomplete);
            }
            record
        } else {
            headers.extend(message.questions.iter().map(|(_, name)| (b"name".to_vec(), name.clone())));
            add_resources(message, message.questions.last().map(|(_, name)| name.as_slice()), &mut headers);
            self.record(conn, protocol, time, message.incomplete, out)
        };
        let status = Some(message.result());
        record.response = Some(Message { time: Some(time), last: Some(time), status, headers, ..Message::default() });
        out.record(record);
    }
}

fn emit_unanswered(question: Question, out: &mut Out<'_>) {
    let mut record = question.record;
    record.flags.push(Flag::Unanswered);
    out.record(record);
}

/// Adds one field per resource record; a name is repeated only where it changes.
fn add_resources(message: &Parsed, mentioned: Option<&[u8]>, headers: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    let mut mentioned = mentioned;
    for resource in &message.resources {
        if !mentioned.is_some_and(|name| name.eq_ignore_ascii_case(&resource.owner)) {
            headers.push((b"name".to_vec(), resource.owner.clone()));
        }
        headers.push((resource.kind.as_bytes().to_vec(), resource.value.clone()));
        mentioned = Some(if resource.kind == "CNAME" { &resource.value } else { &resource.owner });
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::layer::Limits;
    use crate::testing::{Got, collect, conn};

    const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x07example\0\0\x01\0\x01";
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x03api\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

    fn exchange(messages: &[&[u8]]) -> Got {
        collect(Limits::default(), |out| {
            let mut exchanges = Exchanges::default();
            for (number, message) in messages.iter().enumerate() {
                let parsed = parse(message, &out.limits).unwrap();
                let side = if parsed.is_response() { Side::Response } else { Side::Request };
                exchanges.message(&conn(), Protocol::Dns, side, &parsed, Time(number as i64), out);
            }
            exchanges.end(out);
            if messages.contains(&ANSWER) {
                assert_eq!(out.names.of([192, 0, 2, 7].into()), Some("api.example"));
            }
        })
    }

    #[test]
    fn a_question_and_its_answer_are_one_record() {
        let got = exchange(&[QUESTION, ANSWER]);
        let [record] = &got.records[..] else { panic!("one record") };
        let (request, response) = (record.request.as_ref().unwrap(), record.response.as_ref().unwrap());
        assert_eq!(request.method.as_deref(), Some("A"));
        assert_eq!(request.target.as_deref(), Some(&b"api.example"[..]));
        assert_eq!(response.status, Some(0));
        assert_eq!(response.headers, [(b"A".to_vec(), b"192.0.2.7".to_vec())]);
    }

    #[test]
    fn a_repeated_question_stays_visible() {
        let got = exchange(&[QUESTION, QUESTION, ANSWER]);
        let flags: Vec<_> = got.records.iter().map(|record| record.flags.as_slice()).collect();
        assert_eq!(flags, [&[][..], &[Flag::Unanswered]]);
    }

    #[test]
    fn an_answer_whose_question_was_not_captured_keeps_the_name() {
        let got = exchange(&[ANSWER]);
        assert!(got.records[0].request.is_none());
        let headers = &got.records[0].response.as_ref().unwrap().headers;
        assert_eq!(headers[0], (b"name".to_vec(), b"api.example".to_vec()));
    }
}
