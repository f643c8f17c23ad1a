//! Bags as others see them: `sha256sum`, the Library of Congress's `bagit`, and whoever changes a byte.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

use dyetrace_custody::bag::{self, Bag, Content, FixityFault, Payload};
use dyetrace_custody::zip::Archive;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

fn made() -> Bag {
    let mut payload = Payload::new();
    for (path, text) in [("case.yaml", "format: 1\n"), ("evidence/app 1.har", "{}"), ("evidence/数据.har", "[]")] {
        let content = Content::Bytes(text.as_bytes().to_vec());
        let measured = content.measure().unwrap();
        payload.insert(path.to_owned(), (content, measured));
    }
    Bag::new(payload, &[("External-Description", "two\nlines".to_owned())]).unwrap()
}

fn empty(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn faults(folder: &Path) -> Vec<FixityFault> {
    bag::check(folder).unwrap().faults.into_iter().collect()
}

#[test]
fn a_bag_is_what_others_take_for_one() {
    let folder = empty("bag-others");
    made().write_folder(&folder).unwrap();
    let fixity = bag::check(&folder).unwrap();
    assert_eq!((fixity.files, fixity.faults.len(), fixity.digest), (6, 0, Some(made().digest)));
    let sums = ["-c", "--quiet", "--strict", "manifest-sha256.txt", "tagmanifest-sha256.txt"];
    match Command::new("sha256sum").args(sums).current_dir(&folder).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => println!("skipped: sha256sum is not installed"),
    }
    let known = Command::new("python3").args(["-c", "import bagit"]).output();
    if known.is_ok_and(|output| output.status.success()) {
        let output = Command::new("python3").args(["-m", "bagit", "--validate"]).arg(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    } else {
        println!("skipped: the Python package bagit is not installed");
    }
}

#[test]
fn a_flipped_byte_anywhere_is_found_and_its_file_named() {
    let folder = empty("bag-flipped");
    made().write_folder(&folder).unwrap();
    let (files, _) = bag::files_below(&folder).unwrap();
    let mut flipped = 0;
    for path in files {
        let place = folder.join(&path);
        let whole = fs::read(&place).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x01;
            fs::write(&place, &changed).unwrap();
            let found = faults(&folder);
            // The tag manifest is named by nobody: its digest is the bag's, and what it says no longer fits the files.
            let digest = bag::check(&folder).unwrap().digest;
            let named = found.iter().any(|fault| fault.to_string().contains(&path));
            let is_tag = path == bag::TAG_MANIFEST;
            assert!(named || (is_tag && !found.is_empty()) || (is_tag && digest != Some(made().digest)), "{path} {at}");
            flipped += 1;
        }
        fs::write(&place, &whole).unwrap();
    }
    assert!(flipped > 500);
    assert_eq!(faults(&folder), []);
}

#[test]
fn what_is_missing_added_or_a_link_is_named() {
    let folder = empty("bag-changed");
    made().write_folder(&folder).unwrap();
    fs::remove_file(folder.join("data/case.yaml")).unwrap();
    fs::write(folder.join("data/evidence/more.har"), "{}").unwrap();
    std::os::unix::fs::symlink("/etc", folder.join("data/evidence/link")).unwrap();
    let expected = [
        FixityFault::Missing("data/case.yaml".to_owned()),
        FixityFault::Unlisted("data/evidence/more.har".to_owned()),
        FixityFault::NotAFile("data/evidence/link".to_owned()),
    ];
    assert_eq!(faults(&folder), expected);
    fs::remove_dir_all(&folder).unwrap();
    made().write_folder(&folder).unwrap();
    let outside = format!("{}  ../../outside\n", "ab".repeat(32));
    fs::write(folder.join("manifest-sha256.txt"), outside).unwrap();
    let found = faults(&folder);
    assert!(found.contains(&FixityFault::Missing("../../outside".to_owned())), "{found:?}");
}

#[test]
fn the_same_contents_give_the_same_archive_and_it_unpacks_to_the_same_bag() {
    let zipped = || made().write_zip("bundle", Vec::new()).unwrap();
    assert_eq!(zipped(), zipped());
    assert_eq!(Archive::open(Cursor::new(zipped())).unwrap().entries().len(), 7);
    let folder = empty("bag-zip");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("b.zip"), zipped()).unwrap();
    let root = bag::unpack(&folder.join("b.zip"), &folder.join("out")).unwrap();
    assert_eq!(root, folder.join("out/bundle"));
    assert_eq!(faults(&root), []);
    for length in (0..zipped().len()).step_by(97) {
        fs::write(folder.join("b.zip"), &zipped()[..length]).unwrap();
        assert!(bag::unpack(&folder.join("b.zip"), &folder.join("cut")).is_err(), "cut to {length}");
        let _ = fs::remove_dir_all(folder.join("cut"));
    }
}

#[test]
fn a_file_that_changes_while_it_is_bundled_is_not_bundled() {
    let folder = empty("bag-racing");
    fs::create_dir_all(&folder).unwrap();
    let place = folder.join("x");
    fs::write(&place, "before").unwrap();
    let content = Content::File(place.clone());
    let measured = content.measure().unwrap();
    let bag = Bag::new([("x".to_owned(), (content, measured))].into(), &[]).unwrap();
    fs::write(&place, "behind").unwrap();
    assert!(bag.write_zip("b", Vec::new()).unwrap_err().to_string().contains("data/x: the file changed"));
    assert!(bag.write_folder(&folder.join("out")).is_err());
    let odd = |name: &str| Bag::new([(name.to_owned(), (Content::Bytes(Vec::new()), measured))].into(), &[]);
    for name in ["a\nb", "../a", "a%0A", "a\\b"] {
        assert!(odd(name).is_err(), "{name:?}");
    }
}
