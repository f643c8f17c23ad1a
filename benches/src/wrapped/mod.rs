//! `wrapped`: made-up values in every wrapping and carrier, what the search finds of them, what it
//! finds where there is nothing, how fast it is, and how others do on the same.

mod background;
mod bodies;
mod carrier;
mod cases;
mod chains;
mod cipher;
mod digests;
mod document;
mod judge;
mod keep;
mod material;
mod others;
mod packed;
mod piece;
mod speed;
mod spelling;
mod substring;
mod text;
mod values;

use crate::print;
use crate::random::Random;
use background::Background;
use judge::{Judge, Scores};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use values::Value;

/// How to call it.
pub(crate) const USAGE: &str = "wrapped [--seed NUMBER] [--only TEXT] [--misses] [--misplaced] [--all] [--without-keys] [--background MEGABYTES] [--keep FOLDER] [--speed [MEGABYTES]] [--substring]";

/// Seeds differ by this between the parts of one run.
const APART: u64 = 1 << 32;

#[allow(clippy::struct_excessive_bools, reason = "one for each word of the command line")]
struct Options {
    seed: u64,
    only: String,
    misses: bool,
    misplaced: bool,
    all: bool,
    without_keys: bool,
    background: usize,
    keep: Option<PathBuf>,
    speed: Option<usize>,
    substring: bool,
}

impl Options {
    fn of(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            seed: 20_261_122,
            only: String::new(),
            misses: false,
            misplaced: false,
            all: false,
            without_keys: false,
            background: 100,
            keep: None,
            speed: None,
            substring: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--seed" => options.seed = next()?.parse()?,
                "--only" => options.only.clone_from(next()?),
                "--misses" => options.misses = true,
                "--misplaced" => options.misplaced = true,
                "--all" => options.all = true,
                "--without-keys" => options.without_keys = true,
                "--background" => options.background = next()?.parse()?,
                "--speed" => options.speed = Some(next().ok().map_or(Ok(256), |number| number.parse())?),
                "--substring" => options.substring = true,
                "--keep" => options.keep = Some(next()?.into()),
                _ => return Err(format!("say: {USAGE}").into()),
            }
        }
        Ok(options)
    }
}

/// Runs it. An error where something was missed, or seen where it is not.
pub(crate) fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::of(words)?;
    if let Some(megabytes) = options.speed {
        return speed::run(options.seed, megabytes);
    }
    let values = values::subject(&mut Random::new(options.seed));
    if options.substring {
        return substring::run(options.seed, &values, options.background);
    }
    if let Some(folder) = &options.keep {
        return keep::write(folder, &values, options.seed, options.background);
    }
    let mut judge = Judge::new(&values, !options.without_keys)?;
    let mut random = Random::new(options.seed + APART);
    cases::each(&values, &mut random, &mut |case| {
        if case.id.contains(&options.only) {
            judge.take(case);
        }
    });
    print(&table(&judge.scores, &options));
    let false_ones = in_background(&mut judge, &values, &options);
    let pins = pin_accusations(&values, options.seed)?;
    if judge.scores.misses.is_empty() && false_ones == 0 && pins == 0 {
        return Ok(());
    }
    Err(format!("{} missed, {false_ones} false, {pins} accusations by a PIN", judge.scores.misses.len()).into())
}

fn table(scores: &Scores, options: &Options) -> String {
    let mut text = String::from(
        "| class | wrapping | cases | sightings | hints | missed | exact places | placed |\n|---|---|---|---|---|---|---|---|\n",
    );
    for ((class, wrapping), score) in &scores.by_wrapping {
        if options.all || score.found < score.cases || score.exact < score.placed {
            let (cases, hints, missed) = (score.cases, score.hints, score.cases - score.found);
            let _ = writeln!(
                text,
                "| {class} | {wrapping} | {cases} | {} | {hints} | {missed} | {} | {} |",
                score.found - hints,
                score.exact,
                score.placed
            );
        }
    }
    let datum = scores.by_datum.iter().map(|(datum, score)| (datum.as_str(), score.cases, score.found));
    for (datum, cases, found) in datum {
        let _ = writeln!(text, "kind {datum}: {found} of {cases}");
    }
    for (class, score) in scores.totals() {
        let percent = 100.0 * score.found as f64 / score.cases.max(1) as f64;
        let _ = writeln!(
            text,
            "{class}: {} of {} found ({percent:.1} %): {} sightings, {} hints; {} of {} places exact",
            score.found,
            score.cases,
            score.found - score.hints,
            score.hints,
            score.exact,
            score.placed
        );
    }
    let _ = writeln!(text, "values seen in cases of other values: {}", scores.strangers.len());
    for line in scores.strangers.iter().take(20) {
        let _ = writeln!(text, "stranger: {line}");
    }
    for line in scores.misses.iter().filter(|_| options.misses) {
        let _ = writeln!(text, "missed: {line}");
    }
    for line in scores.misplaced.iter().filter(|_| options.misplaced) {
        let _ = writeln!(text, "misplaced: {line}");
    }
    text
}

/// Searches traffic of other people; says how often it saw what is not there.
fn in_background(judge: &mut Judge, values: &[Value], options: &Options) -> usize {
    let mut background = Background::new(options.seed + 2 * APART, values);
    let (mut bytes, mut messages, mut firm, mut hints) = (0, 0, 0, 0);
    while bytes < options.background * 1_000_000 {
        let carried = background.next();
        bytes += carried.len();
        messages += 1;
        let (false_ones, hinted) = judge.false_ones(&carried.record());
        for line in false_ones.iter().filter(|_| firm < 20) {
            print(&format!("false: {line}\n"));
        }
        firm += false_ones.len();
        hints += hinted;
    }
    print(&format!("background: {} MB in {messages} messages: {firm} sightings, {hints} hints\n", bytes / 1_000_000));
    firm
}

/// Searches 2,000 random requests for a PIN of four digits; says how many it accused.
fn pin_accusations(values: &[Value], seed: u64) -> Result<usize, Box<dyn Error>> {
    let pins: Vec<Value> = values.iter().filter(|value| value.kind == "pin").cloned().collect();
    let mut judge = Judge::new(&pins, true)?;
    let mut random = Random::new(seed + 3 * APART);
    let (mut accused, mut hinted) = (0, 0);
    for _ in 0..2000 {
        let (firm, hints) = judge.false_ones(&background::ordinary_request(&mut random).record());
        accused += usize::from(!firm.is_empty());
        hinted += usize::from(hints > 0);
    }
    print(&format!("a PIN in 2,000 random requests: {accused} accused, {hinted} with hints\n"));
    Ok(accused)
}
