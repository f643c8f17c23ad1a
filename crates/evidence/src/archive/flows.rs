//! mitmproxy flow files: one typed netstring a flow, formats (0, 11) to 21.
//!
//! The formats differ in where a fact stands, not in what it means, so each fact is looked for
//! under every name it ever had (mitmproxy's `mitmproxy/io/compat.py` lists them) and no flow is
//! rewritten step by step. A format nobody has seen yet is refused rather than guessed at.

use super::flow_conn::{self, Peers};
use super::tnetstring::{Fault, Reader, Top, Value};
use super::{Counted, Losses, flow_dns, lost};
use crate::coding;
use crate::layer::{Limits, Out};
use crate::websocket::frame::opcode_name;
use dyetrace_case::{BlobWriter, ChannelKind, ExhibitId, Flag, Message, Protocol, Record, RecordId, Side, Time};
use std::io::Read;

/// The newest flow format known here, that of mitmproxy 11 and 12.
const NEWEST: i64 = 21;

/// Reads a flow file. `progress` is told the bytes read so far.
pub(crate) fn read(input: &mut dyn Read, size_hint: u64, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let _ = size_hint;
    let mut reader = Reader::new(Counted::new(input, progress), out.limits);
    let mut losses = Losses::default();
    for index in 0u64.. {
        if out.stopped() {
            return;
        }
        let top = match reader.next() {
            Some(Ok(top)) => top,
            Some(Err(offset)) => {
                losses.end(out);
                let reason = "no flow begins here; what follows was not read".to_owned();
                return lost(out, &format!("byte {offset}"), None, reason);
            }
            None if index == 0 => return lost(out, "byte 0", None, "the file is empty".to_owned()),
            None => return losses.end(out),
        };
        match known_format(&top) {
            Ok(()) => flow(index, &top, &mut losses, out),
            Err(reason) if top.fault.is_some() => {
                losses.tell(out, format!("flow:{index}"), Some(top.length), format!("{reason} (byte {})", top.start));
            }
            Err(reason) => {
                losses.end(out);
                return lost(out, &format!("byte {}", top.start), None, reason);
            }
        }
    }
}

/// Refuses formats that are too old or not known yet. Newer formats write the version last, so a
/// flow that is cut off may lack it.
fn known_format(top: &Top) -> Result<(), String> {
    let advice = "dyetrace reads (0, 11) to 21; save it with a newer mitmproxy, or as HAR";
    match top.value.get("version") {
        Some(Value::Integer(4..=NEWEST)) => Ok(()),
        Some(Value::Integer(newer)) if *newer > NEWEST => Err(format!(
            "this file has flow format {newer}; dyetrace reads up to {NEWEST}; save it as HAR from mitmproxy"
        )),
        Some(Value::Integer(other)) => Err(format!("this file has flow format {other}; {advice}")),
        Some(Value::List(parts)) => {
            match (parts.first().and_then(Value::integer), parts.get(1).and_then(Value::integer)) {
                (Some(0), Some(11..)) | (Some(1..=3), _) => Ok(()),
                (Some(major), minor) => {
                    Err(format!("this file has flow format ({major}, {}); {advice}", minor.unwrap_or_default()))
                }
                _ => Err("this file has no flow format that could be read".to_owned()),
            }
        }
        None if top.fault.is_some() && top.value.get("request").is_some() => Ok(()),
        None if top.fault == Some(Fault::Ended) => Err("the file ends within this flow".to_owned()),
        _ => Err("this is no mitmproxy flow: it has no version".to_owned()),
    }
}

fn flow(index: u64, top: &Top, losses: &mut Losses, out: &mut Out<'_>) {
    out.tally.packets += 1;
    let reader = FlowReader {
        flow: &top.value,
        peers: flow_conn::peers(&top.value),
        id: format!("flow:{index}"),
        exhibit: out.exhibit,
        limits: &out.limits,
    };
    let (mut records, unknown) = reader.records();
    // A stream of which no message was kept is no record.
    records.retain(|record| record.request.is_some() || record.response.is_some());
    let id = reader.id;
    if let Some(fault) = top.fault {
        let reason = match fault {
            Fault::Ended => "the file ends within this flow",
            Fault::Malformed => "part of this flow could not be read",
            Fault::TooLarge => "this flow is larger than the limit; the rest of it was not read",
        };
        if let Some(first) = records.first_mut() {
            flag(first, Flag::Incomplete);
        }
        let bytes = records.is_empty().then_some(top.length);
        losses.tell(out, id, bytes, format!("{reason} (byte {})", top.start));
    } else if let Some(reason) = unknown {
        losses.tell(out, id, Some(top.length), reason);
    }
    for record in records {
        out.tally.payload += record.content_bytes();
        out.record(record);
    }
}

