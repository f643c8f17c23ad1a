use super::*;
use crate::Scanner;
use dyetrace_case::{Blob, Message, Secret};

pub(super) fn record(number: usize) -> Record {
    let body = format!("{{\"n\":{number},\"user\":\"somebody\",\"list\":[\"a\",\"b\"]}}").into_bytes();
    let request = Message {
        target: Some(format!("/v1/thing/{number}?a=b&c=d").into_bytes()),
        headers: vec![(b"User-Agent".to_vec(), b"app/1".to_vec()), (b"Cookie".to_vec(), b"sid=1; x=y".to_vec())],
        body: Some(Blob::from(body)),
        ..Message::default()
    };
    Record::of_request(request)
}

fn subject() -> Subject {
    let mut subject = Subject::default();
    subject.add("email".parse().unwrap(), Secret::new("someone.new@planted.example"));
    subject
}

#[test]
fn values_are_found_where_they_were_hidden_and_the_numbers_are_always_the_same() {
    let (subject, options) = (subject(), SpikeOptions::default());
    let scanner = Scanner::new(&subject, options.search.clone());
    let records: Vec<Record> = (0..3).map(record).collect();
    let run = || spike(&subject, &scanner, &records, &options, &mut |_, _| {});
    let first = run();
    assert_eq!(first.chains, run().chains);
    let carriers: Vec<_> = first.carriers.keys().copied().collect();
    assert_eq!(carriers, ["cookie", "header", "json", "path", "query"]);
    let of = |name: &str| first.chains.iter().find(|(chain, _)| chain == name).map(|(_, recovery)| *recovery).unwrap();
    for chain in ["as typed", "base64", "hex", "base64 > gzip"] {
        assert_eq!(of(chain).found(), of(chain).injected, "{chain}");
    }
    assert_eq!(of("as typed").injected, 5);
    assert!(first.depths[&1].found() * 10 > first.depths[&1].injected * 8, "{:?}", first.depths);
    assert_eq!(of("reversed > base64").found(), of("reversed > base64").injected);
    let shares: Vec<u64> = first.chains.iter().map(|(_, r)| r.found() * 1000 / r.injected).collect();
    assert!(shares.is_sorted(), "worst first");
    assert_eq!(first.all.injected, first.depths.values().map(|recovery| recovery.injected).sum::<u64>());
}

#[test]
fn letters_in_the_middle_of_a_body_are_replaced_by_what_is_hidden() {
    let (subject, options) = (subject(), SpikeOptions::default());
    let scanner = Scanner::new(&subject, options.search.clone());
    for body in [b"1".repeat(200), b"S^A\xa2 w+".to_vec(), b"\x07\x00abcd\x01\x02".to_vec()] {
        let body = Some(Blob::from(body));
        let records = [Record::of_request(Message { body, ..Message::default() })];
        let spike = spike(&subject, &scanner, &records, &options, &mut |_, _| {});
        let of = |name: &str| spike.chains.iter().find(|(chain, _)| chain == name).unwrap().1;
        for chain in ["base32", "base58", "character codes", "separated hex"] {
            assert_eq!((of(chain).solid, of(chain).injected), (1, 1), "{chain}");
        }
    }
}

#[test]
fn without_values_or_records_nothing_is_tried() {
    let (subject, options) = (subject(), SpikeOptions::default());
    let scanner = Scanner::new(&subject, options.search.clone());
    assert_eq!(spike(&subject, &scanner, &[], &options, &mut |_, _| {}).all, Recovery::default());
    let nobody = Subject::default();
    assert_eq!(spike(&nobody, &scanner, &[record(0)], &options, &mut |_, _| {}).all, Recovery::default());
}
