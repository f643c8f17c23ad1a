//! HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/) as browsers and proxies write it.
//!
//! No writer follows the specification to the letter, so every field is read on its own: one that
//! is missing or of an odd type is absent from the record, and an entry is given up only where it
//! has neither a request nor a response.

use super::entries::{Ending, Entries, RawEntry};
use super::{Counted, Losses, har_body, har_input, json, lost, url};
use crate::coding;
use crate::layer::{Limits, Out};
use crate::websocket::frame::opcode_name;
use dyetrace_case::{
    App, Channel, ChannelKind, Endpoint, ExhibitId, Flag, Message, Protocol, Record, RecordId, Side, Time,
};
use json::Json;
use std::io::Read;
use std::sync::Arc;

/// Reads the text of a HAR file. `progress` is told the bytes read so far.
pub(crate) fn read(input: &mut dyn Read, size_hint: u64, out: &mut Out<'_>, progress: &mut dyn FnMut(u64)) {
    let _ = size_hint;
    let Ok(text) = har_input::open(Counted::new(input, progress)) else {
        return lost(out, "byte 0", None, "the file could not be read".to_owned());
    };
    let mut entries = Entries::new(text, out.limits.held);
    let mut losses = Losses::default();
    for index in 0u64.. {
        if out.stopped() {
            return;
        }
        match entries.next() {
            Ok(raw) => entry(index, &raw, &mut losses, out),
            Err(ending) => {
                losses.end(out);
                return end(ending, entries.read_failed(), out);
            }
        }
    }
}

fn end(ending: Ending, read_failed: bool, out: &mut Out<'_>) {
    let (offset, reason) = match ending {
        Ending::Closed => return,
        Ending::Broken(offset) if read_failed => (offset, "the file cannot be read or unpacked from here on"),
        Ending::Broken(offset) => (offset, "the list of entries is broken off here; what follows was not read"),
        Ending::Absent => (0, "this file has no list log.entries; it is not a HAR file, or it is cut off before it"),
    };
    lost(out, &format!("byte {offset}"), None, reason.to_owned());
}

fn entry(index: u64, raw: &RawEntry<'_>, losses: &mut Losses, out: &mut Out<'_>) {
    out.tally.packets += 1;
    let document = json::parse(raw.bytes);
    let unread = document.stopped_at.map_or(0, |at| (raw.bytes.len() - at.min(raw.bytes.len())) as u64);
    let damaged = document.stopped_at.is_some() || !raw.complete || raw.dropped > 0;
    let reader = Reader { entry: &document.value, index, exhibit: out.exhibit, limits: &out.limits };
    let records = reader.records(damaged);
    if damaged || records.is_empty() {
        let offset = raw.start.saturating_add(document.stopped_at.unwrap_or(0) as u64);
        let reason = match raw.complete {
            _ if !damaged => format!("the entry at byte {offset} has neither a request nor a response"),
            _ if raw.dropped > 0 => format!("the entry is longer than the limit; read up to byte {offset}"),
            true => format!("broken JSON at byte {offset}"),
            false => format!("the file ends within this entry, at byte {offset}"),
        };
        let bytes = if records.is_empty() { raw.bytes.len() as u64 } else { unread };
        losses.tell(out, format!("har:{index}"), Some(bytes.saturating_add(raw.dropped)), reason);
    }
    for record in records {
        out.tally.payload += record.content_bytes();
        out.record(record);
    }
}

/// One entry on its way to records.
struct Reader<'e> {
    entry: &'e Json<'e>,
    index: u64,
    exhibit: ExhibitId,
    limits: &'e Limits,
}

