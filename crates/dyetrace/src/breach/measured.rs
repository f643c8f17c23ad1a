//! Numbers of a dump as `dyetrace judge` reads them.

mod overlap;

pub(super) use overlap::{Labels, of_overlap};

use crate::exit::{Fault, say};
use crate::output;
use dyetrace_breach::{Kind, Report, StaleReport};
use dyetrace_judge::{Measured, Number, read_measured};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How a file begins that may be changed, because no hand wrote it.
const HEAD: &str = "# Written by dyetrace breach; numbers of the same name are replaced.\n";
/// Seconds by which a moment without a time zone may be off.
const DAY: i64 = 86_400;

/// A file of numbers before new ones come in.
pub(super) struct MeasuredFile {
    path: PathBuf,
    kept: Vec<Measured>,
}

impl MeasuredFile {
    /// Reads what is there, before a long scan and not after it.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let path = path.to_owned();
        if !path.exists() {
            return Ok(Self { path, kept: Vec::new() });
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Fault::file(&path, &error))?;
        if !text.starts_with(HEAD) {
            let shown = path.display();
            return Err(Fault::new(format!(
                "{shown} was not written by dyetrace breach; give --measured another file"
            )));
        }
        let kept = read_measured(&path.display().to_string(), &text).map_err(Fault::new)?;
        Ok(Self { path, kept })
    }

    /// Writes the new numbers. Those that a command of these names wrote before go, also where it now has none.
    pub(super) fn write(self, names: &[&str], new: Vec<Measured>) -> Result<(), Fault> {
        self.replace(|name| names.contains(&name), new)
    }

    /// The same for names that are told by what they are made of.
    pub(super) fn replace(mut self, is_ours: impl Fn(&str) -> bool, new: Vec<Measured>) -> Result<(), Fault> {
        self.kept.retain(|one| !is_ours(&one.name));
        self.kept.extend(new);
        if self.kept.is_empty() {
            return self.without();
        }
        let text = shown(&self.kept);
        output::write(Some(&self.path), |out| Ok(out.write_all(text.as_bytes())?))
    }
}

impl MeasuredFile {
    /// A list of no numbers is refused by who reads it.
    fn without(&self) -> Result<(), Fault> {
        say(&format!("no number could be told, so {} is not there", self.path.display()));
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::file(&self.path, &error)),
            _ => Ok(()),
        }
    }
}

/// The numbers as a file.
fn shown(numbers: &[Measured]) -> String {
    let mut text = format!("{HEAD}measured:\n");
    for Measured { name, number, how, .. } in numbers {
        let _ = writeln!(text, "  - name: {name}");
        let _ = match number {
            Number::Sample { hits, of } => writeln!(text, "    hits: {hits}\n    of: {of}"),
            Number::Interval { low, high: Some(high) } => writeln!(text, "    low: {low}\n    high: {high}"),
            Number::Interval { low, high: None } => writeln!(text, "    low: {low}"),
        };
        let how = serde_json::Value::from(how.as_deref().unwrap_or("not said"));
        let _ = writeln!(text, "    how: {how}");
    }
    text
}

fn one(name: &str, low: f64, high: Option<f64>, how: String) -> Measured {
    Measured { name: name.to_owned(), number: Number::Interval { low, high }, how: Some(how), place: String::new() }
}

/// Names of files without the folders they lie in.
fn names_of(files: &[PathBuf]) -> String {
    let names = files.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join(", ")
}

/// Names that `breach scan` writes.
pub(super) const OF_SCAN: &[&str] = &[
    "rows",
    "people",
    "minors",
    "newest-year",
    "passwords-in-clear",
    "passwords-unsalted",
    "passwords-with-salt",
    "dump-records/most-sensitive",
    "dump-records/other",
    "dump-records/share",
];

