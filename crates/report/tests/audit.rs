//! The JSON of an audit against its published schema.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod schema;

use dyetrace_case::{
    Alternative, App, Channel, Damage, DatumId, Differential, Endpoint, Exhibit, ExhibitId, Follows, Format,
    NameSource, Opaque, PartName, Place, Protocol, Range, Record, RecordId, Shape, Side, Step, Time, Trail, Transport,
};
use dyetrace_report::audit::{
    Audit, Compared, EmbeddedPicture, ExhibitRow, FaceSeen, FacesSought, Fixity, KeyFile, KeyRow, Look, PictureNote,
    PictureRow, Pictures, Recipient, RecipientKey, Summary, Tally, Tool, Unplanted, UnplantedRow, write_json,
    write_terminal,
};
use schema::faults;
use serde_json::Value;
use std::sync::Arc;

fn published() -> Value {
    serde_json::from_str(include_str!("../../../docs/audit.schema.json")).unwrap()
}

/// An audit of a capture of which nothing could be read.
fn unreadable() -> Audit {
    let server = Endpoint {
        address: Some([203, 0, 113, 5].into()),
        port: None,
        name: Some(("\u{1b}[31mvpn.example".to_owned(), NameSource::Dns)),
    };
    let exhibit = Exhibit { id: ExhibitId([1; 32]), path: "a.pcap".to_owned(), bytes: 99, format: Format::Pcap };
    Audit {
        tool: Tool { name: "dyetrace", version: "0" },
        exhibits: vec![ExhibitRow {
            exhibit,
            fixity: Fixity::Differs,
            product: None,
            packets: 3,
            records: 0,
            payload: 80,
            opaque: 50,
            lost: 10,
            tls_connections: 1,
            tls_keyed: 0,
        }],
        keys: KeyRow {
            files: vec![KeyFile { path: "k.log".to_owned(), secrets: 4, skipped: 2 }],
            secrets: 4,
            matched: 0,
        },
        opaque: vec![Opaque {
            id: RecordId("ip:0".to_owned()),
            exhibit: ExhibitId([1; 32]),
            time: Some(Time(0)),
            last: Some(Time(0)),
            transport: Transport::Ip(50),
            client: Endpoint::default(),
            server: server.clone(),
            channel: Channel::unknown(),
            app: Some(Arc::new(App { name: Some("Chat".to_owned()), package: None, uid: Some(10_123) })),
            bytes_sent: 30,
            bytes_received: 20,
            reason: "IP protocol 50 (ESP) is not read".to_owned(),
        }],
        damages: vec![Damage {
            exhibit: ExhibitId([1; 32]),
            place: "tcp:0".to_owned(),
            time: None,
            server: Some(server),
            bytes: Some(10),
            reason: "gap of 10 bytes from the server".to_owned(),
        }],
        differential: Some(Compared { findings: vec![following()], notes: vec!["runs were compared".to_owned()] }),
        unplanted: Some(Unplanted { mode: "strict", rows: vec![recognised()] }),
        pictures: Pictures {
            faces_sought: Some(FacesSought { pictures: 2, faces: 1, left: vec![("small".to_owned(), 3)] }),
            ..Pictures { seen: 2, telling: 1, rows: vec![telling()], ..Pictures::default() }
        },
        recipients: vec![recipient()],
        ..Audit::default()
    }
}

/// A picture that tells where it was taken, in a body.
fn telling() -> PictureRow {
    let UnplantedRow { place, trail, exhibit, record, .. } = recognised();
    let (block, name, shown) = ("exif".to_owned(), "Model".to_owned(), "\u{1b}[31m****".to_owned());
    PictureRow {
        format: "jpeg".to_owned(),
        size: Some((4000, 3000)),
        notes: vec![PictureNote { block, name, shown, planted: vec![DatumId("device.name".to_owned())] }],
        embedded: Some(EmbeddedPicture { size: "160×120".to_owned(), shows: Some("other-contents".to_owned()) }),
        faces: vec![FaceSeen { left: 381, top: 692, width: 120, height: 118, score: 12.3 }],
        place,
        trail,
        exhibit,
        record,
    }
}

/// Whom a value went that nobody planted.
fn recipient() -> Recipient {
    let mut recipient = Recipient::new((*recognised().recipient).clone());
    recipient.addresses.insert([203, 0, 113, 6].into());
    recipient.unplanted.insert("qq", Tally { sent: 2, received: 0 });
    recipient
}

