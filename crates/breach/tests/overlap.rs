//! A shop's dump, the list made of it and the copy of that list: who was made from whom.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use dyetrace_breach::{Dump, Key, Kind, Options, OverlapOptions, OverlapReport, Streams, overlap, svg};
use dyetrace_lab::shop::customers::Customers;
use dyetrace_lab::shop::forms::Form;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const CUSTOMERS: u64 = 3_000;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-overlap-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn dump(&self, form: Form) -> Dump {
        let path = self.0.join(form.file_name());
        form.write(&Customers::new(3), CUSTOMERS, &mut std::fs::File::create(&path).unwrap()).unwrap();
        dump(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn dump(path: &Path) -> Dump {
    Dump { name: path.file_name().unwrap().to_string_lossy().into_owned(), paths: vec![path.to_owned()] }
}

fn compared(dumps: &[Dump]) -> OverlapReport {
    on_cores(dumps, 1, Options::default())
}

fn on_cores(dumps: &[Dump], cores: usize, reading: Options) -> OverlapReport {
    let options = OverlapOptions { k: 10, cores, reading, streams: Streams::default() };
    overlap(dumps, &Key::from_bytes([7; 32]), options).unwrap()
}

/// What is in both, counted from the customers themselves.
fn truth(of: impl Fn(u64) -> bool) -> u64 {
    (1..=CUSTOMERS).filter(|number| of(*number)).count() as u64
}

#[test]
fn a_resold_copy_is_told_with_what_was_lost_padded_and_cracked() {
    let folder = Folder::new("resold");
    let report = compared(&[folder.dump(Form::Resold), folder.dump(Form::Sql)]);
    assert_eq!(report.one_of, 1, "all are compared");
    let pair = &report.pairs[0];
    let email = pair.shared.iter().find(|shared| shared.kind == Kind::Email).unwrap();
    let kept = truth(|number| number % 5 > 0);
    assert_eq!((email.in_both, email.in_b), (Some(kept), CUSTOMERS));
    assert!(email.in_a > kept && email.a_in_b < 0.95, "strangers pad the copy: {email:?}");
    let cracked = truth(|number| number % 5 > 0 && Customers::new(3).get(number).password.len() < 11);
    assert_eq!(pair.passwords.cracked_in_a, Some(cracked));
    assert_eq!(pair.passwords.same, Some(kept - cracked));
    assert!(pair.only_in_b.contains(&Kind::Phone) && pair.only_in_a.iter().all(|kind| *kind == Kind::Password));
    assert_eq!((report.family.len(), report.family[0].copy, report.family[0].of), (1, 0, 1), "{:?}", report.family);
}

#[test]
fn copies_stand_below_what_they_were_made_from_and_strangers_apart() {
    let folder = Folder::new("family");
    let other = folder.0.join("other.csv");
    Form::Csv.write(&Customers::new(99), CUSTOMERS, &mut std::fs::File::create(&other).unwrap()).unwrap();
    let report =
        compared(&[folder.dump(Form::Sql), folder.dump(Form::Dashes), folder.dump(Form::Resold), dump(&other)]);
    let of = |copy: usize| report.family.iter().find(|copied| copied.copy == copy).map(|copied| copied.of);
    assert_eq!(of(0), None);
    assert_eq!(of(1), Some(0));
    assert!(of(2).is_some_and(|of| of < 2));
    assert_eq!(of(3), None, "customers of another shop");
    let picture = svg(&report);
    assert!(picture.starts_with("<svg") && picture.matches("<rect").count() == 5 && picture.contains("resold.txt"));
}

#[test]
fn no_value_of_a_dump_is_in_what_is_told() {
    let folder = Folder::new("told");
    let report = compared(&[folder.dump(Form::Sql), folder.dump(Form::JsonLines)]);
    let told = format!("{report}{}{report:?}{}", serde_json::to_string(&report).unwrap(), svg(&report));
    for customer in (1..=CUSTOMERS).map(|number| Customers::new(3).get(number)) {
        assert!(!told.contains(&customer.mobile) && !told.contains(&customer.email));
    }
}

#[test]
fn on_any_number_of_cores_dumps_share_the_same() {
    let folder = Folder::new("cores");
    // Tables that take turns, and damaged rows: parts of no use are read again.
    let turns = folder.0.join("turns.sql");
    let mut text = String::new();
    for number in 1..=CUSTOMERS {
        let customer = Customers::new(3).get(number);
        let table = number % 3;
        let _ =
            writeln!(text, "INSERT INTO `t{table}` VALUES ({number},'{}','{}');", customer.email, customer.password);
        if number.is_multiple_of(500) {
            text += "INSERT INTO `t0` VALUES (7,'broken\n";
        }
    }
    std::fs::write(&turns, text).unwrap();
    let dumps = [folder.dump(Form::Resold), dump(&turns), folder.dump(Form::Sql), folder.dump(Form::Csv)];
    // One cell for each dump, or cells of a few kilobytes.
    let small =
        Options { block: 4 << 10, sample: 4 << 10, examine_every: 4 << 10, cell: 16 << 10, ..Options::default() };
    let one = on_cores(&dumps, 1, small.clone());
    assert!(one.dumps.iter().all(|dump| dump.rows > 2_000) && one.pairs[0].shared[0].in_both > Some(2_000));
    for cores in [2, 3, 16] {
        assert_eq!(on_cores(&dumps, cores, small.clone()), one, "on {cores} cores");
    }
}
