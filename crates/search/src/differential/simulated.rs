//! Whole analyses over made-up runs: what follows is found, what does not is not, and chance errs
//! as seldom as is said.

use super::{Analysis, Collector, Design, RunDesign, analyse};
use crate::split_mix::SplitMix64;
use dyetrace_case::{
    Alternative, Blob, Channel, DatumId, Endpoint, Follows, Message, NameSource, Record, Secret, Time,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Seeded, so that every failure can be repeated.
struct Lot(SplitMix64);

impl Lot {
    fn new(seed: u64) -> Self {
        Self(SplitMix64(seed))
    }

    fn draw(&mut self) -> u64 {
        self.0.draw()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.draw() as u8).collect()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, (self.draw() % (last as u64 + 1)) as usize);
        }
    }
}

fn request(method: &str, target: &str, body: Vec<u8>) -> Record {
    let message = Message {
        method: Some(method.to_owned()),
        target: Some(target.as_bytes().to_vec()),
        headers: vec![(b"User-Agent".to_vec(), b"App/1".to_vec())],
        body: Some(Blob::from(body)),
        ..Message::default()
    };
    Record {
        server: Endpoint { name: Some(("api.example".to_owned(), NameSource::Host)), ..Endpoint::default() },
        channel: Channel::unknown(),
        ..Record::of_request(message)
    }
}

fn at(mut record: Record, seconds: i64) -> Record {
    record.time = Time::from_parts(seconds, 0);
    record
}

/// A keyed digest with a key that nobody here tells the analysis.
fn keyed(text: &str) -> String {
    dyetrace_case::hex(&Sha256::digest(format!("unknown key|{text}")))
}

fn run(id: &str, values: &[(&str, &str)]) -> RunDesign {
    let values = values.iter().map(|(kind, value)| (DatumId((*kind).to_owned()), Secret::new(*value))).collect();
    RunDesign { id: id.to_owned(), values, ..RunDesign::default() }
}

/// Runs with one phone number each, in the order given.
fn phones(values: &[&str]) -> Design {
    let runs = values.iter().enumerate().map(|(number, value)| run(&format!("r{number}"), &[("phone", value)]));
    Design { runs: runs.collect() }
}

fn analysed(design: &Design, record: impl Fn(usize, &RunDesign) -> Vec<Record>) -> Analysis {
    let mut collector = Collector::default();
    for (number, run) in design.runs.iter().enumerate() {
        for record in record(number, run) {
            collector.add(number, &record, &[]);
        }
    }
    analyse(design, &collector)
}

fn value<'r>(run: &'r RunDesign, kind: &str) -> &'r str {
    std::str::from_utf8(run.values[&DatumId(kind.to_owned())].reveal()).unwrap()
}

fn fields(analysis: &Analysis) -> Vec<(&str, Follows)> {
    analysis.findings.iter().map(|finding| (finding.field.as_str(), finding.follows)).collect()
}

const A: &str = "13800000427";
const B: &str = "13800000999";

/// A report with a keyed digest of the phone number among everything that is not one.
fn report(number: usize, run: &RunDesign) -> Vec<Record> {
    let mut lot = Lot::new(number as u64);
    let phone = keyed(value(run, "phone"));
    let nonce = dyetrace_case::hex(&lot.bytes(16));
    let json = format!(
        r#"{{"d":{{"fp":"{phone}"}},"install":"5e10f1","nonce":"{nonce}","ts":{},"n":{number}}}"#,
        1_790_000_000 + number
    );
    vec![request("POST", &format!("/v1/u/{phone}/report?s={nonce}"), json.into_bytes())]
}

#[test]
fn a_digest_with_an_unknown_key_follows_and_noise_does_not() {
    let analysis = analysed(&phones(&[A, B, A, B, A, B]), report);
    assert_eq!(fields(&analysis), [("body > json /d/fp", Follows::Value), ("path 3", Follows::Value)]);
    let finding = &analysis.findings[0];
    assert_eq!(
        (finding.shape.path.as_str(), finding.class, finding.lengths),
        ("/v1/u/*/report", "hexadecimal", (64, 64))
    );
    assert_eq!(finding.blocks, [["r0", "r2", "r4"], ["r1", "r3", "r5"]]);
    assert!((finding.chance_of_any - 0.1).abs() < 1e-9 && finding.is_hint(), "six runs in two arms are only a hint");
    assert_eq!((&finding.excluded[..], &finding.open[..]), (&[Alternative::Time][..], &[Alternative::Subject][..]));
}

#[test]
fn several_arms_of_two_runs_are_more_than_a_hint() {
    let values = ["1", "2", "3", "4", "1", "2", "3", "4"].map(|last| format!("1380000000{last}"));
    let analysis = analysed(&phones(&values.each_ref().map(String::as_str)), report);
    assert!((analysis.findings[0].chance_of_any - 1.0 / 105.0).abs() < 1e-9 && !analysis.findings[0].is_hint());
}

