//! `snapshot`: an app's folder at two times, collected, compared and searched by the command itself.
//!
//! What the scripts of `make/` planted, created, changed, deleted and copied is known; what the command says of it is
//! checked before any cost is printed.

mod check;
mod set;
mod table;

use crate::measure::{self, Cost};
use crate::peers::dyetrace::program;
use crate::{print, say};
use set::Set;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use table::{Row, Table};

/// How to call it.
const USAGE: &str = "say: snapshot [--small] [--seed TEXT] [--folder FOLDER] [--program FILE] [--rounds N]";

struct Options {
    small: bool,
    seed: String,
    folder: PathBuf,
    program: Option<PathBuf>,
    rounds: usize,
}

impl Options {
    fn of(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            small: false,
            seed: "dyetrace".to_owned(),
            folder: PathBuf::from("target/benches/snapshot"),
            program: None,
            rounds: 3,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--small" => options.small = true,
                "--seed" => options.seed.clone_from(next()?),
                "--folder" => options.folder = next()?.into(),
                "--program" => options.program = Some(next()?.into()),
                "--rounds" => options.rounds = next()?.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// Collects, searches, checks, and lets others do what they can of it.
///
/// # Errors
/// The folders could not be made, a command did not run, or a result is not what was made.
pub(crate) fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::of(words)?;
    let program = options.program.clone().map_or_else(program, Ok)?.display().to_string();
    let set = Set::made(&options.folder, options.small, &options.seed)?;
    let bench = Bench { program, work: options.folder.join("work"), rounds: options.rounds, set: &set };
    let mut table = Table::new(&set.expected);
    bench.collected(&mut table)?;
    bench.searched(&mut table)?;
    bench.peers(&mut table)?;
    print(&table.text());
    if table.is_right() { Ok(()) } else { Err("the results are not what was made: the costs prove nothing".into()) }
}

/// The command, and a case for it.
struct Bench<'s> {
    program: String,
    work: PathBuf,
    rounds: usize,
    set: &'s Set,
}

const EXHIBITS: [&str; 2] = ["evidence/first-files-01.tar", "evidence/first-files-02.tar"];