/// A value that only its field's name tells.
fn recognised() -> UnplantedRow {
    let record = Record {
        id: RecordId("tcp:0/http:0".to_owned()),
        exhibit: ExhibitId([1; 32]),
        protocol: Protocol::Http11,
        time: None,
        client: Endpoint::default(),
        server: Endpoint { address: Some([203, 0, 113, 6].into()), port: Some(80), name: None },
        channel: Channel::clear(),
        app: None,
        request: None,
        response: None,
        flags: Vec::new(),
    };
    let (range, part) = (Range::new(7, 14), PartName::Body(Side::Request));
    let encoded = Range::new(7, 14);
    UnplantedRow {
        kind: "qq",
        shown: "****".to_owned(),
        checks: vec!["shape", "field name"],
        bits: 0.0,
        place: Place { exhibit: record.exhibit, record: record.id.clone(), part, range, decoded: range },
        trail: Trail(vec![Step { codec: "json".to_owned(), detail: Some("/\u{1b}qq".to_owned()), encoded }]),
        exhibit: 0,
        recipient: Arc::new(RecipientKey::new(&record, None, &mut |text| text.to_owned())),
        record: Arc::new(Summary::of(&record, &|text| text.to_owned())),
    }
}

/// A field that follows one of two values, seen in too few runs.
fn following() -> Differential {
    Differential {
        data: vec![DatumId("email".to_owned()), DatumId("phone".to_owned())],
        together: false,
        follows: Follows::Length,
        shape: Shape { host: "t.example".to_owned(), method: "POST".to_owned(), path: "/v2/*".to_owned() },
        field: "body > json /\u{1b}[2Jfp".to_owned(),
        class: "bytes",
        lengths: (30, 45),
        content_bits: 0.0,
        blocks: vec![vec!["r1".to_owned(), "r3".to_owned()], vec!["r2".to_owned()]],
        chance: 1.0 / 3.0,
        chance_of_any: 1.0 / 3.0,
        excluded: vec![Alternative::Time],
        open: vec![Alternative::Subject, Alternative::Condition("device".to_owned())],
        also_seen: false,
    }
}

#[test]
fn every_audit_follows_the_published_schema() {
    let schema = published();
    let mut unread = Vec::new();
    write_json(&unreadable(), &mut unread).unwrap();
    let shipped = [
        include_str!("../../../cases/story1-wifi-password/expected.json"),
        include_str!("../../../cases/story1-as-promised/expected.json"),
        std::str::from_utf8(&unread).unwrap(),
    ];
    for text in shipped {
        let audit: Value = serde_json::from_str(text).unwrap();
        assert_eq!(faults(&schema, &audit, &schema), Vec::<String>::new());
    }
    assert!(
        !faults(&schema, &serde_json::json!({"schema": "dyetrace-audit/0"}), &schema).is_empty(),
        "the check can fail"
    );
}

#[test]
fn what_a_picture_tells_is_said_and_steers_no_terminal() {
    let mut page = Vec::new();
    write_terminal(&unreadable(), Look::default(), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    for said in [
        "What pictures give away",
        "exif Model",
        "planted: device.name",
        "160×120: shows something else",
        "Faces were looked for in different pictures: 2. Found: 1. Whose they are is not asked.",
        "Faces not examined in different pictures: 3 (small).",
        "face  at 381,692 120×118, score 12.3",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains('\u{1b}'), "{page}");
}

#[test]
fn who_looked_for_nothing_is_told_how() {
    let mut page = Vec::new();
    write_terminal(&Audit { unplanted: None, ..unreadable() }, Look::default(), &mut page).unwrap();
    assert!(String::from_utf8(page).unwrap().contains("--find phone=13800000427"));
}

#[test]
fn what_could_not_be_read_is_said_with_its_share_and_steers_no_terminal() {
    let mut page = Vec::new();
    write_terminal(&unreadable(), Look::default(), &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    for said in [
        "60 B of 80 B payload (75.0 %) gave no record",
        "IP protocol 50 (ESP) is not read",
        "gap of 10 bytes from the server",
        "0 keys match any connection",
        "0 of 1 TLS connections were decrypted",
        "NOT the file the manifest lists",
        "2 sent to 203.0.113.6:80, http/1.1 (clear)",
        "json /·qq  (shape, field name: of such texts all pass, the field's name alone tells)",
        "one of email, phone",
        "only its length follows, 30–45 bytes",
        "equal within, different between: r1, r3 | r2",
        "chance 0.333, 1.6 bits: a hint",
        "left open: something else that each subject has for itself, such as an account; the runs' device",
    ] {
        assert!(page.contains(said), "{said} is not in\n{page}");
    }
    assert!(!page.contains('\u{1b}'), "a host name must not bring its own escapes");
}
