//! The simplest peer: every value as typed, looked for in the bytes as they are sent.

use super::background::{Background, ordinary_request};
use super::bodies::{Bodies, Mix};
use super::values::Value;
use super::{APART, cases, speed, values};
use crate::print;
use crate::random::Random;
use memchr::memmem::Finder;
use std::error::Error;

/// Prints its row of the table.
pub(crate) fn run(seed: u64, values: &[Value], megabytes: usize) -> Result<(), Box<dyn Error>> {
    let (pins, long): (Vec<Value>, Vec<Value>) = values.iter().cloned().partition(|value| value.kind == "pin");
    let finders = finders(&long);
    let (mut cases, mut found) = (0, 0);
    cases::each(values, &mut Random::new(seed + APART), &mut |case| {
        if case.datum != "pin" {
            cases += 1;
            found += usize::from(any(&finders, &case.carried.wire()));
        }
    });
    let mut background = Background::new(seed + 2 * APART, values);
    let (mut bytes, mut wrong) = (0, 0);
    while bytes < megabytes * 1_000_000 {
        let carried = background.next();
        bytes += carried.len();
        wrong += usize::from(any(&finders, &carried.wire()));
    }
    let pins = self::finders(&pins);
    let mut random = Random::new(seed + 3 * APART);
    let accused = (0..2000).filter(|_| any(&pins, &ordinary_request(&mut random).wire())).count();
    let [text, runs] = [rate(Mix::Text, seed)?, rate(Mix::Runs, seed)?];
    let recall = 100.0 * f64::from(found as u32) / f64::from(cases as u32);
    print(&format!("| plain substring | {recall:.1} % | {wrong} | {accused} | {text:.0} | {runs:.0} |\n"));
    Ok(())
}

fn finders(values: &[Value]) -> Vec<Finder<'_>> {
    values.iter().map(|value| Finder::new(value.text.as_bytes())).collect()
}

fn any(finders: &[Finder<'_>], bytes: &[u8]) -> bool {
    finders.iter().any(|finder| finder.find(bytes).is_some())
}

/// Megabytes per CPU second with as many values as the search is measured with.
fn rate(mix: Mix, seed: u64) -> Result<f64, Box<dyn Error>> {
    let values = values::many(speed::VALUES, &mut Random::new(seed));
    let finders = finders(&values);
    let mut bodies = Bodies::new(mix, seed);
    let (mut bytes, mut cost, mut hits) = (0, 0.0, 0);
    while bytes < 32_000_000 {
        let body = bodies.next();
        bytes += body.len();
        let start = speed::cpu()?;
        // All finders run to the end, as they would where values occur.
        hits += finders.iter().filter(|finder| finder.find(&body).is_some()).count();
        cost += speed::cpu()? - start;
    }
    std::hint::black_box(hits);
    Ok(bytes as f64 / 1e6 / cost)
}
