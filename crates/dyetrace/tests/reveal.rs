//! A planted value never stands in what the command prints, wherever a stranger put it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic")]

mod common;
mod wire;

use common::{dyetrace, stderr, stdout};
use std::path::{Path, PathBuf};
use wire::{ACK, Capture, SYN, SYN_ACK, datagram, segment};

const PHONE: &str = "13987650042";
const EMAIL: &str = "someone.new@planted.example";
const WORD: &str = "Zauberlehrling77";

/// Forms in which a value could be read off a page.
fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned(), hex(value, ""), hex(value, "%"), value.replace('@', "%40")];
    // Base64 without its last characters, which depend on what follows.
    forms.extend((0..3).map(|shift| unaligned_base64(value, shift)));
    forms.iter().map(|form| form.to_lowercase()).collect()
}

/// Two digits for each byte, each behind `prefix`.
fn hex(value: &str, prefix: &str) -> String {
    value.bytes().map(|byte| format!("{prefix}{byte:02X}")).collect::<Vec<_>>().concat()
}

/// The characters of a value's base64 that are the same whatever stands beside it.
fn unaligned_base64(value: &str, shift: usize) -> String {
    let text = base64(&[&vec![b' '; shift][..], value.as_bytes()].concat());
    text[if shift == 0 { 0 } else { 4 }..(value.len() + shift) / 3 * 4].to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().enumerate().fold(0, |word, (index, byte)| word | u32::from(*byte) << (16 - 8 * index));
        let letters = (0..=group.len()).map(|index| LETTERS[(word >> (18 - 6 * index) & 63) as usize] as char);
        text.extend(letters.chain("==".chars()).take(4));
    }
    text
}

/// Audits the file in every format and looks for the values in everything printed.
fn assert_hidden(file: &Path) {
    let formats =
        [("terminal", None), ("json", None), ("terminal", Some("--recognise")), ("json", Some("--recognise"))];
    for (format, recognise) in formats {
        let finds = [format!("phone={PHONE}"), format!("email={EMAIL}"), format!("wifi.password={WORD}")];
        let mut arguments = vec!["audit", file.to_str().unwrap(), "--format", format, "--all"];
        for find in &finds {
            arguments.extend(["--find", find]);
        }
        arguments.extend(recognise);
        let output = dyetrace(&arguments);
        let printed = format!("{}\n{}", stdout(&output), stderr(&output));
        assert!(printed.len() > 500, "nothing was audited: {printed}");
        assert_none_in(&printed, &format!("{format} of {}", file.display()));
        if format == "json" {
            explanations_hide(file, &finds, &stdout(&output));
        }
    }
}

fn assert_none_in(printed: &str, what: &str) {
    let lower = printed.to_lowercase();
    for value in [PHONE, EMAIL, WORD] {
        for form in forms(value) {
            let at = lower.find(&form);
            let around = at.map(|at| lower.get(at.saturating_sub(150)..(at + 60).min(lower.len())));
            assert!(at.is_none(), "{what}: {form} in {around:?}");
        }
    }
}

/// Explains some of the sightings.
fn explanations_hide(file: &Path, finds: &[String], audit: &str) {
    let audit: serde_json::Value = serde_json::from_str(audit).unwrap();
    let sightings = audit["sightings"].as_array().unwrap();
    for sighting in sightings.iter().step_by(sightings.len().div_ceil(EXPLAINED).max(1)) {
        let mut arguments = vec!["explain", sighting["id"].as_str().unwrap(), file.to_str().unwrap()];
        for find in finds {
            arguments.extend(["--find", find]);
        }
        let output = dyetrace(&arguments);
        let printed = format!("{}\n{}", stdout(&output), stderr(&output));
        assert!(printed.contains("\nProved: "), "{printed}");
        assert_none_in(&printed, "explain");
    }
}

/// Sightings of one file that are explained: each time all of it is read again.
const EXPLAINED: usize = 12;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A value in the wrappings that a page could show.
fn wrapped(value: &str) -> [String; 5] {
    [value.to_owned(), value.to_uppercase(), base64(value.as_bytes()), hex(value, ""), hex(value, "%")]
}