impl Reader<'_> {
    /// The exchange and the WebSocket messages that followed it; nothing where there is neither.
    fn records(&self, damaged: bool) -> Vec<Record> {
        let Some(mut exchange) = self.exchange() else { return Vec::new() };
        if damaged {
            exchange.flags.push(Flag::Incomplete);
        }
        exchange.flags.sort();
        exchange.flags.dedup();
        let messages = self.entry.get("_webSocketMessages").map_or(&[][..], Json::items);
        let numbered = (0u64..).zip(messages);
        let messages: Vec<Record> =
            numbered.filter_map(|(number, message)| self.websocket(&exchange, number, message)).collect();
        std::iter::once(exchange).chain(messages).collect()
    }

    fn exchange(&self) -> Option<Record> {
        let is_object = |json: &&Json<'_>| matches!(json, Json::Object(members) if !members.is_empty());
        let request = self.entry.get("request").filter(is_object);
        let response = self.entry.get("response").filter(is_object);
        let url = request.and_then(|request| request.get("url")?.string());
        let time = self.entry.get("startedDateTime").and_then(time);
        let mut flags = Vec::new();
        let request = request.map(|json| self.request(json, url.clone(), time, &mut flags));
        let response = response.and_then(|json| self.response(json, time, &mut flags));
        if response.is_none() {
            request.as_ref()?;
            flags.push(Flag::Unanswered);
        }
        let protocol = self.protocol();
        Some(Record {
            id: RecordId(format!("har:{}", self.index)),
            exhibit: self.exhibit,
            protocol,
            time,
            client: self.client(),
            server: self.server(url.as_deref()),
            channel: self.channel(url.as_deref(), protocol),
            app: self.app(),
            request,
            response,
            flags,
        })
    }

    fn request(&self, json: &Json<'_>, url: Option<String>, time: Option<Time>, flags: &mut Vec<Flag>) -> Message {
        let method = json.get("method").and_then(Json::string);
        let target = url.as_deref().map(|url| request_target(url, method.as_deref()));
        let mut headers = headers(json);
        restore_cookies(json, &mut headers);
        let (body, cut) = har_body::request(json, self.limits);
        flags.extend((cut > 0).then_some(Flag::Cut(cut)));
        let size = json.get("bodySize").and_then(Json::number);
        if body.is_none() && size.is_some_and(|size| size > 0.0) {
            flags.push(Flag::Unrecorded(Side::Request));
        }
        let last = self.response_time(time);
        let mut message = Message { time, last, method, target, url, headers, body, ..Message::default() };
        flags.extend(self.undo_codings(&mut message));
        message
    }

    /// Status 0 (or none) is how recorders write that no response came.
    fn response(&self, json: &Json<'_>, started: Option<Time>, flags: &mut Vec<Flag>) -> Option<Message> {
        let status = json.get("status").and_then(Json::number).filter(|status| (1.0..=65_535.0).contains(status));
        let headers = headers(json);
        let (body, cut) = har_body::response(json, self.limits);
        if status.is_none() && headers.is_empty() && body.as_ref().is_none_or(dyetrace_case::Blob::is_empty) {
            return None;
        }
        flags.extend((cut > 0).then_some(Flag::Cut(cut)));
        let size = json.get("content").and_then(|content| content.get("size")?.number());
        if body.is_none() && size.is_some_and(|size| size > 0.0) {
            flags.push(Flag::Unrecorded(Side::Response));
        }
        let status = status.map(|status| status as u16);
        let (time, last) = (self.response_time(started), self.end_time(started));
        let mut message = Message { time, last, status, headers, body, ..Message::default() };
        flags.extend(self.undo_codings(&mut message));
        Some(message)
    }

    /// HAR bodies are decoded already, whatever the fields say; only bytes that begin as the
    /// named coding does were kept as sent.
    fn undo_codings(&self, message: &mut Message) -> Vec<Flag> {
        const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
        const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        let mut start = [0; 4];
        if let Some(body) = &message.body {
            // Where that fails, so does whoever reads the body, and says so.
            let _ = body.read_at(0, &mut start);
        }
        let coded = start.starts_with(&GZIP) || start == ZSTD;
        if coded { coding::decode_content(message, self.limits) } else { Vec::new() }
    }

    /// The first byte of the response came after everything but receiving it.
    fn response_time(&self, started: Option<Time>) -> Option<Time> {
        let took = self.entry.get("time").and_then(Json::number).filter(|ms| (0.0..1e9).contains(ms))?;
        let receive = self.entry.get("timings").and_then(|timings| timings.get("receive")?.number());
        let receive = receive.filter(|ms| (0.0..=took).contains(ms)).unwrap_or(0.0);
        started?.0.checked_add(((took - receive) * 1e6) as i64).map(Time)
    }

    /// The last byte of the response.
    fn end_time(&self, started: Option<Time>) -> Option<Time> {
        let took = self.entry.get("time").and_then(Json::number).filter(|ms| (0.0..1e9).contains(ms))?;
        started?.0.checked_add((took * 1e6) as i64).map(Time)
    }

    fn protocol(&self) -> Protocol {
        let version = |side: &str| self.entry.get(side)?.get("httpVersion")?.string();
        let version = version("response").or_else(|| version("request")).unwrap_or_default().to_ascii_lowercase();
        let any = |names: &[&str]| names.iter().any(|name| version.contains(name));
        match () {
            () if any(&["h3", "http/3", "quic"]) => Protocol::Http3,
            () if any(&["h2", "http/2", "spdy"]) => Protocol::Http2,
            () if any(&["1.0"]) => Protocol::Http10,
            () => Protocol::Http11,
        }
    }

    /// Proxyman and Charles name the client's address, Fiddler its port within a comment.
    fn client(&self) -> Endpoint {
        let text = |name: &str| self.entry.get(name).and_then(Json::string);
        let address = text("_clientAddress").or_else(|| text("_clientIP"));
        let port = text("_clientPort").or_else(|| {
            let connection = text("connection")?;
            Some(connection.strip_prefix("ClientPort:")?.split(';').next()?.to_owned())
        });
        Endpoint {
            address: address.and_then(|text| url::host_and_port(&text).0.parse().ok()),
            port: port.and_then(|text| text.trim().parse().ok()),
            name: None,
        }
    }

    fn server(&self, url: Option<&str>) -> Endpoint {
        let mut server = url.and_then(url::split).map(|url| url.endpoint()).unwrap_or_default();
        let address = self.entry.first(&["serverIPAddress", "_serverAddress"]).and_then(Json::string);
        if let Some((address, _)) = address.as_deref().map(url::host_and_port) {
            server.address = address.parse().ok().or(server.address);
        }
        let port = self.entry.get("_serverPort").and_then(Json::number).filter(|port| (1.0..65_536.0).contains(port));
        server.port = port.map(|port| port as u16).or(server.port);
        server
    }

    fn channel(&self, url: Option<&str>, protocol: Protocol) -> Channel {
        let url = url.and_then(url::split);
        let marked = self.entry.get("_isHTTPS") == Some(&Json::Bool(true));
        let kind = match url {
            _ if protocol == Protocol::Http3 => ChannelKind::Quic,
            Some(url) if url.is_secure() => ChannelKind::Tls,
            _ if marked => ChannelKind::Tls,
            Some(url) if url.is_clear() => ChannelKind::Clear,
            _ => ChannelKind::Unknown,
        };
        if matches!(kind, ChannelKind::Clear | ChannelKind::Unknown) {
            return Channel { kind, version: None, suite: None };
        }
        let details =
            self.entry.get("_securityDetails").or_else(|| self.entry.get("response")?.get("_securityDetails"));
        let detail = |name: &str| details.and_then(|details| details.get(name)?.string());
        Channel { kind, version: detail("protocol"), suite: detail("cipher") }
    }

    fn app(&self) -> Option<Arc<App>> {
        let path = self.entry.get("_clientBundlePath").and_then(Json::string);
        let name = self.entry.first(&["_clientName", "_app", "_appName", "_process"]).and_then(Json::string);
        let package = self.entry.first(&["_clientBundleId", "_package", "_packageName"]).and_then(Json::string);
        let package = package.or(path);
        let uid = self.entry.get("_uid").and_then(Json::number).filter(|uid| (0.0..4_294_967_296.0).contains(uid));
        let uid = uid.map(|uid| uid as u32);
        let known = name.is_some() || package.is_some() || uid.is_some();
        known.then(|| Arc::new(App { name, package, uid }))
    }

    /// One message of Chrome's `_webSocketMessages`, which the other recorders took over. Binary
    /// data is base64.
    fn websocket(&self, exchange: &Record, number: u64, json: &Json<'_>) -> Option<Record> {
        let data = json.get("data")?.scalar()?;
        let opcode = json.get("opcode").and_then(Json::number).map_or(1, |opcode| opcode as u8);
        let sent = json.get("type").and_then(Json::scalar) != Some(b"receive");
        let time = json.get("time").and_then(time).or(exchange.time);
        let (body, cut) = har_body::websocket(data, opcode, self.limits);
        let message = Message {
            time,
            last: time,
            method: sent.then(|| opcode_name(opcode).to_owned()),
            body: Some(body),
            url: exchange.request.as_ref().and_then(|request| request.url.clone()),
            ..Message::default()
        };
        let (request, response) = if sent { (Some(message), None) } else { (None, Some(message)) };
        Some(Record {
            id: RecordId(format!("{}/ws:{number}", exchange.id)),
            protocol: Protocol::WebSocket,
            time,
            request,
            response,
            flags: (cut > 0).then_some(Flag::Cut(cut)).into_iter().collect(),
            exhibit: exchange.exhibit,
            client: exchange.client.clone(),
            server: exchange.server.clone(),
            channel: exchange.channel.clone(),
            app: exchange.app.clone(),
        })
    }
}