fn flag(record: &mut Record, flag: Flag) {
    record.flags.push(flag);
    record.flags.sort();
    record.flags.dedup();
}

/// One flow on its way to records.
pub(super) struct FlowReader<'f> {
    pub(super) flow: &'f Value,
    peers: Peers,
    id: String,
    exhibit: ExhibitId,
    limits: &'f Limits,
}

impl FlowReader<'_> {
    /// The flow's records, and why there are none where its kind is not known here.
    fn records(&self) -> (Vec<Record>, Option<String>) {
        let kind = self.flow.get("type").and_then(Value::bytes).unwrap_or(b"http");
        let records = match kind {
            b"http" if self.flow.get("request").is_some() => self.http(),
            b"websocket" => self.websocket(self.flow, None),
            b"tcp" => vec![self.stream()],
            b"udp" => self.datagrams(),
            b"dns" => flow_dns::record(self).into_iter().collect(),
            b"http" => return (Vec::new(), Some("this flow has no request".to_owned())),
            _ => return (Vec::new(), Some("this flow is of a kind that is not known here".to_owned())),
        };
        (records, None)
    }

    /// A record of this flow without messages; `suffix` is appended to its name.
    pub(super) fn record(&self, suffix: &str, protocol: Protocol, time: Option<Time>) -> Record {
        Record {
            id: RecordId(format!("{}{suffix}", self.id)),
            exhibit: self.exhibit,
            protocol,
            time,
            client: self.peers.client.clone(),
            server: self.peers.server.clone(),
            channel: self.peers.channel.clone(),
            app: None,
            request: None,
            response: None,
            flags: Vec::new(),
        }
    }

    fn http(&self) -> Vec<Record> {
        let mut flags = Vec::new();
        let request = self.flow.get("request").map(|value| self.request(value, &mut flags));
        let response = self.flow.get("response").map(|value| self.response(value, &mut flags));
        if response.is_none() {
            flags.push(Flag::Unanswered);
        } else if self.flow.get("error").is_some() {
            flags.push(Flag::Incomplete);
        }
        let time = request.as_ref().and_then(|request| request.time);
        let protocol = self.flow.get("request").map_or(Protocol::Http11, protocol);
        let mut record = Record { request, response, ..self.record("", protocol, time) };
        for each in flags {
            flag(&mut record, each);
        }
        let messages = self.flow.get("websocket").map(|websocket| {
            self.websocket(websocket, record.request.as_ref().and_then(|request| request.url.as_deref()))
        });
        std::iter::once(record).chain(messages.into_iter().flatten()).collect()
    }

    fn request(&self, value: &Value, flags: &mut Vec<Flag>) -> Message {
        let text = |name: &str| value.get(name).and_then(Value::string);
        let method = text("method");
        let authority_form =
            ["first_line_format", "form_in"].iter().any(|name| text(name).as_deref() == Some("authority"));
        let connect = authority_form || method.as_deref() == Some("CONNECT");
        let path = value.get("path").and_then(Value::bytes).map(<[u8]>::to_vec);
        let host = text("host").unwrap_or_default();
        let port = value.get("port").and_then(Value::integer);
        let target = if connect { Some(authority(&host, port, "").into_bytes()) } else { path.clone() };
        // The URL names what the client connected to; a Host field or SNI that says something else
        // is told by the server's name.
        let url = if connect {
            authority(&host, port, "")
        } else {
            let scheme = text("scheme").unwrap_or_default();
            let path = path.as_deref().filter(|path| *path != b"*").unwrap_or_default();
            format!("{scheme}://{}{}", authority(&host, port, &scheme), String::from_utf8_lossy(path))
        };
        let url = (!host.is_empty()).then_some(url);
        let message = Message { method, target, url, ..Message::default() };
        self.message(message, value, Side::Request, flags)
    }

    fn response(&self, value: &Value, flags: &mut Vec<Flag>) -> Message {
        let status = value.first(&["status_code", "code"]).and_then(Value::integer);
        let status = status.and_then(|status| u16::try_from(status).ok()).filter(|status| *status > 0);
        let message = Message { status, ..Message::default() };
        self.message(message, value, Side::Response, flags)
    }

    /// What requests and responses share.
    fn message(&self, mut message: Message, value: &Value, side: Side, flags: &mut Vec<Flag>) -> Message {
        message.time = value.get("timestamp_start").and_then(time);
        message.last = value.get("timestamp_end").and_then(time);
        let lists = [value.get("headers"), value.get("trailers")];
        message.headers = lists.into_iter().flatten().flat_map(Value::items).filter_map(header).collect();
        let content = value.first(&["content", "body"]).and_then(Value::blob);
        match content {
            // mitmproxy writes an empty content for messages that have none.
            Some((body, _)) if body.is_empty() && !announces_body(&message) => {}
            Some((body, dropped)) => {
                flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
                message.body = Some(body);
                flags.extend(coding::decode_content(&mut message, self.limits));
            }
            // Streamed through without being kept.
            None => flags.push(Flag::Unrecorded(side)),
        }
        message
    }

    /// The messages of a WebSocket: `[opcode, from the client, content, time, …]`.
    fn websocket(&self, websocket: &Value, url: Option<&str>) -> Vec<Record> {
        let messages = (0u64..).zip(websocket.get("messages").map_or(&[][..], Value::items));
        let record = |(number, message): (u64, &Value)| {
            let [opcode, from_client, content, rest @ ..] = message.items() else { return None };
            let (body, dropped) = content.blob()?;
            let time = rest.first().and_then(time);
            let opcode = opcode.integer().unwrap_or(1) as u8;
            let method = from_client.is_true().then(|| opcode_name(opcode).to_owned());
            let url = url.map(str::to_owned);
            let message = Message { time, last: time, method, url, body: Some(body), ..Message::default() };
            let mut record = self.record(&format!("/ws:{number}"), Protocol::WebSocket, time);
            record.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
            place(&mut record, from_client.is_true(), message);
            Some(record)
        };
        messages.filter_map(record).collect()
    }

    /// A TCP connection that was not parsed: what each side sent, joined.
    fn stream(&self) -> Record {
        let protocol = if self.peers.channel.kind == ChannelKind::Tls { Protocol::Tls } else { Protocol::Tcp };
        let messages: Vec<RawMessage<'_>> = self.raw_messages().collect();
        let time = messages.iter().find_map(|message| message.time);
        let mut record = self.record("", protocol, time);
        let (request, cut_request) = self.joined(&messages, true);
        let (response, cut_response) = self.joined(&messages, false);
        let dropped = cut_request.saturating_add(cut_response);
        record.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
        (record.request, record.response) = (request, response);
        record
    }

    fn joined(&self, messages: &[RawMessage<'_>], from_client: bool) -> (Option<Message>, u64) {
        let mut writer = BlobWriter::new(self.limits.body);
        let (mut time, mut ended) = (None, None);
        let mut dropped = 0;
        let mut any = false;
        for message in messages.iter().filter(|message| message.from_client == from_client) {
            let Some((body, lost)) = message.content.blob() else { continue };
            any = true;
            time = time.or(message.time);
            ended = message.time;
            dropped += lost;
            // A temporary file that cannot be read any more counts as dropped.
            if body.windows(1 << 20, 0, |_, window| writer.push(window)).is_err() {
                dropped += body.len();
            }
        }
        dropped += writer.dropped();
        let message = Message { time, last: ended, body: Some(writer.finish()), ..Message::default() };
        (any.then_some(message), dropped)
    }

    fn datagrams(&self) -> Vec<Record> {
        let record = |(number, raw): (u64, RawMessage<'_>)| {
            let (body, dropped) = raw.content.blob()?;
            let mut record = self.record(&format!("/udp:{number}"), Protocol::Udp, raw.time);
            record.flags.extend((dropped > 0).then_some(Flag::Cut(dropped)));
            let message = Message { time: raw.time, last: raw.time, body: Some(body), ..Message::default() };
            place(&mut record, raw.from_client, message);
            Some(record)
        };
        (0u64..).zip(self.raw_messages()).filter_map(record).collect()
    }

    fn raw_messages(&self) -> impl Iterator<Item = RawMessage<'_>> {
        let messages = self.flow.get("messages").map_or(&[][..], Value::items);
        messages.iter().filter_map(|message| {
            let [from_client, content, rest @ ..] = message.items() else { return None };
            Some(RawMessage { from_client: from_client.is_true(), content, time: rest.first().and_then(time) })
        })
    }
}