#[test]
fn an_archive_with_values_in_every_place_hides_them() {
    let mut entries = Vec::new();
    for value in [PHONE, EMAIL, WORD] {
        for text in wrapped(value) {
            let host = text.replace(['@', '%', '=', '/', '+'], "-");
            let body = serde_json::json!({ text.clone(): { "in": { text.clone(): value } }, "list": [text.clone()] });
            entries.push(serde_json::json!({
                "startedDateTime": "2026-01-02T03:04:05Z",
                "request": {
                    "method": text, "url": format!("https://{host}.{text}.example/{text}/a?{text}=1&q={text}#{text}"),
                    "httpVersion": text,
                    "headers": [{"name": text, "value": text}, {"name": "Cookie", "value": format!("{text}={text}")}],
                    "postData": {"mimeType": format!("text/{text}"), "text": body.to_string()},
                },
                "response": {
                    "status": 200, "httpVersion": "HTTP/1.1", "statusText": text,
                    "headers": [{"name": "Location", "value": format!("/{text}")}, {"name": "Content-Encoding", "value": text}],
                    "content": {"mimeType": "multipart/form-data", "text":
                        format!("--b\r\nContent-Disposition: form-data; name=\"{text}\"; filename=\"{text}\"\r\n\r\n{value}\r\n--b--\r\n")},
                },
                "comment": text, "serverIPAddress": text, "connection": text,
                "_app": text, "_securityDetails": {"protocol": text, "cipher": text},
            }));
            entries.push(
                serde_json::json!({"request": {"method": "GET", "url": text, "headers": text}, "response": text}),
            );
        }
    }
    let archive = serde_json::json!({"log": {"version": "1.2", "creator": {"name": PHONE, "version": EMAIL}, "entries": entries}});
    assert_hidden(&file("everywhere.har", archive.to_string().as_bytes()));
}

#[test]
fn a_name_that_is_cut_shows_no_part_of_a_value() {
    for before in 236..262 {
        let name = format!("{}{PHONE}{EMAIL}", "n".repeat(before));
        let body = serde_json::json!({ name.clone(): PHONE, "path": { name.clone(): [EMAIL] } }).to_string();
        let form = format!("{name}={PHONE}&b={EMAIL}");
        let entry = |text: &str| {
            serde_json::json!({"request": {"method": "POST", "url": "https://a.example/", "httpVersion": "HTTP/1.1",
                "headers": [], "postData": {"mimeType": "", "text": text}}})
        };
        let archive = serde_json::json!({"log": {"version": "1.2", "entries": [entry(&body), entry(&form)]}});
        let path = file("cut.har", archive.to_string().as_bytes());
        assert_hidden(&path);
        let output =
            dyetrace(&["audit", path.to_str().unwrap(), "--find", &format!("phone={PHONE}"), "--format", "json"]);
        assert!(!stdout(&output).contains("n1398765"), "{before} characters before the value");
    }
}

#[test]
fn a_capture_with_values_in_every_place_hides_them() {
    let mut capture = Capture::new(Vec::new());
    let mut number = 0;
    for value in [PHONE, EMAIL, WORD] {
        for text in wrapped(value) {
            for (port, bytes) in streams(&text, value) {
                capture.packet(&segment(number, port, true, SYN, 0, b""));
                capture.packet(&segment(number, port, false, SYN_ACK, 0, b""));
                capture.packet(&segment(number, port, true, ACK, 1, &bytes));
                capture.packet(&segment(number, port, false, ACK, 1, text.as_bytes()));
                number += 1;
            }
            capture.packet(&datagram(number, 53, &question(&text)));
            capture.packet(&datagram(number, 5683, text.as_bytes()));
        }
    }
    assert_hidden(&file("everywhere.pcap", &capture.finish()));
}