/// A date and time in text, or a number of seconds or milliseconds since 1970.
fn time(json: &Json<'_>) -> Option<Time> {
    let text = json.string()?;
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let number = json.number()?;
    Time::from_seconds(if number.abs() > 1e11 { number / 1000.0 } else { number })
}

/// Path and query; for CONNECT the authority; for URLs without authority all of it.
fn request_target(url: &str, method: Option<&str>) -> Vec<u8> {
    let target = match url::split(url) {
        Some(url) if method == Some("CONNECT") => {
            let port = url.effective_port().map_or(String::new(), |port| format!(":{port}"));
            format!("{}{port}", url.host)
        }
        Some(url) if url.target.starts_with('/') => url.target.to_owned(),
        Some(url) => format!("/{}", url.target),
        None => url.to_owned(),
    };
    target.into_bytes()
}

/// The fields of a message, trailers last. Pseudo fields of HTTP/2 (`:path`) repeat the request
/// line and are left out, as are fields without a name or value.
fn headers(message: &Json<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lists = ["headers", "_trailers"].map(|name| message.get(name));
    lists.into_iter().flatten().flat_map(header_list).filter(|(name, _)| !name.starts_with(b":")).collect()
}

fn header_list(list: &Json<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    if let Json::Object(members) = list {
        let pair =
            |(name, value): &(std::borrow::Cow<'_, [u8]>, Json<'_>)| Some((name.to_vec(), value.scalar()?.to_vec()));
        return members.iter().filter_map(pair).collect();
    }
    list.items().iter().filter_map(header).collect()
}