/// One message of a TCP or UDP flow: `[from the client, content, time]`.
struct RawMessage<'f> {
    from_client: bool,
    content: &'f Value,
    time: Option<Time>,
}

fn place(record: &mut Record, from_client: bool, message: Message) {
    let side = if from_client { &mut record.request } else { &mut record.response };
    *side = Some(message);
}

/// Seconds since 1970.
pub(super) fn time(value: &Value) -> Option<Time> {
    Time::from_seconds(value.number()?)
}

fn header(pair: &Value) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = |value: &Value| Some(value.blob()?.0.as_slice()?.to_vec());
    let [name, value] = pair.items() else { return None };
    Some((text(name)?, text(value)?))
}

fn announces_body(message: &Message) -> bool {
    let announces = |name: &[u8]| {
        [&b"content-length"[..], b"transfer-encoding"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    message.headers.iter().any(|(name, _)| announces(name))
}

/// `HTTP/2.0` in text, or `[2, 0]` before format (0, 14).
fn protocol(request: &Value) -> Protocol {
    let numbers = request.get("httpversion").map(Value::items).unwrap_or_default();
    let text = match numbers {
        [major, minor] => format!("{}.{}", major.integer().unwrap_or(1), minor.integer().unwrap_or(1)),
        _ => request.get("http_version").and_then(Value::string).unwrap_or_default(),
    };
    match text.trim_start_matches("HTTP/") {
        "1.0" => Protocol::Http10,
        version if version.starts_with('2') => Protocol::Http2,
        version if version.starts_with('3') => Protocol::Http3,
        _ => Protocol::Http11,
    }
}

/// Host and port, the latter where it is not the one the scheme means.
fn authority(host: &str, port: Option<i64>, scheme: &str) -> String {
    let usual = match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    };
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match port {
        Some(port) if Some(port) != usual => format!("{bracketed}:{port}"),
        _ => bracketed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tnetstring::tests::write;
    use crate::testing::{Got, bytes, collect, content};
    use proptest::prelude::*;

    fn read_flows(data: &[u8]) -> Got {
        collect(Limits::default(), |out| read(&mut &*data, data.len() as u64, out, &mut |_| ()))
    }

    fn dict<const N: usize>(members: [(&str, Value); N]) -> Value {
        Value::Dict(members.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect())
    }

    fn list<const N: usize>(items: [Value; N]) -> Value {
        Value::List(items.into())
    }

    fn text(text: &str) -> Value {
        Value::Bytes(text.as_bytes().to_vec())
    }

    fn int(number: i64) -> Value {
        Value::Integer(number)
    }

    fn conn(port: i64) -> Value {
        dict([
            ("peername", list([text("192.0.2.1"), int(port)])),
            ("tls", Value::Bool(port == 443)),
            ("tls_version", text("TLSv1.3")),
            ("cipher", text("TLS_AES_128_GCM_SHA256")),
            ("sni", text("api.example")),
        ])
    }

    /// A POST of `body` as format 21 has it, version last.
    fn http(body: &str) -> Value {
        let headers = list([list([text("content-length"), text("3")])]);
        let request = dict([
            ("method", text("POST")),
            ("scheme", text("https")),
            ("host", text("192.0.2.1")),
            ("port", int(443)),
            ("path", text("/p?q=1")),
            ("http_version", text("HTTP/2.0")),
            ("headers", headers.clone()),
            ("content", text(body)),
            ("timestamp_start", Value::Float(1_714_550_400.5)),
        ]);
        let response = dict([("status_code", int(204)), ("headers", list([])), ("content", text(""))]);
        dict([
            ("request", request),
            ("response", response),
            ("client_conn", conn(50_000)),
            ("server_conn", conn(443)),
            ("websocket", Value::Null),
            ("error", Value::Null),
            ("type", text("http")),
            ("version", int(21)),
        ])
    }

    fn raw(kind: &str) -> Value {
        let message = |sent, content, time| list([Value::Bool(sent), text(content), Value::Float(time)]);
        let messages = list([message(true, "ab", 1.0), message(false, "x", 2.0), message(true, "cd", 3.0)]);
        dict([("type", text(kind)), ("version", int(21)), ("server_conn", conn(443)), ("messages", messages)])
    }

    #[test]
    fn an_http_flow_keeps_every_fact() {
        let got = read_flows(&write(&http("a=b")));
        let record = &got.records[0];
        assert_eq!((record.id.0.as_str(), record.protocol), ("flow:0", Protocol::Http2));
        assert_eq!(record.time.unwrap().to_string(), "2024-05-01T08:00:00.500Z");
        assert_eq!(record.server.name.as_ref().unwrap().0, "api.example");
        assert_eq!((record.channel.kind, record.channel.version.as_deref()), (ChannelKind::Tls, Some("TLS 1.3")));
        let request = record.request.as_ref().unwrap();
        assert_eq!(request.url.as_deref(), Some("https://192.0.2.1/p?q=1"));
        assert_eq!(request.target.as_deref(), Some(&b"/p?q=1"[..]));
        assert_eq!(bytes(request.body.as_ref()), b"a=b");
        let response = record.response.as_ref().unwrap();
        assert_eq!((response.status, response.body.is_none()), (Some(204), true));
        assert!(got.damages.is_empty() && record.flags.is_empty());
    }

    #[test]
    fn a_file_cut_anywhere_keeps_the_flows_before_the_cut() {
        let first = write(&http("a=b"));
        let both = [first.clone(), write(&http("the second body"))].concat();
        let whole = read_flows(&both);
        for cut in first.len() + 1..both.len() {
            let got = read_flows(&both[..cut]);
            assert_eq!(format!("{:?}", got.records[0]), format!("{:?}", whole.records[0]), "{cut}");
            assert_eq!(got.damages.len(), 1, "{cut}");
            for record in &got.records[1..] {
                assert!(record.flags.contains(&Flag::Incomplete), "{cut}");
                let body = content(record.request.as_ref());
                assert!(b"the second body".starts_with(&body[..]), "{cut}");
            }
        }
        assert!(read_flows(&both[..first.len()]).damages.is_empty());
    }

    #[test]
    fn a_flow_too_broken_to_have_a_version_costs_itself_only() {
        let data = [&b"8:1:x,9:y,}"[..], &write(&http("a=b"))].concat();
        let got = read_flows(&data);
        assert_eq!((got.records.len(), got.records[0].id.0.as_str()), (1, "flow:1"));
        assert_eq!(got.damages[0].place, "flow:0");
    }

    #[test]
    fn formats_from_0_11_to_21_are_read_and_others_refused_by_name() {
        let format = |version| write(&dict([("version", version), ("type", text("tcp")), ("messages", list([]))]));
        for version in
            [list([int(0), int(11)]), list([int(0), int(19), int(2)]), list([int(3), int(0), int(0)]), int(4), int(21)]
        {
            assert!(read_flows(&format(version)).damages.is_empty());
        }
        for (version, name) in [
            (list([int(0), int(10), int(1)]), "(0, 10)"),
            (int(22), "flow format 22; dyetrace reads up to 21"),
            (int(3), "flow format 3"),
            (text("x"), "no version"),
            (Value::Null, "no version"),
        ] {
            let got = read_flows(&format(version));
            assert_eq!((got.records.len(), got.damages[0].place.as_str()), (0, "byte 0"));
            assert!(got.damages[0].reason.contains(name), "{}", got.damages[0].reason);
        }
    }

    #[test]
    fn the_oldest_format_names_things_differently() {
        let request = dict([
            ("method", text("GET")),
            ("scheme", text("http")),
            ("host", text("old.example")),
            ("port", int(8080)),
            ("path", text("/")),
            ("httpversion", list([int(1), int(0)])),
            ("form_in", text("relative")),
            ("headers", list([list([text("Host"), text("old.example:8080")])])),
            ("content", text("")),
        ]);
        let response = dict([("code", int(200)), ("headers", list([])), ("content", text("body"))]);
        let server = dict([
            ("address", dict([("address", list([text("old.example"), int(8080)]))])),
            ("ssl_established", Value::Bool(false)),
        ]);
        let flow = dict([
            ("version", list([int(0), int(11)])),
            ("type", text("http")),
            ("request", request),
            ("response", response),
            ("server_conn", server),
        ]);
        let got = read_flows(&write(&flow));
        let record = &got.records[0];
        assert_eq!(
            (record.protocol, record.channel.kind, record.server.port),
            (Protocol::Http10, ChannelKind::Clear, Some(8080))
        );
        assert_eq!(record.request.as_ref().unwrap().url.as_deref(), Some("http://old.example:8080/"));
        assert_eq!(
            (record.response.as_ref().unwrap().status, content(record.response.as_ref())),
            (Some(200), b"body".to_vec())
        );
    }

    #[test]
    fn a_tcp_flow_is_one_record_and_a_udp_flow_one_for_each_datagram() {
        let got = read_flows(&write(&raw("tcp")));
        assert_eq!((got.records[0].protocol, got.records[0].id.0.as_str()), (Protocol::Tls, "flow:0"));
        assert_eq!(
            (content(got.records[0].request.as_ref()), content(got.records[0].response.as_ref())),
            (b"abcd".to_vec(), b"x".to_vec())
        );
        let got = read_flows(&write(&raw("udp")));
        let ids: Vec<&str> = got.records.iter().map(|record| record.id.0.as_str()).collect();
        assert_eq!(ids, ["flow:0/udp:0", "flow:0/udp:1", "flow:0/udp:2"]);
        assert_eq!(content(got.records[1].response.as_ref()), b"x");
    }

    #[test]
    fn websocket_messages_are_records_old_and_new() {
        let message =
            |sent, content| list([int(1), Value::Bool(sent), text(content), Value::Float(5.0), Value::Bool(false)]);
        let messages = list([message(true, "up"), message(false, "down")]);
        let Value::Dict(mut members) = http("a=b") else { panic!("a dictionary") };
        members
            .iter_mut()
            .filter(|(key, _)| key == b"websocket")
            .for_each(|(_, value)| *value = dict([("messages", messages.clone())]));
        let new = read_flows(&write(&Value::Dict(members)));
        assert_eq!((new.records.len(), new.records[1].id.0.as_str()), (3, "flow:0/ws:0"));
        assert_eq!(content(new.records[2].response.as_ref()), b"down");
        let old =
            read_flows(&write(&dict([("type", text("websocket")), ("version", int(11)), ("messages", messages)])));
        assert_eq!((old.records.len(), content(old.records[0].request.as_ref())), (2, b"up".to_vec()));
    }

    #[test]
    fn a_dns_flow_has_its_question_and_answers() {
        let question = dict([("name", text("cloud.example")), ("type", int(1)), ("class_", int(1))]);
        let answer = dict([
            ("name", text("cloud.example")),
            ("type", int(1)),
            ("ttl", int(9)),
            ("data", Value::Bytes(vec![192, 0, 2, 5])),
        ]);
        let request = dict([("questions", list([question])), ("timestamp", Value::Float(1.0))]);
        let response = dict([("response_code", int(0)), ("answers", list([answer])), ("timestamp", Value::Float(2.0))]);
        let flow = dict([("type", text("dns")), ("version", int(21)), ("request", request), ("response", response)]);
        let got = read_flows(&write(&flow));
        let request = got.records[0].request.as_ref().unwrap();
        assert_eq!((request.method.as_deref(), request.target.as_deref()), (Some("A"), Some(&b"cloud.example"[..])));
        assert_eq!(got.records[0].response.as_ref().unwrap().headers, [(b"A".to_vec(), b"192.0.2.5".to_vec())]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            crate::fuzzing::flows(&data);
        }

        #[test]
        fn a_damaged_file_is_read_or_refused(at in 0usize..900, length in 0usize..20, bytes in prop::collection::vec(any::<u8>(), 0..10)) {
            let mut data = [write(&http("a=b")), write(&raw("udp"))].concat();
            let start = at.min(data.len());
            data.splice(start..(start + length).min(data.len()), bytes);
            crate::fuzzing::flows(&data);
        }
    }
}
