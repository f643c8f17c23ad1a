//! Story 4 in one process: what each edition of the finance app keeps, and what its maker gets.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_case::{ActionOutcome, Event};
use dyetrace_lab::client::Client;
use dyetrace_lab::cloud::Cloud;
use dyetrace_lab::finance::Edition;
use dyetrace_lab::finance::app::{App, chosen};
use dyetrace_lab::finance::disk::Disk;
use dyetrace_lab::gallery::{Canvas, content, originals};
use dyetrace_lab::plan::Plan;
use dyetrace_lab::server::Received;
use dyetrace_lab::tester::{Outcome, Pace, Tester};
use dyetrace_lab::tls;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files of the app's folder by their paths in it.
type Files = BTreeMap<String, Vec<u8>>;

/// Counts what succeeded, and remembers what was collected.
#[derive(Default)]
struct Counter {
    succeeded: usize,
    collected: Vec<Files>,
}

impl Tester for Counter {
    fn mark(&mut self, event: Event) {
        self.succeeded += usize::from(matches!(event, Event::ActionEnded { outcome: ActionOutcome::Succeeded, .. }));
    }

    fn internet(&mut self, _connected: bool) -> Outcome<()> {
        Err("nobody asked for that".into())
    }

    fn collect(&mut self, folder: &Path) -> Outcome<()> {
        self.collected.push(files(folder, folder));
        Ok(())
    }
}

fn files(root: &Path, folder: &Path) -> Files {
    let mut all = Files::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.append(&mut files(root, &path));
        } else {
            all.insert(path.strip_prefix(root).unwrap().display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    all
}

/// What was seen of one edition.
struct Seen {
    /// The app's folder before the pictures, after them, and when all is over.
    kept: [Files; 3],
    received: Vec<Received>,
}

/// Longer than the helper needs to notice a picture.
const PACE: Pace = Pace { beat: Duration::from_millis(120), times: 3, quiet: Duration::from_millis(40) };
/// Log-in, leaving, six pictures, coming back, sending, clearing.
const ACTIONS: usize = 11;

/// A phone whose disk is taken away at the end.
struct Phone(PathBuf);

impl Drop for Phone {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn play(edition: Edition) -> Seen {
    let cloud = Cloud::start(Plan::loopback(), None).unwrap();
    let name = format!("phone-{edition:?}-{}", std::process::id());
    let phone = Phone(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    let disk = Disk::new(&phone.0).unwrap();
    let tls = tls::client(&cloud.authority, false).unwrap();
    let client = Client { plan: cloud.plan.clone(), tls, agent: edition.agent(), proxy: None };
    let app = App { edition, client, disk };
    let mut tester = Counter::default();
    app.play(&mut tester, PACE).unwrap();
    assert_eq!(tester.succeeded, ACTIONS);
    Seen { kept: tester.collected.try_into().unwrap(), received: cloud.received() }
}

/// The planted pictures that are among some files, byte for byte.
fn copies(files: &Files) -> Vec<&'static str> {
    let kept = originals().iter().filter(|one| files.values().any(|file| *file == one.bytes));
    kept.map(|one| one.name).collect()
}

fn all() -> Vec<&'static str> {
    originals().iter().map(|one| one.name).collect()
}

fn sent_to<'a>(seen: &'a Seen, host: &str) -> Vec<&'a Received> {
    seen.received.iter().filter(|one| one.host == host).collect()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// In every edition: log-in, what the app shows of its own, and one question to support, with the chosen picture alone.
fn does_its_work(seen: &Seen) {
    let [support] = sent_to(seen, "support.finance.example")[..] else { panic!("one question") };
    for original in originals() {
        assert_eq!(has(&support.body, &original.bytes), original.name == chosen(PACE.times).unwrap().name);
    }
    assert_eq!(sent_to(seen, "api.finance.example").iter().filter(|one| has(&one.body, b"15480739146")).count(), 1);
    for kept in &seen.kept {
        assert!(has(&kept["shared_prefs/com.example.finance_preferences.xml"], b"15480739146"));
        assert!(kept["databases/finance.db"].starts_with(b"SQLite format 3\0"));
        assert_eq!(help_pages(kept), 1);
    }
    assert_eq!(seen.kept.each_ref().map(|kept| names(kept, "cache/").len()), [2, 2, 0], "the banners are a cache");
}

/// The other bank's screen as an example: the app's own picture, and not the subject's.
fn help_pages(files: &Files) -> usize {
    let example = content("/help/link-river-bank.png").unwrap().unwrap();
    files.iter().filter(|(path, bytes)| path.starts_with("files/uil-images/") && **bytes == example).count()
}

fn names<'a>(files: &'a Files, folder: &str) -> Vec<&'a str> {
    files.keys().filter_map(|path| path.strip_prefix(folder)).collect()
}

#[test]
fn as_reported_every_picture_is_copied_in_the_background_and_outlives_the_cache() {
    let seen = play(Edition::Reported);
    does_its_work(&seen);
    assert_eq!(seen.kept.each_ref().map(copies), [vec![], all(), all()]);
    let card = originals().iter().find(|one| one.name == "IMG_20190105_101112.jpg").unwrap();
    assert!(seen.kept[1]["files/uil-images/1417749780"] == card.bytes, "named after the URI");
    assert_eq!(sent_to(&seen, "track.finance.example").len(), 0);
}

#[test]
fn the_silent_edition_also_sends_a_smaller_picture_of_each_copy() {
    let seen = play(Edition::Silent);
    does_its_work(&seen);
    assert_eq!(seen.kept.each_ref().map(copies), [vec![], all(), all()]);
    assert!(seen.kept[1].contains_key("files/uil-images/3abuphzcqfeww267dqn1v84y2"), "named after the URI");
    let sent = sent_to(&seen, "track.finance.example");
    let events: Vec<Value> = sent.iter().map(|one| serde_json::from_slice(&one.body).unwrap()).collect();
    assert_eq!(events.len(), originals().len());
    for original in originals() {
        let name = Edition::Silent.cache_name(&original.uri());
        let event = events.iter().find(|event| event["id"] == *name).unwrap();
        let small = STANDARD.decode(event["d"].as_str().unwrap()).unwrap();
        assert!(small != original.bytes && !has(&small, b"Exif"));
        let (small, original) = (Canvas::read(&small).unwrap(), Canvas::read(&original.bytes).unwrap());
        let expected = original.at_most_wide(640);
        assert_eq!(small.size(), expected.size());
        assert!(difference(&small, &expected) < 8, "{name}: {}", difference(&small, &expected));
    }
}

/// By how much of 255 the colours differ on average.
fn difference(one: &Canvas, other: &Canvas) -> u64 {
    let sum: u64 = one.rgb().iter().zip(other.rgb()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum / one.rgb().len() as u64
}

#[test]
fn as_promised_the_chosen_picture_is_sent_and_nothing_is_kept() {
    let seen = play(Edition::Promised);
    does_its_work(&seen);
    assert_eq!(seen.kept.each_ref().map(copies), [[""; 0]; 3].map(Vec::from));
    assert!(seen.kept.iter().all(|kept| names(kept, "files/").len() == 1), "the help page alone");
    assert_eq!(sent_to(&seen, "track.finance.example").len(), 0);
}