/// `{"name":…,"value":…}`, or `["name","value"]` as Slack writes it.
fn header(json: &Json<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, value) = match json {
        Json::List(pair) => (pair.first()?, pair.get(1)?),
        _ => (json.get("name")?, json.get("value")?),
    };
    Some((name.scalar().filter(|name| !name.is_empty())?.to_vec(), value.scalar()?.to_vec()))
}

/// Some recorders move the Cookie field to `cookies` alone; it was sent all the same.
fn restore_cookies(request: &Json<'_>, headers: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    let cookies: Vec<(Vec<u8>, Vec<u8>)> = request.get("cookies").map(header_list).unwrap_or_default();
    if cookies.is_empty() || headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"cookie")) {
        return;
    }
    let pairs: Vec<Vec<u8>> = cookies.iter().map(|(name, value)| [name, &b"="[..], value].concat()).collect();
    headers.push((b"Cookie".to_vec(), pairs.join(&b"; "[..])));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Got, bytes, collect, content};
    use proptest::prelude::*;

    fn read_har(data: &[u8]) -> Got {
        collect(Limits::default(), |out| read(&mut &*data, data.len() as u64, out, &mut |_| ()))
    }

    /// The records of one entry; `body` is what stands between its braces.
    fn one_entry(body: &str) -> Got {
        read_har(format!(r#"{{"log":{{"version":"1.2","entries":[{{{body}}}]}}}}"#).as_bytes())
    }

    /// A request to `url` beside `more` members of the entry, answered 200.
    fn get(url: &str, more: &str) -> Record {
        let entry = format!(r#""request":{{"method":"GET","url":"{url}"}},"response":{{"status":200}}{more}"#);
        one_entry(&entry).records.swap_remove(0)
    }

    fn request_body(request: &str) -> Option<Vec<u8>> {
        let got = one_entry(&format!(r#""request":{{"method":"POST","url":"https://a.example/",{request}}}"#));
        got.records[0].request.as_ref().unwrap().body.as_ref().map(|body| bytes(Some(body)))
    }

    const TWO: &str = r#"{"log":{"entries":[
        {"startedDateTime":"2024-05-01T10:00:00.000+02:00","time":30,
         "request":{"method":"POST","url":"https://api.example:8443/a?b=c#d","httpVersion":"h2",
          "headers":[{"name":":path","value":"/a?b=c"},{"name":"X-Id","value":7},{"name":"x","value":null},["Slack","yes"]],
          "postData":{"mimeType":"text/plain","text":"caf\u00e9"}},
         "response":{"status":201,"headers":[{"name":"Content-Encoding","value":"gzip"}],
          "content":{"size":3,"text":"AP+A","encoding":"base64"}},
         "timings":{"receive":10},"serverIPAddress":"[2001:db8::1]"},
        {"request":{"method":"GET","url":"http://b.example/"},"response":{"status":0}}]}}"#;

    #[test]
    fn an_exchange_keeps_every_fact_of_its_entry() {
        let got = read_har(TWO.as_bytes());
        let record = &got.records[0];
        assert_eq!((record.id.0.as_str(), record.protocol), ("har:0", Protocol::Http2));
        assert_eq!(record.time.unwrap().to_string(), "2024-05-01T08:00:00Z");
        assert_eq!(record.channel.kind, ChannelKind::Tls);
        assert_eq!((record.server.address, record.server.port), ("2001:db8::1".parse().ok(), Some(8443)));
        assert_eq!(record.server.name.as_ref().unwrap().0, "api.example");
        let request = record.request.as_ref().unwrap();
        assert_eq!(request.target.as_deref(), Some(&b"/a?b=c"[..]), "the fragment is never sent");
        assert_eq!(content(record.request.as_ref()), "café".as_bytes());
        let fields: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(fields, ["X-Id: 7", "Slack: yes"]);
        let response = record.response.as_ref().unwrap();
        assert_eq!((response.status, bytes(response.body.as_ref())), (Some(201), vec![0, 255, 128]));
        assert_eq!(response.time.unwrap().to_string(), "2024-05-01T08:00:00.020Z");
        assert!(response.codings.is_empty(), "content.text is decoded already, whatever the field says");
        assert!(got.damages.is_empty());
    }

    #[test]
    fn status_0_means_that_no_response_came() {
        let got = read_har(TWO.as_bytes());
        assert!(got.records[1].response.is_none());
        assert_eq!(got.records[1].flags, [Flag::Unanswered]);
        assert_eq!(got.records[1].channel.kind, ChannelKind::Clear);
    }

    #[test]
    fn one_broken_entry_costs_itself_only() {
        let got = read_har(br#"{"log":{"entries":[7, {"a":1}, {"request":{"url":"http://a/"}, oops}, {"request":{"url":"http://b/"}}]}}"#);
        let ids: Vec<&str> = got.records.iter().map(|record| record.id.0.as_str()).collect();
        assert_eq!(ids, ["har:2", "har:3"]);
        let places: Vec<&str> = got.damages.iter().map(|damage| damage.place.as_str()).collect();
        assert_eq!(places, ["har:0", "har:1", "har:2"]);
        assert!(got.records[0].flags.contains(&Flag::Incomplete));
        assert!(!got.records[1].flags.contains(&Flag::Incomplete));
    }

    #[test]
    fn broken_entries_beyond_a_thousand_are_counted_together() {
        let got = read_har(format!(r#"{{"entries":[{}7]}}"#, "{},".repeat(4999)).as_bytes());
        assert_eq!(got.damages.len(), 1001);
        assert_eq!(got.damages[1000].place, "har:1000");
        assert!(got.damages[1000].reason.starts_with("4000 entries"), "{}", got.damages[1000].reason);
    }

    #[test]
    fn a_file_cut_anywhere_keeps_the_entries_before_the_cut() {
        let whole = read_har(TWO.as_bytes());
        let first_ends = TWO.find("},\n        {\"request\"").unwrap() + 1;
        for cut in 0..TWO.len() {
            let got = read_har(&TWO.as_bytes()[..cut]);
            if cut < TWO.len() - 2 {
                assert!(!got.damages.is_empty(), "{cut}: what is missing is said");
            }
            if cut >= first_ends {
                assert_eq!(format!("{:?}", got.records[0]), format!("{:?}", whole.records[0]), "{cut}");
            }
            for record in got.records.iter().skip(usize::from(cut >= first_ends)) {
                let done = cut >= TWO.len() - 3;
                assert_eq!(record.flags.contains(&Flag::Incomplete), !done, "{cut}");
                let name = record.server.name.as_ref().map(|(name, _)| name.as_str());
                assert!([None, Some("api.example"), Some("b.example")].contains(&name), "{cut}: half a host name");
            }
        }
    }

    #[test]
    fn a_file_that_is_no_har_says_so() {
        for text in ["", "{}", "[1]", "{\"log\":[\n2,1,3\n]\n\"request:\"}", "\0\0\0"] {
            let got = read_har(text.as_bytes());
            assert!(got.records.is_empty());
            assert_eq!(got.damages.len(), 1, "{text}");
            assert_eq!(got.damages[0].place, "byte 0");
        }
    }

    #[test]
    fn a_response_of_status_0_without_a_request_is_no_record() {
        let got = one_entry(r#""response":{"status":0}"#);
        assert_eq!((got.records.len(), got.damages.len()), (0, 1));
    }

    #[test]
    fn request_bodies_are_found_where_each_tool_puts_them() {
        let cases: [(&str, &str, Option<&[u8]>); 9] = [
            ("Chrome", r#""postData":{"mimeType":"a/b","text":"x=1"}"#, Some(b"x=1")),
            ("PCAPdroid", r#""postData":{"text":"AAE=","encoding":"base64"}"#, Some(&[0, 1])),
            ("a private field", r#""postData":{"text":"AAE","_encoding":"BASE64"}"#, Some(&[0, 1])),
            ("HTTP Toolkit", r#""_content":{"text":"AAE=","size":2,"encoding":"base64"}"#, Some(&[0, 1])),
            (
                "Insomnia",
                r#""postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"1&2"},{"name":"c","value":"%41"}]}"#,
                Some(b"a+b=1%262&c=%41"),
            ),
            (
                "a multipart form",
                r#""postData":{"mimeType":"multipart/form-data; boundary=X","params":[{"name":"f","fileName":"a.txt","value":"v"}]}"#,
                Some(b"--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nv\r\n--X--\r\n"),
            ),
            ("base64 that is none", r#""postData":{"text":"not base64!","encoding":"base64"}"#, Some(b"not base64!")),
            ("an empty body", r#""bodySize":0,"postData":{"mimeType":"","text":"","params":[]}"#, Some(b"")),
            ("no body", r#""bodySize":0"#, None),
        ];
        for (tool, request, body) in cases {
            assert_eq!(request_body(request).as_deref(), body, "{tool}");
        }
    }

    #[test]
    fn a_body_the_recorder_left_out_is_absent_and_not_empty() {
        let got = one_entry(
            r#""request":{"url":"https://a/","bodySize":12},"response":{"status":200,"content":{"size":9,"text":""}}"#,
        );
        let record = &got.records[0];
        assert!(record.request.as_ref().unwrap().body.is_none());
        assert!(record.response.as_ref().unwrap().body.is_none());
        assert_eq!(record.flags, [Flag::Unrecorded(Side::Request), Flag::Unrecorded(Side::Response)]);
    }

    #[test]
    fn bytes_kept_as_sent_are_inflated() {
        let got = one_entry(
            r#""request":{"url":"https://a/"},"response":{"status":200,"headers":[{"name":"content-encoding","value":"gzip"}],
            "content":{"encoding":"base64","text":"H4sIAAAAAAAAA0tMSk4BABHNgu0EAAAA"}}"#,
        );
        let response = got.records[0].response.as_ref().unwrap();
        assert_eq!(
            (bytes(response.decoded.as_ref()), response.codings.join(",")),
            (b"abcd".to_vec(), "gzip".to_owned())
        );
    }

    #[test]
    fn protocols_are_told_by_every_spelling() {
        for (version, protocol) in [
            ("HTTP/1.1", Protocol::Http11),
            ("http/1.0", Protocol::Http10),
            ("HTTP/2", Protocol::Http2),
            ("http/2.0", Protocol::Http2),
            ("h2", Protocol::Http2),
            ("spdy/3.1", Protocol::Http2),
            ("HTTP/3", Protocol::Http3),
            ("h3-29", Protocol::Http3),
            ("http/2+quic/46", Protocol::Http3),
            ("unknown", Protocol::Http11),
            ("", Protocol::Http11),
        ] {
            let got = one_entry(&format!(r#""request":{{"url":"https://a/","httpVersion":"{version}"}}"#));
            assert_eq!(got.records[0].protocol, protocol, "{version}");
        }
    }

    #[test]
    fn peers_and_apps_are_read_from_each_tools_own_fields() {
        let proxyman = get(
            "https://a.example/",
            r#","_clientName":"Shop","_clientBundlePath":"/Applications/Shop.app","_clientAddress":"10.0.0.2","_clientPort":52353,"_serverAddress":"192.0.2.7","_serverPort":8443"#,
        );
        assert_eq!(proxyman.app.as_ref().unwrap().name.as_deref(), Some("Shop"));
        assert_eq!((proxyman.client.address, proxyman.client.port), (Some([10, 0, 0, 2].into()), Some(52_353)));
        assert_eq!((proxyman.server.address, proxyman.server.port), (Some([192, 0, 2, 7].into()), Some(8443)));
        let fiddler = get(
            "http://a.example/",
            r#","connection":"ClientPort:53214;EgressPort:53215","serverIPAddress":"192.0.2.8""#,
        );
        assert_eq!(fiddler.client.port, Some(53_214));
        let playwright = get("https://a.example/", r#","_securityDetails":{"protocol":"TLS 1.3"}"#);
        assert_eq!(playwright.channel.version.as_deref(), Some("TLS 1.3"));
        let chrome =
            get("https://a.example/", r#","serverIPAddress":"","connection":"159834","startedDateTime":1714550400000"#);
        assert_eq!((chrome.server.address, chrome.client.port), (None, None));
        assert_eq!(chrome.time.unwrap().to_string(), "2024-05-01T08:00:00Z");
        assert_eq!(get("data:text/plain,x", "").channel.kind, ChannelKind::Unknown);
    }

    #[test]
    fn cookies_filed_elsewhere_are_put_back() {
        let got = one_entry(
            r#""request":{"url":"https://a/","headers":[],"cookies":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}"#,
        );
        assert_eq!(got.records[0].request.as_ref().unwrap().headers, [(b"Cookie".to_vec(), b"a=1; b=2".to_vec())]);
    }

    #[test]
    fn websocket_messages_are_records_of_their_own() {
        let got = one_entry(
            r#""request":{"method":"GET","url":"wss://a.example/s"},"response":{"status":101},
            "_webSocketMessages":[{"type":"send","time":1714550400.5,"opcode":1,"data":"hi"},{"type":"receive","opcode":2,"data":"AAE="}]"#,
        );
        let [_, sent, received] = &got.records[..] else { panic!("three records") };
        assert_eq!((sent.id.0.as_str(), sent.protocol), ("har:0/ws:0", Protocol::WebSocket));
        assert_eq!((content(sent.request.as_ref()), sent.response.is_none()), (b"hi".to_vec(), true));
        assert_eq!(sent.time.unwrap().to_string(), "2024-05-01T08:00:00.500Z");
        assert_eq!((content(received.response.as_ref()), received.request.is_none()), (vec![0, 1], true));
        assert_eq!(received.channel.kind, ChannelKind::Tls);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            crate::fuzzing::har(&data);
        }

        #[test]
        fn a_damaged_file_is_read_or_refused(at in 0..TWO.len(), length in 0usize..40, bytes in prop::collection::vec(any::<u8>(), 0..10)) {
            let mut data = TWO.as_bytes().to_vec();
            data.splice(at..(at + length).min(TWO.len()), bytes);
            crate::fuzzing::har(&data);
        }
    }
}