/// What a scan counted. What was not read whole gives lower bounds, and no shares.
pub(super) fn of_scan(report: &Report, files: &[PathBuf]) -> Vec<Measured> {
    let whole = report.damages.is_empty() && report.further_damages == 0 && report.further_tables == 0;
    let by = format!("by dyetrace breach scan in {}", names_of(files));
    let rows = report.people.rows as f64;
    let mut all = vec![one("rows", rows, whole.then_some(rows), format!("all rows counted {by}"))];
    all.extend(people(report, whole, &by));
    all.extend(report.newest.map(|newest| newest_year(newest, whole, &by)));
    if whole {
        all.extend(passwords(report, &by));
    }
    all.extend(records(report, &by));
    all
}

/// A moment without a time zone lies within a day of itself, and a year may end on it.
fn newest_year(newest: i64, whole: bool, by: &str) -> Measured {
    newest_year_of("newest-year", newest, whole, by)
}

fn newest_year_of(name: &str, newest: i64, whole: bool, by: &str) -> Measured {
    let year = |moment: i64| f64::from(super::scan::year_of(u64::try_from(moment).unwrap_or(0)));
    let high = whole.then(|| year(newest + DAY));
    one(name, year(newest - DAY), high, format!("year of the newest plausible moment found {by}, a day either way"))
}

/// The least that an estimate of people stands for: three standard errors less, and without those refused joins made.
fn least(report: &Report, people: f64) -> f64 {
    let people = people * (1.0 - 3.0 * report.people.standard_error) - report.people.joins_refused as f64;
    people.floor().max(0.0)
}

fn people(report: &Report, whole: bool, by: &str) -> Vec<Measured> {
    let mut all = Vec::new();
    let people = report.people.people;
    if people >= report.people.k {
        let sure = whole && report.people.one_in == 1 && report.people.rows_without_identifier == 0;
        let high = sure.then_some(people as f64);
        all.push(one("people", least(report, people as f64), high, format!("people joined by identifiers {by}")));
    }
    if let Some(minors) = report.people.minors.people.filter(|minors| *minors >= report.people.k) {
        let how = format!("people under 18 whose day of birth is known, {by}");
        all.push(one("minors", least(report, minors as f64), None, how));
    }
    all
}

/// Values of password columns, by what protects them.
#[derive(Default)]
struct Secrets {
    all: u64,
    clear: u64,
    salted: u64,
    /// The unsalted digest of a common password: proven, where a form alone does not show that no salt was used.
    unsalted: u64,
}

fn secrets(report: &Report) -> Secrets {
    let mut sum = Secrets::default();
    let columns = report.tables.iter().flat_map(|table| &table.columns);
    for column in columns.filter(|column| matches!(column.kind, Kind::Password | Kind::PasswordHash)) {
        let Some(storage) = &column.storage else { continue };
        let unsalted: u64 = storage.commonest_unsalted.iter().map(|scheme| scheme.rows).sum();
        for family in &storage.families {
            let is_clear = family.family.name == "plain";
            sum.all += family.rows;
            sum.clear += if is_clear { family.rows } else { 0 };
            sum.salted += if storage.salt_column && !is_clear { family.rows } else { family.salted };
        }
        sum.salted -= if storage.salt_column { unsalted.min(sum.salted) } else { 0 };
        sum.unsalted += unsalted;
    }
    sum
}

fn passwords(report: &Report, by: &str) -> Vec<Measured> {
    let Secrets { all, clear, salted, unsalted } = secrets(report);
    let k = report.people.k;
    if all == 0 || all < k {
        return Vec::new();
    }
    let share = |name: &str, low: u64, high: u64, what: &str| {
        // Fewer than k, or all but fewer than k, would point at few: such an end is moved out to what is told.
        let low = if low < k {
            0
        } else if all - low < k && low < all {
            all - k
        } else {
            low
        };
        let high = if high > 0 && high < k {
            k - 1
        } else if all - high < k {
            all
        } else {
            high
        };
        let (low, high) = (low as f64 / all as f64, high as f64 / all as f64);
        one(name, low, Some(high), format!("{what}, of {all} values in columns of passwords, all counted {by}"))
    };
    vec![
        share("passwords-in-clear", clear, clear, "values in no known stored form"),
        share(
            "passwords-unsalted",
            unsalted,
            all - clear - salted,
            "at least the unsalted digests of common passwords, at most all stored forms without a salt in or beside them",
        ),
        share(
            "passwords-with-salt",
            salted,
            all - clear - unsalted,
            "at least stored forms with a salt in or beside them, at most all that are no unsalted digest of a common password",
        ),
    ]
}