/// What a client could say first, with a text in every place, on a port.
fn streams(text: &str, value: &str) -> Vec<(u16, Vec<u8>)> {
    let request = format!("{text} /{text}?{text}={text} HTTP/1.1\r\nHost: {text}.example\r\n{text}: {text}\r\n\r\n");
    let body = format!("{text}={text}&x={value}");
    let post = format!(
        "POST http://{text}@h.example/ HTTP/1.1\r\nHost: {text}\r\nContent-Encoding: {text}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let get = format!("GET /{text} HTTP/1.1\r\nHost: {text}.example:80\r\nCookie: {text}={text}\r\n\r\n");
    let connect = format!("CONNECT {text}.example:443 HTTP/1.1\r\n\r\n");
    let texts = [request, post, get, connect].map(|text| (80, text.into_bytes()));
    let socks = [&[4, 1, 0, 80, 0, 0, 0, 1], text.as_bytes(), &[0], text.as_bytes(), b".example\0"].concat();
    let others = [(1883, mqtt(text)), (443, hello(text)), (8443, hello(&format!("{text}.example"))), (1080, socks)];
    texts.into_iter().chain(others).collect()
}

/// CONNECT and PUBLISH of MQTT 3.1.1.
fn mqtt(text: &str) -> Vec<u8> {
    let field = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let packet = |kind: u8, body: Vec<u8>| {
        let length = [(body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8];
        [&[kind][..], &length, &body].concat()
    };
    let connect = [b"\0\x04MQTT\x04\xc2\0\x3c".to_vec(), field(text), field(text), field(text)].concat();
    let publish = [field(&format!("t/{text}/{text}")), text.as_bytes().to_vec()].concat();
    [packet(0x10, connect), packet(0x30, publish)].concat()
}

/// A ClientHello whose server name is the text.
fn hello(text: &str) -> Vec<u8> {
    let length = |length: usize| (length as u16).to_be_bytes();
    let name = [&[0][..], &length(text.len()), text.as_bytes()].concat();
    let list = [&length(name.len())[..], &name].concat();
    let extension = [&[0, 0][..], &length(list.len()), &list].concat();
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0], &length(extension.len()), &extension].concat();
    let message = [&[1, 0][..], &length(body.len()), &body].concat();
    [&[22, 3, 1][..], &length(message.len()), &message].concat()
}

/// A DNS question for the text as one label.
fn question(text: &str) -> Vec<u8> {
    let label = &text.as_bytes()[..text.len().min(63)];
    [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", &[label.len() as u8][..], label, b"\x07example\0\0\x01\0\x01"].concat()
}

#[test]
fn what_was_typed_wrongly_is_not_repeated() {
    let folder = file(
        "wrong-subject.yaml",
        format!("data:\n  - kind: phone\n    value: [{PHONE}\n  {EMAIL}: {WORD}\n").as_bytes(),
    );
    let other = file("other-subject.yaml", format!("data:\n  - {PHONE}: {EMAIL}\n    kind: '{WORD}'\n").as_bytes());
    let har = file("empty.har", b"{\"log\":{\"entries\":[]}}");
    let har = har.to_str().unwrap();
    let find = |text: &str| vec!["audit".to_owned(), har.to_owned(), "--find".to_owned(), text.to_owned()];
    let subject =
        |path: &Path| vec!["audit".to_owned(), har.to_owned(), "--subject".to_owned(), path.display().to_string()];
    let no_kind = format!("={PHONE}");
    let bad_kind = format!("ph one={PHONE}");
    let swapped = format!("{WORD}=");
    for arguments in [find(PHONE), find(&no_kind), find(&bad_kind), find(&swapped), subject(&folder), subject(&other)] {
        let output = dyetrace(&arguments);
        let printed = format!("{}{}", stdout(&output), stderr(&output)).to_lowercase();
        assert!(!output.status.success() && !printed.is_empty(), "{arguments:?}");
        for value in [PHONE, EMAIL, WORD] {
            assert!(!printed.contains(&value.to_lowercase()), "{arguments:?}: {printed}");
        }
    }
}
