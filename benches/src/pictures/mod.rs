//! `pictures`: originals and what transformations make of them, what the matcher finds again, whom it accuses
//! wrongly, how fast it is, and how others do on the same.

mod answers;
mod set;
pub(crate) mod speed;
mod table;
mod tally;

use crate::print;
use crate::say;
use answers::{Answer, answers, gallery};
pub(crate) use set::SCRIPTS;
use set::{Class, Query, Set};
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use table::Row;
use tally::{Outcome, Tally, tally};

/// How to call it.
pub(crate) const USAGE: &str =
    "pictures [--small] [--seed TEXT] [--folder FOLDER] [--only TEXT] [--misses FILE] [--write FILE] [--speed]";

struct Options {
    small: bool,
    seed: String,
    folder: PathBuf,
    only: String,
    misses: Option<PathBuf>,
    write: Option<PathBuf>,
    speed: bool,
}

impl Options {
    fn of(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            small: false,
            seed: "dyetrace".to_owned(),
            folder: PathBuf::from("target/benches/pictures"),
            only: String::new(),
            misses: None,
            write: None,
            speed: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--small" => options.small = true,
                "--seed" => options.seed.clone_from(next()?),
                "--folder" => options.folder = next()?.into(),
                "--only" => options.only.clone_from(next()?),
                "--misses" => options.misses = Some(next()?.into()),
                "--write" => options.write = Some(next()?.into()),
                "--speed" => options.speed = true,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// Makes the set, asks about all of it, prints the tables. The error says what falls short of the aims.
pub(crate) fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::of(words)?;
    let set = Set::made(&options.folder, options.small, &options.seed)?;
    if options.speed {
        return speed::run(&set, &options.folder);
    }
    let queries = chosen(&set, &options.only)?;
    let gallery = gallery(&set)?;
    say(&format!("{} originals in the gallery, {} queries", gallery.len(), queries.len()));
    let answers = answers(&set, &gallery, &queries)?;
    let (rows, misses) = counted(&set, &queries, &answers)?;
    let text = heading(&set) + &table::tables(&rows);
    print(&text);
    if let Some(path) = &options.misses {
        std::fs::write(path, misses)?;
    }
    if let Some(path) = &options.write {
        write_between_marks(path, &text)?;
    }
    let shortfalls = table::shortfalls(&rows);
    if shortfalls.is_empty() { Ok(()) } else { Err(format!("short of the aims:\n{}", shortfalls.join("\n")).into()) }
}

/// The queries whose `class / transformation` contains the text.
fn chosen(set: &Set, only: &str) -> Result<Vec<Query>, Box<dyn Error>> {
    let mut chosen = Vec::new();
    for query in &set.queries {
        let name = format!("{} / {} /", set.original(query.original)?.class.name(), query.transformation);
        if name.contains(only) {
            chosen.push(query.clone());
        }
    }
    Ok(chosen)
}

fn counted(set: &Set, queries: &[Query], answers: &[Answer]) -> Result<(Vec<Row>, String), Box<dyn Error>> {
    let (mut rows, mut misses) = (Vec::<Row>::new(), String::new());
    for (query, answer) in queries.iter().zip(answers) {
        let (outcome, counts) = tally(set, query, answer)?;
        let own = set.original(query.original)?;
        let at = rows.iter().position(|row| row.transformation == query.transformation).unwrap_or(rows.len());
        if at == rows.len() {
            rows.push(Row { transformation: query.transformation.clone(), tallies: [Tally::default(); 3] });
        }
        let class = Class::ALL.iter().position(|class| *class == own.class).unwrap_or(0);
        rows[at].tallies[class] += counts;
        let wrong = counts.false_matches > 0;
        if wrong || !matches!(outcome, Outcome::Found | Outcome::NothingToFind) {
            let who = if wrong { "FALSE" } else { "-" };
            let said = said(answer);
            let place = set.folder.join(&query.file);
            let name = own.class.name();
            writeln!(
                misses,
                "{name} / {} / {outcome:?} {who} original {} {} said {said}",
                query.transformation,
                own.number,
                place.display()
            )?;
        }
    }
    rows.sort_by_key(|row| order(set, &row.transformation));
    Ok((rows, misses))
}

/// The first few that an answer names.
fn said(answer: &Answer) -> String {
    match answer {
        Ok(named) => named.iter().take(4).map(|named| named.reason.as_str()).collect::<Vec<_>>().join("; "),
        Err(error) => error.clone(),
    }
}

/// The place of a transformation in the set.
fn order(set: &Set, transformation: &str) -> usize {
    let longest = set.queries.iter().filter(|query| query.original == 0);
    longest.into_iter().position(|query| query.transformation == transformation).unwrap_or(usize::MAX)
}

fn heading(set: &Set) -> String {
    let mut digest = Sha256::new();
    for original in &set.originals {
        digest.update(original.sha256.as_bytes());
    }
    let name = digest.finalize().iter().take(4).fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
    let counts = Class::ALL.map(|class| {
        let of_class = set.originals.iter().filter(|original| original.class == class);
        let (held, all) =
            of_class.fold((0, 0), |(held, all), original| (held + usize::from(!original.withheld), all + 1));
        format!("{all} {} ({held} in the gallery)", class.name())
    });
    format!("Set {name}: {}; {} queries.\n\n", counts.join(", "), set.queries.len())
}

/// Replaces what stands between the two marks of the page.
fn write_between_marks(path: &std::path::Path, text: &str) -> Result<(), Box<dyn Error>> {
    const START: &str = "<!-- pictures bench: start -->\n";
    const END: &str = "<!-- pictures bench: end -->";
    let page = std::fs::read_to_string(path)?;
    let (before, rest) = page.split_once(START).ok_or("the page has no mark where the table starts")?;
    let (_, after) = rest.split_once(END).ok_or("the page has no mark where the table ends")?;
    std::fs::write(path, format!("{before}{START}{text}{END}{after}"))?;
    Ok(())
}