/// Lower bounds: kinds that nothing recognises may be in the dump beside.
fn records(report: &Report, by: &str) -> Vec<Measured> {
    let mut share = 0.0;
    let mut all = Vec::new();
    for (threshold, name) in [(50, "dump-records/most-sensitive"), (5000, "dump-records/other")] {
        let Some(found) = report.indications.iter().find(|found| found.threshold == threshold) else { continue };
        let low = least(report, (found.times * threshold as f64).round());
        if low >= report.people.k as f64 {
            share += low / threshold as f64;
            all.push(one(name, low, None, format!("people with data of this class ({}), {by}", found.class)));
        }
    }
    if share > 0.0 {
        let how = format!("the sum of dump-records/most-sensitive / 50 and dump-records/other / 5000, {by}");
        all.push(one("dump-records/share", share, None, how));
    }
    all
}

/// Names that `breach stale` writes.
pub(super) const OF_STALE: &[&str] = &["unchanged-passwords"];

/// The share of accounts in the dumps that still have the password; what nobody can tell widens it.
pub(super) fn of_stale(report: &StaleReport, dumps: &[PathBuf], accounts: &Path) -> Vec<Measured> {
    let StaleReport { in_dumps: of, unchanged, cannot_tell, damages, .. } = *report;
    if of < 10 || damages > 0 {
        return Vec::new();
    }
    let low = if unchanged < 10 { 0 } else { unchanged };
    let high = match unchanged + cannot_tell {
        few @ 1..10 => few.max(9),
        many => many,
    };
    let share = |part: u64| part as f64 / of as f64;
    let held = names_of(&[accounts.to_owned()]);
    let how = format!(
        "accounts of {held} in {} that still have the leaked password, of {of}, all counted by dyetrace breach stale",
        names_of(dumps)
    );
    vec![one("unchanged-passwords", share(low), Some(share(high)), how)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_by_the_judge() {
        let numbers = [
            one("rows", 600.0, Some(600.0), "with \"quotes\": 数 #".to_owned()),
            one("dump-records/share", 0.12, None, "a sum".to_owned()),
            one("passwords-in-clear", 0.0, Some(1.0 / 3.0), "a share".to_owned()),
        ];
        let read = read_measured("measured.yaml", &shown(&numbers)).unwrap();
        let plain = |all: &[Measured]| {
            all.iter().map(|one| (one.name.clone(), one.number, one.how.clone())).collect::<Vec<_>>()
        };
        assert_eq!(plain(&read), plain(&numbers));
    }

    #[test]
    fn a_file_that_a_hand_wrote_is_left_alone_and_one_without_numbers_is_not_written() {
        let folder = std::env::temp_dir().join(format!("dyetrace-measured-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (by_hand, file) = (folder.join("by-hand.yaml"), folder.join("measured.yaml"));
        std::fs::write(&by_hand, "measured:\n").unwrap();
        assert!(MeasuredFile::open(&by_hand).is_err());
        MeasuredFile::open(&file)
            .unwrap()
            .write(OF_STALE, vec![one("rows", 1.0, None, "all rows".to_owned())])
            .unwrap();
        assert_eq!(MeasuredFile::open(&file).unwrap().kept.len(), 1);
        MeasuredFile::open(&file).unwrap().write(&["rows"], Vec::new()).unwrap();
        assert!(!file.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