#[test]
fn runs_of_equal_values_give_nothing() {
    assert_eq!(analysed(&phones(&[A; 6]), report), Analysis::default());
}

#[test]
fn without_repeats_nothing_is_claimed_and_that_is_said() {
    let analysis = analysed(&phones(&[A, B]), report);
    assert!(analysis.findings.is_empty());
    assert!(analysis.notes.iter().any(|note| note.contains("at least twice")), "{:?}", analysis.notes);
}

#[test]
fn a_cipher_without_fresh_vector_follows_by_value_and_with_one_by_length() {
    let name = |run: &RunDesign| value(run, "phone").to_owned();
    let record = |number: usize, run: &RunDesign| {
        let fixed = Sha256::digest(format!("block cipher, fixed vector|{}", name(run)))[..16].to_vec();
        let fresh = Lot::new(number as u64).bytes(name(run).len() + 28);
        vec![request("POST", "/fixed", fixed), request("POST", "/fresh", fresh)]
    };
    let analysis = analysed(&phones(&["Li", "Featherstonehaugh", "Li", "Featherstonehaugh", "Li"]), record);
    assert_eq!(fields(&analysis), [("body", Follows::Value), ("body", Follows::Length)]);
    assert_eq!(
        (analysis.findings[0].shape.path.as_str(), analysis.findings[1].shape.path.as_str()),
        ("/fixed", "/fresh")
    );
    assert_eq!(analysis.findings[1].lengths, (30, 45));
    let same_length = analysed(&phones(&[A, B, A, B, A]), record);
    assert_eq!(fields(&same_length), [("body", Follows::Value)], "values of equal length leave no trace in lengths");
}

