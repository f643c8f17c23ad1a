//! The index without a network: everybody in it is found, nobody else is, and buckets look alike.

use crate::{Folder, build, identifier, key, plan, signer};
use dyetrace_check::client::{NoAnswer, Question, answers};
use dyetrace_check::evaluate::Key;
use dyetrace_check::index::{Builder, Index, NotAnIndex, NotBuilt, Person, Plan};
use dyetrace_check::merkle::root_of;
use dyetrace_check::record::entry_bytes;
use dyetrace_check::{Identifier, Kind, Manifest, NotTrusted, SignedManifest, Source, to_hex};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Asks as the client does. The blinding is of the number; it is not secret here.
fn ask(index: &Index, key: &Key, asked: &Identifier, number: u8) -> Result<Vec<Vec<String>>, NoAnswer> {
    let manifest = index.manifest();
    let question = Question::new(manifest, asked.clone(), &mut [number.wrapping_add(1); 64]).unwrap();
    let evaluation = key.evaluate(&[question.element()], &[number ^ 0x55; 64]).unwrap();
    let frame = index.bucket(question.bucket()).unwrap().unwrap();
    let answers = answers(manifest, &[question], &evaluation, &[&frame])?;
    Ok(answers.into_iter().flatten().map(|exposure| exposure.fields).collect())
}

#[test]
fn everybody_finds_their_fields_and_nobody_else_is_found() {
    let folder = Folder::new();
    let index = build(&folder, 300, plan());
    for number in (0..300_u32).step_by(7) {
        let fields = if number.is_multiple_of(2) { vec!["e-mail", "password"] } else { vec!["e-mail"] };
        for asked in crate::person(number).identifiers {
            assert_eq!(
                ask(&index, &key(), &asked, number as u8).unwrap(),
                std::slice::from_ref(&fields),
                "person {number}"
            );
        }
    }
    for number in 300..340 {
        for asked in crate::person(number).identifiers {
            assert_eq!(ask(&index, &key(), &asked, number as u8), Ok(Vec::new()));
        }
    }
}

#[test]
fn buckets_have_one_size_hold_k_and_are_distinct() {
    let folder = Folder::new();
    let index = build(&folder, 300, plan());
    let manifest = index.manifest();
    assert_eq!((manifest.identifiers, manifest.people), (600, 300));
    assert!(manifest.bits >= 4, "600 identifiers fill more than 8 buckets of 5: {}", manifest.bits);
    let mut held = vec![0; manifest.buckets() as usize];
    for asked in (0..300).flat_map(|number| crate::person(number).identifiers) {
        held[manifest.bucket_of(&asked).unwrap() as usize] += 1;
    }
    assert!(held.iter().all(|count| (manifest.k..=manifest.capacity).contains(count)), "{held:?}");
    let frames: BTreeSet<_> = (0..manifest.buckets()).map(|number| index.bucket(number).unwrap().unwrap()).collect();
    assert_eq!(frames.len(), manifest.buckets() as usize);
    assert!(frames.iter().all(|frame| frame.len() == manifest.frame_bytes()));
    assert!(index.bucket(manifest.buckets()).unwrap().is_none());
}

#[test]
fn one_person_in_two_dumps_is_told_of_both() {
    let folder = Folder::new();
    let source = |name: &str| Source { name: name.to_owned(), date: None };
    let plan = Plan { sources: vec![source("first"), source("second")], k: 1, bits: None };
    let (key, path) = (key(), folder.0.join("two.index"));
    let mut builder = Builder::new(plan, &key, &folder.0).unwrap();
    let lin = |kind, text| identifier(kind, text);
    let person = |identifiers, source, fields| Person { identifiers, source, fields };
    builder.add(person(vec![lin(Kind::Email, "lin@example.test")], 0, 0b01)).unwrap();
    builder.add(person(vec![lin(Kind::Email, "LIN@example.test"), lin(Kind::Qq, "10001")], 1, 0b10)).unwrap();
    assert!(matches!(builder.add(person(Vec::new(), 2, 0)), Err(NotBuilt::Plan)));
    builder.finish(vec!["name".to_owned(), "password".to_owned()], &signer(), &path).unwrap();
    let index = Index::open(&path).unwrap();
    assert_eq!(index.manifest().identifiers, 2, "one address is one identifier, however it is spelt");
    let both = ask(&index, &key, &lin(Kind::Email, "lin@example.test"), 1).unwrap();
    assert_eq!(both, [["name"], ["password"]]);
    assert_eq!(ask(&index, &key, &lin(Kind::Qq, "10001"), 1).unwrap(), [["password"]]);
}

#[test]
fn bits_that_leave_too_few_in_a_bucket_are_refused() {
    let folder = Folder::new();
    let key = key();
    let mut builder = Builder::new(Plan { bits: Some(8), ..plan() }, &key, &folder.0).unwrap();
    (0..100).for_each(|number| builder.add(crate::person(number)).unwrap());
    let refused = builder.finish(Vec::new(), &signer(), &folder.0.join("a.index"));
    assert!(matches!(refused, Err(NotBuilt::TooFew(smallest)) if smallest < 5));
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "nothing is left of it");
}