impl Bench<'_> {
    /// Takes both snapshots, anew in every round.
    fn collected(&self, table: &mut Table) -> Result<(), Box<dyn Error>> {
        let case = self.case();
        let mut costs: [Option<Cost>; 2] = [None, None];
        for _ in 0..self.rounds {
            let _ = fs::remove_dir_all(&self.work);
            fs::create_dir_all(&case)?;
            fs::write(case.join("case.yaml"), "format: 1\ntitle: An app's files\nruns: [{ id: first }]\n")?;
            fs::write(case.join("subject.yaml"), self.set.subject(false)?)?;
            for (number, cost) in costs.iter_mut().enumerate() {
                let folder = self.set.snapshot(number).display().to_string();
                let command = [&self.program, "snapshot", &text(&case), &folder, "--all"];
                let ran =
                    measure::run(&command.map(|word: &str| word), &self.work.join(format!("taken-{number}.txt")))?;
                *cost = Some(least(*cost, ran));
            }
        }
        let said = fs::read_to_string(self.work.join("taken-1.txt"))?;
        table.checks.extend(check::changes(&said, &self.set.expected.changes));
        let [first, second] = self.set.expected.bytes;
        let rows = [
            ("dyetrace snapshot, the first", first, "collects, hashes, lists"),
            (
                "dyetrace snapshot, the second",
                first + second,
                "collects and hashes the second, reads and compares both",
            ),
        ];
        for ((name, bytes, what), cost) in rows.into_iter().zip(costs) {
            table.rows.extend(cost.map(|cost| Row { name, what, bytes, cost }));
        }
        Ok(())
    }

    /// Audits one snapshot, both, and both with a gallery.
    fn searched(&self, table: &mut Table) -> Result<(), Box<dyn Error>> {
        let case = self.case();
        let expected = &self.set.expected;
        let (first, subject) = (text(&case.join(EXHIBITS[0])), text(&case.join("subject.yaml")));
        let [one, two] = expected.bytes;
        let found = self.audit(&["audit", &first, "--subject", &subject], "audit-first")?;
        table.checks.push(check::sightings("values, the first snapshot", &found.report, expected, &[0], false)?);
        table.rows.push(Row {
            name: "dyetrace audit, the first alone",
            what: "20 values",
            bytes: one,
            cost: found.cost,
        });
        let found = self.audit(&["audit", &text(&case)], "audit-both")?;
        table.checks.push(check::sightings("values, both snapshots", &found.report, expected, &[0, 1], false)?);
        table.rows.push(Row { name: "dyetrace audit, both", what: "20 values", bytes: one + two, cost: found.cost });
        self.with_gallery()?;
        let found = self.audit(&["audit", &text(&case)], "audit-gallery")?;
        table.checks.push(check::sightings("values and pictures, both", &found.report, expected, &[0, 1], true)?);
        let what = "20 values and 20 photographs";
        table.rows.push(Row { name: "dyetrace audit, both, with a gallery", what, bytes: one + two, cost: found.cost });
        Ok(())
    }

    fn with_gallery(&self) -> Result<(), Box<dyn Error>> {
        let (case, from) = (self.case(), self.set.gallery());
        fs::create_dir_all(case.join("gallery"))?;
        for name in &self.set.expected.gallery {
            fs::copy(from.join(name), case.join("gallery").join(name))?;
        }
        Ok(fs::write(case.join("subject.yaml"), self.set.subject(true)?)?)
    }

    fn audit(&self, words: &[&str], name: &str) -> Result<Audited, Box<dyn Error>> {
        say(name);
        let report = text(&self.work.join(name).with_extension("json"));
        let mut command = vec![self.program.as_str()];
        command.extend_from_slice(words);
        command.extend(["--format", "json", "--output", &report]);
        let cost = self.measured(&command, &self.work.join(name).with_extension("txt"))?;
        let report = serde_json::from_slice(&fs::read(&report)?)?;
        Ok(Audited { report, cost })
    }

    /// Others, over the folders themselves.
    fn peers(&self, table: &mut Table) -> Result<(), Box<dyn Error>> {
        let expected = &self.set.expected;
        let folders = [0, 1].map(|number| text(&self.set.snapshot(number)));
        let values = self.work.join("values.txt");
        let lines: Vec<&str> = expected.subject.iter().map(|value| value.value.as_str()).collect();
        fs::write(&values, lines.join("\n") + "\n")?;
        let (values, output) = (text(&values), self.work.join("ripgrep.txt"));
        let both: u64 = expected.bytes.iter().sum();
        let command = ["rg", "-a", "-uu", "-F", "-l", "-f", &values, &folders[0], &folders[1]];
        match self.measured(&command, &output) {
            Ok(cost) if cost.code == 0 => {
                table.checks.push(check::plain(&fs::read_to_string(&output)?, expected, &folders));
                let (name, what) = ("ripgrep -a -F, both folders", "20 values as they are, nothing unwrapped");
                table.rows.push(Row { name, what, bytes: both, cost });
            }
            _ => say("ripgrep is not here (Debian package ripgrep): skipped"),
        }
        let output = self.work.join("sha256sum.txt");
        let hashing = "find \"$0\" -type f -print0 | xargs -0 sha256sum";
        let cost = self.measured(&["sh", "-c", hashing, &folders[0]], &output)?;
        table.checks.push(check::hashed(&fs::read_to_string(&output)?, expected));
        let (name, what) = ("sha256sum, the first folder", "digests alone");
        table.rows.push(Row { name, what, bytes: expected.bytes[0], cost });
        Ok(())
    }

    /// The cost of the cheapest round, and the most memory of any.
    fn measured(&self, command: &[&str], output: &Path) -> Result<Cost, Box<dyn Error>> {
        let mut cost = None;
        for _ in 0..self.rounds {
            cost = Some(least(cost, measure::run(command, output)?));
        }
        Ok(cost.ok_or("no round")?)
    }

    fn case(&self) -> PathBuf {
        self.work.join("case")
    }
}

/// What an audit said and took.
struct Audited {
    report: serde_json::Value,
    cost: Cost,
}

fn least(before: Option<Cost>, now: Cost) -> Cost {
    let Some(before) = before else { return now };
    let peak_kib = before.peak_kib.max(now.peak_kib);
    Cost { peak_kib, ..if now.cpu < before.cpu { now } else { before } }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
