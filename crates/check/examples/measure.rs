//! What the service and the making of an index cost, in CPU time of this machine:
//! `cargo run --release -p dyetrace-check --example measure`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement prints, and may end")]

use dyetrace_check::client::Question;
use dyetrace_check::evaluate::Key;
use dyetrace_check::index::{Builder, Index, Person, Plan};
use dyetrace_check::{Identifier, Kind, Manifest, Source};
use ed25519_dalek::SigningKey;
use std::hint::black_box;

/// CPU seconds of all threads of this process, user and system (proc(5); ticks are hundredths).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    [11, 12].iter().map(|place| fields[*place].parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn index(key: &Key, people: u32, identifiers: u32) -> Manifest {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("dyetrace-measure-{}.index", std::process::id()));
    let source = Source { name: "measured".to_owned(), date: None };
    let mut builder = Builder::new(Plan { sources: vec![source], k: 50, bits: None }, key, &folder).unwrap();
    let before = cpu();
    for number in 0..people {
        let texts = [
            (Kind::Phone, format!("138{number:08}")),
            (Kind::Email, format!("person{number}@example.test")),
            (Kind::Qq, format!("{}", 10_000_000 + number)),
        ];
        let of_one = texts.iter().take(identifiers as usize);
        let identifiers = of_one.map(|(kind, text)| Identifier::new(*kind, text).unwrap()).collect();
        builder.add(Person { identifiers, source: 0, fields: 7 }).unwrap();
    }
    let manifest = builder.finish(Vec::new(), &SigningKey::from_bytes(&[1; 32]), &path).unwrap();
    let took = cpu() - before;
    println!(
        "index: {people} people of {identifiers}: {:.0} people, {:.0} identifiers a CPU second; {} bits, {} bytes a bucket",
        f64::from(people) / took,
        f64::from(people * identifiers) / took,
        manifest.bits,
        manifest.frame_bytes()
    );
    assert_eq!(Index::open(&path).unwrap().manifest(), &manifest);
    std::fs::remove_file(&path).unwrap();
    manifest
}

fn main() {
    let key = Key::derive(&[7; 32], b"").unwrap();
    let manifest = index(&key, 200_000, 1);
    index(&key, 200_000, 2);
    index(&key, 100_000, 3);
    let question = |number: u32| {
        let identifier = Identifier::new(Kind::Qq, &format!("{}", 10_000 + number)).unwrap();
        Question::new(&manifest, identifier, &mut [(number % 255) as u8 + 1; 64]).unwrap().element()
    };
    let elements: Vec<_> = (0..256).map(question).collect();
    for batch in [1, 4, 16, 64, 256] {
        let times = 40_960 / batch;
        let measured = |evaluate: &dyn Fn(usize)| {
            let before = cpu();
            (0..times).for_each(evaluate);
            (times * batch) as f64 / (cpu() - before)
        };
        let proved = measured(&|turn| {
            let mut random = [9; 64];
            random[..8].copy_from_slice(&turn.to_le_bytes());
            black_box(key.evaluate(&elements[..batch], &random).unwrap());
        });
        let bare = measured(&|_| drop(black_box(key.evaluate_unproved(&elements[..batch]).unwrap())));
        println!("evaluate: {batch} at once: {proved:.0} proved, {bare:.0} without proof a CPU second");
    }
}