#[test]
fn a_service_that_lies_is_found_out() {
    let folder = Folder::new();
    let index = build(&folder, 300, plan());
    let asked = identifier(Kind::Email, "person8@example.test");
    let other = Key::derive(&[9; 32], b"").unwrap();
    assert_eq!(ask(&index, &other, &asked, 1), Err(NoAnswer::Proof), "another key");
    let manifest = index.manifest();
    let question = || Question::new(manifest, asked.clone(), &mut [5; 64]).unwrap();
    let evaluation = key().evaluate(&[question().element()], &[6; 64]).unwrap();
    let answer = |frame: &[u8]| answers(manifest, &[question()], &evaluation, &[frame]);
    let right = index.bucket(question().bucket()).unwrap().unwrap();
    assert_eq!(answer(&right).unwrap()[0].len(), 1);
    for place in [0, right.len() / 2, right.len() - 1] {
        let mut changed = right.clone();
        changed[place] ^= 1;
        assert_eq!(answer(&changed), Err(NoAnswer::Bucket), "byte {place}");
    }
    let neighbour = index.bucket(question().bucket() ^ 1).unwrap().unwrap();
    assert_eq!(answer(&neighbour), Err(NoAnswer::Bucket), "a bucket in the place of another");
    assert_eq!(answer(&right[1..]), Err(NoAnswer::Bucket));
}

#[test]
fn an_entry_that_does_not_open_is_not_told_as_absent() {
    let folder = Folder::new();
    let index = build(&folder, 50, Plan { bits: Some(0), ..plan() });
    let mut frame = index.bucket(0).unwrap().unwrap();
    let entry = entry_bytes(1);
    frame.chunks_exact_mut(entry).for_each(|entry| *entry.last_mut().unwrap() ^= 1);
    let manifest = Manifest { root: to_hex(&root_of(&frame, 0, &[])), ..index.manifest().clone() };
    let answer = |asked: &str| {
        let question = Question::new(&manifest, identifier(Kind::Email, asked), &mut [5; 64]).unwrap();
        let evaluation = key().evaluate(&[question.element()], &[6; 64]).unwrap();
        answers(&manifest, &[question], &evaluation, &[&frame])
    };
    assert_eq!(answer("person8@example.test"), Err(NoAnswer::Bucket));
    assert_eq!(answer("nobody@example.test"), Ok(vec![Vec::new()]));
}

#[test]
fn a_manifest_is_believed_as_it_was_signed_and_by_whom() {
    let folder = Folder::new();
    let index = build(&folder, 50, plan());
    let signed = index.signed();
    assert_eq!(signed.trusted(Some(signer().verifying_key().as_bytes())).as_ref(), Ok(index.manifest()));
    assert_eq!(signed.trusted(Some(&[1; 32])), Err(NotTrusted::Signer));
    let changed: Manifest = Manifest { k: 1000, ..index.manifest().clone() };
    let changed = SignedManifest { manifest: serde_json::to_string(&changed).unwrap(), ..signed.clone() };
    assert_eq!(changed.trusted(None), Err(NotTrusted::Signature));
}

#[test]
fn a_file_that_was_cut_or_changed_is_not_served() {
    let folder = Folder::new();
    build(&folder, 50, plan());
    let whole = std::fs::read(folder.0.join("check.index")).unwrap();
    let open = |bytes: &[u8]| {
        let path = folder.0.join("other.index");
        std::fs::write(&path, bytes).unwrap();
        Index::open(&path)
    };
    assert!(open(&whole).is_ok());
    assert!(matches!(open(&whole[..whole.len() - 1]), Err(NotAnIndex::Length)));
    assert!(matches!(open(&whole[..100]), Err(NotAnIndex::Form)));
    assert!(matches!(open(b""), Err(NotAnIndex::Form)));
    let place = whole.windows(8).position(|window| window == b"\\\"bits\\\"").unwrap() + 9;
    let mut changed = whole.clone();
    changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
    assert!(matches!(open(&changed), Err(NotAnIndex::Trust(NotTrusted::Signature))));
}

#[test]
fn no_identifier_stands_in_the_file() {
    let folder = Folder::new();
    build(&folder, 100, plan());
    let whole = std::fs::read(folder.0.join("check.index")).unwrap();
    for needle in ["person8@example.test", "person8", "13800000008"] {
        assert!(!whole.windows(needle.len()).any(|window| window == needle.as_bytes()), "an identifier is in the file");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn whoever_was_put_in_is_found_and_nobody_else(
        inside in proptest::collection::btree_set(10_000_u32..20_000, 1..40),
        outside in proptest::collection::btree_set(20_000_u32..30_000, 1..5),
        k in 1_u32..4,
    ) {
        let folder = Folder::new();
        let (key, path) = (key(), folder.0.join("any.index"));
        let k = k.min(inside.len() as u32);
        let mut builder = Builder::new(Plan { k, ..plan() }, &key, &folder.0).unwrap();
        let qq = |number: &u32| identifier(Kind::Qq, &number.to_string());
        for number in &inside {
            builder.add(Person { identifiers: vec![qq(number)], source: 0, fields: 1 }).unwrap();
        }
        builder.finish(vec!["qq".to_owned()], &signer(), &path).unwrap();
        let index = Index::open(&path).unwrap();
        for number in &inside {
            prop_assert_eq!(ask(&index, &key, &qq(number), 1), Ok(vec![vec!["qq".to_owned()]]));
        }
        for number in &outside {
            prop_assert_eq!(ask(&index, &key, &qq(number), 1), Ok(Vec::new()));
        }
    }
}