#[test]
fn fields_are_found_behind_form_base64_compression_and_cookies() {
    let record = |_: usize, run: &RunDesign| {
        let inner = format!(r#"[{{"id":1,"k":"{}"}},{{"id":2,"k":"x"}}]"#, keyed(value(run, "phone")));
        let coded = crate::codec::base64::wrap(inner.as_bytes(), false, true);
        let mut record = request("POST", "/x", [b"v=1&data=", &coded[..]].concat());
        let cookie = format!("lang=en; u={}", keyed(value(run, "phone")));
        record.request.as_mut().unwrap().headers.push((b"Cookie".to_vec(), cookie.into_bytes()));
        vec![record]
    };
    let analysis = analysed(&phones(&[A, B, A, B, A, B]), record);
    let found: Vec<&str> = analysis.findings.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(found, ["body > form data > base64 > json /*/k", "cookie u"]);
}

#[test]
fn data_that_never_differ_alone_are_named_together_and_a_crossed_plan_tells_them_apart() {
    let record = |_: usize, run: &RunDesign| {
        let both = format!("{}{}", value(run, "phone"), value(run, "email"));
        let target = format!("/x?p={}&b={}", keyed(value(run, "phone")), keyed(&both));
        vec![request("GET", &target, Vec::new())]
    };
    let plan = |pairs: &[(&str, &str)]| Design {
        runs: pairs.iter().map(|(phone, email)| run("r", &[("phone", phone), ("email", email)])).collect(),
    };
    let tied = analysed(&plan(&[(A, "x"), (B, "y"), (A, "x"), (B, "y"), (A, "x")]), record);
    assert!(tied.findings.iter().all(|finding| finding.data.len() == 2 && !finding.together));
    let crossed = [(A, "x"), (B, "x"), (A, "y"), (B, "y"), (A, "x"), (B, "x"), (A, "y"), (B, "y")];
    let crossed = analysed(&plan(&crossed), record);
    let named: Vec<_> = crossed.findings.iter().map(|f| (f.field.as_str(), f.data.len(), f.together)).collect();
    assert_eq!(named, [("query b", 2, true), ("query p", 1, false)]);
    assert!(crossed.findings[1].excluded.contains(&Alternative::Subject), "the phone follows across e-mail addresses");
}

#[test]
fn other_explanations_are_ruled_out_only_by_the_plan() {
    let record = |number: usize, run: &RunDesign| {
        let target = format!("/x?p={}", keyed(value(run, "phone")));
        vec![at(request("GET", &target, Vec::new()), number as i64)]
    };
    let mut blocked = phones(&[A, A, A, B, B, B]);
    for (run, installation) in blocked.runs.iter_mut().zip(["1", "2", "1", "2", "1", "2"]) {
        run.conditions.insert("installation".to_owned(), installation.to_owned());
        run.conditions.insert("network".to_owned(), value(run, "phone").len().to_string());
        let device = if value(run, "phone") == A { "first" } else { "second" };
        run.conditions.insert("device".to_owned(), device.to_owned());
    }
    let analysis = analysed(&blocked, record);
    let condition = |name: &str| Alternative::Condition(name.to_owned());
    assert_eq!(analysis.findings[0].open, [Alternative::Time, Alternative::Subject, condition("device")]);
    assert_eq!(analysis.findings[0].excluded, [condition("installation")]);
}

/// An identifier that each installation makes for itself is no news about the phone number.
#[test]
fn fresh_installations_with_the_same_value_take_their_identifiers_out() {
    let record = |number: usize, _: &RunDesign| {
        vec![request("GET", &format!("/x?install={}", keyed(&number.to_string())), Vec::new())]
    };
    assert!(analysed(&phones(&[A, B, A, B, A, B]), record).findings.is_empty());
}

/// Values dealt by lot to runs whose fields know nothing of them: switches, buckets of three,
/// numbers that drift, nonces, fields that are now and then absent.
fn unrelated(lot: &mut Lot, number: u64) -> Vec<Record> {
    let mut target = String::from("/x?");
    for switch in 0..6 {
        let _ = write!(target, "s{switch}={}&", lot.draw() % 2);
    }
    let _ = write!(target, "b={}&drift={}&nonce={}", lot.draw() % 3, number / 5, lot.draw());
    if lot.draw().is_multiple_of(4) {
        let _ = write!(target, "&rare={}", lot.draw() % 2);
    }
    vec![request("GET", &target, lot.bytes(40 + (number % 2) as usize * 7))]
}

#[test]
fn false_findings_are_as_rare_as_is_said() {
    let cases = 1000;
    let mut at_most = [(0.01, 0), (0.02, 0), (0.05, 0)];
    let mut any = 0;
    for seed in 0..cases {
        let mut lot = Lot::new(seed);
        let mut values = [A, B].repeat(5);
        lot.shuffle(&mut values);
        let mut collector = Collector::default();
        for number in 0..values.len() {
            for record in unrelated(&mut lot, number as u64) {
                collector.add(number, &record, &[]);
            }
        }
        let findings = analyse(&phones(&values), &collector).findings;
        any += u32::from(!findings.is_empty());
        let least = findings.iter().map(|finding| finding.chance_of_any).fold(f64::INFINITY, f64::min);
        for (level, count) in &mut at_most {
            *count += u32::from(least <= *level);
        }
    }
    assert!(any > 0, "the simulation would show nothing if it never erred");
    for (level, count) in at_most {
        // Four standard deviations above what is promised.
        let most = level * cases as f64 + 4.0 * (level * cases as f64).sqrt();
        assert!(f64::from(count) <= most, "{count} of {cases} cases err at level {level}");
    }
}

#[test]
fn a_flood_of_fields_is_bounded_and_said() {
    let design = phones(&[A, B, A, B]);
    let analysis = analysed(&design, |number, _| {
        let pair = |part: usize, n: usize| format!("k{part}x{n}={}", n * number);
        let body = |part: usize| (0..2000).map(|n| pair(part, n)).collect::<Vec<_>>().join("&");
        (0..40).map(|part| request("POST", "/x", body(part).into_bytes())).collect()
    });
    assert!(analysis.notes.iter().any(|note| note.contains("left out")), "{:?}", analysis.notes);
}

fn begins_like_a_document(bytes: &[u8]) -> bool {
    crate::codec::recognise(bytes, crate::codec::Context::Any).is_some_and(crate::codec::Structure::is_certain)
}

proptest! {
    /// Which thread took which record, and in what order, changes nothing.
    #[test]
    fn the_answer_does_not_depend_on_the_order(seed in any::<u64>(), threads in 1usize..4) {
        let design = phones(&[A, B, A, B, A]);
        let mut records: Vec<(usize, Record)> = Vec::new();
        for (number, run) in design.runs.iter().enumerate() {
            records.extend(report(number, run).into_iter().map(|record| (number, at(record, number as i64))));
        }
        let mut whole = Collector::default();
        for (run, record) in &records {
            whole.add(*run, record, &[]);
        }
        Lot::new(seed).shuffle(&mut records);
        let mut parts: Vec<Collector> = (0..threads).map(|_| Collector::default()).collect();
        for (n, (run, record)) in records.iter().enumerate() {
            parts[n % threads].add(*run, record, &[]);
        }
        let mut merged = Collector::default();
        for part in parts {
            merged.merge(part);
        }
        prop_assert_eq!(analyse(&design, &merged), analyse(&design, &whole));
    }

    /// Any text whatever is taken apart without a panic.
    #[test]
    fn any_text_is_taken(target in proptest::collection::vec(any::<u8>(), 0..60), body in "[\\[\\]{}\":,=&%a1+/ -]{0,80}") {
        let mut record = request("POST", "/", body.into_bytes());
        record.request.as_mut().unwrap().target = Some(target);
        let mut collector = Collector::default();
        collector.add(0, &record, &[]);
        collector.add(70, &record, &[]);
    }

    /// Any bytes whatever are one field as a whole, whatever else is read into them.
    #[test]
    fn any_bytes_are_a_field(body in proptest::collection::vec(any::<u8>(), 1..120)) {
        let leaves = super::fields::fields_of(&request("POST", "/", body.clone())).0;
        let whole = leaves.iter().any(|leaf| leaf.name == "body" && leaf.content.length == body.len() as u64);
        prop_assert!(whole || begins_like_a_document(&body), "{:?}", leaves);
    }
}
