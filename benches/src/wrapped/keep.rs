//! Everything as files, for whoever reads files.

use super::background::{Background, ordinary_request};
use super::bodies::{Bodies, Mix};
use super::values::Value;
use super::{APART, cases, cipher, judge, material, speed, values};
use crate::random::Random;
use crate::say;
use std::error::Error;
use std::fs::{File, create_dir_all, write as write_file};
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Megabytes of each mix that are written for peers.
const SPEED: usize = 64;

/// Writes a case folder whose requests lie in files of their own, with what is in them in
/// `cases.jsonl`; background, random requests for the PIN, and bodies to measure speed on.
pub(crate) fn write(folder: &Path, values: &[Value], seed: u64, megabytes: usize) -> Result<(), Box<dyn Error>> {
    for part in ["requests", "background", "pins", "speed"] {
        create_dir_all(folder.join(part))?;
    }
    write_file(folder.join("subject.yaml"), judge::subject(values)?.to_yaml())?;
    write_file(folder.join("case.yaml"), material::case_yaml())?;
    write_file(folder.join(material::RSA_FILE), cipher::RSA_KEY)?;
    write_file(folder.join("values.json"), serde_json::to_vec(values)?)?;
    write_file(folder.join("many.json"), serde_json::to_vec(&values::many(speed::VALUES, &mut Random::new(seed)))?)?;
    requests(folder, values, seed)?;
    let mut background = Background::new(seed + 2 * APART, values);
    let (mut bytes, mut number) = (0, 0);
    while bytes < megabytes * 1_000_000 {
        let carried = background.next();
        bytes += carried.len();
        write_file(folder.join(format!("background/{number:06}.http")), carried.wire())?;
        number += 1;
    }
    let mut random = Random::new(seed + 3 * APART);
    for number in 0..2000 {
        write_file(folder.join(format!("pins/{number:04}.http")), ordinary_request(&mut random).wire())?;
    }
    for (name, mix) in [("text", Mix::Text), ("runs", Mix::Runs)] {
        let mut bodies = Bodies::new(mix, seed);
        let mut file = BufWriter::new(File::create(folder.join("speed").join(name))?);
        let mut bytes = 0;
        while bytes < SPEED * 1_000_000 {
            let body = bodies.next();
            bytes += body.len();
            file.write_all(&body)?;
        }
    }
    Ok(())
}

fn requests(folder: &Path, values: &[Value], seed: u64) -> Result<(), Box<dyn Error>> {
    let mut lines = BufWriter::new(File::create(folder.join("cases.jsonl"))?);
    let mut outcome: std::io::Result<()> = Ok(());
    let mut number = 0;
    cases::each(values, &mut Random::new(seed + APART), &mut |case| {
        let file = format!("requests/{number:06}.http");
        number += 1;
        if outcome.is_ok() {
            outcome = write_file(folder.join(&file), case.carried.wire())
                .and_then(|()| Ok(writeln!(lines, "{}", serde_json::to_string(&case.line(file))?)?));
        }
    });
    say(&format!("{number} requests in {}", folder.display()));
    Ok(outcome?)
}
